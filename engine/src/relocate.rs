//! Giving objects of a state other addresses, and leaving objects out of it, so that the others
//! keep their order: `moved` blocks, `state mv` and `state rm`.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::{InstanceAddress, ResourceAddress};
use crate::store::{Dependency, Record, RecordKey, State};

/// Gives objects other addresses, those that were set aside by their replacement included, and
/// lets every record that names them as a dependency name the new ones. Which address is free is
/// up to the caller: what was at a new address is replaced, unless it moves away itself.
///
/// Returns the keys of all records that are not as before: the new ones, and those whose
/// dependencies changed. The old keys are not among them.
pub fn relocate(
    state: &mut State,
    pairs: &BTreeMap<InstanceAddress, InstanceAddress>,
) -> BTreeSet<RecordKey> {
    let mut changed = BTreeSet::new();
    if pairs.is_empty() {
        return changed;
    }
    // A resource has moved as a whole when no instance of it is left under its name.
    let moving: BTreeSet<RecordKey> = state
        .records
        .keys()
        .filter(|k| pairs.contains_key(&k.address))
        .cloned()
        .collect();
    let moved: Vec<Record> = moving
        .iter()
        .filter_map(|k| state.records.remove(k))
        .collect();
    let mut resources: BTreeMap<ResourceAddress, BTreeSet<ResourceAddress>> = BTreeMap::new();
    for mut record in moved {
        let Some(to) = pairs.get(&record.key.address) else {
            continue;
        };
        resources
            .entry(record.key.address.resource.clone())
            .or_default()
            .insert(to.resource.clone());
        record.key.address = to.clone();
        changed.insert(record.key.clone());
        state.records.insert(record.key.clone(), record);
    }
    let left: BTreeSet<&ResourceAddress> =
        state.records.keys().map(|k| &k.address.resource).collect();
    resources.retain(|from, to| {
        if left.contains(from) {
            to.insert(from.clone());
        }
        true
    });
    for (key, record) in &mut state.records {
        let mut touched = false;
        let mut made = Vec::with_capacity(record.dependencies.len());
        for d in &record.dependencies {
            match d {
                Dependency::Instance(a) if pairs.contains_key(a) => {
                    touched = true;
                    made.push(Dependency::Instance(pairs[a].clone()));
                }
                Dependency::Resource(r) if resources.contains_key(r) => {
                    touched = true;
                    made.extend(resources[r].iter().cloned().map(Dependency::Resource));
                }
                other => made.push(other.clone()),
            }
        }
        if touched {
            made.sort();
            made.dedup();
            if made != record.dependencies {
                record.dependencies = made;
                changed.insert(key.clone());
            }
        }
    }
    changed
}

