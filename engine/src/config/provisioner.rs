//! `provisioner` and `connection` blocks of resources and of `removed` blocks: what they say, and what may be wrong with
//! it before anything is carried out. For carrying them out see `apply::provision`.
//!
//! The rules are the language's: create-time provisioners may refer to anything, which the object
//! then depends on; destroy-time ones only to the object itself, for whatever else they would
//! name may be gone when they run.

use std::sync::{Arc, LazyLock};

use topo_sdk::{Attribute, Block, Diagnostic, Diagnostics, Schema, SourceRange, Type, Value};

use super::body::{Body, Meta, Reader};
use super::{Removed, Resource, locate};
use crate::address::InstanceKey;
use crate::lang::ast::{Expression, Target};
use crate::lang::structure::{self, Content};
use crate::providers::Providers;
use crate::world::{Each, ModuleScope};

/// A `provisioner` block.
#[derive(Debug, Clone)]
pub struct Provisioner {
    /// Which kind: `local-exec`.
    pub kind: Arc<str>,
    /// When it is carried out.
    pub when: When,
    /// What its failure means.
    pub on_failure: OnFailure,
    /// Its arguments.
    pub body: Body,
    /// How it reaches the object, before what the connection block around it says.
    pub connection: Option<Body>,
    /// The block's header.
    pub range: SourceRange,
}

/// When a provisioner is carried out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum When {
    /// After the object was created.
    #[default]
    Create,
    /// Before the object is deleted.
    Destroy,
}

/// What the failure of a provisioner means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// The object is not done: tainted when it was created, kept when it was to be deleted.
    #[default]
    Fail,
    /// A warning.
    Continue,
}

/// The arguments of `connection` blocks for all types of connections, as Terraform documents them.
static CONNECTION: LazyLock<Block> = LazyLock::new(|| {
    let text = [
        "type",
        "user",
        "password",
        "timeout",
        "script_path",
        "target_platform",
        "private_key",
        "certificate",
        "host_key",
        "agent_identity",
        "proxy_scheme",
        "proxy_host",
        "proxy_user_name",
        "proxy_user_password",
        "bastion_host",
        "bastion_host_key",
        "bastion_user",
        "bastion_password",
        "bastion_private_key",
        "bastion_certificate",
        "cacert",
    ];
    let groups = [
        (&text[..], Type::String),
        (&["port", "proxy_port", "bastion_port"], Type::Number),
        (&["agent", "https", "insecure", "use_ntlm"], Type::Bool),
    ];
    let mut block = Block::new().attr("host", Attribute::required(Type::String));
    for (names, ty) in groups {
        for name in names {
            block = block.attr(name, Attribute::optional(ty.clone()));
        }
    }
    block
});

/// What a provisioner block has besides what its kind says.
const META: Meta<'static> = Meta {
    attributes: &["when", "on_failure"],
    blocks: &[
        ("connection", Some(0)),
        ("lifecycle", Some(0)),
        ("_", Some(0)),
    ],
};

/// Which block provisioners are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Resource,
    Removed,
}

