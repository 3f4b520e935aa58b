//! Tags: what the provider block adds to all objects, what it leaves alone, and how `tags` and
//! `tags_all` are told apart when an object is read.

use std::collections::BTreeMap;
use std::sync::Arc;

use topo_sdk::{Attribute, Block, PlanRequest, PlannedResource, Type, Value};

/// Tags by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// What the provider block says about tags.
#[derive(Debug, Clone, Default)]
pub(crate) struct TagRules {
    /// Added to every object that does not set the key itself.
    pub defaults: Tags,
    /// Keys that topo does not look at.
    pub ignore_keys: Vec<String>,
    /// Prefixes of keys that topo does not look at.
    pub ignore_prefixes: Vec<String>,
}

/// `tags` and `tags_all`, as every type that can be tagged has them.
pub(crate) fn tagged(block: Block) -> Block {
    let map = Type::map(Type::String);
    block
        .attr(
            "tags",
            Attribute::optional(map.clone()).describe("Tags of the object."),
        )
        .attr(
            "tags_all",
            Attribute::computed(map)
                .describe("Tags of the object with the provider's default_tags."),
        )
}

/// The known tags of a map value.
pub(crate) fn from_value(value: Option<&Value>) -> Tags {
    value
        .and_then(Value::as_map)
        .into_iter()
        .flatten()
        .filter_map(|(k, v)| Some((k.to_string(), v.as_str()?.to_owned())))
        .collect()
}

impl TagRules {
    /// The tags that an object is to have: its own over the defaults.
    pub fn wanted(&self, object: &Value) -> Tags {
        let mut all = self.defaults.clone();
        all.extend(from_value(object.get("tags")));
        all
    }

    /// `tags_all` of a planned object; unknown as a whole or in parts where `tags` is.
    fn merged(&self, tags: Option<&Value>) -> Value {
        let own = match tags {
            Some(t) if !t.is_known() => return Value::unknown(Type::map(Type::String)),
            Some(t) => t.as_map().cloned().unwrap_or_default(),
            None => BTreeMap::new(),
        };
        let mut all: BTreeMap<Arc<str>, Value> = self
            .defaults
            .iter()
            .map(|(k, v)| (k.as_str().into(), v.as_str().into()))
            .collect();
        all.extend(own.into_iter().filter(|(_, v)| !v.is_null()));
        Value::map(Type::String, all)
    }

    /// Whether topo leaves this key alone: AWS's own, and those of `ignore_tags`.
    fn ignored(&self, key: &str) -> bool {
        key.starts_with("aws:")
            || self.ignore_keys.iter().any(|k| k == key)
            || self.ignore_prefixes.iter().any(|p| key.starts_with(p))
    }

    /// `tags` and `tags_all` of an object that was read. A tag that equals a default one counts
    /// as the default unless the object set it itself before.
    pub fn split(&self, found: Tags, before: &Value) -> (Value, Value) {
        let own = from_value(before.get("tags"));
        let all: Tags = found
            .into_iter()
            .filter(|(k, _)| !self.ignored(k) || own.contains_key(k))
            .collect();
        let tags: BTreeMap<Arc<str>, Value> = all
            .iter()
            .filter(|(k, v)| own.contains_key(*k) || self.defaults.get(*k) != Some(v))
            .map(|(k, v)| (k.as_str().into(), v.as_str().into()))
            .collect();
        let was_null = before
            .get("tags")
            .is_none_or(|t| t.is_null() || !t.is_known());
        let tags = if tags.is_empty() && was_null {
            Value::null(Type::map(Type::String))
        } else {
            Value::map(Type::String, tags)
        };
        let all = all.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
        (tags, Value::map(Type::String, all))
    }
}

/// Corrects `tags_all` in a plan. Without rules (a provider that is not configured yet) it is
/// unknown wherever `tags` changes.
pub(crate) fn plan(
    rules: Option<&TagRules>,
    request: &PlanRequest,
    mut planned: PlannedResource,
) -> PlannedResource {
    if planned.value.get("tags_all").is_none() {
        return planned;
    }
    let prior = request.prior.as_ref().map(|p| &p.value);
    let same = prior.is_some_and(|p| p.get("tags") == planned.value.get("tags"));
    let all = match rules {
        Some(rules) => rules.merged(planned.value.get("tags")),
        None if same => return planned,
        None => Value::unknown(Type::map(Type::String)),
    };
    planned.value = planned.value.with("tags_all", all);
    planned
}

/// What to set and what to remove to get from one set of tags to another.
pub(crate) fn changes(old: &Tags, new: &Tags) -> (Tags, Vec<String>) {
    let set = new
        .iter()
        .filter(|(k, v)| old.get(*k) != Some(v))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    let remove = old
        .keys()
        .filter(|k| !new.contains_key(*k))
        .cloned()
        .collect();
    (set, remove)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    fn object(pairs: &[(&str, &str)]) -> Value {
        let map = pairs
            .iter()
            .map(|(k, v)| (Arc::from(*k), Value::from(*v)))
            .collect();
        Value::object([("tags", Value::map(Type::String, map))])
    }

    fn rules() -> TagRules {
        TagRules {
            defaults: tags(&[("team", "edge"), ("env", "prod")]),
            ignore_keys: vec!["scanned".into()],
            ignore_prefixes: vec!["kubernetes.io/".into()],
        }
    }

    #[test]
    fn own_tags_win_over_defaults() {
        assert_eq!(
            rules().wanted(&object(&[("env", "dev")])),
            tags(&[("team", "edge"), ("env", "dev")])
        );
    }

    #[test]
    fn reading_tells_defaults_from_own_and_ignores_what_it_should() {
        let found = tags(&[
            ("team", "edge"),
            ("env", "dev"),
            ("scanned", "yes"),
            ("kubernetes.io/cluster/a", "owned"),
            ("aws:cloudformation:stack-name", "s"),
        ]);
        let (own, all) = rules().split(found, &object(&[("env", "dev")]));
        assert_eq!(from_value(Some(&own)), tags(&[("env", "dev")]));
        assert_eq!(
            from_value(Some(&all)),
            tags(&[("team", "edge"), ("env", "dev")])
        );
    }

    #[test]
    fn no_own_tags_stay_null() {
        let (own, _) = rules().split(tags(&[("team", "edge")]), &Value::object::<&str>([]));
        assert!(own.is_null());
    }

    #[test]
    fn changes_between_sets_of_tags() {
        let (set, remove) = changes(
            &tags(&[("a", "1"), ("b", "2"), ("c", "3")]),
            &tags(&[("a", "1"), ("b", "4"), ("d", "5")]),
        );
        assert_eq!(set, tags(&[("b", "4"), ("d", "5")]));
        assert_eq!(remove, ["c"]);
    }
}
