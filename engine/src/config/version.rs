//! Version numbers and version constraints, as the `version` argument of a module call and
//! `required_version` write them: `>= 1.2, != 1.3.1, < 2.0`, `~> 1.4`.
//!
//! The rules are those of the Terraform language (its page "Version Constraints"), which differ
//! from Cargo's and npm's: a number alone means exactly that version, `~>` lets only the rightmost
//! number grow, and a prerelease is taken only where it is asked for. Which versions exist is not
//! known here: the installer asks the registry and lets [`Constraints::newest`] choose.

use std::cmp::Ordering;
use std::fmt;

/// A version number: numbers with dots, then perhaps a prerelease and build metadata.
///
/// Missing numbers count as zero, so `1.2` is `1.2.0`; there may be more than three. Build
/// metadata is kept for display and plays no part in comparisons.
#[derive(Debug, Clone)]
pub struct Version {
    numbers: Vec<u64>,
    prerelease: String,
    metadata: String,
}

impl Version {
    /// Reads a version; a leading `v` is allowed.
    ///
    /// # Errors
    /// When it is not one, with a sentence that says so.
    pub fn parse(text: &str) -> Result<Version, String> {
        Ok(read(text.trim())?.0)
    }

    /// Whether it is a prerelease such as `1.0.0-beta1`.
    pub fn is_prerelease(&self) -> bool {
        !self.prerelease.is_empty()
    }

    fn number(&self, i: usize) -> u64 {
        self.numbers.get(i).copied().unwrap_or(0)
    }

    fn same_numbers(&self, other: &Version) -> bool {
        self.compare_numbers(other) == Ordering::Equal
    }

    fn compare_numbers(&self, other: &Version) -> Ordering {
        let longest = self.numbers.len().max(other.numbers.len());
        (0..longest)
            .map(|i| self.number(i).cmp(&other.number(i)))
            .find(|o| o.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Version) -> Ordering {
        self.compare_numbers(other).then_with(|| {
            match (self.is_prerelease(), other.is_prerelease()) {
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                _ => compare_prereleases(&self.prerelease, &other.prerelease),
            }
        })
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Version) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Version) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.numbers.iter().map(ToString::to_string).collect();
        f.write_str(&numbers.join("."))?;
        if self.is_prerelease() {
            write!(f, "-{}", self.prerelease)?;
        }
        if !self.metadata.is_empty() {
            write!(f, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

/// Part by part, as semantic versioning orders them: numbers below words, fewer parts below more.
fn compare_prereleases(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let ordering = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(x), Some(y)) => match (x.parse::<u64>(), y.parse::<u64>()) {
                (Ok(x), Ok(y)) => x.cmp(&y),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => x.cmp(y),
            },
        };
        if ordering.is_ne() {
            return ordering;
        }
    }
}

/// A version, and how many of its numbers were written.
fn read(text: &str) -> Result<(Version, usize), String> {
    let malformed = || format!("{text:?} is not a version number such as 1.2.3.");
    let rest = text.strip_prefix('v').unwrap_or(text);
    let (rest, metadata) = rest.split_once('+').map_or((rest, ""), |(r, m)| (r, m));
    if text.contains('+') && !well_formed_suffix(metadata) {
        return Err(malformed());
    }
    let end = rest
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(rest.len());
    let (core, prerelease) = rest.split_at(end);
    // The peers also read 1.0.0beta1 as a prerelease.
    let dashed = prerelease.starts_with('-');
    let prerelease = prerelease.strip_prefix('-').unwrap_or(prerelease);
    if (dashed || !prerelease.is_empty()) && !well_formed_suffix(prerelease) {
        return Err(malformed());
    }
    let mut numbers = Vec::new();
    for part in core.split('.') {
        numbers.push(part.parse().map_err(|_| malformed())?);
    }
    let written = numbers.len();
    if written < 3 {
        numbers.resize(3, 0);
    }
    let version = Version {
        numbers,
        prerelease: prerelease.to_string(),
        metadata: metadata.to_string(),
    };
    Ok((version, written))
}

/// Dot-separated words of letters, digits, dashes and tildes.
fn well_formed_suffix(text: &str) -> bool {
    text.split('.').all(|part| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '~')
    })
}

