//! The `random` provider: values that are random once and then stay.
//!
//! Every argument forces a new object. The source of randomness is a cryptographic generator
//! seeded by the operating system; where a `seed` argument is given, the result follows from it
//! (but differs from what other implementations of these types make of the same seed).

mod bytes;
mod characters;
mod id;
mod integer;
mod password;
mod pet;
mod shuffle;
mod string;
mod uuid;
mod words;

use std::sync::Arc;

use rand::SeedableRng;
use rand::rngs::StdRng;
use sha2::{Digest, Sha256};
use topo_sdk::{Attribute, Block, Diagnostic, Diagnostics, Path, Provider, Type, Value};

/// The provider.
pub(crate) fn provider() -> Arc<dyn Provider> {
    crate::table::provider_with_ephemeral(
        "random",
        vec![
            Box::new(bytes::RandomBytes),
            Box::new(id::RandomId),
            Box::new(integer::RandomInteger),
            Box::new(password::RandomPassword),
            Box::new(pet::RandomPet),
            Box::new(shuffle::RandomShuffle),
            Box::new(string::RandomString),
            Box::new(uuid::RandomUuid),
        ],
        vec![Box::new(password::EphemeralPassword)],
    )
}

/// A block with the arguments that every type of the provider has.
fn block(description: &str) -> Block {
    Block::new().describe(description).attr(
        "keepers",
        Attribute::optional(Type::map(Type::String))
            .force_new()
            .describe("A change of these values makes a new random result."),
    )
}

/// A generator: the result of `seed` where one is given, else of the operating system's entropy.
fn generator(seed: Option<&str>) -> StdRng {
    match seed.filter(|s| !s.is_empty()) {
        Some(seed) => StdRng::from_seed(Sha256::digest(seed).into()),
        None => StdRng::from_os_rng(),
    }
}

/// Complains where a known number is below what makes sense.
fn at_least(config: &Value, attribute: &'static str, least: i64) -> Diagnostics {
    match config.get_i64(attribute) {
        Some(n) if n < least => Diagnostic::error(
            format!("{attribute} is too small"),
            format!("It must be at least {least}, but it is {n}."),
        )
        .at(Path::attribute(attribute))
        .into(),
        _ => Diagnostics::new(),
    }
}
