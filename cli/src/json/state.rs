//! `show -json` of the state: format 1.0.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use topo_engine::address::{ModuleInstance, ModuleStep};
use topo_engine::store::{Dependency, Record, State, Status};
use topo_sdk::{Value, json::to_json};

use super::{identity, parts, provider_source};
use crate::commands::version::VERSION;

/// The whole state, values in clear.
pub fn state(state: &State) -> Json {
    let mut out = json!({"format_version": "1.0", "terraform_version": VERSION});
    if !state.records.is_empty() || !state.outputs.is_empty() {
        let mut tree = Tree::default();
        for record in state.records.values() {
            tree.add(&record.key.address.resource.module, resource(record));
        }
        let outputs = state.outputs.iter().map(|(n, o)| (&**n, o));
        out["values"] = json!({
            "outputs": super::outputs(outputs),
            "root_module": tree.into_json(&ModuleInstance::root()),
        });
    }
    out
}

fn resource(record: &Record) -> Json {
    let mut out = identity(&record.key);
    out.insert(
        "provider_name".into(),
        json!(provider_source(&record.provider.name)),
    );
    out.insert("schema_version".into(), json!(record.schema_version));
    out.insert("values".into(), to_json(&record.value));
    out.insert("sensitive_values".into(), sensitive(&record.value));
    let depends_on: Vec<String> = record
        .dependencies
        .iter()
        .map(|d| match d {
            Dependency::Instance(a) => a.resource.to_string(),
            Dependency::Resource(r) => r.to_string(),
        })
        .collect();
    if !depends_on.is_empty() {
        out.insert("depends_on".into(), json!(depends_on));
    }
    if record.status == Status::Tainted {
        out.insert("tainted".into(), json!(true));
    }
    if let Some(deposed) = &record.key.deposed {
        out.insert("deposed_key".into(), json!(deposed));
    }
    Json::Object(out)
}

/// Which parts are sensitive; an empty object for none.
pub fn sensitive(value: &Value) -> Json {
    match parts(value, &Value::is_sensitive) {
        Json::Bool(false) => json!({}),
        other => other,
    }
}

/// Resources by module.
#[derive(Default)]
pub struct Tree {
    resources: Vec<Json>,
    children: BTreeMap<ModuleStep, Tree>,
}

impl Tree {
    /// Adds a resource instance to its module.
    pub fn add(&mut self, module: &ModuleInstance, resource: Json) {
        let mut tree = self;
        for step in module.steps() {
            tree = tree.children.entry(step.clone()).or_default();
        }
        tree.resources.push(resource);
    }

    /// The module of this address, with those inside it.
    pub fn into_json(self, address: &ModuleInstance) -> Json {
        let mut out = Map::new();
        if !address.is_root() {
            out.insert("address".into(), json!(address.to_string()));
        }
        if !self.resources.is_empty() {
            out.insert("resources".into(), Json::Array(self.resources));
        }
        let children: Vec<Json> = self
            .children
            .into_iter()
            .map(|((name, key), child)| child.into_json(&address.child(name, key)))
            .collect();
        if !children.is_empty() {
            out.insert("child_modules".into(), Json::Array(children));
        }
        Json::Object(out)
    }
}
