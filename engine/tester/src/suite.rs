//! All tests of a module, read and checked: nothing is run before everything that can be told
//! without running has been found right.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use topo_engine::config::{
    Config, OverlaidProvider, Overlay, ProviderContent, ProviderKey, Sources, load_overlaid,
};
use topo_engine::lang::structure::Content;
use topo_engine::providers::Providers;
use topo_engine::variables::Inputs;
use topo_sdk::{Diagnostic, Diagnostics, SourceRange};

use crate::decode::{self, BLOCKS};
use crate::discover;
use crate::file::{TestFile, TestRun};
use crate::overrides::{overlaid, stand_ins, wrapped};
use crate::scope::{TestScope, runs_in};

/// What to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The directory of tests beside the module's own.
    pub directory: String,
    /// The files to run, as they are named from the module; empty for all.
    pub filter: Vec<String>,
    /// How many operations run side by side.
    pub parallelism: usize,
    /// The workspace that is selected: `terraform.workspace`.
    pub workspace: Arc<str>,
}

/// All tests of a module.
pub struct Suite {
    /// The files by name.
    pub files: Vec<TestFile>,
    pub(crate) root: PathBuf,
    pub(crate) providers: Providers,
    pub(crate) inputs: Inputs,
    pub(crate) parallelism: usize,
    pub(crate) workspace: Arc<str>,
    /// The configuration of each run: by file and run.
    prepared: BTreeMap<(usize, usize), Arc<Prepared>>,
}

/// A configuration with what the test changes of it, and who answers for what is in it.
pub(crate) struct Prepared {
    pub(crate) config: Arc<Config>,
    pub(crate) providers: Providers,
}

/// What [`Suite::load`] returns.
pub struct Loaded {
    /// The tests; `None` when something is wrong with them.
    pub suite: Option<Suite>,
    /// The texts of all files, for showing excerpts.
    pub sources: Sources,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
}

impl Suite {
    /// Reads the tests of the module in `root` and every configuration that they are about.
    /// `inputs` are the values of variables that are given from outside.
    pub fn load(root: &Path, providers: Providers, inputs: Inputs, options: &Options) -> Loaded {
        let mut sources = Sources::default();
        inputs.add_sources(&mut sources);
        let mut diagnostics = Diagnostics::new();
        let names = names(root, options, &mut diagnostics);
        let constants = TestScope {
            variables: BTreeMap::new(),
            runs: BTreeMap::new(),
            before: false,
            base_dir: root.to_path_buf(),
            plan_time: Timestamp::now(),
        };
        let files = names
            .iter()
            .filter_map(|name| decode::read(root, name, &constants, &mut sources, &mut diagnostics))
            .collect();
        let mut suite = Suite {
            files,
            root: root.to_path_buf(),
            providers,
            inputs,
            parallelism: options.parallelism,
            workspace: options.workspace.clone(),
            prepared: BTreeMap::new(),
        };
        if !diagnostics.has_errors() {
            suite.prepare_all(&mut sources, &mut diagnostics);
        }
        Loaded {
            suite: (!diagnostics.has_errors()).then_some(suite),
            sources,
            diagnostics,
        }
    }

    /// Loads every configuration that is needed, once.
    fn prepare_all(&mut self, sources: &mut Sources, diagnostics: &mut Diagnostics) {
        let mut known: BTreeMap<String, Arc<Prepared>> = BTreeMap::new();
        let mut told: Vec<Diagnostic> = Vec::new();
        let mut prepared = BTreeMap::new();
        let scope = TestScope {
            variables: self.inputs.untyped(),
            runs: BTreeMap::new(),
            before: true,
            base_dir: self.root.clone(),
            plan_time: Timestamp::now(),
        };
        for (f, file) in self.files.iter().enumerate() {
            for (r, run) in file.runs.iter().enumerate() {
                let signature = signature(f, file, run);
                if let Some(p) = known.get(&signature) {
                    prepared.insert((f, r), p.clone());
                    continue;
                }
                let mut found = Diagnostics::new();
                let made = self.load_for(file, run, &scope, sources, &mut found);
                for d in found {
                    if !told.contains(&d) {
                        told.push(d.clone());
                        diagnostics.push(d);
                    }
                }
                if let Some(p) = made {
                    let p = Arc::new(p);
                    known.insert(signature, p.clone());
                    prepared.insert((f, r), p);
                }
            }
        }
        self.prepared = prepared;
    }

    /// The configuration of a run, its providers aside.
    pub(crate) fn declared(&self, f: usize, r: usize) -> Option<Arc<Prepared>> {
        self.prepared.get(&(f, r)).cloned()
    }

    /// The configuration of a run. Where its providers depend on values that only the run knows
    /// it is read again.
    ///
    /// # Errors
    /// What is wrong with the values.
    pub(crate) fn prepared(
        &self,
        f: usize,
        r: usize,
        scope: &TestScope,
    ) -> Result<Arc<Prepared>, Diagnostics> {
        let (Some(file), Some(p)) = (self.files.get(f), self.prepared.get(&(f, r))) else {
            return Err(Diagnostics::error("Configuration not read", ""));
        };
        let run = &file.runs[r];
        if !self.depends_on_values(file, run) {
            return Ok(p.clone());
        }
        let mut found = Diagnostics::new();
        let made = self.load_for(file, run, scope, &mut Sources::default(), &mut found);
        match made {
            Some(p) if !found.has_errors() => Ok(Arc::new(p)),
            _ => Err(found),
        }
    }

