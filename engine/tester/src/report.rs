//! What is told of tests: events while they run, and what came of them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use topo_engine::changes::Overview;
use topo_engine::store::{RecordKey, State};
use topo_sdk::{Diagnostic, Diagnostics};

use crate::file::Command;

/// What became of a run, a file or everything; the worse, the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Status {
    /// Not started.
    #[default]
    Pending,
    /// Left out, because an earlier run made no sense of going on.
    Skip,
    /// All assertions hold.
    Pass,
    /// An assertion does not hold.
    Fail,
    /// Something could not be carried out or evaluated.
    Error,
}

impl Status {
    /// The word for it in the published formats.
    pub fn word(self) -> &'static str {
        match self {
            Status::Pending => "pending",
            Status::Skip => "skip",
            Status::Pass => "pass",
            Status::Fail => "fail",
            Status::Error => "error",
        }
    }

    /// The word that people see: an error is a failure, too.
    pub fn shown(self) -> &'static str {
        match self {
            Status::Error => "fail",
            other => other.word(),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Which run of which file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunName {
    /// The file.
    pub file: Arc<str>,
    /// The run.
    pub run: Arc<str>,
}

/// A file and the names of its runs.
pub type FoundFile = (Arc<str>, Vec<Arc<str>>);

/// Something that happened.
#[derive(Debug, Clone)]
pub enum TestEvent {
    /// What is going to be run: the files, each with its runs.
    Found(Arc<[FoundFile]>),
    /// A file begins.
    FileStarted(Arc<str>),
    /// A run begins.
    RunStarted(RunName),
    /// A run is over, or was skipped.
    RunFinished(Arc<RunReport>),
    /// What the runs of a file made is destroyed.
    TearingDown(Arc<str>),
    /// What one run, the last one on its state, made is destroyed.
    RunTearingDown(RunName),
    /// What destroying it came to, where there is something to tell.
    TornDown(Arc<Teardown>),
    /// A file is over.
    FileFinished {
        /// The file.
        file: Arc<str>,
        /// What became of it.
        status: Status,
    },
    /// An interrupt: no more runs are started, and what was made is destroyed.
    Interrupted,
    /// A second interrupt: nothing more is destroyed.
    Abandoned,
    /// All is over.
    Finished(Arc<Report>),
}

/// Who listens. Called from the task that runs the tests: hand the event on, do not block.
pub type TestListener = Arc<dyn Fn(TestEvent) + Send + Sync>;

/// What came of a run.
#[derive(Debug, Clone)]
pub struct RunReport {
    /// Which run.
    pub name: RunName,
    /// What it does.
    pub command: Command,
    /// What became of it.
    pub status: Status,
    /// Failed assertions, errors and warnings.
    pub diagnostics: Diagnostics,
    /// How many assertions there are, and how many of them do not hold.
    pub assertions: usize,
    /// How many do not hold.
    pub failed_assertions: usize,
    /// When it began.
    pub started: Timestamp,
    /// How long it took.
    pub elapsed: Duration,
    /// What was planned or made.
    pub made: Option<Made>,
    /// Why it was skipped.
    pub skipped: Option<String>,
}

/// What a run planned or made.
#[derive(Debug, Clone)]
pub enum Made {
    /// The plan of a run that only plans, with the state before.
    Plan(Arc<Overview>, Arc<State>),
    /// The state after a run that applies.
    State(Arc<State>),
}

/// What destroying what runs made came to.
#[derive(Debug, Clone)]
pub struct Teardown {
    /// The run that was the last to change what is destroyed.
    pub name: RunName,
    /// What is wrong.
    pub diagnostics: Diagnostics,
    /// Whether it was made by a module that the run names, not by the module under test.
    pub other_module: bool,
    /// The objects that are left.
    pub left: Vec<Left>,
    /// The state that has them.
    pub state: Arc<State>,
}

/// An object that was not destroyed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Its address.
    pub key: RecordKey,
    /// Its id, where it has one that may be shown.
    pub id: Option<String>,
    /// Whether something was done about it when it was given up, so that it may be there or not.
    pub in_doubt: bool,
}

/// What came of a file.
#[derive(Debug, Clone)]
pub struct FileReport {
    /// Its name.
    pub name: Arc<str>,
    /// What became of it.
    pub status: Status,
    /// Its runs in source order.
    pub runs: Vec<Arc<RunReport>>,
    /// What could not be destroyed.
    pub teardowns: Vec<Arc<Teardown>>,
}

/// What came of everything.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The files by name.
    pub files: Vec<FileReport>,
    /// Whether a second interrupt cut it off.
    pub abandoned: bool,
}

/// How many runs came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Passed.
    pub passed: usize,
    /// With an assertion that does not hold.
    pub failed: usize,
    /// With an error.
    pub errored: usize,
    /// Not run.
    pub skipped: usize,
}

impl Report {
    /// The worst of all files; what nobody asked of passes.
    pub fn status(&self) -> Status {
        let worst = self.files.iter().map(|f| f.status).max();
        worst.unwrap_or(Status::Pass).max(Status::Pass)
    }

    /// Whether everything passed and nothing is left behind.
    pub fn is_success(&self) -> bool {
        let skipped = self.counts().skipped > 0;
        self.status() == Status::Pass && !skipped && !self.abandoned
    }

    /// How many runs came to what.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for run in self.files.iter().flat_map(|f| &f.runs) {
            match run.status {
                Status::Pass => counts.passed += 1,
                Status::Fail => counts.failed += 1,
                Status::Error => counts.errored += 1,
                Status::Skip | Status::Pending => counts.skipped += 1,
            }
        }
        counts
    }
}

impl Teardown {
    /// Whether something is left or went wrong.
    pub fn has_failed(&self) -> bool {
        !self.left.is_empty() || self.diagnostics.iter().any(Diagnostic::is_error)
    }
}
