//! The difference between two values, line by line, in the notation that people know from the
//! peers: a symbol in the margin, `name = value` aligned, what stays the same hidden and counted.
//!
//! [`Differ::value`] returns what stands behind `name = `: its first line carries on the line of
//! the name, further lines are wholly indented. Blocks and their schemas are in
//! [`super::block`].

use std::collections::BTreeMap;
use std::sync::Arc;

use similar::{Algorithm, DiffOp, TextDiff, capture_diff_slices};
use topo_sdk::{Kind, Path, Step, Value, json};

use super::style::{DIM, RED, Symbol, paint};
use super::text::{count, key, quote, visible};

/// Shown in place of a value that is not known yet.
pub const UNKNOWN: &str = "(known after apply)";
/// Shown in place of a value that is not to be shown.
pub const SENSITIVE: &str = "(sensitive value)";

/// How many unchanged lines are shown around a changed one.
const CONTEXT: usize = 2;

/// Renders differences of one object.
pub struct Differ<'a> {
    /// The paths that force replacement.
    pub replace: &'a [Path],
    /// Show what does not change, too.
    pub show_all: bool,
    /// No margin for symbols: one state of an object rather than a difference.
    pub plain: bool,
    /// Where we are.
    pub path: Path,
}

/// A line of `key = value`.
pub struct Row {
    /// What stands in the margin.
    pub symbol: Symbol,
    /// The name, quoted where it has to be.
    pub key: String,
    /// The rest; further lines indented.
    pub text: String,
}

/// A value that is there: null counts as absent.
pub fn present(value: Option<&Value>) -> Option<&Value> {
    value.filter(|v| !v.is_null())
}

/// What happens between two values.
pub fn symbol(before: Option<&Value>, after: Option<&Value>) -> Symbol {
    match (present(before), present(after)) {
        (None, None) => Symbol::Same,
        (None, Some(_)) => Symbol::Add,
        (Some(_), None) => Symbol::Remove,
        (Some(b), Some(a)) if b == a => Symbol::Same,
        (Some(_), Some(_)) => Symbol::Change,
    }
}

impl<'a> Differ<'a> {
    /// For a change with these paths forcing replacement.
    pub fn new(replace: &'a [Path]) -> Differ<'a> {
        Differ {
            replace,
            show_all: false,
            plain: false,
            path: Path::root(),
        }
    }

    /// For one state of an object, without a margin.
    pub fn plain() -> Differ<'static> {
        Differ {
            replace: &[],
            show_all: true,
            plain: true,
            path: Path::root(),
        }
    }

    /// Indentation and margin.
    pub fn lead(&self, level: usize, symbol: Symbol) -> String {
        let margin = if self.plain {
            String::new()
        } else {
            symbol.margin()
        };
        format!("{}{margin}", "    ".repeat(level))
    }

    /// The rows below each other, names padded to one width.
    pub fn rows(&self, rows: &[Row], level: usize, out: &mut String) {
        let width = rows
            .iter()
            .map(|r| r.key.chars().count())
            .max()
            .unwrap_or(0);
        for row in rows {
            let pad = " ".repeat(width - row.key.chars().count());
            out.push_str(&format!(
                "{}{}{pad} = {}\n",
                self.lead(level, row.symbol),
                row.key,
                row.text
            ));
        }
    }

    /// A line that says how much is left out.
    pub fn hidden(&self, n: usize, noun: &str, level: usize, out: &mut String) {
        if n > 0 {
            let note = format!("# ({} hidden)", count(n, &format!("unchanged {noun}")));
            out.push_str(&format!(
                "{}{}\n",
                self.lead(level, Symbol::Same),
                paint(DIM, note)
            ));
        }
    }

    /// The text with a note where the current path forces replacement: on the first line, which
    /// opens a bracket when there are more.
    pub fn note_forced(&self, text: String) -> String {
        let one_line = !text.contains('\n');
        let forced = self.replace.iter().any(|p| {
            *p == self.path
                || (self.path.is_prefix_of(p)
                    && (one_line
                        || matches!(
                            p.steps().get(self.path.steps().len()),
                            Some(Step::Element(_))
                        )))
        });
        if !forced || self.path.is_root() {
            return text;
        }
        let note = paint(RED, "# forces replacement");
        match text.split_once('\n') {
            Some((first, rest)) => format!("{first} {note}\n{rest}"),
            None => format!("{text} {note}"),
        }
    }

    /// What stands behind `name = ` for a value that goes from `before` to `after`.
    pub fn value(
        &mut self,
        before: Option<&Value>,
        after: Option<&Value>,
        sensitive: bool,
        level: usize,
    ) -> String {
        let text = self.value_unmarked(present(before), present(after), sensitive, level);
        self.note_forced(text)
    }

