//! State files of version 4: what Terraform and OpenTofu keep their state in, what `state pull`
//! writes and `state push` reads.
//!
//! A text becomes the format's own structures (`file`), addresses and values are understood with
//! the help of the providers' schemas (`names`, `values`), and records come out (`read`); `write`
//! goes the other way. Nothing here touches a disk or a store.
//!
//! What the format has no place for is not in a file that is written: the times of records,
//! typical durations, mutations under way, runs. Dependencies are those of whole resources there.
//! What the format has and topo has no use for is dropped when a file is read:
//! `create_before_destroy`, which the configuration says.

mod checks;
mod file;
mod names;
mod read;
mod values;
mod write;

#[cfg(test)]
mod tests;

pub use names::same_dependencies;
pub use read::{StateFile, read};
pub use write::write;
