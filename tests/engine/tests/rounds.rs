//! What cannot be planned yet, because how many instances there are is not known: an error, or
//! with `allow_deferral` something for a later round.

use topo_engine::changes::DeferredReason;
use topo_engine::plan::Plan;
use topo_engine_tests::{Scenario, summary};

/// `note` is known only when the thing is made: the cloud answers "auto".
const UNKNOWN_COUNT: &str = r#"
resource "test_thing" "first" { name = "first" }
resource "test_thing" "many" {
  count = test_thing.first.note == "auto" ? 2 : 0
  name  = "many${count.index}"
}
resource "test_thing" "after" {
  name    = "after"
  parents = test_thing.many[*].id
}
resource "test_thing" "beside" { name = "beside" }
output "names" { value = test_thing.many[*].name }
output "beside" { value = test_thing.beside.name }
"#;

fn later(plan: &Plan) -> Vec<String> {
    let shown = plan.deferred.iter().map(|d| match d.reason {
        DeferredReason::InstanceCountUnknown => format!("{} of {}", d.address, d.unknown.join(" ")),
        DeferredReason::Prerequisite => d.address.clone(),
    });
    shown.collect()
}

#[tokio::test]
async fn the_error_names_the_value_and_the_ways_out() {
    let s = Scenario::new(UNKNOWN_COUNT);
    let Err(found) = s.try_plan(Default::default()).await else {
        panic!("there must be an error");
    };
    let errors: Vec<_> = found.iter().filter(|d| d.is_error()).collect();
    assert_eq!(errors.len(), 1, "{found}");
    assert_eq!(errors[0].summary, "Invalid count argument");
    for part in [
        "test_thing.many",
        "It is test_thing.first.note == \"auto\" ? 2 : 0, which comes from test_thing.first.",
        "-target=test_thing.first",
        "-allow-deferral",
        "a value that the configuration or a variable states",
    ] {
        assert!(
            errors[0].detail.contains(part),
            "{part}: {}",
            errors[0].detail
        );
    }
    let range = errors[0].range.as_ref().unwrap();
    assert_eq!((range.start.line, range.start.column), (4, 11));
}

#[tokio::test]
async fn every_block_whose_instances_are_not_known_is_told_once() {
    let s = Scenario::new(
        r#"
        resource "test_thing" "first" { name = "first" }
        resource "test_thing" "a" {
          count = test_thing.first.note == "auto" ? 2 : 0
          name  = "a${count.index}"
        }
        resource "test_thing" "b" {
          for_each = toset([test_thing.first.note])
          name     = each.key
        }
        module "m" {
          source = "./m"
          count  = test_thing.first.note == "auto" ? 1 : 0
        }
        # What comes of these is not known because of them, and is no mistake of its own.
        resource "test_thing" "behind" {
          count = length(test_thing.a)
          name  = "behind${count.index}"
        }
        resource "test_thing" "behind_m" {
          for_each = toset(module.m[*].name)
          name     = each.key
        }
        "#,
    );
    s.write(
        "m/main.tf",
        "resource \"test_thing\" \"x\" { name = \"x\" }\noutput \"name\" { value = test_thing.x.name }\n",
    );
    let mut found = s.plan_errors().await;
    found.sort();
    assert_eq!(
        found,
        [
            "main.tf:13:20 Invalid count argument",
            "main.tf:4:19 Invalid count argument",
            "main.tf:8:22 Invalid for_each argument",
        ]
    );
}

#[tokio::test]
async fn what_is_unknown_is_traced_to_where_it_comes_from() {
    let s = Scenario::new(
        r#"
resource "test_thing" "first" { name = "first" }
locals { keys = [module.m.id] }
module "m" {
  source = "./m"
  name   = test_thing.first.id
}
resource "test_thing" "many" {
  for_each = toset(local.keys)
  name     = each.key
}
"#,
    );
    s.write(
        "m/main.tf",
        r#"
variable "name" {}
resource "test_thing" "one" { name = var.name }
output "id" { value = test_thing.one.id }
"#,
    );
    let Err(found) = s.try_plan(Default::default()).await else {
        panic!("there must be an error");
    };
    let detail = &found.iter().next().unwrap().detail;
    assert!(
        detail.contains("It is toset(local.keys), which comes from module.m.test_thing.one."),
        "{detail}"
    );
    assert!(
        detail.contains("-target=module.m.test_thing.one"),
        "{detail}"
    );
}

#[tokio::test]
async fn a_run_goes_in_rounds() {
    let mut s = Scenario::new(UNKNOWN_COUNT);
    s.options.allow_deferral = true;
    let plan = s.plan().await;
    assert_eq!(
        summary(&plan),
        ["create test_thing.beside", "create test_thing.first"]
    );
    assert_eq!(
        later(&plan),
        ["test_thing.after", "test_thing.many[*] of test_thing.first"]
    );
    let outcome = s.carry_out(plan, 1).await;
    assert!(outcome.is_success());
    let outputs: Vec<&str> = outcome.outputs.keys().map(|k| &**k).collect();
    assert_eq!(outputs, ["beside"], "what is not known is not written");

    let plan = s.plan().await;
    assert_eq!(
        summary(&plan),
        [
            "create test_thing.after",
            "create test_thing.many[0]",
            "create test_thing.many[1]"
        ]
    );
    assert_eq!(later(&plan), Vec::<String>::new());
    let outcome = s.carry_out(plan, 1).await;
    assert!(outcome.is_success());
    assert!(outcome.outputs.contains_key("names"));
    s.assert_settled().await;
}

