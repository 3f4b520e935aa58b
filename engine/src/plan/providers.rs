//! Provider configurations during planning: what each is, what it was, and reading the objects
//! that were made through it.
//!
//! A configuration may come from objects of the same plan. Then there are two: what it will be
//! (unknown as long as the object behind it does not exist) and what it was (evaluated over the
//! refreshed state), through which existing objects are read and, in the end, removed.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use futures::future::join_all;
use jiff::Timestamp;
use petgraph::graph::NodeIndex;
use topo_sdk::{
    Connection, Diagnostic, Diagnostics, Path, ReadRequest, RecoverRequest, Recovery,
    ResourceState, Value,
};

use super::marks::{drift, mark, sensitive_paths};
use super::{Planner, id_of};
use crate::address::{ProviderAddress, ResourceAddress, ResourceMode};
use crate::changes::{Drift, PlanMode, Reason, Unread};
use crate::config::{Body, ModuleId, ResourceKey};
use crate::events::Event;
use crate::graph::{Graph, Node};
use crate::store::{Change, Intent, Record, RecordKey, Status};
use crate::world::{Instances, ModuleScope, Shape, World};

/// A connection, the configuration it was made with and when.
#[derive(Clone)]
pub struct ProviderState {
    /// The configured provider.
    pub connection: Arc<dyn Connection>,
    /// Its configuration, sensitive parts marked.
    pub config: Value,
    /// When it was configured.
    pub since: Timestamp,
    /// How long the credentials in the configuration are good, if they come from something that
    /// expires.
    pub good_for: Option<std::time::Duration>,
    /// Whether what its configuration comes from is no longer open: an ephemeral resource of the
    /// plan.
    pub lapsed: bool,
}

impl ProviderState {
    /// Whether it should be configured anew before it is used again.
    pub fn is_stale(&self) -> bool {
        let expired = self.good_for.is_some_and(|d| {
            let age = Timestamp::now().duration_since(self.since);
            std::time::Duration::try_from(age).is_ok_and(|age| age >= d)
        });
        expired || self.lapsed
    }
}

/// A provider configuration in a run.
#[derive(Clone, Default)]
pub struct Slot {
    /// As it will be; `None` while it is not known.
    pub current: Option<ProviderState>,
    /// As it was when the existing objects were made, where that is known and may differ.
    pub prior: Option<ProviderState>,
    /// Whether it can be configured only during apply.
    pub deferred: bool,
    /// Why every object made through it is replaced, if so.
    pub target_replaced: Option<Reason>,
}

impl Slot {
    /// What existing objects are read and removed through.
    pub fn for_existing(&self) -> Option<&ProviderState> {
        self.prior.as_ref().or(self.current.as_ref())
    }
}

