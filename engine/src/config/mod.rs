//! Configuration: the modules as their files describe them, decoded and checked, before any
//! instance exists.
//!
//! [`load`] reads the root module and every module that it calls; [`Config`] is what it makes. Values are not computed here: see [`crate::graph`] for the order of things and
//! [`crate::world`] for their values.

pub mod body;
pub mod calls;
mod decode;
mod endpoint;
mod files;
mod load;
pub mod manifest;
mod overlay;
pub mod provisioner;
mod shapes;
pub mod source;
pub(crate) mod types;
mod validate;
pub mod version;
mod wiring;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use topo_sdk::{Diagnostics, Path, Schema, SourceRange, Value};

pub use body::{Argument, Body, Dynamic, NestedItem};
pub use decode::LANGUAGE_VERSION;
pub use endpoint::{Endpoint, EndpointStep};
pub use load::{Reading, load, load_any, load_overlaid, load_with};
pub use overlay::{OverlaidModule, OverlaidProvider, Overlay, ProviderContent, Wrap};
pub use provisioner::{OnFailure, Provisioner, When};
pub use types::Nothing;
pub use types::TypeConstraint;
pub(crate) use validate::locate;

use crate::address::{
    InstanceAddress, ModuleInstance, ProviderAddress, ResourceAddress, ResourceMode,
};
use crate::graph::Graph;
use crate::lang::ast::{Expression, Reference};
use crate::lang::provider_functions::ProviderFunctions;
use crate::lang::source::SourceFile;

/// What [`load`] returns.
pub struct Loaded {
    /// The configuration; `None` when it has errors.
    pub config: Option<Arc<Config>>,
    /// The texts of the files, for showing excerpts.
    pub sources: Sources,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
}

/// The texts of the files that were read.
#[derive(Debug, Clone, Default)]
pub struct Sources(BTreeMap<Arc<str>, Arc<SourceFile>>);

impl Sources {
    /// The text of a file, by the name that diagnostics use.
    pub fn text(&self, file: &str) -> Option<&str> {
        self.0.get(file).map(|f| f.text.as_str())
    }

    /// Adds the files of another collection.
    pub fn extend(&mut self, other: Sources) {
        self.0.extend(other.0);
    }

    /// Adds a file.
    pub fn add(&mut self, file: Arc<SourceFile>) {
        self.0.insert(file.name.clone(), file);
    }
}

/// A whole configuration: the root module is the first.
#[derive(Debug)]
pub struct Config {
    /// The modules by the static calls that lead to them; a module that is called twice is here
    /// twice.
    pub modules: Vec<Module>,
    /// SHA-256 of each file by its name, in hex.
    pub digests: BTreeMap<Arc<str>, String>,
    /// The directory of the root module.
    pub root_dir: PathBuf,
    /// What the built-in providers offer to expressions.
    pub functions: ProviderFunctions,
    graph: OnceLock<Graph>,
    /// The modules by the names of the calls that lead to them.
    paths: HashMap<Arc<[Arc<str>]>, ModuleId>,
    /// The file whose configuration was written by the same run, as diagnostics name it.
    generated: Option<String>,
}

/// The index of a module in [`Config::modules`].
pub type ModuleId = usize;

/// Which resource of a module.
pub type ResourceKey = (ResourceMode, Arc<str>, Arc<str>);

/// Which provider configuration of a module: local name and alias.
pub type ProviderKey = (Arc<str>, Option<Arc<str>>);

/// One module.
#[derive(Debug)]
pub struct Module {
    /// The names of the calls that lead here.
    pub path: Arc<[Arc<str>]>,
    /// The module that calls it, and the call's name.
    pub parent: Option<(ModuleId, Arc<str>)>,
    /// Its directory, relative to the working directory: `path.module`.
    pub dir: String,
    /// Input variables.
    pub variables: BTreeMap<Arc<str>, Variable>,
    /// Local values.
    pub locals: BTreeMap<Arc<str>, Expression>,
    /// Outputs.
    pub outputs: BTreeMap<Arc<str>, Output>,
    /// Module calls.
    pub calls: BTreeMap<Arc<str>, Call>,
    /// Resources and data sources.
    pub resources: BTreeMap<ResourceKey, Resource>,
    /// Provider blocks.
    pub providers: BTreeMap<ProviderKey, ProviderBlock>,
    /// Local provider names and the providers they stand for, from `required_providers`.
    pub required_providers: BTreeMap<Arc<str>, Arc<str>>,
    /// `check` blocks.
    pub checks: BTreeMap<Arc<str>, Check>,
    /// `moved` blocks.
    pub moved: Vec<Moved>,
    /// `removed` blocks.
    pub removed: Vec<Removed>,
    /// `import` blocks.
    pub imports: Vec<Import>,
    /// Instances of it that a test overrides; the first that fits counts.
    pub given: Vec<GivenOutputs>,
}

