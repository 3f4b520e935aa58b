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
use crate::events::{Event, Listener};
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
    /// What data sources were, when a plan is resumed.
    pub(crate) data: BTreeMap<InstanceAddress, Value>,
    files: BTreeMap<Arc<str>, String>,
    meta: Meta,
    /// Of the state as it was, where the plan is to be saved.
    records: Option<BTreeMap<RecordKey, Fingerprint>>,
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
            data: BTreeMap::new(),
            files: config.digests.clone(),
            meta: state.meta.clone(),
            records: options.to_be_saved.then(|| fingerprints(state)),
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

impl Inputs {
    /// How the plan was asked for, but for its mode.
    pub(super) fn options(&self) -> PlanOptions {
        PlanOptions {
            replace: self.replace.clone(),
            targets: self.targets.clone(),
            excludes: self.excludes.clone(),
            allow_deferral: self.allow_deferral,
            workspace: self.workspace.clone(),
            ..PlanOptions::default()
        }
    }
}

/// A plan read from a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SavedPlan {
    format: u32,
    made_by: String,
    plan_time: Timestamp,
    /// Digests of the files of the configuration, by their names.
    files: BTreeMap<Arc<str>, String>,
    meta: Meta,
    records: Vec<(RecordKey, Fingerprint)>,
    variables: BTreeMap<Arc<str>, Value>,
    mode: PlanMode,
    refresh: bool,
    replace: Vec<InstanceAddress>,
    targets: Vec<Target>,
    excludes: Vec<Target>,
    allow_deferral: bool,
    workspace: Arc<str>,
    refreshed: Vec<(RecordKey, Option<ResourceState>)>,
    data: Vec<(InstanceAddress, Value)>,
    /// What the plan says: the same must come out again.
    changes: Vec<(RecordKey, ChangeAction, Option<Value>)>,
}

/// The first half of the SHA-256 of a record: enough to tell whether it is as it was.
type Fingerprint = [u8; 16];

fn fingerprints(state: &State) -> BTreeMap<RecordKey, Fingerprint> {
    let all = state.records.iter().map(|(key, record)| {
        // Encoding to memory cannot fail for these types.
        let bytes = rmp_serde::to_vec(record).unwrap_or_default();
        let mut print = Fingerprint::default();
        print.copy_from_slice(&Sha256::digest(bytes)[..16]);
        (key.clone(), print)
    });
    all.collect()
}

/// The names of what is not the same in two maps, each with how: the first few of them.
fn moved<K: Ord, V: PartialEq>(
    then: &BTreeMap<K, V>,
    now: &BTreeMap<K, V>,
    name: impl Fn(&K) -> String,
) -> Option<String> {
    const SHOWN: usize = 5;
    let gone = then.keys().filter(|k| !now.contains_key(k));
    let gone = gone.map(|k| format!("{} (gone)", name(k)));
    let other = now.iter().filter_map(|(k, v)| match then.get(k) {
        None => Some(format!("{} (new)", name(k))),
        Some(old) if old != v => Some(format!("{} (changed)", name(k))),
        Some(_) => None,
    });
    let all: Vec<String> = gone.chain(other).collect();
    let more = match all.len().saturating_sub(SHOWN) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let shown: Vec<&str> = all.iter().take(SHOWN).map(String::as_str).collect();
    (!all.is_empty()).then(|| format!("{}{more}", shown.join(", ")))
}

pub(super) fn save(plan: &Plan) -> Result<Vec<u8>, Diagnostics> {
    let inputs = &plan.inner.saved;
    let Some(records) = &inputs.records else {
        return Err(Diagnostics::error(
            "The plan cannot be saved",
            "It was not made to be saved. This is an error in topo.",
        ));
    };
    let refreshed = refreshed(plan).collect();
    let saved = SavedPlan {
        format: FORMAT,
        made_by: env!("CARGO_PKG_VERSION").into(),
        plan_time: inputs.plan_time,
        files: inputs.files.clone(),
        meta: inputs.meta.clone(),
        records: records.iter().map(|(k, f)| (k.clone(), *f)).collect(),
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

/// What reads found that is not as in the state.
pub(super) fn refreshed(
    plan: &Plan,
) -> impl Iterator<Item = (RecordKey, Option<ResourceState>)> + '_ {
    plan.inner.refreshed.iter().map(|k| {
        let found = plan.inner.state.records.get(k).map(|r| ResourceState {
            value: r.value.clone().unmark_deep(),
            private: r.private.clone(),
        });
        (k.clone(), found)
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

    /// The workspace that it was made in.
    pub fn workspace(&self) -> &str {
        &self.workspace
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
    if let Some(files) = moved(&saved.files, &config.digests, |f| f.to_string()) {
        return Err(stale(&format!("The configuration has changed: {files}")));
    }
    if saved.meta.lineage != state.meta.lineage && !saved.meta.lineage.is_empty() {
        return Err(stale(
            "The plan was made for another state; the state has been replaced",
        ));
    }
    let then: BTreeMap<RecordKey, Fingerprint> = saved.records.iter().cloned().collect();
    let shown = |k: &RecordKey| k.address.to_string();
    if let Some(objects) = moved(&then, &fingerprints(&state), shown) {
        let detail = format!(
            "The state has changed (serial {} then, {} now): {objects}",
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
    inputs.data = saved.data.into_iter().collect();
    let plan = plan_with(
        config,
        providers,
        given,
        state,
        &options,
        listener.clone(),
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
    listener(Event::Planned(plan.overview.clone()));
    Ok(plan)
}
