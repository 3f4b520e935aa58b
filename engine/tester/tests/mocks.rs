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
    condition     = output.ids == ["of the run", "of the file"]
    error_message = "the run's own come first, but for what is said of a single instance"
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

const INSTANCES: &str = r#"
module "a" {
  source = "./m"
  count  = 2
  n      = "a${count.index}"
}
module "k" {
  source   = "./m"
  for_each = toset(["x", "y"])
  n        = each.key
}
resource "terraform_data" "r" {
  count = 3
  input = "r${count.index}"
}
output "a" { value = module.a[*].o }
output "k" { value = { for k, m in module.k : k => m.o } }
output "inner" { value = module.a[*].inner }
output "r" { value = terraform_data.r[*].output }
"#;

const INSTANCE: &str = r#"
variable "n" {}
resource "terraform_data" "t" {
  count = 2
  input = "${var.n}-${count.index}"
}
module "deep" {
  source = "./deep"
  n      = terraform_data.t[1].output
}
locals { first = terraform_data.t[0].input }
check "c" {
  assert {
    condition     = local.first != "a0-0"
    error_message = "in an instance that is not there"
  }
}
output "o" { value = "${var.n} ${module.deep.o}" }
output "inner" {
  value = terraform_data.t[*].output
  precondition {
    condition     = var.n != "a0"
    error_message = "of an instance that is not there"
  }
}
"#;

const DEEP: &str = "variable \"n\" {}\nresource \"terraform_data\" \"d\" {\n  input = var.n\n}\noutput \"o\" {\n  value = terraform_data.d.output\n}\n";

fn instances(tests: &str) -> Module {
    Module::new(&[
        ("main.tf", INSTANCES),
        ("m/main.tf", INSTANCE),
        ("m/deep/main.tf", DEEP),
        ("a.tftest.hcl", tests),
    ])
}

#[tokio::test]
async fn an_overridden_instance_of_a_module_is_its_outputs_and_others_are_whole() {
    let module = instances(
        r#"
override_module {
  target  = module.a[0]
  outputs = { o = "of the file" }
}
override_module {
  target  = module.k["x"]
  outputs = { o = "of the file" }
}
run "file" {
  assert {
    condition     = output.a == ["of the file", "a1 a1-1"] && output.k == { x = "of the file", y = "y y-1" }
    error_message = "the others are made"
  }
  assert {
    condition     = output.inner[0] == null && output.inner[1] == ["a1-0", "a1-1"]
    error_message = "what is not given is null"
  }
}
run "all" {
  command = plan
  override_module {
    target          = module.a
    outputs         = { o = "of the run" }
    override_during = plan
  }
  assert {
    condition     = output.a[1] == "of the run"
    error_message = "all of them"
  }
}
run "same" {
  state_key = "same"
  override_module {
    target  = module.a
    outputs = { o = "of the run" }
  }
  override_module {
    target  = module.k["x"]
    outputs = { o = "of the run" }
  }
  assert {
    condition     = output.a == ["of the file", "of the run"]
    error_message = "a single instance comes before all"
  }
  assert {
    condition     = output.k == { x = "of the run", y = "y y-1" }
    error_message = "the run comes before the file"
  }
}
run "late" {
  command   = plan
  state_key = "late"
  assert {
    condition     = output.a[0] == "of the file"
    error_message = "not before apply"
  }
}
"#,
    );
    let ran = module.run().await;
    for name in ["file", "all", "same"] {
        let status = ran.of(name).status;
        assert_eq!(status, topo_tester::Status::Pass, "{}", ran.said(name));
    }
    assert!(ran.said("late").contains("Unknown condition value"));
    let Some(Made::State(state)) = &ran.of("file").made else {
        panic!("no state")
    };
    let mut made: Vec<String> = state
        .records
        .keys()
        .map(|k| k.address.to_string())
        .collect();
    made.retain(|a| a.starts_with("module.a"));
    assert_eq!(
        made,
        [
            "module.a[1].terraform_data.t[0]",
            "module.a[1].terraform_data.t[1]",
            "module.a[1].module.deep.terraform_data.d",
        ]
    );
}

#[tokio::test]
async fn instances_within_instances_are_overridden() {
    let module = instances(
        r#"
override_module {
  target  = module.a[1].module.deep
  outputs = { o = "not so deep" }
}
override_module {
  target  = module.a[0]
  outputs = { o = "none" }
}
override_module {
  target  = module.k.module.deep
  outputs = { o = "deep" }
}
run "r" {
  assert {
    condition     = output.a == ["none", "a1 not so deep"] && output.k == { x = "x deep", y = "y deep" }
    error_message = "each where it is named"
  }
}
"#,
    );
    module.run().await.passes();
}

#[tokio::test]
async fn of_objects_single_instances_come_first_then_runs_then_files() {
    let module = instances(
        r#"
override_module {
  target  = module.a[0]
  outputs = { inner = [] }
}
override_resource {
  target = terraform_data.r[0]
  values = { output = "file 0" }
}
override_resource {
  target = terraform_data.r
  values = { output = "file" }
}
override_resource {
  target = module.a[1].terraform_data.t[1]
  values = { output = "file 1 1" }
}
run "file" {
  assert {
    condition     = output.r == ["file 0", "file", "file"] && output.inner[1] == ["a1-0", "file 1 1"]
    error_message = "of the file"
  }
}
run "own" {
  state_key = "own"
  override_resource {
    target = terraform_data.r
    values = { output = "run" }
  }
  override_resource {
    target = terraform_data.r[2]
    values = { output = "run 2" }
  }
  override_resource {
    target = module.a.terraform_data.t
    values = { output = "run a" }
  }
  assert {
    condition     = output.r == ["file 0", "run", "run 2"] && output.inner[1] == ["run a", "file 1 1"]
    error_message = "of the run"
  }
}
"#,
    );
    module.run().await.passes();
    for (test, expected) in [
        (
            "override_module {\n  target = module.a[0]\n}\noverride_module {\n  target = module.a[0]\n}\n",
            "Duplicated `override_module` block",
        ),
        (
            "run \"r\" {\n  override_resource {\n    target = terraform_data.r\n  }\n  override_resource {\n    target = terraform_data.r\n  }\n}\n",
            "Duplicated `override_resource` block",
        ),
        (
            "override_module {\n  target  = module.a[0]\n  outputs = { oo = 1 }\n}\nrun \"r\" {}\n",
            "has no output \"oo\"",
        ),
    ] {
        let said = instances(test).refused();
        assert!(said.contains(expected), "{test}: {said}");
    }
}
