//! The walk over all module calls, and what is done at each.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::StreamExt;
use tempfile::TempDir;
use topo_engine::config::calls::{ModuleCall, has_configuration, module_calls};
use topo_engine::config::manifest::{Entry, MODULES_DIR, Manifest, key};
use topo_engine::config::source::{ModuleSource, RemoteSource};
use topo_engine::config::version::{Constraints, Version};
use topo_sdk::{Diagnostic, SourceRange};

use crate::error::Error;
use crate::fetch::http::Http;
use crate::fetch::{Fetcher, Package, copy_package};
use crate::place::{join, module_in};
use crate::registry::Registries;
use crate::{Event, Installation, Listener, Options};

/// Modules may call modules this deep, as in the loader.
const MAX_DEPTH: usize = 32;

/// Packages that are fetched side by side.
const SIDE_BY_SIDE: usize = 8;

/// The names of temporary directories begin with this.
const TEMPORARY: &str = ".tmp-";

/// One installation.
pub(crate) struct Walk<'a> {
    root: &'a Path,
    options: &'a Options,
    listener: Listener<'a>,
    /// The manifest as it was found.
    old: Manifest,
    /// The manifest as it is on disk.
    on_disk: Manifest,
    /// The manifest as it becomes.
    new: BTreeMap<String, Entry>,
    /// Made when the first package is wanted.
    workshop: Option<Workshop>,
    /// Where the packages are that were put in their place.
    places: HashMap<String, PathBuf>,
    done: Installation,
}

/// What fetching needs. Only one process at a time has one for a directory.
struct Workshop {
    scratch: TempDir,
    fetcher: Fetcher,
    registries: Registries,
    _lock: File,
}

/// A module whose calls are to be looked at.
struct Node {
    path: Vec<Arc<str>>,
    /// Its directory, relative to the root module's.
    dir: String,
    /// The directory of its package, which local paths cannot leave; `None` for the root's.
    package: Option<String>,
    /// Where it and the modules that lead to it come from, and their directories.
    trail: Vec<String>,
}

/// A module to fetch.
struct Wanted {
    path: Vec<Arc<str>>,
    key: String,
    source: ModuleSource,
    constraints: Option<Constraints>,
    range: SourceRange,
    trail: Vec<String>,
}

