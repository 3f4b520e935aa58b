//! The API's refusals and the network's failures as diagnostics.

use kube::core::Status;
use topo_sdk::{Diagnostic, Diagnostics, Path};

use crate::shape::{FieldKind, Shape};

/// What was being done to what, for messages.
#[derive(Debug, Clone)]
pub struct Subject<'a> {
    /// `create`, `read`, …
    pub action: &'a str,
    /// `Deployment`
    pub kind: &'a str,
    /// `namespace/name`
    pub id: &'a str,
    /// The API server's address.
    pub host: &'a str,
    /// To spell the fields that the API names.
    pub shape: Option<&'a Shape>,
}

impl Subject<'_> {
    /// A failed call as diagnostics.
    pub fn failed(&self, error: &kube::Error) -> Diagnostics {
        let summary = format!("Cannot {} {} {}", self.action, self.kind, self.id);
        match error {
            kube::Error::Api(status) => self.refused(summary, status),
            kube::Error::Auth(error) => Diagnostics::error(
                format!("{summary}: no credentials for {}", self.host),
                format!(
                    "{}. Check the provider block's token, client certificate or exec command.",
                    chain(error)
                ),
            ),
            kube::Error::SerdeError(error) => Diagnostics::error(
                format!("{summary}: unreadable answer from {}", self.host),
                format!(
                    "The server's answer is no Kubernetes object: {error}. Is this the address of a Kubernetes API server?"
                ),
            ),
            error => Diagnostics::error(
                format!("{summary}: {} cannot be reached", self.host),
                format!(
                    "{}. Check that the address is right and that it can be reached from here.",
                    chain(error)
                ),
            ),
        }
    }

    fn refused(&self, summary: String, status: &Status) -> Diagnostics {
        // The API quotes the values that it does not like.
        let hidden = self.kind == "Secret" && status.code == 422;
        let message = if hidden {
            "(message not shown: it may quote the secret's values)"
        } else {
            status.message.trim_end_matches('.')
        };
        let reason = if status.reason.is_empty() {
            "no reason given"
        } else {
            &status.reason
        };
        let answer = format!(
            "The API server answered {} {reason}: {message}.",
            status.code
        );
        match status.code {
            401 => Diagnostics::error(
                format!("{summary}: not authorized by {}", self.host),
                format!(
                    "{answer} The credentials are missing, wrong or expired: check the provider block's token, client certificate or exec command."
                ),
            ),
            403 => Diagnostics::error(
                format!("{summary}: forbidden"),
                format!("{answer} Grant the user of these credentials a role that allows it."),
            ),
            404 if status.message.contains("namespaces \"") => Diagnostics::error(
                format!("{summary}: its namespace does not exist"),
                format!(
                    "{answer} Make the namespace first: refer to it, or name it in depends_on."
                ),
            ),
            409 => Diagnostics::error(
                format!("{summary}: {reason}"),
                format!(
                    "{answer} Somebody else changed, replaced or deleted it meanwhile: plan again."
                ),
            ),
            _ => {
                let causes = status.details.iter().flat_map(|d| &d.causes);
                let named: Vec<Diagnostic> = causes
                    .filter(|cause| !cause.field.is_empty())
                    .map(|cause| {
                        let why = if hidden {
                            &cause.reason
                        } else {
                            &cause.message
                        };
                        let (path, rest) = self.attribute(&cause.field);
                        let place = if rest {
                            format!(" ({})", cause.field)
                        } else {
                            String::new()
                        };
                        Diagnostic::error(
                            format!("{summary}: {reason}"),
                            format!(
                                "The API server answered {}: {}{place}.",
                                status.code,
                                why.trim_end_matches('.')
                            ),
                        )
                        .at(path)
                    })
                    .collect();
                if named.is_empty() {
                    Diagnostics::error(format!("{summary}: {reason}"), answer)
                } else {
                    named.into_iter().collect()
                }
            }
        }
    }

    /// The attribute that an API field path names (`spec.template.spec.containers[0].image`), as
    /// far as it can be followed, and whether something of it could not.
    fn attribute(&self, path: &str) -> (Path, bool) {
        let mut made = Path::root();
        let Some(mut shape) = self.shape else {
            return (made, true);
        };
        for segment in path.split('.') {
            let (name, index) = match segment.split_once('[') {
                Some((name, index)) => (name, index.trim_end_matches(']').parse::<usize>().ok()),
                None => (segment, None),
            };
            let Some(field) = shape.by_api(name) else {
                return (made, true);
            };
            made = made.attr(field.name.clone());
            match &field.kind {
                FieldKind::Block(inner) => {
                    made = made.index(0);
                    shape = inner;
                }
                FieldKind::Blocks { shape: inner, .. } => {
                    let Some(index) = index else {
                        return (made, false);
                    };
                    made = made.index(index);
                    shape = inner;
                }
                _ => return (made, false),
            }
        }
        (made, false)
    }
}

/// An error with its causes, without repeating what is said already.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(kind: &str) -> Diagnostics {
        let status = serde_json::json!({
            "status": "Failure",
            "code": 422,
            "reason": "Invalid",
            "message": "Secret \"s\" is invalid: data[x]: Invalid value: \"geheim\": bad",
            "details": {"causes": [{
                "reason": "FieldValueInvalid",
                "message": "Invalid value: \"geheim\": bad",
                "field": "data[x]",
            }]},
        });
        let status: Status = serde_json::from_value(status).unwrap();
        let subject = Subject {
            action: "create",
            kind,
            id: "default/s",
            host: "https://localhost",
            shape: crate::kinds::find("kubernetes_secret").map(|kind| &kind.model().shape),
        };
        subject.failed(&kube::Error::Api(Box::new(status)))
    }

    #[test]
    fn a_refusal_names_the_attribute_and_no_secret() {
        let hidden = refusal("Secret");
        assert!(!hidden.to_string().contains("geheim"), "{hidden}");
        assert!(hidden.to_string().contains("FieldValueInvalid"), "{hidden}");
        assert_eq!(hidden.0[0].attribute.to_string(), "data");
        assert!(refusal("ConfigMap").to_string().contains("geheim"));
    }
}
