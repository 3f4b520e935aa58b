//! A configured connection to AWS: one client per service, made when first used, and what the
//! provider block says that concerns every object.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use aws_types::SdkConfig;
use tokio::sync::OnceCell;
use topo_sdk::Diagnostics;

use super::error::{ApiError, SdkResult};
use super::retry::GiveUpConnecting;
use super::tags::TagRules;

/// The services that the provider talks to, as named in `endpoints`.
pub(crate) const SERVICES: [&str; 6] = ["cloudformation", "ec2", "eks", "iam", "rds", "sts"];

/// Who the credentials belong to.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// The account number, 12 digits.
    pub account: String,
    /// The caller's ARN.
    pub arn: String,
    /// The caller's unique id.
    pub user_id: String,
}

/// A configured connection.
pub(crate) struct Aws {
    /// Region, credentials, retries and timeouts for every client.
    pub config: SdkConfig,
    /// The region's code.
    pub region: String,
    /// Tag rules of the provider block.
    pub tags: TagRules,
    /// Whether the account may be asked for.
    pub ask_account: bool,
    endpoints: BTreeMap<String, String>,
    connecting: GiveUpConnecting,
    identity: OnceCell<Identity>,
    cloudformation: OnceLock<aws_sdk_cloudformation::Client>,
    ec2: OnceLock<aws_sdk_ec2::Client>,
    eks: OnceLock<aws_sdk_eks::Client>,
    iam: OnceLock<aws_sdk_iam::Client>,
    rds: OnceLock<aws_sdk_rds::Client>,
    sts: OnceLock<aws_sdk_sts::Client>,
}

/// One accessor per service: they differ in nothing but the crate.
macro_rules! client {
    ($name:ident, $krate:ident) => {
        /// The client of this service.
        pub fn $name(&self) -> &$krate::Client {
            self.$name.get_or_init(|| {
                let mut config = $krate::config::Builder::from(&self.config)
                    .retry_classifier(self.connecting.clone());
                if let Some(url) = self.endpoints.get(stringify!($name)) {
                    config = config.endpoint_url(url);
                }
                $krate::Client::from_conf(config.build())
            })
        }
    };
}

impl Aws {
    /// A connection with this configuration; `endpoints` by service name.
    pub fn new(
        config: SdkConfig,
        region: String,
        endpoints: BTreeMap<String, String>,
        tags: TagRules,
        ask_account: bool,
    ) -> Aws {
        Aws {
            config,
            region,
            tags,
            ask_account,
            endpoints,
            connecting: GiveUpConnecting::default(),
            identity: OnceCell::new(),
            cloudformation: OnceLock::new(),
            ec2: OnceLock::new(),
            eks: OnceLock::new(),
            iam: OnceLock::new(),
            rds: OnceLock::new(),
            sts: OnceLock::new(),
        }
    }

    client!(cloudformation, aws_sdk_cloudformation);
    client!(ec2, aws_sdk_ec2);
    client!(eks, aws_sdk_eks);
    client!(iam, aws_sdk_iam);
    client!(rds, aws_sdk_rds);
    client!(sts, aws_sdk_sts);

    /// A custom endpoint of a service.
    pub fn custom_endpoint(&self, service: &str) -> Option<&str> {
        self.endpoints
            .get(service)
            .map(String::as_str)
            .or_else(|| self.config.endpoint_url())
    }

    /// Where a call such as `ec2:CreateVpc` is sent.
    pub fn endpoint_of(&self, operation: &str) -> String {
        let service = operation.split(':').next().unwrap_or(operation);
        if let Some(url) = self.custom_endpoint(service) {
            return url.to_owned();
        }
        match service {
            "iam" => format!("https://iam.{}", self.dns_suffix()),
            _ => format!("https://{service}.{}.{}", self.region, self.dns_suffix()),
        }
    }

    /// The partition of the region: `aws`, `aws-cn`, `aws-us-gov`, ...
    pub fn partition(&self) -> &'static str {
        partition_of(&self.region).0
    }

    /// The domain that the partition's services live under.
    pub fn dns_suffix(&self) -> &'static str {
        partition_of(&self.region).1
    }

    /// Who the credentials belong to; asked once.
    pub async fn identity(&self) -> Result<&Identity, ApiError> {
        self.identity
            .get_or_try_init(|| async {
                let answer = self
                    .sts()
                    .get_caller_identity()
                    .send()
                    .await
                    .api(self, "sts:GetCallerIdentity")?;
                Ok(Identity {
                    account: answer.account().unwrap_or_default().to_owned(),
                    arn: answer.arn().unwrap_or_default().to_owned(),
                    user_id: answer.user_id().unwrap_or_default().to_owned(),
                })
            })
            .await
    }

    /// The account number, empty where the provider block says not to ask for it.
    pub async fn account(&self) -> Result<String, Diagnostics> {
        if !self.ask_account {
            return Ok(String::new());
        }
        Ok(self.identity().await?.account.clone())
    }

    /// An ARN in this region.
    pub fn arn(&self, service: &str, account: &str, resource: &str) -> String {
        let (partition, region) = (self.partition(), &self.region);
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    }

    /// How long to let a new object become visible everywhere.
    pub fn propagation(&self) -> Duration {
        Duration::from_secs(120)
    }
}

/// Partition and DNS suffix of a region (source: the AWS documentation of partitions).
fn partition_of(region: &str) -> (&'static str, &'static str) {
    let prefixes = [
        ("cn-", "aws-cn", "amazonaws.com.cn"),
        ("us-gov-", "aws-us-gov", "amazonaws.com"),
        ("us-iso-", "aws-iso", "c2s.ic.gov"),
        ("us-isob-", "aws-iso-b", "sc2s.sgov.gov"),
        ("eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"),
        ("us-isof-", "aws-iso-f", "csp.hci.ic.gov"),
        ("eusc-", "aws-eusc", "amazonaws.eu"),
    ];
    prefixes
        .iter()
        .find(|(prefix, ..)| region.starts_with(prefix))
        .map_or(("aws", "amazonaws.com"), |(_, p, d)| (p, d))
}
