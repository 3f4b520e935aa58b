//! Values, types, schemas, diagnostics and the provider contract of topo
