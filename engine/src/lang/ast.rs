//! Expressions as the evaluator sees them.
//!
//! Syntax (native today, JSON later) is translated into this form once, when a file is loaded:
//! references are resolved to what kind of thing they name, functions to their table entry,
//! template whitespace markers are carried out. What an expression refers to is listed beside it,
//! which is what the graph is made of.

use std::sync::Arc;

use topo_sdk::{Path, SourceRange, Value};

use super::functions::Function;
use super::source::{SourceFile, Span};
use crate::address::ResourceMode;
use crate::config::types::TypeConstraint;

/// An expression of a file, with everything that it refers to.
#[derive(Debug, Clone)]
pub struct Expression {
    /// What to evaluate.
    pub expr: Expr,
    /// The file it is in.
    pub file: Arc<SourceFile>,
    /// Every reference in it, in source order.
    pub references: Vec<Arc<Reference>>,
}

impl Expression {
    /// Where it is.
    pub fn range(&self) -> SourceRange {
        self.file.range(self.expr.span)
    }

    /// Whether it is a constant.
    pub fn is_constant(&self) -> bool {
        matches!(self.expr.kind, ExprKind::Literal(_))
    }

    /// Whether it is the constant null.
    pub fn is_null_literal(&self) -> bool {
        matches!(&self.expr.kind, ExprKind::Literal(v) if v.is_null())
    }

    /// The reference that it is, or whose attributes and elements it goes into; `None` for any
    /// other operation.
    pub fn leading_reference(&self) -> Option<&Arc<Reference>> {
        let mut expr = &self.expr;
        loop {
            expr = match &expr.kind {
                ExprKind::Reference(r) => return Some(r),
                ExprKind::GetAttr(inner, _) => inner,
                ExprKind::Index(pair) => &pair.0,
                _ => return None,
            };
        }
    }
}

/// A node of an expression.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it is.
    pub span: Span,
}

impl Expr {
    /// Where the expression leads in what it starts with: `size` of `aws_x.y[0].size`. It ends
    /// before the first step that is not constant.
    pub fn path(&self) -> Path {
        match &self.kind {
            ExprKind::GetAttr(inner, name) => inner.path().attr(name.clone()),
            ExprKind::Index(both) => {
                let path = both.0.path();
                match &both.1.kind {
                    ExprKind::Literal(v) => match (v.as_str(), v.as_i64()) {
                        (Some(key), _) => path.key(key),
                        (None, Some(i)) => {
                            usize::try_from(i).map_or(path.clone(), |i| path.index(i))
                        }
                        (None, None) => path,
                    },
                    _ => path,
                }
            }
            _ => Path::root(),
        }
    }

    /// Calls `f` with each expression directly inside this one, in source order. Of a reference,
    /// that is its instance key.
    pub fn children<'e>(&'e self, f: &mut dyn FnMut(&'e Expr)) {
        match &self.kind {
            ExprKind::Literal(_) | ExprKind::Bound(_) | ExprKind::SplatItem => {}
            ExprKind::Reference(r) => r.key.iter().for_each(f),
            ExprKind::Template(parts) => parts.iter().for_each(|p| p.children(f)),
            ExprKind::Wrapped(e)
            | ExprKind::Not(e)
            | ExprKind::Negate(e)
            | ExprKind::GetAttr(e, _) => f(e),
            ExprKind::Tuple(items) => items.iter().for_each(f),
            ExprKind::Object(items) => items.iter().for_each(|(k, v)| {
                f(k);
                f(v);
            }),
            ExprKind::Conditional(parts) => {
                f(&parts.0);
                f(&parts.1);
                f(&parts.2);
            }
            ExprKind::Binary(_, sides) | ExprKind::Index(sides) | ExprKind::Splat(sides) => {
                f(&sides.0);
                f(&sides.1);
            }
            ExprKind::Call(call) => call.args.iter().for_each(f),
            ExprKind::For(e) => {
                f(&e.collection);
                e.key.iter().for_each(&mut *f);
                f(&e.value);
                e.condition.iter().for_each(f);
            }
        }
    }
}

/// The kinds of nodes.
#[derive(Debug, Clone)]
pub enum ExprKind {
    /// A constant.
    Literal(Value),
    /// A name bound by a `for` expression, a template `for` or a `dynamic` block.
    Bound(Arc<str>),
    /// Something outside the expression.
    Reference(Arc<Reference>),
    /// Text with interpolations and directives; at least two parts, or one that is not literal.
    Template(Vec<Part>),
    /// `"${x}"`: the value itself, not converted to string.
    Wrapped(Box<Expr>),
    /// `[a, b]`
    Tuple(Vec<Expr>),
    /// `{ k = v }`
    Object(Vec<(Expr, Expr)>),
    /// `c ? a : b`
    Conditional(Box<(Expr, Expr, Expr)>),
    /// `!a`
    Not(Box<Expr>),
    /// `-a`
    Negate(Box<Expr>),
    /// `a + b`
    Binary(BinaryOp, Box<(Expr, Expr)>),
    /// `f(a, b...)`
    Call(Box<Call>),
    /// `a.name`
    GetAttr(Box<Expr>, Arc<str>),
    /// `a[key]`
    Index(Box<(Expr, Expr)>),
    /// `a[*].b`: `each` is evaluated with [`ExprKind::SplatItem`] standing for the element.
    Splat(Box<(Expr, Expr)>),
    /// The element of the innermost splat.
    SplatItem,
    /// `[for ...]`, `{for ...}`
    For(Box<For>),
}

