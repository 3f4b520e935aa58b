//! The `time` provider: waiting, points in time that stay, and functions that take times apart.

mod functions;
mod sleep;
mod static_time;

use std::sync::Arc;

use topo_sdk::Provider;

/// The provider.
pub(crate) fn provider() -> Arc<dyn Provider> {
    crate::table::provider_with_functions(
        "time",
        vec![
            Box::new(sleep::TimeSleep),
            Box::new(static_time::TimeStatic),
        ],
        Vec::new(),
        functions::functions(),
    )
}
