//! What a plan is restricted to, by targets or by exclusions.
//!
//! Over the configuration: a target brings with it everything that it depends on, an exclusion
//! takes with it everything that depends on it. Over the state, where objects are removed, it is
//! the other way round: what depends on something that goes has to go first.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use petgraph::Direction;
use petgraph::graph::NodeIndex;
use topo_sdk::{Diagnostic, Diagnostics};

use crate::address::{InstanceAddress, ModuleInstance, ResourceAddress, Target};
use crate::changes::PlanMode;
use crate::config::{Config, ModuleId, ResourceKey};
use crate::graph::{Graph, Node};
use crate::store::{Dependency, RecordKey, State};

/// What a plan is about.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    targets: Vec<Target>,
    excludes: Vec<Target>,
    /// The nodes to evaluate; `None` for all.
    nodes: Option<HashSet<NodeIndex>>,
    /// The nodes of which all instances are meant.
    whole: HashSet<NodeIndex>,
    /// The nodes of which instances in some module instances are meant, because others in these
    /// depend on them.
    inside: HashMap<NodeIndex, Vec<Target>>,
    /// What is left to a later round.
    later: HashSet<NodeIndex>,
    /// The objects of the state to read and, where they are to go, to remove; `None` for all.
    records: Option<HashSet<RecordKey>>,
}

impl Selection {
    /// Works out what these targets or exclusions come to. Names of nothing give a warning.
    pub(crate) fn new(
        config: &Config,
        graph: &Graph,
        state: &State,
        mode: PlanMode,
        targets: &[Target],
        excludes: &[Target],
        diagnostics: &mut Diagnostics,
    ) -> Selection {
        let mut made = Selection {
            targets: targets.to_vec(),
            excludes: excludes.to_vec(),
            ..Selection::default()
        };
        if targets.is_empty() && excludes.is_empty() {
            return made;
        }
        diagnostics.push(in_effect(!targets.is_empty()));
        let resources: Vec<(NodeIndex, ResourceAddress)> = graph
            .order
            .iter()
            .filter_map(|n| Some((*n, static_address(config, &graph.graph[*n])?)))
            .collect();
        for target in targets.iter().chain(excludes) {
            let written = resources.iter().any(|(_, r)| names(target, r));
            if !written && !state.records.keys().any(|k| target.contains(&k.address)) {
                diagnostics.push(names_nothing(target));
            }
        }
        if targets.is_empty() {
            made.exclude(graph, &resources);
        } else {
            made.include(config, graph, &resources);
        }
        made.records = Some(made.select_records(config, graph, state, mode));
        made
    }

    /// Whether a node is to be evaluated.
    pub(crate) fn has_node(&self, node: NodeIndex) -> bool {
        self.nodes.as_ref().is_none_or(|n| n.contains(&node)) && !self.later.contains(&node)
    }

    /// Leaves nodes out because they wait for a later round.
    pub(crate) fn leave(&mut self, later: HashSet<NodeIndex>) {
        self.later = later;
    }

    /// Whether an instance of a resource that is to be evaluated is meant.
    pub(crate) fn has_instance(&self, node: NodeIndex, address: &InstanceAddress) -> bool {
        if self.targets.is_empty() {
            return !self.excludes.iter().any(|t| t.contains(address));
        }
        let inside = self.inside.get(&node).into_iter().flatten();
        self.whole.contains(&node) || inside.chain(&self.targets).any(|t| t.contains(address))
    }

    /// Whether an object of the state is to be read, and removed where it is to go.
    pub(crate) fn has_record(&self, key: &RecordKey) -> bool {
        self.records.as_ref().is_none_or(|r| r.contains(key))
    }

    /// Whether the plan is about less than everything.
    pub(crate) fn is_partial(&self) -> bool {
        self.nodes.is_some()
    }

