//! Conditions: `validation`, `precondition` and `postcondition` blocks, and `check` blocks with
//! their assertions and their data source.

use std::sync::Arc;

use super::{Kind, RawResource};
use crate::config::CheckRule;
use crate::config::body::Reader;
use crate::lang::ast::Target;
use crate::lang::structure::{Block, Content, article};

impl Reader<'_> {
    pub(super) fn rules(&mut self, content: &Content<'_>, kind: &str) -> Vec<CheckRule> {
        let mut rules = Vec::new();
        for b in content.of(kind) {
            let inner = b.body.content(&[], self.diagnostics);
            self.only(&inner, &["condition", "error_message"], &[]);
            let mut missing = false;
            for name in ["condition", "error_message"] {
                if inner.get(name).is_none() {
                    missing = true;
                    self.error(
                        b.kind_range(),
                        "Missing required argument",
                        format!(
                            "{} {kind} block needs the argument {name:?}.",
                            article(kind)
                        ),
                    );
                }
            }
            let (false, Some(c), Some(m)) =
                (missing, inner.get("condition"), inner.get("error_message"))
            else {
                continue;
            };
            let rule = CheckRule {
                condition: self.expression(c),
                error_message: self.expression(m),
            };
            if kind != "validation" && rule.condition.references.is_empty() {
                self.error(
                    rule.condition.range(),
                    &format!("Invalid {kind} expression"),
                    "The condition expression must refer to at least one object from elsewhere in the configuration, or else its result would not be checking anything.",
                );
            }
            for e in [&rule.condition, &rule.error_message] {
                if let Some(r) = e
                    .references
                    .iter()
                    .find(|r| r.target == Target::SelfObject && kind != "postcondition")
                {
                    self.error(
                        e.file.range(r.span),
                        &format!("Invalid reference in {kind}"),
                        "The \"self\" object can be used only in postconditions, provisioners and connections.",
                    );
                }
            }
            rules.push(rule);
        }
        rules
    }

    /// A `check` block: its assertions, and the data source inside it.
    pub(in crate::config) fn check<'a>(
        &mut self,
        b: &Block<'a>,
    ) -> (Vec<CheckRule>, Option<RawResource<'a>>) {
        self.name(b, 0, "check block");
        let content = b
            .body
            .content(&[("data", Some(2)), ("assert", Some(0))], self.diagnostics);
        self.only(&content, &[], &["data", "assert"]);
        let rules = self.rules(&content, "assert");
        if content.of("assert").next().is_none() {
            self.error(
                b.header(),
                "Zero assert blocks",
                "Check blocks must have at least one assert block.",
            );
        }
        let mut data = content.blocks.iter().filter(|x| x.kind == "data");
        let first = data.next().cloned();
        if let Some(second) = data.next() {
            self.error(
                second.header(),
                "Multiple data resource blocks",
                "A check block has at most one data block.",
            );
        }
        let name: Arc<str> = b.labels.first().map_or("", |(n, _)| *n).into();
        let data = first.map(|block| {
            let mut r = self.resource(block, Kind::Data);
            if r.repetition.expression().is_some() || !r.lifecycle.is_empty() {
                self.error(
                    r.block.header(),
                    "Invalid data resource meta argument",
                    "A data block inside a check block cannot have count, for_each or lifecycle.",
                );
            }
            r.check = Some(name.clone());
            r
        });
        (rules, data)
    }
}
