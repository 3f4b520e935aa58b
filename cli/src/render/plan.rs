//! A whole plan: legend, what changed outside, changes, summary, outputs.

use topo_engine::changes::{ChangeAction, Counts, Drift, InstanceChange, OutputChange, PlanMode};

use super::change;
use super::style::{BOLD, Symbol, paint};
use super::text::count;
use super::value::{Differ, Row, symbol};

/// What is shown of a plan.
pub struct View<'a> {
    /// What happens to each object, no-ops included.
    pub changes: &'a [InstanceChange],
    /// What is not as the state has it.
    pub drift: &'a [Drift],
    /// What happens to the outputs.
    pub outputs: &'a [OutputChange],
    /// Which kind of run.
    pub mode: PlanMode,
    /// How many objects.
    pub counts: Counts,
}

/// The plan as text. Ends with a line break.
pub fn plan(view: &View<'_>) -> String {
    let mut out = String::new();
    let shown: Vec<&InstanceChange> = view
        .changes
        .iter()
        .filter(|c| c.action != ChangeAction::NoOp)
        .collect();
    let outputs = outputs(view.outputs);
    out.push_str(&drift(view));
    // Reading a data source late changes nothing by itself.
    let idle = shown.iter().all(|c| c.action == ChangeAction::Read);
    if idle && outputs.is_empty() {
        out.push_str(&no_changes(view));
        return out;
    }
    if !shown.is_empty() {
        out.push_str(&legend(&shown));
        out.push_str("\ntopo will perform the following actions:\n\n");
        for c in &shown {
            out.push_str(&change::change(c));
            out.push('\n');
        }
        out.push_str(&format!("{}\n", summary(&view.counts)));
    }
    if !outputs.is_empty() {
        out.push_str(&format!(
            "\n{}\n{outputs}",
            paint(BOLD, "Changes to Outputs:")
        ));
        if shown.is_empty() {
            out.push_str("\nYou can apply this plan to save these new output values to the topo state, without changing any real infrastructure.\n");
        }
    }
    out
}

/// `Plan: 57 to add, 0 to change, 0 to destroy.`
pub fn summary(counts: &Counts) -> String {
    let forget = match counts.forget {
        0 => String::new(),
        n => format!(", {n} to forget"),
    };
    format!(
        "{} {} to add, {} to change, {} to destroy{forget}.",
        paint(BOLD, "Plan:"),
        counts.add,
        counts.change,
        counts.destroy
    )
}

fn legend(shown: &[&InstanceChange]) -> String {
    let mut out = String::from(
        "topo worked out the following plan. Resource actions are indicated with these symbols:\n",
    );
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
    for (action, words) in known {
        if shown.iter().any(|c| c.action == action) {
            out.push_str(&format!("{}{words}\n", Symbol::from(action).margin()));
        }
    }
    out
}

fn drift(view: &View<'_>) -> String {
    if view.drift.is_empty() {
        return String::new();
    }
    let mut out = format!(
        "{}\n\ntopo found these changes made outside of it since the last apply:\n\n",
        paint(BOLD, "Note: Objects have changed outside of topo")
    );
    for d in view.drift {
        out.push_str(&change::drift(d));
        out.push('\n');
    }
    out
}

fn no_changes(view: &View<'_>) -> String {
    let (head, rest) = match view.mode {
        PlanMode::Normal => (
            "No changes.",
            "Your infrastructure matches the configuration.",
        ),
        PlanMode::Destroy => ("No changes.", "No objects need to be destroyed."),
        PlanMode::RefreshOnly if view.drift.is_empty() => (
            "No changes.",
            "Your infrastructure still matches the state.",
        ),
        PlanMode::RefreshOnly => {
            let n = count(view.drift.len(), "object");
            return format!(
                "This is a refresh-only plan: applying it accepts what became of {n} into the state and changes nothing else.\n"
            );
        }
    };
    format!("{} {rest}\n", paint(BOLD, head))
}

fn outputs(changes: &[OutputChange]) -> String {
    let mut rows = Vec::new();
    for c in changes.iter().filter(|c| !c.is_no_op()) {
        let (before, after) = (c.before.as_ref(), c.after.as_ref());
        let symbol = match symbol(before, after) {
            Symbol::Same => Symbol::Change, // only its sensitivity changes
            other => other,
        };
        rows.push(Row {
            symbol,
            key: c.name.to_string(),
            text: Differ::new(&[]).value(before, after, c.sensitive, 0),
        });
    }
    let mut out = String::new();
    Differ::new(&[]).rows(&rows, 0, &mut out);
    out
}
