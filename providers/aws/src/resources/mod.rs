//! One file per resource type; `crate::table` lists them.

pub(crate) mod subnet;
pub(crate) mod vpc;
