//! JSON documents in attributes: IAM policies, trust policies, add-on configuration. The API
//! gives them back with other spacing and order; what means the same keeps its old text.

use std::cmp::Ordering;

use serde_json::Value as Json;
use topo_sdk::{Diagnostic, Diagnostics, Path, Value};

/// Whether two documents mean the same. In policies an element and a list of just that element
/// mean the same, and lists have no order (source: IAM's reference of policy elements).
pub(crate) fn same_policy(a: &str, b: &str) -> bool {
    a == b || matches!((canonical(a), canonical(b)), (Some(a), Some(b)) if a == b)
}

/// Whether two JSON documents are equal but for spacing and the order of keys.
pub(crate) fn same_json(a: &str, b: &str) -> bool {
    let parse = |s| serde_json::from_str::<Json>(s).ok();
    a == b || matches!((parse(a), parse(b)), (Some(a), Some(b)) if a == b)
}

fn canonical(text: &str) -> Option<Json> {
    Some(normal(serde_json::from_str(text).ok()?))
}

fn normal(json: Json) -> Json {
    match json {
        Json::Object(o) => Json::Object(o.into_iter().map(|(k, v)| (k, normal(v))).collect()),
        Json::Array(items) => {
            let mut items: Vec<Json> = items.into_iter().map(normal).collect();
            if items.len() == 1 {
                return items.remove(0);
            }
            items.sort_by(order);
            Json::Array(items)
        }
        // Condition values may be written as strings or as themselves.
        Json::Bool(b) => Json::String(b.to_string()),
        Json::Number(n) => Json::String(n.to_string()),
        other => other,
    }
}

fn order(a: &Json, b: &Json) -> Ordering {
    a.to_string().cmp(&b.to_string())
}

/// The proposed object, with the prior text wherever the proposed one means the same.
pub(crate) fn keep_prior(
    prior: &Value,
    mut proposed: Value,
    attribute: &str,
    same: fn(&str, &str) -> bool,
) -> Value {
    if let (Some(old), Some(new)) = (prior.get_str(attribute), proposed.get_str(attribute))
        && old != new
        && same(old, new)
    {
        let old = Value::from(old);
        proposed = proposed.with(attribute, old);
    }
    proposed
}

/// Reports a known document that is no JSON object.
pub(crate) fn check_json(config: &Value, attribute: &str, found: &mut Diagnostics) {
    let Some(text) = config.get_str(attribute) else {
        return;
    };
    let problem = match serde_json::from_str::<Json>(text) {
        Ok(Json::Object(_)) => return,
        Ok(_) => "it is JSON, but not an object".to_owned(),
        Err(e) => format!("it is not JSON: {e}"),
    };
    found.push(
        Diagnostic::error(
            format!("Invalid document in {attribute}"),
            format!("A JSON object is needed; {problem}. Use jsonencode() or a data source."),
        )
        .at(Path::attribute(attribute)),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spacing_order_and_single_lists_do_not_matter_in_policies() {
        let a = r#"{"Statement":[{"Action":["a","b"],"Effect":"Allow","Resource":"*"}],"Version":"2012-10-17"}"#;
        let b = r#"{ "Version": "2012-10-17", "Statement": {"Effect":"Allow","Action":["b","a"],"Resource":["*"]} }"#;
        assert!(same_policy(a, b));
        assert!(!same_policy(a, &b.replace("Allow", "Deny")));
        assert!(!same_json(a, b));
        assert!(same_json(r#"{"a":1,"b":2}"#, r#"{ "b":2, "a":1 }"#));
    }

    #[test]
    fn text_that_is_no_json_is_compared_as_text() {
        assert!(same_policy("x", "x"));
        assert!(!same_policy("x", "y"));
    }
}
