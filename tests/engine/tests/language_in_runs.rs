//! The language by example: expressions with what they come to, checked against what Terraform
//! 1.11's console answers; and expressions that are errors.

use std::path::Path;
use std::sync::Arc;

use topo_engine::lang::ast::Target;
use topo_engine::lang::eval::{Scope, evaluate};
use topo_engine::lang::functions::Context;
use topo_engine::lang::operators::Failure;
use topo_engine::lang::source::SourceFile;
use topo_engine::lang::syntax::parse_expression;
use topo_engine::store::OutputRecord;
use topo_engine_tests::Scenario;
use topo_sdk::json::to_json;
use topo_sdk::{Type, Value};

/// A few variables: `var.u` (unknown string), `var.ul` (unknown list), `var.s` (sensitive).
struct Few;

impl Scope for Few {
    fn resolve(&self, target: &Target, _key: Option<&Value>) -> Result<Value, Failure> {
        let Target::Variable(name) = target else {
            return Err(("No such thing".into(), target.to_string()));
        };
        Ok(match &**name {
            "u" => Value::unknown(Type::String),
            "n" => Value::unknown(Type::Number),
            "b" => Value::unknown(Type::Bool),
            "ul" => Value::unknown(Type::list(Type::String)),
            "s" => Value::from("secret").sensitive(),
            "nothing" => Value::null(Type::String),
            _ => return Err(("No such variable".into(), name.to_string())),
        })
    }

    fn functions(&self) -> Context<'_> {
        Context {
            base_dir: Path::new("."),
            plan_time: jiff::Timestamp::UNIX_EPOCH,
            impure_unknown: false,
        }
    }
}

fn run(text: &str) -> Result<Value, String> {
    let file = SourceFile::new("expression", text.to_string());
    let expression = parse_expression(&file).map_err(|ds| ds.to_string())?;
    evaluate(&expression, &Few).map_err(|d| format!("{}: {}", d.summary, d.detail))
}

fn shown(text: &str) -> String {
    match run(text) {
        Err(e) => format!("error: {e}"),
        Ok(v) if v.is_sensitive() => "sensitive".into(),
        Ok(v) if !v.is_known() => format!("unknown {}", v.ty()),
        Ok(v) => to_json(&v.unmark_deep()).to_string(),
    }
}

