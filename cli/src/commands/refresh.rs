//! `topo refresh`

use clap::Args;
use topo_engine::changes::PlanMode;

use super::{LockArgs, PlanningArgs, VariableArgs, ViewArgs};
use crate::context::{Context, Exit};
use crate::run::{self, What};

/// Accept into the state what became of the objects
#[derive(Debug, Args)]
pub struct RefreshArgs {
    /// Values of input variables.
    #[command(flatten)]
    pub variables: VariableArgs,
    /// The lock.
    #[command(flatten)]
    pub locking: LockArgs,
    /// What is shown.
    #[command(flatten)]
    pub view: ViewArgs,
    /// Only this resource or module; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    pub target: Vec<topo_engine::address::Target>,
    /// As JSON, one message a line; nothing is asked
    #[arg(long)]
    pub json: bool,
}

pub async fn run(context: &Context, args: &RefreshArgs) -> Exit {
    let planning = PlanningArgs {
        target: args.target.clone(),
        ..PlanningArgs::default()
    };
    let what = What::New {
        mode: PlanMode::RefreshOnly,
        planning: &planning,
        variables: &args.variables,
        approved: true,
    };
    run::apply(context, what, &args.locking, planning.parallelism).await
}
