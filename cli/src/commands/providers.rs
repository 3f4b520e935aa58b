//! `topo providers`

use clap::{Args, Subcommand};

use crate::context::{Context, Exit};
use crate::json::schema::schemas;

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

pub fn run(context: &Context, command: &ProvidersCommand) -> Exit {
    let ProvidersCommand::Schema(_) = command;
    let providers = context.schemas();
    let text = schemas(providers.iter().map(|(_, p)| p));
    context.ui.raw(&format!("{text}\n"));
    Ok(0)
}
