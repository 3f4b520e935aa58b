//! Planning: one walk over the static graph that evaluates everything, asks each object's
//! provider what would happen to it, and reads what must be read.
//!
//! How a value travels: expressions are evaluated in a [`World`]; a resource's arguments become a
//! configuration value, which its provider turns into a planned object; that is put back into
//! the world, where whatever refers to it sees it, unknown parts included.

mod marks;
mod providers;
mod saved;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use futures::future::join_all;
use jiff::Timestamp;
use petgraph::graph::NodeIndex;
use topo_sdk::plan::{nulls_for_unknowns, propose};
use topo_sdk::{
    Diagnostic, Diagnostics, Path, PlanRequest, PlannedResource, ResourceState, Schema, Type, Value,
};

pub use marks::{deviation, mark, sensitive_paths};
pub use providers::{ProviderState, Slot};
pub(crate) use providers::{good_for, provider_config, provider_node};
pub use saved::{SavedPlan, resume};

use crate::address::{
    InstanceAddress, InstanceKey, ModuleInstance, ProviderAddress, ResourceAddress, ResourceMode,
};
use crate::changes::{ChangeAction, Counts, Drift, InstanceChange, OutputChange, PlanMode, Reason};
use crate::config::{Config, IgnoreChanges, ModuleId, Resource, ResourceKey};
use crate::events::{Event, Listener};
use crate::graph::{Graph, Node};
use crate::lang::ast::{Expression, Reference, Target};
use crate::lang::eval::evaluate;
use crate::providers::Providers;
use crate::store::{Change, Dependency, Record, RecordKey, State, StateStore, Status};
use crate::variables::{Given, Inputs};
use crate::world::{Each, Instances, ModuleScope, Shape, World, instance_key};

/// How to plan.
#[derive(Clone)]
pub struct PlanOptions {
    /// What the run is for.
    pub mode: PlanMode,
    /// Whether objects are read before they are compared.
    pub refresh: bool,
    /// Restricts the plan; not supported yet, must be empty.
    pub targets: Vec<String>,
    /// Objects to replace though nothing forces it.
    pub replace: Vec<InstanceAddress>,
    /// How many operations run side by side.
    pub parallelism: usize,
    /// Where what recovery finds is written; without it open intents are reported as errors.
    pub store: Option<Arc<dyn StateStore>>,
}

impl Default for PlanOptions {
    fn default() -> PlanOptions {
        PlanOptions {
            mode: PlanMode::Normal,
            refresh: true,
            targets: Vec::new(),
            replace: Vec::new(),
            parallelism: 10,
            store: None,
        }
    }
}

/// A plan, with what is needed to carry it out.
pub struct Plan {
    /// What happens to each object, those that stay as they are included, by address.
    pub changes: Vec<InstanceChange>,
    /// Objects that are not as the state has them.
    pub drift: Vec<Drift>,
    /// What happens to the outputs.
    pub outputs: Vec<OutputChange>,
    /// Provider configurations that are not known before apply.
    pub deferred_providers: Vec<ProviderAddress>,
    /// What the run is for.
    pub mode: PlanMode,
    /// Warnings; in a refresh-only plan also errors of objects that could not be read.
    pub diagnostics: Diagnostics,
    pub(crate) inner: Inner,
}

/// What apply takes over from planning.
pub(crate) struct Inner {
    pub(crate) world: World,
    /// Everything as the state (refreshed) has it: what provider configurations were.
    pub(crate) prior: Option<World>,
    pub(crate) slots: BTreeMap<ProviderAddress, Slot>,
    /// Refreshed.
    pub(crate) state: State,
    /// As it was loaded: which records the refresh changed.
    pub(crate) refreshed: BTreeSet<RecordKey>,
    pub(crate) details: HashMap<InstanceAddress, Detail>,
    /// Data sources that were read.
    pub(crate) data: BTreeMap<InstanceAddress, Value>,
    pub(crate) saved: saved::Inputs,
}

/// Where an instance comes from.
#[derive(Debug, Clone)]
pub(crate) struct Detail {
    pub(crate) module: ModuleId,
    pub(crate) instance: usize,
    pub(crate) key: ResourceKey,
    pub(crate) each: Each,
    pub(crate) dependencies: Vec<Dependency>,
}

impl Plan {
    /// How many objects each action concerns.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for change in self
            .changes
            .iter()
            .filter(|c| c.mode() == ResourceMode::Managed)
        {
            match change.action {
                ChangeAction::Create => counts.add += 1,
                ChangeAction::Update => counts.change += 1,
                ChangeAction::Delete => counts.destroy += 1,
                ChangeAction::Forget => counts.forget += 1,
                a if a.is_replace() => {
                    counts.add += 1;
                    counts.destroy += 1;
                }
                _ => {}
            }
        }
        counts
    }

    /// Whether there is nothing to apply: no object and no output changes.
    pub fn is_empty(&self) -> bool {
        let objects = self
            .changes
            .iter()
            .all(|c| matches!(c.action, ChangeAction::NoOp | ChangeAction::Read));
        let drift = self.mode == PlanMode::RefreshOnly && !self.drift.is_empty();
        objects && !drift && self.outputs.iter().all(OutputChange::is_no_op)
    }

    /// The plan as bytes, to be carried out later as long as configuration and state stay as
    /// they are.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub fn save(&self) -> Result<Vec<u8>, Diagnostics> {
        saved::save(self)
    }
}

