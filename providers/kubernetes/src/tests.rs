//! The derived schemas, and objects there and back.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};
use topo_sdk::schema::{Block, Mode, Nesting};
use topo_sdk::{PlanRequest, Type, Value, convert, plan};

use crate::kinds::{self, Model};
use crate::read::{self, Scope};
use crate::{manifest, provider, write};

fn model(type_name: &str) -> &'static Model {
    kinds::find(type_name).unwrap().model()
}

/// A configuration as the engine hands it over.
fn config(model: &Model, written: Json) -> Value {
    let block = &model.schema.block;
    let filled = plan::fill_missing(block, topo_sdk::json::from_json(&written));
    convert::convert(&filled, &block.ty()).unwrap_or_else(|e| panic!("{}: {e}", e.path))
}

fn planned(model: &Model, config: &Value) -> Value {
    plan::propose(&model.schema.block, None, config)
}

fn read_back(model: &Model, live: &Json, scope: Scope<'_>) -> Value {
    read::object(
        &model.shape,
        &model.schema.block,
        live.as_object().unwrap(),
        scope,
    )
}

/// Every path of a block: `spec.template.spec.container.image`.
fn paths(block: &Block, path: &str, found: &mut BTreeSet<String>) {
    let join = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    found.extend(block.attributes.keys().map(|name| join(name)));
    for (name, nested) in &block.blocks {
        found.insert(join(name));
        paths(&nested.block, &join(name), found);
    }
}

fn all_paths(type_name: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    paths(&model(type_name).schema.block, "", &mut found);
    found
}

fn attribute_type(type_name: &str, path: &str) -> Type {
    let mut block = &model(type_name).schema.block;
    let mut parts: Vec<&str> = path.split('.').collect();
    let last = parts.pop().unwrap();
    for part in parts {
        block = &block.blocks[part].block;
    }
    block.attributes[last].ty.clone()
}

