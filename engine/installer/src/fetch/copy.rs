//! Copies of packages: a directory of this machine, or a package that two calls use.

use std::fs;
use std::path::Path;

use crate::error::Error;

/// Directories that are work of tools and not part of a module.
const SKIPPED: [&str; 3] = [".git", ".terraform", ".topo"];

/// A module package is not this deep; a loop of symbolic links is.
const MAX_DEPTH: usize = 100;

/// Copies a package to a directory that does not exist yet. Links within the package stay links;
/// links out of it become what they lead to, so that the copy stands by itself.
pub(crate) fn copy_package(from: &Path, to: &Path) -> Result<(), Error> {
    let top = from
        .canonicalize()
        .map_err(|e| Error::file(from.display(), e))?;
    copy_dir(&top, &top, to, 0)
}

fn copy_dir(top: &Path, from: &Path, to: &Path, depth: usize) -> Result<(), Error> {
    let failed = |e: std::io::Error| Error::file(from.display(), e);
    if depth > MAX_DEPTH {
        return Err(Error::file(
            from.display(),
            "directories are nested too deep; is there a symbolic link in a circle?",
        ));
    }
    fs::create_dir(to).map_err(|e| Error::file(to.display(), e))?;
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (path, name) = (entry.path(), entry.file_name());
        if SKIPPED.iter().any(|s| name == *s) {
            continue;
        }
        let failed = |e: std::io::Error| Error::file(path.display(), e);
        let target = to.join(&name);
        let mut kind = entry.file_type().map_err(failed)?;
        if kind.is_symlink() {
            let link = fs::read_link(&path).map_err(failed)?;
            let inside = path.canonicalize().is_ok_and(|end| end.starts_with(top));
            if inside && link.is_relative() {
                std::os::unix::fs::symlink(&link, &target).map_err(failed)?;
                continue;
            }
            match fs::metadata(&path) {
                Ok(end) => kind = end.file_type(),
                Err(_) => continue, // leads nowhere
            }
        }
        if kind.is_dir() {
            copy_dir(top, &path, &target, depth + 1)?;
        } else if kind.is_file() {
            fs::copy(&path, &target).map_err(failed)?;
        }
    }
    Ok(())
}
