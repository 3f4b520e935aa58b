//! Set functions: products, unions, intersections and differences.

use topo_sdk::convert::convert;
use topo_sdk::{Kind, Type, Value};

use super::ParamType as T;
use super::{Context, Function, FunctionError, Param, common_type, later, unified};

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
        returns_product,
        product,
    )
    .variadic(Param::new("sets", T::Any, "The sets or lists.")),
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
        &[SET],
        returns_set,
        union,
    )
    .variadic(SET),
];

const SET: Param = Param::new("set", T::SetOfAny, "A set.").whole();

fn returns_set(types: &[Type]) -> Type {
    let elements: Vec<Type> = types
        .iter()
        .map(|t| t.element().cloned().unwrap_or(Type::Dynamic))
        .collect();
    Type::set(common_type(&elements).unwrap_or(Type::Dynamic))
}

fn returns_product(_: &[Type]) -> Type {
    Type::Dynamic
}

/// The sets with one element type.
fn alike(args: &[Value]) -> Result<(Type, Vec<Value>), FunctionError> {
    let filled: Vec<Type> = args
        .iter()
        .filter(|a| a.as_slice().is_some_and(|s| !s.is_empty()))
        .filter_map(|a| a.ty().element().cloned())
        .collect();
    let element = common_type(&filled)
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

fn product(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    if args.len() < 2 {
        return Err(FunctionError::new("at least two arguments are required"));
    }
    let mut columns: Vec<Vec<Value>> = Vec::new();
    let mut types = Vec::new();
    let mut total = 1usize;
    let mut unordered = true;
    for (i, arg) in args.iter().enumerate() {
        let Some(items) = arg.as_slice() else {
            return Err(FunctionError::at(i, "a set or a list is required"));
        };
        let set = matches!(arg.kind(), Kind::Set(_));
        if set && !arg.is_wholly_known() {
            return Ok(later(Type::Dynamic));
        }
        unordered &= set;
        let (ty, items) = match arg.ty().element() {
            Some(ty) => (ty.clone(), items.to_vec()),
            None => unified(items)
                .ok_or_else(|| FunctionError::at(i, "all elements must be of one type"))?,
        };
        total = total.saturating_mul(items.len());
        types.push(ty);
        columns.push(items);
    }
    if total > MAX_PRODUCT {
        return Err(FunctionError::new(format!(
            "the product has {total} elements, more than {MAX_PRODUCT}"
        )));
    }
    let mut rows: Vec<Vec<Value>> = if total == 0 { vec![] } else { vec![vec![]] };
    for column in columns {
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
    let ty = Type::tuple(types);
    Ok(if unordered {
        Value::set(ty, rows)
    } else {
        Value::list(ty, rows)
    })
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
