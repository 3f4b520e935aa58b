//! Module registries: which versions a module has and where a version is.
//!
//! Follows the peers' pages "Remote Service Discovery" and "Module Registry Protocol". A host is
//! spoken to over https, except this machine's own (`127.0.0.1:PORT`, `localhost:PORT`), which is
//! spoken to over http: nobody else can listen there, and a registry under test has no
//! certificate.

use std::collections::BTreeMap;
use std::sync::Arc;

use reqwest::StatusCode;
use serde::Deserialize;
use topo_engine::config::source::{ModuleSource, RegistrySource, RemoteSource};
use topo_engine::config::version::{Constraints, Version};
use url::Url;

use crate::error::Error;
use crate::fetch::http::{Http, is_loopback, relative_address};
use crate::memo::Memo;

/// Registries of all hosts; each is asked each thing once.
pub(crate) struct Registries {
    http: Arc<Http>,
    tokens: BTreeMap<String, String>,
    services: Memo<Url>,
    versions: Memo<Arc<Vec<Version>>>,
    locations: Memo<RemoteSource>,
}

#[derive(Deserialize)]
struct Versions {
    #[serde(default)]
    modules: Vec<ModuleVersions>,
}

#[derive(Deserialize)]
struct ModuleVersions {
    #[serde(default)]
    versions: Vec<PublishedVersion>,
}

#[derive(Deserialize)]
struct PublishedVersion {
    version: String,
}

#[derive(Deserialize)]
struct Location {
    #[serde(default)]
    location: String,
}

impl Registries {
    pub(crate) fn new(http: Arc<Http>, tokens: BTreeMap<String, String>) -> Registries {
        Registries {
            http,
            tokens,
            services: Memo::default(),
            versions: Memo::default(),
            locations: Memo::default(),
        }
    }

    /// The newest version that satisfies the constraints; without constraints, the newest.
    pub(crate) async fn choose(
        &self,
        module: &RegistrySource,
        constraints: Option<&Constraints>,
    ) -> Result<Version, Error> {
        let package = module.package();
        let all = self.versions.get(&package, self.list(module)).await?;
        let released = || all.iter().filter(|v| !v.is_prerelease()).max();
        let chosen = match constraints {
            Some(constraints) => constraints.newest(all.iter()),
            None => released(),
        };
        chosen.cloned().ok_or_else(|| {
            let newest = match released() {
                Some(newest) => format!("The newest one is {newest}."),
                None if all.is_empty() => "It has no versions at all.".to_string(),
                None => {
                    "It has only prereleases; such a version must be given exactly.".to_string()
                }
            };
            Error::Version(match constraints {
                Some(c) => format!("No version of {package} satisfies \"{c}\". {newest}"),
                None => format!("{package} has no version to install. {newest}"),
            })
        })
    }

    /// Where a version is.
    pub(crate) async fn location(
        &self,
        module: &RegistrySource,
        version: &Version,
    ) -> Result<RemoteSource, Error> {
        let key = format!("{} {version}", module.package());
        self.locations.get(&key, self.locate(module, version)).await
    }

