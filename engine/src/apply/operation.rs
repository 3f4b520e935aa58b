//! One mutation, by the journal's protocol: intent, call, record.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;
use topo_sdk::plan::without_write_only;
use topo_sdk::{
    Action, ApplyRequest, Connection, Diagnostic, Diagnostics, Operation, OperationId, Path,
    ResourceState, Schema, Value,
};

use crate::changes::ChangeAction;
use crate::events::{Event, Listener};
use crate::plan::{id_of, mark, settled};
use crate::store::{Change, Intent, Record, RecordKey, StateStore, Status};

/// A mutation with all that it needs.
pub(super) struct Mutation {
    pub(super) connection: Arc<dyn Connection>,
    pub(super) store: Arc<dyn StateStore>,
    pub(super) listener: Listener,
    /// What is recorded of it: without what is only written.
    pub(super) intent: Intent,
    /// The whole configuration, for the provider alone.
    pub(super) config: Value,
    pub(super) schema: Arc<Schema>,
    /// The record as it is, for an update or a deletion.
    pub(super) record: Option<Record>,
    /// Written together with the intent: a record that is set aside by its replacement.
    pub(super) aside: Vec<Change>,
    /// Written instead when nothing was made: the record comes back.
    pub(super) undo: Vec<Change>,
    /// When the operation started, if that has been told already.
    pub(super) told: Option<Instant>,
    /// Whether it could leave something behind that the next run would have to look for. One that
    /// only computes is as good as never begun until its record is written.
    pub(super) journalled: bool,
}

/// What came of a mutation.
pub(super) struct Done {
    pub(super) key: RecordKey,
    /// The record as it now is; `None` after a deletion, or when nothing was made.
    pub(super) record: Option<Record>,
    /// Why it failed, if it did.
    pub(super) failed: Option<Diagnostics>,
    pub(super) elapsed: Duration,
    /// Whether the object was made and its provisioners are still to run.
    pub(super) unprovisioned: bool,
}

struct Running {
    id: OperationId,
    store: Arc<dyn StateStore>,
    listener: Listener,
    key: RecordKey,
    schema: Arc<Schema>,
}

#[async_trait]
impl Operation for Running {
    fn id(&self) -> &OperationId {
        &self.id
    }

    async fn checkpoint(&self, partial: ResourceState) -> Result<(), Diagnostics> {
        let partial = ResourceState {
            value: without_write_only(&self.schema.block, settled(partial.value)),
            private: partial.private,
        };
        self.store
            .commit(vec![Change::Checkpoint(self.id.clone(), partial)])
            .await
            .map_err(|e| Diagnostics::error("The state cannot be written", format!("{e}.")))
    }

    fn progress(&self, message: &str) {
        (self.listener)(Event::ApplyProgress {
            key: self.key.clone(),
            message: message.to_string(),
        });
    }
}

impl Mutation {
    fn action(&self) -> ChangeAction {
        match self.intent.request.action {
            Action::Create { .. } => ChangeAction::Create,
            Action::Update { .. } => ChangeAction::Update,
            Action::Delete { .. } => ChangeAction::Delete,
        }
    }

    /// Carries it out. Never returns before what happened is durable.
    pub(super) async fn run(self) -> Done {
        let key = self.intent.key.clone();
        let action = self.action();
        let started = self.told.unwrap_or_else(Instant::now);
        let done = self.carry_out(started).await;
        if done.unprovisioned {
            return done; // not finished before its provisioners are
        }
        let id = done.record.as_ref().and_then(|r| id_of(&r.value));
        let event = match &done.failed {
            None => Event::ApplyFinished {
                key,
                action,
                id,
                elapsed: done.elapsed,
            },
            Some(ds) => Event::ApplyFailed {
                key,
                action,
                diagnostics: ds.clone(),
                elapsed: done.elapsed,
            },
        };
        (self.listener)(event);
        done
    }

