//! The difference between two objects of a schema: attributes as `name = value`, nested blocks
//! as blocks.

use std::collections::BTreeMap;
use std::sync::Arc;

use topo_sdk::schema::{Attribute, Block, NestedBlock, Nesting};
use topo_sdk::{Kind, Step, Type, Value};

use super::align::{Pair, list_difference, map_difference, set_difference};
use super::differ::{Differ, Tail, UNKNOWN, WRITE_ONLY, is_identifying, present, symbol};
use super::style::Symbol;
use super::text::{columns, push_quoted};

/// An attribute that has a value, or had one.
struct Row<'v> {
    name: &'v Arc<str>,
    attribute: &'v Attribute,
    symbol: Symbol,
    pair: Pair<'v>,
}

/// A nested block.
struct Child<'v> {
    label: Option<&'v str>,
    step: Option<Step>,
    pair: Pair<'v>,
}

impl Differ<'_> {
    /// A body from `{` to `}`. `forced` says that the block forces replacement as one of its kind.
    pub fn body(
        &mut self,
        out: &mut String,
        block: &Block,
        pair: Pair<'_>,
        forced: bool,
        level: usize,
    ) {
        let (before, after) = (present(pair.0), present(pair.1));
        out.push('{');
        let forced = forced || self.forced_here();
        Tail {
            null: false,
            forced,
        }
        .push_forced(out);
        out.push('\n');
        let start = out.len();
        if self.hides(before) || self.hides(after) {
            for line in [
                "# At least one attribute in this block is (or was) sensitive,",
                "# so its contents will not be displayed.",
            ] {
                self.note(out, line, level + 1);
            }
        } else {
            let any = self.attributes(out, block, (before, after), level + 1);
            self.blocks(out, block, (before, after), any, level + 1);
        }
        if out.len() == start {
            out.pop();
        } else {
            self.lead(out, level, Symbol::Same);
        }
        out.push('}');
    }

    /// The attributes; whether there are any.
    fn attributes(
        &mut self,
        out: &mut String,
        block: &Block,
        pair: Pair<'_>,
        level: usize,
    ) -> bool {
        let rows = self.rows(block, pair);
        let width = rows.iter().map(|r| columns(r.name)).max().unwrap_or(0);
        let mut same = 0;
        for row in &rows {
            self.path.push(Step::Attribute(row.name.clone()));
            let identifying = is_identifying(row.name);
            let shown = row.symbol != Symbol::Same || self.show_all || identifying;
            if shown || self.forced_within() {
                self.attribute(out, row, width, level, self.show_all || identifying);
            } else {
                same += 1;
            }
            self.path.pop();
        }
        self.hidden(out, same, "attribute", level);
        !rows.is_empty()
    }

    fn rows<'v>(&self, block: &'v Block, (before, after): Pair<'v>) -> Vec<Row<'v>> {
        let whole = symbol(before, after);
        let row = |(name, attribute): (&'v Arc<str>, &'v Attribute)| {
            if attribute.write_only {
                // Its value is nowhere, so it goes with the object.
                let symbol = if self.sends { whole } else { Symbol::Same };
                return Some(Row {
                    name,
                    attribute,
                    symbol,
                    pair: (None, None),
                });
            }
            let b = present(before.and_then(|v| v.get(name)));
            let a = present(after.and_then(|v| v.get(name)));
            if b.is_none() && a.is_none() {
                return None;
            }
            let symbol = match (b, a) {
                // It is sensitive before and after, marked or not.
                (Some(b), Some(a)) if attribute.sensitive && b == a => Symbol::Same,
                _ => symbol(b, a),
            };
            Some(Row {
                name,
                attribute,
                symbol,
                pair: (b, a),
            })
        };
        block.attributes.iter().filter_map(row).collect()
    }

    fn attribute(
        &mut self,
        out: &mut String,
        row: &Row<'_>,
        width: usize,
        level: usize,
        all: bool,
    ) {
        let attribute = row.attribute;
        if !attribute.sensitive {
            self.sensitivity(out, row.pair.0, row.pair.1, "attribute value", level);
        }
        self.open_row(out, row.symbol, row.name, width, level);
        if attribute.write_only {
            out.push_str(WRITE_ONLY);
            let tail = Tail {
                null: row.symbol == Symbol::Remove,
                forced: self.forced_within(),
            };
            tail.push(out);
        } else {
            let hidden = attribute.sensitive && !self.show_sensitive;
            let nulls = std::mem::replace(&mut self.nulls, attribute.ty == Type::Dynamic);
            self.showing(all, |d| d.value(out, row.pair, hidden, true, level));
            self.nulls = nulls;
        }
        out.push('\n');
    }

    fn blocks(
        &mut self,
        out: &mut String,
        block: &Block,
        (before, after): Pair<'_>,
        mut gap: bool,
        level: usize,
    ) {
        let mut same = 0;
        for (name, nested) in &block.blocks {
            let b = any(nested, before.and_then(|v| v.get(name)));
            let a = any(nested, after.and_then(|v| v.get(name)));
            self.path.push(Step::Attribute(name.clone()));
            let group = nested.nesting != Nesting::Single && self.forced_here();
            let mut first = true;
            for child in self.children(nested, b, a) {
                let symbol = symbol(child.pair.0, child.pair.1);
                if symbol == Symbol::Same && !self.show_all {
                    same += 1;
                    continue;
                }
                if first && gap {
                    out.push('\n');
                }
                (first, gap) = (false, true);
                self.child(out, name, nested, child, symbol, group, level);
            }
            self.path.pop();
        }
        if same > 0 {
            if gap {
                out.push('\n');
            }
            self.hidden(out, same, "block", level);
        }
    }

    #[expect(clippy::too_many_arguments)] // one line of text is made of all of them
    fn child(
        &mut self,
        out: &mut String,
        name: &str,
        nested: &NestedBlock,
        child: Child<'_>,
        symbol: Symbol,
        forced: bool,
        level: usize,
    ) {
        let (before, after) = child.pair;
        self.sensitivity(out, before, after, "block", level);
        self.lead(out, level, symbol);
        out.push_str(name);
        if let Some(label) = child.label {
            out.push(' ');
            push_quoted(out, label);
        }
        out.push(' ');
        let stepped = child.step.is_some();
        if let Some(step) = child.step {
            self.path.push(step);
        }
        if after.is_some_and(|v| !v.is_known()) {
            out.push_str(UNKNOWN);
            let tail = Tail {
                null: false,
                forced: forced || self.forced_within(),
            };
            tail.push_forced(out);
        } else {
            self.body(out, &nested.block, child.pair, forced, level);
        }
        if stepped {
            self.path.pop();
        }
        out.push('\n');
    }

    fn children<'v>(
        &self,
        nested: &NestedBlock,
        before: Option<&'v Value>,
        after: Option<&'v Value>,
    ) -> Vec<Child<'v>> {
        let whole = |pair| Child {
            label: None,
            step: None,
            pair,
        };
        // How many there will be is not known: what there is goes, what comes is one line.
        if after.is_some_and(|v| !v.is_known()) && nested.nesting != Nesting::Single {
            let mut all = self.children(nested, before, None);
            all.push(whole((None, after)));
            return all;
        }
        // A whole collection that is marked hides what is in it: one body that says so.
        let marked = self.hides(before) || self.hides(after);
        if nested.nesting == Nesting::Single || marked {
            let any = before.is_some() || after.is_some();
            return any.then(|| whole((before, after))).into_iter().collect();
        }
        let items = |v: Option<&'v Value>| v.and_then(Value::as_slice).unwrap_or_default();
        match nested.nesting {
            Nesting::Single | Nesting::List => {
                let mut index = 0;
                list_difference(items(before), items(after))
                    .into_iter()
                    .map(|pair| {
                        let step = Some(Step::Index(index));
                        index += usize::from(pair.1.is_some());
                        Child {
                            label: None,
                            step,
                            pair,
                        }
                    })
                    .collect()
            }
            Nesting::Set => set_difference(items(before), items(after))
                .into_iter()
                .map(|(symbol, item)| Child {
                    label: None,
                    step: Some(Step::Element(Box::new(item.clone()))),
                    pair: (
                        (symbol != Symbol::Add).then_some(item),
                        (symbol != Symbol::Remove).then_some(item),
                    ),
                })
                .collect(),
            Nesting::Map => map_difference(entries(before), entries(after))
                .into_iter()
                .map(|(name, pair)| Child {
                    label: Some(name),
                    step: Some(Step::Key(name.clone())),
                    pair,
                })
                .collect(),
        }
    }
}

/// The blocks of a kind, where there are any.
fn any<'v>(nested: &NestedBlock, value: Option<&'v Value>) -> Option<&'v Value> {
    let none = |v: &Value| {
        v.as_slice().is_some_and(<[Value]>::is_empty)
            || (nested.nesting == Nesting::Map && v.as_map().is_some_and(BTreeMap::is_empty))
    };
    present(value).filter(|v| !none(v))
}

static NONE: BTreeMap<Arc<str>, Value> = BTreeMap::new();

fn entries(value: Option<&Value>) -> &BTreeMap<Arc<str>, Value> {
    match value.map(Value::kind) {
        Some(Kind::Map(m)) => &m.entries,
        Some(Kind::Object(o)) => o,
        _ => &NONE,
    }
}
