//! Carrying out a plan: a ready queue over tasks, the longest remaining path first, a bounded
//! number of provider calls at a time.
//!
//! One task owns all values; provider calls run beside it as futures that own what they need.
//! When one is done its result is put into the world, and what waited for it becomes ready. A
//! failure stops only what depends on it.

mod checks;
mod connections;
mod ephemeral;
mod finish;
mod located;
mod operation;
mod provision;
mod start;
mod tasks;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use jiff::Timestamp;
use tokio::sync::watch;
use topo_sdk::{Diagnostic, Diagnostics, Value};

use self::ephemeral::Ephemerals;
use self::operation::Done;
use self::provision::Provisioning;
use self::tasks::{Input, Task, Tasks};
use crate::address::{InstanceAddress, InstanceKey, ProviderAddress};
use crate::changes::{ChangeAction, CheckResult, Counts, InstanceChange, PlanMode};
use crate::config::{Config, ModuleId, OnFailure, ResourceKey};
use crate::events::{Event, Listener};
use crate::graph::{Graph, Node};
use crate::plan::{Inner, Plan};
use crate::providers::Providers;
use crate::store::{Change, OutputRecord, Record, RecordKey, StateStore};
use crate::world::World;

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
    /// What failed, and why: with the address, and where the configuration has the object.
    pub failed: Vec<(RecordKey, Diagnostics)>,
    /// What was not started, and why.
    pub skipped: Vec<(RecordKey, String)>,
    /// The root module's outputs.
    pub outputs: BTreeMap<Arc<str>, OutputRecord>,
    /// Conditions, and whether they hold now.
    pub checks: Vec<CheckResult>,
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
    let config = plan.inner.world.config.clone();
    let (mut outcome, world) = carry_out(plan, providers, store, options, listener.clone()).await;
    located::locate(&config, &mut outcome.failed);
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
    let mut first = refreshed_changes(changes, &inner);
    let mut outputs = inner.state.outputs.clone();
    if mode == PlanMode::RefreshOnly {
        for change in &overview.outputs {
            if let Some(value) = &change.after {
                let (name, value) = (change.name.clone(), value.clone());
                let sensitive = change.sensitive;
                let record = OutputRecord { value, sensitive };
                first.push(Change::PutOutput(name.clone(), record.clone()));
                outputs.insert(name, record);
            }
        }
    }
    if let Err(e) = store.commit(first).await {
        outcome.diagnostics.push(Diagnostic::error(
            "The state cannot be written",
            format!("{e}."),
        ));
        return (outcome, inner.world);
    }
    written(changes, &inner, &mut outcome);
    if mode == PlanMode::RefreshOnly {
        outcome.outputs = outputs;
        return (outcome, inner.world);
    }
    let input = Input {
        config: &config,
        graph,
        changes,
        details: &inner.details,
        state: &inner.state,
        selection: &inner.selection,
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
        interrupted: false,
        hurried: false,
        ephemeral: Ephemerals::default(),
    };
    run.inner.world.planning = false;
    run.prepare_ephemerals();
    run.drive(options).await;
    run.check_blocks().await;
    run.close_ephemerals().await;
    run.finish().await
}

/// What refresh and import blocks found, what has moved, and what is only forgotten: to be written
/// before anything else.
fn refreshed_changes(changes: &[InstanceChange], inner: &Inner) -> Vec<Change> {
    let mut made: BTreeMap<&RecordKey, Option<&Record>> = inner
        .refreshed
        .iter()
        .map(|key| (key, inner.state.records.get(key)))
        .collect();
    made.extend(forgotten(changes).map(|c| (&c.key, None)));
    made.into_iter()
        .map(|(key, record)| match record {
            Some(r) => Change::Put(Box::new(Record {
                updated: Timestamp::now(),
                ..r.clone()
            })),
            None => Change::Remove(key.clone()),
        })
        .collect()
}

/// Objects that nothing is done to but that they leave the state.
fn forgotten(changes: &[InstanceChange]) -> impl Iterator<Item = &InstanceChange> {
    changes.iter().filter(|c| c.action == ChangeAction::Forget)
}

