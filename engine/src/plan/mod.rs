//! Planning: one walk over the static graph that evaluates everything, asks each object's
//! provider what would happen to it, and reads what must be read.
//!
//! How a value travels: expressions are evaluated in a [`World`]; a resource's arguments become a
//! configuration value, which its provider turns into a planned object; that is put back into
//! the world, where whatever refers to it sees it, unknown parts included.

mod data;
mod deletions;
mod dependencies;
mod marks;
mod object;
mod providers;
mod saved;
mod unsupported;
mod walk;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use petgraph::graph::NodeIndex;
use topo_sdk::plan::nulls_for_unknowns;
use topo_sdk::{Diagnostic, Diagnostics, Value};

use self::dependencies::{create_first, resource_dependencies};
pub use marks::{deviation, mark, sensitive_paths};
pub(crate) use object::ignore_changes;
pub use providers::{ProviderState, Slot};
pub(crate) use providers::{good_for, provider_config, provider_node};
pub use saved::{SavedPlan, resume};

use crate::address::{InstanceAddress, ProviderAddress, Target};
use crate::changes::{
    ChangeAction, Drift, InstanceChange, OutputChange, Overview, PlanMode, Unread,
};
use crate::config::{Config, ModuleId, ResourceKey};
use crate::events::{Event, Listener};
use crate::providers::Providers;
use crate::store::{Change, Dependency, RecordKey, State, StateStore};
use crate::variables::{Given, Inputs};
use crate::world::{Each, World};

/// The workspace that there always is.
pub const DEFAULT_WORKSPACE: &str = "default";

/// How to plan.
#[derive(Clone)]
pub struct PlanOptions {
    /// What the run is for.
    pub mode: PlanMode,
    /// Whether objects are read before they are compared.
    pub refresh: bool,
    /// Restricts the plan to these and what they depend on; empty for everything.
    pub targets: Vec<Target>,
    /// Leaves out these and what depends on them.
    pub excludes: Vec<Target>,
    /// Objects to replace though nothing forces it.
    pub replace: Vec<InstanceAddress>,
    /// Whether what cannot be planned yet, because how many instances there are is not known, is
    /// left to a later round instead of being an error.
    pub allow_deferral: bool,
    /// The name of the workspace: `terraform.workspace`.
    pub workspace: Arc<str>,
    /// How many operations run side by side.
    pub parallelism: usize,
    /// Where what recovery finds is written; without it open intents are reported as errors.
    pub store: Option<Arc<dyn StateStore>>,
}

impl Default for PlanOptions {
    fn default() -> PlanOptions {
        PlanOptions {
            mode: PlanMode::Normal,
            refresh: true,
            targets: Vec::new(),
            excludes: Vec::new(),
            replace: Vec::new(),
            allow_deferral: false,
            workspace: DEFAULT_WORKSPACE.into(),
            parallelism: 10,
            store: None,
        }
    }
}

/// A plan, with what is needed to carry it out. What it says is its [`Overview`], to which it
/// dereferences.
pub struct Plan {
    /// What it says.
    pub overview: Arc<Overview>,
    pub(crate) inner: Inner,
}

impl std::ops::Deref for Plan {
    type Target = Overview;

    fn deref(&self) -> &Overview {
        &self.overview
    }
}

/// What apply takes over from planning.
pub(crate) struct Inner {
    pub(crate) world: World,
    /// Everything as the state (refreshed) has it: what provider configurations were.
    pub(crate) prior: Option<World>,
    pub(crate) slots: BTreeMap<ProviderAddress, Slot>,
    /// Refreshed.
    pub(crate) state: State,
    /// As it was loaded: which records the refresh changed.
    pub(crate) refreshed: BTreeSet<RecordKey>,
    pub(crate) details: HashMap<InstanceAddress, Detail>,
    /// Data sources that were read.
    pub(crate) data: BTreeMap<InstanceAddress, Value>,
    pub(crate) saved: saved::Inputs,
}

/// Where an instance comes from.
#[derive(Debug, Clone)]
pub(crate) struct Detail {
    pub(crate) module: ModuleId,
    pub(crate) instance: usize,
    pub(crate) key: ResourceKey,
    pub(crate) each: Each,
    pub(crate) dependencies: Vec<Dependency>,
}

