//! Configuration for objects that exist: a schema and a value become a `resource` block that
//! plans as the object is.
//!
//! Written is what an argument of the configuration can be and is not null; secrets are left to
//! whoever reads the block. What the provider would refuse beside other arguments, and sets by
//! itself, is left out.

use std::collections::BTreeSet;
use std::path::Path as FilePath;
use std::sync::Arc;

use jiff::Timestamp;
use topo_sdk::plan::fill_missing;
use topo_sdk::{
    Attribute, Block, Diagnostics, Kind, Marks, Mode, NestedBlock, Nesting, Schema, Step, Value,
};

use crate::address::ResourceAddress;
use crate::lang::escape::quote;
use crate::lang::fmt;
use crate::lang::functions::{self, Context};
use crate::lang::syntax::is_identifier;

/// What is asked of a provider about a configuration.
pub(crate) struct Judge<'a> {
    /// What is wrong with it.
    pub(crate) validate: &'a dyn Fn(&Value) -> Diagnostics,
    /// Whether it leaves the object as it is.
    pub(crate) unchanged: &'a dyn Fn(&Value) -> bool,
}

/// A `resource` block for an object, in the canonical layout, with a line break at the end.
pub(crate) fn resource_block(
    address: &ResourceAddress,
    schema: &Schema,
    object: &Value,
    provider: Option<&str>,
    judge: &Judge<'_>,
) -> String {
    let left_out = refused(&schema.block, object, judge);
    let mut writer = Writer {
        text: String::new(),
        left_out,
        json: json_texts(&schema.block, object, judge),
    };
    writer.line(&format!(
        "resource {} {} {{",
        quote(&address.type_name),
        quote(&address.name)
    ));
    if let Some(provider) = provider {
        writer.line(&format!("provider = {provider}"));
    }
    writer.body(&schema.block, object, true);
    writer.line("}");
    fmt::format(&writer.text)
}

/// The configuration that an object comes from: what a person can set of it.
fn configured(block: &Block, object: &Value) -> Value {
    let attributes = block
        .attributes
        .iter()
        .filter(|(_, a)| is_settable(a))
        .filter_map(|(name, a)| {
            let value = object.get(name)?;
            (!is_secret(a, value)).then(|| (name.clone(), value.clone()))
        });
    let blocks = block.blocks.iter().filter_map(|(name, nested)| {
        let value = object.get(name)?.clone();
        let made = match nested.nesting {
            _ if value.is_null() => value,
            Nesting::Single => configured(&nested.block, &value),
            _ => value.map_children(|v| configured(&nested.block, &v)),
        };
        Some((name.clone(), made))
    });
    fill_missing(block, Value::object(attributes.chain(blocks)))
}

fn is_settable(a: &Attribute) -> bool {
    a.mode != Mode::Computed
}

fn is_secret(a: &Attribute, value: &Value) -> bool {
    a.sensitive || value.deep_marks().contains(Marks::SENSITIVE)
}

/// Arguments that the provider refuses beside the others and sets when they are left out.
fn refused(block: &Block, object: &Value, judge: &Judge<'_>) -> BTreeSet<Arc<str>> {
    let mut left_out = BTreeSet::new();
    let mut config = configured(block, object);
    loop {
        let wrong: Vec<Arc<str>> = (judge.validate)(&config)
            .iter()
            .filter(|d| d.is_error())
            .filter_map(|d| match d.attribute.steps().first() {
                Some(Step::Attribute(name)) => Some(name.clone()),
                _ => None,
            })
            .filter(|name| {
                let attribute = block.attributes.get(name);
                attribute.is_some_and(|a| a.mode == Mode::OptionalComputed)
                    && !left_out.contains(name)
            })
            .collect();
        // One at a time: of two that exclude each other, one may stay.
        let Some(name) = wrong.into_iter().next() else {
            return left_out;
        };
        let ty = block.attributes.get(&name).map(|a| a.ty.clone());
        config = config.with(&name, ty.map_or(Value::NULL, Value::null));
        left_out.insert(name);
    }
}

/// Attributes whose text is JSON and may be written as a value, because the provider takes the
/// text that comes of that for the same.
fn json_texts(block: &Block, object: &Value, judge: &Judge<'_>) -> BTreeSet<Arc<str>> {
    let config = configured(block, object);
    let names = block
        .attributes
        .iter()
        .filter(|(_, a)| is_settable(a))
        .map(|(n, _)| n);
    names
        .filter(|name| {
            let Some((_, text)) = object.get(name).and_then(Value::as_str).and_then(from_json)
            else {
                return false;
            };
            object.get_str(name) == Some(&text)
                || (judge.unchanged)(&config.clone().with(name, Value::string(text)))
        })
        .cloned()
        .collect()
}

