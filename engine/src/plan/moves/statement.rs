//! What a `moved` block says: two patterns of addresses, and which of several blocks comes first.

use std::fmt;
use std::sync::Arc;

use petgraph::algo::{tarjan_scc, toposort};
use petgraph::graph::{DiGraph, NodeIndex};
use topo_sdk::{Diagnostic, Diagnostics, SourceRange};

use crate::address::{InstanceKey, ModuleInstance, ModuleStep, ResourceAddress, ResourceMode};
use crate::config::{Config, Endpoint, Module, ModuleId, Moved};

/// Which instances a step of an address means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    /// All of them.
    Any,
    /// One.
    One(Option<InstanceKey>),
}

impl Key {
    /// Whether there can be something that both mean.
    pub(super) fn meets(&self, other: &Key) -> bool {
        matches!(self, Key::Any) || matches!(other, Key::Any) || self == other
    }

    pub(super) fn means(&self, key: &Option<InstanceKey>) -> bool {
        match self {
            Key::Any => true,
            Key::One(one) => one == key,
        }
    }
}

/// The addresses that one end of a statement means: in all instances of the module that the block
/// is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    pub(super) modules: Vec<(Arc<str>, Key)>,
    /// Type, name and key; `None` where a module is meant.
    pub(super) resource: Option<(Arc<str>, Arc<str>, Key)>,
}

/// A `moved` block.
pub(super) struct Statement {
    pub(super) module: ModuleId,
    /// How many of the modules in both patterns are those that lead to the block.
    pub(super) base: usize,
    pub(super) from: Pattern,
    pub(super) to: Pattern,
    /// The block as it is written, for people.
    pub(super) text: String,
    pub(super) range: SourceRange,
}

impl Pattern {
    pub(super) fn of(module: &Module, end: &Endpoint, whole: bool) -> Pattern {
        let base = module.path.iter().map(|name| (name.clone(), Key::Any));
        let own = end
            .modules
            .iter()
            .map(|(n, k)| (n.clone(), Key::One(k.clone())));
        let mut modules: Vec<_> = base.chain(own).collect();
        let key = |k: &Option<InstanceKey>| match whole {
            true => Key::Any,
            false => Key::One(k.clone()),
        };
        let resource = end
            .resource
            .as_ref()
            .map(|r| (r.key.1.clone(), r.key.2.clone(), key(&r.instance)));
        if resource.is_none()
            && whole
            && let Some(last) = modules.last_mut()
        {
            last.1 = Key::Any;
        }
        Pattern { modules, resource }
    }

    /// Whether the modules on the way can be the same, as far as both have them.
    pub(super) fn same_way(&self, other: &Pattern) -> bool {
        let mut both = self.modules.iter().zip(&other.modules);
        both.all(|(a, b)| a.0 == b.0 && a.1.meets(&b.1))
    }

    /// Whether both can mean the same object or module.
    pub(super) fn meets(&self, other: &Pattern) -> bool {
        self.modules.len() == other.modules.len()
            && self.same_way(other)
            && match (&self.resource, &other.resource) {
                (None, None) => true,
                (Some(a), Some(b)) => {
                    a.0 == b.0
                        && a.1 == b.1
                        && (a.2 == Key::Any) == (b.2 == Key::Any)
                        && a.2.meets(&b.2)
                }
                _ => false,
            }
    }

    /// Whether this can be a part of what the other means.
    pub(super) fn within(&self, other: &Pattern) -> bool {
        if other.modules.len() > self.modules.len() || !self.same_way(other) {
            return false;
        }
        match (&self.resource, &other.resource) {
            (Some(own), Some(outer)) => {
                self.modules.len() == other.modules.len()
                    && own.0 == outer.0
                    && own.1 == outer.1
                    && outer.2 == Key::Any
                    && own.2 != Key::Any
            }
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => {
                let last = |p: &Pattern| p.modules.last().map(|(_, k)| *k == Key::Any);
                self.modules.len() > other.modules.len()
                    || (last(other) == Some(true) && last(self) == Some(false))
            }
        }
    }

    /// Whether a module instance is the one that this names, or that its resource is in.
    pub(super) fn is_module(&self, module: &ModuleInstance) -> bool {
        self.modules.len() == module.steps().len() && self.leads_to(module)
    }

    pub(super) fn leads_to(&self, module: &ModuleInstance) -> bool {
        let steps = module.steps();
        self.modules.len() <= steps.len()
            && self
                .modules
                .iter()
                .zip(steps)
                .all(|((name, key), step)| *name == step.0 && key.means(&step.1))
    }

    /// The address that is meant from an instance of the block's module; and whether it is a
    /// whole resource or module call.
    pub(super) fn seen_from(&self, base: &ModuleInstance) -> (Place, bool) {
        let own = self.modules.iter().skip(base.steps().len());
        let mut steps: Vec<ModuleStep> = base.steps().to_vec();
        let mut whole = false;
        for (name, key) in own {
            steps.push((
                name.clone(),
                match key {
                    Key::Any => {
                        whole = true;
                        None
                    }
                    Key::One(k) => k.clone(),
                },
            ));
        }
        let resource = self.resource.as_ref().map(|(t, n, key)| {
            let (all, key) = match key {
                Key::Any => (true, None),
                Key::One(k) => (false, k.clone()),
            };
            whole = all;
            (t.clone(), n.clone(), key)
        });
        (
            Place {
                module: module_of(steps),
                resource,
            },
            whole,
        )
    }
}

