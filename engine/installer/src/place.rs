//! Where things are inside packages.

use std::path::Path;

use globset::GlobBuilder;

use crate::error::Error;

/// One directory inside another; either may be the package itself.
pub(crate) fn join(outer: Option<&str>, inner: Option<&str>) -> Option<String> {
    match (outer, inner) {
        (Some(outer), Some(inner)) => Some(format!("{outer}/{inner}")),
        (one, None) | (None, one) => one.map(str::to_string),
    }
}

/// Finds the directory of a module in a package: relative to it, empty for the package itself.
/// Parts of the name may be patterns, of which each must fit exactly one directory: archives made
/// by hosting services have everything in one directory named after the commit.
pub(crate) fn module_in(package: &Path, subdir: Option<&str>) -> Result<String, Error> {
    let Some(subdir) = subdir else {
        return Ok(String::new());
    };
    let mut found: Vec<String> = Vec::new();
    for part in subdir.split('/') {
        let at: std::path::PathBuf = package.join(found.join("/"));
        if part.contains(['*', '?', '[']) {
            found.push(only_match(&at, part, subdir)?);
        } else {
            found.push(part.to_string());
        }
    }
    let dir = package.join(found.join("/"));
    let whole = package
        .canonicalize()
        .map_err(|e| Error::file(package.display(), e))?;
    match dir.canonicalize() {
        Ok(end) if end.is_dir() && end.starts_with(&whole) => Ok(found.join("/")),
        Ok(end) if end.is_dir() => Err(Error::Package(format!(
            "The directory {subdir:?} of the package is a link that leads out of it."
        ))),
        _ => Err(Error::Package(format!(
            "The package has no directory {subdir:?}."
        ))),
    }
}

fn only_match(dir: &Path, pattern: &str, subdir: &str) -> Result<String, Error> {
    let matcher = GlobBuilder::new(pattern)
        .literal_separator(true)
        .build()
        .map_err(|e| Error::Package(format!("The directory {subdir:?}: {e}.")))?
        .compile_matcher();
    let entries = std::fs::read_dir(dir).map_err(|e| Error::file(dir.display(), e))?;
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter(|e| e.path().is_dir())
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .filter(|name| matcher.is_match(name))
        .collect();
    match names.pop() {
        Some(only) if names.is_empty() => Ok(only),
        Some(_) => Err(Error::Package(format!(
            "Several directories of the package fit {subdir:?}: which is meant?"
        ))),
        None => Err(Error::Package(format!(
            "The package has no directory that fits {subdir:?}."
        ))),
    }
}
