//! The `terraform` provider: what the language itself brings along.

mod data;

use std::sync::Arc;

use topo_sdk::Provider;

/// The provider.
pub(crate) fn provider() -> Arc<dyn Provider> {
    crate::table::provider("terraform", vec![Box::new(data::TerraformData)], Vec::new())
}
