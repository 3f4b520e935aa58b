//! From expressions to values.
//!
//! Evaluation has no side effects and sees the outside only through a [`Scope`]. An error ends
//! the expression; its diagnostic has the place, and the values of what the expression refers to.

use std::collections::BTreeMap;
use std::sync::Arc;

use topo_sdk::convert::{convert, unify};
use topo_sdk::{Diagnostic, Kind, Marks, Refinements, Type, Value};

use super::ast::{
    BinaryOp, Call, Callee, Expr, ExprKind, Expression, For, Part, Reference, Target,
};
use super::functions;
use super::operators::{self, Failure, unknown_not_null};
use super::source::{SourceFile, Span};
use super::syntax;

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
}

/// The names that the surroundings of an expression bind, innermost last.
pub type Bindings = Vec<(Arc<str>, Value)>;

/// The deepest nesting of expressions and values that is evaluated.
const MAX_DEPTH: usize = 500;

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
    let mut evaluator = Evaluator {
        scope,
        file: &expression.file,
        bindings,
        splat: Vec::new(),
        depth: 0,
    };
    evaluator.eval(&expression.expr).map_err(|mut d| {
        d.values = describe_references(expression, scope);
        d
    })
}

/// What the references of an expression hold, in words.
fn describe_references(expression: &Expression, scope: &dyn Scope) -> Vec<(String, String)> {
    let mut described: Vec<(String, String)> = Vec::new();
    for reference in expression.references.iter().filter(|r| r.key.is_none()) {
        let name = reference.target.to_string();
        if described.iter().any(|(n, _)| *n == name) {
            continue;
        }
        if let Ok(value) = scope.resolve(&reference.target, None) {
            described.push((name, describe(&value)));
        }
    }
    described.truncate(6);
    described
}

/// A value in words, for diagnostics: `"us-east-1"`, `list of string with 2 elements`.
pub fn describe(value: &Value) -> String {
    if !value.marks().is_empty() {
        return "a sensitive value".into();
    }
    let elements = |n: usize| {
        if n == 1 {
            "1 element".to_string()
        } else {
            format!("{n} elements")
        }
    };
    match value.kind() {
        Kind::Null(_) => "null".into(),
        Kind::Unknown(u) if u.ty == Type::Dynamic => "known only after apply".into(),
        Kind::Unknown(u) => format!("a {}, known only after apply", u.ty.friendly()),
        Kind::Bool(b) => b.to_string(),
        Kind::Number(n) => n.to_string(),
        Kind::String(s) if s.chars().count() > 60 => {
            format!("a string of {} characters", s.chars().count())
        }
        Kind::String(s) => format!("{s:?}"),
        Kind::List(s) | Kind::Set(s) => {
            format!("{} with {}", value.ty().friendly(), elements(s.items.len()))
        }
        Kind::Tuple(t) => format!("tuple with {}", elements(t.len())),
        Kind::Map(m) => format!(
            "{} with {}",
            value.ty().friendly(),
            elements(m.entries.len())
        ),
        Kind::Object(o) if o.len() == 1 => "object with 1 attribute".into(),
        Kind::Object(o) => format!("object with {} attributes", o.len()),
    }
}

struct Evaluator<'a> {
    scope: &'a dyn Scope,
    file: &'a Arc<SourceFile>,
    bindings: Bindings,
    splat: Vec<Value>,
    depth: usize,
}

type Outcome = Result<Value, Box<Diagnostic>>;

