//! The `tls` provider: private keys and self-signed certificates, which live in the state.

mod key;
mod private_key;
mod self_signed_cert;

use std::sync::Arc;

use topo_sdk::Provider;

/// The provider.
pub(crate) fn provider() -> Arc<dyn Provider> {
    crate::table::provider_with_ephemeral(
        "tls",
        vec![
            Box::new(private_key::TlsPrivateKey),
            Box::new(self_signed_cert::TlsSelfSignedCert),
        ],
        vec![Box::new(private_key::EphemeralPrivateKey)],
    )
}
