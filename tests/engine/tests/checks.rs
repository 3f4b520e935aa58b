//! Conditions of all kinds, and what became of them in the plan and after apply.

use topo_engine::changes::{ChangeAction, CheckKind, CheckResult, CheckStatus, PlanMode, Reason};
use topo_engine_tests::{Behaviour, Scenario, failures, summary};
use topo_sdk::{Diagnostics, Severity};

/// `block: status`, and each object's address, status and problems.
fn told(checks: &[CheckResult]) -> Vec<String> {
    checks
        .iter()
        .flat_map(|c| {
            let objects = c.objects.iter().map(|o| {
                let problems = o.problems.join("; ");
                format!("  {} {:?} {problems}", o.address, o.status)
                    .trim_end()
                    .to_string()
            });
            std::iter::once(format!("{} {:?}", c.block, c.status())).chain(objects)
        })
        .collect()
}

/// Summary and detail of each warning; nothing may be an error.
fn warnings(diagnostics: &Diagnostics) -> Vec<String> {
    diagnostics
        .iter()
        .map(|d| {
            assert_eq!(d.severity, Severity::Warning, "{d}");
            let line = d.range.as_ref().map_or(0, |r| r.start.line);
            format!("{line}: {}: {}", d.summary, d.detail)
        })
        .collect()
}

#[tokio::test]
async fn results_are_known_as_far_as_values_are() {
    let s = Scenario::new(
        r#"
        variable "size" {
          default = 3
          validation {
            condition     = var.size > 0
            error_message = "too small"
          }
        }
        resource "test_thing" "a" {
          count = 2
          name  = "a${count.index}"
          size  = var.size
          lifecycle {
            precondition {
              condition     = count.index < 2
              error_message = "too many"
            }
            postcondition {
              condition     = startswith(self.id, "a")
              error_message = "a strange id"
            }
          }
        }
        resource "test_thing" "none" {
          count = 0
          name  = "none"
          lifecycle {
            precondition {
              condition     = var.size == 3
              error_message = "not three"
            }
          }
        }
        resource "test_thing" "plain" { name = "plain" }
        output "first" {
          value = test_thing.a[0].id
          precondition {
            condition     = test_thing.a[0].size == 3
            error_message = "not three"
          }
        }
        "#,
    );
    let plan = s.plan().await;
    assert_eq!(
        told(&plan.checks),
        [
            "test_thing.a Unknown",
            "  test_thing.a[0] Unknown",
            "  test_thing.a[1] Unknown",
            "test_thing.none Pass",
            "output.first Pass",
            "  output.first Pass",
            "var.size Pass",
            "  var.size Pass",
        ]
    );
    assert_eq!(plan.checks[0].kind, CheckKind::Resource);
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success(), "{:?}", failures(&outcome));
    let after = [
        "test_thing.a Pass",
        "  test_thing.a[0] Pass",
        "  test_thing.a[1] Pass",
        "test_thing.none Pass",
        "output.first Pass",
        "  output.first Pass",
        "var.size Pass",
        "  var.size Pass",
    ];
    assert_eq!(told(&outcome.checks), after);
    assert_eq!(told(&s.state().await.checks), after);
    // With nothing to do all is known at once.
    assert_eq!(told(&s.plan().await.checks), after);
    s.destroy().await;
    assert_eq!(s.state().await.checks, []);
}

#[tokio::test]
async fn conditions_in_modules_have_the_addresses_of_their_instances() {
    let s = Scenario::new(
        r#"
        module "m" {
          source   = "./m"
          for_each = toset(["x", "y"])
          name     = each.key
        }
        "#,
    );
    s.write(
        "m/main.tf",
        r#"
        variable "name" {
          validation {
            condition     = length(var.name) == 1
            error_message = "one letter"
          }
        }
        resource "test_thing" "a" {
          name = var.name
          lifecycle {
            postcondition {
              condition     = self.name == var.name
              error_message = "another name"
            }
          }
        }
        check "c" {
          assert {
            condition     = test_thing.a.name == "x"
            error_message = "${test_thing.a.name} is not x"
          }
        }
        "#,
    );
    s.config();
    let plan = s.plan().await;
    assert_eq!(
        told(&plan.checks),
        [
            "module.m.test_thing.a Pass",
            "  module.m[\"x\"].test_thing.a Pass",
            "  module.m[\"y\"].test_thing.a Pass",
            "module.m.check.c Fail",
            "  module.m[\"x\"].check.c Pass",
            "  module.m[\"y\"].check.c Fail y is not x",
            "module.m.var.name Pass",
            "  module.m[\"x\"].var.name Pass",
            "  module.m[\"y\"].var.name Pass",
        ]
    );
    assert_eq!(plan.checks[0].module.join("."), "m");
}

