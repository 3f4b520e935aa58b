//! Objects that are let go of rather than destroyed: by `removed` blocks and `destroy = false`.

use super::Planner;
use crate::address::{ResourceAddress, ResourceMode};
use crate::changes::{ChangeAction, PlanMode};
use crate::config::Config;
use crate::store::Record;
use std::sync::Arc;
use topo_sdk::{Diagnostic, Diagnostics};

impl Planner<'_> {
    /// Whether the object of a record will only be forgotten, as far as that can be told before
    /// there are instances: nothing is asked of its provider then, whose configuration may be
    /// gone with the block.
    pub(super) fn only_forgotten(&self, record: &Record) -> bool {
        let address = &record.key.address.resource;
        address.mode == ResourceMode::Managed
            && match self.config.resource(address) {
                Some(block) => self.options.mode == PlanMode::Destroy && block.lifecycle.keep,
                None => self.is_kept(record),
            }
    }

    /// Whether an object stays where it is when it leaves the state. A `removed` block has the
    /// last word, then the block of the resource; when that is gone, what it said last.
    pub(super) fn is_kept(&self, record: &Record) -> bool {
        let address = &record.key.address.resource;
        match self.removals.destroys(address) {
            Some(destroy) => !destroy,
            None => self
                .config
                .resource(address)
                .map_or(record.keep, |block| block.lifecycle.keep),
        }
    }

    /// Says what will not be managed any more.
    pub(super) fn tell_forgotten(&mut self) {
        let list: Vec<String> = self
            .changes
            .iter()
            .filter(|c| c.action == ChangeAction::Forget)
            .map(|c| match &c.key.deposed {
                Some(key) => format!("\n  - {} (deposed object {key})", c.address()),
                None => format!("\n  - {}", c.address()),
            })
            .collect();
        if list.is_empty() {
            return;
        }
        self.diagnostics.push(Diagnostic::warning(
            "Some objects will no longer be managed by topo",
            format!("These are removed from the state and left as they are; they are not destroyed:{}\n\nTo manage one of them again, import it.", list.concat()),
        ));
    }
}

/// What `removed` blocks say.
#[derive(Default)]
pub(super) struct Removals(Vec<Removal>);

struct Removal {
    /// The names of the calls that lead to the module.
    path: Vec<Arc<str>>,
    /// Type and name; `None` for everything in the module.
    resource: Option<(Arc<str>, Arc<str>)>,
    destroy: bool,
}

impl Removals {
    /// Of a configuration.
    pub(super) fn new(config: &Config) -> Removals {
        let blocks = config
            .modules
            .iter()
            .flat_map(|m| m.removed.iter().map(move |r| (m, r)));
        let mut made: Vec<Removal> = blocks
            .map(|(module, r)| {
                let calls = r.from.modules.iter().map(|(n, _)| n.clone());
                Removal {
                    path: module.path.iter().cloned().chain(calls).collect(),
                    resource: r
                        .from
                        .resource
                        .as_ref()
                        .map(|s| (s.key.1.clone(), s.key.2.clone())),
                    destroy: r.destroy,
                }
            })
            .collect();
        // What is said of the smaller thing counts.
        made.sort_by_key(|r| std::cmp::Reverse((r.path.len(), r.resource.is_some())));
        Removals(made)
    }

    /// Whether the objects of a resource are to be destroyed, where a block speaks of them.
    fn destroys(&self, address: &ResourceAddress) -> Option<bool> {
        let holds = |r: &&Removal| {
            let mut steps = address.module.steps().iter().map(|(n, _)| n);
            r.path.iter().all(|name| steps.next() == Some(name))
                && match &r.resource {
                    None => true,
                    Some((t, n)) => {
                        steps.next().is_none() && *t == address.type_name && *n == address.name
                    }
                }
        };
        self.0.iter().find(holds).map(|r| r.destroy)
    }
}

/// `removed` blocks whose resource or module is still there.
pub(super) fn still_there(config: &Config) -> Diagnostics {
    let mut found = Diagnostics::new();
    for module in &config.modules {
        for r in &module.removed {
            let calls = r.from.modules.iter().map(|(n, _)| n);
            let path: Vec<Arc<str>> = module.path.iter().chain(calls).cloned().collect();
            let Some(inside) = config.module_named(&path).map(|id| config.module(id)) else {
                continue;
            };
            let (what, at) = match &r.from.resource {
                Some(step) => match inside.resources.get(&step.key) {
                    Some(resource) => ("resource", &resource.range),
                    None => continue,
                },
                None => match inside
                    .parent
                    .as_ref()
                    .and_then(|(id, call)| config.module(*id).calls.get(call))
                {
                    Some(call) => ("module", &call.range),
                    None => continue,
                },
            };
            found.push(
                Diagnostic::error(
                    format!("Removed {what} still exists"),
                    format!("This says that {} is removed, but its {what} block is still there, at {at}. Take one of the two blocks out.", r.from),
                )
                .with_range(Some(r.range.clone())),
            );
        }
    }
    found
}
