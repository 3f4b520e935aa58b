//! Changes of the state by hand: `state mv`, `state rm`, `taint` and their like. Each is a run of
//! its own: what it did to the records, and that it did it, are one commit.

use jiff::Timestamp;
use topo_engine::address::InstanceAddress;
use topo_engine::store::{Change, Meta, RunRecord, State, StateStore};
use topo_sdk::{Diagnostic, Diagnostics};
use topo_state::SledStore;

use crate::commands::LockArgs;
use crate::context::{Context, Exit, store_error, who};

/// The state, to be changed by hand.
pub struct Session<'a> {
    /// As it is.
    pub state: State,
    context: &'a Context,
    store: SledStore,
}

impl<'a> Session<'a> {
    /// Locks the state.
    ///
    /// # Errors
    /// When another run has it.
    pub async fn open(
        context: &'a Context,
        locking: &LockArgs,
    ) -> Result<Session<'a>, Diagnostics> {
        context.note_lock(locking);
        let store = context.open_store(locking.lock_timeout).await?;
        let state = match store.load().await {
            Ok(state) => state,
            Err(e) => {
                // What is wrong is said already.
                let _ = store.close().await;
                return Err(store_error(e));
            }
        };
        Ok(Session {
            state,
            context,
            store,
        })
    }

    /// Makes these changes, with a record that says what was done to which objects; with `meta`
    /// the state becomes that one.
    ///
    /// # Errors
    /// When they cannot be made; then none is.
    pub async fn commit(
        &self,
        mut changes: Vec<Change>,
        done: Vec<(InstanceAddress, String)>,
        meta: Option<Meta>,
    ) -> Result<(), Diagnostics> {
        changes.push(Change::PutRun(RunRecord {
            id: self.context.run.to_string(),
            who: who(),
            pid: std::process::id(),
            command: self.context.command.clone(),
            started: self.context.started,
            ended: Some(Timestamp::now()),
            changes: done,
        }));
        let committed = match meta {
            Some(meta) => self.store.commit_as(meta, changes).await,
            None => self.store.commit(changes).await,
        };
        committed.map_err(store_error)
    }

    /// Releases the lock. An error of the work itself comes first.
    ///
    /// # Errors
    /// That of the work, and those of writing the last of the state.
    pub async fn close(self, result: Exit) -> Exit {
        let closed = self.store.close().await.map_err(store_error);
        let code = result?;
        closed?;
        Ok(code)
    }

    /// Refuses where a run that died left an operation on one of these objects: it must be
    /// settled first, under the address that it was begun with.
    ///
    /// # Errors
    /// The operations.
    pub fn settled(&self, touches: impl Fn(&InstanceAddress) -> bool) -> Result<(), Diagnostics> {
        let open = self.state.intents.iter().map(|i| &i.key.address);
        let open: Vec<Diagnostic> = open
            .filter(|a| touches(a))
            .map(|address| {
                Diagnostic::error(
                    "An operation is open",
                    "A run that died was changing this object, and it is not known yet what became of it. `topo plan` finds out; then run this again.",
                )
                .with_address(address)
            })
            .collect();
        if open.is_empty() {
            return Ok(());
        }
        Err(open.into_iter().collect())
    }
}
