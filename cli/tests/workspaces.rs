//! `topo workspace` and what a selected workspace means for the other commands.

mod common;

use common::{Project, Run};

const NAMED: &str = r#"
resource "terraform_data" "a" {
  input = terraform.workspace
}
output "name" {
  value = terraform_data.a.output
}
"#;

fn named() -> Project {
    Project::with(&[("main.tf", NAMED)])
}

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

#[test]
fn workspaces_are_made_selected_listed_and_deleted() {
    let project = Project::empty();
    let topo = |args: &[&str]| project.topo(args);
    assert_eq!(topo(&["workspace", "list"]).expect(0).stdout, "* default\n");
    assert_eq!(topo(&["workspace", "show"]).expect(0).stdout, "default\n");
    assert!(!project.path().join(".topo").exists());

    let made = topo(&["workspace", "new", "dev"]);
    says(&made, 0, &["Created and switched to workspace \"dev\"!"]);
    assert_eq!(topo(&["workspace", "show"]).stdout, "dev\n");
    assert_eq!(topo(&["workspace", "list"]).stdout, "  default\n* dev\n");
    let selected = topo(&["workspace", "select", "default"]);
    says(&selected, 0, &["Switched to workspace \"default\"."]);
    assert_eq!(
        topo(&["workspace", "select", "default"]).expect(0).text(),
        ""
    );
    let made = topo(&["workspace", "select", "-or-create", "beta"]);
    says(&made, 0, &["Created and switched to workspace \"beta\"!"]);
    assert_eq!(
        topo(&["workspace", "list"]).stdout,
        "* beta\n  default\n  dev\n".replace("* beta\n  default\n", "  default\n* beta\n")
    );
    says(
        &topo(&["workspace", "delete", "dev"]),
        0,
        &["Deleted workspace \"dev\"!"],
    );
    assert_eq!(topo(&["workspace", "list"]).stdout, "  default\n* beta\n");
}

#[test]
fn what_cannot_be_done_to_workspaces_is_said() {
    let project = Project::empty();
    project.topo(&["workspace", "new", "dev"]).expect(0);
    for (line, parts) in [
        (
            &["new", "dev"][..],
            &["Workspace \"dev\" already exists"][..],
        ),
        (
            &["new", "default"],
            &["Workspace \"default\" already exists"],
        ),
        (&["new", "a/b"], &["The name \"a/b\" is not allowed"]),
        (&["new", ".."], &["The name \"..\" is not allowed"]),
        (&["select", "a b"], &["The name \"a b\" is not allowed"]),
        (
            &["select", "none"],
            &["Workspace \"none\" doesn't exist", "-or-create"],
        ),
        (&["delete", "none"], &["Workspace \"none\" doesn't exist"]),
        (
            &["delete", "dev"],
            &["Workspace \"dev\" is your active workspace"],
        ),
        (
            &["delete", "default"],
            &["The default workspace cannot be deleted"],
        ),
    ] {
        let line: Vec<&str> = ["workspace"]
            .into_iter()
            .chain(line.iter().copied())
            .collect();
        says(&project.topo(&line), 1, parts);
    }
    assert_eq!(
        project.topo(&["workspace", "list"]).stdout,
        "  default\n* dev\n"
    );
}

#[test]
fn each_workspace_has_a_state_of_its_own() {
    let project = named();
    project.topo(&["apply", "-auto-approve"]).expect(0);
    project.topo(&["workspace", "new", "dev"]).expect(0);
    assert_eq!(project.topo(&["state", "list"]).expect(0).stdout, "");
    let run = project.topo(&["apply", "-no-color"]);
    says(
        &run,
        1,
        &["Do you want to perform these actions in workspace \"dev\"?"],
    );
    project.topo(&["apply", "-auto-approve"]).expect(0);
    assert!(project.path().join(".topo/state/dev/db").exists());
    assert_eq!(
        std::fs::read_to_string(project.path().join(".topo/environment")).unwrap(),
        "dev"
    );
    let name = |p: &Project| p.topo(&["output", "-raw", "name"]).expect(0).stdout;
    assert_eq!(name(&project), "dev");
    project.topo(&["plan", "-detailed-exitcode"]).expect(0);
    assert!(project.topo(&["show"]).stdout.contains("\"dev\""));
    says(&project.topo(&["drift"]), 0, &["1 object"]);
    project.topo(&["workspace", "select", "default"]).expect(0);
    assert_eq!(name(&project), "default");
    project.topo(&["plan", "-detailed-exitcode"]).expect(0);

    let refused = project.topo(&["workspace", "delete", "dev"]);
    says(
        &refused,
        1,
        &["Workspace is not empty", "- terraform_data.a", "-force"],
    );
    assert_eq!(
        project.topo(&["workspace", "list"]).stdout,
        "* default\n  dev\n"
    );
    let forced = project.topo(&["workspace", "delete", "-force", "dev"]);
    says(
        &forced,
        0,
        &["Deleted workspace \"dev\"!", "\"dev\" was not empty"],
    );
    assert!(!project.path().join(".topo/state/dev").exists());
    assert_eq!(name(&project), "default");
}

