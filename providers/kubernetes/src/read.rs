//! From the API's object to the schema's.
//!
//! An object in the API has fields of many owners: what topo sent, defaults, what controllers
//! and other people's tools wrote. Of the arguments only those that topo set last time are read
//! ([`Scope::Prior`]), whoever owns them now: so a change of theirs shows as drift, and nothing
//! else does. What the API decides is always read.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json};
use topo_sdk::schema::Block;
use topo_sdk::{Number, Type, Value};

use crate::derive::scalar_type;
use crate::quantity;
use crate::rules::API_DEFAULTS;
use crate::shape::{Field, FieldKind, Scalar, Shape, Source};

/// Which fields are wanted.
#[derive(Debug, Clone, Copy)]
pub enum Scope<'a> {
    /// All there are.
    All,
    /// All but what the API fills in by default.
    Chosen,
    /// Those that this object of the schema has; all where it is unknown.
    Prior(&'a Value),
    /// Those of an entry of `managedFields` (its `fieldsV1`).
    Owned(&'a Json),
}

impl<'a> Scope<'a> {
    /// The scope of a field; `None` when it is not wanted.
    fn enter(self, field: &Field) -> Option<Scope<'a>> {
        match self {
            Scope::All => Some(Scope::All),
            Scope::Chosen => Some(Scope::Chosen),
            Scope::Prior(prior) => match prior.get(&field.name) {
                Some(value) if !value.is_null() => Some(if value.is_known() {
                    Scope::Prior(value)
                } else {
                    Scope::All
                }),
                _ => None,
            },
            Scope::Owned(fields) => owned(fields, &format!("f:{}", field.api)),
        }
    }
}

/// The scope of a path element of `fieldsV1`. A leaf owns everything below it.
fn owned<'a>(fields: &'a Json, element: &str) -> Option<Scope<'a>> {
    let inner = fields.get(element)?;
    Some(match inner.as_object() {
        Some(entries) if entries.keys().any(|k| k != ".") => Scope::Owned(inner),
        _ => Scope::All,
    })
}

/// An object of the block from an API object. Attributes of the block that the API does not have
/// come from the prior object, else are their defaults or null.
pub fn object(shape: &Shape, block: &Block, live: &Map<String, Json>, scope: Scope<'_>) -> Value {
    let mut made: BTreeMap<Arc<str>, Value> = BTreeMap::new();
    for (name, attribute) in &block.attributes {
        let kept = match scope {
            Scope::Prior(prior) => prior.get(name).filter(|v| v.is_known()).cloned(),
            _ => attribute.default.clone(),
        };
        let value = kept.unwrap_or_else(|| Value::null(attribute.ty.clone()));
        made.insert(name.clone(), value);
    }
    for (name, nested) in &block.blocks {
        let kept = match scope {
            Scope::Prior(prior) => prior.get(name).filter(|v| v.is_known()).cloned(),
            _ => None,
        };
        made.insert(name.clone(), kept.unwrap_or_else(|| nested.empty()));
    }
    for field in &shape.fields {
        let found = live.get(&*field.api).filter(|v| !v.is_null());
        let scope = match field.source {
            Source::Configuration => scope.enter(field),
            // Spelled as before where it means the same.
            Source::Either => Some(scope.enter(field).unwrap_or(Scope::All)),
            Source::Api => Some(Scope::All),
            Source::WriteOnly => None,
        };
        let value = match scope {
            None => absent(field, block),
            Some(Scope::Chosen) if is_default(field, found) => absent(field, block),
            Some(scope) => read(field, block, found, live, scope),
        };
        made.insert(field.name.clone(), value);
    }
    Value::object(made)
}

fn is_default(field: &Field, found: Option<&Json>) -> bool {
    let Some(found) = found else { return false };
    API_DEFAULTS.iter().any(|(api, default)| {
        **api == *field.api && serde_json::from_str::<Json>(default).is_ok_and(|d| d == *found)
    })
}

/// The value of a field that is not there.
fn absent(field: &Field, block: &Block) -> Value {
    match (
        block.attributes.get(&field.name),
        block.blocks.get(&field.name),
    ) {
        (Some(attribute), _) => Value::null(attribute.ty.clone()),
        (_, Some(nested)) => nested.empty(),
        _ => Value::NULL,
    }
}

