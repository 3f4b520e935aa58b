//! Types of the language: primitives, collections, structural types, and `dynamic`, which stands
//! for a type that is not known yet.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A type of the language.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Type {
    /// Not known yet, or any (`any` in a type constraint).
    Dynamic,
    /// `bool`
    Bool,
    /// `number`
    Number,
    /// `string`
    String,
    /// `list(T)`
    List(Arc<Type>),
    /// `set(T)`
    Set(Arc<Type>),
    /// `map(T)`
    Map(Arc<Type>),
    /// `object({...})`
    Object(Arc<ObjectType>),
    /// `tuple([...])`
    Tuple(Arc<Vec<Type>>),
}

/// The attributes of an object type.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectType {
    /// Attribute types by name.
    pub attributes: BTreeMap<Arc<str>, Type>,
    /// Names of the attributes that a value being converted may leave out (they become null).
    pub optional: BTreeSet<Arc<str>>,
}

impl Type {
    /// `list(element)`
    pub fn list(element: Type) -> Type {
        Type::List(Arc::new(element))
    }

    /// `set(element)`
    pub fn set(element: Type) -> Type {
        Type::Set(Arc::new(element))
    }

    /// `map(element)`
    pub fn map(element: Type) -> Type {
        Type::Map(Arc::new(element))
    }

    /// `tuple([elements])`
    pub fn tuple(elements: Vec<Type>) -> Type {
        Type::Tuple(Arc::new(elements))
    }

    /// `object({...})` in which every attribute is required.
    pub fn object<N: Into<Arc<str>>>(attributes: impl IntoIterator<Item = (N, Type)>) -> Type {
        Type::Object(Arc::new(ObjectType {
            attributes: attributes.into_iter().map(|(n, t)| (n.into(), t)).collect(),
            optional: BTreeSet::new(),
        }))
    }

    /// Whether this is bool, number or string.
    pub fn is_primitive(&self) -> bool {
        matches!(self, Type::Bool | Type::Number | Type::String)
    }

    /// Whether `dynamic` appears anywhere in the type.
    pub fn has_dynamic(&self) -> bool {
        match self {
            Type::Dynamic => true,
            Type::Bool | Type::Number | Type::String => false,
            Type::List(t) | Type::Set(t) | Type::Map(t) => t.has_dynamic(),
            Type::Object(o) => o.attributes.values().any(Type::has_dynamic),
            Type::Tuple(ts) => ts.iter().any(Type::has_dynamic),
        }
    }

    /// The element type of a list, set or map.
    pub fn element(&self) -> Option<&Type> {
        match self {
            Type::List(t) | Type::Set(t) | Type::Map(t) => Some(t),
            _ => None,
        }
    }

    /// The type without its notes which attributes a value being converted may leave out: the type
    /// of the converted value.
    #[must_use]
    pub fn without_optional(&self) -> Type {
        match self {
            Type::Dynamic | Type::Bool | Type::Number | Type::String => self.clone(),
            Type::List(t) => Type::list(t.without_optional()),
            Type::Set(t) => Type::set(t.without_optional()),
            Type::Map(t) => Type::map(t.without_optional()),
            Type::Object(o) => Type::object(
                o.attributes
                    .iter()
                    .map(|(n, t)| (n.clone(), t.without_optional())),
            ),
            Type::Tuple(ts) => Type::tuple(ts.iter().map(Type::without_optional).collect()),
        }
    }

    /// The type laid out over lines, as the console of the language's reference implementation
    /// shows it.
    pub fn layout(&self) -> String {
        let mut text = String::new();
        self.lay_out(0, &mut text);
        text
    }

