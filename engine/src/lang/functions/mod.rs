//! The built-in functions of the language.
//!
//! One file per family, one entry per function in the family's table: its parameters, what it
//! returns and the code. [`call`] does for every function what is common to all of them: it
//! counts the arguments, converts them, refuses nulls, answers with an unknown where an argument
//! is unknown, and carries marks from the arguments to the result. The code of a function sees
//! arguments that are what its entry asks for.
//!
//! Not here: functions that need to evaluate expressions (`try`, `can`, `templatefile`,
//! `templatestring`); these belong to the evaluator.
//!
//! Source of what each function does: HashiCorp's "Built-in Functions" reference and OpenTofu's.

use std::collections::HashMap;
use std::path::Path;
use std::sync::LazyLock;

pub use topo_sdk::FunctionError;
use topo_sdk::convert::{convert, unify};
use topo_sdk::{Kind, Marks, Number, Refinements, Step, Type, Value};

mod charset;
mod charset_tables;
mod collection;
mod csv;
mod datetime;
mod encoding;
mod fileset;
mod filesystem;
mod float;
mod format;
mod format_number;
mod hash;
mod json;
mod mapping;
mod measure;
mod network;
mod numeric;
mod regex;
mod regex_syntax;
mod sets;
mod string;
mod types;
mod yaml;
mod yaml_emitter;

#[cfg(test)]
mod testing;

/// A built-in function.
#[derive(Debug)]
pub struct Function {
    /// The name by which expressions call it.
    pub name: &'static str,
    /// The fixed parameters.
    pub params: &'static [Param],
    /// The parameter that takes any number of further arguments.
    pub variadic: Option<Param>,
    /// What it does, in a sentence.
    pub description: &'static str,
    /// The type of the result for arguments of these types; for unknown results.
    pub returns: fn(&[Type]) -> Type,
    /// Whether the result may be null; a result that may not be is known not to be null while
    /// it is still unknown.
    pub nullable_result: bool,
    /// The code. Its arguments are as [`call`] leaves them.
    pub call: Code,
}

/// The code of a function.
pub type Code = fn(&Context, &[Value]) -> Result<Value, FunctionError>;

/// A parameter of a function.
#[derive(Debug)]
pub struct Param {
    /// Its name in documentation and errors.
    pub name: &'static str,
    /// The type that arguments are converted to.
    pub ty: ParamType,
    /// Whether the function takes null.
    pub allow_null: bool,
    /// Whether the function takes an unknown value; otherwise its result is unknown without
    /// the function's code being asked.
    pub allow_unknown: bool,
    /// Whether the function needs the whole value: an unknown anywhere inside it makes the
    /// result unknown.
    pub whole: bool,
    /// Whether the function deals with marks itself.
    pub allow_marked: bool,
    /// Whether only the marks of the argument itself go to the whole result, while parts of the
    /// argument that become parts of the result keep their own.
    pub shallow_marks: bool,
    /// What it is for.
    pub description: &'static str,
}

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamType {
    /// Any type; the argument is not converted.
    Any,
    /// `bool`
    Bool,
    /// `number`
    Number,
    /// `string`
    String,
    /// `list(any)`
    ListOfAny,
    /// `list(bool)`
    ListOfBool,
    /// `list(string)`
    ListOfString,
    /// `set(any)`
    SetOfAny,
    /// `set(string)`
    SetOfString,
    /// `map(list(string))`
    MapOfListOfString,
}

impl ParamType {
    /// The type as a value.
    pub fn to_type(self) -> Type {
        match self {
            ParamType::Any => Type::Dynamic,
            ParamType::Bool => Type::Bool,
            ParamType::Number => Type::Number,
            ParamType::String => Type::String,
            ParamType::ListOfAny => Type::list(Type::Dynamic),
            ParamType::ListOfBool => Type::list(Type::Bool),
            ParamType::ListOfString => Type::list(Type::String),
            ParamType::SetOfAny => Type::set(Type::Dynamic),
            ParamType::SetOfString => Type::set(Type::String),
            ParamType::MapOfListOfString => Type::map(Type::list(Type::String)),
        }
    }
}

