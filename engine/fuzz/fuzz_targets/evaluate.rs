//! The evaluator: any text as an expression, in a scope with values of every kind.

#![no_main]

use libfuzzer_sys::fuzz_target;
use topo_engine::lang::eval::evaluate;
use topo_engine::lang::source::SourceFile;
use topo_engine::lang::syntax::parse_expression;

#[path = "../scope.rs"]
mod scope;

fuzz_target!(|text: &str| {
    let file = SourceFile::new("fuzz", text.to_string());
    if let Ok(expression) = parse_expression(&file) {
        let _ = evaluate(&expression, &scope::Names);
    }
});
