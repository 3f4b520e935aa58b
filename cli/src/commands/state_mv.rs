//! `topo state mv`

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use topo_engine::address::{
    InstanceAddress, ModuleInstance, ModuleStep, ResourceAddress, ResourceMode, Target,
};
use topo_engine::relocate::relocate;
use topo_engine::store::{Change, RecordKey, State};
use topo_sdk::Diagnostics;

use super::LockArgs;
use crate::context::{Context, Exit};
use crate::edit::Session;

/// Give objects of the state other addresses
///
/// For when a block was renamed or went into another module; a `moved` block in the configuration
/// does the same for everybody who applies it. A resource moves with all its instances, a module
/// with everything in it, deposed objects too. What depends on the objects follows.
#[derive(Debug, Args)]
pub struct MvArgs {
    /// A module, a resource or an instance
    pub source: Target,
    /// Its new address, at which there must be nothing
    pub destination: Target,
    /// Only say what would be moved
    #[arg(long)]
    pub dry_run: bool,
    /// The lock.
    #[command(flatten)]
    pub locking: LockArgs,
}

/// What is to move: the pairs of instances, and what to tell of them.
struct Moves {
    pairs: BTreeMap<InstanceAddress, InstanceAddress>,
    told: Vec<(String, String)>,
}

pub async fn run(context: &Context, args: &MvArgs) -> Exit {
    if args.dry_run || !topo_state::exists(&context.state_dir()?) {
        let state = context.read_state().await?;
        let moves = moves(&state, &args.source, &args.destination)?;
        context.ui.raw(&tell("Would move", &moves));
        return Ok(0);
    }
    let mut session = Session::open(context, &args.locking).await?;
    let result = move_all(context, &mut session, args).await;
    session.close(result).await
}

async fn move_all(context: &Context, session: &mut Session<'_>, args: &MvArgs) -> Exit {
    let moves = moves(&session.state, &args.source, &args.destination)?;
    session.settled(|a| moves.pairs.contains_key(a))?;
    let old: Vec<RecordKey> = session
        .state
        .records
        .keys()
        .filter(|k| moves.pairs.contains_key(&k.address))
        .cloned()
        .collect();
    let changed = relocate(&mut session.state, &moves.pairs);
    let mut changes: Vec<Change> = old.into_iter().map(Change::Remove).collect();
    for key in &changed {
        if let Some(record) = session.state.records.get(key) {
            changes.push(Change::Put(Box::new(record.clone())));
        }
    }
    let done = moves
        .pairs
        .iter()
        .map(|(from, to)| (to.clone(), format!("move from {from}")))
        .collect();
    session.commit(changes, done, None).await?;
    let count = moves.told.len();
    context.ui.raw(&format!(
        "{}Successfully moved {count} object(s).\n",
        tell("Move", &moves)
    ));
    Ok(0)
}

fn tell(word: &str, moves: &Moves) -> String {
    let lines = moves.told.iter();
    lines
        .map(|(from, to)| format!("{word} {from:?} to {to:?}\n"))
        .collect()
}

/// Which instance goes where.
///
/// # Errors
/// When there is nothing to move, something in the way, or the addresses do not go together.
fn moves(state: &State, from: &Target, to: &Target) -> Result<Moves, Diagnostics> {
    let all: BTreeSet<&InstanceAddress> = state.records.keys().map(|k| &k.address).collect();
    let mut moves = Moves {
        pairs: BTreeMap::new(),
        told: Vec::new(),
    };
    match (resource_of(from), resource_of(to)) {
        (None, None) => modules(&all, &from.module, &to.module, &mut moves),
        (None, Some(_)) => {
            return Err(invalid(format!(
                "Cannot move {from} to {to}: the source is a module, so the target must be a module, too."
            )));
        }
        (Some(_), None) => {
            return Err(invalid(format!(
                "Cannot move {from} to {to}: the source is a resource, so the target must be one, too."
            )));
        }
        (Some(source), Some(destination)) => {
            same_kind(from, &source, to, &destination)?;
            let ends = (source, destination);
            resources(&all, (from, to), &ends, &mut moves)?;
        }
    }
    if moves.pairs.is_empty() {
        return Err(Diagnostics::error(
            "Invalid source address",
            format!(
                "Cannot move {from}: the state has nothing there. `topo state list` lists what there is."
            ),
        ));
    }
    let in_the_way = |to: &&InstanceAddress| all.contains(to);
    if let Some(taken) = moves.pairs.values().find(in_the_way) {
        return Err(invalid(format!(
            "Cannot move to {to}: there is already an object at {taken}. Move or remove that first."
        )));
    }
    Ok(moves)
}

