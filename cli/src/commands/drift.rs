//! `topo drift`

use clap::Args;

use super::VariableArgs;

/// Show what differs from the state in reality: exit code 0 for nothing, 2 for something
#[derive(Debug, Args)]
pub struct DriftArgs {
    /// Values of input variables.
    #[command(flatten)]
    pub variables: VariableArgs,
    /// Only this resource or module; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    pub target: Vec<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}
