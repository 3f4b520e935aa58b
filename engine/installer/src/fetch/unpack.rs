//! The safe side of unpacking: a directory that entries of an archive are put into, and that none
//! of them can leave or overfill.
//!
//! Names are taken apart and refused when they lead out. Symbolic links are made after everything
//! else, so that nothing is ever written through one, and each is resolved as soon as it is made.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};

use crate::Limits;

/// A directory that is being filled from an archive.
pub(super) struct Unpacking<'a> {
    root: PathBuf,
    limits: &'a Limits,
    bytes: u64,
    entries: u64,
    links: Vec<(PathBuf, PathBuf)>,
}

/// `1.5 GiB`
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let mut rest = bytes;
    while rest >= 1024 && rest.is_multiple_of(1024) && unit + 1 < UNITS.len() {
        rest /= 1024;
        unit += 1;
    }
    format!("{rest} {}", UNITS[unit])
}

impl<'a> Unpacking<'a> {
    /// Into an empty directory.
    pub(super) fn new(root: &Path, limits: &'a Limits) -> Result<Unpacking<'a>, String> {
        let root = root
            .canonicalize()
            .map_err(|e| format!("{}: {e}.", root.display()))?;
        Ok(Unpacking {
            root,
            limits,
            bytes: 0,
            entries: 0,
            links: Vec::new(),
        })
    }

    /// Makes a directory.
    pub(super) fn directory(&mut self, name: &str) -> Result<(), String> {
        let path = self.entry(name)?;
        fs::create_dir_all(&path).map_err(|e| format!("{name}: {e}."))
    }

    /// Writes a file; one that is there already is replaced.
    pub(super) fn file(
        &mut self,
        name: &str,
        executable: bool,
        content: &mut dyn Read,
    ) -> Result<(), String> {
        let path = self.entry(name)?;
        if path == self.root {
            return Err(format!(
                "{name:?} is the name of a file in it, and names none."
            ));
        }
        self.parents(&path, name)?;
        let mut out = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(if executable { 0o755 } else { 0o644 })
            .open(&path)
            .map_err(|e| format!("{name}: {e}."))?;
        self.write(name, content, &mut out)
    }

    /// A second name for a file that was unpacked before: becomes a copy.
    pub(super) fn hard_link(&mut self, name: &str, target: &str) -> Result<(), String> {
        let from = self.inside(target)?;
        let to = self.entry(name)?;
        if from == to {
            return Ok(());
        }
        let mut content = File::open(&from).map_err(|e| {
            format!(
                "{name} is a hard link to {target}, which is not in the archive before it: {e}."
            )
        })?;
        self.parents(&to, name)?;
        let mut out = File::create(&to).map_err(|e| format!("{name}: {e}."))?;
        self.write(name, &mut content, &mut out)
    }

    /// Notes a symbolic link, to be made at the end.
    pub(super) fn symbolic_link(&mut self, name: &str, target: &str) -> Result<(), String> {
        let path = self.entry(name)?;
        let leads_out = || {
            format!(
                "{name} is a symbolic link to {target}, which leads out of the archive: refused."
            )
        };
        let relative = path.strip_prefix(&self.root).map_err(|_| leads_out())?;
        let mut depth = relative.components().count().saturating_sub(1);
        let mut inside = false;
        for part in Path::new(target).components() {
            match part {
                Component::Normal(_) => inside = true,
                Component::CurDir => {}
                // Behind a name, which may be a link itself, it could mean anything.
                Component::ParentDir if depth > 0 && !inside => depth -= 1,
                _ => return Err(leads_out()),
            }
        }
        self.links.push((path, target.into()));
        Ok(())
    }

    /// Makes the symbolic links.
    pub(super) fn finish(self) -> Result<(), String> {
        for (path, target) in &self.links {
            let name = path.strip_prefix(&self.root).unwrap_or(path).display();
            let failed = |e: io::Error| format!("{name}: {e}.");
            let parent = path.parent().unwrap_or(&self.root);
            // Links made before may be on the way; whether they may is seen before anything is
            // made behind them.
            let mut existing = parent;
            while !existing.exists() {
                existing = existing.parent().unwrap_or(&self.root);
            }
            let leads_out = || {
                format!(
                    "{name} is a symbolic link to {}, which leads out of the archive: refused.",
                    target.display()
                )
            };
            if !existing
                .canonicalize()
                .map_err(failed)?
                .starts_with(&self.root)
            {
                return Err(leads_out());
            }
            fs::create_dir_all(parent).map_err(failed)?;
            // The parent may be behind another link: what .. means is known only now.
            let mut end = parent.canonicalize().map_err(failed)?;
            for part in target.components() {
                match part {
                    Component::ParentDir => {
                        end.pop();
                    }
                    part => end.push(part),
                }
                if !end.starts_with(&self.root) {
                    return Err(leads_out());
                }
            }
            std::os::unix::fs::symlink(target, path).map_err(failed)?;
        }
        Ok(())
    }

    fn write(&mut self, name: &str, content: &mut dyn Read, out: &mut File) -> Result<(), String> {
        let mut part = vec![0; 1 << 16];
        loop {
            let n = match content.read(&mut part) {
                Ok(0) => return Ok(()),
                Ok(n) => n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(format!("it is damaged or cut short, at {name}: {e}.")),
            };
            self.bytes += n as u64;
            if self.bytes > self.limits.unpacked {
                return Err(format!(
                    "what is in it takes more than {}, which is more than a module may.",
                    size(self.limits.unpacked)
                ));
            }
            out.write_all(&part[..n])
                .map_err(|e| format!("{name}: {e}."))?;
        }
    }

    fn parents(&self, path: &Path, name: &str) -> Result<(), String> {
        let parent = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(parent).map_err(|e| format!("{name}: {e}."))
    }

    /// Counts an entry and finds its place.
    fn entry(&mut self, name: &str) -> Result<PathBuf, String> {
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(format!(
                "it has more than {} files, which is more than a module may.",
                self.limits.entries
            ));
        }
        self.inside(name)
    }

    fn inside(&self, name: &str) -> Result<PathBuf, String> {
        let mut path = self.root.clone();
        for part in Path::new(name).components() {
            match part {
                Component::Normal(part) => path.push(part),
                Component::CurDir => {}
                Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                    return Err(format!(
                        "a file in it is named {name:?}, which leads out of the archive: refused."
                    ));
                }
            }
        }
        Ok(path)
    }
}
