//! `topo destroy`

use clap::Args;
use topo_engine::changes::PlanMode;

use super::{LockArgs, PlanningArgs, VariableArgs, ViewArgs};
use crate::context::{Context, Exit};
use crate::run::{self, What};

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
    #[arg(
        long,
        value_name = "BOOL",
        default_value_t = false,
        default_missing_value = "true"
    )]
    #[arg(num_args = 0..=1, require_equals = true, action = clap::ArgAction::Set)]
    pub auto_approve: bool,
    /// As JSON, one message a line, with -auto-approve; nothing is asked
    #[arg(long)]
    pub json: bool,
}

pub async fn run(context: &Context, args: &DestroyArgs) -> Exit {
    let what = What::New {
        mode: PlanMode::Destroy,
        planning: &args.planning,
        variables: &args.variables,
        approved: args.auto_approve,
    };
    run::apply(context, what, &args.locking, args.planning.parallelism).await
}
