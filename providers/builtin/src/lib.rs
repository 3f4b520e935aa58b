//! The providers that need no account and no network: `terraform` (`terraform_data`), `random`,
//! `tls`, `null`, `time` and `local`.
//!
//! Each provider is a table of resource types and data sources, one type per file; `table` makes
//! a [`Provider`] of it. Type and attribute names, defaults and replacement rules are those of
//! the hashicorp providers' documentation. Nothing here talks to anything but this machine's
//! random source, clock and (for `local`) files.

mod null;
mod random;
mod table;
mod terraform;
mod tls;

use std::sync::Arc;

use topo_sdk::Provider;

/// Every builtin provider. None of them uses the network, so the sandbox leaves them as they are.
pub fn providers() -> Vec<Arc<dyn Provider>> {
    vec![terraform::provider(), random::provider(), null::provider()]
}

#[cfg(test)]
mod testing;
