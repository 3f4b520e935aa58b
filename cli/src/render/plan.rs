//! A whole plan: what changed outside, legend, changes, what is left for later, summary, outputs.

use topo_engine::address::ResourceMode;
use topo_engine::changes::{ChangeAction, InstanceChange, Overview};

use super::style::{BOLD, Symbol, paint};
use super::{Options, change, sections, summary};

/// The plan as text. Ends with a line break.
pub fn plan(overview: &Overview, options: &Options) -> String {
    let mut out = String::new();
    sections::drift(&mut out, overview, options);
    sections::unread(&mut out, overview, options);
    let shown: Vec<&InstanceChange> = overview.changes.iter().filter(|c| is_shown(c)).collect();
    let mut outputs = String::new();
    sections::outputs(&mut outputs, &overview.outputs, options);
    // Reading a data source late changes nothing by itself.
    let idle = shown.iter().all(|c| c.action == ChangeAction::Read);
    if idle && outputs.is_empty() {
        if !overview.deferred.is_empty() {
            sections::deferred(&mut out, overview, options);
        } else {
            sections::no_changes(&mut out, overview, options);
        }
        return out;
    }
    if !shown.is_empty() {
        legend(&mut out, &shown, options);
        out.push_str("topo will perform the following actions:\n\n");
        changes(&mut out, &shown, options);
        sections::deferred(&mut out, overview, options);
        out.push_str(&summary::planned(&overview.counts()));
        out.push('\n');
        if shown.iter().all(|c| moves_only(c)) {
            let text =
                "Objects only move to other addresses in the state: no infrastructure changes.";
            sections::paragraph(&mut out, text, options);
        }
    }
    if !outputs.is_empty() {
        if !out.is_empty() && !out.ends_with("\n\n") {
            out.push('\n');
        }
        out.push_str(&paint(BOLD, "Changes to Outputs:"));
        out.push('\n');
        out.push_str(&outputs);
        if shown.is_empty() {
            let text = "You can apply this plan to save these new output values to the topo state, without changing any real infrastructure.";
            out.push('\n');
            sections::paragraph(&mut out, text, options);
            if !overview.deferred.is_empty() {
                out.push('\n');
            }
            sections::deferred(&mut out, overview, options);
        }
    }
    out
}

/// What could be planned where something is wrong, as text that ends with a line break; nothing
/// where that is nothing. What outputs would be is not told: it may be so because of what is wrong.
pub fn part(overview: &Overview, options: &Options) -> String {
    let mut out = String::new();
    let shown: Vec<&InstanceChange> = overview.changes.iter().filter(|c| is_shown(c)).collect();
    if shown.is_empty() {
        return out;
    }
    sections::drift(&mut out, overview, options);
    legend(&mut out, &shown, options);
    let text = "topo planned the following actions, but then encountered a problem:";
    sections::paragraph(&mut out, text, options);
    out.push('\n');
    changes(&mut out, &shown, options);
    out.push_str(&summary::planned(&overview.counts()));
    out.push('\n');
    out
}

fn changes(out: &mut String, shown: &[&InstanceChange], options: &Options) {
    for c in shown {
        change::change(out, c, options);
        out.push('\n');
    }
}

/// Whether something is to be told about an object: data sources and ephemeral resources that go
/// leave nothing behind.
fn is_shown(change: &InstanceChange) -> bool {
    match (change.action, change.mode()) {
        (_, ResourceMode::Ephemeral) => false,
        (ChangeAction::NoOp, _) => change.previous.is_some() || change.importing.is_some(),
        (ChangeAction::Delete | ChangeAction::Forget, ResourceMode::Data) => false,
        _ => true,
    }
}

fn moves_only(change: &InstanceChange) -> bool {
    change.action == ChangeAction::NoOp && change.importing.is_none()
}

fn legend(out: &mut String, shown: &[&InstanceChange], options: &Options) {
    let known = [
        (ChangeAction::Create, "create"),
        (ChangeAction::Update, "update in-place"),
        (ChangeAction::Delete, "destroy"),
        (
            ChangeAction::DeleteThenCreate,
            "destroy and then create replacement",
        ),
        (
            ChangeAction::CreateThenDelete,
            "create replacement and then destroy",
        ),
        (
            ChangeAction::ForgetThenCreate,
            "forget, without destroying, and then create replacement",
        ),
        (ChangeAction::Read, "read (data sources)"),
        (ChangeAction::Forget, "forget, without destroying"),
    ];
    let used: Vec<_> = known
        .into_iter()
        .filter(|(action, _)| shown.iter().any(|c| c.action == *action))
        .collect();
    if used.is_empty() {
        return; // moves and imports alone need no symbols
    }
    let text =
        "topo worked out the following plan. Resource actions are indicated with these symbols:";
    sections::paragraph(out, text, options);
    for (action, words) in used {
        Symbol::from(action).push_margin(out);
        out.push_str(words);
        out.push('\n');
    }
    out.push('\n');
}
