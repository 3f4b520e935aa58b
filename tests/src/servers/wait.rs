//! Waiting for a condition, never for an amount of time.

use std::time::{Duration, Instant};

use super::ServerError;

/// How often a condition is looked at. Short beside what is waited for, long beside a look.
pub(super) const PACE: Duration = Duration::from_millis(40);

/// Looks again and again until `probe` gives a value, and returns that value.
///
/// `what` names the condition for the error, as the end of "still not: ...".
///
/// # Errors
///
/// [`ServerError::Timeout`] when `deadline` has passed.
///
/// # Examples
///
/// ```
/// # use std::time::Duration;
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let mut looks = 0;
/// let third = topo_tests::servers::until("three looks", Duration::from_secs(5), async || {
///     looks += 1;
///     (looks == 3).then_some(looks)
/// });
/// assert_eq!(third.await.unwrap(), 3);
/// # });
/// ```
pub async fn until<T>(
    what: &str,
    deadline: Duration,
    mut probe: impl AsyncFnMut() -> Option<T>,
) -> Result<T, ServerError> {
    let start = Instant::now();
    loop {
        if let Some(value) = probe().await {
            return Ok(value);
        }
        if start.elapsed() > deadline {
            return Err(ServerError::Timeout {
                what: what.to_owned(),
                waited: deadline,
            });
        }
        tokio::time::sleep(PACE).await;
    }
}
