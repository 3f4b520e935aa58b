//! `topo drift`

use clap::Args;
use topo_engine::address::ResourceMode;
use topo_engine::changes::{PlanMode, Unread};
use topo_engine::plan;
use topo_engine::providers::Providers;
use topo_engine::store::State;
use topo_sdk::{Diagnostic, Diagnostics};

use super::{DiagnosticArgs, PlanningArgs, SelectionArgs, VariableArgs};
use crate::context::{Context, Exit};
use crate::json;
use crate::run::{self, Prior, Request};
use crate::view::{DriftReport, Note, Reporter, Shown};

/// Show what differs from the state in reality: exit code 0 for nothing, 2 for something
#[derive(Debug, Args)]
pub struct DriftArgs {
    /// Values of input variables.
    #[command(flatten)]
    pub variables: VariableArgs,
    /// Warnings and errors.
    #[command(flatten)]
    pub diagnostics: DiagnosticArgs,
    /// Of which objects.
    #[command(flatten)]
    pub selection: SelectionArgs,
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
        selection: args.selection.complete()?,
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
    let whole = planning.selection.target.is_empty() && planning.selection.exclude.is_empty();
    let objects = whole.then(|| managed(&prior.state));
    let reporter = if args.json {
        Reporter::start(Box::new(json::drift::Document::new(context.ui)))
    } else {
        context.reporter(Shown::Progress)
    };
    let made = look(&providers, &prior, &request, &reporter).await;
    let (mut found, failed) = Prior::close(prior.store, made).await?;
    found.objects = objects;
    let drifted = !found.drift.is_empty();
    reporter.note(Note::Drift(Box::new(found)));
    Ok(match (failed, drifted) {
        (true, _) => 1,
        (false, true) => 2,
        (false, false) => 0,
    })
}

/// Looks, and says whether it failed for something.
async fn look(
    providers: &Providers,
    prior: &Prior,
    request: &Request<'_>,
    reporter: &Reporter,
) -> Result<(DriftReport, bool), Diagnostics> {
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
    let found = DriftReport {
        drift,
        unread: plan.unread.clone(),
        rest,
        objects: None,
    };
    Ok((found, failed))
}

fn managed(state: &State) -> usize {
    let modes = state.records.keys().map(|k| k.address.resource.mode);
    modes.filter(|m| *m == ResourceMode::Managed).count()
}
