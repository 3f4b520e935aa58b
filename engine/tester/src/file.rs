//! What a test file says, decoded.

use std::collections::BTreeMap;
use std::sync::Arc;

use topo_engine::address::{InstanceAddress, ModuleInstance, Target};
use topo_engine::changes::PlanMode;
use topo_engine::config::ProviderKey;
use topo_engine::lang::ast::Expression;
use topo_engine::lang::structure::Parsed;
use topo_sdk::{SourceRange, Value};

/// A test file.
#[derive(Debug)]
pub struct TestFile {
    /// Its name, relative to the root module: `tests/main.tftest.hcl`.
    pub name: Arc<str>,
    /// The runs in the order in which they are written.
    pub runs: Vec<TestRun>,
    /// Values of variables for all runs.
    pub variables: BTreeMap<Arc<str>, Expression>,
    /// Which of the file's top-level blocks configure providers, by their place among them.
    pub(crate) providers: BTreeMap<ProviderKey, usize>,
    /// Providers that are made up.
    pub mocks: BTreeMap<ProviderKey, Mock>,
    /// Overrides for all runs.
    pub overrides: Overrides,
    pub(crate) parsed: Parsed,
}

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Plans only.
    Plan,
    /// Plans and applies.
    Apply,
}

/// A `run` block.
#[derive(Debug)]
pub struct TestRun {
    /// Its name.
    pub name: Arc<str>,
    /// What it does.
    pub command: Command,
    /// The module that it is about, where that is not the one under test: relative to the root.
    pub module: Option<(String, SourceRange)>,
    /// Which state it works on; runs with the same key share one.
    pub state_key: Arc<str>,
    /// Values of variables.
    pub variables: BTreeMap<Arc<str>, Expression>,
    /// The provider configurations of the file to use: under which name, and which.
    pub providers: Vec<(ProviderKey, ProviderKey, SourceRange)>,
    /// How to plan.
    pub options: RunOptions,
    /// What must hold afterwards.
    pub assertions: Vec<Assertion>,
    /// What is expected to fail.
    pub expected: Vec<Expected>,
    /// Overrides for this run.
    pub overrides: Overrides,
    /// Whether it may run beside others.
    pub parallel: bool,
    /// The block's header.
    pub range: SourceRange,
}

/// `plan_options`.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// `normal` or `refresh-only`.
    pub mode: PlanMode,
    /// Whether objects are read before they are compared.
    pub refresh: bool,
    /// Objects to replace.
    pub replace: Vec<InstanceAddress>,
    /// What to restrict the run to.
    pub target: Vec<Target>,
}

impl Default for RunOptions {
    fn default() -> RunOptions {
        RunOptions {
            mode: PlanMode::Normal,
            refresh: true,
            replace: Vec::new(),
            target: Vec::new(),
        }
    }
}

/// An `assert` block.
#[derive(Debug)]
pub struct Assertion {
    /// What must hold.
    pub condition: Expression,
    /// What to tell otherwise.
    pub message: Expression,
}

/// A checkable object of the root module that is expected to fail.
#[derive(Debug, Clone)]
pub struct Expected {
    /// Its address: `var.x`, `output.y`, `check.z`, `aws_vpc.a`, `aws_vpc.a[0]`.
    pub address: String,
    /// Where it is named.
    pub range: SourceRange,
}

impl Expected {
    /// Whether something of this address is meant: a resource means all its instances.
    pub fn covers(&self, address: &str) -> bool {
        let rest = address.strip_prefix(self.address.as_str());
        rest.is_some_and(|r| r.is_empty() || r.starts_with('['))
    }
}

/// When made-up values become known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum During {
    /// In the plan already.
    Plan,
    /// As real ones do, when they are applied.
    Apply,
}

/// A `mock_provider` block.
#[derive(Debug, Clone, Default)]
pub struct Mock {
    /// Values by resource type.
    pub resources: BTreeMap<Arc<str>, Values>,
    /// Values by type of data source.
    pub data: BTreeMap<Arc<str>, Values>,
    /// Overrides of objects that this provider has.
    pub overrides: Overrides,
    /// When values become known that say nothing else.
    pub during: Option<During>,
    /// The block's header.
    pub range: Option<SourceRange>,
}

/// Values for attributes that the configuration leaves to the provider.
#[derive(Debug, Clone)]
pub struct Values {
    /// By attribute.
    pub values: BTreeMap<Arc<str>, Value>,
    /// When they become known; `None` where nothing is said.
    pub during: Option<During>,
    /// Where they are written.
    pub range: SourceRange,
}

/// `override_*` blocks.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// Objects: resources and data sources.
    pub objects: Vec<(Target, Values)>,
    /// Modules, and their outputs; a step without a key means all instances of that call.
    pub modules: Vec<(ModuleInstance, Values)>,
}
