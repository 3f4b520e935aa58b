//! Which instances `count`, `for_each` and `enabled` make, of resources and of called modules.

use std::collections::BTreeMap;
use std::sync::Arc;

use topo_sdk::convert::convert;
use topo_sdk::{Diagnostic, Diagnostics, Kind, Type, Value};

use super::{Each, ModuleValues, Shape, World};
use crate::address::InstanceKey;
use crate::config::{Config, GivenOutputs, ModuleId, Repetition};
use crate::lang::ast::Expression;
use crate::lang::eval::evaluate;
use crate::lang::operators;

/// Why it cannot be said which instances there are.
#[derive(Debug)]
pub struct Unexpanded {
    /// What to tell.
    pub diagnostic: Box<Diagnostic>,
    /// Whether it will be known when more is applied, rather than being a mistake.
    pub unknown: bool,
}

impl From<Box<Diagnostic>> for Unexpanded {
    fn from(diagnostic: Box<Diagnostic>) -> Unexpanded {
        Unexpanded {
            diagnostic,
            unknown: false,
        }
    }
}

impl World {
    /// Makes the instances of a called module, in every instance of the calling one. False where
    /// it is not known which, an error unless that may be left to a later round.
    pub fn call(
        &mut self,
        module: ModuleId,
        name: &Arc<str>,
        diagnostics: &mut Diagnostics,
    ) -> bool {
        let config = self.config.clone();
        let Some(call) = config.module(module).calls.get(name) else {
            return true;
        };
        let mut known = true;
        for instance in 0..self.modules[module].len() {
            let expanded = self.expand(
                &call.repetition,
                module,
                instance,
                &format!("module.{name}"),
            );
            let (shape, items) = match expanded {
                Ok(x) => x,
                Err(e) => {
                    known &= !e.unknown;
                    if !(e.unknown && self.allow_deferral) {
                        diagnostics.push(*e.diagnostic);
                    }
                    continue;
                }
            };
            let mut made = BTreeMap::new();
            for each in items {
                let address = self.modules[module][instance]
                    .address
                    .child(name.clone(), each.key.clone());
                let key = each.key.clone();
                // While checking, one instance stands for all.
                let all = &config.module(call.module).given;
                let fits = |g: &GivenOutputs| g.fits(&address) && (g.is_whole() || !self.checking);
                let given = all.iter().position(fits);
                let children = &mut self.modules[call.module];
                children.push(ModuleValues {
                    given,
                    ..ModuleValues::new(address, instance, each)
                });
                made.insert(key, children.len() - 1);
            }
            self.modules[module][instance]
                .calls
                .insert(name.clone(), (shape, made));
        }
        known
    }

    /// Evaluates `for_each` of a module call again, where the values of its instances were not
    /// known yet. The instances stay the same.
    pub fn call_again(&mut self, module: ModuleId, name: &Arc<str>, diagnostics: &mut Diagnostics) {
        let config = self.config.clone();
        let Some(call) = config.module(module).calls.get(name) else {
            return;
        };
        for instance in 0..self.modules[module].len() {
            let Some((_, children)) = self.modules[module][instance].calls.get(name) else {
                continue;
            };
            let unknown = |i: &usize| {
                let each = &self.modules[call.module][*i].each;
                each.value.as_ref().is_some_and(|v| !v.is_wholly_known())
            };
            if !children.values().any(unknown) {
                continue;
            }
            let children = children.clone();
            match self.expand(
                &call.repetition,
                module,
                instance,
                &format!("module.{name}"),
            ) {
                Ok((_, items)) => {
                    for each in items {
                        if let Some(i) = children.get(&each.key) {
                            self.modules[call.module][*i].each = each;
                        }
                    }
                }
                Err(e) => diagnostics.push(*e.diagnostic),
            }
        }
    }

