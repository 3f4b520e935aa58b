//! `aws_eks_node_group`: machines that EKS manages for a cluster.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_eks::types::{
    AmiTypes, CapacityTypes, LaunchTemplateSpecification, Nodegroup, NodegroupScalingConfig,
    NodegroupStatus, NodegroupUpdateConfig, RemoteAccessConfig, Taint, TaintEffect,
    UpdateLabelsPayload, UpdateTaintsPayload,
};
use topo_sdk::{Attribute, Block, Diagnostics, NestedBlock, Nesting, Path, Schema, Type, Value};

use crate::core::check;
use crate::core::clients::Aws;
use crate::core::contract::{Call, Found, Read, Resource, Watch};
use crate::core::eks::{self, Target, follow};
use crate::core::error::{ApiError, OrGone, SdkResult};
use crate::core::names;
use crate::core::tags::{changes, from_value, tagged};
use crate::core::view::{
    View, any_changed, blocks, changed, int, nested, no_block, number, one_block, some_strings,
    string, text, texts,
};
use crate::core::wait::{Status, persist};

/// The type.
pub(crate) struct NodeGroup;

#[async_trait]
impl Resource for NodeGroup {
    fn name(&self) -> &'static str {
        "aws_eks_node_group"
    }

    fn schema(&self) -> Schema {
        let computed = |text| Attribute::computed(Type::String).describe(text);
        let given = |text| {
            Attribute::optional_computed(Type::String)
                .force_new()
                .describe(text)
        };
        let needed = |text| Attribute::required(Type::String).force_new().describe(text);
        let groups = Type::list(Type::object([("name", Type::String)]));
        let resources = Type::list(Type::object([
            ("autoscaling_groups", groups),
            ("remote_access_security_group_id", Type::String),
        ]));
        let block = Block::new()
            .describe("Machines that EKS manages for a cluster.")
            .attr("id", computed("CLUSTER:NODE-GROUP."))
            .attr("arn", computed("ARN of the node group."))
            .attr("status", computed("Status."))
            .attr(
                "resources",
                Attribute::computed(resources).describe("What EKS made for it."),
            )
            .attr("cluster_name", needed("Cluster."))
            .attr("node_group_name", given("Name; made up otherwise."))
            .attr("node_group_name_prefix", given("Start of a made-up name."))
            .attr("node_role_arn", needed("Role of the machines."))
            .attr(
                "subnet_ids",
                Attribute::required(Type::set(Type::String))
                    .force_new()
                    .describe("Subnets of the machines."),
            )
            .attr("ami_type", given("Kind of image."))
            .attr("capacity_type", given("ON_DEMAND, SPOT or CAPACITY_BLOCK."))
            .attr(
                "disk_size",
                Attribute::optional_computed(Type::Number)
                    .force_new()
                    .describe("Disk in GiB."),
            )
            .attr(
                "instance_types",
                Attribute::optional_computed(Type::list(Type::String))
                    .force_new()
                    .describe("Instance types."),
            )
            .attr(
                "labels",
                Attribute::optional(Type::map(Type::String))
                    .describe("Kubernetes labels of the nodes."),
            )
            .attr(
                "release_version",
                Attribute::optional_computed(Type::String).describe("Version of the image."),
            )
            .attr(
                "version",
                Attribute::optional_computed(Type::String).describe("Kubernetes version."),
            )
            .attr(
                "force_update_version",
                Attribute::optional(Type::Bool)
                    .describe("Update even where a disruption budget forbids it."),
            )
            .block(
                "scaling_config",
                NestedBlock::list_max_one(scaling_block()).required(),
            )
            .block(
                "update_config",
                NestedBlock::list_max_one(update_block()).computed(),
            )
            .block(
                "launch_template",
                NestedBlock::list_max_one(template_block()),
            )
            .block(
                "remote_access",
                NestedBlock::list_max_one(access_block()).force_new(),
            )
            .block("taint", NestedBlock::new(Nesting::Set, taint_block()));
        let hour = Duration::from_secs(60 * 60);
        Schema::new(tagged(block)).timeouts([("create", hour), ("update", hour), ("delete", hour)])
    }

    fn validate(&self, config: &Value, found: &mut Diagnostics) {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        check::name(
            config,
            "node_group_name",
            63,
            allowed,
            "letters, digits, hyphens and underscores",
            found,
        );
        check::conflicts(
            config,
            &["node_group_name", "node_group_name_prefix"],
            found,
        );
        check::one_of(
            config,
            "capacity_type",
            &["ON_DEMAND", "SPOT", "CAPACITY_BLOCK"],
            found,
        );
        if let Some(scaling) = nested(config, "scaling_config") {
            let [least, wanted, most] =
                ["min_size", "desired_size", "max_size"].map(|n| scaling.get_i64(n));
            if let (Some(least), Some(wanted), Some(most)) = (least, wanted, most)
                && !(least <= wanted && wanted <= most)
            {
                let path = Path::attribute("scaling_config")
                    .index(0)
                    .attr("desired_size");
                found.push(check::invalid(
                    path,
                    &format!("{wanted} must lie between min_size ({least}) and max_size ({most})"),
                ));
            }
        }
        for taint in blocks(config, "taint") {
            check::one_of(
                taint,
                "effect",
                &["NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE"],
                found,
            );
        }
    }

    fn recomputed(&self, prior: &Value, planned: &Value) -> Vec<&'static str> {
        if changed(prior, planned, "version") {
            vec!["release_version"]
        } else {
            Vec::new()
        }
    }

    fn from_id(&self, id: &str) -> Result<Value, String> {
        let (cluster, group) = id.split_once(':').ok_or("CLUSTER:NODE-GROUP")?;
        Ok(Value::object([
            ("cluster_name", Value::from(cluster)),
            ("node_group_name", Value::from(group)),
        ]))
    }

    async fn read(&self, aws: &Aws, known: &Value) -> Read {
        let (Some(cluster), Some(group)) = (
            known.get_str("cluster_name"),
            known.get_str("node_group_name"),
        ) else {
            return Ok(None);
        };
        Ok(describe(aws, cluster, group)
            .await?
            .map(|g| view(aws, &g, known)))
    }

    async fn create(&self, call: &Call<'_>, planned: &Value) -> Result<Value, Diagnostics> {
        let cluster = planned.get_str("cluster_name").unwrap_or_default();
        let group = names::given_or_made(
            planned,
            "node_group_name",
            "node_group_name_prefix",
            call.token(),
        );
        let passing = |e: &ApiError| eks::role_is_new(e) && e.code() != "ResourceInUseException";
        persist(call.propagation(), passing, || async {
            call.eks()
                .create_nodegroup()
                .client_request_token(call.token())
                .cluster_name(cluster)
                .nodegroup_name(&group)
                .set_node_role(string(planned, "node_role_arn"))
                .set_subnets(some_strings(planned, "subnet_ids"))
                .set_ami_type(planned.get_str("ami_type").map(AmiTypes::from))
                .set_capacity_type(planned.get_str("capacity_type").map(CapacityTypes::from))
                .set_disk_size(number(planned, "disk_size").filter(|d| *d > 0))
                .set_instance_types(some_strings(planned, "instance_types"))
                .set_labels(labels(planned))
                .set_release_version(string(planned, "release_version"))
                .set_version(string(planned, "version"))
                .set_scaling_config(nested(planned, "scaling_config").map(scaling))
                .set_update_config(nested(planned, "update_config").map(update_config))
                .set_launch_template(nested(planned, "launch_template").map(template))
                .set_remote_access(nested(planned, "remote_access").map(|r| {
                    RemoteAccessConfig::builder()
                        .set_ec2_ssh_key(string(r, "ec2_ssh_key"))
                        .set_source_security_groups(some_strings(r, "source_security_group_ids"))
                        .build()
                }))
                .set_taints(taints(planned))
                .set_tags(eks::map(&call.tags.wanted(planned)))
                .send()
                .await
                .api(call, "eks:CreateNodegroup")
        })
        .await?;
        let made = planned
            .clone()
            .with("node_group_name", Value::from(group.as_str()))
            .with("id", Value::from(format!("{cluster}:{group}")));
        call.accepted(&made).await?;
        call.until(&format!("node group {group}"), || {
            active(call, cluster, &group)
        })
        .await?;
        Ok(made)
    }

    async fn update(
        &self,
        call: &Call<'_>,
        prior: &Value,
        planned: &Value,
    ) -> Result<(), Diagnostics> {
        let cluster = prior.get_str("cluster_name").unwrap_or_default();
        let group = prior.get_str("node_group_name").unwrap_or_default();
        let target = Target {
            cluster,
            node_group: Some(group),
            addon: None,
        };
        if any_changed(
            prior,
            planned,
            &["version", "release_version", "launch_template"],
        ) {
            let template_changed = changed(prior, planned, "launch_template");
            let update = call
                .eks()
                .update_nodegroup_version()
                .client_request_token(format!("{}-version", call.token()))
                .cluster_name(cluster)
                .nodegroup_name(group)
                .set_version(
                    string(planned, "version").filter(|_| changed(prior, planned, "version")),
                )
                .set_release_version(
                    string(planned, "release_version")
                        .filter(|_| changed(prior, planned, "release_version")),
                )
                .set_launch_template(
                    nested(planned, "launch_template")
                        .filter(|_| template_changed)
                        .map(template),
                )
                .set_force(planned.get_bool("force_update_version"))
                .send()
                .await
                .api(call, "eks:UpdateNodegroupVersion")?;
            follow(call, target, update.update).await?;
        }
        if any_changed(
            prior,
            planned,
            &["labels", "taint", "scaling_config", "update_config"],
        ) {
            let size = nested(planned, "scaling_config")
                .filter(|_| changed(prior, planned, "scaling_config"));
            let pace = nested(planned, "update_config")
                .filter(|_| changed(prior, planned, "update_config"));
            let update = call
                .eks()
                .update_nodegroup_config()
                .client_request_token(format!("{}-config", call.token()))
                .cluster_name(cluster)
                .nodegroup_name(group)
                .set_labels(label_changes(prior, planned))
                .set_taints(taint_changes(prior, planned))
                .set_scaling_config(size.map(scaling))
                .set_update_config(pace.map(update_config))
                .send()
                .await
                .api(call, "eks:UpdateNodegroupConfig")?;
            follow(call, target, update.update).await?;
        }
        eks::retag(call, prior, planned).await
    }

    async fn delete(&self, call: &Call<'_>, prior: &Value) -> Result<(), Diagnostics> {
        let cluster = prior.get_str("cluster_name").unwrap_or_default();
        let group = prior.get_str("node_group_name").unwrap_or_default();
        let busy = |e: &ApiError| {
            e.code() == "ResourceInUseException" && e.message().contains("in progress")
        };
        let deleted = persist(call.limit(), busy, || async {
            let delete = call
                .eks()
                .delete_nodegroup()
                .cluster_name(cluster)
                .nodegroup_name(group);
            delete.send().await.api(call, "eks:DeleteNodegroup")
        });
        if deleted.await.or_gone()?.is_none() {
            return Ok(());
        }
        call.until(&format!("the deletion of node group {group}"), || async {
            Ok(match describe(call, cluster, group).await? {
                None => Status::Ready(()),
                Some(g) if g.status() == Some(&NodegroupStatus::DeleteFailed) => {
                    Status::Failed(failure(group, &g))
                }
                Some(g) => Status::Pending(format!(
                    "node group is {}",
                    g.status().map_or("DELETING", |s| s.as_str())
                )),
            })
        })
        .await
    }

    async fn find(&self, aws: &Aws, planned: &Value, token: &str) -> Result<Found, Diagnostics> {
        let cluster = planned.get_str("cluster_name").unwrap_or_default();
        let group =
            names::given_or_made(planned, "node_group_name", "node_group_name_prefix", token);
        let found = describe(aws, cluster, &group).await?;
        Ok(Found::Sure(found.map(|_| {
            Value::object([("node_group_name", Value::from(group))])
        })))
    }

    async fn settle(&self, watch: &Watch<'_>, known: &Value) -> Result<(), Diagnostics> {
        let cluster = known.get_str("cluster_name").unwrap_or_default();
        let group = known.get_str("node_group_name").unwrap_or_default();
        watch
            .until(&format!("node group {group}"), || {
                active(watch.aws, cluster, group)
            })
            .await
    }
}

