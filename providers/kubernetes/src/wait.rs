//! What "done" means for an object once the API has accepted it, and what to tell a person
//! meanwhile or when it fails.

use std::time::Duration;

use kube::Client;
use serde_json::Value as Json;
use tokio::time::Instant;
use topo_sdk::{Diagnostics, Operation, Value};

use crate::errors::Subject;
use crate::kinds::{self, Kind, Wait};
use crate::object::{Objects, condition, holds, number, pauses, text};

/// How an object is doing.
#[derive(Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is as it should be.
    Done,
    /// What is missing: "2 of 3 replicas available".
    Pending(String),
    /// It will not come to be: the reason, in a sentence.
    Failed(String),
}

/// How the object of a kind is doing, by its own status.
pub fn progress(wait: Wait, object: &Json) -> Progress {
    let done_if = |done: bool, missing: &str| {
        if done {
            Progress::Done
        } else {
            Progress::Pending(missing.to_owned())
        }
    };
    match wait {
        Wait::None => Progress::Done,
        Wait::Rollout => rollout(object),
        Wait::Completion => match condition(object, "Failed") {
            Some(failed) if text(failed, "/status") == Some("True") => Progress::Failed(format!(
                "The job failed: {}: {}",
                text(failed, "/reason").unwrap_or("unknown reason"),
                text(failed, "/message").unwrap_or_default()
            )),
            _ if holds(object, "Complete") => Progress::Done,
            _ => Progress::Pending(format!(
                "{} of {} completions, {} running, {} failed",
                number(object, "/status/succeeded"),
                number(object, "/spec/completions").max(1),
                number(object, "/status/active"),
                number(object, "/status/failed"),
            )),
        },
        Wait::ServiceAddress if text(object, "/spec/type") != Some("LoadBalancer") => {
            Progress::Done
        }
        Wait::ServiceAddress | Wait::IngressAddress => {
            let addresses = object.pointer("/status/loadBalancer/ingress");
            let any = addresses
                .and_then(Json::as_array)
                .is_some_and(|a| !a.is_empty());
            done_if(any, "the load balancer has no address yet")
        }
        Wait::Bound => {
            let phase = text(object, "/status/phase").unwrap_or("Pending");
            match phase {
                "Bound" => Progress::Done,
                "Lost" => Progress::Failed("The claim has lost its volume.".into()),
                other => Progress::Pending(format!("the claim is {other}")),
            }
        }
        Wait::Running => match text(object, "/status/phase").unwrap_or("Pending") {
            "Running" | "Succeeded" => Progress::Done,
            "Failed" => Progress::Failed(format!(
                "The pod failed: {}",
                text(object, "/status/message").unwrap_or("it gives no reason")
            )),
            other => Progress::Pending(format!("the pod is {other}")),
        },
        Wait::Token => {
            let wanted = text(object, "/type") == Some("kubernetes.io/service-account-token");
            done_if(
                !wanted || object.pointer("/data/token").is_some(),
                "the secret has no token yet",
            )
        }
        Wait::ServiceAccount => Progress::Done,
    }
}

fn rollout(object: &Json) -> Progress {
    if number(object, "/status/observedGeneration") < number(object, "/metadata/generation") {
        return Progress::Pending("the change has not been noticed yet".into());
    }
    let kind = text(object, "/kind").unwrap_or_default();
    if let Some(progressing) = condition(object, "Progressing")
        && text(progressing, "/reason") == Some("ProgressDeadlineExceeded")
    {
        return Progress::Failed(format!(
            "The rollout made no progress (ProgressDeadlineExceeded): {}",
            text(progressing, "/message").unwrap_or_default()
        ));
    }
    let (wanted, updated, ready) = if kind == "DaemonSet" {
        (
            number(object, "/status/desiredNumberScheduled"),
            number(object, "/status/updatedNumberScheduled"),
            number(object, "/status/numberAvailable"),
        )
    } else {
        // An absent number of replicas is one; an explicit zero is zero.
        let wanted = object
            .pointer("/spec/replicas")
            .and_then(Json::as_i64)
            .unwrap_or(1);
        let ready = if kind == "StatefulSet" {
            "/status/readyReplicas"
        } else {
            "/status/availableReplicas"
        };
        (
            wanted,
            number(object, "/status/updatedReplicas"),
            number(object, ready),
        )
    };
    // With OnDelete, or a partition, old pods stay by intent.
    let strategy = text(object, "/spec/updateStrategy/type");
    let kept = number(object, "/spec/updateStrategy/rollingUpdate/partition");
    if strategy != Some("OnDelete") && updated < wanted - kept {
        return Progress::Pending(format!("{updated} of {wanted} replicas updated"));
    }
    if ready < wanted {
        return Progress::Pending(format!("{ready} of {wanted} replicas available"));
    }
    if kind == "Deployment" && number(object, "/status/replicas") > updated {
        let old = number(object, "/status/replicas") - updated;
        return Progress::Pending(format!("{old} old replicas to be terminated"));
    }
    Progress::Done
}

