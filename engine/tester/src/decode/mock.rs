//! What is made up: `mock_provider` and `override_*` blocks, and the files of mocks.

use std::collections::BTreeMap;
use std::sync::Arc;

use topo_engine::address::{ResourceMode, Target};
use topo_engine::config::ProviderKey;
use topo_engine::lang::structure::{Block, Content};
use topo_sdk::{Diagnostic, SourceRange};

use super::Decoder;
use super::arguments::written;
use crate::file::{During, Mock, Overrides, Values};

const MOCK_BLOCKS: [(&str, Option<usize>); 4] = [
    ("mock_resource", Some(1)),
    ("mock_data", Some(1)),
    ("override_resource", Some(0)),
    ("override_data", Some(0)),
];

impl Decoder<'_> {
    fn when(&mut self, content: &Content<'_>) -> Option<During> {
        let words = [("plan", During::Plan), ("apply", During::Apply)];
        self.keyword(content, "override_during", &words)
    }

    pub(super) fn mock(&mut self, block: &Block<'_>) -> (ProviderKey, Mock) {
        let key = self.provider_key(block);
        let known = ["alias", "source", "override_during"];
        let content = self.content(block, &known, &MOCK_BLOCKS);
        let during = self.when(&content);
        let mut mock = Mock {
            during: Some(during.unwrap_or(self.during)),
            range: Some(block.header()),
            ..Mock::default()
        };
        if let Some(dir) = self.text(&content, "source") {
            let range = content.get("source").map(|a| a.value.range());
            self.mock_files(&dir, range, &mut mock);
        }
        self.mocked(&content, &mut mock);
        (key, mock)
    }

    /// Takes in the `.tfmock.hcl` and `.tfmock.json` files of a directory.
    fn mock_files(&mut self, dir: &str, range: Option<SourceRange>, mock: &mut Mock) {
        let dir = dir.trim_start_matches("./").trim_end_matches('/');
        let mut names: Vec<String> = match std::fs::read_dir(self.root.join(dir)) {
            Ok(entries) => entries
                .flatten()
                .map(|e| e.file_name().to_string_lossy().into_owned())
                .filter(|n| n.ends_with(".tfmock.hcl") || n.ends_with(".tfmock.json"))
                .collect(),
            Err(e) => {
                self.diagnostics.push(
                    Diagnostic::error("Unreadable mock data", format!("{dir}: {e}."))
                        .with_range(range),
                );
                return;
            }
        };
        names.sort();
        for name in names {
            let Some(parsed) = self.parse(&format!("{dir}/{name}")) else {
                continue;
            };
            let content = parsed
                .body(self.diagnostics)
                .content(&MOCK_BLOCKS, self.diagnostics);
            self.only(&content, &[], &MOCK_BLOCKS);
            self.mocked(&content, mock);
        }
    }

    /// What is in a `mock_provider` block counts more than what its files say.
    fn mocked(&mut self, content: &Content<'_>, mock: &mut Mock) {
        let default = mock.during.unwrap_or(self.during);
        let mut seen: Vec<(&str, Arc<str>)> = Vec::new();
        for b in &content.blocks {
            if !b.kind.starts_with("mock_") {
                self.overriding(b, default, &mut mock.overrides);
                continue;
            }
            let type_name: Arc<str> = b.labels.first().map_or("", |(l, _)| *l).into();
            let inner = self.content(b, &["defaults", "override_during"], &[]);
            let values = self.values(b, &inner, "defaults", default);
            if seen.contains(&(b.kind, type_name.clone())) {
                let detail = format!("There is another {} block for {type_name} here.", b.kind);
                self.error(b.header(), &format!("Duplicate {} block", b.kind), detail);
            }
            seen.push((b.kind, type_name.clone()));
            match b.kind {
                "mock_data" => mock.data.insert(type_name, values),
                _ => mock.resources.insert(type_name, values),
            };
        }
    }

    fn values(
        &mut self,
        block: &Block<'_>,
        content: &Content<'_>,
        name: &str,
        default: During,
    ) -> Values {
        let mut values = BTreeMap::new();
        let mut range = block.header();
        if let Some(a) = content.get(name) {
            range = a.value.range();
            let value = self.constant(&a.value);
            match value.as_ref().map(|v| (v, v.as_map())) {
                Some((_, Some(map))) => values = map.clone(),
                Some((v, None)) => {
                    let detail = format!(
                        "The argument {name:?} must be an object, not {}.",
                        v.ty().friendly()
                    );
                    self.error(range.clone(), "Unsuitable value type", detail);
                }
                None => {}
            }
        }
        Values {
            values,
            during: Some(self.when(content).unwrap_or(default)),
            range,
        }
    }

    pub(super) fn overriding(&mut self, block: &Block<'_>, default: During, into: &mut Overrides) {
        let name = match block.kind {
            "override_module" => "outputs",
            _ => "values",
        };
        let content = self.content(block, &["target", name, "override_during"], &[]);
        let values = self.values(block, &content, name, default);
        let Some(a) = content.get("target") else {
            let detail = format!("A {} block needs the argument \"target\".", block.kind);
            self.error(block.header(), "Missing required argument", detail);
            return;
        };
        let (text, range) = (written(&a.value), a.value.range());
        let address: Target = match text.parse() {
            Ok(address) => address,
            Err(e) => return self.error(range, "Invalid override target", format!("{e}.")),
        };
        let mode = address.resource.as_ref().map(|(mode, _, _)| *mode);
        match (block.kind, mode) {
            ("override_resource", Some(ResourceMode::Managed))
            | ("override_data", Some(ResourceMode::Data)) => {
                if into.objects.iter().any(|(t, _)| *t == address) {
                    self.twice(block);
                }
                into.objects.push((address, values));
            }
            ("override_module", None) if !address.module.is_root() => {
                if into.modules.iter().any(|(m, _)| *m == address.module) {
                    self.twice(block);
                }
                into.modules.push((address.module, values));
            }
            (kind, _) => {
                let what = match kind {
                    "override_resource" => "a resource",
                    "override_data" => "a data source",
                    _ => "a module",
                };
                let detail = format!("A {kind} block targets {what}, which {text} is not.");
                self.error(range, "Invalid override target", detail);
            }
        }
    }
    fn twice(&mut self, block: &Block<'_>) {
        self.error(
            block.header(),
            &format!("Duplicated `{}` block", block.kind),
            "There is another one with the same target beside it. Which of them should count?",
        );
    }
}
