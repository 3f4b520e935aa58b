//! Bodies of blocks: from parsed syntax to expressions, checked against a schema, and from
//! expressions to a value of the schema's type.

use std::collections::BTreeMap;
use std::sync::Arc;

use hcl_edit::structure::{Body as HclBody, Structure};
use topo_sdk::convert::convert;
use topo_sdk::{
    Attribute, Block, Diagnostic, Diagnostics, Kind, Marks, Mode, NestedBlock, Nesting, Path,
    SourceRange, Type, Value,
};

use crate::lang::ast::{Expression, Reference};
use crate::lang::eval::{Bindings, Scope, elements, evaluate_with};
use crate::lang::source::SourceFile;
use crate::lang::syntax::{span_of, translate};
use crate::suggest::did_you_mean;

/// The arguments of a block.
#[derive(Debug, Clone)]
pub struct Body {
    /// Arguments by name, in source order.
    pub attributes: Vec<(Arc<str>, Expression)>,
    /// Nested blocks in source order.
    pub blocks: Vec<NestedItem>,
    /// The block's header, for errors about what it lacks.
    pub range: SourceRange,
}

/// A nested block, or a `dynamic` one that makes any number of them.
#[derive(Debug, Clone)]
pub struct NestedItem {
    /// The block's type.
    pub name: Arc<str>,
    /// Its label, for blocks that make a map.
    pub label: Option<Arc<str>>,
    /// How a `dynamic` block repeats.
    pub dynamic: Option<Dynamic>,
    /// What is in it.
    pub body: Body,
}

/// The head of a `dynamic` block.
#[derive(Debug, Clone)]
pub struct Dynamic {
    /// What to go through.
    pub for_each: Expression,
    /// The name by which the content sees the element.
    pub iterator: Arc<str>,
    /// The label of each block, for blocks that make a map.
    pub label: Option<Expression>,
}

/// Where expressions of a body come from.
pub struct Reader<'a> {
    /// The file.
    pub file: &'a Arc<SourceFile>,
    /// Where errors go.
    pub diagnostics: &'a mut Diagnostics,
}

impl Reader<'_> {
    /// An error at a place.
    pub fn error(&mut self, range: SourceRange, summary: &str, detail: impl Into<String>) {
        self.diagnostics
            .push(Diagnostic::error(summary, detail).with_range(Some(range)));
    }

    /// Reads a body without a schema. Names in `skip` are left out: they are somebody else's.
    pub fn body(
        &mut self,
        hcl: &HclBody,
        range: SourceRange,
        skip: &[&str],
        bound: &[Arc<str>],
    ) -> Body {
        let mut body = Body {
            attributes: Vec::new(),
            blocks: Vec::new(),
            range,
        };
        for structure in hcl.iter() {
            match structure {
                Structure::Attribute(a) => {
                    let name = a.key.as_str();
                    if skip.contains(&name) {
                        continue;
                    }
                    let at = self.file.range(span_of(&a.key));
                    if body.attributes.iter().any(|(n, _)| **n == *name) {
                        self.error(at, "Attribute redefined", format!("The argument {name:?} was already set. Each argument may be set only once."));
                        continue;
                    }
                    let expression = translate(self.file, &a.value, bound, self.diagnostics);
                    body.attributes.push((name.into(), expression));
                }
                Structure::Block(b) => {
                    let name = b.ident.as_str();
                    if skip.contains(&name) {
                        continue;
                    }
                    let at = self.file.range(span_of(&b.ident));
                    let label = b.labels.first().map(|l| Arc::<str>::from(l.as_str()));
                    if name == "dynamic" {
                        if let Some(item) = self.dynamic(&b.body, label, at, bound) {
                            body.blocks.push(item);
                        }
                        continue;
                    }
                    let inner = self.body(&b.body, at, &[], bound);
                    body.blocks.push(NestedItem {
                        name: name.into(),
                        label,
                        dynamic: None,
                        body: inner,
                    });
                }
            }
        }
        body
    }

    fn dynamic(
        &mut self,
        hcl: &HclBody,
        label: Option<Arc<str>>,
        at: SourceRange,
        bound: &[Arc<str>],
    ) -> Option<NestedItem> {
        let Some(name) = label else {
            self.error(
                at,
                "Invalid dynamic block",
                "A dynamic block needs one label: the type of the blocks to make.",
            );
            return None;
        };
        let Some(for_each) = hcl.get_attribute("for_each") else {
            self.error(
                at,
                "Missing required argument",
                "A dynamic block needs the argument \"for_each\".",
            );
            return None;
        };
        let for_each = translate(self.file, &for_each.value, bound, self.diagnostics);
        let iterator: Arc<str> = match hcl.get_attribute("iterator").map(|a| &a.value) {
            Some(hcl_edit::expr::Expression::Variable(v)) => v.as_str().into(),
            Some(_) => {
                self.error(
                    at.clone(),
                    "Invalid dynamic block",
                    "The iterator argument must be a single name.",
                );
                name.clone()
            }
            None => name.clone(),
        };
        let mut inner = bound.to_vec();
        inner.push(iterator.clone());
        let label = hcl
            .get_attribute("labels")
            .map(|a| translate(self.file, &a.value, &inner, self.diagnostics));
        let Some(content) = hcl.get_blocks("content").next() else {
            self.error(
                at,
                "Missing content block",
                "A dynamic block needs a nested \"content\" block that says what is in each block.",
            );
            return None;
        };
        let content_at = self.file.range(span_of(&content.ident));
        let body = self.body(&content.body, content_at, &[], &inner);
        Some(NestedItem {
            name,
            label: None,
            dynamic: Some(Dynamic {
                for_each,
                iterator,
                label,
            }),
            body,
        })
    }
}

