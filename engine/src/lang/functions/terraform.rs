//! The functions of the provider `terraform`: values as text in the language's syntax, and back.
//!
//! The layout of what is encoded is that of the peers' formatter: two spaces for each line that
//! opens more brackets than it closes, and the equals signs of neighbouring lines below each
//! other where a line holds a whole argument.

use hcl_edit::visit::Visit;
use topo_sdk::{Kind, Value};
use unicode_segmentation::UnicodeSegmentation;

use super::ParamType as T;
use super::{Context, Function, FunctionError, Param, returns_any, returns_string, text};
use crate::lang::escape::quote;
use crate::lang::eval::evaluate;
use crate::lang::source::SourceFile;
use crate::lang::syntax::{parse_body, span_of, translate};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "decode_tfvars",
        "The variables that a text in the syntax of a .tfvars file assigns.",
        &[Param::new("src", T::String, "The text.")],
        returns_any,
        decode_tfvars,
    ),
    Function::new(
        "encode_expr",
        "The value as an expression.",
        &[Param::new("value", T::Any, "The value.").whole()],
        returns_string,
        encode_expr,
    ),
    Function::new(
        "encode_tfvars",
        "The attributes of an object in the syntax of a .tfvars file.",
        &[Param::new(
            "value",
            T::Any,
            "The object, an attribute for each variable.",
        )
        .whole()],
        returns_string,
        encode_tfvars,
    ),
];

/// The name under which errors speak of the text.
const SOURCE: &str = "<decode_tfvars argument>";

fn decode_tfvars(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let file = SourceFile::new(SOURCE, text(args, 0)?.to_string());
    let place = |range: Option<&topo_sdk::SourceRange>| {
        let start = range.map(|r| r.start);
        start.map_or_else(
            || SOURCE.to_string(),
            |at| format!("{SOURCE}:{},{}", at.line, at.column),
        )
    };
    let fail = |what: &str, d: &topo_sdk::Diagnostic| {
        let detail = d.detail.trim_end_matches('.');
        let at = place(d.range.as_ref());
        FunctionError::at(0, format!("invalid {what}: {at}: {}; {detail}", d.summary))
    };
    let (file, body) = parse_body(&file).map_err(|d| fail("tfvars syntax", &d))?;
    if let Some(block) = body.blocks().next() {
        let at = place(Some(&file.range(span_of(&block.ident))));
        let name = block.ident.as_str();
        return Err(FunctionError::at(
            0,
            format!(
                "invalid tfvars content: {at}: unexpected block {name:?}; blocks are not allowed here"
            ),
        ));
    }
    let mut found = std::collections::BTreeMap::new();
    for a in body.attributes() {
        let name = a.key.as_str();
        let what = format!("expression for variable {name:?}");
        let mut calls = Calls(None);
        calls.visit_expr(&a.value);
        if let Some(call) = calls.0 {
            let at = place(Some(&file.range(call)));
            return Err(FunctionError::at(
                0,
                format!("invalid {what}: {at}: functions may not be called here"),
            ));
        }
        let mut diagnostics = topo_sdk::Diagnostics::new();
        let expression = translate(&file, &a.value, &[], &mut diagnostics);
        if let Some(d) = diagnostics.iter().next() {
            return Err(fail(&what, d));
        }
        let value = evaluate(&expression, &crate::config::Nothing).map_err(|d| fail(&what, &d))?;
        found.insert(name.into(), value);
    }
    Ok(Value::new(Kind::Object(std::sync::Arc::new(found))))
}

/// Finds the first function call of an expression.
struct Calls(Option<crate::lang::source::Span>);

impl Visit for Calls {
    fn visit_func_call(&mut self, call: &hcl_edit::expr::FuncCall) {
        if self.0.is_none() {
            self.0 = Some(span_of(call));
        }
    }
}

fn encode_expr(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let mut lines = Lines::default();
    if let Some(value) = args.first() {
        lines.value(value);
    }
    Ok(lines.finish().into())
}

fn encode_tfvars(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let Some(variables) = args.first().and_then(Value::as_map) else {
        return Err(FunctionError::at(
            0,
            "invalid value to encode: must be an object whose attribute names will become the encoded variable names",
        ));
    };
    let mut lines = Lines::default();
    for (name, value) in variables {
        if !is_identifier(name) {
            return Err(FunctionError::at(
                0,
                format!(
                    "invalid variable name {name:?}: must be a valid identifier, as the name of an input variable must be"
                ),
            ));
        }
        lines.argument(name, value);
    }
    Ok(lines.finish().into())
}

