//! What a plan says and what came of it.

use serde_json::{Map, Value as Json, json};
use topo_engine::address::ResourceMode;
use topo_engine::apply::Outcome;
use topo_engine::changes::{
    ChangeAction, Counts, Deferred, DeferredReason, Drift, InstanceChange, OutputChange, Overview,
    PlanMode, Reason,
};
use topo_engine::store::{OutputRecord, RecordKey};
use topo_sdk::json::to_json;

use super::{Message, action_word, diagnostics, implied_provider, resource};
use crate::json::plan::reason as long_reason;
use crate::progress::object;
use crate::render::diagnostics::Sources;
use crate::render::text::count;

/// Warnings, drift, changes, what is deferred, the counts, the outputs.
pub(super) fn planned(overview: &Overview, sources: Sources<'_>) -> Vec<Message> {
    let mut said = diagnostics(&overview.diagnostics, sources);
    said.extend(overview.drift.iter().map(drift));
    said.extend(overview.changes.iter().filter_map(change));
    said.extend(overview.deferred.iter().map(deferred));
    said.push(plan_summary(&overview.counts()));
    if !overview.outputs.is_empty() {
        let outputs = overview.outputs.iter().map(|o| {
            let value = json!({"sensitive": o.sensitive, "action": output_action(o)});
            (o.name.to_string(), value)
        });
        said.push(outputs_message(outputs.collect()));
    }
    said
}

/// What could be planned where something is wrong: drift, changes and the counts; nothing where
/// that is nothing.
pub(super) fn planned_in_part(overview: &Overview) -> Vec<Message> {
    let changes: Vec<Message> = overview.changes.iter().filter_map(change).collect();
    if changes.is_empty() {
        return changes;
    }
    let drift = overview.drift.iter().map(drift);
    let summary = plan_summary(&overview.counts());
    drift.chain(changes).chain([summary]).collect()
}

fn drift(d: &Drift) -> Message {
    let action = match d.after {
        Some(_) => "update",
        None => "delete",
    };
    let text = format!("{}: Drift detected ({action})", object(&d.key));
    let change = changed(&d.key, action);
    Message::info("resource_drift", text).with("change", change)
}

fn changed(key: &RecordKey, action: &str) -> Map<String, Json> {
    let mut change = Map::new();
    change.insert("resource".into(), resource(&key.address));
    change.insert("action".into(), json!(action));
    if let Some(deposed) = &key.deposed {
        change.insert("deposed".into(), json!(deposed));
    }
    change
}

/// Nothing for an object that stays as it is and where it is.
fn change(c: &InstanceChange) -> Option<Message> {
    let is_data = c.mode() != ResourceMode::Managed;
    let word = match (c.action, &c.previous, &c.importing) {
        (ChangeAction::NoOp, Some(_), _) => "move",
        (ChangeAction::NoOp, None, Some(_)) => "import",
        (ChangeAction::NoOp, None, None) => return None,
        (ChangeAction::Delete, ..) if is_data => return None,
        (action, ..) => action_word(action),
    };
    let mut change = changed(&c.key, word);
    if let Some(previous) = &c.previous {
        change.insert("previous_resource".into(), resource(previous));
    }
    if let Some(reason) = c.reason.as_ref().and_then(|r| reason(r, c.action)) {
        change.insert("reason".into(), json!(reason));
    }
    if let Some(importing) = &c.importing {
        change.insert("importing".into(), json!({"id": importing.id}));
    }
    let text = format!("{}: Plan to {word}", object(&c.key));
    Some(Message::info("planned_change", text).with("change", change))
}

/// The published names, which are shorter for replacements than those of `show -json`.
fn reason(reason: &Reason, action: ChangeAction) -> Option<&'static str> {
    match reason {
        Reason::Tainted => Some("tainted"),
        Reason::Requested => Some("requested"),
        Reason::TriggeredBy(_) => Some("replace_triggered_by"),
        Reason::CannotUpdate => Some("cannot_update"),
        Reason::TargetReplaced { .. } => Some("target_replaced"),
        other => long_reason(other, action),
    }
}

