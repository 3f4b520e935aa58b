//! Planning one managed object: what its provider makes of its configuration, and what that
//! means for the object that exists.

use super::marks::{mark, sensitive_paths};
use super::{Detail, Planner};
use crate::address::{InstanceAddress, ProviderAddress, ResourceAddress};
use crate::changes::{ChangeAction, InstanceChange, Reason};
use crate::config::{IgnoreChanges, Resource, ResourceKey};
use crate::graph::{Graph, Node};
use crate::lang::ast::Target;
use crate::store::{RecordKey, Status};
use petgraph::graph::NodeIndex;
use std::collections::BTreeMap;
use topo_sdk::plan::{propose, without_write_only};
use topo_sdk::{
    Diagnostics, Path, PlanRequest, PlannedResource, ResourceState, Schema, Type, Value,
};

impl Planner<'_> {
    pub(super) async fn managed(
        &mut self,
        graph: &Graph,
        index: NodeIndex,
        resource: &Resource,
        address: &InstanceAddress,
        configured: Value,
        detail: &Detail,
    ) -> Value {
        let key = RecordKey::from(address.clone());
        let schema = &resource.schema;
        let slot_address = &resource.provider_address;
        let marked = sensitive_paths(&configured);
        self.settle_record(&key, resource, &marked, detail);
        let record = self.state.records.get(&key).cloned();
        let slot_reason = self
            .slots
            .get(slot_address)
            .and_then(|s| s.target_replaced.clone());
        let deferred = self.slots.get(slot_address).is_some_and(|s| s.deferred);
        let written = configured.unmark_deep();
        let mut config = written.clone();
        let prior = record.as_ref().map(|r| ResourceState {
            value: r.value.clone().unmark_deep(),
            private: r.private.clone(),
        });
        if let Some(p) = &prior {
            config = ignore_changes(&resource.lifecycle.ignore_changes, schema, &p.value, config);
        }
        let planned = match self
            .ask_provider(slot_address, address, schema, prior.clone(), config.clone())
            .await
        {
            Ok(p) => p,
            Err(ds) => {
                self.diagnostics.extend(
                    ds.map(|d| crate::config::locate(d, &resource.body).with_address(address)),
                );
                return Value::unknown(Type::Dynamic);
            }
        };
        let triggered = self.triggered(graph, resource, detail);
        let reason = match (&record, &slot_reason) {
            (None, _) => None,
            (Some(r), _) if r.status == Status::Tainted => Some(Reason::Tainted),
            (Some(_), Some(reason)) => Some(reason.clone()),
            _ if self.options.replace.contains(address) => Some(Reason::Requested),
            _ if !planned.requires_replace.is_empty() => Some(Reason::CannotUpdate),
            _ => triggered.map(Reason::TriggeredBy),
        };
        let replace_paths = planned.requires_replace.clone();
        let (action, after) = match (&prior, &reason) {
            (None, _) => (ChangeAction::Create, planned.value),
            (Some(_), Some(_)) => {
                // What replaces it is planned as something new, from all that is written.
                match self
                    .ask_provider(slot_address, address, schema, None, written)
                    .await
                {
                    Ok(p) => {
                        let action = if resource.lifecycle.keep {
                            ChangeAction::ForgetThenCreate
                        } else if self.create_first.contains(&index) {
                            ChangeAction::CreateThenDelete
                        } else {
                            ChangeAction::DeleteThenCreate
                        };
                        (action, p.value)
                    }
                    Err(ds) => {
                        self.diagnostics.extend(ds.map(|d| d.with_address(address)));
                        return Value::unknown(Type::Dynamic);
                    }
                }
            }
            (Some(p), None) if p.value == planned.value => (ChangeAction::NoOp, planned.value),
            (Some(_), None) => (ChangeAction::Update, planned.value),
        };
        let after = mark(&schema.block, after, &marked);
        if action == ChangeAction::NoOp {
            self.settle_marks(&key, &after);
        } else {
            self.changed
                .entry(index)
                .or_default()
                .insert(address.clone(), action);
        }
        let previous = match record {
            Some(_) => self.moves.previous(address).cloned(),
            None => None,
        };
        self.changes.push(InstanceChange {
            key,
            provider: slot_address.clone(),
            action,
            reason,
            before: record.map(|r| r.value),
            after: Some(after.clone()),
            replace_paths,
            schema: schema.clone(),
            provider_deferred: deferred && action != ChangeAction::NoOp,
            previous,
            importing: self.imported.get(address).cloned(),
        });
        after
    }

    /// What the configuration says of a record beside the object: whether the object is kept,
    /// and of one that was just imported what it depends on and what of it is sensitive.
    fn settle_record(
        &mut self,
        key: &RecordKey,
        resource: &Resource,
        marked: &[Path],
        detail: &Detail,
    ) {
        let imported = self.imported.contains_key(&key.address);
        let Some(record) = self.state.records.get_mut(key) else {
            return;
        };
        if imported {
            let value = std::mem::replace(&mut record.value, Value::NULL);
            record.value = mark(&resource.schema.block, value, marked);
            record.dependencies.clone_from(&detail.dependencies);
        }
        if record.keep != resource.lifecycle.keep {
            record.keep = resource.lifecycle.keep;
            self.refreshed.insert(key.clone());
        }
    }

    /// Of an object that stays as it is another part may be sensitive now: the next apply writes
    /// that, though nothing else is done.
    fn settle_marks(&mut self, key: &RecordKey, after: &Value) {
        let Some(record) = self.state.records.get_mut(key) else {
            return;
        };
        if sensitive_paths(&record.value) != sensitive_paths(after) {
            record.value = after.clone();
            self.refreshed.insert(key.clone());
        }
    }

    pub(super) async fn ask_provider(
        &self,
        provider: &ProviderAddress,
        address: &InstanceAddress,
        schema: &Schema,
        prior: Option<ResourceState>,
        config: Value,
    ) -> Result<PlannedResource, Diagnostics> {
        let proposed = propose(&schema.block, prior.as_ref().map(|p| &p.value), &config);
        let request = PlanRequest {
            type_name: address.resource.type_name.clone(),
            prior,
            config,
            proposed,
        };
        let answer = match self.providers.stand_in(address) {
            Some(stand_in) => Some(stand_in.provider.plan(&request)),
            None => match self.slots.get(provider).and_then(|s| s.current.as_ref()) {
                Some(state) => state.connection.plan(&request).await,
                None => None,
            },
        };
        let made = match (answer, self.providers.of(provider)) {
            (Some(answer), _) => answer?,
            (None, Some(p)) => p.plan(&request)?,
            (None, None) => return Err(self.providers.unknown(&provider.name).into()),
        };
        Ok(PlannedResource {
            value: without_write_only(&schema.block, made.value),
            ..made
        })
    }

    /// The first object of `replace_triggered_by` that is updated or replaced, or whose attribute
    /// changes by that where one is named. What is new has not changed.
    pub(super) fn triggered(
        &self,
        graph: &Graph,
        resource: &Resource,
        detail: &Detail,
    ) -> Option<InstanceAddress> {
        let own = &self.world.modules[detail.module][detail.instance];
        for mention in &resource.lifecycle.replace_triggered_by {
            let r = &mention.reference;
            let Target::Resource(mode, t, n) = &r.target else {
                continue;
            };
            let key: ResourceKey = (*mode, t.clone(), n.clone());
            let node = graph.find(&Node::Resource(detail.module, key.clone()));
            let Some(changed) = node.and_then(|n| self.changed.get(&n)) else {
                continue;
            };
            let whole = ResourceAddress {
                module: own.address.clone(),
                mode: *mode,
                type_name: t.clone(),
                name: n.clone(),
            };
            let triggers = |(address, action): &(&InstanceAddress, &ChangeAction)| {
                (action.is_replace() || **action == ChangeAction::Update)
                    && (mention.path.is_root() || {
                        let before = self.state.records.get(&RecordKey::from((*address).clone()));
                        let after = own.resources.get(&key).and_then(|r| r.get(&address.key));
                        before.and_then(|r| r.value.at(&mention.path))
                            != after.and_then(|v| v.at(&mention.path))
                    })
            };
            let found = match self.reference_key(r, detail.module, detail.instance, &detail.each) {
                Some(key) => changed
                    .get_key_value(&whole.instance(Some(key)))
                    .filter(triggers),
                None => changed
                    .range(whole.instance(None)..)
                    .take_while(|(a, _)| a.resource == whole)
                    .find(triggers),
            };
            if let Some((address, _)) = found {
                return Some(address.clone());
            }
        }
        None
    }
}

