//! Functions over lists and tuples that give a collection or pick an element.

use std::collections::BTreeSet;

use topo_sdk::convert::convert;
use topo_sdk::{Kind, Marks, Refinements, Type, Value};

use super::ParamType as T;
use super::{
    Context, Function, FunctionError, Param, common_type, integer, items, later, returns_any,
    returns_element, returns_first, returns_strings,
};

const LIST: Param = Param::new("list", T::ListOfAny, "A list.").shallow();
const SEQUENCE: Param = Param::new("list", T::Any, "A list or tuple.").shallow();

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "chunklist",
        "A list cut into lists of a size.",
        &[
            LIST,
            Param::new("size", T::Number, "The size; 0 for one piece."),
        ],
        |types| Type::list(returns_first(types)),
        chunklist,
    ),
    Function::new(
        "coalesce",
        "The first argument that is not null and not an empty string.",
        &[],
        |types| common_type(types).unwrap_or(Type::Dynamic),
        coalesce,
    )
    .variadic(
        Param::new("vals", T::Any, "The candidates.")
            .nullable()
            .unknown(),
    ),
    Function::new(
        "coalescelist",
        "The first list that is not empty.",
        &[],
        returns_any,
        coalescelist,
    )
    .variadic(
        Param::new("lists", T::Any, "The candidates.")
            .nullable()
            .unknown(),
    ),
    Function::new(
        "compact",
        "A list of strings without nulls and empty strings.",
        &[Param::new("list", T::ListOfString, "A list of strings.").whole()],
        returns_strings,
        compact,
    ),
    Function::new(
        "concat",
        "Lists one after the other.",
        &[],
        returns_any,
        concat,
    )
    .variadic(
        Param::new("lists", T::Any, "The lists.")
            .unknown()
            .shallow(),
    ),
    Function::new(
        "distinct",
        "A list without repetitions.",
        &[Param::new("list", T::ListOfAny, "A list.").whole()],
        returns_first,
        distinct,
    ),
    Function::new(
        "element",
        "The element at an index, which starts over at the end of the list.",
        &[SEQUENCE, Param::new("index", T::Number, "The index.")],
        returns_element,
        element,
    )
    .maybe_null(),
    Function::new(
        "flatten",
        "The elements of nested lists in one list.",
        &[SEQUENCE],
        returns_any,
        flatten,
    ),
    Function::new(
        "matchkeys",
        "The values whose keys are wanted.",
        &[
            Param::new("values", T::ListOfAny, "The values."),
            Param::new("keys", T::ListOfAny, "Their keys.").whole(),
            Param::new("searchset", T::ListOfAny, "The wanted keys.").whole(),
        ],
        returns_first,
        matchkeys,
    ),
    Function::new(
        "one",
        "The only element, or null where there is none.",
        &[Param::new("list", T::Any, "A list, set or tuple.")],
        returns_element,
        one,
    )
    .maybe_null(),
    Function::new(
        "reverse",
        "A list in reverse.",
        &[SEQUENCE.unknown()],
        returns_any,
        reverse,
    ),
    Function::new(
        "slice",
        "The elements from one index up to another.",
        &[
            SEQUENCE.unknown(),
            Param::new("start_index", T::Number, "The first element."),
            Param::new("end_index", T::Number, "The first element left out."),
        ],
        |types| match types.first() {
            Some(Type::List(_)) => returns_first(types),
            _ => Type::Dynamic,
        },
        slice,
    ),
    Function::new(
        "sort",
        "Strings in order of their bytes.",
        &[Param::new("list", T::ListOfString, "The strings.").unknown()],
        returns_strings,
        sort,
    ),
];

/// The elements of a list or tuple, where a set will not do because it has no order.
pub(super) fn ordered(args: &[Value], i: usize) -> Result<&[Value], FunctionError> {
    match args[i].kind() {
        Kind::List(_) | Kind::Tuple(_) => items(args, i),
        _ => Err(FunctionError::at(i, "a list or tuple is required")),
    }
}

