//! From the blocks of a module's files to a [`Module`], one function per kind of block.

use std::collections::BTreeMap;
use std::sync::Arc;

use hcl_edit::expr::{Expression as Hcl, ObjectKey, TraversalOperator};
use hcl_edit::structure::{Attribute as HclAttribute, Block as HclBlock, Body as HclBody};
use topo_sdk::convert::convert;
use topo_sdk::{Diagnostic, Path, SourceRange, Step, Value};

use super::body::{Body, Reader};
use super::types::{TypeConstraint, constant, read_type};
use super::{CheckRule, IgnoreChanges, Lifecycle, Output, ProviderKey, Repetition, Variable};
use crate::lang::ast::{Expression, Reference};
use crate::lang::syntax::{span_of, translate};
use crate::suggest::did_you_mean;

/// A module call before its module is loaded.
pub(super) struct RawCall {
    pub(super) source: Option<String>,
    pub(super) version: Option<String>,
    pub(super) arguments: BTreeMap<Arc<str>, Expression>,
    pub(super) repetition: Repetition,
    pub(super) depends_on: Vec<Arc<Reference>>,
    pub(super) providers: BTreeMap<ProviderKey, ProviderKey>,
    pub(super) range: SourceRange,
    pub(super) source_range: SourceRange,
}

/// A resource before its provider and schema are known.
pub(super) struct RawResource {
    pub(super) body: Body,
    pub(super) repetition: Repetition,
    pub(super) depends_on: Vec<Arc<Reference>>,
    pub(super) provider: Option<ProviderKey>,
    pub(super) lifecycle: Lifecycle,
    pub(super) type_range: SourceRange,
    pub(super) range: SourceRange,
}

const RESOURCE_META: [&str; 8] = [
    "count",
    "for_each",
    "depends_on",
    "provider",
    "lifecycle",
    "connection",
    "provisioner",
    "enabled",
];

