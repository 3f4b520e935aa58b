//! The life of an infrastructure that needs no network, through the built binary.

mod common;

use common::Project;

/// A secret of the fixture that must appear in no output.
const SECRET: &str = "smoke-token-never-shown";

fn smoke() -> Project {
    Project::copy_of("tests/fixtures/smoke")
}

#[test]
fn plan_apply_change_destroy() {
    let project = smoke();
    let run = project.topo(&["plan", "-detailed-exitcode"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(
        run.stdout
            .contains("Plan: 13 to add, 0 to change, 0 to destroy."),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains(SECRET));

    let run = project.topo(&["apply", "-auto-approve"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    assert!(
        run.stdout
            .contains("Apply complete! Resources: 13 added, 0 changed, 0 destroyed."),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout
            .contains("random_pet.name: Creation complete after"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("database_password = <sensitive>"),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains(SECRET));

    let run = project.topo(&["plan", "-detailed-exitcode"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("No changes."), "{}", run.stdout);

    let run = project.topo(&["state", "list"]);
    assert_eq!(run.stdout.lines().count(), 13, "{}", run.stdout);
    let run = project.topo(&["state", "show", "terraform_data.credential"]);
    assert!(
        run.stdout.contains("input  = (sensitive value)"),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains(SECRET));

    let run = project.topo(&["output", "-json"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["workers"]["value"].as_array().unwrap().len(), 3);
    let password = json["database_password"]["value"].as_str().unwrap();
    assert_eq!(
        project
            .topo(&["output", "-raw", "database_password"])
            .stdout,
        password
    );

    let run = project.topo(&["show", "-json"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let root = &json["values"]["root_module"];
    assert_eq!(root["resources"].as_array().unwrap().len(), 11);
    assert_eq!(
        root["child_modules"][0]["address"],
        "module.greeting[\"de\"]"
    );

    assert_eq!(project.topo(&["drift"]).code, 0);

    let run = project.topo(&["apply", "-auto-approve", "-var", "replicas=2"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    assert!(
        run.stdout
            .contains("because index [2] is out of range for count"),
        "{}",
        run.stdout
    );

    let run = project.topo(&["destroy", "-auto-approve"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("Destroy complete!"), "{}", run.stdout);
    assert_eq!(project.topo(&["state", "list"]).stdout, "");
}

#[test]
fn a_saved_plan_is_applied_without_asking_and_only_once() {
    let project = smoke();
    assert_eq!(project.topo(&["plan", "-out=p"]).code, 0);
    let run = project.topo(&["show", "-json", "p"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["resource_changes"].as_array().unwrap().len(), 13);
    let run = project.topo(&["apply", "p"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    let run = project.topo(&["apply", "p"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("stale"), "{}", run.stderr);
}

#[test]
fn nothing_happens_without_approval() {
    let project = smoke();
    // Standard input is at its end: no answer is no approval.
    let run = project.topo(&["apply"]);
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains("Apply cancelled."), "{}", run.stdout);
    let run = project.topo(&["apply", "-input=false"]);
    assert_eq!(run.code, 1);
    assert_eq!(project.topo(&["state", "list"]).stdout, "");
}