impl Evaluator<'_> {
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
        if self.depth > MAX_DEPTH {
            return Err(self.fail(
                expr.span,
                "Expression too deep",
                format!("Expressions nested deeper than {MAX_DEPTH} levels are not supported."),
            ));
        }
        self.depth += 1;
        let made = self.eval_kind(expr);
        self.depth -= 1;
        made
    }

    fn eval_kind(&mut self, expr: &Expr) -> Outcome {
        match &expr.kind {
            ExprKind::Literal(v) => Ok(v.clone()),
            ExprKind::Bound(name) => {
                let found = self.bindings.iter().rev().find(|(n, _)| n == name);
                found.map(|(_, v)| v.clone()).ok_or_else(|| {
                    self.fail(
                        expr.span,
                        "Unknown variable",
                        format!("There is no variable named {name:?} here."),
                    )
                })
            }
            ExprKind::Reference(r) => self.reference(r),
            ExprKind::Template(parts) => self.template(parts),
            ExprKind::Wrapped(inner) => self.eval(inner),
            ExprKind::Tuple(items) => {
                let made: Result<Vec<Value>, _> = items.iter().map(|e| self.eval(e)).collect();
                Ok(Value::tuple(made?))
            }
            ExprKind::Object(items) => self.object(items),
            ExprKind::Conditional(parts) => {
                self.conditional(&parts.0, &parts.1, &parts.2, expr.span)
            }
            ExprKind::Not(e) => {
                let v = self.eval(e)?;
                let made = self.place(e.span, operators::operand(&v, Type::Bool, ""))?;
                let made_marks = v.marks();
                Ok(match made.as_bool() {
                    Some(b) => Value::from(!b),
                    None => unknown_not_null(Type::Bool),
                }
                .with_marks(made_marks))
            }
            ExprKind::Negate(e) => {
                let v = self.eval(e)?;
                let made = self.place(e.span, operators::operand(&v, Type::Number, ""))?;
                Ok(match made.as_number() {
                    Some(n) => Value::from(n.neg()),
                    None => unknown_not_null(Type::Number),
                }
                .with_marks(v.marks()))
            }
            ExprKind::Binary(BinaryOp::And, sides) => self.logical(&sides.0, &sides.1, false),
            ExprKind::Binary(BinaryOp::Or, sides) => self.logical(&sides.0, &sides.1, true),
            ExprKind::Binary(op, sides) => {
                let left = self.eval(&sides.0)?;
                let right = self.eval(&sides.1)?;
                self.place(expr.span, operators::binary(*op, &left, &right))
            }
            ExprKind::Call(call) => self.call(call, expr.span),
            ExprKind::GetAttr(e, name) => {
                let v = self.eval(e)?;
                self.place(expr.span, operators::get_attr(&v, name))
            }
            ExprKind::Index(parts) => {
                let v = self.eval(&parts.0)?;
                let key = self.eval(&parts.1)?;
                self.place(expr.span, operators::index(&v, &key))
            }
            ExprKind::Splat(parts) => self.splat(&parts.0, &parts.1, expr.span),
            ExprKind::SplatItem => Ok(self.splat.last().cloned().unwrap_or(Value::NULL)),
            ExprKind::For(f) => self.for_expr(f),
        }
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

    fn object(&mut self, items: &[(Expr, Expr)]) -> Outcome {
        let mut made = BTreeMap::new();
        let mut marks = Marks::empty();
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
                _ => unknown_key = true,
            }
        }
        let value = if unknown_key {
            unknown_not_null(Type::Dynamic)
        } else {
            Value::new(Kind::Object(Arc::new(made)))
        };
        Ok(value.with_marks(marks))
    }

    /// `&&` and `||`: `dominant` is the value that decides alone. The right side is not looked at
    /// when the left one decides.
    fn logical(&mut self, left: &Expr, right: &Expr, dominant: bool) -> Outcome {
        let l = self.eval(left)?;
        let a = self.place(left.span, operators::operand(&l, Type::Bool, "left"))?;
        if a.as_bool() == Some(dominant) {
            return Ok(Value::from(dominant).with_marks(l.marks()));
        }
        let r = self.eval(right)?;
        let b = self.place(right.span, operators::operand(&r, Type::Bool, "right"))?;
        let value = match (a.as_bool(), b.as_bool()) {
            (_, Some(b)) if b == dominant => Value::from(dominant),
            (Some(_), Some(_)) => Value::from(!dominant),
            _ => unknown_not_null(Type::Bool),
        };
        Ok(value.with_marks(l.marks() | r.marks()))
    }

    fn conditional(&mut self, condition: &Expr, yes: &Expr, no: &Expr, span: Span) -> Outcome {
        let c = self.eval(condition)?;
        let (decided, marks) = self.place(
            condition.span,
            operators::condition(&c, "Invalid condition"),
        )?;
        match decided {
            Some(choice) => {
                let (chosen, other) = if choice { (yes, no) } else { (no, yes) };
                let value = self.eval(chosen)?;
                // The branch that is not taken only gives its type; its errors do not count.
                let value = match self.eval(other) {
                    Ok(o) => self.common_type(value, &o, span)?,
                    Err(_) => value,
                };
                Ok(value.with_marks(marks))
            }
            None => {
                let (a, b) = (self.eval(yes)?, self.eval(no)?);
                let not_null = |v: &Value| {
                    !v.is_null() && v.as_unknown().is_none_or(|u| u.refinements.not_null)
                };
                let refinements = Refinements {
                    not_null: not_null(&a) && not_null(&b),
                    ..Refinements::default()
                };
                let ty = match (a.is_null(), b.is_null()) {
                    (true, false) => b.ty(),
                    (false, true) => a.ty(),
                    _ => unify(&[a.ty(), b.ty()])
                        .ok_or_else(|| self.inconsistent(&a.ty(), &b.ty(), span))?,
                };
                Ok(Value::unknown_refined(ty, refinements)
                    .with_marks(marks | a.marks() | b.marks()))
            }
        }
    }

    fn common_type(&self, value: Value, other: &Value, span: Span) -> Outcome {
        let untyped = |v: &Value| matches!(v.kind(), Kind::Null(Type::Dynamic));
        if untyped(other) {
            return Ok(value);
        }
        let other_ty = other.ty();
        if untyped(&value) {
            return Ok(Value::null(other_ty).with_marks(value.marks()));
        }
        let ty = value.ty();
        if ty == other_ty {
            return Ok(value);
        }
        let unified = unify(&[ty.clone(), other_ty.clone()])
            .ok_or_else(|| self.inconsistent(&ty, &other_ty, span))?;
        if unified == Type::Dynamic {
            return Ok(value);
        }
        convert(&value, &unified).map_err(|_| self.inconsistent(&ty, &other_ty, span))
    }

    fn inconsistent(&self, a: &Type, b: &Type, span: Span) -> Box<Diagnostic> {
        self.fail(
            span,
            "Inconsistent conditional result types",
            format!("The true and false result expressions must have consistent types. One is {}, the other {}.", a.friendly(), b.friendly()),
        )
    }

    fn call(&mut self, call: &Call, span: Span) -> Outcome {
        match &call.function {
            Callee::Try => {
                let mut last = None;
                for arg in &call.args {
                    match self.eval(arg) {
                        // A result that is not known yet could still turn out to be an error.
                        Ok(v) if !v.is_wholly_known() => {
                            return Ok(Value::unknown(Type::Dynamic).with_marks(v.deep_marks()));
                        }
                        Ok(v) => return Ok(v),
                        Err(d) => last = Some(d),
                    }
                }
                let reason = last.map_or_else(|| "it has no arguments".into(), |d| d.detail);
                Err(self.fail(span, "Error in function call", format!("Call to function \"try\" failed: no expression succeeded; the last one failed because {reason}")))
            }
            Callee::Can => match call.args.as_slice() {
                [arg] => Ok(match self.eval(arg) {
                    Ok(v) if !v.is_wholly_known() => {
                        unknown_not_null(Type::Bool).with_marks(v.deep_marks())
                    }
                    Ok(v) => Value::from(true).with_marks(v.deep_marks()),
                    Err(_) => Value::from(false),
                }),
                _ => Err(self.fail(
                    span,
                    "Error in function call",
                    "Function \"can\" takes exactly one argument.",
                )),
            },
            Callee::TemplateFile => self.template_file(call, span),
            Callee::Function(f) => {
                let args = self.arguments(call, span)?;
                let Some(args) = args else {
                    return Ok(Value::unknown(Type::Dynamic));
                };
                functions::call(f, &self.scope.functions(), &args).map_err(|e| {
                    let at = e
                        .argument
                        .and_then(|i| call.args.get(i))
                        .map_or(span, |a| a.span);
                    let summary = if e.argument.is_some() {
                        "Invalid function argument"
                    } else {
                        "Error in function call"
                    };
                    self.fail(
                        at,
                        summary,
                        format!("Call to function {:?} failed: {}.", f.name, e.message),
                    )
                })
            }
        }
    }

    /// The arguments of a call; `None` when the list to expand is not known yet.
    fn arguments(
        &mut self,
        call: &Call,
        span: Span,
    ) -> Result<Option<Vec<Value>>, Box<Diagnostic>> {
        let mut args = Vec::with_capacity(call.args.len());
        for (i, arg) in call.args.iter().enumerate() {
            let v = self.eval(arg)?;
            if !(call.expand && i + 1 == call.args.len()) {
                args.push(v);
                continue;
            }
            if !v.is_known() {
                return Ok(None);
            }
            let marks = v.marks();
            let Some(items) = v.as_slice() else {
                return Err(self.fail(span, "Invalid expanding argument value", "The expanding argument (indicated by ...) must be of a tuple, list, or set type."));
            };
            args.extend(items.iter().map(|v| v.clone().with_marks(marks)));
        }
        Ok(Some(args))
    }

    fn template_file(&mut self, call: &Call, span: Span) -> Outcome {
        let Some(args) = self.arguments(call, span)? else {
            return Ok(Value::unknown(Type::String));
        };
        let [path, vars] = args.as_slice() else {
            return Err(self.fail(
                span,
                "Error in function call",
                "Function \"templatefile\" takes two arguments: a path and an object of variables.",
            ));
        };
        let marks = path.marks() | vars.marks();
        if !path.is_known() || !vars.is_known() {
            return Ok(unknown_not_null(Type::String).with_marks(marks));
        }
        let (Some(name), Some(map)) = (path.as_str(), vars.as_map()) else {
            return Err(self.fail(
                span,
                "Invalid function argument",
                "Function \"templatefile\" takes a path (string) and an object of variables.",
            ));
        };
        let full = self.scope.functions().base_dir.join(name);
        let text = std::fs::read_to_string(&full).map_err(|e| {
            self.fail(
                span,
                "Invalid function argument",
                format!("Call to function \"templatefile\" failed: cannot read {name:?}: {e}."),
            )
        })?;
        let file = SourceFile::new(name, text);
        let names: Vec<Arc<str>> = map.keys().cloned().collect();
        let template = syntax::parse_template(&file, &names).map_err(|ds| {
            Box::new(
                ds.into_iter()
                    .next()
                    .unwrap_or_else(|| Diagnostic::error("Invalid template", "")),
            )
        })?;
        let bindings = map.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
        if let Some(r) = template.references.first() {
            return Err(Box::new(
                Diagnostic::error(
                    "Invalid reference in template",
                    format!(
                        "A template file sees only the variables that are given to it, not {}.",
                        r.target
                    ),
                )
                .with_range(Some(file.range(r.span))),
            ));
        }
        let value = evaluate_with(&template, self.scope, bindings)?;
        let value = self.place(span, operators::template_text(&value))?;
        Ok(value.with_marks(marks))
    }

    fn splat(&mut self, source: &Expr, each: &Expr, span: Span) -> Outcome {
        let value = self.eval(source)?;
        let marks = value.marks();
        let items: Vec<Value> = match value.kind() {
            Kind::Null(Type::List(_) | Type::Set(_) | Type::Tuple(_)) => {
                return Err(self.fail(
                    span,
                    "Splat of null value",
                    "Splat expressions (with the * symbol) cannot be applied to null sequences.",
                ));
            }
            Kind::Null(_) => Vec::new(),
            Kind::Unknown(u) => {
                let element = match &u.ty {
                    Type::List(e) | Type::Set(e) => (**e).clone(),
                    _ => return Ok(Value::unknown(Type::Dynamic).with_marks(marks)),
                };
                self.splat.push(Value::unknown(element));
                let made = self.eval(each);
                self.splat.pop();
                let ty = Type::list(made?.ty());
                return Ok(Value::unknown_refined(ty, u.refinements.clone()).with_marks(marks));
            }
            Kind::List(_) | Kind::Set(_) | Kind::Tuple(_) => {
                value.as_slice().unwrap_or_default().to_vec()
            }
            _ => vec![value.clone().unmark()],
        };
        let mut made = Vec::with_capacity(items.len());
        for item in items {
            self.splat.push(item);
            let v = self.eval(each);
            self.splat.pop();
            made.push(v?);
        }
        Ok(Value::tuple(made).with_marks(marks))
    }

    fn for_expr(&mut self, f: &For) -> Outcome {
        let collection = self.eval(&f.collection)?;
        let mut marks = collection.marks();
        let Some(elements) = elements(&collection) else {
            if collection.is_null() {
                return Err(self.fail(
                    f.collection.span,
                    "Iteration over null value",
                    "A null value cannot be used as the collection in a 'for' expression.",
                ));
            }
            if !collection.is_known() {
                return Ok(Value::unknown(Type::Dynamic).with_marks(marks));
            }
            return Err(self.fail(
                f.collection.span,
                "Iteration over non-iterable value",
                format!(
                    "A value of type {} cannot be used as the collection in a 'for' expression.",
                    collection.ty().friendly()
                ),
            ));
        };
        let mut items = Vec::new();
        let mut entries: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        let mut groups: BTreeMap<Arc<str>, Vec<Value>> = BTreeMap::new();
        let mut unknown = false;
        let depth = self.bindings.len();
        for (key, value) in elements {
            self.bindings.truncate(depth);
            if let Some(name) = &f.key_name {
                self.bindings.push((name.clone(), key));
            }
            self.bindings.push((f.value_name.clone(), value));
            if let Some(condition) = &f.condition {
                let c = self.eval(condition)?;
                let (take, m) = self.place(
                    condition.span,
                    operators::condition(&c, "Invalid 'for' condition"),
                )?;
                marks |= m;
                match take {
                    Some(true) => {}
                    Some(false) => continue,
                    None => {
                        unknown = true;
                        continue;
                    }
                }
            }
            let Some(key_expr) = &f.key else {
                items.push(self.eval(&f.value)?);
                continue;
            };
            let k = self.eval(key_expr)?;
            marks |= k.marks();
            if k.is_null() {
                return Err(self.fail(
                    key_expr.span,
                    "Invalid object key",
                    "Key expression in 'for' expression must not produce a null value.",
                ));
            }
            let k = convert(&k, &Type::String).map_err(|e| {
                self.fail(
                    key_expr.span,
                    "Invalid object key",
                    format!("The key expression produced an invalid result: {e}."),
                )
            })?;
            let v = self.eval(&f.value)?;
            let Kind::String(k) = k.into_kind() else {
                unknown = true;
                continue;
            };
            if f.group {
                groups.entry(k).or_default().push(v);
            } else if entries.insert(k.clone(), v).is_some() {
                return Err(self.fail(
                    key_expr.span,
                    "Duplicate object key",
                    format!("Two different items produced the key {k:?} in this 'for' expression. If duplicates are expected, use the ellipsis (...) after the value expression to enable grouping by key."),
                ));
            }
        }
        self.bindings.truncate(depth);
        let value = if unknown {
            unknown_not_null(Type::Dynamic)
        } else if f.key.is_none() {
            Value::tuple(items)
        } else if f.group {
            Value::object(groups.into_iter().map(|(k, v)| (k, Value::tuple(v))))
        } else {
            Value::new(Kind::Object(Arc::new(entries)))
        };
        Ok(value.with_marks(marks))
    }

    fn template(&mut self, parts: &[Part]) -> Outcome {
        let mut text = Text::default();
        self.parts(parts, &mut text)?;
        Ok(text.finish())
    }

    fn parts(&mut self, parts: &[Part], text: &mut Text) -> Result<(), Box<Diagnostic>> {
        for part in parts {
            match part {
                Part::Literal(s) => text.push(s),
                Part::Interpolation(e) => {
                    let v = self.eval(e)?;
                    let v = self.place(e.span, operators::template_text(&v))?;
                    text.marks |= v.deep_marks();
                    match v.kind() {
                        Kind::String(s) => text.push(s),
                        Kind::Unknown(u) => {
                            if let Some(prefix) = &u.refinements.prefix {
                                text.push(prefix);
                            }
                            text.unknown = true;
                        }
                        _ => {}
                    }
                }
                Part::If(d) => {
                    let c = self.eval(&d.0)?;
                    let (choice, marks) = self.place(
                        d.0.span,
                        operators::condition(&c, "Invalid template condition"),
                    )?;
                    text.marks |= marks;
                    match choice {
                        Some(true) => self.parts(&d.1, text)?,
                        Some(false) => self.parts(&d.2, text)?,
                        None => text.unknown = true,
                    }
                }
                Part::For {
                    key,
                    value,
                    collection,
                    body,
                } => {
                    let c = self.eval(collection)?;
                    text.marks |= c.marks();
                    let Some(elements) = elements(&c) else {
                        if !c.is_known() {
                            text.unknown = true;
                            continue;
                        }
                        return Err(self.fail(collection.span, "Iteration over non-iterable value", "The value cannot be used as the collection in a template 'for' directive."));
                    };
                    let depth = self.bindings.len();
                    for (k, v) in elements {
                        self.bindings.truncate(depth);
                        if let Some(name) = key {
                            self.bindings.push((name.clone(), k));
                        }
                        self.bindings.push((value.clone(), v));
                        self.parts(body, text)?;
                    }
                    self.bindings.truncate(depth);
                }
            }
        }
        Ok(())
    }
}

/// Text under construction: what is known of it up to the first unknown part.
#[derive(Default)]
struct Text {
    known: String,
    unknown: bool,
    marks: Marks,
}

impl Text {
    fn push(&mut self, s: &str) {
        if !self.unknown {
            self.known.push_str(s);
        }
    }

    fn finish(self) -> Value {
        let value = if self.unknown {
            let prefix = (!self.known.is_empty()).then(|| self.known.into());
            Value::unknown_refined(
                Type::String,
                Refinements {
                    not_null: true,
                    prefix,
                    ..Refinements::default()
                },
            )
        } else {
            Value::string(self.known)
        };
        value.with_marks(self.marks)
    }
}

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
