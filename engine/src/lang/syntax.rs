//! Native syntax into expressions: parsing is `hcl-edit`'s, here its tree is translated.
//!
//! Names are resolved while translating: a name bound by an enclosing `for` shadows everything;
//! any other traversal must start with one of the language's roots or name a resource.

use std::collections::VecDeque;
use std::sync::Arc;

use hcl_edit::expr::{
    BinaryOperator, Expression as Hcl, FuncCall, ObjectKey, Traversal, TraversalOperator,
    UnaryOperator,
};
use hcl_edit::structure::Body;
use hcl_edit::template::{Directive, Element, Template};
use topo_sdk::{Diagnostic, Diagnostics, Number, Position, SourceRange, Value};

use super::ast::{
    BinaryOp, Call, Callee, Expr, ExprKind, Expression, For, Part, Reference, Target,
};
use super::functions;
use super::provider_functions;
use super::source::{SourceFile, Span};
use super::whitespace::{Form, literals};
use crate::address::ResourceMode;

/// Parses a file's body.
///
/// # Errors
/// The first syntax error, with its place.
pub fn parse_body(file: &Arc<SourceFile>) -> Result<Body, Box<Diagnostic>> {
    let text = without_mark(&file.text);
    hcl_edit::parser::parse_body(&text).map_err(|e| Box::new(syntax_error(file, &e)))
}

/// The text without its byte order mark, which is allowed and means nothing; spaces keep the byte
/// positions right.
pub(super) fn without_mark(text: &str) -> std::borrow::Cow<'_, str> {
    match text.strip_prefix('\u{feff}') {
        Some(rest) => std::borrow::Cow::Owned(format!("   {rest}")),
        None => std::borrow::Cow::Borrowed(text),
    }
}

/// Parses a single expression without translating it: for what means something by its form.
///
/// # Errors
/// The first syntax error.
pub(super) fn parse_tree(file: &Arc<SourceFile>) -> Result<Hcl, Box<Diagnostic>> {
    hcl_edit::parser::parse_expr(&file.text).map_err(|e| Box::new(syntax_error(file, &e)))
}

/// Parses a single expression, such as the value of a `-var` flag or a path and value of
/// `sandbox set`.
///
/// # Errors
/// The first syntax error, or the references that make no sense.
pub fn parse_expression(file: &Arc<SourceFile>) -> Result<Expression, Diagnostics> {
    let hcl = parse(file).map_err(|d| *d)?;
    let mut diagnostics = Diagnostics::new();
    let expression = translate(file, &hcl, &[], &mut diagnostics);
    if diagnostics.has_errors() {
        Err(diagnostics)
    } else {
        Ok(expression)
    }
}

/// Parses a single expression without a look at what it means.
///
/// # Errors
/// The first syntax error.
pub(crate) fn parse(file: &SourceFile) -> Result<Hcl, Box<Diagnostic>> {
    hcl_edit::parser::parse_expr(&file.text).map_err(|e| Box::new(syntax_error(file, &e)))
}

/// Parses a template file for `templatefile`: its variables are bound names.
///
/// # Errors
/// The first syntax error, or names that are not among `names`.
pub fn parse_template(
    file: &Arc<SourceFile>,
    names: &[Arc<str>],
) -> Result<Expression, Diagnostics> {
    let template =
        hcl_edit::parser::parse_template(&file.text).map_err(|e| syntax_error(file, &e))?;
    let mut diagnostics = Diagnostics::new();
    let mut translator = Translator::new(file, names, &mut diagnostics);
    let mut texts = literals(&template, Form::Lines, file);
    let parts = translator.template(&template, &mut texts);
    let span = Span::from(0..file.text.len());
    let expr = Expr {
        kind: template_kind(parts),
        span,
    };
    let references = std::mem::take(&mut translator.references);
    if diagnostics.has_errors() {
        Err(diagnostics)
    } else {
        Ok(Expression {
            expr,
            file: file.clone(),
            references,
        })
    }
}

fn syntax_error(file: &SourceFile, error: &hcl_edit::parser::Error) -> Diagnostic {
    let at = u32::try_from(error.location().offset()).unwrap_or(u32::MAX);
    let start = file.position(at);
    let end = Position {
        column: start.column + 1,
        byte: at.saturating_add(1),
        ..start
    };
    let mut message = error.message().replace('\n', "; ");
    if let Some(first) = message.get(..1) {
        message = format!("{}{}", first.to_uppercase(), message.get(1..).unwrap_or(""));
    }
    Diagnostic::error("Invalid syntax", format!("{message}.")).with_range(Some(SourceRange {
        file: file.name.clone(),
        start,
        end,
    }))
}

