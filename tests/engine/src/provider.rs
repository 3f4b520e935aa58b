//! The scripted providers: `test`, whose things live in the cloud, and `inner`, whose pods live
//! inside of a thing and are reached through its endpoint.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use topo_sdk::convert::convert;
use topo_sdk::plan::fill_missing;
use topo_sdk::{
    Action, ApplyFailure, ApplyRequest, Attribute, Block, Connection, Diagnostic, Diagnostics,
    Kind, NestedBlock, Nesting, OpenedEphemeral, Operation, Path, Provider, ReadRequest,
    RecoverRequest, Recovery, RenewedEphemeral, ResourceState, Schema, Type, Value,
};

use super::cloud::{Behaviour, Cloud, Object};

static THING: LazyLock<Arc<Schema>> = LazyLock::new(|| {
    let rule = Block::new()
        .attr("port", Attribute::required(Type::Number))
        .attr("id", Attribute::computed(Type::String));
    let step = Block::new().attr("command", Attribute::required(Type::String));
    let block = Block::new()
        .attr("id", Attribute::computed(Type::String))
        .attr("name", Attribute::required(Type::String))
        .attr("zone", Attribute::optional(Type::String).force_new())
        .attr("size", Attribute::optional(Type::Number))
        .attr("tags", Attribute::optional(Type::map(Type::String)))
        .attr("secret", Attribute::optional(Type::String).sensitive())
        .attr("parents", Attribute::optional(Type::list(Type::String)))
        .attr("note", Attribute::optional_computed(Type::String))
        .attr("endpoint", Attribute::computed(Type::String))
        .attr("revision", Attribute::computed(Type::Number).recomputed())
        .block("rule", NestedBlock::new(Nesting::Set, rule))
        .block("step", NestedBlock::new(Nesting::List, step));
    Arc::new(Schema::new(block))
});

/// Something with a secret that is written to it and never comes back; but this provider is
/// careless and returns it nevertheless.
static VAULT: LazyLock<Arc<Schema>> = LazyLock::new(|| {
    let user = Block::new()
        .attr("name", Attribute::required(Type::String))
        .attr("key_wo", Attribute::optional(Type::String).write_only());
    let block = Block::new()
        .attr("id", Attribute::computed(Type::String))
        .attr("name", Attribute::required(Type::String))
        .attr("secret_wo", Attribute::optional(Type::String).write_only())
        .attr("secret_wo_version", Attribute::optional(Type::Number))
        .block("user", NestedBlock::new(Nesting::List, user));
    Arc::new(Schema::new(block))
});

/// A session with a token, good until it is closed.
static SESSION: LazyLock<Arc<Schema>> = LazyLock::new(|| {
    let block = Block::new()
        .attr("name", Attribute::required(Type::String))
        .attr("renewed", Attribute::optional(Type::Bool))
        .attr("token", Attribute::computed(Type::String).sensitive());
    Arc::new(Schema::new(block))
});

static POD: LazyLock<Arc<Schema>> = LazyLock::new(|| {
    let block = Block::new()
        .attr("id", Attribute::computed(Type::String))
        .attr("name", Attribute::required(Type::String))
        .attr("zone", Attribute::optional(Type::String).force_new())
        .attr("size", Attribute::optional(Type::Number))
        .attr("parents", Attribute::optional(Type::list(Type::String)));
    Arc::new(Schema::new(block))
});

static LOOKUP: LazyLock<Arc<Schema>> = LazyLock::new(|| {
    let block = Block::new()
        .attr("name", Attribute::required(Type::String))
        .attr("found", Attribute::computed(Type::String));
    Arc::new(Schema::new(block))
});

/// A token that is stale as soon as it is there.
static TOKEN: LazyLock<Arc<Schema>> = LazyLock::new(|| {
    let block = Block::new()
        .attr("name", Attribute::required(Type::String))
        .attr("token", Attribute::computed(Type::String).sensitive());
    Arc::new(Schema::new(block).expires_after(Duration::ZERO))
});

static NOTHING: LazyLock<Arc<Schema>> = LazyLock::new(|| Arc::new(Schema::new(Block::new())));

static INNER: LazyLock<Arc<Schema>> = LazyLock::new(|| {
    let block = Block::new()
        .attr(
            "host",
            Attribute::optional(Type::String).identifies_target(),
        )
        .attr("token", Attribute::optional(Type::String).sensitive());
    Arc::new(Schema::new(block))
});

