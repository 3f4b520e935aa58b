//! `resource`, `data` and `ephemeral` blocks, before their providers and schemas are known: their
//! meta-arguments. Their own arguments are read by [`crate::config::body`], against the schema.

use std::sync::Arc;

use crate::address::ResourceMode;
use crate::config::body::{Meta, Reader};
use crate::config::{Lifecycle, Mention, ProviderReference, Repetition};
use crate::lang::ast::Target;
use crate::lang::structure::Block;

/// A resource before its provider and schema are known.
pub(in crate::config) struct RawResource<'a> {
    pub(in crate::config) block: Block<'a>,
    pub(in crate::config) kind: Kind,
    pub(in crate::config) repetition: Repetition,
    pub(in crate::config) depends_on: Vec<Mention>,
    pub(in crate::config) provider: Option<ProviderReference>,
    pub(in crate::config) lifecycle: Lifecycle,
    pub(in crate::config) check: Option<Arc<str>>,
    pub(in crate::config) provisioners: Vec<Block<'a>>,
    pub(in crate::config) connection: Option<Block<'a>>,
}

/// Which block describes an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::config) enum Kind {
    Resource,
    Data,
    Ephemeral,
}

/// Arguments that every such block has.
const META_ARGUMENTS: [&str; 4] = ["count", "for_each", "depends_on", "provider"];

impl Kind {
    /// What the block has besides what its schema says.
    pub(in crate::config) fn meta(self) -> Meta<'static> {
        let blocks: &[(&str, Option<usize>)] = match self {
            Kind::Resource => &[
                ("lifecycle", Some(0)),
                ("connection", Some(0)),
                ("provisioner", Some(1)),
                ("locals", None),
                ("_", Some(0)),
            ],
            Kind::Data | Kind::Ephemeral => {
                &[("lifecycle", Some(0)), ("locals", None), ("_", Some(0))]
            }
        };
        Meta {
            attributes: &META_ARGUMENTS,
            blocks,
        }
    }

    /// The names of what the block has besides what its schema says.
    pub(in crate::config) fn words(self) -> Vec<&'static str> {
        let mut words = META_ARGUMENTS.to_vec();
        words.extend(["lifecycle", "dynamic"]);
        if self == Kind::Resource {
            words.extend(["connection", "provisioner"]);
        }
        words
    }

    pub(in crate::config) fn mode(self) -> ResourceMode {
        match self {
            Kind::Resource => ResourceMode::Managed,
            Kind::Data => ResourceMode::Data,
            Kind::Ephemeral => ResourceMode::Ephemeral,
        }
    }

    pub(in crate::config) fn of(mode: ResourceMode) -> Kind {
        match mode {
            ResourceMode::Managed => Kind::Resource,
            ResourceMode::Data => Kind::Data,
            ResourceMode::Ephemeral => Kind::Ephemeral,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Resource => "resource",
            Kind::Data => "data source",
            Kind::Ephemeral => "ephemeral resource",
        }
    }
}

impl Reader<'_> {
    pub(in crate::config) fn resource<'a>(
        &mut self,
        block: Block<'a>,
        kind: Kind,
    ) -> RawResource<'a> {
        self.name(&block, 0, &format!("{} type", kind.name()));
        self.name(&block, 1, kind.name());
        let content = block.body.content(kind.meta().blocks, self.diagnostics);
        for b in content.of("locals") {
            self.error(b.kind_range(), "Reserved block type name in resource block", "The block type name \"locals\" is reserved for use by the language in a future version.");
        }
        for repeated in ["lifecycle", "connection", "_"] {
            if let Some(second) = content.of(repeated).nth(1) {
                self.error(
                    second.kind_range(),
                    &format!("Duplicate {repeated} block"),
                    format!("A {} block has one {repeated:?} block only.", kind.name()),
                );
            }
        }
        let provider = content
            .get("provider")
            .and_then(|a| self.provider_reference(&a.value));
        let (lifecycle, enabled) = match content.of("lifecycle").next() {
            Some(l) => self.lifecycle(l, kind),
            None => (Lifecycle::default(), None),
        };
        self.not_itself(&block, kind, &lifecycle);
        // In other kinds of blocks such a name is the schema's, or nobody's.
        let own = |name: &str| -> Vec<Block<'a>> {
            let managed = kind == Kind::Resource;
            content.of(name).filter(|_| managed).cloned().collect()
        };
        RawResource {
            kind,
            repetition: self.repetition(&content, enabled, kind.name()),
            depends_on: self.depends_on(&content),
            provider,
            lifecycle,
            check: None,
            provisioners: own("provisioner"),
            connection: own("connection").into_iter().next(),
            block,
        }
    }

    /// A condition of a resource names the resource itself as `self`, where it can at all.
    fn not_itself(&mut self, block: &Block<'_>, kind: Kind, lifecycle: &Lifecycle) {
        let label = |i: usize| -> Arc<str> { block.labels.get(i).map_or("", |(l, _)| *l).into() };
        let itself = Target::Resource(kind.mode(), label(0), label(1));
        let before = lifecycle.preconditions.iter().map(|r| ("precondition", r));
        let after = lifecycle
            .postconditions
            .iter()
            .map(|r| ("postcondition", r));
        for (what, rule) in before.chain(after) {
            for e in [&rule.condition, &rule.error_message] {
                let Some(r) = e.references.iter().find(|r| r.target == itself) else {
                    continue;
                };
                let hint = if what == "postcondition" {
                    " Write self for the instance that is checked."
                } else {
                    " It is checked before the resource is there; what depends on its result belongs in a postcondition."
                };
                self.error(
                    e.file.range(r.span),
                    &format!("Invalid reference in {what}"),
                    format!("The {what} of {itself} may not refer to {itself}.{hint}"),
                );
            }
        }
    }
}
