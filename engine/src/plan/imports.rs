//! Taking objects that exist into the state: `import` blocks, the command `import`, and objects
//! for which configuration is to be written.
//!
//! A block is evaluated when its resource is planned. What the provider finds becomes a record of
//! the planner's state, as if it had been there, and is planned like any other; apply writes it
//! with what was refreshed, before anything else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use petgraph::graph::NodeIndex;
use topo_sdk::convert::convert;
use topo_sdk::plan::propose;
use topo_sdk::{
    Connection, Diagnostic, Diagnostics, PlanRequest, ResourceState, Schema, SourceRange, Type,
};

use super::ephemeral::interruption;
use super::marks::mark;
use super::providers::provider_node;
use super::saved::Basis as Saved;
use super::{PlanOptions, Planner, planner, settled};
use crate::address::{
    InstanceAddress, InstanceKey, ModuleInstance, ProviderAddress, ResourceAddress, ResourceMode,
};
use crate::changes::{Importing, PlanMode};
use crate::config::{
    Config, Import, ImportIdentity, ModuleId, ProviderKey, Repetition, Resource, ResourceKey,
};
use crate::events::{Event, Listener};
use crate::generate::{Judge, resource_block};
use crate::graph::{Graph, Node};
use crate::lang::ast::Expression;
use crate::lang::eval::evaluate;
use crate::providers::Providers;
use crate::store::{Dependency, Record, RecordKey, State, Status};
use crate::variables::Inputs;
use crate::world::{Each, ModuleScope};

/// An object that is to be imported.
pub(super) struct Wanted {
    id: String,
    provider: Option<ProviderKey>,
    /// The block.
    range: SourceRange,
    /// The address in it.
    to: SourceRange,
}

/// An object to import, by the address where it will be.
pub(super) type AllWanted = BTreeMap<InstanceAddress, Wanted>;

