//! Planning: one walk over the static graph that evaluates everything, asks each object's
//! provider what would happen to it, and reads what must be read.
//!
//! How a value travels: expressions are evaluated in a [`World`]; a resource's arguments become a
//! configuration value, which its provider turns into a planned object; that is put back into
//! the world, where whatever refers to it sees it, unknown parts included.

mod checks;
mod data;
mod deferral;
mod deletions;
mod dependencies;
mod ephemeral;
mod imports;
mod marks;
mod moves;
mod object;
mod parts;
mod providers;
mod removal;
mod saved;
mod selection;
mod unsupported;
mod walk;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use petgraph::graph::NodeIndex;
use tokio::sync::watch;
use topo_sdk::plan::nulls_for_unknowns;
use topo_sdk::{Diagnostic, Diagnostics, Value};

use self::dependencies::{create_first, resource_dependencies};
use self::ephemeral::interruption;
use self::moves::Moves;
use self::removal::Removals;
pub use imports::{GeneratedBlock, generate, import_object};
pub use marks::{deviation, mark, sensitive_paths};
pub(crate) use object::ignore_changes;
pub use providers::{ProviderState, Slot};
pub(crate) use providers::{good_for, provider_config, provider_node};
pub use saved::{Purpose, SavedPlan, resume};
pub(crate) use selection::Selection;

use crate::address::{InstanceAddress, ProviderAddress, Target};
use crate::apply::Interrupt;
use crate::changes::{
    ChangeAction, Deferred, Drift, Importing, InstanceChange, OutputChange, Overview, PlanMode,
    Unread,
};
use crate::config::{Config, ModuleId, ResourceKey};
use crate::ephemeral::Opened;
use crate::events::{Event, Listener};
use crate::graph::Node;
use crate::providers::Providers;
use crate::store::{Change, Dependency, Intent, RecordKey, State, StateStore};
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
    /// Whether the plan may be saved: what that needs is kept.
    pub to_be_saved: bool,
    /// Where what recovery finds is written; without it open intents are reported as errors.
    pub store: Option<Arc<dyn StateStore>>,
    /// Interrupts: after the first, ephemeral resources that are open are closed, and the plan
    /// is an error. After the second they are not waited for much longer.
    pub interrupt: Option<watch::Receiver<Interrupt>>,
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
            to_be_saved: false,
            store: None,
            interrupt: None,
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
    pub(crate) selection: Selection,
    /// Objects of which it is not known whether they exist: these are left alone.
    pub(crate) blocked: BTreeMap<InstanceAddress, Diagnostic>,
    /// Objects that are taken into the state.
    pub(crate) imported: BTreeMap<InstanceAddress, Importing>,
    pub(crate) saved: saved::Basis,
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

impl Detail {
    /// Whether it is of this block in this module instance.
    pub(crate) fn is(&self, module: ModuleId, instance: usize, key: &ResourceKey) -> bool {
        (self.module, self.instance, &self.key) == (module, instance, key)
    }
}

impl Plan {
    /// The values of everything, unknown where they are known only after apply. Where a plan only
    /// refreshes, they are what everything comes to over the state that was read, as far as outputs
    /// need it.
    pub fn world(&self) -> &World {
        match &self.inner.prior {
            Some(prior) if self.mode == PlanMode::RefreshOnly => prior,
            _ => &self.inner.world,
        }
    }

