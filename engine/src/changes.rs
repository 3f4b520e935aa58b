//! What a plan says: for each object the action, the reason, before and after.
//!
//! This is data for whoever shows a plan. How it was worked out is in [`crate::plan`], how it is
//! carried out in [`crate::apply`].

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use topo_sdk::{Diagnostics, Path, Schema, Value};

use crate::address::{InstanceAddress, ProviderAddress, ResourceAddress, ResourceMode};
use crate::store::RecordKey;

/// What is to happen to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ChangeAction {
    /// Nothing.
    NoOp,
    /// It is made.
    Create,
    /// A data source is read during apply.
    Read,
    /// It is changed in place.
    Update,
    /// It is removed, then made anew.
    DeleteThenCreate,
    /// It is made anew, then the old one is removed.
    CreateThenDelete,
    /// It is removed.
    Delete,
    /// It is left alone and no longer known to the state.
    Forget,
    /// It is left alone and no longer known to the state, and another is made in its place.
    ForgetThenCreate,
}

impl ChangeAction {
    /// Whether an object is made anew in place of another.
    pub fn is_replace(self) -> bool {
        matches!(
            self,
            ChangeAction::DeleteThenCreate
                | ChangeAction::CreateThenDelete
                | ChangeAction::ForgetThenCreate
        )
    }

    /// Whether an object is removed, alone or for another in its place.
    pub fn destroys(self) -> bool {
        matches!(
            self,
            ChangeAction::Delete | ChangeAction::DeleteThenCreate | ChangeAction::CreateThenDelete
        )
    }

    /// The word for it: `create`, `update`, `replace`...
    pub fn word(self) -> &'static str {
        match self {
            ChangeAction::NoOp => "no-op",
            ChangeAction::Create => "create",
            ChangeAction::Read => "read",
            ChangeAction::Update => "update",
            ChangeAction::DeleteThenCreate
            | ChangeAction::CreateThenDelete
            | ChangeAction::ForgetThenCreate => "replace",
            ChangeAction::Delete => "delete",
            ChangeAction::Forget => "forget",
        }
    }
}

/// Why an object is replaced, deleted or read late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// Attributes changed that cannot change in place; see [`InstanceChange::replace_paths`].
    CannotUpdate,
    /// Its creation had failed half-way.
    Tainted,
    /// The user asked for it.
    Requested,
    /// What the provider talks to will be another: this argument of its configuration changes,
    /// because these objects are replaced.
    TargetReplaced {
        /// The provider configuration.
        provider: ProviderAddress,
        /// The argument that identifies the target.
        argument: Path,
        /// The replaced objects that the argument comes from.
        because: Vec<InstanceAddress>,
    },
    /// `replace_triggered_by` names something that changes.
    TriggeredBy(InstanceAddress),
    /// The configuration has no such block any more.
    NotInConfiguration,
    /// The module call is gone or has fewer instances.
    NoModule,
    /// `count` is lower than the instance's index.
    CountIndex,
    /// `for_each` has no such key.
    EachKey,
    /// `enabled` is false.
    Disabled,
    /// The block gained or lost `count` or `for_each`.
    WrongRepetition,
    /// The whole run destroys.
    Destroy,
    /// A data source's configuration has values that are known only after apply.
    ConfigUnknown,
    /// A data source depends on objects with pending changes.
    DependencyPending,
    /// A data source inside a `check` block is read when everything else is done.
    CheckNested,
    /// A `moved` block leads to an address at which there is no such instance.
    NoMoveTarget,
}