    fn lay_out(&self, level: usize, text: &mut String) {
        let indent = |text: &mut String, level: usize| {
            text.push('\n');
            text.push_str(&"    ".repeat(level));
        };
        let collection = |name: &str, element: &Type, text: &mut String| {
            text.push_str(name);
            text.push('(');
            if matches!(element, Type::Object(_) | Type::Tuple(_)) {
                indent(text, level + 1);
                element.lay_out(level + 1, text);
                text.push(',');
                indent(text, level);
            } else {
                element.lay_out(level, text);
            }
            text.push(')');
        };
        match self {
            Type::Dynamic => text.push_str("dynamic"),
            Type::Bool => text.push_str("bool"),
            Type::Number => text.push_str("number"),
            Type::String => text.push_str("string"),
            Type::List(t) => collection("list", t, text),
            Type::Set(t) => collection("set", t, text),
            Type::Map(t) => collection("map", t, text),
            Type::Object(o) if o.attributes.is_empty() => text.push_str("object({})"),
            Type::Object(o) => {
                text.push_str("object({");
                for (name, ty) in &o.attributes {
                    indent(text, level + 1);
                    text.push_str(name);
                    text.push_str(": ");
                    ty.lay_out(level + 1, text);
                    text.push(',');
                }
                indent(text, level);
                text.push_str("})");
            }
            Type::Tuple(ts) if ts.is_empty() => text.push_str("tuple([])"),
            Type::Tuple(ts) => {
                text.push_str("tuple([");
                for ty in ts.iter() {
                    indent(text, level + 1);
                    ty.lay_out(level + 1, text);
                    text.push(',');
                }
                indent(text, level);
                text.push_str("])");
            }
        }
    }

    /// The type in the words used for people: `list of string`, `object`.
    pub fn friendly(&self) -> String {
        match self {
            Type::Dynamic => "dynamic".into(),
            Type::Bool => "bool".into(),
            Type::Number => "number".into(),
            Type::String => "string".into(),
            Type::List(t) => format!("list of {}", t.friendly()),
            Type::Set(t) => format!("set of {}", t.friendly()),
            Type::Map(t) => format!("map of {}", t.friendly()),
            Type::Object(_) => "object".into(),
            Type::Tuple(_) => "tuple".into(),
        }
    }

    /// The published JSON form of a type: `"string"`, `["list","string"]`,
    /// `["object",{"a":"number"}]`.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::json;
        match self {
            Type::Dynamic => json!("dynamic"),
            Type::Bool => json!("bool"),
            Type::Number => json!("number"),
            Type::String => json!("string"),
            Type::List(t) => json!(["list", t.to_json()]),
            Type::Set(t) => json!(["set", t.to_json()]),
            Type::Map(t) => json!(["map", t.to_json()]),
            Type::Object(o) => {
                let attributes: serde_json::Map<String, serde_json::Value> = o
                    .attributes
                    .iter()
                    .map(|(n, t)| (n.to_string(), t.to_json()))
                    .collect();
                if o.optional.is_empty() {
                    json!(["object", attributes])
                } else {
                    json!(["object", attributes, o.optional])
                }
            }
            Type::Tuple(ts) => json!(["tuple", ts.iter().map(Type::to_json).collect::<Vec<_>>()]),
        }
    }
}

/// The language's own syntax for a type constraint.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Dynamic => f.write_str("any"),
            Type::Bool => f.write_str("bool"),
            Type::Number => f.write_str("number"),
            Type::String => f.write_str("string"),
            Type::List(t) => write!(f, "list({t})"),
            Type::Set(t) => write!(f, "set({t})"),
            Type::Map(t) => write!(f, "map({t})"),
            Type::Object(o) => {
                f.write_str("object({")?;
                for (i, (name, ty)) in o.attributes.iter().enumerate() {
                    let comma = if i > 0 { "," } else { "" };
                    if o.optional.contains(name) {
                        write!(f, "{comma}{name}=optional({ty})")?;
                    } else {
                        write!(f, "{comma}{name}={ty}")?;
                    }
                }
                f.write_str("})")
            }
            Type::Tuple(ts) => {
                f.write_str("tuple([")?;
                for (i, ty) in ts.iter().enumerate() {
                    let comma = if i > 0 { "," } else { "" };
                    write!(f, "{comma}{ty}")?;
                }
                f.write_str("])")
            }
        }
    }
}
