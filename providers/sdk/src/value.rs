//! Values of the language.
//!
//! A value is immutable and cheap to clone: everything larger than a number is behind a shared
//! pointer. Any value may be null or unknown (known only after apply); an unknown value carries
//! its type and refinements. Marks (sensitive, ephemeral) sit on the value they concern, at any
//! depth; operations that derive one value from others join the marks of what they read.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::number::Number;
use crate::path::{Path, Step};
use crate::types::{ObjectType, Type};

bitflags::bitflags! {
    /// What is to be kept in mind about a value wherever it travels.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
    pub struct Marks: u8 {
        /// Not to be shown to people.
        const SENSITIVE = 1;
        /// Not to be written to state or plan.
        const EPHEMERAL = 2;
    }
}

impl Serialize for Marks {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_u8(self.bits())
    }
}

impl<'de> Deserialize<'de> for Marks {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Marks, D::Error> {
        Ok(Marks::from_bits_truncate(u8::deserialize(d)?))
    }
}

/// A value of the language with its marks.
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct Value {
    kind: Kind,
    marks: Marks,
    #[serde(skip)]
    extent: Extent,
}

/// A value as it is written to disk.
#[derive(Deserialize)]
#[serde(rename = "Value")]
struct Stored {
    kind: Kind,
    marks: Marks,
}

impl From<Stored> for Value {
    fn from(stored: Stored) -> Value {
        Value::new(stored.kind).with_marks(stored.marks)
    }
}

/// How much there is to a value, shared parts counted wherever they appear: a value that takes
/// little memory can still be too much to go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// How many values there are, this one included.
    pub parts: u32,
    /// How deep they are nested.
    pub depth: u16,
}

impl Extent {
    /// That of a value with nothing in it.
    const ONE: Extent = Extent { parts: 1, depth: 0 };

    fn of<'a>(children: impl IntoIterator<Item = &'a Value>) -> Extent {
        children.into_iter().fold(Extent::ONE, |sum, v| Extent {
            parts: sum.parts.saturating_add(v.extent.parts),
            depth: sum.depth.max(v.extent.depth.saturating_add(1)),
        })
    }
}

/// The shape of a value.
#[derive(Clone, Serialize, Deserialize)]
pub enum Kind {
    /// Absent, of a type.
    Null(Type),
    /// To be known after apply.
    Unknown(Arc<Unknown>),
    /// `true` or `false`.
    Bool(bool),
    /// An exact decimal.
    Number(Number),
    /// Text in Unicode normalization form C.
    String(Arc<str>),
    /// Elements of one type in order.
    List(Arc<Sequence>),
    /// Distinct elements of one type, sorted by [`Value::total_cmp`].
    Set(Arc<Sequence>),
    /// Elements of one type by key.
    Map(Arc<Mapping>),
    /// Attributes, each of its own type.
    Object(Arc<BTreeMap<Arc<str>, Value>>),
    /// Elements in order, each of its own type.
    Tuple(Arc<Vec<Value>>),
}

/// The elements of a list or a set.
#[derive(Clone, Serialize, Deserialize)]
pub struct Sequence {
    /// The element type.
    pub element: Type,
    /// The elements.
    pub items: Vec<Value>,
}

/// The elements of a map.
#[derive(Clone, Serialize, Deserialize)]
pub struct Mapping {
    /// The element type.
    pub element: Type,
    /// The elements by key.
    pub entries: BTreeMap<Arc<str>, Value>,
}

/// A value that is to be known later, and what is known of it already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unknown {
    /// Its type, perhaps dynamic.
    pub ty: Type,
    /// What is known of it.
    pub refinements: Refinements,
}

/// What is known of an unknown value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refinements {
    /// It will not be null.
    pub not_null: bool,
    /// The text it starts with (strings).
    pub prefix: Option<Arc<str>>,
    /// The least number of elements (collections).
    pub min_length: usize,
    /// The greatest number of elements (collections).
    pub max_length: Option<usize>,
}