#[test]
fn names_and_nesting_are_those_of_the_hashicorp_provider() {
    let template = "spec.template.spec";
    let pod = [
        "container.name",
        "container.image",
        "container.command",
        "container.args",
        "container.env.name",
        "container.env.value_from.secret_key_ref.key",
        "container.env.value_from.config_map_key_ref.name",
        "container.env_from.secret_ref.name",
        "container.port.container_port",
        "container.port.host_ip",
        "container.resources.limits",
        "container.resources.requests",
        "container.security_context.capabilities.drop",
        "container.security_context.run_as_user",
        "container.volume_mount.mount_path",
        "container.liveness_probe.http_get.http_header.value",
        "container.readiness_probe.tcp_socket.port",
        "container.startup_probe.exec.command",
        "container.lifecycle.pre_stop.exec.command",
        "container.working_dir",
        "init_container.image",
        "host_aliases.hostnames",
        "image_pull_secrets.name",
        "toleration.toleration_seconds",
        "topology_spread_constraint.label_selector.match_labels",
        "affinity.node_affinity.required_during_scheduling_ignored_during_execution.node_selector_term.match_expressions.values",
        "affinity.pod_anti_affinity.preferred_during_scheduling_ignored_during_execution.pod_affinity_term.topology_key",
        "dns_config.option.name",
        "host_ipc",
        "host_pid",
        "security_context.fs_group",
        "security_context.seccomp_profile.type",
        "security_context.sysctl.name",
        "security_context.se_linux_options.level",
        "service_account_name",
        "volume.secret.secret_name",
        "volume.secret.items.path",
        "volume.secret.default_mode",
        "volume.config_map.name",
        "volume.empty_dir.size_limit",
        "volume.host_path.type",
        "volume.persistent_volume_claim.claim_name",
        "volume.aws_elastic_block_store.volume_id",
        "volume.projected.sources.service_account_token.expiration_seconds",
        "volume.csi.driver",
        "volume.nfs.server",
        "readiness_gate.condition_type",
        "termination_grace_period_seconds",
        "automount_service_account_token",
    ];
    let found = all_paths("kubernetes_deployment_v1");
    for path in pod {
        assert!(found.contains(&format!("{template}.{path}")), "{path}");
    }
    for (type_name, wanted) in [
        (
            "kubernetes_deployment",
            &[
                "id",
                "metadata.name",
                "metadata.namespace",
                "metadata.generate_name",
                "metadata.resource_version",
                "metadata.uid",
                "spec.replicas",
                "spec.selector.match_labels",
                "spec.strategy.rolling_update.max_surge",
                "spec.progress_deadline_seconds",
                "spec.template.metadata.annotations",
                "wait_for_rollout",
                "timeouts.create",
            ][..],
        ),
        (
            "kubernetes_service_v1",
            &[
                "spec.cluster_ip",
                "spec.external_ips",
                "spec.load_balancer_source_ranges",
                "spec.port.target_port",
                "spec.port.node_port",
                "spec.session_affinity_config.client_ip.timeout_seconds",
                "status",
                "wait_for_load_balancer",
            ],
        ),
        (
            "kubernetes_stateful_set_v1",
            &[
                "spec.volume_claim_template.metadata.name",
                "spec.volume_claim_template.spec.resources.requests",
                "spec.update_strategy.rolling_update.partition",
                "spec.service_name",
            ],
        ),
        (
            "kubernetes_daemon_set_v1",
            &[
                "spec.strategy.rolling_update.max_unavailable",
                "spec.template.spec.container.name",
            ],
        ),
        (
            "kubernetes_job_v1",
            &[
                "spec.backoff_limit",
                "spec.ttl_seconds_after_finished",
                "spec.template.spec.restart_policy",
                "wait_for_completion",
            ],
        ),
        (
            "kubernetes_cron_job_v1",
            &[
                "spec.schedule",
                "spec.timezone",
                "spec.job_template.spec.template.spec.container.image",
                "spec.job_template.metadata.labels",
            ],
        ),
        (
            "kubernetes_secret_v1",
            &[
                "data",
                "binary_data",
                "data_wo",
                "data_wo_revision",
                "binary_data_wo",
                "binary_data_wo_revision",
                "type",
                "immutable",
                "wait_for_service_account_token",
            ],
        ),
        (
            "kubernetes_config_map_v1",
            &["data", "binary_data", "immutable"],
        ),
        (
            "kubernetes_service_account_v1",
            &[
                "secret.name",
                "image_pull_secret.name",
                "automount_service_account_token",
            ],
        ),
        (
            "kubernetes_role_v1",
            &["rule.api_groups", "rule.resource_names", "rule.verbs"],
        ),
        (
            "kubernetes_cluster_role_v1",
            &[
                "rule.non_resource_urls",
                "aggregation_rule.cluster_role_selectors.match_labels",
            ],
        ),
        (
            "kubernetes_role_binding_v1",
            &["role_ref.api_group", "subject.kind", "subject.namespace"],
        ),
        (
            "kubernetes_cluster_role_binding_v1",
            &["role_ref.name", "subject.api_group"],
        ),
        (
            "kubernetes_network_policy_v1",
            &[
                "spec.ingress.from.namespace_selector.match_labels",
                "spec.ingress.ports.port",
                "spec.egress.to.ip_block.except",
                "spec.pod_selector.match_expressions.key",
                "spec.policy_types",
            ],
        ),
        (
            "kubernetes_ingress_v1",
            &[
                "spec.rule.http.path.backend.service.port.number",
                "spec.tls.hosts",
                "spec.tls.secret_name",
                "spec.default_backend.service.name",
                "spec.ingress_class_name",
                "status",
            ],
        ),
        (
            "kubernetes_ingress_class_v1",
            &["spec.controller", "spec.parameters.scope"],
        ),
        (
            "kubernetes_horizontal_pod_autoscaler_v2",
            &[
                "spec.scale_target_ref.api_version",
                "spec.metric.resource.target.average_utilization",
                "spec.metric.external.metric.selector.match_labels",
                "spec.behavior.scale_down.policy.period_seconds",
                "spec.behavior.scale_up.stabilization_window_seconds",
            ],
        ),
        (
            "kubernetes_horizontal_pod_autoscaler",
            &[
                "spec.target_cpu_utilization_percentage",
                "spec.max_replicas",
            ],
        ),
        (
            "kubernetes_persistent_volume_claim_v1",
            &[
                "spec.access_modes",
                "spec.resources.requests",
                "spec.storage_class_name",
                "spec.volume_name",
                "wait_until_bound",
            ],
        ),
        (
            "kubernetes_persistent_volume_v1",
            &[
                "spec.persistent_volume_source.host_path.path",
                "spec.persistent_volume_source.csi.volume_handle",
                "spec.capacity",
                "spec.node_affinity.required.node_selector_term.match_expressions.values",
                "spec.claim_ref.name",
            ],
        ),
        (
            "kubernetes_storage_class_v1",
            &[
                "storage_provisioner",
                "parameters",
                "reclaim_policy",
                "volume_binding_mode",
                "allow_volume_expansion",
                "mount_options",
                "allowed_topologies.match_label_expressions.values",
            ],
        ),
        (
            "kubernetes_pod_disruption_budget_v1",
            &[
                "spec.max_unavailable",
                "spec.min_available",
                "spec.selector.match_labels",
            ],
        ),
        (
            "kubernetes_priority_class_v1",
            &["value", "global_default", "description"],
        ),
        (
            "kubernetes_resource_quota_v1",
            &[
                "spec.hard",
                "spec.scopes",
                "spec.scope_selector.match_expression.operator",
            ],
        ),
        (
            "kubernetes_limit_range_v1",
            &["spec.limit.default_request", "spec.limit.type"],
        ),
        ("kubernetes_pod_v1", &["spec.container.name"]),
    ] {
        let found = all_paths(type_name);
        for path in wanted {
            assert!(found.contains(*path), "{type_name}: {path}");
        }
    }
    assert!(!all_paths("kubernetes_namespace_v1").contains("metadata.namespace"));
    assert!(!all_paths("kubernetes_namespace_v1").contains("spec"));
}

