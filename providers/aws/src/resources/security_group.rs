//! `aws_security_group`: who may talk to an interface, perhaps with the rules inline.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ec2::types::{ResourceType, SecurityGroup as Ec2Group};
use topo_sdk::{Attribute, Block, Diagnostics, NestedBlock, Nesting, Schema, Type, Value};

use crate::core::check;
use crate::core::clients::Aws;
use crate::core::contract::{Call, Found, Read, Resource};
use crate::core::ec2;
use crate::core::error::{ApiError, OrGone, SdkResult};
use crate::core::firewall::{self, Rule};
use crate::core::names;
use crate::core::tags::tagged;
use crate::core::view::{View, blocks, string};
use crate::core::wait::{Status, persist};

/// The type.
pub(crate) struct SecurityGroup;

#[derive(Clone, Copy)]
enum Direction {
    In,
    Out,
}

#[async_trait]
impl Resource for SecurityGroup {
    fn name(&self) -> &'static str {
        "aws_security_group"
    }

    fn schema(&self) -> Schema {
        let computed = |text| Attribute::computed(Type::String).describe(text);
        let given = |text| {
            Attribute::optional_computed(Type::String)
                .force_new()
                .describe(text)
        };
        let rules = |text| NestedBlock::new(Nesting::Set, rule_block().describe(text)).computed();
        let block = Block::new()
            .describe("Who may talk to an interface.")
            .attr("id", computed("Id of the group."))
            .attr("arn", computed("ARN of the group."))
            .attr("owner_id", computed("Account that owns the group."))
            .attr("name", given("Name of the group; made up otherwise."))
            .attr("name_prefix", given("Start of a made-up name."))
            .attr(
                "description",
                Attribute::optional(Type::String)
                    .default("Managed by Terraform")
                    .force_new()
                    .describe("What the group is for."),
            )
            .attr("vpc_id", given("VPC; the default one otherwise."))
            .attr(
                "revoke_rules_on_delete",
                Attribute::optional(Type::Bool)
                    .default(false)
                    .describe("Take out all rules before the deletion."),
            )
            .block("ingress", rules("Who may talk to it."))
            .block("egress", rules("Whom it may talk to."));
        let minutes = |m: u64| Duration::from_secs(m * 60);
        Schema::new(tagged(block)).timeouts([("create", minutes(10)), ("delete", minutes(15))])
    }

    fn validate(&self, config: &Value, found: &mut Diagnostics) {
        check::conflicts(config, &["name", "name_prefix"], found);
        let allowed = |c: char| !c.is_control();
        check::name(config, "name", 255, allowed, "printable ones", found);
        if config.get_str("name").is_some_and(|n| n.starts_with("sg-")) {
            found.push(check::invalid(
                topo_sdk::Path::attribute("name"),
                "A name cannot start with \"sg-\"",
            ));
        }
        for rule in blocks(config, "ingress")
            .iter()
            .chain(blocks(config, "egress"))
        {
            for (list, what) in [("cidr_blocks", "IPv4"), ("ipv6_cidr_blocks", "IPv6")] {
                for cidr in blocks(rule, list).iter().filter_map(Value::as_str) {
                    if let Some(problem) = check::cidr_problem(cidr) {
                        let path = topo_sdk::Path::attribute(list);
                        found.push(check::invalid(
                            path,
                            &format!("\"{cidr}\" is not an {what} network: {problem}"),
                        ));
                    }
                }
            }
        }
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
        let name = names::given_or_made(planned, "name", "name_prefix", call.token());
        let answer = call
            .ec2()
            .create_security_group()
            .group_name(&name)
            .set_description(string(planned, "description"))
            .set_vpc_id(string(planned, "vpc_id"))
            .set_tag_specifications(ec2::specification(ResourceType::SecurityGroup, &tags))
            .send()
            .await
            .api(call, "ec2:CreateSecurityGroup")?;
        let id = answer.group_id().unwrap_or_default().to_owned();
        let made = planned
            .clone()
            .with("id", Value::from(id.as_str()))
            .with("name", Value::from(name));
        call.accepted(&made).await?;
        // AWS lets everything out of a new group; here a group does what its rules say.
        let known = std::slice::from_ref(&made);
        let group = call
            .until(&format!("security group {id}"), || async {
                Ok(match describe(call, known).await?.remove(&id) {
                    Some(group) => Status::Ready(group),
                    None => Status::Pending("security group is not visible".into()),
                })
            })
            .await?;
        let owner = group.owner_id().unwrap_or_default();
        let out = firewall::of_answer(group.ip_permissions_egress(), &id, owner);
        converge(call, &id, Direction::Out, &out, &rules(planned, "egress")).await?;
        converge(call, &id, Direction::In, &[], &rules(planned, "ingress")).await?;
        Ok(made)
    }

    async fn update(
        &self,
        call: &Call<'_>,
        prior: &Value,
        planned: &Value,
    ) -> Result<(), Diagnostics> {
        let id = prior.get_str("id").unwrap_or_default();
        for (name, direction) in [("ingress", Direction::In), ("egress", Direction::Out)] {
            converge(
                call,
                id,
                direction,
                &rules(prior, name),
                &rules(planned, name),
            )
            .await?;
        }
        ec2::retag(call, id, prior, planned).await
    }

    async fn delete(&self, call: &Call<'_>, prior: &Value) -> Result<(), Diagnostics> {
        let id = prior.get_str("id").unwrap_or_default();
        if prior.get_bool("revoke_rules_on_delete") == Some(true)
            && let Some(group) = describe(call, std::slice::from_ref(prior))
                .await?
                .remove(id)
        {
            let owner = group.owner_id().unwrap_or_default();
            let into = firewall::of_answer(group.ip_permissions(), id, owner);
            let out = firewall::of_answer(group.ip_permissions_egress(), id, owner);
            converge(call, id, Direction::In, &into, &[]).await?;
            converge(call, id, Direction::Out, &out, &[]).await?;
        }
        ec2::remove(call, || async {
            call.ec2()
                .delete_security_group()
                .group_id(id)
                .send()
                .await
                .api(call, "ec2:DeleteSecurityGroup")
        })
        .await
    }

    async fn find(&self, aws: &Aws, planned: &Value, token: &str) -> Result<Found, Diagnostics> {
        // A name is unique in its VPC.
        let name = names::given_or_made(planned, "name", "name_prefix", token);
        let vpc = planned
            .get_str("vpc_id")
            .map(|v| ec2::filter("vpc-id", [v]));
        let filters = [ec2::filter("group-name", [name])].into_iter().chain(vpc);
        let answer = aws
            .ec2()
            .describe_security_groups()
            .set_filters(Some(filters.collect()))
            .send()
            .await
            .api(aws, "ec2:DescribeSecurityGroups")?;
        let groups = answer.security_groups().iter();
        let alike = groups.map(|g| {
            (
                g.group_id().unwrap_or_default().to_owned(),
                ec2::tags(g.tags()),
            )
        });
        Ok(ec2::alike(alike.collect(), &aws.tags.wanted(planned)))
    }
}

