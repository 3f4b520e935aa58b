//! The table of resource types: one line per kind. Everything else about a type is derived from
//! the API's schema ([`crate::derive`]) and the deviations ([`crate::rules`]).

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;

use k8s_openapi::api::{
    apps::v1 as apps, autoscaling::v1 as autoscaling_v1, autoscaling::v2 as autoscaling_v2,
    batch::v1 as batch, core::v1 as core, networking::v1 as networking, policy::v1 as policy,
    rbac::v1 as rbac, scheduling::v1 as scheduling, storage::v1 as storage,
};
use k8s_openapi::{ClusterResourceScope, NamespaceResourceScope};
use kube::discovery::ApiResource;
use schemars::{JsonSchema, SchemaGenerator};
use topo_sdk::schema::{Block, Schema};
use topo_sdk::{Attribute, NestedBlock, ObjectType, Type};

use crate::derive::{Derived, derive, field};
use crate::shape::{FieldKind, Scalar, Shape, Source};
use crate::write_only;

/// What a type waits for once the API has accepted a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Nothing: it is done when it is accepted.
    None,
    /// A deployment's, stateful set's or daemon set's pods.
    Rollout,
    /// A job's end.
    Completion,
    /// The address of a service's load balancer.
    ServiceAddress,
    /// The address of an ingress's load balancer.
    IngressAddress,
    /// A claim's volume.
    Bound,
    /// A pod that runs.
    Running,
    /// The token of a service account's secret.
    Token,
    /// The default service account of a namespace.
    ServiceAccount,
}

/// A kind of object and the types that stand for it.
pub struct Kind {
    /// Its type names.
    pub names: &'static [&'static str],
    /// Its data source names.
    pub data: &'static [&'static str],
    /// Where the API has it.
    pub resource: ApiResource,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
    /// What to wait for.
    pub wait: Wait,
    generate: fn(&mut SchemaGenerator) -> schemars::Schema,
    made: OnceLock<Arc<Model>>,
    data_schema: OnceLock<Arc<Schema>>,
}

/// A type's schema with its mapping to the API.
#[derive(Debug)]
pub struct Model {
    /// What a configuration fills in.
    pub schema: Arc<Schema>,
    /// How it maps to the API.
    pub shape: Shape,
}

trait Scope {
    const NAMESPACED: bool;
}
impl Scope for NamespaceResourceScope {
    const NAMESPACED: bool = true;
}
impl Scope for ClusterResourceScope {
    const NAMESPACED: bool = false;
}

#[allow(private_bounds)]
fn kind<K>(names: &'static [&'static str], wait: Wait) -> Kind
where
    K: k8s_openapi::Resource + JsonSchema,
    K::Scope: Scope,
{
    Kind {
        names,
        data: &[],
        resource: ApiResource {
            group: K::GROUP.into(),
            version: K::VERSION.into(),
            api_version: K::API_VERSION.into(),
            kind: K::KIND.into(),
            plural: K::URL_PATH_SEGMENT.into(),
        },
        namespaced: K::Scope::NAMESPACED,
        wait,
        generate: SchemaGenerator::root_schema_for::<K>,
        made: OnceLock::new(),
        data_schema: OnceLock::new(),
    }
}

