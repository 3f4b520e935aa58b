//! What happens during a run, told as it happens: a line for each beginning and end, a line
//! every ten seconds for what takes long, and on a terminal a bar below them.
//!
//! [`Lines`] makes text of events and knows no clock and no terminal; [`Reporter`] is the thread
//! that feeds it.

use std::collections::BTreeMap;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use topo_engine::changes::ChangeAction;
use topo_engine::events::{EphemeralAction, Event, Listener};
use topo_engine::store::RecordKey;

use crate::render::diagnostics::{diagnostic, no_sources};
use crate::render::style::{BOLD, RED, YELLOW, paint};
use crate::render::text::{count, visible};
use crate::ui::Ui;

/// How often something that is under way is told of.
const STILL: Duration = Duration::from_secs(10);

/// Something under way.
struct Running {
    action: ChangeAction,
    started: Instant,
    told: Duration,
    message: String,
}

/// Makes lines of events.
#[derive(Default)]
pub struct Lines {
    running: BTreeMap<RecordKey, Running>,
    /// How many mutations are done, failed or skipped.
    pub done: u64,
}

impl Lines {
    /// What to say about an event that happened now, without line breaks.
    pub fn event(&mut self, event: &Event, now: Instant) -> Vec<String> {
        match event {
            Event::RefreshStarted { provider, objects } => {
                vec![line(
                    provider,
                    &format!("Refreshing {}...", count(objects.len(), "object")),
                )]
            }
            Event::RefreshFinished { .. } => Vec::new(),
            Event::ImportStarted { address, id } => {
                vec![line(address, &format!("Importing...{}", id_note(Some(id))))]
            }
            Event::ImportFinished { address, .. } => vec![line(address, "Import complete")],
            Event::EphemeralStarted { address, action } => {
                let text = match action {
                    EphemeralAction::Open => "Opening...",
                    EphemeralAction::Renew => "Renewing...",
                    EphemeralAction::Close => "Closing...",
                };
                vec![line(address, text)]
            }
            Event::EphemeralFinished {
                address,
                action,
                elapsed,
            } => {
                let text = match action {
                    EphemeralAction::Open => "Opening",
                    EphemeralAction::Renew => "Renewal",
                    EphemeralAction::Close => "Closing",
                };
                let text = format!("{text} complete after {}", human(*elapsed));
                vec![line(address, &text)]
            }
            Event::Planned(_) | Event::Applied(_) => Vec::new(), // shown apart
            Event::ReadStarted { address } => vec![line(address, "Reading...")],
            Event::ReadFinished { address, elapsed } => vec![line(
                address,
                &format!("Read complete after {}", human(*elapsed)),
            )],
            Event::Recovered { key, outcome } => vec![line(
                &object(key),
                &format!("Recovered from an interrupted run: {}", visible(outcome)),
            )],
            Event::ProviderConfigured { provider } => vec![line(provider, "Configured")],
            Event::ApplyStarted { key, action, id } => {
                self.running.insert(
                    key.clone(),
                    Running {
                        action: *action,
                        started: now,
                        told: Duration::ZERO,
                        message: String::new(),
                    },
                );
                let text = format!("{}...{}", words(*action).0, id_note(id.as_deref()));
                vec![line(&object(key), &text)]
            }
            Event::ApplyProgress { key, message } => {
                if let Some(running) = self.running.get_mut(key) {
                    running.message = visible(message);
                }
                Vec::new()
            }
            Event::ApplyFinished {
                key,
                action,
                id,
                elapsed,
            } => {
                self.running.remove(key);
                self.done += 1;
                let text = format!(
                    "{} complete after {}{}",
                    words(*action).1,
                    human(*elapsed),
                    id_note(id.as_deref())
                );
                vec![line(&object(key), &text)]
            }
            Event::ApplyFailed {
                key,
                action,
                elapsed,
                ..
            } => {
                self.running.remove(key);
                self.done += 1;
                let text = format!("{} failed after {}", words(*action).1, human(*elapsed));
                vec![line(&object(key), &paint(RED, text))]
            }
            Event::ProvisionStarted {
                key,
                provisioner,
                simulated,
            } => {
                if let Some(running) = self.running.get_mut(key) {
                    running.message = format!("provisioning with {provisioner}");
                }
                let text = if *simulated {
                    format!("{provisioner} is not carried out in the sandbox, it would be given:")
                } else {
                    format!("Provisioning with {provisioner}...")
                };
                vec![line(&object(key), &text)]
            }
            Event::ProvisionOutput {
                key,
                provisioner,
                line: text,
            } => {
                let subject = format!("{} ({provisioner})", object(key));
                // Colours are for a terminal, which the command does not write to itself.
                let plain = anstream::adapter::strip_str(text).to_string();
                vec![line(&subject, &visible(&plain))]
            }
            Event::ProvisionFinished { .. } => Vec::new(), // what comes next says so
            Event::ProvisionFailed {
                key,
                provisioner,
                elapsed,
            } => {
                let text = format!("{provisioner} failed after {}", human(*elapsed));
                vec![line(&object(key), &paint(RED, text))]
            }
            Event::Skipped { .. } => {
                self.done += 1;
                Vec::new() // told at the end, with the reasons
            }
            Event::Interrupted { running } => vec![paint(
                YELLOW,
                format!(
                    "Interrupt received: nothing new is started, waiting for {} under way. Interrupt again to stop waiting.",
                    count(*running, "operation")
                ),
            )],
            Event::Diagnostic(d) => diagnostic(d, &no_sources, 100)
                .lines()
                .map(ToString::to_string)
                .collect(),
        }
    }

