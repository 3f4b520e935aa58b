//! `aws_vpc_security_group_ingress_rule` and `aws_vpc_security_group_egress_rule`: one rule of a
//! security group, an object of its own in AWS. The two differ in nothing but the direction.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_ec2::types::{
    ResourceType, SecurityGroupRule as Ec2Rule, SecurityGroupRuleRequest, SecurityGroupRuleUpdate,
};
use topo_sdk::{Attribute, Block, Diagnostics, Schema, Type, Value};

use crate::core::check;
use crate::core::clients::Aws;
use crate::core::contract::{Call, Found, Read, Resource};
use crate::core::ec2;
use crate::core::error::{OrGone, SdkResult};
use crate::core::firewall::{Peer, Rule, protocol};
use crate::core::tags::tagged;
use crate::core::view::{View, any_changed, number, string};

/// A direction's type.
pub(crate) struct GroupRule {
    name: &'static str,
    egress: bool,
}

/// The type of rules about who may talk to a group.
pub(crate) static INGRESS: GroupRule = GroupRule {
    name: "aws_vpc_security_group_ingress_rule",
    egress: false,
};

/// The type of rules about whom a group may talk to.
pub(crate) static EGRESS: GroupRule = GroupRule {
    name: "aws_vpc_security_group_egress_rule",
    egress: true,
};

const PEERS: [&str; 4] = [
    "cidr_ipv4",
    "cidr_ipv6",
    "prefix_list_id",
    "referenced_security_group_id",
];

