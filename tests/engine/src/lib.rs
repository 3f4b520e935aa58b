//! Scenarios for the engine, without any real cloud: a configuration in a directory of its own, a scripted provider with
//! a cloud in memory, a state store, and the whole way through load, plan and apply.
//!
//! Nothing waits for time: whoever must wait does so for an entry in the cloud's log.

mod cloud;
mod memory;
mod provider;
mod shown;
pub mod steps;
pub mod table;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::watch;
use topo_engine::apply::{ApplyOptions, Interrupt, Outcome, apply};
use topo_engine::changes::{ChangeAction, PlanMode};
use topo_engine::config::{Config, Loaded, load};
use topo_engine::events::{Listener, silent};
use topo_engine::plan::{Plan, PlanOptions, Purpose, SavedPlan, plan, resume};
use topo_engine::providers::Providers;
use topo_engine::store::{Record, RecordKey, State, StateStore};
use topo_engine::variables::Inputs;
use topo_sdk::{Diagnostics, Value};
use topo_state::{LockInfo, SledStore};

pub use cloud::{Behaviour, Cloud};
pub use memory::MemoryStore;

/// A configuration, a cloud and a state.
pub struct Scenario {
    dir: TempDir,
    /// What the scripted providers talk to.
    pub cloud: Arc<Cloud>,
    /// The scripted providers, and those that are built in.
    pub providers: Providers,
    /// The state.
    pub store: Arc<dyn StateStore>,
    /// Values of variables.
    pub inputs: Inputs,
    /// How to plan.
    pub options: PlanOptions,
    /// Who hears of what happens.
    pub listener: Listener,
}

impl Scenario {
    /// A root module with this text, and an empty state in memory.
    pub fn new(main: &str) -> Scenario {
        let cloud = Cloud::new();
        let mut list = provider::both(&cloud);
        list.extend(topo_provider_builtin::providers());
        let made = Scenario {
            dir: tempfile::tempdir().expect("a temporary directory"),
            cloud,
            providers: Providers::new(list)
                .with_provisioners(topo_provider_builtin::provisioners()),
            store: Arc::new(MemoryStore::default()),
            inputs: Inputs::default(),
            options: PlanOptions::default(),
            listener: silent(),
        };
        made.write("main.tf", main);
        made
    }

