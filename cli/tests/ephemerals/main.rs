//! What lives no longer than a phase of a run, through the built binary: ephemeral resources and
//! variables, write-only arguments. Their values reach whom they are for, and are in nothing that
//! is written or shown.

mod api;
#[path = "../common/mod.rs"]
mod common;

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use api::Api;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{Project, Run};
use serde_json::Value;

/// A secret in a cluster: its content and the credentials are made up in each phase.
const CLUSTER: &str = r#"
variable "revision" { default = 1 }
variable "label" { default = "canary-kept" }
variable "api" {
  type      = string
  ephemeral = true
}

ephemeral "random_password" "content" {
  length  = 24
  special = false
}
ephemeral "random_password" "token" {
  length  = 32
  special = false
}

provider "kubernetes" {
  host  = "HOST"
  token = ephemeral.random_password.token.result
}

resource "kubernetes_secret_v1" "s" {
  metadata {
    name   = "s"
    labels = { label = var.label }
  }
  data = { plain = "canary-plain" }
  data_wo = {
    password = ephemeral.random_password.content.result
    api      = var.api
  }
  data_wo_revision = var.revision
}

output "version" { value = kubernetes_secret_v1.s.data_wo_revision }
"#;

/// The value of the ephemeral variable.
const API_KEY: &str = "apikeynevershown";

/// A project with an API of its own, and all that was seen of its runs.
struct Watched {
    api: Api,
    project: Project,
    seen: Vec<u8>,
    tokens: BTreeSet<String>,
}

impl Watched {
    fn new(main: &str) -> Watched {
        let api = Api::start();
        let main = main.replace("HOST", &api.host());
        let project = Project::with(&[("main.tf", &main)]);
        Watched {
            api,
            project,
            seen: Vec::new(),
            tokens: BTreeSet::new(),
        }
    }

    /// Runs with the ephemeral variable set where a command takes one.
    #[track_caller]
    fn topo(&mut self, args: &[&str], code: i32) -> Run {
        self.project.environment = vec![("TF_VAR_api", API_KEY.into())];
        let run = self.project.topo(args).expect(code);
        self.seen.extend(run.text().into_bytes());
        self.tokens
            .extend(self.api.asked().into_iter().map(|a| a.token));
        run
    }

    /// Whether a text is in a file of the project or was shown.
    fn is_anywhere(&self, text: &str) -> Option<String> {
        let has = |bytes: &[u8]| bytes.windows(text.len()).any(|w| w == text.as_bytes());
        if has(&self.seen) {
            return Some("what was shown".into());
        }
        let files = self.project.files();
        let found = files.into_iter().find(|(_, bytes)| has(bytes));
        found.map(|(name, _)| name)
    }
}

fn lines(run: &Run) -> Vec<Value> {
    let parse = |l: &str| serde_json::from_str(l).unwrap_or_else(|e| panic!("{e}: {l}"));
    run.stdout.lines().map(parse).collect()
}

