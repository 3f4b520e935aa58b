//! Variables, local values and outputs: evaluated, converted and checked.

use std::sync::Arc;

use topo_sdk::convert::convert;
use topo_sdk::{Cause, Diagnostic, Diagnostics, Marks, SourceRange, Type, Value};

use super::{ModuleScope, World};
use crate::checks::{Checked, Time, Verdict, failure, verdict};
use crate::config::{CheckRule, ModuleId, Variable};
use crate::graph::Node;
use crate::lang::ast::Expression;
use crate::lang::eval::{Scope, evaluate};

impl World {
    /// The value of a root module variable or of a module's argument, converted and checked.
    pub fn variable(
        &mut self,
        module: ModuleId,
        instance: usize,
        name: &Arc<str>,
        diagnostics: &mut Diagnostics,
    ) {
        let config = self.config.clone();
        let Some(variable) = config.module(module).variables.get(name) else {
            return;
        };
        let (raw, range) = match &config.module(module).parent {
            None => match self.given.get(name) {
                Some(g) => (Some(g.value.clone()), g.range.clone()),
                None => (None, None),
            },
            Some((parent, call)) => match config
                .module(*parent)
                .calls
                .get(call)
                .and_then(|c| c.arguments.get(name))
            {
                Some(argument) => {
                    let e = &argument.value;
                    let of = &self.modules[module][instance];
                    let scope = ModuleScope {
                        each: Some(&of.each),
                        ..self.scope(*parent, of.parent)
                    };
                    match evaluate(e, &scope) {
                        Ok(v) => (Some(v), Some(e.range())),
                        Err(d) => {
                            diagnostics.push(*d);
                            (Some(Value::unknown(variable.constraint.ty.clone())), None)
                        }
                    }
                }
                None => (None, None),
            },
        };
        let value = self.settle(name, variable, raw, range.clone(), diagnostics);
        let of = &mut self.modules[module][instance];
        of.variables.insert(name.clone(), value);
        let before = diagnostics.0.len();
        if !variable.validations.is_empty() {
            let checked = self.check_rules(
                &variable.validations,
                &self.scope(module, instance),
                "Invalid value for variable",
                range.as_ref().unwrap_or(&variable.range),
                diagnostics,
            );
            self.checked(&Node::Variable(module, name.clone()), instance, checked);
        }
        self.conditions_of(
            module,
            instance,
            format_args!("var.{name}"),
            before,
            diagnostics,
        );
        // What would come of a value that is refused says nothing that is not said already.
        if self.planning
            && diagnostics.0.iter().skip(before).any(Diagnostic::is_error)
            && let Some(value) = self.modules[module][instance].variables.get_mut(name)
        {
            *value = Value::unknown(variable.constraint.ty.clone()).with_marks(value.marks());
        }
    }

    /// Says of the conditions that were found not to hold since there were `before` diagnostics
    /// what they belong to.
    pub(crate) fn conditions_of(
        &self,
        module: ModuleId,
        instance: usize,
        name: std::fmt::Arguments<'_>,
        before: usize,
        diagnostics: &mut Diagnostics,
    ) {
        for d in diagnostics.0.iter_mut().skip(before) {
            if let Some(Cause::FailedCondition { of }) = &mut d.cause
                && let Some(values) = self.modules[module].get(instance)
            {
                let address = &values.address;
                let dot = if address.is_root() { "" } else { "." };
                *of = Some(format!("{address}{dot}{name}").into());
            }
        }
    }

    /// Notes what the conditions of a variable, an output or a `check` block come to.
    pub(crate) fn checked(&mut self, node: &Node, instance: usize, checked: Checked) {
        let (Node::Variable(module, _) | Node::Output(module, _) | Node::Check(module, _)) = node
        else {
            return;
        };
        let of = &self.modules[*module][instance].address;
        self.checks
            .record(&self.config, node, of, &None, Time::Before, checked);
    }

    fn settle(
        &self,
        name: &str,
        variable: &Variable,
        raw: Option<Value>,
        range: Option<SourceRange>,
        diagnostics: &mut Diagnostics,
    ) -> Value {
        let ty = &variable.constraint.ty;
        let given =
            raw.filter(|v| !(v.is_null() && !variable.nullable && variable.default.is_some()));
        let value = match given {
            Some(v) => {
                let filled = variable.constraint.defaults.apply(v);
                match convert(&filled, ty) {
                    Ok(v) => v,
                    Err(e) => {
                        let inside = if e.path.is_root() {
                            String::new()
                        } else {
                            format!("{}: ", e.path)
                        };
                        diagnostics.push(
                            Diagnostic::error("Invalid value for input variable", format!("The given value is not suitable for var.{name} declared at {}: {inside}{e}.", variable.range))
                                .with_range(range.clone().or_else(|| Some(variable.range.clone()))),
                        );
                        Value::unknown(ty.clone())
                    }
                }
            }
            None => match &variable.default {
                Some(v) => v.clone(),
                None => {
                    let detail = format!(
                        "The root module's variable {name:?} is not set, and has no default value. Use -var={name}=..., -var-file=..., or the environment variable TF_VAR_{name}."
                    );
                    diagnostics.push(
                        Diagnostic::error("No value for required variable", detail)
                            .with_range(Some(variable.range.clone())),
                    );
                    Value::unknown(ty.clone())
                }
            },
        };
        if value.is_null() && !variable.nullable {
            diagnostics.push(
                Diagnostic::error(
                    "Invalid value for input variable",
                    format!("The value of var.{name} must not be null."),
                )
                .with_range(range.or_else(|| Some(variable.range.clone()))),
            );
        }
        let mut marks = Marks::empty();
        marks.set(Marks::SENSITIVE, variable.sensitive);
        marks.set(Marks::EPHEMERAL, variable.ephemeral);
        value.with_marks(marks)
    }

