//! `aws_subnet`: a part of a VPC in one availability zone.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_ec2::types::{AttributeBooleanValue, HostnameType, ResourceType, Subnet as Ec2Subnet};
use topo_sdk::{Attribute, Block, Diagnostics, Schema, Type, Value};

use crate::core::check;
use crate::core::clients::Aws;
use crate::core::contract::{Call, Found, Read, Resource};
use crate::core::ec2;
use crate::core::error::SdkResult;
use crate::core::tags::tagged;
use crate::core::view::{View, changed, string};
use crate::core::wait::Status;

/// The type.
pub(crate) struct Subnet;

/// Flags that a new subnet has off and that have a call each.
const FLAGS: [&str; 5] = [
    "map_public_ip_on_launch",
    "assign_ipv6_address_on_creation",
    "enable_dns64",
    "enable_resource_name_dns_a_record_on_launch",
    "enable_resource_name_dns_aaaa_record_on_launch",
];

#[async_trait]
impl Resource for Subnet {
    fn name(&self) -> &'static str {
        "aws_subnet"
    }

    fn schema(&self) -> Schema {
        let computed = |text| Attribute::computed(Type::String).describe(text);
        let zone = |text| {
            Attribute::optional_computed(Type::String)
                .force_new()
                .describe(text)
        };
        let flag = |text| {
            Attribute::optional(Type::Bool)
                .default(false)
                .describe(text)
        };
        let fixed = |text| Attribute::optional(Type::String).force_new().describe(text);
        let block = Block::new()
            .describe("A subnet of a VPC.")
            .attr("id", computed("Id of the subnet."))
            .attr("arn", computed("ARN of the subnet."))
            .attr("owner_id", computed("Account that owns the subnet."))
            .attr(
                "vpc_id",
                Attribute::required(Type::String)
                    .force_new()
                    .describe("VPC of the subnet."),
            )
            .attr("cidr_block", fixed("IPv4 network, /16 to /28."))
            .attr("ipv6_cidr_block", fixed("IPv6 network."))
            .attr("ipv6_native", flag("IPv6 only.").force_new())
            .attr(
                "ipv6_cidr_block_association_id",
                computed("Association of the IPv6 network."),
            )
            .attr("availability_zone", zone("Availability zone by name."))
            .attr("availability_zone_id", zone("Availability zone by id."))
            .attr("outpost_arn", fixed("Outpost to make it on."))
            .attr(
                "map_public_ip_on_launch",
                flag("Give new interfaces a public address."),
            )
            .attr(
                "assign_ipv6_address_on_creation",
                flag("Give new interfaces an IPv6 address."),
            )
            .attr(
                "enable_dns64",
                flag("Synthesise IPv6 answers for IPv4-only names."),
            )
            .attr(
                "enable_resource_name_dns_a_record_on_launch",
                flag("Answer resource names with A records."),
            )
            .attr(
                "enable_resource_name_dns_aaaa_record_on_launch",
                flag("Answer resource names with AAAA records."),
            )
            .attr(
                "private_dns_hostname_type_on_launch",
                Attribute::optional_computed(Type::String).describe("ip-name or resource-name."),
            );
        Schema::new(tagged(block))
    }

    fn validate(&self, config: &Value, found: &mut Diagnostics) {
        check::cidr_v4_between(config, "cidr_block", 16..=28, found);
        check::cidr(config, "ipv6_cidr_block", found);
        check::conflicts(
            config,
            &["availability_zone", "availability_zone_id"],
            found,
        );
        check::one_of(
            config,
            "private_dns_hostname_type_on_launch",
            &["ip-name", "resource-name"],
            found,
        );
    }

    async fn read(&self, aws: &Aws, known: &Value) -> Read {
        ec2::only(self.read_many(aws, std::slice::from_ref(known)).await)
    }

    async fn read_many(&self, aws: &Aws, known: &[Value]) -> Vec<Read> {
        let found = describe(aws, known).await;
        ec2::answer(known, found, |s, k| Some(view(aws, s, k)))
    }

    async fn create(&self, call: &Call<'_>, planned: &Value) -> Result<Value, Diagnostics> {
        let tags = call.tags.wanted(planned);
        let answer = call
            .ec2()
            .create_subnet()
            .set_vpc_id(string(planned, "vpc_id"))
            .set_cidr_block(string(planned, "cidr_block"))
            .set_ipv6_cidr_block(string(planned, "ipv6_cidr_block"))
            .set_ipv6_native(planned.get_bool("ipv6_native").filter(|n| *n))
            .set_availability_zone(string(planned, "availability_zone"))
            .set_availability_zone_id(string(planned, "availability_zone_id"))
            .set_outpost_arn(string(planned, "outpost_arn"))
            .set_tag_specifications(ec2::specification(ResourceType::Subnet, &tags))
            .send()
            .await
            .api(call, "ec2:CreateSubnet")?;
        let id = answer
            .subnet()
            .and_then(|s| s.subnet_id())
            .unwrap_or_default()
            .to_owned();
        let made = planned.clone().with("id", Value::from(id.as_str()));
        call.accepted(&made).await?;
        call.until(&format!("subnet {id}"), || available(call, &id))
            .await?;
        let fresh = Value::object(FLAGS.map(|f| (f, Value::from(false))));
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
        set_attributes(call, id, prior, planned).await?;
        ec2::retag(call, id, prior, planned).await
    }

    async fn delete(&self, call: &Call<'_>, prior: &Value) -> Result<(), Diagnostics> {
        let id = prior.get_str("id").unwrap_or_default();
        ec2::remove(call, || async {
            call.ec2()
                .delete_subnet()
                .subnet_id(id)
                .send()
                .await
                .api(call, "ec2:DeleteSubnet")
        })
        .await
    }

    async fn find(&self, aws: &Aws, planned: &Value, _token: &str) -> Result<Found, Diagnostics> {
        // Networks of a VPC's subnets do not overlap: VPC and network name one subnet at most.
        let (Some(vpc), Some(cidr)) = (planned.get_str("vpc_id"), planned.get_str("cidr_block"))
        else {
            return Ok(Found::Sure(None));
        };
        let answer = aws
            .ec2()
            .describe_subnets()
            .filters(ec2::filter("vpc-id", [vpc]))
            .send()
            .await
            .api(aws, "ec2:DescribeSubnets")?;
        let tags = aws.tags.wanted(planned);
        let same = answer
            .subnets()
            .iter()
            .find(|s| s.cidr_block() == Some(cidr));
        Ok(match same {
            Some(s) => ec2::alike(
                vec![(
                    s.subnet_id().unwrap_or_default().into(),
                    ec2::tags(s.tags()),
                )],
                &tags,
            ),
            None => Found::Sure(None),
        })
    }
}

