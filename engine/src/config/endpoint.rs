//! Addresses as configuration writes them: in `moved`, `removed` and `import` blocks.

use std::fmt;
use std::sync::Arc;

use hcl_edit::expr::{Expression as Hcl, TraversalOperator};
use topo_sdk::{Diagnostic, Diagnostics, SourceRange};

use super::{ImportTarget, ResourceKey};
use crate::address::{InstanceKey, ModuleStep, ResourceMode};
use crate::lang::source::SourceFile;
use crate::lang::structure::Source;
use crate::lang::syntax::translate;

/// One end of a `moved` or `removed` block: a module, a module instance, a resource or a resource
/// instance, relative to the module that the block is in. Without a key it means all instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The calls on the way, each with its key where one is given.
    pub modules: Vec<ModuleStep>,
    /// The resource; `None` where a module is meant.
    pub resource: Option<EndpointStep>,
    /// Where it is written.
    pub range: SourceRange,
}

/// The resource of an [`Endpoint`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointStep {
    /// Which resource of its module.
    pub key: ResourceKey,
    /// Which of its instances.
    pub instance: Option<InstanceKey>,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut dot = "";
        for (name, key) in &self.modules {
            write!(f, "{dot}module.{name}")?;
            if let Some(key) = key {
                key.fmt(f)?;
            }
            dot = ".";
        }
        if let Some(EndpointStep { key, instance }) = &self.resource {
            let prefix = key.0.prefix();
            write!(f, "{dot}{prefix}{}.{}", key.1, key.2)?;
            if let Some(instance) = instance {
                instance.fmt(f)?;
            }
        }
        Ok(())
    }
}

/// A name or an index of a traversal.
enum Step<'a> {
    Name(&'a str),
    Index(&'a Hcl),
}

fn steps(hcl: &Hcl) -> Option<Vec<Step<'_>>> {
    match hcl {
        Hcl::Variable(v) => Some(vec![Step::Name(v.as_str())]),
        // A provider may have this name.
        Hcl::Null(_) => Some(vec![Step::Name("null")]),
        Hcl::Traversal(t) => {
            let mut found = steps(&t.expr)?;
            for op in &t.operators {
                found.push(match op.value() {
                    TraversalOperator::GetAttr(n) => Step::Name(n.as_str()),
                    TraversalOperator::Index(key) => Step::Index(key),
                    _ => return None,
                });
            }
            Some(found)
        }
        _ => None,
    }
}

fn constant_key(hcl: &Hcl) -> Option<InstanceKey> {
    match hcl {
        Hcl::String(s) => Some(InstanceKey::Key(s.value().as_str().into())),
        Hcl::Number(n) => Some(InstanceKey::Index(n.value().as_u64()?)),
        _ => None,
    }
}

/// A parsed address: calls with keys, and the resource with its key.
type Parts<'a> = (
    Vec<(&'a str, Option<&'a Hcl>)>,
    Option<(ResourceMode, &'a str, &'a str, Option<&'a Hcl>)>,
);

/// Words at the start of a reference that are not types of resources.
const RESERVED: [&str; 10] = [
    "var",
    "local",
    "module",
    "data",
    "each",
    "count",
    "self",
    "path",
    "terraform",
    "tofu",
];

fn parts(hcl: &Hcl) -> Option<Parts<'_>> {
    let steps = steps(hcl)?;
    let mut rest = steps.as_slice();
    let mut modules = Vec::new();
    while let [Step::Name("module"), Step::Name(name), after @ ..] = rest {
        rest = after;
        let mut index = None;
        if let [Step::Index(key), after @ ..] = rest {
            index = Some(*key);
            rest = after;
        }
        modules.push((*name, index));
    }
    if rest.is_empty() {
        return (!modules.is_empty()).then_some((modules, None));
    }
    let mode = match rest {
        [Step::Name("data"), after @ ..] => {
            rest = after;
            ResourceMode::Data
        }
        [Step::Name("ephemeral"), after @ ..] => {
            rest = after;
            ResourceMode::Ephemeral
        }
        [Step::Name("resource"), after @ ..] => {
            rest = after;
            ResourceMode::Managed
        }
        _ => ResourceMode::Managed,
    };
    if let [Step::Name(first), ..] = rest
        && RESERVED.contains(first)
    {
        return None;
    }
    match rest {
        [Step::Name(t), Step::Name(n)] => Some((modules, Some((mode, t, n, None)))),
        [Step::Name(t), Step::Name(n), Step::Index(key)] => {
            Some((modules, Some((mode, t, n, Some(key)))))
        }
        _ => None,
    }
}

