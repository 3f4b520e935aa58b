//! `run` blocks.

use std::collections::BTreeMap;
use std::sync::Arc;

use topo_engine::address::{InstanceAddress, Target};
use topo_engine::changes::PlanMode;
use topo_engine::config::ProviderKey;
use topo_engine::lang::ast::Expression;
use topo_engine::lang::structure::{Block, Content, Key};
use topo_engine::lang::syntax::is_identifier;
use topo_sdk::SourceRange;

use super::arguments::written;
use super::{Decoder, Settings, provider_key};
use crate::file::{Assertion, Command, Expected, Overrides, RunOptions, TestRun};

const RUN_BLOCKS: [(&str, Option<usize>); 7] = [
    ("variables", Some(0)),
    ("module", Some(0)),
    ("plan_options", Some(0)),
    ("assert", Some(0)),
    ("override_resource", Some(0)),
    ("override_data", Some(0)),
    ("override_module", Some(0)),
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

impl Decoder<'_> {
    pub(super) fn run(&mut self, block: &Block<'_>, settings: &Settings) -> TestRun {
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

    pub(super) fn variables(&mut self, block: &Block<'_>) -> BTreeMap<Arc<str>, Expression> {
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
        if let Some(c) = condition.as_ref().filter(|c| c.references.is_empty()) {
            self.error(
                c.range(),
                "Invalid assert expression",
                "The condition refers to nothing, so it would not test anything: it must refer to at least one object of the module, a variable or the output of a run.",
            );
        }
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
            target: self.addresses::<Target>(&content, "target"),
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
}
