//! From the blocks of a module's files to what a [`Module`](super::Module) holds, one function
//! per kind of block.

use std::collections::BTreeMap;
use std::sync::Arc;

use hcl_edit::expr::{Expression as Hcl, TraversalOperator};
use topo_sdk::convert::convert;
use topo_sdk::{Path, SourceRange, Step, Value};

use super::body::{Argument, Body, Meta, Reader};
use super::endpoint::{endpoint, import_target, provider_parts};
use super::types::{TypeConstraint, constant, read_type};
use super::{
    CheckRule, IgnoreChanges, Import, ImportIdentity, Lifecycle, Mention, Moved, Output,
    ProviderKey, ProviderReference, Removed, Repetition, Variable,
};
use crate::address::ResourceMode;
use crate::lang::ast::{ExprKind, Expression, Target};
use crate::lang::structure::{Attribute, Block, Content, Key, Source, article};
use crate::lang::syntax::is_identifier;

/// A module call before its module is loaded.
pub(super) struct RawCall {
    pub(super) source: Option<String>,
    pub(super) version: Option<String>,
    pub(super) arguments: BTreeMap<Arc<str>, Argument>,
    pub(super) repetition: Repetition,
    pub(super) depends_on: Vec<Mention>,
    pub(super) providers: BTreeMap<ProviderKey, ProviderReference>,
    pub(super) range: SourceRange,
    pub(super) source_range: SourceRange,
}

/// A resource before its provider and schema are known.
pub(super) struct RawResource<'a> {
    pub(super) block: Block<'a>,
    pub(super) kind: Kind,
    pub(super) repetition: Repetition,
    pub(super) depends_on: Vec<Mention>,
    pub(super) provider: Option<ProviderReference>,
    pub(super) lifecycle: Lifecycle,
    pub(super) check: Option<Arc<str>>,
}

/// Which block describes an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Resource,
    Data,
    Ephemeral,
}

/// The arguments of a resource's `lifecycle` block.
const LIFECYCLE: [&str; 6] = [
    "enabled",
    "create_before_destroy",
    "destroy",
    "prevent_destroy",
    "ignore_changes",
    "replace_triggered_by",
];

/// Arguments that every such block has.
const META_ARGUMENTS: [&str; 4] = ["count", "for_each", "depends_on", "provider"];

impl Kind {
    /// What the block has besides what its schema says.
    pub(super) fn meta(self) -> Meta<'static> {
        let blocks: &[(&str, Option<usize>)] = match self {
            Kind::Resource => &[
                ("lifecycle", Some(0)),
                ("connection", Some(0)),
                ("provisioner", Some(1)),
                ("locals", None),
                ("_", Some(0)),
            ],
            Kind::Data | Kind::Ephemeral => {
                &[("lifecycle", Some(0)), ("locals", None), ("_", Some(0))]
            }
        };
        Meta {
            attributes: &META_ARGUMENTS,
            blocks,
        }
    }

    /// The names of what the block has besides what its schema says.
    pub(super) fn words(self) -> Vec<&'static str> {
        let mut words = META_ARGUMENTS.to_vec();
        words.extend(["lifecycle", "dynamic"]);
        if self == Kind::Resource {
            words.extend(["connection", "provisioner"]);
        }
        words
    }

    pub(super) fn mode(self) -> ResourceMode {
        match self {
            Kind::Resource => ResourceMode::Managed,
            Kind::Data => ResourceMode::Data,
            Kind::Ephemeral => ResourceMode::Ephemeral,
        }
    }

    pub(super) fn of(mode: ResourceMode) -> Kind {
        match mode {
            ResourceMode::Managed => Kind::Resource,
            ResourceMode::Data => Kind::Data,
            ResourceMode::Ephemeral => Kind::Ephemeral,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Resource => "resource",
            Kind::Data => "data source",
            Kind::Ephemeral => "ephemeral resource",
        }
    }
}

/// Names that mean something in a module call, so that no variable can have them.
const RESERVED_VARIABLES: [&str; 8] = [
    "source",
    "version",
    "providers",
    "count",
    "for_each",
    "lifecycle",
    "depends_on",
    "locals",
];

