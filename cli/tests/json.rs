//! What programs read: the line stream of plan, apply, destroy and refresh, and `show -json`. The
//! shapes are written down here by hand, from the published documentation.

mod common;

use std::collections::BTreeSet;

use common::{Project, Run};
use serde_json::{Value, json};

/// The fields of each type of message beside the common ones: those that must be there, and
/// those that may be.
const MESSAGES: &[(&str, &[&str], &[&str])] = &[
    ("version", &["terraform", "ui"], &["topo", "sandbox"]),
    ("log", &[], &[]),
    ("diagnostic", &["diagnostic"], &[]),
    ("resource_drift", &["change"], &[]),
    ("planned_change", &["change"], &[]),
    ("change_summary", &["changes"], &[]),
    ("outputs", &["outputs"], &[]),
    ("apply_start", &["hook"], &[]),
    ("apply_progress", &["hook"], &[]),
    ("apply_complete", &["hook"], &[]),
    ("apply_errored", &["hook"], &[]),
    ("apply_skipped", &["hook"], &[]),
    ("provision_start", &["hook"], &[]),
    ("provision_progress", &["hook"], &[]),
    ("provision_complete", &["hook"], &[]),
    ("provision_errored", &["hook"], &[]),
    ("refresh_start", &["hook"], &[]),
    ("refresh_complete", &["hook"], &[]),
    ("provider_configured", &["provider"], &[]),
    ("ephemeral_op_start", &["hook"], &[]),
    ("ephemeral_op_progress", &["hook"], &[]),
    ("ephemeral_op_complete", &["hook"], &[]),
    ("ephemeral_op_errored", &["hook"], &[]),
];

/// The same for what is in a `hook`.
const HOOKS: &[(&str, &[&str], &[&str])] = &[
    (
        "apply_start",
        &["resource", "action"],
        &["id_key", "id_value"],
    ),
    (
        "apply_progress",
        &["resource", "action", "elapsed_seconds"],
        &["status"],
    ),
    (
        "apply_complete",
        &["resource", "action", "elapsed_seconds"],
        &["id_key", "id_value"],
    ),
    (
        "apply_errored",
        &["resource", "action", "elapsed_seconds"],
        &[],
    ),
    ("apply_skipped", &["resource", "reason"], &[]),
    ("provision_start", &["resource", "provisioner"], &[]),
    (
        "provision_progress",
        &["resource", "provisioner", "output"],
        &[],
    ),
    ("provision_complete", &["resource", "provisioner"], &[]),
    ("provision_errored", &["resource", "provisioner"], &[]),
    ("ephemeral_op_start", &["resource", "action"], &[]),
    (
        "ephemeral_op_progress",
        &["resource", "action", "elapsed_seconds"],
        &[],
    ),
    (
        "ephemeral_op_complete",
        &["resource", "action", "elapsed_seconds"],
        &[],
    ),
    (
        "ephemeral_op_errored",
        &["resource", "action", "elapsed_seconds"],
        &[],
    ),
    ("refresh_start", &["resource"], &["id_key", "id_value"]),
    ("refresh_complete", &["resource"], &["id_key", "id_value"]),
];

const RESOURCE: &[&str] = &[
    "addr",
    "module",
    "resource",
    "implied_provider",
    "resource_type",
    "resource_name",
    "resource_key",
];

#[track_caller]
fn fields(value: &Value, required: &[&str], optional: &[&str]) {
    let object = value.as_object().unwrap_or_else(|| panic!("{value}"));
    for name in required {
        assert!(object.contains_key(*name), "no {name}: {value}");
    }
    for name in object.keys() {
        let known = required.contains(&name.as_str()) || optional.contains(&name.as_str());
        assert!(known, "{name} is not documented: {value}");
    }
}

fn shape(
    table: &'static [(&str, &[&str], &[&str])],
    kind: &str,
) -> (&'static [&'static str], &'static [&'static str]) {
    let found = table.iter().find(|(name, ..)| *name == kind);
    let (_, required, optional) = found.unwrap_or_else(|| panic!("{kind} is not documented"));
    (required, optional)
}

