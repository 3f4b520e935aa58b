//! Everything that a person can get wrong is told with its file, line and column, all mistakes at
//! once, and nothing is changed.

use topo_engine::variables::GivenBy;
use topo_engine_tests::{Scenario, located};

fn errors(text: &str) -> Vec<String> {
    Scenario::new(text).errors()
}

/// That a configuration has exactly these errors.
#[track_caller]
fn refused(text: &str, expected: &[&str]) {
    let found = errors(text);
    assert_eq!(found, expected, "in:\n{text}");
}

/// That the only error tells this.
#[track_caller]
fn explained(text: &str, parts: &[&str]) {
    let found = Scenario::new(text).load().diagnostics;
    let told = found.to_string();
    for part in parts {
        assert!(told.contains(part), "{part:?} is not in:\n{told}");
    }
}

#[test]
fn syntax() {
    refused(
        "locals {\n  a = [1,\n}\n",
        &["main.tf:3:1 Mismatched brackets"],
    );
    refused(
        "locals {\n  a = = 1\n}\n",
        &["main.tf:2:7 Invalid expression"],
    );
    refused(
        "resource \"test_thing\" {\n  name = \"a\"\n}\n",
        &["main.tf:1:1 Missing label for resource"],
    );
    refused("a = 1\n", &["main.tf:1:1 Unsupported argument"]);
}

#[test]
fn a_request_to_encrypt_is_not_ignored() {
    refused(
        "terraform {\n  encryption {}\n}\n",
        &["main.tf:2:3 Not supported yet"],
    );
}

#[test]
fn unknown_names_with_the_nearest() {
    refused(
        "resourc \"a\" \"b\" {}\n",
        &["main.tf:1:1 Unsupported block type"],
    );
    explained("resourc \"a\" \"b\" {}\n", &["resource"]);
    explained(
        "resource \"test_thin\" \"a\" {}\n",
        &["test_thing", "main.tf:1,1"],
    );
    let text = "resource \"test_thing\" \"a\" {\n  name  = \"a\"\n  nmae  = 1\n  stpe {}\n}\n";
    refused(
        text,
        &[
            "main.tf:3:3 Unsupported argument",
            "main.tf:4:3 Unsupported block type",
        ],
    );
    explained(text, &["\"name\"", "\"step\""]);
    explained(
        "resource \"nowhere_thing\" \"a\" {}\n",
        &["nowhere", "main.tf:1,1"],
    );
}

#[test]
fn arguments_that_are_missing_mistyped_or_not_to_be_set() {
    refused(
        "resource \"test_thing\" \"a\" {\n  size = \"big\"\n  endpoint = \"x\"\n}\n",
        &[
            "main.tf:1:1 Missing required argument",
            "main.tf:2:10 Incorrect attribute value type",
            "main.tf:3:14 Value for unconfigurable attribute",
        ],
    );
    refused(
        "resource \"test_thing\" \"a\" {\n  name = \"a\"\n  size = \"big\"\n}\n",
        &["main.tf:3:10 Incorrect attribute value type"],
    );
    refused(
        "resource \"test_thing\" \"a\" {\n  name = \"a\"\n  size = -1\n}\n",
        &["main.tf:3:10 Negative size"],
    );
}

#[test]
fn references_to_what_does_not_exist() {
    refused(
        "output \"o\" {\n  value = var.nam\n}\nvariable \"name\" {}\n",
        &["main.tf:2:11 Reference to undeclared input variable"],
    );
    explained(
        "output \"o\" {\n  value = var.nam\n}\nvariable \"name\" {}\n",
        &["Did you mean", "name"],
    );
    refused(
        "output \"o\" {\n  value = test_thing.b.id\n}\n",
        &["main.tf:2:11 Reference to undeclared resource"],
    );
    refused(
        "resource \"test_thing\" \"a\" {\n  name = \"a\"\n  note = local.nothing\n}\n",
        &["main.tf:3:10 Reference to undeclared local value"],
    );
    refused(
        "resource \"test_thing\" \"a\" { name = \"a\" }\noutput \"o\" {\n  value = test_thing.a.nothing\n}\n",
        &["main.tf:3:11 Unsupported attribute"],
    );
    refused(
        "output \"o\" { value = module.m.x }\n",
        &["main.tf:1:22 Reference to undeclared module"],
    );
}

#[test]
fn functions() {
    refused(
        "output \"o\" { value = uper(\"a\") }\n",
        &["main.tf:1:22 Call to unknown function"],
    );
    refused(
        "output \"o\" { value = cidrsubnet(\"10.0.0.0/99\", 8, 1) }\n",
        &["main.tf:1:33 Invalid function argument"],
    );
    refused(
        "output \"o\" { value = 1 + \"x\" }\n",
        &["main.tf:1:26 Invalid operand"],
    );
}

