//! Schemas from the Kubernetes API's own JSON schema.
//!
//! The generated API types describe themselves as JSON schema; this module makes of one type the
//! block that a configuration fills in and the [`Shape`] that maps it to the API. Names and
//! nesting follow the hashicorp/kubernetes provider: snake case, a list of at most one block for
//! an object, a repeated block with a singular name for an array of objects; its deviations are
//! in [`crate::rules`].

use serde_json::{Map, Value as Json};
use topo_sdk::{Attribute, Block, NestedBlock, Nesting, Type, json};

use crate::names::{singular, snake};
use crate::rules::{self, Rule};
use crate::shape::{Field, FieldKind, Scalar, Shape, Source};

/// A block with its mapping.
#[derive(Debug, Clone, Default)]
pub struct Derived {
    /// What a configuration fills in.
    pub block: Block,
    /// How it maps to the API.
    pub shape: Shape,
}

impl Derived {
    /// With one more attribute.
    pub fn attribute(&mut self, field: Field, attribute: Attribute) {
        self.block = std::mem::take(&mut self.block).attr(&field.name, attribute);
        self.shape.fields.push(field);
    }

    /// With one more block.
    pub fn nested(&mut self, field: Field, nested: NestedBlock) {
        self.block = std::mem::take(&mut self.block).block(&field.name, nested);
        self.shape.fields.push(field);
    }
}

/// Everything of a kind but its metadata and status.
pub fn derive(schema: &schemars::Schema, kind: &str, force_new: bool) -> Derived {
    let empty = Map::new();
    let root = schema.as_object().unwrap_or(&empty);
    let definitions = root
        .get("$defs")
        .and_then(Json::as_object)
        .unwrap_or(&empty);
    let derivation = Derivation {
        definitions,
        root: kind,
    };
    derivation.object(
        kind,
        root,
        force_new,
        &["apiVersion", "kind", "metadata", "status"],
    )
}

/// The `metadata` of a pod template or claim template: what a configuration may set of it.
fn template_metadata(force_new: bool) -> Derived {
    let mut made = Derived::default();
    for (name, api) in [("annotations", "annotations"), ("labels", "labels")] {
        let kind = FieldKind::Map {
            values: Scalar::String,
            atomic: false,
        };
        let mut attribute = Attribute::optional(Type::map(Type::String));
        attribute.force_new = force_new;
        made.attribute(field(name, api, kind, Source::Configuration), attribute);
    }
    for (name, api) in [
        ("generate_name", "generateName"),
        ("name", "name"),
        ("namespace", "namespace"),
    ] {
        let kind = FieldKind::Scalar(Scalar::String);
        let mut attribute = Attribute::optional(Type::String);
        attribute.force_new = force_new;
        made.attribute(field(name, api, kind, Source::Configuration), attribute);
    }
    made
}

/// A field.
pub fn field(name: &str, api: &str, kind: FieldKind, source: Source) -> Field {
    Field {
        name: name.into(),
        api: api.into(),
        kind,
        source,
    }
}

struct Derivation<'a> {
    definitions: &'a Map<String, Json>,
    /// The kind whose schema this is.
    root: &'a str,
}

/// The API type of a property.
enum Property<'a> {
    Scalar(Scalar),
    Object(&'a str, &'a Map<String, Json>),
    Metadata,
    Array(Box<Property<'a>>),
    Map(Scalar),
    /// Free-form JSON, which no block can describe.
    Other,
}

/// What [`rules`] say of one field, gathered.
#[derive(Default)]
struct Deviations {
    name: Option<&'static str>,
    set: bool,
    scalar: Option<Scalar>,
    force_new: Option<bool>,
    computed: bool,
    required: Option<bool>,
    default: Option<&'static str>,
    sensitive: bool,
    keys: &'static [&'static str],
    atomic: bool,
    skip: bool,
}

