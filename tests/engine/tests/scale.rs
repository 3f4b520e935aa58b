//! Large configurations: the work grows with the number of objects, not with its square.
//! Asserted on counts, and on processor time where it shows what no count does.

use std::fmt::Write as _;
use std::time::Duration;

use topo_engine::changes::PlanMode;
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

/// A chain of blocks, each of which refers to the one before.
fn chain(n: usize) -> String {
    let mut text = String::from("resource \"terraform_data\" \"r0\" { input = 0 }\n");
    for i in 1..n {
        let before = i - 1;
        writeln!(
            text,
            "resource \"terraform_data\" \"r{i}\" {{ input = terraform_data.r{before}.id }}"
        )
        .unwrap();
    }
    text
}

#[tokio::test]
async fn a_chain_of_ten_thousand() {
    let s = Scenario::new(&chain(MANY));
    assert_eq!(s.apply().await.counts.add, MANY);
    let state = s.state().await;
    let dependencies: usize = state.records.values().map(|r| r.dependencies.len()).sum();
    assert_eq!(dependencies, MANY - 1);
    s.assert_settled().await;
    assert_eq!(s.destroy().await.counts.destroy, MANY);
}

#[test]
fn a_cycle_of_ten_thousand() {
    let last = MANY - 1;
    let closed = chain(MANY).replacen(
        "input = 0",
        &format!("input = terraform_data.r{last}.id"),
        1,
    );
    let errors = Scenario::new(&closed).errors();
    assert_eq!(errors.len(), 1);
    assert!(errors[0].ends_with(" Cycle in references"), "{errors:?}");
}

/// What a scenario of a size does to a processor: a plan that creates, its apply, a plan without
/// changes, a destroy.
async fn work(n: usize, configure: fn(&Scenario, usize)) -> [Duration; 4] {
    let s = Scenario::new("");
    configure(&s, n);
    let mut at = busy();
    let mut lap = || {
        let now = busy();
        let took = now - at;
        at = now;
        took
    };
    let plan = s.plan().await;
    let planned = lap();
    assert!(s.carry_out(plan, 10).await.is_success());
    let applied = lap();
    s.assert_settled().await;
    let planned_again = lap();
    let plan = s.plan_in(PlanMode::Destroy).await;
    assert!(s.carry_out(plan, 10).await.is_success());
    [planned, applied, planned_again, lap()]
}

/// How long this thread, which does all of the work, has been on a processor: what others do on
/// the machine does not count.
fn busy() -> Duration {
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(spent.split(' ').next().unwrap().parse().unwrap())
}

/// Four times the objects may take four times the time, with some tolerance; were any step
/// quadratic, it would come to take sixteen times.
async fn assert_linear(configure: fn(&Scenario, usize)) {
    const FEW: usize = 1000;
    let mut best = [f64::INFINITY; 4];
    for _ in 0..3 {
        let few = work(FEW, configure).await;
        let many = work(4 * FEW, configure).await;
        for ((best, few), many) in best.iter_mut().zip(few).zip(many) {
            *best = best.min(many.as_secs_f64() / few.as_secs_f64());
        }
        if best.iter().all(|factor| *factor < 7.0) {
            return;
        }
    }
    panic!("create, apply, plan again, destroy took {best:.1?} times as long for 4 times as much");
}

#[tokio::test]
async fn work_grows_like_instances() {
    assert_linear(|s, n| {
        s.main(&format!(
            r#"
            resource "terraform_data" "a" {{
              count = {0}
              input = "value ${{count.index}}"
            }}
            resource "terraform_data" "b" {{
              count = {0}
              input = terraform_data.a[count.index].id
            }}
            resource "terraform_data" "all" {{ input = terraform_data.a[*].id }}
            "#,
            n / 2
        ));
    })
    .await;
}

#[tokio::test]
async fn work_grows_like_a_chain() {
    assert_linear(|s, n| s.main(&chain(n))).await;
}

#[tokio::test]
async fn work_grows_like_blocks_that_one_refers_to() {
    assert_linear(|s, n| {
        let mut names = String::new();
        for part in 0..10 {
            let mut text = String::new();
            for i in (part * n / 10)..((part + 1) * n / 10) {
                writeln!(
                    text,
                    "resource \"terraform_data\" \"r{i}\" {{ input = {i} }}"
                )
                .unwrap();
                writeln!(names, "terraform_data.r{i}.id,").unwrap();
            }
            s.write(&format!("part{part}.tf"), &text);
        }
        s.main(&format!(
            "resource \"terraform_data\" \"all\" {{\n input = [\n{names}]\n}}"
        ));
    })
    .await;
}

#[tokio::test]
async fn work_grows_like_nested_modules() {
    // What is inside refers to an object outside, and the outermost module to all that is inside.
    assert_linear(|s, n| {
        s.main(&format!(
            r#"
            module "m" {{
              source = "./m"
              count  = {}
              name   = count.index
            }}
            resource "terraform_data" "all" {{ input = module.m[*].ids }}
            "#,
            n / 20
        ));
        s.write(
            "m/main.tf",
            r#"
            variable "name" { type = string }
            resource "terraform_data" "a" { input = var.name }
            module "n" {
              source = "../n"
              count  = 10
              name   = "${terraform_data.a.id}-${count.index}"
            }
            output "ids" { value = module.n[*].id }
            "#,
        );
        s.write(
            "n/main.tf",
            r#"
            variable "name" { type = string }
            resource "terraform_data" "a" { input = var.name }
            resource "terraform_data" "b" { input = terraform_data.a.id }
            output "id" { value = terraform_data.b.id }
            "#,
        );
    })
    .await;
}
