//! The tests that the repository's modules are written with, run by the built binary.

mod common;

use common::{Project, Run};

/// Runs the tests of a module beside its siblings, which it may call.
fn tests_of(module: &str) -> Run {
    let project = Project::copy_of("modules");
    let before = project.files();
    let chdir = format!("-chdir={module}");
    let run = project.topo(&[&chdir, "test"]).expect(0);
    assert_eq!(project.files(), before, "something is left behind");
    run
}

#[track_caller]
fn all_pass(module: &str, runs: usize) {
    let run = tests_of(module);
    let expected = format!("\nSuccess! {runs} passed, 0 failed.\n");
    assert!(run.stdout.ends_with(&expected), "{}", run.stdout);
}

#[test]
fn namespaces() {
    all_pass("namespaces", 5);
}

#[test]
fn cluster_certificate() {
    all_pass("cluster-certificate", 4);
}

#[test]
fn eks() {
    all_pass("eks", 5);
}

#[test]
fn database() {
    all_pass("database", 5);
}

#[test]
fn control_plane() {
    all_pass("control-plane", 4);
}

#[test]
fn data_plane() {
    all_pass("data-plane", 4);
}

#[test]
fn kong_hybrid() {
    all_pass("kong-hybrid", 3);
}

#[test]
fn every_module_has_tests() {
    let modules = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../modules");
    let entries = std::fs::read_dir(modules)
        .unwrap()
        .map(|e| e.unwrap().path());
    let dirs: Vec<_> = entries.filter(|p| p.is_dir()).collect();
    assert_eq!(dirs.len(), 7, "a new module needs its line here: {dirs:?}");
    for dir in dirs {
        let tests = std::fs::read_dir(dir.join("tests")).unwrap();
        assert!(tests.count() > 0, "{}", dir.display());
    }
}
