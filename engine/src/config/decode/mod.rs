//! From the blocks of a module's files to what a [`Module`](super::Module) holds, one function
//! per kind of block, in a file for each family of blocks. Here: what all of them read.

mod call;
mod conditions;
mod lifecycle;
mod meta;
mod provider;
mod refactoring;
mod resource;
mod settings;
mod values;

use topo_sdk::convert::convert;
use topo_sdk::{SourceRange, Value};

use super::body::Reader;
use super::types::constant;
use crate::lang::ast::Expression;
use crate::lang::structure::{Attribute, Block, Content};
use crate::lang::syntax::is_identifier;

pub(super) use call::RawCall;
pub(super) use provider::{PROVIDER_META, shown};
pub(super) use resource::{Kind, RawResource};
pub use settings::LANGUAGE_VERSION;
pub(super) use settings::{Overriding, Settings};

impl Reader<'_> {
    pub(super) fn expression(&mut self, a: &Attribute<'_>) -> Expression {
        a.value.expression(&[], self.diagnostics)
    }

    /// The value of an argument that may refer to nothing. In JSON its strings are no templates.
    pub(in crate::config) fn constant(&mut self, a: &Attribute<'_>) -> Value {
        if let Some(value) = a.value.json_value() {
            return value;
        }
        let e = self.expression(a);
        constant(&e.expr.kind, &e, self.diagnostics)
    }

    pub(in crate::config) fn bool(
        &mut self,
        content: &Content<'_>,
        name: &str,
        default: bool,
    ) -> bool {
        let Some(a) = content.get(name) else {
            return default;
        };
        let problems = self.diagnostics.iter().count();
        let value = self.constant(a);
        match convert(&value, &topo_sdk::Type::Bool) {
            // What is not a constant has its error already.
            Ok(v) if v.is_null() && self.diagnostics.iter().count() > problems => default,
            Ok(v) if !v.is_null() => v.as_bool().unwrap_or(default),
            _ => {
                self.error(
                    a.value.range(),
                    "Unsuitable value type",
                    format!("The argument {name:?} must be true or false."),
                );
                default
            }
        }
    }

    pub(in crate::config) fn text(&mut self, content: &Content<'_>, name: &str) -> Option<String> {
        let a = content.get(name)?;
        let problems = self.diagnostics.iter().count();
        let value = self.constant(a);
        if let Ok(v) = convert(&value, &topo_sdk::Type::String)
            && let Some(s) = v.as_str()
        {
            return Some(s.to_string());
        }
        if self.diagnostics.iter().count() == problems {
            self.error(
                a.value.range(),
                "Unsuitable value type",
                format!("The argument {name:?} must be a constant string."),
            );
        }
        None
    }

    /// Checks the name that a label gives.
    pub(in crate::config) fn name(&mut self, block: &Block<'_>, index: usize, what: &str) {
        if let Some((name, _)) = block.labels.get(index)
            && !is_identifier(name)
        {
            self.error(
                block.label_range(index),
                &format!("Invalid {what} name"),
                format!("{name:?} is not a name: a name starts with a letter or underscore and may contain only letters, digits, underscores, and dashes."),
            );
        }
    }

    /// Complains about a name that the module has already.
    pub(in crate::config) fn duplicate(
        &mut self,
        what: &str,
        name: &str,
        first: &SourceRange,
        range: &SourceRange,
    ) {
        self.error(
            range.clone(),
            &format!("Duplicate {what}"),
            format!(
                "{name} was already declared at {first}. Names must be unique within a module."
            ),
        );
    }

    pub(super) fn deprecated(&mut self, content: &Content<'_>) -> Option<String> {
        let text = self.text(content, "deprecated")?;
        if text.trim().is_empty() {
            let range = content.get("deprecated").map(|a| a.value.range());
            if let Some(range) = range {
                self.error(
                    range,
                    "Invalid \"deprecated\" value",
                    "The argument \"deprecated\" must not be empty: it says what to use instead.",
                );
            }
        }
        Some(text)
    }
}
