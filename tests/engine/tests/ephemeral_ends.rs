//! How what is open comes to its end: interrupts while planning, failures, and commands other than
//! plan and apply.

use std::sync::{Arc, Mutex};

use tokio::sync::watch;
use topo_engine::apply::Interrupt;
use topo_engine::changes::PlanMode;
use topo_engine::config::{Reading, load_with};
use topo_engine::events::{EphemeralAction, Event, silent};
use topo_engine::plan::{PlanOptions, generate, import_object};
use topo_engine::store::Change;
use topo_engine_tests::{Behaviour, MemoryStore, Scenario, failures, located};

/// A data source that is read through a provider which is configured with a session's token.
const THROUGH: &str = r#"
    resource "test_thing" "host" { name = "host" }
    ephemeral "test_session" "s" { name = "s" }
    provider "inner" {
      host  = test_thing.host.endpoint
      token = ephemeral.test_session.s.token
    }
"#;

/// A session, and a data source that is read after it.
const AFTER: &str = r#"
    ephemeral "test_session" "s" { name = "s" }
    data "test_lookup" "l" {
      name       = "l"
      depends_on = [ephemeral.test_session.s]
    }
"#;

/// Who can interrupt the planning of a scenario.
fn interrupting(s: &mut Scenario) -> watch::Sender<Interrupt> {
    let (sender, receiver) = watch::channel(Interrupt::None);
    s.options.interrupt = Some(receiver);
    sender
}

/// Everything that a scenario tells from now on.
fn listening(s: &mut Scenario) -> Arc<Mutex<Vec<Event>>> {
    let heard: Arc<Mutex<Vec<Event>>> = Arc::default();
    let all = heard.clone();
    s.listener = Arc::new(move |e| all.lock().unwrap().push(e));
    heard
}

#[tokio::test]
async fn the_first_interrupt_of_planning_closes_what_is_open() {
    let mut s = Scenario::new(AFTER);
    let sender = interrupting(&mut s);
    s.cloud.on("data l", Behaviour::WaitBefore);
    let stopping = async {
        s.cloud.until("data l").await;
        assert_eq!(s.cloud.sessions().len(), 1);
        sender.send(Interrupt::Graceful).unwrap();
    };
    // Nobody answers the data source.
    let (planned, ()) = tokio::join!(s.try_plan(PlanMode::Normal), stopping);
    assert_eq!(located(&planned.err().unwrap()), ["Interrupted"]);
    assert_eq!(s.cloud.log(), ["open s", "data l", "close s"]);
    assert!(s.cloud.sessions().is_empty());
}

#[tokio::test]
async fn what_is_being_opened_when_planning_is_interrupted_is_closed_too() {
    let mut s = Scenario::new(AFTER);
    let heard = listening(&mut s);
    let sender = interrupting(&mut s);
    s.cloud.on("open s", Behaviour::WaitAfter);
    let waiting = || {
        let is = |e: &Event| matches!(e, Event::Interrupted { running: 1 });
        heard.lock().unwrap().iter().any(is)
    };
    let stopping = async {
        s.cloud.until("open s").await;
        sender.send(Interrupt::Graceful).unwrap();
        while !waiting() {
            tokio::task::yield_now().await;
        }
        s.cloud.release("open s");
    };
    let (planned, ()) = tokio::join!(s.try_plan(PlanMode::Normal), stopping);
    assert_eq!(located(&planned.err().unwrap()), ["Interrupted"]);
    // Nothing is begun that comes after it.
    assert_eq!(s.cloud.log(), ["open s", "close s"]);
    assert!(s.cloud.sessions().is_empty());
}

#[tokio::test]
async fn the_second_interrupt_of_planning_does_not_wait_for_opening() {
    let mut s = Scenario::new(&format!(
        r#"{AFTER}
        ephemeral "test_session" "t" {{
          name       = "t"
          depends_on = [ephemeral.test_session.s]
        }}"#
    ));
    let sender = interrupting(&mut s);
    s.cloud.on("open t", Behaviour::WaitAfter);
    let stopping = async {
        s.cloud.until("open t").await;
        sender.send(Interrupt::Graceful).unwrap();
        tokio::task::yield_now().await;
        sender.send(Interrupt::Now).unwrap();
    };
    // Nobody lets it go.
    let (planned, ()) = tokio::join!(s.try_plan(PlanMode::Normal), stopping);
    assert_eq!(located(&planned.err().unwrap()), ["Interrupted"]);
    assert_eq!(s.cloud.log().last().unwrap(), "close s");
}

#[tokio::test]
async fn the_second_interrupt_of_an_apply_does_not_wait_for_opening_either() {
    let s = Scenario::new(
        r#"
        ephemeral "test_session" "s" { name = "s" }
        resource "test_vault" "v" {
          name      = "v"
          secret_wo = ephemeral.test_session.s.token
        }
        "#,
    );
    let plan = s.plan().await;
    s.cloud.forget();
    s.cloud.on("open s", Behaviour::WaitAfter);
    let (sender, receiver) = watch::channel(Interrupt::None);
    let stopping = async {
        s.cloud.until("open s").await;
        sender.send(Interrupt::Graceful).unwrap();
        tokio::task::yield_now().await;
        sender.send(Interrupt::Now).unwrap();
    };
    // Nobody lets it go.
    let (outcome, ()) = tokio::join!(s.carry_out_until(plan, 10, receiver), stopping);
    assert!(!outcome.is_success());
    assert_eq!(s.cloud.log(), ["open s"]);
    let told = failures(&outcome).join("\n");
    assert!(told.contains("Ephemeral resource not open"), "{told}");
}

