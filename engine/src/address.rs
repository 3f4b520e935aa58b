//! Addresses: the names of module instances, resources, resource instances and provider
//! configurations, in the notation that people type (`module.a["x"].aws_subnet.s[0]`).

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Which of the instances that `count` or `for_each` make.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum InstanceKey {
    /// By `count`.
    Index(u64),
    /// By `for_each`.
    Key(Arc<str>),
}

impl fmt::Display for InstanceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InstanceKey::Index(i) => write!(f, "[{i}]"),
            InstanceKey::Key(k) => {
                f.write_str("[\"")?;
                for c in k.chars() {
                    match c {
                        '"' => f.write_str("\\\"")?,
                        '\\' => f.write_str("\\\\")?,
                        '\n' => f.write_str("\\n")?,
                        c => write!(f, "{c}")?,
                    }
                }
                f.write_str("\"]")
            }
        }
    }
}

/// One call on the way from the root module to a module instance.
pub type ModuleStep = (Arc<str>, Option<InstanceKey>);

/// A module instance: the calls that lead to it. The root module's is empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ModuleInstance(Arc<[ModuleStep]>);

impl ModuleInstance {
    /// The root module.
    pub fn root() -> ModuleInstance {
        ModuleInstance(Arc::new([]))
    }

    /// An instance of a call in this module.
    pub fn child(&self, name: Arc<str>, key: Option<InstanceKey>) -> ModuleInstance {
        let mut steps = self.0.to_vec();
        steps.push((name, key));
        ModuleInstance(steps.into())
    }

    /// The calls from the outside in.
    pub fn steps(&self) -> &[ModuleStep] {
        &self.0
    }

    /// Whether this is the root module.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for ModuleInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, key)) in self.0.iter().enumerate() {
            let dot = if i > 0 { "." } else { "" };
            write!(f, "{dot}module.{name}")?;
            if let Some(key) = key {
                key.fmt(f)?;
            }
        }
        Ok(())
    }
}

/// Who is responsible for the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ResourceMode {
    /// topo: a `resource` block.
    Managed,
    /// Somebody else: a `data` block.
    Data,
    /// Nobody for longer than a phase of a run: an `ephemeral` block.
    Ephemeral,
}

impl ResourceMode {
    /// The word before the type in an address, with its dot.
    pub fn prefix(self) -> &'static str {
        match self {
            ResourceMode::Managed => "",
            ResourceMode::Data => "data.",
            ResourceMode::Ephemeral => "ephemeral.",
        }
    }
}

/// A resource or data block in a module instance, with all its instances.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ResourceAddress {
    /// The module instance it is in.
    pub module: ModuleInstance,
    /// Resource or data.
    pub mode: ResourceMode,
    /// The type: `aws_subnet`.
    pub type_name: Arc<str>,
    /// The block's name.
    pub name: Arc<str>,
}

impl ResourceAddress {
    /// One of its instances.
    pub fn instance(&self, key: Option<InstanceKey>) -> InstanceAddress {
        InstanceAddress {
            resource: self.clone(),
            key,
        }
    }
}

impl fmt::Display for ResourceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_root() {
            write!(f, "{}.", self.module)?;
        }
        write!(f, "{}{}.{}", self.mode.prefix(), self.type_name, self.name)
    }
}

/// What a person names to restrict something to it: a module, a module instance, a resource or a
/// resource instance, each with everything in it. A name without a key means all instances.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target {
    /// The calls from the outside in.
    pub module: ModuleInstance,
    /// The resource: mode, type and name; `None` where a module is meant.
    pub resource: Option<(ResourceMode, Arc<str>, Arc<str>)>,
    /// Which of the resource's instances.
    pub key: Option<InstanceKey>,
}

impl Target {
    /// Whether an instance is what is named, or in it.
    pub fn contains(&self, address: &InstanceAddress) -> bool {
        self.contains_resource(&address.resource) && (self.key.is_none() || self.key == address.key)
    }

