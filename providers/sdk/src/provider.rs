//! The contract between the engine and a provider.
//!
//! Modelled on version 6 of Terraform's plugin protocol, so that an adapter for external plugins
//! can implement it, plus one thing which that protocol lacks: [`Connection::recover`].
//!
//! A [`Provider`] knows its schemas and can validate and plan without any connection. What needs
//! the outside world is on the [`Connection`] that [`Provider::configure`] returns, so that
//! nothing can be read or changed through a provider that is not configured. Values cross this
//! border without marks; the engine puts them back.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::convert::convert;
use crate::diagnostics::Diagnostics;
use crate::path::Path;
use crate::plan;
use crate::schema::Schema;
use crate::value::Value;

/// Names one mutation of one object in one run. Unique; use it as the API's idempotency token
/// where there is one. 36 characters of `[0-9a-f-]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OperationId(Arc<str>);

impl OperationId {
    /// A new one.
    pub fn generate() -> OperationId {
        OperationId(uuid::Uuid::now_v7().to_string().into())
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a provider knows of an object: its attributes, and bytes that only the provider reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceState {
    /// An object of the schema's type, wholly known after an apply or read.
    pub value: Value,
    /// Kept beside the object for the provider alone; empty for none.
    pub private: Vec<u8>,
}

impl From<Value> for ResourceState {
    fn from(value: Value) -> ResourceState {
        ResourceState {
            value,
            private: Vec::new(),
        }
    }
}

/// What planning is asked for one object. Deletion is not planned by providers.
#[derive(Debug, Clone)]
pub struct PlanRequest {
    /// The resource type.
    pub type_name: Arc<str>,
    /// The object as it is; `None` when it is to be created.
    pub prior: Option<ResourceState>,
    /// The configuration: what the user wrote, null where nothing, unknown where not known yet.
    pub config: Value,
    /// Configuration and prior object merged by schema rules ([`plan::propose`]).
    pub proposed: Value,
}

/// A planned object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedResource {
    /// The object as it will be, with unknowns.
    pub value: Value,
    /// The attributes whose change cannot be made in place.
    pub requires_replace: Vec<Path>,
}

/// What is to be done to an object, with what that needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Make it.
    Create {
        /// As planned; unknown where the provider decides.
        planned: Value,
    },
    /// Change it in place.
    Update {
        /// As it is.
        prior: ResourceState,
        /// As planned; unknown where the provider decides.
        planned: Value,
    },
    /// Remove it.
    Delete {
        /// As it is.
        prior: ResourceState,
    },
}

/// One mutation that a provider is asked to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplyRequest {
    /// The resource type.
    pub type_name: Arc<str>,
    /// What to do.
    pub action: Action,
    /// The configuration, with write-only values; null for a deletion.
    pub config: Value,
}

/// A mutation that failed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ApplyFailure {
    /// Why.
    pub diagnostics: Diagnostics,
    /// The object, where it exists nevertheless: stored, and marked tainted if it was being
    /// created. Unknown attributes in it become null.
    pub state: Option<ResourceState>,
}

impl From<Diagnostics> for ApplyFailure {
    fn from(diagnostics: Diagnostics) -> ApplyFailure {
        ApplyFailure {
            diagnostics,
            state: None,
        }
    }
}

/// An ephemeral resource that was opened: what it gives for as long as it is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedEphemeral {
    /// An object of the schema's type, wholly known. It is kept in memory alone.
    pub value: Value,
    /// Handed back to renew and close it; empty for none.
    pub private: Vec<u8>,
    /// When it must be renewed to stay good; `None` where it outlives any run.
    pub renew_at: Option<Timestamp>,
}

impl From<Value> for OpenedEphemeral {
    /// One that needs neither renewing nor closing.
    fn from(value: Value) -> OpenedEphemeral {
        OpenedEphemeral {
            value,
            private: Vec::new(),
            renew_at: None,
        }
    }
}

/// An ephemeral resource that was renewed. Its value stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RenewedEphemeral {
    /// What to hand back from now on.
    pub private: Vec<u8>,
    /// When it must be renewed again; `None` for not at all.
    pub renew_at: Option<Timestamp>,
}

/// The engine's side of a running mutation.
#[async_trait]
pub trait Operation: Send + Sync {
    /// The name of the mutation; an idempotency token.
    fn id(&self) -> &OperationId;

    /// Records what identifies the object as soon as the API has accepted the request, before
    /// waiting for it. Durable when it returns.
    ///
    /// # Errors
    /// When it cannot be recorded; give up waiting and return the partial state as a failure.
    async fn checkpoint(&self, partial: ResourceState) -> Result<(), Diagnostics>;

    /// Tells a watching person what is being waited for: "cluster is CREATING".
    fn progress(&self, message: &str);
}

