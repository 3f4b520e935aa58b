//! `random_integer`: a random whole number in a range.

use async_trait::async_trait;
use rand::Rng;
use topo_sdk::{Attribute, Diagnostic, Diagnostics, Operation, Path, Schema, Type, Value};

use super::generator;
use crate::table::Resource;

pub(crate) struct RandomInteger;

#[async_trait]
impl Resource for RandomInteger {
    fn name(&self) -> &'static str {
        "random_integer"
    }

    fn schema(&self) -> Schema {
        Schema::new(
            super::block("A random whole number in a range.")
                .attr(
                    "min",
                    Attribute::required(Type::Number)
                        .force_new()
                        .describe("The smallest number that it may be."),
                )
                .attr(
                    "max",
                    Attribute::required(Type::Number)
                        .force_new()
                        .describe("The largest number that it may be."),
                )
                .attr(
                    "seed",
                    Attribute::optional(Type::String)
                        .force_new()
                        .describe("The same seed gives the same number."),
                )
                .attr("result", Attribute::computed(Type::Number))
                .attr("id", Attribute::computed(Type::String)),
        )
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        match (config.get_i64("min"), config.get_i64("max")) {
            (Some(min), Some(max)) if min > max => Diagnostic::error(
                "The range is empty",
                format!("min ({min}) must not be greater than max ({max})."),
            )
            .at(Path::attribute("min"))
            .into(),
            _ => Diagnostics::new(),
        }
    }

    async fn create(
        &self,
        planned: Value,
        _operation: &dyn Operation,
    ) -> Result<Value, Diagnostics> {
        let range = match (planned.get_i64("min"), planned.get_i64("max")) {
            (Some(min), Some(max)) if min <= max => min..=max,
            _ => {
                return Err(Diagnostics::error(
                    "The range is not one of 64-bit whole numbers",
                    "min and max must be whole numbers, and min not greater than max.",
                ));
            }
        };
        let result = generator(planned.get_str("seed")).random_range(range);
        Ok(planned
            .with("result", Value::from(result))
            .with("id", Value::string(result.to_string())))
    }

    fn import(&self, id: &str) -> Result<Vec<(&'static str, Value)>, Diagnostics> {
        let parts: Vec<&str> = id.splitn(4, ',').collect();
        let number = |i: usize| parts.get(i).and_then(|s| s.trim().parse::<i64>().ok());
        let (Some(result), Some(min), Some(max)) = (number(0), number(1), number(2)) else {
            return Err(Diagnostics::error(
                "Not an id of random_integer",
                "Expected result,min,max or result,min,max,seed.",
            ));
        };
        let mut given = vec![
            ("result", Value::from(result)),
            ("min", Value::from(min)),
            ("max", Value::from(max)),
            ("id", Value::string(result.to_string())),
        ];
        given.extend(parts.get(3).map(|seed| ("seed", Value::from(*seed))));
        Ok(given)
    }
}

#[cfg(test)]
mod tests {
    use super::super::provider;
    use super::*;
    use crate::testing::Bench;

    fn range(min: i64, max: i64) -> [(&'static str, Value); 2] {
        [("min", min.into()), ("max", max.into())]
    }

    #[tokio::test]
    async fn is_in_its_range() {
        let bench = Bench::new(provider(), "random_integer").await;
        let made = bench.create(range(-3, 3)).await;
        let result = made.get_i64("result").unwrap();
        assert!((-3..=3).contains(&result));
        assert_eq!(made.get_str("id").unwrap(), result.to_string());
        bench.unchanged(&made, range(-3, 3));
        bench.replaces(&made, range(-3, 4), "max");
        assert_eq!(bench.create(range(7, 7)).await.get_i64("result"), Some(7));
        assert!(bench.validate(range(4, 3)).has_errors());
    }

    #[tokio::test]
    async fn a_seed_decides() {
        let bench = Bench::new(provider(), "random_integer").await;
        let seeded = |seed: &str| {
            [
                ("min", 0.into()),
                ("max", i64::MAX.into()),
                ("seed", seed.into()),
            ]
        };
        let one = bench.create(seeded("a")).await;
        assert_eq!(bench.create(seeded("a")).await, one);
        assert_ne!(bench.create(seeded("b")).await, one);
    }

    #[tokio::test]
    async fn imports() {
        let bench = Bench::new(provider(), "random_integer").await;
        let made = bench.import("5,1,9").await.unwrap();
        bench.unchanged(&made, range(1, 9));
        assert!(bench.import("5,1").await.is_err());
    }
}
