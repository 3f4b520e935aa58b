//! Runs: what they plan and apply, what their assertions see, and what follows from what.

mod common;

use std::time::Duration;

use common::Module;
use topo_engine::apply::Interrupt;
use topo_engine::changes::ChangeAction;
use topo_tester::{Made, Status, TestEvent, junit};

const MAIN: &str = r#"
variable "x" {
  default = "d"
  validation {
    condition     = var.x != "bad"
    error_message = "x is bad"
  }
}
locals { l = "loc-${var.x}" }
resource "terraform_data" "a" {
  input = local.l
  lifecycle {
    postcondition {
      condition     = self.input != "loc-post"
      error_message = "post"
    }
  }
}
output "o" {
  value = terraform_data.a.output
  precondition {
    condition     = var.x != "out"
    error_message = "out"
  }
}
"#;

#[tokio::test]
async fn assertions_see_the_module_from_the_inside() {
    let module = Module::new(&[
        ("main.tf", MAIN),
        (
            "tests/a.tftest.hcl",
            r#"
variables {
  x     = "file"
  extra = "only here"
}
run "plan" {
  command = plan
  assert {
    condition     = local.l == "loc-file" && terraform_data.a.input == "loc-file"
    error_message = "from the inside"
  }
  assert {
    condition     = var.x == "file" && var.extra == "only here"
    error_message = "variables of the test"
  }
}
run "own" {
  variables { x = "run" }
  assert {
    condition     = output.o == "loc-run"
    error_message = "outputs"
  }
}
run "after" {
  command = plan
  variables { x = "${run.own.o}!" }
  assert {
    condition     = terraform_data.a.input == "loc-loc-run!"
    error_message = "outputs of a run"
  }
}
"#,
        ),
    ]);
    let ran = module.run().await;
    ran.passes();
    let Some(Made::Plan(plan, _)) = &ran.of("after").made else {
        panic!("no plan")
    };
    // The object that the run before has made is there.
    assert_eq!(plan.changes[0].action, ChangeAction::Update);
}

#[tokio::test]
async fn a_failed_assertion_lets_others_run_an_error_does_not() {
    let module = Module::new(&[
        ("main.tf", MAIN),
        (
            "a.tftest.hcl",
            r#"
run "ok" {}
run "fails" {
  command = plan
  assert {
    condition     = output.o == "other"
    error_message = "o is ${output.o}"
  }
  assert {
    condition     = local.l == "loc-d"
    error_message = "never"
  }
}
run "still" { command = plan }
run "breaks" {
  variables { x = "bad" }
}
run "skipped" {}
"#,
        ),
        ("tests/b.tftest.hcl", "run \"elsewhere\" {}\n"),
    ]);
    let ran = module.run().await;
    let statuses: Vec<(String, Status)> = ran.statuses().into_iter().collect();
    assert_eq!(
        statuses,
        [
            ("breaks".into(), Status::Error),
            ("elsewhere".into(), Status::Pass),
            ("fails".into(), Status::Fail),
            ("ok".into(), Status::Pass),
            ("skipped".into(), Status::Skip),
            ("still".into(), Status::Pass),
        ]
    );
    let failed = ran.of("fails");
    assert_eq!((failed.failed_assertions, failed.assertions), (1, 2));
    let d = &failed.diagnostics.0[0];
    assert_eq!(
        (d.summary.as_str(), d.detail.as_str()),
        ("Test assertion failed", "o is loc-d")
    );
    assert_eq!(
        d.values,
        [("output.o".to_string(), "\"loc-d\"".to_string())]
    );
    assert_eq!(d.range.as_ref().unwrap().file.as_ref(), "a.tftest.hcl");
    assert!(ran.said("breaks").contains("x is bad"));
    assert!(!ran.report.is_success());

    let xml = junit(&ran.report, &|d| format!("{}\n", d.summary)).unwrap();
    for part in [
        r#"<testsuite name="a.tftest.hcl" tests="5" skipped="1" failures="1" errors="1">"#,
        r#"<failure message="1 of 2 assertions failed: o is loc-d">"#,
        r#"<error message="Encountered an error">"#,
        "Previous testcase",
        r#"<testsuite name="tests/b.tftest.hcl" tests="1" skipped="0" failures="0" errors="0">"#,
    ] {
        assert!(xml.contains(part), "{part} not in {xml}");
    }
}

