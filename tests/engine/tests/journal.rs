//! Nothing lost: intents before calls, checkpoints, recovery after a run that died, interrupts;
//! and saved plans.

use std::sync::Arc;

use tokio::sync::watch;
use topo_engine::apply::Interrupt;
use topo_engine::changes::PlanMode;
use topo_engine::store::StateStore;
use topo_engine_tests::{Behaviour, MemoryStore, Scenario, failures, sled, summary};

const ONE: &str = r#"resource "test_thing" "a" { name = "a" }"#;

/// A scenario with the store at hand.
fn with_memory(text: &str) -> (Scenario, Arc<MemoryStore>) {
    let store = Arc::new(MemoryStore::default());
    let mut s = Scenario::new(text);
    s.store = store.clone();
    (s, store)
}

/// Applies until the log has an entry, and then dies.
async fn die_at(s: &Scenario, entry: &str) {
    let plan = s.plan().await;
    tokio::select! {
        outcome = s.carry_out(plan, 10) => panic!("not dead: {:?}", failures(&outcome)),
        () = s.cloud.until(entry) => {}
    }
}

#[tokio::test]
async fn an_intent_is_durable_before_the_call_and_closed_with_the_record() {
    let (s, store) = with_memory(ONE);
    s.cloud.on("create a", Behaviour::Checkpoint);
    s.cloud.release("create a");
    s.apply().await;
    let commits = store.commits();
    let of: Vec<_> = commits
        .iter()
        .filter(|c| c.iter().any(|n| n.ends_with("test_thing.a")))
        .cloned()
        .collect();
    assert_eq!(
        of,
        [
            vec!["OpenIntent test_thing.a".to_string()],
            vec!["Checkpoint test_thing.a".to_string()],
            vec![
                "Put test_thing.a".to_string(),
                "CloseIntent test_thing.a".to_string(),
                "PutDuration".to_string()
            ],
        ]
    );
}

#[tokio::test]
async fn a_creation_whose_answer_was_lost_is_adopted() {
    for behaviour in [Behaviour::WaitAfter, Behaviour::Checkpoint] {
        let (s, _store) = with_memory(ONE);
        s.cloud.on("create a", behaviour);
        die_at(&s, "done create a").await;
        assert_eq!(s.state().await.intents.len(), 1);
        assert_eq!(s.addresses().await, Vec::<String>::new());
        s.cloud.well("create a");
        s.assert_settled().await;
        assert_eq!(s.addresses().await, ["test_thing.a"]);
        assert!(s.state().await.intents.is_empty());
        assert_eq!(s.cloud.names(), ["a"]);
    }
}

#[tokio::test]
async fn a_creation_that_never_arrived_is_forgotten_and_made_once() {
    let (s, _store) = with_memory(ONE);
    s.cloud.on("create a", Behaviour::WaitBefore);
    die_at(&s, "create a").await;
    assert_eq!(s.state().await.intents.len(), 1);
    s.cloud.well("create a");
    s.apply().await;
    assert_eq!(s.cloud.names(), ["a"]);
    assert!(s.state().await.intents.is_empty());
    s.assert_settled().await;
}

#[tokio::test]
async fn what_cannot_be_told_is_shown_with_its_address() {
    let (s, _store) = with_memory(
        r#"
resource "test_thing" "a" { name = "a" }
resource "test_thing" "on_a" {
  name    = "on_a"
  parents = [test_thing.a.id]
}
"#,
    );
    s.cloud.on("create a", Behaviour::WaitAfter);
    die_at(&s, "done create a").await;
    s.write(
        "other.tf",
        r#"resource "test_thing" "other" { name = "other" }"#,
    );
    s.cloud.on("recover a", Behaviour::CannotTell);
    let plan = s.plan().await;
    let told: Vec<_> = plan.diagnostics.iter().collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].summary, "What became of an object cannot be told");
    assert_eq!(told[0].address.as_deref(), Some("test_thing.a"));
    for command in [
        "topo import 'test_thing.a' ID",
        "topo state rm 'test_thing.a'",
    ] {
        assert!(told[0].detail.contains(command), "{}", told[0].detail);
    }
    assert!(!told[0].is_error());
    s.cloud.forget();
    let outcome = s.carry_out(plan, 10).await;
    assert_eq!(s.cloud.calls(), ["create other"]);
    let failed: Vec<String> = outcome
        .failed
        .iter()
        .map(|(k, _)| k.address.to_string())
        .collect();
    assert_eq!(failed, ["test_thing.a"]);
    let skipped: Vec<String> = outcome
        .skipped
        .iter()
        .map(|(k, _)| k.address.to_string())
        .collect();
    assert_eq!(skipped, ["test_thing.on_a"]);
    // It stays open until it is settled, and a destroy run does not pass over it either.
    assert_eq!(s.state().await.intents.len(), 1);
    let plan = s.plan_in(PlanMode::Destroy).await;
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.diagnostics.has_errors());
    assert_eq!(s.state().await.intents.len(), 1);
}

