//! What one resource type or data source gives to the driver. A type says how it looks and makes
//! its own API calls; planning, tags, checkpoints, partial states, recovery and bringing values
//! to the schema's types are the driver's (`connection`).

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::{self, StreamExt};
use topo_sdk::plan::nulls_for_unknowns;
use topo_sdk::{Diagnostics, Operation, Schema, Value};

use super::clients::Aws;
use super::wait::{Status, until};

/// The answer to a read: the object, or `None` when it is gone.
pub(crate) type Read = Result<Option<Value>, Diagnostics>;

/// How many objects are read side by side where one call cannot read many.
const SIDE_BY_SIDE: usize = 10;

/// One resource type.
#[async_trait]
pub(crate) trait Resource: Send + Sync {
    /// Its name: `aws_vpc`.
    fn name(&self) -> &'static str;

    /// Its schema. Made when first asked for, then cached.
    fn schema(&self) -> Schema;

    /// Checks a configuration beyond the schema.
    fn validate(&self, _config: &Value, _found: &mut Diagnostics) {}

    /// The proposed object, with the prior value wherever the proposed one means the same.
    fn normalise(&self, _prior: &Value, proposed: Value) -> Value {
        proposed
    }

    /// The names of attributes that an update from `prior` to `planned` changes on AWS's side:
    /// unknown in the plan.
    fn recomputed(&self, _prior: &Value, _planned: &Value) -> Vec<&'static str> {
        Vec::new()
    }

    /// What is known of an object of which only the import id is known.
    ///
    /// # Errors
    /// The form that the id should have.
    fn from_id(&self, id: &str) -> Result<Value, String> {
        Ok(Value::object([("id", Value::from(id))]))
    }

    /// The object as it is. Starts from `known`, whose unknown parts are null.
    async fn read(&self, aws: &Aws, known: &Value) -> Read;

    /// Many objects, answered in order.
    async fn read_many(&self, aws: &Aws, known: &[Value]) -> Vec<Read> {
        let reads: Vec<_> = known.iter().map(|k| self.read(aws, k)).collect();
        stream::iter(reads).buffered(SIDE_BY_SIDE).collect().await
    }

    /// Makes the object and waits for it. Calls [`Call::accepted`] as soon as the API has
    /// accepted it; returns what was given there, perhaps with more. The driver reads the rest.
    async fn create(&self, call: &Call<'_>, planned: &Value) -> Result<Value, Diagnostics>;

    /// Changes the object in place and waits.
    async fn update(
        &self,
        call: &Call<'_>,
        prior: &Value,
        planned: &Value,
    ) -> Result<(), Diagnostics>;

    /// Removes the object and waits. An object that is gone already is no error.
    async fn delete(&self, call: &Call<'_>, prior: &Value) -> Result<(), Diagnostics>;

    /// Objects that may be what a lost creation made: enough of each to read it, found by the
    /// natural key or by `token`, the idempotency token it was sent with.
    async fn find(&self, aws: &Aws, planned: &Value, token: &str) -> Result<Found, Diagnostics>;

    /// Waits until an object whose creation was accepted in an earlier run is ready. Types that
    /// are ready at once need not say.
    async fn settle(&self, _watch: &Watch<'_>, _known: &Value) -> Result<(), Diagnostics> {
        Ok(())
    }
}

/// What a search for a lost object found.
#[derive(Debug)]
pub(crate) enum Found {
    /// The key names one object at most: this, or none.
    Sure(Option<Value>),
    /// Objects that look alike, in words that a person can look up, each with what reads it.
    /// Whether one of them is the lost one is certain only as far as the description is unique.
    Alike {
        /// The candidates.
        candidates: Vec<Value>,
        /// Whether the description (tags) sets it apart from others' objects.
        distinctive: bool,
    },
}

/// One data source.
#[async_trait]
pub(crate) trait DataSource: Send + Sync {
    /// Its name: `aws_region`.
    fn name(&self) -> &'static str;

    /// Its schema. Made when first asked for, then cached.
    fn schema(&self) -> Schema;

    /// Checks a configuration beyond the schema.
    fn validate(&self, _config: &Value, _found: &mut Diagnostics) {}

    /// The result where it is a pure function of the arguments.
    fn compute(&self, _config: &Value) -> Option<Result<Value, Diagnostics>> {
        None
    }

    /// The result. Starts from the configuration.
    async fn read(&self, aws: &Aws, config: &Value) -> Result<Value, Diagnostics>;
}

/// Something that takes time, watched.
pub(crate) struct Watch<'a> {
    /// The connection.
    pub aws: &'a Aws,
    /// How long it may take.
    pub limit: Duration,
    /// Who is told.
    pub tell: &'a (dyn Fn(&str) + Send + Sync),
}

impl Watch<'_> {
    /// Waits for a final status ([`until`]).
    pub async fn until<T, F, Fut>(&self, what: &str, look: F) -> Result<T, Diagnostics>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<Status<T>, Diagnostics>>,
    {
        until(what, self.limit, |m| (self.tell)(m), look).await
    }
}

/// A running mutation. Dereferences to the connection.
pub(crate) struct Call<'a> {
    aws: &'a Aws,
    operation: &'a dyn Operation,
    /// The configuration, for write-only arguments.
    pub config: &'a Value,
    limit: Duration,
    accepted: Mutex<Option<Value>>,
}

impl Deref for Call<'_> {
    type Target = Aws;
    fn deref(&self) -> &Aws {
        self.aws
    }
}

impl<'a> Call<'a> {
    /// A mutation that may take `limit`.
    pub fn new(
        aws: &'a Aws,
        operation: &'a dyn Operation,
        config: &'a Value,
        schema: &Arc<Schema>,
        object: &Value,
        action: &str,
    ) -> Call<'a> {
        Call {
            aws,
            operation,
            config,
            limit: schema.timeout(object, action),
            accepted: Mutex::new(None),
        }
    }

    /// The idempotency token.
    pub fn token(&self) -> &str {
        self.operation.id().as_str()
    }

    /// How long it may take.
    pub fn limit(&self) -> Duration {
        self.limit
    }

    /// Tells who watches.
    pub fn tell(&self, message: &str) {
        self.operation.progress(message);
    }

    /// Waits for a final status ([`until`]).
    pub async fn until<T, F, Fut>(&self, what: &str, look: F) -> Result<T, Diagnostics>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<Status<T>, Diagnostics>>,
    {
        until(what, self.limit, |m| self.tell(m), look).await
    }

    /// Records a new object as soon as the API has accepted it; whatever fails afterwards, it is
    /// not lost.
    pub async fn accepted(&self, partial: &Value) -> Result<(), Diagnostics> {
        let partial = nulls_for_unknowns(partial.clone());
        *self.slot() = Some(partial.clone());
        self.operation.checkpoint(partial.into()).await
    }

    /// What was accepted.
    pub fn partial(&self) -> Option<Value> {
        self.slot().clone()
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<Value>> {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
