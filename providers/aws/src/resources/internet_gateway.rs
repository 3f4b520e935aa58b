//! `aws_internet_gateway`: a VPC's way to the internet.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_ec2::types::{InternetGateway as Ec2Gateway, ResourceType};
use topo_sdk::{Attribute, Block, Diagnostics, Schema, Type, Value};

use crate::core::clients::Aws;
use crate::core::contract::{Call, Found, Read, Resource};
use crate::core::ec2;
use crate::core::error::{ApiError, OrGone, SdkResult};
use crate::core::tags::tagged;
use crate::core::view::{View, changed};
use crate::core::wait::persist;

/// The type.
pub(crate) struct InternetGateway;

#[async_trait]
impl Resource for InternetGateway {
    fn name(&self) -> &'static str {
        "aws_internet_gateway"
    }

    fn schema(&self) -> Schema {
        let computed = |text| Attribute::computed(Type::String).describe(text);
        let block = Block::new()
            .describe("A VPC's way to the internet.")
            .attr("id", computed("Id of the gateway."))
            .attr("arn", computed("ARN of the gateway."))
            .attr("owner_id", computed("Account that owns the gateway."))
            .attr(
                "vpc_id",
                Attribute::optional_computed(Type::String).describe("VPC it is attached to."),
            );
        Schema::new(tagged(block))
    }

    async fn read(&self, aws: &Aws, known: &Value) -> Read {
        ec2::only(self.read_many(aws, std::slice::from_ref(known)).await)
    }

    async fn read_many(&self, aws: &Aws, known: &[Value]) -> Vec<Read> {
        let found = describe(aws, known).await;
        ec2::answer(known, found, |g, k| Some(view(aws, g, k)))
    }

    async fn create(&self, call: &Call<'_>, planned: &Value) -> Result<Value, Diagnostics> {
        let tags = call.tags.wanted(planned);
        let answer = call
            .ec2()
            .create_internet_gateway()
            .set_tag_specifications(ec2::specification(ResourceType::InternetGateway, &tags))
            .send()
            .await
            .api(call, "ec2:CreateInternetGateway")?;
        let gateway = answer.internet_gateway();
        let id = gateway
            .and_then(|g| g.internet_gateway_id())
            .unwrap_or_default()
            .to_owned();
        let made = planned.clone().with("id", Value::from(id.as_str()));
        // Not attached yet: that is what a run that takes over here has to know.
        call.accepted(&made.clone().with("vpc_id", Value::null(Type::String)))
            .await?;
        if let Some(vpc) = planned.get_str("vpc_id") {
            attach(call, &id, vpc).await?;
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
        if changed(prior, planned, "vpc_id") {
            if let Some(old) = prior.get_str("vpc_id") {
                detach(call, id, old).await?;
            }
            if let Some(new) = planned.get_str("vpc_id") {
                attach(call, id, new).await?;
            }
        }
        ec2::retag(call, id, prior, planned).await
    }

    async fn delete(&self, call: &Call<'_>, prior: &Value) -> Result<(), Diagnostics> {
        let id = prior.get_str("id").unwrap_or_default();
        if let Some(vpc) = prior.get_str("vpc_id") {
            detach(call, id, vpc).await?;
        }
        ec2::remove(call, || async {
            call.ec2()
                .delete_internet_gateway()
                .internet_gateway_id(id)
                .send()
                .await
                .api(call, "ec2:DeleteInternetGateway")
        })
        .await
    }

    async fn find(&self, aws: &Aws, planned: &Value, _token: &str) -> Result<Found, Diagnostics> {
        let tags = aws.tags.wanted(planned);
        let answer = aws
            .ec2()
            .describe_internet_gateways()
            .set_filters(Some(ec2::tag_filters(&tags)).filter(|f| !f.is_empty()))
            .send()
            .await
            .api(aws, "ec2:DescribeInternetGateways")?;
        let alike = answer.internet_gateways().iter().filter(|g| {
            let attached = g.attachments().first().and_then(|a| a.vpc_id());
            attached.is_none() || attached == planned.get_str("vpc_id")
        });
        let alike = alike.map(|g| {
            (
                g.internet_gateway_id().unwrap_or_default().to_owned(),
                ec2::tags(g.tags()),
            )
        });
        Ok(ec2::alike(alike.collect(), &tags))
    }
}

async fn attach(call: &Call<'_>, id: &str, vpc: &str) -> Result<(), Diagnostics> {
    let not_visible = |e: &ApiError| e.code() == "InvalidInternetGatewayID.NotFound";
    persist(call.propagation(), not_visible, || async {
        call.ec2()
            .attach_internet_gateway()
            .internet_gateway_id(id)
            .vpc_id(vpc)
            .send()
            .await
            .api(call, "ec2:AttachInternetGateway")
    })
    .await?;
    Ok(())
}

/// Refused while public addresses of the VPC are still in use.
async fn detach(call: &Call<'_>, id: &str, vpc: &str) -> Result<(), Diagnostics> {
    let detached = persist(
        call.limit(),
        |e: &ApiError| e.code() == "DependencyViolation",
        || async {
            call.ec2()
                .detach_internet_gateway()
                .internet_gateway_id(id)
                .vpc_id(vpc)
                .send()
                .await
                .api(call, "ec2:DetachInternetGateway")
        },
    )
    .await;
    match detached {
        Err(e) if e.code() == "Gateway.NotAttached" => Ok(()),
        other => other.or_gone().map(|_| ()).map_err(Into::into),
    }
}

async fn describe(aws: &Aws, known: &[Value]) -> Result<HashMap<String, Ec2Gateway>, Diagnostics> {
    let mut found = HashMap::new();
    for ids in ec2::ids(known) {
        let by_id = ec2::filter("internet-gateway-id", ids);
        let items = aws
            .ec2()
            .describe_internet_gateways()
            .filters(by_id)
            .into_paginator()
            .items()
            .send();
        let items = items
            .collect::<Result<Vec<_>, _>>()
            .await
            .api(aws, "ec2:DescribeInternetGateways")?;
        found.extend(
            items
                .into_iter()
                .filter_map(|g| Some((g.internet_gateway_id()?.to_owned(), g))),
        );
    }
    Ok(found)
}

fn view(aws: &Aws, gateway: &Ec2Gateway, known: &Value) -> Value {
    let id = gateway.internet_gateway_id().unwrap_or_default();
    let owner = gateway.owner_id().unwrap_or_default();
    View::of(known)
        .set("id", id)
        .set(
            "arn",
            aws.arn("ec2", owner, &format!("internet-gateway/{id}")),
        )
        .text("owner_id", gateway.owner_id())
        .text(
            "vpc_id",
            gateway.attachments().first().and_then(|a| a.vpc_id()),
        )
        .tags(aws, ec2::tags(gateway.tags()))
        .done()
}
