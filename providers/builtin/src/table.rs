//! What a resource type or data source of a builtin provider is, and the provider made of a table
//! of them.
//!
//! Most types here live in the state alone: making one computes its attributes, and there is
//! nothing outside to read, to change or to find again after a crash. Those are the defaults of
//! [`Resource`]; a type with something outside (a file) overrides them.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use topo_sdk::provider::unknown_type;
use topo_sdk::{
    Action, ApplyFailure, ApplyRequest, Connection, Diagnostics, Function, OpenedEphemeral,
    Operation, PlanRequest, PlannedResource, Provider, ReadRequest, RecoverRequest, Recovery,
    ResourceState, Schema, Value, plan,
};

/// A resource type.
#[async_trait]
pub(crate) trait Resource: Send + Sync {
    /// Its name in configuration.
    fn name(&self) -> &'static str;

    /// Its schema; asked once.
    fn schema(&self) -> Schema;

    /// Checks a configuration beyond the schema.
    fn validate(&self, _config: &Value) -> Diagnostics {
        Diagnostics::new()
    }

    /// Plans; by the schema's rules unless the type has rules of its own.
    fn plan(&self, schema: &Schema, request: &PlanRequest) -> PlannedResource {
        plan::plan(schema, request)
    }

    /// Makes the object: `planned` with every unknown filled in.
    async fn create(&self, planned: Value, operation: &dyn Operation)
    -> Result<Value, Diagnostics>;

    /// Changes the object in place: `planned` with every unknown filled in.
    async fn update(&self, _prior: &Value, planned: Value) -> Result<Value, Diagnostics> {
        Ok(planned)
    }

    /// Removes what is outside the state.
    async fn delete(&self, _prior: &Value, _operation: &dyn Operation) -> Result<(), Diagnostics> {
        Ok(())
    }

    /// The object as it is; `None` when it is gone.
    async fn read(&self, state: &Value) -> Result<Option<Value>, Diagnostics> {
        Ok(Some(state.clone()))
    }

    /// The attributes that an import id stands for; the rest become null or their default.
    fn import(&self, _id: &str) -> Result<Vec<(&'static str, Value)>, Diagnostics> {
        Err(Diagnostics::error(
            format!("{} cannot be imported", self.name()),
            "Objects of this type exist only in the state.",
        ))
    }

    /// The object that a creation of a run that died has left, if any. `None` for a type of
    /// which nothing exists outside the state.
    async fn find_created(&self, _planned: &Value) -> Result<Option<Value>, Diagnostics> {
        Ok(None)
    }

    /// Whether objects exist outside the state, so that a recovery has something to look at.
    fn outside(&self) -> bool {
        false
    }

    /// Whether making or removing an object takes time that it spends waiting.
    fn waits(&self) -> bool {
        false
    }
}

/// A data source.
pub(crate) trait Data: Send + Sync {
    /// Its name in configuration.
    fn name(&self) -> &'static str;

    /// Its schema; asked once.
    fn schema(&self) -> Schema;

    /// Whether the result follows from the arguments alone.
    fn pure(&self) -> bool {
        false
    }

    /// The result for a wholly known configuration.
    fn read(&self, config: &Value) -> Result<Value, Diagnostics>;
}

/// An ephemeral resource type: made when it is opened, kept nowhere, with nothing to renew or to
/// close.
#[async_trait]
pub(crate) trait Ephemeral: Send + Sync {
    /// Its name in configuration.
    fn name(&self) -> &'static str;

    /// Its schema; asked once.
    fn schema(&self) -> Schema;

    /// Checks a configuration beyond the schema.
    fn validate(&self, _config: &Value) -> Diagnostics {
        Diagnostics::new()
    }

    /// Makes the value: `planned` is the configuration with defaults, unknown where this decides.
    async fn open(&self, planned: Value) -> Result<Value, Diagnostics>;
}

/// A provider made of resource types and data sources.
struct TableProvider {
    name: &'static str,
    provider_schema: Arc<Schema>,
    table: Arc<Table>,
    functions: Vec<Function>,
}

