//! What configuration may say and planning cannot carry out yet: it is refused, not passed over,
//! where passing over would do something else than what is written.

use topo_sdk::{Diagnostic, Diagnostics, SourceRange};

use crate::address::ResourceMode;
use crate::config::Config;

/// Errors for what cannot be carried out, warnings for what is only not looked at.
pub(super) fn unsupported(config: &Config) -> Diagnostics {
    let mut found = Diagnostics::new();
    let mut refuse = |range: &SourceRange, what: &str, why: &str| {
        found.push(
            Diagnostic::error(
                "Not supported yet",
                format!("{what} cannot be planned yet: {why}"),
            )
            .with_range(Some(range.clone())),
        );
    };
    for module in &config.modules {
        for ((mode, ..), r) in &module.resources {
            if *mode == ResourceMode::Ephemeral {
                refuse(
                    &r.range,
                    "ephemeral resources",
                    "nothing opens and closes them.",
                );
            }
            if r.provider_instance.is_some() {
                refuse(
                    &r.range,
                    "resources of one of several instances of a provider configuration",
                    "write one provider block with an alias for each.",
                );
            }
        }
        for p in module.providers.values() {
            if p.for_each.is_some() {
                refuse(
                    &p.range,
                    "provider blocks with for_each",
                    "write one block with an alias for each.",
                );
            }
        }
    }
    for check in config.modules.iter().flat_map(|m| m.checks.values()) {
        found.push(
            Diagnostic::warning(
                "Check block is not evaluated",
                "topo does not evaluate check blocks yet: whether what they assert holds is not known.",
            )
            .with_range(Some(check.range.clone())),
        );
    }
    found
}
