//! A written object with the live values of what it says: how drift of a manifest shows.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;
use topo_sdk::{Value, json as values};

use crate::object::text;
use crate::quantity;

/// The prior value with the live values of all that it has. `computed` are the paths whose
/// values are not compared.
pub fn overlay(prior: &Value, live: Option<&Json>, path: &str, computed: &[&str]) -> Option<Value> {
    if computed.contains(&path) || prior.is_null() {
        return Some(prior.clone());
    }
    let says_nothing = || {
        prior.as_bool() == Some(false)
            || prior.as_i64() == Some(0)
            || prior.as_str() == Some("")
            || (prior.as_slice().is_some() || prior.as_map().is_some())
                && prior.children().next().is_none()
    };
    let Some(live) = live.filter(|v| !v.is_null()) else {
        return says_nothing().then(|| prior.clone());
    };
    if let (Some(fields), Json::Object(found)) = (prior.as_map(), live) {
        let entries = fields.iter().filter_map(|(name, value)| {
            let inner = if path.is_empty() {
                name.to_string()
            } else {
                format!("{path}.{name}")
            };
            overlay(value, found.get(&**name), &inner, computed).map(|v| (name.clone(), v))
        });
        let entries: BTreeMap<Arc<str>, Value> = entries.collect();
        // As it was written: a map stays a map.
        let same = entries == *fields;
        return Some(if same {
            prior.clone()
        } else {
            Value::object(entries)
        });
    }
    if let (Some(elements), Json::Array(found)) = (prior.as_slice(), live) {
        let now = items(elements, found, path, computed);
        let same = now == elements;
        return Some(if same {
            prior.clone()
        } else {
            Value::tuple(now)
        });
    }
    let same = match (prior.as_str(), live) {
        (Some(before), Json::String(now)) => {
            before == now || is_amount(path) && quantity::same(before, now)
        }
        (Some(before), now) => *before == *now.to_string(),
        (None, Json::String(now)) => *values::to_json(prior).to_string() == **now,
        (None, now) => values::to_json(prior) == *now,
    };
    Some(if same {
        prior.clone()
    } else {
        values::from_json(live)
    })
}

/// Elements that have names are found by them; others by their place, and then all count.
fn items(elements: &[Value], found: &[Json], path: &str, computed: &[&str]) -> Vec<Value> {
    let named = elements.iter().all(|i| i.get_str("name").is_some()) && !elements.is_empty();
    if named {
        return elements
            .iter()
            .filter_map(|item| {
                let live = found
                    .iter()
                    .find(|l| text(l, "/name") == item.get_str("name"))?;
                overlay(item, Some(live), path, computed)
            })
            .collect();
    }
    found
        .iter()
        .enumerate()
        .filter_map(|(i, live)| match elements.get(i) {
            Some(item) => overlay(item, Some(live), &format!("{path}[{i}]"), computed),
            None => Some(values::from_json(live)),
        })
        .collect()
}

/// Whether a field holds a quantity, by where it is.
fn is_amount(path: &str) -> bool {
    ["limits.", "requests.", "capacity.", "hard."]
        .iter()
        .any(|part| path.contains(part))
        || path.ends_with("sizeLimit")
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use topo_sdk::Type;

    use super::*;

    fn written() -> Value {
        let labels = Value::map(Type::String, [("app".into(), "kong".into())].into());
        let finalizers = Value::list(Type::String, vec!["a/b".into()]);
        let container = json!({"name": "c", "resources": {"limits": {"cpu": "1000m"}}});
        Value::object([
            (
                "metadata",
                Value::object([("labels", labels), ("finalizers", finalizers)]),
            ),
            (
                "containers",
                Value::tuple(vec![values::from_json(&container)]),
            ),
            ("suspend", Value::from(false)),
        ])
    }

    fn live() -> Json {
        json!({
            "metadata": {"labels": {"app": "kong", "other": "x"}, "finalizers": ["a/b"], "uid": "u"},
            "containers": [
                {"name": "sidecar"},
                {"name": "c", "image": "i", "resources": {"limits": {"cpu": "1"}}},
            ],
        })
    }

    #[test]
    fn what_is_not_written_is_not_seen() {
        assert_eq!(overlay(&written(), Some(&live()), "", &[]), Some(written()));
    }

    #[test]
    fn a_change_of_what_is_written_is_seen() {
        let mut live = live();
        live["metadata"]["labels"]["app"] = json!("evil");
        let now = overlay(&written(), Some(&live), "", &[]).unwrap();
        let labels = now.get("metadata").unwrap().get("labels").unwrap();
        assert_eq!(labels.get_str("app"), Some("evil"));
        let ignored = overlay(&written(), Some(&live), "", &["metadata.labels"]);
        assert_eq!(ignored, Some(written()));
    }
}
