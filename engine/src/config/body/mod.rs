//! Bodies of blocks whose arguments a schema describes. `read` makes them of parsed syntax,
//! `check` compares them with the schema, `evaluate` makes a value of the schema's type of
//! them.

mod check;
mod evaluate;
mod read;

use std::sync::Arc;

use topo_sdk::{Attribute, Block, NestedBlock, Nesting, SourceRange, Type};

use crate::lang::ast::{Expression, Reference};
use crate::lang::source::Span;

pub(super) use read::{Meta, Reader};

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
