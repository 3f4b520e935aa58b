//! Whole plans and what stands at the end of a run.

use insta::assert_snapshot;
use topo_engine::changes::{
    Counts, Deferred, DeferredReason, Drift, Importing, OutputChange, Overview, PlanMode, Reason,
    Unread,
};
use topo_sdk::{Diagnostics, Type, Value};

use super::*;
use crate::render::{plan, summary};

fn overview(changes: Vec<InstanceChange>) -> Overview {
    Overview {
        changes,
        drift: Vec::new(),
        outputs: Vec::new(),
        deferred_providers: Vec::new(),
        deferred: Vec::new(),
        unread: Vec::new(),
        checks: Vec::new(),
        diagnostics: Diagnostics::new(),
        mode: PlanMode::Normal,
        partial: false,
    }
}

fn text(overview: &Overview) -> String {
    plain(&plan::plan(overview, &Options::default()))
}

fn creation(address: &str) -> InstanceChange {
    let mut c = changed(
        ChangeAction::Create,
        None,
        Some(object(&[("name", "x".into())])),
    );
    c.key = key(address);
    c
}

fn moved() -> InstanceChange {
    let same = object(&[("id", "i-1".into())]);
    let mut c = changed(ChangeAction::NoOp, Some(same.clone()), Some(same));
    c.previous = Some(key("test_thing.old").address);
    c
}

fn drift() -> Vec<Drift> {
    let object = |size: i64| object(&[("name", "x".into()), ("size", Value::from(size))]);
    vec![
        Drift {
            key: key("test_thing.gone"),
            before: super::object(&[("name", "x".into())]),
            after: None,
            schema: schema(),
            consequence: None,
        },
        Drift {
            key: key("test_thing.other"),
            before: object(10),
            after: Some(object(3)),
            schema: schema(),
            consequence: None,
        },
    ]
}

fn output(name: &str, before: Option<Value>, after: Option<Value>) -> OutputChange {
    OutputChange {
        name: name.into(),
        before,
        after,
        sensitive: false,
    }
}

fn deferred(address: &str, reason: DeferredReason, unknown: &[&str]) -> Deferred {
    Deferred {
        address: address.into(),
        resource: key("test_thing.x").address.resource,
        provider: provider("test"),
        reason,
        unknown: unknown.iter().map(|u| (*u).to_string()).collect(),
        schema: schema(),
    }
}

