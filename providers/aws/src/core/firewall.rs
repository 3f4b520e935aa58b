//! Security group rules in their smallest form: one protocol, one range of ports, one peer. The
//! API groups them by ports and people group them as they like; two groupings are the same when
//! their smallest rules are.

use aws_sdk_ec2::types::{IpPermission, IpRange, Ipv6Range, PrefixListId, UserIdGroupPair};
use topo_sdk::{Type, Value};

use super::view::{number, string, strings, text, texts};

/// Who may talk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Peer {
    V4(String),
    V6(String),
    PrefixList(String),
    /// A security group, with `ACCOUNT/` in front where it is another account's.
    Group(String),
    /// The security group itself.
    Itself,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rule {
    pub protocol: String,
    /// First and last port, or ICMP type and code; `None` for all protocols.
    pub ports: Option<(i32, i32)>,
    pub peer: Peer,
    pub description: Option<String>,
}

impl Rule {
    /// Whether AWS takes them for the same rule: the description does not count.
    pub fn same(&self, other: &Rule) -> bool {
        self.protocol == other.protocol && self.ports == other.ports && self.peer == other.peer
    }

    /// As the API takes it.
    pub fn permission(&self, own_group: &str) -> IpPermission {
        let note = self.description.clone();
        let permission = IpPermission::builder()
            .ip_protocol(&self.protocol)
            .set_from_port(self.ports.map(|p| p.0))
            .set_to_port(self.ports.map(|p| p.1));
        let permission = match &self.peer {
            Peer::V4(cidr) => permission.ip_ranges(
                IpRange::builder()
                    .cidr_ip(cidr)
                    .set_description(note)
                    .build(),
            ),
            Peer::V6(cidr) => permission.ipv6_ranges(
                Ipv6Range::builder()
                    .cidr_ipv6(cidr)
                    .set_description(note)
                    .build(),
            ),
            Peer::PrefixList(id) => permission.prefix_list_ids(
                PrefixListId::builder()
                    .prefix_list_id(id)
                    .set_description(note)
                    .build(),
            ),
            Peer::Group(group) => {
                let (account, id) = match group.split_once('/') {
                    Some((account, id)) => (Some(account.to_owned()), id),
                    None => (None, group.as_str()),
                };
                permission.user_id_group_pairs(
                    UserIdGroupPair::builder()
                        .group_id(id)
                        .set_user_id(account)
                        .set_description(note)
                        .build(),
                )
            }
            Peer::Itself => permission.user_id_group_pairs(
                UserIdGroupPair::builder()
                    .group_id(own_group)
                    .set_description(note)
                    .build(),
            ),
        };
        permission.build()
    }
}

/// The name that AWS gives a protocol: `tcp` for 6, `-1` for all.
pub(crate) fn protocol(text: &str) -> String {
    match text.to_ascii_lowercase().as_str() {
        "all" | "-1" => "-1".into(),
        "6" => "tcp".into(),
        "17" => "udp".into(),
        "1" => "icmp".into(),
        "58" => "icmpv6".into(),
        other => other.into(),
    }
}

/// The rules of one `ingress` or `egress` block.
pub(crate) fn of_block(block: &Value) -> Vec<Rule> {
    let protocol = protocol(block.get_str("protocol").unwrap_or_default());
    let ports = (protocol != "-1").then(|| {
        (
            number(block, "from_port").unwrap_or_default(),
            number(block, "to_port").unwrap_or_default(),
        )
    });
    let itself = (block.get_bool("self") == Some(true)).then_some(Peer::Itself);
    let peers = strings(block, "cidr_blocks").into_iter().map(Peer::V4);
    let peers = peers
        .chain(strings(block, "ipv6_cidr_blocks").into_iter().map(Peer::V6))
        .chain(
            strings(block, "prefix_list_ids")
                .into_iter()
                .map(Peer::PrefixList),
        )
        .chain(
            strings(block, "security_groups")
                .into_iter()
                .map(Peer::Group),
        )
        .chain(itself);
    peers
        .map(|peer| Rule {
            protocol: protocol.clone(),
            ports,
            peer,
            description: string(block, "description"),
        })
        .collect()
}

/// The rules of an answer about a group.
pub(crate) fn of_answer(permissions: &[IpPermission], own_group: &str, owner: &str) -> Vec<Rule> {
    let mut rules = Vec::new();
    for p in permissions {
        let protocol = protocol(p.ip_protocol().unwrap_or("-1"));
        let ports = (protocol != "-1").then(|| {
            (
                p.from_port().unwrap_or_default(),
                p.to_port().unwrap_or_default(),
            )
        });
        let mut add = |peer: Peer, description: Option<&str>| {
            rules.push(Rule {
                protocol: protocol.clone(),
                ports,
                peer,
                description: description.filter(|d| !d.is_empty()).map(str::to_owned),
            });
        };
        for range in p.ip_ranges() {
            add(
                Peer::V4(range.cidr_ip().unwrap_or_default().into()),
                range.description(),
            );
        }
        for range in p.ipv6_ranges() {
            add(
                Peer::V6(range.cidr_ipv6().unwrap_or_default().into()),
                range.description(),
            );
        }
        for list in p.prefix_list_ids() {
            let id = list.prefix_list_id().unwrap_or_default();
            add(Peer::PrefixList(id.into()), list.description());
        }
        for pair in p.user_id_group_pairs() {
            let id = pair.group_id().unwrap_or_default();
            let account = pair.user_id().filter(|a| !a.is_empty() && *a != owner);
            let peer = match account {
                _ if id == own_group => Peer::Itself,
                Some(account) => Peer::Group(format!("{account}/{id}")),
                None => Peer::Group(id.into()),
            };
            add(peer, pair.description());
        }
    }
    rules
}

