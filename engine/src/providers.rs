//! The providers and provisioners that are built in, by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use topo_sdk::{Connection, Diagnostic, Provider, Provisioner};

use crate::address::{InstanceAddress, ProviderAddress, Target};
use crate::suggest::did_you_mean;

/// The providers and provisioners that a run may use.
#[derive(Clone, Default)]
pub struct Providers {
    providers: BTreeMap<Arc<str>, Arc<dyn Provider>>,
    provisioners: BTreeMap<Arc<str>, Arc<dyn Provisioner>>,
    /// Provider configurations that another provider answers for.
    configurations: BTreeMap<ProviderAddress, Arc<dyn Provider>>,
    /// Objects that another provider answers for; the first that fits counts.
    stand_ins: Vec<(Target, StandIn)>,
}

/// Who answers for an object in place of its provider, connected. A test overrides objects so.
#[derive(Clone)]
pub struct StandIn {
    /// Plans it.
    pub provider: Arc<dyn Provider>,
    /// Reads and changes it.
    pub connection: Arc<dyn Connection>,
}

impl Providers {
    /// These providers, each under its own name.
    pub fn new(list: Vec<Arc<dyn Provider>>) -> Providers {
        Providers {
            providers: list.into_iter().map(|p| (p.name().into(), p)).collect(),
            ..Providers::default()
        }
    }

    /// With this provider in place of the built-in one wherever this configuration is used.
    #[must_use]
    pub fn with_configuration(
        mut self,
        address: ProviderAddress,
        provider: Arc<dyn Provider>,
    ) -> Providers {
        self.configurations.insert(address, provider);
        self
    }

    /// With these in place of the providers of some objects; the first that fits counts.
    #[must_use]
    pub fn with_stand_ins(mut self, list: Vec<(Target, StandIn)>) -> Providers {
        self.stand_ins = list;
        self
    }

    /// Who answers for a provider configuration.
    pub fn of(&self, address: &ProviderAddress) -> Option<&Arc<dyn Provider>> {
        let own = self.configurations.get(address);
        own.or_else(|| self.providers.get(&address.name))
    }

    /// Who answers for an object, where that is not its provider.
    pub fn stand_in(&self, address: &InstanceAddress) -> Option<&StandIn> {
        let found = self.stand_ins.iter().find(|(t, _)| t.contains(address));
        found.map(|(_, stand_in)| stand_in)
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
