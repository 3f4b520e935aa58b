//! `aws_eks_cluster`: a Kubernetes control plane.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_eks::types::{
    AuthenticationMode, Cluster as EksCluster, ClusterStatus, CreateAccessConfigRequest,
    EncryptionConfig, IpFamily, KubernetesNetworkConfigRequest, LogSetup, LogType, Logging,
    Provider, SupportType, Update, UpdateAccessConfigRequest, UpgradePolicyRequest,
    VpcConfigRequest, ZonalShiftConfigRequest,
};
use topo_sdk::{Attribute, Block, Diagnostics, NestedBlock, Nesting, Path, Schema, Type, Value};

use crate::core::check;
use crate::core::clients::Aws;
use crate::core::contract::{Call, Found, Read, Resource, Watch};
use crate::core::eks::{self, Target, follow};
use crate::core::error::{ApiError, OrGone, SdkResult};
use crate::core::iam::time;
use crate::core::tags::tagged;
use crate::core::view::{
    View, any_changed, blocks, changed, nested, no_block, one_block, some_strings, string, strings,
    text, texts,
};
use crate::core::wait::{Status, persist};

/// The type.
pub(crate) struct Cluster;

const LOG_TYPES: [&str; 5] = [
    "api",
    "audit",
    "authenticator",
    "controllerManager",
    "scheduler",
];

