//! The two syntaxes agree: what is written in either comes to the same value.

use std::fmt::Write as _;
use std::path::Path;

use proptest::prelude::*;
use topo_engine::lang::ast::Target;
use topo_engine::lang::eval::{Scope, evaluate};
use topo_engine::lang::functions::Context;
use topo_engine::lang::operators::Failure;
use topo_engine::lang::source::SourceFile;
use topo_engine::lang::structure::Parsed;
use topo_sdk::{Diagnostics, Type, Value};

/// What a configuration says, before it is written in a syntax.
#[derive(Debug, Clone)]
enum Said {
    Null,
    Bool(bool),
    Number(i64, u32),
    /// Text and interpolated expressions, in turn.
    Text(Vec<(String, Option<&'static str>)>),
    List(Vec<Said>),
    Object(Vec<(String, Said)>),
}

/// Expressions that a string may interpolate.
const INTERPOLATED: [&str; 6] = [
    "var.name",
    "1 + 2",
    "upper(\"é\")",
    "[for x in [\"a\", \"b\"] : \"${x}!\"][1]",
    "var.later",
    "{ a = \"}\" }.a",
];

fn said() -> impl Strategy<Value = Said> {
    let text = || {
        let part = (
            "[ -~éß😀\n\t\\\\\"$%{}]{0,8}",
            prop::option::weighted(0.4, prop::sample::select(INTERPOLATED.to_vec())),
        );
        prop::collection::vec(part, 0..3)
    };
    let leaf = prop_oneof![
        Just(Said::Null),
        any::<bool>().prop_map(Said::Bool),
        (-1_000_000_i64..1_000_000, 0_u32..1000).prop_map(|(a, b)| Said::Number(a, b)),
        text().prop_map(Said::Text),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Said::List),
            prop::collection::btree_map("[a-z][a-z0-9 é\"-]{0,6}", inner, 0..4)
                .prop_map(|m| Said::Object(m.into_iter().collect())),
        ]
    })
}

/// Text in a template, where `${` and `%{` would begin something.
fn escaped(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}

/// Text with a `$` or `%` at its end, before an interpolation, would read as an escape.
fn parts(parts: &[(String, Option<&'static str>)]) -> Vec<(String, Option<&'static str>)> {
    parts
        .iter()
        .map(|(text, e)| {
            let text = text
                .trim_end_matches(['$', '%'])
                .replace("$$", "$")
                .replace("%%", "%");
            (text, *e)
        })
        .collect()
}

fn template(said: &[(String, Option<&'static str>)], quote: &dyn Fn(&str) -> String) -> String {
    let mut out = String::new();
    for (text, expression) in parts(said) {
        out.push_str(&quote(&escaped(&text)));
        if let Some(e) = expression {
            let _ = write!(out, "${{{e}}}");
        }
    }
    out
}

fn native_quote(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
        .replace('\t', "\\t")
}

fn native(said: &Said) -> String {
    match said {
        Said::Null => "null".into(),
        Said::Bool(b) => b.to_string(),
        Said::Number(a, b) => format!("{a}.{b:03}"),
        Said::Text(parts) => format!("\"{}\"", template(parts, &native_quote)),
        Said::List(items) => format!(
            "[{}]",
            items.iter().map(native).collect::<Vec<_>>().join(", ")
        ),
        Said::Object(entries) => format!(
            "{{\n{}}}",
            entries
                .iter()
                .map(|(k, v)| format!("\"{}\" = {}\n", native_quote(&escaped(k)), native(v)))
                .collect::<String>()
        ),
    }
}

/// JSON by hand, for numbers are to keep their digits.
fn json_text(said: &Said) -> String {
    match said {
        Said::Number(a, b) => format!("{a}.{b:03}"),
        Said::List(items) => format!(
            "[{}]",
            items.iter().map(json_text).collect::<Vec<_>>().join(",")
        ),
        Said::Object(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(k, v)| format!("{}: {}", serde_json::Value::from(escaped(k)), json_text(v)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        Said::Null => "null".into(),
        Said::Bool(b) => b.to_string(),
        Said::Text(parts) => {
            serde_json::Value::from(template(parts, &|t: &str| t.to_string())).to_string()
        }
    }
}

struct Names;

impl Scope for Names {
    fn resolve(&self, target: &Target, _key: Option<&Value>) -> Result<Value, Failure> {
        match target {
            Target::Variable(n) if &**n == "name" => Ok(Value::string("kong").sensitive()),
            Target::Variable(n) if &**n == "later" => Ok(Value::unknown(Type::String)),
            other => Err(("No such name".into(), other.to_string())),
        }
    }

    fn functions(&self) -> Context<'_> {
        Context {
            base_dir: Path::new("."),
            plan_time: jiff::Timestamp::UNIX_EPOCH,
            impure_unknown: false,
        }
    }
}

/// The value of the argument `x` of a file.
fn value(name: &str, text: String) -> Result<Value, String> {
    let shown = text.clone();
    let parsed = Parsed::new(SourceFile::new(name, text)).map_err(|e| format!("{e}\n{shown}"))?;
    let mut diagnostics = Diagnostics::new();
    let content = parsed.body(&mut diagnostics).content(&[], &mut diagnostics);
    let a = content.get("x").ok_or("no x")?;
    let e = a.value.expression(&[], &mut diagnostics);
    if diagnostics.has_errors() {
        return Err(format!("{diagnostics}\n{shown}"));
    }
    evaluate(&e, &Names).map_err(|d| format!("{}: {}\n{shown}", d.summary, d.detail))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn json_and_native_syntax_agree(said in said()) {
        let a = value("a.tf", format!("x = {}\n", native(&said)));
        let b = value("a.tf.json", format!("{{\"x\": {}}}", json_text(&said)));
        match (a, b) {
            (Ok(a), Ok(b)) => {
                prop_assert_eq!(a.ty(), b.ty());
                prop_assert_eq!(a.deep_marks(), b.deep_marks());
                prop_assert_eq!(a, b);
            }
            (a, b) => prop_assert!(false, "native: {a:?}\njson: {b:?}"),
        }
    }
}