#[tokio::test]
async fn expected_failures_pass_and_missing_ones_are_errors() {
    let module = Module::new(&[
        ("main.tf", MAIN),
        (
            "tests/a.tftest.hcl",
            r#"
run "variable" {
  command = plan
  variables { x = "bad" }
  expect_failures = [var.x]
}
run "output" {
  command = plan
  variables { x = "out" }
  expect_failures = [output.o]
}
run "resource" {
  command = plan
  variables { x = "post" }
  expect_failures = [terraform_data.a]
}
"#,
        ),
        (
            "tests/b.tftest.hcl",
            r#"
run "missing" {
  command         = plan
  expect_failures = [var.x, terraform_data.a]
}
"#,
        ),
        (
            "tests/c.tftest.hcl",
            r#"
run "too_early" {
  variables { x = "bad" }
  expect_failures = [var.x]
}
"#,
        ),
        (
            "tests/d.tftest.hcl",
            r#"
run "another" {
  command = plan
  variables { x = "bad" }
  expect_failures = [output.o]
}
"#,
        ),
    ]);
    let ran = module.run().await;
    for name in ["variable", "output", "resource"] {
        assert_eq!(ran.of(name).status, Status::Pass, "{}", ran.said(name));
    }
    assert_eq!(ran.of("missing").status, Status::Error);
    let said = ran.said("missing");
    assert!(
        said.contains("var.x, was expected to report an error but did not"),
        "{said}"
    );
    assert!(said.contains("terraform_data.a, was expected"), "{said}");
    assert_eq!(ran.of("too_early").status, Status::Error);
    assert!(
        ran.said("too_early").contains("Use command = plan"),
        "{}",
        ran.said("too_early")
    );
    assert_eq!(ran.of("another").status, Status::Error);
    assert!(ran.said("another").contains("x is bad"));
}

#[tokio::test]
async fn modules_have_states_of_their_own_and_state_keys_share_them() {
    let module = Module::new(&[
        ("main.tf", MAIN),
        (
            "tests/setup/main.tf",
            "variable \"q\" {\n  default = \"q\"\n}\nresource \"terraform_data\" \"m\" {\n  input = var.q\n}\noutput \"z\" {\n  value = \"${path.module}-${terraform_data.m.output}\"\n}\n",
        ),
        (
            "tests/a.tftest.hcl",
            r#"
run "setup" {
  module { source = "./tests/setup" }
}
run "main" {
  variables { x = run.setup.z }
  assert {
    condition     = output.o == "loc-tests/setup-q"
    error_message = "outputs of another module"
  }
}
run "again" {
  command = plan
  module { source = "./tests/setup" }
  variables { q = "r" }
}
run "apart" {
  command   = plan
  state_key = "other"
}
run "same" {
  command   = plan
  state_key = "./tests/setup"
}
"#,
        ),
    ]);
    let ran = module.run().await;
    ran.passes();
    let action = |name: &str| match &ran.of(name).made {
        Some(Made::Plan(plan, _)) => {
            let changes = plan
                .changes
                .iter()
                .map(|c| (c.address().to_string(), c.action));
            changes.collect::<Vec<_>>()
        }
        _ => panic!("no plan"),
    };
    assert_eq!(
        action("again"),
        [("terraform_data.m".to_string(), ChangeAction::Update)]
    );
    assert_eq!(
        action("apart"),
        [("terraform_data.a".to_string(), ChangeAction::Create)]
    );
    let same = action("same");
    assert!(
        same.contains(&("terraform_data.m".to_string(), ChangeAction::Delete)),
        "{same:?}"
    );
}

const THINGS: &str = r#"
variable "names" {
  type    = list(string)
  default = ["a", "b"]
}
provider "fake" { prefix = "real-" }
resource "fake_thing" "first" { name = var.names[0] }
resource "fake_thing" "second" {
  name = var.names[1]
  note = fake_thing.first.id
}
output "id" { value = fake_thing.second.id }
"#;

