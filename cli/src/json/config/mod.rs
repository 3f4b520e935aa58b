//! The part `configuration` of `show -json`: what the blocks say before anything is evaluated.
//!
//! Blocks of providers are listed by a key that resources repeat, `NAME`, `NAME.ALIAS`, behind
//! `module.PATH:` in a module that has blocks of its own. `dynamic` blocks are left out, as with
//! the peers: what they make is in the planned values. Left out, too, are the version constraints
//! of providers, which are built in.

pub mod expression;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use topo_engine::address::{ProviderAddress, ResourceMode};
use topo_engine::config::{
    Body, Call, Config, Mention, ModuleId, Output, Provisioner, Repetition, Resource, ResourceKey,
    Variable,
};
use topo_engine::providers::Providers;
use topo_sdk::schema::{Block, Nesting};
use topo_sdk::{Type, json::to_json};

use self::expression::expression;
use super::{mode_word, provider_source};

/// The whole configuration. The providers' schemas tell which blocks make lists.
pub fn configuration(config: &Config, providers: &Providers) -> Json {
    json!({
        "provider_config": provider_configs(config, providers),
        "root_module": module(config, 0),
    })
}

/// `module.a.module.b`
pub fn module_path(path: &[Arc<str>]) -> String {
    let steps: Vec<String> = path.iter().map(|name| format!("module.{name}")).collect();
    steps.join(".")
}

fn provider_configs(config: &Config, providers: &Providers) -> Map<String, Json> {
    let used = config.modules.iter().flat_map(|m| m.resources.values());
    let mut addresses: BTreeSet<ProviderAddress> =
        used.map(|r| r.provider_address.clone()).collect();
    for module in &config.modules {
        for ((_, alias), block) in &module.providers {
            addresses.insert(ProviderAddress {
                module: module.path.clone(),
                name: block.provider.clone(),
                alias: alias.clone(),
            });
        }
    }
    addresses
        .iter()
        .map(|a| {
            (
                provider_key(config, a),
                provider_config(config, providers, a),
            )
        })
        .collect()
}

fn provider_config(config: &Config, providers: &Providers, address: &ProviderAddress) -> Json {
    let mut out = json!({
        "name": local_name(config, address),
        "full_name": provider_source(&address.name),
    });
    if let Some(alias) = &address.alias {
        out["alias"] = json!(alias);
    }
    if !address.module.is_empty() {
        out["module_address"] = json!(module_path(&address.module));
    }
    if let Some((_, block)) = config.provider_block(address) {
        let schema = providers.get(&address.name).map(|p| p.provider_schema());
        let expressions = expressions(&block.body, schema.as_ref().map(|s| &s.block));
        if !expressions.is_empty() {
            out["expressions"] = Json::Object(expressions);
        }
    }
    out
}

fn local_name(config: &Config, address: &ProviderAddress) -> Arc<str> {
    let module = config.modules.iter().find(|m| m.path == address.module);
    let mut blocks = module.into_iter().flat_map(|m| &m.providers);
    let block =
        blocks.find(|((_, alias), b)| b.provider == address.name && *alias == address.alias);
    block.map_or_else(|| address.name.clone(), |((name, _), _)| name.clone())
}

fn provider_key(config: &Config, address: &ProviderAddress) -> String {
    let name = local_name(config, address);
    let name = match &address.alias {
        Some(alias) => format!("{name}.{alias}"),
        None => name.to_string(),
    };
    if address.module.is_empty() {
        name
    } else {
        format!("{}:{name}", module_path(&address.module))
    }
}

fn module(config: &Config, id: ModuleId) -> Json {
    let module = config.module(id);
    let mut out = Map::new();
    let mut add = |name: &str, part: Json| {
        let empty = match &part {
            Json::Object(o) => o.is_empty(),
            Json::Array(a) => a.is_empty(),
            _ => false,
        };
        if !empty {
            out.insert(name.into(), part);
        }
    };
    let resources = module.resources.iter();
    add(
        "resources",
        resources.map(|(key, r)| resource(config, key, r)).collect(),
    );
    add("outputs", named(&module.outputs, output));
    add("variables", named(&module.variables, variable));
    add("module_calls", named(&module.calls, |c| call(config, c)));
    Json::Object(out)
}

fn named<T>(things: &BTreeMap<Arc<str>, T>, describe: impl Fn(&T) -> Json) -> Json {
    let entries = things.iter();
    Json::Object(
        entries
            .map(|(name, thing)| (name.to_string(), describe(thing)))
            .collect(),
    )
}