impl Planner<'_> {
    /// Finds out what a provider configuration is and was, connects, recovers what a dead run
    /// left under way, and reads the objects that were made through it.
    pub(super) async fn open_provider(&mut self, address: &ProviderAddress) {
        if self.slots.contains_key(address) {
            return;
        }
        self.slots.insert(address.clone(), Slot::default());
        let Some(provider) = self.providers.of(address).cloned() else {
            self.diagnostics.push(self.providers.unknown(&address.name));
            return;
        };
        let has_records = self.has_records(address);
        if self.block_is_gone(address) {
            if has_records {
                self.block_is_missed(address);
            }
            return;
        }
        let mut slot = Slot::default();
        let mut unknown_now = None;
        if self.options.mode == PlanMode::Normal {
            let mut found = Diagnostics::new();
            let value = self.provider_config(address, &self.world, &mut found);
            let failed = found.has_errors();
            self.diagnostics.extend(found);
            if failed {
                return;
            }
            if value.is_wholly_known() {
                slot.current = self.connect(address, value).await;
                if slot.current.is_none() {
                    self.slots.insert(address.clone(), slot);
                    return;
                }
            } else {
                slot.deferred = true;
                unknown_now = Some(value);
            }
        }
        let has_records = has_records || self.state.intents.iter().any(|i| i.provider == *address);
        if has_records && slot.current.is_none() {
            match self.prior_config(address).await {
                Ok(was) => {
                    if let Some(now) = &unknown_now {
                        slot.target_replaced = self.target_replaced(address, &was, now);
                    }
                    slot.prior = self.connect(address, was).await;
                }
                Err(why) if provider.uses_network() || !self.config_is_empty(address) => {
                    // The objects behind the configuration are gone, and what was in them too.
                    if self.target_is_gone(address) {
                        self.forget_lost(address);
                    } else if self.state.records.values().any(|r| r.provider == *address) {
                        self.diagnostics.push(
                            Diagnostic::error(
                                "Provider configuration cannot be determined",
                                format!("Objects in the state were made through {address}, whose configuration is not known from the state: {why} They can be neither read nor removed. Restore what the configuration refers to, or remove these objects from the state."),
                            ),
                        );
                    }
                }
                Err(_) => {}
            }
        }
        self.slots.insert(address.clone(), slot.clone());
        if let Some(state) = slot.for_existing().cloned() {
            // Without a store what is found could not be kept.
            if self.options.store.is_some() {
                self.recover(address, &state).await;
            }
            if self.options.refresh && has_records {
                self.refresh(address, &state).await;
            }
        }
    }

    /// Whether there are objects that a provider configuration is needed for.
    fn has_records(&self, address: &ProviderAddress) -> bool {
        let mut records = self.state.records.values();
        records.any(|r| r.provider == *address && !self.only_forgotten(r))
    }

    /// Whether a configuration cannot be any more what it was, because its block is gone: without
    /// a block, only the root module's default one is known, for it is empty.
    fn block_is_gone(&self, address: &ProviderAddress) -> bool {
        self.config.provider_block(address).is_none()
            && (!address.module.is_empty() || address.alias.is_some())
    }

    /// Objects cannot be removed through a configuration that nobody knows.
    fn block_is_missed(&mut self, address: &ProviderAddress) {
        let records = self.state.records.values();
        let needing: Vec<String> = records
            .filter(|r| r.provider == *address && !self.only_forgotten(r))
            .map(|r| r.key.address.to_string())
            .collect();
        let shown = needing.iter().take(5).map(|a| format!("\n  - {a}"));
        let mut list: String = shown.collect();
        if needing.len() > 5 {
            list.push_str(&format!("\n  - and {} more", needing.len() - 5));
        }
        self.diagnostics.push(Diagnostic::error(
            "Provider configuration not present",
            format!("These objects are in the state and were made through {address}, whose block is not in the configuration any more:{list}\n\nWithout it they can be neither read nor destroyed. Put the provider block back until they are destroyed, or let go of them with a removed block that has destroy = false."),
        ));
    }

    fn config_is_empty(&self, address: &ProviderAddress) -> bool {
        self.config.provider_block(address).is_none()
    }

    /// The configuration of a provider as a world has it.
    fn provider_config(
        &self,
        address: &ProviderAddress,
        world: &World,
        diagnostics: &mut Diagnostics,
    ) -> Value {
        provider_config(self.providers, address, world, diagnostics)
    }

    pub(super) async fn connect(
        &mut self,
        address: &ProviderAddress,
        config: Value,
    ) -> Option<ProviderState> {
        let provider = self.providers.of(address)?;
        let block = self.config.provider_block(address);
        match provider.configure(&config.clone().unmark_deep()).await {
            Ok(connection) => Some(ProviderState {
                connection,
                config,
                since: Timestamp::now(),
                good_for: self.good_for(address),
                lapsed: false,
            }),
            Err(ds) => {
                self.diagnostics.extend(ds.map(|d| match block {
                    Some((_, b)) => crate::config::locate(d, &b.body).with_address(address),
                    None => d.with_address(address),
                }));
                None
            }
        }
    }

    /// The shortest time for which a data source behind the configuration is good.
    fn good_for(&self, address: &ProviderAddress) -> Option<std::time::Duration> {
        let graph = self.config.graph()?;
        good_for(&self.config, graph, address)
    }

    /// The configuration as it was: evaluated over the objects in the state.
    ///
    /// Errors in words, when it cannot be known.
    pub(super) async fn prior_config(
        &mut self,
        address: &ProviderAddress,
    ) -> Result<Value, String> {
        let config = self.config.clone();
        let Some(graph) = config.graph() else {
            return Err("there is no configuration.".into());
        };
        self.begin_prior();
        if let Some(node) = provider_node(&config, graph, address) {
            self.prior_ancestors(graph, node).await;
        }
        let mut found = Diagnostics::new();
        let Some(world) = &self.prior else {
            return Err("nothing is known of it.".into());
        };
        let value = self.provider_config(address, world, &mut found);
        if found.has_errors() {
            return Err(format!("{found}."));
        }
        if value.is_wholly_known() {
            Ok(value)
        } else {
            Err("it refers to objects that are not in the state.".into())
        }
    }

    /// What is as the state has it, with nothing in it yet.
    fn begin_prior(&mut self) {
        if self.prior.is_none() {
            let (config, given) = (self.config.clone(), self.given.clone());
            let mut world = World::new(config, given, self.world.plan_time);
            world.planning = false;
            world.workspace = self.options.workspace.clone();
            self.prior = Some(world);
        }
    }

    /// Evaluates a node and everything behind it over the state.
    async fn prior_ancestors(&mut self, graph: &Graph, node: NodeIndex) {
        for n in graph.ancestors(node) {
            if self.prior_done.insert(n) {
                self.prior_node(graph, n).await;
            }
        }
    }

    /// The outputs of the root module over the state, as far as they come to anything.
    pub(super) async fn prior_outputs(&mut self) -> BTreeMap<Arc<str>, Value> {
        let config = self.config.clone();
        let Some(graph) = config.graph() else {
            return BTreeMap::new();
        };
        self.begin_prior();
        for name in config.root().outputs.keys() {
            if let Some(node) = graph.find(&Node::Output(0, name.clone()))
                && self.selection.has_node(node)
            {
                self.prior_ancestors(graph, node).await;
            }
        }
        let root = self.prior.as_ref().and_then(|w| w.modules.first()?.first());
        let outputs = root.into_iter().flat_map(|r| &r.outputs);
        outputs
            .filter(|(_, v)| v.is_wholly_known())
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect()
    }

    /// Evaluates one node over the state. Errors are left aside: what they concern is unknown.
    async fn prior_node(&mut self, graph: &Graph, n: NodeIndex) {
        let mut aside = Diagnostics::new();
        let node = graph.graph[n].clone();
        if let Node::Resource(m, key) = &node {
            match key.0 {
                ResourceMode::Managed => {
                    // What they are is known when they have been recovered and read.
                    let provider = &self.config.module(*m).resources[key].provider_address;
                    let provider = provider.clone();
                    Box::pin(self.open_provider(&provider)).await;
                    self.prior_managed(*m, key);
                }
                ResourceMode::Data => Box::pin(self.prior_data(*m, key)).await,
                ResourceMode::Ephemeral => {
                    Box::pin(self.prior_ephemeral(graph, *m, key)).await;
                }
            }
            return;
        }
        let Some(world) = &mut self.prior else { return };
        match &node {
            Node::Variable(m, name) => {
                (0..world.modules[*m].len()).for_each(|i| world.variable(*m, i, name, &mut aside))
            }
            Node::Local(m, name) => {
                (0..world.modules[*m].len()).for_each(|i| world.local(*m, i, name, &mut aside))
            }
            Node::Output(m, name) => {
                (0..world.modules[*m].len()).for_each(|i| world.output(*m, i, name, &mut aside))
            }
            Node::Call(m, name) => {
                world.call(*m, name, &mut aside);
            }
            _ => {}
        }
    }

    fn prior_managed(&mut self, m: ModuleId, key: &ResourceKey) {
        let Some(world) = &mut self.prior else { return };
        let shape = Shape::of(&self.config.module(m).resources[key].repetition);
        for values in &mut world.modules[m] {
            let address = ResourceAddress {
                module: values.address.clone(),
                mode: key.0,
                type_name: key.1.clone(),
                name: key.2.clone(),
            };
            let mut instances = Instances::new(shape);
            let from = RecordKey::from(address.instance(None));
            for (k, r) in self
                .state
                .records
                .range(from..)
                .take_while(|(k, _)| k.address.resource == address)
            {
                if k.deposed.is_none() {
                    instances.set(k.address.key.clone(), r.value.clone());
                }
            }
            values.resources.insert(key.clone(), instances);
        }
    }

    async fn prior_data(&mut self, m: ModuleId, key: &ResourceKey) {
        let config = self.config.clone();
        let resource = &config.module(m).resources[key];
        let count = self.prior.as_ref().map_or(0, |w| w.modules[m].len());
        for i in 0..count {
            let Some(world) = &self.prior else { return };
            let Ok((shape, items)) = world.expand(&resource.repetition, m, i, "") else {
                continue;
            };
            let mut wanted = Vec::new();
            for each in items {
                let mut aside = Diagnostics::new();
                let scope = ModuleScope {
                    each: Some(&each),
                    ..world.scope(m, i)
                };
                let value = resource
                    .body
                    .decode(&resource.schema.block, &scope, &mut aside);
                if !aside.has_errors() && value.is_wholly_known() {
                    wanted.push((each.key.clone(), value));
                }
            }
            let mut instances = Instances::new(shape);
            for (k, value) in wanted {
                if let Some(v) = self.read_prior_data(resource, key, value).await {
                    instances.set(k, v);
                }
            }
            if let Some(world) = &mut self.prior {
                world.modules[m][i].resources.insert(key.clone(), instances);
            }
        }
    }

    async fn read_prior_data(
        &mut self,
        resource: &crate::config::Resource,
        key: &ResourceKey,
        configured: Value,
    ) -> Option<Value> {
        let marked = sensitive_paths(&configured);
        let plain = configured.unmark_deep();
        let provider = self.providers.of(&resource.provider_address)?.clone();
        let made = match provider.compute_data(&key.1, &plain) {
            Some(made) => made,
            None => {
                let state = self.any_connection(&resource.provider_address).await?;
                state.connection.read_data(&key.1, &plain).await
            }
        };
        made.ok().map(|v| mark(&resource.schema.block, v, &marked))
    }

    /// Whether the target that a configuration identifies is going to be another one.
    fn target_replaced(
        &self,
        address: &ProviderAddress,
        was: &Value,
        now: &Value,
    ) -> Option<Reason> {
        let schema = self.providers.of(address)?.provider_schema();
        let graph = self.config.graph()?;
        let (name, _) = schema.block.attributes.iter().find(|(name, a)| {
            a.identifies_target
                && now.get(name).is_some_and(|v| !v.is_known())
                && was.get(name).is_some_and(|v| !v.is_null())
        })?;
        // The objects that the argument comes from, not everything behind them.
        let (module, block) = self.config.provider_block(address)?;
        let written = block.body.get(name)?;
        let sources: BTreeSet<NodeIndex> = written
            .references
            .iter()
            .filter_map(|r| graph.named(&self.config, module, &r.target))
            .flat_map(|n| match &graph.graph[n] {
                Node::Resource(_, (ResourceMode::Managed, ..)) => BTreeSet::from([n]),
                _ => self
                    .resource_deps
                    .get(&n)
                    .map(|s| (**s).clone())
                    .unwrap_or_default(),
            })
            .collect();
        let because: Vec<_> = sources
            .iter()
            .filter_map(|n| self.changed.get(n))
            .flatten()
            .filter(|(_, action)| action.is_replace())
            .map(|(a, _)| a.clone())
            .collect();
        (!because.is_empty()).then(|| Reason::TargetReplaced {
            provider: address.clone(),
            argument: Path::attribute(name.clone()),
            because,
        })
    }

    /// Whether reading has shown that an object is gone which the configuration comes from.
    fn target_is_gone(&self, address: &ProviderAddress) -> bool {
        let config = self.config.clone();
        let Some(graph) = config.graph() else {
            return false;
        };
        let Some(node) = provider_node(&config, graph, address) else {
            return false;
        };
        let behind: HashSet<(Vec<&str>, &ResourceKey)> = graph
            .ancestors(node)
            .into_iter()
            .filter_map(|n| match &graph.graph[n] {
                Node::Resource(m, key) => {
                    let path = config.module(*m).path.iter().map(|s| &**s).collect();
                    Some((path, key))
                }
                _ => None,
            })
            .collect();
        self.drift.iter().filter(|d| d.after.is_none()).any(|d| {
            let r = &d.key.address.resource;
            let path = r.module.steps().iter().map(|(n, _)| &**n).collect();
            let key = (r.mode, r.type_name.clone(), r.name.clone());
            behind.contains(&(path, &key))
        })
    }

    /// Objects whose target does not exist any more are gone with it.
    fn forget_lost(&mut self, address: &ProviderAddress) {
        let lost: Vec<RecordKey> = self
            .state
            .records
            .iter()
            .filter(|(_, r)| r.provider == *address)
            .map(|(k, _)| k.clone())
            .collect();
        for key in lost {
            self.settle(key, None);
        }
    }

    /// Reads every object that was made through a provider configuration, type by type.
    async fn refresh(&mut self, address: &ProviderAddress, state: &ProviderState) {
        let mut by_type: BTreeMap<Arc<str>, Vec<(RecordKey, ReadRequest)>> = BTreeMap::new();
        for (key, r) in &self.state.records {
            if r.provider != *address
                || key.address.resource.mode != ResourceMode::Managed
                || !self.selection.has_record(key)
                || self.only_forgotten(r)
            {
                continue;
            }
            if self.providers.stand_in(&key.address).is_some() {
                continue; // what it is made of exists nowhere else
            }
            let type_name = key.address.resource.type_name.clone();
            let request = ReadRequest {
                type_name: type_name.clone(),
                state: ResourceState {
                    value: r.value.clone().unmark_deep(),
                    private: r.private.clone(),
                },
            };
            by_type
                .entry(type_name)
                .or_default()
                .push((key.clone(), request));
        }
        if by_type.is_empty() {
            return;
        }
        if let Some(known) = self.inputs.refreshed.clone() {
            for key in by_type.into_values().flatten().map(|(k, _)| k) {
                if let Some(after) = known.get(&key) {
                    self.settle(key, after.clone());
                }
            }
            return;
        }
        let objects: Arc<[_]> = by_type
            .values()
            .flatten()
            .map(|(key, _)| {
                let record = self.state.records.get(key);
                (key.clone(), record.and_then(|r| id_of(&r.value)))
            })
            .collect();
        (self.listener)(Event::RefreshStarted {
            provider: address.clone(),
            objects: objects.clone(),
        });
        let connection = &state.connection;
        let answers = join_all(by_type.into_values().map(|reads| async move {
            let (keys, requests): (Vec<RecordKey>, Vec<ReadRequest>) = reads.into_iter().unzip();
            let answers = connection.read_many(&requests).await;
            keys.into_iter().zip(answers).collect::<Vec<_>>()
        }))
        .await;
        (self.listener)(Event::RefreshFinished {
            provider: address.clone(),
            objects,
        });
        for (key, answer) in answers.into_iter().flatten() {
            match answer {
                Ok(after) => self.settle(key, after),
                Err(ds) => {
                    let ds = ds.map(|d| d.with_address(&key.address));
                    self.diagnostics.extend(ds.clone());
                    self.unread.push(Unread {
                        key,
                        diagnostics: ds,
                    });
                }
            }
        }
    }

    /// Takes what a read found into the state, and notes where it differs.
    fn settle(&mut self, key: RecordKey, after: Option<ResourceState>) {
        let Some(record) = self.state.records.get(&key) else {
            return;
        };
        let type_name = &key.address.resource.type_name;
        let Some(schema) = self
            .providers
            .get(&record.provider.name)
            .and_then(|p| p.resource_schema(type_name))
        else {
            return;
        };
        let before = record.value.clone();
        match after {
            None => {
                self.state.records.remove(&key);
                self.refreshed.insert(key.clone());
                self.drift.push(Drift {
                    key,
                    before,
                    after: None,
                    schema,
                    consequence: None,
                });
            }
            Some(found) => {
                let value = mark(&schema.block, found.value, &sensitive_paths(&before));
                if value == before && found.private == record.private {
                    return;
                }
                if let Some(after) = drift(&schema.block, &before, &value) {
                    self.drift.push(Drift {
                        key: key.clone(),
                        before,
                        after: Some(after),
                        schema,
                        consequence: None,
                    });
                }
                if let Some(r) = self.state.records.get_mut(&key) {
                    r.value = value;
                    r.private = found.private;
                }
                self.refreshed.insert(key);
            }
        }
    }

    /// Finds out what became of the mutations of a dead run that went through this provider.
    async fn recover(&mut self, address: &ProviderAddress, state: &ProviderState) {
        let open: Vec<Intent> = self
            .state
            .intents
            .iter()
            .filter(|i| i.provider == *address)
            .cloned()
            .collect();
        for intent in open {
            let request = RecoverRequest {
                operation: intent.operation.clone(),
                request: intent.request.clone(),
                checkpoint: intent.checkpoint.clone(),
            };
            let outcome = match state.connection.recover(&request).await {
                Ok(Recovery::Found(found)) => {
                    let record = self.adopted(&intent, found);
                    self.state
                        .records
                        .insert(record.key.clone(), record.clone());
                    // It moves with all that moves, at the start of apply.
                    let key = self.moves.stored(&record.key);
                    if key != record.key {
                        self.refreshed.extend([key.clone(), record.key.clone()]);
                    }
                    self.commit(vec![
                        Change::Put(Box::new(Record { key, ..record })),
                        Change::CloseIntent(intent.operation.clone()),
                    ])
                    .await;
                    "found and adopted".to_string()
                }
                Ok(Recovery::Absent) => {
                    self.state.records.remove(&intent.key);
                    self.commit(vec![
                        Change::Remove(self.moves.stored(&intent.key)),
                        Change::CloseIntent(intent.operation.clone()),
                    ])
                    .await;
                    match intent.request.action {
                        topo_sdk::Action::Create { .. } => "was never made".to_string(),
                        _ => "is gone".to_string(),
                    }
                }
                Ok(Recovery::CannotTell(what)) => {
                    self.block(&intent, &what);
                    continue;
                }
                Err(ds) => {
                    self.diagnostics
                        .extend(ds.map(|d| d.with_address(&intent.key.address)));
                    continue;
                }
            };
            self.state
                .intents
                .retain(|i| i.operation != intent.operation);
            (self.listener)(Event::Recovered {
                key: intent.key.clone(),
                outcome,
            });
        }
    }

    fn adopted(&self, intent: &Intent, found: ResourceState) -> Record {
        let type_name = &intent.key.address.resource.type_name;
        let schema = self
            .providers
            .get(&intent.provider.name)
            .and_then(|p| p.resource_schema(type_name));
        let value = match &schema {
            Some(s) => mark(&s.block, found.value, &intent.sensitive),
            None => found.value,
        };
        let old = self.state.records.get(&intent.key);
        Record {
            key: intent.key.clone(),
            provider: intent.provider.clone(),
            schema_version: intent.schema_version,
            status: if intent.provisioned {
                Status::Tainted
            } else {
                old.map_or(Status::Ok, |r| r.status)
            },
            value,
            private: found.private,
            dependencies: intent.dependencies.clone(),
            created: old.map_or(intent.started, |r| r.created),
            updated: Timestamp::now(),
            keep: intent.keep,
        }
    }
}

