//! `metadata functions -json`, format 1.0, and the functions in `providers schema -json`.

use serde_json::{Map, Value as Json, json};
use topo_engine::lang::functions::signature::{Parameter, Signature};

/// The functions of the language, each under its name and under `core::`.
pub fn functions(signatures: &[Signature]) -> Json {
    let mut entries = Map::new();
    for s in signatures {
        let shape = signature(s);
        entries.insert(format!("core::{}", s.name), shape.clone());
        entries.insert(s.name.into(), shape);
    }
    json!({"format_version": "1.0", "function_signatures": entries})
}

/// The functions of a provider by name.
pub fn of_provider(signatures: &[Signature]) -> Map<String, Json> {
    signatures
        .iter()
        .map(|s| (s.name.into(), signature(s)))
        .collect()
}

fn signature(s: &Signature) -> Json {
    let mut out = Map::new();
    out.insert("description".into(), json!(s.description));
    out.insert("return_type".into(), s.returns.to_json());
    if !s.parameters.is_empty() {
        let parameters = s.parameters.iter().map(parameter);
        out.insert("parameters".into(), Json::Array(parameters.collect()));
    }
    if let Some(p) = &s.variadic {
        out.insert("variadic_parameter".into(), parameter(p));
    }
    Json::Object(out)
}

fn parameter(p: &Parameter) -> Json {
    let mut out = Map::new();
    out.insert("name".into(), json!(p.name));
    if !p.description.is_empty() {
        out.insert("description".into(), json!(p.description));
    }
    if p.nullable {
        out.insert("is_nullable".into(), json!(true));
    }
    out.insert("type".into(), p.ty.to_json());
    Json::Object(out)
}

#[cfg(test)]
mod tests {
    use topo_engine::lang::functions::signature::signatures;

    use super::*;

    /// Facts of the peers' own answer: name, type of the result, parameters with their types
    /// (`?` for one that takes null), and the variadic one.
    #[test]
    fn signatures_are_the_peers() {
        let all = functions(&signatures());
        let rows = [
            ("abs", "\"number\"", "num:\"number\"", ""),
            ("can", "\"bool\"", "expression:\"dynamic\"", ""),
            ("try", "\"dynamic\"", "", "expressions:\"dynamic\""),
            (
                "templatefile",
                "\"dynamic\"",
                "path:\"string\" vars:\"dynamic\"",
                "",
            ),
            ("coalesce", "\"dynamic\"", "", "vals?:\"dynamic\""),
            (
                "cidrsubnets",
                "[\"list\",\"string\"]",
                "prefix:\"string\"",
                "newbits:\"number\"",
            ),
            ("tolist", "[\"list\",\"dynamic\"]", "v?:\"dynamic\"", ""),
            ("tostring", "\"string\"", "v?:\"dynamic\"", ""),
            (
                "element",
                "\"dynamic\"",
                "list:\"dynamic\" index:\"number\"",
                "",
            ),
            ("upper", "\"string\"", "str:\"string\"", ""),
            ("jsonencode", "\"string\"", "val?:\"dynamic\"", ""),
        ];
        for (name, returns, parameters, variadic) in rows {
            for name in [name.to_string(), format!("core::{name}")] {
                let got = &all["function_signatures"][&name];
                assert_eq!(got["return_type"].to_string(), returns, "{name}");
                let given = got["parameters"].as_array().into_iter().flatten();
                let given: Vec<String> = given.map(fact).collect();
                assert_eq!(given.join(" "), parameters, "{name}");
                let given = got.get("variadic_parameter").map(fact);
                assert_eq!(given.unwrap_or_default(), variadic, "{name}");
            }
        }
        assert_eq!(all["format_version"], "1.0");
    }

    fn fact(p: &Json) -> String {
        let nullable = if p.get("is_nullable").is_some() {
            "?"
        } else {
            ""
        };
        let name = p["name"].as_str().unwrap();
        format!("{name}{nullable}:{}", p["type"])
    }
}
