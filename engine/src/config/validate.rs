//! Checks a whole configuration before anything is known: every expression is evaluated with
//! unknown values of the right types, every body is checked against its schema.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use topo_sdk::{Diagnostic, Diagnostics, Marks, Type, Value};

use super::decode::{Kind, PROVIDER_META};
use super::provisioner::{Provisioners, evaluate_removed};
use super::{CheckRule, Config, ImportIdentity, ModuleId, Repetition, ResourceKey};
use crate::address::ResourceMode;
use crate::ephemeral::ephemeral;
use crate::graph::{Graph, Node};
use crate::lang::eval::{Scope, evaluate as evaluate_expression};
use crate::lang::operators;
use crate::providers::Providers;
use crate::variables::{Given, GivenBy};
use crate::world::{Instances, ModuleScope, Shape, World};

/// Checks everything that can be checked without values; builds the graph on the way.
///
/// Where files have errors already (`partly`), only what does not depend on other blocks is
/// checked: a block that could not be read would seem to be missing. `undeclared_imports` lets
/// `import` blocks name what has no block yet.
pub(super) fn validate(
    config: &Arc<Config>,
    providers: &Providers,
    partly: bool,
    undeclared_imports: bool,
) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    let mut unfit = Unfit::new();
    for (id, module) in config.modules.iter().enumerate() {
        for (key, block) in &module.providers {
            if let Some(p) = providers.of(&block.address(module, key)) {
                let schema = p.provider_schema();
                block
                    .body
                    .check(&schema.block, PROVIDER_META.attributes, &mut diagnostics);
            }
        }
        for (key, r) in &module.resources {
            let mut found = Diagnostics::new();
            let words = Kind::of(key.0).words();
            r.body.check(&r.schema.block, &words, &mut found);
            super::shapes::ignored(r, &mut found);
            if found.has_errors() {
                unfit.insert((id, key.clone()));
            }
            Provisioners::from(r).check(providers, &mut found);
            diagnostics.extend(found);
        }
        for r in &module.removed {
            Provisioners::from(r).check(providers, &mut diagnostics);
        }
    }
    if partly {
        return diagnostics;
    }
    let mut found = Diagnostics::new();
    for id in 0..config.modules.len() {
        super::shapes::check(config, id, &mut found);
    }
    let graph = Graph::build(config, undeclared_imports, &mut found);
    let sound = !found.has_errors();
    diagnostics.extend(found);
    if let Some(graph) = graph {
        let graph = config.graph.get_or_init(|| graph);
        if sound {
            evaluate(config, graph, providers, &unfit, &mut diagnostics);
        }
    }
    diagnostics
}

/// Resources whose arguments are not those of their schema: their providers are not asked.
type Unfit = BTreeSet<(ModuleId, ResourceKey)>;

