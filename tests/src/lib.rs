//! What topo's end-to-end tests share: the real servers that they start.
//!
//! Nothing here is part of topo. The tests that use it are in `tests/`.

pub mod servers;
