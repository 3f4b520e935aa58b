//! What there is to do, and what must be done before what.
//!
//! A task per object to make, change, read or remove, and per expression that must be evaluated
//! again when more is known. References to all instances of a resource go through join tasks, so
//! that the number of edges stays linear.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use petgraph::graph::NodeIndex;
use topo_sdk::Diagnostics;

use crate::address::{InstanceAddress, ResourceAddress, ResourceMode};
use crate::changes::{ChangeAction, InstanceChange, PlanMode};
use crate::config::{Config, ModuleId};
use crate::ephemeral::is_ephemeral;
use crate::graph::{Graph, Node};
use crate::plan::{Detail, Selection};
use crate::store::{Dependency, RecordKey, State};

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Task {
    /// Evaluate a configuration object again, in all its instances.
    Evaluate(NodeIndex),
    /// Make, change or read an object: the change of this index.
    Converge(usize),
    /// Remove an object: the change of this index.
    Delete(usize),
    /// All instances of a resource in one module instance are done.
    Join(NodeIndex, usize),
    /// All instances of a resource in all module instances are done.
    JoinAll(NodeIndex),
    /// Everything that depended on any instance of a resource is removed.
    Removed(ResourceAddress),
    /// Everything that depended on any instance of a resource is done: what stays, or (`false`)
    /// what is replaced by deleting it first.
    Released(ResourceAddress, bool),
    /// Everything that needed instances of a resource as they were is removed.
    Left(ResourceAddress),
}

/// The tasks with their order.
pub(super) struct Tasks {
    pub(super) list: Vec<Task>,
    /// What becomes possible when a task is done.
    pub(super) next: Vec<Vec<usize>>,
    /// How many tasks must be done before.
    pub(super) waits: Vec<usize>,
    /// The time of the longest way from the start of a task to the end of the run.
    pub(super) priority: Vec<Duration>,
    index: HashMap<Task, usize>,
}

impl Tasks {
    fn add(&mut self, task: Task) -> usize {
        if let Some(i) = self.index.get(&task) {
            return *i;
        }
        self.index.insert(task.clone(), self.list.len());
        self.list.push(task);
        self.next.push(Vec::new());
        self.waits.push(0);
        self.list.len() - 1
    }

    /// The place of a task.
    pub(super) fn find(&self, task: &Task) -> Option<usize> {
        self.index.get(task).copied()
    }

    fn edge(&mut self, before: usize, after: usize) {
        if before != after {
            self.next[before].push(after);
            self.waits[after] += 1;
        }
    }
}

/// What tasks are made from.
pub(super) struct Input<'a> {
    pub(super) config: &'a Config,
    pub(super) graph: &'a Graph,
    pub(super) changes: &'a [InstanceChange],
    pub(super) details: &'a HashMap<InstanceAddress, Detail>,
    pub(super) state: &'a State,
    pub(super) selection: &'a Selection,
    pub(super) mode: PlanMode,
}

/// Makes the tasks of a plan.
///
/// # Errors
/// A cycle, which only objects of a state can make whose configuration has changed around.
pub(super) fn build(input: &Input<'_>) -> Result<Tasks, Diagnostics> {
    let mut tasks = Tasks {
        list: Vec::new(),
        next: Vec::new(),
        waits: Vec::new(),
        priority: Vec::new(),
        index: HashMap::new(),
    };
    if input.mode == PlanMode::Normal {
        converging(input, &mut tasks);
    }
    deleting(input, &mut tasks);
    prioritise(input, &mut tasks)?;
    Ok(tasks)
}