impl Body {
    /// An empty body, as of a provider without a block.
    pub fn empty(range: SourceRange) -> Body {
        Body {
            attributes: Vec::new(),
            blocks: Vec::new(),
            range,
        }
    }

    /// The expression of an argument.
    pub fn get(&self, name: &str) -> Option<&Expression> {
        self.attributes
            .iter()
            .find(|(n, _)| **n == *name)
            .map(|(_, e)| e)
    }

    /// Every expression in the body.
    pub fn expressions<'a>(&'a self, found: &mut Vec<&'a Expression>) {
        found.extend(self.attributes.iter().map(|(_, e)| e));
        for block in &self.blocks {
            if let Some(d) = &block.dynamic {
                found.push(&d.for_each);
                found.extend(&d.label);
            }
            block.body.expressions(found);
        }
    }

    /// Every reference in the body.
    pub fn references<'a>(&'a self, found: &mut Vec<&'a Arc<Reference>>) {
        let mut expressions = Vec::new();
        self.expressions(&mut expressions);
        found.extend(expressions.into_iter().flat_map(|e| &e.references));
    }

    /// Checks names, required arguments and numbers of blocks against a schema.
    pub fn check(&self, block: &Block, diagnostics: &mut Diagnostics) {
        for (name, expression) in &self.attributes {
            match block.attributes.get(name) {
                Some(a) => check_settable(name, a, expression, diagnostics),
                None if block.blocks.contains_key(name) => diagnostics.push(
                    Diagnostic::error("Unsupported argument", format!("{name:?} is a block here: write {name} {{ ... }} without an equals sign."))
                        .with_range(Some(expression.range())),
                ),
                None => {
                    let hint = did_you_mean(name, block.names());
                    diagnostics.push(
                        Diagnostic::error("Unsupported argument", format!("An argument named {name:?} is not expected here.{hint}"))
                            .with_range(Some(expression.range())),
                    );
                }
            }
        }
        for (name, a) in &block.attributes {
            if a.mode == Mode::Required
                && self.get(name).is_none()
                && !self.blocks.iter().any(|b| b.name == *name)
            {
                diagnostics.push(
                    Diagnostic::error(
                        "Missing required argument",
                        format!("The argument {name:?} is required, but no definition was found."),
                    )
                    .with_range(Some(self.range.clone())),
                );
            }
        }
        for item in &self.blocks {
            match block.blocks.get(&item.name) {
                Some(nested) => item.body.check(&nested.block, diagnostics),
                None => match block
                    .attributes
                    .get(&item.name)
                    .and_then(|a| object_schema(&a.ty))
                {
                    Some(schema) => item.body.check(&schema, diagnostics),
                    None => {
                        let hint = did_you_mean(&item.name, block.names());
                        let detail = if block.attributes.contains_key(&item.name) {
                            format!(
                                "{:?} is an argument here, not a block: write {} = ...",
                                item.name, item.name
                            )
                        } else {
                            format!(
                                "Blocks of type {:?} are not expected here.{hint}",
                                item.name
                            )
                        };
                        diagnostics.push(
                            Diagnostic::error("Unsupported block type", detail)
                                .with_range(Some(item.body.range.clone())),
                        );
                    }
                },
            }
        }
        for (name, nested) in &block.blocks {
            let items: Vec<&NestedItem> = self.blocks.iter().filter(|b| b.name == *name).collect();
            let fixed = items.iter().filter(|b| b.dynamic.is_none()).count();
            if items.len() == fixed && fixed < nested.min {
                diagnostics.push(
                    Diagnostic::error(
                        format!("Insufficient {name} blocks"),
                        format!(
                            "At least {} {name:?} block{} required.",
                            nested.min,
                            if nested.min == 1 { " is" } else { "s are" }
                        ),
                    )
                    .with_range(Some(self.range.clone())),
                );
            }
            let max = if nested.nesting == Nesting::Single {
                1
            } else {
                nested.max
            };
            if max > 0 && fixed > max {
                diagnostics.push(
                    Diagnostic::error(
                        format!("Too many {name} blocks"),
                        format!(
                            "No more than {max} {name:?} block{} allowed.",
                            if max == 1 { " is" } else { "s are" }
                        ),
                    )
                    .with_range(items.last().map(|b| b.body.range.clone())),
                );
            }
        }
    }

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
                    path.push(topo_sdk::Step::Attribute(name.clone()));
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
        let mut items: Vec<(Option<Arc<str>>, Value)> = Vec::new();
        let mut marks = Marks::empty();
        let mut unknown = false;
        path.push(topo_sdk::Step::Attribute(name.clone()));
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

