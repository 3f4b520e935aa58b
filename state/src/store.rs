//! The store as the engine and the command line see it: opening, group commit, reading.
//!
//! Commits that arrive while another is being synced wait together and then share one batch and
//! one sync. Whichever finds nobody at work starts a blocking task that works until nothing waits.

use std::mem;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};
use topo_engine::store::{Change, Intent, Meta, RunRecord, State, StateStore, StoreError};

use crate::codec::{self, Collect, Write, decode, encode, intent_key};
use crate::database::{self, Database, Writes};
use crate::files::{Place, io_error};
use crate::format::{FORMATS, Formats};
use crate::lock::{Attempt, Lock, LockInfo, attempt};
use crate::snapshot;

/// How often a lock is tried.
const LOCK_POLL: Duration = Duration::from_millis(200);
/// How long to wait for one who holds the lock without saying who: a reader, or a writer that is
/// about to say.
const READER_PATIENCE: Duration = Duration::from_secs(2);
const READER_POLL: Duration = Duration::from_millis(20);
/// How long after a commit the snapshot is exported, at the least.
const EXPORT_DELAY: Duration = Duration::from_secs(2);
/// Exports of a large state are spaced so that they take no more than this part of the time.
const EXPORT_SHARE: u32 = 10;

/// The state store on sled, open for writing. Clones share it; it is closed for all of them.
///
/// To be used inside a tokio runtime. When the last clone is dropped without
/// [`close`](SledStore::close), the lock is released and every acknowledged commit is kept, but
/// the snapshot is as of the last export.
#[derive(Debug, Clone)]
pub struct SledStore(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    place: Place,
    queue: Mutex<Queue>,
    /// `None` once closed.
    writer: Mutex<Option<Writer>>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<Job>,
    /// Whether a task is at work that will look here again.
    working: bool,
}

#[derive(Debug)]
struct Job {
    writes: Vec<Write>,
    /// The lineage and serial of the state from then on.
    adopt: Option<Meta>,
    done: oneshot::Sender<Result<(), StoreError>>,
}

/// The fields are dropped in this order: sled's files are closed before the lock is released.
#[derive(Debug)]
struct Writer {
    database: Database,
    _lock: Lock,
    /// Why nothing more can be written.
    broken: Option<StoreError>,
    /// Whether the snapshot is behind.
    dirty: bool,
    /// Whether an export is due already.
    scheduled: bool,
    last_export: Duration,
}

impl SledStore {
    /// Opens the state in a directory for writing; creates it where there is none, and upgrades
    /// it where it is of an older format. Waits for another writer to end, for so long, trying a
    /// few times a second.
    ///
    /// # Errors
    /// [`StoreError::Locked`] with who has it, [`StoreError::NewerFormat`],
    /// [`StoreError::Corrupt`] with what to do, [`StoreError::Io`] with the path.
    pub async fn open(
        dir: &Path,
        lock: LockInfo,
        lock_timeout: Duration,
    ) -> Result<SledStore, StoreError> {
        SledStore::open_as(dir, lock, lock_timeout, FORMATS).await
    }

    async fn open_as(
        dir: &Path,
        info: LockInfo,
        lock_timeout: Duration,
        formats: Formats,
    ) -> Result<SledStore, StoreError> {
        let place = Place::new(dir);
        let lock = wait_for_lock(&place, lock_timeout).await?;
        blocking(move || {
            lock.sign(&info)?;
            let database = Database::open(&place, formats)?;
            // What readers find from now on is this, even after a run that died.
            if !database.is_exported() {
                database.export()?;
            }
            Ok(SledStore(Arc::new(Shared {
                place,
                queue: Mutex::default(),
                writer: Mutex::new(Some(Writer {
                    database,
                    _lock: lock,
                    broken: None,
                    dirty: false,
                    scheduled: false,
                    last_export: Duration::ZERO,
                })),
            })))
        })
        .await
    }

