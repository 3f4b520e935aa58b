//! The entries on disk: sled, made durable and checked.
//!
//! What sled 0.34 gives is an ordered map with atomic batches. Three things it does not give are
//! added here.
//!
//! - Durability: on Linux its flush is `sync_file_range`, which leaves out the file's length and
//!   the disk's write cache, and values too large for its log go to files of their own without
//!   any sync. [`Database::apply`] syncs both.
//! - Integrity: what sled cannot read when it opens, it may leave out. Every batch therefore
//!   updates a digest of all entries, checked when they are read, and a sequence number, compared
//!   with that of the last snapshot.
//! - No panics: sled may panic on files that are damaged. Such a panic is caught and becomes
//!   [`StoreError::Corrupt`]; the panic's own message still goes to the process's panic hook.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

use topo_engine::store::{Meta, StoreError};

use crate::codec::{
    Collect, Collector, Digest, Entries, FORMAT_KEY, META_KEY, MetaRecord, collect, decode, encode,
    format_of,
};
use crate::files::sync_parent;
use crate::files::{Place, copy_directory, if_present, io_error, restrict, sync_directory};
use crate::format::Formats;
use crate::snapshot::{self, Header};

const CACHE_BYTES: u64 = 64 * 1024 * 1024;
/// How long sled's own lock may outlive the one who closed the database: its last threads end on
/// their own.
const SLED_LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// New values of entries; `None` removes one.
pub(crate) type Writes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// The open database. Whoever has it holds the state's lock.
#[derive(Debug)]
pub(crate) struct Database {
    place: Place,
    format: u64,
    db: sled::Db,
    /// sled's log, to sync it.
    log: File,
    /// The large values that are durable already.
    synced: HashSet<OsString>,
    meta: MetaRecord,
}

impl Database {
    /// Opens the database; creates it where there is none, from the snapshot if there is one;
    /// upgrades it where it is older, and keeps the older files.
    pub(crate) fn open(place: &Place, formats: Formats) -> Result<Database, StoreError> {
        let existed = place.database().exists();
        // Before there is a database: one that cannot be filled must not be left behind.
        let mut restored = match existed {
            true => Entries::new(),
            false => snapshot::read(place, formats)?.unwrap_or_default(),
        };
        let mut db = open_sled(place)?;
        let format = formats.current();
        let meta = match found(place, &db, existed)? {
            Some(found) if formats.is_older(found)? => {
                let mut entries: Entries = entries(place, &db)?;
                formats
                    .upgrade(&mut entries, found)
                    .map_err(|what| place.corrupt(what))?;
                drop(db);
                copy_directory(&place.database(), &place.aside(found))?;
                db = open_sled(place)?;
                fill(place, &db, &mut entries, format)?
            }
            Some(_) => meta(place, &db)?,
            None => fill(place, &db, &mut restored, format)?,
        };
        restrict(place.dir()).map_err(|e| io_error(place.dir(), &e))?;
        let path = place.database().join("db");
        let log = File::options().read(true).write(true).open(&path);
        let mut database = Database {
            place: place.clone(),
            format,
            db,
            log: log.map_err(|e| io_error(&path, &e))?,
            synced: HashSet::new(),
            meta,
        };
        database.flush()?;
        database
            .sync_names()
            .map_err(|e| io_error(&place.database(), &e))?;
        Ok(database)
    }

