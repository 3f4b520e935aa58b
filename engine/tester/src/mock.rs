//! A provider that is made up: schemas and validation are those of a real one, objects exist
//! nowhere. What the real one would compute is taken from the values that the test gives, else
//! invented by type: a string of eight letters and digits, zero, false, nothing in a collection.
//!
//! What is invented follows from the type of the object, from what makes it different from others
//! and from the name of the attribute, so that it is the same in every run.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use topo_sdk::convert::convert;
use topo_sdk::function::Function;
use topo_sdk::plan::{self, propose};
use topo_sdk::{
    Action, ApplyFailure, ApplyRequest, Attribute, Block, Connection, Diagnostic, Diagnostics,
    Kind, Nesting, Operation, PlanRequest, PlannedResource, Provider, ReadRequest, RecoverRequest,
    Recovery, ResourceState, Schema, Type, Value,
};

use crate::file::{During, Mock, Values};

/// The letters of invented strings.
const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// How long they are.
const LENGTH: usize = 8;

/// A made-up provider; its own connection, too. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Mocked(Arc<Inner>);

struct Inner {
    real: Arc<dyn Provider>,
    nothing: Arc<Schema>,
    mock: Mock,
    /// What tells the objects apart from those of other mocks.
    seed: String,
    /// How many objects were made of the same type and arguments.
    made: Mutex<HashMap<u64, u64>>,
}

impl Mocked {
    /// In place of a provider.
    pub(crate) fn provider(real: Arc<dyn Provider>, mock: Mock) -> Mocked {
        Mocked::new(real, mock, String::new())
    }

    /// In place of a provider for the objects of one address.
    pub(crate) fn objects(
        real: Arc<dyn Provider>,
        type_name: &Arc<str>,
        values: &Values,
        address: String,
    ) -> Mocked {
        let of_type = BTreeMap::from([(type_name.clone(), values.clone())]);
        let mock = Mock {
            resources: of_type.clone(),
            data: of_type,
            during: values.during,
            ..Mock::default()
        };
        Mocked::new(real, mock, address)
    }

    fn new(real: Arc<dyn Provider>, mock: Mock, seed: String) -> Mocked {
        Mocked(Arc::new(Inner {
            real,
            nothing: Arc::default(),
            mock,
            seed,
            made: Mutex::default(),
        }))
    }

    /// What is wrong with the values that a test gives for objects of a schema.
    pub(crate) fn check(schema: &Schema, values: &Values) -> Diagnostics {
        let mut found = Diagnostics::new();
        check(&schema.block, &values.values, &mut found);
        found.map(|d| d.with_range(Some(values.range.clone())))
    }

    fn schema(&self, type_name: &str) -> Result<Arc<Schema>, Diagnostics> {
        let schema = self.0.real.resource_schema(type_name);
        schema.ok_or_else(|| topo_sdk::provider::unknown_type(type_name))
    }

    /// Puts a value wherever an object has none yet because the provider decides.
    fn fill(
        &self,
        type_name: &str,
        block: &Block,
        values: Option<&Values>,
        object: Value,
        distinct: u64,
    ) -> Value {
        let nothing = BTreeMap::new();
        let given = values.map_or(&nothing, |v| &v.values);
        let mut hasher = DefaultHasher::new();
        (self.0.seed.as_str(), type_name, distinct).hash(&mut hasher);
        fill(block, given, object, hasher.finish())
    }

    /// How the next object of a type with such arguments differs from the ones before.
    fn distinct(&self, type_name: &str, config: &Value) -> u64 {
        let mut hasher = DefaultHasher::new();
        (type_name, format!("{config:?}")).hash(&mut hasher);
        let identity = hasher.finish();
        let mut made = self.0.made.lock().unwrap_or_else(PoisonError::into_inner);
        let count = made.entry(identity).or_default();
        *count += 1;
        identity.wrapping_add(*count)
    }
}

