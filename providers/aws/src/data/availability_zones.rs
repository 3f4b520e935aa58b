//! `aws_availability_zones`: the zones of the region that the account may use.

use async_trait::async_trait;
use aws_sdk_ec2::types::AvailabilityZoneState;
use topo_sdk::{Attribute, Block, Diagnostics, NestedBlock, Nesting, Schema, Type, Value};

use crate::core::check;
use crate::core::clients::Aws;
use crate::core::contract::DataSource;
use crate::core::ec2;
use crate::core::error::SdkResult;
use crate::core::view::{View, blocks, string, strings};

/// The data source.
pub(crate) struct Zones;

#[async_trait]
impl DataSource for Zones {
    fn name(&self) -> &'static str {
        "aws_availability_zones"
    }

    fn schema(&self) -> Schema {
        let set = || Attribute::optional(Type::set(Type::String));
        let list = || Attribute::computed(Type::list(Type::String));
        let filter = Block::new()
            .describe("A filter of DescribeAvailabilityZones.")
            .attr(
                "name",
                Attribute::required(Type::String).describe("Name of the filter."),
            )
            .attr(
                "values",
                Attribute::required(Type::set(Type::String))
                    .describe("Values, any of which will do."),
            );
        Schema::new(
            Block::new()
                .describe("The zones of the region that the account may use.")
                .attr(
                    "id",
                    Attribute::computed(Type::String).describe("Code of the region."),
                )
                .attr(
                    "all_availability_zones",
                    Attribute::optional(Type::Bool)
                        .describe("Include zones that are not opted in."),
                )
                .attr(
                    "exclude_names",
                    set().describe("Names of zones to leave out."),
                )
                .attr(
                    "exclude_zone_ids",
                    set().describe("Ids of zones to leave out."),
                )
                .attr(
                    "state",
                    Attribute::optional(Type::String).describe("Only zones in this state."),
                )
                .attr(
                    "group_names",
                    Attribute::computed(Type::set(Type::String)).describe("Groups of the zones."),
                )
                .attr("names", list().describe("Names of the zones, sorted."))
                .attr(
                    "zone_ids",
                    list().describe("Ids of the zones, in the order of names."),
                )
                .block("filter", NestedBlock::new(Nesting::Set, filter)),
        )
    }

    fn validate(&self, config: &Value, found: &mut Diagnostics) {
        check::one_of(
            config,
            "state",
            &[
                "available",
                "information",
                "impaired",
                "unavailable",
                "constrained",
            ],
            found,
        );
    }

    async fn read(&self, aws: &Aws, config: &Value) -> Result<Value, Diagnostics> {
        let filters = blocks(config, "filter").iter();
        let filters = filters
            .map(|f| ec2::filter(f.get_str("name").unwrap_or_default(), strings(f, "values")));
        let state = string(config, "state").map(|s| ec2::filter("state", [s]));
        let filters: Vec<_> = filters.chain(state).collect();
        let answer = aws
            .ec2()
            .describe_availability_zones()
            .set_filters(Some(filters).filter(|f| !f.is_empty()))
            .set_all_availability_zones(config.get_bool("all_availability_zones"))
            .send()
            .await
            .api(aws, "ec2:DescribeAvailabilityZones")?;
        let (names, ids) = (
            strings(config, "exclude_names"),
            strings(config, "exclude_zone_ids"),
        );
        let wanted = string(config, "state").map(|s| AvailabilityZoneState::from(s.as_str()));
        let mut zones: Vec<_> = answer
            .availability_zones()
            .iter()
            .filter(|z| {
                let named = |list: &[String], name: Option<&str>| {
                    list.iter().any(|n| Some(n.as_str()) == name)
                };
                !named(&names, z.zone_name()) && !named(&ids, z.zone_id())
            })
            .filter(|z| wanted.is_none() || z.state() == wanted.as_ref())
            .collect();
        zones.sort_by_key(|z| z.zone_name());
        Ok(View::of(config)
            .set("id", aws.region.as_str())
            .all_texts("group_names", zones.iter().filter_map(|z| z.group_name()))
            .all_texts("names", zones.iter().filter_map(|z| z.zone_name()))
            .all_texts("zone_ids", zones.iter().filter_map(|z| z.zone_id()))
            .done())
    }
}
