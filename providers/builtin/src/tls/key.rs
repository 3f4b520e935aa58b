//! Private keys: made, read from PEM, and written in every format that the provider offers.

use md5::Md5;
use p256::elliptic_curve::pkcs8::{
    DecodePrivateKey, EncodePrivateKey, EncodePublicKey, LineEnding,
};
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey};
use rsa::rand_core::OsRng;
use sha1::{Digest, Sha1};
use ssh_key::HashAlg;
use ssh_key::private::{EcdsaKeypair, Ed25519Keypair, RsaKeypair};
use topo_sdk::Diagnostics;

/// A private key.
pub(super) enum Key {
    Rsa(Box<rsa::RsaPrivateKey>),
    P256(p256::SecretKey),
    P384(p384::SecretKey),
    Ed25519(Box<ed25519_dalek::SigningKey>),
}

/// A key in all its formats.
pub(super) struct Formats {
    /// PKCS#1 for RSA, SEC 1 for ECDSA, PKCS#8 for Ed25519.
    pub pem: String,
    pub pem_pkcs8: String,
    pub openssh: String,
    pub public_pem: String,
    pub public_openssh: String,
    pub fingerprint_md5: String,
    pub fingerprint_sha256: String,
}

impl Key {
    /// A new RSA key. Takes seconds; call it off the runtime.
    pub(super) fn rsa(bits: usize) -> Result<Key, Diagnostics> {
        let key = rsa::RsaPrivateKey::new(&mut OsRng, bits).map_err(failed)?;
        Ok(Key::Rsa(Box::new(key)))
    }

    /// A new ECDSA key; `None` for a curve that is not supported.
    pub(super) fn ecdsa(curve: &str) -> Option<Key> {
        match curve {
            "P256" => Some(Key::P256(p256::SecretKey::random(&mut OsRng))),
            "P384" => Some(Key::P384(p384::SecretKey::random(&mut OsRng))),
            _ => None,
        }
    }

    /// A new Ed25519 key.
    pub(super) fn ed25519() -> Key {
        Key::Ed25519(Box::new(ed25519_dalek::SigningKey::generate(&mut OsRng)))
    }

    /// Reads a key from PEM: PKCS#1, SEC 1 or PKCS#8.
    pub(super) fn from_pem(pem: &str) -> Result<Key, Diagnostics> {
        let label = pem::parse(pem).map_err(failed)?;
        let key = match label.tag() {
            "RSA PRIVATE KEY" => Key::Rsa(Box::new(
                rsa::RsaPrivateKey::from_pkcs1_pem(pem).map_err(failed)?,
            )),
            "EC PRIVATE KEY" => match p256::SecretKey::from_sec1_pem(pem) {
                Ok(key) => Key::P256(key),
                Err(_) => Key::P384(p384::SecretKey::from_sec1_pem(pem).map_err(failed)?),
            },
            "PRIVATE KEY" => {
                return rsa::RsaPrivateKey::from_pkcs8_pem(pem)
                    .map(|k| Key::Rsa(Box::new(k)))
                    .or_else(|_| p256::SecretKey::from_pkcs8_pem(pem).map(Key::P256))
                    .or_else(|_| p384::SecretKey::from_pkcs8_pem(pem).map(Key::P384))
                    .or_else(|_| {
                        ed25519_dalek::SigningKey::from_pkcs8_pem(pem)
                            .map(|k| Key::Ed25519(Box::new(k)))
                    })
                    .map_err(failed);
            }
            other => {
                return Err(Diagnostics::error(
                    "Not a private key",
                    format!(
                        "Expected PEM of RSA PRIVATE KEY, EC PRIVATE KEY or PRIVATE KEY, found {other}."
                    ),
                ));
            }
        };
        Ok(key)
    }

    /// The name of its algorithm, as the provider spells it.
    pub(super) fn algorithm(&self) -> &'static str {
        match self {
            Key::Rsa(_) => "RSA",
            Key::P256(_) | Key::P384(_) => "ECDSA",
            Key::Ed25519(_) => "ED25519",
        }
    }

    /// PKCS#8 PEM, version 1 (without the public key), which everything reads.
    pub(super) fn pkcs8(&self) -> Result<String, Diagnostics> {
        let pem = match self {
            Key::Rsa(k) => k.to_pkcs8_pem(LineEnding::LF),
            Key::P256(k) => k.to_pkcs8_pem(LineEnding::LF),
            Key::P384(k) => k.to_pkcs8_pem(LineEnding::LF),
            Key::Ed25519(k) => ed25519_dalek::pkcs8::KeypairBytes {
                secret_key: k.to_bytes(),
                public_key: None,
            }
            .to_pkcs8_pem(LineEnding::LF),
        };
        Ok(pem.map_err(failed)?.to_string())
    }

    /// The SHA-1 of the public key's DER, in hexadecimal: the provider's ids.
    pub(super) fn id(&self) -> Result<String, Diagnostics> {
        let pem = pem::parse(self.public_pem()?).map_err(failed)?;
        Ok(hex::encode(Sha1::digest(pem.contents())))
    }

    fn public_pem(&self) -> Result<String, Diagnostics> {
        match self {
            Key::Rsa(k) => k.to_public_key().to_public_key_pem(LineEnding::LF),
            Key::P256(k) => k.public_key().to_public_key_pem(LineEnding::LF),
            Key::P384(k) => k.public_key().to_public_key_pem(LineEnding::LF),
            Key::Ed25519(k) => k.verifying_key().to_public_key_pem(LineEnding::LF),
        }
        .map_err(failed)
    }

    /// All formats.
    pub(super) fn formats(&self) -> Result<Formats, Diagnostics> {
        let pem = match self {
            Key::Rsa(k) => k.to_pkcs1_pem(LineEnding::LF).map_err(failed)?.to_string(),
            Key::P256(k) => k.to_sec1_pem(LineEnding::LF).map_err(failed)?.to_string(),
            Key::P384(k) => k.to_sec1_pem(LineEnding::LF).map_err(failed)?.to_string(),
            Key::Ed25519(_) => self.pkcs8()?,
        };
        let ssh: ssh_key::PrivateKey = match self {
            Key::Rsa(k) => RsaKeypair::try_from(&**k).map_err(failed)?.into(),
            Key::P256(k) => EcdsaKeypair::NistP256 {
                public: k.public_key().into(),
                private: k.clone().into(),
            }
            .into(),
            Key::P384(k) => EcdsaKeypair::NistP384 {
                public: k.public_key().into(),
                private: k.clone().into(),
            }
            .into(),
            Key::Ed25519(k) => Ed25519Keypair::from(&**k).into(),
        };
        let public = ssh.public_key();
        let wire = public.to_bytes().map_err(failed)?;
        let md5: Vec<String> = Md5::digest(wire)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        Ok(Formats {
            pem,
            pem_pkcs8: self.pkcs8()?,
            openssh: ssh.to_openssh(LineEnding::LF).map_err(failed)?.to_string(),
            public_pem: self.public_pem()?,
            // A line of an authorized_keys file, its end included.
            public_openssh: format!("{}\n", public.to_openssh().map_err(failed)?),
            fingerprint_md5: md5.join(":"),
            fingerprint_sha256: public.fingerprint(HashAlg::Sha256).to_string(),
        })
    }
}

pub(super) fn failed(e: impl std::fmt::Display) -> Diagnostics {
    Diagnostics::error("The private key cannot be used", format!("{e}."))
}
