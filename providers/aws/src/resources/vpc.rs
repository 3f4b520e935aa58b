//! `aws_vpc`: a virtual private cloud.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_ec2::types::{
    AttributeBooleanValue, ResourceType, Tenancy, Vpc as Ec2Vpc, VpcAttributeName,
};
use futures::future::try_join_all;
use topo_sdk::{Attribute, Block, Diagnostics, Schema, Type, Value};

use crate::core::check;
use crate::core::clients::Aws;
use crate::core::contract::{Call, Found, Read, Resource};
use crate::core::ec2;
use crate::core::error::SdkResult;
use crate::core::tags::tagged;
use crate::core::view::{View, changed, number, string};
use crate::core::wait::Status;

/// The type.
pub(crate) struct Vpc;

/// A VPC with what other calls tell of it.
struct Details {
    vpc: Ec2Vpc,
    dns_support: Option<bool>,
    dns_hostnames: Option<bool>,
    usage_metrics: Option<bool>,
    main_route_table: Option<String>,
    default_security_group: Option<String>,
    default_network_acl: Option<String>,
}

#[async_trait]
impl Resource for Vpc {
    fn name(&self) -> &'static str {
        "aws_vpc"
    }

    fn schema(&self) -> Schema {
        let computed = |text| Attribute::computed(Type::String).describe(text);
        let made = |text| {
            Attribute::optional_computed(Type::String)
                .force_new()
                .describe(text)
        };
        let block = Block::new()
            .describe("A virtual private cloud.")
            .attr("id", computed("Id of the VPC."))
            .attr("arn", computed("ARN of the VPC."))
            .attr("owner_id", computed("Account that owns the VPC."))
            .attr("cidr_block", made("IPv4 network of the VPC, /16 to /28."))
            .attr(
                "ipv4_ipam_pool_id",
                Attribute::optional(Type::String)
                    .force_new()
                    .describe("IPAM pool to take the network from."),
            )
            .attr(
                "ipv4_netmask_length",
                Attribute::optional(Type::Number)
                    .force_new()
                    .describe("Prefix length of the network from the pool."),
            )
            .attr(
                "instance_tenancy",
                Attribute::optional(Type::String)
                    .default("default")
                    .describe("default or dedicated."),
            )
            .attr(
                "enable_dns_support",
                Attribute::optional(Type::Bool)
                    .default(true)
                    .describe("Resolve names through Amazon's DNS."),
            )
            .attr(
                "enable_dns_hostnames",
                Attribute::optional_computed(Type::Bool).describe("Give instances DNS host names."),
            )
            .attr(
                "enable_network_address_usage_metrics",
                Attribute::optional_computed(Type::Bool).describe("Publish address usage metrics."),
            )
            .attr(
                "assign_generated_ipv6_cidr_block",
                Attribute::optional(Type::Bool)
                    .force_new()
                    .describe("Ask Amazon for a /56 IPv6 network."),
            )
            .attr("ipv6_cidr_block", computed("IPv6 network."))
            .attr(
                "ipv6_association_id",
                computed("Association of the IPv6 network."),
            )
            .attr("dhcp_options_id", computed("DHCP options set."))
            .attr("main_route_table_id", computed("Main route table."))
            .attr(
                "default_route_table_id",
                computed("Route table made with the VPC."),
            )
            .attr(
                "default_security_group_id",
                computed("Security group made with the VPC."),
            )
            .attr(
                "default_network_acl_id",
                computed("Network ACL made with the VPC."),
            );
        Schema::new(tagged(block))
    }

    fn validate(&self, config: &Value, found: &mut Diagnostics) {
        check::cidr_v4_between(config, "cidr_block", 16..=28, found);
        check::one_of(config, "instance_tenancy", &["default", "dedicated"], found);
        check::conflicts(config, &["cidr_block", "ipv4_netmask_length"], found);
        check::exactly_one(config, &["cidr_block", "ipv4_ipam_pool_id"], found);
    }

    async fn read(&self, aws: &Aws, known: &Value) -> Read {
        ec2::only(self.read_many(aws, std::slice::from_ref(known)).await)
    }

    async fn read_many(&self, aws: &Aws, known: &[Value]) -> Vec<Read> {
        let found = describe(aws, known).await;
        ec2::answer(known, found, |d, k| Some(view(aws, d, k)))
    }

    async fn create(&self, call: &Call<'_>, planned: &Value) -> Result<Value, Diagnostics> {
        let tags = call.tags.wanted(planned);
        let answer = call
            .ec2()
            .create_vpc()
            .set_cidr_block(string(planned, "cidr_block"))
            .set_ipv4_ipam_pool_id(string(planned, "ipv4_ipam_pool_id"))
            .set_ipv4_netmask_length(number(planned, "ipv4_netmask_length"))
            .set_amazon_provided_ipv6_cidr_block(
                planned.get_bool("assign_generated_ipv6_cidr_block"),
            )
            .set_instance_tenancy(planned.get_str("instance_tenancy").map(Tenancy::from))
            .set_tag_specifications(ec2::specification(ResourceType::Vpc, &tags))
            .send()
            .await
            .api(call, "ec2:CreateVpc")?;
        let id = answer
            .vpc()
            .and_then(|v| v.vpc_id())
            .unwrap_or_default()
            .to_owned();
        let made = planned.clone().with("id", Value::from(id.as_str()));
        call.accepted(&made).await?;
        call.until(&format!("VPC {id}"), || available(call, &id))
            .await?;
        let fresh = Value::object([("enable_dns_support", Value::from(true))]);
        set_attributes(call, &id, &fresh, planned).await?;
        Ok(made)
    }

    async fn update(
        &self,
        call: &Call<'_>,
        prior: &Value,
        planned: &Value,
    ) -> Result<(), Diagnostics> {
        let id = prior.get_str("id").unwrap_or_default();
        if changed(prior, planned, "instance_tenancy") {
            call.ec2()
                .modify_vpc_tenancy()
                .vpc_id(id)
                .instance_tenancy("default".into())
                .send()
                .await
                .api(call, "ec2:ModifyVpcTenancy")?;
        }
        set_attributes(call, id, prior, planned).await?;
        ec2::retag(call, id, prior, planned).await
    }

    async fn delete(&self, call: &Call<'_>, prior: &Value) -> Result<(), Diagnostics> {
        let id = prior.get_str("id").unwrap_or_default();
        ec2::remove(call, || async {
            call.ec2()
                .delete_vpc()
                .vpc_id(id)
                .send()
                .await
                .api(call, "ec2:DeleteVpc")
        })
        .await
    }

    async fn find(&self, aws: &Aws, planned: &Value, _token: &str) -> Result<Found, Diagnostics> {
        let tags = aws.tags.wanted(planned);
        let answer = aws
            .ec2()
            .describe_vpcs()
            .set_filters(Some(ec2::tag_filters(&tags)).filter(|f| !f.is_empty()))
            .send()
            .await
            .api(aws, "ec2:DescribeVpcs")?;
        let cidr = planned.get_str("cidr_block");
        let alike = answer
            .vpcs()
            .iter()
            .filter(|v| cidr.is_none() || v.cidr_block() == cidr)
            .map(|v| {
                (
                    v.vpc_id().unwrap_or_default().to_owned(),
                    ec2::tags(v.tags()),
                )
            });
        Ok(ec2::alike(alike.collect(), &tags))
    }
}

