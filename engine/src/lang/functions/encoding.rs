//! Functions between values and their encodings: JSON, base64, CSV and URL escapes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use topo_sdk::Value;

use super::ParamType as T;
use super::{Context, Function, FunctionError, Param, json, returns_any, returns_string, text};

const STR: Param = Param::new("str", T::String, "The text.");

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "base64decode",
        "The text that base64 encodes.",
        &[STR],
        returns_string,
        base64decode,
    ),
    Function::new(
        "base64encode",
        "The text in base64.",
        &[STR],
        returns_string,
        base64encode,
    ),
    Function::new(
        "csvdecode",
        "The rows of a CSV text as objects.",
        &[STR],
        returns_any,
        csvdecode,
    ),
    Function::new(
        "jsondecode",
        "The value that a JSON text has.",
        &[STR],
        returns_any,
        jsondecode,
    )
    .maybe_null(),
    Function::new(
        "jsonencode",
        "The value as JSON.",
        &[Param::new("val", T::Any, "The value.").nullable().whole()],
        returns_string,
        jsonencode,
    ),
    Function::new(
        "urlencode",
        "The text escaped for a URL query.",
        &[STR],
        returns_string,
        urlencode,
    ),
    Function::new(
        "urldecode",
        "The text without URL escapes.",
        &[STR],
        returns_string,
        urldecode,
    ),
];

fn base64decode(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let bytes = STANDARD
        .decode(text(args, 0)?)
        .map_err(|e| FunctionError::at(0, format!("failed to decode base64 data: {e}")))?;
    utf8(bytes)
}

fn utf8(bytes: Vec<u8>) -> Result<Value, FunctionError> {
    String::from_utf8(bytes).map(Value::from).map_err(|_| {
        FunctionError::at(
            0,
            "the result of decoding the provided string is not valid UTF-8",
        )
    })
}

fn base64encode(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    Ok(STANDARD.encode(text(args, 0)?).into())
}

fn jsonencode(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    json::encode(&args[0])
        .map(Value::from)
        .ok_or_else(|| FunctionError::at(0, "value is not known"))
}

fn jsondecode(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    json::decode(text(args, 0)?).map_err(|e| FunctionError::at(0, e))
}

fn csvdecode(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let invalid = |e: csv::Error| FunctionError::at(0, format!("invalid CSV: {e}"));
    let mut reader = csv::Reader::from_reader(text(args, 0)?.as_bytes());
    let headers = reader.headers().map_err(invalid)?.clone();
    if headers.is_empty() {
        return Err(FunctionError::at(0, "missing header line"));
    }
    let mut seen = std::collections::BTreeSet::new();
    for name in &headers {
        if !seen.insert(name) {
            return Err(FunctionError::at(
                0,
                format!("duplicate column name {name:?}"),
            ));
        }
    }
    let rows = reader
        .records()
        .map(|row| {
            let row = row.map_err(invalid)?;
            Ok(Value::object(
                headers.iter().zip(&row).map(|(k, v)| (k, Value::from(v))),
            ))
        })
        .collect::<Result<Vec<_>, FunctionError>>()?;
    let row = topo_sdk::Type::object(headers.iter().map(|h| (h, topo_sdk::Type::String)));
    Ok(Value::list(row, rows))
}

/// All but what RFC 3986 leaves unreserved; spaces become plus signs afterwards.
const ESCAPED: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b' ');

fn urlencode(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let escaped = percent_encoding::utf8_percent_encode(text(args, 0)?, ESCAPED).to_string();
    Ok(escaped.replace(' ', "+").into())
}

fn urldecode(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let spaced = text(args, 0)?.replace('+', " ");
    for (i, _) in spaced.match_indices('%') {
        let escape = spaced.as_bytes().get(i + 1..i + 3).unwrap_or_default();
        if escape.len() < 2 || !escape.iter().all(u8::is_ascii_hexdigit) {
            return Err(FunctionError::at(
                0,
                format!("invalid URL escape at byte {i}"),
            ));
        }
    }
    utf8(percent_encoding::percent_decode_str(&spaced).collect())
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;

    #[test]
    fn results() {
        check(&[
            ("base64encode", &[s("Hello World")], r#""SGVsbG8gV29ybGQ=""#),
            ("base64decode", &[s("SGVsbG8gV29ybGQ=")], r#""Hello World""#),
            (
                "jsonencode",
                &[j(r#"{"hello":"world"}"#)],
                r#""{\"hello\":\"world\"}""#,
            ),
            ("jsonencode", &[s("<&>")], r#""\"\\u003c\\u0026\\u003e\"""#),
            (
                "jsondecode",
                &[s(r#"{"a": [1, true, null, "\u00e9"]}"#)],
                r#"{"a":[1,true,null,"é"]}"#,
            ),
            (
                "csvdecode",
                &[s("a,b\n1,2\n3,4\n")],
                r#"[{"a":"1","b":"2"},{"a":"3","b":"4"}]"#,
            ),
            ("urlencode", &[s("Hello World!")], r#""Hello+World%21""#),
            ("urlencode", &[s("☃")], r#""%E2%98%83""#),
            (
                "urldecode",
                &[s("foo%3Abar%40localhost+x")],
                r#""foo:bar@localhost x""#,
            ),
        ]);
        let exact = "12345678901234567890.123456789";
        assert_eq!(run("jsondecode", &[s(exact)]).unwrap(), n(exact));
        assert_eq!(run("jsonencode", &[n(exact)]).unwrap(), s(exact));
    }

    #[test]
    fn refusals() {
        let deep = "[".repeat(100_000);
        refuse(&[
            ("base64decode", &[s("%%")], "failed to decode base64"),
            ("base64decode", &[s("/w==")], "not valid UTF-8"),
            ("jsondecode", &[s("{")], "key in quotes"),
            ("jsondecode", &[s("01")], "invalid number"),
            ("jsondecode", &[s(&deep)], "too deeply"),
            ("csvdecode", &[s("a,a\n1,2")], "duplicate column"),
            ("csvdecode", &[s("a,b\n1")], "invalid CSV"),
            ("urldecode", &[s("%G1")], "invalid URL escape"),
        ]);
    }
}
