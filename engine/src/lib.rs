//! Floor 2 of topo: language, configuration, graph, plan and apply.
//!
//! The engine returns data and a stream of typed events. It cannot see a cloud (providers are
//! behind [`topo_sdk::Provider`]), a disk format (the state is behind [`store::StateStore`]) or a
//! terminal (the command line makes text of what is returned here).

pub mod address;
pub mod apply;
pub mod changes;
mod checks;
pub mod config;
pub mod console;
mod ephemeral;
pub mod events;
mod generate;
pub mod graph;
pub mod lang;
pub mod plan;
pub mod providers;
pub mod relocate;
pub mod store;
mod suggest;
pub mod variables;
pub mod world;
