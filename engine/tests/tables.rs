//! Tables of expressions with what they come to: `engine/tests/tables/**/*.txt`.
//!
//! A row is one line; lines that start with four spaces continue it. `#` starts a comment line.
//!
//! - `EXPRESSION ==> EXPRESSION`: both come to the same value, type and marks included.
//! - `EXPRESSION ~~> TEXT`: the value is written as this text (see [`show`]): for unknown and
//!   marked values.
//! - `EXPRESSION !!> TEXT`: evaluation or parsing fails, and summary and detail contain the text.
//!
//! In scope are the values of [`Names`], and the folder `tables/files` as the base directory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use topo_engine::lang::ast::Target;
use topo_engine::lang::eval::{Scope, evaluate};
use topo_engine::lang::functions::Context;
use topo_engine::lang::operators::Failure;
use topo_engine::lang::source::SourceFile;
use topo_engine::lang::syntax::parse_expression;
use topo_sdk::{Kind, Marks, ObjectType, Refinements, Type, Value};

struct Names {
    files: PathBuf,
}

fn unknown(ty: Type, refinements: Refinements) -> Value {
    Value::unknown_refined(ty, refinements)
}

fn not_null() -> Refinements {
    Refinements {
        not_null: true,
        ..Refinements::default()
    }
}

/// `var.NAME`
fn variable(name: &str) -> Option<Value> {
    let strings = |items: &[&str]| {
        Value::list(
            Type::String,
            items.iter().map(|s| Value::string(*s)).collect(),
        )
    };
    let object_type = Type::Object(Arc::new(ObjectType {
        attributes: [("name".into(), Type::String), ("size".into(), Type::Number)].into(),
        optional: Default::default(),
    }));
    Some(match name {
        "unknown" => Value::unknown(Type::Dynamic),
        "unknown_string" => Value::unknown(Type::String),
        "unknown_number" => Value::unknown(Type::Number),
        "unknown_bool" => Value::unknown(Type::Bool),
        "unknown_list" => Value::unknown(Type::list(Type::String)),
        "unknown_set" => Value::unknown(Type::set(Type::String)),
        "unknown_map" => Value::unknown(Type::map(Type::String)),
        "unknown_object" => Value::unknown(object_type),
        "unknown_id" => unknown(Type::String, not_null()),
        "unknown_arn" => unknown(
            Type::String,
            Refinements {
                prefix: Some("arn:aws:".into()),
                ..not_null()
            },
        ),
        "unknown_two_or_three" => unknown(
            Type::list(Type::String),
            Refinements {
                min_length: 2,
                max_length: Some(3),
                ..not_null()
            },
        ),
        "list_with_unknown" => Value::list(
            Type::String,
            vec!["a".into(), Value::unknown(Type::String), "c".into()],
        ),
        "secret" => Value::string("hunter2").sensitive(),
        "secret_number" => Value::number(42).sensitive(),
        "secret_bool" => Value::from(true).sensitive(),
        "secret_list" => strings(&["a", "b"]).sensitive(),
        "secret_map" => {
            Value::map(Type::String, [("k".into(), Value::string("v"))].into()).sensitive()
        }
        "secret_unknown" => Value::unknown(Type::String).sensitive(),
        "list_with_secret" => Value::list(
            Type::String,
            vec!["a".into(), Value::string("b").sensitive()],
        ),
        "object_with_secret" => Value::object([
            ("name", Value::string("n")),
            ("password", Value::string("p").sensitive()),
        ]),
        "token" => Value::string("t0k3n").with_marks(Marks::EPHEMERAL),
        "null" => Value::NULL,
        "null_string" => Value::null(Type::String),
        "null_list" => Value::null(Type::list(Type::String)),
        "null_map" => Value::null(Type::map(Type::String)),
        "strings" => strings(&["b", "a", "c"]),
        "empty_list" => strings(&[]),
        "set" => Value::set(Type::String, vec!["b".into(), "a".into()]),
        "map" => Value::map(
            Type::String,
            [
                ("a".into(), Value::string("1")),
                ("b".into(), Value::string("2")),
            ]
            .into(),
        ),
        "numbers" => Value::list(Type::Number, vec![3.into(), 1.into(), 2.into()]),
        "object" => Value::object([("name", Value::string("x")), ("size", Value::number(3))]),
        "users" => Value::tuple(vec![
            Value::object([("name", Value::string("ann")), ("age", Value::number(31))]),
            Value::object([("name", Value::string("bob")), ("age", Value::number(29))]),
        ]),
        _ => return None,
    })
}

impl Scope for Names {
    fn resolve(&self, target: &Target, key: Option<&Value>) -> Result<Value, Failure> {
        let found = match target {
            Target::Variable(name) => variable(name),
            Target::PathModule => Some(Value::string(".")),
            _ => None,
        };
        match (found, key) {
            (Some(v), None) => Ok(v),
            _ => Err(("Unknown name".into(), format!("No {target} in tables."))),
        }
    }

    fn functions(&self) -> Context<'_> {
        Context {
            base_dir: &self.files,
            plan_time: "2026-01-02T03:04:05Z".parse().expect("a timestamp"),
            impure_unknown: false,
        }
    }
}

