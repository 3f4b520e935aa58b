//! The typed stream of what happens in a run, the only source of progress output.

use std::sync::Arc;
use std::time::Duration;

use topo_sdk::{Diagnostic, Diagnostics};

use crate::address::{InstanceAddress, ProviderAddress};
use crate::apply::Outcome;
use crate::changes::{ChangeAction, Overview};
use crate::store::RecordKey;

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// Objects of one provider configuration are being read.
    RefreshStarted {
        /// The provider configuration.
        provider: ProviderAddress,
        /// Which objects, each with its id where it has one that may be shown.
        objects: Arc<[(RecordKey, Option<String>)]>,
    },
    /// They have been read.
    RefreshFinished {
        /// The provider configuration.
        provider: ProviderAddress,
        /// Which objects, as they were announced.
        objects: Arc<[(RecordKey, Option<String>)]>,
    },
    /// A plan is made.
    Planned(Arc<Overview>),
    /// A plan could not be made, and so much of it was before that was seen. What is wrong is the
    /// result of planning, and not among this one's diagnostics.
    PlannedInPart(Arc<Overview>),
    /// An object that exists is being looked up, to be taken into the state.
    ImportStarted {
        /// Where it will be.
        address: InstanceAddress,
        /// What its provider knows it by.
        id: String,
    },
    /// It has been found.
    ImportFinished {
        /// Where it will be.
        address: InstanceAddress,
        /// What its provider knows it by.
        id: String,
    },
    /// Something is done to an ephemeral resource.
    EphemeralStarted {
        /// The ephemeral resource.
        address: InstanceAddress,
        /// What is done.
        action: EphemeralAction,
    },
    /// It has been done.
    EphemeralFinished {
        /// The ephemeral resource.
        address: InstanceAddress,
        /// What was done.
        action: EphemeralAction,
        /// How long it took.
        elapsed: Duration,
    },
    /// It could not be done. Why is among the diagnostics of the phase.
    EphemeralFailed {
        /// The ephemeral resource.
        address: InstanceAddress,
        /// What was to be done.
        action: EphemeralAction,
        /// How long it took.
        elapsed: Duration,
    },
    /// A data source is being read.
    ReadStarted {
        /// The data source.
        address: InstanceAddress,
    },
    /// A data source has been read.
    ReadFinished {
        /// The data source.
        address: InstanceAddress,
        /// How long it took.
        elapsed: Duration,
    },
    /// What a run that died had under way was looked for.
    Recovered {
        /// The object.
        key: RecordKey,
        /// What was found, in words: "found and adopted", "was never made".
        outcome: String,
    },
    /// A provider was configured after its configuration became known.
    ProviderConfigured {
        /// The provider configuration.
        provider: ProviderAddress,
    },
    /// A mutation starts.
    ApplyStarted {
        /// The object.
        key: RecordKey,
        /// Create, update or delete.
        action: ChangeAction,
        /// The object's id, where it has one already.
        id: Option<String>,
    },
    /// A provider tells what it is waiting for.
    ApplyProgress {
        /// The object.
        key: RecordKey,
        /// In words.
        message: String,
    },
    /// A mutation is done.
    ApplyFinished {
        /// The object.
        key: RecordKey,
        /// Create, update or delete.
        action: ChangeAction,
        /// The object's id, where it has one.
        id: Option<String>,
        /// How long it took.
        elapsed: Duration,
    },
    /// A mutation failed.
    ApplyFailed {
        /// The object.
        key: RecordKey,
        /// Create, update or delete.
        action: ChangeAction,
        /// Why.
        diagnostics: Diagnostics,
        /// How long it took.
        elapsed: Duration,
    },
    /// A provisioner starts.
    ProvisionStarted {
        /// The object.
        key: RecordKey,
        /// The kind of provisioner: `local-exec`.
        provisioner: Arc<str>,
        /// Whether it is not carried out: its output is what it would be given.
        simulated: bool,
    },
    /// A line of a provisioner's output.
    ProvisionOutput {
        /// The object.
        key: RecordKey,
        /// The kind of provisioner.
        provisioner: Arc<str>,
        /// The line as it came, without its end.
        line: String,
    },
    /// A provisioner is done.
    ProvisionFinished {
        /// The object.
        key: RecordKey,
        /// The kind of provisioner.
        provisioner: Arc<str>,
        /// How long it took.
        elapsed: Duration,
    },
    /// A provisioner failed. Whether that is an error or a warning is up to its block.
    ProvisionFailed {
        /// The object.
        key: RecordKey,
        /// The kind of provisioner.
        provisioner: Arc<str>,
        /// How long it took.
        elapsed: Duration,
    },
    /// A mutation was not started, because what it depends on failed or the run was interrupted.
    Skipped {
        /// The object.
        key: RecordKey,
        /// Why, in words.
        because: String,
    },
    /// The run stops starting operations and waits for those under way.
    Interrupted {
        /// How many are under way.
        running: usize,
    },
    /// Something to tell at once.
    Diagnostic(Diagnostic),
    /// A run is over.
    Applied(Arc<Outcome>),
}

/// What is done to an ephemeral resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EphemeralAction {
    /// It is made available.
    Open,
    /// It is kept from expiring.
    Renew,
    /// It is let go.
    Close,
}

/// Who listens. Called from the engine's task: hand the event on, do not block.
pub type Listener = Arc<dyn Fn(Event) + Send + Sync>;

/// A listener that drops everything.
pub fn silent() -> Listener {
    Arc::new(|_| {})
}