/// All kinds. A new one is one line here.
#[rustfmt::skip]
static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| vec![
    kind::<core::Namespace>(&["kubernetes_namespace", "kubernetes_namespace_v1"], Wait::ServiceAccount).readable(),
    kind::<core::Secret>(&["kubernetes_secret", "kubernetes_secret_v1"], Wait::Token).readable(),
    kind::<core::ConfigMap>(&["kubernetes_config_map", "kubernetes_config_map_v1"], Wait::None).readable(),
    kind::<core::ServiceAccount>(&["kubernetes_service_account", "kubernetes_service_account_v1"], Wait::None).readable(),
    kind::<core::Service>(&["kubernetes_service", "kubernetes_service_v1"], Wait::ServiceAddress).readable(),
    kind::<core::Pod>(&["kubernetes_pod", "kubernetes_pod_v1"], Wait::Running),
    kind::<core::PersistentVolume>(&["kubernetes_persistent_volume", "kubernetes_persistent_volume_v1"], Wait::None),
    kind::<core::PersistentVolumeClaim>(&["kubernetes_persistent_volume_claim", "kubernetes_persistent_volume_claim_v1"], Wait::Bound).readable(),
    kind::<core::LimitRange>(&["kubernetes_limit_range", "kubernetes_limit_range_v1"], Wait::None),
    kind::<core::ResourceQuota>(&["kubernetes_resource_quota", "kubernetes_resource_quota_v1"], Wait::None),
    kind::<rbac::Role>(&["kubernetes_role", "kubernetes_role_v1"], Wait::None),
    kind::<rbac::RoleBinding>(&["kubernetes_role_binding", "kubernetes_role_binding_v1"], Wait::None),
    kind::<rbac::ClusterRole>(&["kubernetes_cluster_role", "kubernetes_cluster_role_v1"], Wait::None),
    kind::<rbac::ClusterRoleBinding>(&["kubernetes_cluster_role_binding", "kubernetes_cluster_role_binding_v1"], Wait::None),
    kind::<apps::Deployment>(&["kubernetes_deployment", "kubernetes_deployment_v1"], Wait::Rollout),
    kind::<apps::StatefulSet>(&["kubernetes_stateful_set", "kubernetes_stateful_set_v1"], Wait::Rollout),
    kind::<apps::DaemonSet>(&["kubernetes_daemonset", "kubernetes_daemon_set_v1"], Wait::Rollout),
    kind::<batch::Job>(&["kubernetes_job", "kubernetes_job_v1"], Wait::Completion),
    kind::<batch::CronJob>(&["kubernetes_cron_job", "kubernetes_cron_job_v1"], Wait::None),
    kind::<networking::NetworkPolicy>(&["kubernetes_network_policy", "kubernetes_network_policy_v1"], Wait::None),
    kind::<networking::Ingress>(&["kubernetes_ingress_v1"], Wait::IngressAddress),
    kind::<networking::IngressClass>(&["kubernetes_ingress_class", "kubernetes_ingress_class_v1"], Wait::None),
    kind::<policy::PodDisruptionBudget>(&["kubernetes_pod_disruption_budget", "kubernetes_pod_disruption_budget_v1"], Wait::None),
    kind::<autoscaling_v1::HorizontalPodAutoscaler>(&["kubernetes_horizontal_pod_autoscaler", "kubernetes_horizontal_pod_autoscaler_v1"], Wait::None),
    kind::<autoscaling_v2::HorizontalPodAutoscaler>(&["kubernetes_horizontal_pod_autoscaler_v2"], Wait::None),
    kind::<storage::StorageClass>(&["kubernetes_storage_class", "kubernetes_storage_class_v1"], Wait::None).readable(),
    kind::<storage::CSIDriver>(&["kubernetes_csi_driver", "kubernetes_csi_driver_v1"], Wait::None),
    kind::<scheduling::PriorityClass>(&["kubernetes_priority_class", "kubernetes_priority_class_v1"], Wait::None),
]);

static BY_NAME: LazyLock<BTreeMap<&'static str, &'static Kind>> = LazyLock::new(|| {
    let of = |kind: &'static Kind| kind.names.iter().map(move |name| (*name, kind));
    KINDS.iter().flat_map(of).collect()
});

/// The kind that a type name stands for.
pub fn find(type_name: &str) -> Option<&'static Kind> {
    BY_NAME.get(type_name).copied()
}

/// The kind that a data source reads.
pub fn find_data(type_name: &str) -> Option<&'static Kind> {
    find(type_name).filter(|kind| kind.data.contains(&type_name))
}

/// Minutes as a duration.
pub fn minutes(n: u64) -> Duration {
    Duration::from_secs(60 * n)
}