    /// Commits changes that make the state another one, or another revision of it: together with
    /// them it takes this lineage and serial.
    ///
    /// # Errors
    /// Those of [`commit`](StateStore::commit).
    pub async fn commit_as(&self, meta: Meta, changes: Vec<Change>) -> Result<(), StoreError> {
        self.submit(changes, Some(meta)).await
    }

    async fn submit(&self, changes: Vec<Change>, adopt: Option<Meta>) -> Result<(), StoreError> {
        let writes = changes
            .into_iter()
            .map(codec::write_of)
            .collect::<Result<Vec<Write>, _>>()
            .map_err(|e| StoreError::Io(format!("{}: {e}", self.0.place.dir().display())))?;
        let (done, result) = oneshot::channel();
        let start = {
            let mut queue = self.0.queue();
            queue.waiting.push(Job {
                writes,
                adopt,
                done,
            });
            !mem::replace(&mut queue.working, true)
        };
        if start {
            let shared = self.0.clone();
            tokio::task::spawn_blocking(move || shared.work());
        }
        result.await.unwrap_or_else(|_| Err(self.0.closed()))
    }

    /// Finishes the commits under way, exports the snapshot and releases the lock, whether or not
    /// there is an error. Every later commit of a clone fails.
    ///
    /// # Errors
    /// When a commit had failed, or the snapshot cannot be written.
    pub async fn close(self) -> Result<(), StoreError> {
        blocking(move || self.0.close()).await
    }
}

#[async_trait]
impl StateStore for SledStore {
    async fn load(&self) -> Result<State, StoreError> {
        let shared = self.0.clone();
        blocking(move || match &*shared.writer() {
            Some(writer) => writer.database.read(),
            None => Err(shared.closed()),
        })
        .await
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        self.submit(changes, None).await
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing is left half done under this lock.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self) -> MutexGuard<'_, Option<Writer>> {
        // A panic of sled's is caught before it gets here, and leaves the writer broken.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn closed(&self) -> StoreError {
        StoreError::Io(format!(
            "{}: the state is closed already",
            self.place.dir().display()
        ))
    }

    /// Commits until nothing waits.
    fn work(self: &Arc<Shared>) {
        loop {
            let jobs = {
                let mut queue = self.queue();
                if queue.waiting.is_empty() {
                    queue.working = false;
                    return;
                }
                mem::take(&mut queue.waiting)
            };
            let mut writer = self.writer();
            // Dropping the jobs tells them that the state is closed.
            let Some(writer) = &mut *writer else { continue };
            writer.commit(jobs);
            if let Some(delay) = writer.schedule() {
                tokio::spawn(export_later(Arc::downgrade(self), delay));
            }
        }
    }

    fn close(&self) -> Result<(), StoreError> {
        let mut guard = self.writer();
        let Some(mut writer) = guard.take() else {
            return Err(self.closed());
        };
        writer.commit(mem::take(&mut self.queue().waiting));
        let exported = match &writer.broken {
            Some(error) => Err(error.clone()),
            None => writer.export(),
        };
        let Writer {
            database, _lock, ..
        } = writer;
        exported.and(database.close())
    }
}

async fn export_later(shared: Weak<Shared>, delay: Duration) {
    sleep(delay).await;
    let Some(shared) = shared.upgrade() else {
        return;
    };
    let export = move || match &mut *shared.writer() {
        Some(writer) => {
            writer.scheduled = false;
            writer.export()
        }
        None => Ok(()),
    };
    if let Err(e) = blocking(export).await {
        // Closing tries again, and reports.
        tracing::warn!("cannot export the state: {e}");
    }
}

impl Writer {
    /// Commits these together and tells each what came of it.
    fn commit(&mut self, jobs: Vec<Job>) {
        let mut writes = Writes::new();
        let mut ended_runs = 0;
        let mut adopt = None;
        let mut accepted = Vec::new();
        for job in jobs {
            match self.stage(&writes, job.writes) {
                Ok((staged, ended)) => {
                    writes.extend(staged);
                    ended_runs += ended;
                    adopt = job.adopt.or(adopt);
                    accepted.push(job.done);
                }
                Err(e) => tell(job.done, Err(e)),
            }
        }
        let result = self.apply(writes, ended_runs, adopt);
        for done in accepted {
            tell(done, result.clone());
        }
    }