#[test]
fn types_are_those_of_the_hashicorp_provider() {
    let strings = || Type::list(Type::String);
    let container = "spec.template.spec.container";
    for (type_name, path, ty) in [
        (
            "kubernetes_deployment_v1",
            "spec.replicas".to_owned(),
            Type::String,
        ),
        (
            "kubernetes_deployment_v1",
            format!("{container}.security_context.run_as_user"),
            Type::String,
        ),
        (
            "kubernetes_deployment_v1",
            format!("{container}.port.container_port"),
            Type::Number,
        ),
        (
            "kubernetes_deployment_v1",
            format!("{container}.command"),
            strings(),
        ),
        (
            "kubernetes_deployment_v1",
            format!("{container}.resources.limits"),
            Type::map(Type::String),
        ),
        (
            "kubernetes_deployment_v1",
            format!("{container}.liveness_probe.http_get.port"),
            Type::String,
        ),
        (
            "kubernetes_deployment_v1",
            "spec.template.spec.volume.secret.default_mode".into(),
            Type::String,
        ),
        (
            "kubernetes_deployment_v1",
            "spec.template.spec.volume.empty_dir.size_limit".into(),
            Type::String,
        ),
        (
            "kubernetes_service_v1",
            "spec.external_ips".into(),
            Type::set(Type::String),
        ),
        (
            "kubernetes_service_v1",
            "spec.selector".into(),
            Type::map(Type::String),
        ),
        (
            "kubernetes_persistent_volume_claim_v1",
            "spec.access_modes".into(),
            Type::set(Type::String),
        ),
        (
            "kubernetes_network_policy_v1",
            "spec.policy_types".into(),
            strings(),
        ),
        (
            "kubernetes_pod_disruption_budget_v1",
            "spec.max_unavailable".into(),
            Type::String,
        ),
    ] {
        assert_eq!(attribute_type(type_name, &path), ty, "{type_name}: {path}");
    }
    let verbs = |type_name| attribute_type(type_name, "rule.verbs");
    assert_eq!(verbs("kubernetes_role"), Type::set(Type::String));
    assert_eq!(verbs("kubernetes_cluster_role"), strings());
    let claim = all_paths("kubernetes_stateful_set");
    assert!(!claim.contains("spec.volume_claim_template.status"));
    let secret = &model("kubernetes_secret").schema.block;
    assert!(secret.attributes["data"].sensitive);
    assert!(secret.attributes["type"].force_new);
    assert_eq!(
        secret.blocks["metadata"].block.attributes["name"].mode,
        Mode::OptionalComputed
    );
    assert_eq!(secret.blocks["metadata"].nesting, Nesting::List);
    assert_eq!(
        (secret.blocks["metadata"].min, secret.blocks["metadata"].max),
        (1, 1)
    );
    let accounts = &model("kubernetes_service_account").schema.block;
    assert_eq!(accounts.blocks["image_pull_secret"].nesting, Nesting::Set);
}

