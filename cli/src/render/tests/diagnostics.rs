//! Diagnostics: one, many that say the same, warnings in short.

use insta::assert_snapshot;
use topo_sdk::{Diagnostic, Path, Position, SourceRange};

use super::plain;
use crate::render::diagnostics::{self, no_sources};
use crate::render::group::{Grouping, group};

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
    assert_snapshot!(plain(&diagnostics::diagnostic(&d, &no_sources, 60)), @r"
    ╷
    │ Warning: Slow
    │
    │   with module.a.aws_vpc.main, attribute spec[0].replicas
    ╵
    ");
}

fn grouped(all: &[Diagnostic], grouping: Grouping) -> String {
    let groups = group(all, grouping);
    let text: String = groups
        .iter()
        .map(|g| diagnostics::grouped(g, &no_sources, 60))
        .collect();
    plain(&text)
}

#[test]
fn the_same_error_of_many_objects_is_told_once() {
    let refused = |address: &str| {
        Diagnostic::error("Cannot connect", "127.0.0.1:6443 refuses connections.")
            .with_address(address)
            .with_range(at(u32::try_from(address.len()).unwrap(), 3, 12))
    };
    let all = [
        refused("kubernetes_secret.a"),
        Diagnostic::error("Cannot connect", "Another host is not known.").with_address("aws_vpc.b"),
        refused("kubernetes_service.c"),
        refused("kubernetes_service.dd"),
    ];
    assert_snapshot!(grouped(&all, Grouping::default()), @r"
    ╷
    │ Error: Cannot connect
    │
    │   with kubernetes_secret.a,
    │   on main.tf line 19, column 3:
    │
    │ 127.0.0.1:6443 refuses connections.
    │
    │ (and 2 more objects: kubernetes_service.c,
    │ kubernetes_service.dd)
    ╵
    ╷
    │ Error: Cannot connect
    │
    │   with aws_vpc.b
    │
    │ Another host is not known.
    ╵
    ");
    let many: Vec<Diagnostic> = (0..13).map(|i| refused(&format!("a.b[{i}]"))).collect();
    let groups = group(&many, Grouping::default());
    let note = groups.first().unwrap().note().unwrap();
    assert_eq!(
        note,
        "(and 12 more objects: a.b[1], a.b[2], a.b[3], a.b[4], a.b[5], a.b[6], a.b[7], a.b[8], a.b[9], a.b[10], ...)"
    );
}

#[test]
fn errors_without_an_object_stay_apart() {
    let wrong = |line| Diagnostic::error("Unsupported argument", "x").with_range(at(line, 1, 2));
    let all = [wrong(1), wrong(2), wrong(3)];
    assert_eq!(group(&all, Grouping::default()).len(), 3);
    // -consolidate-errors
    let grouping = Grouping {
        errors: true,
        ..Grouping::default()
    };
    let text = grouped(&all, grouping);
    assert!(
        text.contains("│ (and 2 more similar errors elsewhere)\n"),
        "{text}"
    );
    assert_eq!(text.matches("Unsupported argument").count(), 1);
}

#[test]
fn similar_warnings_about_the_source_are_told_once() {
    let old = |line, detail: &str| {
        Diagnostic::warning("Deprecated argument", detail).with_range(at(line, 1, 2))
    };
    let all = [old(1, "Use b."), old(2, "Use c.")];
    assert_snapshot!(grouped(&all, Grouping::default()), @r"
    ╷
    │ Warning: Deprecated argument
    │
    │   on main.tf line 1, column 1:
    │
    │ Use b.
    │
    │ (and one more similar warning elsewhere)
    ╵
    ");
    // -consolidate-warnings=false
    let apart = Grouping {
        warnings: false,
        errors: false,
    };
    assert_eq!(group(&all, apart).len(), 2);
    // Without a place they are about different things.
    let unplaced = [
        Diagnostic::warning("Slow", "a"),
        Diagnostic::warning("Slow", "b"),
    ];
    assert_eq!(group(&unplaced, Grouping::default()).len(), 2);
}

#[test]
fn compact_warnings_are_a_list() {
    let old =
        |line| Diagnostic::warning("Deprecated argument", "Use b.").with_range(at(line, 1, 2));
    let busy = |address: &str| Diagnostic::warning("Busy", "Wait.").with_address(address);
    let all = [
        old(3),
        Diagnostic::warning("Targets are in effect", "..."),
        old(7),
        busy("a.b"),
        busy("a.c"),
    ];
    let groups = group(&all, Grouping::default());
    assert_snapshot!(plain(&diagnostics::compact(&groups)), @r"
    Warnings:

    - Deprecated argument
      on main.tf line 3 (and 1 more)
    - Targets are in effect
    - Busy
      (2 occurrences of this warning)

    To see the full warnings, run topo without -compact-warnings.
    ");
}

#[test]
fn nothing_in_a_diagnostic_reaches_the_terminal_raw() {
    let mut d = Diagnostic::error("a\u{1b}[2J", "b\u{1b}]0;x\u{7}\nc\u{202e}")
        .with_address("a.b[\"\u{1b}\"]")
        .with_range(Some(SourceRange {
            file: "\u{1b}.tf".into(),
            ..at(1, 2, 3).unwrap()
        }));
    d.values.push(("\u{1b}".into(), "\u{1b}".into()));
    let sources = |_: &str| Some("x\u{1b}[31m = 1\n".to_string());
    let text = diagnostics::diagnostic(&d, &sources, 60);
    // Stripping would take away what is raw, so what is not has to be found.
    let text = plain(&text);
    assert!(
        !text.chars().any(|c| c.is_control() && c != '\n') && !text.contains('\u{202e}'),
        "{text:?}"
    );
    assert!(text.contains("    1: x\\u001b[31m = 1\n"), "{text}");
    assert_eq!(text.matches("\\u001b").count(), 7, "{text}");
}
