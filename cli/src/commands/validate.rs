//! `topo validate`

use clap::Args;

/// Check the configuration, without looking at state or cloud
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// As JSON, in the peers' format
    #[arg(long)]
    pub json: bool,
}
