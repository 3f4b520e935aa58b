//! Hashes of texts, UUIDs and RSA decryption.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey;
use rsa::{Pkcs1v15Encrypt, RsaPrivateKey};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use topo_sdk::{Type, Value};
use uuid::Uuid;

use super::ParamType as T;
use super::encoding::base64_bytes;
use super::{Context, Function, FunctionError, Param, integer, later, returns_string, text};

const STR: Param = Param::new("str", T::String, "The text.");

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "base64sha256",
        "The SHA-256 hash in base64.",
        &[STR],
        returns_string,
        |_, a| Ok(STANDARD.encode(Sha256::digest(text(a, 0)?)).into()),
    ),
    Function::new(
        "base64sha512",
        "The SHA-512 hash in base64.",
        &[STR],
        returns_string,
        |_, a| Ok(STANDARD.encode(Sha512::digest(text(a, 0)?)).into()),
    ),
    Function::new(
        "bcrypt",
        "A salted hash for passwords.",
        &[STR],
        returns_string,
        bcrypt_hash,
    )
    .variadic(Param::new(
        "cost",
        T::Number,
        "The cost, 10 if left out: one more takes twice the time.",
    )),
    Function::new(
        "md5",
        "The MD5 hash in hexadecimal.",
        &[STR],
        returns_string,
        |_, a| Ok(hex::encode(Md5::digest(text(a, 0)?)).into()),
    ),
    Function::new(
        "rsadecrypt",
        "The text that was encrypted for an RSA key.",
        &[
            Param::new("ciphertext", T::String, "The encrypted text in base64."),
            Param::new("privatekey", T::String, "The private key in PEM."),
        ],
        returns_string,
        rsadecrypt,
    ),
    Function::new(
        "sha1",
        "The SHA-1 hash in hexadecimal.",
        &[STR],
        returns_string,
        |_, a| Ok(hex::encode(Sha1::digest(text(a, 0)?)).into()),
    ),
    Function::new(
        "sha256",
        "The SHA-256 hash in hexadecimal.",
        &[STR],
        returns_string,
        |_, a| Ok(hex::encode(Sha256::digest(text(a, 0)?)).into()),
    ),
    Function::new(
        "sha512",
        "The SHA-512 hash in hexadecimal.",
        &[STR],
        returns_string,
        |_, a| Ok(hex::encode(Sha512::digest(text(a, 0)?)).into()),
    ),
    Function::new(
        "uuid",
        "A new random UUID.",
        &[],
        returns_string,
        random_uuid,
    ),
    Function::new(
        "uuidv5",
        "The UUID of a name in a namespace.",
        &[
            Param::new("namespace", T::String, "dns, url, oid, x500 or a UUID."),
            Param::new("name", T::String, "The name."),
        ],
        returns_string,
        uuidv5,
    ),
];

/// The cost where none is given, or one that is too low to be of use.
const BCRYPT_COST: u32 = 10;

/// The longest password that the algorithm takes in whole, in bytes.
const BCRYPT_LONGEST: usize = 72;

fn bcrypt_hash(ctx: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    if args.len() > 2 {
        return Err(FunctionError::at(
            2,
            "bcrypt() takes no more than two arguments",
        ));
    }
    let cost = match args.get(1) {
        Some(_) => integer(args, 1)?,
        None => i64::from(BCRYPT_COST),
    };
    let cost = match u32::try_from(cost) {
        Ok(cost @ 4..=31) => cost,
        _ if cost > 31 => {
            return Err(FunctionError::at(1, "the cost must not be greater than 31"));
        }
        _ => BCRYPT_COST,
    };
    let password = text(args, 0)?;
    if password.len() > BCRYPT_LONGEST {
        let message = format!("the text is longer than {BCRYPT_LONGEST} bytes");
        return Err(FunctionError::at(0, message));
    }
    if ctx.impure_unknown {
        return Ok(later(Type::String));
    }
    bcrypt::hash_with_result(password, cost)
        .map(|h| h.format_for_version(bcrypt::Version::TwoA).into())
        .map_err(|e| FunctionError::new(format!("failed to hash the text: {e}")))
}

fn rsadecrypt(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let bytes = base64_bytes(text(args, 0)?)?;
    let key = private_key(text(args, 1)?).map_err(|e| FunctionError::at(1, e))?;
    let plain = key
        .decrypt(Pkcs1v15Encrypt, &bytes)
        .map_err(|_| FunctionError::new("failed to decrypt: the text is not for this key"))?;
    String::from_utf8(plain)
        .map(Value::from)
        .map_err(|_| FunctionError::new("the decrypted text is not valid UTF-8"))
}

