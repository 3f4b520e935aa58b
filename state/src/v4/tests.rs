use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use topo_engine::address::{InstanceAddress, ProviderAddress};
use topo_engine::changes::{CheckKind, CheckResult, CheckStatus, CheckedObject};
use topo_engine::plan::sensitive_paths;
use topo_engine::providers::Providers;
use topo_engine::store::{Dependency, Meta, OutputRecord, Record, RecordKey, State, Status};
use topo_sdk::{
    Attribute, Block, Connection, Diagnostics, NestedBlock, Nesting, Path, Provider, Schema, Type,
    Value,
};

use super::{StateFile, read, write};

/// A provider with one type whose schema has everything, and one whose schema has version 2.
struct Scripted;

fn thing() -> Schema {
    let part = Block::new()
        .attr("name", Attribute::required(Type::String))
        .attr("any", Attribute::optional(Type::Dynamic));
    Schema::new(
        Block::new()
            .attr("id", Attribute::computed(Type::String))
            .attr("any", Attribute::optional(Type::Dynamic))
            .attr(
                "echo",
                Attribute::computed(Type::Dynamic).marked_like("any"),
            )
            .attr("tags", Attribute::optional(Type::map(Type::String)))
            .attr("zones", Attribute::optional(Type::set(Type::String)))
            .attr("key", Attribute::computed(Type::String).sensitive())
            .block("part", NestedBlock::new(Nesting::List, part)),
    )
}

fn versioned() -> Schema {
    Schema {
        version: 2,
        ..Schema::new(Block::new().attr("size", Attribute::optional(Type::Number)))
    }
}

#[async_trait]
impl Provider for Scripted {
    fn name(&self) -> &'static str {
        "test"
    }

    fn uses_network(&self) -> bool {
        false
    }

    fn provider_schema(&self) -> Arc<Schema> {
        Arc::new(Schema::default())
    }

    fn resource_types(&self) -> Vec<Arc<str>> {
        vec!["test_thing".into(), "test_versioned".into()]
    }

    fn resource_schema(&self, type_name: &str) -> Option<Arc<Schema>> {
        match type_name {
            "test_thing" => Some(Arc::new(thing())),
            "test_versioned" => Some(Arc::new(versioned())),
            _ => None,
        }
    }

    fn data_schema(&self, type_name: &str) -> Option<Arc<Schema>> {
        (type_name == "test_thing").then(|| Arc::new(thing()))
    }

    /// Version 1 had the size in words.
    fn upgrade_state(&self, _: &str, version: u64, stored: Value) -> Result<Value, Diagnostics> {
        match (version, stored.get_str("size")) {
            (1, Some("large")) => Ok(Value::object([("size", Value::number(3))])),
            _ => Err(Diagnostics::error(
                "No such size",
                "Its size has no number.",
            )),
        }
    }

    async fn configure(&self, _: &Value) -> Result<Arc<dyn Connection>, Diagnostics> {
        Err(Diagnostics::error("Not for connections", ""))
    }
}

fn providers() -> Providers {
    Providers::new(vec![Arc::new(Scripted)])
}

fn address(text: &str) -> InstanceAddress {
    text.parse().unwrap()
}

fn resource(text: &str) -> Dependency {
    Dependency::Resource(address(text).resource)
}

fn value(any: Value) -> Value {
    Value::object([
        ("id", Value::string("i-1")),
        ("any", any.clone()),
        ("echo", any),
        ("tags", Value::null(Type::map(Type::String))),
        (
            "zones",
            Value::set(Type::String, vec!["b".into(), "a".into()]),
        ),
        ("key", Value::string("hidden").sensitive()),
        ("part", {
            let part = [
                ("name", Value::string("p")),
                ("any", Value::list(Type::Bool, vec![true.into()])),
            ];
            let part = Value::object(part);
            // As blocks with attributes of any type are: each of its own type.
            Value::tuple(vec![part])
        }),
    ])
}

