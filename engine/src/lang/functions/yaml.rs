//! `yamlencode` and `yamldecode`.
//!
//! The parser tells apart what is written; what a scalar means is decided here by the peers' rules:
//! numbers of YAML 1.2, the many words for true and false of YAML 1.1, and timestamps, which become
//! strings. The writing half is in [`super::yaml_emitter`].

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use granit_parser::{Event, Parser, ScalarStyle, StrInput, Tag};
use num_bigint::BigInt;
use topo_sdk::convert::convert;
use topo_sdk::{Number, Type, Value};

use super::ParamType as T;
use super::{Context, Function, FunctionError, Param, returns_any, returns_string, text};
use super::{datetime, yaml_emitter};

/// How deeply values may be nested in a document that is read.
const MAX_DEPTH: usize = 500;

/// The most values that a document may hold once its aliases are followed: a short text can
/// otherwise stand for an immense one.
const MAX_VALUES: usize = 1_000_000;

const TAG: &str = "tag:yaml.org,2002:";

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "yamldecode",
        "The value that a YAML text has.",
        &[Param::new("src", T::String, "The text.")],
        returns_any,
        yamldecode,
    )
    .maybe_null(),
    Function::new(
        "yamlencode",
        "The value as YAML.",
        &[Param::new("value", T::Any, "The value.").nullable().whole()],
        returns_string,
        yamlencode,
    ),
];

fn yamlencode(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    yaml_emitter::encode(&args[0])
        .map(Value::from)
        .ok_or_else(|| FunctionError::at(0, "value is not known"))
}

fn yamldecode(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    decode(text(args, 0)?).map_err(|e| FunctionError::at(0, e))
}

