//! Archives: zip and tar, the latter also compressed.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;
use tar::EntryType;
use topo_engine::config::source::ArchiveKind;
use zip::ZipArchive;

use super::unpack::Unpacking;
use crate::Limits;

/// The memory that an xz archive may ask for, in KiB; `xz -9` asks for 65 MiB.
const XZ_MEMORY: u32 = 512 << 10;

/// A symbolic link's target, in bytes.
const MAX_LINK: u64 = 4096;

/// Unpacks an archive into an empty directory.
///
/// # Errors
/// When it is damaged, too large, or would put something outside the directory; part of it may
/// be there then. A sentence that follows the archive's name.
pub(super) fn unpack(
    file: &Path,
    kind: ArchiveKind,
    dir: &Path,
    limits: &Limits,
) -> Result<(), String> {
    let file = File::open(file).map_err(|e| format!("{e}."))?;
    let file = BufReader::new(file);
    let mut unpacking = Unpacking::new(dir, limits)?;
    match kind {
        ArchiveKind::Zip => zip(file, &mut unpacking)?,
        ArchiveKind::Tar => tar(file, &mut unpacking)?,
        ArchiveKind::TarGz => tar(MultiGzDecoder::new(file), &mut unpacking)?,
        ArchiveKind::TarBz2 => tar(MultiBzDecoder::new(file), &mut unpacking)?,
        ArchiveKind::TarXz => {
            let reader = XzReader::new_mem_limit(file, true, XZ_MEMORY);
            tar(reader, &mut unpacking)?;
        }
    }
    unpacking.finish()
}

fn damaged(e: impl std::fmt::Display) -> String {
    format!("it is damaged, cut short or of another kind: {e}.")
}

fn tar(reader: impl Read, unpacking: &mut Unpacking<'_>) -> Result<(), String> {
    let mut archive = tar::Archive::new(reader);
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let name = text(&entry.path_bytes());
        let target = entry.link_name_bytes().map(|t| text(&t));
        let no_target = || format!("{name} is a link to nothing.");
        match entry.header().entry_type() {
            EntryType::Directory => unpacking.directory(&name)?,
            EntryType::Symlink => {
                unpacking.symbolic_link(&name, &target.ok_or_else(no_target)?)?;
            }
            EntryType::Link => unpacking.hard_link(&name, &target.ok_or_else(no_target)?)?,
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                let executable = entry.header().mode().is_ok_and(|m| m & 0o111 != 0);
                unpacking.file(&name, executable, &mut entry)?;
            }
            // git archive puts the commit into one.
            EntryType::XGlobalHeader => {}
            _ => {
                return Err(format!(
                    "{name} is neither a file, a directory nor a link: refused."
                ));
            }
        }
    }
    Ok(())
}

fn zip(reader: BufReader<File>, unpacking: &mut Unpacking<'_>) -> Result<(), String> {
    const KIND: u32 = 0o170_000;
    const SYMBOLIC_LINK: u32 = 0o120_000;
    let mut archive = ZipArchive::new(reader).map_err(damaged)?;
    for i in 0..archive.len() {
        let mut entry = archive.by_index(i).map_err(damaged)?;
        // Some programs write the separator of their system.
        let name = text(entry.name_raw()).replace('\\', "/");
        let mode = entry.unix_mode().unwrap_or(0);
        if mode & KIND == SYMBOLIC_LINK {
            let mut target = Vec::new();
            let mut content = (&mut entry).take(MAX_LINK);
            content.read_to_end(&mut target).map_err(damaged)?;
            unpacking.symbolic_link(&name, &text(&target))?;
        } else if name.ends_with('/') {
            unpacking.directory(&name)?;
        } else {
            unpacking.file(&name, mode & 0o111 != 0, &mut entry)?;
        }
    }
    Ok(())
}

/// Names that are not UTF-8 are kept apart by their valid part; no module has such files.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