fn record(text: &str, any: Value, dependencies: Vec<Dependency>) -> Record {
    Record {
        key: address(text).into(),
        provider: ProviderAddress {
            module: [].into(),
            name: "test".into(),
            alias: None,
        },
        schema_version: 0,
        status: Status::Ok,
        keep: false,
        value: value(any),
        private: Vec::new(),
        dependencies,
        created: Timestamp::UNIX_EPOCH,
        updated: Timestamp::UNIX_EPOCH,
    }
}

fn state(records: Vec<Record>) -> State {
    State {
        meta: Meta {
            lineage: "line".into(),
            serial: 7,
        },
        records: records.into_iter().map(|r| (r.key.clone(), r)).collect(),
        ..State::default()
    }
}

fn back(state: &State) -> StateFile {
    let text = write(state, &providers(), "0.1.0").unwrap();
    read(text.as_bytes(), &providers(), Timestamp::UNIX_EPOCH).unwrap()
}

/// Everything that a record can be.
fn everything() -> State {
    let any = Value::object([
        ("n", Value::number(2)),
        ("gap", Value::NULL),
        ("secret", Value::string("s").sensitive()),
        (
            "list",
            Value::tuple(vec!["a".into(), Value::string("b").sensitive()]),
        ),
        (
            "map",
            Value::map(
                Type::String,
                BTreeMap::from([("k".into(), Value::string("v").sensitive())]),
            ),
        ),
    ]);
    let echo = any.clone().with_marks(topo_sdk::Marks::SENSITIVE);
    let mut first = record("test_thing.a", any.clone(), vec![]);
    first.value = first.value.with("any", any).with("echo", echo);
    first.private = vec![0, 255, 7];
    let mut tainted = record(
        "test_thing.b[1]",
        Value::NULL,
        vec![resource("test_thing.a")],
    );
    tainted.status = Status::Tainted;
    let mut deposed = record("test_thing.b[1]", Value::from(true), vec![]);
    deposed.key.deposed = Some("0a1b2c3d".into());
    let mut inner = record(
        "module.m[\"a\\\"b\"].module.n.test_thing.c[\"k\"]",
        Value::list(Type::String, vec!["x".into()]),
        vec![resource("test_thing.a"), resource("test_thing.b")],
    );
    inner.provider.alias = Some("west".into());
    inner.provider.module = ["m".into()].into();
    let data = record("data.test_thing.d", Value::string("read"), vec![]);
    let mut state = state(vec![first, tainted, deposed, inner, data]);
    let output = |value, sensitive| OutputRecord { value, sensitive };
    state.outputs = BTreeMap::from([
        (
            "list".into(),
            output(Value::list(Type::Number, vec![1.into()]), false),
        ),
        (
            "secret".into(),
            output(Value::string("x").sensitive(), true),
        ),
        ("none".into(), output(Value::NULL, false)),
    ]);
    let checked = |kind, module: &[&str], block: &str, objects: &[(&str, CheckStatus, &str)]| {
        let object = |(address, status, problem): &(&str, CheckStatus, &str)| CheckedObject {
            address: (*address).into(),
            status: *status,
            problems: [*problem]
                .iter()
                .filter(|p| !p.is_empty())
                .map(ToString::to_string)
                .collect(),
        };
        CheckResult {
            kind,
            block: block.into(),
            module: module.iter().map(|name| (*name).into()).collect(),
            objects: objects.iter().map(object).collect(),
        }
    };
    state.checks = vec![
        checked(
            CheckKind::Resource,
            &["m", "n"],
            "module.m.module.n.test_thing.c",
            &[
                (
                    "module.m[\"a.b\"].module.n.test_thing.c[0]",
                    CheckStatus::Pass,
                    "",
                ),
                (
                    "module.m[\"a.b\"].module.n.test_thing.c[1]",
                    CheckStatus::Fail,
                    "Too few.",
                ),
            ],
        ),
        checked(
            CheckKind::Variable,
            &[],
            "var.v",
            &[("var.v", CheckStatus::Unknown, "")],
        ),
        checked(CheckKind::Output, &["m"], "module.m.output.o", &[]),
        checked(
            CheckKind::Check,
            &[],
            "check.k",
            &[("check.k", CheckStatus::Error, "")],
        ),
    ];
    state
}

