//! `-json` of plan, apply, destroy, refresh, init and get: one JSON object a line, as the peers publish it
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

mod hooks;
mod results;

#[cfg(test)]
mod tests;

use std::fmt::Display;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};
use topo_engine::address::{InstanceAddress, InstanceKey};
use topo_engine::changes::{ChangeAction, PlanMode};
use topo_engine::events::Event;
use topo_sdk::{Diagnostic, Diagnostics};

use self::hooks::{Hook, data, each, ephemeral, mutation, provision, still};
pub use self::results::deferred_reason;
use self::results::{applied, planned, planned_in_part};

use crate::commands::version::VERSION;
use crate::progress::{UnderWay, human, words};
use crate::render::diagnostics::Sources;
use crate::render::text::count;
use crate::ui::Ui;
use crate::view::{Note, SharedSources, View};

/// The version of the format.
const UI_VERSION: &str = "1.2";

/// Where messages go.
#[derive(Debug, Clone)]
pub enum Sink {
    /// To standard output.
    Output(Ui),
    /// To a file, which is whole up to the last message at any time.
    File(Arc<File>),
}

impl Sink {
    /// Into a new file; what was there before is gone.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn file(path: &Path) -> Result<Sink, Diagnostics> {
        let file = File::create(path).map_err(|e| {
            let detail = format!("{}: {e}.", path.display());
            Diagnostics::error("Cannot write the file given by -json-into", detail)
        })?;
        Ok(Sink::File(Arc::new(file)))
    }

    /// Writes messages, each with the time. As with a terminal, a run does not fail for them.
    pub fn write(&self, messages: Vec<Message>) {
        let mut text = String::new();
        for Message(mut fields) in messages {
            let now = format!("{:.6}", Timestamp::now());
            fields.insert("@timestamp".into(), json!(now));
            text.push_str(&Json::Object(fields).to_string());
            text.push('\n');
        }
        match self {
            _ if text.is_empty() => {}
            Sink::Output(ui) => ui.raw(&text),
            Sink::File(file) => {
                let _ = (&**file).write_all(text.as_bytes());
            }
        }
    }
}

/// Writes messages of what happens.
pub struct Stream {
    sink: Sink,
    sources: SharedSources,
    messages: Messages,
}

impl Stream {
    /// To there.
    pub fn new(sink: Sink, sources: SharedSources) -> Stream {
        Stream {
            sink,
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
        self.sink.write(said);
    }

    fn tick(&mut self) {
        let said = self.messages.tick(Instant::now());
        self.sink.write(said);
    }

    fn diagnostics(&mut self, all: &Diagnostics) {
        let sources = |file: &str| self.sources.get()?.text(file).map(str::to_string);
        self.sink.write(diagnostics(all, &sources));
    }

    /// What a person is to do next is of no use to a program.
    fn note(&mut self, note: &Note) {
        if let Note::Cancelled(_) = note {
            self.sink.write(vec![log("Cancelled")]);
        }
    }

    fn approve(&mut self, _mode: PlanMode) -> bool {
        false
    }
}

/// Writes messages to standard output.
pub fn write(ui: Ui, messages: Vec<Message>) {
    Sink::Output(ui).write(messages);
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

/// A step of `init`, with the code that programs know it by.
pub fn init_output(code: &str, text: &str) -> Message {
    Message::info("init_output", text).with("message_code", code)
}

/// Something that happened, in words only.
pub fn log(text: impl Into<String>) -> Message {
    Message::info("log", text)
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
        Message::new(level, "diagnostic", text)
            .with("diagnostic", crate::json::diagnostic(d, sources))
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
            Event::PlannedInPart(overview) => planned_in_part(overview),
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
            Event::Interrupted { running } => vec![log(format!(
                "Interrupt received: nothing new is started, waiting for {} under way.",
                count(*running, "operation")
            ))],
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
            Event::EphemeralStarted { .. }
            | Event::EphemeralFinished { .. }
            | Event::EphemeralFailed { .. } => ephemeral(event),
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
        let ephemeral = self.under_way.due_ephemeral(now).into_iter();
        let ephemeral =
            ephemeral.map(|(address, action, elapsed)| still(&address, action, elapsed));
        let due = self.under_way.due(now).into_iter();
        let due = due.map(|(key, running)| {
            let mut hook = Hook::object(&key)
                .action(running.action)
                .elapsed(running.told);
            if !running.message.is_empty() {
                hook = hook.with("status", running.message);
            }
            let verb = words(running.action).0.to_lowercase();
            let text = format!("Still {verb}... [{} elapsed]", human(running.told));
            hook.says("apply_progress", &text)
        });
        due.chain(ephemeral).collect()
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
