//! What names an object: its id in the style of the real API, the name that may exist once, the
//! target that it lives in.

use std::borrow::Cow;

use topo_sdk::{Kind, Schema, Value};

/// The simulated account.
pub(crate) const ACCOUNT: &str = "123456789012";

/// The region where the configuration names none.
pub(crate) const DEFAULT_REGION: &str = "us-east-1";

/// Types whose objects have a name that may exist once in a region (for IAM: in the account),
/// the arguments that make it, and the error of the real API for a second one.
const UNIQUE: &[(&str, &[&str], &str)] = &[
    (
        "aws_cloudformation_stack",
        &["name"],
        "AlreadyExistsException",
    ),
    (
        "aws_cloudwatch_log_group",
        &["name"],
        "ResourceAlreadyExistsException",
    ),
    (
        "aws_db_instance",
        &["identifier"],
        "DBInstanceAlreadyExists",
    ),
    (
        "aws_db_parameter_group",
        &["name"],
        "DBParameterGroupAlreadyExists",
    ),
    (
        "aws_db_subnet_group",
        &["name"],
        "DBSubnetGroupAlreadyExists",
    ),
    (
        "aws_ecr_repository",
        &["name"],
        "RepositoryAlreadyExistsException",
    ),
    (
        "aws_eks_access_entry",
        &["cluster_name", "principal_arn"],
        "ResourceInUseException",
    ),
    (
        "aws_eks_addon",
        &["cluster_name", "addon_name"],
        "ResourceInUseException",
    ),
    ("aws_eks_cluster", &["name"], "ResourceInUseException"),
    (
        "aws_eks_fargate_profile",
        &["cluster_name", "fargate_profile_name"],
        "ResourceInUseException",
    ),
    (
        "aws_eks_node_group",
        &["cluster_name", "node_group_name"],
        "ResourceInUseException",
    ),
    (
        "aws_eks_pod_identity_association",
        &["cluster_name", "namespace", "service_account"],
        "ResourceInUseException",
    ),
    ("aws_iam_group", &["name"], "EntityAlreadyExists"),
    ("aws_iam_instance_profile", &["name"], "EntityAlreadyExists"),
    (
        "aws_iam_openid_connect_provider",
        &["url"],
        "EntityAlreadyExists",
    ),
    ("aws_iam_policy", &["name"], "EntityAlreadyExists"),
    ("aws_iam_role", &["name"], "EntityAlreadyExists"),
    ("aws_iam_user", &["name"], "EntityAlreadyExists"),
    ("aws_key_pair", &["key_name"], "InvalidKeyPair.Duplicate"),
    ("aws_kms_alias", &["name"], "AlreadyExistsException"),
    (
        "aws_launch_template",
        &["name"],
        "InvalidLaunchTemplateName.AlreadyExistsException",
    ),
    ("aws_lb", &["name"], "DuplicateLoadBalancerName"),
    ("aws_lb_target_group", &["name"], "DuplicateTargetGroupName"),
    (
        "aws_rds_cluster",
        &["cluster_identifier"],
        "DBClusterAlreadyExistsFault",
    ),
    ("aws_s3_bucket", &["bucket"], "BucketAlreadyOwnedByYou"),
    (
        "aws_secretsmanager_secret",
        &["name"],
        "ResourceExistsException",
    ),
    (
        "aws_security_group",
        &["vpc_id", "name"],
        "InvalidGroup.Duplicate",
    ),
    ("aws_sns_topic", &["name"], "InvalidParameter"),
    ("aws_sqs_queue", &["name"], "QueueAlreadyExists"),
    ("aws_ssm_parameter", &["name"], "ParameterAlreadyExists"),
];

/// Types of the Kubernetes provider that write into an object which something else has made.
const KUBERNETES_PATCHES: &[&str] = &[
    "kubernetes_annotations",
    "kubernetes_config_map_v1_data",
    "kubernetes_default_service_account",
    "kubernetes_env",
    "kubernetes_labels",
    "kubernetes_node_taint",
    "kubernetes_secret_v1_data",
];