/// Translates one parsed expression. `bound` are names that the surroundings bind (the iterator
/// of a `dynamic` block).
pub fn translate(
    file: &Arc<SourceFile>,
    hcl: &Hcl,
    bound: &[Arc<str>],
    diagnostics: &mut Diagnostics,
) -> Expression {
    let mut translator = Translator::new(file, bound, diagnostics);
    let expr = translator.expr(hcl);
    let references = std::mem::take(&mut translator.references);
    Expression {
        expr,
        file: file.clone(),
        references,
    }
}

/// Whether a text is a name: a letter or underscore, then letters, digits, underscores and dashes.
pub fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c == '_' || c.is_alphabetic())
        && chars.all(|c| c == '_' || c == '-' || c.is_alphanumeric())
}

/// The span of an attribute, block or label.
pub fn span_of(node: &impl hcl_edit::Span) -> Span {
    node.span().map(Span::from).unwrap_or_default()
}

struct Translator<'a> {
    file: &'a Arc<SourceFile>,
    bound: Vec<Arc<str>>,
    references: Vec<Arc<Reference>>,
    diagnostics: &'a mut Diagnostics,
}

impl<'a> Translator<'a> {
    fn new(
        file: &'a Arc<SourceFile>,
        bound: &[Arc<str>],
        diagnostics: &'a mut Diagnostics,
    ) -> Self {
        Translator {
            file,
            bound: bound.to_vec(),
            references: Vec::new(),
            diagnostics,
        }
    }

    fn error(&mut self, span: Span, summary: &str, detail: impl Into<String>) -> ExprKind {
        let range = self.file.range(span);
        self.diagnostics
            .push(Diagnostic::error(summary, detail).with_range(Some(range)));
        ExprKind::Literal(Value::NULL)
    }

    fn expr(&mut self, hcl: &Hcl) -> Expr {
        let span = span_of(hcl);
        let kind = match hcl {
            Hcl::Null(_) => ExprKind::Literal(Value::NULL),
            Hcl::Bool(b) => ExprKind::Literal(Value::from(*b.value())),
            Hcl::Number(_) => self.number(span),
            Hcl::String(s) => ExprKind::Literal(Value::string(s.value())),
            Hcl::Array(items) => ExprKind::Tuple(items.iter().map(|e| self.expr(e)).collect()),
            Hcl::Object(object) => ExprKind::Object(
                object
                    .iter()
                    .map(|(k, v)| (self.object_key(k), self.expr(v.expr())))
                    .collect(),
            ),
            Hcl::StringTemplate(t) => {
                let mut texts = literals(t, Form::Quoted, self.file);
                let parts = self.template(t, &mut texts);
                template_kind(parts)
            }
            Hcl::HeredocTemplate(h) => {
                let form = if self.file.slice(span).starts_with("<<-") {
                    Form::Indented
                } else {
                    Form::Lines
                };
                let mut texts = literals(&h.template, form, self.file);
                let parts = self.template(&h.template, &mut texts);
                template_kind(parts)
            }
            Hcl::Parenthesis(inner) => return self.expr(inner.inner()),
            Hcl::Variable(name) => self.root(name.as_str(), span, &mut &[][..]),
            Hcl::Conditional(c) => ExprKind::Conditional(Box::new((
                self.expr(&c.cond_expr),
                self.expr(&c.true_expr),
                self.expr(&c.false_expr),
            ))),
            Hcl::FuncCall(call) => self.call(call, span),
            Hcl::Traversal(t) => return self.traversal(t, span),
            Hcl::UnaryOp(op) => {
                let operand = Box::new(self.expr(&op.expr));
                match op.operator.value() {
                    UnaryOperator::Neg => ExprKind::Negate(operand),
                    UnaryOperator::Not => ExprKind::Not(operand),
                }
            }
            Hcl::BinaryOp(op) => {
                let operands = Box::new((self.expr(&op.lhs_expr), self.expr(&op.rhs_expr)));
                ExprKind::Binary(binary_op(*op.operator.value()), operands)
            }
            Hcl::ForExpr(f) => {
                let collection = self.expr(&f.intro.collection_expr);
                let key_name: Option<Arc<str>> =
                    f.intro.key_var.as_ref().map(|n| n.as_str().into());
                let value_name: Arc<str> = f.intro.value_var.as_str().into();
                let depth = self.bound.len();
                self.bound.extend(key_name.clone());
                self.bound.push(value_name.clone());
                let key = f.key_expr.as_ref().map(|e| self.expr(e));
                let value = self.expr(&f.value_expr);
                let condition = f.cond.as_ref().map(|c| self.expr(&c.expr));
                self.bound.truncate(depth);
                ExprKind::For(Box::new(For {
                    key_name,
                    value_name,
                    collection,
                    key,
                    value,
                    condition,
                    group: f.grouping,
                }))
            }
        };
        Expr { kind, span }
    }

