//! The command `import`: one object, looked up at once, with its provider configured by the state.

use std::collections::BTreeSet;
use std::sync::Arc;

use topo_sdk::{Connection, Diagnostic, Diagnostics};

use super::{look_up, new_record};
use crate::address::{InstanceAddress, InstanceKey, ModuleInstance, ProviderAddress};
use crate::changes::PlanMode;
use crate::config::{Config, ModuleId, Repetition, ResourceKey};
use crate::events::Listener;
use crate::graph::Node;
use crate::plan::interruption;
use crate::plan::{PlanOptions, Planner, begin};
use crate::providers::Providers;
use crate::store::{Dependency, Record, RecordKey, State};
use crate::variables::Inputs;

/// Looks up an object, for the command `import`: the record to be put into the state. The
/// provider's configuration is evaluated over the state.
///
/// # Errors
/// When the address is in the state already or has no block, the provider's configuration cannot
/// be known, or there is no such object.
pub async fn import_object(
    config: Arc<Config>,
    providers: &Providers,
    inputs: &Inputs,
    state: State,
    options: &PlanOptions,
    listener: Listener,
    (address, id): (&InstanceAddress, &str),
) -> Result<Record, Diagnostics> {
    let Some(resource) = config.resource(&address.resource) else {
        return Err(Diagnostic::error("Resource does not exist in the configuration", format!("An object is imported for a resource block, and there is none for {address}. Write one first; for a start:\n\n  resource \"{}\" \"{}\" {{\n    # (arguments)\n  }}\n\nOr write an import block and have plan -generate-config-out write the rest.", address.resource.type_name, address.resource.name)).into());
    };
    possible(&config, address)?;
    if state
        .records
        .contains_key(&RecordKey::from(address.clone()))
    {
        return Err(Diagnostic::error("Resource already managed by topo", format!("There is an object in the state at {address} already. Remove it from there first, with topo state rm.")).with_address(address).into());
    }
    let options = PlanOptions {
        mode: PlanMode::RefreshOnly,
        refresh: false,
        store: None,
        ..options.clone()
    };
    let mut planner = begin(
        config.clone(),
        providers,
        inputs,
        state,
        &options,
        listener.clone(),
    )?;
    let given_up = planner.given_up();
    let looking = async {
        let provider = &resource.provider_address;
        let connection = planner.connection_by_state(provider).await?;
        let found = look_up(&*connection, &listener, address, id).await;
        found.map_err(|ds| ds.map(|d| d.with_address(address)))
    };
    let found = tokio::select! {
        biased;
        () = given_up => Err(interruption().into()),
        found = looking => found,
    };
    planner.close_ephemerals().await;
    let found = found?;
    if planner.diagnostics.has_errors() {
        return Err(planner.diagnostics);
    }
    let mut record = new_record(address, &resource.provider_address, &resource.schema, found);
    record.keep = resource.lifecycle.keep;
    record.dependencies = planner.dependencies_by_state(address);
    Ok(record)
}

/// Whether the keys of an address agree with its blocks.
fn possible(config: &Config, address: &InstanceAddress) -> Result<(), Diagnostics> {
    let fits = |repetition: &Repetition, key: &Option<InstanceKey>| {
        matches!(
            (repetition, key),
            (Repetition::Single | Repetition::Enabled(_), None)
                | (Repetition::Count(_), Some(InstanceKey::Index(_)))
                | (Repetition::ForEach(_), Some(InstanceKey::Key(_)))
        )
    };
    let wrong = |what: String, repetition: &Repetition| {
        let form = match repetition {
            Repetition::Single | Repetition::Enabled(_) => "has no key",
            Repetition::Count(_) => "has a number as its key, such as [0]",
            Repetition::ForEach(_) => {
                "has a string as its key, such as [\"a\"] (in a shell, quote the address)"
            }
        };
        Diagnostics::error(
            "No such instance in the configuration",
            format!("By its block, an instance of {what} {form}; {address} does not fit."),
        )
    };
    let mut path: Vec<Arc<str>> = Vec::new();
    for (name, key) in address.resource.module.steps() {
        let call = config
            .module_named(&path)
            .and_then(|id| config.module(id).calls.get(name));
        if let Some(call) = call
            && !fits(&call.repetition, key)
        {
            return Err(wrong(format!("module.{name}"), &call.repetition));
        }
        path.push(name.clone());
    }
    match config.resource(&address.resource) {
        Some(r) if !fits(&r.repetition, &address.key) => {
            Err(wrong(address.resource.to_string(), &r.repetition))
        }
        _ => Ok(()),
    }
}

impl Planner<'_> {
    /// A connection whose configuration is evaluated over the state.
    async fn connection_by_state(
        &mut self,
        address: &ProviderAddress,
    ) -> Result<Arc<dyn Connection>, Diagnostics> {
        let was = self.prior_config(address).await;
        let failed = |planner: &mut Self| std::mem::take(&mut planner.diagnostics);
        if self.diagnostics.has_errors() {
            return Err(failed(self));
        }
        let config = was.map_err(|why| {
            Diagnostics::error("Provider configuration not known", format!("To import an object, {address} must be configured, but its configuration is not known from the variables and the state: {why} Apply what it depends on first."))
        })?;
        match self.connect(address, config).await {
            Some(state) => Ok(state.connection),
            None => Err(failed(self)),
        }
    }

    /// What an object depends on by its block, of what is in the state.
    fn dependencies_by_state(&self, address: &InstanceAddress) -> Vec<Dependency> {
        let r = &address.resource;
        let path: Vec<Arc<str>> = r.module.steps().iter().map(|(n, _)| n.clone()).collect();
        let key = (r.mode, r.type_name.clone(), r.name.clone());
        let graph = self.config.graph();
        let node = graph
            .zip(self.config.module_named(&path))
            .and_then(|(graph, m)| graph.find(&Node::Resource(m, key)));
        let (Some(graph), Some(needed)) = (graph, node.and_then(|n| self.resource_deps.get(&n)))
        else {
            return Vec::new();
        };
        let needed: BTreeSet<(ModuleId, &ResourceKey)> = needed
            .iter()
            .filter_map(|n| match &graph.graph[*n] {
                Node::Resource(m, key) => Some((*m, key)),
                _ => None,
            })
            .collect();
        let resources = self.state.records.keys().map(|k| &k.address.resource);
        let mut made: Vec<Dependency> = resources
            .filter(|other| {
                let path: Vec<Arc<str>> = other
                    .module
                    .steps()
                    .iter()
                    .map(|(n, _)| n.clone())
                    .collect();
                let key = (other.mode, other.type_name.clone(), other.name.clone());
                let module = self.config.module_named(&path);
                module.is_some_and(|m| needed.contains(&(m, &key)))
                    && shares_instances(&r.module, &other.module)
            })
            .cloned()
            .map(Dependency::Resource)
            .collect();
        made.dedup();
        made
    }
}

/// Whether two module instances agree in the keys of the calls that they share.
fn shares_instances(a: &ModuleInstance, b: &ModuleInstance) -> bool {
    let both = a.steps().iter().zip(b.steps());
    both.take_while(|(x, y)| x.0 == y.0)
        .all(|(x, y)| x.1 == y.1)
}
