//! Properties of runs over random configurations and random edits of them, with the order of
//! calls chosen at random among those that the engine makes possible.
//!
//! What depends on what is worked out here from the configuration that is written, not by the
//! engine, and held against what the cloud saw.

mod model;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{Edit, Model, Node};
use proptest::prelude::*;
use topo_engine::apply::Outcome;
use topo_engine::changes::{ChangeAction, InstanceChange, PlanMode};
use topo_engine::plan::Plan;
use topo_engine_tests::steps::one_by_one;
use topo_engine_tests::{Behaviour, Scenario, failures, summary};
use topo_sdk::{Kind, Value};

type Names = BTreeSet<String>;

/// A configuration with a cloud, and who is served next.
struct World {
    scenario: Scenario,
    runtime: tokio::runtime::Runtime,
    choices: Vec<u8>,
    chosen: usize,
}

impl World {
    fn new(choices: Vec<u8>) -> World {
        World {
            scenario: Scenario::new(""),
            runtime: tokio::runtime::Builder::new_current_thread()
                .build()
                .expect("a runtime"),
            choices,
            chosen: 0,
        }
    }

    fn write(&self, model: &Model) {
        for (path, text) in model.files() {
            self.scenario.write(&path, &text);
        }
    }

    fn plan(&self, mode: PlanMode) -> Plan {
        self.runtime.block_on(self.scenario.plan_in(mode))
    }

    fn apply(&mut self, plan: Plan) -> Arc<Outcome> {
        let _inside = self.runtime.enter();
        self.scenario.cloud.forget();
        let run = self.scenario.carry_out(plan, usize::MAX);
        let (choices, chosen) = (&self.choices, &mut self.chosen);
        one_by_one(&self.scenario.cloud, run, |waiting| {
            let choice = choices.get(*chosen % choices.len().max(1)).copied();
            *chosen += 1;
            waiting[usize::from(choice.unwrap_or(0)) % waiting.len()].0
        })
    }

    /// Applies a plan, which must succeed and leave nothing to do.
    fn converge(&mut self, model: &Model) {
        let plan = self.plan(PlanMode::Normal);
        let shown: Vec<InstanceChange> = plan.changes.clone();
        let outcome = self.apply(plan);
        assert!(outcome.is_success(), "{}", failures(&outcome).join("\n"));
        self.assert_as_shown(&shown);
        self.assert_settled(model);
    }

    fn assert_settled(&self, model: &Model) {
        let plan = self.plan(PlanMode::Normal);
        assert_eq!(summary(&plan), Vec::<String>::new());
        assert!(plan.is_empty() && plan.drift.is_empty());
        let names: Names = self.scenario.cloud.names().into_iter().collect();
        assert_eq!(names, model.dependencies().into_keys().collect::<Names>());
        assert_eq!(names.len(), self.scenario.cloud.names().len());
    }

    /// The calls were those of the plan, and the objects are what it said as far as it did.
    fn assert_as_shown(&self, shown: &[InstanceChange]) {
        let mut expected = Vec::new();
        let state = self.runtime.block_on(self.scenario.state());
        for c in shown {
            let named =
                |v: &Option<Value>| v.as_ref().and_then(|v| v.get_str("name")).map(String::from);
            let (before, after) = (named(&c.before), named(&c.after));
            let (old, new) = (before.unwrap_or_default(), after.unwrap_or_default());
            match c.action {
                ChangeAction::Create => expected.push(format!("create {new}")),
                ChangeAction::Update => expected.push(format!("update {new}")),
                ChangeAction::Delete => expected.push(format!("delete {old}")),
                a if a.is_replace() => {
                    expected.extend([format!("create {new}"), format!("delete {old}")]);
                }
                _ => {}
            }
            if let Some(after) = &c.after {
                let made = &state.records[&c.key].value;
                assert!(
                    came_true(after, made),
                    "{} is {made:?}, not {after:?}",
                    c.address()
                );
            }
        }
        let mut calls = self.scenario.cloud.calls();
        expected.sort();
        calls.sort();
        assert_eq!(calls, expected);
    }
}

/// Whether everything that was known beforehand is so.
fn came_true(planned: &Value, made: &Value) -> bool {
    match (planned.kind(), made.kind()) {
        (Kind::Unknown(_), _) => true,
        (Kind::Object(p), Kind::Object(m)) => p
            .iter()
            .all(|(name, v)| m.get(name).is_some_and(|m| came_true(v, m))),
        (Kind::List(p), Kind::List(m)) => {
            p.items.len() == m.items.len()
                && p.items.iter().zip(&m.items).all(|(p, m)| came_true(p, m))
        }
        _ => planned == made,
    }
}

