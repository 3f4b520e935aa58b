//! `kubernetes_certificate_signing_request_v1`: a certificate that a signer of the cluster issues.
//! The request is gone from the cluster once the certificate is here, or will not come.

use std::time::Duration;

use async_trait::async_trait;
use k8s_openapi::ByteString;
use k8s_openapi::api::certificates::v1 as certificates;
use kube::api::{Api, DeleteParams, ObjectMeta, Patch, PatchParams, PostParams};
use serde_json::json;
use tokio::time::Instant;
use topo_sdk::schema::{Block, Schema};
use topo_sdk::{Attribute, Diagnostics, NestedBlock, Type, Value};

use super::{Ephemeral, only, texts};
use crate::connection::Cluster;
use crate::errors::Subject;
use crate::object::{MANAGER, pauses};

/// The ephemeral resource.
pub(super) struct CertificateSigningRequest;

/// How long somebody may take to approve and sign it.
const PATIENCE: Duration = Duration::from_secs(5 * 60);

type Requests = Api<certificates::CertificateSigningRequest>;

#[async_trait]
impl Ephemeral for CertificateSigningRequest {
    fn name(&self) -> &'static str {
        "kubernetes_certificate_signing_request_v1"
    }

    fn schema(&self) -> Schema {
        let metadata = Block::new().describe("What identifies the request.").attr(
            "name",
            Attribute::optional(Type::String)
                .describe("Its name while it is there; made up if left out."),
        );
        let spec = Block::new()
            .attr(
                "request",
                Attribute::required(Type::String)
                    .describe("The request, a CERTIFICATE REQUEST block in PEM."),
            )
            .attr(
                "signer_name",
                Attribute::required(Type::String)
                    .describe("Who is to sign, such as kubernetes.io/kube-apiserver-client."),
            )
            .attr(
                "usages",
                Attribute::optional(Type::set(Type::String))
                    .describe("What the certificate is for, such as client auth."),
            )
            .attr(
                "expiration_seconds",
                Attribute::optional(Type::Number)
                    .describe("How long it is to be good, at least 600."),
            );
        Schema::new(
            Block::new()
                .describe("A certificate that a signer of the cluster issues.")
                .attr(
                    "id",
                    Attribute::computed(Type::String).describe("The request's name."),
                )
                .attr(
                    "auto_approve",
                    Attribute::optional(Type::Bool).describe(
                        "Whether topo approves the request; otherwise somebody else must.",
                    ),
                )
                .attr(
                    "certificate",
                    Attribute::computed(Type::String).describe("The certificate in PEM."),
                )
                .block("metadata", NestedBlock::list_max_one(metadata).required())
                .block("spec", NestedBlock::list_max_one(spec).required()),
        )
    }

    async fn open(&self, cluster: &Cluster, planned: Value) -> Result<Value, Diagnostics> {
        let requests: Requests = Api::all(cluster.client.clone());
        let asked = request(&planned);
        let id = asked.metadata.name.clone().unwrap_or_default();
        let subject = |action: &'static str, id: &str, e: &kube::Error| {
            let subject = Subject {
                action,
                kind: "CertificateSigningRequest",
                id,
                host: &cluster.host,
                shape: None,
            };
            subject.failed(e)
        };
        let made = requests.create(&PostParams::default(), &asked).await;
        let made = made.map_err(|e| subject("create", &id, &e))?;
        let name = made.metadata.name.unwrap_or_default();
        let issuing = async {
            if planned.get_bool("auto_approve") == Some(true) {
                let approved = approve(&requests, &name).await;
                approved.map_err(|e| subject("approve", &name, &e))?;
            }
            issued(&requests, &name, &|e| subject("read", &name, &e)).await
        };
        let issued = issuing.await;
        let gone = requests.delete(&name, &DeleteParams::default()).await;
        let certificate = issued?;
        match gone {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            Err(e) => return Err(subject("delete", &name, &e)),
        }
        Ok(planned
            .with("id", Value::string(name))
            .with("certificate", Value::string(certificate)))
    }
}

