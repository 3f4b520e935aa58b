//! Text of each kind of change, as a person sees it (without colours, but for one).
//!
//! What the peers can be made to show was compared with `terraform plan` 1.11.4 and `tofu plan`
//! 1.11.0 on `terraform_data`. Where topo differs on purpose, the test says so.

mod blocks;
mod changes;
mod diagnostics;
mod plans;
mod strings;
mod values;

use std::collections::BTreeMap;
use std::sync::Arc;

use topo_engine::address::ProviderAddress;
use topo_engine::changes::{ChangeAction, InstanceChange};
use topo_engine::store::RecordKey;
use topo_sdk::schema::{Attribute, Block, NestedBlock, Nesting};
use topo_sdk::{Schema, Type, Value};

use super::{Options, change};

/// Without colours.
fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// One change, without colours.
fn shown(c: &InstanceChange) -> String {
    let mut out = String::new();
    change::change(&mut out, c, &Options::default());
    plain(&out)
}

/// Only what stands above the difference.
fn comment(c: &InstanceChange) -> String {
    let text = shown(c);
    let lines = text.lines().take_while(|l| l.starts_with("  # "));
    lines.collect::<Vec<_>>().join("\n")
}

fn key(address: &str) -> RecordKey {
    RecordKey::from(
        address
            .parse::<topo_engine::address::InstanceAddress>()
            .unwrap(),
    )
}

fn provider(name: &str) -> ProviderAddress {
    ProviderAddress {
        module: Arc::new([]),
        name: name.into(),
        alias: None,
    }
}

fn schema() -> Arc<Schema> {
    let rule = Block::new()
        .attr("port", Attribute::required(Type::Number))
        .attr("source", Attribute::optional(Type::String));
    Arc::new(Schema::new(
        Block::new()
            .attr("id", Attribute::computed(Type::String))
            .attr("name", Attribute::required(Type::String).force_new())
            .attr("size", Attribute::optional(Type::Number))
            .attr("enabled", Attribute::optional(Type::Bool))
            .attr("password", Attribute::optional(Type::String).sensitive())
            .attr("policy", Attribute::optional(Type::String))
            .attr("zones", Attribute::optional(Type::list(Type::String)))
            .attr("groups", Attribute::optional(Type::set(Type::String)))
            .attr("tags", Attribute::optional(Type::map(Type::String)))
            .attr("labels", Attribute::optional(Type::map(Type::String)))
            .attr("endpoint", Attribute::optional(endpoint_type()))
            .attr("input", Attribute::optional(Type::Dynamic))
            .block("rule", NestedBlock::new(Nesting::List, rule.clone()))
            .block("listener", NestedBlock::new(Nesting::Set, rule.clone()))
            .block("volume", NestedBlock::new(Nesting::Map, rule.clone()))
            .block("options", NestedBlock::new(Nesting::Single, rule)),
    ))
}

fn endpoint_type() -> Type {
    endpoint(None, None, "x").ty()
}

/// An object with declared attributes, two of which may be left out.
fn endpoint(host: Option<&str>, port: Option<i64>, name: &str) -> Value {
    Value::object([
        (
            "host",
            host.map_or_else(|| Value::null(Type::String), Value::from),
        ),
        (
            "port",
            port.map_or_else(|| Value::null(Type::Number), Value::from),
        ),
        ("name", name.into()),
    ])
}

/// An object of the schema above; what is not given is null or empty.
fn object(attributes: &[(&str, Value)]) -> Value {
    let null = topo_sdk::plan::fill_missing(&schema().block, Value::object::<&str>([]));
    attributes.iter().fold(null, |object, (name, value)| {
        object.with(name, value.clone())
    })
}

fn list(items: &[&str]) -> Value {
    Value::list(Type::String, items.iter().map(|i| (*i).into()).collect())
}

fn set(items: &[&str]) -> Value {
    Value::set(Type::String, items.iter().map(|i| (*i).into()).collect())
}

fn map(entries: &[(&str, &str)]) -> Value {
    let entries: BTreeMap<Arc<str>, Value> = entries
        .iter()
        .map(|(k, v)| ((*k).into(), (*v).into()))
        .collect();
    Value::map(Type::String, entries)
}

/// The content of one nested block.
fn rule(port: i64) -> Value {
    Value::object([
        ("port", Value::from(port)),
        ("source", Value::null(Type::String)),
    ])
}

fn rules(ports: &[i64]) -> Value {
    let ty = schema().block.blocks["rule"].block.ty();
    Value::list(ty, ports.iter().map(|p| rule(*p)).collect())
}

fn changed(action: ChangeAction, before: Option<Value>, after: Option<Value>) -> InstanceChange {
    InstanceChange {
        key: key("test_thing.x"),
        provider: provider("test"),
        action,
        reason: None,
        before,
        after,
        replace_paths: Vec::new(),
        schema: schema(),
        provider_deferred: false,
        previous: None,
        importing: None,
    }
}

/// An update in place of what differs.
fn updated(before: &[(&str, Value)], after: &[(&str, Value)]) -> InstanceChange {
    changed(
        ChangeAction::Update,
        Some(object(before)),
        Some(object(after)),
    )
}

/// The difference of one attribute, from `name =` on.
fn attribute(name: &str, before: Value, after: Value) -> String {
    let text = shown(&updated(&[(name, before)], &[(name, after)]));
    let lines: Vec<&str> = text.lines().collect();
    lines
        .get(2..lines.len().saturating_sub(1))
        .unwrap_or_default()
        .join("\n")
}
