//! `topo untaint`

use clap::Args;
use topo_engine::address::InstanceAddress;
use topo_engine::store::Status;

use super::LockArgs;
use super::taint::Marking;
use crate::context::{Context, Exit};

/// Take the mark off a tainted object, so that it is not replaced
#[derive(Debug, Args)]
pub struct UntaintArgs {
    /// The instance: aws_vpc.main, module.net.aws_subnet.a[0]
    pub address: InstanceAddress,
    /// Succeed where there is no such object
    #[arg(long)]
    pub allow_missing: bool,
    /// The lock.
    #[command(flatten)]
    pub locking: LockArgs,
}

pub async fn run(context: &Context, args: &UntaintArgs) -> Exit {
    let mark = Marking {
        address: &args.address,
        allow_missing: args.allow_missing,
        status: Status::Ok,
    };
    mark.run(context, &args.locking).await
}
