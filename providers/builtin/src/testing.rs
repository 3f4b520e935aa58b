//! The engine's part in miniature, for the tests of this crate: plan a configuration, apply it.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use topo_sdk::{
    Action, ApplyFailure, ApplyRequest, Connection, Diagnostics, Kind, Operation, OperationId,
    PlanRequest, PlannedResource, Provider, ReadRequest, RecoverRequest, Recovery, ResourceState,
    Schema, Type, Value, convert, plan,
};

/// An operation that keeps what it is told.
pub(crate) struct Recorded {
    id: OperationId,
    pub(crate) progress: Mutex<Vec<String>>,
}

impl Recorded {
    pub(crate) fn new() -> Recorded {
        Recorded {
            id: OperationId::generate(),
            progress: Mutex::default(),
        }
    }
}

#[async_trait]
impl Operation for Recorded {
    fn id(&self) -> &OperationId {
        &self.id
    }

    async fn checkpoint(&self, _partial: ResourceState) -> Result<(), Diagnostics> {
        Ok(())
    }

    fn progress(&self, message: &str) {
        self.progress.lock().unwrap().push(message.into());
    }
}

/// One resource type under test.
pub(crate) struct Bench {
    pub(crate) provider: Arc<dyn Provider>,
    connection: Arc<dyn Connection>,
    type_name: Arc<str>,
    pub(crate) schema: Arc<Schema>,
}

impl Bench {
    pub(crate) async fn new(provider: Arc<dyn Provider>, type_name: &str) -> Bench {
        let connection = provider
            .configure(&Value::object::<&str>([]))
            .await
            .unwrap();
        Bench {
            schema: provider.resource_schema(type_name).unwrap(),
            type_name: type_name.into(),
            connection,
            provider,
        }
    }

    /// A configuration with these arguments, brought to the schema's type.
    pub(crate) fn config<const N: usize>(&self, arguments: [(&str, Value); N]) -> Value {
        let filled = plan::fill_missing(&self.schema.block, Value::object(arguments));
        convert::convert(&filled, &self.schema.block.ty()).unwrap()
    }

    pub(crate) fn plan(&self, prior: Option<&Value>, config: &Value) -> PlannedResource {
        let proposed = plan::propose(&self.schema.block, prior, config);
        let request = PlanRequest {
            type_name: self.type_name.clone(),
            prior: prior.cloned().map(Into::into),
            config: config.clone(),
            proposed,
        };
        self.provider.plan(&request).unwrap()
    }

    pub(crate) fn validate<const N: usize>(&self, arguments: [(&str, Value); N]) -> Diagnostics {
        let config = self.config(arguments);
        self.provider.validate_resource(&self.type_name, &config)
    }

    pub(crate) async fn apply(&self, action: Action) -> Result<Option<Value>, ApplyFailure> {
        let request = self.request(action);
        let made = self.connection.apply(&request, &Recorded::new()).await?;
        Ok(made.map(|s| s.value))
    }

    /// Plans and creates; the object must be wholly known, of the schema's type, and as planned.
    pub(crate) async fn create<const N: usize>(&self, arguments: [(&str, Value); N]) -> Value {
        self.create_config(&self.config(arguments)).await
    }

    pub(crate) async fn create_config(&self, config: &Value) -> Value {
        let planned = self.plan(None, config).value;
        let action = Action::Create {
            planned: planned.clone(),
        };
        let made = self.apply(action).await.unwrap().unwrap();
        self.check(&planned, &made);
        made
    }

    /// Plans an update in place and makes it.
    pub(crate) async fn update<const N: usize>(
        &self,
        prior: &Value,
        arguments: [(&str, Value); N],
    ) -> Value {
        let plan = self.plan(Some(prior), &self.config(arguments));
        assert_eq!(plan.requires_replace, []);
        assert_ne!(plan.value, *prior);
        let action = Action::Update {
            prior: prior.clone().into(),
            planned: plan.value.clone(),
        };
        let made = self.apply(action).await.unwrap().unwrap();
        self.check(&plan.value, &made);
        made
    }

    fn check(&self, planned: &Value, made: &Value) {
        assert!(made.is_wholly_known(), "{made:?}");
        assert!(convert::conforms(made, &self.schema.block.ty()), "{made:?}");
        for (name, p) in planned.as_map().unwrap() {
            if !matches!(p.kind(), Kind::Unknown(_)) {
                assert_eq!(Some(p), made.get(name), "{name} is not as planned");
            }
        }
    }

    /// Asserts that planning this configuration again changes nothing.
    pub(crate) fn unchanged<const N: usize>(&self, prior: &Value, arguments: [(&str, Value); N]) {
        let again = self.plan(Some(prior), &self.config(arguments));
        assert_eq!(again.value, *prior);
        assert_eq!(again.requires_replace, []);
    }

    /// Asserts that this configuration asks for a new object because of this attribute.
    pub(crate) fn replaces<const N: usize>(
        &self,
        prior: &Value,
        arguments: [(&str, Value); N],
        attribute: &str,
    ) {
        let plan = self.plan(Some(prior), &self.config(arguments));
        let paths: Vec<String> = plan
            .requires_replace
            .iter()
            .map(|p| p.to_string())
            .collect();
        assert!(paths.iter().any(|p| p == attribute), "{paths:?}");
    }

    pub(crate) async fn read(&self, state: &Value) -> Option<Value> {
        let request = ReadRequest {
            type_name: self.type_name.clone(),
            state: state.clone().into(),
        };
        let found = self.connection.read(&request).await.unwrap();
        found.map(|s| s.value)
    }

    pub(crate) async fn import(&self, id: &str) -> Result<Value, Diagnostics> {
        let state = self.connection.import(&self.type_name, id).await?;
        assert!(convert::conforms(&state.value, &self.schema.block.ty()));
        Ok(state.value)
    }

    pub(crate) async fn recover(&self, action: Action) -> Recovery {
        let request = RecoverRequest {
            operation: OperationId::generate(),
            request: self.request(action),
            checkpoint: None,
        };
        self.connection.recover(&request).await.unwrap()
    }

    fn request(&self, action: Action) -> ApplyRequest {
        ApplyRequest {
            type_name: self.type_name.clone(),
            action,
            config: Value::NULL,
        }
    }
}

/// A map of strings.
pub(crate) fn strings<const N: usize>(entries: [(&str, &str); N]) -> Value {
    let entries = entries.into_iter().map(|(k, v)| (k.into(), v.into()));
    Value::map(Type::String, entries.collect())
}
