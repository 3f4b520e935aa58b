//! Simulated data sources: an override, else the simulated object that the arguments describe,
//! else, for what a configuration may expect to exist already, an invention.

use std::borrow::Cow;

use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};
use topo_sdk::provider::unknown_type;
use topo_sdk::{Diagnostics, Schema, Type, Value, json};

use crate::cloud::Record;
use crate::identity;
use crate::invent::Inventor;
use crate::overrides;
use crate::simulate::Simulation;

/// Data sources that list objects: the objects' type, the attribute of each that is listed, and
/// the attributes of the result that hold the list.
const LISTS: &[(&str, &str, &str, &[&str])] = &[
    ("aws_eks_clusters", "aws_eks_cluster", "name", &["names"]),
    (
        "aws_eks_node_groups",
        "aws_eks_node_group",
        "node_group_name",
        &["names"],
    ),
    ("aws_instances", "aws_instance", "id", &["ids"]),
    ("aws_nat_gateways", "aws_nat_gateway", "id", &["ids"]),
    ("aws_route_tables", "aws_route_table", "id", &["ids"]),
    ("aws_security_groups", "aws_security_group", "id", &["ids"]),
    ("aws_subnets", "aws_subnet", "id", &["ids"]),
    ("aws_vpcs", "aws_vpc", "id", &["ids"]),
];

/// Reads a data source.
pub(crate) fn read(
    simulation: &Simulation,
    type_name: &str,
    config: &Value,
) -> Result<Value, Diagnostics> {
    let schema = simulation
        .inner
        .data_schema(type_name)
        .ok_or_else(|| unknown_type(type_name))?;
    let seed = simulation.cloud.options().seed;
    let basis = format!("{seed}/data/{type_name}/{}", json::to_json(config));
    let token = hex::encode(Sha256::digest(&basis));
    let mut known = overrides::data(type_name, config, &simulation.region, &token);
    let mut object = None;
    if let Some((_, of, listed, results)) = LISTS.iter().find(|(name, ..)| *name == type_name) {
        let found = matching(simulation, of, config)?;
        let items: Vec<Json> = found
            .iter()
            .filter_map(|r| r.value.get(listed).map(json::to_json))
            .collect();
        known.extend(
            results
                .iter()
                .map(|name| (*name, Json::from(items.clone()))),
        );
    } else if known.is_empty() {
        object = same_kind(simulation, type_name, config)?;
        if object.is_none() && must_exist(type_name) {
            return Err(Diagnostics::error(
                format!("No {type_name} matches"),
                "The simulated cloud holds only what was made in it; `topo sandbox list` shows what there is.",
            ));
        }
    }
    let inventor = Inventor {
        basis,
        type_name,
        planned: config,
        prior: None,
        region: config.get_str("region").unwrap_or(&simulation.region),
        default_tags: &Default::default(),
    };
    Ok(result(&schema, config, &known, object.as_ref(), &inventor))
}

/// Opens an ephemeral resource: its arguments, with the rest invented.
pub(crate) fn ephemeral(
    simulation: &Simulation,
    type_name: &str,
    config: &Value,
) -> Result<Value, Diagnostics> {
    let schema = simulation
        .inner
        .ephemeral_schema(type_name)
        .ok_or_else(|| unknown_type(type_name))?;
    let seed = simulation.cloud.options().seed;
    let basis = format!("{seed}/ephemeral/{type_name}/{}", json::to_json(config));
    let token = hex::encode(Sha256::digest(&basis));
    let known = overrides::data(type_name, config, &simulation.region, &token);
    let inventor = Inventor {
        basis,
        type_name,
        planned: config,
        prior: None,
        region: config.get_str("region").unwrap_or(&simulation.region),
        default_tags: &Default::default(),
    };
    Ok(result(&schema, config, &known, None, &inventor))
}

/// What is inside a cluster, and clusters themselves, are made by the configuration; of other
/// things a configuration often expects that they are there already.
fn must_exist(type_name: &str) -> bool {
    type_name.starts_with("kubernetes_") || type_name.starts_with("aws_eks_")
}

fn same_kind(
    simulation: &Simulation,
    type_name: &str,
    config: &Value,
) -> Result<Option<Record>, Diagnostics> {
    let kind = identity::kind(type_name);
    for candidate in simulation.inner.resource_types() {
        if identity::kind(&candidate) == kind {
            let found = matching(simulation, &candidate, config)?;
            if let Some(record) = found.into_iter().next() {
                return Ok(Some(record));
            }
        }
    }
    Ok(None)
}

