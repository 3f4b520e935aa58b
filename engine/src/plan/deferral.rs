//! What is left to a later round, because how many instances there are is not known yet: these
//! blocks, and everything that depends on them.

use std::collections::HashSet;

use petgraph::graph::NodeIndex;
use topo_sdk::{Type, Value};

use super::Planner;
use super::selection::prerequisites;
use crate::address::ResourceMode;
use crate::changes::{Deferred, DeferredReason};
use crate::config::{Config, ModuleId, Repetition, ResourceKey};
use crate::graph::{Graph, Node};
use crate::store::RecordKey;
use crate::world::{Instances, Shape, sources};

impl Planner<'_> {
    /// Whether a node waits for something that is left to a later round. Values that do are
    /// evaluated nevertheless, with unknown parts.
    pub(super) fn waits(&mut self, graph: &Graph, index: NodeIndex) -> bool {
        if self.later.is_empty() || !graph.requirements(index).any(|r| self.later.contains(&r)) {
            return false;
        }
        self.later.insert(index);
        match &graph.graph[index] {
            Node::Resource(m, key) => {
                self.leave(*m, key, DeferredReason::Prerequisite);
                true
            }
            Node::Call(..) | Node::Provider(..) => true,
            _ => false,
        }
    }

    /// Leaves a block to a later round.
    pub(super) fn leave(&mut self, m: ModuleId, key: &ResourceKey, reason: DeferredReason) {
        let config = self.config.clone();
        let resource = &config.module(m).resources[key];
        let shape = Shape::of(&resource.repetition);
        for values in &mut self.world.modules[m] {
            let instances = || Instances::opaque(shape, Value::unknown(Type::Dynamic));
            let known = values.resources.entry(key.clone());
            known.or_insert_with(instances);
        }
        if key.0 == ResourceMode::Ephemeral {
            return;
        }
        let unknown_call = unknown_call(&config, m, &|m, name| {
            let graph = config.graph();
            let node = graph.and_then(|g| g.find(&Node::Call(m, name.into())));
            node.is_some_and(|n| self.unknown_calls.contains(&n))
        });
        let reason = match unknown_call {
            Some(_) => DeferredReason::InstanceCountUnknown,
            None => reason,
        };
        let repetition = match (&reason, unknown_call) {
            (DeferredReason::Prerequisite, _) => None,
            (_, Some((parent, call))) => {
                Some((parent, &config.module(parent).calls[call].repetition))
            }
            (_, None) => Some((m, &resource.repetition)),
        };
        let expression = repetition.and_then(|(m, r)| Some((m, r.expression()?)));
        self.deferred.push(Deferred {
            address: wildcard(&config, m, key),
            resource: super::selection::block_address(&config, m, key),
            provider: resource.provider_address.clone(),
            reason,
            unknown: expression
                .map(|(m, e)| sources(&config, m, e))
                .unwrap_or_default(),
            schema: resource.schema.clone(),
        });
    }

    /// Objects that are neither changed nor removed in this round: those of blocks that are left
    /// to a later one, and what they depend on.
    pub(super) fn kept_for_later(&self) -> HashSet<RecordKey> {
        if self.deferred.is_empty() {
            return HashSet::new();
        }
        let blocks: HashSet<_> = self.deferred.iter().map(|d| &d.resource).collect();
        let keys = self.state.records.keys().filter(|k| {
            let block = super::selection::without_keys(&k.address.resource);
            blocks.contains(&block)
        });
        prerequisites(&self.state, keys.cloned().collect())
    }
}

/// The outermost call on the way to a module whose instances are not known.
fn unknown_call<'a>(
    config: &'a Config,
    mut m: ModuleId,
    is_unknown: &dyn Fn(ModuleId, &str) -> bool,
) -> Option<(ModuleId, &'a str)> {
    let mut found = None;
    while let Some((parent, call)) = &config.module(m).parent {
        if is_unknown(*parent, call) {
            found = Some((*parent, &**call));
        }
        m = *parent;
    }
    found
}

/// The address of a block with `[*]` wherever there are keys: `module.a[*].aws_subnet.s[*]`.
fn wildcard(config: &Config, m: ModuleId, key: &ResourceKey) -> String {
    let star = |r: &Repetition| match Shape::of(r).is_keyed() {
        true => "[*]",
        false => "",
    };
    let mut calls = Vec::new();
    let mut module = m;
    while let Some((parent, name)) = &config.module(module).parent {
        let call = &config.module(*parent).calls[name];
        calls.push(format!("module.{name}{}.", star(&call.repetition)));
        module = *parent;
    }
    calls.reverse();
    let own = &config.module(m).resources[key];
    format!(
        "{}{}{}.{}{}",
        calls.concat(),
        key.0.prefix(),
        key.1,
        key.2,
        star(&own.repetition)
    )
}
