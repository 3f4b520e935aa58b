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
        let kinds: [&'static dyn Resource; _] = [
            &r::cloudformation_stack::Stack,
            &r::db_instance::DbInstance,
            &r::db_subnet_group::DbSubnetGroup,
            &r::eip::Eip,
            &r::eks_addon::Addon,
            &r::eks_cluster::Cluster,
            &r::eks_node_group::NodeGroup,
            &r::iam_policy::Policy,
            &r::iam_role::Role,
            &r::iam_role_policy_attachment::Attachment,
            &r::internet_gateway::InternetGateway,
            &r::nat_gateway::NatGateway,
            &r::route::Route,
            &r::route_table::RouteTable,
            &r::route_table_association::Association,
            &r::security_group::SecurityGroup,
            &r::security_group_rule::EGRESS,
            &r::security_group_rule::INGRESS,
            &r::subnet::Subnet,
            &r::vpc::Vpc,
        ];
        let entry = |kind: &'static dyn Resource| {
            let schema = OnceLock::new();
            (kind.name(), Entry { kind, schema })
        };
        kinds.into_iter().map(entry).collect()
    });

/// Every data source, by name.
pub(crate) static DATA: LazyLock<BTreeMap<&'static str, Entry<dyn DataSource>>> =
    LazyLock::new(|| {
        let kinds: [&'static dyn DataSource; _] = [
            &data::availability_zones::Zones,
            &data::caller_identity::CallerIdentity,
            &data::eks_cluster::Cluster,
            &data::eks_cluster_auth::ClusterAuth,
            &data::iam_policy_document::PolicyDocument,
            &data::partition::Partition,
            &data::region::Region,
        ];
        let entry = |kind: &'static dyn DataSource| {
            let schema = OnceLock::new();
            (kind.name(), Entry { kind, schema })
        };
        kinds.into_iter().map(entry).collect()
    });

/// Every ephemeral resource type, by name. They are read like data sources, and there is nothing
/// to renew or to close.
pub(crate) static EPHEMERAL: LazyLock<BTreeMap<&'static str, Entry<dyn DataSource>>> =
    LazyLock::new(|| {
        let kinds: [&'static dyn DataSource; _] = [&data::eks_cluster_auth::EphemeralClusterAuth];
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
