//! The sled state store of topo and its journal
