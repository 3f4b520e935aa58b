//! `topo state`

use clap::{Args, Subcommand};
use topo_engine::store::RecordKey;
use topo_sdk::Diagnostics;

use super::StateArgs;
use super::state_history::{self, HistoryArgs};
use super::state_mv::{self, MvArgs};
use super::state_pull::{self, PullArgs};
use super::state_push::{self, PushArgs};
use super::state_replace_provider::{self, ReplaceProviderArgs};
use super::state_rm::{self, RmArgs};
use crate::context::{Context, Exit, schema_of};
use crate::render::{Options, change};
use crate::selection::{Selection, find};

/// Look into the state, change it by hand, look into its past
#[derive(Debug, Subcommand)]
pub enum StateCommand {
    #[command(visible_alias = "ls")]
    List(ListArgs),
    Show(ShowArgs),
    Mv(MvArgs),
    #[command(visible_alias = "remove")]
    Rm(RmArgs),
    Pull(PullArgs),
    Push(PushArgs),
    ReplaceProvider(ReplaceProviderArgs),
    History(HistoryArgs),
}

/// List the addresses of all objects in the state
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only these resources, instances or modules
    #[arg(value_name = "ADDRESS")]
    pub addresses: Vec<String>,
    /// Only objects whose attribute "id" is this
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// The state.
    #[command(flatten)]
    pub state: StateArgs,
}

/// Show one object of the state
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Which: aws_vpc.main, module.net.aws_subnet.a[0]
    #[arg(value_name = "ADDRESS")]
    pub address: String,
    /// Show sensitive values, too
    #[arg(long)]
    pub show_sensitive: bool,
    /// The state.
    #[command(flatten)]
    pub state: StateArgs,
}

pub async fn run(context: &Context, command: &StateCommand) -> Exit {
    match command {
        StateCommand::List(args) => list(context, args).await,
        StateCommand::Show(args) => show(context, args).await,
        StateCommand::Mv(args) => state_mv::run(context, args).await,
        StateCommand::Rm(args) => state_rm::run(context, args).await,
        StateCommand::Pull(args) => state_pull::run(context, args).await,
        StateCommand::Push(args) => state_push::run(context, args).await,
        StateCommand::ReplaceProvider(args) => state_replace_provider::run(context, args).await,
        StateCommand::History(args) => state_history::run(context, args).await,
    }
}

async fn list(context: &Context, args: &ListArgs) -> Exit {
    let state = args.state.read(context).await?;
    let selection = Selection::new(&args.addresses);
    let keys: Vec<&RecordKey> = state
        .records
        .keys()
        .filter(|k| selection.contains(&k.address))
        .collect();
    if keys.is_empty() && !args.addresses.is_empty() {
        return Err(Diagnostics::error(
            "Nothing found",
            format!(
                "The state has nothing at {}. `topo state list` lists everything.",
                args.addresses.join(", ")
            ),
        ));
    }
    let wanted = |key: &RecordKey| match (&args.id, state.records.get(key)) {
        (Some(id), Some(record)) => record.value.get_str("id") == Some(id),
        _ => true,
    };
    let mut text = String::new();
    for key in keys.into_iter().filter(|k| wanted(k)) {
        text.push_str(&key.address.to_string());
        if let Some(deposed) = &key.deposed {
            text.push_str(&format!(" (deposed object {deposed})"));
        }
        text.push('\n');
    }
    context.ui.raw(&text);
    Ok(0)
}

async fn show(context: &Context, args: &ShowArgs) -> Exit {
    let state = args.state.read(context).await?;
    let record = find(&state, &args.address)?;
    let providers = context.schemas();
    let schema = schema_of(&providers, record);
    let options = Options {
        show_sensitive: args.show_sensitive,
        ..context.ui.options()
    };
    let text = change::stored(record, schema.as_deref(), &options);
    context.ui.print(&text);
    Ok(0)
}
