//! From the provider block to a configured connection: region, credentials, roles to assume,
//! endpoints, retries and timeouts.

#![expect(
    deprecated,
    reason = "aws-config renamed the types of profile files; their new home is not among its public dependencies"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::profile::profile_file::{ProfileFileKind, ProfileFiles};
use aws_config::sts::AssumeRoleProvider;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_config::{BehaviorVersion, ConfigLoader};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use topo_sdk::schema::parse_duration;
use topo_sdk::{Diagnostic, Diagnostics, Path, Value};

use super::clients::{Aws, SERVICES};
use super::error::{no_credentials, reasons};
use super::tags::{TagRules, from_value};
use super::view::{blocks, nested, string, strings};

/// What hashicorp/aws retries by default; people count on it in busy accounts.
const DEFAULT_ATTEMPTS: u32 = 25;

/// Makes a connection from a wholly known provider block.
///
/// # Errors
/// No region, no credentials, an account that is not allowed.
pub(crate) async fn connect(block: &Value) -> Result<Aws, Diagnostics> {
    let endpoints = endpoints(block);
    let mut config = loader(block).load().await;
    let Some(region) = config.region().map(ToString::to_string) else {
        return Err(Diagnostic::error(
            "No AWS region",
            "Set `region` in the provider block, the environment variable AWS_REGION, or `region` in the profile.",
        )
        .at(Path::attribute("region"))
        .into());
    };
    let roles = blocks(block, "assume_role");
    for (i, role) in roles.iter().enumerate() {
        config = assume(&config, role, &endpoints, i).await?;
    }
    let provider = config.credentials_provider();
    let found = match &provider {
        Some(p) => p.provide_credentials().await.map_err(|e| reasons(&e)),
        None => Err("No source of credentials is configured".into()),
    };
    if let Err(reason) = found {
        let failed = match roles.last().and_then(|r| r.get_str("role_arn")) {
            Some(arn) => Diagnostic::error(
                format!("The role {arn} cannot be assumed"),
                format!(
                    "{reason}. Check the role's trust policy and the credentials that assume it."
                ),
            )
            .at(Path::attribute("assume_role")),
            None => Diagnostic::error("No valid AWS credentials", no_credentials(&reason)),
        };
        return Err(failed.into());
    }
    let aws = Aws::new(
        config,
        region,
        endpoints,
        tag_rules(block),
        block.get_bool("skip_requesting_account_id") != Some(true),
    );
    check_account(&aws, block).await?;
    Ok(aws)
}

fn loader(block: &Value) -> ConfigLoader {
    let attempts = block
        .get_i64("max_retries")
        .and_then(|n| u32::try_from(n).ok())
        .map_or(DEFAULT_ATTEMPTS, |retries| retries.saturating_add(1));
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .read_timeout(Duration::from_secs(60))
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::standard().with_max_attempts(attempts))
        .timeout_config(timeouts);
    if let Some(region) = string(block, "region") {
        loader = loader.region(Region::new(region));
    }
    if let Some(files) = profile_files(block) {
        loader = loader.profile_files(files);
    }
    if let Some(profile) = string(block, "profile") {
        loader = loader.profile_name(profile);
    }
    for (argument, set) in [
        ("use_fips_endpoint", ConfigLoader::use_fips as fn(_, _) -> _),
        ("use_dualstack_endpoint", ConfigLoader::use_dual_stack),
    ] {
        if let Some(on) = block.get_bool(argument) {
            loader = set(loader, on);
        }
    }
    match credentials(block) {
        Some(provider) => loader.credentials_provider(provider),
        None => loader,
    }
}

/// The source of credentials where the provider block decides on it; the SDK's chain otherwise.
fn credentials(block: &Value) -> Option<SharedCredentialsProvider> {
    if let (Some(key), Some(secret)) = (string(block, "access_key"), string(block, "secret_key")) {
        let token = string(block, "token");
        let fixed = Credentials::new(key, secret, token, None, "the provider block");
        return Some(SharedCredentialsProvider::new(fixed));
    }
    let profile = || {
        let mut profile = ProfileFileCredentialsProvider::builder();
        if let Some(files) = profile_files(block) {
            profile = profile.profile_files(files);
        }
        if let Some(name) = string(block, "profile") {
            profile = profile.profile_name(name);
        }
        profile.build()
    };
    // A profile that is named wins over the environment's keys.
    if string(block, "profile").is_some() {
        return Some(SharedCredentialsProvider::new(profile()));
    }
    // Without the instance's metadata service: the SDK's chain has no switch for that.
    (block.get_str("skip_metadata_api_check") == Some("true")).then(|| {
        SharedCredentialsProvider::new(
            CredentialsProviderChain::first_try(
                "Environment",
                EnvironmentVariableCredentialsProvider::new(),
            )
            .or_else("Profile", profile())
            .or_else(
                "WebIdentityToken",
                WebIdentityTokenCredentialsProvider::builder().build(),
            )
            .or_else("EcsContainer", EcsCredentialsProvider::builder().build()),
        )
    })
}

