//! Interrupting `topo test`: the first lets what is under way finish and destroys what was made,
//! the second stops and says what is left.

mod common;

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::Project;

/// `quick` is there at once and says when it is destroyed; `slow` says that its creation has begun
/// and waits to be let go, so that an interrupt comes in between.
const MAIN: &str = r#"
variable "slow" { default = false }
variable "stays" { default = false }
resource "terraform_data" "quick" {
  input = var.stays
  provisioner "local-exec" {
    when    = destroy
    command = "touch destroying; while ${self.input} && [ ! -e go ]; do sleep 0.02; done; touch destroyed"
  }
}
resource "terraform_data" "slow" {
  count      = var.slow ? 1 : 0
  depends_on = [terraform_data.quick]
  provisioner "local-exec" {
    command = "touch begun; while [ ! -e go ]; do sleep 0.02; done"
  }
}
resource "terraform_data" "after" {
  count = var.slow ? 1 : 0
  input = terraform_data.slow[0].id
}
"#;

const TESTS: &str = r#"
run "first" {}
run "slow" {
  variables { slow = true }
}
run "later" {}
"#;

struct Running {
    project: Project,
    child: Child,
}

impl Running {
    fn start(tests: &str, arguments: &[&str]) -> Running {
        let project = Project::with(&[("main.tf", MAIN), ("a.tftest.hcl", tests)]);
        let child = project
            .command(&[&["test", "-no-color"], arguments].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Running { project, child }
    }

    fn exists(&self, name: &str) -> bool {
        self.project.path().join(name).exists()
    }

    fn wait_for(&self, name: &str) {
        wait_until(&self.project.path().join(name));
    }

    fn interrupt(&self) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status();
        assert!(sent.unwrap().success());
    }

    fn let_go(&self) {
        std::fs::write(self.project.path().join("go"), "").unwrap();
    }

    /// Exit code, standard output and standard error.
    fn end(self) -> (Option<i32>, String, String, Project) {
        let output = self.child.wait_with_output().unwrap();
        let text = |b: Vec<u8>| String::from_utf8(b).unwrap();
        let code = output.status.code();
        (code, text(output.stdout), text(output.stderr), self.project)
    }
}

fn wait_until(file: &Path) {
    let begun = Instant::now();
    while !file.exists() {
        let waited = begun.elapsed();
        assert!(waited < Duration::from_secs(30), "{}", file.display());
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn read_until(from: &mut impl Read, part: &str) -> String {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !String::from_utf8_lossy(&seen).contains(part) {
        assert_eq!(from.read(&mut byte).unwrap(), 1, "ended before {part:?}");
        seen.push(byte[0]);
    }
    String::from_utf8(seen).unwrap()
}

#[test]
fn the_first_interrupt_finishes_what_is_under_way_and_cleans_up() {
    let mut running = Running::start(TESTS, &[]);
    running.wait_for("begun");
    running.interrupt();
    read_until(running.child.stderr.as_mut().unwrap(), "Interrupt received");
    assert!(!running.exists("destroyed"));
    running.let_go();
    let (code, stdout, stderr, project) = running.end();
    assert_eq!(code, Some(1), "{stdout}{stderr}");
    assert_eq!(
        stdout,
        "a.tftest.hcl... in progress\n  run \"first\"... pass\n  run \"slow\"... fail\n  run \"later\"... skip\na.tftest.hcl... tearing down\na.tftest.hcl... fail\n\nFailure! 1 passed, 1 failed, 1 skipped.\n"
    );
    assert!(stderr.contains("Test interrupted"), "{stderr}");
    assert!(!stderr.contains("behind"), "{stderr}");
    assert!(project.path().join("destroyed").exists());
}

#[test]
fn the_second_interrupt_stops_and_says_what_is_left() {
    let mut running = Running::start(TESTS, &[]);
    running.wait_for("begun");
    running.interrupt();
    read_until(running.child.stderr.as_mut().unwrap(), "Interrupt received");
    running.interrupt();
    // Nobody lets it go.
    let (code, stdout, stderr, project) = running.end();
    assert_eq!(code, Some(1), "{stdout}{stderr}");
    for part in [
        "Interrupted again",
        "a.tftest.hcl/slow",
        "- terraform_data.quick, id ",
        "- terraform_data.slow[0], ",
    ] {
        assert!(stderr.contains(part), "{part}: {stderr}");
    }
    assert!(!stderr.contains("terraform_data.after"), "{stderr}");
    assert!(!project.path().join("destroyed").exists());
    std::fs::write(project.path().join("go"), "").unwrap();
}

#[test]
fn cleaning_up_survives_the_first_interrupt_only() {
    let tests = "run \"stays\" {\n  variables { stays = true }\n}\n";
    let mut running = Running::start(tests, &[]);
    running.wait_for("destroying");
    running.interrupt();
    read_until(running.child.stderr.as_mut().unwrap(), "Interrupt received");
    running.let_go();
    let (code, stdout, stderr, project) = running.end();
    // All tests were run, and nothing is left: the interrupt came too late to matter.
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert!(project.path().join("destroyed").exists());

    let mut running = Running::start(tests, &[]);
    running.wait_for("destroying");
    running.interrupt();
    read_until(running.child.stderr.as_mut().unwrap(), "Interrupt received");
    running.interrupt();
    let (code, stdout, stderr, project) = running.end();
    assert_eq!(code, Some(1), "{stdout}{stderr}");
    assert!(stderr.contains("- terraform_data.quick, id "), "{stderr}");
    assert!(!project.path().join("destroyed").exists());
    std::fs::write(project.path().join("go"), "").unwrap();
}

#[test]
fn programs_are_told_what_an_interrupt_leaves() {
    let mut running = Running::start(TESTS, &["-json"]);
    running.wait_for("begun");
    running.interrupt();
    let mut seen = read_until(running.child.stdout.as_mut().unwrap(), "Interrupt received");
    running.interrupt();
    let (code, stdout, stderr, project) = running.end();
    assert_eq!(code, Some(1), "{stdout}{stderr}");
    seen.push_str(&stdout);
    let lines: Vec<serde_json::Value> = seen
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let told = lines
        .iter()
        .find(|l| l["type"] == "test_interrupt")
        .unwrap();
    let left = &told["test_interrupt"];
    assert_eq!(told["@level"], "error");
    let instances: Vec<&str> = left["state"]
        .as_array()
        .unwrap()
        .iter()
        .map(|o| o["instance"].as_str().unwrap())
        .collect();
    // What was not begun is not there.
    let there = ["terraform_data.quick", "terraform_data.slow[0]"];
    assert_eq!(instances, there);
    assert_eq!(told["@testfile"], "a.tftest.hcl");
    std::fs::write(project.path().join("go"), "").unwrap();
}
