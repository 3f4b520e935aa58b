//! A module in a directory, its tests run, and a provider that does as it is told.

// Each test binary compiles this for itself and uses what it needs of it.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tempfile::TempDir;
use tokio::sync::{Barrier, watch};
use topo_engine::apply::Interrupt;
use topo_engine::providers::Providers;
use topo_engine::variables::Inputs;
use topo_sdk::{
    Action, ApplyFailure, ApplyRequest, Attribute, Block, Connection, Diagnostics, Operation,
    Provider, ReadRequest, ResourceState, Schema, Type, Value,
};
use topo_tester::{Options, Report, RunReport, Status, Suite, TestEvent};

/// What the provider has made and been asked.
pub struct Fake {
    /// What was done, in order: `create a`, `delete a`, `read k`.
    pub calls: Mutex<Vec<String>>,
    /// Things whose creation waits until two are under way.
    pub together: Barrier,
    /// Interrupted when the thing named `interrupt` is made.
    pub interrupts: watch::Sender<Interrupt>,
}

impl Fake {
    fn new() -> Arc<Fake> {
        Arc::new(Fake {
            calls: Mutex::default(),
            together: Barrier::new(2),
            interrupts: watch::Sender::new(Interrupt::None),
        })
    }

    fn say(&self, what: String) {
        self.calls.lock().unwrap().push(what);
    }

    pub fn said(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }
}

struct FakeProvider {
    fake: Arc<Fake>,
    thing: Arc<Schema>,
    info: Arc<Schema>,
    provider: Arc<Schema>,
}

fn schema(block: Block) -> Arc<Schema> {
    Arc::new(Schema {
        block,
        ..Schema::default()
    })
}

impl FakeProvider {
    fn new(fake: Arc<Fake>) -> FakeProvider {
        FakeProvider {
            fake,
            thing: schema(
                Block::new()
                    .attr("name", Attribute::required(Type::String).force_new())
                    .attr("note", Attribute::optional(Type::String))
                    .attr("id", Attribute::computed(Type::String))
                    .attr("size", Attribute::optional_computed(Type::Number))
                    .attr("on", Attribute::computed(Type::Bool))
                    .attr("parts", Attribute::computed(Type::list(Type::String))),
            ),
            info: schema(
                Block::new()
                    .attr("key", Attribute::required(Type::String))
                    .attr("value", Attribute::computed(Type::String)),
            ),
            provider: schema(Block::new().attr("prefix", Attribute::required(Type::String))),
        }
    }
}

#[async_trait]
impl Provider for FakeProvider {
    fn name(&self) -> &'static str {
        "fake"
    }
    fn uses_network(&self) -> bool {
        true
    }
    fn provider_schema(&self) -> Arc<Schema> {
        self.provider.clone()
    }
    fn resource_types(&self) -> Vec<Arc<str>> {
        vec!["fake_thing".into()]
    }
    fn resource_schema(&self, type_name: &str) -> Option<Arc<Schema>> {
        (type_name == "fake_thing").then(|| self.thing.clone())
    }
    fn data_types(&self) -> Vec<Arc<str>> {
        vec!["fake_info".into()]
    }
    fn data_schema(&self, type_name: &str) -> Option<Arc<Schema>> {
        (type_name == "fake_info").then(|| self.info.clone())
    }
    async fn configure(&self, config: &Value) -> Result<Arc<dyn Connection>, Diagnostics> {
        Ok(Arc::new(FakeConnection {
            fake: self.fake.clone(),
            prefix: config.get_str("prefix").unwrap_or_default().to_string(),
        }))
    }
}

struct FakeConnection {
    fake: Arc<Fake>,
    prefix: String,
}

#[async_trait]
impl Connection for FakeConnection {
    async fn read(&self, request: &ReadRequest) -> Result<Option<ResourceState>, Diagnostics> {
        let mut state = request.state.clone();
        if state.value.get_str("name") == Some("drifts") {
            self.fake.say("refresh drifts".into());
            state.value = state.value.with("note", Value::string("drifted"));
        }
        Ok(Some(state))
    }

    async fn read_data(&self, _type_name: &str, config: &Value) -> Result<Value, Diagnostics> {
        let key = config.get_str("key").unwrap_or_default();
        self.fake.say(format!("read {key}"));
        if key == "unreadable" {
            return Err(Diagnostics::error("Cannot read it", "It is unreadable."));
        }
        let value = Value::string(format!("{}{key}", self.prefix));
        Ok(config.clone().with("value", value))
    }

