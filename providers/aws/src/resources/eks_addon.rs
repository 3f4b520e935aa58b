//! `aws_eks_addon`: software that EKS installs into a cluster.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_eks::types::{
    Addon as EksAddon, AddonPodIdentityAssociations, AddonStatus, ResolveConflicts,
};
use topo_sdk::{Attribute, Block, Diagnostics, NestedBlock, Nesting, Schema, Type, Value};

use crate::core::check;
use crate::core::clients::Aws;
use crate::core::contract::{Call, Found, Read, Resource, Watch};
use crate::core::document::{keep_prior, same_json};
use crate::core::eks::{self, Target, follow};
use crate::core::error::{OrGone, SdkResult};
use crate::core::iam::time;
use crate::core::tags::tagged;
use crate::core::view::{View, any_changed, blocks, changed, string};
use crate::core::wait::{Status, persist};

/// The type.
pub(crate) struct Addon;

#[async_trait]
impl Resource for Addon {
    fn name(&self) -> &'static str {
        "aws_eks_addon"
    }

    fn schema(&self) -> Schema {
        let computed = |text| Attribute::computed(Type::String).describe(text);
        let needed = |text| Attribute::required(Type::String).force_new().describe(text);
        let text = |text| Attribute::optional(Type::String).describe(text);
        let identity = Block::new()
            .describe("A role for one of its service accounts.")
            .attr(
                "role_arn",
                Attribute::required(Type::String).describe("Role."),
            )
            .attr(
                "service_account",
                Attribute::required(Type::String).describe("Service account."),
            );
        let block = Block::new()
            .describe("Software that EKS installs into a cluster.")
            .attr("id", computed("CLUSTER:ADD-ON."))
            .attr("arn", computed("ARN of the add-on."))
            .attr("created_at", computed("When it was made, RFC 3339."))
            .attr(
                "modified_at",
                computed("When it was changed, RFC 3339.").recomputed(),
            )
            .attr("addon_name", needed("Name of the add-on."))
            .attr("cluster_name", needed("Cluster."))
            .attr(
                "addon_version",
                Attribute::optional_computed(Type::String)
                    .describe("Version; the default one otherwise."),
            )
            .attr(
                "configuration_values",
                Attribute::optional_computed(Type::String).describe("Settings, JSON."),
            )
            .attr("resolve_conflicts_on_create", text("NONE or OVERWRITE."))
            .attr(
                "resolve_conflicts_on_update",
                text("NONE, OVERWRITE or PRESERVE."),
            )
            .attr(
                "preserve",
                Attribute::optional(Type::Bool)
                    .describe("Leave the software in the cluster on deletion."),
            )
            .attr(
                "service_account_role_arn",
                text("Role of its service account."),
            )
            .block(
                "pod_identity_association",
                NestedBlock::new(Nesting::Set, identity),
            );
        let minutes = |m: u64| Duration::from_secs(m * 60);
        Schema::new(tagged(block)).timeouts([
            ("create", minutes(20)),
            ("update", minutes(20)),
            ("delete", minutes(40)),
        ])
    }

    fn validate(&self, config: &Value, found: &mut Diagnostics) {
        check::one_of(
            config,
            "resolve_conflicts_on_create",
            &["NONE", "OVERWRITE"],
            found,
        );
        check::one_of(
            config,
            "resolve_conflicts_on_update",
            &["NONE", "OVERWRITE", "PRESERVE"],
            found,
        );
    }

    fn normalise(&self, prior: &Value, proposed: Value) -> Value {
        keep_prior(prior, proposed, "configuration_values", same_json)
    }

    fn from_id(&self, id: &str) -> Result<Value, String> {
        let (cluster, addon) = id.split_once(':').ok_or("CLUSTER:ADD-ON")?;
        Ok(Value::object([
            ("cluster_name", Value::from(cluster)),
            ("addon_name", Value::from(addon)),
        ]))
    }

    async fn read(&self, aws: &Aws, known: &Value) -> Read {
        let (Some(cluster), Some(name)) =
            (known.get_str("cluster_name"), known.get_str("addon_name"))
        else {
            return Ok(None);
        };
        let Some(addon) = describe(aws, cluster, name).await? else {
            return Ok(None);
        };
        Ok(Some(
            View::of(known)
                .set("id", format!("{cluster}:{name}"))
                .text("arn", addon.addon_arn())
                .text("created_at", time(addon.created_at()).as_deref())
                .text("modified_at", time(addon.modified_at()).as_deref())
                .text("addon_version", addon.addon_version())
                .document(
                    "configuration_values",
                    addon.configuration_values(),
                    same_json,
                )
                .text("service_account_role_arn", addon.service_account_role_arn())
                .set(
                    "pod_identity_association",
                    identities_of(aws, cluster, &addon).await?,
                )
                .tags(aws, eks::tags(addon.tags()))
                .done(),
        ))
    }

    async fn create(&self, call: &Call<'_>, planned: &Value) -> Result<Value, Diagnostics> {
        let cluster = planned.get_str("cluster_name").unwrap_or_default();
        let name = planned.get_str("addon_name").unwrap_or_default();
        persist(call.propagation(), eks::role_is_new, || async {
            call.eks()
                .create_addon()
                .client_request_token(call.token())
                .cluster_name(cluster)
                .addon_name(name)
                .set_addon_version(string(planned, "addon_version"))
                .set_configuration_values(string(planned, "configuration_values"))
                .set_resolve_conflicts(
                    planned
                        .get_str("resolve_conflicts_on_create")
                        .map(ResolveConflicts::from),
                )
                .set_service_account_role_arn(string(planned, "service_account_role_arn"))
                .set_pod_identity_associations(Some(identities(planned)).filter(|i| !i.is_empty()))
                .set_tags(eks::map(&call.tags.wanted(planned)))
                .send()
                .await
                .api(call, "eks:CreateAddon")
        })
        .await?;
        let made = planned
            .clone()
            .with("id", Value::from(format!("{cluster}:{name}")));
        call.accepted(&made).await?;
        call.until(&format!("add-on {name}"), || active(call, cluster, name))
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
        let name = prior.get_str("addon_name").unwrap_or_default();
        let own = [
            "addon_version",
            "configuration_values",
            "service_account_role_arn",
            "pod_identity_association",
        ];
        if any_changed(prior, planned, &own) {
            let update = call
                .eks()
                .update_addon()
                .client_request_token(call.token())
                .cluster_name(cluster)
                .addon_name(name)
                .set_addon_version(string(planned, "addon_version"))
                .set_configuration_values(string(planned, "configuration_values"))
                .set_resolve_conflicts(
                    planned
                        .get_str("resolve_conflicts_on_update")
                        .map(ResolveConflicts::from),
                )
                .set_service_account_role_arn(string(planned, "service_account_role_arn"))
                .set_pod_identity_associations(
                    changed(prior, planned, "pod_identity_association")
                        .then(|| identities(planned)),
                )
                .send()
                .await
                .api(call, "eks:UpdateAddon")?;
            let target = Target {
                cluster,
                addon: Some(name),
                node_group: None,
            };
            follow(call, target, update.update).await?;
            call.until(&format!("add-on {name}"), || active(call, cluster, name))
                .await?;
        }
        eks::retag(call, prior, planned).await
    }

    async fn delete(&self, call: &Call<'_>, prior: &Value) -> Result<(), Diagnostics> {
        let cluster = prior.get_str("cluster_name").unwrap_or_default();
        let name = prior.get_str("addon_name").unwrap_or_default();
        let delete = call
            .eks()
            .delete_addon()
            .cluster_name(cluster)
            .addon_name(name);
        let deleted = delete.set_preserve(prior.get_bool("preserve")).send().await;
        if deleted.api(call, "eks:DeleteAddon").or_gone()?.is_none() {
            return Ok(());
        }
        call.until(&format!("the deletion of add-on {name}"), || async {
            Ok(match describe(call, cluster, name).await? {
                None => Status::Ready(()),
                Some(a) if a.status() == Some(&AddonStatus::DeleteFailed) => {
                    Status::Failed(failure(name, &a))
                }
                Some(a) => Status::Pending(format!(
                    "add-on is {}",
                    a.status().map_or("DELETING", |s| s.as_str())
                )),
            })
        })
        .await
    }

    async fn find(&self, aws: &Aws, planned: &Value, _token: &str) -> Result<Found, Diagnostics> {
        let cluster = planned.get_str("cluster_name").unwrap_or_default();
        let name = planned.get_str("addon_name").unwrap_or_default();
        let found = describe(aws, cluster, name).await?;
        Ok(Found::Sure(found.map(|_| {
            Value::object([("addon_name", Value::from(name))])
        })))
    }

    async fn settle(&self, watch: &Watch<'_>, known: &Value) -> Result<(), Diagnostics> {
        let cluster = known.get_str("cluster_name").unwrap_or_default();
        let name = known.get_str("addon_name").unwrap_or_default();
        watch
            .until(&format!("add-on {name}"), || {
                active(watch.aws, cluster, name)
            })
            .await
    }
}