fn deferred(d: &Deferred) -> Message {
    let change = json!({
        "resource": {
            "addr": d.address,
            "module": d.resource.module.to_string(),
            "resource": format!("{}.{}", d.resource.type_name, d.resource.name),
            "implied_provider": implied_provider(&d.resource.type_name),
            "resource_type": d.resource.type_name,
            "resource_name": d.resource.name,
            "resource_key": null,
        },
        "reason": deferred_reason(d.reason),
        "unknown": d.unknown,
    });
    let text = format!("{}: Deferred to a later round", d.address);
    Message::info("deferred_change", text).with("change", change)
}

/// The published name.
pub fn deferred_reason(reason: DeferredReason) -> &'static str {
    match reason {
        DeferredReason::InstanceCountUnknown => "instance_count_unknown",
        DeferredReason::Prerequisite => "deferred_prereq",
    }
}

fn counts(counts: &Counts, operation: &str) -> Map<String, Json> {
    let mut out = Map::new();
    for (name, n) in [
        ("add", counts.add),
        ("change", counts.change),
        ("remove", counts.destroy),
        ("import", counts.import),
        ("forget", counts.forget),
    ] {
        out.insert(name.into(), json!(n));
    }
    out.insert("operation".into(), json!(operation));
    out
}

/// `number words` for numbers above 0, and always those that must be there.
fn numbers(parts: &[(usize, &str, bool)]) -> String {
    let shown = parts.iter().filter(|(n, _, always)| *always || *n > 0);
    let shown: Vec<String> = shown.map(|(n, words, _)| format!("{n} {words}")).collect();
    shown.join(", ")
}

fn plan_summary(c: &Counts) -> Message {
    let numbers = numbers(&[
        (c.import, "to import", false),
        (c.add, "to add", true),
        (c.change, "to change", true),
        (c.destroy, "to destroy", true),
        (c.forget, "to forget", false),
    ]);
    Message::info("change_summary", format!("Plan: {numbers}.")).with("changes", counts(c, "plan"))
}

/// Failures, the counts, the outputs.
pub(super) fn applied(mode: PlanMode, outcome: &Outcome, sources: Sources<'_>) -> Vec<Message> {
    let mut said = diagnostics(&outcome.diagnostics, sources);
    for (_, failed) in &outcome.failed {
        said.extend(diagnostics(failed, sources));
    }
    said.push(apply_summary(mode, outcome));
    if outcome.is_success() && mode != PlanMode::Destroy {
        let outputs = outcome.outputs.iter();
        let outputs = outputs.map(|(name, o)| (name.to_string(), output(o)));
        said.push(outputs_message(outputs.collect()));
    }
    said
}

fn apply_summary(mode: PlanMode, outcome: &Outcome) -> Message {
    let c = &outcome.counts;
    let destroys = mode == PlanMode::Destroy;
    let (operation, title) = if destroys {
        ("destroy", "Destroy")
    } else {
        ("apply", "Apply")
    };
    let numbers = numbers(&[
        (c.import, "imported", false),
        (c.add, "added", !destroys),
        (c.change, "changed", !destroys),
        (c.destroy, "destroyed", true),
        (c.forget, "forgotten", false),
    ]);
    let mut changes = counts(c, operation);
    if outcome.is_success() {
        let text = format!("{title} complete! Resources: {numbers}.");
        return Message::info("change_summary", text).with("changes", changes);
    }
    let (failed, skipped) = (outcome.failed.len(), outcome.skipped.len());
    changes.insert("failed".into(), json!(failed));
    changes.insert("skipped".into(), json!(skipped));
    let text = format!(
        "{title} incomplete. Resources: {numbers}; {} failed, {skipped} not done.",
        count(failed, "operation")
    );
    Message::info("change_summary", text).with("changes", changes)
}

fn outputs_message(outputs: Map<String, Json>) -> Message {
    let text = format!("Outputs: {}", outputs.len());
    Message::info("outputs", text).with("outputs", outputs)
}

/// What is sensitive has no value here: these lines end up in logs.
fn output(o: &OutputRecord) -> Json {
    let hidden = o.sensitive || o.value.deep_marks().bits() != 0;
    let mut out = json!({"sensitive": hidden, "type": o.value.ty().to_json()});
    if !hidden {
        out["value"] = to_json(&o.value);
    }
    out
}

fn output_action(o: &OutputChange) -> &'static str {
    match (&o.before, &o.after) {
        _ if o.is_no_op() => "noop",
        (None, _) => "create",
        (_, None) => "delete",
        _ => "update",
    }
}