impl Reader<'_> {
    fn expression(&mut self, a: &Attribute<'_>) -> Expression {
        a.value.expression(&[], self.diagnostics)
    }

    /// The value of an argument that may refer to nothing. In JSON its strings are no templates.
    pub(super) fn constant(&mut self, a: &Attribute<'_>) -> Value {
        if let Some(value) = a.value.json_value() {
            return value;
        }
        let e = self.expression(a);
        constant(&e.expr.kind, &e, self.diagnostics)
    }

    pub(super) fn bool(&mut self, content: &Content<'_>, name: &str, default: bool) -> bool {
        let Some(a) = content.get(name) else {
            return default;
        };
        let problems = self.diagnostics.iter().count();
        let value = self.constant(a);
        match convert(&value, &topo_sdk::Type::Bool) {
            // What is not a constant has its error already.
            Ok(v) if v.is_null() && self.diagnostics.iter().count() > problems => default,
            Ok(v) if !v.is_null() => v.as_bool().unwrap_or(default),
            _ => {
                self.error(
                    a.value.range(),
                    "Unsuitable value type",
                    format!("The argument {name:?} must be true or false."),
                );
                default
            }
        }
    }

    pub(super) fn text(&mut self, content: &Content<'_>, name: &str) -> Option<String> {
        let a = content.get(name)?;
        let problems = self.diagnostics.iter().count();
        let value = self.constant(a);
        if let Ok(v) = convert(&value, &topo_sdk::Type::String)
            && let Some(s) = v.as_str()
        {
            return Some(s.to_string());
        }
        if self.diagnostics.iter().count() == problems {
            self.error(
                a.value.range(),
                "Unsuitable value type",
                format!("The argument {name:?} must be a constant string."),
            );
        }
        None
    }

    /// Checks the name that a label gives.
    pub(super) fn name(&mut self, block: &Block<'_>, index: usize, what: &str) {
        if let Some((name, _)) = block.labels.get(index)
            && !is_identifier(name)
        {
            self.error(
                block.label_range(index),
                &format!("Invalid {what} name"),
                format!("{name:?} is not a name: a name starts with a letter or underscore and may contain only letters, digits, underscores, and dashes."),
            );
        }
    }

    fn deprecated(&mut self, content: &Content<'_>) -> Option<String> {
        let text = self.text(content, "deprecated")?;
        if text.trim().is_empty() {
            let range = content.get("deprecated").map(|a| a.value.range());
            if let Some(range) = range {
                self.error(
                    range,
                    "Invalid \"deprecated\" value",
                    "The argument \"deprecated\" must not be empty: it says what to use instead.",
                );
            }
        }
        Some(text)
    }

    pub(super) fn variable(&mut self, b: &Block<'_>) -> Variable {
        self.name(b, 0, "variable");
        let name = b.labels.first().map_or("", |(n, _)| *n);
        if RESERVED_VARIABLES.contains(&name) {
            self.error(
                b.label_range(0),
                "Invalid variable name",
                format!("The variable name {name:?} is reserved due to its special meaning inside module blocks."),
            );
        }
        let content = b.body.content(&[("validation", Some(0))], self.diagnostics);
        self.only(
            &content,
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
        let constraint = content
            .get("type")
            .and_then(|a| a.value.read(self.diagnostics, read_type))
            .unwrap_or(TypeConstraint {
                ty: topo_sdk::Type::Dynamic,
                defaults: Default::default(),
            });
        let nullable = self.bool(&content, "nullable", true);
        let default = content.get("default").and_then(|a| {
            let value = constraint.defaults.apply(self.constant(a));
            let at = a.value.range();
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
        let validations = self.rules(&content, "validation");
        let itself = Target::Variable(name.into());
        for rule in &validations {
            if !rule.condition.references.iter().any(|r| r.target == itself) {
                self.error(
                    rule.condition.range(),
                    "Invalid variable validation condition",
                    format!("The condition for variable {name:?} must refer to var.{name} in order to test incoming values."),
                );
            }
        }
        Variable {
            constraint,
            default,
            description: self.text(&content, "description").unwrap_or_default(),
            sensitive: self.bool(&content, "sensitive", false),
            nullable,
            ephemeral: self.bool(&content, "ephemeral", false),
            deprecated: self.deprecated(&content),
            validations,
            range: b.header(),
        }
    }

    fn rules(&mut self, content: &Content<'_>, kind: &str) -> Vec<CheckRule> {
        let mut rules = Vec::new();
        for b in content.of(kind) {
            let inner = b.body.content(&[], self.diagnostics);
            self.only(&inner, &["condition", "error_message"], &[]);
            let mut missing = false;
            for name in ["condition", "error_message"] {
                if inner.get(name).is_none() {
                    missing = true;
                    self.error(
                        b.kind_range(),
                        "Missing required argument",
                        format!(
                            "{} {kind} block needs the argument {name:?}.",
                            article(kind)
                        ),
                    );
                }
            }
            let (false, Some(c), Some(m)) =
                (missing, inner.get("condition"), inner.get("error_message"))
            else {
                continue;
            };
            let rule = CheckRule {
                condition: self.expression(c),
                error_message: self.expression(m),
            };
            if kind != "validation" && rule.condition.references.is_empty() {
                self.error(
                    rule.condition.range(),
                    &format!("Invalid {kind} expression"),
                    "The condition expression must refer to at least one object from elsewhere in the configuration, or else its result would not be checking anything.",
                );
            }
            for e in [&rule.condition, &rule.error_message] {
                if let Some(r) = e
                    .references
                    .iter()
                    .find(|r| r.target == Target::SelfObject && kind != "postcondition")
                {
                    self.error(
                        e.file.range(r.span),
                        &format!("Invalid reference in {kind}"),
                        "The \"self\" object can be used only in postconditions, provisioners and connections.",
                    );
                }
            }
            rules.push(rule);
        }
        rules
    }

    pub(super) fn output(&mut self, b: &Block<'_>) -> Option<Output> {
        self.name(b, 0, "output");
        let content = b.body.content(
            &[("precondition", Some(0)), ("postcondition", Some(0))],
            self.diagnostics,
        );
        self.only(
            &content,
            &[
                "value",
                "description",
                "sensitive",
                "depends_on",
                "ephemeral",
                "deprecated",
            ],
            &["precondition", "postcondition"],
        );
        if let Some(post) = content.of("postcondition").next() {
            self.error(
                post.kind_range(),
                "Postconditions are not allowed",
                "Output values can only have preconditions, not postconditions.",
            );
        }
        let Some(value) = content.get("value") else {
            self.error(
                b.header(),
                "Missing required argument",
                "An output block needs the argument \"value\".",
            );
            return None;
        };
        Some(Output {
            value: self.expression(value),
            description: self.text(&content, "description").unwrap_or_default(),
            sensitive: self.bool(&content, "sensitive", false),
            ephemeral: self.bool(&content, "ephemeral", false),
            deprecated: self.deprecated(&content),
            depends_on: self.depends_on(&content),
            preconditions: self.rules(&content, "precondition"),
            range: b.header(),
        })
    }

    pub(super) fn depends_on(&mut self, content: &Content<'_>) -> Vec<Mention> {
        let Some(a) = content.get("depends_on") else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for e in self.references(a) {
            let Some(r) = e.leading_reference() else {
                continue;
            };
            if !matches!(e.expr.kind, ExprKind::Reference(_)) {
                self.error(
                    e.range(),
                    "Invalid depends_on reference",
                    "What is named in depends_on is a whole object, such as a resource or a module, not an attribute of one.",
                );
                continue;
            }
            if matches!(
                r.target,
                Target::EachKey | Target::EachValue | Target::CountIndex | Target::SelfObject
            ) {
                self.error(
                    e.range(),
                    "Invalid depends_on reference",
                    format!("All instances of a block depend on the same objects, so {} means nothing in depends_on.", r.target),
                );
                continue;
            }
            found.push(Mention {
                reference: r.clone(),
                path: Path::root(),
                file: e.file.clone(),
            });
        }
        found
    }

    /// A reference in quotes, as the language's early versions had it.
    fn quoted_reference(&mut self, range: SourceRange) {
        self.warning(
            range,
            "Quoted references are deprecated",
            "A reference is written without quotes.",
        );
    }

    /// The references of a list such as `depends_on`: each of them has a leading reference.
    fn references(&mut self, a: &Attribute<'_>) -> Vec<Expression> {
        let Some(items) = a.value.list() else {
            self.error(
                a.value.range(),
                "Invalid expression",
                format!("The argument {:?} must be a list of references.", a.name),
            );
            return Vec::new();
        };
        let mut found = Vec::new();
        for item in items {
            let quoted = a.name == "depends_on" && item.native_quoted().is_some();
            if quoted {
                self.quoted_reference(item.range());
            }
            let read = if quoted {
                item.inside_quotes(self.diagnostics)
            } else {
                item.named(self.diagnostics)
            };
            let Some(e) = read else {
                continue;
            };
            match e.leading_reference() {
                Some(_) => found.push(e),
                // A name that does not exist has its error already.
                None if e.is_null_literal() && item.quoted().is_none() => {}
                None => self.error(
                    item.range(),
                    "Invalid expression",
                    format!("Each element of {:?} must be a reference, such as aws_vpc.main or module.network, without quotes or other operations.", a.name),
                ),
            }
        }
        found
    }

    /// `count`, `for_each`, or `enabled` of the `lifecycle` block.
    fn repetition(
        &mut self,
        content: &Content<'_>,
        enabled: Option<Expression>,
        what: &str,
    ) -> Repetition {
        let count = content.get("count");
        let for_each = content.get("for_each");
        match (count, for_each, enabled) {
            (None, None, None) => Repetition::Single,
            (Some(c), None, None) => Repetition::Count(self.expression(c)),
            (None, Some(f), None) => Repetition::ForEach(self.expression(f)),
            (None, None, Some(e)) => Repetition::Enabled(e),
            (count, for_each, enabled) => {
                let given: Vec<String> = [
                    count.map(|_| "\"count\""),
                    for_each.map(|_| "\"for_each\""),
                    enabled.as_ref().map(|_| "\"enabled\""),
                ]
                .into_iter()
                .flatten()
                .map(str::to_string)
                .collect();
                let at = count.or(for_each).map(Attribute::name_range);
                if let Some(at) = at {
                    self.error(
                        at,
                        &format!("Invalid combination of {}", given.join(" and ")),
                        format!("The {} meta-arguments are mutually exclusive: only one of them says how many instances of a {what} there are.", given.join(" and ")),
                    );
                }
                Repetition::Single
            }
        }
    }

    pub(super) fn call(&mut self, b: &Block<'_>) -> RawCall {
        self.name(b, 0, "module instance");
        let content = b.body.content(
            &[
                ("lifecycle", Some(0)),
                ("_", Some(0)),
                ("locals", None),
                ("provider", None),
            ],
            self.diagnostics,
        );
        let meta = [
            "source",
            "version",
            "count",
            "for_each",
            "depends_on",
            "providers",
        ];
        let mut arguments = BTreeMap::new();
        let mut enabled = None;
        for a in &content.attributes {
            if !meta.contains(&a.name) {
                self.argument(a, &mut arguments);
            }
        }
        for item in &content.blocks {
            match item.kind {
                "_" => {
                    let escaped = item.body.content(&[], self.diagnostics);
                    for a in &escaped.attributes {
                        self.argument(a, &mut arguments);
                    }
                }
                "lifecycle" => {
                    let inner = item.body.content(&[], self.diagnostics);
                    self.only(&inner, &["enabled"], &[]);
                    enabled = inner.get("enabled").map(|a| self.expression(a));
                }
                "provider" => self.error(
                    item.kind_range(),
                    "Unsupported block type",
                    "A module call hands provider configurations down in the argument \"providers\", not in blocks.",
                ),
                kind => {
                    let detail = format!("Blocks of type {kind:?} are not expected in a module call: what a module takes are arguments.");
                    self.error(item.kind_range(), "Unsupported block type", detail);
                }
            }
        }
        let mut providers = BTreeMap::new();
        if let Some(a) = content.get("providers") {
            self.provider_map(a, &mut providers);
        }
        let source_range = content
            .get("source")
            .map_or_else(|| b.header(), |a| a.value.range());
        RawCall {
            source: self.text(&content, "source"),
            version: self.text(&content, "version"),
            arguments,
            repetition: self.repetition(&content, enabled, "module"),
            depends_on: self.depends_on(&content),
            providers,
            range: b.header(),
            source_range,
        }
    }

    fn argument(&mut self, a: &Attribute<'_>, arguments: &mut BTreeMap<Arc<str>, Argument>) {
        let argument = Argument {
            name: a.name.into(),
            name_span: a.name_span,
            value: self.expression(a),
        };
        arguments.insert(argument.name.clone(), argument);
    }

    fn provider_map(
        &mut self,
        a: &Attribute<'_>,
        providers: &mut BTreeMap<ProviderKey, ProviderReference>,
    ) {
        let Some(pairs) = a.value.object() else {
            self.error(a.value.range(), "Invalid providers argument", "The argument \"providers\" must be a map from the module's provider names to those here.");
            return;
        };
        for (key, value) in pairs {
            let child = match &key {
                Key::Name(name, _) => Some(match name.split_once('.') {
                    Some((n, alias)) => (Arc::from(n), Some(Arc::from(alias))),
                    None => (Arc::from(name.as_str()), None),
                }),
                Key::Expression(source) => self.provider_reference(source).map(|r| r.key),
            };
            let (Some(child), Some(parent)) = (child, self.provider_reference(&value)) else {
                continue;
            };
            if providers.insert(child.clone(), parent).is_some() {
                let at = match &key {
                    Key::Name(_, span) => value.file.range(*span),
                    Key::Expression(source) => source.range(),
                };
                self.error(
                    at,
                    "Duplicate provider address",
                    format!(
                        "A provider configuration was already given for {}.",
                        shown(&child)
                    ),
                );
            }
        }
    }

    pub(super) fn provider_reference(&mut self, source: &Source<'_>) -> Option<ProviderReference> {
        let range = source.range();
        if source.native_quoted().is_some() {
            self.quoted_reference(range.clone());
        }
        let made = source.read(self.diagnostics, |file, hcl, diagnostics| {
            let (name, alias, key) = provider_parts(hcl)?;
            let instance = key.map(|k| crate::lang::syntax::translate(file, k, &[], diagnostics));
            Some(ProviderReference {
                key: (name, alias),
                instance,
                range: range.clone(),
            })
        })?;
        if made.is_none() {
            self.error(range, "Invalid provider reference", "A provider configuration is named by its provider and, if it has one, its alias: aws or aws.west.");
        }
        made
    }

    pub(super) fn resource<'a>(&mut self, block: Block<'a>, kind: Kind) -> RawResource<'a> {
        self.name(&block, 0, &format!("{} type", kind.name()));
        self.name(&block, 1, kind.name());
        let content = block.body.content(kind.meta().blocks, self.diagnostics);
        for b in content.of("locals") {
            self.error(b.kind_range(), "Reserved block type name in resource block", "The block type name \"locals\" is reserved for use by the language in a future version.");
        }
        for repeated in ["lifecycle", "connection", "_"] {
            if let Some(second) = content.of(repeated).nth(1) {
                self.error(
                    second.kind_range(),
                    &format!("Duplicate {repeated} block"),
                    format!("A {} block has one {repeated:?} block only.", kind.name()),
                );
            }
        }
        let provider = content
            .get("provider")
            .and_then(|a| self.provider_reference(&a.value));
        let (lifecycle, enabled) = match content.of("lifecycle").next() {
            Some(l) => self.lifecycle(l, kind),
            None => (Lifecycle::default(), None),
        };
        self.not_itself(&block, kind, &lifecycle);
        RawResource {
            kind,
            repetition: self.repetition(&content, enabled, kind.name()),
            depends_on: self.depends_on(&content),
            provider,
            lifecycle,
            check: None,
            block,
        }
    }

    /// A condition of a resource names the resource itself as `self`, where it can at all.
    fn not_itself(&mut self, block: &Block<'_>, kind: Kind, lifecycle: &Lifecycle) {
        let label = |i: usize| -> Arc<str> { block.labels.get(i).map_or("", |(l, _)| *l).into() };
        let itself = Target::Resource(kind.mode(), label(0), label(1));
        let before = lifecycle.preconditions.iter().map(|r| ("precondition", r));
        let after = lifecycle
            .postconditions
            .iter()
            .map(|r| ("postcondition", r));
        for (what, rule) in before.chain(after) {
            for e in [&rule.condition, &rule.error_message] {
                let Some(r) = e.references.iter().find(|r| r.target == itself) else {
                    continue;
                };
                let hint = if what == "postcondition" {
                    " Write self for the instance that is checked."
                } else {
                    " It is checked before the resource is there; what depends on its result belongs in a postcondition."
                };
                self.error(
                    e.file.range(r.span),
                    &format!("Invalid reference in {what}"),
                    format!("The {what} of {itself} may not refer to {itself}.{hint}"),
                );
            }
        }
    }

    fn lifecycle(&mut self, b: &Block<'_>, kind: Kind) -> (Lifecycle, Option<Expression>) {
        let known: &[&str] = match kind {
            Kind::Resource => &LIFECYCLE,
            Kind::Data | Kind::Ephemeral => &["enabled"],
        };
        let rules = ["precondition", "postcondition"];
        let mut content = b
            .body
            .content(&rules.map(|r| (r, Some(0))), self.diagnostics);
        if kind != Kind::Resource {
            content.attributes.retain(|a| {
                let managed = a.name != "enabled" && LIFECYCLE.contains(&a.name);
                if managed {
                    self.error(
                        a.name_range(),
                        &format!("Invalid {} lifecycle argument", kind.name()),
                        format!("The lifecycle argument {:?} is for managed resources (resource blocks) only.", a.name),
                    );
                }
                !managed
            });
        }
        self.only(&content, known, &rules);
        let (ignore_changes, ignored_at) = match content.get("ignore_changes") {
            Some(a) => self.ignore_changes(a),
            None => Default::default(),
        };
        let replace_triggered_by = content
            .get("replace_triggered_by")
            .map(|a| self.triggers(a))
            .unwrap_or_default();
        let enabled = content.get("enabled").map(|a| self.expression(a));
        let lifecycle = Lifecycle {
            create_before_destroy: self.bool(&content, "create_before_destroy", false),
            prevent_destroy: self.bool(&content, "prevent_destroy", false),
            keep: !self.bool(&content, "destroy", true),
            ignore_changes,
            ignored_at,
            replace_triggered_by,
            preconditions: self.rules(&content, "precondition"),
            postconditions: self.rules(&content, "postcondition"),
        };
        (lifecycle, enabled)
    }

    fn triggers(&mut self, a: &Attribute<'_>) -> Vec<Mention> {
        let mut found = Vec::new();
        for e in self.references(a) {
            let Some(leading) = e.leading_reference() else {
                continue;
            };
            let wrong = match &leading.target {
                Target::Resource(ResourceMode::Managed, ..) => e
                    .references
                    .iter()
                    .find(|r| {
                        !Arc::ptr_eq(r, leading)
                            && !matches!(r.target, Target::EachKey | Target::CountIndex)
                    })
                    .map(|r| (r, "Of what is not constant only count.index and each.key can choose an instance here")),
                _ => Some((leading, "Only resources, resource instances and their attributes can be named here")),
            };
            match wrong {
                Some((r, why)) => self.error(
                    e.file.range(r.span),
                    "Invalid replace_triggered_by expression",
                    format!("{why}, not {}.", r.target),
                ),
                None => found.push(Mention {
                    reference: leading.clone(),
                    path: e.expr.path(),
                    file: e.file.clone(),
                }),
            }
        }
        found
    }

    fn ignore_changes(&mut self, a: &Attribute<'_>) -> (IgnoreChanges, Vec<SourceRange>) {
        if a.value.keyword() == Some("all") {
            return (IgnoreChanges::All, Vec::new());
        }
        let Some(items) = a.value.list() else {
            self.error(
                a.value.range(),
                "Invalid ignore_changes",
                "Write a list of argument names, or the keyword all.",
            );
            return Default::default();
        };
        let mut paths = Vec::new();
        let mut places = Vec::new();
        for item in items {
            if item.native_quoted().is_some_and(|text| text != "*") {
                self.quoted_reference(item.range());
            }
            let path = item.read(self.diagnostics, |_, hcl, _| attribute_path(hcl));
            match path {
                Some(Some(p)) if p.steps() == [Step::Attribute("*".into())] => {
                    self.error(item.range(), "Invalid ignore_changes wildcard", "The [\"*\"] form of ignore_changes is gone: write \"ignore_changes = all\" to ignore changes to all arguments.");
                }
                Some(Some(p)) => {
                    paths.push(p);
                    places.push(item.range());
                }
                Some(None) => self.error(item.range(), "Invalid ignore_changes", "Each element must name an argument of this resource, such as tags or tags[\"Name\"]."),
                None => {}
            }
        }
        (IgnoreChanges::Paths(paths), places)
    }

    /// The alias of a provider block and what it goes through.
    pub(super) fn provider_head(
        &mut self,
        b: &Block<'_>,
    ) -> (Option<Arc<str>>, Option<Expression>) {
        self.name(b, 0, "provider configuration");
        let content = b.body.content(PROVIDER_META.blocks, self.diagnostics);
        let alias: Option<Arc<str>> = self.text(&content, "alias").map(Arc::from);
        if let (Some(alias), Some(a)) = (&alias, content.get("alias"))
            && !is_identifier(alias)
        {
            self.error(a.value.range(), "Invalid provider configuration alias", format!("{alias:?} is not a name: an alias starts with a letter or underscore and may contain only letters, digits, underscores, and dashes."));
        }
        if let Some(a) = content.get("version") {
            self.warning(
                a.name_range(),
                "Version constraints inside provider configuration blocks are deprecated",
                "Move the version constraint into required_providers in a terraform block.",
            );
        }
        for name in ["count", "depends_on", "source"] {
            if let Some(a) = content.get(name) {
                self.error(
                    a.name_range(),
                    "Reserved argument name in provider block",
                    format!(
                        "The provider argument name {name:?} is reserved for use by the language."
                    ),
                );
            }
        }
        for kind in ["lifecycle", "locals"] {
            if let Some(block) = content.of(kind).next() {
                self.error(
                    block.kind_range(),
                    "Reserved block type name in provider block",
                    format!("The block type name {kind:?} is reserved for use by the language."),
                );
            }
        }
        let for_each = content.get("for_each").map(|a| {
            if alias.is_none() {
                self.error(a.name_range(), "Alias required when using \"for_each\"", "A provider block with \"for_each\" needs an \"alias\", by which its instances are chosen, as in aws.by_region[each.key].");
            }
            self.expression(a)
        });
        (alias, for_each)
    }

    pub(super) fn moved(&mut self, b: &Block<'_>) -> Option<Moved> {
        let content = b.body.content(&[], self.diagnostics);
        self.only(&content, &["from", "to"], &[]);
        let mut end = |name: &str| match content.get(name) {
            Some(a) => endpoint(&a.value, self.diagnostics),
            None => {
                self.error(
                    b.header(),
                    "Missing required argument",
                    format!("A moved block needs the argument {name:?}."),
                );
                None
            }
        };
        let (from, to) = (end("from"), end("to"));
        let (from, to) = (from?, to?);
        if from.resource.is_some() != to.resource.is_some() {
            self.error(
                b.header(),
                "Invalid \"moved\" addresses",
                "The \"from\" and \"to\" addresses must either both refer to resources or both refer to modules.",
            );
            return None;
        }
        for e in [&from, &to] {
            if e.resource
                .as_ref()
                .is_some_and(|r| r.key.0 != ResourceMode::Managed)
            {
                self.warning(
                    e.range.clone(),
                    "Redundant moved block",
                    format!("{e} is not managed by topo but read anew in every run, so there is nothing to move."),
                );
                return None;
            }
        }
        Some(Moved {
            from,
            to,
            range: b.header(),
        })
    }

    pub(super) fn removed(&mut self, b: &Block<'_>) -> Option<Removed> {
        let content = b.body.content(
            &[
                ("lifecycle", Some(0)),
                ("provisioner", Some(1)),
                ("connection", Some(0)),
            ],
            self.diagnostics,
        );
        self.only(
            &content,
            &["from"],
            &["lifecycle", "provisioner", "connection"],
        );
        for p in content.of("provisioner").chain(content.of("connection")) {
            self.error(
                p.kind_range(),
                "Not supported yet",
                "topo does not carry out provisioners of removed blocks yet.",
            );
        }
        let mut destroy = true;
        if let Some(l) = content.of("lifecycle").next() {
            let inner = l.body.content(&[], self.diagnostics);
            self.only(&inner, &["destroy"], &[]);
            destroy = self.bool(&inner, "destroy", true);
        }
        let Some(a) = content.get("from") else {
            self.error(
                b.header(),
                "Missing required argument",
                "A removed block needs the argument \"from\".",
            );
            return None;
        };
        let from = endpoint(&a.value, self.diagnostics)?;
        let keyed = from.modules.iter().any(|(_, k)| k.is_some())
            || from.resource.as_ref().is_some_and(|r| r.instance.is_some());
        if keyed {
            self.error(a.value.range(), "Invalid \"removed\" address", "A removed block names a resource or a module with all its instances: leave the keys out.");
            return None;
        }
        if from
            .resource
            .as_ref()
            .is_some_and(|r| r.key.0 != ResourceMode::Managed)
        {
            self.error(
                a.value.range(),
                "Invalid \"removed\" address",
                format!("{from} is not managed by topo, so there is nothing to remove."),
            );
            return None;
        }
        Some(Removed {
            from,
            destroy,
            range: b.header(),
        })
    }

    pub(super) fn import(&mut self, b: &Block<'_>) -> Option<Import> {
        let content = b.body.content(&[], self.diagnostics);
        self.only(
            &content,
            &["to", "id", "identity", "for_each", "provider"],
            &[],
        );
        let to = match content.get("to") {
            Some(a) => import_target(&a.value, self.diagnostics),
            None => {
                self.error(
                    b.header(),
                    "Missing required argument",
                    "An import block needs the argument \"to\".",
                );
                None
            }
        };
        let identity = match (content.get("id"), content.get("identity")) {
            (Some(id), None) => Some(ImportIdentity::Id(self.expression(id))),
            (None, Some(object)) => Some(ImportIdentity::Object(self.expression(object))),
            (None, None) => {
                self.error(b.header(), "Missing required argument", "An import block needs either the argument \"id\" or the argument \"identity\".");
                None
            }
            (Some(id), Some(_)) => {
                self.error(
                    id.name_range(),
                    "Invalid combination of \"id\" and \"identity\"",
                    "An import block has either \"id\" or \"identity\".",
                );
                None
            }
        };
        let for_each = content.get("for_each").map(|a| self.expression(a));
        let provider = content
            .get("provider")
            .and_then(|a| self.provider_reference(&a.value));
        Some(Import {
            to: to?,
            identity: identity?,
            for_each,
            provider: provider.map(|p| p.key),
            range: b.header(),
        })
    }

    /// A `check` block: its assertions, and the data source inside it.
    pub(super) fn check<'a>(&mut self, b: &Block<'a>) -> (Vec<CheckRule>, Option<RawResource<'a>>) {
        self.name(b, 0, "check block");
        let content = b
            .body
            .content(&[("data", Some(2)), ("assert", Some(0))], self.diagnostics);
        self.only(&content, &[], &["data", "assert"]);
        let rules = self.rules(&content, "assert");
        if content.of("assert").next().is_none() {
            self.error(
                b.header(),
                "Zero assert blocks",
                "Check blocks must have at least one assert block.",
            );
        }
        let mut data = content.blocks.iter().filter(|x| x.kind == "data");
        let first = data.next().cloned();
        if let Some(second) = data.next() {
            self.error(
                second.header(),
                "Multiple data resource blocks",
                "A check block has at most one data block.",
            );
        }
        let name: Arc<str> = b.labels.first().map_or("", |(n, _)| *n).into();
        let data = first.map(|block| {
            let mut r = self.resource(block, Kind::Data);
            if r.repetition.expression().is_some() || !r.lifecycle.is_empty() {
                self.error(
                    r.block.header(),
                    "Invalid data resource meta argument",
                    "A data block inside a check block cannot have count, for_each or lifecycle.",
                );
            }
            r.check = Some(name.clone());
            r
        });
        (rules, data)
    }
}

