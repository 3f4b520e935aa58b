//! What became of conditions: collected where they are evaluated, in planning and in apply, and
//! handed out as [`CheckResult`]s.
//!
//! Only blocks that have conditions get here. What a condition comes to replaces what it came to
//! before, but that nothing is known of it now (an ephemeral value that it refers to was not needed
//! again) does not; `check` blocks are always evaluated anew as a whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use topo_sdk::{Cause, Diagnostic, Diagnostics, Marks, Severity, SourceRange};

use crate::address::{InstanceAddress, InstanceKey, ModuleInstance};
use crate::changes::{CheckKind, CheckResult, CheckStatus, CheckedObject};
use crate::config::{CheckRule, Config, ModuleId};
use crate::graph::{Node, name};
use crate::lang::eval::{Scope, evaluate, mentioned};
use crate::lang::operators;

/// What a failed assertion of a `check` block is called.
pub(crate) const ASSERTION_FAILED: &str = "Check block assertion failed";

/// What a condition comes to.
pub(crate) enum Verdict {
    /// It holds.
    Holds,
    /// It is not known yet.
    Unknown,
    /// It does not hold, with the message for that.
    Fails(String),
    /// It cannot be evaluated.
    Broken(Box<Diagnostic>),
}

/// Evaluates one condition.
pub(crate) fn verdict(rule: &CheckRule, scope: &dyn Scope) -> Verdict {
    let value = match evaluate(&rule.condition, scope) {
        Ok(v) => v,
        Err(d) => return Verdict::Broken(d),
    };
    match operators::condition(&value, "Invalid condition") {
        Err((summary, detail)) => Verdict::Broken(Box::new(
            Diagnostic::error(summary, detail).with_range(Some(rule.condition.range())),
        )),
        Ok((Some(true), _)) => Verdict::Holds,
        Ok((Some(false), _)) => Verdict::Fails(message(rule, scope)),
        Ok((None, _)) => Verdict::Unknown,
    }
}

/// An error for a condition that does not hold, with what it refers to. It is where the condition
/// is, unless what it is about was written in another file: the value of a variable.
pub(crate) fn failure(
    rule: &CheckRule,
    scope: &dyn Scope,
    summary: &str,
    about: &SourceRange,
    message: String,
) -> Diagnostic {
    let at = rule.condition.range();
    let (place, detail) = if about.file == at.file {
        (at, message)
    } else {
        let detail = format!("{message}\n\nThis was checked by the rule at {at}.");
        (about.clone(), detail)
    };
    Diagnostic {
        values: mentioned(&rule.condition, scope),
        ..Diagnostic::error(summary, detail)
            .with_range(Some(place))
            .because(Cause::FailedCondition { of: None })
    }
}

fn message(rule: &CheckRule, scope: &dyn Scope) -> String {
    match evaluate(&rule.error_message, scope) {
        Ok(v) if v.deep_marks().contains(Marks::SENSITIVE) => {
            "The condition does not hold; its message has sensitive values and is not shown.".into()
        }
        Ok(v) if v.deep_marks().contains(Marks::EPHEMERAL) => {
            "The condition does not hold; its message has ephemeral values and is not shown.".into()
        }
        Ok(v) => v.as_str().unwrap_or("The condition does not hold.").into(),
        Err(d) => d.detail,
    }
}

/// What several conditions of one object come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    status: CheckStatus,
    problems: Vec<String>,
}

impl Default for Checked {
    fn default() -> Checked {
        Checked {
            status: CheckStatus::Pass,
            problems: Vec::new(),
        }
    }
}

impl Checked {
    /// Takes one condition into account.
    pub(crate) fn add(&mut self, verdict: &Verdict) {
        let status = match verdict {
            Verdict::Holds => CheckStatus::Pass,
            Verdict::Unknown => CheckStatus::Unknown,
            Verdict::Fails(message) => {
                self.problems.push(message.clone());
                CheckStatus::Fail
            }
            Verdict::Broken(_) => CheckStatus::Error,
        };
        self.status = self.status.max(status);
    }

    /// Conditions about something that was not reached.
    pub(crate) fn unknown() -> Checked {
        Checked {
            status: CheckStatus::Unknown,
            problems: Vec::new(),
        }
    }

    /// A failure that is not that of a condition: a data source that cannot be read.
    pub(crate) fn failed(diagnostics: &Diagnostics) -> Checked {
        let problem = |d: &Diagnostic| format!("{}: {}", d.summary, d.detail);
        Checked {
            status: CheckStatus::Fail,
            problems: diagnostics.iter().map(problem).collect(),
        }
    }
}

/// When conditions of an object are evaluated: those of one time do not replace those of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Time {
    /// Preconditions, and the conditions of what is not a resource.
    Before,
    /// Postconditions.
    After,
}

/// The results so far.
#[derive(Debug, Default)]
pub struct Checks(BTreeMap<(CheckKind, String), Block>);

#[derive(Debug)]
struct Block {
    module: Arc<[Arc<str>]>,
    objects: BTreeMap<(ModuleInstance, Option<InstanceKey>), [Option<Checked>; 2]>,
}

impl Checks {
    /// Whether nothing has conditions.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Notes that a block has conditions, also where it has no instances.
    pub(crate) fn declare(&mut self, config: &Config, node: &Node) {
        self.block(config, node);
    }

