//! Runs of the engine: a plan shown, a plan carried out.
//!
//! The store is held open, and with it the lock, from before the plan until after the apply, so
//! that nothing moves between what a person approves and what is done. What is seen of a run is up
//! to its [`Reporter`].

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;
use topo_engine::apply::{self, ApplyOptions, Interrupt, Outcome};
use topo_engine::changes::PlanMode;
use topo_engine::config::Config;
use topo_engine::plan::{self, Plan, PlanOptions, Purpose, SavedPlan};
use topo_engine::providers::Providers;
use topo_engine::store::{Change, RunRecord, State, StateStore};
use topo_engine::variables::Inputs;
use topo_sdk::Diagnostics;
use topo_state::SledStore;

use crate::commands::{LockArgs, PlanningArgs, VariableArgs};
use crate::context::{Configuration, Context, Exit, store_error, who};
use crate::planfile;
use crate::variables;
use crate::view::{Format, Note, Reporter, Shown};

/// What is to be planned.
pub struct Request<'a> {
    /// Converge, destroy or accept.
    pub mode: PlanMode,
    /// What to take into account.
    pub planning: &'a PlanningArgs,
    /// Whether objects are read before they are compared.
    pub refresh: bool,
    /// Whether the plan may be saved.
    pub to_be_saved: bool,
    /// Of what.
    pub configuration: Configuration,
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

    /// With the lock, where there is a state to lock: planning from nothing leaves nothing behind.
    ///
    /// # Errors
    /// When another run has it.
    pub async fn to_plan(context: &Context, locking: &LockArgs) -> Result<Prior, Diagnostics> {
        if locking.lock && topo_state::exists(&context.state_dir()?) {
            Prior::locked(context, locking).await
        } else {
            Prior::read(context).await
        }
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

/// Plans.
///
/// # Errors
/// Everything that is wrong; an interrupt.
pub async fn make(
    providers: &Providers,
    prior: &Prior,
    request: &Request<'_>,
    interrupt: Interrupts,
    reporter: &Reporter,
) -> Result<Plan, Diagnostics> {
    let options = PlanOptions {
        mode: request.mode,
        refresh: request.refresh,
        targets: request.planning.selection.target.clone(),
        excludes: request.planning.selection.exclude.clone(),
        replace: request.planning.replace.clone(),
        allow_deferral: request.planning.allow_deferral,
        parallelism: request.planning.parallelism,
        to_be_saved: request.to_be_saved,
        store: prior.writer(),
        workspace: request.configuration.workspace.clone(),
        interrupt,
    };
    plan::plan(
        request.configuration.config.clone(),
        providers,
        &request.configuration.inputs,
        prior.state.clone(),
        &options,
        reporter.listener(),
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
    (saved, purpose): (SavedPlan, Purpose),
    config: Arc<Config>,
    inputs: &Inputs,
    interrupt: Interrupts,
    reporter: &Reporter,
) -> Result<Plan, Diagnostics> {
    plan::resume(
        saved,
        purpose,
        config,
        providers,
        inputs,
        prior.state.clone(),
        prior.writer(),
        interrupt,
        reporter.listener(),
    )
    .await
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
    New(Request<'a>, Approval),
    Saved(Box<SavedPlan>, Arc<Config>, Box<Inputs>),
}

/// Where the approval of a plan comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Approval {
    /// It is given already.
    Given,
    /// Somebody is asked.
    Asked,
    /// Nobody may be asked.
    Forbidden,
}

impl<'a> Prepared<'a> {
    fn new(context: &Context, what: What<'a>) -> Result<Prepared<'a>, Diagnostics> {
        Ok(match what {
            What::New {
                mode,
                planning,
                variables,
                approved,
            } => {
                if context.format == Format::Stream && !approved {
                    return Err(Diagnostics::error(
                        "Plan file or auto-approve required",
                        "With -json nobody can be asked for approval. Apply a saved plan, or give -auto-approve.",
                    ));
                }
                let request = Request {
                    mode,
                    planning,
                    refresh: planning.refresh,
                    to_be_saved: false,
                    configuration: context.configuration(variables)?,
                };
                let approval = match (approved, variables.may_ask()) {
                    (true, _) => Approval::Given,
                    (false, true) => Approval::Asked,
                    (false, false) => Approval::Forbidden,
                };
                Prepared::New(request, approval)
            }
            What::Saved(file) => {
                let saved = planfile::read(file, context.sandbox, &context.workspace()?.name)?;
                let config = context.load()?;
                let inputs = variables::gather(&context.variable_flags)?;
                let conflicts = saved.conflicts(&config, &inputs);
                if conflicts.has_errors() {
                    return Err(conflicts);
                }
                Prepared::Saved(Box::new(saved), config, Box::new(inputs))
            }
        })
    }

    /// Who has seen a saved plan need not see it again.
    fn shown(&self) -> Shown {
        match self {
            Prepared::New(..) => Shown::Plan,
            Prepared::Saved(..) => Shown::Progress,
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
    let reporter = context.reporter(prepared.shown());
    if let Some(note) = context.note_on_lock(locking) {
        reporter.diagnostics(note.into());
    }
    let prior = Prior::locked(context, locking).await?;
    let store = prior.store.clone();
    let run = Running {
        context,
        providers: &providers,
        reporter: &reporter,
        parallelism,
    };
    let result = run.rounds(prior, prepared).await;
    Prior::close(store, result).await
}

/// What a run needs from its beginning to its end.
struct Running<'a> {
    context: &'a Context,
    providers: &'a Providers,
    reporter: &'a Reporter,
    parallelism: usize,
}

impl Running<'_> {
    async fn rounds(&self, prior: Prior, prepared: Prepared<'_>) -> Exit {
        let Some(store) = prior.writer() else {
            return Err(Diagnostics::error("The state is not open", ""));
        };
        let mut run = RunRecord {
            id: self.context.run.to_string(),
            who: who(),
            pid: std::process::id(),
            command: self.context.command.clone(),
            started: self.context.started,
            ended: None,
            changes: Vec::new(),
        };
        let (mut request, approval) = match prepared {
            Prepared::New(request, approval) => (request, approval),
            Prepared::Saved(saved, config, inputs) => {
                let saved = (*saved, Purpose::Apply);
                let interrupt = while_planning(&config);
                let plan = resume(
                    self.providers,
                    &prior,
                    saved,
                    config,
                    &inputs,
                    interrupt.clone(),
                    self.reporter,
                )
                .await?;
                let waits = !plan.deferred.is_empty();
                let interrupt = interrupt.unwrap_or_else(interrupts);
                let outcome = self.carry_out(plan, &store, &mut run, interrupt).await?;
                if waits && outcome.is_success() {
                    self.reporter.note(Note::Unfinished);
                }
                return Ok(u8::from(!outcome.is_success()));
            }
        };
        let mut prior = prior;
        let mut interrupt = while_planning(&request.configuration.config);
        for round in 1.. {
            let proposed = self.propose(&prior, &request, approval, interrupt.clone());
            let Some(plan) = proposed.await? else {
                return Ok(1);
            };
            let waits = !plan.deferred.is_empty();
            let interrupt = interrupt.get_or_insert_with(interrupts).clone();
            let outcome = self.carry_out(plan, &store, &mut run, interrupt).await?;
            if !outcome.is_success() || !waits {
                return Ok(u8::from(!outcome.is_success()));
            }
            self.reporter.note(Note::Round(round + 1));
            prior.state = store.load().await.map_err(store_error)?;
            // Everything has been looked at, and what was made since is known.
            request.refresh = false;
        }
        Ok(0)
    }

    /// Makes a plan, shows it and asks for approval; `None` where it is not to be carried out.
    async fn propose(
        &self,
        prior: &Prior,
        request: &Request<'_>,
        approval: Approval,
        interrupt: Interrupts,
    ) -> Result<Option<Plan>, Diagnostics> {
        let heard = interrupt.clone();
        let plan = make(self.providers, prior, request, heard, self.reporter).await?;
        if plan.diagnostics.has_errors() {
            return Ok(None);
        }
        // What outputs will be does not make anything known.
        if !plan.deferred.is_empty() && plan.touches_nothing() {
            let waiting: Vec<String> = plan.deferred.iter().map(|d| d.address.clone()).collect();
            return Err(stuck(&waiting));
        }
        let approved = self.approved(&plan, approval, interrupt).await?;
        Ok(approved.then_some(plan))
    }

    /// Whether a plan that has been shown may be carried out.
    async fn approved(
        &self,
        plan: &Plan,
        approval: Approval,
        interrupt: Interrupts,
    ) -> Result<bool, Diagnostics> {
        if plan.is_empty() {
            return Ok(true);
        }
        match approval {
            Approval::Given => Ok(true),
            Approval::Forbidden => Err(Diagnostics::error(
                "Not approved",
                "-input=false (or TF_INPUT=0) forbids asking. Give -auto-approve, or apply a saved plan.",
            )),
            Approval::Asked => {
                let approved = tokio::select! {
                    approved = self.reporter.approve(plan.mode) => approved,
                    // Whoever asks waits for an answer that nobody will give.
                    () = interrupted(interrupt) => std::process::exit(INTERRUPTED),
                };
                if !approved {
                    self.reporter.note(Note::Cancelled(plan.mode));
                }
                Ok(approved)
            }
        }
    }

    /// Carries out a plan. The run is on record before the first change and after the last.
    async fn carry_out(
        &self,
        plan: Plan,
        store: &Arc<dyn StateStore>,
        run: &mut RunRecord,
        interrupt: watch::Receiver<Interrupt>,
    ) -> Result<Arc<Outcome>, Diagnostics> {
        let put = |run: &RunRecord| store.commit(vec![Change::PutRun(run.clone())]);
        let idle = plan.is_empty();
        if !idle {
            run.ended = None;
            put(run).await.map_err(store_error)?;
        }
        let options = ApplyOptions {
            parallelism: self.parallelism,
            interrupt,
        };
        let listener = self.reporter.listener();
        let outcome = apply::apply(plan, self.providers, store.clone(), options, listener).await;
        if !idle {
            run.ended = Some(Timestamp::now());
            run.changes.extend(outcome.changes.iter().cloned());
            put(run).await.map_err(store_error)?;
        }
        Ok(outcome)
    }
}

/// The error for a run of which no round makes anything known that the rest waits for.
fn stuck(waiting: &[String]) -> Diagnostics {
    Diagnostics::error(
        "The run makes no progress",
        format!(
            "Everything else is as it should be, and how many instances these have is still not known: {}. What their count or for_each comes from must be something that is known once it is applied.",
            waiting.join(", ")
        ),
    )
}

/// How a process ends that was interrupted, as shells have it.
const INTERRUPTED: i32 = 130;

/// Who hears of interrupts; nobody where they end the process.
pub type Interrupts = Option<watch::Receiver<Interrupt>>;

/// Interrupts while planning. They end the process, as they should, unless there is something
/// that would stay open then.
pub fn while_planning(config: &Config) -> Interrupts {
    config.has_ephemeral_resources().then(interrupts)
}

/// Waits for the first.
async fn interrupted(interrupt: Interrupts) {
    let heard = match interrupt {
        Some(mut i) => i.wait_for(|i| *i != Interrupt::None).await.is_ok(),
        None => false,
    };
    if !heard {
        std::future::pending::<()>().await;
    }
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
                None => std::process::exit(INTERRUPTED),
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
