//! `topo state ...`, `taint`, `untaint` and `force-unlock`: changes of the state by hand, state
//! files of the peers, past runs, locks.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use common::{Project, Run};
use serde_json::{Value as Json, json};

const FIXTURES: &str = "cli/tests/fixtures/state_v4";

#[track_caller]
fn says(run: &Run, code: i32, parts: &[&str]) {
    assert_eq!(run.code, code, "{}", run.text());
    // Long lines are wrapped between words.
    let text: Vec<String> = run.text().split_whitespace().map(String::from).collect();
    let text = text.join(" ").replace(" │ ", " ");
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in:\n{}", run.text());
    }
}

/// Three resources, two of them in a module, one with `count`.
fn applied() -> Project {
    let project = Project::with(&[("main.tf", MAIN)]);
    std::fs::create_dir(project.path().join("m")).unwrap();
    std::fs::write(
        project.path().join("m/main.tf"),
        "resource \"terraform_data\" \"inner\" {}\noutput \"id\" {\n  value = terraform_data.inner.id\n}\n",
    )
    .unwrap();
    project.topo(&["apply", "-auto-approve"]).expect(0);
    project
}

const MAIN: &str = r#"
resource "terraform_data" "one" {
  input = "x"
}
resource "terraform_data" "many" {
  count = 2
  input = terraform_data.one.id
}
module "m" {
  source = "./m"
}
output "id" {
  value = module.m.id
}
"#;

fn rewrite(project: &Project, changes: &[(&str, &str)]) {
    let file = project.path().join("main.tf");
    let mut text = std::fs::read_to_string(&file).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    std::fs::write(file, text).unwrap();
}

fn pulled(project: &Project) -> Json {
    project.topo(&["state", "pull"]).expect(0).json()
}

/// The state without what every run changes.
fn content(project: &Project) -> Json {
    let mut json = pulled(project);
    json["serial"] = json!(0);
    json
}

#[track_caller]
fn no_changes(project: &Project) {
    project.topo(&["plan", "-detailed-exitcode"]).expect(0);
}

#[test]
fn what_was_renamed_moves_and_plans_empty() {
    let project = applied();
    let before = content(&project);
    let dry = project.topo(&[
        "state",
        "mv",
        "-dry-run",
        "terraform_data.one",
        "terraform_data.uno",
    ]);
    assert_eq!(
        dry.expect(0).stdout,
        "Would move \"terraform_data.one\" to \"terraform_data.uno\"\n"
    );
    assert_eq!(content(&project), before);
    for (line, stdout) in [
        (
            ["terraform_data.one", "terraform_data.uno"],
            "Move \"terraform_data.one\" to \"terraform_data.uno\"\nSuccessfully moved 1 object(s).\n",
        ),
        (
            ["terraform_data.many", "terraform_data.lots"],
            "Move \"terraform_data.many\" to \"terraform_data.lots\"\nSuccessfully moved 1 object(s).\n",
        ),
        (
            ["module.m", "module.n"],
            "Move \"module.m\" to \"module.n\"\nSuccessfully moved 1 object(s).\n",
        ),
    ] {
        let run = project.topo(&["state", "mv", line[0], line[1]]);
        assert_eq!(run.expect(0).stdout, stdout);
    }
    rewrite(
        &project,
        &[
            ("terraform_data\" \"one\"", "terraform_data\" \"uno\""),
            ("terraform_data.one", "terraform_data.uno"),
            ("\"many\"", "\"lots\""),
            ("module \"m\"", "module \"n\""),
            ("module.m.id", "module.n.id"),
        ],
    );
    no_changes(&project);
    assert_eq!(
        project.topo(&["state", "list"]).stdout,
        "terraform_data.lots[0]\nterraform_data.lots[1]\nterraform_data.uno\nmodule.n.terraform_data.inner\n"
    );
    // What depends on it follows.
    let resources = pulled(&project)["resources"].clone();
    assert_eq!(resources[0]["name"], "lots");
    assert_eq!(
        resources[0]["instances"][0]["dependencies"],
        json!(["terraform_data.uno"])
    );
}

