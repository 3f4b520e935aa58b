//! Where the servers' programs are.
//!
//! `tests/install` puts them there and prints where; `tests/run` passes its answer on in the
//! environment. A test started without either asks `tests/install` itself, which is quick
//! when everything is installed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::ServerError;
use super::error::Context;

/// The folder of this crate, which has the servers' own files.
pub(super) fn tests_dir() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Python that has ministack.
pub(super) fn python() -> Result<PathBuf, ServerError> {
    installed("TOPO_TEST_PYTHON")
}

/// [checkov](https://pypi.org/project/checkov/), which reads plans and evaluates policies.
///
/// # Errors
///
/// When it cannot be installed.
pub fn checkov() -> Result<PathBuf, ServerError> {
    installed("TOPO_TEST_CHECKOV")
}

/// A program of the control plane.
pub(super) fn control_plane(program: &str) -> Result<PathBuf, ServerError> {
    Ok(installed("TOPO_TEST_CONTROL_PLANE")?.join(program))
}

fn installed(variable: &str) -> Result<PathBuf, ServerError> {
    static INSTALLED: OnceLock<HashMap<String, String>> = OnceLock::new();
    if let Some(path) = std::env::var_os(variable) {
        return Ok(path.into());
    }
    let known = match INSTALLED.get() {
        Some(known) => known,
        None => {
            let fresh = install()?;
            INSTALLED.get_or_init(|| fresh)
        }
    };
    known
        .get(variable)
        .map(PathBuf::from)
        .ok_or_else(|| ServerError::Install(format!("tests/install does not tell {variable}")))
}

fn install() -> Result<HashMap<String, String>, ServerError> {
    let script = tests_dir().join("install");
    let output = Command::new(&script)
        .output()
        .context(|| format!("cannot run {}", script.display()))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(ServerError::Install(words));
    }
    Ok(String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, path)| (name.to_owned(), path.to_owned()))
        .collect())
}
