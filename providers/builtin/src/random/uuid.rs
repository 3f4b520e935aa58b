//! `random_uuid`: a random UUID (version 4).

use async_trait::async_trait;
use topo_sdk::{Attribute, Diagnostics, Operation, Schema, Type, Value};
use uuid::Uuid;

use crate::table::Resource;

pub(crate) struct RandomUuid;

#[async_trait]
impl Resource for RandomUuid {
    fn name(&self) -> &'static str {
        "random_uuid"
    }

    fn schema(&self) -> Schema {
        Schema::new(
            super::block("A random UUID.")
                .attr("result", Attribute::computed(Type::String))
                .attr("id", Attribute::computed(Type::String)),
        )
    }

    async fn create(
        &self,
        planned: Value,
        _operation: &dyn Operation,
    ) -> Result<Value, Diagnostics> {
        let result = Value::string(Uuid::new_v4().to_string());
        Ok(planned.with("result", result.clone()).with("id", result))
    }

    fn import(&self, id: &str) -> Result<Vec<(&'static str, Value)>, Diagnostics> {
        let id = Uuid::parse_str(id)
            .map_err(|e| Diagnostics::error("Not an id of random_uuid", format!("{e}.")))?
            .to_string();
        Ok(vec![
            ("result", Value::string(&id)),
            ("id", Value::string(&id)),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::super::provider;
    use super::*;
    use crate::testing::{Bench, strings};

    #[tokio::test]
    async fn is_a_uuid_that_stays() {
        let bench = Bench::new(provider(), "random_uuid").await;
        let made = bench.create([]).await;
        let id = Uuid::parse_str(made.get_str("result").unwrap()).unwrap();
        assert_eq!(id.get_version_num(), 4);
        bench.unchanged(&made, []);
        bench.replaces(&made, [("keepers", strings([("a", "b")]))], "keepers");
        let imported = bench.import(&id.to_string()).await.unwrap();
        assert_eq!(imported, made);
        assert!(bench.import("x").await.is_err());
    }
}
