//! `topo state history`

use std::collections::BTreeMap;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use topo_engine::store::RunRecord;
use topo_sdk::Diagnostics;
use topo_state::ReadRuns;

use crate::context::{Context, Exit, store_error};
use crate::render::style::{BOLD, RED, YELLOW, paint};
use crate::render::text::count;

/// List the runs that changed something, the latest first, or show what one of them did
///
/// Each with its ID, when it began and how long it took, who ran it, the command, and how much was
/// done. A run that was killed says so.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// Show what this run did: its ID, or the beginning of it
    #[arg(value_name = "RUN")]
    pub run: Option<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// How a run came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Ended(Timestamp),
    Running,
    Died,
}

impl End {
    fn word(self) -> &'static str {
        match self {
            End::Ended(_) => "ended",
            End::Running => "running",
            End::Died => "died",
        }
    }
}

pub async fn run(context: &Context, args: &HistoryArgs) -> Exit {
    let found = topo_state::runs(&context.state_dir()?)
        .await
        .map_err(store_error)?;
    let text = match (&args.run, args.json) {
        (Some(id), as_json) => {
            let run = one(&found, id)?;
            let end = end(&found, run);
            if as_json {
                pretty(&json_of(run, end))
            } else {
                details(run, end)
            }
        }
        (None, true) => {
            let runs = found.runs.iter().rev();
            pretty(&json!({
                "format_version": "1.0",
                "runs": runs.map(|r| json_of(r, end(&found, r))).collect::<Vec<Json>>(),
            }))
        }
        (None, false) if found.runs.is_empty() => "No run has changed anything yet.\n".to_string(),
        (None, false) => list(&found),
    };
    if args.json {
        context.ui.raw(&text);
    } else {
        context.ui.print(&text);
    }
    Ok(0)
}

fn pretty(json: &Json) -> String {
    format!("{json:#}\n")
}

/// The run of this ID, or the only one whose ID begins so.
fn one<'a>(found: &'a ReadRuns, id: &str) -> Result<&'a RunRecord, Diagnostics> {
    if let Some(run) = found.runs.iter().find(|r| r.id == id) {
        return Ok(run);
    }
    let near: Vec<&RunRecord> = found.runs.iter().filter(|r| r.id.starts_with(id)).collect();
    match near[..] {
        [run] => Ok(run),
        [] => Err(Diagnostics::error(
            "No such run",
            format!("No run's ID begins with {id:?}. `topo state history` lists all runs."),
        )),
        _ => {
            let ids: Vec<&str> = near.iter().map(|r| &*r.id).collect();
            Err(Diagnostics::error(
                "More than one run",
                format!(
                    "{id:?} begins the IDs of {}: {}.",
                    count(ids.len(), "run"),
                    ids.join(", ")
                ),
            ))
        }
    }
}

fn end(found: &ReadRuns, run: &RunRecord) -> End {
    match (run.ended, &found.in_progress) {
        (Some(ended), _) => End::Ended(ended),
        (None, Some(lock)) if lock.run == run.id => End::Running,
        (None, _) => End::Died,
    }
}

fn seconds(run: &RunRecord, end: End) -> Option<f64> {
    match end {
        End::Ended(ended) => Some(ended.duration_since(run.started).as_secs_f64().max(0.0)),
        End::Running | End::Died => None,
    }
}

/// How many objects each action was done to, by the action's first word.
fn counts(run: &RunRecord) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for (_, action) in &run.changes {
        *counts.entry(kind(action)).or_default() += 1;
    }
    counts
}

/// `move from a.b` is a `move`.
fn kind(action: &str) -> &str {
    action.split_once(" from ").map_or(action, |(kind, _)| kind)
}

fn summary(run: &RunRecord, end: End) -> String {
    let counts = counts(run);
    let mut parts: Vec<String> = counts.iter().map(|(a, n)| format!("{n} {a}")).collect();
    match end {
        End::Ended(_) if parts.is_empty() => parts.push("no objects".to_string()),
        End::Ended(_) => {}
        End::Running => parts.push(paint(YELLOW, "still running")),
        End::Died => parts.push(paint(RED, "died")),
    }
    parts.join(", ")
}

/// Hours, minutes and seconds, as people write them.
fn duration(seconds: Option<f64>) -> String {
    let Some(seconds) = seconds else {
        return "-".to_string();
    };
    if seconds < 60.0 {
        return format!("{seconds:.1}s");
    }
    let whole = seconds.round() as u64;
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    match hours {
        0 => format!("{minutes}m{seconds:02}s"),
        _ => format!("{hours}h{minutes:02}m{seconds:02}s"),
    }
}

