//! `topo refresh`

use clap::Args;

use super::{LockArgs, VariableArgs};

/// Accept into the state what became of the objects
#[derive(Debug, Args)]
pub struct RefreshArgs {
    /// Values of input variables.
    #[command(flatten)]
    pub variables: VariableArgs,
    /// The lock.
    #[command(flatten)]
    pub locking: LockArgs,
    /// Only this resource or module; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    pub target: Vec<String>,
}
