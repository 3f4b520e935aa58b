//! `topo console`

use std::io::{BufRead, IsTerminal};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use clap::Args;
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Behavior, CompletionType, Config, Editor};
use topo_engine::console::{Answer, Console, SOURCE, is_open, joined};
use topo_sdk::{Diagnostic, Diagnostics};

use super::{DiagnosticArgs, StateArgs};
use crate::context::{Context, Exit};
use crate::render::console;
use crate::render::style::{YELLOW, paint};
use crate::render::text::visible;

/// Evaluate expressions with the variables, local values, modules and state of this directory
///
/// On a terminal: history, completion with Tab, several lines while a bracket is open; "exit" or
/// Ctrl-D leaves. Otherwise expressions are read from standard input, one a line, each result is
/// printed, and the first error ends the run with exit code 1. Nothing is changed, and nothing is
/// read from the cloud.
#[derive(Debug, Args)]
pub struct ConsoleArgs {
    /// Give an input variable a value; may be repeated
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub var: Vec<String>,
    /// Take values of input variables from this file; may be repeated, later ones win
    #[arg(long = "var-file", value_name = "FILE")]
    pub var_file: Vec<PathBuf>,
    /// Warnings and errors.
    #[command(flatten)]
    pub diagnostics: DiagnosticArgs,
    /// The state.
    #[command(flatten)]
    pub state: StateArgs,
}

/// What a person is told who asks for help.
const HELP: &str = "\
Type an expression to see its value, as in: 1 + 1, upper(var.name), aws_vpc.main.cidr_block.

Variables, local values, outputs of modules and resources can be used as in the files of this
directory. Resources are as the state has them; nothing is read from the cloud and nothing is
changed. type(...) shows the type of a value.

An expression goes on in the next line while a bracket is open. Tab completes names, Ctrl-C drops
what was typed, \"exit\" or Ctrl-D leaves.";

/// What the answer to a line is.
enum Reply {
    Text(String),
    Leave,
}

pub async fn run(context: &Context, args: &ConsoleArgs) -> Exit {
    let found = context.surroundings()?;
    let state = args.state.read(context).await?;
    let workspace = &context.workspace()?.name;
    let (console, mut diagnostics) = Console::new(
        found.config,
        &found.inputs,
        &state,
        workspace,
        context.started,
    )?;
    if diagnostics.has_errors() {
        context.show(&diagnostics);
        diagnostics = Diagnostics::from(Diagnostic::warning(
            "Some expressions may have unexpected results",
            "What the problems above concern is shown as not known.",
        ));
    }
    context.show(&diagnostics);
    if context.sandbox {
        let name = paint(YELLOW.bold(), "Sandbox:");
        context.ui.warn(&format!(
            "{name} the state is that of the simulated cloud.\n"
        ));
    }
    if std::io::stdin().is_terminal() {
        interactive(context, &console)
    } else {
        piped(context, &console)
    }
}

/// One expression a line from standard input; the first error is the end.
fn piped(context: &Context, console: &Console) -> Exit {
    let mut pending = String::new();
    for line in std::io::stdin().lock().lines() {
        let line =
            line.map_err(|e| Diagnostics::error("Cannot read standard input", format!("{e}.")))?;
        pending.push_str(&line);
        pending.push('\n');
        if is_open(pending.trim_end()) {
            continue;
        }
        match reply(context, console, &std::mem::take(&mut pending)) {
            Some(Reply::Text(text)) => context.ui.raw(&format!("{text}\n")),
            Some(Reply::Leave) => return Ok(0),
            None => return Ok(1),
        }
    }
    if pending.is_empty() {
        return Ok(0);
    }
    // What is still open is a mistake, and the parser says which.
    match reply(context, console, &pending) {
        Some(Reply::Text(text)) => {
            context.ui.raw(&format!("{text}\n"));
            Ok(0)
        }
        Some(Reply::Leave) => Ok(0),
        None => Ok(1),
    }
}

/// The answer to what was typed; `None` when it is wrong, which was shown.
fn reply(context: &Context, console: &Console, typed: &str) -> Option<Reply> {
    let text = joined(typed);
    let text = text.trim();
    match text {
        "" => return Some(Reply::Text(String::new())),
        "exit" => return Some(Reply::Leave),
        "help" => return Some(Reply::Text(HELP.into())),
        _ => {}
    }
    match console.evaluate(text) {
        Ok(Answer::Value(v)) => Some(Reply::Text(console::value(&v))),
        Ok(Answer::Type(t)) => Some(Reply::Text(console::ty(&t))),
        Err(diagnostics) => {
            context.show_about(&diagnostics, SOURCE, text);
            None
        }
    }
}