/// Reads one YAML document: objects and tuples, the last of repeated keys.
fn decode(text: &str) -> Result<Value, String> {
    let options = granit_parser::options! {
        // As libyaml, the ancestor of the peers' parser, has it.
        block_scalar_eof_without_line_feed: true,
        emit_comments: false,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let mut reader = Reader {
        parser: Parser::new_from_str_with_options(text, options),
        line: 1,
        anchors: HashMap::new(),
        pending: Vec::new(),
        values: 0,
    };
    reader.next()?;
    if !matches!(reader.next()?, Event::DocumentStart(..)) {
        return Err("there is no document".into());
    }
    let first = reader.next()?;
    let value = reader.value(first, 0)?;
    reader.next()?;
    match reader.next()? {
        Event::StreamEnd => Ok(value),
        _ => Err("only a single document is allowed".into()),
    }
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    /// The line of the last event.
    line: usize,
    /// What each anchor stands for, and how many values that is.
    anchors: HashMap<usize, (Value, usize)>,
    /// The anchors whose values are still being read.
    pending: Vec<usize>,
    values: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Event<'a>, String> {
        match self.parser.next_event() {
            None => Ok(Event::StreamEnd),
            Some(Ok((event, span))) => {
                self.line = span.start.line();
                Ok(event)
            }
            Some(Err(e)) => Err(format!("on line {}: {}", e.marker().line(), e.info())),
        }
    }

    /// An error at the last event.
    fn wrong(&self, message: impl std::fmt::Display) -> String {
        format!("on line {}: {message}", self.line)
    }

    fn count(&mut self, more: usize) -> Result<(), String> {
        self.values = self.values.saturating_add(more);
        if self.values > MAX_VALUES {
            return Err(format!(
                "the document stands for more than {MAX_VALUES} values"
            ));
        }
        Ok(())
    }

    fn value(&mut self, event: Event<'a>, depth: usize) -> Result<Value, String> {
        if depth > MAX_DEPTH {
            return Err(self.wrong("values are nested too deeply"));
        }
        let before = self.values;
        self.count(1)?;
        let anchor = event.anchor_id();
        let value = match event {
            Event::Alias(anchor) => return self.alias(anchor),
            Event::Scalar(text, style, _, tag) => {
                resolve(tag.as_deref(), &text, style).map_err(|e| self.wrong(e))?
            }
            Event::SequenceStart(_, _, tag) => {
                self.expect_tag(tag.as_deref(), "seq")?;
                self.pending.extend(anchor);
                Value::tuple(self.sequence(depth)?)
            }
            Event::MappingStart(_, _, tag) => {
                self.expect_tag(tag.as_deref(), "map")?;
                self.pending.extend(anchor);
                Value::object(self.mapping(depth)?)
            }
            _ => return Err(self.wrong("a value is required")),
        };
        if let Some(anchor) = anchor {
            self.pending.retain(|p| *p != anchor);
            let size = self.values - before;
            self.anchors.insert(anchor, (value.clone(), size));
        }
        Ok(value)
    }

    fn expect_tag(&self, tag: Option<&Tag>, name: &str) -> Result<(), String> {
        match tag {
            Some(tag) if tag.suffix_in_namespace(TAG).as_deref() != Some(name) => {
                let what = if name == "seq" { "sequence" } else { "mapping" };
                Err(self.wrong(format!("cannot interpret a {what} as {}", tag.original())))
            }
            _ => Ok(()),
        }
    }

    fn alias(&mut self, anchor: usize) -> Result<Value, String> {
        if self.pending.contains(&anchor) {
            return Err(
                self.wrong("an anchor cannot be referred to from inside its own definition")
            );
        }
        let Some((value, size)) = self.anchors.get(&anchor) else {
            return Err(self.wrong("there is no such anchor before this"));
        };
        let (value, size) = (value.clone(), *size);
        self.count(size)?;
        Ok(value)
    }

    fn sequence(&mut self, depth: usize) -> Result<Vec<Value>, String> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                Event::SequenceEnd => return Ok(items),
                event => items.push(self.value(event, depth + 1)?),
            }
        }
    }

    /// Entries in the order of the text: a merged mapping overrides what is written before it,
    /// and is overridden by what is written after it, as with the peers.
    fn mapping(&mut self, depth: usize) -> Result<Vec<(Arc<str>, Value)>, String> {
        let mut entries = Vec::new();
        loop {
            let (text, style, tag) = match self.next()? {
                Event::MappingEnd => return Ok(entries),
                Event::Scalar(text, style, _, tag) => (text, style, tag),
                _ => return Err(self.wrong("only strings are allowed as mapping keys")),
            };
            if tag.is_none() && text == "<<" && style == ScalarStyle::Plain {
                let event = self.next()?;
                let merged = self.value(event, depth + 1)?;
                let Some(merged) = merged.as_map() else {
                    let kind = merged.ty().friendly();
                    return Err(self.wrong(format!("cannot merge a {kind} into a mapping")));
                };
                entries.extend(merged.iter().map(|(k, v)| (k.clone(), v.clone())));
                continue;
            }
            let key = resolve(tag.as_deref(), &text, style).map_err(|e| self.wrong(e))?;
            let key = convert(&key, &Type::String)
                .ok()
                .filter(|k| !k.is_null())
                .ok_or_else(|| self.wrong("a mapping key cannot be null"))?;
            let event = self.next()?;
            let value = self.value(event, depth + 1)?;
            entries.push((key.as_str().unwrap_or_default().into(), value));
        }
    }
}

/// The value of a scalar by its tag, or by its looks where it has none.
fn resolve(tag: Option<&Tag>, text: &str, style: ScalarStyle) -> Result<Value, String> {
    let Some(tag) = tag else {
        return if style == ScalarStyle::Plain {
            plain(text)
        } else {
            Ok(text.into())
        };
    };
    let wrong = || format!("cannot parse {text:?} as {}", tag.original());
    let quoted = matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted);
    match tag.suffix_in_namespace(TAG).as_deref() {
        Some("str") => Ok(text.into()),
        // There are no bytes in the language: the text stays as it is.
        Some("binary") if STANDARD.decode(text).is_ok() => Ok(text.into()),
        Some("binary") => Err(wrong()),
        // What is quoted is a string, whatever its tag, if its looks fit the tag.
        Some("bool") => match word(text).filter(|v| v.as_bool().is_some()) {
            Some(_) if quoted => Ok(text.into()),
            Some(v) => Ok(v),
            None => Err(wrong()),
        },
        Some("int" | "float") => match number(&text.replace('_', "")) {
            Some(_) if quoted => Ok(text.into()),
            Some(n) => Ok(n.into()),
            None => Err(wrong()),
        },
        Some("timestamp") => match timestamp(text) {
            Some(_) if quoted => Ok(text.into()),
            Some(t) => Ok(t.into()),
            None => Err(wrong()),
        },
        Some("null") => Ok(Value::NULL),
        _ => Err(format!("unsupported tag {:?}", tag.original())),
    }
}

