//! The table of scenarios: one folder each, with configuration, what happened before, what is
//! asked for, and what is expected.
//!
//! - `before/`: what is applied first, to make a state and a reality. May be absent.
//! - `after/`: the configuration of the run that is looked at.
//! - `run.json`: what it is about and how it runs, see [`Script`].
//! - `expected.txt`: what is planned, what is called (each line is a wave of calls that may run
//!   side by side), what failed, what the state holds then, and what a plan says after that.
//!
//! With `TOPO_UPDATE_EXPECTED` set the last is written as found: to be read before it is kept.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use serde::Deserialize;
use topo_engine::address::InstanceAddress;
use topo_engine::changes::PlanMode;
use topo_engine::plan::{Plan, PlanOptions};
use topo_engine::store::{Dependency, RecordKey, Status};
use topo_engine::variables::Inputs;
use topo_sdk::{Diagnostics, Type, json};

use crate::steps::in_waves;
use crate::{Behaviour, MemoryStore, Scenario, shown};

/// What `run.json` says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    /// What the scenario shows.
    #[expect(dead_code, reason = "for the reader")]
    about: String,
    /// Variables of the application of `before/`.
    #[serde(default)]
    before: BTreeMap<String, serde_json::Value>,
    /// The runs that are looked at, one after the other.
    #[serde(default = "one")]
    runs: Vec<Step>,
}

fn one() -> Vec<Step> {
    vec![Step::default()]
}

/// One run, and what happens before it behind topo's back.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Step {
    /// The folder of the configuration, if not `after`.
    config: Option<String>,
    mode: Mode,
    targets: Vec<String>,
    excludes: Vec<String>,
    replace: Vec<String>,
    no_refresh: bool,
    allow_deferral: bool,
    variables: BTreeMap<String, serde_json::Value>,
    /// How many calls run side by side, if it matters.
    parallelism: Option<usize>,
    /// Nothing is applied.
    plan_only: bool,
    /// Calls that do something else than they should from now on: `fail`, `fail half-way`,
    /// `cannot tell`, `well`.
    calls: BTreeMap<String, String>,
    /// Attributes of objects, by name, that are changed from outside.
    tamper: BTreeMap<String, BTreeMap<String, serde_json::Value>>,
    /// Objects, by name, that are removed from outside.
    vanish: Vec<String>,
    /// Addresses of objects that are marked as tainted.
    taint: Vec<String>,
    /// Addresses whose records are taken out of the state.
    forget: Vec<String>,
    /// What records say their objects depend on.
    depend: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Mode {
    #[default]
    Normal,
    Destroy,
    RefreshOnly,
}

impl From<Mode> for PlanMode {
    fn from(mode: Mode) -> PlanMode {
        match mode {
            Mode::Normal => PlanMode::Normal,
            Mode::Destroy => PlanMode::Destroy,
            Mode::RefreshOnly => PlanMode::RefreshOnly,
        }
    }
}

/// Runs all scenarios of a directory, and gives how many there are and the differences.
///
/// # Panics
/// When a folder cannot be read.
pub fn run_all(dir: &Path) -> (usize, Vec<String>) {
    let only = env::var("TOPO_SCENARIO").unwrap_or_default();
    let mut folders: Vec<PathBuf> = fs::read_dir(dir)
        .expect("a directory of scenarios")
        .map(|entry| entry.expect("an entry").path())
        .filter(|p| p.is_dir() && p.to_string_lossy().contains(&only))
        .collect();
    folders.sort();
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let share = folders.len().div_ceil(workers).max(1);
    let differences = thread::scope(|scope| {
        let parts = folders.chunks(share).map(|part| {
            scope.spawn(move || part.iter().filter_map(|f| differs(f)).collect::<Vec<_>>())
        });
        let parts: Vec<_> = parts.collect();
        let made = parts.into_iter().map(|p| p.join().expect("a worker"));
        made.flatten().collect()
    });
    (folders.len(), differences)
}

