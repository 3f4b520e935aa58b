//! The simulation around a small hand-written provider.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use topo_sdk::{
    Action, ApplyFailure, ApplyRequest, Attribute, Block, Connection, Diagnostics, NestedBlock,
    Operation, OperationId, Provider, ReadRequest, RecoverRequest, Recovery, ResourceState, Schema,
    Type, Value, convert, plan,
};

use crate::{Cloud, CrashPoint, Faults, Latency, Object, Options, simulate};

/// A few types of two providers, in miniature.
struct Tiny(&'static str);

fn text() -> Type {
    Type::String
}

fn schema(type_name: &str) -> Option<Schema> {
    let aws = || {
        Block::new()
            .attr("id", Attribute::computed(text()))
            .attr("arn", Attribute::computed(text()))
            .attr("tags", Attribute::optional(Type::map(text())))
            .attr("tags_all", Attribute::computed(Type::map(text())))
    };
    let one = |names: &[&str]| {
        names.iter().fold(Block::new(), |b, n| {
            b.attr(n, Attribute::optional_computed(text()))
        })
    };
    let authority = Type::list(Type::object([("data", text())]));
    let oidc = Type::list(Type::object([("issuer", text())]));
    let ingress = Type::object([("hostname", text()), ("ip", text())]);
    let balancer = Type::object([("ingress", Type::list(ingress))]);
    let status = Type::object([("load_balancer", Type::list(balancer))]);
    Some(Schema::new(match type_name {
        "aws_vpc" => aws()
            .attr("cidr_block", Attribute::optional(text()))
            .attr("main_route_table_id", Attribute::computed(text())),
        "aws_iam_role" => aws()
            .attr("name", Attribute::optional_computed(text()).force_new())
            .attr("name_prefix", Attribute::optional(text()).force_new()),
        "aws_eks_cluster" => aws()
            .attr("name", Attribute::required(text()).force_new())
            .attr("endpoint", Attribute::computed(text()))
            .attr("created_at", Attribute::computed(text()))
            .attr("certificate_authority", Attribute::computed(authority))
            .attr(
                "identity",
                Attribute::computed(Type::list(Type::object([("oidc", oidc)]))),
            ),
        "kubernetes_service_v1" | "kubernetes_service" => Block::new()
            .attr("id", Attribute::computed(text()))
            .attr("status", Attribute::computed(Type::list(status)))
            .block(
                "metadata",
                NestedBlock::list_max_one(
                    one(&["name", "namespace", "uid"])
                        .attr("resource_version", Attribute::computed(text()).recomputed())
                        .attr("generation", Attribute::computed(Type::Number)),
                ),
            )
            .block(
                "spec",
                NestedBlock::list_max_one(one(&["type", "cluster_ip"])),
            ),
        _ => return None,
    }))
}

#[async_trait]
impl Provider for Tiny {
    fn name(&self) -> &'static str {
        self.0
    }
    fn uses_network(&self) -> bool {
        true
    }
    fn provider_schema(&self) -> Arc<Schema> {
        Arc::new(Schema::new(
            Block::new()
                .attr("host", Attribute::optional(text()).identifies_target())
                .attr("region", Attribute::optional(text())),
        ))
    }
    fn resource_types(&self) -> Vec<Arc<str>> {
        let all = ["aws_eks_cluster", "aws_iam_role", "aws_vpc"];
        let types: &[&str] = match self.0 {
            "aws" => &all,
            _ => &["kubernetes_service", "kubernetes_service_v1"],
        };
        types.iter().map(|t| Arc::from(*t)).collect()
    }
    fn resource_schema(&self, type_name: &str) -> Option<Arc<Schema>> {
        schema(type_name).map(Arc::new)
    }
    fn data_schema(&self, type_name: &str) -> Option<Arc<Schema>> {
        let zones = || Attribute::computed(Type::list(text()));
        match type_name {
            "aws_availability_zones" => Some(Arc::new(Schema::new(
                Block::new()
                    .attr("names", zones())
                    .attr("zone_ids", zones()),
            ))),
            other => self.resource_schema(other),
        }
    }
    fn ephemeral_types(&self) -> Vec<Arc<str>> {
        vec!["aws_eks_cluster_auth".into(), "aws_session".into()]
    }
    fn ephemeral_schema(&self, type_name: &str) -> Option<Arc<Schema>> {
        let scope = Block::new().attr("path", Attribute::optional(text()));
        let known = self.ephemeral_types().iter().any(|t| &**t == type_name);
        let block = Block::new()
            .attr("name", Attribute::required(text()))
            .attr("note", Attribute::optional(text()))
            .attr("token", Attribute::computed(text()).sensitive())
            .block("scope", NestedBlock::list_max_one(scope));
        known.then(|| Arc::new(Schema::new(block)))
    }
    async fn configure(&self, _config: &Value) -> Result<Arc<dyn Connection>, Diagnostics> {
        Err(Diagnostics::error("No network in tests", ""))
    }
}

