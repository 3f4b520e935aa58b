//! Functions over lists, tuples, sets, maps and objects that give a collection or pick from one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use topo_sdk::convert::convert;
use topo_sdk::{Kind, Marks, Type, Value};

use super::ParamType as T;
use super::{
    Context, Function, FunctionError, Param, common_type, integer, items, later, returns_any,
    returns_first, returns_strings, text,
};

const LIST: Param = Param::new("list", T::ListOfAny, "A list.").shallow();
const SEQUENCE: Param = Param::new("list", T::Any, "A list or tuple.").shallow();
const MAP: Param = Param::new("map", T::Any, "A map or object.").shallow();

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
            .unknown()
            .shallow(),
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
        returns_concat,
        concat,
    )
    .variadic(Param::new("lists", T::Any, "The lists.").shallow()),
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
        "keys",
        "The keys of a map, sorted.",
        &[MAP],
        returns_strings_or_any,
        keys,
    ),
    Function::new(
        "lookup",
        "The element of a key, or a default.",
        &[MAP, Param::new("key", T::String, "The key.")],
        returns_element,
        lookup,
    )
    .variadic(
        Param::new("default", T::Any, "The result where there is no such key.")
            .nullable()
            .unknown()
            .marked(),
    )
    .maybe_null(),
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
        "merge",
        "Maps in one; later ones win.",
        &[],
        returns_merged,
        merge,
    )
    .variadic(Param::new("maps", T::Any, "The maps.").nullable().shallow()),
    Function::new(
        "one",
        "The only element, or null where there is none.",
        &[Param::new("list", T::Any, "A list, set or tuple.").shallow()],
        returns_element,
        one,
    )
    .maybe_null(),
    Function::new(
        "reverse",
        "A list in reverse.",
        &[SEQUENCE],
        returns_reversed,
        reverse,
    ),
    Function::new(
        "slice",
        "The elements from one index up to another.",
        &[
            SEQUENCE,
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
        &[Param::new("list", T::ListOfString, "The strings.").whole()],
        returns_strings,
        sort,
    ),
    Function::new(
        "transpose",
        "A map of lists of strings with keys and elements swapped.",
        &[Param::new("values", T::MapOfListOfString, "The map.").whole()],
        |_| Type::map(Type::list(Type::String)),
        transpose,
    ),
    Function::new(
        "values",
        "The elements of a map in order of their keys.",
        &[MAP],
        |types| match types.first() {
            Some(Type::Map(t)) => Type::list((**t).clone()),
            _ => Type::Dynamic,
        },
        values,
    ),
    Function::new(
        "zipmap",
        "A map from a list of keys and one of values.",
        &[
            Param::new("keys", T::ListOfString, "The keys.").whole(),
            Param::new("values", T::Any, "The values.").shallow(),
        ],
        |types| match types.get(1) {
            Some(Type::List(t)) => Type::map((**t).clone()),
            _ => Type::Dynamic,
        },
        zipmap,
    ),
];

fn returns_element(types: &[Type]) -> Type {
    types
        .first()
        .and_then(Type::element)
        .cloned()
        .unwrap_or(Type::Dynamic)
}

fn returns_strings_or_any(types: &[Type]) -> Type {
    match types.first() {
        Some(Type::Map(_)) => Type::list(Type::String),
        _ => Type::Dynamic,
    }
}

fn returns_reversed(types: &[Type]) -> Type {
    match types.first() {
        Some(Type::List(t) | Type::Set(t)) => Type::list((**t).clone()),
        _ => Type::Dynamic,
    }
}

fn returns_concat(types: &[Type]) -> Type {
    let elements: Option<Vec<Type>> = types
        .iter()
        .map(|t| match t {
            Type::List(e) => Some((**e).clone()),
            _ => None,
        })
        .collect();
    elements
        .and_then(|e| common_type(&e))
        .map_or(Type::Dynamic, Type::list)
}

