//! The real servers of the wire tests: an AWS API server and a Kubernetes control plane, on
//! loopback only.
//!
//! [`Ministack`] answers the AWS calls, [`ControlPlane`] is a cluster. [`Servers`] is the two
//! joined: an EKS cluster made in the first has the address and the certificate authority of
//! the second, and the second accepts the tokens that AWS credentials make for it. Starting
//! them takes seconds, so the tests of one binary use one pair, [`shared`].
//!
//! Whatever way a test process ends, a panic or a `kill -9` included, no server and no
//! temporary file outlives it.

mod control_plane;
mod error;
mod kubeconfig;
mod ministack;
mod pki;
mod process;
mod programs;
mod token_review;
mod wait;

use tokio::sync::OnceCell;

pub use control_plane::ControlPlane;
pub use error::ServerError;
pub use ministack::{ACCOUNT, Eks, Ministack, REGION, SECRET_ACCESS_KEY};
pub use programs::checkov;
pub use wait::until;

/// An AWS API server whose EKS clusters are a control plane.
pub struct Servers {
    /// The AWS APIs.
    pub aws: Ministack,
    /// The cluster behind every EKS cluster made in [`Servers::aws`].
    pub cluster: ControlPlane,
}

impl Servers {
    /// Starts both and waits until they serve.
    ///
    /// # Errors
    ///
    /// When a server cannot be installed or does not start; the error has the end of its log.
    pub async fn start() -> Result<Self, ServerError> {
        let cluster = ControlPlane::start().await?;
        let aws = Ministack::start(Eks {
            port: cluster.port(),
            ca_pem: cluster.ca_pem().to_owned(),
        })
        .await?;
        Ok(Self { aws, cluster })
    }
}

/// The pair that the tests of one binary share, started by the first that asks.
///
/// Tests keep out of each other's way by an account of their own ([`Ministack::config_of`])
/// and a namespace of their own.
///
/// # Errors
///
/// Those of [`Servers::start`]; the next caller tries again.
pub async fn shared() -> Result<&'static Servers, ServerError> {
    static SHARED: OnceCell<Servers> = OnceCell::const_new();
    SHARED.get_or_try_init(Servers::start).await
}