#[derive(Default)]
struct Op(Option<OperationId>, Mutex<Vec<ResourceState>>);

impl Op {
    fn new() -> Op {
        Op(Some(OperationId::generate()), Mutex::default())
    }
}

#[async_trait]
impl Operation for Op {
    fn id(&self) -> &OperationId {
        self.0.as_ref().unwrap()
    }
    async fn checkpoint(&self, partial: ResourceState) -> Result<(), Diagnostics> {
        self.1.lock().unwrap().push(partial);
        Ok(())
    }
    fn progress(&self, _message: &str) {}
}

struct Bench {
    connection: Arc<dyn Connection>,
    cloud: Cloud,
}

fn open(dir: &Path, faults: Faults) -> Cloud {
    let options = Options {
        faults,
        ..Options::default()
    };
    Cloud::open(dir, options).unwrap()
}

impl Bench {
    async fn new(cloud: &Cloud, provider: &'static str, config: Value) -> Bench {
        let simulated = simulate(Arc::new(Tiny(provider)), cloud.clone());
        Bench {
            connection: simulated.configure(&config).await.unwrap(),
            cloud: cloud.clone(),
        }
    }

    async fn aws(cloud: &Cloud) -> Bench {
        Bench::new(cloud, "aws", Value::object::<&str>([])).await
    }

    async fn run(&self, op: &Op, request: ApplyRequest) -> Result<Option<Value>, ApplyFailure> {
        let made = self.connection.apply(&request, op).await?;
        if let Some(state) = &made {
            assert!(state.value.is_wholly_known(), "{:?}", state.value);
            let ty = schema(&request.type_name).unwrap().block.ty();
            assert!(convert::conforms(&state.value, &ty));
        }
        Ok(made.map(|s| s.value))
    }

    async fn create(&self, type_name: &str, config: Value) -> Result<Value, ApplyFailure> {
        let made = self.run(&Op::new(), creation(type_name, config)).await?;
        Ok(made.unwrap())
    }

    async fn read(&self, type_name: &str, value: &Value) -> Option<Value> {
        let request = ReadRequest {
            type_name: type_name.into(),
            state: value.clone().into(),
        };
        let found = self.connection.read(&request).await.unwrap();
        found.map(|s| s.value)
    }
}

fn request(type_name: &str, action: Action) -> ApplyRequest {
    ApplyRequest {
        type_name: type_name.into(),
        action,
        config: Value::NULL,
    }
}

fn configured(type_name: &str, config: Value) -> Value {
    let block = schema(type_name).unwrap().block;
    convert::convert(&plan::fill_missing(&block, config), &block.ty()).unwrap()
}

fn creation(type_name: &str, config: Value) -> ApplyRequest {
    let block = schema(type_name).unwrap().block;
    let planned = plan::propose(&block, None, &configured(type_name, config));
    request(type_name, Action::Create { planned })
}

fn deletion(type_name: &str, prior: &Value) -> ApplyRequest {
    let prior = prior.clone().into();
    request(type_name, Action::Delete { prior })
}

fn named(name: &str) -> Value {
    Value::object([("name", Value::from(name))])
}

fn service(name: &str, kind: &str) -> Value {
    let metadata = [("name", Value::from(name)), ("namespace", "kong".into())];
    let spec = Value::object([("type", Value::from(kind))]);
    Value::object([
        ("metadata", Value::tuple(vec![Value::object(metadata)])),
        ("spec", Value::tuple(vec![spec])),
    ])
}

fn inner<'a>(value: &'a Value, block: &str) -> &'a Value {
    &value.get(block).unwrap().as_slice().unwrap()[0]
}

