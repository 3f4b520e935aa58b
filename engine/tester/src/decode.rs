//! From the text of a test file to what it says, one function per kind of block.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use topo_engine::address::{InstanceAddress, ResourceMode, Target as Address};
use topo_engine::changes::PlanMode;
use topo_engine::config::{ProviderKey, Sources};
use topo_engine::lang::ast::Expression;
use topo_engine::lang::eval::{Scope, evaluate};
use topo_engine::lang::source::SourceFile;
use topo_engine::lang::structure::{Block, Content, Key, Parsed, Source};
use topo_engine::lang::syntax::is_identifier;
use topo_sdk::{Diagnostic, Diagnostics, SourceRange, Value};

use crate::discover::is_tofu;
use crate::file::{
    Assertion, Command, During, Expected, Mock, Overrides, RunOptions, TestFile, TestRun, Values,
};

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

const RUN_BLOCKS: [(&str, Option<usize>); 7] = [
    ("variables", Some(0)),
    ("module", Some(0)),
    ("plan_options", Some(0)),
    ("assert", Some(0)),
    ("override_resource", Some(0)),
    ("override_data", Some(0)),
    ("override_module", Some(0)),
];

const MOCK_BLOCKS: [(&str, Option<usize>); 4] = [
    ("mock_resource", Some(1)),
    ("mock_data", Some(1)),
    ("override_resource", Some(0)),
    ("override_data", Some(0)),
];