/// Every type name, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    BY_NAME.keys().copied()
}

impl Kind {
    fn readable(mut self) -> Kind {
        self.data = self.names;
        self
    }

    /// The schema and mapping; made at the first use.
    pub fn model(&self) -> &Arc<Model> {
        self.made.get_or_init(|| Arc::new(self.make()))
    }

    fn make(&self) -> Model {
        let api = (self.generate)(&mut SchemaGenerator::default());
        let kind = self.resource.kind.as_str();
        let mut made = derive(&api, kind, false);
        self.add_metadata(&mut made);
        self.add_data(&mut made);
        let mut block = std::mem::take(&mut made.block);
        if let Some(spec) = block.blocks.get_mut("spec") {
            spec.min = 1;
        }
        block = block.attr(
            "id",
            Attribute::computed(Type::String).describe("The object's namespace and name."),
        );
        let waiting = |default: bool, text: &str| {
            Attribute::optional(Type::Bool)
                .default(default)
                .describe(text)
        };
        let all = [
            ("create", minutes(10)),
            ("update", minutes(10)),
            ("delete", minutes(10)),
        ];
        let (name, attribute, timeouts): (_, _, &[_]) = match self.wait {
            Wait::None => ("", None, &[]),
            Wait::Rollout => (
                "wait_for_rollout",
                Some(waiting(true, "Whether to wait until the pods are ready.")),
                &all,
            ),
            Wait::Completion => (
                "wait_for_completion",
                Some(waiting(true, "Whether to wait until the job is complete.")),
                &[
                    ("create", minutes(1)),
                    ("update", minutes(1)),
                    ("delete", minutes(1)),
                ],
            ),
            Wait::ServiceAddress => (
                "wait_for_load_balancer",
                Some(waiting(
                    true,
                    "Whether to wait for the load balancer's address.",
                )),
                &all,
            ),
            Wait::IngressAddress => (
                "wait_for_load_balancer",
                Some(waiting(
                    false,
                    "Whether to wait for the load balancer's address.",
                )),
                &[("create", minutes(20)), ("delete", minutes(20))],
            ),
            Wait::Bound => (
                "wait_until_bound",
                Some(waiting(
                    true,
                    "Whether to wait until the claim has a volume.",
                )),
                &[("create", minutes(5))],
            ),
            Wait::Running => ("", None, &[("create", minutes(5)), ("delete", minutes(5))]),
            Wait::Token => (
                "wait_for_service_account_token",
                Some(waiting(
                    true,
                    "Whether to wait for a service account's token.",
                )),
                &[("create", minutes(1))],
            ),
            Wait::ServiceAccount => (
                "wait_for_default_service_account",
                Some(waiting(
                    false,
                    "Whether to wait for the default service account.",
                )),
                &[("delete", minutes(5))],
            ),
        };
        if let Some(attribute) = attribute {
            block = block.attr(name, attribute);
        }
        if matches!(self.wait, Wait::ServiceAddress | Wait::IngressAddress) {
            block = block.attr(
                "status",
                Attribute::computed(load_balancer_status())
                    .describe("The addresses of the load balancer."),
            );
        }
        let mut schema = Schema::new(block);
        if !timeouts.is_empty() {
            schema = schema.timeouts(timeouts.iter().copied());
        }
        Model {
            schema: Arc::new(schema),
            shape: made.shape,
        }
    }

