//! One run: plan, apply where asked, and what must hold afterwards.

use std::sync::Arc;

use tokio::sync::watch;
use topo_engine::apply::{ApplyOptions, Interrupt, Outcome, apply_and_keep};
use topo_engine::changes::{CheckResult, CheckStatus};
use topo_engine::events::silent;
use topo_engine::plan::{Plan, PlanOptions, Unmade, plan_and_keep};
use topo_engine::store::{State, StateStore};
use topo_engine::world::World;
use topo_sdk::{Cause, Diagnostic, Diagnostics, Type, Value};

use crate::assess::{Until, assess};
use crate::expect::{Expectations, failed_object};
use crate::file::{Command, TestRun};
use crate::memory::MemoryStore;
use crate::report::{Made, RunReport, Status};
use crate::runner::{Context, Done, Last, States, blank, lock, name};
use crate::scope::{AssertionScope, RunOutputs, TestScope};
use crate::suite::Prepared;
use crate::values;

/// Carries out a run.
pub(crate) async fn run(
    context: &Context<'_>,
    f: usize,
    r: usize,
    scope: TestScope,
    states: &States,
) -> Done {
    let file = &context.suite.files[f];
    let run = &file.runs[r];
    let mut report = blank(name(file, run), run);
    let mut found = Diagnostics::new();
    let outputs = match prepare(context, f, r, scope, &mut found) {
        Some(prepared) => {
            let running = Running {
                context,
                index: r,
                run,
                states,
                prepared,
            };
            running.carry_out(&mut report, &mut found).await
        }
        None => {
            report.status = Status::Error;
            Err("it failed")
        }
    };
    report.diagnostics = found;
    Done { report, outputs }
}

/// What a run is carried out with.
struct Ready {
    prepared: Arc<Prepared>,
    start: values::Start,
}

fn prepare(
    context: &Context<'_>,
    f: usize,
    r: usize,
    scope: TestScope,
    found: &mut Diagnostics,
) -> Option<Ready> {
    let suite = context.suite;
    let file = &suite.files[f];
    let declared = suite.declared(f, r)?;
    let root = declared.config.root();
    let start = values::start(&suite.inputs, root, file, &file.runs[r], scope, found);
    if found.has_errors() {
        return None;
    }
    // A provider that this run does not use may need runs that are still to come.
    let mut scope = start.scope.clone();
    for run in &file.runs {
        let outputs = || Ok(Value::unknown(Type::Dynamic));
        scope.runs.entry(run.name.clone()).or_insert_with(outputs);
    }
    match suite.prepared(f, r, &scope) {
        Ok(prepared) => Some(Ready { prepared, start }),
        Err(ds) => {
            found.extend(ds);
            None
        }
    }
}

/// What planning came to.
type Planned = Result<Plan, Box<Unmade>>;

struct Running<'a> {
    context: &'a Context<'a>,
    index: usize,
    run: &'a TestRun,
    states: &'a States,
    prepared: Ready,
}