/// A part of a template.
#[derive(Debug, Clone)]
pub enum Part {
    /// Text.
    Literal(Arc<str>),
    /// `${...}`
    Interpolation(Expr),
    /// `%{ if c }...%{ else }...%{ endif }`
    If(Box<(Expr, Vec<Part>, Vec<Part>)>),
    /// `%{ for k, v in c }...%{ endfor }`
    For {
        /// Name of the key, if wanted.
        key: Option<Arc<str>>,
        /// Name of the element.
        value: Arc<str>,
        /// What to go through.
        collection: Box<Expr>,
        /// What to repeat.
        body: Vec<Part>,
    },
}

impl Part {
    fn children<'e>(&'e self, f: &mut dyn FnMut(&'e Expr)) {
        match self {
            Part::Literal(_) => {}
            Part::Interpolation(e) => f(e),
            Part::If(d) => {
                f(&d.0);
                d.1.iter().chain(&d.2).for_each(|p| p.children(f));
            }
            Part::For {
                collection, body, ..
            } => {
                f(collection);
                body.iter().for_each(|p| p.children(f));
            }
        }
    }
}

/// Binary operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the operators say it")]
pub enum BinaryOp {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    And,
    Or,
}

/// A function call.
#[derive(Debug, Clone)]
pub struct Call {
    /// What to call.
    pub function: Callee,
    /// The arguments.
    pub args: Vec<Expr>,
    /// Whether the last argument is a list of arguments (`...`).
    pub expand: bool,
}

/// What a call calls.
#[derive(Debug, Clone)]
pub enum Callee {
    /// An entry of the function table.
    Function(&'static Function),
    /// `try`: needs the expressions, not their values.
    Try,
    /// `can`: needs the expression, not its value.
    Can,
    /// `templatefile`: evaluates another file.
    TemplateFile,
    /// `templatestring`: needs to see that its first argument is a reference.
    TemplateString,
    /// `convert`: its second argument is a type, read when the call is.
    Convert(Arc<TypeConstraint>),
    /// `provider::NAME::FUNCTION`: found by the scope, which knows what the name stands for.
    Provider(Arc<ProviderFunctionName>),
}

/// The name of a provider's function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderFunctionName {
    /// The provider's local name in the module.
    pub provider: Arc<str>,
    /// The function's name.
    pub function: Arc<str>,
}

impl std::fmt::Display for ProviderFunctionName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "provider::{}::{}", self.provider, self.function)
    }
}

/// A `for` expression.
#[derive(Debug, Clone)]
pub struct For {
    /// Name of the key, if wanted.
    pub key_name: Option<Arc<str>>,
    /// Name of the element.
    pub value_name: Arc<str>,
    /// What to go through.
    pub collection: Expr,
    /// The key of each result: an object is made.
    pub key: Option<Expr>,
    /// Each result.
    pub value: Expr,
    /// Which elements to take.
    pub condition: Option<Expr>,
    /// Whether results with the same key are collected in a list (`...`).
    pub group: bool,
}

/// Something outside an expression.
#[derive(Debug, Clone)]
pub struct Reference {
    /// What it names.
    pub target: Target,
    /// The instance that is asked for, where one is.
    pub key: Option<Expr>,
    /// Where it is.
    pub span: Span,
}

/// What a reference names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// `var.name`
    Variable(Arc<str>),
    /// `local.name`
    Local(Arc<str>),
    /// `type.name`, `data.type.name`
    Resource(ResourceMode, Arc<str>, Arc<str>),
    /// `module.name`, with the output where the reference goes on to one.
    Module(Arc<str>, Option<Arc<str>>),
    /// `each.key`
    EachKey,
    /// `each.value`
    EachValue,
    /// `count.index`
    CountIndex,
    /// `self`
    SelfObject,
    /// `path.module`
    PathModule,
    /// `path.root`
    PathRoot,
    /// `path.cwd`
    PathCwd,
    /// `terraform.workspace`
    Workspace,
    /// `terraform.applying`: whether it is apply that evaluates, not plan. Ephemeral.
    Applying,
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Target::Variable(n) => write!(f, "var.{n}"),
            Target::Local(n) => write!(f, "local.{n}"),
            Target::Resource(mode, t, n) => write!(f, "{}{t}.{n}", mode.prefix()),
            Target::Module(n, None) => write!(f, "module.{n}"),
            Target::Module(n, Some(o)) => write!(f, "module.{n}.{o}"),
            Target::EachKey => f.write_str("each.key"),
            Target::EachValue => f.write_str("each.value"),
            Target::CountIndex => f.write_str("count.index"),
            Target::SelfObject => f.write_str("self"),
            Target::PathModule => f.write_str("path.module"),
            Target::PathRoot => f.write_str("path.root"),
            Target::PathCwd => f.write_str("path.cwd"),
            Target::Workspace => f.write_str("terraform.workspace"),
            Target::Applying => f.write_str("terraform.applying"),
        }
    }
}