/// Whether the object is to be waited for: its `wait_...` attribute says.
fn wanted(kind: &Kind, planned: &Value) -> bool {
    let name = match kind.wait {
        Wait::None => return false,
        Wait::Running => return true,
        Wait::Rollout => "wait_for_rollout",
        Wait::Completion => "wait_for_completion",
        Wait::ServiceAddress | Wait::IngressAddress => "wait_for_load_balancer",
        Wait::Bound => "wait_until_bound",
        Wait::Token => "wait_for_service_account_token",
        Wait::ServiceAccount => "wait_for_default_service_account",
    };
    planned.get_bool(name).unwrap_or(false)
}

/// Waits until an object is as it should be; returns it as it then is.
///
/// # Errors
/// It failed, it went away, the time is over, or the API cannot be asked.
pub async fn until_done(
    client: &Client,
    kind: &Kind,
    subject: &Subject<'_>,
    accepted: Json,
    planned: &Value,
    timeout: Duration,
    operation: &dyn Operation,
) -> Result<Json, Diagnostics> {
    if !wanted(kind, planned) {
        return Ok(accepted);
    }
    let name = text(&accepted, "/metadata/name")
        .unwrap_or_default()
        .to_owned();
    let namespace = text(&accepted, "/metadata/namespace").map(str::to_owned);
    if kind.wait == Wait::ServiceAccount {
        return service_account(client, subject, accepted, &name, timeout, operation).await;
    }
    if kind.wait == Wait::Bound && waits_for_consumer(client, subject, &accepted).await? {
        operation.progress("the claim gets its volume when a pod uses it");
        return Ok(accepted);
    }
    let objects = Objects::new(client, &kind.resource, namespace.as_deref());
    let end = Instant::now() + timeout;
    let mut said = String::new();
    let mut object = accepted;
    for pause in pauses() {
        match progress(kind.wait, &object) {
            Progress::Done => return Ok(object),
            Progress::Failed(why) => {
                let pods = pods(client, &object).await;
                return Err(Diagnostics::error(
                    format!("{} {} is not as it should be", subject.kind, subject.id),
                    format!("{}.{pods}", why.trim_end_matches('.')),
                ));
            }
            Progress::Pending(missing) => {
                if missing != said {
                    operation.progress(&missing);
                    said = missing;
                }
            }
        }
        if Instant::now() + pause > end {
            let pods = pods(client, &object).await;
            return Err(Diagnostics::error(
                format!(
                    "{} {} is not ready after {}",
                    subject.kind,
                    subject.id,
                    seconds(timeout)
                ),
                format!("Still missing: {said}.{pods} The time can be set in the timeouts block."),
            ));
        }
        tokio::time::sleep(pause).await;
        object = match objects.get(&name).await {
            Ok(Some(object)) => object,
            Ok(None) => {
                return Err(Diagnostics::error(
                    format!("{} {} went away", subject.kind, subject.id),
                    "It was deleted by somebody else while topo waited for it.",
                ));
            }
            Err(error) => return Err(subject.failed(&error)),
        };
    }
    Ok(object)
}

/// Waits until an object is gone, or another has its name.
///
/// # Errors
/// The time is over, or the API cannot be asked.
pub async fn until_gone(
    objects: &Objects,
    subject: &Subject<'_>,
    name: &str,
    uid: Option<&str>,
    timeout: Duration,
    operation: &dyn Operation,
) -> Result<(), Diagnostics> {
    let end = Instant::now() + timeout;
    let mut said = String::new();
    for pause in pauses() {
        let object = match objects.get(name).await {
            Ok(Some(object)) => object,
            Ok(None) => return Ok(()),
            Err(error) => return Err(subject.failed(&error)),
        };
        if uid.is_some_and(|uid| text(&object, "/metadata/uid") != Some(uid)) {
            return Ok(());
        }
        let holding = holding(&object);
        if holding != said {
            operation.progress(&holding);
            said = holding;
        }
        if Instant::now() + pause > end {
            return Err(Diagnostics::error(
                format!(
                    "{} {} is still there after {}",
                    subject.kind,
                    subject.id,
                    seconds(timeout)
                ),
                format!(
                    "Its deletion was accepted: {said}. Find out what holds it with kubectl describe, or set a longer time in the timeouts block."
                ),
            ));
        }
        tokio::time::sleep(pause).await;
    }
    Ok(())
}

