//! The AWS provider of topo
