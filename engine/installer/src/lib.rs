//! Floor 3 of topo: brings the modules that a configuration calls to this machine.
//!
//! [`install`] walks from the root module over all calls, level by level. What is installed
//! already as the call wants it is left alone and costs nothing; the rest is fetched, side by
//! side, from registries ([`registry`]), with git or HTTP or from files ([`fetch`]), into a
//! temporary directory, and takes its place in `.topo/modules` by a rename. The manifest
//! ([`topo_engine::config::manifest`]) is taken back before a module is replaced and written when
//! all is in place, so that an installation killed at any moment leaves no half module that the
//! loader takes for a whole one.
//!
//! Nothing is printed and no environment is read here; what happens goes to a listener. What
//! modules mean is the engine's.

mod error;
mod fetch;
mod memo;
mod place;
mod registry;
mod tokens;
mod walk;

use std::collections::BTreeMap;
use std::path::Path;

use topo_engine::config::Sources;
use topo_sdk::Diagnostics;

pub use tokens::tokens_of;

/// How to install.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Whether what is installed is fetched anew, and the newest version is looked for.
    pub upgrade: bool,
    /// Tokens for registries, by their hosts: see [`tokens_of`].
    pub tokens: BTreeMap<String, String>,
    /// What a package may cost.
    pub limits: Limits,
}

/// What a package may cost: a damaged or hostile one must not fill the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The size of a download, in bytes.
    pub download: u64,
    /// The size of what comes out of an archive, in bytes.
    pub unpacked: u64,
    /// The number of files and directories that come out of an archive.
    pub entries: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            download: 1 << 30,
            unpacked: 4 << 30,
            entries: 500_000,
        }
    }
}

/// Something that happens during an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Another installation in the same directory is waited for.
    Waiting,
    /// A package is being fetched.
    Fetching {
        /// The module: the names of the calls that lead to it, with dots between.
        key: String,
        /// The package's address, without a password.
        address: String,
        /// The version that was chosen, if it is from a registry.
        version: Option<String>,
    },
    /// A module is in its place.
    Installed {
        /// The module.
        key: String,
        /// Its directory, relative to the root module's.
        dir: String,
    },
}

/// Hears of what happens.
pub type Listener<'a> = &'a (dyn Fn(Event) + Sync);

/// What [`install`] did.
#[derive(Debug, Default)]
pub struct Installation {
    /// Modules that were fetched.
    pub installed: usize,
    /// Modules from elsewhere that were left as they are.
    pub unchanged: usize,
    /// The texts of the files that were read, for showing excerpts.
    pub sources: Sources,
    /// Everything that went wrong, each at the call that it concerns. What could be installed is
    /// installed nevertheless.
    pub diagnostics: Diagnostics,
}

/// Installs the modules that the root module in `root` calls, and those that these call.
pub async fn install(root: &Path, options: &Options, listener: Listener<'_>) -> Installation {
    walk::Walk::new(root, options, listener).run().await
}
