//! The provider block, and a client made of it. Takes only what the block says: environment
//! variables are none of a library's business.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::config::{AuthInfo, ExecConfig, ExecInteractiveMode, KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use regex::Regex;
use topo_sdk::schema::Schema;
use topo_sdk::{Attribute, Block, Diagnostics, NestedBlock, Path, Type, Value};

use crate::errors::chain;

/// How long to try to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait for an answer. Nothing here watches or streams.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// The schema of the provider block.
pub fn schema() -> Schema {
    let text = || Attribute::optional(Type::String);
    let exec = Block::new()
        .attr("api_version", Attribute::required(Type::String))
        .attr("command", Attribute::required(Type::String))
        .attr("args", Attribute::optional(Type::list(Type::String)))
        .attr("env", Attribute::optional(Type::map(Type::String)))
        .describe("A command that prints credentials, such as aws eks get-token.");
    let patterns = || Attribute::optional(Type::list(Type::String));
    Schema::new(
        Block::new()
            .attr(
                "host",
                text()
                    .identifies_target()
                    .describe("Address of the API server, such as https://10.0.0.1:6443."),
            )
            .attr("username", text().describe("User name for basic authentication."))
            .attr("password", text().sensitive().describe("Password for basic authentication."))
            .attr(
                "insecure",
                Attribute::optional(Type::Bool)
                    .describe("Whether to accept any certificate of the server."),
            )
            .attr(
                "tls_server_name",
                text().describe("Name that the server's certificate must have."),
            )
            .attr("client_certificate", text().describe("Client certificate, in PEM."))
            .attr(
                "client_key",
                text().sensitive().describe("Key of the client certificate, in PEM."),
            )
            .attr(
                "cluster_ca_certificate",
                text().describe("Certificate of the server's authority, in PEM. Empty: the system's authorities."),
            )
            .attr("config_path", text().identifies_target().describe("A kubeconfig file."))
            .attr(
                "config_paths",
                Attribute::optional(Type::list(Type::String))
                    .identifies_target()
                    .describe("Kubeconfig files, merged in order."),
            )
            .attr(
                "config_context",
                text().identifies_target().describe("The kubeconfig's context."),
            )
            .attr("config_context_auth_info", text().describe("The kubeconfig's user."))
            .attr(
                "config_context_cluster",
                text().identifies_target().describe("The kubeconfig's cluster."),
            )
            .attr("token", text().sensitive().describe("Bearer token."))
            .attr("proxy_url", text().describe("Proxy to reach the server through."))
            .attr(
                "ignore_annotations",
                patterns().describe("Annotations that others manage: regular expressions."),
            )
            .attr(
                "ignore_labels",
                patterns().describe("Labels that others manage: regular expressions."),
            )
            .block("exec", NestedBlock::list_max_one(exec)),
    )
}

/// Annotations and labels that others manage: a change of theirs is no drift, even where the
/// configuration sets them.
#[derive(Debug, Default)]
pub struct Ignored {
    annotations: Vec<Regex>,
    labels: Vec<Regex>,
}

impl Ignored {
    /// Those of the provider block.
    ///
    /// # Errors
    /// When one is no regular expression.
    pub fn of(block: &Value) -> Result<Ignored, Diagnostics> {
        let patterns = |name: &str| {
            let items = block
                .get(name)
                .and_then(Value::as_slice)
                .into_iter()
                .flatten();
            items
                .filter_map(Value::as_str)
                .map(|text| {
                    Regex::new(text).map_err(|e| {
                        Diagnostics::error(
                            format!("The Kubernetes provider's {name} cannot be used"),
                            format!("{text} is no regular expression: {e}."),
                        )
                        .map(|d| d.at(Path::attribute(name)))
                    })
                })
                .collect::<Result<Vec<Regex>, Diagnostics>>()
        };
        Ok(Ignored {
            annotations: patterns("ignore_annotations")?,
            labels: patterns("ignore_labels")?,
        })
    }

    /// An object that was read, with what is ignored as it was before.
    pub fn keep(&self, mut now: Value, before: &Value) -> Value {
        for (name, patterns) in [("annotations", &self.annotations), ("labels", &self.labels)] {
            let path = Path::attribute("metadata").index(0).attr(name);
            let Some(old) = before.at(&path).and_then(Value::as_map) else {
                continue;
            };
            for (key, value) in old {
                if patterns.iter().any(|p| p.is_match(key)) {
                    now = now.update_at(path.steps(), &mut |map| map.with(key, value.clone()));
                }
            }
        }
        now
    }
}

