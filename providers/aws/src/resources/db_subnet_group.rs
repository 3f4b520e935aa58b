//! `aws_db_subnet_group`: the subnets that databases live in.

use async_trait::async_trait;
use topo_sdk::{Attribute, Block, Diagnostics, Schema, Type, Value};

use crate::core::check;
use crate::core::clients::Aws;
use crate::core::contract::{Call, Found, Read, Resource};
use crate::core::error::{ApiError, OrGone, SdkResult};
use crate::core::names;
use crate::core::rds;
use crate::core::tags::tagged;
use crate::core::view::{View, any_changed, some_strings, string};
use crate::core::wait::persist;

/// The type.
pub(crate) struct DbSubnetGroup;

#[async_trait]
impl Resource for DbSubnetGroup {
    fn name(&self) -> &'static str {
        "aws_db_subnet_group"
    }

    fn schema(&self) -> Schema {
        let computed = |text| Attribute::computed(Type::String).describe(text);
        let given = |text| {
            Attribute::optional_computed(Type::String)
                .force_new()
                .describe(text)
        };
        let texts = Type::set(Type::String);
        let block = Block::new()
            .describe("The subnets that databases live in.")
            .attr("id", computed("Name of the group."))
            .attr("arn", computed("ARN of the group."))
            .attr("vpc_id", computed("VPC of the subnets."))
            .attr(
                "supported_network_types",
                Attribute::computed(texts.clone()).describe("IPV4, DUAL."),
            )
            .attr(
                "name",
                given("Name of the group in lower case; made up otherwise."),
            )
            .attr("name_prefix", given("Start of a made-up name."))
            .attr(
                "description",
                Attribute::optional(Type::String)
                    .default("Managed by Terraform")
                    .describe("What the group is for."),
            )
            .attr(
                "subnet_ids",
                Attribute::required(texts).describe("Subnets, in two availability zones at least."),
            );
        Schema::new(tagged(block))
    }

    fn validate(&self, config: &Value, found: &mut Diagnostics) {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || " ._-".contains(c);
        check::name(
            config,
            "name",
            255,
            allowed,
            "lower-case letters, digits, blanks and ._-",
            found,
        );
        check::conflicts(config, &["name", "name_prefix"], found);
    }

    async fn read(&self, aws: &Aws, known: &Value) -> Read {
        let Some(name) = known.get_str("id") else {
            return Ok(None);
        };
        let answer = aws
            .rds()
            .describe_db_subnet_groups()
            .db_subnet_group_name(name)
            .send()
            .await;
        let answer = answer.api(aws, "rds:DescribeDBSubnetGroups").or_gone()?;
        let Some(group) = answer.and_then(|a| a.db_subnet_groups?.into_iter().next()) else {
            return Ok(None);
        };
        let arn = group.db_subnet_group_arn().unwrap_or_default();
        let tags = rds::tags(aws, arn).await?;
        let name = group.db_subnet_group_name().unwrap_or(name);
        let prefix =
            string(known, "name_prefix").or_else(|| names::prefix_of(name).map(str::to_owned));
        Ok(Some(
            View::of(known)
                .set("id", name)
                .set("name", name)
                .set("name_prefix", prefix.unwrap_or_default())
                .set("arn", arn)
                .text("vpc_id", group.vpc_id())
                .text("description", group.db_subnet_group_description())
                .all_texts("supported_network_types", group.supported_network_types())
                .all_texts(
                    "subnet_ids",
                    group.subnets().iter().filter_map(|s| s.subnet_identifier()),
                )
                .tags(aws, tags)
                .done(),
        ))
    }

    async fn create(&self, call: &Call<'_>, planned: &Value) -> Result<Value, Diagnostics> {
        let name = names::given_or_made(planned, "name", "name_prefix", call.token());
        call.rds()
            .create_db_subnet_group()
            .db_subnet_group_name(&name)
            .set_db_subnet_group_description(string(planned, "description"))
            .set_subnet_ids(some_strings(planned, "subnet_ids"))
            .set_tags(rds::list(&call.tags.wanted(planned)))
            .send()
            .await
            .api(call, "rds:CreateDBSubnetGroup")?;
        let made = planned
            .clone()
            .with("id", Value::from(name.as_str()))
            .with("name", Value::from(name));
        call.accepted(&made).await?;
        Ok(made)
    }

    async fn update(
        &self,
        call: &Call<'_>,
        prior: &Value,
        planned: &Value,
    ) -> Result<(), Diagnostics> {
        if any_changed(prior, planned, &["description", "subnet_ids"]) {
            call.rds()
                .modify_db_subnet_group()
                .set_db_subnet_group_name(string(prior, "id"))
                .set_db_subnet_group_description(string(planned, "description"))
                .set_subnet_ids(some_strings(planned, "subnet_ids"))
                .send()
                .await
                .api(call, "rds:ModifyDBSubnetGroup")?;
        }
        rds::retag(call, prior, planned).await
    }

    async fn delete(&self, call: &Call<'_>, prior: &Value) -> Result<(), Diagnostics> {
        // An instance that is being deleted still uses it.
        let in_use = |e: &ApiError| e.code() == "InvalidDBSubnetGroupStateFault";
        persist(std::time::Duration::from_secs(60), in_use, || async {
            let delete = call
                .rds()
                .delete_db_subnet_group()
                .set_db_subnet_group_name(string(prior, "id"));
            delete.send().await.api(call, "rds:DeleteDBSubnetGroup")
        })
        .await
        .or_gone()?;
        Ok(())
    }

    async fn find(&self, aws: &Aws, planned: &Value, token: &str) -> Result<Found, Diagnostics> {
        let name = names::given_or_made(planned, "name", "name_prefix", token);
        let named = Value::object([("id", Value::from(name))]);
        Ok(Found::Sure(self.read(aws, &named).await?.map(|_| named)))
    }
}
