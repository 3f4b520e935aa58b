//! `tls_self_signed_cert`: a certificate signed with its own key, kept in the state.

use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{Timestamp, ToSpan};
use rand::RngCore;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, SanType, SerialNumber,
};
use topo_sdk::{
    Attribute, Block, Diagnostic, Diagnostics, NestedBlock, Operation, Path, PlanRequest,
    PlannedResource, Schema, Type, Value, plan,
};

use super::key::Key;
use crate::table::Resource;

pub(crate) struct TlsSelfSignedCert;

/// Hours in a hundred years: what a certificate can last, far within what dates can hold.
const MAX_HOURS: i64 = 876_000;

#[async_trait]
impl Resource for TlsSelfSignedCert {
    fn name(&self) -> &'static str {
        "tls_self_signed_cert"
    }

    fn schema(&self) -> Schema {
        let strings = || Attribute::optional(Type::list(Type::String)).force_new();
        let flag = || Attribute::optional(Type::Bool).default(false).force_new();
        let computed = |what: &str| Attribute::computed(Type::String).describe(what);
        Schema::new(
            Block::new()
                .describe("A certificate signed with its own key.")
                .attr(
                    "private_key_pem",
                    Attribute::required(Type::String).force_new().sensitive(),
                )
                .attr(
                    "validity_period_hours",
                    Attribute::required(Type::Number)
                        .force_new()
                        .describe("How long the certificate is good."),
                )
                .attr(
                    "early_renewal_hours",
                    Attribute::optional(Type::Number)
                        .default(0)
                        .describe("How long before its end the certificate is replaced."),
                )
                .attr(
                    "allowed_uses",
                    Attribute::required(Type::list(Type::String))
                        .force_new()
                        .describe("Key usages and extended key usages."),
                )
                .attr("dns_names", strings())
                .attr("ip_addresses", strings())
                .attr("uris", strings())
                .attr("is_ca_certificate", flag())
                .attr("set_subject_key_id", flag())
                .attr("set_authority_key_id", flag())
                .attr("cert_pem", computed("The certificate."))
                .attr("key_algorithm", computed("The algorithm of the key."))
                .attr("validity_start_time", computed("RFC 3339."))
                .attr("validity_end_time", computed("RFC 3339."))
                .attr(
                    "ready_for_renewal",
                    Attribute::computed(Type::Bool).describe("Whether it is due to be replaced."),
                )
                .attr("id", computed("The serial number."))
                .block(
                    "subject",
                    NestedBlock::list_max_one(subject_block()).force_new(),
                ),
        )
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let mut found = Diagnostics::new();
        let mut refuse = |name: &'static str, detail: String| {
            let error = Diagnostic::error(format!("{name} cannot be used"), detail);
            found.push(error.at(Path::attribute(name)));
        };
        for name in ["validity_period_hours", "early_renewal_hours"] {
            match config.get_i64(name) {
                Some(n) if !(0..=MAX_HOURS).contains(&n) => {
                    refuse(name, format!("It must be from 0 to {MAX_HOURS} hours."));
                }
                _ => {}
            }
        }
        for used in texts(config, "allowed_uses") {
            if key_usage(used).is_none() && extended_key_usage(used).is_none() {
                refuse("allowed_uses", format!("There is no use {used:?}."));
            }
        }
        for ip in texts(config, "ip_addresses") {
            if ip.parse::<IpAddr>().is_err() {
                refuse("ip_addresses", format!("{ip:?} is not an IP address."));
            }
        }
        if subject(config).is_some_and(|s| texts(s, "street_address").len() > 1) {
            refuse(
                "subject",
                "Only one line of street_address is supported.".into(),
            );
        }
        found
    }

    fn plan(&self, schema: &Schema, request: &PlanRequest) -> PlannedResource {
        let mut planned = plan::plan(schema, request);
        let Some(prior) = &request.prior else {
            return planned;
        };
        if due(&prior.value, request.config.get_i64("early_renewal_hours")) {
            planned.value = planned
                .value
                .with("ready_for_renewal", Value::unknown(Type::Bool));
            planned
                .requires_replace
                .push(Path::attribute("ready_for_renewal"));
        }
        planned
    }

    async fn create(
        &self,
        planned: Value,
        _operation: &dyn Operation,
    ) -> Result<Value, Diagnostics> {
        let diagnostics = self.validate(&planned);
        if diagnostics.has_errors() {
            return Err(diagnostics);
        }
        // Certificates count in whole seconds.
        let start = Timestamp::now().as_second();
        let hours = planned.get_i64("validity_period_hours").unwrap_or_default();
        let end = start.saturating_add(hours.saturating_mul(3600));
        let key = Key::from_pem(planned.get_str("private_key_pem").unwrap_or_default())?;
        let pair = KeyPair::from_pem(&key.pkcs8()?).map_err(failed)?;
        let mut serial = [0; 16];
        rand::rng().fill_bytes(&mut serial);
        // A serial number is positive, and its encoding has no leading zeros.
        serial[0] = serial[0] & 0x7f | 0x40;
        let params = params(&planned, start, end, serial)?;
        let certificate = params.self_signed(&pair).map_err(failed)?;
        let id = num_bigint::BigUint::from_bytes_be(&serial).to_string();
        Ok(planned
            .with("cert_pem", certificate.pem().replace("\r\n", "\n").into())
            .with("key_algorithm", key.algorithm().into())
            .with("validity_start_time", rfc3339(start)?)
            .with("validity_end_time", rfc3339(end)?)
            .with("ready_for_renewal", false.into())
            .with("id", id.into()))
    }
}

