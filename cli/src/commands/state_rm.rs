//! `topo state rm`

use std::collections::BTreeSet;

use clap::Args;
use topo_engine::address::{InstanceAddress, Target};
use topo_engine::relocate;
use topo_engine::store::{Change, RecordKey, State};
use topo_sdk::Diagnostics;

use super::LockArgs;
use crate::context::{Context, Exit};
use crate::edit::Session;

/// Forget objects without destroying them
///
/// A resource means all its instances, a module everything in it. What is forgotten goes on to
/// exist; the next plan of a configuration that still has it creates another. Where a run that
/// died left an operation open on an object, naming that object says that the operation came to
/// nothing.
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
    // Who names one object says that it is known what became of it.
    let is_named = |a: &InstanceAddress| wanted.iter().any(|t| names_just(t, a));
    session.settled(|a| !is_named(a) && wanted.iter().any(|t| t.contains(a)))?;
    let open = session.state.intents.iter();
    let open: Vec<_> = open.filter(|i| is_named(&i.key.address)).collect();
    let mut text = String::new();
    for key in &keys {
        text.push_str(&format!("Removed {}\n", name(key)));
    }
    for intent in &open {
        text.push_str(&format!(
            "Forgot an operation that a run left open on {}\n",
            intent.key.address
        ));
    }
    let mut instances: BTreeSet<&InstanceAddress> = keys.iter().map(|k| &k.address).collect();
    instances.extend(open.iter().map(|i| &i.key.address));
    let count = instances.len();
    let done = instances
        .into_iter()
        .map(|a| (a.clone(), "forget".to_string()))
        .collect();
    let closed = open
        .iter()
        .map(|i| Change::CloseIntent(i.operation.clone()));
    let removed = keys.iter().map(|k| Change::Remove((*k).clone()));
    // What stays keeps its order.
    let kept = relocate::without(&session.state, &keys.iter().copied().collect());
    let kept = kept.into_iter().map(|r| Change::Put(Box::new(r)));
    let changes = removed.chain(kept).chain(closed).collect();
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
        let open = state.intents.iter().map(|i| &i.key.address);
        let known = state.records.keys().map(|k| &k.address).chain(open);
        if !known.into_iter().any(|a| target.contains(a)) {
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

/// Whether a target is the address of this object and of no other.
fn names_just(target: &Target, address: &InstanceAddress) -> bool {
    target.contains(address)
        && target.key == address.key
        && target.module == address.resource.module
}

fn name(key: &RecordKey) -> String {
    match &key.deposed {
        Some(deposed) => format!("{} (deposed object {deposed})", key.address),
        None => key.address.to_string(),
    }
}
