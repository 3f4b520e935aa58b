//! Which provider configuration each resource uses: its module's own, or one that the calls hand
//! down. And what is wrong with how they are handed down.

use std::collections::BTreeMap;
use std::sync::Arc;

use topo_sdk::{Diagnostic, Diagnostics, SourceRange};

use super::decode::shown;
use super::{Call, Module, ModuleId, ProviderBlock, ProviderKey, Repetition, ResourceKey};
use crate::address::ProviderAddress;

/// By module: the provider configurations that its caller hands down (`configuration_aliases`).
pub(super) type Aliases = BTreeMap<ModuleId, Vec<(ProviderKey, SourceRange)>>;

/// Finds the provider configuration of every resource.
pub(super) fn wire(modules: &mut [Module], aliases: &Aliases, diagnostics: &mut Diagnostics) {
    for id in 0..modules.len() {
        for (name, call) in &modules[id].calls {
            check_call(modules, aliases, id, name, call, diagnostics);
        }
        let resolved: Vec<(ResourceKey, ProviderAddress, bool)> = modules[id]
            .resources
            .iter()
            .map(|(key, r)| {
                let name = r.provider_address.name.clone();
                let (address, found) = provider_of(modules, id, r.provider.clone(), name);
                // A module's alias that the caller should have handed down has its error there.
                let promised = aliases
                    .get(&id)
                    .is_some_and(|a| a.iter().any(|(key, _)| *key == r.provider));
                (key.clone(), address, found || promised)
            })
            .collect();
        for (key, address, found) in resolved {
            let Some(r) = modules[id].resources.get_mut(&key) else {
                continue;
            };
            if !found && r.provider.1.is_some() {
                diagnostics.push(
                    Diagnostic::error(
                        "Provider configuration not present",
                        format!(
                            "There is no provider configuration {} here. Write a provider {:?} block with alias = {:?}, or have the calling module hand one down.",
                            shown(&r.provider),
                            r.provider.0,
                            r.provider.1.as_deref().unwrap_or("")
                        ),
                    )
                    .with_range(Some(r.range.clone())),
                );
            }
            r.provider_address = address;
        }
    }
}

/// The configuration that a local name comes to, and whether there is a block of it where it
/// should be.
fn provider_of(
    modules: &[Module],
    mut id: ModuleId,
    mut key: ProviderKey,
    name: Arc<str>,
) -> (ProviderAddress, bool) {
    loop {
        let module = &modules[id];
        let block = module.providers.get(&key);
        let handed = module.parent.as_ref().and_then(|(parent, call)| {
            let call = modules[*parent].calls.get(call)?;
            Some((*parent, call.providers.get(&key)?))
        });
        if let Some((parent, above)) = handed
            && block.is_none_or(is_proxy)
        {
            key = above.key.clone();
            id = parent;
            continue;
        }
        match (&module.parent, block) {
            (Some((parent, _)), None) if key.1.is_none() => {
                // Without a mapping the parent's configuration of the same provider is inherited;
                // a local name of its own is given up for the provider's.
                key = (name.clone(), None);
                id = *parent;
            }
            (_, block) => {
                let address = ProviderAddress {
                    module: module.path.clone(),
                    name,
                    alias: key.1,
                };
                return (address, block.is_some());
            }
        }
    }
}

/// A block that only announces a configuration which the caller hands down, as modules of the
/// language's early versions have it.
fn is_proxy(block: &ProviderBlock) -> bool {
    block.body.attributes.is_empty() && block.body.blocks.is_empty()
}

fn check_call(
    modules: &[Module],
    aliases: &Aliases,
    id: ModuleId,
    name: &str,
    call: &Call,
    diagnostics: &mut Diagnostics,
) {
    let child = &modules[call.module];
    let none = Vec::new();
    let wanted = aliases.get(&call.module).unwrap_or(&none);
    for (key, reference) in &call.providers {
        let declared = child.providers.contains_key(key) || wanted.iter().any(|(k, _)| k == key);
        if !declared && key.1.is_some() {
            diagnostics.push(
                Diagnostic::error("Reference to undefined provider", format!("The module {name:?} does not declare a provider configuration {}: it would have to list it in configuration_aliases of its required_providers.", shown(key)))
                    .with_range(Some(reference.range.clone())),
            );
        }
        if child.providers.get(key).is_some_and(|b| !is_proxy(b)) {
            diagnostics.push(
                Diagnostic::error("Cannot override provider configuration", format!("The module {name:?} configures {} itself, so no other configuration can be handed down for it.", shown(key)))
                    .with_range(Some(reference.range.clone())),
            );
        }
        let own = &modules[id];
        let present = own.providers.contains_key(&reference.key)
            || reference.key.1.is_none()
            || aliases
                .get(&id)
                .is_some_and(|a| a.iter().any(|(k, _)| *k == reference.key));
        if !present {
            diagnostics.push(
                Diagnostic::error(
                    "Provider configuration not present",
                    format!(
                        "There is no provider configuration {} here to hand down.",
                        shown(&reference.key)
                    ),
                )
                .with_range(Some(reference.range.clone())),
            );
        }
    }
    for (key, declared_at) in wanted {
        if !call.providers.contains_key(key) {
            diagnostics.push(
                Diagnostic::error("Missing required provider configuration", format!("The module {name:?} needs the provider configuration {} (declared at {declared_at}): add it to the argument \"providers\".", shown(key)))
                    .with_range(Some(call.range.clone())),
            );
        }
    }
    let repeated = match &call.repetition {
        Repetition::Single if call.depends_on.is_empty() => None,
        Repetition::Single => Some("depends_on"),
        Repetition::Count(_) => Some("count"),
        Repetition::ForEach(_) => Some("for_each"),
        Repetition::Enabled(_) => Some("enabled"),
    };
    if let Some(argument) = repeated
        && let Some(block) = own_configuration(modules, call.module)
    {
        diagnostics.push(
            Diagnostic::error(
                format!("Module is incompatible with {argument}"),
                format!("The module {name:?} has a provider configuration of its own at {}, so it cannot be used with {argument}. Hand the configuration down in the argument \"providers\" instead.", block.range),
            )
            .with_range(Some(call.range.clone())),
        );
    }
}

/// A provider block with arguments in a module or in one that it calls.
fn own_configuration(modules: &[Module], id: ModuleId) -> Option<&ProviderBlock> {
    let module = &modules[id];
    module
        .providers
        .values()
        .find(|b| !is_proxy(b))
        .or_else(|| {
            module
                .calls
                .values()
                .find_map(|call| own_configuration(modules, call.module))
        })
}