#[test]
fn instances_move_between_keys_and_modules() {
    let project = applied();
    for (from, to) in [
        ("terraform_data.many[1]", "terraform_data.last"),
        ("terraform_data.many[0]", "terraform_data.many[\"a\"]"),
        ("terraform_data.one", "module.m.terraform_data.one[3]"),
    ] {
        let run = project.topo(&["state", "mv", from, to]);
        says(&run, 0, &["Successfully moved 1 object(s)."]);
    }
    assert_eq!(
        project.topo(&["state", "list"]).stdout,
        "terraform_data.last\nterraform_data.many[\"a\"]\nmodule.m.terraform_data.inner\nmodule.m.terraform_data.one[3]\n"
    );
}

#[test]
fn moves_that_make_no_sense_are_refused() {
    let project = applied();
    let before = pulled(&project);
    for (from, to, parts) in [
        (
            "terraform_data.none",
            "terraform_data.b",
            &["the state has nothing there"][..],
        ),
        ("module.none", "module.b", &["the state has nothing there"]),
        (
            "terraform_data.many[7]",
            "terraform_data.b",
            &["the state has nothing there"],
        ),
        (
            "terraform_data.one",
            "random_id.one",
            &["resource types do not match"],
        ),
        (
            "terraform_data.one",
            "data.terraform_data.one",
            &["a managed resource can be moved only"],
        ),
        (
            "terraform_data.one",
            "module.m",
            &["the source is a resource"],
        ),
        ("module.m", "terraform_data.x", &["the source is a module"]),
        (
            "terraform_data.many",
            "terraform_data.x[0]",
            &["a whole resource"],
        ),
        (
            "terraform_data.many",
            "terraform_data.one",
            &["already a resource"],
        ),
        (
            "terraform_data.one",
            "terraform_data.many[0]",
            &["already an object at terraform_data.many[0]"],
        ),
        (
            "terraform_data.one",
            "terraform_data.one",
            &["already an object"],
        ),
        (
            "terraform_data",
            "terraform_data.one",
            &["is not the address"],
        ),
    ] {
        says(&project.topo(&["state", "mv", from, to]), 1, parts);
    }
    assert_eq!(pulled(&project), before);
}

#[test]
fn what_is_left_around_a_removed_object_keeps_its_order() {
    let project = Project::with(&[(
        "main.tf",
        "resource \"terraform_data\" \"z\" {}\nresource \"terraform_data\" \"y\" {\n  input = terraform_data.z.id\n}\nresource \"terraform_data\" \"a\" {\n  input = terraform_data.y.id\n}\n",
    )]);
    project.topo(&["apply", "-auto-approve"]).expect(0);
    project.topo(&["state", "rm", "terraform_data.y"]).expect(0);
    let resources = pulled(&project)["resources"].clone();
    assert_eq!(resources[0]["name"], "a");
    assert_eq!(
        resources[0]["instances"][0]["dependencies"],
        json!(["terraform_data.y", "terraform_data.z"])
    );
}

#[test]
fn what_is_removed_is_forgotten_with_its_instances() {
    let project = applied();
    let dry = project.topo(&["state", "rm", "-dry-run", "terraform_data.many"]);
    assert_eq!(
        dry.expect(0).stdout,
        "Would remove terraform_data.many[0]\nWould remove terraform_data.many[1]\n"
    );
    let before = pulled(&project);
    let missing = project.topo(&["state", "rm", "terraform_data.one", "terraform_data.none"]);
    says(&missing, 1, &["nothing at terraform_data.none"]);
    says(
        &project.topo(&["state", "rm", "a b"]),
        1,
        &["is not the address"],
    );
    assert_eq!(pulled(&project), before);
    let run = project.topo(&[
        "state",
        "rm",
        "terraform_data.many",
        "module.m",
        "-lock=false",
    ]);
    says(
        &run,
        0,
        &[
            "Removed terraform_data.many[1]",
            "Removed module.m.terraform_data.inner",
            "Successfully removed 3 resource instance(s).",
            "-lock=false has no effect on state rm",
        ],
    );
    assert_eq!(
        project.topo(&["state", "list"]).stdout,
        "terraform_data.one\n"
    );
    assert_eq!(
        pulled(&project)["serial"],
        json!(before["serial"].as_u64().unwrap() + 1)
    );
}