    /// The state that was planned from, as it was read.
    pub fn state(&self) -> &State {
        &self.inner.state
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

/// A plan that could not be made.
pub struct Unmade {
    /// Everything that is wrong.
    pub diagnostics: Diagnostics,
    /// The values of everything, unknown where something is wrong; `None` where nothing was
    /// evaluated.
    pub world: Option<World>,
    /// What could be planned, without diagnostics; `None` where nothing was.
    overview: Option<Arc<Overview>>,
}

impl From<Diagnostics> for Box<Unmade> {
    fn from(diagnostics: Diagnostics) -> Box<Unmade> {
        Box::new(Unmade {
            diagnostics,
            world: None,
            overview: None,
        })
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
    let made = plan_and_keep(config, providers, inputs, state, options, listener).await;
    made.map_err(|unmade| unmade.diagnostics)
}

/// As [`plan`], with the values of what could be evaluated where something is wrong.
///
/// # Errors
/// Everything that is wrong; nothing has been changed then.
pub async fn plan_and_keep(
    config: Arc<Config>,
    providers: &Providers,
    inputs: &Inputs,
    state: State,
    options: &PlanOptions,
    listener: Listener,
) -> Result<Plan, Box<Unmade>> {
    let made = begin(config, providers, inputs, state, options, listener.clone())?
        .run()
        .await;
    match &made {
        Ok(plan) => listener(Event::Planned(plan.overview.clone())),
        Err(unmade) => {
            if let Some(overview) = &unmade.overview {
                listener(Event::PlannedInPart(overview.clone()));
            }
        }
    }
    made
}

/// What an apply would do about each object of which a plan found that it is not as the state has
/// it. Nothing is read again but data sources. `state` is what that plan was made from.
///
/// # Errors
/// When what the configuration asks for cannot be planned.
pub async fn consequences(
    found: &Plan,
    config: Arc<Config>,
    providers: &Providers,
    inputs: &Inputs,
    state: State,
) -> Result<BTreeMap<RecordKey, ChangeAction>, Diagnostics> {
    let options = PlanOptions {
        allow_deferral: true,
        ..found.inner.saved.options()
    };
    let listener = crate::events::silent();
    let mut planner = begin(config, providers, inputs, state, &options, listener)?;
    planner.inputs.refreshed = Some(saved::refreshed(found).collect());
    let plan = planner.run().await.map_err(|unmade| unmade.diagnostics)?;
    let all = plan.drift.iter();
    Ok(all
        .filter_map(|d| Some((d.key.clone(), d.consequence?)))
        .collect())
}

/// The planner of a new plan.
fn begin<'a>(
    config: Arc<Config>,
    providers: &'a Providers,
    inputs: &Inputs,
    state: State,
    options: &'a PlanOptions,
    listener: Listener,
) -> Result<Planner<'a>, Diagnostics> {
    let mut found = Diagnostics::new();
    let given = Arc::new(inputs.resolve(config.root(), &mut found));
    let basis = saved::Basis::new(&config, &state, &given, options, Timestamp::now());
    planner(config, providers, state, options, listener, found, basis)
}

/// The planner of a plan that is made from this.
fn planner<'a>(
    config: Arc<Config>,
    providers: &'a Providers,
    state: State,
    options: &'a PlanOptions,
    listener: Listener,
    diagnostics: Diagnostics,
    inputs: saved::Basis,
) -> Result<Planner<'a>, Diagnostics> {
    let given = inputs.given.clone();
    if config.graph().is_none() {
        return Err(Diagnostics::error(
            "Configuration not checked",
            "The configuration has no graph.",
        ));
    }
    let mut diagnostics = diagnostics;
    diagnostics.extend(removal::still_there(&config));
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
    let used_providers = used_providers(&config);
    let plan_time = inputs.plan_time;
    let mut world = World::new(config.clone(), given.clone(), plan_time);
    world.workspace = options.workspace.clone();
    world.allow_deferral = options.allow_deferral;
    Ok(Planner {
        world,
        moves: Moves::default(),
        removals: Removals::new(&config),
        imported: BTreeMap::new(),
        config,
        providers,
        given,
        state,
        options,
        listener,
        diagnostics,
        prior: None,
        prior_done: HashSet::new(),
        used_providers,
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
        selection: Selection::default(),
        later: HashSet::new(),
        unknown_calls: HashSet::new(),
        unknown_repetitions: 0,
        errors: (0, 0),
        deferred: Vec::new(),
        blocked: BTreeMap::new(),
        opened: Vec::new(),
        opening: watch::Sender::new(0),
        inputs,
    })
}

