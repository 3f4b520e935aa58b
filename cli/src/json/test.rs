//! `test -json`: the published stream of lines, one object each.

use serde_json::{Map, Value as Json, json};
use topo_sdk::Diagnostics;
use topo_tester::{
    FileReport, Left, Made, Report, RunName, RunReport, Status, Teardown, TestEvent,
};

use super::{plan, state};
use crate::commands::version::VERSION;
use crate::render::diagnostics::Sources;
use crate::render::text::count;

/// The first line.
pub fn version() -> Json {
    line(
        "info",
        format!("topo {VERSION}"),
        "version",
        json!({"terraform": VERSION, "ui": "1.2"}),
        About::default(),
    )
}

/// What a line is about.
#[derive(Clone, Copy, Default)]
struct About<'a> {
    file: Option<&'a str>,
    run: Option<&'a str>,
}

impl<'a> From<&'a RunName> for About<'a> {
    fn from(name: &'a RunName) -> About<'a> {
        About {
            file: Some(&name.file),
            run: Some(&name.run),
        }
    }
}

fn file(name: &str) -> About<'_> {
    About {
        file: Some(name),
        run: None,
    }
}

/// A line with further members of its own.
fn line(level: &str, message: String, kind: &str, members: Json, about: About<'_>) -> Json {
    let mut out = Map::new();
    out.insert("@level".into(), json!(level));
    out.insert("@message".into(), json!(message));
    out.insert("@module".into(), json!("terraform.ui"));
    if let Some(file) = about.file {
        out.insert("@testfile".into(), json!(file));
    }
    if let Some(run) = about.run {
        out.insert("@testrun".into(), json!(run));
    }
    let now = jiff::Timestamp::now();
    out.insert("@timestamp".into(), json!(format!("{now:.6}")));
    if let Json::Object(members) = members {
        out.extend(members);
    }
    out.insert("type".into(), json!(kind));
    Json::Object(out)
}

/// The lines of diagnostics, of a run or of none.
pub fn diagnostics(all: &Diagnostics, of: Option<&RunName>, sources: Sources<'_>) -> Vec<Json> {
    let about = of.map(About::from).unwrap_or_default();
    let Json::Array(made) = super::diagnostics(all, sources) else {
        return Vec::new();
    };
    made.into_iter()
        .zip(all.iter())
        .map(|(made, d)| {
            let (level, word) = match d.is_error() {
                true => ("error", "Error"),
                false => ("warn", "Warning"),
            };
            let message = format!("{word}: {}", d.summary);
            line(
                level,
                message,
                "diagnostic",
                json!({"diagnostic": made}),
                about,
            )
        })
        .collect()
}

/// The lines of an event.
pub fn event(event: &TestEvent, verbose: bool, sources: Sources<'_>) -> Vec<Json> {
    match event {
        TestEvent::Found(files) => {
            let runs = files.iter().map(|(_, runs)| runs.len()).sum();
            let all: Map<String, Json> = files
                .iter()
                .map(|(name, runs)| (name.to_string(), json!(runs)))
                .collect();
            let message = format!(
                "Found {} and {}",
                count(files.len(), "file"),
                count(runs, "run block")
            );
            let members = json!({"test_abstract": all});
            vec![line(
                "info",
                message,
                "test_abstract",
                members,
                About::default(),
            )]
        }
        TestEvent::FileStarted(name) => vec![progress(name, "in progress", "starting")],
        TestEvent::TearingDown(name) => vec![progress(name, "tearing down", "teardown")],
        TestEvent::FileFinished { file: name, status } => {
            let members = json!({"test_file": {
                "path": name, "progress": "complete", "status": status.word(),
            }});
            let message = format!("{name}... {}", status.shown());
            vec![line("info", message, "test_file", members, file(name))]
        }
        TestEvent::RunStarted(name) => vec![run_progress(name, "in progress", "starting")],
        TestEvent::RunTearingDown(name) => vec![run_progress(name, "tearing down", "teardown")],
        TestEvent::RunFinished(report) => run(report, verbose, sources),
        TestEvent::TornDown(teardown) => torn_down(teardown, sources),
        TestEvent::Interrupted => vec![log(
            "Interrupt received. No more tests are started, and what was made is destroyed.",
        )],
        TestEvent::Abandoned => vec![log("Two interrupts received. Nothing more is destroyed.")],
        TestEvent::Finished(report) => summary(report),
    }
}

/// A line for people who read along.
pub fn log(message: &str) -> Json {
    line("info", message.into(), "log", json!({}), About::default())
}

fn progress(name: &str, words: &str, progress: &str) -> Json {
    let members = json!({"test_file": {"path": name, "progress": progress}});
    line(
        "info",
        format!("{name}... {words}"),
        "test_file",
        members,
        file(name),
    )
}