/// The blocks that show these rules: those known before, as far as their rules are still there,
/// then new ones for the rest, one for each protocol, range of ports and description.
pub(crate) fn blocks(mut found: Vec<Rule>, known: &[Value]) -> Value {
    let mut made = Vec::new();
    for block in known {
        let rules = of_block(block);
        let (here, gone): (Vec<Rule>, Vec<Rule>) =
            rules.iter().cloned().partition(|r| found.contains(r));
        found.retain(|f| !here.contains(f));
        if gone.is_empty() {
            made.push(block.clone());
        } else if !here.is_empty() {
            made.push(block_of(&here));
        }
    }
    while let Some(first) = found.first().cloned() {
        let like = |r: &Rule| {
            r.protocol == first.protocol
                && r.ports == first.ports
                && r.description == first.description
        };
        let (together, rest): (Vec<Rule>, Vec<Rule>) = found.into_iter().partition(like);
        made.push(block_of(&together));
        found = rest;
    }
    Value::tuple(made)
}

/// One block for rules that differ in their peers only.
fn block_of(rules: &[Rule]) -> Value {
    let Some(first) = rules.first() else {
        return Value::NULL;
    };
    let pick = |choose: fn(&Peer) -> Option<&String>| {
        let items: Vec<&String> = rules.iter().filter_map(|r| choose(&r.peer)).collect();
        if items.is_empty() {
            Value::NULL
        } else {
            texts(items)
        }
    };
    let (from, to) = first.ports.unwrap_or((0, 0));
    let pick_v4 = pick(|p| if let Peer::V4(s) = p { Some(s) } else { None });
    let pick_v6 = pick(|p| if let Peer::V6(s) = p { Some(s) } else { None });
    let pick_lists = pick(|p| {
        if let Peer::PrefixList(s) = p {
            Some(s)
        } else {
            None
        }
    });
    let pick_groups = pick(|p| {
        if let Peer::Group(s) = p {
            Some(s)
        } else {
            None
        }
    });
    let itself = rules.iter().any(|r| r.peer == Peer::Itself);
    Value::object([
        ("protocol", Value::from(first.protocol.as_str())),
        ("from_port", Value::from(from)),
        ("to_port", Value::from(to)),
        ("cidr_blocks", pick_v4),
        ("ipv6_cidr_blocks", pick_v6),
        ("prefix_list_ids", pick_lists),
        ("security_groups", pick_groups),
        ("self", Value::from(itself)),
        (
            "description",
            match &first.description {
                Some(d) => text(Some(d)),
                None => Value::null(Type::String),
            },
        ),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(port: i32, cidrs: &[&str]) -> Value {
        Value::object([
            ("protocol", Value::from("tcp")),
            ("from_port", Value::from(port)),
            ("to_port", Value::from(port)),
            ("cidr_blocks", texts(cidrs)),
        ])
    }

    #[test]
    fn blocks_keep_the_grouping_that_was_known() {
        let known = [block(443, &["10.0.0.0/8"]), block(443, &["192.168.0.0/16"])];
        let together = of_block(&block(443, &["192.168.0.0/16", "10.0.0.0/8"]));
        assert_eq!(blocks(together, &known), Value::tuple(known.to_vec()));
    }

    #[test]
    fn what_is_gone_leaves_its_block_and_what_is_new_gets_one() {
        let known = [block(443, &["10.0.0.0/8", "192.168.0.0/16"])];
        let found = [block(443, &["10.0.0.0/8"]), block(80, &["0.0.0.0/0"])];
        let found = found.iter().flat_map(of_block).collect();
        let shown = blocks(found, &known);
        let shown = shown.as_slice().unwrap();
        assert_eq!(strings(&shown[0], "cidr_blocks"), ["10.0.0.0/8"]);
        assert_eq!(shown[1].get_i64("from_port"), Some(80));
    }

    #[test]
    fn rules_survive_the_way_through_the_api() {
        let all = Value::object([
            ("protocol", Value::from("all")),
            ("self", Value::from(true)),
            ("security_groups", texts(["sg-2", "111122223333/sg-3"])),
            ("description", Value::from("peers")),
        ]);
        let rules = of_block(&all);
        let sent: Vec<_> = rules.iter().map(|r| r.permission("sg-1")).collect();
        assert_eq!(of_answer(&sent, "sg-1", "000000000000"), rules);
    }
}
