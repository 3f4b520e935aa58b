//! Where in the configuration what failed is written.

use topo_sdk::{Diagnostics, Path, SourceRange, Step};

use crate::config::Config;
use crate::store::RecordKey;

/// Gives each diagnostic of what failed its address and, where it has none, a place.
pub(super) fn locate(config: &Config, failed: &mut [(RecordKey, Diagnostics)]) {
    for (key, diagnostics) in failed {
        *diagnostics = place(config, key, std::mem::take(diagnostics));
    }
}

/// What is wrong with an object, with its address and a place.
pub(super) fn place(config: &Config, key: &RecordKey, diagnostics: Diagnostics) -> Diagnostics {
    diagnostics.map(|d| {
        let range = d.range.clone();
        let range = range.or_else(|| written(config, key, &d.attribute));
        d.with_address(&key.address).with_range(range)
    })
}

/// Where the configuration says what an object, or one attribute of it, is to be. An object that
/// is only in the state is written nowhere.
fn written(config: &Config, key: &RecordKey, attribute: &Path) -> Option<SourceRange> {
    let resource = config.written(&key.address)?;
    let argument = attribute.steps().first().and_then(|step| match step {
        Step::Attribute(name) => resource.body.get(name),
        _ => None,
    });
    Some(argument.map_or_else(|| resource.range.clone(), |expression| expression.range()))
}