impl Plan {
    /// The values of everything, unknown where they are known only after apply.
    pub fn world(&self) -> &World {
        &self.inner.world
    }

    /// The plan as bytes, to be carried out later as long as configuration and state stay as
    /// they are.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub fn save(&self) -> Result<Vec<u8>, Diagnostics> {
        saved::save(self)
    }
}

/// Plans.
///
/// # Errors
/// Everything that is wrong; nothing has been changed then.
pub async fn plan(
    config: Arc<Config>,
    providers: &Providers,
    inputs: &Inputs,
    state: State,
    options: &PlanOptions,
    listener: Listener,
) -> Result<Plan, Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    let given = Arc::new(inputs.resolve(config.root(), &mut diagnostics));
    let inputs = saved::Inputs::new(&config, &state, &given, options, Timestamp::now());
    plan_with(
        config,
        providers,
        given,
        state,
        options,
        listener,
        diagnostics,
        inputs,
    )
    .await
}

#[expect(
    clippy::too_many_arguments,
    reason = "one caller to plan anew, one to resume a saved plan"
)]
async fn plan_with(
    config: Arc<Config>,
    providers: &Providers,
    given: Arc<BTreeMap<Arc<str>, Given>>,
    state: State,
    options: &PlanOptions,
    listener: Listener,
    diagnostics: Diagnostics,
    inputs: saved::Inputs,
) -> Result<Plan, Diagnostics> {
    if !options.targets.is_empty() {
        return Err(Diagnostics::error(
            "Not supported yet",
            "Plans that are restricted to targets are not supported yet.",
        ));
    }
    if config.graph().is_none() {
        return Err(Diagnostics::error(
            "Configuration not checked",
            "The configuration has no graph.",
        ));
    }
    let mut diagnostics = diagnostics;
    diagnostics.extend(unsupported::unsupported(&config));
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    let resource_deps = config
        .graph()
        .map(resource_dependencies)
        .unwrap_or_default();
    let create_first = config
        .graph()
        .map(|g| create_first(&config, g, &resource_deps))
        .unwrap_or_default();
    let plan_time = inputs.plan_time;
    let mut world = World::new(config.clone(), given.clone(), plan_time);
    world.workspace = options.workspace.clone();
    let planner = Planner {
        world,
        config,
        providers,
        given,
        state,
        options,
        listener,
        diagnostics,
        prior: None,
        prior_done: HashSet::new(),
        slots: BTreeMap::new(),
        changes: Vec::new(),
        drift: Vec::new(),
        details: HashMap::new(),
        data: BTreeMap::new(),
        changed: HashMap::new(),
        refreshed: BTreeSet::new(),
        unread: Vec::new(),
        resource_deps,
        create_first,
        inputs,
    };
    planner.run().await
}

struct Planner<'a> {
    config: Arc<Config>,
    providers: &'a Providers,
    given: Arc<BTreeMap<Arc<str>, Given>>,
    state: State,
    options: &'a PlanOptions,
    listener: Listener,
    diagnostics: Diagnostics,
    world: World,
    prior: Option<World>,
    prior_done: HashSet<NodeIndex>,
    slots: BTreeMap<ProviderAddress, Slot>,
    changes: Vec<InstanceChange>,
    drift: Vec<Drift>,
    details: HashMap<InstanceAddress, Detail>,
    data: BTreeMap<InstanceAddress, Value>,
    /// Resources with instances that change, and how.
    changed: HashMap<NodeIndex, Vec<(InstanceAddress, ChangeAction)>>,
    refreshed: BTreeSet<RecordKey>,
    /// Objects that could not be read.
    unread: Vec<Unread>,
    resource_deps: HashMap<NodeIndex, Arc<BTreeSet<NodeIndex>>>,
    /// Resources whose replacements are made before the old objects are removed.
    create_first: HashSet<NodeIndex>,
    inputs: saved::Inputs,
}