fn subject_block() -> Block {
    let text = || Attribute::optional(Type::String).force_new();
    let names = [
        "common_name",
        "organization",
        "organizational_unit",
        "locality",
        "province",
        "country",
        "postal_code",
        "serial_number",
    ];
    names
        .iter()
        .fold(
            Block::new().describe("Whom the certificate is for."),
            |b, n| b.attr(n, text()),
        )
        .attr(
            "street_address",
            Attribute::optional(Type::list(Type::String)).force_new(),
        )
}

fn params(
    planned: &Value,
    start: i64,
    end: i64,
    serial: [u8; 16],
) -> Result<CertificateParams, Diagnostics> {
    let mut params = CertificateParams::default();
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let at = |second: i64| epoch + Duration::from_secs(u64::try_from(second).unwrap_or_default());
    params.not_before = at(start);
    params.not_after = at(end);
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.distinguished_name = distinguished_name(planned);
    let flag = |name: &str| planned.get_bool(name).unwrap_or(false);
    // A CA's certificate has a subject key id in any case (RFC 5280, section 4.2.1.2).
    params.is_ca = match (flag("is_ca_certificate"), flag("set_subject_key_id")) {
        (true, _) => IsCa::Ca(BasicConstraints::Unconstrained),
        (false, true) => IsCa::ExplicitNoCa,
        (false, false) => IsCa::NoCa,
    };
    params.use_authority_key_identifier_extension = flag("set_authority_key_id");
    let uses = texts(planned, "allowed_uses");
    params.key_usages = uses.iter().filter_map(|u| key_usage(u)).collect();
    params.extended_key_usages = uses.iter().filter_map(|u| extended_key_usage(u)).collect();
    let mut names = Vec::new();
    for name in texts(planned, "dns_names") {
        names.push(SanType::DnsName(name.try_into().map_err(failed)?));
    }
    for ip in texts(planned, "ip_addresses") {
        names.push(SanType::IpAddress(ip.parse().map_err(failed)?));
    }
    for uri in texts(planned, "uris") {
        names.push(SanType::URI(uri.try_into().map_err(failed)?));
    }
    params.subject_alt_names = names;
    Ok(params)
}

/// In the order in which certificates usually have them; the numbers are X.520 attribute types.
fn distinguished_name(planned: &Value) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    let Some(subject) = subject(planned) else {
        return name;
    };
    let custom = |n: u64| DnType::CustomDnType(vec![2, 5, 4, n]);
    let mut push = |ty: DnType, text: Option<&str>| {
        if let Some(text) = text.filter(|t| !t.is_empty()) {
            name.push(ty, text);
        }
    };
    push(DnType::CountryName, subject.get_str("country"));
    push(DnType::OrganizationName, subject.get_str("organization"));
    push(
        DnType::OrganizationalUnitName,
        subject.get_str("organizational_unit"),
    );
    push(DnType::LocalityName, subject.get_str("locality"));
    push(DnType::StateOrProvinceName, subject.get_str("province"));
    push(custom(9), texts(subject, "street_address").first().copied());
    push(custom(17), subject.get_str("postal_code"));
    push(DnType::CommonName, subject.get_str("common_name"));
    push(custom(5), subject.get_str("serial_number"));
    name
}