    /// The targets, and everything that they depend on.
    fn include(
        &mut self,
        config: &Config,
        graph: &Graph,
        resources: &[(NodeIndex, ResourceAddress)],
    ) {
        let mut nodes: HashSet<NodeIndex> = HashSet::new();
        for target in &self.targets {
            let own = resources.iter().filter(|(_, r)| names(target, r));
            let own: Vec<NodeIndex> = own.map(|(n, _)| *n).collect();
            nodes.extend(&own);
            if is_static(target) {
                self.whole.extend(&own);
            }
            // In the module instance that is named only what is in it is needed; what lies
            // outside may lead to any of its instances.
            let calls = target.module.steps();
            let is_inside = |n: NodeIndex| {
                let path = &config.module(graph.graph[n].module()).path;
                calls.len() <= path.len() && calls.iter().zip(path.iter()).all(|(c, p)| c.0 == *p)
            };
            let mut near = HashSet::new();
            let mut border = HashSet::new();
            let mut open = own;
            while let Some(n) = open.pop() {
                for next in graph.requirements(n) {
                    if !is_inside(next) {
                        border.insert(next);
                    } else if near.insert(next) {
                        open.push(next);
                    }
                }
            }
            let mut far = border.clone();
            for n in border {
                reach(graph, n, Direction::Incoming, &mut far);
            }
            let module = Target {
                module: target.module.clone(),
                resource: None,
                key: None,
            };
            for n in &near {
                self.inside.entry(*n).or_default().push(module.clone());
                if is_static(&module) {
                    self.whole.insert(*n);
                }
            }
            self.whole.extend(&far);
            nodes.extend(near);
            nodes.extend(far);
        }
        // Outputs of the root module whose every object is here are worked out too.
        for n in &graph.order {
            if let Node::Output(0, _) = &graph.graph[*n] {
                let behind = graph.ancestors(*n);
                let complete = behind.iter().all(|b| match &graph.graph[*b] {
                    Node::Resource(..) => self.whole.contains(b),
                    _ => true,
                });
                if complete {
                    nodes.extend(behind);
                }
            }
        }
        self.nodes = Some(nodes);
    }

    /// Everything but the excluded and what depends on them.
    fn exclude(&mut self, graph: &Graph, resources: &[(NodeIndex, ResourceAddress)]) {
        let mut left_out: HashSet<NodeIndex> = HashSet::new();
        for (n, address) in resources {
            let meant: Vec<&Target> = self.excludes.iter().filter(|t| names(t, address)).collect();
            if meant.is_empty() {
                continue;
            }
            reach(graph, *n, Direction::Outgoing, &mut left_out);
            if meant.iter().any(|t| is_static(t)) {
                left_out.insert(*n);
            }
        }
        let all = graph.order.iter().copied();
        self.nodes = Some(all.filter(|n| !left_out.contains(n)).collect());
    }

    fn select_records(
        &self,
        config: &Config,
        graph: &Graph,
        state: &State,
        mode: PlanMode,
    ) -> HashSet<RecordKey> {
        let excluding = self.targets.is_empty();
        let (list, named): (_, HashSet<RecordKey>) = {
            let list = if excluding {
                &self.excludes
            } else {
                &self.targets
            };
            let keys = state.records.keys();
            let named = keys.filter(|k| list.iter().any(|t| t.contains(&k.address)));
            (list, named.cloned().collect())
        };
        debug_assert!(!list.is_empty());
        let all = || state.records.keys().cloned().collect::<HashSet<_>>();
        match (mode, excluding) {
            (PlanMode::Destroy, false) => dependents(state, named),
            (PlanMode::Destroy, true) => &all() - &prerequisites(state, named),
            (PlanMode::RefreshOnly, false) => prerequisites(state, named),
            (PlanMode::RefreshOnly, true) => &all() - &dependents(state, named),
            (PlanMode::Normal, _) => {
                let index = by_path(config, graph);
                let node = |key: &RecordKey| {
                    let r = &key.address.resource;
                    let path: Vec<Arc<str>> =
                        r.module.steps().iter().map(|(n, _)| n.clone()).collect();
                    let key = (r.mode, r.type_name.clone(), r.name.clone());
                    index.get(&(path, key)).copied()
                };
                // Objects without a block are there to be removed.
                let orphans: HashSet<RecordKey> = if excluding {
                    &all() - &prerequisites(state, named)
                } else {
                    dependents(state, named)
                };
                let keys = state.records.keys();
                let meant = keys.filter(|k| match node(k) {
                    Some(n) => self.has_node(n) && self.has_instance(n, &k.address),
                    None => orphans.contains(*k),
                });
                meant.cloned().collect()
            }
        }
    }
}

/// Adds everything that is reached from a node, without the node itself.
fn reach(graph: &Graph, from: NodeIndex, direction: Direction, found: &mut HashSet<NodeIndex>) {
    let mut open = vec![from];
    while let Some(n) = open.pop() {
        for next in graph.graph.neighbors_directed(n, direction) {
            if found.insert(next) {
                open.push(next);
            }
        }
    }
}

/// The address of a resource's block, without any keys.
fn static_address(config: &Config, node: &Node) -> Option<ResourceAddress> {
    match node {
        Node::Resource(m, key) => Some(block_address(config, *m, key)),
        _ => None,
    }
}

