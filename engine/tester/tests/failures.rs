//! Failures that are expected: which conditions can be, when they count, and what the assertions
//! of such a run see.

mod common;

use common::{Module, Ran};
use topo_tester::Status;

const MAIN: &str = r#"
variable "x" {
  default = "fine"
  validation {
    condition     = var.x != "variable"
    error_message = "x is refused"
  }
}
locals { l = "loc-${var.x}" }
resource "terraform_data" "pre" {
  count = 2
  input = local.l
  lifecycle {
    precondition {
      condition     = !(var.x == "pre" && count.index == 1)
      error_message = "pre fails"
    }
  }
}
resource "terraform_data" "post" {
  input = local.l
  lifecycle {
    postcondition {
      condition     = self.input != "loc-post"
      error_message = "post fails"
    }
    postcondition {
      condition     = self.output != "loc-late-post"
      error_message = "post fails late"
    }
  }
}
resource "terraform_data" "behind" { input = terraform_data.pre[1].input }
resource "terraform_data" "apart" { input = "apart" }
check "early" {
  assert {
    condition     = var.x != "check"
    error_message = "check fails"
  }
}
check "late" {
  assert {
    condition     = var.x != "late-check" || terraform_data.apart.output == "other"
    error_message = "check fails late"
  }
}
output "early" {
  value = "value"
  precondition {
    condition     = var.x != "output"
    error_message = "output fails"
  }
}
output "late" {
  value = "value"
  precondition {
    condition     = var.x != "late-output" || terraform_data.apart.output == "other"
    error_message = "output fails late"
  }
}
"#;

/// Runs one run with a value of `x` that makes something fail.
async fn run(command: &str, x: &str, expected: &str, assertion: &str) -> Ran {
    let text = format!(
        "run \"r\" {{\n  command = {command}\n  variables {{ x = \"{x}\" }}\n  expect_failures = [{expected}]\n  assert {{\n    condition     = {assertion}\n    error_message = \"does not hold\"\n  }}\n}}\n"
    );
    let module = Module::new(&[("main.tf", MAIN), ("a.tftest.hcl", &text)]);
    let ran = module.run().await;
    assert!(ran.report.files[0].teardowns.is_empty(), "{x}");
    ran
}

/// What fails: the value of `x`, the address, and whether the plan knows it already.
const FAILING: [(&str, &str, bool); 9] = [
    ("variable", "var.x", true),
    ("pre", "terraform_data.pre", true),
    ("pre", "terraform_data.pre[1]", true),
    ("post", "terraform_data.post", true),
    ("late-post", "terraform_data.post", false),
    ("check", "check.early", true),
    ("late-check", "check.late", false),
    ("output", "output.early", true),
    ("late-output", "output.late", false),
];

#[tokio::test]
async fn a_plan_may_fail_where_that_is_expected() {
    for (x, address, in_plan) in FAILING {
        let ran = run("plan", x, address, "var.x != null").await;
        // A check that is not decided in the plan has not passed.
        let passes = in_plan || address.starts_with("check.");
        let said = ran.said("r");
        assert_eq!(ran.of("r").status == Status::Pass, passes, "{x}: {said}");
        assert_eq!(
            said.contains("was expected to report"),
            !passes,
            "{x}: {said}"
        );
        assert!(!said.contains("Warning"), "{x}: {said}");
    }
}

#[tokio::test]
async fn what_fails_before_apply_is_no_expected_failure_of_an_apply() {
    for (x, address, in_plan) in FAILING {
        let ran = run("apply", x, address, "var.x != null").await;
        let passes = !in_plan || address.starts_with("check.");
        let said = ran.said("r");
        assert_eq!(ran.of("r").status == Status::Pass, passes, "{x}: {said}");
        assert_eq!(said.contains("Use command = plan"), !passes, "{x}: {said}");
    }
}

#[tokio::test]
async fn what_fails_unexpectedly_is_an_error_whatever_else_is_expected() {
    for command in ["plan", "apply"] {
        for (x, address, in_plan) in FAILING {
            if command == "plan" && !in_plan && !address.starts_with("check.") {
                continue; // nothing fails
            }
            let other = match address {
                "check.early" => "check.late",
                _ => "check.early",
            };
            let ran = run(command, x, other, "var.x != null").await;
            let said = ran.said("r");
            assert_eq!(ran.of("r").status, Status::Error, "{command} {x}: {said}");
            let told = ["fails", "is refused", "known after apply"];
            assert!(
                told.iter().any(|t| said.contains(t)),
                "{command} {x}: {said}"
            );
        }
    }
    let ran = run("plan", "pre", "terraform_data.pre[0]", "var.x != null").await;
    let said = ran.said("r");
    assert!(said.contains("pre fails"), "{said}");
    assert!(
        said.contains("terraform_data.pre[0], was expected"),
        "{said}"
    );
}

