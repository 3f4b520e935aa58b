//! HTTP: answers, downloads, and addresses that say where else a module is.

use std::error::Error as _;
use std::net::IpAddr;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::{Client, Response};
use tokio::io::AsyncWriteExt;
use topo_engine::config::source::without_password;
use url::Url;

use crate::error::Error;

/// Answers that are read whole, in bytes: lists of versions can be long.
const MAX_SMALL: usize = 32 << 20;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// How long an answer may stand still.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Clients, made when they are first needed: that loads the system's certificates.
#[derive(Default)]
pub(crate) struct Http {
    /// Through the proxy that the environment names, if any.
    proxied: OnceLock<Result<Client, String>>,
    /// To this machine, where no proxy has a say.
    direct: OnceLock<Result<Client, String>>,
}

impl Http {
    fn client(&self, url: &Url) -> Result<&Client, Error> {
        let loopback = is_loopback(url);
        let cell = if loopback {
            &self.direct
        } else {
            &self.proxied
        };
        let made = cell.get_or_init(|| {
            let mut builder = Client::builder()
                .user_agent(concat!("topo/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(CONNECT_TIMEOUT)
                .read_timeout(READ_TIMEOUT)
                .redirect(redirects());
            if loopback {
                builder = builder.no_proxy();
            }
            builder.build().map_err(|e| cause(&e))
        });
        made.as_ref().map_err(|e| Error::Request {
            url: shown(url),
            cause: format!("no HTTP client can be made: {e}"),
        })
    }

    /// The answer to a GET, whatever its status.
    pub(crate) async fn get(&self, url: &Url, token: Option<&str>) -> Result<Response, Error> {
        let mut request = self.client(url)?.get(url.clone());
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        tracing::debug!(url = shown(url), "GET");
        request.send().await.map_err(|e| no_answer(url, &e))
    }

    /// The body of an answer that is not large.
    pub(crate) async fn small(&self, mut response: Response) -> Result<Vec<u8>, Error> {
        let url = response.url().clone();
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(|e| no_answer(&url, &e))? {
            body.extend_from_slice(&part);
            if body.len() > MAX_SMALL {
                return Err(Error::Request {
                    url: shown(&url),
                    cause: "the answer is far too long".into(),
                });
            }
        }
        Ok(body)
    }

    /// Downloads to a file, up to a size.
    pub(crate) async fn download(&self, url: &Url, to: &Path, max: u64) -> Result<(), Error> {
        let mut response = success(url, self.get(url, None).await?)?;
        let failed = |e: std::io::Error| Error::file(to.display(), e);
        let mut file = tokio::fs::File::create(to).await.map_err(failed)?;
        let mut size = 0;
        while let Some(part) = response.chunk().await.map_err(|e| no_answer(url, &e))? {
            size += part.len() as u64;
            if size > max {
                return Err(Error::Archive(format!(
                    "{} is larger than {}, which is more than a module may be.",
                    shown(url),
                    super::unpack::size(max)
                )));
            }
            file.write_all(&part).await.map_err(failed)?;
        }
        file.flush().await.map_err(failed)
    }

    /// Where an address that is not an archive says that the module is: in the header
    /// `X-Terraform-Get`, or in a page with `<meta name="terraform-get" content="...">`.
    pub(crate) async fn elsewhere(&self, url: &Url) -> Result<String, Error> {
        let mut asked = url.clone();
        asked.query_pairs_mut().append_pair("terraform-get", "1");
        let response = success(url, self.get(&asked, None).await?)?;
        let at = response.url().clone();
        let header = response
            .headers()
            .get("X-Terraform-Get")
            .and_then(|v| v.to_str().ok())
            .map(str::to_string);
        let found = match header.filter(|h| !h.is_empty()) {
            Some(found) => Some(found),
            None => {
                let body = self.small(response).await?;
                meta(&String::from_utf8_lossy(&body))
            }
        };
        match found {
            Some(found) => relative_address(&at, &found),
            None => Err(Error::Address(format!(
                "{} is neither an archive, by its name, nor does it say where the module is. If it is an archive, add ?archive=zip (or tar.gz, ...) to the address; if it is a git repository, put git:: in front.",
                shown(url)
            ))),
        }
    }
}

/// An address in an answer may be relative to where the answer came from.
pub(crate) fn relative_address(base: &Url, address: &str) -> Result<String, Error> {
    if !["/", "./", "../"].iter().any(|p| address.starts_with(p)) {
        return Ok(address.to_string());
    }
    // Joining would take the // before a directory of the package for a part of the path, which
    // stays as it is.
    base.join(address)
        .map(|url| url.to_string())
        .map_err(|e| Error::Address(format!("{}: {address:?}: {e}.", shown(base))))
}

/// Redirects are followed, but not from an encrypted address to one that is not.
fn redirects() -> reqwest::redirect::Policy {
    reqwest::redirect::Policy::custom(|attempt| {
        let encrypted = attempt
            .previous()
            .last()
            .is_some_and(|u| u.scheme() == "https");
        if attempt.previous().len() > 10 {
            attempt.error("it redirects more than 10 times")
        } else if encrypted && attempt.url().scheme() == "http" {
            attempt.error("it redirects from https to http, which is refused")
        } else {
            attempt.follow()
        }
    })
}

fn success(url: &Url, response: Response) -> Result<Response, Error> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let hint = match status.as_u16() {
        401 | 403 => " Access to it must be given in the address, or by a token in a registry.",
        _ => "",
    };
    Err(Error::Status {
        url: shown(url),
        status: status.to_string(),
        hint,
    })
}

fn no_answer(url: &Url, e: &reqwest::Error) -> Error {
    Error::Request {
        url: shown(url),
        cause: cause(e),
    }
}

/// The innermost cause says what is the matter, those around it where it happened.
fn cause(e: &reqwest::Error) -> String {
    let mut inner = e.source();
    let mut said = Vec::new();
    while let Some(e) = inner {
        let text = e.to_string();
        let text = text.trim_end_matches('.').to_string();
        if !said
            .last()
            .is_some_and(|last: &String| last.contains(&text))
        {
            said.push(text);
        }
        inner = e.source();
    }
    if said.is_empty() {
        return if e.is_timeout() {
            "no answer in time".into()
        } else {
            e.to_string()
        };
    }
    said.join(": ")
}

/// An address for people: without a password.
pub(crate) fn shown(url: &Url) -> String {
    without_password(url.as_str())
}

/// Whether an address is on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(url::Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        None => false,
    }
}