fn read(
    field: &Field,
    block: &Block,
    found: Option<&Json>,
    around: &Map<String, Json>,
    scope: Scope<'_>,
) -> Value {
    let prior = match scope {
        Scope::Prior(prior) => Some(prior),
        _ => None,
    };
    if let FieldKind::Inline(shape) = &field.kind {
        let Some(nested) = block.blocks.get(&field.name) else {
            return Value::NULL;
        };
        let inner = match prior {
            Some(prior) => prior
                .as_slice()
                .and_then(<[Value]>::first)
                .map(Scope::Prior),
            None => Some(scope),
        };
        let item = inner.map(|scope| object(shape, &nested.block, around, scope));
        return Value::list(nested.block.ty(), item.into_iter().collect());
    }
    let Some(found) = found else {
        // The API drops what says nothing: false, 0, "" and what is empty.
        return match prior {
            Some(prior) if says_nothing(prior) => prior.clone(),
            _ => absent(field, block),
        };
    };
    let made = match &field.kind {
        FieldKind::Scalar(kind) => scalar(*kind, found, prior),
        FieldKind::List(kind) => {
            let items = array(found).iter().filter_map(|v| scalar(*kind, v, None));
            Some(Value::list(scalar_type(*kind), items.collect()))
        }
        FieldKind::Set(kind) => {
            let items = array(found).iter().filter_map(|v| scalar(*kind, v, None));
            Some(Value::set(scalar_type(*kind), items.collect()))
        }
        FieldKind::Map { values, atomic } => Some(map(*values, *atomic, found, scope)),
        FieldKind::Block(shape) => {
            let Some(nested) = block.blocks.get(&field.name) else {
                return Value::NULL;
            };
            let inner = match prior {
                Some(prior) => prior
                    .as_slice()
                    .and_then(<[Value]>::first)
                    .map(Scope::Prior),
                None => Some(scope),
            };
            let live = found.as_object();
            let item = inner
                .zip(live)
                .map(|(scope, live)| object(shape, &nested.block, live, scope));
            Some(Value::list(nested.block.ty(), item.into_iter().collect()))
        }
        FieldKind::Blocks { shape, keys, set } => block
            .blocks
            .get(&field.name)
            .map(|nested| blocks(shape, &nested.block, keys, *set, array(found), scope)),
        FieldKind::Inline(_) => None,
    };
    made.unwrap_or_else(|| absent(field, block))
}

fn array(json: &Json) -> &[Json] {
    json.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Whether a value is one that the API leaves out when it keeps it.
fn says_nothing(value: &Value) -> bool {
    value.is_null()
        || value.as_bool() == Some(false)
        || value.as_i64() == Some(0)
        || value.as_str() == Some("")
        || value.as_str() == Some("0")
        || (value.as_slice().is_some() || value.as_map().is_some())
            && value.children().all(says_nothing)
}

/// One value; the prior one where it is another spelling of the same.
fn scalar(kind: Scalar, found: &Json, prior: Option<&Value>) -> Option<Value> {
    let text = match found {
        Json::String(text) => text.clone(),
        Json::Null => return None,
        other => other.to_string(),
    };
    let made = match kind {
        Scalar::Bool => Value::from(found.as_bool()?),
        Scalar::Number => Value::from(text.parse::<Number>().ok()?),
        Scalar::Octal => Value::string(format!("{:04o}", found.as_i64()?)),
        Scalar::Base64 => Value::string(String::from_utf8(STANDARD.decode(&text).ok()?).ok()?),
        Scalar::String | Scalar::IntOrString | Scalar::Quantity | Scalar::IntText => {
            Value::string(&text)
        }
    };
    let before = prior.and_then(Value::as_str);
    let same = match (kind, before) {
        (Scalar::Quantity, Some(before)) => quantity::same(before, &text),
        (Scalar::Octal, Some(before)) => i64::from_str_radix(before, 8).ok() == found.as_i64(),
        (Scalar::IntOrString | Scalar::IntText, Some(before)) => {
            before.parse::<i64>().ok() == text.parse::<i64>().ok() && before.parse::<i64>().is_ok()
        }
        _ => false,
    };
    match prior {
        Some(prior) if same => Some(prior.clone()),
        _ => Some(made),
    }
}

fn map(values: Scalar, atomic: bool, found: &Json, scope: Scope<'_>) -> Value {
    let mut made = BTreeMap::new();
    for (key, value) in found.as_object().into_iter().flatten() {
        let prior = match scope {
            Scope::Prior(prior) => prior.get(key),
            _ => None,
        };
        let wanted = match scope {
            Scope::All => true,
            Scope::Chosen => !is_added_by_the_api(key),
            Scope::Prior(_) => atomic || prior.is_some(),
            Scope::Owned(fields) => fields.get(format!("f:{key}")).is_some(),
        };
        if let Some(value) = wanted.then(|| scalar(values, value, prior)).flatten() {
            made.insert(Arc::from(key.as_str()), value);
        }
    }
    if let Scope::Prior(prior) = scope {
        // A null in a map says nothing and is never sent.
        for (key, value) in prior.as_map().into_iter().flatten() {
            if value.is_null() {
                made.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
    }
    Value::map(scalar_type(values), made)
}

/// Labels and annotations that the API, its controllers or clients put on objects by themselves.
fn is_added_by_the_api(key: &str) -> bool {
    const PREFIXES: &[&str] = &[
        "kubectl.kubernetes.io/last-applied-configuration",
        "deployment.kubernetes.io/",
        "deprecated.daemonset.template.generation",
        "kubernetes.io/metadata.name",
        "batch.kubernetes.io/",
        "controller-uid",
        "job-name",
        "pv.kubernetes.io/",
        "volume.kubernetes.io/",
        "volume.beta.kubernetes.io/",
    ];
    PREFIXES.iter().any(|prefix| key.starts_with(prefix))
}

/// An array of objects. Where the API merges it by key, blocks are found by their keys and
/// foreign ones left out; where it replaces it, every one counts.
fn blocks(
    shape: &Shape,
    block: &Block,
    keys: &[&str],
    set: bool,
    live: &[Json],
    scope: Scope<'_>,
) -> Value {
    let no_fields = Map::new();
    let make = |live: &Json, scope: Scope<'_>| {
        object(shape, block, live.as_object().unwrap_or(&no_fields), scope)
    };
    let items: Vec<Value> = match scope {
        Scope::All | Scope::Chosen => live.iter().map(|l| make(l, scope)).collect(),
        Scope::Owned(fields) => live
            .iter()
            .filter_map(|l| owned_item(fields, l).map(|scope| make(l, scope)))
            .collect(),
        Scope::Prior(prior) => {
            let priors = prior.as_slice().unwrap_or_default();
            pair(shape, keys, priors, live)
                .into_iter()
                .map(|(live, prior)| make(live, prior.map_or(Scope::Chosen, Scope::Prior)))
                .collect()
        }
    };
    if set {
        Value::set(block.ty(), items)
    } else if block.ty().has_dynamic() {
        Value::tuple(items)
    } else {
        Value::list(block.ty(), items)
    }
}

/// The scope of one element of a list, by its `k:{...}` entry in `fieldsV1`.
fn owned_item<'a>(fields: &'a Json, live: &Json) -> Option<Scope<'a>> {
    fields.as_object()?.iter().find_map(|(element, _)| {
        let keys: Map<String, Json> = serde_json::from_str(element.strip_prefix("k:")?).ok()?;
        let is_it = keys.iter().all(|(k, v)| live.get(k) == Some(v));
        is_it.then(|| owned(fields, element)).flatten()
    })
}

