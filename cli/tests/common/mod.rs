//! A directory with a configuration, and the built binary run in it.

// Each test takes what it needs.
#![allow(dead_code)]

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// A directory that lives as long as the test.
pub struct Project {
    directory: TempDir,
    /// What the binary has in its environment, beside what every process needs.
    pub environment: Vec<(&'static str, String)>,
}

/// What a run of the binary did.
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Project {
    /// With nothing in it.
    pub fn empty() -> Project {
        Project {
            directory: tempfile::tempdir().unwrap(),
            environment: Vec::new(),
        }
    }

    /// With these files.
    pub fn with(files: &[(&str, &str)]) -> Project {
        let project = Project::empty();
        for (name, text) in files {
            std::fs::write(project.path().join(name), text).unwrap();
        }
        project
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Runs the binary here, with an environment that has nothing to do with the caller's.
    pub fn topo(&self, args: &[&str]) -> Run {
        let output = Command::new(env!("CARGO_BIN_EXE_topo"))
            .args(args)
            .current_dir(self.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
            .envs(self.environment.clone())
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        Run {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Copies a directory, without what topo has left in it.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_name() == ".topo" {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}
