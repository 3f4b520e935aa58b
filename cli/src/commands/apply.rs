//! `topo apply`

use std::path::PathBuf;

use clap::Args;
use topo_sdk::Diagnostics;

use super::{LockArgs, PlanningArgs, VariableArgs, ViewArgs};
use crate::context::{Context, Exit};
use crate::run::{self, What};
use crate::switch::Switch;

/// Make the infrastructure match the configuration
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// Apply this saved plan, without asking
    pub plan: Option<PathBuf>,
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
    /// Remove everything instead
    #[arg(long, conflicts_with_all = ["refresh_only", "replace"])]
    pub destroy: bool,
    /// Do not ask before changing anything
    #[arg(long, switch = false)]
    pub auto_approve: bool,
    /// As JSON, one message a line, with -auto-approve or a saved plan; nothing is asked
    #[arg(long)]
    pub json: bool,
}

pub async fn run(context: &Context, args: &ApplyArgs) -> Exit {
    let planning = args.planning.complete()?;
    let what = match &args.plan {
        Some(file) => {
            if args.destroy || planning.refresh_only {
                return Err(Diagnostics::error(
                    "A saved plan takes no planning options",
                    "What is done was decided when the plan was made. Leave the options out, or leave out the file to plan anew.",
                ));
            }
            What::Saved(file)
        }
        None => What::New {
            mode: run::mode(args.destroy, &planning),
            planning: &planning,
            variables: &args.variables,
            approved: args.auto_approve,
        },
    };
    run::apply(context, what, &args.locking, planning.parallelism).await
}