#[track_caller]
fn check(rows: &[(&str, &str)]) {
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|(text, expected)| {
            let found = shown(text);
            let right = match expected.strip_prefix("error: ") {
                Some(part) => found.starts_with("error: ") && found.contains(part),
                None => found == *expected,
            };
            (!right).then(|| format!("{text}\n  is       {found}\n  expected {expected}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn operators() {
    check(&[
        ("1 + 2 * 3 - 4 / 8", "6.5"),
        ("7 % 3", "1"),
        ("-7 % 3", "-1"),
        ("0.1 + 0.2", "0.3"),
        ("10 / 4", "2.5"),
        ("\"5\" + 1", "6"),
        ("1 == 1.0", "true"),
        ("\"1\" == 1", "false"),
        ("[1, 2] == [1, 2]", "true"),
        ("[1, \"a\"] != [1, \"b\"]", "true"),
        ("{ a = 1 } == { a = 1 }", "true"),
        ("null == null", "true"),
        ("1 < 2 && !(3 >= 4) || false", "true"),
        ("!\"true\"", "false"),
        ("-\"3\"", "-3"),
        (
            "\"n${99999999999999999999 + 1}\"",
            "\"n100000000000000000000\"",
        ),
        ("123456789012", "123456789012"),
        ("1e3", "1000"),
        ("1.50", "1.5"),
        ("1/0", "error: "),
        ("-\"x\"", "error: Invalid operand"),
        ("1 && true", "error: Invalid operand"),
        ("\"a\" < \"b\"", "error: Invalid operand"),
    ]);
}

#[test]
fn conditionals() {
    check(&[
        ("2 > 1 ? \"yes\" : \"no\"", "\"yes\""),
        ("true ? 1 : \"a\"", "\"1\""),
        ("false ? [1] : [2, 3]", "[2,3]"),
        ("true ? null : \"x\"", "null"),
        ("true ? [] : [\"a\"]", "[]"),
        ("var.b ? \"a\" : \"b\"", "unknown string"),
        ("var.b ? 1 : 2", "unknown number"),
        ("var.s == \"secret\" ? 1 : 2", "sensitive"),
        ("null ? 1 : 2", "error: "),
    ]);
    assert_eq!(run("true ? null : \"x\"").unwrap().ty(), Type::String);
    assert_eq!(
        run("true ? { a = 1 } : { a = 2, b = 3 }").unwrap().ty(),
        Type::map(Type::Number)
    );
    assert_eq!(
        run("false ? [1] : [2, 3]").unwrap().ty(),
        Type::list(Type::Number)
    );
}

#[test]
fn for_expressions() {
    check(&[
        ("[for x in [1, 2, 3] : x * 2 if x != 2]", "[2,6]"),
        (
            "[for i, x in [\"a\", \"b\"] : \"${i}${x}\"]",
            "[\"0a\",\"1b\"]",
        ),
        (
            "{for k, v in { a = 1, b = 2 } : upper(k) => v + 1}",
            "{\"A\":2,\"B\":3}",
        ),
        (
            "{for x in [\"a\", \"b\", \"aa\"] : substr(x, 0, 1) => x...}",
            "{\"a\":[\"a\",\"aa\"],\"b\":[\"b\"]}",
        ),
        ("[for k, v in { b = 1, a = 2 } : k]", "[\"a\",\"b\"]"),
        ("[for s in toset([\"b\", \"a\"]) : s]", "[\"a\",\"b\"]"),
        (
            "[for x in [{ n = \"a\", v = [1, 2] }] : [for y in x.v : \"${x.n}${y}\"]]",
            "[[\"a1\",\"a2\"]]",
        ),
        ("[for x in var.ul : x]", "unknown any"),
        (
            "{for x in [\"a\", \"a\"] : x => 1}",
            "error: Duplicate object key",
        ),
        ("[for x in 1 : x]", "error: "),
        ("[for x in null : x]", "error: null"),
    ]);
}

#[test]
fn splats_and_indices() {
    check(&[
        ("[{ a = 1 }, { a = 2 }][*].a", "[1,2]"),
        ("[{ a = [1, 2] }, { a = [3] }][*].a[0]", "[1,3]"),
        ("[{ a = 1 }, { a = 2 }].*.a", "[1,2]"),
        ("\"x\"[*]", "[\"x\"]"),
        ("null[*]", "[]"),
        ("var.nothing[*]", "[]"),
        ("{ a = 1 }[*].a", "[1]"),
        ("[\"a\", \"b\"].1", "\"b\""),
        ("[1, 2][\"1\"]", "2"),
        ("{ a = 1 }[\"a\"]", "1"),
        ("var.ul[0]", "unknown string"),
        ("[1, 2][-1]", "error: Invalid index"),
        ("[1, 2][2]", "error: Invalid index"),
        ("{ a = 1 }.b", "error: Unsupported attribute"),
    ]);
}

#[test]
fn objects() {
    check(&[
        (
            "{ \"a b\" = 1, (upper(\"c\")) = 2, d : 3 }",
            "{\"C\":2,\"a b\":1,\"d\":3}",
        ),
        ("{ \"${\"x\"}y\" = 1 }", "{\"xy\":1}"),
        ("{ (null) = 1 }", "error: null"),
    ]);
}

#[test]
fn templates() {
    check(&[
        ("\"a${1}b${true}\"", "\"a1btrue\""),
        ("\"${[1]}\"", "[1]"),
        ("\"${\"only\"}\"", "\"only\""),
        ("\"${5}\"", "5"),
        ("\"$${x} %%{y}\"", "\"${x} %{y}\""),
        ("\"%{ if true }yes%{ else }no%{ endif }\"", "\"yes\""),
        (
            "\"%{ for x in [\"a\", \"b\"] }<${x}>%{ endfor }\"",
            "\"<a><b>\"",
        ),
        (
            "\"%{ for i, x in [\"a\", \"b\"] ~} ${i}=${x} %{~ endfor }\"",
            "\"0=a1=b\"",
        ),
        ("\"a ${~ \"b\" ~} c\"", "\"abc\""),
        ("\"tab\\tquote\\\"uni\\u00e9\"", "\"tab\\tquote\\\"unié\""),
        ("\"a${var.u}\"", "unknown string"),
        ("\"a${var.s}\"", "sensitive"),
        ("\"a${null}b\"", "error: "),
        ("\"a${[1]}b\"", "error: "),
    ]);
}

#[tokio::test]
async fn heredocs() {
    let s = Scenario::new(
        r#"
output "plain" {
  value = <<EOT
a
  b ${1 + 1}
EOT
}
output "indented" {
  value = <<-EOT
    a
      b
    c ${"x"}
  EOT
}
output "directives" {
  value = <<-EOT
    %{ for x in ["a", "b"] ~}
    - ${x}
    %{ endfor ~}
    end
  EOT
}
output "stripped" {
  value = <<-EOT
      %{ if true ~}
      yes
      %{ endif ~}
    less
  EOT
}
output "kept" {
  value = <<-EOT
    %{ if true }
    yes
    %{ else }
    no
    %{ endif }
    x = ${"a\n  b"}
      in
  EOT
}
output "literal" {
  value = <<EOT
no \n escape $${x}
EOT
}
"#,
    );
    let outcome = s.apply().await;
    let outputs = &outcome.outputs;
    // As Terraform 1.11 has them.
    let text = |name: &str| outputs[name].value.as_str().unwrap().to_string();
    assert_eq!(text("plain"), "a\n  b 2\n");
    assert_eq!(text("indented"), "a\n  b\nc x\n");
    assert_eq!(text("directives"), "    - a\n    - b\n    end\n");
    assert_eq!(text("stripped"), "      yes\n    less\n");
    assert_eq!(text("kept"), "\nyes\n\nx = a\n  b\n  in\n");
    assert_eq!(text("literal"), "no \\n escape ${x}\n");
}

#[test]
fn try_can_and_functions() {
    check(&[
        ("try(null.x, \"fallback\")", "\"fallback\""),
        ("try({ a = 1 }.b, \"no b\")", "\"no b\""),
        ("try([1][5], [1][0])", "1"),
        ("can({ a = 1 }.b)", "false"),
        ("can(1 + 1)", "true"),
        ("try(1/0, 2)", "2"),
        ("length({ a = 1 })", "1"),
        ("tolist([\"a\", 1])", "[\"a\",\"1\"]"),
        ("max([1, 5, 3]...)", "5"),
        (
            "merge({ a = 1 }, { b = 2 }, { a = 3 })",
            "{\"a\":3,\"b\":2}",
        ),
        ("coalesce(null, \"\", \"x\")", "\"x\""),
        ("lookup({ a = 1 }, \"z\", 9)", "9"),
        ("flatten([[1, [2]], [3]])", "[1,2,3]"),
        (
            "jsonencode({ a = [1, \"x\", null, true] })",
            "\"{\\\"a\\\":[1,\\\"x\\\",null,true]}\"",
        ),
        ("format(\"%s-%03d\", \"a\", 7)", "\"a-007\""),
        ("cidrsubnet(\"10.0.0.0/16\", 8, 2)", "\"10.0.2.0/24\""),
        ("toset([\"a\", \"b\", \"a\"])", "[\"a\",\"b\"]"),
        ("element([\"a\", \"b\"], 3)", "\"b\""),
        ("upper(var.u)", "unknown string"),
        ("upper(var.s)", "sensitive"),
        ("nonsensitive(var.s)", "\"secret\""),
        ("length(var.ul)", "unknown number"),
        ("var.n + 1", "unknown number"),
        ("var.n > 1 && false", "false"),
        ("tonumber(\"x\")", "error: "),
        ("nothing(1)", "error: "),
    ]);
}

fn output(outputs: &std::collections::BTreeMap<Arc<str>, OutputRecord>, name: &str) -> String {
    to_json(&outputs[name].value).to_string()
}

/// Markers strip no further than the line they are next to.
const LINES: &str = r#"x:
%{ for x in xs ~}
  - ${x}
%{ endfor ~}
  %{ if true ~}
    deep
  %{ endif ~}
end   ${~ "z" ~}
   tail
%{ for x in xs }
- ${x}
%{~ endfor }
done
"#;

#[tokio::test]
async fn type_constraints_defaults_and_template_files() {
    let s = Scenario::new(
        r#"
        variable "v" {
          type = object({
            name  = string
            size  = optional(number, 3)
            tags  = optional(map(string), { a = "b" })
            inner = optional(object({ on = optional(bool, true) }), {})
            none  = optional(string)
          })
          default = { name = "n", extra = 1 }
        }
        variable "list" {
          type    = list(object({ a = optional(string, "x") }))
          default = [{}, { a = "y" }]
        }
        variable "set" {
          type    = set(string)
          default = ["b", "a", "b"]
        }
        variable "pair" {
          type    = tuple([string, number])
          default = [1, "2"]
        }
        output "v"    { value = var.v }
        output "list" { value = var.list[*].a }
        output "set"  { value = var.set }
        output "pair" { value = var.pair }
        output "file" { value = templatefile("${path.module}/t.tftpl", { who = "you", xs = [1, 2] }) }
        output "lines" { value = templatefile("lines.tftpl", { xs = ["a", "b"] }) }
        output "text" { value = file("t.tftpl") }
        "#,
    );
    s.write(
        "t.tftpl",
        "hello ${who}\n%{ for x in xs ~}\n- ${x}\n%{ endfor ~}\n",
    );
    s.write("lines.tftpl", LINES);
    let outcome = s.apply().await;
    let outputs = &outcome.outputs;
    assert_eq!(
        output(outputs, "v"),
        r#"{"inner":{"on":true},"name":"n","none":null,"size":3,"tags":{"a":"b"}}"#
    );
    assert_eq!(output(outputs, "list"), r#"["x","y"]"#);
    assert_eq!(output(outputs, "set"), r#"["a","b"]"#);
    assert_eq!(output(outputs, "pair"), r#"["1",2]"#);
    assert_eq!(output(outputs, "file"), r#""hello you\n- 1\n- 2\n""#);
    assert_eq!(
        outputs["lines"].value.as_str(),
        Some("x:\n  - a\n  - b\n      deep\n  endz   tail\n\n- a\n- b\ndone\n")
    );
    s.assert_settled().await;
}