#[test]
fn what_is_written_reads_back_the_same() {
    let state = everything();
    let found = back(&state);
    assert_eq!(found.meta, state.meta);
    assert_eq!(found.outputs, state.outputs);
    assert_eq!(found.checks, state.checks);
    assert!(found.warnings.is_empty());
    assert_eq!(found.records.len(), state.records.len());
    for (key, record) in &state.records {
        let other = &found.records[key];
        assert_eq!(other, record);
        // Equality leaves marks and types of what is null or empty out.
        assert_eq!(
            sensitive_paths(&other.value),
            sensitive_paths(&record.value),
            "{key:?}"
        );
        assert_eq!(
            other.value.get("any").map(Value::ty),
            record.value.get("any").map(Value::ty)
        );
    }
}

#[test]
fn a_file_is_as_others_write_it() {
    let state = everything();
    let text = write(&state, &providers(), "0.1.0").unwrap();
    let json: Json = serde_json::from_str(&text).unwrap();
    assert_eq!(json["version"], 4);
    assert_eq!(
        (&json["serial"], &json["lineage"]),
        (&json!(7), &json!("line"))
    );
    assert_eq!(
        json["outputs"]["list"],
        json!({"value": [1], "type": ["list", "number"]})
    );
    assert_eq!(
        json["outputs"]["secret"],
        json!({"value": "x", "type": "string", "sensitive": true})
    );
    let checks = &json["check_results"];
    assert_eq!(
        checks[0]["objects"][1],
        json!({
            "object_addr": "module.m[\"a.b\"].module.n.test_thing.c[1]",
            "status": "fail",
            "failure_messages": ["Too few."],
        })
    );
    assert_eq!(
        (&checks[0]["object_kind"], &checks[0]["status"]),
        (&json!("resource"), &json!("fail"))
    );
    assert_eq!(
        checks[1],
        json!({
            "object_kind": "var",
            "config_addr": "var.v",
            "status": "unknown",
            "objects": [{"object_addr": "var.v", "status": "unknown"}],
        })
    );
    assert_eq!(
        checks[2],
        json!({
            "object_kind": "output",
            "config_addr": "module.m.output.o",
            "status": "pass",
            "objects": null,
        })
    );
    let names: Vec<String> = json["resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| {
            format!(
                "{} {} {} {}",
                r["module"], r["mode"], r["name"], r["provider"]
            )
        })
        .collect();
    assert_eq!(
        names,
        [
            r#"null "data" "d" "provider[\"registry.terraform.io/hashicorp/test\"]""#,
            r#"null "managed" "a" "provider[\"registry.terraform.io/hashicorp/test\"]""#,
            r#"null "managed" "b" "provider[\"registry.terraform.io/hashicorp/test\"]""#,
            r#""module.m[\"a\\\"b\"].module.n" "managed" "c" "module.m.provider[\"registry.terraform.io/hashicorp/test\"].west""#,
        ]
    );
    let a = &json["resources"][1]["instances"][0];
    assert_eq!(a["private"], "AP8H");
    assert_eq!(a["attributes"]["zones"], json!(["a", "b"]));
    assert_eq!(a["attributes"]["tags"], Json::Null);
    assert_eq!(
        a["attributes"]["any"],
        json!({
            "value": {"n": 2, "gap": null, "secret": "s", "list": ["a", "b"], "map": {"k": "v"}},
            "type": ["object", {
                "n": "number", "gap": "dynamic", "secret": "string",
                "list": ["tuple", ["string", "string"]], "map": ["map", "string"],
            }],
        })
    );
    assert_eq!(
        a["attributes"]["part"],
        json!({
            "value": [{"name": "p", "any": [true]}],
            "type": ["tuple", [["object", {"name": "string", "any": ["list", "bool"]}]]],
        })
    );
    // Neither what the schema says nor what follows another attribute.
    let attribute = |name: &str| json!({"type": "get_attr", "value": name});
    let index =
        |value: Json, ty: &str| json!({"type": "index", "value": {"value": value, "type": ty}});
    assert_eq!(
        a["sensitive_attributes"],
        json!([
            [
                attribute("any"),
                attribute("list"),
                index(json!(1), "number")
            ],
            [
                attribute("any"),
                attribute("map"),
                index(json!("k"), "string")
            ],
            [attribute("any"), attribute("secret")],
        ])
    );
    let b = &json["resources"][2]["instances"];
    assert_eq!(
        (&b[0]["status"], &b[0]["index_key"]),
        (&json!("tainted"), &json!(1))
    );
    assert_eq!(b[0]["dependencies"], json!(["test_thing.a"]));
    assert_eq!(b[1]["deposed"], "0a1b2c3d");
    let c = &json["resources"][3]["instances"][0];
    assert_eq!(c["index_key"], "k");
    assert_eq!(c["dependencies"], json!(["test_thing.a", "test_thing.b"]));
}