/// Values as a list where the source is a list, as a tuple where it is a tuple.
fn like(source: &Value, values: Vec<Value>) -> Value {
    match source.kind() {
        Kind::List(s) | Kind::Set(s) => Value::list(s.element.clone(), values),
        _ => Value::tuple(values),
    }
}

fn chunklist(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let list = items(args, 0)?;
    let size = integer(args, 1)?;
    let ty = args[0].ty();
    let size = match usize::try_from(size) {
        Ok(0) => list.len().max(1),
        Ok(size) => size,
        Err(_) => return Err(FunctionError::at(1, "the size must not be negative")),
    };
    let chunks = list
        .chunks(size)
        .map(|c| like(&args[0], c.to_vec()))
        .collect();
    Ok(Value::list(ty, chunks))
}

fn coalesce(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let types: Vec<Type> = args.iter().map(Value::ty).collect();
    let ty = common_type(&types)
        .ok_or_else(|| FunctionError::new("all arguments must have the same type"))?;
    for (i, arg) in args.iter().enumerate() {
        if !arg.is_known() {
            return Ok(later(ty));
        }
        if arg.is_null() || arg.as_str() == Some("") {
            continue;
        }
        return convert(arg, &ty).map_err(|e| FunctionError::at(i, e.message));
    }
    Err(FunctionError::new(
        "no non-null, non-empty-string arguments",
    ))
}

fn coalescelist(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    if args.is_empty() {
        return Err(FunctionError::new("at least one argument is required"));
    }
    for (i, arg) in args.iter().enumerate() {
        match arg.ty() {
            Type::List(_) | Type::Tuple(_) => {}
            Type::Dynamic if !arg.is_known() => {}
            _ => return Err(FunctionError::at(i, "a list or tuple is required")),
        }
        if !arg.is_known() {
            break;
        }
    }
    for arg in args {
        if !arg.is_known() {
            return Ok(later(Type::Dynamic));
        }
        if arg.as_slice().is_some_and(|items| !items.is_empty()) {
            return Ok(arg.clone());
        }
    }
    Err(FunctionError::new("no non-null, non-empty list arguments"))
}

fn compact(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let kept = items(args, 0)?
        .iter()
        .filter(|v| v.as_str().is_some_and(|s| !s.is_empty()))
        .cloned()
        .collect();
    Ok(Value::list(Type::String, kept))
}

/// A list where all arguments are lists whose types go together, else a tuple.
fn concat(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    if args.is_empty() {
        return Err(FunctionError::new("at least one list is required"));
    }
    let types: Vec<Type> = args.iter().map(Value::ty).collect();
    if types.contains(&Type::Dynamic) {
        return Ok(later(Type::Dynamic));
    }
    for (i, ty) in types.iter().enumerate() {
        if !matches!(ty, Type::List(_) | Type::Tuple(_)) {
            let message = format!(
                "all arguments must be lists or tuples; got {}",
                ty.friendly()
            );
            return Err(FunctionError::at(i, message));
        }
    }
    let all_known = args.iter().all(Value::is_known);
    let all: Vec<Value> = args
        .iter()
        .filter_map(Value::as_slice)
        .flatten()
        .cloned()
        .collect();
    if types.iter().all(|t| matches!(t, Type::List(_)))
        && let Some(list) = common_type(&types)
    {
        if !all_known {
            return Ok(later(list));
        }
        return convert(&Value::tuple(all), &list).map_err(|e| FunctionError::new(e.message));
    }
    if all_known {
        return Ok(Value::tuple(all));
    }
    // A tuple's type tells its elements while they are unknown; a list's does not.
    let mut elements = Vec::new();
    for (arg, ty) in args.iter().zip(&types) {
        match (ty, arg.as_slice()) {
            (Type::Tuple(ts), _) => elements.extend_from_slice(ts),
            (Type::List(e), Some(items)) => {
                elements.extend(std::iter::repeat_n((**e).clone(), items.len()));
            }
            _ => return Ok(later(Type::Dynamic)),
        }
    }
    Ok(later(Type::tuple(elements)))
}

