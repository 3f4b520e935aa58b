//! What the Kubernetes control plane has.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::Client;
use kube::api::{Api, DynamicObject, GetParams, ListParams, Patch, PatchParams, Request};
use kube::discovery::{Discovery, verbs};
use serde_json::{Value as Json, json};
use x509_parser::oid_registry::OID_NIST_EC_P384;
use x509_parser::pem::parse_x509_pem;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A client that may see everything.
pub struct Cluster(Client);

impl Cluster {
    pub fn new(client: Client) -> Cluster {
        Cluster(client)
    }

    /// Everything there is, by name: what can be listed, but not what merely was (events).
    pub async fn everything(&self) -> Result<BTreeSet<String>> {
        let mut all = BTreeSet::new();
        let discovery = Discovery::new(self.0.clone()).run().await?;
        for group in discovery.groups() {
            for (resource, capabilities) in group.recommended_resources() {
                let kind = resource.kind.clone();
                if !capabilities.supports_operation(verbs::LIST)
                    || ["Event", "ComponentStatus"].contains(&kind.as_str())
                {
                    continue;
                }
                let api: Api<DynamicObject> = Api::all_with(self.0.clone(), &resource);
                for object in api.list(&ListParams::default()).await? {
                    let namespace = object.metadata.namespace.unwrap_or_default();
                    let name = object.metadata.name.unwrap_or_default();
                    all.insert(format!("{kind} {namespace}/{name}"));
                }
            }
        }
        Ok(all)
    }

    /// One object of the collection at this path.
    pub async fn get(&self, collection: &str, name: &str) -> Result<Json> {
        let request = Request::new(collection).get(name, &GetParams::default())?;
        Ok(self.0.request(request).await?)
    }

    /// One value of a Secret, decoded.
    pub async fn secret(&self, namespace: &str, name: &str, key: &str) -> Result<Vec<u8>> {
        let secret = self.get(&core(namespace, "secrets"), name).await?;
        let value = secret["data"][key].as_str().ok_or("no such key")?;
        Ok(STANDARD.decode(value)?)
    }

    /// Changes the spec as another client would.
    pub async fn tamper(&self, collection: &str, name: &str, spec: Json) -> Result<()> {
        let parameters = PatchParams {
            field_manager: Some("somebody-else".into()),
            ..PatchParams::default()
        };
        let patch = Patch::Merge(json!({ "spec": spec }));
        let request = Request::new(collection).patch(name, &parameters, &patch)?;
        self.0.request::<Json>(request).await?;
        Ok(())
    }

    /// That every object is there and is what the modules describe.
    pub async fn check(&self) -> Result<()> {
        for (collection, name, expected) in expected() {
            let found = self.get(&collection, name).await?;
            let wrong = differences(&found, &expected, &format!("{collection}/{name}"));
            assert!(wrong.is_empty(), "{}\nin {found:#}", wrong.join("\n"));
        }
        self.certificate().await
    }

    /// That both planes have the same certificate, of the kind that Kong's hybrid mode asks for.
    async fn certificate(&self) -> Result<()> {
        let ours = self.secret("kong", "kong-cluster-cert", "tls.crt").await?;
        for key in ["tls.crt", "tls.key"] {
            assert_eq!(
                self.secret("kong", "kong-cluster-cert", key).await?,
                self.secret("kong-dp", "kong-cluster-cert", key).await?,
            );
        }
        let (_, pem) = parse_x509_pem(&ours)?;
        let certificate = pem.parse_x509()?;
        assert_eq!(certificate.subject().to_string(), "CN=kong_clustering");
        assert_eq!(certificate.issuer(), certificate.subject());
        assert!(certificate.validity().is_valid());
        let curve = certificate.public_key().algorithm.parameters.as_ref();
        let curve = curve.ok_or("no curve")?.as_oid()?;
        assert_eq!(curve, OID_NIST_EC_P384);
        Ok(())
    }
}

fn core(namespace: &str, kind: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/{kind}")
}