    fn value_unmarked(
        &mut self,
        before: Option<&Value>,
        after: Option<&Value>,
        sensitive: bool,
        level: usize,
    ) -> String {
        let hidden = |v: Option<&Value>| v.is_some_and(Value::is_sensitive);
        if sensitive || hidden(before) || hidden(after) {
            return match after {
                None => format!("{SENSITIVE}{}", to_null()),
                Some(_) => SENSITIVE.into(),
            };
        }
        match (before, after) {
            (None, None) => "null".into(),
            (Some(b), None) => format!("{}{}", self.one(b, Symbol::Remove, level), to_null()),
            (None, Some(a)) => self.one(a, Symbol::Add, level),
            (Some(b), Some(a)) if b == a => self.one(b, Symbol::Same, level),
            (Some(b), Some(a)) => self.both(b, a, level),
        }
    }

    /// Two different values.
    fn both(&mut self, before: &Value, after: &Value, level: usize) -> String {
        match (before.kind(), after.kind()) {
            (Kind::Map(_) | Kind::Object(_), Kind::Map(_) | Kind::Object(_)) => {
                let quoted =
                    matches!(before.kind(), Kind::Map(_)) || matches!(after.kind(), Kind::Map(_));
                let empty = BTreeMap::new();
                let b = before.as_map().unwrap_or(&empty);
                let a = after.as_map().unwrap_or(&empty);
                self.map(b, a, quoted, level)
            }
            (Kind::Set(b), Kind::Set(a)) => self.set(&b.items, &a.items, level),
            (Kind::List(_) | Kind::Tuple(_), Kind::List(_) | Kind::Tuple(_)) => {
                let b = before.as_slice().unwrap_or_default();
                let a = after.as_slice().unwrap_or_default();
                self.list(b, a, level)
            }
            (Kind::String(b), Kind::String(a)) => self.strings(b, a, level),
            _ => format!(
                "{}{}{}",
                self.one(before, Symbol::Remove, level),
                arrow(),
                self.one(after, Symbol::Add, level)
            ),
        }
    }

    fn strings(&mut self, before: &str, after: &str, level: usize) -> String {
        if let (Some(b), Some(a)) = (json_text(before), json_text(after)) {
            if b == a {
                let text = self.jsonencode(&a, &a, level);
                return format!("{text} {}", paint(DIM, "# whitespace changes"));
            }
            return self.jsonencode(&b, &a, level);
        }
        if !before.contains('\n') && !after.contains('\n') {
            return format!("{}{}{}", quote(before), arrow(), quote(after));
        }
        let mut out = String::from("<<-EOT\n");
        let diff = TextDiff::from_lines(before, after);
        let mut shown = 0;
        let groups = diff.grouped_ops(CONTEXT);
        for group in &groups {
            let start = group.first().map_or(0, |op| op.old_range().start);
            self.hidden(start.saturating_sub(shown), "line", level + 1, &mut out);
            for op in group {
                for change in diff.iter_changes(op) {
                    let symbol = match change.tag() {
                        similar::ChangeTag::Equal => Symbol::Same,
                        similar::ChangeTag::Delete => Symbol::Remove,
                        similar::ChangeTag::Insert => Symbol::Add,
                    };
                    let line = change.value().trim_end_matches(['\n', '\r']);
                    self.heredoc_line(line, symbol, level, &mut out);
                }
            }
            shown = group.last().map_or(shown, |op| op.old_range().end);
        }
        let total = before.lines().count();
        self.hidden(total.saturating_sub(shown), "line", level + 1, &mut out);
        out.push_str(&format!("{}EOT", self.lead(level, Symbol::Same)));
        out
    }

    fn heredoc_line(&self, line: &str, symbol: Symbol, level: usize, out: &mut String) {
        let text = format!("{}{}", self.lead(level + 1, symbol), visible(line));
        out.push_str(text.trim_end());
        out.push('\n');
    }

    fn jsonencode(&mut self, before: &Value, after: &Value, level: usize) -> String {
        let symbol = symbol(Some(before), Some(after));
        // The document is one value at this path; nothing inside it forces anything by itself.
        let replace = std::mem::take(&mut self.replace);
        let inner = if before == after {
            self.one(after, Symbol::Same, level + 1)
        } else {
            self.both(before, after, level + 1)
        };
        self.replace = replace;
        format!(
            "jsonencode(\n{}{inner}\n{})",
            self.lead(level + 1, symbol),
            self.lead(level, Symbol::Same)
        )
    }

