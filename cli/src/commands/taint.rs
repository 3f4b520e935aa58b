//! `topo taint`

use clap::Args;
use topo_engine::address::{InstanceAddress, ResourceMode};
use topo_engine::store::{Change, RecordKey, State, Status};
use topo_sdk::{Diagnostic, Diagnostics};

use super::LockArgs;
use crate::context::{Context, Exit};
use crate::edit::Session;

/// Mark an object as not fully functional, so that the next apply replaces it
///
/// Nothing but the state is changed; `topo untaint` takes the mark off again. `topo apply
/// -replace=ADDRESS` replaces an object without marking it first.
#[derive(Debug, Args)]
pub struct TaintArgs {
    /// The instance: aws_vpc.main, module.net.aws_subnet.a[0]
    pub address: InstanceAddress,
    /// Succeed where there is no such object
    #[arg(long)]
    pub allow_missing: bool,
    /// The lock.
    #[command(flatten)]
    pub locking: LockArgs,
}

pub async fn run(context: &Context, args: &TaintArgs) -> Exit {
    let mark = Marking {
        address: &args.address,
        allow_missing: args.allow_missing,
        status: Status::Tainted,
    };
    mark.run(context, &args.locking).await
}

/// What is to become of an object's status.
pub struct Marking<'a> {
    /// The instance.
    pub address: &'a InstanceAddress,
    /// Whether it may be missing.
    pub allow_missing: bool,
    /// The new status.
    pub status: Status,
}

impl Marking<'_> {
    /// Marks the object, in a run of its own.
    ///
    /// # Errors
    /// When there is no such object, or the mark cannot be what it is.
    pub async fn run(&self, context: &Context, locking: &LockArgs) -> Exit {
        if self.address.resource.mode != ResourceMode::Managed {
            return Err(Diagnostics::error(
                "Not a managed resource",
                format!(
                    "{} cannot be tainted: only objects that topo manages can be replaced.",
                    self.address
                ),
            ));
        }
        if !topo_state::exists(&context.state_dir()?) {
            return self.missing(context, &State::default());
        }
        let session = Session::open(context, locking).await?;
        let result = self.mark(context, &session).await;
        session.close(result).await
    }

    async fn mark(&self, context: &Context, session: &Session<'_>) -> Exit {
        let key = RecordKey::from(self.address.clone());
        let Some(record) = session.state.records.get(&key) else {
            return self.missing(context, &session.state);
        };
        session.settled(|a| a == self.address)?;
        let (word, message) = match self.status {
            Status::Tainted => ("taint", "has been marked as tainted"),
            Status::Ok => ("untaint", "has been successfully untainted"),
        };
        if self.status == Status::Ok && record.status == Status::Ok {
            return Err(Diagnostics::error(
                "Resource instance is not tainted",
                format!(
                    "{} is not tainted, so there is nothing to take off.",
                    self.address
                ),
            ));
        }
        let mut record = record.clone();
        record.status = self.status;
        let done = vec![(self.address.clone(), word.to_string())];
        let changes = vec![Change::Put(Box::new(record))];
        session.commit(changes, done, None).await?;
        context
            .ui
            .raw(&format!("Resource instance {} {message}.\n", self.address));
        Ok(0)
    }

    fn missing(&self, context: &Context, state: &State) -> Exit {
        const SUMMARY: &str = "No such resource instance";
        let address = self.address;
        if self.allow_missing {
            context.show(&Diagnostics::from(Diagnostic::warning(
                SUMMARY,
                format!(
                    "The state has nothing at {address}, which is no error with -allow-missing."
                ),
            )));
            return Ok(0);
        }
        let deposed = state
            .records
            .keys()
            .any(|k| k.address == *address && k.deposed.is_some());
        let detail = if deposed {
            format!(
                "{address} is in the middle of being replaced: its old object is there, its new one is not yet. `topo apply` completes the replacement."
            )
        } else {
            let near = state
                .records
                .keys()
                .find(|k| k.address.resource == address.resource)
                .map_or("`topo state list` lists what there is.".to_string(), |k| {
                    format!("Did you mean {}?", k.address)
                });
            format!("The state has nothing at {address}. {near}")
        };
        Err(Diagnostics::error(SUMMARY, detail))
    }
}
