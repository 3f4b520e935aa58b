//! Objects that get another address: `moved` blocks, written and implied.

use std::sync::Arc;

use topo_engine::changes::{ChangeAction, PlanMode, Reason};
use topo_engine::plan::Plan;
use topo_engine_tests::{Behaviour, MemoryStore, Scenario, failures, summary};
use topo_sdk::Value;

/// What a plan does and what moves in it, one line per object.
fn shown(plan: &Plan) -> Vec<String> {
    plan.changes
        .iter()
        .filter(|c| c.action != ChangeAction::NoOp || c.previous.is_some())
        .map(|c| {
            let from = c.previous.as_ref().map(|p| format!(" from {p}"));
            format!(
                "{} {}{}",
                c.action.word(),
                c.address(),
                from.unwrap_or_default()
            )
        })
        .collect()
}

fn warnings(plan: &Plan) -> Vec<String> {
    let all = plan.diagnostics.iter().filter(|d| !d.is_error());
    all.map(|d| d.summary.clone()).collect()
}

/// A scenario with a module `m` that makes a thing, and its store at hand.
fn scenario(main: &str) -> (Scenario, Arc<MemoryStore>) {
    let store = Arc::new(MemoryStore::default());
    let mut s = Scenario::new(main);
    s.store = store.clone();
    s.write("m/main.tf", MODULE);
    (s, store)
}

const MODULE: &str = r#"
    variable "name" { default = "x" }
    resource "test_thing" "x" { name = var.name }
"#;

struct Row {
    what: &'static str,
    before: &'static str,
    after: &'static str,
    /// Address now and before.
    moves: &'static [(&'static str, &'static str)],
}

