//! The simulated cloud: objects on disk, seen by later runs.
//!
//! One sled tree with prefixed keys, so that an object, its name and the operation that made it
//! are written in one batch:
//!
//! - `o` type, id, target: the object
//! - `n` kind, target, name: the key of the object that has this name
//! - `p` operation id: the key of the object that the operation made or changed
//! - `c` hash: how often something with this identity was made

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use sled::Batch;
use topo_sdk::{Diagnostics, Value};

use crate::calls::{CallCounts, Calls};
use crate::identity;
use crate::options::Options;

/// A simulated cloud: objects kept on disk, seen by later runs. Cheap to clone.
#[derive(Clone)]
pub struct Cloud(Arc<Inner>);

struct Inner {
    db: sled::Db,
    options: Options,
    calls: Calls,
    /// Held from reading what a write depends on to the write itself.
    writing: Mutex<()>,
    /// Batches written.
    written: AtomicU64,
    /// Batches known to be on disk; held while syncing, so that waiting writers share one sync.
    synced: tokio::sync::Mutex<u64>,
}

/// A simulated object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The name of the provider that it belongs to: `aws`.
    pub provider: String,
    /// Its resource type.
    pub type_name: Arc<str>,
    /// Its id, unique within the type. Where two targets (regions, clusters) hold objects of the
    /// same type and id, each is written `id@target`.
    pub id: String,
    /// Its attributes, an object of the resource type's schema.
    pub value: Value,
}

/// An object as stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    pub provider: String,
    pub type_name: Arc<str>,
    pub id: String,
    /// Which of the clouds that the provider can talk to: a region, a cluster's endpoint.
    pub target: String,
    /// What no two objects of its kind in one target may share.
    pub name: Option<String>,
    pub value: Value,
}

/// What became of an attempt to make an object.
pub(crate) enum Made {
    /// It is there, made now or by an earlier attempt under the same operation id.
    Object(Record),
    /// Another object has its name.
    NameTaken,
}

const SEPARATOR: u8 = 0;

fn key(prefix: char, parts: &[&str]) -> Vec<u8> {
    let mut key = vec![prefix as u8];
    for part in parts {
        key.push(SEPARATOR);
        key.extend_from_slice(part.as_bytes());
    }
    key
}

impl Record {
    fn key(&self) -> Vec<u8> {
        key('o', &[&self.type_name, &self.id, &self.target])
    }

    fn name_key(&self) -> Option<Vec<u8>> {
        let name = self.name.as_deref()?;
        let kind = identity::kind(&self.type_name);
        Some(key('n', &[&kind, &self.target, name]))
    }
}

impl Cloud {
    /// Opens the cloud kept in a directory, which is made when missing.
    ///
    /// # Errors
    /// When another process has it open, or the directory cannot be used.
    pub fn open(dir: &Path, options: Options) -> Result<Cloud, Diagnostics> {
        let db = sled::Config::new()
            .path(dir)
            .cache_capacity(64 << 20)
            .open()
            .map_err(|e| open_failed(dir, &e))?;
        Ok(Cloud(Arc::new(Inner {
            db,
            options,
            calls: Calls::default(),
            writing: Mutex::new(()),
            written: AtomicU64::new(0),
            synced: tokio::sync::Mutex::new(0),
        })))
    }

