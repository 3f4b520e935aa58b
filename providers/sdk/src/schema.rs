//! Schemas: what a resource type, data source or provider block looks like.
//!
//! A schema is data. The engine decodes and checks configuration with it, providers plan with it
//! (see [`crate::plan`]), the sandbox simulates it, and the command line prints it.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::types::{ObjectType, Type};
use crate::value::Value;

/// The schema of a resource type, a data source or a provider block.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    /// Raised when stored values need an upgrade ([`crate::Provider::upgrade_state`]).
    pub version: u64,
    /// The arguments and attributes.
    pub block: Block,
    /// For a data source whose result is good for a limited time (a token): how long. The engine
    /// reads it anew, and configures what depends on it anew, before that time is over.
    pub expires_after: Option<Duration>,
    /// How long an action may take unless the object's `timeouts` block says otherwise.
    pub timeouts: BTreeMap<&'static str, Duration>,
}

/// A body of arguments: attributes and nested blocks.
#[derive(Debug, Clone, Default)]
pub struct Block {
    /// By name.
    pub attributes: BTreeMap<Arc<str>, Attribute>,
    /// By name.
    pub blocks: BTreeMap<Arc<str>, NestedBlock>,
    /// One line.
    pub description: String,
    /// What to use instead, when the block is deprecated.
    pub deprecated: Option<String>,
    ty: OnceLock<Type>,
}

/// Who may set an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// The configuration must.
    Required,
    /// The configuration may; null otherwise.
    #[default]
    Optional,
    /// The provider does; the configuration must not.
    Computed,
    /// The configuration may; the provider does otherwise.
    OptionalComputed,
}

impl Mode {
    /// Whether the provider sets what the configuration leaves out.
    pub fn is_computed(self) -> bool {
        matches!(self, Mode::Computed | Mode::OptionalComputed)
    }
}

/// An attribute of a block.
#[derive(Debug, Clone)]
pub struct Attribute {
    /// Its type.
    pub ty: Type,
    /// Who may set it.
    pub mode: Mode,
    /// Hidden from people.
    pub sensitive: bool,
    /// Given to the provider, never stored.
    pub write_only: bool,
    /// What to use instead, when it is deprecated.
    pub deprecated: Option<String>,
    /// A change of it means a new object.
    pub force_new: bool,
    /// Computed anew whenever the object is updated, so unknown in the plan of an update.
    /// Without it a computed attribute keeps its prior value in the plan of an update.
    pub recomputed: bool,
    /// What it is when the configuration leaves it out (optional attributes).
    pub default: Option<Value>,
    /// In a provider's schema: this argument says which target the provider talks to. When it
    /// will change because the object behind it is replaced, what is inside is replaced too.
    pub identifies_target: bool,
    /// An attribute of the same block that this one repeats: what is sensitive there is sensitive
    /// here.
    pub marked_like: Option<&'static str>,
    /// One line.
    pub description: String,
}

/// How often a nested block may appear, and what it becomes in the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Nesting {
    /// At most once: an object, or null.
    Single,
    /// In order: a list of objects.
    List,
    /// A set of objects.
    Set,
    /// With one label each: a map of objects.
    Map,
}

/// A nested block type.
#[derive(Debug, Clone)]
pub struct NestedBlock {
    /// How often it may appear.
    pub nesting: Nesting,
    /// What is in it.
    pub block: Block,
    /// The least number of blocks.
    pub min: usize,
    /// The greatest number of blocks; 0 for no limit.
    pub max: usize,
    /// When the configuration has no such block, the provider may fill it in, and what it filled
    /// in is kept.
    pub computed: bool,
    /// Adding or removing one means a new object.
    pub force_new: bool,
}

impl Attribute {
    fn new(ty: Type, mode: Mode) -> Attribute {
        Attribute {
            ty,
            mode,
            sensitive: false,
            write_only: false,
            deprecated: None,
            force_new: false,
            recomputed: false,
            default: None,
            identifies_target: false,
            marked_like: None,
            description: String::new(),
        }
    }

