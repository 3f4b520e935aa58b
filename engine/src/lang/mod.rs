//! The language: from text to expressions ([`syntax`]), from expressions to values ([`eval`]),
//! and the built-in functions. Knows nothing of blocks, resources or modules beyond how a
//! reference to them is written.

pub mod ast;
pub mod eval;
pub mod functions;
mod mistakes;
pub mod operators;
pub mod source;
pub mod syntax;
mod whitespace;
