//! `topo destroy`

use clap::Args;
use topo_engine::changes::PlanMode;
use topo_sdk::Diagnostics;

use super::{LockArgs, PlanningArgs, VariableArgs, ViewArgs};
use crate::context::{Context, Exit};
use crate::run::{self, What};
use crate::switch::Switch;

/// Remove everything that topo manages here
#[derive(Debug, Args)]
pub struct DestroyArgs {
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
    /// Do not ask before removing anything
    #[arg(long, switch = false)]
    pub auto_approve: bool,
    /// As JSON, one message a line, with -auto-approve; nothing is asked
    #[arg(long)]
    pub json: bool,
}

pub async fn run(context: &Context, args: &DestroyArgs) -> Exit {
    let planning = args.planning.complete()?;
    if planning.refresh_only || !planning.replace.is_empty() {
        return Err(Diagnostics::error(
            "Incompatible options",
            "A destroy removes objects: -replace and -refresh-only are of no use to it.",
        ));
    }
    let what = What::New {
        mode: PlanMode::Destroy,
        planning: &planning,
        variables: &args.variables,
        approved: args.auto_approve,
    };
    run::apply(context, what, &args.locking, planning.parallelism).await
}
