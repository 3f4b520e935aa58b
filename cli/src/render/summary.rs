//! How much a plan is to do, and how much an apply has done.

use topo_engine::changes::{Counts, PlanMode};

use super::style::{BOLD, GREEN, RED, paint};
use super::text::count;

/// `Plan: 1 to import, 2 to add, 0 to change, 1 to destroy, 1 to forget.` What is rare is only
/// told where there is any.
pub fn planned(counts: &Counts) -> String {
    let parts = [
        rare(counts.import, "to import"),
        Some(format!("{} to add", counts.add)),
        Some(format!("{} to change", counts.change)),
        Some(format!("{} to destroy", counts.destroy)),
        rare(counts.forget, "to forget"),
    ];
    format!("{} {}.", paint(BOLD, "Plan:"), join(parts))
}

/// `Apply complete! Resources: 2 added, 0 changed, 1 destroyed.`, or that it is incomplete, with
/// how many operations failed and how many were not begun because of them.
pub fn applied(mode: PlanMode, counts: &Counts, incomplete: Option<(usize, usize)>) -> String {
    let (name, parts) = match mode {
        PlanMode::Destroy => (
            "Destroy",
            join([
                Some(format!("{} destroyed", counts.destroy)),
                rare(counts.forget, "forgotten"),
            ]),
        ),
        PlanMode::Normal | PlanMode::RefreshOnly => (
            "Apply",
            join([
                rare(counts.import, "imported"),
                Some(format!("{} added", counts.add)),
                Some(format!("{} changed", counts.change)),
                Some(format!("{} destroyed", counts.destroy)),
                rare(counts.forget, "forgotten"),
            ]),
        ),
    };
    let Some((failed, skipped)) = incomplete else {
        return paint(
            GREEN.bold(),
            format!("{name} complete! Resources: {parts}."),
        );
    };
    let rest = match (failed, skipped) {
        (0, 0) => String::new(),
        (0, skipped) => format!("; {skipped} not done"),
        (failed, skipped) => format!(
            "; {} failed, {skipped} not done",
            count(failed, "operation")
        ),
    };
    format!(
        "{} Resources: {parts}{rest}.",
        paint(RED.bold(), format!("{name} incomplete."))
    )
}

fn rare(n: usize, what: &str) -> Option<String> {
    (n > 0).then(|| format!("{n} {what}"))
}

fn join<const N: usize>(parts: [Option<String>; N]) -> String {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join(", ")
}
