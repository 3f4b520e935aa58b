//! `random_id`: random bytes in several notations.

use async_trait::async_trait;
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use num_bigint::{BigUint, Sign};
use rand::RngCore;
use topo_sdk::{Attribute, Diagnostics, Number, Operation, Schema, Type, Value};

use super::{at_least, generator};
use crate::table::Resource;

pub(crate) struct RandomId;

#[async_trait]
impl Resource for RandomId {
    fn name(&self) -> &'static str {
        "random_id"
    }

    fn schema(&self) -> Schema {
        let notation = |what: &str| Attribute::computed(Type::String).describe(what);
        Schema::new(
            super::block("Random bytes in several notations.")
                .attr(
                    "byte_length",
                    Attribute::required(Type::Number)
                        .force_new()
                        .describe("How many bytes."),
                )
                .attr(
                    "prefix",
                    Attribute::optional(Type::String)
                        .force_new()
                        .describe("Put before each notation, as it is."),
                )
                .attr("b64_std", notation("Base64."))
                .attr("b64_url", notation("Base64 for URLs, without padding."))
                .attr("hex", notation("Hexadecimal, two digits a byte."))
                .attr("dec", notation("Decimal, as one whole number."))
                .attr("id", notation("Base64 for URLs, without the prefix.")),
        )
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        at_least(config, "byte_length", 1)
    }

    async fn create(
        &self,
        planned: Value,
        _operation: &dyn Operation,
    ) -> Result<Value, Diagnostics> {
        let bytes = random_bytes(&planned, "byte_length")?;
        let prefix = planned.get_str("prefix").unwrap_or_default().to_owned();
        Ok(notations(&bytes, &prefix)
            .into_iter()
            .fold(planned, |made, (name, text)| made.with(name, text)))
    }

    fn import(&self, id: &str) -> Result<Vec<(&'static str, Value)>, Diagnostics> {
        let (prefix, encoded) = match id.rsplit_once(',') {
            Some((prefix, encoded)) => (Some(prefix), encoded),
            None => (None, id),
        };
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(encoded).map_err(|e| {
            Diagnostics::error(
                "Not an id of random_id",
                format!(
                    "Expected base64 for URLs, with an optional prefix and a comma before it: {e}."
                ),
            )
        })?;
        let mut given = notations(&bytes, prefix.unwrap_or_default());
        given.push(("byte_length", Value::number(bytes.len())));
        given.push((
            "prefix",
            prefix.map_or(Value::null(Type::String), Value::from),
        ));
        Ok(given)
    }
}

/// As many random bytes as an argument says, up to a mebibyte.
pub(super) fn random_bytes(planned: &Value, attribute: &str) -> Result<Vec<u8>, Diagnostics> {
    let length = planned
        .get_i64(attribute)
        .and_then(|n| usize::try_from(n).ok())
        .filter(|n| (1..=1 << 20).contains(n))
        .ok_or_else(|| {
            Diagnostics::error(
                format!("{attribute} is out of range"),
                "It must be a whole number from 1 to 1048576.",
            )
        })?;
    let mut bytes = vec![0; length];
    generator(None).fill_bytes(&mut bytes);
    Ok(bytes)
}

fn notations(bytes: &[u8], prefix: &str) -> Vec<(&'static str, Value)> {
    let url = BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let number = num_bigint::BigInt::from_biguint(Sign::Plus, BigUint::from_bytes_be(bytes));
    let with_prefix = |text: &str| Value::string(format!("{prefix}{text}"));
    vec![
        ("b64_std", with_prefix(&BASE64_STANDARD.encode(bytes))),
        ("b64_url", with_prefix(&url)),
        ("hex", with_prefix(&hex::encode(bytes))),
        ("dec", with_prefix(&Number::from_bigint(number).to_string())),
        ("id", Value::string(url)),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::provider;
    use super::*;
    use crate::testing::Bench;

    #[tokio::test]
    async fn all_notations_are_of_the_same_bytes() {
        let bench = Bench::new(provider(), "random_id").await;
        let arguments = || [("byte_length", 8.into()), ("prefix", "web-".into())];
        let made = bench.create(arguments()).await;
        let text = |name: &str| made.get_str(name).unwrap().strip_prefix("web-").unwrap();
        let bytes = hex::decode(text("hex")).unwrap();
        assert_eq!(bytes.len(), 8);
        assert_eq!(BASE64_STANDARD.decode(text("b64_std")).unwrap(), bytes);
        assert_eq!(made.get_str("id"), Some(text("b64_url")));
        let number = u64::from_be_bytes(bytes.try_into().unwrap());
        assert_eq!(text("dec"), number.to_string());
        bench.unchanged(&made, arguments());
        bench.replaces(&made, [("byte_length", 8.into())], "prefix");
        assert!(bench.validate([("byte_length", 0.into())]).has_errors());
    }

    #[tokio::test]
    async fn imports_with_and_without_a_prefix() {
        let bench = Bench::new(provider(), "random_id").await;
        let made = bench.import("p-,AP8").await.unwrap();
        assert_eq!(made.get_str("hex"), Some("p-00ff"));
        assert_eq!(made.get_str("dec"), Some("p-255"));
        bench.unchanged(&made, [("byte_length", 2.into()), ("prefix", "p-".into())]);
        let plain = bench.import("AP8").await.unwrap();
        bench.unchanged(&plain, [("byte_length", 2.into())]);
        assert!(bench.import("!").await.is_err());
    }
}
