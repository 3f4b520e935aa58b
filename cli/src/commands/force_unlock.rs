//! `topo force-unlock`

use clap::Args;
use topo_sdk::Diagnostics;
use topo_state::{LockInfo, LockStatus, clear_lock, lock_status};

use crate::context::{Context, Exit, store_error};

/// Remove what a dead process left of its lock on the state
///
/// The lock is the operating system's, which releases it when the process that holds it ends,
/// however it ends: no run is ever blocked by a dead one. All that can be left is the file that
/// says who held it, and this removes it. A lock whose owner lives is not taken from it: end that
/// process instead.
#[derive(Debug, Args)]
pub struct ForceUnlockArgs {
    /// The run that holds the lock, as the message says that refuses another
    #[arg(value_name = "LOCK_ID")]
    pub id: String,
    /// Do not ask
    #[arg(long)]
    pub force: bool,
}

pub fn run(context: &Context, args: &ForceUnlockArgs) -> Exit {
    let dir = context.state_dir()?;
    match lock_status(&dir).map_err(store_error)? {
        LockStatus::Free => {
            context
                .ui
                .print("The state is not locked: there is nothing to do.\n");
            return Ok(0);
        }
        LockStatus::Held(owner) => return Err(alive(owner.as_ref(), &args.id)),
        LockStatus::Left(owner) if owner.run != args.id => {
            return Err(Diagnostics::error(
                "Another lock",
                format!(
                    "The lock's ID is {}, not {}: {} was running `{}` (process {}) since {}, and died.",
                    owner.run, args.id, owner.who, owner.command, owner.pid, owner.since
                ),
            ));
        }
        LockStatus::Left(_) => {}
    }
    if !args.force && !confirmed(context) {
        context.ui.print("\nforce-unlock cancelled.\n");
        return Ok(1);
    }
    if !clear_lock(&dir).map_err(store_error)? {
        return Err(alive(None, &args.id));
    }
    context.ui.print("\nThe state has been unlocked.\n");
    Ok(0)
}

fn confirmed(context: &Context) -> bool {
    let question = "Do you really want to force-unlock?\n  The process that held the lock is dead. Only 'yes' will be accepted.\n\n  Enter a value: ";
    let answer = context.ui.ask(question, false);
    answer.is_some_and(|a| a.trim() == "yes")
}

fn alive(owner: Option<&LockInfo>, id: &str) -> Diagnostics {
    let detail = match owner {
        Some(owner) => {
            let other = if owner.run == id {
                String::new()
            } else {
                format!(" (the ID {id} is that of another run)")
            };
            format!(
                "{owner}{other}. The process lives, and taking the lock from it would let two runs change the same objects. Wait, or end process {} on its host, which releases the lock.",
                owner.pid
            )
        }
        None => "Another process is reading or opening the state at this moment. Try again.".into(),
    };
    Diagnostics::error("The owner of the lock is alive", detail)
}
