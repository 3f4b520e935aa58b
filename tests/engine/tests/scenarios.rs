//! The table of scenarios: every folder of `scenarios/` does what its `expected.txt` says.

use std::path::Path;

#[test]
fn every_scenario_does_what_is_expected() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let (count, differences) = topo_engine_tests::table::run_all(&dir);
    assert!(count > 0, "there are no scenarios");
    assert!(
        differences.is_empty(),
        "{} of {count} scenarios differ:\n{}",
        differences.len(),
        differences.join("\n")
    );
}
