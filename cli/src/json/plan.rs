//! `show -json` of a saved plan: format 1.2.
//!
//! What is topo's own: the reason `replace_because_target_replaced`, for an object inside of
//! something that is replaced; `unknown` in `deferred_changes`, what the number of instances waits
//! for. `terraform_version` is topo's. Numbers of more than 64 bits are rounded.

use std::collections::HashMap;

use serde_json::{Map, Value as Json, json};
use topo_engine::address::{ModuleInstance, ProviderAddress, ResourceMode};
use topo_engine::changes::{
    ChangeAction, Deferred, Drift, InstanceChange, OutputChange, Overview, Reason,
};
use topo_engine::plan::Plan;
use topo_engine::providers::Providers;
use topo_engine::store::{RecordKey, State};
use topo_sdk::{Marks, Path, Step, Value, json::to_json};

use super::state::{Tree, values};
use super::stream::deferred_reason;
use super::{checks, config, known, mode_word, parts, provider_source, relevant};
use crate::commands::version::VERSION;

/// The version of the format.
const FORMAT: &str = "1.2";

/// What a plan changes, without what it was made from: for a run of a test.
pub fn brief(overview: &Overview, before: &State) -> Json {
    let outputs = overview.outputs.iter();
    let outputs: Map<String, Json> = outputs.map(|o| (o.name.to_string(), output(o))).collect();
    json!({
        "plan_format_version": FORMAT,
        "resource_drift": drifted(overview, before),
        "resource_changes": overview.changes.iter().map(change).collect::<Json>(),
        "output_changes": outputs,
    })
}

/// The plan, values in clear. `before` is the state as it was loaded.
pub fn plan(plan: &Plan, before: &State, providers: &Providers) -> Json {
    let overview = &*plan.overview;
    let outputs = overview.outputs.iter();
    let outputs: Map<String, Json> = outputs.map(|o| (o.name.to_string(), output(o))).collect();
    let mut out = json!({
        "format_version": FORMAT,
        "terraform_version": VERSION,
        "planned_values": planned(overview),
        "resource_drift": drifted(overview, before),
        "resource_changes": overview.changes.iter().map(change).collect::<Json>(),
        "output_changes": outputs,
        "prior_state": super::state::prior(plan),
        "configuration": config::configuration(plan.config(), providers),
        "relevant_attributes": relevant::attributes(plan.config(), overview),
        "timestamp": format!("{:.0}", plan.time()),
        "applyable": !overview.is_empty(),
        "complete": overview.deferred.is_empty() && !overview.partial,
        "errored": overview.diagnostics.has_errors(),
    });
    let variables = plan.variables();
    if !variables.is_empty() {
        let variables = variables.iter();
        let variables = variables.map(|(n, v)| (n.to_string(), json!({"value": to_json(v)})));
        out["variables"] = Json::Object(variables.collect());
    }
    if !overview.checks.is_empty() {
        out["checks"] = checks::checks(&overview.checks);
    }
    if !overview.deferred.is_empty() {
        out["deferred_changes"] = overview.deferred.iter().map(deferred).collect();
    }
    out
}

fn planned(view: &Overview) -> Json {
    let mut tree = Tree::default();
    for c in &view.changes {
        let Some(after) = &c.after else { continue };
        if c.key.deposed.is_some() {
            continue;
        }
        let out = values(&c.key, &c.provider, c.schema.version, after);
        tree.add(&c.key.address.resource.module, Json::Object(out));
    }
    let outputs: Map<String, Json> = view
        .outputs
        .iter()
        .filter_map(|o| {
            let after = o.after.as_ref()?;
            let mut out = json!({"sensitive": o.sensitive});
            if after.is_wholly_known() {
                out["type"] = after.ty().to_json();
                out["value"] = to_json(after);
            }
            Some((o.name.to_string(), out))
        })
        .collect();
    json!({
        "outputs": outputs,
        "root_module": tree.into_json(&ModuleInstance::root()),
    })
}

fn change(c: &InstanceChange) -> Json {
    let mut out = located(&c.key);
    out.insert(
        "provider_name".into(),
        json!(provider_source(&c.provider.name)),
    );
    let mut change = difference(actions(c.action), c.before.as_ref(), c.after.as_ref());
    if !c.replace_paths.is_empty() {
        change["replace_paths"] = c.replace_paths.iter().map(path).collect();
    }
    if let Some(importing) = &c.importing {
        change["importing"] = json!({"id": importing.id});
    }
    if let Some(previous) = &c.previous {
        let previous = previous.to_string();
        out.insert("previous_address".into(), json!(previous));
    }
    out.insert("change".into(), change);
    if let Some(reason) = c.reason.as_ref().and_then(|r| reason(r, c.action)) {
        out.insert("action_reason".into(), json!(reason));
    }
    Json::Object(out)
}

/// What was found to be otherwise than the state has it.
fn drifted(overview: &Overview, before: &State) -> Json {
    let changes = overview.changes.iter();
    let planned: HashMap<&RecordKey, &ProviderAddress> =
        changes.map(|c| (&c.key, &c.provider)).collect();
    let of = |d: &Drift| {
        let record = before.records.get(&d.key).map(|r| &r.provider);
        drift(d, record.or_else(|| planned.get(&d.key).copied()))
    };
    overview.drift.iter().map(of).collect()
}

