//! A directory with a configuration, and the built binary run in it.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// A directory that lives as long as the test.
pub struct Project(TempDir);

/// What a run of the binary did.
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Project {
    /// With nothing in it.
    pub fn empty() -> Project {
        Project(tempfile::tempdir().unwrap())
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
        self.0.path()
    }

    /// Runs the binary here, with an environment that has nothing to do with the caller's.
    pub fn topo(&self, args: &[&str]) -> Run {
        let output = Command::new(env!("CARGO_BIN_EXE_topo"))
            .args(args)
            .current_dir(self.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
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
