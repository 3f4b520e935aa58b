//! `aws_eip`: an elastic IP address.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_ec2::types::{Address, DomainType, ResourceType};
use topo_sdk::{Attribute, Block, Diagnostics, Schema, Type, Value};

use crate::core::check;
use crate::core::clients::Aws;
use crate::core::contract::{Call, Found, Read, Resource};
use crate::core::ec2;
use crate::core::error::{OrGone, SdkResult};
use crate::core::tags::tagged;
use crate::core::view::{View, any_changed, string};

/// The type.
pub(crate) struct Eip;

#[async_trait]
impl Resource for Eip {
    fn name(&self) -> &'static str {
        "aws_eip"
    }

    fn schema(&self) -> Schema {
        let computed = |text| Attribute::computed(Type::String).describe(text);
        let given = |text| {
            Attribute::optional_computed(Type::String)
                .force_new()
                .describe(text)
        };
        let block = Block::new()
            .describe("An elastic IP address.")
            .attr("id", computed("Allocation id."))
            .attr("arn", computed("ARN of the address."))
            .attr("allocation_id", computed("Allocation id."))
            .attr(
                "association_id",
                computed("Association with an instance or interface."),
            )
            .attr(
                "address",
                Attribute::optional(Type::String)
                    .force_new()
                    .describe("Address to recover or to take from a pool of one's own."),
            )
            .attr("domain", given("vpc."))
            .attr(
                "instance",
                Attribute::optional_computed(Type::String).describe("Instance to associate."),
            )
            .attr(
                "network_interface",
                Attribute::optional_computed(Type::String)
                    .describe("Network interface to associate."),
            )
            .attr(
                "associate_with_private_ip",
                Attribute::optional(Type::String).describe("Private address to associate."),
            )
            .attr("public_ipv4_pool", given("Pool to take the address from."))
            .attr(
                "customer_owned_ipv4_pool",
                Attribute::optional(Type::String)
                    .force_new()
                    .describe("Customer-owned pool."),
            )
            .attr("customer_owned_ip", computed("Customer-owned address."))
            .attr("carrier_ip", computed("Carrier address."))
            .attr(
                "network_border_group",
                given("Location that the address is advertised from."),
            )
            .attr("public_ip", computed("The address."))
            .attr("public_dns", computed("Name of the address."))
            .attr(
                "private_ip",
                computed("Private address it is associated with."),
            )
            .attr(
                "private_dns",
                computed("Private name it is associated with."),
            );
        Schema::new(tagged(block))
    }

    fn validate(&self, config: &Value, found: &mut Diagnostics) {
        check::one_of(config, "domain", &["vpc"], found);
        check::conflicts(config, &["instance", "network_interface"], found);
    }

    async fn read(&self, aws: &Aws, known: &Value) -> Read {
        ec2::only(self.read_many(aws, std::slice::from_ref(known)).await)
    }

    async fn read_many(&self, aws: &Aws, known: &[Value]) -> Vec<Read> {
        let found = describe(aws, known).await;
        let account = match aws.account().await {
            Ok(account) => account,
            Err(failed) => return known.iter().map(|_| Err(failed.clone())).collect(),
        };
        ec2::answer(known, found, |a, k| Some(view(aws, &account, a, k)))
    }

    async fn create(&self, call: &Call<'_>, planned: &Value) -> Result<Value, Diagnostics> {
        let tags = call.tags.wanted(planned);
        let answer = call
            .ec2()
            .allocate_address()
            .domain(DomainType::Vpc)
            .set_address(string(planned, "address"))
            .set_public_ipv4_pool(string(planned, "public_ipv4_pool"))
            .set_customer_owned_ipv4_pool(string(planned, "customer_owned_ipv4_pool"))
            .set_network_border_group(string(planned, "network_border_group"))
            .set_tag_specifications(ec2::specification(ResourceType::ElasticIp, &tags))
            .send()
            .await
            .api(call, "ec2:AllocateAddress")?;
        let id = answer.allocation_id().unwrap_or_default();
        let made = planned.clone().with("id", Value::from(id));
        call.accepted(&made).await?;
        associate(call, id, planned).await?;
        Ok(made)
    }

    async fn update(
        &self,
        call: &Call<'_>,
        prior: &Value,
        planned: &Value,
    ) -> Result<(), Diagnostics> {
        let id = prior.get_str("id").unwrap_or_default();
        if any_changed(
            prior,
            planned,
            &["instance", "network_interface", "associate_with_private_ip"],
        ) {
            disassociate(call, prior).await?;
            associate(call, id, planned).await?;
        }
        ec2::retag(call, id, prior, planned).await
    }

    async fn delete(&self, call: &Call<'_>, prior: &Value) -> Result<(), Diagnostics> {
        let id = prior.get_str("id").unwrap_or_default();
        if string(prior, "instance").is_some() {
            disassociate(call, prior).await?;
        }
        ec2::remove(call, || async {
            call.ec2()
                .release_address()
                .allocation_id(id)
                .send()
                .await
                .api(call, "ec2:ReleaseAddress")
        })
        .await
    }

    async fn find(&self, aws: &Aws, planned: &Value, _token: &str) -> Result<Found, Diagnostics> {
        let tags = aws.tags.wanted(planned);
        let answer = aws
            .ec2()
            .describe_addresses()
            .set_filters(Some(ec2::tag_filters(&tags)).filter(|f| !f.is_empty()))
            .send()
            .await
            .api(aws, "ec2:DescribeAddresses")?;
        let alike = answer
            .addresses()
            .iter()
            .filter(|a| a.association_id().is_none());
        let alike = alike.map(|a| {
            (
                a.allocation_id().unwrap_or_default().to_owned(),
                ec2::tags(a.tags()),
            )
        });
        Ok(ec2::alike(alike.collect(), &tags))
    }
}