#[tokio::test]
async fn an_object_that_stays_is_checked_when_what_its_condition_is_about_is_known() {
    // Every object and every change is counted: the update of the first is the fifth.
    for (bound, status) in [(6, CheckStatus::Pass), (5, CheckStatus::Fail)] {
        let text = |size: u32| {
            format!(
                r#"
                resource "test_thing" "other" {{
                  name = "other"
                  size = {size}
                }}
                resource "test_thing" "stays" {{
                  name = "stays"
                  lifecycle {{
                    postcondition {{
                      condition     = test_thing.other.revision < {bound}
                      error_message = "changed too often"
                    }}
                  }}
                }}
                "#
            )
        };
        let s = Scenario::new(&text(1));
        s.apply().await;
        s.main(&text(2));
        let plan = s.plan().await;
        assert_eq!(summary(&plan), ["update test_thing.other"]);
        assert_eq!(plan.checks[0].status(), CheckStatus::Unknown);
        let outcome = s.carry_out(plan, 10).await;
        assert_eq!(outcome.checks[0].status(), status);
        assert_eq!(outcome.is_success(), status == CheckStatus::Pass);
        assert_eq!(outcome.counts.change, 1);
    }
}

#[tokio::test]
async fn the_postcondition_of_a_data_source_that_is_read_late_counts() {
    let s = Scenario::new(
        r#"
        resource "test_thing" "a" { name = "a" }
        data "test_lookup" "l" {
          name = test_thing.a.id
          lifecycle {
            postcondition {
              condition     = self.found == "found nothing"
              error_message = "found ${self.name}"
            }
          }
        }
        resource "test_thing" "after" { name = data.test_lookup.l.found }
        "#,
    );
    let plan = s.plan().await;
    assert_eq!(plan.checks[0].status(), CheckStatus::Unknown);
    let outcome = s.carry_out(plan, 10).await;
    assert!(!outcome.is_success());
    let all = failures(&outcome).join("\n");
    assert!(all.contains("Resource postcondition failed"), "{all}");
    assert!(all.contains("found a-"), "{all}");
    assert_eq!(s.cloud.names(), ["a"]);
    assert_eq!(outcome.checks[0].status(), CheckStatus::Fail);
}

const CHECKED: &str = r#"resource "test_thing" "a" {
  name = "a"
}
check "known" {
  assert {
    condition     = test_thing.a.name == "b"
    error_message = "it is ${test_thing.a.name}"
  }
}
check "later" {
  assert {
    condition     = startswith(test_thing.a.id, "b")
    error_message = "a strange id"
  }
}
"#;

#[tokio::test]
async fn a_failed_assertion_is_a_warning_in_plan_and_apply() {
    let s = Scenario::new(CHECKED);
    let plan = s.plan().await;
    assert_eq!(summary(&plan), ["create test_thing.a"]);
    let known = "6: Check block assertion failed: it is a";
    let said = warnings(&plan.diagnostics);
    assert_eq!(said[0], known);
    assert!(
        said[1].starts_with("12: Check block assertion known after apply: "),
        "{said:?}"
    );
    assert_eq!(said.len(), 2);
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success());
    assert_eq!(
        warnings(&outcome.diagnostics),
        [known, "12: Check block assertion failed: a strange id"]
    );
    assert_eq!(s.cloud.names(), ["a"]);
    // Nothing is evaluated when everything goes.
    let plan = s.plan_in(PlanMode::Destroy).await;
    assert!(plan.diagnostics.is_empty(), "{}", plan.diagnostics);
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.diagnostics.is_empty(), "{}", outcome.diagnostics);
}

#[tokio::test]
async fn an_assertion_that_cannot_be_evaluated_stops_nothing() {
    let s = Scenario::new(
        r#"
        resource "test_thing" "a" {
          name = "a"
          tags = { k = "v" }
        }
        check "c" {
          assert {
            condition     = test_thing.a.tags["other"] == "v"
            error_message = "no"
          }
        }
        "#,
    );
    let plan = s.plan().await;
    assert_eq!(warnings(&plan.diagnostics).len(), 1);
    assert_eq!(told(&plan.checks), ["check.c Error", "  check.c Error"]);
    assert!(s.carry_out(plan, 10).await.is_success());
}

/// A check with a data source that reads `name`.
fn with_data(thing: &str, name: &str) -> String {
    format!(
        r#"
        resource "test_thing" "a" {{ name = "{thing}" }}
        check "c" {{
          data "test_lookup" "l" {{ name = {name} }}
          assert {{
            condition     = data.test_lookup.l.found == "found fine"
            error_message = "it says ${{data.test_lookup.l.found}}"
          }}
        }}
        "#
    )
}