/// What a version must satisfy: all of a comma-separated list of conditions.
#[derive(Debug, Clone)]
pub struct Constraints {
    all: Vec<Condition>,
    text: String,
}

#[derive(Debug, Clone)]
struct Condition {
    operator: Operator,
    version: Version,
    /// How many numbers were written: `~> 1.2` and `~> 1.2.0` differ.
    written: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Pessimistic,
}

/// Longer ones first, so that `>=` is not read as `>`.
const OPERATORS: [(&str, Operator); 7] = [
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("~>", Operator::Pessimistic),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
];

impl Constraints {
    /// Reads constraints.
    ///
    /// # Errors
    /// When they are malformed, with a sentence that says which part.
    pub fn parse(text: &str) -> Result<Constraints, String> {
        let mut all = Vec::new();
        for part in text.split(',') {
            let part = part.trim();
            let (operator, version) = OPERATORS
                .iter()
                .find_map(|(symbol, o)| Some((*o, part.strip_prefix(symbol)?)))
                .unwrap_or((Operator::Equal, part));
            let (version, written) = read(version.trim()).map_err(|_| {
                format!(
                    "{part:?} is not a version constraint. Write an operator (=, !=, >, >=, <, <= or ~>) and a version number, such as \"~> 1.2\", and commas between several."
                )
            })?;
            all.push(Condition {
                operator,
                version,
                written,
            });
        }
        Ok(Constraints {
            all,
            text: text.trim().to_string(),
        })
    }

    /// Whether a version satisfies all conditions. Used as it is for `required_version`, where
    /// the version is given and not chosen; [`Constraints::newest`] is stricter on prereleases.
    pub fn allows(&self, version: &Version) -> bool {
        self.all.iter().all(|c| c.allows(version))
    }

    /// The newest of `versions` that is allowed. A prerelease is chosen only when the constraints
    /// are that one version exactly.
    pub fn newest<'a>(
        &self,
        versions: impl IntoIterator<Item = &'a Version>,
    ) -> Option<&'a Version> {
        versions.into_iter().filter(|v| self.may_choose(v)).max()
    }

    /// Whether [`Constraints::newest`] could choose this version.
    pub fn may_choose(&self, version: &Version) -> bool {
        let asked_for = !version.is_prerelease()
            || matches!(self.all.as_slice(), [one] if one.operator == Operator::Equal);
        asked_for && self.allows(version)
    }
}

impl fmt::Display for Constraints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Condition {
    fn allows(&self, version: &Version) -> bool {
        let wanted = &self.version;
        match self.operator {
            Operator::Equal => return version == wanted,
            Operator::NotEqual => return version != wanted,
            _ => {}
        }
        // A prerelease is in no range but that of another prerelease of the same version.
        if version.is_prerelease() && !(wanted.is_prerelease() && version.same_numbers(wanted)) {
            return false;
        }
        match self.operator {
            Operator::Greater => version > wanted,
            Operator::GreaterOrEqual => version >= wanted,
            Operator::Less => version < wanted,
            Operator::LessOrEqual => version <= wanted,
            Operator::Pessimistic => {
                (version.is_prerelease() || !wanted.is_prerelease())
                    && version >= wanted
                    && (0..self.written - 1).all(|i| version.number(i) == wanted.number(i))
            }
            Operator::Equal | Operator::NotEqual => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn versions_are_read_and_ordered() {
        let shown: [(&str, &str); 8] = [
            ("1", "1.0.0"),
            ("v1.2", "1.2.0"),
            (" 1.2.3 ", "1.2.3"),
            ("1.2.3.4", "1.2.3.4"),
            ("1.0.0-beta.1+build.5", "1.0.0-beta.1+build.5"),
            ("1.0.0beta1", "1.0.0-beta1"),
            ("0.0.0", "0.0.0"),
            ("01.002.3", "1.2.3"),
        ];
        for (text, expected) in shown {
            assert_eq!(version(text).to_string(), expected, "{text}");
        }
        for text in [
            "",
            "v",
            "a",
            "1.",
            "1..2",
            ".1",
            "1.2-",
            "1.2+",
            "1.2-a..b",
            "1 2",
            "1.2.3-ä",
            "99999999999999999999.0",
            "-1",
            "1.2.3-",
            "1.x",
        ] {
            assert!(Version::parse(text).is_err(), "{text}");
        }
        let ordered = [
            "0.9",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc1",
            "1.0.0",
            "1.0.0.1",
            "1.0.1",
            "1.2",
            "1.10",
            "2",
        ];
        for pair in ordered.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "{pair:?}");
        }
        assert_eq!(version("1.0+a"), version("1.0.0+b"));
    }

