//! A state in memory: what a test makes is nobody else's business.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use topo_engine::address::ResourceMode;
use topo_engine::store::{Change, Record, State, StateStore, StoreError};

/// A state store in memory.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<State>);

impl MemoryStore {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state as it is now.
    pub fn state(&self) -> State {
        self.lock().clone()
    }

    /// Whether there is anything to destroy: an object, or one that may have been made.
    pub fn is_empty(&self) -> bool {
        let state = self.lock();
        state.intents.is_empty() && managed(&state).next().is_none()
    }
}

/// The objects that a state is responsible for.
pub fn managed(state: &State) -> impl Iterator<Item = &Record> {
    state
        .records
        .values()
        .filter(|r| r.key.address.resource.mode == ResourceMode::Managed)
}

#[async_trait]
impl StateStore for MemoryStore {
    async fn load(&self) -> Result<State, StoreError> {
        Ok(self.state())
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        let mut state = self.lock();
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
                Change::PutChecks(checks) => state.checks = checks,
                Change::PutRun(_) => state.meta.serial += 1,
                Change::PutDuration(t, a, d) => {
                    state.durations.insert((t, a), d);
                }
            }
        }
        Ok(())
    }
}