/// A file with one instance of `test_thing.a`, changed by `edit`.
fn file(edit: impl FnOnce(&mut Json)) -> Vec<u8> {
    let mut json = json!({
        "version": 4, "terraform_version": "1.11.0", "serial": 3, "lineage": "line",
        "outputs": {},
        "resources": [{
            "mode": "managed", "type": "test_thing", "name": "a",
            "provider": "provider[\"registry.opentofu.org/hashicorp/test\"]",
            "instances": [{"schema_version": 0, "attributes": {"id": "i"}}],
        }],
        "check_results": null,
    });
    edit(&mut json);
    serde_json::to_vec(&json).unwrap()
}

fn taken(edit: impl FnOnce(&mut Json)) -> StateFile {
    read(&file(edit), &providers(), Timestamp::UNIX_EPOCH).unwrap()
}

fn refused(edit: impl FnOnce(&mut Json)) -> String {
    let read = read(&file(edit), &providers(), Timestamp::UNIX_EPOCH);
    read.unwrap_err().to_string()
}

#[test]
fn attributes_that_are_missing_are_null_and_unknown_ones_are_dropped() {
    let found = taken(|j| {
        j["resources"][0]["instances"][0]["attributes"] = json!({"id": "i", "gone": [1]});
    });
    let record = &found.records[&RecordKey::from(address("test_thing.a"))];
    assert_eq!(record.value.get_str("id"), Some("i"));
    assert!(record.value.get("any").unwrap().is_null());
    assert!(record.value.get("gone").is_none());
    assert_eq!(record.value.get("part"), Some(&Value::tuple(vec![])));
}

#[test]
fn a_legacy_provider_and_a_set_element_are_understood() {
    let found = taken(|j| {
        j["resources"][0]["provider"] = json!("provider.test.west");
        j["resources"][0]["instances"][0] = json!({
            "attributes": {"id": "i", "zones": ["z"]},
            "sensitive_attributes": [[
                {"type": "get_attr", "value": "zones"},
                {"type": "index", "value": {"value": {"a": 1}, "type": ["object", {"a": "number"}]}},
            ]],
        });
    });
    let record = &found.records[&RecordKey::from(address("test_thing.a"))];
    assert_eq!(record.provider.alias.as_deref(), Some("west"));
    assert_eq!(sensitive_paths(&record.value), [Path::attribute("zones")]);
}