#[test]
fn only_what_cannot_be_changed_in_place_forces_a_new_object() {
    let image = |type_name: &str, path: &[&str]| {
        let mut block = &model(type_name).schema.block;
        for part in path {
            block = &block.blocks[*part].block;
        }
        (
            block.attributes["image"].force_new,
            block.attributes["command"].force_new,
        )
    };
    let template = ["spec", "template", "spec", "container"];
    assert_eq!(image("kubernetes_deployment", &template), (false, false));
    assert_eq!(image("kubernetes_job", &template), (true, true));
    let nested = [
        "spec",
        "job_template",
        "spec",
        "template",
        "spec",
        "container",
    ];
    assert_eq!(image("kubernetes_cron_job", &nested), (false, false));
    let pod = ["spec", "container"];
    assert_eq!(image("kubernetes_pod", &pod), (false, true));
}

#[test]
fn every_type_has_a_schema_made_quickly() {
    let provider = provider();
    let types = provider.resource_types();
    assert!(types.windows(2).all(|w| w[0] < w[1]));
    for name in &types {
        let schema = provider.resource_schema(name).unwrap();
        assert!(std::sync::Arc::ptr_eq(
            &schema,
            &provider.resource_schema(name).unwrap()
        ));
        if &**name != manifest::TYPE {
            assert!(schema.block.blocks.contains_key("metadata"), "{name}");
            assert!(schema.block.attributes.contains_key("id"), "{name}");
        }
    }
    for name in provider.data_types() {
        provider.data_schema(&name).unwrap().block.ty();
    }
}

fn deployment() -> Json {
    json!({
        "metadata": [{"name": "kong", "labels": {"app": "kong"}}],
        "spec": [{
            "replicas": 2,
            "selector": [{"match_labels": {"app": "kong"}}],
            "template": [{
                "metadata": [{"labels": {"app": "kong"}}],
                "spec": [{
                    "security_context": [{"run_as_user": 1000, "run_as_non_root": true}],
                    "container": [{
                        "name": "kong",
                        "image": "kong:3.9",
                        "port": [{"name": "proxy", "container_port": 8000}],
                        "env": [
                            {"name": "A", "value": "1"},
                            {"name": "B", "value_from": [{"secret_key_ref": [{"name": "s", "key": "k"}]}]},
                            {"name": "EMPTY", "value": ""},
                        ],
                        "resources": [{"requests": {"cpu": "1000m", "memory": "1024Mi"}}],
                        "readiness_probe": [{"http_get": [{"path": "/", "port": "8000"}]}],
                        "security_context": [{"read_only_root_filesystem": false, "capabilities": [{"drop": ["ALL"]}]}],
                    }],
                    "volume": [
                        {"name": "cert", "secret": [{"secret_name": "c", "default_mode": "0440"}]},
                        {"name": "tmp", "empty_dir": [{}]},
                    ],
                }],
            }],
        }],
    })
}

