//! From expressions to values.
//!
//! Evaluation has no side effects and sees the outside only through a [`Scope`]. An error ends
//! the expression; its diagnostic has the place, and the values of what the failing part refers
//! to.
//!
//! No input makes evaluation recurse or grow without bound: there are limits to the depth of
//! expressions and values ([`MAX_DEPTH`], [`MAX_VALUE_DEPTH`]), to the parts of a value and to the
//! length of a text.

use std::collections::BTreeMap;
use std::sync::Arc;

use topo_sdk::convert::{convert, unify};
use topo_sdk::{Diagnostic, Kind, Marks, Refinements, Type, Value};

use super::ast::{BinaryOp, Expr, ExprKind, Expression, ProviderFunctionName, Reference, Target};
use super::functions;
use super::operators::{self, Failure, unknown_not_null};
use super::provider_functions::ProviderFunction;
use super::source::{SourceFile, Span};

mod calls;
mod describe;
mod loops;
mod templates;

pub use describe::describe;
pub(super) use describe::with_article;
pub use loops::elements;

/// What an expression sees of the outside.
pub trait Scope {
    /// The value that a reference names. With a key, the one instance it asks for; where the
    /// target has no instances, the value indexed by the key.
    ///
    /// # Errors
    /// A summary and a detail, when there is no such thing.
    fn resolve(&self, target: &Target, key: Option<&Value>) -> Result<Value, Failure>;

    /// What built-in functions see.
    fn functions(&self) -> functions::Context<'_>;

    /// The function that a provider's name stands for here.
    ///
    /// # Errors
    /// A summary and a detail, when there is no such function, or none may be called.
    fn provider_function(
        &self,
        name: &ProviderFunctionName,
    ) -> Result<ProviderFunction<'_>, Failure> {
        Err((
            "Function calls not allowed".into(),
            format!("The function {name} of a provider cannot be called here."),
        ))
    }
}

/// The names that the surroundings of an expression bind, innermost last.
pub type Bindings = Vec<(Arc<str>, Value)>;

/// The deepest nesting of expressions that is evaluated, template files that render others
/// included.
pub const MAX_DEPTH: usize = 400;

/// The deepest nesting of values: as deep as JSON may be that is read.
pub const MAX_VALUE_DEPTH: u16 = 128;

/// The most values that one value may consist of: past this, memory is at stake.
pub const MAX_PARTS: u32 = 5_000_000;

/// Evaluates an expression.
///
/// # Errors
/// The first thing that is wrong, in the order of evaluation.
pub fn evaluate(expression: &Expression, scope: &dyn Scope) -> Result<Value, Box<Diagnostic>> {
    evaluate_with(expression, scope, Vec::new())
}

/// Evaluates an expression in surroundings that bind names.
///
/// # Errors
/// The first thing that is wrong, in the order of evaluation.
pub fn evaluate_with(
    expression: &Expression,
    scope: &dyn Scope,
    bindings: Bindings,
) -> Result<Value, Box<Diagnostic>> {
    if let ExprKind::Literal(v) = &expression.expr.kind {
        return Ok(v.clone());
    }
    Evaluator::new(expression, scope, bindings).run(expression)
}

/// What the references in an expression hold, each as written and in words, as it stands beside
/// an error.
pub fn mentioned(expression: &Expression, scope: &dyn Scope) -> Vec<(String, String)> {
    Evaluator::new(expression, scope, Vec::new()).involved(expression)
}

struct Evaluator<'a> {
    scope: &'a dyn Scope,
    file: &'a Arc<SourceFile>,
    bindings: Bindings,
    /// The elements that splats are at, innermost last.
    splat: Vec<Value>,
    depth: usize,
    /// How many template files and template strings this one is inside of.
    templates: usize,
    failed: Option<Failed>,
}

/// The innermost expression that failed, with what was bound then.
struct Failed {
    span: Span,
    bindings: Bindings,
    splat: Vec<Value>,
}

type Outcome = Result<Value, Box<Diagnostic>>;

impl<'a> Evaluator<'a> {
    fn new(expression: &'a Expression, scope: &'a dyn Scope, bindings: Bindings) -> Evaluator<'a> {
        Evaluator {
            scope,
            file: &expression.file,
            bindings,
            splat: Vec::new(),
            depth: 0,
            templates: 0,
            failed: None,
        }
    }
}

