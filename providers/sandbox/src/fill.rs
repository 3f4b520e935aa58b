//! The object that comes of a plan: what is planned, and for everything unknown an override or an
//! invention.

use topo_sdk::{Kind, Schema, Value, json};

use crate::invent::Inventor;
use crate::overrides;

/// What other values are made of, so it comes first: names, then the id, then the ARN.
const FIRST: [&str; 6] = ["name", "identifier", "bucket", "metadata", "id", "arn"];

/// The planned object with every unknown in it filled in.
pub(crate) fn fill(schema: &Schema, inventor: &Inventor<'_>) -> Value {
    let mut made = inventor.planned.clone();
    let Kind::Object(planned) = inventor.planned.kind() else {
        return made;
    };
    let rest = planned.keys().map(|n| &**n).filter(|n| !FIRST.contains(n));
    for name in FIRST.into_iter().chain(rest) {
        let Some(value) = planned.get(name).filter(|v| !v.is_wholly_known()) else {
            continue;
        };
        let staged = Inventor {
            planned: &made,
            ..inventor.clone()
        };
        let value = attribute(schema, &staged, name, value);
        made = made.with(name, value);
    }
    made
}

fn attribute(schema: &Schema, inventor: &Inventor<'_>, name: &str, value: &Value) -> Value {
    let block = &schema.block;
    let ty = match (block.attributes.get(name), block.blocks.get(name)) {
        (Some(attribute), _) => attribute.ty.clone(),
        (None, Some(nested)) => nested.ty(),
        (None, None) => value.ty(),
    };
    if let Some(json) = overrides::attributes(inventor).get(name)
        && !value.is_known()
        && let Ok(value) = json::from_json_typed(json, &ty)
    {
        return value;
    }
    let prior = inventor.prior.and_then(|p| p.get(name));
    inventor.complete(name, name, value, prior)
}
