//! The static graph: what refers to what, before any instance exists.
//!
//! Nodes are configuration objects of static modules. References to a whole module go through
//! one of two join nodes of that module, so that the number of edges stays linear in the size of
//! the configuration.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

use petgraph::Direction;
use petgraph::algo::{kosaraju_scc, toposort};
use petgraph::graph::{DiGraph, NodeIndex};
use topo_sdk::{Diagnostic, Diagnostics, SourceRange};

use crate::address::ResourceMode;
use crate::config::{
    Argument, Config, ImportIdentity, Mention, ModuleId, ProviderKey, ResourceKey,
};
use crate::lang::ast::{Expression, Reference, Target};
use crate::lang::source::SourceFile;
use crate::lang::structure::article;

/// A configuration object.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Node {
    /// An input variable.
    Variable(ModuleId, Arc<str>),
    /// A local value.
    Local(ModuleId, Arc<str>),
    /// An output.
    Output(ModuleId, Arc<str>),
    /// A call in a module: makes the instances of the module that it calls.
    Call(ModuleId, Arc<str>),
    /// A resource or data source.
    Resource(ModuleId, ResourceKey),
    /// A provider block.
    Provider(ModuleId, ProviderKey),
    /// A `check` block.
    Check(ModuleId, Arc<str>),
    /// All outputs of a module.
    Outputs(ModuleId),
    /// Everything in a module.
    Closed(ModuleId),
}

impl Node {
    /// The module that it is in; of [`Node::Outputs`] and [`Node::Closed`] the module itself.
    pub fn module(&self) -> ModuleId {
        match self {
            Node::Variable(m, _)
            | Node::Local(m, _)
            | Node::Output(m, _)
            | Node::Call(m, _)
            | Node::Resource(m, _)
            | Node::Provider(m, _)
            | Node::Check(m, _)
            | Node::Outputs(m)
            | Node::Closed(m) => *m,
        }
    }
}

/// The static graph. Edges lead from what is referred to, to what refers to it.
#[derive(Debug)]
pub struct Graph {
    /// Nodes and edges; an edge knows where the reference is written.
    pub graph: DiGraph<Node, Option<SourceRange>>,
    index: HashMap<Node, NodeIndex>,
    /// Every node after all that it refers to.
    pub order: Vec<NodeIndex>,
}

impl Graph {
    /// Whether everything that an expression in a module refers to is declared: errors where not.
    pub fn check(
        &self,
        config: &Config,
        id: ModuleId,
        expression: &Expression,
        diagnostics: &mut Diagnostics,
    ) {
        for r in &expression.references {
            let range = expression.file.range(r.span);
            target(config, &self.index, id, r, &range, diagnostics);
        }
    }

    /// Builds the graph.
    ///
    /// `None` with errors in `diagnostics` for references to what does not exist, and for cycles,
    /// as the path of references. With `undeclared_imports`, an `import` block may name a
    /// resource that could be declared.
    pub fn build(
        config: &Config,
        undeclared_imports: bool,
        diagnostics: &mut Diagnostics,
    ) -> Option<Graph> {
        let mut builder = Builder {
            config,
            graph: DiGraph::new(),
            index: HashMap::new(),
            undeclared_imports,
            diagnostics: Diagnostics::new(),
        };
        builder.nodes();
        for id in 0..config.modules.len() {
            builder.edges(id);
        }
        let Builder {
            graph,
            index,
            diagnostics: found,
            ..
        } = builder;
        let failed = found.has_errors();
        diagnostics.extend(found);
        if failed {
            return None;
        }
        match toposort(&graph, None) {
            Ok(order) => Some(Graph {
                graph,
                index,
                order,
            }),
            Err(_) => {
                diagnostics.extend(cycles(config, &graph));
                None
            }
        }
    }

    /// The node that a name in a module leads to; `None` where it is not the name of a node.
    pub fn named(&self, config: &Config, module: ModuleId, target: &Target) -> Option<NodeIndex> {
        self.find(&match target {
            Target::Variable(n) => Node::Variable(module, n.clone()),
            Target::Local(n) => Node::Local(module, n.clone()),
            Target::Resource(m, t, n) => Node::Resource(module, (*m, t.clone(), n.clone())),
            Target::Module(n, output) => {
                let child = config.module(module).calls.get(n)?.module;
                match output {
                    Some(o) => Node::Output(child, o.clone()),
                    None => Node::Outputs(child),
                }
            }
            _ => return None,
        })
    }