#[test]
fn dependencies_stay_in_the_module_instance() {
    let mut records = Vec::new();
    for key in ["x", "y"] {
        records.push(record(
            &format!("module.m[\"{key}\"].test_thing.one"),
            Value::NULL,
            vec![],
        ));
        let one = format!("module.m[\"{key}\"].test_thing.one");
        let two = format!("module.m[\"{key}\"].test_thing.two");
        records.push(record(&two, Value::NULL, vec![resource(&one)]));
    }
    let both = ["x", "y"].map(|k| resource(&format!("module.m[\"{k}\"].test_thing.one")));
    records.push(record("test_thing.root", Value::NULL, both.to_vec()));
    records.push(record(
        "test_thing.lost",
        Value::NULL,
        vec![resource("module.gone.test_thing.g")],
    ));
    let state = state(records);
    let found = back(&state);
    for (key, record) in &state.records {
        assert_eq!(
            found.records[key].dependencies, record.dependencies,
            "{key:?}"
        );
    }
}

#[test]
fn objects_of_an_older_schema_are_upgraded_and_newer_ones_noted() {
    let versioned = |version: u64, size: Json| {
        move |j: &mut Json| {
            j["resources"][0]["type"] = json!("test_versioned");
            j["resources"][0]["instances"][0] =
                json!({"schema_version": version, "attributes": {"size": size}});
        }
    };
    let key = RecordKey::from(address("test_versioned.a"));
    let old = taken(versioned(1, json!("large")));
    assert_eq!(old.records[&key].value.get_i64("size"), Some(3));
    assert_eq!(old.records[&key].schema_version, 2);
    let text = refused(versioned(1, json!("odd")));
    assert!(
        text.contains("test_versioned.a: Its size has no number"),
        "{text}"
    );
    let new = taken(versioned(5, json!(4)));
    assert_eq!(new.records[&key].value.get_i64("size"), Some(4));
    assert!(new.warnings.to_string().contains("test_versioned"));
    assert!(!new.warnings.has_errors());
}

