//! Objects that exist and are taken into the state: `import` blocks, the command `import`, and
//! configuration that is written for them.

use std::sync::{Arc, Mutex};

use topo_engine::changes::ChangeAction;
use topo_engine::config::{Reading, load_with};
use topo_engine::events::{Event, silent};
use topo_engine::plan::{Plan, PlanOptions, generate, import_object};
use topo_engine::store::Change;
use topo_engine_tests::{MemoryStore, Scenario, failures, located};
use topo_sdk::Value;

const IMPORT: &str = r#"
    import {
      to = test_thing.a
      id = "a-found"
    }
"#;

/// What a plan does and what it imports, one line per object.
fn shown(plan: &Plan) -> Vec<String> {
    plan.changes
        .iter()
        .filter(|c| c.action != ChangeAction::NoOp || c.importing.is_some())
        .map(|c| {
            let id = c.importing.as_ref().map(|i| format!(" import {}", i.id));
            format!(
                "{} {}{}",
                c.action.word(),
                c.address(),
                id.unwrap_or_default()
            )
        })
        .collect()
}

fn scenario(main: &str) -> (Scenario, Arc<MemoryStore>) {
    let store = Arc::new(MemoryStore::default());
    let mut s = Scenario::new(main);
    s.store = store.clone();
    (s, store)
}

#[tokio::test]
async fn an_object_is_imported_as_it_is_changed_or_replaced() {
    let rows: [(&str, &str, &[&str]); 3] = [
        ("", "no-op", &[]),
        ("size = 3", "update", &["update a"]),
        ("zone = \"z\"", "replace", &["delete a", "create a"]),
    ];
    for (argument, action, calls) in rows {
        let block = format!("resource \"test_thing\" \"a\" {{\n  name = \"a\"\n  {argument}\n}}\n");
        let (s, store) = scenario(&format!("{block}{IMPORT}"));
        s.cloud.found("a", &[]);
        let plan = s.plan().await;
        assert_eq!(
            shown(&plan),
            [format!("{action} test_thing.a import a-found")]
        );
        assert!(!plan.is_empty());
        assert_eq!(plan.counts().import, 1);
        // Until it is applied, nothing is written.
        assert!(s.addresses().await.is_empty());
        let outcome = s.carry_out(plan, 10).await;
        assert!(outcome.is_success(), "{:?}", failures(&outcome));
        assert_eq!(outcome.counts.import, 1);
        assert_eq!(outcome.changes[0].1, "import");
        assert_eq!(s.cloud.calls(), *calls);
        assert_eq!(store.commits()[0], ["Put test_thing.a"]);
        s.assert_settled().await;
        // What is in the state already is not imported again.
        s.cloud.forget();
        s.plan().await;
        assert_eq!(s.cloud.count("import a-found"), 0);
    }
}

#[tokio::test]
async fn the_id_and_the_keys_may_be_worked_out() {
    let (s, _) = scenario(
        r#"
        variable "names" { default = ["x", "y"] }
        resource "test_thing" "a" {
          for_each = toset(var.names)
          name     = each.key
        }
        module "m" {
          source   = "./m"
          for_each = toset(var.names)
        }
        import {
          for_each = toset(var.names)
          to       = test_thing.a[each.key]
          id       = "${each.value}-found"
        }
        import {
          for_each = { x = "in" }
          to       = module.m[each.key].test_thing.i[0]
          id       = "${each.value}-found"
        }
        "#,
    );
    s.write(
        "m/main.tf",
        "resource \"test_thing\" \"i\" {\n  count = 1\n  name = \"in\"\n}\n",
    );
    for name in ["x", "y", "in"] {
        s.cloud.found(name, &[]);
    }
    assert_eq!(
        shown(&s.plan().await),
        [
            "no-op test_thing.a[\"x\"] import x-found",
            "no-op test_thing.a[\"y\"] import y-found",
            "no-op module.m[\"x\"].test_thing.i[0] import in-found",
            "create module.m[\"y\"].test_thing.i[0]",
        ]
    );
    s.apply().await;
    s.assert_settled().await;
}

