//! Planning by schema: the rules that hold for every resource type.
//!
//! The proposed object takes every attribute from the configuration where it is set, else from
//! the prior object where the provider computes it, else it is unknown (on creation) or null.
//! Source of the rules: OpenTofu's "Planning Behaviors" and "Resource Instance Change Lifecycle"
//! documents.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::path::{Path, Step};
use crate::provider::{PlanRequest, PlannedResource};
use crate::schema::{Attribute, Block, Mode, NestedBlock, Nesting, Schema};
use crate::value::{Kind, Value};

/// The default plan of one object: [`propose`] with recomputed attributes unknown when anything
/// changes, and the paths of changed attributes that force replacement.
pub fn plan(schema: &Schema, request: &PlanRequest) -> PlannedResource {
    let Some(prior) = &request.prior else {
        return PlannedResource {
            value: request.proposed.clone(),
            requires_replace: Vec::new(),
        };
    };
    if request.proposed == prior.value {
        return PlannedResource {
            value: prior.value.clone(),
            requires_replace: Vec::new(),
        };
    }
    let value = forget_recomputed(&schema.block, &request.proposed, &request.config);
    let mut requires_replace = Vec::new();
    replace_paths(
        &schema.block,
        &prior.value,
        &value,
        &mut Path::root(),
        &mut requires_replace,
    );
    PlannedResource {
        value,
        requires_replace,
    }
}

/// Merges configuration and prior object. Without a prior object, computed attributes that the
/// configuration leaves out are unknown.
pub fn propose(block: &Block, prior: Option<&Value>, config: &Value) -> Value {
    let prior = prior.filter(|p| !p.is_null());
    if let Kind::Unknown(_) = config.kind() {
        return Value::unknown(block.ty());
    }
    let mut made = BTreeMap::new();
    for (name, attribute) in &block.attributes {
        let value = propose_attribute(attribute, prior.map(|p| p.get(name)), config.get(name));
        made.insert(name.clone(), value);
    }
    for (name, nested) in &block.blocks {
        let prior_value = prior.map(|p| p.get(name));
        let value = propose_nested(nested, prior_value, config.get(name));
        made.insert(name.clone(), value);
    }
    Value::new(Kind::Object(Arc::new(made)))
}

/// `prior` is `None` on creation, `Some(None)` where the prior object lacks the attribute.
fn propose_attribute(
    attribute: &Attribute,
    prior: Option<Option<&Value>>,
    config: Option<&Value>,
) -> Value {
    if attribute.write_only {
        return Value::null(attribute.ty.clone());
    }
    match config {
        Some(v) if !v.is_null() && attribute.mode != Mode::Computed => v.clone(),
        _ if attribute.mode.is_computed() => match prior {
            None => Value::unknown(attribute.ty.clone()),
            Some(Some(v)) => v.clone(),
            // A newer schema than the stored object: the provider will say.
            Some(None) => Value::unknown(attribute.ty.clone()),
        },
        _ => match &attribute.default {
            Some(v) => v.clone(),
            None => Value::null(attribute.ty.clone()),
        },
    }
}

fn propose_nested(
    nested: &NestedBlock,
    prior: Option<Option<&Value>>,
    config: Option<&Value>,
) -> Value {
    let configured = config.filter(|c| !c.is_null());
    if let Some(c) = configured
        && !c.is_known()
    {
        return Value::unknown(nested.ty());
    }
    let Some(config) = configured else {
        return match prior {
            None if nested.computed => Value::unknown(nested.ty()),
            Some(Some(p)) if nested.computed => p.clone(),
            _ => nested.empty(),
        };
    };
    // An empty collection says that there are none, also where the provider fills in what is left
    // out.
    if nested.nesting != Nesting::Single && config.children().next().is_none() {
        return nested.empty();
    }
    let prior = prior.flatten().filter(|p| !p.is_null());
    match nested.nesting {
        Nesting::Single => propose(&nested.block, prior, config),
        Nesting::List => {
            let olds = prior.and_then(Value::as_slice).unwrap_or_default();
            let items: Vec<Value> = config
                .as_slice()
                .unwrap_or_default()
                .iter()
                .enumerate()
                .map(|(i, c)| propose(&nested.block, olds.get(i), c))
                .collect();
            match config.kind() {
                Kind::Tuple(_) => Value::tuple(items),
                _ => Value::list(nested.block.ty(), items),
            }
        }
        Nesting::Set => {
            let mut olds: Vec<&Value> = prior
                .and_then(Value::as_slice)
                .unwrap_or_default()
                .iter()
                .collect();
            let items = config
                .as_slice()
                .unwrap_or_default()
                .iter()
                .map(|c| {
                    let same = olds.iter().position(|o| could_be(&nested.block, o, c));
                    let old = same.map(|i| olds.remove(i));
                    propose(&nested.block, old, c)
                })
                .collect();
            Value::set(nested.block.ty(), items)
        }
        Nesting::Map => {
            let olds = prior.and_then(Value::as_map);
            let entries = config
                .as_map()
                .into_iter()
                .flatten()
                .map(|(k, c)| {
                    (
                        k.clone(),
                        propose(&nested.block, olds.and_then(|o| o.get(k)), c),
                    )
                })
                .collect();
            Value::map(nested.block.ty(), entries)
        }
    }
}

