//! Set functions: products, unions, intersections and differences.

use topo_sdk::convert::convert;
use topo_sdk::{Kind, Refinements, Type, Value};

use super::ParamType as T;
use super::collection::length_is_known;
use super::{Context, Function, FunctionError, Param, common_type, later, returns_any};

/// The most elements that a product may have.
const MAX_PRODUCT: usize = 1_000_000;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "setintersection",
        "What is in every one of the sets.",
        &[SET],
        returns_set,
        intersection,
    )
    .variadic(SET),
    Function::new(
        "setproduct",
        "Every combination of one element from each set.",
        &[],
        returns_any,
        product,
    )
    .variadic(
        Param::new("sets", T::Any, "The sets or lists.")
            .unknown()
            .shallow(),
    ),
    Function::new(
        "setsubtract",
        "What is in the first set and not in the second.",
        &[SET, SET],
        returns_set,
        subtract,
    ),
    Function::new(
        "setunion",
        "What is in any of the sets.",
        &[MEMBERS],
        returns_set,
        union,
    )
    .variadic(MEMBERS),
];

const MEMBERS: Param = Param::new("set", T::SetOfAny, "A set.");

/// Where an unknown element may turn out to be any other, nothing can be said.
const SET: Param = MEMBERS.whole();

fn returns_set(types: &[Type]) -> Type {
    let elements: Vec<Type> = types
        .iter()
        .map(|t| t.element().cloned().unwrap_or(Type::Dynamic))
        .collect();
    Type::set(common_type(&elements).unwrap_or(Type::Dynamic))
}

/// The sets with one element type.
fn alike(args: &[Value]) -> Result<(Type, Vec<Value>), FunctionError> {
    let elements: Vec<Type> = args
        .iter()
        .filter_map(|a| a.ty().element().cloned())
        .collect();
    let element = common_type(&elements)
        .ok_or_else(|| FunctionError::new("given sets must all have compatible element types"))?;
    let ty = Type::set(element.clone());
    let sets = args
        .iter()
        .enumerate()
        .map(|(i, a)| convert(a, &ty).map_err(|e| FunctionError::at(i, e.message)))
        .collect::<Result<_, _>>()?;
    Ok((element, sets))
}

fn contains(set: &Value, item: &Value) -> bool {
    set.as_slice()
        .is_some_and(|items| items.binary_search_by(|v| v.total_cmp(item)).is_ok())
}

fn members(set: &Value) -> impl Iterator<Item = &Value> {
    set.as_slice().unwrap_or_default().iter()
}

fn intersection(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let (element, sets) = alike(args)?;
    let kept = members(&sets[0])
        .filter(|v| sets[1..].iter().all(|s| contains(s, v)))
        .cloned()
        .collect();
    Ok(Value::set(element, kept))
}

fn subtract(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let (element, sets) = alike(args)?;
    let kept = members(&sets[0])
        .filter(|v| !contains(&sets[1], v))
        .cloned()
        .collect();
    Ok(Value::set(element, kept))
}

fn union(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let (element, sets) = alike(args)?;
    Ok(Value::set(
        element,
        sets.iter().flat_map(members).cloned().collect(),
    ))
}

/// A set where one of the arguments is a set, else a list in the order of the arguments.
fn product(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    if args.len() < 2 {
        return Err(FunctionError::new("at least two arguments are required"));
    }
    let types: Vec<Type> = args.iter().map(Value::ty).collect();
    if types.contains(&Type::Dynamic) {
        return Ok(later(Type::Dynamic));
    }
    let elements: Vec<Type> = types
        .iter()
        .enumerate()
        .map(|(i, ty)| match ty {
            Type::Set(t) | Type::List(t) => Ok((**t).clone()),
            Type::Tuple(ts) => common_type(ts)
                .ok_or_else(|| FunctionError::at(i, "all elements must be of one type")),
            _ => Err(FunctionError::at(i, "a set or a list is required")),
        })
        .collect::<Result<_, _>>()?;
    let row = Type::tuple(elements.clone());
    let as_set = types.iter().any(|t| matches!(t, Type::Set(_)));
    if !args.iter().all(length_is_known) {
        let ty = if as_set {
            Type::set(row)
        } else {
            Type::list(row)
        };
        return Ok(unknown_product(ty, args));
    }
    let total = args
        .iter()
        .map(|a| a.as_slice().map_or(0, <[Value]>::len))
        .fold(1usize, usize::saturating_mul);
    if total > MAX_PRODUCT {
        return Err(FunctionError::new(format!(
            "the product has {total} elements, more than {MAX_PRODUCT}"
        )));
    }
    let mut rows: Vec<Vec<Value>> = if total == 0 { vec![] } else { vec![vec![]] };
    for (i, (arg, ty)) in args.iter().zip(&elements).enumerate() {
        let column = arg
            .as_slice()
            .unwrap_or_default()
            .iter()
            .map(|v| convert(v, ty).map_err(|e| FunctionError::at(i, e.message)))
            .collect::<Result<Vec<_>, _>>()?;
        rows = rows
            .iter()
            .flat_map(|row| {
                column.iter().map(|v| {
                    let mut row = row.clone();
                    row.push(v.clone());
                    row
                })
            })
            .collect();
    }
    let rows = rows.into_iter().map(Value::tuple).collect();
    Ok(if as_set {
        Value::set(row, rows)
    } else {
        Value::list(row, rows)
    })
}