fn is_identifier(name: &str) -> bool {
    hcl_edit::Ident::try_new(name).is_ok()
}

/// Text under construction.
#[derive(Default)]
struct Lines {
    done: Vec<Line>,
    open: Line,
}

#[derive(Default)]
struct Line {
    /// Without indentation.
    text: String,
    /// Where the equals sign is, in bytes, for a line that holds a whole argument.
    equals: Option<usize>,
    /// Brackets opened less brackets closed.
    net: i32,
}

impl Lines {
    fn end_line(&mut self) {
        self.done.push(std::mem::take(&mut self.open));
    }

    fn bracket(&mut self, bracket: char) {
        self.open.text.push(bracket);
        self.open.net += if matches!(bracket, '[' | '{') { 1 } else { -1 };
    }

    fn argument(&mut self, name: &str, value: &Value) {
        self.open.text.push_str(name);
        self.open.text.push(' ');
        let equals = self.open.text.len();
        self.open.text.push_str("= ");
        let line = self.done.len();
        self.value(value);
        if self.done.len() == line {
            self.open.equals = Some(equals);
        }
        self.end_line();
    }

    fn value(&mut self, value: &Value) {
        match value.kind() {
            Kind::Bool(b) => self.open.text.push_str(&b.to_string()),
            Kind::Number(n) => self.open.text.push_str(&n.to_string()),
            Kind::String(s) => self.open.text.push_str(&quote(s)),
            Kind::List(_) | Kind::Set(_) | Kind::Tuple(_) => {
                self.bracket('[');
                for (i, item) in value.children().enumerate() {
                    if i > 0 {
                        self.open.text.push_str(", ");
                    }
                    self.value(item);
                }
                self.bracket(']');
            }
            Kind::Map(_) | Kind::Object(_) => {
                let entries = value.as_map().into_iter().flatten();
                self.bracket('{');
                for (i, (key, item)) in entries.enumerate() {
                    if i == 0 {
                        self.end_line();
                    }
                    if is_identifier(key) {
                        self.argument(key, item);
                    } else {
                        self.argument(&quote(key), item);
                    }
                }
                self.bracket('}');
            }
            // The call has made sure that nothing is unknown.
            Kind::Null(_) | Kind::Unknown(_) => self.open.text.push_str("null"),
        }
    }

    /// The text, indented and aligned.
    fn finish(mut self) -> String {
        let ends_in_newline = self.open.text.is_empty();
        if !ends_in_newline {
            self.end_line();
        }
        align(&mut self.done);
        let mut levels: Vec<i32> = Vec::new();
        let mut made = String::new();
        for line in &self.done {
            let mut closed = -line.net;
            while closed > 0 {
                match levels.pop() {
                    Some(level) if level > closed => {
                        levels.push(level - closed);
                        closed = 0;
                    }
                    Some(level) => closed -= level,
                    None => closed = 0,
                }
            }
            made.push_str(&"  ".repeat(levels.len()));
            made.push_str(&line.text);
            made.push('\n');
            if line.net > 0 {
                levels.push(line.net);
            }
        }
        if !ends_in_newline {
            made.pop();
        }
        made
    }
}

