//! Looking around: expressions evaluated in the root module, over a state that is only read.
//!
//! Variables, local values and the outputs of modules are computed as a plan would; resources are
//! as the state has them, and unknown where it has none. No provider is connected and nothing is
//! planned. What a person may type next is in [`complete`], where an expression ends in [`input`].

mod complete;
mod input;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use hcl_edit::expr::Expression as Hcl;
use jiff::Timestamp;
use topo_sdk::{Diagnostics, Type, Value};

pub use complete::Completion;
pub use input::{is_open, joined};

use crate::address::{InstanceKey, ModuleInstance, ResourceAddress};
use crate::config::{Config, ModuleId, ResourceKey};
use crate::graph::Node;
use crate::lang::eval::evaluate;
use crate::lang::source::SourceFile;
use crate::lang::syntax::{parse, translate};
use crate::store::State;
use crate::variables::{Given, GivenBy, Inputs};
use crate::world::{Instances, Shape, World};

/// The name under which diagnostics speak of what was typed.
pub const SOURCE: &str = "<console-input>";

/// The root module.
const ROOT: ModuleId = 0;

/// A module with its values, to evaluate expressions in.
pub struct Console {
    world: World,
}

/// What an expression comes to.
#[derive(Debug, Clone)]
pub enum Answer {
    /// A value.
    Value(Value),
    /// A type, which `type(...)` asks for.
    Type(Type),
}

/// The objects of one resource in one module instance, by their keys.
type Objects<'a> = HashMap<&'a ResourceAddress, BTreeMap<Option<InstanceKey>, &'a Value>>;

impl Console {
    /// Computes what can be known. Variables that have no value are unknown, and so is whatever
    /// cannot be computed; the diagnostics say why.
    ///
    /// # Errors
    /// When a value is given for a variable that there is not, or one that cannot be understood.
    pub fn new(
        config: Arc<Config>,
        inputs: &Inputs,
        state: &State,
        workspace: &Arc<str>,
        now: Timestamp,
    ) -> Result<(Console, Diagnostics), Diagnostics> {
        let mut diagnostics = Diagnostics::new();
        let mut given = inputs.resolve(config.root(), &mut diagnostics);
        if diagnostics.has_errors() {
            return Err(diagnostics);
        }
        for (name, variable) in &config.root().variables {
            if variable.default.is_none() && !given.contains_key(name) {
                given.insert(
                    name.clone(),
                    Given {
                        value: Value::unknown(variable.constraint.ty.clone()),
                        range: Some(variable.range.clone()),
                        origin: String::new(),
                        by: GivenBy::Run,
                    },
                );
            }
        }
        let mut world = World::new(config.clone(), Arc::new(given), now);
        // Functions such as uuid() answer, and what is unknown is no mistake.
        world.planning = false;
        world.workspace = workspace.clone();
        world.incomplete = true;
        let objects = objects(state);
        for index in config.graph().iter().flat_map(|g| &g.order) {
            let node = config.graph().map(|g| &g.graph[*index]);
            if let Some(node) = node {
                compute(&mut world, node, &objects, &mut diagnostics);
            }
        }
        Ok((Console { world }, diagnostics))
    }

    /// Evaluates an expression of the root module. A call of `type` on its own asks for a type.
    ///
    /// # Errors
    /// Syntax errors, references to what is not declared, and what is wrong with the values; in
    /// the file [`SOURCE`].
    pub fn evaluate(&self, text: &str) -> Result<Answer, Diagnostics> {
        let file = SourceFile::new(SOURCE, text.to_string());
        let (file, hcl) = parse(&file).map_err(|d| *d)?;
        match asked_type(&hcl) {
            Some(argument) if asked_type(argument).is_none() => {
                let value = self.value(&file, argument)?;
                Ok(Answer::Type(value.ty()))
            }
            _ => self.value(&file, &hcl).map(Answer::Value),
        }
    }

