//! `aws_nat_gateway`: lets a private subnet reach out.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ec2::types::{ConnectivityType, NatGateway as Ec2Nat, NatGatewayState, ResourceType};
use topo_sdk::{Attribute, Block, Diagnostics, Schema, Type, Value};

use crate::core::check;
use crate::core::clients::Aws;
use crate::core::contract::{Call, Found, Read, Resource, Watch};
use crate::core::ec2;
use crate::core::error::{OrGone, SdkResult};
use crate::core::tags::tagged;
use crate::core::view::{View, number, some_strings, string};
use crate::core::wait::Status;

/// The type.
pub(crate) struct NatGateway;

#[async_trait]
impl Resource for NatGateway {
    fn name(&self) -> &'static str {
        "aws_nat_gateway"
    }

    fn schema(&self) -> Schema {
        let computed = |text| Attribute::computed(Type::String).describe(text);
        let texts = |text| {
            Attribute::optional_computed(Type::set(Type::String))
                .force_new()
                .describe(text)
        };
        let block = Block::new()
            .describe("Lets a private subnet reach out.")
            .attr("id", computed("Id of the gateway."))
            .attr(
                "allocation_id",
                Attribute::optional(Type::String)
                    .force_new()
                    .describe("Elastic IP of a public gateway."),
            )
            .attr("association_id", computed("Association of the elastic IP."))
            .attr(
                "connectivity_type",
                Attribute::optional(Type::String)
                    .default("public")
                    .force_new()
                    .describe("public or private."),
            )
            .attr(
                "network_interface_id",
                computed("Network interface of the gateway."),
            )
            .attr(
                "private_ip",
                Attribute::optional_computed(Type::String)
                    .force_new()
                    .describe("Private address of the gateway."),
            )
            .attr("public_ip", computed("Public address of the gateway."))
            .attr(
                "secondary_allocation_ids",
                Attribute::optional(Type::set(Type::String))
                    .force_new()
                    .describe("Further elastic IPs."),
            )
            .attr(
                "secondary_private_ip_address_count",
                Attribute::optional_computed(Type::Number)
                    .force_new()
                    .describe("How many further private addresses."),
            )
            .attr(
                "secondary_private_ip_addresses",
                texts("Further private addresses."),
            )
            .attr(
                "subnet_id",
                Attribute::required(Type::String)
                    .force_new()
                    .describe("Subnet of the gateway."),
            );
        let minutes = |m: u64| Duration::from_secs(m * 60);
        Schema::new(tagged(block)).timeouts([
            ("create", minutes(10)),
            ("update", minutes(10)),
            ("delete", minutes(30)),
        ])
    }

    fn validate(&self, config: &Value, found: &mut Diagnostics) {
        check::one_of(config, "connectivity_type", &["public", "private"], found);
        let private = config.get_str("connectivity_type") == Some("private");
        let public = matches!(config.get_str("connectivity_type"), Some("public"))
            || config.get("connectivity_type").is_none_or(Value::is_null);
        let allocated = config.get("allocation_id").is_some_and(|v| !v.is_null());
        let path = topo_sdk::Path::attribute("allocation_id");
        if private && allocated {
            found.push(check::invalid(path, "A private gateway has no elastic IP"));
        } else if public && !allocated {
            found.push(check::invalid(path, "A public gateway needs an elastic IP"));
        }
    }

    async fn read(&self, aws: &Aws, known: &Value) -> Read {
        ec2::only(self.read_many(aws, std::slice::from_ref(known)).await)
    }

    async fn read_many(&self, aws: &Aws, known: &[Value]) -> Vec<Read> {
        let found = describe(aws, known).await;
        ec2::answer(known, found, |g, k| {
            let gone = matches!(
                g.state(),
                Some(NatGatewayState::Deleted | NatGatewayState::Deleting)
            );
            (!gone).then(|| view(aws, g, k))
        })
    }

    async fn create(&self, call: &Call<'_>, planned: &Value) -> Result<Value, Diagnostics> {
        let tags = call.tags.wanted(planned);
        let answer = call
            .ec2()
            .create_nat_gateway()
            .client_token(call.token())
            .set_subnet_id(string(planned, "subnet_id"))
            .set_allocation_id(string(planned, "allocation_id"))
            .set_connectivity_type(
                planned
                    .get_str("connectivity_type")
                    .map(ConnectivityType::from),
            )
            .set_private_ip_address(string(planned, "private_ip"))
            .set_secondary_allocation_ids(some_strings(planned, "secondary_allocation_ids"))
            .set_secondary_private_ip_addresses(some_strings(
                planned,
                "secondary_private_ip_addresses",
            ))
            .set_secondary_private_ip_address_count(number(
                planned,
                "secondary_private_ip_address_count",
            ))
            .set_tag_specifications(ec2::specification(ResourceType::Natgateway, &tags))
            .send()
            .await
            .api(call, "ec2:CreateNatGateway")?;
        let id = answer
            .nat_gateway()
            .and_then(|g| g.nat_gateway_id())
            .unwrap_or_default();
        let made = planned.clone().with("id", Value::from(id));
        call.accepted(&made).await?;
        call.until(&format!("NAT gateway {id}"), || available(call, id))
            .await?;
        Ok(made)
    }

    async fn update(
        &self,
        call: &Call<'_>,
        prior: &Value,
        planned: &Value,
    ) -> Result<(), Diagnostics> {
        ec2::retag(
            call,
            prior.get_str("id").unwrap_or_default(),
            prior,
            planned,
        )
        .await
    }

    async fn delete(&self, call: &Call<'_>, prior: &Value) -> Result<(), Diagnostics> {
        let id = prior.get_str("id").unwrap_or_default();
        let deleted = call
            .ec2()
            .delete_nat_gateway()
            .nat_gateway_id(id)
            .send()
            .await;
        if deleted
            .api(call, "ec2:DeleteNatGateway")
            .or_gone()?
            .is_none()
        {
            return Ok(());
        }
        call.until(&format!("the deletion of NAT gateway {id}"), || async {
            Ok(match state(call, id).await? {
                None | Some(NatGatewayState::Deleted) => Status::Ready(()),
                Some(other) => Status::Pending(format!("NAT gateway is {}", other.as_str())),
            })
        })
        .await
    }

    async fn find(&self, aws: &Aws, planned: &Value, _token: &str) -> Result<Found, Diagnostics> {
        let Some(subnet) = planned.get_str("subnet_id") else {
            return Ok(Found::Sure(None));
        };
        let answer = aws
            .ec2()
            .describe_nat_gateways()
            .filter(ec2::filter("subnet-id", [subnet]))
            .filter(ec2::filter("state", ["pending", "available"]))
            .send()
            .await
            .api(aws, "ec2:DescribeNatGateways")?;
        let allocation = planned.get_str("allocation_id");
        // An elastic IP is on one gateway at most.
        if let Some(allocation) = allocation {
            let one = answer.nat_gateways().iter().find(|g| {
                g.nat_gateway_addresses()
                    .iter()
                    .any(|a| a.allocation_id() == Some(allocation))
            });
            let id = one.and_then(|g| g.nat_gateway_id());
            if let Some(id) = id {
                return Ok(Found::Sure(Some(Value::object([("id", Value::from(id))]))));
            }
        }
        let alike = answer.nat_gateways().iter();
        let alike = alike.map(|g| {
            (
                g.nat_gateway_id().unwrap_or_default().to_owned(),
                ec2::tags(g.tags()),
            )
        });
        Ok(ec2::alike(alike.collect(), &aws.tags.wanted(planned)))
    }

    async fn settle(&self, watch: &Watch<'_>, known: &Value) -> Result<(), Diagnostics> {
        let id = known.get_str("id").unwrap_or_default();
        watch
            .until(&format!("NAT gateway {id}"), || available(watch.aws, id))
            .await
    }
}

