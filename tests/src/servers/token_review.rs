//! Accepts the tokens that AWS credentials make for an EKS cluster.
//!
//! Such a token is `k8s-aws-v1.` and, in base64url without padding, a presigned
//! `GetCallerIdentity` request whose signature covers the header `x-k8s-aws-id`: the name of
//! the cluster. EKS adds that header, sends the request to STS and takes its answer for the
//! user (<https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster>).
//! Here the signature is computed anew instead, with the one secret of all tests, so a token
//! for another cluster, with another key or out of date is refused as EKS would.
//!
//! The API server asks by an authentication webhook; [`serve`] answers it.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use k8s_openapi::jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::error::{Context, ServerError};
use super::ministack::SECRET_ACCESS_KEY;

/// How long after it was signed a token is taken, whatever it says itself.
const LIFETIME: SignedDuration = SignedDuration::from_mins(15);

/// A review is a token and some names; anything longer is not from the API server.
const MAX_BODY: usize = 64 * 1024;

/// What the webhook knows, shared with the control plane's handle.
#[derive(Debug, Default, Clone)]
pub(super) struct Reviews(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    clusters: BTreeSet<String>,
    refusals: Vec<String>,
}

impl Reviews {
    /// Takes tokens made for the cluster of this name from now on.
    pub(super) fn accept(&self, cluster: &str) {
        self.known().clusters.insert(cluster.to_owned());
    }

    /// Why tokens were refused so far, oldest first.
    pub(super) fn refusals(&self) -> Vec<String> {
        self.known().refusals.clone()
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        // A set and a list are whole after any panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer to a `TokenReview`.
    fn answer(&self, review: &Value) -> Value {
        let token = review["spec"]["token"].as_str().unwrap_or_default();
        let clusters = self.known().clusters.clone();
        let status = match account(token, &clusters, Timestamp::now()) {
            Ok(account) => json!({
                "authenticated": true,
                "user": {
                    "username": format!("arn:aws:iam::{account}:root"),
                    "uid": format!("aws-iam-authenticator:{account}"),
                    "groups": ["system:masters"],
                },
            }),
            Err(reason) => {
                self.known().refusals.push(reason.clone());
                json!({ "authenticated": false, "error": reason })
            }
        };
        json!({
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "status": status,
        })
    }
}

/// Listens on a free loopback port, which it returns, and answers reviews for as long as the
/// runtime lives.
pub(super) async fn serve(reviews: Reviews) -> Result<u16, ServerError> {
    let what = || "cannot listen on 127.0.0.1".to_owned();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .context(what)?;
    let port = listener.local_addr().context(what)?.port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let reviews = reviews.clone();
            tokio::spawn(async move {
                // The API server asks again over a connection that fails.
                let _ = respond(stream, &reviews).await;
            });
        }
    });
    Ok(port)
}

/// Reads one HTTP request with a review in its body and answers it.
async fn respond(stream: TcpStream, reviews: &Reviews) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        match line.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().unwrap_or(0);
            }
            None if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; MAX_BODY.min(length)];
    stream.read_exact(&mut body).await?;
    let review = serde_json::from_slice(&body).unwrap_or_default();
    let answer = reviews.answer(&review).to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        answer.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

/// The AWS account that made a token for one of `clusters`, or why it is not taken.
fn account(token: &str, clusters: &BTreeSet<String>, now: Timestamp) -> Result<String, String> {
    let encoded = token
        .strip_prefix("k8s-aws-v1.")
        .ok_or("not a token of an EKS cluster")?;
    let bytes = URL_SAFE_NO_PAD
        .decode(encoded)
        .map_err(|error| format!("the token is not base64url: {error}"))?;
    let url = String::from_utf8(bytes).map_err(|_| "the token is not text")?;
    let request = Presigned::parse(&url)?;
    request.check_time(now)?;
    if request.parameter("Action")? != "GetCallerIdentity" {
        return Err("the request is not GetCallerIdentity".to_owned());
    }
    let signed = request.parameter("X-Amz-SignedHeaders")?;
    if !signed.split(';').any(|header| header == "x-k8s-aws-id") {
        return Err(format!("x-k8s-aws-id is not signed, only {signed}"));
    }
    let signature = request.parameter("X-Amz-Signature")?;
    let credential = request.parameter("X-Amz-Credential")?;
    for cluster in clusters {
        if request.signature(cluster, &signed, &credential)? == signature {
            let access_key = credential.split('/').next().unwrap_or_default();
            return Ok(access_key.to_owned());
        }
    }
    Err(format!(
        "signed with another secret or for another cluster than {clusters:?}"
    ))
}

/// A presigned request to STS, in the pieces that its signature is made of.
struct Presigned<'a> {
    host: &'a str,
    path: &'a str,
    query: Vec<&'a str>,
}

