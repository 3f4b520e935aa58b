//! Runs of the engine: a plan shown, a plan carried out.
//!
//! The store is held open, and with it the lock, from before the plan until after the apply, so
//! that nothing moves between what a person approves and what is done.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;
use topo_engine::apply::{self, ApplyOptions, Interrupt, Outcome};
use topo_engine::changes::PlanMode;
use topo_engine::config::Config;
use topo_engine::events::silent;
use topo_engine::plan::{self, Plan, PlanOptions, SavedPlan};
use topo_engine::providers::Providers;
use topo_engine::store::{Change, RecordKey, RunRecord, State, StateStore};
use topo_sdk::{Diagnostic, Diagnostics, Path as AttributePath, SourceRange, Step};
use topo_state::SledStore;

use crate::commands::{LockArgs, PlanningArgs, VariableArgs};
use crate::context::{Configuration, Context, Exit, store_error, who};
use crate::planfile;
use crate::progress::Reporter;
use crate::render::plan::{self as text, View};
use crate::render::style::{BOLD, GREEN, RED, paint};
use crate::render::text::count;

/// What is to be planned.
pub struct Request<'a> {
    /// Converge, destroy or accept.
    pub mode: PlanMode,
    /// What to take into account.
    pub planning: &'a PlanningArgs,
    /// Of what.
    pub configuration: Configuration,
}

/// What is shown of a plan.
pub fn view(plan: &Plan) -> View<'_> {
    View {
        changes: &plan.changes,
        drift: &plan.drift,
        outputs: &plan.outputs,
        mode: plan.mode,
        counts: plan.counts(),
    }
}

/// The mode that flags ask for.
pub fn mode(destroy: bool, planning: &PlanningArgs) -> PlanMode {
    match (destroy, planning.refresh_only) {
        (true, _) => PlanMode::Destroy,
        (false, true) => PlanMode::RefreshOnly,
        (false, false) => PlanMode::Normal,
    }
}

/// A state that is planned from, and the store when it is held open.
pub struct Prior {
    /// The state.
    pub state: State,
    /// Held until closed.
    pub store: Option<SledStore>,
}

impl Prior {
    /// With the lock.
    ///
    /// # Errors
    /// When another run has it.
    pub async fn locked(context: &Context, locking: &LockArgs) -> Result<Prior, Diagnostics> {
        let store = context.open_store(locking.lock_timeout).await?;
        let state = store.load().await.map_err(store_error)?;
        Ok(Prior {
            state,
            store: Some(store),
        })
    }

    /// Without the lock, unless a dead run left something to recover.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn read(context: &Context) -> Result<Prior, Diagnostics> {
        let (mut state, in_progress) = context.look().await?;
        if in_progress {
            // What a run that lives has under way is its own business.
            state.intents.clear();
        } else if !state.intents.is_empty() {
            return Prior::locked(context, &LockArgs::default()).await;
        }
        Ok(Prior { state, store: None })
    }

    fn writer(&self) -> Option<Arc<dyn StateStore>> {
        let store = self.store.clone()?;
        Some(Arc::new(store))
    }

    /// Releases the lock. An error of the run itself comes first.
    ///
    /// # Errors
    /// Those of the run, and those of writing the last of the state.
    pub async fn close<T>(
        store: Option<SledStore>,
        result: Result<T, Diagnostics>,
    ) -> Result<T, Diagnostics> {
        let closed = match store {
            Some(store) => store.close().await.map_err(store_error),
            None => Ok(()),
        };
        let value = result?;
        closed?;
        Ok(value)
    }
}

/// Plans, with progress unless `quiet`.
///
/// # Errors
/// Everything that is wrong.
pub async fn make(
    context: &Context,
    providers: &Providers,
    prior: &Prior,
    request: &Request<'_>,
    quiet: bool,
) -> Result<Plan, Diagnostics> {
    let options = PlanOptions {
        mode: request.mode,
        refresh: request.planning.refresh,
        targets: request.planning.target.clone(),
        excludes: request.planning.exclude.clone(),
        replace: request.planning.replace.clone(),
        allow_deferral: request.planning.allow_deferral,
        parallelism: request.planning.parallelism,
        store: prior.writer(),
        ..PlanOptions::default()
    };
    let reporter = (!quiet).then(|| Reporter::start(context.ui, 0));
    let listener = reporter.as_ref().map_or_else(silent, Reporter::listener);
    plan::plan(
        request.configuration.config.clone(),
        providers,
        &request.configuration.inputs,
        prior.state.clone(),
        &options,
        listener,
    )
    .await
}

/// A plan from a file.
///
/// # Errors
/// When it is stale.
pub async fn resume(
    providers: &Providers,
    prior: &Prior,
    saved: SavedPlan,
    config: Arc<Config>,
) -> Result<Plan, Diagnostics> {
    plan::resume(
        saved,
        config,
        providers,
        prior.state.clone(),
        prior.writer(),
        silent(),
    )
    .await
}

