//! Plans that are restricted by targets or exclusions.

use topo_engine::address::Target;
use topo_engine::changes::PlanMode;
use topo_engine_tests::{Scenario, summary};

/// a <- b <- c, and d alone; e has instances that f uses as a whole, g one of them.
const CHAIN: &str = r#"
resource "test_thing" "a" { name = "a" }
resource "test_thing" "b" {
  name    = "b"
  parents = [test_thing.a.id]
}
resource "test_thing" "c" {
  name    = "c"
  parents = [test_thing.b.id]
}
resource "test_thing" "d" { name = "d" }
resource "test_thing" "e" {
  count = 2
  name  = "e${count.index}"
}
resource "test_thing" "f" {
  name    = "f"
  parents = test_thing.e[*].id
}
resource "test_thing" "g" {
  name    = "g"
  parents = [test_thing.e[1].id]
}
output "b" { value = test_thing.b.name }
output "all" { value = [test_thing.c.name, test_thing.d.name] }
output "e" { value = test_thing.e[*].name }
"#;

fn targets(list: &[&str]) -> Vec<Target> {
    list.iter().map(|t| t.parse().unwrap()).collect()
}

/// The names of what a plan does, without the word where it is always the same.
fn named(lines: &[String], word: &str) -> String {
    let names: Vec<&str> = lines
        .iter()
        .map(|l| l.strip_prefix(word).unwrap_or_else(|| panic!("{l}")).trim())
        .map(|l| l.trim_start_matches("test_thing."))
        .map(|l| l.split(':').next().unwrap_or(l))
        .collect();
    names.join(" ")
}

#[tokio::test]
async fn targets_bring_what_they_depend_on() {
    for (target, planned, outputs) in [
        (&["test_thing.a"][..], "a", ""),
        (&["test_thing.b"], "a b", "b"),
        (&["test_thing.c", "test_thing.d"], "a b c d", "all b"),
        (&["test_thing.e"], "e[0] e[1]", "e"),
        (&["test_thing.e[1]"], "e[1]", ""),
        (&["test_thing.f"], "e[0] e[1] f", "e"),
        // One instance is named, but f needs them all.
        (&["test_thing.e[1]", "test_thing.f"], "e[0] e[1] f", "e"),
    ] {
        let mut s = Scenario::new(CHAIN);
        s.options.targets = targets(target);
        let plan = s.plan().await;
        assert_eq!(named(&summary(&plan), "create"), planned, "{target:?}");
        let names: Vec<&str> = plan.outputs.iter().map(|o| &*o.name).collect();
        assert_eq!(names.join(" "), outputs, "{target:?}");
        assert!(plan.partial);
        let outcome = s.carry_out(plan, 10).await;
        assert!(outcome.failed.is_empty() && outcome.skipped.is_empty());
        let warnings: Vec<&str> = outcome.diagnostics.iter().map(|d| &*d.summary).collect();
        assert_eq!(warnings, ["Applied changes may be incomplete"]);
        let again = s.plan().await;
        assert_eq!(summary(&again), Vec::<String>::new(), "{target:?}");
    }
}

#[tokio::test]
async fn exclusions_take_what_depends_on_them() {
    for (excluded, planned, outputs) in [
        (&["test_thing.a"][..], "d e[0] e[1] f g", "e"),
        (&["test_thing.c"], "a b d e[0] e[1] f g", "b e"),
        (&["test_thing.e[0]"], "a b c d e[1]", "all b"),
        (
            &["test_thing.f", "test_thing.d"],
            "a b c e[0] e[1] g",
            "b e",
        ),
    ] {
        let mut s = Scenario::new(CHAIN);
        s.options.excludes = targets(excluded);
        let plan = s.plan().await;
        assert_eq!(named(&summary(&plan), "create"), planned, "{excluded:?}");
        let names: Vec<&str> = plan.outputs.iter().map(|o| &*o.name).collect();
        assert_eq!(names.join(" "), outputs, "{excluded:?}");
        let outcome = s.carry_out(plan, 10).await;
        assert!(outcome.is_success());
        let again = s.plan().await;
        assert_eq!(summary(&again), Vec::<String>::new(), "{excluded:?}");
    }
}

#[tokio::test]
async fn destroying_goes_the_other_way() {
    for (target, excluded, gone) in [
        (&["test_thing.b"][..], &[][..], "b c"),
        (&["test_thing.a"], &[], "a b c"),
        (&["test_thing.e[0]"], &[], "e[0] f"),
        (&["test_thing.e[1]"], &[], "e[1] f g"),
        (&[], &["test_thing.b"], "c d e[0] e[1] f g"),
        (&[], &["test_thing.g"], "a b c d e[0] f"),
    ] {
        let mut s = Scenario::new(CHAIN);
        s.apply().await;
        s.options.targets = targets(target);
        s.options.excludes = targets(excluded);
        let plan = s.plan_in(PlanMode::Destroy).await;
        assert_eq!(
            named(&summary(&plan), "delete"),
            gone,
            "{target:?} {excluded:?}"
        );
        let outcome = s.carry_out(plan, 10).await;
        assert!(outcome.is_success());
        assert!(
            !s.state().await.outputs.is_empty(),
            "outputs stay until all is gone"
        );
        s.options.targets.clear();
        s.options.excludes.clear();
        // Nothing that is left has lost what it needs.
        s.destroy().await;
        assert!(s.state().await.records.is_empty() && s.cloud.names().is_empty());
    }
}

