//! Which files of a module are tests.

use std::collections::BTreeSet;
use std::path::Path;

/// The endings of test files, each with that of the file that is preferred to it.
const ENDINGS: [(&str, Option<&str>); 4] = [
    (".tofutest.hcl", None),
    (".tofutest.json", None),
    (".tftest.hcl", Some(".tofutest.hcl")),
    (".tftest.json", Some(".tofutest.json")),
];

/// The test files of the module in `root`, in it and in its directory of tests, by name. A
/// directory of tests that does not exist has none.
///
/// # Errors
/// In words, when a directory cannot be read.
pub fn find(root: &Path, directory: &str) -> Result<Vec<String>, String> {
    let mut found = BTreeSet::new();
    let shown = directory.trim_start_matches("./").trim_end_matches('/');
    for place in ["", shown] {
        let dir = root.join(place);
        let entries = match std::fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && !place.is_empty() => continue,
            Err(e) => return Err(format!("{}: {e}", dir.display())),
        };
        let mut names = BTreeSet::new();
        for entry in entries {
            let entry = entry.map_err(|e| format!("{}: {e}", dir.display()))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let ignored = name.starts_with('.') || name.starts_with('#') || entry.path().is_dir();
            if !ignored && ENDINGS.iter().any(|(e, _)| name.ends_with(e)) {
                names.insert(name);
            }
        }
        for name in &names {
            if !is_shadowed(name, &names) {
                found.insert(match place {
                    "" | "." => name.clone(),
                    place => format!("{place}/{name}"),
                });
            }
        }
    }
    Ok(found.into_iter().collect())
}

/// Whether there is a file of the same name in the other tool's dialect, which is preferred.
fn is_shadowed(name: &str, names: &BTreeSet<String>) -> bool {
    ENDINGS.iter().any(|(ending, preferred)| {
        let Some((stem, other)) = name.strip_suffix(ending).zip(*preferred) else {
            return false;
        };
        names.contains(&format!("{stem}{other}"))
    })
}

/// Whether a file follows OpenTofu's rules where the two tools differ.
pub(crate) fn is_tofu(name: &str) -> bool {
    name.ends_with(".tofutest.hcl") || name.ends_with(".tofutest.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_both_dialects_in_both_places() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("checks")).unwrap();
        for name in [
            "a.tftest.hcl",
            "a.tofutest.hcl",
            "b.tftest.json",
            "main.tf",
            ".hidden.tftest.hcl",
            "checks/a.tftest.hcl",
            "checks/c.tofutest.json",
            "checks/c.tftest.hcl",
        ] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        assert_eq!(
            find(dir.path(), "./checks/").unwrap(),
            [
                "a.tofutest.hcl",
                "b.tftest.json",
                "checks/a.tftest.hcl",
                "checks/c.tftest.hcl",
                "checks/c.tofutest.json",
            ]
        );
        assert_eq!(find(dir.path(), "missing").unwrap().len(), 2);
        assert!(find(&dir.path().join("none"), "tests").is_err());
    }
}
