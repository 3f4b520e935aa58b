//! `topo plan`

use std::path::PathBuf;

use clap::Args;

use super::{LockArgs, PlanningArgs, VariableArgs, ViewArgs};
use crate::context::{Context, Exit};
use crate::generated;
use crate::planfile;
use crate::run::{self, Prior, Request};
use crate::view::{Note, Shown};

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
    #[arg(long, conflicts_with_all = ["refresh_only", "replace"])]
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
    /// As JSON, one message a line; nothing is asked
    #[arg(long)]
    pub json: bool,
}

pub async fn run(context: &Context, args: &PlanArgs) -> Exit {
    context.announce();
    let planning = args.planning.complete()?;
    let target = args.generate_config_out.as_deref();
    let configuration = match target {
        Some(file) => generated::configuration(context, &args.variables, file)?,
        None => context.configuration(&args.variables)?,
    };
    let providers = context.providers()?;
    let prior = Prior::to_plan(context, &args.locking).await?;
    let mut request = Request {
        mode: run::mode(args.destroy, &planning),
        planning: &planning,
        refresh: planning.refresh,
        to_be_saved: args.out.is_some(),
        configuration,
    };
    let reporter = context.reporter(Shown::Plan);
    let ready = match target {
        Some(file) => {
            let configuration = &mut request.configuration;
            generated::complete(context, &providers, &prior, configuration, file, &reporter).await
        }
        None => Ok(()),
    };
    let made = match ready {
        Ok(()) => {
            let interrupt = run::while_planning(&request.configuration.config);
            run::make(&providers, &prior, &request, interrupt, &reporter).await
        }
        Err(diagnostics) => Err(diagnostics),
    };
    let plan = Prior::close(prior.store, made).await?;
    if plan.diagnostics.has_errors() {
        return Ok(1);
    }
    if let Some(file) = &args.out {
        planfile::write(file, plan.save()?, context.sandbox)?;
        reporter.note(Note::Saved {
            file: file.display().to_string(),
        });
    } else if !plan.is_empty() {
        reporter.note(Note::NotSaved);
    }
    Ok(
        if args.detailed_exitcode && !(plan.is_empty() && plan.deferred.is_empty()) {
            2
        } else {
            0
        },
    )
}
