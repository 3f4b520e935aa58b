//! `topo plan`

use std::path::{Path, PathBuf};

use clap::Args;
use topo_sdk::Diagnostics;

use super::{LockArgs, PlanningArgs, VariableArgs};
use crate::context::{Context, Exit};
use crate::run::{self, Prior, Request};

/// Show what an apply would change
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Values of input variables.
    #[command(flatten)]
    pub variables: VariableArgs,
    /// What to take into account.
    #[command(flatten)]
    pub planning: PlanningArgs,
    /// The lock.
    #[command(flatten)]
    pub locking: LockArgs,
    /// Plan the removal of everything
    #[arg(long, conflicts_with = "refresh_only")]
    pub destroy: bool,
    /// Write the plan to this file, for apply
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Exit with 2 when there are changes, 0 when there are none, 1 on errors
    #[arg(long)]
    pub detailed_exitcode: bool,
}

pub async fn run(context: &Context, args: &PlanArgs) -> Exit {
    context.announce();
    let providers = context.providers()?;
    let prior = if args.locking.lock {
        Prior::locked(context, &args.locking).await?
    } else {
        Prior::read(context).await?
    };
    let request = Request {
        mode: run::mode(args.destroy, &args.planning),
        planning: &args.planning,
        variables: &args.variables,
    };
    let made = run::make(context, &providers, &prior, &request, false).await;
    let plan = Prior::close(prior.store, made).await?;
    run::show(context, &plan);
    if plan.diagnostics.has_errors() {
        return Ok(1);
    }
    if let Some(file) = &args.out {
        write(file, &plan.save()?)?;
        let name = file.display();
        let sandbox = if context.sandbox { " --sandbox" } else { "" };
        context.ui.print(&format!(
            "\nSaved the plan to {name}. To perform exactly these actions:\n    topo apply{sandbox} {name}\n"
        ));
    } else if !plan.is_empty() {
        context.ui.print(
            "\nThe plan is not saved (-out), so a later apply plans anew and may do other things.\n",
        );
    }
    Ok(if args.detailed_exitcode && !plan.is_empty() {
        2
    } else {
        0
    })
}

/// Writes a plan, which may hold secrets, for its owner alone. A file that is there is replaced
/// whole or not at all.
fn write(file: &Path, bytes: &[u8]) -> Result<(), Diagnostics> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut name = file.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let attempt = || -> std::io::Result<()> {
        let mut out = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)?;
        out.write_all(bytes)?;
        out.sync_all()?;
        std::fs::rename(&new, file)
    };
    attempt().map_err(|e| {
        Diagnostics::error("Cannot save the plan", format!("{}: {e}.", file.display()))
    })
}
