//! Objects that leave the state and stay where they are: `removed` blocks and `destroy = false`.

use topo_engine::changes::{ChangeAction, PlanMode};
use topo_engine_tests::{Scenario, failures, summary};

const A: &str = r#"resource "test_thing" "a" { name = "a" }"#;

fn removed(from: &str, destroy: Option<bool>) -> String {
    let lifecycle = destroy.map(|d| format!("  lifecycle {{\n    destroy = {d}\n  }}\n"));
    format!(
        "removed {{\n  from = {from}\n{}}}\n",
        lifecycle.unwrap_or_default()
    )
}

async fn carried_out(s: &Scenario, mode: PlanMode) -> std::sync::Arc<topo_engine::apply::Outcome> {
    let plan = s.plan_in(mode).await;
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success(), "{:?}", failures(&outcome));
    outcome
}

#[tokio::test]
async fn a_removed_resource_is_destroyed_or_let_go() {
    for destroy in [None, Some(true)] {
        let s = Scenario::new(A);
        s.apply().await;
        s.main(&removed("test_thing.a", destroy));
        let plan = s.plan().await;
        assert_eq!(summary(&plan), ["delete test_thing.a: NotInConfiguration"]);
        assert_eq!(plan.diagnostics.iter().count(), 0);
        s.apply().await;
        assert_eq!(s.cloud.names(), Vec::<String>::new());
        s.assert_settled().await;
    }
    let s = Scenario::new(A);
    s.apply().await;
    s.main(&removed("test_thing.a", Some(false)));
    s.cloud.forget();
    let plan = s.plan().await;
    assert_eq!(summary(&plan), ["forget test_thing.a: NotInConfiguration"]);
    assert_eq!(plan.counts().forget, 1);
    let told = plan.diagnostics.to_string();
    assert!(told.contains("test_thing.a"), "{told}");
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success(), "{:?}", failures(&outcome));
    assert_eq!(outcome.counts.forget, 1);
    let words: Vec<String> = outcome
        .changes
        .iter()
        .map(|(a, w)| format!("{w} {a}"))
        .collect();
    assert_eq!(words, ["forget test_thing.a"]);
    assert_eq!(s.cloud.log(), Vec::<String>::new());
    assert_eq!(s.cloud.names(), ["a"]);
    assert_eq!(s.addresses().await, Vec::<String>::new());
    s.assert_settled().await;
}

#[tokio::test]
async fn all_instances_and_what_depends_on_them_are_let_go_or_not() {
    let s = Scenario::new(
        r#"
        resource "test_thing" "a" {
          count = 2
          name  = "a${count.index}"
        }
        resource "test_thing" "b" {
          name    = "b"
          parents = test_thing.a[*].id
        }
        "#,
    );
    s.apply().await;
    s.main(&removed("test_thing.a", Some(false)));
    s.cloud.forget();
    assert_eq!(
        summary(&s.plan().await),
        [
            "forget test_thing.a[0]: NotInConfiguration",
            "forget test_thing.a[1]: NotInConfiguration",
            "delete test_thing.b: NotInConfiguration",
        ]
    );
    s.apply().await;
    assert_eq!(s.cloud.calls(), ["delete b"]);
    assert_eq!(s.cloud.names(), ["a0", "a1"]);
    s.assert_settled().await;
}

#[tokio::test]
async fn a_removed_block_for_what_is_still_there_is_refused() {
    let s = Scenario::new(&format!("{A}\n{}", removed("test_thing.a", Some(false))));
    assert_eq!(
        s.plan_errors().await,
        ["main.tf:2:1 Removed resource still exists"]
    );
    s.write("m/main.tf", A);
    s.main(&format!(
        "module \"m\" {{ source = \"./m\" }}\n{}",
        removed("module.m", None)
    ));
    assert_eq!(
        s.plan_errors().await,
        ["main.tf:2:1 Removed module still exists"]
    );
    s.main(&format!(
        "module \"m\" {{ source = \"./m\" }}\n{}",
        removed("module.m.test_thing.a", None)
    ));
    assert_eq!(
        s.plan_errors().await,
        ["main.tf:2:1 Removed resource still exists"]
    );
}

/// A module that makes a pod through a provider of its own.
async fn with_a_provider_of_its_own() -> Scenario {
    let s = Scenario::new("");
    s.write(
        "p/main.tf",
        r#"
        variable "host" {}
        provider "inner" { host = var.host }
        resource "inner_pod" "p" { name = "p" }
        "#,
    );
    s.main(
        r#"
        resource "test_thing" "h" { name = "h" }
        module "p" {
          source = "./p"
          host   = test_thing.h.endpoint
        }
        "#,
    );
    s.apply().await;
    s
}

