//! The command line of topo: arguments, prompts, text, progress and exit codes.
//!
//! Nothing is decided here about infrastructure: commands load a configuration and a state, ask
//! the engine for a plan or an apply, and make text of the data and events that come back.

mod args;
mod commands;
mod context;
mod progress;
mod render;
mod ui;

fn main() {}
