//! The loop of a run: a ready queue over tasks, the longest remaining path first, a bounded number
//! of provider calls at a time. Also the tasks that call nobody, which are done at once.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashSet, VecDeque};
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use topo_sdk::{Diagnostic, Diagnostics};

use super::tasks::Task;
use super::{ApplyOptions, Call, Interrupt, Run, Started, TaskStatus};
use crate::address::ProviderAddress;
use crate::changes::ChangeAction;
use crate::config::ModuleId;
use crate::events::Event;
use crate::graph::Node;
use crate::world::World;

/// A task that calls out and is ready to start; the longest remaining path comes first, then the
/// order of addresses.
#[derive(PartialEq, Eq)]
struct Ready {
    priority: Duration,
    task: usize,
}

impl Ord for Ready {
    fn cmp(&self, other: &Self) -> Ordering {
        self.priority
            .cmp(&other.priority)
            .then_with(|| other.task.cmp(&self.task))
    }
}

impl PartialOrd for Ready {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

type Running = FuturesUnordered<Call>;

impl Run<'_> {
    pub(super) async fn drive(&mut self, mut options: ApplyOptions) {
        let mut instant: VecDeque<usize> = VecDeque::new();
        let mut ready: BinaryHeap<Ready> = BinaryHeap::new();
        let mut running: Running = FuturesUnordered::new();
        let parallelism = options.parallelism.max(1);
        let mut computing = Computing::new(parallelism);
        let mut listening = true;
        let mut stopping = *options.interrupt.borrow() != Interrupt::None;
        for i in 0..self.tasks.list.len() {
            if self.tasks.waits[i] == 0 {
                self.enqueue(i, &mut instant, &mut ready);
            }
        }
        loop {
            self.ephemeral.close_idle(&self.listener);
            while let Some(i) = instant.pop_front() {
                let done = self.instant(i).await;
                self.complete(i, done, &mut instant, &mut ready);
            }
            // An interrupt may have come together with an answer.
            if !stopping && *options.interrupt.borrow() != Interrupt::None {
                stopping = true;
                (self.listener)(Event::Interrupted {
                    running: running.len(),
                });
            }
            while !stopping && computing.allows_more(running.len(), parallelism) {
                let Some(next) = ready.pop() else { break };
                match self.start(next.task).await {
                    Started::Running(future) => {
                        self.status[next.task] = TaskStatus::Running;
                        running.push(future);
                    }
                    Started::Computing(future) => {
                        self.status[next.task] = TaskStatus::Running;
                        computing.tasks.insert(next.task);
                        running.push(future);
                    }
                    Started::Done(ok) => self.complete(next.task, ok, &mut instant, &mut ready),
                }
                if !instant.is_empty() {
                    break;
                }
            }
            if !instant.is_empty() {
                continue;
            }
            if running.is_empty() {
                break;
            }
            tokio::select! {
                Some(answer) = running.next() => {
                    let (task, next) = self.take(answer).await;
                    computing.tasks.remove(&task);
                    match next {
                        Started::Done(ok) => self.complete(task, ok, &mut instant, &mut ready),
                        Started::Running(more) | Started::Computing(more) => running.push(more),
                    }
                }
                Some(ds) = self.ephemeral.closing.next(), if !self.ephemeral.closing.is_empty() => {
                    self.outcome.diagnostics.extend(ds);
                }
                changed = options.interrupt.changed(), if listening => {
                    let asked = *options.interrupt.borrow();
                    if changed.is_ok() && asked == Interrupt::Graceful && !stopping {
                        stopping = true;
                        (self.listener)(Event::Interrupted { running: running.len() });
                    }
                    if asked == Interrupt::Now {
                        stopping = true;
                        let (operations, they) = match running.len() {
                            1 => ("1 operation".to_string(), "it"),
                            n => (format!("{n} operations"), "they"),
                        };
                        self.outcome.diagnostics.push(Diagnostic::error(
                            "Interrupted",
                            format!("The run was stopped with {operations} under way. What {they} made is looked for at the start of the next run."),
                        ));
                        break;
                    }
                    // With nobody left who could interrupt, the rest is waited for.
                    listening = changed.is_ok();
                }
            }
        }
        self.interrupted = stopping;
        self.skip_pending(stopping);
    }

