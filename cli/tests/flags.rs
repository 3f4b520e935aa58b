//! Flags and variables of the environment as scripts for the peers write them, through the built
//! binary.

mod common;

use common::Project;
use serde_json::{Value, json};

const MAIN: &str = r#"
variable "text" { default = "default" }
resource "terraform_data" "a" { input = var.text }
resource "terraform_data" "b" {}
output "text" { value = terraform_data.a.output }
"#;

fn project() -> Project {
    Project::with(&[("main.tf", MAIN)])
}

fn lines(text: &str) -> Vec<Value> {
    let lines = text.lines();
    lines.map(|l| serde_json::from_str(l).unwrap()).collect()
}

#[test]
fn a_flag_may_come_twice_and_the_last_counts() {
    let mut project = project();
    project.environment = vec![
        ("TF_CLI_ARGS", "-no-color".into()),
        (
            "TF_CLI_ARGS_plan",
            "-lock=false -parallelism=3 -detailed-exitcode=true".into(),
        ),
    ];
    project
        .topo(&["plan", "-no-color", "-lock=true", "-parallelism", "4"])
        .expect(2);
    project
        .topo(&["plan", "-detailed-exitcode=false"])
        .expect(0);
    let said = project
        .topo(&["plan", "-detailed-exitcode=perhaps"])
        .expect(1);
    assert!(
        said.stderr.contains("--detailed-exitcode"),
        "{}",
        said.stderr
    );
}

#[test]
fn a_switch_says_on_or_off_in_the_words_of_the_peers() {
    let project = project();
    let text = project.topo(&["plan", "-json=0"]).expect(0).stdout;
    assert!(text.starts_with('\n'), "{text}");
    let stream = project
        .topo(&["plan", "-json=true", "-lock=f"])
        .expect(0)
        .stdout;
    assert_eq!(lines(&stream)[0]["type"], "version");
    let said = project
        .topo(&["apply", "-auto-approve=0", "-input=0"])
        .expect(1);
    assert!(said.stderr.contains("Not approved"), "{}", said.stderr);
    let said = project
        .topo(&["plan", "-refresh-only", "-refresh=false"])
        .expect(1);
    assert!(
        said.stderr.contains("Incompatible refresh options"),
        "{}",
        said.stderr
    );
    project
        .topo(&["plan", "-refresh-only", "-refresh=true"])
        .expect(0);
    project
        .topo(&["apply", "-auto-approve=1", "-lock-timeout=10s"])
        .expect(0);
}

#[test]
fn variables_count_in_the_order_in_which_they_are_given() {
    let mut project = project();
    std::fs::write(project.path().join("f.tfvars"), "text = \"file\"\n").unwrap();
    let planned = |project: &Project, flags: &[&str]| {
        let args = [&["plan", "-no-color"], flags].concat();
        let text = project.topo(&args).expect(0).stdout;
        let (_, behind) = text.split_once("+ input  = \"").unwrap();
        behind.split('"').next().unwrap().to_string()
    };
    assert_eq!(planned(&project, &[]), "default");
    project.environment = vec![("TF_VAR_text", "environment".into())];
    assert_eq!(planned(&project, &[]), "environment");
    assert_eq!(
        planned(&project, &["-var-file=f.tfvars", "-var", "text=flag"]),
        "flag"
    );
    assert_eq!(
        planned(&project, &["-var=text=flag", "-var-file", "f.tfvars"]),
        "file"
    );
    project.environment = vec![("TF_CLI_ARGS_plan", "-var text=arguments".into())];
    assert_eq!(planned(&project, &[]), "arguments");
    assert_eq!(planned(&project, &["-var-file=f.tfvars"]), "file");
}

#[test]
fn targets_and_exclusions_may_be_in_files() {
    let project = project();
    let write = |text: &str| std::fs::write(project.path().join("list"), text).unwrap();
    let addresses = |flag: &str| {
        let run = project.topo(&["plan", "-json", flag]).expect(0);
        let all = lines(&run.stdout);
        let changes = all.iter().filter(|l| l["type"] == "planned_change");
        let of = |l: &Value| {
            l["change"]["resource"]["addr"]
                .as_str()
                .unwrap()
                .to_string()
        };
        changes.map(of).collect::<Vec<_>>()
    };
    write("# the first\n\n  terraform_data.a  \n");
    assert_eq!(addresses("-target-file=list"), ["terraform_data.a"]);
    assert_eq!(addresses("-exclude-file=list"), ["terraform_data.b"]);
    let both = project.topo(&["plan", "-target-file=list", "-exclude=terraform_data.b"]);
    assert!(both.expect(1).stderr.contains("cannot be used with"));

    write("terraform_data.a\nnot an address\n");
    let said = project.topo(&["destroy", "-target-file=list"]).expect(1);
    assert!(said.stderr.contains("list line 2"), "{}", said.stderr);
    // Nothing is meant, and not everything.
    write("# terraform_data.a\n");
    let said = project
        .topo(&["apply", "-auto-approve", "-target-file=list"])
        .expect(1);
    assert!(said.stderr.contains("No targets"), "{}", said.stderr);
    let said = project
        .topo(&["refresh", "-exclude-file=nowhere"])
        .expect(1);
    assert!(said.stderr.contains("nowhere"), "{}", said.stderr);
    assert!(!project.path().join(".topo").exists());
}