/// What happened to the cloud's objects: when calls started and ended.
struct Log(Vec<String>);

impl Log {
    fn started(&self, verb: &str, name: &str) -> Option<usize> {
        let call = format!("{verb} {name}");
        self.0.iter().position(|l| *l == call)
    }

    fn ended(&self, verb: &str, name: &str) -> Option<usize> {
        self.started("end", &format!("{verb} {name}"))
    }

    /// When an object was made or changed: start and end.
    fn made(&self, name: &str) -> Option<(usize, Option<usize>)> {
        ["create", "update"]
            .into_iter()
            .find_map(|v| Some((self.started(v, name)?, self.ended(v, name))))
    }

    /// Nothing was made before all that it depends on was.
    fn assert_dependencies_first(&self, dependencies: &BTreeMap<String, Names>) {
        for name in dependencies.keys() {
            let Some((start, _)) = self.made(name) else {
                continue;
            };
            for other in closure(dependencies, name) {
                if let Some((_, end)) = self.made(&other) {
                    assert!(
                        end.is_some_and(|end| end < start),
                        "{name} was made before {other}: {:?}",
                        self.0
                    );
                }
            }
        }
    }

    /// Nothing was deleted before all that depended on it was, as far as it was.
    fn assert_dependents_deleted_first(&self, dependencies: &BTreeMap<String, Names>) {
        for (name, on) in dependencies {
            let Some(_) = self.started("delete", name) else {
                continue;
            };
            for other in on {
                if let Some(start) = self.started("delete", other) {
                    let end = self.ended("delete", name);
                    assert!(
                        end.is_some_and(|end| end < start),
                        "{other} was deleted before {name}: {:?}",
                        self.0
                    );
                }
            }
        }
    }

    /// What is replaced by creating first is deleted after its replacement is there and those that
    /// depended on it have moved on; what is not, is deleted before.
    fn assert_replacement_order(&self, depended: &BTreeMap<String, Names>, first: &Names) {
        for name in depended.keys() {
            let (Some(create), Some(delete)) =
                (self.started("create", name), self.started("delete", name))
            else {
                continue;
            };
            assert_eq!(
                create < delete,
                first.contains(name),
                "{name} in the wrong order: {:?}",
                self.0
            );
            if !first.contains(name) {
                continue;
            }
            for (dependent, on) in depended {
                if on.contains(name)
                    && let Some((_, end)) = self.made(dependent)
                {
                    assert!(
                        end.is_some_and(|end| end < delete),
                        "{name} was deleted before {dependent} had moved: {:?}",
                        self.0
                    );
                }
            }
        }
    }
}

/// Everything that something depends on, directly or not.
fn closure(dependencies: &BTreeMap<String, Names>, name: &str) -> Names {
    let mut found = Names::new();
    let mut open = vec![name.to_string()];
    while let Some(next) = open.pop() {
        for other in dependencies.get(&next).into_iter().flatten() {
            if found.insert(other.clone()) {
                open.push(other.clone());
            }
        }
    }
    found
}

fn cases(n: u32) -> ProptestConfig {
    ProptestConfig {
        cases: n,
        max_shrink_iters: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn choices() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 1..16)
}