/// The address of a resource's block, without any keys.
pub(super) fn block_address(config: &Config, m: ModuleId, key: &ResourceKey) -> ResourceAddress {
    let mut module = ModuleInstance::root();
    for name in config.module(m).path.iter() {
        module = module.child(name.clone(), None);
    }
    ResourceAddress {
        module,
        mode: key.0,
        type_name: key.1.clone(),
        name: key.2.clone(),
    }
}

/// The address of the block that an object comes from.
pub(super) fn without_keys(address: &ResourceAddress) -> ResourceAddress {
    let mut module = ModuleInstance::root();
    for (name, _) in address.module.steps() {
        module = module.child(name.clone(), None);
    }
    ResourceAddress {
        module,
        ..address.clone()
    }
}

/// Whether a target could mean instances of a block, whatever their keys.
fn names(target: &Target, block: &ResourceAddress) -> bool {
    let calls = target.module.steps().iter().map(|(n, _)| n);
    let own = block.module.steps().iter().map(|(n, _)| n);
    match &target.resource {
        None => calls.len() <= own.len() && calls.zip(own).all(|(a, b)| a == b),
        Some((mode, t, n)) => {
            calls.eq(own) && block.mode == *mode && block.type_name == *t && block.name == *n
        }
    }
}

/// Whether a target means all instances of whatever block it names.
fn is_static(target: &Target) -> bool {
    target.key.is_none() && target.module.steps().iter().all(|(_, key)| key.is_none())
}

/// The nodes of resources by the names of the calls that lead to them and their own.
fn by_path(config: &Config, graph: &Graph) -> HashMap<(Vec<Arc<str>>, ResourceKey), NodeIndex> {
    let nodes = graph.order.iter();
    nodes
        .filter_map(|n| match &graph.graph[*n] {
            Node::Resource(m, key) => Some(((config.module(*m).path.to_vec(), key.clone()), *n)),
            _ => None,
        })
        .collect()
}

/// These objects and everything that depends on them, by what the state says.
fn dependents(state: &State, mut found: HashSet<RecordKey>) -> HashSet<RecordKey> {
    let mut instances: HashMap<&InstanceAddress, Vec<&RecordKey>> = HashMap::new();
    let mut resources: HashMap<&ResourceAddress, Vec<&RecordKey>> = HashMap::new();
    for (key, record) in &state.records {
        for d in &record.dependencies {
            match d {
                Dependency::Instance(a) => instances.entry(a).or_default().push(key),
                Dependency::Resource(r) => resources.entry(r).or_default().push(key),
            }
        }
    }
    let mut open: Vec<RecordKey> = found.iter().cloned().collect();
    while let Some(key) = open.pop() {
        let on_it = instances.get(&key.address).into_iter().flatten();
        let on_all = resources.get(&key.address.resource).into_iter().flatten();
        for dependent in on_it.chain(on_all) {
            if found.insert((*dependent).clone()) {
                open.push((*dependent).clone());
            }
        }
    }
    found
}

/// These objects and everything that they depend on, by what the state says.
pub(super) fn prerequisites(state: &State, mut found: HashSet<RecordKey>) -> HashSet<RecordKey> {
    let mut open: Vec<RecordKey> = found.iter().cloned().collect();
    let mut seen: BTreeSet<&ResourceAddress> = BTreeSet::new();
    while let Some(key) = open.pop() {
        let Some(record) = state.records.get(&key) else {
            continue;
        };
        for d in &record.dependencies {
            let (resource, instance) = match d {
                Dependency::Instance(a) => (&a.resource, Some(a)),
                Dependency::Resource(r) => (r, None),
            };
            if instance.is_none() && !seen.insert(resource) {
                continue;
            }
            let from = RecordKey::from(resource.instance(None));
            let of_it = state
                .records
                .range(from..)
                .take_while(|(k, _)| k.address.resource == *resource)
                .filter(|(k, _)| instance.is_none_or(|a| k.address == *a));
            for (k, _) in of_it {
                if found.insert(k.clone()) {
                    open.push(k.clone());
                }
            }
        }
    }
    found
}

fn in_effect(targets: bool) -> Diagnostic {
    let (flag, what) = if targets {
        ("-target", "only what is named and what it depends on")
    } else {
        (
            "-exclude",
            "everything but what is named and what depends on it",
        )
    };
    Diagnostic::warning(
        "Resource targeting is in effect",
        format!(
            "With {flag} the plan is about {what}. The result may not be all that the configuration asks for. Use it to recover from mistakes, or where an error message suggests it; plan once more without it afterwards."
        ),
    )
}

fn names_nothing(target: &Target) -> Diagnostic {
    Diagnostic::warning(
        "Target names nothing",
        format!("Neither the configuration nor the state has anything at {target}."),
    )
}
