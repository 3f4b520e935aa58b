//! Workspaces: several states of one configuration, each with a name.
//!
//! | what | where | in the sandbox |
//! |---|---|---|
//! | the state of `default` | `.topo/state/default` | `.topo/sandbox/state` |
//! | the state of NAME | `.topo/state/NAME` | `.topo/sandbox/workspaces/NAME/state` |
//! | the simulated cloud of NAME | | `.topo/sandbox/workspaces/NAME/cloud` |
//! | the name of the selected one | `.topo/environment` | `.topo/sandbox/environment` |
//!
//! `TF_WORKSPACE` selects another for one command. As with the peers, a workspace that is selected
//! and has no directory is an empty one; what writes its state makes it.

use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use topo_engine::plan::DEFAULT_WORKSPACE;
use topo_sdk::Diagnostics;

/// The environment variable that selects a workspace.
pub const VARIABLE: &str = "TF_WORKSPACE";

/// The workspace that a command works in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// Its name.
    pub name: Arc<str>,
    /// Whether the environment selects it, and not the working directory.
    pub overridden: bool,
}

/// The workspaces of the working directory, real ones or the sandbox's.
#[derive(Debug, Clone, Copy)]
pub struct Workspaces {
    /// Whether those of the sandbox are meant.
    pub sandbox: bool,
}

impl Workspaces {
    /// The selected one. `variable` is what the environment says.
    ///
    /// # Errors
    /// When a name is none, or the selection cannot be read.
    pub fn selected(self, variable: Option<String>) -> Result<Workspace, Diagnostics> {
        if let Some(name) = variable.filter(|v| !v.is_empty()) {
            if !is_valid(&name) {
                return Err(Diagnostics::error(
                    "Invalid workspace name",
                    format!("{VARIABLE} is {name:?}. {RULE}"),
                ));
            }
            return Ok(Workspace {
                name: name.into(),
                overridden: true,
            });
        }
        let file = self.selection();
        let name = match std::fs::read_to_string(&file) {
            Ok(text) => text.trim().to_string(),
            Err(e) if e.kind() == ErrorKind::NotFound => String::new(),
            Err(e) => return Err(failed("read the selected workspace", &file, &e)),
        };
        let name = if name.is_empty() {
            DEFAULT_WORKSPACE
        } else {
            &name
        };
        if !is_valid(name) {
            return Err(Diagnostics::error(
                "Invalid workspace name",
                format!(
                    "{} names the selected workspace, and says {name:?}. {RULE} `topo workspace select default` puts it right.",
                    file.display()
                ),
            ));
        }
        Ok(Workspace {
            name: name.into(),
            overridden: false,
        })
    }

    /// Where the state of a workspace is.
    pub fn state_dir(self, name: &str) -> PathBuf {
        match (self.sandbox, name) {
            (false, name) => self.states().join(name),
            (true, DEFAULT_WORKSPACE) => PathBuf::from(".topo/sandbox/state"),
            (true, name) => self.states().join(name).join("state"),
        }
    }

    /// Where the simulated cloud of a workspace is.
    pub fn cloud_dir(self, name: &str) -> PathBuf {
        match name {
            DEFAULT_WORKSPACE => PathBuf::from(".topo/sandbox/cloud"),
            name => PathBuf::from(".topo/sandbox/workspaces")
                .join(name)
                .join("cloud"),
        }
    }

    /// All there are, sorted, the default one first.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn list(self) -> Result<Vec<String>, Diagnostics> {
        let dir = self.states();
        let mut names = Vec::new();
        match std::fs::read_dir(&dir) {
            Ok(entries) => {
                for entry in entries {
                    let entry = entry.map_err(|e| failed("list workspaces", &dir, &e))?;
                    let is_dir = entry.file_type().is_ok_and(|t| t.is_dir());
                    if let (true, Some(name)) = (is_dir, entry.file_name().to_str())
                        && name != DEFAULT_WORKSPACE
                        && is_valid(name)
                    {
                        names.push(name.to_string());
                    }
                }
            }
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(e) => return Err(failed("list workspaces", &dir, &e)),
        }
        names.sort();
        names.insert(0, DEFAULT_WORKSPACE.to_string());
        Ok(names)
    }

    /// Whether there is one of this name.
    pub fn exists(self, name: &str) -> bool {
        name == DEFAULT_WORKSPACE || (is_valid(name) && self.states().join(name).is_dir())
    }

    /// Makes an empty one.
    ///
    /// # Errors
    /// When its directory cannot be made.
    pub fn create(self, name: &str) -> Result<(), Diagnostics> {
        make_dir(&self.states().join(name))
    }

    /// Selects one for the commands to come.
    ///
    /// # Errors
    /// When that cannot be written down.
    pub fn select(self, name: &str) -> Result<(), Diagnostics> {
        let file = self.selection();
        if let Some(dir) = file.parent() {
            make_dir(dir)?;
        }
        std::fs::write(&file, name).map_err(|e| failed("select the workspace", &file, &e))
    }

    /// Removes what is left of one whose state has been removed.
    ///
    /// # Errors
    /// When files cannot be removed.
    pub fn remove(self, name: &str) -> Result<(), Diagnostics> {
        let dir = self.states().join(name);
        match std::fs::remove_dir_all(&dir) {
            Err(e) if e.kind() != ErrorKind::NotFound => {
                Err(failed("remove the workspace", &dir, &e))
            }
            _ => Ok(()),
        }
    }

    fn states(self) -> PathBuf {
        PathBuf::from(if self.sandbox {
            ".topo/sandbox/workspaces"
        } else {
            ".topo/state"
        })
    }

    fn selection(self) -> PathBuf {
        PathBuf::from(if self.sandbox {
            ".topo/sandbox/environment"
        } else {
            ".topo/environment"
        })
    }
}

/// What a name may be, for people.
pub const RULE: &str = "A name has letters, digits and any of - _ . ~ $ & + = : @, no spaces and no slashes, and is neither . nor ..";

/// Whether a name stands for itself in a URL's path and as the name of a directory.
pub fn is_valid(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.~$&+=:@".contains(c);
    !name.is_empty()
        && name != "."
        && name != ".."
        && name.len() <= 255
        && name.chars().all(allowed)
}

/// Makes a directory for its owner alone: states hold secrets.
fn make_dir(dir: &Path) -> Result<(), Diagnostics> {
    let mut builder = std::fs::DirBuilder::new();
    let made = builder.recursive(true).mode(0o700).create(dir);
    made.map_err(|e| failed("make the workspace", dir, &e))
}

fn failed(what: &str, path: &Path, error: &std::io::Error) -> Diagnostics {
    Diagnostics::error(
        format!("Cannot {what}"),
        format!("{}: {error}.", path.display()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_in_urls_and_as_directories() {
        for name in ["default", "a", "prod-eu_1.2~x", "a@b", "..."] {
            assert!(is_valid(name), "{name}");
        }
        for name in ["", ".", "..", "a/b", "a b", "ü", "a%b", "../x", "a\n"] {
            assert!(!is_valid(name), "{name}");
        }
    }

    #[test]
    fn the_default_workspace_is_where_it_always_was() {
        let (real, sandbox) = (Workspaces { sandbox: false }, Workspaces { sandbox: true });
        for (workspaces, name, dir) in [
            (real, "default", ".topo/state/default"),
            (real, "dev", ".topo/state/dev"),
            (sandbox, "default", ".topo/sandbox/state"),
            (sandbox, "dev", ".topo/sandbox/workspaces/dev/state"),
        ] {
            assert_eq!(workspaces.state_dir(name), PathBuf::from(dir));
        }
    }
}
