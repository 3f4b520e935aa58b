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
use topo_sdk::{Diagnostic, Diagnostics, Number, Value};

use super::ast::{
    BinaryOp, Call, Callee, Expr, ExprKind, Expression, For, Part, Reference, Target,
};
use super::eval::MAX_DEPTH;
use super::functions;
use super::mistakes::{self, Mistake};
use super::provider_functions;
use super::source::{SourceFile, Span};
use super::tokens::{Scanner, TokenKind};
use super::whitespace::{Form, literals};
use crate::address::ResourceMode;

/// The functions that are not in the function table: the evaluator's own.
const EVALUATED: [&str; 5] = ["try", "can", "templatefile", "templatestring", "convert"];

/// Whether a text is a name: a letter or underscore, then letters, digits, underscores and dashes.
pub fn is_identifier(name: &str) -> bool {
    hcl_edit::Ident::try_new(name).is_ok()
}

/// Parses a file's body. The places in it are those of the source that is returned with it, which
/// is the file unless keys of its objects had to be told apart (see [`read`]).
///
/// # Errors
/// The first syntax error, with its place.
pub fn parse_body(file: &Arc<SourceFile>) -> Result<(Arc<SourceFile>, Body), Box<Diagnostic>> {
    check_balance(file, false)?;
    read(file, |text| {
        hcl_edit::parser::parse_body(&without_mark(text))
    })
}

/// The most keys that are told apart in a file.
const MAX_DUPLICATES: usize = 100;

/// Runs the parser. It refuses a key that an object has already, where the language lets the last
/// one win: such a key is written in another way of the same meaning (`k` as `"k"`, and that as
/// `("k")`), in a source whose places are still the file's.
fn read<T>(
    file: &Arc<SourceFile>,
    parse: impl Fn(&str) -> Result<T, hcl_edit::parser::Error>,
) -> Result<(Arc<SourceFile>, T), Box<Diagnostic>> {
    let mut source = file.clone();
    for _ in 0..MAX_DUPLICATES {
        match parse(&source.text) {
            Ok(made) => return Ok((source, made)),
            Err(e) => {
                let again = e.message().contains("redefined object key");
                let other = again.then(|| told_apart(&source, e.location().offset()));
                match other.flatten() {
                    Some(other) => source = other,
                    None => return Err(Box::new(syntax_error(&source, &e))),
                }
            }
        }
    }
    match parse(&source.text) {
        Ok(made) => Ok((source, made)),
        Err(e) => Err(Box::new(syntax_error(&source, &e))),
    }
}

/// The source with the key at a place written in another way.
fn told_apart(source: &Arc<SourceFile>, at: usize) -> Option<Arc<SourceFile>> {
    let rest = source.text.get(at..)?;
    let start = at + (rest.len() - rest.trim_start().len());
    let mut depth = 0i64;
    let mut length = 0;
    for token in Scanner::new(source.text.get(start..)?) {
        if depth == 0 && matches!(token.kind, TokenKind::Equal | TokenKind::Colon) {
            break;
        }
        depth += i64::from(token.kind.bracket_change());
        if !matches!(
            token.kind,
            TokenKind::Whitespace | TokenKind::Comment | TokenKind::Newline
        ) {
            length = token.end;
        }
    }
    let end = start + length;
    let key = source.text.get(start..end)?;
    let written = if is_identifier(key) {
        format!("\"{key}\"")
    } else {
        format!("({key})")
    };
    let byte = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let places = vec![(0, 0), (byte(start + written.len()), byte(end))];
    let text = format!(
        "{}{written}{}",
        source.text.get(..start)?,
        source.text.get(end..)?
    );
    Some(SourceFile::within(source, text, places))
}

/// The text without its byte order mark, which is allowed and means nothing; spaces keep the byte
/// positions right.
pub(super) fn without_mark(text: &str) -> std::borrow::Cow<'_, str> {
    match text.strip_prefix('\u{feff}') {
        Some(rest) => std::borrow::Cow::Owned(format!("   {rest}")),
        None => std::borrow::Cow::Borrowed(text),
    }
}

