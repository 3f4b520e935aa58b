//! The cloud in memory that the scripted providers talk to: objects, a log of every call, and
//! scripts that make calls fail, wait or lose their answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;
use topo_sdk::Value;

/// How long a test waits for a condition before it counts as never met.
const NEVER: Duration = Duration::from_secs(20);

/// What a call does other than it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// Fails, and nothing was done.
    Fail,
    /// Fails, and leaves an object half made.
    FailHalfWay,
    /// Waits before it does anything until it is released.
    WaitBefore,
    /// Does it, and then waits before it answers.
    WaitAfter,
    /// Does it, writes a checkpoint, and then waits before it answers.
    Checkpoint,
    /// When asked what became of it, cannot tell.
    CannotTell,
}

/// An object.
#[derive(Debug, Clone)]
pub struct Object {
    /// Its attributes.
    pub value: Value,
    /// The host that it is inside of.
    pub host: Option<String>,
    /// The operation that made it.
    pub operation: String,
}

#[derive(Debug, Default)]
struct Inner {
    log: Vec<String>,
    objects: BTreeMap<String, Object>,
    scripts: BTreeMap<String, Behaviour>,
    released: BTreeSet<String>,
    sessions: BTreeSet<String>,
    made: u64,
    /// Whether every call waits until it is let in.
    stepping: bool,
    tickets: u64,
    waiting: BTreeMap<u64, String>,
}

/// The cloud.
#[derive(Debug, Default)]
pub struct Cloud {
    inner: Mutex<Inner>,
    changed: Notify,
}

