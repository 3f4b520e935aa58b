//! That the servers behave as the tests of topo rely on: what a cluster's controllers do, what
//! AWS tells, and that nothing outlives a test process.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sdk_ec2::error::ProvideErrorMetadata;
use aws_sdk_eks::types::VpcConfigRequest;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Namespace, PersistentVolume, PersistentVolumeClaim, Service};
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use topo_tests::servers::{self, ACCOUNT, REGION, SECRET_ACCESS_KEY, Servers, until};

const SOON: Duration = Duration::from_secs(20);

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// An object written as in a manifest.
fn manifest<T: DeserializeOwned>(object: Value) -> T {
    serde_json::from_value(object).expect("a manifest of the test itself")
}

async fn namespace(client: &Client, name: &str) -> Result<(), kube::Error> {
    let object = manifest(json!({ "metadata": { "name": name } }));
    let namespaces: Api<Namespace> = Api::all(client.clone());
    namespaces.create(&PostParams::default(), &object).await?;
    Ok(())
}

fn pod_template(app: &str) -> Value {
    json!({
        "metadata": { "labels": { "app": app } },
        "spec": { "containers": [{ "name": "main", "image": "kong:3.9" }] },
    })
}

#[tokio::test]
async fn a_deployment_becomes_available() -> Outcome {
    let client = servers::shared().await?.cluster.client().await?;
    namespace(&client, "deployments").await?;
    let deployments: Api<Deployment> = Api::namespaced(client, "deployments");
    let object = manifest(json!({
        "metadata": { "name": "kong" },
        "spec": {
            "replicas": 3,
            "selector": { "matchLabels": { "app": "kong" } },
            "template": pod_template("kong"),
        },
    }));
    deployments.create(&PostParams::default(), &object).await?;
    until("three replicas available", SOON, async || {
        let status = deployments.get("kong").await.ok()?.status?;
        (status.available_replicas == Some(3)).then_some(())
    })
    .await?;
    Ok(())
}

#[tokio::test]
async fn a_job_completes_or_fails_as_its_pod_says() -> Outcome {
    let client = servers::shared().await?.cluster.client().await?;
    namespace(&client, "jobs").await?;
    let jobs: Api<Job> = Api::namespaced(client, "jobs");
    for (name, outcome, condition) in [
        ("migrations", "succeed", "Complete"),
        ("broken", "fail", "Failed"),
    ] {
        let mut template = pod_template(name);
        template["metadata"]["annotations"] = json!({ "topo.test/outcome": outcome });
        template["spec"]["restartPolicy"] = json!("Never");
        let object = manifest(json!({
            "metadata": { "name": name },
            "spec": { "backoffLimit": 0, "template": template },
        }));
        jobs.create(&PostParams::default(), &object).await?;
        until(&format!("{name} is {condition}"), SOON, async || {
            let conditions = jobs.get(name).await.ok()?.status?.conditions?;
            let mut met = conditions.iter().filter(|c| c.status == "True");
            met.any(|c| c.type_ == condition).then_some(())
        })
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_stateful_set_gets_its_volume_and_gives_it_back() -> Outcome {
    let client = servers::shared().await?.cluster.client().await?;
    namespace(&client, "databases").await?;
    let sets: Api<StatefulSet> = Api::namespaced(client.clone(), "databases");
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), "databases");
    let volumes: Api<PersistentVolume> = Api::all(client);
    let object = manifest(json!({
        "metadata": { "name": "postgres" },
        "spec": {
            "serviceName": "postgres",
            "replicas": 1,
            "selector": { "matchLabels": { "app": "postgres" } },
            "template": pod_template("postgres"),
            "volumeClaimTemplates": [{
                "metadata": { "name": "data" },
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "resources": { "requests": { "storage": "8Gi" } },
                },
            }],
        },
    }));
    sets.create(&PostParams::default(), &object).await?;
    until("the replica is ready", SOON, async || {
        let status = sets.get("postgres").await.ok()?.status?;
        (status.ready_replicas == Some(1)).then_some(())
    })
    .await?;
    let claim = claims.get("data-postgres-0").await?;
    let spec = claim.spec.unwrap_or_default();
    assert_eq!(spec.storage_class_name.as_deref(), Some("gp2"));
    let volume = spec.volume_name.ok_or("the claim has no volume")?;

    // A claim that no pod uses waits for one, as on EKS.
    let lonely = manifest(json!({
        "metadata": { "name": "lonely" },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": { "requests": { "storage": "1Gi" } },
        },
    }));
    claims.create(&PostParams::default(), &lonely).await?;

    sets.delete("postgres", &DeleteParams::foreground()).await?;
    claims
        .delete("data-postgres-0", &DeleteParams::default())
        .await?;
    until("the volume went with its claim", SOON, async || {
        volumes.get_opt(&volume).await.ok()?.is_none().then_some(())
    })
    .await?;
    let phase = claims.get("lonely").await?.status.and_then(|s| s.phase);
    assert_eq!(phase.as_deref(), Some("Pending"));
    Ok(())
}

