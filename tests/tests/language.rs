//! Whole configurations with what is expected of them: the folders below `tests/language`.
//!
//! A folder holds a configuration and one or both of
//! - `expected.txt`: what checking it finds, an entry for each diagnostic: severity, place,
//!   summary, then the detail, indented. Without this file nothing may be found.
//! - `outputs.json`: what the root module's outputs come to in a plan; `"(known after apply)"`
//!   and `"(sensitive)"` stand for what is not shown. Values of variables are taken from
//!   `terraform.tfvars` and its like, as the command line takes them.
//!
//! `TOPO_UPDATE_EXPECTED=1` writes what is found into the files that exist or are missing: to be
//! read before it is kept.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value as Json, json};
use topo_engine::config;
use topo_engine::plan::{PlanOptions, plan};
use topo_engine::providers::Providers;
use topo_engine::store::State;
use topo_engine::variables::{GivenBy, Inputs};
use topo_sdk::json::to_json;
use topo_sdk::{Diagnostic, Diagnostics, Marks, Provider, Severity, Value};

fn providers() -> Providers {
    let mut all: Vec<Arc<dyn Provider>> = topo_provider_builtin::providers();
    all.push(topo_provider_aws::provider());
    all.push(topo_provider_kubernetes::provider());
    Providers::new(all)
}

fn entry(d: &Diagnostic, dir: &Path) -> String {
    let severity = match d.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let place = match &d.range {
        Some(r) => format!(
            " {}:{}:{}-{}:{}",
            r.file, r.start.line, r.start.column, r.end.line, r.end.column
        ),
        None => String::new(),
    };
    let mut text = format!("{severity}{place} {}\n", d.summary);
    let here = format!("{}/", dir.display());
    for line in d.detail.replace(&here, "").lines() {
        let _ = writeln!(text, "    {line}");
    }
    for (name, value) in &d.values {
        let _ = writeln!(text, "    - {name} is {value}");
    }
    text
}

fn shown(diagnostics: &Diagnostics, dir: &Path) -> String {
    diagnostics.iter().map(|d| entry(d, dir)).collect()
}

fn output(value: &Value) -> Json {
    if value.marks().contains(Marks::SENSITIVE) {
        return json!("(sensitive)");
    }
    if !value.is_known() {
        return json!("(known after apply)");
    }
    match value.as_map() {
        Some(map) => map
            .iter()
            .map(|(k, v)| (k.to_string(), output(v)))
            .collect(),
        None => match value.as_slice() {
            Some(items) => items.iter().map(output).collect(),
            None => to_json(value),
        },
    }
}

fn inputs(dir: &Path) -> Inputs {
    let mut inputs = Inputs::default();
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .expect("the folder")
        .map(|e| {
            e.expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|n| n.ends_with(".auto.tfvars") || n.ends_with(".auto.tfvars.json"))
        .collect();
    names.sort();
    for name in ["terraform.tfvars", "terraform.tfvars.json"]
        .into_iter()
        .map(str::to_string)
        .chain(names)
    {
        if let Ok(text) = std::fs::read_to_string(dir.join(&name)) {
            inputs.add_file(&name, text, GivenBy::Definitions);
        }
    }
    inputs
}

async fn planned(dir: &Path, config: Arc<config::Config>) -> Result<Json, Diagnostics> {
    let options = PlanOptions::default();
    let plan = plan(
        config,
        &providers(),
        &inputs(dir),
        State::default(),
        &options,
        Arc::new(|_| {}),
    )
    .await?;
    Ok(plan
        .outputs
        .iter()
        .filter_map(|o| Some((o.name.to_string(), output(o.after.as_ref()?))))
        .collect())
}

/// Compares with a file, or writes it where that is asked for.
fn compare(path: &Path, found: &str, wrong: &mut Vec<String>) {
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    if expected == found {
        return;
    }
    if std::env::var_os("TOPO_UPDATE_EXPECTED").is_some() {
        std::fs::write(path, found).expect("writable");
        return;
    }
    wrong.push(format!(
        "{}\n--- expected\n{expected}--- found\n{found}",
        path.display()
    ));
}

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("language");
    let mut found: Vec<PathBuf> = std::fs::read_dir(root)
        .expect("the folder of cases")
        .map(|e| e.expect("an entry").path())
        .filter(|p| p.is_dir())
        .collect();
    found.sort();
    found
}

#[tokio::test]
async fn every_configuration_is_as_expected() {
    let providers = providers();
    let mut wrong = Vec::new();
    let cases = cases();
    for dir in &cases {
        let loaded = config::load(dir, &providers);
        let found = shown(&loaded.diagnostics, dir);
        let diagnostics = dir.join("expected.txt");
        if !found.is_empty() || diagnostics.exists() {
            compare(&diagnostics, &found, &mut wrong);
        }
        let outputs = dir.join("outputs.json");
        if !outputs.exists() {
            continue;
        }
        let Some(config) = loaded.config else {
            wrong.push(format!("{} has errors:\n{found}", dir.display()));
            continue;
        };
        match planned(dir, config).await {
            Ok(json) => compare(&outputs, &format!("{json:#}\n"), &mut wrong),
            Err(ds) => wrong.push(format!("{}:\n{}", dir.display(), shown(&ds, dir))),
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} configurations:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
    assert!(!cases.is_empty());
}
