//! `topo plan`

use std::path::PathBuf;

use clap::Args;

use super::{LockArgs, PlanningArgs, VariableArgs};

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
    /// Write the plan to this file, for apply
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Exit with 2 when there are changes, 0 when there are none, 1 on errors
    #[arg(long)]
    pub detailed_exitcode: bool,
}
