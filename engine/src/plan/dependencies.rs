//! What depends on what: over the static graph, and for one instance as precisely as its references are.

use super::Planner;
use crate::address::{InstanceKey, ResourceAddress, ResourceMode};
use crate::config::{Config, ModuleId, Resource};
use crate::graph::{Graph, Node};
use crate::lang::ast::{Expression, Reference, Target};
use crate::lang::eval::evaluate;
use crate::store::Dependency;
use crate::world::{Each, ModuleScope, instance_key};
use petgraph::graph::NodeIndex;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

impl Planner<'_> {
    /// The instance that a reference asks for, when it asks for one and that is known.
    pub(super) fn reference_key(
        &self,
        r: &Reference,
        m: ModuleId,
        i: usize,
        each: &Each,
    ) -> Option<InstanceKey> {
        let Target::Resource(mode, t, n) = &r.target else {
            return None;
        };
        let instances =
            self.world.modules[m]
                .get(i)?
                .resources
                .get(&(*mode, t.clone(), n.clone()))?;
        let expression = Expression {
            expr: r.key.clone()?,
            file: crate::lang::source::SourceFile::new("", String::new()),
            references: Vec::new(),
        };
        let scope = ModuleScope {
            each: Some(each),
            ..self.world.scope(m, i)
        };
        instance_key(instances.shape, &evaluate(&expression, &scope).ok()?)
    }

    /// What a block's references ask for, worked out once for all of its instances.
    pub(super) fn wants<'a>(
        &self,
        graph: &Graph,
        index: NodeIndex,
        resource: &'a Resource,
        m: ModuleId,
    ) -> Wants<'a> {
        let all = self.resource_deps.get(&index).cloned().unwrap_or_default();
        let mut wants = Wants {
            all,
            whole: HashSet::new(),
            keyed: Vec::new(),
        };
        if wants.all.is_empty() {
            return wants;
        }
        let node_of = |r: &Reference| match &r.target {
            Target::Resource(mode, t, n) => {
                graph.find(&Node::Resource(m, (*mode, t.clone(), n.clone())))
            }
            _ => None,
        };
        // What is needed as a whole: by name, or through something else than a managed resource.
        let named = resource.depends_on.iter();
        wants
            .whole
            .extend(named.filter_map(|mention| node_of(&mention.reference)));
        for via in graph.requirements(index) {
            let managed = matches!(
                &graph.graph[via],
                Node::Resource(_, (ResourceMode::Managed, ..))
            );
            if !managed && let Some(set) = self.resource_deps.get(&via) {
                wants.whole.extend(set.iter());
            }
        }
        let mut references = Vec::new();
        resource.body.references(&mut references);
        references.extend(
            resource
                .repetition
                .expression()
                .into_iter()
                .flat_map(|e| &e.references),
        );
        for rule in &resource.lifecycle.preconditions {
            references.extend(&rule.condition.references);
            references.extend(&rule.error_message.references);
        }
        let triggers = &resource.lifecycle.replace_triggered_by;
        references.extend(triggers.iter().map(|m| &m.reference));
        references.extend(
            resource
                .provisioning()
                .into_iter()
                .flat_map(|e| &e.references),
        );
        for r in references {
            let Some(node) = node_of(r) else { continue };
            match &r.key {
                Some(_) => wants.keyed.push((node, r)),
                None => {
                    wants.whole.insert(node);
                }
            }
        }
        wants
    }

    /// What an instance depends on: the managed resources behind its references, one instance
    /// where the reference asks for one, else all. Those of its provider's configuration too.
    pub(super) fn dependencies(
        &self,
        graph: &Graph,
        wants: &Wants<'_>,
        m: ModuleId,
        i: usize,
        each: &Each,
    ) -> Vec<Dependency> {
        // `None` where one of the references asks for all.
        let mut keys: HashMap<NodeIndex, Option<Vec<InstanceKey>>> = HashMap::new();
        for (node, r) in &wants.keyed {
            if wants.whole.contains(node) {
                continue;
            }
            match (
                self.reference_key(r, m, i, each),
                keys.entry(*node).or_insert_with(|| Some(Vec::new())),
            ) {
                (Some(k), Some(keys)) => keys.push(k),
                (None, entry) => *entry = None,
                (Some(_), None) => {}
            }
        }
        let mut made = Vec::new();
        for node in wants.all.iter() {
            let Node::Resource(module, key) = &graph.graph[*node] else {
                continue;
            };
            for seen in self.world.seen_from(m, i, *module) {
                let address = ResourceAddress {
                    module: self.world.modules[*module][seen].address.clone(),
                    mode: key.0,
                    type_name: key.1.clone(),
                    name: key.2.clone(),
                };
                match keys.get(node) {
                    Some(Some(keys)) if *module == m => {
                        made.extend(
                            keys.iter()
                                .map(|k| Dependency::Instance(address.instance(Some(k.clone())))),
                        );
                    }
                    _ => made.push(Dependency::Resource(address)),
                }
            }
        }
        made.sort();
        made.dedup();
        made
    }
}

/// What the references of a block ask for.
pub(super) struct Wants<'a> {
    /// All managed resources behind it.
    all: Arc<BTreeSet<NodeIndex>>,
    /// Those of which it needs every instance.
    whole: HashSet<NodeIndex>,
    /// References to one instance of a resource in the same module.
    keyed: Vec<(NodeIndex, &'a Arc<Reference>)>,
}

/// For each node the managed resources it depends on, directly or through what is not a managed
/// resource.
pub(super) fn resource_dependencies(graph: &Graph) -> HashMap<NodeIndex, Arc<BTreeSet<NodeIndex>>> {
    let mut all: HashMap<NodeIndex, Arc<BTreeSet<NodeIndex>>> = HashMap::new();
    let managed = |n: NodeIndex| {
        matches!(
            &graph.graph[n],
            Node::Resource(_, (ResourceMode::Managed, ..))
        )
    };
    for n in &graph.order {
        let mut sets: Vec<Arc<BTreeSet<NodeIndex>>> = Vec::new();
        let mut own = BTreeSet::new();
        for r in graph.requirements(*n) {
            if managed(r) {
                own.insert(r);
            } else if let Some(s) = all.get(&r)
                && !s.is_empty()
            {
                sets.push(s.clone());
            }
        }
        // Most nodes pass on one set unchanged: share it.
        let made = match (own.is_empty(), sets.as_slice()) {
            (true, [one]) => one.clone(),
            _ => {
                for s in sets {
                    own.extend(s.iter());
                }
                Arc::new(own)
            }
        };
        all.insert(*n, made);
    }
    all
}

/// The resources with `create_before_destroy`, and what those depend on: an object that stays
/// until its replacement exists cannot outlive what it needs (Terraform forces the same).
pub(super) fn create_first(
    config: &Config,
    graph: &Graph,
    dependencies: &HashMap<NodeIndex, Arc<BTreeSet<NodeIndex>>>,
) -> HashSet<NodeIndex> {
    let mut found = HashSet::new();
    for n in graph.order.iter().rev() {
        let Node::Resource(m, key) = &graph.graph[*n] else {
            continue;
        };
        let asked = config
            .module(*m)
            .resources
            .get(key)
            .is_some_and(|r| r.lifecycle.create_before_destroy);
        if asked {
            found.insert(*n);
        }
        if found.contains(n) {
            found.extend(dependencies.get(n).iter().flat_map(|s| s.iter()).copied());
        }
    }
    found
}