#[tokio::test]
async fn what_cannot_be_imported_is_said_where_it_is_written() {
    let block = "resource \"test_thing\" \"a\" { name = \"a\" }\n";
    let import = |to: &str, id: &str| format!("{block}import {{\n  to = {to}\n  id = {id}\n}}\n");
    let rows: [(String, &str); 10] = [
        (
            import("test_thing.a", "\"gone\""),
            "main.tf:2:1 No such object",
        ),
        (
            import("test_thing.a", "null"),
            "main.tf:4:8 Invalid import id argument",
        ),
        (
            import("test_thing.a", "\"\""),
            "main.tf:4:8 Invalid import id argument",
        ),
        (
            import("test_thing.a", "sensitive(\"x\")"),
            "main.tf:4:8 Invalid import id argument",
        ),
        (
            import("test_thing.a", "[\"x\"]"),
            "main.tf:4:8 Invalid import id argument",
        ),
        (
            import("test_thing.a", "test_thing.b.id")
                + "resource \"test_thing\" \"b\" { name = \"b\" }",
            "main.tf:4:8 Invalid import id argument",
        ),
        (
            import("test_thing.a[0]", "\"a-found\""),
            "main.tf:3:8 Configuration for import target does not exist",
        ),
        (
            import("test_thing.a[null]", "\"a-found\""),
            "main.tf:3:21 Import block 'to' address contains an invalid key",
        ),
        (
            import("test_thing.a", "\"a-found\"") + IMPORT,
            "main.tf:7:5 Duplicate import configuration",
        ),
        (
            format!("{block}import {{\n  to = test_thing.a\n  identity = {{ id = \"a\" }}\n}}\n"),
            "main.tf:4:14 Import by identity is not possible",
        ),
    ];
    for (text, error) in rows {
        let (s, _) = scenario(&text);
        s.cloud.found("a", &[]);
        assert_eq!(s.plan_errors().await, [error], "{text}");
    }
    let (s, _) = scenario("import {\n  to = test_thing.a\n  id = \"a\"\n}\n");
    assert_eq!(
        s.errors(),
        ["main.tf:2:8 Configuration for import target does not exist"]
    );
}

#[tokio::test]
async fn an_object_behind_a_provider_that_is_not_known_yet_cannot_be_imported() {
    let (s, _) = scenario(
        r#"
        resource "test_thing" "h" { name = "h" }
        provider "inner" { host = test_thing.h.endpoint }
        resource "inner_pod" "p" { name = "p" }
        import {
          to = inner_pod.p
          id = "p"
        }
        "#,
    );
    assert_eq!(
        s.plan_errors().await,
        ["main.tf:5:9 Provider configuration not known"]
    );
}

#[tokio::test]
async fn a_saved_plan_keeps_what_was_found() {
    let (s, _) = scenario(&format!(
        "resource \"test_thing\" \"a\" {{\n  name = \"a\"\n  size = 2\n}}\n{IMPORT}"
    ));
    s.cloud.found("a", &[("size", Value::from(1))]);
    let saved = s.plan().await.save().unwrap();
    s.cloud.forget();
    let plan = s.resume(&saved).await.unwrap();
    assert_eq!(shown(&plan), ["update test_thing.a import a-found"]);
    assert_eq!(s.cloud.log(), Vec::<String>::new());
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success(), "{:?}", failures(&outcome));
    assert_eq!(s.cloud.log(), ["update a", "end update a"]);
    s.assert_settled().await;
}

#[tokio::test]
async fn secrets_and_dependencies_of_an_imported_object_are_those_of_its_block() {
    let (s, _) = scenario(&format!(
        r#"
        resource "test_thing" "b" {{ name = "b" }}
        resource "test_thing" "a" {{
          name    = "a"
          note    = sensitive("auto")
          secret  = "s"
          parents = [test_thing.b.name]
        }}
        {IMPORT}
        "#
    ));
    let parents = Value::list(topo_sdk::Type::String, vec!["b".into()]);
    s.cloud
        .found("a", &[("secret", "s".into()), ("parents", parents)]);
    let plan = s.plan().await;
    assert_eq!(
        shown(&plan),
        ["no-op test_thing.a import a-found", "create test_thing.b"]
    );
    s.carry_out(plan, 10).await;
    let record = s.record("test_thing.a").await.unwrap();
    assert!(record.value.get("note").unwrap().is_sensitive());
    assert!(record.value.get("secret").unwrap().is_sensitive());
    assert_eq!(
        format!("{:?}", record.dependencies)
            .matches("\"b\"")
            .count(),
        1
    );
    s.cloud.forget();
    s.destroy().await;
    s.cloud.assert_order(&["end delete a", "delete b"]);
}

#[tokio::test]
async fn an_import_is_heard_of() {
    let (mut s, _) = scenario(&format!(
        "resource \"test_thing\" \"a\" {{ name = \"a\" }}\n{IMPORT}"
    ));
    let heard = Arc::new(Mutex::new(Vec::new()));
    let sink = heard.clone();
    s.listener = Arc::new(move |event| {
        let text = match event {
            Event::ImportStarted { address, id } => format!("start {address} {id}"),
            Event::ImportFinished { address, id } => format!("end {address} {id}"),
            _ => return,
        };
        sink.lock().unwrap().push(text);
    });
    s.cloud.found("a", &[]);
    s.apply().await;
    assert_eq!(
        *heard.lock().unwrap(),
        ["start test_thing.a a-found", "end test_thing.a a-found"]
    );
}

/// What the command `import` finds, put into the state.
async fn import(s: &Scenario, address: &str, id: &str) -> Result<(), Vec<String>> {
    let record = import_object(
        s.config(),
        &s.providers,
        &s.inputs,
        s.state().await,
        &PlanOptions::default(),
        silent(),
        (&address.parse().unwrap(), id),
    )
    .await
    .map_err(|ds| located(&ds))?;
    s.store
        .commit(vec![Change::Put(Box::new(record))])
        .await
        .unwrap();
    Ok(())
}