    /// Whether a resource is what is named or in it, or has an instance that is named.
    pub fn contains_resource(&self, address: &ResourceAddress) -> bool {
        self.holds(address.module.steps())
            && match &self.resource {
                None => true,
                Some((mode, t, n)) => {
                    address.module.steps().len() == self.module.steps().len()
                        && address.mode == *mode
                        && address.type_name == *t
                        && address.name == *n
                }
            }
    }

    /// Whether a module instance is inside of the module that is named, or is it.
    fn holds(&self, steps: &[ModuleStep]) -> bool {
        let own = self.module.steps();
        own.len() <= steps.len()
            && own
                .iter()
                .zip(steps)
                .all(|(a, b)| a.0 == b.0 && (a.1.is_none() || a.1 == b.1))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.module.fmt(f)?;
        if let Some((mode, t, n)) = &self.resource {
            let dot = if self.module.is_root() { "" } else { "." };
            write!(f, "{dot}{}{t}.{n}", mode.prefix())?;
        }
        match &self.key {
            Some(key) => key.fmt(f),
            None => Ok(()),
        }
    }
}

impl FromStr for Target {
    type Err = ParseTargetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(a) = parse(text) {
            return Ok(Target {
                module: a.resource.module,
                resource: Some((a.resource.mode, a.resource.type_name, a.resource.name)),
                key: a.key,
            });
        }
        let module = match modules(text) {
            Some((steps, "")) if !steps.is_empty() => ModuleInstance(steps.into()),
            _ => return Err(ParseTargetError(text.to_string())),
        };
        Ok(Target {
            module,
            resource: None,
            key: None,
        })
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// A text that names neither a module nor a resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not the address of a module, a resource or an instance, such as module.net, aws_vpc.main or module.net.aws_subnet.a[0]"
)]
pub struct ParseTargetError(String);

/// A resource instance.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct InstanceAddress {
    /// The block it comes from.
    pub resource: ResourceAddress,
    /// Which of its instances; `None` where the block has neither `count` nor `for_each`.
    pub key: Option<InstanceKey>,
}

impl Ord for InstanceAddress {
    fn cmp(&self, other: &Self) -> Ordering {
        self.resource
            .cmp(&other.resource)
            .then_with(|| self.key.cmp(&other.key))
    }
}

impl PartialOrd for InstanceAddress {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for InstanceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.resource.fmt(f)?;
        match &self.key {
            Some(key) => key.fmt(f),
            None => Ok(()),
        }
    }
}

/// A text that is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a resource instance address such as aws_vpc.main, module.net.aws_subnet.a[0] or kubernetes_secret.s[\"key\"]"
)]
pub struct ParseAddressError(String);

impl FromStr for InstanceAddress {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| ParseAddressError(text.to_string()))
    }
}

/// The calls that a text begins with, and what is behind them.
fn modules(text: &str) -> Option<(Vec<ModuleStep>, &str)> {
    let mut rest = text;
    let mut steps: Vec<ModuleStep> = Vec::new();
    while let Some(after) = rest.strip_prefix("module.") {
        let (name, after) = identifier(after)?;
        let (key, after) = instance_key(after)?;
        steps.push((name.into(), key));
        rest = match after.strip_prefix('.') {
            Some(further) if !further.is_empty() => further,
            None if after.is_empty() => return Some((steps, "")),
            _ => return None,
        };
    }
    Some((steps, rest))
}

fn parse(text: &str) -> Option<InstanceAddress> {
    let (steps, mut rest) = modules(text)?;
    let mut mode = ResourceMode::Managed;
    for other in [ResourceMode::Data, ResourceMode::Ephemeral] {
        if let Some(after) = rest.strip_prefix(other.prefix()) {
            rest = after;
            mode = other;
            break;
        }
    }
    let (type_name, after) = identifier(rest)?;
    let (name, after) = identifier(after.strip_prefix('.')?)?;
    let (key, after) = instance_key(after)?;
    if !after.is_empty() {
        return None;
    }
    let resource = ResourceAddress {
        module: ModuleInstance(steps.into()),
        mode,
        type_name: type_name.into(),
        name: name.into(),
    };
    Some(InstanceAddress { resource, key })
}