#[test]
fn cycles_with_the_whole_path() {
    let text = "locals {\n  a = local.b\n  b = local.c\n  c = local.a\n}\n";
    let found = Scenario::new(text).load().diagnostics;
    assert_eq!(found.0.len(), 1);
    let detail = &found.0[0].detail;
    for part in [
        "local.a (main.tf:2,7",
        "local.b (main.tf:3,7",
        "local.c (main.tf:4,7",
    ] {
        assert!(detail.contains(part), "{detail}");
    }
    assert!(found.0[0].range.is_some());
    explained(
        "resource \"test_thing\" \"a\" {\n  name = test_thing.a.id\n}\n",
        &["Self-referential", "test_thing.a", "main.tf"],
    );
    explained(
        "resource \"test_thing\" \"a\" {\n  name = test_thing.b.id\n}\nresource \"test_thing\" \"b\" {\n  name = test_thing.a.id\n}\n",
        &["test_thing.a", "test_thing.b", "main.tf"],
    );
}

#[tokio::test]
async fn variables() {
    let s = Scenario::new("variable \"name\" {\n  type = string\n}\n");
    assert_eq!(
        s.plan_errors().await,
        ["main.tf:1:1 No value for required variable"]
    );
    let mut s = Scenario::new("variable \"size\" {\n  type = number\n}\n");
    s.inputs.add_file(
        "terraform.tfvars",
        "size = \"big\"\n".into(),
        GivenBy::Definitions,
    );
    assert_eq!(
        s.plan_errors().await,
        ["terraform.tfvars:1:8 Invalid value for input variable"]
    );
    let mut s = Scenario::new("variable \"size\" {\n  type = number\n}\n");
    s.inputs.add_flag("siez", "1");
    s.inputs.add_env("size", "1");
    let found = s.plan_errors().await;
    assert_eq!(found, ["Value for undeclared variable"]);
    let s = Scenario::new(
        "variable \"size\" {\n  default = 1\n  validation {\n    condition     = var.size > 5\n    error_message = \"Too small.\"\n  }\n}\n",
    );
    assert_eq!(
        s.plan_errors().await,
        ["main.tf:4:21 Invalid value for variable"]
    );
}

#[test]
fn modules() {
    let s = Scenario::new("module \"m\" {\n  source = \"./m\"\n  nmae   = 1\n}\n");
    s.write("m/main.tf", "variable \"name\" {}\n");
    assert_eq!(
        s.errors(),
        [
            "main.tf:1:1 Missing required argument",
            "main.tf:3:3 Unsupported argument"
        ]
    );
    let s = Scenario::new("module \"m\" {\n  source = \"./nothing\"\n}\n");
    assert_eq!(s.errors(), ["main.tf:2:12 Unreadable module directory"]);
    let s = Scenario::new("module \"m\" {\n  source = \"./m\"\n}\n");
    s.write("m/main.tf", "locals {\n  a = local.b\n}\n");
    assert_eq!(
        s.errors(),
        ["m/main.tf:2:7 Reference to undeclared local value"]
    );
}

#[test]
fn duplicates() {
    refused(
        "resource \"test_thing\" \"a\" { name = \"a\" }\nresource \"test_thing\" \"a\" { name = \"b\" }\n",
        &["main.tf:2:1 Duplicate resource"],
    );
    refused(
        "locals {\n  a = 1\n}\nlocals {\n  a = 2\n}\n",
        &["main.tf:5:3 Duplicate local value definition"],
    );
}

#[tokio::test]
async fn repetition_that_cannot_be_worked_out() {
    let s = Scenario::new(
        "resource \"test_thing\" \"a\" { name = \"a\" }\nresource \"test_thing\" \"b\" {\n  for_each = toset([test_thing.a.id])\n  name     = each.key\n}\n",
    );
    assert_eq!(
        s.plan_errors().await,
        ["main.tf:3:14 Invalid for_each argument"]
    );
    refused(
        "resource \"test_thing\" \"b\" {\n  for_each = [\"a\"]\n  name     = each.key\n}\n",
        &["main.tf:2:14 Invalid for_each argument"],
    );
    refused(
        "resource \"test_thing\" \"b\" {\n  count = -1\n  name  = \"b\"\n}\n",
        &["main.tf:2:11 Invalid count argument"],
    );
    refused(
        "resource \"test_thing\" \"b\" {\n  name = each.key\n}\n",
        &["main.tf:2:10 Reference to \"each.key\" in invalid context"],
    );
}

#[tokio::test]
async fn what_a_provider_says_names_the_object_and_the_place() {
    let s = Scenario::new(
        "provider \"inner\" {\n  host = var.host\n}\nvariable \"host\" {\n  type    = string\n  default = null\n}\nresource \"inner_pod\" \"p\" {\n  name = \"p\"\n}\n",
    );
    let found = s.plan_errors().await;
    assert_eq!(found, ["main.tf:2:10 No host"]);
    let s = Scenario::new("data \"test_lookup\" \"l\" {\n  name = \"l\"\n}\n");
    s.cloud.on("data l", topo_engine_tests::Behaviour::Fail);
    let refused = s
        .try_plan(topo_engine::changes::PlanMode::Normal)
        .await
        .err()
        .unwrap();
    assert_eq!(located(&refused), ["main.tf:1:1 Refused"]);
    assert_eq!(refused.0[0].address.as_deref(), Some("data.test_lookup.l"));
}
