//! Moves that nobody has written: a block gained or lost `count`, and the object without a key is
//! the first of many, or the other way round. As with the peers, only where no `moved` block
//! speaks of the same resource or module.

use std::collections::HashSet;
use std::sync::Arc;

use super::places::{Local, Places};
use super::statement::{Key, Statement};
use crate::address::{InstanceKey, ModuleInstance, ResourceMode};
use crate::config::{Config, Repetition};

/// What tells where implied moves lead.
pub(super) struct Implied<'a> {
    config: &'a Config,
    statements: &'a [Statement],
    /// Types and names that statements mention.
    mentioned: HashSet<(&'a str, &'a str)>,
}

/// The key that the only object of a block has, when it had another one before; `None` where keys
/// say nothing of each other.
pub(super) fn only_key(repetition: &Repetition) -> Option<Option<InstanceKey>> {
    match repetition {
        Repetition::Single | Repetition::Enabled(_) => Some(None),
        Repetition::Count(_) => Some(Some(InstanceKey::Index(0))),
        Repetition::ForEach(_) => None,
    }
}

fn may_be_only(key: &Option<InstanceKey>) -> bool {
    matches!(key, None | Some(InstanceKey::Index(0)))
}

impl<'a> Implied<'a> {
    pub(super) fn new(config: &'a Config, statements: &'a [Statement]) -> Implied<'a> {
        let ends = statements.iter().flat_map(|s| [&s.from, &s.to]);
        Implied {
            config,
            statements,
            mentioned: ends
                .filter_map(|p| p.resource.as_ref())
                .map(|(t, n, _)| (&**t, &**n))
                .collect(),
        }
    }

    pub(super) fn carry_out(&self, places: &mut Places) {
        let all: Vec<ModuleInstance> = places.modules.keys().cloned().collect();
        for module in all {
            let to = self.module(&module);
            places.move_module(&module, &to);
        }
        let all: Vec<ModuleInstance> = places.modules.keys().cloned().collect();
        for module in all {
            self.resources(&module, places);
        }
    }

    /// Where a module instance is, by what its calls say now.
    fn module(&self, module: &ModuleInstance) -> ModuleInstance {
        let mut path: Vec<Arc<str>> = Vec::new();
        let (mut before, mut made) = (ModuleInstance::root(), ModuleInstance::root());
        for (name, key) in module.steps() {
            let call = self
                .config
                .module_named(&path)
                .and_then(|id| self.config.module(id).calls.get(name));
            let only = call.and_then(|c| only_key(&c.repetition));
            before = before.child(name.clone(), key.clone());
            let key = match only {
                Some(only) if may_be_only(key) && !self.is_mentioned(&before) => only,
                _ => key.clone(),
            };
            made = made.child(name.clone(), key);
            path.push(name.clone());
        }
        made
    }

    fn is_mentioned(&self, module: &ModuleInstance) -> bool {
        let mut statements = self.statements.iter();
        statements.any(|s| s.from.is_module(module) || s.to.is_module(module))
    }

    fn resources(&self, module: &ModuleInstance, places: &mut Places) {
        let path: Vec<Arc<str>> = module.steps().iter().map(|(n, _)| n.clone()).collect();
        let Some(id) = self.config.module_named(&path) else {
            return;
        };
        let Some(resources) = places.modules.get(module) else {
            return;
        };
        let mut found = Vec::new();
        for (local, residents) in resources {
            let block = self.config.module(id).resources.get(local);
            let Some(to) = block.and_then(|b| only_key(&b.repetition)) else {
                continue;
            };
            let from = match to {
                None => Some(InstanceKey::Index(0)),
                Some(_) => None,
            };
            if local.0 == ResourceMode::Managed
                && residents.contains_key(&from)
                && !self.mentions(module, local)
            {
                found.push((local.clone(), from, to));
            }
        }
        for ((_, type_name, name), from, to) in found {
            let end = |key| (type_name.clone(), name.clone(), Key::One(key));
            places.move_resource(module, &end(from), module, &end(to));
        }
    }

    fn mentions(&self, module: &ModuleInstance, (_, t, n): &Local) -> bool {
        self.mentioned.contains(&(&**t, &**n))
            && self
                .statements
                .iter()
                .flat_map(|s| [&s.from, &s.to])
                .any(|p| {
                    p.is_module(module)
                        && p.resource.as_ref().is_some_and(|r| r.0 == *t && r.1 == *n)
                })
    }
}
