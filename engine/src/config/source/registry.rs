//! Addresses of modules in registries.

use std::fmt;

/// The registry that an address without a host means. OpenTofu's serves the same public modules
/// as HashiCorp's, whose terms of use admit only HashiCorp's own programs.
pub const DEFAULT_REGISTRY: &str = "registry.opentofu.org";

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

impl RegistrySource {
    /// The package's address: without the directory in it.
    pub fn package(&self) -> String {
        format!(
            "{}/{}/{}/{}",
            self.host, self.namespace, self.name, self.system
        )
    }

    /// `None` when it has not the form of a registry address: then it is something else.
    pub(super) fn read(package: &str, subdir: Option<String>) -> Option<RegistrySource> {
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