#[tokio::test]
async fn a_load_balancer_gets_a_host_name() -> Outcome {
    let client = servers::shared().await?.cluster.client().await?;
    namespace(&client, "edge").await?;
    let services: Api<Service> = Api::namespaced(client, "edge");
    let object = manifest(json!({
        "metadata": { "name": "proxy" },
        "spec": {
            "type": "LoadBalancer",
            "selector": { "app": "kong" },
            "ports": [{ "port": 443, "targetPort": 8443 }],
        },
    }));
    services.create(&PostParams::default(), &object).await?;
    let hostname = until("the service has an address", SOON, async || {
        let status = services.get("proxy").await.ok()?.status?;
        status.load_balancer?.ingress?.first()?.hostname.clone()
    })
    .await?;
    assert_eq!(hostname, "proxy-edge.elb.test");
    Ok(())
}

#[tokio::test]
async fn a_namespace_goes_with_everything_in_it() -> Outcome {
    let client = servers::shared().await?.cluster.client().await?;
    namespace(&client, "short-lived").await?;
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), "short-lived");
    let object = manifest(json!({
        "metadata": { "name": "kong" },
        "spec": {
            "selector": { "matchLabels": { "app": "kong" } },
            "template": pod_template("kong"),
        },
    }));
    deployments.create(&PostParams::default(), &object).await?;
    let namespaces: Api<Namespace> = Api::all(client);
    namespaces
        .delete("short-lived", &DeleteParams::default())
        .await?;
    until("the namespace is gone", SOON, async || {
        let found = namespaces.get_opt("short-lived").await.ok()?;
        found.is_none().then_some(())
    })
    .await?;
    assert!(
        deployments
            .list(&ListParams::default())
            .await?
            .items
            .is_empty()
    );
    Ok(())
}

/// What `aws eks get-token` prints for a cluster.
fn eks_token(cluster: &str) -> Result<String, Box<dyn std::error::Error>> {
    let keys = Credentials::new(ACCOUNT, SECRET_ACCESS_KEY, None, None, "test").into();
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(Duration::from_secs(60));
    let params = v4::SigningParams::builder()
        .identity(&keys)
        .region(REGION)
        .name("sts")
        .time(SystemTime::now())
        .settings(settings)
        .build()?
        .into();
    let mut url =
        format!("https://sts.{REGION}.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15");
    let headers = [("x-k8s-aws-id", cluster)].into_iter();
    let request = SignableRequest::new("GET", &url, headers, SignableBody::Bytes(&[]))?;
    let (signing, _) = sign(request, &params)?.into_parts();
    for (name, value) in signing.params() {
        let value = value.replace('/', "%2F").replace(';', "%3B");
        url += &format!("&{name}={value}");
    }
    Ok(format!("k8s-aws-v1.{}", URL_SAFE_NO_PAD.encode(url)))
}

/// Who the cluster says that the bearer of a token is.
async fn whoami(servers: &Servers, token: &str) -> Result<String, Box<dyn std::error::Error>> {
    let authority = STANDARD.encode(servers.cluster.ca_pem());
    let kubeconfig: Kubeconfig = serde_json::from_value(json!({
        "clusters": [{ "name": "c", "cluster": {
            "server": servers.cluster.endpoint(), "certificate-authority-data": authority,
        } }],
        "users": [{ "name": "u", "user": { "token": token } }],
        "contexts": [{ "name": "x", "context": { "cluster": "c", "user": "u" } }],
        "current-context": "x",
    }))?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    let reviews: Api<SelfSubjectReview> = Api::all(Client::try_from(config)?);
    let review = reviews
        .create(&PostParams::default(), &manifest(json!({})))
        .await?;
    let user = review.status.and_then(|status| status.user_info);
    Ok(user.and_then(|user| user.username).unwrap_or_default())
}

#[tokio::test]
async fn a_token_of_aws_credentials_is_for_one_cluster() -> Outcome {
    let servers = servers::shared().await?;
    servers.cluster.accept_cluster("tokens");
    let token = eks_token("tokens")?;
    assert_eq!(
        whoami(servers, &token).await?,
        "arn:aws:iam::000000000000:root"
    );

    let other = eks_token("another-cluster")?;
    let refused = whoami(servers, &other)
        .await
        .expect_err("it is for another cluster");
    assert!(refused.to_string().contains("401"), "{refused}");
    let reasons = servers.cluster.token_refusals();
    assert!(
        reasons.iter().any(|r| r.contains("for another cluster")),
        "{reasons:?}"
    );

    let static_token = servers.cluster.token();
    assert_eq!(whoami(servers, static_token).await?, "token-admin");
    Ok(())
}