async fn available(aws: &Aws, id: &str) -> Result<Status<()>, Diagnostics> {
    let answer = aws
        .ec2()
        .describe_vpcs()
        .filters(ec2::filter("vpc-id", [id]))
        .send()
        .await
        .api(aws, "ec2:DescribeVpcs")?;
    let state = answer
        .vpcs()
        .first()
        .and_then(|v| v.state())
        .map(|s| s.as_str());
    Ok(match state {
        Some("available") => Status::Ready(()),
        other => Status::Pending(format!("VPC is {}", other.unwrap_or("not visible"))),
    })
}

/// Sets the attributes that have a call each. DNS support comes first: host names need it.
async fn set_attributes(
    aws: &Aws,
    id: &str,
    prior: &Value,
    planned: &Value,
) -> Result<(), Diagnostics> {
    for name in [
        "enable_dns_support",
        "enable_dns_hostnames",
        "enable_network_address_usage_metrics",
    ] {
        let Some(on) = planned
            .get_bool(name)
            .filter(|_| changed(prior, planned, name))
        else {
            continue;
        };
        let value = AttributeBooleanValue::builder().value(on).build();
        let call = aws.ec2().modify_vpc_attribute().vpc_id(id);
        let call = match name {
            "enable_dns_support" => call.enable_dns_support(value),
            "enable_dns_hostnames" => call.enable_dns_hostnames(value),
            _ => call.enable_network_address_usage_metrics(value),
        };
        call.send().await.api(aws, "ec2:ModifyVpcAttribute")?;
    }
    Ok(())
}

