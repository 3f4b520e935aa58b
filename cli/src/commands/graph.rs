//! `topo graph`

use clap::Args;

use crate::context::{Context, Exit};

/// Print the dependency graph in the DOT language
#[derive(Debug, Args)]
pub struct GraphArgs {}

pub fn run(context: &Context, _args: &GraphArgs) -> Exit {
    let config = context.load()?;
    if let Some(graph) = config.graph() {
        context.ui.raw(&topo_engine::graph::dot(&config, graph));
    }
    Ok(0)
}
