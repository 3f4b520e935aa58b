//! Processes that cannot outlive the harness.
//!
//! A test process can be killed in ways that run no destructor. So each server is started by
//! a small shell that holds the other end of a pipe from the harness: when the pipe closes,
//! for whatever reason, the shell kills its whole process group. A folder of temporary files
//! has such a shell too, which removes it.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::error::{Context, ServerError};
use super::wait::PACE;

/// Runs "$@" until it ends or standard input closes.
const WATCH: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
{ cat <&3 >/dev/null; kill -KILL 0; } &
exec 3<&-
wait "$server"
"#;

/// Removes the folder $1 when standard input closes. A server that is being killed may still
/// be writing into it, so one try may not be enough.
const CLEAN: &str = r#"
cat >/dev/null
for try in $(seq 100); do
    rm -rf -- "$1" 2>/dev/null && exit
    sleep 0.05
done
"#;

/// How much of the end of a log an error shows.
const TAIL_LINES: usize = 25;
const TAIL_BYTES: u64 = 16 * 1024;

/// A folder that is removed when it is dropped or the process ends, however it ends.
pub(super) struct Scratch {
    path: PathBuf,
    cleaner: Child,
}

impl Scratch {
    /// Makes an empty folder that only this user can read.
    pub(super) fn new() -> Result<Self, ServerError> {
        let path = tempfile::Builder::new()
            .prefix("topo-servers-")
            .tempdir()
            .context(|| "cannot make a temporary folder".to_owned())?
            .keep();
        let cleaner = Command::new("sh")
            .args(["-c", CLEAN, "sh"])
            .arg(&path)
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .context(|| "cannot run sh".to_owned())?;
        Ok(Self { path, cleaner })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file into the folder and returns its path.
    pub(super) fn write(&self, name: &str, content: &str) -> Result<PathBuf, ServerError> {
        let path = self.path.join(name);
        fs::write(&path, content).context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// Leaves the folder where it is: an error names a log in it.
    pub(super) fn keep(&mut self) {
        // Nothing is to be done about a cleaner that cannot be killed: it has ended already.
        let _ = self.cleaner.kill();
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(self.cleaner.stdin.take());
        let _ = self.cleaner.wait();
    }
}

/// A running server.
pub(super) struct Process {
    name: &'static str,
    shell: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command` with nothing of the harness's environment but `PATH`, its home and
    /// temporary folder in `scratch`, and its output in a log there.
    pub(super) fn start(
        name: &'static str,
        command: &Command,
        scratch: &Scratch,
    ) -> Result<Self, ServerError> {
        let log = scratch.path().join(format!("{name}.log"));
        let output = File::create(&log).context(|| format!("cannot write {}", log.display()))?;
        let errors = output
            .try_clone()
            .context(|| format!("cannot write {}", log.display()))?;
        let mut shell = Command::new("sh");
        shell
            .args(["-c", WATCH, "sh"])
            .arg(command.get_program())
            .args(command.get_args())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", scratch.path())
            .env("TMPDIR", scratch.path())
            .envs(
                command
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .current_dir(scratch.path())
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(errors)
            // A Ctrl-C on the terminal is for the test process; the pipe tells the rest.
            .process_group(0);
        let shell = shell.spawn().context(|| "cannot run sh".to_owned())?;
        Ok(Self { name, shell, log })
    }

    /// Waits until `probe` gives a value.
    ///
    /// # Errors
    ///
    /// [`ServerError::Exited`] as soon as the server has ended, [`ServerError::NotReady`] when
    /// `deadline` has passed.
    pub(super) async fn ready<T>(
        &mut self,
        deadline: Duration,
        mut probe: impl AsyncFnMut() -> Option<T>,
    ) -> Result<T, ServerError> {
        let start = Instant::now();
        loop {
            // A port can be taken by somebody else's server: ours must be alive after the look.
            let found = probe().await;
            if let Some(status) = self.ended()? {
                return Err(ServerError::Exited {
                    name: self.name,
                    status: status.to_string(),
                    tail: tail(&self.log),
                    log: self.log.clone(),
                });
            }
            if let Some(value) = found {
                return Ok(value);
            }
            if start.elapsed() > deadline {
                return Err(ServerError::NotReady {
                    name: self.name,
                    waited: deadline,
                    tail: tail(&self.log),
                    log: self.log.clone(),
                });
            }
            tokio::time::sleep(PACE).await;
        }
    }

    fn ended(&mut self) -> Result<Option<ExitStatus>, ServerError> {
        self.shell
            .try_wait()
            .context(|| format!("cannot watch {}", self.name))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Closing the pipe makes the shell kill its group, itself included.
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

/// The last lines of a log.
fn tail(log: &Path) -> String {
    let read = || -> std::io::Result<String> {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = read().unwrap_or_else(|error| error.to_string());
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

/// Distinct loopback ports that nobody listens on now.
///
/// Somebody else may take one before the server does; the server then ends with that reason
/// in its log, and the harness starts anew.
pub(super) fn free_ports<const N: usize>() -> Result<[u16; N], ServerError> {
    let take = || -> std::io::Result<[u16; N]> {
        let mut ports = [0; N];
        let mut held = Vec::with_capacity(N);
        for port in &mut ports {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            *port = listener.local_addr()?.port();
            held.push(listener);
        }
        Ok(ports)
    };
    take().context(|| "cannot listen on 127.0.0.1".to_owned())
}

/// Whether a server ended because its port was taken in the meantime.
pub(super) fn port_was_taken(error: &ServerError) -> bool {
    matches!(error, ServerError::Exited { tail, .. }
        if tail.to_lowercase().contains("already in use"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[tokio::test]
    async fn a_server_that_ends_tells_its_last_words() {
        let scratch = Scratch::new().unwrap();
        let command = shell("echo one; echo two >&2; exit 3");
        let mut process = Process::start("brief", &command, &scratch).unwrap();
        let never = async || None::<()>;
        let error = process.ready(Duration::from_secs(20), never).await;
        let text = error.unwrap_err().to_string();
        assert!(text.contains("brief ended with exit status: 3"), "{text}");
        assert!(text.ends_with("one\ntwo"), "{text}");
    }

    #[tokio::test]
    async fn a_server_that_is_never_ready_is_told_from_one_that_ended() {
        let scratch = Scratch::new().unwrap();
        let mut process = Process::start("mute", &shell("cat"), &scratch).unwrap();
        // It has nothing on standard input and ends; one that stays does not.
        let never = async || None::<()>;
        let error = process.ready(Duration::from_secs(20), never).await;
        assert!(
            matches!(error, Err(ServerError::Exited { .. })),
            "{error:?}"
        );

        let command = shell("echo waiting; exec sleep 600");
        let mut process = Process::start("slow", &command, &scratch).unwrap();
        let error = process.ready(Duration::ZERO, never).await.unwrap_err();
        assert!(matches!(error, ServerError::NotReady { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_dropped_server_takes_its_children_and_its_files_along() {
        let scratch = Scratch::new().unwrap();
        let folder = scratch.path().to_owned();
        let command = shell("sleep 600 & echo $! >child; wait");
        let process = Process::start("parent", &command, &scratch).unwrap();
        let child = super::super::until("a child", Duration::from_secs(20), async || {
            let text = fs::read_to_string(folder.join("child")).ok()?;
            text.trim().parse::<u32>().ok()
        });
        let child = PathBuf::from(format!("/proc/{}", child.await.unwrap()));
        assert!(child.exists());
        drop(process);
        super::super::until("the child is gone", Duration::from_secs(20), async || {
            // A zombie that nobody has reaped yet has no command line any more.
            let line = fs::read(child.join("cmdline")).unwrap_or_default();
            line.is_empty().then_some(())
        })
        .await
        .unwrap();
        drop(scratch);
        assert!(!folder.exists());
    }

    #[tokio::test]
    async fn a_server_gets_nothing_of_the_environment() {
        let scratch = Scratch::new().unwrap();
        let command = shell("env");
        let mut process = Process::start("env", &command, &scratch).unwrap();
        let never = async || None::<()>;
        let _ = process.ready(Duration::from_secs(20), never).await;
        let text = fs::read_to_string(scratch.path().join("env.log")).unwrap();
        let mut names: Vec<&str> = text
            .lines()
            .filter_map(|line| line.split_once('=').map(|(name, _)| name))
            .filter(|name| !["_", "OLDPWD", "PWD", "SHLVL"].contains(name))
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["HOME", "PATH", "TMPDIR"]);
    }
}
