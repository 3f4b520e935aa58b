//! Results of conditions, as the format has them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use topo_engine::changes::{CheckKind, CheckResult, CheckStatus, CheckedObject};

/// What became of the conditions of one block.
#[derive(Serialize, Deserialize)]
pub(super) struct Checks {
    object_kind: String,
    config_addr: String,
    status: String,
    /// `null` where there are none.
    objects: Option<Vec<Object>>,
}

#[derive(Serialize, Deserialize)]
struct Object {
    object_addr: String,
    status: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    failure_messages: Vec<String>,
}

const KINDS: [(CheckKind, &str); 4] = [
    (CheckKind::Resource, "resource"),
    (CheckKind::Output, "output"),
    (CheckKind::Check, "check"),
    (CheckKind::Variable, "var"),
];

const STATUSES: [(CheckStatus, &str); 4] = [
    (CheckStatus::Pass, "pass"),
    (CheckStatus::Unknown, "unknown"),
    (CheckStatus::Error, "error"),
    (CheckStatus::Fail, "fail"),
];

fn text<T: PartialEq>(of: &T, all: &[(T, &'static str)]) -> String {
    let found = all.iter().find(|(value, _)| value == of);
    found.map(|(_, text)| *text).unwrap_or_default().to_string()
}

fn status(text: &str) -> CheckStatus {
    let found = STATUSES.iter().find(|(_, t)| *t == text);
    found.map_or(CheckStatus::Unknown, |(status, _)| *status)
}

pub(super) fn write(results: &[CheckResult]) -> Option<Vec<Checks>> {
    let made = results.iter().map(|result| Checks {
        object_kind: text(&result.kind, &KINDS),
        config_addr: result.block.clone(),
        status: text(&result.status(), &STATUSES),
        objects: (!result.objects.is_empty()).then(|| {
            let objects = result.objects.iter().map(|object| Object {
                object_addr: object.address.clone(),
                status: text(&object.status, &STATUSES),
                failure_messages: object.problems.clone(),
            });
            objects.collect()
        }),
    });
    (!results.is_empty()).then(|| made.collect())
}

/// What a file holds. Kinds that came later than this are left out, as the peers do it: every run
/// finds out anew.
pub(super) fn read(file: Vec<Checks>) -> Vec<CheckResult> {
    let made = file.into_iter().filter_map(|checks| {
        let (kind, _) = KINDS.iter().find(|(_, text)| *text == checks.object_kind)?;
        let objects = checks.objects.unwrap_or_default().into_iter();
        Some(CheckResult {
            kind: *kind,
            module: module(&checks.config_addr),
            block: checks.config_addr,
            objects: objects
                .map(|object| CheckedObject {
                    address: object.object_addr,
                    status: status(&object.status),
                    problems: object.failure_messages,
                })
                .collect(),
        })
    });
    made.collect()
}

/// The calls that an address without keys leads through.
fn module(address: &str) -> Arc<[Arc<str>]> {
    let mut names = Vec::new();
    let mut rest = address;
    while let Some((name, after)) = rest
        .strip_prefix("module.")
        .and_then(|rest| rest.split_once('.'))
    {
        names.push(name.into());
        rest = after;
    }
    names.into()
}
