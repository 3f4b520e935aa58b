//! Module sources: what the `source` argument of a module call may say.
//!
//! [`ModuleSource::parse`] understands the addresses that the peers document (their page "Module
//! Sources" and the address forms of go-getter), and settles shorthands, so that two ways to
//! write one address are the same address. Nothing is looked up here: no file, no network. What
//! is fetched and how is the installer's; the loader only compares addresses.

mod archive;
mod registry;
mod remote;

use std::fmt;

pub use archive::{ArchiveKind, Checksum, HashAlgorithm};
pub use registry::{DEFAULT_REGISTRY, RegistrySource};
pub use remote::{Fetch, RemoteSource, without_password};

/// Where a module comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModuleSource {
    /// A directory, relative to the one of the calling module, within the same package: begins
    /// with `./` or `../` and has no redundant parts.
    Local(String),
    /// A module of a registry.
    Registry(RegistrySource),
    /// A package to fetch from elsewhere.
    Remote(RemoteSource),
}

impl ModuleSource {
    /// Reads a source address.
    ///
    /// # Errors
    /// When it is none, or of a kind that is not supported, with sentences that say what to write.
    pub fn parse(text: &str) -> Result<ModuleSource, String> {
        if text.trim().is_empty() {
            return Err("The source address is empty. Write a local path such as \"./network\", a registry address such as \"namespace/name/system\", or the address of a git repository or an archive.".into());
        }
        if text != text.trim() {
            return Err(format!(
                "{text:?} begins or ends with white space: write {:?}.",
                text.trim()
            ));
        }
        if text.chars().any(char::is_control) {
            return Err(format!("{text:?} has a control character in it."));
        }
        if ["./", "../", ".\\", "..\\"]
            .iter()
            .any(|p| text.starts_with(p))
        {
            return Ok(ModuleSource::Local(clean_local(text)));
        }
        let (package, subdir) = split_subdir(text)?;
        if let Some(registry) = RegistrySource::read(&package, subdir.clone()) {
            return Ok(ModuleSource::Registry(registry));
        }
        RemoteSource::read(text, &package, subdir).map(ModuleSource::Remote)
    }

    /// Reads the source and the version of a module call.
    ///
    /// # Errors
    /// Which argument is wrong, a one-line summary and an explanation.
    pub fn of_call(
        source: &str,
        version: Option<&str>,
    ) -> Result<(ModuleSource, Option<super::version::Constraints>), CallError> {
        let parsed = ModuleSource::parse(source).map_err(|detail| CallError {
            in_version: false,
            summary: "Invalid module source address",
            detail,
        })?;
        let Some(version) = version else {
            return Ok((parsed, None));
        };
        if !matches!(parsed, ModuleSource::Registry(_)) {
            let instead = match &parsed {
                ModuleSource::Remote(RemoteSource {
                    fetch: Fetch::Git { .. },
                    ..
                }) => " A tag or commit of a git repository is chosen by ?ref= in its address.",
                _ => "",
            };
            return Err(CallError {
                in_version: true,
                summary: "Invalid module version",
                detail: format!(
                    "The argument \"version\" applies only to modules of a registry, and {source:?} is not the address of one.{instead}"
                ),
            });
        }
        match super::version::Constraints::parse(version) {
            Ok(constraints) => Ok((parsed, Some(constraints))),
            Err(detail) => Err(CallError {
                in_version: true,
                summary: "Invalid version constraint",
                detail,
            }),
        }
    }
}

/// What is wrong with the source or the version of a module call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallError {
    /// Whether it is the argument `version`, not `source`.
    pub in_version: bool,
    /// One line.
    pub summary: &'static str,
    /// Sentences.
    pub detail: String,
}

impl fmt::Display for ModuleSource {
    /// The address as the manifest has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ModuleSource::Local(path) => f.write_str(path),
            ModuleSource::Registry(r) => r.fmt(f),
            ModuleSource::Remote(r) => r.fmt(f),
        }
    }
}

/// Takes `//subdir` out of an address; the query stays with the package.
fn split_subdir(text: &str) -> Result<(String, Option<String>), String> {
    let (path, query) = text
        .split_once('?')
        .map_or((text, None), |(p, q)| (p, Some(q)));
    let scheme = path.find("://").map_or(0, |i| i + 3);
    // file:///x has three slashes that mean no directory in a package.
    let from = scheme + usize::from(path[scheme..].starts_with('/'));
    let Some(at) = path[from..].find("//").map(|i| i + from) else {
        return Ok((text.to_string(), None));
    };
    let mut package = path[..at].to_string();
    if let Some(query) = query {
        package = format!("{package}?{query}");
    }
    Ok((package, clean_subdir(&path[at + 2..])?))
}

/// A directory inside a package without redundant parts; `None` for the package itself.
fn clean_subdir(text: &str) -> Result<Option<String>, String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return Err(format!(
                        "The directory {text:?} in the package leads out of the package."
                    ));
                }
            }
            part => parts.push(part),
        }
    }
    Ok((!parts.is_empty()).then(|| parts.join("/")))
}

/// A local path without redundant parts, with the leading `./` or `../` that marks it.
fn clean_local(text: &str) -> String {
    let text = text.replace('\\', "/");
    let mut parts: Vec<&str> = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|p| *p != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    match parts.first() {
        Some(&"..") => format!(
            "{}{}",
            parts.join("/"),
            if parts.len() == 1 { "/" } else { "" }
        ),
        _ => format!("./{}", parts.join("/")),
    }
}

#[cfg(test)]
mod tests;