#[tokio::test]
async fn deletions_and_updates_that_were_cut_off_are_looked_at() {
    let text = |size: u32| {
        format!("resource \"test_thing\" \"a\" {{\n  name = \"a\"\n  size = {size}\n}}")
    };
    let (s, _store) = with_memory(&text(1));
    s.apply().await;
    s.main(&text(2));
    s.cloud.on("update a", Behaviour::WaitAfter);
    die_at(&s, "done update a").await;
    s.cloud.well("update a");
    s.assert_settled().await;

    s.main("");
    s.cloud.on("delete a", Behaviour::WaitAfter);
    die_at(&s, "done delete a").await;
    s.cloud.well("delete a");
    s.assert_settled().await;
    assert_eq!(s.addresses().await, Vec::<String>::new());

    // And when nothing had been done yet.
    s.main(&text(1));
    s.apply().await;
    s.main("");
    s.cloud.on("delete a", Behaviour::WaitBefore);
    die_at(&s, "delete a").await;
    s.cloud.well("delete a");
    s.apply().await;
    assert_eq!(s.cloud.names(), Vec::<String>::new());
    assert_eq!(s.addresses().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_first_creation_that_was_cut_off_is_found_by_destroy_and_without_its_block() {
    for destroy in [true, false] {
        let (s, _store) = with_memory(ONE);
        s.cloud.on("create a", Behaviour::WaitAfter);
        die_at(&s, "done create a").await;
        s.cloud.well("create a");
        if destroy {
            s.destroy().await;
        } else {
            s.main("");
            s.apply().await;
        }
        assert_eq!(s.cloud.names(), Vec::<String>::new());
        assert_eq!(s.addresses().await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_host_and_a_pod_that_were_cut_off_are_both_found() {
    let text = r#"
        resource "test_thing" "host" { name = "host" }
        provider "inner" { host = test_thing.host.endpoint }
        resource "inner_pod" "p" { name = "p" }
    "#;
    for destroy in [true, false] {
        let (s, store) = with_memory(text);
        s.apply().await;
        // As if neither answer had arrived.
        s.main(&text.replace("name = \"p\"", "name = \"p2\""));
        let host = s.attribute("test_thing.host", "endpoint").await;
        let call = format!("update p2@{}", host.as_str().unwrap());
        s.cloud.on(&call, Behaviour::WaitAfter);
        die_at(&s, &format!("done {call}")).await;
        s.cloud.well(&call);
        assert_eq!(store.load().await.unwrap().intents.len(), 1);
        if destroy {
            s.destroy().await;
            assert_eq!(s.cloud.names(), Vec::<String>::new());
        } else {
            s.assert_settled().await;
        }
        assert!(store.load().await.unwrap().intents.is_empty());
    }
}

#[tokio::test]
async fn a_replacement_that_died_between_old_and_new_loses_neither() {
    let text = |zone: &str| {
        format!(
            r#"
            resource "test_thing" "a" {{
              name = "a"
              zone = "{zone}"
              lifecycle {{ create_before_destroy = true }}
            }}
            "#
        )
    };
    for behaviour in [Behaviour::WaitBefore, Behaviour::WaitAfter] {
        let (s, _store) = with_memory(&text("z1"));
        s.apply().await;
        s.main(&text("z2"));
        s.cloud.forget();
        s.cloud.on("create a", behaviour);
        let at = if behaviour == Behaviour::WaitBefore {
            "create a"
        } else {
            "done create a"
        };
        die_at(&s, at).await;
        s.cloud.well("create a");
        s.apply().await;
        assert_eq!(s.cloud.names(), ["a"]);
        assert_eq!(s.addresses().await, ["test_thing.a"]);
        s.assert_settled().await;
    }
}

#[tokio::test]
async fn a_store_on_disk_is_recovered_by_the_next_process() {
    let dir = tempfile::tempdir().unwrap();
    let mut s = Scenario::new(ONE);
    s.store = Arc::new(sled(dir.path()).await);
    s.cloud.on("create a", Behaviour::Checkpoint);
    die_at(&s, "done create a").await;
    s.cloud.well("create a");
    s.store = Arc::new(MemoryStore::default());
    s.store = Arc::new(sled(dir.path()).await);
    assert_eq!(s.state().await.intents.len(), 1);
    s.apply().await;
    assert_eq!(s.cloud.names(), ["a"]);
    assert_eq!(s.addresses().await, ["test_thing.a"]);
    assert!(s.state().await.intents.is_empty());
}

#[tokio::test]
async fn the_first_interrupt_waits_for_what_is_under_way() {
    let s = Scenario::new(
        r#"
        resource "test_thing" "a" { name = "a" }
        resource "test_thing" "b" {
          name = "b"
          note = test_thing.a.id
        }
        "#,
    );
    s.cloud.on("create a", Behaviour::WaitBefore);
    let plan = s.plan().await;
    let (ask, interrupt) = watch::channel(Interrupt::None);
    let listen = Arc::new(tokio::sync::Notify::new());
    let heard = listen.clone();
    let mut s = s;
    s.listener = Arc::new(move |event| {
        if matches!(event, topo_engine::events::Event::Interrupted { .. }) {
            heard.notify_one();
        }
    });
    let watch = async {
        s.cloud.until("create a").await;
        ask.send(Interrupt::Graceful).unwrap();
        listen.notified().await;
        s.cloud.release("create a");
    };
    let (outcome, ()) = tokio::join!(s.carry_out_until(plan, 10, interrupt), watch);
    assert_eq!(
        failures(&outcome),
        ["test_thing.b skipped: the run was interrupted"]
    );
    assert_eq!(s.addresses().await, ["test_thing.a"]);
    assert!(s.state().await.intents.is_empty());
    s.cloud.well("create a");
    s.apply().await;
    s.assert_settled().await;
}

#[tokio::test]
async fn the_second_interrupt_does_not_wait_and_loses_nothing() {
    let s = Scenario::new(ONE);
    s.cloud.on("create a", Behaviour::Checkpoint);
    let plan = s.plan().await;
    let (ask, interrupt) = watch::channel(Interrupt::None);
    let watch = async {
        s.cloud.until("done create a").await;
        ask.send(Interrupt::Now).unwrap();
    };
    let (outcome, ()) = tokio::join!(s.carry_out_until(plan, 10, interrupt), watch);
    assert_eq!(
        failures(&outcome)[0],
        "test_thing.a skipped: it was under way when the run was stopped"
    );
    assert!(s.state().await.intents[0].checkpoint.is_some());
    s.cloud.well("create a");
    s.assert_settled().await;
    assert_eq!(s.cloud.names(), ["a"]);
}

#[tokio::test]
async fn a_saved_plan_is_applied_as_it_was_shown() {
    let s = Scenario::new(
        r#"
        variable "size" { default = 1 }
        data "test_lookup" "l" { name = "l" }
        resource "test_thing" "a" {
          name = "a"
          size = var.size
          note = data.test_lookup.l.found
        }
        output "id" { value = test_thing.a.id }
        "#,
    );
    let plan = s.plan().await;
    let saved = plan.save().unwrap();
    let shown = summary(&plan);
    drop(plan);
    s.cloud.forget();
    let plan = s.resume(&saved).await.unwrap();
    assert_eq!(summary(&plan), shown);
    assert!(!s.cloud.log().iter().any(|l| l.starts_with("read")));
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success());
    s.assert_settled().await;
}

#[tokio::test]
async fn a_saved_plan_keeps_what_the_refresh_found() {
    let text = "resource \"test_thing\" \"a\" {\n  name = \"a\"\n  size = 1\n}";
    let s = Scenario::new(text);
    s.apply().await;
    s.cloud.tamper("a", "size", 5);
    let saved = s.plan().await.save().unwrap();
    s.cloud.forget();
    let plan = s.resume(&saved).await.unwrap();
    assert_eq!(summary(&plan), ["update test_thing.a"]);
    assert_eq!(s.cloud.count("read a"), 0);
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success());
    s.assert_settled().await;
}

/// Which version made a plan is told whatever that version wrote.
#[tokio::test]
async fn a_plan_of_another_version_is_refused_as_one() {
    let s = Scenario::new(ONE);
    let saved = s.plan().await.save().unwrap();
    let end = saved.iter().position(|b| *b == b'\n').unwrap();
    let line = String::from_utf8(saved[..end].to_vec()).unwrap();
    let own = line.rsplit(' ').next().unwrap();
    for (other, version) in [
        (line.replace(own, "99.0.0"), "99.0.0"),
        (line.replacen(' ', " 99", 1), own),
    ] {
        let refused = s.resume(&[other.as_bytes(), b"\nwhatever"].concat()).await;
        let refused = refused.err().unwrap();
        assert_eq!(refused.0[0].summary, "Plan file of another version");
        let told = &refused.0[0].detail;
        assert!(
            told.contains(&format!("saved by topo {version}, this is {own}")),
            "{told}"
        );
    }
    for junk in [
        &b""[..],
        b"\n",
        b"topo-plan",
        b"topo-plan\n",
        b"topo-plan  \xff\n",
        &saved[..end],
    ] {
        let refused = s.resume(junk).await.err().unwrap();
        assert_eq!(refused.0[0].summary, "Not a plan file");
    }
}

#[tokio::test]
async fn a_saved_plan_is_refused_when_things_have_moved_on() {
    let s = Scenario::new(ONE);
    let saved = s.plan().await.save().unwrap();
    s.main("resource \"test_thing\" \"a\" { name = \"other\" }");
    let refused = s.resume(&saved).await.err().unwrap();
    assert_eq!(refused.0[0].summary, "Saved plan is stale");
    let told = &refused.0[0].detail;
    assert!(
        told.contains("configuration has changed: main.tf (changed) since"),
        "{told}"
    );
    s.main(ONE);
    s.write("more.tf", "locals { a = 1 }");
    let refused = s.resume(&saved).await.err().unwrap();
    let told = &refused.0[0].detail;
    assert!(
        told.contains("configuration has changed: more.tf (new) since"),
        "{told}"
    );
    s.write("more.tf", "");
    std::fs::remove_file(s.path().join("more.tf")).unwrap();
    s.apply().await;
    let refused = s.resume(&saved).await.err().unwrap();
    assert_eq!(refused.0[0].summary, "Saved plan is stale");
    let told = &refused.0[0].detail;
    assert!(
        told.contains("state has changed (serial 0 then, 0 now): test_thing.a (new)"),
        "{told}"
    );
    let refused = s.resume(b"nothing of the kind").await.err().unwrap();
    assert_eq!(refused.0[0].summary, "Not a plan file");
}

#[tokio::test]
async fn what_only_computes_is_one_commit() {
    let block = |trigger: &str| {
        format!(
            r#"
            resource "terraform_data" "a" {{
              triggers_replace = "{trigger}"
              lifecycle {{ create_before_destroy = true }}
            }}
            "#
        )
    };
    let (s, store) = with_memory(&block("one"));
    s.apply().await;
    let commits = || -> Vec<_> {
        let all = store.commits().into_iter();
        all.filter(|c| !c.is_empty()).collect()
    };
    assert_eq!(commits(), [["Put terraform_data.a", "PutDuration"]]);
    // The old object is set aside together with the new one's being there: there is no moment at
    // which the state has none.
    s.main(&block("two"));
    s.apply().await;
    assert_eq!(
        commits()[1..],
        [
            &[
                "Put terraform_data.a",
                "Remove terraform_data.a",
                "Put terraform_data.a",
                "PutDuration"
            ][..],
            &["Remove terraform_data.a", "PutDuration"],
        ]
    );
    s.assert_settled().await;
    assert_eq!(s.addresses().await, ["terraform_data.a"]);
}
