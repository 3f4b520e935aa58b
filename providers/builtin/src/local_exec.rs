//! `local-exec`: a command on the machine that topo runs on.
//!
//! The command is in a process group of its own: an interrupt typed at the terminal reaches topo
//! alone, which decides whether to wait, and stopping the run ends the command with everything
//! that it started. It has no standard input; standard output and standard error are one pipe,
//! so that their lines come in the order in which they were written. As with Terraform, a process
//! that the command leaves behind is waited for as long as it holds that pipe.

use std::collections::VecDeque;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::process::{Child, Command};
use topo_sdk::{
    Attribute, Block, Diagnostic, Diagnostics, Output, Path, ProvisionFailure, Provisioner, Schema,
    Type, Value,
};

/// A line that is longer is told in pieces of this many bytes.
const LONGEST_LINE: usize = 8 * 1024;
/// How many bytes of the end of the output a failure quotes.
const QUOTED: usize = 4 * 1024;

static SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(|| {
    let block = Block::new()
        .describe("Runs a command on the machine that topo runs on.")
        .attr(
            "command",
            Attribute::required(Type::String).describe("The command, given to the interpreter."),
        )
        .attr(
            "interpreter",
            Attribute::optional(Type::list(Type::String)).describe(
                "A program and its arguments, to which the command is added as the last; /bin/sh -c when empty.",
            ),
        )
        .attr(
            "working_dir",
            Attribute::optional(Type::String).describe("The directory that the command runs in."),
        )
        .attr(
            "environment",
            Attribute::optional(Type::map(Type::String))
                .describe("Environment variables, in addition to those of topo itself."),
        )
        .attr(
            "quiet",
            Attribute::optional(Type::Bool)
                .describe("Whether the command itself is kept out of the output."),
        );
    Arc::new(Schema::new(block))
});

/// The `local-exec` provisioner.
pub struct LocalExec;

#[async_trait]
impl Provisioner for LocalExec {
    fn name(&self) -> &'static str {
        "local-exec"
    }

    fn schema(&self) -> Arc<Schema> {
        SCHEMA.clone()
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let mut found = Diagnostics::new();
        if config.get_str("command").is_some_and(str::is_empty) {
            let d = Diagnostic::error("Empty command", "The command must not be empty.");
            found.push(d.at(Path::attribute("command")));
        }
        found
    }

    async fn run(&self, config: &Value, output: &Output<'_>) -> Result<(), ProvisionFailure> {
        // What was unknown when it was validated may have come out empty.
        let text = config.get_str("command").unwrap_or_default();
        if text.is_empty() {
            return Err(ProvisionFailure::new("the command is empty"));
        }
        let arguments = arguments(config, text);
        if config.get_bool("quiet") == Some(true) {
            output("Executing: suppressed by quiet = true");
        } else {
            output(&format!("Executing: {arguments:?}"));
        }
        let failed = |reason: String, tail: Option<Tail>| ProvisionFailure {
            reason,
            detail: detail(text, tail),
        };
        let (mut running, mut pipe) = start(config, &arguments)
            .map_err(|e| failed(format!("the command could not be started: {e}"), None))?;
        let tail = relay(&mut pipe, output)
            .await
            .map_err(|e| failed(format!("its output could not be read: {e}"), None))?;
        let status = running
            .end()
            .await
            .map_err(|e| failed(format!("it could not be waited for: {e}"), None))?;
        if status.success() {
            Ok(())
        } else {
            Err(failed(ended(status), Some(tail)))
        }
    }
}

/// The program and its arguments.
fn arguments(config: &Value, command: &str) -> Vec<String> {
    let interpreter = config.get("interpreter").and_then(Value::as_slice);
    let mut arguments: Vec<String> = interpreter
        .into_iter()
        .flatten()
        .filter_map(|v| v.as_str().map(str::to_string))
        .collect();
    if arguments.is_empty() {
        arguments = vec!["/bin/sh".into(), "-c".into()];
    }
    arguments.push(command.into());
    arguments
}

