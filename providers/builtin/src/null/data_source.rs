//! `null_data_source`: hands its inputs on as outputs. Deprecated in favour of locals.

use rand::Rng;
use topo_sdk::{Attribute, Block, Diagnostics, Schema, Type, Value};

use crate::table::Data;

pub(crate) struct NullDataSource;

impl Data for NullDataSource {
    fn name(&self) -> &'static str {
        "null_data_source"
    }

    fn schema(&self) -> Schema {
        let map = || Type::map(Type::String);
        let mut block = Block::new()
            .describe("Hands its inputs on as outputs.")
            .attr("inputs", Attribute::optional(map()))
            .attr("outputs", Attribute::computed(map()))
            .attr("random", Attribute::computed(Type::String))
            .attr(
                "has_computed_default",
                Attribute::optional_computed(Type::String),
            )
            .attr("id", Attribute::computed(Type::String));
        block.deprecated = Some("Use locals or terraform_data instead.".into());
        Schema::new(block)
    }

    fn read(&self, config: &Value) -> Result<Value, Diagnostics> {
        let inputs = config.get("inputs").cloned().unwrap_or(Value::NULL);
        let default = match config.get("has_computed_default") {
            Some(v) if !v.is_null() => v.clone(),
            _ => Value::from("default"),
        };
        let random = rand::rng().random_range(0..i64::MAX).to_string();
        Ok(config
            .clone()
            .with("outputs", inputs)
            .with("random", Value::string(random))
            .with("has_computed_default", default)
            .with("id", "static".into()))
    }
}