/// A module that was fetched.
struct Obtained {
    /// The package's address.
    address: String,
    package: Package,
    subdir: Option<String>,
    version: Option<Version>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(root: &'a Path, options: &'a Options, listener: Listener<'a>) -> Walk<'a> {
        Walk {
            root,
            options,
            listener,
            old: Manifest::default(),
            on_disk: Manifest::default(),
            new: BTreeMap::new(),
            workshop: None,
            places: HashMap::new(),
            done: Installation::default(),
        }
    }

    pub(crate) async fn run(mut self) -> Installation {
        match Manifest::read(self.root) {
            Ok(manifest) => self.old = manifest,
            // A damaged manifest is as good as none: everything is installed anew.
            Err(e) => self.done.diagnostics.push(Diagnostic::warning(
                "The manifest of modules was made anew",
                e,
            )),
        }
        self.on_disk = self.old.clone();
        self.record("", String::new(), None, ".".into());
        let mut level = vec![Node {
            path: Vec::new(),
            dir: ".".into(),
            package: None,
            trail: vec![".".into()],
        }];
        while !level.is_empty() {
            level = self.level(level).await;
        }
        self.finish();
        self.done
    }

    /// Looks at the calls of some modules; the modules that they call.
    async fn level(&mut self, nodes: Vec<Node>) -> Vec<Node> {
        let (mut next, mut wanted) = (Vec::new(), Vec::new());
        for node in &nodes {
            let found = module_calls(
                &self.root.join(&node.dir),
                &node.dir,
                &mut self.done.sources,
            );
            self.done.diagnostics.extend(found.diagnostics);
            for call in found.calls.into_values() {
                self.call(node, call, &mut next, &mut wanted);
            }
        }
        if wanted.is_empty() {
            return next;
        }
        if let Err(e) = self.open_workshop().await {
            self.done.diagnostics.push(*e);
            return next;
        }
        let mut obtained = self.obtain_all(wanted).await;
        obtained.sort_by(|(a, _), (b, _)| a.key.cmp(&b.key));
        for (wanted, result) in obtained {
            match result.and_then(|o| self.settle(&wanted, o)) {
                Ok(node) => next.push(node),
                Err(e) => self.fail(&wanted, &e),
            }
        }
        next
    }

    /// Decides what is to be done for a call.
    fn call(
        &mut self,
        node: &Node,
        call: ModuleCall,
        next: &mut Vec<Node>,
        wanted: &mut Vec<Wanted>,
    ) {
        let mut path = node.path.clone();
        path.push(call.name.clone());
        let key = key(&path);
        let mut refuse = |range: SourceRange, summary: &str, detail: String| {
            let d = Diagnostic::error(summary, detail)
                .with_range(Some(range))
                .with_address(address(&path));
            self.done.diagnostics.push(d);
        };
        if !is_identifier(&call.name) {
            return refuse(
                call.source_range,
                "Invalid module name",
                format!(
                    "{:?} is not a name: it must begin with a letter or underscore and may have only letters, digits, underscores and dashes.",
                    call.name
                ),
            );
        }
        if path.len() > MAX_DEPTH {
            return refuse(
                call.source_range,
                "Module calls too deep",
                format!(
                    "Modules call each other more than {MAX_DEPTH} levels deep; does one call itself?"
                ),
            );
        }
        let (source, constraints) =
            match ModuleSource::of_call(&call.source, call.version.as_deref()) {
                Ok(understood) => understood,
                Err(e) => {
                    let range = if e.in_version {
                        call.version_range
                    } else {
                        call.source_range
                    };
                    return refuse(range, e.summary, e.detail);
                }
            };
        let origin = match &source {
            ModuleSource::Local(local) => join_dirs(&node.dir, local),
            other => other.to_string(),
        };
        // Another version of a module of a registry may be called by it: nothing is wrong yet.
        if !matches!(source, ModuleSource::Registry(_)) && node.trail.contains(&origin) {
            return refuse(
                call.source_range,
                "Module calls itself",
                format!(
                    "The module {key} is one of those that lead to it, so that there would be no end of modules."
                ),
            );
        }
        let mut trail = node.trail.clone();
        trail.push(origin.clone());
        if let ModuleSource::Local(local) = &source {
            let dir = origin;
            if let Some(package) = &node.package
                && dir != *package
                && !dir.starts_with(&format!("{package}/"))
            {
                return refuse(
                    call.source_range,
                    "Local module path leads out of the package",
                    format!(
                        "{local:?} leads out of the package that the calling module was installed with. A path reaches only what is in the same package; use the address of the other package."
                    ),
                );
            }
            if !self.root.join(&dir).is_dir() {
                return refuse(
                    call.source_range,
                    "Unreadable module directory",
                    format!("There is no directory {dir}."),
                );
            }
            if self.record(&key, source.to_string(), None, dir.clone()) && node.package.is_some() {
                (self.listener)(Event::Installed {
                    key,
                    dir: dir.clone(),
                });
            }
            next.push(Node {
                path,
                dir,
                package: node.package.clone(),
                trail,
            });
            return;
        }
        if !self.options.upgrade
            && let Some(entry) = self.unchanged(&key, &source, constraints.as_ref())
        {
            self.done.unchanged += 1;
            self.new.insert(key.clone(), entry.clone());
            trail.push(entry.dir.clone());
            next.push(Node {
                path,
                dir: entry.dir,
                package: Some(package_dir(&key)),
                trail,
            });
            return;
        }
        wanted.push(Wanted {
            path,
            key,
            source,
            constraints,
            range: call.source_range,
            trail,
        });
    }

    /// The entry of a module that is installed as it is called.
    fn unchanged(
        &self,
        key: &str,
        source: &ModuleSource,
        constraints: Option<&Constraints>,
    ) -> Option<Entry> {
        let entry = self.old.get(key)?;
        let version = entry.version.as_deref();
        let fits = match (version.map(Version::parse), constraints) {
            (Some(Ok(version)), Some(constraints)) => constraints.allows(&version),
            (Some(Err(_)), _) => false,
            (Some(Ok(_)), None) => true,
            (None, _) => !matches!(source, ModuleSource::Registry(_)),
        };
        let there = has_configuration(&self.root.join(&entry.dir));
        (fits && there && entry.source == source.to_string()).then(|| entry.clone())
    }

    /// Waits for other installations in the same directory and clears away what dead ones left.
    async fn open_workshop(&mut self) -> Result<(), Box<Diagnostic>> {
        if self.workshop.is_some() {
            return Ok(());
        }
        let dir = self.root.join(MODULES_DIR);
        let failed = |e: std::io::Error| {
            let detail = format!("{MODULES_DIR}: {e}.");
            Box::new(Diagnostic::error("Modules cannot be installed", detail))
        };
        fs::create_dir_all(&dir).map_err(failed)?;
        let lock = File::create(dir.join(".lock")).map_err(failed)?;
        let lock = match lock.try_lock() {
            Ok(()) => lock,
            Err(TryLockError::Error(e)) => return Err(failed(e)),
            Err(TryLockError::WouldBlock) => {
                (self.listener)(Event::Waiting);
                let locked = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await;
                locked
                    .unwrap_or_else(|e| Err(std::io::Error::other(e)))
                    .map_err(failed)?
            }
        };
        // Whoever was waited for has written it meanwhile.
        self.on_disk = Manifest::read(self.root).unwrap_or_default();
        for entry in fs::read_dir(&dir).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
                remove(&entry.path());
            }
        }
        let scratch = tempfile::Builder::new()
            .prefix(TEMPORARY)
            .tempdir_in(&dir)
            .map_err(failed)?;
        let http = Arc::new(Http::default());
        self.workshop = Some(Workshop {
            fetcher: Fetcher::new(
                http.clone(),
                scratch.path().to_path_buf(),
                self.options.limits,
            ),
            registries: Registries::new(http, self.options.tokens.clone()),
            scratch,
            _lock: lock,
        });
        Ok(())
    }

    async fn obtain_all(&self, wanted: Vec<Wanted>) -> Vec<(Wanted, Result<Obtained, Error>)> {
        let Some(workshop) = &self.workshop else {
            return Vec::new();
        };
        let listener = self.listener;
        futures::stream::iter(wanted)
            .map(|wanted| async move {
                let result = workshop.obtain(&wanted, listener).await;
                (wanted, result)
            })
            .buffer_unordered(SIDE_BY_SIDE)
            .collect()
            .await
    }

    /// Puts a fetched module in its place.
    fn settle(&mut self, wanted: &Wanted, obtained: Obtained) -> Result<Node, Error> {
        let Some(workshop) = &self.workshop else {
            return Err(Error::file(MODULES_DIR, "no directory to install to"));
        };
        let subdir = join(
            obtained.package.subdir.as_deref(),
            obtained.subdir.as_deref(),
        );
        let from = self
            .places
            .get(&obtained.address)
            .cloned()
            .unwrap_or(obtained.package.dir);
        let inner = module_in(&from, subdir.as_deref())?;
        if !has_configuration(&from.join(&inner)) {
            let place = match inner.as_str() {
                "" => "The package".to_string(),
                inner => format!("The directory {inner:?} of the package"),
            };
            return Err(Error::Package(format!(
                "{place} has no configuration files (.tf or .tofu)."
            )));
        }
        let package = package_dir(&wanted.key);
        let target = self.root.join(&package);
        let failed = |e: std::io::Error| Error::file(&package, e);
        let mut ready = from.clone();
        if self.places.contains_key(&obtained.address) {
            ready = workshop.scratch.path().join(format!("copy-{}", wanted.key));
            copy_package(&from, &ready)?;
        }
        // From here on until the manifest is written the module counts as not installed.
        if self.on_disk.remove_tree(&wanted.key) {
            self.on_disk.write(self.root).map_err(failed)?;
        }
        if fs::symlink_metadata(&target).is_ok() {
            let aside = workshop.scratch.path().join(format!("old-{}", wanted.key));
            fs::rename(&target, aside).map_err(failed)?;
        }
        fs::rename(&ready, &target).map_err(failed)?;
        self.places
            .entry(obtained.address)
            .or_insert_with(|| target.clone());
        let dir = match inner.as_str() {
            "" => package.clone(),
            inner => format!("{package}/{inner}"),
        };
        let version = obtained.version.map(|v| v.to_string());
        self.record(&wanted.key, wanted.source.to_string(), version, dir.clone());
        self.done.installed += 1;
        (self.listener)(Event::Installed {
            key: wanted.key.clone(),
            dir: dir.clone(),
        });
        let mut trail = wanted.trail.clone();
        trail.push(dir.clone());
        Ok(Node {
            path: wanted.path.clone(),
            dir,
            package: Some(package),
            trail,
        })
    }

    /// Adds a module to the manifest; whether it was not there.
    fn record(&mut self, key: &str, source: String, version: Option<String>, dir: String) -> bool {
        let entry = Entry {
            key: key.to_string(),
            source,
            version,
            dir,
        };
        let is_new = self.old.get(key) != Some(&entry);
        self.new.insert(key.to_string(), entry);
        is_new
    }

    fn fail(&mut self, wanted: &Wanted, e: &Error) {
        let from = match &wanted.source {
            ModuleSource::Remote(source) => source.shown(),
            other => other.to_string(),
        };
        let d = Diagnostic::error(
            e.summary(),
            format!(
                "The module {} cannot be installed from {from}: {e}",
                wanted.key
            ),
        );
        self.done.diagnostics.push(
            d.with_range(Some(wanted.range.clone()))
                .with_address(address(&wanted.path)),
        );
    }

    /// Writes the manifest and removes what nothing calls any more.
    fn finish(&mut self) {
        let broken = self.done.diagnostics.has_errors();
        if broken {
            // What could not be installed anew stays as it was, with what it calls; and a file
            // that cannot be read may call anything.
            for entry in self.on_disk.iter() {
                self.new
                    .entry(entry.key.clone())
                    .or_insert_with(|| entry.clone());
            }
        }
        let manifest: Manifest = std::mem::take(&mut self.new).into_values().collect();
        let any = manifest.iter().any(|e| e.dir.starts_with(MODULES_DIR));
        let had_any = self.old.iter().next().is_some();
        if manifest != self.on_disk
            && (any || had_any)
            && let Err(e) = manifest.write(self.root)
        {
            self.done.diagnostics.push(Diagnostic::error(
                "The manifest of modules cannot be written",
                format!("{MODULES_DIR}: {e}."),
            ));
            return;
        }
        if !broken {
            for entry in self.old.iter() {
                let dir = package_dir(&entry.key);
                let was_fetched = entry.dir == dir || entry.dir.starts_with(&format!("{dir}/"));
                if was_fetched
                    && manifest
                        .get(&entry.key)
                        .is_none_or(|e| !e.dir.starts_with(&dir))
                {
                    remove(&self.root.join(dir));
                }
            }
        }
    }
}

