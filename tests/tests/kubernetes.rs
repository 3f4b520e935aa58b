//! The Kubernetes provider against a real control plane: what is planned is what comes to be,
//! what others write is no drift unless it changes what topo set, and what the API refuses is
//! told so that a person can act on it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams, PostParams};
use serde_json::{Value as Json, json};
use tokio::sync::OnceCell;
use topo_sdk::{
    Action, ApplyFailure, ApplyRequest, Connection, Diagnostics, Kind, Operation, OperationId,
    PlanRequest, PlannedResource, Provider, ReadRequest, RecoverRequest, Recovery, ResourceState,
    Value, convert, plan,
};
use topo_tests::servers::ControlPlane;

type Outcome = Result<(), Box<dyn std::error::Error>>;

async fn cluster() -> &'static ControlPlane {
    static SHARED: OnceCell<ControlPlane> = OnceCell::const_new();
    SHARED
        .get_or_try_init(ControlPlane::start)
        .await
        .expect("a control plane")
}

/// What a mutation told the engine.
struct Told {
    id: OperationId,
    checkpoints: Mutex<Vec<ResourceState>>,
    progress: Mutex<Vec<String>>,
}

impl Told {
    fn new() -> Told {
        Told {
            id: OperationId::generate(),
            checkpoints: Mutex::default(),
            progress: Mutex::default(),
        }
    }
}

#[async_trait]
impl Operation for Told {
    fn id(&self) -> &OperationId {
        &self.id
    }

    async fn checkpoint(&self, partial: ResourceState) -> Result<(), Diagnostics> {
        self.checkpoints.lock().expect("no panic").push(partial);
        Ok(())
    }

    fn progress(&self, message: &str) {
        self.progress
            .lock()
            .expect("no panic")
            .push(message.to_owned());
    }
}

/// A configured provider and a namespace of the test's own.
struct World {
    provider: Arc<dyn Provider>,
    connection: Arc<dyn Connection>,
    client: Client,
    namespace: &'static str,
}

fn provider_block(provider: &Arc<dyn Provider>, written: Json) -> Value {
    let block = &provider.provider_schema().block;
    let filled = plan::fill_missing(block, topo_sdk::json::from_json(&written));
    convert::convert(&filled, &block.ty()).expect("a provider block")
}

impl World {
    async fn new(namespace: &'static str) -> World {
        let cluster = cluster().await;
        let provider = topo_provider_kubernetes::provider();
        let block = provider_block(
            &provider,
            json!({
                "host": cluster.endpoint(),
                "cluster_ca_certificate": cluster.ca_pem(),
                "token": cluster.token(),
            }),
        );
        let connection = provider.configure(&block).await.expect("a connection");
        let world = World {
            provider,
            connection,
            client: cluster.client().await.expect("a client"),
            namespace,
        };
        let made = world
            .create(
                "kubernetes_namespace_v1",
                json!({"metadata": [{"name": namespace}]}),
            )
            .await;
        made.expect("a namespace");
        world
    }

    fn config(&self, type_name: &str, written: Json) -> Value {
        let schema = self.provider.resource_schema(type_name).expect("a type");
        let filled = plan::fill_missing(&schema.block, topo_sdk::json::from_json(&written));
        convert::convert(&filled, &schema.block.ty())
            .unwrap_or_else(|e| panic!("{type_name} at {}: {e}", e.path))
    }

    fn plan(
        &self,
        type_name: &str,
        prior: Option<&ResourceState>,
        config: &Value,
    ) -> PlannedResource {
        let schema = self.provider.resource_schema(type_name).expect("a type");
        let proposed = plan::propose(&schema.block, prior.map(|p| &p.value), config);
        let request = PlanRequest {
            type_name: type_name.into(),
            prior: prior.cloned(),
            config: config.clone(),
            proposed,
        };
        self.provider.plan(&request).expect("a plan")
    }

    async fn run(
        &self,
        type_name: &str,
        action: Action,
        config: Value,
        told: &Told,
    ) -> Result<Option<ResourceState>, ApplyFailure> {
        let request = ApplyRequest {
            type_name: type_name.into(),
            action,
            config,
        };
        self.connection.apply(&request, told).await
    }

    async fn create(&self, type_name: &str, written: Json) -> Result<ResourceState, ApplyFailure> {
        self.create_told(type_name, written, &Told::new()).await
    }

    async fn create_told(
        &self,
        type_name: &str,
        written: Json,
        told: &Told,
    ) -> Result<ResourceState, ApplyFailure> {
        let config = self.config(type_name, written);
        let planned = self.plan(type_name, None, &config).value;
        let action = Action::Create {
            planned: planned.clone(),
        };
        let made = self
            .run(type_name, action, config, told)
            .await?
            .expect("an object");
        assert_kept(type_name, &planned, &made.value);
        assert!(!told.checkpoints.lock().expect("no panic").is_empty());
        Ok(made)
    }

    async fn update(
        &self,
        type_name: &str,
        prior: &ResourceState,
        written: Json,
    ) -> Result<ResourceState, ApplyFailure> {
        let config = self.config(type_name, written);
        let planned = self.plan(type_name, Some(prior), &config);
        assert_ne!(planned.value, prior.value, "{type_name}: nothing to update");
        assert!(
            planned.requires_replace.is_empty(),
            "{:?}",
            planned.requires_replace
        );
        let action = Action::Update {
            prior: prior.clone(),
            planned: planned.value.clone(),
        };
        let made = self.run(type_name, action, config, &Told::new()).await?;
        let made = made.expect("an object");
        assert_kept(type_name, &planned.value, &made.value);
        Ok(made)
    }