    /// The runs that a run's providers refer to.
    pub(crate) fn provider_runs(&self, file: &TestFile, run: &TestRun) -> BTreeSet<Arc<str>> {
        let mut found = BTreeSet::new();
        with_blocks(file, |content| {
            for (_, key, _) in configurations(file, run) {
                if let Some(b) = file
                    .providers
                    .get(&key)
                    .and_then(|i| content.blocks.get(*i))
                {
                    let mut aside = Diagnostics::new();
                    let inner = b.body.content(&[], &mut aside);
                    for a in &inner.attributes {
                        let e = a.value.expression(&[], &mut aside);
                        found.extend(runs_in([&e]).cloned());
                    }
                }
            }
        });
        found
    }

    /// Whether a provider block of the test that a run uses refers to anything.
    fn depends_on_values(&self, file: &TestFile, run: &TestRun) -> bool {
        with_blocks(file, |content| {
            configurations(file, run).iter().any(|(_, key, _)| {
                let block = file.providers.get(key).and_then(|i| content.blocks.get(*i));
                block.is_some_and(|b| {
                    let mut aside = Diagnostics::new();
                    let inner = b.body.content(&[], &mut aside);
                    let refers = inner.attributes.iter().any(|a| {
                        let e = a.value.expression(&[], &mut aside);
                        !e.references.is_empty()
                    });
                    refers || !inner.blocks.is_empty()
                })
            })
        })
    }

    fn load_for(
        &self,
        file: &TestFile,
        run: &TestRun,
        scope: &TestScope,
        sources: &mut Sources,
        diagnostics: &mut Diagnostics,
    ) -> Option<Prepared> {
        let (loaded, providers) = with_blocks(file, |content| {
            let mut overlay = Overlay {
                dir: run.module.as_ref().map(|(dir, _)| dir.as_str()),
                called_at: run.module.as_ref().map(|(_, range)| range.clone()),
                providers: Vec::new(),
                modules: overlaid(file, run),
            };
            for (key, from, range) in configurations(file, run) {
                let block = file.providers.get(&from);
                let block = block.and_then(|i| content.blocks.get(*i));
                let content = match (block, file.mocks.get(&from)) {
                    (Some(b), _) => ProviderContent::Block(b.clone(), scope),
                    (None, Some(mock)) => ProviderContent::Instead(wrapped(mock)),
                    (None, None) => continue,
                };
                overlay.providers.push(OverlaidProvider {
                    key,
                    range,
                    content,
                });
            }
            load_overlaid(&self.root, &self.providers, overlay)
        });
        sources.extend(loaded.sources);
        diagnostics.extend(loaded.diagnostics);
        let config = loaded.config?;
        let stand_ins = stand_ins(file, run, &config, &providers, diagnostics);
        Some(Prepared {
            config,
            providers: providers.with_stand_ins(stand_ins),
        })
    }
}

/// The names of the files to run.
fn names(root: &Path, options: &Options, diagnostics: &mut Diagnostics) -> Vec<String> {
    let mut names = match discover::find(root, &options.directory) {
        Ok(names) => names,
        Err(e) => {
            diagnostics.push(Diagnostic::error("Unreadable directory", format!("{e}.")));
            return Vec::new();
        }
    };
    if options.filter.is_empty() {
        return names;
    }
    let wanted: Vec<&str> = options
        .filter
        .iter()
        .map(|f| f.trim_start_matches("./"))
        .collect();
    for name in &wanted {
        if !names.iter().any(|n| n == name) {
            // Passing because of a mistyped name would be worst where nobody looks.
            diagnostics.push(Diagnostic::error(
                "Unknown test file",
                format!("The specified test file, {name}, could not be found. Files are named from the module's directory, as in -filter=tests/main.tftest.hcl."),
            ));
        }
    }
    names.retain(|n| wanted.contains(&n.as_str()));
    names
}

/// The provider configurations that the test has for a run: the name in the module, the name in
/// the file, and where it is written.
pub(crate) fn configurations(
    file: &TestFile,
    run: &TestRun,
) -> Vec<(ProviderKey, ProviderKey, SourceRange)> {
    if !run.providers.is_empty() {
        return run.providers.clone();
    }
    let blocks = file.providers.keys().map(|k| (k, run.range.clone()));
    let mocks = file
        .mocks
        .iter()
        .map(|(k, m)| (k, m.range.clone().unwrap_or_else(|| run.range.clone())));
    blocks
        .chain(mocks)
        .map(|(k, range)| (k.clone(), k.clone(), range))
        .collect()
}

fn with_blocks<T>(file: &TestFile, f: impl FnOnce(&Content<'_>) -> T) -> T {
    // What is wrong has been told.
    let mut aside = Diagnostics::new();
    let content = file.parsed.body(&mut aside).content(&BLOCKS, &mut aside);
    f(&content)
}

/// What the configuration of a run depends on: two with the same share one.
fn signature(f: usize, file: &TestFile, run: &TestRun) -> String {
    let own = !run.overrides.objects.is_empty() || !run.overrides.modules.is_empty();
    let plain = file.providers.is_empty()
        && file.mocks.is_empty()
        && file.overrides.objects.is_empty()
        && file.overrides.modules.is_empty();
    let module = run.module.as_ref().map(|(dir, _)| dir);
    if own {
        return format!("{f} {}", run.name);
    }
    let keys: Vec<_> = run.providers.iter().map(|(a, b, _)| (a, b)).collect();
    // Files that change nothing have the same configurations.
    let f = if plain { usize::MAX } else { f };
    format!("{f} {module:?} {keys:?}")
}
