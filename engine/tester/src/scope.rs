//! What the expressions of a test see: variables, the outputs of earlier runs and, in assertions,
//! the module under test from the inside.
//!
//! The language reads `run.a` and `output.b` as resources of the types `run` and `output`, which
//! no provider has: here they mean runs and outputs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use topo_engine::address::ResourceMode;
use topo_engine::config::ResourceKey;
use topo_engine::lang::ast::{Expression, ProviderFunctionName, Reference, Target};
use topo_engine::lang::eval::{Scope, evaluate};
use topo_engine::lang::functions;
use topo_engine::lang::operators::{self, Failure};
use topo_engine::lang::provider_functions::ProviderFunction;
use topo_engine::store::State;
use topo_engine::world::{Instances, ModuleScope, ModuleValues, Shape, World};
use topo_sdk::convert::convert;
use topo_sdk::{Diagnostics, Marks, Type, Value};

use crate::memory::managed;

/// The root module, and its only instance.
const ROOT: usize = 0;

/// What is left of a run: its outputs, or nothing but the reason why there are none.
pub(crate) type RunOutputs = Result<Value, &'static str>;

/// What a test knows without the module.
#[derive(Clone)]
pub(crate) struct TestScope {
    pub(crate) variables: BTreeMap<Arc<str>, Value>,
    pub(crate) runs: BTreeMap<Arc<str>, RunOutputs>,
    /// Whether runs are still to come: their outputs are unknown, not missing.
    pub(crate) before: bool,
    pub(crate) base_dir: PathBuf,
    pub(crate) plan_time: Timestamp,
}

/// The name of the run that a reference means.
pub(crate) fn run_name(target: &Target) -> Option<&Arc<str>> {
    match target {
        Target::Resource(ResourceMode::Managed, t, n) if **t == *"run" => Some(n),
        _ => None,
    }
}

fn output_name(target: &Target) -> Option<&Arc<str>> {
    match target {
        Target::Resource(ResourceMode::Managed, t, n) if **t == *"output" => Some(n),
        _ => None,
    }
}

/// The names of the runs that expressions refer to.
pub(crate) fn runs_in<'e>(
    expressions: impl IntoIterator<Item = &'e Expression>,
) -> impl Iterator<Item = &'e Arc<str>> {
    expressions
        .into_iter()
        .flat_map(|e| &e.references)
        .filter_map(|r| run_name(&r.target))
}

impl TestScope {
    fn variable(&self, name: &Arc<str>) -> Option<Value> {
        self.variables.get(name).cloned()
    }

    fn run(&self, name: &Arc<str>) -> Result<Value, Failure> {
        match self.runs.get(name) {
            Some(Ok(outputs)) => Ok(outputs.clone()),
            Some(Err(why)) => Err((
                "Reference to unavailable run block".into(),
                format!("The outputs of run {name:?} are not available: {why}."),
            )),
            None if self.before => Ok(Value::unknown(Type::Dynamic)),
            None => Err((
                "Reference to unknown run block".into(),
                format!("There is no run {name:?} before this one in the file."),
            )),
        }
    }
}

fn indexed(value: Value, key: Option<&Value>) -> Result<Value, Failure> {
    match key {
        Some(key) => operators::index(&value, key),
        None => Ok(value),
    }
}

impl Scope for TestScope {
    fn resolve(&self, target: &Target, key: Option<&Value>) -> Result<Value, Failure> {
        if let Some(name) = run_name(target) {
            return indexed(self.run(name)?, key);
        }
        match target {
            Target::Variable(name) => match self.variable(name) {
                Some(value) => indexed(value, key),
                None if self.before => Ok(Value::unknown(Type::Dynamic)),
                None => Err((
                    "Reference to unavailable variable".into(),
                    format!(
                        "The variable {name:?} has no value here. Give it one in the variables block of the file, or as the module does, by a file or a flag."
                    ),
                )),
            },
            other => Err((
                "Invalid reference".into(),
                format!(
                    "Here only variables (var.NAME) and outputs of earlier runs (run.NAME.OUTPUT) can be referred to, not {other}."
                ),
            )),
        }
    }

    fn functions(&self) -> functions::Context<'_> {
        functions::Context {
            base_dir: &self.base_dir,
            plan_time: self.plan_time,
            impure_unknown: false,
        }
    }
}

/// What assertions see.
pub(crate) struct AssertionScope<'a> {
    pub(crate) test: &'a TestScope,
    pub(crate) world: &'a World,
    /// The state that belongs to it.
    pub(crate) state: &'a State,
}