#[test]
fn objects_are_tainted_and_untainted() {
    let project = applied();
    let run = project.topo(&["taint", "terraform_data.many[1]"]);
    says(
        &run,
        0,
        &["Resource instance terraform_data.many[1] has been marked as tainted."],
    );
    let plan = project.topo(&["plan", "-no-color", "-detailed-exitcode"]);
    says(
        &plan,
        2,
        &[
            "terraform_data.many[1] is tainted",
            "1 to add, 0 to change, 1 to destroy",
        ],
    );
    assert!(project.topo(&["show"]).stdout.contains("(tainted)"));
    let run = project.topo(&["untaint", "terraform_data.many[1]"]);
    says(
        &run,
        0,
        &["terraform_data.many[1] has been successfully untainted."],
    );
    no_changes(&project);
    for (line, code, parts) in [
        (
            &["untaint", "terraform_data.one"][..],
            1,
            &["is not tainted"][..],
        ),
        (
            &["taint", "terraform_data.many"],
            1,
            &["Did you mean terraform_data.many[0]?"],
        ),
        (
            &["taint", "terraform_data.none"],
            1,
            &["nothing at terraform_data.none"],
        ),
        (
            &["taint", "-allow-missing", "terraform_data.none"],
            0,
            &["no error with -allow-missing"],
        ),
        (
            &["untaint", "-allow-missing", "terraform_data.none"],
            0,
            &["No such resource instance"],
        ),
        (&["taint", "data.http.x"], 1, &["cannot be tainted"]),
        (
            &["taint", "module.m"],
            1,
            &["is not a resource instance address"],
        ),
    ] {
        says(&project.topo(line), code, parts);
    }
}

#[test]
fn objects_are_listed_by_id_and_shown_with_secrets() {
    let project = Project::with(&[(
        "main.tf",
        "resource \"random_password\" \"a\" {\n  length = 12\n}\nresource \"terraform_data\" \"b\" {}\n",
    )]);
    project.topo(&["apply", "-auto-approve"]).expect(0);
    let state = pulled(&project);
    let of = |name: &str, attribute: &str| {
        let resources = state["resources"].as_array().unwrap();
        let found = resources.iter().find(|r| r["name"] == name).unwrap();
        found["instances"][0]["attributes"][attribute]
            .as_str()
            .unwrap()
            .to_string()
    };
    let run = project.topo(&["state", "list", &format!("-id={}", of("b", "id"))]);
    assert_eq!(run.expect(0).stdout, "terraform_data.b\n");
    assert_eq!(
        project
            .topo(&["state", "list", "-id=nothing"])
            .expect(0)
            .stdout,
        ""
    );
    assert_eq!(
        project
            .topo(&["state", "ls"])
            .expect(0)
            .stdout
            .lines()
            .count(),
        2
    );
    // A random text of the same characters cannot be elsewhere in the output.
    let secret = of("a", "result")
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric())
        .collect::<String>();
    if secret.len() > 3 {
        let hidden = project.topo(&["state", "show", "random_password.a"]);
        assert!(!hidden.expect(0).stdout.contains(&secret));
        let clear = project.topo(&["state", "show", "-show-sensitive", "random_password.a"]);
        assert!(clear.expect(0).stdout.contains(&secret));
    }
}

/// A fixture's configuration without any state.
fn peer() -> Project {
    let project = Project::copy_of(FIXTURES);
    project.topo(&["init"]).expect(0);
    project
}

/// What topo keeps of a peer's file: everything but the program that wrote it and what only the
/// configuration says; paths of secrets in any order.
fn kept(mut file: Json) -> Json {
    file["terraform_version"] = Json::Null;
    for resource in file["resources"].as_array_mut().unwrap() {
        for instance in resource["instances"].as_array_mut().unwrap() {
            let instance = instance.as_object_mut().unwrap();
            instance.remove("create_before_destroy");
            // Terraform keeps which schema of identities it knows.
            instance.remove("identity_schema_version");
            if let Some(Json::Array(paths)) = instance.get_mut("sensitive_attributes") {
                paths.sort_by_key(Json::to_string);
            }
        }
    }
    file
}

