//! Conversion between types and unification of types, by the language's published rules.
//!
//! Source of the rules: HashiCorp's "Type Constraints" page (conversion of complex and primitive
//! types) and the documentation of the `cty` type system (conversion and unification).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::path::{Path, Step};
use crate::types::{ObjectType, Type};
use crate::value::{Kind, Value};

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
        Kind::Null(_) => Value::null(ty.clone()),
        Kind::Unknown(u) => {
            if !convertible(&u.ty, ty) {
                return Err(mismatch(&u.ty, ty));
            }
            let mut refinements = u.refinements.clone();
            if u.ty != Type::String || *ty != Type::String {
                refinements.prefix = None;
            }
            // A set can be shorter than the list it was made from.
            if matches!(ty, Type::Set(_)) && !matches!(u.ty, Type::Set(_)) {
                refinements.min_length = refinements.min_length.min(1);
            }
            let target = if ty.has_dynamic() && !u.ty.has_dynamic() {
                result_type(&u.ty, ty)
            } else {
                ty.clone()
            };
            Value::unknown_refined(target, refinements)
        }
        _ => convert_known(value, ty)?,
    };
    Ok(made.with_marks(marks))
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
            // A set with unknown elements has no known order or length.
            if matches!(value.kind(), Kind::Set(_)) && !value.is_wholly_known() {
                return Ok(Value::unknown(ty.clone()));
            }
            let (element, items) = convert_items(value.as_slice().unwrap_or_default(), element)?;
            Ok(Value::list(element, items))
        }
        (Type::Set(element), Kind::List(_) | Kind::Set(_) | Kind::Tuple(_)) => {
            let (element, items) = convert_items(value.as_slice().unwrap_or_default(), element)?;
            Ok(Value::set(element, items))
        }
        (Type::Map(element), Kind::Map(_) | Kind::Object(_)) => {
            let entries = value.as_map().into_iter().flatten();
            let (keys, values): (Vec<_>, Vec<_>) =
                entries.map(|(k, v)| (k.clone(), v.clone())).unzip();
            let (element, values) = convert_elements(&values, element, |i| {
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

fn convert_items(items: &[Value], element: &Type) -> Result<(Type, Vec<Value>), ConvertError> {
    convert_elements(items, element, Step::Index)
}

/// Converts the elements of a collection to one type, found by unification where the wanted
/// element type leaves it open.
fn convert_elements(
    items: &[Value],
    element: &Type,
    step: impl Fn(usize) -> Step,
) -> Result<(Type, Vec<Value>), ConvertError> {
    let mut made = Vec::with_capacity(items.len());
    for (i, item) in items.iter().enumerate() {
        made.push(convert(item, element).map_err(|e| e.within(step(i)))?);
    }
    if !element.has_dynamic() {
        return Ok((element.clone(), made));
    }
    let types: Vec<Type> = made.iter().map(Value::ty).collect();
    let unified =
        unify(&types).ok_or_else(|| ConvertError::new("all elements must have the same type"))?;
    if types.iter().all(|t| *t == unified) {
        return Ok((unified, made));
    }
    let mut again = Vec::with_capacity(made.len());
    for (i, item) in made.iter().enumerate() {
        again.push(convert(item, &unified).map_err(|e| e.within(step(i)))?);
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
            None => Value::null(ty.clone()),
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
        (Type::Tuple(ts), Type::List(b) | Type::Set(b)) => ts.iter().all(|t| convertible(t, b)),
        (Type::Tuple(a), Type::Tuple(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| convertible(a, b))
        }
        (Type::List(a), Type::Tuple(b)) => b.iter().all(|b| convertible(a, b)),
        (Type::Map(a), Type::Map(b)) => convertible(a, b),
        (Type::Object(a), Type::Map(b)) => a.attributes.values().all(|t| convertible(t, b)),
        (Type::Map(a), Type::Object(b)) => b.attributes.values().all(|t| convertible(a, t)),
        (Type::Object(a), Type::Object(b)) => {
            b.attributes.iter().all(|(n, t)| match a.attributes.get(n) {
                Some(from) => convertible(from, t),
                None => b.optional.contains(n),
            })
        }
        _ => false,
    }
}

/// The type that a value of type `from` has after conversion to `to`, where `to` has `dynamic`.
fn result_type(from: &Type, to: &Type) -> Type {
    match (from, to) {
        (from, Type::Dynamic) => from.clone(),
        (Type::List(a) | Type::Set(a), Type::List(b)) => Type::list(result_type(a, b)),
        (Type::List(a) | Type::Set(a), Type::Set(b)) => Type::set(result_type(a, b)),
        (Type::Map(a), Type::Map(b)) => Type::map(result_type(a, b)),
        _ => to.clone(),
    }
}

/// The one type to which values of all the given types can be converted without loss, if there
/// is one. Dynamic where there are no types, or where one is not known yet.
pub fn unify(types: &[Type]) -> Option<Type> {
    let Some(first) = types.first() else {
        return Some(Type::Dynamic);
    };
    if types.iter().all(|t| t == first) {
        return Some(first.clone());
    }
    if types.contains(&Type::Dynamic) {
        return Some(Type::Dynamic);
    }
    let list = |t: &Type| matches!(t, Type::List(_));
    let sequence = |t: &Type| matches!(t, Type::List(_) | Type::Tuple(_));
    let mapping = |t: &Type| matches!(t, Type::Map(_) | Type::Object(_));
    if types.iter().all(Type::is_primitive) {
        // Number and bool become strings, but only where a string is asked for.
        return types.contains(&Type::String).then_some(Type::String);
    }
    let set = |t: &Type| matches!(t, Type::Set(_));
    let tuple = |t: &Type| matches!(t, Type::Tuple(_));
    if types.iter().any(set) && types.iter().all(|t| set(t) || tuple(t)) {
        return unify(&element_types(types)).map(Type::set);
    }
    if types.iter().all(|t| matches!(t, Type::Tuple(_))) {
        let tuples: Vec<&Arc<Vec<Type>>> = types
            .iter()
            .filter_map(|t| match t {
                Type::Tuple(ts) => Some(ts),
                _ => None,
            })
            .collect();
        let length = tuples[0].len();
        if tuples.iter().all(|t| t.len() == length) {
            let columns: Option<Vec<Type>> = (0..length)
                .map(|i| unify(&tuples.iter().map(|t| t[i].clone()).collect::<Vec<_>>()))
                .collect();
            return columns.map(Type::tuple);
        }
    }
    if types.iter().all(sequence)
        || (types.iter().any(list)
            && types
                .iter()
                .all(|t| sequence(t) || matches!(t, Type::Set(_))))
    {
        return unify(&element_types(types)).map(Type::list);
    }
    if types.iter().all(mapping) {
        return unify_mappings(types);
    }
    None
}

/// The types of what is in lists, sets and tuples.
fn element_types(types: &[Type]) -> Vec<Type> {
    let mut all = Vec::new();
    for t in types {
        match t {
            Type::List(e) | Type::Set(e) => all.push((**e).clone()),
            Type::Tuple(ts) => all.extend(ts.iter().cloned()),
            _ => {}
        }
    }
    all
}

fn unify_mappings(types: &[Type]) -> Option<Type> {
    let objects: Vec<&Arc<ObjectType>> = types
        .iter()
        .filter_map(|t| match t {
            Type::Object(o) => Some(o),
            _ => None,
        })
        .collect();
    if objects.len() == types.len() {
        let names: BTreeSet<&Arc<str>> = objects[0].attributes.keys().collect();
        if objects
            .iter()
            .all(|o| o.attributes.keys().collect::<BTreeSet<_>>() == names)
        {
            let attributes: Option<BTreeMap<Arc<str>, Type>> = names
                .into_iter()
                .map(|n| {
                    let column: Vec<Type> = objects
                        .iter()
                        .filter_map(|o| o.attributes.get(n).cloned())
                        .collect();
                    unify(&column).map(|t| (n.clone(), t))
                })
                .collect();
            return attributes.map(|a| {
                Type::Object(Arc::new(ObjectType {
                    attributes: a,
                    optional: BTreeSet::new(),
                }))
            });
        }
    }
    let mut all = Vec::new();
    for t in types {
        match t {
            Type::Map(e) => all.push((**e).clone()),
            Type::Object(o) => all.extend(o.attributes.values().cloned()),
            _ => {}
        }
    }
    unify(&all).map(Type::map)
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
