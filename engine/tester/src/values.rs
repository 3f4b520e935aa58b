//! The values of variables in a run: what is given from outside, what the file says, what the run
//! says; later wins.

use std::collections::BTreeMap;
use std::sync::Arc;

use topo_engine::config::Module;
use topo_engine::lang::eval::evaluate;
use topo_engine::variables::{Given, GivenBy, Inputs};
use topo_sdk::{Diagnostics, Value};

use crate::file::{TestFile, TestRun};
use crate::scope::{TestScope, runs_in};

/// What a run starts from.
pub(crate) struct Start {
    /// What the test's own expressions see.
    pub(crate) scope: TestScope,
    /// The values of the module's variables.
    pub(crate) inputs: Inputs,
}

/// Works out the values for a run of a module. What is wrong is in the diagnostics.
pub(crate) fn start(
    outside: &Inputs,
    module: &Module,
    file: &TestFile,
    run: &TestRun,
    scope: TestScope,
    diagnostics: &mut Diagnostics,
) -> Start {
    let mut scope = scope;
    let mut inputs = Inputs::default();
    scope.variables = outside.untyped();
    for (name, variable) in &module.variables {
        if let Some(default) = &variable.default {
            scope
                .variables
                .entry(name.clone())
                .or_insert_with(|| default.clone());
        }
    }
    for (name, given) in outside.resolve_some(module, diagnostics) {
        scope.variables.insert(name.clone(), given.value.clone());
        inputs.add_value(&name, given);
    }
    for (of_run, variables) in [(false, &file.variables), (true, &run.variables)] {
        let mut made: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        for (name, expression) in variables {
            let declared = module.variables.contains_key(name);
            match evaluate(expression, &scope) {
                Ok(value) => {
                    made.insert(name.clone(), value.clone());
                    // The module says which of its variables are sensitive.
                    let given = Given {
                        value: value.unmark_deep(),
                        range: Some(expression.range()),
                        origin: file.name.to_string(),
                        by: GivenBy::Run,
                    };
                    inputs.add_value(name, given);
                }
                // What needs a run that is still to come is not there yet.
                Err(_) if !of_run && !declared && runs_in([expression]).next().is_some() => {}
                Err(d) => diagnostics.push(*d),
            }
        }
        scope.variables.extend(made);
    }
    Start { scope, inputs }
}
