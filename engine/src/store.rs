//! The contract between the engine and whatever keeps the state: keyed records, an atomic and
//! durable commit, and the journal of mutations under way.
//!
//! The protocol of one mutation: commit [`Change::OpenIntent`] before the provider is called;
//! [`Change::Checkpoint`] when the provider says what it made before it is ready; afterwards the
//! new record and [`Change::CloseIntent`] in one commit. An intent that is open when a store is
//! opened belongs to a run that died, and is recovered before anything else happens. A mutation
//! that only computes (`Connection::only_computes`) has no intent: the commit of its record is all.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use topo_sdk::{ApplyRequest, OperationId, ResourceState, Value};

use crate::address::{InstanceAddress, ProviderAddress, ResourceAddress};
use crate::changes::CheckResult;

/// Whether an object is as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// Made or changed without error.
    Ok,
    /// Its creation failed half-way: to be replaced.
    Tainted,
}

/// What an object depended on when it was last applied; deletion runs in the reverse order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Dependency {
    /// One instance.
    Instance(InstanceAddress),
    /// Every instance of a resource.
    Resource(ResourceAddress),
}

/// Names a record: an instance's current object, or one that was deposed by its replacement.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordKey {
    /// The instance.
    pub address: InstanceAddress,
    /// The deposed object's key; `None` for the current object.
    pub deposed: Option<Arc<str>>,
}

impl From<InstanceAddress> for RecordKey {
    fn from(address: InstanceAddress) -> RecordKey {
        RecordKey {
            address,
            deposed: None,
        }
    }
}

/// One object as last known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Which object.
    pub key: RecordKey,
    /// The provider configuration it was made through.
    pub provider: ProviderAddress,
    /// The version of the schema that the attributes follow.
    pub schema_version: u64,
    /// Whether it is as it should be.
    pub status: Status,
    /// The attributes, sensitive ones marked.
    pub value: Value,
    /// The provider's own bytes.
    pub private: Vec<u8>,
    /// What it depended on, sorted.
    pub dependencies: Vec<Dependency>,
    /// When the object was created.
    pub created: Timestamp,
    /// When the record last changed.
    pub updated: Timestamp,
    /// Whether the object stays where it is when it leaves the state, as its block said last
    /// (`destroy = false`): needed when the block is gone.
    #[serde(default)]
    pub keep: bool,
}

/// A root module output as of the last run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutputRecord {
    /// Its value; sensitive parts marked.
    pub value: Value,
    /// Whether the output is declared sensitive.
    pub sensitive: bool,
}

/// A mutation under way, or cut off by the end of its run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// The mutation's name; the API's idempotency token.
    pub operation: OperationId,
    /// The object.
    pub key: RecordKey,
    /// Through which provider configuration.
    pub provider: ProviderAddress,
    /// What the provider was asked.
    pub request: ApplyRequest,
    /// Paths of sensitive values in the planned object.
    pub sensitive: Vec<topo_sdk::Path>,
    /// The version of the schema that the values follow.
    pub schema_version: u64,
    /// What the object depends on.
    pub dependencies: Vec<Dependency>,
    /// What the provider made so far, if it said so.
    pub checkpoint: Option<ResourceState>,
    /// When it was sent.
    pub started: Timestamp,
    /// Whether provisioners complete the creation: an object that is found without their having
    /// run is tainted.
    #[serde(default)]
    pub provisioned: bool,
    /// [`Record::keep`] of the object.
    #[serde(default)]
    pub keep: bool,
}

/// One run that could change something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Unique; sorts by time.
    pub id: String,
    /// `user@host`.
    pub who: String,
    /// The process.
    pub pid: u32,
    /// The command, without values of variables.
    pub command: String,
    /// When it started.
    pub started: Timestamp,
    /// When it ended; `None` for one that died.
    pub ended: Option<Timestamp>,
    /// What it did: an address and an action each.
    pub changes: Vec<(InstanceAddress, String)>,
}

/// What identifies a state and its revision.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// Unique per state, for as long as it lives.
    pub lineage: String,
    /// Grows with every committed run.
    pub serial: u64,
}

/// Everything that a store holds.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Which state, which revision.
    pub meta: Meta,
    /// The objects.
    pub records: BTreeMap<RecordKey, Record>,
    /// The root module's outputs.
    pub outputs: BTreeMap<Arc<str>, OutputRecord>,
    /// The mutations that were under way when the last run ended.
    pub intents: Vec<Intent>,
    /// Typical durations by resource type and action (`create`, `update`, `delete`).
    pub durations: BTreeMap<(Arc<str>, String), Duration>,
    /// What became of conditions in the last run.
    pub checks: Vec<CheckResult>,
}

/// One change of a store.
#[derive(Debug, Clone)]
pub enum Change {
    /// Writes an object's record.
    Put(Box<Record>),
    /// Removes an object's record.
    Remove(RecordKey),
    /// Writes an output.
    PutOutput(Arc<str>, OutputRecord),
    /// Removes an output.
    RemoveOutput(Arc<str>),
    /// Records a mutation before it is sent.
    OpenIntent(Box<Intent>),
    /// Records what a mutation made so far.
    Checkpoint(OperationId, ResourceState),
    /// Removes a mutation that is done.
    CloseIntent(OperationId),
    /// Writes a run; one with an end raises the serial.
    PutRun(RunRecord),
    /// Records how long an action took.
    PutDuration(Arc<str>, String, Duration),
    /// Writes what became of conditions, in place of all that was known of them.
    PutChecks(Vec<CheckResult>),
}

/// What can go wrong with a store.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Another run has it.
    #[error("the state is locked: {0}")]
    Locked(String),
    /// It was written by a newer program.
    #[error("the state has format {found}, and this program knows up to {known}: use a newer topo")]
    NewerFormat {
        /// The format found.
        found: u64,
        /// The newest format known.
        known: u64,
    },
    /// It cannot be read or written.
    #[error("{0}")]
    Io(String),
    /// What it holds cannot be understood.
    #[error("the state cannot be read: {0}")]
    Corrupt(String),
}

/// Keeps the state. One writer at a time holds it open; see the implementations for readers.
#[async_trait]
pub trait StateStore: Send + Sync {
    /// Everything.
    ///
    /// # Errors
    /// When it cannot be read.
    async fn load(&self) -> Result<State, StoreError>;

    /// Makes all these changes together or none, durable when it returns. Commits that run side
    /// by side may share one disk sync.
    ///
    /// # Errors
    /// When they cannot be made durable.
    async fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError>;
}
