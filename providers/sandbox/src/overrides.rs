//! Values that other code must parse or that a configuration depends on: the table of exceptions
//! to inventing by name and type.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value as Json, json};
use topo_sdk::Value;

use crate::identity::{self, ACCOUNT};
use crate::invent::Inventor;

/// Top-level attributes and blocks, in the shape of the schema.
pub(crate) type Attributes = BTreeMap<&'static str, Json>;

/// The certificate authority of every simulated cluster: self-signed, valid for a hundred years;
/// its key was thrown away.
pub(crate) const CLUSTER_CA: &str = "\
-----BEGIN CERTIFICATE-----
MIIBPDCB5KADAgECAgEBMAoGCCqGSM49BAMCMBUxEzARBgNVBAMMCmt1YmVybmV0
ZXMwIBcNMjUwMTAxMDAwMDAwWhgPMjEyNTAxMDEwMDAwMDBaMBUxEzARBgNVBAMM
Cmt1YmVybmV0ZXMwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARmLxCOtw4vo+W6
3fjNLEWygz+XmzsN9CjOzZVf0Hwp3/C4D9cGFpUdflhuQJ34knr2Nu6YZmhwqy25
2ZdaLmmZoyMwITAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwIChDAKBggq
hkjOPQQDAgNHADBEAiBL1Beamv2CW0xn6rs6H5uxThtjqL+8op0KgQl8O4YnHwIg
NJBvqtOvQw2jLA4NMzVCMBPP1TdfRcI+RgnG9C7l/kg=
-----END CERTIFICATE-----
";

/// What is known of a resource type's computed attributes.
pub(crate) fn attributes(inventor: &Inventor<'_>) -> Attributes {
    match &*identity::kind(inventor.type_name) {
        "aws_eks_cluster" => eks_cluster(inventor),
        "aws_db_instance" => db_instance(inventor),
        "aws_eks_addon" => Attributes::from([("addon_version", json!("v1.0.0-eksbuild.1"))]),
        "aws_eks_node_group" => Attributes::from([(
            "resources",
            json!([{
                "autoscaling_groups": [{ "name": format!("eks-{}", inventor.uuid("asg")) }],
                "remote_access_security_group_id": "",
            }]),
        )]),
        "kubernetes_service" => load_balancer(inventor, service_is_load_balancer(inventor.planned)),
        "kubernetes_ingress" => load_balancer(inventor, true),
        _ => Attributes::new(),
    }
}

/// Whether a Kubernetes service asks for a load balancer.
pub(crate) fn service_is_load_balancer(object: &Value) -> bool {
    let spec = object.get("spec").and_then(identity::first);
    spec.and_then(|s| s.get_str("type")) == Some("LoadBalancer")
}

fn eks_cluster(inventor: &Inventor<'_>) -> Attributes {
    let hash = inventor.hex("endpoint", 32).to_uppercase();
    let region = inventor.region;
    let issuer = format!("https://oidc.eks.{region}.amazonaws.com/id/{hash}");
    Attributes::from([
        (
            "endpoint",
            json!(format!("https://{hash}.gr7.{region}.eks.amazonaws.com")),
        ),
        (
            "certificate_authority",
            json!([{ "data": BASE64_STANDARD.encode(CLUSTER_CA) }]),
        ),
        ("identity", json!([{ "oidc": [{ "issuer": issuer }] }])),
        ("version", json!("1.33")),
        (
            "kubernetes_network_config",
            json!([{ "service_ipv4_cidr": "172.20.0.0/16", "ip_family": "ipv4" }]),
        ),
    ])
}

fn db_instance(inventor: &Inventor<'_>) -> Attributes {
    let planned = inventor.planned;
    let name = planned.get_str("identifier").unwrap_or("db");
    let region = inventor.region;
    let address = format!(
        "{name}.c{}.{region}.rds.amazonaws.com",
        inventor.hex("address", 11)
    );
    let port = planned
        .get_i64("port")
        .unwrap_or_else(|| match planned.get_str("engine") {
            Some(engine) if engine.contains("postgres") => 5432,
            _ => 3306,
        });
    let resource = inventor.hex("resource", 26).to_uppercase();
    Attributes::from([
        ("endpoint", json!(format!("{address}:{port}"))),
        ("address", json!(address)),
        ("port", json!(port)),
        ("resource_id", json!(format!("db-{resource}"))),
        ("status", json!("available")),
    ])
}

