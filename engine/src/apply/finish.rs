//! The end of a run: what was not started and why, outputs and data sources.

use super::tasks::Task;
use super::{Outcome, Run, TaskStatus};
use crate::address::ResourceMode;
use crate::changes::{ChangeAction, PlanMode};
use crate::events::Event;
use crate::store::{Change, OutputRecord, Record, RecordKey, Status};
use crate::world::World;
use jiff::Timestamp;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use topo_sdk::Diagnostic;

impl Run<'_> {
    /// Says of everything that was not started, or not waited for, why.
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
            for n in std::mem::take(&mut self.tasks.next[i]) {
                if self.status[n] == TaskStatus::Pending && because[n].is_none() {
                    because[n] = because[i].clone();
                    open.push_back(n);
                }
            }
        }
        let failed: BTreeSet<&RecordKey> = self.outcome.failed.iter().map(|(k, _)| k).collect();
        let mut skipped = Vec::new();
        for (i, reason) in because.iter().enumerate() {
            let (Task::Converge(c) | Task::Delete(c)) = self.tasks.list[i] else {
                continue;
            };
            let change = &self.changes[c];
            let is_idle = matches!(change.action, ChangeAction::NoOp | ChangeAction::Forget);
            let status = self.status[i];
            if matches!(status, TaskStatus::Done | TaskStatus::Failed) || is_idle {
                continue;
            }
            // The other half of a replacement that failed is no news.
            if failed.contains(&change.key) {
                continue;
            }
            let why = match reason {
                _ if status == TaskStatus::Running => {
                    "it was under way when the run was stopped".to_string()
                }
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
        self.outcome.checks = self.inner.world.checks.results();
        if self.outcome.checks != self.inner.state.checks {
            changes.push(Change::PutChecks(self.outcome.checks.clone()));
        }
        if self.mode == PlanMode::Destroy {
            if self.outcome.is_success() && !self.inner.selection.is_partial() {
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
            self.records_of_what_stays(&mut changes);
        }
        if self.mode == PlanMode::Destroy {
            // Nothing was planned for them, and they may be there.
            let blocked = std::mem::take(&mut self.inner.blocked);
            self.outcome.diagnostics.extend(blocked.into_values());
        }
        if self.inner.selection.is_partial() {
            self.outcome.diagnostics.push(Diagnostic::warning(
                "Applied changes may be incomplete",
                "The plan was restricted (-target, -exclude), so parts of the configuration may not be in place and outputs may not be up to date. Plan once more without the restriction and see whether anything is left.",
            ));
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
                if value.is_null() {
                    if outputs.remove(name).is_some() {
                        changes.push(Change::RemoveOutput(name.clone()));
                    }
                    continue; // As good as not declared.
                }
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
        let partial = self.inner.selection.is_partial();
        let gone: Vec<Arc<str>> = outputs
            .keys()
            .filter(|n| !partial && !declared.contains_key(*n))
            .cloned()
            .collect();
        for name in gone {
            outputs.remove(&name);
            changes.push(Change::RemoveOutput(name));
        }
        self.outcome.outputs = outputs;
    }

    /// An object that stays as it is may have come to depend on something else: what is to be
    /// deleted before or after it when its block is gone is known from its record alone.
    fn records_of_what_stays(&self, changes: &mut Vec<Change>) {
        for change in self.changes.iter() {
            let (Some(record), Some(detail)) = (
                self.inner.state.records.get(&change.key),
                self.inner.details.get(change.address()),
            ) else {
                continue;
            };
            if change.action == ChangeAction::NoOp
                && change.mode() == ResourceMode::Managed
                && record.dependencies != detail.dependencies
            {
                changes.push(Change::Put(Box::new(Record {
                    dependencies: detail.dependencies.clone(),
                    ..record.clone()
                })));
            }
        }
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
                keep: false,
            })));
        }
        for key in self.inner.state.records.keys() {
            if key.address.resource.mode == ResourceMode::Data
                && self.inner.selection.has_record(key)
                && !self.inner.details.contains_key(&key.address)
            {
                changes.push(Change::Remove(key.clone()));
            }
        }
    }
}
