//! `moved` blocks: before anything is planned, the objects in the planner's copy of the state get
//! the addresses that configuration says they have now.
//!
//! A block becomes a [`Statement`], two patterns of addresses. Statements are carried out one
//! after the other, what leads to an address before what leads away from it, on an index of all
//! addresses in the state ([`Places`]); what comes of all of them together is then done to the
//! records at once. Which statements are wrong is known only when all instances are: see
//! [`Planner::wrong_moves`].

mod implied;
mod places;
mod statement;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use topo_sdk::{Diagnostic, Diagnostics, SourceRange, Value};

use self::implied::{Implied, only_key};
use self::places::Places;
use self::statement::{Key, Place, Statement, in_order, module_of};
use super::Planner;
use crate::address::{InstanceAddress, ModuleInstance, ResourceMode};
use crate::changes::PlanMode;
use crate::config::{Config, Module, ModuleId};
use crate::relocate::relocate;
use crate::store::{Record, RecordKey};
use crate::world::ModuleValues;

/// The one move to another type: the successor of a type takes over its objects.
const SUCCESSOR: (&str, &str) = ("null_resource", "terraform_data");

/// What moves have done to the planner's copy of the state.
#[derive(Default)]
pub(super) struct Moves {
    statements: Vec<Statement>,
    /// From the address that an object has now to the one that the store knows it by.
    previous: BTreeMap<InstanceAddress, InstanceAddress>,
}

impl Moves {
    /// The address that the store knows an object by, where it is another one.
    pub(super) fn previous(&self, address: &InstanceAddress) -> Option<&InstanceAddress> {
        self.previous.get(address)
    }

    /// The key that the store knows a record by.
    pub(super) fn stored(&self, key: &RecordKey) -> RecordKey {
        RecordKey {
            address: self.previous(&key.address).unwrap_or(&key.address).clone(),
            deposed: key.deposed.clone(),
        }
    }
}