#[tokio::test]
async fn everything_is_destroyed_in_reverse_order_also_after_failures() {
    let module = Module::new(&[
        ("main.tf", THINGS),
        (
            "tests/setup/main.tf",
            "provider \"fake\" {\n  prefix = \"s-\"\n}\nresource \"fake_thing\" \"s\" {\n  name = \"setup\"\n}\n",
        ),
        (
            "tests/a.tftest.hcl",
            r#"
run "setup" {
  module { source = "./tests/setup" }
}
run "wrong" {
  assert {
    condition     = output.id == "other"
    error_message = "no"
  }
}
run "broken" {
  state_key = "third"
  variables { names = ["c", "broken"] }
}
"#,
        ),
    ]);
    let ran = module.run().await;
    assert_eq!(ran.of("wrong").status, Status::Fail);
    assert_eq!(ran.of("broken").status, Status::Error);
    assert!(ran.said("broken").contains("Cannot make it"));
    let said = module.fake.said();
    let deleted: Vec<&str> = said
        .iter()
        .filter(|c| c.starts_with("delete"))
        .map(|c| &**c)
        .collect();
    assert_eq!(
        deleted,
        ["delete c", "delete b", "delete a", "delete setup"]
    );
    assert!(ran.report.files[0].teardowns.is_empty());
}

#[tokio::test]
async fn what_cannot_be_destroyed_is_told() {
    let module = Module::new(&[
        ("main.tf", THINGS),
        (
            "tests/a.tftest.hcl",
            "run \"passes\" {\n  variables {\n    names = [\"stuck\", \"b\"]\n  }\n}\n",
        ),
    ]);
    let ran = module.run().await;
    assert_eq!(ran.of("passes").status, Status::Pass);
    assert!(!ran.report.is_success());
    assert_eq!(ran.report.status(), Status::Error);
    let teardown = &ran.report.files[0].teardowns[0];
    let left: Vec<(String, Option<String>)> = teardown
        .left
        .iter()
        .map(|l| (l.key.address.to_string(), l.id.clone()))
        .collect();
    assert_eq!(
        left,
        [(
            "fake_thing.first".to_string(),
            Some("real-stuck".to_string())
        )]
    );
    assert!(teardown.diagnostics.to_string().contains("It is stuck"));
    let xml = junit(&ran.report, &|d| d.summary.clone()).unwrap();
    assert!(xml.contains("passes (teardown)"), "{xml}");
    assert!(xml.contains("left: fake_thing.first"), "{xml}");
}

#[tokio::test]
async fn an_interrupt_skips_what_is_to_come_and_destroys_what_was_made() {
    let module = Module::new(&[
        ("main.tf", THINGS),
        (
            "tests/a.tftest.hcl",
            r#"
run "before" {}
run "during" {
  state_key = "other"
  variables { names = ["interrupt", "never"] }
}
run "later" {}
"#,
        ),
        ("tests/b.tftest.hcl", "run \"elsewhere\" {}\n"),
    ]);
    let ran = module.run().await;
    assert_eq!(ran.of("before").status, Status::Pass);
    assert_eq!(ran.of("during").status, Status::Error);
    assert!(ran.said("during").contains("Test interrupted"));
    assert_eq!(ran.of("later").status, Status::Skip);
    assert_eq!(ran.of("elsewhere").status, Status::Skip);
    assert!(
        ran.events
            .iter()
            .any(|e| matches!(e, TestEvent::Interrupted))
    );
    let said = module.fake.said();
    assert!(!said.contains(&"create never".to_string()));
    for name in ["interrupt", "a", "b"] {
        assert!(said.contains(&format!("delete {name}")), "{name}: {said:?}");
    }
    assert!(ran.report.files.iter().all(|f| f.teardowns.is_empty()));
    assert!(!ran.report.is_success());
}

