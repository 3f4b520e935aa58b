//! What happens to resource instances, each message with a `hook`.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value as Json};
use topo_engine::address::InstanceAddress;
use topo_engine::changes::ChangeAction;
use topo_engine::events::{EphemeralAction, Event};
use topo_engine::store::RecordKey;

use super::{Message, action_word, resource};
use crate::progress::{ephemeral_words, human, object, words};
use crate::render::text::visible;

/// What happens to one resource instance.
pub(super) struct Hook {
    subject: String,
    id: String,
    fields: Map<String, Json>,
}

impl Hook {
    pub(super) fn of(address: &InstanceAddress) -> Hook {
        let mut fields = Map::new();
        fields.insert("resource".into(), resource(address));
        Hook {
            subject: address.to_string(),
            id: String::new(),
            fields,
        }
    }

    pub(super) fn object(key: &RecordKey) -> Hook {
        let mut hook = Hook::of(&key.address);
        hook.subject = object(key);
        if let Some(deposed) = &key.deposed {
            hook = hook.with("deposed", &**deposed);
        }
        hook
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<Json>) -> Hook {
        self.fields.insert(name.into(), value.into());
        self
    }

    pub(super) fn action(self, action: ChangeAction) -> Hook {
        self.with("action", action_word(action))
    }

    pub(super) fn elapsed(self, elapsed: Duration) -> Hook {
        self.with("elapsed_seconds", elapsed.as_secs())
    }

    pub(super) fn id(mut self, id: Option<&str>) -> Hook {
        let Some(id) = id else { return self };
        self.id = format!(" [id={}]", visible(id));
        self.with("id_key", "id").with("id_value", id)
    }

    pub(super) fn says(self, kind: &str, text: &str) -> Message {
        let text = format!("{}: {text}{}", self.subject, self.id);
        Message::info(kind, text).with("hook", self.fields)
    }
}

pub(super) fn each(
    objects: &[(RecordKey, Option<String>)],
    kind: &str,
    text: &str,
) -> Vec<Message> {
    let message = |(key, id): &(RecordKey, Option<String>)| {
        Hook::object(key).id(id.as_deref()).says(kind, text)
    };
    objects.iter().map(message).collect()
}

pub(super) fn mutation(event: &Event) -> Vec<Message> {
    vec![match event {
        Event::ApplyStarted { key, action, id } => {
            let text = format!("{}...", words(*action).0);
            let hook = Hook::object(key).action(*action).id(id.as_deref());
            hook.says("apply_start", &text)
        }
        Event::ApplyFinished {
            key,
            action,
            id,
            elapsed,
        } => {
            let text = format!("{} complete after {}", words(*action).1, human(*elapsed));
            let hook = Hook::object(key).action(*action).id(id.as_deref());
            hook.elapsed(*elapsed).says("apply_complete", &text)
        }
        Event::ApplyFailed {
            key,
            action,
            elapsed,
            ..
        } => {
            let text = format!("{} errored after {}", words(*action).1, human(*elapsed));
            let hook = Hook::object(key).action(*action).elapsed(*elapsed);
            hook.says("apply_errored", &text)
        }
        Event::Skipped { key, because } => Hook::object(key)
            .with("reason", because.as_str())
            .says("apply_skipped", &format!("Not done: {because}")),
        Event::Recovered { key, outcome } => {
            let text = format!("Recovered from an interrupted run: {}", visible(outcome));
            let hook = Hook::object(key).with("outcome", outcome.as_str());
            hook.says("recovered", &text)
        }
        _ => return Vec::new(),
    }]
}

/// Data sources are told of as if reading were applying, as the peers do.
pub(super) fn data(event: &Event) -> Vec<Message> {
    vec![match event {
        Event::ReadStarted { address } => Hook::of(address)
            .action(ChangeAction::Read)
            .says("apply_start", "Reading..."),
        Event::ReadFinished { address, elapsed } => {
            let text = format!("Read complete after {}", human(*elapsed));
            let hook = Hook::of(address).action(ChangeAction::Read);
            hook.elapsed(*elapsed).says("apply_complete", &text)
        }
        _ => return Vec::new(),
    }]
}

pub(super) fn ephemeral(event: &Event) -> Vec<Message> {
    vec![match event {
        Event::EphemeralStarted { address, action } => {
            let (name, text) = ephemeral_words(*action);
            let hook = Hook::of(address).with("action", name);
            hook.says("ephemeral_op_start", &format!("{text}..."))
        }
        Event::EphemeralFinished {
            address,
            action,
            elapsed,
        } => {
            let (name, text) = ephemeral_words(*action);
            let text = format!("{text} complete after {}", human(*elapsed));
            let hook = Hook::of(address).with("action", name);
            hook.elapsed(*elapsed).says("ephemeral_op_complete", &text)
        }
        Event::EphemeralFailed {
            address,
            action,
            elapsed,
        } => {
            let (name, text) = ephemeral_words(*action);
            let text = format!("{text} errored after {}", human(*elapsed));
            let hook = Hook::of(address).with("action", name);
            hook.elapsed(*elapsed).says("ephemeral_op_errored", &text)
        }
        _ => return Vec::new(),
    }]
}

/// Something is still done to an ephemeral resource.
pub(super) fn still(
    address: &InstanceAddress,
    action: EphemeralAction,
    elapsed: Duration,
) -> Message {
    let (name, text) = ephemeral_words(action);
    let verb = text.to_lowercase();
    let text = format!("Still {verb}... [{} elapsed]", human(elapsed));
    let hook = Hook::of(address).with("action", name);
    hook.elapsed(elapsed).says("ephemeral_op_progress", &text)
}

pub(super) fn provision(event: &Event) -> Vec<Message> {
    let hook = |key: &RecordKey, provisioner: &Arc<str>| {
        Hook::object(key).with("provisioner", &**provisioner)
    };
    vec![match event {
        Event::ProvisionStarted {
            key,
            provisioner,
            simulated,
        } => {
            let text = if *simulated {
                format!("{provisioner} is not carried out in the sandbox, it would be given:")
            } else {
                format!("Provisioning with '{provisioner}'...")
            };
            hook(key, provisioner).says("provision_start", &text)
        }
        Event::ProvisionOutput {
            key,
            provisioner,
            line,
        } => {
            let text = format!("({provisioner}): {line}");
            let hook = hook(key, provisioner).with("output", line.as_str());
            hook.says("provision_progress", &text)
        }
        Event::ProvisionFinished {
            key, provisioner, ..
        } => {
            let text = format!("({provisioner}) Provisioning complete");
            hook(key, provisioner).says("provision_complete", &text)
        }
        Event::ProvisionFailed {
            key, provisioner, ..
        } => {
            let text = format!("({provisioner}) Provisioning errored");
            hook(key, provisioner).says("provision_errored", &text)
        }
        _ => return Vec::new(),
    }]
}
