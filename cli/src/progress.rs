//! What happens during a run, told as it happens: a line for each beginning and end, a line
//! every ten seconds for what takes long.
//!
//! [`Lines`] makes text of events and knows no clock and no terminal.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use topo_engine::address::InstanceAddress;
use topo_engine::changes::ChangeAction;
use topo_engine::events::{EphemeralAction, Event};
use topo_engine::store::RecordKey;

use crate::render::style::{BOLD, RED, YELLOW, paint};
use crate::render::text::{count, visible};

/// How often something that is under way is told of.
const STILL: Duration = Duration::from_secs(10);

/// Something under way.
#[derive(Debug, Clone)]
pub struct Running {
    /// What is done.
    pub action: ChangeAction,
    started: Instant,
    /// For how long it was under way when it was told of last, in steps of ten seconds.
    pub told: Duration,
    /// What it waits for, in words; may be empty.
    pub message: String,
}

/// Something under way with an ephemeral resource.
#[derive(Debug)]
struct Holding {
    action: EphemeralAction,
    started: Instant,
    told: Duration,
}

/// What is under way: mutations, and what is done to ephemeral resources.
#[derive(Debug, Default)]
pub struct UnderWay(
    BTreeMap<RecordKey, Running>,
    BTreeMap<InstanceAddress, Holding>,
);

/// How long something has been under way when it is to be told of; `None` when it is not yet.
fn due(started: Instant, told: &mut Duration, now: Instant) -> Option<Duration> {
    let elapsed = now.saturating_duration_since(started);
    if elapsed < *told + STILL {
        return None;
    }
    *told = Duration::from_secs(elapsed.as_secs() / 10 * 10);
    Some(*told)
}

impl UnderWay {
    /// Takes note of what begins, ends and waits.
    pub fn event(&mut self, event: &Event, now: Instant) {
        match event {
            Event::ApplyStarted { key, action, .. } => {
                let running = Running {
                    action: *action,
                    started: now,
                    told: Duration::ZERO,
                    message: String::new(),
                };
                self.0.insert(key.clone(), running);
            }
            Event::ApplyProgress { key, message } => self.waits(key, visible(message)),
            Event::ProvisionStarted {
                key, provisioner, ..
            } => self.waits(key, format!("provisioning with {provisioner}")),
            Event::ApplyFinished { key, .. } | Event::ApplyFailed { key, .. } => {
                self.0.remove(key);
            }
            Event::EphemeralStarted { address, action } => {
                let holding = Holding {
                    action: *action,
                    started: now,
                    told: Duration::ZERO,
                };
                self.1.insert(address.clone(), holding);
            }
            Event::EphemeralFinished { address, .. } | Event::EphemeralFailed { address, .. } => {
                self.1.remove(address);
            }
            _ => {}
        }
    }

    fn waits(&mut self, key: &RecordKey, message: String) {
        if let Some(running) = self.0.get_mut(key) {
            running.message = message;
        }
    }

    /// What has been under way for another ten seconds.
    pub fn due(&mut self, now: Instant) -> Vec<(RecordKey, Running)> {
        let mut found = Vec::new();
        for (key, running) in &mut self.0 {
            if due(running.started, &mut running.told, now).is_some() {
                found.push((key.clone(), running.clone()));
            }
        }
        found
    }

    /// The same of ephemeral resources: for how long each has been under way.
    pub fn due_ephemeral(
        &mut self,
        now: Instant,
    ) -> Vec<(InstanceAddress, EphemeralAction, Duration)> {
        let all = self.1.iter_mut();
        let due = all.filter_map(|(address, h)| {
            let elapsed = due(h.started, &mut h.told, now)?;
            Some((address.clone(), h.action, elapsed))
        });
        due.collect()
    }
}

/// Makes lines of events.
#[derive(Default)]
pub struct Lines {
    under_way: UnderWay,
    /// How many mutations are done, failed or skipped.
    pub done: u64,
}

