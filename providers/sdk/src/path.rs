//! Paths into a value: `spec[0].max_replicas`, `tags["Name"]`.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::value::Value;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// Into an attribute of an object.
    Attribute(Arc<str>),
    /// Into an element of a list or tuple.
    Index(usize),
    /// Into an element of a map.
    Key(Arc<str>),
    /// Into an element of a set, which is named by its value.
    Element(Box<Value>),
}

/// A path from a value to one inside it. The empty path is the value itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Path(Vec<Step>);

impl Path {
    /// The empty path.
    pub fn root() -> Path {
        Path(Vec::new())
    }

    /// The path to an attribute of the value.
    pub fn attribute(name: impl Into<Arc<str>>) -> Path {
        Path(vec![Step::Attribute(name.into())])
    }

    /// This path, one attribute further.
    #[must_use]
    pub fn attr(mut self, name: impl Into<Arc<str>>) -> Path {
        self.0.push(Step::Attribute(name.into()));
        self
    }

    /// This path, one list element further.
    #[must_use]
    pub fn index(mut self, index: usize) -> Path {
        self.0.push(Step::Index(index));
        self
    }

    /// This path, one map element further.
    #[must_use]
    pub fn key(mut self, key: impl Into<Arc<str>>) -> Path {
        self.0.push(Step::Key(key.into()));
        self
    }

    /// Adds a step in place.
    pub fn push(&mut self, step: Step) {
        self.0.push(step);
    }

    /// Takes the last step off.
    pub fn pop(&mut self) -> Option<Step> {
        self.0.pop()
    }

    /// The steps from the outside in.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Whether this is the empty path.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `self` leads to `other` or to something around it.
    pub fn is_prefix_of(&self, other: &Path) -> bool {
        other.0.starts_with(&self.0)
    }

    /// The name of the outermost attribute, when the path starts with one.
    pub fn first_attribute(&self) -> Option<&str> {
        match self.0.first() {
            Some(Step::Attribute(n)) => Some(n),
            _ => None,
        }
    }
}

impl From<Vec<Step>> for Path {
    fn from(steps: Vec<Step>) -> Path {
        Path(steps)
    }
}

/// The language's own syntax, without a leading dot.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Attribute(n) if i == 0 => f.write_str(n)?,
                Step::Attribute(n) => write!(f, ".{n}")?,
                Step::Index(n) => write!(f, "[{n}]")?,
                Step::Key(k) => write!(f, "[{k:?}]")?,
                Step::Element(_) => f.write_str("[...]")?,
            }
        }
        Ok(())
    }
}
