//! Provisioners: when they run, what they see, what their failure does to the object, and that a
//! run that dies between creation and provisioning leaves an object that is replaced.

use std::sync::{Arc, Mutex};

use tokio::sync::{mpsc, watch};
use topo_engine::apply::Interrupt;
use topo_engine::changes::{ChangeAction, PlanMode};
use topo_engine::events::Event;
use topo_engine::store::Status;
use topo_engine_tests::{Behaviour, MemoryStore, Scenario, failures, summary};
use topo_provider_sandbox::simulate_provisioner;
use topo_sdk::Severity;

/// What happened, in words, as it happened.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// What happened since the last look.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    /// The lines of output alone, since the last look.
    fn lines(&self) -> Vec<String> {
        let said = |l: &String| l.contains(": ");
        self.take().into_iter().filter(said).collect()
    }
}

/// A scenario whose events are written down. The line that tells the command is left out.
fn logged(text: &str) -> (Scenario, Log) {
    let log = Log::default();
    let mut s = Scenario::new(text);
    let own = log.clone();
    s.listener = Arc::new(move |event| own.0.lock().unwrap().extend(words(&event)));
    (s, log)
}

fn words(event: &Event) -> Option<String> {
    let verb = |a: &ChangeAction| a.word().to_string();
    Some(match event {
        Event::ApplyStarted { key, action, .. } => format!("{} {}", verb(action), key.address),
        Event::ApplyFinished { key, action, .. } => {
            format!("end {} {}", verb(action), key.address)
        }
        Event::ApplyFailed { key, action, .. } => {
            format!("failed {} {}", verb(action), key.address)
        }
        Event::ProvisionStarted { key, simulated, .. } => {
            let verb = if *simulated {
                "simulate provision"
            } else {
                "provision"
            };
            format!("{verb} {}", key.address)
        }
        Event::ProvisionFinished { key, .. } => format!("end provision {}", key.address),
        Event::ProvisionFailed { key, .. } => format!("failed provision {}", key.address),
        Event::ProvisionOutput { line, .. } if line.starts_with("Executing: ") => return None,
        Event::ProvisionOutput {
            key,
            provisioner,
            line,
        } => format!("{} ({provisioner}): {line}", key.address),
        _ => return None,
    })
}

/// A scenario that hands out every line of output.
fn heard(text: &str) -> (Scenario, mpsc::UnboundedReceiver<String>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let mut s = Scenario::new(text);
    s.listener = Arc::new(move |event| {
        let line = match event {
            Event::ProvisionOutput { line, .. } => line,
            Event::Interrupted { .. } => "interrupted".into(),
            _ => return,
        };
        // The test may have heard enough.
        let _ = sender.send(line);
    });
    (s, receiver)
}

async fn until(receiver: &mut mpsc::UnboundedReceiver<String>, line: &str) {
    while receiver.recv().await.as_deref() != Some(line) {}
}

async fn status(s: &Scenario, address: &str) -> Status {
    s.record(address).await.expect("a record").status
}

#[tokio::test]
async fn they_run_in_order_between_creation_and_what_depends_on_it() {
    let (s, log) = logged(
        r#"
        resource "test_thing" "a" {
          name = "a"
          provisioner "local-exec" { command = "echo ${self.name} has ${self.id}; echo err >&2" }
          provisioner "local-exec" { command = "echo second ${test_thing.a.id}" }
        }
        resource "test_thing" "b" {
          name = "b"
          note = test_thing.a.id
        }
        "#,
    );
    let outcome = s.apply().await;
    assert_eq!((outcome.counts.add, outcome.changes.len()), (2, 2));
    assert_eq!(
        log.take(),
        [
            "create test_thing.a",
            "provision test_thing.a",
            "test_thing.a (local-exec): a has a-1",
            "test_thing.a (local-exec): err",
            "end provision test_thing.a",
            "provision test_thing.a",
            "test_thing.a (local-exec): second a-1",
            "end provision test_thing.a",
            "end create test_thing.a",
            "create test_thing.b",
            "end create test_thing.b",
        ]
    );
    assert_eq!(status(&s, "test_thing.a").await, Status::Ok);
    s.assert_settled().await;
}