#[tokio::test]
async fn an_eks_cluster_is_the_control_plane() -> Outcome {
    let servers = servers::shared().await?;
    let eks = aws_sdk_eks::Client::new(&servers.aws.config_of("111111111111"));
    let created = eks
        .create_cluster()
        .name("kong")
        .role_arn("arn:aws:iam::111111111111:role/eks")
        .resources_vpc_config(VpcConfigRequest::builder().subnet_ids("subnet-1").build())
        .send()
        .await?;
    let created = created.cluster().ok_or("no cluster")?;
    assert_eq!(created.status().map(|s| s.as_str()), Some("CREATING"));
    assert_eq!(created.endpoint(), None);

    let cluster = until("the cluster is active", SOON, async || {
        let told = eks.describe_cluster().name("kong").send().await.ok()?;
        told.cluster
            .filter(|c| c.status().map(|s| s.as_str()) == Some("ACTIVE"))
    })
    .await?;
    assert_eq!(
        cluster.endpoint(),
        Some(servers.cluster.endpoint().as_str())
    );
    let authority = cluster.certificate_authority().and_then(|ca| ca.data());
    let expected = STANDARD.encode(servers.cluster.ca_pem());
    assert_eq!(authority, Some(expected.as_str()));

    let update = eks
        .update_cluster_version()
        .name("kong")
        .version("1.36")
        .send()
        .await?;
    let update = update
        .update
        .and_then(|update| update.id)
        .ok_or("no update")?;
    let told = eks
        .describe_update()
        .name("kong")
        .update_id(update)
        .send()
        .await?;
    let status = told.update.and_then(|update| update.status);
    assert_eq!(status.as_ref().map(|s| s.as_str()), Some("Successful"));
    Ok(())
}

#[tokio::test]
async fn aws_keeps_what_it_is_given() -> Outcome {
    let config = servers::shared().await?.aws.config_of("222222222222");
    let sts = aws_sdk_sts::Client::new(&config);
    let caller = sts.get_caller_identity().send().await?;
    assert_eq!(caller.account(), Some("222222222222"));

    let ec2 = aws_sdk_ec2::Client::new(&config);
    let made = ec2.create_vpc().cidr_block("10.20.0.0/16").send().await?;
    let vpc = made.vpc().and_then(|vpc| vpc.vpc_id()).ok_or("no VPC")?;
    let told = ec2.describe_vpcs().vpc_ids(vpc).send().await?;
    assert_eq!(told.vpcs()[0].cidr_block(), Some("10.20.0.0/16"));

    let iam = aws_sdk_iam::Client::new(&config);
    let trust = json!({ "Version": "2012-10-17", "Statement": [] }).to_string();
    iam.create_role()
        .role_name("eks")
        .assume_role_policy_document(trust)
        .send()
        .await?;
    let told = iam.get_role().role_name("eks").send().await?;
    let arn = told.role().map(|role| role.arn());
    assert_eq!(arn, Some("arn:aws:iam::222222222222:role/eks"));

    let rds = aws_sdk_rds::Client::new(&config);
    rds.create_db_instance()
        .db_instance_identifier("kong")
        .db_instance_class("db.t4g.micro")
        .engine("postgres")
        .allocated_storage(20)
        .master_username("kong")
        .master_user_password("not-a-secret")
        .send()
        .await?;
    let told = rds
        .describe_db_instances()
        .db_instance_identifier("kong")
        .send()
        .await?;
    let endpoint = told.db_instances()[0].endpoint();
    assert_eq!(endpoint.and_then(|endpoint| endpoint.port()), Some(5432));

    let stacks = aws_sdk_cloudformation::Client::new(&config);
    let template = json!({
        "Resources": { "Vpc": {
            "Type": "AWS::EC2::VPC",
            "Properties": { "CidrBlock": "10.30.0.0/16" },
        } },
        "Outputs": { "Id": { "Value": { "Ref": "Vpc" } } },
    });
    stacks
        .create_stack()
        .stack_name("network")
        .template_body(template.to_string())
        .send()
        .await?;
    let stack = until("the stack is complete", SOON, async || {
        let told = stacks
            .describe_stacks()
            .stack_name("network")
            .send()
            .await
            .ok()?;
        let stack = told.stacks().first()?.clone();
        let status = stack.stack_status().map(|s| s.as_str().to_owned());
        (status.as_deref() == Some("CREATE_COMPLETE")).then_some(stack)
    })
    .await?;
    let output = stack.outputs()[0].output_value().unwrap_or_default();
    assert!(output.starts_with("vpc-"), "{output}");

    // Another account sees none of it.
    let other = servers::shared().await?.aws.config_of("333333333333");
    let told = aws_sdk_iam::Client::new(&other).list_roles().send().await?;
    assert!(told.roles().is_empty());
    Ok(())
}

