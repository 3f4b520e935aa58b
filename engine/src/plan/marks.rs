//! Puts marks on what providers return, and decides what of a difference matters.

use std::collections::BTreeMap;
use std::sync::Arc;

use topo_sdk::{Block, Kind, Marks, Mode, Nesting, Path, Value};

/// An object with everything marked that its schema or its configuration says is sensitive.
pub fn mark(block: &Block, value: Value, paths: &[Path]) -> Value {
    let mut value = if has_sensitive(block) {
        mark_by_schema(block, value)
    } else {
        value
    };
    for path in paths {
        value = value.update_at(path.steps(), &mut Value::sensitive);
    }
    for (name, a) in &block.attributes {
        if let (Some(like), Some(own)) = (a.marked_like, value.get(name)) {
            let marks = value.get(like).map(Value::deep_marks).unwrap_or_default();
            if !marks.is_empty() {
                let marked = own.clone().with_marks(marks);
                value = value.with(name, marked);
            }
        }
    }
    value
}

fn has_sensitive(block: &Block) -> bool {
    block.attributes.values().any(|a| a.sensitive)
        || block.blocks.values().any(|b| has_sensitive(&b.block))
}

fn mark_by_schema(block: &Block, value: Value) -> Value {
    let Kind::Object(object) = value.kind() else {
        return value;
    };
    let mut made: BTreeMap<Arc<str>, Value> = (**object).clone();
    for (name, a) in &block.attributes {
        if a.sensitive
            && let Some(v) = made.get_mut(name)
            && !v.is_null()
        {
            *v = std::mem::replace(v, Value::NULL).sensitive();
        }
    }
    for (name, nested) in block.blocks.iter().filter(|(_, n)| has_sensitive(&n.block)) {
        if let Some(v) = made.get_mut(name) {
            let old = std::mem::replace(v, Value::NULL);
            *v = match nested.nesting {
                Nesting::Single => mark_by_schema(&nested.block, old),
                _ => old.map_children(|v| mark_by_schema(&nested.block, v)),
            };
        }
    }
    Value::new(Kind::Object(Arc::new(made))).with_marks(value.marks())
}

/// The paths of sensitive parts.
pub fn sensitive_paths(value: &Value) -> Vec<Path> {
    value.marked_paths(Marks::SENSITIVE)
}

/// Whether two states of an object differ in anything but what every change computes anew
/// (revision numbers): those follow from the difference, they are not the difference.
pub fn differs(block: &Block, before: &Value, after: &Value) -> bool {
    if before == after {
        return false;
    }
    let (Kind::Object(_), Kind::Object(_)) = (before.kind(), after.kind()) else {
        return true;
    };
    let null = Value::NULL;
    let attributes = block.attributes.iter().any(|(name, a)| {
        !(a.recomputed && a.mode == Mode::Computed)
            && before.get(name).unwrap_or(&null) != after.get(name).unwrap_or(&null)
    });
    attributes
        || block.blocks.iter().any(|(name, nested)| {
            let (b, a) = (
                before.get(name).unwrap_or(&null),
                after.get(name).unwrap_or(&null),
            );
            match (nested.nesting, b.as_slice(), a.as_slice()) {
                (Nesting::Single, _, _) => differs(&nested.block, b, a),
                (Nesting::List, Some(bs), Some(xs)) => {
                    bs.len() != xs.len()
                        || bs.iter().zip(xs).any(|(b, a)| differs(&nested.block, b, a))
                }
                _ => b != a,
            }
        })
}

/// The first path at which what came out is not what was planned. Unknown in the plan matches
/// anything; everything known must have come out the same.
pub fn deviation(planned: &Value, actual: &Value, path: &mut Path) -> Option<Path> {
    use topo_sdk::Step;
    match (planned.kind(), actual.kind()) {
        (Kind::Unknown(_), _) => None,
        (Kind::Object(p), Kind::Object(a)) => p.iter().find_map(|(name, p)| {
            path.push(Step::Attribute(name.clone()));
            let found = match a.get(name) {
                Some(a) => deviation(p, a, path),
                None => Some(path.clone()),
            };
            path.pop();
            found
        }),
        (Kind::Map(p), Kind::Map(a)) if p.entries.keys().eq(a.entries.keys()) => p
            .entries
            .iter()
            .zip(a.entries.values())
            .find_map(|((k, p), a)| {
                path.push(Step::Key(k.clone()));
                let found = deviation(p, a, path);
                path.pop();
                found
            }),
        (Kind::List(_), Kind::List(_)) | (Kind::Tuple(_), Kind::Tuple(_)) => {
            let (p, a) = (planned.as_slice()?, actual.as_slice()?);
            if p.len() != a.len() {
                return Some(path.clone());
            }
            p.iter().zip(a).enumerate().find_map(|(i, (p, a))| {
                path.push(Step::Index(i));
                let found = deviation(p, a, path);
                path.pop();
                found
            })
        }
        // Elements of a set have no names: a set with unknown parts is compared by size alone.
        (Kind::Set(p), Kind::Set(a)) if !planned.is_wholly_known() => {
            (p.items.len() < a.items.len()).then(|| path.clone())
        }
        _ if planned == actual => None,
        _ => Some(path.clone()),
    }
}
