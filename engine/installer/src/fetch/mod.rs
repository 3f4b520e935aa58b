//! Fetching packages: each one once per run, into a directory of its own below a scratch
//! directory, whole or not at all.

mod archive;
mod checksum;
mod copy;
mod git;
pub(crate) mod http;
mod unpack;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use topo_engine::config::source::{ArchiveKind, Checksum, Fetch, ModuleSource, RemoteSource};
use url::Url;

pub(crate) use copy::copy_package;

use crate::Limits;
use crate::error::Error;
use crate::memo::Memo;
use http::Http;

/// How often one address may answer with another.
const MAX_INDIRECTIONS: usize = 10;

/// Fetches packages.
pub(crate) struct Fetcher {
    http: Arc<Http>,
    scratch: PathBuf,
    next: AtomicUsize,
    limits: Limits,
    fetched: Memo<Package>,
}

/// A package that was fetched.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    /// Its directory.
    pub(crate) dir: PathBuf,
    /// Where in it the address led, by an indirection.
    pub(crate) subdir: Option<String>,
}

/// What comes of one address.
enum Step {
    Fetched(PathBuf),
    Elsewhere(RemoteSource),
}

impl Fetcher {
    pub(crate) fn new(http: Arc<Http>, scratch: PathBuf, limits: Limits) -> Fetcher {
        Fetcher {
            http,
            scratch,
            next: AtomicUsize::new(0),
            limits,
            fetched: Memo::default(),
        }
    }

    /// Fetches the package of a source, unless it was fetched before.
    pub(crate) async fn fetch(&self, source: &RemoteSource) -> Result<Package, Error> {
        self.fetched.get(&source.package, self.follow(source)).await
    }

    /// Fetches, following addresses that answer with another.
    async fn follow(&self, source: &RemoteSource) -> Result<Package, Error> {
        let mut source = source.clone();
        let mut subdir = None;
        for _ in 0..MAX_INDIRECTIONS {
            source = match self.step(&source.fetch).await? {
                Step::Fetched(dir) => return Ok(Package { dir, subdir }),
                Step::Elsewhere(next) => next,
            };
            // Nearer to the package comes first.
            subdir = crate::place::join(source.subdir.as_deref(), subdir.as_deref());
        }
        Err(Error::Address(format!(
            "{} leads from one address to the next, more than {MAX_INDIRECTIONS} times.",
            source.shown()
        )))
    }

    async fn step(&self, fetch: &Fetch) -> Result<Step, Error> {
        let dir = self.fresh();
        match fetch {
            Fetch::Git {
                url,
                reference,
                depth,
            } => {
                std::fs::create_dir(&dir).map_err(|e| Error::file(dir.display(), e))?;
                git::clone(url, reference.as_deref(), *depth, &dir).await?;
            }
            Fetch::Http {
                url, archive: None, ..
            } => return self.elsewhere(&valid(url)?).await.map(Step::Elsewhere),
            Fetch::Http {
                url,
                archive: Some(kind),
                checksum,
            } => {
                let url = valid(url)?;
                let file = self.fresh();
                self.http
                    .download(&url, &file, self.limits.download)
                    .await?;
                self.unpack(file, *kind, checksum.clone(), &dir, http::shown(&url))
                    .await?;
            }
            Fetch::File {
                path,
                archive: Some(kind),
                checksum,
            } => {
                self.unpack(path.into(), *kind, checksum.clone(), &dir, path.clone())
                    .await?;
            }
            Fetch::File { path, .. } => {
                let (from, to) = (PathBuf::from(path), dir.clone());
                let metadata = std::fs::metadata(&from).map_err(|e| Error::file(path, e))?;
                if !metadata.is_dir() {
                    return Err(Error::Address(format!(
                        "{path} is neither a directory nor an archive that topo can unpack (zip, tar, tar.gz, tar.bz2, tar.xz)."
                    )));
                }
                blocking(move || copy_package(&from, &to)).await?;
            }
        }
        Ok(Step::Fetched(dir))
    }

    /// What an address that is not an archive leads to.
    async fn elsewhere(&self, url: &Url) -> Result<RemoteSource, Error> {
        let found = self.http.elsewhere(url).await?;
        let shown = http::shown(url);
        match ModuleSource::parse(&found) {
            Ok(ModuleSource::Remote(next))
                if next.is_of_this_machine() && !http::is_loopback(url) =>
            {
                Err(Error::Address(format!(
                    "{shown} says that the module is at {found:?}, a path of this machine, which is refused."
                )))
            }
            Ok(ModuleSource::Remote(next)) => Ok(next),
            Ok(_) => Err(Error::Address(format!(
                "{shown} says that the module is at {found:?}, which is not an address to download from."
            ))),
            Err(e) => Err(Error::Address(format!(
                "{shown} says that the module is elsewhere: {e}"
            ))),
        }
    }

    async fn unpack(
        &self,
        file: PathBuf,
        kind: ArchiveKind,
        checksum: Option<Checksum>,
        dir: &Path,
        shown: String,
    ) -> Result<(), Error> {
        let (limits, dir) = (self.limits, dir.to_path_buf());
        blocking(move || {
            if let Some(checksum) = &checksum {
                checksum::verify(&file, checksum, &shown)?;
            }
            std::fs::create_dir(&dir).map_err(|e| Error::file(dir.display(), e))?;
            archive::unpack(&file, kind, &dir, &limits)
                .map_err(|cause| Error::Archive(format!("{shown}: {cause}")))
        })
        .await
    }

    /// A path in the scratch directory that nobody uses.
    fn fresh(&self) -> PathBuf {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        self.scratch.join(n.to_string())
    }
}

fn valid(url: &str) -> Result<Url, Error> {
    Url::parse(url).map_err(|e| Error::Address(format!("{url}: {e}.")))
}

/// Work on files, away from the threads that wait for the network.
async fn blocking(work: impl FnOnce() -> Result<(), Error> + Send + 'static) -> Result<(), Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(e) => Err(Error::Archive(format!("Unpacking was cut off: {e}."))),
    }
}