fn moment(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

fn list(found: &ReadRuns) -> String {
    let rows: Vec<[String; 5]> = found
        .runs
        .iter()
        .rev()
        .map(|run| {
            let end = end(found, run);
            [
                run.id.clone(),
                moment(run.started),
                duration(seconds(run, end)),
                run.who.clone(),
                format!("{}: {}", run.command, summary(run, end)),
            ]
        })
        .collect();
    let heads = ["RUN", "STARTED", "TOOK", "WHO", "WHAT"];
    let widths: Vec<usize> = (0..4)
        .map(|i| {
            let cells = rows.iter().map(|row| row[i].chars().count());
            cells.chain([heads[i].len()]).max().unwrap_or_default()
        })
        .collect();
    let line = |cells: [&str; 5]| {
        let mut line = String::new();
        for (cell, &width) in cells.iter().zip(&widths) {
            line.push_str(&format!("{cell:width$}  "));
        }
        line + cells[4]
    };
    let mut text = format!("{}\n", paint(BOLD, line(heads)));
    for row in &rows {
        text.push_str(&line(row.each_ref().map(String::as_str)));
        text.push('\n');
    }
    text
}

fn details(run: &RunRecord, end: End) -> String {
    let mut text = format!("{} {}\n", paint(BOLD, "Run"), run.id);
    let took = match end {
        End::Ended(ended) => format!(
            "{} to {} ({})",
            moment(run.started),
            moment(ended),
            duration(seconds(run, end))
        ),
        End::Running => format!("{}, still running", moment(run.started)),
        End::Died => format!(
            "{}, and died: what it was doing is settled by the next run",
            moment(run.started)
        ),
    };
    for (name, value) in [
        ("Command", run.command.clone()),
        ("Who", format!("{} (process {})", run.who, run.pid)),
        ("When", took),
    ] {
        text.push_str(&format!("  {name:8} {value}\n"));
    }
    if run.changes.is_empty() {
        text.push_str("\nNo objects were changed.\n");
        return text;
    }
    text.push('\n');
    let width = run.changes.iter().map(|(_, action)| kind(action).len());
    let width = width.max().unwrap_or_default();
    for (address, action) in &run.changes {
        let kind = kind(action);
        let rest = action.strip_prefix(kind).unwrap_or_default();
        text.push_str(&format!("  {kind:width$}  {address}{rest}\n"));
    }
    text
}

fn json_of(run: &RunRecord, end: End) -> Json {
    let changes = run
        .changes
        .iter()
        .map(|(address, action)| json!({"address": address.to_string(), "action": action}));
    let mut out = json!({
        "id": run.id,
        "who": run.who,
        "pid": run.pid,
        "command": run.command,
        "started": run.started.to_string(),
        "status": end.word(),
        "counts": counts(run),
        "changes": changes.collect::<Vec<Json>>(),
    });
    if let End::Ended(ended) = end {
        out["ended"] = json!(ended.to_string());
        out["seconds"] = json!(seconds(run, end));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_write_them() {
        for (seconds, text) in [
            (None, "-"),
            (Some(0.04), "0.0s"),
            (Some(59.94), "59.9s"),
            (Some(60.0), "1m00s"),
            (Some(3599.6), "1h00m00s"),
            (Some(3_725.0), "1h02m05s"),
        ] {
            assert_eq!(duration(seconds), text);
        }
    }

    #[test]
    fn runs_are_found_by_a_unique_beginning() {
        let run = |id: &str| RunRecord {
            id: id.to_string(),
            who: String::new(),
            pid: 0,
            command: String::new(),
            started: Timestamp::UNIX_EPOCH,
            ended: None,
            changes: Vec::new(),
        };
        let found = ReadRuns {
            runs: vec![run("aa"), run("ab"), run("abc")],
            in_progress: None,
        };
        assert_eq!(one(&found, "aa").unwrap().id, "aa");
        assert_eq!(one(&found, "abc").unwrap().id, "abc");
        // One that is the beginning of another can still be named.
        assert_eq!(one(&found, "ab").unwrap().id, "ab");
        assert!(
            one(&found, "a")
                .unwrap_err()
                .to_string()
                .contains("aa, ab, abc")
        );
        assert!(one(&found, "x").is_err());
    }
}