/// A thing with these attributes, as the cloud has it.
pub(super) fn thing(name: &str, id: &str, attributes: &[(&str, Value)]) -> Value {
    let given = attributes.iter().map(|(n, v)| (Arc::from(*n), v.clone()));
    let own = [
        (Arc::from("id"), Value::from(id)),
        (Arc::from("name"), Value::from(name)),
        (Arc::from("note"), Value::from("auto")),
        (
            Arc::from("endpoint"),
            Value::from(format!("https://{id}").as_str()),
        ),
        (Arc::from("revision"), Value::number(1_u64)),
    ];
    let filled = fill_missing(&THING.block, Value::object(own.into_iter().chain(given)));
    convert(&filled, &THING.block.ty()).expect("a thing")
}

pub(super) fn both(cloud: &Arc<Cloud>) -> Vec<Arc<dyn Provider>> {
    vec![
        Arc::new(Test(cloud.clone())),
        Arc::new(Inner(cloud.clone())),
    ]
}

struct Test(Arc<Cloud>);

#[async_trait]
impl Provider for Test {
    fn name(&self) -> &'static str {
        "test"
    }

    fn uses_network(&self) -> bool {
        true
    }

    fn provider_schema(&self) -> Arc<Schema> {
        NOTHING.clone()
    }

    fn resource_types(&self) -> Vec<Arc<str>> {
        vec!["test_thing".into(), "test_vault".into()]
    }

    fn resource_schema(&self, type_name: &str) -> Option<Arc<Schema>> {
        match type_name {
            "test_thing" => Some(THING.clone()),
            "test_vault" => Some(VAULT.clone()),
            _ => None,
        }
    }

    fn ephemeral_types(&self) -> Vec<Arc<str>> {
        vec!["test_session".into()]
    }

    fn ephemeral_schema(&self, type_name: &str) -> Option<Arc<Schema>> {
        (type_name == "test_session").then(|| SESSION.clone())
    }

    fn data_types(&self) -> Vec<Arc<str>> {
        vec!["test_lookup".into(), "test_token".into()]
    }

    fn data_schema(&self, type_name: &str) -> Option<Arc<Schema>> {
        match type_name {
            "test_lookup" => Some(LOOKUP.clone()),
            "test_token" => Some(TOKEN.clone()),
            _ => None,
        }
    }

    fn validate_resource(&self, _type_name: &str, config: &Value) -> Diagnostics {
        let mut found = Diagnostics::new();
        if config.get_i64("size").is_some_and(|s| s < 0) {
            let d = Diagnostic::error("Negative size", "A size is not negative.");
            found.push(d.at(Path::attribute("size")));
        }
        found
    }

    async fn configure(&self, _config: &Value) -> Result<Arc<dyn Connection>, Diagnostics> {
        Ok(Arc::new(Link {
            cloud: self.0.clone(),
            host: None,
            token: String::new(),
        }))
    }
}

struct Inner(Arc<Cloud>);

#[async_trait]
impl Provider for Inner {
    fn name(&self) -> &'static str {
        "inner"
    }

    fn uses_network(&self) -> bool {
        true
    }

    fn provider_schema(&self) -> Arc<Schema> {
        INNER.clone()
    }

    fn resource_types(&self) -> Vec<Arc<str>> {
        vec!["inner_pod".into()]
    }

    fn resource_schema(&self, type_name: &str) -> Option<Arc<Schema>> {
        (type_name == "inner_pod").then(|| POD.clone())
    }

    async fn configure(&self, config: &Value) -> Result<Arc<dyn Connection>, Diagnostics> {
        let Some(host) = config.get_str("host") else {
            let d = Diagnostic::error("No host", "The argument host is needed.");
            return Err(d.at(Path::attribute("host")).into());
        };
        let token = config.get_str("token").unwrap_or_default().to_string();
        self.0.note(format!("configure {host} {token}"));
        Ok(Arc::new(Link {
            cloud: self.0.clone(),
            host: Some(host.to_string()),
            token,
        }))
    }
}

/// A connection to the cloud, or into a host.
struct Link {
    cloud: Arc<Cloud>,
    host: Option<String>,
    token: String,
}

impl Link {
    /// `create a`, `create pod@https://host`, with the token if there is one.
    fn call(&self, verb: &str, value: &Value) -> String {
        let name = value.get_str("name").unwrap_or("?");
        match &self.host {
            None => format!("{verb} {name}"),
            Some(h) => format!("{verb} {name}@{h}"),
        }
    }

    fn reach(&self) -> Result<(), Diagnostics> {
        match &self.host {
            Some(h) if !self.cloud.has_host(h) => Err(Diagnostics::error(
                "Connection refused",
                format!("There is no host at {h}."),
            )),
            _ if self.token.contains("-session-")
                && !self.cloud.sessions().contains(&self.token) =>
            {
                Err(Diagnostics::error(
                    "Session closed",
                    format!("{} is not good any more.", self.token),
                ))
            }
            _ => Ok(()),
        }
    }