/// What is known of the product while the length of a factor is not: its bounds.
fn unknown_product(ty: Type, args: &[Value]) -> Value {
    let bounds = |v: &Value| match (v.kind(), v.ty()) {
        (Kind::Unknown(_), Type::Tuple(ts)) => (ts.len(), Some(ts.len())),
        (Kind::Unknown(u), _) => (u.refinements.min_length, u.refinements.max_length),
        (Kind::Set(s), _) if !length_is_known(v) => (1, Some(s.items.len())),
        _ => {
            let length = v.as_slice().map_or(0, <[Value]>::len);
            (length, Some(length))
        }
    };
    let (mut min, mut max) = (1usize, Some(1usize));
    let mut empty = false;
    for (least, most) in args.iter().map(bounds) {
        empty |= most == Some(0);
        min = min.saturating_mul(least);
        max = max.zip(most).map(|(a, b)| a.saturating_mul(b));
    }
    let (element, as_set) = match &ty {
        Type::Set(t) => ((**t).clone(), true),
        other => (other.element().cloned().unwrap_or(Type::Dynamic), false),
    };
    if empty && as_set {
        return Value::set(element, vec![]);
    }
    if empty {
        return Value::list(element, vec![]);
    }
    Value::unknown_refined(
        ty,
        Refinements {
            not_null: true,
            // Equal rows of a set become one.
            min_length: if as_set { min.min(1) } else { min },
            max_length: max,
            prefix: None,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn results() {
        check(&[
            (
                "setintersection",
                &[ss(&["a", "b"]), ss(&["b", "c"]), ss(&["b", "d"])],
                r#"["b"]"#,
            ),
            ("setintersection", &[ss(&["a"]), j("[]")], "[]"),
            (
                "setunion",
                &[ss(&["a", "b"]), ss(&["b", "c"]), ss(&["d"])],
                r#"["a","b","c","d"]"#,
            ),
            ("setunion", &[j("[1]"), ss(&["a"])], r#"["1","a"]"#),
            (
                "setsubtract",
                &[ss(&["a", "b", "c"]), ss(&["a", "c"])],
                r#"["b"]"#,
            ),
            ("setsubtract", &[ss(&["a"]), j("[]")], r#"["a"]"#),
            (
                "setproduct",
                &[ss(&["dev", "prod"]), ss(&["a", "b"])],
                r#"[["dev","a"],["dev","b"],["prod","a"],["prod","b"]]"#,
            ),
            (
                "setproduct",
                &[ss(&["a"]), j("[1, 2]")],
                r#"[["a",1],["a",2]]"#,
            ),
            ("setproduct", &[ss(&["a"]), j("[]")], "[]"),
        ]);
        let sets = [s("a"), s("b")].map(|v| Value::set(Type::String, vec![v]));
        let product = run("setproduct", &sets).unwrap();
        assert_eq!(
            product.ty(),
            Type::set(Type::tuple(vec![Type::String, Type::String]))
        );
    }

    #[test]
    fn refusals() {
        let many = Value::list(
            Type::Number,
            (0..1001).map(|i: i64| Value::from(i)).collect(),
        );
        refuse(&[
            ("setproduct", &[ss(&["a"])], "at least two"),
            ("setproduct", &[many.clone(), many], "more than 1000000"),
            ("setproduct", &[s("a"), s("b")], "a set or a list"),
            ("setunion", &[], "at least 1 argument"),
        ]);
    }
}
