//! Functions that providers offer to expressions, `provider::aws::arn_parse(...)`: what a name
//! stands for in a module, and the call.
//!
//! The name behind `provider::` is a local name of the module: `required_providers` says which
//! provider it stands for; a built-in provider is also found by its own name. What the functions
//! do is the providers' business, except those of `terraform`, which are beside the built-in
//! functions because they need the language's parser.

use std::collections::BTreeMap;
use std::sync::Arc;

use topo_sdk::convert::convert;
use topo_sdk::{Parameter, Provider, Value};

use super::ast::ProviderFunctionName;
use super::functions::signature::{self, Signature};
use super::functions::{self, Callable, Context, Demand, Function, FunctionError, Ready};
use super::operators::Failure;
use crate::providers::Providers;
use crate::suggest::did_you_mean;

/// The provider whose functions are in the engine.
const TERRAFORM: &str = "terraform";

/// The functions of all providers, by the providers' own names.
#[derive(Debug, Clone, Default)]
pub struct ProviderFunctions(BTreeMap<Arc<str>, Vec<topo_sdk::Function>>);

/// A function of a provider.
#[derive(Debug, Clone, Copy)]
pub enum ProviderFunction<'a> {
    /// One that is in the engine.
    Engine(&'static Function),
    /// One that a provider brings.
    Offered(&'a topo_sdk::Function),
}

/// Takes `provider::NAME::FUNCTION` apart.
///
/// # Errors
/// What is wrong with the name, as a sentence.
pub(super) fn parse(name: &str) -> Result<ProviderFunctionName, String> {
    let parts: Vec<&str> = name.split("::").collect();
    match parts.as_slice() {
        ["provider", provider, function] => Ok(ProviderFunctionName {
            provider: (*provider).into(),
            function: (*function).into(),
        }),
        ["provider", _] => Err(format!(
            "{name:?} does not say which provider's function is meant: write provider::NAME::FUNCTION, as in provider::aws::arn_parse."
        )),
        ["provider", ..] => Err(format!(
            "{name:?} has too many parts: write provider::NAME::FUNCTION, as in provider::aws::arn_parse."
        )),
        _ => {
            let namespace = parts.first().copied().unwrap_or_default();
            Err(format!(
                "There are no functions under {namespace:?}. Functions of the language have no namespace or core::, those of providers begin with provider::."
            ))
        }
    }
}

/// The signatures of what a provider offers, sorted by name.
pub fn signatures(provider: &dyn Provider) -> Vec<Signature> {
    let parameter = |p: &Parameter| signature::Parameter {
        name: p.name,
        description: p.description,
        ty: p.ty.clone(),
        nullable: p.allow_null,
    };
    let offered = provider.functions();
    let mut found: Vec<Signature> = offered
        .iter()
        .map(|f| Signature {
            name: f.name,
            description: f.description,
            returns: f.returns.clone(),
            parameters: f.parameters.iter().map(parameter).collect(),
            variadic: f.variadic.as_ref().map(parameter),
        })
        .collect();
    if provider.name() == TERRAFORM {
        found.extend(functions::of_terraform().iter().map(Signature::of));
    }
    found.sort_by_key(|s| s.name);
    found
}

impl ProviderFunctions {
    /// What these providers offer.
    pub fn new(providers: &Providers) -> ProviderFunctions {
        ProviderFunctions(
            providers
                .iter()
                .map(|(name, p)| (name.clone(), p.functions()))
                .collect(),
        )
    }

    /// What a name stands for in a module with these `required_providers`.
    ///
    /// # Errors
    /// A summary and a detail, when there is no such provider or it has no such function.
    pub fn find(
        &self,
        required: &BTreeMap<Arc<str>, Arc<str>>,
        name: &ProviderFunctionName,
    ) -> Result<ProviderFunction<'_>, Failure> {
        let fail = |detail: String| Err(("Unknown provider function".to_string(), detail));
        let provider = required.get(&name.provider).unwrap_or(&name.provider);
        let known = self.names(provider);
        if !self.0.contains_key(provider) && &**provider != TERRAFORM {
            let locals = required.keys().map(|k| &**k);
            let all = self.0.keys().map(|k| &**k);
            let hint = did_you_mean(&name.provider, locals.chain(all));
            return fail(format!(
                "There is no function named \"{name}\": this module knows no provider {:?}.{hint} Providers with functions are: {}.",
                name.provider,
                self.with_functions().join(", ")
            ));
        }
        let found = if &**provider == TERRAFORM {
            functions::of_terraform()
                .iter()
                .find(|f| f.name == &*name.function)
                .map(ProviderFunction::Engine)
        } else {
            None
        };
        let offered = self.0.get(provider).into_iter().flatten();
        let mut offered = offered.filter(|f| f.name == &*name.function);
        if let Some(found) = found.or_else(|| offered.next().map(ProviderFunction::Offered)) {
            return Ok(found);
        }
        if known.is_empty() {
            return fail(format!(
                "There is no function named \"{name}\": the provider {provider} offers no functions. Providers with functions are: {}.",
                self.with_functions().join(", ")
            ));
        }
        let hint = did_you_mean(&name.function, &known);
        fail(format!(
            "There is no function named \"{name}\".{hint} The provider {provider} offers: {}.",
            known.join(", ")
        ))
    }

    /// The names of a provider's functions, by the provider's own name.
    pub fn names(&self, provider: &str) -> Vec<&str> {
        let offered = self.0.get(provider).into_iter().flatten().map(|f| f.name);
        let mut names: Vec<&str> = if provider == TERRAFORM {
            let ours = functions::of_terraform().iter().map(|f| f.name);
            ours.chain(offered).collect()
        } else {
            offered.collect()
        };
        names.sort_unstable();
        names
    }

    /// The providers that offer any.
    pub fn with_functions(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.0.keys().map(|k| &**k).collect();
        if !self.0.contains_key(TERRAFORM) {
            names.push(TERRAFORM);
        }
        names.retain(|name| !self.names(name).is_empty());
        names.sort_unstable();
        names
    }
}

