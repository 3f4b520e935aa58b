//! The nearest name, for errors about a name that does not exist.

/// ` Did you mean "x"?` for the known name nearest to `name`, or nothing when none is near.
pub fn did_you_mean<S: AsRef<str>>(name: &str, known: impl IntoIterator<Item = S>) -> String {
    nearest(name, known)
        .map(|n| format!(" Did you mean {n:?}?"))
        .unwrap_or_default()
}

/// The known name nearest to `name`, when it is nearer than a third of its length.
pub fn nearest<S: AsRef<str>>(name: &str, known: impl IntoIterator<Item = S>) -> Option<String> {
    let limit = (name.chars().count() / 3).clamp(1, 4);
    known
        .into_iter()
        .map(|k| (strsim::osa_distance(name, k.as_ref()), k))
        .filter(|(distance, _)| *distance <= limit)
        .min_by(|(a, x), (b, y)| a.cmp(b).then_with(|| x.as_ref().cmp(y.as_ref())))
        .map(|(_, k)| k.as_ref().to_string())
}
