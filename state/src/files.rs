//! Where a state's files are, and the few things done to files that a state needs: replacing one
//! atomically, keeping other users out, and errors that name the path.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use topo_engine::store::StoreError;

use crate::snapshot;

/// The directory of one state.
#[derive(Debug, Clone)]
pub(crate) struct Place(Arc<Path>);

impl Place {
    pub(crate) fn new(dir: &Path) -> Place {
        Place(dir.into())
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.0
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.0.join("db")
    }

    pub(crate) fn snapshot(&self) -> PathBuf {
        self.0.join("snapshot")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    pub(crate) fn lock_info(&self) -> PathBuf {
        self.0.join("lock.json")
    }

    /// Where the files of an older format are kept after an upgrade.
    pub(crate) fn aside(&self, format: u64) -> PathBuf {
        self.0.join(format!("db.format-{format}"))
    }

    /// Whether a state was ever written here.
    pub(crate) fn is_used(&self) -> bool {
        self.database().exists() || self.snapshot().exists()
    }

    /// Makes the directory, for its owner only.
    pub(crate) fn create(&self) -> Result<(), StoreError> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
            .create(self.dir())
            .and_then(|()| set_mode(self.dir(), &fs::metadata(self.dir())?, 0o700))
            .map_err(|e| io_error(self.dir(), &e))
    }

    /// What to say when the database cannot be understood: what was found, which copy is good,
    /// and how to go on from it.
    pub(crate) fn corrupt(&self, what: impl std::fmt::Display) -> StoreError {
        let database = self.database();
        let advice = match snapshot::header(self) {
            Ok(Some(header)) => format!(
                "the last good copy is {}, serial {}, taken {}; to go on from it, move {} away \
                 and run again",
                self.snapshot().display(),
                header.serial,
                header.taken,
                database.display()
            ),
            _ => "there is no snapshot of it to go on from; restore the directory from a backup"
                .to_string(),
        };
        StoreError::Corrupt(format!("{}: {what}; {advice}", database.display()))
    }
}

/// A failure of the file system, with the path.
pub(crate) fn io_error(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Io(format!("{}: {error}", path.display()))
}

/// `None` where there is no such file.
pub(crate) fn if_present<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

/// Writes a file so that a reader, and whoever comes after a crash, finds the old content or the
/// new, never a part. Readable by its owner only.
pub(crate) fn replace(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), StoreError> {
    let temporary = path.with_extension("tmp");
    let attempt = || -> io::Result<()> {
        let mut file = io::BufWriter::new(private(&temporary)?);
        write(&mut file)?;
        file.into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_all()?;
        fs::rename(&temporary, path)?;
        sync_parent(path)
    };
    attempt().map_err(|e| io_error(path, &e))
}

/// An empty file for its owner only.
fn private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes the names in the directory of this file durable.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_directory(parent),
        _ => sync_directory(Path::new(".")),
    }
}

/// Makes the names in a directory durable. Only Unix has (and needs) this.
pub(crate) fn sync_directory(dir: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(dir)?.sync_all()?;
    }
    Ok(())
}

/// Takes a file or directory, and what is in it, from everybody but its owner.
pub(crate) fn restrict(path: &Path) -> io::Result<()> {
    let Some(metadata) = if_present(fs::symlink_metadata(path))? else {
        return Ok(());
    };
    if metadata.is_dir() {
        set_mode(path, &metadata, 0o700)?;
        for entry in fs::read_dir(path)? {
            restrict(&entry?.path())?;
        }
    } else if metadata.is_file() {
        set_mode(path, &metadata, 0o600)?;
    }
    Ok(())
}

#[cfg(unix)]
fn set_mode(path: &Path, metadata: &fs::Metadata, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if metadata.permissions().mode() & 0o777 == mode {
        return Ok(());
    }
    // sled removes files of its own while we look.
    if_present(fs::set_permissions(path, fs::Permissions::from_mode(mode))).map(|_| ())
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: &fs::Metadata, _: u32) -> io::Result<()> {
    Ok(())
}

/// Copies a directory, durably, so that the copy is there in full or not at all. An earlier copy,
/// of an attempt that was cut off, is replaced.
pub(crate) fn copy_directory(from: &Path, to: &Path) -> Result<(), StoreError> {
    fn copy(from: &Path, to: &Path) -> io::Result<()> {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            let target = to.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                copy(&entry.path(), &target)?;
            } else {
                fs::copy(entry.path(), &target)?;
                File::open(&target)?.sync_all()?;
            }
        }
        sync_directory(to)
    }
    let temporary = to.with_extension("tmp");
    let attempt = || -> io::Result<()> {
        if_present(fs::remove_dir_all(&temporary))?;
        copy(from, &temporary)?;
        restrict(&temporary)?;
        if_present(fs::remove_dir_all(to))?;
        fs::rename(&temporary, to)?;
        sync_parent(to)
    };
    attempt().map_err(|e| io_error(to, &e))
}