/// Parses a single expression, such as the value of a `-var` flag or a path and value of
/// `sandbox set`.
///
/// # Errors
/// The first syntax error, or the references that make no sense.
pub fn parse_expression(file: &Arc<SourceFile>) -> Result<Expression, Diagnostics> {
    let (source, hcl) = parse(file).map_err(|d| *d)?;
    let mut diagnostics = Diagnostics::new();
    let expression = translate(&source, &hcl, &[], &mut diagnostics);
    if diagnostics.has_errors() {
        Err(diagnostics)
    } else {
        Ok(expression)
    }
}

/// Parses a single expression without a look at what it means, with the source that its places are
/// of, as [`parse_body`] does.
///
/// # Errors
/// The first syntax error.
pub(crate) fn parse(file: &Arc<SourceFile>) -> Result<(Arc<SourceFile>, Hcl), Box<Diagnostic>> {
    check_balance(file, false)?;
    read(file, |text| {
        hcl_edit::parser::parse_expr(&without_surroundings(text))
    })
}

/// The text without the spaces and comments around the expression, which the parser does not take
/// there but in parentheses: these come in the place of what goes, so that places stay right.
fn without_surroundings(text: &str) -> std::borrow::Cow<'_, str> {
    let mut rest = text.trim_start();
    loop {
        let length = if rest.starts_with("/*") {
            rest.find("*/").map(|end| end + 2)
        } else if rest.starts_with("//") || rest.starts_with('#') {
            rest.find('\n')
        } else {
            None
        };
        match length.and_then(|length| rest.get(length..)) {
            Some(after) => rest = after.trim_start(),
            None => break,
        }
    }
    match (text.len() - rest.len()).checked_sub(1) {
        None => std::borrow::Cow::Borrowed(text.trim_end()),
        Some(spaces) => std::borrow::Cow::Owned(format!("({}{rest}\n)", " ".repeat(spaces))),
    }
}

/// Parses a template from elsewhere, for `templatefile` and `templatestring`: it sees nothing but
/// its variables, `names`.
///
/// # Errors
/// The first syntax error, or names that are not among `names`.
pub fn parse_closed_template(
    file: &Arc<SourceFile>,
    names: &[Arc<str>],
) -> Result<Expression, Diagnostics> {
    template(file, names, true)
}

/// Parses a template in which `bound` are names beside what can be referred to anywhere, as strings
/// of the JSON syntax are.
///
/// # Errors
/// The first syntax error, or the references that make no sense.
pub fn parse_template(
    file: &Arc<SourceFile>,
    bound: &[Arc<str>],
) -> Result<Expression, Diagnostics> {
    template(file, bound, false)
}

