//! The instances of one block, and what they are as a whole.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use topo_sdk::{Type, Value};

use crate::address::InstanceKey;
use crate::config::Repetition;

/// Whether a block makes one object, a list or a map of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One.
    Single,
    /// A list, by `count`.
    Count,
    /// A map, by `for_each`.
    ForEach,
    /// One, or null where `enabled` says that there is none.
    Optional,
}

impl Shape {
    /// The shape that a block's meta-arguments give it.
    pub fn of(repetition: &Repetition) -> Shape {
        match repetition {
            Repetition::Single => Shape::Single,
            Repetition::Count(_) => Shape::Count,
            Repetition::ForEach(_) => Shape::ForEach,
            Repetition::Enabled(_) => Shape::Optional,
        }
    }

    /// The type of the whole, for objects of a type.
    pub fn whole_type(self, object: Type) -> Type {
        match self {
            Shape::Single | Shape::Optional => object,
            _ if object.has_dynamic() => Type::Dynamic,
            Shape::Count => Type::list(object),
            Shape::ForEach => Type::map(object),
        }
    }

    /// Whether its instances have keys.
    pub fn is_keyed(self) -> bool {
        matches!(self, Shape::Count | Shape::ForEach)
    }
}

/// What `each` and `count` are in an instance.
#[derive(Debug, Clone, Default)]
pub struct Each {
    /// The instance's key.
    pub key: Option<InstanceKey>,
    /// `each.value`.
    pub value: Option<Value>,
}

/// The instances of one resource in one module instance.
#[derive(Debug)]
pub struct Instances {
    /// How they are seen as a whole.
    pub shape: Shape,
    /// The one without a key. Most blocks have no other, and a map with one entry is large.
    unkeyed: Option<Value>,
    keyed: BTreeMap<InstanceKey, Value>,
    whole: OnceLock<Value>,
}

impl Instances {
    /// None yet.
    pub fn new(shape: Shape) -> Instances {
        Instances {
            shape,
            unkeyed: None,
            keyed: BTreeMap::new(),
            whole: OnceLock::new(),
        }
    }

    /// Instances of which only the whole is known: for checks before there are any.
    pub fn opaque(shape: Shape, whole: Value) -> Instances {
        Instances {
            whole: OnceLock::from(whole),
            ..Instances::new(shape)
        }
    }

    /// Sets the value of one.
    pub fn set(&mut self, key: Option<InstanceKey>, value: Value) {
        match key {
            None => self.unkeyed = Some(value),
            Some(key) => {
                self.keyed.insert(key, value);
            }
        }
        self.whole.take();
    }

    /// The value of one.
    pub fn get(&self, key: &Option<InstanceKey>) -> Option<&Value> {
        match key {
            None => self.unkeyed.as_ref(),
            Some(key) => self.keyed.get(key),
        }
    }

    /// The keys.
    pub fn keys(&self) -> impl Iterator<Item = Option<&InstanceKey>> {
        let unkeyed = self.unkeyed.iter().map(|_| None);
        unkeyed.chain(self.keyed.keys().map(Some))
    }

    /// All of them as the language sees them.
    pub fn whole(&self) -> Value {
        self.whole
            .get_or_init(|| {
                let unkeyed = self.unkeyed.iter().map(|v| (None, v.clone()));
                let keyed = self.keyed.iter();
                let keyed = keyed.map(|(k, v)| (Some(k.clone()), v.clone()));
                shape_value(self.shape, unkeyed.chain(keyed))
            })
            .clone()
    }
}

pub(super) fn shape_value(
    shape: Shape,
    items: impl Iterator<Item = (Option<InstanceKey>, Value)>,
) -> Value {
    match shape {
        Shape::Single => items
            .map(|(_, v)| v)
            .next()
            .unwrap_or_else(|| Value::unknown(Type::Dynamic)),
        Shape::Optional => items.map(|(_, v)| v).next().unwrap_or(Value::NULL),
        Shape::Count => Value::tuple(items.map(|(_, v)| v).collect()),
        Shape::ForEach => Value::object(items.map(|(k, v)| match k {
            Some(InstanceKey::Key(k)) => (k, v),
            Some(InstanceKey::Index(i)) => (Arc::from(i.to_string()), v),
            None => (Arc::from(""), v),
        })),
    }
}
