//! The order of deletions: among each other, and with what changes around them.

use std::collections::BTreeMap;

use super::order::{Ranks, changes_early, deletions_early};
use super::{Input, Task, Tasks};
use crate::address::{InstanceAddress, ResourceAddress, ResourceMode};
use crate::changes::{ChangeAction, InstanceChange};
use crate::store::Dependency;

/// Whether an object leaves: it is deleted, or forgotten. Nothing is done to what is forgotten, but
/// the order of those around it leads through it.
fn deletes(change: &InstanceChange) -> bool {
    change.mode() == ResourceMode::Managed
        && (change.action.destroys() || change.action == ChangeAction::Forget)
}

/// Changes by the resource that they are about.
pub(super) type ByResource = BTreeMap<ResourceAddress, Vec<usize>>;

/// The order of deletions. That dependents are deleted first is always so. That others let go of
/// an object before it is deleted, and that an object is not changed before those are gone that
/// needed it as it was, is so where it does not contradict the rest.
pub(super) fn deleting(input: &Input<'_>, tasks: &mut Tasks) {
    let mut removed = ByResource::new();
    let mut updated = ByResource::new();
    for (i, change) in input.changes.iter().enumerate() {
        let resource = || change.address().resource.clone();
        if change.action == ChangeAction::Update {
            updated.entry(resource()).or_default().push(i);
        }
        if !deletes(change) {
            continue;
        }
        let delete = tasks.add(Task::Delete(i));
        removed.entry(resource()).or_default().push(i);
        match change.action {
            ChangeAction::DeleteThenCreate => {
                let create = tasks.add(Task::Converge(i));
                tasks.edge(delete, create);
            }
            ChangeAction::CreateThenDelete => {
                let create = tasks.add(Task::Converge(i));
                tasks.edge(create, delete);
            }
            _ => {}
        }
    }
    if removed.is_empty() {
        return;
    }
    dependents_first(input, tasks, &removed);
    // With a cycle there already, which is reported later, there is no rank.
    if let Some(ranks) = changes_early(input, tasks) {
        letting_go(input, tasks, &removed, &ranks);
    }
    if let Some(ranks) = deletions_early(tasks) {
        left_alone(input, tasks, &updated, &ranks);
    }
}

/// What an object depended on when it was last applied: the resource, and the instance where it
/// was one.
fn recorded<'a>(
    input: &Input<'a>,
    change: &InstanceChange,
) -> impl Iterator<Item = (&'a ResourceAddress, Option<&'a InstanceAddress>)> {
    let record = input.state.records.get(&change.key);
    let all = record.into_iter().flat_map(|r| &r.dependencies);
    all.map(|d| match d {
        Dependency::Instance(a) => (&a.resource, Some(a)),
        Dependency::Resource(r) => (r, None),
    })
}

/// Those of a resource's changes that are about one instance: of its object and deposed ones.
fn about<'t>(input: &Input<'_>, changes: &'t [usize], a: &InstanceAddress) -> &'t [usize] {
    let address = |c: &usize| input.changes[*c].address();
    let from = changes.partition_point(|c| address(c) < a);
    let to = changes.partition_point(|c| address(c) <= a);
    &changes[from..to]
}

/// What depended on something that is deleted is deleted before it.
fn dependents_first(input: &Input<'_>, tasks: &mut Tasks, removed: &ByResource) {
    for (i, change) in input.changes.iter().enumerate().filter(|(_, c)| deletes(c)) {
        for (resource, instance) in recorded(input, change) {
            let Some(targets) = removed.get(resource) else {
                continue;
            };
            let own = tasks.add(Task::Delete(i));
            match instance {
                Some(a) => {
                    for t in about(input, targets, a) {
                        let target = tasks.add(Task::Delete(*t));
                        tasks.edge(own, target);
                    }
                }
                None => {
                    let join = tasks.add(Task::Removed(resource.clone()));
                    tasks.edge(own, join);
                }
            }
        }
    }
    for (resource, targets) in removed {
        if let Some(join) = tasks.index.get(&Task::Removed(resource.clone())).copied() {
            for t in targets {
                let target = tasks.add(Task::Delete(*t));
                tasks.edge(join, target);
            }
        }
    }
}

