//! What an account of the AWS API server has.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use aws_config::SdkConfig;
use aws_sdk_ec2::types::{Filter, Tag};
use aws_sdk_eks::types::NodegroupScalingConfig;
use serde_json::{Value as Json, json};

use crate::ACCOUNT;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Clients for one account.
pub struct Account {
    stacks: aws_sdk_cloudformation::Client,
    ec2: aws_sdk_ec2::Client,
    eks: aws_sdk_eks::Client,
    iam: aws_sdk_iam::Client,
    rds: aws_sdk_rds::Client,
}

impl Account {
    pub fn new(config: SdkConfig) -> Account {
        Account {
            stacks: aws_sdk_cloudformation::Client::new(&config),
            ec2: aws_sdk_ec2::Client::new(&config),
            eks: aws_sdk_eks::Client::new(&config),
            iam: aws_sdk_iam::Client::new(&config),
            rds: aws_sdk_rds::Client::new(&config),
        }
    }

    /// Everything there is, by kind: all that is told about each object.
    pub async fn everything(&self) -> Result<BTreeMap<&'static str, BTreeSet<String>>> {
        let mut all = BTreeMap::new();
        let mut put = |kind, objects| all.insert(kind, objects);
        let told = self.ec2.describe_vpcs().send().await?;
        put("VPCs", lines(told.vpcs()));
        let told = self.ec2.describe_subnets().send().await?;
        put("subnets", lines(told.subnets()));
        let told = self.ec2.describe_internet_gateways().send().await?;
        put("internet gateways", lines(told.internet_gateways()));
        let told = self.ec2.describe_nat_gateways().send().await?;
        let gateways = told.nat_gateways().iter();
        // AWS tells of deleted ones for an hour.
        let left = gateways.filter(|g| g.state().is_none_or(|s| s.as_str() != "deleted"));
        put("NAT gateways", lines(left));
        let told = self.ec2.describe_addresses().send().await?;
        put("addresses", lines(told.addresses()));
        let told = self.ec2.describe_route_tables().send().await?;
        put("route tables", lines(told.route_tables()));
        let told = self.ec2.describe_security_groups().send().await?;
        put("security groups", lines(told.security_groups()));
        let told = self.ec2.describe_network_interfaces().send().await?;
        put("network interfaces", lines(told.network_interfaces()));
        let told = self.iam.list_roles().send().await?;
        put("roles", lines(told.roles()));
        let told = self
            .iam
            .list_policies()
            .scope("Local".into())
            .send()
            .await?;
        put("policies", lines(told.policies()));
        let told = self.eks.list_clusters().send().await?;
        put("clusters", lines(told.clusters()));
        let told = self.rds.describe_db_instances().send().await?;
        put("databases", lines(told.db_instances()));
        let told = self.rds.describe_db_subnet_groups().send().await?;
        put("database subnet groups", lines(told.db_subnet_groups()));
        let told = self.stacks.describe_stacks().send().await?;
        put("stacks", lines(told.stacks()));
        Ok(all)
    }

    /// The network, the cluster and the rest, as [`expected`] writes them. Ids are replaced by
    /// names.
    pub async fn describe(&self, name: &str) -> Result<Json> {
        Ok(json!({
            "network": self.network(name).await?,
            "roles": self.roles(name).await?,
            "cluster": self.cluster(name).await?,
            "databases": self.rds.describe_db_instances().send().await?.db_instances().len(),
            "stack": self.stack(&format!("{name}-alerts")).await?,
        }))
    }

    async fn network(&self, name: &str) -> Result<Json> {
        let named = Filter::builder().name("tag:Name").values(name).build();
        let told = self.ec2.describe_vpcs().filters(named).send().await?;
        let [vpc] = told.vpcs() else {
            return Err(format!("not one VPC: {:?}", told.vpcs()).into());
        };
        let id = vpc.vpc_id().unwrap_or_default();
        let inside = || Filter::builder().name("vpc-id").values(id).build();

        let told = self.ec2.describe_subnets().filters(inside()).send().await?;
        let names: BTreeMap<&str, &str> = told
            .subnets()
            .iter()
            .map(|s| (s.subnet_id().unwrap_or_default(), tag(s.tags(), "Name")))
            .collect();
        let subnets: BTreeMap<&str, Json> = told
            .subnets()
            .iter()
            .map(|s| {
                let told = json!({
                    "cidr": s.cidr_block(),
                    "zone": s.availability_zone(),
                    "public addresses": s.map_public_ip_on_launch(),
                    "tags": tags(s.tags()),
                });
                (tag(s.tags(), "Name"), told)
            })
            .collect();

        let told = self
            .ec2
            .describe_route_tables()
            .filters(inside())
            .send()
            .await?;
        let mut tables = BTreeMap::new();
        for table in told.route_tables() {
            // The main table comes with the VPC.
            if table.associations().iter().any(|a| a.main() == Some(true)) {
                continue;
            }
            let routes: BTreeMap<_, _> = table
                .routes()
                .iter()
                .map(|r| {
                    let target = r.gateway_id().or(r.nat_gateway_id()).unwrap_or_default();
                    let kind = target.split('-').next();
                    (r.destination_cidr_block().unwrap_or_default(), kind)
                })
                .collect();
            let subnets: BTreeSet<_> = table
                .associations()
                .iter()
                .filter_map(|a| names.get(a.subnet_id()?))
                .collect();
            let told = json!({ "routes": routes, "subnets": subnets });
            tables.insert(tag(table.tags(), "Name"), told);
        }

        let told = self
            .ec2
            .describe_nat_gateways()
            .filter(inside())
            .send()
            .await?;
        let gateways: Vec<Json> = told
            .nat_gateways()
            .iter()
            .map(|g| {
                let subnet = g.subnet_id().and_then(|id| names.get(id));
                let addresses = g.nat_gateway_addresses();
                json!({
                    "state": g.state().map(|s| s.as_str()),
                    "subnet": subnet,
                    "addresses": addresses.iter().filter(|a| a.allocation_id().is_some()).count(),
                })
            })
            .collect();
        Ok(json!({
            "cidr": vpc.cidr_block(),
            "tags": tags(vpc.tags()),
            "subnets": subnets,
            "route tables": tables,
            "NAT gateways": gateways,
        }))
    }

    async fn roles(&self, name: &str) -> Result<Json> {
        let mut roles = BTreeMap::new();
        for kind in ["cluster", "node"] {
            let role = format!("{name}-{kind}");
            let told = self.iam.get_role().role_name(&role).send().await?;
            let policy = told.role().and_then(|r| r.assume_role_policy_document());
            let policy = decoded(policy.unwrap_or_default());
            let policy: Json = serde_json::from_str(&policy)?;
            let told = self
                .iam
                .list_attached_role_policies()
                .role_name(&role)
                .send()
                .await?;
            let attached: BTreeSet<_> = told
                .attached_policies()
                .iter()
                .filter_map(|p| p.policy_arn()?.strip_prefix("arn:aws:iam::aws:policy/"))
                .collect();
            let told = json!({
                "assumed by": policy["Statement"][0]["Principal"]["Service"],
                "policies": attached,
            });
            roles.insert(kind, told);
        }
        Ok(json!(roles))
    }

    async fn cluster(&self, name: &str) -> Result<Json> {
        let told = self.eks.describe_cluster().name(name).send().await?;
        let cluster = told.cluster().ok_or("no cluster")?;
        let network = cluster.resources_vpc_config().ok_or("no network")?;
        let logging = cluster.logging().map(|l| l.cluster_logging());
        let logs: BTreeSet<_> = logging
            .unwrap_or_default()
            .iter()
            .filter(|l| l.enabled() == Some(true))
            .flat_map(|l| l.types())
            .map(|t| t.as_str())
            .collect();

        let group = self
            .eks
            .describe_nodegroup()
            .cluster_name(name)
            .nodegroup_name(format!("{name}-default"));
        let told = group.send().await?;
        let group = told.nodegroup().ok_or("no node group")?;
        let scaling = group.scaling_config();

        let mut addons = BTreeMap::new();
        let list = self.eks.list_addons().cluster_name(name).send().await?;
        for addon in list.addons() {
            let told = self.eks.describe_addon().cluster_name(name);
            let told = told.addon_name(addon).send().await?;
            let status = told.addon().and_then(|a| a.status());
            addons.insert(addon, status.map(|s| s.as_str().to_owned()));
        }
        Ok(json!({
            "status": cluster.status().map(|s| s.as_str()),
            "version": cluster.version(),
            "endpoint": cluster.endpoint(),
            "role": cluster.role_arn(),
            "subnets": network.subnet_ids().len(),
            "private": network.endpoint_private_access(),
            "logs": logs,
            "tags": cluster.tags(),
            "nodes": {
                "status": group.status().map(|s| s.as_str()),
                "role": group.node_role(),
                "types": group.instance_types(),
                "subnets": group.subnets().len(),
                "min": scaling.and_then(|s| s.min_size()),
                "desired": scaling.and_then(|s| s.desired_size()),
                "max": scaling.and_then(|s| s.max_size()),
            },
            "addons": addons,
        }))
    }

    async fn stack(&self, name: &str) -> Result<Json> {
        let told = self
            .stacks
            .describe_stacks()
            .stack_name(name)
            .send()
            .await?;
        let stack = told.stacks().first().ok_or("no stack")?;
        let outputs: BTreeMap<_, _> = stack
            .outputs()
            .iter()
            .map(|o| (o.output_key().unwrap_or_default(), o.output_value()))
            .collect();
        Ok(json!({
            "status": stack.stack_status().map(|s| s.as_str()),
            "outputs": outputs,
        }))
    }

    /// What a person might do in the console.
    pub async fn resize_nodes(&self, name: &str, max: i32) -> Result<()> {
        self.eks
            .update_nodegroup_config()
            .cluster_name(name)
            .nodegroup_name(format!("{name}-default"))
            .scaling_config(NodegroupScalingConfig::builder().max_size(max).build())
            .send()
            .await?;
        Ok(())
    }
}

