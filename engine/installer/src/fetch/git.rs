//! Git repositories, through the `git` program, which knows the user's keys, proxies and
//! credentials.
//!
//! Only the wanted commit is fetched where the server allows it, and the history is thrown away:
//! a module is its files, and a `.git` directory may hold a password from the address.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;
use topo_engine::config::source::without_password;

use crate::error::Error;

/// Variables that would make git work on another repository, as inside a hook.
const FOREIGN: [&str; 7] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
];

/// Fetches the files of a commit into an empty directory.
pub(super) async fn clone(
    url: &str,
    reference: Option<&str>,
    depth: Option<u32>,
    dir: &Path,
) -> Result<(), Error> {
    let git = Git { dir, url };
    git.run(["init", "--quiet"]).await?;
    git.run(["remote", "add", "--", "origin", url]).await?;
    let depth = format!("--depth={}", depth.unwrap_or(1));
    let wanted = reference.unwrap_or("HEAD");
    let shallow = git
        .run([
            "fetch",
            "--quiet",
            "--no-tags",
            &depth,
            "--",
            "origin",
            wanted,
        ])
        .await;
    let checked_out = match (shallow, reference) {
        (Ok(()), _) => git.checkout("FETCH_HEAD").await,
        (Err(e), Some(commit)) if may_be_commit(commit) => {
            git.whole(commit).await.map_err(|again| {
                // A repository that cannot be reached says so twice.
                if again.to_string() == e.to_string() {
                    e
                } else {
                    again
                }
            })
        }
        (Err(e), reference) if e.to_string().contains("shallow") => git
            .whole(reference.unwrap_or("origin/HEAD"))
            .await
            .map_err(|_| e),
        (Err(e), _) => Err(e),
    };
    checked_out?;
    if dir.join(".gitmodules").exists() {
        git.run(["submodule", "--quiet", "update", "--init", "--recursive"])
            .await?;
    }
    forget_history(dir).map_err(|e| Error::file(dir.display(), e))
}

/// Servers may refuse to send a commit by its name, and shortened names only mean something to
/// one who has them all.
fn may_be_commit(reference: &str) -> bool {
    (4..=64).contains(&reference.len()) && reference.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Removes `.git`, and the files of that name in submodules.
fn forget_history(dir: &Path) -> std::io::Result<()> {
    let has_submodules = dir.join(".gitmodules").exists();
    std::fs::remove_dir_all(dir.join(".git"))?;
    if !has_submodules {
        return Ok(());
    }
    let inside: Vec<_> = walkdir::WalkDir::new(dir)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|e| e.file_name() == ".git" && e.file_type().is_file())
        .collect();
    inside
        .iter()
        .try_for_each(|e| std::fs::remove_file(e.path()))
}

struct Git<'a> {
    dir: &'a Path,
    url: &'a str,
}

impl Git<'_> {
    async fn checkout(&self, commit: &str) -> Result<(), Error> {
        self.run(["checkout", "--quiet", "--detach", commit, "--"])
            .await
    }

    /// With all history.
    async fn whole(&self, wanted: &str) -> Result<(), Error> {
        let all = "+refs/heads/*:refs/remotes/origin/*";
        self.run(["fetch", "--quiet", "--tags", "--", "origin", all])
            .await?;
        if wanted == "origin/HEAD" {
            self.run(["remote", "set-head", "origin", "--auto"]).await?;
        }
        match self.checkout(wanted).await {
            Ok(()) => Ok(()),
            Err(e) => self
                .checkout(&format!("origin/{wanted}"))
                .await
                .map_err(|_| e),
        }
    }

    async fn run<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<(), Error> {
        let mut command = Command::new("git");
        command
            .arg("-C")
            .arg(self.dir)
            .args(arguments)
            // Nobody is asked for a password: that would look like standing still.
            .env("GIT_TERMINAL_PROMPT", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        for name in FOREIGN {
            command.env_remove(name);
        }
        let output = command.output().await.map_err(|e| match e.kind() {
            ErrorKind::NotFound => Error::Git(
                "The program \"git\" is needed to fetch this module and is not on the PATH.".into(),
            ),
            _ => Error::Git(format!("git cannot be started: {e}.")),
        })?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let shown = without_password(self.url);
        let said = said.trim().replace(self.url, &shown);
        let said = if said.is_empty() {
            output.status.to_string()
        } else {
            said
        };
        Err(Error::Git(format!("git could not fetch {shown}:\n{said}")))
    }
}