    /// Every object, sorted by type, then id.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn list(&self) -> Result<Vec<Object>, Diagnostics> {
        let records = self.records(None)?;
        let mut objects: Vec<Object> = records
            .iter()
            .map(|r| {
                let twin = |o: &&Record| o.type_name == r.type_name && o.id == r.id;
                let ambiguous = records.iter().filter(twin).nth(1).is_some();
                r.clone().into_object(ambiguous)
            })
            .collect();
        objects.sort_by(|a, b| (&a.type_name, &a.id).cmp(&(&b.type_name, &b.id)));
        Ok(objects)
    }

    /// The object of a type and id (`id@target` where the id alone names several).
    ///
    /// # Errors
    /// When the id names several objects, or the store cannot be read.
    pub fn get(&self, type_name: &str, id: &str) -> Result<Option<Object>, Diagnostics> {
        let found = self.resolve(type_name, id)?;
        Ok(found.map(|r| Object {
            id: id.into(),
            ..r.into_object(false)
        }))
    }

    /// Puts an object in place of the one of the same type and id, or adds it: tampering, as
    /// someone would who changes things by hand. Durable when it returns.
    ///
    /// # Errors
    /// When the id names several objects, or the store cannot be written.
    pub fn put(&self, object: Object) -> Result<(), Diagnostics> {
        let _writing = self.lock();
        let record = match self.resolve(&object.type_name, &object.id)? {
            Some(old) => Record {
                value: object.value,
                ..old
            },
            None => Record {
                name: identity::unique_name(&object.type_name, &object.value),
                provider: object.provider,
                type_name: object.type_name,
                id: object.id,
                target: String::new(),
                value: object.value,
            },
        };
        let mut batch = Batch::default();
        batch.insert(record.key(), encode(&record)?);
        if let Some(name) = record.name_key() {
            batch.insert(name, record.key());
        }
        self.write(batch)?;
        self.flush()
    }

    /// Removes an object behind everyone's back; `false` when there was none. Durable when it
    /// returns.
    ///
    /// # Errors
    /// When the id names several objects, or the store cannot be written.
    pub fn delete(&self, type_name: &str, id: &str) -> Result<bool, Diagnostics> {
        let Some(record) = self.resolve(type_name, id)? else {
            return Ok(false);
        };
        self.remove(&record)?;
        self.flush()?;
        Ok(true)
    }

    /// Waits until everything written is on disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn flush(&self) -> Result<(), Diagnostics> {
        self.0.db.flush().map(drop).map_err(|e| storage(&e))
    }

    /// How many calls have been made since the cloud was opened, retries included.
    pub fn calls(&self) -> CallCounts {
        self.0.calls.counts()
    }

    pub(crate) fn call_state(&self) -> &Calls {
        &self.0.calls
    }

    pub(crate) fn options(&self) -> &Options {
        &self.0.options
    }

    /// Every object, or every one of a type, in the order of their keys.
    pub(crate) fn records(&self, type_name: Option<&str>) -> Result<Vec<Record>, Diagnostics> {
        let mut prefix = match type_name {
            Some(name) => key('o', &[name]),
            None => vec![b'o'],
        };
        prefix.push(SEPARATOR);
        self.scan(&prefix)
    }

    /// An object by its full key.
    pub(crate) fn find(
        &self,
        type_name: &str,
        id: &str,
        target: &str,
    ) -> Result<Option<Record>, Diagnostics> {
        self.load(&key('o', &[type_name, id, target]))
    }

    /// What an operation has made or changed.
    pub(crate) fn by_operation(&self, operation: &str) -> Result<Option<Record>, Diagnostics> {
        match self.raw(&key('p', &[operation]))? {
            Some(object) => self.load(&object),
            None => Ok(None),
        }
    }

    /// Adds an object, once for an operation.
    pub(crate) fn make(&self, operation: &str, record: Record) -> Result<Made, Diagnostics> {
        let _writing = self.lock();
        if let Some(made) = self.by_operation(operation)? {
            return Ok(Made::Object(made));
        }
        let name = record.name_key();
        let mut taken = self.raw(&record.key())?.is_some();
        if let Some(name) = &name {
            taken |= self.raw(name)?.is_some();
        }
        if taken {
            return Ok(Made::NameTaken);
        }
        let mut batch = Batch::default();
        batch.insert(record.key(), encode(&record)?);
        batch.insert(key('p', &[operation]), record.key());
        if let Some(name) = name {
            batch.insert(name, record.key());
        }
        self.write(batch)?;
        Ok(Made::Object(record))
    }

    /// Replaces the attributes of an object; `false` when it is gone.
    pub(crate) fn change(&self, operation: &str, record: &Record) -> Result<bool, Diagnostics> {
        let _writing = self.lock();
        let Some(old) = self.load(&record.key())? else {
            return Ok(false);
        };
        let mut batch = Batch::default();
        if let Some(name) = old.name_key() {
            batch.remove(name);
        }
        if let Some(name) = record.name_key() {
            batch.insert(name, record.key());
        }
        batch.insert(record.key(), encode(record)?);
        batch.insert(key('p', &[operation]), record.key());
        self.write(batch)?;
        Ok(true)
    }

    /// Removes an object, and what is inside it where it is a cluster.
    pub(crate) fn remove(&self, record: &Record) -> Result<(), Diagnostics> {
        let _writing = self.lock();
        let mut batch = Batch::default();
        let mut drop_record = |r: &Record| {
            batch.remove(r.key());
            if let Some(name) = r.name_key() {
                batch.remove(name);
            }
        };
        drop_record(record);
        if let Some(endpoint) = identity::cluster_endpoint(&record.type_name, &record.value) {
            self.records(None)?
                .iter()
                .filter(|r| r.target == endpoint)
                .for_each(&mut drop_record);
        }
        self.write(batch)
    }

    /// How often something of this identity was made before; counts this time.
    pub(crate) fn occurrence(&self, identity: &str) -> Result<u64, Diagnostics> {
        let _writing = self.lock();
        let key = key('c', &[identity]);
        let before = self.raw(&key)?;
        let before = before
            .and_then(|b| Some(u64::from_be_bytes(b.as_ref().try_into().ok()?)))
            .unwrap_or(0);
        let mut batch = Batch::default();
        batch.insert(key, &(before + 1).to_be_bytes());
        self.write(batch)?;
        Ok(before)
    }

    /// Waits until everything written so far is on disk; writers that wait side by side share
    /// one sync.
    pub(crate) async fn durable(&self) -> Result<(), Diagnostics> {
        let mine = self.0.written.load(Ordering::Acquire);
        let mut synced = self.0.synced.lock().await;
        if *synced >= mine {
            return Ok(());
        }
        let all = self.0.written.load(Ordering::Acquire);
        let db = self.0.db.clone();
        // On the blocking pool, which also keeps tokio's paused clock from running ahead.
        let done = tokio::task::spawn_blocking(move || db.flush()).await;
        match done {
            Ok(Ok(_)) => *synced = all,
            Ok(Err(e)) => return Err(storage(&e)),
            Err(e) => {
                return Err(Diagnostics::error(
                    "The sandbox's store was not synced",
                    format!("{e}."),
                ));
            }
        }
        Ok(())
    }

    fn resolve(&self, type_name: &str, id: &str) -> Result<Option<Record>, Diagnostics> {
        let named = |id: &str| {
            let mut prefix = key('o', &[type_name, id]);
            prefix.push(SEPARATOR);
            self.scan(&prefix)
        };
        let mut found = named(id)?;
        if found.is_empty()
            && let Some((id, target)) = id.rsplit_once('@')
        {
            found = named(id)?;
            found.retain(|r| r.target == target);
        }
        if found.len() > 1 {
            let choices: Vec<String> = found
                .iter()
                .map(|r| format!("{}@{}", r.id, r.target))
                .collect();
            return Err(Diagnostics::error(
                format!("More than one simulated {type_name} has the id {id}"),
                format!("Say which one: {}.", choices.join(", ")),
            ));
        }
        Ok(found.pop())
    }

    fn scan(&self, prefix: &[u8]) -> Result<Vec<Record>, Diagnostics> {
        self.0
            .db
            .scan_prefix(prefix)
            .map(|item| decode(&item.map_err(|e| storage(&e))?.1))
            .collect()
    }

    fn load(&self, key: &[u8]) -> Result<Option<Record>, Diagnostics> {
        self.raw(key)?.map(|bytes| decode(&bytes)).transpose()
    }

    fn raw(&self, key: &[u8]) -> Result<Option<sled::IVec>, Diagnostics> {
        self.0.db.get(key).map_err(|e| storage(&e))
    }

    fn write(&self, batch: Batch) -> Result<(), Diagnostics> {
        self.0.db.apply_batch(batch).map_err(|e| storage(&e))?;
        self.0.written.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    /// The lock guards no data of its own, so one that a panic left behind is as good as any.
    fn lock(&self) -> MutexGuard<'_, ()> {
        self.0
            .writing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record {
    fn into_object(self, ambiguous: bool) -> Object {
        let id = match ambiguous {
            true => format!("{}@{}", self.id, self.target),
            false => self.id,
        };
        Object {
            provider: self.provider,
            type_name: self.type_name,
            id,
            value: self.value,
        }
    }
}

fn encode(record: &Record) -> Result<Vec<u8>, Diagnostics> {
    rmp_serde::to_vec_named(record).map_err(|e| {
        Diagnostics::error(
            "A simulated object could not be written",
            format!("{}.{}: {e}.", record.type_name, record.id),
        )
    })
}

fn decode(bytes: &[u8]) -> Result<Record, Diagnostics> {
    rmp_serde::from_slice(bytes).map_err(|e| {
        Diagnostics::error(
            "The sandbox's store holds something unreadable",
            format!("{e}. Remove the sandbox's directory to start anew; nothing real is lost."),
        )
    })
}

fn storage(e: &sled::Error) -> Diagnostics {
    Diagnostics::error("The sandbox's store failed", format!("{e}."))
}

fn open_failed(dir: &Path, e: &sled::Error) -> Diagnostics {
    let text = e.to_string();
    // sled has no error of its own for this; the text is what tells it apart.
    if text.contains("could not acquire lock") || text.contains("WouldBlock") {
        return Diagnostics::error(
            "The sandbox is in use",
            format!(
                "Another process has {} open. Wait until it is done, or work in another directory.",
                dir.display()
            ),
        );
    }
    Diagnostics::error(
        "The sandbox cannot be opened",
        format!("{}: {text}.", dir.display()),
    )
}
