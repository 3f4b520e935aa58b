//! Modules from git repositories.

mod common;

use common::{Project, Repository, call};
use topo_installer::Event;

#[tokio::test]
async fn a_changed_ref_is_installed_anew_and_an_unchanged_one_costs_nothing() {
    let repository = Repository::new(&[("main.tf", "# one"), ("sub/main.tf", "# sub")]);
    repository.git(&["checkout", "--quiet", "-b", "feature/x"]);
    let commit = repository.commit(&[("main.tf", "# two")]);
    repository.git(&["checkout", "--quiet", "main"]);
    repository.commit(&[("main.tf", "# three")]);
    let url = repository.url();
    let project = Project::calling(&format!("{url}?ref=v1"));

    let run = project.install().await.fine();
    assert_eq!(run.fetched(), [format!("m {url}?ref=v1")]);
    assert_eq!((run.result.installed, run.result.unchanged), (1, 0));
    assert_eq!(project.read(".topo/modules/m/main.tf"), "# one");
    assert_eq!(
        project.manifest(),
        [format!("m {url}?ref=v1 - .topo/modules/m")]
    );
    assert_eq!(project.modules(), ["m", "modules.json"]);
    assert!(!project.exists(".topo/modules/m/.git"));

    // A mark in the installed module shows that it is left alone.
    project.write(".topo/modules/m/mark", "");
    let run = project.install().await.fine();
    assert!(run.events.is_empty(), "{:?}", run.events);
    assert_eq!((run.result.installed, run.result.unchanged), (0, 1));
    assert!(project.exists(".topo/modules/m/mark"));

    for (reference, expected) in [
        ("?ref=feature/x".to_string(), "# two"),
        (String::new(), "# three"),
        (format!("?ref={commit}"), "# two"),
        (format!("?ref={}", &commit[..9]), "# two"),
        ("?ref=v1&depth=1".to_string(), "# one"),
        ("?ref=refs/heads/main".to_string(), "# three"),
    ] {
        project.write("main.tf", &call("m", &format!("{url}{reference}")));
        let run = project.install().await.fine();
        assert_eq!(run.result.installed, 1, "{reference}");
        assert_eq!(
            project.read(".topo/modules/m/main.tf"),
            expected,
            "{reference}"
        );
        assert!(!project.exists(".topo/modules/m/mark"));
    }

    project.write("main.tf", &call("m", &format!("{url}//sub?ref=v1")));
    project.install().await.fine();
    assert_eq!(
        project.manifest(),
        [format!("m {url}//sub?ref=v1 - .topo/modules/m/sub")]
    );
}

#[tokio::test]
async fn an_upgrade_looks_again() {
    let repository = Repository::new(&[("main.tf", "# one")]);
    let mut project = Project::calling(&repository.url());
    project.install().await.fine();
    repository.commit(&[("main.tf", "# two")]);
    project.install().await.fine();
    assert_eq!(project.read(".topo/modules/m/main.tf"), "# one");
    project.options.upgrade = true;
    project.install().await.fine();
    assert_eq!(project.read(".topo/modules/m/main.tf"), "# two");
}

#[tokio::test]
async fn nested_modules_reach_what_is_in_their_package() {
    let inner = Repository::new(&[("main.tf", "# inner")]);
    let outer = Repository::new(&[
        (
            "modules/a/main.tf",
            &(call("b", "../b") + &call("inner", &inner.url())),
        ),
        ("modules/b/main.tf", ""),
    ]);
    let project = Project::new(
        &(call("a", &format!("{}//modules/a", outer.url())) + &call("local", "./local")),
    );
    project.write("local/main.tf", &call("inner", &inner.url()));
    let run = project.install().await.fine();
    assert_eq!(run.result.installed, 3);
    assert_eq!(
        project.manifest(),
        [
            format!("a {}//modules/a - .topo/modules/a/modules/a", outer.url()),
            "a.b ../b - .topo/modules/a/modules/b".into(),
            format!("a.inner {} - .topo/modules/a.inner", inner.url()),
            "local ./local - local".into(),
            format!("local.inner {} - .topo/modules/local.inner", inner.url()),
        ]
    );
    assert_eq!(project.read(".topo/modules/a.inner/main.tf"), "# inner");
    assert_eq!(project.read(".topo/modules/local.inner/main.tf"), "# inner");

    // What is not called any more is removed, and nothing else.
    project.write("main.tf", &call("local", "./local"));
    project.write(".topo/modules/of-the-user/x", "");
    project.install().await.fine();
    assert_eq!(
        project.modules(),
        ["local.inner", "modules.json", "of-the-user"]
    );
}

#[tokio::test]
async fn a_package_serves_all_who_call_it() {
    let repository = Repository::new(&[("a/main.tf", "# a"), ("b/main.tf", "# b")]);
    let url = repository.url();
    let project = Project::new(&format!(
        "{}{}{}",
        call("x", &format!("{url}//a")),
        call("y", &format!("{url}//b")),
        call("z", "./z")
    ));
    project.write("z/main.tf", &call("later", &format!("{url}//a")));
    let run = project.install().await.fine();
    assert_eq!(run.result.installed, 3);
    for (dir, text) in [
        ("x/a", "# a"),
        ("x/b", "# b"),
        ("y/a", "# a"),
        ("z.later/b", "# b"),
    ] {
        assert_eq!(project.read(&format!(".topo/modules/{dir}/main.tf")), text);
    }
}

