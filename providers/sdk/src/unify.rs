//! Unification: the one type to which values of several types can be converted.
//!
//! Source of the rules: the documentation of the `cty` type system and what its reference
//! implementation does. Where all types are of one structural kind, a new type is made of what
//! they have in common; otherwise one of the given types is taken, the most general first.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::convert::convertible;
use crate::types::{ObjectType, Type};

/// The one type to which values of all the given types can be converted, if there is one.
/// Dynamic where there are no types, or where what comes out depends on one that is not known
/// yet.
pub fn unify(types: &[Type]) -> Option<Type> {
    let mut seen = HashSet::new();
    let distinct: Vec<&Type> = types.iter().filter(|t| seen.insert(*t)).collect();
    unify_distinct(&distinct)
}

/// How many of the types are of which kind.
#[derive(Default)]
struct Count {
    dynamic: usize,
    list: usize,
    set: usize,
    map: usize,
    object: usize,
    tuple: usize,
}

impl Count {
    fn of(types: &[&Type]) -> Count {
        let mut count = Count::default();
        for t in types {
            match t {
                Type::Dynamic => count.dynamic += 1,
                Type::List(_) => count.list += 1,
                Type::Set(_) => count.set += 1,
                Type::Map(_) => count.map += 1,
                Type::Object(_) => count.object += 1,
                Type::Tuple(_) => count.tuple += 1,
                Type::Bool | Type::Number | Type::String => {}
            }
        }
        count
    }

    /// Whether some types are of this kind, and all others dynamic.
    fn only(&self, kind: usize, all: usize) -> bool {
        kind > 0 && kind + self.dynamic == all
    }
}

fn unify_distinct(types: &[&Type]) -> Option<Type> {
    match types {
        [] => return Some(Type::Dynamic),
        [one] => return Some((*one).clone()),
        _ => {}
    }
    let count = Count::of(types);
    let all = types.len();
    let dynamic = |made: fn(&[&Type]) -> Option<Type>| match count.dynamic {
        0 => made(types),
        _ => Some(Type::Dynamic),
    };
    if count.only(count.map, all) {
        return dynamic(|ts| unify(&elements(ts)).map(Type::map));
    }
    if count.only(count.list, all) {
        return dynamic(|ts| unify(&elements(ts)).map(Type::list));
    }
    if count.only(count.set, all) {
        return dynamic(|ts| unify(&elements(ts)).map(Type::set));
    }
    if count.only(count.object, all) {
        return dynamic(unify_objects);
    }
    if count.only(count.tuple, all) {
        return dynamic(unify_tuples);
    }
    if count.map > 0
        && count.only(count.map + count.object, all)
        && let Some(ty) = unify_converted(types, |t| matches!(t, Type::Object(_)), Type::map)
    {
        return Some(ty);
    }
    if count.list > 0
        && count.only(count.list + count.tuple, all)
        && let Some(ty) = unify_converted(types, |t| matches!(t, Type::Tuple(_)), Type::list)
    {
        return Some(ty);
    }
    if count.object > 0 && count.tuple > 0 {
        return None;
    }
    preferred(types)
}

/// Types of which some are objects or tuples: first these become one collection type, then all
/// are unified.
fn unify_converted(
    types: &[&Type],
    structural: fn(&Type) -> bool,
    collection: fn(Type) -> Type,
) -> Option<Type> {
    let parts: Vec<Type> = types
        .iter()
        .filter(|t| structural(t))
        .flat_map(|t| parts(t))
        .collect();
    // Nothing in them: any element type will do.
    let common = match parts.is_empty() {
        true => None,
        false => Some(collection(unify(&parts)?)),
    };
    let rest = types.iter().filter(|t| !structural(t));
    let all: Vec<Type> = rest.map(|t| (*t).clone()).chain(common).collect();
    match unify(&all)? {
        ty @ (Type::List(_) | Type::Map(_)) => Some(ty),
        _ => None,
    }
}

fn elements(types: &[&Type]) -> Vec<Type> {
    types.iter().filter_map(|t| t.element().cloned()).collect()
}

/// The types of what is in an object or tuple.
fn parts(ty: &Type) -> Vec<Type> {
    match ty {
        Type::Object(o) => o.attributes.values().cloned().collect(),
        Type::Tuple(ts) => ts.to_vec(),
        _ => Vec::new(),
    }
}