#[tokio::test]
async fn arguments_come_from_the_scope_of_the_instance() {
    let (s, log) = logged(
        r#"
        variable "greeting" { default = "hello" }
        locals { punctuation = "!" }
        resource "test_thing" "e" {
          for_each = { x = "one", y = "two" }
          name     = each.key
          provisioner "local-exec" {
            command     = "echo $GREETING ${each.key} ${each.value}${local.punctuation} $NONE; cat here"
            working_dir = "${path.cwd}/files"
            environment = { GREETING = var.greeting, NONE = null }
          }
        }
        resource "test_thing" "c" {
          count = 2
          name  = "c${count.index}"
          provisioner "local-exec" {
            interpreter = ["/bin/sh", "-c", "echo number ${count.index} $0"]
            command     = "given"
            quiet       = true
          }
        }
        "#,
    );
    s.write("files/here", "a file\n");
    s.apply().await;
    let mut lines = log.lines();
    lines.sort();
    assert_eq!(
        lines,
        [
            "test_thing.c[0] (local-exec): number 0 given",
            "test_thing.c[1] (local-exec): number 1 given",
            "test_thing.e[\"x\"] (local-exec): a file",
            "test_thing.e[\"x\"] (local-exec): hello x one!",
            "test_thing.e[\"y\"] (local-exec): a file",
            "test_thing.e[\"y\"] (local-exec): hello y two!",
        ]
    );
}

#[tokio::test]
async fn each_is_evaluated_when_the_one_before_has_run() {
    let (s, log) = logged(
        r#"
        resource "test_thing" "a" {
          name = "a"
          provisioner "local-exec" { command = "echo written > ${path.cwd}/made" }
          provisioner "local-exec" { command = "echo ${fileexists("${path.cwd}/made")}" }
        }
        "#,
    );
    s.apply().await;
    assert_eq!(log.lines(), ["test_thing.a (local-exec): true"]);
}

#[tokio::test]
async fn what_they_refer_to_is_there_before_and_goes_after() {
    let (s, log) = logged(
        r#"
        resource "test_thing" "x" {
          count = 2
          name  = "x${count.index}"
        }
        resource "test_thing" "a" {
          name = "a"
          size = test_thing.x[0].size
          provisioner "local-exec" { command = "echo ${test_thing.x[1].id}" }
        }
        resource "test_thing" "b" {
          name = "b"
          connection { host = test_thing.a.id }
        }
        "#,
    );
    // Whatever is ready could start at once: only the reference makes it wait.
    s.cloud.on("create x1", Behaviour::WaitBefore);
    let plan = s.plan().await;
    let release = async {
        s.cloud.until("create x1").await;
        s.cloud.until("end create x0").await;
        s.cloud.release("create x1");
    };
    let (outcome, ()) = tokio::join!(s.carry_out(plan, 10), release);
    assert!(outcome.is_success(), "{:?}", failures(&outcome));
    s.cloud
        .assert_order(&["end create x1", "create a", "end create a", "create b"]);
    assert!(log.lines()[0].starts_with("test_thing.a (local-exec): x1-"));
    s.cloud.forget();
    s.destroy().await;
    s.cloud
        .assert_order(&["end delete b", "end delete a", "delete x1"]);
}

#[tokio::test]
async fn an_update_runs_none() {
    let text = |size: u32| {
        format!(
            r#"
            resource "test_thing" "a" {{
              name = "a"
              size = {size}
              provisioner "local-exec" {{ command = "echo made" }}
              provisioner "local-exec" {{
                when    = destroy
                command = "echo gone"
              }}
            }}
            "#
        )
    };
    let (s, log) = logged(&text(1));
    s.apply().await;
    assert_eq!(log.lines(), ["test_thing.a (local-exec): made"]);
    s.main(&text(2));
    s.apply().await;
    assert_eq!(log.lines(), Vec::<String>::new());
}

#[tokio::test]
async fn a_failure_taints_the_object_and_stops_what_depends_on_it() {
    let text = |exit: u32| {
        format!(
            r#"
            resource "test_thing" "a" {{
              name = "a"
              provisioner "local-exec" {{ command = "echo trying; exit {exit}" }}
              provisioner "local-exec" {{ command = "echo second" }}
              provisioner "local-exec" {{
                when    = destroy
                command = "echo gone"
              }}
            }}
            resource "test_thing" "b" {{
              name = "b"
              note = test_thing.a.id
            }}
            "#
        )
    };
    let (s, log) = logged(&text(4));
    let outcome = s.apply_anyhow().await;
    let told = failures(&outcome);
    assert_eq!(told.len(), 2, "{told:?}");
    for part in [
        "local-exec provisioner error",
        "exit status 4",
        "trying",
        "tainted",
        "main.tf:4,",
    ] {
        assert!(told[0].contains(part), "{part:?} is not in {}", told[0]);
    }
    assert_eq!(
        told[1],
        "test_thing.b skipped: it depends on test_thing.a, which failed"
    );
    assert_eq!(
        log.take(),
        [
            "create test_thing.a",
            "provision test_thing.a",
            "test_thing.a (local-exec): trying",
            "failed provision test_thing.a",
            "failed create test_thing.a",
        ]
    );
    assert_eq!(status(&s, "test_thing.a").await, Status::Tainted);
    assert!(s.state().await.intents.is_empty());

    // An object that was never complete is not said farewell to.
    s.main(&text(0));
    assert_eq!(
        summary(&s.plan().await),
        ["replace test_thing.a: Tainted", "create test_thing.b"]
    );
    s.apply().await;
    assert_eq!(
        log.lines(),
        [
            "test_thing.a (local-exec): trying",
            "test_thing.a (local-exec): second"
        ]
    );
    assert_eq!(status(&s, "test_thing.a").await, Status::Ok);
    s.assert_settled().await;
}

