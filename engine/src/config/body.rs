//! Bodies of blocks: from parsed syntax to expressions, checked against a schema, and from
//! expressions to a value of the schema's type.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use topo_sdk::convert::convert;
use topo_sdk::{
    Attribute, Block, Diagnostic, Diagnostics, Kind, Marks, Mode, NestedBlock, Nesting, ObjectType,
    Path, SourceRange, Step, Type, Value,
};

use crate::lang::ast::{Expr, ExprKind, Expression, Reference};
use crate::lang::eval::{Bindings, Scope, elements, evaluate_with};
use crate::lang::source::Span;
use crate::lang::structure;
use crate::suggest::did_you_mean;

/// The arguments of a block.
#[derive(Debug, Clone)]
pub struct Body {
    /// Arguments in source order.
    pub attributes: Vec<Argument>,
    /// Nested blocks in source order.
    pub blocks: Vec<NestedItem>,
    /// The block's header, for errors about what it lacks.
    pub range: SourceRange,
}

/// An argument of a block.
#[derive(Debug, Clone)]
pub struct Argument {
    /// Its name.
    pub name: Arc<str>,
    /// Where its name is, in the file of the expression.
    pub name_span: Span,
    /// Its value.
    pub value: Expression,
}

impl Argument {
    /// Where its name is.
    pub fn name_range(&self) -> SourceRange {
        self.value.file.range(self.name_span)
    }
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

/// Reads blocks; collects what is wrong with them.
pub(super) struct Reader<'d> {
    /// Where errors go.
    pub(super) diagnostics: &'d mut Diagnostics,
}

/// What a block has besides what its schema says: the meta-arguments.
#[derive(Clone, Copy, Default)]
pub(super) struct Meta<'a> {
    /// Arguments that are not the schema's.
    pub(super) attributes: &'a [&'a str],
    /// Blocks that are not the schema's, with the number of their labels.
    pub(super) blocks: &'a [(&'a str, Option<usize>)],
}

