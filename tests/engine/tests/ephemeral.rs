//! What lives no longer than a phase of a run: ephemeral resources and variables, write-only
//! attributes; and that nothing of it is found in what is written.

use std::sync::Arc;

use tokio::sync::watch;
use topo_engine::apply::Interrupt;
use topo_engine::changes::{CheckStatus, PlanMode};
use topo_engine::plan::Purpose;
use topo_engine_tests::{Behaviour, Scenario, failures, located, sled, summary};
use topo_sdk::Value;

/// A vault whose secret is a session's token.
const VAULT: &str = r#"
    ephemeral "test_session" "s" { name = "s" }
    resource "test_vault" "v" {
      name              = "v"
      secret_wo         = ephemeral.test_session.s.token
      secret_wo_version = 1
    }
"#;

/// Pods in a host that asks for a session's token.
fn through_a_session(pods: &str) -> String {
    format!(
        r#"
        resource "test_thing" "host" {{ name = "host" }}
        ephemeral "test_session" "s" {{ name = "s" }}
        locals {{ token = ephemeral.test_session.s.token }}
        provider "inner" {{
          host  = test_thing.host.endpoint
          token = local.token
        }}
        {pods}
        "#
    )
}

const POD: &str = r#"resource "inner_pod" "p" { name = "p" }"#;

/// The sessions' part of the log.
fn sessions(s: &Scenario) -> Vec<String> {
    let of = |l: &String| {
        ["open ", "renew ", "close "]
            .iter()
            .any(|p| l.starts_with(p))
    };
    s.cloud.log().into_iter().filter(of).collect()
}

#[tokio::test]
async fn a_session_is_open_while_planning_and_again_while_it_is_needed() {
    let s = Scenario::new(VAULT);
    let plan = s.plan().await;
    assert_eq!(summary(&plan), ["create test_vault.v"]);
    assert_eq!(plan.changes.len(), 1, "an ephemeral resource is no change");
    assert_eq!(s.cloud.log(), ["open s", "close s"]);
    s.cloud.forget();
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success(), "{:?}", failures(&outcome));
    s.cloud
        .assert_order(&["open s", "create v", "end create v", "close s"]);
    s.cloud.position("create v wrote s-session-2");
    assert!(s.cloud.sessions().is_empty());
    // What the provider returned of it is not kept.
    let kept = s.attribute("test_vault.v", "secret_wo").await;
    assert!(kept.is_null() && kept.deep_marks().is_empty(), "{kept:?}");
    assert_eq!(s.addresses().await, ["test_vault.v"]);
    s.assert_settled().await;
    // Nothing to do: nothing is opened in apply.
    let plan = s.plan().await;
    s.cloud.forget();
    s.carry_out(plan, 10).await;
    assert_eq!(s.cloud.log(), Vec::<String>::new());
}

#[tokio::test]
async fn a_secret_is_written_again_when_its_version_is_raised() {
    let s = Scenario::new(VAULT);
    s.apply().await;
    s.cloud.forget();
    s.main(&VAULT.replace("= 1", "= 2"));
    let plan = s.plan().await;
    assert_eq!(summary(&plan), ["update test_vault.v"]);
    let after = plan.changes[0].after.as_ref().unwrap();
    assert!(after.get("secret_wo").unwrap().is_null());
    s.carry_out(plan, 10).await;
    let wrote = |l: &String| l.starts_with("update v wrote s-session-");
    assert_eq!(s.cloud.log().iter().filter(|l| wrote(l)).count(), 1);
    s.assert_settled().await;
}

#[tokio::test]
async fn write_only_values_in_nested_blocks_are_not_kept_either() {
    let s = Scenario::new(
        r#"
        resource "test_vault" "v" {
          name = "v"
          user {
            name   = "u"
            key_wo = "k3y"
          }
        }
        "#,
    );
    s.apply().await;
    s.cloud.position("create v wrote k3y");
    let users = s.attribute("test_vault.v", "user").await;
    let user = users.as_slice().unwrap()[0].clone();
    assert_eq!(user.get_str("name"), Some("u"));
    assert!(user.get("key_wo").unwrap().is_null());
    s.assert_settled().await;
}

