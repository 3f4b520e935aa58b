//! What was: a provider configuration and whatever is behind it, evaluated over the state instead
//! of over what is planned.

use std::collections::BTreeMap;
use std::sync::Arc;

use petgraph::graph::NodeIndex;
use topo_sdk::{Diagnostics, Value};

use super::provider_node;
use crate::address::{ProviderAddress, ResourceAddress, ResourceMode};
use crate::config::{ModuleId, ResourceKey};
use crate::graph::{Graph, Node};
use crate::plan::Planner;
use crate::plan::marks::{mark, sensitive_paths};
use crate::store::RecordKey;
use crate::world::{Instances, ModuleScope, Shape, World};

impl Planner<'_> {
    /// The configuration as it was: evaluated over the objects in the state.
    ///
    /// Errors in words, when it cannot be known.
    pub(in crate::plan) async fn prior_config(
        &mut self,
        address: &ProviderAddress,
    ) -> Result<Value, String> {
        let config = self.config.clone();
        let Some(graph) = config.graph() else {
            return Err("there is no configuration.".into());
        };
        self.begin_prior();
        if let Some(node) = provider_node(&config, graph, address) {
            self.prior_ancestors(graph, node).await;
        }
        let mut found = Diagnostics::new();
        let Some(world) = &self.prior else {
            return Err("nothing is known of it.".into());
        };
        let value = self.provider_config(address, world, &mut found);
        if found.has_errors() {
            return Err(format!("{found}."));
        }
        if value.is_wholly_known() {
            Ok(value)
        } else {
            Err("it refers to objects that are not in the state.".into())
        }
    }

    /// What is as the state has it, with nothing in it yet.
    fn begin_prior(&mut self) {
        if self.prior.is_none() {
            let (config, given) = (self.config.clone(), self.given.clone());
            let mut world = World::new(config, given, self.world.plan_time);
            world.planning = false;
            world.workspace = self.options.workspace.clone();
            self.prior = Some(world);
        }
    }

    /// Evaluates a node and everything behind it over the state.
    async fn prior_ancestors(&mut self, graph: &Graph, node: NodeIndex) {
        for n in graph.ancestors(node) {
            if self.prior_done.insert(n) {
                self.prior_node(graph, n).await;
            }
        }
    }

    /// The outputs of the root module over the state, as far as they come to anything.
    pub(in crate::plan) async fn prior_outputs(&mut self) -> BTreeMap<Arc<str>, Value> {
        let config = self.config.clone();
        let Some(graph) = config.graph() else {
            return BTreeMap::new();
        };
        self.begin_prior();
        for name in config.root().outputs.keys() {
            if let Some(node) = graph.find(&Node::Output(0, name.clone()))
                && self.selection.has_node(node)
            {
                self.prior_ancestors(graph, node).await;
            }
        }
        let root = self.prior.as_ref().and_then(|w| w.modules.first()?.first());
        let outputs = root.into_iter().flat_map(|r| &r.outputs);
        outputs
            .filter(|(_, v)| v.is_wholly_known())
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect()
    }

    /// Evaluates one node over the state. Errors are left aside: what they concern is unknown.
    async fn prior_node(&mut self, graph: &Graph, n: NodeIndex) {
        let mut aside = Diagnostics::new();
        let node = graph.graph[n].clone();
        if let Node::Resource(m, key) = &node {
            match key.0 {
                ResourceMode::Managed => {
                    // What they are is known when they have been recovered and read.
                    let provider = &self.config.module(*m).resources[key].provider_address;
                    let provider = provider.clone();
                    Box::pin(self.open_provider(&provider)).await;
                    self.prior_managed(*m, key);
                }
                ResourceMode::Data => Box::pin(self.prior_data(*m, key)).await,
                ResourceMode::Ephemeral => {
                    Box::pin(self.prior_ephemeral(graph, *m, key)).await;
                }
            }
            return;
        }
        let Some(world) = &mut self.prior else { return };
        match &node {
            Node::Variable(m, name) => {
                (0..world.modules[*m].len()).for_each(|i| world.variable(*m, i, name, &mut aside))
            }
            Node::Local(m, name) => {
                (0..world.modules[*m].len()).for_each(|i| world.local(*m, i, name, &mut aside))
            }
            Node::Output(m, name) => {
                (0..world.modules[*m].len()).for_each(|i| world.output(*m, i, name, &mut aside))
            }
            Node::Call(m, name) => {
                world.call(*m, name, &mut aside);
            }
            _ => {}
        }
    }

    fn prior_managed(&mut self, m: ModuleId, key: &ResourceKey) {
        let Some(world) = &mut self.prior else { return };
        let shape = Shape::of(&self.config.module(m).resources[key].repetition);
        for values in &mut world.modules[m] {
            let address = ResourceAddress {
                module: values.address.clone(),
                mode: key.0,
                type_name: key.1.clone(),
                name: key.2.clone(),
            };
            let mut instances = Instances::new(shape);
            let from = RecordKey::from(address.instance(None));
            for (k, r) in self
                .state
                .records
                .range(from..)
                .take_while(|(k, _)| k.address.resource == address)
            {
                if k.deposed.is_none() {
                    instances.set(k.address.key.clone(), r.value.clone());
                }
            }
            values.resources.insert(key.clone(), instances);
        }
    }

    async fn prior_data(&mut self, m: ModuleId, key: &ResourceKey) {
        let config = self.config.clone();
        let resource = &config.module(m).resources[key];
        let count = self.prior.as_ref().map_or(0, |w| w.modules[m].len());
        for i in 0..count {
            let Some(world) = &self.prior else { return };
            let Ok((shape, items)) = world.expand(&resource.repetition, m, i, "") else {
                continue;
            };
            let mut wanted = Vec::new();
            for each in items {
                let mut aside = Diagnostics::new();
                let scope = ModuleScope {
                    each: Some(&each),
                    ..world.scope(m, i)
                };
                let value = resource
                    .body
                    .decode(&resource.schema.block, &scope, &mut aside);
                if !aside.has_errors() && value.is_wholly_known() {
                    wanted.push((each.key.clone(), value));
                }
            }
            let mut instances = Instances::new(shape);
            for (k, value) in wanted {
                if let Some(v) = self.read_prior_data(resource, key, value).await {
                    instances.set(k, v);
                }
            }
            if let Some(world) = &mut self.prior {
                world.modules[m][i].resources.insert(key.clone(), instances);
            }
        }
    }

    async fn read_prior_data(
        &mut self,
        resource: &crate::config::Resource,
        key: &ResourceKey,
        configured: Value,
    ) -> Option<Value> {
        let marked = sensitive_paths(&configured);
        let plain = configured.unmark_deep();
        let provider = self.providers.of(&resource.provider_address)?.clone();
        let made = match provider.compute_data(&key.1, &plain) {
            Some(made) => made,
            None => {
                let state = self.any_connection(&resource.provider_address).await?;
                state.connection.read_data(&key.1, &plain).await
            }
        };
        made.ok().map(|v| mark(&resource.schema.block, v, &marked))
    }
}
