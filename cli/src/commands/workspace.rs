//! `topo workspace`

use clap::{Args, Subcommand};
use std::path::PathBuf;
use topo_engine::address::ResourceMode;
use topo_engine::plan::DEFAULT_WORKSPACE;
use topo_engine::store::State;
use topo_sdk::{Diagnostic, Diagnostics};
use topo_state::Removal;

use super::LockArgs;
use super::state_push;
use crate::context::{Context, Exit, store_error};
use crate::edit::Session;
use crate::render::style::{GREEN, paint};
use crate::workspaces::{RULE, VARIABLE, is_valid};

/// List, make, select and delete workspaces: several states of one configuration
///
/// The state of the workspace NAME is in .topo/state/NAME, the name of the selected one in
/// .topo/environment; the sandbox has workspaces of its own. TF_WORKSPACE selects another for one
/// command. The configuration sees the name as terraform.workspace.
#[derive(Debug, Subcommand)]
pub enum WorkspaceCommand {
    List(ListArgs),
    Show(ShowArgs),
    New(NewArgs),
    Select(SelectArgs),
    Delete(DeleteArgs),
}

/// List all workspaces; the selected one has an asterisk
#[derive(Debug, Args)]
pub struct ListArgs {}

/// Print the name of the selected workspace
#[derive(Debug, Args)]
pub struct ShowArgs {}

/// Make an empty workspace and select it
#[derive(Debug, Args)]
pub struct NewArgs {
    /// Its name
    pub name: String,
    /// Fill it from this state file (version 4), as `state push` does
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// The lock.
    #[command(flatten)]
    pub locking: LockArgs,
}

/// Select the workspace for the commands to come
#[derive(Debug, Args)]
pub struct SelectArgs {
    /// Its name
    pub name: String,
    /// Make it where there is none
    #[arg(
        long,
        value_name = "BOOL",
        default_value_t = false,
        default_missing_value = "true"
    )]
    #[arg(num_args = 0..=1, require_equals = true, action = clap::ArgAction::Set)]
    pub or_create: bool,
}

/// Delete a workspace with its state and its history
#[derive(Debug, Args)]
pub struct DeleteArgs {
    /// Its name
    pub name: String,
    /// Delete it even though it has objects, which go on to exist without anybody managing them
    #[arg(long)]
    pub force: bool,
    /// The lock.
    #[command(flatten)]
    pub locking: LockArgs,
}

pub async fn run(context: &Context, command: &WorkspaceCommand) -> Exit {
    match command {
        WorkspaceCommand::List(_) => list(context),
        WorkspaceCommand::Show(_) => {
            context.ui.raw(&format!("{}\n", context.workspace()?.name));
            Ok(0)
        }
        WorkspaceCommand::New(args) => new(context, args).await,
        WorkspaceCommand::Select(args) => select(context, args),
        WorkspaceCommand::Delete(args) => delete(context, args).await,
    }
}

fn list(context: &Context) -> Exit {
    let current = context.workspace()?;
    let mut text = String::new();
    for name in context.workspaces().list()? {
        let mark = if name == *current.name { "*" } else { " " };
        text.push_str(&format!("{mark} {name}\n"));
    }
    context.ui.raw(&text);
    if current.overridden {
        context.ui.warn(&format!(
            "\nThe active workspace is selected by the environment variable {VARIABLE}.\n"
        ));
    }
    Ok(0)
}

async fn new(context: &Context, args: &NewArgs) -> Exit {
    let name = &args.name;
    valid(name)?;
    let workspaces = context.workspaces();
    // With a selection that is broken, only what the environment says matters.
    if let Ok(current) = context.workspace()
        && current.overridden
        && *current.name != **name
    {
        return Err(Diagnostics::error(
            "The workspace is selected by the environment",
            format!(
                "{VARIABLE} says {:?}, so {name:?} could not be selected after it is made. Unset the variable, or set it to {name:?}, and run this again.",
                current.name
            ),
        ));
    }
    if workspaces.exists(name) {
        return Err(Diagnostics::error(
            format!("Workspace {name:?} already exists"),
            format!("`topo workspace select {name}` selects it."),
        ));
    }
    // Before anything is made: a mistake in the file leaves no trace.
    let file = match &args.state {
        Some(file) => Some(state_push::read(context, file)?),
        None => None,
    };
    workspaces.create(name)?;
    workspaces.select(name)?;
    let Some(file) = file else {
        created(context, name);
        return Ok(0);
    };
    context.ui.print(&created_head(name));
    context.show(&file.warnings);
    let inside = context.within(name);
    let session = Session::open(&inside, &args.locking).await?;
    let result = state_push::replace(&inside, &session, file, false).await;
    session.close(result).await
}

