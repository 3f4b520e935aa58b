//! From bodies to values of their schemas' types: expressions are evaluated and converted,
//! `dynamic` blocks repeated, blocks collected.

use std::collections::BTreeMap;
use std::sync::Arc;

use topo_sdk::convert::convert;
use topo_sdk::{
    Block, Diagnostic, Diagnostics, Kind, Marks, Mode, NestedBlock, Nesting, ObjectType, Path,
    Step, Type, Value,
};

use super::{Body, also_argument, filled_in, object_schema};
use crate::lang::ast::{Expr, ExprKind, Expression};
use crate::lang::eval::{Bindings, Scope, elements, evaluate_with};

impl Body {
    /// Evaluates the body to a value of the schema's type: what the user wrote, null for what was
    /// left out. Every error is reported, not the first alone.
    pub fn decode(&self, block: &Block, scope: &dyn Scope, diagnostics: &mut Diagnostics) -> Value {
        self.decode_in(
            block,
            scope,
            &mut Vec::new(),
            &mut Path::root(),
            diagnostics,
        )
    }

    fn decode_in(
        &self,
        block: &Block,
        scope: &dyn Scope,
        bindings: &mut Bindings,
        path: &mut Path,
        diagnostics: &mut Diagnostics,
    ) -> Value {
        let mut made: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        for (name, a) in &block.attributes {
            let value = match self.get(name) {
                Some(expression) => {
                    path.push(Step::Attribute(name.clone()));
                    let value = argument(expression, &a.ty, scope, bindings, path, diagnostics);
                    path.pop();
                    if a.mode == Mode::Required && value.is_null() {
                        diagnostics.push(
                            Diagnostic::error(
                                "Missing required argument",
                                format!(
                                    "The argument {name:?} is required, but its value is null."
                                ),
                            )
                            .with_range(Some(expression.range())),
                        );
                    }
                    value
                }
                None => match object_schema(&a.ty) {
                    Some(schema) if self.blocks.iter().any(|b| b.name == *name) => {
                        let nesting = if matches!(a.ty, Type::Set(_)) {
                            Nesting::Set
                        } else {
                            Nesting::List
                        };
                        let nested = NestedBlock::new(nesting, schema);
                        self.nested(name, &nested, scope, bindings, path, diagnostics)
                    }
                    _ => Value::null(a.ty.clone()),
                },
            };
            made.insert(name.clone(), value);
        }
        for (name, nested) in &block.blocks {
            made.insert(
                name.clone(),
                self.nested(name, nested, scope, bindings, path, diagnostics),
            );
        }
        Value::new(Kind::Object(Arc::new(made)))
    }

    fn nested(
        &self,
        name: &Arc<str>,
        nested: &NestedBlock,
        scope: &dyn Scope,
        bindings: &mut Bindings,
        path: &mut Path,
        diagnostics: &mut Diagnostics,
    ) -> Value {
        if also_argument(nested)
            && let Some(expression) = self.get(name)
        {
            path.push(Step::Attribute(name.clone()));
            let value = blocks_as_argument(expression, nested, scope, bindings, path, diagnostics);
            path.pop();
            return value;
        }
        // Where the provider fills in what is left out, none is not the same as left out.
        if filled_in(nested) && !self.blocks.iter().any(|b| b.name == *name) {
            return Value::null(nested.ty());
        }
        let mut items: Vec<(Option<Arc<str>>, Value)> = Vec::new();
        let mut marks = Marks::empty();
        let mut unknown = false;
        path.push(Step::Attribute(name.clone()));
        for item in self.blocks.iter().filter(|b| b.name == *name) {
            let Some(dynamic) = &item.dynamic else {
                let value = item
                    .body
                    .decode_in(&nested.block, scope, bindings, path, diagnostics);
                items.push((item.label.clone(), value));
                continue;
            };
            let collection = match evaluate_with(&dynamic.for_each, scope, bindings.clone()) {
                Ok(v) => v,
                Err(d) => {
                    diagnostics.push(*d);
                    continue;
                }
            };
            marks |= collection.marks();
            let Some(pairs) = elements(&collection) else {
                if collection.is_known() {
                    let what = if collection.is_null() {
                        "null".to_string()
                    } else {
                        format!("a {}", collection.ty().friendly())
                    };
                    diagnostics.push(
                        Diagnostic::error(
                            "Invalid dynamic for_each value",
                            format!(
                                "Cannot use {what} in for_each. An iterable collection is required."
                            ),
                        )
                        .with_range(Some(dynamic.for_each.range())),
                    );
                } else {
                    unknown = true;
                }
                continue;
            };
            for (key, value) in pairs {
                let label = dynamic.label.as_ref().and_then(|l| {
                    let mut inner = bindings.clone();
                    inner.push((
                        dynamic.iterator.clone(),
                        Value::object([("key", key.clone()), ("value", value.clone())]),
                    ));
                    let labels = evaluate_with(l, scope, inner).ok()?;
                    labels
                        .as_slice()
                        .and_then(|s| s.first())
                        .and_then(|v| v.as_str().map(Arc::from))
                });
                bindings.push((
                    dynamic.iterator.clone(),
                    Value::object([("key", key), ("value", value)]),
                ));
                let made = item
                    .body
                    .decode_in(&nested.block, scope, bindings, path, diagnostics);
                bindings.pop();
                items.push((label, made));
            }
        }
        path.pop();
        let value = if unknown {
            Value::unknown(nested.ty())
        } else if items.is_empty() && filled_in(nested) {
            Value::null(nested.ty())
        } else {
            collect(nested, items)
        };
        let count = value.as_slice().map(<[Value]>::len);
        if let Some(n) = count {
            let fixed = self
                .blocks
                .iter()
                .filter(|b| b.name == *name)
                .all(|b| b.dynamic.is_none());
            let too_many = nested.max > 0 && n > nested.max;
            if !fixed && (too_many || n < nested.min) {
                diagnostics.push(
                    Diagnostic::error(
                        format!(
                            "{} {name} blocks",
                            if too_many { "Too many" } else { "Insufficient" }
                        ),
                        format!(
                            "There are {n} {name:?} blocks after expansion of dynamic blocks; {}.",
                            if too_many {
                                format!("at most {} allowed", nested.max)
                            } else {
                                format!("at least {} required", nested.min)
                            }
                        ),
                    )
                    .with_range(Some(self.range.clone())),
                );
            }
        }
        value.with_marks(marks)
    }
}

