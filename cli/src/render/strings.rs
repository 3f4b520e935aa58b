//! The difference between two strings: lines of a long text, and what is in a JSON document.

use similar::{Algorithm, ChangeTag, TextDiff};
use topo_sdk::{Value, json};

use super::align::LONGEST_SEARCH;
use super::differ::{Differ, Tail, push_arrow};
use super::style::{DIM, Symbol, push_painted};
use super::text::{push_quoted, push_visible};

/// How many unchanged lines are shown around a changed one.
const CONTEXT: usize = 3;

/// Whether a string holds a JSON object or array.
pub fn is_document(text: &str) -> bool {
    document(text).is_some()
}

/// The document in a string that holds a JSON object or array.
fn document(text: &str) -> Option<Value> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let document: serde_json::Value = serde_json::from_str(text).ok()?;
    Some(json::from_json(&document))
}

fn is_empty(document: &Value) -> bool {
    document.as_slice().is_some_and(<[Value]>::is_empty)
        || document.as_map().is_some_and(|m| m.is_empty())
}

/// What differs between two texts that hold the same document.
fn notation(before: &str, after: &str) -> &'static str {
    let bare = |text: &str| -> String { text.split_whitespace().collect() };
    match (before == after, bare(before) == bare(after)) {
        (true, _) => "",
        (false, true) => "whitespace changes",
        (false, false) => "order of keys or notation changes",
    }
}

impl Differ<'_> {
    /// A string that gives way to another.
    pub fn strings(
        &mut self,
        out: &mut String,
        before: &str,
        after: &str,
        level: usize,
        tail: Tail,
    ) {
        match (document(before), document(after)) {
            (Some(b), Some(a)) => {
                let same = if b == a { notation(before, after) } else { "" };
                self.documents(out, (&b, &a), same, level, tail);
            }
            (None, None) if before.contains('\n') || after.contains('\n') => {
                self.lines(out, before, after, level, tail);
            }
            _ => {
                self.string(out, before, Symbol::Remove, level, Tail::default());
                push_arrow(out);
                self.string(out, after, Symbol::Add, level, tail);
            }
        }
    }

    /// A string all of which is added, removed or the same.
    pub fn string(
        &mut self,
        out: &mut String,
        text: &str,
        symbol: Symbol,
        level: usize,
        tail: Tail,
    ) {
        if let Some(document) = document(text) {
            return self.document(out, &document, symbol, level, tail);
        }
        if !text.contains('\n') {
            push_quoted(out, text);
            return tail.push(out);
        }
        out.push_str("<<-EOT");
        tail.push_forced(out);
        out.push('\n');
        for line in lines(text) {
            self.line(out, line, Symbol::Same, level);
        }
        self.lead(out, level, Symbol::Same);
        out.push_str("EOT");
        tail.push_null(out);
    }

    fn document(
        &mut self,
        out: &mut String,
        document: &Value,
        symbol: Symbol,
        level: usize,
        tail: Tail,
    ) {
        out.push_str("jsonencode(");
        if is_empty(document) {
            self.within(|d| d.one(out, document, symbol, level, Tail::default()));
            out.push(')');
            return tail.push(out);
        }
        out.push('\n');
        self.lead(out, level + 1, Symbol::Same);
        self.within(|d| d.one(out, document, symbol, level + 1, Tail::default()));
        tail.push_forced(out);
        out.push('\n');
        self.lead(out, level, Symbol::Same);
        out.push(')');
        tail.push_null(out);
    }

    /// Two documents, or the same one twice with what differs in the texts.
    fn documents(
        &mut self,
        out: &mut String,
        (before, after): (&Value, &Value),
        same: &str,
        level: usize,
        tail: Tail,
    ) {
        out.push_str("jsonencode(");
        if !same.is_empty() {
            out.push(' ');
            push_painted(out, DIM, format!("# {same}"));
        }
        out.push('\n');
        let symbol = if same.is_empty() {
            Symbol::Change
        } else {
            Symbol::Same
        };
        self.lead(out, level + 1, symbol);
        self.within(|d| {
            if same.is_empty() {
                d.both(out, before, after, level + 1, Tail::default());
            } else {
                d.one(out, after, Symbol::Same, level + 1, Tail::default());
            }
        });
        tail.push_forced(out);
        out.push('\n');
        self.lead(out, level, Symbol::Same);
        out.push(')');
    }

    /// Does something inside a document, which is one value at this path: nothing in it forces
    /// anything by itself, and its nulls are written in it.
    fn within(&mut self, work: impl FnOnce(&mut Self)) {
        let replace = std::mem::take(&mut self.replace);
        let nulls = std::mem::replace(&mut self.nulls, true);
        work(self);
        (self.replace, self.nulls) = (replace, nulls);
    }

    /// Two texts, line by line.
    fn lines(&mut self, out: &mut String, before: &str, after: &str, level: usize, tail: Tail) {
        out.push_str("<<-EOT");
        tail.push_forced(out);
        out.push('\n');
        let (olds, news) = (lines(before), lines(after));
        let diff = TextDiff::configure()
            .algorithm(Algorithm::Myers)
            .timeout(LONGEST_SEARCH)
            .diff_slices(&olds, &news);
        let context = if self.show_all { olds.len() } else { CONTEXT };
        let mut shown = 0;
        for group in &diff.grouped_ops(context) {
            let start = group.first().map_or(0, |op| op.old_range().start);
            self.hidden(out, start.saturating_sub(shown), "line", level + 1);
            for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
                let symbol = match change.tag() {
                    ChangeTag::Equal => Symbol::Same,
                    ChangeTag::Delete => Symbol::Remove,
                    ChangeTag::Insert => Symbol::Add,
                };
                self.line(out, change.value(), symbol, level);
            }
            shown = group.last().map_or(shown, |op| op.old_range().end);
        }
        self.hidden(out, olds.len().saturating_sub(shown), "line", level + 1);
        match (before.ends_with('\n'), after.ends_with('\n')) {
            (false, true) => self.note(out, "# (line break at the end added)", level + 1),
            (true, false) => self.note(out, "# (line break at the end removed)", level + 1),
            _ => {}
        }
        self.lead(out, level, Symbol::Same);
        out.push_str("EOT");
    }

    fn line(&self, out: &mut String, line: &str, symbol: Symbol, level: usize) {
        if !line.is_empty() || symbol != Symbol::Same {
            self.lead(out, level + 1, symbol);
            push_visible(out, line);
        }
        out.push('\n');
    }
}

/// The lines of a text, without what ends them.
fn lines(text: &str) -> Vec<&str> {
    if text.is_empty() {
        return Vec::new();
    }
    text.strip_suffix('\n')
        .unwrap_or(text)
        .split('\n')
        .collect()
}
