//! The `null` provider: objects that do nothing.

mod data_source;
mod resource;

use std::sync::Arc;

use topo_sdk::Provider;

/// The provider.
pub(crate) fn provider() -> Arc<dyn Provider> {
    crate::table::provider(
        "null",
        vec![Box::new(resource::NullResource)],
        vec![Box::new(data_source::NullDataSource)],
    )
}
