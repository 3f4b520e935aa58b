//! The `time` provider: waiting, and points in time that stay.

mod sleep;
mod static_time;

use std::sync::Arc;

use topo_sdk::Provider;

/// The provider.
pub(crate) fn provider() -> Arc<dyn Provider> {
    crate::table::provider(
        "time",
        vec![
            Box::new(sleep::TimeSleep),
            Box::new(static_time::TimeStatic),
        ],
        Vec::new(),
    )
}
