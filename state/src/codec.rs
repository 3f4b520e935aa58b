//! How a state is laid out as entries, keys and values of bytes.
//!
//! One ordered key space, parted by the first byte of the key, so that one batch covers all of it.
//! Record keys sort like the addresses they stand for, and all instances of a resource share a
//! prefix. Values are MessagePack with named fields, so that a field can be added later; they hold
//! everything, and a key is never decoded.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use topo_engine::address::{InstanceKey, ResourceAddress, ResourceMode};
use topo_engine::store::{Change, Meta, OutputRecord, Record, RecordKey, RunRecord, State};
use topo_sdk::{OperationId, ResourceState};

/// Everything that a state holds, as bytes.
pub(crate) type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

/// The format's number, eight bytes, big end first: the one thing that no format may change.
pub(crate) const FORMAT_KEY: &[u8] = b"\0format";
/// The [`MetaRecord`].
pub(crate) const META_KEY: &[u8] = b"\0meta";

const INTENT: u8 = b'i';
const DURATION: u8 = b'd';
const RECORD: u8 = b'r';
const RUN: u8 = b'u';
/// All results of conditions are one entry.
const CHECKS: u8 = b'v';
const OUTPUT: u8 = b'w';

/// From format 1, where these two came before everything else. sled writes some sixteen entries
/// that are next to each other anew when any of them changes, and the store's own entry changes
/// with every batch: what may be large must not be its neighbour.
///
/// # Errors
/// None.
pub(crate) fn large_values_last(entries: &mut Entries) -> Result<(), String> {
    for (before, now) in [(b'c', CHECKS), (b'o', OUTPUT)] {
        let after = entries.split_off(&[before][..]);
        for (mut key, value) in after {
            if key.first() == Some(&before) {
                key[0] = now;
            }
            entries.insert(key, value);
        }
    }
    Ok(())
}

/// What the store knows of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MetaRecord {
    pub(crate) lineage: String,
    pub(crate) serial: u64,
    /// Grows by one with every batch.
    pub(crate) sequence: u64,
    /// What the other entries add up to.
    pub(crate) digest: Digest,
    /// The lineage before the state was replaced by another: the snapshot may still be of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) replaced: Option<String>,
}

/// A sum over entries that shows whether any was lost or altered. It is not proof against malice,
/// only against broken disks: sled leaves out what it cannot read, which must not pass for a
/// smaller state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Digest {
    entries: u64,
    sum: u64,
}

impl Digest {
    pub(crate) fn add(&mut self, key: &[u8], value: &[u8]) {
        self.entries = self.entries.wrapping_add(1);
        self.sum = self.sum.wrapping_add(hash(key, value));
    }

    pub(crate) fn remove(&mut self, key: &[u8], value: &[u8]) {
        self.entries = self.entries.wrapping_sub(1);
        self.sum = self.sum.wrapping_sub(hash(key, value));
    }

    /// Of all entries but those about the store itself.
    pub(crate) fn of(entries: &Entries) -> Digest {
        let mut digest = Digest::default();
        for (key, value) in entries {
            if !key.starts_with(b"\0") {
                digest.add(key, value);
            }
        }
        digest
    }
}