/// The value that a JSON text of an object or array stands for, and the text that `jsonencode`
/// makes of it.
fn from_json(text: &str) -> Option<(Value, String)> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let context = Context {
        base_dir: FilePath::new("."),
        plan_time: Timestamp::UNIX_EPOCH,
        impure_unknown: false,
    };
    let call = |name: &str, argument: Value| {
        functions::call(functions::lookup(name)?, &context, &[argument]).ok()
    };
    let value = call("jsondecode", Value::string(text))?;
    let encoded = call("jsonencode", value.clone())?;
    Some((value, encoded.as_str()?.to_string()))
}

struct Writer {
    text: String,
    /// Arguments of the resource itself that are not written.
    left_out: BTreeSet<Arc<str>>,
    /// Arguments of the resource itself whose text is written as a value.
    json: BTreeSet<Arc<str>>,
}

impl Writer {
    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn body(&mut self, block: &Block, object: &Value, outermost: bool) {
        for (name, a) in block.attributes.iter().filter(|(_, a)| is_settable(a)) {
            if outermost && self.left_out.contains(name) {
                continue;
            }
            let value = object.get(name).unwrap_or(&Value::NULL);
            self.argument(name, a, value, outermost);
        }
        for (name, nested) in &block.blocks {
            if let Some(value) = object.get(name) {
                self.nested(name, nested, value);
            }
        }
    }

    fn argument(&mut self, name: &Arc<str>, a: &Attribute, value: &Value, outermost: bool) {
        if a.write_only {
            if a.mode == Mode::Required {
                self.line(&format!("{name} = null # write-only"));
            }
            return;
        }
        if is_secret(a, value) && (!value.is_null() || a.mode == Mode::Required) {
            self.line(&format!("{name} = null # sensitive"));
            return;
        }
        if value.is_null() && a.mode != Mode::Required {
            return;
        }
        let json = value.as_str().and_then(from_json).filter(|(_, encoded)| {
            value.as_str() == Some(encoded) || (outermost && self.json.contains(name))
        });
        let written = match json {
            Some((inner, _)) => format!("jsonencode({})", expression(&inner)),
            None => expression(value),
        };
        self.line(&format!("{name} = {written}"));
    }

    fn nested(&mut self, name: &str, nested: &NestedBlock, value: &Value) {
        if value.is_null() {
            return;
        }
        if value.is_sensitive() {
            self.line(&format!("# {name} is sensitive"));
            return;
        }
        match nested.nesting {
            Nesting::Single => self.block(name, &nested.block, value),
            Nesting::List | Nesting::Set => {
                for item in value.children() {
                    self.block(name, &nested.block, item);
                }
            }
            Nesting::Map => {
                for (key, item) in value.as_map().into_iter().flatten() {
                    self.block(&format!("{name} {}", quote(key)), &nested.block, item);
                }
            }
        }
    }

    fn block(&mut self, head: &str, block: &Block, value: &Value) {
        self.line(&format!("{head} {{"));
        self.body(block, value, false);
        self.line("}");
    }
}

/// A value as the language writes it.
fn expression(value: &Value) -> String {
    match value.kind() {
        Kind::Null(_) | Kind::Unknown(_) => "null".to_string(),
        Kind::Bool(b) => b.to_string(),
        Kind::Number(n) => n.to_string(),
        Kind::String(s) => quote(s),
        Kind::List(_) | Kind::Set(_) | Kind::Tuple(_) => {
            let items: Vec<String> = value.children().map(expression).collect();
            format!("[{}]", items.join(", "))
        }
        Kind::Map(_) | Kind::Object(_) => {
            let entries = value.as_map().into_iter().flatten();
            let lines: String = entries
                .map(|(key, v)| format!("{} = {}\n", object_key(key), expression(v)))
                .collect();
            match lines.is_empty() {
                true => "{}".to_string(),
                false => format!("{{\n{lines}}}"),
            }
        }
    }
}

/// A key as it is, where the language cannot take it for something else.
fn object_key(key: &str) -> String {
    let plain = is_identifier(key) && !matches!(key, "for" | "null" | "true" | "false");
    if plain { key.to_string() } else { quote(key) }
}

#[cfg(test)]
mod tests {
    use topo_sdk::Type;
    use topo_sdk::convert::convert;
    use topo_sdk::json::from_json as value_of;

