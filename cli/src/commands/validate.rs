//! `topo validate`

use clap::Args;

use super::DiagnosticArgs;
use crate::context::{Context, Exit};
use crate::json;
use crate::render::style::{GREEN, paint};

/// Check the configuration, without looking at state or cloud
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// As JSON, in the peers' format
    #[arg(long)]
    pub json: bool,
    /// Warnings and errors.
    #[command(flatten)]
    pub diagnostics: DiagnosticArgs,
}

pub fn run(context: &Context, args: &ValidateArgs) -> Exit {
    if args.json {
        let loaded = topo_engine::config::load(std::path::Path::new("."), &context.schemas());
        let text = json::validation(&loaded.diagnostics, &|file| {
            loaded.sources.text(file).map(str::to_string)
        });
        context.ui.raw(&format!("{text:#}\n"));
        return Ok(u8::from(loaded.config.is_none()));
    }
    context.load()?;
    let success = paint(GREEN.bold(), "Success!");
    context
        .ui
        .print(&format!("{success} The configuration is valid.\n"));
    Ok(0)
}
