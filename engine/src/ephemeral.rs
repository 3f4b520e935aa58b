//! Ephemeral resources: opened for a phase of a run, kept from expiring, and closed.
//!
//! Their values are marked as ephemeral, deep, and live in a [`World`] of one phase alone. Nothing
//! of them is written to state, journal or plan file.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use jiff::Timestamp;
use petgraph::graph::NodeIndex;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use topo_sdk::plan::propose;
use topo_sdk::{Connection, Diagnostic, Diagnostics, Marks, Value};

use crate::address::{InstanceAddress, ResourceAddress, ResourceMode};
use crate::apply::Interrupt;
use crate::config::{Config, ModuleId, Resource, ResourceKey};
use crate::events::{EphemeralAction, Event, Listener};
use crate::graph::{Graph, Node};
use crate::plan::{mark, sensitive_paths};
use crate::world::{Each, Instances, ModuleScope, World};

/// The least time between two renewals, whatever the provider says.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a run that does not wait any more waits for ephemeral resources to close.
const PATIENCE: Duration = Duration::from_secs(10);

/// An instance with its configuration.
pub(crate) struct Wanted {
    pub(crate) module: ModuleId,
    pub(crate) instance: usize,
    pub(crate) each: Each,
    pub(crate) address: InstanceAddress,
    pub(crate) config: Value,
}

/// An instance that is open.
pub(crate) struct Opened {
    /// Its block.
    pub(crate) node: NodeIndex,
    address: InstanceAddress,
    connection: Arc<dyn Connection>,
    lease: Lease,
}

enum Lease {
    /// Needs no renewing; what to hand back.
    Still(Vec<u8>),
    /// A task that renews it until told to stop, and then says what to hand back.
    Renewed(oneshot::Sender<()>, Renewing),
}

/// Ends with its owner, also where nobody waits for it.
struct Renewing(JoinHandle<(Vec<u8>, Diagnostics)>);

impl Drop for Renewing {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A value of which everything is ephemeral.
pub(crate) fn ephemeral(value: Value) -> Value {
    value.map_children(ephemeral).with_marks(Marks::EPHEMERAL)
}

/// What is known of an ephemeral resource that is not open.
pub(crate) fn unopened(resource: &Resource, config: &Value) -> Value {
    let marked = sensitive_paths(config);
    let proposed = propose(&resource.schema.block, None, &config.clone().unmark_deep());
    ephemeral(mark(&resource.schema.block, proposed, &marked))
}

/// The instances of an ephemeral resource in a world, as far as their number is known, each with
/// its configuration. Preconditions that do not hold are errors.
pub(crate) fn wanted(
    world: &World,
    m: ModuleId,
    key: &ResourceKey,
    resource: &Resource,
    found: &mut Diagnostics,
) -> Vec<Wanted> {
    let mut made = Vec::new();
    for i in 0..world.modules[m].len() {
        let Ok((_, items)) = world.expand(&resource.repetition, m, i, "") else {
            continue;
        };
        let block = ResourceAddress {
            module: world.modules[m][i].address.clone(),
            mode: key.0,
            type_name: key.1.clone(),
            name: key.2.clone(),
        };
        for each in items {
            let address = block.instance(each.key.clone());
            let scope = ModuleScope {
                each: Some(&each),
                ..world.scope(m, i)
            };
            let mut own = Diagnostics::new();
            let rules = &resource.lifecycle.preconditions;
            let summary = "Resource precondition failed";
            world.check_rules(rules, &scope, summary, &resource.range, &mut own);
            let config = resource
                .body
                .decode(&resource.schema.block, &scope, &mut own);
            found.extend(own.map(|d| d.with_address(&address)));
            made.push(Wanted {
                module: m,
                instance: i,
                each,
                address,
                config,
            });
        }
    }
    made
}

/// Opens instances of one resource side by side. What could be opened is put into the world; the
/// rest is errors.
pub(crate) async fn open(
    node: NodeIndex,
    resource: &Resource,
    wanted: Vec<Wanted>,
    connection: &Arc<dyn Connection>,
    listener: &Listener,
) -> Vec<(Wanted, Result<(Value, Opened), Diagnostics>)> {
    join_all(wanted.into_iter().map(|w| async move {
        let (type_name, address) = (&w.address.resource.type_name, &w.address);
        let marked = sensitive_paths(&w.config);
        let plain = w.config.clone().unmark_deep();
        let opening = connection.open_ephemeral(type_name, &plain);
        let answer = told(listener, address, EphemeralAction::Open, opening).await;
        let made = answer.map(|opened| {
            let value = mark(&resource.schema.block, opened.value, &marked);
            let lease = match opened.renew_at {
                None => Lease::Still(opened.private),
                Some(at) => renewed(connection, address, opened.private, at, listener),
            };
            let opened = Opened {
                node,
                address: address.clone(),
                connection: connection.clone(),
                lease,
            };
            (ephemeral(value), opened)
        });
        let made = made.map_err(|ds| {
            ds.map(|d| crate::config::locate(d, &resource.body).with_address(address))
        });
        (w, made)
    }))
    .await
}

/// Puts the value of an instance into a world.
pub(crate) fn put(world: &mut World, w: &Wanted, resource: &Resource, value: Value) {
    let r = &w.address.resource;
    let key = (r.mode, r.type_name.clone(), r.name.clone());
    let shape = crate::world::Shape::of(&resource.repetition);
    world.modules[w.module][w.instance]
        .resources
        .entry(key)
        .or_insert_with(|| Instances::new(shape))
        .set(w.each.key.clone(), value);
}

/// A call that is told of.
async fn told<T>(
    listener: &Listener,
    address: &InstanceAddress,
    action: EphemeralAction,
    call: impl Future<Output = Result<T, Diagnostics>>,
) -> Result<T, Diagnostics> {
    let started = Instant::now();
    let address = address.clone();
    listener(Event::EphemeralStarted {
        address: address.clone(),
        action,
    });
    let answer = call.await;
    let elapsed = started.elapsed();
    listener(match &answer {
        Ok(_) => Event::EphemeralFinished {
            address,
            action,
            elapsed,
        },
        Err(_) => Event::EphemeralFailed {
            address,
            action,
            elapsed,
        },
    });
    answer
}

/// Starts renewing: at the given time, and then whenever the provider says.
fn renewed(
    connection: &Arc<dyn Connection>,
    address: &InstanceAddress,
    private: Vec<u8>,
    at: Timestamp,
    listener: &Listener,
) -> Lease {
    let (stop, mut stopped) = oneshot::channel();
    let (connection, address, listener) = (connection.clone(), address.clone(), listener.clone());
    let task = async move {
        let mut private = private;
        let mut pause = until(at);
        loop {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = &mut stopped => return (private, Diagnostics::new()),
            }
            let renewing = connection.renew_ephemeral(&address.resource.type_name, &private);
            match told(&listener, &address, EphemeralAction::Renew, renewing).await {
                Ok(renewed) => {
                    private = renewed.private;
                    match renewed.renew_at {
                        Some(at) => pause = until(at).max(PAUSE),
                        None => return (private, Diagnostics::new()),
                    }
                }
                Err(ds) => return (private, ds.map(|d| d.with_address(&address))),
            }
        }
    };
    Lease::Renewed(stop, Renewing(tokio::spawn(task)))
}

