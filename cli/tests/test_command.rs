//! `topo test`, through the built binary.

mod common;

use common::Project;
use serde_json::Value as Json;

const MAIN: &str = "variable \"x\" {\n  default = \"d\"\n}\nresource \"terraform_data\" \"a\" {\n  input = var.x\n}\noutput \"o\" {\n  value = terraform_data.a.output\n}\n";

const TESTS: &str = r#"run "ok" {}

run "fails" {
  command = plan
  assert {
    condition     = output.o == "e"
    error_message = "o is not e"
  }
}
"#;

fn project(tests: &[(&str, &str)]) -> Project {
    let project = Project::with(&[("main.tf", MAIN)]);
    std::fs::create_dir(project.path().join("tests")).unwrap();
    for (name, text) in tests {
        std::fs::write(project.path().join(name), text).unwrap();
    }
    project
}

#[test]
fn people_see_each_run_and_the_failed_assertion() {
    let project = project(&[("tests/a.tftest.hcl", TESTS)]);
    let before = project.files();
    let run = project.topo(&["test"]).expect(1);
    assert_eq!(
        run.stdout,
        "tests/a.tftest.hcl... in progress\n  run \"ok\"... pass\n  run \"fails\"... fail\ntests/a.tftest.hcl... tearing down\ntests/a.tftest.hcl... fail\n\nFailure! 1 passed, 1 failed.\n"
    );
    for part in [
        "Error: Test assertion failed",
        "on tests/a.tftest.hcl line 6, column 21, in run \"fails\":",
        "condition     = output.o == \"e\"",
        "output.o is \"d\"",
        "o is not e",
    ] {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
    assert_eq!(project.files(), before, "something is left behind");

    let run = project.topo(&["test", "-var", "x=e"]).expect(0);
    assert!(
        run.stdout.ends_with("\nSuccess! 2 passed, 0 failed.\n"),
        "{}",
        run.stdout
    );
    assert_eq!(run.stderr, "");
}

#[test]
fn values_of_variables_also_come_from_the_directory_of_tests() {
    let mut project = project(&[
        ("tests/a.tftest.hcl", TESTS),
        ("terraform.tfvars", "x = \"root\"\n"),
        ("tests/terraform.tfvars", "x = \"e\"\n"),
    ]);
    project.topo(&["test"]).expect(0);
    project.environment.push(("TF_VAR_x", "env".into()));
    project.topo(&["test"]).expect(0);
    let run = project.topo(&["test", "-var=x=flag"]).expect(1);
    assert!(
        run.stderr.contains("output.o is \"flag\""),
        "{}",
        run.stderr
    );
}

#[test]
fn programs_read_lines() {
    let project = project(&[("tests/a.tftest.hcl", TESTS)]);
    let run = project.topo(&["test", "-json", "-verbose"]).expect(1);
    let lines: Vec<Json> = run
        .stdout
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let kinds: Vec<&str> = lines.iter().map(|l| l["type"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        [
            "version",
            "test_abstract",
            "test_file",
            "test_run",
            "test_run",
            "test_state",
            "test_run",
            "test_run",
            "test_plan",
            "diagnostic",
            "test_file",
            "test_run",
            "test_file",
            "test_summary",
        ]
    );
    for line in &lines {
        assert_eq!(line["@module"], "terraform.ui");
        assert!(line["@timestamp"].is_string() && line["@message"].is_string());
    }
    assert_eq!(
        lines[1]["test_abstract"]["tests/a.tftest.hcl"],
        serde_json::json!(["ok", "fails"])
    );
    assert_eq!(lines[1]["@message"], "Found 1 file and 2 run blocks");
    assert_eq!(lines[3]["test_run"]["progress"], "starting");
    assert_eq!(
        lines[4]["test_run"],
        serde_json::json!({"path": "tests/a.tftest.hcl", "run": "ok", "progress": "complete", "status": "pass"})
    );
    assert_eq!(
        (&lines[4]["@testfile"], &lines[4]["@testrun"]),
        (&"tests/a.tftest.hcl".into(), &"ok".into())
    );
    let resource = &lines[5]["test_state"]["root_module"]["resources"][0];
    assert_eq!(resource["values"]["input"], "d");
    assert_eq!(lines[8]["test_plan"]["plan_format_version"], "1.2");
    assert_eq!(
        lines[8]["test_plan"]["resource_changes"][0]["address"],
        "terraform_data.a"
    );
    let diagnostic = &lines[9]["diagnostic"];
    assert_eq!(diagnostic["summary"], "Test assertion failed");
    assert_eq!(diagnostic["snippet"]["values"][0]["traversal"], "output.o");
    assert_eq!(
        (&lines[9]["@level"], &lines[9]["@testrun"]),
        (&"error".into(), &"fails".into())
    );
    assert_eq!(
        lines[13]["test_summary"],
        serde_json::json!({"status": "fail", "passed": 1, "failed": 1, "errored": 0, "skipped": 0})
    );
}

#[test]
fn build_servers_read_junit() {
    let project = project(&[("tests/a.tftest.hcl", TESTS)]);
    project.topo(&["test", "-junit-xml=report.xml"]).expect(1);
    let xml = std::fs::read_to_string(project.path().join("report.xml")).unwrap();
    for part in [
        r#"<?xml version="1.0" encoding="UTF-8"?>"#,
        r#"<testsuite name="tests/a.tftest.hcl" tests="2" skipped="0" failures="1" errors="0">"#,
        r#"<testcase name="ok" classname="tests/a.tftest.hcl" time=""#,
        r#"<failure message="1 of 1 assertions failed: o is not e">"#,
        "output.o is &quot;d&quot;",
    ] {
        assert!(xml.contains(part), "{part}: {xml}");
    }
    assert!(!xml.contains('\u{1b}'), "{xml}");
}

#[test]
fn files_are_chosen_by_filter_and_directory() {
    let project = project(&[
        ("tests/a.tftest.hcl", TESTS),
        ("b.tofutest.hcl", "run \"b\" {\n  command = plan\n}\n"),
        ("b.tftest.hcl", "run \"shadowed\" {}\n"),
    ]);
    let run = project.topo(&["test", "-filter=b.tofutest.hcl"]).expect(0);
    assert!(run.stdout.contains("run \"b\"... pass"), "{}", run.stdout);
    assert!(!run.stdout.contains("tests/a"), "{}", run.stdout);
    let run = project.topo(&["test", "-test-directory=checks"]).expect(0);
    assert!(run.stdout.contains("Success! 1 passed"), "{}", run.stdout);
    let run = project.topo(&["test", "-filter=c.tftest.hcl"]).expect(1);
    assert!(run.stderr.contains("Unknown test file"), "{}", run.stderr);
    let run = project
        .topo(&["test", "-json", "-filter=c.tftest.hcl"])
        .expect(1);
    assert!(
        run.stdout.contains("\"type\":\"diagnostic\""),
        "{}",
        run.stdout
    );
    let nothing = Project::with(&[("main.tf", MAIN)]);
    let run = nothing.topo(&["test"]).expect(0);
    assert_eq!(run.stdout, "\nSuccess! 0 passed, 0 failed.\n");
}

#[test]
fn verbose_shows_plan_and_state() {
    let project = project(&[("tests/a.tftest.hcl", TESTS)]);
    let run = project.topo(&["test", "-verbose", "-var=x=e"]).expect(0);
    assert!(run.stdout.contains("terraform_data"), "{}", run.stdout);
    assert!(run.stdout.contains("No changes."), "{}", run.stdout);
    assert!(run.stdout.contains("o = \"e\""), "{}", run.stdout);
}

#[test]
fn what_is_left_is_told_with_its_address() {
    let main = "resource \"terraform_data\" \"kept\" {\n  provisioner \"local-exec\" {\n    when    = destroy\n    command = \"exit 3\"\n  }\n}\n";
    let project = Project::with(&[("main.tf", main), ("a.tftest.hcl", "run \"makes\" {}\n")]);
    let run = project.topo(&["test"]).expect(1);
    for part in [
        "topo left the following resources behind after executing a.tftest.hcl/makes",
        "- terraform_data.kept, id ",
    ] {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
    assert!(
        run.stdout.contains("a.tftest.hcl... fail"),
        "{}",
        run.stdout
    );
    assert!(
        run.stderr
            .contains("Their state is in errored_test.tfstate."),
        "{}",
        run.stderr
    );
    let kept = std::fs::read_to_string(project.path().join("errored_test.tfstate")).unwrap();
    let kept: Json = serde_json::from_str(&kept).unwrap();
    assert_eq!(kept["version"], 4);
    assert_eq!(kept["resources"][0]["name"], "kept");
    // It can be taken over, and destroyed once what was in the way is away.
    project.topo(&["workspace", "new", "left"]).expect(0);
    project
        .topo(&["state", "push", "errored_test.tfstate"])
        .expect(0);
    std::fs::write(project.path().join("main.tf"), "").unwrap();
    project.topo(&["destroy", "-auto-approve"]).expect(0);
    std::fs::write(project.path().join("main.tf"), main).unwrap();
    let run = project.topo(&["test", "-json"]).expect(1);
    assert!(project.path().join("errored_test.2.tfstate").exists());
    let line = run
        .stdout
        .lines()
        .find(|l| l.contains("test_cleanup"))
        .unwrap();
    let line: Json = serde_json::from_str(line).unwrap();
    assert_eq!(
        line["test_cleanup"],
        serde_json::json!({"failed_resources": [{"instance": "terraform_data.kept"}]})
    );
    assert_eq!(line["@testrun"], "makes");
}

#[test]
fn the_sandbox_simulates_a_cloud_for_the_tests_alone() {
    let main = "provider \"aws\" {\n  region = \"eu-west-1\"\n}\nresource \"aws_vpc\" \"v\" {\n  cidr_block = \"10.0.0.0/16\"\n}\noutput \"id\" {\n  value = aws_vpc.v.id\n}\n";
    let test = "run \"vpc\" {\n  assert {\n    condition     = startswith(output.id, \"vpc-\")\n    error_message = output.id\n  }\n}\n";
    let project = Project::with(&[("main.tf", main), ("a.tftest.hcl", test)]);
    let before = project.files();
    let run = project.topo(&["--sandbox", "test"]).expect(0);
    assert!(
        run.stdout
            .starts_with("Sandbox: a simulated cloud for these tests only"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("Success! 1 passed, 0 failed."),
        "{}",
        run.stdout
    );
    assert_eq!(project.files(), before);
}

#[test]
fn the_workspace_is_the_selected_one() {
    let test = "run \"r\" {\n  assert {\n    condition     = terraform.workspace == \"dev\"\n    error_message = terraform.workspace\n  }\n}\n";
    let mut project = Project::with(&[("main.tf", MAIN), ("a.tftest.hcl", test)]);
    project.topo(&["test"]).expect(1);
    project.topo(&["workspace", "new", "dev"]).expect(0);
    project.topo(&["test"]).expect(0);
    project.environment.push(("TF_WORKSPACE", "other".into()));
    project.topo(&["test"]).expect(1);
}
