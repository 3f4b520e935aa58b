//! Mistakes and misfortunes through the built binary: what is said, where it points, and that
//! nothing is half-written.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{Project, Run};
use insta::assert_snapshot;

fn main_tf(text: &str) -> Project {
    Project::with(&[("main.tf", text)])
}

/// What is said about a configuration that is wrong in itself. Neither looking at it nor planning
/// it leaves anything behind.
#[track_caller]
fn refused(text: &str) -> String {
    let project = main_tf(text);
    let said = project.topo(&["validate"]).expect(1).stderr;
    let planned = project.topo(&["plan"]).expect(1);
    assert_eq!(
        (planned.stdout.as_str(), planned.stderr),
        ("", said.clone())
    );
    let applied = project.topo(&["apply", "-auto-approve"]).expect(1);
    assert_eq!(applied.stderr, said);
    let files: Vec<String> = project.files().into_keys().collect();
    assert_eq!(files, ["main.tf"]);
    said
}

/// The state has nothing in it.
#[track_caller]
fn assert_nothing_done(project: &Project) {
    assert_eq!(project.topo(&["state", "list"]).expect(0).stdout, "");
}

/// A run that must not keep a person waiting.
#[track_caller]
fn quick(project: &Project, args: &[&str]) -> Run {
    let begun = Instant::now();
    let run = project.topo(args);
    assert!(begun.elapsed() < Duration::from_secs(20), "{run:?}");
    run
}

/// The text of an error without its frame, in one line.
fn prose(text: &str) -> String {
    let words = text.split_whitespace().filter(|w| *w != "│");
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn syntax_errors() {
    assert_snapshot!(refused("resource \"terraform_data\" \"a\" {\n  input = [1, 2\n}\n"), @r#"
    ╷
    │ Error: Mismatched brackets
    │
    │   on main.tf line 3, column 1, in resource "terraform_data" "a":
    │     3: }
    │        ^
    │
    │ This } does not close the [ in line 2, for which a ] is missing.
    ╵
    "#);
}

