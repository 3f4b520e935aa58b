//! What a module takes, names and gives: variables, local values and outputs.

use std::collections::BTreeMap;
use std::sync::Arc;

use topo_sdk::convert::convert;

use crate::config::body::Reader;
use crate::config::types::{TypeConstraint, read_type};
use crate::config::{Output, Variable};
use crate::lang::ast::{Expression, Target};
use crate::lang::structure::Block;
use crate::lang::syntax::is_identifier;

/// Names that mean something in a module call, so that no variable can have them.
const RESERVED_VARIABLES: [&str; 8] = [
    "source",
    "version",
    "providers",
    "count",
    "for_each",
    "lifecycle",
    "depends_on",
    "locals",
];

impl Reader<'_> {
    pub(in crate::config) fn variable(&mut self, b: &Block<'_>) -> Variable {
        self.name(b, 0, "variable");
        let name = b.labels.first().map_or("", |(n, _)| *n);
        if RESERVED_VARIABLES.contains(&name) {
            self.error(
                b.label_range(0),
                "Invalid variable name",
                format!("The variable name {name:?} is reserved due to its special meaning inside module blocks."),
            );
        }
        let content = b.body.content(&[("validation", Some(0))], self.diagnostics);
        self.only(
            &content,
            &[
                "type",
                "default",
                "description",
                "sensitive",
                "nullable",
                "ephemeral",
                "deprecated",
            ],
            &["validation"],
        );
        let constraint = content
            .get("type")
            .and_then(|a| a.value.read(self.diagnostics, read_type))
            .unwrap_or(TypeConstraint {
                ty: topo_sdk::Type::Dynamic,
                defaults: Default::default(),
            });
        let nullable = self.bool(&content, "nullable", true);
        let default = content.get("default").and_then(|a| {
            let value = constraint.defaults.apply(self.constant(a));
            let at = a.value.range();
            if value.is_null() && !nullable {
                self.error(at, "Invalid default value for variable", "A null default value is not valid when nullable = false.");
                return None;
            }
            match convert(&value, &constraint.ty) {
                Ok(v) => Some(v),
                Err(e) => {
                    let inside = if e.path.is_root() { String::new() } else { format!("{}: ", e.path) };
                    self.error(at, "Invalid default value for variable", format!("This default value is not compatible with the variable's type constraint: {inside}{e}."));
                    None
                }
            }
        });
        let validations = self.rules(&content, "validation");
        let itself = Target::Variable(name.into());
        for rule in &validations {
            if !rule.condition.references.iter().any(|r| r.target == itself) {
                self.error(
                    rule.condition.range(),
                    "Invalid variable validation condition",
                    format!("The condition for variable {name:?} must refer to var.{name} in order to test incoming values."),
                );
            }
        }
        Variable {
            constraint,
            default,
            description: self.text(&content, "description").unwrap_or_default(),
            sensitive: self.bool(&content, "sensitive", false),
            nullable,
            ephemeral: self.bool(&content, "ephemeral", false),
            deprecated: self.deprecated(&content),
            validations,
            range: b.header(),
        }
    }

    /// Reads the local values of a `locals` block, where any name is expected.
    pub(in crate::config) fn local_values(
        &mut self,
        b: &Block<'_>,
        locals: &mut BTreeMap<Arc<str>, Expression>,
    ) {
        let content = b.body.content(&[], self.diagnostics);
        self.only_blocks(&content, &[], &[]);
        for a in &content.attributes {
            let name: Arc<str> = a.name.into();
            if !is_identifier(a.name) {
                self.error(a.name_range(), "Invalid local value name", format!("{:?} is not a name: a name starts with a letter or underscore and may contain only letters, digits, underscores, and dashes.", a.name));
                continue;
            }
            if let Some(first) = locals.get(&name) {
                let first = first.range();
                self.duplicate("local value definition", &name, &first, &a.name_range());
                continue;
            }
            let value = self.expression(a);
            locals.insert(name, value);
        }
    }

    pub(in crate::config) fn output(&mut self, b: &Block<'_>) -> Option<Output> {
        self.name(b, 0, "output");
        let content = b.body.content(
            &[("precondition", Some(0)), ("postcondition", Some(0))],
            self.diagnostics,
        );
        self.only(
            &content,
            &[
                "value",
                "description",
                "sensitive",
                "depends_on",
                "ephemeral",
                "deprecated",
            ],
            &["precondition", "postcondition"],
        );
        if let Some(post) = content.of("postcondition").next() {
            self.error(
                post.kind_range(),
                "Postconditions are not allowed",
                "Output values can only have preconditions, not postconditions.",
            );
        }
        let Some(value) = content.get("value") else {
            self.error(
                b.header(),
                "Missing required argument",
                "An output block needs the argument \"value\".",
            );
            return None;
        };
        Some(Output {
            value: self.expression(value),
            description: self.text(&content, "description").unwrap_or_default(),
            sensitive: self.bool(&content, "sensitive", false),
            ephemeral: self.bool(&content, "ephemeral", false),
            deprecated: self.deprecated(&content),
            depends_on: self.depends_on(&content),
            preconditions: self.rules(&content, "precondition"),
            range: b.header(),
        })
    }
}
