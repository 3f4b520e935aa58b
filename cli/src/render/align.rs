//! Which elements of two collections belong together.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};
use topo_sdk::Value;

use super::strings::is_document;
use super::style::Symbol;

/// How long the best alignment of two lists or texts is looked for; after that a good one does.
pub const LONGEST_SEARCH: Duration = Duration::from_secs(2);

/// Two elements side by side, one of which may be missing.
pub type Pair<'v> = (Option<&'v Value>, Option<&'v Value>);

/// The entries of two maps by name, in order.
pub fn map_difference<'v>(
    before: &'v BTreeMap<Arc<str>, Value>,
    after: &'v BTreeMap<Arc<str>, Value>,
) -> Vec<(&'v Arc<str>, Pair<'v>)> {
    let compare = |x: &(&'v Arc<str>, &'v Value), y: &(&'v Arc<str>, &'v Value)| x.0.cmp(y.0);
    merge(before.iter(), after.iter(), compare)
        .into_iter()
        .filter_map(|(b, a)| {
            let name = b.or(a)?.0;
            Some((name, (b.map(|b| b.1), a.map(|a| a.1))))
        })
        .collect()
}

/// The elements of two sets, in order, each with what becomes of it.
pub fn set_difference<'v>(before: &'v [Value], after: &'v [Value]) -> Vec<(Symbol, &'v Value)> {
    merge(before.iter(), after.iter(), |x, y| x.total_cmp(y))
        .into_iter()
        .filter_map(|(b, a)| match (b, a) {
            (Some(b), None) => Some((Symbol::Remove, b)),
            (None, Some(a)) => Some((Symbol::Add, a)),
            (_, a) => a.map(|a| (Symbol::Same, a)),
        })
        .collect()
}

/// Two sequences that are sorted by the same order as one, equal items side by side.
fn merge<T: Copy>(
    before: impl Iterator<Item = T>,
    after: impl Iterator<Item = T>,
    compare: impl Fn(&T, &T) -> Ordering,
) -> Vec<(Option<T>, Option<T>)> {
    let (mut b, mut a) = (before.peekable(), after.peekable());
    let mut out = Vec::with_capacity(b.size_hint().0.max(a.size_hint().0));
    loop {
        let order = match (b.peek(), a.peek()) {
            (None, None) => return out,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(x), Some(y)) => compare(x, y),
        };
        out.push((
            if order.is_le() { b.next() } else { None },
            if order.is_ge() { a.next() } else { None },
        ));
    }
}

/// The elements of two lists side by side: kept ones are found by their longest common
/// subsequence; where objects or long texts give way to their like they are paired, to show what
/// changes in them.
pub fn list_difference<'v>(before: &'v [Value], after: &'v [Value]) -> Vec<Pair<'v>> {
    let mut order: Vec<&Value> = before.iter().chain(after).collect();
    order.sort_by(|x, y| x.total_cmp(y));
    order.dedup_by(|x, y| x.total_cmp(y).is_eq());
    let rank = |v: &Value| {
        order
            .binary_search_by(|probe| probe.total_cmp(v))
            .unwrap_or(0)
    };
    let old: Vec<usize> = before.iter().map(rank).collect();
    let new: Vec<usize> = after.iter().map(rank).collect();
    let deadline = Some(Instant::now() + LONGEST_SEARCH);
    let mut out = Vec::with_capacity(before.len().max(after.len()));
    for op in capture_diff_slices_deadline(Algorithm::Myers, &old, &new, deadline) {
        let olds = before.get(op.old_range()).unwrap_or_default();
        let news = after.get(op.new_range()).unwrap_or_default();
        let paired = match op {
            DiffOp::Equal { .. } => olds.len(),
            DiffOp::Replace { .. } => olds.iter().zip(news).take_while(comparable).count(),
            DiffOp::Delete { .. } | DiffOp::Insert { .. } => 0,
        };
        let pairs = olds.iter().zip(news).take(paired);
        out.extend(pairs.map(|(x, y)| (Some(x), Some(y))));
        out.extend(olds.iter().skip(paired).map(|x| (Some(x), None)));
        out.extend(news.iter().skip(paired).map(|y| (None, Some(y))));
    }
    out
}

/// Whether two elements of a list are shown as one that changes.
fn comparable((before, after): &(&Value, &Value)) -> bool {
    let long = |v: &Value| {
        v.as_str()
            .is_some_and(|s| s.contains('\n') || is_document(s))
    };
    (before.as_map().is_some() && after.as_map().is_some()) || (long(before) && long(after))
}
