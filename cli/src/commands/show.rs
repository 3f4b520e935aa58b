//! `topo show`

use std::path::PathBuf;

use clap::Args;

/// Show the state or a saved plan
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// A saved plan; without it the state is shown
    pub plan: Option<PathBuf>,
    /// As JSON in the peers' format 1.x, sensitive values in clear
    #[arg(long)]
    pub json: bool,
}