/// What the fixture asks for with this name of the cluster.
pub fn expected(cluster: &str, endpoint: &str) -> Json {
    let subnet = |name: &str, zone: &str, cidr: &str| {
        let public = name == "public";
        let role = if public { "elb" } else { "internal-elb" };
        let mut tags = json!({
            "Name": format!("{cluster}-{name}-{zone}"),
            "suite": "kong-real",
        });
        tags[format!("kubernetes.io/role/{role}")] = json!("1");
        tags[format!("kubernetes.io/cluster/{cluster}")] = json!("shared");
        json!({ "cidr": cidr, "zone": zone, "public addresses": public, "tags": tags })
    };
    let private = |zone: &str| {
        json!({
            "routes": { "192.168.0.0/16": "local", "0.0.0.0/0": "nat" },
            "subnets": [format!("{cluster}-private-{zone}")],
        })
    };
    let role = |name: &str| format!("arn:aws:iam::{ACCOUNT}:role/{cluster}-{name}");
    let topic = format!("arn:aws:sns:us-east-1:{ACCOUNT}:{cluster}-alerts");
    json!({
        "network": {
            "cidr": "192.168.0.0/16",
            "tags": { "Name": cluster, "suite": "kong-real" },
            "subnets": {
                (format!("{cluster}-public-us-east-1a")): subnet("public", "us-east-1a", "192.168.0.0/19"),
                (format!("{cluster}-public-us-east-1b")): subnet("public", "us-east-1b", "192.168.32.0/19"),
                (format!("{cluster}-private-us-east-1a")): subnet("private", "us-east-1a", "192.168.96.0/19"),
                (format!("{cluster}-private-us-east-1b")): subnet("private", "us-east-1b", "192.168.128.0/19"),
            },
            "route tables": {
                (format!("{cluster}-public")): {
                    "routes": { "192.168.0.0/16": "local", "0.0.0.0/0": "igw" },
                    "subnets": [format!("{cluster}-public-us-east-1a"), format!("{cluster}-public-us-east-1b")],
                },
                (format!("{cluster}-private-us-east-1a")): private("us-east-1a"),
                (format!("{cluster}-private-us-east-1b")): private("us-east-1b"),
            },
            "NAT gateways": [
                { "state": "available", "subnet": format!("{cluster}-public-us-east-1a"), "addresses": 1 },
            ],
        },
        "roles": {
            "cluster": {
                "assumed by": "eks.amazonaws.com",
                "policies": ["AmazonEKSClusterPolicy"],
            },
            "node": {
                "assumed by": "ec2.amazonaws.com",
                "policies": [
                    "AmazonEC2ContainerRegistryReadOnly",
                    "AmazonEKSWorkerNodePolicy",
                    "AmazonEKS_CNI_Policy",
                    "service-role/AmazonEBSCSIDriverPolicy",
                ],
            },
        },
        "cluster": {
            "status": "ACTIVE",
            "version": "1.33",
            "endpoint": endpoint,
            "role": role("cluster"),
            "subnets": 4,
            "private": true,
            "logs": ["api", "audit", "authenticator"],
            "tags": { "suite": "kong-real" },
            "nodes": {
                "status": "ACTIVE",
                "role": role("node"),
                "types": ["t3.medium"],
                "subnets": 2,
                "min": 1,
                "desired": 1,
                "max": 2,
            },
            "addons": {
                "aws-ebs-csi-driver": "ACTIVE",
                "coredns": "ACTIVE",
                "kube-proxy": "ACTIVE",
                "metrics-server": "ACTIVE",
                "vpc-cni": "ACTIVE",
            },
        },
        "databases": 0,
        "stack": { "status": "CREATE_COMPLETE", "outputs": { "TopicArn": topic } },
    })
}

fn lines<T: Debug>(objects: impl IntoIterator<Item = T>) -> BTreeSet<String> {
    objects.into_iter().map(|o| format!("{o:?}")).collect()
}

fn tag<'a>(tags: &'a [Tag], key: &str) -> &'a str {
    let found = tags.iter().find(|t| t.key() == Some(key));
    found.and_then(Tag::value).unwrap_or_default()
}

fn tags(tags: &[Tag]) -> BTreeMap<&str, &str> {
    tags.iter()
        .filter_map(|t| Some((t.key()?, t.value()?)))
        .collect()
}

/// A policy document, which IAM gives with some characters written as `%XX` (RFC 3986).
fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut made = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_at(2.min(part.len()));
        made.push(u8::from_str_radix(code, 16).map_or('%', char::from));
        made.push_str(rest);
    }
    made
}
