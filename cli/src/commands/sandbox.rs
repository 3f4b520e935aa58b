//! `topo sandbox`

use clap::{Args, Subcommand};

/// Look into the simulated cloud, and tamper with it
#[derive(Debug, Subcommand)]
pub enum SandboxCommand {
    List(ListArgs),
    Show(ShowArgs),
    Set(SetArgs),
    Delete(DeleteArgs),
}

/// List the objects of the simulated cloud, one a line: type, id, address
#[derive(Debug, Args)]
pub struct ListArgs {}

/// Show one object as the simulated cloud has it
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The resource instance, as in the sandbox's state
    pub address: String,
}

/// Change one attribute behind topo's back, so that it shows as drift
#[derive(Debug, Args)]
pub struct SetArgs {
    /// The resource instance, as in the sandbox's state
    pub address: String,
    /// What becomes what, in the language's syntax: 'spec[0].max_replicas=3', 'tags["Name"]="x"'
    #[arg(value_name = "PATH=VALUE")]
    pub assignment: String,
}

/// Remove one object behind topo's back
#[derive(Debug, Args)]
pub struct DeleteArgs {
    /// The resource instance, as in the sandbox's state
    pub address: String,
}