    fn apply(
        &mut self,
        writes: Writes,
        ended_runs: u64,
        adopt: Option<Meta>,
    ) -> Result<(), StoreError> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        if writes.is_empty() && adopt.is_none() {
            return Ok(());
        }
        let result = self.database.apply(writes, ended_runs, adopt);
        self.dirty = true;
        self.broken = result.as_ref().err().cloned();
        result
    }

    /// What one commit writes, on top of those before it in the same batch, and how many runs it
    /// ends.
    fn stage(&self, before: &Writes, commit: Vec<Write>) -> Result<(Writes, u64), StoreError> {
        let mut staged = Writes::new();
        let mut ended = 0;
        for write in commit {
            match write {
                Write::Put(key, value) => {
                    staged.insert(key, Some(value));
                }
                Write::Remove(key) => {
                    staged.insert(key, None);
                }
                Write::EndRun(key, value) => {
                    staged.insert(key, Some(value));
                    ended += 1;
                }
                Write::Checkpoint(operation, state) => {
                    let key = intent_key(&operation);
                    let current = match staged.get(&key).or_else(|| before.get(&key)) {
                        Some(written) => written.clone(),
                        None => self.database.get(&key)?.map(|value| value.to_vec()),
                    };
                    let refuse = |e: String| {
                        StoreError::Io(format!("checkpoint of operation {operation}: {e}"))
                    };
                    let current = current.ok_or_else(|| refuse("it is not open".to_string()))?;
                    let mut intent: Intent = decode(&current).map_err(refuse)?;
                    intent.checkpoint = Some(state);
                    let value = encode(&intent).map_err(|e| refuse(e.to_string()))?;
                    staged.insert(key, Some(value));
                }
            }
        }
        Ok((staged, ended))
    }

    /// When to export, if that is to be arranged.
    fn schedule(&mut self) -> Option<Duration> {
        if !self.dirty || self.scheduled || self.broken.is_some() {
            return None;
        }
        self.scheduled = true;
        Some(EXPORT_DELAY.max(self.last_export * EXPORT_SHARE))
    }

    /// Exports the snapshot if it is behind.
    fn export(&mut self) -> Result<(), StoreError> {
        if self.dirty && self.broken.is_none() {
            let start = std::time::Instant::now();
            self.database.export()?;
            self.last_export = start.elapsed();
            self.dirty = false;
        }
        Ok(())
    }
}

fn tell(done: oneshot::Sender<Result<(), StoreError>>, result: Result<(), StoreError>) {
    // Who no longer waits need not know.
    let _ = done.send(result);
}

async fn wait_for_lock(place: &Place, timeout: Duration) -> Result<Lock, StoreError> {
    let start = Instant::now();
    loop {
        let place = place.clone();
        let attempted = blocking(move || {
            place.create()?;
            attempt(&place)
        });
        let holder = match attempted.await? {
            Attempt::Held(lock) => return Ok(lock),
            Attempt::Busy(holder) => holder,
        };
        let (patience, poll) = match holder {
            Some(_) => (timeout, LOCK_POLL),
            None => (timeout.max(READER_PATIENCE), READER_POLL),
        };
        let left = patience.saturating_sub(start.elapsed());
        if left.is_zero() {
            return Err(LockInfo::refuse(holder.as_ref()));
        }
        sleep(poll.min(left)).await;
    }
}

/// A state as somebody who only reads finds it.
#[derive(Debug, Clone)]
pub struct ReadState {
    /// The state; as of the last export while a run is in progress, at most a few seconds old.
    pub state: State,
    /// Whose run is in progress.
    pub in_progress: Option<LockInfo>,
}

