//! Records and outputs from a file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value as Json;
use topo_engine::address::{
    InstanceAddress, InstanceKey, ProviderAddress, ResourceAddress, ResourceMode, Target,
};
use topo_engine::changes::CheckResult;
use topo_engine::plan::mark;
use topo_engine::providers::Providers;
use topo_engine::store::{Meta, OutputRecord, Record, RecordKey, Status};
use topo_sdk::json::from_json_typed;
use topo_sdk::plan::fill_missing;
use topo_sdk::{Diagnostic, Diagnostics, Path, Provider, Schema, Value, convert};

use super::file::{File, Instance, Output, Resource, VERSION, Versioned};
use super::names::{self, Resources};
use super::{checks, values};

/// What a file holds.
#[derive(Debug, Clone)]
pub struct StateFile {
    /// Which state, which revision.
    pub meta: Meta,
    /// The objects.
    pub records: BTreeMap<RecordKey, Record>,
    /// The root module's outputs.
    pub outputs: BTreeMap<Arc<str>, OutputRecord>,
    /// Conditions, and whether they held.
    pub checks: Vec<CheckResult>,
    /// What was taken although it may not be right.
    pub warnings: Diagnostics,
}

/// Reads a state file of version 4. Its records are as of `now`: the format keeps no times.
///
/// # Errors
/// Everything that is wrong with it, with the resource; nothing of a file is taken then.
pub fn read(text: &[u8], providers: &Providers, now: Timestamp) -> Result<StateFile, Diagnostics> {
    let file = parse(text)?;
    let mut reader = Reader {
        providers,
        now,
        records: BTreeMap::new(),
        errors: Diagnostics::new(),
        newer: BTreeSet::new(),
    };
    let resources = reader.addresses(file.resources.unwrap_or_default());
    let mut index = Resources::default();
    for (address, _) in &resources {
        index.add(address);
    }
    for (address, resource) in &resources {
        reader.resource(address, resource, &index);
    }
    let outputs = reader.outputs(file.outputs.unwrap_or_default());
    if reader.errors.has_errors() {
        return Err(reader.errors);
    }
    Ok(StateFile {
        meta: Meta {
            lineage: file.lineage,
            serial: file.serial,
        },
        warnings: newer_schemas(&reader.newer),
        records: reader.records,
        outputs,
        checks: checks::read(file.check_results.unwrap_or_default()),
    })
}

fn parse(text: &[u8]) -> Result<File, Diagnostics> {
    let version = json::<Versioned>(text)?.version;
    if version == VERSION {
        return json(text);
    }
    let advice = if version < VERSION {
        "Let Terraform 0.12 or later, or OpenTofu, read it first, which writes version 4."
    } else {
        "Use a newer topo."
    };
    Err(Diagnostics::error(
        "State file of another version",
        format!("The file has version {version}, topo reads version {VERSION}. {advice}"),
    ))
}

fn json<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, Diagnostics> {
    serde_json::from_slice(text).map_err(|e| {
        Diagnostics::error(
            "Not a state file",
            format!("The text is not a state file of version {VERSION}: {e}."),
        )
    })
}

fn newer_schemas(types: &BTreeSet<Arc<str>>) -> Diagnostics {
    if types.is_empty() {
        return Diagnostics::new();
    }
    let list: Vec<&str> = types.iter().map(|t| &**t).collect();
    Diagnostics::from(Diagnostic::warning(
        "Objects of newer schemas",
        format!(
            "Another version of the provider wrote objects of {}. Their attributes fit topo's schemas and were taken as they are; look at a plan.",
            list.join(", ")
        ),
    ))
}

struct Reader<'a> {
    providers: &'a Providers,
    now: Timestamp,
    records: BTreeMap<RecordKey, Record>,
    errors: Diagnostics,
    /// Types whose objects are of a newer schema version than topo's.
    newer: BTreeSet<Arc<str>>,
}

/// What all instances of a resource have in common.
struct Common<'a> {
    address: &'a ResourceAddress,
    provider: &'a Arc<dyn Provider>,
    configuration: ProviderAddress,
    schema: Arc<Schema>,
    index: &'a Resources,
}