/// Instances of a module in which nothing is, and whose outputs are given: a test overrides them.
#[derive(Debug, Clone)]
pub struct GivenOutputs {
    /// Which: a step without a key means every instance of that call.
    pub address: ModuleInstance,
    /// The outputs; the others are null.
    pub outputs: BTreeMap<Arc<str>, Value>,
    /// Whether they are known only after apply.
    pub after_apply: bool,
}

impl GivenOutputs {
    /// Whether all instances are meant.
    pub fn is_whole(&self) -> bool {
        self.address.steps().iter().all(|(_, key)| key.is_none())
    }

    /// Whether this module instance is meant.
    pub(crate) fn fits(&self, instance: &ModuleInstance) -> bool {
        let (own, steps) = (self.address.steps(), instance.steps());
        own.len() == steps.len()
            && own
                .iter()
                .zip(steps)
                .all(|(a, b)| a.0 == b.0 && (a.1.is_none() || a.1 == b.1))
    }
}

/// A `check` block: what should hold, without stopping anything when it does not.
#[derive(Debug)]
pub struct Check {
    /// The data source inside it, which only it sees.
    pub data: Option<ResourceKey>,
    /// What should hold.
    pub assertions: Vec<CheckRule>,
    /// The block's header.
    pub range: SourceRange,
}

/// A `moved` block: an object that has another address now.
#[derive(Debug)]
pub struct Moved {
    /// Where it was, relative to the module.
    pub from: Endpoint,
    /// Where it is, relative to the module.
    pub to: Endpoint,
    /// The block's header.
    pub range: SourceRange,
}

/// A `removed` block: an object that is no longer in the configuration.
#[derive(Debug)]
pub struct Removed {
    /// What it was, relative to the module.
    pub from: Endpoint,
    /// Whether the object is destroyed, rather than only forgotten.
    pub destroy: bool,
    /// What is carried out before it is destroyed, in source order.
    pub provisioners: Vec<Provisioner>,
    /// How provisioners reach the object.
    pub connection: Option<Body>,
    /// The block's header.
    pub range: SourceRange,
}

/// An `import` block: an object that exists and is to be managed from now on.
#[derive(Debug)]
pub struct Import {
    /// Where it will be. The key may depend on `each`.
    pub to: ImportTarget,
    /// How the provider finds it.
    pub identity: ImportIdentity,
    /// What to go through, to import several.
    pub for_each: Option<Expression>,
    /// The provider configuration to read it with, where the resource's own is not meant.
    pub provider: Option<ProviderKey>,
    /// The block's header.
    pub range: SourceRange,
}

/// The address that an `import` block writes to.
#[derive(Debug)]
pub struct ImportTarget {
    /// The calls on the way, each with its key.
    pub modules: Vec<(Arc<str>, Option<Expression>)>,
    /// The type of the resource.
    pub type_name: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Which instance.
    pub key: Option<Expression>,
    /// Where it is written.
    pub range: SourceRange,
}

/// How a provider finds an object to import.
#[derive(Debug)]
pub enum ImportIdentity {
    /// `id`: one text.
    Id(Expression),
    /// `identity`: an object.
    Object(Expression),
}

/// An input variable.
#[derive(Debug)]
pub struct Variable {
    /// Its type, with the defaults of optional attributes.
    pub constraint: TypeConstraint,
    /// Its default, converted to the type.
    pub default: Option<Value>,
    /// What it is for.
    pub description: String,
    /// Whether its value is hidden from people.
    pub sensitive: bool,
    /// Whether it may be null.
    pub nullable: bool,
    /// Whether its value is never written to state or plan.
    pub ephemeral: bool,
    /// What to use instead, where it should not be set any more.
    pub deprecated: Option<String>,
    /// What must hold of it.
    pub validations: Vec<CheckRule>,
    /// The block's header.
    pub range: SourceRange,
}

/// A condition with a message for when it does not hold.
#[derive(Debug, Clone)]
pub struct CheckRule {
    /// What must hold.
    pub condition: Expression,
    /// What to tell otherwise.
    pub error_message: Expression,
}

/// An output.
#[derive(Debug)]
pub struct Output {
    /// Its value.
    pub value: Expression,
    /// What it is.
    pub description: String,
    /// Whether it is hidden from people.
    pub sensitive: bool,
    /// Whether its value is never written to state or plan.
    pub ephemeral: bool,
    /// What to use instead, where it should not be used any more.
    pub deprecated: Option<String>,
    /// What must be done before it counts as known.
    pub depends_on: Vec<Mention>,
    /// What must hold.
    pub preconditions: Vec<CheckRule>,
    /// The block's header.
    pub range: SourceRange,
}