/// What the modules describe: where, name, and the parts that must be so.
fn expected() -> Vec<(String, &'static str, Json)> {
    let apps = |namespace, kind| format!("/apis/apps/v1/namespaces/{namespace}/{kind}");
    let restricted = json!({
        "metadata": { "labels": {
            "app.kubernetes.io/part-of": "kong",
            "pod-security.kubernetes.io/enforce": "restricted",
        } },
        "status": { "phase": "Active" },
    });
    let tls = json!({ "type": "kubernetes.io/tls" });
    let service = |kind: &str, ports: &[(&str, u16, &str)]| {
        let ports: Vec<Json> = ports
            .iter()
            .map(|(name, port, target)| {
                json!({ "name": name, "port": port, "targetPort": target, "protocol": "TCP" })
            })
            .collect();
        json!({ "spec": { "type": kind, "ports": ports } })
    };
    let headless = json!({ "spec": {
        "clusterIP": "None",
        "publishNotReadyAddresses": true,
        "ports": [{ "name": "postgresql", "port": 5432 }],
    } });
    let mut proxy = service(
        "LoadBalancer",
        &[("http", 80, "proxy"), ("https", 443, "proxy-tls")],
    );
    proxy["metadata"]["annotations"] =
        json!({ "service.beta.kubernetes.io/aws-load-balancer-type": "nlb" });
    proxy["status"]["loadBalancer"]["ingress"] =
        json!([{ "hostname": "kong-dp-kong-proxy-kong-dp.elb.test" }]);

    vec![
        ("/api/v1/namespaces".into(), "kong", restricted.clone()),
        ("/api/v1/namespaces".into(), "kong-dp", restricted),
        (core("kong", "secrets"), "kong-cluster-cert", tls.clone()),
        (core("kong-dp", "secrets"), "kong-cluster-cert", tls),
        (
            core("kong", "secrets"),
            "kong-postgresql",
            json!({ "type": "Opaque" }),
        ),
        (
            core("kong", "persistentvolumeclaims"),
            "kong-postgresql-data",
            json!({
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "storageClassName": "kong-kong-postgresql",
                    "resources": { "requests": { "storage": "1Gi" } },
                },
                "status": { "phase": "Bound" },
            }),
        ),
        (apps("kong", "statefulsets"), "kong-postgresql", database()),
        (
            core("kong", "services"),
            "kong-postgresql",
            service("ClusterIP", &[("postgresql", 5432, "postgresql")]),
        ),
        (
            core("kong", "services"),
            "kong-postgresql-headless",
            headless,
        ),
        (apps("kong", "deployments"), "kong-kong", control_plane()),
        (
            core("kong", "services"),
            "kong-kong-admin",
            service(
                "ClusterIP",
                &[("admin", 8001, "admin"), ("admin-tls", 8444, "admin-tls")],
            ),
        ),
        (
            core("kong", "services"),
            "kong-kong-manager",
            service(
                "ClusterIP",
                &[
                    ("manager", 8002, "manager"),
                    ("manager-tls", 8445, "manager-tls"),
                ],
            ),
        ),
        (
            core("kong", "services"),
            "kong-kong-cluster",
            service("ClusterIP", &[("cluster", 8005, "cluster")]),
        ),
        (
            core("kong", "services"),
            "kong-kong-clustertelemetry",
            service("ClusterIP", &[("telemetry", 8006, "telemetry")]),
        ),
        (
            core("kong", "serviceaccounts"),
            "kong-kong",
            json!({ "automountServiceAccountToken": false }),
        ),
        (apps("kong-dp", "deployments"), "kong-dp-kong", data_plane()),
        (core("kong-dp", "services"), "kong-dp-kong-proxy", proxy),
        (
            core("kong-dp", "services"),
            "kong-dp-status",
            service("ClusterIP", &[("status", 8100, "status")]),
        ),
        (
            "/apis/autoscaling/v2/namespaces/kong-dp/horizontalpodautoscalers".into(),
            "kong-dp-kong",
            json!({ "spec": {
                "minReplicas": 1,
                "maxReplicas": 4,
                "scaleTargetRef": { "kind": "Deployment", "name": "kong-dp-kong" },
                "metrics": [{ "resource": {
                    "name": "cpu",
                    "target": { "type": "Utilization", "averageUtilization": 75 },
                } }],
            } }),
        ),
        (
            "/apis/policy/v1/namespaces/kong-dp/poddisruptionbudgets".into(),
            "kong-dp-kong",
            json!({ "spec": { "maxUnavailable": 1 } }),
        ),
        (
            "/apis/networking.k8s.io/v1/namespaces/kong/networkpolicies".into(),
            "kong-kong",
            json!({ "spec": {
                "policyTypes": ["Ingress"],
                "ingress": [
                    {
                        "from": [{ "namespaceSelector": { "matchLabels": {
                            "kubernetes.io/metadata.name": "kong-dp",
                        } } }],
                        "ports": [{ "port": 8005 }, { "port": 8006 }],
                    },
                    { "ports": [{ "port": 8100 }] },
                    {
                        "from": [{ "podSelector": {} }],
                        "ports": [
                            { "port": 8001 },
                            { "port": 8444 },
                            { "port": 8002 },
                            { "port": 8445 },
                        ],
                    },
                ],
            } }),
        ),
        (
            "/apis/batch/v1/namespaces/kong/jobs".into(),
            "kong-kong-migrations-d5f94f9c",
            json!({
                "spec": { "template": { "spec": { "containers": [{
                    "name": "migrations",
                    "image": IMAGE,
                    "securityContext": hardened(),
                }] } } },
                "status": { "succeeded": 1 },
            }),
        ),
    ]
}