impl Reader<'_> {
    fn wrong(&mut self, address: impl fmt::Display, what: impl fmt::Display) {
        self.errors.push(Diagnostic::error(
            "The state file cannot be taken",
            format!("{address}: {what}."),
        ));
    }

    /// The resources with their addresses.
    fn addresses(&mut self, resources: Vec<Resource>) -> Vec<(ResourceAddress, Resource)> {
        let mut found = Vec::with_capacity(resources.len());
        for (i, resource) in resources.into_iter().enumerate() {
            match address(&resource) {
                Ok(address) => found.push((address, resource)),
                Err(what) => self.wrong(format!("resources[{i}]"), what),
            }
        }
        found
    }

    fn resource(&mut self, address: &ResourceAddress, resource: &Resource, index: &Resources) {
        for instance in &resource.instances {
            let text = instance.provider.as_ref().or(resource.provider.as_ref());
            let made = self
                .common(address, text, index)
                .and_then(|common| self.record(&common, instance));
            let record = match made {
                Ok(record) => record,
                Err(what) => {
                    let key = instance.index_key.as_ref();
                    let key = key.map(|k| format!("[{k}]")).unwrap_or_default();
                    self.wrong(format!("{address}{key}"), what);
                    continue;
                }
            };
            if instance.schema_version > record.schema_version {
                self.newer.insert(address.type_name.clone());
            }
            let name = record.key.address.to_string();
            if self.records.insert(record.key.clone(), record).is_some() {
                self.wrong(name, "it is in the file more than once");
            }
        }
    }

    fn common<'b>(
        &'b self,
        address: &'b ResourceAddress,
        provider: Option<&String>,
        index: &'b Resources,
    ) -> Result<Common<'b>, String> {
        let configuration = names::provider(provider.ok_or("the file does not say its provider")?)?;
        let name = configuration.name.clone();
        let Some(provider) = self.providers.get(&name) else {
            let unknown = self.providers.unknown(&name);
            return Err(unknown.detail.trim_end_matches('.').to_string());
        };
        let type_name = &address.type_name;
        let schema = match address.mode {
            ResourceMode::Data => provider.data_schema(type_name),
            _ => provider.resource_schema(type_name),
        };
        Ok(Common {
            address,
            provider,
            configuration,
            schema: schema.ok_or_else(|| {
                format!("topo's provider {name} does not have the type {type_name}")
            })?,
            index,
        })
    }

    fn record(&self, common: &Common<'_>, instance: &Instance) -> Result<Record, String> {
        let key = RecordKey {
            address: common.address.instance(instance_key(instance)?),
            deposed: instance.deposed.as_deref().map(Into::into),
        };
        let status = match instance.status.as_deref() {
            None | Some("") => Status::Ok,
            Some("tainted") => Status::Tainted,
            Some(other) => return Err(format!("its status {other:?} is not known")),
        };
        let paths: Result<Vec<Path>, String> = instance
            .sensitive_attributes
            .iter()
            .flatten()
            .map(|steps| values::read_path(steps))
            .collect();
        let private = instance.private.as_deref().unwrap_or_default();
        let mut dependencies = Vec::new();
        for text in instance.dependencies.iter().flatten() {
            let module = &common.address.module;
            common.index.resolve(text, module, &mut dependencies)?;
        }
        dependencies.sort();
        dependencies.dedup();
        Ok(Record {
            key,
            provider: common.configuration.clone(),
            schema_version: common.schema.version,
            status,
            value: mark(&common.schema.block, object(common, instance)?, &paths?),
            private: BASE64
                .decode(private)
                .map_err(|_| "what its provider keeps with it (private) is not base64")?,
            keep: false,
            dependencies,
            created: self.now,
            updated: self.now,
        })
    }

    fn outputs(&mut self, outputs: BTreeMap<String, Output>) -> BTreeMap<Arc<str>, OutputRecord> {
        let mut found = BTreeMap::new();
        for (name, output) in outputs {
            let value = values::read_type(&output.ty).and_then(|ty| {
                from_json_typed(&output.value, &ty).map_err(|e| format!("at {}: {e}", e.path))
            });
            match value {
                Ok(value) => {
                    let sensitive = output.sensitive;
                    let value = if sensitive { value.sensitive() } else { value };
                    found.insert(name.into(), OutputRecord { value, sensitive });
                }
                Err(what) => self.wrong(format!("output {name}"), what),
            }
        }
        found
    }
}

/// # Errors
/// What is wrong, as a clause.
fn address(resource: &Resource) -> Result<ResourceAddress, String> {
    let mode = match resource.mode.as_str() {
        "managed" => ResourceMode::Managed,
        "data" => ResourceMode::Data,
        other => return Err(format!("its mode {other:?} is neither managed nor data")),
    };
    let dot = if resource.module.is_empty() { "" } else { "." };
    let (type_name, name) = (&resource.type_name, &resource.name);
    let text = format!(
        "{}{dot}{}{type_name}.{name}",
        resource.module,
        mode.prefix()
    );
    let parsed: InstanceAddress = text.parse().map_err(|e| format!("{e}"))?;
    let found = parsed.resource;
    let is_it = found.mode == mode
        && *found.type_name == **type_name
        && *found.name == **name
        && parsed.key.is_none()
        && (resource.module.is_empty() == found.module.is_root());
    if is_it && (resource.module.is_empty() || is_module(&resource.module)) {
        Ok(found)
    } else {
        Err(format!("{text:?} is not the address of a resource"))
    }
}

fn is_module(text: &str) -> bool {
    let target: Result<Target, _> = text.parse();
    target.is_ok_and(|t| t.resource.is_none())
}

fn instance_key(instance: &Instance) -> Result<Option<InstanceKey>, String> {
    Ok(match &instance.index_key {
        None | Some(Json::Null) => None,
        Some(Json::String(key)) => Some(InstanceKey::Key(key.as_str().into())),
        Some(Json::Number(n)) if n.as_u64().is_some() => n.as_u64().map(InstanceKey::Index),
        Some(other) => return Err(format!("its key {other} is neither text nor an index")),
    })
}

/// The attributes by the current schema.
fn object(common: &Common<'_>, instance: &Instance) -> Result<Value, String> {
    let Some(attributes) = &instance.attributes else {
        return Err(match instance.attributes_flat {
            Some(_) => "its attributes are as Terraform wrote them before 0.12; let a later version refresh it first",
            None => "it has no attributes",
        }
        .to_string());
    };
    let block = &common.schema.block;
    let ty = block.ty();
    let stored = values::read(attributes, &ty)?;
    if instance.schema_version < common.schema.version
        && common.address.mode == ResourceMode::Managed
    {
        let type_name = &common.address.type_name;
        let upgraded = common
            .provider
            .upgrade_state(type_name, instance.schema_version, stored);
        return upgraded.map_err(|ds| {
            let all: Vec<String> = ds.iter().map(|d| d.detail.clone()).collect();
            all.join(" ").trim_end_matches('.').to_string()
        });
    }
    convert::convert(&fill_missing(block, stored), &ty)
        .map_err(|e| format!("it does not fit the schema of its type: at {}: {e}", e.path))
}