#[tokio::test]
async fn a_provider_is_configured_with_a_session_of_each_phase() {
    let s = Scenario::new(&through_a_session(POD));
    s.apply().await;
    assert!(s.cloud.sessions().is_empty());
    assert_eq!(s.cloud.names(), ["host", "p"]);
    // Reading in a plan, then an update through another session.
    s.cloud.forget();
    s.main(&through_a_session(
        r#"resource "inner_pod" "p" {
             name = "p"
             size = 2
           }"#,
    ));
    let plan = s.plan().await;
    assert_eq!(summary(&plan), ["update inner_pod.p"]);
    assert_eq!(sessions(&s), ["open s", "close s"]);
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success(), "{:?}", failures(&outcome));
    assert_eq!(sessions(&s), ["open s", "close s", "open s", "close s"]);
    s.assert_settled().await;
    // Removing one object, with the provider still there.
    s.cloud.forget();
    s.main(&through_a_session(""));
    let outcome = s.apply().await;
    assert_eq!(outcome.counts.destroy, 1);
    assert_eq!(s.cloud.names(), ["host"]);
    assert!(s.cloud.sessions().is_empty());
}

#[tokio::test]
async fn a_destroy_run_opens_sessions_too() {
    let s = Scenario::new(&through_a_session(POD));
    s.apply().await;
    s.cloud.forget();
    let plan = s.plan_in(PlanMode::Destroy).await;
    assert_eq!(sessions(&s), ["open s", "close s"]);
    s.cloud.forget();
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success(), "{:?}", failures(&outcome));
    let log = s.cloud.log();
    let at = |start: &str| {
        let found = log.iter().position(|l| l.starts_with(start));
        found.unwrap_or_else(|| panic!("{start} is not in {log:?}"))
    };
    assert!(at("open s") < at("delete p@"));
    assert!(at("end delete p@") < at("close s"));
    assert_eq!(s.cloud.names(), Vec::<String>::new());
    assert!(s.cloud.sessions().is_empty());
}

#[tokio::test]
async fn a_refresh_run_opens_sessions_too() {
    let s = Scenario::new(&through_a_session(POD));
    s.apply().await;
    s.cloud.tamper("p", "size", Value::number(7_u64));
    s.cloud.forget();
    let plan = s.plan_in(PlanMode::RefreshOnly).await;
    assert_eq!(plan.drift.len(), 1, "{}", plan.diagnostics);
    assert_eq!(sessions(&s), ["open s", "close s"]);
}

#[tokio::test]
async fn what_needs_a_session_that_cannot_be_opened_yet_waits() {
    let s = Scenario::new(
        r#"
        resource "test_thing" "a" { name = "a" }
        ephemeral "test_session" "s" { name = test_thing.a.id }
        resource "test_vault" "v" {
          name      = "v"
          secret_wo = ephemeral.test_session.s.token
        }
        resource "test_thing" "b" { name = "b" }
        "#,
    );
    let plan = s.plan().await;
    assert_eq!(s.cloud.log(), Vec::<String>::new());
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success(), "{:?}", failures(&outcome));
    let id = s.attribute("test_thing.a", "id").await;
    let id = id.as_str().unwrap();
    s.cloud.assert_order(&[
        "end create a",
        &format!("open {id}"),
        "create v",
        "end create v",
        &format!("close {id}"),
    ]);
}

#[tokio::test]
async fn sessions_are_renewed_while_they_are_open() {
    let s = Scenario::new(
        r#"
        ephemeral "test_session" "s" {
          name    = "s"
          renewed = true
        }
        resource "test_vault" "v" {
          name      = "v"
          secret_wo = ephemeral.test_session.s.token
        }
        "#,
    );
    let plan = s.plan().await;
    s.cloud.forget();
    s.cloud.on("create v", Behaviour::WaitBefore);
    let applying = s.carry_out(plan, 10);
    let watching = async {
        s.cloud.until("create v").await;
        s.cloud.until("renew s").await;
        s.cloud.release("create v");
    };
    let (outcome, ()) = tokio::join!(applying, watching);
    assert!(outcome.is_success(), "{:?}", failures(&outcome));
    // What the renewal gave is what it is closed with.
    s.cloud.assert_order(&[
        "open s",
        "renew s",
        "end create v",
        "close s",
        "close s renewed",
    ]);
}