/// Checks one line against what is documented.
#[track_caller]
fn check(message: &Value) {
    let kind = message["type"].as_str().unwrap();
    let (required, optional) = shape(MESSAGES, kind);
    let common = ["@level", "@message", "@module", "@timestamp", "type"];
    fields(message, &[&common, required].concat(), optional);
    assert_eq!(message["@module"], "terraform.ui");
    let level = message["@level"].as_str().unwrap();
    assert!(["info", "warn", "error"].contains(&level));
    let time = message["@timestamp"].as_str().unwrap();
    assert!(time.parse::<jiff::Timestamp>().is_ok(), "{time}");
    let strings = |value: &Value, allowed: &[&str]| {
        assert!(allowed.contains(&value.as_str().unwrap()), "{message}");
    };
    if let Some(hook) = message.get("hook") {
        let (required, optional) = shape(HOOKS, kind);
        fields(hook, required, optional);
        fields(&hook["resource"], RESOURCE, &[]);
    }
    if let Some(change) = message.get("change") {
        let optional = ["previous_resource", "reason", "importing", "deposed"];
        fields(change, &["resource", "action"], &optional);
        fields(&change["resource"], RESOURCE, &[]);
        let actions = [
            "create", "read", "update", "replace", "delete", "move", "import", "remove",
        ];
        strings(&change["action"], &actions);
    }
    if let Some(changes) = message.get("changes") {
        let numbers = ["add", "change", "remove", "import", "forget", "operation"];
        fields(changes, &numbers, &["failed", "skipped"]);
        strings(&changes["operation"], &["plan", "apply", "destroy"]);
    }
    if let Some(diagnostic) = message.get("diagnostic") {
        let optional = ["address", "range", "snippet"];
        fields(diagnostic, &["severity", "summary", "detail"], &optional);
    }
    if let Some(outputs) = message.get("outputs") {
        for output in outputs.as_object().unwrap().values() {
            fields(output, &["sensitive"], &["action", "type", "value"]);
        }
    }
}

/// The messages of a run, each checked, and nothing else on either stream.
#[track_caller]
fn messages(run: &Run) -> Vec<Value> {
    assert_eq!(run.stderr, "");
    let lines = run.stdout.lines();
    let all: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    assert_eq!(all[0]["type"], "version");
    assert_eq!(all[0]["ui"], "1.2");
    all.iter().for_each(check);
    all
}

fn kinds(all: &[Value]) -> Vec<&str> {
    all.iter().map(|m| m["type"].as_str().unwrap()).collect()
}

/// The messages of a type.
fn of<'m>(all: &'m [Value], kind: &str) -> Vec<&'m Value> {
    all.iter().filter(|m| m["type"] == kind).collect()
}

fn counts(message: &Value) -> [u64; 3] {
    ["add", "change", "remove"].map(|n| message["changes"][n].as_u64().unwrap())
}

/// Two objects by `count`, one that refers to the first, a secret.
const MAIN: &str = r#"
variable "secret" {
  default   = "hunter2"
  sensitive = true
}

resource "terraform_data" "a" {
  count = 2
  input = "v${count.index}"

  provisioner "local-exec" {
    command = "echo made"
  }
}

resource "terraform_data" "b" {
  input            = terraform_data.a[0].output
  triggers_replace = [var.secret]
}

output "b" {
  value = terraform_data.b.output
}

output "secret" {
  value     = var.secret
  sensitive = true
}
"#;

