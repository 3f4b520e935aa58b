//! `aws_eks_cluster_auth`: a token for a cluster's Kubernetes API. The token is a pre-signed call
//! of STS's GetCallerIdentity that names the cluster in a signed header; the cluster makes the
//! call to learn who asks (source: aws-iam-authenticator). Made without any call.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{
    PercentEncodingMode, SessionTokenMode, SignableBody, SignableRequest, SignatureLocation,
    SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use topo_sdk::{Attribute, Block, Diagnostics, Schema, Type, Value};

use crate::core::clients::Aws;
use crate::core::contract::DataSource;
use crate::core::error::{no_credentials, reasons};
use crate::core::view::View;

/// The data source.
pub(crate) struct ClusterAuth;

/// The cluster accepts a token for 15 minutes after the signature, whatever the URL says.
const GOOD_FOR: Duration = Duration::from_secs(14 * 60);
/// What the URL says; what the authenticator's own client asks for.
const URL_GOOD_FOR: Duration = Duration::from_secs(60);

/// Characters of a query value that stay as they are (source: AWS Signature Version 4).
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

#[async_trait]
impl DataSource for ClusterAuth {
    fn name(&self) -> &'static str {
        "aws_eks_cluster_auth"
    }

    fn schema(&self) -> Schema {
        Schema::new(
            Block::new()
                .describe("A token for a cluster's Kubernetes API.")
                .attr(
                    "id",
                    Attribute::computed(Type::String).describe("Name of the cluster."),
                )
                .attr(
                    "name",
                    Attribute::required(Type::String).describe("Name of the cluster."),
                )
                .attr(
                    "token",
                    Attribute::computed(Type::String)
                        .sensitive()
                        .describe("Bearer token, good for 15 minutes."),
                ),
        )
        .expires_after(GOOD_FOR)
    }

    async fn read(&self, aws: &Aws, config: &Value) -> Result<Value, Diagnostics> {
        let (name, token) = made(aws, config).await?;
        Ok(View::of(config).set("id", name).set("token", token).done())
    }
}

/// The ephemeral resource: the same without an id, and kept nowhere.
pub(crate) struct EphemeralClusterAuth;

#[async_trait]
impl DataSource for EphemeralClusterAuth {
    fn name(&self) -> &'static str {
        "aws_eks_cluster_auth"
    }

    fn schema(&self) -> Schema {
        let mut schema = ClusterAuth.schema();
        schema.block.attributes.remove("id");
        schema
    }

    async fn read(&self, aws: &Aws, config: &Value) -> Result<Value, Diagnostics> {
        let (_, token) = made(aws, config).await?;
        Ok(View::of(config).set("token", token).done())
    }
}

/// The name of the cluster and a token for it.
async fn made<'a>(aws: &Aws, config: &'a Value) -> Result<(&'a str, String), Diagnostics> {
    let name = config.get_str("name").unwrap_or_default();
    let missing =
        |reason: &str| Diagnostics::error("No valid AWS credentials", no_credentials(reason));
    let Some(provider) = aws.config.credentials_provider() else {
        return Err(missing("No source of credentials is configured"));
    };
    let credentials = provider
        .provide_credentials()
        .await
        .map_err(|e| missing(&reasons(&e)))?;
    let endpoint = aws.endpoint_of("sts:");
    let token = token(
        &credentials,
        &endpoint,
        &aws.region,
        name,
        SystemTime::now(),
    )
    .map_err(|e| Diagnostics::error(format!("No token for cluster {name}"), format!("{e}.")))?;
    Ok((name, token))
}

