//! `topo providers`

use clap::{Args, Subcommand};

/// What the built-in providers offer
#[derive(Debug, Subcommand)]
pub enum ProvidersCommand {
    Schema(SchemaArgs),
}

/// Print the schemas of all providers, resource types and data sources
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// As JSON, in the peers' format 1.0 (the only format)
    #[arg(long, required = true)]
    pub json: bool,
}