    /// The value of an entry.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<sled::IVec>, StoreError> {
        guarded(&self.place, || self.db.get(key))
    }

    /// Everything, checked.
    pub(crate) fn read<T: Collect>(&self) -> Result<T, StoreError> {
        entries(&self.place, &self.db)
    }

    /// Writes these entries, all or none, durable on return; with `adopt` the state has another
    /// lineage and serial from then on. After an error it is not known what the disk holds, and
    /// nothing more may be written.
    pub(crate) fn apply(
        &mut self,
        writes: Writes,
        ended_runs: u64,
        adopt: Option<Meta>,
    ) -> Result<(), StoreError> {
        let mut meta = self.meta.clone();
        meta.serial += ended_runs;
        if let Some(adopt) = adopt {
            meta.serial = adopt.serial;
            if meta.lineage != adopt.lineage {
                meta.replaced = Some(std::mem::replace(&mut meta.lineage, adopt.lineage));
            }
        }
        meta.sequence += 1;
        let mut batch = sled::Batch::default();
        for (key, value) in writes {
            if let Some(old) = self.get(&key)? {
                meta.digest.remove(&key, &old);
            }
            match value {
                Some(value) => {
                    meta.digest.add(&key, &value);
                    batch.insert(key, value);
                }
                None => batch.remove(key),
            }
        }
        let encoded = encode(&meta).map_err(|e| StoreError::Io(e.to_string()))?;
        batch.insert(META_KEY, encoded);
        guarded(&self.place, || self.db.apply_batch(batch))?;
        self.flush()?;
        self.meta = meta;
        Ok(())
    }

    /// Whether the snapshot has everything.
    pub(crate) fn is_exported(&self) -> bool {
        snapshot::header(&self.place).is_ok_and(|header| {
            header.is_some_and(|header| {
                header.lineage == self.meta.lineage && header.sequence == self.meta.sequence
            })
        })
    }

    /// Exports the snapshot.
    pub(crate) fn export(&self) -> Result<(), StoreError> {
        snapshot::write(&self.place, self.format, &self.meta, &self.read()?)
    }

    /// Closes sled's files.
    pub(crate) fn close(self) -> Result<(), StoreError> {
        let Database { place, db, .. } = self;
        guarded(&place, || {
            drop(db);
            Ok(())
        })?;
        restrict(place.dir()).map_err(|e| io_error(place.dir(), &e))
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        guarded(&self.place, || self.db.flush())?;
        self.sync()
            .map_err(|e| io_error(&self.place.database(), &e))
    }

    fn sync(&mut self) -> io::Result<()> {
        self.log.sync_data()?;
        let dir = self.place.database().join("blobs");
        let mut present = HashSet::new();
        let mut added = false;
        for entry in fs::read_dir(&dir)? {
            let name = entry?.file_name();
            if !self.synced.contains(&name) {
                // sled removes the values that are no longer used.
                if let Some(file) = if_present(File::open(dir.join(&name)))? {
                    file.sync_all()?;
                    added = true;
                }
            }
            present.insert(name);
        }
        self.synced = present;
        if added { sync_directory(&dir) } else { Ok(()) }
    }

    fn sync_names(&self) -> io::Result<()> {
        sync_directory(&self.place.database())?;
        sync_directory(self.place.dir())?;
        sync_parent(self.place.dir())
    }
}

/// Everything in the database, checked and in the current format, for somebody who only reads.
/// There must be a database.
pub(crate) fn read<T: Collect>(place: &Place, formats: Formats) -> Result<T, StoreError> {
    let db = open_sled(place)?;
    let Some(found) = found(place, &db, true)? else {
        return Ok(T::default());
    };
    let collected = if formats.is_older(found)? {
        let mut older: Entries = entries(place, &db)?;
        let upgraded = formats.upgrade(&mut older, found);
        upgraded
            .and_then(|()| collect(&older))
            .map_err(|what| place.corrupt(what))?
    } else {
        entries(place, &db)?
    };
    guarded(place, || {
        drop(db);
        Ok(collected)
    })
}

fn open_sled(place: &Place) -> Result<sled::Db, StoreError> {
    let config = sled::Config::new()
        .path(place.database())
        .cache_capacity(CACHE_BYTES)
        .mode(sled::Mode::HighThroughput)
        .use_compression(false)
        .flush_every_ms(None);
    let deadline = Instant::now() + SLED_LOCK_PATIENCE;
    loop {
        let opened = guarded(place, || match config.open() {
            // The one error that sled reports as nothing more precise.
            Err(sled::Error::Io(e)) if e.to_string().contains("could not acquire lock") => Ok(None),
            other => other.map(Some),
        })?;
        match opened {
            Some(db) => return Ok(db),
            None if Instant::now() < deadline => thread::sleep(Duration::from_millis(10)),
            None => {
                return Err(StoreError::Locked(format!(
                    "another program has {} open",
                    place.database().display()
                )));
            }
        }
    }
}

