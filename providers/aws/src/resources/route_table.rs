//! `aws_route_table`: a VPC's route table, perhaps with its routes inline.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ec2::types::{ResourceType, RouteTable as Ec2Table};
use topo_sdk::{Attribute, Block, Diagnostics, NestedBlock, Nesting, Schema, Type, Value};

use crate::core::check;
use crate::core::clients::Aws;
use crate::core::contract::{Call, Found, Read, Resource};
use crate::core::ec2;
use crate::core::error::{OrGone, SdkResult};
use crate::core::routes::{self, Destination, TARGETS};
use crate::core::tags::tagged;
use crate::core::view::{View, blocks, changed, string, strings, text};
use crate::core::wait::persist;

/// The type.
pub(crate) struct RouteTable;

#[async_trait]
impl Resource for RouteTable {
    fn name(&self) -> &'static str {
        "aws_route_table"
    }

    fn schema(&self) -> Schema {
        let computed = |text| Attribute::computed(Type::String).describe(text);
        let to = |text| Attribute::optional(Type::String).describe(text);
        let route = Block::new()
            .describe("A route. Use either these or aws_route, not both.")
            .attr("cidr_block", to("IPv4 network that it leads to."))
            .attr("ipv6_cidr_block", to("IPv6 network that it leads to."))
            .attr(
                "destination_prefix_list_id",
                to("Prefix list that it leads to."),
            );
        let route = TARGETS
            .iter()
            .fold(route, |b, name| b.attr(name, to("Where it leads through.")));
        let block = Block::new()
            .describe("A VPC's route table.")
            .attr("id", computed("Id of the table."))
            .attr("arn", computed("ARN of the table."))
            .attr("owner_id", computed("Account that owns the table."))
            .attr(
                "vpc_id",
                Attribute::required(Type::String)
                    .force_new()
                    .describe("VPC of the table."),
            )
            .attr(
                "propagating_vgws",
                Attribute::optional_computed(Type::set(Type::String))
                    .describe("Virtual private gateways whose routes are taken over."),
            )
            .block("route", NestedBlock::new(Nesting::Set, route).computed());
        let minutes = Duration::from_secs(5 * 60);
        Schema::new(tagged(block)).timeouts([
            ("create", minutes),
            ("update", minutes),
            ("delete", minutes),
        ])
    }

    fn validate(&self, config: &Value, found: &mut Diagnostics) {
        for route in blocks(config, "route") {
            check::exactly_one(
                route,
                &[
                    "cidr_block",
                    "ipv6_cidr_block",
                    "destination_prefix_list_id",
                ],
                found,
            );
            check::exactly_one(route, &TARGETS, found);
            check::cidr(route, "cidr_block", found);
            check::cidr(route, "ipv6_cidr_block", found);
        }
    }

    async fn read(&self, aws: &Aws, known: &Value) -> Read {
        ec2::only(self.read_many(aws, std::slice::from_ref(known)).await)
    }

    async fn read_many(&self, aws: &Aws, known: &[Value]) -> Vec<Read> {
        let found = describe(aws, known).await;
        ec2::answer(known, found, |t, k| Some(view(aws, t, k)))
    }

    async fn create(&self, call: &Call<'_>, planned: &Value) -> Result<Value, Diagnostics> {
        let tags = call.tags.wanted(planned);
        let answer = call
            .ec2()
            .create_route_table()
            .client_token(call.token())
            .set_vpc_id(string(planned, "vpc_id"))
            .set_tag_specifications(ec2::specification(ResourceType::RouteTable, &tags))
            .send()
            .await
            .api(call, "ec2:CreateRouteTable")?;
        let id = answer
            .route_table()
            .and_then(|t| t.route_table_id())
            .unwrap_or_default();
        let made = planned.clone().with("id", Value::from(id));
        call.accepted(&made).await?;
        for gateway in strings(planned, "propagating_vgws") {
            propagate(call, id, &gateway, true).await?;
        }
        for route in blocks(planned, "route") {
            put(call, id, route).await?;
        }
        Ok(made)
    }

    async fn update(
        &self,
        call: &Call<'_>,
        prior: &Value,
        planned: &Value,
    ) -> Result<(), Diagnostics> {
        let id = prior.get_str("id").unwrap_or_default();
        if changed(prior, planned, "propagating_vgws") {
            let (old, new) = (
                strings(prior, "propagating_vgws"),
                strings(planned, "propagating_vgws"),
            );
            for gateway in old.iter().filter(|g| !new.contains(g)) {
                propagate(call, id, gateway, false).await?;
            }
            for gateway in new.iter().filter(|g| !old.contains(g)) {
                propagate(call, id, gateway, true).await?;
            }
        }
        if changed(prior, planned, "route") {
            let (old, new) = (blocks(prior, "route"), blocks(planned, "route"));
            for route in old {
                if !new.iter().any(|n| destination(n) == destination(route)) {
                    routes::delete(call, id, &destination(route)).await?;
                }
            }
            for route in new.iter().filter(|n| !old.contains(n)) {
                let to = destination(route);
                if old.iter().any(|o| destination(o) == to) {
                    routes::replace(call, id, &to, route).await?;
                } else {
                    put(call, id, route).await?;
                }
            }
        }
        ec2::retag(call, id, prior, planned).await
    }

    async fn delete(&self, call: &Call<'_>, prior: &Value) -> Result<(), Diagnostics> {
        let id = prior.get_str("id").unwrap_or_default();
        // What is still associated goes with the table; the associations' own deletions find
        // nothing left to do.
        let found = describe(call, std::slice::from_ref(prior)).await?;
        for association in found.get(id).into_iter().flat_map(|t| t.associations()) {
            if let Some(a) = association.route_table_association_id() {
                let gone = call
                    .ec2()
                    .disassociate_route_table()
                    .association_id(a)
                    .send()
                    .await;
                gone.api(call, "ec2:DisassociateRouteTable").or_gone()?;
            }
        }
        ec2::remove(call, || async {
            call.ec2()
                .delete_route_table()
                .route_table_id(id)
                .send()
                .await
                .api(call, "ec2:DeleteRouteTable")
        })
        .await
    }

    async fn find(&self, aws: &Aws, planned: &Value, _token: &str) -> Result<Found, Diagnostics> {
        let Some(vpc) = planned.get_str("vpc_id") else {
            return Ok(Found::Sure(None));
        };
        let answer = aws
            .ec2()
            .describe_route_tables()
            .filters(ec2::filter("vpc-id", [vpc]))
            .send()
            .await
            .api(aws, "ec2:DescribeRouteTables")?;
        let main = |t: &Ec2Table| t.associations().iter().any(|a| a.main() == Some(true));
        let alike = answer.route_tables().iter().filter(|t| !main(t));
        let alike = alike.map(|t| {
            (
                t.route_table_id().unwrap_or_default().to_owned(),
                ec2::tags(t.tags()),
            )
        });
        Ok(ec2::alike(alike.collect(), &aws.tags.wanted(planned)))
    }
}

