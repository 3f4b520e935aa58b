//! The simulated provider: schemas, validation and planning of the real one, everything else
//! from the cloud.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use sha2::{Digest, Sha256};
use topo_sdk::provider::unknown_type;
use topo_sdk::{
    Action, ApplyFailure, ApplyRequest, Connection, Diagnostics, OpenedEphemeral, Operation,
    PlanRequest, PlannedResource, Provider, ReadRequest, RecoverRequest, Recovery, ResourceState,
    Schema, Value, json,
};

use crate::calls::Kind;
use crate::cloud::{Cloud, Made, Record};
use crate::fill::fill;
use crate::invent::Inventor;
use crate::latency::{self, Work};
use crate::{data, identity, overrides};

/// A simulation of a provider that talks to a network, on a simulated cloud. It is configured by
/// anything: no credentials are needed.
pub fn simulate(inner: Arc<dyn Provider>, cloud: Cloud) -> Arc<dyn Provider> {
    Arc::new(Simulated { inner, cloud })
}

struct Simulated {
    inner: Arc<dyn Provider>,
    cloud: Cloud,
}

#[async_trait]
impl Provider for Simulated {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn uses_network(&self) -> bool {
        false
    }

    fn provider_schema(&self) -> Arc<Schema> {
        self.inner.provider_schema()
    }

    fn resource_types(&self) -> Vec<Arc<str>> {
        self.inner.resource_types()
    }

    fn resource_schema(&self, type_name: &str) -> Option<Arc<Schema>> {
        self.inner.resource_schema(type_name)
    }

    fn data_types(&self) -> Vec<Arc<str>> {
        self.inner.data_types()
    }

    fn data_schema(&self, type_name: &str) -> Option<Arc<Schema>> {
        self.inner.data_schema(type_name)
    }

    fn ephemeral_types(&self) -> Vec<Arc<str>> {
        self.inner.ephemeral_types()
    }

    fn ephemeral_schema(&self, type_name: &str) -> Option<Arc<Schema>> {
        self.inner.ephemeral_schema(type_name)
    }

    fn validate_ephemeral(&self, type_name: &str, config: &Value) -> Diagnostics {
        self.inner.validate_ephemeral(type_name, config)
    }

    fn functions(&self) -> Vec<topo_sdk::Function> {
        self.inner.functions()
    }

    fn validate_provider(&self, config: &Value) -> Diagnostics {
        self.inner.validate_provider(config)
    }

    fn validate_resource(&self, type_name: &str, config: &Value) -> Diagnostics {
        self.inner.validate_resource(type_name, config)
    }

    fn validate_data(&self, type_name: &str, config: &Value) -> Diagnostics {
        self.inner.validate_data(type_name, config)
    }

    fn plan(&self, request: &PlanRequest) -> Result<PlannedResource, Diagnostics> {
        self.inner.plan(request)
    }

    fn compute_data(&self, type_name: &str, config: &Value) -> Option<Result<Value, Diagnostics>> {
        self.inner.compute_data(type_name, config)
    }

    fn upgrade_state(
        &self,
        type_name: &str,
        version: u64,
        stored: Value,
    ) -> Result<Value, Diagnostics> {
        self.inner.upgrade_state(type_name, version, stored)
    }

    async fn configure(&self, config: &Value) -> Result<Arc<dyn Connection>, Diagnostics> {
        let name = self.inner.name();
        let region = config.get_str("region").unwrap_or(identity::DEFAULT_REGION);
        let tags = config.get("default_tags").and_then(identity::first);
        let tags = tags.and_then(|t| t.get("tags")?.as_map().cloned());
        Ok(Arc::new(Simulation {
            target: identity::target(name, &self.inner.provider_schema(), config),
            region: region.into(),
            default_tags: tags.unwrap_or_default(),
            inner: self.inner.clone(),
            cloud: self.cloud.clone(),
        }))
    }
}