fn identities(object: &Value) -> Vec<AddonPodIdentityAssociations> {
    let of = |b: &Value| {
        AddonPodIdentityAssociations::builder()
            .set_role_arn(string(b, "role_arn"))
            .set_service_account(string(b, "service_account"))
            .build()
    };
    // Both arguments are required by the schema: a block without them does not get here.
    blocks(object, "pod_identity_association")
        .iter()
        .filter_map(|b| of(b).ok())
        .collect()
}

/// The add-on names its associations by ARN; role and service account are told one by one.
async fn identities_of(aws: &Aws, cluster: &str, addon: &EksAddon) -> Result<Value, Diagnostics> {
    let mut found = Vec::new();
    for arn in addon.pod_identity_associations() {
        let Some(id) = arn.rsplit('/').next() else {
            continue;
        };
        let answer = aws
            .eks()
            .describe_pod_identity_association()
            .cluster_name(cluster)
            .association_id(id)
            .send()
            .await;
        let answer = answer
            .api(aws, "eks:DescribePodIdentityAssociation")
            .or_gone()?;
        if let Some(a) = answer.and_then(|a| a.association) {
            found.push(Value::object([
                ("role_arn", Value::from(a.role_arn().unwrap_or_default())),
                (
                    "service_account",
                    Value::from(a.service_account().unwrap_or_default()),
                ),
            ]));
        }
    }
    Ok(Value::tuple(found))
}

