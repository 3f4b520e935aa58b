//! Arguments and blocks of known names: what is missing, too much or of the wrong type is told.

use std::str::FromStr;

use topo_engine::lang::eval::evaluate;
use topo_engine::lang::structure::{Block, Content, Source};
use topo_sdk::{Diagnostic, SourceRange, Value};

use super::Decoder;

impl Decoder<'_> {
    pub(super) fn error(&mut self, range: SourceRange, summary: &str, detail: impl Into<String>) {
        self.diagnostics
            .push(Diagnostic::error(summary, detail).with_range(Some(range)));
    }

    /// The content of a body, with complaints about what is not expected in it.
    pub(super) fn content<'b>(
        &mut self,
        block: &Block<'b>,
        attributes: &[&str],
        blocks: &[(&str, Option<usize>)],
    ) -> Content<'b> {
        let content = block.body.content(blocks, self.diagnostics);
        self.only(&content, attributes, blocks);
        content
    }

    pub(super) fn only(
        &mut self,
        content: &Content<'_>,
        attributes: &[&str],
        blocks: &[(&str, Option<usize>)],
    ) {
        for a in &content.attributes {
            if !attributes.contains(&a.name) {
                let detail = format!("An argument named {:?} is not expected here.", a.name);
                self.error(a.name_range(), "Unsupported argument", detail);
            }
        }
        for b in &content.blocks {
            if !blocks.iter().any(|(kind, _)| *kind == b.kind) {
                let detail = format!("Blocks of type {:?} are not expected here.", b.kind);
                self.error(b.kind_range(), "Unsupported block type", detail);
            }
        }
    }

    /// The only block of a kind that may be there once.
    pub(super) fn one<'c, 'b>(
        &mut self,
        content: &'c Content<'b>,
        kind: &'c str,
    ) -> Option<&'c Block<'b>> {
        let mut all = content.of(kind);
        let first = all.next();
        if let Some(more) = all.next() {
            self.error(
                more.header(),
                &format!("Multiple {kind:?} blocks"),
                format!("There may be one {kind:?} block here only."),
            );
        }
        first
    }

    pub(super) fn bool(&mut self, content: &Content<'_>, name: &str, default: bool) -> bool {
        let Some(a) = content.get(name) else {
            return default;
        };
        match self.constant(&a.value).as_ref().and_then(Value::as_bool) {
            Some(b) => b,
            None => {
                let detail = format!("The argument {name:?} must be true or false.");
                self.error(a.value.range(), "Unsuitable value type", detail);
                default
            }
        }
    }

    pub(super) fn text(&mut self, content: &Content<'_>, name: &str) -> Option<String> {
        let a = content.get(name)?;
        let text = self.constant(&a.value);
        let text = text.as_ref().and_then(Value::as_str).map(str::to_string);
        if text.is_none() {
            let detail = format!("The argument {name:?} must be a constant string.");
            self.error(a.value.range(), "Unsuitable value type", detail);
        }
        text
    }

    /// The value of an expression that refers to nothing.
    pub(super) fn constant(&mut self, source: &Source<'_>) -> Option<Value> {
        let e = source.expression(&[], self.diagnostics);
        match evaluate(&e, self.constants) {
            Ok(v) => Some(v),
            Err(d) => {
                self.diagnostics.push(*d);
                None
            }
        }
    }

    /// One of some words, written without quotes.
    pub(super) fn keyword<T: Copy>(
        &mut self,
        content: &Content<'_>,
        name: &str,
        words: &[(&str, T)],
    ) -> Option<T> {
        let a = content.get(name)?;
        let text = written(&a.value);
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let words: Vec<&str> = words.iter().map(|(w, _)| *w).collect();
            let detail = format!(
                "The argument {name:?} requires one of the following keywords without quotes: {}.",
                words.join(" or ")
            );
            self.error(
                a.value.range(),
                &format!("Invalid {name:?} keyword"),
                detail,
            );
        }
        found.map(|(_, t)| *t)
    }

    pub(super) fn list<'b>(&mut self, content: &Content<'b>, name: &str) -> Vec<Source<'b>> {
        let Some(a) = content.get(name) else {
            return Vec::new();
        };
        a.value.list().unwrap_or_else(|| {
            let detail = format!("The argument {name:?} must be a list.");
            self.error(a.value.range(), "Unsuitable value type", detail);
            Vec::new()
        })
    }

    pub(super) fn addresses<T: FromStr>(&mut self, content: &Content<'_>, name: &str) -> Vec<T>
    where
        T::Err: std::fmt::Display,
    {
        let mut found = Vec::new();
        for source in self.list(content, name) {
            match written(&source).parse() {
                Ok(address) => found.push(address),
                Err(e) => {
                    self.error(source.range(), "Invalid address", format!("{e}."));
                }
            }
        }
        found
    }
}

/// What is written, without spaces: in JSON, in a string.
pub(super) fn written(source: &Source<'_>) -> String {
    match source.json_value() {
        Some(value) => value.as_str().unwrap_or_default().to_string(),
        None => source.file.slice(source.span()).trim().to_string(),
    }
}
