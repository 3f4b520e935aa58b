//! Ephemeral resources while planning: opened when their configuration is known and their provider
//! is connected, and all closed when the plan is made.

use std::mem;

use petgraph::graph::NodeIndex;
use tokio::sync::watch;
use topo_sdk::{Diagnostic, Diagnostics, Value};

use super::{Planner, ProviderState};
use crate::address::{InstanceAddress, ProviderAddress};
use crate::apply::Interrupt;
use crate::config::{ModuleId, Resource, ResourceKey};
use crate::ephemeral::{Wanted, close, closed, interrupted, open, put, unopened, wanted};
use crate::events::Event;
use crate::graph::{Graph, Node};
use crate::world::{Each, Instances};

/// While it lives, something is being opened and must not be given up.
struct Opening<'a>(&'a watch::Sender<usize>);

impl<'a> Opening<'a> {
    fn begin(count: &'a watch::Sender<usize>) -> Opening<'a> {
        count.send_modify(|n| *n += 1);
        Opening(count)
    }
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|n| *n -= 1);
    }
}

/// What is told of a plan that was given up.
pub(super) fn interruption() -> Diagnostic {
    Diagnostic::error(
        "Interrupted",
        "The plan was not finished, and nothing of it has been done.",
    )
}

impl Planner<'_> {
    /// Whether somebody interrupted.
    pub(super) fn is_interrupted(&self) -> bool {
        let by = self.options.interrupt.as_ref();
        by.is_some_and(|i| *i.borrow() != Interrupt::None)
    }

    /// Ends when planning is to be given up: at the first interrupt, but not while something is
    /// being opened, which nobody would close; at the second in any case.
    pub(super) fn given_up(&self) -> impl Future<Output = ()> + Send + 'static {
        let by = self.options.interrupt.clone();
        let mut opening = self.opening.subscribe();
        let listener = self.listener.clone();
        async move {
            interrupted(by.clone(), Interrupt::Graceful).await;
            let running = *opening.borrow();
            if running > 0 {
                listener(Event::Interrupted { running });
            }
            let settled = async { opening.wait_for(|n| *n == 0).await.is_ok() };
            tokio::select! {
                _ = settled => {}
                () = interrupted(by, Interrupt::Now) => {}
            }
        }
    }

    /// Opens instances of an ephemeral resource; what cannot be opened yet is unknown.
    #[expect(
        clippy::too_many_arguments,
        reason = "everything that says where the resource is"
    )]
    pub(super) async fn open_ephemerals(
        &mut self,
        graph: &Graph,
        index: NodeIndex,
        resource: &Resource,
        m: ModuleId,
        i: usize,
        key: &ResourceKey,
        configured: Vec<(InstanceAddress, Value)>,
    ) {
        let pending = self.pending_dependency(graph, resource, m);
        let connection = self
            .slots
            .get(&resource.provider_address)
            .and_then(|s| s.current.as_ref())
            .map(|s| s.connection.clone());
        let mut ready = Vec::new();
        for (address, config) in configured {
            let value = unopened(resource, &config);
            self.set(m, i, key, address.key.clone(), value);
            if !pending && config.is_wholly_known() {
                let each = Each {
                    key: address.key.clone(),
                    value: None,
                };
                ready.push(Wanted {
                    module: m,
                    instance: i,
                    each,
                    address,
                    config,
                });
            }
        }
        let Some(connection) = connection else { return };
        if self.is_interrupted() {
            return;
        }
        let _opening = Opening::begin(&self.opening);
        for (w, made) in open(index, resource, ready, &connection, &self.listener).await {
            match made {
                Ok((value, opened)) => {
                    put(&mut self.world, &w, resource, value);
                    self.opened.push(opened);
                }
                Err(ds) => self.diagnostics.extend(ds),
            }
        }
    }

    /// Opens an ephemeral resource in the world as it was. Errors are left aside: what they
    /// concern is unknown.
    pub(super) async fn prior_ephemeral(&mut self, graph: &Graph, m: ModuleId, key: &ResourceKey) {
        let config = self.config.clone();
        let resource = &config.module(m).resources[key];
        let Some(index) = graph.find(&Node::Resource(m, key.clone())) else {
            return;
        };
        let Some(state) = self.any_connection(&resource.provider_address).await else {
            return;
        };
        if self.is_interrupted() {
            return;
        }
        let Some(world) = &mut self.prior else { return };
        let mut aside = Diagnostics::new();
        let mut list = wanted(world, m, key, resource, &mut aside);
        let shape = crate::world::Shape::of(&resource.repetition);
        for values in &mut world.modules[m] {
            values.resources.insert(key.clone(), Instances::new(shape));
        }
        for w in &list {
            put(world, w, resource, unopened(resource, &w.config));
        }
        if aside.has_errors() {
            return;
        }
        list.retain(|w| w.config.is_wholly_known());
        let _opening = Opening::begin(&self.opening);
        let connection = &state.connection;
        for (w, made) in open(index, resource, list, connection, &self.listener).await {
            if let (Ok((value, opened)), Some(world)) = (made, &mut self.prior) {
                put(world, &w, resource, value);
                self.opened.push(opened);
            }
        }
    }

    /// The connection of a provider as it is or was, made for this where nothing else needed it.
    pub(super) async fn any_connection(
        &mut self,
        address: &ProviderAddress,
    ) -> Option<ProviderState> {
        Box::pin(self.open_provider(address)).await;
        let slot = self.slots.get(address)?;
        if let Some(state) = slot.current.as_ref().or(slot.prior.as_ref()) {
            return Some(state.clone());
        }
        let was = Box::pin(self.prior_config(address)).await.ok()?;
        let state = self.connect(address, was).await?;
        self.slots.get_mut(address)?.prior = Some(state.clone());
        Some(state)
    }

    /// Closes all that was opened.
    pub(super) async fn close_ephemerals(&mut self) {
        let opened = mem::take(&mut self.opened);
        let hurry = interrupted(self.options.interrupt.clone(), Interrupt::Now);
        let found = closed(close(opened, &self.listener), hurry).await;
        self.diagnostics.extend(found);
    }
}
