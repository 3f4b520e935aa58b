//! `random_bytes`: random bytes that are a secret.

use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use topo_sdk::{Attribute, Diagnostics, Operation, Schema, Type, Value};

use super::at_least;
use super::id::random_bytes;
use crate::table::Resource;

pub(crate) struct RandomBytes;

#[async_trait]
impl Resource for RandomBytes {
    fn name(&self) -> &'static str {
        "random_bytes"
    }

    fn schema(&self) -> Schema {
        Schema::new(
            super::block("Random bytes that are a secret.")
                .attr(
                    "length",
                    Attribute::required(Type::Number)
                        .force_new()
                        .describe("How many bytes."),
                )
                .attr("base64", Attribute::computed(Type::String).sensitive())
                .attr("hex", Attribute::computed(Type::String).sensitive()),
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
        let bytes = random_bytes(&planned, "length")?;
        Ok(planned
            .with("base64", Value::string(BASE64_STANDARD.encode(&bytes)))
            .with("hex", Value::string(hex::encode(&bytes))))
    }

    fn import(&self, id: &str) -> Result<Vec<(&'static str, Value)>, Diagnostics> {
        let bytes = BASE64_STANDARD
            .decode(id)
            .map_err(|e| Diagnostics::error("Not an id of random_bytes", format!("{e}.")))?;
        Ok(vec![
            ("length", Value::number(bytes.len())),
            ("base64", Value::string(id)),
            ("hex", Value::string(hex::encode(&bytes))),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::super::provider;
    use super::*;
    use crate::testing::Bench;

    #[tokio::test]
    async fn both_notations_are_of_the_same_bytes() {
        let bench = Bench::new(provider(), "random_bytes").await;
        let made = bench.create([("length", 32.into())]).await;
        let bytes = hex::decode(made.get_str("hex").unwrap()).unwrap();
        assert_eq!(bytes.len(), 32);
        assert_eq!(
            made.get_str("base64").unwrap(),
            BASE64_STANDARD.encode(bytes)
        );
        bench.unchanged(&made, [("length", 32.into())]);
        bench.replaces(&made, [("length", 16.into())], "length");
    }
}
