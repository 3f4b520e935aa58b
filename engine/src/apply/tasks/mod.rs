//! What there is to do, and what must be done before what.
//!
//! A task per object to make, change, read or remove, and per expression that must be evaluated
//! again when more is known. References to all instances of a resource go through join tasks, so
//! that the number of edges stays linear. Here: what is made, changed and read, in the order of the
//! configuration; for the rest see [`deleting`].

mod deleting;
mod order;

use std::collections::HashMap;
use std::time::Duration;

use petgraph::graph::NodeIndex;
use topo_sdk::Diagnostics;

use self::deleting::deleting;
use self::order::prioritise;
use crate::address::{InstanceAddress, ResourceAddress, ResourceMode};
use crate::changes::{ChangeAction, InstanceChange, PlanMode};
use crate::config::{Config, ModuleId};
use crate::ephemeral::is_ephemeral;
use crate::graph::{Graph, Node};
use crate::plan::{Detail, Selection};
use crate::store::{Dependency, RecordKey, State};

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::apply) enum Task {
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
pub(in crate::apply) struct Tasks {
    pub(in crate::apply) list: Vec<Task>,
    /// What becomes possible when a task is done.
    pub(in crate::apply) next: Vec<Vec<usize>>,
    /// How many tasks must be done before.
    pub(in crate::apply) waits: Vec<usize>,
    /// The time of the longest way from the start of a task to the end of the run.
    pub(in crate::apply) priority: Vec<Duration>,
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
    pub(in crate::apply) fn find(&self, task: &Task) -> Option<usize> {
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
pub(in crate::apply) struct Input<'a> {
    pub(in crate::apply) config: &'a Config,
    pub(in crate::apply) graph: &'a Graph,
    pub(in crate::apply) changes: &'a [InstanceChange],
    pub(in crate::apply) details: &'a HashMap<InstanceAddress, Detail>,
    pub(in crate::apply) state: &'a State,
    pub(in crate::apply) selection: &'a Selection,
    pub(in crate::apply) mode: PlanMode,
}

/// Makes the tasks of a plan.
///
/// # Errors
/// A cycle, which only objects of a state can make whose configuration has changed around.
pub(in crate::apply) fn build(input: &Input<'_>) -> Result<Tasks, Diagnostics> {
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