/// What functions see of the world around the expression.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The directory that relative paths of the file functions start from.
    pub base_dir: &'a Path,
    /// The moment of the plan, for `plantimestamp`.
    pub plan_time: jiff::Timestamp,
    /// Whether functions whose result differs from call to call (`timestamp`, `uuid`, `bcrypt`)
    /// answer with an unknown: so while planning, that apply decides once.
    pub impure_unknown: bool,
}

impl Param {
    const fn new(name: &'static str, ty: ParamType, description: &'static str) -> Param {
        Param {
            name,
            ty,
            allow_null: false,
            allow_unknown: false,
            whole: false,
            allow_marked: false,
            shallow_marks: false,
            description,
        }
    }

    const fn nullable(mut self) -> Param {
        self.allow_null = true;
        self
    }

    const fn unknown(mut self) -> Param {
        self.allow_unknown = true;
        self
    }

    const fn whole(mut self) -> Param {
        self.whole = true;
        self
    }

    const fn marked(mut self) -> Param {
        self.allow_marked = true;
        self
    }

    const fn shallow(mut self) -> Param {
        self.shallow_marks = true;
        self
    }
}

impl Function {
    const fn new(
        name: &'static str,
        description: &'static str,
        params: &'static [Param],
        returns: fn(&[Type]) -> Type,
        call: Code,
    ) -> Function {
        Function {
            name,
            params,
            variadic: None,
            description,
            returns,
            nullable_result: false,
            call,
        }
    }

    const fn variadic(mut self, param: Param) -> Function {
        self.variadic = Some(param);
        self
    }

    const fn maybe_null(mut self) -> Function {
        self.nullable_result = true;
        self
    }

    /// The parameter that the argument at an index is for.
    pub fn param(&self, index: usize) -> Option<&Param> {
        self.params.get(index).or(self.variadic.as_ref())
    }
}

static FAMILIES: [&[Function]; 18] = [
    numeric::FUNCTIONS,
    string::FUNCTIONS,
    regex::FUNCTIONS,
    format::FUNCTIONS,
    collection::FUNCTIONS,
    mapping::FUNCTIONS,
    measure::FUNCTIONS,
    sets::FUNCTIONS,
    encoding::FUNCTIONS,
    charset::FUNCTIONS,
    csv::FUNCTIONS,
    yaml::FUNCTIONS,
    filesystem::FUNCTIONS,
    fileset::FUNCTIONS,
    datetime::FUNCTIONS,
    hash::FUNCTIONS,
    network::FUNCTIONS,
    types::FUNCTIONS,
];

static BY_NAME: LazyLock<HashMap<&'static str, &'static Function>> =
    LazyLock::new(|| all().map(|f| (f.name, f)).collect());

/// The function of a name, with or without the `core::` namespace.
pub fn lookup(name: &str) -> Option<&'static Function> {
    let name = name.strip_prefix("core::").unwrap_or(name);
    BY_NAME.get(name).copied()
}

/// Every function, by family.
pub fn all() -> impl Iterator<Item = &'static Function> {
    FAMILIES.iter().flat_map(|family| family.iter())
}

/// Calls a function: checks and converts the arguments, and carries unknowns and marks over.
///
/// # Errors
/// When the number of arguments or one of them does not fit, or the function has no result for
/// them.
pub fn call(f: &Function, ctx: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    check_count(f, args.len())?;
    let mut ready = Vec::with_capacity(args.len());
    let mut marks = Marks::empty();
    let mut unknown = false;
    for (i, (arg, param)) in args.iter().zip((0..).map_while(|i| f.param(i))).enumerate() {
        let mut arg = convert(arg, &settled(arg, param.ty.to_type()))
            .map_err(|e| at_path(i, &e.path, e.message))?;
        if arg.is_null() && !param.allow_null {
            return Err(FunctionError::at(i, "argument must not be null"));
        }
        unknown |= if param.whole {
            !arg.is_wholly_known()
        } else {
            !arg.is_known() && !param.allow_unknown
        };
        if !param.allow_marked {
            if param.shallow_marks {
                marks |= arg.marks();
                arg = arg.unmark();
            } else {
                marks |= arg.deep_marks();
                arg = arg.unmark_deep();
            }
        }
        ready.push(arg);
    }
    if unknown {
        let types: Vec<Type> = ready.iter().map(Value::ty).collect();
        let refinements = Refinements {
            not_null: !f.nullable_result,
            ..Refinements::default()
        };
        return Ok(Value::unknown_refined((f.returns)(&types), refinements).with_marks(marks));
    }
    match (f.call)(ctx, &ready) {
        Ok(value) => Ok(value.with_marks(marks)),
        Err(e) if marks.is_empty() => Err(e),
        Err(e) => Err(FunctionError {
            message: redact(&e.message),
            ..e
        }),
    }
}

