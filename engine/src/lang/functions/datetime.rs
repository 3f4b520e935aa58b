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
        "timeadd",
        "A timestamp a duration later.",
        &[
            Param::new("timestamp", T::String, "The timestamp."),
            Param::new("duration", T::String, "The duration, such as 1h30m."),
        ],
        returns_string,
        timeadd,
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

/// Adds in the timestamp's own offset, which the result keeps.
fn timeadd(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let start = parse(args, 0)?;
    let given = text(args, 1)?;
    let nanoseconds = duration(given)
        .ok_or_else(|| FunctionError::at(1, format!("invalid duration {given:?}")))?;
    let text = text(args, 0)?;
    let too_far = || FunctionError::new("the result is out of range");
    let total = start
        .as_nanosecond()
        .checked_add(nanoseconds)
        .ok_or_else(too_far)?;
    let time = Timestamp::from_nanosecond(total).map_err(|_| too_far())?;
    let offset = jiff::fmt::temporal::Pieces::parse(text)
        .ok()
        .and_then(|p| p.to_numeric_offset())
        .unwrap_or(jiff::tz::Offset::UTC);
    if offset == jiff::tz::Offset::UTC {
        return Ok(print(time));
    }
    let local = offset.to_datetime(time);
    let seconds = offset.seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    Ok(format!(
        "{}{sign}{:02}:{:02}",
        local.strftime("%Y-%m-%dT%H:%M:%S"),
        minutes / 60,
        minutes % 60
    )
    .into())
}

/// Nanoseconds of a duration such as `-1.5h10m`: numbers, each with a unit.
fn duration(text: &str) -> Option<i128> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = topo_sdk::Number::ZERO;
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (amount, after) = rest.split_at(unit_at);
        let end = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let unit: i64 = match &after[..end] {
            "ns" => 1,
            "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let amount: topo_sdk::Number = amount.parse().ok()?;
        total = total.checked_add(&amount.checked_mul(&unit.into())?)?;
        rest = &after[end..];
    }
    let total = i128::from(total.floor().to_i64()?);
    Some(if negative { -total } else { total })
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
        check(&[
            (
                "timeadd",
                &[s("2017-11-22T00:00:00Z"), s("10m")],
                r#""2017-11-22T00:10:00Z""#,
            ),
            (
                "timeadd",
                &[s("2017-11-22T00:00:00Z"), s("-1.5h")],
                r#""2017-11-21T22:30:00Z""#,
            ),
            (
                "timeadd",
                &[s("2017-11-22T00:00:00+01:00"), s("1h1s")],
                r#""2017-11-22T01:00:01+01:00""#,
            ),
        ]);
        refuse(&[(
            "timeadd",
            &[s("2017-11-22T00:00:00Z"), s("1d")],
            "invalid duration",
        )]);
        assert_eq!(run("timestamp", &[]).unwrap().as_str().unwrap().len(), 20);
        refuse(&[(
            "timecmp",
            &[s("2017-11-22"), s("")],
            "not a valid RFC3339 timestamp",
        )]);
    }
}
