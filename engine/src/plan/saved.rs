//! Plans as files.
//!
//! Planning is a pure function of the configuration, the variables, the state, what reads found
//! and the time. A saved plan is those inputs, by value or by digest, and what came out. Resuming
//! it plans again from them, without reading anything, and refuses when something has moved on or
//! when not exactly the same comes out.
//!
//! What is sensitive is in it in the clear where it must be for that: values of sensitive
//! variables, and sensitive attributes of objects and data sources as in the state. Who writes it
//! to a file seals it. What is ephemeral or only written is not in it: ephemeral variables are
//! given again, ephemeral resources opened again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use topo_sdk::convert::convert;
use topo_sdk::{Diagnostic, Diagnostics, ResourceState, Value};

use super::{Plan, PlanOptions, planner};
use crate::address::{InstanceAddress, Target};
use crate::apply::Interrupt;
use crate::changes::{ChangeAction, PlanMode};
use crate::config::{Config, Module};
use crate::events::{Event, Listener};
use crate::providers::Providers;
use crate::store::{Meta, RecordKey, State, StateStore};
use crate::variables::{Given, GivenBy, Inputs};

/// The version of the format.
const FORMAT: u32 = 2;
/// What a saved plan starts with; the format and the version that wrote it follow, in a line that
/// any version can read.
const MAGIC: &str = "topo-plan";

/// The line that a plan saved by this program starts with.
fn header() -> String {
    format!("{MAGIC} {FORMAT} {}", env!("CARGO_PKG_VERSION"))
}

/// What went into a plan.
#[derive(Debug, Clone)]
pub(crate) struct Basis {
    pub(crate) plan_time: Timestamp,
    /// What reads found, when a plan is resumed; `None` to read.
    pub(crate) refreshed: Option<BTreeMap<RecordKey, Option<ResourceState>>>,
    /// What import blocks found, when a plan is resumed: by which id, and what.
    pub(crate) imported: Option<BTreeMap<InstanceAddress, (String, ResourceState)>>,
    /// What data sources were, when a plan is resumed.
    pub(crate) data: BTreeMap<InstanceAddress, Value>,
    files: BTreeMap<Arc<str>, String>,
    meta: Meta,
    /// Of the state as it was, where the plan is to be saved.
    records: Option<BTreeMap<RecordKey, Fingerprint>>,
    pub(crate) given: Arc<BTreeMap<Arc<str>, Given>>,
    mode: PlanMode,
    refresh: bool,
    replace: Vec<InstanceAddress>,
    targets: Vec<Target>,
    excludes: Vec<Target>,
    allow_deferral: bool,
    workspace: Arc<str>,
    interrupt: Option<watch::Receiver<Interrupt>>,
}

impl Basis {
    pub(super) fn new(
        config: &Config,
        state: &State,
        given: &Arc<BTreeMap<Arc<str>, Given>>,
        options: &PlanOptions,
        plan_time: Timestamp,
    ) -> Basis {
        Basis {
            plan_time,
            refreshed: None,
            imported: None,
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
            interrupt: options.interrupt.clone(),
        }
    }
}

impl Basis {
    /// How the plan was asked for, but for its mode.
    pub(super) fn options(&self) -> PlanOptions {
        PlanOptions {
            replace: self.replace.clone(),
            targets: self.targets.clone(),
            excludes: self.excludes.clone(),
            allow_deferral: self.allow_deferral,
            workspace: self.workspace.clone(),
            interrupt: self.interrupt.clone(),
            ..PlanOptions::default()
        }
    }
}

/// A plan read from a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SavedPlan {
    plan_time: Timestamp,
    /// Digests of the files of the configuration, by their names.
    files: BTreeMap<Arc<str>, String>,
    meta: Meta,
    records: Vec<(RecordKey, Fingerprint)>,
    /// As they were given, but for ephemeral ones.
    variables: BTreeMap<Arc<str>, (Value, GivenBy)>,
    /// The ephemeral variables that were given.
    ephemeral: BTreeSet<Arc<str>>,
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
    let root = plan.inner.world.config.root();
    let lasting = || inputs.given.iter().filter(|(n, _)| !is_ephemeral(root, n));
    let imported = plan
        .inner
        .imported
        .iter()
        .filter_map(|(address, importing)| {
            let found = state_of(plan, &address.clone().into())?;
            Some((address.clone(), importing.id.clone(), found))
        });
    let saved = SavedPlan {
        plan_time: inputs.plan_time,
        files: inputs.files.clone(),
        meta: inputs.meta.clone(),
        records: records.iter().map(|(k, f)| (k.clone(), *f)).collect(),
        variables: lasting()
            .map(|(n, g)| (n.clone(), (g.value.clone(), g.by)))
            .collect(),
        ephemeral: inputs
            .given
            .keys()
            .filter(|n| is_ephemeral(root, n))
            .cloned()
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
    Ok([header().as_bytes(), b"\n", &body].concat())
}

