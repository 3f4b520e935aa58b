//! Values and types as the console prints them: in the language's own syntax where it has one, so
//! that a collection's kind and a null's type can be seen. The forms are those of `terraform
//! console` 1.11.

use topo_engine::lang::escape::is_printable;
use topo_sdk::{Kind, Marks, Type, Value};

use super::differ::{SENSITIVE, UNKNOWN};
use super::text::push_visible;

/// Shown in place of a value that is not to outlive the run.
const EPHEMERAL: &str = "(ephemeral value)";

/// A value, without a line break at the end.
pub fn value(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value, 0);
    out
}

fn write(out: &mut String, value: &Value, indent: usize) {
    if value.marks().contains(Marks::SENSITIVE) {
        out.push_str(SENSITIVE);
        return;
    }
    if value.marks().contains(Marks::EPHEMERAL) {
        out.push_str(EPHEMERAL);
        return;
    }
    match value.kind() {
        Kind::Null(ty) => out.push_str(&null(ty)),
        Kind::Unknown(_) => out.push_str(UNKNOWN),
        Kind::Bool(b) => out.push_str(&b.to_string()),
        Kind::Number(n) => out.push_str(&n.to_string()),
        Kind::String(s) => string(out, s, indent),
        Kind::Tuple(items) => sequence(out, items, indent),
        Kind::List(s) => {
            out.push_str("tolist(");
            sequence(out, &s.items, indent);
            out.push(')');
        }
        Kind::Set(s) => {
            out.push_str("toset(");
            sequence(out, &s.items, indent);
            out.push(')');
        }
        Kind::Object(_) => mapping(out, value, indent),
        Kind::Map(_) => {
            out.push_str("tomap(");
            mapping(out, value, indent);
            out.push(')');
        }
    }
}

fn null(ty: &Type) -> String {
    match ty {
        Type::Dynamic => "null".into(),
        Type::Bool => "tobool(null)".into(),
        Type::Number => "tonumber(null)".into(),
        Type::String => "tostring(null)".into(),
        Type::List(t) => format!("tolist(null) /* of {} */", t.friendly()),
        Type::Set(t) => format!("toset(null) /* of {} */", t.friendly()),
        Type::Map(t) => format!("tomap(null) /* of {} */", t.friendly()),
        Type::Object(_) | Type::Tuple(_) => format!("null /* {} */", ty.friendly()),
    }
}

fn line(out: &mut String, indent: usize) {
    out.push('\n');
    out.push_str(&" ".repeat(indent));
}

fn sequence(out: &mut String, items: &[Value], indent: usize) {
    out.push('[');
    for item in items {
        line(out, indent + 2);
        write(out, item, indent + 2);
        out.push(',');
    }
    if !items.is_empty() {
        line(out, indent);
    }
    out.push(']');
}

fn mapping(out: &mut String, value: &Value, indent: usize) {
    out.push('{');
    let mut empty = true;
    for (key, value) in value.as_map().into_iter().flatten() {
        empty = false;
        line(out, indent + 2);
        string(out, key, indent + 2);
        out.push_str(" = ");
        write(out, value, indent + 2);
    }
    if !empty {
        line(out, indent);
    }
    out.push('}');
}

/// Text of several lines as a heredoc, other text in quotes.
fn string(out: &mut String, text: &str, indent: usize) {
    if !text.contains('\n') {
        out.push_str(&quote(text));
        return;
    }
    let mut marker = String::from("EOT");
    while text.split('\n').any(|l| l.trim() == marker) {
        marker.push('_');
    }
    out.push_str(if indent > 0 { "<<-" } else { "<<" });
    out.push_str(&marker);
    for l in text.split('\n') {
        line(out, indent);
        push_visible(out, l);
    }
    line(out, indent);
    out.push_str(&marker);
}

/// Text in quotes with the escapes of Go's `strconv.Quote`, which the peers print with.
fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            c if is_printable(c) => out.push(c),
            c if c < ' ' || c == '\u{7f}' => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if u32::from(c) < 0x1_0000 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

/// A type, without a line break at the end.
pub fn ty(ty: &Type) -> String {
    let mut out = String::new();
    write_type(&mut out, ty, 0);
    out
}

/// How far parts of a type are indented.
const STEP: usize = 4;

fn write_type(out: &mut String, ty: &Type, indent: usize) {
    match ty {
        Type::Dynamic => out.push_str("dynamic"),
        Type::Bool => out.push_str("bool"),
        Type::Number => out.push_str("number"),
        Type::String => out.push_str("string"),
        Type::List(t) => collection(out, "list", t, indent),
        Type::Set(t) => collection(out, "set", t, indent),
        Type::Map(t) => collection(out, "map", t, indent),
        Type::Object(o) if o.attributes.is_empty() => out.push_str("object({})"),
        Type::Object(o) => {
            out.push_str("object({");
            for (name, t) in &o.attributes {
                line(out, indent + STEP);
                out.push_str(name);
                out.push_str(": ");
                write_type(out, t, indent + STEP);
                out.push(',');
            }
            line(out, indent);
            out.push_str("})");
        }
        Type::Tuple(ts) if ts.is_empty() => out.push_str("tuple([])"),
        Type::Tuple(ts) => {
            out.push_str("tuple([");
            for t in ts.iter() {
                line(out, indent + STEP);
                write_type(out, t, indent + STEP);
                out.push(',');
            }
            line(out, indent);
            out.push_str("])");
        }
    }
}