impl Planner<'_> {
    /// What `import` blocks want to have as instances of a resource and is not in the state yet.
    pub(super) fn wanted_imports(&mut self, m: ModuleId, key: &ResourceKey) -> AllWanted {
        let config = self.config.clone();
        let mut wanted = AllWanted::new();
        if key.0 != ResourceMode::Managed {
            return wanted;
        }
        let path = &config.module(m).path;
        for import in &config.root().imports {
            let calls = import.to.modules.iter().map(|(name, _)| name);
            if import.to.type_name == key.1 && import.to.name == key.2 && path.iter().eq(calls) {
                self.evaluate_import(import, &mut wanted);
            }
        }
        wanted
    }

    /// Evaluates an `import` block, once for each element of its `for_each`.
    fn evaluate_import(&mut self, import: &Import, wanted: &mut AllWanted) {
        let each = match &import.for_each {
            None => vec![None],
            Some(e) => {
                match self
                    .world
                    .expand(&Repetition::ForEach(e.clone()), 0, 0, "this import block")
                {
                    Ok((_, items)) => items.into_iter().map(Some).collect(),
                    Err(e) => {
                        self.diagnostics.push(*e.diagnostic);
                        return;
                    }
                }
            }
        };
        for each in &each {
            let scope = ModuleScope {
                each: each.as_ref(),
                ..self.world.scope(0, 0)
            };
            let address = match import_address(import, &scope) {
                Ok(address) => address,
                Err(d) => {
                    self.diagnostics.push(*d);
                    continue;
                }
            };
            if self
                .state
                .records
                .contains_key(&RecordKey::from(address.clone()))
            {
                continue;
            }
            let id = match import_id(import, &scope) {
                Ok(id) => id,
                Err(d) => {
                    self.diagnostics.push(d.with_address(&address));
                    continue;
                }
            };
            let made = Wanted {
                id,
                provider: import.provider.clone(),
                range: import.range.clone(),
                to: import.to.range.clone(),
            };
            if let Some(first) = wanted.get(&address) {
                self.diagnostics.push(
                    Diagnostic::error("Duplicate import configuration", format!("There is an import block for {address} at {} already: an object can be imported once.", first.range))
                        .with_range(Some(import.range.clone())),
                );
                continue;
            }
            wanted.insert(address, made);
        }
    }

    /// Imports what is wanted of the instances that one module instance has of a resource.
    pub(super) async fn import_instances(
        &mut self,
        resource: &Resource,
        address: &ResourceAddress,
        items: &[Each],
        wanted: &mut AllWanted,
    ) {
        if wanted.is_empty() {
            return;
        }
        let here: Vec<(InstanceAddress, Wanted)> = items
            .iter()
            .filter_map(|each| wanted.remove_entry(&address.instance(each.key.clone())))
            .collect();
        let generated = self.config.is_generated(resource);
        let (parallelism, listener) = (self.options.parallelism.max(1), self.listener.clone());
        let mut calls = Vec::new();
        for (address, w) in here {
            match self.connection_to_import(resource, &address, &w) {
                Ok(found) => calls.push((address, w, found)),
                Err(d) => self.diagnostics.push(d.with_address(&address)),
            }
        }
        let answers: Vec<_> = stream::iter(calls.into_iter().map(|(address, w, connection)| {
            let listener = listener.clone();
            async move {
                let answer = match connection {
                    Source::Connection(c) => look_up(&*c, &listener, &address, &w.id).await,
                    Source::Saved(state) => Ok(*state),
                };
                (address, w, answer)
            }
        }))
        .buffered(parallelism)
        .collect()
        .await;
        for (address, w, answer) in answers {
            match answer {
                Ok(found) => {
                    let record = new_record(
                        &address,
                        &resource.provider_address,
                        &resource.schema,
                        found,
                    );
                    self.state
                        .records
                        .insert(record.key.clone(), record.clone());
                    self.refreshed.insert(record.key);
                    self.imported.insert(
                        address,
                        Importing {
                            id: w.id,
                            generated,
                        },
                    );
                }
                Err(ds) => self
                    .diagnostics
                    .extend(ds.map(|d| d.with_range(Some(w.range.clone())).with_address(&address))),
            }
        }
    }

    /// Where an object is found: through its resource's provider, or in a plan that is resumed.
    fn connection_to_import(
        &self,
        resource: &Resource,
        address: &InstanceAddress,
        w: &Wanted,
    ) -> Result<Source, Box<Diagnostic>> {
        let fail = |summary: &str, detail: String| {
            Err(Box::new(
                Diagnostic::error(summary, detail).with_range(Some(w.range.clone())),
            ))
        };
        if w.provider.as_ref().is_some_and(|p| *p != resource.provider) {
            return fail(
                "Invalid import provider argument",
                format!(
                    "The object is read through the provider configuration of its resource block, at {}: name the same here or none.",
                    resource.range
                ),
            );
        }
        if let Some(known) = &self.inputs.imported {
            return match known.get(address).filter(|(id, _)| *id == w.id) {
                Some((_, state)) => Ok(Source::Saved(Box::new(state.clone()))),
                None => fail(
                    "Saved plan is stale",
                    "The plan was saved without this object.".into(),
                ),
            };
        }
        let slot = self.slots.get(&resource.provider_address);
        match slot.and_then(|s| s.current.as_ref()) {
            Some(state) => Ok(Source::Connection(state.connection.clone())),
            None => fail(
                "Provider configuration not known",
                format!(
                    "The object can be imported only when it is known where it is, but the configuration of {} depends on values that are known only after apply. Apply what it depends on first, without this import block.",
                    resource.provider_address
                ),
            ),
        }
    }

    /// Import blocks whose address no instance has.
    pub(super) fn undeclared_imports(&mut self, wanted: AllWanted) {
        for (address, w) in wanted {
            self.diagnostics.push(
                Diagnostic::error("Configuration for import target does not exist", format!("The configuration has the resource, but not the instance {address} of it: look at its count or for_each, and at those of the modules that it is in."))
                    .with_range(Some(w.to)),
            );
        }
    }
}

enum Source {
    Connection(Arc<dyn Connection>),
    Saved(Box<ResourceState>),
}

/// Asks a provider for an object.
async fn look_up(
    connection: &dyn Connection,
    listener: &Listener,
    address: &InstanceAddress,
    id: &str,
) -> Result<ResourceState, Diagnostics> {
    listener(Event::ImportStarted {
        address: address.clone(),
        id: id.to_string(),
    });
    let found = connection.import(&address.resource.type_name, id).await?;
    listener(Event::ImportFinished {
        address: address.clone(),
        id: id.to_string(),
    });
    Ok(found)
}

fn new_record(
    address: &InstanceAddress,
    provider: &ProviderAddress,
    schema: &Schema,
    found: ResourceState,
) -> Record {
    let now = Timestamp::now();
    Record {
        key: address.clone().into(),
        provider: provider.clone(),
        schema_version: schema.version,
        status: Status::Ok,
        value: mark(&schema.block, settled(found.value), &[]),
        private: found.private,
        dependencies: Vec::new(),
        created: now,
        updated: now,
        keep: false,
    }
}

/// The address that a block imports to.
fn import_address(
    import: &Import,
    scope: &ModuleScope<'_>,
) -> Result<InstanceAddress, Box<Diagnostic>> {
    let mut module = ModuleInstance::root();
    for (name, key) in &import.to.modules {
        module = module.child(name.clone(), import_key(key.as_ref(), scope)?);
    }
    let resource = ResourceAddress {
        module,
        mode: ResourceMode::Managed,
        type_name: import.to.type_name.clone(),
        name: import.to.name.clone(),
    };
    Ok(resource.instance(import_key(import.to.key.as_ref(), scope)?))
}

