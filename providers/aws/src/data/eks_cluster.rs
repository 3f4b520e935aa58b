//! `aws_eks_cluster`: an existing Kubernetes control plane.

use async_trait::async_trait;
use topo_sdk::{Attribute, Block, Diagnostic, Diagnostics, Path, Schema, Type, Value};

use crate::core::clients::Aws;
use crate::core::contract::DataSource;
use crate::core::eks;
use crate::core::view::View;
use crate::resources::eks_cluster::{common, describe, vpc_view};

/// The data source.
pub(crate) struct Cluster;

#[async_trait]
impl DataSource for Cluster {
    fn name(&self) -> &'static str {
        "aws_eks_cluster"
    }

    fn schema(&self) -> Schema {
        let text = |text| Attribute::computed(Type::String).describe(text);
        let texts = || Type::set(Type::String);
        let object = |attributes: Vec<(&'static str, Type)>| {
            Attribute::computed(Type::list(Type::object(attributes)))
        };
        let oidc = Type::list(Type::object([("issuer", Type::String)]));
        let vpc = vec![
            ("subnet_ids", texts()),
            ("security_group_ids", texts()),
            ("endpoint_private_access", Type::Bool),
            ("endpoint_public_access", Type::Bool),
            ("public_access_cidrs", texts()),
            ("cluster_security_group_id", Type::String),
            ("vpc_id", Type::String),
        ];
        let access = vec![
            ("authentication_mode", Type::String),
            ("bootstrap_cluster_creator_admin_permissions", Type::Bool),
        ];
        let network = vec![
            ("service_ipv4_cidr", Type::String),
            ("service_ipv6_cidr", Type::String),
            ("ip_family", Type::String),
        ];
        Schema::new(
            Block::new()
                .describe("An existing Kubernetes control plane.")
                .attr("id", text("Name of the cluster."))
                .attr(
                    "name",
                    Attribute::required(Type::String).describe("Name of the cluster."),
                )
                .attr("arn", text("ARN of the cluster."))
                .attr("cluster_id", text("Id of a local cluster on an Outpost."))
                .attr("created_at", text("When it was made, RFC 3339."))
                .attr("endpoint", text("URL of the Kubernetes API."))
                .attr("platform_version", text("Platform version."))
                .attr("role_arn", text("Role of the control plane."))
                .attr("status", text("CREATING, ACTIVE, DELETING or FAILED."))
                .attr("version", text("Kubernetes version."))
                .attr(
                    "deletion_protection",
                    Attribute::computed(Type::Bool).describe("Whether it refuses to be deleted."),
                )
                .attr(
                    "enabled_cluster_log_types",
                    Attribute::computed(texts()).describe("Logs sent to CloudWatch."),
                )
                .attr(
                    "tags",
                    Attribute::computed(Type::map(Type::String)).describe("Tags."),
                )
                .attr(
                    "certificate_authority",
                    object(vec![("data", Type::String)]).describe("CA certificate, base64 of PEM."),
                )
                .attr(
                    "identity",
                    object(vec![("oidc", oidc)]).describe("OIDC issuer."),
                )
                .attr(
                    "vpc_config",
                    object(vpc).describe("Where it meets the VPC."),
                )
                .attr(
                    "access_config",
                    object(access).describe("How identities are let in."),
                )
                .attr(
                    "kubernetes_network_config",
                    object(network).describe("Addresses of services."),
                )
                .attr(
                    "upgrade_policy",
                    object(vec![("support_type", Type::String)])
                        .describe("Support after standard support."),
                ),
        )
    }

    async fn read(&self, aws: &Aws, config: &Value) -> Result<Value, Diagnostics> {
        let name = config.get_str("name").unwrap_or_default();
        let Some(cluster) = describe(aws, name).await? else {
            return Err(Diagnostic::error(
                format!("EKS cluster \"{name}\" does not exist"),
                format!(
                    "There is none of this name in region {} of this account.",
                    aws.region
                ),
            )
            .at(Path::attribute("name"))
            .into());
        };
        let mut view = View::of(config);
        common(&mut view, &cluster);
        let logs = cluster
            .logging()
            .map(|l| l.cluster_logging())
            .unwrap_or_default();
        let on = logs
            .iter()
            .filter(|s| s.enabled() == Some(true))
            .flat_map(|s| s.types());
        let tags = eks::tags(cluster.tags()).into_iter();
        let tags = tags.map(|(k, v)| (k.into(), v.into()));
        Ok(view
            .set("id", name)
            .flag("deletion_protection", cluster.deletion_protection())
            .all_texts("enabled_cluster_log_types", on.map(|t| t.as_str()))
            .set("vpc_config", vpc_view(&cluster, &Value::NULL))
            .set("tags", Value::map(Type::String, tags.collect()))
            .done())
    }
}