#[tokio::test]
async fn a_failure_that_may_be_is_a_warning() {
    let (s, log) = logged(
        r#"
        resource "test_thing" "a" {
          name = "a"
          provisioner "local-exec" {
            command    = "exit 1"
            on_failure = continue
          }
          provisioner "local-exec" { command = "echo second" }
          provisioner "local-exec" {
            when       = destroy
            on_failure = continue
            command    = "exit 2"
          }
        }
        "#,
    );
    let outcome = s.apply().await;
    let warning = &outcome.diagnostics.0[0];
    assert_eq!(warning.severity, Severity::Warning);
    assert!(warning.detail.contains("exit status 1"), "{warning}");
    assert_eq!(warning.address.as_deref(), Some("test_thing.a"));
    assert_eq!(log.lines(), ["test_thing.a (local-exec): second"]);
    s.assert_settled().await;
    let outcome = s.destroy().await;
    assert!(outcome.diagnostics.0[0].detail.contains("exit status 2"));
    assert_eq!(s.cloud.names(), Vec::<String>::new());
}

#[tokio::test]
async fn the_record_is_tainted_until_the_last_has_succeeded() {
    let (mut s, mut lines) = heard(
        r#"
        resource "test_thing" "a" {
          name = "a"
          provisioner "local-exec" { command = "echo up; sleep 1000" }
        }
        "#,
    );
    let store = Arc::new(MemoryStore::default());
    s.store = store.clone();
    let plan = s.plan().await;
    tokio::select! {
        outcome = s.carry_out(plan, 10) => panic!("not dead: {:?}", failures(&outcome)),
        () = until(&mut lines, "up") => {}
    }
    // As after kill -9.
    assert_eq!(status(&s, "test_thing.a").await, Status::Tainted);
    assert!(s.state().await.intents.is_empty());
    assert_eq!(summary(&s.plan().await), ["replace test_thing.a: Tainted"]);

    s.main(
        r#"
        resource "test_thing" "a" {
          name = "a"
          provisioner "local-exec" { command = "echo up" }
        }
        "#,
    );
    let before = store.commits().len();
    s.apply().await;
    let commits = store.commits();
    let of: Vec<_> = commits[before..]
        .iter()
        .filter(|c| c.iter().any(|n| n.ends_with("test_thing.a")))
        .collect();
    assert_eq!(
        of,
        [
            &["OpenIntent test_thing.a"][..],
            &[
                "Remove test_thing.a",
                "CloseIntent test_thing.a",
                "PutDuration"
            ],
            &["OpenIntent test_thing.a"],
            &["Put test_thing.a", "CloseIntent test_thing.a"],
            &["Put test_thing.a", "PutDuration"],
        ]
    );
    assert_eq!(status(&s, "test_thing.a").await, Status::Ok);
}

#[tokio::test]
async fn a_creation_that_is_found_by_recovery_was_not_provisioned() {
    for behaviour in [Behaviour::WaitAfter, Behaviour::Checkpoint] {
        let (s, log) = logged(
            r#"
            resource "test_thing" "a" {
              name = "a"
              provisioner "local-exec" { command = "echo ran" }
            }
            "#,
        );
        s.cloud.on("create a", behaviour);
        let plan = s.plan().await;
        tokio::select! {
            outcome = s.carry_out(plan, 10) => panic!("not dead: {:?}", failures(&outcome)),
            () = s.cloud.until("done create a") => {}
        }
        assert!(s.state().await.intents[0].provisioned);
        s.cloud.well("create a");
        assert_eq!(summary(&s.plan().await), ["replace test_thing.a: Tainted"]);
        s.apply().await;
        assert_eq!(log.lines(), ["test_thing.a (local-exec): ran"]);
        assert_eq!(s.cloud.names(), ["a"]);
        s.assert_settled().await;
    }
}

