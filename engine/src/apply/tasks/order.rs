//! Orders in which tasks can be done: ranks by which edges are added without making a cycle, the
//! priority of each task, and the cycle where there is no order.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use topo_sdk::Diagnostics;

use super::deleting::ByResource;
use super::{Input, Task, Tasks};
use crate::address::ResourceAddress;
use crate::changes::ChangeAction;

/// Places of tasks in an order in which they can be done. Edges that all agree with one such
/// order can be added together and never make a cycle.
pub(super) struct Ranks(Vec<usize>);

impl Ranks {
    fn new(order: &[usize]) -> Ranks {
        let mut ranks = vec![0; order.len()];
        for (rank, task) in order.iter().enumerate() {
            ranks[*task] = rank;
        }
        Ranks(ranks)
    }

    /// A task that was added since waits for nothing.
    pub(super) fn of(&self, task: usize) -> Option<usize> {
        self.0.get(task).copied()
    }

    pub(super) fn before(&self, first: usize, then: usize) -> bool {
        self.of(first) < self.of(then)
    }

    /// The place of the first task of each resource, of those that its changes have.
    pub(super) fn first(
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
pub(super) fn changes_early(input: &Input<'_>, tasks: &Tasks) -> Option<Ranks> {
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
pub(super) fn deletions_early(tasks: &Tasks) -> Option<Ranks> {
    let class = |i: usize| usize::from(matches!(tasks.list[i], Task::Converge(_)));
    order::<2>(tasks, class).map(|o| Ranks::new(&o))
}

/// Works out the longest remaining path of each task, from recorded durations.
pub(super) fn prioritise(input: &Input<'_>, tasks: &mut Tasks) -> Result<(), Diagnostics> {
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
