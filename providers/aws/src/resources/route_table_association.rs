//! `aws_route_table_association`: which route table a subnet or gateway uses.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ec2::types::RouteTableAssociation as Ec2Association;
use topo_sdk::{Attribute, Block, Diagnostics, Schema, Type, Value};

use crate::core::check;
use crate::core::clients::Aws;
use crate::core::contract::{Call, Found, Read, Resource};
use crate::core::ec2;
use crate::core::error::{ApiError, OrGone, SdkResult};
use crate::core::view::{View, string};
use crate::core::wait::persist;

/// The type.
pub(crate) struct Association;

#[async_trait]
impl Resource for Association {
    fn name(&self) -> &'static str {
        "aws_route_table_association"
    }

    fn schema(&self) -> Schema {
        let end = |text| Attribute::optional(Type::String).force_new().describe(text);
        let block = Block::new()
            .describe("Which route table a subnet or gateway uses.")
            .attr(
                "id",
                Attribute::computed(Type::String)
                    .recomputed()
                    .describe("Id of the association."),
            )
            .attr(
                "route_table_id",
                Attribute::required(Type::String).describe("Route table."),
            )
            .attr("subnet_id", end("Subnet."))
            .attr(
                "gateway_id",
                end("Internet gateway or virtual private gateway."),
            );
        let minutes = |m: u64| Duration::from_secs(m * 60);
        Schema::new(block).timeouts([
            ("create", minutes(5)),
            ("update", minutes(2)),
            ("delete", minutes(5)),
        ])
    }

    fn validate(&self, config: &Value, found: &mut Diagnostics) {
        check::exactly_one(config, &["subnet_id", "gateway_id"], found);
    }

    fn from_id(&self, id: &str) -> Result<Value, String> {
        let (end, table) = id
            .split_once('/')
            .ok_or("SUBNET-ID/ROUTE-TABLE-ID or GATEWAY-ID/ROUTE-TABLE-ID")?;
        let kind = if end.starts_with("subnet-") {
            "subnet_id"
        } else {
            "gateway_id"
        };
        Ok(Value::object([
            (kind, Value::from(end)),
            ("route_table_id", Value::from(table)),
        ]))
    }

    async fn read(&self, aws: &Aws, known: &Value) -> Read {
        // Its ends name it: replacing the table gives the association another id.
        let found = by_ends(aws, known)
            .await?
            .into_iter()
            .find(|a| same_ends(a, known));
        Ok(found.map(|a| {
            View::of(known)
                .text("id", a.route_table_association_id())
                .text("route_table_id", a.route_table_id())
                .text("subnet_id", a.subnet_id())
                .text("gateway_id", a.gateway_id())
                .done()
        }))
    }

    async fn create(&self, call: &Call<'_>, planned: &Value) -> Result<Value, Diagnostics> {
        let not_visible = |e: &ApiError| e.code() == "InvalidRouteTableID.NotFound";
        let answer = persist(call.propagation(), not_visible, || async {
            call.ec2()
                .associate_route_table()
                .set_route_table_id(string(planned, "route_table_id"))
                .set_subnet_id(string(planned, "subnet_id"))
                .set_gateway_id(string(planned, "gateway_id"))
                .send()
                .await
                .api(call, "ec2:AssociateRouteTable")
        })
        .await?;
        let id = answer.association_id().unwrap_or_default();
        let made = planned.clone().with("id", Value::from(id));
        call.accepted(&made).await?;
        Ok(made)
    }

    /// The new association has a new id: found again by its ends.
    async fn update(
        &self,
        call: &Call<'_>,
        prior: &Value,
        planned: &Value,
    ) -> Result<(), Diagnostics> {
        call.ec2()
            .replace_route_table_association()
            .set_association_id(string(prior, "id"))
            .set_route_table_id(string(planned, "route_table_id"))
            .send()
            .await
            .api(call, "ec2:ReplaceRouteTableAssociation")?;
        Ok(())
    }

    async fn delete(&self, call: &Call<'_>, prior: &Value) -> Result<(), Diagnostics> {
        call.ec2()
            .disassociate_route_table()
            .set_association_id(string(prior, "id"))
            .send()
            .await
            .api(call, "ec2:DisassociateRouteTable")
            .or_gone()?;
        Ok(())
    }

    async fn find(&self, aws: &Aws, planned: &Value, _token: &str) -> Result<Found, Diagnostics> {
        let found = by_ends(aws, planned).await?;
        let table = planned.get_str("route_table_id");
        let same = |a: &Ec2Association| same_ends(a, planned) && a.route_table_id() == table;
        let found = found.into_iter().find(same);
        let id = found.and_then(|a| a.route_table_association_id().map(Value::from));
        Ok(Found::Sure(id.map(|id| Value::object([("id", id)]))))
    }
}

fn same_ends(association: &Ec2Association, object: &Value) -> bool {
    let some = |s: Option<&str>| s.filter(|s| !s.is_empty()).map(str::to_owned);
    some(association.subnet_id()) == string(object, "subnet_id")
        && some(association.gateway_id()) == string(object, "gateway_id")
}

async fn by_ends(aws: &Aws, object: &Value) -> Result<Vec<Ec2Association>, Diagnostics> {
    match (object.get_str("subnet_id"), object.get_str("gateway_id")) {
        (Some(subnet), _) => by_filter(aws, "association.subnet-id", subnet).await,
        (None, Some(gateway)) => by_filter(aws, "association.gateway-id", gateway).await,
        (None, None) => Ok(Vec::new()),
    }
}

async fn by_filter(aws: &Aws, name: &str, value: &str) -> Result<Vec<Ec2Association>, Diagnostics> {
    let answer = aws
        .ec2()
        .describe_route_tables()
        .filters(ec2::filter(name, [value]))
        .send()
        .await
        .api(aws, "ec2:DescribeRouteTables")?;
    let tables = answer.route_tables.unwrap_or_default();
    Ok(tables
        .into_iter()
        .flat_map(|t| t.associations.unwrap_or_default())
        .collect())
}
