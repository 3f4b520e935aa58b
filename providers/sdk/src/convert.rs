//! Conversion between types and unification of types, by the language's published rules.
//!
//! Source of the rules: HashiCorp's "Type Constraints" page (conversion of complex and primitive
//! types) and the documentation of the `cty` type system (conversion and unification).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::path::{Path, Step};
use crate::types::{ObjectType, Type};
pub use crate::unify::unify;
use crate::value::{Kind, Refinements, Unknown, Value};

/// A value that is not of a type and cannot become one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConvertError {
    /// Where inside the value.
    pub path: Path,
    /// What is wrong, as a clause: `string required`.
    pub message: String,
}

impl ConvertError {
    fn new(message: impl Into<String>) -> ConvertError {
        ConvertError {
            path: Path::root(),
            message: message.into(),
        }
    }

    fn within(mut self, step: Step) -> ConvertError {
        let mut steps = vec![step];
        steps.extend_from_slice(self.path.steps());
        self.path = steps.into();
        self
    }
}

/// Converts a value to a type. Marks stay on the parts they are on. `dynamic` inside collection
/// types (`list(any)`) becomes the one type to which all elements can be converted.
///
/// # Errors
/// When the value cannot become one of the type; the error has the path of the offending part.
pub fn convert(value: &Value, ty: &Type) -> Result<Value, ConvertError> {
    if conforms(value, ty) {
        return Ok(value.clone());
    }
    let marks = value.marks();
    let made = match value.kind() {
        Kind::Null(from) => Value::null(result_type(from, ty)),
        Kind::Unknown(u) => {
            if !convertible(&u.ty, ty) {
                return Err(mismatch(&u.ty, ty));
            }
            convert_unknown(u, ty)
        }
        _ => convert_known(value, ty)?,
    };
    Ok(made.with_marks(marks))
}

/// An unknown of another type, with what is still known of it.
fn convert_unknown(u: &Unknown, ty: &Type) -> Value {
    let target = result_type(&u.ty, ty);
    let from = &u.refinements;
    let mut refinements = Refinements {
        not_null: from.not_null,
        ..Refinements::default()
    };
    match (&u.ty, &target) {
        (a, b) if a == b => refinements = from.clone(),
        (Type::Tuple(ts), Type::List(_)) => {
            (refinements.min_length, refinements.max_length) = (ts.len(), Some(ts.len()));
        }
        // Elements of a set may turn out to be equal, but never all of them go away.
        (Type::Tuple(ts), Type::Set(_)) => {
            (refinements.min_length, refinements.max_length) = (ts.len().min(1), Some(ts.len()));
        }
        (Type::Object(o), Type::Map(_)) => {
            let length = o.attributes.len();
            (refinements.min_length, refinements.max_length) = (length, Some(length));
        }
        (Type::List(_) | Type::Set(_), Type::Set(_)) => {
            refinements.min_length = from.min_length.min(1);
            refinements.max_length = from.max_length;
        }
        (Type::List(_) | Type::Set(_), Type::List(_)) | (Type::Map(_), Type::Map(_)) => {
            refinements.min_length = from.min_length;
            refinements.max_length = from.max_length;
        }
        _ => {}
    }
    Value::unknown_refined(target, refinements)
}