fn template(
    file: &Arc<SourceFile>,
    names: &[Arc<str>],
    bound_only: bool,
) -> Result<Expression, Diagnostics> {
    check_balance(file, true).map_err(|d| *d)?;
    let template =
        hcl_edit::parser::parse_template(&file.text).map_err(|e| syntax_error(file, &e))?;
    let mut diagnostics = Diagnostics::new();
    let mut translator = Translator::new(file, names, &mut diagnostics);
    translator.bound_only = bound_only;
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

/// Refuses what is not balanced before it comes to the parser, which tries every way to read what
/// a bracket that is never closed begins: its time would double with each of them.
fn check_balance(file: &SourceFile, template: bool) -> Result<(), Box<Diagnostic>> {
    let line = |at: usize| file.position(u32::try_from(at).unwrap_or(u32::MAX)).line;
    match mistakes::unbalanced(&file.text, template, &line) {
        Some(m) => Err(Box::new(mistake(file, m))),
        None => Ok(()),
    }
}

fn mistake(file: &SourceFile, m: Mistake) -> Diagnostic {
    Diagnostic::error(m.summary, m.detail).with_range(Some(file.range(m.span)))
}

/// A syntax error in words: what is wrong at the place where the parser gave up.
fn syntax_error(file: &SourceFile, error: &hcl_edit::parser::Error) -> Diagnostic {
    let at = error.location().offset();
    if let Some(m) = mistakes::at_place(&file.text, at, error.message()) {
        return mistake(file, m);
    }
    let mut message = error.message().replace('\n', "; ");
    if let Some(first) = message.get(..1) {
        message = format!("{}{}", first.to_uppercase(), message.get(1..).unwrap_or(""));
    }
    let rest = file.text.get(at..).unwrap_or("");
    let length = rest.chars().next().map_or(0, char::len_utf8);
    let range = file.range(Span::from(at..at + length));
    Diagnostic::error("Invalid syntax", format!("{message}.")).with_range(Some(range))
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

/// The span of an attribute, block or label.
pub fn span_of(node: &impl hcl_edit::Span) -> Span {
    node.span().map(Span::from).unwrap_or_default()
}

struct Translator<'a> {
    file: &'a Arc<SourceFile>,
    bound: Vec<Arc<str>>,
    references: Vec<Arc<Reference>>,
    diagnostics: &'a mut Diagnostics,
    /// How deep the tree is at this place.
    depth: usize,
    /// Whether nothing is in scope but bound names: in a template from elsewhere.
    bound_only: bool,
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

    fn error(&mut self, span: Span, summary: &str, detail: impl Into<String>) -> ExprKind {
        let range = self.file.range(span);
        self.diagnostics
            .push(Diagnostic::error(summary, detail).with_range(Some(range)));
        ExprKind::Literal(Value::NULL)
    }

    fn expr(&mut self, hcl: &Hcl) -> Expr {
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

    fn traversal(&mut self, t: &Traversal, span: Span) -> Expr {
        let all: Vec<&TraversalOperator> = t.operators.iter().map(|o| o.value()).collect();
        let legacy = |o: &&TraversalOperator| matches!(o, TraversalOperator::LegacyIndex(_));
        if all.windows(2).any(|pair| pair.iter().all(legacy)) {
            let kind = self.error(
                span,
                "Invalid legacy index syntax",
                "Two indices in the legacy syntax cannot follow each other. Use brackets, as in [0][1].",
            );
            return Expr { kind, span };
        }
        let mut operators = all.as_slice();
        let root = match &t.expr {
            Hcl::Variable(name) => {
                let start = span_of(name);
                let kind = self.root(name.as_str(), start, &mut operators);
                let span = match &kind {
                    ExprKind::Reference(r) => self.reference_span(r),
                    _ => start,
                };
                Expr { kind, span }
            }
            other => self.expr(other),
        };
        let mut expr = self.operators(root, operators, span);
        expr.span = span;
        expr
    }

    /// Where a reference is, its instance key included.
    fn reference_span(&self, r: &Reference) -> Span {
        let Some(key) = &r.key else {
            return r.span;
        };
        let end = key.span.end.max(r.span.end);
        let behind = self.file.text.get(end as usize..).unwrap_or("");
        let bracket = behind
            .trim_start()
            .starts_with(']')
            .then(|| behind.find(']'));
        let closing = bracket.flatten().map_or(0, |i| i + 1);
        Span {
            end: end.saturating_add(u32::try_from(closing).unwrap_or(0)),
            ..r.span
        }
    }

    /// The place just behind the next such character.
    fn behind(&self, from: u32, c: char) -> u32 {
        let rest = self.file.text.get(from as usize..).unwrap_or("");
        let length = rest.find(c).map_or(0, |at| at + c.len_utf8());
        from.saturating_add(u32::try_from(length).unwrap_or(0))
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
                TraversalOperator::Index(key) => {
                    let key = self.expr(key);
                    let start = expr.span.start;
                    let end = self.behind(key.span.end, ']');
                    expr = Expr {
                        kind: ExprKind::Index(Box::new((expr, key))),
                        span: Span { start, end },
                    };
                    continue;
                }
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
                        .take_while(|o| {
                            matches!(
                                o,
                                TraversalOperator::GetAttr(_) | TraversalOperator::LegacyIndex(_)
                            )
                        })
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
        if self.bound_only {
            let hint = crate::suggest::did_you_mean(name, &self.bound);
            return self.error(
                span,
                "Invalid reference in template",
                format!(
                    "{name:?} is not among the variables that are given to this template.{hint}"
                ),
            );
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