fn used_providers(config: &Config) -> HashSet<ProviderAddress> {
    let mut used = HashSet::new();
    for resource in config.modules.iter().flat_map(|m| m.resources.values()) {
        // Few providers have many resources: looking is cheaper than copying.
        if !used.contains(&resource.provider_address) {
            used.insert(resource.provider_address.clone());
        }
    }
    used
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
    /// Configurations of providers that some resource uses.
    used_providers: HashSet<ProviderAddress>,
    slots: BTreeMap<ProviderAddress, Slot>,
    changes: Vec<InstanceChange>,
    drift: Vec<Drift>,
    details: HashMap<InstanceAddress, Detail>,
    data: BTreeMap<InstanceAddress, Value>,
    /// Resources with instances that change, and how.
    changed: HashMap<NodeIndex, BTreeMap<InstanceAddress, ChangeAction>>,
    refreshed: BTreeSet<RecordKey>,
    /// Objects that could not be read.
    unread: Vec<Unread>,
    resource_deps: HashMap<NodeIndex, Arc<BTreeSet<NodeIndex>>>,
    /// Resources whose replacements are made before the old objects are removed.
    create_first: HashSet<NodeIndex>,
    moves: Moves,
    removals: Removals,
    /// Objects that are taken into the state.
    imported: BTreeMap<InstanceAddress, Importing>,
    selection: Selection,
    /// Nodes that wait for a later round, or for something that does.
    later: HashSet<NodeIndex>,
    /// Those of them that are module calls whose own instances are not known.
    unknown_calls: HashSet<NodeIndex>,
    /// How many errors say that a number of instances is not known.
    unknown_repetitions: usize,
    /// How many diagnostics have been looked at, and how many of them are errors.
    errors: (usize, usize),
    deferred: Vec<Deferred>,
    /// Objects of which it is not known whether they exist, with what is told of them.
    blocked: BTreeMap<InstanceAddress, Diagnostic>,
    /// Ephemeral resources that are open, in the order in which they were opened.
    opened: Vec<Opened>,
    /// How many openings are under way.
    opening: watch::Sender<usize>,
    inputs: saved::Basis,
}

