//! The command line of topo.
fn main() {}