#[tokio::test]
async fn a_second_interrupt_destroys_nothing_and_says_what_is_left() {
    let module = Module::new(&[
        ("main.tf", THINGS),
        ("tests/a.tftest.hcl", "run \"all\" {}\n"),
    ]);
    module.fake.interrupts.send_replace(Interrupt::Now);
    let ran = module.run().await;
    assert!(ran.report.abandoned);
    assert!(!ran.report.is_success());
    assert_eq!(module.fake.said(), Vec::<String>::new());

    let module = Module::new(&[
        ("main.tf", THINGS),
        (
            "tests/a.tftest.hcl",
            "run \"all\" {\n  variables { names = [\"a\", \"hangs\"] }\n}\nrun \"later\" {}\n",
        ),
        ("tests/b.tftest.hcl", "run \"elsewhere\" {}\n"),
    ]);
    let ran = module.run().await;
    assert!(ran.report.abandoned);
    assert_eq!(module.fake.said(), ["create a", "create hangs"]);
    assert_eq!(ran.of("all").status, Status::Error);
    assert_eq!(ran.of("later").status, Status::Skip);
    assert_eq!(ran.of("elsewhere").status, Status::Skip);
    let left = ran.report.files[0].teardowns[0].left.iter();
    let left: Vec<(String, bool)> = left
        .map(|l| (l.key.address.to_string(), l.in_doubt))
        .collect();
    assert_eq!(
        left,
        [
            ("fake_thing.first".to_string(), false),
            // It was asked for, and nobody waited for the answer.
            ("fake_thing.second".to_string(), true),
        ]
    );
    let told = |wanted: fn(&TestEvent) -> bool| ran.events.iter().position(wanted);
    let abandoned = told(|e| matches!(e, TestEvent::Abandoned));
    assert!(abandoned < told(|e| matches!(e, TestEvent::TornDown(_))));
}

#[tokio::test]
async fn parallel_runs_run_side_by_side() {
    // Each creation waits until the other is under way, too.
    let module = Module::new(&[
        (
            "main.tf",
            "variable \"name\" {}\nprovider \"fake\" {\n  prefix = \"\"\n}\nresource \"fake_thing\" \"t\" {\n  name = var.name\n}\noutput \"id\" {\n  value = fake_thing.t.id\n}\n",
        ),
        (
            "tests/a.tftest.hcl",
            r#"
test { parallel = true }
run "one" {
  state_key = "one"
  variables { name = "together-1" }
}
run "two" {
  state_key = "two"
  variables { name = "together-2" }
}
run "after_both" {
  state_key = "three"
  variables { name = "after ${run.one.id} ${run.two.id}" }
  assert {
    condition     = output.id == "after together-1 together-2"
    error_message = "waits for what it refers to"
  }
}
"#,
        ),
    ]);
    let ran = tokio::time::timeout(Duration::from_secs(60), module.run())
        .await
        .expect("the runs wait for each other");
    ran.passes();
}

#[tokio::test]
async fn provider_blocks_know_runs_and_variables() {
    let module = Module::new(&[
        (
            "main.tf",
            "resource \"fake_thing\" \"t\" {\n  name = \"t\"\n}\nresource \"fake_thing\" \"u\" {\n  provider = fake.other\n  name     = \"u\"\n}\noutput \"ids\" {\n  value = [fake_thing.t.id, fake_thing.u.id]\n}\n",
        ),
        (
            "tests/setup/main.tf",
            "output \"p\" {\n  value = \"setup-\"\n}\n",
        ),
        (
            "tests/a.tftest.hcl",
            r#"
variables { region = "here-" }
provider "fake" { prefix = var.region }
provider "fake" {
  alias  = "other"
  prefix = run.setup.p
}
provider "fake" {
  alias  = "third"
  prefix = "third-"
}
run "setup" {
  module { source = "./tests/setup" }
}
run "all" {
  assert {
    condition     = output.ids == ["here-t", "setup-u"]
    error_message = "each its own"
  }
}
run "some" {
  state_key = "some"
  providers = {
    fake       = fake.third
    fake.other = fake
  }
  assert {
    condition     = output.ids == ["third-t", "here-u"]
    error_message = "as the run says"
  }
}
"#,
        ),
    ]);
    module.run().await.passes();
}

#[tokio::test]
async fn a_module_says_itself_which_of_its_variables_are_sensitive() {
    let module = Module::new(&[
        ("main.tf", MAIN),
        (
            "tests/setup/main.tf",
            "output \"secret\" {\n  value     = \"s\"\n  sensitive = true\n}\n",
        ),
        (
            "tests/a.tftest.hcl",
            r#"
run "setup" {
  module { source = "./tests/setup" }
}
run "use" {
  variables { x = run.setup.secret }
  assert {
    condition     = output.o == "other" && run.setup.secret == "other"
    error_message = "is ${run.setup.secret}"
  }
}
"#,
        ),
    ]);
    let ran = module.run().await;
    assert_eq!(ran.of("use").status, Status::Fail);
    let failed = &ran.of("use").diagnostics.0[0];
    // The variable is not declared as sensitive, but the output of the run is.
    let shown = [
        ("output.o".to_string(), "\"loc-s\"".to_string()),
        (
            "run.setup.secret".to_string(),
            "a sensitive value".to_string(),
        ),
    ];
    assert_eq!(failed.values, shown);
    assert!(failed.detail.contains("not shown"), "{}", failed.detail);
}