    /// Writes a file of the configuration; directories are made.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.dir.path().join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).expect("a directory");
        }
        fs::write(path, text).expect("a file");
    }

    /// Replaces the root module.
    pub fn main(&self, text: &str) {
        self.write("main.tf", text);
    }

    /// The directory of the root module.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Loads the configuration.
    pub fn load(&self) -> Loaded {
        load(self.dir.path(), &self.providers)
    }

    /// The configuration, which must be right.
    pub fn config(&self) -> Arc<Config> {
        let loaded = self.load();
        match loaded.config {
            Some(config) => config,
            None => panic!("the configuration has errors:\n{}", loaded.diagnostics),
        }
    }

    /// What is wrong with the configuration: summary, file, line and column of each error.
    pub fn errors(&self) -> Vec<String> {
        located(&self.load().diagnostics)
    }

    /// What the store holds.
    pub async fn state(&self) -> State {
        self.store.load().await.expect("a readable state")
    }

    /// The record of an object, if there is one.
    pub async fn record(&self, address: &str) -> Option<Record> {
        let address = address.parse().expect("an address");
        self.state().await.records.remove(&RecordKey {
            address,
            deposed: None,
        })
    }

    /// An attribute of an object in the state.
    pub async fn attribute(&self, address: &str, name: &str) -> Value {
        let record = self.record(address).await;
        let record = record.unwrap_or_else(|| panic!("{address} is not in the state"));
        record.value.get(name).cloned().unwrap_or(Value::NULL)
    }

    /// The addresses of all records, deposed ones with their key.
    pub async fn addresses(&self) -> Vec<String> {
        let state = self.state().await;
        state.records.keys().map(shown).collect()
    }

    /// Plans in a mode.
    ///
    /// # Errors
    /// Those of the plan.
    pub async fn try_plan(&self, mode: PlanMode) -> Result<Plan, Diagnostics> {
        let options = PlanOptions {
            mode,
            to_be_saved: true,
            store: Some(self.store.clone()),
            ..self.options.clone()
        };
        plan(
            self.config(),
            &self.providers,
            &self.inputs,
            self.state().await,
            &options,
            self.listener.clone(),
        )
        .await
    }

    /// Plans; there must be no error.
    pub async fn plan(&self) -> Plan {
        self.plan_in(PlanMode::Normal).await
    }

    /// Plans in a mode; there must be no error.
    pub async fn plan_in(&self, mode: PlanMode) -> Plan {
        match self.try_plan(mode).await {
            Ok(plan) => plan,
            Err(ds) => panic!("the plan has errors:\n{ds}"),
        }
    }

    /// The errors of a plan.
    pub async fn plan_errors(&self) -> Vec<String> {
        match self.try_plan(PlanMode::Normal).await {
            Ok(plan) => panic!("the plan has no error: {:?}", summary(&plan)),
            Err(ds) => located(&ds),
        }
    }

    /// Applies a plan with so many operations side by side.
    pub async fn carry_out(&self, plan: Plan, parallelism: usize) -> Arc<Outcome> {
        let (_keep, interrupt) = watch::channel(Interrupt::None);
        self.carry_out_until(plan, parallelism, interrupt).await
    }

    /// Applies a plan that can be interrupted.
    pub async fn carry_out_until(
        &self,
        plan: Plan,
        parallelism: usize,
        interrupt: watch::Receiver<Interrupt>,
    ) -> Arc<Outcome> {
        let options = ApplyOptions {
            parallelism,
            interrupt,
        };
        let (store, listener) = (self.store.clone(), self.listener.clone());
        apply(plan, &self.providers, store, options, listener).await
    }

    /// Plans and applies; there must be no error.
    pub async fn apply(&self) -> Arc<Outcome> {
        let plan = self.plan().await;
        let outcome = self.carry_out(plan, 10).await;
        assert!(outcome.is_success(), "{}", failures(&outcome).join("\n"));
        outcome
    }

    /// Plans and applies, whatever comes of it.
    pub async fn apply_anyhow(&self) -> Arc<Outcome> {
        let plan = self.plan().await;
        self.carry_out(plan, 10).await
    }

    /// Destroys everything; there must be no error.
    pub async fn destroy(&self) -> Arc<Outcome> {
        let plan = self.plan_in(PlanMode::Destroy).await;
        let outcome = self.carry_out(plan, 10).await;
        assert!(outcome.is_success(), "{}", failures(&outcome).join("\n"));
        outcome
    }

    /// That a plan now has nothing to do.
    pub async fn assert_settled(&self) {
        let plan = self.plan().await;
        assert_eq!(summary(&plan), Vec::<String>::new());
        assert!(plan.is_empty(), "outputs differ: {:?}", plan.outputs);
        assert!(plan.drift.is_empty(), "drift: {:?}", plan.drift);
    }

    /// Takes a saved plan up again.
    ///
    /// # Errors
    /// Those of the plan; when it is stale.
    pub async fn resume(&self, bytes: &[u8]) -> Result<Plan, Diagnostics> {
        self.resume_to(Purpose::Apply, bytes).await
    }

    /// Takes a saved plan up again, to apply or to show it.
    ///
    /// # Errors
    /// Those of the plan; when it is stale.
    pub async fn resume_to(&self, purpose: Purpose, bytes: &[u8]) -> Result<Plan, Diagnostics> {
        resume(
            SavedPlan::open(bytes)?,
            purpose,
            self.config(),
            &self.providers,
            &self.inputs,
            self.state().await,
            Some(self.store.clone()),
            self.options.interrupt.clone(),
            self.listener.clone(),
        )
        .await
    }
}

/// Opens a store on disk.
pub async fn sled(dir: &Path) -> SledStore {
    let lock = LockInfo {
        who: "tester@localhost".into(),
        pid: std::process::id(),
        command: "apply".into(),
        since: jiff::Timestamp::now(),
        run: "run".into(),
    };
    SledStore::open(dir, lock, Duration::from_secs(10))
        .await
        .expect("a store")
}

fn shown(key: &RecordKey) -> String {
    match &key.deposed {
        Some(_) => format!("{} (deposed)", key.address),
        None => key.address.to_string(),
    }
}

/// What a plan does, one line per object that does not stay as it is, in order of addresses:
/// `update test_thing.a`, with the reason behind it where there is one.
pub fn summary(plan: &Plan) -> Vec<String> {
    plan.changes
        .iter()
        .filter(|c| c.action != ChangeAction::NoOp)
        .map(|c| {
            let reason = c.reason.as_ref().map(|r| {
                let text = format!("{r:?}");
                let end = text.find([' ', '(']).unwrap_or(text.len());
                format!(": {}", &text[..end])
            });
            let deferred = if c.provider_deferred {
                ", deferred"
            } else {
                ""
            };
            let reason = reason.unwrap_or_default();
            format!("{} {}{reason}{deferred}", c.action.word(), shown(&c.key))
        })
        .collect()
}

/// What failed and what was left out in a run, in words.
pub fn failures(outcome: &Outcome) -> Vec<String> {
    let failed = outcome
        .failed
        .iter()
        .map(|(k, ds)| format!("{} failed: {ds}", shown(k)));
    let skipped = outcome
        .skipped
        .iter()
        .map(|(k, why)| format!("{} skipped: {why}", shown(k)));
    let rest = outcome.diagnostics.iter().map(ToString::to_string);
    failed.chain(skipped).chain(rest).collect()
}

/// Each error as `file:line:column summary`.
pub fn located(diagnostics: &Diagnostics) -> Vec<String> {
    diagnostics
        .iter()
        .filter(|d| d.is_error())
        .map(|d| match &d.range {
            Some(r) => format!(
                "{}:{}:{} {}",
                r.file, r.start.line, r.start.column, d.summary
            ),
            None => d.summary.clone(),
        })
        .collect()
}