fn converging(input: &Input<'_>, tasks: &mut Tasks) {
    let graph = input.graph;
    let mut by_resource: HashMap<(ModuleId, usize, NodeIndex), Vec<usize>> = HashMap::new();
    for (i, change) in input.changes.iter().enumerate() {
        let Some(detail) = input.details.get(change.address()) else {
            continue;
        };
        let leaves = matches!(change.action, ChangeAction::Delete | ChangeAction::Forget);
        if change.key.deposed.is_some() || leaves {
            continue;
        }
        let block = input
            .config
            .module(detail.module)
            .resources
            .get(&detail.key);
        if block.is_some_and(|r| r.check.is_some()) {
            continue; // read after everything else
        }
        let Some(node) = graph.find(&Node::Resource(detail.module, detail.key.clone())) else {
            continue;
        };
        by_resource
            .entry((detail.module, detail.instance, node))
            .or_default()
            .push(i);
    }
    let after = |tasks: &mut Tasks, requirement: NodeIndex| match &graph.graph[requirement] {
        Node::Resource(..) => tasks.add(Task::JoinAll(requirement)),
        _ => tasks.add(Task::Evaluate(requirement)),
    };
    for n in graph.order.iter().filter(|n| input.selection.has_node(**n)) {
        let Node::Resource(..) = &graph.graph[*n] else {
            let task = tasks.add(Task::Evaluate(*n));
            for r in graph.requirements(*n) {
                let before = after(tasks, r);
                tasks.edge(before, task);
            }
            continue;
        };
        let all = tasks.add(Task::JoinAll(*n));
        if is_ephemeral(&graph.graph[*n]) {
            // What needs it must wait for what it needs: it is opened for that.
            for r in graph.requirements(*n) {
                let before = after(tasks, r);
                tasks.edge(before, all);
            }
        }
    }
    let mut ordered: Vec<_> = by_resource.into_iter().collect();
    ordered.sort_by_key(|((m, i, n), _)| (*m, *i, n.index()));
    for ((m, i, n), changes) in ordered {
        let join = tasks.add(Task::Join(n, i));
        let all = tasks.add(Task::JoinAll(n));
        tasks.edge(join, all);
        for c in changes {
            let task = tasks.add(Task::Converge(c));
            tasks.edge(task, join);
            let own: HashMap<&ResourceAddress, Vec<&InstanceAddress>> =
                instance_dependencies(input, c);
            for r in graph.requirements(n) {
                let Node::Resource(rm, key) = &graph.graph[r] else {
                    let before = after(tasks, r);
                    tasks.edge(before, task);
                    continue;
                };
                if *rm != m || key.0 == ResourceMode::Ephemeral {
                    let before = after(tasks, r);
                    tasks.edge(before, task);
                    continue;
                }
                let address = &input.changes[c].address().resource;
                let wanted = ResourceAddress {
                    module: address.module.clone(),
                    mode: key.0,
                    type_name: key.1.clone(),
                    name: key.2.clone(),
                };
                match own.get(&wanted) {
                    Some(instances) => {
                        for instance in instances {
                            let found = input.changes.binary_search_by(|x| {
                                x.key.cmp(&RecordKey::from((*instance).clone()))
                            });
                            if let Ok(before) = found {
                                let before = tasks.add(Task::Converge(before));
                                tasks.edge(before, task);
                            }
                        }
                    }
                    None => {
                        let before = tasks.add(Task::Join(r, i));
                        tasks.edge(before, task);
                    }
                }
            }
        }
    }
}

/// The single instances that an object's references ask for, by resource.
fn instance_dependencies<'a>(
    input: &Input<'a>,
    change: usize,
) -> HashMap<&'a ResourceAddress, Vec<&'a InstanceAddress>> {
    let mut made: HashMap<&ResourceAddress, Vec<&InstanceAddress>> = HashMap::new();
    let Some(detail) = input.details.get(input.changes[change].address()) else {
        return made;
    };
    for d in &detail.dependencies {
        if let Dependency::Instance(a) = d {
            made.entry(&a.resource).or_default().push(a);
        }
    }
    for d in &detail.dependencies {
        if let Dependency::Resource(r) = d {
            made.remove(r);
        }
    }
    made
}

/// Whether an object leaves: it is deleted, or forgotten. Nothing is done to what is forgotten, but
/// the order of those around it leads through it.
fn deletes(change: &InstanceChange) -> bool {
    change.mode() == ResourceMode::Managed
        && (change.action.destroys() || change.action == ChangeAction::Forget)
}

/// Changes by the resource that they are about.
type ByResource = BTreeMap<ResourceAddress, Vec<usize>>;