#[test]
fn a_whole_plan() {
    let mut same = changed(ChangeAction::NoOp, Some(object(&[])), Some(object(&[])));
    same.key = key("test_thing.same");
    let mut o = overview(vec![creation("test_thing.x"), same]);
    o.drift = drift();
    o.outputs = vec![output("url", None, Some(Value::unknown(Type::String)))];
    assert_snapshot!(text(&o), @r#"
    Note: Objects have changed outside of topo

    topo found these changes made outside of it since the last apply:

      # test_thing.gone has been deleted
      - resource "test_thing" "gone" {
          - name = "x" -> null
        }

      # test_thing.other has changed
      ~ resource "test_thing" "other" {
            name = "x"
          ~ size = 10 -> 3
        }

    Where the configuration says otherwise, and does not ignore it with
    ignore_changes, the plan below undoes them.

    ──────────────────────────────────────────────────────────────────────────────

    topo worked out the following plan. Resource actions are indicated with these
    symbols:
      + create

    topo will perform the following actions:

      # test_thing.x will be created
      + resource "test_thing" "x" {
          + name = "x"
        }

    Plan: 1 to add, 0 to change, 0 to destroy.

    Changes to Outputs:
      + url = (known after apply)
    "#);
    let options = Options {
        concise: true,
        ..Options::default()
    };
    let concise = plain(&plan::plan(&o, &options));
    assert!(concise.starts_with("topo worked out"), "{concise}");
}

#[test]
fn the_legend_has_the_symbols_that_are_used() {
    let mut changes = Vec::new();
    for action in [
        ChangeAction::Create,
        ChangeAction::Update,
        ChangeAction::Delete,
        ChangeAction::DeleteThenCreate,
        ChangeAction::CreateThenDelete,
        ChangeAction::Read,
        ChangeAction::Forget,
    ] {
        let some = || Some(object(&[("size", Value::from(1))]));
        let (before, after) = match action {
            ChangeAction::Create | ChangeAction::Read => (None, some()),
            ChangeAction::Delete | ChangeAction::Forget => (some(), None),
            _ => (some(), Some(object(&[("size", Value::from(2))]))),
        };
        let mut c = changed(action, before, after);
        if action == ChangeAction::Read {
            c.key = key("data.test_thing.x");
            c.reason = Some(Reason::ConfigUnknown);
        }
        changes.push(c);
    }
    let text = text(&overview(changes));
    let (legend, _) = text.split_once("\n\n").unwrap();
    assert_snapshot!(legend, @r"
    topo worked out the following plan. Resource actions are indicated with these
    symbols:
      + create
      ~ update in-place
      - destroy
    -/+ destroy and then create replacement
    +/- create replacement and then destroy
     <= read (data sources)
      . forget, without destroying
    ");
    assert!(
        text.ends_with("\nPlan: 3 to add, 1 to change, 3 to destroy, 1 to forget.\n"),
        "{text}"
    );
}

#[test]
fn moves_alone_change_no_infrastructure() {
    assert_snapshot!(text(&overview(vec![moved()])), @r#"
    topo will perform the following actions:

      # test_thing.old has moved to test_thing.x
        resource "test_thing" "x" {
            id = "i-1"
        }

    Plan: 0 to add, 0 to change, 0 to destroy.
    Objects only move to other addresses in the state: no infrastructure changes.
    "#);
}

#[test]
fn imports_are_counted_beside_what_else_happens() {
    let mut c = moved();
    c.previous = None;
    c.importing = Some(Importing {
        id: "i-1".into(),
        generated: false,
    });
    let text = text(&overview(vec![c, creation("test_thing.y")]));
    assert!(
        text.contains("\nPlan: 1 to import, 1 to add, 0 to change, 0 to destroy.\n"),
        "{text}"
    );
}

#[test]
fn outputs_are_compared_like_everything_else() {
    let numbers = |all: &[i64]| Value::tuple(all.iter().map(|n| Value::from(*n)).collect());
    let mut o = overview(Vec::new());
    let mut token = output("token", Some("a".into()), Some("b".into()));
    token.sensitive = true;
    o.outputs = vec![
        output("url", None, Some(Value::unknown(Type::String))),
        token,
        output("same", Some("a".into()), Some("a".into())),
        output("gone", Some("a".into()), None),
        output("none", None, Some(Value::NULL)),
        output("text", Some("x\ny".into()), Some("x\nz".into())),
        output(
            "nested",
            Some(Value::object([
                ("a", Value::from(1)),
                ("b", numbers(&[1, 2, 3, 4])),
            ])),
            Some(Value::object([
                ("a", Value::from(1)),
                ("b", numbers(&[1, 2, 4])),
            ])),
        ),
    ];
    assert_snapshot!(text(&o), @r#"
    Changes to Outputs:
      + url    = (known after apply)
      ~ token  = (sensitive value)
      - gone   = "a" -> null
      ~ text   = <<-EOT
            x
          - y
          + z
        EOT
      ~ nested = {
          ~ b = [
                # (1 unchanged element hidden)
                2,
              - 3,
                4,
            ]
            # (1 unchanged attribute hidden)
        }

    You can apply this plan to save these new output values to the topo state,
    without changing any real infrastructure.
    "#);
    let options = Options {
        show_sensitive: true,
        ..Options::default()
    };
    let clear = plain(&plan::plan(&o, &options));
    assert!(clear.contains("~ token  = \"a\" -> \"b\"\n"), "{clear}");
}

#[test]
fn an_output_that_becomes_sensitive_changes() {
    let mut o = overview(Vec::new());
    let secret = Value::string("a").sensitive();
    o.outputs = vec![output("token", Some("a".into()), Some(secret))];
    assert!(
        text(&o).starts_with("Changes to Outputs:\n  ~ token = (sensitive value)\n"),
        "{}",
        text(&o)
    );
}

#[test]
fn an_empty_plan_says_that_all_is_well() {
    assert_snapshot!(text(&overview(Vec::new())), @r"
    No changes. Your infrastructure matches the configuration.

    topo compared what exists with the configuration and found no difference, so
    there is nothing to do.
    ");
    let mut partial = overview(Vec::new());
    partial.partial = true;
    assert!(text(&partial).ends_with("\nOnly what -target and -exclude leave was looked at.\n"));
}

#[test]
fn reading_alone_is_no_change() {
    let mut c = creation("data.test_thing.x");
    c.action = ChangeAction::Read;
    assert!(text(&overview(vec![c])).starts_with("No changes. "));
}

#[test]
fn drift_that_the_configuration_agrees_with_needs_nothing() {
    let mut o = overview(Vec::new());
    o.drift = drift();
    let text = text(&o);
    let (_, end) = text.split_once('─').unwrap();
    assert_snapshot!(end.trim_start_matches('─').trim_start(), @r"
    No changes. Your infrastructure matches the configuration.

    The configuration agrees with what changed outside of topo. An apply takes
    these changes into the state and touches nothing else:
      topo apply -refresh-only
    ");
}

#[test]
fn a_destroy_plan_without_objects_says_so() {
    let mut o = overview(Vec::new());
    o.mode = PlanMode::Destroy;
    assert_snapshot!(text(&o), @r"
    No changes. No objects need to be destroyed.

    Either nothing has been created yet, or all of it is gone already.
    ");
}

#[test]
fn a_refresh_only_plan_says_what_it_accepts() {
    let mut o = overview(Vec::new());
    o.mode = PlanMode::RefreshOnly;
    assert_snapshot!(text(&o), @r"
    No changes. Your infrastructure still matches the state.

    topo compared what exists with what the last apply left and found no
    difference.
    ");
    o.drift = drift();
    let found = text(&o);
    let (_, end) = found.rsplit_once("    }\n\n").unwrap();
    assert_snapshot!(end, @r"
    This is a refresh-only plan: applying it accepts what became of 2 objects into
    the state and changes nothing else.
    ");
    // It is all that such a plan is about.
    let options = Options {
        concise: true,
        ..Options::default()
    };
    assert_eq!(plain(&plan::plan(&o, &options)), found);
}

#[test]
fn objects_that_could_not_be_read_are_listed_apart() {
    let mut o = overview(Vec::new());
    o.mode = PlanMode::RefreshOnly;
    o.unread = vec![Unread {
        key: key("test_thing.far"),
        diagnostics: Diagnostics::error("No answer\u{7}", "The host is down."),
    }];
    assert_snapshot!(text(&o), @r"
    Note: 1 object could not be read

      # test_thing.far: No answer\u0007

    What became of them outside is not known; in the state they stay as they are.

    No changes. What could be read still matches the state.

    The objects listed above could not be read.
    ");
}

#[test]
fn what_waits_for_a_later_round_is_listed_with_the_reason() {
    use DeferredReason::{InstanceCountUnknown, Prerequisite};
    let mut o = overview(vec![creation("test_thing.x")]);
    o.deferred = vec![
        deferred(
            "module.a[*].test_thing.s[*]",
            InstanceCountUnknown,
            &["var.x", "test_thing.x"],
        ),
        deferred("test_thing.t[*]", InstanceCountUnknown, &[]),
        deferred("test_thing.u", Prerequisite, &[]),
        deferred("test_thing.v", Prerequisite, &["module.a"]),
    ];
    let all = text(&o);
    let (_, end) = all.split_once("    }\n\n").unwrap();
    assert_snapshot!(end, @r"
    topo leaves this to a later round, when more is known:

      # module.a[*].test_thing.s[*] is deferred
      # (how many there are depends on var.x, test_thing.x, known only after apply)

      # test_thing.t[*] is deferred
      # (how many there are is known only after apply)

      # test_thing.u is deferred
      # (depends on something that is deferred)

      # test_thing.v is deferred
      # (depends on module.a, which is deferred or known only later)

    Plan: 1 to add, 0 to change, 0 to destroy.
    ");
    // A plan of which everything waits is not one without changes.
    o.changes.clear();
    let all = text(&o);
    assert!(
        all.starts_with("topo leaves this to a later round"),
        "{all}"
    );
    assert!(!all.contains("No changes"), "{all}");
}

#[test]
fn ephemeral_resources_and_data_sources_that_go_are_not_told() {
    let mut gone = creation("data.test_thing.x");
    (gone.before, gone.after) = (gone.after, None);
    gone.action = ChangeAction::Delete;
    let opened = creation("ephemeral.test_thing.x");
    assert!(text(&overview(vec![gone, opened])).starts_with("No changes. "));
}

#[test]
fn the_end_of_an_apply_counts_what_was_done() {
    let counts = Counts {
        import: 1,
        add: 2,
        change: 0,
        destroy: 1,
        forget: 1,
    };
    let end =
        |mode, counts: &Counts, incomplete| plain(&summary::applied(mode, counts, incomplete));
    assert_eq!(
        end(PlanMode::Normal, &counts, None),
        "Apply complete! Resources: 1 imported, 2 added, 0 changed, 1 destroyed, 1 forgotten."
    );
    assert_eq!(
        end(PlanMode::Normal, &Counts::default(), None),
        "Apply complete! Resources: 0 added, 0 changed, 0 destroyed."
    );
    assert_eq!(
        end(PlanMode::Destroy, &counts, None),
        "Destroy complete! Resources: 1 destroyed, 1 forgotten."
    );
    assert_eq!(
        end(PlanMode::Normal, &Counts::default(), Some((1, 3))),
        "Apply incomplete. Resources: 0 added, 0 changed, 0 destroyed; 1 operation failed, 3 not done."
    );
    assert_eq!(
        plain(&summary::planned(&counts)),
        "Plan: 1 to import, 2 to add, 0 to change, 1 to destroy, 1 to forget."
    );
}