#[tokio::test]
async fn invents_plausible_and_repeatable_values() {
    let vpc = || Value::object([("cidr_block", Value::from("10.0.0.0/16"))]);
    let mut ids = Vec::new();
    for _ in 0..2 {
        let dir = tempfile::tempdir().unwrap();
        let bench = Bench::aws(&open(dir.path(), Faults::default())).await;
        let one = bench.create("aws_vpc", vpc()).await.unwrap();
        let two = bench.create("aws_vpc", vpc()).await.unwrap();
        let id = one.get_str("id").unwrap();
        assert!(id.starts_with("vpc-0") && id.len() == 21, "{id}");
        assert_eq!(
            one.get_str("arn").unwrap(),
            format!("arn:aws:ec2:us-east-1:123456789012:vpc/{id}")
        );
        assert!(
            one.get_str("main_route_table_id")
                .unwrap()
                .starts_with("rtb-0")
        );
        assert_ne!(one.get("id"), two.get("id"));
        assert_eq!(bench.read("aws_vpc", &one).await.as_ref(), Some(&one));
        ids.push((one, two));
    }
    assert_eq!(ids[0], ids[1]);
}

#[tokio::test]
async fn a_cluster_can_be_parsed_and_found_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let bench = Bench::aws(&open(dir.path(), Faults::default())).await;
    let made = bench
        .create("aws_eks_cluster", named("kong"))
        .await
        .unwrap();
    assert_eq!(made.get_str("id"), Some("kong"));
    assert_eq!(
        made.get_str("arn"),
        Some("arn:aws:eks:us-east-1:123456789012:cluster/kong")
    );
    let endpoint = made.get_str("endpoint").unwrap();
    assert!(
        endpoint.starts_with("https://") && endpoint.ends_with(".gr7.us-east-1.eks.amazonaws.com")
    );
    let data = inner(&made, "certificate_authority")
        .get_str("data")
        .unwrap();
    use base64::Engine;
    let pem = base64::prelude::BASE64_STANDARD.decode(data).unwrap();
    assert!(x509_parser::pem::parse_x509_pem(&pem).is_ok());
    let issuer = inner(inner(&made, "identity"), "oidc")
        .get_str("issuer")
        .unwrap();
    assert!(issuer.starts_with("https://oidc.eks.us-east-1.amazonaws.com/id/"));
    made.get_str("created_at")
        .unwrap()
        .parse::<jiff::Timestamp>()
        .unwrap();

    let asked = configured("aws_eks_cluster", named("kong"));
    let data = bench
        .connection
        .read_data("aws_eks_cluster", &asked)
        .await
        .unwrap();
    assert_eq!(data, made);
    let asked = configured("aws_eks_cluster", named("other"));
    assert!(
        bench
            .connection
            .read_data("aws_eks_cluster", &asked)
            .await
            .is_err()
    );
    let imported = bench
        .connection
        .import("aws_eks_cluster", "kong")
        .await
        .unwrap();
    assert_eq!(imported.value, made);
}

#[tokio::test]
async fn names_are_taken_once_and_free_again_after_deletion() {
    let dir = tempfile::tempdir().unwrap();
    let bench = Bench::aws(&open(dir.path(), Faults::default())).await;
    let made = bench.create("aws_iam_role", named("node")).await.unwrap();
    let failure = bench
        .create("aws_iam_role", named("node"))
        .await
        .unwrap_err();
    assert!(
        failure
            .diagnostics
            .to_string()
            .contains("EntityAlreadyExists")
    );
    assert_eq!(failure.state, None);
    let gone = bench.run(&Op::new(), deletion("aws_iam_role", &made)).await;
    assert_eq!(gone.unwrap(), None);
    assert_eq!(bench.read("aws_iam_role", &made).await, None);
    bench.create("aws_iam_role", named("node")).await.unwrap();
    let prefix = Value::object([("name_prefix", Value::from("node-"))]);
    let made = bench.create("aws_iam_role", prefix).await.unwrap();
    assert!(made.get_str("name").unwrap().starts_with("node-"));
    assert_eq!(made.get("id"), made.get("name"));
    // Deleting what is gone is no error.
    bench
        .run(&Op::new(), deletion("aws_iam_role", &made))
        .await
        .unwrap();
    bench
        .run(&Op::new(), deletion("aws_iam_role", &made))
        .await
        .unwrap();
}