/// A thing that is named for its own sake, not for its value: in `depends_on` and
/// `replace_triggered_by`.
#[derive(Debug, Clone)]
pub struct Mention {
    /// What is named.
    pub reference: Arc<Reference>,
    /// Which part of it, as far as that is written with constants; the root for all of it.
    pub path: Path,
    /// The file it is named in.
    pub file: Arc<SourceFile>,
}

impl Mention {
    /// Where it is named.
    pub fn range(&self) -> SourceRange {
        self.file.range(self.reference.span)
    }
}

/// How many instances a block makes.
#[derive(Debug, Clone)]
pub enum Repetition {
    /// One, without a key.
    Single,
    /// `count`
    Count(Expression),
    /// `for_each`
    ForEach(Expression),
    /// `enabled` in `lifecycle`: one without a key, or none.
    Enabled(Expression),
}

impl Repetition {
    /// The expression, if there is one.
    pub fn expression(&self) -> Option<&Expression> {
        match self {
            Repetition::Single => None,
            Repetition::Count(e) | Repetition::ForEach(e) | Repetition::Enabled(e) => Some(e),
        }
    }
}

/// A module call.
#[derive(Debug)]
pub struct Call {
    /// The module that is called.
    pub module: ModuleId,
    /// The argument `source`, as it is written.
    pub source: String,
    /// The argument `version`.
    pub version: Option<String>,
    /// The values of its variables.
    pub arguments: BTreeMap<Arc<str>, Argument>,
    /// How many instances.
    pub repetition: Repetition,
    /// What everything in it waits for.
    pub depends_on: Vec<Mention>,
    /// Provider configurations handed down: the child's and the parent's.
    pub providers: BTreeMap<ProviderKey, ProviderReference>,
    /// The block's header.
    pub range: SourceRange,
}

/// A provider configuration as it is referred to: `aws`, `aws.west`, `aws.by_region[each.key]`.
#[derive(Debug, Clone)]
pub struct ProviderReference {
    /// Local name and alias.
    pub key: ProviderKey,
    /// Which of the instances that `for_each` of the provider block makes.
    pub instance: Option<Expression>,
    /// Where it is written.
    pub range: SourceRange,
}

/// A `resource`, `data` or `ephemeral` block.
#[derive(Debug)]
pub struct Resource {
    /// Its arguments.
    pub body: Body,
    /// How many instances.
    pub repetition: Repetition,
    /// What it waits for.
    pub depends_on: Vec<Mention>,
    /// The local provider configuration it uses.
    pub provider: ProviderKey,
    /// Which instance of that configuration, where it has several.
    pub provider_instance: Option<Expression>,
    /// The `check` block that it is inside of.
    pub check: Option<Arc<str>>,
    /// The provider configuration that this comes to.
    pub provider_address: ProviderAddress,
    /// Rules of its life.
    pub lifecycle: Lifecycle,
    /// What is carried out after its creation and before its deletion, in source order.
    pub provisioners: Vec<Provisioner>,
    /// How provisioners reach the object.
    pub connection: Option<Body>,
    /// Its schema.
    pub schema: Arc<Schema>,
    /// The block's header.
    pub range: SourceRange,
}

/// The `lifecycle` block of a resource.
#[derive(Debug, Default)]
pub struct Lifecycle {
    /// Whether a replacement is made before the old object is removed.
    pub create_before_destroy: bool,
    /// Whether a plan that removes it is refused.
    pub prevent_destroy: bool,
    /// Whether the object stays where it is when it leaves the state: `destroy = false`. Then
    /// nothing is destroyed that `prevent_destroy` could prevent, so that both may be set.
    pub keep: bool,
    /// Changes of the configuration that are left alone.
    pub ignore_changes: IgnoreChanges,
    /// Where each path of `ignore_changes` is written.
    pub ignored_at: Vec<SourceRange>,
    /// What replaces it when it changes.
    pub replace_triggered_by: Vec<Mention>,
    /// What must hold before.
    pub preconditions: Vec<CheckRule>,
    /// What must hold after.
    pub postconditions: Vec<CheckRule>,
}

impl Lifecycle {
    /// Whether something must hold before or after.
    pub fn has_conditions(&self) -> bool {
        !self.preconditions.is_empty() || !self.postconditions.is_empty()
    }
}

