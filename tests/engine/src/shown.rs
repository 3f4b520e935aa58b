//! Plans and what came of them as lines of text, for tables of expectations.

use topo_engine::apply::Outcome;
use topo_engine::changes::{
    ChangeAction, DeferredReason, Drift, InstanceChange, OutputChange, Overview, Reason,
};
use topo_engine::store::{RecordKey, State, Status};
use topo_sdk::{Diagnostic, Diagnostics, Kind, Value, json};

/// Everything that a plan says, but for objects that stay as they are.
pub(crate) fn plan(plan: &Overview) -> Vec<String> {
    let changes = plan.changes.iter().filter(|c| {
        c.action != ChangeAction::NoOp || c.previous.is_some() || c.importing.is_some()
    });
    let mut made: Vec<String> = changes.map(change).collect();
    made.extend(plan.deferred.iter().map(|d| {
        let why = match d.reason {
            DeferredReason::InstanceCountUnknown => format!("unknown: {}", d.unknown.join(", ")),
            DeferredReason::Prerequisite => "what it depends on is deferred".to_string(),
        };
        format!("defer {}, {why}", d.address)
    }));
    made.extend(plan.drift.iter().map(drift));
    made.extend(plan.outputs.iter().filter(|o| !o.is_no_op()).map(output));
    for check in &plan.checks {
        for object in &check.objects {
            made.push(format!("check {} {:?}", object.address, object.status));
        }
    }
    let unread = plan.unread.iter();
    made.extend(unread.map(|u| format!("unread {}", key(&u.key))));
    made.extend(problems(&plan.diagnostics));
    made
}

/// Errors and warnings: the summary, the place, the address.
pub(crate) fn problems(diagnostics: &Diagnostics) -> Vec<String> {
    diagnostics.iter().map(problem).collect()
}

fn problem(d: &Diagnostic) -> String {
    let kind = if d.is_error() { "error" } else { "warning" };
    let place = d.range.as_ref().map(|r| {
        let file = r.file.rsplit('/').next().unwrap_or_default();
        format!(", {file}:{}", r.start.line)
    });
    let address = d.address.as_ref().map(|a| format!(", {a}"));
    format!(
        "{kind} {}{}{}",
        d.summary,
        address.unwrap_or_default(),
        place.unwrap_or_default()
    )
}

/// What did not go as planned.
pub(crate) fn outcome(outcome: &Outcome) -> Vec<String> {
    let mut made = Vec::new();
    for (k, ds) in &outcome.failed {
        made.extend(
            ds.iter()
                .map(|d| format!("failed {}: {}", key(k), d.summary)),
        );
    }
    // Which failed first is a matter of chance.
    made.sort();
    let skipped = outcome.skipped.iter();
    made.extend(skipped.map(|(k, why)| format!("skipped {}: {why}", key(k))));
    made.extend(problems(&outcome.diagnostics));
    made
}

/// What a state holds.
pub(crate) fn state(state: &State) -> Vec<String> {
    let records = state.records.values().map(|r| match r.status {
        Status::Ok => key(&r.key),
        Status::Tainted => format!("{} (tainted)", key(&r.key)),
    });
    let mut made: Vec<String> = records.collect();
    let outputs = state.outputs.iter();
    made.extend(outputs.map(|(n, o)| format!("output {n} = {}", value(&o.value))));
    let open = state.intents.iter();
    made.extend(open.map(|i| format!("open {}", key(&i.key))));
    made
}

fn key(key: &RecordKey) -> String {
    match key.deposed {
        Some(_) => format!("{} (deposed)", key.address),
        None => key.address.to_string(),
    }
}