#[async_trait]
impl Resource for GroupRule {
    fn name(&self) -> &'static str {
        self.name
    }

    fn schema(&self) -> Schema {
        let computed = |text| Attribute::computed(Type::String).describe(text);
        let text = |text| Attribute::optional(Type::String).describe(text);
        let block = Block::new()
            .describe("One rule of a security group.")
            .attr("id", computed("Id of the rule."))
            .attr("arn", computed("ARN of the rule."))
            .attr("security_group_rule_id", computed("Id of the rule."))
            .attr(
                "security_group_id",
                Attribute::required(Type::String)
                    .force_new()
                    .describe("Security group."),
            )
            .attr("cidr_ipv4", text("IPv4 network."))
            .attr("cidr_ipv6", text("IPv6 network."))
            .attr("prefix_list_id", text("Prefix list."))
            .attr(
                "referenced_security_group_id",
                text("Security group, ACCOUNT/ID where it is another account's."),
            )
            .attr(
                "ip_protocol",
                Attribute::required(Type::String)
                    .describe("tcp, udp, icmp, icmpv6, a number, or -1 for all."),
            )
            .attr(
                "from_port",
                Attribute::optional(Type::Number).describe("First port, or ICMP type."),
            )
            .attr(
                "to_port",
                Attribute::optional(Type::Number).describe("Last port, or ICMP code."),
            )
            .attr("description", text("What the rule is for."));
        Schema::new(tagged(block))
    }

    fn validate(&self, config: &Value, found: &mut Diagnostics) {
        check::exactly_one(config, &PEERS, found);
        check::cidr(config, "cidr_ipv4", found);
        check::cidr(config, "cidr_ipv6", found);
        check::between(config, "from_port", -1..=65535, found);
        check::between(config, "to_port", -1..=65535, found);
    }

    fn normalise(&self, prior: &Value, proposed: Value) -> Value {
        match (
            prior.get_str("ip_protocol"),
            proposed.get_str("ip_protocol"),
        ) {
            (Some(old), Some(new)) if old != new && protocol(old) == protocol(new) => {
                let old = Value::from(old);
                proposed.with("ip_protocol", old)
            }
            _ => proposed,
        }
    }

    async fn read(&self, aws: &Aws, known: &Value) -> Read {
        ec2::only(self.read_many(aws, std::slice::from_ref(known)).await)
    }

    async fn read_many(&self, aws: &Aws, known: &[Value]) -> Vec<Read> {
        let found = describe(aws, known).await;
        ec2::answer(known, found, |r, k| {
            (r.is_egress() != Some(!self.egress)).then(|| view(aws, r, k))
        })
    }

    async fn create(&self, call: &Call<'_>, planned: &Value) -> Result<Value, Diagnostics> {
        let tags = ec2::specification(ResourceType::SecurityGroupRule, &call.tags.wanted(planned));
        let group = planned.get_str("security_group_id").unwrap_or_default();
        let permission = rule(planned).permission(group);
        let made = if self.egress {
            let request = call.ec2().authorize_security_group_egress().group_id(group);
            let answer = request
                .ip_permissions(permission)
                .set_tag_specifications(tags)
                .send()
                .await;
            answer
                .api(call, "ec2:AuthorizeSecurityGroupEgress")?
                .security_group_rules
        } else {
            let request = call
                .ec2()
                .authorize_security_group_ingress()
                .group_id(group);
            let answer = request
                .ip_permissions(permission)
                .set_tag_specifications(tags)
                .send()
                .await;
            answer
                .api(call, "ec2:AuthorizeSecurityGroupIngress")?
                .security_group_rules
        };
        let made = made.unwrap_or_default();
        let id = made
            .first()
            .and_then(|r| r.security_group_rule_id())
            .unwrap_or_default();
        let made = planned.clone().with("id", Value::from(id));
        call.accepted(&made).await?;
        Ok(made)
    }

    async fn update(
        &self,
        call: &Call<'_>,
        prior: &Value,
        planned: &Value,
    ) -> Result<(), Diagnostics> {
        let id = prior.get_str("id").unwrap_or_default();
        let own = ["ip_protocol", "from_port", "to_port", "description"];
        if any_changed(prior, planned, &own) || any_changed(prior, planned, &PEERS) {
            let rule = rule(planned);
            let request = SecurityGroupRuleRequest::builder()
                .ip_protocol(&rule.protocol)
                .set_from_port(rule.ports.map(|p| p.0).or(Some(-1)))
                .set_to_port(rule.ports.map(|p| p.1).or(Some(-1)))
                .set_cidr_ipv4(string(planned, "cidr_ipv4"))
                .set_cidr_ipv6(string(planned, "cidr_ipv6"))
                .set_prefix_list_id(string(planned, "prefix_list_id"))
                .set_referenced_group_id(
                    string(planned, "referenced_security_group_id")
                        .map(|g| g.rsplit('/').next().unwrap_or_default().to_owned()),
                )
                .set_description(rule.description)
                .build();
            let change = SecurityGroupRuleUpdate::builder()
                .security_group_rule_id(id)
                .security_group_rule(request)
                .build();
            call.ec2()
                .modify_security_group_rules()
                .set_group_id(string(prior, "security_group_id"))
                .security_group_rules(change)
                .send()
                .await
                .api(call, "ec2:ModifySecurityGroupRules")?;
        }
        ec2::retag(call, id, prior, planned).await
    }

    async fn delete(&self, call: &Call<'_>, prior: &Value) -> Result<(), Diagnostics> {
        let (id, group) = (string(prior, "id"), string(prior, "security_group_id"));
        let ids = id.map(|id| vec![id]);
        if self.egress {
            let request = call
                .ec2()
                .revoke_security_group_egress()
                .set_group_id(group);
            let answer = request.set_security_group_rule_ids(ids).send().await;
            answer
                .api(call, "ec2:RevokeSecurityGroupEgress")
                .or_gone()?;
        } else {
            let request = call
                .ec2()
                .revoke_security_group_ingress()
                .set_group_id(group);
            let answer = request.set_security_group_rule_ids(ids).send().await;
            answer
                .api(call, "ec2:RevokeSecurityGroupIngress")
                .or_gone()?;
        }
        Ok(())
    }

    async fn find(&self, aws: &Aws, planned: &Value, _token: &str) -> Result<Found, Diagnostics> {
        let Some(group) = planned.get_str("security_group_id") else {
            return Ok(Found::Sure(None));
        };
        let by_group = ec2::filter("group-id", [group]);
        let items = aws
            .ec2()
            .describe_security_group_rules()
            .filters(by_group)
            .into_paginator()
            .items()
            .send();
        let items = items
            .collect::<Result<Vec<_>, _>>()
            .await
            .api(aws, "ec2:DescribeSecurityGroupRules")?;
        // A group holds each rule once.
        let wanted = rule(planned);
        let same = items.iter().find(|r| {
            let shown = view(aws, r, planned);
            r.is_egress() == Some(self.egress) && rule(&shown).same(&wanted)
        });
        let id = same.and_then(|r| r.security_group_rule_id());
        Ok(Found::Sure(
            id.map(|id| Value::object([("id", Value::from(id))])),
        ))
    }
}