    /// An argument that must be set.
    pub fn required(ty: Type) -> Attribute {
        Attribute::new(ty, Mode::Required)
    }

    /// An argument that may be set.
    pub fn optional(ty: Type) -> Attribute {
        Attribute::new(ty, Mode::Optional)
    }

    /// An attribute that the provider sets.
    pub fn computed(ty: Type) -> Attribute {
        Attribute::new(ty, Mode::Computed)
    }

    /// An argument that the provider sets when the configuration does not.
    pub fn optional_computed(ty: Type) -> Attribute {
        Attribute::new(ty, Mode::OptionalComputed)
    }

    /// A change of it means a new object.
    #[must_use]
    pub fn force_new(mut self) -> Attribute {
        self.force_new = true;
        self
    }

    /// Hidden from people.
    #[must_use]
    pub fn sensitive(mut self) -> Attribute {
        self.sensitive = true;
        self
    }

    /// Given to the provider, never stored.
    #[must_use]
    pub fn write_only(mut self) -> Attribute {
        self.write_only = true;
        self
    }

    /// Computed anew by every update.
    #[must_use]
    pub fn recomputed(mut self) -> Attribute {
        self.recomputed = true;
        self
    }

    /// Identifies the target of a provider.
    #[must_use]
    pub fn identifies_target(mut self) -> Attribute {
        self.identifies_target = true;
        self
    }

    /// Sensitive where another attribute of the block is.
    #[must_use]
    pub fn marked_like(mut self, name: &'static str) -> Attribute {
        self.marked_like = Some(name);
        self
    }

    /// What it is when left out.
    #[must_use]
    pub fn default(mut self, value: impl Into<Value>) -> Attribute {
        self.default = Some(value.into());
        self
    }

    /// One line for people.
    #[must_use]
    pub fn describe(mut self, text: &str) -> Attribute {
        self.description = text.into();
        self
    }

    /// Deprecated, with what to use instead.
    #[must_use]
    pub fn deprecated(mut self, instead: &str) -> Attribute {
        self.deprecated = Some(instead.into());
        self
    }
}

impl NestedBlock {
    /// A nested block type that may appear any number of times.
    pub fn new(nesting: Nesting, block: Block) -> NestedBlock {
        NestedBlock {
            nesting,
            block,
            min: 0,
            max: 0,
            computed: false,
            force_new: false,
        }
    }

    /// A list that holds at most one block: how most providers spell a nested object.
    pub fn list_max_one(block: Block) -> NestedBlock {
        NestedBlock {
            max: 1,
            ..NestedBlock::new(Nesting::List, block)
        }
    }

    /// At least one must appear.
    #[must_use]
    pub fn required(mut self) -> NestedBlock {
        self.min = 1;
        self
    }

    /// Filled in by the provider when left out.
    #[must_use]
    pub fn computed(mut self) -> NestedBlock {
        self.computed = true;
        self
    }

    /// Adding or removing one means a new object.
    #[must_use]
    pub fn force_new(mut self) -> NestedBlock {
        self.force_new = true;
        self
    }

    /// The type of the whole: an object, or a collection of objects.
    pub fn ty(&self) -> Type {
        let object = self.block.ty();
        match self.nesting {
            Nesting::Single => object,
            // Objects whose attributes include `any` can differ in type from one to the next.
            Nesting::List if object.has_dynamic() => Type::Dynamic,
            Nesting::List => Type::list(object),
            Nesting::Set => Type::set(object),
            Nesting::Map => Type::map(object),
        }
    }

    /// The value of no block at all: null for a single one, an empty collection otherwise.
    pub fn empty(&self) -> Value {
        match self.nesting {
            Nesting::Single => Value::null(self.block.ty()),
            Nesting::List if self.block.ty().has_dynamic() => Value::tuple(Vec::new()),
            Nesting::List => Value::list(self.block.ty(), Vec::new()),
            Nesting::Set => Value::set(self.block.ty(), Vec::new()),
            Nesting::Map => Value::map(self.block.ty(), BTreeMap::new()),
        }
    }
}

