//! What a function takes and returns, as data for tools: of the functions in the families'
//! tables, and of those that the evaluator calls itself because they need expressions.

use topo_sdk::Type;

use super::{Function, Param, all};

/// A function's signature.
#[derive(Debug, Clone)]
pub struct Signature {
    /// The name.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub description: &'static str,
    /// The type of the result for arguments of which only the parameters' types are known.
    pub returns: Type,
    /// The fixed parameters.
    pub parameters: Vec<Parameter>,
    /// The parameter that takes any number of further arguments.
    pub variadic: Option<Parameter>,
}

/// A parameter of a signature.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// The type that arguments are converted to; dynamic takes any.
    pub ty: Type,
    /// Whether it takes null.
    pub nullable: bool,
}

/// The signatures of all functions, sorted by name.
pub fn signatures() -> Vec<Signature> {
    let mut found: Vec<Signature> = all().map(Signature::of).chain(of_the_evaluator()).collect();
    found.sort_by_key(|s| s.name);
    found.dedup_by_key(|s| s.name);
    found
}

impl Signature {
    pub(in crate::lang) fn of(f: &Function) -> Signature {
        let parameters: Vec<Parameter> = f.params.iter().map(parameter).collect();
        let types: Vec<Type> = parameters.iter().map(|p| p.ty.clone()).collect();
        Signature {
            name: f.name,
            description: f.description,
            returns: (f.returns)(&types),
            parameters,
            variadic: f.variadic.as_ref().map(parameter),
        }
    }
}

fn parameter(p: &Param) -> Parameter {
    Parameter {
        name: p.name,
        description: p.description,
        ty: p.ty.to_type(),
        nullable: p.allow_null,
    }
}

/// The functions that take expressions or templates and are no entries of a table.
fn of_the_evaluator() -> Vec<Signature> {
    let parameter = |name, ty, description| Parameter {
        name,
        description,
        ty,
        nullable: false,
    };
    vec![
        Signature {
            name: "can",
            description: "Whether the expression has a value and no error.",
            returns: Type::Bool,
            parameters: vec![parameter("expression", Type::Dynamic, "The expression.")],
            variadic: None,
        },
        Signature {
            name: "templatefile",
            description: "The text of a template in a file.",
            returns: Type::Dynamic,
            parameters: vec![
                parameter("path", Type::String, "The file."),
                parameter(
                    "vars",
                    Type::Dynamic,
                    "An object of what the template may use.",
                ),
            ],
            variadic: None,
        },
        Signature {
            name: "templatestring",
            description: "The text of a template that something refers to holds.",
            returns: Type::String,
            parameters: vec![
                parameter(
                    "template",
                    Type::String,
                    "A direct reference to the template.",
                ),
                parameter(
                    "vars",
                    Type::Dynamic,
                    "An object of what the template may use.",
                ),
            ],
            variadic: None,
        },
        Signature {
            name: "convert",
            description: "The value converted to a type.",
            returns: Type::Dynamic,
            parameters: vec![
                parameter("value", Type::Dynamic, "The value."),
                parameter("type", Type::Dynamic, "A type constraint."),
            ],
            variadic: None,
        },
        Signature {
            name: "try",
            description: "The value of the first expression that has one.",
            returns: Type::Dynamic,
            parameters: Vec::new(),
            variadic: Some(parameter(
                "expressions",
                Type::Dynamic,
                "The expressions, in order.",
            )),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::source::SourceFile;
    use crate::lang::syntax::parse_expression;

    #[test]
    fn every_function_that_can_be_called_is_listed_once() {
        let listed = signatures();
        let mut names: Vec<&str> = listed.iter().map(|s| s.name).collect();
        for f in all() {
            assert!(names.contains(&f.name), "{}", f.name);
        }
        for s in &listed {
            assert!(!s.description.is_empty(), "{}", s.name);
            // That the second argument of this one is a type is seen where it is read.
            let arguments = if s.name == "convert" { "1, string" } else { "" };
            let file = SourceFile::new("test", format!("{}({arguments})", s.name));
            assert!(parse_expression(&file).is_ok(), "{}", s.name);
        }
        names.dedup();
        assert_eq!(names.len(), listed.len());
    }
}
