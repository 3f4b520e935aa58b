//! Assertions: what must hold when a run is done.

use topo_engine::lang::eval::{Scope, evaluate, mentioned};
use topo_engine::lang::operators;
use topo_sdk::{Diagnostic, Diagnostics, Marks, Value};

use crate::file::Assertion;
use crate::report::Status;
use crate::scope::AssertionScope;

/// How far a run came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// Everything is planned.
    Planned,
    /// Everything is planned but what depends on an expected failure.
    Failed,
    /// Everything is applied.
    Applied,
}

/// What came of assertions.
pub(crate) struct Assessed {
    pub(crate) status: Status,
    pub(crate) failed: usize,
}

/// Evaluates assertions; says of those that do not hold why.
pub(crate) fn assess(
    assertions: &[Assertion],
    until: Until,
    scope: &AssertionScope<'_>,
    diagnostics: &mut Diagnostics,
) -> Assessed {
    let mut made = Assessed {
        status: Status::Pass,
        failed: 0,
    };
    for assertion in assertions {
        let mut found = Diagnostics::new();
        scope.check(&assertion.condition, &mut found);
        scope.check(&assertion.message, &mut found);
        let status = match found.has_errors() {
            true => Status::Error,
            false => one(assertion, until, scope, &mut found),
        };
        made.failed += usize::from(status != Status::Pass);
        made.status = made.status.max(status);
        diagnostics.extend(found);
    }
    made
}

fn one(
    assertion: &Assertion,
    until: Until,
    scope: &AssertionScope<'_>,
    found: &mut Diagnostics,
) -> Status {
    let range = assertion.condition.range();
    let value = match evaluate(&assertion.condition, scope) {
        Ok(value) => value,
        Err(d) => {
            found.push(*d);
            return Status::Error;
        }
    };
    let problem = match operators::condition(&value, "Invalid condition") {
        Ok((Some(true), _)) => return Status::Pass,
        Ok((Some(false), _)) => {
            let mut d = Diagnostic::error("Test assertion failed", message(assertion, scope))
                .with_range(Some(range));
            d.values = mentioned(&assertion.condition, scope);
            found.push(d);
            return Status::Fail;
        }
        Ok((None, _)) => Diagnostic::error("Unknown condition value", unknown(until)),
        Err((summary, detail)) => Diagnostic::error(summary, detail),
    };
    let mut d = problem.with_range(Some(range));
    d.values = mentioned(&assertion.condition, scope);
    found.push(d);
    Status::Error
}

fn unknown(until: Until) -> String {
    match until {
        Until::Planned => "Condition expression could not be evaluated at this time: it depends on values that are known only after apply. Use an apply command for this run, or give the values that are known in the plan, as in a mock or an override with override_during = plan.",
        Until::Applied => "Condition expression could not be evaluated: it depends on a value that is not known after apply either.",
        Until::Failed => "Condition expression could not be evaluated: it depends on something that was not planned because of the failure that this run expects. Put the assertion into a run of its own.",
    }
    .into()
}

fn message(assertion: &Assertion, scope: &dyn Scope) -> String {
    match evaluate(&assertion.message, scope) {
        Ok(v) if v.deep_marks().contains(Marks::SENSITIVE) => {
            "The error message has sensitive values and is not shown.".into()
        }
        Ok(v) => text(&v),
        Err(d) => format!("The error message could not be evaluated: {}", d.detail),
    }
}

fn text(value: &Value) -> String {
    match value.as_str() {
        Some(text) => text.trim().to_string(),
        None => "The error message depends on values that are not known yet.".into(),
    }
}
