//! Module sources: what the `source` argument of a module call may say.
//!
//! [`ModuleSource::parse`] understands the addresses that the peers document (their page "Module
//! Sources" and the address forms of go-getter), and settles shorthands, so that two ways to
//! write one address are the same address. Nothing is looked up here: no file, no network. What
//! is fetched and how is the installer's; the loader only compares addresses.

use std::fmt;

use url::Url;

/// The registry that an address without a host means. OpenTofu's serves the same public modules
/// as HashiCorp's, whose terms of use admit only HashiCorp's own programs.
pub const DEFAULT_REGISTRY: &str = "registry.opentofu.org";

/// Where a module comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModuleSource {
    /// A directory, relative to the one of the calling module, within the same package: begins
    /// with `./` or `../` and has no redundant parts.
    Local(String),
    /// A module of a registry.
    Registry(RegistrySource),
    /// A package to fetch from elsewhere.
    Remote(RemoteSource),
}

/// A module of a registry: `[host/]namespace/name/system[//subdir]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrySource {
    /// The registry's host, in lower case, with a port if it is not 443.
    pub host: String,
    /// Whose module it is.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The system it is for: `aws`.
    pub system: String,
    /// The directory of the module inside the package.
    pub subdir: Option<String>,
}

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

/// How an archive is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveKind {
    /// `.zip`
    Zip,
    /// `.tar`
    Tar,
    /// `.tar.gz`, `.tgz`
    TarGz,
    /// `.tar.bz2`, `.tbz2`
    TarBz2,
    /// `.tar.xz`, `.txz`
    TarXz,
}

impl ArchiveKind {
    const NAMES: [(&str, ArchiveKind); 8] = [
        ("zip", ArchiveKind::Zip),
        ("tar", ArchiveKind::Tar),
        ("tar.gz", ArchiveKind::TarGz),
        ("tgz", ArchiveKind::TarGz),
        ("tar.bz2", ArchiveKind::TarBz2),
        ("tbz2", ArchiveKind::TarBz2),
        ("tar.xz", ArchiveKind::TarXz),
        ("txz", ArchiveKind::TarXz),
    ];

    /// By the end of a file's name.
    pub fn of_path(path: &str) -> Option<ArchiveKind> {
        Self::NAMES
            .iter()
            .find(|(name, _)| {
                path.strip_suffix(name)
                    .is_some_and(|rest| rest.ends_with('.'))
            })
            .map(|(_, kind)| *kind)
    }

    fn named(name: &str) -> Result<ArchiveKind, String> {
        Self::NAMES
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, kind)| *kind)
            .ok_or_else(|| {
                format!("archive={name} names no kind of archive that topo can unpack. It unpacks zip, tar, tar.gz (tgz), tar.bz2 (tbz2) and tar.xz (txz).")
            })
    }
}

/// What a file must hash to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksum {
    /// The hash function.
    pub algorithm: HashAlgorithm,
    /// The expected hash, in lower-case hex.
    pub hex: String,
}

/// A hash function of `?checksum=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashAlgorithm {
    /// MD5
    Md5,
    /// SHA-1
    Sha1,
    /// SHA-256
    Sha256,
    /// SHA-512
    Sha512,
}

impl Checksum {
    /// Reads `sha256:9f86…`, or the hash alone, whose length tells its function.
    fn parse(text: &str) -> Result<Checksum, String> {
        const FUNCTIONS: [(&str, HashAlgorithm, usize); 4] = [
            ("md5", HashAlgorithm::Md5, 32),
            ("sha1", HashAlgorithm::Sha1, 40),
            ("sha256", HashAlgorithm::Sha256, 64),
            ("sha512", HashAlgorithm::Sha512, 128),
        ];
        let (function, hex) = match text.split_once(':') {
            Some(("file", _)) => return Err("A checksum that is itself in a file to fetch (checksum=file:...) is not supported. Write the hash itself: checksum=sha256:...".into()),
            Some((name, hex)) => (FUNCTIONS.iter().find(|(n, _, _)| *n == name), hex),
            None => (FUNCTIONS.iter().find(|(_, _, len)| *len == text.len()), text),
        };
        let Some((name, algorithm, length)) = function else {
            return Err(format!(
                "checksum={text} is not understood. Write checksum=sha256:... with the hash in hex; md5, sha1 and sha512 work too."
            ));
        };
        if hex.len() != *length || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(format!(
                "checksum={text} is not a {name} hash: that has {length} hexadecimal digits."
            ));
        }
        Ok(Checksum {
            algorithm: *algorithm,
            hex: hex.to_ascii_lowercase(),
        })
    }
}

