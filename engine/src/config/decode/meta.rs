//! Meta-arguments that blocks of several kinds share: how many instances there are (`count`,
//! `for_each`, `enabled`), what is waited for (`depends_on`), and the provider configuration.

use topo_sdk::{Path, SourceRange};

use crate::config::body::Reader;
use crate::config::endpoint::provider_parts;
use crate::config::{Mention, ProviderReference, Repetition};
use crate::lang::ast::{ExprKind, Expression, Target};
use crate::lang::structure::{Attribute, Content, Source};
use crate::lang::syntax::translate;

impl Reader<'_> {
    /// `count`, `for_each`, or `enabled` of the `lifecycle` block.
    pub(super) fn repetition(
        &mut self,
        content: &Content<'_>,
        enabled: Option<Expression>,
        what: &str,
    ) -> Repetition {
        let count = content.get("count");
        let for_each = content.get("for_each");
        match (count, for_each, enabled) {
            (None, None, None) => Repetition::Single,
            (Some(c), None, None) => Repetition::Count(self.expression(c)),
            (None, Some(f), None) => Repetition::ForEach(self.expression(f)),
            (None, None, Some(e)) => Repetition::Enabled(e),
            (count, for_each, enabled) => {
                let given: Vec<String> = [
                    count.map(|_| "\"count\""),
                    for_each.map(|_| "\"for_each\""),
                    enabled.as_ref().map(|_| "\"enabled\""),
                ]
                .into_iter()
                .flatten()
                .map(str::to_string)
                .collect();
                let at = count.or(for_each).map(Attribute::name_range);
                if let Some(at) = at {
                    self.error(
                        at,
                        &format!("Invalid combination of {}", given.join(" and ")),
                        format!("The {} meta-arguments are mutually exclusive: only one of them says how many instances of a {what} there are.", given.join(" and ")),
                    );
                }
                Repetition::Single
            }
        }
    }

    pub(in crate::config) fn depends_on(&mut self, content: &Content<'_>) -> Vec<Mention> {
        let Some(a) = content.get("depends_on") else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for e in self.references(a) {
            let Some(r) = e.leading_reference() else {
                continue;
            };
            if !matches!(e.expr.kind, ExprKind::Reference(_)) {
                self.error(
                    e.range(),
                    "Invalid depends_on reference",
                    "What is named in depends_on is a whole object, such as a resource or a module, not an attribute of one.",
                );
                continue;
            }
            if matches!(
                r.target,
                Target::EachKey | Target::EachValue | Target::CountIndex | Target::SelfObject
            ) {
                self.error(
                    e.range(),
                    "Invalid depends_on reference",
                    format!("All instances of a block depend on the same objects, so {} means nothing in depends_on.", r.target),
                );
                continue;
            }
            found.push(Mention {
                reference: r.clone(),
                path: Path::root(),
                file: e.file.clone(),
            });
        }
        found
    }

    /// A reference in quotes, as the language's early versions had it.
    pub(super) fn quoted_reference(&mut self, range: SourceRange) {
        self.warning(
            range,
            "Quoted references are deprecated",
            "A reference is written without quotes.",
        );
    }

    /// The references of a list such as `depends_on`: each of them has a leading reference.
    pub(super) fn references(&mut self, a: &Attribute<'_>) -> Vec<Expression> {
        let Some(items) = a.value.list() else {
            self.error(
                a.value.range(),
                "Invalid expression",
                format!("The argument {:?} must be a list of references.", a.name),
            );
            return Vec::new();
        };
        let mut found = Vec::new();
        for item in items {
            let quoted = a.name == "depends_on" && item.native_quoted().is_some();
            if quoted {
                self.quoted_reference(item.range());
            }
            let read = if quoted {
                item.inside_quotes(self.diagnostics)
            } else {
                item.named(self.diagnostics)
            };
            let Some(e) = read else {
                continue;
            };
            match e.leading_reference() {
                Some(_) => found.push(e),
                // A name that does not exist has its error already.
                None if e.is_null_literal() && item.quoted().is_none() => {}
                None => self.error(
                    item.range(),
                    "Invalid expression",
                    format!("Each element of {:?} must be a reference, such as aws_vpc.main or module.network, without quotes or other operations.", a.name),
                ),
            }
        }
        found
    }

    pub(in crate::config) fn provider_reference(
        &mut self,
        source: &Source<'_>,
    ) -> Option<ProviderReference> {
        let range = source.range();
        if source.native_quoted().is_some() {
            self.quoted_reference(range.clone());
        }
        let made = source.read(self.diagnostics, |file, hcl, diagnostics| {
            let (name, alias, key) = provider_parts(hcl)?;
            let instance = key.map(|k| translate(file, k, &[], diagnostics));
            Some(ProviderReference {
                key: (name, alias),
                instance,
                range: range.clone(),
            })
        })?;
        if made.is_none() {
            self.error(range, "Invalid provider reference", "A provider configuration is named by its provider and, if it has one, its alias: aws or aws.west.");
        }
        made
    }
}
