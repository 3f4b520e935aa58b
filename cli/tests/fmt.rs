//! `topo fmt`: what it lists, writes and shows, and its exit codes, for every way to call it.

mod common;

use std::io::Write;
use std::process::Stdio;

use common::{Project, Run};

const UGLY: &str = "a=1\nlonger =2\n";
const NICE: &str = "a      = 1\nlonger = 2\n";

/// Files that are formatted, that are not, and that are none of its business.
fn project() -> Project {
    let project = Project::with(&[
        ("b.tf", UGLY),
        ("a.tf", NICE),
        ("c.tfvars", UGLY),
        ("d.tftest.hcl", UGLY),
        ("e.tofu", UGLY),
        ("other.hcl", UGLY),
        ("backup.tf~", UGLY),
        (".hidden.tf", UGLY),
        ("#lock.tf#", UGLY),
        ("data.tf.json", "{ }"),
    ]);
    for (file, text) in [("sub/deep/x.tf", "x=1"), (".git/y.tf", UGLY)] {
        let path = project.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    project
}

fn fed(args: &[&str], input: &[u8]) -> Run {
    let project = Project::empty();
    let mut child = project
        .command(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(project.files().is_empty());
    Run::of(output)
}

/// Exit code and standard output of a run that has nothing to complain about.
#[track_caller]
fn quiet(run: Run) -> (i32, String) {
    assert_eq!(run.stderr, "");
    (run.code, run.stdout)
}

#[test]
fn files_of_the_directory_are_written_and_listed_by_name() {
    let project = project();
    let before = project.files();
    let listed = "b.tf\nc.tfvars\nd.tftest.hcl\ne.tofu\n";
    assert_eq!(quiet(project.topo(&["fmt"])), (0, listed.into()));
    let after = project.files();
    for (name, text) in &before {
        let expected = if listed.lines().any(|l| l == name) {
            NICE.as_bytes()
        } else {
            text
        };
        assert_eq!(after[name], expected, "{name}");
    }
    assert_eq!(quiet(project.topo(&["fmt"])), (0, String::new()));
    assert_eq!(
        quiet(project.topo(&["fmt", "-recursive"])),
        (0, "sub/deep/x.tf\n".into())
    );
    // A line break that was not there is not added.
    assert_eq!(project.files()["sub/deep/x.tf"], b"x = 1");
}

#[test]
fn check_writes_nothing_and_says_so_by_its_exit_code() {
    let project = project();
    let before = project.files();
    for (args, stdout) in [
        (
            &["fmt", "-check"][..],
            "b.tf\nc.tfvars\nd.tftest.hcl\ne.tofu\n",
        ),
        (&["fmt", "-check", "-list=false"], ""),
        (&["fmt", "-check", "-diff", "-list=false"], ""),
        (
            &["fmt", "-check", "-write=true", "sub/deep"],
            "sub/deep/x.tf\n",
        ),
    ] {
        assert_eq!(quiet(project.topo(args)), (3, stdout.into()), "{args:?}");
    }
    assert_eq!(
        quiet(project.topo(&["fmt", "-check", "a.tf"])),
        (0, String::new())
    );
    assert_eq!(project.files(), before);
}

const DIFF: &str = "\
--- old/b.tf
+++ new/b.tf
@@ -1,2 +1,2 @@
-a=1
-longer =2
+a      = 1
+longer = 2
";

#[test]
fn differences_are_shown_in_unified_form() {
    let project = project();
    let before = project.files();
    assert_eq!(
        quiet(project.topo(&["fmt", "-check", "-diff", "b.tf"])),
        (3, format!("b.tf\n{DIFF}"))
    );
    assert_eq!(
        quiet(project.topo(&["fmt", "-write=false", "-list=false", "-diff", "b.tf"])),
        (0, DIFF.into())
    );
    assert_eq!(
        quiet(project.topo(&["fmt", "-write=false", "-diff", "sub/deep/x.tf"])),
        (
            0,
            "sub/deep/x.tf\n--- old/sub/deep/x.tf\n+++ new/sub/deep/x.tf\n@@ -1 +1 @@\n-x=1\n\\ No newline at end of file\n+x = 1\n\\ No newline at end of file\n".into()
        )
    );
    assert_eq!(project.files(), before);
    assert_eq!(
        quiet(project.topo(&["fmt", "-diff", "b.tf"])),
        (0, format!("b.tf\n{DIFF}"))
    );
    assert_eq!(project.files()["b.tf"], NICE.as_bytes());
}

#[test]
fn without_list_write_and_diff_the_result_is_printed() {
    let project = project();
    let before = project.files();
    assert_eq!(
        quiet(project.topo(&[
            "fmt",
            "-list=false",
            "-write=false",
            "a.tf",
            "sub/deep/x.tf"
        ])),
        (0, format!("{NICE}x = 1\n"))
    );
    assert_eq!(project.files(), before);
    assert_eq!(
        quiet(project.topo(&["fmt", "-list=false", "b.tf"])),
        (0, String::new())
    );
    assert_eq!(project.files()["b.tf"], NICE.as_bytes());
}

#[test]
fn targets_are_shown_as_seen_from_the_working_directory() {
    let project = project();
    let absolute = project.path().canonicalize().unwrap().join("b.tf");
    for target in ["./sub/../b.tf", absolute.to_str().unwrap()] {
        assert_eq!(
            quiet(project.topo(&["fmt", "-write=false", target])),
            (0, "b.tf\n".into())
        );
    }
    assert_eq!(
        quiet(project.topo(&["-chdir=sub/deep", "fmt", "-write=false", "../../b.tf", "."])),
        (0, "../../b.tf\nx.tf\n".into())
    );
}

#[test]
fn targets_that_cannot_be_formatted() {
    let project = project();
    let run = project.topo(&["fmt", "other.hcl", "b.tf"]).expect(2);
    assert_eq!(run.stdout, "b.tf\n");
    assert!(run.stderr.contains("other.hcl"), "{}", run.stderr);
    // What follows a target that is not there is not touched.
    let run = project.topo(&["fmt", "nowhere.tf", "c.tfvars"]).expect(2);
    assert_eq!(run.stdout, "");
    assert!(run.stderr.contains("nowhere.tf"), "{}", run.stderr);
}

#[test]
fn files_with_errors_are_left_alone_and_shown() {
    let project = Project::with(&[("bad.tf", "a=1\nb = {\n"), ("good.tf", UGLY)]);
    std::fs::write(project.path().join("latin.tf"), b"a=\"\xe9\"\n").unwrap();
    let before = project.files();
    let run = project.topo(&["fmt", "-check"]).expect(2);
    assert_eq!(run.stdout, "");
    let run = project.topo(&["fmt"]).expect(2);
    assert_eq!(run.stdout, "good.tf\n");
    assert!(run.stderr.contains("on bad.tf line "), "{}", run.stderr);
    assert!(
        run.stderr.contains("latin.tf is not UTF-8"),
        "{}",
        run.stderr
    );
    let after = project.files();
    assert_eq!(after["bad.tf"], before["bad.tf"]);
    assert_eq!(after["latin.tf"], before["latin.tf"]);
    assert_eq!(after["good.tf"], NICE.as_bytes());
}

#[test]
fn standard_input_is_formatted_to_standard_output() {
    let ugly = UGLY.as_bytes();
    assert_eq!(quiet(fed(&["fmt", "-"], ugly)), (0, NICE.into()));
    assert_eq!(quiet(fed(&["fmt", "-"], b"a=1")), (0, "a = 1\n".into()));
    // Lists and files are not for standard input, and other targets are not looked at.
    let args = ["fmt", "-list=true", "-write=true", "-", "nowhere.tf"];
    assert_eq!(quiet(fed(&args, ugly)), (0, NICE.into()));
    let diff = DIFF.replace("b.tf", "<stdin>");
    assert_eq!(quiet(fed(&["fmt", "-diff", "-"], ugly)), (0, diff));
    assert_eq!(
        quiet(fed(&["fmt", "-check", "-"], ugly)),
        (3, String::new())
    );
    assert_eq!(
        quiet(fed(&["fmt", "-check", "-diff", "-"], NICE.as_bytes())),
        (0, String::new())
    );
    let run = fed(&["fmt", "-"], b"a = [\n").expect(2);
    assert_eq!(run.stdout, "");
    assert!(run.stderr.contains("on <stdin> line "), "{}", run.stderr);
}

#[test]
fn flags_take_one_dash_or_two() {
    let project = project();
    assert_eq!(
        quiet(project.topo(&["fmt", "--check=true", "--list=false", "b.tf"])),
        (3, String::new())
    );
    project.topo(&["fmt", "-check=maybe"]).expect(1);
}