#[tokio::test]
async fn a_nested_data_source_is_read_in_plan_and_again_after_the_changes() {
    let s = Scenario::new(&with_data("a", "\"x\""));
    let plan = s.plan().await;
    assert_eq!(
        summary(&plan),
        [
            "create test_thing.a",
            "read data.test_lookup.l: CheckNested"
        ]
    );
    assert_eq!(s.cloud.count("data x"), 1);
    let said = warnings(&plan.diagnostics);
    assert_eq!(said, ["6: Check block assertion failed: it says found x"]);
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success(), "{:?}", failures(&outcome));
    assert_eq!(warnings(&outcome.diagnostics), said);
    assert_eq!(s.cloud.count("data x"), 2);
    s.cloud.assert_order(&["data x", "end create a"]);
    assert_eq!(s.cloud.log().last().map(String::as_str), Some("data x"));
    // When nothing changes, once is enough.
    s.cloud.forget();
    s.apply().await;
    assert_eq!(s.cloud.count("data x"), 1);
    s.assert_settled().await;
}

#[tokio::test]
async fn a_nested_data_source_that_depends_on_changes_is_read_after_them() {
    let s = Scenario::new(&with_data("a", "test_thing.a.id"));
    let plan = s.plan().await;
    assert_eq!(
        summary(&plan),
        [
            "create test_thing.a",
            "read data.test_lookup.l: ConfigUnknown"
        ]
    );
    assert_eq!(told(&plan.checks), ["check.c Unknown", "  check.c Unknown"]);
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success());
    let said = warnings(&outcome.diagnostics);
    assert!(said[0].contains("it says found a-"), "{said:?}");
    assert_eq!(outcome.checks[0].status(), CheckStatus::Fail);
}

#[tokio::test]
async fn a_nested_data_source_that_cannot_be_read_is_a_warning() {
    let s = Scenario::new(&with_data("a", "\"fine\""));
    s.cloud.on("data fine", Behaviour::Fail);
    let plan = s.plan().await;
    let said = warnings(&plan.diagnostics);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("Refused"), "{said:?}");
    let refused = "Refused: The cloud does not want to data fine.";
    let failed = [
        "check.c Fail".to_string(),
        format!("  check.c Fail {refused}"),
    ];
    assert_eq!(told(&plan.checks), failed);
    let read = plan.changes.iter().find(|c| c.action == ChangeAction::Read);
    assert_eq!(read.unwrap().reason, Some(Reason::CheckNested));
    s.cloud.well("data fine");
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success());
    assert_eq!(warnings(&outcome.diagnostics), Vec::<String>::new());
    assert_eq!(told(&outcome.checks), ["check.c Pass", "  check.c Pass"]);
}

#[tokio::test]
async fn what_failed_leaves_checks_about_it_unknown() {
    let s = Scenario::new(CHECKED);
    s.cloud.on("create a", Behaviour::Fail);
    let outcome = s.apply_anyhow().await;
    assert!(!outcome.is_success());
    assert_eq!(
        told(&outcome.checks),
        [
            "check.known Unknown",
            "  check.known Unknown",
            "check.later Unknown",
            "  check.later Unknown",
        ]
    );
}

#[tokio::test]
async fn a_nested_data_source_is_seen_by_its_check_alone() {
    let s = Scenario::new(&with_data("a", "\"x\""));
    s.write(
        "out.tf",
        r#"output "o" { value = data.test_lookup.l.found }"#,
    );
    let errors = s.errors();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].starts_with("out.tf:1:22 "), "{errors:?}");
}

const SMALL: &str = r#"
variable "size" { default = 3 }
check "small" {
  assert {
    condition     = var.size == 2
    error_message = "not two"
  }
}
"#;

#[tokio::test]
async fn a_condition_that_does_not_hold_is_shown_with_what_it_refers_to() {
    let s = Scenario::new(
        r#"
        variable "size" { default = 3 }
        resource "test_thing" "a" {
          name = "a"
          size = var.size
          lifecycle {
            precondition {
              condition     = var.size < 2
              error_message = "too big"
            }
          }
        }
        "#,
    );
    let refused = s.try_plan(PlanMode::Normal).await.err().unwrap();
    let failed = refused.iter().find(|d| d.is_error()).unwrap();
    assert_eq!(failed.summary, "Resource precondition failed");
    assert_eq!(failed.detail, "too big");
    assert_eq!(failed.address.as_deref(), Some("test_thing.a"));
    assert_eq!(failed.range.as_ref().unwrap().start.line, 8);
    let said = ("var.size".to_string(), "3".to_string());
    assert_eq!(failed.values, std::slice::from_ref(&said));
    // Of an assertion too.
    s.main(SMALL);
    let plan = s.plan().await;
    let told = &plan.diagnostics.0[0];
    assert_eq!(told.summary, "Check block assertion failed");
    assert_eq!(told.values, [said]);
}