fn returns_merged(types: &[Type]) -> Type {
    match types.split_first() {
        Some((first @ Type::Map(_), rest)) if rest.iter().all(|t| t == first) => first.clone(),
        _ => Type::Dynamic,
    }
}

/// The elements of a list or tuple, where a set will not do because it has no order.
fn ordered(args: &[Value], i: usize) -> Result<&[Value], FunctionError> {
    match args[i].kind() {
        Kind::List(_) | Kind::Tuple(_) => items(args, i),
        _ => Err(FunctionError::at(i, "a list or tuple is required")),
    }
}

fn entries(args: &[Value], i: usize) -> Result<&BTreeMap<Arc<str>, Value>, FunctionError> {
    args[i]
        .as_map()
        .ok_or_else(|| FunctionError::at(i, "a map or object is required"))
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
    let types: Vec<Type> = args
        .iter()
        .filter(|v| !matches!(v.kind(), Kind::Null(Type::Dynamic)))
        .map(Value::ty)
        .collect();
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
    for (i, arg) in args.iter().enumerate() {
        if !arg.is_known() {
            return Ok(later(Type::Dynamic));
        }
        if arg.is_null() {
            continue;
        }
        if !ordered(args, i)?.is_empty() {
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

fn concat(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    if args.is_empty() {
        return Err(FunctionError::new("at least one list is required"));
    }
    let mut all = Vec::new();
    for i in 0..args.len() {
        all.extend_from_slice(ordered(args, i)?);
    }
    let types: Vec<Type> = args.iter().map(Value::ty).collect();
    match returns_concat(&types) {
        list @ Type::List(_) => {
            convert(&Value::tuple(all), &list).map_err(|e| FunctionError::new(e.message))
        }
        _ => Ok(Value::tuple(all)),
    }
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
            Kind::Set(_) if !item.is_wholly_known() => return false,
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

fn keys(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let names = entries(args, 0)?.keys().map(Value::string).collect();
    Ok(match args[0].kind() {
        Kind::Map(_) => Value::list(Type::String, names),
        _ => Value::tuple(names),
    })
}

fn values(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let values = entries(args, 0)?.values().cloned().collect();
    Ok(match args[0].kind() {
        Kind::Map(m) => Value::list(m.element.clone(), values),
        _ => Value::tuple(values),
    })
}

fn lookup(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let map = entries(args, 0)?;
    let key = text(args, 1)?;
    if args.len() > 3 {
        return Err(FunctionError::at(
            3,
            "function \"lookup\" takes at most 3 arguments",
        ));
    }
    let found = map.get(key).or_else(|| args.get(2)).ok_or_else(|| {
        FunctionError::at(
            1,
            format!("there is no element with the key {key:?}, and no default"),
        )
    })?;
    match args[0].kind() {
        Kind::Map(m) => convert(found, &m.element).map_err(|e| {
            FunctionError::at(
                2,
                format!("the default must have the type of the map's elements: {e}"),
            )
        }),
        _ => Ok(found.clone()),
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

fn merge(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let given: Vec<(usize, &Value)> = args
        .iter()
        .enumerate()
        .filter(|(_, v)| !v.is_null())
        .collect();
    let mut merged = BTreeMap::new();
    for (i, _) in &given {
        merged.extend(
            entries(args, *i)?
                .iter()
                .map(|(k, v)| (k.clone(), v.clone())),
        );
    }
    let types: Vec<Type> = given.iter().map(|(_, v)| v.ty()).collect();
    Ok(match returns_merged(&types) {
        Type::Map(element) => Value::map((*element).clone(), merged),
        _ => Value::object(merged),
    })
}

fn one(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let list = items(args, 0)?;
    if matches!(args[0].kind(), Kind::Set(_)) && !args[0].is_wholly_known() && list.len() > 1 {
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
    if matches!(args[0].kind(), Kind::Set(_)) && !args[0].is_wholly_known() {
        return Ok(later(returns_reversed(&[args[0].ty()])));
    }
    let reversed = items(args, 0)?.iter().rev().cloned().collect();
    Ok(like(&args[0], reversed))
}

fn slice(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let list = ordered(args, 0)?;
    let index = |i: usize| {
        usize::try_from(integer(args, i)?)
            .map_err(|_| FunctionError::at(i, "the index must not be less than zero"))
    };
    let (start, end) = (index(1)?, index(2)?);
    if end > list.len() {
        let message = "end index must not be greater than the length of the given list";
        return Err(FunctionError::at(2, message));
    }
    if start > end {
        return Err(FunctionError::at(
            1,
            "start index must not be greater than end index",
        ));
    }
    Ok(like(&args[0], list[start..end].to_vec()))
}

fn sort(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let mut list = items(args, 0)?.to_vec();
    if let Some(i) = list.iter().position(Value::is_null) {
        return Err(FunctionError::at(
            0,
            format!("given list element {i} is null; a null string cannot be sorted"),
        ));
    }
    list.sort_by(Value::total_cmp);
    Ok(Value::list(Type::String, list))
}

fn transpose(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let mut turned: BTreeMap<Arc<str>, Vec<Value>> = BTreeMap::new();
    for (key, list) in entries(args, 0)? {
        let Some(list) = list.as_slice() else {
            return Err(FunctionError::at(0, format!("the list of {key:?} is null")));
        };
        for item in list {
            let Some(item) = item.as_str() else {
                return Err(FunctionError::at(
                    0,
                    format!("an element of {key:?} is null"),
                ));
            };
            turned
                .entry(item.into())
                .or_default()
                .push(Value::string(key));
        }
    }
    let entries = turned
        .into_iter()
        .map(|(k, v)| (k, Value::list(Type::String, v)))
        .collect();
    Ok(Value::map(Type::list(Type::String), entries))
}

fn zipmap(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let (keys, values) = (items(args, 0)?, ordered(args, 1)?);
    if keys.len() != values.len() {
        return Err(FunctionError::new(format!(
            "number of keys ({}) does not match number of values ({})",
            keys.len(),
            values.len()
        )));
    }
    let mut zipped: BTreeMap<Arc<str>, Value> = BTreeMap::new();
    for (i, (key, value)) in keys.iter().zip(values).enumerate() {
        let Some(key) = key.as_str() else {
            return Err(FunctionError::at(0, format!("element {i} is null")));
        };
        zipped.insert(key.into(), value.clone());
    }
    Ok(match args[1].kind() {
        Kind::List(s) => Value::map(s.element.clone(), zipped),
        _ => Value::object(zipped),
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn results() {
        let abc = ss(&["a", "b", "c"]);
        check(&[
            (
                "chunklist",
                &[ss(&["a", "b", "c"]), n("2")],
                r#"[["a","b"],["c"]]"#,
            ),
            ("chunklist", &[ss(&["a", "b"]), n("0")], r#"[["a","b"]]"#),
            ("chunklist", &[j("[]"), n("0")], "[]"),
            ("coalesce", &[s("a"), s("b")], r#""a""#),
            ("coalesce", &[s(""), Value::NULL, s("b")], r#""b""#),
            ("coalesce", &[n("1"), s("hello")], r#""1""#),
            ("coalesce", &[Value::from(true), s("hello")], r#""true""#),
            ("coalesce", &[n("0"), n("1")], "0"),
            ("coalescelist", &[j("[]"), ss(&["c"])], r#"["c"]"#),
            (
                "compact",
                &[j(r#"["a","","b",null,"c"]"#)],
                r#"["a","b","c"]"#,
            ),
            ("concat", &[ss(&["a", ""]), ss(&["b"])], r#"["a","","b"]"#),
            ("concat", &[list(&["a"]), j("[1]")], r#"["a",1]"#),
            ("distinct", &[ss(&["b", "a", "b", "a"])], r#"["b","a"]"#),
            ("distinct", &[j("[1,null,1,null]")], "[1,null]"),
            ("element", &[abc.clone(), n("1")], r#""b""#),
            ("element", &[abc.clone(), n("4")], r#""b""#),
            ("element", &[abc.clone(), n("-1")], r#""c""#),
            ("element", &[abc.clone(), n("-4")], r#""c""#),
            (
                "flatten",
                &[j(r#"[["a",["b"]],[],["c"]]"#)],
                r#"["a","b","c"]"#,
            ),
            (
                "flatten",
                &[j(r#"[{"a":[1]},null]"#)],
                r#"[{"a":[1]},null]"#,
            ),
            ("keys", &[j(r#"{"b":1,"a":2}"#)], r#"["a","b"]"#),
            ("values", &[j(r#"{"b":1,"a":"x"}"#)], r#"["x",1]"#),
            ("lookup", &[j(r#"{"a":"ay"}"#), s("a"), s("no")], r#""ay""#),
            ("lookup", &[j(r#"{"a":"ay"}"#), s("c"), s("no")], r#""no""#),
            ("lookup", &[j(r#"{"a":"ay"}"#), s("c"), Value::NULL], "null"),
            (
                "matchkeys",
                &[ss(&["i-1", "i-2", "i-3"]), ss(&["w", "e", "e"]), ss(&["e"])],
                r#"["i-2","i-3"]"#,
            ),
            (
                "merge",
                &[j(r#"{"a":"b"}"#), j(r#"{"a":[1],"c":1}"#)],
                r#"{"a":[1],"c":1}"#,
            ),
            ("merge", &[], "{}"),
            ("merge", &[Value::NULL, j(r#"{"a":1}"#)], r#"{"a":1}"#),
            ("one", &[j("[]")], "null"),
            ("one", &[j("[7]")], "7"),
            ("reverse", &[j("[1,2,3]")], "[3,2,1]"),
            (
                "slice",
                &[ss(&["a", "b", "c", "d"]), n("1"), n("3")],
                r#"["b","c"]"#,
            ),
            ("slice", &[abc.clone(), n("3"), n("3")], "[]"),
            ("sort", &[ss(&["e", "d", "a", "Z"])], r#"["Z","a","d","e"]"#),
            (
                "transpose",
                &[j(r#"{"a":["1","2"],"b":["2","3"]}"#)],
                r#"{"1":["a"],"2":["a","b"],"3":["b"]}"#,
            ),
            ("zipmap", &[ss(&["a", "b"]), j("[1,2]")], r#"{"a":1,"b":2}"#),
        ]);
    }

    #[test]
    fn refusals() {
        refuse(&[
            ("chunklist", &[ss(&["a"]), n("-1")], "negative"),
            ("coalesce", &[s(""), Value::NULL], "no non-null"),
            ("coalesce", &[s("a"), j("[]")], "same type"),
            ("coalescelist", &[j("[]")], "no non-null"),
            ("concat", &[s("a")], "list or tuple"),
            ("element", &[j("[]"), n("0")], "empty list"),
            ("lookup", &[j("{}"), s("a")], "no element with the key"),
            ("matchkeys", &[j("[1]"), j("[]"), j("[]")], "equal"),
            ("merge", &[s("a")], "a map or object"),
            ("one", &[j("[1,2]")], "zero or one"),
            (
                "slice",
                &[j("[1]"), n("0"), n("2")],
                "greater than the length",
            ),
            ("slice", &[j("[1,2]"), n("2"), n("1")], "greater than end"),
            ("slice", &[j("[1,2]"), n("-1"), n("1")], "less than zero"),
            ("sort", &[j("[null]")], "element 0 is null"),
            ("zipmap", &[ss(&["a"]), j("[]")], "number of keys (1)"),
        ]);
    }

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