/// What depended on an object that is deleted and stays itself lets go of it first. What is
/// replaced by deleting it first has moved on to a new dependency before the old one goes. Not
/// so where the change cannot come before the deletion, because it waits for something that the
/// deletion precedes.
fn letting_go(input: &Input<'_>, tasks: &mut Tasks, removed: &ByResource, ranks: &Ranks) {
    let first = [true, false].map(|stays| {
        ranks.first(removed, |t| {
            let waits = waits_for(&input.changes[t], stays);
            waits.then(|| tasks.add(Task::Delete(t)))
        })
    });
    for (i, change) in input.changes.iter().enumerate() {
        let stays = !deletes(change);
        if !stays && change.action != ChangeAction::DeleteThenCreate {
            continue;
        }
        for (resource, instance) in recorded(input, change) {
            let Some(targets) = removed.get(resource) else {
                continue;
            };
            let own = tasks.add(Task::Converge(i));
            match instance {
                Some(a) => {
                    for t in about(input, targets, a) {
                        let target = tasks.add(Task::Delete(*t));
                        if waits_for(&input.changes[*t], stays) && ranks.before(own, target) {
                            tasks.edge(own, target);
                        }
                    }
                }
                None if ranks.of(own) < first[usize::from(!stays)].get(resource).copied() => {
                    let join = tasks.add(Task::Released(resource.clone(), stays));
                    tasks.edge(own, join);
                }
                None => {}
            }
        }
    }
    for (resource, targets) in removed {
        for stays in [true, false] {
            let join = Task::Released(resource.clone(), stays);
            let Some(join) = tasks.index.get(&join).copied() else {
                continue;
            };
            for t in targets {
                if waits_for(&input.changes[*t], stays) {
                    let target = tasks.add(Task::Delete(*t));
                    tasks.edge(join, target);
                }
            }
        }
    }
}

/// Whether a deletion waits for dependents that stay, or for those that are replaced by deleting
/// them first.
fn waits_for(deleted: &InstanceChange, stays: bool) -> bool {
    match deleted.action {
        ChangeAction::CreateThenDelete => true,
        ChangeAction::DeleteThenCreate => false,
        _ => stays,
    }
}

/// An object is changed only after those are gone that needed it as it was, unless they wait for
/// that change themselves.
fn left_alone(input: &Input<'_>, tasks: &mut Tasks, updated: &ByResource, ranks: &Ranks) {
    let first = ranks.first(updated, |t| Some(tasks.add(Task::Converge(t))));
    let leaving = |c: &InstanceChange| deletes(c) && c.action != ChangeAction::CreateThenDelete;
    for (i, change) in input.changes.iter().enumerate().filter(|(_, c)| leaving(c)) {
        let own = tasks.add(Task::Delete(i));
        for (resource, instance) in recorded(input, change) {
            let Some(targets) = updated.get(resource) else {
                continue;
            };
            match instance {
                Some(a) => {
                    for t in about(input, targets, a) {
                        let target = tasks.add(Task::Converge(*t));
                        if ranks.before(own, target) {
                            tasks.edge(own, target);
                        }
                    }
                }
                None if ranks.of(own) < first.get(resource).copied() => {
                    let join = tasks.add(Task::Left(resource.clone()));
                    tasks.edge(own, join);
                }
                None => {}
            }
        }
    }
    for (resource, targets) in updated {
        if let Some(join) = tasks.index.get(&Task::Left(resource.clone())).copied() {
            for t in targets {
                let target = tasks.add(Task::Converge(*t));
                tasks.edge(join, target);
            }
        }
    }
}