#[tokio::test]
async fn aws_refuses_what_is_in_use_and_makes_nothing_twice() -> Outcome {
    let config = servers::shared().await?.aws.config_of("444444444444");
    let ec2 = aws_sdk_ec2::Client::new(&config);
    let made = ec2.create_vpc().cidr_block("10.0.0.0/16").send().await?;
    let vpc = made.vpc().and_then(|vpc| vpc.vpc_id()).ok_or("no VPC")?;
    let subnet = || ec2.create_subnet().vpc_id(vpc);
    let made = subnet().cidr_block("10.0.0.0/24").send().await?;
    let public = made
        .subnet()
        .and_then(|s| s.subnet_id())
        .ok_or("no subnet")?;
    let error = subnet()
        .cidr_block("10.0.0.128/25")
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("InvalidSubnet.Conflict"));

    let address = ec2.allocate_address().send().await?;
    let allocation = address.allocation_id().ok_or("no address")?;
    let mut gateways = Vec::new();
    for _ in ["the request", "the same sent again"] {
        let request = ec2
            .create_nat_gateway()
            .client_token("one")
            .subnet_id(public);
        let made = request.allocation_id(allocation).send().await?;
        gateways.push(made.nat_gateway.and_then(|gateway| gateway.nat_gateway_id));
    }
    assert_eq!(gateways[0], gateways[1]);
    let told = ec2.describe_nat_gateways().send().await?;
    assert_eq!(told.nat_gateways().len(), 1);
    let addresses = told.nat_gateways()[0].nat_gateway_addresses();
    assert_eq!(addresses[0].public_ip(), address.public_ip());

    let error = ec2
        .delete_subnet()
        .subnet_id(public)
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("DependencyViolation"));
    let release = || ec2.release_address().allocation_id(allocation).send();
    assert_eq!(
        release().await.unwrap_err().code(),
        Some("InvalidIPAddress.InUse")
    );

    let gateway = gateways.remove(0).ok_or("no gateway")?;
    ec2.delete_nat_gateway()
        .nat_gateway_id(gateway)
        .send()
        .await?;
    release().await?;
    ec2.delete_subnet().subnet_id(public).send().await?;
    ec2.delete_vpc().vpc_id(vpc).send().await?;
    Ok(())
}

/// The processes whose working folder is `path`.
fn processes_in(path: &Path) -> Vec<String> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter(|entry| fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == path))
        .filter_map(|entry| fs::read_to_string(entry.path().join("comm")).ok())
        .map(|name| name.trim().to_owned())
        .collect()
}

const VICTIM: &str = "TOPO_TEST_VICTIM";

/// Not a test of its own: [`nothing_outlives_a_killed_process`] runs it in a process that it
/// kills.
#[tokio::test]
async fn victim() -> Outcome {
    if std::env::var_os(VICTIM).is_none() {
        return Ok(());
    }
    let servers = Servers::start().await?;
    let folder = servers.cluster.kubeconfig().parent().ok_or("no folder")?;
    fs::write(std::env::var(VICTIM)?, folder.display().to_string())?;
    std::future::pending().await
}

#[tokio::test]
async fn nothing_outlives_a_killed_process() -> Outcome {
    let folder = tempfile::tempdir()?;
    let note = folder.path().join("note");
    let mut victim = Command::new(std::env::current_exe()?)
        .args(["--exact", "victim", "--nocapture"])
        .env(VICTIM, &note)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let scratch = until(
        "the servers of the other process run",
        3 * SOON,
        async || {
            let text = fs::read_to_string(&note).ok()?;
            (!text.is_empty()).then(|| std::path::PathBuf::from(text))
        },
    )
    .await?;
    let running = processes_in(&scratch);
    assert!(running.iter().any(|name| name == "etcd"), "{running:?}");
    assert!(
        running.iter().any(|name| name == "kube-apiserver"),
        "{running:?}"
    );

    victim.kill()?;
    victim.wait()?;
    until("the servers are gone", SOON, async || {
        (processes_in(&scratch).is_empty() && !scratch.exists()).then_some(())
    })
    .await?;
    Ok(())
}
