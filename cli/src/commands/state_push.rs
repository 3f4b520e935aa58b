//! `topo state push`

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use topo_engine::address::InstanceAddress;
use topo_engine::plan::sensitive_paths;
use topo_engine::store::{Change, Meta, Record, State};
use topo_sdk::Diagnostics;
use topo_state::v4::{self, StateFile};

use super::LockArgs;
use crate::context::{Context, Exit};
use crate::edit::Session;

/// Replace the state by a state file of Terraform or OpenTofu (version 4), or of `topo state pull`
///
/// The file is read as a whole before anything is changed. Where there is a state already, the
/// file must be of the same lineage and not older, unless -force is given. Objects that are in the
/// file as they are in the state stay untouched. Results of checks are left out.
#[derive(Debug, Args)]
pub struct PushArgs {
    /// The file, or - for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Replace a state of another lineage, or a newer one
    #[arg(long)]
    pub force: bool,
    /// The lock.
    #[command(flatten)]
    pub locking: LockArgs,
}

pub async fn run(context: &Context, args: &PushArgs) -> Exit {
    let file = read(context, &args.file)?;
    context.show(&file.warnings);
    let session = Session::open(context, &args.locking).await?;
    let result = replace(context, &session, file, args.force).await;
    session.close(result).await
}

/// Reads a state file; `-` is standard input.
///
/// # Errors
/// What is wrong with it.
pub fn read(context: &Context, file: &Path) -> Result<StateFile, Diagnostics> {
    let (name, bytes) = if file == Path::new("-") {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().read_to_end(&mut bytes);
        ("standard input".to_string(), read.map(|_| bytes))
    } else {
        (file.display().to_string(), std::fs::read(file))
    };
    let bytes = bytes
        .map_err(|e| Diagnostics::error("Cannot read the state file", format!("{name}: {e}.")))?;
    v4::read(&bytes, &context.schemas(), context.started).map_err(|errors| {
        errors.map(|mut d| {
            d.detail = format!("{name}: {}", d.detail);
            d
        })
    })
}

/// Makes the state what the file says.
///
/// # Errors
/// When the two do not go together.
pub async fn replace(
    context: &Context,
    session: &Session<'_>,
    file: StateFile,
    force: bool,
) -> Exit {
    let difference = Difference::between(&session.state, file);
    if !force {
        check(&session.state, &difference)?;
        session.settled(|_| true)?;
    }
    let meta = difference.meta(&session.state);
    if difference.changes.is_empty() && meta == session.state.meta {
        context.ui.print("The state is as in the file.\n");
        return Ok(0);
    }
    let mut changes = difference.changes;
    let intents = session.state.intents.iter();
    changes.extend(intents.map(|i| Change::CloseIntent(i.operation.clone())));
    let count = difference.done.len();
    session.commit(changes, difference.done, Some(meta)).await?;
    context.ui.print(&format!(
        "The state is as in the file now: {count} changed.\n"
    ));
    Ok(0)
}

/// What makes the state that of a file.
struct Difference {
    lineage: String,
    serial: u64,
    changes: Vec<Change>,
    done: Vec<(InstanceAddress, String)>,
}

impl Difference {
    fn between(state: &State, file: StateFile) -> Difference {
        let mut changes = Vec::new();
        let mut done = Vec::new();
        for key in state.records.keys() {
            if !file.records.contains_key(key) {
                done.push((key.address.clone(), "forget".to_string()));
                changes.push(Change::Remove(key.clone()));
            }
        }
        for (key, mut record) in file.records {
            let word = match state.records.get(&key) {
                Some(old) if same(old, &record) => continue,
                Some(old) => {
                    record.created = old.created;
                    "replace in state"
                }
                None => "add to state",
            };
            done.push((key.address, word.to_string()));
            changes.push(Change::Put(Box::new(record)));
        }
        for name in state.outputs.keys() {
            if !file.outputs.contains_key(name) {
                changes.push(Change::RemoveOutput(name.clone()));
            }
        }
        for (name, output) in file.outputs {
            if state.outputs.get(&name) != Some(&output) {
                changes.push(Change::PutOutput(name, output));
            }
        }
        if state.checks != file.checks {
            changes.push(Change::PutChecks(file.checks));
        }
        Difference {
            lineage: file.meta.lineage,
            serial: file.meta.serial,
            changes,
            done,
        }
    }

    /// What the state is afterwards. A file that does not say which state it is of leaves that.
    fn meta(&self, state: &State) -> Meta {
        if self.lineage.is_empty() {
            return Meta {
                lineage: state.meta.lineage.clone(),
                serial: state.meta.serial + u64::from(!self.changes.is_empty()),
            };
        }
        Meta {
            lineage: self.lineage.clone(),
            serial: self.serial,
        }
    }
}

/// Whether the state may become that of the file: the same one, not an older revision, and not
/// another state under the number of this one. An empty state may become any.
fn check(state: &State, file: &Difference) -> Result<(), Diagnostics> {
    let own = &state.meta;
    let is_empty = state.records.is_empty() && state.outputs.is_empty();
    if is_empty || file.lineage.is_empty() || own.lineage.is_empty() {
        return Ok(());
    }
    let refuse = |summary: &str, what: String| {
        Err(Diagnostics::error(
            summary,
            format!(
                "{what} Pushing it would lose what is in the state now; `topo state pull` keeps a copy. With -force the file replaces the state nevertheless."
            ),
        ))
    };
    if file.lineage != own.lineage {
        return refuse(
            "The file is of another state",
            format!(
                "The file's lineage is {}, that of the state in this workspace is {}.",
                file.lineage, own.lineage
            ),
        );
    }
    if file.serial < own.serial {
        return refuse(
            "The file is of an older state",
            format!(
                "The file's serial is {}, that of the state is {}: it has changed since.",
                file.serial, own.serial
            ),
        );
    }
    if file.serial == own.serial && !file.changes.is_empty() {
        return refuse(
            "The file differs from the state",
            format!(
                "Both have the serial {} and are not the same. A file that was changed by hand needs a higher serial.",
                own.serial
            ),
        );
    }
    Ok(())
}

/// Whether two records are the same in a state file.
fn same(a: &Record, b: &Record) -> bool {
    a.provider == b.provider
        && a.schema_version == b.schema_version
        && a.status == b.status
        && a.value == b.value
        && sensitive_paths(&a.value) == sensitive_paths(&b.value)
        && a.private == b.private
        && v4::same_dependencies(&a.dependencies, &b.dependencies)
}
