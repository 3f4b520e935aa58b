//! Checks a whole configuration before anything is known: every expression is evaluated with
//! unknown values of the right types, every body is checked against its schema.

use std::collections::BTreeMap;
use std::sync::Arc;

use topo_sdk::{Diagnostics, Type, Value};

use super::{Config, Repetition};
use crate::address::ResourceMode;
use crate::graph::{Graph, Node};
use crate::providers::Providers;
use crate::variables::Given;
use crate::world::{Instances, ModuleScope, Shape, World};

/// Checks everything that can be checked without values; builds the graph on the way.
pub(super) fn validate(config: &Arc<Config>, providers: &Providers) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    for module in &config.modules {
        for block in module.providers.values() {
            if let Some(p) = providers.get(&block.provider) {
                block
                    .body
                    .check(&p.provider_schema().block, &mut diagnostics);
            }
        }
        for r in module.resources.values() {
            r.body.check(&r.schema.block, &mut diagnostics);
        }
    }
    match Graph::build(config) {
        Ok(graph) => {
            let graph = config.graph.get_or_init(|| graph);
            if !diagnostics.has_errors() {
                evaluate(config, graph, providers, &mut diagnostics);
            }
        }
        Err(ds) => diagnostics.extend(ds),
    }
    diagnostics
}

fn evaluate(
    config: &Arc<Config>,
    graph: &Graph,
    providers: &Providers,
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
            }
            Node::Call(m, n) => world.call(*m, n, diagnostics),
            Node::Provider(m, key) => {
                let module = config.module(*m);
                let block = &module.providers[key];
                if let Some(p) = providers.get(&block.provider) {
                    let value = block.body.decode(
                        &p.provider_schema().block,
                        &world.scope(*m, 0),
                        diagnostics,
                    );
                    let at = block.range.clone();
                    let found = p.validate_provider(&value.unmark_deep());
                    diagnostics.extend(found.map(|d| d.with_range(Some(at.clone()))));
                }
            }
            Node::Resource(m, key) => {
                let r = &config.module(*m).resources[key];
                for i in 0..world.modules[*m].len() {
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
                            let value = r
                                .body
                                .decode(&r.schema.block, &scope, diagnostics)
                                .unmark_deep();
                            if let Some(p) = providers.get(&r.provider_address.name) {
                                let found = match key.0 {
                                    ResourceMode::Managed => p.validate_resource(&key.1, &value),
                                    ResourceMode::Data => p.validate_data(&key.1, &value),
                                };
                                diagnostics.extend(found.map(|d| locate(d, &r.body)));
                            }
                            shape
                        }
                        Err(d) => {
                            diagnostics.push(*d);
                            Shape::Single
                        }
                    };
                    let object = r.schema.block.ty();
                    let whole = match shape {
                        Shape::Single => object,
                        _ if object.has_dynamic() => Type::Dynamic,
                        Shape::Count => Type::list(object),
                        Shape::ForEach => Type::map(object),
                    };
                    let instances = Instances::opaque(shape, Value::unknown(whole));
                    world.modules[*m][i]
                        .resources
                        .insert(key.clone(), instances);
                }
            }
            Node::Outputs(_) | Node::Closed(_) => {}
        }
    }
}

fn sample(repetition: &Repetition) -> crate::world::Each {
    use crate::address::InstanceKey;
    match repetition {
        Repetition::Single => crate::world::Each::default(),
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
