//! The template engine: any text as a template, with the values that a template file is given.

#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use topo_engine::lang::eval::evaluate_with;
use topo_engine::lang::source::SourceFile;
use topo_engine::lang::syntax::parse_closed_template;

#[path = "../scope.rs"]
mod scope;

fuzz_target!(|text: &str| {
    let file = SourceFile::new("fuzz", text.to_string());
    let bindings = scope::bindings();
    let names: Vec<Arc<str>> = bindings.iter().map(|(name, _)| name.clone()).collect();
    if let Ok(template) = parse_closed_template(&file, &names) {
        let _ = evaluate_with(&template, &scope::Names, bindings);
    }
});
