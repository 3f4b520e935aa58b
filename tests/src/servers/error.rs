//! Why a server is not there.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why a server could not be installed, started or reached.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// `tests/install` failed; its own words.
    #[error("{0}")]
    Install(String),
    /// A file, process or socket of the harness itself failed.
    #[error("{what}: {source}")]
    Io {
        /// What the harness was doing.
        what: String,
        /// Why that failed.
        source: io::Error,
    },
    /// A server ended although it should serve.
    #[error("{name} ended with {status}; the end of {}:\n{tail}", log.display())]
    Exited {
        /// The program.
        name: &'static str,
        /// Its exit status.
        status: String,
        /// Its whole log, which is kept.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// A server runs but did not become ready in time.
    #[error("{name} is not ready after {waited:?}; the end of {}:\n{tail}", log.display())]
    NotReady {
        /// The program.
        name: &'static str,
        /// How long the harness waited.
        waited: Duration,
        /// Its whole log, which is kept.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// A condition that a test waits for did not come about in time.
    #[error("after {waited:?} still not: {what}")]
    Timeout {
        /// The condition.
        what: String,
        /// How long the test waited.
        waited: Duration,
    },
    /// A key or certificate could not be made.
    #[error("cannot make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The control plane refused what the harness asked of it.
    #[error("the control plane refused: {0}")]
    Kubernetes(#[from] Box<kube::Error>),
    /// A server's own kubeconfig cannot be used.
    #[error("the kubeconfig of the control plane: {0}")]
    Kubeconfig(#[from] Box<kube::config::KubeconfigError>),
}

impl From<kube::Error> for ServerError {
    fn from(error: kube::Error) -> Self {
        Self::Kubernetes(Box::new(error))
    }
}

impl From<kube::config::KubeconfigError> for ServerError {
    fn from(error: kube::config::KubeconfigError) -> Self {
        Self::Kubeconfig(Box::new(error))
    }
}

/// Says what an [`io::Error`] was about.
pub(super) trait Context<T> {
    /// The value, or the error with `what` in front.
    fn context(self, what: impl FnOnce() -> String) -> Result<T, ServerError>;
}

impl<T> Context<T> for io::Result<T> {
    fn context(self, what: impl FnOnce() -> String) -> Result<T, ServerError> {
        self.map_err(|source| ServerError::Io {
            what: what(),
            source,
        })
    }
}