/// The simulated objects of a resource type that a data source's arguments describe.
fn matching(
    simulation: &Simulation,
    type_name: &str,
    config: &Value,
) -> Result<Vec<Record>, Diagnostics> {
    let mut records = simulation.cloud.records(Some(type_name))?;
    let target = identity::object_target(type_name, config, &simulation.target);
    let wanted = json::to_json(config);
    let singular = !LISTS.iter().any(|(_, of, ..)| *of == type_name);
    records.retain(|record| {
        let mut criteria = 0;
        let here = record.target == target || record.target.is_empty();
        let fits = here
            && describes(&wanted, &json::to_json(&record.value), &mut criteria)
            && filters_match(&wanted, &record.value, &mut criteria);
        fits && (criteria > 0 || !singular)
    });
    Ok(records)
}

/// Whether everything that the arguments say and the object has is the same; counts it.
fn describes(wanted: &Json, object: &Json, criteria: &mut usize) -> bool {
    match (wanted, object) {
        (Json::Null, _) => true,
        (Json::Object(w), Json::Object(o)) => w.iter().all(|(name, w)| match o.get(name) {
            Some(o) => describes(w, o, criteria),
            None => true,
        }),
        (Json::Array(w), Json::Array(o)) => w.iter().zip(o).all(|(w, o)| describes(w, o, criteria)),
        (Json::String(w), Json::Null) if w.is_empty() => true,
        _ => {
            *criteria += 1;
            wanted == object
        }
    }
}

/// AWS filters: `tag:Name`, `vpc-id`.
fn filters_match(wanted: &Json, object: &Value, criteria: &mut usize) -> bool {
    let filters = wanted.get("filter").and_then(Json::as_array);
    filters.into_iter().flatten().all(|filter| {
        let name = filter
            .get("name")
            .and_then(Json::as_str)
            .unwrap_or_default();
        let actual = match name.strip_prefix("tag:") {
            Some(tag) => object
                .get("tags")
                .and_then(|t| t.get_str(tag))
                .map(Cow::Borrowed),
            None => {
                let attribute = name.replace('-', "_");
                object
                    .get(&attribute)
                    .or_else(|| name.ends_with("-id").then(|| object.get("id")).flatten())
                    .map(|v| match v.as_str() {
                        Some(text) => Cow::Borrowed(text),
                        None => Cow::Owned(json::to_json(v).to_string()),
                    })
            }
        };
        *criteria += 1;
        let values = filter.get("values").and_then(Json::as_array);
        values
            .into_iter()
            .flatten()
            .any(|v| v.as_str() == actual.as_deref())
    })
}

/// The arguments, with what is known, what the object has and what is invented around them.
fn result(
    schema: &Schema,
    config: &Value,
    known: &overrides::Attributes,
    object: Option<&Record>,
    inventor: &Inventor<'_>,
) -> Value {
    let found = object.map(|r| json::to_json(&r.value));
    let blocks = schema
        .block
        .blocks
        .iter()
        .map(|(name, b)| (name, b.ty(), None));
    let attributes = schema.block.attributes.iter();
    let all = attributes
        .map(|(name, a)| (name, a.ty.clone(), Some(a.mode)))
        .chain(blocks);
    Value::object(all.map(|(name, ty, mode)| {
        let given = config.get(name).cloned().unwrap_or(Value::NULL);
        let value = match (
            known.get(&**name),
            found.as_ref().and_then(|f| f.get(&**name)),
        ) {
            (Some(json), _) if given.is_null() => typed(json, &ty),
            (_, Some(object)) => typed(&merge(object.clone(), json::to_json(&given)), &ty),
            _ if !given.is_null() => Some(given.clone()),
            (_, None) if mode.is_some_and(|m| m.is_computed()) => {
                Some(inventor.value(name, name, &ty, None))
            }
            _ => None,
        };
        (
            name.clone(),
            value.unwrap_or_else(|| match given.is_null() {
                true => Value::null(ty),
                false => given,
            }),
        )
    }))
}

fn typed(json: &Json, ty: &Type) -> Option<Value> {
    json::from_json_typed(json, ty).ok()
}

/// What is there, with what was asked for over it.
fn merge(there: Json, asked: Json) -> Json {
    match (there, asked) {
        (there, Json::Null) => there,
        (Json::Object(mut there), Json::Object(asked)) => {
            for (name, value) in asked {
                let old = there.remove(&name).unwrap_or(Json::Null);
                there.insert(name, merge(old, value));
            }
            Json::Object(Map::from_iter(there))
        }
        (Json::Array(there), Json::Array(asked)) if asked.is_empty() => Json::Array(there),
        (Json::Array(there), Json::Array(asked)) if there.len() == asked.len() => there
            .into_iter()
            .zip(asked)
            .map(|(t, a)| merge(t, a))
            .collect(),
        (_, asked) => asked,
    }
}