fn collect(nested: &NestedBlock, items: Vec<(Option<Arc<str>>, Value)>) -> Value {
    match nested.nesting {
        Nesting::Single => items
            .into_iter()
            .next()
            .map_or_else(|| nested.empty(), |(_, v)| v),
        Nesting::List if nested.block.ty().has_dynamic() => {
            Value::tuple(items.into_iter().map(|(_, v)| v).collect())
        }
        Nesting::List => Value::list(
            nested.block.ty(),
            items.into_iter().map(|(_, v)| v).collect(),
        ),
        Nesting::Set => Value::set(
            nested.block.ty(),
            items.into_iter().map(|(_, v)| v).collect(),
        ),
        Nesting::Map => Value::map(
            nested.block.ty(),
            items
                .into_iter()
                .map(|(l, v)| (l.unwrap_or_else(|| "".into()), v))
                .collect(),
        ),
    }
}

/// The type of an argument that stands for blocks: what the schema does not require may be left
/// out of the objects.
fn objects_type(nested: &NestedBlock) -> Type {
    let block = &nested.block;
    let mut object = ObjectType::default();
    for (name, a) in &block.attributes {
        object.attributes.insert(name.clone(), a.ty.clone());
        if a.mode != Mode::Required {
            object.optional.insert(name.clone());
        }
    }
    for (name, inner) in &block.blocks {
        object.attributes.insert(name.clone(), objects_type(inner));
        object.optional.insert(name.clone());
    }
    let object = Type::Object(Arc::new(object));
    match nested.nesting {
        Nesting::Single => object,
        Nesting::List => Type::list(object),
        Nesting::Set => Type::set(object),
        Nesting::Map => Type::map(object),
    }
}

/// The value of blocks that are given as an argument.
fn blocks_as_argument(
    expression: &Expression,
    nested: &NestedBlock,
    scope: &dyn Scope,
    bindings: &Bindings,
    path: &Path,
    diagnostics: &mut Diagnostics,
) -> Value {
    let ty = objects_type(nested);
    let value = argument(expression, &ty, scope, bindings, path, diagnostics);
    if value.is_null() {
        return Value::null(nested.ty()).with_marks(value.marks());
    }
    let Some(items) = value.as_slice().filter(|_| value.is_known()) else {
        return Value::unknown(nested.ty()).with_marks(value.marks());
    };
    collect(nested, items.iter().map(|v| (None, v.clone())).collect()).with_marks(value.marks())
}

/// The part of an expression that is at a path of its value, as far as it is written out.
fn part<'e>(expr: &'e Expr, path: &Path) -> &'e Expr {
    let mut at = expr;
    for step in path.steps() {
        let inner = match (&at.kind, step) {
            (ExprKind::Tuple(items), Step::Index(i)) => items.get(*i),
            (ExprKind::Object(items), Step::Attribute(name) | Step::Key(name)) => items
                .iter()
                .find(|(key, _)| match &key.kind {
                    ExprKind::Literal(v) => v.as_str() == Some(&**name),
                    _ => false,
                })
                .map(|(_, value)| value),
            _ => None,
        };
        match inner {
            Some(inner) => at = inner,
            None => break,
        }
    }
    at
}

/// Evaluates an argument and converts it to its type; null where that fails.
fn argument(
    expression: &Expression,
    ty: &Type,
    scope: &dyn Scope,
    bindings: &Bindings,
    path: &Path,
    diagnostics: &mut Diagnostics,
) -> Value {
    let made = evaluate_with(expression, scope, bindings.clone());
    let value = match made {
        Ok(v) => v,
        Err(d) => {
            diagnostics.push(*d);
            return Value::unknown(ty.clone());
        }
    };
    match convert(&value, ty) {
        Ok(v) => v,
        Err(e) => {
            let inside = if e.path.is_root() {
                String::new()
            } else {
                format!("{}: ", e.path)
            };
            let range = expression.file.range(part(&expression.expr, &e.path).span);
            diagnostics.push(
                Diagnostic::error(
                    "Incorrect attribute value type",
                    format!(
                        "Inappropriate value for attribute {:?}: {inside}{e}.",
                        path.to_string()
                    ),
                )
                .with_range(Some(range)),
            );
            Value::unknown(ty.clone())
        }
    }
}
