//! `topo providers`

use std::collections::{BTreeMap, BTreeSet};

use clap::{Args, Subcommand};
use topo_engine::config::{Config, Module, ModuleId};
use topo_engine::store::State;

use crate::context::{Context, Exit};
use crate::json::provider_source;
use crate::json::schema::schemas;

/// List the providers that the configuration and the state need, by module
///
/// All of them are built in: nothing has to be installed.
#[derive(Debug, Args)]
pub struct ProvidersArgs {
    /// What else is asked of them.
    #[command(subcommand)]
    pub command: Option<ProvidersCommand>,
}

/// What is asked of providers.
#[derive(Debug, Subcommand)]
pub enum ProvidersCommand {
    Schema(SchemaArgs),
    Lock(LockArgs),
    Mirror(MirrorArgs),
}

/// Print the schemas of all providers, resource types and data sources
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// As JSON, in the peers' format 1.0 (the only format)
    #[arg(long, required = true)]
    pub json: bool,
}

/// Do nothing: providers are built in, so there are no packages to lock
#[derive(Debug, Args)]
pub struct LockArgs {
    /// Of these
    #[arg(value_name = "PROVIDER")]
    pub providers: Vec<String>,
}

/// Do nothing: providers are built in, so there are no packages to copy
#[derive(Debug, Args)]
pub struct MirrorArgs {
    /// Where to
    #[arg(value_name = "DIR")]
    pub directory: String,
}

pub async fn run(context: &Context, args: &ProvidersArgs) -> Exit {
    match &args.command {
        None => return list(context).await,
        Some(ProvidersCommand::Schema(_)) => {
            let providers = context.schemas();
            let text = schemas(providers.iter().map(|(_, p)| p));
            context.ui.raw(&format!("{text}\n"));
        }
        Some(ProvidersCommand::Lock(_)) => context
            .ui
            .print("Providers are built in: there is nothing to lock.\n"),
        Some(ProvidersCommand::Mirror(_)) => context
            .ui
            .print("Providers are built in: there is nothing to copy.\n"),
    }
    Ok(0)
}

async fn list(context: &Context) -> Exit {
    let config = context.load()?;
    let state = context.read_state().await?;
    let mut text = String::from("\nProviders required by configuration:\n.\n");
    branches(&config, &children(&config), 0, "", &mut text);
    text.push('\n');
    let used = of_state(&state);
    if !used.is_empty() {
        text.push_str("Providers required by state:\n\n");
        for name in used {
            text.push_str(&format!("    provider[{}]\n\n", provider_source(name)));
        }
    }
    context.ui.raw(&text);
    Ok(0)
}

/// The modules that each module calls, by the names of the calls.
fn children(config: &Config) -> BTreeMap<ModuleId, Vec<(&str, ModuleId)>> {
    let mut found: BTreeMap<ModuleId, Vec<(&str, ModuleId)>> = BTreeMap::new();
    for (id, module) in config.modules.iter().enumerate() {
        if let Some((parent, name)) = &module.parent {
            found.entry(*parent).or_default().push((name, id));
        }
    }
    found.values_mut().for_each(|calls| calls.sort());
    found
}

/// What a module needs and calls, each on a branch of a tree.
fn branches(
    config: &Config,
    children: &BTreeMap<ModuleId, Vec<(&str, ModuleId)>>,
    id: ModuleId,
    indent: &str,
    text: &mut String,
) {
    let Some(module) = config.modules.get(id) else {
        return;
    };
    let needed = of_module(module);
    let calls = children.get(&id).map_or(&[][..], Vec::as_slice);
    let mut left = needed.len() + calls.len();
    let mut branch = |name: String, text: &mut String| {
        left -= 1;
        let (fork, below) = if left == 0 {
            ("└── ", "    ")
        } else {
            ("├── ", "│   ")
        };
        text.push_str(&format!("{indent}{fork}{name}\n"));
        format!("{indent}{below}")
    };
    for name in needed {
        branch(format!("provider[{}]", provider_source(name)), text);
    }
    for (name, child) in calls {
        let below = branch(format!("module.{name}"), text);
        branches(config, children, *child, &below, text);
    }
}

fn of_module(module: &Module) -> BTreeSet<&str> {
    let used = module.resources.values();
    let used = used.map(|r| &*r.provider_address.name);
    let configured = module.providers.values().map(|p| &*p.provider);
    let required = module.required_providers.values().map(|name| &**name);
    used.chain(configured).chain(required).collect()
}

fn of_state(state: &State) -> BTreeSet<&str> {
    let records = state.records.values();
    records.map(|r| &*r.provider.name).collect()
}