#[test]
fn an_object_is_sent_as_the_api_spells_it() {
    let model = model("kubernetes_deployment_v1");
    let config = config(model, deployment());
    let sent = Json::Object(write::object(
        &model.shape,
        &planned(model, &config),
        &config,
    ));
    let pod = &sent["spec"]["template"]["spec"];
    assert_eq!(
        sent["metadata"],
        json!({"name": "kong", "namespace": "default", "labels": {"app": "kong"}})
    );
    assert_eq!(sent["spec"]["replicas"], json!(2));
    assert_eq!(
        sent["spec"]["selector"],
        json!({"matchLabels": {"app": "kong"}})
    );
    assert_eq!(
        pod["securityContext"],
        json!({"runAsUser": 1000, "runAsNonRoot": true})
    );
    assert_eq!(
        pod["containers"][0]["readinessProbe"],
        json!({"httpGet": {"path": "/", "port": 8000}})
    );
    assert_eq!(
        pod["containers"][0]["env"][1],
        json!({"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}})
    );
    assert_eq!(
        pod["volumes"],
        json!([
            {"name": "cert", "secret": {"secretName": "c", "defaultMode": 0o440}},
            {"name": "tmp", "emptyDir": {}},
        ])
    );
    // Nothing that was not configured.
    assert!(sent["spec"].get("strategy").is_none());
}

/// What the API makes of the deployment: defaults, canonical amounts, dropped empties.
fn live_deployment() -> Json {
    let model = model("kubernetes_deployment_v1");
    let config = config(model, deployment());
    let mut live = Json::Object(write::object(
        &model.shape,
        &planned(model, &config),
        &config,
    ));
    live["metadata"]["uid"] = json!("u1");
    live["metadata"]["resourceVersion"] = json!("7");
    live["metadata"]["generation"] = json!(1);
    live["metadata"]["annotations"] = json!({"deployment.kubernetes.io/revision": "1"});
    live["spec"]["progressDeadlineSeconds"] = json!(600);
    live["spec"]["strategy"] = json!({"type": "RollingUpdate"});
    let container = &mut live["spec"]["template"]["spec"]["containers"][0];
    container["imagePullPolicy"] = json!("IfNotPresent");
    container["resources"]["requests"] = json!({"cpu": "1", "memory": "1Gi"});
    container["env"][2] = json!({"name": "EMPTY"});
    live
}

fn applied_deployment() -> Value {
    let model = model("kubernetes_deployment_v1");
    let config = config(model, deployment());
    read_back(
        model,
        &live_deployment(),
        Scope::Prior(&planned(model, &config)),
    )
}

#[test]
fn reading_back_what_was_sent_shows_no_difference() {
    let model = model("kubernetes_deployment_v1");
    let config = config(model, deployment());
    let state = applied_deployment().with("id", "default/kong".into());
    let proposed = plan::propose(&model.schema.block, Some(&state), &config);
    assert_eq!(proposed, state);
    assert_eq!(
        state.get("metadata").unwrap().as_slice().unwrap()[0].get_str("uid"),
        Some("u1")
    );
}

#[test]
fn a_change_of_what_topo_set_is_seen_and_nothing_else() {
    let model = model("kubernetes_deployment_v1");
    let state = applied_deployment();
    let read = |live: &Json| read_back(model, live, Scope::Prior(&state));
    let mut live = live_deployment();
    live["spec"]["replicas"] = json!(5);
    assert_ne!(read(&live), state);
    let mut live = live_deployment();
    live["spec"]["template"]["spec"]["containers"][0]["image"] = json!("evil:1");
    assert_ne!(read(&live), state);
    let mut live = live_deployment();
    live["metadata"]["labels"]
        .as_object_mut()
        .unwrap()
        .remove("app");
    assert_ne!(read(&live), state);
    // A sidecar, a foreign label, another default.
    let mut live = live_deployment();
    let containers = live["spec"]["template"]["spec"]["containers"]
        .as_array_mut()
        .unwrap();
    containers.insert(0, json!({"name": "sidecar", "image": "s:1"}));
    live["metadata"]["labels"]["other"] = json!("x");
    live["spec"]["minReadySeconds"] = json!(3);
    live["spec"]["template"]["spec"]["containers"][1]["env"]
        .as_array_mut()
        .unwrap()
        .push(json!({"name": "X", "value": "y"}));
    assert_eq!(read(&live), state);
    // A renamed container is in its place.
    let mut live = live_deployment();
    live["spec"]["template"]["spec"]["containers"][0]["name"] = json!("other");
    assert_ne!(read(&live), state);
}

#[test]
fn replicas_that_are_not_set_belong_to_the_autoscaler() {
    let model = model("kubernetes_deployment_v1");
    let mut written = deployment();
    written["spec"][0]
        .as_object_mut()
        .unwrap()
        .remove("replicas");
    let config = config(model, written);
    let mut live = live_deployment();
    let state = read_back(model, &live, Scope::Prior(&planned(model, &config)));
    live["spec"]["replicas"] = json!(17);
    assert_eq!(read_back(model, &live, Scope::Prior(&state)), state);
}

#[test]
fn ownership_is_read_from_managed_fields() {
    let model = model("kubernetes_deployment_v1");
    let owned = json!({
        "f:metadata": {"f:labels": {"f:app": {}}},
        "f:spec": {
            "f:selector": {},
            "f:template": {"f:spec": {"f:containers": {
                "k:{\"name\":\"kong\"}": {".": {}, "f:name": {}, "f:image": {}},
            }}},
        },
    });
    let mut live = live_deployment();
    live["metadata"]["labels"]["other"] = json!("x");
    let value = read_back(model, &live, Scope::Owned(&owned));
    let at = |path: &[&str]| {
        path.iter().try_fold(value.clone(), |v, name| {
            let v = v
                .as_slice()
                .map_or(Some(v.clone()), |items| items.first().cloned())?;
            v.get(name).cloned()
        })
    };
    assert_eq!(
        at(&["metadata", "labels"]),
        Some(Value::map(
            Type::String,
            [("app".into(), "kong".into())].into()
        ))
    );
    assert_eq!(at(&["spec", "replicas"]), Some(Value::NULL));
    assert_eq!(
        at(&["spec", "selector", "match_labels", "app"])
            .unwrap()
            .as_str(),
        Some("kong")
    );
    let container = ["spec", "template", "spec", "container"];
    let image = [&container[..], &["image"]].concat();
    let env = [&container[..], &["env"]].concat();
    assert_eq!(at(&image).unwrap().as_str(), Some("kong:3.9"));
    assert_eq!(at(&env).unwrap().as_slice(), Some(&[][..]));
}

#[test]
fn a_secret_is_given_in_plain_text() {
    let model = model("kubernetes_secret_v1");
    let written = json!({
        "metadata": [{"name": "s"}],
        "data": {"password": "geheim"},
        "binary_data": {"blob": "/w=="},
    });
    let config = config(model, written);
    let plan = planned(model, &config);
    let sent = write::object(&model.shape, &plan, &config);
    assert_eq!(
        sent["data"],
        json!({"password": "Z2VoZWlt", "blob": "/w=="})
    );
    assert_eq!(sent["type"], json!("Opaque"));
    let live = Json::Object(sent);
    let state = read_back(model, &live, Scope::Prior(&plan));
    assert_eq!(state.get("data"), config.get("data"));
    assert_eq!(state.get("binary_data"), config.get("binary_data"));
}

#[test]
fn what_the_api_decides_is_read_but_not_sent_back() {
    let model = model("kubernetes_service_v1");
    let config = config(
        model,
        json!({
            "metadata": [{"name": "s"}],
            "spec": [{"selector": {"a": "b"}, "port": [{"port": 80, "target_port": "http"}]}],
        }),
    );
    let plan = planned(model, &config);
    let live = json!({
        "metadata": {"name": "s", "namespace": "default", "uid": "u", "resourceVersion": "1"},
        "spec": {
            "clusterIP": "10.0.0.7", "clusterIPs": ["10.0.0.7"], "type": "ClusterIP",
            "sessionAffinity": "None", "selector": {"a": "b"},
            "ports": [{"port": 80, "protocol": "TCP", "targetPort": "http"}],
        },
    });
    let state = read_back(model, &live, Scope::Prior(&plan));
    let spec = state.get("spec").unwrap().as_slice().unwrap()[0].clone();
    assert_eq!(spec.get_str("cluster_ip"), Some("10.0.0.7"));
    assert!(spec.get("type").unwrap().is_null());
    let again = plan::propose(&model.schema.block, Some(&state), &config);
    let sent = write::object(&model.shape, &again, &config);
    assert!(sent["spec"].get("clusterIP").is_none());
    assert_eq!(
        sent["spec"]["ports"],
        json!([{"port": 80, "targetPort": "http", "protocol": "TCP"}])
    );
}

#[test]
fn a_volume_source_is_wrapped() {
    let model = model("kubernetes_persistent_volume_v1");
    let config = config(
        model,
        json!({
            "metadata": [{"name": "v"}],
            "spec": [{
                "capacity": {"storage": "1Gi"}, "access_modes": ["ReadWriteOnce"],
                "persistent_volume_source": [{"host_path": [{"path": "/data"}]}],
            }],
        }),
    );
    let plan = planned(model, &config);
    let sent = Json::Object(write::object(&model.shape, &plan, &config));
    assert_eq!(sent["spec"]["hostPath"], json!({"path": "/data"}));
    let state = read_back(model, &sent, Scope::Prior(&plan));
    assert_eq!(
        state.get("spec"),
        config.get("spec").map(|_| plan.get("spec").unwrap())
    );
}

#[test]
fn a_manifest_of_another_kind_or_name_is_another_object() {
    let schema = manifest::schema();
    let with = |name: &str, value: &str| {
        let written = json!({"manifest": {
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"k": value},
        }});
        plan::fill_missing(&schema.block, topo_sdk::json::from_json(&written))
    };
    let prior = with("a", "1").with("object", Value::object([("x", Value::from(1))]));
    let change = |config: Value| {
        let proposed = plan::propose(&schema.block, Some(&prior), &config);
        let request = PlanRequest {
            type_name: manifest::TYPE.into(),
            prior: Some(prior.clone().into()),
            config,
            proposed,
        };
        provider().plan(&request).unwrap()
    };
    let same = change(with("a", "1"));
    assert_eq!(same.value, prior);
    let changed = change(with("a", "2"));
    assert!(changed.requires_replace.is_empty());
    assert!(!changed.value.get("object").unwrap().is_known());
    let renamed = change(with("b", "1"));
    assert_eq!(
        renamed.requires_replace[0].to_string(),
        "manifest.metadata.name"
    );
}

#[test]
fn an_absent_object_reads_as_no_fields() {
    let model = model("kubernetes_config_map_v1");
    let value = read::object(&model.shape, &model.schema.block, &Map::new(), Scope::All);
    assert!(value.get("data").unwrap().is_null());
}

#[test]
fn a_manifest_names_its_object() {
    let provider = provider();
    let wrong = |manifest: Value| {
        let config = Value::object([("manifest", manifest)]);
        let found = provider.validate_resource(manifest::TYPE, &config);
        found.iter().map(|d| d.summary.clone()).collect::<Vec<_>>()
    };
    let named = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
    assert!(wrong(topo_sdk::json::from_json(&named)).is_empty());
    let nameless = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}, "status": {}});
    let found = wrong(topo_sdk::json::from_json(&nameless));
    assert_eq!(
        found,
        [
            "The manifest has no metadata.name",
            "The manifest has a status"
        ]
    );
    assert!(wrong(Value::unknown(Type::Dynamic)).is_empty());
}

