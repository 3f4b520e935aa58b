//! `providers schema -json`: format 1.0.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use topo_engine::lang::provider_functions;
use topo_sdk::schema::{Attribute, Block, Mode, NestedBlock, Nesting};
use topo_sdk::{Provider, Schema};

use super::provider_source;

/// Everything that these providers offer.
pub fn schemas<'a>(providers: impl IntoIterator<Item = &'a Arc<dyn Provider>>) -> Json {
    let entries: Map<String, Json> = providers
        .into_iter()
        .map(|p| (provider_source(p.name()), provider(&**p)))
        .collect();
    json!({"format_version": "1.0", "provider_schemas": entries})
}

fn provider(provider: &dyn Provider) -> Json {
    let resources = provider.resource_types().into_iter();
    let resources: Map<String, Json> = resources
        .filter_map(|t| Some((t.to_string(), schema(&*provider.resource_schema(&t)?))))
        .collect();
    let data = provider.data_types().into_iter();
    let data: Map<String, Json> = data
        .filter_map(|t| Some((t.to_string(), schema(&*provider.data_schema(&t)?))))
        .collect();
    let mut out = json!({
        "provider": schema(&provider.provider_schema()),
        "resource_schemas": resources,
        "data_source_schemas": data,
    });
    let functions = super::functions::of_provider(&provider_functions::signatures(provider));
    if !functions.is_empty() {
        out["functions"] = Json::Object(functions);
    }
    out
}

fn schema(schema: &Schema) -> Json {
    json!({"version": schema.version, "block": block(&schema.block)})
}

fn block(block: &Block) -> Json {
    let mut out = Map::new();
    if !block.attributes.is_empty() {
        let attributes = block.attributes.iter();
        let attributes = attributes.map(|(n, a)| (n.to_string(), attribute(a)));
        out.insert("attributes".into(), Json::Object(attributes.collect()));
    }
    if !block.blocks.is_empty() {
        let blocks = block.blocks.iter();
        let blocks = blocks.map(|(n, b)| (n.to_string(), nested(b)));
        out.insert("block_types".into(), Json::Object(blocks.collect()));
    }
    describe(&mut out, &block.description);
    flag(&mut out, "deprecated", block.deprecated.is_some());
    Json::Object(out)
}

fn attribute(a: &Attribute) -> Json {
    let mut out = Map::new();
    out.insert("type".into(), a.ty.to_json());
    describe(&mut out, &a.description);
    flag(&mut out, "required", a.mode == Mode::Required);
    flag(
        &mut out,
        "optional",
        matches!(a.mode, Mode::Optional | Mode::OptionalComputed),
    );
    flag(&mut out, "computed", a.mode.is_computed());
    flag(&mut out, "sensitive", a.sensitive);
    flag(&mut out, "write_only", a.write_only);
    flag(&mut out, "deprecated", a.deprecated.is_some());
    Json::Object(out)
}

fn nested(n: &NestedBlock) -> Json {
    let mode = match n.nesting {
        Nesting::Single => "single",
        Nesting::List => "list",
        Nesting::Set => "set",
        Nesting::Map => "map",
    };
    let mut out = Map::new();
    out.insert("nesting_mode".into(), json!(mode));
    out.insert("block".into(), block(&n.block));
    if n.min > 0 {
        out.insert("min_items".into(), json!(n.min));
    }
    if n.max > 0 {
        out.insert("max_items".into(), json!(n.max));
    }
    Json::Object(out)
}

fn describe(out: &mut Map<String, Json>, description: &str) {
    if !description.is_empty() {
        out.insert("description".into(), json!(description));
        out.insert("description_kind".into(), json!("plain"));
    }
}

fn flag(out: &mut Map<String, Json>, name: &str, set: bool) {
    if set {
        out.insert(name.into(), json!(true));
    }
}
