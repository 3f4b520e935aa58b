//! What topo's end-to-end tests share: scenarios for the engine with a scripted provider, and the
//! real servers that they start.
//!
//! Nothing here is part of topo. The tests that use it are in `tests/`.

pub mod scenario;
pub mod servers;