/// The token for a cluster, signed at `now`.
fn token(
    credentials: &Credentials,
    endpoint: &str,
    region: &str,
    cluster: &str,
    now: SystemTime,
) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let identity = credentials.clone().into();
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(URL_GOOD_FOR);
    settings.percent_encoding_mode = PercentEncodingMode::Double;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Enabled;
    settings.session_token_mode = SessionTokenMode::Include;
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("sts")
        .time(now)
        .settings(settings)
        .build()?
        .into();
    let base = endpoint.trim_end_matches('/');
    let url = format!("{base}/?Action=GetCallerIdentity&Version=2011-06-15");
    let header = [("x-k8s-aws-id", cluster)];
    let request = SignableRequest::new("GET", &url, header.into_iter(), SignableBody::Bytes(b""))?;
    let (signed, _) = sign(request, &params)?.into_parts();
    let (_, query) = signed.into_parts();
    let signed = query.iter().fold(url, |url, (name, value)| {
        format!("{url}&{name}={}", utf8_percent_encode(value, QUERY))
    });
    Ok(format!("k8s-aws-v1.{}", URL_SAFE_NO_PAD.encode(signed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_holds_a_signed_url_that_names_the_cluster() {
        let credentials =
            Credentials::new("AKIDEXAMPLE", "secret", Some("a/b+c".into()), None, "test");
        let endpoint = "https://sts.eu-central-1.amazonaws.com";
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let token = |cluster| token(&credentials, endpoint, "eu-central-1", cluster, now).unwrap();
        let made = token("kong");
        let url = URL_SAFE_NO_PAD
            .decode(made.strip_prefix("k8s-aws-v1.").unwrap())
            .unwrap();
        let url = String::from_utf8(url).unwrap();
        assert!(url.starts_with(
            "https://sts.eu-central-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&"
        ));
        assert!(
            url.contains("X-Amz-SignedHeaders=host%3Bx-k8s-aws-id"),
            "{url}"
        );
        assert!(url.contains("X-Amz-Expires=60"), "{url}");
        assert!(url.contains("X-Amz-Date=20231114T221320Z"), "{url}");
        assert!(url.contains("X-Amz-Security-Token=a%2Fb%2Bc"), "{url}");
        assert!(
            url.contains(
                "X-Amz-Credential=AKIDEXAMPLE%2F20231114%2Feu-central-1%2Fsts%2Faws4_request"
            ),
            "{url}"
        );
        assert_ne!(
            made,
            token("other"),
            "the cluster's name is part of what is signed"
        );
    }

    #[tokio::test]
    async fn the_ephemeral_resource_has_a_token_and_no_id() {
        use topo_sdk::{convert, plan};

        const TYPE: &str = "aws_eks_cluster_auth";
        let provider = crate::provider();
        let block = &provider.provider_schema().block;
        let given = Value::object([
            ("region", Value::from("eu-central-1")),
            ("access_key", "AKIDEXAMPLE".into()),
            ("secret_key", "secret".into()),
            ("skip_credentials_validation", true.into()),
            ("skip_requesting_account_id", true.into()),
        ]);
        let config = convert::convert(&plan::fill_missing(block, given), &block.ty()).unwrap();
        let connection = provider.configure(&config).await.unwrap();
        let schema = provider.ephemeral_schema(TYPE).unwrap();
        assert!(!schema.block.attributes.contains_key("id"));
        assert!(schema.block.attributes["token"].sensitive);
        assert!(schema.expires_after.is_some(), "it is opened again in time");
        let mut made = Vec::new();
        for name in ["kong", "other"] {
            let asked = Value::object([("name", Value::from(name))]);
            let asked = plan::fill_missing(&schema.block, asked);
            let asked = convert::convert(&asked, &schema.block.ty()).unwrap();
            let opened = connection.open_ephemeral(TYPE, &asked).await.unwrap();
            assert!(convert::conforms(&opened.value, &schema.block.ty()));
            assert_eq!(opened.value.get_str("name"), Some(name));
            let token = opened.value.get_str("token").unwrap();
            let url = token.strip_prefix("k8s-aws-v1.").unwrap();
            let url = String::from_utf8(URL_SAFE_NO_PAD.decode(url).unwrap()).unwrap();
            assert!(url.starts_with("https://sts.eu-central-1."), "{url}");
            assert!(url.contains("X-Amz-Credential=AKIDEXAMPLE%2F"), "{url}");
            made.push(token.to_owned());
            // Nothing to hand back.
            assert!(opened.private.is_empty() && opened.renew_at.is_none());
        }
        assert_ne!(made[0], made[1]);
        let none = connection.open_ephemeral("aws_none", &Value::NULL).await;
        assert!(none.is_err());
    }
}
