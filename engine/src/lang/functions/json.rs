//! JSON as the language reads and writes it: numbers exact in both directions, and `<`, `>`, `&`
//! escaped on the way out, as the reference implementation does for the sake of HTML.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use topo_sdk::{Kind, Number, Value};

/// How deeply values may be nested in a document that is read.
const MAX_DEPTH: usize = 500;

/// The value in compact JSON, keys in order; `None` where a part of it is unknown.
pub(super) fn encode(value: &Value) -> Option<String> {
    let mut out = String::new();
    write(value, &mut out)?;
    Some(out)
}

fn write(value: &Value, out: &mut String) -> Option<()> {
    match value.kind() {
        Kind::Unknown(_) => return None,
        Kind::Null(_) => out.push_str("null"),
        Kind::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Kind::Number(n) => {
            // Writing to a string cannot fail.
            let _ = write!(out, "{n}");
        }
        Kind::String(s) => quote(s, out),
        Kind::List(_) | Kind::Set(_) | Kind::Tuple(_) => {
            out.push('[');
            for (i, item) in value.as_slice()?.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write(item, out)?;
            }
            out.push(']');
        }
        Kind::Map(_) | Kind::Object(_) => {
            out.push('{');
            for (i, (key, item)) in value.as_map()?.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                quote(key, out);
                out.push(':');
                write(item, out)?;
            }
            out.push('}');
        }
    }
    Some(())
}

/// Appends a JSON string.
pub(super) fn quote(s: &str, out: &mut String) {
    out.push('"');
    for c in s.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' || matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}') => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Reads a JSON document: objects and tuples, the last of repeated keys.
///
/// # Errors
/// What is wrong and at which byte.
pub(super) fn decode(text: &str) -> Result<Value, String> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0)?;
    reader.space();
    if reader.at < text.len() {
        return Err(reader.unexpected("extra characters after the JSON value"));
    }
    Ok(value)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn unexpected(&self, what: &str) -> String {
        format!("{what} at byte {}", self.at)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, String> {
        if depth > MAX_DEPTH {
            return Err(self.unexpected("values are nested too deeply"));
        }
        self.space();
        match self.peek() {
            None => Err("unexpected end of JSON input".into()),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Value::from),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => {
                for (word, value) in [
                    ("true", Value::from(true)),
                    ("false", Value::from(false)),
                    ("null", Value::NULL),
                ] {
                    if self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
                        self.at += word.len();
                        return Ok(value);
                    }
                }
                Err(self.unexpected("invalid character looking for a JSON value"))
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, String> {
        self.at += 1;
        let mut entries: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::object(entries));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("an object key in quotes is required"));
            }
            let key = self.string()?;
            // Attribute names are strings of the language too: normalised.
            let key: Arc<str> = Value::from(key).as_str().unwrap_or_default().into();
            self.space();
            if self.peek() != Some(b':') {
                return Err(self.unexpected("a colon is required after an object key"));
            }
            self.at += 1;
            let value = self.value(depth + 1)?;
            // The last of repeated keys wins, but only if all agree on the type.
            match entries.get(&key) {
                Some(before) if before.ty() != value.ty() => {
                    return Err(
                        self.unexpected(&format!("duplicate {key:?} property in JSON object"))
                    );
                }
                _ => entries.insert(key, value),
            };
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Value::object(entries));
                }
                _ => return Err(self.unexpected("a comma or closing brace is required")),
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, String> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::tuple(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Value::tuple(items));
                }
                _ => return Err(self.unexpected("a comma or closing bracket is required")),
            }
        }
    }

    /// A string: its extent is found here, its escapes are read by serde_json.
    fn string(&mut self) -> Result<String, String> {
        let start = self.at;
        let mut escaped = false;
        for (i, b) in self.text.as_bytes()[start + 1..].iter().enumerate() {
            match b {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => {
                    let end = start + 1 + i + 1;
                    let quoted = &self.text[start..end];
                    let parsed = serde_json::from_str(quoted)
                        .or_else(|_| serde_json::from_str(&without_lone_halves(quoted)))
                        .map_err(|_| self.unexpected("invalid string"))?;
                    self.at = end;
                    return Ok(parsed);
                }
                _ => {}
            }
        }
        Err("unexpected end of JSON input".into())
    }

    fn number(&mut self) -> Result<Value, String> {
        let start = self.at;
        while matches!(
            self.peek(),
            Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')
        ) {
            self.at += 1;
        }
        let text = &self.text[start..self.at];
        match text.parse::<Number>() {
            Ok(number) if is_json_number(text) => Ok(Value::from(number)),
            _ => {
                self.at = start;
                Err(self.unexpected("invalid number"))
            }
        }
    }
}

/// Whether this is a number by JSON's grammar: no leading zeros, digits on both sides of a point.
fn is_json_number(text: &str) -> bool {
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((m, e)) => (m, Some(e.strip_prefix(['+', '-']).unwrap_or(e))),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((w, f)) => (w, Some(f)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(digits)
}

/// The JSON string with escapes of half a surrogate pair replaced by that of the replacement
/// character, which is how the peers read them.
fn without_lone_halves(quoted: &str) -> String {
    let mut out = String::with_capacity(quoted.len());
    let mut rest = quoted;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let unit = |s: &str| {
            let digits = s.strip_prefix("\\u")?.get(..4)?;
            u16::from_str_radix(digits, 16).ok()
        };
        let length = match (unit(rest), rest.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => {
                out.push_str("\\ufffd");
                rest = &rest[6..];
                continue;
            }
            (Some(_), _) => 6,
            // The backslash and what it escapes.
            (None, _) => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
        };
        out.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    out + rest
}
