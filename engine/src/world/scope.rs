//! What expressions in a module instance see.

use std::sync::Arc;

use topo_sdk::convert::convert;
use topo_sdk::{Kind, Marks, Type, Value};

use super::instances::shape_value;
use super::{Each, ModuleValues, Shape, World};
use crate::address::InstanceKey;
use crate::config::ModuleId;
use crate::lang::ast::{ProviderFunctionName, Target};
use crate::lang::eval::Scope;
use crate::lang::functions;
use crate::lang::operators::{self, Failure};
use crate::lang::provider_functions::ProviderFunction;

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
