//! Each action, with each reason.

use insta::assert_snapshot;
use topo_engine::changes::{ChangeAction, Importing, InstanceChange, Reason};
use topo_engine::store::RecordKey;
use topo_sdk::{Path, Type, Value};

use super::*;
use crate::render::Options;

fn update() -> InstanceChange {
    updated(
        &[("id", "i-1".into()), ("size", Value::from(1))],
        &[("id", "i-1".into()), ("size", Value::from(2))],
    )
}

fn replacement() -> InstanceChange {
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
    c
}

fn deletion(address: &str, reason: Option<Reason>) -> InstanceChange {
    let mut c = changed(
        ChangeAction::Delete,
        Some(object(&[("id", "i-1".into())])),
        None,
    );
    c.key = key(address);
    c.reason = reason;
    c
}

fn read(reason: Option<Reason>) -> InstanceChange {
    let after = object(&[("id", Value::unknown(Type::String)), ("name", "web".into())]);
    let mut c = changed(ChangeAction::Read, None, Some(after));
    c.key = key("data.test_thing.x");
    c.reason = reason;
    c
}

#[test]
fn creation_shows_what_is_set_and_what_is_to_be_known() {
    let after = object(&[
        ("id", Value::unknown(Type::String)),
        ("name", "web".into()),
        ("enabled", false.into()),
        ("password", "hunter2".into()),
        (
            "zones",
            Value::list(Type::String, vec!["a".into(), Value::unknown(Type::String)]),
        ),
        ("groups", set(&[])),
        ("tags", map(&[("Name", "web"), ("team/owner", "x\"y")])),
        ("endpoint", endpoint(Some("h"), None, "n")),
        ("rule", rules(&[80])),
    ]);
    let mut c = changed(ChangeAction::Create, None, Some(after));
    c.provider_deferred = true;
    assert_snapshot!(shown(&c), @r#"
      # test_thing.x will be created
      # planned from the schema alone: provider.test is configured during this apply
      + resource "test_thing" "x" {
          + enabled  = false
          + endpoint = {
              + host = "h"
              + name = "n"
            }
          + groups   = []
          + id       = (known after apply)
          + name     = "web"
          + password = (sensitive value)
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
fn an_object_without_any_content_has_an_empty_body() {
    let c = changed(ChangeAction::Create, None, Some(object(&[])));
    // Empty collections of nested blocks are as good as none.
    assert_snapshot!(shown(&c), @r#"
      # test_thing.x will be created
      + resource "test_thing" "x" {}
    "#);
}

#[test]
fn an_update_shows_what_changes_and_counts_the_rest() {
    let same = [
        ("id", "i-1".into()),
        ("name", "web".into()),
        ("password", Value::string("old").sensitive()),
        ("labels", map(&[("a", "b")])),
    ];
    let mut before = same.to_vec();
    before.push(("size", Value::from(1)));
    let mut after = same.to_vec();
    after.push(("size", Value::from(2)));
    // Names are padded to the longest that the object has, as with the peers, shown or not.
    assert_snapshot!(shown(&updated(&before, &after)), @r#"
      # test_thing.x will be updated in-place
      ~ resource "test_thing" "x" {
            id       = "i-1"
            name     = "web"
          ~ size     = 1 -> 2
            # (2 unchanged attributes hidden)
        }
    "#);
}

#[test]
fn a_replacement_names_what_forces_it() {
    let mut c = replacement();
    assert_snapshot!(shown(&c), @r#"
      # test_thing.x must be replaced
    -/+ resource "test_thing" "x" {
          ~ id   = "i-1" -> (known after apply)
          ~ name = "web" -> "api" # forces replacement
            # (1 unchanged attribute hidden)
        }
    "#);
    c.action = ChangeAction::CreateThenDelete;
    assert_snapshot!(shown(&c), @r#"
      # test_thing.x must be replaced
    +/- resource "test_thing" "x" {
          ~ id   = "i-1" -> (known after apply)
          ~ name = "web" -> "api" # forces replacement
            # (1 unchanged attribute hidden)
        }
    "#);
}

#[test]
fn a_replacement_says_why_where_no_attribute_does() {
    let mut c = replacement();
    c.reason = Some(Reason::Tainted);
    assert_eq!(
        comment(&c),
        "  # test_thing.x is tainted, so must be replaced"
    );
    c.reason = Some(Reason::Requested);
    assert_eq!(
        comment(&c),
        "  # test_thing.x will be replaced, as requested"
    );
    // The peers leave out which one it was.
    c.reason = Some(Reason::TriggeredBy(key("test_thing.y[0]").address));
    assert_eq!(
        comment(&c),
        "  # test_thing.x will be replaced due to changes in replace_triggered_by: test_thing.y[0]"
    );
    c.reason = Some(Reason::TargetReplaced {
        provider: provider("kubernetes"),
        argument: Path::attribute("host"),
        because: vec!["aws_eks_cluster.this".parse().unwrap()],
    });
    assert_eq!(
        comment(&c),
        "  # test_thing.x must be replaced because its provider's host changes: aws_eks_cluster.this is replaced"
    );
}

#[test]
fn a_deletion_shows_what_goes() {
    let before = object(&[
        ("id", "i-1".into()),
        ("password", Value::string("old").sensitive()),
        ("policy", "a\nb\n".into()),
        ("tags", map(&[("a", "b")])),
        ("zones", list(&["a"])),
        ("groups", set(&[])),
        ("endpoint", endpoint(Some("h"), None, "n")),
        ("rule", rules(&[80])),
    ]);
    let mut c = changed(ChangeAction::Delete, Some(before), None);
    c.key = key("module.a.test_thing.x[3]");
    c.reason = Some(Reason::CountIndex);
    assert_snapshot!(shown(&c), @r#"
      # module.a.test_thing.x[3] will be destroyed
      # (because index [3] is out of range for count)
      - resource "test_thing" "x" {
          - endpoint = {
              - host = "h"
              - name = "n"
            } -> null
          - groups   = [] -> null
          - id       = "i-1" -> null
          - password = (sensitive value) -> null
          - policy   = <<-EOT
                a
                b
            EOT -> null
          - tags     = {
              - "a" = "b"
            } -> null
          - zones    = [
              - "a",
            ] -> null

          - rule {
              - port = 80 -> null
            }
        }
    "#);
}

#[test]
fn a_deletion_says_why() {
    let why = |address: &str, reason: Reason| {
        let text = comment(&deletion(address, Some(reason)));
        let mut lines = text.lines();
        assert_eq!(
            lines.next().unwrap(),
            format!("  # {address} will be destroyed")
        );
        lines.collect::<Vec<_>>().join("\n")
    };
    // The peers leave out the module, which leaves open which of two resources is meant.
    assert_eq!(
        why("module.m.test_thing.x", Reason::NotInConfiguration),
        "  # (because module.m.test_thing.x is not in configuration)"
    );
    assert_eq!(
        why("module.m[1].test_thing.x", Reason::NoModule),
        "  # (because module.m[1] is not in configuration)"
    );
    assert_eq!(
        why("test_thing.x[\"a\"]", Reason::EachKey),
        "  # (because key [\"a\"] is not in for_each map)"
    );
    assert_eq!(
        why("test_thing.x", Reason::Disabled),
        "  # (because enabled is false)"
    );
    assert_eq!(
        why("test_thing.x", Reason::WrongRepetition),
        "  # (because resource uses count or for_each)"
    );
    assert_eq!(
        why("test_thing.x[0]", Reason::WrongRepetition),
        "  # (because resource does not use count)"
    );
    assert_eq!(
        why("test_thing.x[\"a\"]", Reason::WrongRepetition),
        "  # (because resource does not use for_each)"
    );
    assert_eq!(why("test_thing.x", Reason::Destroy), "");
    let mut c = deletion("test_thing.x[0]", Some(Reason::NoMoveTarget));
    c.previous = Some(key("test_thing.old").address);
    assert_eq!(
        comment(&c).lines().nth(1).unwrap(),
        "  # (because test_thing.old was moved to test_thing.x[0], which is not in configuration)"
    );
    assert_eq!(comment(&c).lines().count(), 2);
}

#[test]
fn a_deposed_object_is_left_over() {
    let mut c = deletion("test_thing.x", None);
    c.key = RecordKey {
        deposed: Some("ab12cd34".into()),
        ..c.key
    };
    assert_eq!(
        comment(&c),
        "  # test_thing.x (deposed object ab12cd34) will be destroyed\n  # (left over from a partially-failed replacement of this instance)"
    );
}

#[test]
fn what_is_forgotten_stays_as_it_is() {
    let before = object(&[("id", "i-1".into()), ("size", Value::from(1))]);
    let mut c = changed(ChangeAction::Forget, Some(before), None);
    c.reason = Some(Reason::NotInConfiguration);
    // Terraform's words. It has the first two lines one column to the left.
    assert_snapshot!(shown(&c), @r#"
      # test_thing.x will no longer be managed by topo, but will not be destroyed
      . resource "test_thing" "x" {
            id   = "i-1"
            # (1 unchanged attribute hidden)
        }
    "#);
    c.reason = Some(Reason::Disabled);
    assert_eq!(
        comment(&c).lines().nth(1).unwrap(),
        "  # (because enabled is false)"
    );
}

#[test]
fn a_move_alone_shows_where_from_and_where_to() {
    let same = object(&[("id", "i-1".into()), ("size", Value::from(1))]);
    let mut c = changed(ChangeAction::NoOp, Some(same.clone()), Some(same));
    c.previous = Some(key("test_thing.old[0]").address);
    assert_snapshot!(shown(&c), @r#"
      # test_thing.old[0] has moved to test_thing.x
        resource "test_thing" "x" {
            id   = "i-1"
            # (1 unchanged attribute hidden)
        }
    "#);
}

#[test]
fn a_move_with_a_change_says_where_from() {
    let mut c = update();
    c.previous = Some(key("module.a.test_thing.old").address);
    assert_snapshot!(shown(&c), @r#"
      # test_thing.x will be updated in-place
      # (moved from module.a.test_thing.old)
      ~ resource "test_thing" "x" {
            id   = "i-1"
          ~ size = 1 -> 2
        }
    "#);
    let mut c = replacement();
    c.previous = Some(key("test_thing.old").address);
    assert_eq!(
        comment(&c),
        "  # test_thing.x must be replaced\n  # (moved from test_thing.old)"
    );
}

#[test]
fn an_import_shows_all_that_is_imported() {
    let same = object(&[
        ("id", "i-1".into()),
        ("size", Value::from(1)),
        ("rule", rules(&[80])),
    ]);
    let mut c = changed(ChangeAction::NoOp, Some(same.clone()), Some(same));
    c.importing = Some(Importing {
        id: "i-1".into(),
        generated: true,
    });
    // The peers tell the id only where something else happens, too; it need not be an attribute.
    assert_snapshot!(shown(&c), @r#"
      # test_thing.x will be imported
      # (imported from "i-1")
      # (config will be generated)
        resource "test_thing" "x" {
            id   = "i-1"
            size = 1

            rule {
                port = 80
            }
        }
    "#);
}

#[test]
fn an_import_with_a_change_shows_both() {
    let mut c = updated(
        &[
            ("id", "i-1".into()),
            ("size", Value::from(1)),
            ("enabled", true.into()),
        ],
        &[
            ("id", "i-1".into()),
            ("size", Value::from(2)),
            ("enabled", true.into()),
        ],
    );
    c.importing = Some(Importing {
        id: "a\"b".into(),
        generated: false,
    });
    assert_snapshot!(shown(&c), @r#"
      # test_thing.x will be updated in-place
      # (imported from "a\"b")
      ~ resource "test_thing" "x" {
            enabled = true
            id      = "i-1"
          ~ size    = 1 -> 2
        }
    "#);
    c.action = ChangeAction::DeleteThenCreate;
    assert_eq!(
        comment(&c),
        "  # test_thing.x must be replaced\n  # (imported from \"a\\\"b\")\n  # Warning: this will destroy the imported resource"
    );
}

#[test]
fn data_sources_are_read_when_their_arguments_are_known() {
    assert_snapshot!(shown(&read(Some(Reason::ConfigUnknown))), @r#"
      # data.test_thing.x will be read during apply
      # (config refers to values not yet known)
     <= data "test_thing" "x" {
          + id   = (known after apply)
          + name = "web"
        }
    "#);
    let why = |reason| comment(&read(reason)).lines().nth(1).map(str::to_string);
    assert_eq!(
        why(Some(Reason::DependencyPending)).unwrap(),
        "  # (depends on a resource or a module with changes pending)"
    );
    assert_eq!(
        why(Some(Reason::CheckNested)).unwrap(),
        "  # (config will be reloaded to verify a check block)"
    );
    assert_eq!(why(None), None);
}

#[test]
fn colours_are_those_that_people_know() {
    let mut out = String::new();
    change::change(&mut out, &replacement(), &Options::default());
    let out = out.replace('\u{1b}', "^");
    assert_snapshot!(out, @r#"
      ^[1m# test_thing.x^[0m must be ^[1m^[31mreplaced^[0m
    ^[31m-^[0m/^[32m+^[0m resource "test_thing" "x" {
          ^[33m~^[0m id   = "i-1" ^[33m->^[0m (known after apply)
          ^[33m~^[0m name = "web" ^[33m->^[0m "api" ^[31m# forces replacement^[0m
            ^[2m# (1 unchanged attribute hidden)^[0m
        }
    "#);
}

#[test]
fn nothing_in_a_name_reaches_the_terminal_raw() {
    let mut c = deletion(
        "test_thing.x[\"\u{1b}[31m\u{202e}\"]",
        Some(Reason::EachKey),
    );
    c.previous = Some(key("test_thing.x[\"\u{7}\"]").address);
    let text = shown(&c);
    assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
    assert!(
        text.contains("test_thing.x[\"\\u001b[31m\\u202e\"]"),
        "{text}"
    );
}