/// The node of a provider configuration's block.
pub(crate) fn provider_node(
    config: &crate::config::Config,
    graph: &Graph,
    address: &ProviderAddress,
) -> Option<NodeIndex> {
    let (m, _) = config.provider_block(address)?;
    let key = config.modules[m]
        .providers
        .iter()
        .find(|((_, alias), b)| b.provider == address.name && *alias == address.alias)
        .map(|(k, _)| k.clone())?;
    graph.find(&Node::Provider(m, key))
}

/// The configuration of a provider as a world has it.
pub(crate) fn provider_config(
    providers: &crate::providers::Providers,
    address: &ProviderAddress,
    world: &World,
    diagnostics: &mut Diagnostics,
) -> Value {
    let Some(provider) = providers.of(address) else {
        return Value::NULL;
    };
    let schema = provider.provider_schema();
    match world.config.provider_block(address) {
        Some((m, block)) => block
            .body
            .decode(&schema.block, &world.scope(m, 0), diagnostics),
        None => {
            let range = topo_sdk::SourceRange {
                file: "".into(),
                start: Default::default(),
                end: Default::default(),
            };
            Body::empty(range).decode(&schema.block, &world.scope(0, 0), diagnostics)
        }
    }
}

/// The shortest time for which a data source behind a provider configuration is good.
pub(crate) fn good_for(
    config: &crate::config::Config,
    graph: &Graph,
    address: &ProviderAddress,
) -> Option<std::time::Duration> {
    let node = provider_node(config, graph, address)?;
    let times = graph
        .ancestors(node)
        .into_iter()
        .filter_map(|n| match &graph.graph[n] {
            Node::Resource(m, key) => config.module(*m).resources.get(key)?.schema.expires_after,
            _ => None,
        });
    times.min()
}
