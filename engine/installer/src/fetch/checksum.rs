//! The hash of a file against the one that its address gives.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::Digest;
use topo_engine::config::source::{Checksum, HashAlgorithm};

use crate::error::Error;

/// Checks a file.
pub(super) fn verify(file: &Path, expected: &Checksum, shown: &str) -> Result<(), Error> {
    let found = match expected.algorithm {
        HashAlgorithm::Md5 => hash::<md5::Md5>(file),
        HashAlgorithm::Sha1 => hash::<sha1::Sha1>(file),
        HashAlgorithm::Sha256 => hash::<sha2::Sha256>(file),
        HashAlgorithm::Sha512 => hash::<sha2::Sha512>(file),
    };
    let found = found.map_err(|e| Error::file(shown, e))?;
    if found == expected.hex {
        return Ok(());
    }
    Err(Error::Archive(format!(
        "{shown} is not what its address says: its checksum is {found}, expected is {}.",
        expected.hex
    )))
}

fn hash<D: Digest>(file: &Path) -> io::Result<String> {
    let mut file = File::open(file)?;
    let mut digest = D::new();
    let mut part = vec![0; 1 << 16];
    loop {
        match file.read(&mut part)? {
            0 => return Ok(hex::encode(digest.finalize())),
            n => digest.update(&part[..n]),
        }
    }
}