/// Plans.
///
/// # Errors
/// Everything that is wrong; nothing has been changed then.
pub async fn plan(
    config: Arc<Config>,
    providers: &Providers,
    inputs: &Inputs,
    state: State,
    options: &PlanOptions,
    listener: Listener,
) -> Result<Plan, Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    let given = Arc::new(inputs.resolve(config.root(), &mut diagnostics));
    let inputs = saved::Inputs::new(&config, &state, &given, options, Timestamp::now());
    plan_with(
        config,
        providers,
        given,
        state,
        options,
        listener,
        diagnostics,
        inputs,
    )
    .await
}

#[expect(
    clippy::too_many_arguments,
    reason = "one caller to plan anew, one to resume a saved plan"
)]
async fn plan_with(
    config: Arc<Config>,
    providers: &Providers,
    given: Arc<BTreeMap<Arc<str>, Given>>,
    state: State,
    options: &PlanOptions,
    listener: Listener,
    diagnostics: Diagnostics,
    inputs: saved::Inputs,
) -> Result<Plan, Diagnostics> {
    if !options.targets.is_empty() {
        return Err(Diagnostics::error(
            "Not supported yet",
            "Plans that are restricted to targets are not supported yet.",
        ));
    }
    if config.graph().is_none() {
        return Err(Diagnostics::error(
            "Configuration not checked",
            "The configuration has no graph.",
        ));
    }
    let resource_deps = config
        .graph()
        .map(resource_dependencies)
        .unwrap_or_default();
    let create_first = config
        .graph()
        .map(|g| create_first(&config, g, &resource_deps))
        .unwrap_or_default();
    let plan_time = inputs.plan_time;
    let planner = Planner {
        world: World::new(config.clone(), given.clone(), plan_time),
        config,
        providers,
        given,
        state,
        options,
        listener,
        diagnostics,
        prior: None,
        prior_done: HashSet::new(),
        slots: BTreeMap::new(),
        changes: Vec::new(),
        drift: Vec::new(),
        details: HashMap::new(),
        data: BTreeMap::new(),
        changed: HashMap::new(),
        refreshed: BTreeSet::new(),
        resource_deps,
        create_first,
        inputs,
    };
    planner.run().await
}

/// For each node the managed resources it depends on, directly or through what is not a managed
/// resource.
fn resource_dependencies(graph: &Graph) -> HashMap<NodeIndex, Arc<BTreeSet<NodeIndex>>> {
    let mut all: HashMap<NodeIndex, Arc<BTreeSet<NodeIndex>>> = HashMap::new();
    let managed = |n: NodeIndex| {
        matches!(
            &graph.graph[n],
            Node::Resource(_, (ResourceMode::Managed, ..))
        )
    };
    for n in &graph.order {
        let mut sets: Vec<Arc<BTreeSet<NodeIndex>>> = Vec::new();
        let mut own = BTreeSet::new();
        for r in graph.requirements(*n) {
            if managed(r) {
                own.insert(r);
            } else if let Some(s) = all.get(&r)
                && !s.is_empty()
            {
                sets.push(s.clone());
            }
        }
        // Most nodes pass on one set unchanged: share it.
        let made = match (own.is_empty(), sets.as_slice()) {
            (true, [one]) => one.clone(),
            _ => {
                for s in sets {
                    own.extend(s.iter());
                }
                Arc::new(own)
            }
        };
        all.insert(*n, made);
    }
    all
}

/// The resources with `create_before_destroy`, and what those depend on: an object that stays
/// until its replacement exists cannot outlive what it needs (Terraform forces the same).
fn create_first(
    config: &Config,
    graph: &Graph,
    dependencies: &HashMap<NodeIndex, Arc<BTreeSet<NodeIndex>>>,
) -> HashSet<NodeIndex> {
    let mut found = HashSet::new();
    for n in graph.order.iter().rev() {
        let Node::Resource(m, key) = &graph.graph[*n] else {
            continue;
        };
        let asked = config
            .module(*m)
            .resources
            .get(key)
            .is_some_and(|r| r.lifecycle.create_before_destroy);
        if asked {
            found.insert(*n);
        }
        if found.contains(n) {
            found.extend(dependencies.get(n).iter().flat_map(|s| s.iter()).copied());
        }
    }
    found
}

