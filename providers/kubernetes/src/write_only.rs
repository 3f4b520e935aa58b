//! Arguments that are written to an object and never read: a secret's `data_wo`. They are sent when
//! the object is made and whenever their revision is another one; at other changes the object keeps
//! what it has.

use serde_json::{Map, Value as Json};
use topo_sdk::{Attribute, Type, Value};

use crate::derive::{Derived, field};
use crate::shape::{FieldKind, Scalar, Shape, Source};

/// What the name of a write-only argument's revision ends with.
const REVISION: &str = "_revision";

/// Adds a map that is only written, with its revision.
pub fn add_map(made: &mut Derived, name: &str, api: &str, values: Scalar, what: &str) {
    let kind = FieldKind::Map {
        values,
        atomic: false,
    };
    made.attribute(
        field(name, api, kind, Source::WriteOnly),
        Attribute::optional(Type::map(Type::String))
            .sensitive()
            .write_only()
            .describe(&format!("{what} Not kept anywhere.")),
    );
    let revision = format!("{name}{REVISION}");
    made.block = std::mem::take(&mut made.block).attr(
        &revision,
        Attribute::optional(Type::Number).describe(&format!("Raise it to send a new {name}.")),
    );
}

/// Whether an attribute is written alone, or says when.
pub fn concerns(name: &str, attribute: &Attribute) -> bool {
    attribute.write_only || name.ends_with(&format!("_wo{REVISION}"))
}

/// The configuration without what is not to be sent again, and what the live object has of it, by
/// field of the API.
pub fn unrevised(
    shape: &Shape,
    prior: &Value,
    planned: &Value,
    config: &Value,
    live: &Json,
) -> (Value, Map<String, Json>) {
    let mut config = config.clone();
    let mut kept = Map::new();
    for field in same_revision(shape, prior, planned) {
        let Some(given) = config.get(&field.name).and_then(Value::as_map) else {
            continue;
        };
        let there = live.get(&*field.api).and_then(Json::as_object);
        let entries = there.into_iter().flatten();
        let own = entries.filter(|(name, _)| given.contains_key(name.as_str()));
        let own: Map<String, Json> = own.map(|(k, v)| (k.clone(), v.clone())).collect();
        if let Some(Json::Object(more)) = kept.get_mut(&*field.api) {
            more.extend(own);
        } else {
            kept.insert(field.api.to_string(), own.into());
        }
        config = config.with(&field.name, Value::NULL);
    }
    (config, kept)
}

/// Whether an update leaves something as it is that topo does not know.
pub fn keeps_any(shape: &Shape, prior: &Value, planned: &Value, config: &Value) -> bool {
    let given = |name: &str| config.get(name).is_some_and(|v| !v.is_null());
    same_revision(shape, prior, planned).any(|f| given(&f.name))
}

fn same_revision<'a>(
    shape: &'a Shape,
    prior: &'a Value,
    planned: &'a Value,
) -> impl Iterator<Item = &'a crate::shape::Field> {
    let only_written = shape
        .fields
        .iter()
        .filter(|f| f.source == Source::WriteOnly);
    only_written.filter(move |f| {
        let revision = format!("{}{REVISION}", f.name);
        prior.get(&revision) == planned.get(&revision)
    })
}
