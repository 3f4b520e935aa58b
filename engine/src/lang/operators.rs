//! Operators, attribute access and indexing over values.
//!
//! Source of the rules: the HCL native syntax specification (operators, index and attribute
//! access) and the documentation of its type system for nulls, unknowns and marks.

use std::sync::Arc;

use topo_sdk::convert::convert;
use topo_sdk::{Kind, Marks, Number, Refinements, Type, Value};

use super::ast::BinaryOp;

/// Why an operation has no result: a summary and a detail.
pub type Failure = (String, String);

fn fail<T>(summary: &str, detail: impl Into<String>) -> Result<T, Failure> {
    Err((summary.to_string(), detail.into()))
}

/// An unknown of a type that will not be null.
pub fn unknown_not_null(ty: Type) -> Value {
    Value::unknown_refined(
        ty,
        Refinements {
            not_null: true,
            ..Refinements::default()
        },
    )
}

/// Applies a binary operator other than `&&` and `||`, whose operands the evaluator takes one by
/// one.
///
/// # Errors
/// Operands that are null or of the wrong type; a division by zero.
pub fn binary(op: BinaryOp, left: &Value, right: &Value) -> Result<Value, Failure> {
    let marks = left.marks() | right.marks();
    let value = match op {
        BinaryOp::Equal => {
            equal(left, right).map_or_else(|| unknown_not_null(Type::Bool), Value::from)
        }
        BinaryOp::NotEqual => {
            equal(left, right).map_or_else(|| unknown_not_null(Type::Bool), |e| Value::from(!e))
        }
        _ => {
            let a = operand(left, Type::Number, "left")?;
            let b = operand(right, Type::Number, "right")?;
            let ordering = matches!(
                op,
                BinaryOp::Less | BinaryOp::LessEqual | BinaryOp::Greater | BinaryOp::GreaterEqual
            );
            match (a.as_number(), b.as_number()) {
                (Some(a), Some(b)) if ordering => Value::from(match op {
                    BinaryOp::Less => a < b,
                    BinaryOp::LessEqual => a <= b,
                    BinaryOp::Greater => a > b,
                    _ => a >= b,
                }),
                (Some(a), Some(b)) => Value::from(arithmetic(op, a, b)?),
                _ if ordering => unknown_not_null(Type::Bool),
                _ => unknown_not_null(Type::Number),
            }
        }
    };
    let deep = if matches!(op, BinaryOp::Equal | BinaryOp::NotEqual) {
        left.deep_marks() | right.deep_marks()
    } else {
        marks
    };
    Ok(value.with_marks(deep))
}

fn arithmetic(op: BinaryOp, a: &Number, b: &Number) -> Result<Number, Failure> {
    let made = match op {
        BinaryOp::Add => a.checked_add(b),
        BinaryOp::Subtract => a.checked_sub(b),
        BinaryOp::Multiply => a.checked_mul(b),
        BinaryOp::Divide => a.checked_div(b),
        _ => a.checked_rem(b),
    };
    match made {
        Some(n) => Ok(n),
        None if *b == Number::ZERO && matches!(op, BinaryOp::Divide | BinaryOp::Modulo) => {
            fail("Division by zero", "Divisor must not be zero.")
        }
        None => fail(
            "Invalid operation",
            "The result has more digits than are supported.",
        ),
    }
}

/// Converts an operand, refusing null. Unknown stays unknown.
///
/// # Errors
/// Null, or a value that cannot be converted.
pub fn operand(value: &Value, ty: Type, side: &str) -> Result<Value, Failure> {
    let side = if side.is_empty() {
        String::new()
    } else {
        format!("{side} ")
    };
    if value.is_null() {
        return fail(
            "Invalid operand",
            format!("Unsuitable value for {side}operand: argument must not be null."),
        );
    }
    convert(value, &ty).map_err(|e| {
        (
            "Invalid operand".to_string(),
            format!("Unsuitable value for {side}operand: {e}."),
        )
    })
}