    fn add_metadata(&self, made: &mut Derived) {
        let mut metadata = Derived::default();
        for name in ["annotations", "labels"] {
            let kind = FieldKind::Map {
                values: Scalar::String,
                atomic: false,
            };
            metadata.attribute(
                field(name, name, kind, Source::Configuration),
                Attribute::optional(Type::map(Type::String)),
            );
        }
        let text = FieldKind::Scalar(Scalar::String);
        metadata.attribute(
            field(
                "generate_name",
                "generateName",
                text.clone(),
                Source::Configuration,
            ),
            Attribute::optional(Type::String)
                .force_new()
                .describe("Start of a name that is to be made unique; used without a name."),
        );
        metadata.attribute(
            field("name", "name", text.clone(), Source::Either),
            Attribute::optional_computed(Type::String).force_new(),
        );
        if self.namespaced {
            metadata.attribute(
                field(
                    "namespace",
                    "namespace",
                    text.clone(),
                    Source::Configuration,
                ),
                Attribute::optional(Type::String)
                    .default("default")
                    .force_new(),
            );
        }
        metadata.attribute(
            field(
                "generation",
                "generation",
                FieldKind::Scalar(Scalar::Number),
                Source::Api,
            ),
            Attribute::computed(Type::Number).recomputed(),
        );
        metadata.attribute(
            field(
                "resource_version",
                "resourceVersion",
                text.clone(),
                Source::Api,
            ),
            Attribute::computed(Type::String).recomputed(),
        );
        metadata.attribute(
            field("uid", "uid", text, Source::Api),
            Attribute::computed(Type::String),
        );
        let block = metadata
            .block
            .describe("What identifies the object, and labels and annotations on it.");
        made.nested(
            field(
                "metadata",
                "metadata",
                FieldKind::Block(metadata.shape),
                Source::Configuration,
            ),
            NestedBlock::list_max_one(block).required(),
        );
    }

    /// What a secret has beside its plain text: data that is no text, and data that is only written.
    fn add_data(&self, made: &mut Derived) {
        if self.resource.kind == "Secret" {
            let kind = FieldKind::Map {
                values: Scalar::String,
                atomic: false,
            };
            made.attribute(
                field("binary_data", "data", kind, Source::Configuration),
                Attribute::optional(Type::map(Type::String))
                    .sensitive()
                    .describe("Data that is no text, in Base64."),
            );
            let text = "Data that is text.";
            write_only::add_map(made, "data_wo", "data", Scalar::Base64, text);
            let binary = "Data that is no text, in Base64.";
            write_only::add_map(made, "binary_data_wo", "data", Scalar::String, binary);
        }
    }

    /// The schema of the data source: the same shape, found by name and namespace.
    pub fn data_schema(&self) -> Arc<Schema> {
        let made = self.data_schema.get_or_init(|| {
            let block = &self.model().schema.block;
            let mut data = Block::new();
            for (name, attribute) in &block.attributes {
                if !name.starts_with("wait_") && !write_only::concerns(name, attribute) {
                    let mut computed = Attribute::computed(attribute.ty.clone());
                    computed.sensitive = attribute.sensitive;
                    data = data.attr(name, computed.describe(&attribute.description));
                }
            }
            for (name, nested) in &block.blocks {
                if &**name == "metadata" {
                    let mut metadata = Block::new();
                    for (name, a) in &nested.block.attributes {
                        let attribute = match &**name {
                            "name" => Attribute::required(Type::String),
                            "namespace" => Attribute::optional(Type::String).default("default"),
                            _ => Attribute::computed(a.ty.clone()),
                        };
                        metadata = metadata.attr(name, attribute);
                    }
                    let nested = NestedBlock::list_max_one(metadata).required();
                    data = data.block("metadata", nested);
                } else if &**name != "timeouts" {
                    data = data.attr(name, Attribute::computed(nested.ty()));
                }
            }
            Arc::new(Schema::new(data))
        });
        made.clone()
    }
}

/// `status[0].load_balancer[0].ingress[0].hostname`
fn load_balancer_status() -> Type {
    let object = |attributes: Vec<(&str, Type)>| {
        Type::Object(Arc::new(ObjectType {
            attributes: attributes
                .into_iter()
                .map(|(name, ty)| (name.into(), ty))
                .collect(),
            optional: Default::default(),
        }))
    };
    let ingress = object(vec![("hostname", Type::String), ("ip", Type::String)]);
    let load_balancer = object(vec![("ingress", Type::list(ingress))]);
    Type::list(object(vec![("load_balancer", Type::list(load_balancer))]))
}