#[async_trait]
impl Resource for Cluster {
    fn name(&self) -> &'static str {
        "aws_eks_cluster"
    }

    fn schema(&self) -> Schema {
        let computed = |text| Attribute::computed(Type::String).describe(text);
        let certificate = Type::list(Type::object([("data", Type::String)]));
        let oidc = Type::list(Type::object([("issuer", Type::String)]));
        let identity = Type::list(Type::object([("oidc", oidc)]));
        let block = Block::new()
            .describe("A Kubernetes control plane.")
            .attr("id", computed("Name of the cluster."))
            .attr("arn", computed("ARN of the cluster."))
            .attr(
                "cluster_id",
                computed("Id of a local cluster on an Outpost."),
            )
            .attr("created_at", computed("When it was made, RFC 3339."))
            .attr("endpoint", computed("URL of the Kubernetes API."))
            .attr("platform_version", computed("Platform version."))
            .attr("status", computed("CREATING, ACTIVE, DELETING or FAILED."))
            .attr(
                "certificate_authority",
                Attribute::computed(certificate).describe("CA certificate, base64 of PEM."),
            )
            .attr(
                "identity",
                Attribute::computed(identity).describe("OIDC issuer."),
            )
            .attr(
                "name",
                Attribute::required(Type::String)
                    .force_new()
                    .describe("Name of the cluster."),
            )
            .attr(
                "role_arn",
                Attribute::required(Type::String)
                    .force_new()
                    .describe("Role of the control plane."),
            )
            .attr(
                "version",
                Attribute::optional_computed(Type::String)
                    .describe("Kubernetes version, such as \"1.33\"."),
            )
            .attr(
                "force_update_version",
                Attribute::optional(Type::Bool).describe("Upgrade past upgrade insights."),
            )
            .attr(
                "bootstrap_self_managed_addons",
                Attribute::optional(Type::Bool)
                    .default(true)
                    .force_new()
                    .describe("Install the default networking add-ons."),
            )
            .attr(
                "deletion_protection",
                Attribute::optional_computed(Type::Bool).describe("Refuse to be deleted."),
            )
            .attr(
                "enabled_cluster_log_types",
                Attribute::optional(Type::set(Type::String))
                    .describe("Control plane logs to send to CloudWatch."),
            )
            .block(
                "vpc_config",
                NestedBlock::list_max_one(vpc_block()).required(),
            )
            .block(
                "access_config",
                NestedBlock::list_max_one(access_block()).computed(),
            )
            .block(
                "kubernetes_network_config",
                NestedBlock::list_max_one(network_block()).computed(),
            )
            .block(
                "encryption_config",
                NestedBlock::list_max_one(encryption_block()),
            )
            .block(
                "upgrade_policy",
                NestedBlock::list_max_one(
                    Block::new()
                        .describe("Support after standard support.")
                        .attr(
                            "support_type",
                            Attribute::optional_computed(Type::String)
                                .describe("EXTENDED or STANDARD."),
                        ),
                )
                .computed(),
            )
            .block(
                "zonal_shift_config",
                NestedBlock::list_max_one(Block::new().describe("Zonal shift.").attr(
                    "enabled",
                    Attribute::optional(Type::Bool).describe("Let traffic leave an impaired zone."),
                )),
            );
        let minutes = |m: u64| Duration::from_secs(m * 60);
        Schema::new(tagged(block)).timeouts([
            ("create", minutes(30)),
            ("update", minutes(60)),
            ("delete", minutes(15)),
        ])
    }

    fn validate(&self, config: &Value, found: &mut Diagnostics) {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        check::name(
            config,
            "name",
            100,
            allowed,
            "letters, digits, hyphens and underscores",
            found,
        );
        for log in strings(config, "enabled_cluster_log_types") {
            if !LOG_TYPES.contains(&log.as_str()) {
                let path = Path::attribute("enabled_cluster_log_types");
                found.push(check::invalid(
                    path,
                    &format!("\"{log}\" must be one of {}", LOG_TYPES.join(", ")),
                ));
            }
        }
        if let Some(vpc) = nested(config, "vpc_config") {
            for cidr in blocks(vpc, "public_access_cidrs")
                .iter()
                .filter_map(Value::as_str)
            {
                if let Some(problem) = check::cidr_problem(cidr) {
                    let path = Path::attribute("vpc_config")
                        .index(0)
                        .attr("public_access_cidrs");
                    found.push(check::invalid(
                        path,
                        &format!("\"{cidr}\" is not a network: {problem}"),
                    ));
                }
            }
            let off = |name| vpc.get_bool(name) == Some(false);
            let private = vpc.get_bool("endpoint_private_access") == Some(true);
            if off("endpoint_public_access")
                && !private
                && vpc
                    .get("endpoint_private_access")
                    .is_none_or(Value::is_known)
            {
                let path = Path::attribute("vpc_config")
                    .index(0)
                    .attr("endpoint_private_access");
                found.push(check::invalid(
                    path,
                    "The Kubernetes API needs public access, private access or both",
                ));
            }
        }
    }

    fn recomputed(&self, prior: &Value, planned: &Value) -> Vec<&'static str> {
        if changed(prior, planned, "version") {
            vec!["platform_version"]
        } else {
            Vec::new()
        }
    }

    async fn read(&self, aws: &Aws, known: &Value) -> Read {
        let Some(name) = known.get_str("id") else {
            return Ok(None);
        };
        Ok(describe(aws, name).await?.map(|c| view(aws, &c, known)))
    }

    async fn create(&self, call: &Call<'_>, planned: &Value) -> Result<Value, Diagnostics> {
        let name = planned.get_str("name").unwrap_or_default();
        persist(call.propagation(), eks::role_is_new, || async {
            call.eks()
                .create_cluster()
                .client_request_token(call.token())
                .name(name)
                .set_role_arn(string(planned, "role_arn"))
                .set_version(string(planned, "version"))
                .set_resources_vpc_config(nested(planned, "vpc_config").map(vpc_request))
                .set_access_config(nested(planned, "access_config").map(|a| {
                    CreateAccessConfigRequest::builder()
                        .set_authentication_mode(
                            a.get_str("authentication_mode")
                                .map(AuthenticationMode::from),
                        )
                        .set_bootstrap_cluster_creator_admin_permissions(
                            a.get_bool("bootstrap_cluster_creator_admin_permissions"),
                        )
                        .build()
                }))
                .set_kubernetes_network_config(nested(planned, "kubernetes_network_config").map(
                    |n| {
                        KubernetesNetworkConfigRequest::builder()
                            .set_service_ipv4_cidr(string(n, "service_ipv4_cidr"))
                            .set_ip_family(n.get_str("ip_family").map(IpFamily::from))
                            .build()
                    },
                ))
                .set_encryption_config(
                    nested(planned, "encryption_config").map(|e| vec![encryption(e)]),
                )
                .set_logging(
                    some_strings(planned, "enabled_cluster_log_types").map(|on| logging(&on)),
                )
                .set_bootstrap_self_managed_addons(
                    planned.get_bool("bootstrap_self_managed_addons"),
                )
                .set_deletion_protection(planned.get_bool("deletion_protection"))
                .set_upgrade_policy(upgrade_policy(planned))
                .set_zonal_shift_config(zonal_shift(planned))
                .set_tags(eks::map(&call.tags.wanted(planned)))
                .send()
                .await
                .api(call, "eks:CreateCluster")
        })
        .await?;
        let made = planned.clone().with("id", Value::from(name));
        call.accepted(&made).await?;
        call.until(&format!("cluster {name}"), || active(call, name))
            .await?;
        Ok(made)
    }

    async fn update(
        &self,
        call: &Call<'_>,
        prior: &Value,
        planned: &Value,
    ) -> Result<(), Diagnostics> {
        let name = prior.get_str("id").unwrap_or_default();
        if changed(prior, planned, "version") {
            let update = persist(call.propagation(), eks::is_busy, || async {
                call.eks()
                    .update_cluster_version()
                    .client_request_token(format!("{}-version", call.token()))
                    .name(name)
                    .set_version(string(planned, "version"))
                    .set_force(planned.get_bool("force_update_version"))
                    .send()
                    .await
                    .api(call, "eks:UpdateClusterVersion")
            });
            finish(call, name, update.await?.update).await?;
        }
        for (part, names) in PARTS {
            if any_changed(prior, planned, names) {
                update_part(call, name, part, prior, planned).await?;
            }
        }
        eks::retag(call, prior, planned).await
    }

    async fn delete(&self, call: &Call<'_>, prior: &Value) -> Result<(), Diagnostics> {
        let name = prior.get_str("id").unwrap_or_default();
        // Node groups that are going away keep the cluster in use.
        let in_use = |e: &ApiError| {
            let passing = eks::is_busy(e) && !e.message().contains("protection");
            if passing {
                call.tell(&format!("waiting: {}", e.message()));
            }
            passing
        };
        let deleted = persist(call.limit(), in_use, || async {
            call.eks()
                .delete_cluster()
                .name(name)
                .send()
                .await
                .api(call, "eks:DeleteCluster")
        });
        if deleted.await.or_gone()?.is_none() {
            return Ok(());
        }
        call.until(&format!("the deletion of cluster {name}"), || async {
            Ok(match describe(call, name).await? {
                None => Status::Ready(()),
                Some(c) if c.status() == Some(&ClusterStatus::Failed) => {
                    Status::Failed(failure(name, &c))
                }
                Some(c) => Status::Pending(format!(
                    "cluster is {}",
                    c.status().map_or("DELETING", |s| s.as_str())
                )),
            })
        })
        .await
    }

    async fn find(&self, aws: &Aws, planned: &Value, _token: &str) -> Result<Found, Diagnostics> {
        let name = planned.get_str("name").unwrap_or_default();
        let found = describe(aws, name).await?;
        Ok(Found::Sure(
            found.map(|_| Value::object([("id", Value::from(name))])),
        ))
    }

    async fn settle(&self, watch: &Watch<'_>, known: &Value) -> Result<(), Diagnostics> {
        let name = known.get_str("id").unwrap_or_default();
        watch
            .until(&format!("cluster {name}"), || active(watch.aws, name))
            .await
    }
}

