//! What is not as the state has it: what would be done about it, what cannot be read, and what
//! accepting it writes.

use std::collections::BTreeMap;

use topo_engine::changes::{ChangeAction, PlanMode};
use topo_engine::plan::consequences;
use topo_engine_tests::{Behaviour, Scenario, summary};
use topo_sdk::Value;

const THINGS: &str = r#"
resource "test_thing" "changed" {
  name = "changed"
  size = 1
}
resource "test_thing" "elsewhere" {
  name = "elsewhere"
  zone = "a"
}
resource "test_thing" "gone" { name = "gone" }
resource "test_thing" "ignored" {
  name = "ignored"
  size = 1
  lifecycle { ignore_changes = [size] }
}
resource "test_thing" "same" { name = "same" }
output "size" { value = test_thing.changed.size }
output "name" { value = test_thing.same.name }
"#;

async fn drifted(main: &str) -> Scenario {
    let s = Scenario::new(main);
    s.apply().await;
    s.cloud.tamper("changed", "size", 5);
    s.cloud.tamper("elsewhere", "zone", "b");
    s.cloud.tamper("ignored", "size", 5);
    s.cloud.vanish("gone");
    s
}

fn by_name<'a>(
    list: impl IntoIterator<Item = (&'a topo_engine::store::RecordKey, ChangeAction)>,
) -> BTreeMap<String, ChangeAction> {
    let named =
        |(k, a): (&topo_engine::store::RecordKey, _)| (k.address.resource.name.to_string(), a);
    list.into_iter().map(named).collect()
}

fn expected() -> BTreeMap<String, ChangeAction> {
    let list = [
        ("changed", ChangeAction::Update),
        ("elsewhere", ChangeAction::DeleteThenCreate),
        ("gone", ChangeAction::Create),
        ("ignored", ChangeAction::NoOp),
    ];
    list.into_iter().map(|(n, a)| (n.to_string(), a)).collect()
}

#[tokio::test]
async fn a_plan_says_what_becomes_of_drift() {
    let s = drifted(THINGS).await;
    let plan = s.plan().await;
    let found = plan.drift.iter().map(|d| (&d.key, d.consequence.unwrap()));
    assert_eq!(by_name(found), expected());
}

#[tokio::test]
async fn consequences_are_found_without_reading_again() {
    let s = drifted(THINGS).await;
    let plan = s.plan_in(PlanMode::RefreshOnly).await;
    assert!(plan.drift.iter().all(|d| d.consequence.is_none()));
    s.cloud.forget();
    let state = s.state().await;
    let found = consequences(&plan, s.config(), &s.providers, &s.inputs, state)
        .await
        .unwrap();
    assert_eq!(s.cloud.log(), Vec::<String>::new());
    assert_eq!(by_name(found.iter().map(|(k, a)| (k, *a))), expected());
}

#[tokio::test]
async fn what_cannot_be_read_is_kept_apart() {
    let s = drifted(THINGS).await;
    s.cloud.on("read same", Behaviour::Fail);
    let plan = s.plan_in(PlanMode::RefreshOnly).await;
    let unread: Vec<String> = plan
        .unread
        .iter()
        .map(|u| u.key.address.to_string())
        .collect();
    assert_eq!(unread, ["test_thing.same"]);
    assert_eq!(plan.unread[0].diagnostics.iter().count(), 1);
    assert_eq!(plan.drift.len(), 4);
    assert!(plan.diagnostics.has_errors());
    // A plan that would change something needs to know.
    assert_eq!(s.plan_errors().await, ["Refused"]);
}

#[tokio::test]
async fn accepting_drift_writes_objects_and_outputs_and_nothing_else() {
    let s = drifted(THINGS).await;
    s.cloud.forget();
    let plan = s.plan_in(PlanMode::RefreshOnly).await;
    let outputs: Vec<_> = plan
        .outputs
        .iter()
        .map(|o| {
            (
                &*o.name,
                o.before.clone().unwrap(),
                o.after.clone().unwrap(),
            )
        })
        .collect();
    assert_eq!(outputs, [("size", Value::from(1), Value::from(5))]);
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success());
    assert_eq!(outcome.outputs["size"].value, Value::from(5));
    assert_eq!(outcome.outputs["name"].value, Value::from("same"));
    assert_eq!(s.cloud.calls(), Vec::<String>::new());
    let state = s.state().await;
    assert_eq!(state.outputs["size"].value, Value::from(5));
    assert_eq!(
        s.attribute("test_thing.changed", "size").await,
        Value::from(5)
    );
    assert!(s.record("test_thing.gone").await.is_none());
    let plan = s.plan().await;
    assert!(plan.drift.is_empty());
    assert_eq!(
        summary(&plan),
        [
            "update test_thing.changed",
            "replace test_thing.elsewhere: CannotUpdate",
            "create test_thing.gone"
        ]
    );
}

#[tokio::test]
async fn drift_of_what_has_no_block_any_more() {
    let s = drifted(THINGS).await;
    s.main("");
    let plan = s.plan().await;
    let found: BTreeMap<String, ChangeAction> =
        by_name(plan.drift.iter().map(|d| (&d.key, d.consequence.unwrap())));
    assert_eq!(found["changed"], ChangeAction::Delete);
    assert_eq!(found["gone"], ChangeAction::NoOp, "it is gone already");
}