fn fixture(name: &str) -> Json {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = std::fs::read_to_string(root.join(FIXTURES).join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_state_file_of_a_peer_is_taken_over() {
    for name in ["tofu.tfstate", "terraform.tfstate"] {
        let project = peer();
        let run = project.topo(&["state", "push", name]);
        says(&run, 0, &["The state is as in the file now: 14 changed."]);
        assert_eq!(kept(pulled(&project)), kept(fixture(name)), "{name}");
        no_changes(&project);
        let login = project.topo(&["state", "show", "terraform_data.login"]);
        assert!(!login.expect(0).stdout.contains("s3cr3t"));
        assert_eq!(
            project.topo(&["output", "-raw", "password"]).stdout,
            "s3cr3t"
        );
        assert!(!project.topo(&["output"]).stdout.contains("s3cr3t"));
        project.topo(&["destroy", "-auto-approve"]).expect(0);
        assert_eq!(project.topo(&["state", "list"]).stdout, "");
    }
}

#[test]
fn what_a_peer_left_tainted_and_deposed_is_replaced_and_deleted() {
    for name in ["tofu-leftovers.tfstate", "terraform-leftovers.tfstate"] {
        let project = peer();
        project.topo(&["state", "push", name]).expect(0);
        assert_eq!(kept(pulled(&project)), kept(fixture(name)), "{name}");
        let list = project.topo(&["state", "list"]).stdout;
        assert_eq!(list.matches("(deposed object ").count(), 1, "{list}");
        let plan = project.topo(&["plan", "-no-color"]);
        says(
            &plan,
            0,
            &[
                "terraform_data.counted[1] is tainted",
                "2 to add, 0 to change, 3 to destroy",
            ],
        );
    }
}

#[test]
fn what_is_pulled_is_pushed_without_a_change() {
    let project = applied();
    let text = project.topo(&["state", "pull"]).expect(0).stdout;
    std::fs::write(project.path().join("f"), &text).unwrap();
    let runs = project.topo(&["state", "history", "-json"]).json();
    let run = project.topo(&["state", "push", "f"]);
    assert_eq!(run.expect(0).stdout, "The state is as in the file.\n");
    assert_eq!(project.topo(&["state", "pull"]).stdout, text);
    assert_eq!(project.topo(&["state", "history", "-json"]).json(), runs);
}

#[test]
fn a_large_state_goes_through_a_file_and_back() {
    let project = Project::copy_of("modules");
    let topo = |args: &[&str]| {
        let line = ["--sandbox", "-chdir=kong-hybrid"].iter().chain(args);
        project.topo(&line.copied().collect::<Vec<&str>>())
    };
    topo(&["apply", "-auto-approve"]).expect(0);
    let file = project.path().join("all.tfstate");
    let text = topo(&["state", "pull"]).expect(0).stdout;
    std::fs::write(&file, &text).unwrap();
    let file = file.to_str().unwrap();
    topo(&["workspace", "new", &format!("-state={file}"), "copy"]).expect(0);
    // Compared as texts: a difference of one is not worth megabytes of output.
    assert!(topo(&["state", "pull"]).expect(0).stdout == text);
    topo(&["workspace", "select", "default"]).expect(0);
    let list = topo(&["state", "list"]).expect(0).stdout;
    let mut remove = vec!["state", "rm"];
    remove.extend(list.lines());
    topo(&remove).expect(0);
    topo(&["state", "push", "-force", file]).expect(0);
    assert_eq!(topo(&["state", "list"]).expect(0).stdout, list);
    topo(&["plan", "-detailed-exitcode"]).expect(0);
}

fn push(project: &Project, args: &[&str], file: &Json) -> Run {
    let line: Vec<&str> = ["state", "push"]
        .iter()
        .chain(args)
        .copied()
        .chain(["-"])
        .collect();
    let mut child = project
        .command(&line)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let text = file.to_string();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    finish(child)
}

fn finish(child: Child) -> Run {
    Run::of(child.wait_with_output().unwrap())
}

#[test]
fn a_push_keeps_to_lineage_and_serial() {
    let project = applied();
    let file = pulled(&project);
    let with = |edit: &dyn Fn(&mut Json)| {
        let mut file = file.clone();
        edit(&mut file);
        file
    };
    let serial = file["serial"].as_u64().unwrap();
    let drop_output = |f: &mut Json| f["outputs"] = json!({});
    let older = with(&|f| f["serial"] = json!(serial - 1));
    let other = with(&|f| f["lineage"] = json!("other"));
    let same = with(&drop_output);
    for (file, parts) in [
        (&older, &["The file is of an older state", "-force"][..]),
        (
            &other,
            &["The file is of another state", "lineage is other"],
        ),
        (&same, &["The file differs from the state", "higher serial"]),
    ] {
        says(&push(&project, &[], file), 1, parts);
        assert_eq!(pulled(&project), with(&|_| ()));
    }
    let newer = with(&|f| {
        drop_output(f);
        f["serial"] = json!(serial + 5);
    });
    push(&project, &[], &newer).expect(0);
    assert_eq!(pulled(&project), newer);
    push(&project, &["-force"], &other).expect(0);
    assert_eq!(pulled(&project), other);
    no_changes(&project);
    // A state that was replaced goes on like any other.
    project.topo(&["taint", "terraform_data.one"]).expect(0);
    assert_eq!(pulled(&project)["serial"], json!(serial + 1));
    let objects_gone = with(&|f| f["resources"] = json!([]));
    push(&project, &["-force"], &objects_gone).expect(0);
    assert_eq!(project.topo(&["state", "list"]).stdout, "");
    let run = project.topo(&["state", "history", "-json"]).json()["runs"][0].clone();
    assert_eq!(run["command"], "state push");
    assert_eq!(run["counts"], json!({"forget": 4}));
}

#[test]
fn a_bad_state_file_changes_nothing() {
    let project = applied();
    let before = project.topo(&["state", "pull"]).stdout;
    let mut unknown = pulled(&project);
    unknown["resources"][0]["type"] = json!("terraform_dato");
    let mut foreign = pulled(&project);
    foreign["resources"][0]["provider"] = json!("provider[\"registry.terraform.io/acme/x\"]");
    let cut = before[..before.len() / 2].to_string();
    let cases = [
        (
            unknown.to_string(),
            &["terraform_data.", "terraform_dato"][..],
        ),
        (foreign.to_string(), &["registry.terraform.io/acme/x"]),
        (cut, &["Not a state file", "line"]),
        (
            "\u{0}\u{1}nonsense".to_string(),
            &["Not a state file", "line 1"],
        ),
        (String::new(), &["Not a state file"]),
        ("{\"version\": 3}".to_string(), &["version 3"]),
    ];
    let empty = Project::empty();
    for (text, parts) in &cases {
        let bad = project.path().join("bad");
        std::fs::write(&bad, text).unwrap();
        // An address is that of what the file names.
        let parts: Vec<&str> = parts
            .iter()
            .copied()
            .filter(|p| *p != "terraform_data.")
            .collect();
        says(
            &project.topo(&["state", "push", "-force", "bad"]),
            1,
            &parts,
        );
        assert_eq!(project.topo(&["state", "pull"]).stdout, before);
        says(
            &empty.topo(&["state", "push", bad.to_str().unwrap()]),
            1,
            &parts,
        );
    }
    says(
        &empty.topo(&["state", "push", "none"]),
        1,
        &["Cannot read the state file", "none"],
    );
    assert!(!empty.path().join(".topo").exists());
}

#[test]
fn providers_are_replaced_where_the_new_one_has_the_types() {
    let project = Project::with(&[(
        "main.tf",
        "resource \"random_id\" \"a\" {\n  byte_length = 4\n}\n",
    )]);
    project.topo(&["apply", "-auto-approve"]).expect(0);
    let before = pulled(&project);
    for (from, to, code, parts) in [
        (
            "hashicorp/aws",
            "hashicorp/null",
            0,
            &["No matching resources found."][..],
        ),
        (
            "registry.opentofu.org/hashicorp/random",
            "registry.terraform.io/hashicorp/random",
            0,
            &["No matching resources found."],
        ),
        (
            "hashicorp/random",
            "hashicorp/null",
            1,
            &["random_id.a", "does not have the type random_id"],
        ),
        (
            "hashicorp/random",
            "acme/rondom",
            1,
            &["topo has no provider \"rondom\""],
        ),
        (
            "a/b/c/d",
            "hashicorp/null",
            1,
            &["Invalid \"from\" provider"],
        ),
        ("hashicorp/random", "x y", 1, &["Invalid \"to\" provider"]),
    ] {
        says(
            &project.topo(&["state", "replace-provider", from, to]),
            code,
            parts,
        );
    }
    assert_eq!(pulled(&project), before);
}

#[test]
fn past_runs_are_listed_and_shown() {
    let project = applied();
    project
        .topo(&["state", "mv", "terraform_data.one", "terraform_data.uno"])
        .expect(0);
    project.topo(&["taint", "terraform_data.uno"]).expect(0);
    project
        .topo(&["state", "rm", "terraform_data.many"])
        .expect(0);
    // Looking is no run.
    project.topo(&["plan"]).expect(0);
    let runs = project
        .topo(&["state", "history", "-json"])
        .expect(0)
        .json();
    assert_eq!(runs["format_version"], "1.0");
    let runs = runs["runs"].as_array().unwrap();
    let seen: Vec<(&Json, &Json)> = runs.iter().map(|r| (&r["command"], &r["counts"])).collect();
    assert_eq!(
        seen,
        [
            (&json!("state rm"), &json!({"forget": 2})),
            (&json!("taint"), &json!({"taint": 1})),
            (&json!("state mv"), &json!({"move": 1})),
            (&json!("apply"), &json!({"create": 4})),
        ]
    );
    for run in runs {
        assert_eq!(run["status"], "ended");
        assert!(run["seconds"].as_f64().unwrap() >= 0.0);
        assert!(run["started"].as_str() <= run["ended"].as_str());
        assert!(run["who"].as_str().unwrap().contains('@'));
    }
    let text = project
        .topo(&["state", "history", "-no-color"])
        .expect(0)
        .stdout;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 5, "{text}");
    assert!(lines[0].starts_with("RUN "), "{text}");
    assert!(lines[1].ends_with("state rm: 2 forget"), "{text}");
    assert!(lines[4].ends_with("apply: 4 create"), "{text}");

    let id = runs[2]["id"].as_str().unwrap();
    let shown = project.topo(&["state", "history", id]).expect(0).stdout;
    assert!(
        shown.contains("move  terraform_data.uno from terraform_data.one"),
        "{shown}"
    );
    let one = project
        .topo(&["state", "history", "-json", id])
        .expect(0)
        .json();
    assert_eq!(
        one["changes"],
        json!([{"address": "terraform_data.uno", "action": "move from terraform_data.one"}])
    );
    says(
        &project.topo(&["state", "history", "zz"]),
        1,
        &["No such run", "\"zz\""],
    );
    says(
        &project.topo(&["state", "history", ""]),
        1,
        &["More than one run", id],
    );
    let empty = Project::empty();
    says(
        &empty.topo(&["state", "history"]),
        0,
        &["No run has changed anything yet."],
    );
}

/// A run that goes on until the file `go` is there, and makes the file `started`.
const BLOCKING: &str = r#"
resource "terraform_data" "a" {
  provisioner "local-exec" {
    command = "touch started; while [ ! -e go ]; do sleep 0.05; done"
  }
}
"#;

fn spawn(project: &Project, args: &[&str]) -> Child {
    let mut command = project.command(args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

#[track_caller]
fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_locked_state_says_who_has_it_and_is_waited_for() {
    let project = Project::with(&[("main.tf", BLOCKING)]);
    let first = spawn(&project, &["apply", "-auto-approve"]);
    let pid = first.id().to_string();
    wait_for("the first run starts", || {
        project.path().join("started").exists()
    });
    let lock: Json = serde_json::from_slice(
        &std::fs::read(project.path().join(".topo/state/default/lock.json")).unwrap(),
    )
    .unwrap();
    let (who, run) = (lock["who"].as_str().unwrap(), lock["run"].as_str().unwrap());
    let parts = [
        "The state is locked",
        who,
        "`apply`",
        &pid,
        run,
        "since",
        "-lock-timeout",
    ];
    for line in [
        &["apply", "-auto-approve"][..],
        &["plan"],
        &["refresh"],
        &["destroy", "-auto-approve"],
        &["state", "rm", "terraform_data.a"],
        &["state", "mv", "terraform_data.a", "terraform_data.b"],
        &[
            "state",
            "replace-provider",
            "hashicorp/aws",
            "hashicorp/null",
        ],
        &["taint", "terraform_data.a"],
        &["untaint", "terraform_data.a"],
    ] {
        says(&project.topo(line), 1, &parts);
    }
    let alive = project.topo(&["force-unlock", "-force", run]);
    says(
        &alive,
        1,
        &["The owner of the lock is alive", who, &pid, "lives"],
    );
    let other = project.topo(&["force-unlock", "-force", "x"]);
    says(&other, 1, &["is alive", "the ID x is that of another run"]);
    // Who looks sees what a run in progress wrote a moment ago.
    wait_for("the run is seen", || {
        let history = project.topo(&["state", "history", "-json"]);
        history.expect(0).json()["runs"][0]["status"] == "running"
    });
    let second = spawn(
        &project,
        &["taint", "-lock-timeout=60s", "terraform_data.a"],
    );
    std::fs::write(project.path().join("go"), "").unwrap();
    finish(first).expect(0);
    let second = finish(second);
    says(&second, 0, &["has been marked as tainted"]);
    let runs = project
        .topo(&["state", "history", "-json"])
        .expect(0)
        .json();
    assert_eq!(runs["runs"][0]["command"], "taint");
    assert_eq!(runs["runs"][1]["status"], "ended");
}

#[test]
fn a_workspace_in_use_is_not_deleted() {
    let mut project = Project::with(&[("main.tf", BLOCKING)]);
    project.environment.push(("TF_WORKSPACE", "dev".into()));
    let first = spawn(&project, &["apply", "-auto-approve"]);
    wait_for("the first run starts", || {
        project.path().join("started").exists()
    });
    project.environment.clear();
    let run = project.topo(&["workspace", "delete", "-force", "dev"]);
    says(&run, 1, &["The state is locked", "`apply`"]);
    std::fs::write(project.path().join("go"), "").unwrap();
    finish(first).expect(0);
    project
        .topo(&["workspace", "delete", "-force", "-lock-timeout=60s", "dev"])
        .expect(0);
}

#[test]
fn a_dead_run_blocks_nobody_but_what_it_was_changing() {
    let project = Project::with(&[(
        "main.tf",
        "resource \"time_sleep\" \"a\" {\n  destroy_duration = \"1h\"\n  depends_on = [terraform_data.b]\n}\nresource \"terraform_data\" \"b\" {}\n",
    )]);
    project.topo(&["apply", "-auto-approve"]).expect(0);
    let mut dying = spawn(&project, &["destroy", "-auto-approve", "-no-color"]);
    let out = BufReader::new(dying.stdout.take().unwrap());
    let line = out
        .lines()
        .map(Result::unwrap)
        .find(|l| l.contains("time_sleep.a: Destroying"));
    assert!(line.is_some());
    dying.kill().unwrap();
    dying.wait().unwrap();
    let lock = project.path().join(".topo/state/default/lock.json");
    let left: Json = serde_json::from_slice(&std::fs::read(&lock).unwrap()).unwrap();
    let id = left["run"].as_str().unwrap();

    says(
        &project.topo(&["force-unlock", "-force", "x"]),
        1,
        &["Another lock", id, "died"],
    );
    says(
        &project.topo(&["force-unlock", id]),
        1,
        &["force-unlock cancelled"],
    );
    assert!(lock.exists());
    says(
        &project.topo(&["force-unlock", "-force", id]),
        0,
        &["has been unlocked"],
    );
    assert!(!lock.exists());
    says(
        &project.topo(&["force-unlock", "-force", id]),
        0,
        &["not locked"],
    );

    let runs = project.topo(&["state", "history", "-json"]).json();
    assert_eq!(
        (&runs["runs"][0]["id"], &runs["runs"][0]["status"]),
        (&json!(id), &json!("died"))
    );
    let shown = project.topo(&["state", "history", "-no-color", id]).stdout;
    assert!(shown.contains("and died"), "{shown}");

    for line in [
        &["taint", "time_sleep.a"][..],
        &["state", "mv", "time_sleep.a", "time_sleep.b"],
    ] {
        says(
            &project.topo(line),
            1,
            &["An operation is open", "time_sleep.a"],
        );
    }
    let mut file = pulled(&project);
    file["serial"] = json!(file["serial"].as_u64().unwrap() + 1);
    says(&push(&project, &[], &file), 1, &["An operation is open"]);
    project.topo(&["taint", "terraform_data.b"]).expect(0);
    file["serial"] = json!(file["serial"].as_u64().unwrap() + 1);
    push(&project, &["-force"], &file).expect(0);
    project.topo(&["taint", "time_sleep.a"]).expect(0);
}

#[test]
fn naming_an_object_settles_what_a_dead_run_left_open_on_it() {
    let project = Project::with(&[(
        "main.tf",
        "resource \"time_sleep\" \"a\" {\n  create_duration = \"1h\"\n}\n",
    )]);
    let mut dying = project
        .command(&["apply", "-no-color", "-auto-approve"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let line = BufReader::new(dying.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap)
        .find(|l| l.contains("time_sleep.a: Creating"));
    assert!(line.is_some());
    dying.kill().unwrap();
    dying.wait().unwrap();
    says(
        &project.topo(&["state", "rm", "time_sleep.a"]),
        0,
        &["Forgot an operation", "time_sleep.a"],
    );
    says(
        &project.topo(&["state", "rm", "time_sleep.a"]),
        1,
        &["nothing at time_sleep.a"],
    );
}

#[test]
fn every_new_command_says_what_it_does() {
    let project = Project::empty();
    for (line, parts) in [
        (
            &["-help"][..],
            &["workspace", "taint", "untaint", "force-unlock", "state"][..],
        ),
        (
            &["state", "-help"],
            &["mv", "rm", "pull", "push", "replace-provider", "history"],
        ),
        (
            &["workspace", "-help"],
            &["list", "show", "new", "select", "delete", "TF_WORKSPACE"],
        ),
        (
            &["workspace", "new", "-help"],
            &["--state", "--lock", "--lock-timeout"],
        ),
        (&["workspace", "select", "-help"], &["--or-create"]),
        (
            &["workspace", "delete", "-help"],
            &["--force", "--lock-timeout"],
        ),
        (
            &["state", "mv", "-help"],
            &["--dry-run", "--lock", "--lock-timeout"],
        ),
        (
            &["state", "rm", "-help"],
            &["--dry-run", "--lock", "--lock-timeout"],
        ),
        (&["state", "push", "-help"], &["--force", "--lock-timeout"]),
        (
            &["state", "replace-provider", "-help"],
            &["--auto-approve", "--lock-timeout"],
        ),
        (&["state", "history", "-help"], &["--json"]),
        (&["state", "list", "-help"], &["--id"]),
        (&["state", "show", "-help"], &["--show-sensitive"]),
        (&["taint", "-help"], &["--allow-missing", "--lock-timeout"]),
        (
            &["untaint", "-help"],
            &["--allow-missing", "--lock-timeout"],
        ),
        (&["force-unlock", "-help"], &["--force", "LOCK_ID"]),
    ] {
        let run = project.topo(line).expect(0);
        for part in parts {
            assert!(run.stdout.contains(part), "{line:?}: {part}");
        }
    }
}