fn plain(text: &str) -> Result<Value, String> {
    if let Some(value) = word(text) {
        return Ok(value);
    }
    match text {
        ".nan" | ".NaN" | ".NAN" => return Err("NaN is not a number of the language".into()),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf" | "-.Inf" | "-.INF" => {
            return Err("infinity is not a number of the language".into());
        }
        _ => {}
    }
    if let Some(time) = timestamp(text) {
        return Ok(time.into());
    }
    match number(text) {
        Some(n) => Ok(n.into()),
        None if looks_numeric(text) => Err(format!("the number {text:?} is too large")),
        None => Ok(text.into()),
    }
}

/// The words for null and for the two bools, in the spellings of YAML 1.1.
fn word(text: &str) -> Option<Value> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::NULL,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            true.into()
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            false.into()
        }
        _ => return None,
    })
}

fn looks_numeric(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((m, e)) => (m, Some(e.strip_prefix(['-', '+']).unwrap_or(e))),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|e| !e.is_empty() && digits(e))
}

/// A number in decimal notation, or a whole one in base 8 or 16 as in YAML 1.2.
fn number(text: &str) -> Option<Number> {
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            let digits = Some(digits.as_bytes()).filter(|d| d.first() != Some(&b'-'))?;
            if digits.len() > 10_000 || digits.contains(&b'_') || digits.contains(&b'+') {
                return None;
            }
            return BigInt::parse_bytes(digits, radix).map(Number::from_bigint);
        }
    }
    if !looks_numeric(text) {
        return None;
    }
    let text = text.strip_prefix('+').unwrap_or(text);
    // A point without digits after it is allowed here, but not in the language.
    text.replace(".e", "e")
        .replace(".E", "E")
        .trim_end_matches('.')
        .parse()
        .ok()
}

/// A date, or a date and time, in one of the forms of YAML, as RFC 3339 without fractions.
fn timestamp(text: &str) -> Option<String> {
    let year_end = text.find(|c: char| !c.is_ascii_digit())?;
    if year_end != 4 || text.as_bytes().get(4) != Some(&b'-') {
        return None;
    }
    let (month, rest) = text[5..].split_once('-')?;
    let day_end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (day, rest) = rest.split_at(day_end);
    let two = |s: &str| (1..=2).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit());
    if !two(month) || !two(day) {
        return None;
    }
    let date = format!("{}-{month:0>2}-{day:0>2}", &text[..4]);
    let (clock, offset) = match rest.chars().next() {
        None => ("0:0:0", "Z"),
        Some(' ') => (&rest[1..], "Z"),
        Some('T' | 't') => {
            let at = rest.find(['Z', '+', '-'])?;
            (&rest[1..at], &rest[at..])
        }
        _ => return None,
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let parts: Vec<&str> = clock.split(':').collect();
    let [hour, minute, second] = parts.as_slice() else {
        return None;
    };
    if ![hour, minute, second].into_iter().all(|p| two(p)) {
        return None;
    }
    let full = format!("{date}T{hour:0>2}:{minute:0>2}:{second:0>2}{offset}");
    datetime::parse_timestamp(&full).ok()?;
    Some(full)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;

    #[test]
    fn a_short_text_cannot_stand_for_an_immense_value() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for i in 1..12 {
            let alias = format!("*a{}", i - 1);
            let row = vec![alias; 10].join(", ");
            text.push_str(&format!("a{i}: &a{i} [{row}]\n"));
        }
        refuse(&[
            ("yamldecode", &[s(&text)], "more than 1000000 values"),
            ("yamldecode", &[s(&"[".repeat(100_000))], "on line 1"),
            ("yamldecode", &[s(&"- ".repeat(100_000))], "on line 1"),
        ]);
    }
}
