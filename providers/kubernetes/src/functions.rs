//! The functions of the provider, as its documentation has them: manifests between YAML and
//! values of the language.

use serde::Deserialize;
use serde_yaml_ng::Value as Yaml;
use topo_sdk::{Function, FunctionError, Number, Parameter, Type, Value};

use crate::yaml;

/// Every function of the provider.
pub(crate) fn functions() -> Vec<Function> {
    let manifest = || {
        vec![Parameter::new(
            "manifest",
            Type::String,
            "The manifest, in YAML.",
        )]
    };
    vec![
        Function {
            name: "manifest_decode",
            description: "The object that a YAML manifest describes.",
            parameters: manifest(),
            variadic: None,
            returns: Type::Dynamic,
            call: manifest_decode,
        },
        Function {
            name: "manifest_decode_multi",
            description: "The objects that a YAML manifest of several documents describes.",
            parameters: manifest(),
            variadic: None,
            returns: Type::Dynamic,
            call: manifest_decode_multi,
        },
        Function {
            name: "manifest_encode",
            description: "An object, or several, as a YAML manifest.",
            parameters: vec![Parameter::new(
                "manifest",
                Type::Dynamic,
                "The object, or a list of objects.",
            )],
            variadic: None,
            returns: Type::String,
            call: manifest_encode,
        },
    ]
}

fn manifest_decode(args: &[Value]) -> Result<Value, FunctionError> {
    let mut found = decode(args)?;
    match (found.pop(), found.is_empty()) {
        (Some(object), true) => Ok(object),
        (None, _) => Err(FunctionError::at(0, "invalid manifest: the YAML is empty")),
        (Some(_), false) => Err(FunctionError::at(
            0,
            "the YAML has several documents: use manifest_decode_multi",
        )),
    }
}

fn manifest_decode_multi(args: &[Value]) -> Result<Value, FunctionError> {
    decode(args).map(Value::tuple)
}

/// The documents with something in them.
fn decode(args: &[Value]) -> Result<Vec<Value>, FunctionError> {
    let text = args.first().and_then(Value::as_str).unwrap_or_default();
    let fail = |why: String| FunctionError::at(0, format!("invalid YAML document: {why}"));
    let mut found = Vec::new();
    for document in serde_yaml_ng::Deserializer::from_str(text) {
        let mut yaml = Yaml::deserialize(document).map_err(|e| fail(e.to_string()))?;
        yaml.apply_merge().map_err(|e| fail(e.to_string()))?;
        let object = match &yaml {
            Yaml::Null => continue,
            Yaml::Mapping(m) if m.is_empty() => continue,
            Yaml::Mapping(_) => value(&yaml).map_err(fail)?,
            _ => return Err(fail("a mapping is required".into())),
        };
        complete(&object)?;
        found.push(object);
    }
    Ok(found)
}

/// A manifest must at least say what it is.
fn complete(object: &Value) -> Result<(), FunctionError> {
    for field in ["apiVersion", "kind", "metadata"] {
        if object.get(field).is_none() {
            return Err(FunctionError::at(
                0,
                format!("invalid Kubernetes manifest: missing field {field:?}"),
            ));
        }
    }
    Ok(())
}

fn value(yaml: &Yaml) -> Result<Value, String> {
    Ok(match yaml {
        Yaml::Null => Value::NULL,
        Yaml::Bool(b) => (*b).into(),
        Yaml::Number(n) => {
            let text = n.to_string();
            let number: Number = text
                .parse()
                .map_err(|_| format!("{text} is not a number that JSON has"))?;
            number.into()
        }
        Yaml::String(s) => s.as_str().into(),
        Yaml::Sequence(items) => {
            Value::tuple(items.iter().map(value).collect::<Result<_, String>>()?)
        }
        Yaml::Mapping(entries) => {
            let entries: Result<Vec<(String, Value)>, String> = entries
                .iter()
                .map(|(k, v)| Ok((key(k)?, value(v)?)))
                .collect();
            Value::object(entries?)
        }
        Yaml::Tagged(tagged) => return Err(format!("the tag {} has no meaning here", tagged.tag)),
    })
}

/// Keys become strings, as they are in JSON.
fn key(yaml: &Yaml) -> Result<String, String> {
    match yaml {
        Yaml::String(s) => Ok(s.clone()),
        Yaml::Bool(b) => Ok(b.to_string()),
        Yaml::Number(n) => Ok(n.to_string()),
        _ => Err("a key must be a string".into()),
    }
}

