//! One run: plan, apply where asked, and what must hold afterwards.

use std::sync::Arc;

use tokio::sync::watch;
use topo_engine::apply::{ApplyOptions, Interrupt, Outcome, apply_and_keep};
use topo_engine::events::silent;
use topo_engine::plan::{Plan, PlanOptions, plan};
use topo_engine::store::{State, StateStore};
use topo_engine::world::World;
use topo_sdk::{Cause, Diagnostic, Diagnostics, Type, Value};

use crate::assess::assess;
use crate::expect::Expectations;
use crate::file::{Command, TestRun};
use crate::memory::MemoryStore;
use crate::report::{Made, RunReport, Status};
use crate::runner::{Context, Done, Last, States, blank, lock, name};
use crate::scope::{AssertionScope, RunOutputs, TestScope, outputs};
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

    async fn plan(&self, prior: State, store: &Arc<MemoryStore>) -> Result<Plan, Diagnostics> {
        let store: Arc<dyn StateStore> = store.clone();
        let options = PlanOptions {
            mode: self.run.options.mode,
            refresh: self.run.options.refresh,
            targets: self.run.options.target.clone(),
            replace: self.run.options.replace.clone(),
            parallelism: self.context.suite.parallelism,
            store: Some(store),
            ..PlanOptions::default()
        };
        let Ready { prepared, start } = &self.prepared;
        let work = plan(
            prepared.config.clone(),
            &prepared.providers,
            &start.inputs,
            prior,
            &options,
            silent(),
        );
        tokio::select! {
            made = work => made,
            () = given_up(self.context.interrupts.clone()) => Err(interrupted().into()),
        }
    }

    /// The end of a run that only plans.
    fn planned(
        &self,
        planned: Result<Plan, Diagnostics>,
        prior: State,
        report: &mut RunReport,
        found: &mut Diagnostics,
    ) -> RunOutputs {
        let mut expectations = Expectations::new(&self.run.expected);
        let (plan, said) = match planned {
            Ok(plan) => {
                let said = plan.diagnostics.clone();
                (Some(plan), said)
            }
            Err(said) => (None, said),
        };
        found.extend(expectations.filter(said));
        found.extend(expectations.missing());
        if let Some(plan) = &plan {
            report.made = Some(Made::Plan(plan.overview.clone(), Arc::new(prior)));
        }
        if found.has_errors() {
            report.status = Status::Error;
            return Err("it failed");
        }
        let Some(plan) = plan else {
            report.status = Status::Pass;
            if !self.run.assertions.is_empty() {
                found.push(
                    Diagnostic::warning("Assertions not checked", "What was expected to fail ended the plan, so there is nothing to hold the assertions of this run against. Put them in a run of their own.")
                        .with_range(Some(self.run.range.clone())),
                );
            }
            return Err("its plan was expected to fail");
        };
        Ok(self.assess(plan.world(), report, found))
    }

    async fn apply(
        &self,
        planned: Result<Plan, Diagnostics>,
        store: Arc<MemoryStore>,
        report: &mut RunReport,
        found: &mut Diagnostics,
    ) -> RunOutputs {
        let mut expectations = Expectations::new(&self.run.expected);
        let plan = match planned {
            Ok(plan) => plan,
            Err(said) => {
                let variable = expectations.has_variable(&said);
                found.extend(said);
                found.extend(variable.map(premature));
                report.status = Status::Error;
                return Err("it failed");
            }
        };
        // What a check says in the plan is said again, or is no longer so, after apply.
        let said = plan.diagnostics.iter().filter(|d| !is_condition(d));
        found.extend(said.cloned());
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
        report.made = Some(Made::State(Arc::new(store.state())));
        found.extend(expectations.filter(problems(&finished.outcome)));
        if *self.context.interrupts.borrow() != Interrupt::None
            && !finished.outcome.skipped.is_empty()
        {
            found.push(interrupted());
        } else {
            found.extend(expectations.missing());
        }
        if found.has_errors() {
            report.status = Status::Error;
            return Err("it failed");
        }
        Ok(self.assess(&finished.world, report, found))
    }

    fn assess(&self, world: &World, report: &mut RunReport, found: &mut Diagnostics) -> Value {
        let scope = AssertionScope {
            test: &self.prepared.start.scope,
            world,
        };
        let assessed = assess(&self.run.assertions, self.run.command, &scope, found);
        report.status = assessed.status;
        report.failed_assertions = assessed.failed;
        outputs(world)
    }
}

/// Everything that went wrong in an apply.
pub(crate) fn problems(outcome: &Outcome) -> Diagnostics {
    let mut all = outcome.diagnostics.clone();
    for (key, diagnostics) in &outcome.failed {
        all.extend(diagnostics.clone().map(|d| d.with_address(&key.address)));
    }
    all
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

fn premature(variable: String) -> Diagnostic {
    Diagnostic::warning(
        "Invalid variable in test file",
        format!(
            "{variable} has an invalid value within the test. Though that was expected to fail, it means that nothing could be applied, so the test fails. Use command = plan for this run."
        ),
    )
}
