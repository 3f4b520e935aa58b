//! The modules of Kong in hybrid mode on real servers, through the built binary: an AWS API
//! server and a Kubernetes control plane, which are asked themselves what they have.

mod aws;
mod cluster;
#[path = "../common/mod.rs"]
mod common;

use std::path::Path;
use std::time::Duration;

use serde_json::{Value as Json, json};
use topo_tests::servers::{Servers, until};

use aws::Account;
use cluster::Cluster;
use common::{Project, Run, copy};

const ACCOUNT: &str = "314159265358";
const SOON: Duration = Duration::from_secs(20);

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// The fixture with the modules it joins, where the modules' relative sources are right.
fn kong(servers: &Servers) -> Project {
    let mut project = Project::empty();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for part in ["modules", "tests/fixtures/kong-real"] {
        copy(&root.join(part), &project.path().join(part));
    }
    project.environment = servers.aws.environment(ACCOUNT).into();
    project
        .environment
        .push(("TF_VAR_aws_endpoint", servers.aws.endpoint()));
    project
}

fn topo(project: &Project, args: &[&str]) -> Run {
    let chdir = ["-chdir=tests/fixtures/kong-real"];
    project.topo(&[&chdir, args].concat())
}

/// Runs a command that must end with this exit code.
fn run(project: &Project, args: &[&str], code: i32) -> String {
    let run = topo(project, args);
    assert_eq!(run.code, code, "{args:?}\n{}\n{}", run.stdout, run.stderr);
    run.stdout
}

/// What `drift -json` says has changed: `[address, path, before, after]` each.
fn drift(project: &Project) -> Json {
    let text = run(project, &["drift", "-json"], 2);
    let report: Json = serde_json::from_str(&text).unwrap();
    let objects = report["objects"].as_array().unwrap();
    let changes = objects.iter().flat_map(|object| {
        let changes = object["changes"].as_array().unwrap();
        let line = |c: &Json| json!([object["address"], c["path"], c["before"], c["after"]]);
        changes.iter().map(line).collect::<Vec<_>>()
    });
    changes.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn kong_comes_up_is_kept_and_goes_without_a_trace() -> Outcome {
    let servers = Servers::start().await?;
    let endpoint = servers.cluster.endpoint();
    servers.cluster.accept_cluster("kong-test");
    servers.cluster.accept_cluster("kong-renamed");
    let account = Account::new(servers.aws.config_of(ACCOUNT));
    let cluster = Cluster::new(servers.cluster.client().await?);
    let before = (account.everything().await?, cluster.everything().await?);
    let project = kong(&servers);

    unreachable(&project);
    let text = run(&project, &["apply", "-auto-approve"], 0);
    let end = "Apply complete! Resources: 62 added, 0 changed, 0 destroyed.";
    assert!(text.contains(end), "{text}");
    assert_eq!(servers.cluster.token_refusals(), Vec::<String>::new());

    let found = account.describe("kong-test").await?;
    assert_eq!(found, aws::expected("kong-test", &endpoint));
    cluster.check().await?;
    outputs(&project, &servers, &cluster).await?;

    let text = run(&project, &["plan", "-detailed-exitcode"], 0);
    assert!(text.contains("No changes."), "{text}");
    assert!(!text.contains("changed outside"), "{text}");
    let text = run(&project, &["drift"], 0);
    assert!(text.contains("No drift."), "{text}");

    let autoscaler = "/apis/autoscaling/v2/namespaces/kong-dp/horizontalpodautoscalers";
    cluster
        .tamper(autoscaler, "kong-dp-kong", json!({"maxReplicas": 9}))
        .await?;
    account.resize_nodes("kong-test", 5).await?;
    assert_eq!(
        drift(&project),
        json!([
            [
                "module.data_plane.kubernetes_horizontal_pod_autoscaler_v2.this",
                "spec[0].max_replicas",
                4,
                9
            ],
            [
                "module.eks.aws_eks_node_group.this",
                "scaling_config[0].max_size",
                2,
                5
            ],
        ])
    );
    let text = run(&project, &["apply", "-auto-approve"], 0);
    let end = "Apply complete! Resources: 0 added, 2 changed, 0 destroyed.";
    assert!(text.contains(end), "{text}");
    assert_eq!(
        cluster.get(autoscaler, "kong-dp-kong").await?["spec"]["maxReplicas"],
        4
    );
    let found = account.describe("kong-test").await?;
    assert_eq!(found, aws::expected("kong-test", &endpoint));
    run(&project, &["drift"], 0);

    // Another name is another cluster, and everything inside is made anew in it.
    let renamed = "-var=name=kong-renamed";
    let text = run(&project, &["apply", "-auto-approve", renamed], 0);
    let end = "Apply complete! Resources: 41 added, 11 changed, 41 destroyed.";
    assert!(text.contains(end), "{text}");
    let found = account.describe("kong-renamed").await?;
    assert_eq!(found, aws::expected("kong-renamed", &endpoint));
    cluster.check().await?;
    run(&project, &["plan", "-detailed-exitcode", renamed], 0);

    let text = run(&project, &["destroy", "-auto-approve", renamed], 0);
    let end = "Destroy complete! Resources: 62 destroyed.";
    assert!(text.contains(end), "{text}");
    assert_eq!(run(&project, &["state", "list"], 0), "");
    assert_eq!(account.everything().await?, before.0);
    // Controllers collect what belonged to the objects a little later.
    let gone = until("the cluster is as it was", SOON, async || {
        let now = cluster.everything().await.ok()?;
        (now == before.1).then_some(())
    });
    if gone.await.is_err() {
        assert_eq!(cluster.everything().await?, before.1);
    }
    Ok(())
}

/// That a server which does not answer is one error, and not also what cannot be known then.
fn unreachable(project: &Project) {
    let nobody = "-var=aws_endpoint=http://127.0.0.1:1";
    let run = topo(project, &["plan", "-no-color", nobody]);
    assert_eq!(run.code, 1, "{}\n{}", run.stdout, run.stderr);
    let errors: Vec<_> = run
        .stderr
        .lines()
        .filter(|l| l.contains("Error:"))
        .collect();
    let [error] = errors[..] else {
        panic!("not one error: {}", run.stderr);
    };
    assert!(
        error.contains("http://127.0.0.1:1 cannot be reached"),
        "{error}"
    );
}

/// That outputs tell what the servers have, and keep the secret one to themselves.
async fn outputs(project: &Project, servers: &Servers, cluster: &Cluster) -> Outcome {
    let told: Json = serde_json::from_str(&run(project, &["output", "-json"], 0))?;
    assert_eq!(
        told["cluster_endpoint"]["value"],
        servers.cluster.endpoint()
    );
    assert_eq!(
        told["proxy_hostname"]["value"],
        "kong-dp-kong-proxy-kong-dp.elb.test"
    );
    let password = told["database_password"]["value"]
        .as_str()
        .unwrap_or_default();
    assert_eq!(password.len(), 32);
    let stored = cluster
        .secret("kong", "kong-postgresql", "password")
        .await?;
    assert_eq!(stored, password.as_bytes());
    let text = run(project, &["output"], 0);
    assert!(!text.contains(password), "{text}");
    let text = run(project, &["show"], 0);
    assert!(!text.contains(password), "{text}");
    Ok(())
}
