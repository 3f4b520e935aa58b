//! Text of each kind of change, as a person sees it (without colours).

use std::collections::BTreeMap;
use std::sync::Arc;

use insta::assert_snapshot;
use topo_engine::address::ProviderAddress;
use topo_engine::changes::{
    ChangeAction, Counts, Drift, InstanceChange, OutputChange, PlanMode, Reason,
};
use topo_engine::store::RecordKey;
use topo_sdk::schema::{Attribute, Block, NestedBlock, Nesting};
use topo_sdk::{Diagnostic, Path, Position, Schema, SourceRange, Type, Value};

use super::plan::View;
use super::{change, diagnostics, plan};

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

fn key(address: &str) -> RecordKey {
    RecordKey::from(
        address
            .parse::<topo_engine::address::InstanceAddress>()
            .unwrap(),
    )
}

fn provider(name: &str) -> ProviderAddress {
    ProviderAddress {
        module: Arc::new([]),
        name: name.into(),
        alias: None,
    }
}

fn schema() -> Arc<Schema> {
    let rule = Block::new()
        .attr("port", Attribute::required(Type::Number))
        .attr("source", Attribute::optional(Type::String));
    Arc::new(Schema::new(
        Block::new()
            .attr("id", Attribute::computed(Type::String))
            .attr("name", Attribute::required(Type::String).force_new())
            .attr("size", Attribute::optional(Type::Number))
            .attr("password", Attribute::optional(Type::String).sensitive())
            .attr("policy", Attribute::optional(Type::String))
            .attr("zones", Attribute::optional(Type::list(Type::String)))
            .attr("groups", Attribute::optional(Type::set(Type::String)))
            .attr("tags", Attribute::optional(Type::map(Type::String)))
            .block("rule", NestedBlock::new(Nesting::List, rule.clone()))
            .block("options", NestedBlock::new(Nesting::Single, rule)),
    ))
}

/// An object of the schema above; what is not given is null or empty.
fn object(attributes: &[(&str, Value)]) -> Value {
    let null = topo_sdk::plan::fill_missing(&schema().block, Value::object::<&str>([]));
    attributes.iter().fold(null, |object, (name, value)| {
        object.with(name, value.clone())
    })
}

fn list(items: &[&str]) -> Value {
    Value::list(Type::String, items.iter().map(|i| (*i).into()).collect())
}

fn map(entries: &[(&str, &str)]) -> Value {
    let entries: BTreeMap<Arc<str>, Value> = entries
        .iter()
        .map(|(k, v)| ((*k).into(), (*v).into()))
        .collect();
    Value::map(Type::String, entries)
}

fn rules(ports: &[i64]) -> Value {
    let rule = |p: &i64| {
        Value::object([
            ("port", Value::from(*p)),
            ("source", Value::null(Type::String)),
        ])
    };
    let ty = schema().block.blocks["rule"].block.ty();
    Value::list(ty, ports.iter().map(rule).collect())
}

fn changed(action: ChangeAction, before: Option<Value>, after: Option<Value>) -> InstanceChange {
    InstanceChange {
        key: key("test_thing.x"),
        provider: provider("test"),
        action,
        reason: None,
        before,
        after,
        replace_paths: Vec::new(),
        schema: schema(),
        provider_deferred: false,
        previous: None,
        importing: None,
    }
}