    /// The index of a node.
    pub fn find(&self, node: &Node) -> Option<NodeIndex> {
        self.index.get(node).copied()
    }

    /// What a node refers to directly.
    pub fn requirements(&self, node: NodeIndex) -> impl Iterator<Item = NodeIndex> + '_ {
        self.graph.neighbors_directed(node, Direction::Incoming)
    }

    /// A node and everything that it needs, in order.
    pub fn ancestors(&self, of: NodeIndex) -> Vec<NodeIndex> {
        let mut seen: BTreeSet<NodeIndex> = BTreeSet::new();
        let mut open = vec![of];
        while let Some(n) = open.pop() {
            if seen.insert(n) {
                open.extend(self.requirements(n));
            }
        }
        self.order
            .iter()
            .copied()
            .filter(|n| seen.contains(n))
            .collect()
    }
}

struct Builder<'a> {
    config: &'a Config,
    graph: DiGraph<Node, Option<SourceRange>>,
    index: HashMap<Node, NodeIndex>,
    undeclared_imports: bool,
    diagnostics: Diagnostics,
}

impl Builder<'_> {
    fn add(&mut self, node: Node) -> NodeIndex {
        let i = self.graph.add_node(node.clone());
        self.index.insert(node, i);
        i
    }

    fn nodes(&mut self) {
        for (id, module) in self.config.modules.iter().enumerate() {
            for name in module.variables.keys() {
                self.add(Node::Variable(id, name.clone()));
            }
            for name in module.locals.keys() {
                self.add(Node::Local(id, name.clone()));
            }
            for name in module.calls.keys() {
                self.add(Node::Call(id, name.clone()));
            }
            for key in module.providers.keys() {
                self.add(Node::Provider(id, key.clone()));
            }
            for key in module.resources.keys() {
                self.add(Node::Resource(id, key.clone()));
            }
            for name in module.outputs.keys() {
                self.add(Node::Output(id, name.clone()));
            }
            for name in module.checks.keys() {
                self.add(Node::Check(id, name.clone()));
            }
            self.add(Node::Outputs(id));
            self.add(Node::Closed(id));
        }
    }

    fn edge(&mut self, from: &Node, to: NodeIndex, range: Option<SourceRange>) {
        if let Some(from) = self.index.get(from) {
            self.graph.add_edge(*from, to, range);
        }
    }

    fn edges(&mut self, id: ModuleId) {
        let config = self.config;
        let module = config.module(id);
        let own_call = module
            .parent
            .clone()
            .map(|(parent, name)| Node::Call(parent, name));
        let closed = self.index[&Node::Closed(id)];
        for (name, variable) in &module.variables {
            let node = self.index[&Node::Variable(id, name.clone())];
            if let (Some(call), Some((parent, call_name))) = (&own_call, &module.parent) {
                self.edge(call, node, None);
                let argument = config
                    .module(*parent)
                    .calls
                    .get(call_name)
                    .and_then(|c| c.arguments.get(name));
                if let Some(Argument { value: e, .. }) = argument {
                    self.refer(*parent, &e.references, &e.file, node);
                }
            }
            for rule in &variable.validations {
                for e in [&rule.condition, &rule.error_message] {
                    let others: Vec<Arc<Reference>> = e
                        .references
                        .iter()
                        .filter(|r| r.target != Target::Variable(name.clone()))
                        .cloned()
                        .collect();
                    self.refer(id, &others, &e.file, node);
                }
            }
        }
        for (name, e) in &module.locals {
            let node = self.index[&Node::Local(id, name.clone())];
            if let Some(call) = &own_call {
                self.edge(call, node, None);
            }
            self.refer(id, &e.references, &e.file, node);
        }
        for (name, call) in &module.calls {
            let node = self.index[&Node::Call(id, name.clone())];
            if let Some(own) = &own_call {
                self.edge(own, node, None);
            }
            if let Some(e) = call.repetition.expression() {
                self.refer(id, &e.references, &e.file, node);
            }
            self.depend(id, &call.depends_on, node);
            for argument in call.arguments.keys() {
                let child = config.module(call.module);
                if !child.variables.contains_key(argument) {
                    let hint = crate::suggest::did_you_mean(argument, child.variables.keys());
                    let range = call.arguments[argument].name_range();
                    self.diagnostics.push(
                        Diagnostic::error(
                            "Unsupported argument",
                            format!(
                                "The module {name:?} has no variable named {argument:?}.{hint}"
                            ),
                        )
                        .with_range(Some(range)),
                    );
                }
            }
            for (variable, v) in &config.module(call.module).variables {
                if let (Some(instead), Some(a)) = (&v.deprecated, call.arguments.get(variable)) {
                    self.diagnostics.push(
                        Diagnostic::warning(
                            "Variable marked as deprecated by the module author",
                            format!("Variable {variable:?} is marked as deprecated with the following message:\n{instead}"),
                        )
                        .with_range(Some(a.name_range())),
                    );
                }
                if v.default.is_none() && !call.arguments.contains_key(variable) {
                    self.diagnostics.push(
                        Diagnostic::error("Missing required argument", format!("The module call {name:?} must set the variable {variable:?}, which has no default."))
                            .with_range(Some(call.range.clone())),
                    );
                }
            }
            let child_closed = Node::Closed(call.module);
            self.edge(&child_closed, closed, None);
        }
        for (key, block) in &module.providers {
            let node = self.index[&Node::Provider(id, key.clone())];
            if let Some(call) = &own_call {
                self.edge(call, node, None);
            }
            let mut expressions = Vec::new();
            block.body.expressions(&mut expressions);
            for e in expressions {
                self.refer(id, &e.references, &e.file, node);
            }
        }
        for (key, r) in &module.resources {
            let node = self.index[&Node::Resource(id, key.clone())];
            if let Some(call) = &own_call {
                self.edge(call, node, None);
            }
            if let Some((m, _)) = config.provider_block(&r.provider_address) {
                let provider = config.modules[m]
                    .providers
                    .iter()
                    .find(|((_, alias), b)| {
                        b.provider == r.provider_address.name && *alias == r.provider_address.alias
                    })
                    .map(|(k, _)| Node::Provider(m, k.clone()));
                if let Some(p) = provider {
                    self.edge(&p, node, None);
                }
            }
            if let Some(e) = r.repetition.expression() {
                self.refer(id, &e.references, &e.file, node);
            }
            let mut expressions = Vec::new();
            r.body.expressions(&mut expressions);
            let rules = &r.lifecycle;
            for rule in rules.preconditions.iter().chain(&rules.postconditions) {
                expressions.extend([&rule.condition, &rule.error_message]);
            }
            for e in expressions {
                self.refer(id, &e.references, &e.file, node);
            }
            // Evaluated when the object is there: these may name it.
            let itself = Target::Resource(key.0, key.1.clone(), key.2.clone());
            for e in r.provisioning() {
                let others: Vec<Arc<Reference>> = e
                    .references
                    .iter()
                    .filter(|r| r.target != itself)
                    .cloned()
                    .collect();
                self.refer(id, &others, &e.file, node);
            }
            for mention in &r.lifecycle.replace_triggered_by {
                let reference = std::slice::from_ref(&mention.reference);
                self.refer(id, reference, &mention.file, node);
            }
            self.depend(id, &r.depends_on, node);
            self.edge(&Node::Resource(id, key.clone()), closed, None);
        }
        self.checks_and_imports(id);
        let outputs = self.index[&Node::Outputs(id)];
        for (name, output) in &module.outputs {
            let node = self.index[&Node::Output(id, name.clone())];
            if let Some(call) = &own_call {
                self.edge(call, node, None);
            }
            self.refer(id, &output.value.references, &output.value.file, node);
            for rule in &output.preconditions {
                self.refer(id, &rule.condition.references, &rule.condition.file, node);
                self.refer(
                    id,
                    &rule.error_message.references,
                    &rule.error_message.file,
                    node,
                );
            }
            self.depend(id, &output.depends_on, node);
            let node = Node::Output(id, name.clone());
            self.edge(&node, outputs, None);
        }
        if let Some(call) = &own_call {
            self.edge(call, outputs, None);
            self.edge(call, closed, None);
        }
        self.edge(&Node::Outputs(id), closed, None);
    }

    /// `check` blocks come after what they refer to; what an `import` block refers to comes before
    /// the resource that it is for.
    fn checks_and_imports(&mut self, id: ModuleId) {
        let module = self.config.module(id);
        for (name, check) in &module.checks {
            let node = self.index[&Node::Check(id, name.clone())];
            if let Some((parent, call)) = &module.parent {
                self.edge(&Node::Call(*parent, call.clone()), node, None);
            }
            for e in check
                .assertions
                .iter()
                .flat_map(|rule| [&rule.condition, &rule.error_message])
            {
                self.refer(id, &e.references, &e.file, node);
            }
            if let Some(data) = &check.data {
                self.edge(&Node::Resource(id, data.clone()), node, None);
            }
        }
        for import in &module.imports {
            let to = &import.to;
            let mut target = Some(id);
            for (call, _) in &to.modules {
                target = target.and_then(|m| Some(self.config.module(m).calls.get(call)?.module));
            }
            let found = target.and_then(|m| {
                let key = (ResourceMode::Managed, to.type_name.clone(), to.name.clone());
                self.index.get(&Node::Resource(m, key)).copied()
            });
            let Some(node) = found else {
                let (summary, detail) = if !self.undeclared_imports {
                    (
                        "Configuration for import target does not exist",
                        "The resource that the import block names is not in the configuration. Add its resource block, or have one written: plan -generate-config-out=generated.tf",
                    )
                } else if !to.modules.is_empty() {
                    (
                        "Cannot generate configuration for resource inside sub-module",
                        "The resource that the import block names is not in the configuration, and configuration is written for resources of the root module only. Add its resource block to the module.",
                    )
                } else if to.key.is_some() {
                    (
                        "Configuration generation for count and for_each resources not supported",
                        "The resource that the import block names is not in the configuration, and configuration is written for single resources only. Add a resource block with count or for_each, or leave the key out.",
                    )
                } else {
                    continue;
                };
                self.diagnostics
                    .push(Diagnostic::error(summary, detail).with_range(Some(to.range.clone())));
                continue;
            };
            let (ImportIdentity::Id(identity) | ImportIdentity::Object(identity)) =
                &import.identity;
            let keys = to.modules.iter().filter_map(|(_, key)| key.as_ref());
            for e in keys
                .chain(&to.key)
                .chain(&import.for_each)
                .chain([identity])
            {
                self.refer(id, &e.references, &e.file, node);
            }
        }
    }

    fn refer(
        &mut self,
        id: ModuleId,
        references: &[Arc<Reference>],
        file: &Arc<SourceFile>,
        to: NodeIndex,
    ) {
        for r in references {
            let range = file.range(r.span);
            if let Some(from) = self.target(id, r, &range) {
                self.scoped(&from, to, &range);
                self.edge(&from, to, Some(range));
            }
        }
    }

    /// A data source inside of a `check` block is seen by that block alone.
    fn scoped(&mut self, from: &Node, to: NodeIndex, range: &SourceRange) {
        let Node::Resource(m, key) = from else { return };
        let Some(check) = &self.config.module(*m).resources[key].check else {
            return;
        };
        let seen = match &self.graph[to] {
            Node::Check(_, name) => name == check,
            other => other == from,
        };
        if !seen {
            self.diagnostics.push(
                Diagnostic::error(
                    "Reference to scoped resource",
                    format!("data.{}.{} is inside of the check block {check:?}, and only its assertions can refer to it.", key.1, key.2),
                )
                .with_range(Some(range.clone())),
            );
        }
    }

    /// `depends_on`: on everything in a module, not only its outputs.
    fn depend(&mut self, id: ModuleId, mentions: &[Mention], to: NodeIndex) {
        for mention in mentions {
            let range = mention.range();
            let reference = &mention.reference;
            let from = match &reference.target {
                Target::Module(name, None) => match self.config.module(id).calls.get(name) {
                    Some(call) => Some(Node::Closed(call.module)),
                    None => self.target(id, reference, &range),
                },
                _ => self.target(id, reference, &range),
            };
            if let Some(from) = from {
                self.scoped(&from, to, &range);
                self.edge(&from, to, Some(range));
            }
        }
    }

    /// The node that a reference names; an error where there is none.
    fn target(&mut self, id: ModuleId, r: &Reference, range: &SourceRange) -> Option<Node> {
        target(
            self.config,
            &self.index,
            id,
            r,
            range,
            &mut self.diagnostics,
        )
    }
}