/// Reads a state without waiting for a run in progress: from the database when nobody holds it,
/// else from the last exported snapshot. A directory that does not exist is an empty state, and is
/// not created.
///
/// # Errors
/// [`StoreError::NewerFormat`], [`StoreError::Corrupt`] with what to do, [`StoreError::Io`] with
/// the path.
pub async fn read(dir: &Path) -> Result<ReadState, StoreError> {
    let place = Place::new(dir);
    let (state, in_progress) = look(&place, FORMATS).await?;
    Ok(ReadState { state, in_progress })
}

/// The past of a state as somebody who only reads finds it.
#[derive(Debug, Clone)]
pub struct ReadRuns {
    /// The runs that could change something, oldest first.
    pub runs: Vec<RunRecord>,
    /// Whose run is in progress.
    pub in_progress: Option<LockInfo>,
}

/// The runs that could change something, found as by [`read`].
///
/// # Errors
/// Those of [`read`].
pub async fn runs(dir: &Path) -> Result<ReadRuns, StoreError> {
    let place = Place::new(dir);
    let (runs, in_progress) = look(&place, FORMATS).await?;
    Ok(ReadRuns { runs, in_progress })
}

/// Whether a state was ever written in a directory.
pub fn exists(dir: &Path) -> bool {
    Place::new(dir).is_used()
}

/// A state about to be removed with its history, locked. Dropped, it stays as it is.
#[derive(Debug)]
pub struct Removal {
    /// What would be lost.
    pub state: State,
    place: Place,
    lock: Lock,
}

impl Removal {
    /// Locks a state, waiting as [`SledStore::open`] does, and reads it.
    ///
    /// # Errors
    /// Those of [`SledStore::open`].
    pub async fn begin(
        dir: &Path,
        info: LockInfo,
        lock_timeout: Duration,
    ) -> Result<Removal, StoreError> {
        let place = Place::new(dir);
        let lock = wait_for_lock(&place, lock_timeout).await?;
        blocking(move || {
            lock.sign(&info)?;
            let state = stored(&place, FORMATS)?;
            Ok(Removal { state, place, lock })
        })
        .await
    }

    /// Removes the directory.
    ///
    /// # Errors
    /// When files cannot be removed.
    pub async fn finish(self) -> Result<(), StoreError> {
        let Removal { place, lock, .. } = self;
        blocking(move || {
            let removed = std::fs::remove_dir_all(place.dir());
            drop(lock);
            removed.map_err(|e| io_error(place.dir(), &e))
        })
        .await
    }
}

/// What a reader finds at one moment.
enum Sight<T> {
    Free(T),
    /// Another has the lock; the snapshot says this.
    Busy(T, Option<LockInfo>),
}

async fn look<T: Collect>(
    place: &Place,
    formats: Formats,
) -> Result<(T, Option<LockInfo>), StoreError> {
    let start = Instant::now();
    loop {
        let place = place.clone();
        match blocking(move || glance(&place, formats)).await? {
            Sight::Free(found) => return Ok((found, None)),
            // Another reader: after a crash the database may know more than the snapshot.
            Sight::Busy(_, None) if start.elapsed() < READER_PATIENCE => sleep(READER_POLL).await,
            Sight::Busy(found, holder) => return Ok((found, holder)),
        }
    }
}

fn glance<T: Collect>(place: &Place, formats: Formats) -> Result<Sight<T>, StoreError> {
    if !place.is_used() {
        return Ok(Sight::Free(T::default()));
    }
    match attempt(place)? {
        Attempt::Held(_lock) => Ok(Sight::Free(stored(place, formats)?)),
        Attempt::Busy(holder) => {
            let found = snapshot::read(place, formats)?.unwrap_or_default();
            Ok(Sight::Busy(found, holder))
        }
    }
}

/// Everything that is stored. The lock must be held.
fn stored<T: Collect>(place: &Place, formats: Formats) -> Result<T, StoreError> {
    if place.database().exists() {
        database::read(place, formats)
    } else {
        Ok(snapshot::read(place, formats)?.unwrap_or_default())
    }
}

/// Runs what may take long where it holds up nobody.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(e) => Err(StoreError::Io(format!("the state store stopped: {e}"))),
    }
}

#[cfg(test)]
mod tests;