/// What keeps an object that is being deleted.
fn holding(object: &Json) -> String {
    let conditions = object
        .pointer("/status/conditions")
        .and_then(Json::as_array);
    let why: Vec<&str> = conditions
        .into_iter()
        .flatten()
        .filter(|c| text(c, "/status") == Some("True"))
        .filter(|c| {
            text(c, "/type").is_some_and(|t| t.starts_with("Namespace") && t.ends_with("Remaining"))
        })
        .filter_map(|c| text(c, "/message"))
        .collect();
    let finalizers: Vec<&str> = ["/metadata/finalizers", "/spec/finalizers"]
        .iter()
        .filter_map(|p| object.pointer(p).and_then(Json::as_array))
        .flatten()
        .filter_map(Json::as_str)
        .collect();
    match (why.is_empty(), finalizers.is_empty()) {
        (false, _) => why.join("; "),
        (_, false) => format!("it waits for its finalizers: {}", finalizers.join(", ")),
        _ => "it is being deleted".into(),
    }
}

/// Whether the claim's storage class makes volumes only for pods: then there is nothing to wait
/// for.
async fn waits_for_consumer(
    client: &Client,
    subject: &Subject<'_>,
    claim: &Json,
) -> Result<bool, Diagnostics> {
    let Some(class) = text(claim, "/spec/storageClassName").filter(|c| !c.is_empty()) else {
        return Ok(false);
    };
    let Some(kind) = kinds::find("kubernetes_storage_class_v1") else {
        return Ok(false);
    };
    let found = Objects::new(client, &kind.resource, None).get(class).await;
    let class = found.map_err(|e| subject.failed(&e))?;
    Ok(class.is_some_and(|c| text(&c, "/volumeBindingMode") == Some("WaitForFirstConsumer")))
}

async fn service_account(
    client: &Client,
    subject: &Subject<'_>,
    accepted: Json,
    namespace: &str,
    timeout: Duration,
    operation: &dyn Operation,
) -> Result<Json, Diagnostics> {
    let Some(kind) = kinds::find("kubernetes_service_account_v1") else {
        return Ok(accepted);
    };
    let accounts = Objects::new(client, &kind.resource, Some(namespace));
    operation.progress("the default service account is not there yet");
    let end = Instant::now() + timeout;
    for pause in pauses() {
        let found = accounts
            .get("default")
            .await
            .map_err(|e| subject.failed(&e))?;
        if found.is_some() {
            break;
        }
        if Instant::now() + pause > end {
            return Err(Diagnostics::error(
                format!(
                    "Namespace {namespace} has no default service account after {}",
                    seconds(timeout)
                ),
                "The cluster's controller manager makes it; is it running?",
            ));
        }
        tokio::time::sleep(pause).await;
    }
    Ok(accepted)
}

/// Why the pods of a workload are not ready, in sentences with a leading blank: what containers
/// wait for, and what the last warnings say. Empty where there is nothing to tell or to ask.
async fn pods(client: &Client, owner: &Json) -> String {
    let labels = owner
        .pointer("/spec/selector/matchLabels")
        .and_then(Json::as_object);
    let (Some(labels), Some(namespace)) = (labels, text(owner, "/metadata/namespace")) else {
        return String::new();
    };
    let selector: Vec<String> = labels
        .iter()
        .map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default()))
        .collect();
    let Some(kind) = kinds::find("kubernetes_pod_v1") else {
        return String::new();
    };
    let pods = Objects::new(client, &kind.resource, Some(namespace));
    let Ok(found) = pods.list(Some(&selector.join(","))).await else {
        return String::new();
    };
    let mut reasons: Vec<String> = found.iter().flat_map(pod_reasons).collect();
    let names: Vec<&str> = found
        .iter()
        .filter_map(|p| text(p, "/metadata/name"))
        .collect();
    reasons.extend(warnings(client, namespace, owner, &names).await);
    reasons.dedup();
    reasons.truncate(5);
    if found.is_empty() && reasons.is_empty() {
        return " It has no pods.".into();
    }
    if reasons.is_empty() {
        return String::new();
    }
    format!(" {}.", reasons.join(". "))
}