#[test]
fn mistakes_are_named_with_where_they_are() {
    let instance = |key: &'static str, value: Json| {
        move |j: &mut Json| j["resources"][0]["instances"][0][key] = value
    };
    let of_resource =
        |key: &'static str, value: Json| move |j: &mut Json| j["resources"][0][key] = value;
    for (text, parts) in [
        (
            refused(|j| j["version"] = json!(3)),
            &["version 3", "Terraform 0.12"][..],
        ),
        (
            refused(|j| j["version"] = json!(5)),
            &["version 5", "newer topo"],
        ),
        (refused(|j| j["serial"] = json!("x")), &["line 1", "column"]),
        (
            refused(of_resource("mode", json!("odd"))),
            &["resources[0]", "\"odd\""],
        ),
        (
            refused(of_resource("name", json!("a b"))),
            &["resources[0]", "a b"],
        ),
        (
            refused(of_resource("name", json!("a[0]"))),
            &["resources[0]", "a[0]"],
        ),
        (
            refused(of_resource("module", json!("x.y"))),
            &["resources[0]", "x.y"],
        ),
        (
            refused(of_resource("module", json!("module.m.data"))),
            &["resources[0]"],
        ),
        (
            refused(of_resource("type", json!("test_other"))),
            &["test_other.a", "test_other"],
        ),
        (
            refused(of_resource("provider", Json::Null)),
            &["test_thing.a", "provider"],
        ),
        (
            refused(of_resource("provider", json!("x"))),
            &["test_thing.a", "\"x\""],
        ),
        (
            refused(of_resource(
                "provider",
                json!("provider[\"registry.terraform.io/acme/test\"]"),
            )),
            &["test_thing.a", "registry.terraform.io/acme/test"],
        ),
        (
            refused(of_resource(
                "provider",
                json!("provider[\"registry.terraform.io/hashicorp/tset\"]"),
            )),
            &["test_thing.a", "\"tset\"", "test"],
        ),
        (
            refused(instance(
                "provider",
                json!("provider[\"registry.terraform.io/hashicorp/test\"].a[\"k\"]"),
            )),
            &["test_thing.a", "for_each"],
        ),
        (
            refused(instance("index_key", json!(1.5))),
            &["test_thing.a", "1.5"],
        ),
        (
            refused(instance("status", json!("odd"))),
            &["test_thing.a", "\"odd\""],
        ),
        (
            refused(instance("private", json!("?"))),
            &["test_thing.a", "base64"],
        ),
        (
            refused(instance("attributes", Json::Null)),
            &["test_thing.a", "no attributes"],
        ),
        (
            refused(instance("attributes", json!({"tags": 1}))),
            &["test_thing.a", "tags"],
        ),
        (
            refused(instance("attributes", json!({"any": 1}))),
            &["test_thing.a", "any"],
        ),
        (
            refused(instance(
                "attributes",
                json!({"any": {"value": "x", "type": "number"}}),
            )),
            &["test_thing.a", "any", "number"],
        ),
        (
            refused(instance(
                "attributes",
                json!({"any": {"value": 1, "type": ["list"]}}),
            )),
            &["test_thing.a", "any", "no type"],
        ),
        (
            refused(instance("dependencies", json!(["a b"]))),
            &["test_thing.a", "a b"],
        ),
        (
            refused(instance(
                "sensitive_attributes",
                json!([[{"type": "odd", "value": 1}]]),
            )),
            &["test_thing.a", "odd"],
        ),
        (
            refused(|j| {
                let instance = j["resources"][0]["instances"][0].clone();
                j["resources"][0]["instances"] = json!([instance, instance]);
            }),
            &["test_thing.a", "more than once"],
        ),
        (
            refused(|j| j["outputs"] = json!({"o": {"value": 1, "type": "bool"}})),
            &["output o"],
        ),
    ] {
        for part in parts {
            assert!(text.contains(part), "{part:?} is not in {text:?}");
        }
    }
    let flat = refused(|j| {
        j["resources"][0]["instances"][0] = json!({"attributes_flat": {"id": "i"}});
    });
    assert!(
        flat.contains("test_thing.a") && flat.contains("0.12"),
        "{flat}"
    );
}

/// Cut, altered and random texts are refused or read, and never end the program.
#[test]
fn damaged_texts_are_no_danger() {
    let whole = write(&everything(), &providers(), "0.1.0")
        .unwrap()
        .into_bytes();
    let check = |text: &[u8]| {
        if let Err(errors) = read(text, &providers(), Timestamp::UNIX_EPOCH) {
            assert!(errors.has_errors());
        }
    };
    for length in 0..whole.len() {
        assert!(
            read(
                &whole[..length.min(whole.len() - 1)],
                &providers(),
                Timestamp::UNIX_EPOCH
            )
            .is_err()
        );
    }
    // A generator of Marsaglia's (xorshift), so that every run is the same.
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random as usize
    };
    for _ in 0..3000 {
        let mut text = whole.clone();
        for _ in 0..1 + next() % 3 {
            let at = next() % text.len();
            match next() % 3 {
                0 => text[at] = next() as u8,
                1 => drop(text.remove(at)),
                _ => text.insert(at, b"{}[]\",:0-"[next() % 9]),
            }
        }
        check(&text);
        let noise: Vec<u8> = (0..next() % 200).map(|_| next() as u8).collect();
        check(&noise);
    }
    let deep = format!("{{\"version\":4,\"resources\":{}", "[".repeat(100_000));
    check(deep.as_bytes());
    let nested = format!("{}\"string\"{}", "[\"list\",".repeat(120), "]".repeat(120));
    let outputs =
        format!("{{\"version\":4,\"outputs\":{{\"o\":{{\"value\":null,\"type\":{nested}}}}}}}");
    assert!(read(outputs.as_bytes(), &providers(), Timestamp::UNIX_EPOCH).is_err());
}
