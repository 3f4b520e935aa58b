//! The functions of the `time` provider: a duration or a point in time as an object of its parts.
//! Names and results as in the provider's documentation.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use topo_sdk::{Function, FunctionError, Number, Parameter, Type, Value};

/// Every function of the provider.
pub(super) fn functions() -> Vec<Function> {
    vec![
        Function {
            name: "duration_parse",
            description: "A duration, such as 1h30m, in each of the usual units.",
            parameters: vec![Parameter::new(
                "duration",
                Type::String,
                "Numbers with units: h, m, s, ms, us or ns.",
            )],
            variadic: None,
            returns: numbers(&[
                "hours",
                "minutes",
                "seconds",
                "milliseconds",
                "microseconds",
                "nanoseconds",
            ]),
            call: duration_parse,
        },
        Function {
            name: "rfc3339_parse",
            description: "The parts of an RFC 3339 timestamp, in its own offset.",
            parameters: vec![Parameter::new("timestamp", Type::String, "The timestamp.")],
            variadic: None,
            returns: moment("unix", Type::Number),
            call: rfc3339_parse,
        },
        Function {
            name: "unix_timestamp_parse",
            description: "The parts of a Unix timestamp, in UTC.",
            parameters: vec![Parameter::new(
                "unix_timestamp",
                Type::Number,
                "Whole seconds since the start of 1970.",
            )],
            variadic: None,
            returns: moment("rfc3339", Type::String),
            call: unix_timestamp_parse,
        },
    ]
}

fn numbers(names: &[&'static str]) -> Type {
    Type::object(names.iter().map(|n| (*n, Type::Number)))
}

/// The type of a point in time, with one more attribute.
fn moment(more: &'static str, ty: Type) -> Type {
    let numbers = [
        "year", "year_day", "day", "month", "weekday", "hour", "minute", "second", "iso_year",
        "iso_week",
    ];
    Type::object(numbers.map(|n| (n, Type::Number)).into_iter().chain([
        ("month_name", Type::String),
        ("weekday_name", Type::String),
        (more, ty),
    ]))
}

fn parts(at: DateTime, more: &'static str, value: Value) -> Value {
    let week = at.date().iso_week_date();
    let number = |n: i64| Value::from(n);
    Value::object([
        ("year", number(at.year().into())),
        ("year_day", number(at.day_of_year().into())),
        ("day", number(at.day().into())),
        ("month", number(at.month().into())),
        ("month_name", at.strftime("%B").to_string().into()),
        (
            "weekday",
            number(at.weekday().to_sunday_zero_offset().into()),
        ),
        ("weekday_name", at.strftime("%A").to_string().into()),
        ("hour", number(at.hour().into())),
        ("minute", number(at.minute().into())),
        ("second", number(at.second().into())),
        ("iso_year", number(week.year().into())),
        ("iso_week", number(week.week().into())),
        (more, value),
    ])
}

fn rfc3339_parse(args: &[Value]) -> Result<Value, FunctionError> {
    let text = args.first().and_then(Value::as_str).unwrap_or_default();
    let invalid = || FunctionError::at(0, format!("{text:?} is not a valid RFC3339 timestamp"));
    let (at, offset) = timestamp(text).ok_or_else(invalid)?;
    let unix = offset.to_timestamp(at).map_err(|_| invalid())?.as_second();
    Ok(parts(at, "unix", unix.into()))
}

/// Local time and offset of a timestamp of the form `2023-07-25T23:43:16.5+01:00`. Stricter than
/// Jiff's own parser, which also takes blanks, zone names and leap seconds.
fn timestamp(text: &str) -> Option<(DateTime, Offset)> {
    let (date, time) = text.split_once('T')?;
    let year: i16 = digits(date.get(..4)?)?.try_into().ok()?;
    let rest = date.get(4..)?;
    let (month, day) = (rest.strip_prefix('-')?.get(..2)?, rest.get(3..)?);
    let day = day.strip_prefix('-').filter(|d| d.len() == 2)?;
    let date = Date::new(year, small(month)?, small(day)?).ok()?;
    let clock = time.get(..8)?;
    let [hour, minute, second] = clock.split(':').collect::<Vec<_>>().try_into().ok()?;
    let time_of_day = Time::new(small(hour)?, small(minute)?, small(second)?, 0).ok()?;
    let mut rest = time.get(8..)?;
    if let Some(fraction) = rest.strip_prefix('.') {
        let end = fraction.find(|c: char| !c.is_ascii_digit())?;
        rest = fraction.get(end..).filter(|_| end > 0)?;
    }
    let offset = match rest.as_bytes() {
        [b'Z'] => Offset::UTC,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let (hours, minutes) = (small(rest.get(1..3)?)?, small(rest.get(4..)?)?);
            let seconds = i32::from(hours) * 3600 + i32::from(minutes) * 60;
            if hours > 23 || minutes > 59 {
                return None;
            }
            let signed = if *sign == b'-' { -seconds } else { seconds };
            Offset::from_seconds(signed).ok()?
        }
        _ => return None,
    };
    Some((date.to_datetime(time_of_day), offset))
}