/// What is other than expected in a scenario.
fn differs(folder: &Path) -> Option<String> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let found = std::panic::catch_unwind(|| run(folder)).unwrap_or_else(|e| {
        let text = e.downcast_ref::<String>().cloned();
        let text = text.or_else(|| e.downcast_ref::<&str>().map(ToString::to_string));
        format!("panic: {}\n", text.unwrap_or_default())
    });
    let path = folder.join("expected.txt");
    let expected = fs::read_to_string(&path).unwrap_or_default();
    if found == expected {
        return None;
    }
    if env::var_os("TOPO_UPDATE_EXPECTED").is_some() {
        fs::write(&path, &found).expect("a written expectation");
        return None;
    }
    let both = [("expected", expected.as_str()), ("found", found.as_str())];
    let texts = both.map(|(what, text)| format!("--- {what}\n{text}"));
    Some(format!("=== {name}\n{}", texts.concat()))
}

/// Runs a scenario, and tells what came of it.
fn run(folder: &Path) -> String {
    let text = fs::read_to_string(folder.join("run.json")).expect("a run.json");
    let script: Script = serde_json::from_str(&text).unwrap_or_else(|e| panic!("run.json: {e}"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let mut case = Case::new(folder, runtime);
    if folder.join("before").is_dir() {
        case.prepare(script.before);
    }
    let many = script.runs.len() > 1;
    let mut lines = Vec::new();
    for (i, step) in script.runs.iter().enumerate() {
        if many {
            lines.push(format!("run {}", i + 1));
        }
        lines.extend(case.step(step));
    }
    lines.push(String::new());
    lines.join("\n")
}

struct Case<'a> {
    folder: &'a Path,
    runtime: tokio::runtime::Runtime,
    store: Arc<MemoryStore>,
    scenario: Scenario,
}

impl Case<'_> {
    fn new(folder: &Path, runtime: tokio::runtime::Runtime) -> Case<'_> {
        let mut scenario = Scenario::new("");
        let store = Arc::new(MemoryStore::default());
        scenario.store = store.clone();
        Case {
            folder,
            runtime,
            store,
            scenario,
        }
    }

    /// Makes the state and the reality that there are before.
    fn prepare(&mut self, variables: BTreeMap<String, serde_json::Value>) {
        self.configure("before", &variables);
        let plan = self.plan(PlanMode::Normal);
        let plan = plan.unwrap_or_else(|ds| panic!("the plan of before has errors:\n{ds}"));
        let outcome = self.carry_out(plan, usize::MAX).0;
        let failures = crate::failures(&outcome);
        assert!(outcome.is_success(), "before failed: {failures:?}");
    }

    fn step(&mut self, step: &Step) -> Vec<String> {
        self.configure(step.config.as_deref().unwrap_or("after"), &step.variables);
        self.meddle(step);
        let options = &mut self.scenario.options;
        let addresses = |all: &[String]| all.iter().map(|a| a.parse().expect("a target")).collect();
        options.targets = addresses(&step.targets);
        options.excludes = addresses(&step.excludes);
        let replaced = step.replace.iter();
        options.replace = replaced.map(|a| a.parse().expect("an address")).collect();
        options.refresh = !step.no_refresh;
        options.allow_deferral = step.allow_deferral;
        let mut lines = Vec::new();
        let planned = self.plan(step.mode.into());
        section(&mut lines, "plan", self.planning_calls());
        let plan = match planned {
            Err(ds) => {
                indent(&mut lines, shown::problems(&ds));
                section(&mut lines, "state", shown::state(&self.state()));
                return lines;
            }
            Ok(plan) => plan,
        };
        indent(&mut lines, shown::plan(&plan));
        if step.plan_only {
            return lines;
        }
        let (outcome, waves) = self.carry_out(plan, step.parallelism.unwrap_or(usize::MAX));
        section(&mut lines, "apply", waves);
        indent(&mut lines, shown::outcome(&outcome));
        section(&mut lines, "state", shown::state(&self.state()));
        self.scenario.options = PlanOptions::default();
        if !matches!(step.mode, Mode::Destroy) {
            let then = match self.plan(PlanMode::Normal) {
                Err(ds) => shown::problems(&ds),
                Ok(plan) => shown::plan(&plan),
            };
            section(&mut lines, "then", then);
        }
        lines
    }

    /// Puts a folder's configuration and the values of its variables in place.
    fn configure(&mut self, config: &str, variables: &BTreeMap<String, serde_json::Value>) {
        let to = self.scenario.path();
        for entry in fs::read_dir(to).expect("a directory") {
            let path = entry.expect("an entry").path();
            let removed = match path.is_dir() {
                true => fs::remove_dir_all(&path),
                false => fs::remove_file(&path),
            };
            removed.expect("an empty directory");
        }
        let from = self.folder.join(config);
        if from.is_dir() {
            copy(&from, to);
        }
        self.scenario.inputs = Inputs::default();
        for (name, value) in variables {
            let text = match value {
                serde_json::Value::String(s) => s.clone(),
                other => other.to_string(),
            };
            self.scenario.inputs.add_flag(name, &text);
        }
    }

    /// Does what happens behind topo's back.
    fn meddle(&self, step: &Step) {
        let cloud = &self.scenario.cloud;
        for (call, behaviour) in &step.calls {
            match behaviour.as_str() {
                "fail" => cloud.on(call, Behaviour::Fail),
                "fail half-way" => cloud.on(call, Behaviour::FailHalfWay),
                "cannot tell" => cloud.on(call, Behaviour::CannotTell),
                "well" => cloud.well(call),
                other => panic!("no behaviour is called {other:?}"),
            }
        }
        for (name, attributes) in &step.tamper {
            for (attribute, value) in attributes {
                let ty = match value {
                    serde_json::Value::Object(_) => Type::map(Type::String),
                    serde_json::Value::Array(_) => Type::list(Type::String),
                    _ => Type::Dynamic,
                };
                let value = json::from_json_typed(value, &ty).expect("a value");
                cloud.tamper(name, attribute, value);
            }
        }
        step.vanish.iter().for_each(|name| cloud.vanish(name));
        let key = |address: &String| {
            RecordKey::from(address.parse::<InstanceAddress>().expect("an address"))
        };
        self.store.edit(|state| {
            for address in &step.taint {
                let record = state.records.get_mut(&key(address));
                record.expect("a record to taint").status = Status::Tainted;
            }
            for address in &step.forget {
                let forgotten = state.records.remove(&key(address));
                assert!(forgotten.is_some(), "there is no {address} to forget");
            }
            for (address, on) in &step.depend {
                let record = state.records.get_mut(&key(address)).expect("a record");
                let on = on.iter().map(|a| Dependency::Instance(key(a).address));
                record.dependencies = on.collect();
            }
        });
    }

    fn plan(&self, mode: PlanMode) -> Result<Plan, Diagnostics> {
        // Which of two calls goes first must not depend on how long they took.
        self.store.edit(|state| state.durations.clear());
        self.scenario.cloud.forget();
        let loaded = self.scenario.load();
        if loaded.config.is_none() {
            return Err(loaded.diagnostics);
        }
        self.runtime.block_on(self.scenario.try_plan(mode))
    }

    /// What was asked during planning besides reading objects.
    fn planning_calls(&self) -> Vec<String> {
        let log = self.scenario.cloud.log();
        let asked = log.into_iter().filter(|l| !l.starts_with("read "));
        let mut asked: Vec<String> = asked.map(|l| format!("ask {l}")).collect();
        asked.sort();
        asked
    }

    fn carry_out(
        &self,
        plan: Plan,
        parallelism: usize,
    ) -> (Arc<topo_engine::apply::Outcome>, Vec<String>) {
        let _inside = self.runtime.enter();
        let run = self.scenario.carry_out(plan, parallelism);
        let (outcome, waves) = in_waves(&self.scenario.cloud, run);
        let waves = waves.iter().enumerate();
        let waves = waves.map(|(i, calls)| format!("{}: {}", i + 1, calls.join(", ")));
        (outcome, waves.collect())
    }

    fn state(&self) -> topo_engine::store::State {
        self.runtime.block_on(self.scenario.state())
    }
}

fn section(lines: &mut Vec<String>, name: &str, more: Vec<String>) {
    lines.push(name.to_string());
    indent(lines, more);
}

fn indent(lines: &mut Vec<String>, more: Vec<String>) {
    lines.extend(more.into_iter().map(|l| format!("  {l}")));
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            fs::create_dir_all(&target).expect("a directory");
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("a copy");
        }
    }
}