/// What a refresh is asked for one object.
#[derive(Debug, Clone)]
pub struct ReadRequest {
    /// The resource type.
    pub type_name: Arc<str>,
    /// The object as last known.
    pub state: ResourceState,
}

/// What recovery is asked about one mutation of a run that died.
#[derive(Debug, Clone)]
pub struct RecoverRequest {
    /// The name that the mutation was sent under.
    pub operation: OperationId,
    /// The mutation.
    pub request: ApplyRequest,
    /// What was checkpointed, if it came to that.
    pub checkpoint: Option<ResourceState>,
}

/// What became of a mutation of a run that died.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovery {
    /// The object is there, like this.
    Found(ResourceState),
    /// There is no such object.
    Absent,
    /// It cannot be told; what a person should look at.
    CannotTell(String),
}

/// A provider: schemas, validation and planning. Needs no connection and no configuration.
#[async_trait]
pub trait Provider: Send + Sync {
    /// The local name that resource types start with: `aws`.
    fn name(&self) -> &'static str;

    /// Whether the outside world is a network (the sandbox replaces it) rather than this machine.
    fn uses_network(&self) -> bool;

    /// The schema of the provider block.
    fn provider_schema(&self) -> Arc<Schema>;

    /// The names of all resource types, sorted.
    fn resource_types(&self) -> Vec<Arc<str>>;

    /// The schema of a resource type; cached.
    fn resource_schema(&self, type_name: &str) -> Option<Arc<Schema>>;

    /// The names of all data sources, sorted.
    fn data_types(&self) -> Vec<Arc<str>> {
        Vec::new()
    }

    /// The schema of a data source; cached.
    fn data_schema(&self, _type_name: &str) -> Option<Arc<Schema>> {
        None
    }

    /// The names of all ephemeral resource types, sorted.
    fn ephemeral_types(&self) -> Vec<Arc<str>> {
        Vec::new()
    }

    /// The schema of an ephemeral resource type; cached.
    fn ephemeral_schema(&self, _type_name: &str) -> Option<Arc<Schema>> {
        None
    }

    /// The functions that it offers to expressions as `provider::NAME::FUNCTION`.
    fn functions(&self) -> Vec<crate::function::Function> {
        Vec::new()
    }

    /// Checks the provider block beyond its schema. Parts may be unknown.
    fn validate_provider(&self, _config: &Value) -> Diagnostics {
        Diagnostics::new()
    }

    /// Checks a resource's configuration beyond its schema. Parts may be unknown.
    fn validate_resource(&self, _type_name: &str, _config: &Value) -> Diagnostics {
        Diagnostics::new()
    }

    /// Checks a data source's configuration beyond its schema. Parts may be unknown.
    fn validate_data(&self, _type_name: &str, _config: &Value) -> Diagnostics {
        Diagnostics::new()
    }

    /// Checks an ephemeral resource's configuration beyond its schema. Parts may be unknown.
    fn validate_ephemeral(&self, _type_name: &str, _config: &Value) -> Diagnostics {
        Diagnostics::new()
    }

    /// Plans an object without a connection: pure, by the schema's rules unless a type has rules
    /// of its own.
    ///
    /// # Errors
    /// When the request makes no sense for the type.
    fn plan(&self, request: &PlanRequest) -> Result<PlannedResource, Diagnostics> {
        match self.resource_schema(&request.type_name) {
            Some(schema) => Ok(plan::plan(&schema, request)),
            None => Err(unknown_type(&request.type_name)),
        }
    }

    /// The result of a data source that is a pure function of its arguments and needs no
    /// connection; `None` for any other.
    fn compute_data(
        &self,
        _type_name: &str,
        _config: &Value,
    ) -> Option<Result<Value, Diagnostics>> {
        None
    }

    /// Brings a stored object of an older schema version to the current one. By default it is
    /// converted to the current type, attributes that are gone dropped and new ones null.
    ///
    /// # Errors
    /// When the object does not fit.
    fn upgrade_state(
        &self,
        type_name: &str,
        _version: u64,
        stored: Value,
    ) -> Result<Value, Diagnostics> {
        let schema = self
            .resource_schema(type_name)
            .ok_or_else(|| unknown_type(type_name))?;
        let filled = plan::fill_missing(&schema.block, stored);
        convert(&filled, &schema.block.ty()).map_err(|e| {
            Diagnostics::error(
                format!("Stored object does not fit the schema of {type_name}"),
                format!("At {}: {e}.", e.path),
            )
        })
    }

    /// Connects. The configuration is wholly known and of the provider schema's type.
    ///
    /// # Errors
    /// No credentials, contradictory arguments, an unreadable file. No call to the API is needed:
    /// an unreachable endpoint may show at the first use.
    async fn configure(&self, config: &Value) -> Result<Arc<dyn Connection>, Diagnostics>;
}

