//! `topo metadata`

use clap::{Args, Subcommand};
use topo_engine::lang::functions::signature::signatures;

use crate::context::{Context, Exit};
use crate::json;

/// What tools want to know of topo itself
#[derive(Debug, Subcommand)]
pub enum MetadataCommand {
    Functions(FunctionsArgs),
}

/// Print the signatures of the language's functions
#[derive(Debug, Args)]
pub struct FunctionsArgs {
    /// As JSON, in the peers' format 1.0 (the only format)
    #[arg(long, required = true)]
    pub json: bool,
}

pub fn run(context: &Context, command: &MetadataCommand) -> Exit {
    let MetadataCommand::Functions(_) = command;
    let text = json::functions::functions(&signatures());
    context.ui.raw(&format!("{text}\n"));
    Ok(0)
}
