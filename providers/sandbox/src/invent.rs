//! Inventing what a real API would compute: a value by the name and type of an attribute, always
//! the same for the same seed, type and arguments.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use topo_sdk::{Kind, Type, Value};

use crate::identity::{self, ACCOUNT};

/// Invents the values of one object.
#[derive(Clone)]
pub(crate) struct Inventor<'a> {
    /// What every value follows from.
    pub basis: String,
    pub type_name: &'a str,
    /// The planned object, for values that follow from its arguments.
    pub planned: &'a Value,
    /// Before an update.
    pub prior: Option<&'a Value>,
    pub region: &'a str,
    /// Tags that the provider's configuration adds to every object.
    pub default_tags: &'a BTreeMap<Arc<str>, Value>,
}

impl Inventor<'_> {
    fn hash(&self, what: &str) -> [u8; 32] {
        Sha256::digest(format!("{}/{what}", self.basis)).into()
    }

    /// This many hexadecimal digits, at most 64.
    pub(crate) fn hex(&self, what: &str, digits: usize) -> String {
        let mut text = hex::encode(self.hash(what));
        text.truncate(digits);
        text
    }

    fn number(&self, what: &str, below: u64) -> u64 {
        let h = self.hash(what);
        let head = u64::from_be_bytes([h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7]]);
        head % below.max(1)
    }

    /// The value of an attribute, or of an attribute inside one; `path` names it within the
    /// object, `prior` is what it was before an update.
    pub(crate) fn value(&self, path: &str, name: &str, ty: &Type, prior: Option<&Value>) -> Value {
        if name == "tags_all" && matches!(ty, Type::Map(_)) {
            return self.tags_all();
        }
        let prior = prior.filter(|p| !p.is_null() && p.is_wholly_known());
        match ty {
            Type::String => match prior {
                Some(p) if !changes(name) => p.clone(),
                _ => Value::string(self.text(path, name, prior)),
            },
            Type::Number => self.count(name, prior),
            Type::Bool => prior.cloned().unwrap_or_else(|| Value::from(false)),
            Type::Object(object) => Value::object(object.attributes.iter().map(|(n, t)| {
                let prior = prior.and_then(|p| p.get(n));
                (n.clone(), self.value(&format!("{path}.{n}"), n, t, prior))
            })),
            Type::Tuple(types) => Value::tuple(
                types
                    .iter()
                    .enumerate()
                    .map(|(i, t)| self.value(&format!("{path}[{i}]"), name, t, None))
                    .collect(),
            ),
            _ if prior.is_some() => prior.cloned().unwrap_or(Value::NULL),
            Type::List(t) => Value::list((**t).clone(), Vec::new()),
            Type::Set(t) => Value::set((**t).clone(), Vec::new()),
            Type::Map(t) => Value::map((**t).clone(), BTreeMap::new()),
            Type::Dynamic => match self.planned.get("manifest") {
                Some(manifest) if name == "object" => manifest.clone(),
                _ => Value::NULL,
            },
        }
    }

    /// The object's own tags over the provider's.
    pub(crate) fn tags_all(&self) -> Value {
        let own = self.planned.get("tags").and_then(Value::as_map);
        let mut tags = self.default_tags.clone();
        tags.extend(
            own.into_iter()
                .flatten()
                .map(|(k, v)| (k.clone(), v.clone())),
        );
        Value::map(Type::String, tags)
    }

    fn count(&self, name: &str, prior: Option<&Value>) -> Value {
        let before = prior.and_then(Value::as_i64);
        if let Some(before) = before {
            let rises = ["generation", "version", "revision"];
            return match rises.iter().any(|r| name.contains(r)) {
                true => Value::from(before.saturating_add(1)),
                false => Value::from(before),
            };
        }
        let database = |engine: &str| {
            self.planned
                .get_str("engine")
                .is_some_and(|e| e.contains(engine))
        };
        Value::from(match name {
            "port" if database("postgres") => 5432,
            "port" if database("mysql") || database("maria") => 3306,
            "port" => 443,
            "node_port" => 30_000 + i64::try_from(self.number(name, 2767)).unwrap_or(0),
            _ => 1,
        })
    }

    fn text(&self, path: &str, name: &str, prior: Option<&Value>) -> String {
        let aws = self.type_name.starts_with("aws_");
        match name {
            "id" if !path.contains(['.', '[']) => return self.id(),
            "arn" => return self.arn(),
            "name" | "generate_name" => return self.name(path),
            "uid" => return self.uuid(path),
            "resource_version" => {
                let before = prior
                    .and_then(Value::as_str)
                    .and_then(|s| s.parse::<u64>().ok());
                let next = before.map_or_else(|| 1000 + self.number(path, 9000), |n| n + 1);
                return next.to_string();
            }
            "region" => return self.region.into(),
            "availability_zone" => return format!("{}a", self.region),
            "status" => return "ACTIVE".into(),
            "state" => return "available".into(),
            "account_id" | "owner_id" | "registry_id" => return ACCOUNT.into(),
            "unique_id" => return format!("A{}", self.hex(path, 20).to_uppercase()),
            "cluster_ip" => return self.ip("172.20", path),
            "hosted_zone_id" | "zone_id" => {
                return format!("Z{}", self.hex(path, 13).to_uppercase());
            }
            "namespace" => return "default".into(),
            "platform_version" => return "eks.1".into(),
            "partition" => return "aws".into(),
            _ => {}
        }
        if name.starts_with("public") && name.contains("ip") {
            return self.ip("52.20", path);
        }
        if name.ends_with("_ip") || name == "ip" || name == "ip_address" {
            return self.ip("10.0", path);
        }
        if name.ends_with("_arn") {
            let kind = name.trim_end_matches("_arn").replace('_', "-");
            let hex = self.hex(path, 17);
            return format!("arn:aws:ec2:{}:{ACCOUNT}:{kind}/{hex}", self.region);
        }
        if let Some(noun) = name.strip_suffix("_id").filter(|_| aws) {
            return match identity::id_prefix(noun) {
                Some(prefix) => format!("{prefix}-0{}", self.hex(path, 16)),
                None => self.hex(path, 17),
            };
        }
        let is = |words: &[&str]| words.iter().any(|w| name.contains(w));
        if is(&["_at", "date", "time", "created"]) {
            return self.timestamp(path);
        }
        if is(&["endpoint", "dns", "hostname", "address", "domain", "fqdn"]) {
            let hex = self.hex(path, 12);
            return format!("{hex}.{}.amazonaws.com", self.region);
        }
        if is(&["version"]) {
            return "1".into();
        }
        self.hex(path, 16)
    }

    /// The object's id.
    pub(crate) fn id(&self) -> String {
        if let Some(id) = identity::composed_id(self.type_name, self.planned) {
            return id;
        }
        if identity::id_is_arn(self.type_name) {
            return self.arn();
        }
        let noun = self
            .type_name
            .strip_prefix("aws_")
            .unwrap_or(self.type_name);
        match identity::id_prefix(noun) {
            Some(prefix) => format!("{prefix}-0{}", self.hex("id", 16)),
            None if noun == "kms_key" => self.uuid("id"),
            None => {
                let initials: String = noun.split('_').filter_map(|w| w.chars().next()).collect();
                format!("{initials}-0{}", self.hex("id", 16))
            }
        }
    }

    fn arn(&self) -> String {
        let (service, kind) = identity::arn_parts(self.type_name);
        let own = match self.planned.get_str("id") {
            Some(id) => id.to_owned(),
            // An id that is the ARN cannot be part of it.
            None if identity::id_is_arn(self.type_name) => self.hex("arn", 16),
            None => self.id(),
        };
        let cluster = self.planned.get_str("cluster_name");
        let name = match (self.type_name, cluster) {
            ("aws_iam_openid_connect_provider", _) => {
                let url = self.planned.get_str("url").unwrap_or(&own);
                url.trim_start_matches("https://").to_owned()
            }
            (_, Some(_)) => own.replace([':', '#'], "/"),
            _ => identity::arn_name(self.planned).map_or(own, Into::into),
        };
        let region = match service {
            "iam" | "s3" => "",
            _ => self.region,
        };
        let account = if service == "s3" { "" } else { ACCOUNT };
        let name = name.trim_start_matches('/');
        format!("arn:aws:{service}:{region}:{account}:{kind}{name}")
    }

    /// A name where the configuration gives at most the beginning of one.
    fn name(&self, path: &str) -> String {
        let metadata = self.planned.get("metadata").and_then(identity::first);
        let prefix = self
            .planned
            .get_str("name_prefix")
            .or_else(|| metadata?.get_str("generate_name"));
        match prefix {
            Some(prefix) => format!("{prefix}{}", self.hex(path, 10)),
            None => format!("sandbox-{}", self.hex(path, 10)),
        }
    }

    pub(crate) fn uuid(&self, path: &str) -> String {
        let h = self.hex(path, 32);
        let part = |from: usize, to: usize| h.get(from..to).unwrap_or_default();
        format!(
            "{}-{}-4{}-a{}-{}",
            part(0, 8),
            part(8, 12),
            part(13, 16),
            part(17, 20),
            part(20, 32)
        )
    }

    fn ip(&self, network: &str, path: &str) -> String {
        let n = self.number(path, 250 * 250);
        format!("{network}.{}.{}", n / 250, 2 + n % 250)
    }

    /// Within the year 2025.
    fn timestamp(&self, path: &str) -> String {
        let second = 1_735_689_600 + self.number(path, 365 * 24 * 3600);
        i64::try_from(second)
            .ok()
            .and_then(|s| jiff::Timestamp::from_second(s).ok())
            .map_or_else(String::new, |t| t.to_string())
    }

    /// A known object with everything unknown in it invented. `prior` is its counterpart before
    /// an update.
    pub(crate) fn complete(
        &self,
        path: &str,
        name: &str,
        value: &Value,
        prior: Option<&Value>,
    ) -> Value {
        match value.kind() {
            Kind::Unknown(u) => self.value(path, name, &u.ty, prior),
            Kind::Object(o) => Value::object(o.iter().map(|(n, v)| {
                let prior = prior.and_then(|p| p.get(n));
                (
                    n.clone(),
                    self.complete(&format!("{path}.{n}"), n, v, prior),
                )
            })),
            _ if value.is_wholly_known() => value.clone(),
            _ => {
                let mut i = 0;
                let priors = prior.and_then(Value::as_slice).unwrap_or_default();
                value.clone().map_children(|v| {
                    let made = self.complete(&format!("{path}[{i}]"), name, &v, priors.get(i));
                    i += 1;
                    made
                })
            }
        }
    }
}

/// Whether a text attribute changes whenever its object does.
fn changes(name: &str) -> bool {
    let words = [
        "resource_version",
        "modified",
        "updated",
        "etag",
        "version_id",
        "checksum",
    ];
    words.iter().any(|w| name.contains(w))
}