impl ProviderFunction<'_> {
    /// Calls it under the name that the expression uses.
    ///
    /// # Errors
    /// When the number of arguments or one of them does not fit, or the function has no result
    /// for them.
    pub(super) fn call(
        self,
        name: &ProviderFunctionName,
        ctx: &Context,
        args: &[Value],
    ) -> Result<Value, FunctionError> {
        let f = match self {
            ProviderFunction::Engine(f) => return functions::call(f, ctx, args),
            ProviderFunction::Offered(f) => f,
        };
        let named = Named {
            name: name.to_string(),
            function: f,
        };
        let Ready {
            args,
            marks,
            unknown,
        } = functions::prepare(&named, args)?;
        if unknown {
            return Ok(Value::unknown(f.returns.clone()).with_marks(marks));
        }
        let made = (f.call)(&args)?;
        let made = convert(&made, &f.returns).map_err(|e| {
            FunctionError::new(format!(
                "the provider answered with a value of the wrong type, which is a bug in topo: {e}"
            ))
        })?;
        Ok(made.with_marks(marks))
    }
}

/// A provider's function under the name that errors show.
struct Named<'a> {
    name: String,
    function: &'a topo_sdk::Function,
}

impl Callable for Named<'_> {
    fn name(&self) -> &str {
        &self.name
    }

    fn arity(&self) -> (usize, bool) {
        let f = self.function;
        (f.parameters.len(), f.variadic.is_some())
    }

    fn demand(&self, index: usize) -> Option<(&str, Demand)> {
        let f = self.function;
        let param: &Parameter = f.parameters.get(index).or(f.variadic.as_ref())?;
        let demand = Demand {
            ty: param.ty.clone(),
            allow_null: param.allow_null,
            allow_unknown: param.allow_unknown,
            whole: !param.allow_unknown,
            // Values cross the border to a provider without marks.
            allow_marked: false,
            shallow_marks: false,
        };
        Some((param.name, demand))
    }
}

#[cfg(test)]
mod tests {
    use topo_sdk::Type;

    use super::*;
    use crate::lang::eval::{Scope, evaluate};
    use crate::lang::source::SourceFile;
    use crate::lang::syntax::parse_expression;

    fn offered() -> ProviderFunctions {
        let join = topo_sdk::Function {
            name: "join",
            description: "Joins.",
            parameters: vec![Parameter::new("first", Type::String, "The first.")],
            variadic: Some(Parameter::new("rest", Type::String, "More.")),
            returns: Type::String,
            call: |args| {
                let texts: Vec<&str> = args.iter().filter_map(Value::as_str).collect();
                Ok(texts.join("+").into())
            },
        };
        let open = topo_sdk::Function {
            name: "is_set",
            description: "Whether it is set.",
            parameters: vec![Parameter {
                allow_null: true,
                allow_unknown: true,
                ..Parameter::new("value", Type::Dynamic, "Anything.")
            }],
            variadic: None,
            returns: Type::Bool,
            call: |args| match args.first() {
                Some(v) if v.is_known() => Ok((!v.is_null()).into()),
                _ => Err(FunctionError::at(0, "cannot tell")),
            },
        };
        let wrong = topo_sdk::Function {
            name: "wrong",
            description: "Answers with the wrong type.",
            parameters: Vec::new(),
            variadic: None,
            returns: Type::Number,
            call: |_| Ok("x".into()),
        };
        ProviderFunctions(BTreeMap::from([
            ("strings".into(), vec![join, open, wrong]),
            ("mute".into(), Vec::new()),
        ]))
    }

