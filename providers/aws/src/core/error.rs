//! Errors of API calls in words for people: which call, which error code, what the service said,
//! the request id to give to AWS support; and for calls that never reached the service, why.

use std::error::Error;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use topo_sdk::{Diagnostic, Diagnostics};

use super::clients::Aws;

/// A call that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    /// Service and action in the notation of IAM: `ec2:CreateVpc`.
    pub operation: &'static str,
    /// How it failed.
    pub cause: Cause,
}

/// How a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The service answered with an error.
    Service {
        /// Its error code, empty if it gave none.
        code: String,
        /// Its message.
        message: String,
        /// The id of the request, for AWS support.
        request_id: Option<String>,
    },
    /// There was nothing to sign the request with.
    Credentials(String),
    /// The endpoint was not reached, or the connection broke.
    Unreachable {
        /// Where the request was sent.
        endpoint: String,
        /// What happened.
        reason: String,
    },
    /// The request could not be made, or the answer could not be read.
    Other(String),
}

impl ApiError {
    /// The service's error code, if it answered.
    pub fn code(&self) -> &str {
        match &self.cause {
            Cause::Service { code, .. } => code,
            _ => "",
        }
    }

    /// The service's message, if it answered.
    pub fn message(&self) -> &str {
        match &self.cause {
            Cause::Service { message, .. } => message,
            _ => "",
        }
    }

    /// Whether the service says that there is no such object. The codes are those that the API
    /// references of EC2, IAM, EKS, RDS and CloudFormation list.
    pub fn is_not_found(&self) -> bool {
        let code = self.code();
        let known = [
            "NoSuchEntity",
            "NoSuchEntityException",
            "ResourceNotFoundException",
            "NotFoundException",
            "DBInstanceNotFound",
            "DBInstanceNotFoundFault",
            "DBSubnetGroupNotFoundFault",
            "StackNotFoundException",
            "NatGatewayNotFound",
        ];
        known.contains(&code)
            || code.ends_with(".NotFound")
            || (code == "ValidationError" && self.message().contains("does not exist"))
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Service {
                code,
                message,
                request_id,
            } => {
                f.write_str(if message.is_empty() { code } else { message })?;
                if !message.is_empty() && !code.is_empty() {
                    write!(f, " ({code})")?;
                }
                if let Some(id) = request_id {
                    write!(f, " [request id {id}]")?;
                }
                Ok(())
            }
            Cause::Unreachable { endpoint, reason } => write!(f, "{endpoint}: {reason}"),
            Cause::Credentials(text) | Cause::Other(text) => f.write_str(text),
        }
    }
}

impl From<ApiError> for Diagnostic {
    fn from(error: ApiError) -> Diagnostic {
        let operation = error.operation;
        match &error.cause {
            Cause::Service { code, .. } => {
                let mut detail = format!("{error}.");
                if let Some(advice) = advice(code) {
                    detail.push(' ');
                    detail.push_str(advice);
                }
                Diagnostic::error(format!("{operation} failed: {code}"), detail)
            }
            Cause::Credentials(text) => Diagnostic::error(
                format!("{operation} failed: no valid AWS credentials"),
                no_credentials(text),
            ),
            Cause::Unreachable { endpoint, reason } => Diagnostic::error(
                format!("{operation} failed: {endpoint} cannot be reached"),
                format!(
                    "{reason}. Check the network, a proxy, and that the region and any \
                     `endpoints` in the provider block are right."
                ),
            ),
            Cause::Other(text) => Diagnostic::error(format!("{operation} failed"), text.clone()),
        }
    }
}

impl From<ApiError> for Diagnostics {
    fn from(error: ApiError) -> Diagnostics {
        Diagnostic::from(error).into()
    }
}

/// What a person can do about the errors that are not about the object itself.
fn advice(code: &str) -> Option<&'static str> {
    match code {
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => Some(
            "The identity in use lacks the permission named above: grant it, or choose another identity with `profile` or `assume_role`.",
        ),
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => {
            Some("The credentials have expired: sign in again (`aws sso login`) and repeat.")
        }
        "InvalidClientTokenId" | "UnrecognizedClientException" | "AuthFailure" => {
            Some("AWS does not know these credentials: check the access key and the account.")
        }
        "SignatureDoesNotMatch" => Some(
            "The secret key does not belong to the access key, or this machine's clock is off.",
        ),
        _ => None,
    }
}