/// A module instance, resource or resource instance, as a statement means it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) module: ModuleInstance,
    pub(super) resource: Option<(Arc<str>, Arc<str>, Option<InstanceKey>)>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.resource {
            None => self.module.fmt(f),
            Some((t, n, key)) => managed(&self.module, t, n).instance(key.clone()).fmt(f),
        }
    }
}

pub(super) fn module_of(steps: Vec<ModuleStep>) -> ModuleInstance {
    let mut made = ModuleInstance::root();
    for (name, key) in steps {
        made = made.child(name, key);
    }
    made
}

pub(super) fn managed(
    module: &ModuleInstance,
    type_name: &Arc<str>,
    name: &Arc<str>,
) -> ResourceAddress {
    ResourceAddress {
        module: module.clone(),
        mode: ResourceMode::Managed,
        type_name: type_name.clone(),
        name: name.clone(),
    }
}

impl Statement {
    pub(super) fn of(config: &Config, module: ModuleId, moved: &Moved) -> Statement {
        let within = config.module(module);
        let keyed = |e: &Endpoint| match &e.resource {
            Some(r) => r.instance.is_some(),
            None => e.modules.last().is_some_and(|(_, k)| k.is_some()),
        };
        // With a key at one end, the other means the one instance without a key.
        let whole = !keyed(&moved.from) && !keyed(&moved.to);
        Statement {
            module,
            base: within.path.len(),
            from: Pattern::of(within, &moved.from, whole),
            to: Pattern::of(within, &moved.to, whole),
            text: format!("{} to {}", moved.from, moved.to),
            range: moved.range.clone(),
        }
    }

    /// Whether another statement must be carried out before: it leads to where this one begins,
    /// or moves a part of what this one moves.
    pub(super) fn comes_after(&self, other: &Statement) -> bool {
        if self.from.meets(&other.to) {
            return true;
        }
        let nested = self.from.within(&other.to)
            || self.to.within(&other.to)
            || other.from.within(&self.from)
            || other.to.within(&self.from);
        // Where only the key of a module changes, both ends of what is inside of it lie in both
        // ends of that: the outer one comes first.
        nested && (self.base >= other.base || !self.only_changes_keys())
    }

    pub(super) fn only_changes_keys(&self) -> bool {
        let names =
            |p: &Pattern| -> Vec<Arc<str>> { p.modules.iter().map(|(n, _)| n.clone()).collect() };
        self.from.resource.is_none() && names(&self.from) == names(&self.to)
    }

    /// Where the statement, which is about a module, sends a module instance.
    pub(super) fn module_destination(&self, module: &ModuleInstance) -> Option<ModuleInstance> {
        if self.from.resource.is_some() || !self.from.leads_to(module) {
            return None;
        }
        let (matched, rest) = module.steps().split_at(self.from.modules.len());
        let mut steps = self.steps_of_destination(matched);
        steps.extend(rest.iter().cloned());
        Some(module_of(steps))
    }

    pub(super) fn steps_of_destination(&self, matched: &[ModuleStep]) -> Vec<ModuleStep> {
        let kept = matched.last().and_then(|(_, key)| key.clone());
        let steps = self.to.modules.iter().enumerate();
        steps
            .map(|(i, (name, key))| {
                let key = match key {
                    _ if i < self.base => matched.get(i).and_then(|(_, k)| k.clone()),
                    Key::Any => kept.clone(),
                    Key::One(key) => key.clone(),
                };
                (name.clone(), key)
            })
            .collect()
    }
}

/// The statements in the order in which they are carried out.
///
/// # Errors
/// When there is none, because they lead in a circle.
pub(super) fn in_order(
    statements: Vec<Statement>,
) -> Result<Vec<Statement>, (Vec<Statement>, Diagnostics)> {
    let mut graph: DiGraph<usize, ()> = DiGraph::new();
    let nodes: Vec<NodeIndex> = (0..statements.len()).map(|i| graph.add_node(i)).collect();
    for (i, a) in statements.iter().enumerate() {
        for (k, b) in statements.iter().enumerate() {
            if i != k && a.comes_after(b) {
                graph.add_edge(nodes[k], nodes[i], ());
            }
        }
    }
    match toposort(&graph, None) {
        Ok(order) => {
            let mut slots: Vec<Option<Statement>> = statements.into_iter().map(Some).collect();
            Ok(order
                .into_iter()
                .filter_map(|n| slots[graph[n]].take())
                .collect())
        }
        Err(_) => {
            let found = tarjan_scc(&graph)
                .into_iter()
                .filter(|circle| circle.len() > 1)
                .map(|circle| {
                    let mut of: Vec<&Statement> = circle.iter().map(|n| &statements[graph[*n]]).collect();
                    of.sort_by_key(|s| (s.range.file.clone(), s.range.start.byte));
                    let list: Vec<String> =
                        of.iter().map(|s| format!("\n  - {} ({})", s.text, s.range)).collect();
                    Diagnostic::error(
                        "Cyclic dependency in move statements",
                        format!("These moved blocks lead in a circle, so there is no place where their objects are in the end:{}\n\nA chain of moves must end at an address that no other moved block begins with.", list.concat()),
                    )
                    .with_range(of.first().map(|s| s.range.clone()))
                })
                .collect();
            Err((statements, found))
        }
    }
}