/// What the real API calls objects of a type: without the version suffix under which the
/// Kubernetes provider offers some types a second time.
pub(crate) fn kind(type_name: &str) -> Cow<'_, str> {
    if !type_name.starts_with("kubernetes_") {
        return type_name.into();
    }
    if matches!(type_name, "kubernetes_default_service_account_v1") {
        return "kubernetes_default_service_account".into();
    }
    match type_name.rsplit_once("_v") {
        Some((kind, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => {
            match version.contains('_') {
                true => type_name.into(),
                false => kind.into(),
            }
        }
        _ => type_name.into(),
    }
}

/// The name that no second object of the kind may have in one target; `None` where the API
/// allows any number of equal objects.
pub(crate) fn unique_name(type_name: &str, object: &Value) -> Option<String> {
    if type_name.starts_with("kubernetes_") {
        let patch = KUBERNETES_PATCHES
            .iter()
            .any(|p| *p == type_name || *p == kind(type_name));
        return if patch { None } else { kubernetes_name(object) };
    }
    let (_, arguments, _) = UNIQUE.iter().find(|(name, ..)| *name == type_name)?;
    let parts: Option<Vec<&str>> = arguments.iter().map(|a| object.get_str(a)).collect();
    Some(parts?.join("/"))
}

/// The error code of the real API for a second object of a name.
pub(crate) fn conflict_code(type_name: &str) -> &'static str {
    UNIQUE
        .iter()
        .find(|(name, ..)| *name == type_name)
        .map_or("AlreadyExists", |(.., code)| code)
}

/// `namespace/name`, or the name alone; for a manifest with API version and kind before it.
pub(crate) fn kubernetes_name(object: &Value) -> Option<String> {
    if let Some(manifest) = object.get("manifest").filter(|m| m.as_map().is_some()) {
        let metadata = manifest.get("metadata")?;
        let mut parts = vec![manifest.get_str("apiVersion")?, manifest.get_str("kind")?];
        parts.extend(metadata.get_str("namespace"));
        parts.push(metadata.get_str("name")?);
        return Some(parts.join("/"));
    }
    let metadata = first(object.get("metadata")?)?;
    let name = metadata.get_str("name")?;
    Some(match metadata.get_str("namespace") {
        Some(namespace) if !namespace.is_empty() => format!("{namespace}/{name}"),
        _ => name.into(),
    })
}

/// The one object in a block that may appear once, whether written as a list or not.
pub(crate) fn first(block: &Value) -> Option<&Value> {
    match block.kind() {
        Kind::Object(_) => Some(block),
        _ => block.as_slice()?.first(),
    }
}

/// Where a provider with this configuration makes its objects: the region, or what the provider's
/// schema says identifies its target.
pub(crate) fn target(provider: &str, schema: &Schema, config: &Value) -> String {
    if provider == "aws" {
        return config.get_str("region").unwrap_or(DEFAULT_REGION).into();
    }
    let parts: Vec<&str> = schema
        .block
        .attributes
        .iter()
        .filter(|(_, a)| a.identifies_target)
        .filter_map(|(name, _)| config.get_str(name))
        .filter(|text| !text.is_empty())
        .collect();
    parts.join(" ")
}

/// Where this object is in a provider's target: IAM is the same in every region, and an object
/// may name a region of its own.
pub(crate) fn object_target(type_name: &str, object: &Value, target: &str) -> String {
    if type_name.starts_with("aws_iam_") {
        return "global".into();
    }
    if type_name.starts_with("aws_") {
        return object.get_str("region").unwrap_or(target).into();
    }
    target.into()
}

/// The endpoint of a cluster: the target of the objects inside it.
pub(crate) fn cluster_endpoint(type_name: &str, object: &Value) -> Option<String> {
    match type_name {
        "aws_eks_cluster" => object.get_str("endpoint").map(Into::into),
        _ => None,
    }
}

