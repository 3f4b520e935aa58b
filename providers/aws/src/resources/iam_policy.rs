//! `aws_iam_policy`: a managed policy.

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
use crate::core::view::{View, changed, string};
use crate::core::wait::persist;

/// The type.
pub(crate) struct Policy;

/// A policy has at most this many versions (source: IAM quotas).
const MOST_VERSIONS: usize = 5;

#[async_trait]
impl Resource for Policy {
    fn name(&self) -> &'static str {
        "aws_iam_policy"
    }

    fn schema(&self) -> Schema {
        let computed = |text| Attribute::computed(Type::String).describe(text);
        let given = |text| {
            Attribute::optional_computed(Type::String)
                .force_new()
                .describe(text)
        };
        let block = Block::new()
            .describe("A managed policy.")
            .attr("id", computed("ARN of the policy."))
            .attr("arn", computed("ARN of the policy."))
            .attr("policy_id", computed("Unique id of the policy."))
            .attr(
                "attachment_count",
                Attribute::computed(Type::Number)
                    .describe("How many identities it is attached to."),
            )
            .attr("name", given("Name of the policy; made up otherwise."))
            .attr("name_prefix", given("Start of a made-up name."))
            .attr(
                "description",
                Attribute::optional(Type::String)
                    .force_new()
                    .describe("What the policy is for."),
            )
            .attr(
                "path",
                Attribute::optional(Type::String)
                    .default("/")
                    .force_new()
                    .describe("Path of the policy."),
            )
            .attr(
                "policy",
                Attribute::required(Type::String).describe("JSON policy document."),
            );
        Schema::new(tagged(block))
    }

    fn validate(&self, config: &Value, found: &mut Diagnostics) {
        check::iam_name(config, "name", 128, found);
        check::iam_name(config, "name_prefix", 102, found);
        check::conflicts(config, &["name", "name_prefix"], found);
        check_json(config, "policy", found);
    }

    fn normalise(&self, prior: &Value, proposed: Value) -> Value {
        keep_prior(prior, proposed, "policy", same_policy)
    }

    async fn read(&self, aws: &Aws, known: &Value) -> Read {
        let Some(arn) = known.get_str("id") else {
            return Ok(None);
        };
        let answer = aws
            .iam()
            .get_policy()
            .policy_arn(arn)
            .send()
            .await
            .api(aws, "iam:GetPolicy")
            .or_gone()?;
        let Some(policy) = answer.and_then(|a| a.policy) else {
            return Ok(None);
        };
        let version = aws
            .iam()
            .get_policy_version()
            .policy_arn(arn)
            .set_version_id(policy.default_version_id.clone())
            .send()
            .await
            .api(aws, "iam:GetPolicyVersion")
            .or_gone()?;
        let document = version
            .and_then(|v| v.policy_version)
            .and_then(|v| v.document);
        let document = document.as_deref().map(iam::document);
        let name = policy.policy_name().unwrap_or_default();
        let prefix =
            string(known, "name_prefix").or_else(|| names::prefix_of(name).map(str::to_owned));
        Ok(Some(
            View::of(known)
                .set("id", arn)
                .set("arn", arn)
                .text("policy_id", policy.policy_id())
                .int("attachment_count", policy.attachment_count().or(Some(0)))
                .text("name", policy.policy_name())
                .set("name_prefix", prefix.unwrap_or_default())
                .text("description", policy.description())
                .text("path", policy.path())
                .document("policy", document.as_deref(), same_policy)
                .tags(aws, iam::tags(policy.tags()))
                .done(),
        ))
    }

    async fn create(&self, call: &Call<'_>, planned: &Value) -> Result<Value, Diagnostics> {
        let name = names::given_or_made(planned, "name", "name_prefix", call.token());
        let tags = iam::list(&call.tags.wanted(planned))?;
        let answer = call
            .iam()
            .create_policy()
            .policy_name(&name)
            .set_policy_document(string(planned, "policy"))
            .set_description(string(planned, "description"))
            .set_path(string(planned, "path"))
            .set_tags(Some(tags).filter(|t| !t.is_empty()))
            .send()
            .await
            .api(call, "iam:CreatePolicy")?;
        let arn = answer.policy().and_then(|p| p.arn()).unwrap_or_default();
        let made = planned
            .clone()
            .with("id", Value::from(arn))
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
        let arn = prior.get_str("id").unwrap_or_default();
        if changed(prior, planned, "policy") {
            make_room(call, arn).await?;
            call.iam()
                .create_policy_version()
                .policy_arn(arn)
                .set_policy_document(string(planned, "policy"))
                .set_as_default(true)
                .send()
                .await
                .api(call, "iam:CreatePolicyVersion")?;
        }
        let (set, remove) = changes(
            &from_value(prior.get("tags_all")),
            &call.tags.wanted(planned),
        );
        if !remove.is_empty() {
            let untag = call
                .iam()
                .untag_policy()
                .policy_arn(arn)
                .set_tag_keys(Some(remove));
            untag.send().await.api(call, "iam:UntagPolicy")?;
        }
        if !set.is_empty() {
            let tag = call
                .iam()
                .tag_policy()
                .policy_arn(arn)
                .set_tags(Some(iam::list(&set)?));
            tag.send().await.api(call, "iam:TagPolicy")?;
        }
        Ok(())
    }

    async fn delete(&self, call: &Call<'_>, prior: &Value) -> Result<(), Diagnostics> {
        let arn = prior.get_str("id").unwrap_or_default();
        for version in other_versions(call, arn).await? {
            drop_version(call, arn, &version).await?;
        }
        let still_attached = |e: &ApiError| e.code() == "DeleteConflict";
        persist(
            std::time::Duration::from_secs(15),
            still_attached,
            || async {
                call.iam()
                    .delete_policy()
                    .policy_arn(arn)
                    .send()
                    .await
                    .api(call, "iam:DeletePolicy")
            },
        )
        .await
        .or_gone()?;
        Ok(())
    }

    async fn find(&self, aws: &Aws, planned: &Value, token: &str) -> Result<Found, Diagnostics> {
        let name = names::given_or_made(planned, "name", "name_prefix", token);
        let path = planned.get_str("path").unwrap_or("/");
        let who = aws.identity().await?;
        let arn = format!(
            "arn:{}:iam::{}:policy{path}{name}",
            aws.partition(),
            who.account
        );
        let named = Value::object([("id", Value::from(arn))]);
        Ok(Found::Sure(self.read(aws, &named).await?.map(|_| named)))
    }
}

