//! The providers and provisioners that are built in, by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use topo_sdk::{Diagnostic, Provider, Provisioner};

use crate::suggest::did_you_mean;

/// The providers and provisioners that a run may use.
#[derive(Clone, Default)]
pub struct Providers {
    providers: BTreeMap<Arc<str>, Arc<dyn Provider>>,
    provisioners: BTreeMap<Arc<str>, Arc<dyn Provisioner>>,
}

impl Providers {
    /// These providers, each under its own name.
    pub fn new(list: Vec<Arc<dyn Provider>>) -> Providers {
        Providers {
            providers: list.into_iter().map(|p| (p.name().into(), p)).collect(),
            provisioners: BTreeMap::new(),
        }
    }

    /// With these provisioners, each under its own name.
    #[must_use]
    pub fn with_provisioners(mut self, list: Vec<Arc<dyn Provisioner>>) -> Providers {
        self.provisioners = list.into_iter().map(|p| (p.name().into(), p)).collect();
        self
    }

    /// A provisioner by name: `local-exec`.
    pub fn provisioner(&self, name: &str) -> Option<&Arc<dyn Provisioner>> {
        self.provisioners.get(name)
    }

    /// A provider by name: `aws`.
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Provider>> {
        self.providers.get(name)
    }

    /// Every provider with its name, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<dyn Provider>)> {
        self.providers.iter()
    }

    /// The error for a provider that is not built in.
    pub fn unknown(&self, name: &str) -> Diagnostic {
        let known: Vec<&str> = self.providers.keys().map(|k| &**k).collect();
        let hint = did_you_mean(name, &known);
        Diagnostic::error(
            "Unknown provider",
            format!(
                "topo has no provider {name:?}.{hint} Built in are: {}. External providers are not supported yet.",
                known.join(", ")
            ),
        )
    }
}
