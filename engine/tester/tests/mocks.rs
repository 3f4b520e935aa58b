//! What tests make up: providers, objects, modules.

mod common;

use common::Module;
use topo_tester::Made;

const MAIN: &str = r#"
provider "fake" { prefix = "real-" }
resource "fake_thing" "t" {
  count = 2
  name  = "t"
}
data "fake_info" "i" { key = "k" }
output "ids" { value = fake_thing.t[*].id }
output "info" { value = data.fake_info.i.value }
"#;

#[tokio::test]
async fn a_mocked_provider_makes_nothing() {
    let module = Module::new(&[
        ("main.tf", MAIN),
        (
            "tests/a.tftest.hcl",
            r#"
mock_provider "fake" {
  mock_resource "fake_thing" {
    defaults = { size = 3 }
  }
  mock_data "fake_info" {
    defaults = { value = join("-", ["made", "up"]) }
  }
}
run "plan" {
  command = plan
  assert {
    condition     = output.info == "made-up"
    error_message = "data sources are known in the plan"
  }
}
run "apply" {
  assert {
    condition     = can(regex("^[a-z0-9]{8}$", output.ids[0])) && output.ids[0] != output.ids[1]
    error_message = "strings of eight letters and digits, each object its own"
  }
  assert {
    condition     = fake_thing.t[0].size == 3 && fake_thing.t[0].on == false && length(fake_thing.t[0].parts) == 0
    error_message = "given, else invented by type"
  }
}
run "same" {
  command = plan
  assert {
    condition     = output.ids == run.apply.ids
    error_message = "what was made up stays"
  }
}
"#,
        ),
    ]);
    let outputs = |ran: &common::Ran| match &ran.of("apply").made {
        Some(Made::State(state)) => state.outputs.clone(),
        _ => panic!("no state"),
    };
    let (once, again) = (module.run().await, module.run().await);
    once.passes();
    assert_eq!(
        outputs(&once),
        outputs(&again),
        "what is made up is always the same"
    );
    assert_eq!(module.fake.said(), Vec::<String>::new());
}

#[tokio::test]
async fn the_ending_of_the_file_or_override_during_says_when_values_are_known() {
    let assertion = |condition: &str| {
        format!(
            "run \"plan\" {{\n  command = plan\n  assert {{\n    condition     = {condition}\n    error_message = \"no\"\n  }}\n}}\n"
        )
    };
    let known = assertion("length(output.ids[0]) == 8");
    for (name, mock, known_in_plan) in [
        ("a.tftest.hcl", "mock_provider \"fake\" {}\n", false),
        ("a.tofutest.hcl", "mock_provider \"fake\" {}\n", true),
        (
            "a.tftest.hcl",
            "mock_provider \"fake\" {\n  override_during = plan\n}\n",
            true,
        ),
        (
            "a.tofutest.hcl",
            "mock_provider \"fake\" {\n  override_during = apply\n}\n",
            false,
        ),
        (
            "a.tftest.hcl",
            "mock_provider \"fake\" {\n  mock_resource \"fake_thing\" {\n    override_during = plan\n  }\n}\n",
            true,
        ),
    ] {
        let module = Module::new(&[("main.tf", MAIN), (name, &format!("{mock}{known}"))]);
        let ran = module.run().await;
        assert_eq!(
            ran.report.is_success(),
            known_in_plan,
            "{name} {mock}: {}",
            ran.said("plan")
        );
    }
    // What is known in the plan is what is made.
    let module = Module::new(&[
        ("main.tf", MAIN),
        (
            "a.tofutest.hcl",
            "mock_provider \"fake\" {}\nrun \"p\" {\n  command = plan\n}\nrun \"a\" {\n  assert {\n    condition     = output.ids == run.p.ids\n    error_message = \"no\"\n  }\n}\n",
        ),
    ]);
    module.run().await.passes();
}

#[tokio::test]
async fn overridden_objects_are_not_made_and_others_are() {
    let module = Module::new(&[
        ("main.tf", MAIN),
        (
            "tests/a.tftest.hcl",
            r#"
override_data {
  target = data.fake_info.i
  values = { value = "overridden" }
}
override_resource {
  target = fake_thing.t[1]
  values = { id = "of the file" }
}
run "file" {
  assert {
    condition     = output.ids == ["real-t", "of the file"] && output.info == "overridden"
    error_message = "one of two"
  }
}
run "own" {
  state_key = "own"
  override_resource {
    target          = fake_thing.t
    override_during = plan
    values          = { id = "of the run" }
  }
  assert {
    condition     = output.ids == ["of the run", "of the run"]
    error_message = "the run's own come first"
  }
}
run "again" {
  command = plan
  assert {
    condition     = output.ids == ["real-t", "of the file"]
    error_message = "what is made up stays"
  }
}
"#,
        ),
    ]);
    module.run().await.passes();
    assert_eq!(module.fake.said(), ["create t", "delete t"]);
}