fn run_progress(name: &RunName, words: &str, progress: &str) -> Json {
    let members = json!({"test_run": {
        "path": name.file, "run": name.run, "progress": progress, "elapsed": 0,
    }});
    let message = format!("  {:?}... {words}", name.run);
    line("info", message, "test_run", members, name.into())
}

fn run(report: &RunReport, verbose: bool, sources: Sources<'_>) -> Vec<Json> {
    let name = &report.name;
    let members = json!({"test_run": {
        "path": name.file, "run": name.run, "progress": "complete", "status": report.status.word(),
    }});
    let message = format!("  {:?}... {}", name.run, report.status.shown());
    let mut lines = vec![line("info", message, "test_run", members, name.into())];
    if verbose && let Some(made) = &report.made {
        lines.push(shown(made, name));
    }
    lines.extend(diagnostics(&report.diagnostics, Some(name), sources));
    lines
}

/// What a run planned or made.
fn shown(made: &Made, name: &RunName) -> Json {
    match made {
        Made::Plan(overview, prior) => {
            let out = plan::brief(overview, prior);
            let message = "-verbose flag enabled, printing plan".to_string();
            line(
                "info",
                message,
                "test_plan",
                json!({"test_plan": out}),
                name.into(),
            )
        }
        Made::State(made) => {
            let mut whole = state::state(made);
            let mut out = json!({"state_format_version": whole["format_version"]});
            let mut values = whole["values"].take();
            for part in ["root_module", "outputs"] {
                out[part] = match values.get_mut(part) {
                    Some(part) => part.take(),
                    None => json!({}),
                };
            }
            let message = "-verbose flag enabled, printing state".to_string();
            line(
                "info",
                message,
                "test_state",
                json!({"test_state": out}),
                name.into(),
            )
        }
    }
}

fn torn_down(teardown: &Teardown, sources: Sources<'_>) -> Vec<Json> {
    let name = &teardown.name;
    let mut lines = diagnostics(&teardown.diagnostics, Some(name), sources);
    if !teardown.left.is_empty() {
        let message = format!(
            "topo left some resources behind after executing {}/{}, and they need to be cleaned up by hand:",
            name.file, name.run
        );
        let members = json!({"test_cleanup": {"failed_resources": resources(&teardown.left)}});
        lines.push(line("error", message, "test_cleanup", members, name.into()));
    }
    lines
}

fn resources<'a>(left: impl IntoIterator<Item = &'a Left>) -> Json {
    left.into_iter()
        .map(|left| {
            let mut out = json!({"instance": left.key.address.to_string()});
            if let Some(deposed) = &left.key.deposed {
                out["deposed_key"] = json!(deposed);
            }
            out
        })
        .collect()
}

/// What a second interrupt leaves of a file: of the module under test, of other modules by run,
/// and what may be there or not.
fn interrupted(report: &FileReport) -> Option<Json> {
    let mut members = Map::new();
    let mut states = Map::new();
    let mut planned: Vec<Json> = Vec::new();
    for teardown in &report.teardowns {
        let there = resources(teardown.left.iter().filter(|l| !l.in_doubt));
        match teardown.other_module {
            true => states.insert(teardown.name.run.to_string(), there),
            false => members.insert("state".into(), there),
        };
        let doubtful = teardown.left.iter().filter(|l| l.in_doubt);
        planned.extend(doubtful.map(|l| json!(l.key.address.to_string())));
    }
    if !states.is_empty() {
        members.insert("states".into(), Json::Object(states));
    }
    if !planned.is_empty() {
        members.insert("planned".into(), Json::Array(planned));
    }
    if members.is_empty() {
        return None;
    }
    let message = "topo was interrupted during test execution, and may not have performed the expected cleanup operations.".to_string();
    let members = json!({"test_interrupt": members});
    let about = file(&report.name);
    Some(line("error", message, "test_interrupt", members, about))
}

fn summary(report: &Report) -> Vec<Json> {
    let mut lines = Vec::new();
    let counts = report.counts();
    if report.abandoned {
        lines.extend(report.files.iter().filter_map(interrupted));
    }
    let head = match report.is_success() {
        true => "Success!",
        false => "Failure!",
    };
    let skipped = match counts.skipped {
        0 => String::new(),
        n => format!(", {n} skipped"),
    };
    let failed = counts.failed + counts.errored;
    let message = format!("{head} {} passed, {failed} failed{skipped}.", counts.passed);
    let status = match report.status() {
        Status::Pass if !report.is_success() => Status::Error,
        status => status,
    };
    let members = json!({"test_summary": {
        "status": status.word(),
        "passed": counts.passed,
        "failed": counts.failed,
        "errored": counts.errored,
        "skipped": counts.skipped,
    }});
    lines.push(line(
        "info",
        message,
        "test_summary",
        members,
        About::default(),
    ));
    lines
}
