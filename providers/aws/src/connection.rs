//! The driver: what happens around a type's own API calls in the same way for every type.
//!
//! A creation's value goes: planned -> accepted by the API (checkpoint) -> ready -> read until it
//! is visible and agrees with the plan -> brought to the schema's types. Whatever fails after the
//! acceptance comes back with the partial state.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use topo_sdk::convert::convert;
use topo_sdk::plan::{fill_missing, nulls_for_unknowns};
use topo_sdk::provider::unknown_type;
use topo_sdk::value::Kind;
use topo_sdk::{
    Action, ApplyFailure, ApplyRequest, Connection, Diagnostics, OpenedEphemeral, Operation,
    PlanRequest, PlannedResource, ReadRequest, RecoverRequest, Recovery, ResourceState, Schema,
    Value,
};

use crate::core::clients::Aws;
use crate::core::contract::{Call, Found, Resource, Watch};
use crate::core::wait::{Status, until};
use crate::provider::plan_with;
use crate::table::{DATA, EPHEMERAL, Entry, RESOURCES};

/// How long a read is repeated until it shows what was written; then it is believed.
const CONSISTENT: Duration = Duration::from_secs(8);
/// The same where the API is on this machine: nothing to wait for.
const CONSISTENT_LOCAL: Duration = Duration::from_millis(300);

/// A configured AWS provider.
pub(crate) struct AwsConnection {
    aws: Aws,
    consistent: Duration,
}

/// Brings a value to the schema's types.
pub(crate) fn conform(schema: &Schema, value: Value) -> Result<Value, Diagnostics> {
    let filled = fill_missing(&schema.block, nulls_for_unknowns(value));
    convert(&filled, &schema.block.ty()).map_err(|e| {
        Diagnostics::error(
            "AWS answered with something that does not fit the schema",
            format!("At {}: {e}.", e.path),
        )
    })
}

/// The planned object with what is unknown in it taken from the prior one.
fn over_prior(planned: &Value, prior: &Value) -> Value {
    match planned.kind() {
        Kind::Unknown(_) => prior.clone(),
        Kind::Object(object) => Value::object(object.iter().map(|(name, value)| {
            let old = prior.get(name).unwrap_or(&Value::NULL);
            (name.clone(), over_prior(value, old))
        })),
        _ => nulls_for_unknowns(planned.clone()),
    }
}

/// The known attributes of `found` over those of `base`.
fn overlay(base: Value, found: &Value) -> Value {
    found
        .as_map()
        .into_iter()
        .flatten()
        .filter(|(_, v)| !v.is_null())
        .fold(base, |made, (name, value)| made.with(name, value.clone()))
}

/// Whether an object shows everything that was planned for it.
fn agrees(planned: &Value, found: &Value) -> bool {
    planned
        .as_map()
        .into_iter()
        .flatten()
        .all(|(name, value)| !value.is_wholly_known() || found.get(name) == Some(value))
}

impl AwsConnection {
    pub fn new(aws: Aws) -> AwsConnection {
        let endpoint = aws.endpoint_of("ec2:");
        let local = ["://127.0.0.1", "://localhost", "://[::1]"]
            .iter()
            .any(|l| endpoint.contains(l));
        AwsConnection {
            aws,
            consistent: if local { CONSISTENT_LOCAL } else { CONSISTENT },
        }
    }

    async fn read_as(
        &self,
        entry: &Entry<dyn Resource>,
        known: &Value,
    ) -> Result<Option<Value>, Diagnostics> {
        let found = entry
            .kind
            .read(&self.aws, &nulls_for_unknowns(known.clone()))
            .await?;
        found.map(|v| conform(entry.schema(), v)).transpose()
    }

    /// Reads a written object until it is visible and shows what was planned. What still differs
    /// after a while is believed: AWS may have its own idea.
    async fn read_written(
        &self,
        entry: &Entry<dyn Resource>,
        known: &Value,
        planned: &Value,
    ) -> Result<Value, Diagnostics> {
        let start = tokio::time::Instant::now();
        until(
            "the object to become visible",
            self.aws.propagation(),
            |_| (),
            || async {
                Ok(match self.read_as(entry, known).await? {
                    Some(v) if agrees(planned, &v) || start.elapsed() >= self.consistent => {
                        Status::Ready(v)
                    }
                    Some(_) => Status::Pending("it does not show the change yet".into()),
                    None => Status::Pending("it is not visible yet".into()),
                })
            },
        )
        .await
    }

