//! `aws_region`: a region, by default the one in use.

use async_trait::async_trait;
use topo_sdk::{Attribute, Block, Diagnostic, Diagnostics, Path, Schema, Type, Value};

use crate::core::clients::Aws;
use crate::core::contract::DataSource;
use crate::core::error::SdkResult;
use crate::core::view::{View, string};

/// The data source.
pub(crate) struct Region;

#[async_trait]
impl DataSource for Region {
    fn name(&self) -> &'static str {
        "aws_region"
    }

    fn schema(&self) -> Schema {
        let given = |text| Attribute::optional_computed(Type::String).describe(text);
        Schema::new(
            Block::new()
                .describe("A region, by default the one in use.")
                .attr(
                    "id",
                    Attribute::computed(Type::String).describe("Code of the region."),
                )
                .attr("region", given("Code of the region."))
                .attr(
                    "name",
                    given("Code of the region.").deprecated("Use region."),
                )
                .attr("endpoint", given("EC2 endpoint of the region."))
                .attr(
                    "description",
                    Attribute::computed(Type::String).describe("Where the region is."),
                ),
        )
    }

    async fn read(&self, aws: &Aws, config: &Value) -> Result<Value, Diagnostics> {
        let by_endpoint = match string(config, "endpoint") {
            Some(endpoint) => Some(by_endpoint(aws, &endpoint).await?),
            None => None,
        };
        let region = string(config, "region")
            .or_else(|| string(config, "name"))
            .or(by_endpoint)
            .unwrap_or_else(|| aws.region.clone());
        let endpoint = format!("ec2.{region}.{}", aws.dns_suffix());
        Ok(View::of(config)
            .set("id", region.as_str())
            .set("region", region.as_str())
            .set("name", region.as_str())
            .set("endpoint", endpoint)
            .set("description", place(&region))
            .done())
    }
}

async fn by_endpoint(aws: &Aws, endpoint: &str) -> Result<String, Diagnostics> {
    let answer = aws.ec2().describe_regions().all_regions(true).send().await;
    let answer = answer.api(aws, "ec2:DescribeRegions")?;
    let region = answer
        .regions()
        .iter()
        .find(|r| r.endpoint() == Some(endpoint));
    region
        .and_then(|r| r.region_name().map(str::to_owned))
        .ok_or_else(|| {
            Diagnostic::error(
                "No such region",
                format!("No region has the endpoint {endpoint}."),
            )
            .at(Path::attribute("endpoint"))
            .into()
        })
}

/// The places of regions (source: AWS documentation, "AWS Regions").
fn place(region: &str) -> &str {
    match region {
        "af-south-1" => "Africa (Cape Town)",
        "ap-east-1" => "Asia Pacific (Hong Kong)",
        "ap-northeast-1" => "Asia Pacific (Tokyo)",
        "ap-northeast-2" => "Asia Pacific (Seoul)",
        "ap-northeast-3" => "Asia Pacific (Osaka)",
        "ap-south-1" => "Asia Pacific (Mumbai)",
        "ap-south-2" => "Asia Pacific (Hyderabad)",
        "ap-southeast-1" => "Asia Pacific (Singapore)",
        "ap-southeast-2" => "Asia Pacific (Sydney)",
        "ap-southeast-3" => "Asia Pacific (Jakarta)",
        "ap-southeast-4" => "Asia Pacific (Melbourne)",
        "ca-central-1" => "Canada (Central)",
        "ca-west-1" => "Canada West (Calgary)",
        "eu-central-1" => "Europe (Frankfurt)",
        "eu-central-2" => "Europe (Zurich)",
        "eu-north-1" => "Europe (Stockholm)",
        "eu-south-1" => "Europe (Milan)",
        "eu-south-2" => "Europe (Spain)",
        "eu-west-1" => "Europe (Ireland)",
        "eu-west-2" => "Europe (London)",
        "eu-west-3" => "Europe (Paris)",
        "il-central-1" => "Israel (Tel Aviv)",
        "me-central-1" => "Middle East (UAE)",
        "me-south-1" => "Middle East (Bahrain)",
        "sa-east-1" => "South America (Sao Paulo)",
        "us-east-1" => "US East (N. Virginia)",
        "us-east-2" => "US East (Ohio)",
        "us-west-1" => "US West (N. California)",
        "us-west-2" => "US West (Oregon)",
        other => other,
    }
}