/// The prefixes of AWS ids by what they are the id of.
pub(crate) const ID_PREFIXES: &[(&str, &str)] = &[
    ("allocation", "eipalloc"),
    ("ami", "ami"),
    ("customer_gateway", "cgw"),
    ("dhcp_options", "dopt"),
    ("ebs_volume", "vol"),
    ("egress_only_internet_gateway", "eigw"),
    ("eip", "eipalloc"),
    ("eip_association", "eipassoc"),
    ("eks_pod_identity_association", "a"),
    ("flow_log", "fl"),
    ("instance", "i"),
    ("internet_gateway", "igw"),
    ("launch_template", "lt"),
    ("nat_gateway", "nat"),
    ("network_acl", "acl"),
    ("network_interface", "eni"),
    ("route", "r-rtb"),
    ("route_table", "rtb"),
    ("route_table_association", "rtbassoc"),
    ("security_group", "sg"),
    ("security_group_rule", "sgr"),
    ("snapshot", "snap"),
    ("subnet", "subnet"),
    ("transit_gateway", "tgw"),
    ("volume", "vol"),
    ("vpc", "vpc"),
    ("vpc_endpoint", "vpce"),
    ("vpc_peering_connection", "pcx"),
    ("vpc_security_group_egress_rule", "sgr"),
    ("vpc_security_group_ingress_rule", "sgr"),
];

/// The prefix of ids of this noun: the longest entry that the noun ends with, so that
/// `main_route_table` is a route table.
pub(crate) fn id_prefix(noun: &str) -> Option<&'static str> {
    ID_PREFIXES
        .iter()
        .filter(|(name, _)| {
            noun.strip_suffix(name)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('_'))
        })
        .max_by_key(|(name, _)| name.len())
        .map(|(_, prefix)| *prefix)
}

/// AWS types whose id is made of arguments: the arguments and what is between them.
const COMPOSED_IDS: &[(&str, &[&str], &str)] = &[
    ("aws_cloudwatch_log_group", &["name"], ""),
    ("aws_db_instance", &["identifier"], ""),
    ("aws_db_parameter_group", &["name"], ""),
    ("aws_db_subnet_group", &["name"], ""),
    ("aws_ecr_repository", &["name"], ""),
    (
        "aws_eks_access_entry",
        &["cluster_name", "principal_arn"],
        ":",
    ),
    (
        "aws_eks_access_policy_association",
        &["cluster_name", "principal_arn", "policy_arn"],
        "#",
    ),
    ("aws_eks_addon", &["cluster_name", "addon_name"], ":"),
    ("aws_eks_cluster", &["name"], ""),
    (
        "aws_eks_fargate_profile",
        &["cluster_name", "fargate_profile_name"],
        ":",
    ),
    (
        "aws_eks_node_group",
        &["cluster_name", "node_group_name"],
        ":",
    ),
    ("aws_iam_group", &["name"], ""),
    ("aws_iam_instance_profile", &["name"], ""),
    ("aws_iam_role", &["name"], ""),
    ("aws_iam_role_policy", &["role", "name"], ":"),
    (
        "aws_iam_role_policy_attachment",
        &["role", "policy_arn"],
        "/",
    ),
    ("aws_iam_user", &["name"], ""),
    (
        "aws_iam_user_policy_attachment",
        &["user", "policy_arn"],
        "/",
    ),
    ("aws_key_pair", &["key_name"], ""),
    ("aws_kms_alias", &["name"], ""),
    ("aws_rds_cluster", &["cluster_identifier"], ""),
    ("aws_s3_bucket", &["bucket"], ""),
    ("aws_s3_bucket_policy", &["bucket"], ""),
    ("aws_s3_bucket_versioning", &["bucket"], ""),
    ("aws_s3_bucket_public_access_block", &["bucket"], ""),
    ("aws_ssm_parameter", &["name"], ""),
];