#[test]
fn the_stream_of_a_plan() {
    let project = Project::with(&[("main.tf", MAIN)]);
    let run = project
        .topo(&["plan", "-json", "-detailed-exitcode"])
        .expect(2);
    let all = messages(&run);
    let expected = [
        "version",
        "planned_change",
        "planned_change",
        "planned_change",
        "change_summary",
        "outputs",
    ];
    assert_eq!(kinds(&all), expected);
    assert_eq!(all[1]["@message"], "terraform_data.a[0]: Plan to create");
    assert_eq!(
        all[1]["change"],
        json!({
            "action": "create",
            "resource": {
                "addr": "terraform_data.a[0]",
                "module": "",
                "resource": "terraform_data.a[0]",
                "implied_provider": "terraform",
                "resource_type": "terraform_data",
                "resource_name": "a",
                "resource_key": 0,
            },
        })
    );
    assert_eq!(all[3]["change"]["resource"]["resource_key"], Value::Null);
    assert_eq!(
        all[4]["@message"],
        "Plan: 3 to add, 0 to change, 0 to destroy."
    );
    assert_eq!(counts(&all[4]), [3, 0, 0]);
    assert_eq!(all[4]["changes"]["operation"], "plan");
    assert_eq!(
        all[5]["outputs"],
        json!({
            "b": {"sensitive": false, "action": "create"},
            "secret": {"sensitive": true, "action": "create"},
        })
    );
}

#[test]
fn the_stream_of_an_apply_tells_everything_once_and_no_secret() {
    let project = Project::with(&[("main.tf", MAIN)]);
    let run = project.topo(&["apply", "-json", "-auto-approve"]).expect(0);
    assert!(!run.stdout.contains("hunter2"), "{}", run.stdout);
    let all = messages(&run);
    for (kind, number) in [
        ("planned_change", 3),
        ("apply_start", 3),
        ("apply_complete", 3),
        ("provision_start", 2),
        ("provision_complete", 2),
        ("change_summary", 2),
        ("outputs", 2),
    ] {
        assert_eq!(of(&all, kind).len(), number, "{kind}");
    }
    let lines = of(&all, "provision_progress");
    let said = lines.iter().filter(|m| m["hook"]["output"] == "made");
    assert_eq!(said.count(), 2);
    let done = of(&all, "apply_complete");
    assert!(
        done.iter()
            .all(|m| m["hook"]["id_key"] == "id" && m["hook"]["action"] == "create")
    );
    let place = |kind: &str, address: &str| {
        let at = |m: &Value| m["type"] == kind && m["hook"]["resource"]["addr"] == address;
        all.iter().position(at).unwrap()
    };
    let made = place("apply_complete", "terraform_data.a[0]");
    assert!(place("provision_complete", "terraform_data.a[0]") < made);
    assert!(made < place("apply_start", "terraform_data.b"));
    let [.., summary, outputs] = all.as_slice() else {
        panic!("{all:?}")
    };
    let text = "Apply complete! Resources: 3 added, 0 changed, 0 destroyed.";
    assert_eq!(summary["@message"], text);
    assert_eq!(summary["changes"]["operation"], "apply");
    assert_eq!(
        outputs["outputs"],
        json!({
            "b": {"sensitive": false, "type": "string", "value": "v0"},
            "secret": {"sensitive": true, "type": "string"},
        })
    );
}

