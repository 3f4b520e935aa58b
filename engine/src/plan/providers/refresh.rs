//! Reading the objects that were made through a provider configuration.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::join_all;
use topo_sdk::{ReadRequest, ResourceState};

use super::ProviderState;
use crate::address::{ProviderAddress, ResourceMode};
use crate::changes::{Drift, Unread};
use crate::events::Event;
use crate::plan::marks::{drift, mark, sensitive_paths};
use crate::plan::{Planner, id_of};
use crate::store::RecordKey;

impl Planner<'_> {
    /// Reads every object that was made through a provider configuration, type by type.
    pub(super) async fn refresh(&mut self, address: &ProviderAddress, state: &ProviderState) {
        let mut by_type: BTreeMap<Arc<str>, Vec<(RecordKey, ReadRequest)>> = BTreeMap::new();
        for (key, r) in &self.state.records {
            if r.provider != *address
                || key.address.resource.mode != ResourceMode::Managed
                || !self.selection.has_record(key)
                || self.only_forgotten(r)
            {
                continue;
            }
            if self.providers.stand_in(&key.address).is_some() {
                continue; // what it is made of exists nowhere else
            }
            let type_name = key.address.resource.type_name.clone();
            let request = ReadRequest {
                type_name: type_name.clone(),
                state: ResourceState {
                    value: r.value.clone().unmark_deep(),
                    private: r.private.clone(),
                },
            };
            by_type
                .entry(type_name)
                .or_default()
                .push((key.clone(), request));
        }
        if by_type.is_empty() {
            return;
        }
        if let Some(known) = self.inputs.refreshed.clone() {
            for key in by_type.into_values().flatten().map(|(k, _)| k) {
                if let Some(after) = known.get(&key) {
                    self.settle(key, after.clone());
                }
            }
            return;
        }
        let objects: Arc<[_]> = by_type
            .values()
            .flatten()
            .map(|(key, _)| {
                let record = self.state.records.get(key);
                (key.clone(), record.and_then(|r| id_of(&r.value)))
            })
            .collect();
        (self.listener)(Event::RefreshStarted {
            provider: address.clone(),
            objects: objects.clone(),
        });
        let connection = &state.connection;
        let answers = join_all(by_type.into_values().map(|reads| async move {
            let (keys, requests): (Vec<RecordKey>, Vec<ReadRequest>) = reads.into_iter().unzip();
            let answers = connection.read_many(&requests).await;
            keys.into_iter().zip(answers).collect::<Vec<_>>()
        }))
        .await;
        (self.listener)(Event::RefreshFinished {
            provider: address.clone(),
            objects,
        });
        for (key, answer) in answers.into_iter().flatten() {
            match answer {
                Ok(after) => self.settle(key, after),
                Err(ds) => {
                    let ds = ds.map(|d| d.with_address(&key.address));
                    self.diagnostics.extend(ds.clone());
                    self.unread.push(Unread {
                        key,
                        diagnostics: ds,
                    });
                }
            }
        }
    }

    /// Takes what a read found into the state, and notes where it differs.
    pub(super) fn settle(&mut self, key: RecordKey, after: Option<ResourceState>) {
        let Some(record) = self.state.records.get(&key) else {
            return;
        };
        let type_name = &key.address.resource.type_name;
        let Some(schema) = self
            .providers
            .get(&record.provider.name)
            .and_then(|p| p.resource_schema(type_name))
        else {
            return;
        };
        let before = record.value.clone();
        match after {
            None => {
                self.state.records.remove(&key);
                self.refreshed.insert(key.clone());
                self.drift.push(Drift {
                    key,
                    before,
                    after: None,
                    schema,
                    consequence: None,
                });
            }
            Some(found) => {
                let value = mark(&schema.block, found.value, &sensitive_paths(&before));
                if value == before && found.private == record.private {
                    return;
                }
                if let Some(after) = drift(&schema.block, &before, &value) {
                    self.drift.push(Drift {
                        key: key.clone(),
                        before,
                        after: Some(after),
                        schema,
                        consequence: None,
                    });
                }
                if let Some(r) = self.state.records.get_mut(&key) {
                    r.value = value;
                    r.private = found.private;
                }
                self.refreshed.insert(key);
            }
        }
    }
}