#[test]
fn a_secret_reaches_its_object_and_nothing_that_is_written_or_shown() {
    let mut w = Watched::new(CLUSTER);
    let mut contents = BTreeSet::new();
    let plan = w.topo(&["plan", "-out=p", "-no-color"], 0);
    let parts = [
        "ephemeral.random_password.content: Opening...",
        "ephemeral.random_password.content: Opening complete after",
        "ephemeral.random_password.token: Closing complete after",
        "data_wo                        = (write-only attribute)",
        "Plan: 1 to add",
    ];
    for part in parts {
        assert!(plan.stdout.contains(part), "{part}\n{}", plan.stdout);
    }
    assert!(!plan.stdout.contains("# ephemeral."), "{}", plan.stdout);
    w.topo(&["show", "p"], 0);
    let shown = w.topo(&["show", "-json", "p"], 0).json();
    let changes = shown["resource_changes"].as_array().unwrap();
    assert_eq!(changes.len(), 1, "an ephemeral resource is no change");
    let change = &changes[0]["change"];
    assert!(change["after"]["data_wo"].is_null(), "{change}");
    assert!(change["after_unknown"]["data_wo"].is_null(), "{change}");
    assert_eq!(change["after"]["data_wo_revision"], 1);
    let planned = &shown["planned_values"]["root_module"]["resources"];
    assert_eq!(planned.as_array().unwrap().len(), 1);
    assert!(
        shown["variables"]["api"].is_null(),
        "{}",
        shown["variables"]
    );

    let told = lines(&w.topo(&["plan", "-json"], 0));
    let of = |kind: &str| told.iter().filter(|m| m["type"] == kind).count();
    // Two, each opened and closed.
    assert_eq!(of("ephemeral_op_start"), 4);
    assert_eq!(of("ephemeral_op_complete"), 4);
    assert_eq!(of("planned_change"), 1);

    assert_eq!(w.api.kept("s", "password"), None, "planning makes nothing");
    w.topo(&["apply", "p"], 0);
    let first = w.api.kept("s", "password").unwrap();
    assert_eq!(first.len(), 24);
    assert_eq!(w.api.kept("s", "api").as_deref(), Some(API_KEY));
    assert_eq!(w.api.kept("s", "plain").as_deref(), Some("canary-plain"));
    contents.insert(first.clone());

    // What is made up anew in each phase is no change.
    let again = w.topo(&["plan", "-detailed-exitcode"], 0);
    assert!(again.stdout.contains("No changes."), "{}", again.stdout);
    w.topo(&["drift", "-json"], 0);
    // Another change leaves the content alone.
    w.topo(&["apply", "-auto-approve", "-var=label=other"], 0);
    assert_eq!(w.api.label("s", "label").as_deref(), Some("other"));
    assert_eq!(w.api.kept("s", "password"), Some(first.clone()));
    assert_eq!(w.api.kept("s", "api").as_deref(), Some(API_KEY));
    // With another revision it is sent again.
    let flags = ["-var=label=other", "-var=revision=2"];
    let update = w.topo(
        &[&["apply", "-auto-approve", "-json"], &flags[..]].concat(),
        0,
    );
    let mut outputs = lines(&update)
        .into_iter()
        .filter(|m| m["type"] == "outputs");
    assert_eq!(
        outputs.next_back().unwrap()["outputs"]["version"]["value"],
        2
    );
    let second = w.api.kept("s", "password").unwrap();
    assert_ne!(second, first);
    contents.insert(second);

    let state = w.topo(&["state", "pull"], 0).json();
    assert_eq!(state["resources"].as_array().unwrap().len(), 1);
    let attributes = &state["resources"][0]["instances"][0]["attributes"];
    assert!(attributes["data_wo"].is_null(), "{attributes}");
    assert_eq!(attributes["data_wo_revision"], 2);
    w.topo(&["show"], 0);
    w.topo(&["show", "-json"], 0);
    w.topo(
        &["state", "show", "-show-sensitive", "kubernetes_secret_v1.s"],
        0,
    );
    w.topo(&["output", "-json"], 0);
    w.topo(&["state", "history"], 0);
    w.topo(&["plan", "-destroy", "-out=d"], 0);

    // The search finds what is kept, in the state and in the plan.
    for kept in ["canary-kept", "canary-plain"] {
        assert!(w.is_anywhere(kept).is_some(), "{kept}");
    }
    // Each phase that asked had a token of its own.
    assert!(w.tokens.len() > 5, "{:?}", w.tokens);
    let secrets = contents.iter().chain(&w.tokens).map(String::as_str);
    for secret in secrets.chain([API_KEY]) {
        assert!(secret.len() >= 16, "{secret:?}");
        assert_eq!(w.is_anywhere(secret), None, "{secret}");
        assert_eq!(w.is_anywhere(&STANDARD.encode(secret)), None, "{secret}");
    }
    w.topo(&["apply", "d"], 0);
    assert_eq!(w.api.kept("s", "password"), None);
}

#[test]
fn a_token_of_a_service_account_configures_another_provider() {
    let mut w = Watched::new(
        r#"
        provider "kubernetes" { host = "HOST" }
        ephemeral "kubernetes_token_request_v1" "deployer" {
          metadata { name = "deployer" }
          spec { audiences = ["api"] }
        }
        provider "kubernetes" {
          alias = "deployer"
          host  = "HOST"
          token = ephemeral.kubernetes_token_request_v1.deployer.token
        }
        resource "kubernetes_secret_v1" "s" {
          provider = kubernetes.deployer
          metadata { name = "s" }
          data = { a = "b" }
        }
        "#,
    );
    w.topo(&["apply", "-auto-approve"], 0);
    let phases: BTreeSet<&str> = w.tokens.iter().map(String::as_str).collect();
    // None for who asks for tokens; the first, of planning, had nothing to do.
    assert_eq!(phases, BTreeSet::from(["", "deployer-token-2"]));
    assert_eq!(w.is_anywhere("deployer-token"), None);
    w.topo(&["destroy", "-auto-approve"], 0);
    assert_eq!(w.is_anywhere("deployer-token"), None);
    assert_eq!(w.api.kept("s", "a"), None);
}