/// What keeps a pod from being ready.
pub fn pod_reasons(pod: &Json) -> Vec<String> {
    let name = text(pod, "/metadata/name").unwrap_or_default();
    let mut reasons = Vec::new();
    for list in ["/status/initContainerStatuses", "/status/containerStatuses"] {
        for status in pod
            .pointer(list)
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
        {
            let container = text(status, "/name").unwrap_or_default();
            for state in ["/state/waiting", "/state/terminated"] {
                let Some(state) = status.pointer(state) else {
                    continue;
                };
                let reason = text(state, "/reason").unwrap_or_default();
                if matches!(
                    reason,
                    "" | "ContainerCreating" | "PodInitializing" | "Completed"
                ) {
                    continue;
                }
                let message =
                    text(state, "/message").map_or_else(String::new, |m| format!(" ({m})"));
                reasons.push(format!(
                    "Pod {name}, container {container}: {reason}{message}"
                ));
            }
        }
    }
    if let Some(scheduled) = condition(pod, "PodScheduled")
        && text(scheduled, "/status") == Some("False")
    {
        reasons.push(format!(
            "Pod {name} cannot be scheduled: {}",
            text(scheduled, "/message")
                .unwrap_or_default()
                .trim_end_matches('.')
        ));
    }
    reasons
}

/// The last warnings about the workload, what it made, and its pods.
async fn warnings(client: &Client, namespace: &str, owner: &Json, pods: &[&str]) -> Vec<String> {
    let resource = kube::discovery::ApiResource {
        group: String::new(),
        version: "v1".into(),
        api_version: "v1".into(),
        kind: "Event".into(),
        plural: "events".into(),
    };
    let Ok(events) = Objects::new(client, &resource, Some(namespace))
        .list(None)
        .await
    else {
        return Vec::new();
    };
    let owner = text(owner, "/metadata/name").unwrap_or_default();
    let mut found: Vec<(&str, String)> = events
        .iter()
        .filter(|e| text(e, "/type") == Some("Warning"))
        .filter(|e| {
            let about = text(e, "/involvedObject/name").unwrap_or_default();
            about == owner || about.starts_with(&format!("{owner}-")) || pods.contains(&about)
        })
        .map(|e| {
            let about = text(e, "/involvedObject/name").unwrap_or_default();
            let reason = text(e, "/reason").unwrap_or_default();
            let message = text(e, "/message")
                .unwrap_or_default()
                .trim_end_matches('.');
            let when = text(e, "/lastTimestamp").unwrap_or_default();
            (when, format!("{about}: {reason}: {message}"))
        })
        .collect();
    found.sort();
    found
        .into_iter()
        .rev()
        .take(3)
        .map(|(_, message)| message)
        .collect()
}

fn seconds(time: Duration) -> String {
    match time.as_secs() {
        s if s >= 120 && s % 60 == 0 => format!("{} minutes", s / 60),
        s => format!("{s} seconds"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment(status: Json) -> Json {
        json!({
            "kind": "Deployment",
            "metadata": {"generation": 2},
            "spec": {"replicas": 3},
            "status": status,
        })
    }

    #[test]
    fn a_rollout_tells_what_is_missing() {
        let says = |status: Json| progress(Wait::Rollout, &deployment(status));
        let pending = |text: &str| Progress::Pending(text.into());
        assert_eq!(
            says(json!({"observedGeneration": 1, "updatedReplicas": 3, "availableReplicas": 3})),
            pending("the change has not been noticed yet")
        );
        assert_eq!(
            says(json!({"observedGeneration": 2, "updatedReplicas": 1})),
            pending("1 of 3 replicas updated")
        );
        assert_eq!(
            says(json!({"observedGeneration": 2, "updatedReplicas": 3, "availableReplicas": 2})),
            pending("2 of 3 replicas available")
        );
        let almost = json!({"observedGeneration": 2, "replicas": 4, "updatedReplicas": 3, "availableReplicas": 3});
        assert_eq!(says(almost), pending("1 old replicas to be terminated"));
        let done = json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3});
        assert_eq!(says(done), Progress::Done);
        let stuck = json!({"observedGeneration": 2, "conditions": [
            {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"},
        ]});
        assert!(matches!(says(stuck), Progress::Failed(why) if why.contains("timed out")));
    }

    #[test]
    fn a_pod_tells_what_it_waits_for() {
        let pod = json!({
            "metadata": {"name": "p"},
            "status": {
                "conditions": [{"type": "PodScheduled", "status": "False", "message": "0/2 nodes are available."}],
                "containerStatuses": [
                    {"name": "a", "state": {"waiting": {"reason": "ContainerCreating"}}},
                    {"name": "b", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}},
                ],
            },
        });
        assert_eq!(
            pod_reasons(&pod),
            [
                "Pod p, container b: ImagePullBackOff (no such image)",
                "Pod p cannot be scheduled: 0/2 nodes are available",
            ]
        );
    }
}
