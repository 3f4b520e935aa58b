//! Values to and from JSON, in the shapes that `jsonencode`, `show -json` and state files use.
//!
//! JSON does not tell a list from a set or an object from a map; reading it back needs a type,
//! or implies one.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::convert::{ConvertError, convert};
use crate::number::Number;
use crate::types::Type;
use crate::value::{Kind, Value};

/// The value as JSON. Unknown values and nulls both become `null`; marks are left out.
pub fn to_json(value: &Value) -> Json {
    match value.kind() {
        Kind::Null(_) | Kind::Unknown(_) => Json::Null,
        Kind::Bool(b) => Json::Bool(*b),
        Kind::Number(n) => number_to_json(n),
        Kind::String(s) => Json::String(s.to_string()),
        Kind::List(s) | Kind::Set(s) => s.items.iter().map(to_json).collect(),
        Kind::Tuple(t) => t.iter().map(to_json).collect(),
        Kind::Map(m) => map_to_json(&m.entries),
        Kind::Object(o) => map_to_json(o),
    }
}

fn map_to_json(entries: &BTreeMap<std::sync::Arc<str>, Value>) -> Json {
    Json::Object(
        entries
            .iter()
            .map(|(k, v)| (k.to_string(), to_json(v)))
            .collect(),
    )
}

fn number_to_json(n: &Number) -> Json {
    match n.to_i64() {
        Some(i) => Json::from(i),
        // A JSON number has any precision; serde_json without its arbitrary-precision feature
        // keeps 64-bit integers exactly and rounds the rest to a double.
        None => serde_json::from_str(&n.to_string()).unwrap_or(Json::Null),
    }
}

/// A value from JSON with the type that it implies: objects and tuples.
pub fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::NULL,
        Json::Bool(b) => Value::from(*b),
        Json::Number(n) => n
            .to_string()
            .parse::<Number>()
            .map_or(Value::NULL, Value::from),
        Json::String(s) => Value::string(s),
        Json::Array(items) => Value::tuple(items.iter().map(from_json).collect()),
        Json::Object(entries) => {
            Value::object(entries.iter().map(|(k, v)| (k.as_str(), from_json(v))))
        }
    }
}

/// A value of a type from JSON. Attributes that the JSON lacks become null; unknown ones are
/// dropped.
///
/// # Errors
/// When the JSON does not fit the type.
pub fn from_json_typed(json: &Json, ty: &Type) -> Result<Value, ConvertError> {
    convert(&fill(from_json(json), ty), ty)
}

/// Adds the attributes that an object type has and the value lacks, as nulls.
fn fill(value: Value, ty: &Type) -> Value {
    match (ty, value.kind()) {
        (Type::Object(o), Kind::Object(v)) => Value::object(o.attributes.iter().map(|(n, t)| {
            let v = v
                .get(n)
                .map_or_else(|| Value::null(t.clone()), |v| fill(v.clone(), t));
            (n.clone(), v)
        })),
        (Type::List(t) | Type::Set(t), Kind::Tuple(_)) | (Type::Map(t), Kind::Object(_)) => {
            value.map_children(|v| fill(v, t))
        }
        _ => value,
    }
}
