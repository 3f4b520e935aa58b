//! A Kubernetes control plane: etcd, kube-apiserver, kube-controller-manager, kube-scheduler,
//! and kwok, which plays the nodes and the cloud as `tests/control-plane/stages.yaml` says.
//!
//! So pods become ready, jobs complete, claims get volumes and services of type LoadBalancer
//! get a host name, all without a container. Admission, defaulting, garbage collection and
//! every other controller are the real ones.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, ServiceAccount};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::api::{Api, ListParams, ObjectMeta, PostParams, Request};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use super::error::Context;
use super::kubeconfig::kubeconfig;
use super::pki::Pki;
use super::process::{Process, Scratch, free_ports, port_was_taken};
use super::token_review::{self, Reviews};
use super::{ServerError, programs};

const STARTS_WITHIN: Duration = Duration::from_secs(60);
const ATTEMPTS: usize = 3;

/// The availability zones that the nodes are in, one each.
const ZONES: [&str; 2] = ["us-east-1a", "us-east-1b"];

/// A running control plane. Its processes end when this is dropped.
pub struct ControlPlane {
    port: u16,
    token: String,
    pki: Pki,
    kubeconfig: PathBuf,
    reviews: Reviews,
    _processes: Vec<Process>,
    _scratch: Scratch,
}

impl ControlPlane {
    /// Starts a control plane with two nodes and a default storage class, and waits until it
    /// serves.
    ///
    /// # Errors
    ///
    /// When a program cannot be installed or does not start; the error has the end of its log.
    pub async fn start() -> Result<Self, ServerError> {
        let mut attempt = 1;
        loop {
            let mut scratch = Scratch::new()?;
            match Launch::new(&scratch).await?.run(&scratch).await {
                Ok((launch, processes)) => {
                    return Ok(Self {
                        port: launch.ports[0],
                        token: launch.token,
                        pki: launch.pki,
                        kubeconfig: launch.kubeconfig,
                        reviews: launch.reviews,
                        _processes: processes,
                        _scratch: scratch,
                    });
                }
                Err(error) if attempt < ATTEMPTS && port_was_taken(&error) => attempt += 1,
                Err(error) => {
                    scratch.keep();
                    return Err(error);
                }
            }
        }
    }

    /// The address of the API server, such as `https://localhost:6443`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// The port of the API server on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The authority of the API server's certificate, PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.pki.ca_pem
    }

    /// A bearer token that may do everything.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The certificate of a client that may do everything, PEM.
    #[must_use]
    pub fn client_cert_pem(&self) -> &str {
        &self.pki.admin.cert_pem
    }

    /// The private key of [`ControlPlane::client_cert_pem`], PEM.
    #[must_use]
    pub fn client_key_pem(&self) -> &str {
        &self.pki.admin.key_pem
    }

    /// A kubeconfig file with that client; cluster, user and context are called `topo`.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// A client of the caller's runtime that may do everything.
    ///
    /// # Errors
    ///
    /// When the kubeconfig cannot be read, which is a fault of the harness.
    pub async fn client(&self) -> Result<Client, ServerError> {
        client(&self.kubeconfig).await
    }

    /// Takes the tokens that AWS credentials make for an EKS cluster of this name, with the
    /// secret of the tests ([`super::SECRET_ACCESS_KEY`]). Until then they are refused.
    pub fn accept_cluster(&self, name: &str) {
        self.reviews.accept(name);
    }

    /// Why EKS tokens were refused so far, oldest first; their user only sees a 401.
    #[must_use]
    pub fn token_refusals(&self) -> Vec<String> {
        self.reviews.refusals()
    }
}

/// What must go on when the test that started a shared control plane is over: the answers to
/// token reviews.
fn runtime() -> Result<&'static Runtime, ServerError> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("token-reviews")
        .enable_all()
        .build()
        .context(|| "cannot start a thread".to_owned())?;
    Ok(RUNTIME.get_or_init(|| runtime))
}

async fn client(path: &Path) -> Result<Client, ServerError> {
    let kubeconfig = Kubeconfig::read_from(path)?;
    let mut config =
        Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    // The environment's proxy is not for loopback.
    config.proxy_url = None;
    Ok(Client::try_from(config)?)
}

/// The files and flags of the processes.
struct Launch {
    /// Of the API server, etcd's clients, etcd's peers, the controller manager, the scheduler.
    ports: [u16; 5],
    token: String,
    pki: Pki,
    reviews: Reviews,
    ca: PathBuf,
    cert: PathBuf,
    key: PathBuf,
    service_account_key: PathBuf,
    service_account_public: PathBuf,
    tokens: PathBuf,
    webhook: PathBuf,
    kubeconfig: PathBuf,
}