fn profile_files(block: &Value) -> Option<ProfileFiles> {
    let config = strings(block, "shared_config_files");
    let secrets = strings(block, "shared_credentials_files");
    if config.is_empty() && secrets.is_empty() {
        return None;
    }
    let mut files = ProfileFiles::builder()
        .include_default_config_file(config.is_empty())
        .include_default_credentials_file(secrets.is_empty());
    for file in config {
        files = files.with_file(ProfileFileKind::Config, file);
    }
    for file in secrets {
        files = files.with_file(ProfileFileKind::Credentials, file);
    }
    Some(files.build())
}

async fn assume(
    config: &SdkConfig,
    role: &Value,
    endpoints: &BTreeMap<String, String>,
    index: usize,
) -> Result<SdkConfig, Diagnostics> {
    let Some(arn) = string(role, "role_arn") else {
        return Ok(config.clone());
    };
    let mut base = config.clone().into_builder();
    if let Some(url) = endpoints.get("sts") {
        base = base.endpoint_url(url);
    }
    let mut provider = AssumeRoleProvider::builder(arn)
        .session_name(string(role, "session_name").unwrap_or_else(|| "topo".into()))
        .policy_arns(strings(role, "policy_arns"))
        .tags(from_value(role.get("tags")))
        .configure(&base.build());
    if let Some(region) = config.region() {
        provider = provider.region(region.clone());
    }
    if let Some(id) = string(role, "external_id") {
        provider = provider.external_id(id);
    }
    if let Some(policy) = string(role, "policy") {
        provider = provider.policy(policy);
    }
    if let Some(text) = string(role, "duration") {
        let Some(length) = parse_duration(&text) else {
            let path = Path::attribute("assume_role").index(index).attr("duration");
            return Err(super::check::invalid(
                path,
                &format!("\"{text}\" is not a duration such as \"1h\""),
            )
            .into());
        };
        provider = provider.session_length(length);
    }
    let made = match config.credentials_provider() {
        Some(from) => provider.build_from_provider(from).await,
        None => provider.build().await,
    };
    Ok(config
        .clone()
        .into_builder()
        .credentials_provider(SharedCredentialsProvider::new(made))
        .build())
}

/// Custom endpoints by service. Several `endpoints` blocks add up.
fn endpoints(block: &Value) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for set in blocks(block, "endpoints") {
        for service in SERVICES {
            if let Some(url) = string(set, service) {
                found.insert(service.to_owned(), url);
            }
        }
    }
    found
}

fn tag_rules(block: &Value) -> TagRules {
    let ignore = nested(block, "ignore_tags");
    let ignored = |name| ignore.map(|i| strings(i, name)).unwrap_or_default();
    TagRules {
        defaults: nested(block, "default_tags")
            .map(|d| from_value(d.get("tags")))
            .unwrap_or_default(),
        ignore_keys: ignored("keys"),
        ignore_prefixes: ignored("key_prefixes"),
    }
}

/// Refuses to work in an account that the provider block does not allow.
async fn check_account(aws: &Aws, block: &Value) -> Result<(), Diagnostics> {
    let allowed = strings(block, "allowed_account_ids");
    let forbidden = strings(block, "forbidden_account_ids");
    if allowed.is_empty() && forbidden.is_empty() {
        return Ok(());
    }
    let account = &aws.identity().await?.account;
    if forbidden.contains(account) || (!allowed.is_empty() && !allowed.contains(account)) {
        return Err(Diagnostics::error(
            format!("AWS account {account} is not allowed"),
            "The credentials belong to an account that allowed_account_ids or forbidden_account_ids in the provider block excludes.",
        ));
    }
    Ok(())
}
