//! The `local` provider: files on this machine.

mod content;
mod data;
mod file;

use std::sync::Arc;

use topo_sdk::Provider;

/// The provider.
pub(crate) fn provider() -> Arc<dyn Provider> {
    crate::table::provider(
        "local",
        vec![
            Box::new(file::LocalFile { sensitive: false }),
            Box::new(file::LocalFile { sensitive: true }),
        ],
        vec![
            Box::new(data::LocalFileData { sensitive: false }),
            Box::new(data::LocalFileData { sensitive: true }),
        ],
    )
}