    /// From the text, not from the parser's float: digits must not get lost.
    fn number(&mut self, span: Span) -> ExprKind {
        match self.file.slice(span).trim().parse::<Number>() {
            Ok(n) => ExprKind::Literal(Value::from(n)),
            Err(_) => self.error(
                span,
                "Invalid number",
                "The number has more digits than are supported.",
            ),
        }
    }

    fn object_key(&mut self, key: &ObjectKey) -> Expr {
        match key {
            ObjectKey::Ident(name) => Expr {
                kind: ExprKind::Literal(Value::string(name.as_str())),
                span: span_of(name),
            },
            ObjectKey::Expression(Hcl::Variable(name)) => Expr {
                kind: ExprKind::Literal(Value::string(name.as_str())),
                span: span_of(name),
            },
            ObjectKey::Expression(e) => self.expr(e),
        }
    }

    fn call(&mut self, call: &FuncCall, span: Span) -> ExprKind {
        let mut name = String::new();
        for part in &call.name.namespace {
            name.push_str(part.as_str());
            name.push_str("::");
        }
        name.push_str(call.name.name.as_str());
        let args: Vec<Expr> = call.args.iter().map(|e| self.expr(e)).collect();
        let expand = call.args.expand_final();
        let function = match name.strip_prefix("core::").unwrap_or(&name) {
            "try" => Callee::Try,
            "can" => Callee::Can,
            "templatefile" => Callee::TemplateFile,
            qualified if qualified.contains("::") => match provider_functions::parse(qualified) {
                Ok(name) => Callee::Provider(Arc::new(name)),
                Err(detail) => return self.error(span, "Unknown provider function", detail),
            },
            plain => match functions::lookup(plain) {
                Some(f) => Callee::Function(f),
                None => {
                    let known =
                        functions::all()
                            .map(|f| f.name)
                            .chain(["try", "can", "templatefile"]);
                    let hint = crate::suggest::did_you_mean(plain, known);
                    return self.error(
                        span,
                        "Call to unknown function",
                        format!("There is no function named {name:?}.{hint}"),
                    );
                }
            },
        };
        ExprKind::Call(Box::new(Call {
            function,
            args,
            expand,
        }))
    }

    fn traversal(&mut self, t: &Traversal, span: Span) -> Expr {
        let all: Vec<&TraversalOperator> = t.operators.iter().map(|o| o.value()).collect();
        let mut operators = all.as_slice();
        let root = match &t.expr {
            Hcl::Variable(name) => {
                let start = span_of(name);
                let kind = self.root(name.as_str(), start, &mut operators);
                Expr { kind, span: start }
            }
            other => self.expr(other),
        };
        let mut expr = self.operators(root, operators, span);
        expr.span = span;
        expr
    }

    fn operators(&mut self, mut expr: Expr, operators: &[&TraversalOperator], whole: Span) -> Expr {
        let mut rest = operators;
        while let Some((first, after)) = rest.split_first() {
            rest = after;
            let kind = match first {
                TraversalOperator::GetAttr(name) => {
                    let end = span_of(name).end;
                    let span = Span {
                        start: expr.span.start,
                        end,
                    };
                    expr = Expr {
                        kind: ExprKind::GetAttr(Box::new(expr), name.as_str().into()),
                        span,
                    };
                    continue;
                }
                TraversalOperator::Index(key) => ExprKind::Index(Box::new((expr, self.expr(key)))),
                TraversalOperator::LegacyIndex(i) => {
                    let key = Expr {
                        kind: ExprKind::Literal(Value::number(*i.value())),
                        span: span_of(i),
                    };
                    ExprKind::Index(Box::new((expr, key)))
                }
                TraversalOperator::AttrSplat(_) => {
                    // Takes the attribute accesses that follow; an index applies to the result.
                    let count = rest
                        .iter()
                        .take_while(|o| matches!(o, TraversalOperator::GetAttr(_)))
                        .count();
                    let (inner, after) = rest.split_at(count);
                    rest = after;
                    let item = Expr {
                        kind: ExprKind::SplatItem,
                        span: whole,
                    };
                    let each = self.operators(item, inner, whole);
                    ExprKind::Splat(Box::new((expr, each)))
                }
                TraversalOperator::FullSplat(_) => {
                    // Takes everything up to the next splat, which then applies to each element.
                    let item = Expr {
                        kind: ExprKind::SplatItem,
                        span: whole,
                    };
                    let each = self.operators(item, rest, whole);
                    rest = &[];
                    ExprKind::Splat(Box::new((expr, each)))
                }
            };
            expr = Expr { kind, span: whole };
        }
        expr
    }

