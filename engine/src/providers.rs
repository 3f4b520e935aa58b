//! The providers that are built in, by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use topo_sdk::{Diagnostic, Provider};

use crate::suggest::did_you_mean;

/// The providers that a run may use.
#[derive(Clone, Default)]
pub struct Providers(BTreeMap<Arc<str>, Arc<dyn Provider>>);

impl Providers {
    /// These providers, each under its own name.
    pub fn new(list: Vec<Arc<dyn Provider>>) -> Providers {
        Providers(list.into_iter().map(|p| (p.name().into(), p)).collect())
    }

    /// A provider by name: `aws`.
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Provider>> {
        self.0.get(name)
    }

    /// Every provider with its name, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<dyn Provider>)> {
        self.0.iter()
    }

    /// The error for a provider that is not built in.
    pub fn unknown(&self, name: &str) -> Diagnostic {
        let known: Vec<&str> = self.0.keys().map(|k| &**k).collect();
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
