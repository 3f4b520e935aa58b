//! Modules from elsewhere, through the built binary.

mod common;

use std::path::Path;
use std::process::Command;

use common::Project;

/// Commits everything in a directory, with a tag.
fn commit(dir: &Path, tag: &str) {
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .current_dir(dir)
            .args(["-c", "user.name=Test", "-c", "user.email=test@example.com"])
            .args(arguments)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {said}");
    };
    git(&["init", "--quiet"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", tag]);
    git(&["tag", tag]);
}

fn main_tf(url: &str, reference: &str) -> String {
    format!(
        "module \"greeting\" {{\n  source = \"{url}//modules/greeting?ref={reference}\"\n  name   = \"x\"\n}}\n\noutput \"text\" {{\n  value = module.greeting.text\n}}\n\noutput \"dir\" {{\n  value = module.greeting.dir\n}}\n"
    )
}

fn greeting(word: &str) -> String {
    format!(
        "variable \"name\" {{\n  type = string\n}}\n\nmodule \"word\" {{\n  source = \"../word\"\n}}\n\noutput \"text\" {{\n  value = \"{word} ${{module.word.end}} ${{var.name}}\"\n}}\n\noutput \"dir\" {{\n  value = path.module\n}}\n"
    )
}

#[test]
fn from_a_git_repository() {
    let repository = tempfile::tempdir().unwrap();
    let at = repository.path();
    std::fs::create_dir_all(at.join("modules/greeting")).unwrap();
    std::fs::create_dir_all(at.join("modules/word")).unwrap();
    std::fs::write(at.join("modules/greeting/main.tf"), greeting("hello")).unwrap();
    std::fs::write(
        at.join("modules/word/main.tf"),
        "output \"end\" {\n  value = \"dear\"\n}\n",
    )
    .unwrap();
    commit(at, "v1");
    std::fs::write(at.join("modules/greeting/main.tf"), greeting("good day")).unwrap();
    commit(at, "v2");
    let url = format!("git::file://{}", at.canonicalize().unwrap().display());
    let project = Project::with(&[("main.tf", &main_tf(&url, "v1"))]);

    for command in ["validate", "plan"] {
        let run = project.topo(&[command]).expect(1);
        assert!(
            run.stderr.contains("Module not installed"),
            "{}",
            run.stderr
        );
        assert!(run.stderr.contains("topo init"), "{}", run.stderr);
        assert!(run.stderr.contains("on main.tf line 2"), "{}", run.stderr);
    }

    let run = project
        .topo(&["init", "-input=false", "-backend=false"])
        .expect(0);
    let shown = run.stdout.replace(&url, "URL");
    assert_eq!(
        shown,
        "Initializing modules...\nDownloading URL//modules/greeting?ref=v1 for greeting...\n- greeting in .topo/modules/greeting/modules/greeting\n- greeting.word in .topo/modules/greeting/modules/word\n\nModules are installed: 1 fetched.\n"
    );
    let run = project.topo(&["get", "-update", "-json"]).expect(0);
    let lines = run.stdout.lines().skip(1);
    let said = lines.map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(message["type"], "log");
        message["@message"].as_str().unwrap().replace(&url, "URL")
    });
    assert_eq!(
        said.collect::<Vec<_>>(),
        [
            "Downloading URL//modules/greeting?ref=v1 for greeting...",
            // What it calls in its own package is where it was.
            "- greeting in .topo/modules/greeting/modules/greeting",
        ]
    );
    project.topo(&["validate"]).expect(0);
    let run = project.topo(&["apply", "-auto-approve"]).expect(0);
    assert!(
        run.stdout.contains("text = \"hello dear x\""),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout
            .contains("dir = \".topo/modules/greeting/modules/greeting\""),
        "{}",
        run.stdout
    );

    let run = project.topo(&["init"]).expect(0);
    assert_eq!(run.stdout, "Modules are up to date: 1 installed already.\n");
    let run = project.topo(&["get"]).expect(0);
    assert_eq!(run.stdout, "");

    std::fs::write(project.path().join("main.tf"), main_tf(&url, "v2")).unwrap();
    let run = project.topo(&["validate"]).expect(1);
    assert!(
        run.stderr.contains("Module source has changed"),
        "{}",
        run.stderr
    );
    project.topo(&["init", "-get=false"]).expect(0);
    project.topo(&["validate"]).expect(1);
    project.topo(&["init"]).expect(0);
    let run = project.topo(&["apply", "-auto-approve"]).expect(0);
    assert!(
        run.stdout.contains("text = \"good day dear x\""),
        "{}",
        run.stdout
    );
    let run = project.topo(&["get", "-update"]).expect(0);
    assert!(run.stdout.contains("- greeting in"), "{}", run.stdout);

    std::fs::write(project.path().join("main.tf"), main_tf(&url, "v3")).unwrap();
    let run = project.topo(&["init"]).expect(1);
    for part in [
        "Failed to download module",
        "greeting",
        "ref=v3",
        "on main.tf line 2",
        "remote ref v3",
    ] {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
}

#[test]
fn nothing_to_install() {
    let project = Project::with(&[("main.tf", "module \"a\" {\n  source = \"./a\"\n}\n")]);
    std::fs::create_dir(project.path().join("a")).unwrap();
    std::fs::write(project.path().join("a/main.tf"), "").unwrap();
    let run = project
        .topo(&["init", "-lockfile=readonly", "-reconfigure"])
        .expect(0);
    assert!(
        run.stdout.starts_with("Nothing is to be installed"),
        "{}",
        run.stdout
    );
    assert!(!project.path().join(".topo").exists());
    project.topo(&["validate"]).expect(0);
}
