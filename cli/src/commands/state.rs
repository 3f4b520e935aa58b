//! `topo state`

use clap::{Args, Subcommand};

/// Look into the state
#[derive(Debug, Subcommand)]
pub enum StateCommand {
    List(ListArgs),
    Show(ShowArgs),
}

/// List the addresses of all objects in the state
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only these resources, instances or modules
    #[arg(value_name = "ADDRESS")]
    pub addresses: Vec<String>,
}

/// Show one object of the state
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Which: aws_vpc.main, module.net.aws_subnet.a[0]
    #[arg(value_name = "ADDRESS")]
    pub address: String,
}
