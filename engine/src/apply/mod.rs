//! Carrying out a plan: a ready queue over tasks, the longest remaining path first, a bounded
//! number of provider calls at a time.
//!
//! One task owns all values; provider calls run beside it as futures that own what they need.
//! When one is done its result is put into the world, and what waited for it becomes ready. A
//! failure stops only what depends on it.

mod connections;
mod finish;
mod operation;
mod provision;
mod start;
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
use topo_sdk::{Diagnostic, Diagnostics, Value};

use self::operation::Done;
use self::provision::Provisioning;
use self::tasks::{Input, Task, Tasks};
use crate::address::{InstanceAddress, InstanceKey, ProviderAddress};
use crate::changes::{ChangeAction, Counts, InstanceChange, PlanMode};
use crate::config::{Config, ModuleId, OnFailure, ResourceKey};
use crate::events::{Event, Listener};
use crate::graph::{Graph, Node};
use crate::plan::{Inner, Plan};
use crate::providers::Providers;
use crate::store::{Change, OutputRecord, Record, RecordKey, StateStore};
use crate::world::{ModuleScope, World};

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

/// Carries out a plan, and tells what came of it as the last event too.
pub async fn apply(
    plan: Plan,
    providers: &Providers,
    store: Arc<dyn StateStore>,
    options: ApplyOptions,
    listener: Listener,
) -> Arc<Outcome> {
    apply_and_keep(plan, providers, store, options, listener)
        .await
        .outcome
}

/// A run that is over, with the values of everything as it left them.
pub struct Finished {
    /// What came of it.
    pub outcome: Arc<Outcome>,
    /// The values; those of the plan where the run came to nothing.
    pub world: World,
}

/// As [`apply`], with the values that everything has afterwards.
pub async fn apply_and_keep(
    plan: Plan,
    providers: &Providers,
    store: Arc<dyn StateStore>,
    options: ApplyOptions,
    listener: Listener,
) -> Finished {
    let (outcome, world) = carry_out(plan, providers, store, options, listener.clone()).await;
    let outcome = Arc::new(outcome);
    listener(Event::Applied(outcome.clone()));
    Finished { outcome, world }
}

async fn carry_out(
    plan: Plan,
    providers: &Providers,
    store: Arc<dyn StateStore>,
    options: ApplyOptions,
    listener: Listener,
) -> (Outcome, World) {
    let Plan { overview, inner } = plan;
    let (changes, mode) = (&overview.changes, overview.mode);
    let config = inner.world.config.clone();
    let mut outcome = Outcome::default();
    let Some(graph) = config.graph() else {
        outcome.diagnostics.push(Diagnostic::error(
            "Configuration not checked",
            "The configuration has no graph.",
        ));
        return (outcome, inner.world);
    };
    if let Err(e) = store.commit(refreshed_changes(&inner)).await {
        outcome.diagnostics.push(Diagnostic::error(
            "The state cannot be written",
            format!("{e}."),
        ));
        return (outcome, inner.world);
    }
    if mode == PlanMode::RefreshOnly {
        outcome.outputs = inner.state.outputs;
        return (outcome, inner.world);
    }
    let input = Input {
        graph,
        changes,
        details: &inner.details,
        state: &inner.state,
        mode,
    };
    let tasks = match tasks::build(&input) {
        Ok(t) => t,
        Err(ds) => {
            outcome.diagnostics.extend(ds);
            return (outcome, inner.world);
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
        changes,
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
    Provisioned(Box<Provisioning>, Option<Box<(Diagnostic, OnFailure)>>),
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
            // An interrupt may have come together with an answer.
            if !stopping && *options.interrupt.borrow() != Interrupt::None {
                stopping = true;
                (self.listener)(Event::Interrupted {
                    running: running.len(),
                });
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
                    match self.take(answer).await {
                        (task, Started::Done(ok)) => {
                            self.complete(task, ok, &mut instant, &mut ready);
                        }
                        (_, Started::Running(more)) => running.push(more),
                    }
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

    /// Takes an answer in: the task is done, or goes on.
    async fn take(&mut self, answer: Answer) -> (usize, Started) {
        match answer {
            Answer::Provisioned(p, failed) => {
                let task = p.task;
                (task, self.provisioned(*p, failed.map(|f| *f)).await)
            }
            Answer::Mutated(i, done) if done.unprovisioned => {
                let (Task::Converge(c), Some(record)) = (&self.tasks.list[i], done.record) else {
                    return (i, Started::Done(true));
                };
                let (c, address) = (*c, record.key.address.clone());
                // Provisioners may name the object by its address.
                self.set(&address, record.value.clone());
                let p = Provisioning::created(i, c, record, done.elapsed);
                (i, self.provision(p).await)
            }
            answer => {
                let (i, ok) = self.settle(answer).await;
                (i, Started::Done(ok))
            }
        }
    }

    /// Puts the final answer of a provider into the world.
    async fn settle(&mut self, answer: Answer) -> (usize, bool) {
        match answer {
            Answer::Provisioned(p, _) => (p.task, true),
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
}

enum Started {
    Running(Pin<Box<dyn Future<Output = Answer> + Send>>),
    Done(bool),
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
