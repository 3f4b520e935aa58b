//! The `local` provider: files on this machine, and a function that asks for a directory.

mod content;
mod data;
mod file;
mod functions;

use std::sync::Arc;

use topo_sdk::Provider;

/// The provider.
pub(crate) fn provider() -> Arc<dyn Provider> {
    crate::table::provider_with_functions(
        "local",
        vec![
            Box::new(file::LocalFile { sensitive: false }),
            Box::new(file::LocalFile { sensitive: true }),
        ],
        vec![
            Box::new(data::LocalFileData { sensitive: false }),
            Box::new(data::LocalFileData { sensitive: true }),
        ],
        functions::functions(),
    )
}
