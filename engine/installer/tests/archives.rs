//! Modules from archives and directories, over HTTP and from this machine.

mod common;

use common::archives::{Item, bz2, gz, tar, xz, zip};
use common::server::{Answer, Server};
use common::{Project, call, write};
use topo_installer::Limits;

const MODULE: [Item<'static>; 4] = [
    Item::Directory("vpc-abc/"),
    Item::File("vpc-abc/main.tf", "# main"),
    Item::Link("vpc-abc/sub/link.tf", "../main.tf"),
    Item::File("vpc-abc/sub/more/x.tf", "# more"),
];

#[tokio::test]
async fn every_kind_of_archive() {
    let server = Server::start().await;
    let packed = tar(&MODULE);
    server
        .at("/a.zip", Answer::ok(zip(&MODULE)))
        .at("/a.tar", Answer::ok(packed.clone()))
        .at("/a.tar.gz", Answer::ok(gz(&packed)))
        .at("/a.tgz", Answer::ok(gz(&packed)))
        .at("/a.tar.bz2", Answer::ok(bz2(&packed)))
        .at("/a.tbz2", Answer::ok(bz2(&packed)))
        .at("/a.tar.xz", Answer::ok(xz(&packed)))
        .at("/plain", Answer::ok(gz(&packed)));
    for name in [
        "a.zip",
        "a.tar",
        "a.tar.gz",
        "a.tgz",
        "a.tar.bz2",
        "a.tbz2",
        "a.tar.xz",
        "plain?archive=tgz",
    ] {
        let (path, query) = name.split_once('?').unwrap_or((name, ""));
        for subdir in ["*", "vpc-abc", "vpc-*/sub/more"] {
            let source = format!("{}//{subdir}?x=1&{query}", server.url(&format!("/{path}")));
            let project = Project::calling(&source);
            project.install().await.fine();
            let base = ".topo/modules/m/vpc-abc";
            assert_eq!(
                project.read(&format!("{base}/main.tf")),
                "# main",
                "{source}"
            );
            assert_eq!(
                project.read(&format!("{base}/sub/link.tf")),
                "# main",
                "{source}"
            );
            assert_eq!(
                project.read(&format!("{base}/sub/more/x.tf")),
                "# more",
                "{source}"
            );
        }
    }
    // What only concerns us is not sent.
    let asked = server.requests();
    assert!(asked.contains(&"/plain?x=1".to_string()), "{asked:?}");
}

#[tokio::test]
async fn checksums_are_checked() {
    let server = Server::start().await;
    server.at("/a.zip", Answer::ok("not a zip"));
    let url = server.url("/a.zip");
    let wrong = format!("{url}?checksum=md5:{}", "0".repeat(32));
    Project::calling(&wrong).install().await.fails_with(&[
        "Unusable module archive",
        "its checksum is",
        "expected is 0000",
    ]);
    let data = gz(&tar(&[Item::File("main.tf", "")]));
    server.at("/b.tgz", Answer::ok(data.clone()));
    let found = Project::calling(&format!(
        "{}?checksum=sha1:{}",
        server.url("/b.tgz"),
        "0".repeat(40)
    ))
    .install()
    .await
    .errors();
    let right = found.split("its checksum is ").nth(1).unwrap()[..40].to_string();
    let project = Project::calling(&format!("{}?checksum={right}", server.url("/b.tgz")));
    project.install().await.fine();
}

