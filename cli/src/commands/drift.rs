//! `topo drift`

use clap::Args;
use topo_engine::address::ResourceMode;
use topo_engine::changes::{ChangeAction, Drift, PlanMode, Unread};
use topo_engine::plan;
use topo_engine::providers::Providers;
use topo_engine::store::State;
use topo_sdk::{Diagnostic, Diagnostics};

use super::{PlanningArgs, VariableArgs};
use crate::context::{Context, Exit};
use crate::json;
use crate::render::change;
use crate::render::style::{BOLD, DIM, GREEN, RED, paint};
use crate::render::text::count;
use crate::run::{self, Prior, Request};
use crate::view::{Quiet, Reporter, Shown};

/// Show what differs from the state in reality: exit code 0 for nothing, 2 for something
#[derive(Debug, Args)]
pub struct DriftArgs {
    /// Values of input variables.
    #[command(flatten)]
    pub variables: VariableArgs,
    /// Only this resource or module; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    pub target: Vec<topo_engine::address::Target>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

pub async fn run(context: &Context, args: &DriftArgs) -> Exit {
    if !args.json {
        context.announce();
    }
    let configuration = context.configuration(&args.variables)?;
    let providers = context.providers()?;
    let planning = PlanningArgs {
        target: args.target.clone(),
        ..PlanningArgs::default()
    };
    let request = Request {
        mode: PlanMode::RefreshOnly,
        planning: &planning,
        refresh: true,
        to_be_saved: false,
        configuration,
    };
    let prior = Prior::read(context).await?;
    // What targets come to, with all that they depend on, only the plan knows.
    let objects = args.target.is_empty().then(|| managed(&prior.state));
    let reporter = if args.json {
        Reporter::start(Box::new(Quiet))
    } else {
        context.reporter(Shown::Progress)
    };
    let made = look(&providers, &prior, &request, &reporter).await;
    drop(reporter);
    let found = Prior::close(prior.store, made).await?;
    if args.json {
        let text = json::drift::report(&found.drift, &found.unread, &found.rest);
        context.ui.raw(&format!("{text:#}\n"));
    } else {
        context.show(&found.rest);
        context.ui.print(&report(&found.drift, objects));
        context.ui.print(&unread(&found.unread));
        let errors = found.unread.into_iter().flat_map(|u| u.diagnostics);
        context.show(&errors.collect());
    }
    Ok(match (found.failed, found.drift.is_empty()) {
        (true, _) => 1,
        (false, false) => 2,
        (false, true) => 0,
    })
}

/// What a look at reality found.
struct Found {
    drift: Vec<Drift>,
    unread: Vec<Unread>,
    /// What does not concern objects that could not be read.
    rest: Diagnostics,
    failed: bool,
}

async fn look(
    providers: &Providers,
    prior: &Prior,
    request: &Request<'_>,
    reporter: &Reporter,
) -> Result<Found, Diagnostics> {
    let interrupt = run::while_planning(&request.configuration.config);
    let plan = run::make(providers, prior, request, interrupt, reporter).await?;
    let mut drift = plan.drift.clone();
    let about = |u: &Unread, d: &Diagnostic| u.diagnostics.iter().any(|own| own == d);
    let mut rest: Diagnostics = plan
        .diagnostics
        .iter()
        .filter(|d| !plan.unread.iter().any(|u| about(u, d)))
        .cloned()
        .collect();
    let failed = plan.diagnostics.has_errors();
    if !drift.is_empty() {
        let (config, inputs) = (&request.configuration.config, &request.configuration.inputs);
        let state = prior.state.clone();
        match plan::consequences(&plan, config.clone(), providers, inputs, state).await {
            Ok(actions) => {
                for d in &mut drift {
                    d.consequence = actions.get(&d.key).copied();
                }
            }
            // Reality was looked at all the same; what an apply would do is another question.
            Err(why) => rest.push(Diagnostic::warning(
                "What an apply would do is not known",
                format!("The configuration cannot be planned:\n\n{why}"),
            )),
        }
    }
    Ok(Found {
        drift,
        unread: plan.unread.clone(),
        rest,
        failed,
    })
}

/// The objects that could not be read; why is told behind them.
fn unread(list: &[Unread]) -> String {
    if list.is_empty() {
        return String::new();
    }
    let head = paint(RED.bold(), "Not read:");
    let mut text = format!(
        "\n{head} {}, of which nothing can be said.\n",
        count(list.len(), "object")
    );
    for u in list {
        text.push_str(&format!("  {}\n", u.key.address));
    }
    text
}

/// What an apply would do about an object that is not as the state has it.
fn consequence(action: ChangeAction) -> &'static str {
    match action {
        ChangeAction::NoOp | ChangeAction::Read => "an apply leaves it as it is",
        ChangeAction::Create => "an apply creates it again",
        ChangeAction::Update => "an apply updates it in-place",
        ChangeAction::DeleteThenCreate
        | ChangeAction::CreateThenDelete
        | ChangeAction::ForgetThenCreate => "an apply replaces it",
        ChangeAction::Delete => "an apply destroys it",
        ChangeAction::Forget => "an apply forgets it",
    }
}

fn managed(state: &State) -> usize {
    let modes = state.records.keys().map(|k| k.address.resource.mode);
    modes.filter(|m| *m == ResourceMode::Managed).count()
}

fn report(drift: &[Drift], objects: Option<usize>) -> String {
    if drift.is_empty() {
        let head = paint(GREEN.bold(), "No drift.");
        return match objects {
            Some(n) => format!("\n{head} {}: as in the state.\n", count(n, "object")),
            None => format!("\n{head}\n"),
        };
    }
    let mut text = String::from("\n");
    for d in drift {
        text.push_str(&change::drift(d));
        if let Some(action) = d.consequence {
            let note = paint(DIM, format!("# ({})", consequence(action)));
            text.push_str(&format!("    {note}\n"));
        }
        text.push('\n');
    }
    let head = paint(BOLD, "Drift:");
    text.push_str(&format!(
        "{head} {} not as in the state. `topo apply` puts back what the configuration says; `topo refresh` accepts it.\n",
        match objects {
            Some(n) => format!("{} of {}", drift.len(), count(n, "object")),
            None => count(drift.len(), "object"),
        }
    ));
    text
}
