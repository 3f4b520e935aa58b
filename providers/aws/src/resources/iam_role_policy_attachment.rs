//! `aws_iam_role_policy_attachment`: gives a role a managed policy.

use async_trait::async_trait;
use topo_sdk::{Attribute, Block, Diagnostics, Schema, Type, Value};

use crate::core::clients::Aws;
use crate::core::contract::{Call, Found, Read, Resource};
use crate::core::error::{ApiError, OrGone, SdkResult};
use crate::core::view::{View, string};
use crate::core::wait::persist;

/// The type.
pub(crate) struct Attachment;

#[async_trait]
impl Resource for Attachment {
    fn name(&self) -> &'static str {
        "aws_iam_role_policy_attachment"
    }

    fn schema(&self) -> Schema {
        let end = |text| Attribute::required(Type::String).force_new().describe(text);
        Schema::new(
            Block::new()
                .describe("Gives a role a managed policy.")
                .attr(
                    "id",
                    Attribute::computed(Type::String).describe("Role and policy."),
                )
                .attr("role", end("Name of the role."))
                .attr("policy_arn", end("ARN of the policy.")),
        )
    }

    fn from_id(&self, id: &str) -> Result<Value, String> {
        let (role, arn) = id.split_once('/').ok_or("ROLE-NAME/POLICY-ARN")?;
        Ok(Value::object([
            ("role", Value::from(role)),
            ("policy_arn", Value::from(arn)),
        ]))
    }

    async fn read(&self, aws: &Aws, known: &Value) -> Read {
        let (Some(role), Some(arn)) = (known.get_str("role"), known.get_str("policy_arn")) else {
            return Ok(None);
        };
        let pages = aws
            .iam()
            .list_attached_role_policies()
            .role_name(role)
            .into_paginator()
            .items()
            .send();
        let found = pages.collect::<Result<Vec<_>, _>>().await;
        let found = found
            .api(aws, "iam:ListAttachedRolePolicies")
            .or_gone()?
            .unwrap_or_default();
        let attached = found.iter().any(|p| p.policy_arn() == Some(arn));
        Ok(attached.then(|| View::of(known).set("id", format!("{role}/{arn}")).done()))
    }

    async fn create(&self, call: &Call<'_>, planned: &Value) -> Result<Value, Diagnostics> {
        let (role, arn) = (string(planned, "role"), string(planned, "policy_arn"));
        let not_visible = |e: &ApiError| e.is_not_found();
        // A policy or role made a moment ago; one that never was is told after a short while.
        let patience = std::time::Duration::from_secs(20);
        persist(patience, not_visible, || async {
            call.iam()
                .attach_role_policy()
                .set_role_name(role.clone())
                .set_policy_arn(arn.clone())
                .send()
                .await
                .api(call, "iam:AttachRolePolicy")
        })
        .await?;
        let id = format!("{}/{}", role.unwrap_or_default(), arn.unwrap_or_default());
        let made = planned.clone().with("id", Value::from(id));
        call.accepted(&made).await?;
        Ok(made)
    }

    async fn update(
        &self,
        _call: &Call<'_>,
        _prior: &Value,
        _planned: &Value,
    ) -> Result<(), Diagnostics> {
        Ok(())
    }

    async fn delete(&self, call: &Call<'_>, prior: &Value) -> Result<(), Diagnostics> {
        call.iam()
            .detach_role_policy()
            .set_role_name(string(prior, "role"))
            .set_policy_arn(string(prior, "policy_arn"))
            .send()
            .await
            .api(call, "iam:DetachRolePolicy")
            .or_gone()?;
        Ok(())
    }

    async fn find(&self, aws: &Aws, planned: &Value, _token: &str) -> Result<Found, Diagnostics> {
        Ok(Found::Sure(self.read(aws, planned).await?))
    }
}
