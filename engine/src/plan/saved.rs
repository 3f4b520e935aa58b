//! Plans as files.
//!
//! Planning is a pure function of the configuration, the variables, the state, what reads found
//! and the time. A saved plan is those inputs, by value or by digest, and what came out. Resuming
//! it plans again from them, without reading anything, and refuses when something has moved on or
//! when not exactly the same comes out.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use topo_sdk::{Diagnostic, Diagnostics, ResourceState, Value};

use super::{Plan, PlanOptions, plan_with};
use crate::address::{InstanceAddress, Target};
use crate::changes::{ChangeAction, PlanMode};
use crate::config::Config;
use crate::events::Listener;
use crate::providers::Providers;
use crate::store::{Meta, RecordKey, State, StateStore};
use crate::variables::Given;

/// The version of the format.
const FORMAT: u32 = 1;
/// What a plan file starts with.
const MAGIC: &[u8] = b"topo-plan\n";

/// What went into a plan.
#[derive(Debug, Clone)]
pub(crate) struct Inputs {
    pub(crate) plan_time: Timestamp,
    /// What reads found, when a plan is resumed; `None` to read.
    pub(crate) refreshed: Option<BTreeMap<RecordKey, Option<ResourceState>>>,
    /// What import blocks found, when a plan is resumed: by which id, and what.
    pub(crate) imported: Option<BTreeMap<InstanceAddress, (String, ResourceState)>>,
    /// What data sources were, when a plan is resumed.
    pub(crate) data: BTreeMap<InstanceAddress, Value>,
    digest: String,
    meta: Meta,
    state_digest: String,
    given: Arc<BTreeMap<Arc<str>, Given>>,
    mode: PlanMode,
    refresh: bool,
    replace: Vec<InstanceAddress>,
    targets: Vec<Target>,
    excludes: Vec<Target>,
    allow_deferral: bool,
    workspace: Arc<str>,
}

impl Inputs {
    pub(super) fn new(
        config: &Config,
        state: &State,
        given: &Arc<BTreeMap<Arc<str>, Given>>,
        options: &PlanOptions,
        plan_time: Timestamp,
    ) -> Inputs {
        Inputs {
            plan_time,
            refreshed: None,
            imported: None,
            data: BTreeMap::new(),
            digest: config.digest.clone(),
            meta: state.meta.clone(),
            state_digest: state_digest(state),
            given: given.clone(),
            mode: options.mode,
            refresh: options.refresh,
            replace: options.replace.clone(),
            targets: options.targets.clone(),
            excludes: options.excludes.clone(),
            allow_deferral: options.allow_deferral,
            workspace: options.workspace.clone(),
        }
    }
}

/// A plan read from a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SavedPlan {
    format: u32,
    made_by: String,
    plan_time: Timestamp,
    config_digest: String,
    meta: Meta,
    state_digest: String,
    variables: BTreeMap<Arc<str>, Value>,
    mode: PlanMode,
    refresh: bool,
    replace: Vec<InstanceAddress>,
    targets: Vec<Target>,
    excludes: Vec<Target>,
    allow_deferral: bool,
    workspace: Arc<str>,
    refreshed: Vec<(RecordKey, Option<ResourceState>)>,
    #[serde(default)]
    imported: Vec<(InstanceAddress, String, ResourceState)>,
    data: Vec<(InstanceAddress, Value)>,
    /// What the plan says: the same must come out again.
    changes: Vec<(RecordKey, ChangeAction, Option<Value>)>,
}

/// SHA-256 over the records, in hex: two states with the same one are the same.
fn state_digest(state: &State) -> String {
    let mut hash = Sha256::new();
    for r in state.records.values() {
        // Encoding to memory cannot fail for these types; if it did, digests would still differ
        // from those of other states only by what could be encoded.
        hash.update(rmp_serde::to_vec(r).unwrap_or_default());
    }
    hex::encode(hash.finalize())
}

pub(super) fn save(plan: &Plan) -> Result<Vec<u8>, Diagnostics> {
    let inputs = &plan.inner.saved;
    let refreshed = plan
        .inner
        .refreshed
        .iter()
        .map(|k| (k.clone(), state_of(plan, k)))
        .collect();
    let imported = plan
        .inner
        .imported
        .iter()
        .filter_map(|(address, importing)| {
            let found = state_of(plan, &address.clone().into())?;
            Some((address.clone(), importing.id.clone(), found))
        });
    let saved = SavedPlan {
        format: FORMAT,
        made_by: env!("CARGO_PKG_VERSION").into(),
        plan_time: inputs.plan_time,
        config_digest: inputs.digest.clone(),
        meta: inputs.meta.clone(),
        state_digest: inputs.state_digest.clone(),
        variables: inputs
            .given
            .iter()
            .map(|(n, g)| (n.clone(), g.value.clone()))
            .collect(),
        mode: inputs.mode,
        refresh: inputs.refresh,
        replace: inputs.replace.clone(),
        targets: inputs.targets.clone(),
        excludes: inputs.excludes.clone(),
        allow_deferral: inputs.allow_deferral,
        workspace: inputs.workspace.clone(),
        refreshed,
        imported: imported.collect(),
        data: plan
            .inner
            .data
            .iter()
            .map(|(a, v)| (a.clone(), v.clone()))
            .collect(),
        changes: outcome(plan),
    };
    let body = rmp_serde::to_vec_named(&saved)
        .map_err(|e| Diagnostics::error("The plan cannot be saved", format!("{e}.")))?;
    Ok([MAGIC, &body].concat())
}