fn vpc_block() -> Block {
    let texts = Type::set(Type::String);
    Block::new()
        .describe("Where the control plane meets the VPC.")
        .attr(
            "subnet_ids",
            Attribute::required(texts.clone())
                .describe("Subnets in two availability zones at least."),
        )
        .attr(
            "security_group_ids",
            Attribute::optional(texts.clone())
                .describe("Further security groups of the control plane."),
        )
        .attr(
            "endpoint_private_access",
            Attribute::optional(Type::Bool)
                .default(false)
                .describe("Reach the API from the VPC."),
        )
        .attr(
            "endpoint_public_access",
            Attribute::optional(Type::Bool)
                .default(true)
                .describe("Reach the API from the internet."),
        )
        .attr(
            "public_access_cidrs",
            Attribute::optional_computed(texts)
                .describe("Networks that may reach the public endpoint."),
        )
        .attr(
            "cluster_security_group_id",
            Attribute::computed(Type::String).describe("Security group that EKS made."),
        )
        .attr(
            "vpc_id",
            Attribute::computed(Type::String).describe("VPC of the subnets."),
        )
}

fn access_block() -> Block {
    Block::new()
        .describe("How identities are let in.")
        .attr(
            "authentication_mode",
            Attribute::optional_computed(Type::String)
                .describe("API, API_AND_CONFIG_MAP or CONFIG_MAP."),
        )
        .attr(
            "bootstrap_cluster_creator_admin_permissions",
            Attribute::optional_computed(Type::Bool)
                .force_new()
                .describe("Make the creator an administrator."),
        )
}