/// A configured simulation.
pub(crate) struct Simulation {
    pub inner: Arc<dyn Provider>,
    pub cloud: Cloud,
    pub target: String,
    pub region: String,
    pub default_tags: BTreeMap<Arc<str>, Value>,
}

impl Simulation {
    fn schema(&self, type_name: &str) -> Result<Arc<Schema>, Diagnostics> {
        self.inner
            .resource_schema(type_name)
            .ok_or_else(|| unknown_type(type_name))
    }

    /// The object of a state: by its id, or, for a type without one, by what was kept beside it.
    fn locate(
        &self,
        type_name: &str,
        state: &ResourceState,
    ) -> Result<Option<Record>, Diagnostics> {
        let kept = String::from_utf8_lossy(&state.private);
        let id = state.value.get_str("id").unwrap_or(&kept);
        let target = identity::object_target(type_name, &state.value, &self.target);
        self.cloud.find(type_name, id, &target)
    }

    fn inventor<'a>(
        &'a self,
        type_name: &'a str,
        planned: &'a Value,
        prior: Option<&'a Value>,
        basis: String,
    ) -> Inventor<'a> {
        Inventor {
            basis,
            type_name,
            planned,
            prior,
            region: planned.get_str("region").unwrap_or(&self.region),
            default_tags: &self.default_tags,
        }
    }

    /// What is the same for the same object in every run: the seed, the type, the target and
    /// the planned arguments.
    fn identity(&self, type_name: &str, planned: &Value) -> String {
        let target = identity::object_target(type_name, planned, &self.target);
        let seed = self.cloud.options().seed;
        let text = format!("{seed}/{type_name}/{target}/{}", json::to_json(planned));
        hex::encode(Sha256::digest(text))
    }

    async fn create(
        &self,
        type_name: &Arc<str>,
        planned: &Value,
        operation: &dyn Operation,
    ) -> Result<Option<ResourceState>, ApplyFailure> {
        let schema = self.schema(type_name)?;
        let identity = self.identity(type_name, planned);
        let id = operation.id().as_str();
        let mut record = None;
        let act = || {
            if record.is_none() {
                record = Some(self.invent(&schema, type_name, planned, &identity)?);
            }
            match record.clone().map(|r| self.cloud.make(id, r)).transpose()? {
                Some(Made::Object(made)) => Ok(made),
                _ => Err(self.name_taken(type_name, planned)),
            }
        };
        let acted = match self.cloud.call(Kind::Create, &identity, act).await {
            Ok(acted) => acted,
            Err(diagnostics) => {
                // The last answer may have been lost: what it made is not.
                let state = self.cloud.by_operation(id)?.map(into_state);
                return Err(ApplyFailure { diagnostics, state });
            }
        };
        let state = into_state(acted.result.clone());
        let balancer = overrides::service_is_load_balancer(planned);
        let time = latency::duration(&identity::kind(type_name), balancer, Work::Create);
        if latency::is_long(time) {
            let failed = |diagnostics| ApplyFailure {
                diagnostics,
                state: Some(state.clone()),
            };
            operation.checkpoint(state.clone()).await.map_err(failed)?;
            operation.progress("accepted, being created");
        }
        acted.checkpointed(&self.cloud).await;
        self.cloud.wait(time).await;
        Ok(Some(state))
    }

    /// The object that a creation makes.
    fn invent(
        &self,
        schema: &Schema,
        type_name: &Arc<str>,
        planned: &Value,
        identity: &str,
    ) -> Result<Record, Diagnostics> {
        let occurrence = self.cloud.occurrence(identity)?;
        let basis = format!("{identity}/{occurrence}");
        let inventor = self.inventor(type_name, planned, None, basis);
        let value = fill(schema, &inventor);
        let id = match value.get_str("id") {
            Some(id) => id.to_owned(),
            None => inventor.id(),
        };
        Ok(Record {
            provider: self.inner.name().into(),
            target: identity::object_target(type_name, &value, &self.target),
            name: identity::unique_name(type_name, &value),
            type_name: type_name.clone(),
            id,
            value,
        })
    }

    fn name_taken(&self, type_name: &str, planned: &Value) -> Diagnostics {
        let code = identity::conflict_code(type_name);
        let name = identity::unique_name(type_name, planned)
            .or_else(|| identity::composed_id(type_name, planned))
            .unwrap_or_default();
        Diagnostics::error(
            format!("{code}: {name} already exists"),
            format!(
                "Another {type_name} of this name is in the simulated cloud. Import it, or choose another name."
            ),
        )
    }

    async fn update(
        &self,
        type_name: &Arc<str>,
        prior: &ResourceState,
        planned: &Value,
        operation: &dyn Operation,
    ) -> Result<Option<ResourceState>, ApplyFailure> {
        let failed = |diagnostics| ApplyFailure {
            diagnostics,
            state: Some(prior.clone()),
        };
        let schema = self.schema(type_name)?;
        let identity = self.identity(type_name, planned);
        let inventor = self.inventor(type_name, planned, Some(&prior.value), identity.clone());
        let value = fill(&schema, &inventor);
        let gone = || {
            Diagnostics::error(
                format!("{type_name} not found"),
                "The object that was to be changed is no longer in the simulated cloud.",
            )
        };
        let act = || {
            let old = self.locate(type_name, prior)?.ok_or_else(gone)?;
            let record = Record {
                name: identity::unique_name(type_name, &value),
                value: value.clone(),
                ..old
            };
            match self.cloud.change(operation.id().as_str(), &record)? {
                true => Ok(record),
                false => Err(gone()),
            }
        };
        let acted = match self.cloud.call(Kind::Update, &identity, act).await {
            Ok(acted) => acted,
            Err(diagnostics) => {
                let changed = self.cloud.by_operation(operation.id().as_str())?;
                return Err(ApplyFailure {
                    diagnostics,
                    state: Some(changed.map_or_else(|| prior.clone(), into_state)),
                });
            }
        };
        let record = acted.checkpointed(&self.cloud).await;
        let time = latency::duration(&identity::kind(type_name), false, Work::Update);
        self.cloud.wait(time).await;
        // A name that changed with the update may have another id; the record keeps its own.
        let state = into_state(record);
        match state.value.is_wholly_known() {
            true => Ok(Some(state)),
            false => Err(failed(Diagnostics::error(
                "The simulation left something unknown",
                format!("An attribute of {type_name} has no value after the update."),
            ))),
        }
    }

    async fn delete(
        &self,
        type_name: &Arc<str>,
        prior: &ResourceState,
    ) -> Result<Option<ResourceState>, ApplyFailure> {
        let identity = self.identity(type_name, &prior.value);
        let act = || match self.locate(type_name, prior)? {
            Some(record) => self.cloud.remove(&record),
            None => Ok(()),
        };
        let acted = match self.cloud.call(Kind::Delete, &identity, act).await {
            Ok(acted) => acted,
            Err(diagnostics) => {
                let left = self.locate(type_name, prior)?.map(into_state);
                return Err(ApplyFailure {
                    diagnostics,
                    state: left,
                });
            }
        };
        acted.checkpointed(&self.cloud).await;
        let time = latency::duration(&identity::kind(type_name), false, Work::Delete);
        self.cloud.wait(time).await;
        Ok(None)
    }
}