impl Refinements {
    /// The longest list of unknown elements that is made of an unknown list whose length is known.
    const MAX_UNKNOWN_ELEMENTS: usize = 1_024;

    /// Whether a value of this shape could be what the unknown turns out to be; types are not
    /// looked at.
    pub fn allow(&self, value: &Value) -> bool {
        let fits = |length: usize| {
            length >= self.min_length && self.max_length.is_none_or(|max| length <= max)
        };
        match &value.kind {
            Kind::Null(_) => !self.not_null,
            Kind::String(s) => self.prefix.as_ref().is_none_or(|p| s.starts_with(&**p)),
            Kind::List(s) => fits(s.items.len()),
            // Unknown elements may turn out to be equal.
            Kind::Set(s) if s.items.iter().all(Value::is_wholly_known) => fits(s.items.len()),
            Kind::Map(m) => fits(m.entries.len()),
            Kind::Unknown(u) => self.allow_unknown(&u.refinements),
            _ => true,
        }
    }

    /// Whether one value could be what both unknowns turn out to be.
    fn allow_unknown(&self, other: &Refinements) -> bool {
        if !(self.not_null || other.not_null) {
            return true;
        }
        let prefixes = match (&self.prefix, &other.prefix) {
            (Some(a), Some(b)) => a.starts_with(&**b) || b.starts_with(&**a),
            _ => true,
        };
        let below =
            |a: &Refinements, b: &Refinements| a.max_length.is_some_and(|max| max < b.min_length);
        prefixes && !below(self, other) && !below(other, self)
    }
}

impl Value {
    /// A value of this shape without marks. Strings must be normalised; use the constructors.
    pub fn new(kind: Kind) -> Value {
        Value::of(kind, Marks::empty())
    }

    fn of(kind: Kind, marks: Marks) -> Value {
        let extent = match &kind {
            Kind::List(s) | Kind::Set(s) => Extent::of(&s.items),
            Kind::Map(m) => Extent::of(m.entries.values()),
            Kind::Object(o) => Extent::of(o.values()),
            Kind::Tuple(t) => Extent::of(t.iter()),
            _ => Extent::ONE,
        };
        Value {
            kind,
            marks,
            extent,
        }
    }

    /// How much there is to this value.
    pub fn extent(&self) -> Extent {
        self.extent
    }

    /// Null of a type.
    pub fn null(ty: Type) -> Value {
        Value::new(Kind::Null(ty))
    }

    /// Null whose type is not known.
    pub const NULL: Value = Value {
        kind: Kind::Null(Type::Dynamic),
        marks: Marks::empty(),
        extent: Extent::ONE,
    };

    /// Unknown of a type, with nothing else known.
    pub fn unknown(ty: Type) -> Value {
        Value::new(Kind::Unknown(Arc::new(Unknown {
            ty,
            refinements: Refinements::default(),
        })))
    }

    /// Unknown of a type, with refinements. Where these leave one value only, that value: an
    /// empty collection; and a list whose length is known is one of unknown elements.
    pub fn unknown_refined(ty: Type, refinements: Refinements) -> Value {
        let length = refinements
            .max_length
            .filter(|max| refinements.not_null && *max <= refinements.min_length);
        match (length, &ty) {
            (Some(n), Type::List(element)) if n <= Refinements::MAX_UNKNOWN_ELEMENTS => {
                let items = vec![Value::unknown((**element).clone()); n];
                Value::list((**element).clone(), items)
            }
            (Some(n @ (0 | 1)), Type::Set(element)) => {
                let items = vec![Value::unknown((**element).clone()); n];
                Value::set((**element).clone(), items)
            }
            (Some(0), Type::Map(element)) => Value::map((**element).clone(), BTreeMap::new()),
            _ => Value::new(Kind::Unknown(Arc::new(Unknown { ty, refinements }))),
        }
    }

    /// A string, brought to normalization form C.
    pub fn string(s: impl AsRef<str>) -> Value {
        let s = s.as_ref();
        let text: Arc<str> = match is_nfc_quick(s.chars()) {
            IsNormalized::Yes => Arc::from(s),
            _ => s.nfc().collect::<String>().into(),
        };
        Value::new(Kind::String(text))
    }