impl Evaluator<'_> {
    fn run(&mut self, expression: &Expression) -> Outcome {
        self.eval(&expression.expr).map_err(|mut d| {
            if d.values.is_empty() {
                d.values = self.involved(expression);
            }
            d
        })
    }

    fn fail(
        &self,
        span: Span,
        summary: impl Into<String>,
        detail: impl Into<String>,
    ) -> Box<Diagnostic> {
        Box::new(Diagnostic::error(summary, detail).with_range(Some(self.file.range(span))))
    }

    fn place<T>(&self, span: Span, made: Result<T, Failure>) -> Result<T, Box<Diagnostic>> {
        made.map_err(|(summary, detail)| self.fail(span, summary, detail))
    }

    fn eval(&mut self, expr: &Expr) -> Outcome {
        if self.depth >= MAX_DEPTH {
            return Err(self.fail(
                expr.span,
                "Expression too deep",
                format!("Expressions nested deeper than {MAX_DEPTH} levels are not supported."),
            ));
        }
        self.depth += 1;
        let made = self.eval_kind(expr);
        self.depth -= 1;
        if made.is_err() && self.failed.is_none() {
            self.failed = Some(Failed {
                span: expr.span,
                bindings: self.bindings.clone(),
                splat: self.splat.clone(),
            });
        }
        made
    }

    /// Evaluates what may fail without consequences.
    fn attempt(&mut self, expr: &Expr) -> Outcome {
        let (bindings, splat) = (self.bindings.len(), self.splat.len());
        let made = self.eval(expr);
        if made.is_err() {
            self.bindings.truncate(bindings);
            self.splat.truncate(splat);
            self.failed = None;
        }
        made
    }

    /// A value that has been put together, unless it is too much.
    fn built(&self, span: Span, value: Value) -> Outcome {
        let extent = value.extent();
        if extent.depth > MAX_VALUE_DEPTH {
            return Err(self.fail(
                span,
                "Value too deep",
                format!("Values nested deeper than {MAX_VALUE_DEPTH} levels are not supported."),
            ));
        }
        if extent.parts > MAX_PARTS {
            return Err(self.too_large(span));
        }
        Ok(value)
    }

    fn too_large(&self, span: Span) -> Box<Diagnostic> {
        self.fail(
            span,
            "Value too large",
            format!("A value may have at most {MAX_PARTS} elements and attributes at all levels."),
        )
    }

    // Each kind that needs more than a line has its own function: this one's frame is on the stack
    // once for every level of nesting.
    fn eval_kind(&mut self, expr: &Expr) -> Outcome {
        match &expr.kind {
            ExprKind::Literal(v) => Ok(v.clone()),
            ExprKind::Bound(name) => self.bound(name, expr.span),
            ExprKind::Reference(r) => self.reference(r),
            ExprKind::Template(parts) => self.template(parts),
            ExprKind::Wrapped(inner) => self.eval(inner),
            ExprKind::Tuple(items) => self.tuple(items, expr.span),
            ExprKind::Object(items) => self.object(items, expr.span),
            ExprKind::Conditional(parts) => self.conditional(parts, expr.span),
            ExprKind::Not(e) => self.not(e),
            ExprKind::Negate(e) => self.negate(e),
            ExprKind::Binary(op, sides) => self.binary(*op, sides, expr.span),
            ExprKind::Call(call) => self.call(call, expr.span),
            ExprKind::GetAttr(e, name) => self.get_attr(e, name, expr.span),
            ExprKind::Index(parts) => self.index(parts, expr.span),
            ExprKind::Splat(parts) => self.splat(&parts.0, &parts.1, expr.span),
            ExprKind::SplatItem => Ok(self.splat.last().cloned().unwrap_or(Value::NULL)),
            ExprKind::For(f) => self.for_expr(f, expr.span),
        }
    }

    fn bound(&self, name: &Arc<str>, span: Span) -> Outcome {
        let found = self.bindings.iter().rev().find(|(n, _)| n == name);
        found.map(|(_, v)| v.clone()).ok_or_else(|| {
            let detail = format!("There is no variable named {name:?} here.");
            self.fail(span, "Unknown variable", detail)
        })
    }

    fn reference(&mut self, r: &Reference) -> Outcome {
        let Some(key) = &r.key else {
            return self.place(r.span, self.scope.resolve(&r.target, None));
        };
        let key = self.eval(key)?;
        if key.is_known() {
            let marks = key.marks();
            let found = self.place(r.span, self.scope.resolve(&r.target, Some(&key)))?;
            return Ok(found.with_marks(marks));
        }
        // Which instance is not known yet: the whole, indexed by the unknown.
        match &r.target {
            Target::Module(name, Some(output)) => {
                let whole = Target::Module(name.clone(), None);
                let v = self.place(r.span, self.scope.resolve(&whole, None))?;
                let v = self.place(r.span, operators::index(&v, &key))?;
                self.place(r.span, operators::get_attr(&v, output))
            }
            target => {
                let v = self.place(r.span, self.scope.resolve(target, None))?;
                self.place(r.span, operators::index(&v, &key))
            }
        }
    }

    fn tuple(&mut self, items: &[Expr], span: Span) -> Outcome {
        let made: Result<Vec<Value>, _> = items.iter().map(|e| self.eval(e)).collect();
        self.built(span, Value::tuple(made?))
    }

    fn object(&mut self, items: &[(Expr, Expr)], span: Span) -> Outcome {
        let mut made = BTreeMap::new();
        let mut marks = Marks::empty();
        let mut lost = Marks::empty();
        let mut unknown_key = false;
        for (key, value) in items {
            let k = self.eval(key)?;
            let v = self.eval(value)?;
            marks |= k.marks();
            if k.is_null() {
                return Err(self.fail(
                    key.span,
                    "Null value as key",
                    "Can't use a null value as a key.",
                ));
            }
            let k = convert(&k, &Type::String).map_err(|e| {
                self.fail(
                    key.span,
                    "Incorrect key type",
                    format!("Can't use this value as a key: {e}."),
                )
            })?;
            match k.into_kind() {
                Kind::String(k) => {
                    made.insert(k, v);
                }
                _ => {
                    unknown_key = true;
                    lost |= v.deep_marks();
                }
            }
        }
        if unknown_key {
            let inside = made.values().fold(lost, |m, v| m | v.deep_marks());
            return Ok(unknown_not_null(Type::Dynamic).with_marks(marks | inside));
        }
        let value = Value::new(Kind::Object(Arc::new(made)));
        self.built(span, value.with_marks(marks))
    }

    fn not(&mut self, e: &Expr) -> Outcome {
        let v = self.eval(e)?;
        let made = self.place(e.span, operators::operand(&v, Type::Bool, "unary"))?;
        let value = match made.as_bool() {
            Some(b) => Value::from(!b),
            None => unknown_not_null(Type::Bool),
        };
        Ok(value.with_marks(v.marks()))
    }

    fn negate(&mut self, e: &Expr) -> Outcome {
        let v = self.eval(e)?;
        let made = self.place(e.span, operators::operand(&v, Type::Number, "unary"))?;
        let value = match made.as_number() {
            Some(n) => Value::from(n.neg()),
            None => unknown_not_null(Type::Number),
        };
        Ok(value.with_marks(v.marks()))
    }

    fn binary(&mut self, op: BinaryOp, sides: &(Expr, Expr), span: Span) -> Outcome {
        match op {
            BinaryOp::And => return self.logical(sides, false),
            BinaryOp::Or => return self.logical(sides, true),
            _ => {}
        }
        let left = self.eval(&sides.0)?;
        let right = self.eval(&sides.1)?;
        if matches!(op, BinaryOp::Equal | BinaryOp::NotEqual) {
            return Ok(operators::equality(op, &left, &right));
        }
        let left = operators::operand(&left, Type::Number, "left");
        let left = self.place(sides.0.span, left)?;
        let right = operators::operand(&right, Type::Number, "right");
        let right = self.place(sides.1.span, right)?;
        self.place(span, operators::numeric(op, &left, &right))
    }

    /// `&&` and `||`: `dominant` is the value that decides alone. The right side is not looked at
    /// when the left one decides; while that is unknown, errors of the right side do not count.
    fn logical(&mut self, sides: &(Expr, Expr), dominant: bool) -> Outcome {
        let (left, right) = sides;
        let l = self.eval(left)?;
        let a = self.place(left.span, operators::operand(&l, Type::Bool, "left"))?;
        let later = || unknown_not_null(Type::Bool);
        match a.as_bool() {
            Some(a) if a == dominant => return Ok(Value::from(dominant).with_marks(l.marks())),
            Some(_) => {}
            None => {
                let Ok(r) = self.attempt(right) else {
                    return Ok(later().with_marks(l.marks()));
                };
                let decides = operators::operand(&r, Type::Bool, "right")
                    .is_ok_and(|b| b.as_bool() == Some(dominant));
                let value = if decides {
                    Value::from(dominant)
                } else {
                    later()
                };
                return Ok(value.with_marks(l.marks() | r.marks()));
            }
        }
        let r = self.eval(right)?;
        let b = self.place(right.span, operators::operand(&r, Type::Bool, "right"))?;
        let value = b.as_bool().map_or_else(later, Value::from);
        Ok(value.with_marks(l.marks() | r.marks()))
    }

    fn get_attr(&mut self, e: &Expr, name: &Arc<str>, span: Span) -> Outcome {
        let v = self.eval(e)?;
        // An error concerns the name, which ends the expression.
        let length = u32::try_from(name.len()).unwrap_or(0);
        let start = span.end.saturating_sub(length).max(span.start);
        self.place(Span { start, ..span }, operators::get_attr(&v, name))
    }

    fn index(&mut self, parts: &(Expr, Expr), span: Span) -> Outcome {
        let v = self.eval(&parts.0)?;
        let key = self.eval(&parts.1)?;
        let at = if v.is_null() { span } else { parts.1.span };
        self.place(at, operators::index(&v, &key))
    }

    fn conditional(&mut self, parts: &(Expr, Expr, Expr), span: Span) -> Outcome {
        let (condition, yes, no) = parts;
        let c = self.eval(condition)?;
        let (decided, marks) = self.place(
            condition.span,
            operators::condition(&c, "Invalid condition"),
        )?;
        let results = Span {
            start: yes.span.start,
            end: no.span.end.max(span.start),
        };
        match decided {
            Some(choice) => {
                let (chosen, other) = if choice { (yes, no) } else { (no, yes) };
                let value = self.eval(chosen)?;
                // The one that is not taken gives its type and marks; its errors do not count.
                let Ok(other) = self.attempt(other) else {
                    return Ok(value.with_marks(marks));
                };
                let pair = if choice {
                    (&value, &other)
                } else {
                    (&other, &value)
                };
                let ty = self.place(results, common_type(pair.0, pair.1))?;
                let made = convert(&value, &ty).map_err(|e| {
                    let which = if choice { "true" } else { "false" };
                    self.fail(
                        chosen.span,
                        "Inconsistent conditional result types",
                        format!("The {which} result value has the wrong type: {e}."),
                    )
                })?;
                Ok(made.with_marks(marks | other.marks()))
            }
            None => {
                let (a, b) = match (self.attempt(yes), self.attempt(no)) {
                    // Whichever it will be, it fails.
                    (Err(error), Err(_)) => return Err(error),
                    (a, b) => {
                        let later = |_| Value::unknown(Type::Dynamic);
                        (a.unwrap_or_else(later), b.unwrap_or_else(later))
                    }
                };
                let ty = self.place(results, common_type(&a, &b))?;
                let marks = marks | a.deep_marks() | b.deep_marks();
                Ok(either(&a, &b, ty).with_marks(marks))
            }
        }
    }
}