fn drift(d: &Drift, provider: Option<&ProviderAddress>) -> Json {
    let mut out = located(&d.key);
    if let Some(provider) = provider {
        let source = provider_source(&provider.name);
        out.insert("provider_name".into(), json!(source));
    }
    let action = if d.after.is_some() {
        json!(["update"])
    } else {
        json!(["delete"])
    };
    let change = difference(action, Some(&d.before), d.after.as_ref());
    out.insert("change".into(), change);
    Json::Object(out)
}

/// What is left to a later round: nothing is known but that something will be made of it.
fn deferred(d: &Deferred) -> Json {
    let mut change = json!({
        "address": d.address,
        "mode": mode_word(d.resource.mode),
        "type": d.resource.type_name,
        "name": d.resource.name,
        "provider_name": provider_source(&d.provider.name),
        "change": {
            "actions": [if d.resource.mode == ResourceMode::Managed { "create" } else { "read" }],
            "before": null,
            "after": {},
            "after_unknown": true,
            "before_sensitive": false,
            "after_sensitive": {},
        },
    });
    if !d.resource.module.is_root() {
        change["module_address"] = json!(d.resource.module.to_string());
    }
    json!({
        "reason": deferred_reason(d.reason),
        "unknown": d.unknown,
        "resource_change": change,
    })
}

fn output(o: &OutputChange) -> Json {
    let action = match (&o.before, &o.after) {
        _ if o.is_no_op() => json!(["no-op"]),
        (None, _) => json!(["create"]),
        (_, None) => json!(["delete"]),
        _ => json!(["update"]),
    };
    let mut out = difference(action, o.before.as_ref(), o.after.as_ref());
    // Sensitivity is told of an output as a whole; so is that nothing in it is unknown.
    let sensitive = |v: &Option<Value>| {
        let marks = v.as_ref().map(Value::deep_marks).unwrap_or_default();
        o.sensitive || marks.contains(Marks::SENSITIVE)
    };
    out["before_sensitive"] = json!(sensitive(&o.before));
    out["after_sensitive"] = json!(sensitive(&o.after));
    if o.after.as_ref().is_none_or(Value::is_wholly_known) {
        out["after_unknown"] = json!(false);
    }
    out
}

fn located(key: &RecordKey) -> Map<String, Json> {
    let mut out = super::identity(key);
    let module = &key.address.resource.module;
    if !module.is_root() {
        out.insert("module_address".into(), json!(module.to_string()));
    }
    if let Some(deposed) = &key.deposed {
        out.insert("deposed".into(), json!(deposed));
    }
    out
}

/// Of a value of which nothing is known yet there is no `after`.
fn difference(actions: Json, before: Option<&Value>, after: Option<&Value>) -> Json {
    let mut out = json!({
        "actions": actions,
        "before": before.map(to_json),
        "after_unknown": after.map_or(json!({}), |v| parts(v, &|v| !v.is_known())),
        "before_sensitive": before.map_or(json!(false), |v| parts(v, &Value::is_sensitive)),
        "after_sensitive": after.map_or(json!(false), |v| parts(v, &Value::is_sensitive)),
    });
    if after.is_none_or(Value::is_known) {
        out["after"] = after.map_or(Json::Null, known);
    }
    out
}

fn actions(action: ChangeAction) -> Json {
    match action {
        ChangeAction::NoOp => json!(["no-op"]),
        ChangeAction::Create => json!(["create"]),
        ChangeAction::Read => json!(["read"]),
        ChangeAction::Update => json!(["update"]),
        ChangeAction::DeleteThenCreate => json!(["delete", "create"]),
        ChangeAction::CreateThenDelete => json!(["create", "delete"]),
        ChangeAction::Delete => json!(["delete"]),
        ChangeAction::Forget => json!(["forget"]),
        ChangeAction::ForgetThenCreate => json!(["forget", "create"]),
    }
}

/// The published names of reasons. A replaced target has none; its paths would not say it
/// either, so it has a name of its own.
pub fn reason(reason: &Reason, action: ChangeAction) -> Option<&'static str> {
    Some(match reason {
        Reason::CannotUpdate => "replace_because_cannot_update",
        Reason::Tainted => "replace_because_tainted",
        Reason::Requested => "replace_by_request",
        Reason::TargetReplaced { .. } => "replace_because_target_replaced",
        Reason::TriggeredBy(_) => "replace_by_triggers",
        Reason::NotInConfiguration => "delete_because_no_resource_config",
        Reason::NoModule => "delete_because_no_module",
        Reason::CountIndex => "delete_because_count_index",
        Reason::EachKey => "delete_because_each_key",
        Reason::Disabled => "delete_because_enabled_false",
        Reason::WrongRepetition => "delete_because_wrong_repetition",
        Reason::Destroy => return None,
        Reason::NoMoveTarget => "delete_because_no_move_target",
        Reason::CheckNested => "read_because_check_nested",
        Reason::ConfigUnknown if action == ChangeAction::Read => "read_because_config_unknown",
        Reason::DependencyPending if action == ChangeAction::Read => {
            "read_because_dependency_pending"
        }
        Reason::ConfigUnknown | Reason::DependencyPending => return None,
    })
}

/// The steps of a path, names and numbers.
pub fn path(path: &Path) -> Json {
    path.steps()
        .iter()
        .map(|step| match step {
            Step::Attribute(n) | Step::Key(n) => json!(n),
            Step::Index(i) => json!(i),
            Step::Element(v) => to_json(v),
        })
        .collect()
}
