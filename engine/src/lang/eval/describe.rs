//! Words for people: values, types that do not go together, and what the part of an expression
//! that failed refers to.

use topo_sdk::{Kind, Type, Value};

use super::super::ast::{Expr, ExprKind, Expression};
use super::super::source::Span;
use super::Evaluator;

/// The most values that are listed beside an error.
const MAX_INVOLVED: usize = 6;

/// A value in words, for diagnostics: `"us-east-1"`, `list of string with 2 elements`.
pub fn describe(value: &Value) -> String {
    if value.is_sensitive() {
        return "a sensitive value".into();
    }
    if !value.marks().is_empty() {
        return "an ephemeral value".into();
    }
    let elements = |n: usize| {
        if n == 1 {
            "1 element".to_string()
        } else {
            format!("{n} elements")
        }
    };
    match value.kind() {
        Kind::Null(_) => "null".into(),
        Kind::Unknown(u) if u.ty == Type::Dynamic => "known only after apply".into(),
        Kind::Unknown(u) => format!("{}, known only after apply", with_article(&u.ty)),
        Kind::Bool(b) => b.to_string(),
        Kind::Number(n) => n.to_string(),
        Kind::String(s) if s.chars().nth(60).is_some() => {
            format!("a string of {} characters", s.chars().count())
        }
        Kind::String(s) => format!("{s:?}"),
        Kind::List(s) | Kind::Set(s) => {
            format!("{} with {}", value.ty().friendly(), elements(s.items.len()))
        }
        Kind::Tuple(t) => format!("tuple with {}", elements(t.len())),
        Kind::Map(m) => format!(
            "{} with {}",
            value.ty().friendly(),
            elements(m.entries.len())
        ),
        Kind::Object(o) if o.len() == 1 => "object with 1 attribute".into(),
        Kind::Object(o) => format!("object with {} attributes", o.len()),
    }
}

/// `a list of string`, `an object`.
pub(in crate::lang) fn with_article(ty: &Type) -> String {
    match ty {
        Type::Object(_) => "an object".into(),
        other => format!("a {}", other.friendly()),
    }
}

/// In what way two types, which cannot be unified, differ, as a sentence without its full stop.
pub(super) fn mismatch(yes: &Type, no: &Type) -> String {
    match (yes, no) {
        (Type::Object(a), Type::Object(b)) => {
            for (name, ty) in &a.attributes {
                match b.attributes.get(name) {
                    None => {
                        return format!(
                            "The 'true' value includes object attribute {name:?}, which is absent in the 'false' value"
                        );
                    }
                    Some(other) if other != ty => {
                        let inner = mismatch(ty, other);
                        return format!("Type mismatch for object attribute {name:?}: {inner}");
                    }
                    Some(_) => {}
                }
            }
            if let Some(name) = b.attributes.keys().find(|n| !a.attributes.contains_key(*n)) {
                return format!(
                    "The 'false' value includes object attribute {name:?}, which is absent in the 'true' value"
                );
            }
        }
        (Type::Tuple(a), Type::Tuple(b)) if a.len() != b.len() => {
            return format!(
                "The 'true' tuple has length {}, but the 'false' tuple has length {}",
                a.len(),
                b.len()
            );
        }
        (Type::Tuple(a), Type::Tuple(b)) => {
            let differing = a
                .iter()
                .zip(b.iter())
                .enumerate()
                .find(|(_, (a, b))| a != b);
            if let Some((i, (a, b))) = differing {
                return format!("Type mismatch for tuple element {i}: {}", mismatch(a, b));
            }
        }
        (Type::List(a), Type::List(b))
        | (Type::Set(a), Type::Set(b))
        | (Type::Map(a), Type::Map(b))
            if a.friendly() == b.friendly() && a != b =>
        {
            return format!("Mismatched element types: {}", mismatch(a, b));
        }
        _ => {}
    }
    format!(
        "The 'true' value is {}, but the 'false' value is {}",
        with_article(yes),
        with_article(no)
    )
}

impl Evaluator<'_> {
    /// What the references and bound names in the part that failed hold, as written and in words;
    /// where there are none in it, those of the whole expression.
    pub(super) fn involved(&mut self, expression: &Expression) -> Vec<(String, String)> {
        let failed = self.failed.take();
        let mut found = Vec::new();
        if let Some(failed) = failed {
            self.bindings = failed.bindings;
            self.splat = failed.splat;
            self.depth = 0;
            collect(&expression.expr, Some(failed.span), &mut found);
        }
        if found.is_empty() {
            collect(&expression.expr, None, &mut found);
        }
        let mut described: Vec<(String, String)> = Vec::new();
        for expr in found {
            let name = self.file.slice(expr.span).trim();
            if described.len() == MAX_INVOLVED {
                break;
            }
            if name.contains('\n') || described.iter().any(|(n, _)| n == name) {
                continue;
            }
            let name = name.to_string();
            self.describe_chain(expr, name, &mut described);
        }
        described
    }

    /// What `a.b[0].c` is, or if it is nothing, what the longest start of it is that is something.
    fn describe_chain(&mut self, expr: &Expr, name: String, into: &mut Vec<(String, String)>) {
        if let Ok(value) = self.eval(expr) {
            if !into.iter().any(|(n, _)| *n == name) {
                into.push((name, describe(&value)));
            }
            return;
        }
        self.failed = None;
        if let Some(inner) = source_of(expr) {
            let start = expr.span.start;
            let name = self.file.slice(Span {
                start,
                ..inner.span
            });
            self.describe_chain(inner, name.trim().to_string(), into);
        }
    }
}

/// What an attribute or element is taken of.
fn source_of(expr: &Expr) -> Option<&Expr> {
    match &expr.kind {
        ExprKind::GetAttr(inner, _) => Some(inner),
        ExprKind::Index(parts) => Some(&parts.0),
        _ => None,
    }
}

/// Whether this is a reference or bound name with attributes and elements taken of it.
fn is_chain(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Reference(_) | ExprKind::Bound(_) => true,
        _ => source_of(expr).is_some_and(is_chain),
    }
}

/// The chains in an expression, the longest of each, in source order; with `within`, only those
/// that lie in this stretch.
fn collect<'e>(expr: &'e Expr, within: Option<Span>, found: &mut Vec<&'e Expr>) {
    let outside = |w: Span| expr.span.end <= w.start || w.end <= expr.span.start;
    if within.is_some_and(outside) {
        return;
    }
    let inside = within.is_none_or(|w| w.start <= expr.span.start && expr.span.end <= w.end);
    if inside && is_chain(expr) {
        found.push(expr);
    }
    let chain = is_chain(expr);
    expr.children(&mut |child| {
        // The start of a chain is not a chain of its own; the keys in it are.
        let start = chain && source_of(expr).is_some_and(|s| std::ptr::eq(s, child));
        if start {
            keys_of(child, within, found);
        } else {
            collect(child, within, found);
        }
    });
}

fn keys_of<'e>(expr: &'e Expr, within: Option<Span>, found: &mut Vec<&'e Expr>) {
    match &expr.kind {
        ExprKind::Index(parts) => {
            keys_of(&parts.0, within, found);
            collect(&parts.1, within, found);
        }
        ExprKind::GetAttr(inner, _) => keys_of(inner, within, found),
        ExprKind::Reference(r) => {
            if let Some(key) = &r.key {
                collect(key, within, found);
            }
        }
        _ => {}
    }
}