/// The language's `==`: `None` where it depends on something unknown.
pub fn equal(a: &Value, b: &Value) -> Option<bool> {
    match (a.kind(), b.kind()) {
        (Kind::Null(_), Kind::Null(_)) => Some(true),
        (Kind::Unknown(u), other) | (other, Kind::Unknown(u)) => {
            if matches!(other, Kind::Null(_)) && u.refinements.not_null {
                return Some(false);
            }
            if let (Kind::String(s), Some(prefix)) = (other, &u.refinements.prefix)
                && !s.starts_with(&**prefix)
            {
                return Some(false);
            }
            None
        }
        (Kind::Null(_), _) | (_, Kind::Null(_)) => Some(false),
        (Kind::List(x), Kind::List(y)) => all_equal(&x.items, &y.items),
        (Kind::Tuple(x), Kind::Tuple(y)) => all_equal(x, y),
        (Kind::Set(x), Kind::Set(y)) => {
            let known = a.is_wholly_known() && b.is_wholly_known();
            known.then(|| x.items == y.items)
        }
        (Kind::Map(_), Kind::Map(_)) | (Kind::Object(_), Kind::Object(_)) => {
            let (x, y) = (a.as_map()?, b.as_map()?);
            if x.len() != y.len() || !x.keys().eq(y.keys()) {
                return Some(false);
            }
            fold_equal(x.values().zip(y.values()))
        }
        _ => Some(a == b),
    }
}

fn all_equal(x: &[Value], y: &[Value]) -> Option<bool> {
    if x.len() != y.len() {
        return Some(false);
    }
    fold_equal(x.iter().zip(y))
}

fn fold_equal<'a>(pairs: impl Iterator<Item = (&'a Value, &'a Value)>) -> Option<bool> {
    let mut certain = true;
    for (a, b) in pairs {
        match equal(a, b) {
            Some(false) => return Some(false),
            Some(true) => {}
            None => certain = false,
        }
    }
    certain.then_some(true)
}

/// `value.name`.
///
/// # Errors
/// Null, a value without attributes, or one that lacks this attribute.
pub fn get_attr(value: &Value, name: &Arc<str>) -> Result<Value, Failure> {
    let found = match value.kind() {
        Kind::Null(_) => {
            return fail(
                "Attempt to get attribute from null value",
                "This value is null, so it does not have any attributes.",
            );
        }
        Kind::Object(o) => match o.get(name) {
            Some(v) => v.clone(),
            None => {
                let hint = crate::suggest::did_you_mean(name, o.keys());
                return fail(
                    "Unsupported attribute",
                    format!("This object does not have an attribute named {name:?}.{hint}"),
                );
            }
        },
        Kind::Map(m) => match m.entries.get(name) {
            Some(v) => v.clone(),
            None => {
                let hint = crate::suggest::did_you_mean(name, m.entries.keys());
                return fail(
                    "Missing map element",
                    format!("This map does not have an element with the key {name:?}.{hint}"),
                );
            }
        },
        Kind::Unknown(u) => match &u.ty {
            Type::Dynamic => Value::unknown(Type::Dynamic),
            Type::Map(e) => Value::unknown((**e).clone()),
            Type::Object(o) => match o.attributes.get(name) {
                Some(t) => Value::unknown(t.clone()),
                None => {
                    let hint = crate::suggest::did_you_mean(name, o.attributes.keys());
                    return fail(
                        "Unsupported attribute",
                        format!("This object does not have an attribute named {name:?}.{hint}"),
                    );
                }
            },
            other => return no_attributes(other, name),
        },
        _ => return no_attributes(&value.ty(), name),
    };
    Ok(found.with_marks(value.marks()))
}

fn no_attributes(ty: &Type, name: &str) -> Result<Value, Failure> {
    let detail = match ty {
        Type::List(_) | Type::Tuple(_) => format!(
            "This value is a {}, which has no attributes. To take {name:?} from one element, index it first, as in [0].{name}; from all elements, use [*].{name}.",
            ty.friendly()
        ),
        Type::Set(_) => format!(
            "This value is a {}, whose elements have no keys or order. Use a for expression to go through them.",
            ty.friendly()
        ),
        _ => format!(
            "This value is a {}, which has no attributes.",
            ty.friendly()
        ),
    };
    fail("Unsupported attribute", detail)
}