/// The type to convert a value to: where `any` stands for the elements of a collection and the
/// value is one, its own element type, which an empty collection could not tell otherwise.
fn settled(value: &Value, ty: Type) -> Type {
    match value.kind() {
        Kind::List(_) | Kind::Set(_) | Kind::Map(_) if ty.has_dynamic() => {
            convert(&Value::unknown(value.ty()), &ty).map_or(ty, |v| v.ty())
        }
        _ => ty,
    }
}

/// A message about values that are not to be shown: without what it quotes of them.
fn redact(message: &str) -> String {
    let mut out = String::new();
    let mut quoted = false;
    let mut escaped = false;
    for c in message.chars() {
        match c {
            '"' if !quoted => {
                out.push_str("(sensitive value)");
                quoted = true;
            }
            '"' if !escaped => quoted = false,
            c if !quoted => out.push(c),
            _ => {}
        }
        escaped = quoted && c == '\\' && !escaped;
    }
    out
}

fn check_count(f: &Function, given: usize) -> Result<(), FunctionError> {
    let fixed = f.params.len();
    if given == fixed || (given > fixed && f.variadic.is_some()) {
        return Ok(());
    }
    let least = if f.variadic.is_some() {
        "at least "
    } else {
        ""
    };
    let noun = if fixed == 1 { "argument" } else { "arguments" };
    let message = format!(
        "function {:?} takes {least}{fixed} {noun}, but {given} were given",
        f.name
    );
    Err(match f.params.get(given) {
        Some(param) => FunctionError::new(format!("{message}; missing {:?}", param.name)),
        None => FunctionError::at(fixed, message),
    })
}

fn at_path(argument: usize, path: &topo_sdk::Path, message: String) -> FunctionError {
    if path.steps().is_empty() {
        return FunctionError::at(argument, message);
    }
    let place = match path.steps() {
        [Step::Index(i)] => format!("element {i}"),
        _ => path.to_string(),
    };
    FunctionError::at(argument, format!("{place}: {message}"))
}

// What the families share: reading arguments that `call` has converted, and result types.

/// The text of a string argument. `call` has made sure that it is one; the error is for a table
/// entry that does not say so.
fn text(args: &[Value], i: usize) -> Result<&str, FunctionError> {
    args.get(i)
        .and_then(Value::as_str)
        .ok_or_else(|| FunctionError::at(i, "a string is required"))
}

fn number(args: &[Value], i: usize) -> Result<&Number, FunctionError> {
    args.get(i)
        .and_then(Value::as_number)
        .ok_or_else(|| FunctionError::at(i, "a number is required"))
}

/// A whole number in the range of `i64`.
fn integer(args: &[Value], i: usize) -> Result<i64, FunctionError> {
    let n = number(args, i)?;
    n.to_i64().ok_or_else(|| {
        FunctionError::at(
            i,
            if n.is_integer() {
                "value is out of range"
            } else {
                "value must be a whole number"
            },
        )
    })
}

fn items(args: &[Value], i: usize) -> Result<&[Value], FunctionError> {
    args.get(i)
        .and_then(Value::as_slice)
        .ok_or_else(|| FunctionError::at(i, "a list, set or tuple is required"))
}

fn strings(items: impl IntoIterator<Item = impl AsRef<str>>) -> Value {
    Value::list(Type::String, items.into_iter().map(Value::string).collect())
}

/// An unknown of a type that will not be null.
fn later(ty: Type) -> Value {
    Value::unknown_refined(
        ty,
        Refinements {
            not_null: true,
            ..Refinements::default()
        },
    )
}