fn into_state(record: Record) -> ResourceState {
    ResourceState {
        // What finds an object whose type has no id.
        private: match record.value.get_str("id") {
            Some(_) => Vec::new(),
            None => record.id.into_bytes(),
        },
        value: record.value,
    }
}

#[async_trait]
impl Connection for Simulation {
    async fn plan(&self, request: &PlanRequest) -> Option<Result<PlannedResource, Diagnostics>> {
        let schema = self.inner.resource_schema(&request.type_name)?;
        if self.default_tags.is_empty() || !schema.block.attributes.contains_key("tags_all") {
            return None;
        }
        let mut planned = match self.inner.plan(request) {
            Ok(planned) => planned,
            Err(e) => return Some(Err(e)),
        };
        let tags = planned.value.get("tags");
        if tags.is_none_or(Value::is_wholly_known) {
            let inventor = self.inventor(&request.type_name, &planned.value, None, String::new());
            let all = inventor.tags_all();
            planned.value = planned.value.with("tags_all", all);
        }
        Some(Ok(planned))
    }

    async fn read(&self, request: &ReadRequest) -> Result<Option<ResourceState>, Diagnostics> {
        let act = || self.locate(&request.type_name, &request.state);
        let acted = self.cloud.call(Kind::Read, &request.type_name, act).await?;
        Ok(acted.result.map(into_state))
    }

