//! What topo's end-to-end tests share: the real servers that they start.
//!
//! Nothing here is part of topo. The tests that use it are in `tests/`; those of the engine alone,
//! with a scripted provider, are in `engine/`, a crate of its own that needs no cloud's SDK.

pub mod servers;
