//! The end of a run: what was not started and why, outputs and data sources.

use super::tasks::Task;
use super::{Outcome, Run, TaskStatus};
use crate::address::ResourceMode;
use crate::changes::{ChangeAction, PlanMode};
use crate::events::Event;
use crate::store::{Change, OutputRecord, Record, RecordKey, Status};
use crate::world::World;
use jiff::Timestamp;
use std::collections::VecDeque;
use std::sync::Arc;
use topo_sdk::Diagnostic;

impl Run<'_> {
    /// Says of everything that was not started why.
    pub(super) fn skip_pending(&mut self, stopping: bool) {
        let mut because: Vec<Option<String>> = vec![None; self.tasks.list.len()];
        let mut open: VecDeque<usize> = VecDeque::new();
        for (i, reason) in because.iter_mut().enumerate() {
            if self.status[i] == TaskStatus::Failed {
                *reason = Some(self.task_name(i));
                open.push_back(i);
            }
        }
        while let Some(i) = open.pop_front() {
            for n in self.tasks.next[i].clone() {
                if self.status[n] == TaskStatus::Pending && because[n].is_none() {
                    because[n] = because[i].clone();
                    open.push_back(n);
                }
            }
        }
        let mut skipped = Vec::new();
        for (i, reason) in because.iter().enumerate() {
            let (Task::Converge(c) | Task::Delete(c)) = self.tasks.list[i] else {
                continue;
            };
            let change = &self.changes[c];
            if self.status[i] != TaskStatus::Pending || change.action == ChangeAction::NoOp {
                continue;
            }
            let why = match reason {
                Some(name) => format!("it depends on {name}, which failed"),
                None if stopping => "the run was interrupted".to_string(),
                None => "it was not reached".to_string(),
            };
            skipped.push((change.key.clone(), why));
        }
        skipped.sort();
        skipped.dedup_by(|a, b| a.0 == b.0);
        for (key, because) in &skipped {
            (self.listener)(Event::Skipped {
                key: key.clone(),
                because: because.clone(),
            });
        }
        self.outcome.skipped = skipped;
    }

    pub(super) fn task_name(&self, i: usize) -> String {
        match &self.tasks.list[i] {
            Task::Converge(c) | Task::Delete(c) => self.changes[*c].address().to_string(),
            Task::Evaluate(n) => crate::graph::name(self.config, &self.graph.graph[*n]),
            _ => String::new(),
        }
    }

    /// Writes outputs and data sources, and says what came of it all.
    pub(super) async fn finish(mut self) -> (Outcome, World) {
        let mut changes = Vec::new();
        if self.mode == PlanMode::Destroy {
            if self.outcome.is_success() {
                changes.extend(
                    self.inner
                        .state
                        .outputs
                        .keys()
                        .cloned()
                        .map(Change::RemoveOutput),
                );
                let data = self
                    .inner
                    .state
                    .records
                    .keys()
                    .filter(|k| k.address.resource.mode == ResourceMode::Data);
                changes.extend(data.cloned().map(Change::Remove));
            } else {
                self.outcome.outputs = self.inner.state.outputs.clone();
            }
        } else {
            self.outputs(&mut changes);
            self.data_records(&mut changes);
        }
        if !changes.is_empty()
            && let Err(e) = self.store.commit(changes).await
        {
            self.outcome.diagnostics.push(Diagnostic::error(
                "The state cannot be written",
                format!("{e}."),
            ));
        }
        (self.outcome, self.inner.world)
    }

    pub(super) fn outputs(&mut self, changes: &mut Vec<Change>) {
        let declared = &self.config.root().outputs;
        let mut outputs = self.inner.state.outputs.clone();
        if let Some(root) = self.inner.world.modules.first().and_then(|m| m.first()) {
            for (name, output) in declared {
                let Some(value) = root.outputs.get(name).filter(|v| v.is_wholly_known()) else {
                    continue;
                };
                let record = OutputRecord {
                    value: value.clone(),
                    sensitive: output.sensitive,
                };
                if outputs.get(name) != Some(&record) {
                    changes.push(Change::PutOutput(name.clone(), record.clone()));
                    outputs.insert(name.clone(), record);
                }
            }
        }
        let gone: Vec<Arc<str>> = outputs
            .keys()
            .filter(|n| !declared.contains_key(*n))
            .cloned()
            .collect();
        for name in gone {
            outputs.remove(&name);
            changes.push(Change::RemoveOutput(name));
        }
        self.outcome.outputs = outputs;
    }

    /// Data sources are kept beside the objects, so that the state shows what the run saw.
    pub(super) fn data_records(&mut self, changes: &mut Vec<Change>) {
        let now = Timestamp::now();
        for (address, value) in &self.inner.data {
            let Some(detail) = self.inner.details.get(address) else {
                continue;
            };
            let resource = &self.config.module(detail.module).resources[&detail.key];
            let key = RecordKey::from(address.clone());
            let old = self.inner.state.records.get(&key);
            if old.is_some_and(|r| r.value == *value) {
                continue;
            }
            changes.push(Change::Put(Box::new(Record {
                key,
                provider: resource.provider_address.clone(),
                schema_version: resource.schema.version,
                status: Status::Ok,
                value: value.clone(),
                private: Vec::new(),
                dependencies: detail.dependencies.clone(),
                created: old.map_or(now, |r| r.created),
                updated: now,
            })));
        }
        for key in self.inner.state.records.keys() {
            if key.address.resource.mode == ResourceMode::Data
                && !self.inner.details.contains_key(&key.address)
            {
                changes.push(Change::Remove(key.clone()));
            }
        }
    }
}