fn evaluate(
    config: &Arc<Config>,
    graph: &Graph,
    providers: &Providers,
    unfit: &Unfit,
    diagnostics: &mut Diagnostics,
) {
    // Variables stand for any value of their type.
    let given: BTreeMap<Arc<str>, Given> = config
        .root()
        .variables
        .iter()
        .map(|(name, v)| {
            let value = Value::unknown(v.constraint.ty.clone());
            (
                name.clone(),
                Given {
                    value,
                    range: Some(v.range.clone()),
                    origin: String::new(),
                    by: GivenBy::Run,
                },
            )
        })
        .collect();
    let mut world = World::new(config.clone(), Arc::new(given), jiff::Timestamp::UNIX_EPOCH);
    world.checking = true;
    for index in &graph.order {
        match &graph.graph[*index] {
            Node::Variable(m, n) => {
                for i in 0..world.modules[*m].len() {
                    world.variable(*m, i, n, diagnostics);
                }
                ephemeral_argument(config, &world, *m, n, diagnostics);
            }
            Node::Local(m, n) => {
                for i in 0..world.modules[*m].len() {
                    world.local(*m, i, n, diagnostics);
                }
            }
            Node::Output(m, n) => {
                for i in 0..world.modules[*m].len() {
                    world.output(*m, i, n, diagnostics);
                }
                if *m == 0 {
                    root_output(config, &world, n, diagnostics);
                }
            }
            Node::Call(m, n) => {
                let repetition = &config.module(*m).calls[n].repetition;
                ephemeral_instances(repetition, &world.scope(*m, 0), diagnostics);
                world.call(*m, n, diagnostics);
            }
            Node::Provider(m, key) => {
                let module = config.module(*m);
                let block = &module.providers[key];
                let each = block.for_each.as_ref().map(|e| {
                    if let Err(d) = evaluate_expression(e, &world.scope(*m, 0)) {
                        diagnostics.push(*d);
                    }
                    crate::world::Each {
                        key: Some(crate::address::InstanceKey::Key("".into())),
                        value: Some(Value::unknown(Type::Dynamic)),
                    }
                });
                if let Some(p) = providers.of(&block.address(module, key)) {
                    let scope = ModuleScope {
                        each: each.as_ref(),
                        ..world.scope(*m, 0)
                    };
                    let mut found = Diagnostics::new();
                    let schema = p.provider_schema();
                    let value = block.body.decode(&schema.block, &scope, &mut found);
                    if !found.has_errors() {
                        let at = block.range.clone();
                        let said = p.validate_provider(&value.unmark_deep());
                        found.extend(said.map(|d| d.with_range(Some(at.clone()))));
                    }
                    diagnostics.extend(found);
                }
            }
            Node::Resource(m, key) => {
                let r = &config.module(*m).resources[key];
                for i in 0..world.modules[*m].len() {
                    ephemeral_instances(&r.repetition, &world.scope(*m, i), diagnostics);
                    let shape = match world.expand(&r.repetition, *m, i, "this block") {
                        Ok((shape, items)) => {
                            // With no instance there is still a body to check.
                            let each = items
                                .into_iter()
                                .next()
                                .unwrap_or_else(|| sample(&r.repetition));
                            let scope = ModuleScope {
                                each: Some(&each),
                                ..world.scope(*m, i)
                            };
                            rules(&r.lifecycle.preconditions, &scope, diagnostics);
                            let object = Value::unknown(r.schema.block.ty());
                            let after = ModuleScope {
                                itself: Some(&object),
                                ..scope
                            };
                            rules(&r.lifecycle.postconditions, &after, diagnostics);
                            let mut found = Diagnostics::new();
                            let value = r.body.decode(&r.schema.block, &scope, &mut found);
                            if key.0 != ResourceMode::Ephemeral {
                                found.extend(r.body.ephemeral(&r.schema.block, &value));
                            }
                            let value = value.unmark_deep();
                            if let Some(p) = providers.of(&r.provider_address)
                                && !unfit.contains(&(*m, key.clone()))
                                && !found.has_errors()
                            {
                                let said = match key.0 {
                                    ResourceMode::Managed => p.validate_resource(&key.1, &value),
                                    ResourceMode::Data => p.validate_data(&key.1, &value),
                                    ResourceMode::Ephemeral => p.validate_ephemeral(&key.1, &value),
                                };
                                found.extend(said.map(|d| locate(d, &r.body)));
                            }
                            let object = r.schema.block.ty();
                            Provisioners::from(r).evaluate(object, providers, &scope, &mut found);
                            diagnostics.extend(found);
                            shape
                        }
                        Err(e) => {
                            diagnostics.push(*e.diagnostic);
                            Shape::Single
                        }
                    };
                    let object = r.schema.block.ty();
                    let whole = shape.whole_type(object);
                    let whole = match key.0 {
                        ResourceMode::Ephemeral => ephemeral(Value::unknown(whole)),
                        _ => Value::unknown(whole),
                    };
                    let instances = Instances::opaque(shape, whole);
                    world.modules[*m][i]
                        .resources
                        .insert(key.clone(), instances);
                }
            }
            Node::Check(m, name) => {
                let check = &config.module(*m).checks[name];
                for i in 0..world.modules[*m].len() {
                    rules(&check.assertions, &world.scope(*m, i), diagnostics);
                }
            }
            Node::Outputs(_) | Node::Closed(_) => {}
        }
    }
    for (m, module) in config.modules.iter().enumerate() {
        for removed in &module.removed {
            evaluate_removed(removed, providers, &world.scope(m, 0), diagnostics);
        }
    }
    imports(config, &world, diagnostics);
}

/// Evaluates conditions and messages for what is wrong with them whatever the values are; whether
/// the conditions hold is not asked.
fn rules(rules: &[CheckRule], scope: &dyn Scope, diagnostics: &mut Diagnostics) {
    for rule in rules {
        match evaluate_expression(&rule.condition, scope) {
            Ok(value) => {
                if let Err((summary, detail)) = operators::condition(&value, "Invalid condition") {
                    diagnostics.push(
                        Diagnostic::error(summary, detail).with_range(Some(rule.condition.range())),
                    );
                }
            }
            Err(d) => diagnostics.push(*d),
        }
        if let Err(d) = evaluate_expression(&rule.error_message, scope) {
            diagnostics.push(*d);
        }
    }
}

/// What is ephemeral may be given only to a variable that is declared so.
fn ephemeral_argument(
    config: &Config,
    world: &World,
    m: ModuleId,
    name: &Arc<str>,
    diagnostics: &mut Diagnostics,
) {
    let module = config.module(m);
    let Some((parent, call)) = &module.parent else {
        return;
    };
    let ephemeral = world.modules[m]
        .iter()
        .filter_map(|of| of.variables.get(name))
        .any(|v| v.deep_marks().contains(Marks::EPHEMERAL));
    let argument = config
        .module(*parent)
        .calls
        .get(call)
        .and_then(|c| c.arguments.get(name));
    if let (true, false, Some(argument)) = (ephemeral, module.variables[name].ephemeral, argument) {
        diagnostics.push(
            Diagnostic::error(
                "Ephemeral value not allowed",
                format!("The variable {name:?} of module {call:?} does not take ephemeral values: set ephemeral = true in its block, or use ephemeralasnull(...)."),
            )
            .with_range(Some(argument.value.range())),
        );
    }
}

