//! Attributes of each kind.

use insta::assert_snapshot;
use topo_engine::changes::ChangeAction;
use topo_sdk::schema::{Attribute, Block};
use topo_sdk::{Path, Schema, Step, Type, Value};

use super::*;
use crate::render::Options;

#[test]
fn primitives_show_both_sides() {
    let before = [
        ("size", Value::from(1)),
        ("enabled", true.into()),
        ("policy", "".into()),
    ];
    let after = [
        ("size", Value::from(12_345_678_901_i64)),
        ("enabled", false.into()),
        ("policy", "${x}\t".into()),
    ];
    // Unlike with the peers, an empty string is something other than none.
    assert_snapshot!(shown(&updated(&before, &after)), @r#"
      # test_thing.x will be updated in-place
      ~ resource "test_thing" "x" {
          ~ enabled = true -> false
          ~ policy  = "" -> "$${x}\t"
          ~ size    = 1 -> 12345678901
        }
    "#);
}

#[test]
fn what_goes_becomes_null_and_what_comes_has_no_other_side() {
    let before = [
        ("policy", "x".into()),
        ("tags", map(&[("a", "b")])),
        ("zones", list(&["a"])),
        ("groups", set(&["a"])),
        ("endpoint", endpoint(Some("h"), Some(1), "n")),
    ];
    let after = [("size", Value::from(3))];
    assert_snapshot!(shown(&updated(&before, &after)), @r#"
      # test_thing.x will be updated in-place
      ~ resource "test_thing" "x" {
          - endpoint = {
              - host = "h"
              - name = "n"
              - port = 1
            } -> null
          - groups   = [
              - "a",
            ] -> null
          - policy   = "x" -> null
          + size     = 3
          - tags     = {
              - "a" = "b"
            } -> null
          - zones    = [
              - "a",
            ] -> null
        }
    "#);
}

#[test]
fn lists_are_compared_by_element_with_what_is_around() {
    let before = list(&["a", "b", "c", "d", "e", "f"]);
    let after = list(&["a", "b", "c", "X", "e", "f"]);
    assert_snapshot!(attribute("zones", before, after), @r#"
          ~ zones = [
                # (2 unchanged elements hidden)
                "c",
              - "d",
              + "X",
                "e",
                # (1 unchanged element hidden)
            ]
    "#);
    // An element in front moves the others, and changes none of them.
    assert_snapshot!(attribute("zones", list(&["a", "b", "c"]), list(&["z", "a", "b", "c"])), @r#"
          ~ zones = [
              + "z",
                "a",
                # (2 unchanged elements hidden)
            ]
    "#);
    assert_snapshot!(attribute("zones", list(&["a"]), list(&[])), @r#"
          ~ zones = [
              - "a",
            ]
    "#);
}

#[test]
fn sets_are_compared_by_identity() {
    let before = set(&["g1", "g2", "g4"]);
    let after = set(&["g2", "g3", "g4"]);
    assert_snapshot!(attribute("groups", before, after), @r#"
          ~ groups = [
              - "g1",
              + "g3",
                # (2 unchanged elements hidden)
            ]
    "#);
}

#[test]
fn maps_are_compared_by_key() {
    let before = map(&[("Old", "1"), ("same", "x"), ("value", "1")]);
    let after = map(&[("New", "2"), ("same", "x"), ("value", "2")]);
    assert_snapshot!(attribute("labels", before.clone(), after.clone()), @r#"
          ~ labels = {
              + "New"   = "2"
              - "Old"   = "1" -> null
              ~ "value" = "1" -> "2"
                # (1 unchanged element hidden)
            }
    "#);
    // Tags tell what an object is: all of them are shown.
    assert_snapshot!(attribute("tags", before, after), @r#"
          ~ tags = {
              + "New"   = "2"
              - "Old"   = "1" -> null
                "same"  = "x"
              ~ "value" = "1" -> "2"
            }
    "#);
}

#[test]
fn objects_are_compared_by_attribute() {
    let before = endpoint(Some("h"), Some(1), "n");
    let after = endpoint(Some("h"), Some(2), "n");
    assert_snapshot!(attribute("endpoint", before.clone(), after), @r#"
          ~ endpoint = {
                name = "n"
              ~ port = 1 -> 2
                # (1 unchanged attribute hidden)
            }
    "#);
    // An attribute that the object declares and nobody sets is not there.
    assert_snapshot!(attribute("endpoint", before, endpoint(None, Some(1), "n")), @r#"
          ~ endpoint = {
              - host = "h"
                name = "n"
                # (1 unchanged attribute hidden)
            }
    "#);
}

#[test]
fn objects_in_a_list_are_compared_inside() {
    let item = |a: i64, b: i64| Value::object([("a", Value::from(a)), ("b", Value::from(b))]);
    let before = Value::tuple(vec![item(1, 2), item(3, 4)]);
    let after = Value::tuple(vec![item(1, 2), item(3, 5)]);
    assert_snapshot!(attribute("input", before, after), @r#"
          ~ input = [
                {
                    a = 1
                    b = 2
                },
              ~ {
                  ~ b = 4 -> 5
                    # (1 unchanged attribute hidden)
                },
            ]
    "#);
}

#[test]
fn a_null_in_a_value_of_any_type_is_a_value() {
    let before = Value::object([("a", Value::NULL), ("b", Value::from(1)), ("c", "x".into())]);
    let after = Value::object([("b", Value::NULL), ("c", "x".into()), ("n", Value::NULL)]);
    assert_snapshot!(attribute("input", before, after), @r#"
          ~ input = {
              - a = null
              ~ b = 1 -> null
              + n = null
                # (1 unchanged attribute hidden)
            }
    "#);
    let with = |items: Vec<Value>| Value::tuple(items);
    let before = with(vec!["a".into(), Value::NULL]);
    assert_snapshot!(attribute("input", before, with(vec!["a".into()])), @r#"
          ~ input = [
                "a",
              - null,
            ]
    "#);
}

#[test]
fn what_becomes_unknown_or_of_another_type_shows_both_sides() {
    let before = [
        ("labels", map(&[("a", "b")])),
        ("policy", "x".into()),
        ("input", "x".into()),
        ("zones", list(&["a", "b"])),
    ];
    let after = [
        ("labels", Value::unknown(Type::map(Type::String))),
        ("policy", Value::unknown(Type::String)),
        ("input", Value::tuple(vec![Value::from(1)])),
        (
            "zones",
            Value::list(Type::String, vec![Value::unknown(Type::String), "b".into()]),
        ),
    ];
    assert_snapshot!(shown(&updated(&before, &after)), @r#"
      # test_thing.x will be updated in-place
      ~ resource "test_thing" "x" {
          ~ input  = "x" -> [
              + 1,
            ]
          ~ labels = {
              - "a" = "b"
            } -> (known after apply)
          ~ policy = "x" -> (known after apply)
          ~ zones  = [
              - "a",
              + (known after apply),
                "b",
            ]
        }
    "#);
}

#[test]
fn sensitive_values_are_hidden_wherever_they_are() {
    let secret = |text: &str| Value::string(text).sensitive();
    let before = [
        ("password", secret("old-secret")),
        (
            "input",
            Value::object([("key", secret("old-secret")), ("user", "u".into())]),
        ),
        ("zones", list(&["old-secret"]).sensitive()),
        ("policy", secret("old-secret")),
    ];
    let after = [
        ("password", secret("new-secret")),
        (
            "input",
            Value::object([("key", secret("new-secret")), ("user", "u".into())]),
        ),
        ("zones", list(&["new-secret"]).sensitive()),
    ];
    let mut c = updated(&before, &after);
    let text = shown(&c);
    assert!(!text.contains("-secret"), "{text}");
    assert_snapshot!(text, @r#"
      # test_thing.x will be updated in-place
      ~ resource "test_thing" "x" {
          ~ input    = {
              ~ key  = (sensitive value)
                # (1 unchanged attribute hidden)
            }
          ~ password = (sensitive value)
          - policy   = (sensitive value) -> null
          ~ zones    = (sensitive value)
        }
    "#);
    let mut out = String::new();
    let options = Options {
        show_sensitive: true,
        ..Options::default()
    };
    c.replace_paths = vec![Path::attribute("password")];
    change::change(&mut out, &c, &options);
    assert_snapshot!(plain(&out), @r#"
      # test_thing.x will be updated in-place
      ~ resource "test_thing" "x" {
          ~ input    = {
              ~ key  = "old-secret" -> "new-secret"
                # (1 unchanged attribute hidden)
            }
          ~ password = "old-secret" -> "new-secret" # forces replacement
          - policy   = "old-secret" -> null
          ~ zones    = [
              - "old-secret",
              + "new-secret",
            ]
        }
    "#);
}

#[test]
fn what_becomes_sensitive_or_ceases_to_be_is_told() {
    let before = [
        ("policy", "a".into()),
        ("size", Value::from(1)),
        ("enabled", Value::from(true).sensitive()),
        (
            "input",
            Value::object([("a", "x".into()), ("b", "y".into())]),
        ),
    ];
    let after = [
        ("policy", Value::string("a").sensitive()),
        ("size", Value::from(2).sensitive()),
        ("enabled", Value::from(true)),
        (
            "input",
            Value::object([("a", Value::string("x").sensitive()), ("b", "y".into())]),
        ),
    ];
    assert_snapshot!(shown(&updated(&before, &after)), @r#"
      # test_thing.x will be updated in-place
      ~ resource "test_thing" "x" {
          # Warning: this attribute value will no longer be marked as sensitive
          # after applying this change. The value is unchanged.
          ~ enabled = (sensitive value)
          ~ input   = {
              # Warning: this attribute value will be marked as sensitive and will not
              # display in UI output after applying this change. The value is unchanged.
              ~ a = (sensitive value)
                # (1 unchanged attribute hidden)
            }
          # Warning: this attribute value will be marked as sensitive and will not
          # display in UI output after applying this change. The value is unchanged.
          ~ policy  = (sensitive value)
          # Warning: this attribute value will be marked as sensitive and will not
          # display in UI output after applying this change.
          ~ size    = (sensitive value)
        }
    "#);
}

/// A change of an object with an argument that is sent and never stored.
fn sent(action: ChangeAction, before: Option<&str>, after: Option<&str>) -> InstanceChange {
    let schema = Schema::new(
        Block::new()
            .attr("name", Attribute::optional(Type::String))
            .attr("secret", Attribute::optional(Type::String).write_only()),
    );
    let value =
        |name: &str| Value::object([("name", name.into()), ("secret", Value::null(Type::String))]);
    InstanceChange {
        schema: Arc::new(schema),
        ..changed(action, before.map(value), after.map(value))
    }
}

#[test]
fn write_only_arguments_go_with_the_object() {
    assert_snapshot!(shown(&sent(ChangeAction::Create, None, Some("a"))), @r#"
      # test_thing.x will be created
      + resource "test_thing" "x" {
          + name   = "a"
          + secret = (write-only attribute)
        }
    "#);
    let mut update = sent(ChangeAction::DeleteThenCreate, Some("a"), Some("b"));
    update.replace_paths = vec![Path::attribute("secret")];
    assert_snapshot!(shown(&update), @r#"
      # test_thing.x must be replaced
    -/+ resource "test_thing" "x" {
          ~ name   = "a" -> "b"
          ~ secret = (write-only attribute) # forces replacement
        }
    "#);
    assert_snapshot!(shown(&sent(ChangeAction::Delete, Some("a"), None)), @r#"
      # test_thing.x will be destroyed
      - resource "test_thing" "x" {
          - name   = "a" -> null
          - secret = (write-only attribute) -> null
        }
    "#);
    let mut moved = sent(ChangeAction::NoOp, Some("a"), Some("a"));
    moved.previous = Some(key("test_thing.y").address);
    assert_snapshot!(shown(&moved), @r#"
      # test_thing.y has moved to test_thing.x
        resource "test_thing" "x" {
            name   = "a"
            # (1 unchanged attribute hidden)
        }
    "#);
}

#[test]
fn what_forces_replacement_says_so_where_it_is() {
    let before = [
        ("zones", list(&["a"])),
        ("groups", set(&["a"])),
        ("labels", map(&[("a", "1"), ("b", "1")])),
        (
            "endpoint",
            Value::object([
                ("host", "x".into()),
                ("name", "n".into()),
                ("port", Value::from(1)),
            ]),
        ),
        ("policy", "{\"a\":1}".into()),
        ("input", "a\nb\n".into()),
        ("password", "p".into()),
        ("size", Value::from(1)),
        ("enabled", true.into()),
    ];
    let after = [
        ("zones", list(&["b"])),
        ("groups", set(&["b"])),
        ("labels", map(&[("a", "1"), ("b", "2")])),
        (
            "endpoint",
            Value::object([
                ("host", "y".into()),
                ("name", "n".into()),
                ("port", Value::from(1)),
            ]),
        ),
        ("policy", "{\"a\":2}".into()),
        ("input", "a\nc\n".into()),
        ("password", "q".into()),
        ("size", Value::unknown(Type::Number)),
        ("enabled", true.into()),
    ];
    let mut c = changed(
        ChangeAction::DeleteThenCreate,
        Some(object(&before)),
        Some(object(&after)),
    );
    let element = Step::Element(Box::new("b".into()));
    c.replace_paths = vec![
        Path::attribute("zones"),
        Path::from(vec![Step::Attribute("groups".into()), element]),
        Path::attribute("labels").key("b"),
        Path::attribute("endpoint").attr("host"),
        Path::attribute("policy"),
        Path::attribute("input"),
        Path::attribute("password"),
        Path::attribute("size"),
        // Said by a provider for reasons of its own: shown though nothing changes.
        Path::attribute("enabled"),
    ];
    assert_snapshot!(shown(&c), @r#"
      # test_thing.x must be replaced
    -/+ resource "test_thing" "x" {
            enabled  = true # forces replacement
          ~ endpoint = {
              ~ host = "x" -> "y" # forces replacement
                name = "n"
                # (1 unchanged attribute hidden)
            }
          ~ groups   = [ # forces replacement
              - "a",
              + "b",
            ]
          ~ input    = <<-EOT # forces replacement
                a
              - b
              + c
            EOT
          ~ labels   = {
              ~ "b" = "1" -> "2" # forces replacement
                # (1 unchanged element hidden)
            }
          ~ password = (sensitive value) # forces replacement
          ~ policy   = jsonencode(
              ~ {
                  ~ a = 1 -> 2
                } # forces replacement
            )
          ~ size     = 1 -> (known after apply) # forces replacement
          ~ zones    = [ # forces replacement
              - "a",
              + "b",
            ]
        }
    "#);
}

#[test]
fn names_that_take_two_columns_are_aligned() {
    let before = map(&[("ab", "1"), ("名前", "1")]);
    let after = map(&[("ab", "2"), ("名前", "日本")]);
    assert_snapshot!(attribute("labels", before, after), @r#"
          ~ labels = {
              ~ "ab"   = "1" -> "2"
              ~ "名前" = "1" -> "日本"
            }
    "#);
}
