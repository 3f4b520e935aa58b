//! Carrying out a plan: what is asked for, what comes of it, and what the parts of a run share.
//!
//! One task owns all values; provider calls run beside it as futures that own what they need.
//! When one is done its result is put into the world, and what waited for it becomes ready. A
//! failure stops only what depends on it. The tasks and their order are `tasks`', the loop over
//! them is in `drive`.

mod answers;
mod checks;
mod connections;
mod drive;
mod ephemeral;
mod finish;
mod located;
mod operation;
mod provision;
mod start;
mod tasks;

use std::collections::{BTreeMap, HashMap};
use std::pin::Pin;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;
use topo_sdk::{Diagnostic, Diagnostics, Value};

use self::ephemeral::Ephemerals;
use self::operation::Done;
use self::provision::Provisioning;
use self::tasks::{Input, Tasks};
use crate::address::{InstanceAddress, InstanceKey};
use crate::changes::{ChangeAction, CheckResult, Counts, InstanceChange, PlanMode};
use crate::config::{Config, ModuleId, OnFailure, ResourceKey};
use crate::events::{Event, Listener};
use crate::graph::Graph;
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
        return (outcome, inner.prior.unwrap_or(inner.world));
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
        interrupt: options.interrupt.clone(),
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

/// What a future of the run comes back with.
enum Answer {
    Mutated(usize, Box<Done>),
    Provisioned(Box<Provisioning>, Option<Box<(Diagnostic, OnFailure)>>),
    Read(usize, Result<Value, Diagnostics>),
}

/// A call that is under way.
type Call = Pin<Box<dyn std::future::Future<Output = Answer> + Send>>;

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
    /// Who stops it.
    interrupt: watch::Receiver<Interrupt>,
    ephemeral: Ephemerals,
}

/// How far a task has got when it was started.
enum Started {
    Running(Call),
    /// Nobody outside is asked: it only waits for its record to be written.
    Computing(Call),
    Done(bool),
}