impl ModuleSource {
    /// Reads a source address.
    ///
    /// # Errors
    /// When it is none, or of a kind that is not supported, with sentences that say what to write.
    pub fn parse(text: &str) -> Result<ModuleSource, String> {
        if text.trim().is_empty() {
            return Err("The source address is empty. Write a local path such as \"./network\", a registry address such as \"namespace/name/system\", or the address of a git repository or an archive.".into());
        }
        if text != text.trim() {
            return Err(format!(
                "{text:?} begins or ends with white space: write {:?}.",
                text.trim()
            ));
        }
        if text.chars().any(char::is_control) {
            return Err(format!("{text:?} has a control character in it."));
        }
        if ["./", "../", ".\\", "..\\"]
            .iter()
            .any(|p| text.starts_with(p))
        {
            return Ok(ModuleSource::Local(clean_local(text)));
        }
        let (package, subdir) = split_subdir(text)?;
        if let Some(registry) = RegistrySource::read(&package, subdir.clone()) {
            return Ok(ModuleSource::Registry(registry));
        }
        RemoteSource::read(text, &package, subdir).map(ModuleSource::Remote)
    }

    /// Reads the source and the version of a module call.
    ///
    /// # Errors
    /// Which argument is wrong, a one-line summary and an explanation.
    pub fn of_call(
        source: &str,
        version: Option<&str>,
    ) -> Result<(ModuleSource, Option<super::version::Constraints>), CallError> {
        let parsed = ModuleSource::parse(source).map_err(|detail| CallError {
            in_version: false,
            summary: "Invalid module source address",
            detail,
        })?;
        let Some(version) = version else {
            return Ok((parsed, None));
        };
        if !matches!(parsed, ModuleSource::Registry(_)) {
            let instead = match &parsed {
                ModuleSource::Remote(RemoteSource {
                    fetch: Fetch::Git { .. },
                    ..
                }) => " A tag or commit of a git repository is chosen by ?ref= in its address.",
                _ => "",
            };
            return Err(CallError {
                in_version: true,
                summary: "Invalid module version",
                detail: format!(
                    "The argument \"version\" applies only to modules of a registry, and {source:?} is not the address of one.{instead}"
                ),
            });
        }
        match super::version::Constraints::parse(version) {
            Ok(constraints) => Ok((parsed, Some(constraints))),
            Err(detail) => Err(CallError {
                in_version: true,
                summary: "Invalid version constraint",
                detail,
            }),
        }
    }
}

/// What is wrong with the source or the version of a module call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallError {
    /// Whether it is the argument `version`, not `source`.
    pub in_version: bool,
    /// One line.
    pub summary: &'static str,
    /// Sentences.
    pub detail: String,
}

impl fmt::Display for ModuleSource {
    /// The address as the manifest has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ModuleSource::Local(path) => f.write_str(path),
            ModuleSource::Registry(r) => r.fmt(f),
            ModuleSource::Remote(r) => r.fmt(f),
        }
    }
}

impl RegistrySource {
    /// The package's address: without the directory in it.
    pub fn package(&self) -> String {
        format!(
            "{}/{}/{}/{}",
            self.host, self.namespace, self.name, self.system
        )
    }

    /// `None` when it has not the form of a registry address: then it is something else.
    fn read(package: &str, subdir: Option<String>) -> Option<RegistrySource> {
        let parts: Vec<&str> = package.split('/').collect();
        let (host, rest) = match parts.as_slice() {
            [host, rest @ ..] if rest.len() == 3 => (registry_host(host)?, rest),
            rest if rest.len() == 3 => (DEFAULT_REGISTRY.to_string(), rest),
            _ => return None,
        };
        let [namespace, name, system] = rest else {
            return None;
        };
        let fits = is_registry_name(namespace)
            && is_registry_name(name)
            && (1..=64).contains(&system.len())
            && system
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        fits.then(|| RegistrySource {
            host,
            namespace: namespace.to_string(),
            name: name.to_string(),
            system: system.to_string(),
            subdir,
        })
    }
}