fn identifier(text: &str) -> Option<(&str, &str)> {
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
        .unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn instance_key(text: &str) -> Option<(Option<InstanceKey>, &str)> {
    let Some(inner) = text.strip_prefix('[') else {
        return Some((None, text));
    };
    if let Some(quoted) = inner.strip_prefix('"') {
        let mut key = String::new();
        let mut chars = quoted.char_indices();
        while let Some((i, c)) = chars.next() {
            match c {
                '\\' => match chars.next()?.1 {
                    'n' => key.push('\n'),
                    c => key.push(c),
                },
                '"' => {
                    let after = quoted.get(i + 1..)?.strip_prefix(']')?;
                    return Some((Some(InstanceKey::Key(key.into())), after));
                }
                c => key.push(c),
            }
        }
        return None;
    }
    let (digits, after) = inner.split_once(']')?;
    Some((Some(InstanceKey::Index(digits.parse().ok()?)), after))
}

impl Serialize for InstanceAddress {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for InstanceAddress {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// A provider configuration: a `provider` block, or the empty one of a provider that needs none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProviderAddress {
    /// The module whose block it is; configurations are made per module, not per instance.
    pub module: Arc<[Arc<str>]>,
    /// The provider's name: `aws`.
    pub name: Arc<str>,
    /// The block's alias.
    pub alias: Option<Arc<str>>,
}

impl fmt::Display for ProviderAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in self.module.iter() {
            write!(f, "module.{step}.")?;
        }
        write!(f, "provider.{}", self.name)?;
        match &self.alias {
            Some(alias) => write!(f, ".{alias}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_back_as_written() {
        for text in [
            "aws_vpc.main",
            "aws_subnet.a[10]",
            "module.net[\"a.b\\\"c\"].module.x[3].data.aws_region.r[\"k\"]",
        ] {
            assert_eq!(text.parse::<InstanceAddress>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "aws_vpc",
            "aws_vpc.",
            "module.a",
            "aws_vpc.a[",
            "aws_vpc.a[x]",
            "aws_vpc.a.b",
            "a.b[\"x\"] ",
        ] {
            assert!(text.parse::<InstanceAddress>().is_err(), "{text}");
        }
    }

    #[test]
    fn targets_hold_what_is_in_them() {
        let holds = |target: &str, address: &str| {
            let parsed: Target = target.parse().unwrap();
            assert_eq!(parsed.to_string(), target);
            parsed.contains(&address.parse().unwrap())
        };
        for (target, inside) in [
            ("aws_vpc.a", "aws_vpc.a"),
            ("aws_vpc.a", "aws_vpc.a[3]"),
            ("aws_vpc.a[3]", "aws_vpc.a[3]"),
            ("module.m", "module.m.aws_vpc.a"),
            ("module.m", "module.m[\"x\"].module.n.data.aws_region.r"),
            ("module.m[\"x\"]", "module.m[\"x\"].aws_vpc.a[0]"),
            ("module.m.aws_vpc.a", "module.m[0].aws_vpc.a[0]"),
        ] {
            assert!(holds(target, inside), "{target} {inside}");
        }
        for (target, outside) in [
            ("aws_vpc.a", "aws_vpc.ab"),
            ("aws_vpc.a[3]", "aws_vpc.a[4]"),
            ("aws_vpc.a[0]", "aws_vpc.a"),
            ("aws_vpc.a", "module.m.aws_vpc.a"),
            ("data.aws_vpc.a", "aws_vpc.a"),
            ("module.m", "module.mm.aws_vpc.a"),
            ("module.m[0]", "module.m[1].aws_vpc.a"),
            ("module.m.aws_vpc.a", "module.m.module.n.aws_vpc.a"),
        ] {
            assert!(!holds(target, outside), "{target} {outside}");
        }
        for text in [
            "",
            "module",
            "module.",
            "module.a.",
            "module.a.b",
            "x",
            "module.a[",
            "a.b.c",
        ] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }

    #[test]
    fn instances_sort_by_number() {
        let (a, b): (InstanceAddress, InstanceAddress) =
            ("x.y[2]".parse().unwrap(), "x.y[10]".parse().unwrap());
        assert!(a < b);
    }
}