fn network_block() -> Block {
    let given = |text| {
        Attribute::optional_computed(Type::String)
            .force_new()
            .describe(text)
    };
    Block::new()
        .describe("Addresses of services.")
        .attr("service_ipv4_cidr", given("IPv4 network of services."))
        .attr("ip_family", given("ipv4 or ipv6."))
        .attr(
            "service_ipv6_cidr",
            Attribute::computed(Type::String).describe("IPv6 network of services."),
        )
}

fn encryption_block() -> Block {
    let provider = Block::new().describe("The key.").attr(
        "key_arn",
        Attribute::required(Type::String)
            .force_new()
            .describe("ARN of the KMS key."),
    );
    Block::new()
        .describe("Envelope encryption of secrets.")
        .attr(
            "resources",
            Attribute::required(Type::set(Type::String))
                .force_new()
                .describe("secrets."),
        )
        .block(
            "provider",
            NestedBlock::new(Nesting::List, provider).required(),
        )
}

fn vpc_request(vpc: &Value) -> VpcConfigRequest {
    VpcConfigRequest::builder()
        .set_subnet_ids(some_strings(vpc, "subnet_ids"))
        .set_security_group_ids(some_strings(vpc, "security_group_ids"))
        .set_endpoint_private_access(vpc.get_bool("endpoint_private_access"))
        .set_endpoint_public_access(vpc.get_bool("endpoint_public_access"))
        .set_public_access_cidrs(some_strings(vpc, "public_access_cidrs"))
        .build()
}

#[expect(
    deprecated,
    reason = "EKS ignores the list, but the argument is part of the type's documented interface"
)]
fn encryption(config: &Value) -> EncryptionConfig {
    let key = nested(config, "provider").and_then(|p| string(p, "key_arn"));
    EncryptionConfig::builder()
        .set_resources(some_strings(config, "resources"))
        .provider(Provider::builder().set_key_arn(key).build())
        .build()
}

/// Log types that are not named are switched off.
fn logging(on: &[String]) -> Logging {
    let (enabled, disabled): (Vec<&str>, Vec<&str>) = LOG_TYPES
        .iter()
        .copied()
        .partition(|t| on.iter().any(|o| o == t));
    let setup = |types: Vec<&str>, enabled| {
        LogSetup::builder()
            .set_types(Some(types.into_iter().map(LogType::from).collect()))
            .enabled(enabled)
            .build()
    };
    let setups = [(enabled, true), (disabled, false)];
    let setups = setups.into_iter().filter(|(types, _)| !types.is_empty());
    Logging::builder()
        .set_cluster_logging(Some(setups.map(|(t, on)| setup(t, on)).collect()))
        .build()
}