#[test]
fn a_state_file_can_be_looked_into() {
    let first = project();
    first.topo(&["apply", "-auto-approve"]).expect(0);
    let pulled = first.topo(&["state", "pull"]).expect(0).stdout;
    let other = project();
    std::fs::write(other.path().join("x.tfstate"), pulled).unwrap();
    for line in [
        &["output", "-raw", "-state=x.tfstate", "text"][..],
        &["output", "-raw", "-state", "x.tfstate", "text"],
    ] {
        assert_eq!(other.topo(line).expect(0).stdout, "default", "{line:?}");
    }
    let listed = other.topo(&["state", "list", "-state=x.tfstate"]).expect(0);
    assert_eq!(listed.stdout, "terraform_data.a\nterraform_data.b\n");
    let shown = other
        .topo(&["state", "show", "-state=x.tfstate", "terraform_data.a"])
        .expect(0);
    assert!(
        shown.stdout.contains("input  = \"default\""),
        "{}",
        shown.stdout
    );
    let shown = other.topo(&["show", "-json", "x.tfstate"]).expect(0).json();
    assert_eq!(shown["values"]["outputs"]["text"]["value"], "default");
    let asked = other.topo_with_input(&["console", "-state=x.tfstate"], "terraform_data.a.input\n");
    assert_eq!(asked.expect(0).stdout, "\"default\"\n");
    // The state here is another one still.
    assert_eq!(other.topo(&["state", "list"]).expect(0).stdout, "");
    let said = other.topo(&["output", "-state=nowhere"]).expect(1);
    assert!(said.stderr.contains("nowhere"), "{}", said.stderr);
}

#[test]
fn what_is_to_be_shown_may_be_named() {
    let project = project();
    project.topo(&["plan", "-out=p"]).expect(0);
    let of_plan = project.topo(&["show", "-json", "-plan=p"]).expect(0).json();
    assert_eq!(
        of_plan,
        project.topo(&["show", "-json", "p"]).expect(0).json()
    );
    assert_eq!(of_plan["resource_changes"].as_array().unwrap().len(), 2);
    let of_state = project.topo(&["show", "-state"]).expect(0);
    assert_eq!(of_state.stdout, project.topo(&["show"]).expect(0).stdout);
    let config = project.topo(&["show", "-config", "-json"]).expect(0).json();
    assert_eq!(config, of_plan["configuration"]);
    for wrong in [
        &["show", "-config"][..],
        &["show", "-plan=p", "p"],
        &["show", "-state", "p"],
    ] {
        project.topo(wrong).expect(1);
    }
}

#[test]
fn what_changes_nothing_is_passed_over() {
    let project = project();
    for line in [
        "init -input=false -backend=false -backend-config=bucket=b -backend-config k=v -reconfigure -migrate-state -force-copy -lock=false -lock-timeout=1s -plugin-dir=p -lockfile=readonly -upgrade=true -cloud=false -test-directory=t -compact-warnings -var=a=b",
        "get -update=false -test-directory=t -no-color",
        "validate -no-tests -test-directory=t -var a=b -consolidate-warnings=false",
        "apply -auto-approve -backup=- -ignore-remote-version -deprecation=module:none",
        "refresh -auto-approve -parallelism=2 -consolidate-errors",
        "graph -type=plan -draw-cycles -module-depth=1",
        "taint -ignore-remote-version -backup=- terraform_data.b",
        "untaint -var-file=none terraform_data.b",
        "state mv -backup=- -backup-out=- terraform_data.b terraform_data.c",
        "workspace list -var a=b",
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        project.topo(&words).expect(0);
    }
}