#[test]
fn replacing_updating_and_destroying_in_the_stream() {
    let project = Project::with(&[("main.tf", MAIN)]);
    project.topo(&["apply", "-auto-approve"]).expect(0);
    let replace = ["plan", "-json", "-replace=terraform_data.a[0]", "-out=plan"];
    let all = messages(&project.topo(&replace).expect(0));
    assert_eq!(of(&all, "refresh_start").len(), 3);
    assert_eq!(of(&all, "refresh_complete").len(), 3);
    let planned = of(&all, "planned_change");
    assert_eq!(planned.len(), 2, "what stays is not told of");
    assert_eq!(planned[0]["change"]["action"], "replace");
    assert_eq!(planned[0]["change"]["reason"], "requested");
    assert_eq!(planned[1]["change"]["action"], "update");
    assert_eq!(counts(of(&all, "change_summary")[0]), [1, 1, 1]);
    let outputs = &of(&all, "outputs")[0]["outputs"];
    assert_eq!(outputs["b"]["action"], "update");
    assert_eq!(outputs["secret"]["action"], "noop");

    let all = messages(&project.topo(&["apply", "-json", "plan"]).expect(0));
    assert_eq!(
        of(&all, "refresh_start").len(),
        0,
        "a saved plan reads nothing"
    );
    let summary = of(&all, "change_summary").pop().unwrap();
    // The new object says the same as the old one: there is nothing to update any more.
    assert_eq!(counts(summary), [1, 0, 1]);

    let all = messages(
        &project
            .topo(&["destroy", "-json", "-auto-approve"])
            .expect(0),
    );
    let summary = all.last().unwrap();
    assert_eq!(
        summary["@message"],
        "Destroy complete! Resources: 3 destroyed."
    );
    assert_eq!(summary["changes"]["operation"], "destroy");
    let actions: BTreeSet<&str> = of(&all, "apply_start")
        .iter()
        .map(|m| m["hook"]["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, BTreeSet::from(["delete"]));
}

#[test]
fn an_apply_that_fails_says_what_failed_and_what_was_not_done() {
    let project = Project::with(&[(
        "main.tf",
        r#"
resource "terraform_data" "bad" {
  provisioner "local-exec" {
    command = "exit 3"
  }
}

resource "terraform_data" "after" {
  input = terraform_data.bad.id
}
"#,
    )]);
    let run = project.topo(&["apply", "-json", "-auto-approve"]).expect(1);
    let all = messages(&run);
    assert_eq!(of(&all, "provision_errored").len(), 1);
    let failed = of(&all, "apply_errored");
    assert_eq!(failed[0]["hook"]["resource"]["addr"], "terraform_data.bad");
    let skipped = of(&all, "apply_skipped");
    assert_eq!(
        skipped[0]["hook"]["resource"]["addr"],
        "terraform_data.after"
    );
    let told = of(&all, "diagnostic");
    assert_eq!(told[0]["@level"], "error");
    assert_eq!(told[0]["diagnostic"]["address"], "terraform_data.bad");
    assert_eq!(told[0]["diagnostic"]["range"]["filename"], "main.tf");
    let summary = all.last().unwrap();
    assert_eq!(summary["changes"]["failed"], 1);
    assert_eq!(summary["changes"]["skipped"], 1);
    assert!(
        summary["@message"]
            .as_str()
            .unwrap()
            .starts_with("Apply incomplete.")
    );
}

#[test]
fn what_is_wrong_before_the_plan_is_in_the_stream() {
    let project = Project::with(&[("main.tf", "output \"x\" {\n  value = local.no\n}\n")]);
    for line in [
        &["plan", "-json"][..],
        &["apply", "-json", "-auto-approve"],
        &["destroy", "-json", "-auto-approve"],
        &["refresh", "-json"],
    ] {
        let all = messages(&project.topo(line).expect(1));
        assert_eq!(kinds(&all), ["version", "diagnostic"], "{line:?}");
        assert_eq!(all[1]["@level"], "error");
        assert_eq!(all[1]["diagnostic"]["range"]["start"]["line"], 2);
        assert_eq!(
            all[1]["diagnostic"]["snippet"]["code"],
            "  value = local.no"
        );
    }
}

#[test]
fn ephemeral_resources_are_in_the_stream_of_each_phase() {
    let main = r#"
        ephemeral "random_password" "p" { length = 20 }
        resource "terraform_data" "a" {
          provisioner "local-exec" {
            command = "test -n \"$SECRET\""
            environment = { SECRET = ephemeral.random_password.p.result }
          }
        }
    "#;
    let project = Project::with(&[("main.tf", main)]);
    let all = messages(&project.topo(&["apply", "-json", "-auto-approve"]).expect(0));
    let actions = of(&all, "ephemeral_op_complete");
    let actions: Vec<&Value> = actions.iter().map(|m| &m["hook"]["action"]).collect();
    assert_eq!(actions, ["open", "close", "open", "close"]);
    assert_eq!(of(&all, "ephemeral_op_start").len(), 4);
    assert_eq!(of(&all, "planned_change").len(), 1);
    let ends = |kind: &str| kinds(&all).iter().rposition(|k| *k == kind).unwrap();
    assert!(ends("apply_complete") < ends("ephemeral_op_complete"));
}

#[test]
fn nobody_is_asked_anything() {
    let project = Project::with(&[("main.tf", MAIN)]);
    for line in [&["apply", "-json"][..], &["destroy", "-json"]] {
        let all = messages(&project.topo(line).expect(1));
        assert_eq!(kinds(&all), ["version", "diagnostic"], "{line:?}");
        let summary = &all[1]["diagnostic"]["summary"];
        assert_eq!(summary, "Plan file or auto-approve required");
    }
    assert!(!project.path().join(".topo").exists());
    let project = Project::with(&[("main.tf", "variable \"x\" {}\n")]);
    let all = messages(&project.topo(&["plan", "-json"]).expect(1));
    assert_eq!(kinds(&all), ["version", "diagnostic"]);
}

#[test]
fn drift_and_the_sandbox_in_the_stream() {
    let project = Project::with(&[(
        "main.tf",
        "resource \"aws_vpc\" \"main\" {\n  cidr_block = \"10.0.0.0/16\"\n}\n",
    )]);
    let topo = |args: &[&str]| project.topo(&[&["--sandbox"], args].concat()).expect(0);
    let all = messages(&topo(&["apply", "-json", "-auto-approve"]));
    assert_eq!(all[0]["sandbox"], true);
    topo(&[
        "sandbox",
        "set",
        "aws_vpc.main",
        "enable_dns_hostnames=true",
    ]);
    let all = messages(&topo(&["plan", "-json", "-refresh-only"]));
    let drift = of(&all, "resource_drift");
    assert_eq!(drift.len(), 1);
    assert_eq!(drift[0]["change"]["action"], "update");
    assert_eq!(
        drift[0]["@message"],
        "aws_vpc.main: Drift detected (update)"
    );
    let all = messages(&topo(&["refresh", "-json"]));
    assert_eq!(of(&all, "refresh_complete").len(), 1);
    topo(&["sandbox", "delete", "aws_vpc.main"]);
    let all = messages(&topo(&["plan", "-json"]));
    let drift = of(&all, "resource_drift");
    assert_eq!(drift[0]["change"]["action"], "delete");
}

/// The saved plan of these files as JSON.
fn shown(project: &Project, flags: &[&str]) -> Value {
    project
        .topo(&[&["plan", "-out=plan"], flags].concat())
        .expect(0);
    project.topo(&["show", "-json", "plan"]).expect(0).json()
}

#[test]
fn a_plan_has_every_published_part() {
    let project = Project::with(&[("main.tf", MAIN)]);
    let plan = shown(&project, &[]);
    fields(
        &plan,
        &[
            "format_version",
            "terraform_version",
            "variables",
            "planned_values",
            "resource_drift",
            "resource_changes",
            "output_changes",
            "prior_state",
            "configuration",
            "relevant_attributes",
            "timestamp",
            "applyable",
            "complete",
            "errored",
        ],
        &[],
    );
    assert_eq!(plan["format_version"], "1.2");
    assert_eq!(plan["variables"], json!({"secret": {"value": "hunter2"}}));
    let time = plan["timestamp"].as_str().unwrap();
    assert!(time.parse::<jiff::Timestamp>().is_ok(), "{time}");
    assert_eq!(plan["applyable"], true);
    assert_eq!(plan["complete"], true);
    assert_eq!(plan["errored"], false);
    let b = &plan["resource_changes"][2];
    assert_eq!(
        b["change"],
        json!({
            "actions": ["create"],
            "before": null,
            "after": {"triggers_replace": ["hunter2"]},
            "after_unknown": {
                "id": true,
                "input": true,
                "output": true,
                "triggers_replace": [false],
            },
            "before_sensitive": false,
            "after_sensitive": {"triggers_replace": [true]},
        })
    );
    let output = &plan["output_changes"]["b"];
    assert_eq!(output["after_unknown"], true);
    assert_eq!(output["after_sensitive"], false);
    assert!(
        output.get("after").is_none(),
        "nothing is known of it: {output}"
    );
    // b's output is what the output `b` shows, and a[0]'s is what b is made of.
    assert_eq!(
        plan["relevant_attributes"],
        json!([
            {"resource": "terraform_data.a[0]", "attribute": ["output"]},
            {"resource": "terraform_data.b", "attribute": ["output"]},
        ])
    );
}

#[test]
fn what_a_plan_starts_from_is_the_state_as_it_was_found() {
    let project = Project::with(&[("main.tf", MAIN)]);
    project.topo(&["apply", "-auto-approve"]).expect(0);
    let plan = shown(&project, &["-replace=terraform_data.a[0]"]);
    let resources = &plan["prior_state"]["values"]["root_module"]["resources"];
    let mut all = resources.as_array().unwrap().iter();
    let b = all.find(|r| r["address"] == "terraform_data.b").unwrap();
    assert_eq!(b["values"]["output"], "v0");
    assert_eq!(b["sensitive_values"], json!({"triggers_replace": [true]}));
    assert_eq!(
        b["depends_on"],
        json!(["terraform_data.a"]),
        "a block, not an instance"
    );
    let a = &plan["resource_changes"][0];
    assert_eq!(a["action_reason"], "replace_by_request");
    assert_eq!(a["change"]["actions"], json!(["delete", "create"]));
    assert_eq!(a["index"], 0);
    let untouched = &plan["resource_changes"][1]["change"];
    assert_eq!(untouched["actions"], json!(["no-op"]));
    assert_eq!(untouched["before"], untouched["after"]);
    let plan = shown(&project, &["-destroy"]);
    let gone = &plan["resource_changes"][0]["change"];
    assert_eq!(gone["after"], Value::Null);
    assert_eq!(gone["after_unknown"], json!({}));
    let output = &plan["output_changes"]["secret"];
    assert_eq!(output["before_sensitive"], true);
    assert_eq!(output["after_unknown"], false);
}

#[test]
fn an_output_that_was_sensitive_is_told_to_have_been() {
    let text = |flag: &str| format!("output \"o\" {{\n  value = [\"x\"]\n{flag}}}\n");
    let project = Project::with(&[("main.tf", &text("  sensitive = true\n"))]);
    project.topo(&["apply", "-auto-approve"]).expect(0);
    std::fs::write(project.path().join("main.tf"), text("")).unwrap();
    let output = &shown(&project, &[])["output_changes"]["o"];
    assert_eq!(output["before_sensitive"], true);
    assert_eq!(output["after_sensitive"], false);
    assert_eq!(output["after_unknown"], false);
}

const CHILD: &str = r#"
variable "names" {
  type        = map(string)
  description = "What to make."
}

variable "size" {
  default = 3
}

resource "terraform_data" "each" {
  for_each   = var.names
  input      = { name = each.value, size = max(1, var.size), fixed = "x" }
  depends_on = [terraform_data.first]
}

resource "terraform_data" "first" {
  count = 1 + 1
  input = upper("a")
}

output "first" {
  value       = terraform_data.first[0].output
  description = "Of the first."
}
"#;

#[test]
fn the_configuration_says_what_refers_to_what() {
    let project = Project::with(&[(
        "main.tf",
        r#"
locals {
  names = { a = "x" }
}

module "child" {
  source = "./child"
  names  = local.names
}

resource "terraform_data" "out" {
  input = { name = module.child.first }
}

resource "terraform_data" "keyed" {
  input = [local.names["a"], terraform_data.out.output.name, path.module]
}
"#,
    )]);
    let child = project.path().join("child");
    std::fs::create_dir(&child).unwrap();
    std::fs::write(child.join("main.tf"), CHILD).unwrap();
    let plan = shown(&project, &[]);
    let configuration = &plan["configuration"];
    assert_eq!(
        configuration["provider_config"],
        json!({"terraform": {
            "name": "terraform",
            "full_name": "terraform.io/builtin/terraform",
        }})
    );
    let root = &configuration["root_module"];
    let resources = root["resources"].as_array().unwrap();
    assert_eq!(
        resources[0]["expressions"]["input"],
        json!({"references": [
            "local.names[\"a\"]",
            "local.names",
            "terraform_data.out.output.name",
            "terraform_data.out.output",
            "terraform_data.out",
            "path.module",
        ]})
    );
    assert_eq!(
        resources[1],
        json!({
            "address": "terraform_data.out",
            "mode": "managed",
            "type": "terraform_data",
            "name": "out",
            "provider_config_key": "terraform",
            "schema_version": 0,
            "expressions": {"input": {"references": ["module.child.first", "module.child"]}},
        })
    );
    let call = &root["module_calls"]["child"];
    assert_eq!(call["source"], "./child");
    assert_eq!(
        call["expressions"],
        json!({"names": {"references": ["local.names"]}})
    );
    let module = &call["module"];
    assert_eq!(
        module["variables"],
        json!({
            "names": {"type": ["map", "string"], "description": "What to make.", "required": true},
            "size": {"default": 3},
        })
    );
    assert_eq!(
        module["outputs"],
        json!({"first": {
            "description": "Of the first.",
            "expression": {"references": [
                "terraform_data.first[0].output",
                "terraform_data.first[0]",
                "terraform_data.first",
            ]},
        }})
    );
    let [each, first] = module["resources"].as_array().unwrap().as_slice() else {
        panic!("{module}")
    };
    assert_eq!(
        each["for_each_expression"],
        json!({"references": ["var.names"]})
    );
    assert_eq!(each["depends_on"], json!(["terraform_data.first"]));
    assert_eq!(
        each["expressions"]["input"],
        json!({"references": ["each.value", "var.size"]})
    );
    assert_eq!(first["count_expression"], json!({"constant_value": 2}));
    assert_eq!(
        first["expressions"]["input"],
        json!({}),
        "a call is no constant"
    );
    // From the root through the module's output to what it is made of.
    let relevant = plan["relevant_attributes"].as_array().unwrap();
    let inside =
        json!({"resource": "module.child.terraform_data.first[0]", "attribute": ["output"]});
    assert!(relevant.contains(&inside), "{relevant:?}");
}

#[test]
fn nested_blocks_and_provider_blocks_in_the_configuration() {
    let project = Project::with(&[(
        "main.tf",
        r#"
provider "aws" {
  region = "eu-west-1"
}

provider "aws" {
  alias  = "west"
  region = "us-west-2"

  default_tags {
    tags = { team = "x" }
  }
}

data "aws_availability_zones" "all" {
  provider = aws.west
  state    = "available"

  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"

  tags = { zones = join(",", data.aws_availability_zones.all.names) }
}
"#,
    )]);
    project.topo(&["--sandbox", "plan", "-out=plan"]).expect(0);
    let plan = project
        .topo(&["--sandbox", "show", "-json", "plan"])
        .expect(0)
        .json();
    let configuration = &plan["configuration"];
    let source = "registry.terraform.io/hashicorp/aws";
    assert_eq!(
        configuration["provider_config"]["aws"],
        json!({
            "name": "aws",
            "full_name": source,
            "expressions": {"region": {"constant_value": "eu-west-1"}},
        })
    );
    let west = &configuration["provider_config"]["aws.west"];
    assert_eq!(west["alias"], "west");
    assert_eq!(
        west["expressions"]["default_tags"],
        json!([{"tags": {"constant_value": {"team": "x"}}}])
    );
    let resources = configuration["root_module"]["resources"]
        .as_array()
        .unwrap();
    let data = resources.iter().find(|r| r["mode"] == "data").unwrap();
    assert_eq!(data["address"], "data.aws_availability_zones.all");
    assert_eq!(data["provider_config_key"], "aws.west");
    assert_eq!(
        data["expressions"]["filter"],
        json!([{
            "name": {"constant_value": "opt-in-status"},
            "values": {"constant_value": ["opt-in-not-required"]},
        }])
    );
    // What was read while planning belongs to what the plan starts from.
    let prior = &plan["prior_state"]["values"]["root_module"]["resources"][0];
    assert_eq!(prior["address"], "data.aws_availability_zones.all");
    assert_eq!(prior["provider_name"], source);
    assert!(!prior["values"]["names"].as_array().unwrap().is_empty());
}

#[test]
fn a_state_has_every_published_part() {
    let project = Project::with(&[("main.tf", MAIN)]);
    project.topo(&["apply", "-auto-approve"]).expect(0);
    let state = project.topo(&["show", "-json"]).expect(0).json();
    fields(
        &state,
        &["format_version", "terraform_version", "values"],
        &[],
    );
    assert_eq!(state["format_version"], "1.0");
    let values = &state["values"];
    assert_eq!(
        values["outputs"]["secret"],
        json!({"sensitive": true, "type": "string", "value": "hunter2"})
    );
    let resources = values["root_module"]["resources"].as_array().unwrap();
    for r in resources {
        let required = [
            "address",
            "mode",
            "type",
            "name",
            "provider_name",
            "schema_version",
            "values",
            "sensitive_values",
        ];
        fields(
            r,
            &required,
            &["index", "depends_on", "tainted", "deposed_key"],
        );
        assert_eq!(r["provider_name"], "terraform.io/builtin/terraform");
    }
    let b = resources.iter().find(|r| r["name"] == "b").unwrap();
    assert_eq!(b["depends_on"], json!(["terraform_data.a"]));
    assert_eq!(b["sensitive_values"], json!({"triggers_replace": [true]}));
}

#[test]
fn of_a_saved_plan_that_is_stale_nothing_is_shown() {
    let project = Project::with(&[
        (
            "main.tf",
            "resource \"terraform_data\" \"a\" {\n  input = file(\"x\")\n}\n",
        ),
        ("x", "one"),
    ]);
    project.topo(&["plan", "-out=plan"]).expect(0);
    std::fs::write(project.path().join("x"), "two").unwrap();
    let all = messages(&project.topo(&["apply", "-json", "plan"]).expect(1));
    assert_eq!(kinds(&all), ["version", "diagnostic"]);
    assert_eq!(all[1]["diagnostic"]["summary"], "Saved plan is stale");
    let run = project.topo(&["show", "plan"]).expect(1);
    assert_eq!(run.stdout, "");
}

/// What conditions came to is a part of the state, and goes with it through a file.
#[test]
fn results_of_conditions_are_shown_with_the_state() {
    let main = "variable \"n\" {\n  default = 1\n}\ncheck \"size\" {\n  assert {\n    condition     = var.n > 2\n    error_message = \"Too small.\"\n  }\n}\n";
    let project = Project::with(&[("main.tf", main)]);
    project.topo(&["apply", "-auto-approve"]).expect(0);
    let shown = |args: &[&str]| project.topo(args).expect(0).json()["checks"].clone();
    let expected = json!([{
        "address": {"kind": "check", "name": "size", "to_display": "check.size"},
        "status": "fail",
        "instances": [{
            "address": {"to_display": "check.size"},
            "status": "fail",
            "problems": [{"message": "Too small."}],
        }],
    }]);
    assert_eq!(shown(&["show", "-json"]), expected);
    let pulled = project.topo(&["state", "pull"]).expect(0).stdout;
    project.write("f", &pulled);
    project
        .topo(&["workspace", "new", "-state=f", "other"])
        .expect(0);
    assert_eq!(shown(&["show", "-json"]), expected);
}