    /// What to say about what is still under way.
    pub fn tick(&mut self, now: Instant) -> Vec<String> {
        let mut lines = Vec::new();
        for (key, running) in &mut self.running {
            let elapsed = now.saturating_duration_since(running.started);
            if elapsed < running.told + STILL {
                continue;
            }
            running.told = Duration::from_secs(elapsed.as_secs() / 10 * 10);
            let mut text = format!(
                "Still {}... [{} elapsed]",
                words(running.action).0.to_lowercase(),
                human(running.told)
            );
            if !running.message.is_empty() {
                text.push(' ');
                text.push_str(&running.message);
            }
            lines.push(line(&object(key), &text));
        }
        lines
    }

    /// What is under way, in one line.
    pub fn status(&self) -> String {
        match (self.running.keys().next(), self.running.len()) {
            (None, _) => String::new(),
            (Some(one), 1) => object(one),
            (Some(first), all) => format!("{} and {} more", object(first), all - 1),
        }
    }
}

/// A duration as the peers write it: `3s`, `1m10s`, `1h0m5s`.
pub fn human(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    let (h, m, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (h, m) {
        (0, 0) => format!("{s}s"),
        (0, _) => format!("{m}m{s}s"),
        _ => format!("{h}h{m}m{s}s"),
    }
}

fn line(subject: &dyn std::fmt::Display, text: &str) -> String {
    format!("{} {text}", paint(BOLD, format!("{subject}:")))
}

fn object(key: &RecordKey) -> String {
    match &key.deposed {
        Some(deposed) => format!("{} (deposed object {deposed})", key.address),
        None => key.address.to_string(),
    }
}

fn id_note(id: Option<&str>) -> String {
    id.map_or(String::new(), |id| format!(" [id={}]", visible(id)))
}

/// While it happens, and when it has happened.
fn words(action: ChangeAction) -> (&'static str, &'static str) {
    match action {
        ChangeAction::Create => ("Creating", "Creation"),
        ChangeAction::Update => ("Modifying", "Modifications"),
        ChangeAction::Delete => ("Destroying", "Destruction"),
        ChangeAction::Read => ("Reading", "Read"),
        ChangeAction::DeleteThenCreate | ChangeAction::CreateThenDelete => {
            ("Replacing", "Replacement")
        }
        ChangeAction::Forget => ("Forgetting", "Forgetting"),
        ChangeAction::NoOp => ("Checking", "Check"),
    }
}

enum Message {
    Event(Box<Event>),
    Stop,
}

/// Prints events as they come, from a thread of its own.
pub struct Reporter {
    sender: mpsc::Sender<Message>,
    thread: Option<JoinHandle<()>>,
}

impl Reporter {
    /// For a run of so many mutations; with none there is no bar.
    pub fn start(ui: Ui, mutations: usize) -> Reporter {
        let (sender, receiver) = mpsc::channel();
        let thread = std::thread::spawn(move || report(ui, mutations, &receiver));
        Reporter {
            sender,
            thread: Some(thread),
        }
    }

    /// Where the engine sends its events.
    pub fn listener(&self) -> Listener {
        let sender = self.sender.clone();
        Arc::new(move |event| {
            // The thread outlives the run; were it gone there would be nobody to tell.
            let _ = sender.send(Message::Event(Box::new(event)));
        })
    }
}

/// Everything sent before is printed when this returns.
impl Drop for Reporter {
    fn drop(&mut self) {
        let _ = self.sender.send(Message::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn report(ui: Ui, mutations: usize, receiver: &mpsc::Receiver<Message>) {
    let bar = if ui.terminal && mutations > 0 {
        let bar = ProgressBar::with_draw_target(
            Some(mutations as u64),
            ProgressDrawTarget::stderr_with_hz(10),
        );
        if let Ok(style) =
            ProgressStyle::with_template("{spinner} [{bar:24}] {pos}/{len} {elapsed} {wide_msg}")
        {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Some(bar)
    } else {
        None
    };
    let mut lines = Lines::default();
    loop {
        let mut said = match receiver.recv_timeout(Duration::from_millis(500)) {
            Ok(Message::Event(event)) => lines.event(&event, Instant::now()),
            Err(mpsc::RecvTimeoutError::Timeout) => Vec::new(),
            Ok(Message::Stop) | Err(mpsc::RecvTimeoutError::Disconnected) => break,
        };
        said.extend(lines.tick(Instant::now()));
        let print = || {
            for text in &said {
                ui.print(&format!("{text}\n"));
            }
        };
        match &bar {
            Some(bar) => {
                if !said.is_empty() {
                    bar.suspend(print);
                }
                bar.set_position(lines.done);
                bar.set_message(lines.status());
            }
            None => print(),
        }
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(address: &str) -> RecordKey {
        RecordKey::from(
            address
                .parse::<topo_engine::address::InstanceAddress>()
                .unwrap(),
        )
    }

    fn plain(lines: Vec<String>) -> String {
        anstream::adapter::strip_str(&lines.join("\n")).to_string()
    }

    #[test]
    fn a_long_creation_is_told_of_every_ten_seconds() {
        let mut lines = Lines::default();
        let start = Instant::now();
        let said = lines.event(
            &Event::ApplyStarted {
                key: key("aws_eks_cluster.this"),
                action: ChangeAction::Create,
                id: None,
            },
            start,
        );
        assert_eq!(plain(said), "aws_eks_cluster.this: Creating...");
        assert!(lines.tick(start + Duration::from_secs(9)).is_empty());
        lines.event(
            &Event::ApplyProgress {
                key: key("aws_eks_cluster.this"),
                message: "cluster is CREATING".into(),
            },
            start,
        );
        assert_eq!(
            plain(lines.tick(start + Duration::from_millis(10_400))),
            "aws_eks_cluster.this: Still creating... [10s elapsed] cluster is CREATING"
        );
        assert!(lines.tick(start + Duration::from_secs(19)).is_empty());
        assert_eq!(lines.tick(start + Duration::from_secs(20)).len(), 1);
        let said = lines.event(
            &Event::ApplyFinished {
                key: key("aws_eks_cluster.this"),
                action: ChangeAction::Create,
                id: Some("kong".into()),
                elapsed: Duration::from_secs(70),
            },
            start,
        );
        assert_eq!(
            plain(said),
            "aws_eks_cluster.this: Creation complete after 1m10s [id=kong]"
        );
        assert_eq!(lines.done, 1);
    }

    #[test]
    fn the_output_of_a_provisioner_is_told_with_its_object() {
        let mut lines = Lines::default();
        let start = Instant::now();
        let key = key("terraform_data.a");
        let provisioner: Arc<str> = "local-exec".into();
        lines.event(
            &Event::ApplyStarted {
                key: key.clone(),
                action: ChangeAction::Create,
                id: None,
            },
            start,
        );
        let said = lines.event(
            &Event::ProvisionStarted {
                key: key.clone(),
                provisioner: provisioner.clone(),
                simulated: false,
            },
            start,
        );
        assert_eq!(
            plain(said),
            "terraform_data.a: Provisioning with local-exec..."
        );
        let said = lines.event(
            &Event::ProvisionOutput {
                key: key.clone(),
                provisioner: provisioner.clone(),
                line: "\u{1b}[31mred\u{1b}[0m and\u{7} loud".into(),
            },
            start,
        );
        assert_eq!(plain(said), "terraform_data.a (local-exec): red and loud");
        assert_eq!(
            plain(lines.tick(start + Duration::from_secs(10))),
            "terraform_data.a: Still creating... [10s elapsed] provisioning with local-exec"
        );
        let said = lines.event(
            &Event::ProvisionFailed {
                key,
                provisioner,
                elapsed: Duration::from_secs(12),
            },
            start,
        );
        assert_eq!(plain(said), "terraform_data.a: local-exec failed after 12s");
    }

    #[test]
    fn durations_as_the_peers_write_them() {
        assert_eq!(human(Duration::from_millis(999)), "0s");
        assert_eq!(human(Duration::from_secs(60)), "1m0s");
        assert_eq!(human(Duration::from_secs(3605)), "1h0m5s");
    }
}