#[test]
fn what_cannot_be_done_is_refused_with_the_reason() {
    let project = project();
    for (line, reason) in [
        ("plan -state=x.tfstate", "state push FILE"),
        ("apply -auto-approve -state-out=x", "state push FILE"),
        ("state rm -backup=b terraform_data.a", "state pull > FILE"),
        ("import -config=dir terraform_data.a x", "-chdir=DIR"),
        ("init -from-module=x", "git clone"),
        ("graph -plan=p", "topo show FILE"),
        ("console -plan", "topo plan"),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let said = project.topo(&words).expect(1);
        let flat = said.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(reason), "{line}: {}", said.stderr);
    }
    assert!(!project.path().join(".topo").exists());
}

#[test]
fn nobody_is_asked_where_the_environment_forbids_it() {
    let mut project = project();
    project.environment = vec![("TF_INPUT", "false".into())];
    let run = project.topo_with_input(&["apply"], "yes\n").expect(1);
    assert!(run.stderr.contains("TF_INPUT"), "{}", run.stderr);
    assert!(!run.stdout.contains("Enter a value"), "{}", run.stdout);
    project.environment = vec![("TF_INPUT", "1".into())];
    project.topo_with_input(&["apply"], "yes\n").expect(0);
}

#[test]
fn automation_is_not_told_what_comes_next() {
    let mut project = project();
    let hint = "topo apply p";
    assert!(
        project
            .topo(&["plan", "-out=p"])
            .expect(0)
            .stdout
            .contains(hint)
    );
    project.environment = vec![("TF_IN_AUTOMATION", "1".into())];
    let run = project.topo(&["plan", "-out=p"]).expect(0);
    assert!(!run.stdout.contains(hint), "{}", run.stdout);
    let run = project.topo(&["plan"]).expect(0);
    assert!(!run.stdout.contains("-out"), "{}", run.stdout);
}

#[test]
fn the_log_of_the_peers_goes_where_they_say() {
    let mut project = project();
    project.environment = vec![("TF_LOG", "TRACE".into()), ("TF_LOG_PATH", "log".into())];
    let run = project.topo(&["apply", "-auto-approve"]).expect(0);
    assert_eq!(run.stderr, "");
    let log = std::fs::read_to_string(project.path().join("log")).unwrap();
    assert!(log.contains("TRACE") || log.contains("DEBUG"), "{log}");
    project.environment = vec![("TF_LOG", "off".into()), ("TF_LOG_PATH", "none".into())];
    project.topo(&["plan"]).expect(0);
    assert!(!project.path().join("none").exists());
    project.environment = vec![("TF_LOG", "warn".into()), ("TF_LOG_PATH", "no/log".into())];
    let run = project.topo(&["plan"]).expect(1);
    assert!(run.stderr.contains("no/log"), "{}", run.stderr);
}

#[test]
fn the_stream_may_go_into_a_file_beside_the_text() {
    let project = project();
    let run = project
        .topo(&["apply", "-auto-approve", "-json-into=stream"])
        .expect(0);
    assert!(
        run.stdout.contains("Apply complete! Resources: 2 added"),
        "{}",
        run.stdout
    );
    let read = || lines(&std::fs::read_to_string(project.path().join("stream")).unwrap());
    let types = |all: Vec<Value>| {
        let kinds = all.into_iter().map(|l| l["type"].clone());
        kinds.collect::<Vec<_>>()
    };
    let all = read();
    assert_eq!(all[0]["type"], "version");
    let count = |kind: &str| all.iter().filter(|l| l["type"] == kind).count();
    assert_eq!(count("planned_change"), 2);
    assert_eq!(count("apply_complete"), 2);
    assert_eq!(count("change_summary"), 2);
    assert_eq!(all.last().unwrap()["outputs"]["text"]["value"], "default");

    // The same as -json prints, and errors too.
    project.topo(&["plan", "-json-into=stream"]).expect(0);
    let printed = project.topo(&["plan", "-json"]).expect(0).stdout;
    assert_eq!(types(read()), types(lines(&printed)));
    std::fs::write(project.path().join("bad.tf"), "resource \"x\" {").unwrap();
    project.topo(&["plan", "-json-into=stream"]).expect(1);
    assert_eq!(read()[1]["@level"], "error");
    let said = project
        .topo(&["plan", "-json", "-json-into=stream"])
        .expect(1);
    assert!(
        said.stderr.contains("cannot be used with"),
        "{}",
        said.stderr
    );
}

#[test]
fn the_version_is_found_by_the_peers_name() {
    let version = Project::empty()
        .topo(&["version", "-json"])
        .expect(0)
        .json();
    assert_eq!(version["terraform_version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(version["provider_selections"], json!({}));
}