#[tokio::test]
async fn modules_whose_instances_are_not_known_wait_as_a_whole() {
    let mut s = Scenario::new(
        r#"
resource "test_thing" "first" { name = "first" }
module "m" {
  source   = "./m"
  for_each = toset([test_thing.first.endpoint])
}
resource "test_thing" "after" {
  name    = "after"
  parents = [for m in module.m : m.id]
}
resource "test_thing" "ordered" {
  name       = "ordered"
  depends_on = [module.m]
}
"#,
    );
    s.write(
        "m/main.tf",
        r#"
locals { name = "one" }
resource "test_thing" "one" { name = local.name }
resource "test_thing" "two" {
  count = 2
  name  = "two-${test_thing.one.id}-${count.index}"
}
data "test_lookup" "d" { name = "d" }
output "id" { value = test_thing.one.id }
"#,
    );
    s.options.allow_deferral = true;
    let plan = s.plan().await;
    assert_eq!(summary(&plan), ["create test_thing.first"]);
    assert_eq!(
        later(&plan),
        [
            "module.m[*].data.test_lookup.d of test_thing.first",
            "module.m[*].test_thing.one of test_thing.first",
            "module.m[*].test_thing.two[*] of test_thing.first",
            "test_thing.after",
            "test_thing.ordered",
        ]
    );
    assert!(s.carry_out(plan, 10).await.is_success());
    let plan = s.plan().await;
    assert!(plan.deferred.is_empty());
    assert_eq!(summary(&plan).len(), 5);
    assert!(s.carry_out(plan, 10).await.is_success());
    s.assert_settled().await;
}

#[tokio::test]
async fn objects_of_what_waits_stay_as_they_are() {
    // Made with known keys, then asked for with keys that are not known.
    let mut s = Scenario::new(
        r#"
resource "test_thing" "base" { name = "base" }
resource "test_thing" "many" {
  for_each = toset(["a", "b"])
  name     = each.key
  parents  = [test_thing.base.id]
}
resource "test_thing" "use" {
  name    = "use"
  parents = [for t in test_thing.many : t.id]
}
"#,
    );
    s.options.allow_deferral = true;
    s.apply().await;
    s.main(
        r#"
resource "test_thing" "new" { name = "new" }
resource "test_thing" "many" {
  for_each = toset([test_thing.new.endpoint])
  name     = each.key
}
resource "test_thing" "use" {
  name    = "use2"
  parents = [for t in test_thing.many : t.id]
}
"#,
    );
    // `base` has no block any more, but what waits still depends on it.
    let plan = s.plan().await;
    assert_eq!(summary(&plan), ["create test_thing.new"]);
    assert!(s.carry_out(plan, 10).await.is_success());
    assert_eq!(s.cloud.names(), ["a", "b", "base", "new", "use"]);
    let plan = s.plan().await;
    assert_eq!(
        summary(&plan)
            .iter()
            .map(|l| l.split(':').next().unwrap())
            .collect::<Vec<_>>(),
        [
            "delete test_thing.base",
            "delete test_thing.many[\"a\"]",
            "delete test_thing.many[\"b\"]",
            "create test_thing.many[\"https",
            "update test_thing.use",
        ]
    );
    assert!(s.carry_out(plan, 10).await.is_success());
    s.assert_settled().await;
}

#[tokio::test]
async fn a_provider_that_waits_is_not_configured() {
    let mut s = Scenario::new(
        r#"
resource "test_thing" "first" { name = "first" }
resource "test_thing" "hosts" {
  count = test_thing.first.note == "auto" ? 2 : 0
  name  = "host${count.index}"
}
provider "inner" { host = test_thing.hosts[0].endpoint }
resource "inner_pod" "p" { name = "p" }
"#,
    );
    s.options.allow_deferral = true;
    let plan = s.plan().await;
    assert_eq!(summary(&plan), ["create test_thing.first"]);
    assert_eq!(
        later(&plan),
        ["inner_pod.p", "test_thing.hosts[*] of test_thing.first"]
    );
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success(), "{:?}", outcome.diagnostics);
    let plan = s.plan().await;
    assert_eq!(
        summary(&plan),
        [
            "create inner_pod.p, deferred",
            "create test_thing.hosts[0]",
            "create test_thing.hosts[1]"
        ]
    );
    assert!(s.carry_out(plan, 10).await.is_success());
    s.assert_settled().await;
}

#[tokio::test]
async fn a_saved_plan_does_its_round() {
    let mut s = Scenario::new(UNKNOWN_COUNT);
    s.options.allow_deferral = true;
    let bytes = s.plan().await.save().unwrap();
    s.options.allow_deferral = false;
    let plan = s.resume(&bytes).await.unwrap();
    assert_eq!(later(&plan).len(), 2);
    assert!(s.carry_out(plan, 10).await.is_success());
    assert_eq!(s.cloud.names(), ["beside", "first"]);
}
