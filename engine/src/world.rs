//! The values of everything in the configuration, as far as they are known in one phase of a
//! run: module instances, and in each the variables, local values, resources and outputs.
//!
//! A value is computed once and kept. Whole-resource values (`aws_subnet.a`, a list of ten
//! thousand objects perhaps) are made when first asked for.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use topo_sdk::convert::convert;
use topo_sdk::{Cause, Diagnostic, Diagnostics, Kind, Marks, SourceRange, Type, Value};

use crate::address::{InstanceKey, ModuleInstance};
use crate::checks::{Checked, Checks, Time, Verdict, failure, verdict};
use crate::config::{CheckRule, Config, ModuleId, Repetition, ResourceKey, Variable};
use crate::graph::Node;
use crate::lang::ast::{Expression, ProviderFunctionName, Target};
use crate::lang::eval::{Scope, evaluate};
use crate::lang::functions;
use crate::lang::operators::{self, Failure};
use crate::lang::provider_functions::ProviderFunction;
use crate::variables::Given;

/// Whether a block makes one object, a list or a map of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One.
    Single,
    /// A list, by `count`.
    Count,
    /// A map, by `for_each`.
    ForEach,
    /// One, or null where `enabled` says that there is none.
    Optional,
}

impl Shape {
    /// The shape that a block's meta-arguments give it.
    pub fn of(repetition: &Repetition) -> Shape {
        match repetition {
            Repetition::Single => Shape::Single,
            Repetition::Count(_) => Shape::Count,
            Repetition::ForEach(_) => Shape::ForEach,
            Repetition::Enabled(_) => Shape::Optional,
        }
    }

    /// The type of the whole, for objects of a type.
    pub fn whole_type(self, object: Type) -> Type {
        match self {
            Shape::Single | Shape::Optional => object,
            _ if object.has_dynamic() => Type::Dynamic,
            Shape::Count => Type::list(object),
            Shape::ForEach => Type::map(object),
        }
    }

    /// Whether its instances have keys.
    pub fn is_keyed(self) -> bool {
        matches!(self, Shape::Count | Shape::ForEach)
    }
}

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

/// What `each` and `count` are in an instance.
#[derive(Debug, Clone, Default)]
pub struct Each {
    /// The instance's key.
    pub key: Option<InstanceKey>,
    /// `each.value`.
    pub value: Option<Value>,
}

/// The instances of one resource in one module instance.
#[derive(Debug)]
pub struct Instances {
    /// How they are seen as a whole.
    pub shape: Shape,
    /// The one without a key. Most blocks have no other, and a map with one entry is large.
    unkeyed: Option<Value>,
    keyed: BTreeMap<InstanceKey, Value>,
    whole: OnceLock<Value>,
}

impl Instances {
    /// None yet.
    pub fn new(shape: Shape) -> Instances {
        Instances {
            shape,
            unkeyed: None,
            keyed: BTreeMap::new(),
            whole: OnceLock::new(),
        }
    }

    /// Instances of which only the whole is known: for checks before there are any.
    pub fn opaque(shape: Shape, whole: Value) -> Instances {
        Instances {
            whole: OnceLock::from(whole),
            ..Instances::new(shape)
        }
    }

    /// Sets the value of one.
    pub fn set(&mut self, key: Option<InstanceKey>, value: Value) {
        match key {
            None => self.unkeyed = Some(value),
            Some(key) => {
                self.keyed.insert(key, value);
            }
        }
        self.whole.take();
    }

    /// The value of one.
    pub fn get(&self, key: &Option<InstanceKey>) -> Option<&Value> {
        match key {
            None => self.unkeyed.as_ref(),
            Some(key) => self.keyed.get(key),
        }
    }

    /// The keys.
    pub fn keys(&self) -> impl Iterator<Item = Option<&InstanceKey>> {
        let unkeyed = self.unkeyed.iter().map(|_| None);
        unkeyed.chain(self.keyed.keys().map(Some))
    }

