//! `topo init`

use clap::Args;

use crate::context::{Context, Exit};

/// Does nothing, successfully: providers are built in and modules are local
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Accepted for scripts written for the peers
    #[arg(
        long,
        value_name = "BOOL",
        default_value_t = true,
        default_missing_value = "true",
        hide = true
    )]
    #[arg(num_args = 0..=1, require_equals = true, action = clap::ArgAction::Set)]
    pub input: bool,
    /// Accepted for scripts written for the peers
    #[arg(long, hide = true)]
    pub upgrade: bool,
}

pub fn run(context: &Context, _args: &InitArgs) -> Exit {
    context.ui.print("Nothing is to be installed: topo's providers are built in, and local modules are read where they are.\n");
    Ok(0)
}
