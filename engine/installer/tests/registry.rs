//! Modules from a registry.

mod common;

use common::archives::{Item, gz, tar};
use common::server::{Answer, Server};
use common::{Project, Repository, call, versioned};

const VERSIONS: [&str; 6] = ["1.0.0", "1.2.0", "1.10.0", "2.0.0-beta1", "odd", "0.9.0"];

/// A registry with the module x/vpc/aws in some versions.
async fn registry() -> Server {
    let server = Server::start().await;
    server.registry("x/vpc/aws", &VERSIONS);
    for version in VERSIONS {
        let text = format!("# {version}");
        let items = [
            Item::File("v/main.tf", &text),
            Item::File("v/sub/main.tf", &text),
        ];
        server
            .at(
                &format!("/files/{version}.tgz"),
                Answer::ok(gz(&tar(&items))),
            )
            .at(
                &format!("/v1/modules/x/vpc/aws/{version}/download"),
                Answer::status(204).header("X-Terraform-Get", &format!("/files/{version}.tgz//*")),
            );
    }
    server
}

#[tokio::test]
async fn the_newest_fitting_version_is_installed() {
    let server = registry().await;
    let source = format!("{}/x/vpc/aws", server.host());
    for (constraint, expected) in [
        ("~> 1.0", "1.10.0"),
        ("~> 1.0.0", "1.0.0"),
        ("!= 1.10.0", "1.2.0"),
        ("< 1.0", "0.9.0"),
        ("2.0.0-beta1", "2.0.0-beta1"),
    ] {
        let project = Project::new(&versioned("m", &source, constraint));
        let run = project.install().await.fine();
        assert_eq!(run.fetched(), [format!("m {source} {expected}")]);
        assert_eq!(
            project.manifest(),
            [format!("m {source} {expected} .topo/modules/m/v")]
        );
        assert_eq!(
            project.read(".topo/modules/m/v/main.tf"),
            format!("# {expected}")
        );
    }
    let project = Project::calling(&source);
    project.install().await.fine();
    assert!(project.manifest()[0].contains(" 1.10.0 "));
}

#[tokio::test]
async fn a_version_stays_until_it_does_not_fit_or_an_upgrade() {
    let server = registry().await;
    let source = format!("{}/x/vpc/aws", server.host());
    let mut project = Project::new(&versioned("m", &source, "1.0.0"));
    project.install().await.fine();
    server.requests();
    project.write("main.tf", &versioned("m", &source, ">= 1.0"));
    let run = project.install().await.fine();
    assert_eq!(run.result.unchanged, 1);
    assert!(server.requests().is_empty());
    project.options.upgrade = true;
    project.install().await.fine();
    assert_eq!(project.read(".topo/modules/m/v/main.tf"), "# 1.10.0");
    project.options.upgrade = false;
    project.write("main.tf", &versioned("m", &source, "< 1.10"));
    project.install().await.fine();
    assert_eq!(project.read(".topo/modules/m/v/main.tf"), "# 1.2.0");
}

#[tokio::test]
async fn the_registry_is_asked_once_and_the_package_fetched_once() {
    let server = registry().await;
    let source = format!("{}/x/vpc/aws", server.host());
    let project = Project::new(&format!(
        "{}{}{}",
        versioned("a", &source, "~> 1.0"),
        versioned("b", &format!("{source}//sub"), ">= 1.10"),
        versioned("c", &source, "1.0.0")
    ));
    project.install().await.fine();
    let mut asked = server.requests();
    asked.sort();
    assert_eq!(
        asked,
        [
            "/.well-known/terraform.json",
            "/files/1.0.0.tgz",
            "/files/1.10.0.tgz",
            "/v1/modules/x/vpc/aws/1.0.0/download",
            "/v1/modules/x/vpc/aws/1.10.0/download",
            "/v1/modules/x/vpc/aws/versions",
        ]
    );
    assert!(project.manifest()[1].ends_with(" .topo/modules/b/v/sub"));
}

#[tokio::test]
async fn the_answer_may_be_in_the_body_and_lead_to_git() {
    let server = registry().await;
    let repository = Repository::new(&[("modules/main.tf", "# git")]);
    let location = format!("{{\"location\":\"{}//modules?ref=v1\"}}", repository.url());
    server.at("/v1/modules/x/vpc/aws/1.0.0/download", Answer::ok(location));
    let source = format!("{}/x/vpc/aws", server.host());
    let project = Project::new(&versioned("m", &source, "1.0.0"));
    project.install().await.fine();
    assert_eq!(project.read(".topo/modules/m/modules/main.tf"), "# git");
}

