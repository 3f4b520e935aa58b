//! Plans as files on disk: written whole or not at all, for their owner alone, and marked when
//! they are the sandbox's, so that what was simulated is never carried out for real.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use topo_engine::plan::SavedPlan;
use topo_sdk::Diagnostics;

/// What a plan made in the sandbox starts with.
const SANDBOX: &[u8] = b"topo-sandbox\n";

/// Writes a plan, which may hold secrets.
///
/// # Errors
/// When the file cannot be written.
pub fn write(file: &Path, bytes: &[u8], sandbox: bool) -> Result<(), Diagnostics> {
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
        if sandbox {
            out.write_all(SANDBOX)?;
        }
        out.write_all(bytes)?;
        out.sync_all()?;
        std::fs::rename(&new, file)
    };
    attempt().map_err(|e| {
        Diagnostics::error("Cannot save the plan", format!("{}: {e}.", file.display()))
    })
}

/// Reads a plan.
///
/// # Errors
/// When there is none, or it is of the sandbox and reality is meant, or the other way round, or
/// it is of another workspace than the selected one.
pub fn read(file: &Path, sandbox: bool, workspace: &str) -> Result<SavedPlan, Diagnostics> {
    let bytes = std::fs::read(file).map_err(|e| {
        Diagnostics::error("Cannot read the plan", format!("{}: {e}.", file.display()))
    })?;
    let simulated = bytes.strip_prefix(SANDBOX);
    let saved = SavedPlan::open(simulated.unwrap_or(&bytes))?;
    match (simulated.is_some(), sandbox) {
        (true, false) => Err(Diagnostics::error(
            "The plan is one of the sandbox",
            format!(
                "{} was made with --sandbox, for the simulated cloud, and is of no use on a real one. Add --sandbox, or make a new plan without it.",
                file.display()
            ),
        )),
        (false, true) => Err(Diagnostics::error(
            "The plan is not one of the sandbox",
            format!(
                "{} was made for real infrastructure. Leave out --sandbox (and TOPO_SANDBOX), or make a new plan with it.",
                file.display()
            ),
        )),
        _ if saved.workspace() != workspace => Err(Diagnostics::error(
            "The plan is of another workspace",
            format!(
                "{0} was made in the workspace {1:?}, and {workspace:?} is selected: the two have states of their own. `topo workspace select {1}` selects the plan's.",
                file.display(),
                saved.workspace(),
            ),
        )),
        _ => Ok(saved),
    }
}
