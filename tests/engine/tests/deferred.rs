//! The heart of the engine: providers whose configuration comes from objects of the same run.

use topo_engine::changes::{PlanMode, Reason};
use topo_engine_tests::{Behaviour, Scenario, failures, summary};
use topo_sdk::Value;

/// A host, and pods inside of it.
fn nested(zone: &str, size: u32) -> String {
    format!(
        r#"
        resource "test_thing" "host" {{
          name = "host"
          zone = "{zone}"
        }}
        provider "inner" {{
          host = test_thing.host.endpoint
        }}
        resource "inner_pod" "p" {{
          count = 2
          name  = "p${{count.index}}"
          size  = {size}
        }}
        resource "inner_pod" "q" {{
          name    = "q"
          parents = [inner_pod.p[0].id]
        }}
        "#
    )
}

#[tokio::test]
async fn a_host_and_what_is_inside_are_made_in_one_run() {
    let s = Scenario::new(&nested("z1", 1));
    let plan = s.plan().await;
    assert_eq!(
        summary(&plan),
        [
            "create inner_pod.p[0], deferred",
            "create inner_pod.p[1], deferred",
            "create inner_pod.q, deferred",
            "create test_thing.host",
        ]
    );
    assert_eq!(plan.deferred_providers.len(), 1);
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success(), "{:?}", failures(&outcome));
    assert_eq!(s.cloud.names(), ["host", "p0", "p1", "q"]);
    s.assert_settled().await;

    // An update goes through the same host.
    s.main(&nested("z1", 2));
    let plan = s.plan().await;
    assert_eq!(
        summary(&plan),
        ["update inner_pod.p[0]", "update inner_pod.p[1]"]
    );
    s.apply().await;
    s.assert_settled().await;
}

#[tokio::test]
async fn what_is_inside_of_a_replaced_host_is_replaced() {
    let s = Scenario::new(&nested("z1", 1));
    s.apply().await;
    let old = s.attribute("test_thing.host", "endpoint").await;
    let old = old.as_str().unwrap().to_string();
    s.main(&nested("z2", 1));
    let plan = s.plan().await;
    assert_eq!(
        summary(&plan),
        [
            "replace inner_pod.p[0]: TargetReplaced, deferred",
            "replace inner_pod.p[1]: TargetReplaced, deferred",
            "replace inner_pod.q: TargetReplaced, deferred",
            "replace test_thing.host: CannotUpdate",
        ]
    );
    let Some(Reason::TargetReplaced {
        argument, because, ..
    }) = &plan.changes[0].reason
    else {
        panic!("another reason: {:?}", plan.changes[0].reason);
    };
    assert_eq!(argument.to_string(), "host");
    assert_eq!(because[0].to_string(), "test_thing.host");
    s.cloud.forget();
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success(), "{:?}", failures(&outcome));
    let new = s.attribute("test_thing.host", "endpoint").await;
    let new = new.as_str().unwrap().to_string();
    assert_ne!(old, new);
    s.cloud.assert_order(&[
        &format!("end delete q@{old}"),
        &format!("delete p0@{old}"),
        "delete host",
        "end delete host",
        "create host",
        &format!("create p0@{new}"),
        &format!("create q@{new}"),
    ]);
    s.cloud
        .assert_order(&[&format!("end delete p1@{old}"), "delete host"]);
    assert_eq!(s.cloud.names(), ["host", "p0", "p1", "q"]);
    s.assert_settled().await;
}

#[tokio::test]
async fn destroy_reaches_inside_and_removes_the_host_last() {
    let s = Scenario::new(&nested("z1", 1));
    s.apply().await;
    let host = s.attribute("test_thing.host", "endpoint").await;
    let host = host.as_str().unwrap().to_string();
    s.cloud.forget();
    let plan = s.plan_in(PlanMode::Destroy).await;
    assert_eq!(
        summary(&plan),
        [
            "delete inner_pod.p[0]: Destroy",
            "delete inner_pod.p[1]: Destroy",
            "delete inner_pod.q: Destroy",
            "delete test_thing.host: Destroy",
        ]
    );
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success(), "{:?}", failures(&outcome));
    s.cloud.assert_order(&[
        &format!("end delete q@{host}"),
        &format!("delete p0@{host}"),
        &format!("end delete p0@{host}"),
        "delete host",
    ]);
    assert_eq!(s.cloud.names(), Vec::<String>::new());
    assert_eq!(s.addresses().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_was_inside_of_a_vanished_host_is_made_again() {
    let s = Scenario::new(&nested("z1", 1));
    s.apply().await;
    s.cloud.vanish("host");
    let plan = s.plan().await;
    assert_eq!(
        summary(&plan),
        [
            "create inner_pod.p[0], deferred",
            "create inner_pod.p[1], deferred",
            "create inner_pod.q, deferred",
            "create test_thing.host",
        ]
    );
    assert_eq!(plan.drift.len(), 4);
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success(), "{:?}", failures(&outcome));
    s.assert_settled().await;
}

#[tokio::test]
async fn a_vanished_host_does_not_stand_in_the_way_of_destroying() {
    let s = Scenario::new(&nested("z1", 1));
    s.apply().await;
    s.cloud.vanish("host");
    s.destroy().await;
    assert_eq!(s.addresses().await, Vec::<String>::new());
}

