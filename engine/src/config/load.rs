//! Finds and reads the files of the root module and of every module that it calls.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use hcl_edit::structure::{Block as HclBlock, Structure};
use sha2::{Digest, Sha256};
use topo_sdk::{Diagnostic, Diagnostics, SourceRange};

use super::body::Reader;
use super::calls::{Place, place};
use super::decode::{RawCall, RawResource};
use super::manifest::Manifest;
use super::{
    Call, Config, Loaded, Module, ModuleId, ProviderBlock, ProviderKey, Resource, ResourceKey,
    Sources,
};
use crate::address::{ProviderAddress, ResourceMode};
use crate::lang::source::SourceFile;
use crate::lang::syntax::{parse_body, span_of};
use crate::providers::Providers;
use crate::suggest::did_you_mean;

/// Modules may call modules this deep.
const MAX_MODULE_DEPTH: usize = 32;

/// The blocks of a file.
const KINDS: [&str; 14] = [
    "check",
    "data",
    "ephemeral",
    "import",
    "language",
    "locals",
    "module",
    "moved",
    "output",
    "provider",
    "removed",
    "resource",
    "terraform",
    "variable",
];

/// Reads the configuration whose root module is in `root`, and checks it against the schemas of
/// `providers`. Modules that are not local are found by the manifest in `root`.
pub fn load(root: &Path, providers: &Providers) -> Loaded {
    match Manifest::read(root) {
        Ok(manifest) => load_with(root, &manifest, providers),
        Err(detail) => Loaded {
            config: None,
            sources: Sources::default(),
            diagnostics: Diagnostics::error("Unreadable manifest of modules", detail),
        },
    }
}

/// As [`load`], with a manifest that was read already.
pub fn load_with(root: &Path, manifest: &Manifest, providers: &Providers) -> Loaded {
    let mut loader = Loader {
        root,
        manifest,
        providers,
        sources: Sources::default(),
        diagnostics: Diagnostics::new(),
        modules: Vec::new(),
        digest: Sha256::new(),
    };
    loader.module(root, ".", &[], None, None);
    let digest = hex::encode(loader.digest.finalize());
    let config = Arc::new(Config {
        modules: loader.modules,
        digest,
        root_dir: root.to_path_buf(),
        graph: OnceLock::new(),
    });
    let mut diagnostics = loader.diagnostics;
    if !diagnostics.has_errors() {
        diagnostics.extend(super::validate::validate(&config, providers));
    }
    let config = (!diagnostics.has_errors()).then_some(config);
    Loaded {
        config,
        sources: loader.sources,
        diagnostics,
    }
}

struct Loader<'a> {
    root: &'a Path,
    manifest: &'a Manifest,
    providers: &'a Providers,
    sources: Sources,
    diagnostics: Diagnostics,
    modules: Vec<Module>,
    digest: Sha256,
}