    async fn delete(&self, type_name: &str, prior: &ResourceState) {
        let action = Action::Delete {
            prior: prior.clone(),
        };
        let gone = self.run(type_name, action, Value::NULL, &Told::new()).await;
        assert!(
            gone.unwrap_or_else(|e| panic!("{type_name}: {}", e.diagnostics))
                .is_none()
        );
        assert!(
            self.read(type_name, prior).await.is_none(),
            "{type_name} is still there"
        );
    }

    async fn read(&self, type_name: &str, state: &ResourceState) -> Option<ResourceState> {
        let request = ReadRequest {
            type_name: type_name.into(),
            state: state.clone(),
        };
        let read = self.connection.read(&request).await;
        read.unwrap_or_else(|e| panic!("{type_name}: {e}"))
    }

    /// Reads without a change and plans without a difference.
    async fn assert_settled(&self, type_name: &str, state: &ResourceState, written: Json) {
        let read = self.read(type_name, state).await.expect("the object");
        assert_eq!(read.value, state.value, "{type_name} drifts by itself");
        let config = self.config(type_name, written);
        let planned = self.plan(type_name, Some(&read), &config);
        assert_eq!(planned.value, read.value, "{type_name} is never done");
    }

    /// The object as another program sees it.
    fn other(&self, api_version: &str, kind: &str, plural: &str) -> Api<DynamicObject> {
        let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
        let resource = ApiResource {
            group: group.into(),
            version: version.into(),
            api_version: api_version.into(),
            kind: kind.into(),
            plural: plural.into(),
        };
        Api::namespaced_with(self.client.clone(), self.namespace, &resource)
    }

    /// A change by another program.
    async fn meddle(&self, api_version: &str, kind: &str, plural: &str, name: &str, change: Json) {
        let params = PatchParams {
            field_manager: Some("somebody-else".into()),
            ..PatchParams::default()
        };
        let api = self.other(api_version, kind, plural);
        api.patch(name, &params, &Patch::Merge(change))
            .await
            .expect("a patch");
    }

    fn named(&self, name: &str) -> Json {
        json!([{"name": name, "namespace": self.namespace, "labels": {"app": name}}])
    }
}

/// What was planned is what came to be, wherever it was known.
fn assert_kept(path: &str, planned: &Value, made: &Value) {
    match planned.kind() {
        Kind::Unknown(_) => assert!(made.is_wholly_known(), "{path} is not known"),
        Kind::Object(fields) => {
            for (name, value) in fields.iter() {
                let made = made.get(name).unwrap_or(&Value::NULL);
                assert_kept(&format!("{path}.{name}"), value, made);
            }
        }
        Kind::List(_) | Kind::Tuple(_) => {
            let (planned, made) = (
                planned.as_slice().unwrap_or_default(),
                made.as_slice().unwrap_or_default(),
            );
            assert_eq!(planned.len(), made.len(), "{path}");
            for (i, (p, m)) in planned.iter().zip(made).enumerate() {
                assert_kept(&format!("{path}[{i}]"), p, m);
            }
        }
        _ => assert_eq!(planned, made, "{path}"),
    }
}

fn pod_template(name: &str) -> Json {
    json!([{
        "metadata": [{"labels": {"app": name}}],
        "spec": [{
            "container": [{
                "name": "main",
                "image": "kong:3.9",
                "env": [{"name": "A", "value": "1"}, {"name": "EMPTY", "value": ""}],
                "port": [{"name": "http", "container_port": 8000}],
                "resources": [{"requests": {"cpu": "1000m", "memory": "1024Mi"}}],
                "volume_mount": [{"name": "tmp", "mount_path": "/tmp"}],
                "readiness_probe": [{"http_get": [{"path": "/", "port": "http"}]}],
                "security_context": [{"read_only_root_filesystem": false, "capabilities": [{"drop": ["ALL"]}]}],
            }],
            "security_context": [{"run_as_user": 1000, "run_as_non_root": true}],
            "volume": [{"name": "tmp", "empty_dir": [{"size_limit": "1024Mi"}]}],
        }],
    }])
}

