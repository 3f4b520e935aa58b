//! Functions over maps and objects.

use std::collections::BTreeMap;
use std::sync::Arc;

use topo_sdk::convert::convert;
use topo_sdk::{Kind, Type, Value};

use super::ParamType as T;
use super::collection::ordered;
use super::{
    Context, Function, FunctionError, Param, items, later, returns_any, returns_element, text,
};

const MAP: Param = Param::new("map", T::Any, "A map or object.")
    .unknown()
    .shallow();

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "keys",
        "The keys of a map, sorted.",
        &[MAP],
        returns_any,
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
        "merge",
        "Maps in one; later ones win.",
        &[],
        returns_any,
        merge,
    )
    .variadic(
        Param::new("maps", T::Any, "The maps.")
            .nullable()
            .unknown()
            .shallow(),
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
        returns_any,
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

fn entries(args: &[Value], i: usize) -> Result<&BTreeMap<Arc<str>, Value>, FunctionError> {
    args[i]
        .as_map()
        .ok_or_else(|| FunctionError::at(i, "a map or object is required"))
}

fn keys(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    Ok(match args[0].ty() {
        // The type alone tells the names of an object's attributes.
        Type::Object(o) => Value::tuple(o.attributes.keys().map(Value::string).collect()),
        Type::Map(_) if !args[0].is_known() => later(Type::list(Type::String)),
        Type::Dynamic => later(Type::Dynamic),
        _ => {
            let names = entries(args, 0)?.keys().map(Value::string).collect();
            Value::list(Type::String, names)
        }
    })
}

fn values(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    if args[0].as_unknown().is_some() {
        return Ok(match args[0].ty() {
            Type::Object(o) => later(Type::tuple(o.attributes.values().cloned().collect())),
            Type::Map(t) => later(Type::List(t)),
            Type::Dynamic => later(Type::Dynamic),
            _ => return Err(FunctionError::at(0, "a map or object is required")),
        });
    }
    let values = entries(args, 0)?.values().cloned().collect();
    Ok(match args[0].kind() {
        Kind::Map(m) => Value::list(m.element.clone(), values),
        _ => Value::tuple(values),
    })
}

fn lookup(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let key = text(args, 1)?;
    if args.len() > 3 {
        return Err(FunctionError::at(
            3,
            "function \"lookup\" takes at most 3 arguments",
        ));
    }
    let missing = || {
        FunctionError::at(
            1,
            format!("there is no element with the key {key:?}, and no default"),
        )
    };
    let default = args.get(2);
    let ty = match args[0].ty() {
        Type::Object(o) => match (o.attributes.get(key), default) {
            (Some(ty), _) => ty.clone(),
            (None, Some(default)) => default.ty(),
            (None, None) => return Err(missing()),
        },
        Type::Map(element) => {
            if let Some(default) = default {
                convert(default, &element).map_err(|e| {
                    FunctionError::at(
                        2,
                        format!("the default must have the type of the map's elements: {e}"),
                    )
                })?;
            }
            (*element).clone()
        }
        Type::Dynamic => Type::Dynamic,
        _ => return Err(FunctionError::at(0, "a map or object is required")),
    };
    if !args[0].is_known() {
        return Ok(Value::unknown(ty));
    }
    let found = entries(args, 0)?.get(key).or(default).ok_or_else(missing)?;
    convert(found, &ty).map_err(|e| FunctionError::at(2, e.message))
}

/// A map where all arguments are maps of one type, else an object.
fn merge(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let types: Vec<Type> = args.iter().map(Value::ty).collect();
    for (i, ty) in types.iter().enumerate() {
        if !matches!(ty, Type::Map(_) | Type::Object(_) | Type::Dynamic) {
            let message = format!("arguments must be maps or objects, got {}", ty.friendly());
            return Err(FunctionError::at(i, message));
        }
    }
    let same = types
        .first()
        .filter(|first| types.iter().all(|t| t == *first));
    if args.iter().all(Value::is_known) {
        let merged = args
            .iter()
            .filter_map(Value::as_map)
            .flatten()
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        return Ok(match same {
            Some(Type::Map(element)) => Value::map((**element).clone(), merged),
            _ => Value::object(merged),
        });
    }
    if let Some(ty) = same {
        return Ok(later(ty.clone()));
    }
    // An object's type tells its attributes while they are unknown; a map's does not.
    let mut attributes: BTreeMap<Arc<str>, Type> = BTreeMap::new();
    for (arg, ty) in args.iter().zip(&types) {
        match (ty, arg.as_map()) {
            (_, Some(entries)) => {
                attributes.extend(entries.iter().map(|(k, v)| (k.clone(), v.ty())));
            }
            (Type::Object(o), None) if !arg.is_null() => {
                attributes.extend(o.attributes.iter().map(|(k, t)| (k.clone(), t.clone())));
            }
            _ if arg.is_null() => {}
            _ => return Ok(later(Type::Dynamic)),
        }
    }
    Ok(later(Type::object(attributes)))
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
