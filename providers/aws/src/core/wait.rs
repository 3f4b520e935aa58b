//! The one waiter: asks until the answer is final or time is up.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;
use topo_sdk::Diagnostics;

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// What one look told.
#[derive(Debug)]
pub(crate) enum Status<T> {
    /// Not there yet, and what is being waited for: "cluster is CREATING".
    Pending(String),
    /// Done.
    Ready(T),
    /// It will never be done, and why.
    Failed(Diagnostics),
}

/// Looks with growing pauses (200 ms, then half as long again each time, up to 15 s) until the
/// status is final. A changed pending message is told to whoever watches.
///
/// # Errors
/// What `look` fails with, the reason of a failed status, or that time was up.
pub(crate) async fn until<T, F, Fut>(
    what: &str,
    limit: Duration,
    tell: impl Fn(&str),
    mut look: F,
) -> Result<T, Diagnostics>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Status<T>, Diagnostics>>,
{
    let start = Instant::now();
    let mut pause = FIRST_PAUSE;
    let mut told = String::new();
    loop {
        let pending = match look().await? {
            Status::Ready(value) => return Ok(value),
            Status::Failed(reason) => return Err(reason),
            Status::Pending(message) => message,
        };
        let left = limit.saturating_sub(start.elapsed());
        if left.is_zero() {
            return Err(Diagnostics::error(
                format!("Timed out waiting for {what}"),
                format!(
                    "After {limit:?}: {pending}. It may still get there: look at it, then run \
                     again, or allow more time in its `timeouts` block."
                ),
            ));
        }
        if pending != told {
            tell(&pending);
            told = pending;
        }
        tokio::time::sleep(pause.min(left)).await;
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
}

/// Tries again while `retry` says that the error will pass (a role that is not yet known
/// everywhere, a dependency that is going away), up to `limit`.
///
/// # Errors
/// The last error.
pub(crate) async fn persist<T, E, F, Fut>(
    limit: Duration,
    retry: impl Fn(&E) -> bool,
    mut call: F,
) -> Result<T, E>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    let start = Instant::now();
    let mut pause = FIRST_PAUSE * 5;
    loop {
        match call().await {
            Err(error) if retry(&error) && start.elapsed() < limit => {
                tokio::time::sleep(pause).await;
                pause = (pause * 3 / 2).min(LONGEST_PAUSE);
            }
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_until_ready_and_tells_each_change_once() {
        let script = RefCell::new(vec!["ACTIVE", "UPDATING", "CREATING", "CREATING"]);
        let told = RefCell::new(Vec::new());
        let done = until(
            "cluster",
            Duration::from_secs(60),
            |m| told.borrow_mut().push(m.to_owned()),
            || async {
                Ok(match script.borrow_mut().pop() {
                    Some("ACTIVE") => Status::Ready("done"),
                    Some(s) => Status::Pending(s.into()),
                    None => Status::Failed(Diagnostics::error("script is over", "")),
                })
            },
        )
        .await;
        assert_eq!(done, Ok("done"));
        assert_eq!(*told.borrow(), ["CREATING", "UPDATING"]);
    }

    #[tokio::test(start_paused = true)]
    async fn gives_up_when_time_is_up_and_says_what_it_saw() {
        let start = Instant::now();
        let failed = until::<(), _, _>(
            "cluster a",
            Duration::from_secs(30),
            |_| (),
            || async { Ok(Status::Pending("cluster is CREATING".into())) },
        )
        .await
        .unwrap_err();
        assert_eq!(start.elapsed().as_secs(), 30);
        assert_eq!(failed.0[0].summary, "Timed out waiting for cluster a");
        assert!(failed.0[0].detail.contains("cluster is CREATING"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_status_ends_the_wait_with_its_reason() {
        let failed = until::<(), _, _>(
            "x",
            Duration::from_secs(30),
            |_| (),
            || async { Ok(Status::Failed(Diagnostics::error("quota", ""))) },
        )
        .await;
        assert_eq!(failed.unwrap_err().0[0].summary, "quota");
    }

    #[tokio::test(start_paused = true)]
    async fn persists_through_errors_that_pass_and_no_others() {
        let calls = Cell::new(0);
        let call = |end: Result<i32, &'static str>| {
            calls.set(calls.get() + 1);
            let now = calls.get();
            async move { if now < 4 { Err("not yet") } else { end } }
        };
        let limit = Duration::from_secs(120);
        let retry = |e: &&str| *e == "not yet";
        assert_eq!(persist(limit, retry, || call(Ok(7))).await, Ok(7));
        calls.set(0);
        assert_eq!(persist(limit, retry, || call(Err("no"))).await, Err("no"));
        assert_eq!(calls.get(), 4);
    }
}
