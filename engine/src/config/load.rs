//! Finds and reads the files of the root module and of every module that it calls.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};
use topo_sdk::{Diagnostic, Diagnostics, Schema, SourceRange};

use super::body::{Reader, add_new};
use super::calls::{Place, place};
use super::decode::{Kind, RawCall, RawResource, shown};
use super::files::{self, Merged};
use super::manifest::Manifest;
use super::overlay::Overlay;
use super::settings::{Overriding, Settings};
use super::wiring::{Aliases, wire};
use super::{
    Call, Check, Config, Loaded, Module, ModuleId, ProviderBlock, ProviderKey, Resource,
    ResourceKey, Sources,
};
use crate::address::{ProviderAddress, ResourceMode};
use crate::lang::ast::Expression;
use crate::lang::provider_functions::ProviderFunctions;
use crate::lang::structure::{Attribute, Block, Parsed};
use crate::providers::Providers;
use crate::suggest::did_you_mean;

/// Modules may call modules this deep.
const MAX_MODULE_DEPTH: usize = 32;

/// Reads the configuration whose root module is in `root`, and checks it against the schemas of
/// `providers`. Modules that are not local are found by the manifest in `root`.
pub fn load(root: &Path, providers: &Providers) -> Loaded {
    load_with(root, providers, Reading::default())
}

/// Like [`load`], but a directory without any configuration is an empty one: for looking around.
pub fn load_any(root: &Path, providers: &Providers) -> Loaded {
    let reading = Reading {
        may_be_empty: true,
        ..Reading::default()
    };
    load_with(root, providers, reading)
}

/// What is let pass when a configuration is read.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// Whether a directory without any configuration is an empty one.
    pub may_be_empty: bool,
    /// Whether `import` blocks may name resources of the root module that have no block yet: to
    /// write the blocks.
    pub undeclared_imports: bool,
    /// The file that was written for such imports by the same run.
    pub generated: Option<String>,
}

/// Like [`load`], with some things let pass.
pub fn load_with(root: &Path, providers: &Providers, reading: Reading) -> Loaded {
    read(root, providers, reading, Overlay::default()).0
}

/// Like [`load`], with what a test changes; also the providers that answer for what is loaded.
pub fn load_overlaid(
    root: &Path,
    providers: &Providers,
    overlay: Overlay<'_>,
) -> (Loaded, Providers) {
    read(root, providers, Reading::default(), overlay)
}

fn read(
    root: &Path,
    providers: &Providers,
    reading: Reading,
    overlay: Overlay<'_>,
) -> (Loaded, Providers) {
    let manifest = match Manifest::read(root) {
        Ok(manifest) => manifest,
        Err(detail) => {
            let loaded = Loaded {
                config: None,
                sources: Sources::default(),
                diagnostics: Diagnostics::error("Unreadable manifest of modules", detail),
            };
            return (loaded, providers.clone());
        }
    };
    let mut loader = Loader {
        root,
        manifest: &manifest,
        providers,
        may_be_empty: reading.may_be_empty,
        sources: Sources::default(),
        diagnostics: Diagnostics::new(),
        modules: Vec::new(),
        aliases: Aliases::new(),
        digests: BTreeMap::new(),
    };
    match overlay.dir {
        None => loader.module(root, ".", &[], None, None),
        Some(dir) => {
            let shown = join_shown(".", dir);
            loader.module(
                &root.join(dir),
                &shown,
                &[],
                None,
                overlay.called_at.clone(),
            )
        }
    };
    let providers = &overlay.lay(
        &mut loader.modules,
        providers,
        &mut loader.sources,
        &mut loader.diagnostics,
    );
    wire(
        &mut loader.modules,
        &loader.aliases,
        &mut loader.diagnostics,
    );
    let named = loader.modules.iter().enumerate();
    let config = Arc::new(Config {
        paths: named.map(|(id, m)| (m.path.clone(), id)).collect(),
        generated: reading.generated,
        modules: loader.modules,
        digests: loader.digests,
        root_dir: root.to_path_buf(),
        functions: ProviderFunctions::new(providers),
        graph: OnceLock::new(),
    });
    let mut diagnostics = loader.diagnostics;
    diagnostics.extend(super::validate::validate(
        &config,
        providers,
        diagnostics.has_errors(),
        reading.undeclared_imports,
    ));
    let config = (!diagnostics.has_errors()).then_some(config);
    let loaded = Loaded {
        config,
        sources: loader.sources,
        diagnostics: in_order(diagnostics),
    };
    (loaded, providers.clone())
}