    async fn read_many(
        &self,
        requests: &[ReadRequest],
    ) -> Vec<Result<Option<ResourceState>, Diagnostics>> {
        let act = || {
            let found = requests
                .iter()
                .map(|r| Ok(self.locate(&r.type_name, &r.state)?.map(into_state)));
            Ok(found.collect())
        };
        match self.cloud.call(Kind::ReadMany, "many", act).await {
            Ok(acted) => acted.result,
            Err(e) => requests.iter().map(|_| Err(e.clone())).collect(),
        }
    }

    async fn read_data(&self, type_name: &str, config: &Value) -> Result<Value, Diagnostics> {
        if let Some(computed) = self.inner.compute_data(type_name, config) {
            return computed;
        }
        let act = || data::read(self, type_name, config);
        let acted = self.cloud.call(Kind::ReadData, type_name, act).await?;
        Ok(acted.result)
    }

    async fn open_ephemeral(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<OpenedEphemeral, Diagnostics> {
        let act = || data::ephemeral(self, type_name, config);
        let acted = self.cloud.call(Kind::ReadData, type_name, act).await?;
        Ok(acted.result.into())
    }

    async fn apply(
        &self,
        request: &ApplyRequest,
        operation: &dyn Operation,
    ) -> Result<Option<ResourceState>, ApplyFailure> {
        let type_name = &request.type_name;
        match &request.action {
            Action::Create { planned } => self.create(type_name, planned, operation).await,
            Action::Update { prior, planned } => {
                self.update(type_name, prior, planned, operation).await
            }
            Action::Delete { prior } => self.delete(type_name, prior).await,
        }
    }

    async fn import(&self, type_name: &str, id: &str) -> Result<ResourceState, Diagnostics> {
        self.schema(type_name)?;
        let act = || {
            let mut records = self.cloud.records(Some(type_name))?;
            records.retain(|r| {
                let here = identity::object_target(type_name, &r.value, &self.target);
                (r.target == here || r.target.is_empty())
                    && (r.id == id || r.name.as_deref() == Some(id))
            });
            Ok(records.pop())
        };
        let acted = self.cloud.call(Kind::Import, type_name, act).await?;
        acted.result.map(into_state).ok_or_else(|| {
            Diagnostics::error(
                format!("No {type_name} has the id {id}"),
                "The simulated cloud holds only what was made in it; `topo sandbox list` shows what there is.",
            )
        })
    }

    async fn recover(&self, request: &RecoverRequest) -> Result<Recovery, Diagnostics> {
        let type_name = &request.request.type_name;
        let act = || {
            let made = self.cloud.by_operation(request.operation.as_str())?;
            let known = match (&made, &request.request.action) {
                (Some(_), _) => return Ok(made),
                (None, Action::Update { prior, .. } | Action::Delete { prior }) => Some(prior),
                (None, Action::Create { .. }) => request.checkpoint.as_ref(),
            };
            match known {
                Some(state) => self.locate(type_name, state),
                None => Ok(None),
            }
        };
        let acted = self.cloud.call(Kind::Recover, type_name, act).await?;
        Ok(match acted.result {
            Some(record) => Recovery::Found(into_state(record)),
            None => Recovery::Absent,
        })
    }
}
