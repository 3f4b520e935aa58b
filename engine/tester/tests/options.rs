//! How a run plans: `plan_options`, and the workspace that is selected.

mod common;

use common::{Module, Ran};
use topo_engine::changes::ChangeAction;
use topo_tester::Made;

const MAIN: &str = r#"
variable "name" { default = "drifts" }
variable "note" { default = "note" }
locals { both = "${var.name} ${var.note}" }
provider "fake" { prefix = "p-" }
resource "fake_thing" "a" {
  name = var.name
  note = var.note
}
resource "terraform_data" "behind" { input = fake_thing.a.note }
resource "terraform_data" "apart" {
  count = 2
  input = var.note
}
output "note" { value = fake_thing.a.note }
output "given" { value = var.note }
output "apart" { value = terraform_data.apart[*].output }
"#;

async fn run(runs: &str) -> (Ran, Vec<String>) {
    let module = Module::new(&[("main.tf", MAIN), ("a.tftest.hcl", runs)]);
    let ran = module.run().await;
    ran.passes();
    (ran, module.fake.said())
}

fn changes(ran: &Ran, name: &str) -> Vec<(String, ChangeAction)> {
    let Some(Made::Plan(plan, _)) = &ran.of(name).made else {
        panic!("no plan")
    };
    let changes = plan
        .changes
        .iter()
        .filter(|c| c.action != ChangeAction::NoOp);
    changes
        .map(|c| (c.address().to_string(), c.action))
        .collect()
}

#[tokio::test]
async fn a_refresh_only_run_takes_over_what_it_finds_and_changes_nothing() {
    let assertions = r#"
  variables { note = "new" }
  plan_options { mode = refresh-only }
  assert {
    condition     = fake_thing.a.note == "drifted" && output.note == "drifted"
    error_message = "what was found"
  }
  assert {
    condition     = terraform_data.behind.output == "note" && terraform_data.apart[1].output == "note"
    error_message = "what the state has"
  }
  assert {
    condition     = var.note == "new" && output.given == "new" && local.both == "drifts new"
    error_message = "what is given"
  }
}
"#;
    let (ran, said) = run(&format!(
        r#"
run "makes" {{}}
run "looks" {{
  command = plan
{assertions}
run "takes" {{
{assertions}
run "after" {{
  command = plan
  plan_options {{ refresh = false }}
  variables {{ note = run.takes.note }}
}}
"#
    ))
    .await;
    assert_eq!(changes(&ran, "looks"), []);
    // Its note is in the state now: nothing but what refers to the variable is to be changed.
    let after = changes(&ran, "after").into_iter().map(|(a, _)| a);
    assert_eq!(
        after.collect::<Vec<_>>(),
        [
            "terraform_data.apart[0]",
            "terraform_data.apart[1]",
            "terraform_data.behind"
        ]
    );
    assert_eq!(said.iter().filter(|s| s.starts_with("create")).count(), 1);
}

#[tokio::test]
async fn without_refresh_nothing_is_read() {
    let (ran, said) = run(r#"
run "makes" {}
run "looks" {
  command = plan
  plan_options { refresh = false }
  assert {
    condition     = output.note == "note"
    error_message = "as it was made"
  }
}
"#)
    .await;
    assert_eq!(changes(&ran, "looks"), []);
    // Only the destruction reads it.
    assert_eq!(said, ["create drifts", "refresh drifts", "delete drifts"]);
}

#[tokio::test]
async fn objects_are_replaced_where_a_run_says_so() {
    let (ran, said) = run(r#"
variables { name = "r" }
run "makes" {}
run "looks" {
  command = plan
  plan_options { replace = [fake_thing.a, terraform_data.apart[1]] }
}
run "replaces" {
  plan_options { replace = [fake_thing.a] }
}
"#)
    .await;
    assert_eq!(
        changes(&ran, "looks"),
        [
            ("fake_thing.a".to_string(), ChangeAction::DeleteThenCreate),
            (
                "terraform_data.apart[1]".to_string(),
                ChangeAction::DeleteThenCreate
            ),
        ]
    );
    assert_eq!(said, ["create r", "delete r", "create r", "delete r"]);
}

#[tokio::test]
async fn a_targeted_run_leaves_the_rest_as_it_is() {
    let (ran, _) = run(
        r#"
variables { name = "t" }
run "makes" {}
run "looks" {
  command = plan
  variables { note = "new" }
  plan_options { target = [terraform_data.behind] }
  assert {
    condition     = fake_thing.a.note == "new" && terraform_data.behind.input == "new"
    error_message = "what it depends on is planned, too"
  }
  assert {
    condition     = terraform_data.apart[0].output == "note" && output.apart == ["note", "note"]
    error_message = "the rest is as the state has it"
  }
}
run "applies" {
  variables { note = "new" }
  plan_options { target = [terraform_data.apart[0]] }
  assert {
    condition     = terraform_data.apart[0].output == "new" && terraform_data.apart[1].output == "note"
    error_message = "one of two"
  }
  assert {
    condition     = fake_thing.a.note == "note"
    error_message = "the rest is as the state has it"
  }
}
"#,
    )
    .await;
    let made = changes(&ran, "looks").into_iter().map(|(a, _)| a);
    assert_eq!(
        made.collect::<Vec<_>>(),
        ["fake_thing.a", "terraform_data.behind"]
    );
}

#[tokio::test]
async fn options_that_make_no_sense_are_refused() {
    for (options, expected) in [
        ("mode = destroy", "Invalid \"mode\" keyword"),
        (
            "mode = refresh-only\n    refresh = false",
            "Incompatible plan options",
        ),
        ("replace = fake_thing.a", "Unsuitable value type"),
        ("target = [\"a b\"]", "Invalid address"),
        ("refresh = 3", "Unsuitable value type"),
        ("destroy = true", "Unsupported argument"),
    ] {
        let test = format!("run \"r\" {{\n  plan_options {{\n    {options}\n  }}\n}}\n");
        let module = Module::new(&[("main.tf", MAIN), ("a.tftest.hcl", &test)]);
        let said = module.refused();
        assert!(said.contains(expected), "{options}: {said}");
    }
}

#[tokio::test]
async fn the_workspace_is_the_selected_one() {
    let mut module = Module::new(&[
        (
            "main.tf",
            "resource \"terraform_data\" \"a\" {\n  input = terraform.workspace\n}\n",
        ),
        (
            "a.tftest.hcl",
            "run \"r\" {\n  assert {\n    condition     = terraform_data.a.output == \"dev\" && terraform.workspace == \"dev\"\n    error_message = terraform.workspace\n  }\n}\n",
        ),
    ]);
    module.workspace = "dev".into();
    module.run().await.passes();
}
