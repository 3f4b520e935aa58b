//! The structure of the format, as it is in JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::checks::Checks;

/// The version that this module is about.
pub(super) const VERSION: u64 = 4;

/// The one thing that all versions have in common.
#[derive(Deserialize)]
pub(super) struct Versioned {
    pub(super) version: u64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct File {
    pub(super) version: u64,
    #[serde(default)]
    pub(super) terraform_version: String,
    #[serde(default)]
    pub(super) serial: u64,
    #[serde(default)]
    pub(super) lineage: String,
    #[serde(default)]
    pub(super) outputs: Option<BTreeMap<String, Output>>,
    #[serde(default)]
    pub(super) resources: Option<Vec<Resource>>,
    #[serde(default)]
    pub(super) check_results: Option<Vec<Checks>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Output {
    pub(super) value: Json,
    #[serde(rename = "type")]
    pub(super) ty: Json,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) sensitive: bool,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Resource {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) module: String,
    pub(super) mode: String,
    #[serde(rename = "type")]
    pub(super) type_name: String,
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) provider: Option<String>,
    #[serde(default)]
    pub(super) instances: Vec<Instance>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Instance {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) index_key: Option<Json>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) deposed: Option<String>,
    /// In place of the resource's, for provider configurations with `for_each`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) provider: Option<String>,
    #[serde(default)]
    pub(super) schema_version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) attributes: Option<Json>,
    /// How attributes were kept before Terraform 0.12.
    #[serde(default, skip_serializing)]
    pub(super) attributes_flat: Option<Map<String, Json>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sensitive_attributes: Option<Vec<Vec<PathStep>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) private: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) dependencies: Option<Vec<String>>,
}

/// `get_attr` with a name, or `index` with a value and its type.
#[derive(Serialize, Deserialize)]
pub(super) struct PathStep {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) value: Json,
}

fn is_false(value: &bool) -> bool {
    !value
}
