//! The nearest name, for errors about a name that does not exist.

/// How many names are looked at for one that is near: a file with a mistake in every line costs
/// no more than so many names for each of them, whatever there is. A person who has more names
/// than this in one place looks for the right one otherwise.
const MOST: usize = 1000;

/// ` Did you mean "x"?` for the known name nearest to `name`, or nothing when none is near.
pub fn did_you_mean<S: AsRef<str>>(name: &str, known: impl IntoIterator<Item = S>) -> String {
    nearest(name, known)
        .map(|n| format!(" Did you mean {n:?}?"))
        .unwrap_or_default()
}

/// The known name nearest to `name`, when it is nearer than a third of its length. Only the first
/// thousand are looked at.
pub fn nearest<S: AsRef<str>>(name: &str, known: impl IntoIterator<Item = S>) -> Option<String> {
    let length = name.chars().count();
    let limit = (length / 3).clamp(1, 4);
    known
        .into_iter()
        .take(MOST)
        // As many letters as one name has more than the other must be put in at least.
        .filter(|k| k.as_ref().chars().count().abs_diff(length) <= limit)
        .map(|k| (strsim::osa_distance(name, k.as_ref()), k))
        .filter(|(distance, _)| *distance <= limit)
        .min_by(|(a, x), (b, y)| a.cmp(b).then_with(|| x.as_ref().cmp(y.as_ref())))
        .map(|(_, k)| k.as_ref().to_string())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn the_nearest_of_the_near_ones_is_meant() {
        let known = ["input", "output", "inputs", "in"];
        assert_eq!(nearest("inptu", known), Some("input".into()));
        assert_eq!(nearest("outputt", known), Some("output".into()));
        assert_eq!(nearest("region", known), None);
        // One letter more or less is near even to a short name, two are not.
        assert_eq!(nearest("i", known), Some("in".into()));
        assert_eq!(nearest("i", ["int"]), None);
        assert_eq!(nearest("größe", ["größen"]), Some("größen".into()));
        assert_eq!(did_you_mean("inptu", known), " Did you mean \"input\"?");
    }

    #[test]
    fn a_mistake_costs_the_same_among_any_number_of_names() {
        let looked = Cell::new(0);
        let names = (0..1_000_000).map(|i| {
            looked.set(looked.get() + 1);
            format!("name{i}")
        });
        assert_eq!(nearest("name17x", names), Some("name17".into()));
        assert_eq!(looked.get(), 1000);
    }
}
