//! The AWS provider of topo, on the AWS SDK for Rust.
//!
//! Resource types and data sources carry the names, arguments and attributes of the hashicorp/aws
//! provider's documentation. One type is one file under `resources/` or `data/` and one line in
//! `table`. What the types share (clients, errors, waiting, tags, building values) is under
//! `core/`; `provider` and `connection` drive the types for the contract of `topo-sdk`.
//!
//! This crate knows nothing of graphs, state stores or terminals, and never reads the
//! environment itself: the SDK's own chains do.

mod connection;
mod core;
mod data;
mod functions;
mod provider;
mod resources;
mod table;

pub use provider::provider;
