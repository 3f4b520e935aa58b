//! Text for people: plans, objects, outputs, diagnostics. Nothing here reads or prints; text is
//! returned with colours, and whoever prints it may take them out.

pub mod block;
pub mod change;
pub mod console;
pub mod diagnostics;
pub mod plan;
pub mod style;
pub mod test;
pub mod text;
pub mod value;

#[cfg(test)]
mod tests;