#[tokio::test]
async fn a_plan_that_begins_interrupted_opens_nothing() {
    let mut s = Scenario::new(AFTER);
    let sender = interrupting(&mut s);
    sender.send(Interrupt::Graceful).unwrap();
    assert_eq!(s.plan_errors().await, ["Interrupted"]);
    assert_eq!(s.cloud.log(), Vec::<String>::new());
}

#[tokio::test]
async fn a_plan_that_nobody_interrupts_is_a_plan() {
    let mut s = Scenario::new(AFTER);
    // Whoever could interrupt is gone.
    drop(interrupting(&mut s));
    s.plan().await;
    assert_eq!(s.cloud.log(), ["open s", "data l", "close s"]);
}

#[tokio::test]
async fn a_failed_operation_is_told_of_as_one() {
    let mut s = Scenario::new(
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
    let heard = listening(&mut s);
    let told = || -> Vec<(EphemeralAction, bool)> {
        let mut heard = heard.lock().unwrap();
        let ends = heard.drain(..).filter_map(|e| match e {
            Event::EphemeralFinished { action, .. } => Some((action, true)),
            Event::EphemeralFailed { action, .. } => Some((action, false)),
            _ => None,
        });
        ends.collect()
    };
    let (open, renew, close) = (
        EphemeralAction::Open,
        EphemeralAction::Renew,
        EphemeralAction::Close,
    );
    s.cloud.on("open s", Behaviour::Fail);
    s.plan_errors().await;
    assert_eq!(told(), [(open, false)]);
    s.cloud.well("open s");
    s.cloud.on("close s", Behaviour::Fail);
    s.plan_errors().await;
    let ends = told();
    assert_eq!(ends.first(), Some(&(open, true)));
    assert_eq!(ends.last(), Some(&(close, false)));
    s.cloud.well("close s");
    let plan = s.plan().await;
    told();
    s.cloud.on("renew s", Behaviour::Fail);
    s.cloud.on("create v", Behaviour::WaitBefore);
    let failed = || {
        let is = |e: &Event| matches!(e, Event::EphemeralFailed { .. });
        heard.lock().unwrap().iter().any(is)
    };
    let watching = async {
        s.cloud.until("create v").await;
        while !failed() {
            tokio::task::yield_now().await;
        }
        s.cloud.release("create v");
    };
    let (outcome, ()) = tokio::join!(s.carry_out(plan, 10), watching);
    assert_eq!(told(), [(open, true), (renew, false), (close, true)]);
    assert!(!outcome.is_success());
    assert!(outcome.diagnostics.to_string().contains("renew s"));
}

#[tokio::test]
async fn an_output_behind_a_session_leaves_nothing_open_after_a_refresh() {
    let s = Scenario::new(&format!(
        r#"{THROUGH}
        resource "inner_pod" "p" {{ name = "p" }}
        ephemeral "test_session" "t" {{ name = "t" }}
        output "pod" {{ value = inner_pod.p.name }}
        output "null" {{
          value     = ephemeralasnull(ephemeral.test_session.t.token)
          sensitive = true
        }}"#
    ));
    s.apply().await;
    s.cloud.forget();
    s.plan_in(PlanMode::RefreshOnly).await;
    s.cloud.position("open t");
    assert!(s.cloud.sessions().is_empty(), "{:?}", s.cloud.log());
}

#[tokio::test]
async fn imports_close_what_their_provider_needs() {
    let block = r#"resource "inner_pod" "p" { name = "p" }"#;
    let mut s = Scenario::new(&format!("{THROUGH}{block}"));
    let store = Arc::new(MemoryStore::default());
    s.store = store.clone();
    s.apply().await;
    let address = "inner_pod.p".parse().unwrap();
    let made = s.record("inner_pod.p").await.unwrap();
    let id = made.value.get_str("id").unwrap().to_owned();
    s.store
        .commit(vec![Change::Remove(made.key.clone())])
        .await
        .unwrap();
    s.cloud.forget();
    let record = import_object(
        s.config(),
        &s.providers,
        &s.inputs,
        s.state().await,
        &PlanOptions::default(),
        silent(),
        (&address, &id),
    )
    .await
    .unwrap();
    assert_eq!(record.value.get_str("name"), Some("p"));
    assert!(s.cloud.sessions().is_empty(), "{:?}", s.cloud.log());
    assert_eq!(s.cloud.log().first().unwrap(), "open s");
    assert_eq!(s.cloud.log().last().unwrap(), "close s");

    // The same where its configuration is to be written.
    s.main(&format!(
        r#"{THROUGH}
        import {{
          to = inner_pod.p
          id = "{id}"
        }}"#
    ));
    s.cloud.forget();
    let reading = Reading {
        undeclared_imports: true,
        ..Reading::default()
    };
    let loaded = load_with(s.path(), &s.providers, reading);
    let (state, options) = (s.state().await, PlanOptions::default());
    let config = loaded.config.unwrap();
    let blocks = generate(config, &s.providers, &s.inputs, state, &options, silent()).await;
    assert_eq!(blocks.map_err(|ds| located(&ds)).unwrap().len(), 1);
    assert!(s.cloud.sessions().is_empty(), "{:?}", s.cloud.log());
    assert_eq!(s.cloud.log().last().unwrap(), "close s");
}