/// The type that values of these types unify to; those whose type is not known yet are expected
/// to fit.
fn common_type(types: &[Type]) -> Option<Type> {
    let known: Vec<Type> = types
        .iter()
        .filter(|t| **t != Type::Dynamic)
        .cloned()
        .collect();
    unify(&known)
}

fn returns_bool(_: &[Type]) -> Type {
    Type::Bool
}

fn returns_number(_: &[Type]) -> Type {
    Type::Number
}

fn returns_string(_: &[Type]) -> Type {
    Type::String
}

fn returns_strings(_: &[Type]) -> Type {
    Type::list(Type::String)
}

fn returns_any(_: &[Type]) -> Type {
    Type::Dynamic
}

fn returns_element(types: &[Type]) -> Type {
    types
        .first()
        .and_then(Type::element)
        .cloned()
        .unwrap_or(Type::Dynamic)
}

fn returns_first(types: &[Type]) -> Type {
    types.first().cloned().unwrap_or(Type::Dynamic)
}

#[cfg(test)]
mod tests {
    use super::testing::*;
    use super::*;

    #[test]
    fn names_are_unique_and_found_with_the_namespace() {
        assert_eq!(all().count(), BY_NAME.len());
        for f in all() {
            assert!(std::ptr::eq(lookup(f.name).unwrap(), f));
            assert!(lookup(&format!("core::{}", f.name)).is_some());
            assert!(!f.description.is_empty());
        }
        assert!(lookup("nope").is_none());
    }

    #[test]
    fn arguments_are_counted_converted_and_refused_when_null() {
        let e = run("abs", &[]).unwrap_err();
        assert_eq!(
            e.message,
            "function \"abs\" takes 1 argument, but 0 were given; missing \"num\""
        );
        let e = run("abs", &[n("1"), n("2")]).unwrap_err();
        assert_eq!(e.argument, Some(1));
        assert_eq!(run("abs", &[s("-5")]).unwrap(), n("5"));
        let e = run("abs", &[s("x")]).unwrap_err();
        assert_eq!(e, FunctionError::at(0, "a number is required"));
        let e = run("abs", &[Value::NULL]).unwrap_err();
        assert_eq!(e, FunctionError::at(0, "argument must not be null"));
    }

    #[test]
    fn unknowns_and_marks_reach_the_result() {
        let r = run("upper", &[Value::unknown(Type::Dynamic).sensitive()]).unwrap();
        assert!(r.is_sensitive());
        assert_eq!(r.ty(), Type::String);
        assert!(r.as_unknown().unwrap().refinements.not_null);
        let list = Value::list(Type::String, vec![s("a"), s("b").sensitive()]);
        assert!(run("join", &[s(","), list.clone()]).unwrap().is_sensitive());
        let same = run("reverse", &[list]).unwrap();
        assert!(!same.is_sensitive());
        assert!(same.as_slice().unwrap()[0].is_sensitive());
    }

    /// Whatever the arguments, there is an answer or an error, and no panic.
    #[test]
    fn no_function_panics_on_odd_arguments() {
        let odd = [
            Value::NULL,
            Value::unknown(Type::Dynamic),
            s(""),
            s("é👩‍👩‍👧'[%"),
            n("-1"),
            n("0.5"),
            n("99999999999999999999999"),
            Value::tuple(vec![]),
            Value::tuple(vec![
                s("a"),
                n("1"),
                Value::NULL,
                Value::unknown(Type::String),
            ]),
            Value::list(Type::String, vec![s("a").sensitive()]),
            Value::object([("a", s("b")), ("c", Value::NULL)]),
            Value::set(Type::Number, vec![n("1")]),
            Value::from(true),
        ];
        for f in all() {
            if f.name == "bcrypt" {
                continue;
            }
            for a in &odd {
                let _ = run(f.name, std::slice::from_ref(a));
                for b in &odd {
                    let _ = run(f.name, &[a.clone(), b.clone()]);
                    let _ = run(f.name, &[a.clone(), b.clone(), a.clone()]);
                }
            }
        }
    }
}