#[tokio::test]
async fn sessions_are_closed_when_an_operation_fails() {
    let s = Scenario::new(&format!(
        r#"{VAULT}
        resource "test_vault" "w" {{
          name       = "w"
          secret_wo  = ephemeral.test_session.s.token
          depends_on = [test_vault.v]
        }}"#
    ));
    s.cloud.on("create v", Behaviour::Fail);
    let plan = s.plan().await;
    s.cloud.forget();
    let outcome = s.carry_out(plan, 10).await;
    assert_eq!(outcome.failed.len(), 1);
    assert_eq!(outcome.skipped.len(), 1);
    assert!(s.cloud.sessions().is_empty());
    s.cloud.assert_order(&["create v", "close s"]);
}

#[tokio::test]
async fn sessions_are_closed_when_planning_fails() {
    let s = Scenario::new(&format!(
        r#"{VAULT}
        resource "test_thing" "a" {{
          name = "a"
          lifecycle {{
            precondition {{
              condition     = test_vault.v.name == "w"
              error_message = "no"
            }}
          }}
        }}"#
    ));
    let errors = s.plan_errors().await;
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(s.cloud.log(), ["open s", "close s"]);
}

#[tokio::test]
async fn sessions_are_closed_when_a_run_is_interrupted() {
    for interrupt in [Interrupt::Graceful, Interrupt::Now] {
        let s = Scenario::new(VAULT);
        let plan = s.plan().await;
        s.cloud.on("create v", Behaviour::WaitBefore);
        let (sender, receiver) = watch::channel(Interrupt::None);
        let stopping = async {
            s.cloud.until("create v").await;
            sender.send(interrupt).unwrap();
            if interrupt == Interrupt::Graceful {
                s.cloud.release("create v");
            }
            s.cloud.sessions()
        };
        let (_, open) = tokio::join!(s.carry_out_until(plan, 10, receiver), stopping);
        assert_eq!(open.len(), 1);
        assert!(s.cloud.sessions().is_empty(), "{interrupt:?}");
    }
}

#[tokio::test]
async fn a_session_that_cannot_be_opened_fails_what_needs_it() {
    let s = Scenario::new(&format!(
        r#"{VAULT}
        resource "test_thing" "free" {{ name = "free" }}"#
    ));
    s.cloud.on("open s", Behaviour::Fail);
    let errors = s.plan_errors().await;
    assert_eq!(errors, ["main.tf:2:5 Refused"]);

    s.cloud.well("open s");
    let plan = s.plan().await;
    s.cloud.on("open s", Behaviour::Fail);
    let outcome = s.carry_out(plan, 10).await;
    assert_eq!(outcome.failed.len(), 1, "{:?}", failures(&outcome));
    assert_eq!(outcome.failed[0].0.address.to_string(), "test_vault.v");
    assert_eq!(s.cloud.names(), ["free"]);
}

#[tokio::test]
async fn a_session_that_cannot_be_closed_is_an_error_of_the_run() {
    let s = Scenario::new(VAULT);
    let plan = s.plan().await;
    s.cloud.on("close s", Behaviour::Fail);
    let outcome = s.carry_out(plan, 10).await;
    assert!(!outcome.is_success());
    assert_eq!(s.cloud.names(), ["v"], "what was made is made");
    assert!(outcome.diagnostics.to_string().contains("close s"));
}

#[tokio::test]
async fn sessions_come_in_numbers_and_have_conditions() {
    let s = Scenario::new(
        r#"
        ephemeral "test_session" "s" {
          for_each = toset(["x", "y"])
          name     = each.key
          lifecycle {
            precondition {
              condition     = each.key != ""
              error_message = "no name"
            }
            postcondition {
              condition     = self.name == each.key
              error_message = "another name"
            }
          }
        }
        resource "test_vault" "v" {
          for_each  = toset(["x", "y"])
          name      = each.key
          secret_wo = ephemeral.test_session.s[each.key].token
        }
        "#,
    );
    let outcome = s.apply().await;
    let log = s.cloud.log();
    let wrote = |name: &str| {
        let start = format!("create {name} wrote {name}-session-");
        log.iter().any(|l| l.starts_with(&start))
    };
    assert!(wrote("x") && wrote("y"), "{log:?}");
    assert_eq!(outcome.checks[0].block, "ephemeral.test_session.s");
    assert_eq!(outcome.checks[0].objects.len(), 2);
    assert!(s.cloud.sessions().is_empty());
}