/// Diagnostics in the order of the files, each once: a module that is called twice has its
/// mistakes once.
fn in_order(diagnostics: Diagnostics) -> Diagnostics {
    let mut sorted: Vec<Diagnostic> = diagnostics.into_iter().collect();
    sorted.sort_by(|a, b| {
        let place = |d: &Diagnostic| d.range.as_ref().map(|r| (r.file.clone(), r.start.byte));
        place(a).cmp(&place(b))
    });
    let mut made: Vec<Diagnostic> = Vec::with_capacity(sorted.len());
    for d in sorted {
        let same = |other: &&Diagnostic| {
            other.range == d.range && other.summary == d.summary && other.detail == d.detail
        };
        let before = made
            .iter()
            .rev()
            .take_while(|o| o.range == d.range)
            .find(same);
        if before.is_none() {
            made.push(d);
        }
    }
    made.into_iter().collect()
}

struct Loader<'a> {
    root: &'a Path,
    manifest: &'a Manifest,
    providers: &'a Providers,
    /// Whether the root module may have no files.
    may_be_empty: bool,
    sources: Sources,
    diagnostics: Diagnostics,
    modules: Vec<Module>,
    /// By module: the provider configurations that its caller hands down.
    aliases: Aliases,
    digests: BTreeMap<Arc<str>, String>,
}

/// What a module says, before the schemas of its resources and the modules that it calls are
/// looked up.
#[derive(Default)]
struct RawModule<'a> {
    settings: Settings,
    calls: BTreeMap<Arc<str>, RawCall>,
    resources: BTreeMap<ResourceKey, RawResource<'a>>,
    providers: BTreeMap<ProviderKey, RawProvider<'a>>,
}

struct RawProvider<'a> {
    block: Block<'a>,
    for_each: Option<Expression>,
}

