//! From the text of a test file to what it says: the file as a whole here, its kinds of blocks each
//! in a module of its own.

mod arguments;
mod mock;
mod run;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use topo_engine::config::{ProviderKey, Sources};
use topo_engine::lang::eval::Scope;
use topo_engine::lang::source::SourceFile;
use topo_engine::lang::structure::{Block, Parsed};
use topo_engine::lang::syntax::is_identifier;
use topo_sdk::{Diagnostic, Diagnostics};

use crate::discover::is_tofu;
use crate::file::{During, Overrides, TestFile};

/// The blocks of a test file, with the number of their labels.
pub(crate) const BLOCKS: [(&str, Option<usize>); 8] = [
    ("run", Some(1)),
    ("variables", Some(0)),
    ("provider", Some(1)),
    ("mock_provider", Some(1)),
    ("override_resource", Some(0)),
    ("override_data", Some(0)),
    ("override_module", Some(0)),
    ("test", Some(0)),
];

/// Reads a test file of the module in `root`. What is wrong with it is in the diagnostics; the
/// rest is returned nevertheless.
pub(crate) fn read(
    root: &Path,
    name: &str,
    constants: &dyn Scope,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> Option<TestFile> {
    let mut decoder = Decoder {
        root,
        constants,
        sources,
        diagnostics,
        // OpenTofu's tests know made-up values in the plan, Terraform's do not.
        during: if is_tofu(name) {
            During::Plan
        } else {
            During::Apply
        },
    };
    let parsed = decoder.parse(name)?;
    Some(decoder.file(name, parsed))
}

struct Decoder<'a> {
    root: &'a Path,
    constants: &'a dyn Scope,
    sources: &'a mut Sources,
    diagnostics: &'a mut Diagnostics,
    during: During,
}

/// The settings of a `test` block.
#[derive(Default)]
struct Settings {
    parallel: bool,
}

impl Decoder<'_> {
    fn parse(&mut self, name: &str) -> Option<Parsed> {
        match std::fs::read_to_string(self.root.join(name)) {
            Ok(text) => {
                let file = SourceFile::new(name, text);
                self.sources.add(file.clone());
                Parsed::partly(file, self.diagnostics)
            }
            Err(e) => {
                self.diagnostics.push(Diagnostic::error(
                    "Unreadable test file",
                    format!("{name}: {e}."),
                ));
                None
            }
        }
    }

    fn file(&mut self, name: &str, parsed: Parsed) -> TestFile {
        let mut settings = Settings::default();
        let mut file = TestFile {
            name: name.into(),
            runs: Vec::new(),
            variables: BTreeMap::new(),
            providers: BTreeMap::new(),
            mocks: BTreeMap::new(),
            overrides: Overrides::default(),
            parsed,
        };
        let content = file
            .parsed
            .body(self.diagnostics)
            .content(&BLOCKS, self.diagnostics);
        self.only(&content, &[], &BLOCKS);
        if let Some(b) = self.one(&content, "test") {
            let inner = self.content(b, &["parallel"], &[]);
            settings.parallel = self.bool(&inner, "parallel", false);
        }
        if let Some(b) = self.one(&content, "variables") {
            file.variables = self.variables(b);
        }
        for (place, b) in content.blocks.iter().enumerate() {
            match b.kind {
                "run" => {
                    let run = self.run(b, &settings);
                    if let Some(first) = file.runs.iter().find(|r| r.name == run.name) {
                        let detail = format!(
                            "{:?} was already declared at {}. Names of runs must be unique within a file.",
                            run.name, first.range
                        );
                        self.error(run.range.clone(), "Duplicate \"run\" block names", detail);
                    }
                    file.runs.push(run);
                }
                "provider" => {
                    let key = self.provider_key(b);
                    if file.providers.insert(key, place).is_some() {
                        self.error(b.header(), "Duplicate provider block", "There is another block for the same provider configuration in this file.");
                    }
                }
                "mock_provider" => {
                    let (key, mock) = self.mock(b);
                    if file.mocks.insert(key, mock).is_some() {
                        self.error(b.header(), "Duplicate mock_provider block", "There is another mock_provider block for the same provider configuration in this file.");
                    }
                }
                kind if kind.starts_with("override_") => {
                    let during = self.during;
                    self.overriding(b, during, &mut file.overrides);
                }
                _ => {}
            }
        }
        drop(content);
        let both = file
            .mocks
            .iter()
            .find(|(k, _)| file.providers.contains_key(*k));
        if let Some(range) = both.and_then(|(_, m)| m.range.clone()) {
            self.error(range, "Provider configured twice", "The file has a provider block and a mock_provider block for the same configuration.");
        }
        self.check(&file);
        file
    }

    /// What a file says of itself must fit together.
    fn check(&mut self, file: &TestFile) {
        for run in &file.runs {
            for (_, key, range) in &run.providers {
                if !file.providers.contains_key(key) && !file.mocks.contains_key(key) {
                    let detail = format!(
                        "The file has no provider or mock_provider block for {}.",
                        shown(key)
                    );
                    self.error(range.clone(), "Missing provider definition", detail);
                }
            }
        }
    }

    fn provider_key(&mut self, block: &Block<'_>) -> ProviderKey {
        let name = block.labels.first().map_or("", |(l, _)| *l);
        let content = block.body.content(&[], &mut Diagnostics::new());
        let alias = content.get("alias").and_then(|a| a.value.quoted());
        (name.into(), alias.map(Arc::from))
    }
}

fn provider_key(text: &str) -> Option<ProviderKey> {
    let (name, alias) = match text.split_once('.') {
        Some((name, alias)) => (name, Some(alias)),
        None => (text, None),
    };
    let sound = is_identifier(name) && alias.is_none_or(is_identifier);
    sound.then(|| (name.into(), alias.map(Arc::from)))
}

/// A provider configuration as it is written: `aws.west`.
fn shown(key: &ProviderKey) -> String {
    match &key.1 {
        Some(alias) => format!("{}.{alias}", key.0),
        None => key.0.to_string(),
    }
}
