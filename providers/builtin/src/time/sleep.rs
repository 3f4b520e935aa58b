//! `time_sleep`: waits when it is made or removed.

use async_trait::async_trait;
use jiff::Timestamp;
use topo_sdk::schema::parse_duration;
use topo_sdk::{Attribute, Block, Diagnostic, Diagnostics, Operation, Path, Schema, Type, Value};

use crate::table::Resource;

pub(crate) struct TimeSleep;

#[async_trait]
impl Resource for TimeSleep {
    fn name(&self) -> &'static str {
        "time_sleep"
    }

    fn schema(&self) -> Schema {
        let duration = |when: &str| {
            Attribute::optional(Type::String).describe(&format!(
                "How long to wait when it is {when}, such as \"30s\"."
            ))
        };
        Schema::new(
            Block::new()
                .describe("Waits when it is made or removed.")
                .attr("create_duration", duration("made"))
                .attr("destroy_duration", duration("removed"))
                .attr(
                    "triggers",
                    Attribute::optional(Type::map(Type::String))
                        .force_new()
                        .describe("A change of these values makes a new object, and waits again."),
                )
                .attr(
                    "id",
                    Attribute::computed(Type::String).describe("When it was made, RFC 3339."),
                ),
        )
    }

    fn waits(&self) -> bool {
        true
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let names = ["create_duration", "destroy_duration"];
        let mut found = Diagnostics::new();
        if names
            .iter()
            .all(|n| config.get(n).is_none_or(Value::is_null))
        {
            found.push(Diagnostic::error(
                "Nothing to wait for",
                "Set create_duration, destroy_duration or both.",
            ));
        }
        for name in names {
            if let Some(text) = config.get_str(name)
                && parse_duration(text).is_none()
            {
                let detail = format!("{text:?} is not like \"30s\", \"5m\" or \"1h30m\".");
                found.push(
                    Diagnostic::error(format!("{name} is not a duration"), detail)
                        .at(Path::attribute(name)),
                );
            }
        }
        found
    }

    async fn create(
        &self,
        planned: Value,
        operation: &dyn Operation,
    ) -> Result<Value, Diagnostics> {
        wait(&planned, "create_duration", operation).await;
        Ok(planned.with("id", Timestamp::now().to_string().into()))
    }

    async fn delete(&self, prior: &Value, operation: &dyn Operation) -> Result<(), Diagnostics> {
        wait(prior, "destroy_duration", operation).await;
        Ok(())
    }
}

async fn wait(object: &Value, attribute: &str, operation: &dyn Operation) {
    if let Some(text) = object.get_str(attribute)
        && let Some(duration) = parse_duration(text)
    {
        operation.progress(&format!("waiting {text}"));
        tokio::time::sleep(duration).await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;
    use topo_sdk::Action;

    use super::super::provider;
    use crate::testing::{Bench, strings};

    #[tokio::test(start_paused = true)]
    async fn waits_on_creation_and_removal() {
        let bench = Bench::new(provider(), "time_sleep").await;
        let arguments = || {
            [
                ("create_duration", "90s".into()),
                ("destroy_duration", "1h".into()),
            ]
        };
        let start = Instant::now();
        let made = bench.create(arguments()).await;
        assert_eq!(start.elapsed().as_secs(), 90);
        bench.unchanged(&made, arguments());
        let changed = bench
            .update(&made, [("create_duration", "1s".into())])
            .await;
        assert_eq!(start.elapsed().as_secs(), 90);
        assert_eq!(changed.get("id"), made.get("id"));
        let triggered = [
            ("create_duration", "90s".into()),
            ("triggers", strings([("a", "b")])),
        ];
        bench.replaces(&made, triggered, "triggers");
        let prior = made.into();
        bench.apply(Action::Delete { prior }).await.unwrap();
        assert_eq!(
            start.elapsed().as_secs(),
            Duration::from_secs(3690).as_secs()
        );
    }

    #[tokio::test]
    async fn needs_a_duration() {
        let bench = Bench::new(provider(), "time_sleep").await;
        assert!(bench.validate([]).has_errors());
        assert!(
            bench
                .validate([("create_duration", "soon".into())])
                .has_errors()
        );
        assert!(
            bench
                .validate([("create_duration", "5m".into())])
                .is_empty()
        );
    }
}