/// Makes a client of the provider block.
///
/// # Errors
/// A kubeconfig that cannot be read, an argument that is no URL or PEM, no server at all.
pub async fn client(block: &Value) -> Result<(Client, String), Diagnostics> {
    let text = |name: &str| block.get_str(name).filter(|s| !s.is_empty());
    let invalid = |name: &str, why: String| {
        Diagnostics::error(
            format!("The Kubernetes provider's {name} cannot be used"),
            why,
        )
        .map(|d| d.at(Path::attribute(name)))
    };
    let host = text("host").map(|host| match host.contains("://") {
        true => host.to_owned(),
        false => format!("https://{host}"),
    });
    let no_url = |e| invalid("host", format!("It is no URL: {e}."));
    let mut config = match (from_kubeconfig(block).await?, host) {
        (Some(mut config), Some(host)) => {
            config.cluster_url = host.parse().map_err(no_url)?;
            config
        }
        (Some(config), None) => config,
        (None, Some(host)) => Config::new(host.parse().map_err(no_url)?),
        (None, None) => {
            return Err(Diagnostics::error(
                "The Kubernetes provider does not know which cluster to talk to",
                "Give it the address of the API server in host, or a kubeconfig file in config_path.",
            ));
        }
    };
    if let Some(insecure) = block.get_bool("insecure") {
        config.accept_invalid_certs = insecure;
    }
    if let Some(name) = text("tls_server_name") {
        config.tls_server_name = Some(name.to_owned());
    }
    if let Some(pem) = text("cluster_ca_certificate") {
        config.root_cert = Some(certificates(pem).ok_or_else(|| {
            invalid(
                "cluster_ca_certificate",
                "It is no certificate in PEM. If it is in Base64, decode it with base64decode."
                    .into(),
            )
        })?);
        config.root_cert_file = None;
    }
    if let Some(url) = text("proxy_url") {
        config.proxy_url = Some(
            url.parse()
                .map_err(|e| invalid("proxy_url", format!("It is no URL: {e}.")))?,
        );
    }
    authenticate(&mut config, block);
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    config.read_timeout = Some(ANSWER_TIMEOUT);
    config.reset_reader_on_write = true;
    config.write_timeout = Some(ANSWER_TIMEOUT);
    let host = config
        .cluster_url
        .to_string()
        .trim_end_matches('/')
        .to_owned();
    let client = Client::try_from(config).map_err(|e| {
        Diagnostics::error(
            format!("Cannot make a client for {host}"),
            format!(
                "{}. Check the certificates and credentials of the provider block.",
                chain(&e)
            ),
        )
    })?;
    Ok((client, host))
}

/// The settings of the kubeconfig, where one is given.
async fn from_kubeconfig(block: &Value) -> Result<Option<Config>, Diagnostics> {
    let mut paths: Vec<PathBuf> = Vec::new();
    if let Some(path) = block.get_str("config_path").filter(|p| !p.is_empty()) {
        paths.push(expand(path));
    } else if let Some(more) = block.get("config_paths").and_then(Value::as_slice) {
        paths.extend(more.iter().filter_map(Value::as_str).map(expand));
    }
    let option = |name: &str| {
        block
            .get_str(name)
            .filter(|s| !s.is_empty())
            .map(str::to_owned)
    };
    if paths.is_empty() {
        return Ok(None);
    }
    let mut merged = Kubeconfig::default();
    for path in paths {
        let unreadable = |e: kube::config::KubeconfigError| {
            Diagnostics::error(
                format!("Cannot read the kubeconfig {}", path.display()),
                format!("{}.", chain(&e)),
            )
        };
        let one = Kubeconfig::read_from(&path).map_err(unreadable)?;
        merged = merged.merge(one).map_err(unreadable)?;
    }
    let options = KubeConfigOptions {
        context: option("config_context"),
        cluster: option("config_context_cluster"),
        user: option("config_context_auth_info"),
    };
    let proxy = proxy_of(&merged, &options);
    match Config::from_custom_kubeconfig(merged, &options).await {
        Ok(mut config) => {
            // Without one in the file the client would take the environment's.
            config.proxy_url = proxy;
            Ok(Some(config))
        }
        Err(e) => Err(Diagnostics::error(
            "The kubeconfig cannot be used",
            format!("{}.", chain(&e)),
        )),
    }
}

