//! One file per data source; `crate::table` lists them.

pub(crate) mod availability_zones;
pub(crate) mod caller_identity;
pub(crate) mod eks_cluster;
pub(crate) mod eks_cluster_auth;
pub(crate) mod iam_policy_document;
pub(crate) mod partition;
pub(crate) mod region;
