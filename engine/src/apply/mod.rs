//! Carrying out a plan: a ready queue over tasks, the longest remaining path first, a bounded
//! number of provider calls at a time.
//!
//! One task owns all values; provider calls run beside it as futures that own what they need.
//! When one is done its result is put into the world, and what waited for it becomes ready. A
//! failure stops only what depends on it.

mod operation;
mod tasks;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use jiff::Timestamp;
use tokio::sync::watch;
use topo_sdk::plan::propose;
use topo_sdk::{
    Action, ApplyRequest, Connection, Diagnostic, Diagnostics, OperationId, Path, PlanRequest,
    ResourceState, Value,
};

use self::operation::{Done, Mutation, whole_or_path};
use self::tasks::{Input, Task, Tasks};
use crate::address::{InstanceAddress, InstanceKey, ProviderAddress, ResourceMode};
use crate::changes::{ChangeAction, Counts, InstanceChange, PlanMode};
use crate::config::{Config, ModuleId, ResourceKey};
use crate::events::{Event, Listener};
use crate::graph::{Graph, Node};
use crate::plan::{
    Detail, Inner, Plan, ProviderState, deviation, good_for, mark, provider_config, provider_node,
    sensitive_paths,
};
use crate::providers::Providers;
use crate::store::{Change, Intent, OutputRecord, Record, RecordKey, StateStore, Status};
use crate::world::{Each, ModuleScope, World};

/// What a person asked for while a run was on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Interrupt {
    /// Nothing.
    #[default]
    None,
    /// Start nothing new, wait for what is under way.
    Graceful,
    /// Do not wait either.
    Now,
}

/// How to carry out a plan.
pub struct ApplyOptions {
    /// How many provider calls run side by side.
    pub parallelism: usize,
    /// Interrupts.
    pub interrupt: watch::Receiver<Interrupt>,
}

/// What came of a run.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What was done.
    pub counts: Counts,
    /// What was done, object by object: the address and the word for the action.
    pub changes: Vec<(InstanceAddress, String)>,
    /// What failed.
    pub failed: Vec<(RecordKey, Diagnostics)>,
    /// What was not started, and why.
    pub skipped: Vec<(RecordKey, String)>,
    /// The root module's outputs.
    pub outputs: BTreeMap<Arc<str>, OutputRecord>,
    /// What concerns the run as a whole.
    pub diagnostics: Diagnostics,
}

impl Outcome {
    /// Whether everything that was planned was done.
    pub fn is_success(&self) -> bool {
        self.failed.is_empty() && self.skipped.is_empty() && !self.diagnostics.has_errors()
    }
}

/// Carries out a plan.
pub async fn apply(
    plan: Plan,
    providers: &Providers,
    store: Arc<dyn StateStore>,
    options: ApplyOptions,
    listener: Listener,
) -> Outcome {
    let Plan {
        changes,
        mode,
        inner,
        ..
    } = plan;
    let config = inner.world.config.clone();
    let mut outcome = Outcome::default();
    let Some(graph) = config.graph() else {
        outcome.diagnostics.push(Diagnostic::error(
            "Configuration not checked",
            "The configuration has no graph.",
        ));
        return outcome;
    };
    if let Err(e) = store.commit(refreshed_changes(&inner)).await {
        outcome.diagnostics.push(Diagnostic::error(
            "The state cannot be written",
            format!("{e}."),
        ));
        return outcome;
    }
    if mode == PlanMode::RefreshOnly {
        outcome.outputs = inner.state.outputs;
        return outcome;
    }
    let input = Input {
        graph,
        changes: &changes,
        details: &inner.details,
        state: &inner.state,
        mode,
    };
    let tasks = match tasks::build(&input) {
        Ok(t) => t,
        Err(ds) => {
            outcome.diagnostics.extend(ds);
            return outcome;
        }
    };
    let status = vec![TaskStatus::Pending; tasks.list.len()];
    let mut run = Run {
        each_values: HashMap::new(),
        config: &config,
        graph,
        providers,
        store,
        listener,
        changes: &changes,
        inner,
        tasks,
        status,
        outcome,
        mode,
        deposed: HashMap::new(),
    };
    run.inner.world.planning = false;
    run.drive(options).await;
    run.finish().await
}

