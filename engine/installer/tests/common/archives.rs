//! Archives, good ones and hostile ones, in memory.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;

/// An entry: a file with its content, or a link with its target.
#[derive(Clone, Copy)]
pub enum Item<'a> {
    File(&'a str, &'a str),
    Link(&'a str, &'a str),
    HardLink(&'a str, &'a str),
    Directory(&'a str),
    Device(&'a str),
}

/// A tar archive. Names are written as they are, which the library itself would refuse.
pub fn tar(items: &[Item<'_>]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for item in items {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        let (name, content) = match item {
            Item::File(name, content) => (name, *content),
            Item::Link(name, target) => {
                header.set_entry_type(tar::EntryType::Symlink);
                header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
                (name, "")
            }
            Item::HardLink(name, target) => {
                header.set_entry_type(tar::EntryType::Link);
                header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
                (name, "")
            }
            Item::Directory(name) => {
                header.set_entry_type(tar::EntryType::Directory);
                (name, "")
            }
            Item::Device(name) => {
                header.set_entry_type(tar::EntryType::Char);
                (name, "")
            }
        };
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(content.len() as u64);
        header.set_cksum();
        builder.append(&header, content.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap()
}

pub fn gz(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

pub fn bz2(data: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

pub fn xz(data: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::XzOptions::with_preset(1);
    let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// A zip archive.
pub fn zip(items: &[Item<'_>]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    for item in items {
        match item {
            Item::File(name, content) => {
                writer.start_file(*name, options).unwrap();
                writer.write_all(content.as_bytes()).unwrap();
            }
            Item::Link(name, target) => {
                writer.add_symlink(*name, *target, options).unwrap();
            }
            Item::Directory(name) => writer.add_directory(*name, options).unwrap(),
            Item::HardLink(..) | Item::Device(_) => panic!("not in a zip archive"),
        }
    }
    writer.finish().unwrap().into_inner()
}
