//! `topo state pull`

use clap::Args;
use topo_state::v4;

use super::version::VERSION;
use crate::context::{Context, Exit};

/// Print the state as a state file of Terraform and OpenTofu (version 4), secrets in clear
///
/// Nothing is printed where there is no state. Results of checks are not in the file; nor are the
/// times of objects, durations and past runs, which only topo keeps.
#[derive(Debug, Args)]
pub struct PullArgs {}

pub async fn run(context: &Context, _args: &PullArgs) -> Exit {
    let state = context.read_state().await?;
    // Without a lineage there is no state.
    if state.meta.lineage.is_empty() {
        return Ok(0);
    }
    let text = v4::write(&state, &context.schemas(), VERSION)?;
    context.ui.raw(&format!("{text}\n"));
    Ok(0)
}
