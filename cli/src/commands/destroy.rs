//! `topo destroy`

use clap::Args;

use super::{LockArgs, PlanningArgs, VariableArgs};

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
    /// Do not ask before removing anything
    #[arg(
        long,
        value_name = "BOOL",
        default_value_t = false,
        default_missing_value = "true"
    )]
    #[arg(num_args = 0..=1, require_equals = true, action = clap::ArgAction::Set)]
    pub auto_approve: bool,
}