fn convert_known(value: &Value, ty: &Type) -> Result<Value, ConvertError> {
    match (ty, value.kind()) {
        (Type::Dynamic, _) => Ok(value.clone().unmark()),
        (Type::String, Kind::Number(n)) => Ok(Value::string(n.to_string())),
        (Type::String, Kind::Bool(b)) => Ok(Value::string(if *b { "true" } else { "false" })),
        (Type::Number, Kind::String(s)) => s
            .parse::<crate::Number>()
            .map(Value::from)
            .map_err(|_| ConvertError::new("a number is required")),
        (Type::Bool, Kind::String(s)) => match &**s {
            "true" | "1" => Ok(Value::from(true)),
            "false" | "0" => Ok(Value::from(false)),
            other if other.eq_ignore_ascii_case("true") || other.eq_ignore_ascii_case("false") => {
                let lower = other.to_ascii_lowercase();
                Err(ConvertError::new(format!(
                    "a bool is required; to convert from string, use lowercase \"{lower}\""
                )))
            }
            _ => Err(ConvertError::new("a bool is required")),
        },
        (Type::List(element), Kind::List(_) | Kind::Set(_) | Kind::Tuple(_)) => {
            let given = value.as_slice().unwrap_or_default();
            if let Some(later) = undecided(given, element, Type::list) {
                return Ok(later);
            }
            let (element, items) = convert_items(value, element)?;
            // A set with unknown elements has no known order or length.
            if matches!(value.kind(), Kind::Set(_)) && !value.is_wholly_known() && given.len() > 1 {
                let known = given.iter().filter(|v| v.is_wholly_known()).count();
                let refinements = Refinements {
                    not_null: true,
                    min_length: known.max(1),
                    max_length: Some(given.len()),
                    ..Refinements::default()
                };
                return Ok(Value::unknown_refined(Type::list(element), refinements));
            }
            Ok(Value::list(element, items))
        }
        (Type::Set(element), Kind::List(_) | Kind::Set(_) | Kind::Tuple(_)) => {
            let given = value.as_slice().unwrap_or_default();
            if let Some(later) = undecided(given, element, Type::set) {
                return Ok(later);
            }
            let (element, items) = convert_items(value, element)?;
            Ok(Value::set(element, items))
        }
        (Type::Map(element), Kind::Map(_) | Kind::Object(_)) => {
            let entries = value.as_map().into_iter().flatten();
            let (keys, values): (Vec<_>, Vec<_>) =
                entries.map(|(k, v)| (k.clone(), v.clone())).unzip();
            if let Some(later) = undecided(&values, element, Type::map) {
                return Ok(later);
            }
            let (element, values) = convert_elements(value, &values, element, |i| {
                Step::Key(keys.get(i).cloned().unwrap_or_else(|| "".into()))
            })?;
            Ok(Value::map(element, keys.into_iter().zip(values).collect()))
        }
        (Type::Object(object), Kind::Map(_) | Kind::Object(_)) => {
            convert_object(value.as_map().unwrap_or(&BTreeMap::new()), object)
        }
        (Type::Tuple(types), Kind::List(_) | Kind::Tuple(_)) => {
            let items = value.as_slice().unwrap_or_default();
            if items.len() != types.len() {
                return Err(ConvertError::new(format!(
                    "a tuple of {} elements is required, but there are {}",
                    types.len(),
                    items.len()
                )));
            }
            let made: Result<Vec<Value>, ConvertError> = items
                .iter()
                .zip(types.iter())
                .enumerate()
                .map(|(i, (v, t))| convert(v, t).map_err(|e| e.within(Step::Index(i))))
                .collect();
            Ok(Value::tuple(made?))
        }
        _ => Err(mismatch(&value.ty(), ty)),
    }
}

/// Elements of an unknown type among others of a structural type, all to become one type that is
/// to be found: what that is cannot be told yet.
fn undecided(items: &[Value], element: &Type, collection: fn(Type) -> Type) -> Option<Value> {
    let open = |v: &Value| v.as_unknown().is_some_and(|u| u.ty == Type::Dynamic);
    if *element != Type::Dynamic || !items.iter().any(open) {
        return None;
    }
    let types: Vec<Type> = items.iter().map(Value::ty).collect();
    if unify(&types)? != Type::Dynamic || types.iter().all(|t| *t == Type::Dynamic) {
        return None;
    }
    let refinements = Refinements {
        not_null: true,
        ..Refinements::default()
    };
    Some(Value::unknown_refined(
        collection(Type::Dynamic),
        refinements,
    ))
}

fn convert_items(value: &Value, element: &Type) -> Result<(Type, Vec<Value>), ConvertError> {
    let items = value.as_slice().unwrap_or_default();
    convert_elements(value, items, element, Step::Index)
}

/// Converts the elements of a collection to one type, found by unification where the wanted
/// element type leaves it open.
fn convert_elements(
    whole: &Value,
    items: &[Value],
    element: &Type,
    step: impl Fn(usize) -> Step,
) -> Result<(Type, Vec<Value>), ConvertError> {
    let mut made = Vec::with_capacity(items.len());
    for (i, item) in items.iter().enumerate() {
        made.push(convert(item, element).map_err(|e| e.within(step(i)))?);
    }
    let element = element.without_optional();
    if !element.has_dynamic() {
        return Ok((element, made));
    }
    if made.is_empty() {
        // What there could have been, where the type of the whole says it.
        let from = whole.ty();
        let element = from
            .element()
            .map_or(element.clone(), |e| result_type(e, &element));
        return Ok((element, made));
    }
    // A null that is written without a type can become one of any.
    let untyped = |v: &Value| matches!(v.kind(), Kind::Null(Type::Dynamic));
    let types: Vec<Type> = made.iter().filter(|v| !untyped(v)).map(Value::ty).collect();
    let unified =
        unify(&types).ok_or_else(|| ConvertError::new("all elements must have the same type"))?;
    let mut again = Vec::with_capacity(made.len());
    for (i, item) in made.into_iter().enumerate() {
        again.push(match conforms(&item, &unified) {
            true => item,
            false => convert(&item, &unified).map_err(|e| e.within(step(i)))?,
        });
    }
    Ok((unified, again))
}