/// The explanation for missing credentials: where was looked, why that failed, what to do.
pub(crate) fn no_credentials(reason: &str) -> String {
    format!(
        "Looked in this order: the provider block (access_key, secret_key, profile), the \
         environment (AWS_ACCESS_KEY_ID, AWS_PROFILE), the shared configuration files, a web \
         identity token, the container's and the instance's role. {reason}. Set one of these, \
         for instance with `aws configure`, `aws sso login` or `profile` in the provider block."
    )
}

/// Turns what an SDK call returns into what a resource type works with.
pub(crate) trait SdkResult<T> {
    /// Names the call (`ec2:CreateVpc`) and classifies its error.
    fn api(self, aws: &Aws, operation: &'static str) -> Result<T, ApiError>;
}

impl<T, E> SdkResult<T> for Result<T, SdkError<E, HttpResponse>>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    fn api(self, aws: &Aws, operation: &'static str) -> Result<T, ApiError> {
        self.map_err(|error| ApiError {
            operation,
            cause: classify(error, || aws.endpoint_of(operation)),
        })
    }
}

/// Turns "there is no such object" into `None`.
pub(crate) trait OrGone<T> {
    /// `None` where the service says that the object does not exist.
    fn or_gone(self) -> Result<Option<T>, ApiError>;
}

impl<T> OrGone<T> for Result<T, ApiError> {
    fn or_gone(self) -> Result<Option<T>, ApiError> {
        match self {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn classify<E>(error: SdkError<E, HttpResponse>, endpoint: impl FnOnce() -> String) -> Cause
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let request_id = error.request_id().map(str::to_owned);
    if let SdkError::ServiceError(context) = &error {
        let inner = context.err();
        return Cause::Service {
            code: inner.code().unwrap_or_default().to_owned(),
            message: inner
                .message()
                .unwrap_or_default()
                .trim_end_matches('.')
                .to_owned(),
            request_id,
        };
    }
    let reason = reasons(&error);
    let mut link: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(e) = link {
        if e.is::<CredentialsError>() {
            return Cause::Credentials(reason);
        }
        link = e.source();
    }
    match error {
        SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) => Cause::Unreachable {
            endpoint: endpoint(),
            reason,
        },
        _ => Cause::Other(reason),
    }
}

/// The messages of an error and its causes in one line, without repetitions.
pub(crate) fn reasons(error: &(dyn Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut link = Some(error);
    while let Some(e) = link {
        let text = e.to_string();
        if !parts.iter().any(|p| p.contains(&text)) {
            parts.push(text);
        }
        link = e.source();
    }
    parts.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(code: &str, message: &str) -> ApiError {
        ApiError {
            operation: "ec2:CreateVpc",
            cause: Cause::Service {
                code: code.into(),
                message: message.into(),
                request_id: Some("r-1".into()),
            },
        }
    }

    #[test]
    fn not_found_in_the_words_of_each_service() {
        assert!(service("InvalidVpcID.NotFound", "").is_not_found());
        assert!(service("NoSuchEntity", "").is_not_found());
        assert!(service("ValidationError", "Stack with id x does not exist").is_not_found());
        assert!(!service("ValidationError", "Template format error").is_not_found());
        assert!(!service("DependencyViolation", "").is_not_found());
    }

    #[test]
    fn a_diagnostic_names_call_code_message_and_request() {
        let d = Diagnostic::from(service("VpcLimitExceeded", "The maximum is reached"));
        assert_eq!(d.summary, "ec2:CreateVpc failed: VpcLimitExceeded");
        assert_eq!(
            d.detail,
            "The maximum is reached (VpcLimitExceeded) [request id r-1]."
        );
    }

    #[test]
    fn a_missing_permission_says_what_to_do() {
        let d = Diagnostic::from(service("UnauthorizedOperation", "You are not authorized"));
        assert!(d.detail.contains("grant it"), "{}", d.detail);
    }
}
