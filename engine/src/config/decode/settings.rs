//! The `terraform` block: what a module asks of the program that runs it.

use std::collections::BTreeMap;
use std::sync::Arc;

use topo_sdk::{Diagnostic, Diagnostics, SourceRange};

use crate::config::ProviderKey;
use crate::config::body::Reader;
use crate::config::endpoint::provider_parts;
use crate::config::version::{Constraints, Version};
use crate::lang::structure::{Attribute, Block, Key, Source};
use crate::lang::syntax::is_identifier;

/// What the `terraform` blocks of a module say.
#[derive(Debug, Default)]
pub(in crate::config) struct Settings {
    /// Local provider names and the providers they stand for: the last part of a source address
    /// whose provider is built in, or else the whole address.
    pub(in crate::config) required: BTreeMap<Arc<str>, Arc<str>>,
    /// Provider configurations that the calling module hands down.
    pub(in crate::config) aliases: Vec<(ProviderKey, SourceRange)>,
    /// Constraints on the version of the language.
    pub(in crate::config) versions: Vec<(String, SourceRange)>,
    /// Where the state is kept: the type of block and its place.
    store: Option<(String, SourceRange)>,
    /// The first `required_providers` block.
    requirements: Option<SourceRange>,
}

/// What the `terraform` blocks of override files have said already.
#[derive(Debug, Default)]
pub(in crate::config) struct Overriding {
    stores: Vec<(String, SourceRange)>,
}

/// Who publishes the providers that are built in.
const NAMESPACES: [&str; 4] = ["hashicorp", "opentofu", "builtin", "-"];

/// The version of the language that topo implements, in the peers' counting: what
/// `required_version` is compared with.
pub const LANGUAGE_VERSION: &str = "1.11.0";

impl Settings {
    /// Compares `required_version` with the version of the language.
    pub(in crate::config) fn check_versions(&self, diagnostics: &mut Diagnostics) {
        for (text, range) in &self.versions {
            let problem = match (Constraints::parse(text), Version::parse(LANGUAGE_VERSION)) {
                (Ok(wanted), Ok(own)) if wanted.allows(&own) => continue,
                (Ok(_), _) => Diagnostic::error(
                    "Unsupported language version",
                    format!(
                        "This module requires version {text:?} of Terraform or OpenTofu. topo implements the language of version {LANGUAGE_VERSION}. Where the module is known to work with that, widen the constraint."
                    ),
                ),
                (Err(e), _) => Diagnostic::error(
                    "Invalid version constraint",
                    format!("{text:?} is not a version constraint: {e}"),
                ),
            };
            diagnostics.push(problem.with_range(Some(range.clone())));
        }
    }
}

