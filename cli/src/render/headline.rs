//! The comment above a change: what happens to which object, and why.

use topo_engine::address::InstanceKey;
use topo_engine::changes::{ChangeAction, InstanceChange, Reason};

use super::change::object;
use super::style::{BOLD, DIM, RED, YELLOW, paint, push_painted};
use super::text::{quote, visible};

/// Adds the comment, line by line.
pub fn headline(out: &mut String, change: &InstanceChange) {
    out.push_str("  ");
    what(out, change);
    out.push('\n');
    for note in notes(change) {
        out.push_str("  ");
        push_painted(out, DIM, format!("# ({note})"));
        out.push('\n');
    }
    if change.importing.is_some() && change.action.is_replace() {
        let warning = paint(YELLOW, "Warning: this will destroy the imported resource");
        out.push_str(&format!("  # {warning}\n"));
    }
    if change.provider_deferred {
        let note = format!(
            "# planned from the schema alone: {} is configured during this apply",
            change.provider
        );
        out.push_str("  ");
        push_painted(out, DIM, note);
        out.push('\n');
    }
}

fn what(out: &mut String, change: &InstanceChange) {
    let name = object(&change.key);
    if let (ChangeAction::NoOp, Some(previous)) = (change.action, &change.previous) {
        let from = visible(&previous.to_string());
        push_painted(out, BOLD, format!("# {from}"));
        out.push_str(" has moved to ");
        push_painted(out, BOLD, name);
        return;
    }
    push_painted(out, BOLD, format!("# {name}"));
    out.push(' ');
    match change.action {
        ChangeAction::NoOp if change.importing.is_some() => out.push_str("will be imported"),
        ChangeAction::NoOp => out.push_str("is unchanged"),
        ChangeAction::Create => out.push_str("will be created"),
        ChangeAction::Read => out.push_str("will be read during apply"),
        ChangeAction::Update => out.push_str("will be updated in-place"),
        ChangeAction::Delete => {
            out.push_str("will be ");
            push_painted(out, RED.bold(), "destroyed");
        }
        ChangeAction::Forget => {
            out.push_str("will no longer be managed by topo, but will not be destroyed");
        }
        ChangeAction::DeleteThenCreate | ChangeAction::CreateThenDelete => {
            out.push_str(&replacement(change.reason.as_ref()));
        }
        ChangeAction::ForgetThenCreate => {
            out.push_str(&replacement(change.reason.as_ref()));
            out.push_str(", but the old object will not be destroyed");
        }
    }
}

fn replacement(reason: Option<&Reason>) -> String {
    let replaced = paint(RED.bold(), "replaced");
    match reason {
        Some(Reason::Tainted) => format!("is tainted, so must be {replaced}"),
        Some(Reason::Requested) => format!("will be {replaced}, as requested"),
        Some(Reason::TriggeredBy(by)) => {
            let by = visible(&by.to_string());
            format!("will be {replaced} due to changes in replace_triggered_by: {by}")
        }
        Some(Reason::TargetReplaced {
            argument, because, ..
        }) => {
            let names: Vec<String> = because.iter().map(|a| visible(&a.to_string())).collect();
            let verb = if names.len() == 1 { "is" } else { "are" };
            format!(
                "must be {replaced} because its provider's {argument} changes: {} {verb} replaced",
                names.join(", ")
            )
        }
        _ => format!("must be {replaced}"),
    }
}

/// Why, in words, where the first line does not say it.
fn notes(change: &InstanceChange) -> Vec<String> {
    let mut notes = Vec::new();
    notes.extend(change.reason.as_ref().and_then(|r| because(r, change)));
    if change.key.deposed.is_some() {
        notes.push("left over from a partially-failed replacement of this instance".to_string());
    }
    let told = change.action == ChangeAction::NoOp || change.reason == Some(Reason::NoMoveTarget);
    if let (Some(previous), false) = (&change.previous, told) {
        notes.push(format!("moved from {}", visible(&previous.to_string())));
    }
    if let Some(importing) = &change.importing {
        notes.push(format!("imported from {}", quote(&importing.id)));
        if importing.generated {
            notes.push("config will be generated".to_string());
        }
    }
    notes
}

fn because(reason: &Reason, change: &InstanceChange) -> Option<String> {
    let address = change.address();
    let key = || {
        let key = address.key.as_ref();
        key.map_or(String::new(), |k| visible(&k.to_string()))
    };
    let text = match reason {
        Reason::NotInConfiguration if change.action == ChangeAction::Forget => {
            return None; // a `removed` block says what becomes of it
        }
        Reason::NotInConfiguration => {
            let resource = visible(&address.resource.to_string());
            format!("because {resource} is not in configuration")
        }
        Reason::NoModule => {
            let module = visible(&address.resource.module.to_string());
            format!("because {module} is not in configuration")
        }
        Reason::CountIndex => format!("because index {} is out of range for count", key()),
        Reason::EachKey => format!("because key {} is not in for_each map", key()),
        Reason::Disabled => "because enabled is false".to_string(),
        Reason::WrongRepetition => match &address.key {
            None => "because resource uses count or for_each".to_string(),
            Some(InstanceKey::Index(_)) => "because resource does not use count".to_string(),
            Some(InstanceKey::Key(_)) => "because resource does not use for_each".to_string(),
        },
        Reason::NoMoveTarget => {
            let to = visible(&address.to_string());
            let previous = change.previous.as_ref()?;
            let from = visible(&previous.to_string());
            format!("because {from} was moved to {to}, which is not in configuration")
        }
        Reason::ConfigUnknown => "config refers to values not yet known".to_string(),
        Reason::DependencyPending => {
            "depends on a resource or a module with changes pending".to_string()
        }
        Reason::CheckNested => "config will be reloaded to verify a check block".to_string(),
        Reason::CannotUpdate
        | Reason::Tainted
        | Reason::Requested
        | Reason::TargetReplaced { .. }
        | Reason::TriggeredBy(_)
        | Reason::Destroy => return None,
    };
    Some(text)
}
