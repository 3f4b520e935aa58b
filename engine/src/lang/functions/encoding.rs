//! Functions between values and their encodings: JSON, base64, gzip and URL escapes.

use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use flate2::read::MultiGzDecoder;
use flate2::{Compression, GzBuilder};
use topo_sdk::{Refinements, Type, Value};

use super::ParamType as T;
use super::string::MAX_TEXT;
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
        "base64gunzip",
        "The text that was compressed with gzip and is given in base64.",
        &[STR],
        returns_string,
        base64gunzip,
    ),
    Function::new(
        "base64gzip",
        "The text compressed with gzip, in base64.",
        &[STR],
        returns_string,
        base64gzip,
    ),
    Function::new(
        "jsondecode",
        "The value that a JSON text has.",
        &[STR.unknown()],
        returns_any,
        jsondecode,
    )
    .maybe_null(),
    Function::new(
        "jsonencode",
        "The value as JSON.",
        &[Param::new("val", T::Any, "The value.").nullable().unknown()],
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

/// Padding is required, but bits left over at the end are not looked at.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// The bytes of a base64 text, which may be broken into lines.
pub(super) fn base64_bytes(text: &str) -> Result<Vec<u8>, FunctionError> {
    let joined: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    BASE64.decode(joined).map_err(|e| {
        let reason = e.to_string();
        let reason = reason.trim_end_matches('.');
        FunctionError::at(0, format!("failed to decode base64 data: {reason}"))
    })
}

fn base64decode(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    utf8(base64_bytes(text(args, 0)?)?)
}

/// The compressed bytes are not those of the peers, whose compressor is another; what they
/// decompress to is.
fn base64gzip(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let fail = |e: std::io::Error| FunctionError::new(format!("failed to compress: {e}"));
    // No time and no operating system in the header: the same text gives the same result.
    let mut writer = GzBuilder::new()
        .operating_system(255)
        .write(Vec::new(), Compression::default());
    writer.write_all(text(args, 0)?.as_bytes()).map_err(fail)?;
    let bytes = writer.finish().map_err(fail)?;
    Ok(STANDARD.encode(bytes).into())
}

fn base64gunzip(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let bytes = base64_bytes(text(args, 0)?)?;
    let limit = u64::try_from(MAX_TEXT).unwrap_or(u64::MAX);
    let mut plain = Vec::new();
    MultiGzDecoder::new(bytes.as_slice())
        .take(limit + 1)
        .read_to_end(&mut plain)
        .map_err(|e| FunctionError::at(0, format!("failed to decompress: {e}")))?;
    if plain.len() > MAX_TEXT {
        return Err(FunctionError::at(0, "the decompressed text is too large"));
    }
    utf8(plain)
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

/// While a part is unknown, the result is known to start as the JSON of the value's type does.
fn jsonencode(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    if let Some(json) = json::encode(&args[0]) {
        return Ok(json.into());
    }
    let not_null = args[0].as_unknown().is_none_or(|u| u.refinements.not_null);
    let prefix = match args[0].ty() {
        Type::String => Some("\""),
        Type::Object(_) | Type::Map(_) => Some("{"),
        Type::Tuple(_) | Type::List(_) | Type::Set(_) => Some("["),
        _ => None,
    };
    let refinements = Refinements {
        not_null: true,
        prefix: prefix.filter(|_| not_null).map(Into::into),
        ..Refinements::default()
    };
    Ok(Value::unknown_refined(Type::String, refinements))
}

fn jsondecode(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    if let Some(unknown) = args[0].as_unknown() {
        let start = unknown.refinements.prefix.as_deref().unwrap_or_default();
        return started(start).map(Value::unknown);
    }
    json::decode(text(args, 0)?).map_err(|e| FunctionError::at(0, e))
}

/// The type of the value that a JSON text with this start has, as far as that tells.
fn started(text: &str) -> Result<Type, FunctionError> {
    Ok(match text.trim_start().chars().next() {
        None | Some('{' | '[' | 'n') => Type::Dynamic,
        Some('"') => Type::String,
        Some('t' | 'f') => Type::Bool,
        Some('-' | '0'..='9') => Type::Number,
        Some(c) => {
            let message = format!("a JSON document cannot begin with the character {c:?}");
            return Err(FunctionError::at(0, message));
        }
    })
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
    use super::*;

    #[test]
    fn a_small_archive_cannot_fill_the_memory() {
        let mut writer = GzBuilder::new().write(Vec::new(), Compression::best());
        let zeros = vec![b'0'; 1 << 20];
        for _ in 0..=MAX_TEXT >> 20 {
            writer.write_all(&zeros).unwrap();
        }
        let bomb = STANDARD.encode(writer.finish().unwrap());
        assert!(bomb.len() < MAX_TEXT / 100);
        refuse(&[("base64gunzip", &[s(&bomb)], "too large")]);
    }

    #[test]
    fn deep_json_is_refused() {
        let deep = "[".repeat(100_000);
        refuse(&[("jsondecode", &[s(&deep)], "too deeply")]);
    }
}