/// The id that follows from an object's arguments; `None` where the API invents it.
pub(crate) fn composed_id(type_name: &str, object: &Value) -> Option<String> {
    if type_name.starts_with("kubernetes_") {
        return kubernetes_name(object);
    }
    let (_, arguments, separator) = COMPOSED_IDS.iter().find(|(name, ..)| *name == type_name)?;
    let parts: Option<Vec<&str>> = arguments.iter().map(|a| object.get_str(a)).collect();
    Some(parts?.join(separator))
}

/// AWS types whose id is their ARN.
pub(crate) fn id_is_arn(type_name: &str) -> bool {
    matches!(
        type_name,
        "aws_acm_certificate"
            | "aws_cloudformation_stack"
            | "aws_iam_openid_connect_provider"
            | "aws_iam_policy"
            | "aws_lb"
            | "aws_lb_listener"
            | "aws_lb_listener_rule"
            | "aws_lb_target_group"
            | "aws_secretsmanager_secret"
            | "aws_sns_topic"
    )
}

/// The name that an object goes by in its ARN, if its arguments give one.
pub(crate) fn arn_name(object: &Value) -> Option<&str> {
    [
        "name",
        "identifier",
        "bucket",
        "cluster_identifier",
        "function_name",
    ]
    .iter()
    .find_map(|a| object.get_str(a))
}

/// The service and the kind of thing that an ARN of a type names: `eks`, `cluster/`.
pub(crate) fn arn_parts(type_name: &str) -> (&'static str, Cow<'static, str>) {
    let noun = type_name.strip_prefix("aws_").unwrap_or(type_name);
    let services: &[(&str, &str, &str)] = &[
        ("acm_certificate", "acm", "certificate/"),
        ("cloudformation_stack", "cloudformation", "stack/"),
        ("cloudwatch_log_group", "logs", "log-group:"),
        ("db_instance", "rds", "db:"),
        ("db_parameter_group", "rds", "pg:"),
        ("db_subnet_group", "rds", "subgrp:"),
        ("ecr_repository", "ecr", "repository/"),
        ("eip", "ec2", "elastic-ip/"),
        ("eks_access_entry", "eks", "access-entry/"),
        ("eks_addon", "eks", "addon/"),
        ("eks_cluster", "eks", "cluster/"),
        ("eks_fargate_profile", "eks", "fargateprofile/"),
        ("eks_node_group", "eks", "nodegroup/"),
        (
            "eks_pod_identity_association",
            "eks",
            "podidentityassociation/",
        ),
        ("iam_group", "iam", "group/"),
        ("iam_instance_profile", "iam", "instance-profile/"),
        ("iam_openid_connect_provider", "iam", "oidc-provider/"),
        ("iam_policy", "iam", "policy/"),
        ("iam_role", "iam", "role/"),
        ("iam_user", "iam", "user/"),
        ("kms_alias", "kms", ""),
        ("kms_key", "kms", "key/"),
        ("lb", "elasticloadbalancing", "loadbalancer/net/"),
        ("lb_target_group", "elasticloadbalancing", "targetgroup/"),
        ("nat_gateway", "ec2", "natgateway/"),
        ("rds_cluster", "rds", "cluster:"),
        ("s3_bucket", "s3", ""),
        ("secretsmanager_secret", "secretsmanager", "secret:"),
        ("sns_topic", "sns", ""),
        ("sqs_queue", "sqs", ""),
        ("ssm_parameter", "ssm", "parameter/"),
        (
            "vpc_security_group_egress_rule",
            "ec2",
            "security-group-rule/",
        ),
        (
            "vpc_security_group_ingress_rule",
            "ec2",
            "security-group-rule/",
        ),
    ];
    match services.iter().find(|(name, ..)| *name == noun) {
        Some((_, service, kind)) => (service, (*kind).into()),
        None => ("ec2", format!("{}/", noun.replace('_', "-")).into()),
    }
}