struct Planner<'a> {
    config: Arc<Config>,
    providers: &'a Providers,
    given: Arc<BTreeMap<Arc<str>, Given>>,
    state: State,
    options: &'a PlanOptions,
    listener: Listener,
    diagnostics: Diagnostics,
    world: World,
    prior: Option<World>,
    prior_done: HashSet<NodeIndex>,
    slots: BTreeMap<ProviderAddress, Slot>,
    changes: Vec<InstanceChange>,
    drift: Vec<Drift>,
    details: HashMap<InstanceAddress, Detail>,
    data: BTreeMap<InstanceAddress, Value>,
    /// Resources with instances that change, and how.
    changed: HashMap<NodeIndex, Vec<(InstanceAddress, ChangeAction)>>,
    refreshed: BTreeSet<RecordKey>,
    resource_deps: HashMap<NodeIndex, Arc<BTreeSet<NodeIndex>>>,
    /// Resources whose replacements are made before the old objects are removed.
    create_first: HashSet<NodeIndex>,
    inputs: saved::Inputs,
}

impl Planner<'_> {
    async fn run(mut self) -> Result<Plan, Diagnostics> {
        if self.options.mode == PlanMode::Normal {
            let config = self.config.clone();
            let Some(graph) = config.graph() else {
                return Err(self.diagnostics);
            };
            for index in &graph.order {
                self.node(graph, *index).await;
            }
        }
        // Objects whose block is gone, or all of them.
        let addresses: BTreeSet<ProviderAddress> = self
            .state
            .records
            .values()
            .map(|r| r.provider.clone())
            .chain(self.state.intents.iter().map(|i| i.provider.clone()))
            .collect();
        for address in addresses {
            self.open_provider(&address).await;
        }
        if self.options.mode != PlanMode::RefreshOnly {
            self.deletions();
            self.prevented();
        }
        self.report_open_intents();
        let outputs = self.outputs();
        if self.diagnostics.has_errors() && self.options.mode != PlanMode::RefreshOnly {
            return Err(self.diagnostics);
        }
        self.changes.sort_by(|a, b| a.key.cmp(&b.key));
        self.drift.sort_by(|a, b| a.key.cmp(&b.key));
        let deferred_providers = self
            .slots
            .iter()
            .filter(|(_, s)| s.deferred)
            .map(|(a, _)| a.clone())
            .collect();
        Ok(Plan {
            changes: self.changes,
            drift: self.drift,
            outputs,
            deferred_providers,
            mode: self.options.mode,
            diagnostics: self.diagnostics,
            inner: Inner {
                world: self.world,
                prior: self.prior,
                slots: self.slots,
                state: self.state,
                refreshed: self.refreshed,
                details: self.details,
                data: self.data,
                saved: self.inputs,
            },
        })
    }

    async fn node(&mut self, graph: &Graph, index: NodeIndex) {
        match &graph.graph[index] {
            Node::Variable(m, n) => {
                for i in 0..self.world.modules[*m].len() {
                    self.world.variable(*m, i, n, &mut self.diagnostics);
                }
            }
            Node::Local(m, n) => {
                for i in 0..self.world.modules[*m].len() {
                    self.world.local(*m, i, n, &mut self.diagnostics);
                }
            }
            Node::Output(m, n) => {
                for i in 0..self.world.modules[*m].len() {
                    self.world.output(*m, i, n, &mut self.diagnostics);
                }
            }
            Node::Call(m, n) => self.world.call(*m, n, &mut self.diagnostics),
            Node::Provider(m, key) => {
                let module = self.config.module(*m);
                let address = ProviderAddress {
                    module: module.path.clone(),
                    name: module.providers[key].provider.clone(),
                    alias: key.1.clone(),
                };
                // A block that nothing uses is not connected to.
                let used = self
                    .config
                    .modules
                    .iter()
                    .any(|m| m.resources.values().any(|r| r.provider_address == address));
                if used {
                    self.open_provider(&address).await;
                }
            }
            Node::Resource(m, key) => self.resource(graph, index, *m, key).await,
            Node::Outputs(_) | Node::Closed(_) => {}
        }
    }

    async fn resource(&mut self, graph: &Graph, index: NodeIndex, m: ModuleId, key: &ResourceKey) {
        let config = self.config.clone();
        let resource = &config.module(m).resources[key];
        self.open_provider(&resource.provider_address).await;
        for i in 0..self.world.modules[m].len() {
            let module_address = self.world.modules[m][i].address.clone();
            let address = ResourceAddress {
                module: module_address,
                mode: key.0,
                type_name: key.1.clone(),
                name: key.2.clone(),
            };
            let (shape, items) =
                match self
                    .world
                    .expand(&resource.repetition, m, i, &address.to_string())
                {
                    Ok(x) => x,
                    Err(d) => {
                        self.diagnostics.push(d.with_address(&address));
                        (Shape::Single, Vec::new())
                    }
                };
            self.world.modules[m][i]
                .resources
                .insert(key.clone(), Instances::new(shape));
            let mut reads = Vec::new();
            for each in items {
                let instance = address.instance(each.key.clone());
                let errors = self.diagnostics.0.len();
                let value = self.decode(resource, m, i, &each, &instance);
                let failed = self
                    .diagnostics
                    .0
                    .iter()
                    .skip(errors)
                    .any(Diagnostic::is_error);
                let detail = Detail {
                    module: m,
                    instance: i,
                    key: key.clone(),
                    dependencies: self.dependencies(graph, index, resource, m, i, &each),
                    each,
                };
                let planned = if failed {
                    Value::unknown(Type::Dynamic)
                } else if key.0 == ResourceMode::Managed {
                    self.managed(graph, index, resource, &instance, value, &detail)
                        .await
                } else {
                    reads.push((instance.clone(), value));
                    Value::unknown(Type::Dynamic)
                };
                let each_key = detail.each.key.clone();
                self.details.insert(instance.clone(), detail);
                self.set(m, i, key, each_key, planned);
                if key.0 == ResourceMode::Managed && !failed {
                    self.postconditions(resource, m, i, &instance);
                }
            }
            if !reads.is_empty() {
                let read: Vec<InstanceAddress> = reads.iter().map(|(a, _)| a.clone()).collect();
                self.read_data(graph, index, resource, m, i, key, reads)
                    .await;
                for instance in read {
                    self.postconditions(resource, m, i, &instance);
                }
            }
        }
    }

    /// Checks what must hold of an object afterwards as far as that is known already.
    fn postconditions(
        &mut self,
        resource: &Resource,
        m: ModuleId,
        i: usize,
        instance: &InstanceAddress,
    ) {
        if resource.lifecycle.postconditions.is_empty() {
            return;
        }
        let Some(detail) = self.details.get(instance) else {
            return;
        };
        let key = (
            instance.resource.mode,
            instance.resource.type_name.clone(),
            instance.resource.name.clone(),
        );
        let values = &self.world.modules[m][i];
        let Some(value) = values
            .resources
            .get(&key)
            .and_then(|r| r.get(&instance.key))
        else {
            return;
        };
        let scope = ModuleScope {
            each: Some(&detail.each),
            itself: Some(value),
            ..self.world.scope(m, i)
        };
        let mut found = Diagnostics::new();
        for rule in &resource.lifecycle.postconditions {
            self.world.check_rule(
                rule,
                &scope,
                "Resource postcondition failed",
                &resource.range,
                &mut found,
            );
        }
        self.diagnostics
            .extend(found.map(|d| d.with_address(instance)));
    }

    fn set(
        &mut self,
        m: ModuleId,
        i: usize,
        key: &ResourceKey,
        instance: Option<InstanceKey>,
        value: Value,
    ) {
        if let Some(instances) = self.world.modules[m][i].resources.get_mut(key) {
            instances.set(instance, value);
        }
    }

    /// The configuration of an instance, checked as far as it is known.
    fn decode(
        &mut self,
        resource: &Resource,
        m: ModuleId,
        i: usize,
        each: &Each,
        instance: &InstanceAddress,
    ) -> Value {
        let mut found = Diagnostics::new();
        let scope = ModuleScope {
            each: Some(each),
            ..self.world.scope(m, i)
        };
        for rule in &resource.lifecycle.preconditions {
            self.world.check_rule(
                rule,
                &scope,
                "Resource precondition failed",
                &resource.range,
                &mut found,
            );
        }
        let value = resource
            .body
            .decode(&resource.schema.block, &scope, &mut found);
        if !found.has_errors()
            && let Some(p) = self.providers.get(&resource.provider_address.name)
        {
            let plain = value.clone().unmark_deep();
            let type_name = &instance.resource.type_name;
            let more = match instance.resource.mode {
                ResourceMode::Managed => p.validate_resource(type_name, &plain),
                ResourceMode::Data => p.validate_data(type_name, &plain),
            };
            found.extend(more.map(|d| crate::config::locate(d, &resource.body)));
        }
        self.diagnostics
            .extend(found.map(|d| d.with_address(instance)));
        value
    }

    async fn managed(
        &mut self,
        graph: &Graph,
        index: NodeIndex,
        resource: &Resource,
        address: &InstanceAddress,
        configured: Value,
        detail: &Detail,
    ) -> Value {
        let key = RecordKey::from(address.clone());
        let schema = &resource.schema;
        let slot_address = &resource.provider_address;
        let record = self.state.records.get(&key).cloned();
        let slot_reason = self
            .slots
            .get(slot_address)
            .and_then(|s| s.target_replaced.clone());
        let deferred = self.slots.get(slot_address).is_some_and(|s| s.deferred);
        let marked = sensitive_paths(&configured);
        let written = configured.unmark_deep();
        let mut config = written.clone();
        let prior = record.as_ref().map(|r| ResourceState {
            value: r.value.clone().unmark_deep(),
            private: r.private.clone(),
        });
        if let Some(p) = &prior {
            config = ignore_changes(&resource.lifecycle.ignore_changes, schema, &p.value, config);
        }
        let planned = match self
            .ask_provider(slot_address, address, schema, prior.clone(), config.clone())
            .await
        {
            Ok(p) => p,
            Err(ds) => {
                self.diagnostics.extend(
                    ds.map(|d| crate::config::locate(d, &resource.body).with_address(address)),
                );
                return Value::unknown(Type::Dynamic);
            }
        };
        let triggered = self.triggered(graph, resource, detail);
        let reason = match (&record, &slot_reason) {
            (None, _) => None,
            (Some(r), _) if r.status == Status::Tainted => Some(Reason::Tainted),
            (Some(_), Some(reason)) => Some(reason.clone()),
            _ if self.options.replace.contains(address) => Some(Reason::Requested),
            _ if !planned.requires_replace.is_empty() => Some(Reason::CannotUpdate),
            _ => triggered.map(Reason::TriggeredBy),
        };
        let replace_paths = planned.requires_replace.clone();
        let (action, after) = match (&prior, &reason) {
            (None, _) => (ChangeAction::Create, planned.value),
            (Some(_), Some(_)) => {
                // What replaces it is planned as something new, from all that is written.
                match self
                    .ask_provider(slot_address, address, schema, None, written)
                    .await
                {
                    Ok(p) => {
                        let action = if self.create_first.contains(&index) {
                            ChangeAction::CreateThenDelete
                        } else {
                            ChangeAction::DeleteThenCreate
                        };
                        (action, p.value)
                    }
                    Err(ds) => {
                        self.diagnostics.extend(ds.map(|d| d.with_address(address)));
                        return Value::unknown(Type::Dynamic);
                    }
                }
            }
            (Some(p), None) if p.value == planned.value => (ChangeAction::NoOp, planned.value),
            (Some(_), None) => (ChangeAction::Update, planned.value),
        };
        let after = mark(&schema.block, after, &marked);
        if action != ChangeAction::NoOp {
            self.changed
                .entry(index)
                .or_default()
                .push((address.clone(), action));
        }
        self.changes.push(InstanceChange {
            key,
            provider: slot_address.clone(),
            action,
            reason,
            before: record.map(|r| r.value),
            after: Some(after.clone()),
            replace_paths,
            schema: schema.clone(),
            provider_deferred: deferred && action != ChangeAction::NoOp,
        });
        after
    }

    async fn ask_provider(
        &self,
        provider: &ProviderAddress,
        address: &InstanceAddress,
        schema: &Schema,
        prior: Option<ResourceState>,
        config: Value,
    ) -> Result<PlannedResource, Diagnostics> {
        let proposed = propose(&schema.block, prior.as_ref().map(|p| &p.value), &config);
        let request = PlanRequest {
            type_name: address.resource.type_name.clone(),
            prior,
            config,
            proposed,
        };
        if let Some(connection) = self.slots.get(provider).and_then(|s| s.current.as_ref())
            && let Some(answer) = connection.connection.plan(&request).await
        {
            return answer;
        }
        match self.providers.get(&provider.name) {
            Some(p) => p.plan(&request),
            None => Err(self.providers.unknown(&provider.name).into()),
        }
    }

    /// The first object of `replace_triggered_by` that changes.
    fn triggered(
        &self,
        graph: &Graph,
        resource: &Resource,
        detail: &Detail,
    ) -> Option<InstanceAddress> {
        for r in &resource.lifecycle.replace_triggered_by {
            let Target::Resource(mode, t, n) = &r.target else {
                continue;
            };
            let Some(node) = graph.find(&Node::Resource(
                detail.module,
                (*mode, t.clone(), n.clone()),
            )) else {
                continue;
            };
            let wanted = self.reference_key(r, detail.module, detail.instance, &detail.each);
            let own = &self.world.modules[detail.module][detail.instance].address;
            for (address, _) in self.changed.get(&node).into_iter().flatten() {
                if address.resource.module == *own && (wanted.is_none() || address.key == wanted) {
                    return Some(address.clone());
                }
            }
        }
        None
    }

    /// The instance that a reference asks for, when it asks for one and that is known.
    fn reference_key(
        &self,
        r: &Reference,
        m: ModuleId,
        i: usize,
        each: &Each,
    ) -> Option<InstanceKey> {
        let Target::Resource(mode, t, n) = &r.target else {
            return None;
        };
        let instances =
            self.world.modules[m]
                .get(i)?
                .resources
                .get(&(*mode, t.clone(), n.clone()))?;
        let expression = Expression {
            expr: r.key.clone()?,
            file: crate::lang::source::SourceFile::new("", String::new()),
            references: Vec::new(),
        };
        let scope = ModuleScope {
            each: Some(each),
            ..self.world.scope(m, i)
        };
        instance_key(instances.shape, &evaluate(&expression, &scope).ok()?)
    }

    /// What an instance depends on: the managed resources behind its references, one instance
    /// where the reference asks for one, else all. Those of its provider's configuration too.
    fn dependencies(
        &self,
        graph: &Graph,
        index: NodeIndex,
        resource: &Resource,
        m: ModuleId,
        i: usize,
        each: &Each,
    ) -> Vec<Dependency> {
        let Some(all) = self.resource_deps.get(&index) else {
            return Vec::new();
        };
        if all.is_empty() {
            return Vec::new();
        }
        let own = &self.world.modules[m][i].address;
        let mut precise: HashMap<NodeIndex, Option<Vec<InstanceKey>>> = HashMap::new();
        // What is needed as a whole: by name, or through something else than a managed resource.
        for r in &resource.depends_on {
            if let Target::Resource(mode, t, n) = &r.target
                && let Some(node) = graph.find(&Node::Resource(m, (*mode, t.clone(), n.clone())))
            {
                precise.insert(node, None);
            }
        }
        for via in graph.requirements(index) {
            let managed = matches!(
                &graph.graph[via],
                Node::Resource(_, (ResourceMode::Managed, ..))
            );
            if !managed && let Some(set) = self.resource_deps.get(&via) {
                precise.extend(set.iter().map(|n| (*n, None)));
            }
        }
        let mut references = Vec::new();
        resource.body.references(&mut references);
        references.extend(
            resource
                .repetition
                .expression()
                .into_iter()
                .flat_map(|e| &e.references),
        );
        for rule in &resource.lifecycle.preconditions {
            references.extend(&rule.condition.references);
            references.extend(&rule.error_message.references);
        }
        references.extend(&resource.lifecycle.replace_triggered_by);
        for r in references {
            let Target::Resource(mode, t, n) = &r.target else {
                continue;
            };
            let Some(node) = graph.find(&Node::Resource(m, (*mode, t.clone(), n.clone()))) else {
                continue;
            };
            match (
                self.reference_key(r, m, i, each),
                precise.entry(node).or_insert_with(|| Some(Vec::new())),
            ) {
                (Some(k), Some(keys)) => keys.push(k),
                (None, entry) => *entry = None,
                (Some(_), None) => {}
            }
        }
        let mut made = Vec::new();
        for node in all.iter() {
            let Node::Resource(module, key) = &graph.graph[*node] else {
                continue;
            };
            let instances = &self.world.modules[*module];
            // In its own module an instance sees only what is in the same module instance.
            let seen = if *module == m {
                &instances[i..=i]
            } else {
                &instances[..]
            };
            for values in seen {
                if !shares_instances(own, &values.address) {
                    continue;
                }
                let address = ResourceAddress {
                    module: values.address.clone(),
                    mode: key.0,
                    type_name: key.1.clone(),
                    name: key.2.clone(),
                };
                match precise.get(node) {
                    Some(Some(keys)) if *module == m => {
                        made.extend(
                            keys.iter()
                                .map(|k| Dependency::Instance(address.instance(Some(k.clone())))),
                        );
                    }
                    _ => made.push(Dependency::Resource(address)),
                }
            }
        }
        made.sort();
        made.dedup();
        made
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "everything that says where the data source is"
    )]
    async fn read_data(
        &mut self,
        graph: &Graph,
        index: NodeIndex,
        resource: &Resource,
        m: ModuleId,
        i: usize,
        key: &ResourceKey,
        reads: Vec<(InstanceAddress, Value)>,
    ) {
        let pending = self.pending_dependency(graph, resource, m);
        let provider = self.providers.get(&resource.provider_address.name).cloned();
        let connection = self
            .slots
            .get(&resource.provider_address)
            .and_then(|s| s.current.clone());
        let listener = self.listener.clone();
        let known = &self.inputs.data;
        let answers = join_all(reads.into_iter().map(|(address, configured)| {
            let (provider, connection, listener) =
                (provider.clone(), connection.clone(), listener.clone());
            async move {
                let marked = sensitive_paths(&configured);
                let config = configured.clone().unmark_deep();
                if pending || !config.is_wholly_known() {
                    let reason = if pending {
                        Reason::DependencyPending
                    } else {
                        Reason::ConfigUnknown
                    };
                    return (address, configured, Err(reason));
                }
                // What a token was when a plan was saved is of no use now.
                if let Some(v) = known.get(&address)
                    && resource.schema.expires_after.is_none()
                {
                    return (address, configured, Ok(Ok(v.clone())));
                }
                let started = std::time::Instant::now();
                let computed =
                    provider.and_then(|p| p.compute_data(&address.resource.type_name, &config));
                let answer = match (computed, connection) {
                    (Some(made), _) => made,
                    (None, Some(c)) => {
                        listener(Event::ReadStarted {
                            address: address.clone(),
                        });
                        let made = c
                            .connection
                            .read_data(&address.resource.type_name, &config)
                            .await;
                        listener(Event::ReadFinished {
                            address: address.clone(),
                            elapsed: started.elapsed(),
                        });
                        made
                    }
                    (None, None) => return (address, configured, Err(Reason::DependencyPending)),
                };
                (
                    address,
                    configured,
                    Ok(answer.map(|v| mark(&resource.schema.block, v, &marked))),
                )
            }
        }))
        .await;
        for (address, configured, answer) in answers {
            let value = match answer {
                Ok(Ok(v)) => {
                    self.data.insert(address.clone(), v.clone());
                    v
                }
                Ok(Err(ds)) => {
                    self.diagnostics.extend(
                        ds.map(|d| crate::config::locate(d, &resource.body).with_address(&address)),
                    );
                    Value::unknown(Type::Dynamic)
                }
                Err(reason) => {
                    let marked = sensitive_paths(&configured);
                    let planned = mark(
                        &resource.schema.block,
                        propose(&resource.schema.block, None, &configured.unmark_deep()),
                        &marked,
                    );
                    self.changed
                        .entry(index)
                        .or_default()
                        .push((address.clone(), ChangeAction::Read));
                    self.changes.push(InstanceChange {
                        key: address.clone().into(),
                        provider: resource.provider_address.clone(),
                        action: ChangeAction::Read,
                        reason: Some(reason),
                        before: None,
                        after: Some(planned.clone()),
                        replace_paths: Vec::new(),
                        schema: resource.schema.clone(),
                        provider_deferred: false,
                    });
                    planned
                }
            };
            self.set(m, i, key, address.key.clone(), value);
        }
    }

    /// Whether something that a data source explicitly depends on is going to change.
    fn pending_dependency(&self, graph: &Graph, resource: &Resource, m: ModuleId) -> bool {
        let own_calls = std::iter::successors(self.config.module(m).parent.clone(), |(id, _)| {
            self.config.module(*id).parent.clone()
        });
        let explicit = !resource.depends_on.is_empty()
            || own_calls
                .into_iter()
                .any(|(id, call)| !self.config.module(id).calls[&call].depends_on.is_empty());
        if !explicit {
            return false;
        }
        let mut targets: Vec<NodeIndex> = Vec::new();
        for r in &resource.depends_on {
            let node = match &r.target {
                Target::Resource(mode, t, n) => {
                    Some(Node::Resource(m, (*mode, t.clone(), n.clone())))
                }
                Target::Module(n, _) => self
                    .config
                    .module(m)
                    .calls
                    .get(n)
                    .map(|c| Node::Closed(c.module)),
                _ => None,
            };
            targets.extend(node.and_then(|n| graph.find(&n)));
        }
        let mut module = m;
        while let Some((parent, call)) = &self.config.module(module).parent {
            if !self.config.module(*parent).calls[call]
                .depends_on
                .is_empty()
            {
                targets.extend(graph.find(&Node::Call(*parent, call.clone())));
            }
            module = *parent;
        }
        targets.into_iter().any(|t| {
            graph
                .ancestors(t)
                .iter()
                .any(|n| self.changed.contains_key(n))
        })
    }

    /// Objects that the configuration does not have any more; in a destroy run all of them.
    fn deletions(&mut self) {
        let planned: HashSet<RecordKey> = self.changes.iter().map(|c| c.key.clone()).collect();
        let gone: Vec<Record> = self
            .state
            .records
            .values()
            .filter(|r| {
                r.key.address.resource.mode == ResourceMode::Managed && !planned.contains(&r.key)
            })
            .cloned()
            .collect();
        let modules: HashMap<ModuleInstance, (ModuleId, usize)> = self
            .world
            .modules
            .iter()
            .enumerate()
            .flat_map(|(m, instances)| {
                let addressed = instances.iter().enumerate();
                addressed.map(move |(i, values)| (values.address.clone(), (m, i)))
            })
            .collect();
        for record in gone {
            let reason = if self.options.mode == PlanMode::Destroy {
                Reason::Destroy
            } else {
                self.deletion_reason(&record.key.address, &modules)
            };
            let type_name = &record.key.address.resource.type_name;
            let schema = self
                .providers
                .get(&record.provider.name)
                .and_then(|p| p.resource_schema(type_name));
            let Some(schema) = schema else {
                self.diagnostics.push(
                    Diagnostic::error(
                        "Unknown resource type in the state",
                        format!("No provider that is built in has the type {type_name:?}."),
                    )
                    .with_address(&record.key.address),
                );
                continue;
            };
            self.changes.push(InstanceChange {
                key: record.key,
                provider: record.provider,
                action: ChangeAction::Delete,
                reason: Some(reason),
                before: Some(record.value),
                after: None,
                replace_paths: Vec::new(),
                schema,
                provider_deferred: false,
            });
        }
    }

    fn deletion_reason(
        &self,
        address: &InstanceAddress,
        modules: &HashMap<ModuleInstance, (ModuleId, usize)>,
    ) -> Reason {
        let Some((m, i)) = modules.get(&address.resource.module).copied() else {
            return Reason::NoModule;
        };
        let key = (
            address.resource.mode,
            address.resource.type_name.clone(),
            address.resource.name.clone(),
        );
        match (
            self.world.modules[m][i]
                .resources
                .get(&key)
                .map(|r| r.shape),
            &address.key,
        ) {
            (None, _) => Reason::NotInConfiguration,
            (Some(Shape::Count), Some(InstanceKey::Index(_))) => Reason::CountIndex,
            (Some(Shape::ForEach), Some(InstanceKey::Key(_))) => Reason::EachKey,
            _ => Reason::WrongRepetition,
        }
    }

    /// Objects that must not be removed.
    fn prevented(&mut self) {
        let removed = self
            .changes
            .iter()
            .filter(|c| c.action == ChangeAction::Delete || c.action.is_replace());
        let mut found = Vec::new();
        for change in removed {
            let path: Vec<Arc<str>> = change
                .address()
                .resource
                .module
                .steps()
                .iter()
                .map(|(n, _)| n.clone())
                .collect();
            let Some(module) = self.config.modules.iter().find(|m| *m.path == *path) else {
                continue;
            };
            let r = &change.address().resource;
            let Some(resource) =
                module
                    .resources
                    .get(&(r.mode, r.type_name.clone(), r.name.clone()))
            else {
                continue;
            };
            if resource.lifecycle.prevent_destroy {
                found.push(
                    Diagnostic::error("Instance cannot be destroyed", format!("{} has lifecycle.prevent_destroy set, but the plan calls for it to be destroyed. Remove the setting, or change the configuration so that it stays.", change.address()))
                        .with_address(change.address())
                        .with_range(Some(resource.range.clone())),
                );
            }
        }
        self.diagnostics.extend(found);
    }

    fn outputs(&mut self) -> Vec<OutputChange> {
        if self.options.mode == PlanMode::RefreshOnly {
            return Vec::new();
        }
        let mut made = Vec::new();
        let destroy = self.options.mode == PlanMode::Destroy;
        let declared = self.config.root();
        if !destroy && let Some(root) = self.world.modules.first().and_then(|m| m.first()) {
            for (name, output) in &declared.outputs {
                let before = self.state.outputs.get(name).map(|o| o.value.clone());
                let after = root.outputs.get(name).cloned();
                made.push(OutputChange {
                    name: name.clone(),
                    before,
                    after,
                    sensitive: output.sensitive,
                });
            }
        }
        for (name, old) in &self.state.outputs {
            if destroy || !declared.outputs.contains_key(name) {
                made.push(OutputChange {
                    name: name.clone(),
                    before: Some(old.value.clone()),
                    after: None,
                    sensitive: old.sensitive,
                });
            }
        }
        made
    }

    /// Mutations of dead runs that could not be settled.
    fn report_open_intents(&mut self) {
        for intent in &self.state.intents {
            self.diagnostics.push(
                Diagnostic::error(
                    "A mutation of an earlier run was never settled",
                    format!("The {} of {} was under way when its run ended, and what became of it is not known. Look whether the object exists.", action_word(&intent.request.action), intent.key.address),
                )
                .with_address(&intent.key.address),
            );
        }
    }

    /// Writes through to the store, if there is one.
    async fn commit(&mut self, changes: Vec<Change>) {
        if let Some(store) = &self.options.store
            && let Err(e) = store.commit(changes).await
        {
            self.diagnostics.push(Diagnostic::error(
                "The state cannot be written",
                format!("{e}."),
            ));
        }
    }
}

