//! `topo state rm`

use std::collections::BTreeSet;

use clap::Args;
use topo_engine::address::{InstanceAddress, Target};
use topo_engine::store::{Change, RecordKey, State};
use topo_sdk::Diagnostics;

use super::LockArgs;
use crate::context::{Context, Exit};
use crate::edit::Session;

/// Forget objects without destroying them
///
/// A resource means all its instances, a module everything in it. What is forgotten goes on to
/// exist; the next plan of a configuration that still has it creates another.
#[derive(Debug, Args)]
pub struct RmArgs {
    /// Which: aws_vpc.main, module.net, module.net.aws_subnet.a[0]
    #[arg(value_name = "ADDRESS", required = true)]
    pub addresses: Vec<Target>,
    /// Only say what would be forgotten
    #[arg(long)]
    pub dry_run: bool,
    /// The lock.
    #[command(flatten)]
    pub locking: LockArgs,
}

pub async fn run(context: &Context, args: &RmArgs) -> Exit {
    if args.dry_run || !topo_state::exists(&context.state_dir()?) {
        let state = context.read_state().await?;
        let mut text = String::new();
        for key in chosen(&state, &args.addresses)? {
            text.push_str(&format!("Would remove {}\n", name(key)));
        }
        context.ui.raw(&text);
        return Ok(0);
    }
    let session = Session::open(context, &args.locking).await?;
    let result = remove(context, &session, &args.addresses).await;
    session.close(result).await
}

async fn remove(context: &Context, session: &Session<'_>, wanted: &[Target]) -> Exit {
    let keys = chosen(&session.state, wanted)?;
    session.settled(|a| wanted.iter().any(|t| t.contains(a)))?;
    let mut text = String::new();
    for key in &keys {
        text.push_str(&format!("Removed {}\n", name(key)));
    }
    let instances: BTreeSet<&InstanceAddress> = keys.iter().map(|k| &k.address).collect();
    let count = instances.len();
    let done = instances
        .into_iter()
        .map(|a| (a.clone(), "forget".to_string()))
        .collect();
    let changes = keys.iter().map(|k| Change::Remove((*k).clone())).collect();
    session.commit(changes, done, None).await?;
    text.push_str(&format!(
        "Successfully removed {count} resource instance(s).\n"
    ));
    context.ui.raw(&text);
    Ok(0)
}

/// The objects at these addresses, deposed ones included.
///
/// # Errors
/// When there is nothing at one of them.
fn chosen<'s>(state: &'s State, wanted: &[Target]) -> Result<Vec<&'s RecordKey>, Diagnostics> {
    let mut missing = Diagnostics::new();
    for target in wanted {
        if !state.records.keys().any(|k| target.contains(&k.address)) {
            missing.extend(Diagnostics::error(
                "Invalid target address",
                format!(
                    "The state has nothing at {target}. `topo state list` lists what there is."
                ),
            ));
        }
    }
    if missing.has_errors() {
        return Err(missing);
    }
    let is_meant = |key: &&RecordKey| wanted.iter().any(|t| t.contains(&key.address));
    Ok(state.records.keys().filter(is_meant).collect())
}

fn name(key: &RecordKey) -> String {
    match &key.deposed {
        Some(deposed) => format!("{} (deposed object {deposed})", key.address),
        None => key.address.to_string(),
    }
}