fn distinct(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let list = items(args, 0)?;
    // Equal elements are neighbours after a stable sort; the first of each stays.
    let mut order: Vec<usize> = (0..list.len()).collect();
    order.sort_by(|a, b| list[*a].total_cmp(&list[*b]));
    let repeated: BTreeSet<usize> = order
        .windows(2)
        .filter(|w| list[w[0]].total_cmp(&list[w[1]]).is_eq())
        .map(|w| w[1])
        .collect();
    let kept = list
        .iter()
        .enumerate()
        .filter(|(i, _)| !repeated.contains(i))
        .map(|(_, v)| v.clone())
        .collect();
    Ok(like(&args[0], kept))
}

fn element(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let list = ordered(args, 0)?;
    let index = integer(args, 1)?;
    let Some(length) = i64::try_from(list.len()).ok().filter(|l| *l > 0) else {
        return Err(FunctionError::at(
            0,
            "cannot use element function with an empty list",
        ));
    };
    // The remainder is in the range of the list.
    let at = usize::try_from(index.rem_euclid(length)).unwrap_or(0);
    Ok(list[at].clone())
}

fn flatten(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let mut out = Vec::new();
    let mut marks = Marks::empty();
    items(args, 0)?;
    match flatten_into(&args[0], &mut out, &mut marks) {
        true => Ok(Value::tuple(out).with_marks(marks)),
        false => Ok(later(Type::Dynamic).with_marks(args[0].deep_marks())),
    }
}

/// Adds the elements, in depth; false where an unknown leaves open how many there are.
fn flatten_into(value: &Value, out: &mut Vec<Value>, marks: &mut Marks) -> bool {
    if !length_is_known(value) {
        return false;
    }
    for item in value.as_slice().unwrap_or_default() {
        match item.kind() {
            Kind::Unknown(u)
                if matches!(
                    u.ty,
                    Type::Dynamic | Type::List(_) | Type::Set(_) | Type::Tuple(_)
                ) =>
            {
                return false;
            }
            Kind::List(_) | Kind::Set(_) | Kind::Tuple(_) => {
                *marks |= item.marks();
                if !flatten_into(item, out, marks) {
                    return false;
                }
            }
            _ => out.push(item.clone()),
        }
    }
    true
}

/// Whether it is known how many elements there are: two unknown elements of a set may turn out
/// to be one.
pub(super) fn length_is_known(value: &Value) -> bool {
    match value.kind() {
        Kind::Set(s) => s.items.len() < 2 || value.is_wholly_known(),
        _ => value.is_known(),
    }
}

fn matchkeys(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let values = items(args, 0)?;
    let lists: Vec<Type> = args[1..].iter().map(Value::ty).collect();
    let ty = common_type(&lists)
        .ok_or_else(|| FunctionError::at(1, "keys and searchset must be of the same type"))?;
    let alike = |i: usize| convert(&args[i], &ty).map_err(|e| FunctionError::at(i, e.message));
    let (keys, wanted) = (alike(1)?, alike(2)?);
    let keys = keys.as_slice().unwrap_or_default();
    if keys.len() != values.len() {
        return Err(FunctionError::new(
            "length of keys and values should be equal",
        ));
    }
    let mut wanted = wanted.as_slice().unwrap_or_default().to_vec();
    wanted.sort_by(Value::total_cmp);
    let kept = keys
        .iter()
        .zip(values)
        .filter(|(k, _)| wanted.binary_search_by(|w| w.total_cmp(k)).is_ok())
        .map(|(_, v)| v.clone())
        .collect();
    Ok(like(&args[0], kept))
}

fn one(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let list = items(args, 0)?;
    if !length_is_known(&args[0]) {
        return Ok(Value::unknown(returns_element(&[args[0].ty()])));
    }
    match list {
        [] => Ok(Value::null(returns_element(&[args[0].ty()]))),
        [only] => Ok(only.clone()),
        _ => Err(FunctionError::at(
            0,
            "must be a list, set, or tuple value with either zero or one elements",
        )),
    }
}