fn check_settable(
    name: &str,
    a: &Attribute,
    expression: &Expression,
    diagnostics: &mut Diagnostics,
) {
    if a.mode == Mode::Computed {
        diagnostics.push(
            Diagnostic::error("Value for unconfigurable attribute", format!("Can't configure a value for {name:?}: its value will be decided automatically based on the result of applying this configuration."))
                .with_range(Some(expression.range())),
        );
    }
    if let Some(instead) = &a.deprecated {
        diagnostics.push(
            Diagnostic::warning("Argument is deprecated", format!("{name}: {instead}"))
                .with_range(Some(expression.range())),
        );
    }
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
            diagnostics.push(
                Diagnostic::error(
                    "Incorrect attribute value type",
                    format!(
                        "Inappropriate value for attribute {:?}: {inside}{e}.",
                        path.to_string()
                    ),
                )
                .with_range(Some(expression.range())),
            );
            Value::unknown(ty.clone())
        }
    }
}

/// The schema that block syntax follows for an argument whose type is a list or set of objects
/// ("attributes as blocks").
fn object_schema(ty: &Type) -> Option<Block> {
    let (Type::List(e) | Type::Set(e)) = ty else {
        return None;
    };
    let Type::Object(o) = &**e else { return None };
    let mut block = Block::new();
    for (name, ty) in &o.attributes {
        block = block.attr(name, Attribute::optional(ty.clone()));
    }
    Some(block)
}