/// The node that a reference names; an error where there is none.
fn target(
    config: &Config,
    index: &HashMap<Node, NodeIndex>,
    id: ModuleId,
    r: &Reference,
    range: &SourceRange,
    diagnostics: &mut Diagnostics,
) -> Option<Node> {
    let module = config.module(id);
    let node = match &r.target {
        Target::Variable(n) => Node::Variable(id, n.clone()),
        Target::Local(n) => Node::Local(id, n.clone()),
        Target::Resource(m, t, n) => Node::Resource(id, (*m, t.clone(), n.clone())),
        Target::Module(n, output) => match (module.calls.get(n), output) {
            (Some(call), Some(o)) if config.module(call.module).outputs.contains_key(o) => {
                let output = &config.module(call.module).outputs[o];
                if let Some(instead) = &output.deprecated {
                    diagnostics.push(
                        Diagnostic::warning(
                            "Value derived from a deprecated source",
                            format!("The output {o:?} of module {n:?} is marked as deprecated with the following message:\n{instead}"),
                        )
                        .with_range(Some(range.clone())),
                    );
                }
                Node::Output(call.module, o.clone())
            }
            (Some(call), Some(o)) => {
                let known = config.module(call.module).outputs.keys();
                let hint = crate::suggest::did_you_mean(o, known);
                let detail = format!("The module {n:?} has no output named {o:?}.{hint}");
                diagnostics.push(
                    Diagnostic::error("Unsupported attribute", detail)
                        .with_range(Some(range.clone())),
                );
                return None;
            }
            (Some(call), None) => Node::Outputs(call.module),
            (None, _) => Node::Call(id, n.clone()),
        },
        _ => return None,
    };
    if index.contains_key(&node) {
        return Some(node);
    }
    let (summary, detail) = match &node {
        Node::Variable(_, n) => (
            "Reference to undeclared input variable",
            format!(
                "An input variable with the name {n:?} has not been declared.{}",
                crate::suggest::did_you_mean(n, module.variables.keys())
            ),
        ),
        Node::Local(_, n) => (
            "Reference to undeclared local value",
            format!(
                "A local value with the name {n:?} has not been declared.{}",
                crate::suggest::did_you_mean(n, module.locals.keys())
            ),
        ),
        Node::Call(_, n) => (
            "Reference to undeclared module",
            format!(
                "No module call named {n:?} is declared here.{}",
                crate::suggest::did_you_mean(n, module.calls.keys())
            ),
        ),
        _ => {
            let known = module
                .resources
                .keys()
                .map(|(m, t, n)| Target::Resource(*m, t.clone(), n.clone()).to_string());
            let what = match r.target {
                Target::Resource(ResourceMode::Data, ..) => "data source",
                Target::Resource(ResourceMode::Ephemeral, ..) => "ephemeral resource",
                _ => "resource",
            };
            let mut hint = crate::suggest::did_you_mean(&r.target.to_string(), known);
            if let Target::Resource(mode, t, n) = &r.target {
                let other = [
                    ResourceMode::Managed,
                    ResourceMode::Data,
                    ResourceMode::Ephemeral,
                ]
                .into_iter()
                .filter(|m| m != mode)
                .map(|m| (m, t.clone(), n.clone()))
                .find(|key| module.resources.contains_key(key));
                if let Some((m, t, n)) = other {
                    hint = format!(" Did you mean {:?}?", Target::Resource(m, t, n).to_string());
                }
            }
            (
                "Reference to undeclared resource",
                format!(
                    "{} {what} {} has not been declared in this module.{hint}",
                    article(what),
                    r.target
                ),
            )
        }
    };
    diagnostics.push(Diagnostic::error(summary, detail).with_range(Some(range.clone())));
    None
}