#[async_trait]
impl Provider for Mocked {
    fn name(&self) -> &'static str {
        self.0.real.name()
    }

    fn uses_network(&self) -> bool {
        false
    }

    fn provider_schema(&self) -> Arc<Schema> {
        self.0.nothing.clone()
    }

    fn resource_types(&self) -> Vec<Arc<str>> {
        self.0.real.resource_types()
    }

    fn resource_schema(&self, type_name: &str) -> Option<Arc<Schema>> {
        self.0.real.resource_schema(type_name)
    }

    fn data_types(&self) -> Vec<Arc<str>> {
        self.0.real.data_types()
    }

    fn data_schema(&self, type_name: &str) -> Option<Arc<Schema>> {
        self.0.real.data_schema(type_name)
    }

    fn ephemeral_types(&self) -> Vec<Arc<str>> {
        self.0.real.ephemeral_types()
    }

    fn ephemeral_schema(&self, type_name: &str) -> Option<Arc<Schema>> {
        self.0.real.ephemeral_schema(type_name)
    }

    fn functions(&self) -> Vec<Function> {
        self.0.real.functions()
    }

    fn validate_resource(&self, type_name: &str, config: &Value) -> Diagnostics {
        self.0.real.validate_resource(type_name, config)
    }

    fn validate_data(&self, type_name: &str, config: &Value) -> Diagnostics {
        self.0.real.validate_data(type_name, config)
    }

    fn validate_ephemeral(&self, type_name: &str, config: &Value) -> Diagnostics {
        self.0.real.validate_ephemeral(type_name, config)
    }

    fn upgrade_state(
        &self,
        type_name: &str,
        version: u64,
        stored: Value,
    ) -> Result<Value, Diagnostics> {
        self.0.real.upgrade_state(type_name, version, stored)
    }

    fn plan(&self, request: &PlanRequest) -> Result<PlannedResource, Diagnostics> {
        let schema = self.schema(&request.type_name)?;
        let mut planned = plan::plan(&schema, request);
        let values = self.0.mock.resources.get(&request.type_name);
        let during = values.and_then(|v| v.during).or(self.0.mock.during);
        if during == Some(During::Plan) {
            // What the configuration does not know yet stays open; what is invented must come out
            // the same when it does, so it does not depend on the arguments.
            let filled = self.fill(&request.type_name, &schema.block, values, planned.value, 0);
            planned.value = keep_unknown(&schema.block, filled, &request.config);
        }
        Ok(planned)
    }

    async fn configure(&self, _config: &Value) -> Result<Arc<dyn Connection>, Diagnostics> {
        Ok(Arc::new(self.clone()))
    }
}

#[async_trait]
impl Connection for Mocked {
    async fn plan(&self, request: &PlanRequest) -> Option<Result<PlannedResource, Diagnostics>> {
        Some(Provider::plan(self, request))
    }

    async fn read(&self, request: &ReadRequest) -> Result<Option<ResourceState>, Diagnostics> {
        Ok(Some(request.state.clone()))
    }

    async fn read_data(&self, type_name: &str, config: &Value) -> Result<Value, Diagnostics> {
        let schema = self.0.real.data_schema(type_name);
        let schema = schema.ok_or_else(|| topo_sdk::provider::unknown_type(type_name))?;
        let values = self.0.mock.data.get(type_name);
        let proposed = propose(&schema.block, None, config);
        let mut hasher = DefaultHasher::new();
        format!("{config:?}").hash(&mut hasher);
        Ok(self.fill(type_name, &schema.block, values, proposed, hasher.finish()))
    }

    async fn apply(
        &self,
        request: &ApplyRequest,
        _operation: &dyn Operation,
    ) -> Result<Option<ResourceState>, ApplyFailure> {
        let planned = match &request.action {
            Action::Delete { .. } => return Ok(None),
            Action::Create { planned } | Action::Update { planned, .. } => planned.clone(),
        };
        let schema = self.schema(&request.type_name)?;
        let values = self.0.mock.resources.get(&request.type_name);
        let distinct = self.distinct(&request.type_name, &request.config);
        let made = self.fill(&request.type_name, &schema.block, values, planned, distinct);
        Ok(Some(made.into()))
    }

    async fn import(&self, type_name: &str, id: &str) -> Result<ResourceState, Diagnostics> {
        let schema = self.schema(type_name)?;
        let nothing = plan::fill_missing(&schema.block, Value::object::<Arc<str>>([]));
        let proposed = propose(&schema.block, None, &nothing);
        let values = self.0.mock.resources.get(type_name);
        let mut made = self.fill(type_name, &schema.block, values, proposed, 0);
        if schema.block.attributes.contains_key("id") {
            made = made.with("id", Value::string(id));
        }
        Ok(made.into())
    }

    async fn recover(&self, _request: &RecoverRequest) -> Result<Recovery, Diagnostics> {
        Ok(Recovery::Absent)
    }
}

/// An object with given or invented values in place of unknown ones.
fn fill(block: &Block, given: &BTreeMap<Arc<str>, Value>, object: Value, seed: u64) -> Value {
    let Some(parts) = object.as_map() else {
        return object;
    };
    let mut made = parts.clone();
    for (name, value) in parts {
        let given = given.get(name);
        let seed = derived(seed, name);
        let filled = match (block.attributes.get(name), block.blocks.get(name)) {
            (Some(a), _) => attribute(a, given, value, seed),
            (None, Some(nested)) => match value.kind() {
                // The provider makes the blocks: all of them are given, or there are none.
                Kind::Unknown(_) => given
                    .and_then(|g| convert(g, &nested.ty()).ok())
                    .unwrap_or_else(|| nested.empty()),
                _ => {
                    let nothing = BTreeMap::new();
                    let inner = given.and_then(Value::as_map).unwrap_or(&nothing);
                    let mut n = 0;
                    let mut each = |v: Value| {
                        n += 1;
                        fill(&nested.block, inner, v, seed.wrapping_add(n))
                    };
                    match nested.nesting {
                        Nesting::Single => each(value.clone()),
                        _ => value.clone().map_children(each),
                    }
                }
            },
            (None, None) => value.clone(),
        };
        made.insert(name.clone(), filled);
    }
    Value::new(Kind::Object(Arc::new(made)))
}

