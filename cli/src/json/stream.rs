//! `-json` of plan, apply, destroy and refresh: one JSON object a line, as the peers publish it
//! under "Machine-Readable UI", version 1.2.
//!
//! Each message has `@level`, `@message` (for people), `@module`, `@timestamp` and `type`; the
//! first has the type `version`. `@module` is `terraform.ui`, as programs that read this expect.
//! What is topo's own, which programs made for the peers pass over:
//!
//! - in `version`: `topo`, and `"sandbox": true` where the cloud is a simulated one;
//! - in a `hook` and in a `change`: `deposed`, the key of an object that is not the current one;
//!   in the hook of `apply_progress` `status`, what the provider waits for, in its words;
//! - the reason `target_replaced` of a planned change;
//! - `change_summary` after a failure too, with the numbers `failed` and `skipped`;
//! - the types `deferred_change` (what is left to a later round), `apply_skipped` (what was not
//!   started, with the reason in words), `import_start`, `import_complete`, `recovered` (what
//!   became of an operation of a run that died) and `provider_configured`.

use std::fmt::Display;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};
use topo_engine::address::{InstanceAddress, InstanceKey};
use topo_engine::apply::Outcome;
use topo_engine::changes::{
    ChangeAction, Counts, Deferred, DeferredReason, Drift, InstanceChange, OutputChange, Overview,
    PlanMode, Reason,
};
use topo_engine::events::{EphemeralAction, Event};
use topo_engine::store::{OutputRecord, RecordKey};
use topo_sdk::{Diagnostic, Diagnostics, json::to_json};

use crate::commands::version::VERSION;
use crate::progress::{UnderWay, human, object, words};
use crate::render::diagnostics::Sources;
use crate::render::text::{count, visible};
use crate::ui::Ui;
use crate::view::{Note, SharedSources, View};

/// The version of the format.
const UI_VERSION: &str = "1.2";

/// Writes messages to standard output.
pub struct Stream {
    ui: Ui,
    sources: SharedSources,
    messages: Messages,
}

impl Stream {
    /// To this output.
    pub fn new(ui: Ui, sources: SharedSources) -> Stream {
        Stream {
            ui,
            sources,
            messages: Messages::default(),
        }
    }
}

impl View for Stream {
    fn event(&mut self, event: &Event) {
        let found = self.sources.clone();
        let sources = |file: &str| found.get()?.text(file).map(str::to_string);
        let said = self.messages.event(event, Instant::now(), &sources);
        write(self.ui, said);
    }

    fn tick(&mut self) {
        let said = self.messages.tick(Instant::now());
        write(self.ui, said);
    }

    fn diagnostics(&mut self, all: &Diagnostics) {
        let sources = |file: &str| self.sources.get()?.text(file).map(str::to_string);
        write(self.ui, diagnostics(all, &sources));
    }

    /// What a person is to do next is of no use to a program.
    fn note(&mut self, note: &Note) {
        if let Note::Cancelled(_) = note {
            write(self.ui, vec![Message::info("log", "Cancelled")]);
        }
    }

    fn approve(&mut self, _mode: PlanMode) -> bool {
        false
    }
}

/// Writes messages, each with the time.
pub fn write(ui: Ui, messages: Vec<Message>) {
    let mut text = String::new();
    for Message(mut fields) in messages {
        let now = format!("{:.6}", Timestamp::now());
        fields.insert("@timestamp".into(), json!(now));
        text.push_str(&Json::Object(fields).to_string());
        text.push('\n');
    }
    if !text.is_empty() {
        ui.raw(&text);
    }
}

/// One line, without the time.
#[derive(Debug, Clone, PartialEq)]
pub struct Message(Map<String, Json>);

impl Message {
    fn new(level: &str, kind: &str, text: impl Into<String>) -> Message {
        let mut fields = Map::new();
        fields.insert("@level".into(), json!(level));
        fields.insert("@message".into(), json!(text.into()));
        fields.insert("@module".into(), json!("terraform.ui"));
        fields.insert("type".into(), json!(kind));
        Message(fields)
    }