fn digits(text: &str) -> Option<u32> {
    let all = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    all.then(|| text.parse().ok())?
}

/// Two digits.
fn small(text: &str) -> Option<i8> {
    digits(text).filter(|_| text.len() == 2)?.try_into().ok()
}

fn unix_timestamp_parse(args: &[Value]) -> Result<Value, FunctionError> {
    let invalid = |why: &str| FunctionError::at(0, why.to_string());
    let seconds = args
        .first()
        .and_then(Value::as_i64)
        .ok_or_else(|| invalid("a whole number of seconds is required"))?;
    let at = Timestamp::from_second(seconds)
        .map_err(|_| invalid("the timestamp is outside of the years -9999 to 9999"))?;
    let text = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    Ok(parts(Offset::UTC.to_datetime(at), "rfc3339", text.into()))
}

fn duration_parse(args: &[Value]) -> Result<Value, FunctionError> {
    let text = args.first().and_then(Value::as_str).unwrap_or_default();
    let total = nanoseconds(text)
        .ok_or_else(|| FunctionError::at(0, format!("{text:?} is not a valid duration string")))?;
    // Hours to seconds are floating point numbers, and what is smaller is cut off, as the
    // provider's schema says.
    let in_units = |unit: i64| {
        let (whole, rest) = (total / unit, total % unit);
        #[expect(
            clippy::cast_precision_loss,
            reason = "the result is a float by definition"
        )]
        let value = whole as f64 + rest as f64 / unit as f64;
        Number::from_f64(value).map_or(Value::NULL, Value::from)
    };
    Ok(Value::object([
        ("hours", in_units(3_600_000_000_000)),
        ("minutes", in_units(60_000_000_000)),
        ("seconds", in_units(1_000_000_000)),
        ("milliseconds", (total / 1_000_000).into()),
        ("microseconds", (total / 1_000).into()),
        ("nanoseconds", total.into()),
    ]))
}

/// Nanoseconds of a duration in the syntax of Go's `time.ParseDuration`: an optional sign, then
/// numbers, each with a unit.
fn nanoseconds(text: &str) -> Option<i64> {
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
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (amount, after) = rest.split_at(end);
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.');
        let (unit, after) = after.split_at(end.unwrap_or(after.len()));
        let unit: i128 = match unit {
            "ns" => 1,
            "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return None;
        }
        if !whole.is_empty() {
            total = total.checked_add(whole.parse::<i64>().ok().map(i128::from)? * unit)?;
        }
        // More digits than these are below a nanosecond even for hours.
        let fraction = fraction.get(..15).unwrap_or(fraction);
        if !fraction.is_empty() {
            let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
            total += i128::from(fraction.parse::<i64>().ok()?) * unit / scale;
        }
        rest = after;
    }
    i64::try_from(if negative { -total } else { total }).ok()
}

#[cfg(test)]
mod tests {
    use topo_sdk::json::{from_json, to_json};

    use super::*;

    fn run(name: &str, arg: Value) -> Result<serde_json::Value, String> {
        let f = functions().into_iter().find(|f| f.name == name).unwrap();
        let made = (f.call)(&[arg]).map_err(|e| e.message)?;
        assert_eq!(made.ty(), f.returns, "{name}");
        Ok(to_json(&made))
    }

    fn json(text: &str) -> serde_json::Value {
        to_json(&from_json(&serde_json::from_str(text).unwrap()))
    }