/// The type of a conditional with these results.
fn common_type(yes: &Value, no: &Value) -> Result<Type, Failure> {
    let untyped = |v: &Value| matches!(v.kind(), Kind::Null(Type::Dynamic));
    match (untyped(yes), untyped(no)) {
        (true, _) => return Ok(no.ty()),
        (_, true) => return Ok(yes.ty()),
        _ => {}
    }
    let (a, b) = (yes.ty(), no.ty());
    if a == Type::Dynamic || b == Type::Dynamic {
        return Ok(Type::Dynamic);
    }
    unify(&[a.clone(), b.clone()]).ok_or_else(|| {
        (
            "Inconsistent conditional result types".into(),
            format!(
                "The true and false result expressions must have consistent types. {}.",
                describe::mismatch(&a, &b)
            ),
        )
    })
}

/// One of two values of a type, of which it is not known which: what holds for both.
fn either(yes: &Value, no: &Value, ty: Type) -> Value {
    if yes.is_null() && no.is_null() {
        return Value::null(ty);
    }
    let known = |v: &Value| -> Refinements {
        let Ok(v) = convert(v, &ty) else {
            return Refinements::default();
        };
        let length = v.as_slice().map(<[Value]>::len);
        let length = length.or_else(|| v.as_map().map(BTreeMap::len));
        match v.kind() {
            Kind::Null(_) => Refinements::default(),
            Kind::Unknown(u) => u.refinements.clone(),
            Kind::String(s) => Refinements {
                not_null: true,
                prefix: Some(s.clone()),
                ..Refinements::default()
            },
            // Unknown elements of a set may turn out to be equal.
            Kind::Set(s) if !v.is_wholly_known() => Refinements {
                not_null: true,
                min_length: s.items.len().min(1),
                max_length: Some(s.items.len()),
                ..Refinements::default()
            },
            Kind::List(_) | Kind::Set(_) | Kind::Map(_) => Refinements {
                not_null: true,
                min_length: length.unwrap_or(0),
                max_length: length,
                ..Refinements::default()
            },
            _ => Refinements {
                not_null: true,
                ..Refinements::default()
            },
        }
    };
    let (a, b) = (known(yes), known(no));
    let prefix = a.prefix.zip(b.prefix).map(|(a, b)| common_prefix(&a, &b));
    let both = Refinements {
        not_null: a.not_null && b.not_null,
        prefix: prefix.filter(|p| !p.is_empty()).map(Arc::from),
        min_length: a.min_length.min(b.min_length),
        max_length: a.max_length.zip(b.max_length).map(|(a, b)| a.max(b)),
    };
    Value::unknown_refined(ty, both)
}

fn common_prefix(a: &str, b: &str) -> String {
    let pairs = a.chars().zip(b.chars());
    pairs.take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
}
