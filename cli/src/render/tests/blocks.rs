//! Nested blocks of each kind.

use insta::assert_snapshot;
use topo_engine::changes::ChangeAction;
use topo_sdk::{Path, Value};

use super::*;
use crate::render::Options;

fn block_type() -> topo_sdk::Type {
    schema().block.blocks["rule"].block.ty()
}

fn listeners(ports: &[i64]) -> Value {
    Value::set(block_type(), ports.iter().map(|p| rule(*p)).collect())
}

fn volumes(entries: &[(&str, i64)]) -> Value {
    let entries = entries.iter().map(|(k, p)| ((*k).into(), rule(*p)));
    Value::map(block_type(), entries.collect())
}

#[test]
fn blocks_of_each_nesting_are_compared() {
    let before = [
        ("name", "web".into()),
        ("rule", rules(&[80, 443, 22])),
        ("listener", listeners(&[1, 2])),
        ("volume", volumes(&[("a", 1), ("b", 2), ("c", 3)])),
        ("options", rule(1)),
    ];
    let after = [
        ("name", "web".into()),
        // The first is gone: the others are the same, unlike with the peers, who go by position.
        ("rule", rules(&[443, 23])),
        ("listener", listeners(&[2, 3])),
        ("volume", volumes(&[("a", 1), ("b", 3), ("d\"", 4)])),
        ("options", rule(2)),
    ];
    assert_snapshot!(shown(&updated(&before, &after)), @r#"
      # test_thing.x will be updated in-place
      ~ resource "test_thing" "x" {
            name = "web"

          - listener {
              - port = 1 -> null
            }
          + listener {
              + port = 3
            }

          ~ options {
              ~ port = 1 -> 2
            }

          - rule {
              - port = 80 -> null
            }
          ~ rule {
              ~ port = 22 -> 23
            }

          ~ volume "b" {
              ~ port = 2 -> 3
            }
          - volume "c" {
              - port = 3 -> null
            }
          + volume "d\"" {
              + port = 4
            }

            # (3 unchanged blocks hidden)
        }
    "#);
}

#[test]
fn a_block_comes_and_goes() {
    let c = updated(&[("options", rule(1))], &[("rule", rules(&[80]))]);
    assert_snapshot!(shown(&c), @r#"
      # test_thing.x will be updated in-place
      ~ resource "test_thing" "x" {
          - options {
              - port = 1 -> null
            }

          + rule {
              + port = 80
            }
        }
    "#);
}

#[test]
fn blocks_that_are_not_known_are_one_line() {
    let ty = schema().block.blocks["rule"].ty();
    let mut c = updated(
        &[("name", "x".into()), ("rule", rules(&[80]))],
        &[
            ("name", "x".into()),
            ("rule", Value::unknown(ty)),
            ("options", Value::unknown(block_type())),
        ],
    );
    c.replace_paths = vec![Path::attribute("rule")];
    assert_snapshot!(shown(&c), @r#"
      # test_thing.x will be updated in-place
      ~ resource "test_thing" "x" {
            name = "x"

          + options (known after apply)

          - rule { # forces replacement
              - port = 80 -> null
            }
          + rule (known after apply) # forces replacement
        }
    "#);
}

#[test]
fn a_sensitive_block_shows_no_content() {
    let before = [("name", "x".into())];
    let after = [
        ("name", "x".into()),
        ("options", rule(4711).sensitive()),
        ("rule", rules(&[4711, 4712]).sensitive()),
    ];
    let text = shown(&updated(&before, &after));
    assert!(!text.contains("471"));
    assert_snapshot!(text, @r#"
      # test_thing.x will be updated in-place
      ~ resource "test_thing" "x" {
            name = "x"

          + options {
                # At least one attribute in this block is (or was) sensitive,
                # so its contents will not be displayed.
            }

          + rule {
                # At least one attribute in this block is (or was) sensitive,
                # so its contents will not be displayed.
            }
        }
    "#);
    let mut out = String::new();
    let options = Options {
        show_sensitive: true,
        ..Options::default()
    };
    change::change(&mut out, &updated(&before, &after), &options);
    assert_eq!(out.matches("471").count(), 3, "{out}");
}

#[test]
fn a_block_that_becomes_sensitive_is_told() {
    let c = updated(
        &[("options", rule(1)), ("rule", rules(&[1]).sensitive())],
        &[("options", rule(1).sensitive()), ("rule", rules(&[2]))],
    );
    assert_snapshot!(shown(&c), @r#"
      # test_thing.x will be updated in-place
      ~ resource "test_thing" "x" {
          # Warning: this block will be marked as sensitive and will not
          # display in UI output after applying this change. The value is unchanged.
          ~ options {
                # At least one attribute in this block is (or was) sensitive,
                # so its contents will not be displayed.
            }

          # Warning: this block will no longer be marked as sensitive
          # after applying this change.
          ~ rule {
                # At least one attribute in this block is (or was) sensitive,
                # so its contents will not be displayed.
            }
        }
    "#);
}

#[test]
fn what_forces_replacement_in_a_block_says_so_there() {
    let mut c = updated(
        &[
            ("rule", rules(&[80, 443])),
            ("options", rule(1)),
            ("volume", volumes(&[("a", 1)])),
        ],
        &[
            ("rule", rules(&[80, 444])),
            ("options", rule(2)),
            ("volume", volumes(&[("a", 2)])),
        ],
    );
    c.action = ChangeAction::DeleteThenCreate;
    c.replace_paths = vec![
        Path::attribute("rule").index(1).attr("port"),
        Path::attribute("options"),
        Path::attribute("volume").key("a").attr("port"),
    ];
    assert_snapshot!(shown(&c), @r#"
      # test_thing.x must be replaced
    -/+ resource "test_thing" "x" {
          ~ options { # forces replacement
              ~ port = 1 -> 2
            }

          ~ rule {
              ~ port = 443 -> 444 # forces replacement
            }

          ~ volume "a" {
              ~ port = 1 -> 2 # forces replacement
            }

            # (1 unchanged block hidden)
        }
    "#);
}
