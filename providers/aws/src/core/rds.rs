//! What the RDS types share: tags.

use aws_sdk_rds::types::Tag;
use topo_sdk::{Diagnostics, Value};

use super::clients::Aws;
use super::error::{OrGone, SdkResult};
use super::tags::{Tags, changes, from_value};

/// Tags for a call.
pub(crate) fn list(tags: &Tags) -> Option<Vec<Tag>> {
    let made = tags
        .iter()
        .map(|(k, v)| Tag::builder().key(k).value(v).build());
    (!tags.is_empty()).then(|| made.collect())
}

/// Tags of an answer.
pub(crate) fn from_list(found: &[Tag]) -> Tags {
    found
        .iter()
        .filter_map(|t| {
            Some((
                t.key()?.to_owned(),
                t.value().unwrap_or_default().to_owned(),
            ))
        })
        .collect()
}

/// The tags of an object whose description does not show them.
pub(crate) async fn tags(aws: &Aws, arn: &str) -> Result<Tags, Diagnostics> {
    let answer = aws
        .rds()
        .list_tags_for_resource()
        .resource_name(arn)
        .send()
        .await;
    let answer = answer.api(aws, "rds:ListTagsForResource").or_gone()?;
    Ok(answer.map(|a| from_list(a.tag_list())).unwrap_or_default())
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
            .rds()
            .remove_tags_from_resource()
            .resource_name(arn)
            .set_tag_keys(Some(remove));
        untag.send().await.api(aws, "rds:RemoveTagsFromResource")?;
    }
    if !set.is_empty() {
        let tag = aws
            .rds()
            .add_tags_to_resource()
            .resource_name(arn)
            .set_tags(list(&set));
        tag.send().await.api(aws, "rds:AddTagsToResource")?;
    }
    Ok(())
}
