//! `aws_cloudformation_stack`: a stack of resources that CloudFormation manages.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_cloudformation::types::{Capability, OnFailure, Parameter, Stack as CfnStack, Tag};
use topo_sdk::{Attribute, Block, Diagnostics, Schema, Type, Value};

use crate::core::check;
use crate::core::clients::Aws;
use crate::core::contract::{Call, Found, Read, Resource, Watch};
use crate::core::document::{keep_prior, same_json};
use crate::core::error::{OrGone, SdkResult};
use crate::core::tags::{Tags, from_value, tagged};
use crate::core::view::{View, any_changed, number, some_strings, string, strings};
use crate::core::wait::Status;

/// The type.
pub(crate) struct Stack;

#[async_trait]
impl Resource for Stack {
    fn name(&self) -> &'static str {
        "aws_cloudformation_stack"
    }

    fn schema(&self) -> Schema {
        let text = |text| Attribute::optional(Type::String).describe(text);
        let made = |text| Attribute::optional_computed(Type::String).describe(text);
        let map = Type::map(Type::String);
        let block = Block::new()
            .describe("A stack of resources that CloudFormation manages.")
            .attr(
                "id",
                Attribute::computed(Type::String).describe("ARN of the stack."),
            )
            .attr(
                "outputs",
                Attribute::computed(map.clone()).describe("Outputs of the stack."),
            )
            .attr(
                "name",
                Attribute::required(Type::String)
                    .force_new()
                    .describe("Name of the stack."),
            )
            .attr("template_body", made("Template."))
            .attr("template_url", text("URL of the template."))
            .attr(
                "parameters",
                Attribute::optional_computed(map).describe("Parameters of the template."),
            )
            .attr(
                "capabilities",
                Attribute::optional(Type::set(Type::String))
                    .describe("CAPABILITY_IAM, CAPABILITY_NAMED_IAM, CAPABILITY_AUTO_EXPAND."),
            )
            .attr(
                "disable_rollback",
                Attribute::optional(Type::Bool)
                    .force_new()
                    .describe("Leave what was made when the creation fails."),
            )
            .attr(
                "on_failure",
                text("DO_NOTHING, ROLLBACK or DELETE.").force_new(),
            )
            .attr("iam_role_arn", text("Role that CloudFormation assumes."))
            .attr(
                "notification_arns",
                Attribute::optional(Type::set(Type::String)).describe("SNS topics for events."),
            )
            .attr("policy_body", made("Stack policy."))
            .attr("policy_url", text("URL of the stack policy."))
            .attr(
                "timeout_in_minutes",
                Attribute::optional(Type::Number)
                    .force_new()
                    .describe("How long the creation may take."),
            );
        let minutes = Duration::from_secs(30 * 60);
        Schema::new(tagged(block)).timeouts([
            ("create", minutes),
            ("update", minutes),
            ("delete", minutes),
        ])
    }

    fn validate(&self, config: &Value, found: &mut Diagnostics) {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
        check::name(
            config,
            "name",
            128,
            allowed,
            "letters, digits and hyphens",
            found,
        );
        check::exactly_one(config, &["template_body", "template_url"], found);
        check::conflicts(config, &["policy_body", "policy_url"], found);
        check::conflicts(config, &["disable_rollback", "on_failure"], found);
        check::one_of(
            config,
            "on_failure",
            &["DO_NOTHING", "ROLLBACK", "DELETE"],
            found,
        );
    }

    fn normalise(&self, prior: &Value, proposed: Value) -> Value {
        let proposed = keep_prior(prior, proposed, "template_body", same_json);
        keep_prior(prior, proposed, "policy_body", same_json)
    }

    fn recomputed(&self, prior: &Value, planned: &Value) -> Vec<&'static str> {
        if any_changed(
            prior,
            planned,
            &["template_body", "template_url", "parameters"],
        ) {
            vec!["outputs"]
        } else {
            Vec::new()
        }
    }

    async fn read(&self, aws: &Aws, known: &Value) -> Read {
        let Some(id) = known.get_str("id") else {
            return Ok(None);
        };
        let Some(stack) = describe(aws, id).await? else {
            return Ok(None);
        };
        let status = status_of(&stack);
        if status == "DELETE_COMPLETE" {
            return Ok(None);
        }
        let template = aws
            .cloudformation()
            .get_template()
            .stack_name(id)
            .send()
            .await;
        let template = template
            .api(aws, "cloudformation:GetTemplate")
            .or_gone()?
            .and_then(|t| t.template_body);
        let policy = aws
            .cloudformation()
            .get_stack_policy()
            .stack_name(id)
            .send()
            .await;
        let policy = policy
            .api(aws, "cloudformation:GetStackPolicy")
            .or_gone()?
            .and_then(|p| p.stack_policy_body);
        Ok(Some(view(
            aws,
            &stack,
            template.as_deref(),
            policy.as_deref(),
            known,
        )))
    }

    async fn create(&self, call: &Call<'_>, planned: &Value) -> Result<Value, Diagnostics> {
        let name = planned.get_str("name").unwrap_or_default();
        let answer = call
            .cloudformation()
            .create_stack()
            .client_request_token(call.token())
            .stack_name(name)
            .set_template_body(string(planned, "template_body"))
            .set_template_url(string(planned, "template_url"))
            .set_parameters(parameters(planned))
            .set_capabilities(capabilities(planned))
            .set_disable_rollback(planned.get_bool("disable_rollback"))
            .set_on_failure(planned.get_str("on_failure").map(OnFailure::from))
            .set_role_arn(string(planned, "iam_role_arn"))
            .set_notification_arns(some_strings(planned, "notification_arns"))
            .set_stack_policy_body(string(planned, "policy_body"))
            .set_stack_policy_url(string(planned, "policy_url"))
            .set_timeout_in_minutes(number(planned, "timeout_in_minutes"))
            .set_tags(Some(tag_list(&call.tags.wanted(planned))).filter(|t| !t.is_empty()))
            .send()
            .await
            .api(call, "cloudformation:CreateStack")?;
        let id = answer.stack_id().unwrap_or(name).to_owned();
        let made = planned.clone().with("id", Value::from(id.as_str()));
        call.accepted(&made).await?;
        call.until(&format!("stack {name}"), || {
            complete(call, &id, &["CREATE_COMPLETE"])
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
        let id = prior.get_str("id").unwrap_or_default();
        let answer = call
            .cloudformation()
            .update_stack()
            .client_request_token(call.token())
            .stack_name(id)
            .set_template_body(
                string(planned, "template_body")
                    .filter(|_| string(planned, "template_url").is_none()),
            )
            .set_template_url(string(planned, "template_url"))
            .set_parameters(parameters(planned))
            .set_capabilities(capabilities(planned))
            .set_role_arn(string(planned, "iam_role_arn"))
            .set_notification_arns(Some(strings(planned, "notification_arns")))
            .set_stack_policy_body(string(planned, "policy_body"))
            .set_stack_policy_url(string(planned, "policy_url"))
            .set_tags(Some(tag_list(&call.tags.wanted(planned))))
            .send()
            .await
            .api(call, "cloudformation:UpdateStack");
        match answer {
            // A change of arguments that are topo's alone.
            Err(e) if e.message().contains("No updates are to be performed") => return Ok(()),
            other => other?,
        };
        call.until(&format!("stack {id}"), || {
            complete(call, id, &["UPDATE_COMPLETE"])
        })
        .await
    }

    async fn delete(&self, call: &Call<'_>, prior: &Value) -> Result<(), Diagnostics> {
        let id = prior.get_str("id").unwrap_or_default();
        call.cloudformation()
            .delete_stack()
            .client_request_token(call.token())
            .stack_name(id)
            .send()
            .await
            .api(call, "cloudformation:DeleteStack")
            .or_gone()?;
        call.until(&format!("the deletion of stack {id}"), || async {
            match describe(call, id).await? {
                None => Ok(Status::Ready(())),
                Some(stack) => verdict(call, id, &stack, &["DELETE_COMPLETE"]).await,
            }
        })
        .await
    }

    async fn find(&self, aws: &Aws, planned: &Value, _token: &str) -> Result<Found, Diagnostics> {
        let found = describe(aws, planned.get_str("name").unwrap_or_default()).await?;
        let id = found.and_then(|s| s.stack_id).map(Value::from);
        Ok(Found::Sure(id.map(|id| Value::object([("id", id)]))))
    }

    async fn settle(&self, watch: &Watch<'_>, known: &Value) -> Result<(), Diagnostics> {
        let id = known.get_str("id").unwrap_or_default();
        let done = ["CREATE_COMPLETE", "UPDATE_COMPLETE"];
        watch
            .until(&format!("stack {id}"), || complete(watch.aws, id, &done))
            .await
    }
}

fn parameters(object: &Value) -> Option<Vec<Parameter>> {
    let given = from_value(object.get("parameters"));
    let made = given.iter().map(|(k, v)| {
        Parameter::builder()
            .parameter_key(k)
            .parameter_value(v)
            .build()
    });
    (!given.is_empty()).then(|| made.collect())
}

fn capabilities(object: &Value) -> Option<Vec<Capability>> {
    let given = some_strings(object, "capabilities")?;
    Some(given.iter().map(|c| Capability::from(c.as_str())).collect())
}

fn tag_list(tags: &Tags) -> Vec<Tag> {
    tags.iter()
        .map(|(k, v)| Tag::builder().key(k).value(v).build())
        .collect()
}

fn status_of(stack: &CfnStack) -> String {
    stack
        .stack_status()
        .map_or_else(String::new, |s| s.as_str().to_owned())
}

async fn describe(aws: &Aws, id: &str) -> Result<Option<CfnStack>, Diagnostics> {
    let answer = aws
        .cloudformation()
        .describe_stacks()
        .stack_name(id)
        .send()
        .await;
    let answer = answer.api(aws, "cloudformation:DescribeStacks").or_gone()?;
    Ok(answer.and_then(|a| a.stacks?.into_iter().next()))
}

async fn complete(aws: &Aws, id: &str, done: &[&str]) -> Result<Status<()>, Diagnostics> {
    match describe(aws, id).await? {
        None => Ok(Status::Pending("stack is not visible".into())),
        Some(stack) => verdict(aws, id, &stack, done).await,
    }
}

/// Everything that is final and not what was waited for is a failure, told with the events of
/// the resources that failed: the stack's own reason rarely says more than that.
async fn verdict(
    aws: &Aws,
    id: &str,
    stack: &CfnStack,
    done: &[&str],
) -> Result<Status<()>, Diagnostics> {
    let status = status_of(stack);
    if done.contains(&status.as_str()) {
        return Ok(Status::Ready(()));
    }
    if status.ends_with("_IN_PROGRESS") {
        return Ok(Status::Pending(format!("stack is {status}")));
    }
    let mut reasons: Vec<String> = stack
        .stack_status_reason()
        .filter(|r| !r.is_empty())
        .map(str::to_owned)
        .into_iter()
        .collect();
    let events = aws
        .cloudformation()
        .describe_stack_events()
        .stack_name(id)
        .send()
        .await;
    if let Ok(events) = events.api(aws, "cloudformation:DescribeStackEvents") {
        // Newest first; the first failures are the causes, the rest were cancelled by them.
        let failed = events.stack_events().iter().rev().filter(|e| {
            e.resource_status()
                .is_some_and(|s| s.as_str().ends_with("_FAILED"))
                && e.resource_status_reason()
                    .is_some_and(|r| !r.is_empty() && !r.contains("cancelled"))
        });
        reasons.extend(failed.take(5).map(|e| {
            format!(
                "{} ({}): {}",
                e.logical_resource_id().unwrap_or_default(),
                e.resource_type().unwrap_or_default(),
                e.resource_status_reason()
                    .unwrap_or_default()
                    .trim_end_matches('.'),
            )
        }));
    }
    let detail = if reasons.is_empty() {
        "CloudFormation gives no reason.".to_owned()
    } else {
        format!("{}.", reasons.join(". "))
    };
    let name = stack.stack_name().unwrap_or(id);
    Ok(Status::Failed(Diagnostics::error(
        format!("Stack {name} is {status}"),
        detail,
    )))
}

fn view(
    aws: &Aws,
    stack: &CfnStack,
    template: Option<&str>,
    policy: Option<&str>,
    known: &Value,
) -> Value {
    let before = from_value(known.get("parameters"));
    // A parameter marked NoEcho is shown as stars: what was given is believed.
    let parameters = stack.parameters().iter().filter_map(|p| {
        let key = p.parameter_key()?.to_owned();
        let shown = p.parameter_value().unwrap_or_default();
        let value = match before.get(&key) {
            Some(given) if !shown.is_empty() && shown.chars().all(|c| c == '*') => given.clone(),
            _ => shown.to_owned(),
        };
        Some((key, value))
    });
    // Parameters that were not given show their defaults: kept out where others were given.
    let parameters: Tags = if before.is_empty() {
        parameters.collect()
    } else {
        parameters.filter(|(k, _)| before.contains_key(k)).collect()
    };
    let outputs = stack.outputs().iter().filter_map(|o| {
        Some((
            o.output_key()?.into(),
            Value::from(o.output_value().unwrap_or_default()),
        ))
    });
    let tags = stack
        .tags()
        .iter()
        .filter_map(|t| Some((t.key()?.to_owned(), t.value()?.to_owned())));
    let mut view = View::of(known);
    if let Some(off) = stack.disable_rollback()
        && (off || known.get_bool("disable_rollback").is_some())
        && known.get_str("on_failure").is_none()
    {
        view.set("disable_rollback", off);
    }
    if let Some(minutes) = stack.timeout_in_minutes() {
        view.int("timeout_in_minutes", Some(minutes));
    }
    view.set("id", stack.stack_id().unwrap_or_default())
        .text("name", stack.stack_name())
        .document("template_body", template, same_json)
        .document("policy_body", policy, same_json)
        .map("parameters", parameters)
        .set("outputs", Value::map(Type::String, outputs.collect()))
        .texts(
            "capabilities",
            stack.capabilities().iter().map(|c| c.as_str()),
        )
        .texts("notification_arns", stack.notification_arns())
        .text("iam_role_arn", stack.role_arn())
        .tags(aws, tags.collect())
        .done()
}
