//! Ephemeral resources during apply: opened when something that needs them is about to run, closed
//! when nothing needs them any more, at the latest at the end of the run.
//!
//! What planning opened is closed by now, so their values start out unknown, and connections that
//! were configured from them are made anew before they are used.

use std::collections::{HashMap, HashSet};
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::stream::{FuturesUnordered, StreamExt};
use petgraph::graph::NodeIndex;
use topo_sdk::{Diagnostic, Diagnostics, Value};

use super::drive::evaluate;
use super::tasks::Task;
use super::{Interrupt, Run};
use crate::address::ProviderAddress;
use crate::changes::{ChangeAction, InstanceChange};
use crate::checks::{Time, resource_node};
use crate::config::{ModuleId, ResourceKey};
use crate::ephemeral::{
    Opened, behind, close, closed, ephemeral, interrupted, is_ephemeral, open, put, wanted,
};
use crate::events::Listener;
use crate::graph::Node;
use crate::plan::provider_node;
use crate::world::{Instances, ModuleScope, Shape, World};

/// The ephemeral resources of a run.
#[derive(Default)]
pub(super) struct Ephemerals {
    /// What each node needs of them.
    behind: HashMap<NodeIndex, Arc<Vec<NodeIndex>>>,
    opened: Vec<Opened>,
    /// Those that were opened or could not be, in the world as it was (`true`) or will be; when.
    tried: HashMap<(bool, NodeIndex), Instant>,
    failed: HashSet<(bool, NodeIndex)>,
    /// What a task that is not done yet needs.
    needs: HashMap<usize, Arc<Vec<NodeIndex>>>,
    /// How many tasks need each; one more where a `check` block does, which comes last.
    remaining: HashMap<NodeIndex, usize>,
    /// Those that nothing needs any more.
    idle: Vec<NodeIndex>,
    /// Being closed.
    pub(super) closing: FuturesUnordered<Pin<Box<dyn Future<Output = Diagnostics> + Send>>>,
}

impl Ephemerals {
    /// A task is done, or failed.
    pub(super) fn completed(&mut self, task: usize) {
        let needs = self.needs.remove(&task);
        for n in needs.iter().flat_map(|v| v.iter()) {
            if let Some(left) = self.remaining.get_mut(n) {
                *left -= 1;
                if *left == 0 {
                    self.idle.push(*n);
                }
            }
        }
    }

    /// One that cannot be renewed is opened once more when it has been open for that long; the old
    /// is closed with it.
    pub(super) fn expire(&mut self, prior: bool, node: NodeIndex, good_for: Duration) {
        let key = (prior, node);
        if self
            .tried
            .get(&key)
            .is_some_and(|t| t.elapsed() >= good_for)
        {
            self.tried.remove(&key);
            self.failed.remove(&key);
        }
    }

    /// Starts closing what nothing needs any more.
    pub(super) fn close_idle(&mut self, listener: &Listener) {
        if self.idle.is_empty() {
            return;
        }
        let idle = mem::take(&mut self.idle);
        let opened = mem::take(&mut self.opened);
        let (done, open): (Vec<Opened>, Vec<Opened>) =
            opened.into_iter().partition(|o| idle.contains(&o.node));
        self.opened = open;
        if !done.is_empty() {
            let listener = listener.clone();
            let closing = async move { close(done, &listener).await };
            self.closing.push(Box::pin(closing));
        }
    }
}