#[tokio::test]
async fn without_its_provider_an_object_cannot_be_destroyed_but_forgotten() {
    let s = with_a_provider_of_its_own().await;
    let host = r#"resource "test_thing" "h" { name = "h" }"#;
    s.main(host);
    s.cloud.forget();
    let refused = s
        .try_plan(PlanMode::Normal)
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(
        refused.contains("Provider configuration not present"),
        "{refused}"
    );
    assert!(refused.contains("module.p.inner_pod.p"), "{refused}");
    assert!(refused.contains("module.p.provider.inner"), "{refused}");
    s.main(&format!("{host}\n{}", removed("module.p", None)));
    assert_eq!(
        s.plan_errors().await,
        ["Provider configuration not present"]
    );
    s.main(&format!("{host}\n{}", removed("module.p", Some(false))));
    assert_eq!(
        summary(&s.plan().await),
        ["forget module.p.inner_pod.p: NoModule"]
    );
    s.apply().await;
    assert_eq!(s.cloud.names(), ["h", "p"]);
    assert_eq!(s.addresses().await, ["test_thing.h"]);
    s.assert_settled().await;
    let looked: Vec<String> = s
        .cloud
        .log()
        .into_iter()
        .filter(|l| l.contains('@'))
        .collect();
    assert_eq!(looked, Vec::<String>::new());
}

fn kept(arguments: &str) -> String {
    format!(
        "resource \"test_thing\" \"a\" {{\n  name = \"a\"\n  {arguments}\n  lifecycle {{\n    destroy = false\n  }}\n}}\n"
    )
}

#[tokio::test]
async fn an_object_that_is_not_to_be_destroyed_is_let_go_when_its_block_is_gone() {
    let s = Scenario::new(&kept(""));
    s.apply().await;
    s.main("");
    assert_eq!(
        summary(&s.plan().await),
        ["forget test_thing.a: NotInConfiguration"]
    );
    s.apply().await;
    assert_eq!(s.cloud.names(), ["a"]);
    s.assert_settled().await;
}

#[tokio::test]
async fn that_it_is_not_to_be_destroyed_is_remembered_from_when_it_was_said() {
    let s = Scenario::new(A);
    s.apply().await;
    assert!(!s.record("test_thing.a").await.unwrap().keep);
    s.main(&kept(""));
    s.cloud.forget();
    s.apply().await;
    assert_eq!(s.cloud.calls(), Vec::<String>::new());
    assert!(s.record("test_thing.a").await.unwrap().keep);
    // A removed block has the last word.
    s.main(&removed("test_thing.a", Some(true)));
    assert_eq!(
        summary(&s.plan().await),
        ["delete test_thing.a: NotInConfiguration"]
    );
    s.main(A);
    s.apply().await;
    s.main("");
    assert_eq!(
        summary(&s.plan().await),
        ["delete test_thing.a: NotInConfiguration"]
    );
}

#[tokio::test]
async fn instances_that_go_and_a_destruction_let_it_go_too() {
    let text = |count: u32| {
        format!(
            r#"
            resource "test_thing" "a" {{
              count = {count}
              name  = "a${{count.index}}"
              lifecycle {{
                destroy         = false
                prevent_destroy = true
              }}
            }}
            resource "test_thing" "b" {{
              name = "b"
            }}
            "#
        )
    };
    let s = Scenario::new(&text(2));
    s.apply().await;
    s.main(&text(1));
    assert_eq!(
        summary(&s.plan().await),
        ["forget test_thing.a[1]: CountIndex"]
    );
    s.apply().await;
    s.cloud.forget();
    let outcome = carried_out(&s, PlanMode::Destroy).await;
    assert_eq!((outcome.counts.forget, outcome.counts.destroy), (1, 1));
    assert_eq!(s.cloud.calls(), ["delete b"]);
    assert_eq!(s.cloud.names(), ["a0", "a1"]);
    assert_eq!(s.addresses().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_replacement_leaves_the_old_object_where_it_is() {
    let s = Scenario::new(&kept("zone = \"y\""));
    s.apply().await;
    let old = s.attribute("test_thing.a", "id").await;
    s.main(&kept("zone = \"z\""));
    let plan = s.plan().await;
    assert_eq!(summary(&plan), ["replace test_thing.a: CannotUpdate"]);
    assert_eq!(plan.changes[0].action, ChangeAction::ForgetThenCreate);
    let counts = plan.counts();
    assert_eq!((counts.add, counts.destroy, counts.forget), (1, 0, 1));
    s.cloud.forget();
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success(), "{:?}", failures(&outcome));
    assert_eq!((outcome.counts.add, outcome.counts.forget), (1, 1));
    assert_eq!(s.cloud.calls(), ["create a"]);
    assert_eq!(s.cloud.names(), ["a", "a"]);
    assert_ne!(s.attribute("test_thing.a", "id").await, old);
    assert_eq!(s.addresses().await, ["test_thing.a"]);
    s.assert_settled().await;
}

#[tokio::test]
async fn a_replacement_that_fails_keeps_the_old_object_in_the_state() {
    let s = Scenario::new(&kept("zone = \"y\""));
    s.apply().await;
    let old = s.attribute("test_thing.a", "id").await;
    s.main(&kept("zone = \"z\""));
    s.cloud.on("create a", topo_engine_tests::Behaviour::Fail);
    let outcome = s.apply_anyhow().await;
    assert_eq!(outcome.failed.len(), 1);
    assert_eq!(s.attribute("test_thing.a", "id").await, old);
}
