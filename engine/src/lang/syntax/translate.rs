//! From the parser's tree to our own expressions.

use std::collections::VecDeque;
use std::sync::Arc;

use hcl_edit::expr::{BinaryOperator, Expression as Hcl, FuncCall, ObjectKey, UnaryOperator};
use hcl_edit::template::{Directive, Element, Template};
use topo_sdk::{Diagnostic, Diagnostics, Number, Value};

use super::span_of;
use crate::lang::ast::{BinaryOp, Call, Callee, Expr, ExprKind, Expression, For, Part, Reference};
use crate::lang::eval::MAX_DEPTH;
use crate::lang::functions;
use crate::lang::provider_functions;
use crate::lang::source::{SourceFile, Span};
use crate::lang::whitespace::{Form, literals};

/// The functions that are not in the function table: the evaluator's own.
const EVALUATED: [&str; 5] = ["try", "can", "templatefile", "templatestring", "convert"];

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

/// Translates a parsed template, in which `names` are bound; where `bound_only`, nothing else can
/// be referred to.
pub(super) fn whole_template(
    file: &Arc<SourceFile>,
    template: &Template,
    names: &[Arc<str>],
    bound_only: bool,
    diagnostics: &mut Diagnostics,
) -> Expression {
    let mut translator = Translator::new(file, names, diagnostics);
    translator.bound_only = bound_only;
    let mut texts = literals(template, Form::Lines, file);
    let parts = translator.template(template, &mut texts);
    let expr = Expr {
        kind: template_kind(parts),
        span: Span::from(0..file.text.len()),
    };
    let references = std::mem::take(&mut translator.references);
    Expression {
        expr,
        file: file.clone(),
        references,
    }
}

pub(super) struct Translator<'a> {
    pub(super) file: &'a Arc<SourceFile>,
    pub(super) bound: Vec<Arc<str>>,
    pub(super) references: Vec<Arc<Reference>>,
    diagnostics: &'a mut Diagnostics,
    /// How deep the tree is at this place.
    depth: usize,
    /// Whether nothing is in scope but bound names: in a template from elsewhere.
    pub(super) bound_only: bool,
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
            depth: 0,
            bound_only: false,
        }
    }

    pub(super) fn error(
        &mut self,
        span: Span,
        summary: &str,
        detail: impl Into<String>,
    ) -> ExprKind {
        let range = self.file.range(span);
        self.diagnostics
            .push(Diagnostic::error(summary, detail).with_range(Some(range)));
        ExprKind::Literal(Value::NULL)
    }

    pub(super) fn expr(&mut self, hcl: &Hcl) -> Expr {
        self.nested(1, span_of(hcl), |t| t.expr_at(hcl))
    }

    /// Translates what adds some levels to the tree, unless that gets too deep to be gone through.
    fn nested(&mut self, levels: usize, span: Span, f: impl FnOnce(&mut Self) -> Expr) -> Expr {
        if self.depth + levels > MAX_DEPTH {
            let detail =
                format!("Expressions nested deeper than {MAX_DEPTH} levels are not supported.");
            let kind = self.error(span, "Expression too deep", detail);
            return Expr { kind, span };
        }
        self.depth += levels;
        let made = f(self);
        self.depth -= levels;
        made
    }

    fn expr_at(&mut self, hcl: &Hcl) -> Expr {
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
            Hcl::Traversal(t) => {
                return self.nested(t.operators.len(), span, |s| s.traversal(t, span));
            }
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
        let text = self.file.slice(span).trim();
        // Between a minus sign and the digits there may be spaces and comments.
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest.rsplit([' ', '\t', '/']).next().unwrap_or(rest)),
            None => (false, text),
        };
        match digits.parse::<Number>() {
            Ok(n) if negative => ExprKind::Literal(Value::from(n.neg())),
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
            // A bare word is a name, whatever it would mean elsewhere.
            ObjectKey::Expression(e @ Hcl::Null(_)) => Expr {
                kind: ExprKind::Literal(Value::string("null")),
                span: span_of(e),
            },
            ObjectKey::Expression(e @ Hcl::Traversal(t)) if matches!(t.expr, Hcl::Variable(_)) => {
                let span = span_of(e);
                let kind = self.error(
                    span,
                    "Ambiguous attribute key",
                    "If this expression is intended to be a reference, wrap it in parentheses. If it is a literal name that contains periods, wrap it in quotes.",
                );
                Expr { kind, span }
            }
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
        let expand = call.args.expand_final();
        let args = |t: &mut Self| call.args.iter().map(|e| t.expr(e)).collect::<Vec<Expr>>();
        let function = match name.strip_prefix("core::").unwrap_or(&name) {
            "try" => Callee::Try,
            "can" => Callee::Can,
            "templatefile" => Callee::TemplateFile,
            "templatestring" => Callee::TemplateString,
            "convert" => return self.convert(call, span),
            qualified if qualified.contains("::") => match provider_functions::parse(qualified) {
                Ok(name) => Callee::Provider(Arc::new(name)),
                Err(detail) => return self.error(span, "Unknown provider function", detail),
            },
            plain => match functions::lookup(plain) {
                Some(f) => Callee::Function(f),
                None => {
                    let known = functions::all().map(|f| f.name).chain(EVALUATED);
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
            args: args(self),
            expand,
        }))
    }

    /// `convert(value, type)`: the second argument is a type constraint, not an expression.
    fn convert(&mut self, call: &FuncCall, span: Span) -> ExprKind {
        let args: Vec<&Hcl> = call.args.iter().collect();
        let [value, ty] = args.as_slice() else {
            return self.error(
                span,
                "Error in function call",
                "Function \"convert\" takes two arguments: a value and a type, as in convert(var.ports, list(number)).",
            );
        };
        let constraint = crate::config::types::read_type(self.file, ty, self.diagnostics);
        ExprKind::Call(Box::new(Call {
            function: Callee::Convert(Arc::new(constraint)),
            args: vec![self.expr(value)],
            expand: false,
        }))
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