    /// All of them as the language sees them.
    fn whole(&self) -> Value {
        self.whole
            .get_or_init(|| {
                let unkeyed = self.unkeyed.iter().map(|v| (None, v.clone()));
                let keyed = self.keyed.iter();
                let keyed = keyed.map(|(k, v)| (Some(k.clone()), v.clone()));
                shape_value(self.shape, unkeyed.chain(keyed))
            })
            .clone()
    }
}

fn shape_value(shape: Shape, items: impl Iterator<Item = (Option<InstanceKey>, Value)>) -> Value {
    match shape {
        Shape::Single => items
            .map(|(_, v)| v)
            .next()
            .unwrap_or_else(|| Value::unknown(Type::Dynamic)),
        Shape::Optional => items.map(|(_, v)| v).next().unwrap_or(Value::NULL),
        Shape::Count => Value::tuple(items.map(|(_, v)| v).collect()),
        Shape::ForEach => Value::object(items.map(|(k, v)| match k {
            Some(InstanceKey::Key(k)) => (k, v),
            Some(InstanceKey::Index(i)) => (Arc::from(i.to_string()), v),
            None => (Arc::from(""), v),
        })),
    }
}

/// The instances of a module call: indices into the called module's instances, by key.
pub type CallInstances = BTreeMap<Option<InstanceKey>, usize>;

/// A module instance with the values in it.
#[derive(Debug)]
pub struct ModuleValues {
    /// Its address.
    pub address: ModuleInstance,
    /// Which instance of the calling module it is called from.
    pub parent: usize,
    /// `each` and `count` of the call: seen by its arguments.
    pub each: Each,
    /// Input variables.
    pub variables: HashMap<Arc<str>, Value>,
    /// Local values.
    pub locals: HashMap<Arc<str>, Value>,
    /// Outputs.
    pub outputs: HashMap<Arc<str>, Value>,
    /// Resources and data sources.
    pub resources: HashMap<ResourceKey, Instances>,
    /// The instances of called modules: indices into the called module's instances.
    pub calls: HashMap<Arc<str>, (Shape, CallInstances)>,
}

impl ModuleValues {
    fn new(address: ModuleInstance, parent: usize, each: Each) -> ModuleValues {
        ModuleValues {
            address,
            parent,
            each,
            variables: HashMap::new(),
            locals: HashMap::new(),
            outputs: HashMap::new(),
            resources: HashMap::new(),
            calls: HashMap::new(),
        }
    }
}

/// All values of one phase.
#[derive(Debug)]
pub struct World {
    /// What the values are of.
    pub config: Arc<Config>,
    /// The instances of each module, by the module's index.
    pub modules: Vec<Vec<ModuleValues>>,
    /// What was given for the root module's variables.
    pub given: Arc<BTreeMap<Arc<str>, Given>>,
    /// The moment of the plan.
    pub plan_time: Timestamp,
    /// Whether functions whose result changes from call to call answer with an unknown.
    pub planning: bool,
    /// Whether this is a check before anything is known: keys of instances stand for all.
    pub checking: bool,
    /// Whether module calls whose instances are not known yet are left to a later round.
    pub allow_deferral: bool,
    /// Whether something could not be read or evaluated. What is unknown from then on may be so
    /// because of that, and is no mistake of its own.
    pub incomplete: bool,
    /// What relative paths of the file functions start from.
    pub base_dir: PathBuf,
    /// The name of the workspace.
    pub workspace: Arc<str>,
    /// What became of conditions.
    pub(crate) checks: Checks,
}

