//! Functions over timestamps in RFC 3339 form.

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use topo_sdk::{Number, Type, Value};

use super::ParamType as T;
use super::{Context, Function, FunctionError, Param, later, returns_number, returns_string, text};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "formatdate",
        "A timestamp in another notation, such as DD MMM YYYY.",
        &[
            Param::new("format", T::String, "The notation."),
            Param::new("time", T::String, "The timestamp."),
        ],
        returns_string,
        formatdate,
    ),
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

/// A moment as its author wrote it: with an offset from UTC.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    local: DateTime,
    offset: Offset,
}

impl Moment {
    fn utc(time: Timestamp) -> Moment {
        Moment {
            local: Offset::UTC.to_datetime(time),
            offset: Offset::UTC,
        }
    }

    fn instant(self) -> Option<Timestamp> {
        self.offset.to_timestamp(self.local).ok()
    }

    /// The offset as `+01:00`, with this between hours and minutes.
    fn zone(self, separator: &str) -> String {
        let seconds = self.offset.seconds();
        let sign = if seconds < 0 { '-' } else { '+' };
        let minutes = seconds.abs() / 60;
        format!("{sign}{:02}{separator}{:02}", minutes / 60, minutes % 60)
    }

    fn zone_or_z(self) -> String {
        if self.offset == Offset::UTC {
            "Z".into()
        } else {
            self.zone(":")
        }
    }

    /// In RFC 3339 with whole seconds.
    fn print(self) -> Value {
        let local = self.local.strftime("%Y-%m-%dT%H:%M:%S");
        format!("{local}{}", self.zone_or_z()).into()
    }
}

fn plantimestamp(ctx: &Context, _: &[Value]) -> Result<Value, FunctionError> {
    Ok(Moment::utc(ctx.plan_time).print())
}

fn timestamp(ctx: &Context, _: &[Value]) -> Result<Value, FunctionError> {
    if ctx.impure_unknown {
        return Ok(later(Type::String));
    }
    Ok(Moment::utc(Timestamp::now()).print())
}

/// Reads a timestamp in the strict form of RFC 3339: two digits wherever two are asked for, a
/// capital T, no leap second, an offset or a capital Z.
///
/// # Errors
/// What is missing or out of its range.
pub(super) fn parse_timestamp(text: &str) -> Result<Moment, String> {
    let mut rest = text;
    let mut year = 0;
    let mut parts = [0i8; 5];
    let names = ["month", "day of month", "hour", "minute", "second"];
    let starts = ["-", "-", "T", ":", ":"];
    number(&mut rest, 4, "year").map(|n| year = n)?;
    for (i, (name, start)) in names.into_iter().zip(starts).enumerate() {
        literal(&mut rest, start)?;
        let n = number(&mut rest, 2, name)?;
        // Two digits always fit.
        parts[i] = i8::try_from(n).unwrap_or(i8::MAX);
    }
    let nanosecond = fraction(&mut rest)?;
    let offset = offset(rest)?;
    let [month, day, hour, minute, second] = parts;
    if hour > 23 {
        return Err("hour must be between 0 and 23 inclusive".into());
    }
    let local = DateTime::new(year, month, day, hour, minute, second, nanosecond)
        .map_err(|_| "there is no such date or time of day".to_string())?;
    Ok(Moment { local, offset })
}

fn number(rest: &mut &str, count: usize, name: &str) -> Result<i16, String> {
    let digits = rest
        .get(..count)
        .ok_or_else(|| format!("end of string before {name}"))?;
    let fits = digits.bytes().all(|b| b.is_ascii_digit());
    let parsed = digits.parse().ok().filter(|_| fits);
    *rest = &rest[count..];
    parsed.ok_or_else(|| format!("cannot use {digits:?} as {name}"))
}

fn literal(rest: &mut &str, expected: &str) -> Result<(), String> {
    *rest = rest.strip_prefix(expected).ok_or_else(|| {
        if rest.is_empty() {
            format!("end of string where {expected:?} is expected")
        } else {
            format!("found {rest:?} where {expected:?} is expected")
        }
    })?;
    Ok(())
}

/// The digits after a point, as nanoseconds.
fn fraction(rest: &mut &str) -> Result<i32, String> {
    let Some(after) = rest.strip_prefix('.') else {
        return Ok(0);
    };
    let end = after
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(after.len());
    if end == 0 {
        return Err("there are no digits after the point".into());
    }
    let nine: String = after[..end]
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    *rest = &after[end..];
    // Nine digits fit.
    Ok(nine.parse().unwrap_or(0))
}

fn offset(text: &str) -> Result<Offset, String> {
    if text == "Z" {
        return Ok(Offset::UTC);
    }
    let wrong = || {
        if text.is_empty() {
            "end of string before UTC offset".to_string()
        } else {
            format!("cannot use {text:?} as UTC offset")
        }
    };
    let (sign, clock) = match text.split_at_checked(1) {
        Some(("+", clock)) => (1, clock),
        Some(("-", clock)) => (-1, clock),
        _ => return Err(wrong()),
    };
    let (hours, minutes) = clock.split_once(':').ok_or_else(wrong)?;
    let two = |s: &str, limit: i32| {
        (s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit()))
            .then(|| s.parse::<i32>().ok())
            .flatten()
            .filter(|n| *n < limit)
    };
    let hours = two(hours, 24).ok_or_else(wrong)?;
    let minutes = two(minutes, 60).ok_or_else(wrong)?;
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).map_err(|_| wrong())
}

fn parse(args: &[Value], i: usize) -> Result<Moment, FunctionError> {
    let text = text(args, i)?;
    parse_timestamp(text)
        .map_err(|e| FunctionError::at(i, format!("not a valid RFC3339 timestamp: {e}")))
}