async fn one(aws: &Aws, id: &str) -> Result<Option<Ec2Nat>, Diagnostics> {
    let answer = aws
        .ec2()
        .describe_nat_gateways()
        .nat_gateway_ids(id)
        .send()
        .await;
    let answer = answer.api(aws, "ec2:DescribeNatGateways").or_gone()?;
    Ok(answer.and_then(|a| a.nat_gateways.unwrap_or_default().into_iter().next()))
}

async fn state(aws: &Aws, id: &str) -> Result<Option<NatGatewayState>, Diagnostics> {
    Ok(one(aws, id).await?.and_then(|g| g.state().cloned()))
}

async fn available(aws: &Aws, id: &str) -> Result<Status<()>, Diagnostics> {
    let Some(gateway) = one(aws, id).await? else {
        return Ok(Status::Pending("NAT gateway is not visible".into()));
    };
    Ok(match gateway.state() {
        Some(NatGatewayState::Available) => Status::Ready(()),
        Some(NatGatewayState::Failed | NatGatewayState::Deleted | NatGatewayState::Deleting) => {
            Status::Failed(Diagnostics::error(
                format!("NAT gateway {id} failed"),
                format!(
                    "{} ({}).",
                    gateway.failure_message().unwrap_or("AWS gives no reason"),
                    gateway.failure_code().unwrap_or("no code"),
                ),
            ))
        }
        other => Status::Pending(format!(
            "NAT gateway is {}",
            other.map_or("pending", |s| s.as_str())
        )),
    })
}