fn upgrade_policy(planned: &Value) -> Option<UpgradePolicyRequest> {
    let kind = nested(planned, "upgrade_policy")?.get_str("support_type")?;
    Some(
        UpgradePolicyRequest::builder()
            .support_type(SupportType::from(kind))
            .build(),
    )
}

fn zonal_shift(planned: &Value) -> Option<ZonalShiftConfigRequest> {
    let on = nested(planned, "zonal_shift_config")?.get_bool("enabled")?;
    Some(ZonalShiftConfigRequest::builder().enabled(on).build())
}

/// A call changes one part of the configuration only (source: EKS API, UpdateClusterConfig).
#[derive(Clone, Copy)]
enum Part {
    Access,
    DeletionProtection,
    Endpoint,
    Logging,
    Upgrade,
    Vpc,
    ZonalShift,
}

const PARTS: [(Part, &[&str]); 7] = [
    (Part::Access, &["access_config"]),
    (Part::DeletionProtection, &["deletion_protection"]),
    (Part::Vpc, &["vpc_config"]),
    (Part::Endpoint, &["vpc_config"]),
    (Part::Logging, &["enabled_cluster_log_types"]),
    (Part::Upgrade, &["upgrade_policy"]),
    (Part::ZonalShift, &["zonal_shift_config"]),
];

async fn update_part(
    call: &Call<'_>,
    name: &str,
    part: Part,
    prior: &Value,
    planned: &Value,
) -> Result<(), Diagnostics> {
    let null = Value::NULL;
    let vpc = nested(planned, "vpc_config").unwrap_or(&null);
    let old_vpc = nested(prior, "vpc_config").unwrap_or(&null);
    let token = format!("{}-{}", call.token(), part as u8);
    let request = || {
        call.eks()
            .update_cluster_config()
            .name(name)
            .client_request_token(&token)
    };
    let request = match part {
        Part::Access => {
            let access = nested(planned, "access_config").unwrap_or(&null);
            let mode = access.get_str("authentication_mode");
            let old = nested(prior, "access_config").and_then(|a| a.get_str("authentication_mode"));
            if mode == old {
                return Ok(());
            }
            let mode = mode.map(AuthenticationMode::from);
            request().access_config(
                UpdateAccessConfigRequest::builder()
                    .set_authentication_mode(mode)
                    .build(),
            )
        }
        Part::DeletionProtection => {
            request().set_deletion_protection(planned.get_bool("deletion_protection"))
        }
        Part::Endpoint => {
            let names = [
                "endpoint_private_access",
                "endpoint_public_access",
                "public_access_cidrs",
            ];
            if !any_changed(old_vpc, vpc, &names) {
                return Ok(());
            }
            let public = vpc.get_bool("endpoint_public_access") == Some(true);
            let cidrs = some_strings(vpc, "public_access_cidrs").filter(|_| public);
            request().resources_vpc_config(
                VpcConfigRequest::builder()
                    .set_endpoint_private_access(vpc.get_bool("endpoint_private_access"))
                    .set_endpoint_public_access(vpc.get_bool("endpoint_public_access"))
                    .set_public_access_cidrs(cidrs)
                    .build(),
            )
        }
        Part::Logging => request().logging(logging(&strings(planned, "enabled_cluster_log_types"))),
        Part::Upgrade => request().set_upgrade_policy(upgrade_policy(planned)),
        Part::Vpc => {
            if !any_changed(old_vpc, vpc, &["subnet_ids", "security_group_ids"]) {
                return Ok(());
            }
            request().resources_vpc_config(
                VpcConfigRequest::builder()
                    .set_subnet_ids(Some(strings(vpc, "subnet_ids")))
                    .set_security_group_ids(Some(strings(vpc, "security_group_ids")))
                    .build(),
            )
        }
        Part::ZonalShift => request().set_zonal_shift_config(zonal_shift(planned)),
    };
    let update = persist(call.propagation(), eks::is_busy, || async {
        request
            .clone()
            .send()
            .await
            .api(call, "eks:UpdateClusterConfig")
    });
    finish(call, name, update.await?.update).await
}

