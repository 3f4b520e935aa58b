//! What can be told of references by their form alone, before anything is evaluated: whether an
//! instance key stands where there are instances, and not where there are none, and whether what
//! is taken from a resource is in its schema. A `try` does not excuse any of it.

use std::sync::Arc;

use topo_sdk::{Diagnostic, Diagnostics, Kind, Mode, Path, Step, Type};

use super::{
    CheckRule, Config, IgnoreChanges, ImportIdentity, Module, ModuleId, Repetition, Resource,
};
use crate::address::ResourceMode;
use crate::lang::ast::{Expr, ExprKind, Expression, Part, Reference, Target};
use crate::suggest::did_you_mean;

/// Goes through an expression and everything in it; the keys of references are a part of it.
pub(super) fn visit<'e>(expr: &'e Expr, found: &mut dyn FnMut(&'e Expr)) {
    found(expr);
    match &expr.kind {
        ExprKind::Literal(_) | ExprKind::Bound(_) | ExprKind::SplatItem => {}
        ExprKind::Reference(r) => {
            if let Some(key) = &r.key {
                visit(key, found);
            }
        }
        ExprKind::Template(parts) => visit_parts(parts, found),
        ExprKind::Wrapped(e) | ExprKind::Not(e) | ExprKind::Negate(e) | ExprKind::GetAttr(e, _) => {
            visit(e, found)
        }
        ExprKind::Tuple(items) => items.iter().for_each(|e| visit(e, found)),
        ExprKind::Object(items) => {
            for (key, value) in items {
                visit(key, found);
                visit(value, found);
            }
        }
        ExprKind::Conditional(parts) => {
            visit(&parts.0, found);
            visit(&parts.1, found);
            visit(&parts.2, found);
        }
        ExprKind::Binary(_, pair) | ExprKind::Index(pair) | ExprKind::Splat(pair) => {
            visit(&pair.0, found);
            visit(&pair.1, found);
        }
        ExprKind::Call(call) => call.args.iter().for_each(|e| visit(e, found)),
        ExprKind::For(f) => {
            visit(&f.collection, found);
            if let Some(key) = &f.key {
                visit(key, found);
            }
            visit(&f.value, found);
            if let Some(condition) = &f.condition {
                visit(condition, found);
            }
        }
    }
}

fn visit_parts<'e>(parts: &'e [Part], found: &mut dyn FnMut(&'e Expr)) {
    for part in parts {
        match part {
            Part::Literal(_) => {}
            Part::Interpolation(e) => visit(e, found),
            Part::If(d) => {
                visit(&d.0, found);
                visit_parts(&d.1, found);
                visit_parts(&d.2, found);
            }
            Part::For {
                collection, body, ..
            } => {
                visit(collection, found);
                visit_parts(body, found);
            }
        }
    }
}

/// Checks the references of every expression of a module.
pub(super) fn check(config: &Config, id: ModuleId, diagnostics: &mut Diagnostics) {
    let checker = Checker { config, id };
    for e in expressions(config.module(id)) {
        visit(&e.expr, &mut |expr| checker.expr(e, expr, diagnostics));
    }
}

/// Checks that the paths of `ignore_changes` are there in the schema.
pub(super) fn ignored(resource: &Resource, diagnostics: &mut Diagnostics) {
    let lifecycle = &resource.lifecycle;
    let IgnoreChanges::Paths(paths) = &lifecycle.ignore_changes else {
        return;
    };
    for (path, range) in paths.iter().zip(&lifecycle.ignored_at) {
        if let Some(detail) = not_in(&resource.schema.block.ty(), path) {
            diagnostics.push(
                Diagnostic::error("Invalid ignore_changes", detail).with_range(Some(range.clone())),
            );
        } else if let [Step::Attribute(name)] = path.steps()
            && resource
                .schema
                .block
                .attributes
                .get(name)
                .is_some_and(|a| a.mode == Mode::Computed)
        {
            diagnostics.push(
                Diagnostic::warning("Redundant ignore_changes element", format!("{name:?} cannot be set in the configuration, so there are no changes of it to ignore: the element has no effect."))
                    .with_range(Some(range.clone())),
            );
        }
    }
}

