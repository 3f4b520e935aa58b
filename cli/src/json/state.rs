//! `show -json` of the state: format 1.0.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};
use topo_engine::address::{
    InstanceAddress, ModuleInstance, ModuleStep, ProviderAddress, ResourceAddress,
};
use topo_engine::config::Config;
use topo_engine::plan::Plan;
use topo_engine::store::{Dependency, Record, RecordKey, State, Status};
use topo_sdk::Value;

use super::{checks, identity, known, parts, provider_source};
use crate::commands::version::VERSION;

/// The whole state, values in clear.
pub fn state(state: &State) -> Json {
    with(state, Vec::new())
}

/// The state as a plan found it, with the data sources that were read for it.
pub fn prior(plan: &Plan) -> Json {
    let state = plan.prior_state();
    let read = plan.data().iter();
    let read = read.filter(|(a, _)| !state.records.contains_key(&RecordKey::from((*a).clone())));
    let read = read.filter_map(|(address, value)| {
        let values = data(plan.config(), address, value)?;
        Some((&address.resource.module, values))
    });
    with(state, read.collect())
}

fn with(state: &State, more: Vec<(&ModuleInstance, Json)>) -> Json {
    let mut out = json!({"format_version": "1.0", "terraform_version": VERSION});
    if !state.records.is_empty() || !state.outputs.is_empty() || !more.is_empty() {
        let mut tree = Tree::default();
        for record in state.records.values() {
            tree.add(&record.key.address.resource.module, resource(record));
        }
        for (module, resource) in more {
            tree.add(module, resource);
        }
        let outputs = state.outputs.iter().map(|(n, o)| (&**n, o));
        out["values"] = json!({
            "outputs": super::outputs(outputs),
            "root_module": tree.into_json(&ModuleInstance::root()),
        });
    }
    if !state.checks.is_empty() {
        out["checks"] = checks::checks(&state.checks);
    }
    out
}

fn resource(record: &Record) -> Json {
    let mut out = values(
        &record.key,
        &record.provider,
        record.schema_version,
        &record.value,
    );
    let depends_on: BTreeSet<String> = record
        .dependencies
        .iter()
        .map(|d| match d {
            Dependency::Instance(a) => block(&a.resource),
            Dependency::Resource(r) => block(r),
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

fn data(config: &Config, address: &InstanceAddress, value: &Value) -> Option<Json> {
    let resource = &address.resource;
    let calls = || resource.module.steps().iter().map(|(name, _)| name);
    let module = config.modules.iter().find(|m| m.path.iter().eq(calls()))?;
    let key = (
        resource.mode,
        resource.type_name.clone(),
        resource.name.clone(),
    );
    let found = module.resources.get(&key)?;
    let key = RecordKey::from(address.clone());
    let version = found.schema.version;
    let out = values(&key, &found.provider_address, version, value);
    Some(Json::Object(out))
}

/// What plans and states have of an object.
pub fn values(
    key: &RecordKey,
    provider: &ProviderAddress,
    schema_version: u64,
    value: &Value,
) -> Map<String, Json> {
    let mut out = identity(key);
    let source = provider_source(&provider.name);
    out.insert("provider_name".into(), json!(source));
    out.insert("schema_version".into(), json!(schema_version));
    out.insert("values".into(), known(value));
    out.insert("sensitive_values".into(), sensitive(value));
    out
}

/// The address of a block: no instance has a key in it.
fn block(resource: &ResourceAddress) -> String {
    let mut text = String::new();
    for (name, _) in resource.module.steps() {
        text.push_str(&format!("module.{name}."));
    }
    let (mode, ty, name) = (resource.mode, &resource.type_name, &resource.name);
    format!("{text}{}{ty}.{name}", mode.prefix())
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