#[test]
fn what_cannot_be_opened_is_told_in_both_forms() {
    let mut w = Watched::new(
        r#"
provider "kubernetes" { host = "HOST" }
ephemeral "kubernetes_token_request_v1" "t" {
  metadata { name = "nobody" }
}
"#,
    );
    let run = w.topo(&["plan", "-no-color"], 1);
    let failed = "ephemeral.kubernetes_token_request_v1.t: Opening failed after";
    assert!(run.stdout.contains(failed), "{}", run.stdout);
    let summary = "Cannot make a token of ServiceAccount default/nobody";
    assert!(run.stderr.contains(summary), "{}", run.stderr);
    assert!(run.stderr.contains("on main.tf line 3"), "{}", run.stderr);
    let told = lines(&w.topo(&["plan", "-json"], 1));
    let kinds: Vec<&str> = told.iter().filter_map(|m| m["type"].as_str()).collect();
    assert_eq!(
        kinds,
        [
            "version",
            "ephemeral_op_start",
            "ephemeral_op_errored",
            "diagnostic"
        ]
    );
    assert_eq!(told[2]["hook"]["action"], "open");
    assert_eq!(
        told[2]["hook"]["resource"]["addr"],
        "ephemeral.kubernetes_token_request_v1.t"
    );
}

#[test]
fn an_interrupt_while_planning_closes_what_is_open() {
    let w = Watched::new(
        r#"
        ephemeral "random_password" "token" { length = 20 }
        provider "kubernetes" {
          host  = "HOST"
          token = ephemeral.random_password.token.result
        }
        data "kubernetes_namespace_v1" "n" {
          metadata { name = "slow" }
        }
        "#,
    );
    for command in [&["plan", "-no-color"][..], &["apply", "-no-color"]] {
        let mut command = w.project.command(command);
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let child = child.unwrap();
        w.api.until_held();
        let pid = child.id().to_string();
        let killed = Command::new("kill").args(["-INT", &pid]).status().unwrap();
        assert!(killed.success());
        let output = child.wait_with_output().unwrap();
        w.api.let_go();
        let text = |b: Vec<u8>| String::from_utf8(b).unwrap();
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        assert_eq!(output.status.code(), Some(1), "{stdout}{stderr}");
        let closed = "ephemeral.random_password.token: Closing complete after";
        assert!(stdout.contains(closed), "{stdout}");
        assert!(stderr.contains("Error: Interrupted"), "{stderr}");
    }
}