    /// Resolves the name at the root of a traversal, taking the operators that belong to it.
    fn root(&mut self, name: &str, span: Span, operators: &mut &[&TraversalOperator]) -> ExprKind {
        if self.bound.iter().any(|b| &**b == name) {
            return ExprKind::Bound(name.into());
        }
        let mut end = span.end;
        let mut attr = |operators: &mut &[&TraversalOperator]| -> Option<Arc<str>> {
            let Some((TraversalOperator::GetAttr(n), rest)) = operators.split_first() else {
                return None;
            };
            end = span_of(n).end;
            *operators = rest;
            Some(n.as_str().into())
        };
        let missing = |what: &str| format!("A reference to {name:?} needs {what}.");
        let target = match name {
            "var" => match attr(operators) {
                Some(n) => Target::Variable(n),
                None => {
                    return self.error(
                        span,
                        "Invalid reference",
                        missing("the name of a variable, as in var.region"),
                    );
                }
            },
            "local" => match attr(operators) {
                Some(n) => Target::Local(n),
                None => {
                    return self.error(
                        span,
                        "Invalid reference",
                        missing("the name of a local value, as in local.tags"),
                    );
                }
            },
            "count" => match attr(operators).as_deref() {
                Some("index") => Target::CountIndex,
                _ => {
                    return self.error(
                        span,
                        "Invalid reference",
                        "The count object has one attribute: count.index.",
                    );
                }
            },
            "each" => match attr(operators).as_deref() {
                Some("key") => Target::EachKey,
                Some("value") => Target::EachValue,
                _ => {
                    return self.error(
                        span,
                        "Invalid reference",
                        "The each object has two attributes: each.key and each.value.",
                    );
                }
            },
            "self" => Target::SelfObject,
            "path" => match attr(operators).as_deref() {
                Some("module") => Target::PathModule,
                Some("root") => Target::PathRoot,
                Some("cwd") => Target::PathCwd,
                _ => return self.error(
                    span,
                    "Invalid reference",
                    "The path object has three attributes: path.module, path.root and path.cwd.",
                ),
            },
            "terraform" | "tofu" => match attr(operators).as_deref() {
                Some("workspace") => Target::Workspace,
                Some("applying") => Target::Applying,
                _ => {
                    return self.error(
                        span,
                        "Invalid reference",
                        "The terraform object has two attributes: terraform.workspace and terraform.applying.",
                    );
                }
            },
            "module" => {
                let Some(call) = attr(operators) else {
                    return self.error(
                        span,
                        "Invalid reference",
                        missing("the name of a module call, as in module.network"),
                    );
                };
                return self.module(
                    call,
                    Span {
                        start: span.start,
                        end,
                    },
                    operators,
                );
            }
            "data" => match (attr(operators), attr(operators)) {
                (Some(t), Some(n)) => Target::Resource(ResourceMode::Data, t, n),
                _ => {
                    return self.error(
                        span,
                        "Invalid reference",
                        missing("a data source type and a name, as in data.aws_region.current"),
                    );
                }
            },
            "ephemeral" => match (attr(operators), attr(operators)) {
                (Some(t), Some(n)) => Target::Resource(ResourceMode::Ephemeral, t, n),
                _ => {
                    return self.error(
                        span,
                        "Invalid reference",
                        missing("an ephemeral resource type and a name, as in ephemeral.random_password.db"),
                    );
                }
            },
            _ => {
                let type_name: Option<Arc<str>> = if name == "resource" {
                    attr(operators)
                } else {
                    Some(name.into())
                };
                match (type_name, attr(operators)) {
                    (Some(t), Some(n)) => Target::Resource(ResourceMode::Managed, t, n),
                    _ => {
                        return self.error(
                            span,
                            "Invalid reference",
                            format!("{name:?} is not the name of anything here. A reference to a resource names its type and its name, as in aws_vpc.main; text must be in quotes."),
                        );
                    }
                }
            }
        };
        let is_resource = matches!(target, Target::Resource(..));
        let key = if is_resource {
            self.instance_key(operators)
        } else {
            None
        };
        self.refer(Reference {
            target,
            key,
            span: Span {
                start: span.start,
                end,
            },
        })
    }

