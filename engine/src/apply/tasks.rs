//! What there is to do, and what must be done before what.
//!
//! A task per object to make, change, read or remove, and per expression that must be evaluated
//! again when more is known. References to all instances of a resource go through join tasks, so
//! that the number of edges stays linear.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use petgraph::graph::NodeIndex;
use topo_sdk::Diagnostics;

use crate::address::{InstanceAddress, ResourceAddress, ResourceMode};
use crate::changes::{ChangeAction, InstanceChange, PlanMode};
use crate::config::ModuleId;
use crate::graph::{Graph, Node};
use crate::plan::Detail;
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
    /// Everything that depended on any instance of a resource is done.
    Released(ResourceAddress),
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

    fn edge(&mut self, before: usize, after: usize) {
        if before != after {
            self.next[before].push(after);
            self.waits[after] += 1;
        }
    }
}

/// What tasks are made from.
pub(super) struct Input<'a> {
    pub(super) graph: &'a Graph,
    pub(super) changes: &'a [InstanceChange],
    pub(super) details: &'a HashMap<InstanceAddress, Detail>,
    pub(super) state: &'a State,
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
    for n in &graph.order {
        let Node::Resource(..) = &graph.graph[*n] else {
            let task = tasks.add(Task::Evaluate(*n));
            for r in graph.requirements(*n) {
                let before = after(tasks, r);
                tasks.edge(before, task);
            }
            continue;
        };
        tasks.add(Task::JoinAll(*n));
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
                if *rm != m {
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

fn deletes(change: &InstanceChange) -> bool {
    change.mode() == ResourceMode::Managed && change.action.destroys()
}

fn deleting(input: &Input<'_>, tasks: &mut Tasks) {
    let mut removed: BTreeMap<ResourceAddress, Vec<usize>> = BTreeMap::new();
    for (i, change) in input.changes.iter().enumerate().filter(|(_, c)| deletes(c)) {
        let delete = tasks.add(Task::Delete(i));
        removed
            .entry(change.address().resource.clone())
            .or_default()
            .push(i);
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
    // What depended on something that is removed lets go of it first.
    for (i, change) in input.changes.iter().enumerate() {
        let Some(record) = input.state.records.get(&change.key) else {
            continue;
        };
        for d in &record.dependencies {
            let (resource, instance) = match d {
                Dependency::Instance(a) => (&a.resource, Some(a)),
                Dependency::Resource(r) => (r, None),
            };
            let Some(targets) = removed.get(resource) else {
                continue;
            };
            match instance {
                Some(a) => {
                    for t in targets.iter().filter(|t| input.changes[**t].address() == a) {
                        let target = tasks.add(Task::Delete(*t));
                        if deletes(change) && !backwards(change, &input.changes[*t]) {
                            let own = tasks.add(Task::Delete(i));
                            tasks.edge(own, target);
                        } else if !deletes(change)
                            && input.changes[*t].action != ChangeAction::DeleteThenCreate
                        {
                            let own = tasks.add(Task::Converge(i));
                            tasks.edge(own, target);
                        }
                    }
                }
                None if deletes(change) => {
                    let own = tasks.add(Task::Delete(i));
                    let join = tasks.add(Task::Removed(resource.clone()));
                    tasks.edge(own, join);
                }
                None => {
                    let own = tasks.add(Task::Converge(i));
                    let join = tasks.add(Task::Released(resource.clone()));
                    tasks.edge(own, join);
                }
            }
        }
    }
    for (resource, targets) in &removed {
        let (removal, release) = (
            Task::Removed(resource.clone()),
            Task::Released(resource.clone()),
        );
        for t in targets {
            let target = tasks.add(Task::Delete(*t));
            if let Some(join) = tasks.index.get(&removal).copied() {
                tasks.edge(join, target);
            }
            if input.changes[*t].action != ChangeAction::DeleteThenCreate
                && let Some(join) = tasks.index.get(&release).copied()
            {
                tasks.edge(join, target);
            }
        }
    }
}

/// An object that is removed only after its replacement exists cannot be waited for by what its
/// replacement waits for.
fn backwards(dependent: &InstanceChange, target: &InstanceChange) -> bool {
    dependent.action == ChangeAction::CreateThenDelete
        && target.action == ChangeAction::DeleteThenCreate
}

/// Works out the longest remaining path of each task, from recorded durations.
fn prioritise(input: &Input<'_>, tasks: &mut Tasks) -> Result<(), Diagnostics> {
    let mut waits = tasks.waits.clone();
    let mut order: Vec<usize> = (0..tasks.list.len()).filter(|i| waits[*i] == 0).collect();
    let mut at = 0;
    while let Some(i) = order.get(at).copied() {
        at += 1;
        for n in &tasks.next[i] {
            waits[*n] -= 1;
            if waits[*n] == 0 {
                order.push(*n);
            }
        }
    }
    if order.len() != tasks.list.len() {
        let stuck: Vec<String> = (0..tasks.list.len())
            .filter(|i| waits[*i] > 0)
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
        return Err(Diagnostics::error(
            "Cycle in the order of changes",
            format!(
                "These wait for each other: {}. Apply part of the change first.",
                stuck.join(", ")
            ),
        ));
    }
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
