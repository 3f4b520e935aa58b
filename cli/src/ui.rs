//! The terminal: what is written to it and what is asked.
//!
//! Writing is best effort: a reader that has gone away (`topo plan | head`) must not cut off an
//! apply, so failed writes are dropped.

use std::io::{BufRead, IsTerminal, Write};
use std::process::{Command, Stdio};

use anstream::ColorChoice;
use topo_sdk::{Diagnostic, Diagnostics};

use crate::render::Options;
use crate::render::diagnostics::{self, Sources};
use crate::render::group::{Grouping, group};

/// The terminal of this process.
#[derive(Debug, Clone, Copy)]
pub struct Ui {
    /// Columns.
    pub width: usize,
    /// Whether a person watches standard output.
    pub terminal: bool,
    /// Whether another program runs this one (`TF_IN_AUTOMATION`), which says itself what comes
    /// next.
    pub automation: bool,
    /// What is shown.
    pub view: View,
}

/// What a person asked to be shown.
#[derive(Debug, Clone, Copy, Default)]
pub struct View {
    /// No progress, and nothing that merely changed outside.
    pub concise: bool,
    /// Sensitive values in clear.
    pub show_sensitive: bool,
    /// Warnings by their summaries only.
    pub compact_warnings: bool,
    /// Which diagnostics are shown as one.
    pub grouping: Grouping,
}

impl Ui {
    /// Looks at what the process is connected to. Colour is off where nobody can see it, and
    /// where `no_color` or the environment says so.
    pub fn new(no_color: bool) -> Ui {
        if no_color {
            ColorChoice::Never.write_global();
        }
        let width = terminal_size::terminal_size().map_or(78, |(w, _)| usize::from(w.0));
        Ui {
            width: width.min(120),
            terminal: std::io::stdout().is_terminal() && std::io::stderr().is_terminal(),
            automation: std::env::var_os("TF_IN_AUTOMATION").is_some_and(|v| !v.is_empty()),
            view: View::default(),
        }
    }

    /// Showing this.
    #[must_use]
    pub fn showing(self, view: View) -> Ui {
        Ui { view, ..self }
    }

    /// How plans are shown.
    pub fn options(&self) -> Options {
        Options {
            concise: self.view.concise,
            show_sensitive: self.view.show_sensitive,
            width: self.width,
        }
    }

    /// Writes text with colours to standard output.
    pub fn print(&self, text: &str) {
        let mut out = anstream::stdout().lock();
        let _ = out.write_all(text.as_bytes());
        let _ = out.flush();
    }

    /// Writes bytes to standard output as they are.
    pub fn raw(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes());
        let _ = out.flush();
    }

    /// Writes text with colours to standard error.
    pub fn warn(&self, text: &str) {
        let mut out = anstream::stderr().lock();
        let _ = out.write_all(text.as_bytes());
        let _ = out.flush();
    }

    /// Writes diagnostics to standard error, errors last, so that they are what is seen.
    pub fn diagnostics(&self, all: &Diagnostics, sources: Sources<'_>) {
        let (errors, warnings): (Vec<&Diagnostic>, Vec<&Diagnostic>) =
            all.iter().partition(|d| d.is_error());
        let warnings = group(warnings, self.view.grouping);
        if self.view.compact_warnings && errors.is_empty() && !warnings.is_empty() {
            self.warn(&format!("\n{}", diagnostics::compact(&warnings)));
            return;
        }
        let errors = group(errors, self.view.grouping);
        for g in warnings.iter().chain(&errors) {
            let text = diagnostics::grouped(g, sources, self.width);
            self.warn(&format!("\n{text}"));
        }
    }

    /// Asks a question and reads a line; `None` at the end of input. A secret is not echoed on a
    /// terminal.
    pub fn ask(&self, question: &str, secret: bool) -> Option<String> {
        self.print(question);
        let echo = (secret && std::io::stdin().is_terminal()).then(NoEcho::new);
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line).ok()?;
        if echo.is_some() {
            self.print("\n");
        }
        (read > 0).then(|| line.trim_end_matches(['\n', '\r']).to_string())
    }
}

/// Keeps the terminal from showing what is typed, for as long as it lives.
struct NoEcho;

impl NoEcho {
    fn new() -> NoEcho {
        stty("-echo");
        NoEcho
    }
}

impl Drop for NoEcho {
    fn drop(&mut self) {
        stty("echo");
    }
}

fn stty(mode: &str) {
    let _ = Command::new("stty")
        .arg(mode)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}