/// Whether a prior element of a set is the one that this configuration describes: all that the
/// configuration sets is the same, and what it leaves out is computed, defaulted or null.
fn could_be(block: &Block, prior: &Value, config: &Value) -> bool {
    let attributes = block.attributes.iter().all(|(name, a)| {
        if a.write_only {
            return true; // the object does not have it
        }
        let old = prior.get(name).unwrap_or(&Value::NULL);
        match config.get(name) {
            Some(c) if !c.is_null() => c == old,
            _ => a.mode.is_computed() || old.is_null() || a.default.as_ref() == Some(old),
        }
    });
    attributes
        && block.blocks.iter().all(|(name, nested)| {
            let proposed = propose_nested(nested, Some(prior.get(name)), config.get(name));
            prior.get(name).is_some_and(|old| *old == proposed)
        })
}

/// The planned object of an update: attributes that every update computes anew become unknown.
pub fn forget_recomputed(block: &Block, planned: &Value, config: &Value) -> Value {
    let Kind::Object(object) = planned.kind() else {
        return planned.clone();
    };
    let mut made = (**object).clone();
    for (name, attribute) in &block.attributes {
        if attribute.recomputed && config.get(name).is_none_or(Value::is_null) {
            made.insert(name.clone(), Value::unknown(attribute.ty.clone()));
        }
    }
    for (name, nested) in &block.blocks {
        let (Some(p), Some(c)) = (planned.get(name), config.get(name)) else {
            continue;
        };
        let value = match (nested.nesting, p.kind()) {
            (Nesting::Single, Kind::Object(_)) => forget_recomputed(&nested.block, p, c),
            (Nesting::List, Kind::List(s)) => {
                let configs = c.as_slice().unwrap_or_default();
                let items = s
                    .items
                    .iter()
                    .enumerate()
                    .map(|(i, v)| match configs.get(i) {
                        Some(c) => forget_recomputed(&nested.block, v, c),
                        None => v.clone(),
                    });
                Value::list(s.element.clone(), items.collect())
            }
            _ => continue,
        };
        made.insert(name.clone(), value);
    }
    Value::new(Kind::Object(Arc::new(made)))
}

/// Collects the paths at which `planned` differs from `prior` in something that forces a new
/// object. A value that is unknown counts as different.
pub fn replace_paths(
    block: &Block,
    prior: &Value,
    planned: &Value,
    path: &mut Path,
    found: &mut Vec<Path>,
) {
    for (name, attribute) in &block.attributes {
        if attribute.force_new
            && prior.get(name).unwrap_or(&Value::NULL) != planned.get(name).unwrap_or(&Value::NULL)
        {
            found.push(path.clone().attr(name.clone()));
        }
    }
    for (name, nested) in &block.blocks {
        let old = prior.get(name).unwrap_or(&Value::NULL);
        let new = planned.get(name).unwrap_or(&Value::NULL);
        if old == new {
            continue;
        }
        path.push(Step::Attribute(name.clone()));
        match nested.nesting {
            Nesting::Single if !old.is_null() && !new.is_null() && new.is_known() => {
                replace_paths(&nested.block, old, new, path, found);
            }
            Nesting::List if new.is_known() => {
                let (olds, news) = (
                    old.as_slice().unwrap_or_default(),
                    new.as_slice().unwrap_or_default(),
                );
                for (i, (o, n)) in olds.iter().zip(news).enumerate() {
                    path.push(Step::Index(i));
                    replace_paths(&nested.block, o, n, path, found);
                    path.pop();
                }
                if olds.len() != news.len() && forces_new(nested) {
                    found.push(path.clone());
                }
            }
            _ if forces_new(nested) => found.push(path.clone()),
            _ => {}
        }
        path.pop();
    }
}

