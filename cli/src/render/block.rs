//! The difference between two objects of a schema: attributes as `name = value`, nested blocks
//! as blocks.

use std::collections::BTreeMap;

use topo_sdk::schema::{Block, NestedBlock, Nesting};
use topo_sdk::{Kind, Step, Value};

use super::style::{DIM, Symbol, paint};
use super::text::quote;
use super::value::{Differ, Row, UNKNOWN, list_difference, present, set_difference, symbol};

/// Attributes by which people recognise an object: shown though they stay the same.
const IDENTIFYING: [&str; 3] = ["id", "name", "tags"];

/// A nested block that is shown.
struct Child<'v> {
    label: Option<&'v str>,
    step: Step,
    before: Option<&'v Value>,
    after: Option<&'v Value>,
}

impl Differ<'_> {
    /// A body from `{` to `}`. The line it starts on is the caller's.
    pub fn body(
        &mut self,
        block: &Block,
        before: Option<&Value>,
        after: Option<&Value>,
        level: usize,
    ) -> String {
        let (before, after) = (present(before), present(after));
        let mut out = self.note_forced("{\n".into());
        if [before, after]
            .into_iter()
            .flatten()
            .any(Value::is_sensitive)
        {
            let note = "# At least one attribute in this block is (or was) sensitive,\n# so its contents will not be displayed.";
            for line in note.lines() {
                out.push_str(&format!(
                    "{}{}\n",
                    self.lead(level + 1, Symbol::Same),
                    paint(DIM, line)
                ));
            }
        } else {
            let any = self.attributes(block, before, after, level + 1, &mut out);
            self.blocks(block, before, after, level + 1, any, &mut out);
        }
        out.push_str(&format!("{}}}", self.lead(level, Symbol::Same)));
        out
    }

    /// The attributes; whether there was anything to show.
    fn attributes(
        &mut self,
        block: &Block,
        before: Option<&Value>,
        after: Option<&Value>,
        level: usize,
        out: &mut String,
    ) -> bool {
        let mut rows = Vec::new();
        let mut same = 0;
        for (name, attribute) in &block.attributes {
            let b = present(before.and_then(|v| v.get(name)));
            let a = present(after.and_then(|v| v.get(name)));
            if b.is_none() && a.is_none() {
                continue;
            }
            let symbol = symbol(b, a);
            let identifying = IDENTIFYING.contains(&&**name);
            if symbol == Symbol::Same && !self.show_all && !identifying {
                same += 1;
                continue;
            }
            self.path.push(Step::Attribute(name.clone()));
            let text = self.value(b, a, attribute.sensitive, level);
            self.path.pop();
            rows.push(Row {
                symbol,
                key: name.to_string(),
                text,
            });
        }
        self.rows(&rows, level, out);
        self.hidden(same, "attribute", level, out);
        !rows.is_empty() || same > 0
    }

    fn blocks(
        &mut self,
        block: &Block,
        before: Option<&Value>,
        after: Option<&Value>,
        level: usize,
        mut gap: bool,
        out: &mut String,
    ) {
        let mut same = 0;
        for (name, nested) in &block.blocks {
            let b = present(before.and_then(|v| v.get(name)));
            let a = present(after.and_then(|v| v.get(name)));
            let mut first = true;
            self.path.push(Step::Attribute(name.clone()));
            if a.is_some_and(|v| !v.is_known()) {
                if gap {
                    out.push('\n');
                }
                (first, gap) = (false, true);
                let lead = self.lead(level, symbol(b, a));
                let note = self.note_forced(UNKNOWN.into());
                out.push_str(&format!("{lead}{name} {note}\n"));
            }
            let a = a.filter(|v| v.is_known());
            for child in children(nested, b, a) {
                let symbol = symbol(child.before, child.after);
                if symbol == Symbol::Same && !self.show_all {
                    same += 1;
                    continue;
                }
                if first && gap {
                    out.push('\n');
                }
                (first, gap) = (false, true);
                let label = child
                    .label
                    .map_or(String::new(), |l| format!(" {}", quote(l)));
                let single = nested.nesting == Nesting::Single;
                if !single {
                    self.path.push(child.step);
                }
                let body = self.body(&nested.block, child.before, child.after, level);
                if !single {
                    self.path.pop();
                }
                out.push_str(&format!(
                    "{}{name}{label} {body}\n",
                    self.lead(level, symbol)
                ));
            }
            self.path.pop();
        }
        if same > 0 {
            if gap {
                out.push('\n');
            }
            self.hidden(same, "block", level, out);
        }
    }
}

fn children<'v>(
    nested: &NestedBlock,
    before: Option<&'v Value>,
    after: Option<&'v Value>,
) -> Vec<Child<'v>> {
    let items = |v: Option<&'v Value>| v.and_then(Value::as_slice).unwrap_or_default();
    // A whole collection that is marked hides what is in it: one body that says so.
    let marked = [before, after]
        .into_iter()
        .flatten()
        .any(Value::is_sensitive);
    if nested.nesting == Nesting::Single || marked {
        let step = Step::Index(0);
        if before.is_none() && after.is_none() {
            return Vec::new();
        }
        return vec![Child {
            label: None,
            step,
            before,
            after,
        }];
    }
    match nested.nesting {
        Nesting::Single | Nesting::List => {
            let mut index = 0;
            list_difference(items(before), items(after))
                .into_iter()
                .map(|(before, after)| {
                    let step = Step::Index(index);
                    index += usize::from(after.is_some());
                    Child {
                        label: None,
                        step,
                        before,
                        after,
                    }
                })
                .collect()
        }
        Nesting::Set => set_difference(items(before), items(after))
            .into_iter()
            .map(|(symbol, item)| Child {
                label: None,
                step: Step::Element(Box::new(item.clone())),
                before: (symbol != Symbol::Add).then_some(item),
                after: (symbol != Symbol::Remove).then_some(item),
            })
            .collect(),
        Nesting::Map => {
            let mut names: BTreeMap<&'v str, (Option<&'v Value>, Option<&'v Value>)> =
                BTreeMap::new();
            for (side, value) in [before, after].into_iter().enumerate() {
                let Some(Kind::Map(m)) = value.map(Value::kind) else {
                    continue;
                };
                for (name, v) in &m.entries {
                    let entry = names.entry(name).or_default();
                    if side == 0 {
                        entry.0 = Some(v);
                    } else {
                        entry.1 = Some(v);
                    }
                }
            }
            names
                .into_iter()
                .map(|(name, (before, after))| Child {
                    label: Some(name),
                    step: Step::Key(name.into()),
                    before,
                    after,
                })
                .collect()
        }
    }
}