/// A value in full: types of collections, nulls and unknowns, refinements, marks.
fn show(v: &Value) -> String {
    let items = |items: &[Value]| items.iter().map(show).collect::<Vec<_>>().join(", ");
    let entries = |v: &Value| {
        v.as_map()
            .into_iter()
            .flatten()
            .map(|(k, v)| format!("{k:?} = {}", show(v)))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let text = match v.kind() {
        Kind::Null(ty) => format!("null({ty})"),
        Kind::Unknown(u) => {
            let mut text = format!("unknown({}", u.ty);
            let r = &u.refinements;
            if r.not_null {
                text.push_str(", not null");
            }
            if let Some(prefix) = &r.prefix {
                text.push_str(&format!(", prefix {prefix:?}"));
            }
            if r.min_length > 0 {
                text.push_str(&format!(", min {}", r.min_length));
            }
            if let Some(max) = r.max_length {
                text.push_str(&format!(", max {max}"));
            }
            text + ")"
        }
        Kind::Bool(b) => b.to_string(),
        Kind::Number(n) => n.to_string(),
        Kind::String(s) => format!("{s:?}"),
        Kind::List(s) => format!("list({})[{}]", s.element, items(&s.items)),
        Kind::Set(s) => format!("set({})[{}]", s.element, items(&s.items)),
        Kind::Map(m) => format!("map({}){{{}}}", m.element, entries(v)),
        Kind::Object(_) => format!("{{{}}}", entries(v)),
        Kind::Tuple(t) => format!("[{}]", items(t)),
    };
    let mut text = text;
    if v.marks().contains(Marks::SENSITIVE) {
        text = format!("sensitive({text})");
    }
    if v.marks().contains(Marks::EPHEMERAL) {
        text = format!("ephemeral({text})");
    }
    text
}

fn run(text: &str, names: &Names) -> Result<Value, String> {
    let file = SourceFile::new("table", text.to_string());
    let expression = parse_expression(&file).map_err(|ds| {
        ds.iter()
            .map(|d| format!("{}: {}", d.summary, d.detail))
            .collect::<Vec<_>>()
            .join("; ")
    })?;
    evaluate(&expression, names).map_err(|d| format!("{}: {}", d.summary, d.detail))
}

fn check(row: &str, names: &Names) -> Result<(), String> {
    let split = [" ==> ", " ~~> ", " !!> "]
        .iter()
        .filter_map(|arrow| row.rfind(arrow).map(|at| (at, *arrow)))
        .max();
    let Some((at, arrow)) = split else {
        return Err("no arrow in this row".into());
    };
    let (expression, expected) = (row[..at].trim(), row[at + arrow.len()..].trim());
    let made = run(expression, names);
    match (arrow, made) {
        (" !!> ", Err(e)) if e.contains(expected) => Ok(()),
        (" !!> ", other) => Err(format!(
            "came to {:?}",
            other.map(|v| show(&v)).unwrap_or_else(|e| e)
        )),
        (_, Err(e)) => Err(format!("failed: {e}")),
        (" ~~> ", Ok(v)) if show(&v) == expected => Ok(()),
        (" ~~> ", Ok(v)) => Err(format!("came to {}", show(&v))),
        (_, Ok(v)) => {
            let wanted = run(expected, names).map_err(|e| format!("expectation failed: {e}"))?;
            if show(&v) == show(&wanted) {
                Ok(())
            } else {
                Err(format!("came to {}, not {}", show(&v), show(&wanted)))
            }
        }
    }
}

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("the tables' folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && path.file_name().is_some_and(|n| n != "files") {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "txt") {
            found.push(path);
        }
    }
}

#[test]
fn every_row_holds() {
    let tables = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tables");
    let names = Names {
        files: tables.join("files"),
    };
    let mut found = Vec::new();
    files(&tables, &mut found);
    found.sort();
    let mut rows = 0;
    let mut wrong = Vec::new();
    for path in &found {
        let text = std::fs::read_to_string(path).expect("a table");
        let mut row: Option<(usize, String)> = None;
        let mut finish = |row: &mut Option<(usize, String)>| {
            if let Some((line, text)) = row.take() {
                rows += 1;
                if let Err(e) = check(&text, &names) {
                    let name = path.strip_prefix(&tables).unwrap_or(path).display();
                    wrong.push(format!("{name}:{line}: {text}\n    {e}"));
                }
            }
        };
        for (line, text) in (1..).zip(text.lines()) {
            if let (Some(rest), Some((_, row))) = (text.strip_prefix("    "), row.as_mut()) {
                row.push('\n');
                row.push_str(rest);
                continue;
            }
            finish(&mut row);
            if !(text.trim().is_empty() || text.starts_with('#')) {
                row = Some((line, text.to_string()));
            }
        }
        finish(&mut row);
    }
    assert!(
        wrong.is_empty(),
        "{} of {rows} rows do not hold:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(rows > 0);
    #[expect(clippy::print_stderr, reason = "how much was checked is worth knowing")]
    {
        eprintln!("{rows} rows in {} tables hold", found.len());
    }
}