    /// Notes what conditions of one instance come to.
    pub(crate) fn record(
        &mut self,
        config: &Config,
        node: &Node,
        module: &ModuleInstance,
        key: &Option<InstanceKey>,
        time: Time,
        checked: Checked,
    ) {
        let Some(block) = self.block(config, node) else {
            return;
        };
        let object = block
            .objects
            .entry((module.clone(), key.clone()))
            .or_default();
        let place = &mut object[usize::from(time == Time::After)];
        let last_word = matches!(node, Node::Check(..));
        if last_word || checked.status != CheckStatus::Unknown || place.is_none() {
            *place = Some(checked);
        }
    }

    /// Whether something of an instance is not known yet.
    pub(crate) fn is_unknown(
        &self,
        config: &Config,
        node: &Node,
        module: &ModuleInstance,
        key: &Option<InstanceKey>,
    ) -> bool {
        let block = kind(node).and_then(|k| self.0.get(&(k, name(config, node))));
        let object = block.and_then(|b| b.objects.get(&(module.clone(), key.clone())));
        object.is_some_and(|times| {
            let mut all = times.iter().flatten();
            all.any(|c| c.status == CheckStatus::Unknown)
        })
    }

    fn block(&mut self, config: &Config, node: &Node) -> Option<&mut Block> {
        let kind = kind(node)?;
        let (Node::Variable(m, _) | Node::Output(m, _) | Node::Resource(m, _) | Node::Check(m, _)) =
            node
        else {
            return None;
        };
        let made = self
            .0
            .entry((kind, name(config, node)))
            .or_insert_with(|| Block {
                module: config.module(*m).path.clone(),
                objects: BTreeMap::new(),
            });
        Some(made)
    }

    /// The results, by kind and block.
    pub(crate) fn results(&self) -> Vec<CheckResult> {
        let result = |((kind, name), block): (&(CheckKind, String), &Block)| {
            let own = block.module.iter().map(|n| format!("module.{n}."));
            let prefix: String = own.collect();
            let local = name.strip_prefix(&prefix).unwrap_or(name);
            CheckResult {
                kind: *kind,
                block: name.clone(),
                module: block.module.clone(),
                objects: block
                    .objects
                    .iter()
                    .map(|((module, key), times)| object(module, local, key.as_ref(), times))
                    .collect(),
            }
        };
        self.0.iter().map(result).collect()
    }
}

fn object(
    module: &ModuleInstance,
    local: &str,
    key: Option<&InstanceKey>,
    times: &[Option<Checked>; 2],
) -> CheckedObject {
    let mut address = if module.is_root() {
        local.to_string()
    } else {
        format!("{module}.{local}")
    };
    if let Some(key) = key {
        address.push_str(&key.to_string());
    }
    let all = || times.iter().flatten();
    let worst = all().map(|c| c.status).max();
    CheckedObject {
        address,
        status: worst.unwrap_or(CheckStatus::Unknown),
        problems: all().flat_map(|c| c.problems.iter().cloned()).collect(),
    }
}

fn kind(node: &Node) -> Option<CheckKind> {
    match node {
        Node::Variable(..) => Some(CheckKind::Variable),
        Node::Output(..) => Some(CheckKind::Output),
        Node::Resource(..) => Some(CheckKind::Resource),
        Node::Check(..) => Some(CheckKind::Check),
        _ => None,
    }
}

/// The node of an object's block, in the static module that it is in.
pub(crate) fn resource_node(module: ModuleId, address: &InstanceAddress) -> Node {
    let r = &address.resource;
    Node::Resource(module, (r.mode, r.type_name.clone(), r.name.clone()))
}

/// What is wrong in a `check` block stops nothing: errors become warnings, which say that it is
/// the block that has failed.
pub(crate) fn warnings(diagnostics: Diagnostics) -> Diagnostics {
    diagnostics.map(|d| match d.severity {
        Severity::Error => Diagnostic {
            severity: Severity::Warning,
            cause: Some(Cause::FailedCondition { of: None }),
            ..d
        },
        Severity::Warning => d,
    })
}

/// Evaluates the assertions of a `check` block: warnings for those that do not hold, and, while
/// planning, for those that cannot be told yet.
pub(crate) fn assertions(
    rules: &[CheckRule],
    scope: &dyn Scope,
    planning: bool,
    found: &mut Diagnostics,
) -> Checked {
    let mut checked = Checked::default();
    for rule in rules {
        let verdict = verdict(rule, scope);
        checked.add(&verdict);
        let warning = |summary: &str, detail: String| Diagnostic {
            values: mentioned(&rule.condition, scope),
            ..Diagnostic::warning(summary, detail)
                .with_range(Some(rule.condition.range()))
                .because(Cause::FailedCondition { of: None })
        };
        match verdict {
            Verdict::Holds => {}
            Verdict::Fails(message) => found.push(warning(ASSERTION_FAILED, message)),
            Verdict::Broken(d) => found.extend(warnings((*d).into())),
            Verdict::Unknown if planning => found.push(warning(
                "Check block assertion known after apply",
                "What the condition refers to is not known yet. It is evaluated when this plan is applied.".into(),
            )),
            Verdict::Unknown => {}
        }
    }
    checked
}