    /// Notes what is only written, and returns it although it should not.
    fn written(&self, request: &ApplyRequest, made: Value, call: &str) -> Value {
        if &*request.type_name != "test_vault" {
            return made;
        }
        let secret = request.config.get("secret_wo").cloned();
        let text = secret.as_ref().and_then(Value::as_str).unwrap_or("nothing");
        self.cloud.note(format!("{call} wrote {text}"));
        for user in request
            .config
            .get("user")
            .into_iter()
            .flat_map(Value::children)
        {
            let key = user.get_str("key_wo").unwrap_or("nothing");
            self.cloud.note(format!("{call} wrote {key}"));
        }
        let users = request.config.get("user").cloned().unwrap_or(Value::NULL);
        made.with("secret_wo", secret.unwrap_or(Value::NULL))
            .with("user", users)
    }

    /// The object that comes of a plan: everything unknown gets a value.
    fn make(&self, planned: &Value, id: &str) -> Value {
        let n = self.cloud.number();
        let Kind::Object(object) = planned.kind() else {
            return planned.clone();
        };
        Value::object(object.iter().map(|(name, v)| {
            let v = match (&**name, v.is_known()) {
                ("id", false) => Value::from(id),
                ("endpoint", false) => Value::from(format!("https://{id}").as_str()),
                ("revision", false) => Value::number(n),
                _ => known(v.clone()),
            };
            (name.clone(), v)
        }))
    }
}

fn known(value: Value) -> Value {
    match value.kind() {
        Kind::Unknown(u) if u.ty == Type::Number => Value::number(1_u64),
        Kind::Unknown(_) => Value::from("auto"),
        _ => value.map_children(known),
    }
}

fn refused(call: &str) -> Diagnostics {
    Diagnostics::error("Refused", format!("The cloud does not want to {call}."))
}

#[async_trait]
impl Connection for Link {
    async fn read(&self, request: &ReadRequest) -> Result<Option<ResourceState>, Diagnostics> {
        let call = self.call("read", &request.state.value);
        self.cloud.note(call.clone());
        self.reach()?;
        if self.cloud.behaviour(&call) == Some(Behaviour::Fail) {
            return Err(refused(&call));
        }
        let found = request
            .state
            .value
            .get_str("id")
            .and_then(|id| self.cloud.get(id));
        Ok(found
            .filter(|o| o.host == self.host)
            .map(|o| o.value.into()))
    }

    async fn read_data(&self, type_name: &str, config: &Value) -> Result<Value, Diagnostics> {
        let call = self.call("data", config);
        self.cloud.note(call.clone());
        self.cloud.enter(&call).await;
        match self.cloud.behaviour(&call) {
            Some(Behaviour::Fail) => return Err(refused(&call)),
            Some(Behaviour::WaitBefore) => self.cloud.held(&call).await,
            _ => {}
        }
        let name = config.get_str("name").unwrap_or_default();
        Ok(if type_name == "test_token" {
            let token = format!("{name}-token-{}", self.cloud.number());
            config.clone().with("token", Value::from(token.as_str()))
        } else {
            let found = format!("found {name}");
            config.clone().with("found", Value::from(found.as_str()))
        })
    }

    async fn open_ephemeral(
        &self,
        _type_name: &str,
        config: &Value,
    ) -> Result<OpenedEphemeral, Diagnostics> {
        let call = self.call("open", config);
        self.cloud.note(call.clone());
        if self.cloud.behaviour(&call) == Some(Behaviour::Fail) {
            return Err(refused(&call));
        }
        let name = config.get_str("name").unwrap_or_default();
        let token = format!("{name}-session-{}", self.cloud.number());
        self.cloud.open_session(&token);
        if self.cloud.behaviour(&call) == Some(Behaviour::WaitAfter) {
            self.cloud.held(&call).await;
        }
        Ok(OpenedEphemeral {
            value: config.clone().with("token", Value::from(token.as_str())),
            private: format!("{name} {token}").into_bytes(),
            renew_at: (config.get_bool("renewed") == Some(true)).then(jiff::Timestamp::now),
        })
    }