/// Shows a plan with its warnings.
pub fn show(context: &Context, plan: &Plan) {
    context.show(&plan.diagnostics);
    context.ui.print(&format!("\n{}", text::plan(&view(plan))));
}

/// What an apply is of.
pub enum What<'a> {
    /// A plan to make now, and to approve.
    New {
        /// Converge, destroy or accept.
        mode: PlanMode,
        /// What to take into account.
        planning: &'a PlanningArgs,
        /// Values of variables.
        variables: &'a VariableArgs,
        /// Whether it is approved already.
        approved: bool,
    },
    /// A plan that was saved, which is approval.
    Saved(&'a Path),
}

/// What is read before anything is opened, so that a mistake in it leaves no trace.
enum Prepared<'a> {
    New {
        request: Request<'a>,
        approved: bool,
        may_ask: bool,
    },
    Saved(Box<SavedPlan>, Arc<Config>),
}

impl<'a> Prepared<'a> {
    fn new(context: &Context, what: What<'a>) -> Result<Prepared<'a>, Diagnostics> {
        Ok(match what {
            What::New {
                mode,
                planning,
                variables,
                approved,
            } => Prepared::New {
                request: Request {
                    mode,
                    planning,
                    configuration: context.configuration(variables)?,
                },
                approved,
                may_ask: variables.input,
            },
            What::Saved(file) => {
                let saved = planfile::read(file, context.sandbox)?;
                Prepared::Saved(Box::new(saved), context.load()?)
            }
        })
    }

    fn config(&self) -> Arc<Config> {
        match self {
            Prepared::New { request, .. } => request.configuration.config.clone(),
            Prepared::Saved(_, config) => config.clone(),
        }
    }
}

/// Plans, asks, applies, sums up.
///
/// # Errors
/// What is wrong before anything is changed; failures after that are shown, and are exit code 1.
pub async fn apply(
    context: &Context,
    what: What<'_>,
    locking: &LockArgs,
    parallelism: usize,
) -> Exit {
    context.announce();
    let prepared = Prepared::new(context, what)?;
    let providers = context.providers()?;
    if !locking.lock {
        context.show(&Diagnostics::from(Diagnostic::warning(
            "The state is locked nevertheless",
            "-lock=false has no effect on apply: topo's state has one writer at a time.",
        )));
    }
    let prior = Prior::locked(context, locking).await?;
    let store = prior.store.clone();
    let result = apply_locked(context, &providers, prior, prepared, parallelism).await;
    Prior::close(store, result).await
}

async fn apply_locked(
    context: &Context,
    providers: &Providers,
    prior: Prior,
    prepared: Prepared<'_>,
    parallelism: usize,
) -> Exit {
    let config = prepared.config();
    let plan = match prepared {
        Prepared::New {
            request,
            approved,
            may_ask,
        } => {
            let plan = make(context, providers, &prior, &request, false).await?;
            show(context, &plan);
            if plan.diagnostics.has_errors() {
                return Ok(1);
            }
            if !plan.is_empty() && !approved {
                if !may_ask {
                    return Err(Diagnostics::error(
                        "Not approved",
                        "-input=false forbids asking. Give -auto-approve, or apply a saved plan.",
                    ));
                }
                if !approve(context, plan.mode) {
                    context
                        .ui
                        .print(&format!("\n{} cancelled.\n", title(plan.mode)));
                    return Ok(1);
                }
            }
            plan
        }
        Prepared::Saved(saved, config) => resume(providers, &prior, *saved, config).await?,
    };
    let Some(store) = prior.writer() else {
        return Err(Diagnostics::error("The state is not open", ""));
    };
    let mode = plan.mode;
    let mut run = RunRecord {
        id: context.run.to_string(),
        who: who(),
        pid: std::process::id(),
        command: context.command.clone(),
        started: context.started,
        ended: None,
        changes: Vec::new(),
    };
    let put = |run: &RunRecord| store.commit(vec![Change::PutRun(run.clone())]);
    let idle = plan.is_empty();
    if !idle {
        put(&run).await.map_err(store_error)?;
    }
    let counts = plan.counts();
    let mutations = counts.add + counts.change + counts.destroy;
    let reporter = Reporter::start(context.ui, mutations);
    let options = ApplyOptions {
        parallelism,
        interrupt: interrupts(),
    };
    context.ui.print("\n");
    let outcome = apply::apply(plan, providers, store.clone(), options, reporter.listener()).await;
    drop(reporter);
    if !idle {
        run.ended = Some(Timestamp::now());
        run.changes.clone_from(&outcome.changes);
        put(&run).await.map_err(store_error)?;
    }
    Ok(sum_up(context, mode, &config, &outcome))
}

fn approve(context: &Context, mode: PlanMode) -> bool {
    let place = if context.sandbox {
        " in the sandbox (a simulated cloud)"
    } else {
        ""
    };
    let (question, explanation) = match mode {
        PlanMode::Normal => (
            format!("Do you want to perform these actions{place}?"),
            "topo will perform the actions described above.",
        ),
        PlanMode::Destroy => (
            format!("Do you really want to destroy all resources{place}?"),
            "topo will destroy everything that it manages here, as shown above. There is no undo.",
        ),
        PlanMode::RefreshOnly => (
            format!("Would you like to update the state to reflect these changes{place}?"),
            "topo will write what it found to the state, and change nothing else.",
        ),
    };
    let text = format!(
        "\n{}\n  {explanation}\n  Only 'yes' will be accepted.\n\n  {} ",
        paint(BOLD, question),
        paint(BOLD, "Enter a value:")
    );
    let answer = context.ui.ask(&text, false);
    answer.is_some_and(|a| a.trim() == "yes")
}

/// Interrupts of the process from now on: the first finishes what is under way, the second does
/// not wait, a third ends the process at once.
pub fn interrupts() -> watch::Receiver<Interrupt> {
    let (sender, receiver) = watch::channel(Interrupt::None);
    tokio::spawn(async move {
        for level in [Some(Interrupt::Graceful), Some(Interrupt::Now), None] {
            signal().await;
            match level {
                Some(level) => {
                    let _ = sender.send(level);
                }
                None => std::process::exit(130),
            }
        }
    });
    receiver
}

/// Waits for Ctrl-C or SIGTERM. Where signals cannot be listened to, they keep their default
/// effect, and this never returns.
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) {
        (Ok(mut interrupt), Ok(mut terminate)) => {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
        _ => std::future::pending().await,
    }
}

