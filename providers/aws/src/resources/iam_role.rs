//! `aws_iam_role`: an identity to be assumed. Policies are attached by types of their own.

use async_trait::async_trait;
use topo_sdk::{Attribute, Block, Diagnostics, Schema, Type, Value};

use crate::core::check;
use crate::core::clients::Aws;
use crate::core::contract::{Call, Found, Read, Resource};
use crate::core::document::{check_json, keep_prior, same_policy};
use crate::core::error::{ApiError, OrGone, SdkResult};
use crate::core::iam;
use crate::core::names;
use crate::core::tags::{changes, from_value, tagged};
use crate::core::view::{View, any_changed, changed, number, string};
use crate::core::wait::persist;

/// The type.
pub(crate) struct Role;

#[async_trait]
impl Resource for Role {
    fn name(&self) -> &'static str {
        "aws_iam_role"
    }

    fn schema(&self) -> Schema {
        let computed = |text| Attribute::computed(Type::String).describe(text);
        let given = |text| {
            Attribute::optional_computed(Type::String)
                .force_new()
                .describe(text)
        };
        let block = Block::new()
            .describe("An identity to be assumed.")
            .attr("id", computed("Name of the role."))
            .attr("arn", computed("ARN of the role."))
            .attr("unique_id", computed("Unique id of the role."))
            .attr("create_date", computed("When it was made, RFC 3339."))
            .attr("name", given("Name of the role; made up otherwise."))
            .attr("name_prefix", given("Start of a made-up name."))
            .attr(
                "assume_role_policy",
                Attribute::required(Type::String)
                    .describe("Who may assume it: a JSON policy document."),
            )
            .attr(
                "description",
                Attribute::optional(Type::String).describe("What the role is for."),
            )
            .attr(
                "path",
                Attribute::optional(Type::String)
                    .default("/")
                    .force_new()
                    .describe("Path of the role."),
            )
            .attr(
                "permissions_boundary",
                Attribute::optional(Type::String).describe("ARN of the policy that bounds it."),
            )
            .attr(
                "max_session_duration",
                Attribute::optional(Type::Number)
                    .default(3600)
                    .describe("Longest session in seconds."),
            )
            .attr(
                "force_detach_policies",
                Attribute::optional(Type::Bool)
                    .default(false)
                    .describe("Detach whatever policies it has before the deletion."),
            );
        Schema::new(tagged(block))
    }

    fn validate(&self, config: &Value, found: &mut Diagnostics) {
        check::iam_name(config, "name", 64, found);
        check::iam_name(config, "name_prefix", 38, found);
        check::conflicts(config, &["name", "name_prefix"], found);
        check::between(config, "max_session_duration", 3600..=43200, found);
        check_json(config, "assume_role_policy", found);
    }

    fn normalise(&self, prior: &Value, proposed: Value) -> Value {
        keep_prior(prior, proposed, "assume_role_policy", same_policy)
    }

    async fn read(&self, aws: &Aws, known: &Value) -> Read {
        let Some(name) = known.get_str("id") else {
            return Ok(None);
        };
        let answer = aws
            .iam()
            .get_role()
            .role_name(name)
            .send()
            .await
            .api(aws, "iam:GetRole")
            .or_gone()?;
        let Some(role) = answer.and_then(|a| a.role) else {
            return Ok(None);
        };
        let trust = role.assume_role_policy_document().map(iam::document);
        let boundary = role
            .permissions_boundary()
            .and_then(|b| b.permissions_boundary_arn());
        let prefix = string(known, "name_prefix")
            .or_else(|| names::prefix_of(role.role_name()).map(str::to_owned));
        Ok(Some(
            View::of(known)
                .set("id", role.role_name())
                .set("name", role.role_name())
                .set("name_prefix", prefix.unwrap_or_default())
                .set("arn", role.arn())
                .set("unique_id", role.role_id())
                .text(
                    "create_date",
                    iam::time(Some(role.create_date())).as_deref(),
                )
                .document("assume_role_policy", trust.as_deref(), same_policy)
                .text("description", role.description())
                .set("path", role.path())
                .text("permissions_boundary", boundary)
                .int(
                    "max_session_duration",
                    role.max_session_duration().or(Some(3600)),
                )
                .tags(aws, iam::tags(role.tags()))
                .done(),
        ))
    }

    async fn create(&self, call: &Call<'_>, planned: &Value) -> Result<Value, Diagnostics> {
        let name = names::given_or_made(planned, "name", "name_prefix", call.token());
        let tags = iam::list(&call.tags.wanted(planned))?;
        // The trust policy may name a role that was made a moment ago.
        let unknown_principal = |e: &ApiError| {
            e.code() == "MalformedPolicyDocument" && e.message().contains("Invalid principal")
        };
        persist(call.propagation(), unknown_principal, || async {
            call.iam()
                .create_role()
                .role_name(&name)
                .set_assume_role_policy_document(string(planned, "assume_role_policy"))
                .set_description(string(planned, "description"))
                .set_path(string(planned, "path"))
                .set_permissions_boundary(string(planned, "permissions_boundary"))
                .set_max_session_duration(number(planned, "max_session_duration"))
                .set_tags(Some(tags.clone()).filter(|t| !t.is_empty()))
                .send()
                .await
                .api(call, "iam:CreateRole")
        })
        .await?;
        let made = planned
            .clone()
            .with("id", Value::from(name.as_str()))
            .with("name", Value::from(name));
        call.accepted(&made).await?;
        Ok(made)
    }

    async fn update(
        &self,
        call: &Call<'_>,
        prior: &Value,
        planned: &Value,
    ) -> Result<(), Diagnostics> {
        let name = prior.get_str("id").unwrap_or_default();
        if changed(prior, planned, "assume_role_policy") {
            let unknown_principal = |e: &ApiError| {
                e.code() == "MalformedPolicyDocument" && e.message().contains("Invalid principal")
            };
            persist(call.propagation(), unknown_principal, || async {
                call.iam()
                    .update_assume_role_policy()
                    .role_name(name)
                    .set_policy_document(string(planned, "assume_role_policy"))
                    .send()
                    .await
                    .api(call, "iam:UpdateAssumeRolePolicy")
            })
            .await?;
        }
        if any_changed(prior, planned, &["description", "max_session_duration"]) {
            call.iam()
                .update_role()
                .role_name(name)
                .description(planned.get_str("description").unwrap_or_default())
                .set_max_session_duration(number(planned, "max_session_duration"))
                .send()
                .await
                .api(call, "iam:UpdateRole")?;
        }
        if changed(prior, planned, "permissions_boundary") {
            match string(planned, "permissions_boundary") {
                Some(arn) => {
                    let set = call.iam().put_role_permissions_boundary().role_name(name);
                    set.permissions_boundary(arn)
                        .send()
                        .await
                        .api(call, "iam:PutRolePermissionsBoundary")?;
                }
                None => {
                    let remove = call
                        .iam()
                        .delete_role_permissions_boundary()
                        .role_name(name);
                    remove
                        .send()
                        .await
                        .api(call, "iam:DeleteRolePermissionsBoundary")
                        .or_gone()?;
                }
            }
        }
        let (set, remove) = changes(
            &from_value(prior.get("tags_all")),
            &call.tags.wanted(planned),
        );
        if !remove.is_empty() {
            let untag = call
                .iam()
                .untag_role()
                .role_name(name)
                .set_tag_keys(Some(remove));
            untag.send().await.api(call, "iam:UntagRole")?;
        }
        if !set.is_empty() {
            let tag = call
                .iam()
                .tag_role()
                .role_name(name)
                .set_tags(Some(iam::list(&set)?));
            tag.send().await.api(call, "iam:TagRole")?;
        }
        Ok(())
    }

    async fn delete(&self, call: &Call<'_>, prior: &Value) -> Result<(), Diagnostics> {
        let name = prior.get_str("id").unwrap_or_default();
        leave_profiles(call, name).await?;
        if prior.get_bool("force_detach_policies") == Some(true) {
            strip(call, name).await?;
        }
        // A detachment may not be seen everywhere yet.
        let still_attached =
            |e: &ApiError| e.code() == "ConcurrentModification" || e.code() == "DeleteConflict";
        persist(
            std::time::Duration::from_secs(15),
            still_attached,
            || async {
                call.iam()
                    .delete_role()
                    .role_name(name)
                    .send()
                    .await
                    .api(call, "iam:DeleteRole")
            },
        )
        .await
        .or_gone()?;
        Ok(())
    }

    async fn find(&self, aws: &Aws, planned: &Value, token: &str) -> Result<Found, Diagnostics> {
        let name = names::given_or_made(planned, "name", "name_prefix", token);
        let named = Value::object([("id", Value::from(name))]);
        Ok(Found::Sure(self.read(aws, &named).await?.map(|_| named)))
    }
}

