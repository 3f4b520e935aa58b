//! Source files and places in them.

use std::sync::Arc;

use topo_sdk::{Position, SourceRange};

/// A stretch of a file in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// Its first byte.
    pub start: u32,
    /// Just behind its last byte.
    pub end: u32,
}

impl From<std::ops::Range<usize>> for Span {
    fn from(r: std::ops::Range<usize>) -> Span {
        let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Span {
            start: clamp(r.start),
            end: clamp(r.end),
        }
    }
}

/// A source file with its text.
#[derive(Debug)]
pub struct SourceFile {
    /// The file's name as the user would write it.
    pub name: Arc<str>,
    /// Its text.
    pub text: String,
    lines: Vec<u32>,
    origin: Option<Origin>,
}

/// Where a source that is a part of another one stands in it.
#[derive(Debug)]
struct Origin {
    file: Arc<SourceFile>,
    /// Bytes here and in the file, ascending; between two of them both run alike.
    places: Vec<(u32, u32)>,
}

impl SourceFile {
    /// A file; line starts are found once.
    pub fn new(name: impl Into<Arc<str>>, text: String) -> Arc<SourceFile> {
        let mut lines = vec![0];
        lines.extend(
            text.bytes()
                .zip(1u32..)
                .filter(|(b, _)| *b == b'\n')
                .map(|(_, i)| i),
        );
        Arc::new(SourceFile {
            name: name.into(),
            text,
            lines,
            origin: None,
        })
    }

    /// A source inside a file, such as the content of a JSON string: its places are the file's.
    /// `places` are pairs of a byte here and the byte of the file, ascending, each the start of a
    /// stretch that is the same in both.
    pub fn within(
        file: &Arc<SourceFile>,
        text: String,
        places: Vec<(u32, u32)>,
    ) -> Arc<SourceFile> {
        Arc::new(SourceFile {
            name: file.name.clone(),
            text,
            lines: Vec::new(),
            origin: Some(Origin {
                file: file.clone(),
                places,
            }),
        })
    }

    /// Where a byte of this source is in the file that it is a part of; the byte itself, if it is
    /// a file.
    pub fn outer(&self, byte: u32) -> u32 {
        let Some(origin) = &self.origin else {
            return byte;
        };
        let next = origin.places.partition_point(|(here, _)| *here <= byte);
        match next.checked_sub(1).and_then(|i| origin.places.get(i)) {
            Some((here, there)) => there.saturating_add(byte - here),
            None => byte,
        }
    }

    /// Line and column of a byte.
    pub fn position(&self, byte: u32) -> Position {
        if let Some(origin) = &self.origin {
            return origin.file.position(self.outer(byte));
        }
        let line = self.lines.partition_point(|start| *start <= byte).max(1);
        let start = self.lines.get(line - 1).copied().unwrap_or(0);
        let before = self.text.get(start as usize..byte as usize).unwrap_or("");
        Position {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(before.chars().count() + 1).unwrap_or(u32::MAX),
            byte,
        }
    }

    /// A span as a range of lines and columns.
    pub fn range(&self, span: Span) -> SourceRange {
        SourceRange {
            file: self.name.clone(),
            start: self.position(span.start),
            end: self.position(span.end),
        }
    }

    /// The text of a span.
    pub fn slice(&self, span: Span) -> &str {
        self.text
            .get(span.start as usize..span.end as usize)
            .unwrap_or("")
    }
}