#[tokio::test]
async fn failures_say_which_module_where_and_why_and_leave_what_was_there() {
    let repository = Repository::new(&[("main.tf", "# one"), ("empty/x.txt", "")]);
    let url = repository.url();
    let project = Project::calling(&url);
    project.install().await.fine();

    for (source, parts) in [
        (
            format!("{url}?ref=nope"),
            vec![
                "Failed to download module",
                "The module m cannot be installed from",
                "?ref=nope",
                "couldn't find remote ref nope",
                "main.tf:2,12",
            ],
        ),
        (format!("{url}?ref=abcdef1234"), vec!["abcdef1234"]),
        (
            format!("{url}//nowhere"),
            vec![
                "Module not found in its package",
                "no directory \"nowhere\"",
            ],
        ),
        (format!("{url}//empty"), vec!["no configuration files"]),
        (
            "git::file:///nowhere/at/all.git".into(),
            vec!["does not appear to be a git repository"],
        ),
        (
            "git::http://127.0.0.1:1/x.git".into(),
            vec!["git could not fetch http://127.0.0.1:1/x.git", "127.0.0.1"],
        ),
        (
            "git::http://user:geheim@127.0.0.1:1/x.git".into(),
            vec!["user:***@127.0.0.1"],
        ),
    ] {
        project.write("main.tf", &call("m", &source));
        let run = project.install().await.fails_with(&parts);
        assert!(!run.errors().contains("geheim"), "{}", run.errors());
        assert_eq!(
            project.manifest(),
            [format!("m {url} - .topo/modules/m")],
            "{source}"
        );
        assert_eq!(project.read(".topo/modules/m/main.tf"), "# one");
        assert_eq!(project.modules(), ["m", "modules.json"], "{source}");
    }
}

#[tokio::test]
async fn all_failures_are_told_and_the_rest_is_installed() {
    let repository = Repository::new(&[(
        "main.tf",
        &(call("up", "../outside") + &call("../x", "./y")),
    )]);
    let project = Project::new(&format!(
        "{}{}{}{}",
        call("a", "nonsense"),
        call("b", "s3::https://s3.amazonaws.com/bucket/x.zip"),
        call("c", "git::file:///nowhere"),
        call("d", &repository.url())
    ));
    let run = project.install().await;
    let mut found: Vec<&str> = run
        .result
        .diagnostics
        .iter()
        .map(|d| d.summary.as_str())
        .collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "Failed to download module",
            "Invalid module name",
            "Invalid module source address",
            "Invalid module source address",
            "Local module path leads out of the package",
        ],
        "{}",
        run.errors()
    );
    assert_eq!(run.result.installed, 1);
    assert!(project.exists(".topo/modules/d/main.tf"));
    let shown = run.result.sources.text(".topo/modules/d/main.tf");
    assert!(shown.is_some());
}

#[tokio::test]
async fn what_a_killed_installation_left_is_cleared_away() {
    let repository = Repository::new(&[("main.tf", "# one")]);
    let project = Project::calling(&repository.url());
    project.install().await.fine();
    // As after a kill between taking the module out of the manifest and writing it again.
    project.write(".topo/modules/modules.json", "{\"Modules\":[]}");
    project.write(".topo/modules/m/main.tf", "# half");
    project.write(".topo/modules/.tmp-dead/0/main.tf", "");
    project.install().await.fine();
    assert_eq!(project.read(".topo/modules/m/main.tf"), "# one");
    assert_eq!(project.modules(), ["m", "modules.json"]);

    project.write(".topo/modules/modules.json", "{");
    let run = project.install().await;
    assert!(run.errors().contains("made anew"), "{}", run.errors());
    assert!(!run.result.diagnostics.has_errors());
    assert_eq!(project.manifest().len(), 1);
}

#[tokio::test]
async fn a_module_that_calls_itself_is_told_at_once() {
    let repository = Repository::new(&[("main.tf", "")]);
    let url = repository.url();
    repository.commit(&[
        ("main.tf", &(call("x", &url) + &call("y", "./sub"))),
        ("sub/main.tf", &call("z", "../")),
    ]);
    let project = Project::calling(&url);
    let run = project.install().await;
    let summaries: Vec<&str> = run
        .result
        .diagnostics
        .iter()
        .map(|d| d.summary.as_str())
        .collect();
    assert_eq!(summaries, ["Module calls itself"; 2], "{}", run.errors());
    assert_eq!(run.result.installed, 1);

    let project = Project::calling("./a");
    project.write("a/main.tf", &call("b", "../"));
    project
        .install()
        .await
        .fails_with(&["Module calls itself", "a/main.tf:2,12"]);
}

#[tokio::test]
async fn two_installations_at_once_wait_for_each_other() {
    let repository = Repository::new(&[("main.tf", "# one")]);
    let project = Project::calling(&repository.url());
    let (a, b) = tokio::join!(project.install(), project.install());
    let (a, b) = (a.fine(), b.fine());
    assert!(a.events.contains(&Event::Waiting) != b.events.contains(&Event::Waiting));
    assert_eq!(project.read(".topo/modules/m/main.tf"), "# one");
    assert_eq!(project.modules(), ["m", "modules.json"]);
}