/// Starts the command; the pipe is what it writes.
fn start(config: &Value, arguments: &[String]) -> io::Result<(Running, Receiver)> {
    let (read, write) = io::pipe()?;
    // There is always an interpreter, and the command behind it.
    let (program, rest) = arguments.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command
        .args(rest)
        .stdin(Stdio::null())
        .stdout(write.try_clone()?)
        .stderr(write)
        .process_group(0);
    if let Some(dir) = config.get_str("working_dir").filter(|d| !d.is_empty()) {
        // Told apart from a program that is missing, which is the same error of the system.
        std::fs::metadata(dir).map_err(|e| io::Error::new(e.kind(), format!("{dir}: {e}")))?;
        command.current_dir(dir);
    }
    let environment = config.get("environment").and_then(Value::as_map);
    for (name, value) in environment.into_iter().flatten() {
        if let Some(value) = value.as_str() {
            command.env(&**name, value);
        }
    }
    let child = command.spawn()?;
    // Our copies of the writing end go with `command`: the pipe ends when the command's do.
    let running = Running { child };
    Ok((running, Receiver::from_owned_fd(read.into())?))
}

/// A command under way. Dropped before its end, it is killed with all processes of its group.
struct Running {
    child: Child,
}

impl Running {
    async fn end(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // There is no id any more once the command has been waited for.
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(group) = id.and_then(Pid::from_raw) {
            // It may have ended just now, which is as well.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Tells every line of the output until it ends; empty ones are left out. The end is kept.
async fn relay(pipe: &mut Receiver, output: &Output<'_>) -> io::Result<Tail> {
    let mut tail = Tail::default();
    let mut line: Vec<u8> = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let n = pipe.read(&mut chunk).await?;
        for byte in &chunk[..n] {
            // Programs that draw progress end lines with a carriage return.
            let end = matches!(byte, b'\n' | b'\r');
            if !end {
                line.push(*byte);
            }
            if end || line.len() == LONGEST_LINE {
                tail.tell(&mut line, output);
            }
        }
        if n == 0 {
            tail.tell(&mut line, output);
            return Ok(tail);
        }
    }
}

/// The last lines of an output.
#[derive(Default)]
struct Tail {
    lines: VecDeque<String>,
    bytes: usize,
    cut: bool,
}

impl Tail {
    fn tell(&mut self, line: &mut Vec<u8>, output: &Output<'_>) {
        if line.is_empty() {
            return;
        }
        let text = String::from_utf8_lossy(line).into_owned();
        line.clear();
        output(&text);
        self.bytes += text.len();
        self.lines.push_back(text);
        while self.bytes > QUOTED && self.lines.len() > 1 {
            self.bytes -= self.lines.pop_front().map_or(0, |l| l.len());
            self.cut = true;
        }
    }
}

/// What was run, and what it said last.
fn detail(command: &str, tail: Option<Tail>) -> String {
    let mut detail = format!("The command was: {command}");
    if let Some(tail) = tail.filter(|t| !t.lines.is_empty()) {
        detail.push_str(if tail.cut {
            "\n\nThe end of its output:"
        } else {
            "\n\nIts output:"
        });
        for line in tail.lines {
            detail.push_str("\n  ");
            detail.push_str(&line);
        }
    }
    detail
}

fn ended(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => "it ended in an unknown way".into(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use topo_sdk::{convert, plan};

    use super::*;
    use crate::testing::strings;

    fn config<const N: usize>(arguments: [(&str, Value); N]) -> Value {
        let filled = plan::fill_missing(&SCHEMA.block, Value::object(arguments));
        convert::convert(&filled, &SCHEMA.block.ty()).unwrap()
    }

    async fn run<const N: usize>(
        arguments: [(&str, Value); N],
    ) -> (Vec<String>, Result<(), ProvisionFailure>) {
        let lines = Mutex::new(Vec::new());
        let note = |line: &str| lines.lock().unwrap().push(line.to_string());
        let result = LocalExec.run(&config(arguments), &note).await;
        (lines.into_inner().unwrap(), result)
    }

    #[tokio::test]
    async fn both_outputs_come_in_the_order_in_which_they_were_written() {
        let script = "echo one; echo two >&2; printf 'three\\r\\n\\nfour\\rfive'; wc -c";
        let (lines, result) = run([("command", script.into())]).await;
        assert_eq!(result, Ok(()));
        assert_eq!(
            lines[0],
            format!("Executing: {:?}", ["/bin/sh", "-c", script])
        );
        // Standard input is empty, not the terminal.
        assert_eq!(lines[1..], ["one", "two", "three", "four", "five0"]);
    }

    #[tokio::test]
    async fn lines_are_told_before_the_command_ends() {
        // The command waits for what its own first line makes the listener write.
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("go");
        let script = format!("mkfifo {0}; echo ready; cat {0}", fifo.display());
        let config = config([("command", script.into()), ("quiet", true.into())]);
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        let note = move |line: &str| sender.send(line.to_string()).unwrap();
        let listener = async {
            assert_eq!(
                receiver.recv().await.as_deref(),
                Some("Executing: suppressed by quiet = true")
            );
            assert_eq!(receiver.recv().await.as_deref(), Some("ready"));
            tokio::fs::write(&fifo, "went on\n").await.unwrap();
            receiver.recv().await
        };
        let (result, last) = tokio::join!(LocalExec.run(&config, &note), listener);
        assert_eq!(result, Ok(()));
        assert_eq!(last.as_deref(), Some("went on"));
    }

    #[tokio::test]
    async fn interpreter_directory_and_environment_are_as_asked() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().canonicalize().unwrap();
        let interpreter = Value::tuple(vec!["/bin/sh".into(), "-ec".into()]);
        let (lines, result) = run([
            (
                "command",
                "pwd; echo $GREETING ${PATH:+inherited}; false; echo no".into(),
            ),
            ("interpreter", interpreter),
            ("working_dir", Value::string(dir.to_string_lossy())),
            ("environment", strings([("GREETING", "hello")])),
        ])
        .await;
        assert_eq!(lines[1..], [&*dir.to_string_lossy(), "hello inherited"]);
        assert_eq!(result.unwrap_err().reason, "exit status 1");
    }

    #[tokio::test]
    async fn a_failure_quotes_the_command_and_the_end_of_its_output() {
        let script = "echo said; exit 4";
        let failure = run([("command", script.into())]).await.1.unwrap_err();
        assert_eq!(failure.reason, "exit status 4");
        assert_eq!(
            failure.detail,
            "The command was: echo said; exit 4\n\nIts output:\n  said"
        );

        let script = "for i in $(seq 3000); do echo line $i; done; kill -9 $$";
        let (lines, result) = run([("command", script.into())]).await;
        assert_eq!(lines.len(), 3001);
        let failure = result.unwrap_err();
        assert_eq!(failure.reason, "killed by signal 9");
        assert!(failure.detail.len() < 2 * QUOTED);
        assert!(!failure.detail.contains("line 1000\n"));
        assert!(failure.detail.contains("The end of its output:"));
        assert!(failure.detail.ends_with("\n  line 3000"));
    }

    #[tokio::test]
    async fn what_cannot_be_started_says_why() {
        let failure = run([
            ("command", "true".into()),
            ("working_dir", "/not/there".into()),
        ]);
        let reason = failure.await.1.unwrap_err().reason;
        assert!(reason.contains("/not/there"), "{reason}");
        let interpreter = Value::tuple(vec!["/not/a/program".into()]);
        let failure = run([("command", "true".into()), ("interpreter", interpreter)]);
        let reason = failure.await.1.unwrap_err().reason;
        assert!(
            reason.starts_with("the command could not be started"),
            "{reason}"
        );
        let failure = run([("command", "".into())]).await.1.unwrap_err();
        assert_eq!(failure.reason, "the command is empty");
        assert!(
            LocalExec
                .validate(&config([("command", "".into())]))
                .has_errors()
        );
    }

    #[tokio::test]
    async fn output_that_is_no_text_and_a_line_without_end_are_told_in_pieces() {
        let script = "printf '\\377\\n'; head -c 20000 /dev/zero | tr '\\0' x";
        let (lines, result) = run([("command", script.into())]).await;
        assert_eq!(result, Ok(()));
        assert_eq!(lines[1], "\u{fffd}");
        let lengths: Vec<usize> = lines[2..].iter().map(String::len).collect();
        assert_eq!(
            lengths,
            [LONGEST_LINE, LONGEST_LINE, 20000 - 2 * LONGEST_LINE]
        );
    }

    #[tokio::test]
    async fn dropping_the_run_kills_everything_that_the_command_started() {
        // The pipe ends when the last process that has it is gone: those of the group, killed.
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("alive");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status();
        assert!(made.unwrap().success());
        let script = format!(
            "exec 3>{}; sh -c 'sleep 1000' & echo up; wait",
            fifo.display()
        );
        let config = config([("command", script.into()), ("quiet", true.into())]);
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        let note = move |line: &str| sender.send(line.to_string()).unwrap();
        let opened = tokio::task::spawn_blocking({
            let fifo = fifo.clone();
            move || std::fs::read(fifo)
        });
        {
            let run = LocalExec.run(&config, &note);
            tokio::pin!(run);
            loop {
                tokio::select! {
                    ended = &mut run => panic!("ended: {ended:?}"),
                    line = receiver.recv() => if line.as_deref() == Some("up") { break },
                }
            }
        }
        assert_eq!(opened.await.unwrap().unwrap(), b"");
    }
}