/// The records that depend on objects which leave the state without being destroyed, as they are
/// without those: what an object that leaves depended on, they depend on themselves. So the order
/// in which the rest is destroyed stays what it was.
pub fn without(state: &State, leaving: &BTreeSet<&RecordKey>) -> Vec<Record> {
    let mut through: BTreeMap<&ResourceAddress, BTreeMap<&InstanceAddress, &[Dependency]>> =
        BTreeMap::new();
    for record in leaving.iter().filter_map(|key| state.records.get(key)) {
        let address = &record.key.address;
        let of = through.entry(&address.resource).or_default();
        of.insert(address, &record.dependencies);
    }
    let dependents = state.records.values().filter(|r| {
        let goes = |d: &Dependency| match d {
            Dependency::Instance(a) => through
                .get(&a.resource)
                .is_some_and(|of| of.contains_key(a)),
            Dependency::Resource(r) => through.contains_key(r),
        };
        !leaving.contains(&r.key) && r.dependencies.iter().any(goes)
    });
    let changed = dependents.map(|record| {
        // What is found behind may be leaving itself.
        let mut open: Vec<&Dependency> = record.dependencies.iter().collect();
        let mut found: BTreeSet<&Dependency> = open.iter().copied().collect();
        while let Some(dependency) = open.pop() {
            let (resource, instance) = match dependency {
                Dependency::Instance(a) => (&a.resource, Some(a)),
                Dependency::Resource(r) => (r, None),
            };
            let behind = through.get(resource).into_iter().flatten();
            let behind = behind.filter(|(a, _)| instance.is_none_or(|i| i == **a));
            open.extend(behind.flat_map(|(_, all)| *all).filter(|d| found.insert(d)));
        }
        Record {
            dependencies: found.into_iter().cloned().collect(),
            ..record.clone()
        }
    });
    changed.collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use topo_sdk::Value;

    use super::*;
    use crate::address::ProviderAddress;
    use crate::store::Status;

    fn record(address: &str, dependencies: Vec<Dependency>) -> Record {
        let address: InstanceAddress = address.parse().unwrap();
        Record {
            key: address.into(),
            provider: ProviderAddress {
                module: [].into(),
                name: "test".into(),
                alias: None,
            },
            schema_version: 0,
            status: Status::Ok,
            value: Value::NULL,
            private: Vec::new(),
            dependencies,
            created: Timestamp::UNIX_EPOCH,
            updated: Timestamp::UNIX_EPOCH,
            keep: false,
        }
    }

    fn state(records: Vec<Record>) -> State {
        State {
            records: records.into_iter().map(|r| (r.key.clone(), r)).collect(),
            ..State::default()
        }
    }

    fn pairs(list: &[(&str, &str)]) -> BTreeMap<InstanceAddress, InstanceAddress> {
        let pair = |(a, b): &(&str, &str)| (a.parse().unwrap(), b.parse().unwrap());
        list.iter().map(pair).collect()
    }

    fn resource(address: &str) -> Dependency {
        Dependency::Resource(address.parse::<InstanceAddress>().unwrap().resource)
    }

    fn instance(address: &str) -> Dependency {
        Dependency::Instance(address.parse().unwrap())
    }

    #[test]
    fn dependents_follow() {
        let mut s = state(vec![
            record("t.a[0]", vec![]),
            record("t.a[1]", vec![]),
            record("t.whole", vec![resource("t.a")]),
            record("t.one", vec![instance("t.a[1]")]),
            record("t.other", vec![instance("t.a[0]")]),
        ]);
        let changed = relocate(&mut s, &pairs(&[("t.a[1]", "t.b")]));
        let names: Vec<String> = changed.iter().map(|k| k.address.to_string()).collect();
        assert_eq!(names, ["t.b", "t.one", "t.whole"]);
        let of = |a: &str| {
            let key = RecordKey::from(a.parse::<InstanceAddress>().unwrap());
            s.records[&key].dependencies.clone()
        };
        assert_eq!(of("t.whole"), [resource("t.a"), resource("t.b")]);
        assert_eq!(of("t.one"), [instance("t.b")]);
        assert_eq!(of("t.other"), [instance("t.a[0]")]);
    }

    #[test]
    fn addresses_can_be_exchanged() {
        let mut s = state(vec![
            record("t.a", vec![instance("t.x")]),
            record("t.b", vec![instance("t.y")]),
        ]);
        relocate(&mut s, &pairs(&[("t.a", "t.b"), ("t.b", "t.a")]));
        let key = RecordKey::from("t.b".parse::<InstanceAddress>().unwrap());
        assert_eq!(s.records[&key].dependencies, [instance("t.x")]);
        assert_eq!(s.records.len(), 2);
    }

    #[test]
    fn dependents_of_what_leaves_depend_on_what_is_behind_it() {
        let resource = |text: &str| {
            let address: InstanceAddress = text.parse().unwrap();
            Dependency::Resource(address.resource)
        };
        let s = state(vec![
            record("t.net", vec![]),
            record("t.role", vec![]),
            record("t.node[0]", vec![instance("t.net")]),
            record("t.node[1]", vec![resource("t.pool")]),
            record("t.pool", vec![resource("t.role"), instance("t.node[1]")]),
            record("t.one", vec![instance("t.node[0]")]),
            record("t.all", vec![resource("t.node")]),
            record("t.none", vec![instance("t.net")]),
        ]);
        let leaving: Vec<RecordKey> = ["t.node[0]", "t.node[1]", "t.pool"]
            .map(|a| a.parse::<InstanceAddress>().unwrap().into())
            .into();
        let found = without(&s, &leaving.iter().collect());
        let found: Vec<(String, Vec<Dependency>)> = found
            .into_iter()
            .map(|r| (r.key.address.to_string(), r.dependencies))
            .collect();
        let mut all = vec![
            resource("t.node"),
            instance("t.net"),
            resource("t.pool"),
            resource("t.role"),
            instance("t.node[1]"),
        ];
        all.sort();
        let mut one = vec![instance("t.node[0]"), instance("t.net")];
        one.sort();
        assert_eq!(
            found,
            [("t.all".to_string(), all), ("t.one".to_string(), one)]
        );
    }
}
