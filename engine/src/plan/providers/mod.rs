//! Provider configurations during planning: what each is, what it was, and reading the objects
//! that were made through it.
//!
//! A configuration may come from objects of the same plan. Then there are two: what it will be
//! (unknown as long as the object behind it does not exist) and what it was (evaluated over the
//! refreshed state, in [`prior`]), through which existing objects are read and, in the end,
//! removed.

mod prior;
mod recover;
mod refresh;
mod target;

use std::sync::Arc;

use jiff::Timestamp;
use petgraph::graph::NodeIndex;
use topo_sdk::{Connection, Diagnostic, Diagnostics, Value};

use super::Planner;
use crate::address::ProviderAddress;
use crate::changes::{PlanMode, Reason};
use crate::config::Body;
use crate::graph::{Graph, Node};
use crate::world::World;

/// A connection, the configuration it was made with and when.
#[derive(Clone)]
pub struct ProviderState {
    /// The configured provider.
    pub connection: Arc<dyn Connection>,
    /// Its configuration, sensitive parts marked.
    pub config: Value,
    /// When it was configured.
    pub since: Timestamp,
    /// How long the credentials in the configuration are good, if they come from something that
    /// expires.
    pub good_for: Option<std::time::Duration>,
    /// Whether what its configuration comes from is no longer open: an ephemeral resource of the
    /// plan.
    pub lapsed: bool,
}

impl ProviderState {
    /// Whether it should be configured anew before it is used again.
    pub fn is_stale(&self) -> bool {
        let expired = self.good_for.is_some_and(|d| {
            let age = Timestamp::now().duration_since(self.since);
            std::time::Duration::try_from(age).is_ok_and(|age| age >= d)
        });
        expired || self.lapsed
    }
}

/// A provider configuration in a run.
#[derive(Clone, Default)]
pub struct Slot {
    /// As it will be; `None` while it is not known.
    pub current: Option<ProviderState>,
    /// As it was when the existing objects were made, where that is known and may differ.
    pub prior: Option<ProviderState>,
    /// Whether it can be configured only during apply.
    pub deferred: bool,
    /// Why every object made through it is replaced, if so.
    pub target_replaced: Option<Reason>,
}

impl Slot {
    /// What existing objects are read and removed through.
    pub fn for_existing(&self) -> Option<&ProviderState> {
        self.prior.as_ref().or(self.current.as_ref())
    }
}

