//! `topo show`

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use topo_engine::plan::Purpose;
use topo_engine::store::State;

use super::read_state_file;
use crate::context::{Context, Exit, schema_of};
use crate::json;
use crate::planfile;
use crate::render::change;
use crate::run::{self, Prior};
use crate::variables;
use crate::view::{Quiet, Reporter, Shown};

/// Show the state or a saved plan
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("what").args(["file", "plan", "state", "config"])))]
pub struct ShowArgs {
    /// A saved plan, or a state file (version 4); without it the state is shown
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Show this saved plan
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Show the state
    #[arg(long)]
    pub state: bool,
    /// Show the configuration as it is written, with -json
    #[arg(long, requires = "json")]
    pub config: bool,
    /// As JSON in the peers' format 1.x, sensitive values in clear
    #[arg(long)]
    pub json: bool,
    /// Show sensitive values in clear
    #[arg(long)]
    pub show_sensitive: bool,
}

pub async fn run(context: &Context, args: &ShowArgs) -> Exit {
    if args.config {
        return configuration(context);
    }
    match (&args.plan, &args.file) {
        (Some(file), _) => plan(context, args, file).await,
        (None, Some(file)) if is_state_file(file) => {
            state(context, args, &read_state_file(context, file)?)
        }
        (None, Some(file)) => plan(context, args, file).await,
        (None, None) => state(context, args, &context.read_state().await?),
    }
}

/// Whether a file is a state file rather than a plan: it is JSON, which a plan is not.
fn is_state_file(file: &Path) -> bool {
    let mut start = [0; 64];
    let read = File::open(file).and_then(|mut f| f.read(&mut start));
    let start = start.get(..read.unwrap_or(0)).unwrap_or_default();
    start.trim_ascii_start().first() == Some(&b'{')
}

fn configuration(context: &Context) -> Exit {
    let config = context.load()?;
    let text = json::config::configuration(&config, &context.schemas());
    context.ui.raw(&format!("{text}\n"));
    Ok(0)
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
    let interrupt = run::while_planning(&config);
    let made = run::resume(
        &providers, &prior, saved, config, &inputs, interrupt, &reporter,
    )
    .await;
    drop(reporter);
    let before = prior.state.clone();
    let plan = Prior::close(prior.store, made).await?;
    if args.json {
        let text = json::plan::plan(&plan, &before, &providers);
        context.ui.raw(&format!("{text}\n"));
    }
    Ok(0)
}

fn state(context: &Context, args: &ShowArgs, state: &State) -> Exit {
    if args.json {
        context.ui.raw(&format!("{}\n", json::state::state(state)));
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