    async fn list(&self, module: &RegistrySource) -> Result<Arc<Vec<Version>>, Error> {
        let url = self.address(module, "versions").await?;
        let response = self.http.get(&url, self.token(module)).await?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => {
                return Err(Error::NotFound(format!(
                    "The registry {} has no module {}/{}/{}.",
                    module.host, module.namespace, module.name, module.system
                )));
            }
            status => return Err(self.refused(module, &url, status)),
        }
        let body = self.http.small(response).await?;
        let answer: Versions = parse(&body, &url)?;
        let Some(module) = answer.modules.into_iter().next() else {
            return Err(Error::Registry(format!("{url} answered without a module.")));
        };
        let versions = module.versions.iter().filter_map(|v| {
            let read = Version::parse(&v.version);
            if let Err(e) = &read {
                tracing::warn!("{url}: {e} It is passed over.");
            }
            read.ok()
        });
        Ok(Arc::new(versions.collect()))
    }

    async fn locate(
        &self,
        module: &RegistrySource,
        version: &Version,
    ) -> Result<RemoteSource, Error> {
        let url = self.address(module, &format!("{version}/download")).await?;
        let response = self.http.get(&url, self.token(module)).await?;
        let header = response
            .headers()
            .get("X-Terraform-Get")
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default()
            .to_string();
        let location = match response.status() {
            StatusCode::NO_CONTENT => header,
            // OpenTofu's registries may also answer in the body.
            StatusCode::OK => {
                let body = self.http.small(response).await?;
                match serde_json::from_slice::<Location>(&body) {
                    Ok(answer) if !answer.location.is_empty() => answer.location,
                    Err(_) if header.is_empty() => parse::<Location>(&body, &url)?.location,
                    _ => header,
                }
            }
            StatusCode::NOT_FOUND => {
                return Err(Error::NotFound(format!(
                    "The registry {} has no version {version} of {}, though it lists it.",
                    module.host,
                    module.package()
                )));
            }
            status => return Err(self.refused(module, &url, status)),
        };
        if location.is_empty() {
            return Err(Error::Registry(format!(
                "{url} answered without an address to download from."
            )));
        }
        let location = relative_address(&url, &location)?;
        let source = match ModuleSource::parse(&location) {
            Ok(ModuleSource::Remote(source)) => source,
            Ok(_) => {
                return Err(Error::Registry(format!(
                    "{url} answered with {location:?}, which is not an address to download from."
                )));
            }
            Err(e) => return Err(Error::Registry(format!("{url}: {e}"))),
        };
        if source.is_of_this_machine() && !is_loopback(&url) {
            return Err(Error::Registry(format!(
                "{url} answered with {location:?}, a path of this machine, which only a registry on this machine may name."
            )));
        }
        Ok(source)
    }

    /// The address of something about a module.
    async fn address(&self, module: &RegistrySource, rest: &str) -> Result<Url, Error> {
        let service = self
            .services
            .get(&module.host, self.discover(&module.host))
            .await?;
        let path = format!(
            "{}/{}/{}/{rest}",
            module.namespace, module.name, module.system
        );
        service
            .join(&path)
            .map_err(|e| Error::Registry(format!("{service}{path}: {e}.")))
    }

    /// Where a host has its registry.
    async fn discover(&self, host: &str) -> Result<Url, Error> {
        let invalid = |e: url::ParseError| Error::Registry(format!("{host}: {e}."));
        let mut base = Url::parse(&format!("https://{host}")).map_err(invalid)?;
        if is_loopback(&base) && base.port().is_some() {
            base = Url::parse(&format!("http://{host}")).map_err(invalid)?;
        }
        let url = base.join("/.well-known/terraform.json").map_err(invalid)?;
        let response = self
            .http
            .get(&url, self.tokens.get(host).map(String::as_str))
            .await?;
        let none = || {
            Error::Registry(format!(
                "{host} offers no module registry: {url} says nothing of modules.v1."
            ))
        };
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Err(none()),
            status => {
                return Err(Error::Status {
                    url: url.to_string(),
                    status: status.to_string(),
                    hint: "",
                });
            }
        }
        // Relative addresses are relative to where redirects led.
        let at = response.url().clone();
        let body = self.http.small(response).await?;
        let services: serde_json::Value = parse(&body, &url)?;
        let service = services["modules.v1"].as_str().ok_or_else(none)?;
        let mut service = at
            .join(service)
            .map_err(|e| Error::Registry(format!("{url}: modules.v1 is {service:?}: {e}.")))?;
        if service.scheme() == "http" && !is_loopback(&service) || !is_web(&service) {
            return Err(Error::Registry(format!(
                "{url}: modules.v1 is {service}, which is not an https address."
            )));
        }
        if !service.path().ends_with('/') {
            service.set_path(&format!("{}/", service.path()));
        }
        Ok(service)
    }

    fn token(&self, module: &RegistrySource) -> Option<&str> {
        self.tokens.get(&module.host).map(String::as_str)
    }

    fn refused(&self, module: &RegistrySource, url: &Url, status: StatusCode) -> Error {
        let denied = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        let hint = match (denied, self.token(module)) {
            (true, None) => {
                " There is no token for this host: set TF_TOKEN_ and the host's name, with underscores for dots."
            }
            (true, Some(_)) => " The token for this host was not accepted.",
            (false, _) => "",
        };
        Error::Status {
            url: url.to_string(),
            status: status.to_string(),
            hint,
        }
    }
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

fn parse<T: serde::de::DeserializeOwned>(body: &[u8], url: &Url) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|e| {
        Error::Registry(format!(
            "{url} answered with something else than expected: {e}."
        ))
    })
}