fn subject(object: &Value) -> Option<&Value> {
    object.get("subject")?.as_slice()?.first()
}

fn texts<'a>(object: &'a Value, name: &str) -> Vec<&'a str> {
    let items = object.get(name).and_then(Value::as_slice);
    items
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_str)
        .collect()
}

/// Whether the time to renew has come.
fn due(object: &Value, early_hours: Option<i64>) -> bool {
    let Some(end) = object.get_str("validity_end_time") else {
        return false;
    };
    let early = early_hours.unwrap_or(0).clamp(0, MAX_HOURS);
    // Unreadable times are left to whoever put them there.
    end.parse::<Timestamp>()
        .ok()
        .and_then(|end| end.checked_sub(early.hours()).ok())
        .is_some_and(|renew| Timestamp::now() >= renew)
}

fn rfc3339(second: i64) -> Result<Value, Diagnostics> {
    let time = Timestamp::from_second(second).map_err(failed)?;
    Ok(Value::string(time.to_string()))
}

fn key_usage(name: &str) -> Option<KeyUsagePurpose> {
    Some(match name {
        "digital_signature" => KeyUsagePurpose::DigitalSignature,
        "content_commitment" => KeyUsagePurpose::ContentCommitment,
        "key_encipherment" => KeyUsagePurpose::KeyEncipherment,
        "data_encipherment" => KeyUsagePurpose::DataEncipherment,
        "key_agreement" => KeyUsagePurpose::KeyAgreement,
        "cert_signing" => KeyUsagePurpose::KeyCertSign,
        "crl_signing" => KeyUsagePurpose::CrlSign,
        "encipher_only" => KeyUsagePurpose::EncipherOnly,
        "decipher_only" => KeyUsagePurpose::DecipherOnly,
        _ => return None,
    })
}

fn extended_key_usage(name: &str) -> Option<ExtendedKeyUsagePurpose> {
    let pkix = |n: u64| ExtendedKeyUsagePurpose::Other(vec![1, 3, 6, 1, 5, 5, 7, 3, n]);
    let microsoft = |arc: &[u64]| {
        let mut oid = vec![1, 3, 6, 1, 4, 1, 311];
        oid.extend_from_slice(arc);
        ExtendedKeyUsagePurpose::Other(oid)
    };
    Some(match name {
        "any_extended" => ExtendedKeyUsagePurpose::Any,
        "server_auth" => ExtendedKeyUsagePurpose::ServerAuth,
        "client_auth" => ExtendedKeyUsagePurpose::ClientAuth,
        "code_signing" => ExtendedKeyUsagePurpose::CodeSigning,
        "email_protection" => ExtendedKeyUsagePurpose::EmailProtection,
        "timestamping" => ExtendedKeyUsagePurpose::TimeStamping,
        "ocsp_signing" => ExtendedKeyUsagePurpose::OcspSigning,
        "ipsec_end_system" => pkix(5),
        "ipsec_tunnel" => pkix(6),
        "ipsec_user" => pkix(7),
        "microsoft_commercial_code_signing" => microsoft(&[2, 1, 22]),
        "microsoft_kernel_code_signing" => microsoft(&[61, 1, 1]),
        "microsoft_server_gated_crypto" => microsoft(&[10, 3, 3]),
        "netscape_server_gated_crypto" => {
            ExtendedKeyUsagePurpose::Other(vec![2, 16, 840, 1, 113_730, 4, 1])
        }
        _ => return None,
    })
}

fn failed(e: impl std::fmt::Display) -> Diagnostics {
    Diagnostics::error("The certificate cannot be made", format!("{e}."))
}

#[cfg(test)]
mod tests {
    use x509_parser::prelude::GeneralName;

    use super::super::provider;
    use super::*;
    use crate::testing::Bench;

    fn list(items: &[&str]) -> Value {
        Value::list(
            Type::String,
            items.iter().map(|s| Value::from(*s)).collect(),
        )
    }

