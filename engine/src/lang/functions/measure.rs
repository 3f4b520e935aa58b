//! Functions that ask of a collection a number, a truth or a place, and `range`.

use topo_sdk::convert::convert;
use topo_sdk::{Kind, Number, Type, Value};
use unicode_segmentation::UnicodeSegmentation;

use super::ParamType as T;
use super::collection::{length_is_known, ordered};
use super::{
    Context, Function, FunctionError, Param, items, later, number, returns_bool, returns_number,
};
use crate::lang::operators::equal;

/// The most numbers that `range` makes, as in the reference implementation.
const MAX_RANGE: usize = 1024;

const BOOLS: Param = Param::new("list", T::ListOfBool, "A list of bools.");

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "alltrue",
        "Whether all elements are true.",
        &[BOOLS],
        returns_bool,
        alltrue,
    ),
    Function::new(
        "anytrue",
        "Whether some element is true.",
        &[BOOLS],
        returns_bool,
        anytrue,
    ),
    Function::new(
        "contains",
        "Whether a list or set has a value as element.",
        &[
            Param::new("list", T::Any, "A list, set or tuple."),
            Param::new("value", T::Any, "The value.").unknown(),
        ],
        returns_bool,
        contains,
    ),
    Function::new(
        "index",
        "The index of the first element equal to a value.",
        &[
            Param::new("list", T::Any, "A list or tuple."),
            Param::new("value", T::Any, "The value.").unknown(),
        ],
        returns_number,
        index,
    ),
    Function::new(
        "length",
        "The number of elements of a collection or characters of a string.",
        &[Param::new("value", T::Any, "The collection or string.")
            .unknown()
            .shallow()],
        returns_number,
        length,
    ),
    Function::new(
        "range",
        "A list of numbers at equal distances.",
        &[],
        |_| Type::list(Type::Number),
        range,
    )
    .variadic(Param::new(
        "params",
        T::Number,
        "The limit; or start and limit; or these and the step.",
    )),
    Function::new(
        "sum",
        "The sum of numbers.",
        &[Param::new("list", T::Any, "A list, set or tuple of numbers.").whole()],
        returns_number,
        sum,
    ),
];

fn alltrue(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let list = items(args, 0)?;
    Ok(
        if list
            .iter()
            .any(|v| v.is_null() || v.as_bool() == Some(false))
        {
            false.into()
        } else if list.iter().all(Value::is_known) {
            true.into()
        } else {
            later(Type::Bool)
        },
    )
}

fn anytrue(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let list = items(args, 0)?;
    Ok(if list.iter().any(|v| v.as_bool() == Some(true)) {
        true.into()
    } else if list.iter().all(Value::is_known) {
        false.into()
    } else {
        later(Type::Bool)
    })
}

fn contains(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let list = items(args, 0)?;
    let mut certain = true;
    for item in list {
        match equal(item, &args[1]) {
            Some(true) => return Ok(true.into()),
            Some(false) => {}
            None => certain = false,
        }
    }
    Ok(if certain {
        false.into()
    } else {
        later(Type::Bool)
    })
}

fn index(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let list = ordered(args, 0)?;
    if list.is_empty() {
        return Err(FunctionError::at(0, "cannot search an empty list"));
    }
    for (i, item) in list.iter().enumerate() {
        match equal(item, &args[1]) {
            Some(true) => return Ok(Value::number(i)),
            Some(false) => {}
            None => return Ok(later(Type::Number)),
        }
    }
    Err(FunctionError::at(1, "item not found"))
}

fn length(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let value = &args[0];
    let count = match value.kind() {
        Kind::Set(_) if !length_is_known(value) => return Ok(later(Type::Number)),
        Kind::List(s) | Kind::Set(s) => s.items.len(),
        Kind::Tuple(t) => t.len(),
        Kind::Map(m) => m.entries.len(),
        Kind::Object(o) => o.len(),
        Kind::String(s) => s.graphemes(true).count(),
        // The type alone tells the length of a structural value.
        Kind::Unknown(u) => match &u.ty {
            Type::Tuple(ts) => ts.len(),
            Type::Object(o) => o.attributes.len(),
            Type::Number | Type::Bool => return Err(not_countable()),
            // Where the bounds meet, the length is known before the list is.
            _ if u.refinements.max_length == Some(u.refinements.min_length) => {
                u.refinements.min_length
            }
            _ => return Ok(later(Type::Number)),
        },
        _ => return Err(not_countable()),
    };
    Ok(Value::number(count))
}

fn not_countable() -> FunctionError {
    FunctionError::at(
        0,
        "argument must be a string, a collection type, or a structural type",
    )
}

