//! A tool of the ecosystem reads `show -json`: checkov evaluates its policies on plans of Kong
//! Gateway. What they come to follows from what `modules/eks` says.

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use common::Project;
use serde_json::Value;

const CLUSTER: &str = "module.eks.aws_eks_cluster.this";

/// Writes the plan with these flags to a file, as JSON; returns the addresses of what it manages.
fn plan(project: &Project, flags: &[&str], file: &str) -> BTreeSet<String> {
    let topo = |args: &[&str]| {
        let all = [&["-chdir=kong-hybrid", "--sandbox", "-no-color"], args].concat();
        project.topo(&all).expect(0)
    };
    topo(&[&["plan", "-out=planned"], flags].concat());
    let shown = topo(&["show", "-json", "planned"]);
    std::fs::write(project.path().join(file), &shown.stdout).unwrap();
    let json = shown.json();
    let changes = json["resource_changes"].as_array().unwrap().iter();
    changes
        .filter(|c| c["mode"] == "managed")
        .map(|c| c["address"].as_str().unwrap().to_string())
        .collect()
}

/// checkov's report on these files. It must not ask the network anything: whatever it tries ends
/// at a port of this machine where nobody listens.
fn report(directory: &Path, files: &[&str]) -> Value {
    let checkov = topo_tests::servers::checkov().unwrap_or_else(|e| panic!("no checkov: {e}"));
    let mut command = Command::new(&checkov);
    command
        .args(["--framework", "terraform_plan", "--output", "json"])
        .args(["--download-external-modules", "false", "--skip-download"])
        .current_dir(directory)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", directory)
        .env("HTTP_PROXY", "http://127.0.0.1:9")
        .env("HTTPS_PROXY", "http://127.0.0.1:9")
        .stdin(Stdio::null());
    for file in files {
        command.args(["--file", file]);
    }
    let output = command.output().unwrap();
    // 1: some policies are not kept.
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}\n{errors}"))
}

/// The addresses for which a policy came out like this in a file.
fn found(report: &Value, outcome: &str, file: &str, policy: &str) -> BTreeSet<String> {
    let all = report["results"][outcome].as_array().unwrap().iter();
    all.filter(|c| c["check_id"] == policy && c["file_path"] == format!("/{file}").as_str())
        .map(|c| c["resource_address"].as_str().unwrap().to_string())
        .collect()
}

fn subnets(name: &str) -> BTreeSet<String> {
    let zones = ["us-east-1a", "us-east-1b", "us-east-1c"].into_iter();
    zones
        .map(|zone| format!("module.eks.aws_subnet.{name}[\"{zone}\"]"))
        .collect()
}

fn one(address: &str) -> BTreeSet<String> {
    BTreeSet::from([address.to_string()])
}

#[test]
fn checkov_evaluates_its_policies_on_the_plan() {
    let project = Project::copy_of("modules");
    let managed = plan(&project, &[], "open.json");
    let closed = "endpoint_public_access_cidrs=[\"203.0.113.0/24\"]";
    plan(&project, &["-var", closed], "closed.json");
    let report = report(project.path(), &["open.json", "closed.json"]);
    let summary = &report["summary"];
    assert_eq!(summary["parsing_errors"], 0, "{summary}");
    assert_eq!(
        summary["resource_count"],
        2 * managed.len(),
        "it sees every resource of both plans"
    );
    let passed = |policy: &str| found(&report, "passed_checks", "open.json", policy);
    let failed = |policy: &str| found(&report, "failed_checks", "open.json", policy);

    // Subnets do not assign public addresses: the public ones do, and the private ones say
    // nothing, so that the provider's default counts.
    assert_eq!(failed("CKV_AWS_130"), subnets("public"));
    assert_eq!(passed("CKV_AWS_130"), subnets("private"));
    // All five kinds of logs: three are on. Secrets are encrypted with a key: none is given.
    assert_eq!(failed("CKV_AWS_37"), one(CLUSTER));
    assert_eq!(failed("CKV_AWS_58"), one(CLUSTER));
    // No SSH to nodes from everywhere: there is no remote_access.
    assert_eq!(
        passed("CKV_AWS_100"),
        one("module.eks.aws_eks_node_group.this")
    );
    // The public endpoint is not open to 0.0.0.0/0: that is its default.
    assert_eq!(failed("CKV_AWS_38"), one(CLUSTER));
    let closed = found(&report, "passed_checks", "closed.json", "CKV_AWS_38");
    assert_eq!(closed, one(CLUSTER));

    // Policies over what is connected with what, which only the references in `configuration`
    // tell: the address belongs to a NAT gateway, and the VPC has no flow log.
    let address = one("module.eks.aws_eip.nat[\"us-east-1a\"]");
    assert_eq!(passed("CKV2_AWS_19"), address);
    assert_eq!(failed("CKV2_AWS_11"), one("module.eks.aws_vpc.this"));
}
