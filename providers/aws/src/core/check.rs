//! Checks of arguments that a schema cannot express. All skip what is null or unknown.

use std::net::{Ipv4Addr, Ipv6Addr};

use topo_sdk::{Diagnostic, Diagnostics, Path, Value};

/// Why a text is no IPv4 or IPv6 network in canonical CIDR notation.
pub(crate) fn cidr_problem(text: &str) -> Option<String> {
    let Some((address, length)) = text.split_once('/') else {
        return Some("there is no \"/\" with a prefix length".into());
    };
    let (bits, width) = if let Ok(v4) = address.parse::<Ipv4Addr>() {
        (u128::from(u32::from(v4)), 32)
    } else if let Ok(v6) = address.parse::<Ipv6Addr>() {
        (u128::from(v6), 128)
    } else {
        return Some(format!("\"{address}\" is not an IP address"));
    };
    let length: u32 = match length.parse() {
        Ok(n) if n <= width => n,
        _ => return Some(format!("\"{length}\" is not a prefix length up to {width}")),
    };
    let host_bits = width - length;
    let host = if host_bits == 128 {
        u128::MAX
    } else {
        (1_u128 << host_bits) - 1
    };
    if bits & host == 0 {
        return None;
    }
    let network = bits & !host;
    let network = if width == 32 {
        // The upper 96 bits are zero: it was made from 32 bits.
        Ipv4Addr::from(network as u32).to_string()
    } else {
        Ipv6Addr::from(network).to_string()
    };
    Some(format!(
        "it has bits set behind its prefix; the network is \"{network}/{length}\""
    ))
}

/// Checks an attribute that holds a network.
pub(crate) fn cidr(object: &Value, attribute: &str, found: &mut Diagnostics) {
    if let Some(text) = object.get_str(attribute)
        && let Some(problem) = cidr_problem(text)
    {
        found.push(invalid(
            Path::attribute(attribute),
            &format!("\"{text}\" is not a network in CIDR notation: {problem}"),
        ));
    }
}

/// Checks an IPv4 network whose prefix length must lie in `lengths` (16 to 28 for VPCs and
/// subnets).
pub(crate) fn cidr_v4_between(
    object: &Value,
    attribute: &str,
    lengths: std::ops::RangeInclusive<u32>,
    found: &mut Diagnostics,
) {
    let Some(text) = object.get_str(attribute) else {
        return;
    };
    if text.contains(':') {
        let problem = format!("\"{text}\" is an IPv6 network; an IPv4 network is needed");
        found.push(invalid(Path::attribute(attribute), &problem));
        return;
    }
    let before = found.0.len();
    cidr(object, attribute, found);
    let length = text
        .split_once('/')
        .and_then(|(_, l)| l.parse::<u32>().ok());
    if found.0.len() == before && length.is_none_or(|l| !lengths.contains(&l)) {
        found.push(invalid(
            Path::attribute(attribute),
            &format!(
                "The prefix length of \"{text}\" must be between /{} and /{}",
                lengths.start(),
                lengths.end()
            ),
        ));
    }
}

/// Checks the length and characters of a name.
pub(crate) fn name(
    object: &Value,
    attribute: &str,
    longest: usize,
    allowed: fn(char) -> bool,
    rule: &str,
    found: &mut Diagnostics,
) {
    if let Some(text) = object.get_str(attribute)
        && (text.is_empty() || text.chars().count() > longest || !text.chars().all(allowed))
    {
        found.push(invalid(
            Path::attribute(attribute),
            &format!("\"{text}\" must have 1 to {longest} characters: {rule}"),
        ));
    }
}

/// Characters of names of roles and policies: letters, digits and `+=,.@_-` (source: IAM).
pub(crate) fn iam_name(object: &Value, attribute: &str, longest: usize, found: &mut Diagnostics) {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c);
    name(
        object,
        attribute,
        longest,
        allowed,
        "letters, digits and +=,.@_-",
        found,
    );
}

/// Checks that an attribute holds one of these words.
pub(crate) fn one_of(object: &Value, attribute: &str, words: &[&str], found: &mut Diagnostics) {
    if let Some(text) = object.get_str(attribute)
        && !words.contains(&text)
    {
        found.push(invalid(
            Path::attribute(attribute),
            &format!("\"{text}\" must be one of {}", words.join(", ")),
        ));
    }
}

/// Checks that a number lies in a range.
pub(crate) fn between(
    object: &Value,
    attribute: &str,
    range: std::ops::RangeInclusive<i64>,
    found: &mut Diagnostics,
) {
    if let Some(n) = object.get_i64(attribute)
        && !range.contains(&n)
    {
        found.push(invalid(
            Path::attribute(attribute),
            &format!("{n} must be between {} and {}", range.start(), range.end()),
        ));
    }
}

/// Checks that at most one of these is set.
pub(crate) fn conflicts(object: &Value, attributes: &[&str], found: &mut Diagnostics) {
    let set: Vec<&str> = attributes
        .iter()
        .copied()
        .filter(|a| object.get(a).is_some_and(|v| !v.is_null()))
        .collect();
    if let [_, second, ..] = set.as_slice() {
        let problem = format!("Only one of {} can be set", set.join(", "));
        found.push(invalid(Path::attribute(*second), &problem));
    }
}

/// Checks that exactly one of these is set (an unknown value counts as set).
pub(crate) fn exactly_one(object: &Value, attributes: &[&str], found: &mut Diagnostics) {
    let none = attributes
        .iter()
        .all(|a| object.get(a).is_none_or(Value::is_null));
    if none {
        found.push(Diagnostic::error(
            "Missing argument",
            format!("One of {} must be set.", attributes.join(", ")),
        ));
    }
    conflicts(object, attributes, found);
}

/// An error about one attribute.
pub(crate) fn invalid(path: Path, problem: &str) -> Diagnostic {
    Diagnostic::error(format!("Invalid value for {path}"), format!("{problem}.")).at(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks() {
        for good in [
            "10.0.0.0/16",
            "0.0.0.0/0",
            "::/0",
            "2001:db8::/56",
            "1.2.3.4/32",
        ] {
            assert_eq!(cidr_problem(good), None, "{good}");
        }
        assert!(cidr_problem("10.0.1.0/16").is_some_and(|p| p.contains("10.0.0.0/16")));
        for bad in [
            "10.0.0.0",
            "10.0.0.0/33",
            "10.0.0/8",
            "x/1",
            "::1/64",
            "10.0.0.0/",
        ] {
            assert!(cidr_problem(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn a_vpc_network_has_a_path_and_a_size() {
        let mut found = Diagnostics::new();
        let vpc = Value::object([("cidr_block", Value::from("10.0.0.0/8"))]);
        cidr_v4_between(&vpc, "cidr_block", 16..=28, &mut found);
        assert_eq!(found.0[0].attribute, Path::attribute("cidr_block"));
        assert!(found.0[0].detail.contains("between /16 and /28"));
    }
}