fn load_balancer(inventor: &Inventor<'_>, wanted: bool) -> Attributes {
    let ingress = match wanted {
        true => {
            let host = format!(
                "{}.elb.{}.amazonaws.com",
                inventor.hex("load_balancer", 32),
                identity::DEFAULT_REGION
            );
            json!([{ "hostname": host, "ip": "" }])
        }
        false => json!([]),
    };
    Attributes::from([(
        "status",
        json!([{ "load_balancer": [{ "ingress": ingress }] }]),
    )])
}

/// What is known of a data source's attributes.
pub(crate) fn data(type_name: &str, config: &Value, region: &str, token: &str) -> Attributes {
    let wanted = config.get_str("region").or_else(|| match type_name {
        "aws_region" => config.get_str("name"),
        _ => None,
    });
    let region = wanted.unwrap_or(region);
    match type_name {
        "aws_availability_zones" => availability_zones(config, region),
        "aws_caller_identity" => Attributes::from([
            ("account_id", json!(ACCOUNT)),
            ("arn", json!(format!("arn:aws:iam::{ACCOUNT}:user/sandbox"))),
            ("user_id", json!("AIDASANDBOXSANDBOX00")),
            ("id", json!(ACCOUNT)),
        ]),
        "aws_region" => Attributes::from([
            ("name", json!(region)),
            ("id", json!(region)),
            ("region", json!(region)),
            ("description", json!(format!("Simulated ({region})"))),
            ("endpoint", json!(format!("ec2.{region}.amazonaws.com"))),
        ]),
        "aws_partition" => Attributes::from([
            ("id", json!("aws")),
            ("partition", json!("aws")),
            ("dns_suffix", json!("amazonaws.com")),
            ("reverse_dns_prefix", json!("com.amazonaws")),
        ]),
        "aws_eks_cluster_auth" => Attributes::from([
            ("id", json!(config.get_str("name").unwrap_or_default())),
            ("token", json!(format!("k8s-aws-v1.sandbox{token}"))),
        ]),
        "aws_eks_cluster_versions" => Attributes::from([(
            "cluster_versions",
            json!([{ "cluster_version": "1.33", "default_version": true }]),
        )]),
        _ => Attributes::new(),
    }
}

fn availability_zones(config: &Value, region: &str) -> Attributes {
    let letters = match region {
        "us-east-1" => "abcdef",
        "us-west-2" | "ap-northeast-2" => "abcd",
        _ => "abc",
    };
    let excluded = |list: &str, zone: &str| {
        let names = config
            .get(list)
            .and_then(Value::as_slice)
            .unwrap_or_default();
        names.iter().any(|n| n.as_str() == Some(zone))
    };
    let short = region_code(region);
    let (names, ids): (Vec<String>, Vec<String>) = letters
        .chars()
        .zip(1..)
        .map(|(letter, n)| (format!("{region}{letter}"), format!("{short}-az{n}")))
        .filter(|(name, id)| !excluded("exclude_names", name) && !excluded("exclude_zone_ids", id))
        .unzip();
    Attributes::from([
        ("names", json!(names)),
        ("zone_ids", json!(ids)),
        ("group_names", json!([region])),
        ("id", json!(region)),
    ])
}

/// The short form of a region in zone ids: `us-east-1` is `use1`, `ap-southeast-2` is `apse2`.
fn region_code(region: &str) -> String {
    let mut parts = region.split('-');
    let mut code = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut rest = part;
        for direction in ["north", "south", "east", "west", "central"] {
            if let Some(after) = rest.strip_prefix(direction) {
                code.push_str(&direction[..1]);
                rest = after;
            }
        }
        // The second half of "southeast"; a number stays as it is.
        for direction in ["east", "west"] {
            if let Some(after) = rest.strip_prefix(direction) {
                code.push_str(&direction[..1]);
                rest = after;
            }
        }
        code.push_str(rest);
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_of_regions() {
        assert_eq!(region_code("us-east-1"), "use1");
        assert_eq!(region_code("ap-southeast-2"), "apse2");
        assert_eq!(region_code("eu-central-1"), "euc1");
        let zones = availability_zones(
            &Value::object([("exclude_names", Value::tuple(vec!["us-east-1e".into()]))]),
            "us-east-1",
        );
        let names = zones["names"].as_array().unwrap();
        assert_eq!(names.len(), 5);
        assert_eq!(zones["zone_ids"][0], "use1-az1");
    }

    #[test]
    fn the_certificate_authority_is_a_certificate() {
        let (_, pem) = x509_parser::pem::parse_x509_pem(CLUSTER_CA.as_bytes()).unwrap();
        let certificate = pem.parse_x509().unwrap();
        assert!(certificate.is_ca());
        assert!(certificate.validity().is_valid());
    }
}
