//! Kong Gateway in hybrid mode on EKS, from the repository's modules, lived through in the
//! sandbox with the built binary: what the README promises, command by command.

mod common;

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

use common::{Project, Run};
use serde_json::Value;

/// All objects that an apply makes.
const OBJECTS: usize = 67;
const AUTOSCALER: &str = "module.data_plane.kubernetes_horizontal_pod_autoscaler_v2.this";
const NODE_GROUP: &str = "module.eks.aws_eks_node_group.this";
const CLUSTER: &str = "module.eks.aws_eks_cluster.this";

/// A copy of the modules, so that the checkout stays as it is.
struct Kong(Project);

impl Kong {
    fn new() -> Kong {
        Kong(Project::copy_of("modules"))
    }

    /// After the first apply.
    fn applied() -> Kong {
        let kong = Kong::new();
        kong.topo(&["apply", "-auto-approve"]).expect(0);
        kong
    }

    /// In the sandbox.
    fn topo(&self, args: &[&str]) -> Run {
        let all = [&["-chdir=kong-hybrid", "--sandbox", "-no-color"], args].concat();
        self.0.topo(&all)
    }

    /// The addresses of managed objects in the state.
    fn managed(&self) -> BTreeSet<String> {
        let run = self.topo(&["state", "list"]).expect(0);
        let managed = run.stdout.lines().filter(|l| !is_data(l));
        managed.map(String::from).collect()
    }

    #[track_caller]
    fn has_no_changes(&self, more: &[&str]) {
        let plan = [&["plan", "-detailed-exitcode"], more].concat();
        let run = self.topo(&plan).expect(0);
        assert!(run.stdout.contains("No changes."), "{}", run.stdout);
    }

    #[track_caller]
    fn has_no_drift(&self) {
        let run = self.topo(&["drift"]).expect(0);
        assert!(run.stdout.contains("No drift."), "{}", run.stdout);
    }

    /// What a plan with these flags would do: action words by address.
    fn planned(&self, flags: &[&str]) -> Vec<(String, Vec<String>, Value)> {
        let plan = [&["plan", "-out=planned"], flags].concat();
        self.topo(&plan).expect(0);
        let json = self.topo(&["show", "-json", "planned"]).expect(0).json();
        let changes = json["resource_changes"].as_array().unwrap();
        let strings = |v: &Value| -> Vec<String> {
            let words = v.as_array().unwrap().iter();
            words.map(|w| w.as_str().unwrap().to_string()).collect()
        };
        changes
            .iter()
            .map(|c| {
                let address = c["address"].as_str().unwrap().to_string();
                (address, strings(&c["change"]["actions"]), c.clone())
            })
            .filter(|(_, actions, _)| !matches!(actions[0].as_str(), "no-op" | "read"))
            .collect()
    }
}

fn is_data(address: &str) -> bool {
    address.starts_with("data.") || address.contains(".data.")
}

/// Where a line that starts like this is in a run's output.
#[track_caller]
fn at(output: &str, start: &str) -> usize {
    output
        .lines()
        .position(|l| l.starts_with(start))
        .unwrap_or_else(|| panic!("no line starts with {start:?}:\n{output}"))
}