fn nodes() -> impl Strategy<Value = Vec<Node>> {
    prop::collection::vec(any::<Node>(), 1..7)
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    prop::collection::vec(any::<Edit>(), 1..6)
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn runs_converge_in_the_right_order(
        nodes in nodes(),
        first in edits(),
        second in edits(),
        choices in choices(),
    ) {
        let mut world = World::new(choices);
        let mut before = Model::new(nodes);
        world.write(&before);
        world.converge(&before);
        let log = Log(world.scenario.cloud.log());
        log.assert_dependencies_first(&before.dependencies());
        for edits in [first, second] {
            let after = before.edited(&edits);
            world.write(&after);
            world.converge(&after);
            let log = Log(world.scenario.cloud.log());
            log.assert_dependencies_first(&after.dependencies());
            log.assert_dependents_deleted_first(&before.dependencies());
            log.assert_replacement_order(&before.dependencies(), &after.created_first());
            before = after;
        }
        let plan = world.plan(PlanMode::Destroy);
        let outcome = world.apply(plan);
        prop_assert!(outcome.is_success(), "{}", failures(&outcome).join("\n"));
        let log = Log(world.scenario.cloud.log());
        log.assert_dependents_deleted_first(&before.dependencies());
        prop_assert_eq!(world.scenario.cloud.names(), Vec::<String>::new());
        let state = world.runtime.block_on(world.scenario.state());
        prop_assert!(state.records.is_empty());
    }

    #[test]
    fn failures_stop_only_what_depends_on_them_and_a_second_run_converges(
        nodes in nodes(),
        edits in edits(),
        fail in prop::collection::vec(0..4_u8, 1..12),
        choices in choices(),
    ) {
        let mut world = World::new(choices);
        let before = Model::new(nodes);
        world.write(&before);
        world.converge(&before);
        let after = before.edited(&edits);
        world.write(&after);
        let plan = world.plan(PlanMode::Normal);
        let failing = fail_some(&world.scenario, &plan, &fail);
        let outcome = world.apply(plan);
        let log = Log(world.scenario.cloud.log());
        let failed: Vec<&(String, String)> = failing
            .iter()
            .filter(|(verb, name)| log.started(verb, name).is_some())
            .collect();
        prop_assert_eq!(outcome.failed.len(), failed.len());
        let (now, then) = (after.dependencies(), before.dependencies());
        for (verb, name) in failed {
            if verb == "delete" {
                for other in then.get(name).into_iter().flatten() {
                    prop_assert!(log.started("delete", other).is_none(), "{} went: {:?}", other, log.0);
                }
            } else {
                for dependent in now.keys().filter(|d| closure(&now, d).contains(name)) {
                    prop_assert!(log.made(dependent).is_none(), "{} went on: {:?}", dependent, log.0);
                }
            }
        }
        for (verb, name) in &failing {
            world.scenario.cloud.well(&format!("{verb} {name}"));
        }
        let plan = world.plan(PlanMode::Normal);
        let outcome = world.apply(plan);
        prop_assert!(outcome.is_success(), "{}", failures(&outcome).join("\n"));
        world.assert_settled(&after);
    }

    #[test]
    fn targets_are_closed_under_dependencies(
        nodes in nodes(),
        edits in edits(),
        target in any::<usize>(),
        choices in choices(),
    ) {
        let mut world = World::new(choices);
        let before = Model::new(nodes);
        world.write(&before);
        world.converge(&before);
        let after = before.edited(&edits);
        world.write(&after);
        let whole = changed(&world.plan(PlanMode::Normal));
        let Some((address, names)) = after.target(target) else { return Ok(()) };
        world.scenario.options.targets = vec![address.parse().expect("a target")];
        let plan = world.plan(PlanMode::Normal);
        let dependencies = after.dependencies();
        let mut closed = names.clone();
        for name in &names {
            closed.extend(closure(&dependencies, name));
        }
        let shown = changed(&plan);
        // What is deleted has no place in the configuration's dependencies.
        let made: Names = shown.iter().filter(|n| dependencies.contains_key(*n)).cloned().collect();
        let wanted: Names = whole.intersection(&closed).cloned().collect();
        prop_assert!(made.is_superset(&wanted), "{:?} instead of {:?}", made, wanted);
        let outcome = world.apply(plan);
        prop_assert!(outcome.is_success(), "{}", failures(&outcome).join("\n"));
        Log(world.scenario.cloud.log()).assert_dependencies_first(&dependencies);
        let again = world.plan(PlanMode::Normal);
        prop_assert_eq!(changed(&again), Names::new());
        world.scenario.options.targets.clear();
        world.converge(&after);
    }
}

/// Makes some of the calls of a plan fail: verbs and names.
fn fail_some(scenario: &Scenario, plan: &Plan, which: &[u8]) -> Vec<(String, String)> {
    let mut calls = Vec::new();
    for c in &plan.changes {
        let name = |v: &Option<Value>| v.as_ref().and_then(|v| v.get_str("name")).map(String::from);
        let (old, new) = (name(&c.before), name(&c.after));
        let made = match c.action {
            ChangeAction::Update => "update",
            _ => "create",
        };
        let acts = c.action != ChangeAction::NoOp;
        if let Some(new) = new.filter(|_| acts) {
            calls.push((made.to_string(), new));
        }
        if let Some(old) = old.filter(|_| c.action == ChangeAction::Delete || c.action.is_replace())
        {
            calls.push(("delete".to_string(), old));
        }
    }
    let picked = calls.into_iter().zip(which.iter().cycle());
    let failing: Vec<_> = picked.filter(|(_, w)| **w == 0).map(|(c, _)| c).collect();
    for (verb, name) in &failing {
        scenario
            .cloud
            .on(&format!("{verb} {name}"), Behaviour::Fail);
    }
    failing
}

/// The names of the objects that a plan does something to.
fn changed(plan: &Plan) -> Names {
    let changes = plan
        .changes
        .iter()
        .filter(|c| c.action != ChangeAction::NoOp);
    changes
        .filter_map(|c| c.after.as_ref().or(c.before.as_ref()))
        .filter_map(|v| v.get_str("name").map(String::from))
        .collect()
}
