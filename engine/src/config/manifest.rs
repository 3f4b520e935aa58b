//! The manifest of installed modules: `.topo/modules/modules.json`, in the peers' format.
//!
//! The installer writes it and the loader reads it: it says for every module call, by the names
//! of the calls that lead there, which source was installed, at which version, and in which
//! directory. Local modules are listed for tools that read such files; the loader finds them by
//! their path.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The directory of installed modules, relative to the root module's.
pub const MODULES_DIR: &str = ".topo/modules";

const FILE: &str = "modules.json";

/// Which modules are installed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest(BTreeMap<String, Entry>);

/// An installed module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The names of the calls that lead to it, with dots between; empty for the root module.
    #[serde(rename = "Key")]
    pub key: String,
    /// Its source address, with shorthands settled.
    #[serde(rename = "Source")]
    pub source: String,
    /// Its version, if it is from a registry.
    #[serde(rename = "Version", default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its directory, relative to the root module's.
    #[serde(rename = "Dir")]
    pub dir: String,
}

#[derive(Serialize, Deserialize)]
struct File {
    #[serde(rename = "Modules")]
    modules: Vec<Entry>,
}

impl Manifest {
    /// Reads the manifest of the root module in `root`; without one nothing is installed.
    ///
    /// # Errors
    /// When it is there and cannot be read, with a sentence that says why.
    pub fn read(root: &Path) -> Result<Manifest, String> {
        let path = path_in(root);
        let shown = format!("{MODULES_DIR}/{FILE}");
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Manifest::default()),
            Err(e) => return Err(format!("{shown}: {e}.")),
        };
        let file: File = serde_json::from_slice(&text)
            .map_err(|e| format!("{shown} is damaged: {e}. Remove it and run \"topo init\"."))?;
        Ok(file.modules.into_iter().collect())
    }

    /// Writes the manifest of the root module in `root`: whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, root: &Path) -> std::io::Result<()> {
        let path = path_in(root);
        let dir = root.join(MODULES_DIR);
        std::fs::create_dir_all(&dir)?;
        let file = File {
            modules: self.0.values().cloned().collect(),
        };
        let text = serde_json::to_vec(&file)?;
        let new = dir.join(format!("{FILE}.new"));
        let mut out = std::fs::File::create(&new)?;
        out.write_all(&text)?;
        out.sync_all()?;
        std::fs::rename(&new, &path)
    }

    /// The entry of a module.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.0.get(key)
    }

    /// Adds or replaces an entry.
    pub fn insert(&mut self, entry: Entry) {
        self.0.insert(entry.key.clone(), entry);
    }

    /// Removes a module and all that it calls; whether there were any.
    pub fn remove_tree(&mut self, key: &str) -> bool {
        let before = self.0.len();
        let inside = format!("{key}.");
        self.0.retain(|k, _| k != key && !k.starts_with(&inside));
        self.0.len() < before
    }

    /// All entries, by key.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.0.values()
    }
}

impl FromIterator<Entry> for Manifest {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Manifest {
        Manifest(entries.into_iter().map(|e| (e.key.clone(), e)).collect())
    }
}

/// The key of the module that these calls lead to.
pub fn key(path: &[Arc<str>]) -> String {
    path.join(".")
}

fn path_in(root: &Path) -> PathBuf {
    root.join(MODULES_DIR).join(FILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: &str, version: Option<&str>) -> Entry {
        Entry {
            key: key.into(),
            source: "s".into(),
            version: version.map(Into::into),
            dir: format!(".topo/modules/{key}"),
        }
    }

    #[test]
    fn the_format_is_the_peers() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Manifest::read(dir.path()).unwrap(), Manifest::default());
        let manifest: Manifest = [entry("b", None), entry("a.b", Some("1.0.0"))]
            .into_iter()
            .collect();
        manifest.write(dir.path()).unwrap();
        let text = std::fs::read_to_string(path_in(dir.path())).unwrap();
        assert_eq!(
            text,
            r#"{"Modules":[{"Key":"a.b","Source":"s","Version":"1.0.0","Dir":".topo/modules/a.b"},{"Key":"b","Source":"s","Dir":".topo/modules/b"}]}"#
        );
        assert_eq!(Manifest::read(dir.path()).unwrap(), manifest);
        std::fs::write(path_in(dir.path()), "{").unwrap();
        assert!(
            Manifest::read(dir.path())
                .unwrap_err()
                .contains("topo init")
        );
    }

    #[test]
    fn a_module_goes_with_what_it_calls() {
        let mut manifest: Manifest = ["a", "a.b", "ab", "c"]
            .map(|k| entry(k, None))
            .into_iter()
            .collect();
        assert!(manifest.remove_tree("a"));
        let left: Vec<&str> = manifest.iter().map(|e| e.key.as_str()).collect();
        assert_eq!(left, ["ab", "c"]);
        assert!(!manifest.remove_tree("a"));
    }
}