impl World {
    /// A world with a root module and nothing in it.
    pub fn new(
        config: Arc<Config>,
        given: Arc<BTreeMap<Arc<str>, Given>>,
        plan_time: Timestamp,
    ) -> World {
        let mut modules: Vec<Vec<ModuleValues>> =
            config.modules.iter().map(|_| Vec::new()).collect();
        if let Some(root) = modules.first_mut() {
            root.push(ModuleValues::new(
                ModuleInstance::root(),
                0,
                Each::default(),
            ));
        }
        let base_dir = config.root_dir.clone();
        World {
            config,
            modules,
            given,
            plan_time,
            planning: true,
            checking: false,
            allow_deferral: false,
            incomplete: false,
            base_dir,
            workspace: crate::plan::DEFAULT_WORKSPACE.into(),
            checks: Checks::default(),
        }
    }

    /// What expressions in an instance of a module see.
    pub fn scope(&self, module: ModuleId, instance: usize) -> ModuleScope<'_> {
        ModuleScope {
            world: self,
            module,
            instance,
            each: None,
            itself: None,
        }
    }

    /// The instances of a module that an instance of another (or the same) can see: those that
    /// agree with it in the keys of the calls that they share.
    pub fn seen_from(&self, module: ModuleId, instance: usize, other: ModuleId) -> Vec<usize> {
        let (own_path, path) = (
            &self.config.module(module).path,
            &self.config.module(other).path,
        );
        let shared = own_path.iter().zip(path.iter());
        let shared = shared.take_while(|(a, b)| a == b).count();
        let (mut at, mut found) = (module, instance);
        for _ in shared..own_path.len() {
            let Some((parent, _)) = &self.config.module(at).parent else {
                return Vec::new();
            };
            found = self.modules[at][found].parent;
            at = *parent;
        }
        let mut seen = vec![found];
        for name in &path[shared..] {
            let called = seen
                .iter()
                .filter_map(|i| self.modules[at][*i].calls.get(name));
            seen = called.flat_map(|(_, of)| of.values().copied()).collect();
            let Some(call) = self.config.module(at).calls.get(name) else {
                return Vec::new();
            };
            at = call.module;
        }
        seen
    }

    /// The value of a root module variable or of a module's argument, converted and checked.
    pub fn variable(
        &mut self,
        module: ModuleId,
        instance: usize,
        name: &Arc<str>,
        diagnostics: &mut Diagnostics,
    ) {
        let config = self.config.clone();
        let Some(variable) = config.module(module).variables.get(name) else {
            return;
        };
        let (raw, range) = match &config.module(module).parent {
            None => match self.given.get(name) {
                Some(g) => (Some(g.value.clone()), g.range.clone()),
                None => (None, None),
            },
            Some((parent, call)) => match config
                .module(*parent)
                .calls
                .get(call)
                .and_then(|c| c.arguments.get(name))
            {
                Some(argument) => {
                    let e = &argument.value;
                    let of = &self.modules[module][instance];
                    let scope = ModuleScope {
                        each: Some(&of.each),
                        ..self.scope(*parent, of.parent)
                    };
                    match evaluate(e, &scope) {
                        Ok(v) => (Some(v), Some(e.range())),
                        Err(d) => {
                            diagnostics.push(*d);
                            (Some(Value::unknown(variable.constraint.ty.clone())), None)
                        }
                    }
                }
                None => (None, None),
            },
        };
        let value = self.settle(name, variable, raw, range.clone(), diagnostics);
        let of = &mut self.modules[module][instance];
        of.variables.insert(name.clone(), value);
        let before = diagnostics.0.len();
        if !variable.validations.is_empty() {
            let checked = self.check_rules(
                &variable.validations,
                &self.scope(module, instance),
                "Invalid value for variable",
                range.as_ref().unwrap_or(&variable.range),
                diagnostics,
            );
            self.checked(&Node::Variable(module, name.clone()), instance, checked);
        }
        self.conditions_of(
            module,
            instance,
            format_args!("var.{name}"),
            before,
            diagnostics,
        );
        // What would come of a value that is refused says nothing that is not said already.
        if self.planning
            && diagnostics.0.iter().skip(before).any(Diagnostic::is_error)
            && let Some(value) = self.modules[module][instance].variables.get_mut(name)
        {
            *value = Value::unknown(variable.constraint.ty.clone()).with_marks(value.marks());
        }
    }

    /// Says of the conditions that were found not to hold since there were `before` diagnostics
    /// what they belong to.
    fn conditions_of(
        &self,
        module: ModuleId,
        instance: usize,
        name: std::fmt::Arguments<'_>,
        before: usize,
        diagnostics: &mut Diagnostics,
    ) {
        for d in diagnostics.0.iter_mut().skip(before) {
            if let Some(Cause::FailedCondition { of }) = &mut d.cause {
                let address = &self.modules[module][instance].address;
                let dot = if address.is_root() { "" } else { "." };
                *of = Some(format!("{address}{dot}{name}").into());
            }
        }
    }

    /// Notes what the conditions of a variable, an output or a `check` block come to.
    pub(crate) fn checked(&mut self, node: &Node, instance: usize, checked: Checked) {
        let (Node::Variable(module, _) | Node::Output(module, _) | Node::Check(module, _)) = node
        else {
            return;
        };
        let of = &self.modules[*module][instance].address;
        self.checks
            .record(&self.config, node, of, &None, Time::Before, checked);
    }

    fn settle(
        &self,
        name: &str,
        variable: &Variable,
        raw: Option<Value>,
        range: Option<SourceRange>,
        diagnostics: &mut Diagnostics,
    ) -> Value {
        let ty = &variable.constraint.ty;
        let given =
            raw.filter(|v| !(v.is_null() && !variable.nullable && variable.default.is_some()));
        let value = match given {
            Some(v) => {
                let filled = variable.constraint.defaults.apply(v);
                match convert(&filled, ty) {
                    Ok(v) => v,
                    Err(e) => {
                        let inside = if e.path.is_root() {
                            String::new()
                        } else {
                            format!("{}: ", e.path)
                        };
                        diagnostics.push(
                            Diagnostic::error("Invalid value for input variable", format!("The given value is not suitable for var.{name} declared at {}: {inside}{e}.", variable.range))
                                .with_range(range.clone().or_else(|| Some(variable.range.clone()))),
                        );
                        Value::unknown(ty.clone())
                    }
                }
            }
            None => match &variable.default {
                Some(v) => v.clone(),
                None => {
                    let detail = format!(
                        "The root module's variable {name:?} is not set, and has no default value. Use -var={name}=..., -var-file=..., or the environment variable TF_VAR_{name}."
                    );
                    diagnostics.push(
                        Diagnostic::error("No value for required variable", detail)
                            .with_range(Some(variable.range.clone())),
                    );
                    Value::unknown(ty.clone())
                }
            },
        };
        if value.is_null() && !variable.nullable {
            diagnostics.push(
                Diagnostic::error(
                    "Invalid value for input variable",
                    format!("The value of var.{name} must not be null."),
                )
                .with_range(range.or_else(|| Some(variable.range.clone()))),
            );
        }
        let mut marks = Marks::empty();
        marks.set(Marks::SENSITIVE, variable.sensitive);
        marks.set(Marks::EPHEMERAL, variable.ephemeral);
        value.with_marks(marks)
    }

    /// Evaluates conditions; an error with its message for each that does not hold. Unknown
    /// passes: it is asked again when more is known.
    pub(crate) fn check_rules(
        &self,
        rules: &[CheckRule],
        scope: &dyn Scope,
        summary: &str,
        range: &SourceRange,
        diagnostics: &mut Diagnostics,
    ) -> Checked {
        let mut checked = Checked::default();
        for rule in rules {
            let verdict = verdict(rule, scope);
            checked.add(&verdict);
            match verdict {
                Verdict::Holds | Verdict::Unknown => {}
                Verdict::Broken(d) => diagnostics.push(*d),
                Verdict::Fails(message) => {
                    diagnostics.push(failure(rule, scope, summary, range, message));
                }
            }
        }
        checked
    }

    /// The value of a local.
    pub fn local(
        &mut self,
        module: ModuleId,
        instance: usize,
        name: &Arc<str>,
        diagnostics: &mut Diagnostics,
    ) {
        let config = self.config.clone();
        let Some(e) = config.module(module).locals.get(name) else {
            return;
        };
        let value = self.evaluate(e, module, instance, diagnostics);
        self.modules[module][instance]
            .locals
            .insert(name.clone(), value);
    }

    /// The value of an output.
    pub fn output(
        &mut self,
        module: ModuleId,
        instance: usize,
        name: &Arc<str>,
        diagnostics: &mut Diagnostics,
    ) {
        let config = self.config.clone();
        let Some(output) = config.module(module).outputs.get(name) else {
            return;
        };
        let before = diagnostics.0.len();
        let mut holds = true;
        if !output.preconditions.is_empty() {
            let errors = diagnostics.iter().filter(|d| d.is_error()).count();
            let checked = self.check_rules(
                &output.preconditions,
                &self.scope(module, instance),
                "Module output value precondition failed",
                &output.range,
                diagnostics,
            );
            self.checked(&Node::Output(module, name.clone()), instance, checked);
            holds = diagnostics.iter().filter(|d| d.is_error()).count() == errors;
        }
        self.conditions_of(
            module,
            instance,
            format_args!("output.{name}"),
            before,
            diagnostics,
        );
        // An output whose precondition does not hold has no value that could be kept.
        let mut value = match !holds || (output.after_apply && self.planning) {
            true => Value::unknown(Type::Dynamic),
            false => self.evaluate(&output.value, module, instance, diagnostics),
        };
        if output.ephemeral {
            value = value.with_marks(Marks::EPHEMERAL);
        } else if value.deep_marks().contains(Marks::EPHEMERAL) {
            diagnostics.push(
                Diagnostic::error(
                    "Ephemeral value not allowed",
                    format!("The value of the output {name:?} is ephemeral. Set ephemeral = true in the output block of a module that is called, or use ephemeralasnull(...)."),
                )
                .with_range(Some(output.value.range())),
            );
        }
        if output.sensitive {
            value = value.sensitive();
        } else if module == 0 && !self.checking && value.deep_marks().contains(Marks::SENSITIVE) {
            diagnostics.push(
                Diagnostic::error(
                    "Output refers to sensitive values",
                    format!("The value of the output {name:?} has sensitive parts. To show that this is meant, set sensitive = true in the output block, or use nonsensitive(...) on what may be shown."),
                )
                .with_range(Some(output.range.clone())),
            );
        }
        self.modules[module][instance]
            .outputs
            .insert(name.clone(), value);
    }

    fn evaluate(
        &self,
        e: &Expression,
        module: ModuleId,
        instance: usize,
        diagnostics: &mut Diagnostics,
    ) -> Value {
        match evaluate(e, &self.scope(module, instance)) {
            Ok(v) => v,
            Err(d) => {
                diagnostics.push(*d);
                Value::unknown(Type::Dynamic)
            }
        }
    }

    /// Makes the instances of a called module, in every instance of the calling one. False where
    /// it is not known which, and that is no error.
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
                Err(e) if e.unknown && self.allow_deferral => {
                    known = false;
                    continue;
                }
                Err(e) => {
                    diagnostics.push(*e.diagnostic);
                    continue;
                }
            };
            let mut made = BTreeMap::new();
            for each in items {
                let address = self.modules[module][instance]
                    .address
                    .child(name.clone(), each.key.clone());
                let key = each.key.clone();
                let children = &mut self.modules[call.module];
                children.push(ModuleValues::new(address, instance, each));
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

/// What expressions in a module instance see.
#[derive(Clone, Copy)]
pub struct ModuleScope<'a> {
    /// The values.
    pub world: &'a World,
    /// The module.
    pub module: ModuleId,
    /// Which of its instances.
    pub instance: usize,
    /// `each` and `count` of the block being evaluated.
    pub each: Option<&'a Each>,
    /// `self`.
    pub itself: Option<&'a Value>,
}

