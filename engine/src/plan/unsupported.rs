//! What configuration may say and planning cannot carry out yet: it is refused, not passed over,
//! where passing over would do something else than what is written.

use topo_sdk::{Diagnostic, Diagnostics, SourceRange};

use crate::config::Config;

/// Errors for what cannot be carried out.
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
        for r in module.resources.values() {
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
    found
}