#[tokio::test]
async fn hostile_archives_are_refused() {
    let server = Server::start().await;
    let bomb = "0".repeat(3 << 20);
    let main = Item::File("main.tf", "");
    let cases: Vec<(&str, Vec<Item<'_>>, &str)> = vec![
        (
            "parent",
            vec![main, Item::File("../../evil.tf", "x")],
            "\"../../evil.tf\", which leads out of the archive",
        ),
        (
            "inner",
            vec![main, Item::File("a/../../evil.tf", "x")],
            "which leads out of the archive",
        ),
        (
            "absolute",
            vec![main, Item::File("/tmp/topo-evil.tf", "x")],
            "\"/tmp/topo-evil.tf\", which leads out",
        ),
        (
            "link",
            vec![main, Item::Link("a", "/etc/passwd")],
            "a is a symbolic link to /etc/passwd",
        ),
        (
            "up",
            vec![main, Item::Link("a/b", "../../x")],
            "leads out of the archive",
        ),
        (
            "sly",
            vec![
                main,
                Item::Link("p", "."),
                Item::Link("q", "p/.."),
                Item::Link("q/evil", "main.tf"),
            ],
            "leads out of the archive",
        ),
        (
            "behind",
            vec![
                main,
                Item::Link("a/b/p", "../.."),
                Item::Link("a/b/p/q", "../x"),
            ],
            "leads out of the archive",
        ),
        (
            "through",
            vec![
                main,
                Item::Link("d", "sub"),
                Item::File("d/x.tf", "x"),
                Item::Link("sub", ".."),
            ],
            "leads out of the archive",
        ),
        (
            "large",
            vec![main, Item::File("a.tf", &bomb)],
            "more than 2 MiB",
        ),
    ];
    for (name, items, expected) in &cases {
        for (kind, data) in [("tgz", gz(&tar(items))), ("zip", zip(items))] {
            let path = format!("/{name}.{kind}");
            server.at(&path, Answer::ok(data));
            let mut project = Project::calling(&server.url(&path));
            project.options.limits = Limits {
                unpacked: 2 << 20,
                ..Limits::default()
            };
            project
                .install()
                .await
                .fails_with(&["Unusable module archive", &path, expected]);
            assert!(
                project.modules().is_empty(),
                "{name}: {:?}",
                project.modules()
            );
            assert!(!project.exists("evil.tf") && !project.exists(".topo/evil.tf"));
        }
    }
    for (name, items, expected) in [
        (
            "device",
            vec![main, Item::Device("null")],
            "neither a file, a directory nor a link",
        ),
        (
            "hard",
            vec![main, Item::HardLink("x", "../../../main.tf")],
            "leads out of the archive",
        ),
        (
            "nothing",
            vec![main, Item::HardLink("x", "y")],
            "which is not in the archive before it",
        ),
    ] {
        let path = format!("/{name}.tar");
        server.at(&path, Answer::ok(tar(&items)));
        let project = Project::calling(&server.url(&path));
        project.install().await.fails_with(&[expected]);
    }
}

#[tokio::test]
async fn limits_on_number_and_download() {
    let server = Server::start().await;
    let names: Vec<String> = (0..20).map(|i| format!("{i}.tf")).collect();
    let items: Vec<Item<'_>> = names.iter().map(|n| Item::File(n, "")).collect();
    server.at("/a.tar", Answer::ok(tar(&items)));
    let mut project = Project::calling(&server.url("/a.tar"));
    project.options.limits.entries = 10;
    project.install().await.fails_with(&["more than 10 files"]);
    project.options.limits = Limits {
        download: 1024,
        ..Limits::default()
    };
    project
        .install()
        .await
        .fails_with(&["is larger than 1 KiB"]);
}

#[tokio::test]
async fn damaged_archives_and_refused_downloads() {
    let server = Server::start().await;
    let text: String = (0..9999).map(|i| i.to_string()).collect();
    let items = [Item::File("main.tf", &text)];
    let whole = gz(&tar(&items));
    let half = whole.len() / 2;
    server
        .at("/half.tgz", Answer::ok(&whole[..half]))
        .at("/half.zip", Answer::ok(&zip(&items)[..half]))
        .at("/half.tar.xz", Answer::ok(&xz(&tar(&items))[..500]))
        .at("/half.tar.bz2", Answer::ok(&bz2(&tar(&items))[..500]))
        .at("/other.zip", Answer::ok("<html>"))
        .at("/cut.tgz", Answer::ok(whole.clone()).cut(half))
        .at("/500.zip", Answer::status(500))
        .at("/401.zip", Answer::status(401))
        .at(
            "/round.zip",
            Answer::status(302).header("Location", "/round.zip"),
        );
    let archive = "Unusable module archive";
    let download = "Failed to download module";
    for (path, parts) in [
        ("/half.tgz", [archive, "damaged"]),
        ("/half.zip", [archive, "damaged"]),
        ("/half.tar.xz", [archive, "damaged"]),
        ("/half.tar.bz2", [archive, "damaged"]),
        ("/other.zip", [archive, "damaged"]),
        ("/cut.tgz", [download, "/cut.tgz"]),
        ("/500.zip", [download, "/500.zip answered with 500"]),
        ("/401.zip", [download, "401 Unauthorized"]),
        ("/404.zip", [download, "404 Not Found"]),
        ("/round.zip", [download, "more than 10 times"]),
    ] {
        let project = Project::calling(&server.url(path));
        project.install().await.fails_with(&parts);
        assert!(project.modules().is_empty(), "{path}");
    }
    let gone = server.url("/a.zip");
    drop(server);
    tokio::task::yield_now().await;
    Project::calling(&gone).install().await.fails_with(&[
        download,
        "main.tf:2,12",
        "onnection refused",
    ]);
}