/// What a provider block has besides what its schema says.
pub(super) const PROVIDER_META: Meta<'static> = Meta {
    attributes: &[
        "alias",
        "version",
        "for_each",
        "count",
        "depends_on",
        "source",
    ],
    blocks: &[("_", Some(0)), ("lifecycle", None), ("locals", None)],
};

impl Reader<'_> {
    /// The arguments of a provider block.
    pub(super) fn provider_body(&mut self, b: &Block<'_>, schema: &topo_sdk::Block) -> Body {
        self.body(&b.body, schema, b.header(), PROVIDER_META, &[])
    }
}

/// A provider configuration as it is written: `aws.west`.
pub(super) fn shown(key: &ProviderKey) -> String {
    match &key.1 {
        Some(alias) => format!("{}.{alias}", key.0),
        None => key.0.to_string(),
    }
}

impl Lifecycle {
    fn is_empty(&self) -> bool {
        !self.create_before_destroy
            && !self.prevent_destroy
            && !self.keep
            && matches!(self.ignore_changes, IgnoreChanges::None)
            && self.replace_triggered_by.is_empty()
            && self.preconditions.is_empty()
            && self.postconditions.is_empty()
    }
}

/// A path written as a traversal: `scaling_config[0].desired_size`, `tags["Name"]`.
fn attribute_path(e: &Hcl) -> Option<Path> {
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
