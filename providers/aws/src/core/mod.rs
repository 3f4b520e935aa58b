//! What resource types and data sources share. Nothing here knows a particular type.

pub(crate) mod check;
pub(crate) mod clients;
pub(crate) mod contract;
pub(crate) mod credentials;
pub(crate) mod document;
pub(crate) mod ec2;
pub(crate) mod eks;
pub(crate) mod error;
pub(crate) mod firewall;
pub(crate) mod iam;
pub(crate) mod names;
pub(crate) mod rds;
pub(crate) mod retry;
pub(crate) mod routes;
pub(crate) mod tags;
pub(crate) mod view;
pub(crate) mod wait;
