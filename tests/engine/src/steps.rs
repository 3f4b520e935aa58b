//! A run in steps: nothing happens side by side, and who is next is for the test to say.
//!
//! With calls held at the cloud's door, a run is polled until it can do nothing but wait; then
//! everything that may be done at that moment stands there. So which calls a run makes side by
//! side does not depend on how fast anything is, and a test can try out any order.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use crate::cloud::Cloud;

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Runs something to its end and lets one call at a time into the cloud: of those that wait,
/// by ticket, the one that `choose` names.
///
/// # Panics
/// When nothing waits and yet it does not go on.
pub fn one_by_one<T>(
    cloud: &Cloud,
    run: impl Future<Output = T>,
    mut choose: impl FnMut(&[(u64, String)]) -> u64,
) -> T {
    cloud.step(true);
    let flag = Arc::new(Flag::default());
    let waker = Waker::from(flag.clone());
    let mut context = Context::from_waker(&waker);
    let mut run = pin!(run);
    loop {
        flag.0.store(false, Ordering::SeqCst);
        if let Poll::Ready(made) = run.as_mut().poll(&mut context) {
            cloud.step(false);
            return made;
        }
        if flag.0.load(Ordering::SeqCst) {
            continue;
        }
        let waiting = cloud.waiting();
        assert!(!waiting.is_empty(), "the run waits for nothing");
        cloud.admit(choose(&waiting));
    }
}

/// Runs something to its end in waves: what can be done side by side is done, in order of names,
/// before anything that became possible by it. Gives the waves too.
pub fn in_waves<T>(cloud: &Cloud, run: impl Future<Output = T>) -> (T, Vec<Vec<String>>) {
    let mut waves = Vec::new();
    let mut wave = VecDeque::new();
    let made = one_by_one(cloud, run, |waiting| {
        if wave.is_empty() {
            let mut all = waiting.to_vec();
            all.sort_by(|a, b| (&a.1, a.0).cmp(&(&b.1, b.0)));
            waves.push(all.iter().map(|(_, call)| call.clone()).collect());
            wave.extend(all.iter().map(|(ticket, _)| *ticket));
        }
        wave.pop_front().unwrap_or_default()
    });
    (made, waves)
}
