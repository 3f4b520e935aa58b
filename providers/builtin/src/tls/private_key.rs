//! `tls_private_key`: a private key, kept in the state.

use async_trait::async_trait;
use topo_sdk::{Attribute, Block, Diagnostic, Diagnostics, Operation, Path, Schema, Type, Value};

use super::key::Key;
use crate::table::{Ephemeral, Resource};

pub(crate) struct TlsPrivateKey;

#[async_trait]
impl Resource for TlsPrivateKey {
    fn name(&self) -> &'static str {
        "tls_private_key"
    }

    fn schema(&self) -> Schema {
        let public = |what: &str| Attribute::computed(Type::String).describe(what);
        let secret = |what: &str| public(what).sensitive();
        Schema {
            version: 1,
            ..Schema::new(
                Block::new()
                    .describe("A private key, kept in the state.")
                    .attr(
                        "algorithm",
                        Attribute::required(Type::String)
                            .force_new()
                            .describe("RSA, ECDSA or ED25519."),
                    )
                    .attr(
                        "rsa_bits",
                        Attribute::optional(Type::Number)
                            .default(2048)
                            .force_new()
                            .describe("The size of an RSA key."),
                    )
                    .attr(
                        "ecdsa_curve",
                        Attribute::optional(Type::String)
                            .default("P224")
                            .force_new()
                            .describe("The curve of an ECDSA key: P256 or P384."),
                    )
                    .attr(
                        "private_key_pem",
                        secret("PKCS#1 for RSA, SEC 1 for ECDSA, PKCS#8 for Ed25519."),
                    )
                    .attr("private_key_pem_pkcs8", secret("PKCS#8."))
                    .attr("private_key_openssh", secret("OpenSSH."))
                    .attr("public_key_pem", public("PKIX."))
                    .attr("public_key_openssh", public("A line of authorized_keys."))
                    .attr("public_key_fingerprint_md5", public("Of the OpenSSH form."))
                    .attr(
                        "public_key_fingerprint_sha256",
                        public("Of the OpenSSH form."),
                    )
                    .attr("id", public("The SHA-1 of the public key.")),
            )
        }
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let at = |name: &'static str, summary: &str, detail: &str| {
            Diagnostic::error(summary, detail)
                .at(Path::attribute(name))
                .into()
        };
        match config.get_str("algorithm") {
            Some("ECDSA") => {
                let unsupported = "P256 and P384 are. Set ecdsa_curve to one of them: the documented default, P224, is not supported here, nor is P521.";
                match config.get("ecdsa_curve") {
                    Some(v) if !v.is_known() => Diagnostics::new(),
                    Some(v) if matches!(v.as_str(), Some("P256" | "P384")) => Diagnostics::new(),
                    _ => at("ecdsa_curve", "The curve is not supported", unsupported),
                }
            }
            Some("RSA") => match config.get_i64("rsa_bits") {
                Some(bits) if !(1024..=16384).contains(&bits) => at(
                    "rsa_bits",
                    "The key size is out of range",
                    "rsa_bits must be from 1024 to 16384; 2048 is the least that is safe.",
                ),
                _ => Diagnostics::new(),
            },
            Some("ED25519") | None => Diagnostics::new(),
            Some(_) => at(
                "algorithm",
                "The algorithm is not supported",
                "It must be RSA, ECDSA or ED25519.",
            ),
        }
    }

    async fn create(
        &self,
        planned: Value,
        operation: &dyn Operation,
    ) -> Result<Value, Diagnostics> {
        let (planned, key) =
            generate(planned, || operation.progress("generating an RSA key")).await?;
        Ok(planned.with("id", key.id()?.into()))
    }
}

/// The ephemeral `tls_private_key`: another one in every phase of a run.
pub(crate) struct EphemeralPrivateKey;

#[async_trait]
impl Ephemeral for EphemeralPrivateKey {
    fn name(&self) -> &'static str {
        "tls_private_key"
    }

    fn schema(&self) -> Schema {
        let of = TlsPrivateKey.schema().block.attributes;
        let mut block = Block::new().describe("A private key that is kept nowhere.");
        let kept = of.into_iter().filter(|(name, _)| &**name != "id");
        block.attributes.extend(kept.map(|(name, attribute)| {
            let attribute = Attribute {
                force_new: false,
                ..attribute
            };
            (name, attribute)
        }));
        Schema::new(block)
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        TlsPrivateKey.validate(config)
    }

    async fn open(&self, planned: Value) -> Result<Value, Diagnostics> {
        Ok(generate(planned, || {}).await?.0)
    }
}