#[derive(Default)]
struct Table {
    resources: ByName<dyn Resource>,
    data: ByName<dyn Data>,
    ephemeral: ByName<dyn Ephemeral>,
}

/// Types by name, each with its schema.
type ByName<T> = BTreeMap<Arc<str>, (Box<T>, Arc<Schema>)>;

/// A provider of this name with these types.
pub(crate) fn provider(
    name: &'static str,
    resources: Vec<Box<dyn Resource>>,
    data: Vec<Box<dyn Data>>,
) -> Arc<dyn Provider> {
    of(name, resources, data, Vec::new(), Vec::new())
}

/// A provider of this name with these resource types and ephemeral resource types.
pub(crate) fn provider_with_ephemeral(
    name: &'static str,
    resources: Vec<Box<dyn Resource>>,
    ephemeral: Vec<Box<dyn Ephemeral>>,
) -> Arc<dyn Provider> {
    of(name, resources, Vec::new(), ephemeral, Vec::new())
}

/// A provider of this name with these types and functions.
pub(crate) fn provider_with_functions(
    name: &'static str,
    resources: Vec<Box<dyn Resource>>,
    data: Vec<Box<dyn Data>>,
    functions: Vec<Function>,
) -> Arc<dyn Provider> {
    of(name, resources, data, Vec::new(), functions)
}

fn of(
    name: &'static str,
    resources: Vec<Box<dyn Resource>>,
    data: Vec<Box<dyn Data>>,
    ephemeral: Vec<Box<dyn Ephemeral>>,
    functions: Vec<Function>,
) -> Arc<dyn Provider> {
    let resources = resources.into_iter().map(|r| {
        let schema = Arc::new(r.schema());
        (Arc::from(r.name()), (r, schema))
    });
    let data = data.into_iter().map(|d| {
        let schema = Arc::new(d.schema());
        (Arc::from(d.name()), (d, schema))
    });
    let ephemeral = ephemeral.into_iter().map(|e| {
        let schema = Arc::new(e.schema());
        (Arc::from(e.name()), (e, schema))
    });
    Arc::new(TableProvider {
        name,
        provider_schema: Arc::new(Schema::default()),
        table: Arc::new(Table {
            resources: resources.collect(),
            data: data.collect(),
            ephemeral: ephemeral.collect(),
        }),
        functions,
    })
}

#[async_trait]
impl Provider for TableProvider {
    fn name(&self) -> &'static str {
        self.name
    }

    fn uses_network(&self) -> bool {
        false
    }

    fn provider_schema(&self) -> Arc<Schema> {
        self.provider_schema.clone()
    }

    fn resource_types(&self) -> Vec<Arc<str>> {
        self.table.resources.keys().cloned().collect()
    }

    fn resource_schema(&self, type_name: &str) -> Option<Arc<Schema>> {
        Some(self.table.resources.get(type_name)?.1.clone())
    }

    fn data_types(&self) -> Vec<Arc<str>> {
        self.table.data.keys().cloned().collect()
    }

    fn data_schema(&self, type_name: &str) -> Option<Arc<Schema>> {
        Some(self.table.data.get(type_name)?.1.clone())
    }

    fn ephemeral_types(&self) -> Vec<Arc<str>> {
        self.table.ephemeral.keys().cloned().collect()
    }

    fn ephemeral_schema(&self, type_name: &str) -> Option<Arc<Schema>> {
        Some(self.table.ephemeral.get(type_name)?.1.clone())
    }

    fn validate_ephemeral(&self, type_name: &str, config: &Value) -> Diagnostics {
        match self.table.ephemeral.get(type_name) {
            Some((ephemeral, _)) => ephemeral.validate(config),
            None => unknown_type(type_name),
        }
    }

    fn functions(&self) -> Vec<Function> {
        self.functions.clone()
    }

    fn validate_resource(&self, type_name: &str, config: &Value) -> Diagnostics {
        match self.table.resources.get(type_name) {
            Some((resource, _)) => resource.validate(config),
            None => unknown_type(type_name),
        }
    }

    fn plan(&self, request: &PlanRequest) -> Result<PlannedResource, Diagnostics> {
        let (resource, schema) = self.table.resource(&request.type_name)?;
        Ok(resource.plan(schema, request))
    }

    fn compute_data(&self, type_name: &str, config: &Value) -> Option<Result<Value, Diagnostics>> {
        let (data, _) = self.table.data.get(type_name)?;
        data.pure().then(|| data.read(config))
    }

    async fn configure(&self, _config: &Value) -> Result<Arc<dyn Connection>, Diagnostics> {
        Ok(self.table.clone())
    }
}