impl Loader<'_> {
    /// Loads the module in `dir` and what it calls; returns its index.
    fn module(
        &mut self,
        dir: &Path,
        shown: &str,
        path: &[Arc<str>],
        parent: Option<(ModuleId, Arc<str>)>,
        called_at: Option<SourceRange>,
    ) -> ModuleId {
        let id = self.modules.len();
        self.modules.push(Module {
            path: path.into(),
            parent,
            dir: shown.to_string(),
            variables: BTreeMap::new(),
            locals: BTreeMap::new(),
            outputs: BTreeMap::new(),
            calls: BTreeMap::new(),
            resources: BTreeMap::new(),
            providers: BTreeMap::new(),
            required_providers: BTreeMap::new(),
            checks: BTreeMap::new(),
            moved: Vec::new(),
            removed: Vec::new(),
            imports: Vec::new(),
            given: Vec::new(),
        });
        let found = match files::find(dir) {
            Ok(found) => found,
            Err(detail) => {
                self.diagnostics.push(
                    Diagnostic::error("Unreadable module directory", detail).with_range(called_at),
                );
                return id;
            }
        };
        let nothing = found.primary.is_empty() && found.overrides.is_empty();
        if nothing && !(self.may_be_empty && path.is_empty()) {
            let detail = format!("The directory {} has no .tf files.", dir.display());
            self.diagnostics
                .push(Diagnostic::error("No configuration files", detail).with_range(called_at));
            return id;
        }
        let primary = self.parse(dir, shown, found.primary);
        let overrides = self.parse(dir, shown, found.overrides);
        let merged = files::merge(&primary, &overrides, &mut self.diagnostics);
        let mut raw = RawModule::default();
        self.blocks(id, &mut raw, merged);
        self.finish(id, dir, shown, path, raw);
        id
    }

    fn parse(&mut self, dir: &Path, shown: &str, names: Vec<String>) -> Vec<Parsed> {
        let Loader {
            diagnostics,
            digests,
            sources,
            ..
        } = self;
        files::parse(dir, shown, names, diagnostics, &mut |file| {
            let digest = hex::encode(Sha256::digest(file.text.as_bytes()));
            digests.insert(file.name.clone(), digest);
            sources.add(file.clone());
        })
    }

    fn blocks<'a>(&mut self, id: ModuleId, raw: &mut RawModule<'a>, merged: Merged<'a>) {
        for block in merged.blocks {
            self.block(id, raw, block);
        }
        let mut reader = Reader {
            diagnostics: &mut self.diagnostics,
        };
        let mut over = Overriding::default();
        for block in &merged.settings {
            reader.settings(block, Some(&mut over), &mut raw.settings);
        }
        reader.store(&raw.settings);
        let module = &mut self.modules[id];
        for a in merged.locals {
            let value = a.value.expression(&[], reader.diagnostics);
            if module.locals.insert(a.name.into(), value).is_none() {
                reader.error(
                    a.name_range(),
                    "Missing base local value definition to override",
                    format!("There is no local value named {:?} in the other files of the module. An override file can only change what is defined in them.", a.name),
                );
            }
        }
    }

    fn block<'a>(&mut self, id: ModuleId, raw: &mut RawModule<'a>, b: Block<'a>) {
        let range = b.header();
        let mut reader = Reader {
            diagnostics: &mut self.diagnostics,
        };
        let label = |i: usize| -> Arc<str> { b.labels.get(i).map_or("", |(l, _)| *l).into() };
        let module = &mut self.modules[id];
        match b.kind {
            "variable" => {
                let name = label(0);
                if let Some(first) = module.variables.get(&name) {
                    reader.duplicate("variable declaration", &name, &first.range, &range);
                    return;
                }
                let v = reader.variable(&b);
                module.variables.insert(name, v);
            }
            "locals" => {
                let content = b.body.content(&[], reader.diagnostics);
                reader.only(&content, &local_names(&content.attributes), &[]);
                for a in &content.attributes {
                    let name: Arc<str> = a.name.into();
                    if !crate::lang::syntax::is_identifier(a.name) {
                        reader.error(a.name_range(), "Invalid local value name", format!("{:?} is not a name: a name starts with a letter or underscore and may contain only letters, digits, underscores, and dashes.", a.name));
                        continue;
                    }
                    if let Some(first) = module.locals.get(&name) {
                        let first = first.range();
                        reader.duplicate("local value definition", &name, &first, &a.name_range());
                        continue;
                    }
                    let e = a.value.expression(&[], reader.diagnostics);
                    module.locals.insert(name, e);
                }
            }
            "output" => {
                let name = label(0);
                if let Some(first) = module.outputs.get(&name) {
                    reader.duplicate("output declaration", &name, &first.range, &range);
                    return;
                }
                if let Some(o) = reader.output(&b) {
                    module.outputs.insert(name, o);
                }
            }
            "module" => {
                let name = label(0);
                if let Some(first) = raw.calls.get(&name) {
                    reader.duplicate("module call", &name, &first.range, &range);
                    return;
                }
                let call = reader.call(&b);
                raw.calls.insert(name, call);
            }
            "resource" | "data" | "ephemeral" => {
                let kind = match b.kind {
                    "resource" => Kind::Resource,
                    "data" => Kind::Data,
                    _ => Kind::Ephemeral,
                };
                let r = reader.resource(b, kind);
                insert(&mut raw.resources, r, &mut reader);
            }
            "provider" => {
                let (alias, for_each) = reader.provider_head(&b);
                let key = (label(0), alias);
                if let Some(first) = raw.providers.get(&key) {
                    let first = first.block.header();
                    reader.duplicate("provider configuration", &shown(&key), &first, &range);
                    return;
                }
                raw.providers
                    .insert(key, RawProvider { block: b, for_each });
            }
            "terraform" => reader.settings(&b, None, &mut raw.settings),
            "moved" => module.moved.extend(reader.moved(&b)),
            "removed" => module.removed.extend(reader.removed(&b)),
            "import" => module.imports.extend(reader.import(&b)),
            "check" => {
                let name = label(0);
                if let Some(first) = module.checks.get(&name) {
                    reader.duplicate("check block", &name, &first.range, &range);
                    return;
                }
                let (assertions, data) = reader.check(&b);
                let data = data.and_then(|r| insert(&mut raw.resources, r, &mut reader));
                module.checks.insert(
                    name,
                    Check {
                        data,
                        assertions,
                        range,
                    },
                );
            }
            other => {
                let hint = did_you_mean(other, files::kinds());
                reader.error(
                    b.kind_range(),
                    "Unsupported block type",
                    format!("Blocks of type {other:?} are not expected here.{hint}"),
                );
            }
        }
    }

    fn finish(
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
        let mut found = Diagnostics::new();
        let mut reader = Reader {
            diagnostics: &mut found,
        };
        let body = reader.body(
            &r.block.body,
            &schema.block,
            range.clone(),
            r.kind.meta(),
            &[],
        );
        let (provisioners, connection) = reader.provisioners(&r.block, r.kind, self.providers);
        add_new(found, &mut self.diagnostics);
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
fn join_shown(base: &str, source: &str) -> String {
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

/// Local values may have any name: the names are all expected.
fn local_names<'a>(attributes: &[Attribute<'a>]) -> Vec<&'a str> {
    attributes.iter().map(|a| a.name).collect()
}

/// Adds a resource, unless there is one of its name; returns its key.
fn insert<'a>(
    resources: &mut BTreeMap<ResourceKey, RawResource<'a>>,
    r: RawResource<'a>,
    reader: &mut Reader<'_>,
) -> Option<ResourceKey> {
    let mode = r.kind.mode();
    let label = |i: usize| -> Arc<str> { r.block.labels.get(i).map_or("", |(l, _)| *l).into() };
    let key = (mode, label(0), label(1));
    if let Some(first) = resources.get(&key) {
        let first = first.block.header();
        reader.duplicate(
            r.block.kind,
            &format!("{}{}.{}", mode.prefix(), key.1, key.2),
            &first,
            &r.block.header(),
        );
        return None;
    }
    resources.insert(key.clone(), r);
    Some(key)
}

impl Reader<'_> {
    fn duplicate(&mut self, what: &str, name: &str, first: &SourceRange, range: &SourceRange) {
        self.error(
            range.clone(),
            &format!("Duplicate {what}"),
            format!(
                "{name} was already declared at {first}. Names must be unique within a module."
            ),
        );
    }
}
