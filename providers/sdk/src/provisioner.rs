//! The contract between the engine and a provisioner: something that is carried out on an object
//! after its creation or before its deletion, such as a command on this machine.
//!
//! As with providers, values cross the border without marks. The engine keeps the output, and
//! what a failure quotes, from people when the configuration has sensitive parts: a provisioner
//! reports as if there were none.

use std::sync::Arc;

use async_trait::async_trait;

use crate::diagnostics::Diagnostics;
use crate::schema::Schema;
use crate::value::Value;

/// Takes lines of a provisioner's output, without their ends.
pub type Output<'a> = dyn for<'l> Fn(&'l str) + Send + Sync + 'a;

/// A kind of provisioner.
#[async_trait]
pub trait Provisioner: Send + Sync {
    /// The label of its blocks: `local-exec`.
    fn name(&self) -> &'static str;

    /// The arguments of its blocks.
    fn schema(&self) -> Arc<Schema>;

    /// Whether it only says what it would do, as in the sandbox.
    fn is_simulated(&self) -> bool {
        false
    }

    /// What is wrong with arguments that may not be known yet; each with the path of its
    /// attribute. Texts must not quote values.
    fn validate(&self, config: &Value) -> Diagnostics {
        let _ = config;
        Diagnostics::new()
    }

    /// Carries it out, with an object of the schema's type that is wholly known. `output` is
    /// given lines as they come.
    ///
    /// A run is stopped by dropping the future: what it started on this machine must not go on.
    ///
    /// # Errors
    /// When it could not be carried out, or to the end.
    async fn run(&self, config: &Value, output: &Output<'_>) -> Result<(), ProvisionFailure>;
}

/// Why a provisioner failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvisionFailure {
    /// What happened, as a clause without a full stop that quotes neither arguments nor output:
    /// `exit status 4`. Always shown.
    pub reason: String,
    /// More, which may quote arguments and output: shown unless the configuration has sensitive
    /// parts. Empty for none.
    pub detail: String,
}

impl ProvisionFailure {
    /// A failure of which there is no more to say than its reason.
    pub fn new(reason: impl Into<String>) -> ProvisionFailure {
        ProvisionFailure {
            reason: reason.into(),
            detail: String::new(),
        }
    }
}
