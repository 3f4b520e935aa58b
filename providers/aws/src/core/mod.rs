//! What resource types and data sources share. Nothing here knows a particular type.

pub(crate) mod check;
pub(crate) mod clients;
pub(crate) mod contract;
pub(crate) mod credentials;
pub(crate) mod document;
pub(crate) mod ec2;
pub(crate) mod error;
pub(crate) mod retry;
pub(crate) mod tags;
pub(crate) mod view;
pub(crate) mod wait;