    async fn renew_ephemeral(
        &self,
        _type_name: &str,
        private: &[u8],
    ) -> Result<RenewedEphemeral, Diagnostics> {
        let text = String::from_utf8_lossy(private).into_owned();
        let name = text.split(' ').next().unwrap_or_default();
        let call = format!("renew {name}");
        self.cloud.note(call.clone());
        if self.cloud.behaviour(&call) == Some(Behaviour::Fail) {
            return Err(refused(&call));
        }
        Ok(RenewedEphemeral {
            private: format!("{text} renewed").into_bytes(),
            renew_at: None,
        })
    }

    async fn close_ephemeral(&self, _type_name: &str, private: &[u8]) -> Result<(), Diagnostics> {
        let text = String::from_utf8_lossy(private).into_owned();
        let parts: Vec<&str> = text.split(' ').collect();
        let [name, token, rest @ ..] = parts.as_slice() else {
            return Err(refused("close what was never opened"));
        };
        self.cloud.close_session(token);
        let call = format!("close {name}");
        self.cloud.note(call.clone());
        if !rest.is_empty() {
            self.cloud.note(format!("{call} renewed"));
        }
        if self.cloud.behaviour(&call) == Some(Behaviour::Fail) {
            return Err(refused(&call));
        }
        Ok(())
    }

    async fn apply(
        &self,
        request: &ApplyRequest,
        operation: &dyn Operation,
    ) -> Result<Option<ResourceState>, ApplyFailure> {
        let (verb, value) = match &request.action {
            Action::Create { planned } => ("create", planned),
            Action::Update { planned, .. } => ("update", planned),
            Action::Delete { prior } => ("delete", &prior.value),
        };
        let call = self.call(verb, value);
        self.cloud.note(call.clone());
        if !self.token.is_empty() {
            self.cloud.note(format!("{call} with {}", self.token));
        }
        self.cloud.enter(&call).await;
        self.reach()?;
        let behaviour = self.cloud.behaviour(&call);
        match behaviour {
            Some(Behaviour::Fail) => return Err(refused(&call).into()),
            Some(Behaviour::WaitBefore) => self.cloud.held(&call).await,
            _ => {}
        }
        let id = match &request.action {
            Action::Create { planned } => {
                let name = planned.get_str("name").unwrap_or_default();
                format!("{name}-{}", self.cloud.number())
            }
            Action::Update { prior, .. } | Action::Delete { prior } => {
                prior.value.get_str("id").unwrap_or_default().to_string()
            }
        };
        let made = match &request.action {
            Action::Delete { .. } => {
                self.cloud.remove(&id);
                None
            }
            Action::Create { planned } | Action::Update { planned, .. } => {
                let value = self.written(request, self.make(planned, &id), &call);
                self.cloud.put(
                    id,
                    Object {
                        value: value.clone(),
                        host: self.host.clone(),
                        operation: operation.id().to_string(),
                    },
                );
                Some(ResourceState::from(value))
            }
        };
        match behaviour {
            Some(Behaviour::FailHalfWay) => {
                return Err(ApplyFailure {
                    diagnostics: refused(&call),
                    state: made,
                });
            }
            Some(Behaviour::WaitAfter) => {
                self.cloud.note(format!("done {call}"));
                self.cloud.held(&call).await;
            }
            Some(Behaviour::Checkpoint) => {
                if let Some(state) = made.clone() {
                    operation.checkpoint(state).await?;
                }
                self.cloud.note(format!("done {call}"));
                self.cloud.held(&call).await;
            }
            _ => {}
        }
        self.cloud.note(format!("end {call}"));
        Ok(made)
    }

    async fn import(&self, type_name: &str, id: &str) -> Result<ResourceState, Diagnostics> {
        self.cloud.note(format!("import {id}"));
        self.reach()?;
        match self.cloud.get(id).filter(|o| o.host == self.host) {
            Some(o) => Ok(o.value.into()),
            None => Err(Diagnostics::error(
                "No such object",
                format!("The cloud has no {type_name} with the id {id}."),
            )),
        }
    }

    async fn recover(&self, request: &RecoverRequest) -> Result<Recovery, Diagnostics> {
        let value = match &request.request.action {
            Action::Create { planned } => planned,
            Action::Update { prior, .. } | Action::Delete { prior } => &prior.value,
        };
        let call = self.call("recover", value);
        self.cloud.note(call.clone());
        self.reach()?;
        if self.cloud.behaviour(&call) == Some(Behaviour::CannotTell) {
            return Ok(Recovery::CannotTell("Look at the console.".into()));
        }
        let found = match value.get_str("id") {
            Some(id) => self.cloud.get(id),
            None => self.cloud.made_by(request.operation.as_str()),
        };
        Ok(match found {
            Some(o) => Recovery::Found(o.value.into()),
            None => Recovery::Absent,
        })
    }
}
