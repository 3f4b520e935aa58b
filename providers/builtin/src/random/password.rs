//! `random_password`: random characters that are a secret.

use async_trait::async_trait;
use topo_sdk::{
    Attribute, Block, Diagnostics, Operation, PlanRequest, PlannedResource, Schema, Type, Value,
};

use super::characters;
use crate::table::{Ephemeral, Resource};

/// The cost of the bcrypt hash: 2^10 rounds, the usual default.
const BCRYPT_COST: u32 = 10;

pub(crate) struct RandomPassword;

#[async_trait]
impl Resource for RandomPassword {
    fn name(&self) -> &'static str {
        "random_password"
    }

    fn schema(&self) -> Schema {
        Schema {
            version: 3,
            ..Schema::new(
                characters::arguments(super::block("Random characters that are a secret."))
                    .attr("result", Attribute::computed(Type::String).sensitive())
                    .attr(
                        "bcrypt_hash",
                        Attribute::computed(Type::String)
                            .sensitive()
                            .describe("A bcrypt hash of the result's first 72 bytes."),
                    )
                    .attr("id", Attribute::computed(Type::String)),
            )
        }
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        characters::validate(config)
    }

    fn plan(&self, schema: &Schema, request: &PlanRequest) -> PlannedResource {
        characters::planned(schema, request)
    }

    async fn create(
        &self,
        planned: Value,
        _operation: &dyn Operation,
    ) -> Result<Value, Diagnostics> {
        let result = characters::generate(&planned)?;
        let hash = hash(result.clone()).await?;
        Ok(planned
            .with("result", Value::string(result))
            .with("bcrypt_hash", Value::string(hash))
            .with("id", "none".into()))
    }

    fn import(&self, id: &str) -> Result<Vec<(&'static str, Value)>, Diagnostics> {
        let hash = bcrypt::hash(id, BCRYPT_COST).map_err(hash_failed)?;
        let mut given = characters::imported(id);
        given.push(("bcrypt_hash", Value::string(hash)));
        given.push(("id", "none".into()));
        Ok(given)
    }
}

/// The ephemeral `random_password`: another one in every phase of a run.
pub(crate) struct EphemeralPassword;

#[async_trait]
impl Ephemeral for EphemeralPassword {
    fn name(&self) -> &'static str {
        "random_password"
    }

    fn schema(&self) -> Schema {
        let of = RandomPassword.schema().block;
        let mut block = Block::new().describe("Random characters that are kept nowhere.");
        let left_out = ["id", "keepers", "number"];
        let kept = of
            .attributes
            .into_iter()
            .filter(|(n, _)| !left_out.contains(&&**n));
        block.attributes.extend(kept.map(|(name, attribute)| {
            let attribute = Attribute {
                force_new: false,
                ..attribute
            };
            (name, attribute)
        }));
        Schema::new(block)
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        characters::validate(config)
    }

    async fn open(&self, planned: Value) -> Result<Value, Diagnostics> {
        let result = characters::generate(&planned)?;
        let hash = hash(result.clone()).await?;
        let numeric = planned.get_bool("numeric").unwrap_or(true);
        Ok(planned
            .with("numeric", numeric.into())
            .with("result", Value::string(result))
            .with("bcrypt_hash", Value::string(hash)))
    }
}

/// Hashing takes long on purpose, so it does not hold up the runtime.
async fn hash(password: String) -> Result<String, Diagnostics> {
    tokio::task::spawn_blocking(move || bcrypt::hash(password, BCRYPT_COST))
        .await
        .map_err(hash_failed)?
        .map_err(hash_failed)
}

fn hash_failed(e: impl std::fmt::Display) -> Diagnostics {
    Diagnostics::error("The password could not be hashed", format!("bcrypt: {e}."))
}

#[cfg(test)]
mod tests {
    use super::super::provider;
    use super::*;
    use crate::testing::Bench;

    #[tokio::test]
    async fn is_random_hashed_and_secret() {
        let bench = Bench::new(provider(), "random_password").await;
        let made = bench.create([("length", 24.into())]).await;
        let result = made.get_str("result").unwrap();
        assert_eq!(result.chars().count(), 24);
        assert!(bcrypt::verify(result, made.get_str("bcrypt_hash").unwrap()).unwrap());
        assert_eq!(made.get_str("id"), Some("none"));
        for name in ["result", "bcrypt_hash"] {
            assert!(bench.schema.block.attributes[name].sensitive);
        }
        bench.unchanged(&made, [("length", 24.into())]);
        bench.replaces(
            &made,
            [("length", 24.into()), ("special", false.into())],
            "special",
        );
        let other = bench.create([("length", 24.into())]).await;
        assert_ne!(other.get("result"), made.get("result"));
    }

    #[tokio::test]
    async fn imports_by_the_password_itself() {
        let bench = Bench::new(provider(), "random_password").await;
        let made = bench.import("s3cret!").await.unwrap();
        assert_eq!(made.get_str("result"), Some("s3cret!"));
        bench.unchanged(&made, [("length", 7.into())]);
    }

    #[tokio::test]
    async fn an_ephemeral_one_is_another_each_time() {
        let provider = provider();
        let schema = provider.ephemeral_schema("random_password").unwrap();
        assert!(!schema.block.attributes.contains_key("id"));
        assert!(!schema.block.attributes.contains_key("keepers"));
        let connection = provider.configure(&Value::NULL).await.unwrap();
        let config = topo_sdk::plan::fill_missing(
            &schema.block,
            Value::object([("length", Value::from(20)), ("special", false.into())]),
        );
        assert!(
            !provider
                .validate_ephemeral("random_password", &config)
                .has_errors()
        );
        let mut made = Vec::new();
        for _ in 0..2 {
            let opened = connection.open_ephemeral("random_password", &config);
            let opened = opened.await.unwrap();
            assert_eq!(opened.renew_at, None);
            assert!(opened.value.is_wholly_known());
            let result = opened.value.get_str("result").unwrap().to_string();
            assert_eq!(result.chars().count(), 20);
            assert!(result.chars().all(char::is_alphanumeric), "{result}");
            let hash = opened.value.get_str("bcrypt_hash").unwrap();
            assert!(bcrypt::verify(&result, hash).unwrap());
            made.push(result);
        }
        assert_ne!(made[0], made[1]);
        let short = config.with("length", Value::from(0));
        assert!(
            provider
                .validate_ephemeral("random_password", &short)
                .has_errors()
        );
    }
}