/// A kind's first and second configuration.
fn kinds(world: &World) -> Vec<(&'static str, Json, Json)> {
    let named = |name: &str| world.named(name);
    let cluster_named =
        |name: &str| json!([{"name": format!("{}-{name}", world.namespace), "labels": {"a": "b"}}]);
    let workload = |name: &str, replicas: i64| {
        json!({
            "metadata": named(name),
            "spec": [{
                "replicas": replicas,
                "selector": [{"match_labels": {"app": name}}],
                "template": pod_template(name),
            }],
        })
    };
    let stateful = |replicas: i64| {
        let mut written = workload("stateful", replicas);
        written["spec"][0]["service_name"] = json!("stateful");
        written["spec"][0]["volume_claim_template"] = json!([{
            "metadata": [{"name": "data"}],
            "spec": [{"access_modes": ["ReadWriteOnce"], "resources": [{"requests": {"storage": "1Gi"}}]}],
        }]);
        written
    };
    let daemon = |image: &str| {
        let mut template = pod_template("daemon");
        template[0]["spec"][0]["container"][0]["image"] = json!(image);
        json!({"metadata": named("daemon"), "spec": [{"selector": [{"match_labels": {"app": "daemon"}}], "template": template}]})
    };
    let job = |ttl: &str| {
        let mut template = pod_template("job");
        template[0]["spec"][0]["restart_policy"] = json!("Never");
        json!({"metadata": named("job"), "spec": [{"template": template, "ttl_seconds_after_finished": ttl}]})
    };
    let cron = |schedule: &str| {
        let mut template = pod_template("cron");
        template[0]["spec"][0]["restart_policy"] = json!("OnFailure");
        json!({"metadata": named("cron"), "spec": [{
            "schedule": schedule, "timezone": "Etc/UTC",
            "job_template": [{"spec": [{"template": template}]}],
        }]})
    };
    let service = |port: i64| {
        json!({"metadata": named("service"), "spec": [{
            "type": "LoadBalancer", "selector": {"app": "x"}, "load_balancer_source_ranges": ["10.0.0.0/8"],
            "port": [
                {"name": "http", "port": port, "target_port": "http"},
                {"name": "https", "port": 443, "target_port": 8443},
            ],
        }]})
    };
    let policy = |port: &str| {
        json!({"metadata": named("policy"), "spec": [{
            "policy_types": ["Ingress"],
            "pod_selector": [{}],
            "ingress": [
                {"from": [{"namespace_selector": [{"match_labels": {"a": "b"}}]}], "ports": [{"port": port, "protocol": "TCP"}]},
                {"from": [{"pod_selector": [{}]}]},
            ],
        }]})
    };
    let ingress = |host: &str| {
        json!({"metadata": named("ingress"), "spec": [{
            "ingress_class_name": "kong",
            "rule": [{"host": host, "http": [{"path": [{
                "path": "/", "path_type": "Prefix",
                "backend": [{"service": [{"name": "kong", "port": [{"number": 80}]}]}],
            }]}]}],
            "tls": [{"hosts": [host], "secret_name": "tls"}],
        }]})
    };
    let scaler = |most: i64| {
        json!({"metadata": named("scaler"), "spec": [{
            "min_replicas": 1, "max_replicas": most,
            "scale_target_ref": [{"api_version": "apps/v1", "kind": "Deployment", "name": "nobody"}],
            "metric": [{"type": "Resource", "resource": [{"name": "cpu", "target": [{"type": "Utilization", "average_utilization": 75}]}]}],
            "behavior": [{"scale_down": [{"stabilization_window_seconds": 300, "policy": [{"type": "Percent", "value": 50, "period_seconds": 60}]}]}],
        }]})
    };
    let rules = |verbs: Json| json!([{"api_groups": [""], "resources": ["pods"], "verbs": verbs}]);
    vec![
        (
            "kubernetes_config_map_v1",
            json!({"metadata": named("map"), "data": {"a": "1", "empty": ""}}),
            json!({"metadata": named("map"), "data": {"a": "2"}, "binary_data": {"b": "/w=="}}),
        ),
        (
            "kubernetes_secret_v1",
            json!({"metadata": named("secret"), "data": {"password": "geheim"}, "binary_data": {"blob": "/w=="}}),
            json!({"metadata": named("secret"), "data": {"password": "anders"}}),
        ),
        (
            "kubernetes_service_account_v1",
            json!({"metadata": named("account"), "automount_service_account_token": false}),
            json!({"metadata": named("account"), "automount_service_account_token": true, "image_pull_secret": [{"name": "b"}, {"name": "a"}]}),
        ),
        (
            "kubernetes_role_v1",
            json!({"metadata": named("role"), "rule": rules(json!(["list", "get"]))}),
            json!({"metadata": named("role"), "rule": rules(json!(["get"]))}),
        ),
        (
            "kubernetes_role_binding_v1",
            json!({"metadata": named("binding"), "role_ref": [{"api_group": "rbac.authorization.k8s.io", "kind": "Role", "name": "role"}], "subject": [{"kind": "ServiceAccount", "name": "a"}]}),
            json!({"metadata": named("binding"), "role_ref": [{"api_group": "rbac.authorization.k8s.io", "kind": "Role", "name": "role"}], "subject": [{"kind": "ServiceAccount", "name": "b", "namespace": world.namespace}]}),
        ),
        (
            "kubernetes_cluster_role_v1",
            json!({"metadata": cluster_named("role"), "rule": rules(json!(["get"]))}),
            json!({"metadata": cluster_named("role"), "rule": [{"non_resource_urls": ["/metrics"], "verbs": ["get"]}]}),
        ),
        (
            "kubernetes_cluster_role_binding_v1",
            json!({"metadata": cluster_named("binding"), "role_ref": [{"api_group": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}], "subject": [{"kind": "Group", "name": "a", "api_group": "rbac.authorization.k8s.io"}]}),
            json!({"metadata": cluster_named("binding"), "role_ref": [{"api_group": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}], "subject": [{"kind": "Group", "name": "b", "api_group": "rbac.authorization.k8s.io"}]}),
        ),
        ("kubernetes_service_v1", service(80), service(81)),
        (
            "kubernetes_deployment_v1",
            workload("deployment", 2),
            workload("deployment", 1),
        ),
        ("kubernetes_stateful_set_v1", stateful(1), stateful(2)),
        (
            "kubernetes_daemon_set_v1",
            daemon("kong:3.9"),
            daemon("kong:3.10"),
        ),
        ("kubernetes_job_v1", job("1000"), job("2000")),
        (
            "kubernetes_cron_job_v1",
            cron("0 0 1 1 *"),
            cron("0 0 2 1 *"),
        ),
        (
            "kubernetes_persistent_volume_claim_v1",
            json!({"metadata": named("claim"), "spec": [{"access_modes": ["ReadWriteOnce"], "resources": [{"requests": {"storage": "1024Mi"}}]}]}),
            json!({"metadata": [{"name": "claim", "namespace": world.namespace, "labels": {"app": "other"}}], "spec": [{"access_modes": ["ReadWriteOnce"], "resources": [{"requests": {"storage": "1024Mi"}}]}]}),
        ),
        (
            "kubernetes_persistent_volume_v1",
            json!({"metadata": cluster_named("volume"), "spec": [{"capacity": {"storage": "1Gi"}, "access_modes": ["ReadWriteMany"], "persistent_volume_source": [{"nfs": [{"server": "nfs", "path": "/"}]}]}]}),
            json!({"metadata": cluster_named("volume"), "spec": [{"capacity": {"storage": "2Gi"}, "access_modes": ["ReadWriteMany"], "persistent_volume_source": [{"nfs": [{"server": "nfs", "path": "/"}]}]}]}),
        ),
        (
            "kubernetes_storage_class_v1",
            json!({"metadata": cluster_named("class"), "storage_provisioner": "ebs.csi.aws.com", "parameters": {"type": "gp3"}, "volume_binding_mode": "WaitForFirstConsumer"}),
            json!({"metadata": cluster_named("class"), "storage_provisioner": "ebs.csi.aws.com", "parameters": {"type": "gp3"}, "volume_binding_mode": "WaitForFirstConsumer", "allow_volume_expansion": false}),
        ),
        (
            "kubernetes_pod_disruption_budget_v1",
            json!({"metadata": named("budget"), "spec": [{"max_unavailable": "1", "selector": [{"match_labels": {"app": "x"}}]}]}),
            json!({"metadata": named("budget"), "spec": [{"max_unavailable": "25%", "selector": [{"match_labels": {"app": "x"}}]}]}),
        ),
        (
            "kubernetes_network_policy_v1",
            policy("8005"),
            policy("http"),
        ),
        (
            "kubernetes_ingress_v1",
            ingress("a.example.com"),
            ingress("b.example.com"),
        ),
        (
            "kubernetes_ingress_class_v1",
            json!({"metadata": cluster_named("class"), "spec": [{"controller": "example.com/c"}]}),
            json!({"metadata": [{"name": format!("{}-class", world.namespace), "labels": {"a": "c"}}], "spec": [{"controller": "example.com/c"}]}),
        ),
        (
            "kubernetes_priority_class_v1",
            json!({"metadata": cluster_named("priority"), "value": 10, "description": "a"}),
            json!({"metadata": cluster_named("priority"), "value": 10, "description": "b"}),
        ),
        (
            "kubernetes_horizontal_pod_autoscaler_v2",
            scaler(5),
            scaler(6),
        ),
        (
            "kubernetes_horizontal_pod_autoscaler",
            json!({"metadata": named("scaler-one"), "spec": [{"max_replicas": 3, "target_cpu_utilization_percentage": 80, "scale_target_ref": [{"api_version": "apps/v1", "kind": "Deployment", "name": "x"}]}]}),
            json!({"metadata": named("scaler-one"), "spec": [{"max_replicas": 4, "target_cpu_utilization_percentage": 80, "scale_target_ref": [{"api_version": "apps/v1", "kind": "Deployment", "name": "x"}]}]}),
        ),
        (
            "kubernetes_limit_range_v1",
            json!({"metadata": named("limits"), "spec": [{"limit": [{"type": "Container", "max": {"memory": "100Gi"}}]}]}),
            json!({"metadata": named("limits"), "spec": [{"limit": [{"type": "Container", "max": {"memory": "200Gi"}}]}]}),
        ),
        (
            "kubernetes_resource_quota_v1",
            json!({"metadata": named("quota"), "spec": [{"hard": {"count/widgets.example.com": "100"}}]}),
            json!({"metadata": named("quota"), "spec": [{"hard": {"count/widgets.example.com": "200"}}]}),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_is_made_settles_changes_and_goes() -> Outcome {
    let world = World::new("every-kind").await;
    let runs = kinds(&world).into_iter().map(|(type_name, first, second)| {
        let world = &world;
        async move {
            let made = world.create(type_name, first.clone()).await;
            let made = made.unwrap_or_else(|e| panic!("{type_name}: {}", e.diagnostics));
            world.assert_settled(type_name, &made, first).await;
            let changed = world.update(type_name, &made, second.clone()).await;
            let changed = changed.unwrap_or_else(|e| panic!("{type_name}: {}", e.diagnostics));
            world.assert_settled(type_name, &changed, second).await;
            let id = changed.value.get_str("id").expect("an id");
            world
                .connection
                .import(type_name, id)
                .await
                .expect("an import");
            world.delete(type_name, &changed).await;
        }
    });
    futures::future::join_all(runs).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_has_the_address_of_its_load_balancer() -> Outcome {
    let world = World::new("addresses").await;
    let written = json!({"metadata": world.named("kong"), "spec": [{"type": "LoadBalancer", "port": [{"port": 80}]}]});
    let made = world
        .create("kubernetes_service", written)
        .await
        .map_err(|e| e.diagnostics)?;
    let status = topo_sdk::json::to_json(made.value.get("status").expect("a status"));
    let host = &status[0]["load_balancer"][0]["ingress"][0]["hostname"];
    assert!(host.as_str().is_some_and(|h| !h.is_empty()), "{status}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_change_is_drift_only_where_topo_set_it() -> Outcome {
    let world = World::new("drift").await;
    let written = json!({"metadata": world.named("kong"), "spec": [{
        "selector": [{"match_labels": {"app": "kong"}}],
        "template": pod_template("kong"),
    }]});
    let made = world
        .create("kubernetes_deployment_v1", written.clone())
        .await
        .map_err(|e| e.diagnostics)?;
    let meddle = async |change: Json| {
        world
            .meddle("apps/v1", "Deployment", "deployments", "kong", change)
            .await
    };

    // As an autoscaler does, and an operator with annotations and settings of its own.
    meddle(json!({"spec": {"replicas": 3, "minReadySeconds": 1}, "metadata": {"annotations": {"x/y": "z"}, "labels": {"theirs": "1"}}})).await;
    world
        .assert_settled("kubernetes_deployment_v1", &made, written.clone())
        .await;

    meddle(json!({"metadata": {"labels": {"app": "evil"}}})).await;
    let drifted = world
        .read("kubernetes_deployment_v1", &made)
        .await
        .expect("the object");
    assert_ne!(drifted.value, made.value);
    let labels = |state: &ResourceState| {
        let metadata = state
            .value
            .get("metadata")
            .and_then(Value::as_slice)
            .and_then(<[Value]>::first);
        metadata
            .and_then(|m| m.get("labels"))
            .cloned()
            .map(|l| topo_sdk::json::to_json(&l))
    };
    assert_eq!(labels(&drifted), Some(json!({"app": "evil"})));

    // An apply sets it back and leaves the others' alone.
    let healed = world
        .update("kubernetes_deployment_v1", &drifted, written.clone())
        .await
        .map_err(|e| e.diagnostics)?;
    world
        .assert_settled("kubernetes_deployment_v1", &healed, written)
        .await;
    let live = world
        .other("apps/v1", "Deployment", "deployments")
        .get("kong")
        .await?;
    assert_eq!(live.data["spec"]["replicas"], json!(3));
    assert_eq!(
        live.metadata
            .labels
            .unwrap_or_default()
            .get("theirs")
            .map(String::as_str),
        Some("1")
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_object_is_not_taken_over_but_can_be_imported() -> Outcome {
    let world = World::new("foreign").await;
    let maps: Api<ConfigMap> = Api::namespaced(world.client.clone(), world.namespace);
    let theirs =
        serde_json::from_value(json!({"metadata": {"name": "theirs"}, "data": {"a": "1"}}))?;
    maps.create(&PostParams::default(), &theirs).await?;
    let written =
        json!({"metadata": [{"name": "theirs", "namespace": "foreign"}], "data": {"a": "2"}});
    let refused = world
        .create("kubernetes_config_map_v1", written.clone())
        .await
        .expect_err("an object");
    let message = refused.diagnostics.to_string();
    assert!(
        message.contains("exists already")
            && message.contains("topo import")
            && message.contains("foreign/theirs"),
        "{message}"
    );
    assert!(refused.state.is_none());

    let imported = world
        .connection
        .import("kubernetes_config_map_v1", "foreign/theirs")
        .await?;
    let changed = world
        .update("kubernetes_config_map_v1", &imported, written.clone())
        .await
        .map_err(|e| e.diagnostics)?;
    world
        .assert_settled("kubernetes_config_map_v1", &changed, written)
        .await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_of_a_dead_run_is_found_again() -> Outcome {
    let world = World::new("recovery").await;
    let type_name = "kubernetes_config_map_v1";
    let written = json!({"metadata": [{"generate_name": "gen-", "namespace": "recovery"}], "data": {"a": "1"}});
    let config = world.config(type_name, written.clone());
    let planned = world.plan(type_name, None, &config).value;
    let told = Told::new();
    let recover = |operation: &OperationId| RecoverRequest {
        operation: operation.clone(),
        request: ApplyRequest {
            type_name: type_name.into(),
            action: Action::Create {
                planned: planned.clone(),
            },
            config: config.clone(),
        },
        checkpoint: None,
    };
    assert_eq!(
        world.connection.recover(&recover(&told.id)).await?,
        Recovery::Absent
    );
    let made = world
        .create_told(type_name, written, &told)
        .await
        .map_err(|e| e.diagnostics)?;
    assert_eq!(
        world.connection.recover(&recover(&told.id)).await?,
        Recovery::Found(made)
    );
    assert_eq!(
        world
            .connection
            .recover(&recover(&OperationId::generate()))
            .await?,
        Recovery::Absent
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn many_objects_are_read_with_one_list() -> Outcome {
    let world = World::new("many").await;
    let mut requests = Vec::new();
    for i in 0..6 {
        let written = json!({"metadata": [{"name": format!("m{i}"), "namespace": "many"}], "data": {"a": i.to_string()}});
        let state = world
            .create("kubernetes_config_map", written)
            .await
            .map_err(|e| e.diagnostics)?;
        requests.push(ReadRequest {
            type_name: "kubernetes_config_map".into(),
            state,
        });
    }
    let gone = requests[2].state.clone();
    world.delete("kubernetes_config_map", &gone).await;
    let answers = world.connection.read_many(&requests).await;
    for (i, (request, answer)) in requests.iter().zip(answers).enumerate() {
        let expected = (i != 2).then(|| request.state.clone());
        assert_eq!(answer?, expected, "m{i}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_that_gets_nowhere_says_why() -> Outcome {
    let world = World::new("stuck").await;
    let mut template = pod_template("stuck");
    template[0]["metadata"][0]["annotations"] = json!({"topo.test/outcome": "stuck"});
    let written = json!({
        "metadata": world.named("stuck"),
        "spec": [{"replicas": 2, "selector": [{"match_labels": {"app": "stuck"}}], "template": template}],
        "timeouts": {"create": "2s"},
    });
    let told = Told::new();
    let failed = world
        .create_told("kubernetes_deployment_v1", written, &told)
        .await
        .expect_err("a rollout");
    let message = failed.diagnostics.to_string();
    assert!(message.contains("0 of 2 replicas available"), "{message}");
    let state = failed.state.expect("what is left of it");
    assert!(
        told.progress
            .lock()
            .expect("no panic")
            .iter()
            .any(|m| m.contains("0 of 2"))
    );
    world.delete("kubernetes_deployment_v1", &state).await;

    let mut template = pod_template("fails");
    template[0]["metadata"][0]["annotations"] = json!({"topo.test/outcome": "fail"});
    template[0]["spec"][0]["restart_policy"] = json!("Never");
    let written = json!({"metadata": world.named("fails"), "spec": [{"backoff_limit": 0, "template": template}]});
    let failed = world
        .create("kubernetes_job_v1", written)
        .await
        .expect_err("a job");
    assert!(
        failed
            .diagnostics
            .to_string()
            .contains("BackoffLimitExceeded"),
        "{}",
        failed.diagnostics
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_names_the_attribute() -> Outcome {
    let world = World::new("refused").await;
    let mut template = pod_template("bad");
    template[0]["spec"][0]["container"][0]["image_pull_policy"] = json!("Sometimes");
    let written = json!({"metadata": world.named("bad"), "spec": [{"selector": [{"match_labels": {"app": "bad"}}], "template": template}]});
    let refused = world
        .create("kubernetes_deployment_v1", written)
        .await
        .expect_err("a refusal");
    let paths: Vec<String> = refused
        .diagnostics
        .iter()
        .map(|d| d.attribute.to_string())
        .collect();
    assert_eq!(
        paths,
        ["spec[0].template[0].spec[0].container[0].image_pull_policy"],
        "{}",
        refused.diagnostics
    );
    let nowhere = json!({"metadata": [{"name": "a", "namespace": "nowhere"}]});
    let refused = world
        .create("kubernetes_config_map_v1", nowhere)
        .await
        .expect_err("a refusal");
    assert!(
        refused
            .diagnostics
            .to_string()
            .contains("namespaces \"nowhere\" not found"),
        "{}",
        refused.diagnostics
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_connect_is_told_why() -> Outcome {
    let cluster = cluster().await;
    let provider = topo_provider_kubernetes::provider();
    let read = async |written: Json| {
        let connection = provider
            .configure(&provider_block(&provider, written))
            .await
            .expect("a connection");
        let started = Instant::now();
        let failed = connection.import("kubernetes_namespace", "default").await;
        assert!(started.elapsed() < Duration::from_secs(15));
        failed.map_err(|e| e.to_string())
    };
    let host = cluster.endpoint();
    let wrong =
        read(json!({"host": host, "cluster_ca_certificate": cluster.ca_pem(), "token": "wrong"}))
            .await;
    let wrong = wrong.expect_err("no access");
    assert!(
        wrong.contains("not authorized") && wrong.contains(&host),
        "{wrong}"
    );
    assert!(!wrong.contains("Bearer"), "{wrong}");
    let unknown = read(json!({"host": host, "token": cluster.token()}))
        .await
        .expect_err("no trust");
    assert!(unknown.contains("certificate"), "{unknown}");
    let nobody = read(json!({"host": "https://127.0.0.1:1", "insecure": true}))
        .await
        .expect_err("nobody");
    assert!(
        nobody.contains("127.0.0.1:1") && nobody.contains("cannot be reached"),
        "{nobody}"
    );
    for good in [
        json!({"host": host, "insecure": true, "token": cluster.token()}),
        json!({"host": host, "cluster_ca_certificate": cluster.ca_pem(), "client_certificate": cluster.client_cert_pem(), "client_key": cluster.client_key_pem()}),
        json!({"config_path": cluster.kubeconfig().to_str()}),
        json!({"host": host, "cluster_ca_certificate": cluster.ca_pem(), "exec": [{
            "api_version": "client.authentication.k8s.io/v1", "command": "sh",
            "args": ["-c", "echo \"{\\\"apiVersion\\\":\\\"client.authentication.k8s.io/v1\\\",\\\"kind\\\":\\\"ExecCredential\\\",\\\"status\\\":{\\\"token\\\":\\\"$TOKEN\\\"}}\""],
            "env": {"TOKEN": cluster.token()},
        }]}),
    ] {
        read(good).await.expect("access");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_of_a_custom_kind() -> Outcome {
    let world = World::new("manifests").await;
    let type_name = "kubernetes_manifest";
    let widget = |size: i64| {
        json!({"manifest": {
            "apiVersion": "topo.test/v1", "kind": "Widget",
            "metadata": {"name": "w", "namespace": "manifests"},
            "spec": {"size": size},
        }})
    };
    let refused = world
        .create(type_name, widget(1))
        .await
        .expect_err("no such kind");
    assert!(
        refused
            .diagnostics
            .to_string()
            .contains("CustomResourceDefinition"),
        "{}",
        refused.diagnostics
    );

    let definition = json!({
        "manifest": {
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "widgets.topo.test"},
            "spec": {
                "group": "topo.test", "scope": "Namespaced",
                "names": {"plural": "widgets", "singular": "widget", "kind": "Widget"},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                    "type": "object",
                    "properties": {"spec": {"type": "object", "properties": {
                        "size": {"type": "integer"}, "colour": {"type": "string", "default": "red"},
                    }}},
                }}}],
            },
        },
        "wait": [{"condition": [{"type": "Established", "status": "True"}]}],
    });
    let made = world
        .create(type_name, definition.clone())
        .await
        .map_err(|e| e.diagnostics)?;
    world.assert_settled(type_name, &made, definition).await;

    let one = world
        .create(type_name, widget(1))
        .await
        .map_err(|e| e.diagnostics)?;
    world.assert_settled(type_name, &one, widget(1)).await;
    let object = topo_sdk::json::to_json(one.value.get("object").expect("an object"));
    assert_eq!(object["spec"]["colour"], json!("red"));
    world
        .meddle(
            "topo.test/v1",
            "Widget",
            "widgets",
            "w",
            json!({"spec": {"colour": "blue"}}),
        )
        .await;
    world.assert_settled(type_name, &one, widget(1)).await;
    world
        .meddle(
            "topo.test/v1",
            "Widget",
            "widgets",
            "w",
            json!({"spec": {"size": 9}}),
        )
        .await;
    let drifted = world.read(type_name, &one).await.expect("the object");
    assert_ne!(drifted.value, one.value);
    let two = world
        .update(type_name, &drifted, widget(2))
        .await
        .map_err(|e| e.diagnostics)?;
    world.assert_settled(type_name, &two, widget(2)).await;
    let id = "apiVersion=topo.test/v1,kind=Widget,namespace=manifests,name=w";
    world.connection.import(type_name, id).await?;
    world.delete(type_name, &two).await;
    world.delete(type_name, &made).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn data_sources_read_what_is_there() -> Outcome {
    let world = World::new("data").await;
    let written = json!({"metadata": world.named("s"), "data": {"password": "geheim"}});
    world
        .create("kubernetes_secret", written)
        .await
        .map_err(|e| e.diagnostics)?;
    let schema = world
        .provider
        .data_schema("kubernetes_secret")
        .expect("a data source");
    let config = |name: &str| {
        let asked = json!({"metadata": [{"name": name, "namespace": "data"}]});
        let filled = plan::fill_missing(&schema.block, topo_sdk::json::from_json(&asked));
        convert::convert(&filled, &schema.block.ty()).expect("a configuration")
    };
    let found = world
        .connection
        .read_data("kubernetes_secret", &config("s"))
        .await?;
    assert!(convert::conforms(&found, &schema.block.ty()));
    assert_eq!(
        found.get("data").and_then(|d| d.get_str("password")),
        Some("geheim")
    );
    let none = world
        .connection
        .read_data("kubernetes_secret", &config("none"))
        .await;
    assert!(none.expect_err("nothing").to_string().contains("data/none"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_only_written_is_sent_with_its_revision() -> Outcome {
    const SECRET: &str = "kubernetes_secret_v1";
    let world = World::new("write-only").await;
    let written = |label: &str, text: Option<&str>, revision: u64, binary: u64| {
        json!({
            "metadata": [{"name": "s", "namespace": "write-only", "labels": {"label": label}}],
            "data": {"plain": "p"},
            "data_wo": text.map(|t| json!({"text": t})),
            "data_wo_revision": text.map(|_| revision),
            "binary_data_wo": {"binary": if binary == 1 { "AQI=" } else { "Aw==" }},
            "binary_data_wo_revision": binary,
        })
    };
    let live = async || {
        let secrets = world.other("v1", "Secret", "secrets");
        secrets.get("s").await.expect("the secret").data["data"].clone()
    };
    let first = written("a", Some("one"), 1, 1);
    let made = world.create(SECRET, first.clone()).await;
    let made = made.map_err(|e| e.diagnostics)?;
    // "p", "one"
    assert_eq!(
        live().await,
        json!({"plain": "cA==", "text": "b25l", "binary": "AQI="})
    );
    for name in ["data_wo", "binary_data_wo"] {
        assert!(made.value.get(name).is_some_and(Value::is_null), "{name}");
    }
    world.assert_settled(SECRET, &made, first).await;

    // Neither of both is sent with another change, though both are other ones now.
    let mut label = written("b", Some("two"), 1, 1);
    label["binary_data_wo"] = json!({"binary": "BAU="});
    let made = world.update(SECRET, &made, label).await;
    let made = made.map_err(|e| e.diagnostics)?;
    assert_eq!(
        live().await,
        json!({"plain": "cA==", "text": "b25l", "binary": "AQI="})
    );
    // Somebody else's value is none of topo's business.
    let theirs = json!({"data": {"text": "eA=="}});
    world.meddle("v1", "Secret", "secrets", "s", theirs).await;
    let read = world.read(SECRET, &made).await.expect("the secret");
    assert_eq!(read.value, made.value);
    // One is sent with its revision, the other stays.
    let made = world
        .update(SECRET, &read, written("b", Some("two"), 1, 2))
        .await;
    let made = made.map_err(|e| e.diagnostics)?;
    assert_eq!(
        live().await,
        json!({"plain": "cA==", "text": "eA==", "binary": "Aw=="})
    );
    let made = world
        .update(SECRET, &made, written("b", Some("two"), 2, 2))
        .await;
    let made = made.map_err(|e| e.diagnostics)?;
    assert_eq!(live().await["text"], "dHdv");
    // What is no longer there goes.
    let made = world.update(SECRET, &made, written("b", None, 0, 2)).await;
    let made = made.map_err(|e| e.diagnostics)?;
    assert_eq!(live().await, json!({"plain": "cA==", "binary": "Aw=="}));
    world.delete(SECRET, &made).await;
    Ok(())
}

/// The configuration of an ephemeral resource.
fn ephemeral(world: &World, type_name: &str, written: Json) -> Value {
    let schema = world.provider.ephemeral_schema(type_name).expect("a type");
    let filled = plan::fill_missing(&schema.block, topo_sdk::json::from_json(&written));
    convert::convert(&filled, &schema.block.ty())
        .unwrap_or_else(|e| panic!("{type_name} at {}: {e}", e.path))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_a_service_account_is_who_it_says() -> Outcome {
    const TOKEN: &str = "kubernetes_token_request_v1";
    let world = World::new("tokens").await;
    let account = json!({"metadata": world.named("deployer")});
    let account = world.create("kubernetes_service_account_v1", account).await;
    account.map_err(|e| e.diagnostics)?;
    let config = ephemeral(
        &world,
        TOKEN,
        json!({
            "metadata": [{"name": "deployer", "namespace": "tokens"}],
            "spec": [{"expiration_seconds": 600}],
        }),
    );
    let opened = world.connection.open_ephemeral(TOKEN, &config).await?;
    assert!(opened.value.is_wholly_known());
    let schema = world.provider.ephemeral_schema(TOKEN).expect("a type");
    assert!(convert::conforms(&opened.value, &schema.block.ty()));
    let block = provider_block(
        &world.provider,
        json!({
            "host": cluster().await.endpoint(),
            "cluster_ca_certificate": cluster().await.ca_pem(),
            "token": opened.value.get_str("token"),
        }),
    );
    let theirs = world.provider.configure(&block).await?;
    let asked = theirs.import("kubernetes_secret_v1", "tokens/s").await;
    let refused = asked.expect_err("no rights").to_string();
    let who = "system:serviceaccount:tokens:deployer";
    assert!(refused.contains(who), "{refused}");

    let nobody = ephemeral(
        &world,
        TOKEN,
        json!({"metadata": [{"name": "nobody", "namespace": "tokens"}]}),
    );
    let refused = world.connection.open_ephemeral(TOKEN, &nobody).await;
    let refused = refused.expect_err("nobody").to_string();
    let said = "Cannot make a token of ServiceAccount tokens/nobody";
    assert!(refused.contains(said), "{refused}");
    // Only what the API refuses is wrong with it: too short a time.
    let mut short = json!({"metadata": [{"name": "deployer", "namespace": "tokens"}]});
    short["spec"] = json!([{"expiration_seconds": 60}]);
    let short = ephemeral(&world, TOKEN, short);
    let refused = world.connection.open_ephemeral(TOKEN, &short).await;
    let refused = refused.expect_err("too short").to_string();
    assert!(refused.contains("10 minutes"), "{refused}");
    Ok(())
}

/// A request for a certificate of CN=deployer, O=topo.
const CERTIFICATE_REQUEST: &str = "-----BEGIN CERTIFICATE REQUEST-----
MIHdMIGEAgEAMCIxETAPBgNVBAMMCGRlcGxveWVyMQ0wCwYDVQQKDAR0b3BvMFkw
EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEsbZ8EmJJ/63LYuaw533g8E0UOVYJCdLb
mzBccC5Sd2PxMqC0I9iSNqU9i4XntsogMoxAOxSUWO6nlNN1WGXqWKAAMAoGCCqG
SM49BAMCA0gAMEUCIQDxU+hsELUz3olQaOaj3WvgZ5hyih5xmtNTa0GaQudmGQIg
N3cTqfiWwsvCz0blKVHLITxKGDKJdjl/mUJ7Xm9Y8YA=
-----END CERTIFICATE REQUEST-----
";

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_issued_and_its_request_goes() -> Outcome {
    const REQUEST: &str = "kubernetes_certificate_signing_request_v1";
    let world = World::new("certificates").await;
    let config = |name: &str, approve: bool| {
        let written = json!({
            "metadata": [{"name": name}],
            "spec": [{
                "request": CERTIFICATE_REQUEST,
                "signer_name": "topo.test/signer",
                "usages": ["client auth"],
                "expiration_seconds": 3600,
            }],
            "auto_approve": approve,
        });
        ephemeral(&world, REQUEST, written)
    };
    let requests: Api<CertificateSigningRequest> = Api::all(world.client.clone());
    // The signer of the cluster: this test.
    let until = async |name: &str, met: fn(&CertificateSigningRequest) -> bool| loop {
        match requests.get_opt(name).await.expect("an answer") {
            Some(found) if met(&found) => break found,
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    let certificate = cluster().await.client_cert_pem();
    let signing = async {
        let found = until("good", |r| {
            let status = r.status.clone().unwrap_or_default();
            let conditions = status.conditions.unwrap_or_default();
            conditions.iter().any(|c| c.type_ == "Approved")
        })
        .await;
        assert_eq!(found.spec.request.0, CERTIFICATE_REQUEST.as_bytes());
        assert_eq!(found.spec.usages, Some(vec!["client auth".to_owned()]));
        assert_eq!(found.spec.expiration_seconds, Some(3600));
        let status = json!({"status": {"certificate": STANDARD.encode(certificate)}});
        let signed = requests
            .patch_status("good", &PatchParams::default(), &Patch::Merge(status))
            .await;
        signed.expect("a signature");
    };
    let asked = config("good", true);
    let opening = world.connection.open_ephemeral(REQUEST, &asked);
    let (opened, ()) = tokio::join!(opening, signing);
    let value = opened?.value;
    assert_eq!(value.get_str("certificate"), Some(certificate));
    assert_eq!(value.get_str("id"), Some("good"));
    assert!(value.is_wholly_known());
    assert!(
        requests.get_opt("good").await?.is_none(),
        "it is there still"
    );

    let denying = async {
        until("bad", |_| true).await;
        let status = json!({"status": {"conditions": [{
            "type": "Denied", "status": "True", "reason": "Policy", "message": "Not you.",
        }]}});
        let denied = requests
            .patch_approval("bad", &PatchParams::default(), &Patch::Merge(status))
            .await;
        denied.expect("a denial");
    };
    let asked = config("bad", false);
    let opening = world.connection.open_ephemeral(REQUEST, &asked);
    let (opened, ()) = tokio::join!(opening, denying);
    let refused = opened.expect_err("denied").to_string();
    assert!(
        refused.contains("CertificateSigningRequest bad: Denied"),
        "{refused}"
    );
    assert!(refused.contains("Policy: Not you."), "{refused}");
    assert!(
        requests.get_opt("bad").await?.is_none(),
        "it is there still"
    );
    Ok(())
}
