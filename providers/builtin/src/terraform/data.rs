//! `terraform_data`: keeps a value, and makes a new object when another value changes.

use async_trait::async_trait;
use topo_sdk::value::Refinements;
use topo_sdk::{
    Attribute, Block, Diagnostics, Operation, PlanRequest, PlannedResource, Schema, Type, Value,
    plan,
};
use uuid::Uuid;

use crate::table::Resource;

pub(crate) struct TerraformData;

#[async_trait]
impl Resource for TerraformData {
    fn name(&self) -> &'static str {
        "terraform_data"
    }

    fn schema(&self) -> Schema {
        Schema::new(
            Block::new()
                .describe("Keeps a value; replaced when another value changes.")
                .attr(
                    "input",
                    Attribute::optional(Type::Dynamic).describe("The value to keep."),
                )
                .attr(
                    "output",
                    Attribute::computed(Type::Dynamic)
                        .marked_like("input")
                        .describe("The value kept: input as applied."),
                )
                .attr(
                    "triggers_replace",
                    Attribute::optional(Type::Dynamic)
                        .force_new()
                        .describe("A change of this value makes a new object."),
                )
                .attr(
                    "id",
                    Attribute::computed(Type::String).describe("A random unique id."),
                ),
        )
    }

    fn plan(&self, schema: &Schema, request: &PlanRequest) -> PlannedResource {
        let mut planned = plan::plan(schema, request);
        let input = request.config.get("input").unwrap_or(&Value::NULL);
        let kept = request.prior.as_ref().and_then(|p| p.value.get("input"));
        if kept != Some(input) {
            planned.value = planned.value.with("output", output_of(input));
        }
        planned
    }

    async fn create(
        &self,
        planned: Value,
        _operation: &dyn Operation,
    ) -> Result<Value, Diagnostics> {
        let id = Uuid::new_v4().to_string();
        Ok(keep(planned).with("id", Value::string(id)))
    }

    async fn update(&self, _prior: &Value, planned: Value) -> Result<Value, Diagnostics> {
        Ok(keep(planned))
    }

    fn import(&self, id: &str) -> Result<Vec<(&'static str, Value)>, Diagnostics> {
        Ok(vec![("id", Value::string(id))])
    }
}

/// The planned output: unknown even where the input is known, so that what depends on it waits
/// for the apply, as documented.
fn output_of(input: &Value) -> Value {
    if input.is_null() {
        return input.clone();
    }
    let refinements = Refinements {
        not_null: input.is_known(),
        ..Refinements::default()
    };
    Value::unknown_refined(input.ty(), refinements)
}

fn keep(planned: Value) -> Value {
    let input = planned.get("input").cloned().unwrap_or(Value::NULL);
    planned.with("output", input)
}

#[cfg(test)]
mod tests {
    use topo_sdk::{Action, Recovery};

    use super::*;
    use crate::testing::Bench;

    async fn bench() -> Bench {
        Bench::new(super::super::provider(), "terraform_data").await
    }

    fn pair() -> Value {
        Value::object([("a", Value::from(1)), ("b", Value::from("two"))])
    }

    #[tokio::test]
    async fn keeps_any_value() {
        let bench = bench().await;
        let made = bench.create([("input", pair())]).await;
        assert_eq!(made.get("output"), Some(&pair()));
        bench.unchanged(&made, [("input", pair())]);
        let changed = bench.update(&made, [("input", "x".into())]).await;
        assert_eq!(changed.get_str("output"), Some("x"));
        assert_eq!(changed.get("id"), made.get("id"));
        let emptied = bench.update(&changed, []).await;
        assert!(emptied.get("output").unwrap().is_null());
    }

    #[tokio::test]
    async fn output_waits_for_the_apply() {
        let bench = bench().await;
        let plan = bench.plan(None, &bench.config([("input", "x".into())]));
        let output = plan.value.get("output").unwrap().as_unknown().unwrap();
        assert_eq!(output.ty, Type::String);
        assert!(output.refinements.not_null);
        let empty = bench.plan(None, &bench.config([]));
        assert!(empty.value.get("output").unwrap().is_null());
    }

    #[tokio::test]
    async fn a_changed_trigger_replaces() {
        let bench = bench().await;
        let made = bench.create([("triggers_replace", pair())]).await;
        bench.unchanged(&made, [("triggers_replace", pair())]);
        bench.replaces(&made, [("triggers_replace", 2.into())], "triggers_replace");
        let unknown = Value::unknown(Type::Dynamic);
        bench.replaces(&made, [("triggers_replace", unknown)], "triggers_replace");
    }

    #[tokio::test]
    async fn nothing_is_left_by_a_creation_that_was_not_recorded() {
        let bench = bench().await;
        let planned = bench.plan(None, &bench.config([])).value;
        let recovery = bench.recover(Action::Create { planned }).await;
        assert_eq!(recovery, Recovery::Absent);
        let prior = bench.create([]).await;
        let action = Action::Update {
            prior: prior.clone().into(),
            planned: prior.clone(),
        };
        assert_eq!(bench.recover(action).await, Recovery::Found(prior.into()));
    }
}