/// What is to happen to one object.
#[derive(Debug, Clone)]
pub struct InstanceChange {
    /// Which object.
    pub key: RecordKey,
    /// Through which provider configuration.
    pub provider: ProviderAddress,
    /// What happens.
    pub action: ChangeAction,
    /// Why, where that is not plain from before and after.
    pub reason: Option<Reason>,
    /// The object as it is (refreshed), sensitive parts marked; `None` where there is none.
    pub before: Option<Value>,
    /// The object as it will be, unknown where that is known only after apply, sensitive parts
    /// marked; `None` where there will be none.
    pub after: Option<Value>,
    /// The attributes that force a new object.
    pub replace_paths: Vec<Path>,
    /// The schema of both values.
    pub schema: Arc<Schema>,
    /// The provider's configuration is not known yet, so this was planned from the schema alone.
    pub provider_deferred: bool,
    /// The address that the object had before, where it moves.
    pub previous: Option<InstanceAddress>,
    /// What the object is known as outside, where it is to be taken into the state.
    pub importing: Option<Importing>,
}

/// An object that exists and is taken into the state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Importing {
    /// What its provider knows it by.
    pub id: String,
    /// Whether the configuration for it was written by the same run.
    pub generated: bool,
}

impl InstanceChange {
    /// The address of the object.
    pub fn address(&self) -> &InstanceAddress {
        &self.key.address
    }

    /// Resource or data.
    pub fn mode(&self) -> ResourceMode {
        self.key.address.resource.mode
    }
}

/// An object that is not as the state has it.
#[derive(Debug, Clone)]
pub struct Drift {
    /// Which object.
    pub key: RecordKey,
    /// As the state has it.
    pub before: Value,
    /// As it is, but for what merely follows from a change (revision numbers) or was left to the
    /// provider, which is as in the state; `None` when it is gone.
    pub after: Option<Value>,
    /// The schema of both values.
    pub schema: Arc<Schema>,
    /// What an apply would do about it; `None` where that is not known, as in a plan that only
    /// accepts what it finds.
    pub consequence: Option<ChangeAction>,
}

/// An object that could not be read.
#[derive(Debug, Clone)]
pub struct Unread {
    /// Which object.
    pub key: RecordKey,
    /// Why.
    pub diagnostics: Diagnostics,
}

/// Why something is left to a later round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeferredReason {
    /// How many instances there are is not known yet.
    InstanceCountUnknown,
    /// Something that it depends on is left to a later round.
    Prerequisite,
}

/// Something that cannot be planned before more is known.
#[derive(Debug, Clone)]
pub struct Deferred {
    /// Its address, with `[*]` for keys that are not known: `module.a[*].aws_subnet.s[*]`.
    pub address: String,
    /// The block it comes from; in a module whose instances are not known the module's path
    /// without keys.
    pub resource: ResourceAddress,
    /// The provider configuration.
    pub provider: ProviderAddress,
    /// Why.
    pub reason: DeferredReason,
    /// The resources that the number of its instances comes from.
    pub unknown: Vec<String>,
    /// The schema of its objects.
    pub schema: Arc<Schema>,
}

/// What kind of thing a condition is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CheckKind {
    /// Preconditions and postconditions of a resource, data source or ephemeral resource.
    Resource,
    /// Preconditions of an output.
    Output,
    /// A `check` block.
    Check,
    /// Validations of a variable.
    Variable,
}

/// Whether conditions hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CheckStatus {
    /// All hold.
    Pass,
    /// It is not known yet.
    Unknown,
    /// One could not be evaluated.
    Error,
    /// One does not hold.
    Fail,
}

/// Conditions of one block, with what became of them in each of its instances.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckResult {
    /// What the conditions are about.
    pub kind: CheckKind,
    /// The block, without any keys: `module.a.aws_vpc.main`, `output.x`, `check.health`.
    pub block: String,
    /// The static module that the block is in: the names of the calls.
    pub module: Arc<[Arc<str>]>,
    /// Its instances, in order of addresses.
    pub objects: Vec<CheckedObject>,
}

impl CheckResult {
    /// The worst of its instances; a block without any passes.
    pub fn status(&self) -> CheckStatus {
        let all = self.objects.iter().map(|o| o.status);
        all.max().unwrap_or(CheckStatus::Pass)
    }
}