/// The content of the tag `<meta name="terraform-get" content="...">`.
fn meta(page: &str) -> Option<String> {
    let lower = page.to_ascii_lowercase();
    let mut from = 0;
    while let Some(start) = lower[from..].find("<meta").map(|i| from + i) {
        let end = start + lower[start..].find('>')?;
        let tag = &page[start + "<meta".len()..end];
        let value = |name: &str| attribute(tag, name);
        if value("name").as_deref() == Some("terraform-get") {
            return value("content");
        }
        from = end;
    }
    None
}

/// An attribute of a tag.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let mut rest = tag;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        let end = rest.find(|c: char| c == '=' || c.is_whitespace())?;
        let (key, after) = rest.split_at(end);
        let after = after.trim_start();
        let Some(after) = after.strip_prefix('=').map(str::trim_start) else {
            rest = after;
            continue;
        };
        let (value, next) = match after.chars().next() {
            Some(quote @ ('"' | '\'')) => after[1..].split_once(quote)?,
            _ => after.split_once(char::is_whitespace).unwrap_or((after, "")),
        };
        if key.eq_ignore_ascii_case(name) {
            return Some(value.replace("&amp;", "&"));
        }
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_is_found_in_a_page() {
        let page = "<html><META charset=utf-8><head>\n<meta content='https://x/y.zip?a=1&amp;b=2'\n name = terraform-get /></head>";
        assert_eq!(meta(page).as_deref(), Some("https://x/y.zip?a=1&b=2"));
        for none in [
            "",
            "<meta",
            "<meta name=x content=y>",
            "<meta name=\"terraform-get>",
            "ſ<meta ſ=>",
        ] {
            assert_eq!(meta(none), None, "{none}");
        }
    }

    #[test]
    fn addresses_in_answers_may_be_relative() {
        let base = Url::parse("https://example.com/a/b/download").unwrap();
        let at = |address: &str| relative_address(&base, address).unwrap();
        assert_eq!(at("./x.zip"), "https://example.com/a/b/x.zip");
        assert_eq!(
            at("../x.tgz//sub?y=1"),
            "https://example.com/a/x.tgz//sub?y=1"
        );
        assert_eq!(at("/x.zip"), "https://example.com/x.zip");
        assert_eq!(at("git::https://x/y"), "git::https://x/y");
    }

    #[test]
    fn this_machine() {
        for (url, expected) in [
            ("http://127.0.0.1:80/", true),
            ("http://127.9.9.9", true),
            ("http://[::1]:9", true),
            ("http://localhost:9", true),
            ("http://localhost.example.com", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}
