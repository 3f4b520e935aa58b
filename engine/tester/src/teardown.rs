//! Destroying what the runs of a file made, state after state, the one that was changed last
//! first.

use std::sync::Arc;

use topo_engine::apply::{ApplyOptions, apply};
use topo_engine::changes::PlanMode;
use topo_engine::events::silent;
use topo_engine::plan::{PlanOptions, plan};
use topo_engine::store::{Record, RecordKey, StateStore};
use topo_sdk::{Diagnostics, Value};

use crate::file::TestFile;
use crate::memory::{MemoryStore, managed};
use crate::report::{Left, Teardown, TestEvent};
use crate::run::{given_up, interrupted, problems};
use crate::runner::{Context, Last, States, lock, name};

/// Destroys everything. Returns what there is to tell of it.
pub(crate) async fn destroy(
    context: &Context<'_>,
    file: &TestFile,
    states: &States,
) -> Vec<Arc<Teardown>> {
    let mut all: Vec<(Last, Arc<MemoryStore>)> = lock(states)
        .values()
        .filter_map(|s| Some((s.last.clone()?, s.store.clone())))
        .filter(|(_, store)| !store.is_empty())
        .collect();
    all.sort_by_key(|(last, _)| std::cmp::Reverse(last.index));
    let mut told = Vec::new();
    for (last, store) in all {
        let name = name(file, &file.runs[last.index]);
        context.tell(TestEvent::RunTearingDown(name.clone()));
        let diagnostics = tokio::select! {
            biased;
            () = given_up(context.giving_up()) => interrupted().into(),
            said = one(context, &last, store.clone()) => said,
        };
        let state = store.state();
        let in_doubt = |key: &RecordKey| state.intents.iter().any(|i| i.key == *key);
        let mut left: Vec<Left> = managed(&state)
            .map(|r| shown(r, in_doubt(&r.key)))
            .collect();
        for intent in &state.intents {
            if !left.iter().any(|l| l.key == intent.key) {
                let made = intent.checkpoint.as_ref();
                left.push(Left {
                    key: intent.key.clone(),
                    id: made.and_then(|made| id(&made.value)),
                    in_doubt: true,
                });
            }
        }
        if left.is_empty() && diagnostics.is_empty() {
            continue;
        }
        let teardown = Arc::new(Teardown {
            name,
            diagnostics,
            other_module: file.runs[last.index].module.is_some(),
            state: Arc::new(state),
            left,
        });
        context.tell(TestEvent::TornDown(teardown.clone()));
        told.push(teardown);
    }
    told
}

async fn one(context: &Context<'_>, last: &Last, store: Arc<MemoryStore>) -> Diagnostics {
    let writer: Arc<dyn StateStore> = store.clone();
    let options = PlanOptions {
        mode: PlanMode::Destroy,
        workspace: context.suite.workspace.clone(),
        parallelism: context.suite.parallelism,
        store: Some(writer),
        ..PlanOptions::default()
    };
    let providers = &last.prepared.providers;
    let made = plan(
        last.prepared.config.clone(),
        providers,
        &last.inputs,
        store.state(),
        &options,
        silent(),
    )
    .await;
    let plan = match made {
        Ok(plan) => plan,
        Err(ds) => return ds,
    };
    let options = ApplyOptions {
        parallelism: context.suite.parallelism,
        interrupt: context.giving_up(),
    };
    problems(&*apply(plan, providers, store, options, silent()).await)
}

/// An object that is left, with its id where that may be shown.
fn shown(record: &Record, in_doubt: bool) -> Left {
    Left {
        key: record.key.clone(),
        id: id(&record.value),
        in_doubt,
    }
}

fn id(value: &Value) -> Option<String> {
    let id = value.get("id").filter(|v| !v.is_sensitive())?;
    id.as_str().map(str::to_string)
}
