//! The AWS API server: ministack, completed by `tests/ministack/serve.py`.
//!
//! It keeps everything in memory. Temporary files it makes are in a folder that goes with it.

use std::net::Ipv4Addr;
use std::process::Command;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::error::Context;
use super::process::{Process, Scratch, free_ports, port_was_taken};
use super::{ServerError, programs};

/// The region of everything the tests make.
pub const REGION: &str = "us-east-1";

/// The account of [`Ministack::aws_config`].
pub const ACCOUNT: &str = "000000000000";

/// The secret of every access key of the tests.
pub const SECRET_ACCESS_KEY: &str = "test-secret-access-key";

const STARTS_WITHIN: Duration = Duration::from_secs(30);
const ATTEMPTS: usize = 3;

/// The control plane that every EKS cluster turns out to be.
#[derive(Debug, Clone, Default)]
pub struct Eks {
    /// Its port on localhost.
    pub port: u16,
    /// The certificate authority of its API server, PEM; empty for none.
    pub ca_pem: String,
}

/// A running AWS API server. It ends when this is dropped.
pub struct Ministack {
    port: u16,
    _process: Process,
    _scratch: Scratch,
}

impl Ministack {
    /// Starts a server and waits until it answers.
    ///
    /// # Errors
    ///
    /// When it cannot be installed or does not start; the error has the end of its log.
    pub async fn start(eks: Eks) -> Result<Self, ServerError> {
        let mut attempt = 1;
        loop {
            match Self::try_start(&eks).await {
                Err(error) if attempt < ATTEMPTS && port_was_taken(&error) => attempt += 1,
                result => return result,
            }
        }
    }

    async fn try_start(eks: &Eks) -> Result<Self, ServerError> {
        let mut scratch = Scratch::new()?;
        let [port] = free_ports()?;
        let mut command = Command::new(programs::python()?);
        command
            .arg(programs::tests_dir().join("ministack/serve.py"))
            .env("BIND_HOST", Ipv4Addr::LOCALHOST.to_string())
            .env("GATEWAY_PORT", port.to_string())
            .env("MINISTACK_ACCOUNT_ID", ACCOUNT)
            .env("MINISTACK_REGION", REGION)
            .env("EKS_BASE_PORT", eks.port.to_string())
            // Listeners that no test needs, and a Docker that the machine may have.
            .env("SFTP_ENABLED", "0")
            .env("IOT_MTLS_ENABLED", "0")
            .env("DOCKER_HOST", "unix:///nonexistent")
            .env("STATE_DIR", scratch.path())
            .env("S3_DATA_DIR", scratch.path())
            .env("PYTHONDONTWRITEBYTECODE", "1");
        if !eks.ca_pem.is_empty() {
            command.env("TOPO_EKS_CA", scratch.write("ca.pem", &eks.ca_pem)?);
        }
        let mut process = Process::start("ministack", &command, &scratch)?;
        let ready = process
            .ready(STARTS_WITHIN, async || {
                let status = call(port, "GET", "/_ministack/health").await.ok()?;
                (status == 200).then_some(())
            })
            .await;
        if let Err(error) = ready {
            if !port_was_taken(&error) {
                scratch.keep();
            }
            return Err(error);
        }
        Ok(Self {
            port,
            _process: process,
            _scratch: scratch,
        })
    }

    /// The address of every service, such as `http://127.0.0.1:4566`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A configuration for the AWS clients: account [`ACCOUNT`], region [`REGION`].
    #[must_use]
    pub fn aws_config(&self) -> SdkConfig {
        self.config_of(ACCOUNT)
    }

    /// A configuration for another account, named by its twelve digits.
    ///
    /// Accounts do not see each other's objects, so a test with one of its own needs no
    /// [`Ministack::reset`].
    #[must_use]
    pub fn config_of(&self, account: &str) -> SdkConfig {
        let credentials = Credentials::new(account, SECRET_ACCESS_KEY, None, None, "topo-tests");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .endpoint_url(self.endpoint())
            .credentials_provider(
                aws_credential_types::provider::SharedCredentialsProvider::new(credentials),
            )
            .build()
    }

    /// The same for a program: the environment variables that the AWS clients read.
    #[must_use]
    pub fn environment(&self, account: &str) -> [(&'static str, String); 4] {
        [
            ("AWS_ACCESS_KEY_ID", account.to_owned()),
            ("AWS_ENDPOINT_URL", self.endpoint()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY.to_owned()),
        ]
    }

    /// Forgets every object of every account.
    ///
    /// # Errors
    ///
    /// When the server does not answer that it did.
    pub async fn reset(&self) -> Result<(), ServerError> {
        let status = call(self.port, "POST", "/_ministack/reset").await;
        match status.context(|| "cannot reset ministack".to_owned())? {
            200 => Ok(()),
            status => Err(std::io::Error::other(format!("HTTP status {status}")))
                .context(|| "cannot reset ministack".to_owned()),
        }
    }
}

/// Makes an HTTP request without a body and returns the status.
async fn call(port: u16, method: &str, path: &str) -> std::io::Result<u16> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    String::from_utf8_lossy(&answer)
        .split_ascii_whitespace()
        .nth(1)
        .and_then(|status| status.parse().ok())
        .ok_or_else(|| std::io::Error::other("not an HTTP answer"))
}