#[tokio::test]
async fn a_session_may_need_another() {
    let s = Scenario::new(
        r#"
        ephemeral "test_session" "outer" { name = "outer" }
        ephemeral "test_session" "inner" { name = "in-${ephemeral.test_session.outer.token}" }
        resource "test_vault" "v" {
          name      = "v"
          secret_wo = ephemeral.test_session.inner.token
        }
        "#,
    );
    let plan = s.plan().await;
    s.cloud.forget();
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success(), "{:?}", failures(&outcome));
    let log = sessions(&s);
    assert_eq!(log.len(), 4, "{log:?}");
    assert_eq!(log[0], "open outer");
    assert!(log[1].starts_with("open in-outer-session-"), "{log:?}");
    assert!(log[2].starts_with("close in-outer-session-"), "{log:?}");
    assert_eq!(log[3], "close outer");
}

#[tokio::test]
async fn values_pass_through_modules_that_say_so() {
    let s = Scenario::new(
        r#"
        module "token" { source = "./token" }
        module "vault" {
          source = "./vault"
          secret = module.token.value
        }
        "#,
    );
    s.write(
        "token/main.tf",
        r#"
        ephemeral "test_session" "s" { name = "s" }
        output "value" {
          value     = ephemeral.test_session.s.token
          ephemeral = true
        }
        "#,
    );
    s.write(
        "vault/main.tf",
        r#"
        variable "secret" { ephemeral = true }
        resource "test_vault" "v" {
          name      = "v"
          secret_wo = var.secret
        }
        "#,
    );
    s.apply().await;
    let log = s.cloud.log();
    assert!(
        log.iter()
            .any(|l| l.starts_with("create v wrote s-session-")),
        "{log:?}"
    );
    s.write("vault/main.tf", r#"variable "secret" {}"#);
    assert_eq!(s.errors(), ["main.tf:5:20 Ephemeral value not allowed"]);
}

#[test]
fn where_ephemeral_values_may_not_go() {
    let s = Scenario::new(
        r#"ephemeral "test_session" "s" { name = "s" }
resource "test_thing" "a" { name = ephemeral.test_session.s.token }
data "test_lookup" "l" { name = ephemeral.test_session.s.token }
output "o" { value = ephemeral.test_session.s.name }
resource "test_thing" "b" {
  count = length(ephemeral.test_session.s.token)
  name  = "b"
}
resource "test_thing" "c" {
  name = "c"
  rule { port = length(ephemeral.test_session.s.token) }
}
"#,
    );
    let mut errors = s.errors();
    errors.sort();
    assert_eq!(
        errors,
        [
            "main.tf:11:3 Invalid use of ephemeral value",
            "main.tf:2:36 Invalid use of ephemeral value",
            "main.tf:3:33 Invalid use of ephemeral value",
            "main.tf:4:22 Ephemeral value not allowed",
            "main.tf:6:11 Invalid count argument",
        ]
    );
}

#[tokio::test]
async fn a_check_at_the_end_sees_a_session_that_is_open() {
    let s = Scenario::new(&format!(
        r#"{VAULT}
        check "c" {{
          assert {{
            condition     = startswith(ephemeral.test_session.s.token, "s-session-")
            error_message = "a strange token ${{ephemeral.test_session.s.token}}"
          }}
        }}
        check "d" {{
          assert {{
            condition     = ephemeral.test_session.s.token == ""
            error_message = "a strange token ${{ephemeral.test_session.s.token}}"
          }}
        }}"#
    ));
    let outcome = s.apply().await;
    let told: Vec<_> = outcome
        .checks
        .iter()
        .map(|c| (&*c.block, c.status()))
        .collect();
    assert_eq!(
        told,
        [
            ("check.c", CheckStatus::Pass),
            ("check.d", CheckStatus::Fail)
        ]
    );
    let warned = outcome.diagnostics.to_string();
    assert!(warned.contains("is not shown"), "{warned}");
    assert!(!warned.contains("-session-"), "{warned}");
    assert!(s.cloud.sessions().is_empty());
}

/// A root variable that is ephemeral, one that may stay away, and one that is kept.
const VARIABLES: &str = r#"
    variable "secret" { ephemeral = true }
    variable "extra" {
      ephemeral = true
      default   = null
    }
    variable "name" { default = "v" }
    resource "test_vault" "v" {
      name      = var.name
      secret_wo = var.secret
    }
"#;

#[tokio::test]
async fn ephemeral_variables_are_given_again_to_a_saved_plan() {
    let mut s = Scenario::new(VARIABLES);
    s.inputs.add_flag("secret", "then");
    let saved = s.plan().await.save().unwrap();
    let none = std::mem::take(&mut s.inputs);

    let refused = s.resume(&saved).await.err().unwrap();
    assert_eq!(located(&refused).len(), 1);
    assert!(
        refused.to_string().contains("\"secret\" was set when"),
        "{refused}"
    );
    // To look at it, it is not needed.
    let shown = s.resume_to(Purpose::Show, &saved).await.unwrap();
    assert_eq!(summary(&shown), ["create test_vault.v"]);

    s.inputs = none.clone();
    s.inputs.add_flag("extra", "e");
    let refused = s.resume(&saved).await.err().unwrap();
    assert!(
        refused.to_string().contains("\"extra\" was not set"),
        "{refused}"
    );

    s.inputs = none;
    s.inputs.add_flag("secret", "now");
    let plan = s.resume(&saved).await.unwrap();
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success());
    s.cloud.position("create v wrote now");
}

