//! What the engine plans and what comes of applying it: every action and its reason, instances,
//! references, modules, data sources, marks, lifecycle rules.

use topo_engine::changes::PlanMode;
use topo_engine_tests::{Behaviour, Scenario, failures, summary};
use topo_sdk::Value;

#[tokio::test]
async fn creates_updates_replaces_deletes_and_leaves_alone() {
    let s = Scenario::new(r#"resource "test_thing" "a" { name = "a" }"#);
    assert_eq!(summary(&s.plan().await), ["create test_thing.a"]);
    let outcome = s.apply().await;
    assert_eq!(outcome.counts.add, 1);
    s.assert_settled().await;

    s.main("resource \"test_thing\" \"a\" {\n  name = \"a\"\n  size = 3\n}");
    assert_eq!(summary(&s.plan().await), ["update test_thing.a"]);
    s.apply().await;
    s.assert_settled().await;
    assert_eq!(s.attribute("test_thing.a", "size").await, Value::from(3));

    s.main("resource \"test_thing\" \"a\" {\n  name = \"a\"\n  zone = \"z\"\n}");
    let plan = s.plan().await;
    assert_eq!(summary(&plan), ["replace test_thing.a: CannotUpdate"]);
    assert_eq!(plan.changes[0].replace_paths[0].to_string(), "zone");
    s.cloud.forget();
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success());
    assert_eq!(s.cloud.calls(), ["delete a", "create a"]);
    s.assert_settled().await;

    s.main("");
    assert_eq!(
        summary(&s.plan().await),
        ["delete test_thing.a: NotInConfiguration"]
    );
    s.apply().await;
    assert_eq!(s.cloud.names(), Vec::<String>::new());
    assert_eq!(s.addresses().await, Vec::<String>::new());
    s.assert_settled().await;
}