impl Reader<'_> {
    /// Reads a `terraform` block. What it says in an override file replaces what was said before.
    pub(in crate::config) fn settings(
        &mut self,
        b: &Block<'_>,
        mut over: Option<&mut Overriding>,
        settings: &mut Settings,
    ) {
        let content = b.body.content(
            &[
                ("required_providers", Some(0)),
                ("backend", Some(1)),
                ("cloud", Some(0)),
                ("provider_meta", Some(1)),
                ("encryption", Some(0)),
            ],
            self.diagnostics,
        );
        self.only(
            &content,
            &["required_version", "experiments", "language"],
            &[
                "required_providers",
                "backend",
                "cloud",
                "provider_meta",
                "encryption",
            ],
        );
        if let Some(a) = content.get("required_version")
            && let Some(text) = self.text(&content, "required_version")
        {
            if over.is_some() {
                settings.versions.clear();
            }
            settings.versions.push((text, a.value.range()));
        }
        if let Some(a) = content.get("language")
            && a.value.keyword() != Some("TF2021")
        {
            self.error(
                a.value.range(),
                "Unsupported language edition",
                "The only edition of the language is TF2021.",
            );
        }
        if let Some(a) = content.get("experiments") {
            self.experiments(a);
        }
        for inner in &content.blocks {
            let range = inner.header();
            match inner.kind {
                "required_providers" => {
                    if over.is_none() {
                        if let Some(first) = &settings.requirements {
                            let first = first.clone();
                            self.error(range, "Duplicate required providers configuration", format!("A module has one required_providers block: the providers were already required at {first}."));
                            continue;
                        }
                        settings.requirements = Some(range);
                    }
                    self.required_providers(inner, over.is_some(), settings);
                }
                kind @ ("backend" | "cloud") => {
                    let first = match &over {
                        None => settings.store.as_ref(),
                        Some(over) => over.stores.iter().find(|(k, _)| k == kind),
                    };
                    if let Some((_, first)) = first {
                        let first = first.clone();
                        self.error(range, &format!("Duplicate {kind} configuration"), format!("A module may say once where its state is kept: either one backend block or one cloud block. It was said already at {first}."));
                        continue;
                    }
                    let store = (kind.to_string(), range);
                    if let Some(over) = &mut over {
                        over.stores.push(store.clone());
                    }
                    settings.store = Some(store);
                }
                // Going on would leave in plain text what the user believes to be encrypted.
                "encryption" => self.error(range, "Not supported yet", "topo cannot encrypt the state and plans yet. Remove the block only if they may hold secrets in plain text."),
                "provider_meta" => {
                    self.name(inner, 0, "provider");
                    self.warning(range, "The provider_meta block is not honoured", "The providers that are built into topo take no metadata of modules.");
                }
                _ => {}
            }
        }
    }

    /// Warns about the block that says where the state is kept, once it is known which counts.
    pub(in crate::config) fn store(&mut self, settings: &Settings) {
        if let Some((kind, range)) = &settings.store {
            self.warning(range.clone(), &format!("The {kind} block is not honoured"), "topo keeps the state in .topo below the working directory; other backends are not supported yet.");
        }
    }

    fn experiments(&mut self, a: &Attribute<'_>) {
        let Some(items) = a.value.list() else {
            self.error(
                a.value.range(),
                "Invalid experiments",
                "The argument \"experiments\" must be a list of keywords.",
            );
            return;
        };
        for item in items {
            let range = item.range();
            match item.keyword() {
                Some(
                    "variable_validation"
                    | "module_variable_optional_attrs"
                    | "config_driven_move"
                    | "preconditions_postconditions"
                    | "provider_sensitive_attrs"
                    | "suppress_provider_sensitive_attrs"
                    | "variable_validation_crossref"
                    | "template_string_func"
                    | "ephemeral_values"
                    | "smoke_tests",
                ) => {
                    self.warning(range, "Experiment has concluded", "This is a part of the language by now: the entry has no effect any more and can be removed.");
                }
                Some(name) => self.error(
                    range,
                    "Unknown experiment keyword",
                    format!("topo has no experiment named {name:?}."),
                ),
                None => self.error(
                    range,
                    "Invalid experiments",
                    "An experiment is named by a keyword, without quotes.",
                ),
            }
        }
    }

    fn required_providers(&mut self, b: &Block<'_>, over: bool, settings: &mut Settings) {
        let content = b.body.content(&[], self.diagnostics);
        self.only_attributes(&content.blocks);
        for a in &content.attributes {
            let name: Arc<str> = a.name.into();
            if !is_identifier(a.name) || *a.name != *a.name.to_lowercase() {
                self.error(a.name_range(), "Invalid provider local name", format!("{:?} is not a name for a provider: it is written in lowercase letters, digits and dashes.", a.name));
                continue;
            }
            if !over && settings.required.contains_key(&name) {
                self.error(
                    a.name_range(),
                    "Duplicate required provider",
                    format!("The provider {name:?} was already required in this module."),
                );
                continue;
            }
            let source = self
                .requirement(a, settings)
                .unwrap_or_else(|| a.name.to_string());
            let provider = match self.built_in_name(&source, a) {
                Some(provider) => provider,
                None => continue,
            };
            settings.required.insert(name, provider);
        }
    }

    fn only_attributes(&mut self, blocks: &[Block<'_>]) {
        for b in blocks {
            self.error(b.header(), "Unsupported block type", "A required_providers block has one argument for each provider: name = { source = ..., version = ... }.");
        }
    }

    /// The source address in an entry of `required_providers`, if it says one.
    fn requirement(&mut self, a: &Attribute<'_>, settings: &mut Settings) -> Option<String> {
        let Some(pairs) = a.value.object() else {
            // The form of the language's early versions: a version constraint alone.
            let value = self.constant(a);
            if value.as_str().is_none() {
                self.error(
                    a.value.range(),
                    "Invalid required_providers object",
                    "An entry of required_providers is an object with \"source\" and \"version\".",
                );
            }
            return None;
        };
        let mut source = None;
        for (key, value) in pairs {
            let Key::Name(key, _) = &key else {
                self.error(
                    value.range(),
                    "Invalid required_providers object",
                    "The names in an entry of required_providers are plain ones.",
                );
                continue;
            };
            match key.as_str() {
                "source" => source = self.plain_text(&value, "source"),
                "version" => {
                    self.plain_text(&value, "version");
                }
                "configuration_aliases" => self.aliases(a.name, &value, settings),
                other => {
                    let hint = crate::suggest::did_you_mean(
                        other,
                        ["source", "version", "configuration_aliases"],
                    );
                    self.error(value.range(), "Invalid required_providers object", format!("An entry of required_providers has \"source\", \"version\" and \"configuration_aliases\", not {other:?}.{hint}"));
                }
            }
        }
        source
    }

    fn plain_text(&mut self, value: &Source<'_>, name: &str) -> Option<String> {
        let problems = self.diagnostics.iter().count();
        let made = match value.json_value() {
            Some(made) => made,
            None => {
                let e = value.expression(&[], self.diagnostics);
                crate::config::types::constant(&e.expr.kind, &e, self.diagnostics)
            }
        };
        match made.as_str() {
            Some(s) => Some(s.to_string()),
            // What is not a constant has its error already.
            None if self.diagnostics.iter().count() > problems => None,
            None => {
                self.error(
                    value.range(),
                    "Invalid required_providers object",
                    format!("{name:?} must be a constant string."),
                );
                None
            }
        }
    }

    fn aliases(&mut self, name: &str, value: &Source<'_>, settings: &mut Settings) {
        let Some(items) = value.list() else {
            self.error(
                value.range(),
                "Invalid configuration_aliases",
                "This must be a list of provider configurations, such as [aws.west].",
            );
            return;
        };
        for item in items {
            let range = item.range();
            let key = item.read(self.diagnostics, |_, hcl, _| {
                provider_parts(hcl).map(|(n, a, _)| (n, a))
            });
            match key {
                Some(Some(key)) if *key.0 != *name => self.error(
                    range,
                    "Invalid configuration_aliases value",
                    format!("What is listed for the provider {name:?} are configurations of it, as in {name}.west, not of {:?}.", key.0),
                ),
                Some(Some(key)) => settings.aliases.push((key, range)),
                Some(None) => self.error(
                    range,
                    "Invalid configuration_aliases",
                    "A provider configuration is named by its provider and its alias: aws.west.",
                ),
                None => {}
            }
        }
    }

    /// The name of the provider that a source address means.
    fn built_in_name(&mut self, source: &str, a: &Attribute<'_>) -> Option<Arc<str>> {
        let parts: Vec<&str> = source.split('/').collect();
        let valid = parts.iter().all(|p| !p.is_empty()) && parts.len() <= 3;
        let (namespace, name) = match (valid, parts.as_slice()) {
            (true, [name]) => ("hashicorp", *name),
            (true, [namespace, name] | [_, namespace, name]) => (*namespace, *name),
            _ => {
                self.error(a.value.range(), "Invalid provider source string", format!("{source:?} is not the address of a provider: it is written [HOST/]NAMESPACE/NAME, as in hashicorp/aws."));
                return None;
            }
        };
        if let Some(bare) = ["terraform-provider-", "terraform-"]
            .iter()
            .find_map(|prefix| name.strip_prefix(prefix))
        {
            self.error(a.value.range(), "Invalid provider type", format!("The name of a provider is written without the prefix of its repository: {namespace}/{bare}."));
            return None;
        }
        Some(if NAMESPACES.contains(&namespace) {
            name.into()
        } else {
            source.into()
        })
    }
}