/// What a reference may start with that is no type of a resource.
const ROOTS: [&str; 11] = [
    "var",
    "output",
    "check",
    "local",
    "run",
    "each",
    "count",
    "path",
    "self",
    "terraform",
    "module",
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
    fn error(&mut self, range: SourceRange, summary: &str, detail: impl Into<String>) {
        self.diagnostics
            .push(Diagnostic::error(summary, detail).with_range(Some(range)));
    }

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

    /// The content of a body, with complaints about what is not expected in it.
    fn content<'b>(
        &mut self,
        block: &Block<'b>,
        attributes: &[&str],
        blocks: &[(&str, Option<usize>)],
    ) -> Content<'b> {
        let content = block.body.content(blocks, self.diagnostics);
        self.only(&content, attributes, blocks);
        content
    }

    fn only(
        &mut self,
        content: &Content<'_>,
        attributes: &[&str],
        blocks: &[(&str, Option<usize>)],
    ) {
        for a in &content.attributes {
            if !attributes.contains(&a.name) {
                let detail = format!("An argument named {:?} is not expected here.", a.name);
                self.error(a.name_range(), "Unsupported argument", detail);
            }
        }
        for b in &content.blocks {
            if !blocks.iter().any(|(kind, _)| *kind == b.kind) {
                let detail = format!("Blocks of type {:?} are not expected here.", b.kind);
                self.error(b.kind_range(), "Unsupported block type", detail);
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

    /// The only block of a kind that may be there once.
    fn one<'c, 'b>(&mut self, content: &'c Content<'b>, kind: &'c str) -> Option<&'c Block<'b>> {
        let mut all = content.of(kind);
        let first = all.next();
        if let Some(more) = all.next() {
            self.error(
                more.header(),
                &format!("Multiple {kind:?} blocks"),
                format!("There may be one {kind:?} block here only."),
            );
        }
        first
    }

    fn bool(&mut self, content: &Content<'_>, name: &str, default: bool) -> bool {
        let Some(a) = content.get(name) else {
            return default;
        };
        match self.constant(&a.value).as_ref().and_then(Value::as_bool) {
            Some(b) => b,
            None => {
                let detail = format!("The argument {name:?} must be true or false.");
                self.error(a.value.range(), "Unsuitable value type", detail);
                default
            }
        }
    }

    fn text(&mut self, content: &Content<'_>, name: &str) -> Option<String> {
        let a = content.get(name)?;
        let text = self.constant(&a.value);
        let text = text.as_ref().and_then(Value::as_str).map(str::to_string);
        if text.is_none() {
            let detail = format!("The argument {name:?} must be a constant string.");
            self.error(a.value.range(), "Unsuitable value type", detail);
        }
        text
    }

    /// The value of an expression that refers to nothing.
    fn constant(&mut self, source: &Source<'_>) -> Option<Value> {
        let e = source.expression(&[], self.diagnostics);
        match evaluate(&e, self.constants) {
            Ok(v) => Some(v),
            Err(d) => {
                self.diagnostics.push(*d);
                None
            }
        }
    }

    /// One of some words, written without quotes.
    fn keyword<T: Copy>(
        &mut self,
        content: &Content<'_>,
        name: &str,
        words: &[(&str, T)],
    ) -> Option<T> {
        let a = content.get(name)?;
        let text = written(&a.value);
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let words: Vec<&str> = words.iter().map(|(w, _)| *w).collect();
            let detail = format!(
                "The argument {name:?} requires one of the following keywords without quotes: {}.",
                words.join(" or ")
            );
            self.error(
                a.value.range(),
                &format!("Invalid {name:?} keyword"),
                detail,
            );
        }
        found.map(|(_, t)| *t)
    }

    fn variables(&mut self, block: &Block<'_>) -> BTreeMap<Arc<str>, Expression> {
        let content = block.body.content(&[], self.diagnostics);
        for b in &content.blocks {
            self.error(
                b.kind_range(),
                "Unsupported block type",
                "A variables block has arguments only: NAME = VALUE.",
            );
        }
        content
            .attributes
            .iter()
            .map(|a| (a.name.into(), a.value.expression(&[], self.diagnostics)))
            .collect()
    }

    fn run(&mut self, block: &Block<'_>, settings: &Settings) -> TestRun {
        let name: Arc<str> = block.labels.first().map_or("", |(l, _)| *l).into();
        if !is_identifier(&name) {
            let detail = format!(
                "{name:?} is not a name: a name starts with a letter or underscore and may contain only letters, digits, underscores, and dashes."
            );
            self.error(block.label_range(0), "Invalid run block name", detail);
        }
        let known = [
            "command",
            "providers",
            "expect_failures",
            "parallel",
            "state_key",
        ];
        let content = self.content(block, &known, &RUN_BLOCKS);
        let commands = [("plan", Command::Plan), ("apply", Command::Apply)];
        let module = self.one(&content, "module").and_then(|b| self.module(b));
        let default_key = module.as_ref().map_or("", |(source, _)| source.as_str());
        let mut run = TestRun {
            name,
            command: self
                .keyword(&content, "command", &commands)
                .unwrap_or(Command::Apply),
            state_key: self
                .text(&content, "state_key")
                .unwrap_or_else(|| default_key.to_string())
                .into(),
            module,
            variables: BTreeMap::new(),
            providers: self.passed(&content),
            options: RunOptions::default(),
            assertions: Vec::new(),
            expected: self.expected(&content),
            overrides: Overrides::default(),
            parallel: self.bool(&content, "parallel", settings.parallel),
            range: block.header(),
        };
        if let Some(b) = self.one(&content, "variables") {
            run.variables = self.variables(b);
        }
        if let Some(b) = self.one(&content, "plan_options") {
            run.options = self.options(b);
        }
        for b in content.of("assert") {
            run.assertions.extend(self.assertion(b));
        }
        for b in content
            .blocks
            .iter()
            .filter(|b| b.kind.starts_with("override_"))
        {
            let during = self.during;
            self.overriding(b, during, &mut run.overrides);
        }
        run
    }

    fn module(&mut self, block: &Block<'_>) -> Option<(String, SourceRange)> {
        let content = self.content(block, &["source", "version"], &[]);
        let Some(a) = content.get("source") else {
            self.error(
                block.header(),
                "Missing \"source\" attribute for module block",
                "A run with a module of its own needs to say where it is.",
            );
            return None;
        };
        let range = a.value.range();
        let source = self.text(&content, "source")?;
        if !(source.starts_with("./") || source.starts_with("../")) {
            self.error(range, "Module source not supported", format!("The module of a run must be a local one (\"./...\" or \"../...\", seen from the module under test), not {source:?}. Write a local module that calls it."));
            return None;
        }
        Some((source, range))
    }

    fn assertion(&mut self, block: &Block<'_>) -> Option<Assertion> {
        let content = self.content(block, &["condition", "error_message"], &[]);
        let mut wanted = |name: &str| {
            let found = content.get(name);
            if found.is_none() {
                let detail = format!("An assert block needs the argument {name:?}.");
                self.error(block.header(), "Missing required argument", detail);
            }
            found.map(|a| a.value.expression(&[], self.diagnostics))
        };
        let (condition, message) = (wanted("condition"), wanted("error_message"));
        Some(Assertion {
            condition: condition?,
            message: message?,
        })
    }

    fn options(&mut self, block: &Block<'_>) -> RunOptions {
        let content = self.content(block, &["mode", "refresh", "replace", "target"], &[]);
        let modes = [
            ("normal", PlanMode::Normal),
            ("refresh-only", PlanMode::RefreshOnly),
        ];
        let options = RunOptions {
            mode: self
                .keyword(&content, "mode", &modes)
                .unwrap_or(PlanMode::Normal),
            refresh: self.bool(&content, "refresh", true),
            replace: self.addresses::<InstanceAddress>(&content, "replace"),
            target: self.addresses::<Address>(&content, "target"),
        };
        if let (Some(a), PlanMode::RefreshOnly, false) =
            (content.get("refresh"), options.mode, options.refresh)
        {
            self.error(
                a.name_range(),
                "Incompatible plan options",
                "A refresh-only run refreshes: refresh cannot be false.",
            );
        }
        options
    }

    fn addresses<T: FromStr>(&mut self, content: &Content<'_>, name: &str) -> Vec<T>
    where
        T::Err: std::fmt::Display,
    {
        let mut found = Vec::new();
        for source in self.list(content, name) {
            match written(&source).parse() {
                Ok(address) => found.push(address),
                Err(e) => {
                    self.error(source.range(), "Invalid address", format!("{e}."));
                }
            }
        }
        found
    }

    fn list<'b>(&mut self, content: &Content<'b>, name: &str) -> Vec<Source<'b>> {
        let Some(a) = content.get(name) else {
            return Vec::new();
        };
        a.value.list().unwrap_or_else(|| {
            let detail = format!("The argument {name:?} must be a list.");
            self.error(a.value.range(), "Unsuitable value type", detail);
            Vec::new()
        })
    }

    fn expected(&mut self, content: &Content<'_>) -> Vec<Expected> {
        let mut found = Vec::new();
        for source in self.list(content, "expect_failures") {
            let address = written(&source);
            let named = |prefix: &str| address.strip_prefix(prefix).is_some_and(is_identifier);
            let resource = address.parse::<InstanceAddress>().is_ok_and(|a| {
                let of_language = ROOTS.contains(&&*a.resource.type_name);
                a.resource.module.is_root() && !of_language
            });
            if named("var.") || named("output.") || named("check.") || resource {
                found.push(Expected {
                    address,
                    range: source.range(),
                });
            } else {
                let detail = format!(
                    "{address} is nothing in the module under test that has conditions: what can be expected to fail are variables (var.x), outputs (output.x), check blocks (check.x), resources and data sources."
                );
                self.error(
                    source.range(),
                    "Invalid `expect_failures` reference",
                    detail,
                );
            }
        }
        found
    }

    fn passed(&mut self, content: &Content<'_>) -> Vec<(ProviderKey, ProviderKey, SourceRange)> {
        let Some(a) = content.get("providers") else {
            return Vec::new();
        };
        let Some(entries) = a.value.object() else {
            self.error(
                a.value.range(),
                "Unsuitable value type",
                "The argument \"providers\" must be an object, as in { aws = aws.test }.",
            );
            return Vec::new();
        };
        let mut found = Vec::new();
        for (key, value) in entries {
            let inner = match &key {
                Key::Name(name, _) => provider_key(name),
                Key::Expression(source) => provider_key(&written(source)),
            };
            match (inner, provider_key(&written(&value))) {
                (Some(inner), Some(outer)) => found.push((inner, outer, value.range())),
                _ => self.error(value.range(), "Invalid provider reference", "A provider configuration is named by its provider and its alias, as in aws or aws.west."),
            }
        }
        found
    }

    fn provider_key(&mut self, block: &Block<'_>) -> ProviderKey {
        let name = block.labels.first().map_or("", |(l, _)| *l);
        let content = block.body.content(&[], &mut Diagnostics::new());
        let alias = content.get("alias").and_then(|a| a.value.quoted());
        (name.into(), alias.map(Arc::from))
    }

    fn when(&mut self, content: &Content<'_>) -> Option<During> {
        let words = [("plan", During::Plan), ("apply", During::Apply)];
        self.keyword(content, "override_during", &words)
    }

    fn mock(&mut self, block: &Block<'_>) -> (ProviderKey, Mock) {
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

    fn overriding(&mut self, block: &Block<'_>, default: During, into: &mut Overrides) {
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
        let address: Address = match text.parse() {
            Ok(address) => address,
            Err(e) => return self.error(range, "Invalid override target", format!("{e}.")),
        };
        let mode = address.resource.as_ref().map(|(mode, _, _)| *mode);
        match (block.kind, mode) {
            ("override_resource", Some(ResourceMode::Managed))
            | ("override_data", Some(ResourceMode::Data)) => into.objects.push((address, values)),
            ("override_module", None) => {
                let steps = address.module.steps();
                if steps.iter().any(|(_, key)| key.is_some()) {
                    let detail = "Single instances of a module cannot be overridden yet. Leave out the key: then all instances are.";
                    return self.error(range, "Invalid override target", detail);
                }
                let path = steps.iter().map(|(name, _)| name.clone()).collect();
                into.modules.push((path, values));
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
}

/// What is written, without spaces: in JSON, in a string.
fn written(source: &Source<'_>) -> String {
    match source.json_value() {
        Some(value) => value.as_str().unwrap_or_default().to_string(),
        None => source.file.slice(source.span()).trim().to_string(),
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
