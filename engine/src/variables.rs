//! Values for the root module's variables: from the environment, files and flags.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use topo_sdk::{Diagnostic, Diagnostics, SourceRange, Type, Value};

use crate::config::{Module, Sources};
use crate::lang::source::SourceFile;
use crate::lang::structure::{Attribute, Parsed};
use crate::lang::syntax::parse_expression;

/// What was given, in the order in which it was added: later wins.
#[derive(Debug, Clone, Default)]
pub struct Inputs(Vec<Input>);

#[derive(Debug, Clone)]
enum Input {
    Text {
        name: Arc<str>,
        text: String,
        origin: String,
        by: GivenBy,
    },
    File {
        file: Arc<SourceFile>,
        by: GivenBy,
    },
    Value {
        name: Arc<str>,
        given: Given,
    },
}

/// What gave a value. It tells whether the value can be expected to be there again when a saved
/// plan is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum GivenBy {
    /// This run alone: a flag, or an answer.
    Run,
    /// The environment, which another machine that applies the plan need not have.
    Environment,
    /// A file that is read without being asked for.
    Definitions,
}

/// A value that was given, and where.
#[derive(Debug, Clone)]
pub struct Given {
    /// As written; converted to the variable's type later.
    pub value: Value,
    /// Where, if in a file.
    pub range: Option<SourceRange>,
    /// Where, in words.
    pub origin: String,
    /// By what.
    pub by: GivenBy,
}

impl Inputs {
    /// A variable of the environment, `TF_VAR_name`. Ones for which there is no variable are
    /// ignored.
    pub fn add_env(&mut self, name: &str, text: &str) {
        let origin = format!("the environment variable TF_VAR_{name}");
        self.0.push(Input::Text {
            name: name.into(),
            text: text.into(),
            origin,
            by: GivenBy::Environment,
        });
    }

    /// A file of definitions (`.tfvars`) that a flag names, or that is read without being asked
    /// for. Names for which there is no variable give a warning.
    pub fn add_file(&mut self, path: &str, text: String, by: GivenBy) {
        self.0.push(Input::File {
            file: SourceFile::new(path, text),
            by,
        });
    }

    /// A `-var` flag. A name for which there is no variable is an error.
    pub fn add_flag(&mut self, name: &str, text: &str) {
        let origin = format!("the flag -var {name}=...");
        self.0.push(Input::Text {
            name: name.into(),
            text: text.into(),
            origin,
            by: GivenBy::Run,
        });
    }

    /// What a person typed when asked.
    pub fn add_prompted(&mut self, name: &str, text: &str) {
        let origin = format!("what was typed for {name}");
        self.0.push(Input::Text {
            name: name.into(),
            text: text.into(),
            origin,
            by: GivenBy::Run,
        });
    }

    /// A value that is there already. A name for which there is no variable is ignored.
    pub fn add_value(&mut self, name: &str, given: Given) {
        self.0.push(Input::Value {
            name: name.into(),
            given,
        });
    }

    /// The values for those variables that a module has, what else is given left aside.
    pub fn resolve_some(
        &self,
        module: &Module,
        diagnostics: &mut Diagnostics,
    ) -> BTreeMap<Arc<str>, Given> {
        let mut found = Diagnostics::new();
        let meant = self.0.iter().filter(|i| match i {
            Input::Text { name, .. } => module.variables.contains_key(name),
            Input::File { .. } | Input::Value { .. } => true,
        });
        let given = Inputs(meant.cloned().collect()).resolve(module, &mut found);
        // A warning is about what is left aside.
        diagnostics.extend(found.into_iter().filter(Diagnostic::is_error));
        given
    }

    /// Everything that is given, by name, as far as it can be told without knowing the types of
    /// the variables: text from flags and the environment is a string.
    pub fn untyped(&self) -> BTreeMap<Arc<str>, Value> {
        let mut all = BTreeMap::new();
        for input in &self.0 {
            match input {
                Input::Text { name, text, .. } => {
                    all.insert(name.clone(), Value::string(text));
                }
                Input::Value { name, given } => {
                    all.insert(name.clone(), given.value.clone());
                }
                Input::File { file, .. } => {
                    let Ok(parsed) = Parsed::new(file.clone()) else {
                        continue; // its mistakes are told where it is resolved
                    };
                    let mut aside = Diagnostics::new();
                    let content = parsed.body(&mut aside).content(&[], &mut aside);
                    for a in &content.attributes {
                        all.extend(file_value(a, &mut aside).map(|v| (a.name.into(), v)));
                    }
                }
            }
        }
        all
    }