impl Planner<'_> {
    /// Finds out what a provider configuration is and was, connects, recovers what a dead run
    /// left under way, and reads the objects that were made through it.
    pub(super) async fn open_provider(&mut self, address: &ProviderAddress) {
        if self.slots.contains_key(address) {
            return;
        }
        self.slots.insert(address.clone(), Slot::default());
        let Some(provider) = self.providers.of(address).cloned() else {
            self.diagnostics.push(self.providers.unknown(&address.name));
            return;
        };
        let has_records = self.has_records(address);
        if self.block_is_gone(address) {
            if has_records {
                self.block_is_missed(address);
            }
            return;
        }
        let mut slot = Slot::default();
        let mut unknown_now = None;
        if self.options.mode == PlanMode::Normal {
            let mut found = Diagnostics::new();
            let value = self.provider_config(address, &self.world, &mut found);
            let failed = found.has_errors();
            self.diagnostics.extend(found);
            if failed {
                return;
            }
            if value.is_wholly_known() {
                slot.current = self.connect(address, value).await;
                if slot.current.is_none() {
                    self.slots.insert(address.clone(), slot);
                    return;
                }
            } else {
                slot.deferred = true;
                unknown_now = Some(value);
            }
        }
        let has_records = has_records || self.state.intents.iter().any(|i| i.provider == *address);
        if has_records && slot.current.is_none() {
            match self.prior_config(address).await {
                Ok(was) => {
                    if let Some(now) = &unknown_now {
                        slot.target_replaced = self.target_replaced(address, &was, now);
                    }
                    slot.prior = self.connect(address, was).await;
                }
                Err(why) if provider.uses_network() || !self.config_is_empty(address) => {
                    // The objects behind the configuration are gone, and what was in them too.
                    if self.target_is_gone(address) {
                        self.forget_lost(address);
                    } else if self.state.records.values().any(|r| r.provider == *address) {
                        self.diagnostics.push(
                            Diagnostic::error(
                                "Provider configuration cannot be determined",
                                format!("Objects in the state were made through {address}, whose configuration is not known from the state: {why} They can be neither read nor removed. Restore what the configuration refers to, or remove these objects from the state."),
                            ),
                        );
                    }
                }
                Err(_) => {}
            }
        }
        self.slots.insert(address.clone(), slot.clone());
        if let Some(state) = slot.for_existing().cloned() {
            // Without a store what is found could not be kept.
            if self.options.store.is_some() {
                self.recover(address, &state).await;
            }
            if self.options.refresh && has_records {
                self.refresh(address, &state).await;
            }
        }
    }

    /// Whether there are objects that a provider configuration is needed for.
    fn has_records(&self, address: &ProviderAddress) -> bool {
        let mut records = self.state.records.values();
        records.any(|r| r.provider == *address && !self.only_forgotten(r))
    }

    /// Whether a configuration cannot be any more what it was, because its block is gone: without
    /// a block, only the root module's default one is known, for it is empty.
    fn block_is_gone(&self, address: &ProviderAddress) -> bool {
        self.config.provider_block(address).is_none()
            && (!address.module.is_empty() || address.alias.is_some())
    }

    /// Objects cannot be removed through a configuration that nobody knows.
    fn block_is_missed(&mut self, address: &ProviderAddress) {
        let records = self.state.records.values();
        let needing: Vec<String> = records
            .filter(|r| r.provider == *address && !self.only_forgotten(r))
            .map(|r| r.key.address.to_string())
            .collect();
        let shown = needing.iter().take(5).map(|a| format!("\n  - {a}"));
        let mut list: String = shown.collect();
        if needing.len() > 5 {
            list.push_str(&format!("\n  - and {} more", needing.len() - 5));
        }
        self.diagnostics.push(Diagnostic::error(
            "Provider configuration not present",
            format!("These objects are in the state and were made through {address}, whose block is not in the configuration any more:{list}\n\nWithout it they can be neither read nor destroyed. Put the provider block back until they are destroyed, or let go of them with a removed block that has destroy = false."),
        ));
    }

    fn config_is_empty(&self, address: &ProviderAddress) -> bool {
        self.config.provider_block(address).is_none()
    }

    /// The configuration of a provider as a world has it.
    fn provider_config(
        &self,
        address: &ProviderAddress,
        world: &World,
        diagnostics: &mut Diagnostics,
    ) -> Value {
        provider_config(self.providers, address, world, diagnostics)
    }

    pub(super) async fn connect(
        &mut self,
        address: &ProviderAddress,
        config: Value,
    ) -> Option<ProviderState> {
        let provider = self.providers.of(address)?;
        let block = self.config.provider_block(address);
        match provider.configure(&config.clone().unmark_deep()).await {
            Ok(connection) => Some(ProviderState {
                connection,
                config,
                since: Timestamp::now(),
                good_for: self.good_for(address),
                lapsed: false,
            }),
            Err(ds) => {
                self.diagnostics.extend(ds.map(|d| match block {
                    Some((_, b)) => crate::config::locate(d, &b.body).with_address(address),
                    None => d.with_address(address),
                }));
                None
            }
        }
    }

    /// The shortest time for which a data source behind the configuration is good.
    fn good_for(&self, address: &ProviderAddress) -> Option<std::time::Duration> {
        let graph = self.config.graph()?;
        good_for(&self.config, graph, address)
    }
}

/// The node of a provider configuration's block.
pub(crate) fn provider_node(
    config: &crate::config::Config,
    graph: &Graph,
    address: &ProviderAddress,
) -> Option<NodeIndex> {
    let (m, _) = config.provider_block(address)?;
    let key = config.modules[m]
        .providers
        .iter()
        .find(|((_, alias), b)| b.provider == address.name && *alias == address.alias)
        .map(|(k, _)| k.clone())?;
    graph.find(&Node::Provider(m, key))
}

/// The configuration of a provider as a world has it.
pub(crate) fn provider_config(
    providers: &crate::providers::Providers,
    address: &ProviderAddress,
    world: &World,
    diagnostics: &mut Diagnostics,
) -> Value {
    let Some(provider) = providers.of(address) else {
        return Value::NULL;
    };
    let schema = provider.provider_schema();
    match world.config.provider_block(address) {
        Some((m, block)) => block
            .body
            .decode(&schema.block, &world.scope(m, 0), diagnostics),
        None => {
            let range = topo_sdk::SourceRange {
                file: "".into(),
                start: Default::default(),
                end: Default::default(),
            };
            Body::empty(range).decode(&schema.block, &world.scope(0, 0), diagnostics)
        }
    }
}

/// The shortest time for which a data source behind a provider configuration is good.
pub(crate) fn good_for(
    config: &crate::config::Config,
    graph: &Graph,
    address: &ProviderAddress,
) -> Option<std::time::Duration> {
    let node = provider_node(config, graph, address)?;
    let times = graph
        .ancestors(node)
        .into_iter()
        .filter_map(|n| match &graph.graph[n] {
            Node::Resource(m, key) => config.module(*m).resources.get(key)?.schema.expires_after,
            _ => None,
        });
    times.min()
}
