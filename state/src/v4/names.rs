//! Names as the format writes them: provider configurations with the provider's source address,
//! and dependencies, which name resources of the configuration without keys of instances.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use topo_engine::address::{
    InstanceAddress, ModuleInstance, ModuleStep, ProviderAddress, ResourceAddress, ResourceMode,
};
use topo_engine::store::Dependency;

/// The source of the one provider that belongs to the language.
const BUILT_IN: &str = "terraform.io/builtin/terraform";
/// Where the providers that topo has built in are published, and their namespaces.
const HOSTS: [&str; 2] = ["registry.terraform.io", "registry.opentofu.org"];
const NAMESPACES: [&str; 3] = ["hashicorp", "opentofu", "-"];

/// `module.m.provider["registry.terraform.io/hashicorp/aws"].west`
pub(super) fn provider_text(address: &ProviderAddress) -> String {
    let mut out = String::new();
    for step in address.module.iter() {
        let _ = write!(out, "module.{step}.");
    }
    match &*address.name {
        "terraform" => {
            let _ = write!(out, "provider[\"{BUILT_IN}\"]");
        }
        name => {
            let _ = write!(out, "provider[\"{}/{}/{name}\"]", HOSTS[0], NAMESPACES[0]);
        }
    }
    if let Some(alias) = &address.alias {
        let _ = write!(out, ".{alias}");
    }
    out
}

/// # Errors
/// What is wrong, as a sentence.
pub(super) fn provider(text: &str) -> Result<ProviderAddress, String> {
    let malformed = || {
        format!(
            "its provider {text:?} is not written like provider[\"registry.terraform.io/hashicorp/aws\"]"
        )
    };
    let mut rest = text;
    let mut module: Vec<Arc<str>> = Vec::new();
    while let Some(after) = rest.strip_prefix("module.") {
        let (name, after) = after.split_once('.').ok_or_else(malformed)?;
        module.push(name.into());
        rest = after;
    }
    let (name, after) = if let Some(quoted) = rest.strip_prefix("provider[\"") {
        let (source, after) = quoted.split_once("\"]").ok_or_else(malformed)?;
        (built_in_name(source)?, after)
    } else {
        // As it was before providers had source addresses.
        let bare = rest.strip_prefix("provider.").ok_or_else(malformed)?;
        bare.split_at(bare.find('.').unwrap_or(bare.len()))
    };
    let alias = match after.strip_prefix('.') {
        Some(alias) if alias.contains('[') => {
            return Err(format!(
                "its provider {text} is one of several that for_each makes, which topo does not support"
            ));
        }
        Some(alias) if !alias.is_empty() => Some(alias.into()),
        None if after.is_empty() => None,
        _ => return Err(malformed()),
    };
    Ok(ProviderAddress {
        module: module.into(),
        name: name.into(),
        alias,
    })
}

/// The name under which a provider of this source address may be built in.
fn built_in_name(source: &str) -> Result<&str, String> {
    if source == BUILT_IN {
        return Ok("terraform");
    }
    let parts: Vec<&str> = source.split('/').collect();
    match parts[..] {
        [host, namespace, name] if HOSTS.contains(&host) && NAMESPACES.contains(&namespace) => {
            Ok(name)
        }
        _ => Err(format!(
            "it belongs to the provider {source}, which topo does not have: built in are providers of hashicorp"
        )),
    }
}

/// The resource without the keys of module instances: `module.m.aws_vpc.main`.
pub(super) fn config_path(address: &ResourceAddress) -> String {
    let mut out = String::new();
    for (name, _) in address.module.steps() {
        let _ = write!(out, "module.{name}.");
    }
    let _ = write!(
        out,
        "{}{}.{}",
        address.mode.prefix(),
        address.type_name,
        address.name
    );
    out
}

/// What these are in the format: sorted, each once.
pub(super) fn dependency_texts(dependencies: &[Dependency]) -> BTreeSet<String> {
    let resource = |d: &Dependency| match d {
        Dependency::Instance(a) => config_path(&a.resource),
        Dependency::Resource(r) => config_path(r),
    };
    dependencies.iter().map(resource).collect()
}

/// Whether two lists of dependencies are the same in the format, which does not tell instances of
/// a resource apart.
pub fn same_dependencies(a: &[Dependency], b: &[Dependency]) -> bool {
    a == b || dependency_texts(a) == dependency_texts(b)
}

/// The resources of a file, to find what a dependency stands for.
#[derive(Default)]
pub(super) struct Resources(BTreeMap<String, BTreeSet<ModuleInstance>>);

impl Resources {
    pub(super) fn add(&mut self, address: &ResourceAddress) {
        let modules = self.0.entry(config_path(address)).or_default();
        modules.insert(address.module.clone());
    }

    /// Adds what a dependency of an object in `from` stands for. An object inside of a module call
    /// with several instances can only depend on what is in its own instance: the call's arguments
    /// cannot refer to the call.
    ///
    /// # Errors
    /// When it is no address.
    pub(super) fn resolve(
        &self,
        text: &str,
        from: &ModuleInstance,
        out: &mut Vec<Dependency>,
    ) -> Result<(), String> {
        let address: InstanceAddress = text
            .parse()
            .map_err(|e| format!("what it depends on: {e}"))?;
        let resource = address.resource;
        let shared: &[ModuleStep] = {
            let own = from.steps();
            let calls = own.iter().zip(resource.module.steps());
            let common = calls.take_while(|(a, b)| a.0 == b.0).count();
            &own[..common]
        };
        let first = shared
            .iter()
            .fold(ModuleInstance::root(), |module, (name, key)| {
                module.child(name.clone(), key.clone())
            });
        let before = out.len();
        if let Some(modules) = self.0.get(&config_path(&resource)) {
            let found = modules
                .range(first..)
                .take_while(|m| m.steps().starts_with(shared));
            out.extend(found.map(|module| {
                Dependency::Resource(ResourceAddress {
                    module: module.clone(),
                    ..resource.clone()
                })
            }));
        }
        if out.len() == before {
            out.push(Dependency::Resource(resource));
        }
        Ok(())
    }
}

/// The format's word.
pub(super) fn mode_text(mode: ResourceMode) -> &'static str {
    match mode {
        ResourceMode::Managed => "managed",
        ResourceMode::Data => "data",
        ResourceMode::Ephemeral => "ephemeral",
    }
}