#[test]
fn an_interrupt_at_the_question_is_a_no_there_too() {
    use std::io::Read;
    let w = Watched::new(CLUSTER);
    let mut command = w.project.command(&["apply", "-no-color"]);
    command.env("TF_VAR_api", API_KEY).stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let out = child.stdout.as_mut().unwrap();
    let (mut seen, mut byte) = (Vec::new(), [0]);
    while !String::from_utf8_lossy(&seen).contains("Enter a value:") {
        assert_eq!(out.read(&mut byte).unwrap(), 1);
        seen.push(byte[0]);
    }
    // Its input stays open: an end of that would be an answer too.
    let _input = child.stdin.take();
    let pid = child.id().to_string();
    Command::new("kill").args(["-INT", &pid]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(w.api.kept("s", "plain"), None);
}

#[test]
fn where_an_ephemeral_value_must_not_be() {
    let head = "ephemeral \"random_password\" \"p\" { length = 20 }\n";
    let rows = [
        (
            "resource \"terraform_data\" \"a\" {\n  input = ephemeral.random_password.p.result\n}\n",
            "Invalid use of ephemeral value",
            "on main.tf line 3, column 11",
        ),
        (
            "resource \"terraform_data\" \"a\" {\n  count = ephemeral.random_password.p.length\n}\n",
            "Invalid count argument",
            "on main.tf line 3, column 11",
        ),
        (
            "output \"o\" {\n  value = ephemeral.random_password.p.result\n}\n",
            "Ephemeral value not allowed",
            "on main.tf line 3, column 11",
        ),
        (
            "resource \"random_pet\" \"a\" {\n  keepers = { k = \"x${ephemeral.random_password.p.result}\" }\n}\n",
            "Invalid use of ephemeral value",
            "on main.tf line 3, column 13",
        ),
        (
            "provider \"aws\" {\n  region = \"us-east-1\"\n}\ndata \"aws_eks_cluster\" \"a\" {\n  name = ephemeral.random_password.p.result\n}\n",
            "Invalid use of ephemeral value",
            "on main.tf line 6, column 10",
        ),
    ];
    for (text, summary, place) in rows {
        let project = Project::with(&[("main.tf", &format!("{head}{text}"))]);
        for command in ["validate", "plan", "apply"] {
            let run = project.topo(&[command, "-no-color"]).expect(1);
            assert!(run.stderr.contains(summary), "{command}: {}", run.stderr);
            assert!(run.stderr.contains(place), "{command}: {}", run.stderr);
            assert!(!run.stdout.contains("Opening"), "{}", run.stdout);
        }
    }
}

/// A cluster that does not exist yet, and what is in it through a token for it.
const EKS: &str = r#"
provider "aws" { region = "eu-central-1" }

resource "aws_eks_cluster" "c" {
  name     = "kong"
  role_arn = "arn:aws:iam::111122223333:role/eks"
  vpc_config { subnet_ids = ["subnet-1", "subnet-2"] }
}

ephemeral "aws_eks_cluster_auth" "a" { name = aws_eks_cluster.c.id }

provider "kubernetes" {
  host                   = aws_eks_cluster.c.endpoint
  cluster_ca_certificate = base64decode(aws_eks_cluster.c.certificate_authority[0].data)
  token                  = ephemeral.aws_eks_cluster_auth.a.token
}

resource "kubernetes_namespace_v1" "n" {
  metadata { name = "kong" }
}
"#;

#[test]
fn what_depends_on_the_unknown_is_opened_in_the_apply() {
    let project = Project::with(&[("main.tf", EKS)]);
    let topo = |args: &[&str]| project.topo(&[&["--sandbox", "-no-color"], args].concat());
    let opening = "ephemeral.aws_eks_cluster_auth.a: Opening...";
    let plan = topo(&["plan", "-out=p"]).expect(0);
    assert!(!plan.stdout.contains(opening), "{}", plan.stdout);
    let run = topo(&["apply", "p"]).expect(0);
    let at = |part: &str| {
        let found = run.stdout.find(part);
        found.unwrap_or_else(|| panic!("{part}\n{}", run.stdout))
    };
    assert!(at("aws_eks_cluster.c: Creation complete") < at(opening));
    assert!(at(opening) < at("kubernetes_namespace_v1.n: Creating"));
    assert!(at("kubernetes_namespace_v1.n: Creation complete") < at("a: Closing..."));
    // Now it is known: planning opens it, through it the namespace is read, and nothing is to do.
    let again = topo(&["plan", "-detailed-exitcode"]).expect(0);
    assert!(again.stdout.contains(opening), "{}", again.stdout);
    let list = topo(&["state", "list"]).expect(0);
    assert_eq!(
        list.stdout,
        "aws_eks_cluster.c\nkubernetes_namespace_v1.n\n"
    );
    let gone = topo(&["destroy", "-auto-approve"]).expect(0);
    assert!(gone.stdout.contains("2 destroyed"), "{}", gone.stdout);
}

#[test]
fn a_write_only_password_in_the_sandbox() {
    let project = Project::with(&[(
        "main.tf",
        r#"
        variable "password" {
          type      = string
          ephemeral = true
        }
        variable "password_version" { default = 1 }
        provider "aws" { region = "eu-central-1" }
        resource "aws_db_instance" "d" {
          identifier          = "canary-kept"
          engine              = "postgres"
          instance_class      = "db.t4g.micro"
          allocated_storage   = 20
          username            = "kong"
          skip_final_snapshot = true
          password_wo         = var.password
          password_wo_version = var.password_version
        }
        "#,
    )]);
    let topo = |args: &[&str]| project.topo(&[&["--sandbox", "-no-color"], args].concat());
    let mut seen = String::new();
    let mut run = |args: &[&str], code: i32| {
        let run = topo(args).expect(code);
        seen.push_str(&run.text());
        run
    };
    let (first, other) = ("-var=password=canary-first", "-var=password=canary-other");
    run(&["apply", "-auto-approve", first], 0);
    // Another password alone is no change.
    run(&["plan", "-detailed-exitcode", other], 0);
    let raised = "-var=password_version=2";
    let plan = run(&["plan", "-detailed-exitcode", other, raised, "-out=p"], 2);
    for part in [
        "# aws_db_instance.d will be updated in-place",
        "(write-only attribute)",
        "1 -> 2",
    ] {
        assert!(plan.stdout.contains(part), "{part}\n{}", plan.stdout);
    }
    // The plan does not have it, so it is given again.
    let refused = run(&["apply", "p"], 1);
    assert!(
        refused.stderr.contains("\"password\" was set when"),
        "{}",
        refused.stderr
    );
    run(&["apply", other, "p"], 0);
    run(&["plan", "-detailed-exitcode", other, raised], 0);
    run(&["state", "pull"], 0);
    run(&["show", "-json"], 0);
    run(&["sandbox", "list"], 0);
    let files = project.files();
    let written = |text: &str| {
        let has = |bytes: &[u8]| bytes.windows(text.len()).any(|w| w == text.as_bytes());
        seen.contains(text) || files.values().any(|b| has(b))
    };
    assert!(written("canary-kept"));
    assert!(!written("canary-first") && !written("canary-other"));
}