impl Table {
    fn resource(&self, type_name: &str) -> Result<(&dyn Resource, &Schema), Diagnostics> {
        match self.resources.get(type_name) {
            Some((resource, schema)) => Ok((&**resource, schema)),
            None => Err(unknown_type(type_name)),
        }
    }
}

#[async_trait]
impl Connection for Table {
    async fn read(&self, request: &ReadRequest) -> Result<Option<ResourceState>, Diagnostics> {
        let (resource, _) = self.resource(&request.type_name)?;
        let found = resource.read(&request.state.value).await?;
        Ok(found.map(Into::into))
    }

    async fn read_data(&self, type_name: &str, config: &Value) -> Result<Value, Diagnostics> {
        match self.data.get(type_name) {
            Some((data, _)) => data.read(config),
            None => Err(unknown_type(type_name)),
        }
    }

    async fn open_ephemeral(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<OpenedEphemeral, Diagnostics> {
        let Some((ephemeral, schema)) = self.ephemeral.get(type_name) else {
            return Err(unknown_type(type_name));
        };
        let planned = plan::propose(&schema.block, None, config);
        Ok(ephemeral.open(planned).await?.into())
    }

    async fn apply(
        &self,
        request: &ApplyRequest,
        operation: &dyn Operation,
    ) -> Result<Option<ResourceState>, ApplyFailure> {
        let (resource, _) = self.resource(&request.type_name)?;
        let made = match &request.action {
            Action::Create { planned } => resource.create(planned.clone(), operation).await?,
            Action::Update { prior, planned } => {
                match resource.update(&prior.value, planned.clone()).await {
                    Ok(made) => made,
                    Err(diagnostics) => {
                        return Err(ApplyFailure {
                            diagnostics,
                            state: Some(prior.clone()),
                        });
                    }
                }
            }
            Action::Delete { prior } => {
                return match resource.delete(&prior.value, operation).await {
                    Ok(()) => Ok(None),
                    Err(diagnostics) => Err(ApplyFailure {
                        diagnostics,
                        state: Some(prior.clone()),
                    }),
                };
            }
        };
        Ok(Some(made.into()))
    }

    fn only_computes(&self, type_name: &str) -> bool {
        self.resource(type_name)
            .is_ok_and(|(resource, _)| !resource.outside() && !resource.waits())
    }

    async fn import(&self, type_name: &str, id: &str) -> Result<ResourceState, Diagnostics> {
        let (resource, schema) = self.resource(type_name)?;
        let given = resource.import(id)?;
        let mut value = Value::object::<Arc<str>>(
            schema
                .block
                .attributes
                .iter()
                .filter_map(|(name, a)| Some((name.clone(), a.default.clone()?))),
        );
        for (name, attribute) in given {
            value = value.with(name, attribute);
        }
        Ok(plan::fill_missing(&schema.block, value).into())
    }

    async fn recover(&self, request: &RecoverRequest) -> Result<Recovery, Diagnostics> {
        let (resource, _) = self.resource(&request.request.type_name)?;
        let found = match &request.request.action {
            Action::Create { planned } => resource.find_created(planned).await?,
            // What lives in the state alone is as the state says until the update is recorded,
            Action::Update { prior, .. } => resource.read(&prior.value).await?,
            // and gone as soon as someone asked for its deletion.
            Action::Delete { .. } if !resource.outside() => None,
            Action::Delete { prior } => resource.read(&prior.value).await?,
        };
        Ok(found.map_or(Recovery::Absent, |value| Recovery::Found(value.into())))
    }
}