/// What refresh found, to be written before anything else.
fn refreshed_changes(inner: &Inner) -> Vec<Change> {
    inner
        .refreshed
        .iter()
        .map(|key| match inner.state.records.get(key) {
            Some(r) => Change::Put(Box::new(Record {
                updated: Timestamp::now(),
                ..r.clone()
            })),
            None => Change::Remove(key.clone()),
        })
        .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TaskStatus {
    Pending,
    Done,
    Failed,
}

/// A task that calls out and is ready to start; the longest remaining path comes first, then the
/// order of addresses.
#[derive(PartialEq, Eq)]
struct Ready {
    priority: Duration,
    task: usize,
}

impl Ord for Ready {
    fn cmp(&self, other: &Self) -> Ordering {
        self.priority
            .cmp(&other.priority)
            .then_with(|| other.task.cmp(&self.task))
    }
}

impl PartialOrd for Ready {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What a future of the run comes back with.
enum Answer {
    Mutated(usize, Box<Done>),
    Read(usize, Result<Value, Diagnostics>),
}

type Running = FuturesUnordered<Pin<Box<dyn Future<Output = Answer> + Send>>>;

/// `each.value` of the instances of one resource in one module instance, by key.
type EachValues = HashMap<Option<InstanceKey>, Option<Value>>;

struct Run<'a> {
    config: &'a Arc<Config>,
    /// Evaluated again when the first instance whose value was unknown in the plan starts: all
    /// that `for_each` refers to is done then.
    each_values: HashMap<(ModuleId, usize, ResourceKey), EachValues>,
    graph: &'a Graph,
    providers: &'a Providers,
    store: Arc<dyn StateStore>,
    listener: Listener,
    changes: &'a [InstanceChange],
    inner: Inner,
    tasks: Tasks,
    status: Vec<TaskStatus>,
    outcome: Outcome,
    mode: PlanMode,
    /// Where the old object of a change is kept while the new one takes its place.
    deposed: HashMap<usize, RecordKey>,
}

impl Run<'_> {
    async fn drive(&mut self, mut options: ApplyOptions) {
        let mut instant: VecDeque<usize> = VecDeque::new();
        let mut ready: BinaryHeap<Ready> = BinaryHeap::new();
        let mut running: Running = FuturesUnordered::new();
        let mut listening = true;
        let mut stopping = *options.interrupt.borrow() != Interrupt::None;
        for i in 0..self.tasks.list.len() {
            if self.tasks.waits[i] == 0 {
                self.enqueue(i, &mut instant, &mut ready);
            }
        }
        loop {
            while let Some(i) = instant.pop_front() {
                let done = self.instant(i).await;
                self.complete(i, done, &mut instant, &mut ready);
            }
            while !stopping && running.len() < options.parallelism.max(1) {
                let Some(next) = ready.pop() else { break };
                match self.start(next.task).await {
                    Started::Running(future) => running.push(future),
                    Started::Done(ok) => self.complete(next.task, ok, &mut instant, &mut ready),
                }
                if !instant.is_empty() {
                    break;
                }
            }
            if !instant.is_empty() {
                continue;
            }
            if running.is_empty() {
                break;
            }
            tokio::select! {
                Some(answer) = running.next() => {
                    let (task, ok) = self.take(answer).await;
                    self.complete(task, ok, &mut instant, &mut ready);
                }
                changed = options.interrupt.changed(), if listening => {
                    let asked = *options.interrupt.borrow();
                    if changed.is_ok() && asked == Interrupt::Graceful && !stopping {
                        stopping = true;
                        (self.listener)(Event::Interrupted { running: running.len() });
                    }
                    if asked == Interrupt::Now {
                        self.outcome.diagnostics.push(Diagnostic::error(
                            "Interrupted",
                            format!("The run was stopped with {} operations under way. What they made is looked for at the start of the next run.", running.len()),
                        ));
                        break;
                    }
                    // With nobody left who could interrupt, the rest is waited for.
                    listening = changed.is_ok();
                }
            }
        }
        self.skip_pending(stopping);
    }

    fn enqueue(&self, i: usize, instant: &mut VecDeque<usize>, ready: &mut BinaryHeap<Ready>) {
        let calls_out = match &self.tasks.list[i] {
            Task::Converge(c) => self.changes[*c].action != ChangeAction::NoOp,
            Task::Delete(_) => true,
            _ => false,
        };
        if calls_out {
            ready.push(Ready {
                priority: self.tasks.priority[i],
                task: i,
            });
        } else {
            instant.push_back(i);
        }
    }

    /// Marks a task as done, and lets start what waited for it; a failed one lets nothing start.
    fn complete(
        &mut self,
        i: usize,
        ok: bool,
        instant: &mut VecDeque<usize>,
        ready: &mut BinaryHeap<Ready>,
    ) {
        if !ok {
            self.status[i] = TaskStatus::Failed;
            return;
        }
        self.status[i] = TaskStatus::Done;
        for n in self.tasks.next[i].clone() {
            self.tasks.waits[n] -= 1;
            if self.tasks.waits[n] == 0 {
                self.enqueue(n, instant, ready);
            }
        }
    }

    /// A task that needs no provider's answer, or only that of configuring.
    async fn instant(&mut self, i: usize) -> bool {
        let Task::Evaluate(n) = self.tasks.list[i] else {
            return true;
        };
        let errors = self.outcome.diagnostics.0.len();
        match self.graph.graph[n].clone() {
            Node::Provider(m, key) => {
                let module = self.config.module(m);
                let address = ProviderAddress {
                    module: module.path.clone(),
                    name: module.providers[&key].provider.clone(),
                    alias: key.1,
                };
                return self.configure(&address).await;
            }
            node => evaluate(&mut self.inner.world, &node, &mut self.outcome.diagnostics),
        }
        !self
            .outcome
            .diagnostics
            .0
            .iter()
            .skip(errors)
            .any(Diagnostic::is_error)
    }

    /// Configures a provider whose configuration was not known when the run was planned.
    async fn configure(&mut self, address: &ProviderAddress) -> bool {
        let needed = self
            .inner
            .slots
            .get(address)
            .is_some_and(|s| s.deferred && s.current.is_none());
        if !needed {
            return true;
        }
        match connect(
            self.providers,
            self.config,
            self.graph,
            address,
            &self.inner.world,
        )
        .await
        {
            Ok(state) => {
                if let Some(slot) = self.inner.slots.get_mut(address) {
                    slot.current = Some(state);
                }
                (self.listener)(Event::ProviderConfigured {
                    provider: address.clone(),
                });
                true
            }
            Err(ds) => {
                self.outcome
                    .diagnostics
                    .extend(ds.map(|d| d.with_address(address)));
                false
            }
        }
    }

    /// The connection for an operation, configured anew when its credentials are about to expire.
    async fn connection(
        &mut self,
        address: &ProviderAddress,
        existing: bool,
    ) -> Result<ProviderState, Diagnostics> {
        let slot = self.inner.slots.get(address);
        let prior = existing && slot.is_some_and(|s| s.prior.is_some());
        let found = slot
            .and_then(|s| {
                if prior {
                    s.prior.as_ref()
                } else {
                    s.current.as_ref()
                }
            })
            .cloned();
        let Some(state) = found else {
            return Err(Diagnostics::error(
                "Provider not configured",
                format!("{address} has no configuration that could be used."),
            ));
        };
        if !state.is_stale() {
            return Ok(state);
        }
        let renewed = self.renew(address, prior).await?;
        if let Some(slot) = self.inner.slots.get_mut(address) {
            let place = if prior {
                &mut slot.prior
            } else {
                &mut slot.current
            };
            *place = Some(renewed.clone());
        }
        Ok(renewed)
    }

    /// Reads what expires anew, evaluates what lies between it and the provider's configuration,
    /// and connects again.
    async fn renew(
        &mut self,
        address: &ProviderAddress,
        prior: bool,
    ) -> Result<ProviderState, Diagnostics> {
        let graph = self.graph;
        let Some(node) = provider_node(self.config, graph, address) else {
            return Err(Diagnostics::error(
                "Provider not configured",
                format!("{address} has no block."),
            ));
        };
        let mut found = Diagnostics::new();
        for n in graph.ancestors(node) {
            let Some(world) = (if prior {
                self.inner.prior.as_mut()
            } else {
                Some(&mut self.inner.world)
            }) else {
                continue;
            };
            match graph.graph[n].clone() {
                Node::Resource(m, key) if key.0 == ResourceMode::Data => {
                    let resource = &self.config.module(m).resources[&key];
                    if resource.schema.expires_after.is_none() {
                        continue;
                    }
                    let connection = self
                        .inner
                        .slots
                        .get(&resource.provider_address)
                        .and_then(|s| s.current.as_ref().or(s.prior.as_ref()))
                        .map(|s| s.connection.clone());
                    reread(world, m, &key, resource, connection.as_ref(), &mut found).await;
                }
                Node::Resource(..) | Node::Provider(..) | Node::Call(..) => {}
                other => evaluate(world, &other, &mut found),
            }
        }
        if found.has_errors() {
            return Err(found);
        }
        let world = match (prior, &self.inner.prior) {
            (true, Some(w)) => w,
            _ => &self.inner.world,
        };
        connect(self.providers, self.config, graph, address, world).await
    }

    async fn start(&mut self, i: usize) -> Started {
        let made = match self.tasks.list[i] {
            Task::Converge(c) if self.changes[c].action == ChangeAction::Read => {
                self.start_read(i, c).await
            }
            Task::Converge(c) => self.start_converge(i, c).await,
            Task::Delete(c) => self.start_delete(i, c).await,
            _ => return Started::Done(true),
        };
        match made {
            Ok(started) => started,
            Err(ds) => {
                if let Task::Converge(c) | Task::Delete(c) = self.tasks.list[i] {
                    let change = &self.changes[c];
                    let ds = ds.map(|d| d.with_address(change.address()));
                    (self.listener)(Event::ApplyFailed {
                        key: change.key.clone(),
                        action: change.action,
                        diagnostics: ds.clone(),
                        elapsed: Duration::ZERO,
                    });
                    self.outcome.failed.push((change.key.clone(), ds));
                }
                Started::Done(false)
            }
        }
    }

    /// The configuration of an object, now that everything it refers to is known.
    fn decode(&mut self, change: &InstanceChange) -> Result<Value, Diagnostics> {
        let Some(detail) = self.inner.details.get(change.address()).cloned() else {
            return Err(Diagnostics::error(
                "Unknown object",
                "The object has no block in the configuration.",
            ));
        };
        let each = self.each(&detail)?;
        let resource = &self.config.module(detail.module).resources[&detail.key];
        let mut found = Diagnostics::new();
        let world = &self.inner.world;
        let scope = ModuleScope {
            each: Some(&each),
            ..world.scope(detail.module, detail.instance)
        };
        for rule in &resource.lifecycle.preconditions {
            world.check_rule(
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
        if found.has_errors() {
            return Err(found);
        }
        if !value.is_wholly_known() {
            return Err(Diagnostic::error("Value not known", "Something that the object's arguments refer to is still not known, though everything it depends on is done. This is an error in topo or in the provider of what it refers to.")
                .with_range(Some(resource.range.clone()))
                .into());
        }
        Ok(value)
    }

    /// `each` of an instance, with what was unknown in the plan.
    fn each(&mut self, detail: &Detail) -> Result<Each, Diagnostics> {
        if detail
            .each
            .value
            .as_ref()
            .is_none_or(Value::is_wholly_known)
        {
            return Ok(detail.each.clone());
        }
        let place = (detail.module, detail.instance, detail.key.clone());
        if !self.each_values.contains_key(&place) {
            let resource = &self.config.module(detail.module).resources[&detail.key];
            let (_, items) = self
                .inner
                .world
                .expand(
                    &resource.repetition,
                    detail.module,
                    detail.instance,
                    "this resource",
                )
                .map_err(|d| Diagnostics::from(*d))?;
            let values = items.into_iter().map(|e| (e.key, e.value)).collect();
            self.each_values.insert(place.clone(), values);
        }
        let value = self
            .each_values
            .get(&place)
            .and_then(|v| v.get(&detail.each.key))
            .cloned();
        Ok(Each {
            key: detail.each.key.clone(),
            value: value.flatten(),
        })
    }

    async fn start_read(&mut self, i: usize, c: usize) -> Result<Started, Diagnostics> {
        let change = &self.changes[c];
        let configured = self.decode(change)?;
        let marked = sensitive_paths(&configured);
        let plain = configured.unmark_deep();
        let type_name = change.address().resource.type_name.clone();
        let computed = self
            .providers
            .get(&change.provider.name)
            .and_then(|p| p.compute_data(&type_name, &plain));
        let connection = match computed {
            Some(_) => None,
            None => Some(self.connection(&change.provider, false).await?.connection),
        };
        let (listener, address, schema) = (
            self.listener.clone(),
            change.address().clone(),
            change.schema.clone(),
        );
        Ok(Started::Running(Box::pin(async move {
            let started = std::time::Instant::now();
            listener(Event::ReadStarted {
                address: address.clone(),
            });
            let made = match (computed, connection) {
                (Some(made), _) => made,
                (None, Some(connection)) => connection.read_data(&type_name, &plain).await,
                (None, None) => Err(Diagnostics::error(
                    "Provider not configured",
                    "There is no connection to read through.",
                )),
            };
            listener(Event::ReadFinished {
                address,
                elapsed: started.elapsed(),
            });
            Answer::Read(i, made.map(|v| mark(&schema.block, v, &marked)))
        })))
    }

    async fn start_converge(&mut self, i: usize, c: usize) -> Result<Started, Diagnostics> {
        let change = &self.changes[c];
        let configured = self.decode(change)?;
        let marked = sensitive_paths(&configured);
        let plain = configured.unmark_deep();
        let record = self.inner.state.records.get(&change.key).cloned();
        let prior = if change.action == ChangeAction::Update {
            record.clone()
        } else {
            None
        };
        let state = self.connection(&change.provider, false).await?;
        let (config, planned) = self
            .plan_again(change, &state, prior.as_ref(), plain)
            .await?;
        if let Some(p) = &prior
            && p.value.clone().unmark_deep() == planned
        {
            // Nothing to do after all; whoever refers to it sees what it is.
            let (address, value) = (change.address().clone(), p.value.clone());
            self.set(&address, value);
            return Ok(Started::Done(true));
        }
        let detail = &self.inner.details[change.address()];
        let action = match &prior {
            Some(r) => Action::Update {
                prior: state_of(r),
                planned,
            },
            None => Action::Create { planned },
        };
        let mut aside = Vec::new();
        let mut undo = Vec::new();
        if change.action == ChangeAction::CreateThenDelete
            && let Some(old) = &record
        {
            let deposed = self.deposed_key(&change.key);
            self.deposed.insert(c, deposed.clone());
            aside = vec![
                Change::Put(Box::new(Record {
                    key: deposed.clone(),
                    ..old.clone()
                })),
                Change::Remove(change.key.clone()),
            ];
            undo = vec![Change::Put(Box::new(old.clone())), Change::Remove(deposed)];
        }
        let mutation = self.mutation(
            change,
            &state,
            action,
            config,
            marked,
            detail.dependencies.clone(),
            prior,
            aside,
            undo,
        );
        Ok(Started::Running(Box::pin(async move {
            Answer::Mutated(i, Box::new(mutation.run().await))
        })))
    }

    /// Plans an object again with what is now known: it must come out as it was shown.
    async fn plan_again(
        &self,
        change: &InstanceChange,
        state: &ProviderState,
        prior: Option<&Record>,
        plain: Value,
    ) -> Result<(Value, Value), Diagnostics> {
        let detail = &self.inner.details[change.address()];
        let resource = &self.config.module(detail.module).resources[&detail.key];
        let prior = prior.map(state_of);
        let config = match &prior {
            Some(p) => crate::plan::ignore_changes(
                &resource.lifecycle.ignore_changes,
                &change.schema,
                &p.value,
                plain,
            ),
            None => plain,
        };
        let proposed = propose(
            &change.schema.block,
            prior.as_ref().map(|p| &p.value),
            &config,
        );
        let request = PlanRequest {
            type_name: change.address().resource.type_name.clone(),
            prior,
            config,
            proposed,
        };
        let planned = match state.connection.plan(&request).await {
            Some(made) => made?,
            None => match self.providers.get(&change.provider.name) {
                Some(p) => p.plan(&request)?,
                None => return Err(self.providers.unknown(&change.provider.name).into()),
            },
        };
        let shown = change.after.clone().unwrap_or(Value::NULL).unmark_deep();
        if let Some(path) = deviation(&shown, &planned.value, &mut Path::root()) {
            return Err(Diagnostic::error(
                "The final plan differs from what was shown",
                format!("With what became known during apply, {} comes out other than planned, so the object was left alone. Plan again and look at the difference.", whole_or_path(&path)),
            )
            .at(path)
            .into());
        }
        if request.prior.is_some() && !planned.requires_replace.is_empty() {
            let what: Vec<String> = planned
                .requires_replace
                .iter()
                .map(ToString::to_string)
                .collect();
            return Err(Diagnostics::error(
                "The final plan differs from what was shown",
                format!(
                    "With what became known during apply, {} would have to change, which needs a new object. Plan again.",
                    what.join(", ")
                ),
            ));
        }
        Ok((request.config, planned.value))
    }

    async fn start_delete(&mut self, i: usize, c: usize) -> Result<Started, Diagnostics> {
        let change = &self.changes[c];
        let key = match change.action {
            ChangeAction::CreateThenDelete => match self.deposed.get(&c) {
                Some(key) => key.clone(),
                None => return Ok(Started::Done(true)),
            },
            _ => change.key.clone(),
        };
        let Some(mut record) = self.inner.state.records.get(&change.key).cloned() else {
            return Ok(Started::Done(true));
        };
        record.key = key.clone();
        let state = self.connection(&record.provider, true).await?;
        let action = Action::Delete {
            prior: state_of(&record),
        };
        let mut mutation = self.mutation(
            change,
            &state,
            action,
            Value::NULL,
            Vec::new(),
            record.dependencies.clone(),
            Some(record.clone()),
            Vec::new(),
            Vec::new(),
        );
        mutation.intent.key = key;
        mutation.intent.provider = record.provider.clone();
        mutation.intent.sensitive = sensitive_paths(&record.value);
        Ok(Started::Running(Box::pin(async move {
            Answer::Mutated(i, Box::new(mutation.run().await))
        })))
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "everything that a mutation is made of"
    )]
    fn mutation(
        &self,
        change: &InstanceChange,
        state: &ProviderState,
        action: Action,
        config: Value,
        sensitive: Vec<Path>,
        dependencies: Vec<crate::store::Dependency>,
        record: Option<Record>,
        aside: Vec<Change>,
        undo: Vec<Change>,
    ) -> Mutation {
        Mutation {
            connection: state.connection.clone(),
            store: self.store.clone(),
            listener: self.listener.clone(),
            intent: Intent {
                operation: OperationId::generate(),
                key: change.key.clone(),
                provider: change.provider.clone(),
                request: ApplyRequest {
                    type_name: change.address().resource.type_name.clone(),
                    action,
                    config,
                },
                sensitive,
                schema_version: change.schema.version,
                dependencies,
                checkpoint: None,
                started: Timestamp::now(),
            },
            schema: change.schema.clone(),
            record,
            aside,
            undo,
        }
    }

    /// Puts the answer of a provider into the world.
    async fn take(&mut self, answer: Answer) -> (usize, bool) {
        match answer {
            Answer::Read(i, made) => {
                let Task::Converge(c) = self.tasks.list[i] else {
                    return (i, true);
                };
                let change = &self.changes[c];
                match made {
                    Ok(v) => {
                        self.inner.data.insert(change.address().clone(), v.clone());
                        self.set(change.address(), v);
                        (i, true)
                    }
                    Err(ds) => {
                        self.outcome.failed.push((
                            change.key.clone(),
                            ds.map(|d| d.with_address(change.address())),
                        ));
                        (i, false)
                    }
                }
            }
            Answer::Mutated(i, done) => {
                let (c, deletion) = match self.tasks.list[i] {
                    Task::Delete(c) => (c, true),
                    Task::Converge(c) => (c, false),
                    _ => return (i, true),
                };
                let change = &self.changes[c];
                if let Some(ds) = done.failed {
                    self.outcome.failed.push((done.key, ds));
                    return (i, false);
                }
                let word = if deletion {
                    self.outcome.counts.destroy += 1;
                    "delete"
                } else if change.action == ChangeAction::Update {
                    self.outcome.counts.change += 1;
                    "update"
                } else {
                    self.outcome.counts.add += 1;
                    "create"
                };
                self.outcome
                    .changes
                    .push((change.address().clone(), word.to_string()));
                let type_name = change.address().resource.type_name.clone();
                let timing = Change::PutDuration(type_name, word.to_string(), done.elapsed);
                if let Err(e) = self.store.commit(vec![timing]).await {
                    tracing::warn!("the duration of an operation was not recorded: {e}");
                }
                if let (false, Some(record)) = (deletion, &done.record) {
                    let address = change.address().clone();
                    self.set(&address, record.value.clone());
                    return (i, self.postconditions(c, &record.value.clone()));
                }
                (i, true)
            }
        }
    }

    fn postconditions(&mut self, c: usize, value: &Value) -> bool {
        let change = &self.changes[c];
        let Some(detail) = self.inner.details.get(change.address()) else {
            return true;
        };
        let resource = &self.config.module(detail.module).resources[&detail.key];
        if resource.lifecycle.postconditions.is_empty() {
            return true;
        }
        let mut found = Diagnostics::new();
        let world = &self.inner.world;
        let scope = ModuleScope {
            each: Some(&detail.each),
            itself: Some(value),
            ..world.scope(detail.module, detail.instance)
        };
        for rule in &resource.lifecycle.postconditions {
            world.check_rule(
                rule,
                &scope,
                "Resource postcondition failed",
                &resource.range,
                &mut found,
            );
        }
        if !found.has_errors() {
            return true;
        }
        self.outcome.failed.push((
            change.key.clone(),
            found.map(|d| d.with_address(change.address())),
        ));
        false
    }

    /// A key under which an object is kept while its replacement takes its place: 8 hex digits,
    /// for another may still be there that could not be removed.
    fn deposed_key(&self, key: &RecordKey) -> RecordKey {
        loop {
            let made = RecordKey {
                address: key.address.clone(),
                deposed: Some(format!("{:08x}", rand::random::<u32>()).into()),
            };
            if !self.inner.state.records.contains_key(&made) {
                return made;
            }
        }
    }

    fn set(&mut self, address: &InstanceAddress, value: Value) {
        let Some(detail) = self.inner.details.get(address) else {
            return;
        };
        if let Some(instances) = self.inner.world.modules[detail.module][detail.instance]
            .resources
            .get_mut(&detail.key)
        {
            instances.set(address.key.clone(), value);
        }
    }

    /// Says of everything that was not started why.
    fn skip_pending(&mut self, stopping: bool) {
        let mut because: Vec<Option<String>> = vec![None; self.tasks.list.len()];
        let mut open: VecDeque<usize> = VecDeque::new();
        for (i, reason) in because.iter_mut().enumerate() {
            if self.status[i] == TaskStatus::Failed {
                *reason = Some(self.task_name(i));
                open.push_back(i);
            }
        }
        while let Some(i) = open.pop_front() {
            for n in self.tasks.next[i].clone() {
                if self.status[n] == TaskStatus::Pending && because[n].is_none() {
                    because[n] = because[i].clone();
                    open.push_back(n);
                }
            }
        }
        let mut skipped = Vec::new();
        for (i, reason) in because.iter().enumerate() {
            let (Task::Converge(c) | Task::Delete(c)) = self.tasks.list[i] else {
                continue;
            };
            let change = &self.changes[c];
            if self.status[i] != TaskStatus::Pending || change.action == ChangeAction::NoOp {
                continue;
            }
            let why = match reason {
                Some(name) => format!("it depends on {name}, which failed"),
                None if stopping => "the run was interrupted".to_string(),
                None => "it was not reached".to_string(),
            };
            skipped.push((change.key.clone(), why));
        }
        skipped.sort();
        skipped.dedup_by(|a, b| a.0 == b.0);
        for (key, because) in &skipped {
            (self.listener)(Event::Skipped {
                key: key.clone(),
                because: because.clone(),
            });
        }
        self.outcome.skipped = skipped;
    }

    fn task_name(&self, i: usize) -> String {
        match &self.tasks.list[i] {
            Task::Converge(c) | Task::Delete(c) => self.changes[*c].address().to_string(),
            Task::Evaluate(n) => crate::graph::name(self.config, &self.graph.graph[*n]),
            _ => String::new(),
        }
    }

    /// Writes outputs and data sources, and says what came of it all.
    async fn finish(mut self) -> Outcome {
        let mut changes = Vec::new();
        if self.mode == PlanMode::Destroy {
            if self.outcome.is_success() {
                changes.extend(
                    self.inner
                        .state
                        .outputs
                        .keys()
                        .cloned()
                        .map(Change::RemoveOutput),
                );
                let data = self
                    .inner
                    .state
                    .records
                    .keys()
                    .filter(|k| k.address.resource.mode == ResourceMode::Data);
                changes.extend(data.cloned().map(Change::Remove));
            } else {
                self.outcome.outputs = self.inner.state.outputs.clone();
            }
        } else {
            self.outputs(&mut changes);
            self.data_records(&mut changes);
        }
        if !changes.is_empty()
            && let Err(e) = self.store.commit(changes).await
        {
            self.outcome.diagnostics.push(Diagnostic::error(
                "The state cannot be written",
                format!("{e}."),
            ));
        }
        self.outcome
    }

    fn outputs(&mut self, changes: &mut Vec<Change>) {
        let declared = &self.config.root().outputs;
        let mut outputs = self.inner.state.outputs.clone();
        if let Some(root) = self.inner.world.modules.first().and_then(|m| m.first()) {
            for (name, output) in declared {
                let Some(value) = root.outputs.get(name).filter(|v| v.is_wholly_known()) else {
                    continue;
                };
                let record = OutputRecord {
                    value: value.clone(),
                    sensitive: output.sensitive,
                };
                if outputs.get(name) != Some(&record) {
                    changes.push(Change::PutOutput(name.clone(), record.clone()));
                    outputs.insert(name.clone(), record);
                }
            }
        }
        let gone: Vec<Arc<str>> = outputs
            .keys()
            .filter(|n| !declared.contains_key(*n))
            .cloned()
            .collect();
        for name in gone {
            outputs.remove(&name);
            changes.push(Change::RemoveOutput(name));
        }
        self.outcome.outputs = outputs;
    }

    /// Data sources are kept beside the objects, so that the state shows what the run saw.
    fn data_records(&mut self, changes: &mut Vec<Change>) {
        let now = Timestamp::now();
        for (address, value) in &self.inner.data {
            let Some(detail) = self.inner.details.get(address) else {
                continue;
            };
            let resource = &self.config.module(detail.module).resources[&detail.key];
            let key = RecordKey::from(address.clone());
            let old = self.inner.state.records.get(&key);
            if old.is_some_and(|r| r.value == *value) {
                continue;
            }
            changes.push(Change::Put(Box::new(Record {
                key,
                provider: resource.provider_address.clone(),
                schema_version: resource.schema.version,
                status: Status::Ok,
                value: value.clone(),
                private: Vec::new(),
                dependencies: detail.dependencies.clone(),
                created: old.map_or(now, |r| r.created),
                updated: now,
            })));
        }
        for key in self.inner.state.records.keys() {
            if key.address.resource.mode == ResourceMode::Data
                && !self.inner.details.contains_key(&key.address)
            {
                changes.push(Change::Remove(key.clone()));
            }
        }
    }
}

enum Started {
    Running(Pin<Box<dyn Future<Output = Answer> + Send>>),
    Done(bool),
}

fn state_of(r: &Record) -> ResourceState {
    ResourceState {
        value: r.value.clone().unmark_deep(),
        private: r.private.clone(),
    }
}

/// Evaluates a configuration object again in all its instances. The root module's variables do
/// not change during a run.
fn evaluate(world: &mut World, node: &Node, diagnostics: &mut Diagnostics) {
    let count = |world: &World, m: ModuleId| world.modules[m].len();
    match node {
        Node::Variable(m, name) if *m != 0 => {
            (0..count(world, *m)).for_each(|i| world.variable(*m, i, name, diagnostics))
        }
        Node::Local(m, name) => {
            (0..count(world, *m)).for_each(|i| world.local(*m, i, name, diagnostics))
        }
        Node::Output(m, name) => {
            (0..count(world, *m)).for_each(|i| world.output(*m, i, name, diagnostics))
        }
        Node::Call(m, name) => world.call_again(*m, name, diagnostics),
        _ => {}
    }
}

async fn connect(
    providers: &Providers,
    config: &Config,
    graph: &Graph,
    address: &ProviderAddress,
    world: &World,
) -> Result<ProviderState, Diagnostics> {
    let mut found = Diagnostics::new();
    let value = provider_config(providers, address, world, &mut found);
    if found.has_errors() {
        return Err(found);
    }
    if !value.is_wholly_known() {
        return Err(Diagnostics::error(
            "Provider configuration not known",
            format!("Something that the configuration of {address} refers to is still not known."),
        ));
    }
    let Some(provider) = providers.get(&address.name) else {
        return Err(providers.unknown(&address.name).into());
    };
    let connection = provider.configure(&value.clone().unmark_deep()).await?;
    Ok(ProviderState {
        connection,
        config: value,
        since: Timestamp::now(),
        good_for: good_for(config, graph, address),
    })
}

/// Reads the instances of a data source anew.
async fn reread(
    world: &mut World,
    m: ModuleId,
    key: &crate::config::ResourceKey,
    resource: &crate::config::Resource,
    connection: Option<&Arc<dyn Connection>>,
    found: &mut Diagnostics,
) {
    let Some(connection) = connection else { return };
    for i in 0..world.modules[m].len() {
        let Ok((_, items)) = world.expand(&resource.repetition, m, i, "") else {
            continue;
        };
        for each in items {
            let scope = ModuleScope {
                each: Some(&each),
                ..world.scope(m, i)
            };
            let configured = resource.body.decode(&resource.schema.block, &scope, found);
            if !configured.is_wholly_known() {
                continue;
            }
            let marked = sensitive_paths(&configured);
            match connection
                .read_data(&key.1, &configured.unmark_deep())
                .await
            {
                Ok(v) => {
                    if let Some(instances) = world.modules[m][i].resources.get_mut(key) {
                        instances.set(each.key.clone(), mark(&resource.schema.block, v, &marked));
                    }
                }
                Err(ds) => found.extend(ds),
            }
        }
    }
}
