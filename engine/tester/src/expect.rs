//! Failures that are expected: conditions of variables, outputs, resources and checks that a run
//! names in `expect_failures`.

use topo_sdk::{Cause, Diagnostic, Diagnostics, Severity};

use crate::file::Expected;

/// What a run expects to fail, and what of it has.
pub(crate) struct Expectations<'a> {
    list: Vec<(&'a Expected, bool)>,
}

impl<'a> Expectations<'a> {
    pub(crate) fn new(expected: &'a [Expected]) -> Expectations<'a> {
        Expectations {
            list: expected.iter().map(|e| (e, false)).collect(),
        }
    }

    /// Takes out what is expected. A check that fails, or cannot be told yet, is an error in a test
    /// unless it is expected to fail, though a warning in a plan.
    pub(crate) fn filter(&mut self, found: Diagnostics) -> Diagnostics {
        let mut rest = Diagnostics::new();
        for mut d in found {
            let Some(object) = failed_object(&d) else {
                rest.push(d);
                continue;
            };
            let mut expected = false;
            for (e, happened) in &mut self.list {
                if e.covers(&object) {
                    *happened = true;
                    expected = true;
                }
            }
            if !expected {
                d.severity = Severity::Error;
                rest.push(d);
            }
        }
        rest
    }

    /// The first object of which a failure is told and expected.
    pub(crate) fn first_of(&self, found: &Diagnostics) -> Option<String> {
        let mut failed = found.iter().filter_map(failed_object);
        failed.find(|object| self.list.iter().any(|(e, _)| e.covers(object)))
    }

    /// Errors for what was expected to fail and did not.
    pub(crate) fn missing(&self) -> Diagnostics {
        let missing = self.list.iter().filter(|(_, happened)| !happened);
        missing
            .map(|(e, _)| {
                let detail = format!(
                    "The checkable object, {}, was expected to report an error but did not.",
                    e.address
                );
                Diagnostic::error("Missing expected failure", detail)
                    .with_range(Some(e.range.clone()))
            })
            .collect()
    }
}

/// The address of what has a condition that does not hold.
pub(crate) fn failed_object(d: &Diagnostic) -> Option<String> {
    match &d.cause {
        Some(Cause::FailedCondition { of: Some(of) }) => Some(of.to_string()),
        Some(Cause::FailedCondition { of: None }) => d.address.clone(),
        None => None,
    }
}