fn range(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let zero = Number::ZERO;
    let (start, end, step) = match args.len() {
        1 => (&zero, number(args, 0)?, None),
        2 => (number(args, 0)?, number(args, 1)?, None),
        3 => (
            number(args, 0)?,
            number(args, 1)?,
            Some(number(args, 2)?.clone()),
        ),
        _ => return Err(FunctionError::new("must have one, two, or three arguments")),
    };
    let step = step.unwrap_or_else(|| {
        if end < start {
            Number::ONE.neg()
        } else {
            Number::ONE
        }
    });
    if step == Number::ZERO {
        return Err(FunctionError::at(2, "step must not be zero"));
    }
    let down = step.is_negative();
    if down && end > start {
        return Err(FunctionError::at(
            1,
            "end must be less than start when step is negative",
        ));
    }
    if !down && end < start {
        return Err(FunctionError::at(
            1,
            "end must be greater than start when step is positive",
        ));
    }
    let mut made = Vec::new();
    let mut at = start.clone();
    while if down { at > *end } else { at < *end } {
        if made.len() >= MAX_RANGE {
            return Err(FunctionError::new(format!(
                "more than {MAX_RANGE} values were generated; either decrease the difference \
                 between start and end or use a smaller step"
            )));
        }
        made.push(Value::number(at.clone()));
        at = at
            .checked_add(&step)
            .ok_or_else(|| FunctionError::new("the numbers are too large"))?;
    }
    Ok(Value::list(Type::Number, made))
}

fn sum(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let list = items(args, 0)?;
    if list.is_empty() {
        return Err(FunctionError::at(0, "cannot sum an empty list"));
    }
    let mut total = Number::ZERO;
    for item in list {
        let item = convert(item, &Type::Number)
            .ok()
            .and_then(|v| v.as_number().cloned())
            .ok_or_else(|| {
                FunctionError::at(0, "argument must be list, set, or tuple of number values")
            })?;
        total = total
            .checked_add(&item)
            .ok_or_else(|| FunctionError::at(0, "the sum is too large"))?;
    }
    Ok(Value::number(total))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn results() {
        check(&[
            ("alltrue", &[j(r#"["true",true]"#)], "true"),
            ("alltrue", &[j("[true,false]")], "false"),
            ("alltrue", &[j("[]")], "true"),
            ("alltrue", &[j("[true,null]")], "false"),
            ("anytrue", &[j("[false,true]")], "true"),
            ("anytrue", &[j("[]")], "false"),
            ("contains", &[ss(&["a", "b"]), s("a")], "true"),
            ("contains", &[ss(&["a", "b"]), s("d")], "false"),
            ("contains", &[j("[1]"), s("1")], "false"),
            ("index", &[ss(&["a", "b", "c"]), s("b")], "1"),
            ("length", &[j("[]")], "0"),
            ("length", &[j(r#"{"a":"b"}"#)], "1"),
            ("length", &[s("hello")], "5"),
            ("length", &[s("👾🕹️")], "2"),
            ("range", &[n("3")], "[0,1,2]"),
            ("range", &[n("1"), n("4")], "[1,2,3]"),
            ("range", &[n("1"), n("8"), n("2")], "[1,3,5,7]"),
            ("range", &[n("1"), n("2"), n("0.5")], "[1,1.5]"),
            ("range", &[n("4"), n("1")], "[4,3,2]"),
            ("range", &[n("10"), n("5"), n("-2")], "[10,8,6]"),
            ("range", &[n("0")], "[]"),
            ("sum", &[j("[10,13,6,4.5]")], "33.5"),
            ("sum", &[j("[0.1,0.2]")], "0.3"),
        ]);
        let some = Value::tuple(vec![Value::unknown(Type::Bool), false.into()]);
        assert_eq!(
            run("alltrue", std::slice::from_ref(&some)).unwrap(),
            false.into()
        );
        assert!(!run("anytrue", &[some]).unwrap().is_known());
        let pair = Value::unknown(Type::tuple(vec![Type::String, Type::String]));
        assert_eq!(run("length", &[pair]).unwrap(), n("2"));
    }

    #[test]
    fn refusals() {
        refuse(&[
            ("index", &[j("[]"), s("a")], "empty list"),
            ("index", &[ss(&["a"]), s("b")], "not found"),
            ("length", &[n("1")], "collection type"),
            ("range", &[n("1025")], "more than 1024 values"),
            ("range", &[n("1"), n("2"), n("0")], "step must not be zero"),
            ("range", &[n("1"), n("2"), n("-1")], "less than start"),
            ("range", &[], "one, two, or three"),
            ("sum", &[j("[]")], "empty list"),
            ("sum", &[j("[1,\"a\"]")], "number values"),
            ("sum", &[j("[null]")], "number values"),
        ]);
    }
}