#[tokio::test]
async fn an_operation_acts_once_and_is_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let bench = Bench::aws(&open(dir.path(), Faults::default())).await;
    let op = Op::new();
    let sent = creation("aws_eks_cluster", named("kong"));
    let recovery = RecoverRequest {
        operation: op.id().clone(),
        request: sent.clone(),
        checkpoint: None,
    };
    let absent = bench.connection.recover(&recovery).await.unwrap();
    assert_eq!(absent, Recovery::Absent);
    let one = bench.run(&op, sent.clone()).await.unwrap().unwrap();
    let two = bench.run(&op, sent).await.unwrap().unwrap();
    assert_eq!(one, two);
    assert_eq!(bench.cloud.list().unwrap().len(), 1);
    // A cluster takes long, so its id was recorded on the way.
    assert_eq!(op.1.lock().unwrap()[0].value, one);
    let found = bench.connection.recover(&recovery).await.unwrap();
    assert_eq!(found, Recovery::Found(one.into()));
}

#[tokio::test]
async fn kubernetes_objects_have_versions_and_load_balancers() {
    let dir = tempfile::tempdir().unwrap();
    let cloud = open(dir.path(), Faults::default());
    let host = |h: &str| Value::object([("host", Value::from(h))]);
    let bench = Bench::new(&cloud, "kubernetes", host("https://a")).await;
    let kind = "kubernetes_service_v1";
    let made = bench
        .create(kind, service("proxy", "LoadBalancer"))
        .await
        .unwrap();
    assert_eq!(made.get_str("id"), Some("kong/proxy"));
    let ingress = inner(inner(inner(&made, "status"), "load_balancer"), "ingress");
    assert!(
        ingress
            .get_str("hostname")
            .unwrap()
            .ends_with(".elb.us-east-1.amazonaws.com")
    );
    assert_eq!(inner(&made, "metadata").get_str("uid").unwrap().len(), 36);

    let block = schema(kind).unwrap().block;
    let config = configured(kind, service("proxy", "ClusterIP"));
    let planned = plan::propose(&block, Some(&made), &config);
    let planned = plan::forget_recomputed(&block, &planned, &config);
    let prior = made.clone().into();
    let update = request(kind, Action::Update { prior, planned });
    let changed = bench.run(&Op::new(), update).await.unwrap().unwrap();
    let version = |v: &Value| -> u64 {
        inner(v, "metadata")
            .get_str("resource_version")
            .unwrap()
            .parse()
            .unwrap()
    };
    assert_eq!(version(&changed), version(&made) + 1);
    assert_eq!(bench.read(kind, &changed).await, Some(changed));

    // The unversioned type is the same thing; another cluster is another place.
    let plain = "kubernetes_service";
    assert!(
        bench
            .create(plain, service("proxy", "ClusterIP"))
            .await
            .is_err()
    );
    let other = Bench::new(&cloud, "kubernetes", host("https://b")).await;
    other
        .create(kind, service("proxy", "ClusterIP"))
        .await
        .unwrap();
    assert!(cloud.get(kind, "kong/proxy").is_err());
    assert!(cloud.get(kind, "kong/proxy@https://b").unwrap().is_some());
    let ids: Vec<String> = cloud.list().unwrap().into_iter().map(|o| o.id).collect();
    assert_eq!(ids, ["kong/proxy@https://a", "kong/proxy@https://b"]);
}

#[tokio::test]
async fn what_is_in_a_cluster_goes_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let cloud = open(dir.path(), Faults::default());
    let aws = Bench::aws(&cloud).await;
    let cluster = aws.create("aws_eks_cluster", named("kong")).await.unwrap();
    let host = Value::object([("host", cluster.get("endpoint").unwrap().clone())]);
    let inside = Bench::new(&cloud, "kubernetes", host).await;
    let kind = "kubernetes_service_v1";
    let made = inside
        .create(kind, service("proxy", "ClusterIP"))
        .await
        .unwrap();
    aws.run(&Op::new(), deletion("aws_eks_cluster", &cluster))
        .await
        .unwrap();
    assert_eq!(inside.read(kind, &made).await, None);
    assert!(cloud.list().unwrap().is_empty());
}

