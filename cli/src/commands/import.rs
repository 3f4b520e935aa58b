//! `topo import`

use clap::Args;
use jiff::Timestamp;
use topo_engine::address::{InstanceAddress, ResourceMode};
use topo_engine::plan::{self, PlanOptions};
use topo_engine::providers::Providers;
use topo_engine::store::{Change, RunRecord, StateStore};
use topo_sdk::Diagnostics;

use super::{DiagnosticArgs, LockArgs, VariableArgs};
use crate::context::{Configuration, Context, Exit, store_error, who};
use crate::run::Prior;
use crate::view::{Note, Shown};

/// Take an object that exists into the state
///
/// ADDR is the resource instance that the object will be; its resource block must be in the
/// configuration already. ID is what the provider knows the object by: see the documentation of
/// the resource type.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Values of input variables.
    #[command(flatten)]
    pub variables: VariableArgs,
    /// The lock.
    #[command(flatten)]
    pub locking: LockArgs,
    /// Warnings and errors.
    #[command(flatten)]
    pub diagnostics: DiagnosticArgs,
    /// The resource instance
    #[arg(value_name = "ADDR")]
    pub address: InstanceAddress,
    /// The object
    #[arg(value_name = "ID")]
    pub id: String,
}

pub async fn run(context: &Context, args: &ImportArgs) -> Exit {
    context.announce();
    if args.address.resource.mode != ResourceMode::Managed {
        return Err(Diagnostics::error(
            "Invalid address",
            format!(
                "{} is not managed by topo but read anew in every run. Only a resource can be imported.",
                args.address
            ),
        ));
    }
    let configuration = context.configuration(&args.variables)?;
    let providers = context.providers()?;
    context.note_lock(&args.locking);
    let prior = Prior::locked(context, &args.locking).await?;
    let store = prior.store.clone();
    let result = import(context, args, &configuration, &providers, prior).await;
    Prior::close(store, result).await
}

async fn import(
    context: &Context,
    args: &ImportArgs,
    configuration: &Configuration,
    providers: &Providers,
    prior: Prior,
) -> Exit {
    let reporter = context.reporter(Shown::Progress);
    // What a dead run left open on the object is settled by saying which object it is.
    let open = prior.state.intents.iter();
    let open: Vec<_> = open
        .filter(|i| i.key.address == args.address)
        .map(|i| Change::CloseIntent(i.operation.clone()))
        .collect();
    let options = PlanOptions {
        workspace: configuration.workspace.clone(),
        interrupt: crate::run::while_planning(&configuration.config),
        ..PlanOptions::default()
    };
    let found = plan::import_object(
        configuration.config.clone(),
        providers,
        &configuration.inputs,
        prior.state,
        &options,
        reporter.listener(),
        (&args.address, &args.id),
    )
    .await;
    let record = found?;
    let Some(store) = prior.store else {
        return Err(Diagnostics::error("The state is not open", ""));
    };
    let run = RunRecord {
        id: context.run.to_string(),
        who: who(),
        pid: std::process::id(),
        command: context.command.clone(),
        started: context.started,
        ended: Some(Timestamp::now()),
        changes: vec![(args.address.clone(), "import".to_string())],
    };
    let mut changes = vec![Change::Put(Box::new(record)), Change::PutRun(run)];
    changes.extend(open);
    store.commit(changes).await.map_err(store_error)?;
    reporter.note(Note::Imported(args.address.clone()));
    Ok(0)
}