    fn value(&self, file: &Arc<SourceFile>, hcl: &Hcl) -> Result<Value, Diagnostics> {
        let mut diagnostics = Diagnostics::new();
        let expression = translate(file, hcl, &[], &mut diagnostics);
        let config = &self.world.config;
        if let Some(graph) = config.graph() {
            graph.check(config, ROOT, &expression, &mut diagnostics);
        }
        if diagnostics.has_errors() {
            return Err(diagnostics);
        }
        let scope = self.world.scope(ROOT, 0);
        evaluate(&expression, &scope).map_err(|d| Diagnostics::from(*d))
    }
}

/// The argument of `type(...)`, when an expression is just that.
fn asked_type(hcl: &Hcl) -> Option<&Hcl> {
    match hcl {
        Hcl::Parenthesis(inner) => asked_type(inner.inner()),
        Hcl::FuncCall(call)
            if call.name.namespace.is_empty()
                && call.name.name.as_str() == "type"
                && call.args.len() == 1
                && !call.args.expand_final() =>
        {
            call.args.iter().next()
        }
        _ => None,
    }
}

fn objects(state: &State) -> Objects<'_> {
    let mut found: Objects<'_> = HashMap::new();
    for record in state.records.values() {
        let address = &record.key.address;
        if record.key.deposed.is_none() {
            let instances = found.entry(&address.resource).or_default();
            instances.insert(address.key.clone(), &record.value);
        }
    }
    found
}

fn compute(world: &mut World, node: &Node, objects: &Objects<'_>, diagnostics: &mut Diagnostics) {
    match node {
        Node::Variable(m, n) => {
            for i in 0..world.modules[*m].len() {
                world.variable(*m, i, n, diagnostics);
            }
        }
        Node::Local(m, n) => {
            for i in 0..world.modules[*m].len() {
                world.local(*m, i, n, diagnostics);
            }
        }
        // Nothing in the root module can refer to its own outputs.
        Node::Output(ROOT, _) => {}
        Node::Output(m, n) => {
            for i in 0..world.modules[*m].len() {
                world.output(*m, i, n, diagnostics);
            }
        }
        Node::Call(m, n) => {
            world.call(*m, n, diagnostics);
        }
        Node::Resource(m, key) => {
            for i in 0..world.modules[*m].len() {
                let instances = instances(world, *m, i, key, objects);
                world.modules[*m][i]
                    .resources
                    .insert(key.clone(), instances);
            }
        }
        Node::Provider(..) | Node::Check(..) | Node::Outputs(_) | Node::Closed(_) => {}
    }
}

/// A resource as the state has it. Instances that only the configuration has are unknown.
fn instances(
    world: &World,
    module: ModuleId,
    instance: usize,
    key: &ResourceKey,
    objects: &Objects<'_>,
) -> Instances {
    let resource = &world.config.module(module).resources[key];
    let shape = Shape::of(&resource.repetition);
    let fits = |key: &Option<InstanceKey>| {
        matches!(
            (shape, key),
            (Shape::Single | Shape::Optional, None)
                | (Shape::Count, Some(InstanceKey::Index(_)))
                | (Shape::ForEach, Some(InstanceKey::Key(_)))
        )
    };
    let object = resource.schema.block.ty();
    let address = address(&world.modules[module][instance].address, key);
    let mut stored = objects.get(&address).into_iter().flatten();
    let mut stored = stored.by_ref().filter(|(key, _)| fits(key)).peekable();
    // Why it cannot be told how many instances there are is not asked here.
    let expanded = world.expand(&resource.repetition, module, instance, "this block");
    let expanded = expanded.map(|(shape, items)| (shape == Shape::Optional, items));
    let (optional, items) = expanded.unwrap_or_default();
    let disabled = optional && items.is_empty();
    if stored.peek().is_none() && !disabled {
        return Instances::opaque(shape, Value::unknown(shape.whole_type(object)));
    }
    let mut made = Instances::new(shape);
    for each in items {
        made.set(each.key, Value::unknown(object.clone()));
    }
    for (key, value) in stored {
        made.set(key.clone(), (*value).clone());
    }
    made
}

fn address(module: &ModuleInstance, key: &ResourceKey) -> ResourceAddress {
    ResourceAddress {
        module: module.clone(),
        mode: key.0,
        type_name: key.1.clone(),
        name: key.2.clone(),
    }
}