async fn describe(aws: &Aws, known: &[Value]) -> Result<HashMap<String, Details>, Diagnostics> {
    let mut found = HashMap::new();
    for ids in ec2::ids(known) {
        let by_vpc = || ec2::filter("vpc-id", ids.iter().map(String::as_str));
        let vpcs = aws
            .ec2()
            .describe_vpcs()
            .filters(by_vpc())
            .into_paginator()
            .items()
            .send();
        let vpcs = vpcs
            .collect::<Result<Vec<_>, _>>()
            .await
            .api(aws, "ec2:DescribeVpcs")?;
        if vpcs.is_empty() {
            continue;
        }
        let tables = aws
            .ec2()
            .describe_route_tables()
            .filters(by_vpc())
            .filters(ec2::filter("association.main", ["true"]))
            .into_paginator()
            .items()
            .send();
        let groups = aws
            .ec2()
            .describe_security_groups()
            .filters(by_vpc())
            .filters(ec2::filter("group-name", ["default"]))
            .into_paginator()
            .items()
            .send();
        let acls = aws
            .ec2()
            .describe_network_acls()
            .filters(by_vpc())
            .filters(ec2::filter("default", ["true"]))
            .into_paginator()
            .items()
            .send();
        let (tables, groups, acls) = futures::join!(
            tables.collect::<Result<Vec<_>, _>>(),
            groups.collect::<Result<Vec<_>, _>>(),
            acls.collect::<Result<Vec<_>, _>>(),
        );
        let tables = tables.api(aws, "ec2:DescribeRouteTables")?;
        let groups = groups.api(aws, "ec2:DescribeSecurityGroups")?;
        let acls = acls.api(aws, "ec2:DescribeNetworkAcls")?;
        for chunk in vpcs.chunks(10) {
            let attributes = chunk
                .iter()
                .map(|v| attributes(aws, v.vpc_id().unwrap_or_default()));
            let attributes = try_join_all(attributes).await?;
            for (vpc, [dns_support, dns_hostnames, usage_metrics]) in chunk.iter().zip(attributes) {
                let id = vpc.vpc_id();
                let details = Details {
                    vpc: vpc.clone(),
                    dns_support,
                    dns_hostnames,
                    usage_metrics,
                    main_route_table: tables
                        .iter()
                        .find(|t| t.vpc_id() == id)
                        .and_then(|t| t.route_table_id().map(str::to_owned)),
                    default_security_group: groups
                        .iter()
                        .find(|g| g.vpc_id() == id)
                        .and_then(|g| g.group_id().map(str::to_owned)),
                    default_network_acl: acls
                        .iter()
                        .find(|a| a.vpc_id() == id)
                        .and_then(|a| a.network_acl_id().map(str::to_owned)),
                };
                found.insert(id.unwrap_or_default().to_owned(), details);
            }
        }
    }
    Ok(found)
}

/// DNS support, DNS host names, usage metrics. A VPC that vanishes meanwhile has none of them.
async fn attributes(aws: &Aws, id: &str) -> Result<[Option<bool>; 3], Diagnostics> {
    let ask = |attribute| async move {
        aws.ec2()
            .describe_vpc_attribute()
            .vpc_id(id)
            .attribute(attribute)
            .send()
            .await
            .api(aws, "ec2:DescribeVpcAttribute")
    };
    let (support, names, metrics) = futures::try_join!(
        ask(VpcAttributeName::EnableDnsSupport),
        ask(VpcAttributeName::EnableDnsHostnames),
        ask(VpcAttributeName::EnableNetworkAddressUsageMetrics),
    )?;
    Ok([
        support.enable_dns_support().and_then(|a| a.value()),
        names.enable_dns_hostnames().and_then(|a| a.value()),
        metrics
            .enable_network_address_usage_metrics()
            .and_then(|a| a.value()),
    ])
}

fn view(aws: &Aws, details: &Details, known: &Value) -> Value {
    let vpc = &details.vpc;
    let id = vpc.vpc_id().unwrap_or_default();
    let ipv6 = vpc.ipv6_cidr_block_association_set().iter().find(|a| {
        a.ipv6_cidr_block_state()
            .and_then(|s| s.state())
            .is_some_and(|s| s.as_str() == "associated")
    });
    let default_table = known
        .get_str("default_route_table_id")
        .or(details.main_route_table.as_deref())
        .map(str::to_owned);
    let mut view = View::of(known);
    view.set("id", id)
        .set(
            "arn",
            aws.arn(
                "ec2",
                vpc.owner_id().unwrap_or_default(),
                &format!("vpc/{id}"),
            ),
        )
        .text("owner_id", vpc.owner_id())
        .text("cidr_block", vpc.cidr_block())
        .text(
            "instance_tenancy",
            vpc.instance_tenancy().map(|t| t.as_str()),
        )
        .flag("enable_dns_support", details.dns_support)
        .flag("enable_dns_hostnames", details.dns_hostnames)
        .flag(
            "enable_network_address_usage_metrics",
            details.usage_metrics,
        )
        .text("ipv6_cidr_block", ipv6.and_then(|a| a.ipv6_cidr_block()))
        .text("ipv6_association_id", ipv6.and_then(|a| a.association_id()))
        .text("dhcp_options_id", vpc.dhcp_options_id())
        .text("main_route_table_id", details.main_route_table.as_deref())
        .text("default_route_table_id", default_table.as_deref())
        .text(
            "default_security_group_id",
            details.default_security_group.as_deref(),
        )
        .text(
            "default_network_acl_id",
            details.default_network_acl.as_deref(),
        )
        .tags(aws, ec2::tags(vpc.tags()))
        .done()
}
