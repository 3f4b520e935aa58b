//! `topo plan`

use std::path::PathBuf;

use clap::Args;

use super::{LockArgs, PlanningArgs, VariableArgs};
use crate::context::{Context, Exit};
use crate::generated;
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
    /// Plan the removal of everything
    #[arg(long, conflicts_with = "refresh_only")]
    pub destroy: bool,
    /// Write configuration for objects of import blocks that have none to this new file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["destroy", "refresh_only"])]
    pub generate_config_out: Option<PathBuf>,
    /// Write the plan to this file, for apply
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Exit with 2 when there are changes, 0 when there are none, 1 on errors
    #[arg(long)]
    pub detailed_exitcode: bool,
}

pub async fn run(context: &Context, args: &PlanArgs) -> Exit {
    context.announce();
    let target = args.generate_config_out.as_deref();
    let configuration = match target {
        Some(file) => generated::configuration(context, &args.variables, file)?,
        None => context.configuration(&args.variables)?,
    };
    let providers = context.providers()?;
    let prior = if args.locking.lock {
        Prior::locked(context, &args.locking).await?
    } else {
        Prior::read(context).await?
    };
    let mut request = Request {
        mode: run::mode(args.destroy, &args.planning),
        planning: &args.planning,
        configuration,
    };
    let ready = match target {
        Some(file) => {
            let configuration = &mut request.configuration;
            generated::complete(context, &providers, &prior, configuration, file).await
        }
        None => Ok(()),
    };
    let made = match ready {
        Ok(()) => run::make(context, &providers, &prior, &request, false).await,
        Err(diagnostics) => Err(diagnostics),
    };
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
