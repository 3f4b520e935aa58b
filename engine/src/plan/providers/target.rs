//! What a configuration leads to: whether that is going to be another thing, or is gone, with all
//! that was in it.

use std::collections::{BTreeSet, HashSet};

use petgraph::graph::NodeIndex;
use topo_sdk::{Path, Value};

use super::provider_node;
use crate::address::{ProviderAddress, ResourceMode};
use crate::changes::Reason;
use crate::config::ResourceKey;
use crate::graph::Node;
use crate::plan::Planner;
use crate::store::RecordKey;

impl Planner<'_> {
    /// Whether the target that a configuration identifies is going to be another one.
    pub(super) fn target_replaced(
        &self,
        address: &ProviderAddress,
        was: &Value,
        now: &Value,
    ) -> Option<Reason> {
        let schema = self.providers.of(address)?.provider_schema();
        let graph = self.config.graph()?;
        let (name, _) = schema.block.attributes.iter().find(|(name, a)| {
            a.identifies_target
                && now.get(name).is_some_and(|v| !v.is_known())
                && was.get(name).is_some_and(|v| !v.is_null())
        })?;
        // The objects that the argument comes from, not everything behind them.
        let (module, block) = self.config.provider_block(address)?;
        let written = block.body.get(name)?;
        let sources: BTreeSet<NodeIndex> = written
            .references
            .iter()
            .filter_map(|r| graph.named(&self.config, module, &r.target))
            .flat_map(|n| match &graph.graph[n] {
                Node::Resource(_, (ResourceMode::Managed, ..)) => BTreeSet::from([n]),
                _ => self
                    .resource_deps
                    .get(&n)
                    .map(|s| (**s).clone())
                    .unwrap_or_default(),
            })
            .collect();
        let because: Vec<_> = sources
            .iter()
            .filter_map(|n| self.changed.get(n))
            .flatten()
            .filter(|(_, action)| action.is_replace())
            .map(|(a, _)| a.clone())
            .collect();
        (!because.is_empty()).then(|| Reason::TargetReplaced {
            provider: address.clone(),
            argument: Path::attribute(name.clone()),
            because,
        })
    }

    /// Whether reading has shown that an object is gone which the configuration comes from.
    pub(super) fn target_is_gone(&self, address: &ProviderAddress) -> bool {
        let config = self.config.clone();
        let Some(graph) = config.graph() else {
            return false;
        };
        let Some(node) = provider_node(&config, graph, address) else {
            return false;
        };
        let behind: HashSet<(Vec<&str>, &ResourceKey)> = graph
            .ancestors(node)
            .into_iter()
            .filter_map(|n| match &graph.graph[n] {
                Node::Resource(m, key) => {
                    let path = config.module(*m).path.iter().map(|s| &**s).collect();
                    Some((path, key))
                }
                _ => None,
            })
            .collect();
        self.drift.iter().filter(|d| d.after.is_none()).any(|d| {
            let r = &d.key.address.resource;
            let path = r.module.steps().iter().map(|(n, _)| &**n).collect();
            let key = (r.mode, r.type_name.clone(), r.name.clone());
            behind.contains(&(path, &key))
        })
    }

    /// Objects whose target does not exist any more are gone with it.
    pub(super) fn forget_lost(&mut self, address: &ProviderAddress) {
        let lost: Vec<RecordKey> = self
            .state
            .records
            .iter()
            .filter(|(_, r)| r.provider == *address)
            .map(|(k, _)| k.clone())
            .collect();
        for key in lost {
            self.settle(key, None);
        }
    }
}