    /// A number.
    pub fn number(n: impl Into<Number>) -> Value {
        Value::new(Kind::Number(n.into()))
    }

    /// A list. Every item must be of the element type.
    pub fn list(element: Type, items: Vec<Value>) -> Value {
        Value::new(Kind::List(Arc::new(Sequence { element, items })))
    }

    /// A set: sorts, drops duplicates, and moves the items' marks to the set itself (an element
    /// of a set has no identity of its own that could carry them). Unknown items are all kept:
    /// they may turn out to be different.
    pub fn set(element: Type, items: Vec<Value>) -> Value {
        let mut marks = Marks::empty();
        let mut items: Vec<Value> = items
            .into_iter()
            .map(|v| {
                marks |= v.deep_marks();
                v.unmark_deep()
            })
            .collect();
        items.sort_by(Value::total_cmp);
        items.dedup_by(|a, b| a.is_wholly_known() && a == b);
        Value::new(Kind::Set(Arc::new(Sequence { element, items }))).with_marks(marks)
    }

    /// A map. Every element must be of the element type.
    pub fn map(element: Type, entries: BTreeMap<Arc<str>, Value>) -> Value {
        Value::new(Kind::Map(Arc::new(Mapping { element, entries })))
    }

    /// An object.
    pub fn object<N: Into<Arc<str>>>(attributes: impl IntoIterator<Item = (N, Value)>) -> Value {
        Value::new(Kind::Object(Arc::new(
            attributes.into_iter().map(|(n, v)| (n.into(), v)).collect(),
        )))
    }

    /// A tuple.
    pub fn tuple(items: Vec<Value>) -> Value {
        Value::new(Kind::Tuple(Arc::new(items)))
    }

    /// The shape, for matching.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// The shape, taken out.
    pub fn into_kind(self) -> Kind {
        self.kind
    }

    /// The marks of this value itself, not of what is inside it.
    pub fn marks(&self) -> Marks {
        self.marks
    }

    /// With these marks added.
    #[must_use]
    pub fn with_marks(mut self, marks: Marks) -> Value {
        self.marks |= marks;
        self
    }

    /// Marked sensitive.
    #[must_use]
    pub fn sensitive(self) -> Value {
        self.with_marks(Marks::SENSITIVE)
    }

    /// Whether this value itself is marked sensitive.
    pub fn is_sensitive(&self) -> bool {
        self.marks.contains(Marks::SENSITIVE)
    }

    /// Without the marks of this value itself.
    #[must_use]
    pub fn unmark(mut self) -> Value {
        self.marks = Marks::empty();
        self
    }

    /// The marks of this value and of everything inside it, joined.
    pub fn deep_marks(&self) -> Marks {
        self.children()
            .fold(self.marks, |marks, child| marks | child.deep_marks())
    }

    /// Without any marks at any depth. Costs nothing where there are none.
    #[must_use]
    pub fn unmark_deep(self) -> Value {
        if self.deep_marks().is_empty() {
            return self;
        }
        self.map_children(Value::unmark_deep).unmark()
    }

    /// This value with each direct child replaced by what `f` returns for it. Sets are made anew;
    /// `f` must keep the element type of collections.
    #[must_use]
    pub fn map_children(self, mut f: impl FnMut(Value) -> Value) -> Value {
        let marks = self.marks;
        let kind = match self.kind {
            Kind::List(s) => Kind::List(Arc::new(Sequence {
                element: s.element.clone(),
                items: s.items.iter().cloned().map(f).collect(),
            })),
            Kind::Set(s) => {
                let made = Value::set(s.element.clone(), s.items.iter().cloned().map(f).collect());
                return made.with_marks(marks);
            }
            Kind::Map(m) => Kind::Map(Arc::new(Mapping {
                element: m.element.clone(),
                entries: m
                    .entries
                    .iter()
                    .map(|(k, v)| (k.clone(), f(v.clone())))
                    .collect(),
            })),
            Kind::Object(o) => Kind::Object(Arc::new(
                o.iter().map(|(k, v)| (k.clone(), f(v.clone()))).collect(),
            )),
            Kind::Tuple(t) => Kind::Tuple(Arc::new(t.iter().cloned().map(f).collect())),
            other => other,
        };
        Value::of(kind, marks)
    }