/// Takes the role out of its instance profiles: a role in one cannot be deleted.
async fn leave_profiles(call: &Call<'_>, name: &str) -> Result<(), Diagnostics> {
    let answer = call
        .iam()
        .list_instance_profiles_for_role()
        .role_name(name)
        .send()
        .await;
    let answer = answer
        .api(call, "iam:ListInstanceProfilesForRole")
        .or_gone()?;
    for profile in answer.into_iter().flat_map(|a| a.instance_profiles) {
        call.iam()
            .remove_role_from_instance_profile()
            .role_name(name)
            .instance_profile_name(profile.instance_profile_name())
            .send()
            .await
            .api(call, "iam:RemoveRoleFromInstanceProfile")
            .or_gone()?;
    }
    Ok(())
}

/// Detaches managed policies and deletes inline ones.
async fn strip(call: &Call<'_>, name: &str) -> Result<(), Diagnostics> {
    let attached = call
        .iam()
        .list_attached_role_policies()
        .role_name(name)
        .send()
        .await;
    let attached = attached
        .api(call, "iam:ListAttachedRolePolicies")
        .or_gone()?;
    for policy in attached
        .and_then(|a| a.attached_policies)
        .unwrap_or_default()
    {
        let detach = call
            .iam()
            .detach_role_policy()
            .role_name(name)
            .set_policy_arn(policy.policy_arn);
        detach
            .send()
            .await
            .api(call, "iam:DetachRolePolicy")
            .or_gone()?;
    }
    let inline = call.iam().list_role_policies().role_name(name).send().await;
    let inline = inline.api(call, "iam:ListRolePolicies").or_gone()?;
    for policy in inline.into_iter().flat_map(|a| a.policy_names) {
        let delete = call
            .iam()
            .delete_role_policy()
            .role_name(name)
            .policy_name(policy);
        delete
            .send()
            .await
            .api(call, "iam:DeleteRolePolicy")
            .or_gone()?;
    }
    Ok(())
}
