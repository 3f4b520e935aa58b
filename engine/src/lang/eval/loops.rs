//! `for` expressions and splats.

use std::collections::BTreeMap;
use std::sync::Arc;

use topo_sdk::convert::convert;
use topo_sdk::{Diagnostic, Kind, Marks, Refinements, Type, Value};

use super::super::ast::{Expr, For};
use super::super::operators::{self, unknown_not_null};
use super::super::source::Span;
use super::{Evaluator, MAX_PARTS, Outcome};

/// The keys and elements that iteration goes through; `None` for what cannot be iterated.
pub fn elements(value: &Value) -> Option<Vec<(Value, Value)>> {
    Some(match value.kind() {
        Kind::List(_) | Kind::Tuple(_) => {
            let items = value.as_slice()?.iter().enumerate();
            items.map(|(i, v)| (Value::number(i), v.clone())).collect()
        }
        Kind::Set(s) => s.items.iter().map(|v| (v.clone(), v.clone())).collect(),
        Kind::Map(_) | Kind::Object(_) => value
            .as_map()?
            .iter()
            .map(|(k, v)| (Value::new(Kind::String(k.clone())), v.clone()))
            .collect(),
        _ => return None,
    })
}

/// What a `for` expression has put together so far.
#[derive(Default)]
struct Results {
    items: Vec<Value>,
    entries: BTreeMap<Arc<str>, Value>,
    groups: BTreeMap<Arc<str>, Vec<Value>>,
    /// The marks of conditions and keys, which the whole result has.
    marks: Marks,
    /// The marks of results that go into an unknown.
    lost: Marks,
    /// Whether a key or condition is unknown, and so what elements there are.
    unknown: bool,
    parts: u32,
}

impl Results {
    fn finish(self, f: &For) -> Value {
        let inside = || {
            let all = self.items.iter().chain(self.entries.values());
            let all = all.chain(self.groups.values().flatten());
            all.fold(self.lost, |m, v| m | v.deep_marks())
        };
        let marks = self.marks;
        let value = if self.unknown {
            let inside = inside();
            unknown_not_null(Type::Dynamic).with_marks(inside)
        } else if f.key.is_none() {
            Value::tuple(self.items)
        } else if f.group {
            Value::object(self.groups.into_iter().map(|(k, v)| (k, Value::tuple(v))))
        } else {
            Value::new(Kind::Object(Arc::new(self.entries)))
        };
        value.with_marks(marks)
    }
}