pub(crate) fn action_word(action: &topo_sdk::Action) -> &'static str {
    match action {
        topo_sdk::Action::Create { .. } => "creation",
        topo_sdk::Action::Update { .. } => "update",
        topo_sdk::Action::Delete { .. } => "deletion",
    }
}

/// Whether two module instances agree in the keys of the calls that they share.
fn shares_instances(a: &ModuleInstance, b: &ModuleInstance) -> bool {
    a.steps()
        .iter()
        .zip(b.steps())
        .take_while(|(x, y)| x.0 == y.0)
        .all(|(x, y)| x.1 == y.1)
}

/// The configuration with what is to be left alone taken from the object as it is.
pub(crate) fn ignore_changes(
    rule: &IgnoreChanges,
    schema: &Schema,
    prior: &Value,
    config: Value,
) -> Value {
    match rule {
        IgnoreChanges::None => config,
        IgnoreChanges::All => {
            let settable = schema
                .block
                .attributes
                .iter()
                .filter(|(_, a)| a.mode != topo_sdk::Mode::Computed)
                .map(|(n, _)| n);
            settable
                .chain(schema.block.blocks.keys())
                .fold(config, |c, name| match prior.get(name) {
                    Some(v) => c.with(name, v.clone()),
                    None => c,
                })
        }
        IgnoreChanges::Paths(paths) => paths
            .iter()
            .fold(config, |c, path| ignore_path(c, prior, path)),
    }
}

