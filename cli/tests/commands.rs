//! The built binary as a person uses it: usage errors, commands on an empty directory, bad input.

mod common;

use common::Project;

#[test]
fn usage_errors_suggest_what_was_meant_and_exit_1() {
    let project = Project::empty();
    let run = project.topo(&["plna"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("'plan'"), "{}", run.stderr);
    let run = project.topo(&["apply", "-auto-aprove"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("'--auto-approve'"), "{}", run.stderr);
    let run = project.topo(&["-chdir=nowhere", "validate"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("nowhere"), "{}", run.stderr);
    assert_eq!(project.topo(&["-help"]).code, 0);
}

#[test]
fn version_in_both_forms() {
    let project = Project::empty();
    let run = project.topo(&["version"]);
    assert!(run.stdout.starts_with("topo v"), "{}", run.stdout);
    let run = project.topo(&["version", "-json"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["topo_version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(json["terraform_version"], env!("CARGO_PKG_VERSION"));
    let platform = json["platform"].as_str().unwrap();
    assert!(!platform.contains("x86_64"), "{platform}");
}

#[test]
fn an_empty_directory_has_nothing_to_show_and_stays_empty() {
    let project = Project::empty();
    for (line, stdout) in [
        (&["state", "list"][..], ""),
        (&["output", "-json"], "{}\n"),
        (&["output"], ""),
    ] {
        let run = project.topo(line);
        assert_eq!((run.code, run.stdout.as_str()), (0, stdout), "{line:?}");
    }
    assert_eq!(project.topo(&["init"]).code, 0);
    let run = project.topo(&["state", "show", "aws_vpc.main"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("No such object"), "{}", run.stderr);
    let run = project.topo(&["output", "-raw", "name"]);
    assert_eq!(run.code, 1);
    assert!(!project.path().join(".topo").exists());
}

#[test]
fn the_sandbox_of_an_empty_directory_is_empty() {
    let project = Project::empty();
    let run = project.topo(&["sandbox", "list"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""));
}

#[test]
fn mistakes_in_the_configuration_are_shown_where_they_are() {
    let project = Project::with(&[(
        "main.tf",
        "resource \"terraform_data\" \"a\" {\n  inptu = 1\n}\n",
    )]);
    let run = project.topo(&["validate", "-no-color"]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr
            .contains("  on main.tf line 2, column 3, in resource \"terraform_data\" \"a\":"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("    2:   inptu = 1\n"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("\"input\"?"), "{}", run.stderr);
    assert!(!run.stderr.contains('\u{1b}'), "{}", run.stderr);

    let run = project.topo(&["validate", "-json"]);
    assert_eq!(run.code, 1);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["valid"], false);
    let found = &json["diagnostics"][0];
    assert_eq!(found["range"]["start"]["line"], 2);
    assert_eq!(
        found["snippet"],
        serde_json::json!({
            "context": "resource \"terraform_data\" \"a\"",
            "code": "  inptu = 1",
            "start_line": 2,
            "highlight_start_offset": 2,
            "highlight_end_offset": 7,
            "values": [],
        })
    );
}

#[test]
fn a_valid_configuration_is_valid_and_has_a_graph() {
    let project = Project::with(&[(
        "main.tf",
        "resource \"terraform_data\" \"a\" {}\nresource \"terraform_data\" \"b\" {\n  input = terraform_data.a.id\n}\n",
    )]);
    let run = project.topo(&["validate"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let run = project.topo(&["graph"]);
    assert!(run.stdout.starts_with("digraph"), "{}", run.stdout);
    assert!(
        run.stdout
            .contains("\"terraform_data.b\" -> \"terraform_data.a\""),
        "{}",
        run.stdout
    );
}

#[test]
fn schemas_are_printed_in_the_published_form() {
    let project = Project::empty();
    let run = project.topo(&["providers", "schema", "-json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let vpc = &json["provider_schemas"]["registry.terraform.io/hashicorp/aws"]["resource_schemas"]
        ["aws_vpc"];
    assert_eq!(vpc["block"]["attributes"]["cidr_block"]["type"], "string");
}

#[test]
fn the_providers_that_are_needed_are_listed_by_module() {
    let project = Project::with(&[(
        "main.tf",
        "resource \"terraform_data\" \"x\" {}\nmodule \"a\" { source = \"./a\" }\nmodule \"b\" { source = \"./b\" }\n",
    )]);
    for (dir, text) in [
        ("a", "module \"c\" {\n  source = \"../b\"\n}\n"),
        ("b", "resource \"random_pet\" \"x\" {}\n"),
    ] {
        std::fs::create_dir(project.path().join(dir)).unwrap();
        std::fs::write(project.path().join(dir).join("main.tf"), text).unwrap();
    }
    let configured = "
Providers required by configuration:
.
├── provider[terraform.io/builtin/terraform]
├── module.a
│   └── module.c
│       └── provider[registry.terraform.io/hashicorp/random]
└── module.b
    └── provider[registry.terraform.io/hashicorp/random]

";
    assert_eq!(project.topo(&["providers"]).expect(0).stdout, configured);
    project
        .topo(&["apply", "-auto-approve", "-target=terraform_data.x"])
        .expect(0);
    let with_state = format!(
        "{configured}Providers required by state:\n\n    provider[terraform.io/builtin/terraform]\n\n"
    );
    assert_eq!(project.topo(&["providers"]).expect(0).stdout, with_state);
    for line in [
        &[
            "providers",
            "lock",
            "-platform=linux_amd64",
            "-platform=darwin_arm64",
        ][..],
        &["providers", "mirror", "-platform=linux_amd64", "dir"],
    ] {
        let said = project.topo(line).expect(0).stdout;
        assert!(said.starts_with("Providers are built in"), "{said}");
    }
}

/// What would have gone is of interest above all where it must not.
#[test]
fn so_much_of_a_plan_as_could_be_made_is_shown_where_something_is_wrong() {
    let kept = "resource \"terraform_data\" \"kept\" {\n  triggers_replace = VALUE\n  lifecycle {\n    prevent_destroy = true\n  }\n}\nresource \"terraform_data\" \"new\" {\n  input = 1\n}\n";
    let project = Project::with(&[("main.tf", &kept.replace("VALUE", "1"))]);
    project
        .topo(&["apply", "-auto-approve", "-target=terraform_data.kept"])
        .expect(0);
    project.write("main.tf", &kept.replace("VALUE", "2"));
    let run = project.topo(&["plan", "-out=p"]).expect(1);
    for part in [
        "topo planned the following actions, but then encountered a problem:",
        "# terraform_data.kept must be replaced",
        "# terraform_data.new will be created",
        "Plan: 2 to add, 0 to change, 1 to destroy.",
    ] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
    assert!(
        run.stderr.contains("Instance cannot be destroyed"),
        "{}",
        run.stderr
    );
    assert!(!project.path().join("p").exists());

    let run = project.topo(&["plan", "-json"]).expect(1);
    let lines: Vec<serde_json::Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let types: Vec<&str> = lines.iter().map(|l| l["type"].as_str().unwrap()).collect();
    assert_eq!(
        types[types.len() - 4..],
        [
            "planned_change",
            "planned_change",
            "change_summary",
            "diagnostic"
        ]
    );
    // Where nothing could be planned there is nothing to show.
    project.write(
        "main.tf",
        "resource \"terraform_data\" \"x\" {\n  count = -1\n}\nvariable \"v\" {}\n",
    );
    let run = project
        .topo(&["plan", "-target=terraform_data.x"])
        .expect(1);
    assert!(
        !run.stdout.contains("planned the following"),
        "{}",
        run.stdout
    );
}

#[test]
fn what_is_to_be_replaced_is_neither_destroyed_nor_only_read() {
    let project = Project::with(&[("main.tf", "resource \"terraform_data\" \"a\" {}\n")]);
    for other in ["-destroy", "-refresh-only"] {
        for command in ["plan", "apply"] {
            let run = project.topo(&[command, other, "-replace=terraform_data.a"]);
            assert_eq!(run.code, 1, "{command} {other}: {}", run.stdout);
            assert!(run.stderr.contains("cannot be used with"), "{}", run.stderr);
        }
    }
    let destroy = ["destroy", "-auto-approve", "-replace=terraform_data.a"];
    let run = project.topo(&destroy).expect(1);
    assert!(
        run.stderr.contains("Incompatible options"),
        "{}",
        run.stderr
    );
}

#[test]
fn outputs_are_shown_beside_the_state_as_objects_are() {
    let text = "output \"list\" {\n  value = { a = [1] }\n}\noutput \"secret\" {\n  value     = \"x\"\n  sensitive = true\n}\n";
    let project = Project::with(&[("main.tf", text)]);
    project.topo(&["apply", "-auto-approve"]).expect(0);
    let run = project.topo(&["show", "-no-color"]).expect(0);
    let list = "list = {\n    a = [\n        1,\n    ]\n}\n";
    assert!(
        run.stdout
            .ends_with(&format!("Outputs:\n\n{list}secret = (sensitive value)\n")),
        "{}",
        run.stdout
    );
    let run = project.topo(&["show", "-show-sensitive"]).expect(0);
    assert!(run.stdout.ends_with("secret = \"x\"\n"), "{}", run.stdout);
}

#[test]
fn flags_for_what_is_not_here_are_taken_from_scripts() {
    let project = Project::empty();
    let line = [
        "init",
        "-input=false",
        "-backend=false",
        "-migrate-state",
        "-force-copy",
        "-lock=false",
        "-lock-timeout=30s",
        "-lockfile=readonly",
    ];
    project.topo(&line).expect(0);
    let select = ["workspace", "select", "-or-create=true", "dev"];
    project.topo(&select).expect(0);
    let select = ["workspace", "select", "-or-create=false", "other"];
    project.topo(&select).expect(1);
}
