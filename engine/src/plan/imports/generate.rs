//! Writing resource blocks for objects that are to be imported and have none.

use std::collections::BTreeSet;
use std::sync::Arc;

use petgraph::graph::NodeIndex;
use topo_sdk::plan::propose;
use topo_sdk::{Diagnostics, PlanRequest, ResourceState};

use super::{AllWanted, Wanted, look_up};
use crate::address::{InstanceAddress, ProviderAddress, ResourceMode};
use crate::changes::PlanMode;
use crate::config::{Config, Import, ImportIdentity};
use crate::events::Listener;
use crate::generate::{Judge, resource_block};
use crate::graph::Graph;
use crate::plan::interruption;
use crate::plan::marks::mark;
use crate::plan::providers::provider_node;
use crate::plan::{PlanOptions, Planner, begin, settled};
use crate::providers::Providers;
use crate::store::State;
use crate::variables::Inputs;

/// A block that was written for an object which is to be imported.
pub struct GeneratedBlock {
    /// The object.
    pub address: InstanceAddress,
    /// What its provider knows it by.
    pub id: String,
    /// A `resource` block, in the canonical layout.
    pub text: String,
}

/// Writes resource blocks for the `import` blocks of a configuration that have none yet, so that
/// with them nothing is to be changed.
///
/// # Errors
/// When an object cannot be looked up.
pub async fn generate(
    config: Arc<Config>,
    providers: &Providers,
    inputs: &Inputs,
    state: State,
    options: &PlanOptions,
    listener: Listener,
) -> Result<Vec<GeneratedBlock>, Diagnostics> {
    let options = PlanOptions {
        mode: PlanMode::Normal,
        refresh: false,
        store: None,
        ..options.clone()
    };
    let mut planner = begin(config, providers, inputs, state, &options, listener)?;
    let given_up = planner.given_up();
    let made = tokio::select! {
        biased;
        () = given_up => Err(interruption()),
        made = planner.generate() => Ok(made),
    };
    planner.close_ephemerals().await;
    let made = made?;
    if planner.diagnostics.has_errors() {
        return Err(planner.diagnostics);
    }
    Ok(made)
}

impl Planner<'_> {
    async fn generate(&mut self) -> Vec<GeneratedBlock> {
        let config = self.config.clone();
        let Some(graph) = config.graph() else {
            return Vec::new();
        };
        let undeclared: Vec<&Import> = config
            .root()
            .imports
            .iter()
            .filter(|i| {
                let key = (
                    ResourceMode::Managed,
                    i.to.type_name.clone(),
                    i.to.name.clone(),
                );
                i.to.modules.is_empty() && !config.root().resources.contains_key(&key)
            })
            .collect();
        self.evaluate_behind(graph, &undeclared).await;
        let mut made = Vec::new();
        for import in undeclared {
            if self.diagnostics.has_errors() {
                break;
            }
            let mut wanted = AllWanted::new();
            self.evaluate_import(import, &mut wanted);
            let provider = import_provider(&config, import);
            self.open_provider(&provider).await;
            for (address, w) in wanted {
                match self.generate_block(&provider, import, &address, &w).await {
                    Ok(text) => made.push(GeneratedBlock {
                        address,
                        id: w.id,
                        text,
                    }),
                    Err(ds) => self.diagnostics.extend(
                        ds.map(|d| d.with_range(Some(w.range.clone())).with_address(&address)),
                    ),
                }
            }
        }
        made
    }

    /// Evaluates what import blocks and their providers refer to.
    async fn evaluate_behind(&mut self, graph: &Graph, imports: &[&Import]) {
        let config = self.config.clone();
        let mut ends: BTreeSet<NodeIndex> = BTreeSet::new();
        for import in imports {
            ends.extend(provider_node(
                &config,
                graph,
                &import_provider(&config, import),
            ));
            let (ImportIdentity::Id(identity) | ImportIdentity::Object(identity)) =
                &import.identity;
            let all = [identity]
                .into_iter()
                .chain(&import.for_each)
                .chain(&import.to.key);
            let references = all.flat_map(|e| &e.references);
            ends.extend(references.filter_map(|r| graph.named(&config, 0, &r.target)));
        }
        let mut needed: BTreeSet<NodeIndex> = BTreeSet::new();
        for end in ends {
            if !needed.contains(&end) {
                needed.extend(graph.ancestors(end));
            }
        }
        for index in graph.order.iter().filter(|n| needed.contains(n)) {
            self.node(graph, *index).await;
        }
    }

    async fn generate_block(
        &mut self,
        provider: &ProviderAddress,
        import: &Import,
        address: &InstanceAddress,
        w: &Wanted,
    ) -> Result<String, Diagnostics> {
        let Some(built_in) = self.providers.get(&provider.name) else {
            return Err(self.providers.unknown(&provider.name).into());
        };
        let type_name = &address.resource.type_name;
        let Some(schema) = built_in.resource_schema(type_name) else {
            return Err(Diagnostics::error(
                "Invalid resource type",
                format!(
                    "The provider {} has no resource type {type_name:?}.",
                    provider.name
                ),
            ));
        };
        let slot = self.slots.get(provider).and_then(|s| s.current.as_ref());
        let Some(state) = slot else {
            return Err(Diagnostics::error(
                "Provider configuration not known",
                format!(
                    "The object can be looked up only when the configuration of {provider} is known, but that depends on values which are known only after apply."
                ),
            ));
        };
        let found = look_up(&*state.connection, &self.listener, address, &w.id).await?;
        let value = mark(&schema.block, settled(found.value), &[]);
        let named = import.provider.as_ref().map(|(name, alias)| match alias {
            Some(alias) => format!("{name}.{alias}"),
            None => name.to_string(),
        });
        let prior = ResourceState {
            value: value.clone().unmark_deep(),
            private: found.private,
        };
        let judge = Judge {
            validate: &|config| built_in.validate_resource(type_name, config),
            unchanged: &|config| {
                let request = PlanRequest {
                    type_name: type_name.clone(),
                    prior: Some(prior.clone()),
                    config: config.clone(),
                    proposed: propose(&schema.block, Some(&prior.value), config),
                };
                built_in
                    .plan(&request)
                    .is_ok_and(|p| p.value == prior.value)
            },
        };
        Ok(resource_block(
            &address.resource,
            &schema,
            &value,
            named.as_deref(),
            &judge,
        ))
    }
}

/// The provider configuration of a resource that has no block: the one that the import block
/// names, or the default one of its type.
fn import_provider(config: &Config, import: &Import) -> ProviderAddress {
    let implied = || {
        let prefix = import.to.type_name.split('_').next().unwrap_or_default();
        (Arc::from(prefix), None)
    };
    let (local, alias) = import.provider.clone().unwrap_or_else(implied);
    let required = &config.root().required_providers;
    ProviderAddress {
        module: config.root().path.clone(),
        name: required.get(&local).cloned().unwrap_or(local),
        alias,
    }
}
