//! `kubernetes_token_request_v1`: a token of a service account.

use std::time::Duration;

use async_trait::async_trait;
use k8s_openapi::api::authentication::v1 as authentication;
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::{Api, PostParams};
use topo_sdk::schema::{Block, Schema};
use topo_sdk::{Attribute, Diagnostics, NestedBlock, Path, Type, Value};

use super::{Ephemeral, only, texts};
use crate::connection::Cluster;
use crate::errors::Subject;

/// The ephemeral resource.
pub(super) struct TokenRequest;

/// The API makes no token that is good for less than ten minutes.
const GOOD_FOR: Duration = Duration::from_secs(9 * 60);

#[async_trait]
impl Ephemeral for TokenRequest {
    fn name(&self) -> &'static str {
        "kubernetes_token_request_v1"
    }

    fn schema(&self) -> Schema {
        let text = |what: &str| Attribute::optional(Type::String).describe(what);
        let metadata = Block::new()
            .describe("The service account.")
            .attr("name", text("Its name."))
            .attr("namespace", text("Its namespace.").default("default"));
        let bound = Block::new()
            .describe("An object with which the token ends.")
            .attr("api_version", text("API version of the object."))
            .attr("kind", text("Pod, Secret or Node."))
            .attr("name", text("Name of the object."))
            .attr("uid", text("UID of the object."));
        let spec = Block::new()
            .attr(
                "audiences",
                Attribute::optional(Type::list(Type::String))
                    .describe("Who is to accept the token; without any, the API server."),
            )
            .attr(
                "expiration_seconds",
                Attribute::optional(Type::Number)
                    .describe("How long it is to be good, at least 600; an hour if left out."),
            )
            .block("bound_object_ref", NestedBlock::list_max_one(bound));
        Schema::new(
            Block::new()
                .describe("A token of a service account.")
                .attr(
                    "token",
                    Attribute::computed(Type::String)
                        .sensitive()
                        .describe("The token."),
                )
                .block("metadata", NestedBlock::list_max_one(metadata).required())
                .block("spec", NestedBlock::list_max_one(spec)),
        )
        .expires_after(GOOD_FOR)
    }

    async fn open(&self, cluster: &Cluster, planned: Value) -> Result<Value, Diagnostics> {
        let metadata = only(&planned, "metadata").unwrap_or(&Value::NULL);
        let name = metadata.get_str("name").filter(|n| !n.is_empty());
        let Some(name) = name else {
            return Err(Diagnostics::error(
                "A token of no service account",
                "Set name in the metadata block to that of the service account.",
            )
            .map(|d| d.at(Path::attribute("metadata").index(0).attr("name"))));
        };
        let namespace = metadata.get_str("namespace").unwrap_or("default");
        let request = authentication::TokenRequest {
            spec: Some(spec(only(&planned, "spec").unwrap_or(&Value::NULL))),
            ..Default::default()
        };
        let accounts: Api<ServiceAccount> = Api::namespaced(cluster.client.clone(), namespace);
        let id = format!("{namespace}/{name}");
        let subject = Subject {
            action: "make a token of",
            kind: "ServiceAccount",
            id: &id,
            host: &cluster.host,
            shape: None,
        };
        let params = PostParams::default();
        let made = accounts.create_token_request(name, &params, &request).await;
        let made = made.map_err(|e| subject.failed(&e))?;
        let token = made.status.and_then(|s| s.token).ok_or_else(|| {
            Diagnostics::error(
                format!("No token of ServiceAccount {id}"),
                "The API server answered without one.",
            )
        })?;
        Ok(planned.with("token", Value::string(token)))
    }
}

fn spec(block: &Value) -> authentication::TokenRequestSpec {
    let text = |of: &Value, name: &str| of.get_str(name).map(str::to_owned);
    let bound = only(block, "bound_object_ref").map(|of| authentication::BoundObjectReference {
        api_version: text(of, "api_version"),
        kind: text(of, "kind"),
        name: text(of, "name"),
        uid: text(of, "uid"),
    });
    authentication::TokenRequestSpec {
        audiences: Some(texts(block, "audiences").unwrap_or_default()),
        bound_object_ref: bound,
        expiration_seconds: block.get("expiration_seconds").and_then(Value::as_i64),
        ..Default::default()
    }
}