    fn info(kind: &str, text: impl Into<String>) -> Message {
        Message::new("info", kind, text)
    }

    fn with(mut self, name: &str, value: impl Into<Json>) -> Message {
        self.0.insert(name.into(), value.into());
        self
    }
}

/// What comes first.
pub fn version(sandbox: bool) -> Message {
    let place = if sandbox { " (sandbox)" } else { "" };
    let message = Message::info("version", format!("topo {VERSION}{place}"))
        .with("terraform", VERSION)
        .with("topo", VERSION)
        .with("ui", UI_VERSION);
    if sandbox {
        message.with("sandbox", true)
    } else {
        message
    }
}

/// A message for each, in order.
pub fn diagnostics(diagnostics: &Diagnostics, sources: Sources<'_>) -> Vec<Message> {
    let of = |d: &Diagnostic| {
        let (level, word) = if d.is_error() {
            ("error", "Error")
        } else {
            ("warn", "Warning")
        };
        let text = format!("{word}: {}", d.summary);
        Message::new(level, "diagnostic", text).with("diagnostic", super::diagnostic(d, sources))
    };
    diagnostics.iter().map(of).collect()
}

/// Makes messages of events.
#[derive(Default)]
struct Messages {
    under_way: UnderWay,
    mode: PlanMode,
}

impl Messages {
    /// What to say about an event that happened now.
    fn event(&mut self, event: &Event, now: Instant, sources: Sources<'_>) -> Vec<Message> {
        self.under_way.event(event, now);
        match event {
            Event::Planned(overview) => {
                self.mode = overview.mode;
                planned(overview, sources)
            }
            Event::Applied(outcome) => applied(self.mode, outcome, sources),
            Event::Diagnostic(d) => diagnostics(&Diagnostics::from(d.clone()), sources),
            Event::RefreshStarted { objects, .. } => {
                each(objects, "refresh_start", "Refreshing state...")
            }
            Event::RefreshFinished { objects, .. } => {
                each(objects, "refresh_complete", "Refresh complete")
            }
            Event::Interrupted { running } => vec![Message::info(
                "log",
                format!(
                    "Interrupt received: nothing new is started, waiting for {} under way.",
                    count(*running, "operation")
                ),
            )],
            Event::ProviderConfigured { provider } => vec![
                Message::info("provider_configured", format!("{provider}: Configured"))
                    .with("provider", provider.to_string()),
            ],
            Event::ImportStarted { address, id } => {
                vec![
                    Hook::of(address)
                        .id(Some(id))
                        .says("import_start", "Importing..."),
                ]
            }
            Event::ImportFinished { address, id } => {
                vec![
                    Hook::of(address)
                        .id(Some(id))
                        .says("import_complete", "Import complete"),
                ]
            }
            Event::ReadStarted { .. } | Event::ReadFinished { .. } => data(event),
            Event::EphemeralStarted { .. } | Event::EphemeralFinished { .. } => ephemeral(event),
            Event::ProvisionStarted { .. }
            | Event::ProvisionOutput { .. }
            | Event::ProvisionFinished { .. }
            | Event::ProvisionFailed { .. } => provision(event),
            Event::ApplyProgress { .. } => Vec::new(), // told with the time, when it takes long
            Event::ApplyStarted { .. }
            | Event::ApplyFinished { .. }
            | Event::ApplyFailed { .. }
            | Event::Skipped { .. }
            | Event::Recovered { .. } => mutation(event),
        }
    }

    /// What to say about what is still under way.
    fn tick(&mut self, now: Instant) -> Vec<Message> {
        let due = self.under_way.due(now).into_iter();
        due.map(|(key, running)| {
            let mut hook = Hook::object(&key)
                .action(running.action)
                .elapsed(running.told);
            if !running.message.is_empty() {
                hook = hook.with("status", running.message);
            }
            let verb = words(running.action).0.to_lowercase();
            let text = format!("Still {verb}... [{} elapsed]", human(running.told));
            hook.says("apply_progress", &text)
        })
        .collect()
    }
}