fn reverse(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let ty = match args[0].ty() {
        Type::List(t) | Type::Set(t) => Type::List(t),
        Type::Tuple(ts) => Type::tuple(ts.iter().rev().cloned().collect()),
        Type::Dynamic => Type::Dynamic,
        other => {
            let message = format!(
                "can only reverse lists and tuples, not {}",
                other.friendly()
            );
            return Err(FunctionError::at(0, message));
        }
    };
    if !length_is_known(&args[0]) {
        return Ok(later(ty));
    }
    let reversed = items(args, 0)?.iter().rev().cloned().collect();
    Ok(like(&args[0], reversed))
}

fn slice(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let ty = args[0].ty();
    let length = match (&ty, args[0].as_slice()) {
        (Type::Set(_), _) => {
            return Err(FunctionError::at(
                0,
                "cannot slice a set, because its elements have no order; convert it to a list",
            ));
        }
        (_, Some(items)) => items.len(),
        (Type::Tuple(ts), None) => ts.len(),
        (Type::List(_) | Type::Dynamic, None) => usize::MAX,
        _ => return Err(FunctionError::at(0, "a list or tuple is required")),
    };
    let index = |i: usize| {
        usize::try_from(integer(args, i)?)
            .map_err(|_| FunctionError::at(i, "the index must not be less than zero"))
    };
    let (start, end) = (index(1)?, index(2)?);
    if end > length {
        let message = "end index must not be greater than the length of the given list";
        return Err(FunctionError::at(2, message));
    }
    if start > end {
        return Err(FunctionError::at(
            1,
            "start index must not be greater than end index",
        ));
    }
    Ok(match (args[0].as_slice(), ty) {
        (Some(items), _) => like(&args[0], items[start..end].to_vec()),
        (None, Type::Tuple(ts)) => later(Type::tuple(ts[start..end].to_vec())),
        (None, ty) => later(ty),
    })
}

/// While elements are unknown their order is too, but not how many there are.
fn sort(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    if let Some(unknown) = args[0].as_unknown() {
        let refinements = Refinements {
            not_null: true,
            prefix: None,
            ..unknown.refinements.clone()
        };
        return Ok(Value::unknown_refined(
            Type::list(Type::String),
            refinements,
        ));
    }
    let mut list = items(args, 0)?.to_vec();
    if let Some(i) = list.iter().position(Value::is_null) {
        return Err(FunctionError::at(
            0,
            format!("given list element {i} is null; a null string cannot be sorted"),
        ));
    }
    if !args[0].is_wholly_known() {
        list = vec![Value::unknown(Type::String); list.len()];
    }
    list.sort_by(Value::total_cmp);
    Ok(Value::list(Type::String, list))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn types_unknowns_and_marks() {
        let maps = [("a", 1), ("b", 2)]
            .map(|(k, v)| Value::map(Type::Number, [(k.into(), v.into())].into()));
        assert_eq!(run("merge", &maps).unwrap().ty(), Type::map(Type::Number));
        let unknown = Value::unknown(Type::String);
        assert!(
            !run("coalesce", &[Value::NULL, unknown.clone(), s("a")])
                .unwrap()
                .is_known()
        );
        assert_eq!(run("coalesce", &[s("a"), unknown.clone()]).unwrap(), s("a"));
        let nested = Value::tuple(vec![Value::tuple(vec![unknown]), s("b").sensitive()]);
        let flat = run("flatten", &[nested]).unwrap();
        assert_eq!(flat.as_slice().unwrap().len(), 2);
        assert!(!flat.is_sensitive());
        let hidden = Value::object([("a", s("x").sensitive()), ("b", s("y"))]);
        assert!(
            !run("lookup", &[hidden.clone(), s("b")])
                .unwrap()
                .is_sensitive()
        );
        assert!(
            run("lookup", &[hidden.clone(), s("a")])
                .unwrap()
                .is_sensitive()
        );
        assert!(
            !run("keys", std::slice::from_ref(&hidden))
                .unwrap()
                .is_sensitive()
        );
        assert!(run("keys", &[hidden.sensitive()]).unwrap().is_sensitive());
        let later = Value::unknown(Type::list(Type::Number));
        assert_eq!(run("element", &[later, n("0")]).unwrap().ty(), Type::Number);
    }
}