/// Every cycle as the path of references, each with its place.
fn cycles(config: &Config, graph: &DiGraph<Node, Option<SourceRange>>) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    // Not by recursion, as the other algorithm: a chain of references may be long.
    for component in kosaraju_scc(graph) {
        let members: BTreeSet<NodeIndex> = component.iter().copied().collect();
        let own_loop = component.len() == 1 && graph.contains_edge(component[0], component[0]);
        if component.len() < 2 && !own_loop {
            continue;
        }
        // Walk within the component until a node comes up again: that walk is a cycle.
        let mut walk = vec![component[0]];
        let mut places = HashMap::from([(component[0], 0)]);
        let cycle = loop {
            let last = walk[walk.len() - 1];
            let Some(next) = graph
                .neighbors_directed(last, Direction::Incoming)
                .find(|n| members.contains(n))
            else {
                break walk;
            };
            if let Some(at) = places.insert(next, walk.len()) {
                break walk.split_off(at);
            }
            walk.push(next);
        };
        if let [node] = cycle.as_slice() {
            let name = name(config, &graph[*node]);
            let range = graph
                .edges_connecting(*node, *node)
                .find_map(|e| e.weight().clone());
            diagnostics.push(
                Diagnostic::error(
                    "Self-referential configuration",
                    format!("The configuration of {name} may not refer to {name} itself."),
                )
                .with_range(range),
            );
            continue;
        }
        let mut detail =
            String::from("Each of these refers to the next, and the last to the first:");
        let mut first_range = None;
        let mut links: Vec<(NodeIndex, Option<SourceRange>)> = Vec::new();
        for (i, node) in cycle.iter().enumerate() {
            let next = cycle.get(i + 1).unwrap_or(&cycle[0]);
            let mut edges = graph.edges_connecting(*next, *node);
            links.push((*node, edges.find_map(|e| e.weight().clone())));
        }
        // It begins where a reader of the files meets it first.
        let place = |range: &Option<SourceRange>| match range {
            Some(r) => (0, r.file.clone(), r.start.byte),
            None => (1, "".into(), 0),
        };
        let first = (0..links.len()).min_by_key(|i| place(&links[*i].1));
        links.rotate_left(first.unwrap_or_default());
        for (node, range) in &links {
            let _ = write!(detail, "\n  {}", name(config, &graph[*node]));
            if let Some(r) = range {
                let _ = write!(detail, " ({r})");
            }
            first_range = first_range.or_else(|| range.clone());
        }
        diagnostics.push(Diagnostic::error("Cycle in references", detail).with_range(first_range));
    }
    diagnostics
}

