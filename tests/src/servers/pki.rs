//! The certificates and keys of a control plane, made anew for each.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use super::ServerError;

/// A certificate and its private key, both PEM.
pub(super) struct Identity {
    pub(super) cert_pem: String,
    pub(super) key_pem: String,
}

/// Everything that a control plane proves its words with.
pub(super) struct Pki {
    /// The authority that signed the two identities.
    pub(super) ca_pem: String,
    /// What the servers show: localhost and 127.0.0.1.
    pub(super) serving: Identity,
    /// A client that may do everything.
    pub(super) admin: Identity,
    /// Signs the tokens of service accounts.
    pub(super) service_account_key_pem: String,
    /// Checks them.
    pub(super) service_account_public_pem: String,
}

impl Pki {
    pub(super) fn new() -> Result<Self, ServerError> {
        let ca_key = KeyPair::generate()?;
        let mut ca = CertificateParams::default();
        ca.distinguished_name.push(DnType::CommonName, "topo-tests");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca_pem = ca.self_signed(&ca_key)?.pem();
        let issuer = Issuer::new(ca, ca_key);

        let mut serving = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
        serving
            .distinguished_name
            .push(DnType::CommonName, "kube-apiserver");
        serving.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];

        let mut admin = CertificateParams::default();
        admin.distinguished_name.push(DnType::CommonName, "admin");
        admin
            .distinguished_name
            .push(DnType::OrganizationName, "system:masters");
        admin.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];

        let service_accounts = KeyPair::generate()?;
        Ok(Self {
            serving: sign(serving, &issuer)?,
            admin: sign(admin, &issuer)?,
            ca_pem,
            service_account_key_pem: service_accounts.serialize_pem(),
            service_account_public_pem: service_accounts.public_key_pem(),
        })
    }
}

fn sign(
    mut params: CertificateParams,
    issuer: &Issuer<'_, KeyPair>,
) -> Result<Identity, ServerError> {
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let key = KeyPair::generate()?;
    Ok(Identity {
        cert_pem: params.signed_by(&key, issuer)?.pem(),
        key_pem: key.serialize_pem(),
    })
}