impl Reader<'_> {
    fn expression(&mut self, a: &HclAttribute) -> Expression {
        translate(self.file, &a.value, &[], self.diagnostics)
    }

    fn constant(&mut self, a: &HclAttribute) -> Value {
        let e = self.expression(a);
        constant(&e.expr.kind, &e, self.diagnostics)
    }

    fn bool(&mut self, body: &HclBody, name: &str, default: bool) -> bool {
        let Some(a) = body.get_attribute(name) else {
            return default;
        };
        match self.constant(a).as_bool() {
            Some(b) => b,
            None => {
                let range = self.file.range(span_of(&a.value));
                self.error(
                    range,
                    "Invalid value",
                    format!("The argument {name:?} must be true or false."),
                );
                default
            }
        }
    }

    fn text(&mut self, body: &HclBody, name: &str) -> Option<String> {
        let a = body.get_attribute(name)?;
        match self.constant(a).as_str() {
            Some(s) => Some(s.to_string()),
            None => {
                let range = self.file.range(span_of(&a.value));
                self.error(
                    range,
                    "Invalid value",
                    format!("The argument {name:?} must be a constant string."),
                );
                None
            }
        }
    }

    /// Complains about arguments and blocks that a block does not know.
    fn only(&mut self, body: &HclBody, attributes: &[&str], blocks: &[&str]) {
        for a in body.attributes() {
            if !attributes.contains(&a.key.as_str()) {
                let hint = did_you_mean(a.key.as_str(), attributes);
                let range = self.file.range(span_of(&a.key));
                self.error(
                    range,
                    "Unsupported argument",
                    format!(
                        "An argument named {:?} is not expected here.{hint}",
                        a.key.as_str()
                    ),
                );
            }
        }
        for b in body.blocks() {
            if !blocks.contains(&b.ident.as_str()) {
                let hint = did_you_mean(b.ident.as_str(), blocks);
                let range = self.file.range(span_of(&b.ident));
                self.error(
                    range,
                    "Unsupported block type",
                    format!(
                        "Blocks of type {:?} are not expected here.{hint}",
                        b.ident.as_str()
                    ),
                );
            }
        }
    }

    pub(super) fn variable(&mut self, b: &HclBlock, range: SourceRange) -> Variable {
        self.only(
            &b.body,
            &[
                "type",
                "default",
                "description",
                "sensitive",
                "nullable",
                "ephemeral",
                "deprecated",
            ],
            &["validation"],
        );
        let constraint = match b.body.get_attribute("type") {
            Some(a) => read_type(self.file, &a.value, self.diagnostics),
            None => TypeConstraint {
                ty: topo_sdk::Type::Dynamic,
                defaults: Default::default(),
            },
        };
        let nullable = self.bool(&b.body, "nullable", true);
        let default = b.body.get_attribute("default").and_then(|a| {
            let value = constraint.defaults.apply(self.constant(a));
            let at = self.file.range(span_of(&a.value));
            if value.is_null() && !nullable {
                self.error(at, "Invalid default value for variable", "A null default value is not valid when nullable = false.");
                return None;
            }
            match convert(&value, &constraint.ty) {
                Ok(v) => Some(v),
                Err(e) => {
                    let inside = if e.path.is_root() { String::new() } else { format!("{}: ", e.path) };
                    self.error(at, "Invalid default value for variable", format!("This default value is not compatible with the variable's type constraint: {inside}{e}."));
                    None
                }
            }
        });
        Variable {
            constraint,
            default,
            description: self.text(&b.body, "description").unwrap_or_default(),
            sensitive: self.bool(&b.body, "sensitive", false),
            nullable,
            validations: self.rules(&b.body, "validation"),
            range,
        }
    }

    fn rules(&mut self, body: &HclBody, name: &str) -> Vec<CheckRule> {
        let blocks: Vec<&HclBlock> = body.blocks().filter(|b| b.has_ident(name)).collect();
        let mut rules = Vec::new();
        for b in blocks {
            let range = self.file.range(span_of(&b.ident));
            self.only(&b.body, &["condition", "error_message"], &[]);
            let (Some(c), Some(m)) = (
                b.body.get_attribute("condition"),
                b.body.get_attribute("error_message"),
            ) else {
                self.error(
                    range,
                    "Missing required argument",
                    format!(
                        "A {name} block needs the arguments \"condition\" and \"error_message\"."
                    ),
                );
                continue;
            };
            rules.push(CheckRule {
                condition: self.expression(c),
                error_message: self.expression(m),
            });
        }
        rules
    }

    pub(super) fn output(&mut self, b: &HclBlock, range: SourceRange) -> Option<Output> {
        self.only(
            &b.body,
            &[
                "value",
                "description",
                "sensitive",
                "depends_on",
                "ephemeral",
                "deprecated",
            ],
            &["precondition"],
        );
        let Some(value) = b.body.get_attribute("value") else {
            self.error(
                range,
                "Missing required argument",
                "An output block needs the argument \"value\".",
            );
            return None;
        };
        Some(Output {
            value: self.expression(value),
            description: self.text(&b.body, "description").unwrap_or_default(),
            sensitive: self.bool(&b.body, "sensitive", false),
            depends_on: self.depends_on(&b.body),
            preconditions: self.rules(&b.body, "precondition"),
            range,
        })
    }

    fn depends_on(&mut self, body: &HclBody) -> Vec<Arc<Reference>> {
        body.get_attribute("depends_on")
            .map(|a| self.references(a))
            .unwrap_or_default()
    }

    /// The references of a list such as `depends_on`.
    fn references(&mut self, a: &HclAttribute) -> Vec<Arc<Reference>> {
        let Hcl::Array(_) = &a.value else {
            let range = self.file.range(span_of(&a.value));
            self.error(
                range,
                "Invalid value",
                format!(
                    "The argument {:?} must be a list of references.",
                    a.key.as_str()
                ),
            );
            return Vec::new();
        };
        self.expression(a).references
    }

    fn repetition(&mut self, body: &HclBody) -> Repetition {
        match (body.get_attribute("count"), body.get_attribute("for_each")) {
            (Some(c), Some(_)) => {
                let range = self.file.range(span_of(&c.key));
                self.error(range, "Invalid combination of \"count\" and \"for_each\"", "The \"count\" and \"for_each\" meta-arguments are mutually exclusive, only one should be used to be explicit about the number of instances to be created.");
                Repetition::Single
            }
            (Some(c), None) => Repetition::Count(self.expression(c)),
            (None, Some(f)) => Repetition::ForEach(self.expression(f)),
            (None, None) => Repetition::Single,
        }
    }

    pub(super) fn call(&mut self, b: &HclBlock, range: SourceRange) -> RawCall {
        let meta = [
            "source",
            "version",
            "count",
            "for_each",
            "depends_on",
            "providers",
            "enabled",
        ];
        let body = self.body(&b.body, range.clone(), &meta, &[]);
        for item in &body.blocks {
            self.error(
                item.body.range.clone(),
                "Unsupported block type",
                format!(
                    "Blocks of type {:?} are not expected in a module call.",
                    item.name
                ),
            );
        }
        let source_range = b
            .body
            .get_attribute("source")
            .map_or(range.clone(), |a| self.file.range(span_of(&a.value)));
        let mut providers = BTreeMap::new();
        if let Some(a) = b.body.get_attribute("providers") {
            self.provider_map(a, &mut providers);
        }
        RawCall {
            source: self.text(&b.body, "source"),
            version: self.text(&b.body, "version"),
            arguments: body.attributes.into_iter().collect(),
            repetition: self.repetition(&b.body),
            depends_on: self.depends_on(&b.body),
            providers,
            range,
            source_range,
        }
    }

    fn provider_map(
        &mut self,
        a: &HclAttribute,
        providers: &mut BTreeMap<ProviderKey, ProviderKey>,
    ) {
        let Hcl::Object(object) = &a.value else {
            let range = self.file.range(span_of(&a.value));
            self.error(range, "Invalid value", "The argument \"providers\" must be a map from the module's provider names to those here.");
            return;
        };
        for (key, value) in object.iter() {
            let child = match key {
                ObjectKey::Ident(n) => Some((Arc::from(n.as_str()), None)),
                ObjectKey::Expression(e) => provider_key(e),
            };
            match (child, provider_key(value.expr())) {
                (Some(c), Some(p)) => {
                    providers.insert(c, p);
                }
                _ => {
                    let range = self.file.range(span_of(value.expr()));
                    self.error(range, "Invalid provider reference", "A provider configuration is named by its provider and, if it has one, its alias: aws or aws.west.");
                }
            }
        }
    }

    pub(super) fn resource(
        &mut self,
        b: &HclBlock,
        range: SourceRange,
        is_data: bool,
    ) -> RawResource {
        let body = self.body(&b.body, range.clone(), &RESOURCE_META, &[]);
        for unsupported in ["provisioner", "connection"] {
            if let Some(p) = b.body.get_blocks(unsupported).next() {
                let at = self.file.range(span_of(&p.ident));
                self.error(at, "Not supported yet", format!("topo does not carry out {unsupported} blocks yet: the object would be made without what the block does."));
            }
        }
        if let Some(a) = b.body.get_attribute("enabled") {
            let at = self.file.range(span_of(&a.key));
            self.error(
                at,
                "Not supported yet",
                "The meta-argument \"enabled\" is not supported yet: use count.",
            );
        }
        let provider = b.body.get_attribute("provider").and_then(|a| {
            let key = provider_key(&a.value);
            if key.is_none() {
                let at = self.file.range(span_of(&a.value));
                self.error(at, "Invalid provider reference", "A provider configuration is named by its provider and, if it has one, its alias: aws or aws.west.");
            }
            key
        });
        let lifecycle = match b.body.get_blocks("lifecycle").next() {
            Some(l) => self.lifecycle(l, is_data),
            None => Lifecycle::default(),
        };
        let type_range = b
            .labels
            .first()
            .map_or(range.clone(), |l| self.file.range(span_of(l)));
        RawResource {
            body,
            repetition: self.repetition(&b.body),
            depends_on: self.depends_on(&b.body),
            provider,
            lifecycle,
            type_range,
            range,
        }
    }

    fn lifecycle(&mut self, b: &HclBlock, is_data: bool) -> Lifecycle {
        let known: &[&str] = if is_data {
            &[]
        } else {
            &[
                "create_before_destroy",
                "prevent_destroy",
                "ignore_changes",
                "replace_triggered_by",
            ]
        };
        self.only(&b.body, known, &["precondition", "postcondition"]);
        let ignore_changes = match b.body.get_attribute("ignore_changes") {
            Some(a) => self.ignore_changes(a),
            None => IgnoreChanges::None,
        };
        Lifecycle {
            create_before_destroy: self.bool(&b.body, "create_before_destroy", false),
            prevent_destroy: self.bool(&b.body, "prevent_destroy", false),
            ignore_changes,
            replace_triggered_by: b
                .body
                .get_attribute("replace_triggered_by")
                .map(|a| self.references(a))
                .unwrap_or_default(),
            preconditions: self.rules(&b.body, "precondition"),
            postconditions: self.rules(&b.body, "postcondition"),
        }
    }

    fn ignore_changes(&mut self, a: &HclAttribute) -> IgnoreChanges {
        match &a.value {
            Hcl::Variable(v) if v.as_str() == "all" => IgnoreChanges::All,
            Hcl::Array(items) => {
                let mut paths = Vec::new();
                for item in items.iter() {
                    match attribute_path(item) {
                        Some(p) => paths.push(p),
                        None => {
                            let range = self.file.range(span_of(item));
                            self.error(range, "Invalid ignore_changes", "Each element must name an argument of this resource, such as tags or tags[\"Name\"].");
                        }
                    }
                }
                IgnoreChanges::Paths(paths)
            }
            other => {
                let range = self.file.range(span_of(other));
                self.error(
                    range,
                    "Invalid ignore_changes",
                    "Write a list of argument names, or the keyword all.",
                );
                IgnoreChanges::None
            }
        }
    }

    pub(super) fn provider(
        &mut self,
        b: &HclBlock,
        range: SourceRange,
    ) -> (Option<Arc<str>>, Body) {
        let alias = self.text(&b.body, "alias").map(Arc::from);
        if let Some(a) = b.body.get_attribute("for_each") {
            let at = self.file.range(span_of(&a.key));
            self.error(at, "Not supported yet", "for_each in provider blocks is not supported yet: write one block with an alias for each.");
        }
        (
            alias,
            self.body(&b.body, range, &["alias", "version", "for_each"], &[]),
        )
    }

    /// The `terraform` block: local provider names and the providers they stand for.
    pub(super) fn terraform(&mut self, b: &HclBlock, required: &mut BTreeMap<Arc<str>, Arc<str>>) {
        for inner in b.body.blocks() {
            let range = self.file.range(span_of(&inner.ident));
            match inner.ident.as_str() {
                "required_providers" => {
                    for a in inner.body.attributes() {
                        let value = self.constant(a);
                        let source = value.get_str("source").unwrap_or(a.key.as_str());
                        let name = source.rsplit('/').next().unwrap_or(source);
                        required.insert(a.key.as_str().into(), name.into());
                    }
                }
                kind @ ("backend" | "cloud") => self.diagnostics.push(
                    Diagnostic::warning(format!("The {kind} block is not honoured"), "topo keeps the state in .topo below the working directory; other backends are not supported yet.")
                        .with_range(Some(range)),
                ),
                // Going on would leave in plain text what the user believes to be encrypted.
                "encryption" => self.error(range, "Not supported yet", "topo cannot encrypt the state and plans yet. Remove the block only if they may hold secrets in plain text."),
                "provider_meta" => {}
                other => self.error(range, "Unsupported block type", format!("Blocks of type {other:?} are not expected in a terraform block.")),
            }
        }
    }
}