/// What a path asks of a type that the type does not have.
fn not_in(ty: &Type, path: &Path) -> Option<String> {
    let mut at = ty.clone();
    let mut before = Path::root();
    for step in path.steps() {
        let inner = match (&at, step) {
            (Type::Object(o), Step::Attribute(name) | Step::Key(name)) => {
                match o.attributes.get(name) {
                    Some(inner) => Some(inner.clone()),
                    None => {
                        let hint = did_you_mean(name, o.attributes.keys());
                        let place = if before.is_root() {
                            "This resource".to_string()
                        } else {
                            before.to_string()
                        };
                        return Some(format!(
                            "{place} has no argument, block or attribute named {name:?}.{hint}"
                        ));
                    }
                }
            }
            (Type::Map(e), Step::Attribute(_) | Step::Key(_)) => Some((**e).clone()),
            (Type::List(e), Step::Index(_)) => Some((**e).clone()),
            (Type::Tuple(items), Step::Index(i)) => items.get(*i).cloned(),
            (Type::Dynamic, _) => return None,
            _ => None,
        };
        let Some(inner) = inner else {
            return Some(match &at {
                Type::Set(_) => format!(
                    "{before} is a set, whose elements have no names: ignore it as a whole."
                ),
                Type::List(_) => {
                    format!("{before} is a list: its elements are numbered, as in {before}[0].")
                }
                other => format!("{before} is a {}, which has no parts.", other.friendly()),
            });
        };
        at = inner;
        before.push(step.clone());
    }
    None
}

/// Every expression that is written in a module.
fn expressions(module: &Module) -> Vec<&Expression> {
    let mut found: Vec<&Expression> = module.locals.values().collect();
    for v in module.variables.values() {
        found.extend(rules(&v.validations));
    }
    for o in module.outputs.values() {
        found.push(&o.value);
        found.extend(rules(&o.preconditions));
    }
    for c in module.calls.values() {
        found.extend(c.repetition.expression());
        found.extend(c.arguments.values().map(|a| &a.value));
        found.extend(c.providers.values().filter_map(|p| p.instance.as_ref()));
    }
    for p in module.providers.values() {
        found.extend(&p.for_each);
        p.body.expressions(&mut found);
    }
    for r in module.resources.values() {
        found.extend(r.repetition.expression());
        found.extend(&r.provider_instance);
        r.body.expressions(&mut found);
        found.extend(rules(&r.lifecycle.preconditions));
        found.extend(rules(&r.lifecycle.postconditions));
    }
    for c in module.checks.values() {
        found.extend(rules(&c.assertions));
    }
    for i in &module.imports {
        found.extend(&i.for_each);
        found.extend(&i.to.key);
        found.extend(i.to.modules.iter().filter_map(|(_, key)| key.as_ref()));
        let (ImportIdentity::Id(identity) | ImportIdentity::Object(identity)) = &i.identity;
        found.push(identity);
    }
    found
}

fn rules(rules: &[CheckRule]) -> impl Iterator<Item = &Expression> {
    rules.iter().flat_map(|r| [&r.condition, &r.error_message])
}

struct Checker<'a> {
    config: &'a Config,
    id: ModuleId,
}