impl Deviations {
    fn of(root: &str, api_type: &str, api: &str) -> Deviations {
        let mut d = Deviations::default();
        for rule in rules::of(root, api_type, api) {
            match rule {
                Rule::Name(name) => d.name = d.name.or(Some(name)),
                Rule::Set => d.set = true,
                Rule::Text => d.scalar = Some(Scalar::IntText),
                Rule::Octal => d.scalar = Some(Scalar::Octal),
                Rule::Base64 => d.scalar = Some(Scalar::Base64),
                Rule::ForceNew => d.force_new = Some(true),
                Rule::Updatable => d.force_new = Some(false),
                Rule::Computed => d.computed = true,
                Rule::Required => d.required = Some(true),
                Rule::Optional => d.required = Some(false),
                Rule::Default(text) => d.default = Some(text),
                Rule::Sensitive => d.sensitive = true,
                Rule::Keys(keys) => d.keys = keys,
                Rule::Atomic => d.atomic = true,
                Rule::Skip => d.skip = true,
            }
        }
        d
    }
}

impl<'a> Derivation<'a> {
    fn object(
        &self,
        api_type: &str,
        schema: &Map<String, Json>,
        force_new: bool,
        leave_out: &[&str],
    ) -> Derived {
        let mut made = Derived::default();
        let mut inline = Derived::default();
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
            .filter_map(Json::as_str)
            .collect();
        let properties = schema.get("properties").and_then(Json::as_object);
        for (api, property) in properties.into_iter().flatten() {
            if leave_out.contains(&api.as_str()) {
                continue;
            }
            let deviations = Deviations::of(self.root, api_type, api);
            if deviations.skip {
                continue;
            }
            let Some(property) = property.as_object() else {
                continue;
            };
            let what = self.property(property);
            let is_source = api_type == "PersistentVolumeSpec"
                && matches!(&what, Property::Object(t, _) if t.ends_with("VolumeSource"));
            let target = if is_source { &mut inline } else { &mut made };
            let is_required = deviations
                .required
                .unwrap_or(required.contains(&api.as_str()) && deviations.default.is_none());
            let text = first_sentence(property);
            self.add(
                target,
                api,
                what,
                &deviations,
                force_new,
                is_required,
                &text,
            );
        }
        if !inline.shape.fields.is_empty() {
            let block = inline.block.describe("What backs the volume.");
            made.nested(
                field(
                    "persistent_volume_source",
                    "",
                    FieldKind::Inline(inline.shape),
                    Source::Configuration,
                ),
                NestedBlock::list_max_one(block).required(),
            );
        }
        made
    }

    #[allow(clippy::too_many_arguments)]
    fn add(
        &self,
        made: &mut Derived,
        api: &str,
        what: Property<'_>,
        deviations: &Deviations,
        around: bool,
        required: bool,
        text: &str,
    ) {
        let force_new = deviations.force_new.unwrap_or(around);
        let name = |plural: bool| match deviations.name {
            Some(name) => name.to_owned(),
            None if plural => singular(&snake(api)),
            None => snake(api),
        };
        let source = if deviations.computed {
            Source::Either
        } else {
            Source::Configuration
        };
        let attribute = |ty: Type| {
            let mut attribute = match (required, deviations.computed) {
                (true, _) => Attribute::required(ty),
                (_, true) => Attribute::optional_computed(ty),
                _ => Attribute::optional(ty),
            };
            attribute.force_new = force_new;
            attribute.sensitive = deviations.sensitive;
            attribute.default = deviations
                .default
                .and_then(|text| serde_json::from_str(text).ok())
                .map(|value| json::from_json(&value));
            attribute.describe(text)
        };
        let (kind, ty) = match what {
            Property::Other => return,
            Property::Scalar(scalar) => {
                let scalar = deviations.scalar.unwrap_or(scalar);
                (FieldKind::Scalar(scalar), scalar_type(scalar))
            }
            Property::Map(scalar) => {
                let values = deviations.scalar.unwrap_or(scalar);
                let atomic = deviations.atomic;
                let ty = Type::map(scalar_type(values));
                (FieldKind::Map { values, atomic }, ty)
            }
            Property::Array(items) => match *items {
                Property::Scalar(scalar) if deviations.set => {
                    (FieldKind::Set(scalar), Type::set(scalar_type(scalar)))
                }
                Property::Scalar(scalar) => {
                    (FieldKind::List(scalar), Type::list(scalar_type(scalar)))
                }
                Property::Object(api_type, schema) => {
                    let inner = self.object(api_type, schema, force_new, leave_out(api_type));
                    let nesting = if deviations.set {
                        Nesting::Set
                    } else {
                        Nesting::List
                    };
                    let mut nested = NestedBlock::new(nesting, inner.block.describe(text));
                    nested.min = usize::from(required);
                    nested.force_new = force_new;
                    let kind = FieldKind::Blocks {
                        shape: inner.shape,
                        keys: deviations.keys,
                        set: deviations.set,
                    };
                    made.nested(field(&name(true), api, kind, source), nested);
                    return;
                }
                _ => return,
            },
            Property::Object(..) | Property::Metadata => {
                let inner = match what {
                    Property::Object(api_type, schema) => {
                        self.object(api_type, schema, force_new, leave_out(api_type))
                    }
                    _ => template_metadata(force_new),
                };
                let mut nested = NestedBlock::list_max_one(inner.block.describe(text));
                nested.min = usize::from(required);
                nested.force_new = force_new;
                let kind = FieldKind::Block(inner.shape);
                made.nested(field(&name(false), api, kind, source), nested);
                return;
            }
        };
        made.attribute(field(&name(false), api, kind, source), attribute(ty));
    }

