//! The state exported to one file: what readers get while a run holds the database, and the last
//! good copy should the database be damaged.
//!
//! A line that names the kind of file, a header, then every entry of the database, each part
//! preceded by its length in four bytes, big end first.

use std::fs::{self, File};
use std::io::{self, Read, Write};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use topo_engine::store::StoreError;

use crate::codec::{Collect, Collector, Digest, Entries, MetaRecord, collect, decode, encode};
use crate::files::{Place, if_present, io_error, replace};
use crate::format::Formats;

const MAGIC: &[u8] = b"topo state snapshot\n";
/// More than any header takes.
const HEADER_LIMIT: u64 = 64 * 1024;

/// What is known of a snapshot without reading all of it. Grows by fields, in every format.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) format: u64,
    pub(crate) lineage: String,
    pub(crate) serial: u64,
    /// How many batches went into the database before.
    pub(crate) sequence: u64,
    digest: Digest,
    pub(crate) taken: Timestamp,
}

/// Writes the snapshot in place of the last one, durably.
pub(crate) fn write(
    place: &Place,
    format: u64,
    meta: &MetaRecord,
    entries: &Entries,
) -> Result<(), StoreError> {
    let header = encode(&Header {
        format,
        lineage: meta.lineage.clone(),
        serial: meta.serial,
        sequence: meta.sequence,
        digest: meta.digest,
        taken: Timestamp::now(),
    })
    .map_err(|e| StoreError::Corrupt(e.to_string()))?;
    replace(&place.snapshot(), |file| {
        file.write_all(MAGIC)?;
        write_part(file, &header)?;
        for (key, value) in entries {
            write_part(file, key)?;
            write_part(file, value)?;
        }
        Ok(())
    })
}

fn write_part(file: &mut dyn Write, part: &[u8]) -> io::Result<()> {
    let length = u32::try_from(part.len()).map_err(io::Error::other)?;
    file.write_all(&length.to_be_bytes())?;
    file.write_all(part)
}

/// The header alone; `None` where there is no snapshot.
///
/// # Errors
/// When it cannot be read or understood.
pub(crate) fn header(place: &Place) -> Result<Option<Header>, StoreError> {
    let path = place.snapshot();
    let read = File::open(&path).and_then(|file| {
        let mut bytes = Vec::new();
        file.take(HEADER_LIMIT).read_to_end(&mut bytes)?;
        Ok(bytes)
    });
    match if_present(read).map_err(|e| io_error(&path, &e))? {
        None => Ok(None),
        Some(bytes) => match parse_header(&bytes) {
            Ok((header, _)) => Ok(Some(header)),
            Err(what) => Err(damaged(place, &what)),
        },
    }
}

/// All of it, in the current format; `None` where there is no snapshot.
///
/// # Errors
/// When it cannot be read or understood, was altered, or is of a newer format.
pub(crate) fn read<T: Collect>(place: &Place, formats: Formats) -> Result<Option<T>, StoreError> {
    let path = place.snapshot();
    let Some(bytes) = if_present(fs::read(&path)).map_err(|e| io_error(&path, &e))? else {
        return Ok(None);
    };
    let (header, rest) = parse_header(&bytes).map_err(|what| damaged(place, &what))?;
    let read = if formats.is_older(header.format)? {
        parse_entries::<Entries>(rest, header.digest).and_then(|mut entries| {
            formats.upgrade(&mut entries, header.format)?;
            collect(&entries)
        })
    } else {
        parse_entries(rest, header.digest)
    };
    read.map(Some).map_err(|what| damaged(place, &what))
}

fn parse_header(bytes: &[u8]) -> Result<(Header, &[u8]), String> {
    let (header, rest) = bytes
        .strip_prefix(MAGIC)
        .and_then(split_part)
        .ok_or("it is not a snapshot")?;
    Ok((decode(header)?, rest))
}

fn parse_entries<T: Collect>(mut bytes: &[u8], digest: Digest) -> Result<T, String> {
    const ALTERED: &str = "it is not what was written";
    let mut collector = Collector::<T>::default();
    while !bytes.is_empty() {
        let (key, rest) = split_part(bytes).ok_or(ALTERED)?;
        let (value, rest) = split_part(rest).ok_or(ALTERED)?;
        collector.add(key, value);
        bytes = rest;
    }
    collector.finish(digest, ALTERED)
}

fn split_part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

fn damaged(place: &Place, what: &str) -> StoreError {
    StoreError::Corrupt(format!(
        "{}: {what}; while a run is under way, wait for it to end, which writes a new one; \
         otherwise restore the directory from a backup",
        place.snapshot().display()
    ))
}
