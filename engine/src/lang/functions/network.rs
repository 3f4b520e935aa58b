//! Address functions over CIDR prefixes, IPv4 and IPv6.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use num_bigint::BigInt;
use topo_sdk::Value;

use super::ParamType as T;
use super::{
    Context, Function, FunctionError, Param, integer, number, returns_bool, returns_string,
    returns_strings, strings, text,
};

const PREFIX: Param = Param::new("prefix", T::String, "An address range in CIDR notation.");

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "cidrcontains",
        "Whether a range contains an address or another range.",
        &[
            PREFIX,
            Param::new("address", T::String, "The address or range."),
        ],
        returns_bool,
        cidrcontains,
    ),
    Function::new(
        "cidrhost",
        "The address with a number in a range; negative from the end.",
        &[PREFIX, Param::new("hostnum", T::Number, "The number.")],
        returns_string,
        cidrhost,
    ),
    Function::new(
        "cidrnetmask",
        "The mask of an IPv4 range.",
        &[PREFIX],
        returns_string,
        cidrnetmask,
    ),
    Function::new(
        "cidrsubnet",
        "A subnet of a range, by the bits that it adds and its number.",
        &[
            PREFIX,
            Param::new("newbits", T::Number, "The bits added to the prefix."),
            Param::new("netnum", T::Number, "The number of the subnet."),
        ],
        returns_string,
        cidrsubnet,
    ),
    Function::new(
        "cidrsubnets",
        "Subnets of a range one after the other, by the bits that each adds.",
        &[PREFIX],
        returns_strings,
        cidrsubnets,
    )
    .variadic(Param::new(
        "newbits",
        T::Number,
        "The bits added to the prefix.",
    )),
];

/// A range by its first address as a number, its prefix length and the length of its addresses.
struct Range {
    first: u128,
    length: u8,
    bits: u8,
}

impl Range {
    fn parse(args: &[Value]) -> Result<Range, FunctionError> {
        let text = text(args, 0)?;
        let net: IpNet = plain_digits(text)
            .parse()
            .map_err(|_| FunctionError::at(0, format!("invalid CIDR expression: {text:?}")))?;
        Ok(Range::of(net))
    }

    fn of(net: IpNet) -> Range {
        let first = match net.network() {
            IpAddr::V4(a) => u128::from(u32::from(a)),
            IpAddr::V6(a) => u128::from(a),
        };
        Range {
            first,
            length: net.prefix_len(),
            bits: net.max_prefix_len(),
        }
    }

    fn address(&self, number: u128) -> String {
        if self.bits == 32 {
            // An IPv4 range ends within 32 bits.
            Ipv4Addr::from(u32::try_from(number).unwrap_or(u32::MAX)).to_string()
        } else {
            Ipv6Addr::from(number).to_string()
        }
    }

    /// The last address.
    fn last(&self) -> u128 {
        self.first | low_bits(self.bits - self.length)
    }

    /// The prefix length with these bits added.
    fn longer(&self, args: &[Value], i: usize) -> Result<u8, FunctionError> {
        let new = integer(args, i)?;
        u8::try_from(new)
            .ok()
            .and_then(|new| self.length.checked_add(new))
            .filter(|length| *length <= self.bits)
            .ok_or_else(|| {
                FunctionError::at(
                    i,
                    format!(
                        "insufficient address space to extend prefix of {} by {new}",
                        self.length
                    ),
                )
            })
    }
}

/// Without zeros before the numbers of an IPv4 address and of a prefix length: some write them
/// for the alignment, and they do not mean base 8.
fn plain_digits(text: &str) -> String {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let trim = |s: &str| match s.trim_start_matches('0') {
        "" if !s.is_empty() => "0".to_string(),
        rest => rest.to_string(),
    };
    let mut out = if address.contains(':') {
        address.to_string()
    } else {
        address.split('.').map(trim).collect::<Vec<_>>().join(".")
    };
    if let Some(length) = length {
        out.push('/');
        out.push_str(&trim(length));
    }
    out
}

/// A number with this many low bits set.
fn low_bits(count: u8) -> u128 {
    match count {
        0 => 0,
        n => u128::MAX >> (128 - u32::from(n.min(128))),
    }
}

fn cidrcontains(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let outer = Range::parse(args)?;
    let given = text(args, 1)?;
    let plain = plain_digits(given);
    let inner = plain
        .parse::<IpNet>()
        // An IPv4 address in IPv6 notation is an IPv4 address.
        .or_else(|_| {
            plain
                .parse::<IpAddr>()
                .map(|a| IpNet::from(a.to_canonical()))
        })
        .map(Range::of)
        .map_err(|_| FunctionError::at(1, format!("invalid IP address or prefix: {given}")))?;
    if outer.bits != inner.bits {
        return Err(FunctionError::at(1, "address family mismatch"));
    }
    Ok((outer.first <= inner.first && inner.last() <= outer.last()).into())
}

