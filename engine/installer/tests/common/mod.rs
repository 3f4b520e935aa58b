//! A project to install modules in, and what it installs from: a server on this machine, git
//! repositories and archives made here.

// Each test binary compiles this for itself and uses what it needs of it.
#![allow(dead_code)]

pub mod archives;
pub mod server;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use tempfile::TempDir;
use topo_engine::config::manifest::Manifest;
use topo_installer::{Event, Installation, Options, install};

/// A root module in a directory that lives as long as the test.
pub struct Project {
    dir: TempDir,
    pub options: Options,
}

/// What an installation did.
pub struct Run {
    pub result: Installation,
    pub events: Vec<Event>,
}

impl Run {
    /// What was fetched: key, address and version.
    pub fn fetched(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .events
            .iter()
            .filter_map(|e| match e {
                Event::Fetching {
                    key,
                    address,
                    version,
                } => Some(match version {
                    Some(v) => format!("{key} {address} {v}"),
                    None => format!("{key} {address}"),
                }),
                Event::Installed { .. } | Event::Waiting => None,
            })
            .collect();
        lines.sort();
        lines
    }

    /// The diagnostics as one text.
    pub fn errors(&self) -> String {
        self.result.diagnostics.to_string()
    }

    /// The run itself, when nothing went wrong.
    #[track_caller]
    pub fn fine(self) -> Run {
        assert!(self.result.diagnostics.is_empty(), "{}", self.errors());
        self
    }

    /// The run itself, when exactly one thing went wrong, and the error has all these parts.
    #[track_caller]
    pub fn fails_with(self, parts: &[&str]) -> Run {
        assert_eq!(
            self.result.diagnostics.iter().count(),
            1,
            "{}",
            self.errors()
        );
        let text = self.errors();
        for part in parts {
            assert!(text.contains(part), "{part:?} is not in:\n{text}");
        }
        self
    }
}

impl Project {
    /// With this root module.
    pub fn new(main: &str) -> Project {
        let project = Project {
            dir: tempfile::tempdir().unwrap(),
            options: Options::default(),
        };
        project.write("main.tf", main);
        project
    }

    /// With a root module that calls one module `m`.
    pub fn calling(source: &str) -> Project {
        Project::new(&call("m", source))
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn write(&self, name: &str, text: &str) {
        write(self.path(), name, text);
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub fn exists(&self, name: &str) -> bool {
        self.path().join(name).exists()
    }

    pub async fn install(&self) -> Run {
        let events = Mutex::new(Vec::new());
        let listener = |e: Event| events.lock().unwrap().push(e);
        let result = install(self.path(), &self.options, &listener).await;
        Run {
            result,
            events: events.into_inner().unwrap(),
        }
    }

    /// The manifest: key, source, version and directory of each module but the root.
    pub fn manifest(&self) -> Vec<String> {
        Manifest::read(self.path())
            .unwrap()
            .iter()
            .filter(|e| !e.key.is_empty())
            .map(|e| {
                let version = e.version.as_deref().unwrap_or("-");
                format!("{} {} {version} {}", e.key, e.source, e.dir)
            })
            .collect()
    }

    /// What is in the directory of modules, without the lock.
    pub fn modules(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.path().join(".topo/modules"))
            .map(|all| {
                all.map(|e| e.unwrap().file_name().into_string().unwrap())
                    .filter(|n| n != ".lock")
                    .collect()
            })
            .unwrap_or_default();
        names.sort();
        names
    }
}

/// A module call.
pub fn call(name: &str, source: &str) -> String {
    format!("module \"{name}\" {{\n  source = \"{source}\"\n}}\n")
}

/// A module call with a version.
pub fn versioned(name: &str, source: &str, version: &str) -> String {
    format!("module \"{name}\" {{\n  source  = \"{source}\"\n  version = \"{version}\"\n}}\n")
}

pub fn write(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A git repository.
pub struct Repository {
    dir: TempDir,
}

impl Repository {
    /// With these files in a first commit, tagged v1.
    pub fn new(files: &[(&str, &str)]) -> Repository {
        let repository = Repository {
            dir: tempfile::tempdir().unwrap(),
        };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.commit(files);
        repository.git(&["tag", "v1"]);
        repository
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap()
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("git::file://{}", self.path().display())
    }

    /// Commits these files; the commit's name.
    pub fn commit(&self, files: &[(&str, &str)]) -> String {
        for (name, text) in files {
            write(self.dir.path(), name, text);
        }
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "next"]);
        self.git(&["rev-parse", "HEAD"]).trim().to_string()
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .current_dir(self.dir.path())
            .args(["-c", "user.name=Test", "-c", "user.email=test@example.com"])
            .args(arguments)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }
}
