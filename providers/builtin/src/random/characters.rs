//! Strings of random characters: what `random_string` and `random_password` share.

use rand::seq::{IndexedRandom, SliceRandom};
use topo_sdk::{
    Attribute, Block, Diagnostic, Diagnostics, Path, PlanRequest, PlannedResource, Schema, Type,
    Value, plan,
};

use super::{at_least, generator};

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
const SPECIAL: &str = "!@#$%&*()-_=+[]{}<>:?";

/// The longest string that is made; a bound against a typing mistake filling memory.
const MAX_LENGTH: i64 = 1 << 20;

/// The arguments.
pub(super) fn arguments(block: Block) -> Block {
    let class = |what: &str| {
        Attribute::optional(Type::Bool)
            .default(true)
            .force_new()
            .describe(&format!("Include {what}."))
    };
    let least = |what: &str| {
        Attribute::optional(Type::Number)
            .default(0)
            .force_new()
            .describe(&format!("The least number of {what}."))
    };
    block
        .attr(
            "length",
            Attribute::required(Type::Number)
                .force_new()
                .describe("How many characters."),
        )
        .attr("lower", class("lower-case letters"))
        .attr("upper", class("upper-case letters"))
        .attr("special", class("punctuation"))
        .attr(
            "numeric",
            Attribute::optional_computed(Type::Bool)
                .force_new()
                .describe("Include digits."),
        )
        .attr(
            "number",
            Attribute::optional_computed(Type::Bool)
                .force_new()
                .deprecated("Use numeric instead.")
                .describe("Include digits."),
        )
        .attr("min_lower", least("lower-case letters"))
        .attr("min_upper", least("upper-case letters"))
        .attr("min_numeric", least("digits"))
        .attr("min_special", least("punctuation characters"))
        .attr(
            "override_special",
            Attribute::optional(Type::String)
                .force_new()
                .describe("The punctuation characters to choose from."),
        )
}

/// Checks the arguments against each other.
pub(super) fn validate(config: &Value) -> Diagnostics {
    let mut found = at_least(config, "length", 1);
    for name in ["min_lower", "min_upper", "min_numeric", "min_special"] {
        found.extend(at_least(config, name, 0));
    }
    if found.has_errors() {
        return found;
    }
    let wanted: i64 = ["min_lower", "min_upper", "min_numeric", "min_special"]
        .iter()
        .map(|name| config.get_i64(name).unwrap_or(0))
        .fold(0, i64::saturating_add);
    if let Some(length) = config.get_i64("length") {
        if length > MAX_LENGTH {
            let detail = format!("It must be at most {MAX_LENGTH}.");
            found.push(
                Diagnostic::error("length is too large", detail).at(Path::attribute("length")),
            );
        }
        if length < wanted {
            let detail = format!(
                "The minimums for each kind of character add up to {wanted}, but length is {length}."
            );
            found.push(
                Diagnostic::error("length is too small", detail).at(Path::attribute("length")),
            );
        }
    }
    let both = |a: Option<bool>, b: Option<bool>| a.is_some() && b.is_some() && a != b;
    if both(config.get_bool("numeric"), config.get_bool("number")) {
        found.push(
            Diagnostic::error(
                "numeric and number contradict each other",
                "They mean the same; leave out number, which is deprecated.",
            )
            .at(Path::attribute("number")),
        );
    }
    let off = |names: &[&str]| names.iter().any(|n| config.get_bool(n) == Some(false));
    if off(&["lower"]) && off(&["upper"]) && off(&["special"]) && off(&["numeric", "number"]) {
        found.push(Diagnostic::error(
            "No characters to choose from",
            "At least one of lower, upper, numeric and special must be true.",
        ));
    }
    found
}

/// The schema's rules, with `numeric` and `number` kept the same and true by default.
pub(super) fn planned(schema: &Schema, request: &PlanRequest) -> PlannedResource {
    let given = ["numeric", "number"]
        .iter()
        .filter_map(|name| request.config.get(name))
        .find(|v| !v.is_null());
    let digits = given.cloned().unwrap_or_else(|| Value::from(true));
    let mut request = request.clone();
    request.proposed = request
        .proposed
        .with("numeric", digits.clone())
        .with("number", digits);
    plan::plan(schema, &request)
}

/// A string for planned arguments.
pub(super) fn generate(planned: &Value) -> Result<String, Diagnostics> {
    let diagnostics = validate(planned);
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    let special = planned
        .get_str("override_special")
        .filter(|s| !s.is_empty());
    let classes = [
        ("lower", "min_lower", LOWER),
        ("upper", "min_upper", UPPER),
        ("numeric", "min_numeric", DIGITS),
        ("special", "min_special", special.unwrap_or(SPECIAL)),
    ];
    let count = |name: &str| {
        planned
            .get_i64(name)
            .and_then(|n| usize::try_from(n).ok())
            .unwrap_or(0)
    };
    let length = count("length");
    let mut rng = generator(None);
    let mut all = Vec::new();
    let mut made: Vec<char> = Vec::with_capacity(length);
    for (on, least, characters) in classes {
        let characters: Vec<char> = characters.chars().collect();
        // A minimum holds even for a kind that is switched off, as documented behaviour has it.
        made.extend((0..count(least)).filter_map(|_| characters.choose(&mut rng).copied()));
        if planned.get_bool(on).unwrap_or(true) {
            all.extend(characters);
        }
    }
    if all.is_empty() && made.len() < length {
        return Err(Diagnostics::error(
            "No characters to choose from",
            "At least one of lower, upper, numeric and special must be true.",
        ));
    }
    let missing = length.saturating_sub(made.len());
    made.extend((0..missing).filter_map(|_| all.choose(&mut rng).copied()));
    made.shuffle(&mut rng);
    Ok(made.into_iter().collect())
}

/// The arguments that an imported string is taken to have been made with.
pub(super) fn imported(text: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("length", Value::number(text.chars().count())),
        ("numeric", Value::from(true)),
        ("number", Value::from(true)),
        ("result", Value::string(text)),
    ]
}
