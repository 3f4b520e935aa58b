//! The versions of the layout of entries, and the way from each to the next.

use topo_engine::store::StoreError;

use crate::codec::{Entries, FORMAT_KEY, large_values_last};

/// Rewrites the entries of one format in the next one's layout. The entry of the format itself and
/// the digest are not its concern.
///
/// # Errors
/// What it cannot understand.
pub(crate) type Upgrade = fn(&mut Entries) -> Result<(), String>;

/// The formats that this program knows: as many upgrades as there are older ones. The first is
/// from format 1 to format 2.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Formats(pub(crate) &'static [Upgrade]);

/// The formats there have been. To change the layout, append an upgrade.
pub(crate) const FORMATS: Formats = Formats(&[large_values_last]);

impl Formats {
    /// The newest, which is what is written.
    pub(crate) fn current(self) -> u64 {
        self.0.len() as u64 + 1
    }

    /// Whether entries of this format are to be upgraded.
    ///
    /// # Errors
    /// When it is newer than what this program knows.
    pub(crate) fn is_older(self, found: u64) -> Result<bool, StoreError> {
        let known = self.current();
        if found > known {
            return Err(StoreError::NewerFormat { found, known });
        }
        Ok(found < known)
    }

    /// Brings entries of an older format to the current one.
    ///
    /// # Errors
    /// What an upgrade does not understand.
    pub(crate) fn upgrade(self, entries: &mut Entries, found: u64) -> Result<(), String> {
        let done = usize::try_from(found.saturating_sub(1)).unwrap_or(usize::MAX);
        for step in self.0.iter().skip(done) {
            step(entries)?;
        }
        entries.insert(FORMAT_KEY.to_vec(), self.current().to_be_bytes().to_vec());
        Ok(())
    }
}