fn rule_block() -> Block {
    let texts = |text| Attribute::optional(Type::list(Type::String)).describe(text);
    Block::new()
        .attr(
            "from_port",
            Attribute::required(Type::Number).describe("First port, or ICMP type."),
        )
        .attr(
            "to_port",
            Attribute::required(Type::Number).describe("Last port, or ICMP code."),
        )
        .attr(
            "protocol",
            Attribute::required(Type::String)
                .describe("tcp, udp, icmp, icmpv6, a number, or -1 for all."),
        )
        .attr("cidr_blocks", texts("IPv4 networks."))
        .attr("ipv6_cidr_blocks", texts("IPv6 networks."))
        .attr("prefix_list_ids", texts("Prefix lists."))
        .attr(
            "security_groups",
            Attribute::optional(Type::set(Type::String)).describe("Security groups."),
        )
        .attr(
            "self",
            Attribute::optional(Type::Bool)
                .default(false)
                .describe("The group itself."),
        )
        .attr(
            "description",
            Attribute::optional(Type::String).describe("What the rule is for."),
        )
}

fn rules(object: &Value, name: &str) -> Vec<Rule> {
    let mut rules: Vec<Rule> = blocks(object, name)
        .iter()
        .flat_map(firewall::of_block)
        .collect();
    rules.sort();
    rules.dedup_by(|a, b| a.same(b));
    rules
}