fn resource(config: &Config, (mode, type_name, name): &ResourceKey, r: &Resource) -> Json {
    let mut out = json!({
        "address": format!("{}{type_name}.{name}", mode.prefix()),
        "mode": mode_word(*mode),
        "type": type_name,
        "name": name,
        "provider_config_key": provider_key(config, &r.provider_address),
        "schema_version": r.schema.version,
        "expressions": expressions(&r.body, Some(&r.schema.block)),
    });
    repetition(&r.repetition, &mut out);
    depends_on(&r.depends_on, &mut out);
    if *mode == ResourceMode::Managed && !r.provisioners.is_empty() {
        out["provisioners"] = r.provisioners.iter().map(provisioner).collect();
    }
    out
}

fn provisioner(p: &Provisioner) -> Json {
    json!({"type": p.kind, "expressions": expressions(&p.body, None)})
}

fn repetition(repetition: &Repetition, out: &mut Json) {
    match repetition {
        Repetition::Count(e) => repeated("count_expression", expression(e), out),
        Repetition::ForEach(e) => repeated("for_each_expression", expression(e), out),
        Repetition::Single | Repetition::Enabled(_) => {}
    }
}

/// An expression of which nothing is told, being neither constant nor a reference, is left out.
fn repeated(name: &str, expression: Json, out: &mut Json) {
    if expression.as_object().is_none_or(|e| !e.is_empty()) {
        out[name] = expression;
    }
}

fn depends_on(mentions: &[Mention], out: &mut Json) {
    if !mentions.is_empty() {
        let names = mentions
            .iter()
            .map(|m| json!(m.reference.target.to_string()));
        out["depends_on"] = names.collect();
    }
}

fn output(o: &Output) -> Json {
    let mut out = json!({"expression": expression(&o.value)});
    notes(
        o.sensitive,
        o.ephemeral,
        &o.deprecated,
        &o.description,
        &mut out,
    );
    depends_on(&o.depends_on, &mut out);
    out
}

fn variable(v: &Variable) -> Json {
    let mut out = json!({});
    if v.constraint.ty != Type::Dynamic {
        out["type"] = v.constraint.ty.to_json();
    }
    match &v.default {
        Some(value) => out["default"] = to_json(value),
        None => out["required"] = json!(true),
    }
    notes(
        v.sensitive,
        v.ephemeral,
        &v.deprecated,
        &v.description,
        &mut out,
    );
    out
}

fn notes(
    sensitive: bool,
    ephemeral: bool,
    deprecated: &Option<String>,
    description: &str,
    out: &mut Json,
) {
    if sensitive {
        out["sensitive"] = json!(true);
    }
    if ephemeral {
        out["ephemeral"] = json!(true);
    }
    if let Some(instead) = deprecated {
        out["deprecated"] = json!(instead);
    }
    if !description.is_empty() {
        out["description"] = json!(description);
    }
}

fn call(config: &Config, c: &Call) -> Json {
    let arguments = c.arguments.iter();
    let arguments: Map<String, Json> = arguments
        .map(|(name, a)| (name.to_string(), expression(&a.value)))
        .collect();
    let mut out = json!({"source": c.source, "module": module(config, c.module)});
    if !arguments.is_empty() {
        out["expressions"] = Json::Object(arguments);
    }
    if let Some(version) = &c.version {
        out["version_constraint"] = json!(version);
    }
    repetition(&c.repetition, &mut out);
    depends_on(&c.depends_on, &mut out);
    out
}

/// Arguments and nested blocks. Without a schema each kind of block makes a list.
fn expressions(body: &Body, schema: Option<&Block>) -> Map<String, Json> {
    let attributes = body.attributes.iter();
    let mut out: Map<String, Json> = attributes
        .map(|a| (a.name.to_string(), expression(&a.value)))
        .collect();
    for item in body.blocks.iter().filter(|b| b.dynamic.is_none()) {
        let nested = schema.and_then(|s| s.blocks.get(&item.name));
        let inner = Json::Object(expressions(&item.body, nested.map(|n| &n.block)));
        let name = item.name.to_string();
        match nested.map(|n| n.nesting) {
            Some(Nesting::Single) => {
                out.insert(name, inner);
            }
            Some(Nesting::Map) => {
                let label = item.label.as_deref().unwrap_or_default();
                let all = out.entry(name).or_insert_with(|| json!({}));
                all[label] = inner;
            }
            Some(Nesting::List | Nesting::Set) | None => {
                let all = out.entry(name).or_insert_with(|| json!([]));
                if let Json::Array(all) = all {
                    all.push(inner);
                }
            }
        }
    }
    out
}