#[tokio::test]
async fn tampering_and_reopening_are_seen() {
    let dir = tempfile::tempdir().unwrap();
    let cloud = open(dir.path(), Faults::default());
    let bench = Bench::aws(&cloud).await;
    let made = bench
        .create("aws_vpc", Value::object::<&str>([]))
        .await
        .unwrap();
    let id = made.get_str("id").unwrap().to_owned();
    let object = cloud.get("aws_vpc", &id).unwrap().unwrap();
    assert_eq!(object.provider, "aws");
    cloud
        .put(Object {
            value: object
                .value
                .clone()
                .with("cidr_block", "10.9.0.0/16".into()),
            ..object
        })
        .unwrap();
    let locked = Cloud::open(dir.path(), Options::default()).err().unwrap();
    assert_eq!(locked.0[0].summary, "The sandbox is in use");
    drop((bench, cloud));
    let cloud = open(dir.path(), Faults::default());
    let bench = Bench::aws(&cloud).await;
    let found = bench.read("aws_vpc", &made).await.unwrap();
    assert_eq!(found.get_str("cidr_block"), Some("10.9.0.0/16"));
    assert!(cloud.delete("aws_vpc", &id).unwrap());
    assert!(!cloud.delete("aws_vpc", &id).unwrap());
    assert_eq!(bench.read("aws_vpc", &made).await, None);
}

#[tokio::test]
async fn calls_are_counted_and_many_reads_are_one() {
    let dir = tempfile::tempdir().unwrap();
    let cloud = open(dir.path(), Faults::default());
    let bench = Bench::aws(&cloud).await;
    let made = bench.create("aws_iam_role", named("a")).await.unwrap();
    let read = |value: &Value| ReadRequest {
        type_name: "aws_iam_role".into(),
        state: value.clone().into(),
    };
    let other = made.clone().with("id", "b".into());
    let found = bench
        .connection
        .read_many(&[read(&made), read(&other)])
        .await;
    assert_eq!(found[0].clone().unwrap().unwrap().value, made);
    assert_eq!(found[1], Ok(None));
    let counts = cloud.calls();
    assert_eq!((counts.create, counts.read_many, counts.read), (1, 1, 0));
    assert_eq!(counts.total(), 2);
}

#[tokio::test]
async fn faults_are_retried_and_lost_answers_make_nothing_twice() {
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults {
        throttle: 0.2,
        server_error: 0.2,
        lost_response: 0.3,
        ..Faults::default()
    };
    let cloud = open(dir.path(), faults);
    let bench = Bench::aws(&cloud).await;
    for i in 0..20 {
        bench
            .create("aws_iam_role", named(&format!("r{i}")))
            .await
            .unwrap();
    }
    assert_eq!(cloud.list().unwrap().len(), 20);
    assert!(cloud.calls().create > 20);

    let dir = tempfile::tempdir().unwrap();
    let always = |throttle, lost_response| Faults {
        throttle,
        lost_response,
        ..Faults::default()
    };
    let cloud = open(dir.path(), always(1.0, 0.0));
    let failure = Bench::aws(&cloud)
        .await
        .create("aws_vpc", named("x"))
        .await
        .unwrap_err();
    assert_eq!((failure.state, cloud.calls().create), (None, 10));
    drop(cloud);
    // When every answer is lost, what was made is handed over with the failure.
    let dir = tempfile::tempdir().unwrap();
    let cloud = open(dir.path(), always(0.0, 1.0));
    let failure = Bench::aws(&cloud)
        .await
        .create("aws_iam_role", named("x"))
        .await
        .unwrap_err();
    assert_eq!(failure.state.unwrap().value.get_str("id"), Some("x"));
}