impl Launch {
    async fn new(scratch: &Scratch) -> Result<Self, ServerError> {
        let pki = Pki::new()?;
        let ports = free_ports()?;
        let reviews = Reviews::default();
        let webhook_port = runtime()?
            .spawn(token_review::serve(reviews.clone()))
            .await
            .map_err(std::io::Error::other)
            .context(|| "cannot serve token reviews".to_owned())??;
        let webhook = format!("http://127.0.0.1:{webhook_port}/");
        let endpoint = format!("https://localhost:{}", ports[0]);
        // Not a secret: the server is on loopback and ends with the tests.
        let token = format!("topo-tests-{}", ports[0]);
        Ok(Self {
            ca: scratch.write("ca.pem", &pki.ca_pem)?,
            cert: scratch.write("serving.pem", &pki.serving.cert_pem)?,
            key: scratch.write("serving.key", &pki.serving.key_pem)?,
            service_account_key: scratch
                .write("service-accounts.key", &pki.service_account_key_pem)?,
            service_account_public: scratch
                .write("service-accounts.pem", &pki.service_account_public_pem)?,
            tokens: scratch.write(
                "tokens.csv",
                &format!("{token},token-admin,token-admin,system:masters\n"),
            )?,
            webhook: scratch.write("webhook.json", &kubeconfig(&webhook, None, None))?,
            kubeconfig: scratch.write(
                "kubeconfig.json",
                &kubeconfig(&endpoint, Some(&pki.ca_pem), Some(&pki.admin)),
            )?,
            ports,
            token,
            pki,
            reviews,
        })
    }

    async fn run(self, scratch: &Scratch) -> Result<(Self, Vec<Process>), ServerError> {
        let mut etcd = Process::start("etcd", &self.etcd()?, scratch)?;
        let mut api = Process::start("kube-apiserver", &self.api_server()?, scratch)?;
        etcd.ready(STARTS_WITHIN, async || listens(self.ports[1]).await)
            .await?;
        let client = client(&self.kubeconfig).await?;
        api.ready(STARTS_WITHIN, async || {
            // A list is a GET of the bare path, here of one that lists nothing.
            let look = Request::new("/readyz").list(&ListParams::default()).ok()?;
            client.request_text(look).await.ok().map(drop)
        })
        .await?;
        let mut controllers = Process::start(
            "kube-controller-manager",
            &self.controller_manager()?,
            scratch,
        )?;
        let mut scheduler = Process::start("kube-scheduler", &self.scheduler()?, scratch)?;
        let mut kwok = Process::start("kwok", &self.kwok()?, scratch)?;
        make_world(&client).await?;

        let accounts: Api<ServiceAccount> = Api::default_namespaced(client.clone());
        controllers
            .ready(STARTS_WITHIN, async || {
                accounts.get("default").await.ok().map(drop)
            })
            .await?;
        let nodes: Api<Node> = Api::all(client);
        kwok.ready(STARTS_WITHIN, async || {
            let nodes = nodes.list(&ListParams::default()).await.ok()?;
            nodes.iter().all(usable).then_some(())
        })
        .await?;
        scheduler
            .ready(STARTS_WITHIN, async || listens(self.ports[4]).await)
            .await?;
        Ok((self, vec![kwok, scheduler, controllers, api, etcd]))
    }

    fn etcd(&self) -> Result<Command, ServerError> {
        let clients = format!("http://127.0.0.1:{}", self.ports[1]);
        let peers = format!("http://127.0.0.1:{}", self.ports[2]);
        let mut command = Command::new(programs::control_plane("etcd")?);
        command
            .arg("--name=topo")
            .arg("--data-dir=etcd")
            .arg(format!("--listen-client-urls={clients}"))
            .arg(format!("--advertise-client-urls={clients}"))
            .arg(format!("--listen-peer-urls={peers}"))
            .arg(format!("--initial-advertise-peer-urls={peers}"))
            .arg(format!("--initial-cluster=topo={peers}"))
            // Nothing is read after a crash, so nothing needs to survive one.
            .arg("--unsafe-no-fsync");
        Ok(command)
    }