fn title(mode: PlanMode) -> &'static str {
    match mode {
        PlanMode::Destroy => "Destroy",
        PlanMode::Normal | PlanMode::RefreshOnly => "Apply",
    }
}

/// Where the configuration says what an object, or one attribute of it, is to be. An object that
/// is only in the state is written nowhere.
fn written(config: &Config, key: &RecordKey, attribute: &AttributePath) -> Option<SourceRange> {
    let address = &key.address.resource;
    let calls = || address.module.steps().iter().map(|(name, _)| name);
    let module = config.modules.iter().find(|m| m.path.iter().eq(calls()))?;
    let name = (
        address.mode,
        address.type_name.clone(),
        address.name.clone(),
    );
    let resource = module.resources.get(&name)?;
    let argument = attribute.steps().first().and_then(|step| match step {
        Step::Attribute(name) => resource.body.get(name),
        _ => None,
    });
    Some(argument.map_or_else(|| resource.range.clone(), |expression| expression.range()))
}

/// The end of an apply: failures, what was not done and why, counts, outputs.
fn sum_up(context: &Context, mode: PlanMode, config: &Config, outcome: &Outcome) -> u8 {
    let mut all = outcome.diagnostics.clone();
    for (key, diagnostics) in &outcome.failed {
        let of = |d: Diagnostic| {
            let range = d
                .range
                .clone()
                .or_else(|| written(config, key, &d.attribute));
            d.with_address(&key.address).with_range(range)
        };
        all.extend(diagnostics.clone().map(of));
    }
    if !outcome.skipped.is_empty() {
        let mut text = format!("\n{}\n", paint(BOLD, "Not done:"));
        for (key, because) in &outcome.skipped {
            text.push_str(&format!("  {}: {because}\n", key.address));
        }
        context.ui.print(&text);
    }
    context.show(&all);
    let failed = !outcome.is_success();
    let c = &outcome.counts;
    let resources = match mode {
        PlanMode::Destroy => format!("Resources: {} destroyed", c.destroy),
        _ => format!(
            "Resources: {} added, {} changed, {} destroyed",
            c.add, c.change, c.destroy
        ),
    };
    let name = title(mode);
    let text = if failed {
        format!(
            "{} {resources}; {} failed, {} not done.",
            paint(RED.bold(), format!("{name} incomplete.")),
            count(outcome.failed.len(), "operation"),
            outcome.skipped.len()
        )
    } else {
        paint(GREEN.bold(), format!("{name} complete! {resources}."))
    };
    let sandbox = if context.sandbox { " (sandbox)" } else { "" };
    context.ui.print(&format!("\n{text}{sandbox}\n"));
    if !failed && !outcome.outputs.is_empty() {
        let outputs = outcome.outputs.iter().map(|(n, o)| (&**n, o));
        let list = crate::commands::output::list(outputs);
        context
            .ui
            .print(&format!("\n{}\n\n{list}", paint(BOLD, "Outputs:")));
    }
    u8::from(failed)
}