    fn property<'s>(&self, schema: &'s Map<String, Json>) -> Property<'s>
    where
        'a: 's,
    {
        if let Some(reference) = schema.get("$ref").and_then(Json::as_str) {
            let name = reference.rsplit('/').next().unwrap_or(reference);
            let short = name.rsplit('.').next().unwrap_or(name);
            return match short {
                "IntOrString" => Property::Scalar(Scalar::IntOrString),
                "Quantity" => Property::Scalar(Scalar::Quantity),
                "Time" | "MicroTime" => Property::Scalar(Scalar::String),
                "ObjectMeta" => Property::Metadata,
                _ => match self.definitions.get(name).and_then(Json::as_object) {
                    Some(object) if object.contains_key("properties") => {
                        // The definition outlives the schema that refers to it.
                        Property::Object(short_name(self.definitions, name), object)
                    }
                    _ => Property::Other,
                },
            };
        }
        match schema.get("type").and_then(Json::as_str) {
            Some("string") => Property::Scalar(Scalar::String),
            Some("boolean") => Property::Scalar(Scalar::Bool),
            Some("integer" | "number") => Property::Scalar(Scalar::Number),
            Some("array") => match schema.get("items").and_then(Json::as_object) {
                Some(items) => Property::Array(Box::new(self.property(items))),
                None => Property::Other,
            },
            Some("object") => match schema.get("additionalProperties").and_then(Json::as_object) {
                Some(values) => match self.property(values) {
                    Property::Scalar(scalar) => Property::Map(scalar),
                    _ => Property::Other,
                },
                None => Property::Other,
            },
            _ => Property::Other,
        }
    }
}

/// What a whole object inside another (a claim template) does not have as a block.
fn leave_out(api_type: &str) -> &'static [&'static str] {
    match api_type {
        "PersistentVolumeClaim" => &["apiVersion", "kind", "status"],
        _ => &[],
    }
}

/// The type's name without its package, borrowed from the definitions themselves.
fn short_name<'a>(definitions: &'a Map<String, Json>, name: &str) -> &'a str {
    let full = definitions.get_key_value(name).map_or("", |(key, _)| key);
    full.rsplit('.').next().unwrap_or(full)
}

/// The language's type of a scalar.
pub fn scalar_type(scalar: Scalar) -> Type {
    match scalar {
        Scalar::Bool => Type::Bool,
        Scalar::Number => Type::Number,
        _ => Type::String,
    }
}

fn first_sentence(schema: &Map<String, Json>) -> String {
    let text = schema
        .get("description")
        .and_then(Json::as_str)
        .unwrap_or_default();
    let line = text.lines().next().unwrap_or_default();
    match line.find(". ") {
        Some(end) => line[..=end].to_owned(),
        None => line.to_owned(),
    }
}