fn provider_key(e: &Hcl) -> Option<ProviderKey> {
    match e {
        Hcl::Variable(v) => Some((v.as_str().into(), None)),
        Hcl::String(s) => {
            let (name, alias) = s
                .value()
                .split_once('.')
                .map_or((s.value().as_str(), None), |(n, a)| (n, Some(a)));
            Some((name.into(), alias.map(Arc::from)))
        }
        Hcl::Traversal(t) => {
            let (Hcl::Variable(v), [op]) = (&t.expr, t.operators.as_slice()) else {
                return None;
            };
            let TraversalOperator::GetAttr(a) = op.value() else {
                return None;
            };
            Some((v.as_str().into(), Some(a.as_str().into())))
        }
        _ => None,
    }
}

/// A path written as a traversal: `scaling_config[0].desired_size`, `tags["Name"]`.
pub fn attribute_path(e: &Hcl) -> Option<Path> {
    match e {
        Hcl::Variable(v) => Some(Path::attribute(v.as_str())),
        Hcl::String(s) => Some(Path::attribute(s.value().as_str())),
        Hcl::Traversal(t) => {
            let Hcl::Variable(v) = &t.expr else {
                return None;
            };
            let mut path = Path::attribute(v.as_str());
            for op in &t.operators {
                path.push(match op.value() {
                    TraversalOperator::GetAttr(n) => Step::Attribute(n.as_str().into()),
                    TraversalOperator::Index(Hcl::String(s)) => {
                        Step::Key(s.value().as_str().into())
                    }
                    TraversalOperator::Index(Hcl::Number(n)) => {
                        Step::Index(usize::try_from(n.value().as_u64()?).ok()?)
                    }
                    TraversalOperator::LegacyIndex(i) => {
                        Step::Index(usize::try_from(*i.value()).ok()?)
                    }
                    _ => return None,
                });
            }
            Some(path)
        }
        _ => None,
    }
}