    /// The instances that `count` or `for_each` make.
    ///
    /// # Errors
    /// A value that is unknown, null, sensitive or of the wrong type.
    pub fn expand(
        &self,
        repetition: &Repetition,
        module: ModuleId,
        instance: usize,
        what: &str,
    ) -> Result<(Shape, Vec<Each>), Unexpanded> {
        if self.modules[module][instance].given.is_some() {
            return Ok((Shape::of(repetition), Vec::new()));
        }
        let fail = |e: &Expression, summary: &str, detail: String| {
            let diagnostic = Diagnostic::error(summary, detail).with_range(Some(e.range()));
            Unexpanded::from(Box::new(diagnostic))
        };
        match repetition {
            Repetition::Single => Ok((Shape::Single, vec![Each::default()])),
            Repetition::Count(e) => {
                let value = evaluate(e, &self.scope(module, instance))?;
                if value.is_sensitive() {
                    return Err(fail(e, "Invalid count argument", "Sensitive values cannot be used as count: the number of instances is shown.".into()));
                }
                if value.is_null() {
                    return Err(fail(
                        e,
                        "Invalid count argument",
                        "The given \"count\" argument value is null. An integer is required."
                            .into(),
                    ));
                }
                let number = convert(&value, &Type::Number).map_err(|x| {
                    fail(
                        e,
                        "Invalid count argument",
                        format!("The given \"count\" argument value is unsuitable: {x}."),
                    )
                })?;
                if !number.is_known() {
                    if self.checking {
                        return Ok((
                            Shape::Count,
                            vec![Each {
                                key: Some(InstanceKey::Index(0)),
                                value: None,
                            }],
                        ));
                    }
                    if self.incomplete {
                        return Ok((Shape::Single, Vec::new()));
                    }
                    return Err(unknown_repetition(&self.config, module, "count", e, what));
                }
                let n = number.as_i64().and_then(|n| u64::try_from(n).ok()).ok_or_else(|| {
                    fail(e, "Invalid count argument", "The given \"count\" argument value is unsuitable: it must be a whole number that is not negative.".into())
                })?;
                let n = if self.checking { n.min(1) } else { n };
                Ok((
                    Shape::Count,
                    (0..n)
                        .map(|i| Each {
                            key: Some(InstanceKey::Index(i)),
                            value: None,
                        })
                        .collect(),
                ))
            }
            Repetition::Enabled(e) => {
                let value = evaluate(e, &self.scope(module, instance))?;
                let summary = "Invalid enabled argument";
                if !value.marks().is_empty() {
                    return Err(fail(e, summary, "Sensitive and ephemeral values cannot be used as enabled: whether the object exists is shown.".into()));
                }
                let (decided, _) = operators::condition(&value, summary)
                    .map_err(|(summary, detail)| fail(e, &summary, detail))?;
                match decided {
                    Some(true) => Ok((Shape::Optional, vec![Each::default()])),
                    Some(false) if !self.checking => Ok((Shape::Optional, Vec::new())),
                    _ if self.checking => Ok((Shape::Optional, vec![Each::default()])),
                    _ if self.incomplete => Ok((Shape::Single, Vec::new())),
                    _ => Err(unknown_repetition(&self.config, module, "enabled", e, what)),
                }
            }
            Repetition::ForEach(e) => {
                let value = evaluate(e, &self.scope(module, instance))?;
                if value.is_sensitive() {
                    return Err(fail(e, "Invalid for_each argument", "Sensitive values, or values derived from sensitive values, cannot be used as for_each arguments: they would be shown as instance keys.".into()));
                }
                let items = match value.kind() {
                    Kind::Null(_) => return Err(fail(e, "Invalid for_each argument", "The given \"for_each\" argument value is null. A map, or set of strings is allowed.".into())),
                    Kind::Unknown(_) if self.checking => vec![Each { key: Some(InstanceKey::Key("".into())), value: Some(Value::unknown(Type::Dynamic)) }],
                    Kind::Unknown(_) if self.incomplete => return Ok((Shape::Single, Vec::new())),
                    Kind::Unknown(_) => return Err(unknown_repetition(&self.config, module, "for_each", e, what)),
                    Kind::Map(_) | Kind::Object(_) => value
                        .as_map()
                        .into_iter()
                        .flatten()
                        .map(|(k, v)| Each { key: Some(InstanceKey::Key(k.clone())), value: Some(v.clone()) })
                        .collect(),
                    Kind::Set(s) => {
                        let mut items = Vec::with_capacity(s.items.len());
                        for v in &s.items {
                            match v.kind() {
                                Kind::String(k) => items.push(Each { key: Some(InstanceKey::Key(k.clone())), value: Some(v.clone()) }),
                                Kind::Unknown(_) if self.checking => {}
                                Kind::Unknown(_) if self.incomplete => return Ok((Shape::Single, Vec::new())),
                                Kind::Unknown(_) => return Err(unknown_repetition(&self.config, module, "for_each", e, what)),
                                Kind::Null(_) => return Err(fail(e, "Invalid for_each set argument", "The given \"for_each\" argument value has a null element.".into())),
                                _ => return Err(fail(e, "Invalid for_each set argument", format!("\"for_each\" supports maps and sets of strings, but this is a set of {}.", s.element.friendly()))),
                            }
                        }
                        items
                    }
                    Kind::List(_) | Kind::Tuple(_) => {
                        return Err(fail(e, "Invalid for_each argument", format!("The given \"for_each\" argument value is a {}. Use toset(...) on a list of distinct strings, or a for expression that makes a map.", value.ty().friendly())));
                    }
                    _ => return Err(fail(e, "Invalid for_each argument", format!("The given \"for_each\" argument value is a {}; a map, or set of strings, is required.", value.ty().friendly()))),
                };
                Ok((Shape::ForEach, items))
            }
        }
    }
}

