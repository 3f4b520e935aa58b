//! `topo apply`

use std::path::PathBuf;

use clap::Args;

use super::{LockArgs, PlanningArgs, VariableArgs};

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
    /// Remove everything instead
    #[arg(long, conflicts_with = "refresh_only")]
    pub destroy: bool,
    /// Do not ask before changing anything
    #[arg(
        long,
        value_name = "BOOL",
        default_value_t = false,
        default_missing_value = "true"
    )]
    #[arg(num_args = 0..=1, require_equals = true, action = clap::ArgAction::Set)]
    pub auto_approve: bool,
}
