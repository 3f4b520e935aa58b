//! A run as text: the plan, what happens line by line, on a terminal a bar below, the summary.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use topo_engine::apply::Outcome;
use topo_engine::changes::{Overview, PlanMode};
use topo_engine::events::Event;
use topo_sdk::{Diagnostic, Diagnostics};

use super::{DriftReport, Note, SharedSources, View};
use crate::progress::Lines;
use crate::render::style::{BOLD, GREEN, paint};
use crate::render::text::visible;
use crate::render::{drift, plan as text, summary};
use crate::ui::Ui;

/// What is shown of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// All of it.
    Plan,
    /// Only how it is made and carried out: somebody has seen it already, or something else is
    /// made of it.
    Progress,
}

/// Writes to the terminal.
pub struct Human {
    ui: Ui,
    sources: SharedSources,
    sandbox: bool,
    /// Where things are done, in words, where it is not the usual place.
    place: String,
    shown: Shown,
    lines: Lines,
    mode: PlanMode,
    /// How many mutations were planned.
    mutations: usize,
    /// Whether anything was said since the plan.
    begun: bool,
    bar: Option<ProgressBar>,
}

impl Human {
    /// On this terminal.
    pub fn new(
        ui: Ui,
        sources: SharedSources,
        sandbox: bool,
        workspace: Option<&str>,
        shown: Shown,
    ) -> Human {
        let mut place = workspace.map_or(String::new(), |w| format!(" in workspace {w:?}"));
        if sandbox {
            place.push_str(" in the sandbox (a simulated cloud)");
        }
        Human {
            place,
            ui,
            sources,
            sandbox,
            shown,
            lines: Lines::default(),
            mode: PlanMode::Normal,
            mutations: 0,
            begun: true,
            bar: None,
        }
    }

    /// Runs `write` with the bar out of the way.
    fn write(&self, write: impl FnOnce(&Ui)) {
        match &self.bar {
            Some(bar) => bar.suspend(|| write(&self.ui)),
            None => write(&self.ui),
        }
    }

    fn say(&mut self, lines: &[String]) {
        if lines.is_empty() {
            return;
        }
        let mut text = String::new();
        if !std::mem::replace(&mut self.begun, true) {
            text.push('\n');
        }
        for line in lines {
            text.push_str(line);
            text.push('\n');
        }
        self.write(|ui| ui.print(&text));
    }

    fn planned(&mut self, overview: &Overview) {
        let counts = overview.counts();
        self.mode = overview.mode;
        self.mutations = counts.add + counts.change + counts.destroy;
        self.begun = false;
        if self.shown == Shown::Plan {
            self.diagnostics(&overview.diagnostics);
            let text = text::plan(overview, &self.ui.options());
            self.ui.print(&format!("\n{text}"));
        }
    }

    fn planned_in_part(&mut self, overview: &Overview) {
        self.begun = false;
        let text = text::part(overview, &self.ui.options());
        if self.shown == Shown::Plan && !text.is_empty() {
            self.ui.print(&format!("\n{text}"));
        }
    }

    fn drift(&mut self, report: &DriftReport) {
        self.diagnostics(&report.rest);
        let text = drift::report(&report.drift, report.objects) + &drift::unread(&report.unread);
        self.write(|ui| ui.print(&text));
        let errors = report.unread.iter().flat_map(|u| u.diagnostics.iter());
        self.diagnostics(&errors.cloned().collect());
    }

    fn start_bar(&mut self) {
        if self.bar.is_some() || !self.ui.terminal || self.mutations == 0 {
            return;
        }
        let target = ProgressDrawTarget::stderr_with_hz(10);
        let bar = ProgressBar::with_draw_target(Some(self.mutations as u64), target);
        let template = "{spinner} [{bar:24}] {pos}/{len} {elapsed} {wide_msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        self.bar = Some(bar);
    }

    fn update_bar(&self) {
        if let Some(bar) = &self.bar {
            bar.set_position(self.lines.done);
            bar.set_message(self.lines.status());
        }
    }

