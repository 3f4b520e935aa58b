//! The language, configuration, graph, plan and apply of topo

pub mod lang;
