//! The table of types: adding one is a file and a line here.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, OnceLock};

use topo_sdk::Schema;

use crate::core::contract::{DataSource, Resource};
use crate::data;
use crate::resources as r;

/// A type with its schema, which is made when first asked for.
pub(crate) struct Entry<T: ?Sized + 'static> {
    /// The type.
    pub kind: &'static T,
    schema: OnceLock<Arc<Schema>>,
}

impl Entry<dyn Resource> {
    /// The schema.
    pub fn schema(&self) -> &Arc<Schema> {
        self.schema.get_or_init(|| Arc::new(self.kind.schema()))
    }
}

impl Entry<dyn DataSource> {
    /// The schema.
    pub fn schema(&self) -> &Arc<Schema> {
        self.schema.get_or_init(|| Arc::new(self.kind.schema()))
    }
}

/// Every resource type, by name.
pub(crate) static RESOURCES: LazyLock<BTreeMap<&'static str, Entry<dyn Resource>>> =
    LazyLock::new(|| {
        let kinds: [&'static dyn Resource; _] = [&r::subnet::Subnet, &r::vpc::Vpc];
        let entry = |kind: &'static dyn Resource| {
            let schema = OnceLock::new();
            (kind.name(), Entry { kind, schema })
        };
        kinds.into_iter().map(entry).collect()
    });

/// Every data source, by name.
pub(crate) static DATA: LazyLock<BTreeMap<&'static str, Entry<dyn DataSource>>> =
    LazyLock::new(|| {
        let kinds: [&'static dyn DataSource; _] = [&data::caller_identity::CallerIdentity];
        let entry = |kind: &'static dyn DataSource| {
            let schema = OnceLock::new();
            (kind.name(), Entry { kind, schema })
        };
        kinds.into_iter().map(entry).collect()
    });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_an_id_and_known_defaults() {
        for (name, entry) in RESOURCES.iter() {
            let schema = entry.schema();
            assert!(name.starts_with("aws_"));
            assert!(schema.block.attributes.contains_key("id"), "{name}");
            for (attribute, a) in &schema.block.attributes {
                assert!(
                    a.default
                        .as_ref()
                        .is_none_or(|d| topo_sdk::convert::conforms(d, &a.ty)),
                    "{name}.{attribute}: the default is of another type"
                );
            }
        }
        for entry in DATA.values() {
            assert!(
                entry.schema().block.attributes.contains_key("id")
                    || entry.kind.name() == "aws_partition"
            );
        }
    }
}