fn scaling_block() -> Block {
    let size = |text| Attribute::required(Type::Number).describe(text);
    Block::new()
        .describe("How many machines.")
        .attr("desired_size", size("How many to have."))
        .attr("max_size", size("How many at most."))
        .attr("min_size", size("How many at least."))
}

fn update_block() -> Block {
    Block::new()
        .describe("How fast machines are replaced.")
        .attr(
            "max_unavailable",
            Attribute::optional(Type::Number).describe("How many at once."),
        )
        .attr(
            "max_unavailable_percentage",
            Attribute::optional(Type::Number).describe("How many of a hundred at once."),
        )
}

fn template_block() -> Block {
    let given = |text| {
        Attribute::optional_computed(Type::String)
            .force_new()
            .describe(text)
    };
    Block::new()
        .describe("Launch template of the machines.")
        .attr("id", given("Id of the template."))
        .attr("name", given("Name of the template."))
        .attr(
            "version",
            Attribute::required(Type::String).describe("Version of the template."),
        )
}

fn access_block() -> Block {
    Block::new()
        .describe("Signing in to the machines.")
        .attr(
            "ec2_ssh_key",
            Attribute::optional(Type::String)
                .force_new()
                .describe("Key pair."),
        )
        .attr(
            "source_security_group_ids",
            Attribute::optional(Type::set(Type::String))
                .force_new()
                .describe("Security groups that may sign in."),
        )
}

