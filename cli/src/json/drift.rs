//! `drift -json`, a format of topo's own:
//!
//! ```json
//! {
//!   "format_version": "1.0",
//!   "drifted": true,
//!   "objects": [{
//!     "address": "kubernetes_horizontal_pod_autoscaler_v2.this",
//!     "mode": "managed", "type": "...", "name": "this",
//!     "status": "changed",
//!     "consequence": "update",
//!     "changes": [{"path": "spec[0].max_replicas", "before": 10, "after": 3}]
//!   }],
//!   "unread": [{
//!     "address": "aws_vpc.main",
//!     "mode": "managed", "type": "aws_vpc", "name": "main",
//!     "diagnostics": [{"severity": "error", "summary": "...", "detail": "..."}]
//!   }],
//!   "diagnostics": []
//! }
//! ```
//!
//! `status` is `changed` or `deleted`. `consequence` is what an apply would do about it: `no-op`,
//! `create`, `update`, `replace`, `delete` or `forget`; it is left out where that is not known. A
//! change of a sensitive value has `"sensitive": true` and no values. `unread` are the objects
//! that could not be read.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use topo_engine::changes::{Drift, PlanMode, Unread};
use topo_engine::events::Event;
use topo_sdk::{Diagnostics, Kind, Path, Step, Value, json::to_json};

use super::identity;
use crate::ui::Ui;
use crate::view::{Note, View};

/// Writes the report of a drift check, and nothing else of the run.
pub struct Document {
    ui: Ui,
}

impl Document {
    /// To this output.
    pub fn new(ui: Ui) -> Document {
        Document { ui }
    }
}

impl View for Document {
    fn event(&mut self, _event: &Event) {}
    fn tick(&mut self) {}
    fn diagnostics(&mut self, _diagnostics: &Diagnostics) {}

    fn note(&mut self, note: &Note) {
        if let Note::Drift(found) = note {
            let text = report(&found.drift, &found.unread, &found.rest);
            self.ui.raw(&format!("{text:#}\n"));
        }
    }

    fn approve(&mut self, _mode: PlanMode) -> bool {
        false
    }
}

/// The report of a drift check.
fn report(drift: &[Drift], unread: &[Unread], diagnostics: &Diagnostics) -> Json {
    let shown = |d: &Diagnostics| super::diagnostics(d, &crate::render::diagnostics::no_sources);
    let unread: Vec<Json> = unread
        .iter()
        .map(|u| {
            let mut out = identity(&u.key);
            out.insert("diagnostics".into(), shown(&u.diagnostics));
            Json::Object(out)
        })
        .collect();
    let objects: Vec<Json> = drift.iter().map(object).collect();
    json!({
        "format_version": "1.0",
        "drifted": !drift.is_empty(),
        "objects": objects,
        "unread": unread,
        "diagnostics": shown(diagnostics),
    })
}

fn object(d: &Drift) -> Json {
    let mut out = identity(&d.key);
    if let Some(deposed) = &d.key.deposed {
        out.insert("deposed".into(), json!(deposed));
    }
    if let Some(action) = d.consequence {
        out.insert("consequence".into(), json!(action.word()));
    }
    match &d.after {
        None => {
            out.insert("status".into(), json!("deleted"));
        }
        Some(after) => {
            let mut found = Vec::new();
            differences(&d.before, after, &mut Path::root(), &mut found);
            out.insert("status".into(), json!("changed"));
            out.insert("changes".into(), Json::Array(found));
        }
    }
    Json::Object(out)
}

/// The innermost places where two values differ. Sets count as one place.
fn differences(before: &Value, after: &Value, path: &mut Path, found: &mut Vec<Json>) {
    if before == after {
        return;
    }
    let hidden = before.is_sensitive() || after.is_sensitive();
    match (before.kind(), after.kind()) {
        (Kind::Object(b), Kind::Object(a)) if !hidden => {
            let names: BTreeSet<_> = b.keys().chain(a.keys()).collect();
            for name in names {
                path.push(Step::Attribute(name.clone()));
                let (b, a) = (b.get(name), a.get(name));
                differences(
                    b.unwrap_or(&Value::NULL),
                    a.unwrap_or(&Value::NULL),
                    path,
                    found,
                );
                path.pop();
            }
        }
        (Kind::Map(b), Kind::Map(a)) if !hidden => {
            let names: BTreeSet<_> = b.entries.keys().chain(a.entries.keys()).collect();
            for name in names {
                path.push(Step::Key(name.clone()));
                let (b, a) = (b.entries.get(name), a.entries.get(name));
                differences(
                    b.unwrap_or(&Value::NULL),
                    a.unwrap_or(&Value::NULL),
                    path,
                    found,
                );
                path.pop();
            }
        }
        (Kind::List(_) | Kind::Tuple(_), Kind::List(_) | Kind::Tuple(_)) if !hidden => {
            let b = before.as_slice().unwrap_or_default();
            let a = after.as_slice().unwrap_or_default();
            for i in 0..b.len().max(a.len()) {
                path.push(Step::Index(i));
                let (b, a) = (b.get(i), a.get(i));
                differences(
                    b.unwrap_or(&Value::NULL),
                    a.unwrap_or(&Value::NULL),
                    path,
                    found,
                );
                path.pop();
            }
        }
        _ if hidden || (before.deep_marks() | after.deep_marks()).bits() != 0 => {
            found.push(json!({"path": path.to_string(), "sensitive": true}));
        }
        _ => found.push(json!({
            "path": path.to_string(),
            "before": to_json(before),
            "after": to_json(after),
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_places_are_named() {
        let object = |n: i64, secret: &str| {
            let spec = Value::tuple(vec![Value::object([
                ("max_replicas", Value::from(n)),
                ("min_replicas", Value::from(1)),
            ])]);
            Value::object([("spec", spec), ("token", Value::string(secret).sensitive())])
        };
        let mut found = Vec::new();
        differences(
            &object(10, "a"),
            &object(3, "b"),
            &mut Path::root(),
            &mut found,
        );
        assert_eq!(
            Json::Array(found),
            json!([
                {"path": "spec[0].max_replicas", "before": 10, "after": 3},
                {"path": "token", "sensitive": true},
            ])
        );
    }
}
