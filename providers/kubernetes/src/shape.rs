//! The shape of an API object beside its schema: which attribute is which API field, and how the
//! two spell a value. Made together with the schema by [`crate::derive`]; [`crate::write`] and
//! [`crate::read`] walk it.

use std::sync::Arc;

/// The fields of an API object that a block has.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    /// In no particular order.
    pub fields: Vec<Field>,
}

/// An attribute or block and its API field.
#[derive(Debug, Clone)]
pub struct Field {
    /// The name in the schema.
    pub name: Arc<str>,
    /// The name in the API.
    pub api: Arc<str>,
    /// How its value is made of the API's.
    pub kind: FieldKind,
    /// Who decides the value.
    pub source: Source,
}

/// Who decides a field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The configuration alone: what it leaves out is none of topo's business.
    Configuration,
    /// The configuration, else the API. Sent only when configured, read always.
    Either,
    /// The API. Never sent, read always.
    Api,
    /// The configuration. Never read; see [`crate::write_only`].
    WriteOnly,
}

/// What a field holds.
#[derive(Debug, Clone)]
pub enum FieldKind {
    /// One value.
    Scalar(Scalar),
    /// An ordered list of values; the API replaces it as a whole.
    List(Scalar),
    /// A set of values.
    Set(Scalar),
    /// Values by name.
    Map {
        /// What the values are.
        values: Scalar,
        /// Whether the API replaces it as a whole; otherwise each key has its own owner.
        atomic: bool,
    },
    /// An object: a list of at most one block.
    Block(Shape),
    /// An array of objects.
    Blocks {
        /// What each is.
        shape: Shape,
        /// The API fields that tell one from another; empty when the API replaces the array as
        /// a whole.
        keys: &'static [&'static str],
        /// Whether the blocks are a set.
        set: bool,
    },
    /// A block whose fields the API has directly in the object around it.
    Inline(Shape),
}

/// How one value is spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scalar {
    /// Text in both.
    String,
    /// A bool in both.
    Bool,
    /// A number in both.
    Number,
    /// Text here; a number there when it is one.
    IntOrString,
    /// Text in both, where different texts can be the same amount.
    Quantity,
    /// Text here, a whole number there.
    IntText,
    /// Octal digits here, a whole number there.
    Octal,
    /// Plain text here, Base64 there.
    Base64,
}

impl Shape {
    /// The field of an API name.
    pub fn by_api(&self, api: &str) -> Option<&Field> {
        self.fields.iter().find(|f| &*f.api == api)
    }
}
