//! End-to-end tests of topo and the real servers that they start