#[tokio::test]
async fn values_from_outside_come_first() {
    let mut module = Module::new(&[
        ("main.tf", MAIN),
        (
            "tests/a.tftest.hcl",
            r#"
run "outside" {
  command = plan
  assert {
    condition     = local.l == "loc-flag" && var.other == "unknown to the module"
    error_message = "outside"
  }
}
run "inside" {
  command = plan
  variables { x = "${var.x}+run" }
  assert {
    condition     = local.l == "loc-flag+run"
    error_message = "inside"
  }
}
"#,
        ),
    ]);
    module.inputs.add_env("x", "env");
    module.inputs.add_flag("x", "flag");
    module.inputs.add_flag("other", "unknown to the module");
    module.run().await.passes();
}

#[tokio::test]
async fn mistakes_are_told_before_anything_runs() {
    let refused = |text: &str| Module::new(&[("main.tf", MAIN), ("a.tftest.hcl", text)]).refused();
    for (text, expected) in [
        (
            "run \"a\" {\n  command = destroy\n}\n",
            "Invalid \"command\" keyword",
        ),
        (
            "run \"a\" {}\nrun \"a\" {}\n",
            "Duplicate \"run\" block names",
        ),
        ("run \"a b\" {}\n", "Invalid run block name"),
        (
            "run \"a\" {\n  module {}\n}\n",
            "Missing \"source\" attribute",
        ),
        (
            "run \"a\" {\n  expect_failures = [local.l]\n}\n",
            "Invalid `expect_failures` reference",
        ),
        (
            "run \"a\" {\n  providers = { fake = fake.x }\n}\n",
            "Missing provider definition",
        ),
        (
            "run \"a\" {\n  assert {\n    condition = true\n  }\n}\n",
            "needs the argument \"error_message\"",
        ),
        ("rum \"a\" {}\n", "Unsupported block type"),
        (
            "run \"a\" {\n  assert {\n    condition     = 1 == 1\n    error_message = \"no\"\n  }\n}\n",
            "Invalid assert expression",
        ),
        (
            "override_data {\n  target = terraform_data.a\n}\n",
            "Invalid override target",
        ),
        (
            "mock_provider \"nope\" {}\nrun \"a\" {}\n",
            "Unknown provider",
        ),
        (
            "run \"a\" {\n  module {\n    source = \"./none\"\n  }\n}\n",
            "Unreadable module directory",
        ),
    ] {
        let said = refused(text);
        assert!(said.contains(expected), "{text}: {said}");
    }
    let mut module = Module::new(&[("main.tf", MAIN), ("a.tftest.hcl", "run \"a\" {}\n")]);
    module.filter = vec!["b.tftest.hcl".into()];
    assert!(module.refused().contains("Unknown test file"));
}

#[tokio::test]
async fn json_is_a_syntax_too() {
    let module = Module::new(&[
        ("main.tf", MAIN),
        (
            "tests/a.tftest.json",
            r#"{
  "variables": {"x": "json"},
  "run": {
    "plan": {
      "command": "plan",
      "assert": {"condition": "${local.l == \"loc-json\"}", "error_message": "no"}
    },
    "expected": {
      "command": "plan",
      "variables": {"x": "bad"},
      "expect_failures": ["var.x"]
    }
  }
}"#,
        ),
    ]);
    module.run().await.passes();
}

#[tokio::test]
async fn an_unknown_condition_says_what_to_do() {
    let module = Module::new(&[
        ("main.tf", THINGS),
        (
            "tests/a.tftest.hcl",
            "run \"early\" {\n  command = plan\n  assert {\n    condition     = output.id == \"x\"\n    error_message = \"no\"\n  }\n}\n",
        ),
    ]);
    let ran = module.run().await;
    assert_eq!(ran.of("early").status, Status::Error);
    let said = ran.said("early");
    assert!(said.contains("Unknown condition value"), "{said}");
    assert!(said.contains("override_during = plan"), "{said}");
}
