//! One file per resource type; `crate::table` lists them.

pub(crate) mod cloudformation_stack;
pub(crate) mod db_instance;
pub(crate) mod db_subnet_group;
pub(crate) mod eip;
pub(crate) mod eks_addon;
pub(crate) mod eks_cluster;
pub(crate) mod eks_node_group;
pub(crate) mod iam_policy;
pub(crate) mod iam_role;
pub(crate) mod iam_role_policy_attachment;
pub(crate) mod internet_gateway;
pub(crate) mod nat_gateway;
pub(crate) mod route;
pub(crate) mod route_table;
pub(crate) mod route_table_association;
pub(crate) mod security_group;
pub(crate) mod security_group_rule;
pub(crate) mod subnet;
pub(crate) mod vpc;
