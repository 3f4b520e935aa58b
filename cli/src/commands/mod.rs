//! The commands: one file each, with the arguments (whose comments are the help) and one
//! function.

pub mod apply;
pub mod console;
pub mod destroy;
pub mod drift;
mod flags;
pub mod fmt;
pub mod force_unlock;
pub mod get;
pub mod graph;
pub mod import;
pub mod init;
pub mod metadata;
pub mod output;
pub mod plan;
pub mod providers;
pub mod refresh;
pub mod sandbox;
pub mod show;
pub mod state;
pub mod state_history;
pub mod state_mv;
pub mod state_pull;
pub mod state_push;
pub mod state_replace_provider;
pub mod state_rm;
pub mod taint;
pub mod test;
pub mod untaint;
pub mod validate;
pub mod version;
pub mod workspace;

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};

pub use flags::{
    DiagnosticArgs, LockArgs, PlanningArgs, SelectionArgs, StateArgs, VariableArgs, ViewArgs,
    parallelism, read_state_file,
};

use crate::ui::View;
use crate::view::Format;

/// Plans and applies infrastructure written in the Terraform language.
///
/// AWS and Kubernetes are built in; nothing has to be installed. Flags may be written with one
/// dash or two. With --sandbox every command works on a simulated cloud of its own, offline and
/// with no account.
#[derive(Debug, Parser)]
#[command(name = "topo", version, max_term_width = 100)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
#[command(args_override_self = true)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub struct GlobalArgs {
    /// Work in this directory instead of the current one
    #[arg(long, global = true, value_name = "DIR")]
    pub chdir: Option<PathBuf>,
    /// Work on the simulated cloud (as does TOPO_SANDBOX=1)
    #[arg(long, global = true)]
    pub sandbox: bool,
    /// Write no colours (as does NO_COLOR=1)
    #[arg(long, global = true)]
    pub no_color: bool,
}

/// What topo can be asked to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    Init(init::InitArgs),
    Get(get::GetArgs),
    Fmt(fmt::FmtArgs),
    Validate(validate::ValidateArgs),
    Plan(plan::PlanArgs),
    Apply(apply::ApplyArgs),
    Destroy(destroy::DestroyArgs),
    Drift(drift::DriftArgs),
    Refresh(refresh::RefreshArgs),
    Import(import::ImportArgs),
    Output(output::OutputArgs),
    Show(show::ShowArgs),
    Test(test::TestArgs),
    #[command(subcommand)]
    State(state::StateCommand),
    Taint(taint::TaintArgs),
    Untaint(untaint::UntaintArgs),
    ForceUnlock(force_unlock::ForceUnlockArgs),
    #[command(subcommand)]
    Workspace(workspace::WorkspaceCommand),
    Graph(graph::GraphArgs),
    Console(console::ConsoleArgs),
    #[command(subcommand)]
    Sandbox(sandbox::SandboxCommand),
    Providers(providers::ProvidersArgs),
    #[command(subcommand)]
    Metadata(metadata::MetadataCommand),
    Version(version::VersionArgs),
}

impl Command {
    /// In which form its run is shown.
    pub fn format(&self) -> Format {
        let stream = match self {
            Command::Plan(args) => args.json,
            Command::Apply(args) => args.json,
            Command::Destroy(args) => args.json,
            Command::Refresh(args) => args.json,
            Command::Init(args) => args.json,
            Command::Get(args) => args.json,
            _ => false,
        };
        if stream { Format::Stream } else { Format::Text }
    }

    /// The file that its stream of JSON goes into, beside what is shown.
    pub fn json_into(&self) -> Option<&Path> {
        let view = match self {
            Command::Plan(args) => &args.view,
            Command::Apply(args) => &args.view,
            Command::Destroy(args) => &args.view,
            Command::Refresh(args) => &args.view,
            _ => return None,
        };
        view.json_into.as_deref()
    }

    /// What is to be shown of it.
    pub fn view(&self) -> View {
        match self {
            Command::Plan(args) => args.view.view(),
            Command::Apply(args) => args.view.view(),
            Command::Destroy(args) => args.view.view(),
            Command::Refresh(args) => args.view.view(),
            Command::Init(args) => args.diagnostics.view(),
            Command::Validate(args) => args.diagnostics.view(),
            Command::Import(args) => args.diagnostics.view(),
            Command::Console(args) => args.diagnostics.view(),
            Command::Drift(args) => args.diagnostics.view(),
            Command::Show(args) => View {
                show_sensitive: args.show_sensitive,
                ..View::default()
            },
            Command::Output(args) => View {
                show_sensitive: args.show_sensitive,
                ..View::default()
            },
            _ => View::default(),
        }
    }
}
