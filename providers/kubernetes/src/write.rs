//! From a planned object to what is sent to the API: only what the configuration sets, so that
//! topo comes to own that and nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};
use topo_sdk::Value;

use crate::shape::{FieldKind, Scalar, Shape, Source};

/// The API object of a planned one. `config` tells what was configured of the fields that the
/// API decides otherwise, and what is only written.
pub fn object(shape: &Shape, planned: &Value, config: &Value) -> Map<String, Json> {
    let mut made = Map::new();
    for field in &shape.fields {
        let configured = config.get(&field.name).unwrap_or(&Value::NULL);
        let value = match field.source {
            Source::Configuration => planned.get(&field.name).unwrap_or(&Value::NULL),
            Source::Either | Source::WriteOnly => configured,
            Source::Api => continue,
        };
        if value.is_null() || !value.is_known() {
            continue;
        }
        let items = value.as_slice().unwrap_or_default();
        let configs = configured.as_slice().unwrap_or_default();
        let config_of = |i: usize| configs.get(i).unwrap_or(&Value::NULL);
        match &field.kind {
            FieldKind::Inline(shape) => {
                if let Some(block) = items.first() {
                    made.append(&mut object(shape, block, config_of(0)));
                }
            }
            FieldKind::Scalar(kind) => {
                insert(&mut made, &field.api, scalar(*kind, value));
            }
            FieldKind::List(kind) | FieldKind::Set(kind) => {
                let items: Vec<Json> = items.iter().map(|v| scalar(*kind, v)).collect();
                if !items.is_empty() {
                    insert(&mut made, &field.api, items.into());
                }
            }
            FieldKind::Map { values, .. } => {
                let entries: Map<String, Json> = value
                    .as_map()
                    .into_iter()
                    .flatten()
                    .filter(|(_, v)| !v.is_null())
                    .map(|(k, v)| (k.to_string(), scalar(*values, v)))
                    .collect();
                if !entries.is_empty() {
                    insert(&mut made, &field.api, entries.into());
                }
            }
            FieldKind::Block(shape) => {
                if let Some(block) = items.first() {
                    let inner = object(shape, block, config_of(0));
                    insert(&mut made, &field.api, inner.into());
                }
            }
            FieldKind::Blocks { shape, set, .. } => {
                let blocks: Vec<Json> = items
                    .iter()
                    .enumerate()
                    .map(|(i, block)| {
                        // The elements of a set are not in the order of the configuration.
                        let config = if *set { block } else { config_of(i) };
                        object(shape, block, config).into()
                    })
                    .collect();
                if !blocks.is_empty() {
                    insert(&mut made, &field.api, blocks.into());
                }
            }
        }
    }
    made
}

/// Adds a field. Two attributes can share one API map (a secret's plain and binary data).
pub fn insert(made: &mut Map<String, Json>, api: &str, value: Json) {
    match (made.get_mut(api), value) {
        (Some(Json::Object(there)), Json::Object(mut more)) => there.append(&mut more),
        (_, value) => {
            made.insert(api.to_owned(), value);
        }
    }
}

fn scalar(kind: Scalar, value: &Value) -> Json {
    let text = || value.as_str().unwrap_or_default();
    match kind {
        // A number that does not fit is sent as text: the API says what is wrong with it.
        Scalar::IntOrString | Scalar::IntText => match text().parse::<i64>() {
            Ok(number) => json!(number),
            Err(_) => json!(text()),
        },
        Scalar::Octal => match i64::from_str_radix(text(), 8) {
            Ok(number) => json!(number),
            Err(_) => json!(text()),
        },
        Scalar::Base64 => json!(STANDARD.encode(text())),
        _ => topo_sdk::json::to_json(value),
    }
}