fn convert_object(
    entries: &BTreeMap<Arc<str>, Value>,
    object: &ObjectType,
) -> Result<Value, ConvertError> {
    let missing: Vec<&str> = object
        .attributes
        .keys()
        .filter(|n| !entries.contains_key(*n) && !object.optional.contains(*n))
        .map(|n| &**n)
        .collect();
    if !missing.is_empty() {
        let names = missing
            .iter()
            .map(|n| format!("{n:?}"))
            .collect::<Vec<_>>()
            .join(", ");
        let verb = if missing.len() == 1 {
            "attribute"
        } else {
            "attributes"
        };
        let be = if missing.len() == 1 { "is" } else { "are" };
        return Err(ConvertError::new(format!("{verb} {names} {be} required")));
    }
    let mut made = BTreeMap::new();
    for (name, ty) in &object.attributes {
        let value = match entries.get(name) {
            Some(v) => convert(v, ty).map_err(|e| e.within(Step::Attribute(name.clone())))?,
            None => Value::null(ty.without_optional()),
        };
        made.insert(name.clone(), value);
    }
    Ok(Value::new(Kind::Object(Arc::new(made))))
}

fn mismatch(from: &Type, to: &Type) -> ConvertError {
    let article = |t: &Type| match t {
        Type::Object(_) => "an object".to_string(),
        other => format!("a {}", other.friendly()),
    };
    let message = match to {
        Type::Bool | Type::Number | Type::String => {
            format!("{} is required, not {}", article(to), article(from))
        }
        _ => format!("{} is required", article(to)),
    };
    ConvertError::new(message)
}

/// Whether the value is of the type already, so that conversion would not change it.
pub fn conforms(value: &Value, ty: &Type) -> bool {
    match (ty, value.kind()) {
        (Type::Dynamic, _) => true,
        (ty, Kind::Null(t)) => t == ty,
        (ty, Kind::Unknown(u)) => u.ty == *ty,
        (Type::Bool, Kind::Bool(_))
        | (Type::Number, Kind::Number(_))
        | (Type::String, Kind::String(_)) => true,
        (Type::List(e), Kind::List(s)) | (Type::Set(e), Kind::Set(s)) => {
            !e.has_dynamic() && s.element == **e
        }
        (Type::Map(e), Kind::Map(m)) => !e.has_dynamic() && m.element == **e,
        (Type::Object(o), Kind::Object(v)) => {
            v.len() == o.attributes.len()
                && o.attributes
                    .iter()
                    .all(|(n, t)| v.get(n).is_some_and(|v| conforms(v, t)))
        }
        (Type::Tuple(ts), Kind::Tuple(vs)) => {
            ts.len() == vs.len() && ts.iter().zip(vs.iter()).all(|(t, v)| conforms(v, t))
        }
        _ => false,
    }
}

/// Whether some value of one type may be converted to the other.
pub fn convertible(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (_, Type::Dynamic) | (Type::Dynamic, _) => true,
        (a, b) if a == b => true,
        (Type::String, Type::Number | Type::Bool) | (Type::Number | Type::Bool, Type::String) => {
            true
        }
        (Type::List(a) | Type::Set(a), Type::List(b) | Type::Set(b)) => convertible(a, b),
        (Type::Tuple(ts), Type::List(b) | Type::Set(b)) => {
            ts.iter().all(|t| convertible(t, b)) && (**b != Type::Dynamic || unify(ts).is_some())
        }
        (Type::Tuple(a), Type::Tuple(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| convertible(a, b))
        }
        (Type::List(a), Type::Tuple(b)) => b.iter().all(|b| convertible(a, b)),
        (Type::Map(a), Type::Map(b)) => convertible(a, b),
        (Type::Object(a), Type::Map(b)) => {
            let types = || a.attributes.values().cloned().collect::<Vec<Type>>();
            a.attributes.values().all(|t| convertible(t, b))
                && (**b != Type::Dynamic || unify(&types()).is_some())
        }
        // A map need not have what is optional, whatever its type.
        (Type::Map(a), Type::Object(b)) => b
            .attributes
            .iter()
            .all(|(n, t)| b.optional.contains(n) || convertible(a, t)),
        (Type::Object(a), Type::Object(b)) => {
            b.attributes.iter().all(|(n, t)| match a.attributes.get(n) {
                Some(from) => convertible(from, t),
                None => b.optional.contains(n),
            })
        }
        _ => false,
    }
}