/// The elements of the live array that are wanted, each with its prior block, in the order of
/// the prior blocks.
fn pair<'l, 'p>(
    shape: &Shape,
    keys: &[&str],
    priors: &'p [Value],
    live: &'l [Json],
) -> Vec<(&'l Json, Option<&'p Value>)> {
    if keys.is_empty() {
        // Replaced as a whole by whoever writes it: every element counts.
        return live
            .iter()
            .enumerate()
            .map(|(i, l)| (l, priors.get(i)))
            .collect();
    }
    let mut found: Vec<Option<&Json>> = priors
        .iter()
        .map(|p| live.iter().find(|l| same_keys(shape, keys, p, l)))
        .collect();
    let mut taken: Vec<&Json> = found.iter().flatten().copied().collect();
    // Somebody may have changed the key itself: with nothing added or removed, it is the one in
    // its place.
    if priors.len() == live.len() {
        for (i, slot) in found.iter_mut().enumerate() {
            if slot.is_none()
                && let Some(candidate) = live.get(i)
                && !taken.iter().any(|t| std::ptr::eq(*t, candidate))
            {
                taken.push(candidate);
                *slot = Some(candidate);
            }
        }
    }
    found
        .into_iter()
        .zip(priors)
        .filter_map(|(live, prior)| live.map(|l| (l, Some(prior))))
        .collect()
}

/// Whether a prior block and a live element have the same keys. A key that the configuration
/// left out matches anything (the API's default).
fn same_keys(shape: &Shape, keys: &[&str], prior: &Value, live: &Json) -> bool {
    keys.iter().all(|key| {
        let Some(field) = shape.by_api(key) else {
            return true;
        };
        let Some(before) = prior
            .get(&field.name)
            .filter(|v| !v.is_null() && v.is_known())
        else {
            return true;
        };
        match (&field.kind, live.get(*key)) {
            (FieldKind::Scalar(kind), Some(now)) => {
                scalar(*kind, now, Some(before)).is_some_and(|now| now == *before)
            }
            _ => false,
        }
    })
}

/// The addresses of a load balancer in the shape of the `status` attribute.
pub fn load_balancer(ty: &Type, live: &Json) -> Value {
    let ingress: Vec<Json> = live
        .pointer("/status/loadBalancer/ingress")
        .map(array)
        .unwrap_or_default()
        .iter()
        .map(|i| serde_json::json!({"hostname": i.get("hostname"), "ip": i.get("ip")}))
        .collect();
    let status = serde_json::json!([{"load_balancer": [{"ingress": ingress}]}]);
    topo_sdk::json::from_json_typed(&status, ty).unwrap_or_else(|_| Value::null(ty.clone()))
}
