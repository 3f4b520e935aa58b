//! The language.

pub mod functions;
