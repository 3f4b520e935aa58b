//! Strings: long texts line by line, JSON documents inside.

use insta::assert_snapshot;
use topo_sdk::Value;

use super::*;

fn policy(before: &str, after: &str) -> String {
    attribute("policy", before.into(), after.into())
}

#[test]
fn long_texts_are_compared_by_line() {
    let text = |n: i32| (1..=n).map(|i| format!("line {i}\n")).collect::<String>();
    let after = text(11).replace("line 6", "LINE SIX\u{1b}[31m");
    // The peers show all lines.
    assert_snapshot!(policy(&text(11), &after), @r#"
          ~ policy = <<-EOT
                # (2 unchanged lines hidden)
                line 3
                line 4
                line 5
              - line 6
              + LINE SIX\u001b[31m
                line 7
                line 8
                line 9
                # (2 unchanged lines hidden)
            EOT
    "#);
}

#[test]
fn yaml_is_compared_by_line() {
    let before = "spec:\n  replicas: 1\n\n  image: a\n";
    let after = "spec:\n  replicas: 2\n\n  image: a\n  extra: true\n";
    assert_snapshot!(policy(before, after), @r"
          ~ policy = <<-EOT
                spec:
              -   replicas: 1
              +   replicas: 2

                  image: a
              +   extra: true
            EOT
    ");
}

#[test]
fn a_line_break_at_the_end_is_told() {
    // The peers pass over it.
    assert_snapshot!(policy("a\nb", "a\nb\n"), @r"
          ~ policy = <<-EOT
                # (2 unchanged lines hidden)
                # (line break at the end added)
            EOT
    ");
    assert_snapshot!(policy("a\nb\n", "a\nb"), @r"
          ~ policy = <<-EOT
                # (2 unchanged lines hidden)
                # (line break at the end removed)
            EOT
    ");
}

#[test]
fn a_short_text_may_become_a_long_one() {
    assert_snapshot!(policy("a", "a\r\nb\n"), @r"
          ~ policy = <<-EOT
              - a
              + a\r
              + b
                # (line break at the end added)
            EOT
    ");
}

#[test]
fn documents_are_compared_inside() {
    let before = r#"{"Version":"1","Id":null,"Statement":[{"Effect":"Allow","Sid":"a","Action":["x","y"]},{"Effect":"Deny","Sid":"b","Action":[]}]}"#;
    let after = r#"{"Version":"1","Id":null,"Statement":[{"Effect":"Deny","Sid":"a","Action":["x","z","y"]},{"Effect":"Deny","Sid":"b","Action":[]}]}"#;
    assert_snapshot!(policy(before, after), @r#"
          ~ policy = jsonencode(
              ~ {
                  ~ Statement = [
                      ~ {
                          ~ Action = [
                                "x",
                              + "z",
                                "y",
                            ]
                          ~ Effect = "Allow" -> "Deny"
                            # (1 unchanged attribute hidden)
                        },
                        {
                            Action = []
                            Effect = "Deny"
                            Sid    = "b"
                        },
                    ]
                    # (2 unchanged attributes hidden)
                }
            )
    "#);
    assert_snapshot!(policy("[1,2]", "[1,3]"), @r#"
          ~ policy = jsonencode(
              ~ [
                    1,
                  - 2,
                  + 3,
                ]
            )
    "#);
    // A null in a document is written there; what goes from it needs no `-> null`.
    assert_snapshot!(policy(r#"{"a":null,"b":{"c":1}}"#, r#"{"b":{}}"#), @r#"
          ~ policy = jsonencode(
              ~ {
                  - a = null
                  ~ b = {
                      - c = 1
                    }
                }
            )
    "#);
}

#[test]
fn a_document_comes_and_goes() {
    let document = r#"{"a":[1],"n":null}"#;
    assert_snapshot!(attribute("policy", Value::null(topo_sdk::Type::String), document.into()), @r#"
          + policy = jsonencode(
                {
                  + a = [
                      + 1,
                    ]
                  + n = null
                }
            )
    "#);
    assert_snapshot!(attribute("policy", document.into(), Value::null(topo_sdk::Type::String)), @r#"
          - policy = jsonencode(
                {
                  - a = [
                      - 1,
                    ]
                  - n = null
                }
            ) -> null
    "#);
    assert_snapshot!(policy("{}", r#"{"a":1}"#), @r#"
          ~ policy = jsonencode(
              ~ {
                  + a = 1
                }
            )
    "#);
    let unknown = Value::unknown(topo_sdk::Type::String);
    assert_eq!(
        attribute("policy", "{}".into(), unknown).trim(),
        "~ policy = jsonencode({}) -> (known after apply)"
    );
}

#[test]
fn a_document_may_give_way_to_text() {
    assert_snapshot!(policy("[1,2]", "hello"), @r#"
          ~ policy = jsonencode(
                [
                  - 1,
                  - 2,
                ]
            ) -> "hello"
    "#);
    assert_snapshot!(policy("{broken", "[1]"), @r#"
          ~ policy = "{broken" -> jsonencode(
                [
                  + 1,
                ]
            )
    "#);
}

#[test]
fn another_notation_of_the_same_document_is_named() {
    assert_snapshot!(policy(r#"{"a": 1}"#, r#"{"a":1}"#), @r#"
          ~ policy = jsonencode( # whitespace changes
                {
                    a = 1
                }
            )
    "#);
    // With the peers this is whitespace, too.
    assert_snapshot!(policy(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#), @r#"
          ~ policy = jsonencode( # order of keys or notation changes
                {
                    a = 1
                    b = 2
                }
            )
    "#);
}

#[test]
fn long_texts_in_a_list_are_compared_inside() {
    assert_snapshot!(attribute("zones", list(&["x", "a\nb\n"]), list(&["x", "a\nc\n"])), @r#"
          ~ zones = [
                "x",
              ~ <<-EOT
                    a
                  - b
                  + c
                EOT,
            ]
    "#);
}