fn manifest_encode(args: &[Value]) -> Result<Value, FunctionError> {
    let Some(manifest) = args.first() else {
        return Err(FunctionError::new("a manifest is required"));
    };
    let no_manifest = || {
        FunctionError::at(
            0,
            "invalid manifest: an object, or a list of objects, is required",
        )
    };
    if manifest.as_map().is_some() {
        complete(manifest)?;
        return Ok(yaml::encode(manifest).into());
    }
    let mut text = String::new();
    for object in manifest.as_slice().ok_or_else(no_manifest)? {
        object.as_map().ok_or_else(no_manifest)?;
        complete(object)?;
        text.push_str("---\n");
        text.push_str(&yaml::encode(object));
    }
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use topo_sdk::json::{from_json, to_json};

    use super::*;

    fn run(name: &str, arg: Value) -> Result<Value, String> {
        let f = functions().into_iter().find(|f| f.name == name).unwrap();
        (f.call)(&[arg]).map_err(|e| e.message)
    }

    fn json(text: &str) -> Value {
        from_json(&serde_json::from_str(text).unwrap())
    }

    const CONFIG_MAP: &str = "# a comment\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: test-configmap\n  labels: &l\n    test: \"test---label\"\n  annotations:\ndata:\n  <<: *l\n  configfile: |\n    ---\n    test: document\n  8080: 1.50\n---\n# nothing\n---\n";

    #[test]
    fn one_document() {
        let made = run("manifest_decode", CONFIG_MAP.into()).unwrap();
        assert_eq!(
            to_json(&made).to_string(),
            r#"{"apiVersion":"v1","data":{"8080":1.5,"configfile":"---\ntest: document\n","test":"test---label"},"kind":"ConfigMap","metadata":{"annotations":null,"labels":{"test":"test---label"},"name":"test-configmap"}}"#
        );
    }

    #[test]
    fn several_documents() {
        let two = format!("{CONFIG_MAP}apiVersion: v1\nkind: Secret\nmetadata: {{}}\n");
        let made = run("manifest_decode_multi", two.as_str().into()).unwrap();
        let kinds: Vec<_> = made
            .as_slice()
            .unwrap()
            .iter()
            .filter_map(|o| o.get_str("kind"))
            .collect();
        assert_eq!(kinds, ["ConfigMap", "Secret"]);
        assert_eq!(
            run("manifest_decode_multi", "".into()).unwrap(),
            Value::tuple(vec![])
        );
        let e = run("manifest_decode", two.into()).unwrap_err();
        assert!(e.contains("manifest_decode_multi"), "{e}");
    }

    #[test]
    fn refusals() {
        let deep = format!("a: {}", "[".repeat(10_000));
        let rows = [
            ("manifest_decode", Value::from(""), "is empty"),
            ("manifest_decode", "a: [".into(), "invalid YAML document"),
            ("manifest_decode", "[]".into(), "a mapping is required"),
            (
                "manifest_decode",
                "a: 1".into(),
                "missing field \"apiVersion\"",
            ),
            ("manifest_decode", "a: 1\na: 2".into(), "duplicate"),
            ("manifest_decode", "a: !x 1".into(), "tag !x"),
            ("manifest_decode", "a: .inf".into(), "not a number"),
            (
                "manifest_decode",
                "? [a]\n: 1".into(),
                "a key must be a string",
            ),
            ("manifest_decode", deep.into(), "invalid YAML document"),
            (
                "manifest_decode_multi",
                "apiVersion: v1\nmetadata: {}".into(),
                "missing field \"kind\"",
            ),
            ("manifest_encode", "x".into(), "an object, or a list"),
            ("manifest_encode", json(r#"[1]"#), "an object, or a list"),
            (
                "manifest_encode",
                json(r#"{"kind":"x"}"#),
                "missing field \"apiVersion\"",
            ),
        ];
        for (name, arg, expected) in rows {
            let e = run(name, arg).unwrap_err();
            assert!(e.contains(expected), "{name}: {e}");
        }
    }

    #[test]
    fn encoded() {
        let one = json(
            r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"test","namespace":null},"data":{"test":"test"}}"#,
        );
        let text = "apiVersion: v1\ndata:\n  test: test\nkind: ConfigMap\nmetadata:\n  name: test\n  namespace: null\n";
        assert_eq!(run("manifest_encode", one.clone()).unwrap(), text.into());
        assert_eq!(run("manifest_decode", text.into()).unwrap(), one);
        let both = run("manifest_encode", Value::tuple(vec![one.clone(), one])).unwrap();
        assert_eq!(both, format!("---\n{text}---\n{text}").into());
    }
}
