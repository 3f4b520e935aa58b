//! What a module's blocks need from outside of its files: the providers and schemas of its
//! resources, and the modules that it calls.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use topo_sdk::{Diagnostic, Schema};

use super::Loader;
use super::gather::{RawModule, RawProvider};
use crate::address::{ProviderAddress, ResourceMode};
use crate::config::body::Reader;
use crate::config::calls::{Place, place};
use crate::config::decode::{RawCall, RawResource};
use crate::config::provisioner::Of;
use crate::config::{Call, ModuleId, ProviderBlock, ProviderKey, Resource, ResourceKey};
use crate::suggest::did_you_mean;

/// Modules may call modules this deep.
const MAX_MODULE_DEPTH: usize = 32;

impl Loader<'_> {
    pub(super) fn finish(
        &mut self,
        id: ModuleId,
        dir: &Path,
        shown: &str,
        path: &[Arc<str>],
        raw: RawModule<'_>,
    ) {
        self.modules[id].required_providers = raw.settings.required.clone();
        raw.settings.check_versions(&mut self.diagnostics);
        if !path.is_empty() {
            self.aliases.insert(id, raw.settings.aliases);
        }
        self.provider_blocks(id, raw.providers);
        for (key, r) in raw.resources {
            self.resource(id, path, key, r);
        }
        // A map that grew in the order of its keys has its nodes half empty.
        let resources = std::mem::take(&mut self.modules[id].resources);
        self.modules[id].resources = resources.into_iter().collect();
        for (name, call) in raw.calls {
            self.call(id, dir, shown, path, name, call);
        }
    }

    /// A local provider name may stand for a provider of another name.
    fn stands_for(&self, id: ModuleId, local: &Arc<str>) -> Arc<str> {
        self.modules[id]
            .required_providers
            .get(local)
            .unwrap_or(local)
            .clone()
    }

    fn provider_blocks(&mut self, id: ModuleId, raw: BTreeMap<ProviderKey, RawProvider<'_>>) {
        for (key, p) in raw {
            let name = self.stands_for(id, &key.0);
            let range = p.block.header();
            let Some(provider) = self.providers.get(&name) else {
                self.diagnostics
                    .push(self.providers.unknown(&name).with_range(Some(range)));
                continue;
            };
            let mut reader = Reader {
                diagnostics: &mut self.diagnostics,
            };
            let body = reader.provider_body(&p.block, &provider.provider_schema().block);
            self.modules[id].providers.insert(
                key,
                ProviderBlock {
                    provider: name,
                    for_each: p.for_each,
                    body,
                    range,
                },
            );
        }
    }

    fn resource(&mut self, id: ModuleId, path: &[Arc<str>], key: ResourceKey, r: RawResource<'_>) {
        let (mode, type_name, _) = &key;
        let type_range = r.block.label_range(0);
        let range = r.block.header();
        let (local, instance): (ProviderKey, _) = match r.provider {
            Some(reference) => (reference.key, reference.instance),
            None => {
                let prefix = type_name.split('_').next().unwrap_or(type_name);
                ((prefix.into(), None), None)
            }
        };
        let mut name = self.stands_for(id, &local.0);
        if &**type_name == "terraform_data" {
            name = "terraform".into();
        }
        let Some(provider) = self.providers.get(&name) else {
            self.diagnostics
                .push(self.providers.unknown(&name).with_range(Some(type_range)));
            return;
        };
        let (what, found): (&str, Option<Arc<Schema>>) = match mode {
            ResourceMode::Managed => ("resource type", provider.resource_schema(type_name)),
            ResourceMode::Data => ("data source", provider.data_schema(type_name)),
            ResourceMode::Ephemeral => (
                "ephemeral resource type",
                provider.ephemeral_schema(type_name),
            ),
        };
        let Some(schema) = found else {
            let known = match mode {
                ResourceMode::Managed => provider.resource_types(),
                ResourceMode::Data => provider.data_types(),
                ResourceMode::Ephemeral => provider.ephemeral_types(),
            };
            let hint = did_you_mean(type_name, known);
            let elsewhere = match mode {
                ResourceMode::Managed if provider.data_schema(type_name).is_some() => {
                    " There is a data source of this name: write data instead of resource."
                }
                ResourceMode::Data if provider.resource_schema(type_name).is_some() => {
                    " There is a resource type of this name: write resource instead of data."
                }
                _ => "",
            };
            self.diagnostics.push(
                Diagnostic::error(
                    format!("Invalid {what}"),
                    format!("The provider {name} does not support {what} {type_name:?}.{hint}{elsewhere}"),
                )
                .with_range(Some(type_range)),
            );
            return;
        };
        let mut reader = Reader {
            diagnostics: &mut self.diagnostics,
        };
        let body = reader.body(
            &r.block.body,
            &schema.block,
            range.clone(),
            r.kind.meta(),
            &[],
        );
        let (provisioners, connection) = reader.provisioners(
            &r.provisioners,
            r.connection.as_ref(),
            Of::Resource,
            self.providers,
        );
        let resource = Resource {
            body,
            repetition: r.repetition,
            depends_on: r.depends_on,
            provider_address: ProviderAddress {
                module: path.into(),
                name,
                alias: local.1.clone(),
            },
            provider: local,
            provider_instance: instance,
            check: r.check,
            lifecycle: r.lifecycle,
            provisioners,
            connection,
            schema,
            range,
        };
        self.modules[id].resources.insert(key, resource);
    }

    fn call(
        &mut self,
        id: ModuleId,
        dir: &Path,
        shown: &str,
        path: &[Arc<str>],
        name: Arc<str>,
        call: RawCall,
    ) {
        let Some(source) = &call.source else {
            // One that is not a constant has its error already.
            if call.source_range == call.range {
                self.diagnostics.push(
                    Diagnostic::error(
                        "Missing required argument",
                        "A module call needs the argument \"source\".",
                    )
                    .with_range(Some(call.range)),
                );
            }
            return;
        };
        let place = match place(self.manifest, path, &name, source, call.version.as_deref()) {
            Ok(place) => place,
            Err(d) => {
                self.diagnostics
                    .push((*d).with_range(Some(call.source_range)));
                return;
            }
        };
        if path.len() >= MAX_MODULE_DEPTH {
            self.diagnostics.push(
                Diagnostic::error("Module calls too deep", format!("Modules call each other more than {MAX_MODULE_DEPTH} levels deep; does one call itself?")).with_range(Some(call.range)),
            );
            return;
        }
        let (child_dir, child_shown): (PathBuf, String) = match place {
            Place::Local(source) => (dir.join(&source), join_shown(shown, &source)),
            Place::Installed(installed) => (self.root.join(&installed), installed),
        };
        let mut child_path = path.to_vec();
        child_path.push(name.clone());
        let child = self.module(
            &child_dir,
            &child_shown,
            &child_path,
            Some((id, name.clone())),
            Some(call.source_range),
        );
        self.modules[id].calls.insert(
            name,
            Call {
                module: child,
                source: source.clone(),
                version: call.version.clone(),
                arguments: call.arguments,
                repetition: call.repetition,
                depends_on: call.depends_on,
                providers: call.providers,
                range: call.range,
            },
        );
    }
}

/// The directory as `path.module` shows it: joined and with `..` taken together.
pub(super) fn join_shown(base: &str, source: &str) -> String {
    let mut parts: Vec<&str> = if base == "." {
        Vec::new()
    } else {
        base.split('/').collect()
    };
    for part in source.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                None | Some(&"..") => parts.push(".."),
                Some(_) => {
                    parts.pop();
                }
            },
            part => parts.push(part),
        }
    }
    if parts.is_empty() {
        ".".into()
    } else {
        parts.join("/")
    }
}
