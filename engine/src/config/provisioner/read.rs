//! Reads the provisioners of a block and the connection that they share.

use std::sync::Arc;

use topo_sdk::{Block, Schema};

use super::{CONNECTION, META, OnFailure, Provisioner, When};
use crate::config::body::{Body, Meta, Reader};
use crate::lang::ast::Target;
use crate::lang::structure::{self, Content};
use crate::providers::Providers;

/// Which block provisioners are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::config) enum Of {
    Resource,
    Removed,
}

impl Reader<'_> {
    /// The provisioners of a block in source order, and its connection.
    pub(in crate::config) fn provisioners(
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