async fn describe(aws: &Aws, cluster: &str, name: &str) -> Result<Option<EksAddon>, Diagnostics> {
    let answer = aws
        .eks()
        .describe_addon()
        .cluster_name(cluster)
        .addon_name(name)
        .send()
        .await;
    Ok(answer
        .api(aws, "eks:DescribeAddon")
        .or_gone()?
        .and_then(|a| a.addon))
}

async fn active(aws: &Aws, cluster: &str, name: &str) -> Result<Status<()>, Diagnostics> {
    let Some(addon) = describe(aws, cluster, name).await? else {
        return Ok(Status::Pending("add-on is not visible".into()));
    };
    Ok(match addon.status() {
        Some(AddonStatus::Active) => Status::Ready(()),
        Some(AddonStatus::CreateFailed | AddonStatus::UpdateFailed | AddonStatus::DeleteFailed) => {
            Status::Failed(failure(name, &addon))
        }
        // Degraded passes: an add-on whose pods wait for the first nodes.
        status => {
            let issues = addon.health().map(|h| h.issues()).unwrap_or_default();
            let first = issues.first().and_then(|i| i.message());
            let status = status.map_or("CREATING", |s| s.as_str());
            Status::Pending(match first {
                Some(m) => format!("add-on is {status}: {m}"),
                None => format!("add-on is {status}"),
            })
        }
    })
}

fn failure(name: &str, addon: &EksAddon) -> Diagnostics {
    let issues = addon.health().map(|h| h.issues()).unwrap_or_default();
    let reasons = issues.iter().map(|i| {
        let code = i.code().map_or("", |c| c.as_str());
        eks::reason(code, i.message(), i.resource_ids())
    });
    let status = addon.status().map_or("FAILED", |s| s.as_str());
    Diagnostics::error(
        format!("Add-on {name} is {status}"),
        eks::sentence(reasons.collect()),
    )
}