#[tokio::test]
async fn redirects_and_addresses_that_name_others() {
    let server = Server::start().await;
    let data = gz(&tar(&MODULE));
    server
        .at("/v1/a.tgz", Answer::ok(data))
        .at(
            "/moved.tgz",
            Answer::status(301).header("Location", "/v1/a.tgz"),
        )
        .at(
            "/header",
            Answer::status(204).header("X-Terraform-Get", "./v1/a.tgz//*"),
        )
        .at(
            "/page",
            Answer::ok(format!(
                "<meta name=\"terraform-get\" content=\"{}//vpc-abc\">",
                server.url("/v1/a.tgz")
            )),
        )
        .at(
            "/again",
            Answer::ok("").header("X-Terraform-Get", "/header"),
        )
        .at("/round", Answer::ok("").header("X-Terraform-Get", "/round"))
        .at("/odd", Answer::ok("").header("X-Terraform-Get", "nonsense"))
        .at("/silent", Answer::ok("<html></html>"));
    for (source, dir) in [
        ("/moved.tgz//vpc-abc", "vpc-abc"),
        ("/header", "vpc-abc"),
        ("/page//sub/more", "vpc-abc/sub/more"),
        ("/again", "vpc-abc"),
    ] {
        let project = Project::calling(&server.url(source));
        project.install().await.fine();
        let entry = project.manifest().remove(0);
        assert!(
            entry.ends_with(&format!(" .topo/modules/m/{dir}")),
            "{entry}"
        );
    }
    assert!(
        server
            .requests()
            .contains(&"/header?terraform-get=1".to_string())
    );
    for (path, expected) in [
        ("/round", "more than 10 times"),
        ("/odd", "says that the module is elsewhere"),
        ("/silent", "?archive=zip"),
    ] {
        let project = Project::calling(&server.url(path));
        project
            .install()
            .await
            .fails_with(&["Invalid module source address", expected]);
    }
}

#[tokio::test]
async fn directories_and_archives_of_this_machine() {
    let there = tempfile::tempdir().unwrap();
    write(there.path(), "shared.tf", "# shared");
    write(there.path(), "vpc/main.tf", "# main");
    write(there.path(), "vpc/.git/config", "");
    write(there.path(), "vpc/.terraform/x", "");
    std::os::unix::fs::symlink("../shared.tf", there.path().join("vpc/shared.tf")).unwrap();
    std::os::unix::fs::symlink("main.tf", there.path().join("vpc/inner.tf")).unwrap();
    std::fs::write(there.path().join("a.zip"), zip(&MODULE)).unwrap();
    let base = there.path().display();
    let project = Project::new(&format!(
        "{}{}",
        call("dir", &format!("{base}/vpc")),
        call("zip", &format!("file://{base}/a.zip//*"))
    ));
    let run = project.install().await.fine();
    assert_eq!(
        run.fetched(),
        [
            format!("dir file://{base}/vpc"),
            format!("zip file://{base}/a.zip//*")
        ]
    );
    assert_eq!(project.read(".topo/modules/dir/shared.tf"), "# shared");
    assert_eq!(project.read(".topo/modules/dir/inner.tf"), "# main");
    assert!(
        !project.exists(".topo/modules/dir/.git")
            && !project.exists(".topo/modules/dir/.terraform")
    );
    assert!(project.exists(".topo/modules/zip/vpc-abc/main.tf"));

    for (path, expected) in [
        ("/nowhere", "No such file"),
        ("/shared.tf", "neither a directory nor an archive"),
    ] {
        let project = Project::calling(&format!("{base}{path}"));
        project.install().await.fails_with(&[expected]);
    }
}
