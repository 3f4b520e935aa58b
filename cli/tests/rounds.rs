//! `-target`, `-exclude` and `-allow-deferral` on the command line.

mod common;

use common::Project;

const UNKNOWN: &str = r#"
resource "terraform_data" "first" { input = "x" }
resource "terraform_data" "many" {
  count = length(terraform_data.first.id) > 0 ? 2 : 0
}
resource "terraform_data" "after" {
  input = terraform_data.many[*].id
}
output "n" { value = length(terraform_data.many) }
"#;

fn project(text: &str) -> Project {
    Project::with(&[("main.tf", text)])
}

/// The lines of a text that begin so.
fn lines<'a>(text: &'a str, start: &str) -> Vec<&'a str> {
    let lines = text.lines().map(str::trim);
    lines.filter(|l| l.starts_with(start)).collect()
}

#[test]
fn without_deferral_the_error_offers_it() {
    let p = project(UNKNOWN);
    let run = p.topo(&["plan", "-no-color"]);
    assert_eq!(run.code, 1);
    let text = run.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("-allow-deferral"), "{text}");
    assert!(text.contains("-target=terraform_data.first"), "{text}");
}

#[test]
fn rounds_are_approved_together() {
    let p = project(UNKNOWN);
    let plan = p.topo(&["plan", "-no-color", "-allow-deferral", "-detailed-exitcode"]);
    assert_eq!(plan.code, 2, "{}", plan.stderr);
    assert_eq!(
        lines(&plan.stdout, "Plan:"),
        ["Plan: 1 to add, 0 to change, 0 to destroy."]
    );
    let run = p.topo(&["apply", "-no-color", "-allow-deferral", "-auto-approve"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(
        lines(&run.stdout, "Plan:"),
        [
            "Plan: 1 to add, 0 to change, 0 to destroy.",
            "Plan: 3 to add, 0 to change, 0 to destroy."
        ]
    );
    assert_eq!(lines(&run.stdout, "Round").len(), 1, "{}", run.stdout);
    assert_eq!(p.topo(&["output", "-raw", "n"]).stdout, "2");
    let again = p.topo(&["plan", "-no-color", "-detailed-exitcode"]);
    assert_eq!(again.code, 0, "{}", again.stdout);
}

#[test]
fn each_round_is_approved_by_itself() {
    let p = project(UNKNOWN);
    let run = p.topo_with_input(&["apply", "-no-color", "-allow-deferral"], "yes\nno\n");
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains("Apply cancelled."), "{}", run.stdout);
    assert_eq!(p.topo(&["state", "list"]).stdout, "terraform_data.first\n");
    let run = p.topo_with_input(&["apply", "-no-color"], "yes\n");
    assert_eq!(
        run.code, 0,
        "what it waited for is known now: {}",
        run.stderr
    );
}

#[test]
fn a_saved_plan_does_one_round_and_says_so() {
    let p = project(UNKNOWN);
    let plan = p.topo(&["plan", "-no-color", "-allow-deferral", "-out=p"]);
    assert_eq!(plan.code, 0, "{}", plan.stderr);
    let run = p.topo(&["apply", "-no-color", "p"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stdout.contains("left to a later round"),
        "{}",
        run.stdout
    );
    assert_eq!(p.topo(&["state", "list"]).stdout, "terraform_data.first\n");
}

#[test]
fn a_run_that_gets_nowhere_ends() {
    let p = project(
        r#"
resource "terraform_data" "never" { count = length(timestamp()) > 0 ? 1 : 0 }
resource "terraform_data" "other" {}
"#,
    );
    let run = p.topo(&["apply", "-no-color", "-allow-deferral", "-auto-approve"]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr.contains("The run makes no progress"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("terraform_data.never[*]"),
        "{}",
        run.stderr
    );
    assert_eq!(p.topo(&["state", "list"]).stdout, "terraform_data.other\n");
}

#[test]
fn targets_and_exclusions() {
    let p = project(
        r#"
resource "terraform_data" "a" {}
resource "terraform_data" "b" { input = terraform_data.a.id }
resource "terraform_data" "c" { input = terraform_data.b.id }
resource "terraform_data" "d" {}
"#,
    );
    let list = || p.topo(&["state", "list"]).stdout;
    let run = p.topo(&["apply", "-auto-approve", "-target=terraform_data.b"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stderr.contains("Resource targeting is in effect"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("Applied changes may be incomplete"),
        "{}",
        run.stderr
    );
    assert_eq!(list(), "terraform_data.a\nterraform_data.b\n");
    let run = p.topo(&["apply", "-auto-approve", "-exclude", "terraform_data.c"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(
        list(),
        "terraform_data.a\nterraform_data.b\nterraform_data.d\n"
    );
    let run = p.topo(&["destroy", "-auto-approve", "-target=terraform_data.a"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(list(), "terraform_data.d\n");
    let run = p.topo(&["plan", "-target=nonsense"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("nonsense"), "{}", run.stderr);
    let run = p.topo(&["plan", "-target=module.a", "-exclude=module.b"]);
    assert_eq!(run.code, 1);
}