/// 64-bit FNV-1a of key and value, the key's length first.
fn hash(key: &[u8], value: &[u8]) -> u64 {
    let length = (key.len() as u64).to_be_bytes();
    let bytes = length.iter().chain(key).chain(value);
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The format that these entries say they have; `None` when they do not say.
pub(crate) fn format_of(value: Option<&[u8]>) -> Option<u64> {
    Some(u64::from_be_bytes(value?.try_into().ok()?))
}

/// What one change comes to.
#[derive(Debug)]
pub(crate) enum Write {
    Put(Vec<u8>, Vec<u8>),
    Remove(Vec<u8>),
    /// Needs the intent as it is.
    Checkpoint(OperationId, ResourceState),
    /// The run is over: one more serial.
    EndRun(Vec<u8>, Vec<u8>),
}

/// What a change comes to.
///
/// # Errors
/// When a value cannot be encoded, which is a mistake in a type.
pub(crate) fn write_of(change: Change) -> Result<Write, rmp_serde::encode::Error> {
    Ok(match change {
        Change::Put(record) => Write::Put(record_key(&record.key), encode(&*record)?),
        Change::Remove(key) => Write::Remove(record_key(&key)),
        Change::PutOutput(name, output) => {
            let value = encode(&NamedOutput {
                name: name.clone(),
                output,
            })?;
            Write::Put(tagged(OUTPUT, &name), value)
        }
        Change::RemoveOutput(name) => Write::Remove(tagged(OUTPUT, &name)),
        Change::OpenIntent(intent) => Write::Put(intent_key(&intent.operation), encode(&*intent)?),
        Change::Checkpoint(operation, state) => Write::Checkpoint(operation, state),
        Change::CloseIntent(operation) => Write::Remove(intent_key(&operation)),
        Change::PutRun(run) => {
            let (key, value) = (tagged(RUN, &run.id), encode(&run)?);
            match run.ended {
                Some(_) => Write::EndRun(key, value),
                None => Write::Put(key, value),
            }
        }
        Change::PutDuration(type_name, action, duration) => {
            let mut key = vec![DURATION];
            push_text(&mut key, &type_name);
            push_text(&mut key, &action);
            let value = encode(&DurationRecord {
                type_name,
                action,
                duration,
            })?;
            Write::Put(key, value)
        }
        Change::PutChecks(checks) if checks.is_empty() => Write::Remove(vec![CHECKS]),
        Change::PutChecks(checks) => Write::Put(vec![CHECKS], encode(&checks)?),
    })
}

#[derive(Serialize, Deserialize)]
struct NamedOutput {
    name: Arc<str>,
    output: OutputRecord,
}

#[derive(Serialize, Deserialize)]
struct DurationRecord {
    type_name: Arc<str>,
    action: String,
    duration: Duration,
}

pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, rmp_serde::encode::Error> {
    rmp_serde::to_vec_named(value)
}

/// # Errors
/// The text of an error when the bytes are not such a value.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    rmp_serde::from_slice(bytes).map_err(|e| e.to_string())
}

/// What entries are read into, one after the other in the order of their keys, so that a state
/// need not be in memory twice.
pub(crate) trait Collect: Default + Send + 'static {
    /// # Errors
    /// When the entry cannot be understood.
    fn add(&mut self, key: &[u8], value: &[u8]) -> Result<(), String>;
}

impl Collect for Entries {
    fn add(&mut self, key: &[u8], value: &[u8]) -> Result<(), String> {
        self.insert(key.to_vec(), value.to_vec());
        Ok(())
    }
}

impl Collect for State {
    fn add(&mut self, key: &[u8], value: &[u8]) -> Result<(), String> {
        match key.first() {
            Some(&RECORD) => {
                let record: Record = decode(value)?;
                self.records.insert(record.key.clone(), record);
            }
            Some(&OUTPUT) => {
                let named: NamedOutput = decode(value)?;
                self.outputs.insert(named.name, named.output);
            }
            Some(&INTENT) => self.intents.push(decode(value)?),
            Some(&DURATION) => {
                let record: DurationRecord = decode(value)?;
                let key = (record.type_name, record.action);
                self.durations.insert(key, record.duration);
            }
            Some(&CHECKS) => self.checks = decode(value)?,
            Some(&RUN) => {}
            _ if key == META_KEY => {
                let meta: MetaRecord = decode(value)?;
                self.meta = Meta {
                    lineage: meta.lineage,
                    serial: meta.serial,
                };
            }
            _ if key == FORMAT_KEY => {}
            _ => return Err("no such kind of entry".to_string()),
        }
        Ok(())
    }
}

/// The runs, oldest first.
impl Collect for Vec<RunRecord> {
    fn add(&mut self, key: &[u8], value: &[u8]) -> Result<(), String> {
        if key.first() == Some(&RUN) {
            self.push(decode(value)?);
        }
        Ok(())
    }
}

/// Reads entries whose digest is not known yet.
#[derive(Default)]
pub(crate) struct Collector<T> {
    collected: T,
    digest: Digest,
    /// Only of interest if the entries are what was written.
    failed: Option<String>,
}

impl<T: Collect> Collector<T> {
    pub(crate) fn add(&mut self, key: &[u8], value: &[u8]) {
        if !key.starts_with(b"\0") {
            self.digest.add(key, value);
        }
        if self.failed.is_none()
            && let Err(e) = self.collected.add(key, value)
        {
            self.failed = Some(entry_error(key, &e));
        }
    }