impl ModuleScope<'_> {
    fn values(&self) -> Option<&ModuleValues> {
        self.world.modules.get(self.module)?.get(self.instance)
    }

    fn call_value(
        &self,
        name: &Arc<str>,
        output: Option<&Arc<str>>,
        key: Option<&Value>,
    ) -> Result<Value, Failure> {
        let config = &self.world.config;
        let missing = || Value::unknown(Type::Dynamic);
        let (Some(call), Some(values)) =
            (config.module(self.module).calls.get(name), self.values())
        else {
            return Ok(missing());
        };
        let Some((shape, instances)) = values.calls.get(name) else {
            return Ok(missing());
        };
        let children = &self.world.modules[call.module];
        let child_value = |i: usize, output: Option<&Arc<str>>| -> Value {
            let Some(child) = children.get(i) else {
                return missing();
            };
            match output {
                Some(o) => child.outputs.get(o).cloned().unwrap_or_else(missing),
                None => Value::object(child.outputs.iter().map(|(n, v)| (n.clone(), v.clone()))),
            }
        };
        if self.world.checking && shape.is_keyed() {
            return Ok(match (key, instances.values().next()) {
                (Some(_), Some(i)) => child_value(*i, output),
                _ => missing(),
            });
        }
        let single = |output: Option<&Arc<str>>| match instances.values().next() {
            Some(i) => Ok(child_value(*i, output)),
            None => match (shape, output) {
                (Shape::Optional, None) => Ok(Value::NULL),
                (Shape::Optional, Some(o)) => operators::get_attr(&Value::NULL, o),
                _ => Ok(missing()),
            },
        };
        match (shape, key) {
            (Shape::Single | Shape::Optional, None) => single(output),
            (Shape::Single | Shape::Optional, Some(key)) => {
                let whole = single(None)?;
                let v = operators::index(&whole, key)?;
                match output {
                    Some(o) => operators::get_attr(&v, o),
                    None => Ok(v),
                }
            }
            (_, Some(key)) => {
                let wanted = instance_key(*shape, key);
                match wanted.and_then(|k| instances.get(&Some(k))) {
                    Some(i) => Ok(child_value(*i, output)),
                    None => Err((
                        "Invalid index".into(),
                        format!(
                            "module.{name} has no instance {}.",
                            crate::lang::eval::describe(key)
                        ),
                    )),
                }
            }
            (_, None) => {
                if let Some(o) = output {
                    return Err((
                        "Unsupported attribute".into(),
                        format!(
                            "module.{name} has {}, so its output {o:?} must be taken from one of its instances, as in module.{name}[{}].{o}, or from all, as in module.{name}[*].{o}.",
                            if *shape == Shape::Count {
                                "count set"
                            } else {
                                "for_each set"
                            },
                            if *shape == Shape::Count {
                                "0"
                            } else {
                                "\"key\""
                            }
                        ),
                    ));
                }
                Ok(shape_value(
                    *shape,
                    instances
                        .iter()
                        .map(|(k, i)| (k.clone(), child_value(*i, None))),
                ))
            }
        }
    }
}