struct RawModule {
    calls: BTreeMap<Arc<str>, RawCall>,
    resources: BTreeMap<ResourceKey, RawResource>,
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
        });
        let mut raw = RawModule {
            calls: BTreeMap::new(),
            resources: BTreeMap::new(),
        };
        let files = match self.files(dir) {
            Ok(files) => files,
            Err(detail) => {
                self.diagnostics.push(
                    Diagnostic::error("Unreadable module directory", detail).with_range(called_at),
                );
                return id;
            }
        };
        if files.is_empty() {
            let detail = format!("The directory {} has no .tf files.", dir.display());
            self.diagnostics
                .push(Diagnostic::error("No configuration files", detail).with_range(called_at));
            return id;
        }
        let mut bodies = Vec::new();
        for name in files {
            let shown_name = if shown == "." {
                name.clone()
            } else {
                format!("{shown}/{name}")
            };
            match std::fs::read_to_string(dir.join(&name)) {
                Ok(text) => {
                    self.digest.update(shown_name.as_bytes());
                    self.digest.update((text.len() as u64).to_be_bytes());
                    self.digest.update(text.as_bytes());
                    let file = SourceFile::new(shown_name, text);
                    self.sources.0.insert(file.name.clone(), file.clone());
                    match parse_body(&file) {
                        Ok(body) => bodies.push((file, body)),
                        Err(d) => self.diagnostics.push(*d),
                    }
                }
                Err(e) => self.diagnostics.push(Diagnostic::error(
                    "Unreadable file",
                    format!("{shown_name}: {e}."),
                )),
            }
        }
        for (file, body) in &bodies {
            for structure in body.iter() {
                match structure {
                    Structure::Attribute(a) => {
                        let range = file.range(span_of(&a.key));
                        self.diagnostics.push(
                            Diagnostic::error("Unsupported argument", format!("An argument named {:?} is not expected here: a file holds blocks.", a.key.as_str()))
                                .with_range(Some(range)),
                        );
                    }
                    Structure::Block(b) => self.block(id, &mut raw, file, b),
                }
            }
        }
        drop(bodies);
        self.finish(id, dir, shown, path, raw);
        id
    }

    fn files(&mut self, dir: &Path) -> Result<Vec<String>, String> {
        let entries = std::fs::read_dir(dir).map_err(|e| format!("{}: {e}.", dir.display()))?;
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|e| format!("{}: {e}.", dir.display()))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') || name.ends_with('~') || entry.path().is_dir() {
                continue;
            }
            if name.ends_with(".tf.json") {
                self.diagnostics.push(Diagnostic::error(
                    "JSON syntax is not supported yet",
                    format!(
                        "{} cannot be read: write it in the native syntax.",
                        dir.join(&name).display()
                    ),
                ));
            } else if name.ends_with(".tf") || name.ends_with(".tofu") {
                names.push(name);
            }
        }
        names.sort();
        let tofu: Vec<String> = names
            .iter()
            .filter_map(|n| n.strip_suffix(".tofu").map(|stem| format!("{stem}.tf")))
            .collect();
        names.retain(|n| !tofu.contains(n));
        Ok(names)
    }

    fn block(&mut self, id: ModuleId, raw: &mut RawModule, file: &Arc<SourceFile>, b: &HclBlock) {
        let kind = b.ident.as_str();
        let labels: Vec<Arc<str>> = b.labels.iter().map(|l| l.as_str().into()).collect();
        let mut header = span_of(&b.ident);
        if let Some(last) = b.labels.last() {
            header.end = span_of(last).end;
        }
        let range = file.range(header);
        let wanted = match kind {
            "resource" | "data" | "ephemeral" => 2,
            "variable" | "output" | "module" | "provider" | "check" => 1,
            _ => 0,
        };
        let mut reader = Reader {
            file,
            diagnostics: &mut self.diagnostics,
        };
        if labels.len() != wanted && KINDS.contains(&kind) {
            reader.error(
                range,
                "Wrong number of labels",
                format!(
                    "A {kind} block has {wanted} label(s), but this one has {}.",
                    labels.len()
                ),
            );
            return;
        }
        let duplicate = |what: &str, name: &str, first: &SourceRange| {
            Diagnostic::error(
                format!("Duplicate {what}"),
                format!(
                    "{name} was already declared at {first}. Names must be unique within a module."
                ),
            )
            .with_range(Some(range.clone()))
        };
        let module = &mut self.modules[id];
        match (kind, labels.as_slice()) {
            ("variable", [name]) => {
                if let Some(first) = module.variables.get(name) {
                    let d = duplicate("variable declaration", name, &first.range);
                    reader.diagnostics.push(d);
                    return;
                }
                let v = reader.variable(b, range.clone());
                module.variables.insert(name.clone(), v);
            }
            ("locals", []) => {
                for a in b.body.attributes() {
                    let name: Arc<str> = a.key.as_str().into();
                    if let Some(first) = module.locals.get(&name) {
                        let at = file.range(span_of(&a.key));
                        let d = duplicate("local value definition", &name, &first.range())
                            .with_range(Some(at));
                        reader.diagnostics.push(d);
                        continue;
                    }
                    let e = crate::lang::syntax::translate(file, &a.value, &[], reader.diagnostics);
                    module.locals.insert(name, e);
                }
            }
            ("output", [name]) => {
                if let Some(first) = module.outputs.get(name) {
                    let d = duplicate("output declaration", name, &first.range);
                    reader.diagnostics.push(d);
                    return;
                }
                if let Some(o) = reader.output(b, range.clone()) {
                    module.outputs.insert(name.clone(), o);
                }
            }
            ("module", [name]) => {
                if let Some(first) = raw.calls.get(name) {
                    let d = duplicate("module call", name, &first.range);
                    reader.diagnostics.push(d);
                    return;
                }
                let call = reader.call(b, range.clone());
                raw.calls.insert(name.clone(), call);
            }
            ("resource" | "data", [type_name, name]) => {
                let is_data = kind == "data";
                let mode = if is_data {
                    ResourceMode::Data
                } else {
                    ResourceMode::Managed
                };
                let key = (mode, type_name.clone(), name.clone());
                if let Some(first) = raw.resources.get(&key) {
                    let d = duplicate(kind, &format!("{type_name}.{name}"), &first.range);
                    reader.diagnostics.push(d);
                    return;
                }
                let r = reader.resource(b, range.clone(), is_data);
                raw.resources.insert(key, r);
            }
            ("provider", [name]) => {
                let (alias, body) = reader.provider(b, range.clone());
                let key = (name.clone(), alias);
                if let Some(first) = module.providers.get(&key) {
                    let d = duplicate("provider configuration", name, &first.range);
                    reader.diagnostics.push(d);
                    return;
                }
                module.providers.insert(
                    key,
                    ProviderBlock {
                        provider: name.clone(),
                        body,
                        range: range.clone(),
                    },
                );
            }
            ("terraform", []) => reader.terraform(b, &mut module.required_providers),
            ("moved" | "removed" | "import" | "check" | "ephemeral", _) => {
                reader.error(
                    range,
                    "Not supported yet",
                    format!("{kind} blocks are not supported yet."),
                );
            }
            (other, _) => {
                let known = [
                    "terraform",
                    "provider",
                    "variable",
                    "locals",
                    "output",
                    "module",
                    "resource",
                    "data",
                ];
                let hint = did_you_mean(other, known);
                reader.error(
                    range,
                    "Unsupported block type",
                    format!("Blocks of type {other:?} are not expected here.{hint}"),
                );
            }
        }
    }

    fn finish(&mut self, id: ModuleId, dir: &Path, shown: &str, path: &[Arc<str>], raw: RawModule) {
        // A provider block's local name may stand for a provider of another name.
        let required = self.modules[id].required_providers.clone();
        let stands_for = |local: &Arc<str>| required.get(local).unwrap_or(local).clone();
        for ((local, _), block) in &mut self.modules[id].providers {
            block.provider = stands_for(local);
            if self.providers.get(&block.provider).is_none() {
                self.diagnostics.push(
                    self.providers
                        .unknown(&block.provider)
                        .with_range(Some(block.range.clone())),
                );
            }
        }
        for (key, r) in raw.resources {
            let (mode, type_name, _) = &key;
            let local: ProviderKey = r.provider.unwrap_or_else(|| {
                let prefix = type_name.split('_').next().unwrap_or(type_name);
                (prefix.into(), None)
            });
            let mut name = stands_for(&local.0);
            if &**type_name == "terraform_data" {
                name = "terraform".into();
            }
            let Some(provider) = self.providers.get(&name) else {
                self.diagnostics
                    .push(self.providers.unknown(&name).with_range(Some(r.type_range)));
                continue;
            };
            let found = match mode {
                ResourceMode::Managed => provider.resource_schema(type_name),
                ResourceMode::Data => provider.data_schema(type_name),
            };
            let Some(schema) = found else {
                let (what, known) = match mode {
                    ResourceMode::Managed => ("resource type", provider.resource_types()),
                    ResourceMode::Data => ("data source", provider.data_types()),
                };
                let hint = did_you_mean(type_name, known);
                self.diagnostics.push(
                    Diagnostic::error(
                        format!("Invalid {what}"),
                        format!("The provider {name} does not support {what} {type_name:?}.{hint}"),
                    )
                    .with_range(Some(r.type_range)),
                );
                continue;
            };
            let address = ProviderAddress {
                module: path.into(),
                name,
                alias: local.1.clone(),
            };
            let resource = Resource {
                body: r.body,
                repetition: r.repetition,
                depends_on: r.depends_on,
                provider: local,
                provider_address: address,
                lifecycle: r.lifecycle,
                schema,
                range: r.range,
            };
            self.modules[id].resources.insert(key, resource);
        }
        for (name, call) in raw.calls {
            let Some(source) = &call.source else {
                self.diagnostics.push(
                    Diagnostic::error(
                        "Missing required argument",
                        "A module call needs the argument \"source\".",
                    )
                    .with_range(Some(call.range)),
                );
                continue;
            };
            let place = match place(self.manifest, path, &name, source, call.version.as_deref()) {
                Ok(place) => place,
                Err(d) => {
                    self.diagnostics
                        .push((*d).with_range(Some(call.source_range)));
                    continue;
                }
            };
            if path.len() >= MAX_MODULE_DEPTH {
                self.diagnostics.push(
                    Diagnostic::error("Module calls too deep", format!("Modules call each other more than {MAX_MODULE_DEPTH} levels deep; does one call itself?")).with_range(Some(call.range)),
                );
                continue;
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
                    arguments: call.arguments,
                    repetition: call.repetition,
                    depends_on: call.depends_on,
                    providers: call.providers,
                    range: call.range,
                },
            );
        }
        if path.is_empty() {
            self.resolve_providers();
        }
    }

    /// Finds for every resource the module whose provider block it uses: its own, or the one
    /// that the calls hand down.
    fn resolve_providers(&mut self) {
        for id in 0..self.modules.len() {
            let resolved: Vec<(ResourceKey, ProviderAddress)> = self.modules[id]
                .resources
                .iter()
                .map(|(key, r)| {
                    let name = r.provider_address.name.clone();
                    (key.clone(), self.provider_of(id, r.provider.clone(), name))
                })
                .collect();
            for (key, address) in resolved {
                let missing = address.alias.is_some()
                    && !self.modules[0]
                        .providers
                        .iter()
                        .any(|((_, a), b)| *a == address.alias && b.provider == address.name)
                    && address.module.is_empty();
                if let Some(r) = self.modules[id].resources.get_mut(&key) {
                    if missing {
                        self.diagnostics.push(
                            Diagnostic::error(
                                "Provider configuration not present",
                                format!(
                                    "There is no provider block {:?} with alias {:?}.",
                                    address.name,
                                    address.alias.as_deref().unwrap_or("")
                                ),
                            )
                            .with_range(Some(r.range.clone())),
                        );
                    }
                    r.provider_address = address;
                }
            }
        }
    }

    fn provider_of(
        &self,
        mut id: ModuleId,
        mut key: ProviderKey,
        name: Arc<str>,
    ) -> ProviderAddress {
        loop {
            let module = &self.modules[id];
            let declared = module.providers.contains_key(&key);
            match (&module.parent, declared) {
                (_, true) | (None, false) => {
                    return ProviderAddress {
                        module: module.path.clone(),
                        name,
                        alias: key.1,
                    };
                }
                (Some((parent, call)), false) => {
                    let handed = self.modules[*parent]
                        .calls
                        .get(call)
                        .and_then(|c| c.providers.get(&key));
                    if let Some(above) = handed {
                        key = above.clone();
                    } else {
                        // Without a mapping the parent's configuration of the same name is
                        // inherited; a local name of its own is given up for the provider's.
                        key = (name.clone(), key.1);
                    }
                    id = *parent;
                }
            }
        }
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