    async fn carry_out(&self, started: Instant) -> Done {
        let key = self.intent.key.clone();
        let nothing = |failed: Diagnostics, record: Option<Record>| Done {
            key: key.clone(),
            record,
            failed: Some(failed),
            elapsed: started.elapsed(),
            unprovisioned: false,
        };
        let mut before = self.aside.clone();
        if self.journalled {
            before.push(Change::OpenIntent(Box::new(self.intent.clone())));
        }
        if self.journalled
            && let Err(e) = self.store.commit(std::mem::take(&mut before)).await
        {
            let d = Diagnostic::error(
                "The state cannot be written",
                format!("{e}. Nothing was done to the object."),
            )
            .with_address(&key.address);
            return nothing(d.into(), self.record.clone());
        }
        // Told when it is in the journal: what is seen to have begun is never lost.
        if self.told.is_none() {
            (self.listener)(Event::ApplyStarted {
                key: key.clone(),
                action: self.action(),
                id: self.record.as_ref().and_then(|r| id_of(&r.value)),
            });
        }
        let running = Running {
            id: self.intent.operation.clone(),
            store: self.store.clone(),
            listener: self.listener.clone(),
            key: key.clone(),
            schema: self.schema.clone(),
        };
        let request = ApplyRequest {
            config: self.config.clone(),
            ..self.intent.request.clone()
        };
        let (record, failed, mut changes) = match self.connection.apply(&request, &running).await {
            Ok(Some(state)) => {
                // It stays tainted until its provisioners have succeeded.
                let status = match self.intent.provisioned {
                    true => Status::Tainted,
                    false => Status::Ok,
                };
                let record = self.record_of(state, status);
                (
                    Some(record.clone()),
                    None,
                    vec![Change::Put(Box::new(record))],
                )
            }
            Ok(None) => (None, None, vec![Change::Remove(key.clone())]),
            Err(failure) => {
                let ds = failure.diagnostics.map(|d| d.with_address(&key.address));
                match (failure.state, &self.intent.request.action) {
                    (Some(state), Action::Create { .. }) => {
                        let record = self.record_of(state, Status::Tainted);
                        (
                            Some(record.clone()),
                            Some(ds),
                            vec![Change::Put(Box::new(record))],
                        )
                    }
                    (Some(state), _) => {
                        let status = self.record.as_ref().map_or(Status::Ok, |r| r.status);
                        let record = self.record_of(state, status);
                        (
                            Some(record.clone()),
                            Some(ds),
                            vec![Change::Put(Box::new(record))],
                        )
                    }
                    (None, _) if self.journalled => {
                        (self.record.clone(), Some(ds), self.undo.clone())
                    }
                    // What would have been set aside was not touched.
                    (None, _) => {
                        before.clear();
                        (self.record.clone(), Some(ds), Vec::new())
                    }
                }
            }
        };
        if self.journalled {
            changes.push(Change::CloseIntent(self.intent.operation.clone()));
        }
        let elapsed = started.elapsed();
        if failed.is_none() && !self.intent.provisioned {
            changes.push(Change::PutDuration(
                self.intent.request.type_name.clone(),
                self.action().word().to_string(),
                elapsed,
            ));
        }
        before.append(&mut changes);
        if let Err(e) = self.store.commit(before).await {
            let d = Diagnostic::error(
                "The state cannot be written",
                format!("The provider has answered, but what it did to the object could not be recorded: {e}. The next run will look for it."),
            )
            .with_address(&key.address);
            let all = failed.into_iter().flatten().chain([d]).collect();
            return nothing(all, record);
        }
        Done {
            key,
            unprovisioned: self.intent.provisioned && failed.is_none(),
            record,
            failed,
            elapsed,
        }
    }

    fn record_of(&self, state: ResourceState, status: Status) -> Record {
        let now = Timestamp::now();
        Record {
            key: self.intent.key.clone(),
            provider: self.intent.provider.clone(),
            schema_version: self.schema.version,
            status,
            value: mark(
                &self.schema.block,
                settled(state.value),
                &self.intent.sensitive,
            ),
            private: state.private,
            dependencies: self.intent.dependencies.clone(),
            created: match (&self.record, &self.intent.request.action) {
                (Some(r), Action::Update { .. }) => r.created,
                _ => now,
            },
            updated: now,
            keep: self.intent.keep,
        }
    }
}

/// The path of a deviation in words.
pub(super) fn whole_or_path(path: &Path) -> String {
    if path.is_root() {
        "the whole object".into()
    } else {
        path.to_string()
    }
}