/// The proxy that the kubeconfig's cluster names.
fn proxy_of<U: std::str::FromStr>(file: &Kubeconfig, options: &KubeConfigOptions) -> Option<U> {
    let context = options.context.as_ref().or(file.current_context.as_ref());
    let named = file.contexts.iter().find(|c| Some(&c.name) == context);
    let of_context = named.and_then(|c| c.context.as_ref()).map(|c| &c.cluster);
    let name = options.cluster.as_ref().or(of_context)?;
    let cluster = file.clusters.iter().find(|c| c.name == *name)?;
    cluster.cluster.as_ref()?.proxy_url.as_ref()?.parse().ok()
}

fn expand(path: &str) -> PathBuf {
    match path.strip_prefix("~/") {
        Some(rest) => std::env::home_dir().unwrap_or_default().join(rest),
        None => path.into(),
    }
}

fn certificates(pem: &str) -> Option<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    let mut body: Option<String> = None;
    for line in pem.lines().map(str::trim) {
        match line {
            "-----BEGIN CERTIFICATE-----" => body = Some(String::new()),
            "-----END CERTIFICATE-----" => found.push(STANDARD.decode(body.take()?).ok()?),
            _ => {
                if let Some(body) = &mut body {
                    body.push_str(line);
                }
            }
        }
    }
    (!found.is_empty()).then_some(found)
}

/// Credentials of the block replace those of the kubeconfig.
fn authenticate(config: &mut Config, block: &Value) {
    let text = |name: &str| block.get_str(name).filter(|s| !s.is_empty());
    let exec = block
        .get("exec")
        .and_then(Value::as_slice)
        .and_then(<[Value]>::first);
    let given = ["token", "username", "client_certificate"]
        .iter()
        .any(|n| text(n).is_some());
    if given || exec.is_some() {
        config.auth_info = AuthInfo::default();
    }
    let auth = &mut config.auth_info;
    auth.token = text("token")
        .map(|t| t.to_owned().into())
        .or(auth.token.take());
    if let Some(user) = text("username") {
        auth.username = Some(user.to_owned());
        auth.password = text("password").map(|p| p.to_owned().into());
    }
    if let Some(pem) = text("client_certificate") {
        auth.client_certificate_data = Some(STANDARD.encode(pem));
        auth.client_key_data = text("client_key").map(|key| STANDARD.encode(key).into());
    }
    if let Some(exec) = exec {
        let strings = |name: &str| -> Option<Vec<String>> {
            let items = exec.get(name)?.as_slice()?.iter();
            Some(items.filter_map(Value::as_str).map(str::to_owned).collect())
        };
        let env = exec.get("env").and_then(Value::as_map).map(|entries| {
            let pair = |(k, v): (&std::sync::Arc<str>, &Value)| {
                let value = v.as_str().unwrap_or_default().to_owned();
                HashMap::from([
                    ("name".to_owned(), k.to_string()),
                    ("value".to_owned(), value),
                ])
            };
            entries.iter().map(pair).collect()
        });
        auth.exec = Some(ExecConfig {
            api_version: exec.get_str("api_version").map(str::to_owned),
            command: exec.get_str("command").map(str::to_owned),
            args: strings("args"),
            env,
            interactive_mode: Some(ExecInteractiveMode::Never),
            ..ExecConfig::default()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(owner: &str, app: &str) -> Value {
        let text = |s: &str| Value::string(s);
        let labels = [
            ("example.com/owner".into(), text(owner)),
            ("app".into(), text(app)),
        ];
        let metadata = Value::object([("labels", Value::map(Type::String, labels.into()))]);
        Value::object([("metadata", Value::tuple(vec![metadata]))])
    }

    #[test]
    fn what_is_ignored_stays_as_it_was() {
        let patterns = Value::tuple(vec!["^example\\.com/".into()]);
        let ignored = Ignored::of(&Value::object([("ignore_labels", patterns)])).unwrap();
        let kept = ignored.keep(object("them", "evil"), &object("us", "kong"));
        assert_eq!(kept, object("us", "evil"));
    }

    #[test]
    fn a_pattern_that_is_none_is_refused() {
        let patterns = Value::tuple(vec!["(".into()]);
        let refused = Ignored::of(&Value::object([("ignore_annotations", patterns)]));
        assert_eq!(
            refused.unwrap_err().0[0].attribute.to_string(),
            "ignore_annotations"
        );
    }

    #[test]
    fn certificates_are_taken_out_of_pem() {
        let pem = "text\n-----BEGIN CERTIFICATE-----\nAQI=\n-----END CERTIFICATE-----\n";
        assert_eq!(certificates(pem), Some(vec![vec![1, 2]]));
        assert_eq!(certificates("AQI="), None);
    }
}