#[tokio::test]
async fn count_and_for_each_make_and_remove_instances() {
    let text = |count: u32, keys: &str| {
        format!(
            r#"
            resource "test_thing" "c" {{
              count = {count}
              name  = "c${{count.index}}"
            }}
            resource "test_thing" "e" {{
              for_each = toset([{keys}])
              name     = "e-${{each.key}}-${{each.value}}"
            }}
            "#
        )
    };
    let s = Scenario::new(&text(2, r#""x", "y""#));
    s.apply().await;
    assert_eq!(
        s.addresses().await,
        [
            "test_thing.c[0]",
            "test_thing.c[1]",
            "test_thing.e[\"x\"]",
            "test_thing.e[\"y\"]"
        ]
    );
    s.main(&text(3, r#""y", "z""#));
    assert_eq!(
        summary(&s.plan().await),
        [
            "create test_thing.c[2]",
            "delete test_thing.e[\"x\"]: EachKey",
            "create test_thing.e[\"z\"]",
        ]
    );
    s.apply().await;
    s.main(&text(1, r#""y", "z""#));
    assert_eq!(
        summary(&s.plan().await),
        [
            "delete test_thing.c[1]: CountIndex",
            "delete test_thing.c[2]: CountIndex",
        ]
    );
    s.apply().await;
    s.assert_settled().await;
    // The first of several is what becomes of them when there is to be only one.
    s.main(r#"resource "test_thing" "c" { name = "c0" }"#);
    assert_eq!(
        summary(&s.plan().await),
        [
            "delete test_thing.e[\"y\"]: NotInConfiguration",
            "delete test_thing.e[\"z\"]: NotInConfiguration",
        ]
    );
}

#[tokio::test]
async fn references_are_done_in_order_and_values_arrive() {
    let s = Scenario::new(
        r#"
        resource "test_thing" "a" { name = "a" }
        resource "test_thing" "b" {
          name = "b"
          note = local.of_a
        }
        locals { of_a = "on ${test_thing.a.endpoint}" }
        resource "test_thing" "c" {
          name    = "c"
          parents = [test_thing.b.id, test_thing.a.id]
        }
        output "chain" { value = test_thing.c.parents }
        "#,
    );
    let outcome = s.apply().await;
    s.cloud
        .assert_order(&["end create a", "create b", "end create b", "create c"]);
    let id = s.attribute("test_thing.a", "id").await;
    let note = s.attribute("test_thing.b", "note").await;
    let expected = format!("on https://{}", id.as_str().unwrap());
    assert_eq!(note.as_str(), Some(expected.as_str()));
    assert!(outcome.outputs["chain"].value.is_wholly_known());
    s.assert_settled().await;
    s.cloud.forget();
    s.destroy().await;
    s.cloud
        .assert_order(&["end delete c", "delete b", "end delete b", "delete a"]);
    assert_eq!(s.addresses().await, Vec::<String>::new());
    assert!(s.state().await.outputs.is_empty());
}

#[tokio::test]
async fn an_instance_waits_only_for_the_instance_it_refers_to() {
    let s = Scenario::new(
        r#"
        resource "test_thing" "a" {
          count = 2
          name  = "a${count.index}"
        }
        resource "test_thing" "b" {
          count = 2
          name  = "b${count.index}"
          note  = test_thing.a[count.index].id
        }
        resource "test_thing" "all" {
          name    = "all"
          parents = test_thing.a[*].id
        }
        "#,
    );
    s.cloud.on("create a1", Behaviour::WaitBefore);
    let plan = s.plan().await;
    let watch = async {
        s.cloud.until("create a1").await;
        // b0 is done while a1 is still being made: it does not wait for it.
        s.cloud.until("end create b0").await;
        assert_eq!(s.cloud.count("create b1"), 0);
        assert_eq!(s.cloud.count("create all"), 0);
        s.cloud.release("create a1");
    };
    let (outcome, ()) = tokio::join!(s.carry_out(plan, 10), watch);
    assert!(outcome.is_success());
    s.cloud.assert_order(&["end create a1", "create b1"]);
    s.cloud.assert_order(&["end create a1", "create all"]);
    s.assert_settled().await;
}

#[tokio::test]
async fn depends_on_a_whole_resource_waits_for_all_its_instances() {
    let s = Scenario::new(
        r#"
        resource "test_thing" "a" {
          count = 2
          name  = "a${count.index}"
        }
        resource "test_thing" "b" {
          name       = "b"
          note       = test_thing.a[0].id
          depends_on = [test_thing.a]
        }
        locals { all = join(",", test_thing.a[*].id) }
        resource "test_thing" "c" {
          name  = "c"
          note  = test_thing.a[0].id
          tags  = { all = local.all }
        }
        "#,
    );
    s.apply().await;
    s.cloud.assert_order(&["end create a1", "create b"]);
    s.cloud.assert_order(&["end create a1", "create c"]);
    s.cloud.forget();
    s.destroy().await;
    s.cloud.assert_order(&["end delete b", "delete a1"]);
    s.cloud.assert_order(&["end delete c", "delete a1"]);
}

#[tokio::test]
async fn modules_repeat_and_pass_values_in_and_out() {
    let s = Scenario::new(
        r#"
        variable "zone" { default = "z1" }
        module "one" {
          source = "./child"
          name   = "one"
          zone   = var.zone
        }
        module "many" {
          source   = "./child"
          for_each = { x = 1, y = 2 }
          name     = "many-${each.key}"
          size     = each.value
        }
        module "counted" {
          source = "./child"
          count  = 2
          name   = "n${count.index}-${module.one.id}"
        }
        output "ids" { value = [for m in module.many : m.id] }
        output "x"   { value = module.many["x"].id }
        output "all" { value = module.counted[*].name }
        "#,
    );
    s.write(
        "child/main.tf",
        r#"
        variable "name" { type = string }
        variable "zone" {
          type    = string
          default = null
        }
        variable "size" {
          type    = number
          default = 7
        }
        resource "test_thing" "t" {
          name = var.name
          zone = var.zone
          size = var.size
        }
        output "id"   { value = test_thing.t.id }
        output "name" { value = test_thing.t.name }
        "#,
    );
    let outcome = s.apply().await;
    assert_eq!(
        s.addresses().await,
        [
            "module.counted[0].test_thing.t",
            "module.counted[1].test_thing.t",
            "module.many[\"x\"].test_thing.t",
            "module.many[\"y\"].test_thing.t",
            "module.one.test_thing.t",
        ]
    );
    assert_eq!(
        s.attribute("module.many[\"y\"].test_thing.t", "size").await,
        Value::from(2)
    );
    let all = outcome.outputs["all"].value.clone();
    assert_eq!(all.as_slice().unwrap().len(), 2);
    s.assert_settled().await;
    let text = std::fs::read_to_string(s.path().join("main.tf")).unwrap();
    s.main(
        &text
            .replace("{ x = 1, y = 2 }", "{ y = 2 }")
            .replace("module.many[\"x\"].id", "1"),
    );
    assert_eq!(
        summary(&s.plan().await),
        ["delete module.many[\"x\"].test_thing.t: NoModule"]
    );
    s.destroy().await;
    assert_eq!(s.cloud.names(), Vec::<String>::new());
}

#[tokio::test]
async fn a_module_waits_for_what_its_call_depends_on() {
    let s = Scenario::new(
        r#"
        module "first" {
          source = "./child"
          name   = "first"
        }
        module "second" {
          source     = "./child"
          name       = "second"
          depends_on = [module.first]
        }
        "#,
    );
    s.write(
        "child/main.tf",
        r#"
        variable "name" {}
        resource "test_thing" "t" { name = var.name }
        data "test_lookup" "l" { name = var.name }
        output "found" { value = data.test_lookup.l.found }
        "#,
    );
    // While something in the first module changes, what the second one reads is not known.
    let plan = s.plan().await;
    assert_eq!(
        summary(&plan),
        [
            "create module.first.test_thing.t",
            "create module.second.test_thing.t",
            "read module.second.data.test_lookup.l: DependencyPending",
        ]
    );
    assert_eq!(s.cloud.count("data second"), 0);
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success(), "{:?}", failures(&outcome));
    s.cloud.assert_order(&["end create first", "create second"]);
    s.cloud.assert_order(&["end create first", "data second"]);
    s.assert_settled().await;
    s.cloud.forget();
    s.destroy().await;
    s.cloud.assert_order(&["end delete second", "delete first"]);
}

#[tokio::test]
async fn data_sources_are_read_while_planning_or_when_known() {
    let s = Scenario::new(
        r#"
        resource "test_thing" "a" { name = "a" }
        data "test_lookup" "now" { name = "now" }
        data "test_lookup" "later" { name = test_thing.a.id }
        data "test_lookup" "after" {
          name       = "after"
          depends_on = [test_thing.a]
        }
        resource "test_thing" "b" {
          name = "b"
          note = "${data.test_lookup.now.found} ${data.test_lookup.later.found}"
        }
        "#,
    );
    let plan = s.plan().await;
    assert_eq!(
        summary(&plan),
        [
            "create test_thing.a",
            "create test_thing.b",
            "read data.test_lookup.after: DependencyPending",
            "read data.test_lookup.later: ConfigUnknown",
        ]
    );
    assert_eq!(s.cloud.count("data now"), 1);
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success(), "{:?}", failures(&outcome));
    assert_eq!(s.cloud.count("data now"), 1);
    s.cloud.assert_order(&["end create a", "data after"]);
    let note = s.attribute("test_thing.b", "note").await;
    assert_eq!(note.as_str(), Some("found now found a-1"));
    s.assert_settled().await;
    s.destroy().await;
    assert_eq!(s.addresses().await, Vec::<String>::new());
}

#[tokio::test]
async fn dynamic_blocks_and_unknown_values() {
    let s = Scenario::new(
        r#"
        variable "ports" { default = [80, 443] }
        resource "test_thing" "a" {
          name = "a"
          dynamic "rule" {
            for_each = var.ports
            content { port = rule.value }
          }
          dynamic "step" {
            for_each = { x = "one", y = "two" }
            iterator = it
            content { command = "${it.key} ${it.value}" }
          }
          step { command = "last" }
        }
        resource "test_thing" "b" {
          name = "b"
          dynamic "step" {
            for_each = [for r in test_thing.a.rule : r.id]
            content { command = step.value }
          }
        }
        "#,
    );
    s.apply().await;
    let rules = s.attribute("test_thing.a", "rule").await;
    assert_eq!(rules.as_slice().unwrap().len(), 2);
    let steps = s.attribute("test_thing.a", "step").await;
    let commands: Vec<_> = steps
        .as_slice()
        .unwrap()
        .iter()
        .filter_map(|s| s.get_str("command").map(str::to_string))
        .collect();
    assert_eq!(commands, ["x one", "y two", "last"]);
    let steps = s.attribute("test_thing.b", "step").await;
    assert!(!steps.as_slice().unwrap().is_empty());
    s.assert_settled().await;
}

#[tokio::test]
async fn what_becomes_sensitive_without_a_change_is_so_in_the_state_too() {
    let s = Scenario::new("resource \"test_thing\" \"a\" {\n  name = \"a\"\n  note = \"n\"\n}\n");
    s.apply().await;
    for (note, sensitive) in [("sensitive(\"n\")", true), ("\"n\"", false)] {
        s.main(&format!(
            "resource \"test_thing\" \"a\" {{\n  name = \"a\"\n  note = {note}\n}}\n"
        ));
        let plan = s.plan().await;
        assert!(plan.is_empty(), "{:?}", summary(&plan));
        // A plan alone changes nothing.
        let kept = s.attribute("test_thing.a", "note").await;
        assert_eq!(kept.is_sensitive(), !sensitive);
        let saved = s.resume(&plan.save().unwrap()).await.unwrap();
        s.carry_out(saved, 10).await;
        let note = s.attribute("test_thing.a", "note").await;
        assert_eq!(note.is_sensitive(), sensitive);
        assert_eq!(note.unmark_deep().as_str(), Some("n"));
    }
    assert_eq!(s.cloud.count("update a"), 0);
}

#[tokio::test]
async fn sensitive_values_stay_marked_into_the_state_and_outputs() {
    let text = |sensitive: bool| {
        format!(
            r#"
            variable "password" {{
              default   = "hush"
              sensitive = true
            }}
            resource "test_thing" "a" {{
              name   = "a"
              secret = "from the schema"
              note   = "it is ${{var.password}}"
            }}
            output "note" {{
              value     = test_thing.a.note
              sensitive = {sensitive}
            }}
            "#
        )
    };
    let s = Scenario::new(&text(false));
    assert_eq!(
        s.plan_errors().await,
        ["main.tf:11:13 Output refers to sensitive values"]
    );
    s.main(&text(true));
    let outcome = s.apply().await;
    assert!(s.attribute("test_thing.a", "note").await.is_sensitive());
    assert!(s.attribute("test_thing.a", "secret").await.is_sensitive());
    assert!(!s.attribute("test_thing.a", "name").await.is_sensitive());
    assert!(outcome.outputs["note"].sensitive);
    s.assert_settled().await;
}

#[tokio::test]
async fn ignored_changes_are_left_alone() {
    let text = |name: &str, tag: &str, ignored: &str| {
        format!(
            r#"
            resource "test_thing" "a" {{
              name = "{name}"
              tags = {{ keep = "{tag}", other = "{tag}" }}
              step {{ command = "{tag}" }}
              lifecycle {{ ignore_changes = {ignored} }}
            }}
            "#
        )
    };
    let paths = r#"[tags["keep"], step[0].command]"#;
    let s = Scenario::new(&text("a", "one", paths));
    s.apply().await;
    s.main(&text("a", "two", paths));
    s.apply().await;
    let tags = s.attribute("test_thing.a", "tags").await;
    assert_eq!(tags.get_str("keep"), Some("one"));
    assert_eq!(tags.get_str("other"), Some("two"));
    s.assert_settled().await;
    s.cloud.tamper("a", "size", 9);
    s.main(&text("b", "three", "all"));
    assert_eq!(summary(&s.plan().await), Vec::<String>::new());
}

#[tokio::test]
async fn what_replaces_an_object_takes_even_ignored_arguments_from_the_configuration() {
    let text = |zone: &str, note: &str| {
        format!(
            r#"
            resource "test_thing" "a" {{
              name = "a"
              zone = "{zone}"
              note = "{note}"
              lifecycle {{ ignore_changes = [note] }}
            }}
            "#
        )
    };
    let s = Scenario::new(&text("z1", "one"));
    s.apply().await;
    s.main(&text("z2", "two"));
    s.apply().await;
    assert_eq!(
        s.attribute("test_thing.a", "note").await,
        Value::from("two")
    );
    s.assert_settled().await;
}

#[tokio::test]
async fn created_before_destroyed_and_restored_when_the_creation_fails() {
    let text = |zone: &str| {
        format!(
            r#"
            resource "test_thing" "a" {{
              name = "a"
              zone = "{zone}"
              lifecycle {{ create_before_destroy = true }}
            }}
            resource "test_thing" "b" {{
              name = "b"
              note = test_thing.a.id
            }}
            "#
        )
    };
    let s = Scenario::new(&text("z1"));
    s.apply().await;
    let before = s.record("test_thing.a").await.unwrap();
    s.main(&text("z2"));
    s.cloud.on("create a", Behaviour::Fail);
    s.cloud.forget();
    let outcome = s.apply_anyhow().await;
    assert_eq!(s.cloud.calls(), ["create a"]);
    assert_eq!(outcome.failed.len(), 1);
    assert_eq!(s.record("test_thing.a").await.unwrap(), before);
    assert_eq!(s.addresses().await, ["test_thing.a", "test_thing.b"]);

    s.cloud.well("create a");
    s.cloud.forget();
    s.apply().await;
    // The old object goes after whoever used it has moved on.
    assert_eq!(s.cloud.calls(), ["create a", "update b", "delete a"]);
    assert_eq!(s.addresses().await, ["test_thing.a", "test_thing.b"]);
    s.assert_settled().await;
}

#[tokio::test]
async fn an_old_object_that_could_not_be_removed_is_removed_later() {
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
    let s = Scenario::new(&text("z1"));
    s.apply().await;
    s.main(&text("z2"));
    s.cloud.on("delete a", Behaviour::Fail);
    s.apply_anyhow().await;
    assert_eq!(
        s.addresses().await,
        ["test_thing.a", "test_thing.a (deposed)"]
    );
    // And replaced once more, with the first one still there: nothing is lost.
    s.main(&text("z3"));
    s.apply_anyhow().await;
    assert_eq!(s.cloud.names(), ["a", "a", "a"]);
    assert_eq!(s.addresses().await.len(), 3);
    s.cloud.well("delete a");
    s.apply().await;
    assert_eq!(s.cloud.names(), ["a"]);
    assert_eq!(s.addresses().await, ["test_thing.a"]);
    s.assert_settled().await;
}

#[tokio::test]
async fn create_before_destroy_reaches_what_the_object_depends_on() {
    let text = |zone: &str| {
        format!(
            r#"
            resource "test_thing" "a" {{
              name = "a"
              zone = "{zone}"
            }}
            resource "test_thing" "b" {{
              name = "b"
              zone = test_thing.a.id
              lifecycle {{ create_before_destroy = true }}
            }}
            "#
        )
    };
    let s = Scenario::new(&text("z1"));
    s.apply().await;
    s.main(&text("z2"));
    s.cloud.forget();
    s.apply().await;
    assert_eq!(
        s.cloud.calls(),
        ["create a", "create b", "delete b", "delete a"]
    );
    s.assert_settled().await;
}

#[tokio::test]
async fn prevent_destroy_refuses_the_plan() {
    let s = Scenario::new(
        r#"
        resource "test_thing" "a" {
          name = "a"
          lifecycle { prevent_destroy = true }
        }
        "#,
    );
    s.apply().await;
    let refused = s.try_plan(PlanMode::Destroy).await.err().unwrap();
    assert_eq!(refused.0[0].summary, "Instance cannot be destroyed");
    assert_eq!(refused.0[0].address.as_deref(), Some("test_thing.a"));
}

#[tokio::test]
async fn conditions_are_checked_before_and_after() {
    let text = |before: &str, after: &str| {
        format!(
            r#"
            variable "size" {{ default = 3 }}
            resource "test_thing" "a" {{
              name = "a"
              size = var.size
              lifecycle {{
                precondition {{
                  condition     = {before}
                  error_message = "Size ${{var.size}} is wrong."
                }}
                postcondition {{
                  condition     = {after}
                  error_message = "The endpoint is wrong."
                }}
              }}
            }}
            resource "test_thing" "b" {{
              name = "b"
              note = test_thing.a.id
            }}
            "#
        )
    };
    let s = Scenario::new(&text("var.size > 5", "self.size == 3"));
    assert_eq!(
        s.plan_errors().await,
        ["main.tf:8:35 Resource precondition failed"]
    );
    s.main(&text("var.size == 3", "self.endpoint == \"nowhere\""));
    let outcome = s.apply_anyhow().await;
    // The object is there; what depends on it was not made.
    assert_eq!(s.addresses().await, ["test_thing.a"]);
    let told = failures(&outcome).join("\n");
    assert!(told.contains("The endpoint is wrong."), "{told}");
    assert!(
        told.contains("test_thing.b skipped: it depends on test_thing.a"),
        "{told}"
    );
    // And the next plan says so before anything is done.
    assert_eq!(
        s.plan_errors().await,
        ["main.tf:12:35 Resource postcondition failed"]
    );
    s.main(&text(
        "var.size == 3",
        "startswith(self.endpoint, \"https\")",
    ));
    s.apply().await;
    s.assert_settled().await;
}

#[tokio::test]
async fn a_half_made_object_is_tainted_and_replaced() {
    let s = Scenario::new(r#"resource "test_thing" "a" { name = "a" }"#);
    s.cloud.on("create a", Behaviour::FailHalfWay);
    let outcome = s.apply_anyhow().await;
    assert_eq!(outcome.failed.len(), 1);
    assert_eq!(s.addresses().await, ["test_thing.a"]);
    s.cloud.well("create a");
    assert_eq!(summary(&s.plan().await), ["replace test_thing.a: Tainted"]);
    s.apply().await;
    assert_eq!(s.cloud.names(), ["a"]);
    s.assert_settled().await;
}

#[tokio::test]
async fn a_failure_stops_only_what_depends_on_it() {
    let s = Scenario::new(
        r#"
        resource "test_thing" "a" { name = "a" }
        resource "test_thing" "b" {
          name = "b"
          note = test_thing.a.id
        }
        resource "test_thing" "c" {
          name = "c"
          note = test_thing.b.id
        }
        resource "test_thing" "d" { name = "d" }
        resource "test_thing" "e" {
          name = "e"
          note = test_thing.d.id
        }
        output "e" { value = test_thing.e.name }
        output "c" { value = test_thing.c.id }
        "#,
    );
    s.cloud.on("create a", Behaviour::Fail);
    let outcome = s.apply_anyhow().await;
    assert_eq!(
        failures(&outcome),
        [
            "test_thing.a failed: Refused: The cloud does not want to create a. (main.tf:2,9-34)",
            "test_thing.b skipped: it depends on test_thing.a, which failed",
            "test_thing.c skipped: it depends on test_thing.a, which failed",
        ]
    );
    assert_eq!(s.addresses().await, ["test_thing.d", "test_thing.e"]);
    assert!(s.state().await.outputs.contains_key("e"));
    assert!(!s.state().await.outputs.contains_key("c"));
    s.cloud.well("create a");
    s.apply().await;
    s.assert_settled().await;
}

#[tokio::test]
async fn replaced_children_go_before_their_parent_and_come_after_it() {
    let text = |zone: &str| {
        format!(
            r#"
            resource "test_thing" "parent" {{
              name = "parent"
              zone = "{zone}"
            }}
            resource "test_thing" "child" {{
              name = "child"
              zone = test_thing.parent.id
            }}
            "#
        )
    };
    let s = Scenario::new(&text("z1"));
    s.apply().await;
    s.main(&text("z2"));
    assert_eq!(
        summary(&s.plan().await),
        [
            "replace test_thing.child: CannotUpdate",
            "replace test_thing.parent: CannotUpdate"
        ]
    );
    s.cloud.forget();
    s.apply().await;
    assert_eq!(
        s.cloud.calls(),
        [
            "delete child",
            "delete parent",
            "create parent",
            "create child"
        ]
    );
    s.assert_settled().await;
}

#[tokio::test]
async fn an_orphan_is_removed_after_its_user_has_let_go() {
    let s = Scenario::new(
        r#"
        resource "test_thing" "old" { name = "old" }
        resource "test_thing" "user" {
          name = "user"
          note = test_thing.old.id
        }
        "#,
    );
    s.apply().await;
    s.main(
        r#"
        resource "test_thing" "user" {
          name = "user"
          note = "free"
        }
        "#,
    );
    s.cloud.forget();
    s.apply().await;
    s.cloud.assert_order(&["end update user", "delete old"]);
    s.assert_settled().await;
}

#[tokio::test]
async fn replace_triggered_by_and_a_requested_replacement() {
    let text = |size: u32| {
        format!(
            r#"
            resource "test_thing" "a" {{
              name = "a"
              size = {size}
            }}
            resource "test_thing" "b" {{
              name = "b"
              lifecycle {{ replace_triggered_by = [test_thing.a] }}
            }}
            "#
        )
    };
    let mut s = Scenario::new(&text(1));
    s.apply().await;
    s.main(&text(2));
    assert_eq!(
        summary(&s.plan().await),
        ["update test_thing.a", "replace test_thing.b: TriggeredBy"]
    );
    s.apply().await;
    s.assert_settled().await;
    s.options.replace = vec!["test_thing.a".parse().unwrap()];
    let plan = s.plan().await;
    assert_eq!(
        summary(&plan),
        [
            "replace test_thing.a: Requested",
            "replace test_thing.b: TriggeredBy"
        ]
    );
}

#[tokio::test]
async fn drift_is_found_and_healed() {
    let s = Scenario::new(
        r#"
        resource "test_thing" "a" {
          name = "a"
          size = 3
        }
        resource "test_thing" "b" { name = "b" }
        "#,
    );
    s.apply().await;
    s.cloud.tamper("a", "size", 8);
    s.cloud.vanish("b");
    let plan = s.plan().await;
    assert_eq!(
        summary(&plan),
        ["update test_thing.a", "create test_thing.b"]
    );
    assert_eq!(plan.drift.len(), 2);
    assert_eq!(
        plan.drift[0].after.as_ref().and_then(|v| v.get_i64("size")),
        Some(8)
    );
    assert!(plan.drift[1].after.is_none());

    let plan = s.plan_in(PlanMode::RefreshOnly).await;
    assert_eq!(plan.drift.len(), 2);
    assert!(plan.changes.is_empty());
    assert!(!plan.is_empty());
    // Seen is not yet accepted.
    assert_eq!(s.attribute("test_thing.a", "size").await, Value::from(3));
    s.apply().await;
    assert_eq!(s.cloud.names(), ["a", "b"]);
    s.assert_settled().await;

    s.cloud.tamper("a", "size", 9);
    let plan = s.plan_in(PlanMode::RefreshOnly).await;
    let outcome = s.carry_out(plan, 10).await;
    assert!(outcome.is_success());
    assert_eq!(s.attribute("test_thing.a", "size").await, Value::from(9));
    assert!(s.plan_in(PlanMode::RefreshOnly).await.is_empty());
    assert_eq!(summary(&s.plan().await), ["update test_thing.a"]);
}

#[tokio::test]
async fn an_update_that_comes_to_nothing_still_has_a_value() {
    let text = |size: u32| {
        format!(
            r#"
            resource "test_thing" "a" {{
              name = "a"
              size = {size}
            }}
            resource "test_thing" "b" {{
              name = "b"
              note = test_thing.a.revision > 0 ? "same" : "other"
            }}
            resource "test_thing" "c" {{
              name = "c"
              note = "${{test_thing.b.note}} again"
            }}
            "#
        )
    };
    let s = Scenario::new(&text(1));
    s.apply().await;
    s.main(&text(2));
    s.cloud.forget();
    s.apply().await;
    assert_eq!(s.cloud.calls(), ["update a"]);
    s.assert_settled().await;
}

#[tokio::test]
async fn built_in_types_work_without_a_provider_block() {
    let s = Scenario::new(
        r#"
        resource "terraform_data" "a" { input = { x = [1, "two"] } }
        resource "random_pet" "p" {}
        resource "terraform_data" "b" {
          input            = "${random_pet.p.id}-${terraform_data.a.output.x[1]}"
          triggers_replace = [terraform_data.a.id]
        }
        output "b" { value = terraform_data.b.output }
        "#,
    );
    s.apply().await;
    s.assert_settled().await;
    s.destroy().await;
    assert_eq!(s.addresses().await, Vec::<String>::new());
}