/// A node in the notation that people know.
pub fn name(config: &Config, node: &Node) -> String {
    let prefix = |id: &ModuleId| -> String {
        config
            .module(*id)
            .path
            .iter()
            .map(|p| format!("module.{p}."))
            .collect()
    };
    match node {
        Node::Variable(m, n) => format!("{}var.{n}", prefix(m)),
        Node::Local(m, n) => format!("{}local.{n}", prefix(m)),
        Node::Output(m, n) => format!("{}output.{n}", prefix(m)),
        Node::Call(m, n) => format!("{}module.{n}", prefix(m)),
        Node::Resource(m, (mode, t, n)) => {
            format!(
                "{}{}",
                prefix(m),
                Target::Resource(*mode, t.clone(), n.clone())
            )
        }
        Node::Provider(m, (n, None)) => format!("{}provider.{n}", prefix(m)),
        Node::Provider(m, (n, Some(a))) => format!("{}provider.{n}.{a}", prefix(m)),
        Node::Check(m, n) => format!("{}check.{n}", prefix(m)),
        Node::Outputs(m) => format!("{}(outputs)", prefix(m)),
        Node::Closed(m) => format!("{}(close)", prefix(m)),
    }
}

/// The graph of resources, data sources and providers in DOT, the language of Graphviz: an arrow
/// leads from an object to what it depends on. What is between them (variables, local values,
/// outputs) is left out, the arrows lead through it.
pub fn dot(config: &Config, graph: &Graph) -> String {
    let shown = |n: NodeIndex| matches!(graph.graph[n], Node::Resource(..) | Node::Provider(..));
    // What each node leads to through nodes that are not shown, each found once, in order.
    let mut through: HashMap<NodeIndex, BTreeSet<NodeIndex>> = HashMap::new();
    for n in &graph.order {
        let mut found = BTreeSet::new();
        for r in graph.requirements(*n) {
            if shown(r) {
                found.insert(r);
            } else if let Some(further) = through.get(&r) {
                found.extend(further);
            }
        }
        through.insert(*n, found);
    }
    let mut out = String::from(
        "digraph {\n  rankdir = \"RL\"\n  node [shape = rect, fontname = \"sans-serif\"]\n",
    );
    let quoted =
        |n: NodeIndex| format!("\"{}\"", name(config, &graph.graph[n]).replace('"', "\\\""));
    for n in graph.order.iter().filter(|n| shown(**n)) {
        let _ = writeln!(out, "  {}", quoted(*n));
    }
    for n in graph.order.iter().filter(|n| shown(**n)) {
        for r in &through[n] {
            let _ = writeln!(out, "  {} -> {}", quoted(*n), quoted(*r));
        }
    }
    out.push_str("}\n");
    out
}
