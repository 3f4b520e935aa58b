//! Operators, attribute access and indexing over values.
//!
//! Source of the rules: the HCL native syntax specification (operators, index and attribute
//! access) and the documentation of its type system for nulls, unknowns and marks.

use std::sync::Arc;

use topo_sdk::convert::convert;
use topo_sdk::{Kind, Marks, Number, Refinements, Type, Value};

use super::ast::BinaryOp;
use super::eval::with_article;

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

/// `==` and `!=`. The result has the marks of everything that is compared.
pub fn equality(op: BinaryOp, left: &Value, right: &Value) -> Value {
    let value = match equal(left, right) {
        Some(equal) => Value::from(equal == (op == BinaryOp::Equal)),
        None => unknown_not_null(Type::Bool),
    };
    value.with_marks(left.deep_marks() | right.deep_marks())
}

/// Applies an operator to two numbers, either of which may be unknown (see [`operand`]).
///
/// # Errors
/// A division by zero, or a result of more digits than are supported.
pub fn numeric(op: BinaryOp, left: &Value, right: &Value) -> Result<Value, Failure> {
    let ordering = matches!(
        op,
        BinaryOp::Less | BinaryOp::LessEqual | BinaryOp::Greater | BinaryOp::GreaterEqual
    );
    let value = match (left.as_number(), right.as_number()) {
        (Some(a), Some(b)) => match op {
            BinaryOp::Less => Value::from(a < b),
            BinaryOp::LessEqual => Value::from(a <= b),
            BinaryOp::Greater => Value::from(a > b),
            BinaryOp::GreaterEqual => Value::from(a >= b),
            _ => Value::from(arithmetic(op, a, b)?),
        },
        _ if ordering => unknown_not_null(Type::Bool),
        _ => unknown_not_null(Type::Number),
    };
    Ok(value.with_marks(left.marks() | right.marks()))
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

/// Converts an operand, refusing null. Unknown stays unknown. `side` is which one it is, for the
/// error: left, right or unary.
///
/// # Errors
/// Null, or a value that cannot be converted.
pub fn operand(value: &Value, ty: Type, side: &str) -> Result<Value, Failure> {
    let unsuitable = |reason: String| {
        let detail = format!("Unsuitable value for {side} operand: {reason}.");
        ("Invalid operand".to_string(), detail)
    };
    if value.is_null() {
        return Err(unsuitable("argument must not be null".into()));
    }
    convert(value, &ty).map_err(|e| unsuitable(e.to_string()))
}

/// The language's `==`: `None` where it depends on something unknown.
pub fn equal(a: &Value, b: &Value) -> Option<bool> {
    match (a.kind(), b.kind()) {
        (Kind::Null(_), Kind::Null(_)) => Some(true),
        (Kind::Unknown(u), other) | (other, Kind::Unknown(u)) => {
            let (unknown, other_value) = if a.is_known() { (b, a) } else { (a, b) };
            if !u.refinements.allow(other_value) {
                return Some(false);
            }
            // Values of different types are never equal; nulls of any types are.
            let may_be_null = match other {
                Kind::Null(_) => true,
                Kind::Unknown(o) => !o.refinements.not_null && !u.refinements.not_null,
                _ => false,
            };
            let settled = |t: &Type| !t.has_dynamic();
            if may_be_null || !settled(&u.ty) {
                return None;
            }
            let ty = other_value.ty();
            (settled(&ty) && ty != unknown.ty()).then_some(false)
        }
        (Kind::Null(_), _) | (_, Kind::Null(_)) => Some(false),
        (Kind::List(x) | Kind::Set(x), Kind::List(y) | Kind::Set(y))
            if differ(&x.element, &y.element) =>
        {
            Some(false)
        }
        (Kind::List(x), Kind::List(y)) => all_equal(&x.items, &y.items),
        (Kind::Tuple(x), Kind::Tuple(y)) => all_equal(x, y),
        (Kind::Set(x), Kind::Set(y)) => {
            let known = a.is_wholly_known() && b.is_wholly_known();
            known.then(|| x.items == y.items)
        }
        (Kind::Map(x), Kind::Map(y)) if differ(&x.element, &y.element) => Some(false),
        (Kind::Map(_), Kind::Map(_)) | (Kind::Object(_), Kind::Object(_)) => {
            let (x, y) = (a.as_map()?, b.as_map()?);
            if x.len() != y.len() || !x.keys().eq(y.keys()) {
                return Some(false);
            }
            fold_equal(x.values().zip(y.values()))
        }
        (x, y) if std::mem::discriminant(x) != std::mem::discriminant(y) => Some(false),
        _ => Some(a == b),
    }
}

/// Whether collections of these element types are of different types, and so never equal, even when
/// they are empty.
fn differ(a: &Type, b: &Type) -> bool {
    a != b && !a.has_dynamic() && !b.has_dynamic()
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
            "This value is {}, which has no attributes.",
            with_article(ty)
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
                // Whichever it will be.
                None => match value.kind() {
                    Kind::List(s) => Value::unknown(s.element.clone()),
                    _ => Value::unknown(Type::Dynamic),
                }
                .with_marks(value.deep_marks()),
                Some(n) => match n.to_usize().and_then(|i| items.get(i)) {
                    Some(v) => v.clone(),
                    None => {
                        return fail("Invalid index", out_of_range(n, items.len(), secret(&key)));
                    }
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
                (None, Kind::Map(m)) => {
                    Value::unknown(m.element.clone()).with_marks(value.deep_marks())
                }
                (None, _) => Value::unknown(Type::Dynamic).with_marks(value.deep_marks()),
                (Some(k), _) => match value.get(k) {
                    Some(v) => v.clone(),
                    None if secret(&key) => return fail("Invalid index", NOT_IDENTIFIED),
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
        Kind::Unknown(u) => index_unknown(&u.ty, key)?,
        _ => return no_indices(&value.ty()),
    };
    Ok(found.with_marks(marks))
}

const NOT_IDENTIFIED: &str = "The given key does not identify an element in this collection value.";

/// Whether a key must not appear in messages.
fn secret(key: &Value) -> bool {
    !key.marks().is_empty()
}

fn no_indices(ty: &Type) -> Result<Value, Failure> {
    let detail = match ty {
        Type::Set(_) => "Elements of a set are identified only by their value and don't have any separate index or key to select with, so it's only possible to perform operations across all elements of the set.".into(),
        _ => format!("This value is {}, which has no indices.", with_article(ty)),
    };
    fail("Invalid index", detail)
}

/// The element of an unknown value: what is known of it is its type.
fn index_unknown(ty: &Type, key: &Value) -> Result<Value, Failure> {
    let converted = |to: Type| {
        convert(key, &to).map_err(|e| {
            let detail = format!(
                "The given key does not identify an element in this collection value: {e}."
            );
            ("Invalid index".to_string(), detail)
        })
    };
    Ok(match ty {
        Type::Dynamic => Value::unknown(Type::Dynamic),
        Type::List(e) => {
            converted(Type::Number)?;
            Value::unknown((**e).clone())
        }
        Type::Map(e) => {
            converted(Type::String)?;
            Value::unknown((**e).clone())
        }
        Type::Tuple(ts) => match converted(Type::Number)?.as_number() {
            None => Value::unknown(Type::Dynamic),
            Some(n) => match n.to_usize().and_then(|i| ts.get(i)) {
                Some(t) => Value::unknown(t.clone()),
                None => return fail("Invalid index", out_of_range(n, ts.len(), secret(key))),
            },
        },
        Type::Object(o) => match converted(Type::String)?.as_str() {
            None => Value::unknown(Type::Dynamic),
            Some(k) => match o.attributes.get(k) {
                Some(t) => Value::unknown(t.clone()),
                None if secret(key) => return fail("Invalid index", NOT_IDENTIFIED),
                None => {
                    let hint = crate::suggest::did_you_mean(k, o.attributes.keys());
                    let detail = format!("This object has no attribute {k:?}.{hint}");
                    return fail("Invalid index", detail);
                }
            },
        },
        other => return no_indices(other),
    })
}

fn out_of_range(index: &Number, length: usize, secret: bool) -> String {
    let reason = if secret {
        return NOT_IDENTIFIED.into();
    } else if !index.is_integer() {
        "an index must be a whole number".to_string()
    } else if index.is_negative() {
        "a negative number is not a valid index".to_string()
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
