//! What a plan was made from and what was found on the way, for whoever shows it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use topo_sdk::Value;
use topo_sdk::convert::convert;

use super::Plan;
use crate::address::InstanceAddress;
use crate::config::Config;
use crate::store::State;

impl Plan {
    /// The configuration that it is of.
    pub fn config(&self) -> &Arc<Config> {
        &self.inner.world.config
    }

    /// When it was made.
    pub fn time(&self) -> Timestamp {
        self.inner.saved.plan_time
    }

    /// The state that it was made from, as it was found to be.
    pub fn prior_state(&self) -> &State {
        &self.inner.state
    }

    /// The data sources that were read for it.
    pub fn data(&self) -> &BTreeMap<InstanceAddress, Value> {
        &self.inner.data
    }

    /// The values of the root module's variables, without those that are ephemeral.
    pub fn variables(&self) -> BTreeMap<Arc<str>, Value> {
        let declared = self.config().root().variables.iter();
        let value = |name: &Arc<str>, variable: &crate::config::Variable| {
            let Some(given) = self.inner.world.given.get(name) else {
                return variable.default.clone();
            };
            // One that does not fit is an error, without which there would be no plan.
            Some(convert(&given.value, &variable.constraint.ty).unwrap_or(given.value.clone()))
        };
        let kept = declared.filter(|(_, v)| !v.ephemeral);
        kept.filter_map(|(name, v)| Some((name.clone(), value(name, v)?)))
            .collect()
    }
}
