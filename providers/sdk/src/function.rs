//! Functions that a provider offers to expressions: `provider::aws::arn_parse(...)`.
//!
//! The engine converts the arguments, refuses nulls, answers for unknowns and carries marks as the
//! parameters say, so that the code sees known values of the declared types.

use crate::types::Type;
use crate::value::Value;

/// A function of a provider.
#[derive(Debug, Clone)]
pub struct Function {
    /// The name after `provider::NAME::`.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub description: &'static str,
    /// The fixed parameters.
    pub parameters: Vec<Parameter>,
    /// The parameter that takes any number of further arguments.
    pub variadic: Option<Parameter>,
    /// The type of the result.
    pub returns: Type,
    /// The code.
    pub call: fn(&[Value]) -> Result<Value, FunctionError>,
}

/// A parameter of a provider's function.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its name in documentation and errors.
    pub name: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// The type that arguments are converted to; dynamic takes any.
    pub ty: Type,
    /// Whether the function takes null.
    pub allow_null: bool,
    /// Whether the function takes a value that is not known, or has unknown parts; otherwise the
    /// result is unknown without the code being asked.
    pub allow_unknown: bool,
}

/// Why a function has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FunctionError {
    /// The argument that is at fault, counted from zero.
    pub argument: Option<usize>,
    /// What is wrong, as a clause without a full stop.
    pub message: String,
}

impl FunctionError {
    /// An error of the call as a whole.
    pub fn new(message: impl Into<String>) -> FunctionError {
        FunctionError {
            argument: None,
            message: message.into(),
        }
    }

    /// An error of one argument, counted from zero.
    pub fn at(argument: usize, message: impl Into<String>) -> FunctionError {
        FunctionError {
            argument: Some(argument),
            message: message.into(),
        }
    }
}

impl Parameter {
    /// A parameter that takes neither null nor unknown values.
    pub fn new(name: &'static str, ty: Type, description: &'static str) -> Parameter {
        Parameter {
            name,
            description,
            ty,
            allow_null: false,
            allow_unknown: false,
        }
    }
}