/// What reads found that is not as in the state.
pub(super) fn refreshed(
    plan: &Plan,
) -> impl Iterator<Item = (RecordKey, Option<ResourceState>)> + '_ {
    plan.inner
        .refreshed
        .iter()
        .map(|k| (k.clone(), state_of(plan, k)))
}

fn is_ephemeral(root: &Module, name: &str) -> bool {
    root.variables.get(name).is_some_and(|v| v.ephemeral)
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
        let end = bytes.iter().position(|b| *b == b'\n');
        let (line, body) = bytes.split_at(end.unwrap_or_default());
        let line = std::str::from_utf8(line).unwrap_or_default();
        let mut words = line.split(' ');
        let (magic, _, version) = (words.next(), words.next(), words.next());
        let (Some(MAGIC), Some(version)) = (magic, version) else {
            return Err(not_one("it does not start as one".into()));
        };
        if line != header() {
            return Err(Diagnostics::error(
                "Plan file of another version",
                format!(
                    "The plan was saved by topo {version}, this is {}. Make a new one with plan -out.",
                    env!("CARGO_PKG_VERSION")
                ),
            ));
        }
        rmp_serde::from_slice(&body[1..]).map_err(|e| not_one(e.to_string()))
    }

    /// The workspace that it was made in.
    pub fn workspace(&self) -> &str {
        &self.workspace
    }

    /// What the run is for.
    pub fn mode(&self) -> PlanMode {
        self.mode
    }

    /// Errors for variables that have moved: those that a flag gives another value than the one
    /// that the plan was made with, and those for which the environment or files that are read
    /// without being asked for say something else than then. What a flag said then holds whatever
    /// these say now; what the environment said then holds where it says nothing now, since the
    /// machine that applies a plan need not be the one that made it. Ephemeral variables are not in
    /// the plan, they may be given.
    pub fn conflicts(&self, config: &Config, inputs: &Inputs) -> Diagnostics {
        let mut found = Diagnostics::new();
        let root = config.root();
        let now = inputs.resolve(root, &mut found);
        for (name, variable) in &root.variables {
            let of_type = |v: &Value| convert(v, &variable.constraint.ty).ok();
            let then = self.variables.get(name);
            let now = now.get(name);
            let in_force = |v: Option<&Value>| v.or(variable.default.as_ref()).and_then(of_type);
            let same = in_force(then.map(|(v, _)| v)) == in_force(now.map(|g| &g.value));
            if same || variable.ephemeral {
                continue;
            }
            match now {
                Some(now) if now.by == GivenBy::Run => found.push(
                    Diagnostic::error(
                        "Can't change variable when applying a saved plan",
                        format!("The plan was made with another value for the variable {name:?} than the one given by {}. Leave it out, or make a new plan. A variable that is to be given anew when a plan is applied is declared with ephemeral = true.", now.origin),
                    )
                    .with_range(now.range.clone()),
                ),
                _ if then.is_some_and(|(_, by)| *by == GivenBy::Run) => {}
                None if then.is_some_and(|(_, by)| *by == GivenBy::Environment) => {}
                Some(now) => found.push(
                    stale(&format!("The variable {name:?} has another value, given by {},", now.origin))
                        .with_range(now.range.clone()),
                ),
                None => found.push(
                    stale(&format!("The files of variable definitions have lost the value of {name:?}"))
                        .with_range(Some(variable.range.clone())),
                ),
            }
        }
        found
    }

    /// The values to plan with again: those of the plan, and what is given for ephemeral
    /// variables, which must be given exactly if they were then.
    fn given(
        &self,
        config: &Config,
        inputs: &Inputs,
        showing: bool,
    ) -> Result<BTreeMap<Arc<str>, Given>, Diagnostics> {
        let root = config.root();
        let mut found = Diagnostics::new();
        let mut now = inputs.resolve(root, &mut found);
        now.retain(|name, _| is_ephemeral(root, name));
        let range = |name: &Arc<str>| root.variables.get(name).map(|v| v.range.clone());
        for name in &self.ephemeral {
            let Some(variable) = root.variables.get(name).filter(|_| !now.contains_key(name))
            else {
                continue;
            };
            if showing {
                let unknown = Given {
                    value: Value::unknown(variable.constraint.ty.clone()),
                    range: None,
                    origin: "a variable that the saved plan does not hold".into(),
                    by: GivenBy::Run,
                };
                now.insert(name.clone(), unknown);
                continue;
            }
            found.push(
                Diagnostic::error(
                    "No value for required variable",
                    format!("The ephemeral variable {name:?} was set when the plan was made. Plan files do not hold values of ephemeral variables, so it must be set again to apply the plan, as with -var={name}=... or TF_VAR_{name}."),
                )
                .with_range(range(name)),
            );
        }
        for name in now.keys().filter(|n| !self.ephemeral.contains(*n)) {
            found.push(
                Diagnostic::error(
                    "Ephemeral variable was not set during planning",
                    format!("The ephemeral variable {name:?} was not set when the plan was made, so it must not be set to apply the plan."),
                )
                .with_range(range(name)),
            );
        }
        if found.has_errors() {
            return Err(found);
        }
        now.extend(self.variables.iter().map(|(n, (value, by))| {
            let given = Given {
                value: value.clone(),
                range: None,
                origin: "the saved plan".into(),
                by: *by,
            };
            (n.clone(), given)
        }));
        Ok(now)
    }
}

