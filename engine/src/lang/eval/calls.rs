//! Function calls, and the functions that need expressions, not values: `try`, `can`, `convert`.

use topo_sdk::convert::convert;
use topo_sdk::{Diagnostic, Marks, Type, Value};

use super::super::ast::{Call, Callee, ProviderFunctionName};
use super::super::functions::{self, Function};
use super::super::operators::unknown_not_null;
use super::super::source::Span;
use super::{Evaluator, Outcome};
use crate::config::types::TypeConstraint;

impl Evaluator<'_> {
    pub(super) fn call(&mut self, call: &Call, span: Span) -> Outcome {
        match &call.function {
            Callee::Try => self.try_call(call, span),
            Callee::Can => self.can_call(call, span),
            Callee::TemplateFile => self.template_file(call, span),
            Callee::TemplateString => self.template_string(call, span),
            Callee::Convert(constraint) => self.convert_call(call, constraint, span),
            Callee::Function(f) => self.function(f, call, span),
            Callee::Provider(name) => self.provider_function(name, call, span),
        }
    }

    /// The first argument that can be evaluated. A value that is not wholly known could still turn
    /// out to be an error, or of another type: then nothing can be said of the result.
    fn try_call(&mut self, call: &Call, span: Span) -> Outcome {
        let mut last = None;
        for arg in &call.args {
            match self.attempt(arg) {
                Ok(v) if !v.is_wholly_known() => {
                    return Ok(Value::unknown(Type::Dynamic).with_marks(v.deep_marks()));
                }
                Ok(v) => return Ok(v),
                Err(d) => last = Some(d),
            }
        }
        let detail = match last {
            Some(d) => format!(
                "Call to function \"try\" failed: no expression succeeded. The last one: {}: {}",
                d.summary, d.detail
            ),
            None => "Function \"try\" takes at least one argument.".into(),
        };
        Err(self.fail(span, "Error in function call", detail))
    }

    fn can_call(&mut self, call: &Call, span: Span) -> Outcome {
        let [arg] = call.args.as_slice() else {
            return Err(self.fail(
                span,
                "Error in function call",
                format!(
                    "Function \"can\" takes 1 argument, but {} were given.",
                    call.args.len()
                ),
            ));
        };
        // That something can be evaluated is not what is secret about it.
        Ok(match self.attempt(arg) {
            Ok(v) if !v.is_wholly_known() => unknown_not_null(Type::Bool),
            Ok(_) => Value::from(true),
            Err(_) => Value::from(false),
        })
    }

    /// `convert(value, type)`: the type was read when the call was.
    fn convert_call(&mut self, call: &Call, constraint: &TypeConstraint, span: Span) -> Outcome {
        let Some(arg) = call.args.first() else {
            let detail = "Function \"convert\" takes two arguments: a value and a type.";
            return Err(self.fail(span, "Error in function call", detail));
        };
        let value = self.eval(arg)?;
        let made = convert(&constraint.defaults.apply(value), &constraint.ty);
        made.map_err(|e| {
            let place = match e.path.steps() {
                [] => String::new(),
                _ => format!("{}: ", e.path),
            };
            self.fail(
                arg.span,
                "Invalid function argument",
                format!("Call to function \"convert\" failed: {place}{e}."),
            )
        })
    }

    fn function(&mut self, f: &'static Function, call: &Call, span: Span) -> Outcome {
        let args = match self.arguments(call)? {
            Ok(args) => args,
            Err(unknown) => return Ok(unknown),
        };
        let made = functions::call(f, &self.scope.functions(), &args)
            .map_err(|e| self.call_failed(call, span, f.name, &e))?;
        self.built(span, made)
    }

    fn provider_function(
        &mut self,
        name: &ProviderFunctionName,
        call: &Call,
        span: Span,
    ) -> Outcome {
        let scope = self.scope;
        let f = self.place(span, scope.provider_function(name))?;
        let args = match self.arguments(call)? {
            Ok(args) => args,
            Err(unknown) => return Ok(unknown),
        };
        let made = f
            .call(name, &scope.functions(), &args)
            .map_err(|e| self.call_failed(call, span, &name.to_string(), &e))?;
        self.built(span, made)
    }

    /// The error of a call, at the argument that is at fault where it is one.
    fn call_failed(
        &self,
        call: &Call,
        span: Span,
        name: &str,
        error: &functions::FunctionError,
    ) -> Box<Diagnostic> {
        // Past the last written argument are those that it is expanded to.
        let argument = error.argument.and_then(|i| {
            let last = call.args.last().filter(|_| call.expand);
            call.args.get(i).or(last)
        });
        let summary = if error.argument.is_some() {
            "Invalid function argument"
        } else {
            "Error in function call"
        };
        self.fail(
            argument.map_or(span, |a| a.span),
            summary,
            format!("Call to function {name:?} failed: {}.", error.message),
        )
    }

    /// The arguments of a call; the result of the call when the list to expand is not known yet.
    pub(super) fn arguments(
        &mut self,
        call: &Call,
    ) -> Result<Result<Vec<Value>, Value>, Box<Diagnostic>> {
        let mut args = Vec::with_capacity(call.args.len());
        for (i, arg) in call.args.iter().enumerate() {
            let v = self.eval(arg)?;
            if !(call.expand && i + 1 == call.args.len()) {
                args.push(v);
                continue;
            }
            let refuse = |detail: &str| {
                let summary = "Invalid expanding argument value";
                Err(self.fail(arg.span, summary, detail))
            };
            if v.is_null() {
                return refuse("The expanding argument (indicated by ...) must not be null.");
            }
            let marks = v.marks();
            let sequence = |ty: &Type| {
                matches!(
                    ty,
                    Type::List(_) | Type::Set(_) | Type::Tuple(_) | Type::Dynamic
                )
            };
            match (v.as_slice(), v.as_unknown()) {
                (Some(items), _) => args.extend(items.iter().map(|v| v.clone().with_marks(marks))),
                (None, Some(u)) if sequence(&u.ty) => {
                    let all = args.iter().fold(marks, |m: Marks, v| m | v.deep_marks());
                    return Ok(Err(Value::unknown(Type::Dynamic).with_marks(all)));
                }
                _ => {
                    return refuse(
                        "The expanding argument (indicated by ...) must be of a tuple, list, or set type.",
                    );
                }
            }
        }
        Ok(Ok(args))
    }
}
