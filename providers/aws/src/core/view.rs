//! Making a resource's value out of an API's answer.
//!
//! A view starts from the object as last known, so that what the API never tells (passwords,
//! flags of a deletion, timeouts) is carried over; each field that the API does tell replaces the
//! old one. An empty answer stays null or empty, as it was: to AWS they are the same, and a plan
//! must not show a difference that is none. The result is brought to the schema's types by the
//! driver, so lists, sets and blocks can be built as tuples and objects here.

use topo_sdk::{Type, Value};

use super::clients::Aws;
use super::tags::Tags;

/// A value being made.
pub(crate) struct View {
    value: Value,
}

impl View {
    /// Starts from what was known.
    pub fn of(known: &Value) -> View {
        View {
            value: known.clone(),
        }
    }

    /// Sets an attribute.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) -> &mut View {
        self.value = std::mem::replace(&mut self.value, Value::NULL).with(name, value.into());
        self
    }

    /// Sets a string that AWS may leave out. Empty counts as left out.
    pub fn text(&mut self, name: &str, found: Option<&str>) -> &mut View {
        let found = found.filter(|s| !s.is_empty());
        let was_empty = self.value.get_str(name) == Some("");
        match found {
            Some(text) => self.set(name, text),
            None if was_empty => self,
            None => self.set(name, Value::null(Type::String)),
        }
    }

    /// Sets a string; keeps the old one where the answer has none (an incomplete answer).
    pub fn text_or_kept(&mut self, name: &str, found: Option<&str>) -> &mut View {
        match found.filter(|s| !s.is_empty()) {
            Some(text) => self.set(name, text),
            None => self,
        }
    }

    /// Sets a number that AWS may leave out.
    pub fn int(&mut self, name: &str, found: Option<i32>) -> &mut View {
        self.set(name, found.map_or(Value::null(Type::Number), Value::from))
    }

    /// Sets a flag; left out means false.
    pub fn flag(&mut self, name: &str, found: Option<bool>) -> &mut View {
        self.set(name, found.unwrap_or_default())
    }

    /// Sets a list or set of strings. An empty one stays null where it was null.
    pub fn texts<S: AsRef<str>>(
        &mut self,
        name: &str,
        found: impl IntoIterator<Item = S>,
    ) -> &mut View {
        let items: Vec<Value> = found.into_iter().map(|s| Value::string(s)).collect();
        let was_null = self
            .value
            .get(name)
            .is_none_or(|v| v.is_null() || !v.is_known());
        if items.is_empty() && was_null {
            self.set(name, Value::NULL)
        } else {
            self.set(name, Value::tuple(items))
        }
    }

    /// Sets a list or set of strings that is never null.
    pub fn all_texts<S: AsRef<str>>(
        &mut self,
        name: &str,
        found: impl IntoIterator<Item = S>,
    ) -> &mut View {
        self.set(name, texts(found))
    }

    /// Sets a map of strings. An empty one stays null where it was null.
    pub fn map(&mut self, name: &str, found: Tags) -> &mut View {
        let was_null = self
            .value
            .get(name)
            .is_none_or(|v| v.is_null() || !v.is_known());
        if found.is_empty() && was_null {
            return self.set(name, Value::null(Type::map(Type::String)));
        }
        let entries = found.into_iter().map(|(k, v)| (k.into(), v.into()));
        self.set(name, Value::map(Type::String, entries.collect()))
    }

    /// Sets a JSON document, keeping the old text where the new one means the same.
    pub fn document(
        &mut self,
        name: &str,
        found: Option<&str>,
        same: fn(&str, &str) -> bool,
    ) -> &mut View {
        match (self.value.get_str(name), found) {
            (Some(old), Some(new)) if same(old, new) => self,
            _ => self.text(name, found),
        }
    }

    /// Sets `tags` and `tags_all`.
    pub fn tags(&mut self, aws: &Aws, found: Tags) -> &mut View {
        let (tags, all) = aws.tags.split(found, &self.value);
        self.set("tags", tags).set("tags_all", all)
    }

    /// What is in an attribute now.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.value.get(name)
    }

    /// The value.
    pub fn done(&mut self) -> Value {
        std::mem::replace(&mut self.value, Value::NULL)
    }
}

/// A tuple of strings, to become a list or set of them.
pub(crate) fn texts<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> Value {
    Value::tuple(items.into_iter().map(|s| Value::string(s)).collect())
}

/// A string, or null for none or an empty one.
pub(crate) fn text(found: Option<&str>) -> Value {
    found
        .filter(|s| !s.is_empty())
        .map_or(Value::null(Type::String), Value::from)
}

/// A number, or null.
pub(crate) fn int(found: Option<i32>) -> Value {
    found.map_or(Value::null(Type::Number), Value::from)
}

/// A nested block that appears at most once.
pub(crate) fn one_block<N: Into<std::sync::Arc<str>>>(
    attributes: impl IntoIterator<Item = (N, Value)>,
) -> Value {
    Value::tuple(vec![Value::object(attributes)])
}

/// No nested block.
pub(crate) fn no_block() -> Value {
    Value::tuple(Vec::new())
}

/// The known strings of a list or set.
pub(crate) fn strings(object: &Value, name: &str) -> Vec<String> {
    object
        .get(name)
        .and_then(Value::as_slice)
        .unwrap_or_default()
        .iter()
        .filter_map(|v| Some(v.as_str()?.to_owned()))
        .collect()
}

/// The known strings of a list or set, or `None` where there are none.
pub(crate) fn some_strings(object: &Value, name: &str) -> Option<Vec<String>> {
    Some(strings(object, name)).filter(|s| !s.is_empty())
}

/// A string argument.
pub(crate) fn string(object: &Value, name: &str) -> Option<String> {
    object
        .get_str(name)
        .filter(|s| !s.is_empty())
        .map(str::to_owned)
}

/// A whole number that fits the API's `i32`; clamped, the API then refuses it.
pub(crate) fn number(object: &Value, name: &str) -> Option<i32> {
    object
        .get_i64(name)
        .map(|n| i32::try_from(n).unwrap_or(if n < 0 { i32::MIN } else { i32::MAX }))
}

/// The one nested block of this name.
pub(crate) fn nested<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    object.get(name)?.as_slice()?.first()
}

/// The nested blocks of this name.
pub(crate) fn blocks<'a>(object: &'a Value, name: &str) -> &'a [Value] {
    object
        .get(name)
        .and_then(Value::as_slice)
        .unwrap_or_default()
}

/// Whether an argument is to change.
pub(crate) fn changed(prior: &Value, planned: &Value, name: &str) -> bool {
    let new = planned.get(name).unwrap_or(&Value::NULL);
    new.is_known() && prior.get(name).unwrap_or(&Value::NULL) != new
}

/// Whether any of these arguments is to change.
pub(crate) fn any_changed(prior: &Value, planned: &Value, names: &[&str]) -> bool {
    names.iter().any(|n| changed(prior, planned, n))
}
