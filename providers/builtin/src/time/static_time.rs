//! `time_static`: a point in time that stays, now unless one is given.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use topo_sdk::{Attribute, Block, Diagnostic, Diagnostics, Operation, Path, Schema, Type, Value};

use crate::table::Resource;

pub(crate) struct TimeStatic;

#[async_trait]
impl Resource for TimeStatic {
    fn name(&self) -> &'static str {
        "time_static"
    }

    fn schema(&self) -> Schema {
        let parts = ["year", "month", "day", "hour", "minute", "second", "unix"];
        let block = Block::new()
            .describe("A point in time that stays.")
            .attr(
                "rfc3339",
                Attribute::optional_computed(Type::String)
                    .force_new()
                    .describe("The time, RFC 3339; now when left out."),
            )
            .attr(
                "triggers",
                Attribute::optional(Type::map(Type::String))
                    .force_new()
                    .describe("A change of these values takes the time anew."),
            )
            .attr("id", Attribute::computed(Type::String));
        Schema::new(parts.iter().fold(block, |b, part| {
            b.attr(part, Attribute::computed(Type::Number))
        }))
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        match config.get_str("rfc3339").map(str::parse::<Timestamp>) {
            Some(Err(e)) => Diagnostic::error("rfc3339 is not a time", format!("{e}."))
                .at(Path::attribute("rfc3339"))
                .into(),
            _ => Diagnostics::new(),
        }
    }

    async fn create(
        &self,
        planned: Value,
        _operation: &dyn Operation,
    ) -> Result<Value, Diagnostics> {
        let text = match planned.get_str("rfc3339") {
            Some(text) => text.to_owned(),
            // Whole seconds, as the other attributes count.
            None => Timestamp::from_second(Timestamp::now().as_second())
                .map_err(invalid)?
                .to_string(),
        };
        with_parts(planned, &text)
    }

    fn import(&self, id: &str) -> Result<Vec<(&'static str, Value)>, Diagnostics> {
        let made = with_parts(Value::object::<&str>([]), id)?;
        let names = [
            "rfc3339", "id", "year", "month", "day", "hour", "minute", "second", "unix",
        ];
        Ok(names
            .into_iter()
            .filter_map(|n| Some((n, made.get(n)?.clone())))
            .collect())
    }
}

fn with_parts(object: Value, text: &str) -> Result<Value, Diagnostics> {
    let timestamp: Timestamp = text.parse().map_err(invalid)?;
    let time = timestamp.to_zoned(TimeZone::UTC);
    let number = |n: i8| Value::from(i64::from(n));
    Ok(object
        .with("rfc3339", text.into())
        .with("id", text.into())
        .with("year", Value::from(i64::from(time.year())))
        .with("month", number(time.month()))
        .with("day", number(time.day()))
        .with("hour", number(time.hour()))
        .with("minute", number(time.minute()))
        .with("second", number(time.second()))
        .with("unix", Value::from(timestamp.as_second())))
}

fn invalid(e: jiff::Error) -> Diagnostics {
    Diagnostics::error("Not a time of RFC 3339", format!("{e}."))
}

#[cfg(test)]
mod tests {
    use super::super::provider;
    use super::*;
    use crate::testing::Bench;

    #[tokio::test]
    async fn takes_the_time_once() {
        let bench = Bench::new(provider(), "time_static").await;
        let made = bench.create([]).await;
        bench.unchanged(&made, []);
        let time: Timestamp = made.get_str("rfc3339").unwrap().parse().unwrap();
        assert_eq!(made.get_i64("unix"), Some(time.as_second()));
        bench.replaces(
            &made,
            [("rfc3339", "2020-02-12T06:36:13Z".into())],
            "rfc3339",
        );
    }

    #[tokio::test]
    async fn takes_a_given_time_apart() {
        let bench = Bench::new(provider(), "time_static").await;
        let given = || [("rfc3339", "2020-02-12T06:36:13Z".into())];
        let made = bench.create(given()).await;
        let parts = ["year", "month", "day", "hour", "minute", "second", "unix"];
        let numbers: Vec<i64> = parts.iter().filter_map(|p| made.get_i64(p)).collect();
        assert_eq!(numbers, [2020, 2, 12, 6, 36, 13, 1_581_489_373]);
        bench.unchanged(&made, given());
        assert_eq!(bench.import("2020-02-12T06:36:13Z").await.unwrap(), made);
        assert!(
            bench
                .validate([("rfc3339", "yesterday".into())])
                .has_errors()
        );
    }
}