/// The configuration with what is to be left alone taken from the object as it is.
pub(crate) fn ignore_changes(
    rule: &IgnoreChanges,
    schema: &Schema,
    prior: &Value,
    config: Value,
) -> Value {
    match rule {
        IgnoreChanges::None => config,
        IgnoreChanges::All => {
            let settable = schema
                .block
                .attributes
                .iter()
                .filter(|(_, a)| a.mode != topo_sdk::Mode::Computed)
                .map(|(n, _)| n);
            settable
                .chain(schema.block.blocks.keys())
                .fold(config, |c, name| match prior.get(name) {
                    Some(v) => c.with(name, v.clone()),
                    None => c,
                })
        }
        IgnoreChanges::Paths(paths) => paths
            .iter()
            .fold(config, |c, path| ignore_path(c, prior, path)),
    }
}

pub(super) fn ignore_path(config: Value, prior: &Value, path: &Path) -> Value {
    use topo_sdk::Step;
    let Some(old) = prior.at(path) else {
        // An element of a map that the object does not have: leave it out of the configuration.
        return match path.steps().split_last() {
            Some((Step::Key(k), outer)) => config.update_at(outer, &mut |map| remove_key(map, k)),
            _ => config,
        };
    };
    let old = old.clone();
    if config.at(path).is_some() {
        return config.update_at(path.steps(), &mut |_| old.clone());
    }
    match path.steps().split_last() {
        Some((Step::Key(k), outer)) => config.update_at(outer, &mut |map| {
            if map.is_null() {
                Value::map(old.ty(), BTreeMap::from([(k.clone(), old.clone())]))
            } else {
                map.with(k, old.clone())
            }
        }),
        _ => config,
    }
}

pub(super) fn remove_key(map: Value, key: &str) -> Value {
    match map.kind() {
        topo_sdk::Kind::Map(m) => {
            let mut entries = m.entries.clone();
            entries.remove(key);
            Value::map(m.element.clone(), entries)
        }
        _ => map,
    }
}
