//! `topo output`

use clap::Args;

/// Show the outputs of the last apply
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// Only this output
    pub name: Option<String>,
    /// As JSON, sensitive values in clear
    #[arg(long, conflicts_with = "raw")]
    pub json: bool,
    /// The bare text of one string, number or bool, sensitive or not
    #[arg(long, requires = "name")]
    pub raw: bool,
}
