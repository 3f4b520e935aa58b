//! A file of a state.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde_json::json;
use topo_engine::address::{InstanceKey, ProviderAddress, ResourceAddress, ResourceMode};
use topo_engine::plan::{mark, sensitive_paths};
use topo_engine::providers::Providers;
use topo_engine::store::{Record, State, Status};
use topo_sdk::json::to_json;
use topo_sdk::{Diagnostics, Provider, Schema, Value};

use super::file::{File, Instance, Output, Resource, VERSION};
use super::{checks, names, values};

/// Writes a state as a file of version 4, in JSON over several lines. `made_by` is the version of
/// the program that it says to be from.
///
/// # Errors
/// The objects whose type no provider has.
pub fn write(state: &State, providers: &Providers, made_by: &str) -> Result<String, Diagnostics> {
    let mut errors = Diagnostics::new();
    let mut groups: BTreeMap<(Order<'_>, &ProviderAddress), Resource> = BTreeMap::new();
    for record in state.records.values() {
        let address = &record.key.address.resource;
        if address.mode == ResourceMode::Ephemeral {
            continue;
        }
        match instance(record, providers) {
            Ok(instance) => {
                let group = groups.entry((Order::of(address), &record.provider));
                let resource = group.or_insert_with(|| resource(address, &record.provider));
                resource.instances.push(instance);
            }
            Err(ds) => errors.extend(ds.map(|d| d.with_address(&record.key.address))),
        }
    }
    if errors.has_errors() {
        return Err(errors);
    }
    let outputs = state.outputs.iter().map(|(name, output)| {
        let output = Output {
            value: to_json(&output.value),
            ty: output.value.ty().to_json(),
            sensitive: output.sensitive,
        };
        (name.to_string(), output)
    });
    let file = File {
        version: VERSION,
        terraform_version: made_by.to_string(),
        serial: state.meta.serial,
        lineage: state.meta.lineage.clone(),
        outputs: Some(outputs.collect()),
        resources: Some(groups.into_values().collect()),
        check_results: checks::write(&state.checks),
    };
    serde_json::to_string_pretty(&file)
        .map_err(|e| Diagnostics::error("The state cannot be written as JSON", format!("{e}.")))
}

/// The order of resources in a file: by module, mode, type and name, as texts.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Order<'a>(String, &'static str, &'a str, &'a str);

impl<'a> Order<'a> {
    fn of(address: &'a ResourceAddress) -> Order<'a> {
        Order(
            address.module.to_string(),
            names::mode_text(address.mode),
            &address.type_name,
            &address.name,
        )
    }
}

fn resource(address: &ResourceAddress, provider: &ProviderAddress) -> Resource {
    Resource {
        module: address.module.to_string(),
        mode: names::mode_text(address.mode).to_string(),
        type_name: address.type_name.to_string(),
        name: address.name.to_string(),
        provider: Some(names::provider_text(provider)),
        instances: Vec::new(),
    }
}

fn instance(record: &Record, providers: &Providers) -> Result<Instance, Diagnostics> {
    let resource = &record.key.address.resource;
    let name = &record.provider.name;
    let provider = providers.get(name).ok_or_else(|| providers.unknown(name))?;
    let schema = match resource.mode {
        ResourceMode::Data => provider.data_schema(&resource.type_name),
        _ => provider.resource_schema(&resource.type_name),
    };
    let schema = schema.ok_or_else(|| {
        Diagnostics::error(
            "Unknown type in the state",
            format!(
                "topo's provider {name} does not have the type {}: without its schema the object cannot be written.",
                resource.type_name
            ),
        )
    })?;
    let value = current(record, provider.as_ref(), &schema)?;
    let dependencies = names::dependency_texts(&record.dependencies);
    Ok(Instance {
        index_key: match &record.key.address.key {
            None => None,
            Some(InstanceKey::Index(i)) => Some(json!(i)),
            Some(InstanceKey::Key(k)) => Some(json!(k)),
        },
        status: (record.status == Status::Tainted).then(|| "tainted".to_string()),
        deposed: record.key.deposed.as_deref().map(String::from),
        provider: None,
        schema_version: schema.version,
        attributes: Some(values::write(&value, &schema.block.ty())),
        attributes_flat: None,
        sensitive_attributes: Some(values::write_paths(&value, &schema.block)),
        private: (!record.private.is_empty()).then(|| BASE64.encode(&record.private)),
        dependencies: (!dependencies.is_empty()).then(|| dependencies.into_iter().collect()),
    })
}

/// The object by the current schema, sensitive parts marked.
fn current<'a>(
    record: &'a Record,
    provider: &dyn Provider,
    schema: &Schema,
) -> Result<Cow<'a, Value>, Diagnostics> {
    let resource = &record.key.address.resource;
    if record.schema_version == schema.version || resource.mode == ResourceMode::Data {
        return Ok(Cow::Borrowed(&record.value));
    }
    let stored = record.value.clone().unmark_deep();
    let upgraded = provider.upgrade_state(&resource.type_name, record.schema_version, stored)?;
    let paths = sensitive_paths(&record.value);
    Ok(Cow::Owned(mark(&schema.block, upgraded, &paths)))
}