fn destination(route: &Value) -> Destination {
    Destination {
        v4: string(route, "cidr_block"),
        v6: string(route, "ipv6_cidr_block"),
        prefix_list: string(route, "destination_prefix_list_id"),
    }
}

async fn put(call: &Call<'_>, table: &str, route: &Value) -> Result<(), Diagnostics> {
    let to = destination(route);
    persist(call.propagation(), routes::is_not_visible, || {
        routes::create(call, table, &to, route)
    })
    .await?;
    Ok(())
}

async fn propagate(aws: &Aws, table: &str, gateway: &str, on: bool) -> Result<(), Diagnostics> {
    if on {
        let call = aws
            .ec2()
            .enable_vgw_route_propagation()
            .route_table_id(table)
            .gateway_id(gateway);
        call.send()
            .await
            .api(aws, "ec2:EnableVgwRoutePropagation")?;
    } else {
        let call = aws
            .ec2()
            .disable_vgw_route_propagation()
            .route_table_id(table)
            .gateway_id(gateway);
        call.send()
            .await
            .api(aws, "ec2:DisableVgwRoutePropagation")?;
    }
    Ok(())
}

async fn describe(aws: &Aws, known: &[Value]) -> Result<HashMap<String, Ec2Table>, Diagnostics> {
    let mut found = HashMap::new();
    for ids in ec2::ids(known) {
        let by_id = ec2::filter("route-table-id", ids);
        let items = aws
            .ec2()
            .describe_route_tables()
            .filters(by_id)
            .into_paginator()
            .items()
            .send();
        let items = items
            .collect::<Result<Vec<_>, _>>()
            .await
            .api(aws, "ec2:DescribeRouteTables")?;
        found.extend(
            items
                .into_iter()
                .filter_map(|t| Some((t.route_table_id()?.to_owned(), t))),
        );
    }
    Ok(found)
}

fn view(aws: &Aws, table: &Ec2Table, known: &Value) -> Value {
    let id = table.route_table_id().unwrap_or_default();
    let owner = table.owner_id().unwrap_or_default();
    let made = table.routes().iter().filter(|r| routes::is_made(r));
    let made = made.map(|r| {
        let to = Destination::of(r);
        let ends = [
            ("cidr_block", text(to.v4.as_deref())),
            ("ipv6_cidr_block", text(to.v6.as_deref())),
            (
                "destination_prefix_list_id",
                text(to.prefix_list.as_deref()),
            ),
        ];
        let targets = TARGETS.map(|name| (name, text(routes::target(r, name))));
        Value::object(ends.into_iter().chain(targets))
    });
    let gateways = table
        .propagating_vgws()
        .iter()
        .filter_map(|g| g.gateway_id());
    View::of(known)
        .set("id", id)
        .set("arn", aws.arn("ec2", owner, &format!("route-table/{id}")))
        .text("owner_id", table.owner_id())
        .text("vpc_id", table.vpc_id())
        .all_texts("propagating_vgws", gateways)
        .set("route", Value::tuple(made.collect()))
        .tags(aws, ec2::tags(table.tags()))
        .done()
}