/// Changes of the configuration that are left alone.
#[derive(Debug, Clone, Default)]
pub enum IgnoreChanges {
    /// None.
    #[default]
    None,
    /// All.
    All,
    /// Those at these paths.
    Paths(Vec<Path>),
}

/// A `provider` block.
#[derive(Debug)]
pub struct ProviderBlock {
    /// The provider it configures.
    pub provider: Arc<str>,
    /// The configurations to make of it, one for each element.
    pub for_each: Option<Expression>,
    /// Its arguments.
    pub body: Body,
    /// The block's header.
    pub range: SourceRange,
}

impl ProviderBlock {
    /// The address of the configuration, in the module that has the block under a name.
    pub fn address(&self, module: &Module, key: &ProviderKey) -> ProviderAddress {
        ProviderAddress {
            module: module.path.clone(),
            name: self.provider.clone(),
            alias: key.1.clone(),
        }
    }
}

impl Config {
    /// What refers to what. Made when the configuration is checked.
    pub fn graph(&self) -> Option<&Graph> {
        self.graph.get()
    }

    /// Whether it has ephemeral resources, in whichever module.
    pub fn has_ephemeral_resources(&self) -> bool {
        let mut keys = self.modules.iter().flat_map(|m| m.resources.keys());
        keys.any(|(mode, ..)| *mode == ResourceMode::Ephemeral)
    }

    /// The module of an index.
    pub fn module(&self, id: ModuleId) -> &Module {
        &self.modules[id]
    }

    /// The module that an instance is of; `None` where no call leads to it.
    pub fn module_of(&self, instance: &ModuleInstance) -> Option<ModuleId> {
        instance.steps().iter().try_fold(0, |id, (name, _)| {
            Some(self.modules[id].calls.get(name)?.module)
        })
    }

    /// The root module.
    pub fn root(&self) -> &Module {
        &self.modules[0]
    }

    /// The block that an object comes from, if it has one.
    pub fn written(&self, address: &InstanceAddress) -> Option<&Resource> {
        self.resource(&address.resource)
    }

    /// The module that these calls lead to.
    pub fn module_named(&self, path: &[Arc<str>]) -> Option<ModuleId> {
        self.paths.get(path).copied()
    }

    /// The block of a resource, if there is one.
    pub fn resource(&self, address: &ResourceAddress) -> Option<&Resource> {
        let calls = address.module.steps().iter();
        let path: Vec<Arc<str>> = calls.map(|(name, _)| name.clone()).collect();
        self.module(self.module_named(&path)?).resources.get(&(
            address.mode,
            address.type_name.clone(),
            address.name.clone(),
        ))
    }

    /// The `removed` block of a resource, and the module that has it: the outermost, if there are
    /// several.
    pub fn removed(&self, address: &ResourceAddress) -> Option<(ModuleId, &Removed)> {
        let key = (
            address.mode,
            address.type_name.clone(),
            address.name.clone(),
        );
        self.modules.iter().enumerate().find_map(|(id, module)| {
            let names_it = |r: &&Removed| {
                let calls = r.from.modules.iter().map(|(name, _)| name);
                let steps = address.module.steps().iter().map(|(name, _)| name);
                r.from.resource.as_ref().is_some_and(|s| s.key == key)
                    && module.path.iter().chain(calls).eq(steps)
            };
            Some((id, module.removed.iter().find(names_it)?))
        })
    }

    /// Whether a block was written by the same run, for an object to import.
    pub fn is_generated(&self, resource: &Resource) -> bool {
        self.generated.as_deref() == Some(&*resource.range.file)
    }

    /// The block of a provider configuration, if it has one.
    pub fn provider_block(&self, address: &ProviderAddress) -> Option<(ModuleId, &ProviderBlock)> {
        let id = self.modules.iter().position(|m| m.path == address.module)?;
        let found = self.modules[id]
            .providers
            .iter()
            .find(|((_, alias), b)| b.provider == address.name && *alias == address.alias);
        found.map(|(_, block)| (id, block))
    }

    /// The root module's variables that have no default and no value in `inputs`.
    pub fn missing_variables(&self, inputs: &crate::variables::Inputs) -> Vec<MissingVariable> {
        let given = |name: &str| inputs.has(name);
        self.root()
            .variables
            .iter()
            .filter(|(name, v)| v.default.is_none() && !given(name))
            .map(|(name, v)| MissingVariable {
                name: name.clone(),
                description: v.description.clone(),
                sensitive: v.sensitive,
            })
            .collect()
    }
}

/// A variable that needs a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingVariable {
    /// Its name.
    pub name: Arc<str>,
    /// What it is for.
    pub description: String,
    /// Whether the value is to be hidden while it is typed.
    pub sensitive: bool,
}
