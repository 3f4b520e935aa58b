//! What is shown of a run, by the flags that decide it, through the built binary.

mod common;

use common::Project;

const SECRET: &str = "s3cret-value";

fn project() -> Project {
    let text = format!(
        r#"
variable "secret" {{
  default   = "{SECRET}"
  sensitive = true
}}
resource "terraform_data" "a" {{
  input = {{ user = "u", key = var.secret }}
}}
output "key" {{
  value     = var.secret
  sensitive = true
}}
"#
    );
    Project::with(&[("main.tf", &text)])
}

#[test]
fn sensitive_values_are_shown_when_asked_for() {
    let project = project();
    let hidden = project.topo(&["plan"]).expect(0);
    assert!(!hidden.text().contains(SECRET), "{}", hidden.stdout);
    assert!(
        hidden.stdout.contains("+ key  = (sensitive value)\n"),
        "{}",
        hidden.stdout
    );
    let shown = project.topo(&["plan", "-show-sensitive"]).expect(0);
    assert!(
        shown.stdout.contains(&format!("+ key  = \"{SECRET}\"\n")),
        "{}",
        shown.stdout
    );
    assert!(
        shown.stdout.contains(&format!("+ key = \"{SECRET}\"\n")),
        "{}",
        shown.stdout
    );

    let applied = project.topo(&["apply", "-auto-approve"]).expect(0);
    assert!(!applied.text().contains(SECRET), "{}", applied.stdout);
    for command in ["show", "output"] {
        let hidden = project.topo(&[command]).expect(0);
        assert!(!hidden.text().contains(SECRET), "{}", hidden.stdout);
        let shown = project.topo(&[command, "-show-sensitive"]).expect(0);
        assert!(
            shown.stdout.contains(&format!("key = \"{SECRET}\"\n")),
            "{}",
            shown.stdout
        );
        assert!(!shown.stdout.contains("sensitive"), "{}", shown.stdout);
    }
    let destroyed = project
        .topo(&["destroy", "-auto-approve", "-show-sensitive"])
        .expect(0);
    assert!(destroyed.stdout.contains(SECRET), "{}", destroyed.stdout);
}

#[test]
fn a_concise_run_tells_no_progress() {
    let project = project();
    let run = project
        .topo(&["apply", "-auto-approve", "-concise"])
        .expect(0);
    assert!(
        run.stdout
            .contains("Apply complete! Resources: 1 added, 0 changed, 0 destroyed.\n"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("# terraform_data.a will be created\n"),
        "{}",
        run.stdout
    );
    assert!(!run.text().contains("Creating..."), "{}", run.text());
    let run = project.topo(&["destroy", "-auto-approve"]).expect(0);
    assert!(run.text().contains("Destroying..."), "{}", run.text());
}

#[test]
fn outputs_have_the_forms_of_the_console() {
    let project = Project::with(&[(
        "main.tf",
        r#"
output "list" { value = tolist(["a"]) }
output "text" { value = "a\nb" }
output "document" { value = jsonencode({ a = 1 }) }
"#,
    )]);
    let run = project.topo(&["apply", "-auto-approve"]).expect(0);
    // As `terraform apply` and `terraform output` have them.
    let outputs =
        "document = \"{\\\"a\\\":1}\"\nlist = tolist([\n  \"a\",\n])\ntext = <<EOT\na\nb\nEOT\n";
    assert!(
        run.stdout.ends_with(&format!("\nOutputs:\n\n{outputs}")),
        "{}",
        run.stdout
    );
    assert_eq!(project.topo(&["output"]).expect(0).stdout, outputs);
}

#[test]
fn warnings_that_say_the_same_are_told_once_and_may_be_short() {
    let project = Project::with(&[(
        "main.tf",
        r#"
resource "terraform_data" "a" {
  lifecycle {
    ignore_changes = [id]
  }
}
resource "terraform_data" "b" {
  lifecycle {
    ignore_changes = [id]
  }
}
"#,
    )]);
    let warnings = |flags: &[&str]| {
        let args: Vec<&str> = ["plan"].iter().chain(flags).copied().collect();
        project.topo(&args).expect(0).stderr
    };
    let summary = "Redundant ignore_changes element";
    let once = warnings(&[]);
    assert_eq!(once.matches(summary).count(), 1, "{once}");
    assert!(
        once.contains("(and one more similar warning elsewhere)"),
        "{once}"
    );
    let each = warnings(&["-consolidate-warnings=false"]);
    assert_eq!(each.matches(summary).count(), 2, "{each}");
    let short = warnings(&["-compact-warnings"]);
    assert!(
        short.contains(&format!(
            "Warnings:\n\n- {summary}\n  on main.tf line 4 (and 1 more)\n"
        )),
        "{short}"
    );
    assert!(!short.contains("has no effect"), "{short}");
}