/// Notes what was done by writing alone.
fn written(changes: &[InstanceChange], inner: &Inner, outcome: &mut Outcome) {
    for change in changes {
        let address = change.address();
        let mut note = |word: &str| outcome.changes.push((address.clone(), word.to_string()));
        if inner.imported.contains_key(address) {
            note("import");
            outcome.counts.import += 1;
        }
        if change.previous.is_some() && change.key.deposed.is_none() {
            note("move");
        }
        if change.action == ChangeAction::Forget {
            note("forget");
            outcome.counts.forget += 1;
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TaskStatus {
    Pending,
    /// It waits for an answer.
    Running,
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
    /// Whether somebody stopped it.
    interrupted: bool,
    /// Whether it does not wait for what is under way either.
    hurried: bool,
    ephemeral: Ephemerals,
}

impl Run<'_> {
    async fn drive(&mut self, mut options: ApplyOptions) {
        let mut instant: VecDeque<usize> = VecDeque::new();
        let mut ready: BinaryHeap<Ready> = BinaryHeap::new();
        let mut running: Running = FuturesUnordered::new();
        let parallelism = options.parallelism.max(1);
        let mut computing = Computing::new(parallelism);
        let mut listening = true;
        let mut stopping = *options.interrupt.borrow() != Interrupt::None;
        for i in 0..self.tasks.list.len() {
            if self.tasks.waits[i] == 0 {
                self.enqueue(i, &mut instant, &mut ready);
            }
        }
        loop {
            self.ephemeral.close_idle(&self.listener);
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
            while !stopping && computing.allows_more(running.len(), parallelism) {
                let Some(next) = ready.pop() else { break };
                match self.start(next.task).await {
                    Started::Running(future) => {
                        self.status[next.task] = TaskStatus::Running;
                        running.push(future);
                    }
                    Started::Computing(future) => {
                        self.status[next.task] = TaskStatus::Running;
                        computing.tasks.insert(next.task);
                        running.push(future);
                    }
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
                    let (task, next) = self.take(answer).await;
                    computing.tasks.remove(&task);
                    match next {
                        Started::Done(ok) => self.complete(task, ok, &mut instant, &mut ready),
                        Started::Running(more) | Started::Computing(more) => running.push(more),
                    }
                }
                Some(ds) = self.ephemeral.closing.next(), if !self.ephemeral.closing.is_empty() => {
                    self.outcome.diagnostics.extend(ds);
                }
                changed = options.interrupt.changed(), if listening => {
                    let asked = *options.interrupt.borrow();
                    if changed.is_ok() && asked == Interrupt::Graceful && !stopping {
                        stopping = true;
                        (self.listener)(Event::Interrupted { running: running.len() });
                    }
                    if asked == Interrupt::Now {
                        stopping = true;
                        self.hurried = true;
                        let (operations, they) = match running.len() {
                            1 => ("1 operation".to_string(), "it"),
                            n => (format!("{n} operations"), "they"),
                        };
                        self.outcome.diagnostics.push(Diagnostic::error(
                            "Interrupted",
                            format!("The run was stopped with {operations} under way. What {they} made is looked for at the start of the next run."),
                        ));
                        break;
                    }
                    // With nobody left who could interrupt, the rest is waited for.
                    listening = changed.is_ok();
                }
            }
        }
        self.interrupted = stopping;
        self.skip_pending(stopping);
    }

    fn enqueue(&self, i: usize, instant: &mut VecDeque<usize>, ready: &mut BinaryHeap<Ready>) {
        let calls_out = match &self.tasks.list[i] {
            Task::Converge(c) => self.changes[*c].action != ChangeAction::NoOp,
            // What is forgotten has been written already.
            Task::Delete(c) => self.changes[*c].action != ChangeAction::Forget,
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
        self.ephemeral.completed(i);
        if !ok {
            self.status[i] = TaskStatus::Failed;
            return;
        }
        self.status[i] = TaskStatus::Done;
        // Nobody asks a second time.
        for n in std::mem::take(&mut self.tasks.next[i]) {
            self.tasks.waits[n] -= 1;
            if self.tasks.waits[n] == 0 {
                self.enqueue(n, instant, ready);
            }
        }
    }

    /// A task that needs no provider's answer, or only that of configuring.
    async fn instant(&mut self, i: usize) -> bool {
        let n = match self.tasks.list[i] {
            Task::Evaluate(n) => n,
            Task::Converge(c) => return self.unchanged(c),
            _ => return true,
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
                        (i, self.postconditions(c))
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
                if change.action == ChangeAction::ForgetThenCreate {
                    self.outcome.counts.forget += 1;
                    let forgotten = (change.address().clone(), "forget".to_string());
                    self.outcome.changes.push(forgotten);
                }
                if let (false, Some(record)) = (deletion, &done.record) {
                    let address = change.address().clone();
                    self.set(&address, record.value.clone());
                    return (i, self.postconditions(c));
                }
                (i, true)
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
}

enum Started {
    Running(Pin<Box<dyn Future<Output = Answer> + Send>>),
    /// Nobody outside is asked: it only waits for its record to be written.
    Computing(Pin<Box<dyn Future<Output = Answer> + Send>>),
    Done(bool),
}

/// Tasks under way that only compute. They do not count as operations that run side by side, so
/// that many share a disk sync; but they are not without number, so that what the first of them
/// makes possible is started before the last.
struct Computing {
    tasks: HashSet<usize>,
    limit: usize,
}

impl Computing {
    /// How many there may be for each operation that may run.
    const FACTOR: usize = 32;

    fn new(parallelism: usize) -> Computing {
        // One after the other is what one at a time asks for.
        let limit = match parallelism {
            1 => 1,
            n => n.saturating_mul(Computing::FACTOR),
        };
        Computing {
            tasks: HashSet::new(),
            limit,
        }
    }

    /// Whether another task may start, with so many under way in all.
    fn allows_more(&self, running: usize, parallelism: usize) -> bool {
        let computing = self.tasks.len();
        computing < self.limit && running - computing < parallelism
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

#[cfg(test)]
mod tests {
    use super::Computing;

    #[test]
    fn what_computes_is_not_counted_and_has_a_limit() {
        let mut computing = Computing::new(2);
        assert!(computing.allows_more(1, 2));
        assert!(!computing.allows_more(2, 2));
        computing.tasks.extend(0..63);
        assert!(computing.allows_more(64, 2));
        assert!(!computing.allows_more(65, 2));
        computing.tasks.insert(63);
        assert!(!computing.allows_more(64, 2));
        // One at a time is one at a time.
        let mut alone = Computing::new(1);
        alone.tasks.insert(0);
        assert!(!alone.allows_more(1, 1));
    }
}
