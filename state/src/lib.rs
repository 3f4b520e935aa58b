//! Floor 3 of topo: the state store on sled and its journal.
//!
//! [`SledStore`] implements the engine's [`StateStore`](topo_engine::store::StateStore). One
//! process writes at a time; [`read`] and [`runs`] serve everybody else without waiting. A commit
//! travels so: its changes become writes of keyed entries (`codec`), commits that arrive together
//! become one batch (`store`), the batch is applied and synced to disk (`database`), and a little
//! later everything is exported to one file (`snapshot`) for readers and as the last good copy.
//!
//! A state is a directory:
//!
//! | name | what |
//! |---|---|
//! | `db/` | sled's files |
//! | `snapshot` | the last export |
//! | `lock` | the file whose lock the writer holds |
//! | `lock.json` | who holds it |
//! | `db.format-N/` | sled's files as they were before an upgrade from format N |
//!
//! [`v4`] reads and writes the state files of Terraform and OpenTofu, for which it asks providers
//! for their schemas. Otherwise the crate knows nothing of plans, providers or terminals.

mod codec;
mod database;
mod files;
mod format;
mod lock;
mod snapshot;
mod store;
pub mod v4;

pub use lock::{LockInfo, LockStatus, clear_lock, lock_status};
pub use store::{ReadRuns, ReadState, Removal, SledStore, exists, read, runs};
