//! The providers that need no account and no network: `terraform` (`terraform_data`), `random`,
//! `tls`, `null`, `time` and `local`; and the provisioner `local-exec`.
//!
//! Each provider is a table of resource types and data sources, one type per file; `table` makes
//! a [`Provider`] of it. Type and attribute names, defaults and replacement rules are those of
//! the hashicorp providers' documentation. Nothing here talks to anything but this machine's
//! random source, clock, (for `local`) files and (for `local-exec`) the commands that it is given.

mod local;
mod local_exec;
mod null;
mod random;
mod table;
mod terraform;
mod time;
mod tls;

use std::sync::Arc;

use topo_sdk::{Provider, Provisioner};

/// Every builtin provider. None of them uses the network, so the sandbox leaves them as they are.
pub fn providers() -> Vec<Arc<dyn Provider>> {
    vec![
        terraform::provider(),
        random::provider(),
        tls::provider(),
        null::provider(),
        time::provider(),
        local::provider(),
    ]
}

/// Every builtin provisioner. They act on this machine: the sandbox replaces them.
pub fn provisioners() -> Vec<Arc<dyn Provisioner>> {
    vec![Arc::new(local_exec::LocalExec)]
}

#[cfg(test)]
mod testing;

#[cfg(test)]
mod tests {
    #[test]
    fn every_type_starts_with_its_provider() {
        let providers = super::providers();
        let names: Vec<&str> = providers.iter().map(|p| p.name()).collect();
        assert_eq!(
            names,
            ["terraform", "random", "tls", "null", "time", "local"]
        );
        for provider in providers {
            let prefix = format!("{}_", provider.name());
            assert!(!provider.uses_network());
            for name in provider
                .resource_types()
                .iter()
                .chain(&provider.data_types())
            {
                assert!(name.starts_with(&prefix), "{name}");
            }
        }
    }
}
