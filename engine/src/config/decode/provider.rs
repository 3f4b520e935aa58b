//! `provider` blocks: configurations of providers.

use std::sync::Arc;

use crate::config::ProviderKey;
use crate::config::body::{Body, Meta, Reader};
use crate::lang::ast::Expression;
use crate::lang::structure::Block;
use crate::lang::syntax::is_identifier;

/// What a provider block has besides what its schema says.
pub(in crate::config) const PROVIDER_META: Meta<'static> = Meta {
    attributes: &[
        "alias",
        "version",
        "for_each",
        "count",
        "depends_on",
        "source",
    ],
    blocks: &[("_", Some(0)), ("lifecycle", None), ("locals", None)],
};

impl Reader<'_> {
    /// The alias of a provider block and what it goes through.
    pub(in crate::config) fn provider_head(
        &mut self,
        b: &Block<'_>,
    ) -> (Option<Arc<str>>, Option<Expression>) {
        self.name(b, 0, "provider configuration");
        let content = b.body.content(PROVIDER_META.blocks, self.diagnostics);
        let alias: Option<Arc<str>> = self.text(&content, "alias").map(Arc::from);
        if let (Some(alias), Some(a)) = (&alias, content.get("alias"))
            && !is_identifier(alias)
        {
            self.error(a.value.range(), "Invalid provider configuration alias", format!("{alias:?} is not a name: an alias starts with a letter or underscore and may contain only letters, digits, underscores, and dashes."));
        }
        if let Some(a) = content.get("version") {
            self.warning(
                a.name_range(),
                "Version constraints inside provider configuration blocks are deprecated",
                "Move the version constraint into required_providers in a terraform block.",
            );
        }
        for name in ["count", "depends_on", "source"] {
            if let Some(a) = content.get(name) {
                self.error(
                    a.name_range(),
                    "Reserved argument name in provider block",
                    format!(
                        "The provider argument name {name:?} is reserved for use by the language."
                    ),
                );
            }
        }
        for kind in ["lifecycle", "locals"] {
            if let Some(block) = content.of(kind).next() {
                self.error(
                    block.kind_range(),
                    "Reserved block type name in provider block",
                    format!("The block type name {kind:?} is reserved for use by the language."),
                );
            }
        }
        let for_each = content.get("for_each").map(|a| {
            if alias.is_none() {
                self.error(a.name_range(), "Alias required when using \"for_each\"", "A provider block with \"for_each\" needs an \"alias\", by which its instances are chosen, as in aws.by_region[each.key].");
            }
            self.expression(a)
        });
        (alias, for_each)
    }

    /// The arguments of a provider block.
    pub(in crate::config) fn provider_body(
        &mut self,
        b: &Block<'_>,
        schema: &topo_sdk::Block,
    ) -> Body {
        self.body(&b.body, schema, b.header(), PROVIDER_META, &[])
    }
}

/// A provider configuration as it is written: `aws.west`.
pub(in crate::config) fn shown(key: &ProviderKey) -> String {
    match &key.1 {
        Some(alias) => format!("{}.{alias}", key.0),
        None => key.0.to_string(),
    }
}
