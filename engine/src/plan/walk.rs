//! The walk over the static graph: everything is evaluated, instances are made and planned.

use super::{Detail, Planner};
use crate::address::{
    InstanceAddress, InstanceKey, ProviderAddress, ResourceAddress, ResourceMode,
};
use crate::changes::DeferredReason;
use crate::checks::{Checked, Time, resource_node};
use crate::config::{ModuleId, Resource, ResourceKey};
use crate::graph::{Graph, Node};
use crate::world::{Each, Instances, ModuleScope, Shape};
use petgraph::graph::NodeIndex;
use topo_sdk::{Diagnostic, Diagnostics, Type, Value};

impl Planner<'_> {
    pub(super) async fn node(&mut self, graph: &Graph, index: NodeIndex) {
        self.world.incomplete = self.is_incomplete();
        if self.waits(graph, index) {
            return;
        }
        match &graph.graph[index] {
            Node::Variable(m, n) => {
                for i in 0..self.world.modules[*m].len() {
                    self.world.variable(*m, i, n, &mut self.diagnostics);
                }
            }
            Node::Local(m, n) => {
                for i in 0..self.world.modules[*m].len() {
                    self.world.local(*m, i, n, &mut self.diagnostics);
                }
            }
            Node::Output(m, n) => {
                for i in 0..self.world.modules[*m].len() {
                    self.world.output(*m, i, n, &mut self.diagnostics);
                }
            }
            Node::Call(m, n) => {
                let before = self.diagnostics.errors();
                if !self.world.call(*m, n, &mut self.diagnostics) {
                    self.unknown_repetitions += self.diagnostics.errors() - before;
                    self.later.insert(index);
                    self.unknown_calls.insert(index);
                }
            }
            Node::Provider(m, key) => {
                let module = self.config.module(*m);
                let address = ProviderAddress {
                    module: module.path.clone(),
                    name: module.providers[key].provider.clone(),
                    alias: key.1.clone(),
                };
                // A block that nothing uses is not connected to.
                if self.used_providers.contains(&address) {
                    self.open_provider(&address).await;
                }
            }
            // Of a check block, and so after everything else.
            Node::Resource(m, key) if self.config.module(*m).resources[key].check.is_some() => {}
            Node::Resource(m, key) => self.resource(graph, index, *m, key).await,
            Node::Check(..) | Node::Outputs(_) | Node::Closed(_) => {}
        }
    }

    /// Whether something is wrong that leaves values unknown. What waits for a number of instances
    /// that is not known is left alone, so that each such mistake is told and nothing twice.
    fn is_incomplete(&mut self) -> bool {
        let all = &self.diagnostics.0;
        // Asked at every node: what was counted is not counted again.
        let (seen, errors) = match self.errors {
            (seen, errors) if seen <= all.len() => (seen, errors),
            _ => (0, 0),
        };
        let more = all[seen..].iter().filter(|d| d.is_error()).count();
        self.errors = (all.len(), errors + more);
        self.errors.1 > self.unknown_repetitions
    }

    pub(super) async fn resource(
        &mut self,
        graph: &Graph,
        index: NodeIndex,
        m: ModuleId,
        key: &ResourceKey,
    ) {
        let config = self.config.clone();
        let resource = &config.module(m).resources[key];
        self.open_provider(&resource.provider_address).await;
        let mut wanted = self.wanted_imports(m, key);
        self.world.incomplete = self.is_incomplete();
        let wants = self.wants(graph, index, resource, m);
        for i in 0..self.world.modules[m].len() {
            let module_address = self.world.modules[m][i].address.clone();
            let address = ResourceAddress {
                module: module_address,
                mode: key.0,
                type_name: key.1.clone(),
                name: key.2.clone(),
            };
            let (shape, items) =
                match self
                    .world
                    .expand(&resource.repetition, m, i, &address.to_string())
                {
                    Ok(x) => x,
                    Err(e) if e.unknown => {
                        if !self.options.allow_deferral {
                            wanted.retain(|a, _| a.resource != address);
                            self.unknown_repetitions += 1;
                            self.diagnostics.push(e.diagnostic.with_address(&address));
                        }
                        if self.later.insert(index) {
                            self.leave(m, key, DeferredReason::InstanceCountUnknown);
                        }
                        continue;
                    }
                    Err(e) => {
                        wanted.retain(|a, _| a.resource != address);
                        self.diagnostics.push(e.diagnostic.with_address(&address));
                        (Shape::Single, Vec::new())
                    }
                };
            self.world.modules[m][i]
                .resources
                .insert(key.clone(), Instances::new(shape));
            if resource.lifecycle.has_conditions() {
                self.world.checks.declare(&config, &graph.graph[index]);
            }
            self.import_instances(resource, &address, &items, &mut wanted)
                .await;
            let mut reads = Vec::new();
            for each in items {
                let instance = address.instance(each.key.clone());
                if !self.selection.has_instance(index, &instance) {
                    // Nothing is asked of it; whoever refers to it sees what the state has.
                    if let Some(record) = self.state.records.get(&instance.clone().into()) {
                        let value = record.value.clone();
                        self.set(m, i, key, each.key, value);
                    }
                    continue;
                }
                let errors = self.diagnostics.0.len();
                let value = self.decode(resource, m, i, &each, &instance);
                let failed = self
                    .diagnostics
                    .0
                    .iter()
                    .skip(errors)
                    .any(Diagnostic::is_error);
                let detail = Detail {
                    module: m,
                    instance: i,
                    key: key.clone(),
                    dependencies: self.dependencies(graph, &wants, m, i, &each),
                    each,
                };
                let planned = if failed {
                    Value::unknown(Type::Dynamic)
                } else if key.0 == ResourceMode::Managed {
                    self.managed(graph, index, resource, &instance, value, &detail)
                        .await
                } else {
                    reads.push((instance.clone(), value));
                    Value::unknown(Type::Dynamic)
                };
                let each_key = detail.each.key.clone();
                self.details.insert(instance.clone(), detail);
                self.set(m, i, key, each_key, planned);
                if key.0 == ResourceMode::Managed && !failed {
                    self.postconditions(resource, m, i, &instance);
                }
            }
            if !reads.is_empty() {
                let read: Vec<InstanceAddress> = reads.iter().map(|(a, _)| a.clone()).collect();
                if key.0 == ResourceMode::Ephemeral {
                    self.open_ephemerals(graph, index, resource, m, i, key, reads)
                        .await;
                } else {
                    self.read_data(graph, index, resource, m, i, key, reads)
                        .await;
                }
                for instance in read {
                    self.postconditions(resource, m, i, &instance);
                }
            }
        }
        self.undeclared_imports(wanted);
    }

    /// Checks what must hold of an object afterwards as far as that is known already.
    pub(super) fn postconditions(
        &mut self,
        resource: &Resource,
        m: ModuleId,
        i: usize,
        instance: &InstanceAddress,
    ) {
        if resource.lifecycle.postconditions.is_empty() {
            return;
        }
        let Some(detail) = self.details.get(instance) else {
            return;
        };
        let key = (
            instance.resource.mode,
            instance.resource.type_name.clone(),
            instance.resource.name.clone(),
        );
        let values = &self.world.modules[m][i];
        let Some(value) = values
            .resources
            .get(&key)
            .and_then(|r| r.get(&instance.key))
        else {
            return;
        };
        let scope = ModuleScope {
            each: Some(&detail.each),
            itself: Some(value),
            ..self.world.scope(m, i)
        };
        let mut found = Diagnostics::new();
        let checked = self.world.check_rules(
            &resource.lifecycle.postconditions,
            &scope,
            "Resource postcondition failed",
            &resource.range,
            &mut found,
        );
        self.checked(m, instance, Time::After, checked);
        self.diagnostics
            .extend(found.map(|d| d.with_address(instance)));
    }

    /// Notes what conditions of an object come to.
    pub(super) fn checked(
        &mut self,
        m: ModuleId,
        instance: &InstanceAddress,
        time: Time,
        checked: Checked,
    ) {
        let (module, node) = (&instance.resource.module, resource_node(m, instance));
        self.world
            .checks
            .record(&self.config, &node, module, &instance.key, time, checked);
    }

    pub(super) fn set(
        &mut self,
        m: ModuleId,
        i: usize,
        key: &ResourceKey,
        instance: Option<InstanceKey>,
        value: Value,
    ) {
        if let Some(instances) = self.world.modules[m][i].resources.get_mut(key) {
            instances.set(instance, value);
        }
    }

    /// The configuration of an instance, checked as far as it is known.
    pub(super) fn decode(
        &mut self,
        resource: &Resource,
        m: ModuleId,
        i: usize,
        each: &Each,
        instance: &InstanceAddress,
    ) -> Value {
        let mut found = Diagnostics::new();
        let scope = ModuleScope {
            each: Some(each),
            ..self.world.scope(m, i)
        };
        let preconditions = &resource.lifecycle.preconditions;
        let checked = self.world.check_rules(
            preconditions,
            &scope,
            "Resource precondition failed",
            &resource.range,
            &mut found,
        );
        let value = resource
            .body
            .decode(&resource.schema.block, &scope, &mut found);
        if !preconditions.is_empty() {
            self.checked(m, instance, Time::Before, checked);
        }
        if instance.resource.mode != ResourceMode::Ephemeral {
            found.extend(resource.body.ephemeral(&resource.schema.block, &value));
        }
        if !found.has_errors()
            && let Some(p) = self.providers.of(&resource.provider_address)
        {
            let plain = value.clone().unmark_deep();
            let type_name = &instance.resource.type_name;
            let more = match instance.resource.mode {
                ResourceMode::Managed => p.validate_resource(type_name, &plain),
                ResourceMode::Data => p.validate_data(type_name, &plain),
                ResourceMode::Ephemeral => p.validate_ephemeral(type_name, &plain),
            };
            found.extend(more.map(|d| crate::config::locate(d, &resource.body)));
        }
        self.diagnostics
            .extend(found.map(|d| d.with_address(instance)));
        value
    }
}
