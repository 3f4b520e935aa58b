//! One file per data source; `crate::table` lists them.

pub(crate) mod caller_identity;