/// Reads an end of a `moved` or `removed` block.
pub(super) fn endpoint(source: &Source<'_>, diagnostics: &mut Diagnostics) -> Option<Endpoint> {
    let range = source.range();
    source
        .read(diagnostics, |_, hcl, diagnostics| {
            let made = parts(hcl).and_then(|(modules, resource)| {
                let key = |hcl: Option<&Hcl>| match hcl {
                    None => Some(None),
                    Some(hcl) => constant_key(hcl).map(Some),
                };
                let modules = modules
                    .into_iter()
                    .map(|(name, k)| Some((Arc::from(name), key(k)?)))
                    .collect::<Option<Vec<ModuleStep>>>()?;
                let resource = match resource {
                    None => None,
                    Some((mode, t, n, k)) => Some(EndpointStep {
                        key: (mode, t.into(), n.into()),
                        instance: key(k)?,
                    }),
                };
                Some(Endpoint {
                    modules,
                    resource,
                    range: range.clone(),
                })
            });
            if made.is_none() {
                diagnostics.push(
                    Diagnostic::error("Invalid address", "This must be the address of a module or of a resource, relative to this module, such as aws_vpc.main, aws_subnet.a[0] or module.net[\"x\"]: names and constant keys.")
                        .with_range(Some(range.clone())),
                );
            }
            made
        })
        .flatten()
}

/// Reads the address of an `import` block, whose keys are expressions.
pub(super) fn import_target(
    source: &Source<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<ImportTarget> {
    let range = source.range();
    source
        .read(diagnostics, |file, hcl, diagnostics| {
            let Some((modules, Some((ResourceMode::Managed, t, n, key)))) = parts(hcl) else {
                diagnostics.push(
                    Diagnostic::error("Invalid import address", "The argument \"to\" must be the address of a resource, such as aws_vpc.main or module.net[each.key].aws_subnet.a[0].")
                        .with_range(Some(range.clone())),
                );
                return None;
            };
            let mut expression = |file: &Arc<SourceFile>, hcl: Option<&Hcl>| {
                hcl.map(|hcl| translate(file, hcl, &[], diagnostics))
            };
            Some(ImportTarget {
                modules: modules
                    .into_iter()
                    .map(|(name, key)| (Arc::from(name), expression(file, key)))
                    .collect(),
                type_name: t.into(),
                name: n.into(),
                key: expression(file, key),
                range: range.clone(),
            })
        })
        .flatten()
}

/// A provider configuration: its local name, its alias, and the expression that says which of its
/// instances.
pub(super) type ProviderParts<'a> = (Arc<str>, Option<Arc<str>>, Option<&'a Hcl>);

/// The parts of a reference to a provider configuration.
pub(super) fn provider_parts(hcl: &Hcl) -> Option<ProviderParts<'_>> {
    // The quoted form of the language's early versions.
    if let Hcl::String(s) = hcl {
        let (name, alias) = s
            .value()
            .split_once('.')
            .map_or((s.value().as_str(), None), |(n, a)| (n, Some(a)));
        return Some((name.into(), alias.map(Arc::from), None));
    }
    match steps(hcl)?.as_slice() {
        [Step::Name(name)] => Some(((*name).into(), None, None)),
        [Step::Name(name), Step::Name(alias)] => {
            Some(((*name).into(), Some((*alias).into()), None))
        }
        [Step::Name(name), Step::Name(alias), Step::Index(key)] => {
            Some(((*name).into(), Some((*alias).into()), Some(key)))
        }
        _ => None,
    }
}
