//! A state store in memory that remembers every commit.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use topo_engine::store::{Change, State, StateStore, StoreError};

/// A state store in memory.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    state: State,
    commits: Vec<Vec<String>>,
}

impl MemoryStore {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every commit so far as the names of its changes: `OpenIntent test_thing.a`.
    pub fn commits(&self) -> Vec<Vec<String>> {
        self.lock().commits.clone()
    }

    /// Changes the state behind the engine's back.
    pub fn edit(&self, f: impl FnOnce(&mut State)) {
        f(&mut self.lock().state);
    }
}

fn name(change: &Change, state: &State) -> String {
    let of = |operation: &topo_sdk::OperationId| {
        let intent = state.intents.iter().find(|i| i.operation == *operation);
        intent.map_or("?".to_string(), |i| i.key.address.to_string())
    };
    match change {
        Change::Put(r) => format!("Put {}", r.key.address),
        Change::Remove(k) => format!("Remove {}", k.address),
        Change::PutOutput(n, _) => format!("PutOutput {n}"),
        Change::RemoveOutput(n) => format!("RemoveOutput {n}"),
        Change::OpenIntent(i) => format!("OpenIntent {}", i.key.address),
        Change::Checkpoint(o, _) => format!("Checkpoint {}", of(o)),
        Change::CloseIntent(o) => format!("CloseIntent {}", of(o)),
        Change::PutRun(_) => "PutRun".into(),
        Change::PutDuration(..) => "PutDuration".into(),
        Change::PutChecks(_) => "PutChecks".into(),
    }
}

#[async_trait]
impl StateStore for MemoryStore {
    async fn load(&self) -> Result<State, StoreError> {
        Ok(self.lock().state.clone())
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        let mut inner = self.lock();
        let names = changes.iter().map(|c| name(c, &inner.state)).collect();
        inner.commits.push(names);
        let state = &mut inner.state;
        for change in changes {
            match change {
                Change::Put(r) => {
                    state.records.insert(r.key.clone(), *r);
                }
                Change::Remove(k) => {
                    state.records.remove(&k);
                }
                Change::PutOutput(n, o) => {
                    state.outputs.insert(n, o);
                }
                Change::RemoveOutput(n) => {
                    state.outputs.remove(&n);
                }
                Change::OpenIntent(i) => state.intents.push(*i),
                Change::Checkpoint(o, partial) => {
                    for i in state.intents.iter_mut().filter(|i| i.operation == o) {
                        i.checkpoint = Some(partial.clone());
                    }
                }
                Change::CloseIntent(o) => state.intents.retain(|i| i.operation != o),
                Change::PutRun(_) => state.meta.serial += 1,
                Change::PutDuration(t, a, d) => {
                    state.durations.insert((t, a), d);
                }
                Change::PutChecks(checks) => state.checks = checks,
            }
        }
        Ok(())
    }
}