/// A key in one of the PEM forms that are common: PKCS #1, PKCS #8 and OpenSSH's own. The error
/// never shows a part of the key.
fn private_key(pem: &str) -> Result<RsaPrivateKey, String> {
    let pem = pem.trim();
    if pem.contains("Proc-Type: 4,ENCRYPTED") || pem.contains("BEGIN ENCRYPTED PRIVATE KEY") {
        return Err("the private key is protected by a passphrase".into());
    }
    if pem.contains("BEGIN OPENSSH PRIVATE KEY") {
        let key = ssh_key::PrivateKey::from_openssh(pem)
            .map_err(|e| format!("invalid private key: {e}"))?;
        let pair = key
            .key_data()
            .rsa()
            .ok_or("the private key is not an unprotected RSA key")?;
        return RsaPrivateKey::try_from(pair).map_err(|e| format!("invalid private key: {e}"));
    }
    RsaPrivateKey::from_pkcs1_pem(pem)
        .or_else(|_| RsaPrivateKey::from_pkcs8_pem(pem))
        .map_err(|_| "invalid private key: an RSA key in PEM is required".to_string())
}

fn random_uuid(ctx: &Context, _: &[Value]) -> Result<Value, FunctionError> {
    if ctx.impure_unknown {
        return Ok(later(Type::String));
    }
    Ok(Uuid::new_v4().to_string().into())
}

fn uuidv5(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let namespace = match text(args, 0)? {
        "dns" => Uuid::NAMESPACE_DNS,
        "url" => Uuid::NAMESPACE_URL,
        "oid" => Uuid::NAMESPACE_OID,
        "x500" => Uuid::NAMESPACE_X500,
        other => Uuid::parse_str(other)
            .map_err(|_| FunctionError::at(0, "uuidv5() doesn't support that namespace"))?,
    };
    Ok(Uuid::new_v5(&namespace, text(args, 1)?.as_bytes())
        .to_string()
        .into())
}

#[cfg(test)]
mod tests {
    use rsa::pkcs1::{EncodeRsaPrivateKey, LineEnding};
    use rsa::pkcs8::EncodePrivateKey;

    use super::super::testing::*;
    use super::*;

    #[test]
    fn a_uuid_is_random_and_of_version_4() {
        let ids = [(); 2].map(|()| run("uuid", &[]).unwrap());
        assert_ne!(ids[0], ids[1]);
        let id = Uuid::parse_str(ids[0].as_str().unwrap()).unwrap();
        assert_eq!(id.get_version_num(), 4);
    }

    #[test]
    fn a_password_is_verified_by_its_hash() {
        let hash = run("bcrypt", &[s("pässword"), n("4")]).unwrap();
        let hash = hash.as_str().unwrap();
        assert!(bcrypt::verify("pässword", hash).unwrap());
        assert!(!bcrypt::verify("password", hash).unwrap());
    }

    #[test]
    fn what_is_encrypted_for_a_key_is_decrypted_in_every_form_of_the_key() {
        let key = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 1024).unwrap();
        let encrypt = |plain: &[u8]| {
            let bytes = key
                .to_public_key()
                .encrypt(&mut rsa::rand_core::OsRng, Pkcs1v15Encrypt, plain)
                .unwrap();
            s(&STANDARD.encode(bytes))
        };
        let pkcs1 = key.to_pkcs1_pem(LineEnding::LF).unwrap();
        let pkcs8 = key.to_pkcs8_pem(LineEnding::LF).unwrap();
        for pem in [&pkcs1, &pkcs8] {
            let made = run("rsadecrypt", &[encrypt("gehéim".as_bytes()), s(pem)]);
            assert_eq!(made.unwrap(), s("gehéim"));
        }
        let locked = pkcs1.replace("-----\nMII", "-----\nProc-Type: 4,ENCRYPTED\n\nMII");
        refuse(&[
            ("rsadecrypt", &[s("%"), s(&pkcs1)], "base64"),
            ("rsadecrypt", &[s("YQ=="), s(&pkcs1)], "failed to decrypt"),
            (
                "rsadecrypt",
                &[encrypt(&[0xff]), s(&pkcs1)],
                "not valid UTF-8",
            ),
            ("rsadecrypt", &[s("YQ=="), s("x")], "invalid private key"),
            ("rsadecrypt", &[s("YQ=="), s(&locked)], "passphrase"),
        ]);
        // Nothing of a key that cannot be read is shown.
        let half = &pkcs1[..pkcs1.len() / 2];
        let e = run("rsadecrypt", &[s("YQ=="), s(half)]).unwrap_err();
        assert!(!half.lines().any(|l| e.message.contains(l)), "{e}");
    }
}