const CALLER: &str = r#"
module "inner" {
  source = "./inner"
  name   = "n"
}
output "o" { value = module.inner.id }
output "rest" { value = module.inner.other }
"#;

const INNER: &str = r#"
variable "name" {}
provider "fake" { prefix = "real-" }
resource "fake_thing" "t" { name = var.name }
output "id" { value = fake_thing.t.id }
output "other" { value = "other" }
"#;

#[tokio::test]
async fn an_overridden_module_is_its_outputs() {
    let module = Module::new(&[
        ("main.tf", CALLER),
        ("inner/main.tf", INNER),
        (
            "tests/a.tftest.hcl",
            r#"
override_module {
  target  = module.inner
  outputs = { id = "given" }
}
run "apply" {
  assert {
    condition     = output.o == "given" && output.rest == null
    error_message = "what is not given is null"
  }
}
run "plan" {
  command = plan
  override_module {
    target          = module.inner
    override_during = plan
    outputs         = { id = "of the run" }
  }
  assert {
    condition     = output.o == "of the run"
    error_message = "the run's own comes first"
  }
}
"#,
        ),
        (
            "tests/b.tftest.hcl",
            r#"
override_module {
  target  = module.inner
  outputs = { id = "given" }
}
run "late" {
  command = plan
  assert {
    condition     = output.o == "given"
    error_message = "not before apply"
  }
}
"#,
        ),
    ]);
    let ran = module.run().await;
    for name in ["apply", "plan"] {
        assert_eq!(
            ran.of(name).status,
            topo_tester::Status::Pass,
            "{}",
            ran.said(name)
        );
    }
    assert!(
        ran.said("late").contains("Unknown condition value"),
        "{}",
        ran.said("late")
    );
    assert_eq!(module.fake.said(), Vec::<String>::new());
    let module = Module::new(&[
        ("main.tf", CALLER),
        ("inner/main.tf", INNER),
        (
            "a.tftest.hcl",
            "override_module {\n  target  = module.inner\n  outputs = { idd = \"x\" }\n}\nrun \"a\" {}\n",
        ),
    ]);
    assert!(
        module
            .refused()
            .contains("has no output \"idd\". Did you mean"),
        "{}",
        module.refused()
    );
}

#[tokio::test]
async fn one_alias_is_mocked_and_another_is_real() {
    let module = Module::new(&[
        (
            "main.tf",
            "provider \"fake\" {\n  prefix = \"real-\"\n}\nprovider \"fake\" {\n  alias  = \"b\"\n  prefix = \"b-\"\n}\nresource \"fake_thing\" \"a\" {\n  name = \"a\"\n}\nresource \"fake_thing\" \"b\" {\n  provider = fake.b\n  name     = \"b\"\n}\n",
        ),
        (
            "a.tftest.hcl",
            r#"
mock_provider "fake" {
  alias  = "b"
  source = "./mocks"
}
run "both" {
  assert {
    condition     = fake_thing.a.id == "real-a" && fake_thing.b.id == "from a file"
    error_message = "each by its own"
  }
}
"#,
        ),
        (
            "mocks/fake.tfmock.hcl",
            "mock_resource \"fake_thing\" {\n  defaults = {\n    id = \"from a file\"\n  }\n}\n",
        ),
    ]);
    module.run().await.passes();
    assert_eq!(module.fake.said(), ["create a", "delete a"]);
}

#[tokio::test]
async fn values_that_fit_nothing_are_refused() {
    let refused = |defaults: &str| {
        let text = format!(
            "mock_provider \"fake\" {{\n  mock_resource \"fake_thing\" {{\n    defaults = {defaults}\n  }}\n}}\nrun \"a\" {{}}\n"
        );
        Module::new(&[("main.tf", MAIN), ("a.tftest.hcl", &text)]).refused()
    };
    assert!(refused("{ sise = 3 }").contains("no attribute \"sise\""));
    assert!(refused("{ size = \"large\" }").contains("does not fit"));
    assert!(refused("3").contains("must be an object"));
}
