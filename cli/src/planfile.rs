//! Plans as files on disk: written whole or not at all, for their owner alone, sealed, and marked
//! when they are the sandbox's, so that what was simulated is never carried out for real.
//!
//! A plan holds what went into it, values of sensitive variables among that, which the state need
//! not hold. It is sealed with a key that lies beside the state, so that the file alone, an
//! artifact of a pipeline perhaps, tells nobody anything, and cannot be changed unseen.
//!
//! The format: the sandbox's mark where it is one of the sandbox; a line that says what it is; then
//! AES-256-GCM, the nonce of 12 bytes first, the line as associated data. Which version made the
//! plan is in what is sealed.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use topo_engine::plan::SavedPlan;
use topo_sdk::Diagnostics;

/// What a plan made in the sandbox starts with.
const SANDBOX: &[u8] = b"topo-sandbox\n";
/// What a sealed plan starts with.
const SEALED: &[u8] = b"topo-sealed-plan 1\n";
/// The bytes of a key.
const KEY_LENGTH: usize = 32;

/// Where the key is.
fn key_file() -> PathBuf {
    PathBuf::from(".topo/plan.key")
}

/// Writes a plan.
///
/// # Errors
/// When the file cannot be written.
pub fn write(file: &Path, bytes: Vec<u8>, sandbox: bool) -> Result<(), Diagnostics> {
    let failed = |what: String| Diagnostics::error("Cannot save the plan", what);
    let mut sealed = bytes;
    let nonce = key()
        .and_then(|key| {
            key.seal_in_place_append_tag(Aad::from(SEALED), &mut sealed)
                .map_err(|_| "The plan cannot be sealed.".to_string())
        })
        .map_err(failed)?;
    let mark = if sandbox { SANDBOX } else { b"" };
    let parts = [mark, SEALED, nonce.as_ref().as_slice(), &sealed];
    let mut name = file.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    write_new(&new, &parts)
        .and_then(|()| std::fs::rename(&new, file))
        .map_err(|e| failed(format!("{}: {e}.", file.display())))
}

/// Writes a file for its owner alone.
fn write_new(file: &Path, parts: &[&[u8]]) -> std::io::Result<()> {
    let mut out = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(file)?;
    parts.iter().try_for_each(|part| out.write_all(part))?;
    out.sync_all()
}

/// The key of this working directory, made when there is none.
fn key() -> Result<RandomizedNonceKey, String> {
    let file = key_file();
    if let Some(key) = read_key(&file)? {
        return Ok(key);
    }
    let failed = |e: std::io::Error| format!("{}: {e}.", file.display());
    let mut bytes = [0; KEY_LENGTH];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| "There is no randomness.".to_string())?;
    if let Some(dir) = file.parent() {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(dir).map_err(failed)?;
    }
    // Where two make one at once, the first is the key of both.
    let own = file.with_extension(format!("key.{}", std::process::id()));
    write_new(&own, &[&bytes]).map_err(failed)?;
    let linked = std::fs::hard_link(&own, &file);
    std::fs::remove_file(&own).map_err(failed)?;
    match linked {
        Err(e) if e.kind() != ErrorKind::AlreadyExists => Err(failed(e)),
        _ => read_key(&file)?.ok_or_else(|| format!("{} is gone again.", file.display())),
    }
}

/// The key in a file, when there is one.
fn read_key(file: &Path) -> Result<Option<RandomizedNonceKey>, String> {
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(format!("{}: {e}.", file.display())),
    };
    RandomizedNonceKey::new(&AES_256_GCM, &bytes)
        .map(Some)
        .map_err(|_| {
            format!(
                "{} is not a key of {KEY_LENGTH} bytes. Remove it, and make a new plan with plan -out.",
                file.display()
            )
        })
}

/// What is in a sealed plan.
fn unseal(file: &Path, bytes: &[u8]) -> Result<Vec<u8>, Diagnostics> {
    let failed = |what: &str| {
        let what = format!("{} {what} Make a new one with plan -out.", file.display());
        Diagnostics::error("Not a plan file", what)
    };
    let rest = bytes
        .strip_prefix(SEALED)
        .ok_or_else(|| failed("does not start as a plan that this program saved."))?;
    let Some((nonce, sealed)) = rest.split_at_checked(NONCE_LEN) else {
        return Err(failed("is cut off."));
    };
    let key = read_key(&key_file())
        .map_err(|what| Diagnostics::error("Cannot read the plan", what))?
        .ok_or_else(|| {
            failed("was made elsewhere: its key, .topo/plan.key, is not in this directory.")
        })?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| failed("is cut off."))?;
    let mut sealed = sealed.to_vec();
    let length = key
        .open_in_place(nonce, Aad::from(SEALED), &mut sealed)
        .map_err(|_| failed("was changed, or made in another directory."))?
        .len();
    sealed.truncate(length);
    Ok(sealed)
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
    let saved = SavedPlan::open(&unseal(file, simulated.unwrap_or(&bytes))?)?;
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