/// The error for a plan that something has moved away from under.
fn stale(what: &str) -> Diagnostic {
    Diagnostic::error(
        "Saved plan is stale",
        format!("{what} since the plan was saved. Make a new plan and look at it."),
    )
}

/// What a plan of a file is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To look at it. Ephemeral variables that are not given are unknown.
    Show,
    /// To carry it out.
    Apply,
}

/// Makes the plan of a file anew from what went into it, to be shown or applied. Of `inputs` only
/// ephemeral variables count.
///
/// # Errors
/// When configuration or state are not what they were, with which; when an ephemeral variable is
/// not given that is needed.
#[expect(
    clippy::too_many_arguments,
    reason = "what is saved, and all that is not"
)]
pub async fn resume(
    saved: SavedPlan,
    purpose: Purpose,
    config: Arc<Config>,
    providers: &Providers,
    inputs: &Inputs,
    state: State,
    store: Option<Arc<dyn StateStore>>,
    interrupt: Option<watch::Receiver<Interrupt>>,
    listener: Listener,
) -> Result<Plan, Diagnostics> {
    if let Some(files) = moved(&saved.files, &config.digests, |f| f.to_string()) {
        return Err(stale(&format!("The configuration has changed: {files}")).into());
    }
    if saved.meta.lineage != state.meta.lineage && !saved.meta.lineage.is_empty() {
        return Err(
            stale("The plan was made for another state; the state has been replaced").into(),
        );
    }
    let then: BTreeMap<RecordKey, Fingerprint> = saved.records.iter().cloned().collect();
    let shown = |k: &RecordKey| k.address.to_string();
    if let Some(objects) = moved(&then, &fingerprints(&state), shown) {
        let detail = format!(
            "The state has changed (serial {} then, {} now): {objects}",
            saved.meta.serial, state.meta.serial
        );
        return Err(stale(&detail).into());
    }
    let given = saved.given(&config, inputs, purpose == Purpose::Show)?;
    let options = PlanOptions {
        mode: saved.mode,
        refresh: saved.refresh,
        replace: saved.replace.clone(),
        targets: saved.targets.clone(),
        excludes: saved.excludes.clone(),
        allow_deferral: saved.allow_deferral,
        workspace: saved.workspace.clone(),
        store,
        interrupt,
        ..PlanOptions::default()
    };
    let given = Arc::new(given);
    let mut basis = Basis::new(&config, &state, &given, &options, saved.plan_time);
    basis.refreshed = Some(saved.refreshed.into_iter().collect());
    basis.data = saved.data.into_iter().collect();
    let imported = saved.imported.into_iter();
    basis.imported = Some(imported.map(|(a, id, s)| (a, (id, s))).collect());
    let found = Diagnostics::new();
    let planner = planner(
        config,
        providers,
        state,
        &options,
        listener.clone(),
        found,
        basis,
    )?;
    let plan = planner.run().await.map_err(|unmade| unmade.diagnostics)?;
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