/// Brings the equals signs of neighbouring whole arguments below each other.
fn align(lines: &mut [Line]) {
    let width =
        |line: &Line, at: usize| line.text.get(..at).map_or(0, |t| t.graphemes(true).count());
    for run in lines.chunk_by_mut(|a, b| a.equals.is_some() && b.equals.is_some()) {
        let widths = run.iter().filter_map(|l| Some(width(l, l.equals?)));
        let widest = widths.max().unwrap_or(0);
        for line in run {
            if let Some(at) = line.equals {
                let missing = widest - width(line, at);
                line.text.insert_str(at, &" ".repeat(missing));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::testing::*;
    use super::*;

    fn run(name: &str, arg: Value) -> Result<Value, FunctionError> {
        let ctx = Context {
            base_dir: Path::new("."),
            plan_time: jiff::Timestamp::UNIX_EPOCH,
            impure_unknown: false,
        };
        let f = FUNCTIONS.iter().find(|f| f.name == name).unwrap();
        super::super::call(f, &ctx, &[arg])
    }

    /// Results as Terraform 1.11 has them.
    #[test]
    fn expressions() {
        let rows = [
            (j("true"), "true"),
            (j("-1"), "-1"),
            (j("1.5e30"), "1500000000000000000000000000000"),
            (
                j(r#""multi\nline ${x} %{y}""#),
                r#""multi\nline $${x} %%{y}""#,
            ),
            (j("[]"), "[]"),
            (j("[[]]"), "[[]]"),
            (j("{}"), "{}"),
            (
                Value::set(topo_sdk::Type::String, vec![s("b"), s("a")]),
                r#"["a", "b"]"#,
            ),
            (
                j(r#"{"a":1,"b c":[1,2,"x"],"d":null,"e":{},"for":1}"#),
                "{\n  a     = 1\n  \"b c\" = [1, 2, \"x\"]\n  d     = null\n  e     = {}\n  for   = 1\n}",
            ),
            (
                j(r#"{"aaa":1,"b":[{"c":1}],"dddd":2,"ee":3,"g":{"h":1},"iii":4}"#),
                "{\n  aaa = 1\n  b = [{\n    c = 1\n  }]\n  dddd = 2\n  ee   = 3\n  g = {\n    h = 1\n  }\n  iii = 4\n}",
            ),
            (
                j(r#"[1,{"a":[{"b":1}]}]"#),
                "[1, {\n  a = [{\n    b = 1\n  }]\n}]",
            ),
            (
                j(r#"[{"a":1},{"b":2}]"#),
                "[{\n  a = 1\n  }, {\n  b = 2\n}]",
            ),
            (
                j(r#"{"1a":1,"a-b":2,"-a":3,"":4,"é":5}"#),
                "{\n  \"\"   = 4\n  \"-a\" = 3\n  \"1a\" = 1\n  a-b  = 2\n  é    = 5\n}",
            ),
        ];
        for (value, expected) in rows {
            assert_eq!(run("encode_expr", value).unwrap(), s(expected));
        }
    }

    #[test]
    fn definitions() {
        let value = j(r#"{"a":[{"b":1}],"bbb":"x\ny","c":1}"#);
        let encoded = "a = [{\n  b = 1\n}]\nbbb = \"x\\ny\"\nc   = 1\n";
        assert_eq!(run("encode_tfvars", value.clone()).unwrap(), s(encoded));
        assert_eq!(run("decode_tfvars", s(encoded)).unwrap(), value);
        assert_eq!(run("encode_tfvars", j("{}")).unwrap(), s(""));
        assert_eq!(run("decode_tfvars", s("")).unwrap(), j("{}"));
        assert_eq!(
            run("decode_tfvars", s("a = null\nb = \"x${1 + 1}\"")).unwrap(),
            j(r#"{"a":null,"b":"x2"}"#)
        );
    }

    #[test]
    fn refusals() {
        let rows = [
            ("encode_expr", Value::NULL, "must not be null"),
            ("encode_tfvars", j("[1]"), "must be an object"),
            (
                "encode_tfvars",
                j(r#"{"a b":1}"#),
                "invalid variable name \"a b\"",
            ),
            (
                "encode_tfvars",
                j(r#"{"1":1}"#),
                "invalid variable name \"1\"",
            ),
            (
                "decode_tfvars",
                s("a = "),
                "invalid tfvars syntax: <decode_tfvars argument>:1",
            ),
            (
                "decode_tfvars",
                s("a = 1\nb = c"),
                "invalid expression for variable \"b\"",
            ),
            ("decode_tfvars", s("a = var.b"), "Only constants"),
            (
                "decode_tfvars",
                s("a = [upper(1)]"),
                "<decode_tfvars argument>:1,6: functions may not be called",
            ),
            ("decode_tfvars", s("a {}"), "blocks are not allowed"),
            (
                "decode_tfvars",
                s("a=1\na=2"),
                "<decode_tfvars argument>:2,1: ",
            ),
            ("decode_tfvars", j("1"), "invalid tfvars syntax"),
        ];
        for (name, arg, expected) in rows {
            let e = run(name, arg).unwrap_err();
            assert!(e.message.contains(expected), "{name}: {e}");
        }
    }

    #[test]
    fn unknown_and_sensitive() {
        let inside = Value::object([("a", Value::unknown(topo_sdk::Type::String))]);
        assert!(!run("encode_tfvars", inside.clone()).unwrap().is_known());
        assert!(!run("encode_expr", inside).unwrap().is_known());
        let secret = Value::object([("a", s("x").sensitive())]);
        let made = run("encode_tfvars", secret).unwrap();
        assert!(made.is_sensitive());
        assert_eq!(made.unmark(), s("a = \"x\"\n"));
        let later = run("decode_tfvars", Value::unknown(topo_sdk::Type::String)).unwrap();
        assert_eq!(later.ty(), topo_sdk::Type::Dynamic);
    }
}
