//! What a simulated cloud is asked to do beyond keeping objects: latency and faults.

use std::fmt;
use std::sync::Arc;

/// How a simulated cloud behaves. By default it answers at once and never fails.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How long calls take.
    pub latency: Latency,
    /// What goes wrong.
    pub faults: Faults,
    /// What invented values and faults follow from.
    pub seed: u64,
}

/// How long calls take.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Latency {
    /// No time at all.
    #[default]
    None,
    /// Recorded typical durations, waited for with tokio's clock.
    Realistic {
        /// What durations are multiplied with: 1 is real time, 0.01 a hundred times as fast.
        scale: f64,
    },
}

/// What goes wrong. Probabilities are from 0 to 1, each for one attempt at a call; a failed
/// attempt is repeated up to ten times, as the clients of real APIs do.
#[derive(Clone, Default)]
pub struct Faults {
    /// The probability that an attempt is refused because there were too many.
    pub throttle: f64,
    /// The probability that an attempt fails before it has any effect.
    pub server_error: f64,
    /// The probability that a mutation takes effect but its answer is lost.
    pub lost_response: f64,
    /// The mutation, counted from 1 since the cloud was opened, at which the process dies.
    pub crash_at_call: Option<u64>,
    /// At which point of that call.
    pub crash_point: CrashPoint,
    /// What dying is; without it the process aborts. When it returns, that call and every later
    /// one never completes, as if the process were gone.
    pub crash: Option<Arc<dyn Fn() + Send + Sync>>,
}

/// A point of a mutating call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CrashPoint {
    /// Before it has had any effect.
    BeforeActing,
    /// When it has had its effect, before anyone was told.
    #[default]
    AfterActing,
    /// After the checkpoint of a long operation, while waiting for it. For a quick one the same
    /// as after acting.
    AfterCheckpoint,
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults")
            .field("throttle", &self.throttle)
            .field("server_error", &self.server_error)
            .field("lost_response", &self.lost_response)
            .field("crash_at_call", &self.crash_at_call)
            .field("crash_point", &self.crash_point)
            .finish_non_exhaustive()
    }
}