impl Planner<'_> {
    /// Gives the objects of the state the addresses that they have now.
    pub(super) fn relocate(&mut self) {
        let config = self.config.clone();
        let mut statements = Vec::new();
        for (id, module) in config.modules.iter().enumerate() {
            statements.extend(module.moved.iter().map(|m| Statement::of(&config, id, m)));
        }
        for s in &statements {
            self.diagnostics.extend(wrong_by_itself(s));
        }
        let statements = match in_order(statements) {
            Ok(statements) => statements,
            Err((_, found)) => {
                self.diagnostics.extend(found);
                return;
            }
        };
        if self.options.mode != PlanMode::Normal {
            self.diagnostics
                .extend(still_declared(&config, &statements));
        }
        if self.diagnostics.has_errors() {
            return;
        }
        let known = self.state.records.keys().map(|k| &k.address);
        let pending = self.state.intents.iter().map(|i| &i.key.address);
        let mut places = Places::new(known.chain(pending));
        for s in &statements {
            places.carry_out(s);
        }
        Implied::new(&config, &statements).carry_out(&mut places);
        self.blocked_moves(std::mem::take(&mut places.blocked));
        self.moves.statements = statements;
        self.move_records(&places.pairs());
    }

    fn move_records(&mut self, pairs: &BTreeMap<InstanceAddress, InstanceAddress>) {
        if pairs.is_empty() {
            return;
        }
        let moving = self
            .state
            .records
            .keys()
            .filter(|k| pairs.contains_key(&k.address));
        let gone: BTreeSet<RecordKey> = moving.cloned().collect();
        let changed = relocate(&mut self.state, pairs);
        self.refreshed.extend(gone);
        self.refreshed.extend(changed);
        for intent in &mut self.state.intents {
            if let Some(now) = pairs.get(&intent.key.address) {
                intent.key.address = now.clone();
            }
        }
        self.moves.previous = pairs
            .iter()
            .map(|(old, new)| (new.clone(), old.clone()))
            .collect();
        for (new, old) in &self.moves.previous {
            let keys: Vec<RecordKey> = records_of(&self.state.records, new);
            for key in keys {
                if let Some(record) = self.state.records.get_mut(&key) {
                    adapt(record, old, &self.config);
                }
            }
        }
    }

    fn blocked_moves(&mut self, blocked: Vec<(String, String)>) {
        if blocked.is_empty() {
            return;
        }
        let list: Vec<String> = blocked
            .iter()
            .map(|(from, to)| format!("\n  - {from} could not move to {to}"))
            .collect();
        self.diagnostics.push(Diagnostic::warning(
            "Unresolved resource instance address changes",
            format!("The configuration says that these objects have other addresses now, but there are objects in the state at those already:{}\n\nSo they are planned under their old addresses, which for most means that they are destroyed. Where that is not meant, settle it with the \"topo state\" commands and plan again.", list.concat()),
        ));
    }

    /// What is wrong with `moved` blocks, now that it is known which instances there are.
    pub(super) fn wrong_moves(&mut self) {
        let instances: HashMap<ModuleInstance, (ModuleId, usize)> = self.module_instances();
        let mut found = Diagnostics::new();
        let mut sources: HashMap<(Place, bool), (Place, &SourceRange)> = HashMap::new();
        let mut targets: HashMap<(Place, bool), (Place, &SourceRange)> = HashMap::new();
        let mut statements: Vec<&Statement> = self.moves.statements.iter().collect();
        statements.sort_by_key(|s| (s.range.file.clone(), s.range.start.byte));
        for s in statements {
            for base in &self.world.modules[s.module] {
                let (from, whole) = s.from.seen_from(&base.address);
                let (to, _) = s.to.seen_from(&base.address);
                if let Some(at) = self.declared(&from, whole, &instances) {
                    found.push(
                        Diagnostic::error("Moved object still exists", format!("{from} is said to have moved to {to}, but it is still declared at {at}. Declare it as {to} instead, or take the moved block out."))
                            .with_range(Some(s.range.clone())),
                    );
                }
                let mut ambiguous = |detail: String| {
                    found.push(
                        Diagnostic::error("Ambiguous move statements", detail)
                            .with_range(Some(s.range.clone())),
                    );
                };
                match sources.get(&(from.clone(), whole)) {
                    Some((other, range)) if *other != to => ambiguous(format!(
                        "The moved block at {range} says that {from} has moved to {other}, this one that it has moved to {to}. It can move to one address only."
                    )),
                    Some(_) => {}
                    None => {
                        sources.insert((from.clone(), whole), (to.clone(), &s.range));
                    }
                }
                match targets.get(&(to.clone(), whole)) {
                    Some((other, range)) if *other != from => ambiguous(format!(
                        "The moved block at {range} says that {other} has moved to {to}, this one that {from} has moved there. Only one can have that address."
                    )),
                    Some(_) => {}
                    None => {
                        targets.insert((to, whole), (from, &s.range));
                    }
                }
            }
        }
        self.diagnostics.extend(found);
    }

    /// Where the instances of all modules are in the world.
    pub(super) fn module_instances(&self) -> HashMap<ModuleInstance, (ModuleId, usize)> {
        let modules = self.world.modules.iter().enumerate();
        modules
            .flat_map(|(m, instances)| {
                let addressed = instances.iter().enumerate();
                addressed.map(move |(i, values)| (values.address.clone(), (m, i)))
            })
            .collect()
    }

    /// Where something is declared that a statement means, if it is.
    fn declared(
        &self,
        place: &Place,
        whole: bool,
        instances: &HashMap<ModuleInstance, (ModuleId, usize)>,
    ) -> Option<SourceRange> {
        let at = |module: &ModuleInstance| -> Option<(&Module, &ModuleValues)> {
            let (m, i) = *instances.get(module)?;
            Some((self.config.module(m), &self.world.modules[m][i]))
        };
        if let Some((t, n, key)) = &place.resource {
            let (module, values) = at(&place.module)?;
            let local = (ResourceMode::Managed, t.clone(), n.clone());
            let made = values.resources.get(&local)?;
            let exists = whole || made.get(key).is_some();
            return exists.then(|| module.resources[&local].range.clone());
        }
        let ((name, key), outer) = place.module.steps().split_last()?;
        let (module, values) = at(&module_of(outer.to_vec()))?;
        let (_, children) = values.calls.get(name)?;
        let exists = whole || children.contains_key(key);
        exists.then(|| module.calls[name].range.clone())
    }
}

