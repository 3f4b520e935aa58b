//! Ephemeral resource types: what the API gives for a while and topo keeps nowhere. One file each,
//! and one line in the table.

mod certificate_signing_request;
mod token_request;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use topo_sdk::schema::Schema;
use topo_sdk::{Diagnostics, Value};

use crate::connection::Cluster;

/// An ephemeral resource type. What it gives outlives the phase or is of no use after it, so there
/// is nothing to renew or to close.
#[async_trait]
pub trait Ephemeral: Send + Sync {
    /// The type's name.
    fn name(&self) -> &'static str;

    /// What is configured and what comes of it.
    fn schema(&self) -> Schema;

    /// Asks the API. `planned` is the configuration with defaults; what is computed is unknown.
    ///
    /// # Errors
    /// When the API cannot be asked or refuses.
    async fn open(&self, cluster: &Cluster, planned: Value) -> Result<Value, Diagnostics>;
}

type Entry = (&'static dyn Ephemeral, Arc<Schema>);

/// Every ephemeral resource type, by name. A new one is one line here.
static TYPES: LazyLock<BTreeMap<&'static str, Entry>> = LazyLock::new(|| {
    let types: [&'static dyn Ephemeral; _] = [
        &certificate_signing_request::CertificateSigningRequest,
        &token_request::TokenRequest,
    ];
    let entry = |t: &'static dyn Ephemeral| (t.name(), (t, Arc::new(t.schema())));
    types.into_iter().map(entry).collect()
});

/// Every type name, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    TYPES.keys().copied()
}

/// The type of this name, with its schema.
pub fn find(type_name: &str) -> Option<&'static Entry> {
    TYPES.get(type_name)
}

/// The one block of a name, if it is there.
fn only<'a>(value: &'a Value, block: &str) -> Option<&'a Value> {
    value.get(block)?.as_slice()?.first()
}

/// The texts of a list or set.
fn texts(value: &Value, name: &str) -> Option<Vec<String>> {
    let items = value.get(name)?.as_slice()?;
    let texts = items.iter().filter_map(Value::as_str).map(str::to_owned);
    Some(texts.collect())
}
