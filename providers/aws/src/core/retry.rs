//! When not to try again. The SDK retries what it knows to be transient, with growing pauses and
//! up to `max_retries` times. For throttling that is right; for an endpoint that nobody listens
//! on it would mean minutes of silence, so failures to connect are tried a few times only.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{
    ClassifyRetry, RetryAction, RetryClassifierPriority,
};

use super::error::reasons;

/// Failures to connect in a row, over all calls of one connection, before retries end.
const MOST_FAILURES: u32 = 4;

/// Forbids retries once connecting has failed several times in a row.
#[derive(Debug, Clone, Default)]
pub(crate) struct GiveUpConnecting {
    failures: Arc<AtomicU32>,
}

impl ClassifyRetry for GiveUpConnecting {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let failed = context
            .output_or_error()
            .and_then(Result::err)
            .and_then(|e| e.as_connector_error())
            .is_some_and(|e| reasons(e).contains("Connect"));
        if !failed {
            self.failures.store(0, Ordering::Relaxed);
            return RetryAction::NoActionIndicated;
        }
        if self.failures.fetch_add(1, Ordering::Relaxed) + 1 >= MOST_FAILURES {
            RetryAction::RetryForbidden
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "give up connecting"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}
