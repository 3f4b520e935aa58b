use super::*;

/// What is written, and the address that it comes to.
const ADDRESSES: &[(&str, &str)] = &[
    ("./network", "./network"),
    ("./", "./"),
    ("../", "../"),
    ("./a/../b//c/.", "./b/c"),
    ("../../x", "../../x"),
    ("./../x", "../x"),
    (".\\a\\b", "./a/b"),
    (
        "hashicorp/consul/aws",
        "registry.opentofu.org/hashicorp/consul/aws",
    ),
    (
        "hashicorp/consul/aws//modules/x/",
        "registry.opentofu.org/hashicorp/consul/aws//modules/x",
    ),
    ("Registry.Terraform.io/a/b/c", "registry.terraform.io/a/b/c"),
    ("example.com:443/a/b/c", "example.com/a/b/c"),
    ("127.0.0.1:8080/a/b/c", "127.0.0.1:8080/a/b/c"),
    ("localhost:8080/a/b_c/d//e", "localhost:8080/a/b_c/d//e"),
    ("gitlab.com/a/b/c", "gitlab.com/a/b/c"),
    ("github.com/x/y", "git::https://github.com/x/y.git"),
    ("github.com/x/y.git", "git::https://github.com/x/y.git"),
    (
        "github.com/x/y//sub?ref=v1",
        "git::https://github.com/x/y.git//sub?ref=v1",
    ),
    ("github.com/x/y/z", "git::https://github.com/x/y.git//z"),
    (
        "github.com/x/y/z//w",
        "git::https://github.com/x/y.git//z/w",
    ),
    ("bitbucket.org/x/y", "git::https://bitbucket.org/x/y.git"),
    (
        "git@github.com:x/y.git",
        "git::ssh://git@github.com/x/y.git",
    ),
    (
        "git@github.com:x/y.git//s?ref=b",
        "git::ssh://git@github.com/x/y.git//s?ref=b",
    ),
    (
        "git::git@example.com:/x/y.git",
        "git::ssh://git@example.com/x/y.git",
    ),
    ("git::me@example.com:x", "git::ssh://me@example.com/x"),
    (
        "git::https://example.com/a.git//s?ref=v1&depth=1",
        "git::https://example.com/a.git//s?ref=v1&depth=1",
    ),
    (
        "git::ssh://git@example.com:2222/a.git",
        "git::ssh://git@example.com:2222/a.git",
    ),
    (
        "ssh://git@example.com/a.git",
        "git::ssh://git@example.com/a.git",
    ),
    (
        "git::file:///srv/a.git//x?ref=v1",
        "git::file:///srv/a.git//x?ref=v1",
    ),
    ("git::/srv/a.git", "git::file:///srv/a.git"),
    ("https://example.com/vpc.zip", "https://example.com/vpc.zip"),
    (
        "https://example.com/vpc.zip//a?x=1",
        "https://example.com/vpc.zip//a?x=1",
    ),
    (
        "http::http://example.com/vpc.zip",
        "http://example.com/vpc.zip",
    ),
    (
        "https://example.com/vpc//*?archive=tar.gz",
        "https://example.com/vpc//*?archive=tar.gz",
    ),
    ("/srv/modules/vpc", "file:///srv/modules/vpc"),
    ("file:///srv/vpc.tar.gz//a", "file:///srv/vpc.tar.gz//a"),
    (
        "https://example.com/a?next=https://example.com//b",
        "https://example.com/a?next=https://example.com//b",
    ),
];

