//! What a test changes of a configuration before it is checked: other provider configurations,
//! and modules whose outputs are given.
//!
//! A provider block of a test refers to what only the test knows, so its expressions are evaluated
//! right here and lie in the configuration as constants. A module that is overridden keeps its
//! variables, for the arguments of its calls to fit, and its outputs; everything else in it goes.
//! Where only some of its instances are overridden it stays as it is, and the world leaves those
//! instances empty.

use std::sync::Arc;

use topo_sdk::{Diagnostic, Diagnostics, Provider, SourceRange, Value};

use super::body::{Body, Reader};
use super::{GivenOutputs, Module, ProviderBlock, ProviderKey, Sources};
use crate::address::ProviderAddress;
use crate::lang::ast::{Expr, ExprKind, Expression};
use crate::lang::eval::{Scope, evaluate};
use crate::lang::structure::Block;
use crate::providers::Providers;

/// What to change of a configuration.
#[derive(Default)]
pub struct Overlay<'a> {
    /// The directory of the module to load, relative to the root, where it is not the root itself.
    pub dir: Option<&'a str>,
    /// Where that module is asked for.
    pub called_at: Option<SourceRange>,
    /// Provider configurations of the root module, each in place of its own of the same name.
    pub providers: Vec<OverlaidProvider<'a>>,
    /// Modules of which only the outputs count, and are given.
    pub modules: Vec<OverlaidModule>,
}

/// A provider configuration.
pub struct OverlaidProvider<'a> {
    /// Which of the module's configurations it is.
    pub key: ProviderKey,
    /// Where it comes from.
    pub range: SourceRange,
    /// What it is.
    pub content: ProviderContent<'a>,
}

/// What a provider configuration is.
pub enum ProviderContent<'a> {
    /// A block, and what its expressions see.
    Block(Block<'a>, &'a dyn Scope),
    /// Another provider in place of the built-in one, without arguments.
    Instead(Wrap),
}

/// Makes the provider that takes the place of another.
pub type Wrap = Arc<dyn Fn(&Arc<dyn Provider>) -> Arc<dyn Provider> + Send + Sync>;

/// Instances of a module whose outputs are given.
pub struct OverlaidModule {
    /// Which instances, and the outputs.
    pub given: GivenOutputs,
    /// Whether there must be such a module; a warning where not.
    pub required: bool,
    /// Where this is written.
    pub range: SourceRange,
}

impl Overlay<'_> {
    /// Changes modules that have been read. Returns the providers that answer for them.
    pub(super) fn lay(
        self,
        modules: &mut [Module],
        providers: &Providers,
        sources: &mut Sources,
        diagnostics: &mut Diagnostics,
    ) -> Providers {
        for module in &self.modules {
            module.lay(modules, diagnostics);
        }
        let mut providers = providers.clone();
        let Some(root) = modules.first_mut() else {
            return providers;
        };
        for configuration in self.providers {
            providers = configuration.lay(root, providers, sources, diagnostics);
        }
        providers
    }
}

impl OverlaidProvider<'_> {
    fn lay(
        self,
        root: &mut Module,
        mut providers: Providers,
        sources: &mut Sources,
        diagnostics: &mut Diagnostics,
    ) -> Providers {
        let local = &self.key.0;
        let name = root.required_providers.get(local).unwrap_or(local).clone();
        let Some(provider) = providers.get(&name).cloned() else {
            diagnostics.push(providers.unknown(&name).with_range(Some(self.range)));
            return providers;
        };
        let mut made = ProviderBlock {
            provider: name.clone(),
            for_each: None,
            body: Body::empty(self.range.clone()),
            range: self.range,
        };
        match self.content {
            ProviderContent::Block(block, scope) => {
                sources.add(block.file.clone());
                let mut reader = Reader { diagnostics };
                let (_, for_each) = reader.provider_head(&block);
                made.body = reader.provider_body(&block, &provider.provider_schema().block);
                settle(&mut made.body, scope, diagnostics);
                made.for_each = for_each;
                if let Some(e) = &mut made.for_each {
                    constant(e, scope, diagnostics);
                }
            }
            ProviderContent::Instead(wrap) => {
                let address = ProviderAddress {
                    module: Arc::new([]),
                    name,
                    alias: self.key.1.clone(),
                };
                providers = providers.with_configuration(address, wrap(&provider));
            }
        }
        root.providers.insert(self.key, made);
        providers
    }
}

