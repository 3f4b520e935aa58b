//! The parts of a plan beside its changes: what changed outside, what could not be read, what is
//! left for later, outputs, and that there is nothing to do.

use topo_engine::changes::{Deferred, DeferredReason, OutputChange, Overview, PlanMode};

use super::Options;
use super::change;
use super::differ::{Differ, present, symbol};
use super::style::{BOLD, CYAN, DIM, GREEN, Symbol, paint};
use super::text::{columns, count, visible, wrap};

/// Adds a paragraph, broken at the width.
pub fn paragraph(out: &mut String, text: &str, options: &Options) {
    for line in wrap(text, options.width.max(20)) {
        out.push_str(&line);
        out.push('\n');
    }
}

/// A line across the terminal, between what was found and what is planned.
fn rule(out: &mut String, options: &Options) {
    out.push_str(&paint(DIM, "─".repeat(options.width)));
    out.push_str("\n\n");
}

/// `Note: Objects have changed outside of topo`
fn note(out: &mut String, text: &str) {
    out.push_str(&format!(
        "{} {}\n\n",
        paint(CYAN.bold(), "Note:"),
        paint(BOLD, text)
    ));
}

/// What is not as the state has it. All of it is shown, unlike with the peers, who keep to what
/// changes of the plan refer to: somebody did something to these objects.
pub fn drift(out: &mut String, overview: &Overview, options: &Options) {
    if overview.drift.is_empty() || (options.concise && overview.mode != PlanMode::RefreshOnly) {
        return;
    }
    note(out, "Objects have changed outside of topo");
    let found = "topo found these changes made outside of it since the last apply:";
    paragraph(out, found, options);
    out.push('\n');
    for d in &overview.drift {
        change::push_drift(out, d, options);
        out.push('\n');
    }
    if overview.mode == PlanMode::RefreshOnly {
        let objects = count(overview.drift.len(), "object");
        let text = format!(
            "This is a refresh-only plan: applying it accepts what became of {objects} into the state and changes nothing else."
        );
        return paragraph(out, &text, options);
    }
    if overview.mode == PlanMode::Normal && !overview.is_empty() {
        let text = "Where the configuration says otherwise, and does not ignore it with ignore_changes, the plan below undoes them.";
        paragraph(out, text, options);
        out.push('\n');
    }
    rule(out, options);
}

/// Objects of which nobody knows what became.
pub fn unread(out: &mut String, overview: &Overview, options: &Options) {
    let unread = &overview.unread;
    if unread.is_empty() {
        return;
    }
    let objects = count(unread.len(), "object");
    note(out, &format!("{objects} could not be read"));
    for u in unread {
        let why = u.diagnostics.iter().find(|d| d.is_error());
        let why = why.or_else(|| u.diagnostics.iter().next());
        let why = why.map_or(String::new(), |d| format!(": {}", visible(&d.summary)));
        out.push_str(&format!("  # {}{why}\n", change::object(&u.key)));
    }
    out.push('\n');
    let text = "What became of them outside is not known; in the state they stay as they are.";
    paragraph(out, text, options);
    out.push('\n');
}

/// What is left to a later round.
pub fn deferred(out: &mut String, overview: &Overview, options: &Options) {
    if overview.deferred.is_empty() {
        return;
    }
    let text = "topo leaves this to a later round, when more is known:";
    paragraph(out, text, options);
    out.push('\n');
    for d in &overview.deferred {
        let name = paint(BOLD, format!("# {}", visible(&d.address)));
        out.push_str(&format!("  {name} is deferred\n"));
        let why = paint(DIM, format!("# ({})", waits_for(d)));
        out.push_str(&format!("  {why}\n\n"));
    }
}

fn waits_for(deferred: &Deferred) -> String {
    let names: Vec<String> = deferred.unknown.iter().map(|u| visible(u)).collect();
    let names = names.join(", ");
    match (deferred.reason, names.is_empty()) {
        (DeferredReason::InstanceCountUnknown, true) => {
            "how many there are is known only after apply".to_string()
        }
        (DeferredReason::InstanceCountUnknown, false) => {
            format!("how many there are depends on {names}, known only after apply")
        }
        (DeferredReason::Prerequisite, true) => "depends on something that is deferred".to_string(),
        (DeferredReason::Prerequisite, false) => {
            format!("depends on {names}, which is deferred or known only later")
        }
    }
}

/// What happens to the outputs, as rows.
pub fn outputs(out: &mut String, changes: &[OutputChange], options: &Options) {
    let shown: Vec<(&OutputChange, _)> = changes
        .iter()
        .filter(|c| !c.is_no_op())
        .map(|c| (c, (present(c.before.as_ref()), present(c.after.as_ref()))))
        // An output that is null is as good as none.
        .filter(|(_, (before, after))| before.is_some() || after.is_some())
        .collect();
    let width = shown.iter().map(|(c, _)| columns(&c.name)).max();
    let mut differ = Differ::new(&[], options);
    differ.nulls = true;
    for (c, (before, after)) in shown {
        let symbol = match symbol(before, after) {
            Symbol::Same => Symbol::Change, // only its sensitivity changes
            other => other,
        };
        differ.open_row(out, symbol, &c.name, width.unwrap_or(0), 0);
        let hidden = c.sensitive && !options.show_sensitive;
        differ.value(out, (before, after), hidden, true, 0);
        out.push('\n');
    }
}

/// That there is nothing to do.
pub fn no_changes(out: &mut String, overview: &Overview, options: &Options) {
    let drifted = !overview.drift.is_empty();
    let (head, rest) = match (overview.mode, drifted) {
        (PlanMode::Normal, false) => (
            "Your infrastructure matches the configuration.",
            "topo compared what exists with the configuration and found no difference, so there is nothing to do.",
        ),
        (PlanMode::Normal, true) => (
            "Your infrastructure matches the configuration.",
            "The configuration agrees with what changed outside of topo. An apply takes these changes into the state and touches nothing else:\n  topo apply -refresh-only",
        ),
        (PlanMode::Destroy, _) => (
            "No objects need to be destroyed.",
            "Either nothing has been created yet, or all of it is gone already.",
        ),
        (PlanMode::RefreshOnly, false) if !overview.unread.is_empty() => (
            "What could be read still matches the state.",
            "The objects listed above could not be read.",
        ),
        (PlanMode::RefreshOnly, false) => (
            "Your infrastructure still matches the state.",
            "topo compared what exists with what the last apply left and found no difference.",
        ),
        (PlanMode::RefreshOnly, true) => return, // told where it was shown
    };
    out.push_str(&format!(
        "{} {}\n\n",
        paint(GREEN.bold(), "No changes."),
        paint(BOLD, head)
    ));
    paragraph(out, rest, options);
    if overview.partial {
        let text = "Only what -target and -exclude leave was looked at.";
        paragraph(out, text, options);
    }
}
