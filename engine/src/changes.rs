//! What a plan says: for each object the action, the reason, before and after.
//!
//! This is data for whoever shows a plan. How it was worked out is in [`crate::plan`], how it is
//! carried out in [`crate::apply`].

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use topo_sdk::{Path, Schema, Value};

use crate::address::{InstanceAddress, ProviderAddress, ResourceMode};
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
}

impl ChangeAction {
    /// Whether an object is made anew in place of another.
    pub fn is_replace(self) -> bool {
        matches!(
            self,
            ChangeAction::DeleteThenCreate | ChangeAction::CreateThenDelete
        )
    }

    /// The word for it: `create`, `update`, `replace`...
    pub fn word(self) -> &'static str {
        match self {
            ChangeAction::NoOp => "no-op",
            ChangeAction::Create => "create",
            ChangeAction::Read => "read",
            ChangeAction::Update => "update",
            ChangeAction::DeleteThenCreate | ChangeAction::CreateThenDelete => "replace",
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
}