/// One instance of something with conditions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckedObject {
    /// Its address, with keys.
    pub address: String,
    /// Whether its conditions hold.
    pub status: CheckStatus,
    /// The messages of those that do not.
    pub problems: Vec<String>,
}

/// What a plan says: everything that is shown of it and nothing that is needed to carry it out.
#[derive(Debug, Clone)]
pub struct Overview {
    /// What happens to each object, those that stay as they are included, by address.
    pub changes: Vec<InstanceChange>,
    /// Objects that are not as the state has it.
    pub drift: Vec<Drift>,
    /// What happens to the outputs.
    pub outputs: Vec<OutputChange>,
    /// Provider configurations that are not known before apply.
    pub deferred_providers: Vec<ProviderAddress>,
    /// What is left to a later round.
    pub deferred: Vec<Deferred>,
    /// Objects that could not be read, in a plan that goes on nevertheless.
    pub unread: Vec<Unread>,
    /// Conditions, and whether they hold as far as that is known.
    pub checks: Vec<CheckResult>,
    /// Warnings; in a refresh-only plan also errors of objects that could not be read.
    pub diagnostics: Diagnostics,
    /// What the run is for.
    pub mode: PlanMode,
    /// Whether targets or exclusions restrict it.
    pub partial: bool,
}

impl Overview {
    /// How many objects each action concerns.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for change in self
            .changes
            .iter()
            .filter(|c| c.mode() == ResourceMode::Managed)
        {
            counts.import += usize::from(change.importing.is_some());
            match change.action {
                ChangeAction::Create => counts.add += 1,
                ChangeAction::Update => counts.change += 1,
                ChangeAction::Delete => counts.destroy += 1,
                ChangeAction::Forget => counts.forget += 1,
                ChangeAction::ForgetThenCreate => {
                    counts.add += 1;
                    counts.forget += 1;
                }
                a if a.is_replace() => {
                    counts.add += 1;
                    counts.destroy += 1;
                }
                _ => {}
            }
        }
        counts
    }

    /// Whether no object changes, none moves and none is imported.
    pub fn touches_nothing(&self) -> bool {
        self.changes.iter().all(|c| {
            matches!(c.action, ChangeAction::NoOp | ChangeAction::Read)
                && c.previous.is_none()
                && c.importing.is_none()
        })
    }

    /// Whether there is nothing to apply: no object and no output changes, nothing moves and
    /// nothing is imported.
    pub fn is_empty(&self) -> bool {
        let objects = self.touches_nothing();
        let drift = self.mode == PlanMode::RefreshOnly && !self.drift.is_empty();
        objects && !drift && self.outputs.iter().all(OutputChange::is_no_op)
    }
}

/// What is to happen to an output of the root module.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputChange {
    /// The output.
    pub name: Arc<str>,
    /// As it is; `None` where there is none.
    pub before: Option<Value>,
    /// As it will be; `None` where it is removed.
    pub after: Option<Value>,
    /// Whether it is declared sensitive.
    pub sensitive: bool,
}

impl OutputChange {
    /// Whether the output stays as it is.
    pub fn is_no_op(&self) -> bool {
        self.before == self.after
            && self.before.as_ref().map(Value::is_sensitive)
                == self.after.as_ref().map(Value::is_sensitive)
    }
}

/// Which kind of run a plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum PlanMode {
    /// Converge to the configuration.
    #[default]
    Normal,
    /// Remove everything.
    Destroy,
    /// Only accept into the state what reality has become.
    RefreshOnly,
}

/// How many objects each action concerns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Made, replacements included.
    pub add: usize,
    /// Changed in place.
    pub change: usize,
    /// Removed, replacements included.
    pub destroy: usize,
    /// Left alone and forgotten.
    pub forget: usize,
    /// Taken into the state, whatever else happens to them.
    pub import: usize,
}