fn rule(object: &Value) -> Rule {
    let protocol = protocol(object.get_str("ip_protocol").unwrap_or_default());
    let ports = number(object, "from_port").zip(number(object, "to_port"));
    let peer = string(object, "cidr_ipv4")
        .map(Peer::V4)
        .or_else(|| string(object, "cidr_ipv6").map(Peer::V6))
        .or_else(|| string(object, "prefix_list_id").map(Peer::PrefixList))
        .or_else(|| string(object, "referenced_security_group_id").map(Peer::Group))
        .unwrap_or(Peer::Itself);
    Rule {
        ports: ports.filter(|_| protocol != "-1"),
        protocol,
        peer,
        description: string(object, "description"),
    }
}

async fn describe(aws: &Aws, known: &[Value]) -> Result<HashMap<String, Ec2Rule>, Diagnostics> {
    let mut found = HashMap::new();
    for ids in ec2::ids(known) {
        let by_id = ec2::filter("security-group-rule-id", ids);
        let items = aws
            .ec2()
            .describe_security_group_rules()
            .filters(by_id)
            .into_paginator()
            .items()
            .send();
        let items = items
            .collect::<Result<Vec<_>, _>>()
            .await
            .api(aws, "ec2:DescribeSecurityGroupRules")?;
        found.extend(
            items
                .into_iter()
                .filter_map(|r| Some((r.security_group_rule_id()?.to_owned(), r))),
        );
    }
    Ok(found)
}

fn view(aws: &Aws, rule: &Ec2Rule, known: &Value) -> Value {
    let id = rule.security_group_rule_id().unwrap_or_default();
    let owner = rule.group_owner_id().unwrap_or_default();
    let shown = rule.ip_protocol().unwrap_or("-1");
    let all = protocol(shown) == "-1";
    let shown = match known.get_str("ip_protocol") {
        Some(before) if protocol(before) == protocol(shown) => before.to_owned(),
        _ => shown.to_owned(),
    };
    let referenced = rule.referenced_group_info().and_then(|g| {
        let id = g.group_id()?;
        Some(match g.user_id().filter(|u| !u.is_empty() && *u != owner) {
            Some(account) => format!("{account}/{id}"),
            None => id.to_owned(),
        })
    });
    let mut view = View::of(known);
    // With all protocols AWS shows ports of -1, whatever was or was not asked for.
    if !all {
        view.int("from_port", rule.from_port())
            .int("to_port", rule.to_port());
    }
    view.set("id", id)
        .set("security_group_rule_id", id)
        .set(
            "arn",
            aws.arn("ec2", owner, &format!("security-group-rule/{id}")),
        )
        .text("security_group_id", rule.group_id())
        .set("ip_protocol", shown)
        .text("cidr_ipv4", rule.cidr_ipv4())
        .text("cidr_ipv6", rule.cidr_ipv6())
        .text("prefix_list_id", rule.prefix_list_id())
        .text("referenced_security_group_id", referenced.as_deref())
        .text("description", rule.description())
        .tags(aws, ec2::tags(rule.tags()))
        .done()
}