impl Planner<'_> {
    async fn run(mut self) -> Result<Plan, Box<Unmade>> {
        self.relocate();
        if self.diagnostics.has_errors() {
            return Err(self.diagnostics.into());
        }
        let config = self.config.clone();
        if let Some(graph) = config.graph() {
            self.selection = Selection::new(
                &config,
                graph,
                &self.state,
                self.options.mode,
                &self.options.targets,
                &self.options.excludes,
                &mut self.diagnostics,
            );
        }
        let given_up = self.given_up();
        let outputs = tokio::select! {
            biased;
            () = given_up => None,
            outputs = self.look() => outputs,
        };
        self.close_ephemerals().await;
        let Some(outputs) = outputs else {
            self.diagnostics.push(interruption());
            return Err(self.diagnostics.into());
        };
        self.report_open_intents();
        self.unmatched_replacements();
        let wrong = (self.diagnostics.has_errors() && self.options.mode != PlanMode::RefreshOnly)
            .then(|| std::mem::take(&mut self.diagnostics));
        // No two have the same key.
        self.changes.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        self.drift.sort_by(|a, b| a.key.cmp(&b.key));
        if self.options.mode != PlanMode::RefreshOnly {
            for d in &mut self.drift {
                let found = self.changes.binary_search_by(|c| c.key.cmp(&d.key));
                d.consequence = Some(match found {
                    Ok(i) => self.changes[i].action,
                    Err(_) => ChangeAction::NoOp,
                });
            }
        }
        let deferred_providers = self
            .slots
            .iter()
            .filter(|(_, s)| s.deferred)
            .map(|(a, _)| a.clone())
            .collect();
        if let Some(graph) = self.config.graph() {
            // Values are worked out as far as they are known; nothing else is touched.
            self.later.retain(|n| {
                let node = &graph.graph[*n];
                matches!(
                    node,
                    Node::Resource(..) | Node::Call(..) | Node::Provider(..)
                )
            });
            self.selection.leave(std::mem::take(&mut self.later));
        }
        self.deferred.sort_by(|a, b| a.address.cmp(&b.address));
        let overview = Arc::new(Overview {
            changes: self.changes,
            drift: self.drift,
            outputs,
            deferred_providers,
            deferred: self.deferred,
            unread: self.unread,
            checks: self.world.checks.results(),
            diagnostics: self.diagnostics,
            mode: self.options.mode,
            partial: self.selection.is_partial(),
        });
        if let Some(diagnostics) = wrong {
            return Err(Box::new(Unmade {
                diagnostics,
                world: Some(self.world),
                overview: Some(overview),
            }));
        }
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
                selection: self.selection,
                blocked: self.blocked,
                imported: self.imported,
                saved: self.inputs,
            },
        })
    }

    /// Evaluates, reads and plans everything, in the order of the graph. Gives what outputs will
    /// be; `None` where it was interrupted.
    async fn look(&mut self) -> Option<Vec<OutputChange>> {
        self.adopt_providers();
        if self.options.mode == PlanMode::Normal {
            let config = self.config.clone();
            let graph = config.graph()?;
            for index in &graph.order {
                // Where nothing has to be waited for, nobody else would notice.
                if self.is_interrupted() {
                    return None;
                }
                if self.selection.has_node(*index) {
                    self.node(graph, *index).await;
                }
            }
            self.wrong_moves();
        }
        // Objects whose block is gone, or all of them.
        let addresses: BTreeSet<ProviderAddress> = self
            .state
            .records
            .values()
            .filter(|r| self.selection.has_record(&r.key) && !self.only_forgotten(r))
            .map(|r| r.provider.clone())
            .chain(self.state.intents.iter().map(|i| i.provider.clone()))
            .collect();
        for address in addresses {
            self.open_provider(&address).await;
        }
        if self.options.mode != PlanMode::RefreshOnly {
            self.deletions();
            self.prevented();
            self.incomplete_replacements();
        }
        self.check_blocks().await;
        Some(self.outputs().await)
    }

    async fn outputs(&mut self) -> Vec<OutputChange> {
        if self.options.mode == PlanMode::RefreshOnly {
            return self.refreshed_outputs().await;
        }
        let mut made = Vec::new();
        let destroy = self.options.mode == PlanMode::Destroy;
        let declared = self.config.root();
        if !destroy && let Some(root) = self.world.modules.first().and_then(|m| m.first()) {
            for (name, output) in &declared.outputs {
                if !self.is_evaluated(name) {
                    continue;
                }
                let before = self.state.outputs.get(name).map(|o| o.value.clone());
                // One that is null is as good as not declared.
                let after = root.outputs.get(name).filter(|v| !v.is_null()).cloned();
                made.push(OutputChange {
                    name: name.clone(),
                    before,
                    after,
                    sensitive: output.sensitive,
                });
            }
        }
        for (name, old) in &self.state.outputs {
            if self.selection.is_partial() {
                break; // what is gone is seen when everything is planned
            }
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

    /// Outputs that are others over what was read than the state has them.
    async fn refreshed_outputs(&mut self) -> Vec<OutputChange> {
        let found = self.prior_outputs().await;
        let declared = &self.config.root().outputs;
        let changed = found.into_iter().filter_map(|(name, after)| {
            let change = OutputChange {
                before: self.state.outputs.get(&name).map(|o| o.value.clone()),
                sensitive: declared.get(&name)?.sensitive,
                after: Some(after),
                name,
            };
            (!change.is_no_op()).then_some(change)
        });
        changed.collect()
    }

    /// Whether an output of the root module is worked out in this plan.
    fn is_evaluated(&self, output: &Arc<str>) -> bool {
        let graph = self.config.graph();
        let node = graph.and_then(|g| g.find(&Node::Output(0, output.clone())));
        node.is_some_and(|n| self.selection.has_node(n))
    }

    /// Tells of objects that are to be replaced and that there are not.
    fn unmatched_replacements(&mut self) {
        if self.options.mode != PlanMode::Normal {
            return;
        }
        let known: HashSet<&InstanceAddress> = self.changes.iter().map(|c| c.address()).collect();
        let is_resource = |a: &InstanceAddress| known.iter().any(|k| k.resource == a.resource);
        let missing = self.options.replace.iter().filter(|a| !known.contains(a));
        let found: Diagnostics = missing
            .filter(|a| a.key.is_some() || !is_resource(a))
            .map(|address| {
                let detail = format!("-replace={address} names no instance in this plan.");
                Diagnostic::warning("Nothing to replace", detail)
            })
            .collect();
        self.diagnostics.extend(found);
    }

    /// Mutations of dead runs that nobody was asked about.
    fn report_open_intents(&mut self) {
        for intent in std::mem::take(&mut self.state.intents) {
            self.block(&intent, "Its provider could not be asked.");
        }
    }

    /// Lets an object alone of which it is not known whether it exists, until a person settles
    /// that. Everything that does not depend on it goes on.
    fn block(&mut self, intent: &Intent, why: &str) {
        let address = &intent.key.address;
        self.state
            .intents
            .retain(|i| i.operation != intent.operation);
        let told = format!(
            "The {} of {address} was under way when its run ended, and what became of it is not known. {why} The object is left alone, and what depends on it waits. Look whether it exists. If it does, take it into the state with: topo import '{address}' ID. If it does not, say so with: topo state rm '{address}'.",
            action_word(&intent.request.action),
        );
        let summary = "What became of an object cannot be told";
        let range = self.config.written(address).map(|r| r.range.clone());
        self.diagnostics.push(
            Diagnostic::warning(summary, told.clone())
                .with_address(address)
                .with_range(range.clone()),
        );
        let blocked = Diagnostic::error(summary, told)
            .with_address(address)
            .with_range(range);
        self.blocked.insert(address.clone(), blocked);
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
