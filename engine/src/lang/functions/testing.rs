//! What the tables of the families' tests are written in.

use std::path::Path;

use topo_sdk::{Type, Value};

use super::{Context, FunctionError, call, lookup};

/// A string.
pub(super) fn s(text: &str) -> Value {
    Value::string(text)
}

/// A number.
pub(super) fn n(text: &str) -> Value {
    Value::number(text.parse::<topo_sdk::Number>().unwrap())
}

/// A tuple of strings.
pub(super) fn ss(items: &[&str]) -> Value {
    Value::tuple(items.iter().map(|i| s(i)).collect())
}

/// A list of strings.
pub(super) fn list(items: &[&str]) -> Value {
    Value::list(Type::String, items.iter().map(|i| s(i)).collect())
}

/// A value from JSON: objects and tuples.
pub(super) fn j(json: &str) -> Value {
    topo_sdk::json::from_json(&serde_json::from_str(json).unwrap())
}

/// Calls a function in the way that apply does.
pub(super) fn run(name: &str, args: &[Value]) -> Result<Value, FunctionError> {
    run_in(Path::new("."), name, args)
}

/// Calls a function with this base directory.
pub(super) fn run_in(base: &Path, name: &str, args: &[Value]) -> Result<Value, FunctionError> {
    let ctx = Context {
        base_dir: base,
        plan_time: "2026-01-02T03:04:05Z".parse().unwrap(),
        impure_unknown: false,
    };
    call(
        lookup(name).unwrap_or_else(|| panic!("no function {name}")),
        &ctx,
        args,
    )
}

/// Checks rows of name, arguments and the JSON of the expected result.
pub(super) fn check(rows: &[(&str, &[Value], &str)]) {
    let mut wrong = Vec::new();
    for (name, args, expected) in rows {
        match run(name, args) {
            Ok(v) => {
                let expected: serde_json::Value = serde_json::from_str(expected).unwrap();
                let got: serde_json::Value =
                    serde_json::from_str(&super::json::encode(&v).unwrap()).unwrap();
                if got != expected || !v.is_wholly_known() {
                    wrong.push(format!("{name}({args:?}) = {v:?}, expected {expected}"));
                }
            }
            Err(e) => wrong.push(format!("{name}({args:?}) failed: {e}, expected {expected}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Checks rows of name, arguments and a part of the expected error.
pub(super) fn refuse(rows: &[(&str, &[Value], &str)]) {
    let mut wrong = Vec::new();
    for (name, args, expected) in rows {
        match run(name, args) {
            Err(e) if e.message.contains(expected) => {}
            other => wrong.push(format!(
                "{name}({args:?}) = {other:?}, expected {expected:?}"
            )),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
