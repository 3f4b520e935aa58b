//! What the fuzzed expressions see: values of every kind, known and not, marked and not.

#![allow(dead_code, reason = "no target uses all of it")]

use std::sync::Arc;

use topo_engine::lang::ast::Target;
use topo_engine::lang::eval::{Bindings, Scope};
use topo_engine::lang::functions::Context;
use topo_engine::lang::operators::Failure;
use topo_sdk::{Type, Value};

/// `var.NAME` for each of [`bindings`].
pub struct Names;

/// The values by name.
pub fn bindings() -> Bindings {
    let strings = |items: &[&str]| {
        Value::list(
            Type::String,
            items.iter().map(|s| Value::string(*s)).collect(),
        )
    };
    [
        ("s", Value::string("text")),
        ("n", Value::number(7)),
        ("b", Value::from(true)),
        ("x", Value::NULL),
        ("l", strings(&["a", "b"])),
        ("e", strings(&[])),
        ("t", Value::tuple(vec![Value::number(1), Value::string("a")])),
        ("o", Value::object([("a", Value::string("1")), ("b", Value::NULL)])),
        ("m", Value::map(Type::Number, [("a".into(), Value::number(1))].into())),
        ("z", Value::set(Type::String, vec!["a".into(), "b".into()])),
        ("u", Value::unknown(Type::Dynamic)),
        ("us", Value::unknown(Type::String)),
        ("ul", Value::unknown(Type::list(Type::String))),
        ("um", Value::unknown(Type::map(Type::Number))),
        ("p", Value::string("secret").sensitive()),
    ]
    .into_iter()
    .map(|(name, value)| (Arc::from(name), value))
    .collect()
}

impl Scope for Names {
    fn resolve(&self, target: &Target, key: Option<&Value>) -> Result<Value, Failure> {
        let found = match target {
            Target::Variable(name) => bindings()
                .into_iter()
                .find(|(n, _)| n == name)
                .map(|(_, v)| v),
            _ => None,
        };
        let value = found.ok_or_else(|| ("No such name".to_string(), target.to_string()))?;
        match key {
            Some(key) => topo_engine::lang::operators::index(&value, key),
            None => Ok(value),
        }
    }

    fn functions(&self) -> Context<'_> {
        Context {
            base_dir: std::path::Path::new("/nonexistent"),
            plan_time: jiff::Timestamp::UNIX_EPOCH,
            impure_unknown: true,
        }
    }
}