impl Block {
    /// An empty body.
    pub fn new() -> Block {
        Block::default()
    }

    /// With an attribute.
    #[must_use]
    pub fn attr(mut self, name: &str, attribute: Attribute) -> Block {
        self.attributes.insert(name.into(), attribute);
        self
    }

    /// With a nested block type.
    #[must_use]
    pub fn block(mut self, name: &str, block: NestedBlock) -> Block {
        self.blocks.insert(name.into(), block);
        self
    }

    /// With a one-line description.
    #[must_use]
    pub fn describe(mut self, text: &str) -> Block {
        self.description = text.into();
        self
    }

    /// The object type of values of this block. Computed once.
    pub fn ty(&self) -> Type {
        self.ty
            .get_or_init(|| {
                let attributes = self
                    .attributes
                    .iter()
                    .map(|(name, a)| (name.clone(), a.ty.clone()));
                let blocks = self.blocks.iter().map(|(name, b)| (name.clone(), b.ty()));
                Type::Object(Arc::new(ObjectType {
                    attributes: attributes.chain(blocks).collect(),
                    optional: Default::default(),
                }))
            })
            .clone()
    }

    /// Every attribute and block name.
    pub fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.attributes.keys().chain(self.blocks.keys())
    }
}

impl Schema {
    /// A schema of version 0 around a block.
    pub fn new(block: Block) -> Schema {
        Schema {
            block,
            ..Schema::default()
        }
    }

    /// With default timeouts per action (`create`, `read`, `update`, `delete`), which also adds
    /// the `timeouts` block to the arguments.
    #[must_use]
    pub fn timeouts(
        mut self,
        timeouts: impl IntoIterator<Item = (&'static str, Duration)>,
    ) -> Self {
        self.timeouts = timeouts.into_iter().collect();
        let mut block = Block::new().describe("How long each action may take.");
        for action in self.timeouts.keys() {
            block = block.attr(
                action,
                Attribute::optional(Type::String).describe("A duration such as \"30m\"."),
            );
        }
        self.block = self
            .block
            .block("timeouts", NestedBlock::new(Nesting::Single, block));
        self
    }

    /// With a limited time for which a result is good.
    #[must_use]
    pub fn expires_after(mut self, time: Duration) -> Self {
        self.expires_after = Some(time);
        self
    }

    /// How long `action` may take for this object: what its `timeouts` block says, else the
    /// schema's default, else 20 minutes.
    pub fn timeout(&self, object: &Value, action: &str) -> Duration {
        object
            .get("timeouts")
            .and_then(|t| t.get_str(action))
            .and_then(parse_duration)
            .or_else(|| self.timeouts.get(action).copied())
            .unwrap_or(Duration::from_secs(20 * 60))
    }
}

/// Reads a duration such as `90s`, `1h30m`, `1.5h`, `250ms` (the notation of Go's
/// `time.ParseDuration`, without a sign). `None` for anything else.
pub fn parse_duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut total = 0.0_f64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let amount: f64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?;
        let units = [
            ("ms", 1e-3),
            ("us", 1e-6),
            ("µs", 1e-6),
            ("ns", 1e-9),
            ("h", 3600.0),
            ("m", 60.0),
            ("s", 1.0),
        ];
        let (unit, seconds) = units.iter().find(|(u, _)| rest.starts_with(u))?;
        total += amount * seconds;
        rest = rest.get(unit.len()..)?;
    }
    (!text.is_empty())
        .then(|| Duration::try_from_secs_f64(total).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(parse_duration("1h30m"), Some(Duration::from_secs(5400)));
        assert_eq!(parse_duration("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(parse_duration("1.5h"), Some(Duration::from_secs(5400)));
        for bad in ["", "5", "m", "-1s", "1h x", "1..5h"] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }
}
