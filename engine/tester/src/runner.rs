//! Running tests: file after file, in each the runs in their order (side by side where they may
//! be), and in the end, whatever happened, the destruction of what they made.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use futures::future::LocalBoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use jiff::Timestamp;
use tokio::sync::watch;
use topo_engine::apply::Interrupt;
use topo_engine::variables::Inputs;

use crate::file::{TestFile, TestRun};
use crate::memory::MemoryStore;
use crate::report::{FileReport, Report, RunName, RunReport, Status, TestEvent, TestListener};
use crate::scope::{RunOutputs, TestScope, runs_in};
use crate::suite::{Prepared, Suite};
use crate::teardown;

/// Runs all tests. The first interrupt lets no more of them start, the second gives up what is
/// left to destroy.
pub async fn run(
    suite: &Suite,
    interrupts: watch::Receiver<Interrupt>,
    listener: TestListener,
) -> Arc<Report> {
    let context = Context {
        suite,
        interrupts: interrupts.clone(),
        give_up: watch::Sender::new(Interrupt::None),
        listener,
        interrupt_told: AtomicBool::new(false),
        abandoned_told: AtomicBool::new(false),
    };
    tokio::select! {
        biased;
        () = context.forward(interrupts) => Arc::default(),
        report = context.all() => report,
    }
}

/// What every file and run needs.
pub(crate) struct Context<'a> {
    pub(crate) suite: &'a Suite,
    /// Interrupts of runs.
    pub(crate) interrupts: watch::Receiver<Interrupt>,
    /// Interrupts the destruction: the second of the person's.
    give_up: watch::Sender<Interrupt>,
    listener: TestListener,
    interrupt_told: AtomicBool,
    abandoned_told: AtomicBool,
}

/// A state that runs work on.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) store: Arc<MemoryStore>,
    /// Who was the last to change it: what it is destroyed with.
    pub(crate) last: Option<Last>,
}

/// The run that was the last to change a state.
#[derive(Clone)]
pub(crate) struct Last {
    pub(crate) index: usize,
    pub(crate) prepared: Arc<Prepared>,
    pub(crate) inputs: Inputs,
}

/// The states of a file, by key.
pub(crate) type States = Mutex<BTreeMap<Arc<str>, Shared>>;

pub(crate) fn lock(states: &States) -> MutexGuard<'_, BTreeMap<Arc<str>, Shared>> {
    states.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a run leaves to those after it.
pub(crate) struct Done {
    pub(crate) report: RunReport,
    pub(crate) outputs: RunOutputs,
}