#[test]
fn the_environment_selects_a_workspace_for_one_command() {
    let mut project = named();
    project.topo(&["workspace", "new", "dev"]).expect(0);
    project.environment.push(("TF_WORKSPACE", "prod".into()));
    assert_eq!(project.topo(&["workspace", "show"]).stdout, "prod\n");
    // One that is not there is empty, and looking does not make it.
    assert_eq!(project.topo(&["state", "list"]).expect(0).stdout, "");
    project.topo(&["plan"]).expect(0);
    let list = project.topo(&["workspace", "list"]);
    assert_eq!(list.stdout, "  default\n  dev\n");
    says(&list, 0, &["TF_WORKSPACE"]);
    says(
        &project.topo(&["workspace", "select", "dev"]),
        1,
        &["TF_WORKSPACE"],
    );
    says(
        &project.topo(&["workspace", "new", "other"]),
        1,
        &["TF_WORKSPACE says \"prod\""],
    );
    project.topo(&["workspace", "new", "prod"]).expect(0);
    project.topo(&["apply", "-auto-approve"]).expect(0);
    assert_eq!(project.topo(&["output", "-raw", "name"]).stdout, "prod");
    says(
        &project.topo(&["workspace", "delete", "prod"]),
        1,
        &["is your active workspace"],
    );
    project.environment.clear();
    // To make it was to select it.
    assert_eq!(project.topo(&["workspace", "show"]).stdout, "prod\n");
    project.topo(&["workspace", "select", "dev"]).expect(0);
    assert_eq!(project.topo(&["state", "list"]).stdout, "");

    project.environment.push(("TF_WORKSPACE", "a/b".into()));
    for line in [&["plan"][..], &["workspace", "list"], &["state", "list"]] {
        says(&project.topo(line), 1, &["TF_WORKSPACE is \"a/b\""]);
    }
    project.topo(&["validate"]).expect(0);
}

#[test]
fn a_selection_that_is_no_name_is_put_right_by_another() {
    let project = Project::empty();
    project.topo(&["workspace", "new", "dev"]).expect(0);
    std::fs::write(project.path().join(".topo/environment"), "../x\n").unwrap();
    let run = project.topo(&["state", "list"]);
    says(
        &run,
        1,
        &[
            ".topo/environment",
            "\"../x\"",
            "topo workspace select default",
        ],
    );
    project.topo(&["workspace", "select", "default"]).expect(0);
    project.topo(&["state", "list"]).expect(0);
}

#[test]
fn a_saved_plan_is_bound_to_its_workspace() {
    let project = named();
    project.topo(&["workspace", "new", "dev"]).expect(0);
    project.topo(&["plan", "-out=p"]).expect(0);
    project.topo(&["workspace", "select", "default"]).expect(0);
    for line in [&["apply", "p"][..], &["show", "p"]] {
        let parts = [
            "The plan is of another workspace",
            "made in the workspace \"dev\"",
            "\"default\" is selected",
        ];
        says(&project.topo(line), 1, &parts);
    }
    assert_eq!(project.topo(&["state", "list"]).stdout, "");
    project.topo(&["workspace", "select", "dev"]).expect(0);
    project.topo(&["show", "p"]).expect(0);
    project.topo(&["apply", "p"]).expect(0);
    assert_eq!(project.topo(&["output", "-raw", "name"]).stdout, "dev");
}

#[test]
fn what_is_valid_does_not_depend_on_what_is_selected() {
    let project = Project::with(&[(
        "main.tf",
        "locals {\n  sizes = { dev = 1, prod = 3 }\n  size = local.sizes[terraform.workspace]\n}\noutput \"size\" {\n  value = local.size\n}\n",
    )]);
    project.topo(&["validate"]).expect(0);
    let run = project.topo(&["plan", "-no-color"]);
    says(&run, 1, &["\"default\""]);
    assert!(!project.path().join(".topo").exists());
    project.topo(&["workspace", "new", "prod"]).expect(0);
    project.topo(&["apply", "-auto-approve"]).expect(0);
    assert_eq!(project.topo(&["output", "-raw", "size"]).stdout, "3");
    let console = project
        .command(&["console"])
        .stdin(std::fs::File::open(line_file(&project, "terraform.workspace\n")).unwrap())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(console.stdout).unwrap(), "\"prod\"\n");
}