    fn api_server(&self) -> Result<Command, ServerError> {
        let mut command = Command::new(programs::control_plane("kube-apiserver")?);
        command
            .arg(format!("--etcd-servers=http://127.0.0.1:{}", self.ports[1]))
            .arg("--bind-address=127.0.0.1")
            .arg("--advertise-address=127.0.0.1")
            // The address of a cluster's own service must not be loopback; no pod asks for it.
            .arg("--endpoint-reconciler-type=none")
            .arg(format!("--secure-port={}", self.ports[0]))
            .arg(flag("tls-cert-file", &self.cert))
            .arg(flag("tls-private-key-file", &self.key))
            .arg(flag("client-ca-file", &self.ca))
            .arg(flag("token-auth-file", &self.tokens))
            .arg(flag(
                "authentication-token-webhook-config-file",
                &self.webhook,
            ))
            .arg("--authentication-token-webhook-version=v1")
            .arg("--authentication-token-webhook-cache-ttl=1s")
            .arg("--service-account-issuer=https://kubernetes.default.svc")
            .arg(flag(
                "service-account-signing-key-file",
                &self.service_account_key,
            ))
            .arg(flag(
                "service-account-key-file",
                &self.service_account_public,
            ))
            .arg("--service-cluster-ip-range=10.100.0.0/16")
            .arg("--authorization-mode=RBAC")
            .arg("--allow-privileged=true")
            .arg("--profiling=false");
        Ok(command)
    }

    fn controller_manager(&self) -> Result<Command, ServerError> {
        let mut command = Command::new(programs::control_plane("kube-controller-manager")?);
        self.component(&mut command, self.ports[3]);
        command
            .arg(flag(
                "service-account-private-key-file",
                &self.service_account_key,
            ))
            .arg(flag("root-ca-file", &self.ca));
        Ok(command)
    }

    fn scheduler(&self) -> Result<Command, ServerError> {
        let mut command = Command::new(programs::control_plane("kube-scheduler")?);
        self.component(&mut command, self.ports[4]);
        Ok(command)
    }

    /// What the controller manager and the scheduler have in common.
    fn component(&self, command: &mut Command, port: u16) {
        command
            .arg(flag("kubeconfig", &self.kubeconfig))
            .arg("--bind-address=127.0.0.1")
            .arg(format!("--secure-port={port}"))
            .arg(flag("tls-cert-file", &self.cert))
            .arg(flag("tls-private-key-file", &self.key))
            .arg("--leader-elect=false")
            .arg("--profiling=false");
    }

    fn kwok(&self) -> Result<Command, ServerError> {
        let stages = programs::tests_dir().join("control-plane/stages.yaml");
        let mut command = Command::new(programs::control_plane("kwok")?);
        command
            .arg(flag("kubeconfig", &self.kubeconfig))
            .arg(flag("config", &stages))
            .arg("--manage-all-nodes=true")
            .arg("--node-lease-duration-seconds=40");
        Ok(command)
    }
}

/// Whether a server accepts connections.
async fn listens(port: u16) -> Option<()> {
    let address = (Ipv4Addr::LOCALHOST, port);
    TcpStream::connect(address).await.ok().map(drop)
}

fn flag(name: &str, path: &Path) -> String {
    format!("--{name}={}", path.display())
}

fn usable(node: &Node) -> bool {
    let status = node.status.as_ref();
    let conditions = status.and_then(|status| status.conditions.as_deref());
    let ready = conditions
        .unwrap_or_default()
        .iter()
        .any(|condition| condition.type_ == "Ready" && condition.status == "True");
    // The controller manager taints a new node until it has seen it ready.
    let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_deref());
    ready && taints.unwrap_or_default().is_empty()
}

/// Makes what a new EKS cluster has too: nodes in several zones, and the storage class `gp2`,
/// which waits for its first consumer.
async fn make_world(client: &Client) -> Result<(), ServerError> {
    let nodes: Api<Node> = Api::all(client.clone());
    for (index, zone) in ZONES.iter().enumerate() {
        let name = format!("node-{index}");
        let labels = BTreeMap::from([
            ("kubernetes.io/arch".to_owned(), "amd64".to_owned()),
            ("kubernetes.io/hostname".to_owned(), name.clone()),
            ("kubernetes.io/os".to_owned(), "linux".to_owned()),
            (
                "topology.kubernetes.io/region".to_owned(),
                "us-east-1".to_owned(),
            ),
            ("topology.kubernetes.io/zone".to_owned(), (*zone).to_owned()),
        ]);
        let node = Node {
            metadata: ObjectMeta {
                name: Some(name),
                labels: Some(labels),
                ..ObjectMeta::default()
            },
            ..Node::default()
        };
        nodes.create(&PostParams::default(), &node).await?;
    }
    let classes: Api<StorageClass> = Api::all(client.clone());
    let class = StorageClass {
        metadata: ObjectMeta {
            name: Some("gp2".to_owned()),
            annotations: Some(BTreeMap::from([(
                "storageclass.kubernetes.io/is-default-class".to_owned(),
                "true".to_owned(),
            )])),
            ..ObjectMeta::default()
        },
        provisioner: "ebs.csi.aws.com".to_owned(),
        reclaim_policy: Some("Delete".to_owned()),
        volume_binding_mode: Some("WaitForFirstConsumer".to_owned()),
        ..StorageClass::default()
    };
    classes.create(&PostParams::default(), &class).await?;
    Ok(())
}
