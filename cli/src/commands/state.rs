//! `topo state`

use clap::{Args, Subcommand};
use topo_engine::store::RecordKey;
use topo_sdk::Diagnostics;

use crate::context::{Context, Exit, schema_of};
use crate::render::change;
use crate::selection::{Selection, find};

/// Look into the state
#[derive(Debug, Subcommand)]
pub enum StateCommand {
    List(ListArgs),
    Show(ShowArgs),
}

/// List the addresses of all objects in the state
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only these resources, instances or modules
    #[arg(value_name = "ADDRESS")]
    pub addresses: Vec<String>,
}

/// Show one object of the state
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Which: aws_vpc.main, module.net.aws_subnet.a[0]
    #[arg(value_name = "ADDRESS")]
    pub address: String,
}

pub async fn run(context: &Context, command: &StateCommand) -> Exit {
    match command {
        StateCommand::List(args) => list(context, args).await,
        StateCommand::Show(args) => show(context, args).await,
    }
}

async fn list(context: &Context, args: &ListArgs) -> Exit {
    let state = context.read_state().await?;
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
    let mut text = String::new();
    for key in keys {
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
    let state = context.read_state().await?;
    let record = find(&state, &args.address)?;
    let providers = context.schemas();
    let schema = schema_of(&providers, record);
    context.ui.print(&change::record(record, schema.as_deref()));
    Ok(0)
}
