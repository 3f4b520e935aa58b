//! Why a module cannot be brought here.

/// Why a module cannot be brought here. Cloned to every call that wanted the same package.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Error {
    /// A request got no answer, or only part of one.
    #[error("{url}: {cause}.")]
    Request { url: String, cause: String },
    /// An answer was not what was asked for.
    #[error("{url} answered with {status}.{hint}")]
    Status {
        url: String,
        status: String,
        hint: &'static str,
    },
    /// A registry's answers, or what they lead to, are unusable.
    #[error("{0}")]
    Registry(String),
    /// The registry has no module of that name.
    #[error("{0}")]
    NotFound(String),
    /// No version fits.
    #[error("{0}")]
    Version(String),
    /// git did not do it.
    #[error("{0}")]
    Git(String),
    /// An archive is damaged, too large or unsafe.
    #[error("{0}")]
    Archive(String),
    /// The package has no such module.
    #[error("{0}")]
    Package(String),
    /// The address is unusable.
    #[error("{0}")]
    Address(String),
    /// A file of this machine.
    #[error("{path}: {cause}.")]
    File { path: String, cause: String },
}

impl Error {
    /// One line for a person.
    pub(crate) fn summary(&self) -> &'static str {
        match self {
            Error::Registry(_) => "Error accessing the module registry",
            Error::NotFound(_) => "Module not found",
            Error::Version(_) => "No matching module version",
            Error::Archive(_) => "Unusable module archive",
            Error::Package(_) => "Module not found in its package",
            Error::Address(_) => "Invalid module source address",
            Error::Request { .. } | Error::Status { .. } | Error::Git(_) | Error::File { .. } => {
                "Failed to download module"
            }
        }
    }

    pub(crate) fn file(path: impl std::fmt::Display, cause: impl std::fmt::Display) -> Error {
        Error::File {
            path: path.to_string(),
            cause: cause.to_string(),
        }
    }
}