/// Whether a text is in any file below a directory, or in these bytes.
fn written(dir: &std::path::Path, more: &[u8], text: &str) -> bool {
    let has = |bytes: &[u8]| bytes.windows(text.len()).any(|w| w == text.as_bytes());
    let mut open = vec![dir.to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if has(&std::fs::read(path).unwrap()) {
                return true;
            }
        }
    }
    has(more)
}

#[tokio::test]
async fn nothing_of_it_is_found_in_state_journal_or_plan_file() {
    let mut s = Scenario::new(
        r#"
        variable "secret" { ephemeral = true }
        variable "kept" { sensitive = true }
        ephemeral "test_session" "s" { name = "canary-session-name" }
        resource "test_vault" "v" {
          name      = "canary-kept-name"
          secret_wo = "canary-write-only ${var.secret} ${ephemeral.test_session.s.token}"
          user {
            name   = "u"
            key_wo = "canary-nested"
          }
        }
        resource "test_thing" "t" {
          name   = "t"
          secret = var.kept
        }
        "#,
    );
    s.inputs.add_flag("secret", "canary-variable");
    s.inputs.add_flag("kept", "canary-kept-variable");
    let dir = tempfile::tempdir().unwrap();
    let store = sled(dir.path()).await;
    s.store = Arc::new(store.clone());
    let saved = s.plan().await.save().unwrap();
    // In the middle of a creation the journal holds what was asked for.
    s.cloud.on("create canary-kept-name", Behaviour::Checkpoint);
    let plan = s.plan().await;
    let looking = async {
        s.cloud.until("done create canary-kept-name").await;
        let intents = s.store.load().await.unwrap().intents;
        let seen = format!("{intents:?}");
        assert!(seen.contains("canary-kept-name"), "{seen}");
        for secret in ["canary-write-only", "canary-nested", "canary-variable"] {
            assert!(!seen.contains(secret), "{secret} is in the journal: {seen}");
        }
        s.cloud.release("create canary-kept-name");
    };
    let (outcome, ()) = tokio::join!(s.carry_out(plan, 10), looking);
    assert!(outcome.is_success(), "{:?}", failures(&outcome));
    let wrote = |l: &String| {
        l.contains("wrote canary-write-only canary-variable canary-session-name-session-")
    };
    assert!(s.cloud.log().iter().any(wrote), "{:?}", s.cloud.log());
    s.store = Arc::new(topo_engine_tests::MemoryStore::default());
    store.close().await.unwrap();

    let empty = tempfile::tempdir().unwrap();
    // The search finds what is kept, in either place.
    assert!(written(dir.path(), &[], "canary-kept-name"));
    assert!(written(dir.path(), &[], "canary-kept-variable"));
    assert!(written(empty.path(), &saved, "canary-kept-name"));
    assert!(written(empty.path(), &saved, "canary-kept-variable"));
    for secret in [
        "canary-write-only",
        "canary-nested",
        "canary-variable",
        "canary-session-name",
        "-session-",
    ] {
        assert!(!written(dir.path(), &saved, secret), "{secret} is written");
    }
}
