//! What may be wrong with provisioners by the schemas of their kinds, and when they are evaluated.

use topo_sdk::{Diagnostic, Diagnostics, Type, Value};

use super::{CONNECTION, META, Provisioner};
use crate::address::InstanceKey;
use crate::config::body::Body;
use crate::config::{Removed, Resource, locate};
use crate::lang::ast::Target;
use crate::providers::Providers;
use crate::world::{Each, ModuleScope};

/// The provisioners of a block, and the connection that they share.
#[derive(Clone, Copy)]
pub(in crate::config) struct Provisioners<'a> {
    list: &'a [Provisioner],
    connection: Option<&'a Body>,
}

impl<'a> From<&'a Resource> for Provisioners<'a> {
    fn from(of: &'a Resource) -> Self {
        Provisioners {
            list: &of.provisioners,
            connection: of.connection.as_ref(),
        }
    }
}

impl<'a> From<&'a Removed> for Provisioners<'a> {
    fn from(of: &'a Removed) -> Self {
        Provisioners {
            list: &of.provisioners,
            connection: of.connection.as_ref(),
        }
    }
}

impl Provisioners<'_> {
    /// The connection of a provisioner: its own arguments before those that are shared.
    fn connection_of(&self, p: &Provisioner) -> Option<Body> {
        match (self.connection, &p.connection) {
            (Some(outer), Some(own)) => {
                let mut merged = own.clone();
                let more = outer.attributes.iter();
                merged
                    .attributes
                    .extend(more.filter(|a| own.get(&a.name).is_none()).cloned());
                merged.blocks.extend(outer.blocks.iter().cloned());
                Some(merged)
            }
            (one, other) => other.clone().or_else(|| one.cloned()),
        }
    }

    /// Checks them against their schemas.
    pub(in crate::config) fn check(&self, providers: &Providers, diagnostics: &mut Diagnostics) {
        for p in self.list {
            match providers.provisioner(&p.kind) {
                Some(known) => p
                    .body
                    .check(&known.schema().block, META.attributes, diagnostics),
                None => diagnostics.push(unsupported(p)),
            }
            if let Some(connection) = self.connection_of(p) {
                connection.check(&CONNECTION, &[], diagnostics);
            }
        }
    }

    /// Evaluates them with an object of which no more is known than its type.
    pub(in crate::config) fn evaluate(
        &self,
        object: Type,
        providers: &Providers,
        scope: &ModuleScope<'_>,
        diagnostics: &mut Diagnostics,
    ) {
        let object = Value::unknown(object);
        let scope = ModuleScope {
            itself: Some(&object),
            ..*scope
        };
        for p in self.list {
            let Some(known) = providers.provisioner(&p.kind) else {
                continue;
            };
            let value = p.body.decode(&known.schema().block, &scope, diagnostics);
            let found = known.validate(&value.unmark_deep());
            diagnostics.extend(found.map(|d| locate(d, &p.body)));
            if let Some(connection) = self.connection_of(p) {
                connection.decode(&CONNECTION, &scope, diagnostics);
            }
        }
    }

    /// Whether something in them differs by `count.index`.
    fn are_counted(&self) -> bool {
        let mut expressions = Vec::new();
        for p in self.list {
            p.body.expressions(&mut expressions);
            p.connection
                .iter()
                .for_each(|c| c.expressions(&mut expressions));
        }
        self.connection
            .iter()
            .for_each(|c| c.expressions(&mut expressions));
        let mut references = expressions.into_iter().flat_map(|e| &e.references);
        references.any(|r| r.target == Target::CountIndex)
    }
}

/// Evaluates the provisioners of a `removed` block. What its objects were is not written there:
/// neither their type nor whether they had `count` or `for_each`, which shows in what is used.
pub(in crate::config) fn evaluate_removed(
    removed: &Removed,
    providers: &Providers,
    scope: &ModuleScope<'_>,
    diagnostics: &mut Diagnostics,
) {
    let provisioners = Provisioners::from(removed);
    let key = match provisioners.are_counted() {
        true => InstanceKey::Index(0),
        false => InstanceKey::Key("".into()),
    };
    let each = Each {
        key: Some(key),
        value: None,
    };
    let scope = ModuleScope {
        each: Some(&each),
        ..*scope
    };
    provisioners.evaluate(Type::Dynamic, providers, &scope, diagnostics);
}

fn unsupported(p: &Provisioner) -> Diagnostic {
    let instead = match &*p.kind {
        "file" => {
            "Write the file where the machine is made (user data, a config map, an image), or copy it with a command in a local-exec provisioner, such as scp."
        }
        "remote-exec" => {
            "Run it where the machine is made (user data, an image), or from here with a command in a local-exec provisioner, such as ssh."
        }
        _ => "Use a local-exec provisioner with a command that does it.",
    };
    Diagnostic::error(
        "Provisioner not supported",
        format!(
            "topo does not carry out {:?} provisioners, only \"local-exec\": the object would be made without what the block does. {instead}",
            p.kind
        ),
    )
    .with_range(Some(p.range.clone()))
}
