//! Conversion functions and those that set or ask for marks and types.

use topo_sdk::convert::convert;
use topo_sdk::{Kind, Marks, Type, Value};

use super::ParamType as T;
use super::{
    Context, Function, FunctionError, Param, later, returns_bool, returns_first, returns_number,
    returns_string, settled,
};

/// What a conversion function takes: anything, with its marks left where they are.
const V: Param = Param::new("v", T::Any, "The value.")
    .nullable()
    .unknown()
    .marked();

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("tobool", "The value as a bool.", &[V], returns_bool, tobool).maybe_null(),
    Function::new(
        "tonumber",
        "The value as a number.",
        &[V],
        returns_number,
        tonumber,
    )
    .maybe_null(),
    Function::new(
        "tostring",
        "The value as a string.",
        &[V],
        returns_string,
        tostring,
    )
    .maybe_null(),
    Function::new(
        "tolist",
        "The value as a list.",
        &[V],
        |_| Type::list(Type::Dynamic),
        tolist,
    )
    .maybe_null(),
    Function::new(
        "toset",
        "The value as a set.",
        &[V],
        |_| Type::set(Type::Dynamic),
        toset,
    )
    .maybe_null(),
    Function::new(
        "tomap",
        "The value as a map.",
        &[V],
        |_| Type::map(Type::Dynamic),
        tomap,
    )
    .maybe_null(),
    Function::new(
        "sensitive",
        "The value, marked sensitive.",
        &[V],
        returns_first,
        sensitive,
    )
    .maybe_null(),
    Function::new(
        "nonsensitive",
        "The value without the mark sensitive.",
        &[V],
        returns_first,
        nonsensitive,
    )
    .maybe_null(),
    Function::new(
        "issensitive",
        "Whether the value is marked sensitive.",
        &[V],
        returns_bool,
        issensitive,
    ),
    Function::new(
        "ephemeralasnull",
        "The value with what is ephemeral in it replaced by null.",
        &[V],
        returns_first,
        ephemeralasnull,
    )
    .maybe_null(),
    Function::new(
        "type",
        "The type of the value, in words.",
        &[V],
        returns_string,
        type_of,
    ),
];

fn to(args: &[Value], ty: Type) -> Result<Value, FunctionError> {
    let refuse = |reason: &str| {
        // `any` for the elements asks for a type that all of them have.
        let target = ty.friendly();
        let from = args[0].ty().friendly();
        let message = format!("cannot convert {from} to {target}{reason}");
        FunctionError::at(0, message.replace("of dynamic", "of any single type"))
    };
    let made = match args[0].kind() {
        // A null has the type that another value of its type would get.
        Kind::Null(from) => {
            convert(&Value::unknown(from.clone()), &ty).and_then(|v| convert(&args[0], &v.ty()))
        }
        _ => convert(&args[0], &settled(&args[0], ty.clone())),
    };
    made.map_err(|e| {
        if e.path.steps().is_empty() {
            refuse(&format!(": {}", e.message))
        } else {
            refuse(&format!(": {}: {}", e.path, e.message))
        }
    })
}

fn tobool(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    to(args, Type::Bool)
}

fn tonumber(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    to(args, Type::Number)
}

fn tostring(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    to(args, Type::String)
}

fn tolist(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    to(args, Type::list(Type::Dynamic))
}

fn toset(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    to(args, Type::set(Type::Dynamic))
}

fn tomap(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    to(args, Type::map(Type::Dynamic))
}

fn sensitive(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    Ok(args[0].clone().sensitive())
}

fn nonsensitive(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    // Only the value itself is made public: parts that are sensitive on their own stay so.
    let value = args[0].clone();
    let kept = value.marks() - Marks::SENSITIVE;
    Ok(value.unmark().with_marks(kept))
}

fn issensitive(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    // A condition that is not known yet may still choose a value without the mark.
    if !args[0].is_known() {
        return Ok(later(Type::Bool));
    }
    Ok(args[0].is_sensitive().into())
}

fn ephemeralasnull(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    Ok(without_ephemeral(args[0].clone()))
}

fn without_ephemeral(value: Value) -> Value {
    let marks = value.marks();
    // What is not known yet may turn out to be ephemeral, and then null, or not.
    if !value.is_known() {
        return Value::unknown(value.ty()).with_marks(marks - Marks::EPHEMERAL);
    }
    if marks.contains(Marks::EPHEMERAL) {
        return Value::null(value.ty()).with_marks(marks - Marks::EPHEMERAL);
    }
    value.map_children(without_ephemeral)
}

fn type_of(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    Ok(args[0].ty().layout().into())
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn results() {
        check(&[
            ("tobool", &[s("true")], "true"),
            ("tobool", &[Value::NULL], "null"),
            ("tonumber", &[s("1.50")], "1.5"),
            ("tostring", &[Value::from(true)], r#""true""#),
            (
                "tostring",
                &[n("100000000000000000000")],
                r#""100000000000000000000""#,
            ),
            ("tolist", &[j(r#"["a",1]"#)], r#"["a","1"]"#),
            ("toset", &[ss(&["c", "b", "b"])], r#"["b","c"]"#),
            (
                "tomap",
                &[j(r#"{"a":"foo","b":true}"#)],
                r#"{"a":"foo","b":"true"}"#,
            ),
            ("issensitive", &[s("a").sensitive()], "true"),
            ("issensitive", &[s("a")], "false"),
            (
                "type",
                &[j(r#"["a",1]"#)],
                r#""tuple([\n    string,\n    number,\n])""#,
            ),
        ]);
        assert!(run("sensitive", &[s("a")]).unwrap().is_sensitive());
        assert!(
            !run("nonsensitive", &[s("a").sensitive()])
                .unwrap()
                .is_sensitive()
        );
        let ephemeral = Value::object([("a", s("x").with_marks(Marks::EPHEMERAL)), ("b", s("y"))]);
        let made = run("ephemeralasnull", &[ephemeral]).unwrap();
        assert!(made.get("a").unwrap().is_null());
        assert_eq!(made.get_str("b"), Some("y"));
    }

    #[test]
    fn refusals() {
        refuse(&[
            ("tobool", &[s("yes")], "bool is required"),
            ("tonumber", &[s("no")], "cannot convert string to number"),
            ("tolist", &[s("a")], "list"),
            ("tomap", &[j("[]")], "map"),
        ]);
    }
}