    async fn apply(
        &self,
        request: &ApplyRequest,
        _operation: &dyn Operation,
    ) -> Result<Option<ResourceState>, ApplyFailure> {
        match &request.action {
            Action::Create { planned } | Action::Update { planned, .. } => {
                let name = planned.get_str("name").unwrap_or_default().to_string();
                self.fake.say(format!("create {name}"));
                if name == "interrupt" {
                    self.fake.interrupts.send_replace(Interrupt::Graceful);
                }
                if name.starts_with("together") {
                    self.fake.together.wait().await;
                }
                if name == "hangs" {
                    self.fake.interrupts.send_replace(Interrupt::Now);
                    std::future::pending::<()>().await;
                }
                if name == "broken" {
                    return Err(Diagnostics::error("Cannot make it", "It is broken.").into());
                }
                let size = planned.get_i64("size").unwrap_or(7);
                let made = planned
                    .clone()
                    .with("id", Value::string(format!("{}{name}", self.prefix)))
                    .with("size", Value::number(size))
                    .with("on", Value::from(true))
                    .with("parts", Value::list(Type::String, vec![Value::string("p")]));
                Ok(Some(made.into()))
            }
            Action::Delete { prior } => {
                let name = prior.value.get_str("name").unwrap_or_default();
                self.fake.say(format!("delete {name}"));
                if name.starts_with("stuck") {
                    return Err(Diagnostics::error("Cannot remove it", "It is stuck.").into());
                }
                Ok(None)
            }
        }
    }
}

/// A module with tests.
pub struct Module {
    pub dir: TempDir,
    pub fake: Arc<Fake>,
    pub inputs: Inputs,
    pub filter: Vec<String>,
    pub workspace: Arc<str>,
}

/// What came of it.
pub struct Ran {
    pub report: Arc<Report>,
    pub events: Vec<TestEvent>,
}

impl Module {
    pub fn new(files: &[(&str, &str)]) -> Module {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Module {
            dir,
            fake: Fake::new(),
            inputs: Inputs::default(),
            filter: Vec::new(),
            workspace: "default".into(),
        }
    }

    pub fn load(&self) -> topo_tester::Loaded {
        let mut all = topo_provider_builtin::providers();
        all.push(Arc::new(FakeProvider::new(self.fake.clone())));
        let options = Options {
            directory: "tests".into(),
            filter: self.filter.clone(),
            parallelism: 10,
            workspace: self.workspace.clone(),
        };
        Suite::load(
            self.dir.path(),
            Providers::new(all),
            self.inputs.clone(),
            &options,
        )
    }

    /// Summaries and details of what is wrong with the tests.
    #[track_caller]
    pub fn refused(&self) -> String {
        let loaded = self.load();
        assert!(loaded.suite.is_none(), "nothing is wrong");
        loaded.diagnostics.to_string()
    }

    pub async fn run(&self) -> Ran {
        let loaded = self.load();
        let suite = loaded
            .suite
            .unwrap_or_else(|| panic!("{}", loaded.diagnostics));
        let events: Arc<Mutex<Vec<TestEvent>>> = Arc::default();
        let heard = events.clone();
        let listener = Arc::new(move |e| heard.lock().unwrap().push(e));
        let report = topo_tester::run(&suite, self.fake.interrupts.subscribe(), listener).await;
        let events = events.lock().unwrap().clone();
        Ran { report, events }
    }
}

impl Ran {
    /// The status of every run, by name.
    pub fn statuses(&self) -> BTreeMap<String, Status> {
        let runs = self.report.files.iter().flat_map(|f| &f.runs);
        runs.map(|r| (r.name.run.to_string(), r.status)).collect()
    }

    #[track_caller]
    pub fn of(&self, name: &str) -> &RunReport {
        let mut runs = self.report.files.iter().flat_map(|f| &f.runs);
        runs.find(|r| *r.name.run == *name).unwrap()
    }

    /// What a run has to say.
    #[track_caller]
    pub fn said(&self, name: &str) -> String {
        self.of(name).diagnostics.to_string()
    }

    #[track_caller]
    pub fn passes(&self) {
        let all: Vec<String> = self
            .report
            .files
            .iter()
            .flat_map(|f| &f.runs)
            .map(|r| format!("{} {}: {}", r.name.run, r.status, r.diagnostics))
            .collect();
        assert!(self.report.is_success(), "{}", all.join("\n"));
    }
}