/// The keys of instances are kept in the state, so what is ephemeral cannot decide about them.
fn ephemeral_instances(repetition: &Repetition, scope: &dyn Scope, diagnostics: &mut Diagnostics) {
    let Some(e) = repetition.expression() else {
        return;
    };
    // What cannot be evaluated is reported where the instances are made.
    if let Ok(value) = evaluate_expression(e, scope)
        && value.deep_marks().contains(Marks::EPHEMERAL)
    {
        let argument = match repetition {
            Repetition::Count(_) => "count",
            Repetition::ForEach(_) => "for_each",
            Repetition::Single | Repetition::Enabled(_) => "enabled",
        };
        diagnostics.push(
            Diagnostic::error(
                format!("Invalid {argument} argument"),
                format!("An ephemeral value cannot decide about instances: they are kept in the state, {argument} is not."),
            )
            .with_range(Some(e.range())),
        );
    }
}

/// An output of the root module cannot be ephemeral, and if it is sensitive it must say so: its
/// value would be shown.
fn root_output(config: &Config, world: &World, name: &Arc<str>, diagnostics: &mut Diagnostics) {
    let output = &config.root().outputs[name];
    if output.ephemeral {
        diagnostics.push(
            Diagnostic::error(
                "Ephemeral output not allowed",
                "The outputs of the root module are kept in the state, so they cannot be ephemeral.",
            )
            .with_range(Some(output.range.clone())),
        );
    }
    let sensitive = world.modules[0]
        .first()
        .and_then(|m| m.outputs.get(name))
        .is_some_and(|v| v.deep_marks().contains(Marks::SENSITIVE));
    if sensitive && !output.sensitive {
        diagnostics.push(
            Diagnostic::error(
                "Output refers to sensitive values",
                format!("The value of the output {name:?} has sensitive parts. To show that this is meant, set sensitive = true in the output block, or use nonsensitive(...) on what may be shown."),
            )
            .with_range(Some(output.range.clone())),
        );
    }
}

/// Evaluates what `import` blocks say, in the root module's scope.
fn imports(config: &Config, world: &World, diagnostics: &mut Diagnostics) {
    for (m, module) in config.modules.iter().enumerate() {
        for import in &module.imports {
            if m != 0 {
                diagnostics.push(
                    Diagnostic::error(
                        "Invalid import configuration",
                        "An import block is only allowed in the root module.",
                    )
                    .with_range(Some(import.range.clone())),
                );
                continue;
            }
            let each = import.for_each.as_ref().map(|_| crate::world::Each {
                key: Some(crate::address::InstanceKey::Key("".into())),
                value: Some(Value::unknown(Type::Dynamic)),
            });
            let scope = ModuleScope {
                each: each.as_ref(),
                ..world.scope(0, 0)
            };
            let (ImportIdentity::Id(identity) | ImportIdentity::Object(identity)) =
                &import.identity;
            let keys = import.to.modules.iter().filter_map(|(_, k)| k.as_ref());
            for e in keys.chain(&import.to.key).chain([identity]) {
                if let Err(d) = evaluate_expression(e, &scope) {
                    diagnostics.push(*d);
                }
            }
            if let Some(e) = &import.for_each
                && let Err(d) = evaluate_expression(e, &world.scope(0, 0))
            {
                diagnostics.push(*d);
            }
        }
    }
}

fn sample(repetition: &Repetition) -> crate::world::Each {
    use crate::address::InstanceKey;
    match repetition {
        Repetition::Single | Repetition::Enabled(_) => crate::world::Each::default(),
        Repetition::Count(_) => crate::world::Each {
            key: Some(InstanceKey::Index(0)),
            value: None,
        },
        Repetition::ForEach(_) => crate::world::Each {
            key: Some(InstanceKey::Key("".into())),
            value: Some(Value::unknown(Type::Dynamic)),
        },
    }
}

/// Gives a provider's diagnostic the place of the argument that it concerns.
pub(crate) fn locate(d: topo_sdk::Diagnostic, body: &super::Body) -> topo_sdk::Diagnostic {
    let mut at = body;
    let mut range = body.range.clone();
    for step in d.attribute.steps() {
        let topo_sdk::Step::Attribute(name) = step else {
            continue;
        };
        if let Some(e) = at.get(name) {
            range = e.range();
            break;
        }
        let Some(item) = at.blocks.iter().find(|b| b.name == *name) else {
            break;
        };
        at = &item.body;
        range = at.range.clone();
    }
    if d.range.is_some() {
        d
    } else {
        d.with_range(Some(range))
    }
}
