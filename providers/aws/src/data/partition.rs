//! `aws_partition`: the partition of the region.

use async_trait::async_trait;
use topo_sdk::{Attribute, Block, Diagnostics, Schema, Type, Value};

use crate::core::clients::Aws;
use crate::core::contract::DataSource;
use crate::core::view::View;

/// The data source.
pub(crate) struct Partition;

#[async_trait]
impl DataSource for Partition {
    fn name(&self) -> &'static str {
        "aws_partition"
    }

    fn schema(&self) -> Schema {
        let computed = |text| Attribute::computed(Type::String).describe(text);
        Schema::new(
            Block::new()
                .describe("The partition of the region.")
                .attr("id", computed("The partition: aws, aws-cn, ..."))
                .attr("partition", computed("The partition: aws, aws-cn, ..."))
                .attr(
                    "dns_suffix",
                    computed("Domain of the partition's services."),
                )
                .attr(
                    "reverse_dns_prefix",
                    computed("The same, the other way round."),
                ),
        )
    }

    async fn read(&self, aws: &Aws, config: &Value) -> Result<Value, Diagnostics> {
        let suffix = aws.dns_suffix();
        let reverse: Vec<&str> = suffix.split('.').rev().collect();
        Ok(View::of(config)
            .set("id", aws.partition())
            .set("partition", aws.partition())
            .set("dns_suffix", suffix)
            .set("reverse_dns_prefix", reverse.join("."))
            .done())
    }
}