/// `value[key]`.
///
/// # Errors
/// Null on either side, a key of the wrong type, or one that is not there.
pub fn index(value: &Value, key: &Value) -> Result<Value, Failure> {
    let marks = value.marks() | key.marks();
    if value.is_null() {
        return fail(
            "Attempt to index null value",
            "This value is null, so it does not have any indices.",
        );
    }
    if key.is_null() {
        return fail(
            "Invalid index",
            "Can't use a null value as an indexing key.",
        );
    }
    let found = match value.kind() {
        Kind::List(_) | Kind::Tuple(_) => {
            let items = value.as_slice().unwrap_or_default();
            let key = convert(key, &Type::Number).map_err(|e| {
                (
                    "Invalid index".to_string(),
                    format!(
                        "The given key does not identify an element in this collection value: {e}."
                    ),
                )
            })?;
            match key.as_number() {
                None => match value.kind() {
                    Kind::List(s) => Value::unknown(s.element.clone()),
                    _ => Value::unknown(Type::Dynamic),
                },
                Some(n) => match n.to_usize().and_then(|i| items.get(i)) {
                    Some(v) => v.clone(),
                    None => return fail("Invalid index", out_of_range(n, items.len())),
                },
            }
        }
        Kind::Map(_) | Kind::Object(_) => {
            let key = convert(key, &Type::String).map_err(|e| {
                (
                    "Invalid index".to_string(),
                    format!(
                        "The given key does not identify an element in this collection value: {e}."
                    ),
                )
            })?;
            match (key.as_str(), value.kind()) {
                (None, Kind::Map(m)) => Value::unknown(m.element.clone()),
                (None, _) => Value::unknown(Type::Dynamic),
                (Some(k), _) => match value.get(k) {
                    Some(v) => v.clone(),
                    None => {
                        let hint = crate::suggest::did_you_mean(
                            k,
                            value.as_map().into_iter().flat_map(|m| m.keys()),
                        );
                        return fail(
                            "Invalid index",
                            format!(
                                "The given key does not identify an element in this collection value: there is no {k:?}.{hint}"
                            ),
                        );
                    }
                },
            }
        }
        Kind::Set(_) => {
            return fail(
                "Invalid index",
                "Elements of a set are identified only by their value and don't have any separate index or key to select with, so it's only possible to perform operations across all elements of the set.",
            );
        }
        Kind::Unknown(u) => match &u.ty {
            Type::List(e) | Type::Map(e) => Value::unknown((**e).clone()),
            Type::Tuple(ts) => match key.as_i64().and_then(|i| usize::try_from(i).ok()) {
                Some(i) => match ts.get(i) {
                    Some(t) => Value::unknown(t.clone()),
                    None => return fail("Invalid index", out_of_range(&Number::from(i), ts.len())),
                },
                None => Value::unknown(Type::Dynamic),
            },
            Type::Object(o) => match key.as_str() {
                Some(k) => match o.attributes.get(k) {
                    Some(t) => Value::unknown(t.clone()),
                    None => {
                        return fail(
                            "Invalid index",
                            format!("This object has no attribute {k:?}."),
                        );
                    }
                },
                None => Value::unknown(Type::Dynamic),
            },
            _ => Value::unknown(Type::Dynamic),
        },
        _ => {
            return fail(
                "Invalid index",
                format!(
                    "This value is a {}, which has no indices.",
                    value.ty().friendly()
                ),
            );
        }
    };
    Ok(found.with_marks(marks))
}

fn out_of_range(index: &Number, length: usize) -> String {
    let reason = if index.is_negative() {
        "a negative number is not a valid index".to_string()
    } else if !index.is_integer() {
        "an index must be a whole number".to_string()
    } else if length == 0 {
        "the collection has no elements".to_string()
    } else {
        format!(
            "the given index is {index}, and the last one is {}",
            length - 1
        )
    };
    format!("The given key does not identify an element in this collection value: {reason}.")
}

/// Appends a value to the text of a template.
///
/// # Errors
/// Null, or a value that has no text.
pub fn template_text(value: &Value) -> Result<Value, Failure> {
    if value.is_null() {
        return fail(
            "Invalid template interpolation value",
            "The expression result is null. Cannot include a null value in a string template.",
        );
    }
    convert(value, &Type::String).map_err(|e| {
        (
            "Invalid template interpolation value".to_string(),
            format!("Cannot include the given value in a string template: {e}."),
        )
    })
}

/// A known, non-null bool, or `None` when it is unknown.
///
/// # Errors
/// Null, or a value that is not a bool.
pub fn condition(value: &Value, summary: &str) -> Result<(Option<bool>, Marks), Failure> {
    if value.is_null() {
        return fail(
            summary,
            "The condition value is null. Conditions must either be true or false.",
        );
    }
    let made = convert(value, &Type::Bool).map_err(|e| {
        (
            summary.to_string(),
            format!("The condition value is not a bool: {e}."),
        )
    })?;
    Ok((made.as_bool(), value.marks()))
}