    fn stop_bar(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// The end of an apply: failures, what was not done and why, counts, outputs.
    fn applied(&mut self, outcome: &Outcome) {
        self.stop_bar();
        self.lines = Lines::default();
        self.begun = true;
        let mut all = outcome.diagnostics.clone();
        for (_, diagnostics) in &outcome.failed {
            all.extend(diagnostics.clone());
        }
        if !outcome.skipped.is_empty() {
            let mut text = format!("\n{}\n", paint(BOLD, "Not done:"));
            for (key, because) in &outcome.skipped {
                let line = format!("  {}: {because}", key.address);
                text.push_str(&visible(&line));
                text.push('\n');
            }
            self.ui.print(&text);
        }
        self.diagnostics(&all);
        let sandbox = if self.sandbox { " (sandbox)" } else { "" };
        let incomplete = (outcome.failed.len(), outcome.skipped.len());
        let incomplete = (!outcome.is_success()).then_some(incomplete);
        let text = summary::applied(self.mode, &outcome.counts, incomplete);
        self.ui.print(&format!("\n{text}{sandbox}\n"));
        if outcome.is_success() && !outcome.outputs.is_empty() {
            let outputs = outcome.outputs.iter().map(|(n, o)| (&**n, o));
            let list = crate::commands::output::list(outputs, self.ui.view.show_sensitive);
            self.ui
                .print(&format!("\n{}\n\n{list}", paint(BOLD, "Outputs:")));
        }
    }
}

impl View for Human {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Planned(overview) => self.planned(overview),
            Event::PlannedInPart(overview) => self.planned_in_part(overview),
            Event::Applied(outcome) => self.applied(outcome),
            Event::Diagnostic(d) => self.diagnostics(&Diagnostics::from(Diagnostic::clone(d))),
            _ if self.ui.view.concise => {}
            event => {
                if matches!(event, Event::ApplyStarted { .. }) {
                    self.start_bar();
                }
                let said = self.lines.event(event, Instant::now());
                self.say(&said);
            }
        }
    }

    fn tick(&mut self) {
        if self.ui.view.concise {
            return;
        }
        let said = self.lines.tick(Instant::now());
        self.say(&said);
        self.update_bar();
    }

    fn diagnostics(&mut self, diagnostics: &Diagnostics) {
        let sources = |file: &str| self.sources.get()?.text(file).map(str::to_string);
        self.write(|ui| ui.diagnostics(diagnostics, &sources));
    }

    fn note(&mut self, note: &Note) {
        let text = match note {
            Note::Saved { .. } | Note::NotSaved if self.ui.automation => return,
            Note::Saved { file } => {
                let sandbox = if self.sandbox { " --sandbox" } else { "" };
                format!(
                    "\nSaved the plan to {file}. To perform exactly these actions:\n    topo apply{sandbox} {file}\n"
                )
            }
            Note::NotSaved => "\nThe plan is not saved (-out), so a later apply plans anew and may do other things.\n".to_string(),
            Note::Round(n) => format!(
                "\n{} planning what was left, with what is known now.\n",
                paint(BOLD, format!("Round {n}:"))
            ),
            Note::Unfinished => "\nSomething was left to a later round, as the plan said: plan and apply again.\n".to_string(),
            Note::Cancelled(mode) => format!("\n{} cancelled.\n", title(*mode)),
            Note::Generated { file } => format!(
                "\nWrote configuration for what is to be imported to {file}. Look through it before it becomes a part of yours.\n"
            ),
            Note::Imported(address) => format!(
                "\n{} {address} is in the state now and managed from here on. What the configuration says of it is carried out by the next apply.\n",
                paint(GREEN.bold(), "Import successful!")
            ),
            Note::Drift(report) => return self.drift(report),
        };
        self.write(|ui| ui.print(&text));
    }

    fn approve(&mut self, mode: PlanMode) -> bool {
        let answer = self.ui.ask(&question(mode, &self.place), false);
        answer.is_some_and(|a| a.trim() == "yes")
    }

    fn end(&mut self) {
        self.stop_bar();
    }
}

fn title(mode: PlanMode) -> &'static str {
    match mode {
        PlanMode::Destroy => "Destroy",
        PlanMode::Normal | PlanMode::RefreshOnly => "Apply",
    }
}

fn question(mode: PlanMode, place: &str) -> String {
    let (question, explanation) = match mode {
        PlanMode::Normal => (
            format!("Do you want to perform these actions{place}?"),
            "topo will perform the actions described above.",
        ),
        PlanMode::Destroy => (
            format!("Do you really want to destroy all resources{place}?"),
            "topo will destroy everything that it manages here, as shown above. There is no undo.",
        ),
        PlanMode::RefreshOnly => (
            format!("Would you like to update the state to reflect these changes{place}?"),
            "topo will write what it found to the state, and change nothing else.",
        ),
    };
    format!(
        "\n{}\n  {explanation}\n  Only 'yes' will be accepted.\n\n  {} ",
        paint(BOLD, question),
        paint(BOLD, "Enter a value:")
    )
}
