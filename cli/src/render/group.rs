//! Diagnostics that say the same are told once.
//!
//! An endpoint that cannot be reached gives the same error for each object behind it, a deprecated
//! argument the same warning wherever it is used: the first is shown, and how many more there are.

use std::collections::HashMap;

use topo_sdk::{Diagnostic, Severity};

use super::text::visible;

/// How many names of further objects are listed.
const NAMED: usize = 10;

/// Which diagnostics count as the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grouping {
    /// Warnings about the source text with the same summary, whatever their details.
    pub warnings: bool,
    /// Errors about the source text with the same summary, whatever their details.
    pub errors: bool,
}

impl Default for Grouping {
    fn default() -> Grouping {
        Grouping {
            warnings: true,
            errors: false,
        }
    }
}

/// Diagnostics that are shown as one.
pub struct Group<'d> {
    /// The one that is shown.
    pub first: &'d Diagnostic,
    /// The others.
    pub more: Vec<&'d Diagnostic>,
}

/// What diagnostics of a group have in common.
#[derive(PartialEq, Eq, Hash)]
enum Key<'d> {
    /// Alike: the same summary.
    Similar(Severity, &'d str),
    /// Equal but for the object.
    Equal(Severity, &'d str, &'d str),
}

/// Groups in the order of their first diagnostics.
pub fn group<'d>(
    diagnostics: impl IntoIterator<Item = &'d Diagnostic>,
    grouping: Grouping,
) -> Vec<Group<'d>> {
    let mut groups: Vec<Group<'d>> = Vec::new();
    let mut known: HashMap<Key<'d>, usize> = HashMap::new();
    for d in diagnostics {
        let similar = match d.severity {
            Severity::Warning => grouping.warnings,
            Severity::Error => grouping.errors,
        };
        let key = if similar && d.range.is_some() {
            Key::Similar(d.severity, &d.summary)
        } else if d.address.is_some() && (similar || d.is_error()) {
            Key::Equal(d.severity, &d.summary, &d.detail)
        } else {
            groups.push(Group {
                first: d,
                more: Vec::new(),
            });
            continue;
        };
        match known.get(&key).and_then(|i| groups.get_mut(*i)) {
            Some(group) => group.more.push(d),
            None => {
                known.insert(key, groups.len());
                groups.push(Group {
                    first: d,
                    more: Vec::new(),
                });
            }
        }
    }
    groups
}

impl Group<'_> {
    /// How many more there are, and where: `(and 2 more objects: a, b)`.
    pub fn note(&self) -> Option<String> {
        let n = self.more.len();
        let kind = match self.first.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let equal = self.more.iter().all(|d| d.detail == self.first.detail);
        let mut names: Vec<&str> = self
            .more
            .iter()
            .filter_map(|d| d.address.as_deref())
            .collect();
        names.dedup();
        if equal && n > 0 && names.len() == n && self.first.address.is_some() {
            let s = if n == 1 { "" } else { "s" };
            let listed: Vec<String> = names.iter().take(NAMED).map(|n| visible(n)).collect();
            let rest = if n > NAMED { ", ..." } else { "" };
            return Some(format!(
                "(and {n} more object{s}: {}{rest})",
                listed.join(", ")
            ));
        }
        match n {
            0 => None,
            1 => Some(format!("(and one more similar {kind} elsewhere)")),
            n => Some(format!("(and {n} more similar {kind}s elsewhere)")),
        }
    }
}
