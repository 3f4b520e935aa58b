//! What the EC2 types share: tags at creation, tag changes, reads of many objects by filter, and
//! deletion through dependency violations.

use std::collections::HashMap;
use std::future::Future;

use aws_sdk_ec2::types::{Filter, ResourceType, Tag, TagSpecification};
use topo_sdk::{Diagnostics, Value};

use super::clients::Aws;
use super::contract::{Call, Found, Read};
use super::error::{ApiError, OrGone, SdkResult};
use super::tags::{Tags, changes, from_value};
use super::wait::persist;

/// How many ids go into one describe call (a filter takes 200 values; source: EC2 API reference).
pub(crate) const IDS_PER_CALL: usize = 150;

/// Tags for a `Create…` call, so that an object never exists without them.
pub(crate) fn specification(kind: ResourceType, tags: &Tags) -> Option<Vec<TagSpecification>> {
    (!tags.is_empty()).then(|| {
        vec![
            TagSpecification::builder()
                .resource_type(kind)
                .set_tags(Some(list(tags)))
                .build(),
        ]
    })
}

fn list(tags: &Tags) -> Vec<Tag> {
    tags.iter()
        .map(|(k, v)| Tag::builder().key(k).value(v).build())
        .collect()
}

/// Tags of an answer.
pub(crate) fn tags(found: &[Tag]) -> Tags {
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

/// A filter.
pub(crate) fn filter<S: Into<String>>(name: &str, values: impl IntoIterator<Item = S>) -> Filter {
    Filter::builder()
        .name(name)
        .set_values(Some(values.into_iter().map(Into::into).collect()))
        .build()
}

/// Filters for objects that carry these tags.
pub(crate) fn tag_filters(tags: &Tags) -> Vec<Filter> {
    tags.iter()
        .map(|(k, v)| filter(&format!("tag:{k}"), [v.as_str()]))
        .collect()
}

/// Candidates for a lost object among those that describe calls found: those with exactly the
/// tags it was created with. Tags set it apart; without any, anybody's object might look alike.
pub(crate) fn alike(candidates: Vec<(String, Tags)>, wanted: &Tags) -> Found {
    let candidates = candidates
        .into_iter()
        .filter(|(_, tags)| {
            let own = tags.iter().filter(|(k, _)| !k.starts_with("aws:"));
            own.eq(wanted.iter())
        })
        .map(|(id, _)| Value::object([("id", Value::from(id))]))
        .collect();
    Found::Alike {
        candidates,
        distinctive: !wanted.is_empty(),
    }
}

/// Changes the tags of an object from those of `prior` to those that `planned` wants.
pub(crate) async fn retag(
    aws: &Aws,
    id: &str,
    prior: &Value,
    planned: &Value,
) -> Result<(), Diagnostics> {
    let (set, remove) = changes(
        &from_value(prior.get("tags_all")),
        &aws.tags.wanted(planned),
    );
    if !remove.is_empty() {
        let tags = remove.iter().map(|k| Tag::builder().key(k).build());
        aws.ec2()
            .delete_tags()
            .resources(id)
            .set_tags(Some(tags.collect()))
            .send()
            .await
            .api(aws, "ec2:DeleteTags")?;
    }
    if !set.is_empty() {
        aws.ec2()
            .create_tags()
            .resources(id)
            .set_tags(Some(list(&set)))
            .send()
            .await
            .api(aws, "ec2:CreateTags")?;
    }
    Ok(())
}

/// The known ids of objects, in calls' worth.
pub(crate) fn ids(known: &[Value]) -> Vec<Vec<String>> {
    let mut ids: Vec<String> = known
        .iter()
        .filter_map(|k| k.get_str("id").map(str::to_owned))
        .collect();
    ids.sort();
    ids.dedup();
    ids.chunks(IDS_PER_CALL).map(<[String]>::to_vec).collect()
}

/// Answers reads from a map of what was found by id.
pub(crate) fn answer<T>(
    known: &[Value],
    found: Result<HashMap<String, T>, Diagnostics>,
    view: impl Fn(&T, &Value) -> Option<Value>,
) -> Vec<Read> {
    known
        .iter()
        .map(|k| match &found {
            Err(failed) => Err(failed.clone()),
            Ok(found) => Ok(k
                .get_str("id")
                .and_then(|id| found.get(id))
                .and_then(|item| view(item, k))),
        })
        .collect()
}

/// The one answer of a read of one.
pub(crate) fn only(answers: Vec<Read>) -> Read {
    answers.into_iter().next().unwrap_or(Ok(None))
}

/// Deletes, trying again while something that is going away still depends on the object (a
/// network interface of a cluster or load balancer may take minutes).
pub(crate) async fn remove<T, F, Fut>(call: &Call<'_>, delete: F) -> Result<(), Diagnostics>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, ApiError>>,
{
    let passing = |e: &ApiError| {
        let again = matches!(e.code(), "DependencyViolation" | "InvalidIPAddress.InUse");
        if again {
            call.tell(&format!("waiting for what depends on it: {}", e.message()));
        }
        again
    };
    persist(call.limit(), passing, delete).await.or_gone()?;
    Ok(())
}