impl OverlaidModule {
    fn lay(&self, modules: &mut [Module], diagnostics: &mut Diagnostics) {
        let steps = self.given.address.steps();
        let path: Vec<Arc<str>> = steps.iter().map(|(name, _)| name.clone()).collect();
        let Some(module) = modules.iter_mut().find(|m| *m.path == *path) else {
            if self.required {
                let detail = format!("There is no {} to override.", self.given.address);
                diagnostics.push(
                    Diagnostic::warning("Override without effect", detail)
                        .with_range(Some(self.range.clone())),
                );
            }
            return;
        };
        let outputs = &module.outputs;
        let unknown = self.given.outputs.keys();
        if let Some(name) = unknown.into_iter().find(|n| !outputs.contains_key(*n)) {
            let hint = crate::suggest::did_you_mean(name, outputs.keys());
            diagnostics.push(
                Diagnostic::error(
                    "Unknown output in override",
                    format!("The module that is overridden has no output {name:?}.{hint}"),
                )
                .with_range(Some(self.range.clone())),
            );
        }
        module.given.push(self.given.clone());
        if self.given.is_whole() {
            empty(modules, &path);
        }
    }
}

/// Takes everything out of a module, and out of those in it, but what its callers see.
fn empty(modules: &mut [Module], path: &[Arc<str>]) {
    for module in modules.iter_mut().filter(|m| m.path.starts_with(path)) {
        module.locals.clear();
        module.calls.clear();
        module.resources.clear();
        module.providers.clear();
        module.checks.clear();
        module.moved.clear();
        module.removed.clear();
        module.imports.clear();
        if module.path.len() > path.len() {
            module.variables.clear();
            module.outputs.clear();
            continue;
        }
        for output in module.outputs.values_mut() {
            literal(&mut output.value, Value::NULL);
            output.depends_on.clear();
            output.preconditions.clear();
        }
    }
}

/// Evaluates every expression of a body.
fn settle(body: &mut Body, scope: &dyn Scope, diagnostics: &mut Diagnostics) {
    for argument in &mut body.attributes {
        constant(&mut argument.value, scope, diagnostics);
    }
    for block in &mut body.blocks {
        if let Some(dynamic) = &mut block.dynamic {
            constant(&mut dynamic.for_each, scope, diagnostics);
            // What is inside sees the element, too, and is evaluated for each.
            let mut inside = Vec::new();
            block.body.expressions(&mut inside);
            for e in inside.into_iter().filter(|e| !e.references.is_empty()) {
                diagnostics.push(
                    Diagnostic::error(
                        "Reference not supported here",
                        "The content of a dynamic block in a provider block of a test can only refer to its iterator. Put what it needs into the for_each of the dynamic block.",
                    )
                    .with_range(Some(e.range())),
                );
            }
            continue;
        }
        settle(&mut block.body, scope, diagnostics);
    }
}

fn constant(e: &mut Expression, scope: &dyn Scope, diagnostics: &mut Diagnostics) {
    match evaluate(e, scope) {
        Ok(value) => literal(e, value),
        Err(d) => {
            diagnostics.push(*d);
            literal(e, Value::unknown(topo_sdk::Type::Dynamic));
        }
    }
}

fn literal(e: &mut Expression, value: Value) {
    e.expr = Expr {
        kind: ExprKind::Literal(value),
        span: e.expr.span,
    };
    e.references.clear();
}