    /// A value all of which is added, removed or the same.
    pub fn one(&mut self, value: &Value, symbol: Symbol, level: usize) -> String {
        if value.is_sensitive() {
            return SENSITIVE.into();
        }
        match value.kind() {
            Kind::Null(_) => "null".into(),
            Kind::Unknown(_) => UNKNOWN.into(),
            Kind::Bool(b) => b.to_string(),
            Kind::Number(n) => n.to_string(),
            Kind::String(s) => self.one_string(s, symbol, level),
            Kind::List(_) | Kind::Set(_) | Kind::Tuple(_) => {
                let items = value.as_slice().unwrap_or_default();
                if items.is_empty() {
                    return "[]".into();
                }
                let mut out = String::from("[\n");
                for item in items {
                    let text = self.one(item, symbol, level + 1);
                    out.push_str(&format!("{}{text},\n", self.lead(level + 1, symbol)));
                }
                out.push_str(&format!("{}]", self.lead(level, Symbol::Same)));
                out
            }
            Kind::Map(_) | Kind::Object(_) => {
                let quoted = matches!(value.kind(), Kind::Map(_));
                let mut rows = Vec::new();
                for (name, v) in value.as_map().into_iter().flatten() {
                    // An attribute of an object that is null was left out by whoever wrote it.
                    if v.is_null() && !quoted {
                        continue;
                    }
                    rows.push(Row {
                        symbol,
                        key: if quoted { quote(name) } else { key(name) },
                        text: self.one(v, symbol, level + 1),
                    });
                }
                if rows.is_empty() {
                    return "{}".into();
                }
                let mut out = String::from("{\n");
                self.rows(&rows, level + 1, &mut out);
                out.push_str(&format!("{}}}", self.lead(level, Symbol::Same)));
                out
            }
        }
    }

    fn one_string(&mut self, text: &str, symbol: Symbol, level: usize) -> String {
        if let Some(document) = json_text(text) {
            let inner = self.one(&document, symbol, level + 1);
            return format!(
                "jsonencode(\n{}{inner}\n{})",
                self.lead(level + 1, Symbol::Same),
                self.lead(level, Symbol::Same)
            );
        }
        if !text.contains('\n') {
            return quote(text);
        }
        let mut out = String::from("<<-EOT\n");
        for line in text.lines() {
            self.heredoc_line(line, Symbol::Same, level, &mut out);
        }
        out.push_str(&format!("{}EOT", self.lead(level, Symbol::Same)));
        out
    }

    fn map(
        &mut self,
        before: &BTreeMap<Arc<str>, Value>,
        after: &BTreeMap<Arc<str>, Value>,
        quoted: bool,
        level: usize,
    ) -> String {
        let mut rows = Vec::new();
        let mut same = 0;
        let mut names: Vec<&Arc<str>> = before.keys().chain(after.keys()).collect();
        names.sort();
        names.dedup();
        for name in names {
            let (b, a) = (before.get(name), after.get(name));
            if present(b).is_none() && present(a).is_none() {
                continue;
            }
            let symbol = symbol(b, a);
            if symbol == Symbol::Same && !self.show_all {
                same += 1;
                continue;
            }
            self.path.push(if quoted {
                Step::Key(name.clone())
            } else {
                Step::Attribute(name.clone())
            });
            rows.push(Row {
                symbol,
                key: if quoted { quote(name) } else { key(name) },
                text: self.value(b, a, false, level + 1),
            });
            self.path.pop();
        }
        let mut out = String::from("{\n");
        self.rows(&rows, level + 1, &mut out);
        let noun = if quoted { "element" } else { "attribute" };
        self.hidden(same, noun, level + 1, &mut out);
        out.push_str(&format!("{}}}", self.lead(level, Symbol::Same)));
        out
    }

    /// Sets: an element is there or not.
    fn set(&mut self, before: &[Value], after: &[Value], level: usize) -> String {
        let mut out = String::from("[\n");
        let mut same = 0;
        for (symbol, item) in set_difference(before, after) {
            if symbol == Symbol::Same && !self.show_all {
                same += 1;
                continue;
            }
            let text = self.one(item, symbol, level + 1);
            out.push_str(&format!("{}{text},\n", self.lead(level + 1, symbol)));
        }
        self.hidden(same, "element", level + 1, &mut out);
        out.push_str(&format!("{}]", self.lead(level, Symbol::Same)));
        out
    }