/// Makes the rules of one direction be `new`. What is added comes first: traffic that both let
/// through is never cut.
async fn converge(
    call: &Call<'_>,
    id: &str,
    direction: Direction,
    old: &[Rule],
    new: &[Rule],
) -> Result<(), Diagnostics> {
    let permissions = |rules: Vec<&Rule>| {
        let made: Vec<_> = rules.into_iter().map(|r| r.permission(id)).collect();
        (!made.is_empty()).then_some(made)
    };
    let add = new.iter().filter(|n| !old.iter().any(|o| o.same(n)));
    if let Some(add) = permissions(add.collect()) {
        let not_visible = |e: &ApiError| e.code() == "InvalidGroup.NotFound";
        let added = persist(call.propagation(), not_visible, || async {
            let add = Some(add.clone());
            match direction {
                Direction::In => call
                    .ec2()
                    .authorize_security_group_ingress()
                    .group_id(id)
                    .set_ip_permissions(add)
                    .send()
                    .await
                    .api(call, "ec2:AuthorizeSecurityGroupIngress")
                    .map(|_| ()),
                Direction::Out => call
                    .ec2()
                    .authorize_security_group_egress()
                    .group_id(id)
                    .set_ip_permissions(add)
                    .send()
                    .await
                    .api(call, "ec2:AuthorizeSecurityGroupEgress")
                    .map(|_| ()),
            }
        });
        match added.await {
            Err(e) if e.code() == "InvalidPermission.Duplicate" => {}
            other => other?,
        }
    }
    let remove = old.iter().filter(|o| !new.iter().any(|n| n.same(o)));
    if let Some(remove) = permissions(remove.collect()) {
        match direction {
            Direction::In => call
                .ec2()
                .revoke_security_group_ingress()
                .group_id(id)
                .set_ip_permissions(Some(remove))
                .send()
                .await
                .api(call, "ec2:RevokeSecurityGroupIngress")
                .or_gone()
                .map(|_| ())?,
            Direction::Out => call
                .ec2()
                .revoke_security_group_egress()
                .group_id(id)
                .set_ip_permissions(Some(remove))
                .send()
                .await
                .api(call, "ec2:RevokeSecurityGroupEgress")
                .or_gone()
                .map(|_| ())?,
        }
    }
    let reword = new.iter().filter(|n| {
        old.iter()
            .any(|o| o.same(n) && o.description != n.description)
    });
    if let Some(reword) = permissions(reword.collect()) {
        match direction {
            Direction::In => call
                .ec2()
                .update_security_group_rule_descriptions_ingress()
                .group_id(id)
                .set_ip_permissions(Some(reword))
                .send()
                .await
                .api(call, "ec2:UpdateSecurityGroupRuleDescriptionsIngress")
                .map(|_| ())?,
            Direction::Out => call
                .ec2()
                .update_security_group_rule_descriptions_egress()
                .group_id(id)
                .set_ip_permissions(Some(reword))
                .send()
                .await
                .api(call, "ec2:UpdateSecurityGroupRuleDescriptionsEgress")
                .map(|_| ())?,
        }
    }
    Ok(())
}

async fn describe(aws: &Aws, known: &[Value]) -> Result<HashMap<String, Ec2Group>, Diagnostics> {
    let mut found = HashMap::new();
    for ids in ec2::ids(known) {
        let by_id = ec2::filter("group-id", ids);
        let items = aws
            .ec2()
            .describe_security_groups()
            .filters(by_id)
            .into_paginator()
            .items()
            .send();
        let items = items
            .collect::<Result<Vec<_>, _>>()
            .await
            .api(aws, "ec2:DescribeSecurityGroups")?;
        found.extend(
            items
                .into_iter()
                .filter_map(|g| Some((g.group_id()?.to_owned(), g))),
        );
    }
    Ok(found)
}

fn view(aws: &Aws, group: &Ec2Group, known: &Value) -> Value {
    let id = group.group_id().unwrap_or_default();
    let owner = group.owner_id().unwrap_or_default();
    let name = group.group_name().unwrap_or_default();
    let side = |permissions, side| {
        firewall::blocks(
            firewall::of_answer(permissions, id, owner),
            blocks(known, side),
        )
    };
    let into = side(group.ip_permissions(), "ingress");
    let out = side(group.ip_permissions_egress(), "egress");
    let prefix = string(known, "name_prefix").or_else(|| names::prefix_of(name).map(str::to_owned));
    View::of(known)
        .set("id", id)
        .set(
            "arn",
            aws.arn("ec2", owner, &format!("security-group/{id}")),
        )
        .text("owner_id", group.owner_id())
        .text("name", Some(name))
        .set("name_prefix", prefix.unwrap_or_default())
        .text("description", group.description())
        .text("vpc_id", group.vpc_id())
        .set("ingress", into)
        .set("egress", out)
        .tags(aws, ec2::tags(group.tags()))
        .done()
}