fn request(planned: &Value) -> certificates::CertificateSigningRequest {
    let spec = only(planned, "spec").unwrap_or(&Value::NULL);
    let name = only(planned, "metadata").and_then(|m| m.get_str("name"));
    let name = name.filter(|n| !n.is_empty()).map(str::to_owned);
    let seconds = spec.get("expiration_seconds").and_then(Value::as_i64);
    certificates::CertificateSigningRequest {
        metadata: ObjectMeta {
            generate_name: name.is_none().then(|| "topo-".to_owned()),
            name,
            ..Default::default()
        },
        spec: certificates::CertificateSigningRequestSpec {
            request: ByteString(spec.get_str("request").unwrap_or_default().into()),
            signer_name: spec.get_str("signer_name").unwrap_or_default().to_owned(),
            usages: texts(spec, "usages"),
            // One that does not fit is refused by the API, like any that is too small.
            expiration_seconds: seconds.map(|s| i32::try_from(s).unwrap_or(i32::MAX)),
            ..Default::default()
        },
        status: None,
    }
}

async fn approve(requests: &Requests, name: &str) -> Result<(), kube::Error> {
    let approval = json!({"status": {"conditions": [{
        "type": "Approved",
        "status": "True",
        "reason": "ApprovedByTopo",
        "message": "The configuration of topo has auto_approve.",
    }]}});
    let params = PatchParams {
        field_manager: Some(MANAGER.to_owned()),
        ..PatchParams::default()
    };
    let patch = Patch::Merge(approval);
    let approved = requests.patch_approval(name, &params, &patch).await;
    approved.map(|_| ())
}

/// Waits for the certificate.
async fn issued(
    requests: &Requests,
    name: &str,
    failed: &(dyn Fn(kube::Error) -> Diagnostics + Sync),
) -> Result<String, Diagnostics> {
    let wrong = |summary: String, detail: String| Err(Diagnostics::error(summary, detail));
    let end = Instant::now() + PATIENCE;
    for pause in pauses() {
        let found = requests.get_opt(name).await.map_err(failed)?;
        let Some(found) = found else {
            return wrong(
                format!("CertificateSigningRequest {name} is gone"),
                "Somebody deleted it before there was a certificate.".into(),
            );
        };
        let status = found.status.unwrap_or_default();
        if let Some(certificate) = status.certificate.filter(|c| !c.0.is_empty()) {
            return match String::from_utf8(certificate.0) {
                Ok(text) => Ok(text),
                Err(_) => wrong(
                    format!("The certificate of CertificateSigningRequest {name} is no text"),
                    "It should be in PEM: ask who signs for it.".into(),
                ),
            };
        }
        let conditions = status.conditions.unwrap_or_default();
        let refused = |c: &&certificates::CertificateSigningRequestCondition| {
            matches!(c.type_.as_str(), "Denied" | "Failed")
        };
        if let Some(why) = conditions.iter().find(refused) {
            return wrong(
                format!("CertificateSigningRequest {name}: {}", why.type_),
                format!(
                    "{}: {}",
                    why.reason.as_deref().unwrap_or("No reason given"),
                    why.message.as_deref().unwrap_or("no message."),
                ),
            );
        }
        if Instant::now() + pause > end {
            let approved = conditions.iter().any(|c| c.type_ == "Approved");
            let missing = if approved {
                "It is approved, but nobody has signed it: check that there is a signer of that signer_name in the cluster."
            } else {
                "Nobody has approved it: approve it (kubectl certificate approve) while topo waits, or set auto_approve."
            };
            return wrong(
                format!("No certificate for CertificateSigningRequest {name} in time"),
                missing.into(),
            );
        }
        tokio::time::sleep(pause).await;
    }
    wrong(
        format!("No certificate for CertificateSigningRequest {name}"),
        String::new(),
    )
}