impl Evaluator<'_> {
    /// The keys and elements of a collection; `None` when it is not known yet.
    pub(super) fn iterate(
        &self,
        collection: &Value,
        span: Span,
        construct: &str,
    ) -> Result<Option<Vec<(Value, Value)>>, Box<Diagnostic>> {
        if collection.is_null() {
            return Err(self.fail(
                span,
                "Iteration over null value",
                format!("A null value cannot be used as the collection in a {construct}."),
            ));
        }
        if let Some(elements) = elements(collection) {
            return Ok(Some(elements));
        }
        match collection.as_unknown().map(|u| &u.ty) {
            Some(ty) if !ty.is_primitive() => Ok(None),
            _ => Err(self.fail(
                span,
                "Iteration over non-iterable value",
                format!(
                    "A value of type {} cannot be used as the collection in a {construct}.",
                    collection.ty().friendly()
                ),
            )),
        }
    }

    pub(super) fn for_expr(&mut self, f: &For, span: Span) -> Outcome {
        let collection = self.eval(&f.collection)?;
        let mut results = Results {
            marks: collection.marks(),
            ..Results::default()
        };
        let elements = self.iterate(&collection, f.collection.span, "'for' expression")?;
        let depth = self.bindings.len();
        if elements.as_ref().is_none_or(Vec::is_empty)
            && let Some(condition) = &f.condition
        {
            // Nothing else shows now that the condition is wrong for every element.
            let later = Value::unknown(Type::Dynamic);
            self.bind(f.key_name.as_ref(), &f.value_name, later.clone(), later);
            let (_, marks) = self.for_condition(condition)?;
            results.marks |= marks;
            self.bindings.truncate(depth);
        }
        let Some(elements) = elements else {
            return Ok(unknown_not_null(Type::Dynamic).with_marks(results.marks));
        };
        for (key, value) in elements {
            self.bindings.truncate(depth);
            self.bind(f.key_name.as_ref(), &f.value_name, key, value);
            self.for_element(f, &mut results, span)?;
        }
        self.bindings.truncate(depth);
        self.built(span, results.finish(f))
    }

    pub(super) fn bind(
        &mut self,
        key_name: Option<&Arc<str>>,
        value_name: &Arc<str>,
        key: Value,
        value: Value,
    ) {
        if let Some(name) = key_name {
            self.bindings.push((name.clone(), key));
        }
        self.bindings.push((value_name.clone(), value));
    }

    fn for_condition(&mut self, e: &Expr) -> Result<(Option<bool>, Marks), Box<Diagnostic>> {
        let c = self.eval(e)?;
        self.place(e.span, operators::condition(&c, "Invalid 'for' condition"))
    }

    /// The result for the element that is bound.
    fn for_element(
        &mut self,
        f: &For,
        results: &mut Results,
        span: Span,
    ) -> Result<(), Box<Diagnostic>> {
        if let Some(condition) = &f.condition {
            let (take, marks) = self.for_condition(condition)?;
            results.marks |= marks;
            match take {
                Some(true) => {}
                Some(false) => return Ok(()),
                None => {
                    // Its result counts only if it is taken, and so do its errors.
                    results.unknown = true;
                    if let Ok(v) = self.attempt(&f.value) {
                        results.lost |= v.deep_marks();
                    }
                    return Ok(());
                }
            }
        }
        let key = match &f.key {
            Some(e) => Some(self.for_key(e, results)?),
            None => None,
        };
        let value = self.eval(&f.value)?;
        results.parts = results.parts.saturating_add(value.extent().parts);
        if results.parts > MAX_PARTS {
            return Err(self.too_large(span));
        }
        match key {
            None => results.items.push(value),
            Some(None) => results.lost |= value.deep_marks(),
            Some(Some(key)) if f.group => results.groups.entry(key).or_default().push(value),
            Some(Some(key)) => {
                let at = f.key.as_ref().map_or(span, |e| e.span);
                if results.entries.insert(key.clone(), value).is_some() {
                    return Err(self.fail(
                        at,
                        "Duplicate object key",
                        format!("Two different items produced the key {key:?} in this 'for' expression. If duplicates are expected, use the ellipsis (...) after the value expression to enable grouping by key."),
                    ));
                }
            }
        }
        Ok(())
    }

    /// The key of a result; `None` when it is not known yet.
    fn for_key(
        &mut self,
        e: &Expr,
        results: &mut Results,
    ) -> Result<Option<Arc<str>>, Box<Diagnostic>> {
        let key = self.eval(e)?;
        results.marks |= key.marks();
        if key.is_null() {
            return Err(self.fail(
                e.span,
                "Invalid object key",
                "Key expression in 'for' expression must not produce a null value.",
            ));
        }
        let key = convert(&key, &Type::String).map_err(|error| {
            self.fail(
                e.span,
                "Invalid object key",
                format!("The key expression produced an invalid result: {error}."),
            )
        })?;
        match key.into_kind() {
            Kind::String(key) => Ok(Some(key)),
            _ => {
                results.unknown = true;
                Ok(None)
            }
        }
    }

    pub(super) fn splat(&mut self, source: &Expr, each: &Expr, span: Span) -> Outcome {
        let value = self.eval(source)?;
        let marks = value.marks();
        let made = match value.kind() {
            Kind::Null(Type::List(_) | Type::Set(_) | Type::Tuple(_)) => {
                return Err(self.fail(
                    source.span,
                    "Splat of null value",
                    "Splat expressions (with the * symbol) cannot be applied to null sequences.",
                ));
            }
            Kind::Null(_) => Value::tuple(Vec::new()),
            Kind::Unknown(u) => match &u.ty {
                Type::Dynamic => Value::unknown(Type::Dynamic),
                Type::List(e) | Type::Set(e) => {
                    let element = self.splat_each(each, Value::unknown((**e).clone()))?;
                    let refinements = Refinements {
                        not_null: true,
                        ..u.refinements.clone()
                    };
                    Value::unknown_refined(Type::list(element.ty()), refinements)
                        .with_marks(element.deep_marks())
                }
                Type::Tuple(ts) => {
                    let items: Result<Vec<Value>, _> = ts
                        .iter()
                        .map(|t| self.splat_each(each, Value::unknown(t.clone())))
                        .collect();
                    let tuple = Value::tuple(items?);
                    unknown_not_null(tuple.ty()).with_marks(tuple.deep_marks())
                }
                // One value stands for a list of it, null for an empty one.
                _ => {
                    let item = self.splat_each(each, value.clone().unmark())?;
                    if u.refinements.not_null {
                        Value::tuple(vec![item])
                    } else {
                        unknown_not_null(Type::Dynamic).with_marks(item.deep_marks())
                    }
                }
            },
            Kind::List(s) | Kind::Set(s) => {
                if s.items.is_empty() {
                    let item = self.splat_each(each, Value::unknown(s.element.clone()))?;
                    Value::list(item.ty(), Vec::new())
                } else {
                    splat_list(self.splat_all(each, &s.items)?)
                }
            }
            Kind::Tuple(t) => Value::tuple(self.splat_all(each, t)?),
            _ => Value::tuple(vec![self.splat_each(each, value.clone().unmark())?]),
        };
        self.built(span, made.with_marks(marks))
    }

    fn splat_each(&mut self, each: &Expr, item: Value) -> Outcome {
        self.splat.push(item);
        let made = self.eval(each);
        self.splat.pop();
        made
    }

    fn splat_all(&mut self, each: &Expr, items: &[Value]) -> Result<Vec<Value>, Box<Diagnostic>> {
        items
            .iter()
            .map(|item| self.splat_each(each, item.clone()))
            .collect()
    }
}

/// The results of a splat over a list or set: a list, if they are of one type.
fn splat_list(items: Vec<Value>) -> Value {
    let element = items.first().map_or(Type::Dynamic, Value::ty);
    if items.iter().all(|v| v.ty() == element) {
        Value::list(element, items)
    } else {
        Value::tuple(items)
    }
}