    fn arguments(key: &Key) -> [(&'static str, Value); 7] {
        let subject = Value::object([
            ("common_name", Value::from("kong_clustering")),
            ("organization", "Kong".into()),
            ("street_address", Value::null(Type::list(Type::String))),
        ]);
        [
            ("private_key_pem", key.pkcs8().unwrap().into()),
            ("validity_period_hours", 48.into()),
            (
                "allowed_uses",
                list(&["digital_signature", "server_auth", "cert_signing"]),
            ),
            ("dns_names", list(&["kong.example.com"])),
            ("ip_addresses", list(&["10.0.0.1"])),
            ("is_ca_certificate", true.into()),
            ("subject", Value::tuple(vec![subject])),
        ]
    }

    async fn bench() -> Bench {
        Bench::new(provider(), "tls_self_signed_cert").await
    }

    fn filled(arguments: [(&'static str, Value); 7]) -> [(&'static str, Value); 7] {
        arguments.map(|(name, value)| match name {
            "subject" => {
                let one = value.as_slice().unwrap()[0].clone();
                let full = plan::fill_missing(&subject_block(), one);
                (name, Value::list(subject_block().ty(), vec![full]))
            }
            _ => (name, value),
        })
    }

    #[tokio::test]
    async fn every_kind_of_key_signs() {
        let bench = bench().await;
        for key in [
            Key::ecdsa("P256").unwrap(),
            Key::ecdsa("P384").unwrap(),
            Key::ed25519(),
            Key::rsa(2048).unwrap(),
        ] {
            let made = bench.create(filled(arguments(&key))).await;
            assert_eq!(made.get_str("key_algorithm"), Some(key.algorithm()));
            let cert = made.get_str("cert_pem").unwrap();
            let (_, pem) = x509_parser::pem::parse_x509_pem(cert.as_bytes()).unwrap();
            let cert = pem.parse_x509().unwrap();
            assert!(cert.is_ca());
            assert_eq!(
                cert.subject()
                    .iter_common_name()
                    .next()
                    .unwrap()
                    .as_str()
                    .unwrap(),
                "kong_clustering"
            );
            let names = cert.subject_alternative_name().unwrap().unwrap();
            assert_eq!(
                names.value.general_names[0],
                GeneralName::DNSName("kong.example.com")
            );
            assert_eq!(
                names.value.general_names[1],
                GeneralName::IPAddress(&[10, 0, 0, 1])
            );
            assert!(cert.key_usage().unwrap().unwrap().value.key_cert_sign());
            assert!(
                cert.extended_key_usage()
                    .unwrap()
                    .unwrap()
                    .value
                    .server_auth
            );
            assert_eq!(
                cert.tbs_certificate.serial.to_string(),
                made.get_str("id").unwrap()
            );
            let spki = pem::parse(key.formats().unwrap().public_pem).unwrap();
            assert_eq!(cert.public_key().raw, spki.contents());
            let validity = cert.validity();
            assert_eq!(
                (validity.not_after - validity.not_before)
                    .unwrap()
                    .whole_hours(),
                48
            );
            let end: Timestamp = made.get_str("validity_end_time").unwrap().parse().unwrap();
            assert_eq!(end.as_second(), validity.not_after.timestamp());
            bench.unchanged(&made, filled(arguments(&key)));
        }
    }

    #[tokio::test]
    async fn is_replaced_when_due_and_not_before() {
        let bench = bench().await;
        let key = Key::ecdsa("P256").unwrap();
        let made = bench.create(filled(arguments(&key))).await;
        let with_early = |hours: i64| {
            let config = bench.config(filled(arguments(&key)));
            config.with("early_renewal_hours", hours.into())
        };
        let soon = bench.plan(Some(&made), &with_early(1));
        assert_eq!(soon.requires_replace, []);
        let due = bench.plan(Some(&made), &with_early(48));
        assert_eq!(due.requires_replace, [Path::attribute("ready_for_renewal")]);
        let other = bench.config(filled(arguments(&Key::ed25519())));
        let rekeyed = bench.plan(Some(&made), &other);
        assert_eq!(
            rekeyed.requires_replace,
            [Path::attribute("private_key_pem")]
        );
    }

    #[tokio::test]
    async fn mistakes_are_found_before_anything_is_made() {
        let bench = bench().await;
        assert!(
            bench
                .validate([("allowed_uses", list(&["serving"]))])
                .has_errors()
        );
        assert!(
            bench
                .validate([("ip_addresses", list(&["localhost"]))])
                .has_errors()
        );
        assert!(
            bench
                .validate([("validity_period_hours", (-1).into())])
                .has_errors()
        );
    }
}
