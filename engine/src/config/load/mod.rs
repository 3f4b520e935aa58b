//! Finds and reads the files of the root module and of every module that it calls: [`gather`]
//! takes in the blocks of a module's files, [`resolve`] then looks up what they need from outside
//! of them.

mod gather;
mod resolve;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use topo_sdk::{Diagnostic, Diagnostics};

use self::resolve::join_shown;
use super::manifest::Manifest;
use super::overlay::Overlay;
use super::wiring::{Aliases, wire};
use super::{Config, Loaded, Module, Sources};
use crate::lang::provider_functions::ProviderFunctions;
use crate::providers::Providers;

/// Reads the configuration whose root module is in `root`, and checks it against the schemas of
/// `providers`. Modules that are not local are found by the manifest in `root`.
pub fn load(root: &Path, providers: &Providers) -> Loaded {
    load_with(root, providers, Reading::default())
}

/// Like [`load`], but a directory without any configuration is an empty one: for looking around.
pub fn load_any(root: &Path, providers: &Providers) -> Loaded {
    let reading = Reading {
        may_be_empty: true,
        ..Reading::default()
    };
    load_with(root, providers, reading)
}

/// What is let pass when a configuration is read.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// Whether a directory without any configuration is an empty one.
    pub may_be_empty: bool,
    /// Whether `import` blocks may name resources of the root module that have no block yet: to
    /// write the blocks.
    pub undeclared_imports: bool,
    /// The file that was written for such imports by the same run.
    pub generated: Option<String>,
}

/// Like [`load`], with some things let pass.
pub fn load_with(root: &Path, providers: &Providers, reading: Reading) -> Loaded {
    read(root, providers, reading, Overlay::default()).0
}

/// Like [`load`], with what a test changes; also the providers that answer for what is loaded.
pub fn load_overlaid(
    root: &Path,
    providers: &Providers,
    overlay: Overlay<'_>,
) -> (Loaded, Providers) {
    read(root, providers, Reading::default(), overlay)
}

fn read(
    root: &Path,
    providers: &Providers,
    reading: Reading,
    overlay: Overlay<'_>,
) -> (Loaded, Providers) {
    let manifest = match Manifest::read(root) {
        Ok(manifest) => manifest,
        Err(detail) => {
            let loaded = Loaded {
                config: None,
                sources: Sources::default(),
                diagnostics: Diagnostics::error("Unreadable manifest of modules", detail),
            };
            return (loaded, providers.clone());
        }
    };
    let mut loader = Loader {
        root,
        manifest: &manifest,
        providers,
        may_be_empty: reading.may_be_empty,
        sources: Sources::default(),
        diagnostics: Diagnostics::new(),
        modules: Vec::new(),
        aliases: Aliases::new(),
        digests: BTreeMap::new(),
    };
    match overlay.dir {
        None => loader.module(root, ".", &[], None, None),
        Some(dir) => {
            let shown = join_shown(".", dir);
            loader.module(
                &root.join(dir),
                &shown,
                &[],
                None,
                overlay.called_at.clone(),
            )
        }
    };
    let providers = &overlay.lay(
        &mut loader.modules,
        providers,
        &mut loader.sources,
        &mut loader.diagnostics,
    );
    wire(
        &mut loader.modules,
        &loader.aliases,
        &mut loader.diagnostics,
    );
    let named = loader.modules.iter().enumerate();
    let config = Arc::new(Config {
        paths: named.map(|(id, m)| (m.path.clone(), id)).collect(),
        generated: reading.generated,
        modules: loader.modules,
        digests: loader.digests,
        root_dir: root.to_path_buf(),
        functions: ProviderFunctions::new(providers),
        graph: OnceLock::new(),
    });
    let mut diagnostics = loader.diagnostics;
    diagnostics.extend(super::validate::validate(
        &config,
        providers,
        diagnostics.has_errors(),
        reading.undeclared_imports,
    ));
    let config = (!diagnostics.has_errors()).then_some(config);
    let loaded = Loaded {
        config,
        sources: loader.sources,
        diagnostics: in_order(diagnostics),
    };
    (loaded, providers.clone())
}

/// Diagnostics in the order of the files, each once: a module that is called twice has its
/// mistakes once, and so has a block that is read by everybody who has a part in it.
fn in_order(diagnostics: Diagnostics) -> Diagnostics {
    let mut sorted: Vec<Diagnostic> = diagnostics.into_iter().collect();
    sorted.sort_by(|a, b| {
        let place = |d: &Diagnostic| d.range.as_ref().map(|r| (r.file.clone(), r.start.byte));
        place(a).cmp(&place(b))
    });
    let mut made: Vec<Diagnostic> = Vec::with_capacity(sorted.len());
    for d in sorted {
        let same = |other: &&Diagnostic| {
            other.range == d.range && other.summary == d.summary && other.detail == d.detail
        };
        let before = made
            .iter()
            .rev()
            .take_while(|o| o.range == d.range)
            .find(same);
        if before.is_none() {
            made.push(d);
        }
    }
    made.into_iter().collect()
}

struct Loader<'a> {
    root: &'a Path,
    manifest: &'a Manifest,
    providers: &'a Providers,
    /// Whether the root module may have no files.
    may_be_empty: bool,
    sources: Sources,
    diagnostics: Diagnostics,
    modules: Vec<Module>,
    /// By module: the provider configurations that its caller hands down.
    aliases: Aliases,
    digests: BTreeMap<Arc<str>, String>,
}