#[tokio::test]
async fn the_first_interrupt_waits_for_them_and_the_second_kills_them() {
    let text = r#"
        resource "test_thing" "a" {
          name = "a"
          provisioner "local-exec" { command = "mkfifo ${path.cwd}/go; echo up; cat ${path.cwd}/go" }
          provisioner "local-exec" { command = "echo second" }
        }
    "#;
    let (s, mut lines) = heard(text);
    let plan = s.plan().await;
    let (ask, interrupt) = watch::channel(Interrupt::None);
    let go = s.path().join("go");
    let interrupting = async {
        until(&mut lines, "up").await;
        ask.send(Interrupt::Graceful).unwrap();
        until(&mut lines, "interrupted").await;
        tokio::fs::write(&go, "goes on\n").await.unwrap();
        until(&mut lines, "goes on").await;
        until(&mut lines, "second").await;
    };
    let (outcome, ()) = tokio::join!(s.carry_out_until(plan, 10, interrupt), interrupting);
    assert!(outcome.is_success(), "{:?}", failures(&outcome));
    assert_eq!(status(&s, "test_thing.a").await, Status::Ok);

    let (s, mut lines) = heard(text);
    let plan = s.plan().await;
    let (ask, interrupt) = watch::channel(Interrupt::None);
    let interrupting = async {
        until(&mut lines, "up").await;
        ask.send(Interrupt::Now).unwrap();
    };
    let (outcome, ()) = tokio::join!(s.carry_out_until(plan, 10, interrupt), interrupting);
    assert!(!outcome.is_success());
    assert_eq!(status(&s, "test_thing.a").await, Status::Tainted);
}

#[tokio::test]
async fn destroy_time_ones_run_before_the_deletion() {
    let text = |zone: &str, count: u32| {
        format!(
            r#"
            resource "test_thing" "a" {{
              name = "a"
              zone = "{zone}"
              provisioner "local-exec" {{ command = "echo welcome to ${{self.zone}}" }}
              provisioner "local-exec" {{
                when    = destroy
                command = "echo leaving ${{self.zone}} as ${{self.id}} of ${{path.module}}"
              }}
            }}
            resource "test_thing" "c" {{
              count = {count}
              name  = "c${{count.index}}"
              provisioner "local-exec" {{
                when    = destroy
                command = "echo ${{count.index}} gone"
              }}
            }}
            "#
        )
    };
    let (s, log) = logged(&text("z1", 2));
    s.apply().await;
    assert_eq!(log.lines(), ["test_thing.a (local-exec): welcome to z1"]);
    s.main(&text("z2", 1));
    let plan = s.plan().await;
    s.carry_out(plan, 1).await;
    let of_a: Vec<String> = log.take();
    let (of_c, of_a): (Vec<String>, Vec<String>) =
        of_a.into_iter().partition(|l| l.contains(".c[1]"));
    assert_eq!(
        of_a,
        [
            "delete test_thing.a",
            "provision test_thing.a",
            "test_thing.a (local-exec): leaving z1 as a-3 of .",
            "end provision test_thing.a",
            "end delete test_thing.a",
            "create test_thing.a",
            "provision test_thing.a",
            "test_thing.a (local-exec): welcome to z2",
            "end provision test_thing.a",
            "end create test_thing.a",
        ]
        .map(|l| l.replace("a-3", &of_a_id(&of_a)))
    );
    assert_eq!(
        of_c,
        [
            "delete test_thing.c[1]",
            "provision test_thing.c[1]",
            "test_thing.c[1] (local-exec): 1 gone",
            "end provision test_thing.c[1]",
            "end delete test_thing.c[1]",
        ]
    );
    s.assert_settled().await;
    s.destroy().await;
    let mut lines = log.lines();
    lines.sort();
    assert!(lines[0].starts_with("test_thing.a (local-exec): leaving z2 as a-"));
    assert_eq!(lines[1..], ["test_thing.c[0] (local-exec): 0 gone"]);
}

/// The id that the farewell told: creations run side by side, so its number is not fixed.
fn of_a_id(lines: &[String]) -> String {
    let said = lines.iter().find_map(|l| l.split_once(" as "));
    let id = said.and_then(|(_, rest)| rest.split_once(" of "));
    id.expect("the farewell").0.to_string()
}

#[tokio::test]
async fn in_modules_they_are_found_by_a_run_that_destroys_everything() {
    let (s, log) = logged(
        r#"
        module "m" {
          source   = "./m"
          for_each = toset(["x"])
        }
        "#,
    );
    s.write(
        "m/main.tf",
        r#"
        resource "test_thing" "e" {
          for_each = { k = 1 }
          name     = "e"
          provisioner "local-exec" {
            when    = destroy
            command = "echo ${each.key} of ${self.name} in ${path.module}"
          }
        }
        "#,
    );
    s.apply().await;
    s.destroy().await;
    assert_eq!(
        log.lines(),
        ["module.m[\"x\"].test_thing.e[\"k\"] (local-exec): k of e in m"]
    );
}

