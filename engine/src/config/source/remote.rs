//! Addresses of packages that are fetched from elsewhere: git repositories, archives, files, and
//! the shorthands for them.

use std::fmt;

use url::Url;

use super::archive::{ArchiveKind, Checksum, archive_options, pairs};
use super::clean_subdir;

/// A package to fetch from elsewhere, and the module in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteSource {
    /// The address of the package with all shorthands settled. May hold a password: see
    /// [`RemoteSource::shown`].
    pub package: String,
    /// The directory of the module inside the package; may be a pattern such as `*`.
    pub subdir: Option<String>,
    /// How to fetch it.
    pub fetch: Fetch,
}

/// How a package is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetch {
    /// With git.
    Git {
        /// The repository.
        url: String,
        /// The branch, tag or commit; the repository's default branch if there is none.
        reference: Option<String>,
        /// How many commits of history.
        depth: Option<u32>,
    },
    /// With HTTP.
    Http {
        /// The address, without what only concerns us.
        url: String,
        /// How the answer is packed; `None` when the answer says where the package is.
        archive: Option<ArchiveKind>,
        /// What the answer must hash to.
        checksum: Option<Checksum>,
    },
    /// From this machine.
    File {
        /// The absolute path.
        path: String,
        /// How the file is packed; `None` for a directory.
        archive: Option<ArchiveKind>,
        /// What the file must hash to.
        checksum: Option<Checksum>,
    },
}

impl RemoteSource {
    /// The address for people: without a password.
    pub fn shown(&self) -> String {
        without_password(&self.to_string())
    }

    /// Whether it names a path of this machine, which nobody but the user may do.
    pub fn is_of_this_machine(&self) -> bool {
        match &self.fetch {
            Fetch::File { .. } => true,
            Fetch::Git { url, .. } => url.starts_with("file:"),
            Fetch::Http { .. } => false,
        }
    }

    pub(super) fn read(
        text: &str,
        package: &str,
        subdir: Option<String>,
    ) -> Result<RemoteSource, String> {
        let (getter, rest) = match package.split_once("::") {
            Some((g, rest)) if !g.is_empty() && g.bytes().all(|b| b.is_ascii_alphanumeric()) => {
                (Some(g), rest)
            }
            _ => (None, package),
        };
        match getter {
            Some("git") => git(&git_url(rest)?, subdir),
            Some("http" | "https" | "file") => {
                let forced = getter.unwrap_or_default();
                let fits = rest.starts_with(&format!("{forced}://"))
                    || forced == "file" && rest.starts_with('/');
                if !fits {
                    return Err(format!(
                        "{text:?}: after {forced}:: an address that begins with {forced}:// is expected."
                    ));
                }
                plain(text, rest, subdir)
            }
            Some("s3") => Err(unsupported("S3 buckets (s3::)")),
            Some("gcs") => Err(unsupported("Google Cloud Storage buckets (gcs::)")),
            Some("hg") => Err(unsupported("Mercurial repositories (hg::)")),
            Some(other) => Err(format!(
                "{text:?}: {other}:: is not a way to fetch modules. Use git::, or an http, https or file address."
            )),
            None => plain(text, rest, subdir),
        }
    }
}

impl fmt::Display for RemoteSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.subdir, self.package.split_once('?')) {
            (None, _) => f.write_str(&self.package),
            (Some(subdir), None) => write!(f, "{}//{subdir}", self.package),
            (Some(subdir), Some((path, query))) => write!(f, "{path}//{subdir}?{query}"),
        }
    }
}

/// An address without the password in it: `https://user:***@host/`.
pub fn without_password(address: &str) -> String {
    let Some(start) = address.find("://").map(|i| i + 3) else {
        return address.to_string();
    };
    let authority = address[start..].split(['/', '?', '#']).next().unwrap_or("");
    match authority.rsplit_once('@') {
        Some((user, host)) => {
            let hidden = match user.split_once(':') {
                Some((name, _)) => format!("{name}:***"),
                // A token may stand alone before the @; the user names of ssh are no secret.
                None if address[..start].contains("ssh") => user.to_string(),
                None => "***".to_string(),
            };
            let rest = &address[start + authority.len()..];
            format!("{}{hidden}@{host}{rest}", &address[..start])
        }
        None => address.to_string(),
    }
}

fn unsupported(what: &str) -> String {
    format!(
        "Modules from {what} are not supported. Use a git repository, an archive over https, or a registry."
    )
}