impl Workshop {
    /// Fetches what a call wants.
    async fn obtain(&self, wanted: &Wanted, listener: Listener<'_>) -> Result<Obtained, Error> {
        let key = wanted.key.clone();
        let (source, version): (RemoteSource, Option<Version>) = match &wanted.source {
            ModuleSource::Registry(module) => {
                let constraints = wanted.constraints.as_ref();
                let version = self.registries.choose(module, constraints).await?;
                listener(Event::Fetching {
                    key,
                    address: module.package(),
                    version: Some(version.to_string()),
                });
                let mut source = self.registries.location(module, &version).await?;
                source.subdir = join(source.subdir.as_deref(), module.subdir.as_deref());
                (source, Some(version))
            }
            ModuleSource::Remote(source) => {
                listener(Event::Fetching {
                    key,
                    address: source.shown(),
                    version: None,
                });
                (source.clone(), None)
            }
            ModuleSource::Local(path) => {
                return Err(Error::Address(format!("{path} is not to be fetched.")));
            }
        };
        Ok(Obtained {
            package: self.fetcher.fetch(&source).await?,
            address: source.package,
            subdir: source.subdir,
            version,
        })
    }
}

/// Where the package of a module is put.
fn package_dir(key: &str) -> String {
    format!("{MODULES_DIR}/{key}")
}

/// `module.a.module.b`
fn address(path: &[Arc<str>]) -> String {
    let steps: Vec<String> = path.iter().map(|name| format!("module.{name}")).collect();
    steps.join(".")
}

/// A name becomes part of a path, so it is checked although the loader does so too.
fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

/// A local path from a directory, both relative to the root module's.
fn join_dirs(base: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|p| *p != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    if parts.is_empty() {
        ".".into()
    } else {
        parts.join("/")
    }
}

/// Removes a directory that nothing needs; what cannot be removed does no harm.
fn remove(dir: &Path) {
    if let Err(e) = fs::remove_dir_all(dir) {
        tracing::warn!("{}: {e}", dir.display());
    }
}