fn taint_block() -> Block {
    Block::new()
        .describe("A Kubernetes taint of the nodes.")
        .attr("key", Attribute::required(Type::String).describe("Key."))
        .attr(
            "value",
            Attribute::optional(Type::String).describe("Value."),
        )
        .attr(
            "effect",
            Attribute::required(Type::String)
                .describe("NO_SCHEDULE, NO_EXECUTE or PREFER_NO_SCHEDULE."),
        )
}

fn labels(object: &Value) -> Option<HashMap<String, String>> {
    eks::map(&from_value(object.get("labels")))
}

fn scaling(block: &Value) -> NodegroupScalingConfig {
    NodegroupScalingConfig::builder()
        .set_desired_size(number(block, "desired_size"))
        .set_max_size(number(block, "max_size"))
        .set_min_size(number(block, "min_size"))
        .build()
}

fn update_config(block: &Value) -> NodegroupUpdateConfig {
    NodegroupUpdateConfig::builder()
        .set_max_unavailable(number(block, "max_unavailable").filter(|n| *n > 0))
        .set_max_unavailable_percentage(
            number(block, "max_unavailable_percentage").filter(|n| *n > 0),
        )
        .build()
}

/// The API takes the id or the name, not both.
fn template(block: &Value) -> LaunchTemplateSpecification {
    let id = string(block, "id");
    let name = string(block, "name").filter(|_| id.is_none());
    LaunchTemplateSpecification::builder()
        .set_id(id)
        .set_name(name)
        .set_version(string(block, "version"))
        .build()
}