#[test]
fn what_is_only_written_is_sent_and_never_read() {
    let model = model("kubernetes_secret_v1");
    let config = config(
        model,
        json!({
            "metadata": [{"name": "s"}],
            "data": {"a": "plain"},
            "data_wo": {"b": "secret"},
            "binary_data_wo": {"c": "AQI="},
        }),
    );
    let planned = planned(model, &config);
    assert!(planned.get("data_wo").unwrap().is_null());
    let sent = write::object(&model.shape, &planned, &config);
    let all = json!({"a": "cGxhaW4=", "b": "c2VjcmV0", "c": "AQI="});
    assert_eq!(sent["data"], all);
    let live = json!({"metadata": {"name": "s"}, "data": all});
    for scope in [Scope::Prior(&planned), Scope::All] {
        let read = read_back(model, &live, scope);
        assert!(read.get("data_wo").unwrap().is_null());
        assert!(read.get("binary_data_wo").unwrap().is_null());
    }
    // And the data source does not have them.
    let data = kinds::find_data("kubernetes_secret_v1")
        .unwrap()
        .data_schema();
    let mut names = data.block.attributes.keys();
    assert!(
        !names.any(|n| n.contains("_wo")),
        "{:?}",
        data.block.attributes
    );
}

#[test]
fn ephemeral_types_have_schemas_that_make_sense() {
    let provider = provider();
    let names = provider.ephemeral_types();
    assert!(names.is_sorted());
    for name in names {
        let schema = provider.ephemeral_schema(&name).unwrap();
        assert!(schema.block.blocks["metadata"].min == 1, "{name}");
        let computed = |n: &&str| schema.block.attributes.contains_key(*n);
        assert!(["token", "certificate"].iter().any(computed), "{name}");
    }
}