    use super::*;

    fn block() -> Block {
        let rule = Block::new()
            .attr("port", Attribute::required(Type::Number))
            .attr("id", Attribute::computed(Type::String));
        Block::new()
            .attr("id", Attribute::computed(Type::String))
            .attr("name", Attribute::required(Type::String))
            .attr("name_prefix", Attribute::optional_computed(Type::String))
            .attr("password", Attribute::optional(Type::String).sensitive())
            .attr("policy", Attribute::optional(Type::String))
            .attr("size", Attribute::optional(Type::Number))
            .attr("tags", Attribute::optional(Type::map(Type::String)))
            .attr("zones", Attribute::optional(Type::list(Type::String)))
            .block("rule", NestedBlock::new(Nesting::Set, rule.clone()))
            .block("step", NestedBlock::new(Nesting::Map, rule))
    }

    fn written(
        object: serde_json::Value,
        validate: &dyn Fn(&Value) -> Diagnostics,
        same: bool,
    ) -> String {
        let schema = Schema::new(block());
        let filled = fill_missing(&schema.block, value_of(&object));
        // JSON has no maps, and of an object it is not known that it stands for labelled blocks.
        let labelled = object.get("step").map_or(Value::NULL, value_of);
        let filled = filled.with("step", labelled);
        let value = convert(&filled, &schema.block.ty()).unwrap();
        let address: crate::address::InstanceAddress = "test_thing.a".parse().unwrap();
        let judge = Judge {
            validate,
            unchanged: &|_| same,
        };
        resource_block(
            &address.resource,
            &schema,
            &value,
            Some("test.west"),
            &judge,
        )
    }

    fn fine(_: &Value) -> Diagnostics {
        Diagnostics::new()
    }

    #[test]
    fn arguments_and_blocks_are_written_in_order() {
        let text = written(
            serde_json::json!({
                "id": "i-1", "name": "a ${b}\n", "password": "p", "size": 3,
                "tags": { "plain": "x", "with space": "y", "for": "z" },
                "zones": ["a", "b"],
                "rule": [{ "port": 80, "id": "r" }],
                "step": { "k k": { "port": 1, "id": "s" } },
            }),
            &fine,
            true,
        );
        let expected = r#"resource "test_thing" "a" {
  provider = test.west
  name     = "a $${b}\n"
  password = null # sensitive
  size     = 3
  tags = {
    "for"        = "z"
    plain        = "x"
    "with space" = "y"
  }
  zones = ["a", "b"]
  rule {
    port = 80
  }
  step "k k" {
    port = 1
  }
}
"#;
        assert_eq!(text, expected);
    }

    #[test]
    fn json_is_written_as_a_value_where_that_is_the_same() {
        let policy = |text: &str, same: bool| {
            // Its layout follows that of its neighbours, which are of no interest here.
            let all = written(
                serde_json::json!({ "name": "a", "policy": text }),
                &fine,
                same,
            );
            all.lines()
                .filter(|l| !l.contains("name") && !l.contains("provider"))
                .map(|l| l.replace("policy   =", "policy ="))
                .collect::<Vec<_>>()
                .join("\n")
        };
        let as_value =
            "resource \"test_thing\" \"a\" {\n  policy = jsonencode({\n    a = [1, null]\n  })\n}";
        assert_eq!(policy(r#"{"a":[1,null]}"#, false), as_value);
        assert_eq!(policy(r#"{ "a": [1, null] }"#, true), as_value);
        let as_text = "resource \"test_thing\" \"a\" {\n  policy = \"{ \\\"a\\\": [1, null] }\"\n}";
        assert_eq!(policy(r#"{ "a": [1, null] }"#, false), as_text);
        assert!(policy("[not json", true).contains("\"[not json\""));
        assert!(policy("12", true).contains("\"12\""));
    }

    #[test]
    fn what_the_provider_refuses_and_sets_itself_is_left_out() {
        let exclusive = |config: &Value| {
            let both = ["name", "name_prefix"]
                .iter()
                .all(|n| config.get(n).is_some_and(|v| !v.is_null()));
            match both {
                true => topo_sdk::Diagnostic::error("Conflict", "One of the two.")
                    .at(topo_sdk::Path::attribute("name_prefix"))
                    .into(),
                false => Diagnostics::new(),
            }
        };
        let object = serde_json::json!({ "name": "a", "name_prefix": "b" });
        assert!(written(object.clone(), &fine, true).contains("name_prefix"));
        assert!(!written(object, &exclusive, true).contains("name_prefix"));
    }
}
