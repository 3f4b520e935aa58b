//! Expressions as `show -json` has them: the constant that one is, or what it refers to.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use topo_engine::address::InstanceKey;
use topo_engine::config::Nothing;
use topo_engine::lang::ast::{Expr, ExprKind, Expression, Reference, Target};
use topo_engine::lang::eval::evaluate;
use topo_sdk::{Step, Value, json::to_json};

/// `constant_value` or `references`; nothing for what only a function call can tell.
pub fn expression(e: &Expression) -> Json {
    let mut out = Map::new();
    if let Some(value) = constant(e) {
        out.insert("constant_value".into(), to_json(&value));
    }
    let references = references(e);
    if !references.is_empty() {
        out.insert("references".into(), json!(references));
    }
    Json::Object(out)
}

/// The value of an expression that refers to nothing and calls nothing.
fn constant(e: &Expression) -> Option<Value> {
    if !e.references.is_empty() || calls(&e.expr) {
        return None;
    }
    evaluate(e, &Nothing).ok()
}

fn calls(e: &Expr) -> bool {
    let mut found = matches!(e.kind, ExprKind::Call(_));
    e.children(&mut |child| found = found || calls(child));
    found
}

/// Each reference, then each shorter one that it goes through, down to the smallest thing that
/// can be referred to.
fn references(e: &Expression) -> Vec<String> {
    let mut all = Vec::new();
    let mut seen = HashSet::new();
    for text in traversals(e).iter().flat_map(Traversal::names) {
        if seen.insert(text.clone()) {
            all.push(text);
        }
    }
    all
}

/// A reference with the attributes and constant indexes that it goes into.
#[derive(Debug)]
pub struct Traversal<'e> {
    /// What is referred to.
    pub target: &'e Target,
    /// Which instance, where that is a constant.
    pub key: Option<InstanceKey>,
    /// Where it goes from there.
    pub rest: Vec<Step>,
}

/// Every reference in an expression.
pub fn traversals(e: &Expression) -> Vec<Traversal<'_>> {
    let mut found = Vec::new();
    collect(&e.expr, &mut found);
    found
}

fn collect<'e>(e: &'e Expr, found: &mut Vec<Traversal<'e>>) {
    let mut rest = Vec::new();
    let mut inner = e;
    loop {
        inner = match &inner.kind {
            ExprKind::GetAttr(from, name) => {
                rest.push(Step::Attribute(name.clone()));
                from
            }
            ExprKind::Index(pair) => match step(&pair.1) {
                Some(step) => {
                    rest.push(step);
                    &pair.0
                }
                None => break,
            },
            _ => break,
        };
    }
    rest.reverse();
    match &inner.kind {
        ExprKind::Reference(r) => reference(r, rest, found),
        _ => inner.children(&mut |child| collect(child, found)),
    }
}

fn reference<'e>(r: &'e Reference, mut rest: Vec<Step>, found: &mut Vec<Traversal<'e>>) {
    let mut key = None;
    if let Some(given) = &r.key {
        let has_instances = matches!(r.target, Target::Resource(..) | Target::Module(..));
        match step(given) {
            Some(step) if has_instances => key = instance(step),
            Some(step) => rest.insert(0, step),
            None => rest.clear(),
        }
    }
    found.push(Traversal {
        target: &r.target,
        key,
        rest,
    });
    if let Some(given) = &r.key {
        collect(given, found);
    }
}

/// A constant index.
fn step(e: &Expr) -> Option<Step> {
    let ExprKind::Literal(value) = &e.kind else {
        return None;
    };
    match (value.as_str(), value.as_i64()) {
        (Some(key), _) => Some(Step::Key(key.into())),
        (None, Some(i)) => Some(Step::Index(usize::try_from(i).ok()?)),
        (None, None) => None,
    }
}

fn instance(step: Step) -> Option<InstanceKey> {
    match step {
        Step::Index(i) => Some(InstanceKey::Index(i as u64)),
        Step::Attribute(k) | Step::Key(k) => Some(InstanceKey::Key(k)),
        Step::Element(_) => None,
    }
}

impl Traversal<'_> {
    /// As [`references`] has it.
    fn names(&self) -> Vec<String> {
        let (subject, shorter) = self.subject();
        let mut names = vec![subject.clone()];
        let mut text = subject;
        for step in &self.rest {
            match step {
                Step::Attribute(name) => text.push_str(&format!(".{name}")),
                Step::Key(key) => text.push_str(&InstanceKey::Key(key.clone()).to_string()),
                Step::Index(i) => text.push_str(&format!("[{i}]")),
                Step::Element(_) => {}
            }
            names.push(text.clone());
        }
        names.reverse();
        names.extend(shorter);
        names
    }

    /// The smallest thing with all that is said of it, and what it is part of.
    fn subject(&self) -> (String, Vec<String>) {
        let key = self.key.as_ref().map(ToString::to_string);
        match (self.target, key) {
            (Target::Resource(..), Some(key)) => {
                let whole = self.target.to_string();
                (format!("{whole}{key}"), vec![whole])
            }
            (Target::Module(name, output), key) => {
                let mut names = module_names(name, key);
                if let Some(output) = output {
                    names.insert(0, format!("{}.{output}", names[0]));
                }
                (names.remove(0), names)
            }
            (target, _) => (target.to_string(), Vec::new()),
        }
    }
}

fn module_names(name: &Arc<str>, key: Option<String>) -> Vec<String> {
    let whole = format!("module.{name}");
    match key {
        Some(key) => vec![format!("{whole}{key}"), whole],
        None => vec![whole],
    }
}
