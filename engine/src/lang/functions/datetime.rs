//! Functions over timestamps in RFC 3339 form.

use jiff::Timestamp;
use topo_sdk::{Type, Value};

use super::ParamType as T;
use super::{Context, Function, FunctionError, Param, later, returns_number, returns_string, text};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "plantimestamp",
        "The moment of the plan.",
        &[],
        returns_string,
        plantimestamp,
    ),
    Function::new(
        "timecmp",
        "-1, 0 or 1 as the first timestamp is earlier than, equal to or later than the second.",
        &[
            Param::new("timestamp_a", T::String, "The first timestamp."),
            Param::new("timestamp_b", T::String, "The second timestamp."),
        ],
        returns_number,
        timecmp,
    ),
    Function::new(
        "timestamp",
        "The present moment.",
        &[],
        returns_string,
        timestamp,
    ),
];

/// Whole seconds in UTC, as the reference prints them.
fn print(time: Timestamp) -> Value {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into()
}

fn plantimestamp(ctx: &Context, _: &[Value]) -> Result<Value, FunctionError> {
    Ok(print(ctx.plan_time))
}

fn timestamp(ctx: &Context, _: &[Value]) -> Result<Value, FunctionError> {
    if ctx.impure_unknown {
        return Ok(later(Type::String));
    }
    Ok(print(Timestamp::now()))
}

fn parse(args: &[Value], i: usize) -> Result<Timestamp, FunctionError> {
    let text = text(args, i)?;
    let wrong = || FunctionError::at(i, format!("not a valid RFC3339 timestamp: {text:?}"));
    // Jiff reads more than RFC 3339: a blank for the T, and a zone name in brackets.
    if text.as_bytes().get(10) != Some(&b'T') || text.contains('[') {
        return Err(wrong());
    }
    text.parse().map_err(|_| wrong())
}

fn timecmp(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    Ok(match parse(args, 0)?.cmp(&parse(args, 1)?) {
        std::cmp::Ordering::Less => -1,
        std::cmp::Ordering::Equal => 0,
        std::cmp::Ordering::Greater => 1,
    }
    .into())
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;

    #[test]
    fn results() {
        check(&[
            ("plantimestamp", &[], r#""2026-01-02T03:04:05Z""#),
            (
                "timecmp",
                &[s("2017-11-22T00:00:00Z"), s("2017-11-22T00:00:00Z")],
                "0",
            ),
            (
                "timecmp",
                &[s("2017-11-22T00:00:00Z"), s("2017-11-22T01:00:00Z")],
                "-1",
            ),
            (
                "timecmp",
                &[s("2017-11-22T01:00:00Z"), s("2017-11-22T00:00:00-01:00")],
                "0",
            ),
            (
                "timecmp",
                &[s("2017-11-22T01:00:00Z"), s("2017-11-22T01:00:00+01:00")],
                "1",
            ),
        ]);
        assert_eq!(run("timestamp", &[]).unwrap().as_str().unwrap().len(), 20);
        refuse(&[(
            "timecmp",
            &[s("2017-11-22"), s("")],
            "not a valid RFC3339 timestamp",
        )]);
    }
}