#[tokio::test]
async fn a_failed_farewell_keeps_the_object() {
    let text = |exit: u32, zone: &str| {
        format!(
            r#"
            resource "test_thing" "a" {{
              name = "a"
              zone = "{zone}"
              provisioner "local-exec" {{
                when    = destroy
                command = "exit {exit}"
              }}
              provisioner "local-exec" {{
                when    = destroy
                command = "echo second"
              }}
            }}
            "#
        )
    };
    let (s, log) = logged(&text(3, "z1"));
    s.apply().await;
    s.cloud.forget();
    for mode in [PlanMode::Destroy, PlanMode::Normal] {
        s.main(&text(3, "z2"));
        let plan = s.plan_in(mode).await;
        let outcome = s.carry_out(plan, 10).await;
        let told = failures(&outcome);
        assert!(told[0].contains("exit status 3"), "{told:?}");
        assert!(told[0].contains("was not deleted"), "{told:?}");
        assert_eq!(s.cloud.calls(), Vec::<String>::new());
        assert_eq!(status(&s, "test_thing.a").await, Status::Ok);
        assert!(s.state().await.intents.is_empty());
        assert_eq!(log.lines(), Vec::<String>::new());
    }
    s.main(&text(0, "z1"));
    s.destroy().await;
    assert_eq!(log.lines(), ["test_thing.a (local-exec): second"]);
    assert_eq!(s.addresses().await, Vec::<String>::new());
}

#[tokio::test]
async fn farewells_are_left_out_where_the_peers_leave_them_out() {
    let text = |zone: &str| {
        format!(
            r#"
            resource "test_thing" "a" {{
              name = "a"
              zone = "{zone}"
              lifecycle {{ create_before_destroy = true }}
              provisioner "local-exec" {{
                when    = destroy
                command = "echo gone"
              }}
            }}
            "#
        )
    };
    let (s, log) = logged(&text("z1"));
    s.apply().await;
    // The replacement is there already.
    s.main(&text("z2"));
    s.apply().await;
    assert_eq!(s.cloud.names(), ["a"]);
    assert_eq!(log.lines(), Vec::<String>::new());
    // The block that says what to do is gone.
    s.main("");
    s.apply().await;
    assert_eq!(s.cloud.names(), Vec::<String>::new());
    assert_eq!(log.lines(), Vec::<String>::new());
    // Nothing replaces it.
    s.main(&text("z1"));
    s.apply().await;
    s.destroy().await;
    assert_eq!(log.lines(), ["test_thing.a (local-exec): gone"]);
}

