//! What became of the mutations of a dead run.

use jiff::Timestamp;
use topo_sdk::{RecoverRequest, Recovery, ResourceState};

use super::ProviderState;
use crate::address::ProviderAddress;
use crate::events::Event;
use crate::plan::Planner;
use crate::plan::marks::mark;
use crate::store::{Change, Intent, Record, Status};

impl Planner<'_> {
    /// Finds out what became of the mutations of a dead run that went through this provider.
    pub(super) async fn recover(&mut self, address: &ProviderAddress, state: &ProviderState) {
        let open: Vec<Intent> = self
            .state
            .intents
            .iter()
            .filter(|i| i.provider == *address)
            .cloned()
            .collect();
        for intent in open {
            let request = RecoverRequest {
                operation: intent.operation.clone(),
                request: intent.request.clone(),
                checkpoint: intent.checkpoint.clone(),
            };
            let outcome = match state.connection.recover(&request).await {
                Ok(Recovery::Found(found)) => {
                    let record = self.adopted(&intent, found);
                    self.state
                        .records
                        .insert(record.key.clone(), record.clone());
                    // It moves with all that moves, at the start of apply.
                    let key = self.moves.stored(&record.key);
                    if key != record.key {
                        self.refreshed.extend([key.clone(), record.key.clone()]);
                    }
                    self.commit(vec![
                        Change::Put(Box::new(Record { key, ..record })),
                        Change::CloseIntent(intent.operation.clone()),
                    ])
                    .await;
                    "found and adopted".to_string()
                }
                Ok(Recovery::Absent) => {
                    self.state.records.remove(&intent.key);
                    self.commit(vec![
                        Change::Remove(self.moves.stored(&intent.key)),
                        Change::CloseIntent(intent.operation.clone()),
                    ])
                    .await;
                    match intent.request.action {
                        topo_sdk::Action::Create { .. } => "was never made".to_string(),
                        _ => "is gone".to_string(),
                    }
                }
                Ok(Recovery::CannotTell(what)) => {
                    self.block(&intent, &what);
                    continue;
                }
                Err(ds) => {
                    self.diagnostics
                        .extend(ds.map(|d| d.with_address(&intent.key.address)));
                    continue;
                }
            };
            self.state
                .intents
                .retain(|i| i.operation != intent.operation);
            (self.listener)(Event::Recovered {
                key: intent.key.clone(),
                outcome,
            });
        }
    }

    fn adopted(&self, intent: &Intent, found: ResourceState) -> Record {
        let type_name = &intent.key.address.resource.type_name;
        let schema = self
            .providers
            .get(&intent.provider.name)
            .and_then(|p| p.resource_schema(type_name));
        let value = match &schema {
            Some(s) => mark(&s.block, found.value, &intent.sensitive),
            None => found.value,
        };
        let old = self.state.records.get(&intent.key);
        Record {
            key: intent.key.clone(),
            provider: intent.provider.clone(),
            schema_version: intent.schema_version,
            status: if intent.provisioned {
                Status::Tainted
            } else {
                old.map_or(Status::Ok, |r| r.status)
            },
            value,
            private: found.private,
            dependencies: intent.dependencies.clone(),
            created: old.map_or(intent.started, |r| r.created),
            updated: Timestamp::now(),
            keep: intent.keep,
        }
    }
}