    /// The direct children: elements of collections and tuples, attributes of objects.
    pub fn children(&self) -> Box<dyn Iterator<Item = &Value> + '_> {
        match &self.kind {
            Kind::List(s) | Kind::Set(s) => Box::new(s.items.iter()),
            Kind::Map(m) => Box::new(m.entries.values()),
            Kind::Object(o) => Box::new(o.values()),
            Kind::Tuple(t) => Box::new(t.iter()),
            _ => Box::new(std::iter::empty()),
        }
    }

    /// The type. Built for structural values, so not free for large ones.
    pub fn ty(&self) -> Type {
        match &self.kind {
            Kind::Null(ty) => ty.clone(),
            Kind::Unknown(u) => u.ty.clone(),
            Kind::Bool(_) => Type::Bool,
            Kind::Number(_) => Type::Number,
            Kind::String(_) => Type::String,
            Kind::List(s) => Type::list(s.element.clone()),
            Kind::Set(s) => Type::set(s.element.clone()),
            Kind::Map(m) => Type::map(m.element.clone()),
            Kind::Object(o) => Type::Object(Arc::new(ObjectType {
                attributes: o.iter().map(|(n, v)| (n.clone(), v.ty())).collect(),
                optional: Default::default(),
            })),
            Kind::Tuple(t) => Type::tuple(t.iter().map(Value::ty).collect()),
        }
    }

    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null(_))
    }

    /// Whether this value itself is known; its children may not be.
    pub fn is_known(&self) -> bool {
        !matches!(self.kind, Kind::Unknown(_))
    }

    /// Whether this value and everything inside it is known.
    pub fn is_wholly_known(&self) -> bool {
        self.is_known() && self.children().all(Value::is_wholly_known)
    }

    /// The bool, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self.kind {
            Kind::Bool(b) => Some(b),
            _ => None,
        }
    }

    /// The number, if this is one.
    pub fn as_number(&self) -> Option<&Number> {
        match &self.kind {
            Kind::Number(n) => Some(n),
            _ => None,
        }
    }

    /// The whole number, if this is one in the range of `i64`.
    pub fn as_i64(&self) -> Option<i64> {
        self.as_number().and_then(Number::to_i64)
    }

    /// The text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(s) => Some(s),
            _ => None,
        }
    }

    /// The elements, if this is a known list, set or tuple.
    pub fn as_slice(&self) -> Option<&[Value]> {
        match &self.kind {
            Kind::List(s) | Kind::Set(s) => Some(&s.items),
            Kind::Tuple(t) => Some(t),
            _ => None,
        }
    }

    /// The entries, if this is a known map or object.
    pub fn as_map(&self) -> Option<&BTreeMap<Arc<str>, Value>> {
        match &self.kind {
            Kind::Map(m) => Some(&m.entries),
            Kind::Object(o) => Some(o),
            _ => None,
        }
    }

    /// What is known of this value, if it is unknown.
    pub fn as_unknown(&self) -> Option<&Unknown> {
        match &self.kind {
            Kind::Unknown(u) => Some(u),
            _ => None,
        }
    }

    /// An attribute of an object or element of a map; `None` where there is none. Marks of the
    /// container are not added: for providers, which see values without marks.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.as_map()?.get(name)
    }

    /// An attribute that is a known, non-null string.
    pub fn get_str(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// An attribute that is a known, non-null bool.
    pub fn get_bool(&self, name: &str) -> Option<bool> {
        self.get(name)?.as_bool()
    }

    /// An attribute that is a known, non-null whole number in the range of `i64`.
    pub fn get_i64(&self, name: &str) -> Option<i64> {
        self.get(name)?.as_i64()
    }

    /// The value at a path, if the path leads anywhere. Set elements are found by equality.
    pub fn at(&self, path: &Path) -> Option<&Value> {
        let mut value = self;
        for step in path.steps() {
            value = match (step, &value.kind) {
                (Step::Attribute(n), Kind::Object(o)) => o.get(n)?,
                (Step::Attribute(n) | Step::Key(n), Kind::Map(m)) => m.entries.get(n)?,
                (Step::Key(n), Kind::Object(o)) => o.get(n)?,
                (Step::Index(i), Kind::List(s) | Kind::Set(s)) => s.items.get(*i)?,
                (Step::Index(i), Kind::Tuple(t)) => t.get(*i)?,
                (Step::Element(e), Kind::Set(s)) => s.items.iter().find(|v| *v == &**e)?,
                _ => return None,
            };
        }
        Some(value)
    }

    /// This object or map with one attribute set; any other value unchanged.
    #[must_use]
    pub fn with(self, name: &str, value: Value) -> Value {
        let marks = self.marks;
        let kind = match self.kind {
            Kind::Object(mut o) => {
                Arc::make_mut(&mut o).insert(name.into(), value);
                Kind::Object(o)
            }
            Kind::Map(mut m) => {
                Arc::make_mut(&mut m).entries.insert(name.into(), value);
                Kind::Map(m)
            }
            other => other,
        };
        Value::of(kind, marks)
    }

    /// This value with what is at `path` replaced by what `f` makes of it; unchanged where the
    /// path leads nowhere.
    #[must_use]
    pub fn update_at(self, path: &[Step], f: &mut dyn FnMut(Value) -> Value) -> Value {
        let Some((first, rest)) = path.split_first() else {
            return f(self);
        };
        let marks = self.marks;
        let kind = match (first, self.kind) {
            (Step::Attribute(n) | Step::Key(n), Kind::Object(mut o)) => {
                if let Some(child) = Arc::make_mut(&mut o).get_mut(n) {
                    *child = std::mem::replace(child, Value::NULL).update_at(rest, f);
                }
                Kind::Object(o)
            }
            (Step::Attribute(n) | Step::Key(n), Kind::Map(mut m)) => {
                if let Some(child) = Arc::make_mut(&mut m).entries.get_mut(n) {
                    *child = std::mem::replace(child, Value::NULL).update_at(rest, f);
                }
                Kind::Map(m)
            }
            (Step::Index(i), Kind::List(mut s)) => {
                if let Some(child) = Arc::make_mut(&mut s).items.get_mut(*i) {
                    *child = std::mem::replace(child, Value::NULL).update_at(rest, f);
                }
                Kind::List(s)
            }
            (Step::Index(i), Kind::Tuple(mut t)) => {
                if let Some(child) = Arc::make_mut(&mut t).get_mut(*i) {
                    *child = std::mem::replace(child, Value::NULL).update_at(rest, f);
                }
                Kind::Tuple(t)
            }
            (Step::Element(e), Kind::Set(s)) => {
                let items = s
                    .items
                    .iter()
                    .map(|v| {
                        if *v == **e {
                            v.clone().update_at(rest, f)
                        } else {
                            v.clone()
                        }
                    })
                    .collect();
                return Value::set(s.element.clone(), items).with_marks(marks);
            }
            (_, other) => other,
        };
        Value::of(kind, marks)
    }

    /// The paths of every value inside that carries this mark (the outermost ones).
    pub fn marked_paths(&self, mark: Marks) -> Vec<Path> {
        let mut found = Vec::new();
        self.collect_marked(mark, &mut Path::root(), &mut found);
        found
    }

    fn collect_marked(&self, mark: Marks, path: &mut Path, found: &mut Vec<Path>) {
        if self.marks.intersects(mark) {
            found.push(path.clone());
            return;
        }
        match &self.kind {
            Kind::List(s) => {
                for (i, v) in s.items.iter().enumerate() {
                    path.push(Step::Index(i));
                    v.collect_marked(mark, path, found);
                    path.pop();
                }
            }
            Kind::Tuple(t) => {
                for (i, v) in t.iter().enumerate() {
                    path.push(Step::Index(i));
                    v.collect_marked(mark, path, found);
                    path.pop();
                }
            }
            Kind::Map(m) => {
                for (k, v) in &m.entries {
                    path.push(Step::Key(k.clone()));
                    v.collect_marked(mark, path, found);
                    path.pop();
                }
            }
            Kind::Object(o) => {
                for (k, v) in o.iter() {
                    path.push(Step::Attribute(k.clone()));
                    v.collect_marked(mark, path, found);
                    path.pop();
                }
            }
            _ => {}
        }
    }

    /// A total order over values, for sorting sets and for stable output. Strings sort by
    /// bytes, numbers by value, `false` before `true`; unknown sorts behind those, and null last. Marks do
    /// not take part.
    pub fn total_cmp(&self, other: &Value) -> Ordering {
        fn rank(k: &Kind) -> u8 {
            match k {
                Kind::Null(_) => 10,
                Kind::Bool(_) => 1,
                Kind::Number(_) => 2,
                Kind::String(_) => 3,
                Kind::List(_) => 4,
                Kind::Tuple(_) => 5,
                Kind::Set(_) => 6,
                Kind::Map(_) => 7,
                Kind::Object(_) => 8,
                Kind::Unknown(_) => 9,
            }
        }
        fn slices(a: &[Value], b: &[Value]) -> Ordering {
            a.iter()
                .zip(b)
                .map(|(x, y)| x.total_cmp(y))
                .find(|o| o.is_ne())
                .unwrap_or_else(|| a.len().cmp(&b.len()))
        }
        fn maps(a: &BTreeMap<Arc<str>, Value>, b: &BTreeMap<Arc<str>, Value>) -> Ordering {
            a.iter()
                .zip(b)
                .map(|((ka, va), (kb, vb))| ka.cmp(kb).then_with(|| va.total_cmp(vb)))
                .find(|o| o.is_ne())
                .unwrap_or_else(|| a.len().cmp(&b.len()))
        }
        match (&self.kind, &other.kind) {
            (Kind::Bool(a), Kind::Bool(b)) => a.cmp(b),
            (Kind::Number(a), Kind::Number(b)) => a.cmp(b),
            (Kind::String(a), Kind::String(b)) => a.cmp(b),
            (Kind::List(a), Kind::List(b)) | (Kind::Set(a), Kind::Set(b)) => {
                slices(&a.items, &b.items)
            }
            (Kind::Tuple(a), Kind::Tuple(b)) => slices(a, b),
            (Kind::Map(a), Kind::Map(b)) => maps(&a.entries, &b.entries),
            (Kind::Object(a), Kind::Object(b)) => maps(a, b),
            (Kind::Unknown(a), Kind::Unknown(b)) => a.ty.cmp(&b.ty),
            (a, b) => rank(a).cmp(&rank(b)),
        }
    }
}

