//! The difference between two values, line by line, in the notation that people know from the
//! peers: a symbol in the margin, `name = value` aligned, what stays the same hidden and counted.
//!
//! Blocks and their schemas are in [`super::block`], strings in [`super::strings`].

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use topo_sdk::{Kind, Step, Value};

use super::align::{Pair, list_difference, map_difference, set_difference};
use super::differ::{
    Differ, SENSITIVE, Tail, UNKNOWN, is_identifying, present, push_arrow, symbol,
};
use super::style::Symbol;
use super::text::{columns, key, quote};

/// A line of `key = value` to be written.
struct Entry<'v> {
    name: &'v Arc<str>,
    key: String,
    symbol: Symbol,
    pair: Pair<'v>,
}

impl Differ<'_> {
    /// The margin, the name padded to a width and `=`.
    pub fn open_row(
        &self,
        out: &mut String,
        symbol: Symbol,
        key: &str,
        width: usize,
        level: usize,
    ) {
        self.lead(out, level, symbol);
        out.push_str(key);
        for _ in columns(key)..width {
            out.push(' ');
        }
        out.push_str(" = ");
    }

    /// What stands behind `name = ` for a value that goes from `before` to `after`. `hidden` says
    /// that it is not to be shown whatever the values' marks are, `null` that `-> null` tells of
    /// its end.
    pub fn value(
        &mut self,
        out: &mut String,
        (before, after): Pair<'_>,
        hidden: bool,
        null: bool,
        level: usize,
    ) {
        let within = Tail {
            null: null && after.is_none(),
            forced: self.forced_within(),
        };
        let here = Tail {
            null: false,
            forced: self.forced_here(),
        };
        if hidden || self.hides(before) || self.hides(after) {
            out.push_str(SENSITIVE);
            return within.push(out);
        }
        match (before, after) {
            (None, None) => out.push_str("null"),
            (Some(b), None) => self.one(out, b, Symbol::Remove, level, within),
            (None, Some(a)) => self.one(out, a, Symbol::Add, level, within),
            (Some(_), Some(a)) if symbol(before, after) == Symbol::Same => {
                self.one(out, a, Symbol::Same, level, here);
            }
            (Some(b), Some(a)) => self.both(out, b, a, level, here),
        }
    }

    /// Two different values, or equal ones of which not the same parts are sensitive.
    pub fn both(
        &mut self,
        out: &mut String,
        before: &Value,
        after: &Value,
        level: usize,
        tail: Tail,
    ) {
        match (before.kind(), after.kind()) {
            (Kind::Map(_) | Kind::Object(_), Kind::Map(_) | Kind::Object(_)) => {
                let quoted =
                    matches!(before.kind(), Kind::Map(_)) || matches!(after.kind(), Kind::Map(_));
                let empty = BTreeMap::new();
                let b = before.as_map().unwrap_or(&empty);
                let a = after.as_map().unwrap_or(&empty);
                self.map(out, map_difference(b, a), quoted, level, tail);
            }
            (Kind::Set(b), Kind::Set(a)) => self.set(out, &b.items, &a.items, level, tail),
            (Kind::List(_) | Kind::Tuple(_), Kind::List(_) | Kind::Tuple(_)) => {
                let b = before.as_slice().unwrap_or_default();
                let a = after.as_slice().unwrap_or_default();
                self.list(out, b, a, level, tail);
            }
            (Kind::String(b), Kind::String(a)) if b != a => {
                self.strings(out, b, a, level, tail);
            }
            _ if before == after => self.one(out, after, Symbol::Same, level, tail),
            _ => {
                // What is shown opaquely forces replacement with everything in it.
                let tail = Tail {
                    forced: self.forced_within(),
                    ..tail
                };
                self.one(out, before, Symbol::Remove, level, Tail::default());
                push_arrow(out);
                self.one(out, after, Symbol::Add, level, tail);
            }
        }
    }

    /// A value all of which is added, removed or the same.
    pub fn one(
        &mut self,
        out: &mut String,
        value: &Value,
        symbol: Symbol,
        level: usize,
        tail: Tail,
    ) {
        if self.hides(Some(value)) {
            out.push_str(SENSITIVE);
            return tail.push(out);
        }
        match value.kind() {
            Kind::Null(_) => out.push_str("null"),
            Kind::Unknown(_) => out.push_str(UNKNOWN),
            Kind::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
            Kind::Number(n) => {
                // Writing to a string does not fail.
                let _ = write!(out, "{n}");
            }
            Kind::String(s) => return self.string(out, s, symbol, level, tail),
            Kind::List(_) | Kind::Set(_) | Kind::Tuple(_) => {
                let items = value.as_slice().unwrap_or_default();
                return self.items(out, items, symbol, level, tail);
            }
            Kind::Map(_) | Kind::Object(_) => {
                return self.entries(out, value, symbol, level, tail);
            }
        }
        tail.push(out);
    }

    fn items(
        &mut self,
        out: &mut String,
        items: &[Value],
        symbol: Symbol,
        level: usize,
        tail: Tail,
    ) {
        if items.is_empty() {
            out.push_str("[]");
            return tail.push(out);
        }
        self.open(out, '[', tail);
        for item in items {
            self.lead(out, level + 1, symbol);
            self.one(out, item, symbol, level + 1, Tail::default());
            out.push_str(",\n");
        }
        self.close(out, ']', level, tail);
    }

    fn entries(
        &mut self,
        out: &mut String,
        value: &Value,
        symbol: Symbol,
        level: usize,
        tail: Tail,
    ) {
        let quoted = matches!(value.kind(), Kind::Map(_));
        let rows: Vec<(String, &Value)> = value
            .as_map()
            .into_iter()
            .flatten()
            // A declared attribute that is null was left out by whoever wrote the object.
            .filter(|(_, v)| quoted || self.nulls || !v.is_null())
            .map(|(name, v)| (if quoted { quote(name) } else { key(name) }, v))
            .collect();
        if rows.is_empty() {
            out.push_str("{}");
            return tail.push(out);
        }
        let width = rows.iter().map(|(k, _)| columns(k)).max().unwrap_or(0);
        self.open(out, '{', tail);
        for (key, v) in rows {
            self.open_row(out, symbol, &key, width, level + 1);
            self.one(out, v, symbol, level + 1, Tail::default());
            out.push('\n');
        }
        self.close(out, '}', level, tail);
    }

    /// An opening bracket, with what it is said behind it.
    fn open(&self, out: &mut String, bracket: char, tail: Tail) {
        out.push(bracket);
        tail.push_forced(out);
        out.push('\n');
    }

    fn close(&self, out: &mut String, bracket: char, level: usize, tail: Tail) {
        self.lead(out, level, Symbol::Same);
        out.push(bracket);
        tail.push_null(out);
    }

    fn map(
        &mut self,
        out: &mut String,
        pairs: Vec<(&Arc<str>, Pair<'_>)>,
        quoted: bool,
        level: usize,
        tail: Tail,
    ) {
        let entries: Vec<Entry<'_>> = pairs
            .into_iter()
            .filter_map(|(name, (b, a))| {
                let pair = if quoted || self.nulls {
                    (b, a)
                } else {
                    (present(b), present(a))
                };
                (pair.0.is_some() || pair.1.is_some()).then(|| Entry {
                    name,
                    key: if quoted { quote(name) } else { key(name) },
                    symbol: symbol(pair.0, pair.1),
                    pair,
                })
            })
            .collect();
        let width = entries.iter().map(|e| columns(&e.key)).max().unwrap_or(0);
        let mut same = 0;
        self.open(out, '{', tail);
        for entry in entries {
            let identifying = !quoted && is_identifying(entry.name);
            if entry.symbol == Symbol::Same && !self.show_all && !identifying {
                same += 1;
                continue;
            }
            let name = entry.name.clone();
            self.path.push(if quoted {
                Step::Key(name)
            } else {
                Step::Attribute(name)
            });
            let (b, a) = entry.pair;
            self.sensitivity(out, b, a, "attribute value", level + 1);
            self.open_row(out, entry.symbol, &entry.key, width, level + 1);
            let all = self.show_all || identifying;
            self.showing(all, |d| d.value(out, (b, a), false, quoted, level + 1));
            out.push('\n');
            self.path.pop();
        }
        let noun = if quoted { "element" } else { "attribute" };
        self.hidden(out, same, noun, level + 1);
        self.close(out, '}', level, tail);
    }

    /// Sets: an element is there or not.
    fn set(
        &mut self,
        out: &mut String,
        before: &[Value],
        after: &[Value],
        level: usize,
        tail: Tail,
    ) {
        let mut same = 0;
        self.open(out, '[', tail);
        for (symbol, item) in set_difference(before, after) {
            if symbol == Symbol::Same && !self.show_all {
                same += 1;
                continue;
            }
            self.lead(out, level + 1, symbol);
            self.one(out, item, symbol, level + 1, Tail::default());
            out.push_str(",\n");
        }
        self.hidden(out, same, "element", level + 1);
        self.close(out, ']', level, tail);
    }

    /// Lists: what is around a change is shown, to show where it is.
    fn list(
        &mut self,
        out: &mut String,
        before: &[Value],
        after: &[Value],
        level: usize,
        tail: Tail,
    ) {
        let pairs = list_difference(before, after);
        let symbols: Vec<Symbol> = pairs.iter().map(|(b, a)| symbol(*b, *a)).collect();
        let changes = |i: usize| symbols.get(i).is_some_and(|s| *s != Symbol::Same);
        let mut same = 0;
        let mut index = 0;
        self.open(out, '[', tail);
        for (i, ((b, a), symbol)) in pairs.into_iter().zip(&symbols).enumerate() {
            let near = changes(i) || changes(i + 1) || i.checked_sub(1).is_some_and(changes);
            if !near && !self.show_all {
                same += 1;
                index += 1;
                continue;
            }
            self.hidden(out, std::mem::take(&mut same), "element", level + 1);
            self.path.push(Step::Index(index));
            self.sensitivity(out, b, a, "attribute value", level + 1);
            self.lead(out, level + 1, *symbol);
            // A removed element needs no `-> null`: the list just gets shorter.
            self.value(out, (b, a), false, false, level + 1);
            out.push_str(",\n");
            self.path.pop();
            index += usize::from(a.is_some());
        }
        self.hidden(out, same, "element", level + 1);
        self.close(out, ']', level, tail);
    }
}