    /// What is left of an object whose mutation failed: as AWS shows it, or as last known where
    /// AWS does not answer.
    async fn left(&self, entry: &Entry<dyn Resource>, known: &Value) -> Option<ResourceState> {
        match self.read_as(entry, known).await {
            Ok(found) => found.map(ResourceState::from),
            Err(_) => conform(entry.schema(), known.clone())
                .ok()
                .map(ResourceState::from),
        }
    }

    async fn create(
        &self,
        entry: &Entry<dyn Resource>,
        call: &Call<'_>,
        planned: &Value,
    ) -> Result<Value, ApplyFailure> {
        let made = match entry.kind.create(call, planned).await {
            Ok(made) => self.read_written(entry, &made, planned).await,
            Err(failed) => Err(failed),
        };
        match made {
            Ok(value) => Ok(value),
            Err(diagnostics) => {
                let state = match call.partial() {
                    Some(partial) => self.left(entry, &partial).await,
                    None => None,
                };
                Err(ApplyFailure { diagnostics, state })
            }
        }
    }

    async fn recover_creation(
        &self,
        entry: &Entry<dyn Resource>,
        request: &RecoverRequest,
        planned: &Value,
    ) -> Result<Recovery, Diagnostics> {
        let base = nulls_for_unknowns(planned.clone());
        let known = match &request.checkpoint {
            Some(checkpoint) => overlay(base, &checkpoint.value),
            None => {
                let token = request.operation.as_str();
                match entry.kind.find(&self.aws, planned, token).await? {
                    Found::Sure(None) => return Ok(Recovery::Absent),
                    Found::Sure(Some(found)) => overlay(base, &found),
                    Found::Alike {
                        candidates,
                        distinctive,
                    } => match candidates.as_slice() {
                        [] => return Ok(Recovery::Absent),
                        [one] if distinctive => overlay(base, one),
                        several => return Ok(cannot_tell(entry.kind.name(), several)),
                    },
                }
            }
        };
        let watch = Watch {
            aws: &self.aws,
            limit: entry.schema().timeout(planned, "create"),
            tell: &|m| tracing::info!("{m}"),
        };
        if let Err(failed) = entry.kind.settle(&watch, &known).await {
            if self.read_as(entry, &known).await?.is_none() {
                return Ok(Recovery::Absent);
            }
            return Ok(Recovery::CannotTell(format!(
                "The object exists, but is not usable: {failed}"
            )));
        }
        Ok(match self.read_as(entry, &known).await? {
            Some(value) => Recovery::Found(value.into()),
            None => Recovery::Absent,
        })
    }
}

fn cannot_tell(type_name: &str, candidates: &[Value]) -> Recovery {
    let ids: Vec<&str> = candidates.iter().filter_map(|c| c.get_str("id")).collect();
    Recovery::CannotTell(format!(
        "The answer to the creation was never seen, and {} could be what it made: {}. If one of \
         them is, import it; otherwise the creation did not happen.",
        type_name,
        ids.join(", ")
    ))
}

fn entry(type_name: &str) -> Result<&'static Entry<dyn Resource>, Diagnostics> {
    RESOURCES
        .get(type_name)
        .ok_or_else(|| unknown_type(type_name))
}

#[async_trait]
impl Connection for AwsConnection {
    async fn plan(&self, request: &PlanRequest) -> Option<Result<PlannedResource, Diagnostics>> {
        let entry = RESOURCES.get(&*request.type_name)?;
        let rules = Some(&self.aws.tags);
        Some(Ok(plan_with(entry.kind, entry.schema(), rules, request)))
    }

    async fn read(&self, request: &ReadRequest) -> Result<Option<ResourceState>, Diagnostics> {
        let found = self
            .read_as(entry(&request.type_name)?, &request.state.value)
            .await?;
        Ok(found.map(|value| ResourceState {
            value,
            private: request.state.private.clone(),
        }))
    }