/// Any address that does not force a way to fetch it by `x::`.
fn plain(text: &str, rest: &str, subdir: Option<String>) -> Result<RemoteSource, String> {
    if let Some((scheme, _)) = rest.split_once("://") {
        return match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" => http(rest, subdir),
            "file" => file(rest.split_at(7).1, subdir),
            "git" | "ssh" => git(rest, subdir),
            "oci" => Err(unsupported("OCI registries (oci://)")),
            "s3" => Err(unsupported("S3 buckets (s3://)")),
            "gs" | "gcs" => Err(unsupported("Google Cloud Storage buckets (gs://)")),
            _ => Err(format!(
                "{text:?}: modules cannot be fetched over {scheme}. Use git::, or an http, https or file address."
            )),
        };
    }
    for host in ["github.com", "bitbucket.org"] {
        if let Some(path) = rest.strip_prefix(host).and_then(|r| r.strip_prefix('/')) {
            return hosted(text, host, path, subdir);
        }
    }
    if rest.starts_with('/') {
        return file(rest, subdir);
    }
    let first = rest.split(['/', '?']).next().unwrap_or("");
    if first.ends_with(".amazonaws.com") {
        return Err(unsupported("S3 buckets"));
    }
    if first == "www.googleapis.com" {
        return Err(unsupported("Google Cloud Storage buckets"));
    }
    if let Some((before, _)) = rest.split_once(':')
        && before.contains('@')
    {
        return git(&git_url(rest)?, subdir);
    }
    if matches!(rest, "." | "..") {
        return Err(format!(
            "{rest:?} is not a module source address. For a directory relative to this module write {rest:?} with a slash: \"{rest}/\"."
        ));
    }
    let mut detail = format!("{text:?} is not the address of a module.");
    match first {
        "gitlab.com" | "codeberg.org" => detail.push_str(&format!(" If it is a git repository, write \"git::https://{text}\".")),
        _ if first.contains('.') && !first.starts_with('.') => detail.push_str(&format!(" If it is something to download, write \"https://{text}\"; if it is a git repository, \"git::https://{text}\"; if it is a directory relative to this module, \"./{text}\"; a registry address has three parts after the host: host/namespace/name/system.")),
        _ => detail.push_str(&format!(" If it is a path relative to this module, write \"./{text}\": the leading ./ is what marks a local path. A registry address has three parts, namespace/name/system, of which the last has only lower-case letters and digits.")),
    }
    Err(detail)
}

/// The shorthands of hosting services: `github.com/owner/repository[/directory]`.
fn hosted(
    text: &str,
    host: &str,
    path: &str,
    subdir: Option<String>,
) -> Result<RemoteSource, String> {
    let (path, query) = path
        .split_once('?')
        .map_or((path, String::new()), |(p, q)| (p, format!("?{q}")));
    let mut parts = path.split('/').filter(|p| !p.is_empty());
    let (Some(owner), Some(repository)) = (parts.next(), parts.next()) else {
        return Err(format!(
            "{text:?} names no repository: write {host}/OWNER/REPOSITORY."
        ));
    };
    let inner: Vec<&str> = parts.collect();
    let subdir = match (inner.is_empty(), subdir) {
        (true, subdir) => subdir,
        (false, None) => clean_subdir(&inner.join("/"))?,
        (false, Some(more)) => clean_subdir(&format!("{}/{more}", inner.join("/")))?,
    };
    let suffix = if repository.ends_with(".git") {
        ""
    } else {
        ".git"
    };
    git(
        &format!("https://{host}/{owner}/{repository}{suffix}{query}"),
        subdir,
    )
}

/// The address of a repository as a URL: paths become `file:`, `git@host:path` becomes `ssh:`.
fn git_url(rest: &str) -> Result<String, String> {
    if rest.contains("://") {
        return Ok(rest.to_string());
    }
    if rest.starts_with('/') {
        return Ok(format!("file://{rest}"));
    }
    if rest.starts_with("github.com/") || rest.starts_with("bitbucket.org/") {
        return Ok(format!("https://{rest}"));
    }
    match rest.split_once(':') {
        Some((host, path))
            if !host.is_empty()
                && !host.contains('/')
                && !path.is_empty()
                && !path.starts_with(':') =>
        {
            Ok(format!("ssh://{host}/{}", path.trim_start_matches('/')))
        }
        _ => Err(format!(
            "{rest:?} is not the address of a git repository. Write git::https://HOST/PATH.git, git::ssh://git@HOST/PATH.git or an absolute path."
        )),
    }
}