#[tokio::test]
async fn a_crash_leaves_what_was_done_before_it() {
    for (point, left) in [
        (CrashPoint::BeforeActing, 1),
        (CrashPoint::AfterActing, 2),
        (CrashPoint::AfterCheckpoint, 2),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let died = Arc::new(AtomicBool::new(false));
        let seen = died.clone();
        let faults = Faults {
            crash_at_call: Some(2),
            crash_point: point,
            crash: Some(Arc::new(move || seen.store(true, Ordering::SeqCst))),
            ..Faults::default()
        };
        let cloud = open(dir.path(), faults);
        let bench = Bench::aws(&cloud).await;
        bench.create("aws_iam_role", named("a")).await.unwrap();
        let op = Op::new();
        let sent = creation("aws_eks_cluster", named("b"));
        tokio::select! {
            biased;
            _ = bench.run(&op, sent) => panic!("the process is dead"),
            () = async { while !died.load(Ordering::SeqCst) { tokio::task::yield_now().await } } => {}
        }
        assert_eq!(
            op.1.lock().unwrap().len(),
            usize::from(point == CrashPoint::AfterCheckpoint)
        );
        drop((bench, cloud));
        let cloud = open(dir.path(), Faults::default());
        assert_eq!(cloud.list().unwrap().len(), left, "{point:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn realistic_latency_is_waited_for_on_the_paused_clock() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        latency: Latency::Realistic { scale: 1.0 },
        ..Options::default()
    };
    let bench = Bench::aws(&Cloud::open(dir.path(), options).unwrap()).await;
    let start = tokio::time::Instant::now();
    bench
        .create("aws_eks_cluster", named("kong"))
        .await
        .unwrap();
    let took = start.elapsed();
    let minutes = |m: u64| Duration::from_secs(60 * m);
    assert!(took > minutes(15) && took < minutes(16), "{took:?}");
}

#[tokio::test]
async fn zones_follow_the_region_and_tags_the_provider() {
    let dir = tempfile::tempdir().unwrap();
    let cloud = open(dir.path(), Faults::default());
    let tags = |k: &str| Value::map(text(), [(k.into(), "x".into())].into());
    let default_tags = Value::tuple(vec![Value::object([("tags", tags("owner"))])]);
    let config = Value::object([
        ("region", "eu-west-1".into()),
        ("default_tags", default_tags),
    ]);
    let bench = Bench::new(&cloud, "aws", config).await;
    let none = Value::object([("names", Value::NULL), ("zone_ids", Value::NULL)]);
    let zones = bench
        .connection
        .read_data("aws_availability_zones", &none)
        .await
        .unwrap();
    let names: Vec<&str> = zones
        .get("names")
        .unwrap()
        .as_slice()
        .unwrap()
        .iter()
        .flat_map(Value::as_str)
        .collect();
    assert_eq!(names, ["eu-west-1a", "eu-west-1b", "eu-west-1c"]);
    let vpc = bench
        .create("aws_vpc", Value::object([("tags", tags("own"))]))
        .await
        .unwrap();
    let all: Vec<&str> = vpc
        .get("tags_all")
        .unwrap()
        .as_map()
        .unwrap()
        .keys()
        .map(|k| &**k)
        .collect();
    assert_eq!(all, ["own", "owner"]);
    assert!(vpc.get_str("arn").unwrap().contains(":eu-west-1:"));
}

#[tokio::test]
async fn an_ephemeral_resource_is_invented_and_kept_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let cloud = open(dir.path(), Faults::default());
    let bench = Bench::aws(&cloud).await;
    let schema = Tiny("aws").ephemeral_schema("aws_session").unwrap();
    let asked = |name: &str| {
        let scope = Value::object([("path", Value::from("/kong"))]);
        let given = Value::object([("name", name.into()), ("scope", Value::tuple(vec![scope]))]);
        let filled = plan::fill_missing(&schema.block, given);
        convert::convert(&filled, &schema.block.ty()).unwrap()
    };
    let mut tokens = Vec::new();
    for type_name in ["aws_session", "aws_eks_cluster_auth"] {
        for name in ["a", "a", "b"] {
            let config = asked(name);
            let opened = bench.connection.open_ephemeral(type_name, &config).await;
            let opened = opened.unwrap();
            assert!(opened.value.is_wholly_known(), "{:?}", opened.value);
            assert!(convert::conforms(&opened.value, &schema.block.ty()));
            // What was asked for stays, what was left out is null.
            assert_eq!(opened.value.get_str("name"), Some(name));
            assert_eq!(inner(&opened.value, "scope").get_str("path"), Some("/kong"));
            assert!(opened.value.get("note").unwrap().is_null());
            assert_eq!(opened.renew_at, None);
            let close = bench.connection.close_ephemeral(type_name, &opened.private);
            close.await.unwrap();
            tokens.push(opened.value.get_str("token").unwrap().to_owned());
        }
    }
    // The same for the same, another for another.
    assert_eq!(tokens[0], tokens[1]);
    assert_eq!(tokens[3], tokens[4]);
    let others: std::collections::BTreeSet<&String> = tokens.iter().collect();
    assert_eq!(others.len(), 4, "{tokens:?}");
    assert!(cloud.list().unwrap().is_empty());
    let unknown = bench
        .connection
        .open_ephemeral("aws_none", &asked("a"))
        .await;
    assert!(unknown.is_err());
}