#[tokio::test]
async fn a_removed_block_has_the_farewells_of_what_it_removes() {
    let (s, log) = logged(
        r#"
        resource "test_thing" "e" {
          for_each = toset(["x", "y"])
          name     = each.key
        }
        resource "test_thing" "c" {
          count = 1
          name  = "c"
        }
        resource "test_thing" "d" { name = "d" }
        "#,
    );
    s.apply().await;
    s.main(
        r#"
        removed {
          from = test_thing.e
          lifecycle { destroy = true }
          provisioner "local-exec" {
            when    = destroy
            command = "echo first ${self.name} ${each.key}"
          }
          provisioner "local-exec" {
            when    = destroy
            command = "echo second in ${path.module}"
          }
        }
        removed {
          from = test_thing.c
          connection { host = self.id }
          provisioner "local-exec" {
            when       = destroy
            on_failure = continue
            command    = "echo ${count.index}; exit 3"
          }
        }
        removed { from = test_thing.d }
        "#,
    );
    log.take();
    let outcome = s.apply().await;
    let warning = &outcome.diagnostics.0[0];
    assert!(warning.detail.contains("exit status 3"), "{warning}");
    let log = log.take();
    let of_y: Vec<&String> = log.iter().filter(|l| l.contains("[\"y\"]")).collect();
    assert_eq!(
        of_y,
        [
            "delete test_thing.e[\"y\"]",
            "provision test_thing.e[\"y\"]",
            "test_thing.e[\"y\"] (local-exec): first y y",
            "end provision test_thing.e[\"y\"]",
            "provision test_thing.e[\"y\"]",
            "test_thing.e[\"y\"] (local-exec): second in .",
            "end provision test_thing.e[\"y\"]",
            "end delete test_thing.e[\"y\"]",
        ]
    );
    let said = |what: &str| log.iter().any(|l| l == what);
    assert!(said("test_thing.c[0] (local-exec): 0"), "{log:?}");
    assert!(
        said("test_thing.e[\"x\"] (local-exec): first x x"),
        "{log:?}"
    );
    assert!(!log.iter().any(|l| l.contains("provision test_thing.d")));
    assert_eq!(s.addresses().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_removed_block_speaks_of_objects_in_modules_that_are_gone() {
    let (s, log) = logged(
        r#"
        module "m" {
          source = "./m"
          count  = 2
        }
        "#,
    );
    s.write("m/main.tf", r#"resource "test_thing" "a" { name = "a" }"#);
    s.apply().await;
    s.main(
        r#"
        removed {
          from = module.m.test_thing.a
          provisioner "local-exec" {
            when    = destroy
            command = "echo bye; exit 1"
          }
        }
        "#,
    );
    // As with a block that is still there, what is not said farewell to is not deleted.
    let outcome = s.apply_anyhow().await;
    let told = failures(&outcome);
    assert_eq!(told.len(), 2, "{told:?}");
    for part in ["exit status 1", "The object was not deleted", "main.tf:4,"] {
        assert!(told[0].contains(part), "{part:?} is not in {}", told[0]);
    }
    let mut lines = log.lines();
    lines.sort();
    assert_eq!(
        lines,
        [
            "module.m[0].test_thing.a (local-exec): bye",
            "module.m[1].test_thing.a (local-exec): bye"
        ]
    );
    assert_eq!(s.cloud.names(), ["a", "a"]);
    // It is the same when everything is destroyed.
    s.main(
        r#"
        removed {
          from = module.m.test_thing.a
          provisioner "local-exec" {
            when    = destroy
            command = "echo bye"
          }
        }
        "#,
    );
    s.destroy().await;
    assert_eq!(log.lines().len(), 2);
    assert_eq!(s.cloud.names(), Vec::<String>::new());
}

#[tokio::test]
async fn what_a_removed_block_forgets_is_not_said_farewell_to() {
    let (s, log) = logged(r#"resource "test_thing" "a" { name = "a" }"#);
    s.apply().await;
    s.main(
        r#"removed {
  from = test_thing.a
  lifecycle { destroy = false }
  provisioner "local-exec" {
    when    = destroy
    command = "echo gone"
  }
}
"#,
    );
    let warnings: Vec<String> = s
        .load()
        .diagnostics
        .iter()
        .map(|d| format!("{:?} {}", d.severity, d.summary))
        .collect();
    assert_eq!(warnings, ["Warning Provisioners will not be carried out"]);
    s.apply().await;
    assert_eq!(log.lines(), Vec::<String>::new());
    assert_eq!(s.cloud.names(), ["a"]);
    assert_eq!(s.addresses().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_replacement_that_is_never_complete_leaves_nothing_behind() {
    let text = |zone: &str, exit: u32| {
        format!(
            r#"
            resource "test_thing" "a" {{
              name = "a"
              zone = "{zone}"
              lifecycle {{ create_before_destroy = true }}
              provisioner "local-exec" {{ command = "exit {exit}" }}
            }}
            "#
        )
    };
    let s = Scenario::new(&text("z1", 0));
    s.apply().await;
    s.main(&text("z2", 1));
    let outcome = s.apply_anyhow().await;
    assert!(failures(&outcome)[0].contains("exit status 1"));
    // The old object stays until the new one is complete.
    assert_eq!(s.cloud.names(), ["a", "a"]);
    assert_eq!(
        s.addresses().await,
        ["test_thing.a", "test_thing.a (deposed)"]
    );
    s.main(&text("z2", 0));
    s.apply().await;
    assert_eq!(s.cloud.names(), ["a"]);
    assert_eq!(s.addresses().await, ["test_thing.a"]);
    s.assert_settled().await;
}

#[tokio::test]
async fn nothing_is_told_that_has_sensitive_parts() {
    for argument in [
        "command = \"echo ${self.secret}; exit 9\"",
        "command = \"echo $S; exit 9\"\n environment = { S = var.s }",
    ] {
        let (s, log) = logged(&format!(
            r#"
            variable "s" {{
              default   = "hunter2"
              sensitive = true
            }}
            resource "test_thing" "a" {{
              name   = "a"
              secret = "hunter2"
              provisioner "local-exec" {{
                {argument}
              }}
            }}
            "#
        ));
        let outcome = s.apply_anyhow().await;
        let told = failures(&outcome);
        assert!(told[0].contains("exit status 9"), "{told:?}");
        assert!(!told[0].contains("hunter2"), "{told:?}");
        assert_eq!(
            log.lines(),
            ["test_thing.a (local-exec): (output suppressed due to sensitive value in config)"]
        );
    }
}

#[tokio::test]
async fn in_the_sandbox_nothing_is_carried_out() {
    let (mut s, log) = logged(
        r#"
        resource "test_thing" "a" {
          name = "a"
          provisioner "local-exec" { command = "touch ${path.cwd}/touched" }
          provisioner "local-exec" {
            when    = destroy
            command = "exit 1"
          }
        }
        "#,
    );
    let simulated = topo_provider_builtin::provisioners().into_iter();
    s.providers = s
        .providers
        .clone()
        .with_provisioners(simulated.map(simulate_provisioner).collect());
    s.apply().await;
    assert!(!s.path().join("touched").exists());
    let told = log.take();
    assert_eq!(told[1], "simulate provision test_thing.a");
    assert!(told[2].contains("command = \"touch "), "{told:?}");
    s.destroy().await;
}

#[tokio::test]
async fn a_saved_plan_runs_them_too() {
    let (s, log) = logged(
        r#"
        resource "test_thing" "a" {
          name = "a"
          provisioner "local-exec" { command = "echo ran" }
        }
        "#,
    );
    let saved = s.plan().await.save().unwrap();
    let plan = s.resume(&saved).await.unwrap();
    assert!(s.carry_out(plan, 10).await.is_success());
    assert_eq!(log.lines(), ["test_thing.a (local-exec): ran"]);
}

#[test]
fn everything_that_is_wrong_is_told_at_its_place() {
    let s = Scenario::new(
        r#"resource "test_thing" "a" {
  name = "a"
  provisioner "local-exec" {
    when    = never
    command = "x"
  }
  provisioner "local-exec" {
    on_failure = local.x
    command    = "x"
  }
  provisioner "local-exec" {
    when    = destroy
    command = "${var.v} ${each.value} ${test_thing.b.id} ${path.module} ${self.id}"
    connection { host = var.v }
  }
  provisioner {}
  provisioner "local-exec" {
    command = "x"
    connection { host = "x" }
    connection { host = "x" }
    lifecycle {}
  }
}
"#,
    );
    let mut errors = s.errors();
    errors.sort();
    assert_eq!(
        errors,
        [
            "main.tf:13:18 Invalid reference from destroy provisioner",
            "main.tf:13:27 Invalid reference from destroy provisioner",
            "main.tf:13:41 Invalid reference from destroy provisioner",
            "main.tf:14:25 Invalid reference from destroy provisioner",
            "main.tf:16:3 Missing label for provisioner",
            "main.tf:20:5 Duplicate connection block",
            "main.tf:21:5 Reserved block type name in provisioner block",
            "main.tf:4:15 Invalid \"when\" keyword",
            "main.tf:8:18 Invalid \"on_failure\" keyword",
        ]
    );

    s.main(
        r#"resource "test_thing" "a" {
  name = "a"
  connection { hots = "x" }
  provisioner "remote-exec" { inline = ["x"] }
  provisioner "file" {}
  provisioner "chef" {}
  provisioner "local-exec" {}
  provisioner "local-exec" {
    command = "x"
    foo     = 1
    bar {}
  }
}
data "test_lookup" "l" {
  name = "l"
  provisioner "local-exec" { command = "x" }
  connection { host = "x" }
}
"#,
    );
    let mut errors = s.errors();
    errors.sort();
    assert_eq!(
        errors,
        [
            "main.tf:10:5 Unsupported argument",
            "main.tf:11:5 Unsupported block type",
            "main.tf:16:3 Unsupported block type",
            "main.tf:17:3 Unsupported block type",
            "main.tf:3:16 Unsupported argument",
            "main.tf:3:3 Missing required argument",
            "main.tf:4:3 Provisioner not supported",
            "main.tf:5:3 Provisioner not supported",
            "main.tf:6:3 Provisioner not supported",
            "main.tf:7:3 Missing required argument",
        ]
    );

    s.main(
        r#"resource "test_thing" "a" {
  name = self.id
  provisioner "local-exec" { command = self.nope }
  provisioner "local-exec" { command = each.key }
  provisioner "local-exec" { command = "" }
  provisioner "local-exec" { command = null }
  provisioner "local-exec" {
    command     = "x"
    interpreter = "sh"
  }
  provisioner "local-exec" {
    command = "x"
    connection { host = self.nope }
  }
}
"#,
    );
    assert_eq!(
        s.errors(),
        [
            "main.tf:2:10 Reference to \"self\" in invalid context",
            "main.tf:3:45 Unsupported attribute",
            "main.tf:4:40 Reference to \"each.key\" in invalid context",
            "main.tf:5:40 Empty command",
            "main.tf:6:40 Missing required argument",
            "main.tf:9:19 Incorrect attribute value type",
            "main.tf:13:30 Unsupported attribute",
        ]
    );
}

#[test]
fn what_is_wrong_with_those_of_removed_blocks_is_told_at_its_place() {
    let s = Scenario::new(
        r#"removed {
  from = test_thing.a
  provisioner "local-exec" {
    command = "x"
  }
  provisioner "local-exec" {
    when    = create
    command = "x"
  }
  provisioner "local-exec" {
    when    = never
    command = "x"
  }
  provisioner "local-exec" {
    when    = destroy
    command = "${local.x} ${each.key} ${each.value} ${self.id}"
  }
  connection { host = "x" }
  connection { host = "x" }
}
removed {
  from = module.m
  provisioner "local-exec" {
    when    = destroy
    command = "x"
  }
}
"#,
    );
    let mut errors = s.errors();
    errors.sort();
    assert_eq!(
        errors,
        [
            "main.tf:11:15 Invalid \"when\" keyword",
            "main.tf:16:18 Invalid reference from destroy provisioner",
            "main.tf:16:41 Invalid reference from destroy provisioner",
            "main.tf:19:3 Duplicate connection block",
            "main.tf:23:3 Invalid provisioner block",
            "main.tf:3:3 Invalid provisioner block",
            "main.tf:7:15 Invalid provisioner block",
        ]
    );

    s.main(
        r#"removed {
  from = test_thing.a
  connection { hots = "x" }
  provisioner "local-exec" {
    when = destroy
    foo  = 1
  }
  provisioner "chef" { when = destroy }
}
"#,
    );
    let mut errors = s.errors();
    errors.sort();
    assert_eq!(
        errors,
        [
            "main.tf:3:16 Unsupported argument",
            "main.tf:3:3 Missing required argument",
            "main.tf:4:3 Missing required argument",
            "main.tf:6:5 Unsupported argument",
            "main.tf:8:3 Provisioner not supported",
        ]
    );

    // What the object was is not written any more: of self, each and count anything may be.
    s.main(
        r#"removed {
  from = test_thing.a
  provisioner "local-exec" {
    when    = destroy
    command = "${self.any} ${count.index}"
  }
}
removed {
  from = test_thing.b
  provisioner "local-exec" {
    when    = destroy
    command = each.key
  }
  provisioner "local-exec" {
    when    = destroy
    command = ""
  }
}
"#,
    );
    assert_eq!(s.errors(), ["main.tf:16:15 Empty command"]);
}

