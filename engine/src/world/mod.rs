//! The values of everything in the configuration, as far as they are known in one phase of a
//! run: module instances, and in each the variables, local values, resources and outputs.
//!
//! A value is computed once and kept. Whole-resource values (`aws_subnet.a`, a list of ten
//! thousand objects perhaps) are made when first asked for.

mod expand;
mod instances;
mod scope;
mod values;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use topo_sdk::Value;

pub use self::expand::Unexpanded;
pub(crate) use self::expand::sources;
pub use self::instances::{Each, Instances, Shape};
pub use self::scope::{ModuleScope, instance_key};
use crate::address::{InstanceKey, ModuleInstance};
use crate::checks::Checks;
use crate::config::{Config, ModuleId, ResourceKey};
use crate::variables::Given;

/// The instances of a module call: indices into the called module's instances, by key.
pub type CallInstances = BTreeMap<Option<InstanceKey>, usize>;

/// A module instance with the values in it.
#[derive(Debug)]
pub struct ModuleValues {
    /// Its address.
    pub address: ModuleInstance,
    /// Which instance of the calling module it is called from.
    pub parent: usize,
    /// `each` and `count` of the call: seen by its arguments.
    pub each: Each,
    /// Which of the module's [`GivenOutputs`] are its outputs, where a test overrides it: then
    /// there is nothing in it.
    pub given: Option<usize>,
    /// Input variables.
    pub variables: HashMap<Arc<str>, Value>,
    /// Local values.
    pub locals: HashMap<Arc<str>, Value>,
    /// Outputs.
    pub outputs: HashMap<Arc<str>, Value>,
    /// Resources and data sources.
    pub resources: HashMap<ResourceKey, Instances>,
    /// The instances of called modules: indices into the called module's instances.
    pub calls: HashMap<Arc<str>, (Shape, CallInstances)>,
}

impl ModuleValues {
    fn new(address: ModuleInstance, parent: usize, each: Each) -> ModuleValues {
        ModuleValues {
            address,
            parent,
            each,
            given: None,
            variables: HashMap::new(),
            locals: HashMap::new(),
            outputs: HashMap::new(),
            resources: HashMap::new(),
            calls: HashMap::new(),
        }
    }
}

/// All values of one phase.
#[derive(Debug)]
pub struct World {
    /// What the values are of.
    pub config: Arc<Config>,
    /// The instances of each module, by the module's index.
    pub modules: Vec<Vec<ModuleValues>>,
    /// What was given for the root module's variables.
    pub given: Arc<BTreeMap<Arc<str>, Given>>,
    /// The moment of the plan.
    pub plan_time: Timestamp,
    /// Whether functions whose result changes from call to call answer with an unknown.
    pub planning: bool,
    /// Whether this is a check before anything is known: keys of instances stand for all.
    pub checking: bool,
    /// Whether module calls whose instances are not known yet are left to a later round.
    pub allow_deferral: bool,
    /// Whether something could not be read or evaluated. What is unknown from then on may be so
    /// because of that, and is no mistake of its own.
    pub incomplete: bool,
    /// What relative paths of the file functions start from.
    pub base_dir: PathBuf,
    /// The name of the workspace.
    pub workspace: Arc<str>,
    /// What became of conditions.
    pub(crate) checks: Checks,
}

impl World {
    /// A world with a root module and nothing in it.
    pub fn new(
        config: Arc<Config>,
        given: Arc<BTreeMap<Arc<str>, Given>>,
        plan_time: Timestamp,
    ) -> World {
        let mut modules: Vec<Vec<ModuleValues>> =
            config.modules.iter().map(|_| Vec::new()).collect();
        if let Some(root) = modules.first_mut() {
            root.push(ModuleValues::new(
                ModuleInstance::root(),
                0,
                Each::default(),
            ));
        }
        let base_dir = config.root_dir.clone();
        World {
            config,
            modules,
            given,
            plan_time,
            planning: true,
            checking: false,
            allow_deferral: false,
            incomplete: false,
            base_dir,
            workspace: crate::plan::DEFAULT_WORKSPACE.into(),
            checks: Checks::default(),
        }
    }

    /// What expressions in an instance of a module see.
    pub fn scope(&self, module: ModuleId, instance: usize) -> ModuleScope<'_> {
        ModuleScope {
            world: self,
            module,
            instance,
            each: None,
            itself: None,
        }
    }

    /// The instances of a module that an instance of another (or the same) can see: those that
    /// agree with it in the keys of the calls that they share.
    pub fn seen_from(&self, module: ModuleId, instance: usize, other: ModuleId) -> Vec<usize> {
        let (own_path, path) = (
            &self.config.module(module).path,
            &self.config.module(other).path,
        );
        let shared = own_path.iter().zip(path.iter());
        let shared = shared.take_while(|(a, b)| a == b).count();
        let (mut at, mut found) = (module, instance);
        for _ in shared..own_path.len() {
            let Some((parent, _)) = &self.config.module(at).parent else {
                return Vec::new();
            };
            found = self.modules[at][found].parent;
            at = *parent;
        }
        let mut seen = vec![found];
        for name in &path[shared..] {
            let called = seen
                .iter()
                .filter_map(|i| self.modules[at][*i].calls.get(name));
            seen = called.flat_map(|(_, of)| of.values().copied()).collect();
            let Some(call) = self.config.module(at).calls.get(name) else {
                return Vec::new();
            };
            at = call.module;
        }
        seen
    }
}