impl Running<'_> {
    async fn carry_out(&self, report: &mut RunReport, found: &mut Diagnostics) -> RunOutputs {
        let store = {
            let mut states = lock(self.states);
            let shared = states.entry(self.run.state_key.clone()).or_default();
            shared.store.clone()
        };
        let prior = store.state();
        let planned = self.plan(prior.clone(), &store).await;
        match self.run.command {
            Command::Plan => self.planned(planned, prior, report, found),
            Command::Apply => self.apply(planned, store, report, found).await,
        }
    }

    async fn plan(&self, prior: State, store: &Arc<MemoryStore>) -> Planned {
        let store: Arc<dyn StateStore> = store.clone();
        let options = PlanOptions {
            mode: self.run.options.mode,
            refresh: self.run.options.refresh,
            targets: self.run.options.target.clone(),
            replace: self.run.options.replace.clone(),
            workspace: self.context.suite.workspace.clone(),
            parallelism: self.context.suite.parallelism,
            store: Some(store),
            ..PlanOptions::default()
        };
        let Ready { prepared, start } = &self.prepared;
        let work = plan_and_keep(
            prepared.config.clone(),
            &prepared.providers,
            &start.inputs,
            prior,
            &options,
            silent(),
        );
        tokio::select! {
            biased;
            () = given_up(self.context.interrupts.clone()) => {
                Err(Diagnostics::from(interrupted()).into())
            }
            made = work => made,
        }
    }

    /// The end of a run that only plans. Where what was expected to fail has ended the plan, its
    /// assertions see what could be worked out nevertheless.
    fn planned(
        &self,
        planned: Planned,
        prior: State,
        report: &mut RunReport,
        found: &mut Diagnostics,
    ) -> RunOutputs {
        let mut expectations = Expectations::new(&self.run.expected);
        let said = match &planned {
            Ok(plan) => plan.diagnostics.clone(),
            Err(unmade) => unmade.diagnostics.clone(),
        };
        found.extend(expectations.filter(said));
        found.extend(expectations.missing());
        if let Ok(plan) = &planned {
            let before = Arc::new(prior.clone());
            report.made = Some(Made::Plan(plan.overview.clone(), before));
        }
        let (world, state, until) = match &planned {
            Ok(plan) => (Some(plan.world()), plan.state(), Until::Planned),
            Err(unmade) => (unmade.world.as_ref(), &prior, Until::Failed),
        };
        match world {
            Some(world) if !found.has_errors() => {
                Ok(self.assess(world, state, until, report, found))
            }
            _ => {
                report.status = Status::Error;
                Err("it failed")
            }
        }
    }

    async fn apply(
        &self,
        planned: Planned,
        store: Arc<MemoryStore>,
        report: &mut RunReport,
        found: &mut Diagnostics,
    ) -> RunOutputs {
        let mut expectations = Expectations::new(&self.run.expected);
        let plan = match planned {
            Ok(plan) => plan,
            Err(unmade) => {
                let expected = expectations.first_of(&unmade.diagnostics);
                found.extend(unmade.diagnostics);
                found.extend(expected.map(premature));
                report.status = Status::Error;
                return Err("it failed");
            }
        };
        // What a check says in the plan is said again, or is no longer so, after apply.
        let (checks, said): (Vec<_>, Vec<_>) =
            plan.diagnostics.iter().cloned().partition(is_condition);
        found.extend(said.into_iter().collect::<Diagnostics>());
        let failed = failed_checks(&plan.checks);
        if let Some(shared) = lock(self.states).get_mut(&self.run.state_key) {
            shared.last = Some(Last {
                index: self.index,
                prepared: self.prepared.prepared.clone(),
                inputs: self.prepared.start.inputs.clone(),
            });
        }
        let options = ApplyOptions {
            parallelism: self.context.suite.parallelism,
            interrupt: self.context.interrupts.clone(),
        };
        let providers = &self.prepared.prepared.providers;
        let finished = apply_and_keep(plan, providers, store.clone(), options, silent()).await;
        let state = Arc::new(store.state());
        report.made = Some(Made::State(state.clone()));
        let asked = self.context.notice();
        let mut problems = match asked {
            // That it did not wait is told below, and there is no next run that would look.
            Interrupt::Now => failures(&finished.outcome).collect(),
            _ => problems(&finished.outcome),
        };
        problems.extend(unsettled(checks, &failed, &finished.outcome.checks));
        found.extend(expectations.filter(problems));
        let cut_off = !finished.outcome.skipped.is_empty();
        if asked == Interrupt::Now || (asked == Interrupt::Graceful && cut_off) {
            found.push(interrupted());
        } else {
            found.extend(expectations.missing());
        }
        if found.has_errors() {
            report.status = Status::Error;
            return Err("it failed");
        }
        Ok(self.assess(&finished.world, &state, Until::Applied, report, found))
    }

    fn assess(
        &self,
        world: &World,
        state: &State,
        until: Until,
        report: &mut RunReport,
        found: &mut Diagnostics,
    ) -> Value {
        let scope = AssertionScope {
            test: &self.prepared.start.scope,
            world,
            state,
        };
        let assessed = assess(&self.run.assertions, until, &scope, found);
        report.status = assessed.status;
        report.failed_assertions = assessed.failed;
        scope.outputs()
    }
}

/// Everything that went wrong in an apply.
pub(crate) fn problems(outcome: &Outcome) -> Diagnostics {
    let mut all = outcome.diagnostics.clone();
    all.extend(failures(outcome).collect::<Diagnostics>());
    all
}

/// What went wrong with single objects.
fn failures(outcome: &Outcome) -> impl Iterator<Item = Diagnostic> {
    outcome.failed.iter().flat_map(|(key, diagnostics)| {
        let all = diagnostics.iter().cloned();
        all.map(|d| d.with_address(&key.address))
    })
}

/// Ends when a person will not wait any longer.
pub(crate) async fn given_up(mut interrupts: watch::Receiver<Interrupt>) {
    if interrupts.wait_for(|i| *i == Interrupt::Now).await.is_err() {
        std::future::pending::<()>().await; // there is nobody who could
    }
}

pub(crate) fn interrupted() -> Diagnostic {
    Diagnostic::error(
        "Test interrupted",
        "The test operation could not be completed due to an interrupt signal. Read the remaining diagnostics carefully for any sign of objects that could not be destroyed.",
    )
}

fn is_condition(d: &Diagnostic) -> bool {
    matches!(d.cause, Some(Cause::FailedCondition { .. }))
}

/// The addresses of the `check` blocks that do not hold.
fn failed_checks(checks: &[CheckResult]) -> Vec<String> {
    let objects = checks.iter().flat_map(|c| &c.objects);
    let failed = objects.filter(|o| matches!(o.status, CheckStatus::Fail | CheckStatus::Error));
    failed.map(|o| o.address.clone()).collect()
}

/// What a plan says of checks that failed in it and that apply had no occasion to look at again:
/// where nothing changes, a data source that cannot be read is not asked once more.
fn unsettled(said: Vec<Diagnostic>, failed: &[String], after: &[CheckResult]) -> Diagnostics {
    let objects = after.iter().flat_map(|c| &c.objects);
    let open: Vec<&str> = objects
        .filter(|o| o.status == CheckStatus::Unknown && failed.contains(&o.address))
        .map(|o| o.address.as_str())
        .collect();
    let concerns = |d: &Diagnostic| failed_object(d).is_some_and(|of| open.contains(&of.as_str()));
    said.into_iter().filter(concerns).collect()
}

fn premature(expected: String) -> Diagnostic {
    Diagnostic::warning(
        "Expected failure while planning",
        format!(
            "{expected} was expected to fail and did, but in the plan already. So nothing could be applied, and this run fails. Use command = plan for it."
        ),
    )
}
