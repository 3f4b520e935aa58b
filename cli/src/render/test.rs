//! What tests say: a line for each file and run, what is left behind, the summary.

use topo_engine::providers::Providers;
use topo_tester::{Made, Report, RunReport, Status, Teardown, TestEvent};

use super::Options;
use super::style::{DIM, GREEN, RED, paint};
use super::text::wrap;
use super::{change, plan};
use crate::context::schema_of;

/// The line or lines of an event; empty for what is not shown.
pub fn event(event: &TestEvent) -> String {
    match event {
        TestEvent::FileStarted(file) => format!("{file}... {}\n", paint(DIM, "in progress")),
        TestEvent::TearingDown(file) => format!("{file}... {}\n", paint(DIM, "tearing down")),
        TestEvent::FileFinished { file, status } => format!("{file}... {}\n", word(*status)),
        TestEvent::Finished(report) => summary(report),
        TestEvent::Interrupted => "\nInterrupt received. The test that is under way comes to its end, no more are started, and what was made is destroyed. Interrupt again to give that up.\n".into(),
        TestEvent::Abandoned => "\nInterrupted again: nothing more is destroyed. What is left is told below.\n".into(),
        TestEvent::Found(_)
        | TestEvent::RunStarted(_)
        | TestEvent::RunFinished(_)
        | TestEvent::RunTearingDown(_)
        | TestEvent::TornDown(_) => String::new(),
    }
}

/// The line of a run that is over.
pub fn run(report: &RunReport) -> String {
    format!("  run {:?}... {}\n", report.name.run, word(report.status))
}

fn word(status: Status) -> String {
    let style = match status {
        Status::Pass => GREEN,
        Status::Fail | Status::Error => RED,
        Status::Skip | Status::Pending => DIM,
    };
    paint(style, status.shown())
}

/// `Success! 3 passed, 0 failed.`
fn summary(report: &Report) -> String {
    let counts = report.counts();
    let head = match report.is_success() {
        true => paint(GREEN, "Success!"),
        false => paint(RED, "Failure!"),
    };
    let skipped = match counts.skipped {
        0 => String::new(),
        n => format!(", {n} skipped"),
    };
    format!(
        "\n{head} {} passed, {} failed{skipped}.\n",
        counts.passed,
        counts.failed + counts.errored
    )
}

/// What comes before the diagnostics of a failed destruction.
pub fn teardown(teardown: &Teardown, width: usize) -> String {
    if !teardown.has_failed() {
        return String::new();
    }
    let text = format!(
        "topo encountered an error destroying resources created while executing {}/{}.",
        teardown.name.file, teardown.name.run
    );
    format!("\n{}\n", wrap(&text, width).join("\n"))
}

/// The objects that are left.
pub fn left(teardown: &Teardown, width: usize) -> String {
    if teardown.left.is_empty() {
        return String::new();
    }
    let text = format!(
        "topo left the following resources behind after executing {}/{}, and they need to be cleaned up by hand:",
        teardown.name.file, teardown.name.run
    );
    let mut out = format!("\n{}\n", wrap(&text, width).join("\n"));
    for left in &teardown.left {
        let deposed = left.key.deposed.as_ref().map(|k| format!(" ({k})"));
        let id = left.id.as_ref().map(|id| format!(", id {id}"));
        let doubt = match left.in_doubt {
            true => ", which may exist: it was being changed",
            false => "",
        };
        out.push_str(&format!(
            "  - {}{}{}{doubt}\n",
            left.key.address,
            deposed.unwrap_or_default(),
            id.unwrap_or_default()
        ));
    }
    out
}

/// Where the state of what is left was written.
pub fn kept(file: &str) -> String {
    format!(
        "Their state is in {file}. To destroy them, take it over in a workspace of its own: topo workspace new left, topo state push {file}, topo destroy."
    )
}

/// What a run planned or made.
pub fn made(made: &Made, providers: &Providers) -> String {
    match made {
        Made::Plan(overview, _) => {
            format!("\n{}\n", plan::plan(overview, &Options::default()))
        }
        Made::State(state) => {
            let mut out = String::from("\n");
            for record in state.records.values() {
                let schema = schema_of(providers, record);
                out.push_str(&change::record(record, schema.as_deref()));
                out.push('\n');
            }
            if !state.outputs.is_empty() {
                let outputs = state.outputs.iter().map(|(n, o)| (&**n, o));
                let list = crate::commands::output::list(outputs, false);
                out.push_str(&format!("\nOutputs:\n\n{list}\n"));
            }
            out
        }
    }
}