fn taint(block: &Value) -> Taint {
    Taint::builder()
        .set_key(string(block, "key"))
        .set_value(string(block, "value"))
        .set_effect(block.get_str("effect").map(TaintEffect::from))
        .build()
}

fn taints(object: &Value) -> Option<Vec<Taint>> {
    let taints: Vec<Taint> = blocks(object, "taint").iter().map(taint).collect();
    (!taints.is_empty()).then_some(taints)
}

fn label_changes(prior: &Value, planned: &Value) -> Option<UpdateLabelsPayload> {
    let (set, remove) = changes(
        &from_value(prior.get("labels")),
        &from_value(planned.get("labels")),
    );
    (!set.is_empty() || !remove.is_empty()).then(|| {
        UpdateLabelsPayload::builder()
            .set_add_or_update_labels(eks::map(&set))
            .set_remove_labels(Some(remove).filter(|r| !r.is_empty()))
            .build()
    })
}

fn taint_changes(prior: &Value, planned: &Value) -> Option<UpdateTaintsPayload> {
    let (old, new) = (blocks(prior, "taint"), blocks(planned, "taint"));
    // Key and effect name a taint; one whose value alone changes is replaced by its addition.
    let named = |t: &Value| (string(t, "key"), string(t, "effect"));
    let add: Vec<Taint> = new.iter().filter(|n| !old.contains(n)).map(taint).collect();
    let gone = old
        .iter()
        .filter(|o| !new.iter().any(|n| named(n) == named(o)));
    let remove: Vec<Taint> = gone.map(taint).collect();
    (!add.is_empty() || !remove.is_empty()).then(|| {
        UpdateTaintsPayload::builder()
            .set_add_or_update_taints(Some(add).filter(|t| !t.is_empty()))
            .set_remove_taints(Some(remove).filter(|t| !t.is_empty()))
            .build()
    })
}

async fn describe(aws: &Aws, cluster: &str, group: &str) -> Result<Option<Nodegroup>, Diagnostics> {
    let answer = aws
        .eks()
        .describe_nodegroup()
        .cluster_name(cluster)
        .nodegroup_name(group)
        .send()
        .await;
    Ok(answer
        .api(aws, "eks:DescribeNodegroup")
        .or_gone()?
        .and_then(|a| a.nodegroup))
}

