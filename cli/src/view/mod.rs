//! What is seen of a run: a [`View`] makes it of the engine's events, text for people or JSON for
//! programs, and asks for approval where somebody can be asked.
//!
//! A view runs in a thread of its own, which [`Reporter`] feeds: the engine hands an event on and
//! never waits for a terminal. Everything that a run says goes through there, so that it comes
//! out in the order in which it happened.

mod human;

use std::sync::{Arc, OnceLock, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;
use topo_engine::address::InstanceAddress;
use topo_engine::changes::{Drift, PlanMode, Unread};
use topo_engine::config::Sources;
use topo_engine::events::{Event, Listener};
use topo_sdk::Diagnostics;

pub use human::{Human, Shown};

/// How often a view may say what is still under way.
const TICK: Duration = Duration::from_millis(500);

/// The texts of the files that were read, once they are.
pub type SharedSources = Arc<OnceLock<Sources>>;

/// In which form a run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// As text for people.
    #[default]
    Text,
    /// As JSON, one message a line.
    Stream,
}

/// What becomes of the things that a run has to say.
pub trait View: Send {
    /// Something happened.
    fn event(&mut self, event: &Event);
    /// Time has passed.
    fn tick(&mut self);
    /// Something is to be known that is not in the plan and not in the outcome.
    fn diagnostics(&mut self, diagnostics: &Diagnostics);
    /// The command itself has something to say.
    fn note(&mut self, note: &Note);
    /// Whether the plan that was shown may be carried out.
    fn approve(&mut self, mode: PlanMode) -> bool;
    /// Nothing follows.
    fn end(&mut self) {}
}

/// What a command says beside what the engine tells.
#[derive(Debug, Clone)]
pub enum Note {
    /// The plan was saved.
    Saved {
        /// The file, as it was given.
        file: String,
    },
    /// The plan was not saved, and there is something in it.
    NotSaved,
    /// The plan was not approved.
    Cancelled(PlanMode),
    /// What was left to this round is planned now.
    Round(u32),
    /// The saved plan left something to a later run.
    Unfinished,
    /// Configuration was written for what is to be imported.
    Generated {
        /// Into this file, as it was given.
        file: String,
    },
    /// An object was taken into the state.
    Imported(InstanceAddress),
    /// What a look at reality found.
    Drift(Box<DriftReport>),
}

/// What a look at reality found.
#[derive(Debug, Clone)]
pub struct DriftReport {
    /// The objects that are not as in the state.
    pub drift: Vec<Drift>,
    /// Those that could not be read.
    pub unread: Vec<Unread>,
    /// What else is to be known, which does not concern objects that could not be read.
    pub rest: Diagnostics,
    /// How many objects were looked at, where that is known.
    pub objects: Option<usize>,
}

/// A view of a run of which nothing is shown.
pub struct Quiet;

impl View for Quiet {
    fn event(&mut self, _event: &Event) {}
    fn tick(&mut self) {}
    fn diagnostics(&mut self, _diagnostics: &Diagnostics) {}
    fn note(&mut self, _note: &Note) {}
    fn approve(&mut self, _mode: PlanMode) -> bool {
        false
    }
}

/// Two views of one run, of which the first is the one that somebody watches.
pub struct Both<V>(pub Box<dyn View>, pub V);

impl<V: View> View for Both<V> {
    fn event(&mut self, event: &Event) {
        self.0.event(event);
        self.1.event(event);
    }

    fn tick(&mut self) {
        self.0.tick();
        self.1.tick();
    }

    fn diagnostics(&mut self, diagnostics: &Diagnostics) {
        self.0.diagnostics(diagnostics);
        self.1.diagnostics(diagnostics);
    }

    fn note(&mut self, note: &Note) {
        self.0.note(note);
        self.1.note(note);
    }

    fn approve(&mut self, mode: PlanMode) -> bool {
        self.0.approve(mode)
    }

    fn end(&mut self) {
        self.0.end();
        self.1.end();
    }
}

enum Message {
    Event(Box<Event>),
    Diagnostics(Diagnostics),
    Note(Note),
    Approve(PlanMode, oneshot::Sender<bool>),
    Stop,
}

/// The thread of a view. Everything that was sent is out when it is dropped.
pub struct Reporter {
    sender: mpsc::Sender<Message>,
    thread: Option<JoinHandle<()>>,
}

impl Reporter {
    /// Starts the thread.
    pub fn start(view: Box<dyn View>) -> Reporter {
        let (sender, receiver) = mpsc::channel();
        let thread = std::thread::spawn(move || feed(view, &receiver));
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

    /// Tells of something that is not in the plan and not in the outcome.
    pub fn diagnostics(&self, diagnostics: Diagnostics) {
        let _ = self.sender.send(Message::Diagnostics(diagnostics));
    }

    /// Tells what the command itself has to say.
    pub fn note(&self, note: Note) {
        let _ = self.sender.send(Message::Note(note));
    }

    /// Whether the plan that was shown last may be carried out.
    pub async fn approve(&self, mode: PlanMode) -> bool {
        let (answer, answered) = oneshot::channel();
        let _ = self.sender.send(Message::Approve(mode, answer));
        answered.await.unwrap_or(false)
    }
}

/// Everything sent before is out when this returns.
impl Drop for Reporter {
    fn drop(&mut self) {
        let _ = self.sender.send(Message::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn feed(mut view: Box<dyn View>, receiver: &mpsc::Receiver<Message>) {
    loop {
        match receiver.recv_timeout(TICK) {
            Ok(Message::Event(event)) => view.event(&event),
            Ok(Message::Diagnostics(diagnostics)) => view.diagnostics(&diagnostics),
            Ok(Message::Note(note)) => view.note(&note),
            Ok(Message::Approve(mode, answer)) => {
                let _ = answer.send(view.approve(mode));
                continue; // however long the answer took, nothing was under way
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Ok(Message::Stop) | Err(mpsc::RecvTimeoutError::Disconnected) => break,
        }
        view.tick();
    }
    view.end();
}