/// The object with a new key in all its formats, and the key.
async fn generate(planned: Value, slow: impl FnOnce()) -> Result<(Value, Key), Diagnostics> {
    let diagnostics = TlsPrivateKey.validate(&planned);
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    let key = match planned.get_str("algorithm") {
        Some("ECDSA") => Key::ecdsa(planned.get_str("ecdsa_curve").unwrap_or_default()),
        Some("ED25519") => Some(Key::ed25519()),
        _ => {
            let bits = planned
                .get_i64("rsa_bits")
                .and_then(|b| usize::try_from(b).ok());
            let bits = bits.unwrap_or(2048);
            slow();
            let made = tokio::task::spawn_blocking(move || Key::rsa(bits)).await;
            Some(made.map_err(super::key::failed)??)
        }
    };
    let key = key.ok_or_else(|| TlsPrivateKey.validate(&planned))?;
    let formats = key.formats()?;
    let made = planned
        .with("private_key_pem", formats.pem.into())
        .with("private_key_pem_pkcs8", formats.pem_pkcs8.into())
        .with("private_key_openssh", formats.openssh.into())
        .with("public_key_pem", formats.public_pem.into())
        .with("public_key_openssh", formats.public_openssh.into())
        .with("public_key_fingerprint_md5", formats.fingerprint_md5.into())
        .with(
            "public_key_fingerprint_sha256",
            formats.fingerprint_sha256.into(),
        );
    Ok((made, key))
}

#[cfg(test)]
mod tests {
    use super::super::provider;
    use super::*;
    use crate::testing::Bench;

    async fn made<const N: usize>(arguments: [(&str, Value); N]) -> Value {
        let bench = Bench::new(provider(), "tls_private_key").await;
        let made = bench.create(arguments.clone()).await;
        bench.unchanged(&made, arguments);
        bench.replaces(&made, [("algorithm", "none".into())], "algorithm");
        made
    }

    /// Every format reads back as the same key.
    fn consistent(made: &Value, label: &str) {
        let text = |name: &str| made.get_str(name).unwrap();
        assert!(text("private_key_pem").starts_with(&format!("-----BEGIN {label}-----\n")));
        for name in ["private_key_pem", "private_key_pem_pkcs8"] {
            let back = Key::from_pem(text(name)).unwrap();
            assert_eq!(back.algorithm(), text("algorithm"));
            assert_eq!(back.formats().unwrap().public_pem, text("public_key_pem"));
            assert_eq!(back.id().unwrap(), text("id"));
        }
        let ssh = ssh_key::PrivateKey::from_openssh(text("private_key_openssh")).unwrap();
        let public = text("public_key_openssh");
        assert!(public.ends_with('\n'));
        let public = ssh_key::PublicKey::from_openssh(public.trim_end()).unwrap();
        assert_eq!(ssh.public_key().key_data(), public.key_data());
        assert!(text("public_key_fingerprint_sha256").starts_with("SHA256:"));
        assert_eq!(text("public_key_fingerprint_md5").len(), 47);
        let spki = pem::parse(text("public_key_pem")).unwrap();
        use x509_parser::prelude::FromDer;
        assert!(x509_parser::x509::SubjectPublicKeyInfo::from_der(spki.contents()).is_ok());
    }

    #[tokio::test]
    async fn rsa() {
        let made = made([("algorithm", "RSA".into()), ("rsa_bits", 1024.into())]).await;
        consistent(&made, "RSA PRIVATE KEY");
    }

    #[tokio::test]
    async fn ecdsa() {
        for curve in ["P256", "P384"] {
            let made = made([("algorithm", "ECDSA".into()), ("ecdsa_curve", curve.into())]).await;
            consistent(&made, "EC PRIVATE KEY");
        }
    }

    #[tokio::test]
    async fn ed25519() {
        consistent(
            &made([("algorithm", "ED25519".into())]).await,
            "PRIVATE KEY",
        );
    }

    #[tokio::test]
    async fn what_is_not_supported_is_said() {
        let bench = Bench::new(provider(), "tls_private_key").await;
        assert!(bench.validate([("algorithm", "ECDSA".into())]).has_errors());
        assert!(bench.validate([("algorithm", "DSA".into())]).has_errors());
        assert!(bench.validate([("algorithm", "RSA".into())]).is_empty());
        let unknown = [("algorithm", Value::unknown(Type::String))];
        assert!(bench.validate(unknown).is_empty());
        assert!(
            Key::from_pem("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----").is_err()
        );
        assert!(Key::from_pem("nothing").is_err());
    }

    #[tokio::test]
    async fn an_ephemeral_one_is_another_each_time() {
        let provider = provider();
        let schema = provider.ephemeral_schema("tls_private_key").unwrap();
        assert!(!schema.block.attributes.contains_key("id"));
        let connection = provider.configure(&Value::NULL).await.unwrap();
        let config = topo_sdk::plan::fill_missing(
            &schema.block,
            Value::object([("algorithm", Value::from("ED25519"))]),
        );
        let mut made = Vec::new();
        for _ in 0..2 {
            let opened = connection.open_ephemeral("tls_private_key", &config);
            let value = opened.await.unwrap().value;
            assert!(value.is_wholly_known());
            let private = Key::from_pem(value.get_str("private_key_pem").unwrap()).unwrap();
            let public = private.formats().unwrap().public_pem;
            assert_eq!(value.get_str("public_key_pem"), Some(&*public));
            made.push(public);
        }
        assert_ne!(made[0], made[1]);
    }
}