/// A host that stays, and a token that comes from an object which may be replaced.
fn with_token(zone: &str, size: u32) -> String {
    format!(
        r#"
        resource "test_thing" "host" {{ name = "host" }}
        resource "test_thing" "key" {{
          name = "key"
          zone = "{zone}"
        }}
        provider "inner" {{
          host  = test_thing.host.endpoint
          token = test_thing.key.id
        }}
        resource "inner_pod" "p" {{
          name = "p"
          size = {size}
        }}
        "#
    )
}

#[tokio::test]
async fn an_unknown_credential_alone_replaces_nothing() {
    let s = Scenario::new(&with_token("z1", 1));
    s.apply().await;
    s.main(&with_token("z2", 2));
    let plan = s.plan().await;
    assert_eq!(
        summary(&plan),
        [
            "update inner_pod.p, deferred",
            "replace test_thing.key: CannotUpdate",
        ]
    );
    s.cloud.forget();
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success(), "{:?}", failures(&outcome));
    let key = s.attribute("test_thing.key", "id").await;
    let host = s.attribute("test_thing.host", "endpoint").await;
    let used = format!(
        "update p@{} with {}",
        host.as_str().unwrap(),
        key.as_str().unwrap()
    );
    s.cloud.assert_order(&["end create key", &used]);
    s.assert_settled().await;
}

#[tokio::test]
async fn a_token_that_expires_is_read_anew() {
    let s = Scenario::new(
        r#"
        resource "test_thing" "host" { name = "host" }
        data "test_token" "t" { name = test_thing.host.name }
        provider "inner" {
          host  = test_thing.host.endpoint
          token = data.test_token.t.token
        }
        resource "inner_pod" "a" { name = "a" }
        resource "inner_pod" "b" {
          name    = "b"
          parents = [inner_pod.a.id]
        }
        "#,
    );
    s.apply().await;
    let with: Vec<String> = s
        .cloud
        .log()
        .into_iter()
        .filter_map(|l| l.split_once(" with ").map(|(_, t)| t.to_string()))
        .collect();
    assert_eq!(with.len(), 2);
    assert!(with[0].starts_with("host-token-"), "{with:?}");
    assert_ne!(with[0], with[1]);
    // A plan with a token has nothing to do either; and destroying takes fresh tokens.
    s.assert_settled().await;
    s.destroy().await;
    assert_eq!(s.cloud.names(), Vec::<String>::new());
}

#[tokio::test]
async fn a_saved_plan_does_not_use_the_token_of_then() {
    let text = |size: u32| {
        format!(
            r#"
            data "test_token" "t" {{ name = "t" }}
            resource "test_thing" "host" {{ name = "host" }}
            provider "inner" {{
              host  = test_thing.host.endpoint
              token = data.test_token.t.token
            }}
            resource "inner_pod" "a" {{
              name = "a"
              size = {size}
            }}
            "#
        )
    };
    let s = Scenario::new(&text(1));
    s.apply().await;
    s.main(&text(2));
    let saved = s.plan().await.save().unwrap();
    s.cloud.forget();
    let plan = s.resume(&saved).await.unwrap();
    assert!(s.cloud.count("data t") > 0);
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success(), "{:?}", failures(&outcome));
    s.assert_settled().await;
}

#[tokio::test]
async fn a_failed_host_leaves_out_what_is_inside() {
    let s = Scenario::new(&nested("z1", 1));
    s.cloud.on("create host", Behaviour::Fail);
    let outcome = s.apply_anyhow().await;
    assert_eq!(
        failures(&outcome),
        [
            "test_thing.host failed: Refused: The cloud does not want to create host. (main.tf:2,9-37)",
            "inner_pod.p[0] skipped: it depends on test_thing.host, which failed",
            "inner_pod.p[1] skipped: it depends on test_thing.host, which failed",
            "inner_pod.q skipped: it depends on test_thing.host, which failed",
        ]
    );
    assert_eq!(s.addresses().await, Vec::<String>::new());
    s.cloud.well("create host");
    s.apply().await;
    s.assert_settled().await;
}

#[tokio::test]
async fn a_pod_that_is_gone_from_the_configuration_is_removed_through_its_host() {
    let s = Scenario::new(&nested("z1", 1));
    s.apply().await;
    let text = nested("z1", 1).replace("count = 2", "count = 1");
    s.main(&text);
    assert_eq!(
        summary(&s.plan().await),
        ["delete inner_pod.p[1]: CountIndex"]
    );
    s.apply().await;
    assert_eq!(s.cloud.names(), ["host", "p0", "q"]);
    // And with the host itself, all at once.
    s.main("");
    s.cloud.forget();
    let plan = s.try_plan(PlanMode::Normal).await;
    // Without its provider block the host of a pod is not known: this must be said, not guessed.
    assert!(plan.is_err());
}

#[tokio::test]
async fn drift_inside_of_a_host_is_seen() {
    let s = Scenario::new(&nested("z1", 1));
    s.apply().await;
    s.cloud.tamper("p1", "size", 5);
    let plan = s.plan_in(PlanMode::RefreshOnly).await;
    assert_eq!(plan.drift.len(), 1);
    assert_eq!(plan.drift[0].key.address.to_string(), "inner_pod.p[1]");
    s.apply().await;
    assert_eq!(s.attribute("inner_pod.p[1]", "size").await, Value::from(1));
    s.assert_settled().await;
}