    /// What go-version, which both peers use, answers to each.
    #[test]
    fn constraints() {
        let table: &[(&str, &[&str], &[&str])] = &[
            (
                "1.2.3",
                &["1.2.3", "v1.2.3", "1.2.3+x"],
                &["1.2.4", "1.2.3-beta"],
            ),
            ("= 1.2", &["1.2.0"], &["1.2.1"]),
            ("!= 1.2.0", &["1.2.1", "0.1"], &["1.2"]),
            ("> 1.2", &["1.2.1", "2.0"], &["1.2.0", "1.3.0-beta"]),
            (">= 1.2", &["1.2.0", "9"], &["1.1.9", "1.2.0-rc1"]),
            ("< 1.2", &["1.1.99"], &["1.2.0", "1.2.0-rc1"]),
            ("<= 1.2", &["1.2.0", "1"], &["1.2.1"]),
            ("~> 1", &["1.0.0", "1.9", "2.0"], &["0.9"]),
            ("~> 1.2", &["1.2.0", "1.9.9"], &["2.0.0", "1.1.9"]),
            ("~> 1.2.0", &["1.2.0", "1.2.99"], &["1.3.0", "1.1"]),
            ("~> 1.2.3.4", &["1.2.3.4", "1.2.3.9"], &["1.2.4", "1.2.3"]),
            (
                "~> 1.2.3-beta.2",
                &["1.2.3-beta.2", "1.2.3-rc"],
                &["1.2.3", "1.2.3-beta.1", "1.2.4-rc"],
            ),
            (
                ">= 1.2.3-beta.2",
                &["1.2.3-beta.3", "1.2.3", "2"],
                &["1.2.4-beta.3", "1.2.3-alpha"],
            ),
            ("1.2.3-beta", &["1.2.3-beta"], &["1.2.3"]),
            (
                ">=1.0, <2.0,!=1.5.0",
                &["1.0", "1.5.1", "1.9"],
                &["2.0.0", "1.5", "0.9"],
            ),
            (">= v1.0", &["1.1"], &["0.1"]),
        ];
        for (text, yes, no) in table {
            let constraints = Constraints::parse(text).unwrap();
            for v in *yes {
                assert!(constraints.allows(&version(v)), "{text} allows {v}");
            }
            for v in *no {
                assert!(
                    !constraints.allows(&version(v)),
                    "{text} does not allow {v}"
                );
            }
        }
        for text in [
            "",
            "abc",
            ">=",
            "> 1.0 < 2.0",
            "1.0,",
            "=> 1.0",
            "^1.0",
            "~>",
            "1.x",
            "*",
            ">= 1.0 || < 2",
        ] {
            let e = Constraints::parse(text).unwrap_err();
            assert!(e.contains("is not a version constraint"), "{text}: {e}");
        }
    }

    #[test]
    fn the_newest_is_chosen_and_prereleases_only_when_named() {
        let available = ["1.0.0", "1.10.0", "1.9.0", "2.0.0-beta1", "2.0.0-beta2"].map(version);
        let chosen = |text: &str| {
            Constraints::parse(text)
                .unwrap()
                .newest(&available)
                .map(ToString::to_string)
        };
        assert_eq!(chosen(">= 1.0").as_deref(), Some("1.10.0"));
        assert_eq!(chosen("~> 1.0.0").as_deref(), Some("1.0.0"));
        assert_eq!(chosen("2.0.0-beta1").as_deref(), Some("2.0.0-beta1"));
        assert_eq!(chosen(">= 2.0.0-beta1"), None);
        assert_eq!(chosen("> 3"), None);
    }
}