impl Lines {
    /// What to say about an event that happened now, without line breaks.
    pub fn event(&mut self, event: &Event, now: Instant) -> Vec<String> {
        self.under_way.event(event, now);
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
                let (_, text) = ephemeral_words(*action);
                vec![line(address, &format!("{text}..."))]
            }
            Event::EphemeralFinished {
                address,
                action,
                elapsed,
            } => {
                let (_, text) = ephemeral_words(*action);
                let text = format!("{text} complete after {}", human(*elapsed));
                vec![line(address, &text)]
            }
            Event::EphemeralFailed {
                address,
                action,
                elapsed,
            } => {
                let (_, text) = ephemeral_words(*action);
                let text = format!("{text} failed after {}", human(*elapsed));
                vec![line(address, &paint(RED, text))]
            }
            // Shown as what they are, not as lines.
            Event::Planned(_)
            | Event::PlannedInPart(_)
            | Event::Applied(_)
            | Event::Diagnostic(_) => Vec::new(),
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
                let text = format!("{}...{}", words(*action).0, id_note(id.as_deref()));
                vec![line(&object(key), &text)]
            }
            Event::ApplyProgress { .. } => Vec::new(), // told with the time, when it takes long
            Event::ApplyFinished {
                key,
                action,
                id,
                elapsed,
            } => {
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
                self.done += 1;
                let text = format!("{} failed after {}", words(*action).1, human(*elapsed));
                vec![line(&object(key), &paint(RED, text))]
            }
            Event::ProvisionStarted {
                key,
                provisioner,
                simulated,
            } => {
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
        }
    }

    /// What to say about what is still under way.
    pub fn tick(&mut self, now: Instant) -> Vec<String> {
        let ephemeral = self.under_way.due_ephemeral(now).into_iter();
        let ephemeral = ephemeral.map(|(address, action, elapsed)| {
            let verb = ephemeral_words(action).1.to_lowercase();
            let text = format!("Still {verb}... [{} elapsed]", human(elapsed));
            line(&address, &text)
        });
        let told = self.under_way.due(now).into_iter();
        let told = told.map(|(key, running)| {
            let mut text = format!(
                "Still {}... [{} elapsed]",
                words(running.action).0.to_lowercase(),
                human(running.told)
            );
            if !running.message.is_empty() {
                text.push(' ');
                text.push_str(&running.message);
            }
            line(&object(&key), &text)
        });
        told.chain(ephemeral).collect()
    }

    /// What is under way, in one line.
    pub fn status(&self) -> String {
        match (self.under_way.0.keys().next(), self.under_way.0.len()) {
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

/// Its address, with the deposed key where it is not the current object.
pub fn object(key: &RecordKey) -> String {
    match &key.deposed {
        Some(deposed) => format!("{} (deposed object {deposed})", key.address),
        None => key.address.to_string(),
    }
}

fn id_note(id: Option<&str>) -> String {
    id.map_or(String::new(), |id| format!(" [id={}]", visible(id)))
}

/// The name of what is done to an ephemeral resource, and what it is while it happens.
pub fn ephemeral_words(action: EphemeralAction) -> (&'static str, &'static str) {
    match action {
        EphemeralAction::Open => ("open", "Opening"),
        EphemeralAction::Renew => ("renew", "Renewing"),
        EphemeralAction::Close => ("close", "Closing"),
    }
}

/// While it happens, and when it has happened.
pub fn words(action: ChangeAction) -> (&'static str, &'static str) {
    match action {
        ChangeAction::Create => ("Creating", "Creation"),
        ChangeAction::Update => ("Modifying", "Modifications"),
        ChangeAction::Delete => ("Destroying", "Destruction"),
        ChangeAction::Read => ("Reading", "Read"),
        ChangeAction::DeleteThenCreate
        | ChangeAction::CreateThenDelete
        | ChangeAction::ForgetThenCreate => ("Replacing", "Replacement"),
        ChangeAction::Forget => ("Forgetting", "Forgetting"),
        ChangeAction::NoOp => ("Checking", "Check"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

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
    fn what_is_done_to_an_ephemeral_resource_is_told_with_how_it_went() {
        let mut lines = Lines::default();
        let start = Instant::now();
        let address: InstanceAddress = "ephemeral.vault_secret.s[0]".parse().unwrap();
        let action = EphemeralAction::Renew;
        let begun = Event::EphemeralStarted {
            address: address.clone(),
            action,
        };
        let said = lines.event(&begun, start);
        assert_eq!(plain(said), "ephemeral.vault_secret.s[0]: Renewing...");
        assert!(lines.tick(start + Duration::from_secs(9)).is_empty());
        assert_eq!(
            plain(lines.tick(start + Duration::from_secs(10))),
            "ephemeral.vault_secret.s[0]: Still renewing... [10s elapsed]"
        );
        let failed = Event::EphemeralFailed {
            address,
            action,
            elapsed: Duration::from_secs(12),
        };
        let said = lines.event(&failed, start);
        assert_eq!(
            plain(said),
            "ephemeral.vault_secret.s[0]: Renewing failed after 12s"
        );
        assert!(lines.tick(start + Duration::from_secs(99)).is_empty());
        assert_eq!(lines.done, 0, "it is no change");
    }

    #[test]
    fn durations_as_the_peers_write_them() {
        assert_eq!(human(Duration::from_millis(999)), "0s");
        assert_eq!(human(Duration::from_secs(60)), "1m0s");
        assert_eq!(human(Duration::from_secs(3605)), "1h0m5s");
    }
}