/// The keys of all objects of an instance, those that were set aside included.
fn records_of(records: &BTreeMap<RecordKey, Record>, address: &InstanceAddress) -> Vec<RecordKey> {
    let from = RecordKey::from(address.clone());
    let all = records.range(from..).map(|(k, _)| k);
    all.take_while(|k| k.address == *address).cloned().collect()
}

/// Makes a record that has moved one of the block that it belongs to now: of its provider
/// configuration, and where that is the successor of the old type, of its type.
fn adapt(record: &mut Record, old: &InstanceAddress, config: &Config) {
    let r = &record.key.address.resource;
    let Some(block) = config.resource(r) else {
        return;
    };
    if r.type_name != old.resource.type_name {
        let of = |name: &str| record.value.get(name).cloned().unwrap_or(Value::NULL);
        let triggers = of("triggers");
        let kept = match triggers.as_map() {
            Some(map) => Value::object(map.iter().map(|(k, v)| (k.clone(), v.clone())))
                .with_marks(triggers.marks()),
            None => Value::NULL,
        };
        record.value = Value::object([
            ("id", of("id")),
            ("input", Value::NULL),
            ("output", Value::NULL),
            ("triggers_replace", kept),
        ]);
        record.schema_version = block.schema.version;
        record.provider = block.provider_address.clone();
    } else if record.provider.name == block.provider_address.name {
        record.provider = block.provider_address.clone();
    }
}

/// What is wrong with a statement whatever else there is.
fn wrong_by_itself(s: &Statement) -> Option<Diagnostic> {
    let wrong = |summary: &str, detail: String| {
        Some(Diagnostic::error(summary, detail).with_range(Some(s.range.clone())))
    };
    if s.from == s.to {
        return wrong(
            "Redundant move statement",
            format!(
                "This says that something moves from {}, which is the same address.",
                s.text
            ),
        );
    }
    let (Some((from, ..)), Some((to, ..))) = (&s.from.resource, &s.to.resource) else {
        return None;
    };
    if from == to || (&**from, &**to) == SUCCESSOR {
        return None;
    }
    wrong(
        "Unsupported move across resource types",
        format!(
            "A {from} cannot become a {to}: an object keeps its type when it moves, and only from null_resource to terraform_data there is a way. To manage the object as a {to}, import it, and let go of the old address with a removed block that has destroy = false."
        ),
    )
}

/// Statements that move something which a look at the configuration shows to be still there,
/// for runs that do not make instances.
fn still_declared(config: &Config, statements: &[Statement]) -> Diagnostics {
    let mut found = Diagnostics::new();
    for s in statements {
        let mut module = Some(s.module);
        let own = s.from.modules.get(s.base..).unwrap_or_default();
        let (calls, last) = match (&s.from.resource, own.split_last()) {
            (Some(_), _) => (own, None),
            (None, Some((last, calls))) => (calls, Some(last)),
            (None, None) => continue,
        };
        for (name, key) in calls {
            let call = module.and_then(|m| config.module(m).calls.get(name));
            let single =
                call.filter(|c| *key == Key::One(None) && only_key(&c.repetition) == Some(None));
            module = single.map(|c| c.module);
        }
        let Some(module) = module.map(|m| config.module(m)) else {
            continue;
        };
        let at = match (&s.from.resource, last) {
            (Some((t, n, Key::Any)), _) => {
                let local = (ResourceMode::Managed, t.clone(), n.clone());
                module.resources.get(&local).map(|r| &r.range)
            }
            (None, Some((name, Key::Any))) => module.calls.get(name).map(|c| &c.range),
            _ => None,
        };
        if let Some(at) = at {
            found.push(
                Diagnostic::error("Moved object still exists", format!("This says that something has moved from {}, but the old address is still declared at {at}. Declare it under the new one instead, or take the moved block out.", s.text))
                    .with_range(Some(s.range.clone())),
            );
        }
    }
    found
}