async fn finish(call: &Call<'_>, name: &str, update: Option<Update>) -> Result<(), Diagnostics> {
    let target = Target {
        cluster: name,
        ..Target::default()
    };
    follow(call, target, update).await?;
    call.until(&format!("cluster {name}"), || active(call, name))
        .await
}

/// The cluster, if there is one.
pub(crate) async fn describe(aws: &Aws, name: &str) -> Result<Option<EksCluster>, Diagnostics> {
    let answer = aws.eks().describe_cluster().name(name).send().await;
    Ok(answer
        .api(aws, "eks:DescribeCluster")
        .or_gone()?
        .and_then(|a| a.cluster))
}

async fn active(aws: &Aws, name: &str) -> Result<Status<()>, Diagnostics> {
    let Some(cluster) = describe(aws, name).await? else {
        return Ok(Status::Pending("cluster is not visible".into()));
    };
    Ok(match cluster.status() {
        Some(ClusterStatus::Active) => Status::Ready(()),
        Some(ClusterStatus::Failed | ClusterStatus::Deleting) => {
            Status::Failed(failure(name, &cluster))
        }
        status => Status::Pending(format!(
            "cluster is {}",
            status.map_or("CREATING", |s| s.as_str())
        )),
    })
}

fn failure(name: &str, cluster: &EksCluster) -> Diagnostics {
    let issues = cluster.health().map(|h| h.issues()).unwrap_or_default();
    let reasons = issues.iter().map(|i| {
        let code = i.code().map_or("", |c| c.as_str());
        eks::reason(code, i.message(), i.resource_ids())
    });
    let status = cluster.status().map_or("FAILED", |s| s.as_str());
    Diagnostics::error(
        format!("Cluster {name} is {status}"),
        eks::sentence(reasons.collect()),
    )
}

/// The attributes that the resource and the data source share.
pub(crate) fn common(view: &mut View, cluster: &EksCluster) {
    let certificate = cluster
        .certificate_authority()
        .and_then(|c| c.data())
        .unwrap_or_default();
    let issuer = cluster
        .identity()
        .and_then(|i| i.oidc())
        .and_then(|o| o.issuer());
    let oidc = issuer.map(|i| Value::object([("issuer", Value::from(i))]));
    let oidc = Value::tuple(oidc.into_iter().collect());
    let logs = cluster
        .logging()
        .map(|l| l.cluster_logging())
        .unwrap_or_default();
    let on = logs
        .iter()
        .filter(|s| s.enabled() == Some(true))
        .flat_map(|s| s.types());
    view.set("arn", cluster.arn().unwrap_or_default())
        .text("cluster_id", cluster.id())
        .text("created_at", time(cluster.created_at()).as_deref())
        .text("endpoint", cluster.endpoint())
        .text("platform_version", cluster.platform_version())
        .text("status", cluster.status().map(|s| s.as_str()))
        .set(
            "certificate_authority",
            one_block([("data", Value::from(certificate))]),
        )
        .set("identity", one_block([("oidc", oidc)]))
        .text("role_arn", cluster.role_arn())
        .text("version", cluster.version())
        .texts("enabled_cluster_log_types", on.map(|t| t.as_str()))
        .set("access_config", access_view(cluster))
        .set("kubernetes_network_config", network_view(cluster))
        .set(
            "upgrade_policy",
            match cluster.upgrade_policy() {
                Some(p) => {
                    one_block([("support_type", text(p.support_type().map(|t| t.as_str())))])
                }
                None => no_block(),
            },
        );
}

fn access_view(cluster: &EksCluster) -> Value {
    let Some(access) = cluster.access_config() else {
        return no_block();
    };
    let bootstrap = access.bootstrap_cluster_creator_admin_permissions();
    one_block([
        (
            "authentication_mode",
            text(access.authentication_mode().map(|m| m.as_str())),
        ),
        (
            "bootstrap_cluster_creator_admin_permissions",
            bootstrap.map_or(Value::null(Type::Bool), Value::from),
        ),
    ])
}