async fn associate(aws: &Aws, id: &str, planned: &Value) -> Result<(), Diagnostics> {
    let (instance, interface) = (
        string(planned, "instance"),
        string(planned, "network_interface"),
    );
    if instance.is_none() && interface.is_none() {
        return Ok(());
    }
    aws.ec2()
        .associate_address()
        .allocation_id(id)
        .set_instance_id(instance)
        .set_network_interface_id(interface)
        .set_private_ip_address(string(planned, "associate_with_private_ip"))
        .send()
        .await
        .api(aws, "ec2:AssociateAddress")?;
    Ok(())
}

async fn disassociate(aws: &Aws, prior: &Value) -> Result<(), Diagnostics> {
    if let Some(association) = string(prior, "association_id") {
        aws.ec2()
            .disassociate_address()
            .association_id(association)
            .send()
            .await
            .api(aws, "ec2:DisassociateAddress")
            .or_gone()?;
    }
    Ok(())
}

async fn describe(aws: &Aws, known: &[Value]) -> Result<HashMap<String, Address>, Diagnostics> {
    let mut found = HashMap::new();
    for ids in ec2::ids(known) {
        let by_id = ec2::filter("allocation-id", ids);
        let answer = aws.ec2().describe_addresses().filters(by_id).send().await;
        let answer = answer.api(aws, "ec2:DescribeAddresses")?;
        let items = answer.addresses.unwrap_or_default();
        found.extend(
            items
                .into_iter()
                .filter_map(|a| Some((a.allocation_id()?.to_owned(), a))),
        );
    }
    Ok(found)
}

fn view(aws: &Aws, account: &str, address: &Address, known: &Value) -> Value {
    let id = address.allocation_id().unwrap_or_default();
    let region = match aws.region.as_str() {
        "us-east-1" => "compute-1".to_owned(),
        region => format!("{region}.compute"),
    };
    let public = address.public_ip().filter(|ip| !ip.is_empty());
    let public_dns =
        public.map(|ip| format!("ec2-{}.{region}.{}", ip.replace('.', "-"), aws.dns_suffix()));
    let private = address.private_ip_address().filter(|ip| !ip.is_empty());
    let private_region = match aws.region.as_str() {
        "us-east-1" => "ec2.internal".to_owned(),
        region => format!("{region}.compute.internal"),
    };
    let private_dns = private.map(|ip| format!("ip-{}.{private_region}", ip.replace('.', "-")));
    View::of(known)
        .set("id", id)
        .set("arn", aws.arn("ec2", account, &format!("elastic-ip/{id}")))
        .set("allocation_id", id)
        .text("association_id", address.association_id())
        .text("domain", address.domain().map(|d| d.as_str()))
        .text("instance", address.instance_id())
        .text("network_interface", address.network_interface_id())
        .text("public_ipv4_pool", address.public_ipv4_pool())
        .text(
            "customer_owned_ipv4_pool",
            address.customer_owned_ipv4_pool(),
        )
        .text("customer_owned_ip", address.customer_owned_ip())
        .text("carrier_ip", address.carrier_ip())
        .text("network_border_group", address.network_border_group())
        .text("public_ip", public)
        .text("public_dns", public_dns.as_deref())
        .text("private_ip", private)
        .text("private_dns", private_dns.as_deref())
        .tags(aws, ec2::tags(address.tags()))
        .done()
}