#[test]
fn unknown_blocks() {
    assert_snapshot!(refused("outptu {\n  value = 1\n}\n"), @r#"
    ╷
    │ Error: Unsupported block type
    │
    │   on main.tf line 1, column 1, in outptu:
    │     1: outptu {
    │        ^^^^^^
    │
    │ Blocks of type "outptu" are not expected here. Did you mean "output"?
    ╵
    "#);
    let text = "resource \"terraform_data\" \"a\" {\n  lifecylce {\n  }\n}\n";
    assert_snapshot!(refused(text), @r#"
    ╷
    │ Error: Unsupported block type
    │
    │   on main.tf line 2, column 3, in resource "terraform_data" "a":
    │     2:   lifecylce {
    │          ^^^^^^^^^
    │
    │ Blocks of type "lifecylce" are not expected here. Did you mean "lifecycle"?
    ╵
    "#);
}

#[test]
fn unknown_attributes() {
    let said = refused("resource \"aws_vpc\" \"a\" {\n  cidr_blok = \"10.0.0.0/16\"\n}\n");
    assert!(said.contains("Error: Unsupported argument"), "{said}");
    assert!(said.contains("  on main.tf line 2, column "), "{said}");
    assert!(
        said.contains("    2:   cidr_blok = \"10.0.0.0/16\"\n"),
        "{said}"
    );
    assert!(
        prose(&said).contains("Did you mean \"cidr_block\"?"),
        "{said}"
    );
}

#[test]
fn unknown_types() {
    assert_snapshot!(refused("resource \"aws_vpcc\" \"a\" {\n}\n"), @r#"
    ╷
    │ Error: Invalid resource type
    │
    │   on main.tf line 1, column 10, in resource "aws_vpcc" "a":
    │     1: resource "aws_vpcc" "a" {
    │                 ^^^^^^^^^^
    │
    │ The provider aws does not support resource type "aws_vpcc". Did you mean
    │ "aws_vpc"?
    ╵
    "#);
    let said = prose(&refused(
        "data \"aws_regio\" \"r\" {}\nresource \"kubernetes_deploymnt_v1\" \"d\" {}\nresource \"google_thing\" \"g\" {}\n",
    ));
    for part in [
        "Did you mean \"aws_region\"?",
        "Did you mean \"kubernetes_deployment_v1\"?",
        "topo has no provider \"google\". Built in are: aws, kubernetes,",
    ] {
        assert!(said.contains(part), "{said}");
    }
}

const SIZE: &str = "variable \"size\" {\n  type = number\n}\n\nresource \"terraform_data\" \"a\" {\n  input = var.size\n}\n";

#[test]
fn missing_and_mistyped_variables() {
    let project = main_tf(SIZE);
    let said = project.topo(&["plan", "-input=false"]).expect(1).stderr;
    assert_snapshot!(said, @r#"
    ╷
    │ Error: No value for required variable
    │
    │   on main.tf line 1, column 1, in variable "size":
    │     1: variable "size" {
    │        ^^^^^^^^^^^^^^^
    │
    │ The root module's variable "size" is not set, and has no default value. Use
    │ -var=size=..., -var-file=..., or the environment variable TF_VAR_size.
    ╵
    "#);
    let said = project.topo(&["plan", "-var=size=large"]).expect(1).stderr;
    let flat = prose(&said);
    assert!(
        flat.contains("Error: Invalid value for input variable"),
        "{said}"
    );
    assert!(flat.contains("main.tf"), "{said}");
    assert!(flat.contains("a number is required"), "{said}");

    // In a file, the place is the file's.
    std::fs::write(
        project.path().join("terraform.tfvars"),
        "size = \"large\"\n",
    )
    .unwrap();
    let said = project.topo(&["plan"]).expect(1).stderr;
    assert!(
        said.contains("on terraform.tfvars line 1, column 8"),
        "{said}"
    );
    assert!(said.contains("    1: size = \"large\"\n"), "{said}");

    let said = project
        .topo(&["plan", "-var=siez=3", "-var=size=1"])
        .expect(1)
        .stderr;
    assert!(prose(&said).contains("Did you mean \"size\"?"), "{said}");
    assert_nothing_done(&project);
}

#[test]
fn reference_cycles_show_the_whole_path() {
    let text = "resource \"terraform_data\" \"a\" {\n  input = terraform_data.b.id\n}\nresource \"terraform_data\" \"b\" {\n  input = local.c\n}\nlocals {\n  c = terraform_data.a.id\n}\n";
    assert_snapshot!(refused(text), @r#"
    ╷
    │ Error: Cycle in references
    │
    │   on main.tf line 2, column 11, in resource "terraform_data" "a":
    │     2:   input = terraform_data.b.id
    │                  ^^^^^^^^^^^^^^^^
    │
    │ Each of these refers to the next, and the last to the first:
    │   terraform_data.a (main.tf:2,11-27)
    │   terraform_data.b (main.tf:5,11-18)
    │   local.c (main.tf:8,7-23)
    ╵
    "#);
}

#[test]
fn references_to_what_does_not_exist() {
    assert_snapshot!(refused("output \"x\" {\n  value = var.nope\n}\n"), @r#"
    ╷
    │ Error: Reference to undeclared input variable
    │
    │   on main.tf line 2, column 11, in output "x":
    │     2:   value = var.nope
    │                  ^^^^^^^^
    │
    │ An input variable with the name "nope" has not been declared.
    ╵
    "#);
    let said = prose(&refused(
        "resource \"terraform_data\" \"alpha\" {\n  input = terraform_data.alhpa.id\n}\noutput \"l\" {\n  value = local.nope\n}\noutput \"m\" {\n  value = module.nope.x\n}\noutput \"d\" {\n  value = data.aws_region.x.id\n}\n",
    ));
    for part in [
        "terraform_data.alhpa has not been declared in this module. Did you mean \"terraform_data.alpha\"?",
        "A local value with the name \"nope\" has not been declared.",
        "No module call named \"nope\" is declared here.",
        "A data source data.aws_region.x has not been declared in this module.",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }

    let project = main_tf(
        "resource \"terraform_data\" \"a\" {}\noutput \"w\" {\n  value = terraform_data.a.nope\n}\n",
    );
    let said = project.topo(&["apply", "-auto-approve"]).expect(1).stderr;
    assert!(
        said.contains("on main.tf line 3, column 11, in output \"w\""),
        "{said}"
    );
    assert!(
        said.contains("does not have an attribute named \"nope\""),
        "{said}"
    );
    assert_nothing_done(&project);
}

#[test]
fn invalid_cidrs() {
    let text = "resource \"aws_vpc\" \"a\" {\n  cidr_block = \"10.0.0.0/33\"\n}\n";
    assert_snapshot!(refused(text), @r#"
    ╷
    │ Error: Invalid value for cidr_block
    │
    │   on main.tf line 2, column 16, in resource "aws_vpc" "a":
    │     2:   cidr_block = "10.0.0.0/33"
    │                       ^^^^^^^^^^^^^
    │
    │ "10.0.0.0/33" is not a network in CIDR notation: "33" is not a prefix length
    │ up to 32.
    ╵
    "#);
    let project = main_tf(
        "resource \"terraform_data\" \"a\" {\n  input = cidrsubnet(\"10.0.0.300/16\", 8, 0)\n}\n",
    );
    let said = project.topo(&["plan"]).expect(1).stderr;
    assert!(said.contains("on main.tf line 2, column 22"), "{said}");
    assert!(
        prose(&said).contains("invalid CIDR expression: \"10.0.0.300/16\""),
        "{said}"
    );
    assert_nothing_done(&project);
}

#[test]
fn no_credentials() {
    let project = main_tf(
        "provider \"aws\" {\n  region = \"us-east-1\"\n}\nresource \"aws_vpc\" \"a\" {\n  cidr_block = \"10.0.0.0/16\"\n}\n",
    );
    for args in [&["plan"][..], &["apply", "-auto-approve"]] {
        let said = quick(&project, args).expect(1).stderr;
        assert!(said.contains("Error: No valid AWS credentials"), "{said}");
        assert!(said.contains("  with provider.aws,\n"), "{said}");
        assert!(
            said.contains("  on main.tf line 1, column 1, in provider \"aws\":"),
            "{said}"
        );
        assert!(said.contains("AWS_ACCESS_KEY_ID"), "{said}");
        assert!(prose(&said).contains("`aws configure`"), "{said}");
    }
    assert_nothing_done(&project);
}

/// A port of loopback at which nobody listens.
fn closed_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[test]
fn an_unreachable_kubernetes_api() {
    let port = closed_port();
    let project = main_tf(&format!(
        "provider \"kubernetes\" {{\n  host     = \"https://127.0.0.1:{port}\"\n  token    = \"x\"\n  insecure = true\n}}\nresource \"kubernetes_namespace_v1\" \"a\" {{\n  metadata {{\n    name = \"a\"\n  }}\n}}\nresource \"terraform_data\" \"after\" {{\n  input = kubernetes_namespace_v1.a.id\n}}\n"
    ));
    let run = quick(&project, &["apply", "-auto-approve"]).expect(1);
    let said = prose(&run.stderr);
    for part in [
        &format!("https://127.0.0.1:{port} cannot be reached"),
        "with kubernetes_namespace_v1.a,",
        "on main.tf line 6, column 1, in resource \"kubernetes_namespace_v1\" \"a\":",
        "Connection refused",
        "Check that the address is right",
    ] {
        assert!(said.contains(part), "{part}\n{}", run.stderr);
    }
    let skipped = "Not done:\n  terraform_data.after: it depends on kubernetes_namespace_v1.a, which failed\n";
    assert!(run.stdout.contains(skipped), "{}", run.stdout);
    assert!(run.stdout.contains("Apply incomplete."), "{}", run.stdout);
    assert_nothing_done(&project);
}

#[test]
fn an_unreachable_aws_endpoint() {
    let port = closed_port();
    let project = main_tf(&format!(
        "provider \"aws\" {{\n  region     = \"us-east-1\"\n  access_key = \"a\"\n  secret_key = \"b\"\n\n  skip_credentials_validation = true\n  skip_requesting_account_id  = true\n\n  endpoints {{\n    ec2 = \"http://127.0.0.1:{port}\"\n    sts = \"http://127.0.0.1:{port}\"\n  }}\n}}\nresource \"aws_vpc\" \"a\" {{\n  cidr_block = \"10.0.0.0/16\"\n}}\n"
    ));
    let run = quick(&project, &["apply", "-auto-approve"]).expect(1);
    let said = prose(&run.stderr);
    for part in [
        &format!("Error: ec2:CreateVpc failed: http://127.0.0.1:{port} cannot be reached"),
        "with aws_vpc.a,",
        "in resource \"aws_vpc\" \"a\":",
        "Connection refused",
        "Check the network",
    ] {
        assert!(said.contains(part), "{part}\n{}", run.stderr);
    }
    assert_nothing_done(&project);
}

#[test]
fn an_api_refuses() {
    let project = main_tf(
        "provider \"aws\" {\n  region = \"us-east-1\"\n}\nresource \"aws_iam_role\" \"a\" {\n  name               = \"same\"\n  assume_role_policy = \"{}\"\n}\nresource \"aws_iam_role\" \"b\" {\n  name               = \"same\"\n  assume_role_policy = \"{}\"\n  depends_on         = [aws_iam_role.a]\n}\n",
    );
    let run = project
        .topo(&["apply", "-auto-approve", "--sandbox"])
        .expect(1);
    assert_snapshot!(run.stderr, @r#"
    ╷
    │ Error: EntityAlreadyExists: same already exists
    │
    │   with aws_iam_role.b,
    │   on main.tf line 8, column 1, in resource "aws_iam_role" "b":
    │     8: resource "aws_iam_role" "b" {
    │        ^^^^^^^^^^^^^^^^^^^^^^^^^^^
    │
    │ Another aws_iam_role of this name is in the simulated cloud. Import it, or
    │ choose another name.
    ╵
    "#);
    assert!(
        run.stdout.contains(
            "Apply incomplete. Resources: 1 added, 0 changed, 0 destroyed; 1 operation failed, 0 not done. (sandbox)\n"
        ),
        "{}",
        run.stdout
    );
    // What was done is known, and only that.
    let run = project.topo(&["state", "list", "--sandbox"]).expect(0);
    assert_eq!(run.stdout, "aws_iam_role.a\n");
}

#[test]
fn a_locked_store() {
    let project = main_tf("resource \"terraform_data\" \"a\" {}\n");
    // An apply that waits for its answer holds the lock.
    let mut holder = project
        .command(&["apply"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut seen = BufReader::new(holder.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("Only 'yes' will be accepted") {
        line.clear();
        assert_ne!(seen.read_line(&mut line).unwrap(), 0, "it ended");
    }
    for args in [&["apply", "-auto-approve"][..], &["plan"]] {
        let said = quick(&project, args).expect(1).stderr;
        assert!(said.contains("Error: The state is locked"), "{said}");
        let flat = prose(&said);
        assert!(flat.contains(&holder.id().to_string()), "{said}");
        assert!(flat.contains("-lock-timeout="), "{said}");
    }
    // Looking is always possible.
    let run = quick(&project, &["state", "list"]).expect(0);
    assert_eq!(run.stdout, "");
    assert!(
        run.stderr.contains("A run is in progress"),
        "{}",
        run.stderr
    );

    // A patient run has its turn when the other ends.
    let patient = project
        .command(&["apply", "-auto-approve", "-lock-timeout=30s"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    holder.stdin.take().unwrap().write_all(b"no\n").unwrap();
    std::io::copy(&mut seen, &mut std::io::sink()).unwrap();
    assert_eq!(holder.wait().unwrap().code(), Some(1));
    assert!(patient.wait_with_output().unwrap().status.success());
    let run = project.topo(&["state", "list"]).expect(0);
    assert_eq!(
        (run.stdout.as_str(), run.stderr.as_str()),
        ("terraform_data.a\n", "")
    );
}

#[test]
fn a_stale_plan() {
    let project = main_tf("resource \"terraform_data\" \"a\" {}\n");
    project.topo(&["plan", "-out=p"]).expect(0);
    project.topo(&["apply", "p"]).expect(0);
    let before = project.topo(&["show", "-json"]).expect(0).stdout;
    let said = project.topo(&["apply", "p"]).expect(1).stderr;
    assert!(said.contains("Error: Saved plan is stale"), "{said}");
    assert!(prose(&said).contains("Make a new plan"), "{said}");
    assert_eq!(project.topo(&["show", "-json"]).expect(0).stdout, before);
}

/// Of where a value comes from, a saved plan follows what can be expected to be there again.
#[test]
fn a_plan_of_which_variables_have_moved() {
    let project = Project::with(&[
        (
            "main.tf",
            "variable \"size\" {\n  type    = number\n  default = 1\n}\nvariable \"name\" {\n  default = \"n\"\n}\nresource \"terraform_data\" \"a\" {\n  input = \"${var.name}-${var.size}\"\n}\n",
        ),
        ("terraform.tfvars", "size = 2\n"),
    ]);
    let write = |text: &str| std::fs::write(project.path().join("terraform.tfvars"), text).unwrap();
    let topo = |args: &[&str], name: Option<&str>| {
        let mut command = project.command(args);
        command.envs(name.map(|name| ("TF_VAR_name", name)));
        Run::of(command.output().unwrap())
    };
    let refused = |args: &[&str], name: Option<&str>| {
        let said = topo(args, name).expect(1).stderr;
        assert_nothing_done(&project);
        prose(&said)
    };

    // Definitions that are read without being asked for.
    project.topo(&["plan", "-out=p"]).expect(0);
    write("size = 3\n");
    let said = refused(&["apply", "p"], None);
    assert!(said.contains("Error: Saved plan is stale"), "{said}");
    assert!(said.contains("on terraform.tfvars line 1"), "{said}");
    assert!(said.contains("\"size\" has another value"), "{said}");
    write("");
    let said = refused(&["apply", "p"], None);
    assert!(said.contains("have lost the value of \"size\""), "{said}");
    // The environment, which says something now and did not then.
    write("size = 2.0\n");
    let said = refused(&["apply", "p"], Some("other"));
    assert!(said.contains("\"name\" has another value"), "{said}");
    assert!(said.contains("TF_VAR_name"), "{said}");
    // A flag may repeat what the plan was made with, and nothing else.
    let said = refused(&["apply", "-var=size=3", "p"], None);
    assert!(said.contains("Can't change variable"), "{said}");
    project.topo(&["apply", "-var=size=2", "p"]).expect(0);
    project.topo(&["destroy", "-auto-approve"]).expect(0);

    // What a flag said holds, whatever else says now, and so does what the environment of another
    // machine said. A value that is the default moves nothing.
    topo(&["plan", "-var=size=7", "-out=p"], Some("env")).expect(0);
    write("size = 8\n");
    topo(&["apply", "p"], None).expect(0);
    let made = project
        .topo(&["state", "show", "terraform_data.a"])
        .expect(0);
    assert!(made.stdout.contains("\"env-7\""), "{}", made.stdout);
    write("");
    project.topo(&["plan", "-out=p"]).expect(0);
    write("size = 1\nname = \"n\"\n");
    project.topo(&["apply", "p"]).expect(0);
}

#[test]
fn not_a_plan() {
    let project = main_tf("resource \"terraform_data\" \"a\" {}\n");
    std::fs::write(project.path().join("p"), "hello\n").unwrap();
    std::fs::write(project.path().join("q"), b"topo-plan\n\xc1\xff\x00garbage").unwrap();
    for file in ["p", "q"] {
        for args in [&["apply", file][..], &["show", file]] {
            let said = project.topo(args).expect(1).stderr;
            assert!(said.contains("Error: Not a plan file"), "{said}");
            assert!(prose(&said).contains("plan -out"), "{said}");
        }
    }
    let said = project.topo(&["apply", "missing"]).expect(1).stderr;
    assert!(said.contains("missing: No such file"), "{said}");
    // A plan cut short is none either.
    project.topo(&["plan", "-out=r"]).expect(0);
    let whole = std::fs::read(project.path().join("r")).unwrap();
    for length in [whole.len() - 1, whole.len() / 2, 11] {
        std::fs::write(project.path().join("r"), &whole[..length]).unwrap();
        let said = project.topo(&["apply", "r"]).expect(1).stderr;
        assert!(said.contains("Error: Not a plan file"), "{length}: {said}");
    }
    assert_nothing_done(&project);
}

/// A plan file is worth nothing without what lies beside the state, and is applied as it was made
/// or not at all.
#[test]
fn a_plan_is_sealed() {
    let project = main_tf(
        "variable \"token\" {\n  sensitive = true\n}\nresource \"terraform_data\" \"a\" {\n  input = \"canary-shown\"\n  lifecycle {\n    precondition {\n      condition     = length(var.token) > 3\n      error_message = \"Short.\"\n    }\n  }\n}\n",
    );
    let in_project = |name: &str| project.path().join(name);
    project
        .topo(&["plan", "-var=token=canary-secret", "-out=p"])
        .expect(0);
    for file in ["p", ".topo/plan.key"] {
        let mode = std::fs::metadata(in_project(file)).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let whole = std::fs::read(in_project("p")).unwrap();
    assert!(!whole.windows(6).any(|w| w == b"canary"));
    let refused = |bytes: &[u8], why: &str| {
        std::fs::write(in_project("q"), bytes).unwrap();
        for args in [["apply", "q"], ["show", "q"]] {
            let said = prose(&project.topo(&args).expect(1).stderr);
            assert!(said.contains(why), "{said}");
            assert!(said.contains("plan -out"), "{said}");
        }
    };
    for at in [40, whole.len() / 2, whole.len() - 1] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        refused(&changed, "was changed");
    }
    let (key, aside) = (in_project(".topo/plan.key"), in_project("aside"));
    std::fs::rename(&key, &aside).unwrap();
    refused(&whole, "made elsewhere");
    std::fs::write(&key, [7; 32]).unwrap();
    refused(&whole, "made in another directory");
    std::fs::write(&key, "short").unwrap();
    refused(&whole, "not a key of 32 bytes");
    assert_nothing_done(&project);
    std::fs::rename(&aside, &key).unwrap();
    project.topo(&["apply", "p"]).expect(0);
}