/// A configured provider.
#[async_trait]
pub trait Connection: Send + Sync {
    /// Plans with what only the configured provider knows (default tags). `None` where
    /// [`Provider::plan`] will do, which is the default.
    async fn plan(&self, _request: &PlanRequest) -> Option<Result<PlannedResource, Diagnostics>> {
        None
    }

    /// The object as it is now; `None` when it is gone.
    ///
    /// # Errors
    /// When it cannot be read.
    async fn read(&self, request: &ReadRequest) -> Result<Option<ResourceState>, Diagnostics>;

    /// Many objects of one type, answered in order. Override to use few calls; by default they
    /// are read side by side, ten at a time.
    async fn read_many(
        &self,
        requests: &[ReadRequest],
    ) -> Vec<Result<Option<ResourceState>, Diagnostics>> {
        // Collected first: a lazy stream of borrowed futures does not satisfy the compiler here.
        let reads: Vec<_> = requests.iter().map(|r| self.read(r)).collect();
        stream::iter(reads).buffered(10).collect().await
    }

    /// A data source. The configuration is wholly known.
    ///
    /// # Errors
    /// When it cannot be read or there is no such thing.
    async fn read_data(&self, type_name: &str, config: &Value) -> Result<Value, Diagnostics>;

    /// Opens an ephemeral resource: makes what it stands for available for a phase of a run. The
    /// configuration is wholly known.
    ///
    /// # Errors
    /// When it cannot be made available.
    async fn open_ephemeral(
        &self,
        type_name: &str,
        _config: &Value,
    ) -> Result<OpenedEphemeral, Diagnostics> {
        Err(unknown_type(type_name))
    }

    /// Keeps an opened ephemeral resource from expiring. Called at its
    /// [`renew_at`](OpenedEphemeral::renew_at), while it is open.
    ///
    /// # Errors
    /// When that is not possible; it is not tried again.
    async fn renew_ephemeral(
        &self,
        _type_name: &str,
        _private: &[u8],
    ) -> Result<RenewedEphemeral, Diagnostics> {
        Ok(RenewedEphemeral::default())
    }

    /// Lets go of an opened ephemeral resource. Nothing to do by default.
    ///
    /// # Errors
    /// When it could not be let go of.
    async fn close_ephemeral(&self, _type_name: &str, _private: &[u8]) -> Result<(), Diagnostics> {
        Ok(())
    }

    /// Makes one change and waits until it is done. Returns the object as it then is, wholly
    /// known, or `None` after a deletion.
    ///
    /// # Errors
    /// With what is left of the object, where there is something.
    async fn apply(
        &self,
        request: &ApplyRequest,
        operation: &dyn Operation,
    ) -> Result<Option<ResourceState>, ApplyFailure>;

    /// Whether making, changing and removing objects of a type is a computation alone: nothing
    /// outside of the state comes of it that a run which dies could leave behind, and it waits for
    /// nothing. Such a mutation needs no intent in the journal, and is not counted among the
    /// operations that run side by side.
    fn only_computes(&self, _type_name: &str) -> bool {
        false
    }

    /// The object that an id names.
    ///
    /// # Errors
    /// When there is no such object or the type cannot be imported.
    async fn import(&self, type_name: &str, _id: &str) -> Result<ResourceState, Diagnostics> {
        Err(Diagnostics::error(
            format!("{type_name} cannot be imported"),
            "The provider has no way to find an existing object of this type.",
        ))
    }

    /// What became of a mutation of a run that died. By default: looks at what was checkpointed
    /// or was there before; a creation without a checkpoint cannot be told.
    ///
    /// # Errors
    /// When the API cannot be asked.
    async fn recover(&self, request: &RecoverRequest) -> Result<Recovery, Diagnostics> {
        let known = request
            .checkpoint
            .clone()
            .or_else(|| match &request.request.action {
                Action::Update { prior, .. } | Action::Delete { prior } => Some(prior.clone()),
                Action::Create { .. } => None,
            });
        let Some(state) = known else {
            return Ok(Recovery::CannotTell(
                "The creation was sent but its answer was never seen, and this type has no natural key to look for.".into(),
            ));
        };
        let type_name = request.request.type_name.clone();
        Ok(match self.read(&ReadRequest { type_name, state }).await? {
            Some(state) => Recovery::Found(state),
            None => Recovery::Absent,
        })
    }
}

/// The error for a type that a provider does not have.
pub fn unknown_type(type_name: &str) -> Diagnostics {
    Diagnostics::error(
        format!("Unknown type {type_name}"),
        "The provider has no such type.",
    )
}
