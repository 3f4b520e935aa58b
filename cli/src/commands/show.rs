//! `topo show`

use std::path::{Path, PathBuf};

use clap::Args;
use topo_engine::plan::Purpose;

use crate::context::{Context, Exit, schema_of};
use crate::json;
use crate::planfile;
use crate::render::change;
use crate::run::{self, Prior};
use crate::variables;
use crate::view::{Quiet, Reporter, Shown};

/// Show the state or a saved plan
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// A saved plan; without it the state is shown
    pub plan: Option<PathBuf>,
    /// As JSON in the peers' format 1.x, sensitive values in clear
    #[arg(long)]
    pub json: bool,
    /// Show sensitive values in clear
    #[arg(long)]
    pub show_sensitive: bool,
}

pub async fn run(context: &Context, args: &ShowArgs) -> Exit {
    match &args.plan {
        Some(file) => plan(context, args, file).await,
        None => state(context, args).await,
    }
}

async fn plan(context: &Context, args: &ShowArgs, file: &Path) -> Exit {
    let saved = planfile::read(file, context.sandbox, &context.workspace()?.name)?;
    let config = context.load()?;
    let providers = context.providers()?;
    let prior = Prior::read(context).await?;
    let reporter = if args.json {
        Reporter::start(Box::new(Quiet))
    } else {
        context.announce();
        context.reporter(Shown::Plan)
    };
    let inputs = variables::gather(&[])?;
    let saved = (saved, Purpose::Show);
    let made = run::resume(&providers, &prior, saved, config, &inputs, &reporter).await;
    drop(reporter);
    let before = prior.state.clone();
    let plan = Prior::close(prior.store, made).await?;
    if args.json {
        let text = json::plan::plan(&plan, &before, &providers);
        context.ui.raw(&format!("{text}\n"));
    }
    Ok(0)
}

async fn state(context: &Context, args: &ShowArgs) -> Exit {
    let state = context.read_state().await?;
    if args.json {
        context.ui.raw(&format!("{}\n", json::state::state(&state)));
        return Ok(0);
    }
    context.announce();
    if state.records.is_empty() && state.outputs.is_empty() {
        context
            .ui
            .print("The state is empty: nothing has been applied.\n");
        return Ok(0);
    }
    let providers = context.schemas();
    for record in state.records.values() {
        let schema = schema_of(&providers, record);
        let text = change::stored(record, schema.as_deref(), &context.ui.options());
        context.ui.print(&format!("{text}\n"));
    }
    if !state.outputs.is_empty() {
        let options = context.ui.options();
        let outputs = state.outputs.iter();
        let list: String = outputs
            .map(|(name, o)| change::stored_output(name, o, &options))
            .collect();
        context.ui.print(&format!("\nOutputs:\n\n{list}"));
    }
    Ok(0)
}
