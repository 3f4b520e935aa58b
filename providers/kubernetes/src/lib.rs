//! The Kubernetes provider of topo.
//!
//! Resource types are derived from the Kubernetes API's own schema and spelled as those of the
//! hashicorp/kubernetes provider ([`kinds`], [`derive`], [`rules`]). Objects are written with
//! server-side apply, so that topo owns the fields that it sets and no others, and read back
//! restricted to those ([`write`], [`read`]): defaults of the API and what controllers write are
//! never drift, a change of what topo set always is.

mod config;
mod connection;
mod derive;
mod ephemeral;
mod errors;
mod functions;
mod kinds;
mod manifest;
mod names;
mod object;
mod overlay;
mod quantity;
mod read;
mod readiness;
mod rules;
mod shape;
#[cfg(test)]
mod tests;
mod wait;
mod write;
mod write_only;
mod yaml;

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use topo_sdk::provider::unknown_type;
use topo_sdk::schema::Schema;
use topo_sdk::{
    Connection, Diagnostics, Path, PlanRequest, PlannedResource, Provider, Value, plan,
};

use crate::connection::Cluster;

/// The provider.
pub fn provider() -> Arc<dyn Provider> {
    Arc::new(Kubernetes)
}

struct Kubernetes;

#[async_trait]
impl Provider for Kubernetes {
    fn name(&self) -> &'static str {
        "kubernetes"
    }

    fn uses_network(&self) -> bool {
        true
    }

    fn provider_schema(&self) -> Arc<Schema> {
        static SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(|| Arc::new(config::schema()));
        SCHEMA.clone()
    }

    fn resource_types(&self) -> Vec<Arc<str>> {
        let mut names: Vec<Arc<str>> = kinds::names().map(Arc::from).collect();
        names.push(manifest::TYPE.into());
        names.sort();
        names
    }

    fn resource_schema(&self, type_name: &str) -> Option<Arc<Schema>> {
        if type_name == manifest::TYPE {
            return Some(manifest::shared_schema());
        }
        kinds::find(type_name).map(|kind| kind.model().schema.clone())
    }

    fn data_types(&self) -> Vec<Arc<str>> {
        let readable = kinds::names().filter(|name| kinds::find_data(name).is_some());
        readable.map(Arc::from).collect()
    }

    fn data_schema(&self, type_name: &str) -> Option<Arc<Schema>> {
        kinds::find_data(type_name).map(kinds::Kind::data_schema)
    }

    fn ephemeral_types(&self) -> Vec<Arc<str>> {
        ephemeral::names().map(Arc::from).collect()
    }

    fn ephemeral_schema(&self, type_name: &str) -> Option<Arc<Schema>> {
        ephemeral::find(type_name).map(|(_, schema)| schema.clone())
    }

    fn functions(&self) -> Vec<topo_sdk::Function> {
        functions::functions()
    }

    fn validate_resource(&self, type_name: &str, config: &Value) -> Diagnostics {
        let mut found = Diagnostics::new();
        if type_name == manifest::TYPE {
            return manifest::validate(config);
        }
        let metadata = config.get("metadata").and_then(Value::as_slice);
        if let Some(metadata) = metadata.and_then(<[Value]>::first) {
            let set = |name: &str| metadata.get(name).is_some_and(|v| !v.is_null());
            if !set("name") && !set("generate_name") {
                let path = Path::attribute("metadata").index(0);
                let missing = Diagnostics::error(
                    format!("A {type_name} without a name"),
                    "Set name or generate_name in its metadata block.",
                );
                found.extend(missing.map(|d| d.at(path.clone())));
            }
        }
        found
    }

    fn plan(&self, request: &PlanRequest) -> Result<PlannedResource, Diagnostics> {
        let schema = self
            .resource_schema(&request.type_name)
            .ok_or_else(|| unknown_type(&request.type_name))?;
        if &*request.type_name == manifest::TYPE {
            return Ok(manifest::plan(&schema, request));
        }
        let mut planned = plan::plan(&schema, request);
        // Another type of service has another load balancer, or none.
        if let (Some(prior), Some(status)) = (&request.prior, schema.block.attributes.get("status"))
        {
            let path = Path::attribute("spec").index(0).attr("type");
            if prior.value.at(&path) != planned.value.at(&path) {
                planned.value = planned
                    .value
                    .with("status", Value::unknown(status.ty.clone()));
            }
        }
        Ok(planned)
    }

    async fn configure(&self, block: &Value) -> Result<Arc<dyn Connection>, Diagnostics> {
        let ignored = config::Ignored::of(block)?;
        let (client, host) = config::client(block).await?;
        Ok(Arc::new(Cluster::new(client, host, ignored)))
    }
}
