//! The part `relevant_attributes` of `show -json`: which attributes of which resources contribute
//! to what changes, directly or through local values, variables, outputs and other resources.
//!
//! It is worked out from what the configuration refers to. An address has keys where a reference
//! gives constant ones, and never keys of modules.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde_json::{Value as Json, json};
use topo_engine::changes::{ChangeAction, OutputChange, Overview};
use topo_engine::config::{Config, ModuleId, ResourceKey};
use topo_engine::lang::ast::{Expression, Target};
use topo_sdk::{Path, Step};

use super::config::expression::{Traversal, traversals};
use super::config::module_path;

/// What contributes to the changes of this plan.
pub fn attributes(config: &Config, overview: &Overview) -> Json {
    let mut walk = Walk {
        config,
        found: BTreeMap::new(),
        visited: HashSet::new(),
        pending: Vec::new(),
    };
    let modules: BTreeMap<&[Arc<str>], ModuleId> = config
        .modules
        .iter()
        .enumerate()
        .map(|(id, m)| (&*m.path, id))
        .collect();
    for change in &overview.changes {
        if change.action == ChangeAction::NoOp {
            continue;
        }
        let address = &change.key.address.resource;
        let path: Vec<Arc<str>> = address
            .module
            .steps()
            .iter()
            .map(|(name, _)| name.clone())
            .collect();
        let Some(module) = modules.get(&*path) else {
            continue;
        };
        let key = (
            address.mode,
            address.type_name.clone(),
            address.name.clone(),
        );
        walk.resource(*module, &key);
    }
    for output in overview
        .outputs
        .iter()
        .filter(|o| !OutputChange::is_no_op(o))
    {
        walk.output(0, &output.name);
    }
    while let Some((module, e)) = walk.pending.pop() {
        for traversal in traversals(e) {
            walk.traversal(module, traversal);
        }
    }
    walk.found
        .into_values()
        .map(
            |(resource, path)| json!({"resource": resource, "attribute": super::plan::path(&path)}),
        )
        .collect()
}

/// What was looked into.
#[derive(PartialEq, Eq, Hash)]
enum Seen {
    Resource(ModuleId, ResourceKey),
    Argument(ModuleId, ResourceKey, Arc<str>),
    Other(ModuleId, Target),
}

struct Walk<'c> {
    config: &'c Config,
    /// By address and path as text, for the order.
    found: BTreeMap<(String, String), (String, Path)>,
    visited: HashSet<Seen>,
    /// What is to be looked into: chains of references are longer than a stack is deep.
    pending: Vec<(ModuleId, &'c Expression)>,
}

impl<'c> Walk<'c> {
    /// Everything that a block refers to.
    fn resource(&mut self, module: ModuleId, key: &ResourceKey) {
        if !self.visited.insert(Seen::Resource(module, key.clone())) {
            return;
        }
        let Some(resource) = self.config.module(module).resources.get(key) else {
            return;
        };
        let mut all = Vec::new();
        resource.body.expressions(&mut all);
        all.extend(resource.repetition.expression());
        self.pending.extend(all.into_iter().map(|e| (module, e)));
    }

    fn output(&mut self, module: ModuleId, name: &Arc<str>) {
        if let Some(output) = self.config.module(module).outputs.get(name) {
            self.pending.push((module, &output.value));
        }
    }

    fn traversal(&mut self, module: ModuleId, t: Traversal<'c>) {
        if let Target::Resource(mode, type_name, name) = t.target {
            let key = (*mode, type_name.clone(), name.clone());
            return self.attribute(module, key, t);
        }
        if !self.visited.insert(Seen::Other(module, t.target.clone())) {
            return;
        }
        let here = self.config.module(module);
        match t.target {
            Target::Local(name) => {
                if let Some(e) = here.locals.get(name) {
                    self.pending.push((module, e));
                }
            }
            Target::Variable(name) => {
                let argument = here.parent.as_ref().and_then(|(parent, call)| {
                    let call = self.config.module(*parent).calls.get(call)?;
                    Some((*parent, &call.arguments.get(name)?.value))
                });
                if let Some((parent, e)) = argument {
                    self.pending.push((parent, e));
                }
            }
            Target::Module(name, output) => {
                let Some(call) = here.calls.get(name) else {
                    return;
                };
                match output {
                    Some(output) => self.output(call.module, output),
                    None => {
                        for name in self.config.module(call.module).outputs.keys() {
                            self.output(call.module, name);
                        }
                    }
                }
            }
            _ => {}
        }
    }

    /// An attribute that contributes, and what contributes to it in turn.
    fn attribute(&mut self, module: ModuleId, key: ResourceKey, t: Traversal<'c>) {
        let here = self.config.module(module);
        let mut address = module_path(&here.path);
        if !address.is_empty() {
            address.push('.');
        }
        address.push_str(&t.target.to_string());
        if let Some(key) = &t.key {
            address.push_str(&key.to_string());
        }
        let first = match t.rest.first() {
            Some(Step::Attribute(name) | Step::Key(name)) => Some(name.clone()),
            _ => None,
        };
        let path = Path::from(t.rest);
        self.found
            .entry((address.clone(), path.to_string()))
            .or_insert((address, path));
        let Some(name) = first else {
            return self.resource(module, &key);
        };
        let argument = here.resources.get(&key).and_then(|r| r.body.get(&name));
        let seen = Seen::Argument(module, key, name);
        if let Some(e) = argument
            && self.visited.insert(seen)
        {
            self.pending.push((module, e));
        }
    }
}
