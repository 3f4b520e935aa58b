//! `random_shuffle`: a list in random order.

use async_trait::async_trait;
use rand::seq::SliceRandom;
use topo_sdk::{Attribute, Diagnostics, Operation, Schema, Type, Value};

use super::{at_least, generator};
use crate::table::Resource;

pub(crate) struct RandomShuffle;

#[async_trait]
impl Resource for RandomShuffle {
    fn name(&self) -> &'static str {
        "random_shuffle"
    }

    fn schema(&self) -> Schema {
        let strings = || Type::list(Type::String);
        Schema::new(
            super::block("A list in random order.")
                .attr("input", Attribute::required(strings()).force_new())
                .attr(
                    "result_count",
                    Attribute::optional(Type::Number)
                        .force_new()
                        .describe("How many elements; more than there are repeats them."),
                )
                .attr(
                    "seed",
                    Attribute::optional(Type::String)
                        .force_new()
                        .describe("The same seed gives the same order."),
                )
                .attr("result", Attribute::computed(strings()))
                .attr("id", Attribute::computed(Type::String)),
        )
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        at_least(config, "result_count", 0)
    }

    async fn create(
        &self,
        planned: Value,
        _operation: &dyn Operation,
    ) -> Result<Value, Diagnostics> {
        let input = planned.get("input").and_then(Value::as_slice);
        let mut items = input.unwrap_or_default().to_vec();
        let count = match planned.get_i64("result_count") {
            Some(n) => usize::try_from(n).unwrap_or(0).min(1 << 20),
            None => items.len(),
        };
        let mut rng = generator(planned.get_str("seed"));
        let mut result = Vec::with_capacity(count);
        while result.len() < count && !items.is_empty() {
            items.shuffle(&mut rng);
            result.extend(items.iter().take(count - result.len()).cloned());
        }
        Ok(planned
            .with("result", Value::list(Type::String, result))
            .with("id", "-".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::provider;
    use super::*;
    use crate::testing::Bench;

    fn letters() -> Value {
        let items = ["a", "b", "c", "d", "e"].map(Value::from);
        Value::list(Type::String, items.to_vec())
    }

    #[tokio::test]
    async fn holds_the_same_elements() {
        let bench = Bench::new(provider(), "random_shuffle").await;
        let made = bench.create([("input", letters())]).await;
        let mut result = made.get("result").unwrap().as_slice().unwrap().to_vec();
        result.sort_by(Value::total_cmp);
        assert_eq!(result, letters().as_slice().unwrap());
        bench.unchanged(&made, [("input", letters())]);
        let fewer = [("input", letters()), ("result_count", 2.into())];
        bench.replaces(&made, fewer.clone(), "result_count");
        let made = bench.create(fewer).await;
        assert_eq!(made.get("result").unwrap().as_slice().unwrap().len(), 2);
        let more = [("input", letters()), ("result_count", 12.into())];
        let made = bench.create(more).await;
        assert_eq!(made.get("result").unwrap().as_slice().unwrap().len(), 12);
    }
}