fn cidrhost(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let range = Range::parse(args)?;
    let given = number(args, 1)?;
    let host = given
        .to_bigint()
        .ok_or_else(|| FunctionError::at(1, "value must be a whole number"))?;
    let size = BigInt::from(low_bits(range.bits - range.length)) + 1;
    let offset = if given.is_negative() {
        host + size
    } else {
        host
    };
    u128::try_from(offset)
        .ok()
        .filter(|o| *o <= low_bits(range.bits - range.length))
        .map(|o| range.address(range.first | o).into())
        .ok_or_else(|| {
            FunctionError::at(
                1,
                format!(
                    "prefix of {} does not accommodate a host numbered {given}",
                    range.length
                ),
            )
        })
}

fn cidrnetmask(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let range = Range::parse(args)?;
    if range.bits != 32 {
        return Err(FunctionError::at(0, "IPv6 addresses cannot have a netmask"));
    }
    Ok(range
        .address(low_bits(32) ^ low_bits(32 - range.length))
        .into())
}

fn cidrsubnet(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let range = Range::parse(args)?;
    let length = range.longer(args, 1)?;
    let added = length - range.length;
    let given = number(args, 2)?;
    let netnum = given
        .to_bigint()
        .and_then(|n| u128::try_from(n).ok())
        .filter(|n| *n <= low_bits(added))
        .ok_or_else(|| {
            FunctionError::at(
                2,
                format!(
                    "prefix extension of {added} does not accommodate a subnet numbered {given}"
                ),
            )
        })?;
    // Without added bits the number is zero, and so is what a shift by all bits would give.
    let shifted = netnum
        .checked_shl(u32::from(range.bits - length))
        .unwrap_or(0);
    Ok(format!("{}/{length}", range.address(range.first | shifted)).into())
}

fn cidrsubnets(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let range = Range::parse(args)?;
    let mut next = Some(range.first);
    let mut made = Vec::new();
    for i in 1..args.len() {
        match integer(args, i)? {
            ..1 => {
                return Err(FunctionError::at(
                    i,
                    "must extend prefix by at least one bit",
                ));
            }
            33.. => {
                return Err(FunctionError::at(
                    i,
                    "may not extend prefix by more than 32 bits",
                ));
            }
            _ => {}
        }
        let length = range.longer(args, i)?;
        let size = low_bits(range.bits - length);
        // Up to the next boundary of this size.
        let found = next
            .and_then(|n| n.checked_add(size))
            .map(|n| n & !size)
            .filter(|first| first | size <= range.last())
            .ok_or_else(|| {
                FunctionError::at(
                    i,
                    format!("not enough remaining address space for a subnet with a prefix of {length} bits"),
                )
            })?;
        made.push(format!("{}/{length}", range.address(found)));
        next = (found | size).checked_add(1);
    }
    Ok(strings(made))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;

    #[test]
    fn results() {
        check(&[
            (
                "cidrcontains",
                &[s("192.168.2.0/20"), s("192.168.2.1")],
                "true",
            ),
            (
                "cidrcontains",
                &[s("192.168.2.0/24"), s("192.168.0.0/16")],
                "false",
            ),
            (
                "cidrhost",
                &[s("10.12.112.0/20"), n("16")],
                r#""10.12.112.16""#,
            ),
            (
                "cidrhost",
                &[s("10.12.112.0/20"), n("-1")],
                r#""10.12.127.255""#,
            ),
            (
                "cidrhost",
                &[s("fd00:fd12:3456:7890:00a2::/72"), n("34")],
                r#""fd00:fd12:3456:7890::22""#,
            ),
            ("cidrnetmask", &[s("172.16.0.0/12")], r#""255.240.0.0""#),
            ("cidrnetmask", &[s("0.0.0.0/0")], r#""0.0.0.0""#),
            (
                "cidrsubnet",
                &[s("172.16.0.0/12"), n("4"), n("2")],
                r#""172.18.0.0/16""#,
            ),
            (
                "cidrsubnet",
                &[s("10.1.2.0/24"), n("4"), n("15")],
                r#""10.1.2.240/28""#,
            ),
            (
                "cidrsubnet",
                &[s("fd00:fd12:3456:7890::/56"), n("16"), n("162")],
                r#""fd00:fd12:3456:7800:a200::/72""#,
            ),
            ("cidrsubnet", &[s("::/0"), n("0"), n("0")], r#""::/0""#),
            (
                "cidrsubnets",
                &[s("10.1.0.0/16"), n("4"), n("4"), n("8"), n("4")],
                r#"["10.1.0.0/20","10.1.16.0/20","10.1.32.0/24","10.1.48.0/20"]"#,
            ),
        ]);
    }

    #[test]
    fn refusals() {
        refuse(&[
            (
                "cidrhost",
                &[s("10.0.0.0/24"), n("256")],
                "does not accommodate a host",
            ),
            (
                "cidrhost",
                &[s("10.0.0.0/24"), n("-257")],
                "does not accommodate a host",
            ),
            ("cidrhost", &[s("10.0.0.0"), n("1")], "invalid CIDR"),
            ("cidrnetmask", &[s("::/1")], "IPv6"),
            (
                "cidrsubnet",
                &[s("10.0.0.0/24"), n("9"), n("0")],
                "insufficient address space",
            ),
            (
                "cidrsubnet",
                &[s("10.0.0.0/24"), n("1"), n("2")],
                "does not accommodate a subnet",
            ),
            (
                "cidrsubnets",
                &[s("10.0.0.0/24"), n("1"), n("1"), n("1")],
                "not enough remaining",
            ),
        ]);
    }
}
