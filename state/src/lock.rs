//! One writer at a time: a lock of the operating system's on the file `lock`, and beside it
//! `lock.json`, which says who holds it. The operating system releases the lock of a process that
//! dies, so a lock is never stale; only `lock.json` can be, and it is read only while the lock is
//! held.
//!
//! Readers hold the lock too, for the moment that reading the database takes, and leave no
//! `lock.json`: whoever finds the lock held by nobody in particular tries again.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use topo_engine::store::StoreError;

use crate::files::{Place, if_present, io_error, replace};

/// Who holds a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockInfo {
    /// `user@host`.
    pub who: String,
    /// The process.
    pub pid: u32,
    /// The command, without values of variables.
    pub command: String,
    /// When it took the lock.
    pub since: Timestamp,
    /// The run's id.
    pub run: String,
}

impl LockInfo {
    /// The error for somebody who cannot wait any longer.
    pub(crate) fn refuse(holder: Option<&LockInfo>) -> StoreError {
        StoreError::Locked(match holder {
            Some(info) => info.to_string(),
            None => "Another process is reading or opening it".to_string(),
        })
    }
}

/// Who holds the lock, for what, since when: the beginning of a sentence.
impl fmt::Display for LockInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} is running `{}` (process {}, run {}) since {}",
            self.who, self.command, self.pid, self.run, self.since
        )
    }
}

/// What there is to be said of a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockStatus {
    /// Nobody holds it.
    Free,
    /// Nobody holds it; this one died holding it, which released it.
    Left(LockInfo),
    /// A living process holds it: a writer, or one that reads or opens the state.
    Held(Option<LockInfo>),
}

/// Looks at the lock of a state without touching it.
///
/// # Errors
/// When it cannot be looked at.
pub fn lock_status(dir: &Path) -> Result<LockStatus, StoreError> {
    let place = Place::new(dir);
    let path = place.lock();
    let opened = if_present(File::open(&path)).map_err(|e| io_error(&path, &e))?;
    let Some(file) = opened else {
        return Ok(LockStatus::Free);
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(holder(&place).map_or(LockStatus::Free, LockStatus::Left)),
        Err(TryLockError::WouldBlock) => Ok(LockStatus::Held(holder(&place))),
        Err(TryLockError::Error(e)) => Err(io_error(&path, &e)),
    }
}

/// Removes what a dead process left of its lock. Returns whether nobody holds the lock.
///
/// # Errors
/// When it cannot be removed.
pub fn clear_lock(dir: &Path) -> Result<bool, StoreError> {
    Ok(matches!(attempt(&Place::new(dir))?, Attempt::Held(_)))
}

/// The lock, held until this is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    info: PathBuf,
    /// Closing it releases the lock.
    _file: File,
}

/// What came of trying to take the lock.
#[derive(Debug)]
pub(crate) enum Attempt {
    Held(Lock),
    /// Another has it: who, if it is a writer.
    Busy(Option<LockInfo>),
}

/// Takes the lock if it is free. The directory must exist.
pub(crate) fn attempt(place: &Place) -> Result<Attempt, StoreError> {
    let path = place.lock();
    let mut options = File::options();
    options.read(true).write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path).map_err(|e| io_error(&path, &e))?;
    match file.try_lock() {
        Ok(()) => {
            let lock = Lock {
                info: place.lock_info(),
                _file: file,
            };
            // What a dead process left would name the wrong one.
            lock.clear()?;
            Ok(Attempt::Held(lock))
        }
        Err(TryLockError::WouldBlock) => Ok(Attempt::Busy(holder(place))),
        Err(TryLockError::Error(e)) => Err(io_error(&path, &e)),
    }
}

/// Who says to hold the lock. Nobody, too, when that cannot be read: it is for people only.
fn holder(place: &Place) -> Option<LockInfo> {
    let bytes = fs::read(place.lock_info()).ok()?;
    serde_json::from_slice(&bytes).ok()
}

impl Lock {
    /// Says who holds the lock.
    pub(crate) fn sign(&self, info: &LockInfo) -> Result<(), StoreError> {
        replace(&self.info, |file| {
            serde_json::to_writer_pretty(&mut *file, info)?;
            file.write_all(b"\n")
        })
    }

    fn clear(&self) -> Result<(), StoreError> {
        if_present(fs::remove_file(&self.info))
            .map(|_| ())
            .map_err(|e| io_error(&self.info, &e))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Err(e) = self.clear() {
            tracing::warn!("cannot remove the name of the lock's holder: {e}");
        }
    }
}
