//! `aws_route`: one route of a route table.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ec2::types::{Route as Ec2Route, RouteTable};
use topo_sdk::{Attribute, Block, Diagnostics, Schema, Type, Value};

use crate::core::check;
use crate::core::clients::Aws;
use crate::core::contract::{Call, Found, Read, Resource};
use crate::core::ec2;
use crate::core::error::SdkResult;
use crate::core::routes::{self, Destination, TARGETS};
use crate::core::view::{View, string};
use crate::core::wait::persist;

/// The type.
pub(crate) struct Route;

#[async_trait]
impl Resource for Route {
    fn name(&self) -> &'static str {
        "aws_route"
    }

    fn schema(&self) -> Schema {
        let computed = |text| Attribute::computed(Type::String).describe(text);
        let to = |text| Attribute::optional(Type::String).force_new().describe(text);
        let block = Block::new()
            .describe("One route of a route table.")
            .attr("id", computed("Id made of the table and the destination."))
            .attr(
                "route_table_id",
                Attribute::required(Type::String)
                    .force_new()
                    .describe("Route table."),
            )
            .attr(
                "destination_cidr_block",
                to("IPv4 network that it leads to."),
            )
            .attr(
                "destination_ipv6_cidr_block",
                to("IPv6 network that it leads to."),
            )
            .attr(
                "destination_prefix_list_id",
                to("Prefix list that it leads to."),
            )
            .attr("instance_id", computed("Instance that it leads through."))
            .attr("instance_owner_id", computed("Account of that instance."))
            .attr("origin", computed("How the route came to be."))
            .attr("state", computed("active or blackhole."));
        let block = TARGETS.iter().fold(block, |b, name| {
            // An interface can be known without having been named: that of an instance.
            let target = if *name == "network_interface_id" {
                Attribute::optional_computed(Type::String)
            } else {
                Attribute::optional(Type::String)
            };
            b.attr(name, target.describe("Where it leads through."))
        });
        let minutes = Duration::from_secs(5 * 60);
        Schema::new(block).timeouts([
            ("create", minutes),
            ("update", minutes),
            ("delete", minutes),
        ])
    }

    fn validate(&self, config: &Value, found: &mut Diagnostics) {
        check::exactly_one(
            config,
            &[
                "destination_cidr_block",
                "destination_ipv6_cidr_block",
                "destination_prefix_list_id",
            ],
            found,
        );
        check::exactly_one(config, &TARGETS, found);
        check::cidr(config, "destination_cidr_block", found);
        check::cidr(config, "destination_ipv6_cidr_block", found);
    }

    fn from_id(&self, id: &str) -> Result<Value, String> {
        let (table, to) = id
            .split_once('_')
            .ok_or("ROUTE-TABLE-ID_DESTINATION, such as rtb-656C65616E6F72_10.42.0.0/16")?;
        let kind = match to {
            to if to.starts_with("pl-") => "destination_prefix_list_id",
            to if to.contains(':') => "destination_ipv6_cidr_block",
            _ => "destination_cidr_block",
        };
        Ok(Value::object([
            ("route_table_id", Value::from(table)),
            (kind, Value::from(to)),
        ]))
    }

    async fn read(&self, aws: &Aws, known: &Value) -> Read {
        ec2::only(self.read_many(aws, std::slice::from_ref(known)).await)
    }

    async fn read_many(&self, aws: &Aws, known: &[Value]) -> Vec<Read> {
        let tables = tables(aws, known).await;
        let answers = known.iter().map(|k| match &tables {
            Err(failed) => Err(failed.clone()),
            Ok(tables) => Ok(route_in(tables, k).map(|route| view(&route, k))),
        });
        answers.collect()
    }

    async fn create(&self, call: &Call<'_>, planned: &Value) -> Result<Value, Diagnostics> {
        let table = planned.get_str("route_table_id").unwrap_or_default();
        let to = destination(planned);
        persist(call.propagation(), routes::is_not_visible, || {
            routes::create(call, table, &to, planned)
        })
        .await?;
        let made = planned.clone().with("id", Value::from(id(table, &to)));
        call.accepted(&made).await?;
        Ok(made)
    }

    async fn update(
        &self,
        call: &Call<'_>,
        prior: &Value,
        planned: &Value,
    ) -> Result<(), Diagnostics> {
        let table = prior.get_str("route_table_id").unwrap_or_default();
        let to = destination(prior);
        persist(call.propagation(), routes::is_not_visible, || {
            routes::replace(call, table, &to, planned)
        })
        .await?;
        Ok(())
    }

    async fn delete(&self, call: &Call<'_>, prior: &Value) -> Result<(), Diagnostics> {
        let table = prior.get_str("route_table_id").unwrap_or_default();
        routes::delete(call, table, &destination(prior)).await
    }

    async fn find(&self, aws: &Aws, planned: &Value, _token: &str) -> Result<Found, Diagnostics> {
        let same_target = |route: &Ec2Route| {
            TARGETS.iter().all(|t| {
                let wanted = planned.get_str(t);
                wanted.is_none() || wanted == routes::target(route, t)
            })
        };
        let tables = tables(aws, std::slice::from_ref(planned)).await?;
        let found = route_in(&tables, planned).filter(same_target);
        Ok(Found::Sure(found.map(|_| planned.clone())))
    }
}

/// The provider's own id of a route; the destination is hashed as hashicorp/aws does
/// (`r-TABLE` and the CRC-32 of the destination), so that a state made by either reads the same.
fn id(table: &str, to: &Destination) -> String {
    format!("r-{table}{}", routes::crc32(to.text().as_bytes()))
}

fn destination(object: &Value) -> Destination {
    Destination {
        v4: string(object, "destination_cidr_block"),
        v6: string(object, "destination_ipv6_cidr_block"),
        prefix_list: string(object, "destination_prefix_list_id"),
    }
}

/// The tables of these routes, few calls for many routes.
async fn tables(aws: &Aws, routes: &[Value]) -> Result<Vec<RouteTable>, Diagnostics> {
    let mut ids: Vec<&str> = routes
        .iter()
        .filter_map(|r| r.get_str("route_table_id"))
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let mut found = Vec::new();
    for ids in ids.chunks(ec2::IDS_PER_CALL) {
        let by_id = ec2::filter("route-table-id", ids.iter().copied());
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
        found.extend(items);
    }
    Ok(found)
}

fn route_in(tables: &[RouteTable], object: &Value) -> Option<Ec2Route> {
    let id = object.get_str("route_table_id");
    let to = destination(object);
    let table = tables.iter().find(|t| t.route_table_id() == id)?;
    table
        .routes()
        .iter()
        .find(|r| Destination::of(r) == to)
        .cloned()
}

fn view(route: &Ec2Route, known: &Value) -> Value {
    let table = known.get_str("route_table_id").unwrap_or_default();
    let mut view = View::of(known);
    view.set("id", id(table, &destination(known)))
        .text("instance_id", route.instance_id())
        .text("instance_owner_id", route.instance_owner_id())
        .text("origin", route.origin().map(|o| o.as_str()))
        .text("state", route.state().map(|s| s.as_str()));
    for name in TARGETS {
        view.text(name, routes::target(route, name));
    }
    view.done()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn import_ids_name_their_kind_of_destination() {
        let v6 = Route.from_id("rtb-1_2001:db8::/56").unwrap();
        assert_eq!(
            v6.get_str("destination_ipv6_cidr_block"),
            Some("2001:db8::/56")
        );
        assert!(Route.from_id("rtb-1").is_err());
    }
}
