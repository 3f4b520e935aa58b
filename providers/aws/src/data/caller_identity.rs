//! `aws_caller_identity`: who the credentials belong to.

use async_trait::async_trait;
use topo_sdk::{Attribute, Block, Diagnostics, Schema, Type, Value};

use crate::core::clients::Aws;
use crate::core::contract::DataSource;
use crate::core::view::View;

/// The data source.
pub(crate) struct CallerIdentity;

#[async_trait]
impl DataSource for CallerIdentity {
    fn name(&self) -> &'static str {
        "aws_caller_identity"
    }

    fn schema(&self) -> Schema {
        let computed = |text| Attribute::computed(Type::String).describe(text);
        Schema::new(
            Block::new()
                .describe("Who the credentials belong to.")
                .attr("id", computed("Account number."))
                .attr("account_id", computed("Account number."))
                .attr("arn", computed("ARN of the caller."))
                .attr("user_id", computed("Unique id of the caller.")),
        )
    }

    async fn read(&self, aws: &Aws, config: &Value) -> Result<Value, Diagnostics> {
        let who = aws.identity().await?;
        Ok(View::of(config)
            .set("id", who.account.as_str())
            .set("account_id", who.account.as_str())
            .set("arn", who.arn.as_str())
            .set("user_id", who.user_id.as_str())
            .done())
    }
}
