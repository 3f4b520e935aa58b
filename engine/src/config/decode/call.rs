//! `module` blocks: calls of modules.

use std::collections::BTreeMap;
use std::sync::Arc;

use topo_sdk::SourceRange;

use super::shown;
use crate::config::body::{Argument, Reader};
use crate::config::{Mention, ProviderKey, ProviderReference, Repetition};
use crate::lang::structure::{Attribute, Block, Key};

/// A module call before its module is loaded.
pub(in crate::config) struct RawCall {
    pub(in crate::config) source: Option<String>,
    pub(in crate::config) version: Option<String>,
    pub(in crate::config) arguments: BTreeMap<Arc<str>, Argument>,
    pub(in crate::config) repetition: Repetition,
    pub(in crate::config) depends_on: Vec<Mention>,
    pub(in crate::config) providers: BTreeMap<ProviderKey, ProviderReference>,
    pub(in crate::config) range: SourceRange,
    pub(in crate::config) source_range: SourceRange,
}

impl Reader<'_> {
    pub(in crate::config) fn call(&mut self, b: &Block<'_>) -> RawCall {
        self.name(b, 0, "module instance");
        let content = b.body.content(
            &[
                ("lifecycle", Some(0)),
                ("_", Some(0)),
                ("locals", None),
                ("provider", None),
            ],
            self.diagnostics,
        );
        let meta = [
            "source",
            "version",
            "count",
            "for_each",
            "depends_on",
            "providers",
        ];
        let mut arguments = BTreeMap::new();
        let mut enabled = None;
        for a in &content.attributes {
            if !meta.contains(&a.name) {
                self.argument(a, &mut arguments);
            }
        }
        for item in &content.blocks {
            match item.kind {
                "_" => {
                    let escaped = item.body.content(&[], self.diagnostics);
                    for a in &escaped.attributes {
                        self.argument(a, &mut arguments);
                    }
                }
                "lifecycle" => {
                    let inner = item.body.content(&[], self.diagnostics);
                    self.only(&inner, &["enabled"], &[]);
                    enabled = inner.get("enabled").map(|a| self.expression(a));
                }
                "provider" => self.error(
                    item.kind_range(),
                    "Unsupported block type",
                    "A module call hands provider configurations down in the argument \"providers\", not in blocks.",
                ),
                kind => {
                    let detail = format!("Blocks of type {kind:?} are not expected in a module call: what a module takes are arguments.");
                    self.error(item.kind_range(), "Unsupported block type", detail);
                }
            }
        }
        let mut providers = BTreeMap::new();
        if let Some(a) = content.get("providers") {
            self.provider_map(a, &mut providers);
        }
        let source_range = content
            .get("source")
            .map_or_else(|| b.header(), |a| a.value.range());
        RawCall {
            source: self.text(&content, "source"),
            version: self.text(&content, "version"),
            arguments,
            repetition: self.repetition(&content, enabled, "module"),
            depends_on: self.depends_on(&content),
            providers,
            range: b.header(),
            source_range,
        }
    }

    fn argument(&mut self, a: &Attribute<'_>, arguments: &mut BTreeMap<Arc<str>, Argument>) {
        let argument = Argument {
            name: a.name.into(),
            name_span: a.name_span,
            value: self.expression(a),
        };
        arguments.insert(argument.name.clone(), argument);
    }

    fn provider_map(
        &mut self,
        a: &Attribute<'_>,
        providers: &mut BTreeMap<ProviderKey, ProviderReference>,
    ) {
        let Some(pairs) = a.value.object() else {
            self.error(a.value.range(), "Invalid providers argument", "The argument \"providers\" must be a map from the module's provider names to those here.");
            return;
        };
        for (key, value) in pairs {
            let child = match &key {
                Key::Name(name, _) => Some(match name.split_once('.') {
                    Some((n, alias)) => (Arc::from(n), Some(Arc::from(alias))),
                    None => (Arc::from(name.as_str()), None),
                }),
                Key::Expression(source) => self.provider_reference(source).map(|r| r.key),
            };
            let (Some(child), Some(parent)) = (child, self.provider_reference(&value)) else {
                continue;
            };
            if providers.insert(child.clone(), parent).is_some() {
                let at = match &key {
                    Key::Name(_, span) => value.file.range(*span),
                    Key::Expression(source) => source.range(),
                };
                self.error(
                    at,
                    "Duplicate provider address",
                    format!(
                        "A provider configuration was already given for {}.",
                        shown(&child)
                    ),
                );
            }
        }
    }
}
