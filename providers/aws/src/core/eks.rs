//! What the EKS types share: following an update to its end, tags, and errors that pass.

use std::collections::HashMap;

use aws_sdk_eks::types::{Update, UpdateStatus};
use topo_sdk::{Diagnostics, Value};

use super::clients::Aws;
use super::contract::Call;
use super::error::{ApiError, SdkResult};
use super::tags::{Tags, changes, from_value};
use super::wait::Status;

/// What an update concerns: the cluster, or something in it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Target<'a> {
    pub cluster: &'a str,
    pub node_group: Option<&'a str>,
    pub addon: Option<&'a str>,
}

/// Waits until an update is done; its own errors are the reason of a failure.
pub(crate) async fn follow(
    call: &Call<'_>,
    target: Target<'_>,
    update: Option<Update>,
) -> Result<(), Diagnostics> {
    let Some(update) = update else {
        return Ok(());
    };
    let Some(id) = update
        .id
        .clone()
        .filter(|_| update.status != Some(UpdateStatus::Successful))
    else {
        return Ok(());
    };
    let object = target.node_group.or(target.addon).unwrap_or(target.cluster);
    let kind = update.r#type.as_ref().map_or("update", |t| t.as_str());
    call.until(&format!("{kind} of {object}"), || async {
        let answer = call
            .eks()
            .describe_update()
            .name(target.cluster)
            .update_id(&id)
            .set_nodegroup_name(target.node_group.map(str::to_owned))
            .set_addon_name(target.addon.map(str::to_owned))
            .send()
            .await
            .api(call, "eks:DescribeUpdate")?;
        let update = answer.update();
        Ok(match update.and_then(|u| u.status()) {
            Some(UpdateStatus::Successful) => Status::Ready(()),
            Some(status @ (UpdateStatus::Failed | UpdateStatus::Cancelled)) => {
                let errors = update.map(|u| u.errors()).unwrap_or_default();
                let reasons = errors.iter().map(|e| {
                    let code = e.error_code().map_or("", |c| c.as_str());
                    reason(code, e.error_message(), e.resource_ids())
                });
                Status::Failed(Diagnostics::error(
                    format!("{kind} of {object} is {}", status.as_str()),
                    sentence(reasons.collect()),
                ))
            }
            status => Status::Pending(format!(
                "{kind} is {}",
                status.map_or("InProgress", |s| s.as_str())
            )),
        })
    })
    .await
}

/// A health issue in words: `NodeCreationFailure: ... (i-1, i-2)`.
pub(crate) fn reason(code: &str, message: Option<&str>, resources: &[String]) -> String {
    let mut text = match message {
        Some(m) if !m.is_empty() => format!("{code}: {}", m.trim_end_matches('.')),
        _ => code.to_owned(),
    };
    if !resources.is_empty() {
        text.push_str(&format!(" ({})", resources.join(", ")));
    }
    text
}

/// Reasons as sentences.
pub(crate) fn sentence(reasons: Vec<String>) -> String {
    if reasons.is_empty() {
        return "EKS gives no reason.".into();
    }
    format!("{}.", reasons.join(". "))
}

/// A role that was made a moment ago is not known everywhere yet.
pub(crate) fn role_is_new(error: &ApiError) -> bool {
    let message = error.message().to_ascii_lowercase();
    matches!(
        error.code(),
        "InvalidParameterException" | "InvalidRequestException"
    ) && message.contains("role")
        && (message.contains("assume")
            || message.contains("not exist")
            || message.contains("could not be")
            || message.contains("following required managed policies"))
}

/// Another update of the same object is in progress.
pub(crate) fn is_busy(error: &ApiError) -> bool {
    error.code() == "ResourceInUseException"
        || (error.code() == "InvalidRequestException" && error.message().contains("in progress"))
}

/// Tags for a call.
pub(crate) fn map(tags: &Tags) -> Option<HashMap<String, String>> {
    (!tags.is_empty()).then(|| tags.clone().into_iter().collect())
}

/// Tags of an answer.
pub(crate) fn tags(found: Option<&HashMap<String, String>>) -> Tags {
    found
        .into_iter()
        .flatten()
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect()
}

/// Changes the tags of an object from those of `prior` to those that `planned` wants.
pub(crate) async fn retag(aws: &Aws, prior: &Value, planned: &Value) -> Result<(), Diagnostics> {
    let arn = prior.get_str("arn").unwrap_or_default();
    let (set, remove) = changes(
        &from_value(prior.get("tags_all")),
        &aws.tags.wanted(planned),
    );
    if !remove.is_empty() {
        let untag = aws
            .eks()
            .untag_resource()
            .resource_arn(arn)
            .set_tag_keys(Some(remove));
        untag.send().await.api(aws, "eks:UntagResource")?;
    }
    if !set.is_empty() {
        let tag = aws
            .eks()
            .tag_resource()
            .resource_arn(arn)
            .set_tags(map(&set));
        tag.send().await.api(aws, "eks:TagResource")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::error::Cause;

    #[test]
    fn a_new_role_passes_and_a_wrong_subnet_does_not() {
        let error = |message: &str| ApiError {
            operation: "eks:CreateCluster",
            cause: Cause::Service {
                code: "InvalidParameterException".into(),
                message: message.into(),
                request_id: None,
            },
        };
        assert!(role_is_new(&error(
            "Role with arn: arn:aws:iam::1:role/a, could not be assumed because it does not exist or the trusted entity is not correct"
        )));
        assert!(!role_is_new(&error(
            "Subnets specified must be in at least two different AZs"
        )));
    }

    #[test]
    fn reasons_name_what_is_concerned() {
        let text = reason(
            "NodeCreationFailure",
            Some("Instances failed to join."),
            &["i-1".into()],
        );
        assert_eq!(
            sentence(vec![text]),
            "NodeCreationFailure: Instances failed to join (i-1)."
        );
    }
}