/// The order of deletions. That dependents are deleted first is always so. That others let go of
/// an object before it is deleted, and that an object is not changed before those are gone that
/// needed it as it was, is so where it does not contradict the rest.
fn deleting(input: &Input<'_>, tasks: &mut Tasks) {
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

/// Places of tasks in an order in which they can be done. Edges that all agree with one such
/// order can be added together and never make a cycle.
struct Ranks(Vec<usize>);

impl Ranks {
    fn new(order: &[usize]) -> Ranks {
        let mut ranks = vec![0; order.len()];
        for (rank, task) in order.iter().enumerate() {
            ranks[*task] = rank;
        }
        Ranks(ranks)
    }

    /// A task that was added since waits for nothing.
    fn of(&self, task: usize) -> Option<usize> {
        self.0.get(task).copied()
    }

    fn before(&self, first: usize, then: usize) -> bool {
        self.of(first) < self.of(then)
    }

    /// The place of the first task of each resource, of those that its changes have.
    fn first(
        &self,
        changes: &ByResource,
        mut task: impl FnMut(usize) -> Option<usize>,
    ) -> BTreeMap<ResourceAddress, usize> {
        let mut made = BTreeMap::new();
        for (resource, all) in changes {
            let first = all.iter().filter_map(|c| self.of(task(*c)?)).min();
            made.extend(first.map(|rank| (resource.clone(), rank)));
        }
        made
    }
}

/// The tasks in an order in which they can be done; of those that can be next, one with the
/// lowest class. `None` when there is a cycle.
fn order<const N: usize>(tasks: &Tasks, class: impl Fn(usize) -> usize) -> Option<Vec<usize>> {
    let mut waits = tasks.waits.clone();
    let mut open: [VecDeque<usize>; N] = std::array::from_fn(|_| VecDeque::new());
    for i in (0..waits.len()).filter(|i| waits[*i] == 0) {
        open[class(i)].push_back(i);
    }
    let mut order = Vec::with_capacity(waits.len());
    while let Some(i) = open.iter_mut().find_map(VecDeque::pop_front) {
        order.push(i);
        for n in &tasks.next[i] {
            waits[*n] -= 1;
            if waits[*n] == 0 {
                open[class(*n)].push_back(*n);
            }
        }
    }
    (order.len() == tasks.list.len()).then_some(order)
}

/// An order that puts off deletions: first those that something must wait for, of these last the
/// ones of objects that have been replaced, whose dependents should have moved on.
fn changes_early(input: &Input<'_>, tasks: &Tasks) -> Option<Ranks> {
    let any = order::<1>(tasks, |_| 0)?;
    let mut precedes = vec![false; tasks.list.len()];
    for i in any.iter().rev() {
        let mut behind = tasks.next[*i].iter();
        precedes[*i] = behind.any(|n| precedes[*n] || matches!(tasks.list[*n], Task::Converge(_)));
    }
    let class = |i: usize| match &tasks.list[i] {
        Task::Delete(_) if !precedes[i] => 3,
        Task::Delete(c) if input.changes[*c].action == ChangeAction::CreateThenDelete => 2,
        Task::Delete(_) => 1,
        _ => 0,
    };
    order::<4>(tasks, class).map(|o| Ranks::new(&o))
}

/// An order that puts off changes.
fn deletions_early(tasks: &Tasks) -> Option<Ranks> {
    let class = |i: usize| usize::from(matches!(tasks.list[i], Task::Converge(_)));
    order::<2>(tasks, class).map(|o| Ranks::new(&o))
}

/// Works out the longest remaining path of each task, from recorded durations.
fn prioritise(input: &Input<'_>, tasks: &mut Tasks) -> Result<(), Diagnostics> {
    let Some(order) = order::<1>(tasks, |_| 0) else {
        return Err(cycle(input, tasks));
    };
    tasks.priority = vec![Duration::ZERO; tasks.list.len()];
    for i in order.into_iter().rev() {
        let behind = tasks.next[i]
            .iter()
            .map(|n| tasks.priority[*n])
            .max()
            .unwrap_or_default();
        tasks.priority[i] = behind + expected(input, &tasks.list[i]);
    }
    Ok(())
}

/// Names the objects whose changes wait for each other: those left when everything that can go
/// first or last is taken away.
fn cycle(input: &Input<'_>, tasks: &Tasks) -> Diagnostics {
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); tasks.list.len()];
    for (i, next) in tasks.next.iter().enumerate() {
        next.iter().for_each(|n| before[*n].push(i));
    }
    let mut gone = vec![false; tasks.list.len()];
    for (forward, backward) in [(&tasks.next, &before), (&before, &tasks.next)] {
        let mut waits: Vec<usize> = backward
            .iter()
            .map(|all| all.iter().filter(|i| !gone[**i]).count())
            .collect();
        let mut free: Vec<usize> = (0..waits.len())
            .filter(|i| waits[*i] == 0 && !gone[*i])
            .collect();
        while let Some(i) = free.pop() {
            gone[i] = true;
            for n in forward[i].iter().filter(|n| !gone[**n]) {
                waits[*n] -= 1;
                if waits[*n] == 0 {
                    free.push(*n);
                }
            }
        }
    }
    let stuck: Vec<String> = (0..tasks.list.len())
        .filter(|i| !gone[*i])
        .filter_map(|i| match &tasks.list[i] {
            Task::Converge(c) => Some(format!(
                "{} ({})",
                input.changes[*c].address(),
                input.changes[*c].action.word()
            )),
            Task::Delete(c) => Some(format!("{} (delete)", input.changes[*c].address())),
            _ => None,
        })
        .collect();
    Diagnostics::error(
        "Cycle in the order of changes",
        format!(
            "These wait for each other: {}. Apply part of the change first.",
            stuck.join(", ")
        ),
    )
}

/// How long a task is expected to take: as recorded, else a second for anything that calls out.
fn expected(input: &Input<'_>, task: &Task) -> Duration {
    let (change, action) = match task {
        Task::Converge(c) => {
            let change = &input.changes[*c];
            match change.action {
                ChangeAction::NoOp => return Duration::ZERO,
                ChangeAction::Update => (change, "update"),
                _ => (change, "create"),
            }
        }
        Task::Delete(c) => (&input.changes[*c], "delete"),
        _ => return Duration::ZERO,
    };
    let key: (Arc<str>, String) = (
        change.address().resource.type_name.clone(),
        action.to_string(),
    );
    input
        .state
        .durations
        .get(&key)
        .copied()
        .unwrap_or(Duration::from_secs(1))
}