fn attribute(a: &Attribute, given: Option<&Value>, value: &Value, seed: u64) -> Value {
    match value.kind() {
        Kind::Unknown(_) => given
            .and_then(|g| convert(g, &a.ty).ok())
            .unwrap_or_else(|| invented(&a.ty, seed)),
        _ if value.is_wholly_known() => value.clone(),
        // A part of what the configuration has is left to the provider.
        _ => value.clone().map_children(|v| known(v, seed)),
    }
}

fn known(value: Value, seed: u64) -> Value {
    match value.kind() {
        Kind::Unknown(u) => invented(&u.ty, seed),
        _ if value.is_wholly_known() => value,
        _ => value.map_children(|v| known(v, seed)),
    }
}

/// Takes back what was filled in where the configuration has a value that is not known yet.
fn keep_unknown(block: &Block, object: Value, config: &Value) -> Value {
    let Some(parts) = object.as_map() else {
        return object;
    };
    let mut made = parts.clone();
    for name in parts.keys() {
        let Some(c) = config.get(name).filter(|c| !c.is_wholly_known()) else {
            continue;
        };
        let open = match (c.is_known(), block.attributes.contains_key(name)) {
            // Parts of it are known, and those are as the configuration has them.
            (true, true) => c.clone(),
            // So that nothing has to be found in a set, a block that is open in part is all open.
            _ => Value::unknown(parts.get(name).map_or(Type::Dynamic, Value::ty)),
        };
        made.insert(name.clone(), open);
    }
    Value::new(Kind::Object(Arc::new(made)))
}

/// What a provider might have computed.
fn invented(ty: &Type, seed: u64) -> Value {
    match ty {
        Type::Dynamic => Value::NULL,
        Type::Bool => Value::from(false),
        Type::Number => Value::number(0),
        Type::String => Value::string(word(seed)),
        Type::List(e) => Value::list((**e).clone(), Vec::new()),
        Type::Set(e) => Value::set((**e).clone(), Vec::new()),
        Type::Map(e) => Value::map((**e).clone(), BTreeMap::new()),
        Type::Tuple(_) => Value::tuple(Vec::new()),
        Type::Object(o) => Value::object(
            o.attributes
                .iter()
                .map(|(name, ty)| (name.clone(), invented(ty, derived(seed, name)))),
        ),
    }
}

fn derived(seed: u64, name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (seed, name).hash(&mut hasher);
    hasher.finish()
}

fn word(seed: u64) -> String {
    let mut rest = seed;
    let letters = std::iter::repeat_with(|| {
        let letter = LETTERS.get((rest % 36) as usize).copied().unwrap_or(b'x');
        rest /= 36;
        char::from(letter)
    });
    letters.take(LENGTH).collect()
}

/// Whether values fit a schema: an unknown name or a wrong type is an error, a value that the
/// configuration alone decides has no effect.
fn check(block: &Block, given: &BTreeMap<Arc<str>, Value>, found: &mut Diagnostics) {
    for (name, value) in given {
        if let Some(a) = block.attributes.get(name) {
            if let Err(e) = convert(value, &a.ty) {
                let detail = format!("The value for {name:?} does not fit: {e}.");
                found.push(Diagnostic::error("Invalid mock or override value", detail));
            } else if !a.mode.is_computed() {
                let detail = format!(
                    "{name:?} is never computed by the provider: the configuration alone decides it, so the value has no effect."
                );
                found.push(Diagnostic::warning("Value without effect", detail));
            }
        } else if let Some(nested) = block.blocks.get(name) {
            match value.as_map() {
                Some(inner) => check(&nested.block, inner, found),
                None if nested.computed && convert(value, &nested.ty()).is_ok() => {}
                None => {
                    let detail = format!(
                        "Blocks can be overridden only by objects: {name:?} is a block, and its value is a {}.",
                        value.ty().friendly()
                    );
                    found.push(Diagnostic::error("Invalid mock or override value", detail));
                }
            }
        } else {
            let detail = format!("There is no attribute {name:?}.");
            found.push(Diagnostic::error("Invalid mock or override value", detail));
        }
    }
}