impl Reader<'_> {
    /// An error at a place.
    pub(super) fn error(&mut self, range: SourceRange, summary: &str, detail: impl Into<String>) {
        self.diagnostics
            .push(Diagnostic::error(summary, detail).with_range(Some(range)));
    }

    /// A warning at a place.
    pub(super) fn warning(&mut self, range: SourceRange, summary: &str, detail: impl Into<String>) {
        self.diagnostics
            .push(Diagnostic::warning(summary, detail).with_range(Some(range)));
    }

    /// Reads a body whose arguments and blocks a schema describes, leaving out `meta`. The
    /// arguments in a block named `_` are taken as they are, even where their names are those of
    /// meta-arguments.
    pub(super) fn body(
        &mut self,
        source: &structure::Body<'_>,
        schema: &Block,
        range: SourceRange,
        meta: Meta<'_>,
        bound: &[Arc<str>],
    ) -> Body {
        let mut expected: Vec<(&str, Option<usize>)> = vec![("dynamic", Some(1))];
        expected.extend(meta.blocks);
        expected.extend(schema.blocks.iter().map(|(name, nested)| {
            let labels = usize::from(nested.nesting == Nesting::Map);
            (&**name, Some(labels))
        }));
        let content = source.content(&expected, self.diagnostics);
        let mut body = Body {
            attributes: Vec::with_capacity(content.attributes.len()),
            blocks: Vec::new(),
            range,
        };
        for a in &content.attributes {
            if meta.attributes.contains(&a.name) {
                continue;
            }
            body.attributes.push(Argument {
                name: a.name.into(),
                name_span: a.name_span,
                value: a.value.expression(bound, self.diagnostics),
            });
        }
        for b in &content.blocks {
            if b.kind == "_" && meta.blocks.iter().any(|(name, _)| *name == "_") {
                let escaped = self.body(&b.body, schema, b.header(), Meta::default(), bound);
                body.attributes.extend(escaped.attributes);
                body.blocks.extend(escaped.blocks);
                continue;
            }
            if meta.blocks.iter().any(|(name, _)| *name == b.kind) {
                continue;
            }
            if b.kind == "dynamic" {
                body.blocks.extend(self.dynamic(b, schema, bound));
                continue;
            }
            let inner = nested_schema(schema, b.kind);
            body.blocks.push(NestedItem {
                name: b.kind.into(),
                label: b.labels.first().map(|(l, _)| Arc::from(*l)),
                dynamic: None,
                body: self.body(&b.body, &inner, b.kind_range(), Meta::default(), bound),
            });
        }
        body
    }

    fn dynamic(
        &mut self,
        block: &structure::Block<'_>,
        schema: &Block,
        bound: &[Arc<str>],
    ) -> Option<NestedItem> {
        let at = block.kind_range();
        let name: Arc<str> = block.labels.first()?.0.into();
        let content = block
            .body
            .content(&[("content", Some(0))], self.diagnostics);
        self.only(&content, &["for_each", "iterator", "labels"], &["content"]);
        let Some(for_each) = content.get("for_each") else {
            self.error(
                at,
                "Missing required argument",
                "A dynamic block needs the argument \"for_each\".",
            );
            return None;
        };
        let for_each = for_each.value.expression(bound, self.diagnostics);
        let iterator: Arc<str> = match content.get("iterator") {
            None => name.clone(),
            Some(a) => match a.value.keyword() {
                Some(word) => word.into(),
                None => {
                    self.error(
                        a.value.range(),
                        "Invalid dynamic iterator name",
                        "The iterator argument must be a single name.",
                    );
                    name.clone()
                }
            },
        };
        let mut inner = bound.to_vec();
        inner.push(iterator.clone());
        let label = content
            .get("labels")
            .map(|a| a.value.expression(&inner, self.diagnostics));
        let mut contents = content.of("content");
        let (Some(first), more) = (contents.next(), contents.next()) else {
            self.error(
                at,
                "Missing content block",
                "A dynamic block needs a nested \"content\" block that says what is in each block.",
            );
            return None;
        };
        if let Some(more) = more {
            self.error(
                more.header(),
                "Extraneous content block",
                "A dynamic block has one \"content\" block only.",
            );
        }
        let nested = nested_schema(schema, &name);
        let body = self.body(
            &first.body,
            &nested,
            first.kind_range(),
            Meta::default(),
            &inner,
        );
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

    /// Complains about arguments and blocks that a block does not know.
    pub(super) fn only(
        &mut self,
        content: &structure::Content<'_>,
        attributes: &[&str],
        blocks: &[&str],
    ) {
        for a in &content.attributes {
            if !attributes.contains(&a.name) {
                let hint = if blocks.contains(&a.name) {
                    format!(
                        " Did you mean a block? Then leave out the equals sign: {} {{ ... }}",
                        a.name
                    )
                } else {
                    did_you_mean(a.name, attributes)
                };
                self.error(
                    a.name_range(),
                    "Unsupported argument",
                    format!("An argument named {:?} is not expected here.{hint}", a.name),
                );
            }
        }
        self.only_blocks(content, attributes, blocks);
    }

    /// Complains about blocks that a block does not know.
    pub(super) fn only_blocks(
        &mut self,
        content: &structure::Content<'_>,
        attributes: &[&str],
        blocks: &[&str],
    ) {
        for b in &content.blocks {
            if !blocks.contains(&b.kind) {
                let hint = if attributes.contains(&b.kind) {
                    format!(" Did you mean the argument? Then write {} = ...", b.kind)
                } else {
                    did_you_mean(b.kind, blocks)
                };
                self.error(
                    b.kind_range(),
                    "Unsupported block type",
                    format!("Blocks of type {:?} are not expected here.{hint}", b.kind),
                );
            }
        }
    }
}

