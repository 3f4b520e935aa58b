//! Values as YAML, laid out as Kubernetes' own tools write it: keys sorted, lists not indented
//! below their key, text of several lines as a literal block.
//!
//! Readers of the result may follow YAML 1.1, where `yes`, `on`, `0o17` or `12:30` are not
//! strings: whatever could be taken for something else is put in quotes.

use std::sync::LazyLock;

use regex::Regex;
use topo_sdk::{Kind, Value};

/// The document of an object or list, ending in a line break.
pub(crate) fn encode(value: &Value) -> String {
    let mut text = String::new();
    block(&mut text, value, 0, false);
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// Writes a mapping or sequence at an indentation. `inline` says that its first line has begun.
fn block(text: &mut String, value: &Value, indent: usize, inline: bool) {
    let pad = " ".repeat(indent);
    let mut first = inline;
    let mut begin = |text: &mut String| {
        if !std::mem::take(&mut first) {
            text.push_str(&pad);
        }
    };
    match value.kind() {
        Kind::Map(_) | Kind::Object(_) => {
            for (key, value) in value.as_map().into_iter().flatten() {
                begin(text);
                text.push_str(&line_scalar(key));
                text.push(':');
                match value.as_slice() {
                    // The items of a list stand where its key does.
                    Some([_, ..]) => {
                        text.push('\n');
                        block(text, value, indent, false);
                    }
                    _ => child(text, value, indent, "\n"),
                }
            }
        }
        _ => {
            for item in value.children() {
                begin(text);
                text.push('-');
                child(text, item, indent, " ");
            }
        }
    }
}

/// Writes what follows a colon or a dash: something on the same line, or a block below, which
/// `before` leads to.
fn child(text: &mut String, value: &Value, indent: usize, before: &str) {
    if value.children().next().is_some() {
        text.push_str(before);
        block(text, value, indent + 2, before == " ");
        return;
    }
    text.push(' ');
    match value.kind() {
        Kind::Bool(b) => text.push_str(&b.to_string()),
        Kind::Number(n) => text.push_str(&n.to_string()),
        Kind::String(s) => scalar(text, s, indent),
        Kind::Map(_) | Kind::Object(_) => text.push_str("{}"),
        Kind::List(_) | Kind::Set(_) | Kind::Tuple(_) => text.push_str("[]"),
        // The call of the function has made sure that nothing is unknown.
        Kind::Null(_) | Kind::Unknown(_) => text.push_str("null"),
    }
    if !text.ends_with('\n') {
        text.push('\n');
    }
}

fn scalar(text: &mut String, s: &str, indent: usize) {
    let literal = s.contains('\n') && !s.contains(" \n") && !s.ends_with(' ') && !has_special(s);
    if !literal {
        text.push_str(&line_scalar(s));
        return;
    }
    text.push('|');
    if s.starts_with([' ', '\n']) {
        text.push('2');
    }
    let body = s.trim_end_matches('\n');
    match s.len() - body.len() {
        0 => text.push('-'),
        // A text of nothing but line breaks keeps them all, too.
        1 if !body.is_empty() => {}
        _ => text.push('+'),
    }
    text.push('\n');
    let pad = " ".repeat(indent + 2);
    for line in s.strip_suffix('\n').unwrap_or(s).split('\n') {
        if !line.is_empty() {
            text.push_str(&pad);
            text.push_str(line);
        }
        text.push('\n');
    }
}

/// A scalar on one line: plain where that is the same string, else in quotes.
fn line_scalar(s: &str) -> String {
    if has_special(s) || s.contains('\n') || is_something_else(s) {
        return double_quoted(s);
    }
    if is_syntax(s) {
        return format!("'{}'", s.replace('\'', "''"));
    }
    s.to_string()
}

/// Whether there is a character that only an escape can write.
fn has_special(s: &str) -> bool {
    s.chars().any(|c| {
        (c.is_control() && c != '\n')
            || matches!(
                c,
                '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
            )
            || c > '\u{ffff}'
    })
}

/// Whether a plain scalar would be read as syntax, or lose its spaces.
fn is_syntax(s: &str) -> bool {
    let blank_at = |i: usize| s.as_bytes().get(i).is_none_or(|b| *b == b' ');
    let first = s.chars().next().unwrap_or(' ');
    s.starts_with("---")
        || s.starts_with("...")
        || "#,[]{}&*!|>'\"%@` ".contains(first)
        || s.ends_with(' ')
        || ("-?:".contains(first) && blank_at(1))
        || s.contains(" #")
        || s.match_indices(':').any(|(i, _)| blank_at(i + 1))
}

/// Whether a plain scalar would be read as null, a bool, a number, a date or a merge key, by
/// YAML 1.1 or 1.2.
fn is_something_else(s: &str) -> bool {
    static NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let forms = [
            r"[-+]?(\.[0-9_]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?",
            r"[-+]?0[xX][0-9a-fA-F_]+",
            r"[-+]?0[oO][0-7_]+",
            r"[-+]?0[bB][01_]+",
            r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?",
            r"[-+]?\.(inf|Inf|INF)",
            r"\.(nan|NaN|NAN)",
            r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?",
        ];
        Regex::new(&format!("^({})$", forms.join("|"))).ok()
    });
    let word = matches!(
        s.to_ascii_lowercase().as_str(),
        "" | "~" | "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n" | "<<" | "="
    );
    word || NUMBER.as_ref().is_none_or(|number| number.is_match(s))
}