    struct Module(ProviderFunctions, BTreeMap<Arc<str>, Arc<str>>);

    impl Scope for Module {
        fn resolve(
            &self,
            target: &crate::lang::ast::Target,
            _key: Option<&Value>,
        ) -> Result<Value, Failure> {
            Ok(match target.to_string().as_str() {
                "var.secret" => Value::from("s").sensitive(),
                "var.later" => Value::unknown(Type::Dynamic),
                other => return Err(("No such thing".into(), other.into())),
            })
        }

        fn functions(&self) -> Context<'_> {
            Context {
                base_dir: std::path::Path::new("."),
                plan_time: jiff::Timestamp::UNIX_EPOCH,
                impure_unknown: false,
            }
        }

        fn provider_function(
            &self,
            name: &ProviderFunctionName,
        ) -> Result<ProviderFunction<'_>, Failure> {
            self.0.find(&self.1, name)
        }
    }

    fn run(text: &str) -> Result<Value, String> {
        let file = SourceFile::new("test", text.to_string());
        let expression = parse_expression(&file).map_err(|ds| ds.to_string())?;
        let required = BTreeMap::from([("s".into(), "strings".into())]);
        evaluate(&expression, &Module(offered(), required)).map_err(|d| d.detail)
    }

    #[test]
    fn names_are_local_to_the_module() {
        assert_eq!(run(r#"provider::s::join("a", 1)"#).unwrap(), "a+1".into());
        assert_eq!(run(r#"provider::strings::join("a")"#).unwrap(), "a".into());
        assert_eq!(
            run("provider::terraform::encode_expr([1])").unwrap(),
            "[1]".into()
        );
    }

    #[test]
    fn names_that_lead_nowhere_say_what_there_is() {
        let rows = [
            ("provider::strngs::join()", "Did you mean \"strings\"?"),
            ("provider::x::join()", "knows no provider \"x\""),
            ("provider::s::jion()", "Did you mean \"join\"?"),
            ("provider::s::x()", "offers: is_set, join, wrong."),
            (
                "provider::mute::x()",
                "offers no functions. Providers with functions are: strings, terraform.",
            ),
            (
                "provider::terraform::x()",
                "decode_tfvars, encode_expr, encode_tfvars",
            ),
            ("provider::x()", "does not say which provider's"),
            ("provider::a::b::c()", "too many parts"),
            ("other::x()", "no functions under \"other\""),
        ];
        for (text, expected) in rows {
            let e = run(text).unwrap_err();
            assert!(e.contains(expected), "{text}: {e}");
        }
    }

    #[test]
    fn arguments_are_prepared_as_for_every_function() {
        let rows = [
            (
                "provider::s::join()",
                "takes at least 1 argument, but 0 were given; missing \"first\"",
            ),
            ("provider::s::join(null)", "argument must not be null"),
            ("provider::s::join([])", "string"),
            (
                "provider::s::is_set(1, 2)",
                "takes 1 argument, but 2 were given",
            ),
            (
                "provider::s::is_set(var.later)",
                "Call to function \"provider::s::is_set\" failed: cannot tell.",
            ),
            ("provider::s::wrong()", "wrong type"),
        ];
        for (text, expected) in rows {
            let e = run(text).unwrap_err();
            assert!(e.contains(expected), "{text}: {e}");
        }
        assert_eq!(run("provider::s::is_set(null)").unwrap(), false.into());
        let later = run(r#"provider::s::join("a", var.later)"#).unwrap();
        assert_eq!(later, Value::unknown(Type::String));
        let secret = run("provider::s::join(var.secret)").unwrap();
        assert!(secret.is_sensitive());
        assert_eq!(secret.unmark(), "s".into());
        let both = run("provider::s::join(var.secret, var.later)").unwrap();
        assert!(both.is_sensitive() && !both.is_known());
    }
}