/// The schema of a nested block, or of an argument that may be written as one; empty where the
/// schema has neither, which is found out when the body is checked.
fn nested_schema<'s>(schema: &'s Block, name: &str) -> Cow<'s, Block> {
    if let Some(nested) = schema.blocks.get(name) {
        return Cow::Borrowed(&nested.block);
    }
    let made = schema
        .attributes
        .get(name)
        .and_then(|a| object_schema(&a.ty));
    Cow::Owned(made.unwrap_or_default())
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
            .find(|a| *a.name == *name)
            .map(|a| &a.value)
    }

    /// Every expression in the body.
    pub fn expressions<'a>(&'a self, found: &mut Vec<&'a Expression>) {
        found.extend(self.attributes.iter().map(|a| &a.value));
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

    /// Checks names, required arguments and numbers of blocks against a schema. `words` are the
    /// names that the language has for such a block beside the schema's, for hints.
    pub fn check(&self, block: &Block, words: &[&str], diagnostics: &mut Diagnostics) {
        let known = || block.names().map(|n| &**n).chain(words.iter().copied());
        for argument in &self.attributes {
            let name = &argument.name;
            match (block.attributes.get(name), block.blocks.get(name)) {
                (Some(a), _) => check_settable(argument, a, diagnostics),
                (None, Some(nested)) if also_argument(nested) => {
                    if let Some(item) = self.blocks.iter().find(|b| b.name == *name) {
                        diagnostics.push(
                            Diagnostic::error("Argument and blocks of the same name", format!("{name:?} is given as an argument and as a block: use one of the two forms."))
                                .with_range(Some(item.body.range.clone())),
                        );
                    }
                }
                (None, Some(_)) => diagnostics.push(
                    Diagnostic::error("Unsupported argument", format!("{name:?} is a block here: write {name} {{ ... }} without an equals sign."))
                        .with_range(Some(argument.name_range())),
                ),
                (None, None) => {
                    let hint = did_you_mean(name, known().filter(|k| **k != **name));
                    diagnostics.push(
                        Diagnostic::error("Unsupported argument", format!("An argument named {name:?} is not expected here.{hint}"))
                            .with_range(Some(argument.name_range())),
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
                Some(nested) => {
                    if let Some(instead) = &nested.block.deprecated {
                        diagnostics.push(
                            Diagnostic::warning(
                                "Block is deprecated",
                                format!("{}: {instead}", item.name),
                            )
                            .with_range(Some(item.body.range.clone())),
                        );
                    }
                    item.body.check(&nested.block, &["dynamic"], diagnostics);
                }
                None => match block
                    .attributes
                    .get(&item.name)
                    .and_then(|a| object_schema(&a.ty))
                {
                    Some(schema) => item.body.check(&schema, &["dynamic"], diagnostics),
                    None => {
                        let hint = did_you_mean(&item.name, known().filter(|k| **k != *item.name));
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
            if items.len() == fixed && fixed < nested.min && self.get(name).is_none() {
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

    /// Errors for ephemeral values in arguments that are kept in the state. `value` is what
    /// [`Body::decode`] made.
    pub fn ephemeral(&self, block: &Block, value: &Value) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        if !value.deep_marks().contains(Marks::EPHEMERAL) {
            return diagnostics;
        }
        let ephemeral = |v: &Value| v.deep_marks().contains(Marks::EPHEMERAL);
        for (name, attribute) in &block.attributes {
            if attribute.write_only || !value.get(name).is_some_and(ephemeral) {
                continue;
            }
            let range = self
                .get(name)
                .map_or_else(|| self.range.clone(), Expression::range);
            diagnostics.push(
                Diagnostic::error("Invalid use of ephemeral value", format!("Ephemeral values are not valid for {name:?}, because it is kept in the state and is not a write-only argument."))
                    .with_range(Some(range)),
            );
        }
        for (name, nested) in &block.blocks {
            let Some(value) = value.get(name) else {
                continue;
            };
            if let Some(e) = self.get(name)
                && ephemeral(value)
            {
                diagnostics.push(
                    Diagnostic::error("Invalid use of ephemeral value", format!("Ephemeral values are not valid for {name:?}, because it is kept in the state."))
                        .with_range(Some(e.range())),
                );
                continue;
            }
            // A set has the marks of what is in it: whatever it is in, all of it is kept.
            if nested.nesting == Nesting::Set && value.marks().contains(Marks::EPHEMERAL) {
                let first = self.blocks.iter().find(|b| b.name == *name);
                let range = first.map_or_else(|| self.range.clone(), |b| b.body.range.clone());
                diagnostics.push(
                    Diagnostic::error("Invalid use of ephemeral value", format!("Ephemeral values are not valid in {name:?} blocks, because they are a set, which is kept in the state as a whole."))
                        .with_range(Some(range)),
                );
                continue;
            }
            let written = self.blocks.iter().filter(|b| b.name == *name);
            for (item, v) in written.zip(value.children()) {
                diagnostics.extend(item.body.ephemeral(&nested.block, v));
            }
            if nested.nesting == Nesting::Single
                && let Some(item) = self.blocks.iter().find(|b| b.name == *name)
            {
                diagnostics.extend(item.body.ephemeral(&nested.block, value));
            }
        }
        diagnostics
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

/// Whether the provider fills in blocks that are left out.
fn filled_in(nested: &NestedBlock) -> bool {
    nested.computed && matches!(nested.nesting, Nesting::List | Nesting::Set)
}

/// Whether blocks may also be given as an argument, a list of objects: where any number of them is
/// filled in when they are left out, that is the way to say that there are none.
fn also_argument(nested: &NestedBlock) -> bool {
    filled_in(nested) && nested.max == 0
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

fn check_settable(argument: &Argument, a: &Attribute, diagnostics: &mut Diagnostics) {
    let (name, expression) = (&*argument.name, &argument.value);
    if a.mode == Mode::Computed {
        diagnostics.push(
            Diagnostic::error("Value for unconfigurable attribute", format!("Can't configure a value for {name:?}: its value will be decided automatically based on the result of applying this configuration."))
                .with_range(Some(expression.range())),
        );
    }
    if let Some(instead) = &a.deprecated {
        diagnostics.push(
            Diagnostic::warning("Argument is deprecated", format!("{name}: {instead}"))
                .with_range(Some(argument.name_range())),
        );
    }
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