const IMAGE: &str = "docker.io/kong/kong-gateway:3.9.1.2";

fn hardened() -> Json {
    json!({
        "allowPrivilegeEscalation": false,
        "readOnlyRootFilesystem": true,
        "runAsNonRoot": true,
        "capabilities": { "drop": ["ALL"] },
    })
}

fn database() -> Json {
    json!({
        "spec": {
            "replicas": 1,
            "serviceName": "kong-postgresql-headless",
            "template": { "spec": {
                "securityContext": { "runAsUser": 999, "runAsNonRoot": true, "fsGroup": 999 },
                "containers": [{
                    "name": "postgresql",
                    "image": "docker.io/library/postgres:16-bookworm",
                    "securityContext": hardened(),
                }],
                "volumes": [
                    {
                        "name": "data",
                        "persistentVolumeClaim": { "claimName": "kong-postgresql-data" },
                    },
                    { "name": "run", "emptyDir": {} },
                    { "name": "tmp", "emptyDir": {} },
                ],
            } },
        },
        "status": { "readyReplicas": 1 },
    })
}

fn control_plane() -> Json {
    let mut deployment = kong(&[
        ("KONG_ADMIN_ACCESS_LOG", "/dev/stdout"),
        ("KONG_ADMIN_ERROR_LOG", "/dev/stderr"),
        ("KONG_ADMIN_GUI_ACCESS_LOG", "/dev/stdout"),
        ("KONG_ADMIN_GUI_ERROR_LOG", "/dev/stderr"),
        ("KONG_ADMIN_GUI_LISTEN", "0.0.0.0:8002, 0.0.0.0:8445 ssl"),
        ("KONG_ADMIN_LISTEN", "0.0.0.0:8001, 0.0.0.0:8444 http2 ssl"),
        (
            "KONG_CLUSTER_CERT",
            "/etc/secrets/kong-cluster-cert/tls.crt",
        ),
        (
            "KONG_CLUSTER_CERT_KEY",
            "/etc/secrets/kong-cluster-cert/tls.key",
        ),
        ("KONG_CLUSTER_LISTEN", "0.0.0.0:8005"),
        ("KONG_CLUSTER_TELEMETRY_LISTEN", "0.0.0.0:8006"),
        ("KONG_DATABASE", "postgres"),
        ("KONG_NGINX_WORKER_PROCESSES", "2"),
        ("KONG_PG_DATABASE", "kong"),
        ("KONG_PG_HOST", "kong-postgresql.kong.svc.cluster.local"),
        ("KONG_PG_PORT", "5432"),
        ("KONG_PG_USER", "kong"),
        ("KONG_PREFIX", "/kong_prefix"),
        ("KONG_ROLE", "control_plane"),
        ("KONG_STATUS_LISTEN", "0.0.0.0:8100"),
    ]);
    let container = &mut deployment["spec"]["template"]["spec"]["containers"][0];
    container["ports"] = ports(&[
        ("admin", 8001),
        ("admin-tls", 8444),
        ("cluster", 8005),
        ("manager", 8002),
        ("manager-tls", 8445),
        ("status", 8100),
        ("telemetry", 8006),
    ]);
    if let Some(environment) = container["env"].as_array_mut() {
        environment.push(json!({
            "name": "KONG_PG_PASSWORD",
            "valueFrom": { "secretKeyRef": { "name": "kong-postgresql", "key": "password" } },
        }));
    }
    deployment
}