fn double_quoted(s: &str) -> String {
    let mut quoted = String::from("\"");
    for c in s.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\0' => quoted.push_str("\\0"),
            c if !has_special(c.encode_utf8(&mut [0; 4])) => quoted.push(c),
            c if u32::from(c) < 0x100 => quoted.push_str(&format!("\\x{:02X}", u32::from(c))),
            c if u32::from(c) < 0x1_0000 => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push_str(&format!("\\U{:08X}", u32::from(c))),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use topo_sdk::json::from_json;

    use super::*;

    fn json(text: &str) -> Value {
        from_json(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn layout() {
        let value = json(
            r#"{"a":{"b":[1,{"c":true,"d":{"e":null}},[2,[]],[{"x":1,"y":2}]],"f":{}},"g":[],"t":"l1\n  l2\n"}"#,
        );
        let expected = "a:\n  b:\n  - 1\n  - c: true\n    d:\n      e: null\n  - - 2\n    - []\n  - - x: 1\n      \"y\": 2\n  f: {}\ng: []\nt: |\n  l1\n    l2\n";
        assert_eq!(encode(&value), expected);
    }

    #[test]
    fn strings() {
        let rows = [
            ("plain text-1.2/x", "plain text-1.2/x"),
            ("quay.io/a/b:v2.5.2", "quay.io/a/b:v2.5.2"),
            ("200Mi", "200Mi"),
            ("10.0.0.1", "10.0.0.1"),
            ("", "\"\""),
            ("yes", "\"yes\""),
            ("True", "\"True\""),
            ("1", "\"1\""),
            ("1_000", "\"1_000\""),
            ("0644", "\"0644\""),
            ("1e3", "\"1e3\""),
            ("12:30", "\"12:30\""),
            ("2024-01-02", "\"2024-01-02\""),
            ("a: b", "'a: b'"),
            ("a:", "'a:'"),
            ("- x", "'- x'"),
            ("-x", "-x"),
            ("it's", "it's"),
            ("*", "'*'"),
            ("'q'", "'''q'''"),
            ("a #b", "'a #b'"),
            (" a", "' a'"),
            ("tab\there", "\"tab\\there\""),
            ("😀\u{7}", "\"\\U0001F600\\x07\""),
            ("a \nb", "\"a \\nb\""),
        ];
        for (text, expected) in rows {
            assert_eq!(line_scalar(text), expected, "{text:?}");
        }
    }

    /// Whatever is written is read back as the same by a YAML 1.2 reader.
    #[test]
    fn read_back() {
        let texts = [
            "",
            "a\nb",
            "a\nb\n",
            "a\n\n",
            "\n",
            "\n\na",
            " a\n b",
            "a\n b\n\nc",
            "#",
            "%a",
            "a\n ",
            "yes",
            "null",
            "0x1",
            "- a",
            "? a",
            ": a",
            "...",
            "---",
            "é\u{85}\u{2028}",
            "@",
            "\\",
            "\"",
            "'",
            "!a",
            "|",
            ">",
            "&a",
            "{",
            "[",
            "a,b",
            "a]b",
            "\u{feff}",
            "<<",
            "=",
            "~",
        ];
        for text in texts {
            let value = Value::object([(
                "k",
                Value::tuple(vec![
                    text.into(),
                    Value::object([(text, Value::from(text))]),
                ]),
            )]);
            let yaml = encode(&value);
            let read: serde_json::Value = serde_yaml_ng::from_str(&yaml).unwrap();
            assert_eq!(from_json(&read), value, "{text:?} as {yaml}");
        }
    }
}
