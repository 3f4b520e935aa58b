//! From parsed syntax to bodies: arguments become expressions, `dynamic` blocks are told from
//! those that they make, and meta-arguments are left to others.

use std::borrow::Cow;
use std::sync::Arc;

use topo_sdk::{Block, Diagnostic, Diagnostics, Nesting, SourceRange};

use super::{Argument, Body, Dynamic, NestedItem, object_schema};
use crate::lang::structure;
use crate::suggest::did_you_mean;

/// Reads blocks; collects what is wrong with them.
pub(in crate::config) struct Reader<'d> {
    /// Where errors go.
    pub(in crate::config) diagnostics: &'d mut Diagnostics,
}

/// What a block has besides what its schema says: the meta-arguments.
#[derive(Clone, Copy, Default)]
pub(in crate::config) struct Meta<'a> {
    /// Arguments that are not the schema's.
    pub(in crate::config) attributes: &'a [&'a str],
    /// Blocks that are not the schema's, with the number of their labels.
    pub(in crate::config) blocks: &'a [(&'a str, Option<usize>)],
}

impl Reader<'_> {
    /// An error at a place.
    pub(in crate::config) fn error(
        &mut self,
        range: SourceRange,
        summary: &str,
        detail: impl Into<String>,
    ) {
        self.diagnostics
            .push(Diagnostic::error(summary, detail).with_range(Some(range)));
    }

    /// A warning at a place.
    pub(in crate::config) fn warning(
        &mut self,
        range: SourceRange,
        summary: &str,
        detail: impl Into<String>,
    ) {
        self.diagnostics
            .push(Diagnostic::warning(summary, detail).with_range(Some(range)));
    }

    /// Reads a body whose arguments and blocks a schema describes, leaving out `meta`. The
    /// arguments in a block named `_` are taken as they are, even where their names are those of
    /// meta-arguments.
    pub(in crate::config) fn body(
        &mut self,
        source: &structure::Body<'_>,
        schema: &Block,
        range: SourceRange,
        meta: Meta<'_>,
        bound: &[Arc<str>],
    ) -> Body {
        let mut expected: Vec<(&str, Option<usize>)> = vec![("dynamic", Some(1))];
        expected.extend(meta.blocks);
        expected.extend(schema.blocks.iter().map(|(name, nested)| {
            let labels = usize::from(nested.nesting == Nesting::Map);
            (&**name, Some(labels))
        }));
        let content = source.content(&expected, self.diagnostics);
        let mut body = Body {
            attributes: Vec::with_capacity(content.attributes.len()),
            blocks: Vec::new(),
            range,
        };
        for a in &content.attributes {
            if meta.attributes.contains(&a.name) {
                continue;
            }
            body.attributes.push(Argument {
                name: a.name.into(),
                name_span: a.name_span,
                value: a.value.expression(bound, self.diagnostics),
            });
        }
        for b in &content.blocks {
            if b.kind == "_" && meta.blocks.iter().any(|(name, _)| *name == "_") {
                let escaped = self.body(&b.body, schema, b.header(), Meta::default(), bound);
                body.attributes.extend(escaped.attributes);
                body.blocks.extend(escaped.blocks);
                continue;
            }
            if meta.blocks.iter().any(|(name, _)| *name == b.kind) {
                continue;
            }
            if b.kind == "dynamic" {
                body.blocks.extend(self.dynamic(b, schema, bound));
                continue;
            }
            let inner = nested_schema(schema, b.kind);
            body.blocks.push(NestedItem {
                name: b.kind.into(),
                label: b.labels.first().map(|(l, _)| Arc::from(*l)),
                dynamic: None,
                body: self.body(&b.body, &inner, b.kind_range(), Meta::default(), bound),
            });
        }
        body
    }

    fn dynamic(
        &mut self,
        block: &structure::Block<'_>,
        schema: &Block,
        bound: &[Arc<str>],
    ) -> Option<NestedItem> {
        let at = block.kind_range();
        let name: Arc<str> = block.labels.first()?.0.into();
        let content = block
            .body
            .content(&[("content", Some(0))], self.diagnostics);
        self.only(&content, &["for_each", "iterator", "labels"], &["content"]);
        let Some(for_each) = content.get("for_each") else {
            self.error(
                at,
                "Missing required argument",
                "A dynamic block needs the argument \"for_each\".",
            );
            return None;
        };
        let for_each = for_each.value.expression(bound, self.diagnostics);
        let iterator: Arc<str> = match content.get("iterator") {
            None => name.clone(),
            Some(a) => match a.value.keyword() {
                Some(word) => word.into(),
                None => {
                    self.error(
                        a.value.range(),
                        "Invalid dynamic iterator name",
                        "The iterator argument must be a single name.",
                    );
                    name.clone()
                }
            },
        };
        let mut inner = bound.to_vec();
        inner.push(iterator.clone());
        let label = content
            .get("labels")
            .map(|a| a.value.expression(&inner, self.diagnostics));
        let mut contents = content.of("content");
        let (Some(first), more) = (contents.next(), contents.next()) else {
            self.error(
                at,
                "Missing content block",
                "A dynamic block needs a nested \"content\" block that says what is in each block.",
            );
            return None;
        };
        if let Some(more) = more {
            self.error(
                more.header(),
                "Extraneous content block",
                "A dynamic block has one \"content\" block only.",
            );
        }
        let nested = nested_schema(schema, &name);
        let body = self.body(
            &first.body,
            &nested,
            first.kind_range(),
            Meta::default(),
            &inner,
        );
        Some(NestedItem {
            name,
            label: None,
            dynamic: Some(Dynamic {
                for_each,
                iterator,
                label,
            }),
            body,
        })
    }

    /// Complains about arguments and blocks that a block does not know.
    pub(in crate::config) fn only(
        &mut self,
        content: &structure::Content<'_>,
        attributes: &[&str],
        blocks: &[&str],
    ) {
        for a in &content.attributes {
            if !attributes.contains(&a.name) {
                let hint = if blocks.contains(&a.name) {
                    format!(
                        " Did you mean a block? Then leave out the equals sign: {} {{ ... }}",
                        a.name
                    )
                } else {
                    did_you_mean(a.name, attributes)
                };
                self.error(
                    a.name_range(),
                    "Unsupported argument",
                    format!("An argument named {:?} is not expected here.{hint}", a.name),
                );
            }
        }
        self.only_blocks(content, attributes, blocks);
    }

    /// Complains about blocks that a block does not know.
    pub(in crate::config) fn only_blocks(
        &mut self,
        content: &structure::Content<'_>,
        attributes: &[&str],
        blocks: &[&str],
    ) {
        for b in &content.blocks {
            if !blocks.contains(&b.kind) {
                let hint = if attributes.contains(&b.kind) {
                    format!(" Did you mean the argument? Then write {} = ...", b.kind)
                } else {
                    did_you_mean(b.kind, blocks)
                };
                self.error(
                    b.kind_range(),
                    "Unsupported block type",
                    format!("Blocks of type {:?} are not expected here.{hint}", b.kind),
                );
            }
        }
    }
}

/// The schema of a nested block, or of an argument that may be written as one; empty where the
/// schema has neither, which is found out when the body is checked.
fn nested_schema<'s>(schema: &'s Block, name: &str) -> Cow<'s, Block> {
    if let Some(nested) = schema.blocks.get(name) {
        return Cow::Borrowed(&nested.block);
    }
    let made = schema
        .attributes
        .get(name)
        .and_then(|a| object_schema(&a.ty));
    Cow::Owned(made.unwrap_or_default())
}
