//! Hashes of texts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use topo_sdk::{Type, Value};
use uuid::Uuid;

use super::ParamType as T;
use super::{Context, Function, FunctionError, Param, later, returns_string, text};

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
        "md5",
        "The MD5 hash in hexadecimal.",
        &[STR],
        returns_string,
        |_, a| Ok(hex::encode(Md5::digest(text(a, 0)?)).into()),
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
    use super::super::testing::*;

    #[test]
    fn results() {
        check(&[
            (
                "md5",
                &[s("hello world")],
                r#""5eb63bbbe01eeed093cb22bb8f5acdc3""#,
            ),
            (
                "sha1",
                &[s("hello world")],
                r#""2aae6c35c94fcfb415dbe95f408b9ce91ee846ed""#,
            ),
            (
                "sha256",
                &[s("hello world")],
                r#""b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9""#,
            ),
            (
                "base64sha256",
                &[s("hello world")],
                r#""uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=""#,
            ),
            (
                "uuidv5",
                &[s("dns"), s("www.terraform.io")],
                r#""a5008fae-b28c-5ba5-96cd-82b4c53552d6""#,
            ),
        ]);
        assert_eq!(run("uuid", &[]).unwrap().as_str().unwrap().len(), 36);
        refuse(&[("uuidv5", &[s("tls"), s("a")], "namespace")]);
    }
}
