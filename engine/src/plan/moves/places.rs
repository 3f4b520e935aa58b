//! The addresses of everything in a state, and how they change by moves.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::statement::{Key, Statement, managed, module_of};
use crate::address::{InstanceAddress, InstanceKey, ModuleInstance, ResourceAddress, ResourceMode};

/// The instances of one resource, each with the address that the store knows it by.
pub(super) type Residents = BTreeMap<Option<InstanceKey>, InstanceAddress>;

/// A resource of a module.
pub(super) type Local = (ResourceMode, Arc<str>, Arc<str>);

/// All addresses of a state, as they are after the moves so far.
#[derive(Default)]
pub(super) struct Places {
    pub(super) modules: BTreeMap<ModuleInstance, BTreeMap<Local, Residents>>,
    /// What could not move, and where to.
    pub(super) blocked: Vec<(String, String)>,
}

impl Places {
    pub(super) fn new<'a>(addresses: impl Iterator<Item = &'a InstanceAddress>) -> Places {
        let mut places = Places::default();
        for address in addresses {
            places.put(address.clone(), address.clone());
        }
        places
    }

    pub(super) fn put(&mut self, at: InstanceAddress, from: InstanceAddress) {
        let r = at.resource;
        let module = self.modules.entry(r.module).or_default();
        let resource = module.entry((r.mode, r.type_name, r.name)).or_default();
        resource.insert(at.key, from);
    }

    pub(super) fn get(&self, module: &ModuleInstance, resource: &Local) -> Option<&Residents> {
        self.modules.get(module)?.get(resource)
    }

    pub(super) fn take(&mut self, module: &ModuleInstance, resource: &Local) -> Residents {
        let resources = self.modules.get_mut(module);
        resources
            .and_then(|r| r.remove(resource))
            .unwrap_or_default()
    }

    /// Whether there is a managed object in a module instance itself.
    pub(super) fn is_settled(&self, module: &ModuleInstance) -> bool {
        self.modules.get(module).is_some_and(|resources| {
            resources
                .iter()
                .any(|((mode, ..), r)| *mode == ResourceMode::Managed && !r.is_empty())
        })
    }

    pub(super) fn blocked(&mut self, from: &impl ToString, to: &impl ToString) {
        self.blocked.push((from.to_string(), to.to_string()));
    }

    pub(super) fn carry_out(&mut self, s: &Statement) {
        let modules: Vec<ModuleInstance> = self.modules.keys().cloned().collect();
        for module in modules {
            match (&s.from.resource, &s.to.resource) {
                (Some(from), Some(to)) if s.from.is_module(&module) => {
                    let destination = module_of(s.steps_of_destination(module.steps()));
                    self.move_resource(&module, from, &destination, to);
                }
                (Some(_), _) => {}
                _ => {
                    if let Some(to) = s.module_destination(&module) {
                        self.move_module(&module, &to);
                    }
                }
            }
        }
    }

    pub(super) fn move_module(&mut self, from: &ModuleInstance, to: &ModuleInstance) {
        if from == to {
            return;
        }
        if self.is_settled(to) {
            if self.is_settled(from) {
                self.blocked(from, to);
            }
            return;
        }
        let moving = self.modules.remove(from).unwrap_or_default();
        self.modules.entry(to.clone()).or_default().extend(moving);
    }

    pub(super) fn move_resource(
        &mut self,
        module: &ModuleInstance,
        (from_type, from_name, from_key): &(Arc<str>, Arc<str>, Key),
        destination: &ModuleInstance,
        (to_type, to_name, to_key): &(Arc<str>, Arc<str>, Key),
    ) {
        let from: Local = (ResourceMode::Managed, from_type.clone(), from_name.clone());
        let to: Local = (ResourceMode::Managed, to_type.clone(), to_name.clone());
        let Some(found) = self.get(module, &from) else {
            return;
        };
        let there = self.get(destination, &to);
        let (old, new) = (
            managed(module, from_type, from_name),
            managed(destination, to_type, to_name),
        );
        let (Key::One(from_key), Key::One(to_key)) = (from_key, to_key) else {
            if found.is_empty() || old == new {
                return;
            }
            if there.is_some_and(|r| !r.is_empty()) {
                self.blocked(&old, &new);
                return;
            }
            for (key, origin) in self.take(module, &from) {
                self.put(new.instance(key), origin);
            }
            return;
        };
        let Some(origin) = found.get(from_key).cloned() else {
            return;
        };
        let (old, new) = (old.instance(from_key.clone()), new.instance(to_key.clone()));
        if old == new {
            return;
        }
        if there.is_some_and(|r| r.contains_key(to_key)) {
            self.blocked(&old, &new);
            return;
        }
        if let Some(residents) = self.modules.get_mut(module).and_then(|m| m.get_mut(&from)) {
            residents.remove(from_key);
        }
        self.put(new, origin);
    }

    /// What is at another address than at first: from the first address to the one now.
    pub(super) fn pairs(self) -> BTreeMap<InstanceAddress, InstanceAddress> {
        let mut made = BTreeMap::new();
        for (module, resources) in self.modules {
            for ((mode, type_name, name), residents) in resources {
                let address = ResourceAddress {
                    module: module.clone(),
                    mode,
                    type_name,
                    name,
                };
                for (key, origin) in residents {
                    let now = address.instance(key);
                    if now != origin {
                        made.insert(origin, now);
                    }
                }
            }
        }
        made
    }
}
