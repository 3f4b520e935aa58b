//! The commands: one file each, with the arguments (whose comments are the help) and one
//! function.

pub mod apply;
pub mod console;
pub mod destroy;
pub mod drift;
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

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::render::group::Grouping;
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
    #[command(subcommand)]
    Providers(providers::ProvidersCommand),
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
            _ => false,
        };
        if stream { Format::Stream } else { Format::Text }
    }

    /// What is to be shown of it.
    pub fn view(&self) -> View {
        match self {
            Command::Plan(args) => args.view.view(),
            Command::Apply(args) => args.view.view(),
            Command::Destroy(args) => args.view.view(),
            Command::Refresh(args) => args.view.view(),
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

/// What is shown of a run.
#[derive(Debug, Args)]
pub struct ViewArgs {
    /// Show the plan and the end of an apply, but no progress and nothing that merely changed
    /// outside
    #[arg(long)]
    pub concise: bool,
    /// Show warnings by what they are about only, unless there are errors
    #[arg(long)]
    pub compact_warnings: bool,
    /// Show warnings about the configuration that say the same once
    #[arg(
        long,
        value_name = "BOOL",
        default_value_t = true,
        default_missing_value = "true"
    )]
    #[arg(num_args = 0..=1, require_equals = true, action = clap::ArgAction::Set)]
    pub consolidate_warnings: bool,
    /// Show errors about the configuration with the same summary once
    #[arg(
        long,
        value_name = "BOOL",
        default_value_t = false,
        default_missing_value = "true"
    )]
    #[arg(num_args = 0..=1, require_equals = true, action = clap::ArgAction::Set)]
    pub consolidate_errors: bool,
    /// Show sensitive values in clear
    #[arg(long)]
    pub show_sensitive: bool,
}

impl ViewArgs {
    fn view(&self) -> View {
        View {
            concise: self.concise,
            show_sensitive: self.show_sensitive,
            compact_warnings: self.compact_warnings,
            grouping: Grouping {
                warnings: self.consolidate_warnings,
                errors: self.consolidate_errors,
            },
        }
    }
}

/// Values of input variables.
#[derive(Debug, Default, Args)]
pub struct VariableArgs {
    /// Give an input variable a value; may be repeated
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub var: Vec<String>,
    /// Take values of input variables from this file; may be repeated, later ones win
    #[arg(long = "var-file", value_name = "FILE")]
    pub var_file: Vec<PathBuf>,
    /// Ask for values of variables that have none
    #[arg(
        long,
        value_name = "BOOL",
        default_value_t = true,
        default_missing_value = "true"
    )]
    #[arg(num_args = 0..=1, require_equals = true, action = clap::ArgAction::Set)]
    pub input: bool,
}

/// The lock of the state.
#[derive(Debug, Args)]
pub struct LockArgs {
    /// Lock the state; switching this off risks two runs undoing each other's work
    #[arg(
        long,
        value_name = "BOOL",
        default_value_t = true,
        default_missing_value = "true"
    )]
    #[arg(num_args = 0..=1, require_equals = true, action = clap::ArgAction::Set)]
    pub lock: bool,
    /// Wait this long for another run to release the state
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub lock_timeout: std::time::Duration,
}

/// What a plan takes into account.
#[derive(Debug, Args)]
pub struct PlanningArgs {
    /// Look at what really exists before planning
    #[arg(
        long,
        value_name = "BOOL",
        default_value_t = true,
        default_missing_value = "true"
    )]
    #[arg(num_args = 0..=1, require_equals = true, action = clap::ArgAction::Set)]
    pub refresh: bool,
    /// Only accept into the state what became of the objects
    #[arg(long, conflicts_with = "refresh")]
    pub refresh_only: bool,
    /// Only this resource or module and what it depends on; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    pub target: Vec<topo_engine::address::Target>,
    /// Everything but this resource or module and what depends on it; may be repeated
    #[arg(long, value_name = "ADDRESS", conflicts_with = "target")]
    pub exclude: Vec<topo_engine::address::Target>,
    /// Leave what cannot be planned yet, because its count or for_each is not known, to a later
    /// round of the same run
    #[arg(long)]
    pub allow_deferral: bool,
    /// Replace this resource instance; may be repeated
    #[arg(long, value_name = "ADDRESS", conflicts_with = "refresh_only")]
    pub replace: Vec<topo_engine::address::InstanceAddress>,
    /// How many operations run side by side
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = parallelism)]
    pub parallelism: usize,
}

impl Default for LockArgs {
    fn default() -> LockArgs {
        LockArgs {
            lock: true,
            lock_timeout: std::time::Duration::ZERO,
        }
    }
}

impl Default for PlanningArgs {
    fn default() -> PlanningArgs {
        PlanningArgs {
            refresh: true,
            refresh_only: false,
            target: Vec::new(),
            exclude: Vec::new(),
            allow_deferral: false,
            replace: Vec::new(),
            parallelism: 10,
        }
    }
}

fn duration(text: &str) -> Result<std::time::Duration, String> {
    topo_sdk::schema::parse_duration(text).ok_or_else(|| "write it like 30s or 5m".to_string())
}

fn parallelism(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a whole number above 0".to_string()),
        Ok(n) => Ok(n),
    }
}