/// What happens to one resource instance.
struct Hook {
    subject: String,
    id: String,
    fields: Map<String, Json>,
}

impl Hook {
    fn of(address: &InstanceAddress) -> Hook {
        let mut fields = Map::new();
        fields.insert("resource".into(), resource(address));
        Hook {
            subject: address.to_string(),
            id: String::new(),
            fields,
        }
    }

    fn object(key: &RecordKey) -> Hook {
        let mut hook = Hook::of(&key.address);
        hook.subject = object(key);
        if let Some(deposed) = &key.deposed {
            hook = hook.with("deposed", &**deposed);
        }
        hook
    }

    fn with(mut self, name: &str, value: impl Into<Json>) -> Hook {
        self.fields.insert(name.into(), value.into());
        self
    }

    fn action(self, action: ChangeAction) -> Hook {
        self.with("action", action_word(action))
    }

    fn elapsed(self, elapsed: Duration) -> Hook {
        self.with("elapsed_seconds", elapsed.as_secs())
    }

    fn id(mut self, id: Option<&str>) -> Hook {
        let Some(id) = id else { return self };
        self.id = format!(" [id={}]", visible(id));
        self.with("id_key", "id").with("id_value", id)
    }

    fn says(self, kind: &str, text: &str) -> Message {
        let text = format!("{}: {text}{}", self.subject, self.id);
        Message::info(kind, text).with("hook", self.fields)
    }
}

fn each(objects: &[(RecordKey, Option<String>)], kind: &str, text: &str) -> Vec<Message> {
    let message = |(key, id): &(RecordKey, Option<String>)| {
        Hook::object(key).id(id.as_deref()).says(kind, text)
    };
    objects.iter().map(message).collect()
}

