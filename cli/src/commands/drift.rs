//! `topo drift`

use clap::Args;
use topo_engine::address::ResourceMode;
use topo_engine::changes::{Drift, PlanMode};
use topo_engine::store::State;

use super::{PlanningArgs, VariableArgs};
use crate::context::{Context, Exit};
use crate::json;
use crate::render::change;
use crate::render::style::{BOLD, GREEN, paint};
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
    let made = run::make(&providers, &prior, &request, &reporter).await;
    drop(reporter);
    let plan = Prior::close(prior.store, made).await?;
    if args.json {
        let text = json::drift::report(&plan.drift, &plan.diagnostics);
        context.ui.raw(&format!("{text:#}\n"));
    } else {
        context.show(&plan.diagnostics);
        context.ui.print(&report(&plan.drift, objects));
    }
    Ok(
        match (plan.diagnostics.has_errors(), plan.drift.is_empty()) {
            (true, _) => 1,
            (false, false) => 2,
            (false, true) => 0,
        },
    )
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