#[tokio::test]
async fn the_command_imports_one_object() {
    let (s, _) = scenario(
        r#"
        resource "test_thing" "h" { name = "h" }
        provider "inner" { host = test_thing.h.endpoint }
        resource "test_thing" "a" {
          for_each = toset(["k"])
          name     = "a"
        }
        resource "test_thing" "user" {
          name = "user"
          note = test_thing.h.id
        }
        resource "inner_pod" "p" { name = "p" }
        "#,
    );
    s.cloud.found("h", &[]);
    s.cloud.found("a", &[]);
    s.cloud.found("user", &[]);
    let wrong = import(&s, "inner_pod.p", "p").await;
    assert_eq!(
        wrong,
        Err(vec!["Provider configuration not known".to_string()])
    );
    import(&s, "test_thing.h", "h-found").await.unwrap();
    // Its host is known from the state now; the pod is not there.
    let wrong = import(&s, "inner_pod.p", "p").await;
    assert_eq!(wrong, Err(vec!["No such object".to_string()]));
    let wrong = import(&s, "test_thing.h", "h-found").await;
    assert_eq!(
        wrong,
        Err(vec!["Resource already managed by topo".to_string()])
    );
    let wrong = import(&s, "test_thing.x", "h-found").await;
    let missing = "Resource does not exist in the configuration".to_string();
    assert_eq!(wrong, Err(vec![missing]));
    let wrong = import(&s, "test_thing.a", "a-found").await;
    let instance = "No such instance in the configuration".to_string();
    assert_eq!(wrong, Err(vec![instance]));
    import(&s, "test_thing.a[\"k\"]", "a-found").await.unwrap();
    import(&s, "test_thing.user", "user-found").await.unwrap();
    assert_eq!(
        shown(&s.plan().await),
        ["create inner_pod.p", "update test_thing.user"]
    );
    let record = s.record("test_thing.user").await.unwrap();
    assert_eq!(record.dependencies.len(), 1);
}

/// The blocks that are written for what has none.
async fn written(s: &Scenario) -> Result<String, Vec<String>> {
    let reading = Reading {
        undeclared_imports: true,
        ..Reading::default()
    };
    let loaded = load_with(s.path(), &s.providers, reading);
    let config = loaded.config.ok_or_else(|| located(&loaded.diagnostics))?;
    let blocks = generate(
        config,
        &s.providers,
        &s.inputs,
        s.state().await,
        &PlanOptions::default(),
        silent(),
    )
    .await
    .map_err(|ds| located(&ds))?;
    Ok(blocks.into_iter().map(|b| b.text).collect())
}

#[tokio::test]
async fn configuration_that_is_written_changes_nothing() {
    let (s, _) = scenario(
        r#"
        variable "end" { default = "found" }
        resource "test_thing" "declared" { name = "d" }
        import {
          to = test_thing.a
          id = "a-${var.end}"
        }
        import {
          to = test_thing.declared
          id = "d-found"
        }
        "#,
    );
    let tags = [("k".into(), "v".into()), ("a b".into(), "${w}".into())];
    let rule = Value::object([("port", Value::from(80)), ("id", "r".into())]);
    let rules = Value::set(rule.ty(), vec![rule]);
    s.cloud.found(
        "a",
        &[
            ("size", Value::from(3)),
            ("tags", Value::map(topo_sdk::Type::String, tags.into())),
            ("rule", rules),
        ],
    );
    s.cloud.found("d", &[]);
    let text = written(&s).await.unwrap();
    let expected = r#"resource "test_thing" "a" {
  name = "a"
  note = "auto"
  size = 3
  tags = {
    "a b" = "$${w}"
    k     = "v"
  }
  rule {
    port = 80
  }
}
"#;
    assert_eq!(text, expected);
    s.write("generated.tf", &text);
    assert_eq!(
        shown(&s.plan().await),
        [
            "no-op test_thing.a import a-found",
            "no-op test_thing.declared import d-found"
        ]
    );
    s.apply().await;
    s.assert_settled().await;
}

#[tokio::test]
async fn configuration_is_written_for_single_resources_of_the_root_module_only() {
    let import = |to: &str| format!("import {{\n  to = {to}\n  id = \"a-found\"\n}}\n");
    let (s, _) = scenario(&import("test_thing.a[\"k\"]"));
    assert_eq!(
        written(&s).await,
        Err(vec![
            "main.tf:2:8 Configuration generation for count and for_each resources not supported"
                .to_string()
        ])
    );
    s.write("m/main.tf", "");
    s.main(&format!(
        "module \"m\" {{ source = \"./m\" }}\n{}",
        import("module.m.test_thing.a")
    ));
    assert_eq!(
        written(&s).await,
        Err(vec![
            "main.tf:3:8 Cannot generate configuration for resource inside sub-module".to_string()
        ])
    );
    s.main(&import("test_thing.a"));
    assert_eq!(
        written(&s).await,
        Err(vec!["main.tf:1:1 No such object".to_string()])
    );
}
