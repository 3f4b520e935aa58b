//! Objects that are taken into the state, through the built binary.

mod common;

use common::Project;

const ID: &str = "5a1b7b5e-3c0a-4f7e-9d53-0f4f7b1c2d3e";

#[test]
fn import_takes_one_object_into_the_state() {
    let project = Project::with(&[(
        "main.tf",
        "resource \"random_uuid\" \"u\" {}\nresource \"terraform_data\" \"t\" {\n  for_each = toset([\"k\"])\n}\n",
    )]);
    let run = project.topo(&["import", "random_uuid.u", ID]).expect(0);
    assert!(run.stdout.contains("Import successful!"), "{}", run.stdout);
    assert!(
        run.stdout.contains(&format!("[id={ID}]")) || run.stdout.contains(ID),
        "{}",
        run.stdout
    );
    project
        .topo(&["import", "terraform_data.t[\"k\"]", "some-id"])
        .expect(0);
    let run = project.topo(&["plan", "-detailed-exitcode"]).expect(0);
    assert!(run.stdout.contains("No changes."), "{}", run.stdout);

    let run = project.topo(&["import", "random_uuid.u", ID]).expect(1);
    assert!(
        run.stderr.contains("Resource already managed by topo"),
        "{}",
        run.stderr
    );
    let run = project.topo(&["import", "random_uuid.other", ID]).expect(1);
    assert!(
        run.stderr
            .contains("Resource does not exist in the configuration"),
        "{}",
        run.stderr
    );
    let run = project.topo(&["import", "terraform_data.t", "x"]).expect(1);
    assert!(run.stderr.contains("No such instance"), "{}", run.stderr);
    let run = project
        .topo(&["import", "data.random_uuid.u", "x"])
        .expect(1);
    assert!(run.stderr.contains("Invalid address"), "{}", run.stderr);
}

#[test]
fn configuration_is_written_for_what_is_imported_and_plans_without_changes() {
    let vpc = "resource \"aws_vpc\" \"v\" {\n  cidr_block = \"10.0.0.0/16\"\n  tags = { Name = \"v\" }\n}\noutput \"id\" { value = aws_vpc.v.id }\n";
    let project = Project::with(&[("main.tf", vpc)]);
    project
        .topo(&["apply", "--sandbox", "-auto-approve"])
        .expect(0);
    let id = project
        .topo(&["output", "--sandbox", "-raw", "id"])
        .expect(0)
        .stdout;
    // The cloud keeps the object, the state forgets it.
    std::fs::remove_dir_all(project.path().join(".topo/sandbox/state")).unwrap();
    let import = format!("import {{\n  to = aws_vpc.again\n  id = \"{id}\"\n}}\n");
    std::fs::write(project.path().join("main.tf"), import).unwrap();

    let run = project.topo(&["plan", "--sandbox"]).expect(1);
    assert!(
        run.stderr.contains("-generate-config-out=generated.tf"),
        "{}",
        run.stderr
    );
    let run = project
        .topo(&["plan", "--sandbox", "-generate-config-out=generated.txt"])
        .expect(1);
    assert!(run.stderr.contains("Invalid target"), "{}", run.stderr);

    let generate = [
        "plan",
        "--sandbox",
        "-generate-config-out=generated.tf",
        "-out=plan",
    ];
    project.topo(&generate).expect(0);
    let written = std::fs::read_to_string(project.path().join("generated.tf")).unwrap();
    let start =
        format!("# __generated__ by topo from \"{id}\"\nresource \"aws_vpc\" \"again\" {{\n");
    assert!(written.contains(&start), "{written}");
    assert!(written.contains("cidr_block"), "{written}");
    assert!(!written.contains("= null\n"), "{written}");
    project.topo(&["fmt", "-check"]).expect(0);
    let run = project.topo(&generate).expect(1);
    assert!(
        run.stderr.contains("Target generated file already exists"),
        "{}",
        run.stderr
    );

    let run = project.topo(&["apply", "--sandbox", "plan"]).expect(0);
    assert!(
        run.stdout.contains("0 added, 0 changed, 0 destroyed"),
        "{}",
        run.stdout
    );
    let run = project
        .topo(&["plan", "--sandbox", "-detailed-exitcode"])
        .expect(0);
    assert!(run.stdout.contains("No changes."), "{}", run.stdout);
    let run = project.topo(&["state", "list", "--sandbox"]).expect(0);
    assert_eq!(run.stdout.lines().last(), Some("aws_vpc.again"));
}
