//! `topo init -json` and `topo get -json`: the published line stream, through the built binary.

mod common;

use common::{Project, Run};
use serde_json::Value;

const MAIN: &str = r#"
module "a" {
  source = "./a"
}
resource "terraform_data" "x" {}
"#;

fn project() -> Project {
    let project = Project::with(&[("main.tf", MAIN)]);
    std::fs::create_dir(project.path().join("a")).unwrap();
    std::fs::write(
        project.path().join("a/main.tf"),
        "output \"x\" {\n  value = 1\n}\n",
    )
    .unwrap();
    project
}

/// The messages; each must have what every message of the format has.
fn messages(run: &Run) -> Vec<Value> {
    assert_eq!(run.stderr, "");
    let lines = run.stdout.lines();
    let all: Vec<Value> = lines.map(|l| serde_json::from_str(l).unwrap()).collect();
    for message in &all {
        for field in ["@level", "@message", "@module", "@timestamp", "type"] {
            assert!(message[field].is_string(), "{field} of {message}");
        }
        assert_eq!(message["@module"], "terraform.ui");
    }
    assert_eq!(all[0]["type"], "version");
    assert_eq!(all[0]["ui"], "1.2");
    all
}

fn codes(all: &[Value]) -> Vec<&str> {
    let steps = all.iter().filter(|m| m["type"] == "init_output");
    steps.map(|m| m["message_code"].as_str().unwrap()).collect()
}

#[test]
fn the_steps_have_their_codes() {
    let project = project();
    for (flags, first) in [
        (&[][..], Some("initializing_modules_message")),
        (&["-upgrade"], Some("upgrading_modules_message")),
        (&["-get=false"], None),
    ] {
        let run = project
            .topo(&[&["init", "-json"], flags].concat())
            .expect(0);
        let all = messages(&run);
        let rest = [
            "initializing_provider_plugin_message",
            "output_init_success_message",
        ];
        let expected: Vec<&str> = first.into_iter().chain(rest).collect();
        assert_eq!(codes(&all), expected, "{flags:?}");
        assert!(all.iter().all(|m| m["@level"] == "info"));
    }
    // Without -json people see none of this.
    let text = project.topo(&["init"]).expect(0).stdout;
    assert!(text.starts_with("Nothing is to be installed"), "{text}");
}

#[test]
fn what_is_wrong_is_a_diagnostic_with_its_place() {
    let project = project();
    std::fs::remove_dir_all(project.path().join("a")).unwrap();
    let all = messages(&project.topo(&["init", "-json"]).expect(1));
    assert_eq!(codes(&all), ["initializing_modules_message"]);
    let last = all.last().unwrap();
    assert_eq!(last["type"], "diagnostic");
    assert_eq!(last["@level"], "error");
    assert_eq!(last["diagnostic"]["range"]["filename"], "main.tf");
    assert_eq!(last["diagnostic"]["range"]["start"]["line"], 3);
    assert_eq!(last["diagnostic"]["snippet"]["context"], "module \"a\"");
}

#[test]
fn get_tells_only_of_modules() {
    let project = project();
    let all = messages(&project.topo(&["get", "-json"]).expect(0));
    assert_eq!(all.len(), 1);
}