/// Whether adding or removing such a block forces a new object: it says so, or an argument in it
/// does.
fn forces_new(nested: &NestedBlock) -> bool {
    nested.force_new
        || nested.block.attributes.values().any(|a| a.force_new)
        || nested.block.blocks.values().any(forces_new)
}

/// An object with the attributes and blocks that its schema has and it lacks added as null, and
/// those that the schema lacks dropped.
pub fn fill_missing(block: &Block, value: Value) -> Value {
    let Kind::Object(object) = value.kind() else {
        return value;
    };
    let attributes = block.attributes.iter().map(|(name, a)| {
        let v = object
            .get(name)
            .cloned()
            .unwrap_or_else(|| Value::null(a.ty.clone()));
        (name.clone(), v)
    });
    let blocks = block.blocks.iter().map(|(name, nested)| {
        let v = match object.get(name) {
            None => nested.empty(),
            Some(v) => match nested.nesting {
                Nesting::Single => fill_missing(&nested.block, v.clone()),
                _ => {
                    let items: Vec<Value> = v
                        .children()
                        .map(|v| fill_missing(&nested.block, v.clone()))
                        .collect();
                    match v.kind() {
                        Kind::Map(m) => Value::object(m.entries.keys().cloned().zip(items)),
                        _ => Value::tuple(items),
                    }
                }
            },
        };
        (name.clone(), v)
    });
    Value::object(attributes.chain(blocks))
}

/// An object with every unknown value in it replaced by null: what is stored of an object whose
/// creation failed half-way.
pub fn nulls_for_unknowns(value: Value) -> Value {
    match value.kind() {
        Kind::Unknown(u) => Value::null(u.ty.clone()).with_marks(value.marks()),
        _ => value.map_children(nulls_for_unknowns),
    }
}

/// An object with everything in it that is only written, never kept, replaced by null: what is
/// planned, stored and shown of an object, and of a configuration that is kept.
pub fn without_write_only(block: &Block, value: Value) -> Value {
    if !has_write_only(block) {
        return value;
    }
    let Kind::Object(object) = value.kind() else {
        return value;
    };
    let mut made = (**object).clone();
    for (name, attribute) in &block.attributes {
        if attribute.write_only && made.contains_key(name) {
            made.insert(name.clone(), Value::null(attribute.ty.clone()));
        }
    }
    for (name, nested) in &block.blocks {
        if let Some(v) = made.get_mut(name) {
            let old = std::mem::replace(v, Value::NULL);
            *v = match nested.nesting {
                Nesting::Single => without_write_only(&nested.block, old),
                _ => old.map_children(|v| without_write_only(&nested.block, v)),
            };
        }
    }
    Value::new(Kind::Object(Arc::new(made))).with_marks(value.marks())
}

