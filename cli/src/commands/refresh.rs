//! `topo refresh`

use clap::Args;
use topo_engine::changes::PlanMode;

use super::{LockArgs, PlanningArgs, SelectionArgs, VariableArgs, ViewArgs, parallelism};
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
    /// Of which objects.
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// How many operations run side by side
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = parallelism)]
    pub parallelism: usize,
    /// As JSON, one message a line; nothing is asked
    #[arg(long)]
    pub json: bool,
}

pub async fn run(context: &Context, args: &RefreshArgs) -> Exit {
    let planning = PlanningArgs {
        selection: args.selection.complete()?,
        parallelism: args.parallelism,
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