/// The format of the database; `None` when it is new.
fn found(place: &Place, db: &sled::Db, existed: bool) -> Result<Option<u64>, StoreError> {
    let snapshot = snapshot::header(place).unwrap_or_else(|e| {
        tracing::warn!("the snapshot is of no use: {e}");
        None
    });
    let Some(format) = guarded(place, || db.get(FORMAT_KEY))? else {
        // A database that was never filled is one whose creation was cut off; but then there is
        // no snapshot yet either.
        let is_empty = guarded(place, || db.iter().next().transpose())?.is_none();
        return if is_empty && (!existed || snapshot.is_none()) {
            Ok(None)
        } else {
            Err(place.corrupt("it does not say its format"))
        };
    };
    let format = format_of(Some(&format))
        .filter(|format| *format > 0)
        .ok_or_else(|| place.corrupt("it does not say its format"))?;
    if let Some(header) = snapshot.filter(|header| header.format == format) {
        compare(place, &meta(place, db)?, &header)?;
    }
    Ok(Some(format))
}

fn compare(place: &Place, meta: &MetaRecord, header: &Header) -> Result<(), StoreError> {
    if meta.lineage != header.lineage && meta.replaced.as_ref() != Some(&header.lineage) {
        return Err(place.corrupt(format!(
            "its lineage is {}, the snapshot's is {}",
            meta.lineage, header.lineage
        )));
    }
    if meta.sequence < header.sequence {
        return Err(place.corrupt(format!(
            "it lacks the last {} commits that the snapshot has",
            header.sequence - meta.sequence
        )));
    }
    Ok(())
}

fn meta(place: &Place, db: &sled::Db) -> Result<MetaRecord, StoreError> {
    let bytes = guarded(place, || db.get(META_KEY))?
        .ok_or_else(|| place.corrupt("it does not say which state it is"))?;
    decode(&bytes).map_err(|what| place.corrupt(what))
}

fn entries<T: Collect>(place: &Place, db: &sled::Db) -> Result<T, StoreError> {
    let collector = guarded(place, || {
        let mut collector = Collector::<T>::default();
        for entry in db.iter() {
            let (key, value) = entry?;
            collector.add(&key, &value);
        }
        Ok(collector)
    })?;
    let meta = meta(place, db)?;
    collector
        .finish(meta.digest, "entries were lost or altered")
        .map_err(|what| place.corrupt(what))
}

/// Makes these entries, perhaps none, the whole content, in one batch.
fn fill(
    place: &Place,
    db: &sled::Db,
    entries: &mut Entries,
    format: u64,
) -> Result<MetaRecord, StoreError> {
    let mut meta = match entries.get(META_KEY) {
        Some(bytes) => decode::<MetaRecord>(bytes).map_err(|what| place.corrupt(what))?,
        None => MetaRecord {
            lineage: uuid::Uuid::new_v4().to_string(),
            serial: 0,
            sequence: 0,
            digest: Digest::default(),
            replaced: None,
        },
    };
    meta.sequence += 1;
    meta.digest = Digest::of(entries);
    let encoded = encode(&meta).map_err(|e| StoreError::Io(e.to_string()))?;
    entries.insert(META_KEY.to_vec(), encoded);
    entries.insert(FORMAT_KEY.to_vec(), format.to_be_bytes().to_vec());
    let mut batch = sled::Batch::default();
    for key in guarded(place, || db.iter().keys().collect::<Result<Vec<_>, _>>())? {
        batch.remove(key);
    }
    for (key, value) in entries.iter() {
        batch.insert(key.as_slice(), value.as_slice());
    }
    guarded(place, || db.apply_batch(batch))?;
    Ok(meta)
}

/// Calls sled, and makes errors of its errors and panics.
fn guarded<T>(
    place: &Place,
    call: impl FnOnce() -> Result<T, sled::Error>,
) -> Result<T, StoreError> {
    // Whatever the panic leaves half done is behind the handle, which is not used again.
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(sled::Error::Io(e)))
            if !matches!(e.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData) =>
        {
            Err(io_error(&place.database(), &e))
        }
        Ok(Err(e)) => Err(place.corrupt(e)),
        Err(panic) => {
            let text = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied());
            Err(place.corrupt(text.unwrap_or("sled gave up")))
        }
    }
}
