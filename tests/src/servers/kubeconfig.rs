//! Kubeconfig documents. They are written as JSON, which is YAML too.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use super::pki::Identity;

/// A kubeconfig of one cluster and one user, both called `topo`.
///
/// Without `ca_pem` the system's authorities decide, without `identity` the user is nobody.
pub(super) fn kubeconfig(
    server: &str,
    ca_pem: Option<&str>,
    identity: Option<&Identity>,
) -> String {
    let mut cluster = json!({ "server": server });
    if let Some(pem) = ca_pem {
        cluster["certificate-authority-data"] = Value::from(BASE64.encode(pem));
    }
    let user = identity.map_or_else(
        || json!({}),
        |identity| {
            json!({
                "client-certificate-data": BASE64.encode(&identity.cert_pem),
                "client-key-data": BASE64.encode(&identity.key_pem),
            })
        },
    );
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "topo", "cluster": cluster }],
        "users": [{ "name": "topo", "user": user }],
        "contexts": [{ "name": "topo", "context": { "cluster": "topo", "user": "topo" } }],
        "current-context": "topo",
    })
    .to_string()
}