    /// Evaluates conditions; an error with its message for each that does not hold. Unknown
    /// passes: it is asked again when more is known.
    pub(crate) fn check_rules(
        &self,
        rules: &[CheckRule],
        scope: &dyn Scope,
        summary: &str,
        range: &SourceRange,
        diagnostics: &mut Diagnostics,
    ) -> Checked {
        let mut checked = Checked::default();
        for rule in rules {
            let verdict = verdict(rule, scope);
            checked.add(&verdict);
            match verdict {
                Verdict::Holds | Verdict::Unknown => {}
                Verdict::Broken(d) => diagnostics.push(*d),
                Verdict::Fails(message) => {
                    diagnostics.push(failure(rule, scope, summary, range, message));
                }
            }
        }
        checked
    }

    /// The value of a local.
    pub fn local(
        &mut self,
        module: ModuleId,
        instance: usize,
        name: &Arc<str>,
        diagnostics: &mut Diagnostics,
    ) {
        let config = self.config.clone();
        let Some(e) = config.module(module).locals.get(name) else {
            return;
        };
        let value = match self.modules[module][instance].given {
            Some(_) => Value::unknown(Type::Dynamic), // nobody sees it
            None => self.evaluate(e, module, instance, diagnostics),
        };
        self.modules[module][instance]
            .locals
            .insert(name.clone(), value);
    }

    /// The value of an output.
    pub fn output(
        &mut self,
        module: ModuleId,
        instance: usize,
        name: &Arc<str>,
        diagnostics: &mut Diagnostics,
    ) {
        let config = self.config.clone();
        let Some(output) = config.module(module).outputs.get(name) else {
            return;
        };
        let before = diagnostics.0.len();
        let mut holds = true;
        let given = self.modules[module][instance].given;
        if !output.preconditions.is_empty() && given.is_none() {
            let errors = diagnostics.errors();
            let checked = self.check_rules(
                &output.preconditions,
                &self.scope(module, instance),
                "Module output value precondition failed",
                &output.range,
                diagnostics,
            );
            self.checked(&Node::Output(module, name.clone()), instance, checked);
            holds = diagnostics.errors() == errors;
        }
        self.conditions_of(
            module,
            instance,
            format_args!("output.{name}"),
            before,
            diagnostics,
        );
        // An output whose precondition does not hold has no value that could be kept.
        let given = given.and_then(|g| config.module(module).given.get(g));
        let mut value = match given {
            _ if !holds => Value::unknown(Type::Dynamic),
            Some(g) if g.after_apply && self.planning => Value::unknown(Type::Dynamic),
            Some(g) => g.outputs.get(name).cloned().unwrap_or(Value::NULL),
            None => self.evaluate(&output.value, module, instance, diagnostics),
        };
        if output.ephemeral {
            value = value.with_marks(Marks::EPHEMERAL);
        } else if value.deep_marks().contains(Marks::EPHEMERAL) {
            diagnostics.push(
                Diagnostic::error(
                    "Ephemeral value not allowed",
                    format!("The value of the output {name:?} is ephemeral. Set ephemeral = true in the output block of a module that is called, or use ephemeralasnull(...)."),
                )
                .with_range(Some(output.value.range())),
            );
        }
        if output.sensitive {
            value = value.sensitive();
        } else if module == 0 && !self.checking && value.deep_marks().contains(Marks::SENSITIVE) {
            diagnostics.push(
                Diagnostic::error(
                    "Output refers to sensitive values",
                    format!("The value of the output {name:?} has sensitive parts. To show that this is meant, set sensitive = true in the output block, or use nonsensitive(...) on what may be shown."),
                )
                .with_range(Some(output.range.clone())),
            );
        }
        self.modules[module][instance]
            .outputs
            .insert(name.clone(), value);
    }

    fn evaluate(
        &self,
        e: &Expression,
        module: ModuleId,
        instance: usize,
        diagnostics: &mut Diagnostics,
    ) -> Value {
        match evaluate(e, &self.scope(module, instance)) {
            Ok(v) => v,
            Err(d) => {
                diagnostics.push(*d);
                Value::unknown(Type::Dynamic)
            }
        }
    }
}
