//! `lifecycle` blocks of resources.

use std::sync::Arc;

use hcl_edit::expr::{Expression as Hcl, TraversalOperator};
use topo_sdk::{Path, SourceRange, Step};

use super::Kind;
use crate::address::ResourceMode;
use crate::config::body::Reader;
use crate::config::{IgnoreChanges, Lifecycle, Mention};
use crate::lang::ast::{Expression, Target};
use crate::lang::structure::{Attribute, Block};

/// The arguments of a resource's `lifecycle` block.
const LIFECYCLE: [&str; 6] = [
    "enabled",
    "create_before_destroy",
    "destroy",
    "prevent_destroy",
    "ignore_changes",
    "replace_triggered_by",
];

impl Reader<'_> {
    pub(super) fn lifecycle(
        &mut self,
        b: &Block<'_>,
        kind: Kind,
    ) -> (Lifecycle, Option<Expression>) {
        let known: &[&str] = match kind {
            Kind::Resource => &LIFECYCLE,
            Kind::Data | Kind::Ephemeral => &["enabled"],
        };
        let rules = ["precondition", "postcondition"];
        let mut content = b
            .body
            .content(&rules.map(|r| (r, Some(0))), self.diagnostics);
        if kind != Kind::Resource {
            content.attributes.retain(|a| {
                let managed = a.name != "enabled" && LIFECYCLE.contains(&a.name);
                if managed {
                    self.error(
                        a.name_range(),
                        &format!("Invalid {} lifecycle argument", kind.name()),
                        format!("The lifecycle argument {:?} is for managed resources (resource blocks) only.", a.name),
                    );
                }
                !managed
            });
        }
        self.only(&content, known, &rules);
        let (ignore_changes, ignored_at) = match content.get("ignore_changes") {
            Some(a) => self.ignore_changes(a),
            None => Default::default(),
        };
        let replace_triggered_by = content
            .get("replace_triggered_by")
            .map(|a| self.triggers(a))
            .unwrap_or_default();
        let enabled = content.get("enabled").map(|a| self.expression(a));
        let lifecycle = Lifecycle {
            create_before_destroy: self.bool(&content, "create_before_destroy", false),
            prevent_destroy: self.bool(&content, "prevent_destroy", false),
            keep: !self.bool(&content, "destroy", true),
            ignore_changes,
            ignored_at,
            replace_triggered_by,
            preconditions: self.rules(&content, "precondition"),
            postconditions: self.rules(&content, "postcondition"),
        };
        (lifecycle, enabled)
    }

    fn triggers(&mut self, a: &Attribute<'_>) -> Vec<Mention> {
        let mut found = Vec::new();
        for e in self.references(a) {
            let Some(leading) = e.leading_reference() else {
                continue;
            };
            let wrong = match &leading.target {
                Target::Resource(ResourceMode::Managed, ..) => e
                    .references
                    .iter()
                    .find(|r| {
                        !Arc::ptr_eq(r, leading)
                            && !matches!(r.target, Target::EachKey | Target::CountIndex)
                    })
                    .map(|r| (r, "Of what is not constant only count.index and each.key can choose an instance here")),
                _ => Some((leading, "Only resources, resource instances and their attributes can be named here")),
            };
            match wrong {
                Some((r, why)) => self.error(
                    e.file.range(r.span),
                    "Invalid replace_triggered_by expression",
                    format!("{why}, not {}.", r.target),
                ),
                None => found.push(Mention {
                    reference: leading.clone(),
                    path: e.expr.path(),
                    file: e.file.clone(),
                }),
            }
        }
        found
    }

    fn ignore_changes(&mut self, a: &Attribute<'_>) -> (IgnoreChanges, Vec<SourceRange>) {
        if a.value.keyword() == Some("all") {
            return (IgnoreChanges::All, Vec::new());
        }
        let Some(items) = a.value.list() else {
            self.error(
                a.value.range(),
                "Invalid ignore_changes",
                "Write a list of argument names, or the keyword all.",
            );
            return Default::default();
        };
        let mut paths = Vec::new();
        let mut places = Vec::new();
        for item in items {
            if item.native_quoted().is_some_and(|text| text != "*") {
                self.quoted_reference(item.range());
            }
            let path = item.read(self.diagnostics, |_, hcl, _| attribute_path(hcl));
            match path {
                Some(Some(p)) if p.steps() == [Step::Attribute("*".into())] => {
                    self.error(item.range(), "Invalid ignore_changes wildcard", "The [\"*\"] form of ignore_changes is gone: write \"ignore_changes = all\" to ignore changes to all arguments.");
                }
                Some(Some(p)) => {
                    paths.push(p);
                    places.push(item.range());
                }
                Some(None) => self.error(item.range(), "Invalid ignore_changes", "Each element must name an argument of this resource, such as tags or tags[\"Name\"]."),
                None => {}
            }
        }
        (IgnoreChanges::Paths(paths), places)
    }
}

impl Lifecycle {
    pub(super) fn is_empty(&self) -> bool {
        !self.create_before_destroy
            && !self.prevent_destroy
            && !self.keep
            && matches!(self.ignore_changes, IgnoreChanges::None)
            && self.replace_triggered_by.is_empty()
            && self.preconditions.is_empty()
            && self.postconditions.is_empty()
    }
}

/// A path written as a traversal: `scaling_config[0].desired_size`, `tags["Name"]`.
fn attribute_path(e: &Hcl) -> Option<Path> {
    match e {
        Hcl::Variable(v) => Some(Path::attribute(v.as_str())),
        Hcl::String(s) => Some(Path::attribute(s.value().as_str())),
        Hcl::Traversal(t) => {
            let Hcl::Variable(v) = &t.expr else {
                return None;
            };
            let mut path = Path::attribute(v.as_str());
            for op in &t.operators {
                path.push(match op.value() {
                    TraversalOperator::GetAttr(n) => Step::Attribute(n.as_str().into()),
                    TraversalOperator::Index(Hcl::String(s)) => {
                        Step::Key(s.value().as_str().into())
                    }
                    TraversalOperator::Index(Hcl::Number(n)) => {
                        Step::Index(usize::try_from(n.value().as_u64()?).ok()?)
                    }
                    TraversalOperator::LegacyIndex(i) => {
                        Step::Index(usize::try_from(*i.value()).ok()?)
                    }
                    _ => return None,
                });
            }
            Some(path)
        }
        _ => None,
    }
}
