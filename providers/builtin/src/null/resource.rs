//! `null_resource`: an object that does nothing but be replaced when its triggers change.

use async_trait::async_trait;
use rand::Rng;
use topo_sdk::{Attribute, Block, Diagnostics, Operation, Schema, Type, Value};

use crate::table::Resource;

pub(crate) struct NullResource;

#[async_trait]
impl Resource for NullResource {
    fn name(&self) -> &'static str {
        "null_resource"
    }

    fn schema(&self) -> Schema {
        Schema::new(
            Block::new()
                .describe("Does nothing; replaced when its triggers change.")
                .attr(
                    "triggers",
                    Attribute::optional(Type::map(Type::String))
                        .force_new()
                        .describe("A change of these values makes a new object."),
                )
                .attr(
                    "id",
                    Attribute::computed(Type::String).describe("A random number."),
                ),
        )
    }

    async fn create(
        &self,
        planned: Value,
        _operation: &dyn Operation,
    ) -> Result<Value, Diagnostics> {
        let id: u64 = rand::rng().random_range(0..=i64::MAX as u64);
        Ok(planned.with("id", Value::string(id.to_string())))
    }
}

#[cfg(test)]
mod tests {
    use super::super::provider;
    use crate::testing::{Bench, strings};

    #[tokio::test]
    async fn is_replaced_when_a_trigger_changes() {
        let bench = Bench::new(provider(), "null_resource").await;
        let made = bench.create([("triggers", strings([("a", "1")]))]).await;
        assert!(made.get_str("id").unwrap().parse::<u64>().is_ok());
        bench.unchanged(&made, [("triggers", strings([("a", "1")]))]);
        bench.replaces(&made, [("triggers", strings([("a", "2")]))], "triggers");
        bench.replaces(&made, [], "triggers");
        assert_eq!(bench.read(&made).await, Some(made));
    }
}