    /// The documentation's examples, and the edges of the calendar.
    #[test]
    fn timestamps() {
        let rows = [
            (
                "2023-07-25T23:43:16Z",
                r#"{"day":25,"hour":23,"iso_week":30,"iso_year":2023,"minute":43,"month":7,
                    "month_name":"July","second":16,"unix":1690328596,"weekday":2,
                    "weekday_name":"Tuesday","year":2023,"year_day":206}"#,
            ),
            (
                "1996-12-19T16:39:57-08:00",
                r#"{"day":19,"hour":16,"iso_week":51,"iso_year":1996,"minute":39,"month":12,
                    "month_name":"December","second":57,"unix":851042397,"weekday":4,
                    "weekday_name":"Thursday","year":1996,"year_day":354}"#,
            ),
            (
                "2021-01-03T00:00:00.123456789012+01:30",
                r#"{"day":3,"hour":0,"iso_week":53,"iso_year":2020,"minute":0,"month":1,
                    "month_name":"January","second":0,"unix":1609626600,"weekday":0,
                    "weekday_name":"Sunday","year":2021,"year_day":3}"#,
            ),
        ];
        for (text, expected) in rows {
            assert_eq!(
                run("rfc3339_parse", text.into()).unwrap(),
                json(expected),
                "{text}"
            );
        }
        let utc = run("rfc3339_parse", "2023-07-25T23:43:16Z".into());
        assert_eq!(
            run("rfc3339_parse", "2023-07-25T23:43:16-00:00".into()),
            utc
        );
        for text in [
            "",
            "abcdef",
            "2023-07-25",
            "2023-07-25 23:43:16Z",
            "2023-07-25t23:43:16z",
            "2023-02-29T00:00:00Z",
            "2023-07-25T24:00:00Z",
            "2023-07-25T23:59:60Z",
            "2023-07-25T23:43:16",
            "2023-07-25T23:43:16.Z",
            "2023-07-25T23:43:16+0100",
            "2023-07-25T23:43:16+24:00",
            "2023-07-25T23:43:16Z[UTC]",
            "+023-07-25T23:43:16Z",
            "2023-7-25T23:43:16Z",
            "2023-07-25T23:43:é6Z",
        ] {
            let e = run("rfc3339_parse", text.into()).unwrap_err();
            assert!(
                e.ends_with("is not a valid RFC3339 timestamp"),
                "{text}: {e}"
            );
        }
    }

    #[test]
    fn unix_timestamps() {
        let made = run("unix_timestamp_parse", 1_690_328_596_i64.into()).unwrap();
        let expected = r#"{"day":25,"hour":23,"iso_week":30,"iso_year":2023,"minute":43,"month":7,
            "month_name":"July","rfc3339":"2023-07-25T23:43:16Z","second":16,"weekday":2,
            "weekday_name":"Tuesday","year":2023,"year_day":206}"#;
        assert_eq!(made, json(expected));
        let before = run("unix_timestamp_parse", (-1_i64).into()).unwrap();
        assert_eq!(before["rfc3339"], "1969-12-31T23:59:59Z");
        for (arg, expected) in [
            (
                Value::number("1.5".parse::<Number>().unwrap()),
                "a whole number",
            ),
            (i64::MAX.into(), "outside of the years"),
        ] {
            let e = run("unix_timestamp_parse", arg).unwrap_err();
            assert!(e.contains(expected), "{e}");
        }
    }

    #[test]
    fn durations() {
        let rows = [
            (
                "1h",
                r#"{"hours":1,"minutes":60,"seconds":3600,"milliseconds":3600000,
                    "microseconds":3600000000,"nanoseconds":3600000000000}"#,
            ),
            (
                "-1.5m20ms",
                r#"{"hours":-0.025005555555555556,"minutes":-1.5003333333333333,"seconds":-90.02,
                    "milliseconds":-90020,"microseconds":-90020000,"nanoseconds":-90020000000}"#,
            ),
            (
                "0",
                r#"{"hours":0,"minutes":0,"seconds":0,"milliseconds":0,"microseconds":0,
                    "nanoseconds":0}"#,
            ),
        ];
        for (text, expected) in rows {
            let made = run("duration_parse", text.into()).unwrap();
            assert_eq!(made, json(expected), "{text}");
        }
        let made = run("duration_parse", "1999ns".into()).unwrap();
        assert_eq!(made["nanoseconds"], 1999);
        assert_eq!(made["microseconds"], 1);
        assert_eq!(made["milliseconds"], 0);
        for text in [
            "",
            "1",
            "h",
            "1d",
            "1h 2m",
            ".h",
            "1.2.3s",
            "--1s",
            "300000000h",
        ] {
            let e = run("duration_parse", text.into()).unwrap_err();
            assert!(e.ends_with("is not a valid duration string"), "{text}: {e}");
        }
    }
}