/// Objects with the same attributes make such an object; others a map.
fn unify_objects(types: &[&Type]) -> Option<Type> {
    let objects: Vec<&ObjectType> = types
        .iter()
        .filter_map(|t| match t {
            Type::Object(o) => Some(&**o),
            _ => None,
        })
        .collect();
    let first = objects.first()?;
    if !objects
        .iter()
        .all(|o| o.attributes.keys().eq(first.attributes.keys()))
    {
        let all: Vec<Type> = types.iter().flat_map(|t| parts(t)).collect();
        return unify(&all).map(Type::map);
    }
    let mut attributes: BTreeMap<Arc<str>, Type> = BTreeMap::new();
    for name in first.attributes.keys() {
        let across: Vec<Type> = objects
            .iter()
            .filter_map(|o| o.attributes.get(name).cloned())
            .collect();
        attributes.insert(name.clone(), unify(&across)?);
    }
    Some(Type::object(attributes))
}

/// Tuples of the same length make such a tuple; others a list.
fn unify_tuples(types: &[&Type]) -> Option<Type> {
    let tuples: Vec<Vec<Type>> = types.iter().map(|t| parts(t)).collect();
    let length = tuples.first()?.len();
    if tuples.iter().any(|t| t.len() != length) {
        let all: Vec<Type> = tuples.into_iter().flatten().collect();
        return unify(&all).map(Type::list);
    }
    let columns: Option<Vec<Type>> = (0..length)
        .map(|i| {
            let across: Vec<Type> = tuples.iter().filter_map(|t| t.get(i).cloned()).collect();
            unify(&across)
        })
        .collect();
    columns.map(Type::tuple)
}

/// The first of the given types, by generality, to which all others can be converted.
fn preferred(types: &[&Type]) -> Option<Type> {
    // Every type before those that it is more general than; otherwise in the given order.
    let mut order: Vec<&Type> = Vec::with_capacity(types.len());
    for ty in types {
        let at = order
            .iter()
            .position(|o| generality(ty, o).is_lt())
            .unwrap_or(order.len());
        order.insert(at, ty);
    }
    order
        .into_iter()
        .find(|wanted| types.iter().all(|t| convertible(t, wanted)))
        .cloned()
}

/// `Less` where `a` is to be preferred to `b`, being more general.
fn generality(a: &Type, b: &Type) -> Ordering {
    fn rank(ty: &Type) -> u8 {
        match ty {
            Type::String | Type::List(_) | Type::Map(_) => 0,
            Type::Bool | Type::Number | Type::Tuple(_) | Type::Object(_) => 1,
            Type::Set(_) => 2,
            Type::Dynamic => 3,
        }
    }
    match (a, b) {
        (Type::List(a), Type::List(b))
        | (Type::Set(a), Type::Set(b))
        | (Type::Map(a), Type::Map(b)) => generality(a, b),
        _ => rank(a).cmp(&rank(b)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(t: Type) -> Type {
        Type::list(t)
    }

    #[test]
    fn unification() {
        use Type::{Bool, Dynamic, Number, String};
        let tuple = |ts: &[Type]| Type::tuple(ts.to_vec());
        let set = Type::set;
        let map = Type::map;
        let object = |ty: Type| Type::object([("a", ty)]);
        let empty = Type::object::<&str>([]);
        let rows = [
            (vec![], Some(Dynamic)),
            (vec![Number], Some(Number)),
            (vec![Number, String], Some(String)),
            (vec![Bool, Number, String], Some(String)),
            (vec![Bool, Number], None),
            (vec![Dynamic, Number], Some(Number)),
            (vec![Dynamic, list(Number)], Some(Dynamic)),
            (vec![Dynamic, tuple(&[Number])], Some(Dynamic)),
            (vec![list(Number), list(String)], Some(list(String))),
            (vec![list(Number), list(Bool)], None),
            (vec![set(String), tuple(&[])], Some(set(String))),
            (vec![set(String), list(String)], Some(list(String))),
            (vec![tuple(&[Number]), list(String)], Some(list(String))),
            (vec![tuple(&[]), list(String)], Some(list(String))),
            (
                vec![tuple(&[Number]), tuple(&[String])],
                Some(tuple(&[String])),
            ),
            (vec![tuple(&[Number]), tuple(&[])], Some(list(Number))),
            (vec![tuple(&[Number]), empty.clone()], None),
            (vec![object(Number), object(String)], Some(object(String))),
            (vec![object(Dynamic), object(String)], Some(object(String))),
            (vec![object(Number), empty.clone()], Some(map(Number))),
            (vec![object(Number), map(String)], Some(map(String))),
            (vec![empty, map(String)], Some(map(String))),
            (vec![String, list(String)], None),
        ];
        for (types, unified) in rows {
            assert_eq!(unify(&types), unified, "{types:?}");
        }
    }
}
