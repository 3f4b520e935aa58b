//! Connections during a run: made when what they are configured from is known, made anew before
//! their credentials expire.

use super::Run;
use super::drive::evaluate;
use crate::address::{ProviderAddress, ResourceMode};
use crate::changes::InstanceChange;
use crate::config::{Config, ModuleId};
use crate::events::Event;
use crate::graph::{Graph, Node};
use crate::plan::{ProviderState, good_for, mark, provider_config, provider_node, sensitive_paths};
use crate::providers::Providers;
use crate::world::{ModuleScope, World};
use jiff::Timestamp;
use std::sync::Arc;
use topo_sdk::{Connection, Diagnostics, Value};

impl Run<'_> {
    /// Configures a provider whose configuration was not known when the run was planned.
    pub(super) async fn configure(&mut self, address: &ProviderAddress) -> bool {
        let needed = self
            .inner
            .slots
            .get(address)
            .is_some_and(|s| s.deferred && s.current.is_none());
        if !needed {
            return true;
        }
        if let Some(node) = provider_node(self.config, self.graph, address)
            && let Err(ds) = self.open_behind(node).await
        {
            self.outcome
                .diagnostics
                .extend(ds.map(|d| d.with_address(address)));
            return false;
        }
        match connect(
            self.providers,
            self.config,
            self.graph,
            address,
            &self.inner.world,
        )
        .await
        {
            Ok(state) => {
                if let Some(slot) = self.inner.slots.get_mut(address) {
                    slot.current = Some(state);
                }
                (self.listener)(Event::ProviderConfigured {
                    provider: address.clone(),
                });
                true
            }
            Err(ds) => {
                self.outcome
                    .diagnostics
                    .extend(ds.map(|d| d.with_address(address)));
                false
            }
        }
    }

    /// The connection through which a change is made: its provider's, or that of who stands in.
    pub(super) async fn connection_of(
        &mut self,
        change: &InstanceChange,
        existing: bool,
    ) -> Result<ProviderState, Diagnostics> {
        match self.providers.stand_in(change.address()) {
            Some(stand_in) => Ok(ProviderState {
                connection: stand_in.connection.clone(),
                config: Value::NULL,
                since: Timestamp::now(),
                good_for: None,
                lapsed: false,
            }),
            None => self.connection(&change.provider, existing).await,
        }
    }

    /// The connection for an operation, configured anew when its credentials are about to expire.
    pub(super) async fn connection(
        &mut self,
        address: &ProviderAddress,
        existing: bool,
    ) -> Result<ProviderState, Diagnostics> {
        let slot = self.inner.slots.get(address);
        let prior = existing && slot.is_some_and(|s| s.prior.is_some());
        let found = slot
            .and_then(|s| {
                if prior {
                    s.prior.as_ref()
                } else {
                    s.current.as_ref()
                }
            })
            .cloned();
        let Some(state) = found else {
            return Err(Diagnostics::error(
                "Provider not configured",
                format!("{address} has no configuration that could be used."),
            ));
        };
        if !state.is_stale() {
            return Ok(state);
        }
        let renewed = self.renew(address, prior).await?;
        if let Some(slot) = self.inner.slots.get_mut(address) {
            let place = if prior {
                &mut slot.prior
            } else {
                &mut slot.current
            };
            *place = Some(renewed.clone());
        }
        Ok(renewed)
    }

    /// Reads what expires anew, evaluates what lies between it and the provider's configuration,
    /// and connects again.
    pub(super) async fn renew(
        &mut self,
        address: &ProviderAddress,
        prior: bool,
    ) -> Result<ProviderState, Diagnostics> {
        let graph = self.graph;
        let Some(node) = provider_node(self.config, graph, address) else {
            return Err(Diagnostics::error(
                "Provider not configured",
                format!("{address} has no block."),
            ));
        };
        let mut found = Diagnostics::new();
        for n in graph.ancestors(node) {
            let Some(world) = (if prior {
                self.inner.prior.as_mut()
            } else {
                Some(&mut self.inner.world)
            }) else {
                continue;
            };
            match graph.graph[n].clone() {
                Node::Resource(m, key) if key.0 == ResourceMode::Data => {
                    let resource = &self.config.module(m).resources[&key];
                    if resource.schema.expires_after.is_none() {
                        continue;
                    }
                    let connection = self
                        .inner
                        .slots
                        .get(&resource.provider_address)
                        .and_then(|s| s.current.as_ref().or(s.prior.as_ref()))
                        .map(|s| s.connection.clone());
                    reread(world, m, &key, resource, connection.as_ref(), &mut found).await;
                }
                Node::Resource(m, key) if key.0 == ResourceMode::Ephemeral => {
                    let resource = &self.config.module(m).resources[&key];
                    if let Some(good_for) = resource.schema.expires_after {
                        self.ephemeral.expire(prior, n, good_for);
                    }
                    self.open_node(n, m, &key, prior, &mut found).await;
                }
                Node::Resource(..) | Node::Provider(..) | Node::Call(..) => {}
                other => evaluate(world, &other, &mut found),
            }
        }
        if found.has_errors() {
            return Err(found);
        }
        let world = match (prior, &self.inner.prior) {
            (true, Some(w)) => w,
            _ => &self.inner.world,
        };
        connect(self.providers, self.config, graph, address, world).await
    }
}

pub(super) async fn connect(
    providers: &Providers,
    config: &Config,
    graph: &Graph,
    address: &ProviderAddress,
    world: &World,
) -> Result<ProviderState, Diagnostics> {
    let mut found = Diagnostics::new();
    let value = provider_config(providers, address, world, &mut found);
    if found.has_errors() {
        return Err(found);
    }
    if !value.is_wholly_known() {
        return Err(Diagnostics::error(
            "Provider configuration not known",
            format!("Something that the configuration of {address} refers to is still not known."),
        ));
    }
    let Some(provider) = providers.of(address) else {
        return Err(providers.unknown(&address.name).into());
    };
    let connection = provider.configure(&value.clone().unmark_deep()).await?;
    Ok(ProviderState {
        connection,
        config: value,
        since: Timestamp::now(),
        good_for: good_for(config, graph, address),
        lapsed: false,
    })
}

/// Reads the instances of a data source anew.
pub(super) async fn reread(
    world: &mut World,
    m: ModuleId,
    key: &crate::config::ResourceKey,
    resource: &crate::config::Resource,
    connection: Option<&Arc<dyn Connection>>,
    found: &mut Diagnostics,
) {
    let Some(connection) = connection else { return };
    for i in 0..world.modules[m].len() {
        let Ok((_, items)) = world.expand(&resource.repetition, m, i, "") else {
            continue;
        };
        for each in items {
            let scope = ModuleScope {
                each: Some(&each),
                ..world.scope(m, i)
            };
            let configured = resource.body.decode(&resource.schema.block, &scope, found);
            if !configured.is_wholly_known() {
                continue;
            }
            let marked = sensitive_paths(&configured);
            match connection
                .read_data(&key.1, &configured.unmark_deep())
                .await
            {
                Ok(v) => {
                    if let Some(instances) = world.modules[m][i].resources.get_mut(key) {
                        instances.set(each.key.clone(), mark(&resource.schema.block, v, &marked));
                    }
                }
                Err(ds) => found.extend(ds),
            }
        }
    }
}