fn has_write_only(block: &Block) -> bool {
    block.attributes.values().any(|a| a.write_only)
        || block.blocks.values().any(|b| has_write_only(&b.block))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Type;

    fn schema() -> Schema {
        let rule = Block::new()
            .attr("port", Attribute::required(Type::Number))
            .attr("id", Attribute::computed(Type::String));
        Schema::new(
            Block::new()
                .attr("id", Attribute::computed(Type::String))
                .attr("name", Attribute::required(Type::String).force_new())
                .attr("size", Attribute::optional(Type::Number).default(3))
                .attr("zone", Attribute::optional_computed(Type::String))
                .attr("revision", Attribute::computed(Type::Number).recomputed())
                .block("rule", NestedBlock::new(Nesting::Set, rule.clone()))
                .block("step", NestedBlock::new(Nesting::List, rule)),
        )
    }

    fn config(name: &str, ports: &[i64]) -> Value {
        let schema = schema();
        let rules = ports
            .iter()
            .map(|p| Value::object([("port", Value::from(*p)), ("id", Value::null(Type::String))]))
            .collect();
        fill_missing(&schema.block, Value::object([("name", Value::from(name))])).with(
            "rule",
            Value::set(schema.block.blocks["rule"].block.ty(), rules),
        )
    }

    fn planned(prior: Option<Value>, config: Value) -> PlannedResource {
        let schema = schema();
        let proposed = propose(&schema.block, prior.as_ref(), &config);
        let prior = prior.map(Into::into);
        plan(
            &schema,
            &PlanRequest {
                type_name: "t".into(),
                prior,
                config,
                proposed,
            },
        )
    }

    /// What a provider would make of a plan: every unknown gets a value.
    fn applied(value: Value) -> Value {
        match value.kind() {
            Kind::Unknown(u) if u.ty == Type::Number => Value::from(7),
            Kind::Unknown(_) => Value::from("made"),
            _ => value.map_children(applied),
        }
    }

    #[test]
    fn creation_knows_what_is_configured_and_defaulted() {
        let plan = planned(None, config("a", &[]));
        assert_eq!(plan.value.get_str("name"), Some("a"));
        assert_eq!(plan.value.get_i64("size"), Some(3));
        assert!(!plan.value.get("id").unwrap().is_known());
        assert!(!plan.value.get("zone").unwrap().is_known());
    }

    #[test]
    fn nothing_changes_when_nothing_changed() {
        let made = applied(planned(None, config("a", &[80, 443])).value);
        let again = planned(Some(made.clone()), config("a", &[443, 80]));
        assert_eq!(again.value, made);
        assert!(again.requires_replace.is_empty());
    }

    #[test]
    fn an_update_recomputes_what_it_must_and_keeps_the_rest() {
        let made = applied(planned(None, config("a", &[80])).value);
        let plan = planned(Some(made), config("a", &[80, 443]));
        assert_eq!(plan.value.get_str("id"), Some("made"));
        assert!(!plan.value.get("revision").unwrap().is_known());
        let rules = plan.value.get("rule").unwrap().as_slice().unwrap();
        assert!(
            rules
                .iter()
                .any(|r| r.get_i64("port") == Some(80) && r.get_str("id") == Some("made"))
        );
        assert!(
            rules
                .iter()
                .any(|r| r.get_i64("port") == Some(443) && !r.get("id").unwrap().is_known())
        );
        assert!(plan.requires_replace.is_empty());
    }

    #[test]
    fn a_changed_force_new_attribute_is_named() {
        let made = applied(planned(None, config("a", &[])).value);
        let plan = planned(Some(made), config("b", &[]));
        assert_eq!(plan.requires_replace, [Path::attribute("name")]);
    }

    #[test]
    fn what_is_only_written_is_kept_nowhere() {
        let user = Block::new()
            .attr("name", Attribute::required(Type::String))
            .attr("key_wo", Attribute::optional(Type::String).write_only());
        let block = Block::new()
            .attr("name", Attribute::required(Type::String))
            .attr("secret_wo", Attribute::optional(Type::String).write_only())
            .block("user", NestedBlock::new(Nesting::Set, user.clone()))
            .block("owner", NestedBlock::new(Nesting::Single, user.clone()));
        let person = |key: Value| Value::object([("name", Value::from("p")), ("key_wo", key)]);
        let object = |secret: Value, key: Value| {
            let plain = key.clone().unmark();
            Value::object([
                ("name", Value::from("a")),
                ("secret_wo", secret),
                ("user", Value::set(user.ty(), vec![person(plain)])),
                ("owner", person(key)),
            ])
        };
        let written = object(Value::from("s"), Value::from("k").sensitive());
        let kept = object(Value::null(Type::String), Value::null(Type::String));
        assert_eq!(without_write_only(&block, written.clone()), kept);
        let stripped = without_write_only(&block, written.clone());
        assert!(stripped.deep_marks().is_empty());
        // An element of a set is the same one whatever is written to it.
        let plan = propose(&block, Some(&kept), &written.unmark_deep());
        assert_eq!(plan, kept);
    }
}