fn created(context: &Context, name: &str) {
    context.ui.print(&format!(
        "{}\nIt is empty: workspaces have states of their own, so `topo plan` sees nothing of what is in\nothers.\n",
        created_head(name)
    ));
}

fn created_head(name: &str) -> String {
    let text = format!("Created and switched to workspace {name:?}!");
    format!("{}\n", paint(GREEN.bold(), text))
}

fn select(context: &Context, args: &SelectArgs) -> Exit {
    let name = &args.name;
    let workspaces = context.workspaces();
    let current = match context.workspace() {
        Ok(current) if !current.overridden => Some(&*current.name),
        // What cannot be read as a selection is to be replaced.
        Err(_) if std::env::var(VARIABLE).unwrap_or_default().is_empty() => None,
        _ => {
            return Err(Diagnostics::error(
                "The workspace is selected by the environment",
                format!(
                    "{VARIABLE} decides which workspace is worked in, whatever is selected here. Unset it, or set it to {name:?}."
                ),
            ));
        }
    };
    valid(name)?;
    if current == Some(name) {
        return Ok(0);
    }
    if !workspaces.exists(name) {
        if !args.or_create {
            return Err(missing(name));
        }
        workspaces.create(name)?;
        workspaces.select(name)?;
        created(context, name);
        return Ok(0);
    }
    workspaces.select(name)?;
    let text = format!("Switched to workspace {name:?}.");
    context.ui.print(&format!("{}\n", paint(GREEN, text)));
    Ok(0)
}

async fn delete(context: &Context, args: &DeleteArgs) -> Exit {
    let name = &args.name;
    let workspaces = context.workspaces();
    if !workspaces.exists(name) {
        return Err(missing(name));
    }
    if name == DEFAULT_WORKSPACE {
        return Err(Diagnostics::error(
            "The default workspace cannot be deleted",
            "There is always one. `topo destroy` removes what it manages.",
        ));
    }
    if *context.workspace()?.name == **name {
        return Err(Diagnostics::error(
            format!("Workspace {name:?} is your active workspace"),
            "The selected workspace cannot be deleted. Select another one first, such as with `topo workspace select default`.",
        ));
    }
    context.note_lock(&args.locking);
    let dir = workspaces.state_dir(name);
    if !topo_state::exists(&dir) {
        workspaces.remove(name)?;
        return deleted(context, name, false);
    }
    let removal = Removal::begin(&dir, context.lock_info(), args.locking.lock_timeout)
        .await
        .map_err(store_error)?;
    let objects = objects(&removal.state);
    if !objects.is_empty() && !args.force {
        return Err(Diagnostics::error(
            "Workspace is not empty",
            format!(
                "Workspace {name:?} manages:{objects}\n\nThese would go on to exist with nobody to manage them. Destroy them first with `topo destroy` in that workspace, or give -force to forget them.",
            ),
        ));
    }
    removal.finish().await.map_err(store_error)?;
    workspaces.remove(name)?;
    deleted(context, name, !objects.is_empty())
}

fn deleted(context: &Context, name: &str, had_objects: bool) -> Exit {
    let text = format!("Deleted workspace {name:?}!");
    context.ui.print(&format!("{}\n", paint(GREEN, text)));
    if had_objects {
        context.show(&Diagnostics::from(Diagnostic::warning(
            format!("{name:?} was not empty"),
            "What it managed may still exist, and topo manages it no longer.",
        )));
    }
    Ok(0)
}

/// What a state manages and may have under way, one a line.
fn objects(state: &State) -> String {
    let managed = state
        .records
        .keys()
        .chain(state.intents.iter().map(|i| &i.key));
    let mut lines: Vec<String> = managed
        .filter(|k| k.address.resource.mode == ResourceMode::Managed)
        .map(|k| match &k.deposed {
            Some(deposed) => format!("\n  - {} (deposed object {deposed})", k.address),
            None => format!("\n  - {}", k.address),
        })
        .collect();
    lines.dedup();
    lines.concat()
}

fn valid(name: &str) -> Result<(), Diagnostics> {
    if is_valid(name) {
        return Ok(());
    }
    Err(Diagnostics::error(
        "Invalid workspace name",
        format!("The name {name:?} is not allowed. {RULE}"),
    ))
}

fn missing(name: &str) -> Diagnostics {
    Diagnostics::error(
        format!("Workspace {name:?} doesn't exist"),
        "`topo workspace list` lists what there is; `topo workspace new` makes one, and so does `topo workspace select -or-create`.",
    )
}