impl Run<'_> {
    /// Finds out what needs which ephemeral resources, and forgets what planning knew of them.
    pub(super) fn prepare_ephemerals(&mut self) {
        let behind = behind(self.config, self.graph);
        if behind.is_empty() {
            return;
        }
        for n in self.graph.order.iter().filter(|n| behind.contains_key(n)) {
            if let Node::Resource(m, key) = &self.graph.graph[*n]
                && is_ephemeral(&self.graph.graph[*n])
            {
                self.forget(*m, key);
            }
        }
        let mut providers: HashMap<ProviderAddress, Option<Arc<Vec<NodeIndex>>>> = HashMap::new();
        let mut of_provider = |address: &ProviderAddress| {
            let made = providers.entry(address.clone()).or_insert_with(|| {
                let node = provider_node(self.config, self.graph, address)?;
                behind.get(&node).cloned()
            });
            made.clone()
        };
        for (address, slot) in &mut self.inner.slots {
            if of_provider(address).is_some() {
                for state in slot.current.iter_mut().chain(&mut slot.prior) {
                    state.lapsed = true;
                }
            }
        }
        let mut needs = HashMap::new();
        for (i, task) in self.tasks.list.iter().enumerate() {
            let needed = match task {
                Task::Converge(c) if self.changes[*c].action != ChangeAction::NoOp => {
                    let node = self.node_of(&self.changes[*c]);
                    node.and_then(|n| behind.get(&n).cloned())
                }
                Task::Delete(c) => {
                    let change = &self.changes[*c];
                    let record = self.inner.state.records.get(&change.key);
                    of_provider(record.map_or(&change.provider, |r| &r.provider))
                }
                _ => None,
            };
            if let Some(needed) = needed {
                needs.insert(i, needed);
            }
        }
        let mut remaining = HashMap::new();
        let checks = self.graph.order.iter().filter(|n| {
            let node = &self.graph.graph[**n];
            matches!(node, Node::Check(..))
        });
        let by_checks = checks.filter_map(|n| behind.get(n));
        for n in needs.values().chain(by_checks).flat_map(|v| v.iter()) {
            *remaining.entry(*n).or_insert(0) += 1;
        }
        self.ephemeral.needs = needs;
        self.ephemeral.remaining = remaining;
        self.ephemeral.behind = behind;
    }

    /// Makes the values of an ephemeral resource unknown.
    fn forget(&mut self, m: ModuleId, key: &ResourceKey) {
        let resource = &self.config.module(m).resources[key];
        let unknown = ephemeral(Value::unknown(resource.schema.block.ty()));
        let worlds = [Some(&mut self.inner.world), self.inner.prior.as_mut()];
        for values in worlds.into_iter().flatten().flat_map(|w| &mut w.modules[m]) {
            let Some(instances) = values.resources.get_mut(key) else {
                continue;
            };
            let keys: Vec<_> = instances.keys().map(|k| k.cloned()).collect();
            let mut fresh = Instances::new(Shape::of(&resource.repetition));
            for key in keys {
                fresh.set(key, unknown.clone());
            }
            *instances = fresh;
        }
    }

    fn node_of(&self, change: &InstanceChange) -> Option<NodeIndex> {
        let detail = self.inner.details.get(change.address())?;
        let node = resource_node(detail.module, change.address());
        self.graph.find(&node)
    }

    /// Opens what an object needs.
    ///
    /// # Errors
    /// Those of opening.
    pub(super) async fn open_for(&mut self, change: &InstanceChange) -> Result<(), Diagnostics> {
        if self.ephemeral.behind.is_empty() {
            return Ok(());
        }
        match self.node_of(change) {
            Some(node) => self.open_behind(node).await,
            None => Ok(()),
        }
    }

    /// Opens what a node needs and is not open, and evaluates what lies between.
    ///
    /// # Errors
    /// Those of opening.
    pub(super) async fn open_behind(&mut self, node: NodeIndex) -> Result<(), Diagnostics> {
        let Some(needed) = self.ephemeral.behind.get(&node).cloned() else {
            return Ok(());
        };
        let tried = |n: &NodeIndex| self.ephemeral.tried.contains_key(&(false, *n));
        let mut found = Diagnostics::new();
        if !needed.iter().all(tried) {
            let graph = self.graph;
            for n in graph.ancestors(node) {
                match graph.graph[n].clone() {
                    Node::Resource(m, key) if needed.contains(&n) => {
                        self.open_node(n, m, &key, false, &mut found).await;
                    }
                    Node::Resource(..) | Node::Provider(..) | Node::Call(..) => {}
                    other => evaluate(&mut self.inner.world, &other, &mut found),
                }
            }
        }
        let failed = |n: &&NodeIndex| self.ephemeral.failed.contains(&(false, **n));
        match needed.iter().find(failed) {
            _ if found.has_errors() => Err(found),
            Some(n) => {
                let name = crate::graph::name(self.config, &self.graph.graph[*n]);
                Err(Diagnostics::error(
                    "Ephemeral resource not open",
                    format!("It depends on {name}, which could not be opened."),
                ))
            }
            None => Ok(()),
        }
    }

    /// Opens the instances of an ephemeral resource in one of the worlds, once. Boxed, for
    /// connecting may need others to be opened first.
    pub(super) fn open_node<'b>(
        &'b mut self,
        n: NodeIndex,
        m: ModuleId,
        key: &'b ResourceKey,
        prior: bool,
        found: &'b mut Diagnostics,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'b>> {
        Box::pin(async move {
            if self.ephemeral.tried.contains_key(&(prior, n)) {
                return;
            }
            self.ephemeral.tried.insert((prior, n), Instant::now());
            let mut own = Diagnostics::new();
            self.open_once(n, m, key, prior, &mut own).await;
            if own.has_errors() {
                self.ephemeral.failed.insert((prior, n));
            }
            found.extend(own);
        })
    }

    async fn open_once(
        &mut self,
        n: NodeIndex,
        m: ModuleId,
        key: &ResourceKey,
        prior: bool,
        found: &mut Diagnostics,
    ) {
        let resource = &self.config.module(m).resources[key];
        let state = match self.connection(&resource.provider_address, prior).await {
            Ok(state) => state,
            Err(ds) => return found.extend(ds),
        };
        let Some(world) = self.world(prior) else {
            return;
        };
        let list = wanted(world, m, key, resource, found);
        if let Some(w) = list.iter().find(|w| !w.config.is_wholly_known()) {
            found.push(
                Diagnostic::error("Value not known", "Something that the arguments of the ephemeral resource refer to is not known, though it is needed now.")
                    .with_address(&w.address)
                    .with_range(Some(resource.range.clone())),
            );
        }
        if found.has_errors() {
            return;
        }
        let given_up = interrupted(Some(self.interrupt.clone()), Interrupt::Now);
        let all = tokio::select! {
            all = open(n, resource, list, &state.connection, &self.listener) => all,
            () = given_up => {
                let detail = "It was being opened when the run was stopped. If it was opened nevertheless, it stays open until it expires.";
                found.push(
                    Diagnostic::error("Ephemeral resource not open", detail)
                        .with_range(Some(resource.range.clone())),
                );
                return;
            }
        };
        for (w, made) in all {
            match made {
                Ok((value, opened)) => {
                    self.ephemeral.opened.push(opened);
                    let Some(world) = self.world(prior) else {
                        continue;
                    };
                    put(world, &w, resource, value.clone());
                    let scope = ModuleScope {
                        each: Some(&w.each),
                        itself: Some(&value),
                        ..world.scope(m, w.instance)
                    };
                    let rules = &resource.lifecycle.postconditions;
                    let summary = "Resource postcondition failed";
                    let mut own = Diagnostics::new();
                    let checked =
                        world.check_rules(rules, &scope, summary, &resource.range, &mut own);
                    found.extend(own.map(|d| d.with_address(&w.address)));
                    if !rules.is_empty() && !prior {
                        let node = &self.graph.graph[n];
                        let (module, key) = (&w.address.resource.module, &w.address.key);
                        let checks = &mut self.inner.world.checks;
                        checks.record(self.config, node, module, key, Time::After, checked);
                    }
                }
                Err(ds) => found.extend(ds),
            }
        }
    }

    fn world(&mut self, prior: bool) -> Option<&mut World> {
        if prior {
            self.inner.prior.as_mut()
        } else {
            Some(&mut self.inner.world)
        }
    }

    /// Closes all that is open.
    pub(super) async fn close_ephemerals(&mut self) {
        let opened = mem::take(&mut self.ephemeral.opened);
        let mut closing = mem::take(&mut self.ephemeral.closing);
        let listener = self.listener.clone();
        let all = async move {
            let mut found = Diagnostics::new();
            while let Some(ds) = closing.next().await {
                found.extend(ds);
            }
            found.extend(close(opened, &listener).await);
            found
        };
        let hurry = interrupted(Some(self.interrupt.clone()), Interrupt::Now);
        let found = closed(all, hurry).await;
        self.outcome.diagnostics.extend(found);
    }
}