async fn available(aws: &Aws, id: &str) -> Result<Status<()>, Diagnostics> {
    let answer = aws
        .ec2()
        .describe_subnets()
        .filters(ec2::filter("subnet-id", [id]))
        .send()
        .await
        .api(aws, "ec2:DescribeSubnets")?;
    let state = answer
        .subnets()
        .first()
        .and_then(|s| s.state())
        .map(|s| s.as_str());
    Ok(match state {
        Some("available") => Status::Ready(()),
        other => Status::Pending(format!("subnet is {}", other.unwrap_or("not visible"))),
    })
}

/// The API takes one attribute per call.
async fn set_attributes(
    aws: &Aws,
    id: &str,
    prior: &Value,
    planned: &Value,
) -> Result<(), Diagnostics> {
    for name in FLAGS {
        let Some(on) = planned
            .get_bool(name)
            .filter(|_| changed(prior, planned, name))
        else {
            continue;
        };
        let value = AttributeBooleanValue::builder().value(on).build();
        let call = aws.ec2().modify_subnet_attribute().subnet_id(id);
        let call = match name {
            "map_public_ip_on_launch" => call.map_public_ip_on_launch(value),
            "assign_ipv6_address_on_creation" => call.assign_ipv6_address_on_creation(value),
            "enable_dns64" => call.enable_dns64(value),
            "enable_resource_name_dns_a_record_on_launch" => {
                call.enable_resource_name_dns_a_record_on_launch(value)
            }
            _ => call.enable_resource_name_dns_aaaa_record_on_launch(value),
        };
        call.send().await.api(aws, "ec2:ModifySubnetAttribute")?;
    }
    let kind = "private_dns_hostname_type_on_launch";
    if let Some(name) = planned
        .get_str(kind)
        .filter(|_| changed(prior, planned, kind))
    {
        aws.ec2()
            .modify_subnet_attribute()
            .subnet_id(id)
            .private_dns_hostname_type_on_launch(HostnameType::from(name))
            .send()
            .await
            .api(aws, "ec2:ModifySubnetAttribute")?;
    }
    Ok(())
}