/// An element that is an object or a tuple has lines of its own.
fn collection(out: &mut String, kind: &str, element: &Type, indent: usize) {
    out.push_str(kind);
    out.push('(');
    if matches!(element, Type::Object(_) | Type::Tuple(_)) {
        line(out, indent + STEP);
        write_type(out, element, indent + STEP);
        out.push(',');
        line(out, indent);
    } else {
        write_type(out, element, indent);
    }
    out.push(')');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(text: &str) -> Value {
        text.into()
    }

    fn n(text: &str) -> Value {
        Value::number(text.parse::<topo_sdk::Number>().unwrap())
    }

    /// What Terraform 1.11 prints.
    #[test]
    fn values() {
        let set = Value::set(Type::String, vec![s("a"), Value::unknown(Type::String)]);
        let map = |v: Value| Value::map(v.ty(), [("a".into(), v)].into());
        let rows = [
            (n("1.50"), "1.5"),
            (n("1e30"), "1000000000000000000000000000000"),
            (n("1e-7"), "0.0000001"),
            (n("12345678901234567890123"), "12345678901234567890123"),
            (Value::from(true), "true"),
            (Value::NULL, "null"),
            (Value::null(Type::String), "tostring(null)"),
            (Value::null(Type::Number), "tonumber(null)"),
            (Value::null(Type::Bool), "tobool(null)"),
            (
                Value::null(Type::list(Type::Dynamic)),
                "tolist(null) /* of dynamic */",
            ),
            (
                Value::null(Type::set(Type::Number)),
                "toset(null) /* of number */",
            ),
            (
                Value::null(Type::map(Type::list(Type::String))),
                "tomap(null) /* of list of string */",
            ),
            (
                Value::null(Type::object([("a", Type::Bool)])),
                "null /* object */",
            ),
            (Value::null(Type::tuple(vec![])), "null /* tuple */"),
            (Value::unknown(Type::Dynamic), "(known after apply)"),
            (s("a").sensitive(), "(sensitive value)"),
            (Value::NULL.sensitive(), "(sensitive value)"),
            (
                Value::unknown(Type::String).sensitive(),
                "(sensitive value)",
            ),
            (s("a").with_marks(Marks::EPHEMERAL), "(ephemeral value)"),
            (Value::tuple(vec![]), "[]"),
            (Value::object::<&str>([]), "{}"),
            (Value::list(Type::Dynamic, vec![]), "tolist([])"),
            (Value::set(Type::Dynamic, vec![]), "toset([])"),
            (Value::map(Type::Dynamic, [].into()), "tomap({})"),
            (set, "toset([\n  \"a\",\n  (known after apply),\n])"),
            (map(n("1")), "tomap({\n  \"a\" = 1\n})"),
            (
                Value::tuple(vec![s("x").sensitive(), Value::NULL]),
                "[\n  (sensitive value),\n  null,\n]",
            ),
            (
                Value::object([
                    ("a", n("1")),
                    ("b c", Value::tuple(vec![n("1"), Value::object::<&str>([])])),
                ]),
                "{\n  \"a\" = 1\n  \"b c\" = [\n    1,\n    {},\n  ]\n}",
            ),
            (
                Value::list(
                    Type::tuple(vec![Type::Number]),
                    vec![Value::tuple(vec![n("1")])],
                ),
                "tolist([\n  [\n    1,\n  ],\n])",
            ),
        ];
        for (v, expected) in rows {
            assert_eq!(value(&v), expected);
        }
    }

    #[test]
    fn strings() {
        let rows = [
            (s(""), "\"\""),
            (
                s("tab\tq\"\\ é \u{7} \u{200b} \u{a0} 😀 ${x}"),
                r#""tab\tq\"\\ é \a \u200b \u00a0 😀 ${x}""#,
            ),
            (
                s("a\u{301}\u{f0000}\u{7f}\0\u{feff}\u{fffd}\r"),
                "\"\u{e1}\\U000f0000\\x7f\\x00\\ufeff\u{fffd}\\r\"",
            ),
            (s("a\nb"), "<<EOT\na\nb\nEOT"),
            (s("trailing\n"), "<<EOT\ntrailing\n\nEOT"),
            (
                Value::tuple(vec![s("a\nb\n"), Value::object([("x", s("l1\nEOT\n l2"))])]),
                "[\n  <<-EOT\n  a\n  b\n  \n  EOT,\n  {\n    \"x\" = <<-EOT_\n    l1\n    EOT\n     l2\n    EOT_\n  },\n]",
            ),
            (
                Value::object([("é\n", n("1"))]),
                "{\n  <<-EOT\n  é\n  \n  EOT = 1\n}",
            ),
        ];
        for (v, expected) in rows {
            assert_eq!(value(&v), expected);
        }
    }

    #[test]
    fn types() {
        let object = Type::object([("x", Type::Dynamic), ("y", Type::map(Type::String))]);
        let rows = [
            (Type::Dynamic, "dynamic"),
            (Type::set(Type::map(Type::Dynamic)), "set(map(dynamic))"),
            (Type::object::<&str>([]), "object({})"),
            (
                Type::map(Type::list(object)),
                "map(list(\n    object({\n        x: dynamic,\n        y: map(string),\n    }),\n))",
            ),
            (
                Type::tuple(vec![Type::String, Type::list(Type::tuple(vec![]))]),
                "tuple([\n    string,\n    list(\n        tuple([]),\n    ),\n])",
            ),
        ];
        for (t, expected) in rows {
            assert_eq!(ty(&t), expected);
        }
    }
}