fn network_view(cluster: &EksCluster) -> Value {
    let Some(network) = cluster.kubernetes_network_config() else {
        return no_block();
    };
    one_block([
        ("service_ipv4_cidr", text(network.service_ipv4_cidr())),
        ("service_ipv6_cidr", text(network.service_ipv6_cidr())),
        ("ip_family", text(network.ip_family().map(|f| f.as_str()))),
    ])
}

/// What the VPC looks like; an empty list that was null before stays null.
pub(crate) fn vpc_view(cluster: &EksCluster, known: &Value) -> Value {
    let Some(vpc) = cluster.resources_vpc_config() else {
        return no_block();
    };
    let before = nested(known, "vpc_config")
        .cloned()
        .unwrap_or_else(|| Value::object::<&str>([]));
    let view = View::of(&before)
        .all_texts("subnet_ids", vpc.subnet_ids())
        .texts("security_group_ids", vpc.security_group_ids())
        .set("endpoint_private_access", vpc.endpoint_private_access())
        .set("endpoint_public_access", vpc.endpoint_public_access())
        .all_texts("public_access_cidrs", vpc.public_access_cidrs())
        .text("cluster_security_group_id", vpc.cluster_security_group_id())
        .text("vpc_id", vpc.vpc_id())
        .done();
    Value::tuple(vec![view])
}

#[expect(
    deprecated,
    reason = "EKS ignores the list, but the argument is part of the type's documented interface"
)]
fn view(aws: &Aws, cluster: &EksCluster, known: &Value) -> Value {
    let name = cluster.name().unwrap_or_default();
    let mut view = View::of(known);
    common(&mut view, cluster);
    // What was asked for and is not told back is taken as it was asked.
    let kept = |shown: Value, name: &str| match nested(known, name) {
        Some(before) => merged(&shown, before),
        None => shown,
    };
    for block in [
        "access_config",
        "kubernetes_network_config",
        "upgrade_policy",
    ] {
        let shown = view.get(block).cloned().unwrap_or(Value::NULL);
        view.set(block, kept(shown, block));
    }
    if let Some(on) = cluster.deletion_protection() {
        view.set("deletion_protection", on);
    } else if known.get_bool("deletion_protection").is_none() {
        view.set("deletion_protection", false);
    }
    if let Some(shift) = cluster.zonal_shift_config()
        && (shift.enabled() == Some(true) || nested(known, "zonal_shift_config").is_some())
    {
        view.set(
            "zonal_shift_config",
            one_block([("enabled", Value::from(shift.enabled() == Some(true)))]),
        );
    }
    let encrypted = cluster.encryption_config().iter().map(|e| {
        let key = e.provider().and_then(|p| p.key_arn());
        Value::object([
            ("resources", texts(e.resources())),
            ("provider", one_block([("key_arn", text(key))])),
        ])
    });
    view.set("id", name)
        .set("name", name)
        .set("vpc_config", vpc_view(cluster, known))
        .set("encryption_config", Value::tuple(encrypted.collect()))
        .tags(aws, eks::tags(cluster.tags()))
        .done()
}

/// A block as shown, with what it does not show as it was before.
fn merged(shown: &Value, before: &Value) -> Value {
    let Some(shown) = shown.as_slice().and_then(|s| s.first()) else {
        return Value::tuple(vec![before.clone()]);
    };
    let attributes = shown.as_map().into_iter().flatten();
    let filled = attributes.map(|(name, value)| {
        let old = before.get(name).filter(|_| value.is_null());
        (name.clone(), old.unwrap_or(value).clone())
    });
    Value::tuple(vec![Value::object(filled)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logging_names_what_is_on_and_what_is_off() {
        let setups = logging(&["audit".into()]);
        let [on, off] = setups.cluster_logging() else {
            panic!("two setups")
        };
        assert_eq!(
            (on.enabled(), on.types()),
            (Some(true), &[LogType::Audit][..])
        );
        assert_eq!((off.enabled(), off.types().len()), (Some(false), 4));
    }
}