    /// Whether a value for this variable was given.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|i| match i {
            Input::Text { name: n, .. } | Input::Value { name: n, .. } => **n == *name,
            Input::File { file, .. } => Parsed::new(file.clone()).is_ok_and(|parsed| {
                let mut aside = Diagnostics::new();
                let content = parsed.body(&mut aside).content(&[], &mut aside);
                content.get(name).is_some()
            }),
        })
    }

    /// Adds the files to those that excerpts are shown of.
    pub fn add_sources(&self, sources: &mut Sources) {
        for input in &self.0 {
            if let Input::File { file, .. } = input {
                sources.add(file.clone());
            }
        }
    }

    /// The values for a module's variables. Every mistake is reported.
    pub fn resolve(
        &self,
        module: &Module,
        diagnostics: &mut Diagnostics,
    ) -> BTreeMap<Arc<str>, Given> {
        let mut given = BTreeMap::new();
        for input in &self.0 {
            match input {
                Input::Text {
                    name,
                    text,
                    origin,
                    by,
                } => {
                    let Some(variable) = module.variables.get(name) else {
                        if *by != GivenBy::Environment {
                            let hint = crate::suggest::did_you_mean(name, module.variables.keys());
                            diagnostics.push(Diagnostic::error(
                                "Value for undeclared variable",
                                format!("A variable named {name:?} was assigned by {origin}, but the root module does not declare a variable of that name.{hint}"),
                            ));
                        }
                        continue;
                    };
                    if let Some(value) =
                        text_value(text, &variable.constraint.ty, origin, diagnostics)
                    {
                        given.insert(
                            name.clone(),
                            Given {
                                value,
                                range: None,
                                origin: origin.clone(),
                                by: *by,
                            },
                        );
                    }
                }
                Input::File { file, by } => {
                    file_values(file, *by, module, &mut given, diagnostics);
                }
                Input::Value { name, given: value } => {
                    if module.variables.contains_key(name) {
                        given.insert(name.clone(), value.clone());
                    }
                }
            }
        }
        given
    }
}

/// Text is taken literally for primitive types, and as an expression for all others.
fn text_value(text: &str, ty: &Type, origin: &str, diagnostics: &mut Diagnostics) -> Option<Value> {
    if ty.is_primitive() || *ty == Type::Dynamic {
        return Some(Value::string(text));
    }
    let file = SourceFile::new(origin, text.to_string());
    let made = parse_expression(&file).and_then(|e| {
        crate::lang::eval::evaluate(&e, &crate::config::Nothing).map_err(|d| (*d).into())
    });
    match made {
        Ok(v) => Some(v),
        Err(ds) => {
            let detail = ds
                .iter()
                .map(|d| d.detail.clone())
                .collect::<Vec<_>>()
                .join(" ");
            diagnostics.push(Diagnostic::error(
                "Invalid value for variable",
                format!("The value given by {origin} is not an expression of type {ty}: {detail}"),
            ));
            None
        }
    }
}

fn file_values(
    file: &Arc<SourceFile>,
    by: GivenBy,
    module: &Module,
    given: &mut BTreeMap<Arc<str>, Given>,
    diagnostics: &mut Diagnostics,
) {
    let parsed = match Parsed::new(file.clone()) {
        Ok(parsed) => parsed,
        Err(ds) => {
            diagnostics.extend(ds);
            return;
        }
    };
    let content = parsed.body(diagnostics).content(&[], diagnostics);
    for b in &content.blocks {
        diagnostics.push(
            Diagnostic::error("Unexpected block", "A file of variable definitions has only name = value lines. Declare variables in a .tf file.").with_range(Some(b.kind_range())),
        );
    }
    for a in &content.attributes {
        let range = a.value.range();
        let name = a.name;
        if !module.variables.contains_key(name) {
            let hint = crate::suggest::did_you_mean(name, module.variables.keys());
            diagnostics.push(
                Diagnostic::warning(
                    "Value for undeclared variable",
                    format!("The root module does not declare a variable named {name:?}.{hint}"),
                )
                .with_range(Some(a.name_range())),
            );
            continue;
        }
        if let Some(value) = file_value(a, diagnostics) {
            given.insert(
                name.into(),
                Given {
                    value,
                    range: Some(range),
                    origin: file.name.to_string(),
                    by,
                },
            );
        }
    }
}

fn file_value(a: &Attribute<'_>, diagnostics: &mut Diagnostics) -> Option<Value> {
    // In JSON a string is taken as it stands here, not as a template.
    if let Some(value) = a.value.json_value() {
        return Some(value);
    }
    let expression = a.value.expression(&[], diagnostics);
    match crate::lang::eval::evaluate(&expression, &crate::config::Nothing) {
        Ok(value) => Some(value),
        Err(d) => {
            diagnostics.push(*d);
            None
        }
    }
}