/// Structural equality, marks and the types of nulls left out. An unknown equals only an unknown
/// of the same type and refinements: this is sameness of representation, not the language's `==`.
impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Null(_), Kind::Null(_)) => true,
            (Kind::Unknown(a), Kind::Unknown(b)) => Arc::ptr_eq(a, b) || a == b,
            (Kind::Bool(a), Kind::Bool(b)) => a == b,
            (Kind::Number(a), Kind::Number(b)) => a == b,
            (Kind::String(a), Kind::String(b)) => Arc::ptr_eq(a, b) || a == b,
            (Kind::List(a), Kind::List(b)) | (Kind::Set(a), Kind::Set(b)) => {
                Arc::ptr_eq(a, b) || a.items == b.items
            }
            (Kind::Map(a), Kind::Map(b)) => Arc::ptr_eq(a, b) || a.entries == b.entries,
            (Kind::Object(a), Kind::Object(b)) => Arc::ptr_eq(a, b) || a == b,
            (Kind::Tuple(a), Kind::Tuple(b)) => Arc::ptr_eq(a, b) || a == b,
            _ => false,
        }
    }
}

impl Eq for Value {}

impl From<&str> for Value {
    fn from(s: &str) -> Value {
        Value::string(s)
    }
}

impl From<String> for Value {
    fn from(s: String) -> Value {
        Value::string(s)
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Value {
        Value::new(Kind::Bool(b))
    }
}

impl From<i64> for Value {
    fn from(i: i64) -> Value {
        Value::number(i)
    }
}

impl From<i32> for Value {
    fn from(i: i32) -> Value {
        Value::number(i)
    }
}

impl From<Number> for Value {
    fn from(n: Number) -> Value {
        Value::number(n)
    }
}

/// For debugging and test failures; a sensitive value shows no content.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_sensitive() {
            return f.write_str("(sensitive)");
        }
        match &self.kind {
            Kind::Null(_) => f.write_str("null"),
            Kind::Unknown(u) => write!(f, "unknown({})", u.ty),
            Kind::Bool(b) => write!(f, "{b}"),
            Kind::Number(n) => write!(f, "{n}"),
            Kind::String(s) => write!(f, "{s:?}"),
            Kind::List(s) => f.debug_list().entries(&s.items).finish(),
            Kind::Set(s) => f.debug_set().entries(&s.items).finish(),
            Kind::Map(m) => f.debug_map().entries(&m.entries).finish(),
            Kind::Object(o) => f.debug_map().entries(o.iter()).finish(),
            Kind::Tuple(t) => f.debug_list().entries(t.iter()).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_normalised() {
        assert_eq!(Value::string("e\u{301}"), Value::string("\u{e9}"));
    }

    #[test]
    fn a_set_is_sorted_distinct_and_carries_its_items_marks() {
        let set = Value::set(
            Type::String,
            vec!["b".into(), Value::string("a").sensitive(), "b".into()],
        );
        assert_eq!(set.as_slice().unwrap(), ["a".into(), "b".into()]);
        assert!(set.is_sensitive());
    }

    #[test]
    fn refinements_that_leave_one_value_make_it_known() {
        let refine = |ty, not_null, min_length, max_length| {
            let refinements = Refinements {
                not_null,
                min_length,
                max_length,
                ..Refinements::default()
            };
            Value::unknown_refined(ty, refinements)
        };
        let strings = || Type::list(Type::String);
        assert!(!refine(strings(), false, 0, Some(0)).is_known());
        assert_eq!(
            refine(strings(), true, 0, Some(0)).as_slice(),
            Some(&[][..])
        );
        let two = refine(strings(), true, 2, Some(2));
        assert_eq!(two.as_slice().unwrap().len(), 2);
        assert!(!refine(Type::set(Type::String), true, 2, Some(2)).is_known());
        assert!(refine(Type::map(Type::String), true, 0, Some(0)).is_known());
        assert!(!refine(strings(), true, 5_000, Some(5_000)).is_known());
    }

    #[test]
    fn the_extent_counts_shared_parts_each_time() {
        let mut value = Value::string("x");
        for _ in 0..40 {
            value = Value::tuple(vec![value.clone(), value]);
        }
        assert_eq!(value.extent().depth, 40);
        assert_eq!(value.extent().parts, u32::MAX);
        let pair = Value::object([("a", Value::from(1)), ("b", 2.into())]);
        let three = pair.clone().with("c", pair);
        assert_eq!(three.extent(), Extent { parts: 6, depth: 2 });
        let bytes = rmp_serde::to_vec(&three).unwrap();
        let back: Value = rmp_serde::from_slice(&bytes).unwrap();
        assert_eq!(back.extent(), three.extent());
    }

    #[test]
    fn values_survive_encoding() {
        let value = Value::object([
            ("secret", Value::string("s").sensitive()),
            ("later", Value::unknown(Type::list(Type::String))),
            (
                "n",
                Value::number("12345678901234567890.5".parse::<Number>().unwrap()),
            ),
        ]);
        let bytes = rmp_serde::to_vec(&value).unwrap();
        let back: Value = rmp_serde::from_slice(&bytes).unwrap();
        assert_eq!(back, value);
        assert!(back.get("secret").unwrap().is_sensitive());
    }
}
