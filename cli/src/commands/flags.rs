//! Flags that several commands take.

use std::path::{Path, PathBuf};

use clap::Args;
use topo_engine::address::{InstanceAddress, Target};
use topo_engine::store::State;
use topo_sdk::Diagnostics;

use super::state_push;
use crate::context::Context;
use crate::render::group::Grouping;
use crate::selection;
use crate::switch::{Switch, truth};
use crate::ui::View;

/// What is shown of a run.
#[derive(Debug, Args)]
pub struct ViewArgs {
    /// Show the plan and the end of an apply, but no progress and nothing that merely changed
    /// outside
    #[arg(long)]
    pub concise: bool,
    /// Warnings and errors.
    #[command(flatten)]
    pub diagnostics: DiagnosticArgs,
    /// Show sensitive values in clear
    #[arg(long)]
    pub show_sensitive: bool,
    /// Write what -json would print to this file, beside the text
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    pub json_into: Option<PathBuf>,
}

/// How warnings and errors are shown.
#[derive(Debug, Args)]
pub struct DiagnosticArgs {
    /// Show warnings by what they are about only, unless there are errors
    #[arg(long)]
    pub compact_warnings: bool,
    /// Show warnings about the configuration that say the same once
    #[arg(long, switch = true)]
    pub consolidate_warnings: bool,
    /// Show errors about the configuration with the same summary once
    #[arg(long, switch = false)]
    pub consolidate_errors: bool,
}

impl DiagnosticArgs {
    /// What is to be shown where nothing else is said.
    pub fn view(&self) -> View {
        View {
            compact_warnings: self.compact_warnings,
            grouping: Grouping {
                warnings: self.consolidate_warnings,
                errors: self.consolidate_errors,
            },
            ..View::default()
        }
    }
}

impl ViewArgs {
    /// What is to be shown.
    pub fn view(&self) -> View {
        View {
            concise: self.concise,
            show_sensitive: self.show_sensitive,
            ..self.diagnostics.view()
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
    #[arg(long, switch = true)]
    pub input: bool,
}

impl VariableArgs {
    /// Whether a person may be asked for something: neither `-input=false` nor `TF_INPUT` says no.
    pub fn may_ask(&self) -> bool {
        let said = std::env::var("TF_INPUT").ok();
        self.input && said.and_then(|v| truth(&v)) != Some(false)
    }
}

/// The lock of the state.
#[derive(Debug, Args)]
pub struct LockArgs {
    /// Lock the state; switching this off risks two runs undoing each other's work
    #[arg(long, switch = true)]
    pub lock: bool,
    /// Wait this long for another run to release the state
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub lock_timeout: std::time::Duration,
}

/// What a plan takes into account.
#[derive(Debug, Clone, Args)]
pub struct PlanningArgs {
    /// Look at what really exists before planning
    #[arg(long, switch = true)]
    pub refresh: bool,
    /// Only accept into the state what became of the objects
    #[arg(long)]
    pub refresh_only: bool,
    /// Of which objects.
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// Leave what cannot be planned yet, because its count or for_each is not known, to a later
    /// round of the same run
    #[arg(long)]
    pub allow_deferral: bool,
    /// Replace this resource instance; may be repeated
    #[arg(long, value_name = "ADDRESS", conflicts_with = "refresh_only")]
    pub replace: Vec<InstanceAddress>,
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
            selection: SelectionArgs::default(),
            allow_deferral: false,
            replace: Vec::new(),
            parallelism: 10,
        }
    }
}

/// A state to look into.
#[derive(Debug, Default, Args)]
pub struct StateArgs {
    /// Look into this state file (version 4) instead of the workspace's state
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
}

impl StateArgs {
    /// The state that is meant, for looking only.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn read(&self, context: &Context) -> Result<State, Diagnostics> {
        match &self.state {
            Some(file) => read_state_file(context, file),
            None => context.read_state().await,
        }
    }
}

/// A state that is in a file, for looking only.
///
/// # Errors
/// What is wrong with the file.
pub fn read_state_file(context: &Context, file: &Path) -> Result<State, Diagnostics> {
    let found = state_push::read(context, file)?;
    context.show(&found.warnings);
    Ok(State {
        meta: found.meta,
        records: found.records,
        outputs: found.outputs,
        checks: found.checks,
        ..State::default()
    })
}

/// Which objects a plan is of.
#[derive(Debug, Default, Clone, Args)]
pub struct SelectionArgs {
    /// Only this resource or module and what it depends on; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    pub target: Vec<Target>,
    /// The same for each line of this file; may be repeated
    #[arg(long, value_name = "FILE")]
    pub target_file: Vec<PathBuf>,
    /// Everything but this resource or module and what depends on it; may be repeated
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["target", "target_file"])]
    pub exclude: Vec<Target>,
    /// The same for each line of this file; may be repeated
    #[arg(long, value_name = "FILE", conflicts_with_all = ["target", "target_file"])]
    pub exclude_file: Vec<PathBuf>,
}

impl SelectionArgs {
    /// With the addresses that are in files.
    ///
    /// # Errors
    /// A file that cannot be read, and lines that are no addresses.
    pub fn complete(&self) -> Result<SelectionArgs, Diagnostics> {
        let mut whole = self.clone();
        let mut wrong = Diagnostics::new();
        for file in std::mem::take(&mut whole.target_file) {
            match selection::addresses(&file) {
                // What is meant to be little must not become everything.
                Ok(read) if read.is_empty() => wrong.extend(Diagnostics::error(
                    "No targets",
                    format!("{} has no address in it, and without targets everything would be planned. Write one address a line.", file.display()),
                )),
                Ok(read) => whole.target.extend(read),
                Err(diagnostics) => wrong.extend(diagnostics),
            }
        }
        for file in std::mem::take(&mut whole.exclude_file) {
            match selection::addresses(&file) {
                Ok(read) => whole.exclude.extend(read),
                Err(diagnostics) => wrong.extend(diagnostics),
            }
        }
        if wrong.has_errors() {
            return Err(wrong);
        }
        Ok(whole)
    }
}

impl PlanningArgs {
    /// With the addresses that are in files.
    ///
    /// # Errors
    /// As for [`SelectionArgs::complete`], and for flags that do not go together.
    pub fn complete(&self) -> Result<PlanningArgs, Diagnostics> {
        if self.refresh_only && !self.refresh {
            return Err(Diagnostics::error(
                "Incompatible refresh options",
                "-refresh-only accepts what is found when everything is looked at, and -refresh=false forbids to look. Leave one of them out.",
            ));
        }
        Ok(PlanningArgs {
            selection: self.selection.complete()?,
            ..self.clone()
        })
    }
}

fn duration(text: &str) -> Result<std::time::Duration, String> {
    topo_sdk::schema::parse_duration(text).ok_or_else(|| "write it like 30s or 5m".to_string())
}

/// Reads how many operations run side by side.
pub fn parallelism(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a whole number above 0".to_string()),
        Ok(n) => Ok(n),
    }
}