fn until(at: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default()
}

/// Closes instances, those that were opened last first: they may need the others.
pub(crate) async fn close(mut list: Vec<Opened>, listener: &Listener) -> Diagnostics {
    let mut found = Diagnostics::new();
    while let Some(opened) = list.pop() {
        let private = match opened.lease {
            Lease::Still(private) => private,
            Lease::Renewed(stop, mut renewing) => {
                let _ = stop.send(()); // it may have ended by itself
                match (&mut renewing.0).await {
                    Ok((private, ds)) => {
                        found.extend(ds);
                        private
                    }
                    Err(e) => {
                        let d = Diagnostic::error(
                            "Renewing an ephemeral resource failed",
                            format!("What it was last renewed with is not known: {e}."),
                        );
                        found.push(d.with_address(&opened.address));
                        continue;
                    }
                }
            }
        };
        let type_name = &opened.address.resource.type_name;
        let closing = opened.connection.close_ephemeral(type_name, &private);
        let action = EphemeralAction::Close;
        if let Err(ds) = told(listener, &opened.address, action, closing).await {
            found.extend(ds.map(|d| d.with_address(&opened.address)));
        }
    }
    found
}

/// Waits until somebody interrupts, with this force at least. Never ends where nobody can.
pub(crate) async fn interrupted(by: Option<watch::Receiver<Interrupt>>, force: Interrupt) {
    let enough = |now: &Interrupt| match force {
        Interrupt::Now => *now == Interrupt::Now,
        _ => *now != Interrupt::None,
    };
    let heard = match by {
        Some(mut by) => by.wait_for(enough).await.is_ok(),
        None => false,
    };
    if !heard {
        std::future::pending::<()>().await;
    }
}

/// The end of closing, waited for without limit until `hurry` is over, and then not for long.
pub(crate) async fn closed(
    closing: impl Future<Output = Diagnostics>,
    hurry: impl Future<Output = ()>,
) -> Diagnostics {
    let limit = async {
        hurry.await;
        tokio::time::sleep(PATIENCE).await;
    };
    tokio::select! {
        found = closing => found,
        () = limit => Diagnostic::warning(
            "Ephemeral resources were not closed",
            "The run was stopped, and closing took too long. What they stand for may stay valid until it expires.",
        )
        .into(),
    }
}

/// Whether a node is an ephemeral resource.
pub(crate) fn is_ephemeral(node: &Node) -> bool {
    matches!(node, Node::Resource(_, (ResourceMode::Ephemeral, ..)))
}

/// For each node the ephemeral resources that it needs, itself included; nodes that need none are
/// left out.
pub(crate) fn behind(
    config: &Config,
    graph: &Graph,
) -> std::collections::HashMap<NodeIndex, Arc<Vec<NodeIndex>>> {
    let mut all = std::collections::HashMap::new();
    if !config.has_ephemeral_resources() {
        return all;
    }
    for n in &graph.order {
        let mut own: Vec<NodeIndex> = Vec::new();
        for r in graph.requirements(*n) {
            let theirs: Option<&Arc<Vec<NodeIndex>>> = all.get(&r);
            own.extend(theirs.into_iter().flat_map(|v| v.iter().copied()));
        }
        own.extend(is_ephemeral(&graph.graph[*n]).then_some(*n));
        own.sort();
        own.dedup();
        if !own.is_empty() {
            all.insert(*n, Arc::new(own));
        }
    }
    all
}