impl fmt::Display for RegistrySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.package())?;
        match &self.subdir {
            Some(subdir) => write!(f, "//{subdir}"),
            None => Ok(()),
        }
    }
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

    fn read(text: &str, package: &str, subdir: Option<String>) -> Result<RemoteSource, String> {
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

type ArchiveOptions = (Option<String>, Option<ArchiveKind>, Option<Checksum>);

/// What a query says about an archive, and the rest of the query.
fn archive_options(query: Option<&str>, path: &str) -> Result<ArchiveOptions, String> {
    let (mut archive, mut checksum) = (ArchiveKind::of_path(path), None);
    let mut rest = Vec::new();
    for (pair, key, value) in pairs(query) {
        match key.as_str() {
            "archive" if value == "false" => archive = None,
            "archive" => archive = Some(ArchiveKind::named(&value)?),
            "checksum" => checksum = Some(Checksum::parse(&value)?),
            _ => rest.push(pair),
        }
    }
    if checksum.is_some() && archive.is_none() {
        return Err("A checksum needs a file to check: the address is not that of an archive (add archive= if it is one).".into());
    }
    let rest = (!rest.is_empty()).then(|| rest.join("&"));
    Ok((rest, archive, checksum))
}

/// The pairs of a query: as written, and name and value decoded.
fn pairs(query: Option<&str>) -> impl Iterator<Item = (&str, String, String)> {
    query
        .unwrap_or("")
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = url::form_urlencoded::parse(pair.as_bytes())
                .next()
                .unwrap_or_default();
            (pair, key.into_owned(), value.into_owned())
        })
}

/// Takes `//subdir` out of an address; the query stays with the package.
fn split_subdir(text: &str) -> Result<(String, Option<String>), String> {
    let (path, query) = text
        .split_once('?')
        .map_or((text, None), |(p, q)| (p, Some(q)));
    let scheme = path.find("://").map_or(0, |i| i + 3);
    // file:///x has three slashes that mean no directory in a package.
    let from = scheme + usize::from(path[scheme..].starts_with('/'));
    let Some(at) = path[from..].find("//").map(|i| i + from) else {
        return Ok((text.to_string(), None));
    };
    let mut package = path[..at].to_string();
    if let Some(query) = query {
        package = format!("{package}?{query}");
    }
    Ok((package, clean_subdir(&path[at + 2..])?))
}

/// A directory inside a package without redundant parts; `None` for the package itself.
fn clean_subdir(text: &str) -> Result<Option<String>, String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return Err(format!(
                        "The directory {text:?} in the package leads out of the package."
                    ));
                }
            }
            part => parts.push(part),
        }
    }
    Ok((!parts.is_empty()).then(|| parts.join("/")))
}

/// A local path without redundant parts, with the leading `./` or `../` that marks it.
fn clean_local(text: &str) -> String {
    let text = text.replace('\\', "/");
    let mut parts: Vec<&str> = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|p| *p != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    match parts.first() {
        Some(&"..") => format!(
            "{}{}",
            parts.join("/"),
            if parts.len() == 1 { "/" } else { "" }
        ),
        _ => format!("./{}", parts.join("/")),
    }
}

/// The host of a registry; `None` when it cannot be one.
fn registry_host(text: &str) -> Option<String> {
    let (name, port) = match text.split_once(':') {
        Some((name, port)) => (name, Some(port.parse::<u16>().ok()?)),
        None => (text, None),
    };
    // Hosting services have shorthands of their own.
    let taken = ["github.com", "bitbucket.org"];
    let lower = name.to_lowercase();
    // A dot tells a host from a namespace; the machine's own name needs a port to be told.
    let local = lower == "localhost" && port.is_some();
    if taken.contains(&lower.as_str())
        || lower.starts_with("xn--")
        || !(lower.contains('.') || local)
    {
        return None;
    }
    let labels = lower.split('.').all(|label| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    });
    if !labels || url::Host::parse(&lower).is_err() {
        return None;
    }
    Some(match port {
        None | Some(443) => lower,
        Some(port) => format!("{lower}:{port}"),
    })
}

/// A namespace or a name: letters, digits, and inside also dashes and underscores.
fn is_registry_name(text: &str) -> bool {
    let edge = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        && edge(text.bytes().next())
        && edge(text.bytes().last())
}

#[cfg(test)]
mod tests;
