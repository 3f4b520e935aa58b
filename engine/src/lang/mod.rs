//! The language: from text to expressions ([`syntax`]), from expressions to values ([`eval`]),
//! and the built-in functions. Knows nothing of blocks, resources or modules beyond how a
//! reference to them is written.

pub mod ast;
pub mod escape;
pub mod eval;
pub mod fmt;
pub mod functions;
pub mod json;
mod mistakes;
pub mod operators;
pub mod provider_functions;
pub mod source;
pub mod structure;
pub mod syntax;
pub mod tokens;
mod whitespace;
