//! Values as the format writes them: JSON by the type of the schema, and where the schema leaves
//! the type open, an object of the value and its type. Sensitive parts are a list of paths.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use topo_engine::plan::{mark, sensitive_paths};
use topo_sdk::json::{from_json, from_json_typed, to_json};
use topo_sdk::{Block, Kind, Path, Step, Type, Value};

use super::file::PathStep;

/// How deep a type in a file may be nested.
const DEPTH: usize = 100;

/// The value as JSON of this type.
pub(super) fn write(value: &Value, ty: &Type) -> Json {
    if !ty.has_dynamic() {
        return to_json(value);
    }
    if value.is_null() {
        return Json::Null;
    }
    match (ty, value.kind()) {
        (Type::Object(o), Kind::Object(entries)) => {
            let attributes = o.attributes.iter().map(|(name, ty)| {
                let json = entries.get(name).map_or(Json::Null, |v| write(v, ty));
                (name.to_string(), json)
            });
            Json::Object(attributes.collect())
        }
        (Type::Map(t), Kind::Map(m)) => {
            let entries = m.entries.iter();
            Json::Object(entries.map(|(k, v)| (k.to_string(), write(v, t))).collect())
        }
        (Type::List(t) | Type::Set(t), _) => value.children().map(|v| write(v, t)).collect(),
        (Type::Tuple(types), _) => {
            let items = value.children().zip(types.iter());
            items.map(|(v, t)| write(v, t)).collect()
        }
        _ => json!({"value": to_json(value), "type": value.ty().to_json()}),
    }
}

/// The value of JSON that should be of this type, not yet converted to it: only where the type is
/// open it is what the JSON says. What the type does not have is kept.
///
/// # Errors
/// What is wrong, as a clause.
pub(super) fn read(json: &Json, ty: &Type) -> Result<Value, String> {
    if !ty.has_dynamic() || json.is_null() {
        return Ok(from_json(json));
    }
    match (ty, json) {
        (Type::Dynamic, Json::Object(o)) => match (o.get("value"), o.get("type")) {
            (Some(value), Some(ty)) if o.len() == 2 => {
                let ty = read_type(ty)?;
                from_json_typed(value, &ty).map_err(|e| format!("at {}: {e}", e.path))
            }
            _ => Err("a value and its type were expected".to_string()),
        },
        (Type::Dynamic, _) => Err("a value and its type were expected".to_string()),
        (Type::Object(types), Json::Object(o)) => {
            let mut attributes = Vec::with_capacity(o.len());
            for (name, json) in o {
                let value = match types.attributes.get(name.as_str()) {
                    Some(ty) => read(json, ty).map_err(|e| format!("{name}: {e}"))?,
                    None => from_json(json),
                };
                attributes.push((name.as_str(), value));
            }
            Ok(Value::object(attributes))
        }
        (Type::Map(t), Json::Object(o)) => {
            let mut entries = Vec::with_capacity(o.len());
            for (key, json) in o {
                let value = read(json, t).map_err(|e| format!("{key}: {e}"))?;
                entries.push((key.as_str(), value));
            }
            Ok(Value::object(entries))
        }
        (Type::List(t) | Type::Set(t), Json::Array(items)) => {
            let items: Result<Vec<Value>, String> = items.iter().map(|v| read(v, t)).collect();
            Ok(Value::tuple(items?))
        }
        (Type::Tuple(types), Json::Array(items)) => {
            let items = items.iter().zip(types.iter());
            let items: Result<Vec<Value>, String> = items.map(|(v, t)| read(v, t)).collect();
            Ok(Value::tuple(items?))
        }
        // Conversion says what is wrong.
        _ => Ok(from_json(json)),
    }
}

/// A type in its published JSON form.
///
/// # Errors
/// What is wrong, as a clause.
pub(super) fn read_type(json: &Json) -> Result<Type, String> {
    nested_type(json, DEPTH)
}

fn nested_type(json: &Json, depth: usize) -> Result<Type, String> {
    let unknown = || format!("{json} is no type");
    let depth = depth.checked_sub(1).ok_or("its type is nested too deep")?;
    let inner = |json: &Json| nested_type(json, depth);
    Ok(match json {
        Json::String(name) => match name.as_str() {
            "dynamic" => Type::Dynamic,
            "bool" => Type::Bool,
            "number" => Type::Number,
            "string" => Type::String,
            _ => return Err(unknown()),
        },
        Json::Array(parts) => match &parts[..] {
            [Json::String(kind), of] => match (kind.as_str(), of) {
                ("list", of) => Type::list(inner(of)?),
                ("set", of) => Type::set(inner(of)?),
                ("map", of) => Type::map(inner(of)?),
                ("tuple", Json::Array(types)) => {
                    let types: Result<Vec<Type>, String> = types.iter().map(inner).collect();
                    Type::tuple(types?)
                }
                ("object", Json::Object(types)) => {
                    let mut attributes = Vec::with_capacity(types.len());
                    for (name, ty) in types {
                        attributes.push((name.as_str(), inner(ty)?));
                    }
                    Type::object(attributes)
                }
                _ => return Err(unknown()),
            },
            _ => return Err(unknown()),
        },
        _ => return Err(unknown()),
    })
}

/// The paths of sensitive parts that the schema alone does not tell.
pub(super) fn write_paths(value: &Value, block: &Block) -> Vec<Vec<PathStep>> {
    let paths = sensitive_paths(value);
    if paths.is_empty() {
        return Vec::new();
    }
    let by_schema = sensitive_paths(&mark(block, value.clone().unmark_deep(), &[]));
    let follows = |path: &Path| {
        let attribute = path.first_attribute().and_then(|n| block.attributes.get(n));
        attribute.is_some_and(|a| a.marked_like.is_some())
    };
    let mut seen = BTreeSet::new();
    paths
        .iter()
        .filter(|p| !by_schema.contains(p) && !follows(p) && seen.insert(p.to_string()))
        .map(|p| p.steps().iter().map_while(write_step).collect())
        .collect()
}

/// `None` for an element of a set, which has no name: the set is sensitive then.
fn write_step(step: &Step) -> Option<PathStep> {
    let (kind, value) = match step {
        Step::Attribute(name) => ("get_attr", json!(name)),
        Step::Index(i) => ("index", json!({"value": i, "type": "number"})),
        Step::Key(key) => ("index", json!({"value": key, "type": "string"})),
        Step::Element(_) => return None,
    };
    Some(PathStep {
        kind: kind.to_string(),
        value,
    })
}

/// # Errors
/// What is wrong, as a clause.
pub(super) fn read_path(steps: &[PathStep]) -> Result<Path, String> {
    let mut path = Path::root();
    for step in steps {
        let wrong = || {
            format!(
                "{} {} is no step of a path to a sensitive value",
                step.kind, step.value
            )
        };
        path.push(match (step.kind.as_str(), &step.value) {
            ("get_attr", Json::String(name)) => Step::Attribute(name.as_str().into()),
            ("index", Json::Object(index)) => match index.get("value") {
                Some(Json::String(key)) => Step::Key(key.as_str().into()),
                Some(Json::Number(n)) => {
                    let index = n.as_u64().and_then(|n| usize::try_from(n).ok());
                    Step::Index(index.ok_or_else(wrong)?)
                }
                // An element of a set: the set is sensitive.
                Some(_) => return Ok(path),
                None => return Err(wrong()),
            },
            _ => return Err(wrong()),
        });
    }
    Ok(path)
}
