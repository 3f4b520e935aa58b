//! Puts marks on what providers return, and decides what of a difference matters.

use std::collections::BTreeMap;
use std::sync::Arc;

use topo_sdk::plan::without_write_only;
use topo_sdk::{Block, Kind, Marks, Mode, Nesting, Path, Value};

/// An object as it is kept: with everything marked that its schema or its configuration says is
/// sensitive, and without what is only written.
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
    without_write_only(block, value)
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

/// What of the difference between two states of an object is drift: the object as it was found,
/// with everything put back that is none. `None` when there is none at all.
///
/// No drift is
/// - what every change computes anew (revision numbers): it follows from the difference, it is
///   not the difference;
/// - what the configuration left to the provider and was empty so far, such as the routes that
///   `aws_route` objects add to their table, or the volume that a claim is bound to later: no
///   plan would take it away.
pub fn drift(block: &Block, before: &Value, after: &Value) -> Option<Value> {
    let judged = without_consequences(block, before, after);
    (judged != *before).then_some(judged)
}

fn without_consequences(block: &Block, before: &Value, after: &Value) -> Value {
    let (Kind::Object(b), Kind::Object(a)) = (before.kind(), after.kind()) else {
        return after.clone();
    };
    let mut made: BTreeMap<Arc<str>, Value> = (**a).clone();
    let put_back = |made: &mut BTreeMap<Arc<str>, Value>, name: &Arc<str>| match b.get(name) {
        Some(old) => made.insert(name.clone(), old.clone()),
        None => made.remove(name),
    };
    let null = Value::NULL;
    for (name, attribute) in &block.attributes {
        let consequence = match attribute.mode {
            Mode::Computed => attribute.recomputed,
            Mode::OptionalComputed => is_empty(b.get(name).unwrap_or(&null)),
            Mode::Required | Mode::Optional => false,
        };
        if consequence {
            put_back(&mut made, name);
        }
    }
    for (name, nested) in &block.blocks {
        let (old, new) = (b.get(name).unwrap_or(&null), a.get(name).unwrap_or(&null));
        if nested.computed && is_empty(old) {
            put_back(&mut made, name);
            continue;
        }
        let judged = match (nested.nesting, old.as_slice(), new.as_slice()) {
            (Nesting::Single, _, _) => without_consequences(&nested.block, old, new),
            (Nesting::List, Some(olds), Some(news)) if olds.len() == news.len() => {
                let mut olds = olds.iter();
                new.clone().map_children(|new| match olds.next() {
                    Some(old) => without_consequences(&nested.block, old, &new),
                    None => new,
                })
            }
            _ => continue,
        };
        if a.contains_key(name) {
            made.insert(name.clone(), judged);
        }
    }
    Value::new(Kind::Object(Arc::new(made))).with_marks(after.marks())
}

/// Whether there is nothing: null, or a collection without elements.
fn is_empty(value: &Value) -> bool {
    value.is_null()
        || value.as_slice().is_some_and(<[Value]>::is_empty)
        || value.as_map().is_some_and(BTreeMap::is_empty)
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

#[cfg(test)]
mod tests {
    use topo_sdk::json::from_json;
    use topo_sdk::schema::{Attribute, NestedBlock};
    use topo_sdk::{Type, convert, plan};

    use super::*;

    fn table() -> Block {
        let route = Block::new().attr("cidr_block", Attribute::required(Type::String));
        let spec = Block::new()
            .attr("replicas", Attribute::optional(Type::Number))
            .attr("volume_name", Attribute::optional_computed(Type::String));
        Block::new()
            .attr("revision", Attribute::computed(Type::String).recomputed())
            .attr("status", Attribute::computed(Type::String))
            .block("route", NestedBlock::new(Nesting::Set, route).computed())
            .block("spec", NestedBlock::list_max_one(spec))
    }

    fn object(block: &Block, json: serde_json::Value) -> Value {
        let filled = plan::fill_missing(block, from_json(&json));
        convert::convert(&filled, &block.ty()).unwrap()
    }

    #[test]
    fn consequences_are_no_drift_and_are_not_shown_with_it() {
        let block = table();
        let of = |json| object(&block, json);
        let before = of(serde_json::json!({
            "revision": "1", "status": "ready", "spec": [{ "replicas": 2 }],
        }));
        let settled = of(serde_json::json!({
            "revision": "2", "status": "ready", "route": [{ "cidr_block": "0.0.0.0/0" }],
            "spec": [{ "replicas": 2, "volume_name": "v" }],
        }));
        assert_eq!(drift(&block, &before, &settled), None);

        let changed = of(serde_json::json!({
            "revision": "3", "status": "ready", "spec": [{ "replicas": 5, "volume_name": "v" }],
        }));
        let shown = of(serde_json::json!({
            "revision": "1", "status": "ready", "spec": [{ "replicas": 5 }],
        }));
        assert_eq!(drift(&block, &before, &changed), Some(shown));

        let lost = of(serde_json::json!({
            "revision": "4", "status": "ready", "spec": [{ "replicas": 2 }],
        }));
        assert_eq!(
            drift(&block, &settled, &lost),
            Some(of(serde_json::json!({
                "revision": "2", "status": "ready", "spec": [{ "replicas": 2 }],
            })))
        );
        let broken = of(serde_json::json!({
            "revision": "1", "status": "failed", "spec": [{ "replicas": 2 }],
        }));
        assert_eq!(drift(&block, &before, &broken), Some(broken.clone()));
    }
}