/// A repository. `address` is a URL that may have `ref` and `depth`.
fn git(address: &str, subdir: Option<String>) -> Result<RemoteSource, String> {
    let shown = without_password(address);
    let (base, query) = address
        .split_once('?')
        .map_or((address, None), |(b, q)| (b, Some(q)));
    has_host(base, &shown)?;
    let url = match Url::parse(base) {
        Ok(url) => url,
        Err(url::ParseError::InvalidPort) if base.starts_with("ssh://") => {
            return Err(format!(
                "{shown:?} mixes the two ways to write an address for ssh: write \"git@HOST:PATH\" or \"git::ssh://git@HOST/PATH\"."
            ));
        }
        Err(e) => return Err(format!("{shown:?} is not a valid URL: {e}.")),
    };
    if !matches!(url.scheme(), "https" | "http" | "ssh" | "git" | "file") {
        return Err(format!(
            "{shown:?}: git repositories are fetched over https, ssh, http, git or from a file path, not over {}.",
            url.scheme()
        ));
    }
    let dashed = |part: &str| part.starts_with('-');
    if url.host_str().is_some_and(dashed) || dashed(url.username()) {
        return Err(format!(
            "{shown:?}: a host or user that begins with a dash is refused, since it could be taken for an option."
        ));
    }
    let (mut reference, mut depth) = (None, None);
    let mut rest = Vec::new();
    for (pair, key, value) in pairs(query) {
        match key.as_str() {
            "ref" => reference = Some(value).filter(|v| !v.is_empty()),
            "depth" => {
                let n = value.parse().ok().filter(|n| *n > 0);
                depth = Some(n.ok_or_else(|| {
                    format!("depth={value} is not a number of commits: write a whole number above 0.")
                })?);
            }
            "sshkey" => return Err("A private key in a module's address (sshkey=) is not supported: whoever reads the configuration would have the key. Let ssh find it, by its agent or its configuration.".into()),
            "archive" | "checksum" => return Err(format!("{key}= has no meaning for a git repository. To fix what is fetched, name a commit: ?ref=COMMIT.")),
            _ => rest.push(pair),
        }
    }
    if let Some(r) = &reference {
        let odd = |c: char| c.is_control() || c.is_whitespace() || "~^:?*[\\".contains(c);
        if dashed(r) || r.contains(odd) || r.contains("..") || r.contains("@{") {
            return Err(format!(
                "ref={r} is not the name of a branch, a tag or a commit."
            ));
        }
    }
    let mut repository = base.to_string();
    if !rest.is_empty() {
        repository = format!("{base}?{}", rest.join("&"));
    }
    Ok(RemoteSource {
        package: format!("git::{address}"),
        subdir,
        fetch: Fetch::Git {
            url: repository,
            reference,
            depth,
        },
    })
}

/// The URL parser passes over surplus slashes, and would take the path's first part for a host.
fn has_host(address: &str, shown: &str) -> Result<(), String> {
    match address.split_once("://") {
        Some((scheme, rest)) if scheme != "file" && rest.starts_with('/') => {
            Err(format!("{shown:?} has no host."))
        }
        _ => Ok(()),
    }
}

fn http(address: &str, subdir: Option<String>) -> Result<RemoteSource, String> {
    let shown = without_password(address);
    has_host(address, &shown)?;
    let mut url = Url::parse(address).map_err(|e| format!("{shown:?} is not a valid URL: {e}."))?;
    let query = url.query().map(str::to_string);
    let (rest, archive, checksum) = archive_options(query.as_deref(), url.path())?;
    url.set_query(rest.as_deref());
    Ok(RemoteSource {
        package: address.to_string(),
        subdir,
        fetch: Fetch::Http {
            url: url.to_string(),
            archive,
            checksum,
        },
    })
}

fn file(path: &str, subdir: Option<String>) -> Result<RemoteSource, String> {
    let (path, query) = path
        .split_once('?')
        .map_or((path, None), |(p, q)| (p, Some(q)));
    if !path.starts_with('/') {
        return Err(format!(
            "\"file://{path}\" is not absolute: write file:///PATH, or for a path relative to this module ./PATH."
        ));
    }
    let (_, archive, checksum) = archive_options(query, path)?;
    let query = query.map(|q| format!("?{q}")).unwrap_or_default();
    Ok(RemoteSource {
        package: format!("file://{path}{query}"),
        subdir,
        fetch: Fetch::File {
            path: path.to_string(),
            archive,
            checksum,
        },
    })
}
