//! The JSON that programs read: outputs, state, plans, drift, diagnostics, schemas.
//!
//! Shapes and names are those that HashiCorp publishes as "JSON Output Format" for `output
//! -json`, `show -json`, `validate -json` and `providers schema -json`, so that tools made for
//! the peers work. The drift format is topo's own; see [`drift`].

pub mod checks;
pub mod config;
pub mod drift;
pub mod functions;
pub mod plan;
pub mod relevant;
pub mod schema;
pub mod state;
pub mod stream;
pub mod test;

use serde_json::{Map, Value as Json, json};
use topo_engine::address::{InstanceKey, ResourceMode};
use topo_engine::store::{OutputRecord, RecordKey};
use topo_sdk::{Diagnostic, Diagnostics, Kind, Position, SourceRange, Value, json::to_json};

use crate::render::diagnostics::{Sources, enclosing_block};

/// The source address of a built-in provider, as tools know it.
pub fn provider_source(name: &str) -> String {
    match name {
        "terraform" => "terraform.io/builtin/terraform".into(),
        name => format!("registry.terraform.io/hashicorp/{name}"),
    }
}

/// `managed`, `data`, `ephemeral`
pub fn mode_word(mode: ResourceMode) -> &'static str {
    match mode {
        ResourceMode::Managed => "managed",
        ResourceMode::Data => "data",
        ResourceMode::Ephemeral => "ephemeral",
    }
}

/// `output -json`: every output with its type, values in clear.
pub fn outputs<'a>(outputs: impl IntoIterator<Item = (&'a str, &'a OutputRecord)>) -> Json {
    let entries = outputs.into_iter().map(|(name, output)| {
        let value = json!({
            "sensitive": output.sensitive,
            "type": output.value.ty().to_json(),
            "value": to_json(&output.value),
        });
        (name.to_string(), value)
    });
    Json::Object(entries.collect())
}

/// `validate -json`. `sources` finds the texts that excerpts are taken from.
pub fn validation(diagnostics: &Diagnostics, sources: Sources<'_>) -> Json {
    let errors = diagnostics.errors();
    json!({
        "format_version": "1.0",
        "valid": errors == 0,
        "error_count": errors,
        "warning_count": diagnostics.iter().count() - errors,
        "diagnostics": self::diagnostics(diagnostics, sources),
    })
}

/// Diagnostics, each as [`diagnostic`] has it.
pub fn diagnostics(diagnostics: &Diagnostics, sources: Sources<'_>) -> Json {
    diagnostics.iter().map(|d| diagnostic(d, sources)).collect()
}

/// A diagnostic with severity, summary, detail, address, range and excerpt.
pub fn diagnostic(d: &Diagnostic, sources: Sources<'_>) -> Json {
    let position = |p: &Position| json!({"line": p.line, "column": p.column, "byte": p.byte});
    let mut out = json!({
        "severity": d.severity,
        "summary": d.summary,
        "detail": d.detail,
    });
    if let Some(address) = &d.address {
        out["address"] = json!(address);
    }
    if let Some(r) = &d.range {
        out["range"] = json!({
            "filename": r.file,
            "start": position(&r.start),
            "end": position(&r.end),
        });
        if let Some(snippet) = sources(&r.file).and_then(|text| snippet(d, r, &text)) {
            out["snippet"] = snippet;
        }
    }
    out
}

/// The source lines of a diagnostic, with where in them it is (in bytes), and the values of what
/// the expression refers to.
fn snippet(d: &Diagnostic, range: &SourceRange, text: &str) -> Option<Json> {
    let start = range.start.byte as usize;
    let end = (range.end.byte as usize).clamp(start, text.len());
    let first = text.get(..start)?.rfind('\n').map_or(0, |i| i + 1);
    let last = text.get(end..)?.find('\n').map_or(text.len(), |i| end + i);
    let code = text.get(first..last)?.trim_end_matches('\r');
    let values: Vec<Json> = d
        .values
        .iter()
        .map(|(name, value)| json!({"traversal": name, "statement": format!("is {value}")}))
        .collect();
    Some(json!({
        "context": enclosing_block(text, range.start.line),
        "code": code,
        "start_line": range.start.line,
        "highlight_start_offset": start - first,
        "highlight_end_offset": end - first,
        "values": values,
    }))
}

/// Which parts of a value are so: `true` for the whole, else the same shape with `true` where it
/// holds, `false` for nothing at all.
pub fn parts(value: &Value, holds: &dyn Fn(&Value) -> bool) -> Json {
    if holds(value) {
        return Json::Bool(true);
    }
    match value.kind() {
        Kind::List(_) | Kind::Set(_) | Kind::Tuple(_) => {
            value.children().map(|v| parts(v, holds)).collect()
        }
        Kind::Map(_) | Kind::Object(_) => {
            let entries = value.as_map().into_iter().flatten();
            Json::Object(
                entries
                    .map(|(k, v)| (k.to_string(), parts(v, holds)))
                    .filter(|(_, v)| *v != Json::Bool(false))
                    .collect(),
            )
        }
        _ => Json::Bool(false),
    }
}

/// The value with unknown attributes left out; unknown elements of lists are null.
pub fn known(value: &Value) -> Json {
    match value.kind() {
        Kind::List(_) | Kind::Set(_) | Kind::Tuple(_) => value.children().map(known).collect(),
        Kind::Map(_) | Kind::Object(_) => {
            let entries = value.as_map().into_iter().flatten();
            Json::Object(
                entries
                    .filter(|(_, v)| v.is_known())
                    .map(|(k, v)| (k.to_string(), known(v)))
                    .collect(),
            )
        }
        _ => to_json(value),
    }
}

/// What identifies an object: address, module, mode, type, name, index, deposed key.
pub fn identity(key: &RecordKey) -> Map<String, Json> {
    let address = &key.address;
    let resource = &address.resource;
    let mut out = Map::new();
    out.insert("address".into(), json!(address.to_string()));
    out.insert("mode".into(), json!(mode_word(resource.mode)));
    out.insert("type".into(), json!(resource.type_name));
    out.insert("name".into(), json!(resource.name));
    match &address.key {
        Some(InstanceKey::Index(i)) => {
            out.insert("index".into(), json!(i));
        }
        Some(InstanceKey::Key(k)) => {
            out.insert("index".into(), json!(k));
        }
        None => {}
    }
    out
}