fn mutation(event: &Event) -> Vec<Message> {
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
fn data(event: &Event) -> Vec<Message> {
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

fn ephemeral(event: &Event) -> Vec<Message> {
    let word = |action: &EphemeralAction| match action {
        EphemeralAction::Open => ("open", "Opening"),
        EphemeralAction::Renew => ("renew", "Renewing"),
        EphemeralAction::Close => ("close", "Closing"),
    };
    vec![match event {
        Event::EphemeralStarted { address, action } => {
            let (name, text) = word(action);
            let hook = Hook::of(address).with("action", name);
            hook.says("ephemeral_op_start", &format!("{text}..."))
        }
        Event::EphemeralFinished {
            address,
            action,
            elapsed,
        } => {
            let (name, text) = word(action);
            let text = format!("{text} complete after {}", human(*elapsed));
            let hook = Hook::of(address).with("action", name);
            hook.elapsed(*elapsed).says("ephemeral_op_complete", &text)
        }
        _ => return Vec::new(),
    }]
}

fn provision(event: &Event) -> Vec<Message> {
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

/// Warnings, drift, changes, what is deferred, the counts, the outputs.
fn planned(overview: &Overview, sources: Sources<'_>) -> Vec<Message> {
    let mut said = diagnostics(&overview.diagnostics, sources);
    said.extend(overview.drift.iter().map(drift));
    said.extend(overview.changes.iter().filter_map(change));
    said.extend(overview.deferred.iter().map(deferred));
    said.push(plan_summary(&overview.counts()));
    if !overview.outputs.is_empty() {
        let outputs = overview.outputs.iter().map(|o| {
            let value = json!({"sensitive": o.sensitive, "action": output_action(o)});
            (o.name.to_string(), value)
        });
        said.push(outputs_message(outputs.collect()));
    }
    said
}

fn drift(d: &Drift) -> Message {
    let action = match d.after {
        Some(_) => "update",
        None => "delete",
    };
    let text = format!("{}: Drift detected ({action})", object(&d.key));
    let change = changed(&d.key, action);
    Message::info("resource_drift", text).with("change", change)
}

fn changed(key: &RecordKey, action: &str) -> Map<String, Json> {
    let mut change = Map::new();
    change.insert("resource".into(), resource(&key.address));
    change.insert("action".into(), json!(action));
    if let Some(deposed) = &key.deposed {
        change.insert("deposed".into(), json!(deposed));
    }
    change
}

/// Nothing for an object that stays as it is and where it is.
fn change(c: &InstanceChange) -> Option<Message> {
    let is_data = c.mode() != topo_engine::address::ResourceMode::Managed;
    let word = match (c.action, &c.previous, &c.importing) {
        (ChangeAction::NoOp, Some(_), _) => "move",
        (ChangeAction::NoOp, None, Some(_)) => "import",
        (ChangeAction::NoOp, None, None) => return None,
        (ChangeAction::Delete, ..) if is_data => return None,
        (action, ..) => action_word(action),
    };
    let mut change = changed(&c.key, word);
    if let Some(previous) = &c.previous {
        change.insert("previous_resource".into(), resource(previous));
    }
    if let Some(reason) = c.reason.as_ref().and_then(|r| reason(r, c.action)) {
        change.insert("reason".into(), json!(reason));
    }
    if let Some(importing) = &c.importing {
        change.insert("importing".into(), json!({"id": importing.id}));
    }
    let text = format!("{}: Plan to {word}", object(&c.key));
    Some(Message::info("planned_change", text).with("change", change))
}

/// The published names, which are shorter for replacements than those of `show -json`.
fn reason(reason: &Reason, action: ChangeAction) -> Option<&'static str> {
    match reason {
        Reason::Tainted => Some("tainted"),
        Reason::Requested => Some("requested"),
        Reason::TriggeredBy(_) => Some("replace_triggered_by"),
        Reason::CannotUpdate => Some("cannot_update"),
        Reason::TargetReplaced { .. } => Some("target_replaced"),
        other => super::plan::reason(other, action),
    }
}

fn deferred(d: &Deferred) -> Message {
    let change = json!({
        "resource": {
            "addr": d.address,
            "module": d.resource.module.to_string(),
            "resource": format!("{}.{}", d.resource.type_name, d.resource.name),
            "implied_provider": implied_provider(&d.resource.type_name),
            "resource_type": d.resource.type_name,
            "resource_name": d.resource.name,
            "resource_key": null,
        },
        "reason": deferred_reason(d.reason),
        "unknown": d.unknown,
    });
    let text = format!("{}: Deferred to a later round", d.address);
    Message::info("deferred_change", text).with("change", change)
}

/// The published name.
pub fn deferred_reason(reason: DeferredReason) -> &'static str {
    match reason {
        DeferredReason::InstanceCountUnknown => "instance_count_unknown",
        DeferredReason::Prerequisite => "deferred_prereq",
    }
}

fn counts(counts: &Counts, operation: &str) -> Map<String, Json> {
    let mut out = Map::new();
    for (name, n) in [
        ("add", counts.add),
        ("change", counts.change),
        ("remove", counts.destroy),
        ("import", counts.import),
        ("forget", counts.forget),
    ] {
        out.insert(name.into(), json!(n));
    }
    out.insert("operation".into(), json!(operation));
    out
}

/// `number words` for numbers above 0, and always those that must be there.
fn numbers(parts: &[(usize, &str, bool)]) -> String {
    let shown = parts.iter().filter(|(n, _, always)| *always || *n > 0);
    let shown: Vec<String> = shown.map(|(n, words, _)| format!("{n} {words}")).collect();
    shown.join(", ")
}

fn plan_summary(c: &Counts) -> Message {
    let numbers = numbers(&[
        (c.import, "to import", false),
        (c.add, "to add", true),
        (c.change, "to change", true),
        (c.destroy, "to destroy", true),
        (c.forget, "to forget", false),
    ]);
    Message::info("change_summary", format!("Plan: {numbers}.")).with("changes", counts(c, "plan"))
}

/// Failures, the counts, the outputs.
fn applied(mode: PlanMode, outcome: &Outcome, sources: Sources<'_>) -> Vec<Message> {
    let mut said = diagnostics(&outcome.diagnostics, sources);
    for (_, failed) in &outcome.failed {
        said.extend(diagnostics(failed, sources));
    }
    said.push(apply_summary(mode, outcome));
    if outcome.is_success() && mode != PlanMode::Destroy && !outcome.outputs.is_empty() {
        let outputs = outcome.outputs.iter();
        let outputs = outputs.map(|(name, o)| (name.to_string(), output(o)));
        said.push(outputs_message(outputs.collect()));
    }
    said
}

fn apply_summary(mode: PlanMode, outcome: &Outcome) -> Message {
    let c = &outcome.counts;
    let destroys = mode == PlanMode::Destroy;
    let (operation, title) = if destroys {
        ("destroy", "Destroy")
    } else {
        ("apply", "Apply")
    };
    let numbers = numbers(&[
        (c.import, "imported", false),
        (c.add, "added", !destroys),
        (c.change, "changed", !destroys),
        (c.destroy, "destroyed", true),
        (c.forget, "forgotten", false),
    ]);
    let mut changes = counts(c, operation);
    if outcome.is_success() {
        let text = format!("{title} complete! Resources: {numbers}.");
        return Message::info("change_summary", text).with("changes", changes);
    }
    let (failed, skipped) = (outcome.failed.len(), outcome.skipped.len());
    changes.insert("failed".into(), json!(failed));
    changes.insert("skipped".into(), json!(skipped));
    let text = format!(
        "{title} incomplete. Resources: {numbers}; {} failed, {skipped} not done.",
        count(failed, "operation")
    );
    Message::info("change_summary", text).with("changes", changes)
}

fn outputs_message(outputs: Map<String, Json>) -> Message {
    let text = format!("Outputs: {}", outputs.len());
    Message::info("outputs", text).with("outputs", outputs)
}

/// What is sensitive has no value here: these lines end up in logs.
fn output(o: &OutputRecord) -> Json {
    let hidden = o.sensitive || o.value.deep_marks().bits() != 0;
    let mut out = json!({"sensitive": hidden, "type": o.value.ty().to_json()});
    if !hidden {
        out["value"] = to_json(&o.value);
    }
    out
}

fn output_action(o: &OutputChange) -> &'static str {
    match (&o.before, &o.after) {
        _ if o.is_no_op() => "noop",
        (None, _) => "create",
        (_, None) => "delete",
        _ => "update",
    }
}

fn action_word(action: ChangeAction) -> &'static str {
    match action {
        ChangeAction::NoOp => "noop",
        ChangeAction::Forget => "remove",
        other => other.word(),
    }
}

/// The address in its parts.
fn resource(address: &InstanceAddress) -> Json {
    let whole = address.to_string();
    let module = address.resource.module.to_string();
    let inside = whole.strip_prefix(&module).unwrap_or(&whole);
    let type_name = &address.resource.type_name;
    json!({
        "addr": whole,
        "module": module,
        "resource": inside.strip_prefix('.').unwrap_or(inside),
        "implied_provider": implied_provider(type_name),
        "resource_type": type_name,
        "resource_name": address.resource.name,
        "resource_key": match &address.key {
            None => Json::Null,
            Some(InstanceKey::Index(i)) => json!(i),
            Some(InstanceKey::Key(k)) => json!(k),
        },
    })
}

fn implied_provider(type_name: impl Display) -> String {
    let name = type_name.to_string();
    match name.split_once('_') {
        Some((provider, _)) => provider.to_string(),
        None => name,
    }
}