const ROWS: &[Row] = &[
    Row {
        what: "another name",
        before: r#"resource "test_thing" "a" { name = "a" }"#,
        after: r#"
            resource "test_thing" "b" { name = "a" }
            moved {
              from = test_thing.a
              to   = test_thing.b
            }"#,
        moves: &[("test_thing.b", "test_thing.a")],
    },
    Row {
        what: "a chain, written in the wrong order",
        before: r#"resource "test_thing" "a" { name = "a" }"#,
        after: r#"
            resource "test_thing" "c" { name = "a" }
            moved {
              from = test_thing.b
              to   = test_thing.c
            }
            moved {
              from = test_thing.a
              to   = test_thing.b
            }"#,
        moves: &[("test_thing.c", "test_thing.a")],
    },
    Row {
        what: "all instances of a resource",
        before: r#"
            resource "test_thing" "a" {
              count = 2
              name  = "a${count.index}"
            }"#,
        after: r#"
            resource "test_thing" "b" {
              count = 2
              name  = "a${count.index}"
            }
            moved {
              from = test_thing.a
              to   = test_thing.b
            }"#,
        moves: &[
            ("test_thing.b[0]", "test_thing.a[0]"),
            ("test_thing.b[1]", "test_thing.a[1]"),
        ],
    },
    Row {
        what: "into count",
        before: r#"resource "test_thing" "a" { name = "a1" }"#,
        after: r#"
            resource "test_thing" "a" {
              count = 2
              name  = "a${count.index}"
            }
            moved {
              from = test_thing.a
              to   = test_thing.a[1]
            }"#,
        moves: &[("test_thing.a[1]", "test_thing.a")],
    },
    Row {
        what: "out of count",
        before: r#"
            resource "test_thing" "a" {
              count = 2
              name  = "a${count.index}"
            }"#,
        after: r#"
            resource "test_thing" "a" { name = "a1" }
            moved {
              from = test_thing.a[1]
              to   = test_thing.a
            }"#,
        moves: &[("test_thing.a", "test_thing.a[1]")],
    },
    Row {
        what: "from count to for_each",
        before: r#"
            resource "test_thing" "a" {
              count = 2
              name  = ["x", "y"][count.index]
            }"#,
        after: r#"
            resource "test_thing" "a" {
              for_each = toset(["x", "y"])
              name     = each.key
            }
            moved {
              from = test_thing.a[0]
              to   = test_thing.a["x"]
            }
            moved {
              from = test_thing.a[1]
              to   = test_thing.a["y"]
            }"#,
        moves: &[
            (r#"test_thing.a["x"]"#, "test_thing.a[0]"),
            (r#"test_thing.a["y"]"#, "test_thing.a[1]"),
        ],
    },
    Row {
        what: "another key of for_each",
        before: r#"
            resource "test_thing" "a" {
              for_each = { x = "a" }
              name     = each.value
            }"#,
        after: r#"
            resource "test_thing" "a" {
              for_each = { y = "a" }
              name     = each.value
            }
            moved {
              from = test_thing.a["x"]
              to   = test_thing.a["y"]
            }"#,
        moves: &[(r#"test_thing.a["y"]"#, r#"test_thing.a["x"]"#)],
    },
    Row {
        what: "into a module",
        before: r#"resource "test_thing" "a" { name = "x" }"#,
        after: r#"
            module "m" { source = "./m" }
            moved {
              from = test_thing.a
              to   = module.m.test_thing.x
            }"#,
        moves: &[("module.m.test_thing.x", "test_thing.a")],
    },
    Row {
        what: "out of a module",
        before: r#"module "m" { source = "./m" }"#,
        after: r#"
            resource "test_thing" "a" { name = "x" }
            moved {
              from = module.m.test_thing.x
              to   = test_thing.a
            }"#,
        moves: &[("test_thing.a", "module.m.test_thing.x")],
    },
    Row {
        what: "a whole module",
        before: r#"module "m" { source = "./m" }"#,
        after: r#"
            module "n" { source = "./m" }
            moved {
              from = module.m
              to   = module.n
            }"#,
        moves: &[("module.n.test_thing.x", "module.m.test_thing.x")],
    },
    Row {
        what: "a module into for_each",
        before: r#"module "m" { source = "./m" }"#,
        after: r#"
            module "m" {
              source   = "./m"
              for_each = toset(["k"])
            }
            moved {
              from = module.m
              to   = module.m["k"]
            }"#,
        moves: &[(r#"module.m["k"].test_thing.x"#, "module.m.test_thing.x")],
    },
    Row {
        what: "one instance of a module becomes another module",
        before: r#"
            module "m" {
              source = "./m"
              count  = 2
              name   = "x${count.index}"
            }"#,
        after: r#"
            module "m" {
              source = "./m"
              count  = 1
              name   = "x${count.index}"
            }
            module "n" {
              source = "./m"
              name   = "x1"
            }
            moved {
              from = module.m[1]
              to   = module.n
            }"#,
        moves: &[("module.n.test_thing.x", "module.m[1].test_thing.x")],
    },
    Row {
        what: "a module, and something in it at once",
        before: r#"module "m" { source = "./m" }"#,
        after: r#"
            module "n" { source = "./renamed" }
            moved {
              from = module.m
              to   = module.n
            }"#,
        moves: &[("module.n.test_thing.y", "module.m.test_thing.x")],
    },
    Row {
        what: "inside all instances of a module",
        before: r#"
            module "m" {
              source = "./m"
              count  = 2
              name   = "x${count.index}"
            }"#,
        after: r#"
            module "m" {
              source = "./renamed"
              count  = 2
              name   = "x${count.index}"
            }"#,
        moves: &[
            ("module.m[0].test_thing.y", "module.m[0].test_thing.x"),
            ("module.m[1].test_thing.y", "module.m[1].test_thing.x"),
        ],
    },
    Row {
        what: "a resource gains count",
        before: r#"resource "test_thing" "a" { name = "a" }"#,
        after: r#"
            resource "test_thing" "a" {
              count = 1
              name  = "a"
            }"#,
        moves: &[("test_thing.a[0]", "test_thing.a")],
    },
    Row {
        what: "a resource loses count",
        before: r#"
            resource "test_thing" "a" {
              count = 1
              name  = "a"
            }"#,
        after: r#"resource "test_thing" "a" { name = "a" }"#,
        moves: &[("test_thing.a", "test_thing.a[0]")],
    },
    Row {
        what: "a module has another name, and something in it gains count",
        before: r#"module "m" { source = "./m" }"#,
        after: r#"
            module "n" { source = "./counted" }
            moved {
              from = module.m
              to   = module.n
            }"#,
        moves: &[("module.n.test_thing.x[0]", "module.m.test_thing.x")],
    },
];

#[tokio::test]
async fn objects_get_other_addresses_and_nothing_else() {
    for row in ROWS {
        let (s, store) = scenario(row.before);
        let renamed = MODULE.replace("\"x\" { name", "\"y\" { name");
        let moved = "moved {\n  from = test_thing.x\n  to = test_thing.y\n}\n";
        s.write("renamed/main.tf", &format!("{renamed}{moved}"));
        let counted = MODULE.replace(
            "{ name = var.name }",
            "{\n  count = 1\n  name = var.name\n}",
        );
        s.write("counted/main.tf", &counted);
        s.apply().await;
        let made = s.addresses().await;
        s.main(row.after);
        s.cloud.forget();
        let plan = s.plan().await;
        let mut expected: Vec<String> = row
            .moves
            .iter()
            .map(|(now, was)| format!("no-op {now} from {was}"))
            .collect();
        // What is left over is removed, where there is something.
        let mut listed = shown(&plan);
        listed.retain(|l| !l.starts_with("delete") && !l.starts_with("create"));
        expected.sort();
        listed.sort();
        assert_eq!(listed, expected, "{}", row.what);
        assert!(!plan.is_empty(), "{}", row.what);
        assert_eq!(warnings(&plan), Vec::<String>::new(), "{}", row.what);
        let commits = store.commits().len();
        let outcome = s.carry_out(plan, 10).await;
        assert!(
            outcome.is_success(),
            "{}: {:?}",
            row.what,
            failures(&outcome)
        );
        let first = &store.commits()[commits];
        for (now, was) in row.moves {
            assert!(
                first.contains(&format!("Put {now}")),
                "{}: {first:?}",
                row.what
            );
            let taken = row.moves.iter().any(|(other, _)| other == was);
            let gone = first.contains(&format!("Remove {was}"));
            assert!(gone != taken, "{}: {first:?}", row.what);
            assert!(made.contains(&was.to_string()), "{}", row.what);
        }
        s.assert_settled().await;
    }
}

#[tokio::test]
async fn a_null_resource_becomes_a_terraform_data() {
    let (s, _) = scenario(r#"resource "null_resource" "a" { triggers = { v = "1" } }"#);
    s.apply().await;
    let id = s.attribute("null_resource.a", "id").await;
    s.main(
        r#"
        resource "terraform_data" "b" { triggers_replace = { v = "1" } }
        moved {
          from = null_resource.a
          to   = terraform_data.b
        }
        "#,
    );
    assert_eq!(
        shown(&s.plan().await),
        ["no-op terraform_data.b from null_resource.a"]
    );
    s.apply().await;
    s.assert_settled().await;
    assert_eq!(s.attribute("terraform_data.b", "id").await, id);
    assert_eq!(s.addresses().await, ["terraform_data.b"]);
}

#[tokio::test]
async fn a_move_goes_with_a_change() {
    let (s, _) = scenario(
        r#"
        resource "test_thing" "a" { name = "a" }
        resource "test_thing" "user" {
          name = "user"
          note = test_thing.a.id
        }
        "#,
    );
    s.apply().await;
    let after = |argument: &str| {
        format!(
            r#"
            resource "test_thing" "b" {{
              name = "a"
              {argument}
            }}
            resource "test_thing" "user" {{
              name = "user"
              note = test_thing.b.id
            }}
            moved {{
              from = test_thing.a
              to   = test_thing.b
            }}
            "#
        )
    };
    s.main(&after("size = 2"));
    assert_eq!(
        shown(&s.plan().await),
        ["update test_thing.b from test_thing.a"]
    );
    s.main(&after("zone = \"z\""));
    let plan = s.plan().await;
    assert_eq!(
        shown(&plan),
        [
            "replace test_thing.b from test_thing.a",
            "update test_thing.user"
        ]
    );
    s.cloud.forget();
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success(), "{:?}", failures(&outcome));
    assert_eq!(s.cloud.calls(), ["delete a", "create a", "update user"]);
    s.assert_settled().await;
    assert_eq!(s.addresses().await, ["test_thing.b", "test_thing.user"]);
}

#[tokio::test]
async fn a_move_of_keys_goes_with_replacements_made_first() {
    let text = |keys: &str, zone: &str| {
        format!(
            r#"
            resource "test_thing" "e" {{
              for_each = {keys}
              name     = each.value
              zone     = "{zone}"
              lifecycle {{ create_before_destroy = true }}
            }}
            resource "test_thing" "user" {{
              name    = "user"
              parents = [for e in test_thing.e : e.id]
            }}
            "#
        )
    };
    let (s, _) = scenario(&text(r#"{ a = "1", b = "2" }"#, "z"));
    s.apply().await;
    let moved = |from: &str, to: &str| {
        format!("moved {{\n  from = test_thing.e[\"{from}\"]\n  to = test_thing.e[\"{to}\"]\n}}\n")
    };
    let after = text(r#"{ c = "1", d = "2" }"#, "y") + &moved("a", "c") + &moved("b", "d");
    s.main(&after);
    let plan = s.plan().await;
    assert_eq!(
        shown(&plan),
        [
            r#"replace test_thing.e["c"] from test_thing.e["a"]"#,
            r#"replace test_thing.e["d"] from test_thing.e["b"]"#,
            "update test_thing.user",
        ]
    );
    s.cloud.forget();
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success(), "{:?}", failures(&outcome));
    s.cloud
        .assert_order(&["end create 1", "update user", "end update user", "delete 1"]);
    s.assert_settled().await;
}

#[tokio::test]
async fn a_deposed_object_moves_with_its_instance() {
    let text = |name: &str, zone: &str| {
        format!(
            r#"
            resource "test_thing" "{name}" {{
              name = "a"
              zone = "{zone}"
              lifecycle {{ create_before_destroy = true }}
            }}
            "#
        )
    };
    let (s, _) = scenario(&text("a", "y"));
    s.apply().await;
    s.main(&text("a", "z"));
    s.cloud.on("delete a", Behaviour::Fail);
    s.apply_anyhow().await;
    s.cloud.well("delete a");
    assert_eq!(
        s.addresses().await,
        ["test_thing.a", "test_thing.a (deposed)"]
    );
    s.main(&format!(
        "{}moved {{\n  from = test_thing.a\n  to = test_thing.b\n}}\n",
        text("b", "z")
    ));
    let plan = s.plan().await;
    assert_eq!(
        shown(&plan),
        [
            "no-op test_thing.b from test_thing.a",
            "delete test_thing.b from test_thing.a"
        ]
    );
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success(), "{:?}", failures(&outcome));
    assert_eq!(s.addresses().await, ["test_thing.b"]);
    s.assert_settled().await;
}

#[tokio::test]
async fn what_is_in_the_way_stays_and_what_cannot_move_is_planned_where_it_is() {
    let (s, _) = scenario(
        r#"
        resource "test_thing" "a" { name = "a" }
        resource "test_thing" "b" { name = "b" }
        "#,
    );
    s.apply().await;
    s.main(
        r#"
        resource "test_thing" "b" { name = "b" }
        moved {
          from = test_thing.a
          to   = test_thing.b
        }
        "#,
    );
    let plan = s.plan().await;
    assert_eq!(shown(&plan), ["delete test_thing.a"]);
    assert_eq!(
        warnings(&plan),
        ["Unresolved resource instance address changes"]
    );
    let told = plan.diagnostics.to_string();
    assert!(
        told.contains("test_thing.a could not move to test_thing.b"),
        "{told}"
    );
}

#[tokio::test]
async fn what_moves_to_nowhere_is_removed() {
    let (s, _) = scenario(r#"resource "test_thing" "a" { name = "a" }"#);
    s.apply().await;
    s.main("moved {\n  from = test_thing.a\n  to = test_thing.b\n}\n");
    let plan = s.plan().await;
    assert_eq!(shown(&plan), ["delete test_thing.b from test_thing.a"]);
    assert_eq!(plan.changes[0].reason, Some(Reason::NoMoveTarget));
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success(), "{:?}", failures(&outcome));
    assert_eq!(s.cloud.names(), Vec::<String>::new());
    s.assert_settled().await;
}

#[tokio::test]
async fn moves_that_make_no_sense_are_refused() {
    let a = r#"resource "test_thing" "a" { name = "a" }"#;
    let moved = |from: &str, to: &str| format!("\nmoved {{\n  from = {from}\n  to   = {to}\n}}");
    let thing = |name: &str| format!("test_thing.{name}");
    type Row = (
        &'static [(&'static str, &'static str)],
        &'static [&'static str],
    );
    let rows: &[Row] = &[
        (&[("a", "b")], &["main.tf:2:1 Moved object still exists"]),
        (
            &[("x", "a"), ("y", "a")],
            &["main.tf:6:1 Ambiguous move statements"],
        ),
        (
            &[("x", "a"), ("x", "b")],
            &["main.tf:6:1 Ambiguous move statements"],
        ),
        (&[("x", "x")], &["main.tf:2:1 Redundant move statement"]),
        (
            &[("x", "y"), ("y", "x")],
            &["main.tf:2:1 Cyclic dependency in move statements"],
        ),
    ];
    for (moves, errors) in rows {
        let blocks: String = moves
            .iter()
            .map(|(f, t)| moved(&thing(f), &thing(t)))
            .collect();
        let (s, _) = scenario(&format!("{a}{blocks}"));
        assert_eq!(s.plan_errors().await, *errors, "{moves:?}");
    }
    let (s, _) = scenario(&format!("{a}{}", moved("terraform_data.x", "test_thing.a")));
    assert_eq!(
        s.plan_errors().await,
        ["main.tf:2:1 Unsupported move across resource types"]
    );
    // One instance is still declared, another one is not.
    let counted = "resource \"test_thing\" \"a\" {\n  count = 1\n  name = \"a\"\n}";
    let (s, _) = scenario(&format!(
        "{counted}{}",
        moved("test_thing.a[0]", "test_thing.b")
    ));
    assert_eq!(
        s.plan_errors().await,
        ["main.tf:5:1 Moved object still exists"]
    );
    let (s, _) = scenario(&format!(
        "{counted}{}",
        moved("test_thing.a[1]", "test_thing.b")
    ));
    s.plan().await;
    // A refresh does not commit what a plan refuses.
    let (s, _) = scenario(a);
    s.apply().await;
    s.main(&format!("{a}{}", moved("test_thing.a", "test_thing.b")));
    assert!(s.try_plan(PlanMode::RefreshOnly).await.is_err());
}

#[tokio::test]
async fn a_saved_plan_moves_what_it_showed() {
    let (s, _) = scenario(r#"resource "test_thing" "a" { name = "a" }"#);
    s.apply().await;
    s.main(
        r#"
        resource "test_thing" "b" {
          name = "a"
          size = 2
        }
        moved {
          from = test_thing.a
          to   = test_thing.b
        }
        "#,
    );
    let saved = s.plan().await.save().unwrap();
    s.cloud.forget();
    let plan = s.resume(&saved).await.unwrap();
    assert_eq!(shown(&plan), ["update test_thing.b from test_thing.a"]);
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success(), "{:?}", failures(&outcome));
    assert_eq!(s.cloud.log(), ["update a", "end update a"]);
    s.assert_settled().await;
    assert!(s.resume(&saved).await.is_err());
}

#[tokio::test]
async fn a_refresh_and_a_destruction_move_too() {
    let after = r#"
        resource "test_thing" "b" {
          name = "a"
          lifecycle { prevent_destroy = true }
        }
        moved {
          from = test_thing.a
          to   = test_thing.b
        }
    "#;
    let (s, _) = scenario(r#"resource "test_thing" "a" { name = "a" }"#);
    s.apply().await;
    s.main(after);
    let refused = s.try_plan(PlanMode::Destroy).await.err().unwrap();
    assert!(
        refused.to_string().contains("Instance cannot be destroyed"),
        "{refused}"
    );
    let plan = s.plan_in(PlanMode::RefreshOnly).await;
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success(), "{:?}", failures(&outcome));
    assert_eq!(s.addresses().await, ["test_thing.b"]);
    s.main(&after.replace("prevent_destroy = true", ""));
    s.destroy().await;
    assert_eq!(s.addresses().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_a_dead_run_made_is_found_at_its_new_address() {
    let (s, _) = scenario(r#"resource "test_thing" "a" { name = "a" }"#);
    s.cloud.on("create a", Behaviour::WaitAfter);
    let plan = s.plan().await;
    tokio::select! {
        outcome = s.carry_out(plan, 10) => panic!("not dead: {:?}", failures(&outcome)),
        () = s.cloud.until("done create a") => {}
    }
    s.cloud.well("create a");
    s.main(
        r#"
        resource "test_thing" "b" { name = "a" }
        moved {
          from = test_thing.a
          to   = test_thing.b
        }
        "#,
    );
    let plan = s.plan().await;
    assert_eq!(shown(&plan), ["no-op test_thing.b from test_thing.a"]);
    // Until the move is applied, the store knows it where it was made.
    assert_eq!(s.addresses().await, ["test_thing.a"]);
    drop(plan);
    let plan = s.plan().await;
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success(), "{:?}", failures(&outcome));
    assert_eq!(s.addresses().await, ["test_thing.b"]);
    assert_eq!(s.cloud.names(), ["a"]);
    assert!(s.state().await.intents.is_empty());
    s.assert_settled().await;
}

#[tokio::test]
async fn a_module_with_a_provider_of_its_own_is_taken_apart() {
    let (s, _) = scenario("");
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
    s.main(
        r#"
        resource "test_thing" "h" { name = "h" }
        provider "inner" { host = test_thing.h.endpoint }
        resource "inner_pod" "q" { name = "p" }
        moved {
          from = module.p.inner_pod.p
          to   = inner_pod.q
        }
        "#,
    );
    assert_eq!(
        shown(&s.plan().await),
        ["no-op inner_pod.q from module.p.inner_pod.p"]
    );
    s.apply().await;
    let record = s.record("inner_pod.q").await.unwrap();
    assert_eq!(record.provider.to_string(), "provider.inner");
    s.assert_settled().await;
    assert_eq!(record.value.get("name"), Some(&Value::from("p")));
    assert_eq!(summary(&s.plan().await), Vec::<String>::new());
}