/// The versions besides the default one, oldest first.
async fn other_versions(aws: &Aws, arn: &str) -> Result<Vec<String>, Diagnostics> {
    let answer = aws
        .iam()
        .list_policy_versions()
        .policy_arn(arn)
        .send()
        .await;
    let answer = answer.api(aws, "iam:ListPolicyVersions").or_gone()?;
    let mut versions = answer.and_then(|a| a.versions).unwrap_or_default();
    versions.sort_by_key(|v| v.create_date().map(|d| d.secs()));
    let others = versions.into_iter().filter(|v| !v.is_default_version());
    Ok(others.filter_map(|v| v.version_id).collect())
}

async fn make_room(aws: &Aws, arn: &str) -> Result<(), Diagnostics> {
    let others = other_versions(aws, arn).await?;
    match others.first() {
        Some(oldest) if others.len() + 1 >= MOST_VERSIONS => drop_version(aws, arn, oldest).await,
        _ => Ok(()),
    }
}

async fn drop_version(aws: &Aws, arn: &str, version: &str) -> Result<(), Diagnostics> {
    let delete = aws
        .iam()
        .delete_policy_version()
        .policy_arn(arn)
        .version_id(version);
    delete
        .send()
        .await
        .api(aws, "iam:DeletePolicyVersion")
        .or_gone()?;
    Ok(())
}