#[tokio::test]
async fn the_token_goes_to_the_registry_alone() {
    let server = registry().await;
    let mut project = Project::calling(&format!("{}/x/vpc/aws", server.host()));
    project
        .options
        .tokens
        .insert(server.host(), "geheim".into());
    project.install().await.fine();
    for (path, authorization) in server.authorized() {
        let expected = (!path.starts_with("/files/")).then(|| "Bearer geheim".to_string());
        assert_eq!(authorization, expected, "{path}");
    }
}

#[tokio::test]
async fn failures() {
    let server = registry().await;
    let host = server.host();
    server
        .registry("x/none/aws", &[])
        .registry("x/beta/aws", &["1.0.0-beta"])
        .at("/v1/modules/x/odd/aws/versions", Answer::ok("<html>"))
        .at("/v1/modules/x/bare/aws/versions", Answer::ok("{}"))
        .at("/v1/modules/x/secret/aws/versions", Answer::status(403))
        .at("/v1/modules/x/broken/aws/versions", Answer::status(500))
        .at("/v1/modules/x/vpc/aws/1.0.0/download", Answer::status(204))
        .at("/v1/modules/x/vpc/aws/1.2.0/download", Answer::status(404))
        .at(
            "/v1/modules/x/vpc/aws/0.9.0/download",
            Answer::ok("{\"location\":\"nonsense\"}"),
        );
    for (module, version, parts) in [
        (
            "x/gone/aws",
            ">= 0",
            ["Module not found", "has no module x/gone/aws"],
        ),
        (
            "x/vpc/aws",
            "> 5",
            [
                "No matching module version",
                "satisfies \"> 5\". The newest one is 1.10.0.",
            ],
        ),
        (
            "x/none/aws",
            "> 5",
            ["No matching module version", "no versions at all"],
        ),
        (
            "x/beta/aws",
            "> 0",
            ["No matching module version", "only prereleases"],
        ),
        (
            "x/odd/aws",
            "> 0",
            [
                "Error accessing the module registry",
                "something else than expected",
            ],
        ),
        (
            "x/bare/aws",
            "> 0",
            ["Error accessing the module registry", "without a module"],
        ),
        (
            "x/secret/aws",
            "> 0",
            ["Failed to download module", "TF_TOKEN_"],
        ),
        (
            "x/broken/aws",
            "> 0",
            ["Failed to download module", "answered with 500"],
        ),
        (
            "x/vpc/aws",
            "1.0.0",
            ["Error accessing the module registry", "without an address"],
        ),
        (
            "x/vpc/aws",
            "1.2.0",
            ["Module not found", "has no version 1.2.0"],
        ),
        (
            "x/vpc/aws",
            "0.9.0",
            ["Error accessing the module registry", "nonsense"],
        ),
    ] {
        let project = Project::new(&versioned("m", &format!("{host}/{module}"), version));
        project.install().await.fails_with(&parts);
    }
    server.at(
        "/.well-known/terraform.json",
        Answer::ok("{\"providers.v1\":\"/x\"}"),
    );
    Project::calling(&format!("{host}/x/vpc/aws"))
        .install()
        .await
        .fails_with(&["offers no module registry"]);
    server.at(
        "/.well-known/terraform.json",
        Answer::ok("{\"modules.v1\":\"http://example.com/x\"}"),
    );
    Project::calling(&format!("{host}/x/vpc/aws"))
        .install()
        .await
        .fails_with(&["not an https address"]);
    Project::new(&versioned("m", "./x", "1.0"))
        .install()
        .await
        .fails_with(&["Invalid module version", "main.tf:3,13"]);
    Project::new(&versioned("m", "x/y/z", "yes"))
        .install()
        .await
        .fails_with(&["Invalid version constraint", "main.tf:3,13"]);
    Project::new(&call("m", "127.0.0.1:1/x/y/z"))
        .install()
        .await
        .fails_with(&[
            "Failed to download module",
            "onnection refused",
            "main.tf:2,12",
        ]);
}