fn data_plane() -> Json {
    let mut deployment = kong(&[
        ("KONG_ADMIN_LISTEN", "off"),
        (
            "KONG_CLUSTER_CERT",
            "/etc/secrets/kong-cluster-cert/tls.crt",
        ),
        (
            "KONG_CLUSTER_CERT_KEY",
            "/etc/secrets/kong-cluster-cert/tls.key",
        ),
        (
            "KONG_CLUSTER_CONTROL_PLANE",
            "kong-kong-cluster.kong.svc.cluster.local:8005",
        ),
        (
            "KONG_CLUSTER_TELEMETRY_ENDPOINT",
            "kong-kong-clustertelemetry.kong.svc.cluster.local:8006",
        ),
        ("KONG_DATABASE", "off"),
        (
            "KONG_LUA_SSL_TRUSTED_CERTIFICATE",
            "/etc/secrets/kong-cluster-cert/tls.crt",
        ),
        ("KONG_NGINX_WORKER_PROCESSES", "2"),
        ("KONG_PORT_MAPS", "80:8000, 443:8443"),
        ("KONG_PREFIX", "/kong_prefix"),
        ("KONG_PROXY_ACCESS_LOG", "/dev/stdout"),
        ("KONG_PROXY_ERROR_LOG", "/dev/stderr"),
        ("KONG_PROXY_LISTEN", "0.0.0.0:8000, 0.0.0.0:8443 http2 ssl"),
        ("KONG_ROLE", "data_plane"),
        ("KONG_STATUS_LISTEN", "0.0.0.0:8100"),
    ]);
    let container = &mut deployment["spec"]["template"]["spec"]["containers"][0];
    container["ports"] = ports(&[("proxy", 8000), ("proxy-tls", 8443), ("status", 8100)]);
    deployment
}

/// What both planes have in common.
fn kong(environment: &[(&str, &str)]) -> Json {
    let environment: Vec<Json> = environment
        .iter()
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect();
    let probe = |path: &str| json!({ "httpGet": { "path": path, "port": "status" } });
    json!({
        "spec": { "template": { "spec": {
            "automountServiceAccountToken": false,
            "enableServiceLinks": false,
            "securityContext": {
                "runAsUser": 1000,
                "runAsGroup": 1000,
                "runAsNonRoot": true,
                "fsGroup": 1000,
                "seccompProfile": { "type": "RuntimeDefault" },
            },
            "containers": [{
                "name": "kong",
                "image": IMAGE,
                "env": environment,
                "resources": {
                    "requests": { "cpu": "100m", "memory": "128Mi" },
                    "limits": { "memory": "256Mi" },
                },
                "securityContext": hardened(),
                "startupProbe": probe("/status"),
                "readinessProbe": probe("/status/ready"),
                "livenessProbe": probe("/status"),
            }],
            "volumes": [
                {
                    "name": "cluster-certificate",
                    "secret": { "secretName": "kong-cluster-cert", "defaultMode": 0o440 },
                },
                { "name": "prefix", "emptyDir": { "sizeLimit": "256Mi" } },
                { "name": "tmp", "emptyDir": { "sizeLimit": "1Gi" } },
            ],
        } } },
        "status": { "availableReplicas": 1, "updatedReplicas": 1 },
    })
}

fn ports(ports: &[(&str, u16)]) -> Json {
    ports
        .iter()
        .map(|(name, port)| json!({ "name": name, "containerPort": port, "protocol": "TCP" }))
        .collect()
}

/// Where `found` lacks what is expected. Objects may have more keys, lists no more elements.
fn differences(found: &Json, expected: &Json, path: &str) -> Vec<String> {
    match (found, expected) {
        (Json::Object(found), Json::Object(expected)) => expected
            .iter()
            .flat_map(|(key, expected)| {
                let found = found.get(key).unwrap_or(&Json::Null);
                differences(found, expected, &format!("{path}.{key}"))
            })
            .collect(),
        (Json::Array(found), Json::Array(expected)) if found.len() == expected.len() => found
            .iter()
            .zip(expected)
            .enumerate()
            .flat_map(|(i, (found, expected))| {
                differences(found, expected, &format!("{path}[{i}]"))
            })
            .collect(),
        _ if found == expected => Vec::new(),
        _ => vec![format!("{path} is {found}, not {expected}")],
    }
}