impl Reader<'_> {
    /// The provisioners of a block in source order, and its connection.
    pub(super) fn provisioners(
        &mut self,
        blocks: &[structure::Block<'_>],
        connection: Option<&structure::Block<'_>>,
        of: Of,
        providers: &Providers,
    ) -> (Vec<Provisioner>, Option<Body>) {
        let connection = connection.map(|b| self.connection(b));
        let mut provisioners = Vec::new();
        for b in blocks {
            provisioners.extend(self.provisioner(b, of, providers));
        }
        let at_destroy = |p: &&Provisioner| p.when == When::Destroy;
        for p in provisioners.iter().filter(at_destroy) {
            self.only_itself(&p.body);
            p.connection.iter().for_each(|c| self.only_itself(c));
        }
        if provisioners.iter().any(|p| p.when == When::Destroy) {
            connection.iter().for_each(|c| self.only_itself(c));
        }
        (provisioners, connection)
    }

    fn provisioner(
        &mut self,
        b: &structure::Block<'_>,
        of: Of,
        providers: &Providers,
    ) -> Option<Provisioner> {
        let kind: Arc<str> = b.labels.first()?.0.into();
        let schema = match providers.provisioner(&kind) {
            Some(known) => known.schema(),
            // Refused when it is checked.
            None => Arc::new(Schema::new(Block::new())),
        };
        let content = b.body.content(META.blocks, self.diagnostics);
        let body = self.body(&b.body, &schema.block, b.header(), META, &[]);
        for other in content.of("lifecycle") {
            self.error(
                other.kind_range(),
                "Reserved block type name in provisioner block",
                "The block type name \"lifecycle\" is reserved for use by the language in a future version.",
            );
        }
        let mut connections = content.of("connection");
        let connection = connections.next().map(|c| self.connection(c));
        for second in connections {
            self.error(
                second.kind_range(),
                "Duplicate connection block",
                "A provisioner block has one \"connection\" block only.",
            );
        }
        let written = self.keyword(&content, "when", ["create", "destroy"]);
        let when = match written {
            Some("destroy") => When::Destroy,
            _ => When::Create,
        };
        let at = content.get("when").map(|a| a.value.range());
        // Another word has its error already.
        if of == Of::Removed && when == When::Create && (at.is_none() || written.is_some()) {
            self.error(
                at.unwrap_or_else(|| b.header()),
                "Invalid provisioner block",
                "In a removed block nothing is created, so its provisioners can only come before the object is destroyed: write when = destroy.",
            );
        }
        let on_failure = match self.keyword(&content, "on_failure", ["continue", "fail"]) {
            Some("continue") => OnFailure::Continue,
            _ => OnFailure::Fail,
        };
        Some(Provisioner {
            kind,
            when,
            on_failure,
            body,
            connection,
            range: b.header(),
        })
    }

    fn connection(&mut self, b: &structure::Block<'_>) -> Body {
        let meta = Meta {
            attributes: &[],
            blocks: &[("_", Some(0))],
        };
        self.body(&b.body, &CONNECTION, b.kind_range(), meta, &[])
    }

    /// The value of an argument that is one of two words, written without quotes (in JSON, as a
    /// string).
    fn keyword(
        &mut self,
        content: &Content<'_>,
        name: &str,
        words: [&'static str; 2],
    ) -> Option<&'static str> {
        let value = content.get(name)?.value;
        let written = value.keyword().or_else(|| {
            let quoted = value.quoted()?;
            self.warning(
                value.range(),
                "Quoted keywords are deprecated",
                format!("Write {name} = {quoted} without the quotes."),
            );
            Some(quoted)
        });
        let found = words.into_iter().find(|w| Some(*w) == written);
        if found.is_none() {
            self.error(
                value.range(),
                &format!("Invalid {name:?} keyword"),
                format!(
                    "The argument {name:?} is one of the keywords {} and {}, without quotes.",
                    words[0], words[1]
                ),
            );
        }
        found
    }

    /// Complains about references of a destroy-time block to anything but the object.
    fn only_itself(&mut self, body: &Body) {
        let mut expressions = Vec::new();
        body.expressions(&mut expressions);
        for e in expressions {
            for r in &e.references {
                let allowed = matches!(
                    r.target,
                    Target::SelfObject
                        | Target::EachKey
                        | Target::CountIndex
                        | Target::PathModule
                        | Target::PathRoot
                        | Target::PathCwd
                        | Target::Workspace
                );
                if !allowed {
                    self.error(
                        e.file.range(r.span),
                        "Invalid reference from destroy provisioner",
                        format!(
                            "A destroy-time provisioner and its connection can refer to self, count.index and each.key, but not to {}: that may be gone by then. Keep what is needed in an attribute of the object.",
                            r.target
                        ),
                    );
                }
            }
        }
    }
}

/// Those of some provisioners that are carried out then, each with its place among all.
pub(crate) fn at(
    provisioners: &[Provisioner],
    when: When,
) -> impl Iterator<Item = (usize, &Provisioner)> {
    provisioners
        .iter()
        .enumerate()
        .filter(move |(_, p)| p.when == when)
}

impl Resource {
    /// What is evaluated for provisioners once the object is there. Destroy-time ones are not
    /// among it: they depend on nothing.
    pub(crate) fn provisioning(&self) -> Vec<&Expression> {
        let mut found = Vec::new();
        for (_, p) in at(&self.provisioners, When::Create) {
            p.body.expressions(&mut found);
            if let Some(c) = &p.connection {
                c.expressions(&mut found);
            }
        }
        if let Some(c) = &self.connection {
            c.expressions(&mut found);
        }
        found
    }
}

/// The provisioners of a block, and the connection that they share.
#[derive(Clone, Copy)]
pub(super) struct Provisioners<'a> {
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
    pub(super) fn check(&self, providers: &Providers, diagnostics: &mut Diagnostics) {
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
    pub(super) fn evaluate(
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
pub(super) fn evaluate_removed(
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
