//! Routes as the API takes and gives them: a destination and one target. Shared by
//! `aws_route_table` with its inline routes and `aws_route`.

use aws_sdk_ec2::types::{Route, RouteOrigin};
use topo_sdk::{Diagnostics, Value};

use super::clients::Aws;
use super::error::{ApiError, OrGone, SdkResult};
use super::view::string;

/// The arguments that name a target, and the answer's field for each.
pub(crate) const TARGETS: [&str; 10] = [
    "carrier_gateway_id",
    "core_network_arn",
    "egress_only_gateway_id",
    "gateway_id",
    "local_gateway_id",
    "nat_gateway_id",
    "network_interface_id",
    "transit_gateway_id",
    "vpc_endpoint_id",
    "vpc_peering_connection_id",
];

/// Where a route leads from: one of the three is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Destination {
    pub v4: Option<String>,
    pub v6: Option<String>,
    pub prefix_list: Option<String>,
}

impl Destination {
    /// The one that is set.
    pub fn text(&self) -> &str {
        let set = self.v4.as_deref().or(self.v6.as_deref());
        set.or(self.prefix_list.as_deref()).unwrap_or_default()
    }

    /// Of an answer. Empty texts count as not set.
    pub fn of(route: &Route) -> Destination {
        let some = |s: Option<&str>| s.filter(|s| !s.is_empty()).map(str::to_owned);
        Destination {
            v4: some(route.destination_cidr_block()),
            v6: some(route.destination_ipv6_cidr_block()),
            prefix_list: some(route.destination_prefix_list_id()),
        }
    }
}

/// A target of an answer by argument name.
pub(crate) fn target<'a>(route: &'a Route, name: &str) -> Option<&'a str> {
    let gateway = route.gateway_id().unwrap_or_default();
    let found = match name {
        "carrier_gateway_id" => route.carrier_gateway_id(),
        "core_network_arn" => route.core_network_arn(),
        "egress_only_gateway_id" => route.egress_only_internet_gateway_id(),
        "gateway_id" => Some(gateway).filter(|g| !g.starts_with("vpce-")),
        "vpc_endpoint_id" => Some(gateway).filter(|g| g.starts_with("vpce-")),
        "local_gateway_id" => route.local_gateway_id(),
        "nat_gateway_id" => route.nat_gateway_id(),
        // An instance's interface is named along with the instance.
        "network_interface_id" => route.network_interface_id(),
        "transit_gateway_id" => route.transit_gateway_id(),
        "vpc_peering_connection_id" => route.vpc_peering_connection_id(),
        _ => None,
    };
    found.filter(|s| !s.is_empty())
}

/// Whether somebody made the route: not the VPC's own, not propagated from a gateway.
pub(crate) fn is_made(route: &Route) -> bool {
    route.origin() == Some(&RouteOrigin::CreateRoute)
        && !target(route, "gateway_id").is_some_and(|g| g == "local")
}

/// The three calls that put, change and remove a route differ in their builders only.
macro_rules! with_targets {
    ($call:expr, $table:expr, $to:expr, $route:expr) => {
        $call
            .route_table_id($table)
            .set_destination_cidr_block($to.v4.clone())
            .set_destination_ipv6_cidr_block($to.v6.clone())
            .set_destination_prefix_list_id($to.prefix_list.clone())
            .set_carrier_gateway_id(string($route, "carrier_gateway_id"))
            .set_core_network_arn(string($route, "core_network_arn"))
            .set_egress_only_internet_gateway_id(string($route, "egress_only_gateway_id"))
            .set_gateway_id(string($route, "gateway_id"))
            .set_local_gateway_id(string($route, "local_gateway_id"))
            .set_nat_gateway_id(string($route, "nat_gateway_id"))
            .set_network_interface_id(string($route, "network_interface_id"))
            .set_transit_gateway_id(string($route, "transit_gateway_id"))
            .set_vpc_endpoint_id(string($route, "vpc_endpoint_id"))
            .set_vpc_peering_connection_id(string($route, "vpc_peering_connection_id"))
    };
}

/// Adds a route.
pub(crate) async fn create(
    aws: &Aws,
    table: &str,
    to: &Destination,
    route: &Value,
) -> Result<(), ApiError> {
    let call = with_targets!(aws.ec2().create_route(), table, to, route);
    call.send().await.api(aws, "ec2:CreateRoute").map(|_| ())
}

/// Gives a route another target.
pub(crate) async fn replace(
    aws: &Aws,
    table: &str,
    to: &Destination,
    route: &Value,
) -> Result<(), ApiError> {
    let call = with_targets!(aws.ec2().replace_route(), table, to, route);
    call.send().await.api(aws, "ec2:ReplaceRoute").map(|_| ())
}

/// Removes a route; one that is gone already is no error.
pub(crate) async fn delete(aws: &Aws, table: &str, to: &Destination) -> Result<(), Diagnostics> {
    aws.ec2()
        .delete_route()
        .route_table_id(table)
        .set_destination_cidr_block(to.v4.clone())
        .set_destination_ipv6_cidr_block(to.v6.clone())
        .set_destination_prefix_list_id(to.prefix_list.clone())
        .send()
        .await
        .api(aws, "ec2:DeleteRoute")
        .or_gone()?;
    Ok(())
}

/// Whether a new route's table or target is not visible everywhere yet.
pub(crate) fn is_not_visible(error: &ApiError) -> bool {
    matches!(
        error.code(),
        "InvalidRouteTableID.NotFound"
            | "InvalidGatewayID.NotFound"
            | "InvalidInternetGatewayID.NotFound"
            | "InvalidNatGatewayID.NotFound"
            | "InvalidTransitGatewayID.NotFound"
    )
}

/// CRC-32 as in IEEE 802.3.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksum_of_the_published_test_vector() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }
}