    fn module(
        &mut self,
        call: Arc<str>,
        span: Span,
        operators: &mut &[&TraversalOperator],
    ) -> ExprKind {
        let key = self.instance_key(operators);
        let output = match operators.split_first() {
            Some((TraversalOperator::GetAttr(n), rest)) => {
                *operators = rest;
                Some(n.as_str().into())
            }
            _ => None,
        };
        self.refer(Reference {
            target: Target::Module(call, output),
            key,
            span,
        })
    }

    fn instance_key(&mut self, operators: &mut &[&TraversalOperator]) -> Option<Expr> {
        let (first, rest) = operators.split_first()?;
        let key = match first {
            TraversalOperator::Index(key) => self.expr(key),
            TraversalOperator::LegacyIndex(i) => Expr {
                kind: ExprKind::Literal(Value::number(*i.value())),
                span: span_of(i),
            },
            _ => return None,
        };
        *operators = rest;
        Some(key)
    }

    fn refer(&mut self, reference: Reference) -> ExprKind {
        let reference = Arc::new(reference);
        self.references.push(reference.clone());
        ExprKind::Reference(reference)
    }

    /// `texts` are those of the literals, in order.
    fn template(&mut self, template: &Template, texts: &mut VecDeque<String>) -> Vec<Part> {
        let mut parts = Vec::new();
        for element in template.iter() {
            match element {
                Element::Literal(_) => {
                    let text = texts.pop_front().unwrap_or_default();
                    if !text.is_empty() {
                        parts.push(Part::Literal(text.as_str().into()));
                    }
                }
                Element::Interpolation(i) => parts.push(Part::Interpolation(self.expr(&i.expr))),
                Element::Directive(d) => match &**d {
                    Directive::If(d) => {
                        let condition = self.expr(&d.if_expr.cond_expr);
                        let then = self.template(&d.if_expr.template, texts);
                        let otherwise = match &d.else_expr {
                            Some(e) => self.template(&e.template, texts),
                            None => Vec::new(),
                        };
                        parts.push(Part::If(Box::new((condition, then, otherwise))));
                    }
                    Directive::For(d) => {
                        let collection = Box::new(self.expr(&d.for_expr.collection_expr));
                        let key: Option<Arc<str>> =
                            d.for_expr.key_var.as_ref().map(|n| n.as_str().into());
                        let value: Arc<str> = d.for_expr.value_var.as_str().into();
                        let depth = self.bound.len();
                        self.bound.extend(key.clone());
                        self.bound.push(value.clone());
                        let body = self.template(&d.for_expr.template, texts);
                        self.bound.truncate(depth);
                        parts.push(Part::For {
                            key,
                            value,
                            collection,
                            body,
                        });
                    }
                },
            }
        }
        parts
    }
}

/// A template of text only is a constant; one that is a single interpolation is that value.
fn template_kind(mut parts: Vec<Part>) -> ExprKind {
    match parts.as_mut_slice() {
        [] => ExprKind::Literal(Value::string("")),
        [Part::Literal(text)] => ExprKind::Literal(Value::string(text)),
        [Part::Interpolation(_)] => match parts.pop() {
            Some(Part::Interpolation(e)) => ExprKind::Wrapped(Box::new(e)),
            _ => ExprKind::Literal(Value::string("")),
        },
        _ => ExprKind::Template(parts),
    }
}

fn binary_op(op: BinaryOperator) -> BinaryOp {
    match op {
        BinaryOperator::Eq => BinaryOp::Equal,
        BinaryOperator::NotEq => BinaryOp::NotEqual,
        BinaryOperator::LessEq => BinaryOp::LessEqual,
        BinaryOperator::GreaterEq => BinaryOp::GreaterEqual,
        BinaryOperator::Less => BinaryOp::Less,
        BinaryOperator::Greater => BinaryOp::Greater,
        BinaryOperator::Plus => BinaryOp::Add,
        BinaryOperator::Minus => BinaryOp::Subtract,
        BinaryOperator::Mul => BinaryOp::Multiply,
        BinaryOperator::Div => BinaryOp::Divide,
        BinaryOperator::Mod => BinaryOp::Modulo,
        BinaryOperator::And => BinaryOp::And,
        BinaryOperator::Or => BinaryOp::Or,
    }
}
