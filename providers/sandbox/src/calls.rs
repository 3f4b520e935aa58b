//! One call to the simulated API: counted, delayed, made to fail and repeated as asked for.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use topo_sdk::Diagnostics;

use crate::cloud::Cloud;
use crate::options::{CrashPoint, Latency};

/// How often a call is attempted.
const ATTEMPTS: u32 = 10;

/// How many calls of each kind were made, every retry a call of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallCounts {
    /// Reads of one object.
    pub read: u64,
    /// Reads of many objects at once.
    pub read_many: u64,
    /// Reads of data sources.
    pub read_data: u64,
    /// Creations.
    pub create: u64,
    /// Updates.
    pub update: u64,
    /// Deletions.
    pub delete: u64,
    /// Look-ups by import id.
    pub import: u64,
    /// Look-ups of what a dead run has left.
    pub recover: u64,
}

impl CallCounts {
    /// The calls of every kind.
    pub fn total(&self) -> u64 {
        self.reads() + self.mutations()
    }

    /// The calls that only look.
    pub fn reads(&self) -> u64 {
        self.read + self.read_many + self.read_data + self.import + self.recover
    }

    /// The calls that change something.
    pub fn mutations(&self) -> u64 {
        self.create + self.update + self.delete
    }
}

/// What kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Read,
    ReadMany,
    ReadData,
    Create,
    Update,
    Delete,
    Import,
    Recover,
}

impl Kind {
    fn mutates(self) -> bool {
        matches!(self, Kind::Create | Kind::Update | Kind::Delete)
    }
}

/// What is counted and remembered across calls.
#[derive(Default)]
pub(crate) struct Calls {
    counts: Mutex<CallCounts>,
    mutations: AtomicU64,
    /// How often each call was begun, so that calling again does not meet the same faults.
    begun: Mutex<HashMap<String, u64>>,
    dead: AtomicBool,
}

impl Calls {
    pub(crate) fn counts(&self) -> CallCounts {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, kind: Kind) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = match kind {
            Kind::Read => &mut counts.read,
            Kind::ReadMany => &mut counts.read_many,
            Kind::ReadData => &mut counts.read_data,
            Kind::Create => &mut counts.create,
            Kind::Update => &mut counts.update,
            Kind::Delete => &mut counts.delete,
            Kind::Import => &mut counts.import,
            Kind::Recover => &mut counts.recover,
        };
        *count += 1;
    }

    fn begin(&self, identity: &str) -> u64 {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let times = begun.entry(identity.into()).or_default();
        *times += 1;
        *times
    }
}

/// A mutation that was acted on, and whether it is the one to crash at.
pub(crate) struct Acted<T> {
    pub result: T,
    crashes: bool,
}

impl<T> Acted<T> {
    /// The point after the checkpoint of a long operation.
    pub(crate) async fn checkpointed(self, cloud: &Cloud) -> T {
        if self.crashes {
            cloud.crash().await;
        }
        self.result
    }
}

impl Cloud {
    /// Makes a call: `act` is what the API does with it. `identity` is what faults follow from.
    pub(crate) async fn call<T>(
        &self,
        kind: Kind,
        identity: &str,
        mut act: impl FnMut() -> Result<T, Diagnostics>,
    ) -> Result<Acted<T>, Diagnostics> {
        let faults = &self.options().faults;
        let state = self.call_state();
        let time = state.begin(identity);
        let mut failure = Diagnostics::new();
        let mut crash_here = false;
        for attempt in 1..=ATTEMPTS {
            if state.dead.load(Ordering::Acquire) {
                std::future::pending::<()>().await;
            }
            if attempt > 1 {
                self.wait(backoff(attempt)).await;
            }
            state.count(kind);
            if kind.mutates() {
                let number = state.mutations.fetch_add(1, Ordering::AcqRel) + 1;
                crash_here |= faults.crash_at_call == Some(number);
            }
            if crash_here && faults.crash_point == CrashPoint::BeforeActing {
                self.crash().await;
            }
            self.wait(Duration::from_millis(150)).await;
            let roll = |what: &str| self.roll(what, identity, time, attempt);
            if roll("throttle") < faults.throttle {
                failure = refused("Too many requests", "ThrottlingException: Rate exceeded");
                continue;
            }
            if roll("error") < faults.server_error {
                failure = refused(
                    "The API failed",
                    "InternalError: an internal error occurred",
                );
                continue;
            }
            let result = act()?;
            if kind.mutates() {
                self.durable().await?;
                if crash_here && faults.crash_point == CrashPoint::AfterActing {
                    self.crash().await;
                }
                if roll("lost") < faults.lost_response {
                    failure = refused("The answer was lost", "the connection was reset");
                    continue;
                }
            }
            return Ok(Acted {
                result,
                crashes: crash_here,
            });
        }
        Err(failure)
    }

    /// Waits for simulated time.
    pub(crate) async fn wait(&self, time: Duration) {
        if let Latency::Realistic { scale } = self.options().latency {
            let scaled = Duration::try_from_secs_f64(time.as_secs_f64() * scale);
            tokio::time::sleep(scaled.unwrap_or(Duration::ZERO)).await;
        }
    }

    async fn crash(&self) {
        self.call_state().dead.store(true, Ordering::Release);
        match &self.options().faults.crash {
            Some(crash) => crash(),
            None => std::process::abort(),
        }
        std::future::pending::<()>().await;
    }

    /// A number from 0 to 1 that follows from the seed and what it is asked for.
    fn roll(&self, what: &str, identity: &str, time: u64, attempt: u32) -> f64 {
        let text = format!("{}/{what}/{identity}/{time}/{attempt}", self.options().seed);
        let hash = Sha256::digest(text);
        let head = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
        f64::from(head) / (f64::from(u32::MAX) + 1.0)
    }
}

fn refused(summary: &str, cause: &str) -> Diagnostics {
    Diagnostics::error(
        summary,
        format!("{cause}. Gave up after {ATTEMPTS} attempts; apply again later."),
    )
}

/// Doubling from 100 ms up to 20 s.
fn backoff(attempt: u32) -> Duration {
    Duration::from_millis(100)
        .saturating_mul(1 << attempt.saturating_sub(2).min(10))
        .min(Duration::from_secs(20))
}