impl Cloud {
    /// An empty one.
    pub fn new() -> Arc<Cloud> {
        Arc::new(Cloud::default())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a call, named as in the log, behave so from now on.
    pub fn on(&self, call: &str, behaviour: Behaviour) {
        self.lock().scripts.insert(call.into(), behaviour);
    }

    /// Makes a call behave as it should again.
    pub fn well(&self, call: &str) {
        self.lock().scripts.remove(call);
    }

    /// Lets a waiting call go on.
    pub fn release(&self, call: &str) {
        self.lock().released.insert(call.into());
        self.changed.notify_waiters();
    }

    /// From now on every mutation and every read of a data source waits until it is let in; see
    /// [`crate::steps`]. With `false` no call waits any more.
    pub(super) fn step(&self, stepping: bool) {
        let mut inner = self.lock();
        inner.stepping = stepping;
        inner.waiting.clear();
        self.changed.notify_waiters();
    }

    /// The calls that wait to be let in, by ticket.
    pub(super) fn waiting(&self) -> Vec<(u64, String)> {
        let waiting = self.lock().waiting.clone();
        waiting.into_iter().collect()
    }

    /// Lets a call in.
    pub(super) fn admit(&self, ticket: u64) {
        self.lock().waiting.remove(&ticket);
        self.changed.notify_waiters();
    }

    /// Waits to be let in.
    pub(super) async fn enter(&self, call: &str) {
        let ticket = {
            let mut inner = self.lock();
            if !inner.stepping {
                return;
            }
            inner.tickets += 1;
            let ticket = inner.tickets;
            inner.waiting.insert(ticket, call.into());
            ticket
        };
        self.wait(|inner| !inner.waiting.contains_key(&ticket))
            .await;
    }

    /// Every mutation that was started, in order: `create a`, `delete pod@host`.
    pub fn calls(&self) -> Vec<String> {
        let mutation = |l: &&String| {
            ["create ", "update ", "delete "]
                .iter()
                .any(|p| l.starts_with(p))
        };
        self.lock().log.iter().filter(mutation).cloned().collect()
    }

    /// Every call, and the end of every mutation (`end create a`), in order.
    pub fn log(&self) -> Vec<String> {
        self.lock().log.clone()
    }

    /// How many calls of a name there were.
    pub fn count(&self, call: &str) -> usize {
        self.lock().log.iter().filter(|l| *l == call).count()
    }

    /// Forgets the log.
    pub fn forget(&self) {
        self.lock().log.clear();
    }

    /// Waits until the log has an entry.
    pub async fn until(&self, entry: &str) {
        let waiting = self.wait(|inner| inner.log.iter().any(|l| l == entry));
        if timeout(NEVER, waiting).await.is_err() {
            panic!("{entry:?} never happened: {:?}", self.log());
        }
    }

    async fn wait(&self, mut met: impl FnMut(&Inner) -> bool) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if met(&self.lock()) {
                return;
            }
            changed.await;
        }
    }

    /// The position of an entry in the log.
    pub fn position(&self, entry: &str) -> usize {
        let found = self.lock().log.iter().position(|l| l == entry);
        found.unwrap_or_else(|| panic!("{entry:?} is not in {:?}", self.log()))
    }

    /// That the entries are in the log, in this order.
    pub fn assert_order(&self, entries: &[&str]) {
        let places: Vec<usize> = entries.iter().map(|e| self.position(e)).collect();
        let sorted = places.windows(2).all(|w| w[0] < w[1]);
        assert!(sorted, "not in the order {entries:?}: {:?}", self.log());
    }

    /// The names of all objects, sorted.
    pub fn names(&self) -> Vec<String> {
        let inner = self.lock();
        let mut names: Vec<String> = inner
            .objects
            .values()
            .filter_map(|o| o.value.get_str("name").map(str::to_string))
            .collect();
        names.sort();
        names
    }

    /// Changes an attribute of an object behind everybody's back.
    pub fn tamper(&self, name: &str, attribute: &str, value: impl Into<Value>) {
        let value = value.into();
        for o in self.lock().objects.values_mut() {
            if o.value.get_str("name") == Some(name) {
                o.value = o.value.clone().with(attribute, value.clone());
            }
        }
    }

    /// Makes a thing that nobody here has made. Its id is `NAME-found`.
    pub fn found(&self, name: &str, attributes: &[(&str, Value)]) {
        let id = format!("{name}-found");
        let value = super::provider::thing(name, &id, attributes);
        self.put(
            id,
            Object {
                value,
                host: None,
                operation: String::new(),
            },
        );
    }

    /// Removes an object behind everybody's back, with what is inside of it.
    pub fn vanish(&self, name: &str) {
        let mut inner = self.lock();
        let gone: Vec<String> = inner
            .objects
            .values()
            .filter(|o| o.value.get_str("name") == Some(name))
            .filter_map(|o| o.value.get_str("endpoint").map(str::to_string))
            .collect();
        inner
            .objects
            .retain(|_, o| o.value.get_str("name") != Some(name));
        inner
            .objects
            .retain(|_, o| o.host.as_ref().is_none_or(|h| !gone.contains(h)));
    }

    pub(super) fn note(&self, entry: String) {
        self.lock().log.push(entry);
        self.changed.notify_waiters();
    }

    pub(super) fn behaviour(&self, call: &str) -> Option<Behaviour> {
        self.lock().scripts.get(call).copied()
    }

    pub(super) async fn held(&self, call: &str) {
        self.wait(|inner| inner.released.contains(call)).await;
    }

    pub(super) fn number(&self) -> u64 {
        let mut inner = self.lock();
        inner.made += 1;
        inner.made
    }

    /// The tokens of the sessions that are open.
    pub fn sessions(&self) -> Vec<String> {
        self.lock().sessions.iter().cloned().collect()
    }

    pub(super) fn open_session(&self, token: &str) {
        self.lock().sessions.insert(token.into());
    }

    pub(super) fn close_session(&self, token: &str) {
        self.lock().sessions.remove(token);
    }

    pub(super) fn get(&self, id: &str) -> Option<Object> {
        self.lock().objects.get(id).cloned()
    }

    pub(super) fn made_by(&self, operation: &str) -> Option<Object> {
        let inner = self.lock();
        let mut objects = inner.objects.values();
        objects.find(|o| o.operation == operation).cloned()
    }

    pub(super) fn has_host(&self, host: &str) -> bool {
        let inner = self.lock();
        let mut objects = inner.objects.values();
        objects.any(|o| o.value.get_str("endpoint") == Some(host))
    }

    pub(super) fn put(&self, id: String, object: Object) {
        self.lock().objects.insert(id, object);
    }

    pub(super) fn remove(&self, id: &str) {
        self.lock().objects.remove(id);
    }
}
