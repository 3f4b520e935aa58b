//! The `wait` block of a manifest: a rollout, conditions, fields.

use std::time::Duration;

use serde_json::Value as Json;
use tokio::time::Instant;
use topo_sdk::{Diagnostics, Operation, Value};

use crate::errors::Subject;
use crate::kinds::Wait;
use crate::object::{Objects, pauses, text};
use crate::wait::{self, Progress};

/// Waits for what the `wait` block asks.
pub async fn until(
    objects: &Objects,
    subject: &Subject<'_>,
    name: &str,
    accepted: Json,
    planned: &Value,
    timeout: Duration,
    operation: &dyn Operation,
) -> Result<Json, Diagnostics> {
    let wanted = planned
        .get("wait")
        .and_then(Value::as_slice)
        .and_then(<[Value]>::first);
    let Some(wanted) = wanted else {
        return Ok(accepted);
    };
    let end = Instant::now() + timeout;
    let mut said = String::new();
    let mut object = accepted;
    for pause in pauses() {
        match missing(wanted, &object) {
            Progress::Done => return Ok(object),
            Progress::Failed(why) => {
                return Err(Diagnostics::error(
                    format!("{} {} is not as it should be", subject.kind, subject.id),
                    why,
                ));
            }
            Progress::Pending(what) if what != said => {
                operation.progress(&what);
                said = what;
            }
            Progress::Pending(_) => {}
        }
        if Instant::now() + pause > end {
            return Err(Diagnostics::error(
                format!("{} {} is not ready in time", subject.kind, subject.id),
                format!("Still missing: {said}. The time can be set in the timeouts block."),
            ));
        }
        tokio::time::sleep(pause).await;
        if let Some(now) = objects.get(name).await.map_err(|e| subject.failed(&e))? {
            object = now;
        }
    }
    Ok(object)
}

/// What of the `wait` block does not hold yet.
fn missing(wanted: &Value, object: &Json) -> Progress {
    if wanted.get_bool("rollout") == Some(true) {
        match wait::progress(Wait::Rollout, object) {
            Progress::Done => {}
            other => return other,
        }
    }
    let conditions = wanted.get("condition").and_then(Value::as_slice);
    for condition in conditions.into_iter().flatten() {
        let kind = condition.get_str("type").unwrap_or_default();
        let status = condition.get_str("status").unwrap_or("True");
        let found = crate::object::condition(object, kind).and_then(|c| text(c, "/status"));
        if found != Some(status) {
            let now = found.unwrap_or("absent");
            return Progress::Pending(format!("condition {kind} is {now}, not {status}"));
        }
    }
    let fields = wanted.get("fields").and_then(Value::as_map);
    for (path, pattern) in fields.into_iter().flatten() {
        let pointer: String = path
            .replace('[', ".")
            .replace(']', "")
            .split('.')
            .map(|part| format!("/{}", part.trim_matches('"')))
            .collect();
        let found = object.pointer(&pointer).map(|v| match v {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        });
        let pattern = pattern.as_str().unwrap_or("*");
        let holds = match &found {
            None => false,
            Some(_) if pattern == "*" => true,
            Some(now) => match regex::Regex::new(pattern) {
                Ok(regex) => regex.is_match(now),
                Err(e) => {
                    return Progress::Failed(format!(
                        "The pattern of wait.fields[{path:?}] is no regular expression: {e}."
                    ));
                }
            },
        };
        if !holds {
            return Progress::Pending(format!(
                "{path} is {}",
                found.unwrap_or_else(|| "absent".into())
            ));
        }
    }
    Progress::Done
}
