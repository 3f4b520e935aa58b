//! Diagnostics: what is wrong, where, and what to do next. Errors are values; text layout and
//! colour are made of them in the command line.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::path::Path;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The run cannot go on, or part of it failed.
    Error,
    /// Something to know; the run goes on.
    Warning,
}

/// A place in a text.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Position {
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
    /// In bytes, from 0.
    pub byte: u32,
}

/// A stretch of a source file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SourceRange {
    /// The file's name as the user would write it, relative to the working directory.
    pub file: Arc<str>,
    /// Where it starts.
    pub start: Position,
    /// Just behind its end.
    pub end: Position,
}

impl fmt::Display for SourceRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{},{}", self.file, self.start.line, self.start.column)?;
        if self.end.line == self.start.line {
            write!(f, "-{}", self.end.column)
        } else {
            write!(f, "-{},{}", self.end.line, self.end.column)
        }
    }
}

/// One thing to tell a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// One line, no full stop.
    pub summary: String,
    /// Sentences: the cause and what to do next. May be empty.
    pub detail: String,
    /// The attribute of the object that it concerns; empty for the whole object.
    pub attribute: Path,
    /// The address of the object that it concerns.
    pub address: Option<String>,
    /// The source text that it concerns.
    pub range: Option<SourceRange>,
    /// The values that were involved: a reference and what it held, in words.
    pub values: Vec<(String, String)>,
    /// What kind of thing went wrong, where somebody may want to treat it in a way of its own.
    #[serde(default)]
    pub cause: Option<Cause>,
}

/// A kind of problem that may be expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    /// A condition of the configuration does not hold.
    FailedCondition {
        /// The variable, output or check that it belongs to (`module.a.var.x`); `None` for one of a
        /// resource, which the diagnostic's address names.
        of: Option<Arc<str>>,
    },
}

impl Diagnostic {
    /// An error with a one-line summary and an explanation.
    pub fn error(summary: impl Into<String>, detail: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            summary: summary.into(),
            detail: detail.into(),
            attribute: Path::root(),
            address: None,
            range: None,
            values: Vec::new(),
            cause: None,
        }
    }

    /// A warning with a one-line summary and an explanation.
    pub fn warning(summary: impl Into<String>, detail: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Warning,
            ..Diagnostic::error(summary, detail)
        }
    }

    /// Concerning this attribute.
    #[must_use]
    pub fn at(mut self, attribute: Path) -> Diagnostic {
        self.attribute = attribute;
        self
    }

    /// Concerning this stretch of source.
    #[must_use]
    pub fn with_range(mut self, range: Option<SourceRange>) -> Diagnostic {
        self.range = range.or(self.range);
        self
    }

    /// Concerning the object of this address, unless it names one already.
    #[must_use]
    pub fn with_address(mut self, address: impl fmt::Display) -> Diagnostic {
        self.address.get_or_insert_with(|| address.to_string());
        self
    }

    /// With what kind of problem it is.
    #[must_use]
    pub fn because(mut self, cause: Cause) -> Diagnostic {
        self.cause = Some(cause);
        self
    }

    /// Whether it is an error.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary)?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        if let Some(range) = &self.range {
            write!(f, " ({range})")?;
        }
        Ok(())
    }
}

/// Any number of diagnostics, in the order in which they were found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// None.
    pub fn new() -> Diagnostics {
        Diagnostics::default()
    }

    /// One error.
    pub fn error(summary: impl Into<String>, detail: impl Into<String>) -> Diagnostics {
        Diagnostics(vec![Diagnostic::error(summary, detail)])
    }

    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Adds all of another collection.
    pub fn extend(&mut self, other: impl IntoIterator<Item = Diagnostic>) {
        self.0.extend(other);
    }

    /// Whether any of them is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(Diagnostic::is_error)
    }

    /// How many of them are errors.
    pub fn errors(&self) -> usize {
        self.0.iter().filter(|d| d.is_error()).count()
    }

    /// Whether there are none at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In order.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// Each changed by `f`.
    #[must_use]
    pub fn map(self, f: impl FnMut(Diagnostic) -> Diagnostic) -> Diagnostics {
        Diagnostics(self.0.into_iter().map(f).collect())
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(d: Diagnostic) -> Diagnostics {
        Diagnostics(vec![d])
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(iter: I) -> Diagnostics {
        Diagnostics(iter.into_iter().collect())
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, d) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            d.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}
