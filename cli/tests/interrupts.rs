//! Interrupting an apply: the first lets what is under way finish, the second does not wait.

mod common;

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::Project;

/// `slow` says that it has begun and waits to be let go; `after` depends on it.
const SLOW: &str = r#"
resource "terraform_data" "slow" {
  provisioner "local-exec" {
    command = "touch begun; while [ ! -e go ]; do sleep 0.02; done"
  }
}
resource "terraform_data" "after" { input = terraform_data.slow.id }
"#;

fn start(project: &Project) -> Child {
    let child = project
        .command(&["apply", "-auto-approve", "-no-color"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for(&project.path().join("begun"));
    child
}

fn wait_for(file: &Path) {
    let begun = Instant::now();
    while !file.exists() {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "{}",
            file.display()
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn interrupt(child: &Child, signal: &str) {
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args([signal, &pid])
            .status()
            .unwrap()
            .success()
    );
}

/// Reads standard output until a line has this in it; returns what came.
fn read_until(child: &mut Child, part: &str) -> String {
    use std::io::Read;
    let out = child.stdout.as_mut().unwrap();
    let mut seen = Vec::new();
    let mut byte = [0];
    while !String::from_utf8_lossy(&seen).contains(part) {
        assert_eq!(out.read(&mut byte).unwrap(), 1, "ended before {part:?}");
        seen.push(byte[0]);
    }
    String::from_utf8(seen).unwrap()
}

fn texts(output: &Output) -> (String, String) {
    let text = |b: &[u8]| String::from_utf8(b.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_first_interrupt_lets_what_is_under_way_finish() {
    for signal in ["-INT", "-TERM"] {
        let project = Project::with(&[("main.tf", SLOW)]);
        let mut child = start(&project);
        interrupt(&child, signal);
        read_until(&mut child, "Interrupt received");
        std::fs::write(project.path().join("go"), "").unwrap();
        let output = child.wait_with_output().unwrap();
        let (stdout, stderr) = texts(&output);
        assert_eq!(output.status.code(), Some(1), "{stdout}{stderr}");
        assert!(
            stdout.contains("terraform_data.slow: Creation complete"),
            "{stdout}"
        );
        assert!(
            stdout.contains("Not done:\n  terraform_data.after: the run was interrupted\n"),
            "{stdout}"
        );
        assert!(stdout.contains("Apply incomplete."), "{stdout}");
        assert_eq!(
            project.topo(&["state", "list"]).stdout,
            "terraform_data.slow\n"
        );
        // What was left is all that the next run does.
        let run = project.topo(&["apply", "-auto-approve", "-no-color"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(
            run.stdout.contains("1 added, 0 changed, 0 destroyed"),
            "{}",
            run.stdout
        );
    }
}

#[test]
fn the_second_interrupt_does_not_wait() {
    let project = Project::with(&[("main.tf", SLOW)]);
    let mut child = start(&project);
    interrupt(&child, "-INT");
    read_until(&mut child, "Interrupt received");
    interrupt(&child, "-INT");
    // Nobody lets it go.
    let output = child.wait_with_output().unwrap();
    let (stdout, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(1), "{stdout}{stderr}");
    assert!(stderr.contains("Interrupted"), "{stderr}");
    assert!(stderr.contains("with 1 operation under"), "{stderr}");
    assert!(
        stdout.contains("terraform_data.slow: it was under way when the run was stopped\n"),
        "{stdout}"
    );
    // The object was never provisioned, so it is made anew.
    std::fs::write(project.path().join("go"), "").unwrap();
    let run = project.topo(&["apply", "-auto-approve", "-no-color"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert!(
        run.stdout.contains("terraform_data.slow is tainted"),
        "{}",
        run.stdout
    );
    assert_eq!(
        project.topo(&["state", "list"]).stdout,
        "terraform_data.after\nterraform_data.slow\n"
    );
}

#[test]
fn an_interrupt_at_the_question_is_a_no() {
    let project = Project::with(&[("main.tf", SLOW)]);
    let mut child = project
        .command(&["apply", "-no-color"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    read_until(&mut child, "Enter a value:");
    interrupt(&child, "-INT");
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success());
    assert_eq!(project.topo(&["state", "list"]).stdout, "");
    assert!(!project.path().join("begun").exists());
}