impl<'a> Presigned<'a> {
    fn parse(url: &'a str) -> Result<Self, String> {
        let pieces = || {
            let (_, rest) = url.split_once("://")?;
            let (address, query) = rest.split_once('?')?;
            let slash = address.find('/').unwrap_or(address.len());
            let (host, path) = address.split_at(slash);
            Some((host, path, query))
        };
        let (host, path, query) = pieces().ok_or("the token is not a presigned URL")?;
        Ok(Self {
            host,
            path: if path.is_empty() { "/" } else { path },
            query: query.split('&').collect(),
        })
    }

    /// A parameter of the query. Of what is encoded in them, only two bytes can occur in the
    /// parameters asked for.
    fn parameter(&self, name: &str) -> Result<String, String> {
        self.query
            .iter()
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.replace("%2F", "/").replace("%3B", ";"))
            .ok_or_else(|| format!("the request has no {name}"))
    }

    fn check_time(&self, now: Timestamp) -> Result<(), String> {
        let date = self.parameter("X-Amz-Date")?;
        let signed = DateTime::strptime("%Y%m%dT%H%M%SZ", &date)
            .and_then(|date| date.to_zoned(TimeZone::UTC))
            .map_err(|error| format!("X-Amz-Date: {error}"))?
            .timestamp();
        let seconds: i64 = self
            .parameter("X-Amz-Expires")?
            .parse()
            .map_err(|error| format!("X-Amz-Expires: {error}"))?;
        if !(1..=LIFETIME.as_secs()).contains(&seconds) {
            return Err(format!("X-Amz-Expires is {seconds}, not up to 15 minutes"));
        }
        if now.duration_since(signed) >= LIFETIME {
            return Err(format!("the token of {signed} has expired"));
        }
        Ok(())
    }

    /// The signature version 4 of this request for a cluster
    /// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>).
    fn signature(&self, cluster: &str, signed: &str, credential: &str) -> Result<String, String> {
        let (_, scope) = credential
            .split_once('/')
            .ok_or("X-Amz-Credential has no scope")?;
        let mut headers = String::new();
        for header in signed.split(';') {
            let value = match header {
                "host" => self.host,
                "x-k8s-aws-id" => cluster,
                other => return Err(format!("{other} is signed too, but not sent")),
            };
            headers += &format!("{header}:{value}\n");
        }
        let mut query: Vec<&str> = self
            .query
            .iter()
            .copied()
            .filter(|pair| !pair.starts_with("X-Amz-Signature="))
            .collect();
        query.sort_unstable();
        let canonical = format!(
            "GET\n{}\n{}\n{headers}\n{signed}\n{}",
            self.path,
            query.join("&"),
            hex(&Sha256::digest(b"")),
        );
        let text = format!(
            "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
            self.parameter("X-Amz-Date")?,
            hex(&Sha256::digest(canonical)),
        );
        let key = format!("AWS4{SECRET_ACCESS_KEY}").into_bytes();
        let key = scope
            .split('/')
            .fold(key, |key, part| hmac(&key, part.as_bytes()));
        Ok(hex(&hmac(&key, text.as_bytes())))
    }
}

/// HMAC (RFC 2104) with SHA-256.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    const BLOCK: usize = 64;
    let mut block = [0; BLOCK];
    if key.len() > BLOCK {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::new()
        .chain_update(block.map(|byte| byte ^ 0x36))
        .chain_update(message)
        .finalize();
    Sha256::new()
        .chain_update(block.map(|byte| byte ^ 0x5c))
        .chain_update(inner)
        .finalize()
        .to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_of_the_published_test_cases() {
        // RFC 4231, cases 2 and 6: a short key and one longer than a block.
        assert_eq!(
            hex(&hmac(b"Jefe", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            hex(&hmac(
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First"
            )),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    #[test]
    fn a_token_that_is_none_is_refused_with_its_reason() {
        let clusters = BTreeSet::from(["c".to_owned()]);
        let refusal = |token: &str| account(token, &clusters, Timestamp::now()).unwrap_err();
        assert_eq!(refusal("eyJhbGciOi"), "not a token of an EKS cluster");
        assert!(refusal("k8s-aws-v1.***").starts_with("the token is not base64url"));
        let encoded = URL_SAFE_NO_PAD.encode("https://sts.amazonaws.com/");
        assert_eq!(
            refusal(&format!("k8s-aws-v1.{encoded}")),
            "the token is not a presigned URL"
        );
        let old = "https://h/?X-Amz-Date=20200101T000000Z&X-Amz-Expires=60";
        let encoded = URL_SAFE_NO_PAD.encode(old);
        assert_eq!(
            refusal(&format!("k8s-aws-v1.{encoded}")),
            "the token of 2020-01-01T00:00:00Z has expired"
        );
    }
}
