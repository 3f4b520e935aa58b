//! The part `checks` of `show -json`: whether conditions hold.

use serde_json::{Map, Value as Json, json};
use topo_engine::address::{InstanceAddress, InstanceKey};
use topo_engine::changes::{CheckKind, CheckResult, CheckStatus, CheckedObject};

use super::config::module_path;
use super::mode_word;

/// A list, a block each.
pub fn checks(results: &[CheckResult]) -> Json {
    results.iter().map(check).collect()
}

fn check(result: &CheckResult) -> Json {
    json!({
        "address": block(result),
        "status": status(result.status()),
        "instances": result.objects.iter().map(|o| object(result, o)).collect::<Json>(),
    })
}

fn block(result: &CheckResult) -> Json {
    let mut out = json!({"to_display": result.block, "kind": kind(result.kind)});
    let mut inside = result.block.as_str();
    if !result.module.is_empty() {
        let module = module_path(&result.module);
        inside = inside.strip_prefix(&module).unwrap_or(inside);
        inside = inside.strip_prefix('.').unwrap_or(inside);
        out["module"] = json!(module);
    }
    if result.kind != CheckKind::Resource {
        let name = inside.split_once('.').map_or(inside, |(_, name)| name);
        out["name"] = json!(name);
    } else if let Ok(address) = inside.parse::<InstanceAddress>() {
        out["mode"] = json!(mode_word(address.resource.mode));
        out["type"] = json!(address.resource.type_name);
        out["name"] = json!(address.resource.name);
    }
    out
}

fn object(result: &CheckResult, o: &CheckedObject) -> Json {
    let mut address = Map::new();
    address.insert("to_display".into(), json!(o.address));
    // What is no resource is parsed as if it were one: `output.x`, `check.x`, `var.x`.
    if let Ok(parsed) = o.address.parse::<InstanceAddress>() {
        if !parsed.resource.module.is_root() {
            address.insert("module".into(), json!(parsed.resource.module.to_string()));
        }
        match parsed.key {
            Some(InstanceKey::Index(i)) => address.insert("instance_key".into(), json!(i)),
            Some(InstanceKey::Key(k)) => address.insert("instance_key".into(), json!(k)),
            None => None,
        };
    } else if !result.module.is_empty() {
        address.insert("module".into(), json!(module_path(&result.module)));
    }
    let mut out = json!({"address": address, "status": status(o.status)});
    if !o.problems.is_empty() {
        let problems = o.problems.iter().map(|m| json!({"message": m}));
        out["problems"] = problems.collect();
    }
    out
}

fn kind(kind: CheckKind) -> &'static str {
    match kind {
        CheckKind::Resource => "resource",
        CheckKind::Output => "output_value",
        CheckKind::Check => "check",
        CheckKind::Variable => "var",
    }
}

fn status(status: CheckStatus) -> &'static str {
    match status {
        CheckStatus::Pass => "pass",
        CheckStatus::Unknown => "unknown",
        CheckStatus::Error => "error",
        CheckStatus::Fail => "fail",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(kind: CheckKind, block: &str, module: &[&str], address: &str) -> CheckResult {
        CheckResult {
            kind,
            block: block.into(),
            module: module.iter().map(|m| (*m).into()).collect(),
            objects: vec![CheckedObject {
                address: address.into(),
                status: CheckStatus::Fail,
                problems: vec!["too small".into()],
            }],
        }
    }

    #[test]
    fn a_resource_in_a_module_is_named_in_its_parts() {
        let of = result(
            CheckKind::Resource,
            "module.net.data.aws_vpc.main",
            &["net"],
            "module.net[1].data.aws_vpc.main[\"a\"]",
        );
        assert_eq!(
            checks(&[of]),
            json!([{
                "address": {
                    "to_display": "module.net.data.aws_vpc.main", "kind": "resource",
                    "module": "module.net", "mode": "data", "type": "aws_vpc", "name": "main",
                },
                "status": "fail",
                "instances": [{
                    "address": {
                        "to_display": "module.net[1].data.aws_vpc.main[\"a\"]",
                        "module": "module.net[1]", "instance_key": "a",
                    },
                    "status": "fail",
                    "problems": [{"message": "too small"}],
                }],
            }])
        );
    }

    #[test]
    fn what_is_no_resource_has_a_name() {
        for (kind, word, block) in [
            (CheckKind::Output, "output_value", "output.x"),
            (CheckKind::Check, "check", "check.x"),
            (CheckKind::Variable, "var", "var.x"),
        ] {
            let made = checks(&[result(kind, block, &[], block)]);
            assert_eq!(
                made[0]["address"],
                json!({"to_display": block, "kind": word, "name": "x"})
            );
            assert_eq!(
                made[0]["instances"][0]["address"],
                json!({"to_display": block})
            );
        }
    }
}