fn ignore_path(config: Value, prior: &Value, path: &Path) -> Value {
    use topo_sdk::Step;
    let Some(old) = prior.at(path) else {
        // An element of a map that the object does not have: leave it out of the configuration.
        return match path.steps().split_last() {
            Some((Step::Key(k), outer)) => config.update_at(outer, &mut |map| remove_key(map, k)),
            _ => config,
        };
    };
    let old = old.clone();
    if config.at(path).is_some() {
        return config.update_at(path.steps(), &mut |_| old.clone());
    }
    match path.steps().split_last() {
        Some((Step::Key(k), outer)) => config.update_at(outer, &mut |map| {
            if map.is_null() {
                Value::map(old.ty(), BTreeMap::from([(k.clone(), old.clone())]))
            } else {
                map.with(k, old.clone())
            }
        }),
        _ => config,
    }
}

fn remove_key(map: Value, key: &str) -> Value {
    match map.kind() {
        topo_sdk::Kind::Map(m) => {
            let mut entries = m.entries.clone();
            entries.remove(key);
            Value::map(m.element.clone(), entries)
        }
        _ => map,
    }
}

/// The value of an object whose provider said nothing of some attributes.
pub(crate) fn settled(value: Value) -> Value {
    nulls_for_unknowns(value)
}
