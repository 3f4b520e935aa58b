//! `random_pet`: a name of random words, such as `gladly-brave-otter`.

use async_trait::async_trait;
use rand::seq::IndexedRandom;
use topo_sdk::{Attribute, Diagnostics, Operation, Schema, Type, Value};

use super::words::{ADJECTIVES, ADVERBS, ANIMALS};
use super::{at_least, generator};
use crate::table::Resource;

pub(crate) struct RandomPet;

#[async_trait]
impl Resource for RandomPet {
    fn name(&self) -> &'static str {
        "random_pet"
    }

    fn schema(&self) -> Schema {
        Schema::new(
            super::block("A name of random words.")
                .attr(
                    "length",
                    Attribute::optional(Type::Number)
                        .default(2)
                        .force_new()
                        .describe("How many words."),
                )
                .attr(
                    "separator",
                    Attribute::optional(Type::String)
                        .default("-")
                        .force_new()
                        .describe("Put between the words."),
                )
                .attr(
                    "prefix",
                    Attribute::optional(Type::String)
                        .force_new()
                        .describe("Put before the words, with a separator."),
                )
                .attr("id", Attribute::computed(Type::String)),
        )
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        at_least(config, "length", 1)
    }

    async fn create(
        &self,
        planned: Value,
        _operation: &dyn Operation,
    ) -> Result<Value, Diagnostics> {
        let length = planned.get_i64("length").unwrap_or(2).clamp(1, 1000);
        let mut rng = generator(None);
        let mut pick = |words: &[&'static str]| words.choose(&mut rng).copied().unwrap_or_default();
        let mut words: Vec<&str> = (2..length).map(|_| pick(ADVERBS)).collect();
        if length > 1 {
            words.push(pick(ADJECTIVES));
        }
        words.push(pick(ANIMALS));
        let prefix = planned.get_str("prefix").filter(|p| !p.is_empty());
        words.splice(0..0, prefix);
        let id = words.join(planned.get_str("separator").unwrap_or("-"));
        Ok(planned.with("id", Value::string(id)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::provider;
    use super::*;
    use crate::testing::Bench;

    #[tokio::test]
    async fn has_as_many_words_as_asked_for() {
        let bench = Bench::new(provider(), "random_pet").await;
        let made = bench.create([]).await;
        let words: Vec<&str> = made.get_str("id").unwrap().split('-').collect();
        assert!(ADJECTIVES.contains(&words[0]) && ANIMALS.contains(&words[1]));
        bench.unchanged(&made, []);
        bench.replaces(&made, [("length", 3.into())], "length");
        let arguments = [
            ("length", 4.into()),
            ("separator", "_".into()),
            ("prefix", "kong".into()),
        ];
        let made = bench.create(arguments).await;
        let id = made.get_str("id").unwrap();
        assert!(
            id.starts_with("kong_") && id.split('_').count() == 5,
            "{id}"
        );
        assert!(bench.validate([("length", 0.into())]).has_errors());
    }

    #[test]
    fn words_are_plain_and_distinct() {
        for list in [ADVERBS, ADJECTIVES, ANIMALS] {
            let mut sorted = list.to_vec();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), list.len());
            assert!(
                list.iter()
                    .all(|w| w.bytes().all(|b| b.is_ascii_lowercase()))
            );
        }
    }
}
