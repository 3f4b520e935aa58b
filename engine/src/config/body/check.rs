//! What can be wrong with a body by its schema: names, required arguments and numbers of blocks
//! before anything is evaluated, and ephemeral values in what is kept.

use topo_sdk::{Attribute, Block, Diagnostic, Diagnostics, Marks, Mode, Nesting, Value};

use super::{Argument, Body, NestedItem, also_argument, object_schema};
use crate::lang::ast::Expression;
use crate::suggest::did_you_mean;

impl Body {
    /// Checks names, required arguments and numbers of blocks against a schema. `words` are the
    /// names that the language has for such a block beside the schema's, for hints.
    pub fn check(&self, block: &Block, words: &[&str], diagnostics: &mut Diagnostics) {
        let known = || block.names().map(|n| &**n).chain(words.iter().copied());
        for argument in &self.attributes {
            let name = &argument.name;
            match (block.attributes.get(name), block.blocks.get(name)) {
                (Some(a), _) => check_settable(argument, a, diagnostics),
                (None, Some(nested)) if also_argument(nested) => {
                    if let Some(item) = self.blocks.iter().find(|b| b.name == *name) {
                        diagnostics.push(
                            Diagnostic::error("Argument and blocks of the same name", format!("{name:?} is given as an argument and as a block: use one of the two forms."))
                                .with_range(Some(item.body.range.clone())),
                        );
                    }
                }
                (None, Some(_)) => diagnostics.push(
                    Diagnostic::error("Unsupported argument", format!("{name:?} is a block here: write {name} {{ ... }} without an equals sign."))
                        .with_range(Some(argument.name_range())),
                ),
                (None, None) => {
                    let hint = did_you_mean(name, known().filter(|k| **k != **name));
                    diagnostics.push(
                        Diagnostic::error("Unsupported argument", format!("An argument named {name:?} is not expected here.{hint}"))
                            .with_range(Some(argument.name_range())),
                    );
                }
            }
        }
        for (name, a) in &block.attributes {
            if a.mode == Mode::Required
                && self.get(name).is_none()
                && !self.blocks.iter().any(|b| b.name == *name)
            {
                diagnostics.push(
                    Diagnostic::error(
                        "Missing required argument",
                        format!("The argument {name:?} is required, but no definition was found."),
                    )
                    .with_range(Some(self.range.clone())),
                );
            }
        }
        for item in &self.blocks {
            match block.blocks.get(&item.name) {
                Some(nested) => {
                    if let Some(instead) = &nested.block.deprecated {
                        diagnostics.push(
                            Diagnostic::warning(
                                "Block is deprecated",
                                format!("{}: {instead}", item.name),
                            )
                            .with_range(Some(item.body.range.clone())),
                        );
                    }
                    item.body.check(&nested.block, &["dynamic"], diagnostics);
                }
                None => match block
                    .attributes
                    .get(&item.name)
                    .and_then(|a| object_schema(&a.ty))
                {
                    Some(schema) => item.body.check(&schema, &["dynamic"], diagnostics),
                    None => {
                        let hint = did_you_mean(&item.name, known().filter(|k| **k != *item.name));
                        let detail = if block.attributes.contains_key(&item.name) {
                            format!(
                                "{:?} is an argument here, not a block: write {} = ...",
                                item.name, item.name
                            )
                        } else {
                            format!(
                                "Blocks of type {:?} are not expected here.{hint}",
                                item.name
                            )
                        };
                        diagnostics.push(
                            Diagnostic::error("Unsupported block type", detail)
                                .with_range(Some(item.body.range.clone())),
                        );
                    }
                },
            }
        }
        for (name, nested) in &block.blocks {
            let items: Vec<&NestedItem> = self.blocks.iter().filter(|b| b.name == *name).collect();
            let fixed = items.iter().filter(|b| b.dynamic.is_none()).count();
            if items.len() == fixed && fixed < nested.min && self.get(name).is_none() {
                diagnostics.push(
                    Diagnostic::error(
                        format!("Insufficient {name} blocks"),
                        format!(
                            "At least {} {name:?} block{} required.",
                            nested.min,
                            if nested.min == 1 { " is" } else { "s are" }
                        ),
                    )
                    .with_range(Some(self.range.clone())),
                );
            }
            let max = if nested.nesting == Nesting::Single {
                1
            } else {
                nested.max
            };
            if max > 0 && fixed > max {
                diagnostics.push(
                    Diagnostic::error(
                        format!("Too many {name} blocks"),
                        format!(
                            "No more than {max} {name:?} block{} allowed.",
                            if max == 1 { " is" } else { "s are" }
                        ),
                    )
                    .with_range(items.last().map(|b| b.body.range.clone())),
                );
            }
        }
    }

    /// Errors for ephemeral values in arguments that are kept in the state. `value` is what
    /// [`Body::decode`] made.
    pub fn ephemeral(&self, block: &Block, value: &Value) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        if !value.deep_marks().contains(Marks::EPHEMERAL) {
            return diagnostics;
        }
        let ephemeral = |v: &Value| v.deep_marks().contains(Marks::EPHEMERAL);
        for (name, attribute) in &block.attributes {
            if attribute.write_only || !value.get(name).is_some_and(ephemeral) {
                continue;
            }
            let range = self
                .get(name)
                .map_or_else(|| self.range.clone(), Expression::range);
            diagnostics.push(
                Diagnostic::error("Invalid use of ephemeral value", format!("Ephemeral values are not valid for {name:?}, because it is kept in the state and is not a write-only argument."))
                    .with_range(Some(range)),
            );
        }
        for (name, nested) in &block.blocks {
            let Some(value) = value.get(name) else {
                continue;
            };
            if let Some(e) = self.get(name)
                && ephemeral(value)
            {
                diagnostics.push(
                    Diagnostic::error("Invalid use of ephemeral value", format!("Ephemeral values are not valid for {name:?}, because it is kept in the state."))
                        .with_range(Some(e.range())),
                );
                continue;
            }
            // A set has the marks of what is in it: whatever it is in, all of it is kept.
            if nested.nesting == Nesting::Set && value.marks().contains(Marks::EPHEMERAL) {
                let first = self.blocks.iter().find(|b| b.name == *name);
                let range = first.map_or_else(|| self.range.clone(), |b| b.body.range.clone());
                diagnostics.push(
                    Diagnostic::error("Invalid use of ephemeral value", format!("Ephemeral values are not valid in {name:?} blocks, because they are a set, which is kept in the state as a whole."))
                        .with_range(Some(range)),
                );
                continue;
            }
            let written = self.blocks.iter().filter(|b| b.name == *name);
            for (item, v) in written.zip(value.children()) {
                diagnostics.extend(item.body.ephemeral(&nested.block, v));
            }
            if nested.nesting == Nesting::Single
                && let Some(item) = self.blocks.iter().find(|b| b.name == *name)
            {
                diagnostics.extend(item.body.ephemeral(&nested.block, value));
            }
        }
        diagnostics
    }
}

fn check_settable(argument: &Argument, a: &Attribute, diagnostics: &mut Diagnostics) {
    let (name, expression) = (&*argument.name, &argument.value);
    if a.mode == Mode::Computed {
        diagnostics.push(
            Diagnostic::error("Value for unconfigurable attribute", format!("Can't configure a value for {name:?}: its value will be decided automatically based on the result of applying this configuration."))
                .with_range(Some(expression.range())),
        );
    }
    if let Some(instead) = &a.deprecated {
        diagnostics.push(
            Diagnostic::warning("Argument is deprecated", format!("{name}: {instead}"))
                .with_range(Some(argument.name_range())),
        );
    }
}