async fn describe(aws: &Aws, known: &[Value]) -> Result<HashMap<String, Ec2Nat>, Diagnostics> {
    let mut found = HashMap::new();
    for ids in ec2::ids(known) {
        let by_id = ec2::filter("nat-gateway-id", ids);
        let items = aws
            .ec2()
            .describe_nat_gateways()
            .filter(by_id)
            .into_paginator()
            .items()
            .send();
        let items = items
            .collect::<Result<Vec<_>, _>>()
            .await
            .api(aws, "ec2:DescribeNatGateways")?;
        found.extend(
            items
                .into_iter()
                .filter_map(|g| Some((g.nat_gateway_id()?.to_owned(), g))),
        );
    }
    Ok(found)
}

fn view(aws: &Aws, gateway: &Ec2Nat, known: &Value) -> Value {
    let addresses = gateway.nat_gateway_addresses();
    let primary = addresses
        .iter()
        .find(|a| a.is_primary() == Some(true))
        .or(addresses.first());
    let others = || addresses.iter().filter(|a| a.is_primary() == Some(false));
    let count = i32::try_from(others().count()).ok();
    View::of(known)
        .set("id", gateway.nat_gateway_id().unwrap_or_default())
        .text(
            "connectivity_type",
            gateway.connectivity_type().map(|c| c.as_str()),
        )
        .text("subnet_id", gateway.subnet_id())
        .text_or_kept("allocation_id", primary.and_then(|a| a.allocation_id()))
        .text_or_kept("association_id", primary.and_then(|a| a.association_id()))
        .text_or_kept(
            "network_interface_id",
            primary.and_then(|a| a.network_interface_id()),
        )
        .text_or_kept("private_ip", primary.and_then(|a| a.private_ip()))
        .text_or_kept("public_ip", primary.and_then(|a| a.public_ip()))
        .texts(
            "secondary_allocation_ids",
            others().filter_map(|a| a.allocation_id()),
        )
        .all_texts(
            "secondary_private_ip_addresses",
            others().filter_map(|a| a.private_ip()),
        )
        .int("secondary_private_ip_address_count", count)
        .tags(aws, ec2::tags(gateway.tags()))
        .done()
}