#[tokio::test]
async fn what_is_gone_from_the_configuration_is_removed_when_it_is_meant() {
    let mut s = Scenario::new(CHAIN);
    s.apply().await;
    s.main(r#"resource "test_thing" "d" { name = "d2" }"#);
    s.options.targets = targets(&["test_thing.d"]);
    assert_eq!(summary(&s.plan().await), ["update test_thing.d"]);
    // c depends on b, and has to go before it.
    s.options.targets = targets(&["test_thing.b"]);
    assert_eq!(named(&summary(&s.plan().await), "delete"), "b c");
    s.options.targets.clear();
    // b stays, so what it depends on stays.
    s.options.excludes = targets(&["test_thing.b"]);
    let all = summary(&s.plan().await);
    let (updates, deletes): (Vec<_>, Vec<_>) = all.into_iter().partition(|l| l.starts_with("up"));
    assert_eq!(updates, ["update test_thing.d"]);
    assert_eq!(named(&deletes, "delete"), "c e[0] e[1] f g");
}

#[tokio::test]
async fn only_what_is_meant_is_read() {
    let mut s = Scenario::new(CHAIN);
    s.apply().await;
    for (mode, target, read) in [
        (PlanMode::Normal, "test_thing.b", &["a", "b"][..]),
        (PlanMode::Normal, "test_thing.e[1]", &["e1"]),
        (PlanMode::Destroy, "test_thing.b", &["b", "c"]),
        (PlanMode::RefreshOnly, "test_thing.b", &["a", "b"]),
    ] {
        s.cloud.forget();
        s.options.targets = targets(&[target]);
        s.plan_in(mode).await;
        let mut log = s.cloud.log();
        log.retain(|l| l.starts_with("read "));
        log.sort();
        let wanted: Vec<String> = read.iter().map(|n| format!("read {n}")).collect();
        assert_eq!(log, wanted, "{mode:?} {target}");
    }
}

#[tokio::test]
async fn drift_beside_the_target_is_left_alone() {
    let mut s = Scenario::new(CHAIN);
    s.apply().await;
    s.cloud.tamper("a", "size", 7);
    s.cloud.tamper("d", "size", 7);
    s.options.targets = targets(&["test_thing.d"]);
    let plan = s.plan().await;
    let drifted: Vec<String> = plan
        .drift
        .iter()
        .map(|d| d.key.address.to_string())
        .collect();
    assert_eq!(drifted, ["test_thing.d"]);
    assert_eq!(summary(&plan), ["update test_thing.d"]);
}

#[tokio::test]
async fn modules_are_targets_with_their_keys() {
    let mut s = Scenario::new(
        r#"
resource "test_thing" "before" { name = "before" }
module "m" {
  source   = "./m"
  for_each = { x = 1, y = 2 }
  name     = "${each.key}-${test_thing.before.name}"
}
resource "test_thing" "after" {
  name    = "after"
  parents = [module.m["x"].id]
}
"#,
    );
    s.write(
        "m/main.tf",
        r#"
variable "name" {}
resource "test_thing" "one" { name = var.name }
resource "test_thing" "two" {
  name    = "two-${var.name}"
  parents = [test_thing.one.id]
}
output "id" { value = test_thing.one.id }
"#,
    );
    for (target, planned) in [
        (
            "module.m",
            r#"module.m["x"].test_thing.one module.m["x"].test_thing.two module.m["y"].test_thing.one module.m["y"].test_thing.two before"#,
        ),
        (
            r#"module.m["y"]"#,
            r#"module.m["y"].test_thing.one module.m["y"].test_thing.two before"#,
        ),
        (
            r#"module.m["x"].test_thing.one"#,
            r#"module.m["x"].test_thing.one before"#,
        ),
        (
            "module.m.test_thing.one",
            r#"module.m["x"].test_thing.one module.m["y"].test_thing.one before"#,
        ),
        // Static: what is needed of a module is needed in all its instances.
        (
            "test_thing.after",
            r#"module.m["x"].test_thing.one module.m["y"].test_thing.one after before"#,
        ),
    ] {
        s.options.targets = targets(&[target]);
        let mut lines = named(&summary(&s.plan().await), "create")
            .split(' ')
            .map(str::to_string)
            .collect::<Vec<_>>();
        lines.sort();
        let mut wanted: Vec<&str> = planned.split(' ').collect();
        wanted.sort_unstable();
        assert_eq!(lines, wanted, "{target}");
    }
}

#[tokio::test]
async fn a_saved_plan_keeps_its_restriction() {
    let mut s = Scenario::new(CHAIN);
    s.options.targets = targets(&["test_thing.b"]);
    let bytes = s.plan().await.save().unwrap();
    s.options.targets.clear();
    let plan = s.resume(&bytes).await.unwrap();
    assert_eq!(named(&summary(&plan), "create"), "a b");
    s.carry_out(plan, 10).await;
    assert_eq!(s.cloud.names(), ["a", "b"]);
}

#[tokio::test]
async fn a_target_that_names_nothing_is_told() {
    let mut s = Scenario::new(CHAIN);
    s.options.targets = targets(&["test_thing.nothing"]);
    let plan = s.plan().await;
    assert!(plan.is_empty());
    let told: Vec<&str> = plan.diagnostics.iter().map(|d| &*d.summary).collect();
    assert_eq!(
        told,
        ["Resource targeting is in effect", "Target names nothing"]
    );
}

#[tokio::test]
async fn a_replacement_of_nothing_is_told() {
    let mut s = Scenario::new(CHAIN);
    s.options.replace = vec![
        "test_thing.a".parse().unwrap(),
        "test_thing.e[7]".parse().unwrap(),
        "test_thing.nothing".parse().unwrap(),
    ];
    let plan = s.plan().await;
    let told: Vec<&str> = plan.diagnostics.iter().map(|d| &*d.detail).collect();
    assert_eq!(
        told,
        [
            "-replace=test_thing.e[7] names no instance in this plan.",
            "-replace=test_thing.nothing names no instance in this plan."
        ]
    );
}