impl Context<'_> {
    pub(crate) fn tell(&self, event: TestEvent) {
        (self.listener)(event);
    }

    /// Tells of interrupts, and hands the second on. Never ends.
    async fn forward(&self, mut interrupts: watch::Receiver<Interrupt>) {
        loop {
            self.notice();
            if interrupts.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// What was asked for so far. Who notices it first tells of it, once, so that what follows from
    /// an interrupt is never told before the interrupt.
    pub(crate) fn notice(&self) -> Interrupt {
        let asked = *self.interrupts.borrow();
        match asked {
            Interrupt::None => {}
            Interrupt::Graceful => {
                if !self.interrupt_told.swap(true, Ordering::Relaxed) {
                    self.tell(TestEvent::Interrupted);
                }
            }
            Interrupt::Now => {
                if !self.abandoned_told.swap(true, Ordering::Relaxed) {
                    self.tell(TestEvent::Abandoned);
                }
                self.give_up.send_replace(Interrupt::Now);
            }
        }
        asked
    }

    /// Interrupts of the destruction.
    pub(crate) fn giving_up(&self) -> watch::Receiver<Interrupt> {
        self.notice();
        self.give_up.subscribe()
    }

    fn interrupted(&self) -> bool {
        self.notice() != Interrupt::None
    }

    async fn all(&self) -> Arc<Report> {
        let found = self.suite.files.iter().map(|f| {
            let runs = f.runs.iter().map(|r| r.name.clone());
            (f.name.clone(), runs.collect())
        });
        self.tell(TestEvent::Found(found.collect()));
        let mut report = Report::default();
        for f in 0..self.suite.files.len() {
            report.files.push(self.file(f).await);
        }
        report.abandoned = self.notice() == Interrupt::Now;
        let report = Arc::new(report);
        self.tell(TestEvent::Finished(report.clone()));
        report
    }

    async fn file(&self, f: usize) -> FileReport {
        let file = &self.suite.files[f];
        self.tell(TestEvent::FileStarted(file.name.clone()));
        let states = States::default();
        let runs = self.runs(f, file, &states).await;
        let teardowns = match file.runs.is_empty() {
            true => Vec::new(),
            false => {
                self.tell(TestEvent::TearingDown(file.name.clone()));
                teardown::destroy(self, file, &states).await
            }
        };
        let worst = runs.iter().map(|r| r.status).max();
        let mut status = worst.unwrap_or(Status::Pass);
        if teardowns.iter().any(|t| t.has_failed()) {
            status = Status::Error;
        }
        self.tell(TestEvent::FileFinished {
            file: file.name.clone(),
            status,
        });
        FileReport {
            name: file.name.clone(),
            status,
            runs,
            teardowns,
        }
    }

    /// Runs the runs of a file, each as soon as those that it has to wait for are over.
    async fn runs(&self, f: usize, file: &TestFile, states: &States) -> Vec<Arc<RunReport>> {
        let waits = self.order(file);
        let mut reports: Vec<Option<Arc<RunReport>>> = vec![None; file.runs.len()];
        let mut started = vec![false; file.runs.len()];
        let mut outputs: BTreeMap<Arc<str>, RunOutputs> = BTreeMap::new();
        let mut running: FuturesUnordered<LocalBoxFuture<'_, (usize, Done)>> =
            FuturesUnordered::new();
        let mut broken: Option<Arc<str>> = None;
        loop {
            for (r, run) in file.runs.iter().enumerate() {
                let ready = waits[r].iter().all(|w| reports[*w].is_some());
                if started[r] || !ready {
                    continue;
                }
                started[r] = true;
                let name = name(file, run);
                let why = match &broken {
                    Some(first) => Some(format!(
                        "Previous testcase {first:?} ended in error, which caused the remaining tests in the file to be skipped"
                    )),
                    None if self.interrupted() => {
                        Some("Testcase skipped due to an interrupt".to_string())
                    }
                    None => None,
                };
                if let Some(why) = why {
                    let report = Arc::new(skipped(name, run, why));
                    self.tell(TestEvent::RunFinished(report.clone()));
                    outputs.insert(run.name.clone(), Err("it was skipped"));
                    reports[r] = Some(report);
                    continue;
                }
                self.tell(TestEvent::RunStarted(name));
                let scope = TestScope {
                    variables: BTreeMap::new(),
                    runs: outputs.clone(),
                    before: false,
                    base_dir: self.suite.root.clone(),
                    plan_time: Timestamp::now(),
                };
                running.push(Box::pin(
                    async move { (r, self.run(f, r, scope, states).await) },
                ));
            }
            let Some((r, done)) = running.next().await else {
                break;
            };
            let report = Arc::new(done.report);
            self.tell(TestEvent::RunFinished(report.clone()));
            let name = file.runs[r].name.clone();
            if report.status == Status::Error {
                broken.get_or_insert_with(|| name.clone());
            }
            outputs.insert(name, done.outputs);
            reports[r] = Some(report);
        }
        reports.into_iter().flatten().collect()
    }

    /// Which earlier runs each run waits for: all, unless both may run beside others, share no
    /// state and neither refers to the other.
    fn order(&self, file: &TestFile) -> Vec<Vec<usize>> {
        let waits = |r: usize| {
            let run = &file.runs[r];
            let mentioned: Vec<&Arc<str>> =
                runs_in(run.variables.values().chain(file.variables.values()))
                    .chain(runs_in(
                        run.assertions
                            .iter()
                            .flat_map(|a| [&a.condition, &a.message]),
                    ))
                    .collect();
            let of_providers = self.suite.provider_runs(file, run);
            (0..r)
                .filter(|e| {
                    let earlier = &file.runs[*e];
                    let apart = run.parallel
                        && earlier.parallel
                        && run.state_key != earlier.state_key
                        && !mentioned.contains(&&earlier.name)
                        && !of_providers.contains(&earlier.name);
                    !apart
                })
                .collect()
        };
        (0..file.runs.len()).map(waits).collect()
    }

    async fn run(&self, f: usize, r: usize, scope: TestScope, states: &States) -> Done {
        let started = (Timestamp::now(), Instant::now());
        let mut done = crate::run::run(self, f, r, scope, states).await;
        done.report.started = started.0;
        done.report.elapsed = started.1.elapsed();
        done
    }
}

pub(crate) fn name(file: &TestFile, run: &TestRun) -> RunName {
    RunName {
        file: file.name.clone(),
        run: run.name.clone(),
    }
}

/// A report without anything in it yet.
pub(crate) fn blank(name: RunName, run: &TestRun) -> RunReport {
    RunReport {
        name,
        command: run.command,
        status: Status::Pending,
        diagnostics: topo_sdk::Diagnostics::new(),
        assertions: run.assertions.len(),
        failed_assertions: 0,
        started: Timestamp::now(),
        elapsed: std::time::Duration::ZERO,
        made: None,
        skipped: None,
    }
}

fn skipped(name: RunName, run: &TestRun, why: String) -> RunReport {
    RunReport {
        status: Status::Skip,
        skipped: Some(why),
        ..blank(name, run)
    }
}
