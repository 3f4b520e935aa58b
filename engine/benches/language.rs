//! How fast the language is: `cargo bench -p topo-engine`.
//!
//! Throughput is in expressions for evaluation and in bytes for parsing and formatting.

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use topo_engine::lang::ast::{Expression, Target};
use topo_engine::lang::eval::{Scope, evaluate};
use topo_engine::lang::functions::Context;
use topo_engine::lang::operators::Failure;
use topo_engine::lang::source::SourceFile;
use topo_engine::lang::structure::Parsed;
use topo_engine::lang::syntax::parse_expression;
use topo_sdk::{Diagnostics, Type, Value};

struct Names(Value, Value);

impl Scope for Names {
    fn resolve(&self, target: &Target, _key: Option<&Value>) -> Result<Value, Failure> {
        match target {
            Target::Variable(n) if &**n == "zones" => Ok(self.0.clone()),
            Target::Variable(n) if &**n == "tags" => Ok(self.1.clone()),
            Target::Local(_) => Ok(Value::string("kong")),
            other => Err(("No such name".into(), other.to_string())),
        }
    }

    fn functions(&self) -> Context<'_> {
        Context {
            base_dir: std::path::Path::new("."),
            plan_time: jiff::Timestamp::UNIX_EPOCH,
            impure_unknown: false,
        }
    }
}

/// Expressions as configurations have them.
const EXPRESSIONS: [&str; 10] = [
    "\"${local.name}-data-plane\"",
    "var.zones[0]",
    "length(var.zones) > 2 ? 3 : 1",
    "merge(var.tags, { Name = local.name })",
    "[for i, z in var.zones : cidrsubnet(\"10.0.0.0/16\", 8, i)]",
    "{ for z in var.zones : z => upper(z) if z != \"c\" }",
    "jsonencode({ name = local.name, zones = var.zones, n = 3 })",
    "try(var.tags.owner, \"nobody\")",
    "format(\"%s-%02d\", local.name, 7)",
    "1 + 2 * 3",
];

fn expression(text: &str) -> Expression {
    parse_expression(&SourceFile::new("bench", text.to_string())).expect("a valid expression")
}

fn evaluation(c: &mut Criterion) {
    let zones = ["a", "b", "c"].map(Value::string).to_vec();
    let tags =
        [("owner", "team"), ("stage", "prod")].map(|(k, v)| (Arc::from(k), Value::string(v)));
    let scope = Names(
        Value::list(Type::String, zones),
        Value::map(Type::String, tags.into()),
    );
    let all: Vec<Expression> = EXPRESSIONS.iter().map(|e| expression(e)).collect();
    let mut group = c.benchmark_group("evaluate");
    group.throughput(Throughput::Elements(all.len() as u64));
    group.bench_function("a mix of expressions", |b| {
        b.iter(|| {
            for e in &all {
                let _ = black_box(evaluate(black_box(e), &scope));
            }
        });
    });
    group.throughput(Throughput::Elements(1));
    for (text, e) in EXPRESSIONS.iter().zip(&all) {
        group.bench_with_input(BenchmarkId::from_parameter(text), e, |b, e| {
            b.iter(|| black_box(evaluate(black_box(e), &scope)));
        });
    }
    group.finish();
}

/// A configuration of many resources, about a megabyte.
fn configuration() -> String {
    let mut text = String::new();
    for i in 0..2500 {
        let _ = write!(
            text,
            r#"
# Subnet {i}
resource "aws_subnet" "s{i}" {{
  count             = length(var.zones)
  vpc_id            = aws_vpc.main.id
  cidr_block        = cidrsubnet(var.cidr, 8, count.index + {i})
  availability_zone = var.zones[count.index]

  tags = merge(var.tags, {{
    Name = "${{local.name}}-{i}-${{count.index}}"
    Tier = {i} % 2 == 0 ? "public" : "private"
  }})

  lifecycle {{
    create_before_destroy = true
  }}
}}
"#
        );
    }
    text
}

/// Parses and translates every expression.
fn read(file: Arc<SourceFile>) -> usize {
    let parsed = Parsed::new(file).expect("a valid file");
    let mut diagnostics = Diagnostics::new();
    let content = parsed.body(&mut diagnostics).content(&[], &mut diagnostics);
    let mut expressions = 0;
    for block in &content.blocks {
        let inner = block.body.content(&[], &mut diagnostics);
        for a in &inner.attributes {
            black_box(a.value.expression(&[], &mut diagnostics));
            expressions += 1;
        }
    }
    expressions
}

fn parsing(c: &mut Criterion) {
    let text = configuration();
    let file = SourceFile::new("bench.tf", text.clone());
    let mut group = c.benchmark_group("read");
    group.sample_size(20);
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("native syntax", |b| b.iter(|| read(file.clone())));
    group.finish();
}

criterion_group!(benches, evaluation, parsing);
criterion_main!(benches);