#[test]
fn one_apply_makes_everything_in_order() {
    let kong = Kong::new();
    let run = kong.topo(&["apply", "-auto-approve"]).expect(0);
    let text = &run.stdout;
    assert_eq!(run.stderr, "");
    assert!(text.starts_with("Sandbox:"), "{text}");
    for line in [
        "Plan: 67 to add, 0 to change, 0 to destroy.",
        "Apply complete! Resources: 67 added, 0 changed, 0 destroyed. (sandbox)",
        "cluster_name = \"K4K8S\"",
        "database_password = <sensitive>",
        "database_host = \"kong-postgresql.kong.svc.cluster.local\"",
    ] {
        assert!(text.lines().any(|l| l == line), "{line}\n{text}");
    }
    for part in [
        "  # module.eks.aws_vpc.this will be created",
        "      + cidr_block                           = \"192.168.0.0/16\"",
        "= (known after apply)",
        "  # planned from the schema alone: provider.kubernetes is configured during this apply",
        "\nproxy_hostname = \"",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let order = [
        (CLUSTER, NODE_GROUP),
        (
            NODE_GROUP,
            "module.namespaces.kubernetes_namespace_v1.this[\"control_plane\"]",
        ),
        (
            "module.namespaces.kubernetes_namespace_v1.this[\"control_plane\"]",
            "module.database.kubernetes_stateful_set_v1.this[0]",
        ),
        (
            "module.database.kubernetes_stateful_set_v1.this[0]",
            "module.control_plane.kubernetes_job_v1.migrations",
        ),
        (
            "module.control_plane.kubernetes_job_v1.migrations",
            "module.control_plane.kubernetes_deployment_v1.this",
        ),
        (
            "module.data_plane.kubernetes_deployment_v1.this",
            AUTOSCALER,
        ),
    ];
    for (first, second) in order {
        let done = at(text, &format!("{first}: Creation complete after"));
        let begun = at(text, &format!("{second}: Creating..."));
        assert!(done < begun, "{second} was begun before {first} was done");
    }
    kong.has_no_changes(&[]);
    kong.has_no_drift();
}

#[test]
fn what_is_there_can_be_looked_at() {
    let kong = Kong::applied();
    assert_eq!(kong.managed().len(), OBJECTS);

    let run = kong.topo(&["state", "show", AUTOSCALER]).expect(0);
    assert!(
        run.stdout.starts_with(&format!("# {AUTOSCALER}:\n")),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("        max_replicas = 20\n"),
        "{}",
        run.stdout
    );

    let outputs = kong.topo(&["output", "-json"]).expect(0).json();
    assert_eq!(outputs["cluster_name"]["value"], "K4K8S");
    assert_eq!(outputs["database_password"]["sensitive"], true);
    let run = kong.topo(&["output", "-raw", "cluster_name"]).expect(0);
    assert_eq!(run.stdout, "K4K8S");

    let state = kong.topo(&["show", "-json"]).expect(0).json();
    let mut addresses = BTreeSet::new();
    gather(&state["values"]["root_module"], &mut addresses);
    assert_eq!(addresses, kong.managed());

    // Everything but what is made without a network: a password, a key and its certificate.
    let run = kong.topo(&["sandbox", "list"]).expect(0);
    assert_eq!(run.stdout.lines().count(), OBJECTS - 3, "{}", run.stdout);
    let line = format!("aws_eks_cluster K4K8S {CLUSTER}");
    assert!(run.stdout.lines().any(|l| l == line), "{}", run.stdout);
    let run = kong.topo(&["sandbox", "show", CLUSTER]).expect(0);
    assert!(run.stdout.contains("= \"K4K8S\"\n"), "{}", run.stdout);

    // What is real is another state, with nothing in it.
    let real = kong.0.topo(&["-chdir=kong-hybrid", "state", "list"]);
    assert_eq!((real.code, real.stdout.as_str()), (0, ""));
}

/// The addresses of managed objects in a module of `show -json`.
fn gather(module: &Value, into: &mut BTreeSet<String>) {
    for resource in module["resources"].as_array().into_iter().flatten() {
        if resource["mode"] == "managed" {
            into.insert(resource["address"].as_str().unwrap().to_string());
        }
    }
    for child in module["child_modules"].as_array().into_iter().flatten() {
        gather(child, into);
    }
}

#[test]
fn tampering_is_drift_that_an_apply_heals() {
    let kong = Kong::applied();
    for (address, assignment, path, before, after, line) in [
        (
            AUTOSCALER,
            "spec[0].max_replicas=3",
            "spec[0].max_replicas",
            Value::from(20),
            Value::from(3),
            "          ~ max_replicas = 20 -> 3",
        ),
        (
            NODE_GROUP,
            "tags[\"project\"]=\"taken-over\"",
            "tags[\"project\"]",
            Value::from("kong-hybrid"),
            Value::from("taken-over"),
            "          ~ \"project\" = \"kong-hybrid\" -> \"taken-over\"",
        ),
    ] {
        kong.topo(&["sandbox", "set", address, assignment])
            .expect(0);
        let run = kong.topo(&["drift"]).expect(2);
        assert!(
            run.stdout.contains(&format!("  # {address} has changed\n")),
            "{}",
            run.stdout
        );
        let changed: Vec<&str> = run.stdout.lines().filter(|l| l.contains(" -> ")).collect();
        assert_eq!(changed, [line], "{}", run.stdout);
        let summary = format!("Drift: 1 of {OBJECTS} objects not as in the state.");
        assert!(run.stdout.contains(&summary), "{}", run.stdout);

        assert!(
            run.stdout.contains("# (an apply updates it in-place)\n"),
            "{}",
            run.stdout
        );

        let report = kong.topo(&["drift", "-json"]).expect(2).json();
        let objects = report["objects"].as_array().unwrap();
        assert_eq!(objects.len(), 1, "{report:#}");
        assert_eq!(objects[0]["address"], address);
        assert_eq!(objects[0]["consequence"], "update");
        let change = serde_json::json!([{ "path": path, "before": before, "after": after }]);
        assert_eq!(objects[0]["changes"], change);

        let run = kong.topo(&["apply", "-auto-approve"]).expect(0);
        let done = "Apply complete! Resources: 0 added, 1 changed, 0 destroyed. (sandbox)\n";
        assert!(run.stdout.contains(done), "{}", run.stdout);
        kong.has_no_drift();
        kong.has_no_changes(&[]);
    }
}

#[test]
fn an_object_removed_behind_topos_back_is_made_again() {
    let kong = Kong::applied();
    kong.topo(&["sandbox", "delete", AUTOSCALER]).expect(0);
    let run = kong.topo(&["drift"]).expect(2);
    let gone = format!("  # {AUTOSCALER} has been deleted\n");
    assert!(run.stdout.contains(&gone), "{}", run.stdout);
    assert!(
        run.stdout.contains("# (an apply creates it again)\n"),
        "{}",
        run.stdout
    );
    let run = kong.topo(&["apply", "-auto-approve"]).expect(0);
    let done = "Apply complete! Resources: 1 added, 0 changed, 0 destroyed.";
    assert!(run.stdout.contains(done), "{}", run.stdout);
    kong.has_no_drift();
}

#[test]
fn a_changed_variable_updates_that_one_object() {
    let kong = Kong::applied();
    let flag = "-var=data_plane_autoscaling={max_replicas=30}";
    let run = kong.topo(&["plan", "-detailed-exitcode", flag]).expect(2);
    assert!(
        run.stdout
            .contains("Plan: 0 to add, 1 to change, 0 to destroy."),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("          ~ max_replicas = 20 -> 30\n"),
        "{}",
        run.stdout
    );
    let planned = kong.planned(&[flag]);
    assert_eq!(planned.len(), 1, "{planned:?}");
    assert_eq!(planned[0].0, AUTOSCALER);
    assert_eq!(planned[0].1, ["update"]);
    kong.topo(&["apply", "-auto-approve", flag]).expect(0);
    kong.has_no_changes(&[flag]);
}

#[test]
fn another_cluster_name_replaces_the_cluster_and_all_that_is_in_it() {
    let kong = Kong::applied();
    let flag = "-var=name=other";
    let planned = kong.planned(&[flag]);
    let replaced: BTreeSet<&str> = planned
        .iter()
        .filter(|(_, actions, _)| actions.contains(&"delete".to_string()))
        .map(|(address, ..)| address.as_str())
        .collect();
    let managed = kong.managed();
    let inside = managed.iter().filter(|a| {
        a.contains(".kubernetes_")
            || a.contains(".aws_eks_addon")
            || [CLUSTER, NODE_GROUP].contains(&a.as_str())
    });
    for address in inside {
        assert!(
            replaced.contains(address.as_str()),
            "{address} is not replaced"
        );
    }

    let run = kong.topo(&["plan", flag]).expect(0);
    let mut headed = BTreeSet::new();
    for part in run.stdout.split("\n\n  # ") {
        let Some((address, _)) = part.split_once(" must be replaced") else {
            continue;
        };
        headed.insert(address.trim_start_matches("  # "));
        let inside = address.contains(".kubernetes_");
        let because = format!(
            "{address} must be replaced because its provider's host changes: {CLUSTER} is replaced\n"
        );
        let reason = if inside {
            part.starts_with(&because)
        } else {
            part.contains(" # forces replacement")
        };
        assert!(reason, "{part}");
    }
    assert_eq!(headed, replaced, "{}", run.stdout);

    let run = kong.topo(&["apply", "planned"]).expect(0);
    let text = &run.stdout;
    assert!(text.contains("cluster_name = \"other\"\n"), "{text}");
    // Inside first, while the old cluster is there; then the cluster; then all of it anew.
    let namespace = "module.namespaces.kubernetes_namespace_v1.this[\"data_plane\"]";
    let steps = [
        at(text, &format!("{namespace}: Destruction complete")),
        at(text, &format!("{CLUSTER}: Destroying...")),
        at(text, &format!("{CLUSTER}: Creation complete")),
        at(text, &format!("{namespace}: Creating...")),
    ];
    assert!(steps.is_sorted(), "{steps:?}\n{text}");
    kong.has_no_changes(&[flag]);
    kong.has_no_drift();
    assert_eq!(kong.managed(), managed);
}

#[test]
fn a_saved_plan_is_applied_once() {
    let kong = Kong::new();
    let run = kong.topo(&["plan", "-out=p"]).expect(0);
    assert!(
        run.stdout.contains("    topo apply --sandbox p\n"),
        "{}",
        run.stdout
    );
    let run = kong.topo(&["show", "p"]).expect(0);
    assert!(
        run.stdout
            .contains("Plan: 67 to add, 0 to change, 0 to destroy."),
        "{}",
        run.stdout
    );
    // What is simulated is never done for real.
    let run = kong.0.topo(&["-chdir=kong-hybrid", "apply", "p"]).expect(1);
    assert!(run.stderr.contains("--sandbox"), "{}", run.stderr);

    kong.topo(&["apply", "p"]).expect(0);
    kong.has_no_changes(&[]);
    let before = kong.topo(&["show", "-json"]).expect(0).stdout;
    let run = kong.topo(&["apply", "p"]).expect(1);
    assert!(
        run.stderr.contains("Error: Saved plan is stale"),
        "{}",
        run.stderr
    );
    assert_eq!(kong.topo(&["show", "-json"]).stdout, before);

    // A plan is of the configuration as it was.
    kong.topo(&["plan", "-out=p"]).expect(0);
    let main = kong.0.path().join("kong-hybrid/main.tf");
    let text = std::fs::read_to_string(&main).unwrap();
    std::fs::write(&main, format!("{text}\nlocals {{\n  later = 1\n}}\n")).unwrap();
    let run = kong.topo(&["apply", "p"]).expect(1);
    assert!(
        run.stderr.contains("Error: Saved plan is stale"),
        "{}",
        run.stderr
    );
}

#[test]
fn destroy_leaves_nothing() {
    let kong = Kong::applied();
    let run = kong.topo(&["destroy", "-auto-approve"]).expect(0);
    let text = &run.stdout;
    let done = "Destroy complete! Resources: 67 destroyed. (sandbox)\n";
    assert!(text.contains(done), "{text}");
    let deployment = "module.control_plane.kubernetes_deployment_v1.this";
    let namespace = "module.namespaces.kubernetes_namespace_v1.this[\"control_plane\"]";
    let vpc = "module.eks.aws_vpc.this";
    for (first, second) in [
        (
            AUTOSCALER,
            "module.data_plane.kubernetes_deployment_v1.this",
        ),
        (deployment, namespace),
        (namespace, NODE_GROUP),
        (NODE_GROUP, CLUSTER),
        (CLUSTER, vpc),
    ] {
        let gone = at(text, &format!("{first}: Destruction complete after"));
        let begun = at(text, &format!("{second}: Destroying..."));
        assert!(gone < begun, "{second} was begun before {first} was gone");
    }
    assert_eq!(kong.topo(&["sandbox", "list"]).expect(0).stdout, "");
    assert_eq!(kong.topo(&["state", "list"]).expect(0).stdout, "");
}

#[test]
fn graphviz_accepts_the_graph() {
    let kong = Kong::new();
    kong.topo(&["validate"]).expect(0);
    let graph = kong.topo(&["graph"]).expect(0).stdout;
    let dot = std::env::var_os("TOPO_TEST_DOT").unwrap_or_else(|| "dot".into());
    let started = Command::new(&dot)
        .arg("-Tplain")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = started
        .unwrap_or_else(|e| panic!("{}: {e}; tests/install installs Graphviz", dot.display()));
    // The graph is larger than a pipe holds: it is written while the answer is read.
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(graph.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    let plain = String::from_utf8(output.stdout).unwrap();
    assert!(plain.contains("aws_eks_cluster.this"), "{plain}");
    assert!(plain.lines().any(|l| l.starts_with("edge ")), "{plain}");
}

#[test]
fn secrets_are_never_shown() {
    let kong = Kong::new();
    let licence = "-var=license={\"key\":\"licence-never-shown\"}";
    let mut seen = String::new();
    let mut see = |args: &[&str], code: i32| {
        let run = kong.topo(args).expect(code);
        seen.push_str(&run.text());
        run.stdout
    };
    see(&["plan", licence], 0);
    see(&["plan", licence, "-out=p"], 0);
    see(&["show", "p"], 0);
    see(&["apply", "p"], 0);
    see(&["plan", licence], 0);
    see(&["show"], 0);
    see(&["output"], 0);
    see(&["graph"], 0);
    let addresses = see(&["state", "list"], 0);
    let telling = ["secret", "password", "tls_", "auth", "aws_eks_cluster"];
    let may_tell = |a: &&str| telling.iter().any(|part| a.contains(part));
    for address in addresses.lines().filter(may_tell) {
        see(&["state", "show", address], 0);
    }
    see(&["sandbox", "list"], 0);
    for address in addresses
        .lines()
        .filter(|a| a.contains("kubernetes_secret"))
    {
        see(&["sandbox", "show", address], 0);
    }
    // The very object that holds the password, tampered with: neither value is shown.
    let secret = "module.database.kubernetes_secret_v1.password";
    let tampered = "data[\"password\"]=\"tampered-never-shown\"";
    see(&["sandbox", "set", secret, tampered], 0);
    see(&["drift"], 2);
    see(&["drift", "-json"], 2);
    see(&["apply", "-auto-approve", licence], 0);
    see(&["apply", "-auto-approve", licence, "-var=name=other"], 0);

    let password = kong
        .topo(&["output", "-raw", "database_password"])
        .expect(0)
        .stdout;
    assert_eq!(password.len(), 32);
    let state = kong.topo(&["show", "-json"]).expect(0).json();
    let mut keys = Vec::new();
    strings(&state, &mut |text| {
        // Each line of a key's body says something of the key.
        if text.starts_with("-----BEGIN") && text.contains("PRIVATE KEY-----") {
            let body = text.lines().filter(|l| !l.starts_with("-----"));
            keys.extend(body.filter(|l| l.len() > 16).map(String::from));
        }
    });
    assert!(!keys.is_empty());
    let token = "k8s-aws-v1.";
    let fixed = [
        password.as_str(),
        token,
        "licence-never-shown",
        "tampered-never-shown",
    ];
    for secret in fixed.into_iter().chain(keys.iter().map(String::as_str)) {
        let line = seen.lines().find(|l| l.contains(secret));
        assert_eq!(line, None, "{secret} is shown");
    }
}

fn strings(value: &Value, found: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => found(text),
        Value::Array(items) => items.iter().for_each(|v| strings(v, found)),
        Value::Object(entries) => entries.values().for_each(|v| strings(v, found)),
        _ => {}
    }
}