/// The type that a value of type `from` has after conversion to `to`: where `to` leaves it open,
/// that of `from`.
fn result_type(from: &Type, to: &Type) -> Type {
    let open = to.has_dynamic();
    match (from, to) {
        (from, Type::Dynamic) => from.clone(),
        (Type::Dynamic, _) => to.without_optional(),
        _ if !open => to.without_optional(),
        (Type::List(a) | Type::Set(a), Type::List(b)) => Type::list(result_type(a, b)),
        (Type::List(a) | Type::Set(a), Type::Set(b)) => Type::set(result_type(a, b)),
        (Type::Map(a), Type::Map(b)) => Type::map(result_type(a, b)),
        (Type::Tuple(ts), Type::List(b)) => Type::list(result_type(&common(ts), b)),
        (Type::Tuple(ts), Type::Set(b)) => Type::set(result_type(&common(ts), b)),
        (Type::Object(o), Type::Map(b)) => {
            let types: Vec<Type> = o.attributes.values().cloned().collect();
            Type::map(result_type(&common(&types), b))
        }
        (Type::Tuple(a), Type::Tuple(b)) => Type::tuple(
            a.iter()
                .zip(b.iter())
                .map(|(a, b)| result_type(a, b))
                .collect(),
        ),
        (Type::Object(_) | Type::Map(_), Type::Object(b)) => {
            Type::object(b.attributes.iter().map(|(n, to)| {
                let from = match from {
                    Type::Object(a) => a.attributes.get(n),
                    other => other.element(),
                };
                let ty = from.map_or_else(|| to.without_optional(), |from| result_type(from, to));
                (n.clone(), ty)
            }))
        }
        _ => to.without_optional(),
    }
}

fn common(types: &[Type]) -> Type {
    unify(types).unwrap_or(Type::Dynamic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primitives_convert_both_ways() {
        assert_eq!(
            convert(&Value::from(5), &Type::String).unwrap(),
            Value::from("5")
        );
        assert_eq!(
            convert(&Value::from("5.50"), &Type::Number).unwrap(),
            Value::number("5.5".parse::<crate::Number>().unwrap())
        );
        assert_eq!(
            convert(&Value::from("true"), &Type::Bool).unwrap(),
            Value::from(true)
        );
        assert!(
            convert(&Value::from("True"), &Type::Bool)
                .unwrap_err()
                .message
                .contains("lowercase")
        );
        assert!(convert(&Value::from(1), &Type::Bool).is_err());
    }

    #[test]
    fn collections_unify_their_elements() {
        let tuple = Value::tuple(vec!["a".into(), Value::from(1)]);
        let list = convert(&tuple, &Type::list(Type::Dynamic)).unwrap();
        assert_eq!(
            list,
            Value::list(Type::String, vec!["a".into(), "1".into()])
        );
        assert!(
            convert(
                &Value::tuple(vec![true.into(), 1.into()]),
                &Type::list(Type::Dynamic)
            )
            .is_err()
        );
        assert_eq!(
            unify(&[Type::set(Type::String), Type::tuple(vec![])]),
            Some(Type::set(Type::String))
        );
        assert_eq!(
            unify(&[Type::tuple(vec![Type::Number]), Type::list(Type::String)]),
            Some(Type::list(Type::String))
        );
    }

    #[test]
    fn objects_take_what_they_know_and_name_what_is_missing() {
        let ty = Type::object([("a", Type::String), ("b", Type::Number)]);
        let extra = Value::object([("a", Value::from(1)), ("b", 2.into()), ("c", 3.into())]);
        assert_eq!(
            convert(&extra, &ty).unwrap(),
            Value::object([("a", Value::from("1")), ("b", 2.into())])
        );
        let error = convert(&Value::object([("a", Value::from(1))]), &ty).unwrap_err();
        assert_eq!(error.message, "attribute \"b\" is required");
        let error = convert(
            &Value::object([("a", Value::from(1)), ("b", "x".into())]),
            &ty,
        )
        .unwrap_err();
        assert_eq!(error.path.to_string(), "b");
    }

    #[test]
    fn marks_and_unknowns_survive() {
        let secret = Value::from(5).sensitive();
        assert!(convert(&secret, &Type::String).unwrap().is_sensitive());
        let unknown = convert(&Value::unknown(Type::Number), &Type::String).unwrap();
        assert_eq!(unknown.ty(), Type::String);
        assert!(convert(&Value::unknown(Type::list(Type::String)), &Type::String).is_err());
    }
}