#[test]
fn creation_shows_what_is_set_and_what_is_to_be_known() {
    let after = object(&[
        ("id", Value::unknown(Type::String)),
        ("name", "web".into()),
        ("password", "hunter2".into()),
        (
            "zones",
            Value::list(Type::String, vec!["a".into(), Value::unknown(Type::String)]),
        ),
        ("tags", map(&[("Name", "web"), ("team/owner", "x\"y")])),
        (
            "policy",
            r#"{"Statement":[{"Effect":"Allow"}],"Version":"1"}"#.into(),
        ),
        ("rule", rules(&[80])),
    ]);
    let mut c = changed(ChangeAction::Create, None, Some(after));
    c.provider_deferred = true;
    assert_snapshot!(plain(&change::change(&c)), @r#"
      # test_thing.x will be created
      # planned from the schema alone: provider.test is configured during this apply
      + resource "test_thing" "x" {
          + id       = (known after apply)
          + name     = "web"
          + password = (sensitive value)
          + policy   = jsonencode(
                {
                  + Statement = [
                      + {
                          + Effect = "Allow"
                        },
                    ]
                  + Version   = "1"
                }
            )
          + tags     = {
              + "Name"       = "web"
              + "team/owner" = "x\"y"
            }
          + zones    = [
              + "a",
              + (known after apply),
            ]

          + rule {
              + port = 80
            }
        }
    "#);
}

#[test]
fn update_shows_what_changes_and_counts_the_rest() {
    let before = object(&[
        ("id", "i-1".into()),
        ("name", "web".into()),
        ("size", Value::from(1)),
        ("password", Value::string("old").sensitive()),
        (
            "policy",
            r#"{"Statement":[{"Effect":"Allow","Sid":"a"}],"Version":"1"}"#.into(),
        ),
        ("zones", list(&["a", "b", "c", "d", "e"])),
        (
            "groups",
            Value::set(Type::String, vec!["g1".into(), "g2".into()]),
        ),
        ("tags", map(&[("Name", "web"), ("Old", "1")])),
        ("rule", rules(&[80, 443])),
    ]);
    let after = object(&[
        ("id", "i-1".into()),
        ("name", "web".into()),
        ("size", Value::from(2)),
        ("password", Value::string("new").sensitive()),
        (
            "policy",
            r#"{"Version":"1","Statement":[{"Effect":"Deny","Sid":"a"}]}"#.into(),
        ),
        ("zones", list(&["a", "b", "c", "e"])),
        (
            "groups",
            Value::set(Type::String, vec!["g2".into(), "g3".into()]),
        ),
        ("tags", map(&[("Name", "web"), ("New", "2")])),
        ("rule", rules(&[80, 8443])),
    ]);
    let c = changed(ChangeAction::Update, Some(before), Some(after));
    let text = change::change(&c);
    assert!(!text.contains("old") && !text.contains("\"new\""));
    assert_snapshot!(plain(&text), @r#"
      # test_thing.x will be updated in-place
      ~ resource "test_thing" "x" {
          ~ groups   = [
              - "g1",
              + "g3",
                # (1 unchanged element hidden)
            ]
            id       = "i-1"
            name     = "web"
          ~ password = (sensitive value)
          ~ policy   = jsonencode(
              ~ {
                  ~ Statement = [
                      ~ {
                          ~ Effect = "Allow" -> "Deny"
                            # (1 unchanged attribute hidden)
                        },
                    ]
                    # (1 unchanged attribute hidden)
                }
            )
          ~ size     = 1 -> 2
          ~ tags     = {
              + "New" = "2"
              - "Old" = "1" -> null
                # (1 unchanged element hidden)
            }
          ~ zones    = [
                # (2 unchanged elements hidden)
                "c",
              - "d",
                "e",
            ]

          ~ rule {
              ~ port = 443 -> 8443
            }

            # (1 unchanged block hidden)
        }
    "#);
}

#[test]
fn replacement_names_what_forces_it() {
    let before = object(&[
        ("id", "i-1".into()),
        ("name", "web".into()),
        ("size", Value::from(1)),
    ]);
    let after = object(&[
        ("id", Value::unknown(Type::String)),
        ("name", "api".into()),
        ("size", Value::from(1)),
    ]);
    let mut c = changed(ChangeAction::DeleteThenCreate, Some(before), Some(after));
    c.reason = Some(Reason::CannotUpdate);
    c.replace_paths = vec![Path::attribute("name")];
    assert_snapshot!(plain(&change::change(&c)), @r#"
      # test_thing.x must be replaced
    -/+ resource "test_thing" "x" {
          ~ id   = "i-1" -> (known after apply)
          ~ name = "web" -> "api" # forces replacement
            # (1 unchanged attribute hidden)
        }
    "#);
    c.action = ChangeAction::CreateThenDelete;
    c.replace_paths.clear();
    c.reason = Some(Reason::TargetReplaced {
        provider: provider("kubernetes"),
        argument: Path::attribute("host"),
        because: vec!["aws_eks_cluster.this".parse().unwrap()],
    });
    assert_snapshot!(plain(&change::change(&c)).lines().take(2).collect::<Vec<_>>().join("\n"), @r#"
      # test_thing.x must be replaced because its provider's host changes: aws_eks_cluster.this is replaced
    +/- resource "test_thing" "x" {
    "#);
    c.reason = Some(Reason::Tainted);
    assert_snapshot!(plain(&change::change(&c)).lines().next().unwrap(), @"  # test_thing.x is tainted, so must be replaced");
}

#[test]
fn a_forced_collection_says_so_where_it_opens() {
    let before = object(&[("name", "x".into()), ("zones", list(&["a"]))]);
    let after = object(&[("name", "x".into()), ("zones", list(&["b"]))]);
    let mut c = changed(ChangeAction::DeleteThenCreate, Some(before), Some(after));
    c.replace_paths = vec![Path::attribute("zones")];
    assert_snapshot!(plain(&change::change(&c)), @r#"
      # test_thing.x must be replaced
    -/+ resource "test_thing" "x" {
            name  = "x"
          ~ zones = [ # forces replacement
              - "a",
              + "b",
            ]
        }
    "#);
}

#[test]
fn deletion_says_why() {
    let before = object(&[
        ("id", "i-1".into()),
        ("name", "web".into()),
        ("password", Value::string("old").sensitive()),
        ("tags", map(&[("a", "b")])),
        ("rule", rules(&[80])),
    ]);
    let mut c = changed(ChangeAction::Delete, Some(before), None);
    c.key = key("module.a.test_thing.x[3]");
    c.reason = Some(Reason::CountIndex);
    assert_snapshot!(plain(&change::change(&c)), @r#"
      # module.a.test_thing.x[3] will be destroyed
      # (because index [3] is out of range for count)
      - resource "test_thing" "x" {
          - id       = "i-1" -> null
          - name     = "web" -> null
          - password = (sensitive value) -> null
          - tags     = {
              - "a" = "b"
            } -> null

          - rule {
              - port = 80 -> null
            }
        }
    "#);
}

#[test]
fn data_sources_are_read_when_their_arguments_are_known() {
    let after = object(&[("id", Value::unknown(Type::String)), ("name", "web".into())]);
    let mut c = changed(ChangeAction::Read, None, Some(after));
    c.key = key("data.test_thing.x");
    c.reason = Some(Reason::ConfigUnknown);
    assert_snapshot!(plain(&change::change(&c)), @r#"
      # data.test_thing.x will be read during apply
      # (config refers to values not yet known)
     <= data "test_thing" "x" {
          + id   = (known after apply)
          + name = "web"
        }
    "#);
}

#[test]
fn long_texts_are_compared_by_line() {
    let text = |n: i32| (1..=n).map(|i| format!("line {i}\n")).collect::<String>();
    let before = object(&[("policy", text(9).into())]);
    let after = object(&[(
        "policy",
        text(9).replace("line 6", "LINE SIX\u{1b}[31m").into(),
    )]);
    let c = changed(ChangeAction::Update, Some(before), Some(after));
    assert_snapshot!(plain(&change::change(&c)), @r#"
      # test_thing.x will be updated in-place
      ~ resource "test_thing" "x" {
          ~ policy = <<-EOT
                # (3 unchanged lines hidden)
                line 4
                line 5
              - line 6
              + LINE SIX\u001b[31m
                line 7
                line 8
                # (1 unchanged line hidden)
            EOT
        }
    "#);
}

#[test]
fn what_becomes_unknown_or_of_another_type_shows_both_sides() {
    let before = object(&[("tags", map(&[("a", "b")])), ("policy", "x".into())]);
    let after = object(&[
        ("tags", Value::unknown(Type::map(Type::String))),
        ("policy", Value::from(3)),
    ]);
    let c = changed(ChangeAction::Update, Some(before), Some(after));
    assert_snapshot!(plain(&change::change(&c)), @r#"
      # test_thing.x will be updated in-place
      ~ resource "test_thing" "x" {
          ~ policy = "x" -> 3
          ~ tags   = {
              - "a" = "b"
            } -> (known after apply)
        }
    "#);
}

#[test]
fn an_unknown_or_sensitive_block_shows_no_content() {
    let after = object(&[
        ("name", "x".into()),
        ("rule", Value::unknown(schema().block.blocks["rule"].ty())),
        (
            "options",
            Value::object([("port", Value::from(1)), ("source", "secret".into())]).sensitive(),
        ),
    ]);
    let c = changed(ChangeAction::Create, None, Some(after));
    let text = change::change(&c);
    assert!(!text.contains("secret\""));
    assert_snapshot!(plain(&text), @r#"
      # test_thing.x will be created
      + resource "test_thing" "x" {
          + name = "x"

          + options {
                # At least one attribute in this block is (or was) sensitive,
                # so its contents will not be displayed.
            }

          + rule (known after apply)
        }
    "#);
}

#[test]
fn a_whole_plan() {
    let changes = [
        changed(
            ChangeAction::Create,
            None,
            Some(object(&[("name", "x".into())])),
        ),
        changed(ChangeAction::NoOp, Some(object(&[])), Some(object(&[]))),
    ];
    let drift = [
        Drift {
            key: key("test_thing.gone"),
            before: object(&[("name", "x".into())]),
            after: None,
            schema: schema(),
            consequence: None,
        },
        Drift {
            key: key("test_thing.other"),
            before: object(&[("name", "x".into()), ("size", Value::from(10))]),
            after: Some(object(&[("name", "x".into()), ("size", Value::from(3))])),
            schema: schema(),
            consequence: None,
        },
    ];
    let outputs = [
        OutputChange {
            name: "url".into(),
            before: None,
            after: Some(Value::unknown(Type::String)),
            sensitive: false,
        },
        OutputChange {
            name: "token".into(),
            before: Some("a".into()),
            after: Some("b".into()),
            sensitive: true,
        },
        OutputChange {
            name: "same".into(),
            before: Some("a".into()),
            after: Some("a".into()),
            sensitive: false,
        },
        OutputChange {
            name: "gone".into(),
            before: Some("a".into()),
            after: None,
            sensitive: false,
        },
    ];
    let view = View {
        changes: &changes,
        drift: &drift,
        outputs: &outputs,
        mode: PlanMode::Normal,
        counts: Counts {
            add: 1,
            ..Counts::default()
        },
    };
    assert_snapshot!(plain(&plan::plan(&view)), @r#"
    Note: Objects have changed outside of topo

    topo found these changes made outside of it since the last apply:

      # test_thing.gone has been deleted
      - resource "test_thing" "gone" {
          - name = "x" -> null
        }

      # test_thing.other has changed
      ~ resource "test_thing" "other" {
            name = "x"
          ~ size = 10 -> 3
        }

    topo worked out the following plan. Resource actions are indicated with these symbols:
      + create

    topo will perform the following actions:

      # test_thing.x will be created
      + resource "test_thing" "x" {
          + name = "x"
        }

    Plan: 1 to add, 0 to change, 0 to destroy.

    Changes to Outputs:
      + url   = (known after apply)
      ~ token = (sensitive value)
      - gone  = "a" -> null
    "#);
}

#[test]
fn an_empty_plan_says_that_all_is_well() {
    let view = View {
        changes: &[],
        drift: &[],
        outputs: &[],
        mode: PlanMode::Normal,
        counts: Counts::default(),
    };
    assert_snapshot!(plain(&plan::plan(&view)), @"No changes. Your infrastructure matches the configuration.");
}

const SOURCE: &str =
    "locals {\n  a = 1\n}\n\nresource \"aws_vpc\" \"main\" {\n  cidr_blok = var.cidr\n}\n";

fn at(line: u32, from: u32, to: u32) -> Option<SourceRange> {
    let position = |column| Position {
        line,
        column,
        byte: 0,
    };
    Some(SourceRange {
        file: "main.tf".into(),
        start: position(from),
        end: position(to),
    })
}

#[test]
fn a_diagnostic_shows_the_place_and_what_to_do() {
    let mut d = Diagnostic::error(
        "Unsupported argument",
        "An argument named \"cidr_blok\" is not expected here. Did you mean \"cidr_block\"?",
    )
    .with_range(at(6, 3, 12));
    d.values.push(("var.cidr".into(), "\"10.0.0.0/16\"".into()));
    let sources = |file: &str| (file == "main.tf").then(|| SOURCE.to_string());
    assert_snapshot!(plain(&diagnostics::diagnostic(&d, &sources, 60)), @r#"
    ╷
    │ Error: Unsupported argument
    │
    │   on main.tf line 6, column 3, in resource "aws_vpc" "main":
    │     6:   cidr_blok = var.cidr
    │          ^^^^^^^^^
    │     ├────────────────
    │     │ var.cidr is "10.0.0.0/16"
    │
    │ An argument named "cidr_blok" is not expected here. Did
    │ you mean "cidr_block"?
    ╵
    "#);
}

#[test]
fn a_diagnostic_without_source_names_the_object() {
    let d = Diagnostic::warning("Slow", "")
        .at(Path::attribute("spec").index(0).attr("replicas"))
        .with_address("module.a.aws_vpc.main");
    assert_snapshot!(plain(&diagnostics::diagnostic(&d, &diagnostics::no_sources, 60)), @r"
    ╷
    │ Warning: Slow
    │
    │   with module.a.aws_vpc.main, attribute spec[0].replicas
    ╵
    ");
}