/// Adds in the timestamp's own offset, which the result keeps.
fn timeadd(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let start = parse(args, 0)?;
    let given = text(args, 1)?;
    let nanoseconds = duration(given)
        .ok_or_else(|| FunctionError::at(1, format!("invalid duration {given:?}")))?;
    let local = start
        .local
        .checked_add(SignedDuration::from_nanos(nanoseconds))
        .map_err(|_| FunctionError::new("the result is out of range"))?;
    Ok(Moment { local, ..start }.print())
}

/// Nanoseconds of a duration such as `-1.5h10m`: numbers, each with a unit; at most about 292
/// years.
fn duration(text: &str) -> Option<i64> {
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
    let mut total = Number::ZERO;
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
        if amount == "." {
            return None;
        }
        let amount: Number = amount.strip_suffix('.').unwrap_or(amount).parse().ok()?;
        let part = amount.checked_mul(&unit.into())?.floor();
        total = total.checked_add(&part)?;
        rest = &after[end..];
    }
    let total = if negative { total.neg() } else { total };
    total.to_i64()
}

fn timecmp(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let (a, b) = (parse(args, 0)?.instant(), parse(args, 1)?.instant());
    let (Some(a), Some(b)) = (a, b) else {
        return Err(FunctionError::new("a timestamp is out of range"));
    };
    Ok(match a.cmp(&b) {
        std::cmp::Ordering::Less => -1,
        std::cmp::Ordering::Equal => 0,
        std::cmp::Ordering::Greater => 1,
    }
    .into())
}

/// Letters, each repeated, stand for parts of the timestamp; all else for itself; letters that
/// stand for themselves are in single quotes.
fn formatdate(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let moment = parse(args, 1)?;
    let mut rest = text(args, 0)?;
    let mut out = String::new();
    while let Some(first) = rest.chars().next() {
        let length = if first == '\'' {
            quoted_length(rest).ok_or_else(|| FunctionError::at(0, "unterminated literal '"))?
        } else {
            rest.find(|c| c != first).unwrap_or(rest.len())
        };
        let (token, after) = rest.split_at(length);
        rest = after;
        match first {
            '\'' if token == "''" => out.push('\''),
            '\'' => out.push_str(&token[1..length - 1].replace("''", "'")),
            c if c.is_ascii_alphabetic() => {
                let part = date_part(token, first, moment).map_err(|e| {
                    FunctionError::at(0, format!("invalid date format verb {token:?}: {e}"))
                })?;
                out.push_str(&part);
            }
            _ => out.push_str(token),
        }
    }
    Ok(out.into())
}

/// The length of the quoted text at the start: up to the quote that is not doubled.
fn quoted_length(text: &str) -> Option<usize> {
    if text.starts_with("''") {
        return Some(2);
    }
    let bytes = text.as_bytes();
    let mut i = 1;
    while i < bytes.len() {
        match (bytes[i], bytes.get(i + 1)) {
            (b'\'', Some(b'\'')) => i += 2,
            (b'\'', _) => return Some(i + 1),
            _ => i += 1,
        }
    }
    None
}

fn date_part(token: &str, letter: char, moment: Moment) -> Result<String, &'static str> {
    let local = moment.local;
    let short_or_long = |n: i8, error| match token.len() {
        1 => Ok(n.to_string()),
        2 => Ok(format!("{n:02}")),
        _ => Err(error),
    };
    let half = |am: &str, pm: &str| {
        if local.hour() < 12 {
            am.into()
        } else {
            pm.into()
        }
    };
    match (letter, token.len()) {
        ('Y', 2) => Ok(format!("{:02}", local.year() % 100)),
        ('Y', 4) => Ok(format!("{:04}", local.year())),
        ('Y', _) => Err("year must either be \"YY\" or \"YYYY\""),
        ('M', 3) => Ok(local.strftime("%b").to_string()),
        ('M', 4) => Ok(local.strftime("%B").to_string()),
        ('M', _) => short_or_long(
            local.month(),
            "month must be \"M\", \"MM\", \"MMM\", or \"MMMM\"",
        ),
        ('D', _) => short_or_long(local.day(), "day of month must either be \"D\" or \"DD\""),
        ('E', 3) => Ok(local.strftime("%a").to_string()),
        ('E', 4) => Ok(local.strftime("%A").to_string()),
        ('E', _) => Err("day of week must either be \"EEE\" or \"EEEE\""),
        ('h', _) => short_or_long(local.hour(), "24-hour must either be \"h\" or \"hh\""),
        ('H', _) => short_or_long(
            (local.hour() + 11) % 12 + 1,
            "12-hour must either be \"H\" or \"HH\"",
        ),
        ('A', 2) => Ok(half("AM", "PM")),
        ('A', _) => Err("must be \"AA\""),
        ('a', 2) => Ok(half("am", "pm")),
        ('a', _) => Err("must be \"aa\""),
        ('m', _) => short_or_long(local.minute(), "minute must either be \"m\" or \"mm\""),
        ('s', _) => short_or_long(local.second(), "second must either be \"s\" or \"ss\""),
        ('Z', 1) => Ok(moment.zone_or_z()),
        ('Z', 3) if moment.offset == Offset::UTC => Ok("UTC".into()),
        ('Z', 3 | 4) => Ok(moment.zone("")),
        ('Z', 5) => Ok(moment.zone(":")),
        ('Z', _) => Err("timezone must be Z, ZZZ, ZZZZ, or ZZZZZ"),
        _ => Err("this letter stands for nothing; text goes between single quotes"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;

    #[test]
    fn the_present_moment_has_whole_seconds() {
        assert_eq!(run("timestamp", &[]).unwrap().as_str().unwrap().len(), 20);
    }
}