/// What an expression of a module comes from: the resources behind its references, through local
/// values, variables and outputs.
pub(crate) fn sources(config: &Config, module: ModuleId, e: &Expression) -> Vec<String> {
    let Some(graph) = config.graph() else {
        return Vec::new();
    };
    let mut open: Vec<_> = e
        .references
        .iter()
        .filter_map(|r| graph.named(config, module, &r.target))
        .collect();
    let mut seen: std::collections::BTreeSet<_> = open.iter().copied().collect();
    let mut found = Vec::new();
    while let Some(n) = open.pop() {
        if let crate::graph::Node::Resource(..) = &graph.graph[n] {
            found.push(crate::graph::name(config, &graph.graph[n]));
        } else {
            open.extend(graph.requirements(n).filter(|r| seen.insert(*r)));
        }
    }
    found.sort();
    found
}

fn unknown_repetition(
    config: &Config,
    module: ModuleId,
    argument: &str,
    e: &Expression,
    what: &str,
) -> Unexpanded {
    let sources = sources(config, module, e);
    let text = e.file.slice(e.expr.span);
    let from = match (sources.is_empty(), text.len() <= 80 && !text.contains('\n')) {
        (true, true) => format!(" It is {text}."),
        (true, false) => String::new(),
        (false, true) => format!(" It is {text}, which comes from {}.", sources.join(", ")),
        (false, false) => format!(" It comes from {}.", sources.join(", ")),
    };
    let way_out = match argument {
        "for_each" => {
            "Use a map whose keys are written in the configuration and only whose values come from other objects"
        }
        _ => "Use a value that the configuration or a variable states",
    };
    let targeted = match sources.as_slice() {
        [] => String::from(", or apply what it comes from first (-target)"),
        all => {
            let flags: Vec<String> = all.iter().map(|s| format!("-target={s}")).collect();
            format!(", or apply what it comes from first ({})", flags.join(" "))
        }
    };
    let diagnostic = Diagnostic::error(
        format!("Invalid {argument} argument"),
        format!(
            "The \"{argument}\" value of {what} depends on attributes that are known only after apply, so it cannot be said how many instances there will be.{from} {way_out}{targeted}, or give -allow-deferral: then what can be planned is planned and applied, and the rest after it in the same run."
        ),
    );
    Unexpanded {
        diagnostic: Box::new(diagnostic.with_range(Some(e.range()))),
        unknown: true,
    }
}