async fn describe(aws: &Aws, known: &[Value]) -> Result<HashMap<String, Ec2Subnet>, Diagnostics> {
    let mut found = HashMap::new();
    for ids in ec2::ids(known) {
        let items = aws
            .ec2()
            .describe_subnets()
            .filters(ec2::filter("subnet-id", ids))
            .into_paginator()
            .items()
            .send();
        let items = items
            .collect::<Result<Vec<_>, _>>()
            .await
            .api(aws, "ec2:DescribeSubnets")?;
        found.extend(
            items
                .into_iter()
                .filter_map(|s| Some((s.subnet_id()?.to_owned(), s))),
        );
    }
    Ok(found)
}

fn view(aws: &Aws, subnet: &Ec2Subnet, known: &Value) -> Value {
    let id = subnet.subnet_id().unwrap_or_default();
    let arn = subnet.subnet_arn().map_or_else(
        || {
            aws.arn(
                "ec2",
                subnet.owner_id().unwrap_or_default(),
                &format!("subnet/{id}"),
            )
        },
        str::to_owned,
    );
    let ipv6 = subnet.ipv6_cidr_block_association_set().iter().find(|a| {
        a.ipv6_cidr_block_state()
            .and_then(|s| s.state())
            .is_some_and(|s| s.as_str() == "associated")
    });
    let names = subnet.private_dns_name_options_on_launch();
    View::of(known)
        .set("id", id)
        .set("arn", arn)
        .text("owner_id", subnet.owner_id())
        .text("vpc_id", subnet.vpc_id())
        .text("cidr_block", subnet.cidr_block())
        .text("ipv6_cidr_block", ipv6.and_then(|a| a.ipv6_cidr_block()))
        .text(
            "ipv6_cidr_block_association_id",
            ipv6.and_then(|a| a.association_id()),
        )
        .flag("ipv6_native", subnet.ipv6_native())
        .text("availability_zone", subnet.availability_zone())
        .text("availability_zone_id", subnet.availability_zone_id())
        .text("outpost_arn", subnet.outpost_arn())
        .flag("map_public_ip_on_launch", subnet.map_public_ip_on_launch())
        .flag(
            "assign_ipv6_address_on_creation",
            subnet.assign_ipv6_address_on_creation(),
        )
        .flag("enable_dns64", subnet.enable_dns64())
        .flag(
            "enable_resource_name_dns_a_record_on_launch",
            names.and_then(|n| n.enable_resource_name_dns_a_record()),
        )
        .flag(
            "enable_resource_name_dns_aaaa_record_on_launch",
            names.and_then(|n| n.enable_resource_name_dns_aaaa_record()),
        )
        .text(
            "private_dns_hostname_type_on_launch",
            names.and_then(|n| n.hostname_type()).map(|t| t.as_str()),
        )
        .tags(aws, ec2::tags(subnet.tags()))
        .done()
}