#[tokio::test]
async fn the_json_syntax_says_the_same() {
    let (s, log) = logged("");
    s.write(
        "a.tf.json",
        r#"{
          "resource": { "test_thing": { "a": {
            "name": "a",
            "connection": { "host": "${self.id}" },
            "provisioner": [
              { "local-exec": {
                "command": "echo ${self.name} $X",
                "environment": { "X": "made" },
                "connection": { "user": "root" }
              } },
              { "local-exec": {
                "when": "destroy",
                "on_failure": "continue",
                "command": "echo gone; exit 1"
              } }
            ]
          } } }
        }"#,
    );
    assert!(s.load().diagnostics.is_empty(), "{}", s.load().diagnostics);
    s.apply().await;
    assert_eq!(log.lines(), ["test_thing.a (local-exec): a made"]);
    s.destroy().await;
    assert_eq!(log.lines(), ["test_thing.a (local-exec): gone"]);
    s.write(
        "a.tf.json",
        r#"{ "resource": { "test_thing": { "a": { "name": "a", "provisioner": { "local-exec": {
          "when": "create", "command": "x", "comand": "x"
        } } } } } }"#,
    );
    assert_eq!(s.errors(), ["a.tf.json:2:45 Unsupported argument"]);

    s.write(
        "a.tf.json",
        r#"{ "resource": { "test_thing": { "b": { "name": "b" } } } }"#,
    );
    s.apply().await;
    s.write(
        "a.tf.json",
        r#"{ "removed": {
          "from": "test_thing.b",
          "provisioner": { "local-exec": { "when": "destroy", "command": "echo ${self.name}" } }
        } }"#,
    );
    s.apply().await;
    assert_eq!(log.lines(), ["test_thing.b (local-exec): b"]);
}

#[tokio::test]
async fn quoted_keywords_work_with_a_warning() {
    let (s, log) = logged(
        r#"resource "test_thing" "a" {
  name = "a"
  provisioner "local-exec" {
    when       = "destroy"
    on_failure = "continue"
    command    = "echo ran; exit 1"
  }
}
"#,
    );
    let warnings: Vec<String> = s
        .load()
        .diagnostics
        .iter()
        .map(|d| format!("{:?} {}", d.severity, d.summary))
        .collect();
    assert_eq!(warnings, ["Warning Quoted keywords are deprecated"; 2]);
    s.apply().await;
    assert_eq!(log.lines(), Vec::<String>::new());
    s.destroy().await;
    assert_eq!(log.lines(), ["test_thing.a (local-exec): ran"]);
}