    fn list(&mut self, before: &[Value], after: &[Value], level: usize) -> String {
        let steps = list_difference(before, after);
        let changed: Vec<bool> = steps
            .iter()
            .map(|(b, a)| symbol(*b, *a) != Symbol::Same)
            .collect();
        let near = |i: usize| {
            let from = i.saturating_sub(1);
            changed.iter().skip(from).take(i + 2 - from).any(|c| *c)
        };
        let mut out = String::from("[\n");
        let mut same = 0;
        let mut index = 0;
        for (i, (b, a)) in steps.into_iter().enumerate() {
            let symbol = symbol(b, a);
            if symbol == Symbol::Same && !self.show_all && !near(i) {
                same += 1;
                index += 1;
                continue;
            }
            self.hidden(std::mem::take(&mut same), "element", level + 1, &mut out);
            self.path.push(Step::Index(index));
            // A removed element needs no `-> null`: the list just gets shorter.
            let text = match (b, a) {
                (Some(b), None) => {
                    let text = self.one(b, Symbol::Remove, level + 1);
                    self.note_forced(text)
                }
                (b, a) => self.value(b, a, false, level + 1),
            };
            self.path.pop();
            index += usize::from(a.is_some());
            out.push_str(&format!("{}{text},\n", self.lead(level + 1, symbol)));
        }
        self.hidden(same, "element", level + 1, &mut out);
        out.push_str(&format!("{}]", self.lead(level, Symbol::Same)));
        out
    }
}

/// The elements of two sets, in order, each with what becomes of it.
pub fn set_difference<'v>(before: &'v [Value], after: &'v [Value]) -> Vec<(Symbol, &'v Value)> {
    // Both are sorted by the same order, so this is a merge.
    let (mut b, mut a) = (before.iter().peekable(), after.iter().peekable());
    let mut out = Vec::with_capacity(before.len().max(after.len()));
    loop {
        match (b.peek(), a.peek()) {
            (None, None) => return out,
            (Some(x), None) => {
                out.push((Symbol::Remove, *x));
                b.next();
            }
            (None, Some(y)) => {
                out.push((Symbol::Add, *y));
                a.next();
            }
            (Some(x), Some(y)) => match x.total_cmp(y) {
                std::cmp::Ordering::Less => {
                    out.push((Symbol::Remove, *x));
                    b.next();
                }
                std::cmp::Ordering::Greater => {
                    out.push((Symbol::Add, *y));
                    a.next();
                }
                std::cmp::Ordering::Equal => {
                    out.push((Symbol::Same, *y));
                    b.next();
                    a.next();
                }
            },
        }
    }
}

/// The elements of two lists side by side: kept ones are found by their longest common
/// subsequence; where objects give way to objects they are paired, to show what changes in them.
pub fn list_difference<'v>(
    before: &'v [Value],
    after: &'v [Value],
) -> Vec<(Option<&'v Value>, Option<&'v Value>)> {
    let mut order: Vec<&Value> = before.iter().chain(after).collect();
    order.sort_by(|x, y| x.total_cmp(y));
    order.dedup_by(|x, y| x.total_cmp(y).is_eq());
    let rank = |v: &Value| {
        order
            .binary_search_by(|probe| probe.total_cmp(v))
            .unwrap_or(0)
    };
    let old: Vec<usize> = before.iter().map(rank).collect();
    let new: Vec<usize> = after.iter().map(rank).collect();
    let structural = |v: &Value| v.as_map().is_some();
    let mut out = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, &old, &new) {
        let olds = before.get(op.old_range()).unwrap_or_default();
        let news = after.get(op.new_range()).unwrap_or_default();
        let paired = match op {
            DiffOp::Equal { .. } => olds.len(),
            DiffOp::Replace { .. } => olds
                .iter()
                .zip(news)
                .take_while(|(x, y)| structural(x) && structural(y))
                .count(),
            DiffOp::Delete { .. } | DiffOp::Insert { .. } => 0,
        };
        out.extend(
            olds.iter()
                .zip(news)
                .take(paired)
                .map(|(x, y)| (Some(x), Some(y))),
        );
        out.extend(olds.iter().skip(paired).map(|x| (Some(x), None)));
        out.extend(news.iter().skip(paired).map(|y| (None, Some(y))));
    }
    out
}

/// The document in a string that holds a JSON object or array.
fn json_text(text: &str) -> Option<Value> {
    let start = text.trim_start();
    if !start.starts_with(['{', '[']) {
        return None;
    }
    let document: serde_json::Value = serde_json::from_str(text).ok()?;
    let empty = match &document {
        serde_json::Value::Object(o) => o.is_empty(),
        serde_json::Value::Array(a) => a.is_empty(),
        _ => return None,
    };
    (!empty).then(|| json::from_json(&document))
}

fn arrow() -> String {
    format!(" {} ", paint(super::style::YELLOW, "->"))
}

fn to_null() -> String {
    format!(" {}", paint(DIM, "-> null"))
}
