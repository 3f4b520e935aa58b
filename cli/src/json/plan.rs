//! `show -json` of a saved plan: format 1.2, without the `configuration` part.

use serde_json::{Map, Value as Json, json};
use topo_engine::address::ModuleInstance;
use topo_engine::changes::{ChangeAction, Drift, InstanceChange, OutputChange, Reason};
use topo_engine::store::State;
use topo_sdk::{Path, Step, Value, json::to_json};

use super::state::{Tree, sensitive};
use super::{identity, known, parts, provider_source};
use crate::commands::version::VERSION;
use crate::render::plan::View;

/// The plan, values in clear.
pub fn plan(view: &View<'_>, prior: &State) -> Json {
    let changes: Vec<Json> = view.changes.iter().map(change).collect();
    let drift: Vec<Json> = view.drift.iter().map(drift).collect();
    let outputs: Map<String, Json> = view
        .outputs
        .iter()
        .map(|o| (o.name.to_string(), output(o)))
        .collect();
    let idle = view.changes.iter().all(|c| c.action == ChangeAction::NoOp)
        && view.outputs.iter().all(OutputChange::is_no_op);
    json!({
        "format_version": "1.2",
        "terraform_version": VERSION,
        "planned_values": planned(view),
        "resource_drift": drift,
        "resource_changes": changes,
        "output_changes": outputs,
        "prior_state": super::state::state(prior),
        "applyable": !idle,
        "complete": true,
        "errored": false,
    })
}

fn planned(view: &View<'_>) -> Json {
    let mut tree = Tree::default();
    for c in view.changes {
        let Some(after) = &c.after else { continue };
        if c.key.deposed.is_some() {
            continue;
        }
        let mut out = identity(&c.key);
        out.insert(
            "provider_name".into(),
            json!(provider_source(&c.provider.name)),
        );
        out.insert("schema_version".into(), json!(c.schema.version));
        out.insert("values".into(), known(after));
        out.insert("sensitive_values".into(), sensitive(after));
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
    out.insert("change".into(), change);
    if let Some(reason) = c.reason.as_ref().and_then(|r| reason(r, c.action)) {
        out.insert("action_reason".into(), json!(reason));
    }
    Json::Object(out)
}

fn drift(d: &Drift) -> Json {
    let mut out = located(&d.key);
    let action = if d.after.is_some() {
        json!(["update"])
    } else {
        json!(["delete"])
    };
    out.insert(
        "change".into(),
        difference(action, Some(&d.before), d.after.as_ref()),
    );
    Json::Object(out)
}

fn output(o: &OutputChange) -> Json {
    let action = match (&o.before, &o.after) {
        _ if o.is_no_op() => json!(["no-op"]),
        (None, _) => json!(["create"]),
        (_, None) => json!(["delete"]),
        _ => json!(["update"]),
    };
    let mut out = difference(action, o.before.as_ref(), o.after.as_ref());
    if o.sensitive {
        out["before_sensitive"] = json!(true);
        out["after_sensitive"] = json!(true);
    }
    out
}

fn located(key: &topo_engine::store::RecordKey) -> Map<String, Json> {
    let mut out = identity(key);
    let module = &key.address.resource.module;
    if !module.is_root() {
        out.insert("module_address".into(), json!(module.to_string()));
    }
    if let Some(deposed) = &key.deposed {
        out.insert("deposed".into(), json!(deposed));
    }
    out
}

fn difference(actions: Json, before: Option<&Value>, after: Option<&Value>) -> Json {
    json!({
        "actions": actions,
        "before": before.map(to_json),
        "after": after.filter(|v| v.is_known()).map(known),
        "after_unknown": after.map_or(json!(false), |v| parts(v, &|v| !v.is_known())),
        "before_sensitive": before.map_or(json!(false), |v| parts(v, &Value::is_sensitive)),
        "after_sensitive": after.map_or(json!(false), |v| parts(v, &Value::is_sensitive)),
    })
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
fn reason(reason: &Reason, action: ChangeAction) -> Option<&'static str> {
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

fn path(path: &Path) -> Json {
    path.steps()
        .iter()
        .map(|step| match step {
            Step::Attribute(n) | Step::Key(n) => json!(n),
            Step::Index(i) => json!(i),
            Step::Element(v) => to_json(v),
        })
        .collect()
}