/// A conversation on a terminal.
fn interactive(context: &Context, console: &Console) -> Exit {
    let cannot = |e: ReadlineError| Diagnostics::error("Cannot use the terminal", format!("{e}."));
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .history_ignore_space(true)
        .behavior(Behavior::Stdio)
        .build();
    let mut editor: Editor<Assistant<'_>, DefaultHistory> =
        Editor::with_config(config).map_err(cannot)?;
    editor.set_helper(Some(Assistant { console }));
    // History is a convenience: a directory that cannot be written is no reason to fail.
    let history = history_file();
    if let Some(file) = &history {
        let _ = editor.load_history(file);
    }
    loop {
        let typed = match editor.readline("> ") {
            Ok(typed) => typed,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => return Ok(0),
            Err(e) => return Err(cannot(e)),
        };
        if typed.trim().is_empty() {
            continue;
        }
        let _ = editor.add_history_entry(typed.as_str());
        if let Some(file) = &history {
            let _ = editor.append_history(file);
        }
        match reply(context, console, &typed) {
            Some(Reply::Text(text)) => {
                // A value must not be able to move the cursor or change the terminal's colours.
                let lines: Vec<String> = text.split('\n').map(visible).collect();
                context.ui.raw(&format!("{}\n", lines.join("\n")));
            }
            Some(Reply::Leave) => return Ok(0),
            None => {}
        }
    }
}

/// Where what was typed is remembered: in the user's directory for state, by the XDG rules.
fn history_file() -> Option<PathBuf> {
    let absolute = |name: &str| {
        let path = PathBuf::from(std::env::var_os(name)?);
        path.is_absolute().then_some(path)
    };
    let base =
        absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    let dir = base.join("topo");
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(&dir).ok()?;
    Some(dir.join("history"))
}

/// What the line editor asks while a person types.
struct Assistant<'a> {
    console: &'a Console,
}

impl rustyline::Helper for Assistant<'_> {}

impl Completer for Assistant<'_> {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        cursor: usize,
        _: &rustyline::Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let found = self.console.complete(line.get(..cursor).unwrap_or(line));
        Ok((found.start, found.candidates))
    }
}

impl Validator for Assistant<'_> {
    fn validate(&self, typed: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(if is_open(typed.input()) {
            ValidationResult::Incomplete
        } else {
            ValidationResult::Valid(None)
        })
    }
}

impl Hinter for Assistant<'_> {
    type Hint = String;
}

impl Highlighter for Assistant<'_> {}

#[cfg(test)]
mod tests {
    use topo_engine::providers::Providers;
    use topo_engine::store::State;
    use topo_engine::variables::Inputs;

    use super::*;

    const MAIN: &str = r#"
        terraform {
          required_providers {
            clock = { source = "hashicorp/time" }
          }
        }
        variable "region" { default = "x" }
        variable "replicas" {}
        locals { settings = { size = 1, "not a name" = 2, deep = [{ a = 1 }] } }
        resource "random_pet" "name" {}
        resource "random_pet" "many" { count = 2 }
        resource "terraform_data" "each" { for_each = toset(["a"]) }
        data "local_file" "here" { filename = "x" }
        output "unused" { value = 1 }
    "#;

    #[test]
    fn completion() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("main.tf"), MAIN).unwrap();
        let providers = Providers::new(topo_provider_builtin::providers());
        let loaded = topo_engine::config::load_any(dir.path(), &providers);
        let config = loaded.config.expect("a valid configuration");
        let now = jiff::Timestamp::UNIX_EPOCH;
        let (console, _) = Console::new(
            config,
            &Inputs::default(),
            &State::default(),
            &"default".into(),
            now,
        )
        .unwrap();
        let rows: [(&str, usize, &[&str]); 19] = [
            ("upp", 0, &["upper("]),
            ("[ra", 1, &["random_pet.", "range("]),
            ("1 + loc", 4, &["local."]),
            ("var.re", 4, &["region", "replicas"]),
            ("var.x", 4, &[]),
            ("random_pet.", 11, &["many", "name"]),
            ("random_pet.name.p", 16, &["prefix"]),
            ("random_pet.many[0].sep", 19, &["separator"]),
            ("terraform_data.each[\"a\"].in", 25, &["input"]),
            ("local.settings.", 15, &["deep", "size"]),
            ("local.settings.deep[0].", 23, &["a"]),
            ("data.", 5, &["local_file."]),
            ("data.local_file.", 16, &["here"]),
            (
                "data.local_file.here.content_s",
                21,
                &["content_sha1", "content_sha256", "content_sha512"],
            ),
            ("path.c", 5, &["cwd"]),
            ("provider::cl", 10, &["clock::"]),
            ("provider::clock::u", 17, &["unix_timestamp_parse("]),
            ("\"var.", 0, &[]),
            ("\"${var.reg", 7, &["region"]),
        ];
        for (text, start, candidates) in rows {
            let found = console.complete(text);
            assert_eq!(found.candidates, candidates, "{text}");
            assert_eq!(found.start, start, "{text}");
        }
    }
}