fn change(c: &InstanceChange) -> String {
    let order = match c.action {
        ChangeAction::CreateThenDelete => ", create first",
        _ => "",
    };
    let reason = c.reason.as_ref().map(|r| format!(", {}", reason(r, c)));
    let moved = c.previous.as_ref().map(|p| format!(", moved from {p}"));
    let import = c.importing.as_ref().map(|i| format!(", import {}", i.id));
    let deferred = if c.provider_deferred {
        ", provider not known"
    } else {
        ""
    };
    let details = match c.action {
        ChangeAction::Update => attributes(c.before.as_ref(), c.after.as_ref()),
        _ => String::new(),
    };
    format!(
        "{} {}{order}{}{}{}{deferred}{details}",
        c.action.word(),
        key(&c.key),
        reason.unwrap_or_default(),
        moved.unwrap_or_default(),
        import.unwrap_or_default(),
    )
}

fn reason(reason: &Reason, change: &InstanceChange) -> String {
    match reason {
        Reason::CannotUpdate => {
            let paths = change.replace_paths.iter().map(ToString::to_string);
            format!("forced by {}", paths.collect::<Vec<_>>().join(" "))
        }
        Reason::Tainted => "tainted".into(),
        Reason::Requested => "requested".into(),
        Reason::TargetReplaced {
            argument, because, ..
        } => {
            let because: Vec<String> = because.iter().map(ToString::to_string).collect();
            format!("target {argument} replaced with {}", because.join(" "))
        }
        Reason::TriggeredBy(by) => format!("triggered by {by}"),
        Reason::NotInConfiguration => "no block".into(),
        Reason::NoModule => "no module".into(),
        Reason::CountIndex => "no index".into(),
        Reason::EachKey => "no key".into(),
        Reason::Disabled => "disabled".into(),
        Reason::WrongRepetition => "other repetition".into(),
        Reason::Destroy => "destroy".into(),
        Reason::ConfigUnknown => "configuration not known".into(),
        Reason::DependencyPending => "dependency pending".into(),
        Reason::CheckNested => "nested in a check".into(),
        Reason::NoMoveTarget => "no move target".into(),
    }
}

/// The attributes that differ, as they will be. The revision differs whenever anything does.
fn attributes(before: Option<&Value>, after: Option<&Value>) -> String {
    let (Some(before), Some(after)) = (before, after) else {
        return String::new();
    };
    let Kind::Object(attributes) = after.kind() else {
        return String::new();
    };
    let changed: Vec<String> = attributes
        .iter()
        .filter(|(n, v)| &***n != "revision" && before.get(n) != Some(v))
        .map(|(n, v)| format!("{n} = {}", value(v)))
        .collect();
    match changed.is_empty() {
        true => String::new(),
        false => format!(": {}", changed.join(", ")),
    }
}

fn drift(d: &Drift) -> String {
    match &d.after {
        None => format!("drift {}: gone", key(&d.key)),
        Some(after) => format!(
            "drift {}{}",
            key(&d.key),
            attributes(Some(&d.before), Some(after))
        ),
    }
}

fn output(o: &OutputChange) -> String {
    match &o.after {
        None => format!("output {} removed", o.name),
        Some(v) => format!("output {} = {}", o.name, value(v)),
    }
}

/// A value on one line, with what is unknown or secret by name.
fn value(v: &Value) -> String {
    if v.is_sensitive() {
        return "(sensitive)".into();
    }
    let joined = |items: Vec<String>| items.join(", ");
    match v.kind() {
        Kind::Unknown(_) => "(unknown)".into(),
        Kind::List(s) | Kind::Set(s) => {
            format!("[{}]", joined(s.items.iter().map(value).collect()))
        }
        Kind::Tuple(t) => format!("[{}]", joined(t.iter().map(value).collect())),
        Kind::Map(m) => entries(m.entries.iter()),
        Kind::Object(o) => entries(o.iter()),
        _ => json::to_json(v).to_string(),
    }
}

fn entries<'a>(all: impl Iterator<Item = (&'a std::sync::Arc<str>, &'a Value)>) -> String {
    let all: Vec<String> = all.map(|(k, v)| format!("{k} = {}", value(v))).collect();
    format!("{{{}}}", all.join(", "))
}
