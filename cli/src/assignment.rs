//! `PATH=VALUE` in the language's syntax, for tampering with simulated objects.

use std::path::Path as FilePath;

use topo_engine::lang::ast::Target;
use topo_engine::lang::eval::{Scope, evaluate};
use topo_engine::lang::functions;
use topo_engine::lang::source::SourceFile;
use topo_engine::lang::syntax::parse_expression;
use topo_sdk::convert::convert;
use topo_sdk::{Diagnostics, Path, Step, Value};

/// Reads `spec[0].max_replicas=3`.
///
/// # Errors
/// When the text is not of this form, with what is wrong about it.
pub fn parse(text: &str) -> Result<(Path, Value), Diagnostics> {
    let Some((path, rest)) = parse_path(text.trim()) else {
        return Err(malformed(text));
    };
    let Some(value) = rest.trim_start().strip_prefix('=') else {
        return Err(malformed(text));
    };
    let file = SourceFile::new("VALUE", value.trim().to_string());
    let expression = parse_expression(&file)?;
    let value = evaluate(&expression, &Constants).map_err(|d| Diagnostics::from(*d))?;
    Ok((path, value))
}

/// The object with the value at the path replaced, converted to the type that is there.
///
/// # Errors
/// When the path leads nowhere or the value does not fit.
pub fn assign(object: Value, path: &Path, value: &Value) -> Result<Value, Diagnostics> {
    let Some(old) = object.at(path) else {
        let (last, parent) = match path.steps().split_last() {
            Some((last, parent)) => (last, Path::from(parent.to_vec())),
            None => return Err(nowhere(path, &object)),
        };
        // A new key of a map is the one thing that need not be there before.
        return match (object.at(&parent).map(Value::kind), last) {
            (Some(topo_sdk::Kind::Map(map)), Step::Key(key) | Step::Attribute(key)) => {
                let element = convert(value, &map.element).map_err(|e| misfit(path, &e.message))?;
                Ok(object
                    .clone()
                    .update_at(parent.steps(), &mut |map| map.with(key, element.clone())))
            }
            _ => Err(nowhere(path, &object)),
        };
    };
    let value = convert(value, &old.ty()).map_err(|e| misfit(path, &e.message))?;
    Ok(object
        .clone()
        .update_at(path.steps(), &mut |_| value.clone()))
}

fn malformed(text: &str) -> Diagnostics {
    Diagnostics::error(
        "Invalid assignment",
        format!(
            "{text:?} is not of the form PATH=VALUE. Paths and values are written as in the language: 'spec[0].max_replicas=3', 'tags[\"Name\"]=\"web\"'."
        ),
    )
}

fn nowhere(path: &Path, object: &Value) -> Diagnostics {
    let names: Vec<&str> = object
        .as_map()
        .into_iter()
        .flatten()
        .map(|(n, _)| &**n)
        .collect();
    Diagnostics::error(
        "No such attribute",
        format!(
            "The object has nothing at {path}. Its attributes are: {}.",
            names.join(", ")
        ),
    )
}

fn misfit(path: &Path, message: &str) -> Diagnostics {
    Diagnostics::error("Unsuitable value", format!("At {path}: {message}."))
}

/// The path that a text begins with, and what is behind it.
fn parse_path(text: &str) -> Option<(Path, &str)> {
    let (name, mut rest) = identifier(text)?;
    let mut path = Path::attribute(name);
    loop {
        if let Some(after) = rest.strip_prefix('.') {
            let (name, after) = identifier(after)?;
            path.push(match name.parse() {
                Ok(index) => Step::Index(index),
                Err(_) => Step::Attribute(name.into()),
            });
            rest = after;
        } else if let Some(after) = rest.strip_prefix("[\"") {
            let mut key = String::new();
            let mut chars = after.char_indices();
            let end = loop {
                match chars.next()? {
                    (_, '\\') => key.push(chars.next()?.1),
                    (i, '"') => break i,
                    (_, c) => key.push(c),
                }
            };
            path.push(Step::Key(key.into()));
            rest = after.get(end + 1..)?.strip_prefix(']')?;
        } else if let Some(after) = rest.strip_prefix('[') {
            let (index, after) = after.split_once(']')?;
            path.push(Step::Index(index.trim().parse().ok()?));
            rest = after;
        } else {
            return Some((path, rest));
        }
    }
}

fn identifier(text: &str) -> Option<(&str, &str)> {
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
        .unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// A scope with nothing in it.
struct Constants;

impl Scope for Constants {
    fn resolve(&self, target: &Target, _key: Option<&Value>) -> Result<Value, (String, String)> {
        Err((
            "Not a constant".into(),
            format!("Write a constant, not {target}. Text is written in quotes: 'name=\"web\"'."),
        ))
    }

    fn functions(&self) -> functions::Context<'_> {
        functions::Context {
            base_dir: FilePath::new("."),
            plan_time: jiff::Timestamp::UNIX_EPOCH,
            impure_unknown: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use topo_sdk::Type;

    use super::*;

    fn object() -> Value {
        let spec = Value::object([
            ("max", Value::from(10)),
            ("names", Value::null(Type::list(Type::String))),
        ]);
        let tags = Value::map(Type::String, [("a=b".into(), "c".into())].into());
        Value::object([("spec", Value::tuple(vec![spec])), ("tags", tags)])
    }

    fn set(text: &str) -> Result<Value, Diagnostics> {
        let (path, value) = parse(text)?;
        assign(object(), &path, &value)
    }

    #[test]
    fn assigns_by_path() {
        let path = Path::attribute("spec").index(0);
        let made = set("spec[0].max=3").unwrap();
        assert_eq!(made.at(&path.clone().attr("max")), Some(&Value::from(3)));
        // Converted to what is there: a string of digits becomes a number.
        assert_eq!(set("spec[0].max = \"3\"").unwrap(), made);
        let made = set("spec[0].names=[\"x\", \"y\"]").unwrap();
        assert_eq!(
            made.at(&path.attr("names")),
            Some(&Value::list(Type::String, vec!["x".into(), "y".into()]))
        );
        for text in ["tags[\"a=b\"]=\"=\"", "tags[\"new\"]=\"=\""] {
            let made = set(text).unwrap();
            assert!(
                made.get("tags")
                    .unwrap()
                    .children()
                    .any(|v| *v == "=".into())
            );
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for text in [
            "",
            "=3",
            "spec",
            "spec[=3",
            "spec[0]max=3",
            "spec[0].max=",
            "spec[0].max=x",
        ] {
            assert!(set(text).is_err(), "{text}");
        }
        let error = set("spec[0].maxx=3").unwrap_err().to_string();
        assert!(
            error.contains("spec[0].maxx") && error.contains("tags"),
            "{error}"
        );
        let error = set("spec[0].max=[]").unwrap_err().to_string();
        assert!(error.contains("number is required"), "{error}");
    }
}