impl Planner<'_> {
    async fn run(mut self) -> Result<Plan, Diagnostics> {
        if self.options.mode == PlanMode::Normal {
            let config = self.config.clone();
            let Some(graph) = config.graph() else {
                return Err(self.diagnostics);
            };
            for index in &graph.order {
                self.node(graph, *index).await;
            }
        }
        // Objects whose block is gone, or all of them.
        let addresses: BTreeSet<ProviderAddress> = self
            .state
            .records
            .values()
            .map(|r| r.provider.clone())
            .chain(self.state.intents.iter().map(|i| i.provider.clone()))
            .collect();
        for address in addresses {
            self.open_provider(&address).await;
        }
        if self.options.mode != PlanMode::RefreshOnly {
            self.deletions();
            self.prevented();
        }
        self.report_open_intents();
        let outputs = self.outputs();
        if self.diagnostics.has_errors() && self.options.mode != PlanMode::RefreshOnly {
            return Err(self.diagnostics);
        }
        self.changes.sort_by(|a, b| a.key.cmp(&b.key));
        self.drift.sort_by(|a, b| a.key.cmp(&b.key));
        let deferred_providers = self
            .slots
            .iter()
            .filter(|(_, s)| s.deferred)
            .map(|(a, _)| a.clone())
            .collect();
        let overview = Arc::new(Overview {
            changes: self.changes,
            drift: self.drift,
            outputs,
            deferred_providers,
            deferred: Vec::new(),
            unread: self.unread,
            checks: Vec::new(),
            diagnostics: self.diagnostics,
            mode: self.options.mode,
            partial: !self.options.targets.is_empty() || !self.options.excludes.is_empty(),
        });
        (self.listener)(Event::Planned(overview.clone()));
        Ok(Plan {
            overview,
            inner: Inner {
                world: self.world,
                prior: self.prior,
                slots: self.slots,
                state: self.state,
                refreshed: self.refreshed,
                details: self.details,
                data: self.data,
                saved: self.inputs,
            },
        })
    }

    fn outputs(&mut self) -> Vec<OutputChange> {
        if self.options.mode == PlanMode::RefreshOnly {
            return Vec::new();
        }
        let mut made = Vec::new();
        let destroy = self.options.mode == PlanMode::Destroy;
        let declared = self.config.root();
        if !destroy && let Some(root) = self.world.modules.first().and_then(|m| m.first()) {
            for (name, output) in &declared.outputs {
                let before = self.state.outputs.get(name).map(|o| o.value.clone());
                let after = root.outputs.get(name).cloned();
                made.push(OutputChange {
                    name: name.clone(),
                    before,
                    after,
                    sensitive: output.sensitive,
                });
            }
        }
        for (name, old) in &self.state.outputs {
            if destroy || !declared.outputs.contains_key(name) {
                made.push(OutputChange {
                    name: name.clone(),
                    before: Some(old.value.clone()),
                    after: None,
                    sensitive: old.sensitive,
                });
            }
        }
        made
    }

    /// Mutations of dead runs that could not be settled.
    fn report_open_intents(&mut self) {
        for intent in &self.state.intents {
            self.diagnostics.push(
                Diagnostic::error(
                    "A mutation of an earlier run was never settled",
                    format!("The {} of {} was under way when its run ended, and what became of it is not known. Look whether the object exists.", action_word(&intent.request.action), intent.key.address),
                )
                .with_address(&intent.key.address),
            );
        }
    }

    /// Writes through to the store, if there is one.
    async fn commit(&mut self, changes: Vec<Change>) {
        if let Some(store) = &self.options.store
            && let Err(e) = store.commit(changes).await
        {
            self.diagnostics.push(Diagnostic::error(
                "The state cannot be written",
                format!("{e}."),
            ));
        }
    }
}

pub(crate) fn action_word(action: &topo_sdk::Action) -> &'static str {
    match action {
        topo_sdk::Action::Create { .. } => "creation",
        topo_sdk::Action::Update { .. } => "update",
        topo_sdk::Action::Delete { .. } => "deletion",
    }
}

/// The value of an object whose provider said nothing of some attributes.
pub(crate) fn settled(value: Value) -> Value {
    nulls_for_unknowns(value)
}

/// The object's id, for people; nothing where it is secret.
pub(crate) fn id_of(value: &Value) -> Option<String> {
    let id = value.get("id")?;
    if id.is_sensitive() {
        None
    } else {
        id.as_str().map(str::to_string)
    }
}