/// The instance key that an index value names.
pub fn instance_key(shape: Shape, key: &Value) -> Option<InstanceKey> {
    match shape {
        Shape::Single | Shape::Optional => None,
        Shape::Count => {
            let n = convert(key, &Type::Number).ok()?;
            Some(InstanceKey::Index(u64::try_from(n.as_i64()?).ok()?))
        }
        Shape::ForEach => {
            let k = convert(key, &Type::String).ok()?;
            Some(InstanceKey::Key(k.as_str()?.into()))
        }
    }
}

impl Scope for ModuleScope<'_> {
    fn resolve(&self, target: &Target, key: Option<&Value>) -> Result<Value, Failure> {
        let not_here = |what: &str, why: &str| {
            Err((
                format!("Reference to {what:?} in invalid context"),
                why.to_string(),
            ))
        };
        let pending = || Value::unknown(Type::Dynamic);
        let values = self.values();
        let found = match target {
            Target::Variable(n) => values
                .and_then(|v| v.variables.get(n))
                .cloned()
                .unwrap_or_else(pending),
            Target::Local(n) => values
                .and_then(|v| v.locals.get(n))
                .cloned()
                .unwrap_or_else(pending),
            Target::Resource(mode, t, n) => {
                let Some(instances) =
                    values.and_then(|v| v.resources.get(&(*mode, t.clone(), n.clone())))
                else {
                    return Ok(pending());
                };
                if let Some(key) = key
                    && instances.shape.is_keyed()
                    && let Some(v) =
                        instance_key(instances.shape, key).and_then(|k| instances.get(&Some(k)))
                {
                    return Ok(v.clone());
                }
                let whole = instances.whole();
                return match key {
                    Some(key) => operators::index(&whole, key),
                    None => Ok(whole),
                };
            }
            Target::Module(n, output) => return self.call_value(n, output.as_ref(), key),
            Target::EachKey => match self.each.map(|e| &e.key) {
                Some(Some(InstanceKey::Key(_))) if self.world.checking => {
                    Value::unknown(Type::String)
                }
                Some(Some(InstanceKey::Key(k))) => Value::new(Kind::String(k.clone())),
                _ => {
                    return not_here(
                        "each.key",
                        "The \"each\" object can be used only in blocks that have \"for_each\" set.",
                    );
                }
            },
            Target::EachValue => match self.each.and_then(|e| e.value.clone()) {
                Some(v) => v,
                None => {
                    return not_here(
                        "each.value",
                        "The \"each\" object can be used only in blocks that have \"for_each\" set.",
                    );
                }
            },
            Target::CountIndex => match self.each.map(|e| &e.key) {
                Some(Some(InstanceKey::Index(_))) if self.world.checking => {
                    Value::unknown(Type::Number)
                }
                Some(Some(InstanceKey::Index(i))) => Value::number(*i),
                _ => {
                    return not_here(
                        "count.index",
                        "The \"count\" object can be used only in blocks that have \"count\" set.",
                    );
                }
            },
            Target::SelfObject => match self.itself {
                Some(v) => v.clone(),
                None => {
                    return not_here(
                        "self",
                        "The \"self\" object can be used only in postconditions and provisioners.",
                    );
                }
            },
            Target::PathModule => Value::string(&self.world.config.module(self.module).dir),
            Target::PathRoot => Value::string("."),
            Target::PathCwd => Value::string(
                std::path::absolute(&self.world.base_dir)
                    .unwrap_or_default()
                    .to_string_lossy(),
            ),
            // Which one is selected must not decide what is valid.
            Target::Workspace if self.world.checking => Value::unknown(Type::String),
            Target::Workspace => Value::new(Kind::String(self.world.workspace.clone())),
            Target::Applying if self.world.checking => {
                Value::unknown(Type::Bool).with_marks(Marks::EPHEMERAL)
            }
            Target::Applying => Value::from(!self.world.planning).with_marks(Marks::EPHEMERAL),
        };
        match key {
            Some(key) => operators::index(&found, key),
            None => Ok(found),
        }
    }

    fn provider_function(
        &self,
        name: &ProviderFunctionName,
    ) -> Result<ProviderFunction<'_>, Failure> {
        let config = &self.world.config;
        let required = &config.module(self.module).required_providers;
        config.functions.find(required, name)
    }

    fn functions(&self) -> functions::Context<'_> {
        functions::Context {
            base_dir: &self.world.base_dir,
            plan_time: self.world.plan_time,
            impure_unknown: self.world.planning,
        }
    }
}