fn state_of(plan: &Plan, key: &RecordKey) -> Option<ResourceState> {
    plan.inner.state.records.get(key).map(|r| ResourceState {
        value: r.value.clone().unmark_deep(),
        private: r.private.clone(),
    })
}

fn outcome(plan: &Plan) -> Vec<(RecordKey, ChangeAction, Option<Value>)> {
    plan.changes
        .iter()
        .map(|c| (c.key.clone(), c.action, c.after.clone()))
        .collect()
}

impl SavedPlan {
    /// Reads a plan file.
    ///
    /// # Errors
    /// When it is not one, or was made by another version.
    pub fn open(bytes: &[u8]) -> Result<SavedPlan, Diagnostics> {
        let not_one = |why: String| {
            Diagnostics::error(
                "Not a plan file",
                format!(
                    "The file cannot be read as a plan that this program saved: {why}. Make a new one with plan -out."
                ),
            )
        };
        let body = bytes
            .strip_prefix(MAGIC)
            .ok_or_else(|| not_one("it does not start as one".into()))?;
        let saved: SavedPlan = rmp_serde::from_slice(body).map_err(|e| not_one(e.to_string()))?;
        if saved.format != FORMAT || saved.made_by != env!("CARGO_PKG_VERSION") {
            return Err(Diagnostics::error(
                "Plan file of another version",
                format!(
                    "The plan was saved by topo {}, this is {}. Make a new one with plan -out.",
                    saved.made_by,
                    env!("CARGO_PKG_VERSION")
                ),
            ));
        }
        Ok(saved)
    }

    /// What the run is for.
    pub fn mode(&self) -> PlanMode {
        self.mode
    }
}

/// Makes the plan of a file anew from what went into it, to be shown or applied.
///
/// # Errors
/// When configuration or state are not what they were, with which.
pub async fn resume(
    saved: SavedPlan,
    config: Arc<Config>,
    providers: &Providers,
    state: State,
    store: Option<Arc<dyn StateStore>>,
    listener: Listener,
) -> Result<Plan, Diagnostics> {
    let stale = |what: &str| {
        Diagnostics::error(
            "Saved plan is stale",
            format!("{what} since the plan was saved. Make a new plan and look at it."),
        )
    };
    if saved.config_digest != config.digest {
        return Err(stale("The configuration has changed"));
    }
    if saved.meta.lineage != state.meta.lineage && !saved.meta.lineage.is_empty() {
        return Err(stale(
            "The plan was made for another state; the state has been replaced",
        ));
    }
    if saved.state_digest != state_digest(&state) {
        let detail = format!(
            "The state has changed (serial {} then, {} now)",
            saved.meta.serial, state.meta.serial
        );
        return Err(stale(&detail));
    }
    let given: BTreeMap<Arc<str>, Given> = saved
        .variables
        .iter()
        .map(|(n, v)| {
            (
                n.clone(),
                Given {
                    value: v.clone(),
                    range: None,
                    origin: "the saved plan".into(),
                },
            )
        })
        .collect();
    let options = PlanOptions {
        mode: saved.mode,
        refresh: saved.refresh,
        replace: saved.replace.clone(),
        targets: saved.targets.clone(),
        excludes: saved.excludes.clone(),
        allow_deferral: saved.allow_deferral,
        workspace: saved.workspace.clone(),
        store,
        ..PlanOptions::default()
    };
    let given = Arc::new(given);
    let mut inputs = Inputs::new(&config, &state, &given, &options, saved.plan_time);
    inputs.refreshed = Some(saved.refreshed.into_iter().collect());
    let imported = saved.imported.into_iter();
    inputs.imported = Some(imported.map(|(a, id, s)| (a, (id, s))).collect());
    inputs.data = saved.data.into_iter().collect();
    let plan = plan_with(
        config,
        providers,
        given,
        state,
        &options,
        listener,
        Diagnostics::new(),
        inputs,
    )
    .await?;
    let expected = saved.changes;
    let made = outcome(&plan);
    if made != expected {
        let first = made
            .iter()
            .zip(&expected)
            .find(|(a, b)| a != b)
            .map(|(a, _)| a.0.address.to_string());
        let what = first.unwrap_or_else(|| "the number of objects".into());
        return Err(Diagnostic::error("Saved plan is stale", format!("Planning again from the same inputs gives another result for {what}: something outside, such as a file that the configuration reads, has changed. Make a new plan and look at it.")).into());
    }
    Ok(plan)
}
