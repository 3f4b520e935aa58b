//! What is in a file: its digests as attributes, and writing it so that a reader sees the old
//! content or the new, never half of it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use md5::Md5;
use sha1::{Digest, Sha1};
use sha2::{Sha256, Sha512};
use topo_sdk::{Attribute, Block, Diagnostics, Type, Value};

/// With the attributes that hold digests of the content, and the id.
pub(super) fn digest_attributes(block: Block) -> Block {
    [
        "content_md5",
        "content_sha1",
        "content_sha256",
        "content_base64sha256",
        "content_sha512",
        "content_base64sha512",
        "id",
    ]
    .iter()
    .fold(block, |b, name| {
        b.attr(name, Attribute::computed(Type::String))
    })
}

/// The object with its digests filled in.
pub(super) fn with_digests(object: Value, content: &[u8]) -> Value {
    let (sha256, sha512) = (Sha256::digest(content), Sha512::digest(content));
    object
        .with("content_md5", hex::encode(Md5::digest(content)).into())
        .with("content_sha1", sha1(content).into())
        .with("content_sha256", hex::encode(sha256).into())
        .with(
            "content_base64sha256",
            BASE64_STANDARD.encode(sha256).into(),
        )
        .with("content_sha512", hex::encode(sha512).into())
        .with(
            "content_base64sha512",
            BASE64_STANDARD.encode(sha512).into(),
        )
        .with("id", sha1(content).into())
}

/// The SHA-1 of a content, in hexadecimal: the id of a file.
pub(super) fn sha1(content: &[u8]) -> String {
    hex::encode(Sha1::digest(content))
}

/// Reads a file; `None` where there is none.
pub(super) fn read(path: &str) -> Result<Option<Vec<u8>>, Diagnostics> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(failed("read", path, &e)),
    }
}

/// Writes a file through a temporary one beside it. Missing folders are made. Permissions are
/// octal numbers, less what the process's umask takes away for folders.
pub(super) fn write(
    path: &str,
    content: &[u8],
    file_permission: u32,
    directory_permission: u32,
) -> Result<(), Diagnostics> {
    try_write(
        Path::new(path),
        content,
        file_permission,
        directory_permission,
    )
    .map_err(|e| failed("written", path, &e))
}

fn try_write(path: &Path, content: &[u8], mode: u32, directory_mode: u32) -> io::Result<()> {
    let folder = match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p.to_path_buf(),
        _ => PathBuf::from("."),
    };
    make_folders(&folder, directory_mode)?;
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it names no file"))?;
    let temporary = folder.join(format!(
        ".{}.{}",
        name.to_string_lossy(),
        uuid::Uuid::new_v4().simple()
    ));
    let written = write_new(&temporary, content, mode).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The error of the write is the one to tell; a leftover is only untidy.
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn write_new(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    // Never readable by others while it is being written.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(content)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))?;
    #[cfg(not(unix))]
    let _ = mode;
    file.sync_all()
}

fn make_folders(folder: &Path, mode: u32) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, mode);
    #[cfg(not(unix))]
    let _ = mode;
    builder.create(folder)
}

/// Removes a file, which may be gone already.
pub(super) fn remove(path: &str) -> Result<(), Diagnostics> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(failed("removed", path, &e)),
        _ => Ok(()),
    }
}

fn failed(what: &str, path: &str, e: &io::Error) -> Diagnostics {
    Diagnostics::error(format!("{path} cannot be {what}"), format!("{e}."))
}