/// What is written, and a part of what is said about it.
const REFUSED: &[(&str, &str)] = &[
    ("", "is empty"),
    (" ./a", "white space"),
    ("foo", "write \"./foo\""),
    ("foo/bar", "write \"./foo/bar\""),
    ("a/b/C", "namespace/name/system"),
    ("a/b/c/d", "write \"./a/b/c/d\""),
    (".", "\"./\""),
    ("..", "\"../\""),
    (".terraform/x", "write \"./.terraform/x\""),
    ("github.com/x", "github.com/OWNER/REPOSITORY"),
    ("gitlab.com/x/y", "git::https://gitlab.com/x/y"),
    ("example.com/x/y", "https://example.com/x/y"),
    (
        "xn--80akhbyknj4f.com/a/b/c",
        "is not the address of a module",
    ),
    ("hashicorp/consul/aws//../x", "leads out of the package"),
    (
        "git::https://example.com/a.git//../x",
        "leads out of the package",
    ),
    ("git::", "is not the address of a git repository"),
    ("git::x", "is not the address of a git repository"),
    ("git::../x", "is not the address of a git repository"),
    ("git::ssh://git@github.com:x/y.git", "mixes the two ways"),
    (
        "git::ext::sh -c id",
        "is not the address of a git repository",
    ),
    ("git::https://example.com/a\n--x", "control character"),
    ("git::ext://x", "not over ext"),
    ("git::ssh://-oProxyCommand=x/y", "dash"),
    ("git::https:///y", "host"),
    ("git::https://example.com/a?ref=-x", "ref=-x"),
    (
        "git::https://example.com/a?ref=a%20b",
        "is not the name of a branch",
    ),
    ("git::https://example.com/a?depth=x", "depth=x"),
    ("git::https://example.com/a?depth=0", "depth=0"),
    ("git::https://example.com/a?sshkey=x", "private key"),
    ("s3::https://s3.amazonaws.com/b/k.zip", "S3"),
    ("s3.amazonaws.com/b/k.zip", "S3"),
    ("gcs::https://www.googleapis.com/storage/v1/b/k", "Google"),
    ("hg::https://example.com/x", "Mercurial"),
    ("oci://example.com/x", "OCI"),
    ("ftp://example.com/x.zip", "over ftp"),
    ("svn::https://example.com/x", "svn::"),
    ("https://", "not a valid URL"),
    ("http::ftp://x", "begins with http://"),
    ("file://x/y", "is not absolute"),
    ("https://example.com/x?archive=rar", "archive=rar"),
    ("https://example.com/x.zip?checksum=abc", "checksum=abc"),
    (
        "https://example.com/x.zip?checksum=sha1:zz",
        "40 hexadecimal digits",
    ),
    (
        "https://example.com/x.zip?checksum=file:https://x",
        "not supported",
    ),
    (
        "https://example.com/x?checksum=sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "not that of an archive",
    ),
];

#[test]
fn addresses_are_settled() {
    for (text, expected) in ADDRESSES {
        let source = ModuleSource::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(source.to_string(), *expected, "{text}");
        // The manifest has the settled form, which must mean the same.
        if !text.contains("next=") {
            let again = ModuleSource::parse(expected).unwrap_or_else(|e| panic!("{expected}: {e}"));
            assert_eq!(again, source, "{text}");
        }
    }
}

#[test]
fn mistakes_are_explained() {
    for (text, expected) in REFUSED {
        match ModuleSource::parse(text) {
            Ok(source) => panic!("{text} was taken for {source:?}"),
            Err(e) => assert!(e.contains(expected), "{text}: {e}"),
        }
    }
}

fn fetch(text: &str) -> Fetch {
    match ModuleSource::parse(text) {
        Ok(ModuleSource::Remote(r)) => r.fetch,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn what_only_concerns_us_is_not_sent() {
    assert_eq!(
        fetch("git::https://example.com/a.git//s?ref=feature/x&token=t&depth=3"),
        Fetch::Git {
            url: "https://example.com/a.git?token=t".into(),
            reference: Some("feature/x".into()),
            depth: Some(3),
        }
    );
    let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    for checksum in [format!("sha256:{hash}"), hash.to_uppercase()] {
        assert_eq!(
            fetch(&format!(
                "https://example.com/get?id=7&archive=tgz&checksum={checksum}"
            )),
            Fetch::Http {
                url: "https://example.com/get?id=7".into(),
                archive: Some(ArchiveKind::TarGz),
                checksum: Some(Checksum {
                    algorithm: HashAlgorithm::Sha256,
                    hex: hash.into(),
                }),
            }
        );
    }
    assert_eq!(
        fetch("https://example.com/vpc.zip?archive=false"),
        Fetch::Http {
            url: "https://example.com/vpc.zip".into(),
            archive: None,
            checksum: None,
        }
    );
    assert_eq!(
        fetch("/srv/x.tar.xz"),
        Fetch::File {
            path: "/srv/x.tar.xz".into(),
            archive: Some(ArchiveKind::TarXz),
            checksum: None,
        }
    );
}

#[test]
fn passwords_are_not_shown() {
    let shown = [
        ("https://u:p@example.com/x", "https://u:***@example.com/x"),
        (
            "git::https://ghp_x@example.com/x?ref=v",
            "git::https://***@example.com/x?ref=v",
        ),
        (
            "git::ssh://git@example.com/x",
            "git::ssh://git@example.com/x",
        ),
        ("https://example.com/a@b", "https://example.com/a@b"),
        ("./x@y", "./x@y"),
    ];
    for (text, expected) in shown {
        assert_eq!(without_password(text), expected);
    }
}

#[test]
fn a_version_is_for_registries_only() {
    let error = |source: &str, version: &str| {
        let e = ModuleSource::of_call(source, Some(version)).unwrap_err();
        assert!(e.in_version, "{e:?}");
        (e.summary, e.detail)
    };
    assert!(ModuleSource::of_call("a/b/c", Some("~> 1.0")).is_ok());
    assert_eq!(error("./x", "1.0").0, "Invalid module version");
    assert!(error("github.com/x/y", "1.0").1.contains("?ref="));
    assert_eq!(error("a/b/c", "x").0, "Invalid version constraint");
}
