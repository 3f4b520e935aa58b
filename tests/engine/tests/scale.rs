//! Large configurations: the work grows with the number of objects, not with its square.
//! Asserted on counts, not on time.

use std::fmt::Write as _;

use topo_engine_tests::{Scenario, summary};

const MANY: usize = 10_000;

#[tokio::test]
async fn ten_thousand_instances_of_one_block() {
    let s = Scenario::new(&format!(
        r#"
        resource "terraform_data" "a" {{
          count = {MANY}
          input = count.index
        }}
        resource "terraform_data" "b" {{
          count = {MANY}
          input = terraform_data.a[count.index].id
        }}
        resource "terraform_data" "all" {{ input = length(terraform_data.a[*].id) }}
        "#
    ));
    let config = s.config();
    let graph = &config.graph().unwrap().graph;
    assert!(graph.node_count() < 10 && graph.edge_count() < 10);
    let outcome = s.apply().await;
    assert_eq!(outcome.counts.add, 2 * MANY + 1);
    // What each depends on is one record's, not everybody's.
    let state = s.state().await;
    let dependencies: usize = state.records.values().map(|r| r.dependencies.len()).sum();
    assert_eq!(dependencies, MANY + 1);
    assert_eq!(summary(&s.plan().await), Vec::<String>::new());
}

#[tokio::test]
async fn ten_thousand_blocks() {
    let mut text = String::new();
    for i in 0..MANY {
        let input = if i == 0 {
            "0".to_string()
        } else {
            format!("terraform_data.r{}.id", i / 2)
        };
        let input = if i == 1 { "0".to_string() } else { input };
        writeln!(
            text,
            "resource \"terraform_data\" \"r{i}\" {{ input = {input} }}"
        )
        .unwrap();
    }
    let s = Scenario::new(&text);
    let config = s.config();
    let graph = &config.graph().unwrap().graph;
    assert!(graph.node_count() < MANY + 10);
    assert!(graph.edge_count() < 3 * MANY);
    let plan = s.plan().await;
    assert_eq!(plan.counts().add, MANY);
}

#[tokio::test]
async fn a_thousand_module_instances() {
    let s = Scenario::new(
        r#"
        module "m" {
          source = "./m"
          count  = 1000
          name   = count.index
        }
        "#,
    );
    s.write(
        "m/main.tf",
        r#"
        variable "name" { type = string }
        resource "terraform_data" "a" { input = var.name }
        resource "terraform_data" "b" { input = terraform_data.a.id }
        output "b" { value = terraform_data.b.id }
        "#,
    );
    let outcome = s.apply().await;
    assert_eq!(outcome.counts.add, 2000);
    let state = s.state().await;
    let dependencies: usize = state.records.values().map(|r| r.dependencies.len()).sum();
    assert_eq!(dependencies, 1000);
    s.main("");
    let plan = s.plan().await;
    assert_eq!(plan.counts().destroy, 2000);
}
