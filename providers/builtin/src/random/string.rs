//! `random_string`: random characters that are no secret.

use async_trait::async_trait;
use topo_sdk::{
    Attribute, Diagnostics, Operation, PlanRequest, PlannedResource, Schema, Type, Value,
};

use super::characters;
use crate::table::Resource;

pub(crate) struct RandomString;

#[async_trait]
impl Resource for RandomString {
    fn name(&self) -> &'static str {
        "random_string"
    }

    fn schema(&self) -> Schema {
        Schema {
            version: 2,
            ..Schema::new(
                characters::arguments(super::block("Random characters; not for secrets."))
                    .attr("result", Attribute::computed(Type::String))
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
        let result = Value::string(characters::generate(&planned)?);
        Ok(planned.with("result", result.clone()).with("id", result))
    }

    fn import(&self, id: &str) -> Result<Vec<(&'static str, Value)>, Diagnostics> {
        let mut given = characters::imported(id);
        given.push(("id", Value::string(id)));
        Ok(given)
    }
}

#[cfg(test)]
mod tests {
    use super::super::provider;
    use crate::testing::{Bench, strings};

    #[tokio::test]
    async fn keeps_to_its_classes_and_minimums() {
        let bench = Bench::new(provider(), "random_string").await;
        let arguments = || {
            [
                ("length", 40.into()),
                ("upper", false.into()),
                ("min_numeric", 5.into()),
                ("min_special", 30.into()),
                ("override_special", "+/".into()),
            ]
        };
        let made = bench.create(arguments()).await;
        let result = made.get_str("result").unwrap();
        assert_eq!(result.len(), 40);
        assert!(result.chars().filter(|c| "+/".contains(*c)).count() >= 30);
        assert!(result.chars().filter(char::is_ascii_digit).count() >= 5);
        assert!(!result.chars().any(|c| c.is_ascii_uppercase()));
        assert_eq!(made.get_str("id"), Some(result));
        bench.unchanged(&made, arguments());
    }

    #[tokio::test]
    async fn numeric_and_number_are_one() {
        let bench = Bench::new(provider(), "random_string").await;
        let made = bench
            .create([("length", 64.into()), ("number", false.into())])
            .await;
        assert_eq!(made.get_bool("numeric"), Some(false));
        assert!(
            !made
                .get_str("result")
                .unwrap()
                .contains(|c: char| c.is_ascii_digit())
        );
        bench.replaces(&made, [("length", 64.into())], "numeric");
        let contradiction = [
            ("length", 4.into()),
            ("number", false.into()),
            ("numeric", true.into()),
        ];
        assert!(bench.validate(contradiction).has_errors());
    }

    #[tokio::test]
    async fn keepers_and_length_replace() {
        let bench = Bench::new(provider(), "random_string").await;
        let made = bench
            .create([("length", 8.into()), ("keepers", strings([("a", "1")]))])
            .await;
        bench.replaces(&made, [("length", 8.into())], "keepers");
        let longer = [("length", 9.into()), ("keepers", strings([("a", "1")]))];
        bench.replaces(&made, longer, "length");
    }

    #[tokio::test]
    async fn an_imported_string_plans_no_change() {
        let bench = Bench::new(provider(), "random_string").await;
        let imported = bench.import("abc123").await.unwrap();
        bench.unchanged(&imported, [("length", 6.into())]);
    }

    #[tokio::test]
    async fn impossible_arguments_are_refused() {
        let bench = Bench::new(provider(), "random_string").await;
        assert!(bench.validate([("length", 0.into())]).has_errors());
        let sum = [("length", 3.into()), ("min_lower", 4.into())];
        assert!(bench.validate(sum).has_errors());
        let none = [
            ("length", 3.into()),
            ("lower", false.into()),
            ("upper", false.into()),
            ("numeric", false.into()),
            ("special", false.into()),
        ];
        assert!(bench.validate(none).has_errors());
        assert!(bench.validate([("length", 3.into())]).is_empty());
    }
}