fn line_file(project: &Project, text: &str) -> std::path::PathBuf {
    let path = project.path().join("input.txt");
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn commands_that_look_leave_nothing_behind() {
    let project = named();
    std::fs::write(
        project.path().join("failing.tf"),
        "output \"x\" {\n  value = tonumber(terraform.workspace)\n}\n",
    )
    .unwrap();
    for (line, code) in [
        (&["plan"][..], 1),
        (&["plan", "-lock=false"], 1),
        (&["state", "list"], 0),
        (&["state", "show", "terraform_data.a"], 1),
        (&["state", "pull"], 0),
        (&["state", "history"], 0),
        (&["state", "rm", "-dry-run", "terraform_data.a"], 1),
        (&["state", "rm", "terraform_data.a"], 1),
        (&["state", "mv", "terraform_data.a", "terraform_data.b"], 1),
        (
            &[
                "state",
                "replace-provider",
                "hashicorp/random",
                "hashicorp/null",
            ],
            0,
        ),
        (&["taint", "terraform_data.a"], 1),
        (&["untaint", "terraform_data.a"], 1),
        (&["force-unlock", "-force", "x"], 0),
        (&["output"], 0),
        (&["show"], 0),
        (&["graph"], 0),
        (&["workspace", "list"], 0),
        (&["workspace", "delete", "x"], 1),
    ] {
        let run = project.topo(line);
        assert_eq!(run.code, code, "{line:?}: {}", run.text());
        assert!(!project.path().join(".topo").exists(), "{line:?}");
    }
    std::fs::remove_file(project.path().join("failing.tf")).unwrap();
    project.topo(&["plan"]).expect(0);
    project.topo(&["drift"]).expect(0);
    assert!(!project.path().join(".topo").exists());
}

#[test]
fn the_sandbox_has_workspaces_of_its_own() {
    let project = Project::with(&[(
        "main.tf",
        "resource \"aws_vpc\" \"a\" {\n  cidr_block = \"10.0.0.0/16\"\n}\n",
    )]);
    project
        .topo(&["--sandbox", "workspace", "new", "dev"])
        .expect(0);
    assert_eq!(project.topo(&["workspace", "list"]).stdout, "* default\n");
    assert_eq!(
        project.topo(&["workspace", "show", "--sandbox"]).stdout,
        "dev\n"
    );
    project
        .topo(&["--sandbox", "apply", "-auto-approve"])
        .expect(0);
    assert_eq!(
        project
            .topo(&["sandbox", "list"])
            .expect(0)
            .stdout
            .lines()
            .count(),
        1
    );
    assert!(
        project
            .path()
            .join(".topo/sandbox/workspaces/dev/cloud")
            .exists()
    );
    project
        .topo(&["--sandbox", "workspace", "select", "default"])
        .expect(0);
    assert_eq!(project.topo(&["sandbox", "list"]).expect(0).stdout, "");
    let run = project.topo(&["--sandbox", "workspace", "delete", "-force", "dev"]);
    says(&run, 0, &["Deleted workspace \"dev\"!"]);
    assert!(!project.path().join(".topo/sandbox/workspaces/dev").exists());
}

#[test]
fn a_new_workspace_can_begin_with_a_state_file() {
    let project = named();
    project.topo(&["apply", "-auto-approve"]).expect(0);
    let pulled = project.topo(&["state", "pull"]).expect(0).stdout;
    std::fs::write(project.path().join("copy.tfstate"), &pulled).unwrap();
    std::fs::write(project.path().join("bad.tfstate"), "{\"version\": 4, ").unwrap();
    let bad = project.topo(&["workspace", "new", "-state=bad.tfstate", "dev"]);
    says(&bad, 1, &["bad.tfstate", "line 1"]);
    assert_eq!(project.topo(&["workspace", "list"]).stdout, "* default\n");
    project
        .topo(&["workspace", "new", "-state=copy.tfstate", "dev"])
        .expect(0);
    assert_eq!(project.topo(&["workspace", "show"]).stdout, "dev\n");
    assert_eq!(
        project.topo(&["state", "list"]).stdout,
        "terraform_data.a\n"
    );
    assert_eq!(project.topo(&["state", "pull"]).stdout, pulled);
}