    fn enqueue(&self, i: usize, instant: &mut VecDeque<usize>, ready: &mut BinaryHeap<Ready>) {
        let calls_out = match &self.tasks.list[i] {
            Task::Converge(c) => self.changes[*c].action != ChangeAction::NoOp,
            // What is forgotten has been written already.
            Task::Delete(c) => self.changes[*c].action != ChangeAction::Forget,
            _ => false,
        };
        if calls_out {
            ready.push(Ready {
                priority: self.tasks.priority[i],
                task: i,
            });
        } else {
            instant.push_back(i);
        }
    }

    /// Marks a task as done, and lets start what waited for it; a failed one lets nothing start.
    fn complete(
        &mut self,
        i: usize,
        ok: bool,
        instant: &mut VecDeque<usize>,
        ready: &mut BinaryHeap<Ready>,
    ) {
        self.ephemeral.completed(i);
        if !ok {
            self.status[i] = TaskStatus::Failed;
            return;
        }
        self.status[i] = TaskStatus::Done;
        // Nobody asks a second time.
        for n in std::mem::take(&mut self.tasks.next[i]) {
            self.tasks.waits[n] -= 1;
            if self.tasks.waits[n] == 0 {
                self.enqueue(n, instant, ready);
            }
        }
    }

    /// A task that needs no provider's answer, or only that of configuring.
    async fn instant(&mut self, i: usize) -> bool {
        let n = match self.tasks.list[i] {
            Task::Evaluate(n) => n,
            Task::Converge(c) => return self.unchanged(c),
            _ => return true,
        };
        let errors = self.outcome.diagnostics.0.len();
        match self.graph.graph[n].clone() {
            Node::Provider(m, key) => {
                let module = self.config.module(m);
                let address = ProviderAddress {
                    module: module.path.clone(),
                    name: module.providers[&key].provider.clone(),
                    alias: key.1,
                };
                return self.configure(&address).await;
            }
            node => evaluate(&mut self.inner.world, &node, &mut self.outcome.diagnostics),
        }
        !self
            .outcome
            .diagnostics
            .0
            .iter()
            .skip(errors)
            .any(Diagnostic::is_error)
    }
}

/// Tasks under way that only compute. They do not count as operations that run side by side, so
/// that many share a disk sync; but they are not without number, so that what the first of them
/// makes possible is started before the last.
struct Computing {
    tasks: HashSet<usize>,
    limit: usize,
}

impl Computing {
    /// How many there may be for each operation that may run.
    const FACTOR: usize = 32;

    fn new(parallelism: usize) -> Computing {
        // One after the other is what one at a time asks for.
        let limit = match parallelism {
            1 => 1,
            n => n.saturating_mul(Computing::FACTOR),
        };
        Computing {
            tasks: HashSet::new(),
            limit,
        }
    }

    /// Whether another task may start, with so many under way in all.
    fn allows_more(&self, running: usize, parallelism: usize) -> bool {
        let computing = self.tasks.len();
        computing < self.limit && running - computing < parallelism
    }
}

/// Evaluates a configuration object again in all its instances. The root module's variables do
/// not change during a run.
pub(super) fn evaluate(world: &mut World, node: &Node, diagnostics: &mut Diagnostics) {
    let count = |world: &World, m: ModuleId| world.modules[m].len();
    match node {
        Node::Variable(m, name) if *m != 0 => {
            (0..count(world, *m)).for_each(|i| world.variable(*m, i, name, diagnostics))
        }
        Node::Local(m, name) => {
            (0..count(world, *m)).for_each(|i| world.local(*m, i, name, diagnostics))
        }
        Node::Output(m, name) => {
            (0..count(world, *m)).for_each(|i| world.output(*m, i, name, diagnostics))
        }
        Node::Call(m, name) => world.call_again(*m, name, diagnostics),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::Computing;

    #[test]
    fn what_computes_is_not_counted_and_has_a_limit() {
        let mut computing = Computing::new(2);
        assert!(computing.allows_more(1, 2));
        assert!(!computing.allows_more(2, 2));
        computing.tasks.extend(0..63);
        assert!(computing.allows_more(64, 2));
        assert!(!computing.allows_more(65, 2));
        computing.tasks.insert(63);
        assert!(!computing.allows_more(64, 2));
        // One at a time is one at a time.
        let mut alone = Computing::new(1);
        alone.tasks.insert(0);
        assert!(!alone.allows_more(1, 1));
    }
}
