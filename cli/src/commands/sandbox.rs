//! `topo sandbox`

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use topo_engine::store::{Record, State};
use topo_provider_sandbox::{Cloud, Object};
use topo_sdk::Diagnostics;

use crate::assignment;
use crate::context::{Context, Exit, schema_of};
use crate::render::change;
use crate::selection::find;

/// Look into the simulated cloud, and tamper with it
#[derive(Debug, Subcommand)]
pub enum SandboxCommand {
    List(ListArgs),
    Show(ShowArgs),
    Set(SetArgs),
    Delete(DeleteArgs),
}

/// List the objects of the simulated cloud, one a line: type, id, address
#[derive(Debug, Args)]
pub struct ListArgs {}

/// Show one object as the simulated cloud has it
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The resource instance, as in the sandbox's state
    pub address: String,
}

/// Change one attribute behind topo's back, so that it shows as drift
#[derive(Debug, Args)]
pub struct SetArgs {
    /// The resource instance, as in the sandbox's state
    pub address: String,
    /// What becomes what, in the language's syntax: 'spec[0].max_replicas=3', 'tags["Name"]="x"'
    #[arg(value_name = "PATH=VALUE")]
    pub assignment: String,
}

/// Remove one object behind topo's back
#[derive(Debug, Args)]
pub struct DeleteArgs {
    /// The resource instance, as in the sandbox's state
    pub address: String,
}

/// These commands are about the sandbox, with or without `--sandbox`.
pub async fn run(context: &Context, command: &SandboxCommand) -> Exit {
    let cloud = context.cloud()?;
    let state = context.read_state().await?;
    match command {
        SandboxCommand::List(_) => list(context, &cloud, &state),
        SandboxCommand::Show(args) => {
            let record = find(&state, &args.address)?;
            let object = object(&cloud, record)?;
            let seen = Record {
                value: object.value,
                ..record.clone()
            };
            let schema = schema_of(&context.schemas(), record);
            context.ui.print(&change::record(&seen, schema.as_deref()));
            Ok(0)
        }
        SandboxCommand::Set(args) => {
            let record = find(&state, &args.address)?;
            let (path, value) = assignment::parse(&args.assignment)?;
            let object = object(&cloud, record)?;
            let value = assignment::assign(object.value.clone(), &path, &value)?;
            cloud.put(Object { value, ..object })?;
            context.ui.print(&format!(
                "{}: {path} is changed in the simulated cloud.\n",
                args.address
            ));
            Ok(0)
        }
        SandboxCommand::Delete(args) => {
            let record = find(&state, &args.address)?;
            let object = object(&cloud, record)?;
            cloud.delete(&object.type_name, &object.id)?;
            context.ui.print(&format!(
                "{}: removed from the simulated cloud.\n",
                args.address
            ));
            Ok(0)
        }
    }
}

fn list(context: &Context, cloud: &Cloud, state: &State) -> Exit {
    let known: BTreeMap<(&str, &str), &Record> = state
        .records
        .values()
        .filter_map(|r| {
            let id = r.value.get_str("id")?;
            Some(((&*r.key.address.resource.type_name, id), r))
        })
        .collect();
    let mut text = String::new();
    for object in cloud.list()? {
        let id = object.id.as_str();
        let plain = id.rsplit_once('@').map_or(id, |(id, _)| id);
        let record = known
            .get(&(&*object.type_name, id))
            .or_else(|| known.get(&(&*object.type_name, plain)));
        text.push_str(&format!("{} {id}", object.type_name));
        if let Some(record) = record {
            text.push_str(&format!(" {}", record.key.address));
        }
        text.push('\n');
    }
    context.ui.raw(&text);
    Ok(0)
}

/// The simulated object behind an object of the state.
fn object(cloud: &Cloud, record: &Record) -> Result<Object, Diagnostics> {
    let type_name = &record.key.address.resource.type_name;
    let found = match record.value.get_str("id") {
        Some(id) => cloud.get(type_name, id)?,
        // A type without an id: the object that is as the state has it.
        None => cloud
            .list()?
            .into_iter()
            .find(|o| o.type_name == *type_name && o.value == record.value),
    };
    found.ok_or_else(|| {
        Diagnostics::error(
            "No such object in the simulated cloud",
            format!(
                "{} is in the state, but the cloud has no such {type_name}. Objects of providers that use no network are not simulated.",
                record.key.address
            ),
        )
    })
}
