//! The command line of topo: arguments, prompts, text, progress and exit codes.
//!
//! Nothing is decided here about infrastructure: commands load a configuration and a state, ask
//! the engine for a plan or an apply, and make text of the data and events that come back.

mod args;
mod assignment;
mod commands;
mod context;
mod edit;
mod generated;
mod json;
mod logging;
mod peers;
mod planfile;
mod progress;
mod render;
mod run;
mod selection;
mod switch;
mod ui;
mod variables;
mod view;
mod workspaces;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};
use topo_sdk::Diagnostics;

use crate::commands::{Cli, Command};
use crate::context::{Context, Exit};
use crate::render::diagnostics::no_sources;
use crate::ui::Ui;

fn main() -> ExitCode {
    let given: Vec<String> = std::env::args_os()
        .map(|a| a.to_string_lossy().into_owned())
        .collect();
    let environment = |name: &str| std::env::var(name).ok();
    let definition = peers::accept(Cli::command());
    let prepared = match args::prepare(given, &definition, &environment) {
        Ok(prepared) => prepared,
        Err(message) => {
            return fail(&Diagnostics::error("Invalid command line", message));
        }
    };
    let parsed = definition
        .try_get_matches_from(prepared)
        .and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, matches)));
    let (cli, matches) = match parsed {
        Ok(parsed) => parsed,
        Err(e) => {
            let _ = e.print();
            // Help and the version are asked for; anything else is a mistake.
            return ExitCode::from(u8::from(e.use_stderr()));
        }
    };
    if let Some(dir) = &cli.global.chdir
        && let Err(e) = std::env::set_current_dir(dir)
    {
        return fail(&Diagnostics::error(
            "Cannot change to the directory given by -chdir",
            format!("{}: {e}.", dir.display()),
        ));
    }
    if let Err(refused) = peers::refuse(&matches) {
        return fail(&refused);
    }
    if let Err(wrong) = logging::start(&environment) {
        return fail(&wrong);
    }
    let context = Context::new(
        Ui::new(cli.global.no_color).showing(cli.command.view()),
        cli.global.sandbox
            || matches!(cli.command, Command::Sandbox(_))
            || environment("TOPO_SANDBOX")
                .is_some_and(|v| !matches!(v.as_str(), "" | "0" | "false")),
        command_name(&matches),
        variables::flags(&matches),
    )
    .shown_as(cli.command.format())
    .told_into(cli.command.json_into());
    let context = match context {
        Ok(context) => context,
        Err(wrong) => return fail(&wrong),
    };
    match dispatch(&context, &cli.command) {
        Ok(code) => ExitCode::from(code),
        Err(diagnostics) => {
            context.show(&diagnostics);
            ExitCode::FAILURE
        }
    }
}

/// Commands that only look at files or at nothing run right away; the others in a runtime.
fn dispatch(context: &Context, command: &Command) -> Exit {
    match command {
        Command::Fmt(args) => commands::fmt::run(context, args),
        Command::Validate(args) => commands::validate::run(context, args),
        Command::Graph(args) => commands::graph::run(context, args),
        Command::Providers(args) => wait(commands::providers::run(context, args)),
        Command::Metadata(args) => commands::metadata::run(context, args),
        Command::Version(args) => commands::version::run(context, args),
        Command::Init(args) => wait(commands::init::run(context, args)),
        Command::Get(args) => wait(commands::get::run(context, args)),
        Command::Console(args) => wait(commands::console::run(context, args)),
        Command::Output(args) => wait(commands::output::run(context, args)),
        Command::State(args) => wait(commands::state::run(context, args)),
        Command::Workspace(args) => wait(commands::workspace::run(context, args)),
        Command::Taint(args) => wait(commands::taint::run(context, args)),
        Command::Untaint(args) => wait(commands::untaint::run(context, args)),
        Command::ForceUnlock(args) => commands::force_unlock::run(context, args),
        Command::Sandbox(args) => wait(commands::sandbox::run(context, args)),
        Command::Plan(args) => wait(commands::plan::run(context, args)),
        Command::Apply(args) => wait(commands::apply::run(context, args)),
        Command::Destroy(args) => wait(commands::destroy::run(context, args)),
        Command::Drift(args) => wait(commands::drift::run(context, args)),
        Command::Refresh(args) => wait(commands::refresh::run(context, args)),
        Command::Import(args) => wait(commands::import::run(context, args)),
        Command::Show(args) => wait(commands::show::run(context, args)),
        Command::Test(args) => wait(commands::test::run(context, args)),
    }
}

fn wait(work: impl Future<Output = Exit>) -> Exit {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .map_err(|e| Diagnostics::error("Cannot start", format!("{e}.")))?;
    runtime.block_on(work)
}

fn fail(diagnostics: &Diagnostics) -> ExitCode {
    Ui::new(false).diagnostics(diagnostics, &no_sources);
    ExitCode::FAILURE
}

/// `state list`
fn command_name(matches: &clap::ArgMatches) -> String {
    let mut names = Vec::new();
    let mut level = matches;
    while let Some((name, inner)) = level.subcommand() {
        names.push(name);
        level = inner;
    }
    names.join(" ")
}