    /// What was read, if this is what it adds up to.
    ///
    /// # Errors
    /// What cannot be understood; `altered` when it adds up to something else.
    pub(crate) fn finish(self, digest: Digest, altered: &str) -> Result<T, String> {
        match self.failed {
            _ if self.digest != digest => Err(altered.to_string()),
            Some(failed) => Err(failed),
            None => Ok(self.collected),
        }
    }
}

/// Reads entries that have been checked.
///
/// # Errors
/// What cannot be understood.
pub(crate) fn collect<T: Collect>(entries: &Entries) -> Result<T, String> {
    let mut collected = T::default();
    for (key, value) in entries {
        collected
            .add(key, value)
            .map_err(|e| entry_error(key, &e))?;
    }
    Ok(collected)
}

fn entry_error(key: &[u8], error: &str) -> String {
    format!("entry {}: {error}", key.escape_ascii())
}

pub(crate) fn intent_key(operation: &OperationId) -> Vec<u8> {
    tagged(INTENT, operation.as_str())
}

fn tagged(tag: u8, name: &str) -> Vec<u8> {
    let mut key = vec![tag];
    key.extend_from_slice(name.as_bytes());
    key
}

/// Sorts like [`RecordKey`].
fn record_key(record: &RecordKey) -> Vec<u8> {
    let mut key = resource_prefix(&record.address.resource);
    push_instance_key(&mut key, record.address.key.as_ref());
    match &record.deposed {
        None => key.push(0),
        Some(deposed) => {
            key.push(1);
            push_text(&mut key, deposed);
        }
    }
    key
}

/// What the keys of all instances of a resource start with, and no others.
fn resource_prefix(resource: &ResourceAddress) -> Vec<u8> {
    let mut key = vec![RECORD];
    for (name, instance) in resource.module.steps() {
        key.push(1);
        push_text(&mut key, name);
        push_instance_key(&mut key, instance.as_ref());
    }
    key.push(0);
    key.push(match resource.mode {
        ResourceMode::Managed => 0,
        ResourceMode::Data => 1,
        ResourceMode::Ephemeral => 2,
    });
    push_text(&mut key, &resource.type_name);
    push_text(&mut key, &resource.name);
    key
}

fn push_instance_key(key: &mut Vec<u8>, instance: Option<&InstanceKey>) {
    match instance {
        None => key.push(0),
        Some(InstanceKey::Index(index)) => {
            key.push(1);
            key.extend_from_slice(&index.to_be_bytes());
        }
        Some(InstanceKey::Key(text)) => {
            key.push(2);
            push_text(key, text);
        }
    }
}

/// A text and its end, so that a text sorts before a longer one whatever follows: zero ends it,
/// and a zero inside is followed by 255.
fn push_text(key: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        key.push(byte);
        if byte == 0 {
            key.push(0xff);
        }
    }
    key.extend_from_slice(&[0, 0]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_keys_sort_like_addresses() {
        let mut keys: Vec<RecordKey> = Vec::new();
        for address in [
            "a.b",
            "a.b[2]",
            "a.b[10]",
            "a.b[\"\"]",
            "a.b[\"x\"]",
            "a.b[\"x\0\"]",
            "a.b[\"xy\"]",
            "a.bb",
            "aa.b",
            "data.a.b",
            "module.m.a.b",
            "module.m[0].a.b",
            "module.m[\"k\"].a.b",
            "module.m.module.n.a.b",
            "module.mm.a.b",
        ] {
            let address: topo_engine::address::InstanceAddress = address.parse().unwrap();
            for deposed in [None, Some("1"), Some("2")] {
                keys.push(RecordKey {
                    address: address.clone(),
                    deposed: deposed.map(Into::into),
                });
            }
        }
        for a in &keys {
            for b in &keys {
                assert_eq!(record_key(a).cmp(&record_key(b)), a.cmp(b), "{a:?} {b:?}");
                let same = a.address.resource == b.address.resource;
                let prefix = resource_prefix(&a.address.resource);
                assert_eq!(record_key(b).starts_with(&prefix), same, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn the_digest_is_of_what_is_there() {
        let mut digest = Digest::default();
        digest.add(b"a", b"1");
        digest.add(b"b", b"2");
        digest.remove(b"a", b"1");
        let entries = Entries::from([
            (b"b".to_vec(), b"2".to_vec()),
            (META_KEY.to_vec(), b"x".to_vec()),
        ]);
        assert_eq!(digest, Digest::of(&entries));
        digest.add(b"ab", b"");
        digest.remove(b"a", b"b");
        assert_ne!(digest, Digest::of(&entries));
    }
}