fn import_key(
    key: Option<&Expression>,
    scope: &ModuleScope<'_>,
) -> Result<Option<InstanceKey>, Box<Diagnostic>> {
    let Some(e) = key else { return Ok(None) };
    let value = evaluate(e, scope)?;
    let wrong = |detail: &str| {
        Box::new(
            Diagnostic::error("Import block 'to' address contains an invalid key", detail)
                .with_range(Some(e.range())),
        )
    };
    if !value.deep_marks().is_empty() {
        return Err(wrong(
            "A key of an address cannot be sensitive or ephemeral: it is shown.",
        ));
    }
    if !value.is_known() {
        return Err(wrong(
            "The key will be known only after apply. Use a value here that is known when planning.",
        ));
    }
    if let Some(text) = value.as_str() {
        return Ok(Some(InstanceKey::Key(text.into())));
    }
    let index = value.as_i64().and_then(|n| u64::try_from(n).ok());
    match index {
        Some(n) => Ok(Some(InstanceKey::Index(n))),
        None => Err(wrong(
            "A key is a string, or a whole number that is not negative.",
        )),
    }
}

/// What the provider knows the object by.
fn import_id(import: &Import, scope: &ModuleScope<'_>) -> Result<String, Box<Diagnostic>> {
    let e = match &import.identity {
        ImportIdentity::Id(e) => e,
        ImportIdentity::Object(e) => {
            return Err(Box::new(
                Diagnostic::error("Import by identity is not possible", "No provider that is built in describes its objects by an identity. Give the argument \"id\" instead.")
                    .with_range(Some(e.range())),
            ));
        }
    };
    let wrong = |detail: String| {
        Err(Box::new(
            Diagnostic::error("Invalid import id argument", detail).with_range(Some(e.range())),
        ))
    };
    let value = evaluate(e, scope)?;
    if !value.deep_marks().is_empty() {
        return wrong("The import ID cannot be sensitive or ephemeral: it is shown.".into());
    }
    if value.is_null() {
        return wrong("The import ID cannot be null.".into());
    }
    if !value.is_known() {
        return wrong("The import ID depends on values that are known only after apply, so the object cannot be looked up now. Apply what it depends on first, without this import block.".into());
    }
    match convert(&value, &Type::String) {
        Ok(text) => match text.as_str() {
            Some("") | None => wrong("The import ID is an empty string.".into()),
            Some(id) => Ok(id.to_string()),
        },
        Err(x) => wrong(format!("The import ID is unsuitable: {x}.")),
    }
}

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
    let mut found = Diagnostics::new();
    let given = Arc::new(inputs.resolve(config.root(), &mut found));
    let saved = Saved::new(&config, &state, &given, &options, Timestamp::now());
    let mut planner = planner(
        config.clone(),
        providers,
        given,
        state,
        &options,
        listener.clone(),
        found,
        saved,
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

/// A block that was written for an object which is to be imported.
pub struct GeneratedBlock {
    /// The object.
    pub address: InstanceAddress,
    /// What its provider knows it by.
    pub id: String,
    /// A `resource` block, in the canonical layout.
    pub text: String,
}

/// Writes resource blocks for the `import` blocks of a configuration that have none yet, so that
/// with them nothing is to be changed.
///
/// # Errors
/// When an object cannot be looked up.
pub async fn generate(
    config: Arc<Config>,
    providers: &Providers,
    inputs: &Inputs,
    state: State,
    options: &PlanOptions,
    listener: Listener,
) -> Result<Vec<GeneratedBlock>, Diagnostics> {
    let options = PlanOptions {
        mode: PlanMode::Normal,
        refresh: false,
        store: None,
        ..options.clone()
    };
    let mut found = Diagnostics::new();
    let given = Arc::new(inputs.resolve(config.root(), &mut found));
    let saved = Saved::new(&config, &state, &given, &options, Timestamp::now());
    let mut planner = planner(
        config, providers, given, state, &options, listener, found, saved,
    )?;
    let given_up = planner.given_up();
    let made = tokio::select! {
        biased;
        () = given_up => Err(interruption()),
        made = planner.generate() => Ok(made),
    };
    planner.close_ephemerals().await;
    let made = made?;
    if planner.diagnostics.has_errors() {
        return Err(planner.diagnostics);
    }
    Ok(made)
}

impl Planner<'_> {
    async fn generate(&mut self) -> Vec<GeneratedBlock> {
        let config = self.config.clone();
        let Some(graph) = config.graph() else {
            return Vec::new();
        };
        let undeclared: Vec<&Import> = config
            .root()
            .imports
            .iter()
            .filter(|i| {
                let key = (
                    ResourceMode::Managed,
                    i.to.type_name.clone(),
                    i.to.name.clone(),
                );
                i.to.modules.is_empty() && !config.root().resources.contains_key(&key)
            })
            .collect();
        self.evaluate_behind(graph, &undeclared).await;
        let mut made = Vec::new();
        for import in undeclared {
            if self.diagnostics.has_errors() {
                break;
            }
            let mut wanted = AllWanted::new();
            self.evaluate_import(import, &mut wanted);
            let provider = import_provider(&config, import);
            self.open_provider(&provider).await;
            for (address, w) in wanted {
                match self.generate_block(&provider, import, &address, &w).await {
                    Ok(text) => made.push(GeneratedBlock {
                        address,
                        id: w.id,
                        text,
                    }),
                    Err(ds) => self.diagnostics.extend(
                        ds.map(|d| d.with_range(Some(w.range.clone())).with_address(&address)),
                    ),
                }
            }
        }
        made
    }

    /// Evaluates what import blocks and their providers refer to.
    async fn evaluate_behind(&mut self, graph: &Graph, imports: &[&Import]) {
        let config = self.config.clone();
        let mut ends: BTreeSet<NodeIndex> = BTreeSet::new();
        for import in imports {
            ends.extend(provider_node(
                &config,
                graph,
                &import_provider(&config, import),
            ));
            let (ImportIdentity::Id(identity) | ImportIdentity::Object(identity)) =
                &import.identity;
            let all = [identity]
                .into_iter()
                .chain(&import.for_each)
                .chain(&import.to.key);
            let references = all.flat_map(|e| &e.references);
            ends.extend(references.filter_map(|r| graph.named(&config, 0, &r.target)));
        }
        let mut needed: BTreeSet<NodeIndex> = BTreeSet::new();
        for end in ends {
            if !needed.contains(&end) {
                needed.extend(graph.ancestors(end));
            }
        }
        for index in graph.order.iter().filter(|n| needed.contains(n)) {
            self.node(graph, *index).await;
        }
    }

    async fn generate_block(
        &mut self,
        provider: &ProviderAddress,
        import: &Import,
        address: &InstanceAddress,
        w: &Wanted,
    ) -> Result<String, Diagnostics> {
        let Some(built_in) = self.providers.get(&provider.name) else {
            return Err(self.providers.unknown(&provider.name).into());
        };
        let type_name = &address.resource.type_name;
        let Some(schema) = built_in.resource_schema(type_name) else {
            return Err(Diagnostics::error(
                "Invalid resource type",
                format!(
                    "The provider {} has no resource type {type_name:?}.",
                    provider.name
                ),
            ));
        };
        let slot = self.slots.get(provider).and_then(|s| s.current.as_ref());
        let Some(state) = slot else {
            return Err(Diagnostics::error(
                "Provider configuration not known",
                format!(
                    "The object can be looked up only when the configuration of {provider} is known, but that depends on values which are known only after apply."
                ),
            ));
        };
        let found = look_up(&*state.connection, &self.listener, address, &w.id).await?;
        let value = mark(&schema.block, settled(found.value), &[]);
        let named = import.provider.as_ref().map(|(name, alias)| match alias {
            Some(alias) => format!("{name}.{alias}"),
            None => name.to_string(),
        });
        let prior = ResourceState {
            value: value.clone().unmark_deep(),
            private: found.private,
        };
        let judge = Judge {
            validate: &|config| built_in.validate_resource(type_name, config),
            unchanged: &|config| {
                let request = PlanRequest {
                    type_name: type_name.clone(),
                    prior: Some(prior.clone()),
                    config: config.clone(),
                    proposed: propose(&schema.block, Some(&prior.value), config),
                };
                built_in
                    .plan(&request)
                    .is_ok_and(|p| p.value == prior.value)
            },
        };
        Ok(resource_block(
            &address.resource,
            &schema,
            &value,
            named.as_deref(),
            &judge,
        ))
    }
}

/// The provider configuration of a resource that has no block: the one that the import block
/// names, or the default one of its type.
fn import_provider(config: &Config, import: &Import) -> ProviderAddress {
    let implied = || {
        let prefix = import.to.type_name.split('_').next().unwrap_or_default();
        (Arc::from(prefix), None)
    };
    let (local, alias) = import.provider.clone().unwrap_or_else(implied);
    let required = &config.root().required_providers;
    ProviderAddress {
        module: config.root().path.clone(),
        name: required.get(&local).cloned().unwrap_or(local),
        alias,
    }
}

/// Whether two module instances agree in the keys of the calls that they share.
fn shares_instances(a: &ModuleInstance, b: &ModuleInstance) -> bool {
    let both = a.steps().iter().zip(b.steps());
    both.take_while(|(x, y)| x.0 == y.0)
        .all(|(x, y)| x.1 == y.1)
}
