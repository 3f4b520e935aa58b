//! `topo plan`

use std::path::PathBuf;

use clap::Args;

use super::{LockArgs, PlanningArgs, VariableArgs, ViewArgs};
use crate::context::{Context, Exit};
use crate::planfile;
use crate::run::{self, Prior, Request};

/// Show what an apply would change
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Values of input variables.
    #[command(flatten)]
    pub variables: VariableArgs,
    /// What to take into account.
    #[command(flatten)]
    pub planning: PlanningArgs,
    /// The lock.
    #[command(flatten)]
    pub locking: LockArgs,
    /// What is shown.
    #[command(flatten)]
    pub view: ViewArgs,
    /// Plan the removal of everything
    #[arg(long, conflicts_with = "refresh_only")]
    pub destroy: bool,
    /// Write the plan to this file, for apply
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Exit with 2 when there are changes, 0 when there are none, 1 on errors
    #[arg(long)]
    pub detailed_exitcode: bool,
}

pub async fn run(context: &Context, args: &PlanArgs) -> Exit {
    context.announce();
    let configuration = context.configuration(&args.variables)?;
    let providers = context.providers()?;
    let prior = if args.locking.lock {
        Prior::locked(context, &args.locking).await?
    } else {
        Prior::read(context).await?
    };
    let request = Request {
        mode: run::mode(args.destroy, &args.planning),
        planning: &args.planning,
        configuration,
    };
    let made = run::make(context, &providers, &prior, &request, false).await;
    let plan = Prior::close(prior.store, made).await?;
    run::show(context, &plan);
    if plan.diagnostics.has_errors() {
        return Ok(1);
    }
    if let Some(file) = &args.out {
        planfile::write(file, &plan.save()?, context.sandbox)?;
        let name = file.display();
        let sandbox = if context.sandbox { " --sandbox" } else { "" };
        context.ui.print(&format!(
            "\nSaved the plan to {name}. To perform exactly these actions:\n    topo apply{sandbox} {name}\n"
        ));
    } else if !plan.is_empty() {
        context.ui.print(
            "\nThe plan is not saved (-out), so a later apply plans anew and may do other things.\n",
        );
    }
    Ok(if args.detailed_exitcode && !plan.is_empty() {
        2
    } else {
        0
    })
}