#[tokio::test]
async fn assertions_see_what_an_expected_failure_leaves() {
    use Status::{Error, Fail, Pass};
    for (x, address, assertion, status) in [
        // The value that is refused is the one that was given.
        ("variable", "var.x", "var.x == \"variable\"", Pass),
        ("variable", "var.x", "var.x == \"other\"", Fail),
        ("variable", "var.x", "local.l == \"loc-variable\"", Error),
        (
            "variable",
            "var.x",
            "terraform_data.apart.input == \"apart\"",
            Pass,
        ),
        // An object that fails before it is planned has no values, nor has what refers to it.
        (
            "pre",
            "terraform_data.pre",
            "terraform_data.pre[1].input == local.l",
            Error,
        ),
        (
            "pre",
            "terraform_data.pre",
            "terraform_data.behind.input == local.l",
            Error,
        ),
        (
            "pre",
            "terraform_data.pre",
            "terraform_data.pre[0].input == local.l",
            Pass,
        ),
        // One that fails afterwards has.
        (
            "post",
            "terraform_data.post",
            "terraform_data.post.input == \"loc-post\"",
            Pass,
        ),
        (
            "post",
            "terraform_data.post",
            "terraform_data.post.input == \"x\"",
            Fail,
        ),
        ("output", "output.early", "output.late == \"value\"", Pass),
        ("output", "output.early", "output.early == \"value\"", Error),
        ("check", "check.early", "local.l == \"loc-check\"", Pass),
    ] {
        let ran = run("plan", x, address, assertion).await;
        let said = ran.said("r");
        assert_eq!(ran.of("r").status, status, "{x} {assertion}: {said}");
        if status == Error {
            assert!(
                said.contains("because of the failure"),
                "{x} {assertion}: {said}"
            );
        }
    }
    for (x, address, assertion, status) in [
        (
            "late-post",
            "terraform_data.post",
            "terraform_data.apart.output == \"apart\"",
            Pass,
        ),
        (
            "late-post",
            "terraform_data.post",
            "terraform_data.apart.output == \"x\"",
            Fail,
        ),
        (
            "late-check",
            "check.late",
            "output.early == \"value\"",
            Pass,
        ),
        (
            "late-output",
            "output.late",
            "output.early == \"value\"",
            Pass,
        ),
    ] {
        let ran = run("apply", x, address, assertion).await;
        let said = ran.said("r");
        assert_eq!(ran.of("r").status, status, "{x} {assertion}: {said}");
    }
}

#[tokio::test]
async fn a_check_fails_with_its_data_source_also_where_nothing_changes() {
    let main = r#"
provider "fake" { prefix = "" }
variable "key" { default = "k" }
check "c" {
  data "fake_info" "i" { key = var.key }
  assert {
    condition     = data.fake_info.i.value != "strange"
    error_message = "it is strange"
  }
}
module "m" { source = "./m" }
resource "terraform_data" "a" {}
"#;
    let inner = "variable \"ok\" {\n  default = true\n}\ncheck \"c\" {\n  assert {\n    condition     = var.ok\n    error_message = \"inner\"\n  }\n}\n";
    let test = |expected: &str| {
        format!(
            r#"
run "changes" {{
  variables {{ key = "unreadable" }}
  expect_failures = [{expected}]
}}
run "changes_nothing" {{
  variables {{ key = "unreadable" }}
  expect_failures = [{expected}]
}}
run "plan" {{
  command = plan
  variables {{ key = "unreadable" }}
  expect_failures = [{expected}]
}}
run "strange" {{
  variables {{ key = "strange" }}
  expect_failures = [{expected}]
}}
run "fine" {{}}
"#
        )
    };
    let ran = |main: &str, test: &str| {
        let files = [
            ("main.tf", main),
            ("m/main.tf", inner),
            ("a.tftest.hcl", test),
        ];
        let module = Module::new(&files);
        async move { module.run().await }
    };
    ran(main, &test("check.c")).await.passes();
    let unexpected = ran(main, &test("")).await;
    assert_eq!(unexpected.of("changes").status, Status::Error);
    assert!(unexpected.said("changes").contains("Cannot read it"));
    // Of a module that is called, a failed check cannot be expected.
    let inner_fails = main
        .replace("./m\"", "./m\"\n  ok = false\n")
        .replace("{ source", "{\n source");
    let ran = ran(
        &inner_fails,
        "run \"r\" {\n  expect_failures = [check.c]\n}\n",
    )
    .await;
    let said = ran.said("r");
    assert!(
        said.contains("inner") && said.contains("check.c, was expected"),
        "{said}"
    );
}