    async fn read_many(
        &self,
        requests: &[ReadRequest],
    ) -> Vec<Result<Option<ResourceState>, Diagnostics>> {
        let Some(first) = requests.first() else {
            return Vec::new();
        };
        let entry = match entry(&first.type_name) {
            Ok(entry) => entry,
            Err(failed) => return requests.iter().map(|_| Err(failed.clone())).collect(),
        };
        let known: Vec<Value> = requests
            .iter()
            .map(|r| nulls_for_unknowns(r.state.value.clone()))
            .collect();
        let answers = entry.kind.read_many(&self.aws, &known).await;
        let answers = requests.iter().zip(answers).map(|(request, answer)| {
            let found = answer?.map(|v| conform(entry.schema(), v)).transpose()?;
            Ok(found.map(|value| ResourceState {
                value,
                private: request.state.private.clone(),
            }))
        });
        answers.collect()
    }

    async fn read_data(&self, type_name: &str, config: &Value) -> Result<Value, Diagnostics> {
        let entry = DATA.get(type_name).ok_or_else(|| unknown_type(type_name))?;
        let value = entry.kind.read(&self.aws, config).await?;
        conform(entry.schema(), value)
    }

    async fn open_ephemeral(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<OpenedEphemeral, Diagnostics> {
        let entry = EPHEMERAL
            .get(type_name)
            .ok_or_else(|| unknown_type(type_name))?;
        let value = entry.kind.read(&self.aws, config).await?;
        Ok(conform(entry.schema(), value)?.into())
    }

    async fn apply(
        &self,
        request: &ApplyRequest,
        operation: &dyn Operation,
    ) -> Result<Option<ResourceState>, ApplyFailure> {
        let entry = entry(&request.type_name)?;
        let call = |object: &Value, action| {
            Call::new(
                &self.aws,
                operation,
                &request.config,
                entry.schema(),
                object,
                action,
            )
        };
        match &request.action {
            Action::Create { planned } => {
                let call = call(planned, "create");
                let made = self.create(entry, &call, planned).await?;
                Ok(Some(made.into()))
            }
            Action::Update { prior, planned } => {
                let known = over_prior(planned, &prior.value);
                let call = call(planned, "update");
                let done = match entry.kind.update(&call, &prior.value, &known).await {
                    Ok(()) => self.read_written(entry, &known, planned).await,
                    Err(failed) => Err(failed),
                };
                match done {
                    Ok(value) => Ok(Some(value.into())),
                    Err(diagnostics) => {
                        let state = self.left(entry, &prior.value).await;
                        Err(ApplyFailure { diagnostics, state })
                    }
                }
            }
            Action::Delete { prior } => {
                let call = call(&prior.value, "delete");
                match entry.kind.delete(&call, &prior.value).await {
                    Ok(()) => Ok(None),
                    Err(diagnostics) => Err(ApplyFailure {
                        diagnostics,
                        state: Some(prior.clone()),
                    }),
                }
            }
        }
    }

    async fn import(&self, type_name: &str, id: &str) -> Result<ResourceState, Diagnostics> {
        let entry = entry(type_name)?;
        let named = entry.kind.known_by(id).map_err(|form| {
            Diagnostics::error(
                format!("\"{id}\" is not an import id of {type_name}"),
                format!("The id has the form {form}."),
            )
        })?;
        let schema: &Arc<Schema> = entry.schema();
        let known = conform(schema, named)?;
        let Some(found) = self.read_as(entry, &known).await? else {
            return Err(Diagnostics::error(
                format!("{type_name} \"{id}\" does not exist"),
                format!(
                    "AWS has no such object in region {} of this account.",
                    self.aws.region
                ),
            ));
        };
        // What the API does not tell gets its default: an imported object plans like a made one.
        let defaults = schema.block.attributes.iter().filter_map(|(name, a)| {
            let unset = found.get(name).is_none_or(Value::is_null);
            Some((name.clone(), a.default.clone().filter(|_| unset)?))
        });
        let value = defaults.fold(found.clone(), |made, (name, v)| made.with(&name, v));
        Ok(value.into())
    }

    async fn recover(&self, request: &RecoverRequest) -> Result<Recovery, Diagnostics> {
        let entry = entry(&request.request.type_name)?;
        let known = match &request.request.action {
            Action::Create { planned } => {
                return self.recover_creation(entry, request, planned).await;
            }
            Action::Update { prior, planned } => over_prior(planned, &prior.value),
            Action::Delete { prior } => prior.value.clone(),
        };
        Ok(match self.read_as(entry, &known).await? {
            Some(value) => Recovery::Found(value.into()),
            None => Recovery::Absent,
        })
    }
}
