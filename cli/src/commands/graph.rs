//! `topo graph`

use clap::Args;

/// Print the dependency graph in the DOT language
#[derive(Debug, Args)]
pub struct GraphArgs {}
