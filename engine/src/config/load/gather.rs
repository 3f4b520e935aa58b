//! One module's files and the blocks in them, with what override files say laid over: before the
//! schemas of its resources and the modules that it calls are looked up.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use topo_sdk::{Diagnostic, SourceRange};

use super::Loader;
use crate::config::body::Reader;
use crate::config::decode::{Kind, Overriding, RawCall, RawResource, Settings, shown};
use crate::config::files::{self, Merged};
use crate::config::{Check, Module, ModuleId, ProviderKey, ResourceKey};
use crate::lang::ast::Expression;
use crate::lang::structure::{Block, Parsed};
use crate::suggest::did_you_mean;

/// What a module says, before the schemas of its resources and the modules that it calls are
/// looked up.
#[derive(Default)]
pub(super) struct RawModule<'a> {
    pub(super) settings: Settings,
    pub(super) calls: BTreeMap<Arc<str>, RawCall>,
    pub(super) resources: BTreeMap<ResourceKey, RawResource<'a>>,
    pub(super) providers: BTreeMap<ProviderKey, RawProvider<'a>>,
}

pub(super) struct RawProvider<'a> {
    pub(super) block: Block<'a>,
    pub(super) for_each: Option<Expression>,
}

impl Loader<'_> {
    /// Loads the module in `dir` and what it calls; returns its index.
    pub(super) fn module(
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
            "locals" => reader.local_values(&b, &mut module.locals),
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
            "removed" => module.removed.extend(reader.removed(&b, self.providers)),
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
