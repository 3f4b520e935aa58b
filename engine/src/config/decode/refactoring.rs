//! Blocks that say what became of objects: `moved`, `removed` and `import`.

use crate::address::ResourceMode;
use crate::config::body::Reader;
use crate::config::endpoint::{endpoint, import_target};
use crate::config::provisioner::Of;
use crate::config::{Import, ImportIdentity, Moved, Removed};
use crate::lang::structure::Block;
use crate::providers::Providers;

impl Reader<'_> {
    pub(in crate::config) fn moved(&mut self, b: &Block<'_>) -> Option<Moved> {
        let content = b.body.content(&[], self.diagnostics);
        self.only(&content, &["from", "to"], &[]);
        let mut end = |name: &str| match content.get(name) {
            Some(a) => endpoint(&a.value, self.diagnostics),
            None => {
                self.error(
                    b.header(),
                    "Missing required argument",
                    format!("A moved block needs the argument {name:?}."),
                );
                None
            }
        };
        let (from, to) = (end("from"), end("to"));
        let (from, to) = (from?, to?);
        if from.resource.is_some() != to.resource.is_some() {
            self.error(
                b.header(),
                "Invalid \"moved\" addresses",
                "The \"from\" and \"to\" addresses must either both refer to resources or both refer to modules.",
            );
            return None;
        }
        for e in [&from, &to] {
            if e.resource
                .as_ref()
                .is_some_and(|r| r.key.0 != ResourceMode::Managed)
            {
                self.warning(
                    e.range.clone(),
                    "Redundant moved block",
                    format!("{e} is not managed by topo but read anew in every run, so there is nothing to move."),
                );
                return None;
            }
        }
        Some(Moved {
            from,
            to,
            range: b.header(),
        })
    }

    pub(in crate::config) fn removed(
        &mut self,
        b: &Block<'_>,
        providers: &Providers,
    ) -> Option<Removed> {
        let content = b.body.content(
            &[
                ("lifecycle", Some(0)),
                ("provisioner", Some(1)),
                ("connection", Some(0)),
            ],
            self.diagnostics,
        );
        self.only(
            &content,
            &["from"],
            &["lifecycle", "provisioner", "connection"],
        );
        for repeated in ["lifecycle", "connection"] {
            if let Some(second) = content.of(repeated).nth(1) {
                self.error(
                    second.kind_range(),
                    &format!("Duplicate {repeated} block"),
                    format!("A removed block has one {repeated:?} block only."),
                );
            }
        }
        let blocks: Vec<Block<'_>> = content.of("provisioner").cloned().collect();
        let connection = content.of("connection").next();
        let (provisioners, connection) =
            self.provisioners(&blocks, connection, Of::Removed, providers);
        let mut destroy = true;
        if let Some(l) = content.of("lifecycle").next() {
            let inner = l.body.content(&[], self.diagnostics);
            self.only(&inner, &["destroy"], &[]);
            destroy = self.bool(&inner, "destroy", true);
        }
        let Some(a) = content.get("from") else {
            self.error(
                b.header(),
                "Missing required argument",
                "A removed block needs the argument \"from\".",
            );
            return None;
        };
        let from = endpoint(&a.value, self.diagnostics)?;
        let keyed = from.modules.iter().any(|(_, k)| k.is_some())
            || from.resource.as_ref().is_some_and(|r| r.instance.is_some());
        if keyed {
            self.error(a.value.range(), "Invalid \"removed\" address", "A removed block names a resource or a module with all its instances: leave the keys out.");
            return None;
        }
        if from
            .resource
            .as_ref()
            .is_some_and(|r| r.key.0 != ResourceMode::Managed)
        {
            self.error(
                a.value.range(),
                "Invalid \"removed\" address",
                format!("{from} is not managed by topo, so there is nothing to remove."),
            );
            return None;
        }
        if from.resource.is_none() {
            for p in &provisioners {
                self.error(
                    p.range.clone(),
                    "Invalid provisioner block",
                    format!("A provisioner is for the objects of one resource, but {from} is a module. Write a removed block with it for each resource that needs one."),
                );
            }
        }
        if !destroy && !provisioners.is_empty() {
            self.warning(
                b.header(),
                "Provisioners will not be carried out",
                format!("With destroy = false the objects of {from} are forgotten and not destroyed, so there is nothing that the provisioners come before."),
            );
        }
        Some(Removed {
            from,
            destroy,
            provisioners,
            connection,
            range: b.header(),
        })
    }

    pub(in crate::config) fn import(&mut self, b: &Block<'_>) -> Option<Import> {
        let content = b.body.content(&[], self.diagnostics);
        self.only(
            &content,
            &["to", "id", "identity", "for_each", "provider"],
            &[],
        );
        let to = match content.get("to") {
            Some(a) => import_target(&a.value, self.diagnostics),
            None => {
                self.error(
                    b.header(),
                    "Missing required argument",
                    "An import block needs the argument \"to\".",
                );
                None
            }
        };
        let identity = match (content.get("id"), content.get("identity")) {
            (Some(id), None) => Some(ImportIdentity::Id(self.expression(id))),
            (None, Some(object)) => Some(ImportIdentity::Object(self.expression(object))),
            (None, None) => {
                self.error(b.header(), "Missing required argument", "An import block needs either the argument \"id\" or the argument \"identity\".");
                None
            }
            (Some(id), Some(_)) => {
                self.error(
                    id.name_range(),
                    "Invalid combination of \"id\" and \"identity\"",
                    "An import block has either \"id\" or \"identity\".",
                );
                None
            }
        };
        let for_each = content.get("for_each").map(|a| self.expression(a));
        let provider = content
            .get("provider")
            .and_then(|a| self.provider_reference(&a.value));
        Some(Import {
            to: to?,
            identity: identity?,
            for_each,
            provider: provider.map(|p| p.key),
            range: b.header(),
        })
    }
}