impl Checker<'_> {
    fn expr(&self, e: &Expression, expr: &Expr, diagnostics: &mut Diagnostics) {
        let mut fail = |r: &Reference, summary: &str, detail: String| {
            let range = e.file.range(r.span);
            diagnostics.push(Diagnostic::error(summary, detail).with_range(Some(range)));
        };
        match &expr.kind {
            ExprKind::Reference(r) => {
                if let Some((summary, detail)) = self.key(r) {
                    fail(r, summary, detail);
                }
            }
            ExprKind::GetAttr(of, name) => {
                if let ExprKind::Reference(r) = &of.kind
                    && let Some((summary, detail)) = self.attribute(r, name)
                {
                    fail(r, summary, detail);
                }
            }
            _ => {}
        }
    }

    fn repetition(&self, target: &Target) -> Option<&Repetition> {
        let module = self.config.module(self.id);
        match target {
            Target::Resource(mode, t, n) => {
                let key = (*mode, t.clone(), n.clone());
                module.resources.get(&key).map(|r| &r.repetition)
            }
            Target::Module(n, _) => module.calls.get(n).map(|c| &c.repetition),
            _ => None,
        }
    }

    /// What is wrong with the instance key of a reference, or with there being none.
    fn key(&self, r: &Reference) -> Option<(&'static str, String)> {
        let repetition = self.repetition(&r.target)?;
        let single = matches!(repetition, Repetition::Single | Repetition::Enabled(_));
        let literal = r.key.as_ref().and_then(|key| match &key.kind {
            ExprKind::Literal(v) => Some(v),
            _ => None,
        });
        let address = match &r.target {
            Target::Module(name, _) => format!("module.{name}"),
            target => target.to_string(),
        };
        match (&r.target, &r.key) {
            (Target::Resource(..), Some(_)) if single => Some((
                "Unexpected resource instance key",
                format!(
                    "{address} has neither count nor for_each, so a reference to it has no index in brackets: there is one instance only."
                ),
            )),
            // A text is the name of an output.
            (Target::Module(..), Some(_))
                if single && literal.is_some_and(|v| v.as_str().is_none()) =>
            {
                Some((
                    "Unexpected module instance key",
                    format!(
                        "{address} has neither count nor for_each, so a reference to it has no index in brackets: there is one instance only."
                    ),
                ))
            }
            (Target::Module(_, Some(output)), None) if !single => Some((
                "Missing module instance key",
                format!(
                    "{address} has {}, so its output {output:?} is taken from one of its instances, as in {address}[{}].{output}{}.",
                    argument(repetition),
                    sample(repetition),
                    all(repetition, &address, output),
                ),
            )),
            (_, Some(_)) if matches!(repetition, Repetition::Count(_)) => {
                let wrong = literal.filter(|v| match v.kind() {
                    Kind::String(s) => s.parse::<u64>().is_err(),
                    Kind::Bool(_) => true,
                    _ => false,
                })?;
                Some((
                    "Invalid index",
                    format!(
                        "{address} has count, so its instances are numbered, and {} is not a number.",
                        crate::lang::eval::describe(wrong)
                    ),
                ))
            }
            _ => None,
        }
    }

    /// What is wrong with taking an attribute from what a reference names.
    fn attribute(&self, r: &Reference, name: &Arc<str>) -> Option<(&'static str, String)> {
        let Target::Resource(mode, t, n) = &r.target else {
            return None;
        };
        let key = (*mode, t.clone(), n.clone());
        let resource = self.config.module(self.id).resources.get(&key)?;
        let repetition = &resource.repetition;
        let single = matches!(repetition, Repetition::Single | Repetition::Enabled(_));
        if !single && r.key.is_none() {
            // In a map of instances an attribute is a key.
            if matches!(repetition, Repetition::ForEach(_))
                && !resource.schema.block.names().any(|known| known == name)
            {
                return None;
            }
            let address = &r.target;
            return Some((
                "Missing resource instance key",
                format!(
                    "{address} has {}, so its attributes are taken from one of its instances, as in {address}[{}].{name}{}.",
                    argument(repetition),
                    sample(repetition),
                    all(repetition, &address.to_string(), name),
                ),
            ));
        }
        if resource.schema.block.names().any(|known| known == name) {
            return None;
        }
        let hint = did_you_mean(name, resource.schema.block.names());
        let what = match mode {
            ResourceMode::Managed => "resource type",
            ResourceMode::Data => "data source",
            ResourceMode::Ephemeral => "ephemeral resource type",
        };
        Some((
            "Unsupported attribute",
            format!("The {what} {t:?} does not have an attribute named {name:?}.{hint}"),
        ))
    }
}

fn argument(repetition: &Repetition) -> &'static str {
    match repetition {
        Repetition::Count(_) => "count",
        _ => "for_each",
    }
}

fn sample(repetition: &Repetition) -> &'static str {
    match repetition {
        Repetition::Count(_) => "count.index",
        _ => "each.key",
    }
}

/// How to name what all instances have.
fn all(repetition: &Repetition, address: &str, name: &str) -> String {
    match repetition {
        Repetition::Count(_) => format!(", or from all, as in {address}[*].{name}"),
        _ => format!(", or from all, as in values({address})[*].{name}"),
    }
}