impl AssertionScope<'_> {
    fn module(&self) -> ModuleScope<'_> {
        self.world.scope(ROOT, 0)
    }

    /// What the world has in the root module.
    fn root(&self) -> Option<&ModuleValues> {
        self.world.modules.first().and_then(|m| m.first())
    }

    /// A variable of the module. One whose value is refused, or that nothing asked for, has none in
    /// the world, but the test knows what it gave.
    fn variable(&self, name: &Arc<str>) -> Result<Value, Failure> {
        let target = Target::Variable(name.clone());
        let value = self.module().resolve(&target, None)?;
        let declared = self.world.config.root().variables.get(name);
        let Some(declared) = declared.filter(|_| !value.is_known()) else {
            return Ok(value);
        };
        let given = self.world.given.get(name).map(|g| &g.value);
        let Some(given) = given.or(declared.default.as_ref()) else {
            return Ok(value);
        };
        let converted = convert(given, &declared.constraint.ty).unwrap_or_else(|_| given.clone());
        let mut marks = value.marks();
        marks.set(Marks::SENSITIVE, declared.sensitive);
        marks.set(Marks::EPHEMERAL, declared.ephemeral);
        Ok(converted.with_marks(marks))
    }

    /// A local value that the run had no need of is worked out here.
    fn local(&self, name: &Arc<str>) -> Result<Value, Failure> {
        let known = self.root().and_then(|r| r.locals.get(name));
        match (known, self.world.config.root().locals.get(name)) {
            (None, Some(e)) => evaluate(e, self).map_err(|d| (d.summary, d.detail)),
            (known, _) => Ok(known
                .cloned()
                .unwrap_or_else(|| Value::unknown(Type::Dynamic))),
        }
    }

    /// The objects of a resource that the run left out, as the state has them.
    fn left_out(&self, key: &ResourceKey) -> Option<Value> {
        let resource = self.world.config.root().resources.get(key)?;
        if key.0 != ResourceMode::Managed || self.root()?.resources.contains_key(key) {
            return None;
        }
        let mut instances = Instances::new(Shape::of(&resource.repetition));
        for record in managed(self.state).filter(|r| r.key.deposed.is_none()) {
            let address = &record.key.address;
            let of = &address.resource;
            if of.module.is_root() && (of.type_name == key.1) && of.name == key.2 {
                instances.set(address.key.clone(), record.value.clone());
            }
        }
        Some(instances.whole())
    }

    /// An output, from the state where the run did not work it out.
    fn output(&self, name: &Arc<str>) -> Value {
        let known = self.root().and_then(|r| r.outputs.get(name)).cloned();
        let kept = || {
            let record = self.state.outputs.get(name)?;
            Some(match record.sensitive {
                true => record.value.clone().sensitive(),
                false => record.value.clone(),
            })
        };
        known
            .or_else(kept)
            .unwrap_or_else(|| Value::unknown(Type::Dynamic))
    }

    /// The outputs of the module as `run.NAME` has them.
    pub(crate) fn outputs(&self) -> Value {
        let names = self.world.config.root().outputs.keys();
        let in_world = |n: &&Arc<str>| {
            self.root().is_some_and(|r| r.outputs.contains_key(*n))
                || self.state.outputs.contains_key(*n)
        };
        Value::object(names.filter(in_world).map(|n| (n.clone(), self.output(n))))
    }

    /// Whether what an expression refers to is there: errors where not.
    pub(crate) fn check(&self, expression: &Expression, diagnostics: &mut Diagnostics) {
        let config = &self.world.config;
        let root = config.root();
        let of_module = |r: &&Arc<Reference>| match &r.target {
            t if run_name(t).is_some() => false,
            t if output_name(t).is_some_and(|n| root.outputs.contains_key(n)) => false,
            Target::Variable(n) if root.variables.contains_key(n) => true,
            Target::Variable(n) => self.test.variable(n).is_none(),
            _ => true,
        };
        let references = expression.references.iter().filter(of_module).cloned();
        let rest = Expression {
            references: references.collect(),
            ..expression.clone()
        };
        if let Some(graph) = config.graph() {
            graph.check(config, ROOT, &rest, diagnostics);
        }
    }
}

impl Scope for AssertionScope<'_> {
    fn resolve(&self, target: &Target, key: Option<&Value>) -> Result<Value, Failure> {
        if run_name(target).is_some() {
            return self.test.resolve(target, key);
        }
        if let Some(name) = output_name(target) {
            return indexed(self.output(name), key);
        }
        match target {
            Target::Variable(name) if !self.world.config.root().variables.contains_key(name) => {
                self.test.resolve(target, key)
            }
            Target::Variable(name) => indexed(self.variable(name)?, key),
            Target::Local(name) => indexed(self.local(name)?, key),
            Target::Resource(mode, type_name, name) => {
                match self.left_out(&(*mode, type_name.clone(), name.clone())) {
                    Some(value) => indexed(value, key),
                    None => self.module().resolve(target, key),
                }
            }
            _ => self.module().resolve(target, key),
        }
    }

    fn functions(&self) -> functions::Context<'_> {
        functions::Context {
            base_dir: &self.world.base_dir,
            plan_time: self.world.plan_time,
            // What a run has made is there: nothing has to wait for apply.
            impure_unknown: false,
        }
    }

    fn provider_function(
        &self,
        name: &ProviderFunctionName,
    ) -> Result<ProviderFunction<'_>, Failure> {
        let config = &self.world.config;
        config
            .functions
            .find(&config.root().required_providers, name)
    }
}