async fn active(aws: &Aws, cluster: &str, group: &str) -> Result<Status<()>, Diagnostics> {
    let Some(found) = describe(aws, cluster, group).await? else {
        return Ok(Status::Pending("node group is not visible".into()));
    };
    Ok(match found.status() {
        Some(NodegroupStatus::Active) => Status::Ready(()),
        Some(
            NodegroupStatus::CreateFailed
            | NodegroupStatus::DeleteFailed
            | NodegroupStatus::Degraded,
        ) => Status::Failed(failure(group, &found)),
        status => Status::Pending(format!(
            "node group is {}",
            status.map_or("CREATING", |s| s.as_str())
        )),
    })
}

fn failure(name: &str, group: &Nodegroup) -> Diagnostics {
    let issues = group.health().map(|h| h.issues()).unwrap_or_default();
    let reasons = issues.iter().map(|i| {
        let code = i.code().map_or("", |c| c.as_str());
        eks::reason(code, i.message(), i.resource_ids())
    });
    let status = group.status().map_or("FAILED", |s| s.as_str());
    Diagnostics::error(
        format!("Node group {name} is {status}"),
        eks::sentence(reasons.collect()),
    )
}

fn view(aws: &Aws, group: &Nodegroup, known: &Value) -> Value {
    let (cluster, name) = (
        group.cluster_name().unwrap_or_default(),
        group.nodegroup_name().unwrap_or_default(),
    );
    let prefix = string(known, "node_group_name_prefix")
        .or_else(|| names::prefix_of(name).map(str::to_owned));
    let templated = group.launch_template().is_some() || nested(known, "launch_template").is_some();
    let resources = group.resources().map(|r| {
        let groups = r.auto_scaling_groups().iter();
        let groups = groups.map(|g| Value::object([("name", text(g.name()))]));
        Value::object([
            ("autoscaling_groups", Value::tuple(groups.collect())),
            (
                "remote_access_security_group_id",
                text(r.remote_access_security_group()),
            ),
        ])
    });
    let scaling = group.scaling_config().map_or_else(no_block, |s| {
        one_block([
            ("desired_size", int(s.desired_size())),
            ("max_size", int(s.max_size())),
            ("min_size", int(s.min_size())),
        ])
    });
    let taints = group.taints().iter().map(|t| {
        Value::object([
            ("key", text(t.key())),
            ("value", text(t.value())),
            ("effect", text(t.effect().map(|e| e.as_str()))),
        ])
    });
    let mut view = View::of(known);
    if let Some(u) = group.update_config() {
        view.set(
            "update_config",
            one_block([
                (
                    "max_unavailable",
                    int(u.max_unavailable().filter(|n| *n > 0)),
                ),
                (
                    "max_unavailable_percentage",
                    int(u.max_unavailable_percentage().filter(|n| *n > 0)),
                ),
            ]),
        );
    }
    if let Some(t) = group.launch_template() {
        view.set(
            "launch_template",
            one_block([
                ("id", text(t.id())),
                ("name", text(t.name())),
                ("version", text(t.version())),
            ]),
        );
    }
    if let Some(r) = group.remote_access() {
        let groups = r.source_security_groups();
        let groups = if groups.is_empty() {
            Value::NULL
        } else {
            texts(groups)
        };
        view.set(
            "remote_access",
            one_block([
                ("ec2_ssh_key", text(r.ec2_ssh_key())),
                ("source_security_group_ids", groups),
            ]),
        );
    }
    // A launch template decides on disk and instance types itself; AWS shows none or its default.
    if !templated || known.get_i64("disk_size").is_none() {
        view.int("disk_size", group.disk_size().or(Some(0)));
    }
    view.set("id", format!("{cluster}:{name}"))
        .text("arn", group.nodegroup_arn())
        .text("status", group.status().map(|s| s.as_str()))
        .set("resources", Value::tuple(resources.into_iter().collect()))
        .set("cluster_name", cluster)
        .set("node_group_name", name)
        .set("node_group_name_prefix", prefix.unwrap_or_default())
        .text("node_role_arn", group.node_role())
        .all_texts("subnet_ids", group.subnets())
        .text("ami_type", group.ami_type().map(|t| t.as_str()))
        .text("capacity_type", group.capacity_type().map(|t| t.as_str()))
        .all_texts("instance_types", group.instance_types())
        .map("labels", eks::tags(group.labels()))
        .text("release_version", group.release_version())
        .text("version", group.version())
        .set("scaling_config", scaling)
        .set("taint", Value::tuple(taints.collect()))
        .tags(aws, eks::tags(group.tags()))
        .done()
}
