//! One object of a plan: the comment that says what happens and why, then the difference.

use topo_engine::address::{InstanceAddress, ResourceMode};
use topo_engine::changes::{ChangeAction, Drift, InstanceChange, Reason};
use topo_engine::store::{Record, RecordKey};
use topo_sdk::{Schema, Value};

use super::style::{BOLD, DIM, RED, Symbol, YELLOW, paint};
use super::text::quote;
use super::value::Differ;

/// A planned change. Ends with a line break.
pub fn change(change: &InstanceChange) -> String {
    let name = object(&change.key);
    let mut out = format!("  {}\n", headline(change, &name));
    for note in notes(change) {
        out.push_str(&format!("  {}\n", paint(DIM, format!("# ({note})"))));
    }
    if change.provider_deferred {
        let note = format!(
            "# planned from the schema alone: {} is configured during this apply",
            change.provider
        );
        out.push_str(&format!("  {}\n", paint(DIM, note)));
    }
    let symbol = Symbol::from(change.action);
    let mut differ = Differ::new(&change.replace_paths);
    let body = differ.body(
        &change.schema.block,
        change.before.as_ref(),
        // What is forgotten stays as it is.
        match change.action {
            ChangeAction::Forget => change.before.as_ref(),
            _ => change.after.as_ref(),
        },
        0,
    );
    out.push_str(&format!(
        "{}{} {body}\n",
        symbol.margin(),
        header(&change.key.address)
    ));
    out
}

/// An object that is not as the state has it. Ends with a line break.
pub fn drift(drift: &Drift) -> String {
    let (what, symbol) = match drift.after {
        Some(_) => (format!("has {}", paint(YELLOW, "changed")), Symbol::Change),
        None => (
            format!("has been {}", paint(RED, "deleted")),
            Symbol::Remove,
        ),
    };
    let name = object(&drift.key);
    let body = Differ::new(&[]).body(
        &drift.schema.block,
        Some(&drift.before),
        drift.after.as_ref(),
        0,
    );
    format!(
        "  {} {what}\n{}{} {body}\n",
        paint(BOLD, format!("# {name}")),
        symbol.margin(),
        header(&drift.key.address)
    )
}

/// An object of the state as a block of the language, sensitive values hidden.
pub fn record(record: &Record, schema: Option<&Schema>) -> String {
    let tainted = match record.status {
        topo_engine::store::Status::Ok => "",
        topo_engine::store::Status::Tainted => " (tainted)",
    };
    let mut differ = Differ::plain();
    let body = match schema {
        Some(schema) => differ.body(&schema.block, Some(&record.value), Some(&record.value), 0),
        None => differ.one(&record.value, Symbol::Same, 0),
    };
    format!(
        "# {}:{tainted}\n{} {body}\n",
        object(&record.key),
        header(&record.key.address)
    )
}

/// One value in the language's notation. Ends with a line break.
pub fn value(value: &Value) -> String {
    format!("{}\n", Differ::plain().one(value, Symbol::Same, 0))
}

/// `name = value` of an output or the like, without a margin.
pub fn assignment(name: &str, value: &Value, sensitive: bool) -> String {
    let text = if sensitive {
        "<sensitive>".to_string()
    } else {
        Differ::plain().one(value, Symbol::Same, 0)
    };
    format!("{name} = {text}\n")
}

fn object(key: &RecordKey) -> String {
    match &key.deposed {
        Some(deposed) => format!("{} (deposed object {deposed})", key.address),
        None => key.address.to_string(),
    }
}

fn header(address: &InstanceAddress) -> String {
    let word = match address.resource.mode {
        ResourceMode::Managed => "resource",
        ResourceMode::Data => "data",
        ResourceMode::Ephemeral => "ephemeral",
    };
    let (ty, name) = (&address.resource.type_name, &address.resource.name);
    format!("{word} {} {}", quote(ty), quote(name))
}

fn headline(change: &InstanceChange, name: &str) -> String {
    let hash = paint(BOLD, format!("# {name}"));
    let replaced = paint(RED, "replaced");
    let text = match (change.action, &change.reason) {
        (ChangeAction::NoOp, _) => "is unchanged".to_string(),
        (ChangeAction::Create, _) => "will be created".to_string(),
        (ChangeAction::Read, _) => "will be read during apply".to_string(),
        (ChangeAction::Update, _) => "will be updated in-place".to_string(),
        (ChangeAction::Delete, _) => format!("will be {}", paint(RED, "destroyed")),
        (ChangeAction::Forget, _) => {
            "will no longer be managed by topo, but will not be destroyed".to_string()
        }
        (_, Some(Reason::Tainted)) => format!("is tainted, so must be {replaced}"),
        (_, Some(Reason::Requested)) => format!("will be {replaced}, as requested"),
        (_, Some(Reason::TriggeredBy(by))) => {
            format!("will be {replaced} due to changes in replace_triggered_by: {by}")
        }
        (
            _,
            Some(Reason::TargetReplaced {
                argument, because, ..
            }),
        ) => {
            let names: Vec<String> = because.iter().map(ToString::to_string).collect();
            let verb = if names.len() == 1 { "is" } else { "are" };
            format!(
                "must be {replaced} because its provider's {argument} changes: {} {verb} replaced",
                names.join(", ")
            )
        }
        (ChangeAction::DeleteThenCreate | ChangeAction::CreateThenDelete, _) => {
            format!("must be {replaced}")
        }
        (ChangeAction::ForgetThenCreate, _) => {
            format!("must be {replaced}, but the old object will not be destroyed")
        }
    };
    format!("{hash} {text}")
}

/// Why, in words, where the headline does not say it.
fn notes(change: &InstanceChange) -> Vec<String> {
    let address = &change.key.address;
    let key = address
        .key
        .as_ref()
        .map_or(String::new(), |k| k.to_string());
    let mut notes = Vec::new();
    if change.key.deposed.is_some() {
        notes.push("left over from a partially-failed replacement of this instance".to_string());
    }
    notes.extend(match &change.reason {
        Some(Reason::NotInConfiguration) => Some(format!(
            "because {} is not in configuration",
            address.resource
        )),
        Some(Reason::NoModule) => Some(format!(
            "because {} is not in configuration",
            address.resource.module
        )),
        Some(Reason::CountIndex) => Some(format!("because index {key} is out of range for count")),
        Some(Reason::EachKey) => Some(format!("because key {key} is not in for_each map")),
        Some(Reason::Disabled) => Some("because enabled is false".to_string()),
        Some(Reason::WrongRepetition) => Some(match address.key {
            None => "because resource uses count or for_each".to_string(),
            Some(_) => "because resource does not use this kind of instance key".to_string(),
        }),
        Some(Reason::ConfigUnknown) => Some("config refers to values not yet known".to_string()),
        Some(Reason::DependencyPending) => {
            Some("depends on a resource or a module with changes pending".to_string())
        }
        _ => None,
    });
    notes
}