fn resource_of(target: &Target) -> Option<ResourceAddress> {
    let (mode, type_name, name) = target.resource.clone()?;
    Some(ResourceAddress {
        module: target.module.clone(),
        mode,
        type_name,
        name,
    })
}

fn invalid(what: String) -> Diagnostics {
    Diagnostics::error("Invalid target address", what)
}

/// Only an object of the same type can be what another was.
fn same_kind(
    from: &Target,
    source: &ResourceAddress,
    to: &Target,
    destination: &ResourceAddress,
) -> Result<(), Diagnostics> {
    let word = |mode| match mode {
        ResourceMode::Managed => "managed resource",
        ResourceMode::Data => "data resource",
        ResourceMode::Ephemeral => "ephemeral resource",
    };
    let wrong = if source.mode != destination.mode {
        format!(
            "a {} can be moved only to the address of another",
            word(source.mode)
        )
    } else if source.type_name != destination.type_name {
        "resource types do not match".to_string()
    } else {
        return Ok(());
    };
    Err(Diagnostics::error(
        "Invalid state move request",
        format!("Cannot move {from} to {to}: {wrong}."),
    ))
}

/// Everything in a module instance, and in those inside of it.
fn modules(
    all: &BTreeSet<&InstanceAddress>,
    from: &ModuleInstance,
    to: &ModuleInstance,
    moves: &mut Moves,
) {
    let mut told = BTreeMap::new();
    for address in all {
        let Some(rest) = address.resource.module.steps().strip_prefix(from.steps()) else {
            continue;
        };
        let module = extended(to, rest);
        told.insert(address.resource.module.to_string(), module.to_string());
        let mut moved = (*address).clone();
        moved.resource.module = module;
        moves.pairs.insert((*address).clone(), moved);
    }
    moves.told.extend(told);
}

fn extended(module: &ModuleInstance, rest: &[ModuleStep]) -> ModuleInstance {
    rest.iter().fold(module.clone(), |module, (name, key)| {
        module.child(name.clone(), key.clone())
    })
}

/// One instance, or a resource with all its instances. An address without a key means the instance
/// without a key where there is one.
fn resources(
    all: &BTreeSet<&InstanceAddress>,
    (from, to): (&Target, &Target),
    (source, destination): &(ResourceAddress, ResourceAddress),
    moves: &mut Moves,
) -> Result<(), Diagnostics> {
    let single = source.instance(from.key.clone());
    if all.contains(&single) {
        moves.told.push((single.to_string(), to.to_string()));
        moves
            .pairs
            .insert(single, destination.instance(to.key.clone()));
        return Ok(());
    }
    if from.key.is_some() {
        return Ok(());
    }
    let instances = all.iter().filter(|a| a.resource == *source);
    for address in instances {
        moves.pairs.insert(
            (*address).clone(),
            destination.instance(address.key.clone()),
        );
    }
    if !moves.pairs.is_empty() {
        if to.key.is_some() {
            return Err(invalid(format!(
                "Cannot move {from} to {to}: the source is a whole resource with several instances, so the target must be a whole resource, too."
            )));
        }
        if all.iter().any(|a| a.resource == *destination) {
            return Err(invalid(format!(
                "Cannot move to {to}: there is already a resource at that address."
            )));
        }
        moves.told.push((from.to_string(), to.to_string()));
    }
    Ok(())
}
